/* SPDX-License-Identifier: MIT */
/* IP headers at their limits, and what stands behind them: TCP, SCTP, ICMP and its quotes, GRE, AH. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/frames.h"

static struct facts facts;

static enum undecodable raw(const struct frame *f)
{
	return decode_frame(NULL, LINK_RAW, f->b, (uint32_t)f->n, (uint32_t)f->n, 1000, &facts);
}

/* One IPv4 packet: what is behind the header, and its protocol. */
static enum undecodable raw4(unsigned proto, const void *body, size_t n)
{
	struct frame f = { .n = 0 };

	put_ip4(&f, proto, n, 1, 0);
	put(&f, body, n);
	return raw(&f);
}

static enum undecodable raw6(unsigned next, const void *body, size_t n)
{
	struct frame f = { .n = 0 };

	put_ip6(&f, next, n);
	put(&f, body, n);
	return raw(&f);
}

/* ---- IPv4 ---- */

static void v4_lengths_at_their_limits(void **state)
{
	static const struct {
		uint8_t first; /* version and header length */
		unsigned total;
		enum undecodable reason;
	} rows[] = {
		{ 0x45, 28, UND_NONE },
		{ 0x45, 29, UND_IP4_TOTAL_LENGTH },
		{ 0x45, 20, UND_UDP_SHORT },
		{ 0x45, 19, UND_IP4_TOTAL_LENGTH },
		{ 0x44, 28, UND_IP4_HEADER_LENGTH },
		{ 0x47, 28, UND_UDP_SHORT },
		{ 0x47, 27, UND_IP4_TOTAL_LENGTH },
		{ 0x48, 28, UND_IP4_SHORT },
	};
	struct frame f = { .n = 0 };

	(void)state;
	put_ip4(&f, 17, 8, 1, 0);
	put_udp(&f, 7, 9, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f.b[0] = rows[i].first;
		set16(&f, 2, rows[i].total);
		if (raw(&f) != rows[i].reason)
			fail_msg("row %zu: %s", i,
				 undecodable_name((enum undecodable)facts.reason));
		assert_int_equal(facts.n_layers, 1);
	}
	f.b[0] = 0x45;
	for (size_t n = 0; n < 20; n++) {
		f.n = n;
		assert_int_equal(raw(&f), UND_IP4_SHORT);
		assert_int_equal(facts.n_layers, 0);
	}
}

static enum undecodable fragment_at(unsigned offset, bool more, size_t n)
{
	struct frame f = { .n = 0 };

	put_ip4(&f, 17, n, 1, offset / 8 | (more ? 0x2000 : 0));
	put_zero(&f, n);
	return raw(&f);
}

/* No datagram is longer than 65535 bytes: a fragment that would make it so is an attack, or damage. */
static void v4_fragments_end_within_64k(void **state)
{
	(void)state;
	assert_int_equal(fragment_at(65528, false, 7), UND_FRAGMENT_LATER);
	assert_int_equal(facts.layer[0].frag_offset, 65528);
	assert_int_equal(fragment_at(65528, false, 8), UND_IP4_FRAGMENT_RANGE);
	assert_int_equal(fragment_at(65528, true, 8), UND_IP4_FRAGMENT_RANGE);
	assert_int_equal(fragment_at(8, true, 8), UND_FRAGMENT_LATER);
	assert_true(facts.layer[0].frag_more);
	assert_int_equal(facts.layer[0].frag, FRAG_LATER);
	assert_int_equal(facts.layer[0].payload_len, 8);
	assert_int_equal(facts.layer[0].payload_wire, 8);
}

/* Segmentation offload leaves the length 0 where it is beyond 64 KiB. That is one packet, and no fragment. */
static void v4_offloaded_beyond_64k(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_ip4(&f, 6, 20, 1, 0);
	set16(&f, 2, 0);
	put_tcp(&f, 1, 2, 3, TCP_ACK);
	(void)decode_frame(NULL, LINK_RAW, f.b, (uint32_t)f.n, 70000, 1000, &facts);
	assert_int_equal(facts.reason, UND_CAPTURE_CUT);
	assert_int_equal(facts.layer[0].total_len, 70000);
	assert_int_equal(facts.layer[0].payload_wire, 70000 - 40);
	assert_false(facts.layer[0].dont_fragment);
}

