/* SPDX-License-Identifier: MIT */
/* Link headers, IP with options, extension headers and fragments, tunnels, ICMP quotes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/frames.h"
#include "packet/with_decoder.h"

static struct facts facts;

static void decode_exact(struct decoder *d, const struct frame *f, uint32_t link)
{
	decode_frame(d, link, exact(f->b, f->n), (uint32_t)f->n, (uint32_t)f->n, 1000, &facts);
}

static void assert_addr(const struct ipaddr *a, const char *text)
{
	char buf[IPADDR_TEXT];

	assert_string_equal(ipaddr_format(a, buf, sizeof(buf)), text);
}

static void begin6(struct frame *f, unsigned next, size_t payload)
{
	f->n = 0;
	put_ip6(f, next, payload);
}

static void a_plain_v4_header_is_read(void **state)
{
	struct frame f;

	(void)state;
	build(&f, UDP4, 40000, 53, p_dns_query);
	decode_exact(NULL, &f, LINK_ETHERNET);
	assert_int_equal(facts.ethertype, 0x0800);
	assert_true(facts.has_macs);
	assert_int_equal(facts.src_mac[5], 2);
	assert_int_equal(facts.dst_mac[5], 1);
	assert_int_equal(facts.layer[0].version, 4);
	assert_int_equal(facts.layer[0].ttl, 64);
	assert_int_equal(facts.layer[0].id, 0x3412);
	assert_true(facts.layer[0].dont_fragment);
	assert_int_equal(facts.layer[0].frag, FRAG_NONE);
	assert_int_equal(facts.layer[0].header_len, 20);
	assert_int_equal(facts.layer[0].total_len, f.n - 14);
	assert_int_equal(facts.layer[0].payload_len, f.n - 42);
	assert_int_equal(facts.layer[0].sport, 40000);
	assert_int_equal(facts.layer[0].dport, 53);
	assert_addr(&facts.layer[0].src, "10.77.0.3");
	assert_addr(&facts.layer[0].dst, "198.51.100.130");
	assert_int_equal(facts.reason, UND_NONE);
}

static void padding_of_short_frames_is_no_payload(void **state)
{
	struct frame f;

	(void)state;
	f.n = 0;
	put_ethernet(&f, 0x0800);
	put_ip4(&f, 17, 8 + 2, 1, 0);
	put_udp(&f, 1000, 2000, 2);
	put16(&f, 0xabcd);
	put_zero(&f, 60 - f.n);
	decode_exact(NULL, &f, LINK_ETHERNET);
	assert_int_equal(facts.layer[0].payload_len, 2);
	assert_int_equal(facts.reason, UND_NONE);
}

static void options_move_the_transport_header(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_ip4(&f, 17, 8, 1, 0);
	f.b[0] = 0x46;
	set16(&f, 2, 20 + 4 + 8);
	put32(&f, 0x94040000); /* router alert */
	put_udp(&f, 7, 9, 0);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.layer[0].header_len, 24);
	assert_int_equal(facts.layer[0].dport, 9);
}

static void damaged_v4_headers_are_named(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_ip4(&f, 17, 8, 1, 0);
	put_udp(&f, 7, 9, 0);
	f.b[0] = 0x44;
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_IP4_HEADER_LENGTH);
	assert_true(facts.undecodable);
	f.b[0] = 0x45;
	set16(&f, 2, 19);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_IP4_TOTAL_LENGTH);
	set16(&f, 2, 29);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_IP4_TOTAL_LENGTH);
	assert_int_equal(facts.layer[0].dport, 9); /* what is there is read all the same */
	set16(&f, 2, 28);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_NONE);
	set16(&f, 2, 0); /* offloaded beyond 64 KiB */
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_NONE);
	assert_int_equal(facts.layer[0].total_len, 28);
	f.b[0] = 0x4f;
	set16(&f, 2, 28);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_IP4_SHORT);
	f.b[0] = 0x75;
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_IP_VERSION);
	assert_int_equal(facts.n_layers, 0);
	f.b[0] = 0x45;
	f.b[9] = 200;
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_IPPROTO_UNKNOWN);
	assert_int_equal(facts.n_layers, 1);
}

