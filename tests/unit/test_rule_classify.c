// SPDX-License-Identifier: MIT
/* What a packet is before any rule asks: its relation to the tunnel, whether it keeps the link up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golden/world.h"
#include "rule/judge_internal.h"

/* The judge knows the frame at hand once it was fed; its parts are then asked again. */
static void show(struct world *w, const char *tap_name, uint32_t linktype, struct bytes b)
{
	judge_frame(w->j, tap(w, tap_name), ++w->number, (int)linktype, b.b, (uint32_t)b.n,
		    (uint32_t)b.n, START);
}

/* ---- the tunnel ---- */

static const char both_kinds[] =
	"{\"controls\":[],\"tunnels\":["
	"{\"kind\":\"wireguard\",\"proto\":\"udp\",\"endpoint\":\"198.51.100.2\",\"port\":51820},"
	"{\"kind\":\"openvpn\",\"proto\":\"udp\",\"endpoint\":\"198.51.100.2\",\"port\":1194},"
	"{\"kind\":\"openvpn\",\"proto\":\"tcp\",\"endpoint\":\"198.51.100.2\",\"port\":443},"
	"{\"kind\":\"openvpn\",\"proto\":\"udp\",\"endpoint\":\"198.51.100.3\",\"port\":1195},"
	"{\"kind\":\"openvpn\",\"proto\":\"udp\",\"endpoint\":\"198.51.100.3\",\"port\":53},"
	"{\"kind\":\"openvpn\",\"proto\":\"udp\",\"endpoint\":\"198.51.100.3\",\"port\":123}]}";

static void check_relation(struct bytes packet, enum packet_direction dir,
			   enum tunnel_relation want, int tuple)
{
	struct world w = lab_but(both_kinds);
	const struct policy_tunnel *t;
	enum tunnel_relation r;
	bool verified;

	show(&w, "uplink", LINK_RAW, packet);
	r = judge_tunnel(w.j, &w.j->facts, dir, &t, &verified);
	if (r != want)
		fail_msg("relation %d, not %d", r, want);
	assert_ptr_equal(t, tuple < 0 ? NULL : &w.p->tunnels[tuple]);
	assert_true(verified);
	end(&w);
}

static struct bytes wg(size_t n, const char *head)
{
	struct bytes h = hex(head);

	return ip(REAL, VPN, P_UDP, udp(41000, 51820, cat(h, fill(0xa7, n - h.n))));
}