static void a_first_fragment_has_no_damage_of_its_end(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_ip4(&f, 17, 16, 1, 0x2000);
	put_udp(&f, 40000, 53, 100); /* DNS that ends after 8 bytes: the rest follows */
	put(&f, "\1\2\1\0\0\1\0\0", 8);
	assert_int_equal(raw(&f), UND_NONE);
	assert_int_equal(facts.layer[0].dport, 53);
	f.n = 0; /* a header that is wrong stays wrong */
	put_ip4(&f, 6, 24, 1, 0x2000);
	put_tcp(&f, 1, 2, 3, TCP_ACK);
	put_zero(&f, 4);
	f.b[32] = 0x40;
	assert_int_equal(raw(&f), UND_TCP_OFFSET);
	assert_true(facts.undecodable);
}

/* ---- IPv6 ---- */

static void v6_lengths_at_their_limits(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_ip6(&f, 17, 8);
	put_udp(&f, 7, 9, 0);
	assert_int_equal(raw(&f), UND_NONE);
	set16(&f, 4, 9);
	assert_int_equal(raw(&f), UND_IP6_SHORT);
	assert_int_equal(facts.layer[0].dport, 9); /* what is there is read all the same */
	set16(&f, 4, 7);
	assert_int_equal(raw(&f), UND_UDP_SHORT);
	set16(&f, 4, 0); /* jumbogram, or offloaded: the frame's length counts */
	assert_int_equal(raw(&f), UND_NONE);
	assert_int_equal(facts.layer[0].total_len, 48);
	for (size_t n = 1; n < 40; n++) {
		f.n = n;
		assert_int_equal(raw(&f), UND_IP6_SHORT);
		assert_int_equal(facts.n_layers, 0);
	}
}

static void padding_behind_v6_is_no_payload(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_ip6(&f, 59, 4);
	put_zero(&f, 20);
	assert_int_equal(raw(&f), UND_NONE);
	assert_int_equal(facts.layer[0].payload_len, 4);
	assert_int_equal(facts.layer[0].payload_wire, 4);
}

static void chains_are_bounded(void **state)
{
	struct frame f;

	(void)state;
	for (size_t n = 1; n <= 17; n++) {
		f.n = 0;
		put_ip6(&f, 60, n * 8 + 8);
		for (size_t i = 0; i < n; i++)
			put(&f, i + 1 < n ? "\x3c\0\1\4\0\0\0\0" : "\x11\0\1\4\0\0\0\0", 8);
		put_udp(&f, 7, 9, 0);
		assert_int_equal(raw(&f), n <= 16 ? UND_NONE : UND_IP6_EXTENSION_DEPTH);
		assert_int_equal(facts.layer[0].has_ports, n <= 16);
		assert_true((facts.reasons & (facts.reasons - 1)) == 0); /* and it ends there */
	}
}

/* RFC 8200 4.2 and the registry: every extension header is walked over, and nothing else is. */
static void every_extension_is_one(void **state)
{
	static const uint8_t kinds[] = { 0, 43, 60, 135, 139, 140 };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds); i++) {
		assert_int_equal(raw6(kinds[i], "\x11\0\1\4\0\0\0\0\0\7\0\x09\0\x08\0\0", 16),
				 UND_NONE);
		assert_int_equal(facts.layer[0].dport, 9);
		assert_int_equal(facts.layer[0].header_len, 48);
	}
	/* AH counts in words of four bytes, and two less; a fragment header is 8 bytes whatever its second byte */
	assert_int_equal(raw6(51, "\x11\1\0\0\0\0\0\0\0\0\0\0\0\7\0\x09\0\x08\0\0", 20), UND_NONE);
	assert_int_equal(facts.layer[0].header_len, 52);
	assert_int_equal(facts.layer[0].dport, 9);
	assert_int_equal(raw6(44, "\x11\xff\0\0\0\0\0\1\0\7\0\x09\0\x08\0\0", 16), UND_NONE);
	assert_int_equal(facts.layer[0].header_len, 48);
	assert_int_equal(facts.layer[0].id, 1);
	assert_int_equal(facts.layer[0].frag, FRAG_NONE); /* RFC 6946: an atomic fragment */
	assert_int_equal(raw6(141, "\x11\0\1\4\0\0\0\0\0\7\0\x09\0\x08\0\0", 16),
			 UND_IPPROTO_UNKNOWN);
}