static void udp_and_tcp_headers_are_checked(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_ip4(&f, 17, 8, 1, 0);
	put_udp(&f, 7, 9, 0);
	set16(&f, 24, 7);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_UDP_LENGTH);
	set16(&f, 24, 9);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_UDP_LENGTH);
	f.n = 0;
	put_ip4(&f, 6, 20, 1, 0);
	put_tcp(&f, 7, 9, 77, TCP_SYN);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_NONE);
	assert_int_equal(facts.layer[0].tcp_flags, TCP_SYN);
	assert_int_equal(facts.layer[0].seq, 77);
	f.b[32] = 0x40;
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_TCP_OFFSET);
	f.b[32] = 0x60;
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_TCP_OFFSET);
}

/* ---- IPv6 extension headers ---- */

static void no_extension_header(void **state)
{
	struct frame f;

	(void)state;
	begin6(&f, 6, 20);
	put_tcp(&f, 1, 2, 3, TCP_SYN);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.layer[0].header_len, 40);
	assert_int_equal(facts.layer[0].dport, 2);
}

static void one_extension_header_counts_whole(void **state)
{
	struct frame f;

	(void)state;
	begin6(&f, 0, 8 + 20);
	put(&f, "\6\0\1\4\0\0\0\0", 8); /* hop-by-hop, padded */
	put_tcp(&f, 1, 2, 3, TCP_SYN);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.layer[0].header_len, 48);
	assert_int_equal(facts.layer[0].proto, 6);
	assert_int_equal(facts.layer[0].sport, 1);
	assert_int_equal(facts.layer[0].dport, 2);
	assert_int_equal(facts.reason, UND_NONE);
}

static void several_extension_headers(void **state)
{
	struct frame f;

	(void)state;
	begin6(&f, 0, 8 + 16 + 24 + 12 + 8);
	put(&f, "\x2b\0\1\4\0\0\0\0", 8); /* hop-by-hop */
	put(&f, "\x3c\1\0\0", 4);	  /* routing, 16 bytes */
	put_zero(&f, 12);
	put(&f, "\x33\2", 2); /* destination options, 24 bytes */
	put_zero(&f, 22);
	put(&f, "\x11\1", 2); /* AH counts in words: (1 + 2) * 4 */
	put_zero(&f, 10);
	put_udp(&f, 5, 6, 0);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.layer[0].header_len, 40 + 60);
	assert_int_equal(facts.layer[0].proto, 17);
	assert_int_equal(facts.layer[0].dport, 6);
	for (size_t n = 40; n < 40 + 60; n++) { /* cut inside the chain */
		struct frame cut = f;

		cut.n = n;
		set16(&cut, 4, n - 40);
		decode_exact(NULL, &cut, LINK_RAW);
		assert_int_equal(facts.reason, UND_IP6_EXTENSION_SHORT);
		assert_true((facts.reasons & (facts.reasons - 1)) == 0);
		assert_false(facts.layer[0].has_ports);
	}
}

static void a_chain_without_end_is_given_up(void **state)
{
	struct frame f;

	(void)state;
	begin6(&f, 60, 200);
	for (int i = 0; i < 25; i++)
		put(&f, "\x3c\0\1\4\0\0\0\0", 8);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_IP6_EXTENSION_DEPTH);
}

static void no_next_header_is_fine(void **state)
{
	struct frame f;

	(void)state;
	begin6(&f, 59, 4);
	put32(&f, 0);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_NONE);
	begin6(&f, 60, 8); /* nor behind an extension header that ends the packet */
	put(&f, "\x3b\0\1\4\0\0\0\0", 8);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_NONE);
	assert_int_equal(facts.layer[0].proto, 59);
}

/* ---- Fragments ---- */

static void put_fragment4(struct frame *f, const struct frame *whole, size_t from, size_t n,
			  bool more)
{
	f->n = 0;
	put_ip4(f, 17, n, 0x77, (unsigned)(from / 8) | (more ? 0x2000 : 0));
	put(f, whole->b + from, n);
}

static void dns_datagram(struct frame *whole)
{
	struct frame p = { .n = 0 };

	p_dns_query(&p);
	whole->n = 0;
	put_udp(whole, 40000, 53, p.n);
	put(whole, p.b, p.n);
}

