/* SPDX-License-Identifier: MIT */
/* UDP headers at their limits, and which protocol a datagram is taken for: by its shape, else by its port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/frames.h"

static struct facts facts;

static void udp4(unsigned sport, unsigned dport, const void *p, size_t n)
{
	struct frame f = { .n = 0 };

	put_ip4(&f, 17, n + 8, 1, 0);
	put_udp(&f, sport, dport, n);
	put(&f, p, n);
	(void)decode_frame(NULL, LINK_RAW, f.b, (uint32_t)f.n, (uint32_t)f.n, 1000, &facts);
}

static uint64_t protos_on(unsigned sport, unsigned dport, const struct frame *p)
{
	udp4(sport, dport, p->b, p->n);
	return facts.protos & ~P(UDP);
}

/* ---- the header ---- */

static void lengths_at_their_limits(void **state)
{
	static const struct {
		unsigned stated;
		enum undecodable reason;
		uint32_t payload;
	} rows[] = {
		{ 12, UND_NONE, 4 },
		{ 10, UND_NONE, 2 },
		{ 8, UND_NONE, 0 },
		{ 7, UND_UDP_LENGTH, 4 },
		{ 13, UND_UDP_LENGTH, 4 },
		{ 0, UND_NONE, 4 }, /* RFC 2675: longer than can be said */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame f = { .n = 0 };

		put_ip4(&f, 17, 12, 1, 0);
		put_udp(&f, 40000, 40001, 0);
		put32(&f, 0x01020304);
		set16(&f, 24, rows[i].stated);
		(void)decode_frame(NULL, LINK_RAW, f.b, (uint32_t)f.n, (uint32_t)f.n, 1000, &facts);
		assert_int_equal(facts.reason, rows[i].reason);
		assert_int_equal(facts.layer[0].payload_len, rows[i].payload);
		assert_int_equal(facts.layer[0].payload_wire, rows[i].payload);
		assert_true(facts.layer[0].has_ports);
	}
	for (size_t n = 0; n < 8; n++) {
		struct frame f = { .n = 0 };

		put_ip4(&f, 17, n, 1, 0);
		put(&f, "\0\7\0\x09\0\x08\0\0", n);
		(void)decode_frame(NULL, LINK_RAW, f.b, (uint32_t)f.n, (uint32_t)f.n, 1000, &facts);
		assert_int_equal(facts.reason, UND_UDP_SHORT);
		assert_false(facts.layer[0].has_ports);
		assert_true(facts_has(&facts, PROTO_UDP));
	}
}

/* ---- ports ---- */

static void p_hello(struct frame *f)
{
	put_text(f, "hello");
}

static void p_time(struct frame *f)
{
	p_ntp(f);
}

static void p_map(struct frame *f)
{
	put16(f, 0);
}

static void p_ssdp_reply(struct frame *f)
{
	put_text(f, "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n\r\n");
}

static void p_vxlan(struct frame *f)
{
	put(f, "\x08\0\0\0\0\0\x2a\0", 8);
	put_ethernet(f, 0x0806);
	put(f, "\0\1\x08\0\6\4\0\2\2\0\0\0\0\x55\x0a\x40\0\2\2\0\0\0\0\1\x0a\x4d\0\1", 28);
}

static void p_gtpu(struct frame *f)
{
	put(f, "\x30\xff\0\x1c\0\0\0\1", 8);
	put_ip4(f, 1, 8, 1, 0);
	put(f, "\x08\0\0\0\0\0\0\0", 8);
}

static void p_openvpn(struct frame *f)
{
	put8(f, 9 << 3);
	put_fill(f, 30, 0x81);
}

/* A BOOTP request as far as its transaction. */
static void p_bootp(struct frame *f)
{
	put32(f, 0x01010600);
	put32(f, 0x1d2d3d4d);
}

/* A DHCPv6 solicit with an empty option for rapid commit. */
static void p_solicit(struct frame *f)
{
	put32(f, 0x01abcdef);
	put32(f, 0x000e0000);
}