static enum undecodable fragment6_at(unsigned offset, bool more, size_t n)
{
	struct frame f = { .n = 0 };

	put_ip6(&f, 44, 8 + n);
	put16(&f, 17 << 8);
	put16(&f, offset | more);
	put32(&f, 9);
	put_zero(&f, n);
	return raw(&f);
}

static void v6_fragments_end_within_64k(void **state)
{
	(void)state;
	assert_int_equal(fragment6_at(65528, false, 7), UND_FRAGMENT_LATER);
	assert_int_equal(fragment6_at(65528, false, 8), UND_IP6_FRAGMENT_RANGE);
	assert_int_equal(fragment6_at(8, true, 8), UND_FRAGMENT_LATER);
	assert_true(facts.layer[0].frag_more);
	assert_int_equal(fragment6_at(0, true, 8), UND_NONE);
	assert_int_equal(facts.layer[0].frag, FRAG_FIRST);
}

/* A later fragment is the middle of something: no extension header is looked for in it. */
static void a_later_fragment_is_not_walked(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_ip6(&f, 44, 8 + 16);
	put(&f, "\x3c\0\0\x18\0\0\0\x99", 8);
	put_fill(&f, 16, 0xff);
	assert_int_equal(raw(&f), UND_FRAGMENT_LATER);
	assert_int_equal(facts.layer[0].header_len, 48);
	assert_int_equal(facts.layer[0].payload_len, 16);
}

/* ---- layers ---- */

static void put_layers(struct frame *f, int n, unsigned proto, size_t payload)
{
	for (int i = 0; i < n; i++)
		put_ip4(f, i + 1 < n ? 4 : proto, (size_t)(n - 1 - i) * 20 + payload, 1, 0);
}

static void as_many_layers_as_are_kept(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_layers(&f, FACTS_LAYERS, 17, 8);
	put_udp(&f, 7, 9, 0);
	assert_int_equal(raw(&f), UND_NONE);
	assert_int_equal(facts.n_layers, FACTS_LAYERS);
	assert_int_equal(facts_inner(&facts)->dport, 9);
	f.n = 0;
	put_layers(&f, FACTS_LAYERS + 1, 17, 8);
	put_udp(&f, 7, 9, 0);
	assert_int_equal(raw(&f), UND_TUNNEL_DEPTH);
	f.n = 0; /* a quote has a place of its own */
	put_layers(&f, FACTS_LAYERS, 1, 8 + 28);
	put(&f, "\3\3\0\0\0\0\0\0", 8);
	put_ip4(&f, 17, 8, 1, 0);
	put_udp(&f, 7, 9, 0);
	assert_int_equal(raw(&f), UND_NONE);
	assert_true(facts.has_quoted);
	assert_int_equal(facts.quoted.dport, 9);
}

static void carriers_have_names(void **state)
{
	struct frame b = { .n = 0 };

	(void)state;
	put_ip6(&b, 17, 8);
	put_udp(&b, 7, 9, 0);
	assert_int_equal(raw4(41, b.b, b.n), UND_NONE);
	assert_int_equal(facts.layer[1].encap, ENCAP_6IN4);
	assert_int_equal(raw6(41, b.b, b.n), UND_NONE);
	assert_int_equal(facts.layer[1].encap, ENCAP_IPIP);
	assert_int_equal(raw4(50, b.b, b.n), UND_NONE);
	assert_true(facts_has(&facts, PROTO_ESP));
	assert_int_equal(facts.n_layers, 1);
	assert_int_equal(raw4(59, b.b, b.n), UND_NONE);
	assert_int_equal(facts.protos, 0);
	assert_int_equal(raw4(136, b.b, b.n) == UND_IPPROTO_UNKNOWN,
			 false); /* UDP-Lite, RFC 3828 */
	assert_true(facts_has(&facts, PROTO_UDP));
}