static void fragments_become_whole_in_any_order(void **state)
{
	struct frame whole, f;

	dns_datagram(&whole);
	for (int reverse = 0; reverse < 2; reverse++) {
		decoder_reset(*state);
		for (size_t i = 0; i < 3; i++) {
			size_t k = reverse ? 2 - i : i;
			size_t end = k == 2 ? whole.n : (k + 1) * 16;

			put_fragment4(&f, &whole, k * 16, end - k * 16, k != 2);
			decode_exact(*state, &f, LINK_RAW);
			assert_int_equal(facts.layer[0].frag, k ? FRAG_LATER : FRAG_FIRST);
			assert_int_equal(facts.reassembled, i == 2);
			assert_false(facts.undecodable);
		}
		assert_true(facts_has(&facts, PROTO_DNS));
		assert_string_equal(facts.dns.qname, "canary-7f3a.lab.test");
	}
}

static void later_fragments_get_the_ports_of_the_first(void **state)
{
	struct frame whole, f;

	decoder_reset(*state);
	dns_datagram(&whole);
	put_fragment4(&f, &whole, 0, 16, true);
	decode_exact(*state, &f, LINK_RAW);
	put_fragment4(&f, &whole, 32, 8, true);
	decode_exact(*state, &f, LINK_RAW);
	assert_true(facts.layer[0].ports_from_first);
	assert_int_equal(facts.layer[0].dport, 53);
	assert_true(facts_has_reason(&facts, UND_FRAGMENT_LATER));
	decode_exact(NULL, &f, LINK_RAW);
	assert_false(facts.layer[0].has_ports);
}

static void overlaps_are_flagged_and_repetitions_are_not(void **state)
{
	struct frame whole, f;

	decoder_reset(*state);
	dns_datagram(&whole);
	put_fragment4(&f, &whole, 0, 24, true);
	decode_exact(*state, &f, LINK_RAW);
	decode_exact(*state, &f, LINK_RAW);
	assert_false(facts_has_reason(&facts, UND_FRAGMENT_OVERLAP));
	put_fragment4(&f, &whole, 16, 16, true);
	decode_exact(*state, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_FRAGMENT_OVERLAP);
	assert_true(facts.undecodable);
}

/* The first fragment once more has its ports from itself, and zeros over what is not there yet are no repetition of it. */
static void repetitions_and_zeros(void **state)
{
	struct frame whole = { .n = 0 }, f;

	decoder_reset(*state);
	put_udp(&whole, 40000, 40001, 40);
	put_zero(&whole, 40);
	put_fragment4(&f, &whole, 0, 24, true);
	for (int i = 0; i < 2; i++) {
		decode_exact(*state, &f, LINK_RAW);
		assert_true(facts.layer[0].has_ports);
		assert_false(facts.layer[0].ports_from_first);
	}
	put_fragment4(&f, &whole, 16, 32, false); /* the first third of it was there */
	decode_exact(*state, &f, LINK_RAW);
	assert_true(facts_has_reason(&facts, UND_FRAGMENT_OVERLAP));
	assert_true(facts.reassembled);
}

static void a_fragment_beyond_64k_is_named(void **state)
{
	struct frame whole, f;

	(void)state;
	dns_datagram(&whole);
	put_fragment4(&f, &whole, 0, 16, false);
	set16(&f, 6, 0x1fff);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_IP4_FRAGMENT_RANGE);
}

/* Behind the fragment header stands another extension header: offsets count from it. */
static void v6_fragments_with_options_behind(void **state)
{
	struct frame whole = { .n = 0 }, p = { .n = 0 }, f;

	decoder_reset(*state);
	p_dns_query(&p);
	put(&whole, "\x11\0\1\4\0\0\0\0", 8);
	put_udp(&whole, 40000, 53, p.n);
	put(&whole, p.b, p.n);
	begin6(&f, 44, 8 + 24);
	put(&f, "\x3c\0\0\1\0\0\0\x99", 8);
	put(&f, whole.b, 24);
	decode_exact(*state, &f, LINK_RAW);
	assert_int_equal(facts.layer[0].frag, FRAG_FIRST);
	assert_int_equal(facts.layer[0].id, 0x99);
	assert_int_equal(facts.layer[0].dport, 53);
	begin6(&f, 44, 8 + whole.n - 24);
	put(&f, "\x3c\0\0\x18\0\0\0\x99", 8);
	put(&f, whole.b + 24, whole.n - 24);
	decode_exact(*state, &f, LINK_RAW);
	assert_true(facts.reassembled);
	assert_string_equal(facts.dns.qname, "canary-7f3a.lab.test");
	assert_int_equal(facts.layer[0].dport, 53);
}

