/* SPDX-License-Identifier: MIT */
/* From the first byte of a frame to its IP header, and the notes that all parts of the decoder take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/frames.h"
#include "packet/internal.h"

static struct facts facts;

static enum undecodable decode_as(uint32_t link, const struct frame *f)
{
	return decode_frame(NULL, link, f->b, (uint32_t)f->n, (uint32_t)f->n, 1000, &facts);
}

static void put_dns(struct frame *f, bool v6)
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

/* ---- notes ---- */

/* The weightiest reason is the reason: of the highest level, and of several the one that was seen first. */
static void the_weightiest_reason_counts(void **state)
{
	static const struct {
		enum undecodable first, second, want;
		bool undecodable;
	} rows[] = {
		{ UND_CAPTURE_CUT, UND_FRAGMENT_LATER, UND_CAPTURE_CUT, false },
		{ UND_FRAGMENT_LATER, UND_CAPTURE_CUT, UND_FRAGMENT_LATER, false },
		{ UND_CAPTURE_CUT, UND_DNS_SHORT, UND_DNS_SHORT, false },
		{ UND_DNS_SHORT, UND_CAPTURE_CUT, UND_DNS_SHORT, false },
		{ UND_DNS_SHORT, UND_DNS_NAME, UND_DNS_SHORT, false },
		{ UND_DNS_SHORT, UND_UDP_LENGTH, UND_UDP_LENGTH, true },
		{ UND_UDP_LENGTH, UND_IP4_SHORT, UND_IP4_SHORT, true },
		{ UND_IP4_SHORT, UND_UDP_LENGTH, UND_IP4_SHORT, true },
		{ UND_IP4_SHORT, UND_LINK_SHORT, UND_LINK_SHORT, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&facts, 0, sizeof(facts));
		fact_reason(&facts, rows[i].first);
		fact_reason(&facts, rows[i].second);
		assert_int_equal(facts.reason, rows[i].want);
		assert_int_equal(facts.undecodable, rows[i].undecodable);
		assert_true(facts_has_reason(&facts, rows[i].first) &&
			    facts_has_reason(&facts, rows[i].second));
	}
}

static void addresses_are_bounded(void **state)
{
	struct ipaddr a = ipaddr_v4((const uint8_t *)SRC4);

	(void)state;
	memset(&facts, 0, sizeof(facts));
	for (unsigned i = 0; i < FACTS_ADDRS; i++)
		fact_addr(&facts, a, (uint16_t)i, PLACE_DNS_ANSWER);
	assert_int_equal(facts.n_addrs, FACTS_ADDRS);
	assert_int_equal(facts.addrs[FACTS_ADDRS - 1].port, FACTS_ADDRS - 1);
	assert_int_equal(facts.reasons, 0);
	fact_addr(&facts, a, 0, PLACE_DNS_ANSWER);
	assert_int_equal(facts.n_addrs, FACTS_ADDRS);
	assert_true(facts_has_reason(&facts, UND_ADDRS_CUT));
}

/* Compact addresses (BEP 23, BEP 7): whole ones count, what is left over is none. */
static void compact_addresses(void **state)
{
	static const uint8_t two[14] = "\xcb\0\x71\x0a\x1a\xe1\xc6\x33\x64\x02\0\x50\xff\xff";
	static const uint8_t six[18] = SRC6 "\x1a\xe1";

	(void)state;
	for (size_t len = 0; len <= sizeof(two); len++) {
		memset(&facts, 0, sizeof(facts));
		fact_compact(&facts, two, len, false, PLACE_BT_DHT_PEER);
		assert_int_equal(facts.n_addrs, len / 6);
	}
	assert_int_equal(facts.addrs[0].port, 6881);
	assert_int_equal(facts.addrs[1].port, 80);
	for (size_t len = 0; len <= 18; len++) {
		memset(&facts, 0, sizeof(facts));
		fact_compact(&facts, six, len, true, PLACE_BT_DHT_PEER);
		assert_int_equal(facts.n_addrs, len / 18);
	}
	assert_int_equal(facts.addrs[0].port, 6881);
	assert_false(ipaddr_is_v4(&facts.addrs[0].addr));
}

/* What a report prints is printable ASCII, and ends inside its buffer. */
static void texts_are_printable(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *want;
	} rows[] = {
		{ "abc", 10, "abc" },	 { " ~", 10, " ~" },	{ "\x7f", 10, "\\127" },
		{ "\x1f", 10, "\\031" }, { "\\", 10, "\\092" }, { "\xff!", 10, "\\255!" },
		{ "abc", 4, "abc" },	 { "abcd", 4, "abc" },	{ "abcd", 1, "" },
		{ "\xff", 5, "\\255" },	 { "\xff", 4, "" },	{ "a\xff", 5, "a" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char to[16];
		size_t n = text_put(to, rows[i].size, (const uint8_t *)rows[i].bytes,
				    strlen(rows[i].bytes));

		assert_string_equal(to, rows[i].want);
		assert_int_equal(n, strlen(rows[i].want));
	}
}