/* ---- TCP, SCTP ---- */

static void tcp_headers_at_their_limits(void **state)
{
	static const struct {
		uint8_t offset; /* words, in the upper half */
		size_t n;
		enum undecodable reason;
		uint32_t payload;
	} rows[] = {
		{ 0x50, 24, UND_NONE, 4 },	 { 0x60, 24, UND_NONE, 0 },
		{ 0x40, 24, UND_TCP_OFFSET, 0 }, { 0x70, 24, UND_TCP_OFFSET, 0 },
		{ 0x50, 20, UND_NONE, 0 },	 { 0x50, 19, UND_TCP_SHORT, 0 },
		{ 0x50, 8, UND_TCP_SHORT, 0 },	 { 0x50, 7, UND_TCP_SHORT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame t = { .n = 0 };

		put_tcp(&t, 7, 9, 77, TCP_ACK);
		put_zero(&t, 4);
		t.b[12] = rows[i].offset;
		assert_int_equal(raw4(6, t.b, rows[i].n), rows[i].reason);
		assert_int_equal(facts.layer[0].has_ports, rows[i].n >= 8);
		assert_true(facts_has(&facts, PROTO_TCP));
		if (rows[i].reason == UND_NONE)
			assert_int_equal(facts.layer[0].payload_len, rows[i].payload);
	}
}

/* Options that the capture cut are not options that the sender left out. */
static void tcp_options_beyond_the_capture(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_ip4(&f, 6, 24, 1, 0);
	put_tcp(&f, 7, 9, 77, TCP_ACK);
	put_zero(&f, 4);
	f.b[32] = 0x60;
	(void)decode_frame(NULL, LINK_RAW, f.b, (uint32_t)f.n - 1, (uint32_t)f.n, 1000, &facts);
	assert_int_equal(facts.reason, UND_TCP_SHORT);
	assert_true(facts.layer[0].has_ports);
}

static void sctp_has_ports(void **state)
{
	static const uint8_t h[13] = "\x9c\x41\0\x09\0\0\0\0\0\0\0\0\1";

	(void)state;
	assert_int_equal(raw4(132, h, 13), UND_NONE);
	assert_true(facts_has(&facts, PROTO_SCTP));
	assert_int_equal(facts.layer[0].sport, 40001);
	assert_int_equal(facts.layer[0].dport, 9);
	assert_int_equal(facts.layer[0].payload_len, 1);
	assert_int_equal(raw4(132, h, 11), UND_SCTP_SHORT);
	assert_false(facts.layer[0].has_ports);
}

/* ---- GRE (RFC 2784, 2890), AH ---- */

static enum undecodable gre(unsigned flags, unsigned type, size_t options)
{
	struct frame b = { .n = 0 };

	put16(&b, flags);
	put16(&b, type);
	put_zero(&b, options);
	if (type == 0x86dd)
		put_ip6(&b, 17, 8);
	else
		put_ip4(&b, 17, 8, 1, 0);
	put_udp(&b, 7, 9, 0);
	return raw4(47, b.b, b.n);
}

static void gre_options_are_stepped_over(void **state)
{
	static const struct {
		unsigned flags;
		size_t options;
		enum undecodable reason;
	} rows[] = {
		{ 0, 0, UND_NONE },
		{ 0x8000, 4, UND_NONE },
		{ 0x2000, 4, UND_NONE },
		{ 0x1000, 4, UND_NONE },
		{ 0xb000, 12, UND_NONE },
		{ 0x4000, 4, UND_GRE_UNKNOWN }, /* routing */
		{ 0x0001, 0, UND_GRE_UNKNOWN }, /* version 1, PPTP */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(gre(rows[i].flags, 0x0800, rows[i].options), rows[i].reason);
		assert_int_equal(gre(rows[i].flags, 0x86dd, rows[i].options), rows[i].reason);
		assert_int_equal(facts.n_layers, rows[i].reason == UND_NONE ? 2 : 1);
	}
	assert_int_equal(gre(0, 0x0801, 0), UND_ETHERTYPE_UNKNOWN);
	assert_int_equal(raw4(47, "\0\0\x08", 3), UND_GRE_SHORT);
	assert_int_equal(raw4(47, "\x20\0\x08\0\0\0\0", 7), UND_GRE_SHORT);
}

/* A header that ends with the packet: what it says is behind it is missing, unless it says that there is nothing. */
static void gre_headers_alone(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		enum undecodable reason;
	} rows[] = {
#define ROW(s, reason) { (s), sizeof(s) - 1, (reason) }
		ROW("\0\1\x08\0", UND_GRE_UNKNOWN),
		ROW("\0\0\x05\xff", UND_GRE_UNKNOWN),
		ROW("\0\0\6\0", UND_ETHERTYPE_UNKNOWN),
		ROW("\0\0\x08\0", UND_IP4_SHORT),
		ROW("\0\0\x65\x58", UND_LINK_SHORT),
		/* PPTP: with routing or a checksum it is none; length 0 holds nothing */
		ROW("\x40\1\x88\x0b\0\0\0\7", UND_GRE_UNKNOWN),
		ROW("\x80\1\x88\x0b\0\0\0\7", UND_GRE_UNKNOWN),
		ROW("\x20\2\x88\x0b\0\0\0\7", UND_GRE_UNKNOWN),
		ROW("\x20\1\x08\0\0\0\0\7", UND_GRE_UNKNOWN),
		ROW("\x20\1\x88\x0b\0\0\0\7", UND_NONE),
		ROW("\x20\1\x88\x0b\0\0\0", UND_GRE_SHORT),
		ROW("\x20\1\x88\x0b\0\1\0\7", UND_LINK_SHORT),
		ROW("\x30\1\x88\x0b\0\0\0\7seq!", UND_NONE),
		ROW("\x30\1\x88\x0b\0\0\0\7seq", UND_GRE_SHORT),
		ROW("\x30\x81\x88\x0b\0\0\0\7seq!ack!", UND_NONE),
		ROW("\x30\x81\x88\x0b\0\0\0\7seq!ack", UND_GRE_SHORT),
		/* mirrored frames: 0, 8, 12 or 20 bytes */
		ROW("\0\0\x88\xbe", UND_LINK_SHORT),
		ROW("\x10\0\x88\xbeseq!erspan2", UND_GRE_SHORT),
		ROW("\x10\0\x88\xbeseq!erspan-2", UND_LINK_SHORT),
		ROW("\x10\0\x88\xbeseq!erspan-2abc\1", UND_LINK_SHORT),
		ROW("\x10\0\x22\xebseq!erspan-3abc", UND_GRE_SHORT),
		ROW("\x10\0\x22\xebseq!erspan-3abc\2", UND_LINK_SHORT),
		ROW("\x10\0\x22\xebseq!erspan-3abc\1", UND_GRE_SHORT),
		ROW("\x10\0\x22\xebseq!erspan-3abc\1platfor", UND_GRE_SHORT),
		ROW("\x10\0\x22\xebseq!erspan-3abc\1platform", UND_LINK_SHORT),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (raw4(47, rows[i].b, rows[i].n) != rows[i].reason)
			fail_msg("row %zu: %s", i, undecodable_name(facts.reason));
		assert_int_equal(facts.n_layers, 1);
	}
}