/* ---- Tunnels ---- */

static void inner_dns(struct frame *f, bool v6)
{
	struct frame p = { .n = 0 };

	p_dns_query(&p);
	if (v6)
		put_ip6(f, 17, p.n + 8);
	else
		put_ip4(f, 17, p.n + 8, 9, 0);
	put_udp(f, 40000, 53, p.n);
	put(f, p.b, p.n);
}

static void check_tunnel(const struct frame *body, unsigned proto, bool outer6, enum encap encap)
{
	struct frame f = { .n = 0 };

	if (outer6)
		put_ip6(&f, proto, body->n);
	else
		put_ip4(&f, proto, body->n, 1, 0);
	put(&f, body->b, body->n);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_NONE);
	assert_int_equal(facts.n_layers, 2);
	assert_int_equal(facts.layer[1].encap, encap);
	assert_int_equal(facts_inner(&facts)->dport, 53);
	assert_int_equal(facts_outer(&facts)->proto, proto);
	assert_true(facts_has(&facts, PROTO_DNS));
	for (size_t n = 0; n < f.n; n++) { /* an inner packet that is not there must not be read */
		struct frame cut = f;

		cut.n = n;
		decode_exact(NULL, &cut, LINK_RAW);
		assert_true(facts.undecodable);
	}
}

static void tunnels_are_entered(void **state)
{
	struct frame b = { .n = 0 };

	(void)state;
	inner_dns(&b, false);
	check_tunnel(&b, 4, false, ENCAP_IPIP);
	check_tunnel(&b, 4, true, ENCAP_IPIP);
	b.n = 0;
	inner_dns(&b, true);
	check_tunnel(&b, 41, false, ENCAP_6IN4);
	b.n = 0;
	put(&b, "\0\0\x08\0", 4);
	inner_dns(&b, false);
	check_tunnel(&b, 47, false, ENCAP_GRE);
	b.n = 0;
	put(&b, "\xb0\0\x86\xdd\0\0\0\0kkkkssss", 16);
	inner_dns(&b, true);
	check_tunnel(&b, 47, true, ENCAP_GRE);
	b.n = 0;
	put(&b, "\0\0\x65\x58", 4);
	put_ethernet(&b, 0x0800);
	inner_dns(&b, false);
	check_tunnel(&b, 47, false, ENCAP_GRE);
}

static void vxlan_is_entered(void **state)
{
	struct frame b = { .n = 0 }, f = { .n = 0 };

	(void)state;
	put(&b, "\x08\0\0\0\0\0\x2a\0", 8);
	put_ethernet(&b, 0x8100);
	put(&b, "\0\7\x08\0", 4);
	inner_dns(&b, false);
	put_ip4(&f, 17, 8 + b.n, 1, 0);
	put_udp(&f, 40000, 4789, b.n);
	put(&f, b.b, b.n);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.n_layers, 2);
	assert_int_equal(facts.layer[1].encap, ENCAP_VXLAN);
	assert_true(facts_has(&facts, PROTO_DNS));
	assert_int_equal(facts.n_vlans, 0); /* the inner tag is not the frame's */
}

/* What GRE carries besides IP: PPP of PPTP, mirrored frames of three kinds, MPLS. */
static void gre_of_all_kinds(void **state)
{
	static const struct {
		const char *head;
		size_t n;
		bool ethernet;
	} rows[] = {
#define GRE(s, ethernet) { (s), sizeof(s) - 1, (ethernet) }
		GRE("\x30\x81\x88\x0b\0\x5c\0\7seq!ack!\xff\3\0\x21", false),
		GRE("\x20\x01\x88\x0b\0\x5a\0\7\0\x21", false),
		GRE("\0\0\x88\xbe", true),
		GRE("\x10\0\x88\xbe\0\0\0\1erspan-2", true),
		GRE("\x10\0\x22\xeb\0\0\0\1erspan-3...\0", true),
		GRE("\x10\0\x22\xeb\0\0\0\1erspan-3...\1platform", true),
		GRE("\0\0\x88\x47\0\1\1\x40", false),
		GRE("\0\0\x81\0\0\7\x08\0", false),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame b = { .n = 0 };

		put(&b, rows[i].head, rows[i].n);
		if (rows[i].ethernet)
			put_ethernet(&b, 0x0800);
		inner_dns(&b, false);
		check_tunnel(&b, 47, i & 1, ENCAP_GRE);
		assert_int_equal(facts.n_vlans, 0);
	}
}