static void addresses_in_text(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* NULL: none */
		uint16_t port;
	} rows[] = {
		{ "203.0.113.1", "203.0.113.1", 0 },
		{ "203.0.113.1:80", "203.0.113.1", 80 },
		{ "203.0.113.1:65535", "203.0.113.1", 65535 },
		{ "203.0.113.1:65536", "203.0.113.1", 0 },
		{ "203.0.113.1:655350", "203.0.113.1", 0 },
		{ "203.0.113.1:99999999999999999999999", "203.0.113.1", 0 },
		{ "203.0.113.1:80x", "203.0.113.1", 80 },
		{ "203.0.113.1:", "203.0.113.1", 0 },
		{ "203.0.113.1:09/", "203.0.113.1", 9 },
		{ "2001:db8::1", "2001:db8::1", 0 },
		{ "[2001:db8::1]", "2001:db8::1", 0 },
		{ "[2001:db8::1]:80", "2001:db8::1", 80 },
		{ "[2001:db8::1]x80", "2001:db8::1", 0 },
		{ "[2001:db8::1", NULL, 0 },
		{ "[]", NULL, 0 },
		{ "[", NULL, 0 },
		{ "", NULL, 0 },
		{ ":80", NULL, 0 },
		{ "example:80", NULL, 0 },
		{ "0000:0000:0000:0000:0000:ffff:255.255.255.255", "255.255.255.255", 0 },
		{ "0000:0000:0000:0000:0000:ffff:255.255.255.2555", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ipaddr a;
		uint16_t port = 7;
		char buf[IPADDR_TEXT];
		bool got = text_addr(rows[i].text, strlen(rows[i].text), &a, &port);

		if (got != (rows[i].want != NULL))
			fail_msg("%s", rows[i].text);
		assert_int_equal(port, rows[i].port);
		if (got)
			assert_string_equal(ipaddr_format(&a, buf, sizeof(buf)), rows[i].want);
	}
}

/* ---- ARP (RFC 826), also as RARP (RFC 903) ---- */

static void put_arp(struct frame *f, unsigned type, unsigned hw, unsigned proto, unsigned sizes)
{
	f->n = 0;
	put_ethernet(f, type);
	put16(f, hw);
	put16(f, proto);
	put16(f, sizes);
	put16(f, 2);
	put(f, "\2\0\0\0\0\x55\x0a\x40\0\2\2\0\0\0\0\1\x0a\x4d\0\1", 20);
}

static void arp_of_ethernet_and_ipv4_only(void **state)
{
	static const struct {
		unsigned type, hw, proto, sizes;
		enum undecodable reason;
	} rows[] = {
		{ 0x0806, 1, 0x0800, 0x0604, UND_NONE },
		{ 0x8035, 1, 0x0800, 0x0604, UND_NONE },
		{ 0x8036, 1, 0x0800, 0x0604, UND_ETHERTYPE_UNKNOWN },
		{ 0x0806, 2, 0x0800, 0x0604, UND_ARP_HARDWARE },
		{ 0x0806, 1, 0x86dd, 0x0604, UND_ARP_HARDWARE },
		{ 0x0806, 1, 0x0800, 0x0804, UND_ARP_HARDWARE },
		{ 0x0806, 1, 0x0800, 0x0610, UND_ARP_HARDWARE },
	};
	struct frame f;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_arp(&f, rows[i].type, rows[i].hw, rows[i].proto, rows[i].sizes);
		assert_int_equal(decode_as(LINK_ETHERNET, &f), rows[i].reason);
		assert_int_equal(facts_has(&facts, PROTO_ARP), rows[i].reason == UND_NONE);
	}
	for (size_t n = 14; n < 14 + 28; n++) {
		put_arp(&f, 0x0806, 1, 0x0800, 0x0604);
		f.n = n;
		assert_int_equal(decode_as(LINK_ETHERNET, &f), UND_ARP_SHORT);
		assert_false(facts_has(&facts, PROTO_ARP));
	}
}

/* ---- Ethernet and VLAN tags ---- */