static void authentication_headers(void **state)
{
	struct frame b = { .n = 0 };

	(void)state;
	put(&b, "\x11\4\0\0", 4);
	put_zero(&b, 20);
	put_udp(&b, 7, 9, 0);
	assert_int_equal(raw4(51, b.b, b.n), UND_NONE);
	assert_int_equal(facts.layer[0].proto, 17);
	assert_int_equal(facts.layer[0].dport, 9);
	assert_int_equal(raw4(51, b.b, 23), UND_IP6_EXTENSION_SHORT);
	assert_int_equal(raw4(51, b.b, 7), UND_IP6_EXTENSION_SHORT);
	b.b[0] = 51; /* one in the other */
	assert_int_equal(raw4(51, b.b, b.n), UND_IPPROTO_UNKNOWN);
	b.b[0] = 59; /* 8 bytes are the least */
	b.b[1] = 0;
	assert_int_equal(raw4(51, b.b, 8), UND_NONE);
}

/* ---- ICMP ---- */

static bool quotes4(uint8_t type)
{
	struct frame b = { .n = 0 };

	put8(&b, type);
	put_zero(&b, 7);
	put_ip4(&b, 17, 8, 1, 0);
	put_udp(&b, 7, 9, 0);
	assert_int_equal(raw4(1, b.b, b.n), UND_NONE);
	assert_int_equal(facts.layer[0].icmp_type, type);
	assert_int_equal(facts.layer[0].payload_len, 28);
	return facts.has_quoted;
}