/* An acknowledgment of PPTP holds no PPP and is no damage; routing and other versions are not read. */
static void gre_without_a_packet(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		enum undecodable reason;
	} rows[] = {
		{ "\x20\x81\x88\x0b\0\0\0\7ack!", 12, UND_NONE },
		{ "\x20\x81\x88\x0b\0\0\0\7ac", 10, UND_GRE_SHORT },
		{ "\x40\0\x08\0abcdefgh", 12, UND_GRE_UNKNOWN },
		{ "\0\2\x08\0abcdefgh", 12, UND_GRE_UNKNOWN },
		{ "\0\0\0\0abcdefgh", 12, UND_GRE_UNKNOWN },
		{ "\0\0\x88\xb5"
		  "abcdefgh",
		  12, UND_ETHERTYPE_UNKNOWN },
		{ "\x10\0\x22\xeb\0\0\0\1short", 13, UND_GRE_SHORT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame f = { .n = 0 };

		put_ip4(&f, 47, rows[i].n, 1, 0);
		put(&f, rows[i].b, rows[i].n);
		decode_exact(NULL, &f, LINK_RAW);
		assert_int_equal(facts.reason, rows[i].reason);
		assert_int_equal(facts.n_layers, 1);
	}
}

struct udp_tunnel {
	unsigned port;
	const char *head;
	size_t n;
	bool ethernet, v6;
	enum encap encap;
};

static void put_udp_tunnel(struct frame *f, const struct udp_tunnel *t)
{
	struct frame b = { .n = 0 };

	put(&b, t->head, t->n);
	if (t->ethernet)
		put_ethernet(&b, t->v6 ? 0x86dd : 0x0800);
	inner_dns(&b, t->v6);
	if (t->encap == ENCAP_GTPU)
		set16(&b, 2, b.n - 8);
	f->n = 0;
	put_ip4(f, 17, 8 + b.n, 1, 0);
	put_udp(f, 40000, t->port, b.n);
	put(f, b.b, b.n);
}

#define HEAD(s) (s), sizeof(s) - 1

static void udp_tunnels_are_entered(void **state)
{
	static const struct udp_tunnel rows[] = {
		{ 4789, HEAD("\x88\0\1\2\0\0\x2a\0"), true, false, ENCAP_VXLAN }, /* a policy */
		{ 6081, HEAD("\0\0\x65\x58\0\0\x2a\0"), true, true, ENCAP_GENEVE },
		{ 6081, HEAD("\2\x80\x08\0\0\0\x2a\0optionss"), false, false, ENCAP_GENEVE },
		{ 1701, HEAD("\0\2\0\1\0\2\xff\3\0\x21"), false, false, ENCAP_L2TP },
		{ 1701, HEAD("\x4a\2\0\x60\0\1\0\2NsNr\0\2pp\0\x21"), false, false, ENCAP_L2TP },
		{ 3544, HEAD(""), false, true, ENCAP_TEREDO },
		{ 2152, HEAD("\x30\xff\0\0\0\0\0\1"), false, false, ENCAP_GTPU },
		{ 2152, HEAD("\x34\xff\0\0\0\0\0\1\0\0\0\x85\1\x10\5\x85\1\x10\5\0"), false, false,
		  ENCAP_GTPU },
	};
	struct frame f;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_udp_tunnel(&f, &rows[i]);
		decode_exact(NULL, &f, LINK_RAW);
		if (facts.n_layers != 2 || facts.reason != UND_NONE)
			fail_msg("row %zu: %s", i, undecodable_name(facts.reason));
		assert_int_equal(facts.layer[1].encap, rows[i].encap);
		assert_int_equal(facts.layer[1].version, rows[i].v6 ? 6 : 4);
		assert_true(facts_has(&facts, PROTO_DNS));
		for (size_t n = 0; n < f.n; n++) {
			struct frame cut = f;

			cut.n = n;
			decode_exact(NULL, &cut, LINK_RAW);
			assert_true(facts.undecodable);
		}
	}
}