/* What only a port tells is believed on that port, whichever side has it, and on no port beside it. */
static void ports_that_tell(void **state)
{
	static const struct {
		unsigned port;
		void (*payload)(struct frame *);
		uint64_t protos;
		unsigned others[2]; /* neighbours that tell something else */
	} rows[] = {
		{ 53, p_hello, P(DNS), { 0 } },
		{ 5353, p_hello, P(DNS) | P(MDNS), { 0 } },
		{ 5355, p_hello, P(DNS) | P(LLMNR), { 0 } },
		{ 137, p_hello, P(DNS) | P(NBNS), { 138 } },
		{ 138, p_hello, P(NETBIOS), { 137 } },
		{ 67, p_bootp, P(DHCP), { 68 } },
		{ 68, p_bootp, P(DHCP), { 67 } },
		{ 546, p_solicit, P(DHCP6), { 547 } },
		{ 547, p_solicit, P(DHCP6), { 546 } },
		{ 123, p_time, P(NTP), { 0 } },
		{ 5350, p_map, P(NATPMP), { 5351 } },
		{ 5351, p_map, P(NATPMP), { 5350 } },
		{ 4789, p_vxlan, P(ARP), { 0 } },
		{ 8472, p_vxlan, P(ARP), { 0 } },
		{ 2152, p_gtpu, P(ICMP), { 0 } },
		{ 853, p_hello, P(DOT), { 0 } },
		{ 1194, p_openvpn, P(OPENVPN), { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame p = { .n = 0 };
		unsigned port = rows[i].port;

		rows[i].payload(&p);
		if (protos_on(40000, port, &p) != rows[i].protos ||
		    protos_on(port, 40000, &p) != rows[i].protos)
			fail_msg("port %u: %llx", port, (unsigned long long)facts.protos);
		for (unsigned beside = port - 1; beside <= port + 1; beside += 2)
			if (beside != rows[i].others[0] && protos_on(40000, beside, &p) != 0)
				fail_msg("port %u: %llx", beside, (unsigned long long)facts.protos);
	}
}

/* The first byte of a shape alone makes no protocol of a datagram. */
static void first_bytes_do_not_tell(void **state)
{
	static const char firsts[] = "dBMN\x80\xc0\4\1\x16\0";

	(void)state;
	for (size_t i = 0; i < sizeof(firsts); i++)
		for (size_t n = 1; n < 60; n++) {
			struct frame p = { .n = 0 };

			put8(&p, (uint8_t)firsts[i]);
			put_fill(&p, n - 1, 'o');
			if (protos_on(40000, 40001, &p) != 0)
				fail_msg("%02x and %zu bytes: %llx", (uint8_t)firsts[i], n - 1,
					 (unsigned long long)facts.protos);
		}
}

/* A shape that is distinct is the protocol on any port, even on one of another protocol. */
static void shapes_outweigh_ports(void **state)
{
	static const struct {
		void (*payload)(struct frame *);
		uint64_t protos;
	} rows[] = {
		{ p_wg_data, P(WIREGUARD) }, { p_dht_query, P(BT_DHT) },
		{ p_stun, P(STUN) },	     { p_udp_connect, P(BT_UDP_TRACKER) },
		{ p_dtls, P(DTLS) },	     { p_lsd, P(BT_LSD) },
		{ p_ssdp, P(SSDP) },	     { p_ssdp_reply, P(SSDP) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame p = { .n = 0 };

		rows[i].payload(&p);
		assert_true(protos_on(40000, 40001, &p) == rows[i].protos);
		assert_true(protos_on(40000, 53, &p) == rows[i].protos);
		assert_true(facts.weak == 0);
		assert_true(protos_on(40000, 853, &p) == (rows[i].protos | P(DOT)));
	}
}

static void notify(struct frame *f)
{
	put_text(f,
		 "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: upnp:rootdevice\r\n\r\n");
}

static void announcements_of_ssdp(void **state)
{
	struct frame p = { .n = 0 };

	(void)state;
	notify(&p);
	assert_true(protos_on(40000, 40001, &p) == P(SSDP));
	assert_int_equal(facts.ssdp.kind, 2);
}

/* ---- carriers ---- */

/* RFC 7348 5: the flag I; reserved bits are ignored on receipt. */
static void vxlan_headers(void **state)
{
	struct frame p = { .n = 0 };

	(void)state;
	p_vxlan(&p);
	assert_true(protos_on(40000, 4789, &p) == P(ARP));
	for (size_t at = 0; at < 8; at++) {
		struct frame q = p;

		q.b[at] ^= at == 0 ? 0xf7 : 0xff;
		assert_true(protos_on(40000, 4789, &q) == P(ARP));
		q.b[0] &= 0xf7;
		assert_true(protos_on(40000, 4789, &q) == 0);
		assert_int_equal(facts.undecodable, false);
		q.n = 8;
		assert_true(protos_on(40000, 4789, &q) == 0);
		assert_int_equal(facts.undecodable, false);
	}
	for (size_t n = 1; n < 8; n++) {
		struct frame q = p;

		q.n = n;
		(void)protos_on(40000, 4789, &q);
		assert_int_equal(facts.reason, UND_VXLAN_SHORT);
	}
	p.n = 8; /* and nothing in it */
	(void)protos_on(40000, 4789, &p);
	assert_int_equal(facts.reason, UND_LINK_SHORT);
}

/* 3GPP TS 29.281 5.1: version 1, a user's packet, an exact length; optional fields take four bytes, of which the last names
 * an extension where there is one (5.2). */
static void gtpu_headers(void **state)
{
	static const struct {
		uint8_t flags, message;
		unsigned length;
		const char *options;
		size_t n;
		bool good;
	} rows[] = {
		{ 0x30, 255, 28, "", 0, true },
		{ 0x30, 255, 29, "", 0, false },
		{ 0x30, 255, 27, "", 0, false },
		{ 0x30, 254, 28, "", 0, false },
		{ 0x20, 255, 28, "", 0, false },
		{ 0x32, 255, 32, "\0\0\0\0", 4, true },
		{ 0x31, 255, 32, "\0\0\0\x85", 4, true }, /* a type that no flag announces */
		{ 0x34, 255, 32, "\0\0\0\0", 4, true },
		{ 0x34, 255, 36, "\0\0\0\x85\1..\0", 8, true },
		{ 0x34, 255, 44, "\0\0\0\x85\1..\x85\2......\0", 16, true },
		{ 0x34, 255, 36, "\0\0\0\x85\0..\0", 8, false }, /* no words at all */
		{ 0x34, 255, 36, "\0\0\0\x85\xff..\0", 8, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame p = { .n = 0 };

		put8(&p, rows[i].flags);
		put8(&p, rows[i].message);
		put16(&p, rows[i].length);
		put32(&p, 1);
		put(&p, rows[i].options, rows[i].n);
		put_ip4(&p, 1, 8, 1, 0);
		put(&p, "\x08\0\0\0\0\0\0\0", 8);
		assert_true(protos_on(40000, 2152, &p) == (rows[i].good ? P(ICMP) : 0));
		assert_int_equal(facts.n_layers, rows[i].good ? 2 : 1);
		if (rows[i].good)
			assert_int_equal(facts.layer[1].encap, ENCAP_GTPU);
	}
	/* a header with nothing in it is no packet of a user */
	assert_true(protos_on(40000, 2152, &(struct frame){ { 0x30, 255, 0, 0, 0, 0, 0, 1 }, 8 }) ==
		    0);
	assert_int_equal(facts.reason, UND_NONE);
	assert_true(protos_on(40000, 2152, &(struct frame){ { 0x30 }, 1 }) == 0);
}

#define ETH4	 "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0"
#define V6_EMPTY "\x60\0\0\0\0\0\x3b\x40" SRC6 DST6 /* no next header */
#define BYTES(s) (s), sizeof(s) - 1

/* Where the header ends with the datagram there is nothing to enter; a byte more is entered, and is too short. */
static void tunnels_at_their_limits(void **state)
{
	static const struct {
		unsigned port;
		const char *b;
		size_t n;
		enum undecodable reason; /* of what is entered; UND_NONE: not entered, or whole */
		unsigned layers;
	} rows[] = {
		{ 6081, BYTES("\0\0\x65\x58\0\0\x2a\0"), UND_NONE, 1 },
		{ 6081, BYTES("\0\0\x65\x58\0\0\x2a"), UND_NONE, 1 },
		{ 6081, BYTES("\0\0\x65\x58\0\0\x2a\0."), UND_LINK_SHORT, 1 },
		{ 6081, BYTES("\1\0\x65\x58\0\0\x2a\0...."), UND_NONE, 1 },
		{ 6081, BYTES("\1\0\x65\x58\0\0\x2a\0....."), UND_LINK_SHORT, 1 },
		{ 6081, BYTES("\0\xc0\x65\x58\0\0\x2a\0."), UND_LINK_SHORT, 1 },
		{ 6081, BYTES("\0\1\x65\x58\0\0\x2a\0."), UND_NONE, 1 },
		{ 6081, BYTES("\0\x20\x65\x58\0\0\x2a\0."), UND_NONE, 1 },
		{ 6081, BYTES("\x80\0\x65\x58\0\0\x2a\0."), UND_NONE, 1 },
		{ 6081, BYTES("\0\0\x86\xdd\0\0\x2a\0" V6_EMPTY), UND_NONE, 2 },
		{ 1701, BYTES("\0\2\0\1\0\2"), UND_NONE, 1 },
		{ 1701, BYTES("\0\2\0\1\0"), UND_NONE, 1 },
		{ 1701, BYTES("\0\2\0\1\0\2\x21"), UND_IP4_SHORT, 1 },
		{ 1701, BYTES("\0\2\0\1\0\2\x57" V6_EMPTY), UND_NONE, 2 },
		{ 1701, BYTES("\x40\2\0\x09\0\1\0\2\x21"), UND_IP4_SHORT, 1 },
		{ 1701, BYTES("\x40\2\0\x0a\0\1\0\2\x21"), UND_NONE, 1 },
		{ 1701, BYTES("\x08\2\0\1\0\2NsN"), UND_NONE, 1 },
		{ 1701, BYTES("\x08\2\0\1\0\2NsNr"), UND_NONE, 1 },
		{ 1701, BYTES("\x08\2\0\1\0\2NsNr\x21"), UND_IP4_SHORT, 1 },
		{ 1701, BYTES("\2\2\0\1\0\2\0\3pad"), UND_NONE, 1 },
		{ 1701, BYTES("\2\2\0\1\0\2\0\3pad\x21"), UND_IP4_SHORT, 1 },
		{ 1701, BYTES("\2\2\0\1\0\2\0\4pad"), UND_NONE, 1 },
		{ 3544, BYTES(V6_EMPTY), UND_NONE, 2 },
		{ 3544, BYTES("\x60\0\0\0\0\1\x3b\x40" SRC6 DST6), UND_NONE, 1 },
		{ 3544, BYTES("\x60\0\0\0\0\1\x3b\x40" SRC6 DST6 "."), UND_NONE, 2 },
		{ 3544, BYTES("\x50\0\0\0\0\0\x3b\x40" SRC6 DST6), UND_NONE, 1 },
		{ 3544, BYTES("\0\0\1\2abcd" V6_EMPTY), UND_NONE, 2 },
		{ 3544, BYTES("\0\1\1\2cvvnonce...\0" V6_EMPTY), UND_NONE, 2 },
		{ 3544, BYTES("\0\1\0\0nonce...\0\0\0\1\2abcd" V6_EMPTY), UND_NONE, 2 },
		{ 3544, BYTES("\0\2\0\0nonce...\0" V6_EMPTY), UND_NONE, 1 },
		{ 2152, BYTES("\x30\xff\0\1\0\0\0\1\x45"), UND_IP4_SHORT, 1 },
		{ 2152, BYTES("\x30\xff\0\x28\0\0\0\1" V6_EMPTY), UND_NONE, 2 },
		{ 4789, BYTES("\x08\0\0\0\0\0\x2a\0" ETH4 "\x45"), UND_IP4_SHORT, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		udp4(40000, rows[i].port, rows[i].b, rows[i].n);
		if (facts.reason != rows[i].reason || facts.n_layers != rows[i].layers)
			fail_msg("row %zu: %s, %u layers", i, undecodable_name(facts.reason),
				 facts.n_layers);
	}
}

#define CLOCK	"\0\0\1\0\0\0\0\0" /* uTP's */
#define WINDOW	"\0\x10\0\0\0\1\0\0"
#define ROOT_IN "\0\0\1\0\1" /* a question for the root */

/* What is no tunnel's on its port may be something else, of those that a shape alone tells (from port 443: QUIC). */
static void refused_by_tunnels(void **state)
{
	static const struct {
		unsigned sport, dport;
		const char *b;
		size_t n;
		uint64_t protos;
	} rows[] = {
		{ 40000, 4789, BYTES("\x41\0\0\1" CLOCK WINDOW), P(BT_UTP) },
		{ 40000, 2152, BYTES("\x41\0\0\1" CLOCK WINDOW), P(BT_UTP) },
		{ 40000, 6081, BYTES("\x41\0\0\1" CLOCK WINDOW), P(BT_UTP) },
		{ 40000, 1701, BYTES("\x41\0\0\1" CLOCK WINDOW), P(BT_UTP) },
		{ 40000, 3544, BYTES("\x41\0\0\1" CLOCK WINDOW), P(BT_UTP) },
		{ 40000, 1701, BYTES("\x41\2\xff\xff" CLOCK WINDOW "\0\1x"), P(BT_UTP) },
		{ 40000, 2152, /* an extension of no words; also a query with an option */
		  BYTES("\x34\xff\0\x14\0\1\0\0\0\0\0\1" ROOT_IN "\0\0\x29\4\xd0\0\0\0\0\0\0"),
		  P(DNS) },
		{ 443, 1701,
		  BYTES("\x42\2\0\x15\0\1\0\2\0\xff"
			"0123456789a"),
		  P(QUIC) },
		{ 443, 3544, BYTES("\x60\0\0\0\0\1\x3b\x40" SRC6 DST6), P(QUIC) },
		{ 443, 6081,
		  BYTES("\x40\0\x65\x58\0\0\x2a\0"
			"01234567890123456789"),
		  P(QUIC) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		udp4(rows[i].sport, rows[i].dport, rows[i].b, rows[i].n);
		if (facts.protos != (rows[i].protos | P(UDP)) || facts.reason != UND_NONE)
			fail_msg("row %zu: %llx", i, (unsigned long long)facts.protos);
	}
}

/* What is a tunnel's is nothing else, though it might be a query (or QUIC) on another port. */
static void entered_and_nothing_else(void **state)
{
	static const struct {
		unsigned sport, dport;
		const char *b;
		size_t n;
	} rows[] = {
		{ 40000, 4789, BYTES("\x08\0\0\0\0\1\0\0\0\0\0\0" ROOT_IN) },
		{ 40000, 6081, BYTES("\0\0\1\0\0\1\0\0\0\0\0\0" ROOT_IN) },
		{ 40000, 1701, BYTES("\0\2\1\0\0\1\0\0\0\0\0\0" ROOT_IN) },
		{ 40000, 2152, BYTES("\x30\xff\0\x09\0\1\0\0\0\0\0\0" ROOT_IN) },
		/* an option that is cut off; a question whose name is made of addresses */
		{ 40000, 3544,
		  BYTES("\x60\0\0\0\0\1\0\0"
			"\0\0\0\0"
			"\x17"
			"abcdefghijklmnopqrstuvw"
			"\0\0\1\0"
			"\1") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		udp4(rows[i].sport, rows[i].dport, rows[i].b, rows[i].n);
		if (facts.protos != P(UDP))
			fail_msg("row %zu: %llx", i, (unsigned long long)facts.protos);
		assert_true(facts.undecodable);
		udp4(rows[i].sport, 40001, rows[i].b, rows[i].n);
		assert_true(facts.protos & P(DNS));
	}
}

/* Eight extension headers of GTP-U are walked over. */
static void extensions_of_gtpu_are_bounded(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 10; n++) {
		struct frame p = { .n = 0 };

		put(&p, "\x34\xff\0\0\0\0\0\1\0\0\0\x85", 12);
		for (unsigned i = 1; i <= n; i++) {
			put(&p, "\1\x10\5", 3);
			put8(&p, i < n ? 0x85 : 0);
		}
		put(&p, V6_EMPTY, 40);
		set16(&p, 2, p.n - 8);
		udp4(40000, 2152, p.b, p.n);
		assert_int_equal(facts.n_layers, n <= 8 ? 2 : 1);
		assert_int_equal(facts.reason, UND_NONE);
	}
}

/* ---- WireGuard, and a DNS query that looks like it ---- */

/* Id 0x0400 and no flags are WireGuard's data message; 32 bytes is one of its sizes. */
static void put_query_like_wireguard(struct frame *p, const char *name, bool subnet)
{
	put(p, "\4\0\0\0\0\1\0\0\0\0\0\0", 12);
	p->b[11] = subnet;
	put_name(p, name);
	put32(p, 0x00010001);
	if (subnet)
		put(p, "\0\0\x29\4\xd0\0\0\0\0\0\x0b\0\x08\0\7\0\1\x18\0\xcb\0\x71", 22);
}

static void queries_that_look_like_wireguard(void **state)
{
	struct frame p = { .n = 0 };

	(void)state;
	put_query_like_wireguard(&p, "torrents1.test", false);
	assert_int_equal(p.n, 32);
	assert_true(protos_on(40000, 53, &p) == P(DNS));
	assert_int_equal(facts.weak, 0);
	assert_true(protos_on(40000, 51820, &p) == P(DNS));
	assert_true(facts.weak == P(DNS));
	p.b[31] = 2; /* of a class that is not IN: a message of WireGuard */
	assert_true(protos_on(40000, 51820, &p) == P(WIREGUARD));
	assert_int_equal(facts.weak, 0);
	p.b[31] = 1;
	p.b[4] = 1; /* 257 questions */
	assert_true(protos_on(40000, 51820, &p) == P(WIREGUARD));
	p.n = 0;
	put_query_like_wireguard(&p, "abc.test", true);
	assert_int_equal(p.n, 48);
	assert_true(protos_on(40000, 53, &p) == P(DNS));
	assert_int_equal(facts.n_addrs, 1);
}

/* ---- OpenVPN: known by a reset, or taken for it on its port ---- */

static void openvpn_by_reset_or_port(void **state)
{
	struct frame data = { .n = 0 }, reset = { .n = 0 };

	(void)state;
	p_openvpn(&data);
	p_openvpn_reset(&reset);
	assert_true(protos_on(40000, 40001, &data) == 0);
	assert_true(protos_on(40000, 1194, &data) == P(OPENVPN));
	assert_true(facts.weak == P(OPENVPN));
	assert_true(protos_on(40000, 40001, &reset) == P(OPENVPN));
	assert_true(facts.weak == 0);
	assert_int_equal(facts.openvpn.opcode, 7);
}

/* On the port of QUIC too, whose short header any byte from 0x40 to 0x7f could be. */
static void openvpn_on_the_port_of_quic(void **state)
{
	struct decoder *d = decoder_new();
	struct frame p = { .n = 0 }, f = { .n = 0 };

	(void)state;
	assert_non_null(d);
	p_openvpn(&p);
	udp4(40000, 443, p.b, p.n);
	assert_true(facts.protos == (P(UDP) | P(QUIC)));
	build(&f, UDP4, 40000, 443, p_openvpn_reset);
	decode(d, &f, &facts);
	assert_true(facts.protos == (P(UDP) | P(OPENVPN)));
	build(&f, UDP4, 40000, 443, p_openvpn);
	decode(d, &f, &facts);
	assert_true(facts.protos == (P(UDP) | P(OPENVPN)));
	assert_int_equal(facts.weak, 0);
	decoder_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_at_their_limits),
		cmocka_unit_test(ports_that_tell),
		cmocka_unit_test(first_bytes_do_not_tell),
		cmocka_unit_test(shapes_outweigh_ports),
		cmocka_unit_test(announcements_of_ssdp),
		cmocka_unit_test(vxlan_headers),
		cmocka_unit_test(gtpu_headers),
		cmocka_unit_test(tunnels_at_their_limits),
		cmocka_unit_test(refused_by_tunnels),
		cmocka_unit_test(entered_and_nothing_else),
		cmocka_unit_test(extensions_of_gtpu_are_bounded),
		cmocka_unit_test(queries_that_look_like_wireguard),
		cmocka_unit_test(openvpn_by_reset_or_port),
		cmocka_unit_test(openvpn_on_the_port_of_quic),
	};

	return cmocka_run_group_tests_name("packet_udp", tests, NULL, NULL);
}