static void every_tag_is_a_tag(void **state)
{
	static const unsigned tags[] = { 0x8100, 0x88a8, 0x9100 };
	struct frame f;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		f.n = 0;
		put_ethernet(&f, tags[i]);
		put(&f, "\xf0\x64\x08\0", 4); /* id 100 below the priority bits */
		put_dns(&f, false);
		assert_int_equal(decode_as(LINK_ETHERNET, &f), UND_NONE);
		assert_int_equal(facts.n_vlans, 1);
		assert_int_equal(facts.vlan[0], 0x064);
		assert_int_equal(facts.ethertype, 0x0800);
		assert_true(facts_has(&facts, PROTO_DNS));
		/* the next number is no tag */
		set16(&f, 12, tags[i] + 1);
		assert_int_equal(decode_as(LINK_ETHERNET, &f), UND_ETHERTYPE_UNKNOWN);
	}
}

static void tags_are_bounded(void **state)
{
	struct frame f;

	(void)state;
	for (size_t n = 0; n <= FACTS_VLANS + 1; n++) {
		f.n = 0;
		put_ethernet(&f, n ? 0x8100 : 0x0800);
		for (size_t i = 0; i < n; i++) {
			put16(&f, (unsigned)i + 1);
			put16(&f, i + 1 < n ? 0x8100 : 0x0800);
		}
		put_dns(&f, false);
		assert_int_equal(decode_as(LINK_ETHERNET, &f),
				 n <= FACTS_VLANS ? UND_NONE : UND_VLAN_DEPTH);
		assert_int_equal(facts.n_vlans, n <= FACTS_VLANS ? n : FACTS_VLANS);
		assert_int_equal(facts.n_layers, n <= FACTS_VLANS);
	}
	for (size_t n = 14; n < 18; n++) { /* a tag that is cut */
		f.n = 0;
		put_ethernet(&f, 0x8100);
		put(&f, "\0\1\x08\0", 4);
		f.n = n;
		assert_int_equal(decode_as(LINK_ETHERNET, &f), UND_LINK_SHORT);
	}
	for (size_t n = 0; n < 14; n++) { /* and no Ethernet header at all */
		f.n = 0;
		put_ethernet(&f, 0x0800);
		f.n = n;
		assert_int_equal(decode_as(LINK_ETHERNET, &f), UND_LINK_SHORT);
		assert_false(facts.has_macs);
	}
}

/* IEEE 802.3 3.2.6: below 1536 it is a length. */
static void lengths_are_no_types(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_ethernet(&f, 1535);
	put_zero(&f, 50);
	assert_int_equal(decode_as(LINK_ETHERNET, &f), UND_LLC);
	set16(&f, 12, 1536);
	assert_int_equal(decode_as(LINK_ETHERNET, &f), UND_ETHERTYPE_UNKNOWN);
}

/* What a tunnel carries has a link of its own, which is not the frame's. */
static void an_inner_link_is_not_the_frames(void **state)
{
	struct frame inner = { .n = 0 }, f = { .n = 0 };

	(void)state;
	put(&inner, "\0\0\x65\x58", 4); /* GRE, transparent Ethernet */
	put(&inner, "\xaa\xaa\xaa\xaa\xaa\xaa\xbb\xbb\xbb\xbb\xbb\xbb\x81\0\0\7\x08\0", 18);
	put_dns(&inner, false);
	put_ethernet(&f, 0x0800);
	put_ip4(&f, 47, inner.n, 1, 0);
	put(&f, inner.b, inner.n);
	assert_int_equal(decode_as(LINK_ETHERNET, &f), UND_NONE);
	assert_true(facts_has(&facts, PROTO_DNS));
	assert_int_equal(facts.n_vlans, 0);
	assert_int_equal(facts.src_mac[0], 2);
	assert_int_equal(facts.dst_mac[0], 2);
	assert_int_equal(facts.ethertype, 0x0800);
}

/* ---- cooked, loopback, raw ---- */

static void put_cooked(struct frame *f, bool v2, unsigned kind, unsigned hw_len)
{
	f->n = 0;
	if (v2) {
		put(f, "\x08\0\0\0\0\0\0\3\0\1", 10);
		put8(f, kind);
		put8(f, hw_len);
		put(f, "\2\0\0\0\0\7\0\0", 8);
	} else {
		put16(f, kind);
		put16(f, 1);
		put16(f, hw_len);
		put(f, "\2\0\0\0\0\7\0\0\x08\0", 10);
	}
}