/* Teredo's two headers before the packet: authentication with a client of 1 and a value of 2 bytes, origin. */
static void teredo_with_its_headers(void **state)
{
	static const struct udp_tunnel t = { 3544,
					     HEAD("\0\1\1\2cvvnonce...\0"
						  "\0\0\1\2abcd"),
					     false, true, ENCAP_TEREDO };
	struct frame f;

	(void)state;
	put_udp_tunnel(&f, &t);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.n_layers, 2);
	assert_int_equal(facts.layer[1].encap, ENCAP_TEREDO);
	assert_true(facts_has(&facts, PROTO_DNS));
}

/* Control messages, other versions, chains that lie: a datagram like any other. */
static void other_payloads_on_their_ports(void **state)
{
	static const struct udp_tunnel rows[] = {
		{ 4789, HEAD("\0\0\0\0\0\0\x2a\0"), true, false, ENCAP_VXLAN },
		{ 6081, HEAD("\x40\0\x65\x58\0\0\x2a\0"), true, false, ENCAP_GENEVE },
		{ 6081, HEAD("\0\0\x65\x58\0\0\x2a\1"), true, false, ENCAP_GENEVE },
		{ 6081, HEAD("\x3f\0\x65\x58\0\0\x2a\0"), true, false, ENCAP_GENEVE },
		{ 1701, HEAD("\xc0\2\0\1\0\2\xff\3\0\x21"), false, false, ENCAP_L2TP },
		{ 1701, HEAD("\0\3\0\1\0\2\xff\3\0\x21"), false, false, ENCAP_L2TP },
		{ 1701, HEAD("\2\2\0\1\0\2\7\0\0\x21"), false, false, ENCAP_L2TP },
		{ 3544, HEAD("x"), false, true, ENCAP_TEREDO },
		{ 2152, HEAD("\x34\xff\0\0\0\0\0\1\0\0\0\x85\0\0\0\0"), false, false, ENCAP_GTPU },
		{ 2152, HEAD("\x30\xfe\0\0\0\0\0\1"), false, false, ENCAP_GTPU },
	};
	struct frame f;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_udp_tunnel(&f, &rows[i]);
		decode_exact(NULL, &f, LINK_RAW);
		if (facts.n_layers != 1)
			fail_msg("row %zu", i);
		assert_false(facts_has(&facts, PROTO_DNS));
	}
}

static void tunnels_in_tunnels_end(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	for (int i = 0; i < 6; i++)
		put_ip4(&f, 4, (size_t)(5 - i) * 20, 1, 0);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.n_layers, FACTS_LAYERS);
	assert_int_equal(facts.reason, UND_TUNNEL_DEPTH);
}

static void an_empty_tunnel_is_named(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_ip4(&f, 4, 0, 1, 0);
	decode_exact(NULL, &f, LINK_RAW);
	assert_true(facts.undecodable);
	assert_int_equal(facts.n_layers, 1);
}

/* ---- ICMP ---- */

static void a_quote_is_not_a_sent_packet(void **state)
{
	struct frame q = { .n = 0 }, f = { .n = 0 };

	(void)state;
	inner_dns(&q, false);
	put_ip4(&f, 1, 8 + q.n, 1, 0);
	put(&f, "\3\3\0\0\0\0\0\0", 8);
	put(&f, q.b, q.n);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.n_layers, 1);
	assert_int_equal(facts.layer[0].icmp_type, 3);
	assert_true(facts.has_quoted);
	assert_int_equal(facts.quoted.dport, 53);
	assert_false(facts_has(&facts, PROTO_UDP));
	assert_false(facts_has(&facts, PROTO_DNS));
	assert_int_equal(facts.reason, UND_NONE);
}

/* A quote of the 28 bytes that RFC 792 asks for has ports, and is not called damaged. */
static void a_short_quote_has_ports(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_ip4(&f, 1, 8 + 28, 1, 0);
	put(&f, "\x0b\0\0\0\0\0\0\0", 8);
	put_ip4(&f, 6, 20, 1, 0);
	put16(&f, 6881);
	put16(&f, 80);
	put32(&f, 5);
	decode_exact(NULL, &f, LINK_RAW);
	assert_true(facts.has_quoted);
	assert_true(facts.quoted.has_ports);
	assert_int_equal(facts.quoted.sport, 6881);
	assert_false(facts.undecodable);
}