static bool quotes6(uint8_t type)
{
	struct frame b = { .n = 0 };

	put8(&b, type);
	put_zero(&b, 7);
	put_ip6(&b, 17, 8);
	put_udp(&b, 7, 9, 0);
	(void)raw6(58, b.b, b.n);
	return facts.has_quoted;
}

/* RFC 792: errors are 3, 4, 5, 11 and 12; RFC 4443: 1 to 4. Nothing else quotes. */
static void which_messages_quote(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		assert_int_equal(quotes4((uint8_t)type),
				 (type >= 3 && type <= 5) || type == 11 || type == 12);
		assert_int_equal(quotes6((uint8_t)type), type >= 1 && type <= 4);
	}
}

static void which_messages_have_numbers(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		const uint8_t m[8] = { (uint8_t)type, 0, 0, 0, 0x12, 0x34, 0, 7 };

		(void)raw4(1, m, 8);
		assert_int_equal(facts.layer[0].icmp_seq, type == 0 || type == 8 ? 7 : 0);
		assert_int_equal(facts.layer[0].icmp_id, type == 0 || type == 8 ? 0x1234 : 0);
		(void)raw6(58, m, 8);
		assert_int_equal(facts.layer[0].icmp_seq, type == 128 || type == 129 ? 7 : 0);
		assert_int_equal(facts_has(&facts, PROTO_ND), type >= 133 && type <= 137);
	}
}

static void short_messages(void **state)
{
	(void)state;
	for (size_t n = 0; n < 8; n++) {
		assert_int_equal(raw4(1, "\x08\1\0\0\0\0\0\0", n), UND_ICMP_SHORT);
		assert_int_equal(facts.layer[0].icmp_type, n >= 2 ? 8 : 0);
		assert_int_equal(facts.layer[0].icmp_code, n >= 2 ? 1 : 0);
		assert_int_equal(raw6(58, "\x80\1\0\0\0\0\0\0", n), UND_ICMP_SHORT);
		assert_int_equal(raw4(2, "\x16\0\0\0\0\0\0\0", n), UND_IGMP_SHORT);
		assert_int_equal(facts.layer[0].icmp_type, 0);
	}
	assert_int_equal(raw4(2, "\x16\0\0\0\0\0\0\0", 8), UND_NONE);
	assert_true(facts_has(&facts, PROTO_IGMP));
	assert_int_equal(facts.layer[0].icmp_type, 0x16);
}

/* What an error quotes was not sent here: nothing of it is recognised, and damage in it is a note. */
static void check_quote(uint8_t proto, const void *body, size_t n, enum undecodable reason)
{
	struct frame b = { .n = 0 };

	put(&b, "\3\3\0\0\0\0\0\0", 8);
	put_ip4(&b, proto, n, 1, 0);
	put(&b, body, n);
	assert_int_equal(raw4(1, b.b, b.n), reason);
	assert_true(facts.has_quoted);
	assert_int_equal(facts.quoted.proto, proto);
	assert_int_equal(facts.protos, PROTO_BIT(PROTO_ICMP));
	assert_int_equal(facts.n_layers, 1);
	assert_false(facts.undecodable);
}

