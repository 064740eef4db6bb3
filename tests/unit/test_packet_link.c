/* SPDX-License-Identifier: MIT */
/* Links other than Ethernet, what stands between an ethertype and IP, and what neighbours on a link tell each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/frames.h"

static struct facts facts;

/* Every shorter one must be read without a byte beyond it, and be named. */
static void decode_cut(const struct frame *f, uint32_t link)
{
	for (size_t n = 0; n <= f->n; n++) {
		decode_frame(NULL, link, exact(f->b, n), (uint32_t)n, (uint32_t)f->n, 1000, &facts);
		if (n < f->n && facts.n_layers == 0)
			assert_int_not_equal(facts.reason, UND_NONE);
	}
}

static void put_dns(struct frame *f, bool v6)
{
	struct frame p = { .n = 0 };

	p_dns_query(&p);
	if (v6)
		put_ip6(f, 17, 8 + p.n);
	else
		put_ip4(f, 17, 8 + p.n, 1, 0);
	put_udp(f, 40000, 53, p.n);
	put(f, p.b, p.n);
}

struct link_row {
	uint32_t link;
	const char *head;
	size_t n;
	bool v6;
};

#define HEAD(s) (s), sizeof(s) - 1

/* A DNS query behind each head; its 88 bytes of IP packet are what the lengths speak of. */
static void the_packet_is_found(void **state)
{
	static const struct link_row rows[] = {
		{ LINK_RAW_OPENBSD, HEAD(""), false },
		{ LINK_NULL, HEAD("\x17\0\0\0"), true }, /* AF_INET6 of Windows */
		{ LINK_PPP, HEAD("\xff\x03\0\x21"), false },
		{ LINK_PPP, HEAD("\0\x57"), true },
		{ LINK_PPP, HEAD("\x0f\0\x08\0"), false }, /* Cisco's after all */
		{ LINK_PPP, HEAD("\x21"), false },	   /* protocol compressed to a byte */
		{ LINK_PPP, HEAD("\xff\x03\x02\x81\0\1\x01\x40"), false },
		{ LINK_PPP_HDLC, HEAD("\xff\x03\0\x21"), false },
		{ LINK_PPP_HDLC, HEAD("\x0f\0\x08\0"), false },
		{ LINK_PPP_PPPD, HEAD("\1\xff\x03\0\x21"), false },
		{ LINK_C_HDLC, HEAD("\x0f\0\x08\0"), false },
		{ LINK_C_HDLC, HEAD("\x8f\0\x86\xdd"), true },
		{ LINK_MPLS, HEAD("\0\1\0\x40\0\2\x01\x40"), false },
		{ LINK_NFLOG, HEAD("\2\0\0\5\x05\0\x0a\0p\0\0\0\x5c\0\x09\0"), false },
		{ LINK_PPI, HEAD("\0\0\x0c\0\1\0\0\0abcd\2\0\0\0\0\1\2\0\0\0\0\2\x08\0"), false },
		{ LINK_PPI, HEAD("\0\0\x08\0\x65\0\0\0"), true },
		{ LINK_ETHERNET, HEAD("\2\0\0\0\0\1\2\0\0\0\0\2\x88\x47\0\1\x01\x40"), true },
		{ LINK_ETHERNET, HEAD("\2\0\0\0\0\1\2\0\0\0\0\2\x88\x48\0\1\x01\x40"), false },
		{ LINK_ETHERNET, HEAD("\2\0\0\0\0\1\2\0\0\0\0\2\x88\x0b\0\x21"), false },
		/* LLC with SNAP, and with IP's own service access point */
		{ LINK_ETHERNET, HEAD("\2\0\0\0\0\1\2\0\0\0\0\2\0\x60\xaa\xaa\3\0\0\0\x08\0"),
		  false },
		{ LINK_ETHERNET, HEAD("\2\0\0\0\0\1\2\0\0\0\0\2\0\x5b\6\6\3"), false },
		{ LINK_SLL, HEAD("\0\0\0\1\0\6\2\0\0\0\0\2\0\0\0\4\xaa\xaa\3\0\0\0\x08\0"), false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame f = { .n = 0 };

		put(&f, rows[i].head, rows[i].n);
		put_dns(&f, rows[i].v6);
		decode_cut(&f, rows[i].link);
		if (facts.n_layers != 1 || facts.reason != UND_NONE)
			fail_msg("row %zu: %s", i, undecodable_name(facts.reason));
		assert_int_equal(facts.layer[0].version, rows[i].v6 ? 6 : 4);
		assert_int_equal(facts.layer[0].encap, ENCAP_NONE);
		assert_true(facts_has(&facts, PROTO_DNS));
		assert_string_equal(facts.dns.qname, "canary-7f3a.lab.test");
	}
}

/* With a tag before it, as many providers have it; the length in the header ends the packet, not the frame. */
static void pppoe_sessions_are_entered(void **state)
{
	struct frame p = { .n = 0 }, f = { .n = 0 };

	(void)state;
	put_dns(&p, false);
	put_ethernet(&f, 0x8100);
	put(&f, "\0\7\x88\x64\x11\0\0\1", 8);
	put16(&f, (unsigned)p.n + 2);
	put16(&f, 0x0021);
	put(&f, p.b, p.n);
	put_zero(&f, 9); /* padding of the frame */
	decode_cut(&f, LINK_ETHERNET);
	assert_int_equal(facts.reason, UND_NONE);
	assert_int_equal(facts.n_vlans, 1);
	assert_int_equal(facts.ethertype, 0x8864);
	assert_int_equal(facts.n_layers, 1);
	assert_true(facts_has(&facts, PROTO_DNS));
	f.b[22] = 9; /* longer than the frame */
	decode_frame(NULL, LINK_ETHERNET, f.b, (uint32_t)f.n, (uint32_t)f.n, 0, &facts);
	assert_int_equal(facts.reason, UND_PPP);
	assert_true(facts.undecodable);
}

struct upkeep_row {
	uint32_t link;
	const char *b;
	size_t n;
};

#define ETH "\2\0\0\0\0\1\2\0\0\0\0\2"

static void neighbours_are_recognised(void **state)
{
	static const struct upkeep_row rows[] = {
		{ LINK_ETHERNET, HEAD(ETH "\x88\x8e\2\3\0\4abcd") },		 /* EAPOL key */
		{ LINK_ETHERNET, HEAD(ETH "\x88\xcc\2\7\4\2\0\0\0\0\2") },	 /* LLDP */
		{ LINK_ETHERNET, HEAD(ETH "\x88\x09\1\1\1\x14") },		 /* LACP */
		{ LINK_ETHERNET, HEAD(ETH "\x88\x63\x11\x09\0\0\0\4\1\1\0\0") }, /* PADI */
		{ LINK_ETHERNET, HEAD(ETH "\x90\0\0\0\1\0\0\0") },
		{ LINK_ETHERNET, HEAD(ETH "\x88\x64\x11\0\0\1\0\x0a\xc0\x21\x09\1\0\x08magi") },
		{ LINK_ETHERNET, HEAD(ETH "\0\x26\x42\x42\3\0\0\0\0\0") }, /* spanning tree */
		{ LINK_PPP, HEAD("\xff\3\x80\x21\1\1\0\4") },		   /* IPCP */
		{ LINK_C_HDLC, HEAD("\x8f\0\x80\x35\0\0\0\2\0\0\0\1\0\0\0\1\xff\xff") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		decode_frame(NULL, rows[i].link, (const uint8_t *)rows[i].b, (uint32_t)rows[i].n,
			     (uint32_t)rows[i].n, 0, &facts);
		if (!facts_has(&facts, PROTO_LINK_CONTROL) || facts.reason != UND_NONE)
			fail_msg("row %zu: %s", i, undecodable_name(facts.reason));
		assert_int_equal(facts.n_layers, 0);
		assert_false(facts.undecodable);
	}
}

/* The type alone is not enough: what has not their shape stays suspicious. */
static void others_under_their_types_are_not(void **state)
{
	static const struct {
		uint32_t link;
		const char *b;
		size_t n;
		enum undecodable reason;
	} rows[] = {
		{ LINK_ETHERNET, HEAD(ETH "\x88\x8e\4\3\0\4abcd"), UND_ETHERTYPE_UNKNOWN },
		{ LINK_ETHERNET, HEAD(ETH "\x88\x8e\2\3\1\4abcd"), UND_ETHERTYPE_UNKNOWN },
		{ LINK_ETHERNET, HEAD(ETH "\x88\xcc\4\7\4\2\0\0\0\0\2"), UND_ETHERTYPE_UNKNOWN },
		{ LINK_ETHERNET, HEAD(ETH "\x88\x09\5\1\1\x14"), UND_ETHERTYPE_UNKNOWN },
		{ LINK_ETHERNET, HEAD(ETH "\x88\x63\x11\x0a\0\0\0\4\1\1\0\0"),
		  UND_ETHERTYPE_UNKNOWN },
		{ LINK_ETHERNET, HEAD(ETH "\x90\0\0\0\3\0\0\0"), UND_ETHERTYPE_UNKNOWN },
		{ LINK_ETHERNET,
		  HEAD(ETH "\x88\xb5"
			   "E\0\0\x14"),
		  UND_ETHERTYPE_UNKNOWN },
		{ LINK_ETHERNET,
		  HEAD(ETH "\x88\x64\x11\0\0\1\0\4\0\x2d"
			   "ab"),
		  UND_PPP },
		{ LINK_ETHERNET, HEAD(ETH "\x88\x64\x11\0\0\1\0\x0a\xc0\x21\x09\1\0\x28magi"),
		  UND_PPP },
		{ LINK_ETHERNET, HEAD(ETH "\x88\x47\0\1\x01\x40\0\0\0\0"), UND_ETHERTYPE_UNKNOWN },
		{ LINK_ETHERNET, HEAD(ETH "\0\x26\xe0\xe0\3\0\0\0\0\0"), UND_LLC },
		{ LINK_ETHERNET, HEAD(ETH "\0\x26\x42\x42\3\1\0\0\0\0"), UND_LLC },
		{ LINK_ETHERNET, HEAD(ETH "\0\x26\xaa\xaa\3\0\0\x0c\x01\x0b\0"), UND_LLC },
		{ LINK_C_HDLC, HEAD("\x42\0\x08\0"), UND_PPP },
		{ LINK_NFLOG, HEAD("\2\0\0\5\3\0\x09\0"), UND_LINK_SHORT },
		{ LINK_NFLOG, HEAD("\2\0\0\5\x08\0\x0a\0pppp"), UND_LINK_SHORT },
		{ LINK_PPI, HEAD("\0\0\x08\0\xc0\0\0\0"), UND_LINKTYPE_UNKNOWN },
		{ LINK_PPI, HEAD("\0\0\x07\0\1\0\0\0"), UND_LINK_SHORT },
		{ 127, HEAD("\0\0\x08\0\0\0\0\0"), UND_LINKTYPE_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		decode_frame(NULL, rows[i].link, (const uint8_t *)rows[i].b, (uint32_t)rows[i].n,
			     (uint32_t)rows[i].n, 0, &facts);
		if (facts.reason != rows[i].reason)
			fail_msg("row %zu: %s", i, undecodable_name(facts.reason));
		assert_true(facts.undecodable);
		assert_int_equal(facts.protos, 0);
	}
}

/* ---- the shapes of neighbours' messages, byte for byte ---- */

/* Is what stands behind this ethertype taken for a message between neighbours? The rest is zeros. */
static bool is_upkeep(unsigned type, const char *head, size_t n, size_t size)
{
	struct frame f = { .n = 0 };

	put_ethernet(&f, type);
	put(&f, head, n);
	put_zero(&f, size - n);
	decode_frame(NULL, LINK_ETHERNET, f.b, (uint32_t)f.n, (uint32_t)f.n, 0, &facts);
	return facts_has(&facts, PROTO_LINK_CONTROL);
}

static void eapol_shapes(void **state)
{
	(void)state;
	for (int version = 0; version < 6; version++)
		for (int type = 0; type < 12; type++)
			for (int n = 0; n < 20; n++) {
				const char head[] = { (char)version, (char)type, 0, (char)n };
				bool want = version >= 1 && version <= 3 && type <= 8 && n <= 12;

				assert_int_equal(is_upkeep(0x888e, head, 4, 16), want);
			}
	assert_true(is_upkeep(0x888e, HEAD("\1\1\0\0"), 4));
	assert_false(is_upkeep(0x888e, HEAD("\1\1\0"), 3));
}

static void lldp_shapes(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 128; kind++)
		for (unsigned n = 0; n < 512; n++) {
			const char head[] = { (char)(kind << 1 | n >> 8), (char)n };
			bool want = kind == 1 && n >= 2 && n <= 256;

			if (is_upkeep(0x88cc, head, 2, 2) != want)
				fail_msg("element %u of %u", kind, n);
		}
	assert_false(is_upkeep(0x88cc, HEAD("\2"), 1));
}

static void slow_shapes(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 256; kind++) {
		const char head[] = { (char)kind, 1 };
		bool want = (kind >= 1 && kind <= 3) || kind == 10;

		assert_int_equal(is_upkeep(0x8809, head, 2, 2), want);
		assert_false(is_upkeep(0x8809, head, 1, 1));
	}
}

static void discovery_of_pppoe(void **state)
{
	static const char codes[] = "\x09\x07\x19\x65\xa7";

	(void)state;
	for (unsigned code = 0; code < 256; code++) {
		const char head[] = { 0x11, (char)code, 0, 0, 0, 4 };
		bool want = memchr(codes, (int)code, sizeof(codes) - 1) != NULL;

		assert_int_equal(is_upkeep(0x8863, head, 6, 10), want);
		assert_false(is_upkeep(0x8863, head, 6, 9)); /* shorter than it says */
		assert_int_equal(is_upkeep(0x8863, head, 6, 11), want);
	}
	assert_false(is_upkeep(0x8863, HEAD("\x12\x09\0\0\0\0"), 6));
	assert_true(is_upkeep(0x8863, HEAD("\x11\x09\0\0\0\0"), 6));
	assert_false(is_upkeep(0x8863, HEAD("\x11\x09\0\0\0"), 5));
}

static void loopback_tests(void **state)
{
	(void)state;
	for (unsigned low = 0; low < 256; low++)
		for (unsigned high = 0; high < 3; high++) {
			const char head[] = { 0, 0, (char)low, (char)high };
			bool want = (low == 1 || low == 2) && high == 0;

			assert_int_equal(is_upkeep(0x9000, head, 4, 4), want);
		}
	assert_false(is_upkeep(0x9000, HEAD("\0\0\1"), 3));
}

/* ---- LLC, PPP, HDLC ---- */

static void llc_headers(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		enum undecodable reason; /* UND_NONE: upkeep */
	} rows[] = {
		{ HEAD("\x42\x42\3\0\0\0\0"), UND_NONE },
		{ HEAD("\x42\x42\3\0\0\0"), UND_LLC },
		{ HEAD("\x42\x43\3\0\0\0\0"), UND_LLC },
		{ HEAD("\x43\x42\3\0\0\0\0"), UND_LLC },
		{ HEAD("\x42\x42\4\0\0\0\0"), UND_LLC },
		{ HEAD("\x42\x42\3\0\1\0\0"), UND_LLC },
		{ HEAD("\x06\x07\3\x45\0\0\x14"), UND_LLC },
		{ HEAD("\x07\x06\3\x45\0\0\x14"), UND_LLC },
		{ HEAD("\x06\x06\4\x45\0\0\x14"), UND_LLC },
		{ HEAD("\xaa\xaa\3\0\0\0\x08"), UND_LLC },
		{ HEAD("\xaa\xa8\3\0\0\0\x88\xcc\2\7"), UND_LLC },
		{ HEAD("\xab\xaa\3\0\0\0\x88\xcc\2\7"), UND_LLC },
		{ HEAD("\xaa\xaa\4\0\0\0\x88\xcc\2\7"), UND_LLC },
		{ HEAD("\xaa\xab\3\0\0\0\x88\xcc\2\7"), UND_NONE },
		{ HEAD("\xaa\xaa\3\0\0\xf8\x88\xcc\2\7"), UND_NONE },
		{ HEAD("\xaa\xaa\3\0\1\0\x88\xcc\2\7"), UND_LLC },
		{ HEAD("\xaa\xaa\3\0\0\0\5\xff\2\7"), UND_LLC },
		{ HEAD("\xaa\xaa\3\0\0\0\6\0\2\7"), UND_ETHERTYPE_UNKNOWN },
		{ HEAD("\x42\x42"), UND_LINK_SHORT },
		{ HEAD(""), UND_LINK_SHORT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool upkeep = is_upkeep((unsigned)rows[i].n, rows[i].b, rows[i].n, rows[i].n);

		if (facts.reason != rows[i].reason || upkeep != (rows[i].reason == UND_NONE))
			fail_msg("row %zu: %s", i, undecodable_name(facts.reason));
	}
}

/* 802.3's length ends the frame, and padding follows; below 3 it cannot be one. */
static void llc_ends_before_the_padding(void **state)
{
	(void)state;
	for (unsigned n = 2; n <= 60; n++)
		assert_int_equal(is_upkeep(n, HEAD("\x42\x42\3\0\0"), 40),
				 n == 2 || n == 4 || n >= 7);
}

/* RFC 1661 5: the length counts code, identifier and itself, and the packet holds it. */
static void control_of_ppp(void **state)
{
	(void)state;
	for (unsigned protocol = 1; protocol < 0x10000; protocol += 0x0f02) {
		unsigned kind = protocol >> 12;

		for (unsigned n = 0; n < 12; n++) {
			struct frame f = { .n = 0 };
			bool known = protocol == 0x21 || protocol == 0x57 || protocol == 0x0281;
			bool want = (kind == 8 || kind == 0xc) && n >= 4 && n <= 8;

			if (known || protocol >> 8 & 1)
				continue;
			put16(&f, protocol);
			put(&f, "\1\1", 2);
			put16(&f, n);
			put32(&f, 0);
			decode_frame(NULL, LINK_PPP_HDLC, f.b, (uint32_t)f.n, (uint32_t)f.n, 0,
				     &facts);
			assert_int_equal(facts_has(&facts, PROTO_LINK_CONTROL), want);
			assert_int_equal(facts.reason, want ? UND_NONE : UND_PPP);
		}
	}
}

static void short_links(void **state)
{
	static const struct {
		uint32_t link;
		const char *b;
		size_t n;
		enum undecodable reason; /* UND_NONE: upkeep */
	} rows[] = {
		{ LINK_PPP, HEAD(""), UND_LINK_SHORT },
		{ LINK_PPP, HEAD("\xff"), UND_PPP },
		{ LINK_PPP, HEAD("\xff\3"), UND_LINK_SHORT },
		{ LINK_PPP, HEAD("\xff\3\0"), UND_LINK_SHORT },
		{ LINK_PPP, HEAD("\xff\4\xc0\x21\1\1\0\4"), UND_PPP },
		{ LINK_PPP, HEAD("\xc0\x21\1\1\0\4"), UND_NONE },
		{ LINK_PPP, HEAD("\xc0\x21\1\1\0"), UND_PPP },
		{ LINK_PPP_PPPD, HEAD(""), UND_LINK_SHORT },
		{ LINK_PPP_PPPD, HEAD("\1"), UND_LINK_SHORT },
		{ LINK_PPP_PPPD, HEAD("\1\xc0\x21\1\1\0\4"), UND_NONE },
		{ LINK_PPP_ETHER, HEAD("\x11\0\0\1\0"), UND_LINK_SHORT },
		{ LINK_PPP_ETHER, HEAD("\x11\0\0\1\0\6\xc0\x21\1\1\0\4"), UND_NONE },
		{ LINK_PPP_ETHER, HEAD("\x11\0\0\1\0\7\xc0\x21\1\1\0\4"), UND_PPP },
		{ LINK_PPP_ETHER, HEAD("\x11\0\0\1\0\5\xc0\x21\1\1\0\4"), UND_PPP },
		{ LINK_PPP_ETHER, HEAD("\x12\0\0\1\0\6\xc0\x21\1\1\0\4"), UND_PPP },
		{ LINK_PPP_ETHER, HEAD("\x11\1\0\1\0\6\xc0\x21\1\1\0\4"), UND_PPP },
		{ LINK_C_HDLC, HEAD("\x0f\0\x80"), UND_LINK_SHORT },
		{ LINK_C_HDLC,
		  HEAD("\x0f\0\x80\x35"
		       "01234567890123"),
		  UND_NONE },
		{ LINK_C_HDLC,
		  HEAD("\x0f\0\x80\x35"
		       "0123456789012"),
		  UND_ARP_HARDWARE },
		{ LINK_C_HDLC,
		  HEAD("\x0f\0\x80\x36"
		       "01234567890123"),
		  UND_ETHERTYPE_UNKNOWN },
		{ LINK_C_HDLC,
		  HEAD("\x8f\0\x20\0"
		       "0123"),
		  UND_NONE },
		{ LINK_C_HDLC,
		  HEAD("\x8f\0\x20\0"
		       "012"),
		  UND_ETHERTYPE_UNKNOWN },
		{ LINK_C_HDLC,
		  HEAD("\x8f\0\x20\1"
		       "01234567890123"),
		  UND_ETHERTYPE_UNKNOWN },
		{ LINK_C_HDLC,
		  HEAD("\x0e\0\x20\0"
		       "0123"),
		  UND_PPP },
		{ LINK_PPP_HDLC,
		  HEAD("\x8f\0\x20\0"
		       "0123"),
		  UND_NONE },
		{ LINK_MPLS, HEAD(""), UND_LINK_SHORT },
		{ LINK_MPLS, HEAD("\0\1\1\x40"), UND_LINK_SHORT },
		{ LINK_MPLS, HEAD("\0\1\1"), UND_LINK_SHORT },
		{ LINK_MPLS, HEAD("\0\1\0\x40\0\1\1"), UND_LINK_SHORT },
		{ LINK_MPLS, HEAD("\0\1\1\x40\x50"), UND_ETHERTYPE_UNKNOWN },
		{ LINK_MPLS, HEAD("\0\1\1\x40\x30"), UND_ETHERTYPE_UNKNOWN },
		{ LINK_MPLS, HEAD("\0\1\1\x40\x70"), UND_ETHERTYPE_UNKNOWN },
		{ LINK_MPLS, HEAD("\0\1\1\x40\x40"), UND_IP4_SHORT },
		{ LINK_NFLOG, HEAD("\2\0\0"), UND_LINK_SHORT },
		{ LINK_NFLOG, HEAD("\2\0\0\5\4\0\x09"), UND_LINK_SHORT },
		{ LINK_NFLOG, HEAD("\2\0\0\5\5\0\x09\0\x45"), UND_IP4_SHORT },
		{ LINK_NFLOG, HEAD("\2\0\0\5\4\0\x0a\0\5\0\x09\0\x45"), UND_IP4_SHORT },
		{ LINK_NFLOG, HEAD("\2\0\0\5\5\0\x0a\0....\5\0\x09\x80\x45"), UND_IP4_SHORT },
		{ LINK_NFLOG, HEAD("\2\0\0\5\4\0\x09\0"), UND_IP4_SHORT },
		{ LINK_NFLOG, HEAD("\2\0\0\5\6\0\x09\0\x45"), UND_LINK_SHORT },
		{ LINK_PPI, HEAD("\0\0\x08\0\x65\0\0"), UND_LINK_SHORT },
		{ LINK_PPI, HEAD("\0\0\x09\0\x65\0\0\0"), UND_LINK_SHORT },
		{ LINK_PPI, HEAD("\0\0\x09\0\x32\0\0\0.\xc0\x21\1\1\0\4"), UND_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool upkeep;

		decode_frame(NULL, rows[i].link, (const uint8_t *)rows[i].b, (uint32_t)rows[i].n,
			     (uint32_t)rows[i].n, 0, &facts);
		upkeep = facts_has(&facts, PROTO_LINK_CONTROL);
		if (facts.reason != rows[i].reason || upkeep != (rows[i].reason == UND_NONE))
			fail_msg("row %zu: %s", i, undecodable_name(facts.reason));
	}
}

/* Eight labels are read, and six headers of these kinds in one frame. */
static void depths_at_their_limits(void **state)
{
	(void)state;
	for (unsigned depth = 1; depth <= 10; depth++) {
		struct frame f = { .n = 0 };

		for (unsigned i = 1; i < depth; i++)
			put(&f, "\0\1\0\x40", 4);
		put(&f, "\0\1\1\x40", 4);
		put_dns(&f, false);
		decode_frame(NULL, LINK_MPLS, f.b, (uint32_t)f.n, (uint32_t)f.n, 0, &facts);
		assert_int_equal(facts.reason, depth > 8 ? UND_LINK_DEPTH : UND_NONE);
		assert_int_equal(facts.n_layers, depth > 8 ? 0 : 1);
	}
	for (unsigned depth = 1; depth <= 8; depth++) {
		struct frame f = { .n = 0 };

		put_ip4(&f, 47, 4 + 12 * (size_t)depth + 88, 1, 0);
		put(&f, "\0\0\x81\0", 4);
		for (unsigned i = 1; i <= depth; i++)
			put(&f,
			    i < depth ? "\0\1\5\xdc\xaa\xaa\3\0\0\0\x81\0"
				      : "\0\1\5\xdc\xaa\xaa\3\0\0\0\x08\0",
			    12);
		put_dns(&f, false);
		decode_frame(NULL, LINK_RAW, f.b, (uint32_t)f.n, (uint32_t)f.n, 0, &facts);
		assert_int_equal(facts.reason, depth > 6 ? UND_LINK_DEPTH : UND_NONE);
		assert_int_equal(facts.n_layers, depth > 6 ? 1 : 2);
	}
}

/* Where the capture cut the packet, lengths are compared with what was on the wire. */
static void lengths_on_the_wire(void **state)
{
	static const struct {
		uint32_t link;
		const char *b;
		size_t n;
	} rows[] = {
		{ LINK_ETHERNET, HEAD(ETH "\x88\x8e\2\3\0\x10") },
		{ LINK_ETHERNET, HEAD(ETH "\x88\x63\x11\x09\0\0\0\x0e") },
		{ LINK_PPP, HEAD("\xc0\x21\1\1\0\x14") },
		{ LINK_PPP_ETHER, HEAD("\x11\0\0\1\0\x14\xc0\x21\1\1\0\4") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t whole = (uint32_t)rows[i].n + (i == 1 ? 14 : i == 3 ? 14 : 16);

		for (uint32_t wire = whole - 1; wire <= whole + 1; wire++) {
			decode_frame(NULL, rows[i].link, (const uint8_t *)rows[i].b,
				     (uint32_t)rows[i].n, wire, 0, &facts);
			assert_int_equal(facts_has(&facts, PROTO_LINK_CONTROL), wire >= whole);
		}
	}
}

/* SNAP, a tag, LLC, SNAP, a tag, ...: each header is short, so that a frame could hold thousands. */
static void headers_without_end_end(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_ethernet(&f, 0x8100);
	put16(&f, 1);
	while (f.n < 4000)
		put(&f, "\x05\xdc\xaa\xaa\3\0\0\0\x81\0\0\1", 12);
	decode_frame(NULL, LINK_ETHERNET, f.b, (uint32_t)f.n, (uint32_t)f.n, 0, &facts);
	assert_true(facts.reason == UND_VLAN_DEPTH || facts.reason == UND_LINK_DEPTH);
	assert_int_equal(facts.n_vlans, FACTS_VLANS);
	f.n = 0; /* without tags, which have a bound of their own */
	put_ethernet(&f, 0x880b);
	put16(&f, 0x0281);
	for (int i = 0; i < 20; i++)
		put(&f, "\0\1\0\x40", 4);
	decode_frame(NULL, LINK_ETHERNET, f.b, (uint32_t)f.n, (uint32_t)f.n, 0, &facts);
	assert_int_equal(facts.reason, UND_LINK_DEPTH);
}

/* A line for people names what a frame has, and no ethertype where the link is not known. */
static void frames_without_ip_are_described(void **state)
{
	static const uint8_t frame[60] = { [12] = 0x89, [13] = 0x03 };
	char line[FACTS_LINE];

	(void)state;
	decode_frame(NULL, LINK_ETHERNET, frame, sizeof(frame), sizeof(frame), 0, &facts);
	assert_string_equal(facts_describe(&facts, line, sizeof(line)),
			    "frame of 60 bytes, link type 1, ethertype 0x8903 (ethertype-unknown)");
	decode_frame(NULL, 105, frame, sizeof(frame), sizeof(frame), 0, &facts);
	assert_string_equal(facts_describe(&facts, line, sizeof(line)),
			    "frame of 60 bytes, link type 105 (link-type-unknown)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_packet_is_found),
		cmocka_unit_test(pppoe_sessions_are_entered),
		cmocka_unit_test(neighbours_are_recognised),
		cmocka_unit_test(others_under_their_types_are_not),
		cmocka_unit_test(eapol_shapes),
		cmocka_unit_test(lldp_shapes),
		cmocka_unit_test(slow_shapes),
		cmocka_unit_test(discovery_of_pppoe),
		cmocka_unit_test(loopback_tests),
		cmocka_unit_test(llc_headers),
		cmocka_unit_test(llc_ends_before_the_padding),
		cmocka_unit_test(control_of_ppp),
		cmocka_unit_test(short_links),
		cmocka_unit_test(depths_at_their_limits),
		cmocka_unit_test(lengths_on_the_wire),
		cmocka_unit_test(headers_without_end_end),
		cmocka_unit_test(frames_without_ip_are_described),
	};

	return cmocka_run_group_tests_name("packet_link", tests, NULL, NULL);
}