static void icmp6_errors_and_echo(void **state)
{
	struct frame q = { .n = 0 }, f = { .n = 0 };

	(void)state;
	inner_dns(&q, true);
	put_ip6(&f, 58, 8 + q.n);
	put(&f, "\2\0\0\0\0\0\5\0", 8);
	put(&f, q.b, q.n);
	decode_exact(NULL, &f, LINK_RAW);
	assert_true(facts.has_quoted);
	assert_int_equal(facts.quoted.version, 6);
	f.n = 0;
	put_ip6(&f, 58, 12);
	put(&f, "\x80\0\0\0\x12\x34\0\7abcd", 12);
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.layer[0].icmp_id, 0x1234);
	assert_int_equal(facts.layer[0].icmp_seq, 7);
	assert_int_equal(facts.layer[0].payload_len, 4);
	assert_false(facts.has_quoted);
}

static void neighbour_discovery_is_read(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_ip6(&f, 58, 16 + 8 + 32 + 24);
	put(&f, "\x86\0\0\0\x40\0\7\x08\0\0\0\0\0\0\0\0", 16); /* RA, 1800 s */
	put(&f, "\1\1\2\0\0\0\0\1", 8);
	put(&f, "\3\4\x40\xc0\0\0\0\x1e\0\0\0\x0f\0\0\0\0", 16);
	put(&f, SRC6, 16);
	put(&f, "\x19\3\0\0\0\0\0\x1e", 8);
	put(&f, DST6, 16);
	decode_exact(NULL, &f, LINK_RAW);
	assert_true(facts_has(&facts, PROTO_ND));
	assert_int_equal(facts.nd.type, 134);
	assert_int_equal(facts.nd.router_lifetime, 1800);
	assert_true(facts.nd.has_prefix);
	assert_int_equal(facts.nd.prefix_len, 64);
	assert_addr(&facts.nd.prefix, "2001:db8:1::10");
	assert_addr(&facts.nd.dns, "2001:db8:2::130");
	assert_int_equal(facts.nd.lladdr[5], 1);
	f.b[40 + 16 + 1] = 0; /* an option of length 0 would never end */
	decode_exact(NULL, &f, LINK_RAW);
	assert_int_equal(facts.reason, UND_ND_OPTION);
}

/* ---- Links ---- */

static void vlan_tags_are_stepped_over(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_ethernet(&f, 0x88a8);
	put(&f, "\0\x64\x81\0\x20\x05\x08\0", 8);
	inner_dns(&f, false);
	decode_exact(NULL, &f, LINK_ETHERNET);
	assert_int_equal(facts.n_vlans, 2);
	assert_int_equal(facts.vlan[0], 100);
	assert_int_equal(facts.vlan[1], 5);
	assert_int_equal(facts.ethertype, 0x0800);
	assert_true(facts_has(&facts, PROTO_DNS));
	f.n = 0;
	put_ethernet(&f, 0x8100);
	for (int i = 0; i < 6; i++)
		put(&f, "\0\1\x81\0", 4);
	decode_exact(NULL, &f, LINK_ETHERNET);
	assert_int_equal(facts.reason, UND_VLAN_DEPTH);
}

static void unknown_types_have_a_reason(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_ethernet(&f, 0x88cc);
	put_zero(&f, 46);
	decode_exact(NULL, &f, LINK_ETHERNET);
	assert_int_equal(facts.reason, UND_ETHERTYPE_UNKNOWN);
	assert_true(facts.undecodable);
	set16(&f, 12, 46);
	decode_exact(NULL, &f, LINK_ETHERNET);
	assert_int_equal(facts.reason, UND_LLC);
	decode_exact(NULL, &f, 105);
	assert_int_equal(facts.reason, UND_LINKTYPE_UNKNOWN);
}