/* whitepaper 5.4: each type has its size, data any multiple of 16, or what an MTU leaves from 576 on */
static void test_wireguard_payloads(void **state)
{
	static const struct {
		const char *head;
		size_t n;
		bool good;
	} rows[] = {
		{ "01000000", 148, true }, { "01000000", 147, false }, { "01000000", 149, false },
		{ "02000000", 92, true },  { "02000000", 91, false },  { "03000000", 64, true },
		{ "03000000", 65, false }, { "04000000", 32, true },   { "04000000", 31, false },
		{ "04000000", 48, true },  { "04000000", 49, false },  { "04000000", 607, false },
		{ "04000000", 609, true }, { "04000000", 1452, true }, { "05000000", 64, false },
		{ "00000000", 64, false }, { "04010000", 64, false },  { "04000100", 64, false },
		{ "04000001", 64, false }, { "04000000", 15, false },  { "04000000", 4, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_relation(wg(rows[i].n, rows[i].head), DIR_OUT,
			       rows[i].good ? TUNNEL_PAYLOAD : TUNNEL_TUPLE_ONLY, 0);
	check_relation(ip(REAL, VPN, P_UDP, udp(41000, 51820, fill(0, 0))), DIR_OUT,
		       TUNNEL_TUPLE_ONLY, 0);
}

static struct bytes ovpn(struct bytes payload)
{
	return ip(REAL, VPN, P_UDP, udp(41000, 1194, payload));
}

static struct bytes ovpn_tcp(uint8_t flags, struct bytes payload)
{
	return ip(REAL, VPN, P_TCP, tcp(41000, 443, 5, flags, payload));
}

/* ssl_pkt.h: opcodes 3 to 11 in the upper five bits; over TCP anything that is not known to be something else */
static void test_openvpn_payloads(void **state)
{
	(void)state;
	check_relation(ovpn(cat(be(6 << 3, 1), fill(0xc3, 40))), DIR_OUT, TUNNEL_PAYLOAD, 1);
	check_relation(ovpn(cat(be(9 << 3, 1), fill(0xc3, 40))), DIR_OUT, TUNNEL_PAYLOAD, 1);
	check_relation(ovpn(cat(be(7 << 3, 1), fill(0, 13))), DIR_OUT, TUNNEL_PAYLOAD, 1);
	check_relation(ovpn(cat(be(11 << 3, 1), fill(0xc3, 40))), DIR_OUT, TUNNEL_PAYLOAD, 1);
	check_relation(ovpn(cat(be(12 << 3, 1), fill(0xc3, 40))), DIR_OUT, TUNNEL_TUPLE_ONLY, 1);
	check_relation(ovpn(cat(be(0, 1), fill(0xc3, 40))), DIR_OUT, TUNNEL_TUPLE_ONLY, 1);
	check_relation(ovpn(cat(be(7 << 3, 1), fill(0, 12))), DIR_OUT, TUNNEL_TUPLE_ONLY, 1);
	check_relation(ovpn(dht_ping(fill(1, 20))), DIR_OUT, TUNNEL_TUPLE_ONLY, 1);
	/* what begins a session has the first key; an acknowledgment is short */
	check_relation(ovpn(cat(be(8 << 3 | 1, 1), fill(0xc3, 40))), DIR_OUT, TUNNEL_TUPLE_ONLY, 1);
	check_relation(ovpn(cat(be(10 << 3 | 7, 1), fill(0xc3, 40))), DIR_OUT, TUNNEL_TUPLE_ONLY,
		       1);
	check_relation(ovpn(cat(be(4 << 3 | 7, 1), fill(0xc3, 40))), DIR_OUT, TUNNEL_PAYLOAD, 1);
	check_relation(ovpn(cat(be(5 << 3, 1), fill(0xc3, 121))), DIR_OUT, TUNNEL_PAYLOAD, 1);
	check_relation(ovpn(cat(be(5 << 3, 1), fill(0xc3, 122))), DIR_OUT, TUNNEL_TUPLE_ONLY, 1);
	/* 32 letters are no ciphertext */
	check_relation(ovpn(text("INVITE sip:a@example.test SIP/2.0\r\n")), DIR_OUT,
		       TUNNEL_TUPLE_ONLY, 1);
	check_relation(ovpn(cat(text("INVITE sip:a@example.test SIP/2"), fill(0xc3, 40))), DIR_OUT,
		       TUNNEL_PAYLOAD, 1);
	check_relation(ovpn(cat(text("INVITE sip:a@example.test SIP/2."), fill(0xc3, 40))), DIR_OUT,
		       TUNNEL_TUPLE_ONLY, 1);
	check_relation(ovpn(text("INVITE sip:a@example.test SIP/2")), DIR_OUT, TUNNEL_PAYLOAD, 1);
	for (unsigned b = 0; b < 256; b++)
		check_relation(ovpn(cat(text("INVITE sip:a@example.test SIP/2"), be(b, 1))),
			       DIR_OUT,
			       (b >= ' ' && b <= '~') || b == '\r' || b == '\n' || b == '\t'
				       ? TUNNEL_TUPLE_ONLY
				       : TUNNEL_PAYLOAD,
			       1);
	check_relation(ovpn_tcp(F_ACK, text("220 mail.example.test ESMTP ready\r\n")), DIR_OUT,
		       TUNNEL_TUPLE_ONLY, 2);
	/* a query whose id happens to be an opcode */
	check_relation(ovpn(dns_query(0x4800, "a.example")), DIR_OUT, TUNNEL_TUPLE_ONLY, 1);
	check_relation(ovpn_tcp(F_SYN, fill(0, 0)), DIR_OUT, TUNNEL_PAYLOAD, 2);
	check_relation(ovpn_tcp(F_ACK, fill(0xc3, 40)), DIR_OUT, TUNNEL_PAYLOAD, 2);
	check_relation(ovpn_tcp(F_ACK, text("GET / HTTP/1.1\r\nHost: a\r\n\r\n")), DIR_OUT,
		       TUNNEL_TUPLE_ONLY, 2);
	/* ciphertext may begin as a record of TLS does; a whole one it is not */
	check_relation(ovpn_tcp(F_ACK, cat(hex("1703032000"), fill(0xc3, 90))), DIR_OUT,
		       TUNNEL_PAYLOAD, 2);
	check_relation(ovpn_tcp(F_ACK, cat(hex("170303005a"), fill(0xc3, 90))), DIR_OUT,
		       TUNNEL_TUPLE_ONLY, 2);
	check_relation(ovpn_tcp(F_ACK, tls_hello("a.example")), DIR_OUT, TUNNEL_TUPLE_ONLY, 2);
}

/* Providers offer ports on which the decoder looks for something else; what that really is shows all the same. */
static void test_openvpn_on_borrowed_ports(void **state)
{
	const struct bytes data = cat(hex("49000000 00000123"), fill(0xc3, 40));

	(void)state;
	for (uint16_t port = 53, tuple = 4; tuple <= 5; port = 123, tuple++)
		check_relation(ip(REAL, "198.51.100.3", P_UDP, udp(41000, port, data)), DIR_OUT,
			       TUNNEL_PAYLOAD, tuple);
	check_relation(ip(REAL, "198.51.100.3", P_UDP, udp(41000, 53, dns_query(0x4800, "a.b"))),
		       DIR_OUT, TUNNEL_TUPLE_ONLY, 4);
	check_relation(ip(REAL, "198.51.100.3", P_UDP, udp(41000, 123, dht_ping(fill(1, 20)))),
		       DIR_OUT, TUNNEL_TUPLE_ONLY, 5);
}

static struct bytes fragment(uint16_t offset, int more, struct bytes p)
{
	return ip4o(REAL, VPN, P_UDP, (struct ip_fields){ .id = 7, .offset = offset, .more = more },
		    p);
}

/* Of a datagram in pieces the first one tells. Only data is as long as that. */
static void test_fragments_in_the_tuple(void **state)
{
	struct bytes data = udp(41000, 51820, cat(hex("04000000"), fill(0xa7, 500)));
	struct bytes initiation = udp(41000, 51820, cat(hex("01000000"), fill(0xa7, 500)));
	struct bytes openvpn = udp(41000, 1194, cat(be(9 << 3, 1), fill(0xa7, 503)));
	struct world w;
	const struct policy_tunnel *t;
	bool verified = true;

	(void)state;
	check_relation(fragment(0, 1, data), DIR_OUT, TUNNEL_PAYLOAD, 0);
	check_relation(fragment(0, 1, initiation), DIR_OUT, TUNNEL_TUPLE_ONLY, 0);
	check_relation(fragment(0, 1, openvpn), DIR_OUT, TUNNEL_PAYLOAD, 1);
	/* a later one without its first has no port: it went to the server, and nobody knows as what */
	w = lab_but(both_kinds);
	show(&w, "uplink", LINK_RAW, fragment(512, 0, fill(1, 64)));
	assert_int_equal(judge_tunnel(w.j, &w.j->facts, DIR_OUT, &t, &verified), TUNNEL_PAYLOAD);
	assert_false(verified);
	end(&w);
	w = lab_but(both_kinds);
	show(&w, "uplink", LINK_RAW, fragment(0, 1, data));
	show(&w, "uplink", LINK_RAW, fragment(1024, 1, fill(1, 64)));
	assert_int_equal(judge_tunnel(w.j, &w.j->facts, DIR_OUT, &t, &verified), TUNNEL_PAYLOAD);
	assert_true(verified);
	end(&w);
}

static enum tunnel_relation relation_of_start(struct bytes b, size_t kept, bool *verified)
{
	struct world w = lab_but(both_kinds);
	const struct policy_tunnel *t;
	enum tunnel_relation r;

	judge_frame(w.j, 0, 1, LINK_RAW, b.b, (uint32_t)kept, (uint32_t)b.n, START);
	*verified = true;
	r = judge_tunnel(w.j, &w.j->facts, DIR_OUT, &t, verified);
	end(&w);
	return r;
}

static enum tunnel_relation relation_of_cut(size_t kept, bool *verified)
{
	return relation_of_start(wg(64, "04000000"), 28 + kept, verified);
}

/* Of a header that is cut the ports may still be there. */
static void test_what_half_a_header_says(void **state)
{
	struct bytes other = ip(REAL, VPN, P_TCP, tcp(41000, 444, 1, F_ACK, fill(0xc3, 40)));
	bool verified;

	(void)state;
	assert_int_equal(relation_of_start(other, 20 + 8, &verified), TUNNEL_OTHER_PORT);
	assert_int_equal(relation_of_start(other, 20 + 7, &verified), TUNNEL_PAYLOAD);
	assert_false(verified);
}

/* A snap length that leaves too little to look at is said, not held against the packet. */
static void test_what_a_short_capture_says(void **state)
{
	bool verified;

	(void)state;
	assert_int_equal(relation_of_cut(15, &verified), TUNNEL_PAYLOAD);
	assert_false(verified);
	assert_int_equal(relation_of_cut(0, &verified), TUNNEL_PAYLOAD);
	assert_false(verified);
	assert_int_equal(relation_of_cut(16, &verified), TUNNEL_PAYLOAD);
	assert_true(verified);
}

static struct bytes data_from_server(const char *dst)
{
	return ip(VPN, dst, P_UDP, udp(51820, 41000, wg_data(64, 6)));
}

static void test_both_ends_of_the_tuple(void **state)
{
	struct bytes data = wg_data(64, 5);

	(void)state;
	check_relation(ip(REAL, VPN, P_UDP, udp(41000, 51821, data)), DIR_OUT, TUNNEL_OTHER_PORT,
		       2);
	check_relation(ip(REAL, VPN, P_TCP, tcp(41000, 51820, 1, F_SYN, fill(0, 0))), DIR_OUT,
		       TUNNEL_OTHER_PORT, 2);
	check_relation(ip(REAL, SINK, P_UDP, udp(41000, 51820, data)), DIR_OUT, TUNNEL_NOT, -1);
	check_relation(ip(REAL, "198.51.100.3", P_UDP,
			  udp(41000, 1195, cat(be(9 << 3, 1), fill(0xc3, 40)))),
		       DIR_OUT, TUNNEL_PAYLOAD, 3);
	check_relation(data_from_server(REAL), DIR_IN, TUNNEL_PAYLOAD, 0);
	check_relation(data_from_server(REAL), DIR_UNKNOWN, TUNNEL_PAYLOAD, 0);
	/* the server's address as a source that leaves is forged, or turned back to a gateway that is gone */
	check_relation(data_from_server(SINK), DIR_OUT, TUNNEL_NOT, -1);
	check_relation(data_from_server("172.31.0.2"), DIR_OUT, TUNNEL_PAYLOAD, 0);
	check_relation(data_from_server(QBT), DIR_OUT, TUNNEL_NOT, -1);
}

static struct bytes error_about(const char *src, const char *dst, struct bytes quoted)
{
	return ip(src, dst, P_ICMP, icmp(3, 3, cat(be(0, 4), quoted)));
}

/* An ICMP error about a tunnel packet, from the server or from any router on the way. */
static void test_errors_about_the_tunnel(void **state)
{
	struct bytes ours = ip(REAL, VPN, P_UDP, udp(41000, 51820, fill(1, 32)));
	struct bytes theirs = ip(VPN, REAL, P_UDP, udp(51820, 41000, fill(1, 32)));
	struct bytes cut = ip4o(REAL, VPN, P_UDP, (struct ip_fields){ .offset = 800 }, fill(1, 32));

	(void)state;
	check_relation(error_about(ROUTER, REAL, ours), DIR_IN, TUNNEL_QUOTED, 0);
	check_relation(error_about(REAL, VPN, theirs), DIR_OUT, TUNNEL_QUOTED, 0);
	check_relation(
		error_about(ROUTER, REAL, ip(REAL, VPN, P_UDP, udp(41000, 51821, fill(1, 9)))),
		DIR_IN, TUNNEL_NOT, -1);
	check_relation(
		error_about(ROUTER, REAL, ip(VPN, REAL, P_UDP, udp(51821, 41000, fill(1, 9)))),
		DIR_IN, TUNNEL_NOT, -1);
	check_relation(
		error_about(ROUTER, REAL, ip(REAL, SINK, P_UDP, udp(41000, 51820, fill(1, 9)))),
		DIR_IN, TUNNEL_NOT, -1);
	check_relation(
		error_about(ROUTER, REAL, ip(SINK, REAL, P_UDP, udp(51820, 41000, fill(1, 9)))),
		DIR_IN, TUNNEL_NOT, -1);
	check_relation(error_about(ROUTER, REAL,
				   ip(REAL, VPN, P_TCP, tcp(41000, 51820, 1, F_SYN, fill(0, 0)))),
		       DIR_IN, TUNNEL_NOT, -1);
	check_relation(error_about(ROUTER, REAL, cut), DIR_IN, TUNNEL_NOT, -1);
	/* to the server about its own, and to nobody else; about ours from outside only */
	check_relation(error_about(REAL, SINK, theirs), DIR_OUT, TUNNEL_NOT, -1);
	check_relation(error_about(REAL, SINK, ours), DIR_OUT, TUNNEL_NOT, -1);
	check_relation(error_about(REAL, SINK, ours), DIR_UNKNOWN, TUNNEL_QUOTED, 0);
}

/* A quote belongs to its own frame, not to the next one. */
static void test_the_frame_behind_an_error(void **state)
{
	struct bytes ours = ip(REAL, VPN, P_UDP, udp(41000, 51820, fill(1, 32)));
	struct world w = lab_but(both_kinds);
	const struct policy_tunnel *t;
	bool verified;

	(void)state;
	show(&w, "uplink", LINK_RAW, error_about(ROUTER, REAL, ours));
	show(&w, "uplink", LINK_RAW, ip(REAL, VPN, P_UDP, udp(41000, 9, fill(1, 32))));
	assert_int_equal(judge_tunnel(w.j, &w.j->facts, DIR_UNKNOWN, &t, &verified),
			 TUNNEL_OTHER_PORT);
	end(&w);
}

/* What counts as traffic of the tunnel; keep-alives and the control channel do not. */
static void test_data_of_the_tunnel(void **state)
{
	const struct {
		struct bytes packet;
		int tuple;
		bool data;
	} rows[] = {
		{ wg(48, "04000000"), 0, true },
		{ wg(32, "04000000"), 0, false },
		{ wg(148, "01000000"), 0, false },
		{ ovpn(cat(be(6 << 3, 1), fill(0xc3, 40))), 1, true },
		{ ovpn(cat(be(9 << 3, 1), fill(0xc3, 40))), 1, true },
		{ ovpn(cat(be(4 << 3, 1), fill(0xc3, 40))), 1, false },
		{ ovpn(cat(be(5 << 3, 1), fill(0xc3, 40))), 1, false },
		{ ovpn(be(9 << 3, 1)), 1, true },
		{ ovpn_tcp(F_ACK, fill(0xc3, 40)), 2, true },
		{ ovpn_tcp(F_ACK, fill(0, 0)), 2, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = lab_but(both_kinds);

		show(&w, "uplink", LINK_RAW, rows[i].packet);
		if (judge_tunnel_data(&w.p->tunnels[rows[i].tuple], &w.j->facts.layer[0]) !=
		    rows[i].data)
			fail_msg("row %zu", i);
		end(&w);
	}
}

/* ---- upkeep ---- */

struct upkeep_row {
	struct bytes frame; /* Ethernet */
	const char *name;   /* NULL: none */
	enum attribution how;
	int service; /* index that it is tied to, -1: none */
	enum packet_direction dir;
	struct flow flow;
};

static void check_upkeep(const char *policy, const struct upkeep_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct upkeep_row *r = &rows[i];
		struct world w = lab_but(policy);
		struct rule_ctx c = { .policy = w.p, .tap = &w.p->taps[0], .dir = r->dir };
		const char *name;

		show(&w, "uplink", LINK_ETHERNET, r->frame);
		c.facts = &w.j->facts;
		c.who.how = r->how;
		c.who.service = r->service < 0 ? NULL : &w.p->services[r->service];
		name = judge_upkeep(w.j, &c, facts_outer(c.facts) ? &r->flow : NULL);
		if (name != r->name && (!name || !r->name || strcmp(name, r->name) != 0))
			fail_msg("row %zu: `%s`, not `%s`", i, name ? name : "-",
				 r->name ? r->name : "-");
		end(&w);
	}
}

static const char nothing[] = "{}";

static void test_arp_is_upkeep_of_others(void **state)
{
	/* a home network may be the stack's as well: the host's own address is the host's */
	static const char home_net[] =
		"{\"networks\":[{\"name\":\"home\",\"prefix\":\"203.0.113.0/24\"}]}";
	const struct upkeep_row rows[] = {
		{ .frame = arp(1, M_HOST, REAL, ROUTER), .name = "arp" },
		{ .frame = arp(1, M_HOST, "0.0.0.0", ROUTER), .name = "arp" },
		{ .frame = arp(1, M_STRANGER, "203.0.113.99", ROUTER), .name = "arp" },
		{ .frame = arp(1, M_HOST, TUN, ROUTER) },
		{ .frame = arp(1, M_QBT, QBT, ROUTER) },
	};
	const struct upkeep_row at_home[] = {
		{ .frame = arp(1, M_HOST, REAL, ROUTER), .name = "arp" },
		{ .frame = arp(1, M_STRANGER, "203.0.113.99", ROUTER) },
	};

	(void)state;
	check_upkeep(nothing, rows, sizeof(rows) / sizeof(rows[0]));
	check_upkeep(home_net, at_home, 2);
}

static struct bytes mld_but(const char *src, const char *dst, uint8_t hops)
{
	return out(ip6o(src, dst, P_ICMP6, hops, icmp(143, 0, fill(0, 24))));
}

static struct bytes mld(uint8_t type)
{
	return out(ip6o("fe80::10", "ff02::16", P_ICMP6, 1, icmp(type, 0, fill(0, 24))));
}

static struct bytes igmp(const char *src, const char *dst, uint8_t ttl)
{
	return ip4o(src, dst, 2, (struct ip_fields){ .ttl = ttl }, hex("22 00 f9fd 0000 0000"));
}

/* ND and MLD (RFC 2710, 3810), IGMP: of the host; not of a container's address. */
static void test_neighbours_and_groups(void **state)
{
	struct bytes query = ip("fd00:64::2", "ff02::1", P_ICMP6,
				icmp(135, 0, cat(fill(0, 4), addr(REAL6))));
	struct bytes broken = ip6o("fe80::10", "ff02::16", P_ICMP6, 1, icmp(143, 0, fill(0, 0)));
	struct bytes routed = ip6o("fe80::10", SINK6, P_ICMP6, 254,
				   icmp(135, 0, cat(fill(0, 4), addr(REAL6))));
	const struct upkeep_row rows[] = {
		{ .frame = out(neighbour(135, REAL6)), .name = "nd" },
		{ .frame = out(query) }, /* from the tunnel's own address */
		{ .frame = out(routed) },
		{ .frame = mld(130), .name = "mld" },
		{ .frame = mld(131), .name = "mld" },
		{ .frame = mld(132), .name = "mld" },
		{ .frame = mld(143), .name = "mld" },
		{ .frame = mld(129) },
		{ .frame = mld(128) },
		{ .frame = mld(144) },
		{ .frame = out(broken) }, /* what cannot be read is no upkeep */
		{ .frame = out(ip(REAL, SINK, P_ICMP, icmp(143, 0, fill(0, 24)))) },
		{ .frame = out(ip(REAL, SINK, P_ICMP, icmp(8, 0, fill(0, 24)))) },
		{ .frame = mld_but(REAL6, "ff02::16", 1), .name = "mld" },
		{ .frame = mld_but("fd00:64::2", "ff02::16", 1) },
		{ .frame = mld_but("fe80::10", "ff02::16", 2) },
		{ .frame = mld_but("fe80::10", SINK6, 1) },
		{ .frame = out(igmp(REAL, "224.0.0.22", 1)), .name = "igmp" },
		{ .frame = out(igmp(REAL, "224.0.0.22", 2)) },
		{ .frame = out(igmp(REAL, SINK, 1)) },
		{ .frame = out(igmp(QBT, "224.0.0.22", 1)) },
		{ .frame = out(igmp(TUN, "224.0.0.22", 1)) },
		/* nothing of a link is sent inside something else */
		{ .frame = out(ip(REAL, SINK, 4, igmp(REAL, "224.0.0.22", 1))) },
		{ .frame = out(ip(REAL, SINK, 41, neighbour(135, REAL6))) },
		{ .frame = out(ip(REAL, SINK, 47,
				  cat(hex("0000 6558"), arp(1, M_HOST, REAL, ROUTER)))) },
	};

	(void)state;
	check_upkeep(nothing, rows, sizeof(rows) / sizeof(rows[0]));
}

/* The host refuses what came to it; a container's refusal, or one that a container's packet provoked, is a leak. */
static void test_refusals_of_the_host(void **state)
{
	struct bytes came = ip(SINK, REAL, P_UDP, udp(9, 40001, fill(1, 9)));
	struct bytes other = ip(SINK, "203.0.113.11", P_UDP, udp(9, 40001, fill(1, 9)));
	struct bytes reset = ip(REAL, SINK, P_TCP, tcp(6881, 50001, 0, F_RST | F_ACK, fill(0, 0)));
	struct bytes data = ip(REAL, SINK, P_TCP, tcp(6881, 50001, 0, F_RST, fill(1, 1)));
	struct bytes ack = ip(REAL, SINK, P_TCP, tcp(6881, 50001, 0, F_ACK, fill(0, 0)));
	struct bytes foreign = ip("203.0.113.11", SINK, P_TCP,
				  tcp(6881, 50001, 0, F_RST, fill(0, 0)));
	struct flow asked = { .inbound = true };
	const struct upkeep_row rows[] = {
		{ .frame = out(error_about(REAL, SINK, came)), .name = "icmp-error" },
		{ .frame = out(error_about(REAL, SINK, came)),
		  .how = ATTR_POLICY,
		  .name = "icmp-error" },
		{ .frame = out(error_about(REAL, SINK, came)), .how = ATTR_SOURCE },
		{ .frame = out(error_about(REAL, SINK, other)) },
		{ .frame = out(error_about("203.0.113.11", SINK, came)) },
		{ .frame = out(reset), .flow = asked, .name = "reset" },
		{ .frame = out(reset), .flow = asked, .how = ATTR_POLICY, .name = "reset" },
		{ .frame = out(reset), .flow = asked, .how = ATTR_CONNTRACK },
		{ .frame = out(reset) },
		{ .frame = out(data), .flow = asked },
		{ .frame = out(ack), .flow = asked },
		{ .frame = out(foreign), .flow = asked },
	};

	(void)state;
	check_upkeep(nothing, rows, sizeof(rows) / sizeof(rows[0]));
}

static struct bytes serves(uint16_t port, struct bytes payload)
{
	return out(ip(REAL, SINK, P_TCP, tcp(port, 50001, 9, F_ACK, payload)));
}

/* A web port of an edge service answers whoever asked, with HTTP or TLS, and as long as nobody else sent it. */
static void test_published_ports(void **state)
{
	static const char ports[] =
		"{\"published\":[{\"proto\":\"udp\",\"port\":8081,\"service\":\"webui\"},"
		"{\"proto\":\"tcp\",\"port\":6881,\"service\":\"qbittorrent\"},"
		"{\"proto\":\"tcp\",\"port\":8080,\"service\":\"webui\"}]}";
	struct flow asked = { .inbound = true, .started = true };
	struct flow middle = { .started = false }; /* its start was not seen */
	struct flow opened = { .started = true };
	struct bytes http = text("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	enum { WEBUI = 3, PLEX_ = 4 };
	const struct upkeep_row rows[] = {
		{ .frame = serves(8080, http),
		  .dir = DIR_OUT,
		  .flow = asked,
		  .name = "published-port" },
		{ .frame = serves(8080, http),
		  .dir = DIR_OUT,
		  .flow = middle,
		  .name = "published-port" },
		{ .frame = serves(8080, fill(0, 0)),
		  .dir = DIR_OUT,
		  .flow = asked,
		  .name = "published-port" },
		{ .frame = serves(8080, fill(0xe5, 50)),
		  .dir = DIR_OUT,
		  .flow = asked,
		  .name = "published-port" },
		{ .frame = serves(8080, http), .dir = DIR_OUT, .flow = opened },
		{ .frame = serves(8080, http), .dir = DIR_IN, .flow = asked },
		{ .frame = serves(8080, http), .dir = DIR_UNKNOWN, .flow = asked },
		{ .frame = serves(8080, bt_handshake()), .dir = DIR_OUT, .flow = asked },
		{ .frame = serves(8081, http), .dir = DIR_OUT, .flow = asked },
		{ .frame = serves(8082, http), .dir = DIR_OUT, .flow = asked },
		{ .frame = serves(6881, http), .dir = DIR_OUT, .flow = asked },
		{ .frame = out(ip(REAL, SINK, P_UDP, udp(8081, 50001, fill(1, 9)))),
		  .dir = DIR_OUT,
		  .flow = asked },
		{ .frame = serves(8080, http),
		  .dir = DIR_OUT,
		  .flow = asked,
		  .how = ATTR_SOURCE,
		  .service = WEBUI,
		  .name = "published-port" },
		{ .frame = serves(8080, http),
		  .dir = DIR_OUT,
		  .flow = asked,
		  .how = ATTR_SOURCE,
		  .service = PLEX_ },
		{ .frame = serves(8080, http),
		  .dir = DIR_OUT,
		  .flow = asked,
		  .how = ATTR_POLICY,
		  .service = 0,
		  .name = "published-port" },
	};

	(void)state;
	check_upkeep(ports, rows, sizeof(rows) / sizeof(rows[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wireguard_payloads),
		cmocka_unit_test(test_openvpn_payloads),
		cmocka_unit_test(test_openvpn_on_borrowed_ports),
		cmocka_unit_test(test_fragments_in_the_tuple),
		cmocka_unit_test(test_what_half_a_header_says),
		cmocka_unit_test(test_what_a_short_capture_says),
		cmocka_unit_test(test_both_ends_of_the_tuple),
		cmocka_unit_test(test_errors_about_the_tunnel),
		cmocka_unit_test(test_the_frame_behind_an_error),
		cmocka_unit_test(test_data_of_the_tunnel),
		cmocka_unit_test(test_arp_is_upkeep_of_others),
		cmocka_unit_test(test_neighbours_and_groups),
		cmocka_unit_test(test_refusals_of_the_host),
		cmocka_unit_test(test_published_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