static void quotes_of_everything(void **state)
{
	struct frame inner = { .n = 0 }, error = { .n = 0 };

	(void)state;
	put_ip4(&inner, 17, 8, 1, 0);
	put_udp(&inner, 7, 9, 0);
	check_quote(4, inner.b, inner.n, UND_NONE);
	check_quote(41, inner.b, inner.n, UND_NONE);
	check_quote(50, inner.b, inner.n, UND_NONE);
	put(&error, "\0\0\x08\0", 4);
	put(&error, inner.b, inner.n);
	check_quote(47, error.b, error.n, UND_NONE);
	check_quote(2, "\x16\0\0\0\0\0\0\0", 8, UND_NONE);
	check_quote(132, "\x9c\x41\0\x09\0\0\0\0\0\0\0\0", 12, UND_NONE);
	check_quote(17, "\0\7\0\x09\0\x08\0\0", 8, UND_NONE);
	assert_int_equal(facts.quoted.dport, 9);
	/* cut where RFC 792 lets a router cut */
	check_quote(17, "\0\7\0\x09\0\xff\0\0", 8, UND_NONE);
	check_quote(6, "\0\7\0\x09\0\0\0\1", 8, UND_ICMP_QUOTE);
	check_quote(17, "\0\7\0", 3, UND_ICMP_QUOTE);
	check_quote(2, "\x16", 1, UND_ICMP_QUOTE);
	check_quote(132, "\x9c\x41", 2, UND_ICMP_QUOTE);
	check_quote(253, "x", 1, UND_ICMP_QUOTE);
	/* an error about an error: the inner quote is not taken for the quoted packet */
	error.n = 0;
	put(&error, "\3\3\0\0\0\0\0\0", 8);
	put(&error, inner.b, inner.n);
	check_quote(1, error.b, error.n, UND_NONE);
	assert_int_equal(facts.quoted.icmp_type, 3);
}

static void a_quoted_solicitation_is_none(void **state)
{
	struct frame b = { .n = 0 };

	(void)state;
	put(&b, "\1\0\0\0\0\0\0\0", 8);
	put_ip6(&b, 58, 24);
	put(&b, "\x87\0\0\0\0\0\0\0", 8);
	put(&b, SRC6, 16);
	assert_int_equal(raw6(58, b.b, b.n), UND_NONE);
	assert_true(facts.has_quoted);
	assert_false(facts_has(&facts, PROTO_ND));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v4_lengths_at_their_limits),
		cmocka_unit_test(v4_fragments_end_within_64k),
		cmocka_unit_test(v4_offloaded_beyond_64k),
		cmocka_unit_test(a_first_fragment_has_no_damage_of_its_end),
		cmocka_unit_test(v6_lengths_at_their_limits),
		cmocka_unit_test(padding_behind_v6_is_no_payload),
		cmocka_unit_test(chains_are_bounded),
		cmocka_unit_test(every_extension_is_one),
		cmocka_unit_test(v6_fragments_end_within_64k),
		cmocka_unit_test(a_later_fragment_is_not_walked),
		cmocka_unit_test(as_many_layers_as_are_kept),
		cmocka_unit_test(carriers_have_names),
		cmocka_unit_test(tcp_headers_at_their_limits),
		cmocka_unit_test(tcp_options_beyond_the_capture),
		cmocka_unit_test(sctp_has_ports),
		cmocka_unit_test(gre_options_are_stepped_over),
		cmocka_unit_test(gre_headers_alone),
		cmocka_unit_test(authentication_headers),
		cmocka_unit_test(which_messages_quote),
		cmocka_unit_test(which_messages_have_numbers),
		cmocka_unit_test(short_messages),
		cmocka_unit_test(quotes_of_everything),
		cmocka_unit_test(a_quoted_solicitation_is_none),
	};

	return cmocka_run_group_tests_name("packet_transport", tests, NULL, NULL);
}