static void cooked_headers(void **state)
{
	struct frame f;

	(void)state;
	for (int v2 = 0; v2 < 2; v2++) {
		uint32_t link = v2 ? LINK_SLL2 : LINK_SLL;
		size_t header = v2 ? 20 : 16;

		put_cooked(&f, v2, 4, 6);
		put_dns(&f, false);
		assert_int_equal(decode_as(link, &f), UND_NONE);
		assert_int_equal(facts.sll_type, 4);
		assert_true(facts.has_macs);
		assert_int_equal(facts.src_mac[5], 7);
		assert_int_equal(facts.layer[0].payload_wire, f.n - header - 28);
		put_cooked(&f, v2, 0, 0); /* such as tun, which has no MAC */
		put_dns(&f, false);
		assert_int_equal(decode_as(link, &f), UND_NONE);
		assert_int_equal(facts.sll_type, 0);
		assert_false(facts.has_macs);
		assert_int_equal(facts.src_mac[5], 0);
		for (size_t n = 0; n < header; n++) {
			put_cooked(&f, v2, 4, 6);
			f.n = n;
			assert_int_equal(decode_as(link, &f), UND_LINK_SHORT);
			assert_false(facts.has_macs);
		}
	}
	put_cooked(&f, false, 0x0104, 6); /* no such type: not to be taken for 4 */
	put_dns(&f, false);
	(void)decode_as(LINK_SLL, &f);
	assert_int_equal(facts.sll_type, 255);
	put_cooked(&f, false, 254, 6);
	put_dns(&f, false);
	(void)decode_as(LINK_SLL, &f);
	assert_int_equal(facts.sll_type, 254);
}

/* The family in the byte order of whoever captured: AF_INET everywhere 2, AF_INET6 by system. */
static void loopback_families(void **state)
{
	static const struct {
		const char *family;
		bool v6, good;
	} rows[] = {
		{ "\2\0\0\0", false, true },  { "\0\0\0\2", false, true },
		{ "\x0a\0\0\0", true, true }, { "\x18\0\0\0", true, true },
		{ "\0\0\0\x1c", true, true }, { "\x1e\0\0\0", true, true },
		{ "\0\0\0\x1e", true, true }, { "\x0b\0\0\0", true, false },
		{ "\0\0\0\3", false, false },
	};
	struct frame f;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f.n = 0;
		put(&f, rows[i].family, 4);
		put_dns(&f, rows[i].v6);
		assert_int_equal(decode_as(LINK_NULL, &f),
				 rows[i].good ? UND_NONE : UND_ETHERTYPE_UNKNOWN);
		assert_int_equal(decode_as(LINK_LOOP, &f),
				 rows[i].good ? UND_NONE : UND_ETHERTYPE_UNKNOWN);
		assert_int_equal(facts_has(&facts, PROTO_DNS), rows[i].good);
	}
	f.n = 3;
	assert_int_equal(decode_as(LINK_NULL, &f), UND_LINK_SHORT);
}

static void raw_links(void **state)
{
	static const uint32_t links[] = { LINK_RAW, LINK_RAW_OLD, LINK_IPV4, LINK_IPV6 };
	struct frame f = { .n = 0 };

	(void)state;
	put_dns(&f, false);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		assert_int_equal(decode_as(links[i], &f), UND_NONE);
		assert_true(facts_has(&facts, PROTO_DNS));
		assert_false(facts.has_macs);
	}
}

/* ---- the frame ---- */

static void a_cut_frame_says_so(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_dns(&f, false);
	(void)decode_frame(NULL, LINK_RAW, f.b, (uint32_t)f.n, (uint32_t)f.n, 77, &facts);
	assert_int_equal(facts.time, 77);
	assert_false(facts_has_reason(&facts, UND_CAPTURE_CUT));
	(void)decode_frame(NULL, LINK_RAW, f.b, (uint32_t)f.n - 1, (uint32_t)f.n, 77, &facts);
	assert_true(facts_has_reason(&facts, UND_CAPTURE_CUT));
	assert_int_equal(facts.caplen, f.n - 1);
	assert_int_equal(facts.len, f.n);
	assert_int_equal(facts.layer[0].payload_wire, facts.layer[0].payload_len + 1);
	/* shorter on the wire than captured is nonsense: what is there counts */
	(void)decode_frame(NULL, LINK_RAW, f.b, (uint32_t)f.n, 5, 77, &facts);
	assert_int_equal(facts.len, f.n);
	assert_int_equal(facts.reasons, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_weightiest_reason_counts),
		cmocka_unit_test(addresses_are_bounded),
		cmocka_unit_test(compact_addresses),
		cmocka_unit_test(texts_are_printable),
		cmocka_unit_test(addresses_in_text),
		cmocka_unit_test(arp_of_ethernet_and_ipv4_only),
		cmocka_unit_test(every_tag_is_a_tag),
		cmocka_unit_test(tags_are_bounded),
		cmocka_unit_test(lengths_are_no_types),
		cmocka_unit_test(an_inner_link_is_not_the_frames),
		cmocka_unit_test(cooked_headers),
		cmocka_unit_test(loopback_families),
		cmocka_unit_test(raw_links),
		cmocka_unit_test(a_cut_frame_says_so),
	};

	return cmocka_run_group_tests_name("packet_notes", tests, NULL, NULL);
}
