/* SPDX-License-Identifier: MIT */
/* Links other than Ethernet, what stands between an ethertype and IP, and what neighbours on a link tell each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/frames.h"

static struct facts facts;

/* From an exact-size block; and every shorter one must be read without a byte beyond it, and be named. */
static void decode_cut(const struct frame *f, uint32_t link)
{
	for (size_t n = 0; n <= f->n; n++) {
		uint8_t *exact = malloc(n ? n : 1);

		memcpy(exact, f->b, n);
		decode_frame(NULL, link, exact, (uint32_t)n, (uint32_t)f->n, 1000, &facts);
		if (n < f->n && facts.n_layers == 0)
			assert_int_not_equal(facts.reason, UND_NONE);
		free(exact);
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
		cmocka_unit_test(headers_without_end_end),
		cmocka_unit_test(frames_without_ip_are_described),
	};

	return cmocka_run_group_tests_name("packet_link", tests, NULL, NULL);
}