static void cooked_and_loopback_links(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put(&f, "\0\4\0\1\0\6\2\0\0\0\0\7\0\0\x08\0", 16);
	inner_dns(&f, false);
	decode_exact(NULL, &f, LINK_SLL);
	assert_int_equal(facts.sll_type, 4);
	assert_int_equal(facts.src_mac[5], 7);
	assert_true(facts_has(&facts, PROTO_DNS));
	f.n = 0;
	put(&f, "\x86\xdd\0\0\0\0\0\x03\0\1\0\6\2\0\0\0\0\x08\0\0", 20);
	inner_dns(&f, true);
	decode_exact(NULL, &f, LINK_SLL2);
	assert_int_equal(facts.ifindex, 3);
	assert_int_equal(facts.sll_type, 0);
	assert_true(facts_has(&facts, PROTO_DNS));
	f.n = 0;
	put(&f, "\2\0\0\0", 4);
	inner_dns(&f, false);
	decode_exact(NULL, &f, LINK_NULL);
	assert_true(facts_has(&facts, PROTO_DNS));
	f.n = 0;
	put(&f, "\0\0\0\x1e", 4);
	inner_dns(&f, true);
	decode_exact(NULL, &f, LINK_LOOP);
	assert_true(facts_has(&facts, PROTO_DNS));
}

static void arp_is_read(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_ethernet(&f, 0x0806);
	put(&f, "\0\1\x08\0\6\4\0\2\2\0\0\0\0\x55\x0a\x40\0\2\2\0\0\0\0\1\x0a\x4d\0\1", 28);
	decode_exact(NULL, &f, LINK_ETHERNET);
	assert_true(facts_has(&facts, PROTO_ARP));
	assert_int_equal(facts.arp.op, 2);
	assert_int_equal(facts.arp.sender_mac[5], 0x55);
	assert_addr(&facts.arp.sender, "10.64.0.2");
	assert_addr(&facts.arp.target, "10.77.0.1");
	f.n--;
	decode_exact(NULL, &f, LINK_ETHERNET);
	assert_int_equal(facts.reason, UND_ARP_SHORT);
	f.n++;
	f.b[15] = 6;
	decode_exact(NULL, &f, LINK_ETHERNET);
	assert_int_equal(facts.reason, UND_ARP_HARDWARE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_v4_header_is_read),
		cmocka_unit_test(padding_of_short_frames_is_no_payload),
		cmocka_unit_test(options_move_the_transport_header),
		cmocka_unit_test(damaged_v4_headers_are_named),
		cmocka_unit_test(udp_and_tcp_headers_are_checked),
		cmocka_unit_test(no_extension_header),
		cmocka_unit_test(one_extension_header_counts_whole),
		cmocka_unit_test(several_extension_headers),
		cmocka_unit_test(a_chain_without_end_is_given_up),
		cmocka_unit_test(no_next_header_is_fine),
		cmocka_unit_test(fragments_become_whole_in_any_order),
		cmocka_unit_test(later_fragments_get_the_ports_of_the_first),
		cmocka_unit_test(overlaps_are_flagged_and_repetitions_are_not),
		cmocka_unit_test(repetitions_and_zeros),
		cmocka_unit_test(a_fragment_beyond_64k_is_named),
		cmocka_unit_test(v6_fragments_with_options_behind),
		cmocka_unit_test(tunnels_are_entered),
		cmocka_unit_test(vxlan_is_entered),
		cmocka_unit_test(gre_of_all_kinds),
		cmocka_unit_test(gre_without_a_packet),
		cmocka_unit_test(udp_tunnels_are_entered),
		cmocka_unit_test(teredo_with_its_headers),
		cmocka_unit_test(other_payloads_on_their_ports),
		cmocka_unit_test(tunnels_in_tunnels_end),
		cmocka_unit_test(an_empty_tunnel_is_named),
		cmocka_unit_test(a_quote_is_not_a_sent_packet),
		cmocka_unit_test(a_short_quote_has_ports),
		cmocka_unit_test(icmp6_errors_and_echo),
		cmocka_unit_test(neighbour_discovery_is_read),
		cmocka_unit_test(vlan_tags_are_stepped_over),
		cmocka_unit_test(unknown_types_have_a_reason),
		cmocka_unit_test(cooked_and_loopback_links),
		cmocka_unit_test(arp_is_read),
	};

	return cmocka_run_group_tests_name("packet_ip", tests, decoder_setup, decoder_teardown);
}
