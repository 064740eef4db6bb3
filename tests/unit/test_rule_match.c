// SPDX-License-Identifier: MIT
/* The same packet at two taps: copies of the inside, what left, what went through the tunnel, what was stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golden/world.h"

static struct bytes datagram(void)
{
	return udp(1000, 9, fill(1, 50));
}

static struct bytes translated(void)
{
	return udp(50000, 9, fill(1, 50));
}

/* Behind the gateway: translated to its address, one hop further. */
static struct bytes forwarded(uint16_t id, uint8_t ttl)
{
	return eth(M_GATEWAY, M_HOST, 0x0800,
		   ip4o("172.31.0.2", SINK, P_UDP, (struct ip_fields){ .id = id, .ttl = ttl },
			translated()));
}

static struct bytes at_exit(uint16_t id, struct bytes payload)
{
	return ip4o(TUN, SINK, P_UDP, (struct ip_fields){ .id = id, .ttl = 62 }, payload);
}

static void check_counts(struct world *w, uint64_t attempts, uint64_t blocked)
{
	judge_finish(w->j);
	assert_int_equal(judge_attempts(w->j), attempts);
	assert_int_equal(judge_blocked(w->j), blocked);
	end(w);
}

/* ---- outside ---- */

static void check_hop(uint8_t ttl, enum attribution how)
{
	struct world w = lab();

	feed(&w, "br-vpn", 0, from_qbt(11, 64, datagram()));
	feed(&w, "uplink", 45000, leaving(11, ttl, translated()));
	check_who(&w, how, how == ATTR_BRIDGE_MATCH ? "qbittorrent" : "");
	end(&w);
}

static void test_hops_between_bridge_and_uplink(void **state)
{
	(void)state;
	check_hop(64, ATTR_BRIDGE_MATCH);
	check_hop(60, ATTR_BRIDGE_MATCH);
	check_hop(59, ATTR_POLICY);
}

static struct bytes echo(const char *src, uint8_t ttl, const char *rest)
{
	struct bytes p = icmp(8, 0, cat(hex(rest), fill(9, 40)));

	return ip4o(src, SINK, P_ICMP, (struct ip_fields){ .id = 0, .ttl = ttl }, p);
}

static struct bytes echo6(const char *src, const char *rest)
{
	return ip6o(src, SINK6, P_ICMP6, 64, icmp(128, 0, cat(hex(rest), fill(9, 40))));
}

/* Echoes of one run of ping differ in their number alone; the id is translated on the way. */
static void test_echoes_are_told_apart(void **state)
{
	const struct {
		struct bytes inside, outside;
		enum attribution how;
	} rows[] = {
		{ echo(QBT, 64, "1111 0001"), echo(REAL, 63, "2222 0001"), ATTR_BRIDGE_MATCH },
		{ echo(QBT, 64, "1111 0001"), echo(REAL, 63, "2222 0002"), ATTR_POLICY },
		{ echo6("fd00::82", "1111 0001"), echo6(REAL6, "2222 0001"), ATTR_BRIDGE_MATCH },
		{ echo6("fd00::82", "1111 0001"), echo6(REAL6, "2222 0002"), ATTR_POLICY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = lab();

		feed(&w, "br-vpn", 0, app(rows[i].inside));
		feed(&w, "uplink", 45000, out(rows[i].outside));
		check_who(&w, rows[i].how, rows[i].how == ATTR_POLICY ? "" : "qbittorrent");
		end(&w);
	}
}

/* Sent twice by the same service is no doubt about the service. */
static void test_one_service_twice_is_not_ambiguous(void **state)
{
	struct world w = lab();

	(void)state;
	feed(&w, "br-vpn", 0, from_qbt(0, 64, datagram()));
	feed(&w, "br-vpn", 5 * MS, from_qbt(0, 64, datagram()));
	feed(&w, "br-vpn", 10 * MS, from_qbt(0, 64, datagram()));
	feed(&w, "uplink", 11 * MS, leaving(7, 63, translated()));
	check_who(&w, ATTR_BRIDGE_MATCH, "qbittorrent");
	end(&w);
}

static void test_three_services_are_two_names(void **state)
{
	struct world w = lab();

	(void)state;
	feed(&w, "br-vpn", 0, from_qbt(0, 64, datagram()));
	feed(&w, "br-vpn", 1000, from_sonarr(0, 64, datagram()));
	feed(&w, "br-media", 2000,
	     eth(M_PLEX, M_HOST, 0x0800,
		 ip4o(PLEX, SINK, P_UDP, (struct ip_fields){ .ttl = 64 }, datagram())));
	feed(&w, "uplink", 45000, leaving(7, 63, translated()));
	check_who(&w, ATTR_AMBIGUOUS, "plex or sonarr");
	end(&w);
}

/* Each packet that left accounts for one attempt, not twice for the same. */
static void test_each_that_left_settles_one(void **state)
{
	struct world w = lab();

	(void)state;
	for (int i = 0; i < 3; i++)
		feed(&w, "br-vpn", i * 5 * MS, from_qbt(0, 64, datagram()));
	feed(&w, "uplink", 11 * MS, leaving(7, 63, translated()));
	feed(&w, "uplink", 12 * MS, leaving(8, 63, translated()));
	check_counts(&w, 3, 1);
	w = lab();
	for (int i = 0; i < 3; i++)
		feed(&w, "br-vpn", i * 5 * MS, from_qbt(0, 64, datagram()));
	for (int i = 0; i < 3; i++)
		feed(&w, "uplink", (11 + i) * MS, leaving((uint16_t)(7 + i), 63, translated()));
	check_counts(&w, 3, 0);
}

/* Of two that fit, the one that was seen last is the one that left. */
static void test_the_nearest_is_the_one_that_left(void **state)
{
	struct world w = lab();
	int mark = judge_add_mark(w.j, START, START + 900 * MS);

	(void)state;
	feed(&w, "br-vpn", 0, from_qbt(0, 64, datagram()));
	feed(&w, "br-vpn", 10 * MS, from_qbt(0, 64, datagram()));
	feed(&w, "uplink", 10 * MS + 45000, leaving(7, 63, translated()));
	judge_finish(w.j);
	assert_true(first_of(&w, "cleartext-outside-tunnel")->confidence == 0.98);
	assert_int_equal(judge_blocked(w.j), 1);
	assert_int_equal(judge_mark_get(w.j, mark)->first_blocked_in, START);
	end(&w);
}

/* Only the newest 64 of a flood of like packets are looked at. */
static void test_a_flood_is_bounded(void **state)
{
	static const struct {
		uint16_t id;
		enum attribution how;
	} rows[] = { { 1, ATTR_POLICY }, { 2, ATTR_BRIDGE_MATCH }, { 65, ATTR_BRIDGE_MATCH } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = lab();

		for (uint16_t id = 1; id <= 65; id++)
			feed(&w, "br-vpn", id * 1000, from_qbt(id, 64, datagram()));
		feed(&w, "uplink", 100000, leaving(rows[i].id, 63, translated()));
		assert_int_equal(first_of(&w, "cleartext-outside-tunnel")->how, rows[i].how);
		end(&w);
	}
}

/* ---- out of a queue ---- */

static struct bytes payload_of(size_t n)
{
	return udp(1000, 9, fill(1, n));
}

/* Later than a machine needs it takes something in common that others do not have. */
static void test_what_comes_late_needs_more(void **state)
{
	static const struct {
		int64_t at;
		uint16_t inside, outside; /* IPv4 ids */
		size_t payload;
		enum attribution how;
	} rows[] = {
		{ 60 * MS, 0, 0, 0, ATTR_BRIDGE_MATCH },
		{ 60 * MS + 1, 0, 0, 0, ATTR_POLICY },
		{ 60 * MS + 1, 0, 0, 7, ATTR_POLICY },
		{ 60 * MS + 1, 0, 0, 8, ATTR_BRIDGE_MATCH },
		{ 60 * MS + 1, 0, 5, 7, ATTR_POLICY },
		{ 60 * MS + 1, 5, 0, 7, ATTR_POLICY },
		{ 60 * MS + 1, 5, 5, 7, ATTR_BRIDGE_MATCH },
		{ 60 * MS + 1, 5, 6, 50, ATTR_POLICY },
		{ 2000 * MS, 5, 5, 0, ATTR_BRIDGE_MATCH },
		{ 2000 * MS + 1, 5, 5, 50, ATTR_POLICY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = lab();
		struct bytes p = payload_of(rows[i].payload);

		feed(&w, "br-vpn", 0, from_qbt(rows[i].inside, 64, p));
		feed(&w, "uplink", rows[i].at, leaving(rows[i].outside, 63, p));
		judge_finish(w.j);
		if (first_of(&w, "cleartext-outside-tunnel")->how != rows[i].how)
			fail_msg("row %zu", i);
		/* what was found outside after all was not blocked */
		assert_int_equal(judge_blocked(w.j), rows[i].how == ATTR_POLICY);
		end(&w);
	}
}

/* Sequence numbers are such a thing. */
static void test_a_late_segment(void **state)
{
	struct ip_fields f = { .ttl = 64 };
	struct world w = lab();

	(void)state;
	feed(&w, "br-vpn", 0, app(ip4o(QBT, SINK, P_TCP, f, tcp(40001, 9, 77, F_SYN, fill(0, 0)))));
	feed(&w, "uplink", 1500 * MS,
	     out(ip4o(REAL, SINK, P_TCP, f, tcp(50001, 9, 77, F_SYN, fill(0, 0)))));
	check_who(&w, ATTR_BRIDGE_MATCH, "qbittorrent");
	end(&w);
}

/* Whoever sent the same just now explains it; of those who sent it long ago none does alone. */
static void test_the_near_one_beside_a_late_one(void **state)
{
	static const struct {
		int64_t sonarr;
		enum attribution how;
		const char *service;
	} rows[] = {
		{ 940 * MS, ATTR_BRIDGE_MATCH, "sonarr" },
		{ 940 * MS - 1, ATTR_AMBIGUOUS, "sonarr or qbittorrent" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = lab();

		feed(&w, "br-vpn", 0, from_qbt(0, 64, datagram()));
		feed(&w, "br-vpn", rows[i].sonarr, from_sonarr(0, 64, datagram()));
		feed(&w, "uplink", 1000 * MS, leaving(0, 63, translated()));
		check_who(&w, rows[i].how, rows[i].service);
		end(&w);
	}
}

/* The copy on the isp's side is that of the same attempt, not of an older one. */
static void test_a_copy_settles_no_older_one(void **state)
{
	struct world w = lab();

	(void)state;
	feed(&w, "br-vpn", 0, from_qbt(0, 64, datagram()));
	feed(&w, "br-vpn", 500 * MS, from_qbt(0, 64, datagram()));
	feed(&w, "uplink", 501 * MS, leaving(0, 63, translated()));
	feed(&w, "isp", 502 * MS, leaving(0, 63, translated()));
	check_counts(&w, 2, 1);
}

/* An attempt counts as blocked once its time is over, or the captures are. */
static void test_how_long_an_attempt_waits(void **state)
{
	struct world w = lab();

	(void)state;
	feed(&w, "br-vpn", 0, from_qbt(1, 64, datagram()));
	feed(&w, "br-vpn", 100 * MS, from_qbt(2, 64, datagram()));
	feed(&w, "uplink", 2200 * MS, arp(1, M_ROUTER, ROUTER, REAL));
	assert_int_equal(judge_blocked(w.j), 0);
	feed(&w, "uplink", 2200 * MS + 1, arp(1, M_ROUTER, ROUTER, REAL));
	assert_int_equal(judge_blocked(w.j), 1);
	check_counts(&w, 2, 2);
}

/* ---- fragments ---- */

/* Bytes of a datagram of 8 + n bytes, from - to, as a packet with the id 77 carries them. */
static struct bytes piece(const char *src, uint8_t ttl, size_t n, size_t from, size_t to)
{
	struct bytes whole = udp(strcmp(src, QBT) == 0 ? 1000 : 50000, 9, fill(1, n));
	struct ip_fields f = { .id = 77, .ttl = ttl, .offset = (uint16_t)from, .more = to < 8 + n };

	return ip4o(src, SINK, P_UDP, f, raw(whole.b + from, to - from));
}

static void inside(struct world *w, int64_t at, size_t n, size_t from, size_t to)
{
	feed(w, "br-vpn", at, app(piece(QBT, 64, n, from, to)));
}

static void outside(struct world *w, int64_t at, size_t n, size_t from, size_t to)
{
	feed(w, "uplink", at, out(piece(REAL, 63, n, from, to)));
}

static void check_pieces(struct world *w, uint64_t leaked, uint64_t attempts)
{
	size_t n;
	const struct finding *f = judge_findings(w->j, &n);

	assert_int_equal(n, leaked);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(f[i].how, ATTR_BRIDGE_MATCH);
		assert_string_equal(f[i].service, "qbittorrent");
	}
	check_counts(w, attempts, 0);
}

/* Too long for the uplink, put together on the way, or cut anew. */
static void test_cut_on_the_way(void **state)
{
	struct world w = lab();

	(void)state;
	inside(&w, 0, 1400, 0, 1408);
	outside(&w, 45000, 1400, 0, 776);
	outside(&w, 46000, 1400, 776, 1408);
	check_pieces(&w, 2, 1);
	w = lab();
	inside(&w, 0, 1400, 0, 776);
	inside(&w, 1000, 1400, 776, 1408);
	outside(&w, 45000, 1400, 0, 1408);
	check_pieces(&w, 1, 1);
	w = lab();
	inside(&w, 0, 1400, 0, 776);
	inside(&w, 1000, 1400, 776, 1408);
	outside(&w, 45000, 1400, 0, 768);
	outside(&w, 46000, 1400, 768, 1408);
	check_pieces(&w, 2, 1);
	w = lab();
	inside(&w, 0, 1400, 0, 776);
	inside(&w, 1000, 1400, 776, 1408);
	outside(&w, 45000, 1400, 0, 776);
	outside(&w, 46000, 1400, 776, 1408);
	check_pieces(&w, 2, 1);
}

/* The rest of a packet whose beginning no capture holds is told by itself, but is no attempt of its own. */
static void test_a_later_fragment_alone(void **state)
{
	struct world w = lab();

	(void)state;
	inside(&w, 0, 1400, 776, 1408);
	outside(&w, 45000, 1400, 776, 1408);
	check_pieces(&w, 1, 0);
	w = lab();
	inside(&w, 0, 1400, 776, 1408);
	outside(&w, 45000, 1408, 776, 1416);
	check_who(&w, ATTR_POLICY, "");
	end(&w);
}

/* A first fragment is shorter than what it begins. */
static void test_how_long_a_first_fragment_is(void **state)
{
	static const struct {
		size_t inside, in_to, outside, out_to;
		enum attribution how;
	} rows[] = {
		{ 800, 808, 1400, 800, ATTR_BRIDGE_MATCH }, /* 792 of the 800 */
		{ 800, 808, 1400, 808, ATTR_POLICY },
		{ 1400, 800, 800, 808, ATTR_BRIDGE_MATCH },
		{ 1400, 808, 800, 808, ATTR_POLICY },
		{ 1400, 808, 1400, 800, ATTR_BRIDGE_MATCH },
		{ 1400, 800, 1400, 808, ATTR_BRIDGE_MATCH },
		/* 256 bytes of payload are looked at */
		{ 1400, 1408, 1400, 264, ATTR_BRIDGE_MATCH },
		{ 1400, 1408, 1400, 256, ATTR_POLICY },
		{ 800, 808, 801, 809, ATTR_POLICY }, /* neither is one */
		{ 801, 809, 800, 808, ATTR_POLICY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = lab();

		inside(&w, 0, rows[i].inside, 0, rows[i].in_to);
		outside(&w, 45000, rows[i].outside, 0, rows[i].out_to);
		if (first_of(&w, "cleartext-outside-tunnel")->how != rows[i].how)
			fail_msg("row %zu", i);
		end(&w);
	}
}

/* Packets that begin alike and are whole stay apart by their lengths: two services, two attempts, and at the exit. */
static void test_lengths_tell_whole_packets_apart(void **state)
{
	struct world w = lab();

	(void)state;
	feed(&w, "br-vpn", 0, from_qbt(0, 64, payload_of(600)));
	feed(&w, "br-vpn", 1000, from_sonarr(0, 64, payload_of(700)));
	feed(&w, "uplink", 45000, leaving(0, 63, payload_of(600)));
	check_who(&w, ATTR_BRIDGE_MATCH, "qbittorrent");
	check_counts(&w, 2, 1);
	w = lab();
	feed(&w, "veth-qbt", 0, from_qbt(0, 64, payload_of(600)));
	feed(&w, "br-vpn", 1000, from_qbt(0, 64, payload_of(700)));
	feed(&w, "exit", 45000, at_exit(0, payload_of(700)));
	check_counts(&w, 2, 1);
}

/* What the tunnel's smaller packets make fragments of went through it. */
static void test_cut_for_the_tunnel(void **state)
{
	struct world w = lab();

	(void)state;
	inside(&w, 0, 1400, 0, 1408);
	feed(&w, "exit", 1 * MS, piece(TUN, 63, 1400, 0, 776));
	feed(&w, "exit", 2 * MS, piece(TUN, 63, 1400, 776, 1408));
	check_counts(&w, 1, 0);
}

/* ---- copies inside ---- */

static void test_copies_of_the_inside(void **state)
{
	static const struct {
		int64_t gap;
		uint16_t id;
		uint8_t ttl;
		uint64_t attempts;
	} rows[] = {
		{ 5000, 3, 64, 1 },  /* veth and bridge */
		{ -5000, 3, 64, 1 }, /* whose stamps are swapped */
		{ 2 * MS - 1, 3, 64, 1 },
		{ 2 * MS, 3, 64, 2 },
		{ -2 * MS, 3, 64, 2 },
		{ 2 * MS, 3, 63, 1 }, /* forwarded by a gateway, which takes longer */
		{ 60 * MS - 1, 3, 63, 1 },
		{ 60 * MS, 3, 63, 2 },
		{ 5000, 4, 64, 2 }, /* another packet */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = lab();

		feed(&w, "veth-qbt", 500 * MS, from_qbt(3, 64, datagram()));
		feed(&w, "br-vpn", 500 * MS + rows[i].gap,
		     from_qbt(rows[i].id, rows[i].ttl, datagram()));
		judge_finish(w.j);
		if (judge_attempts(w.j) != rows[i].attempts)
			fail_msg("row %zu: %d attempts", i, (int)judge_attempts(w.j));
		assert_int_equal(judge_blocked(w.j), rows[i].attempts);
		end(&w);
	}
}

static struct bytes from_unknown(uint16_t id)
{
	return eth("020000000077", M_GATEWAY, 0x0800,
		   ip4o("172.30.0.200", SINK, P_UDP, (struct ip_fields){ .id = id, .ttl = 64 },
			datagram()));
}

/* Two services that send the same packet at once are two; a sender that only one tap knows is that one. */
static void test_whose_copy_it_is(void **state)
{
	struct world w = lab();

	(void)state;
	feed(&w, "br-vpn", 0, from_qbt(0, 64, datagram()));
	feed(&w, "br-vpn", 1000, from_sonarr(0, 64, datagram()));
	check_counts(&w, 2, 2);
	for (int known_first = 0; known_first < 2; known_first++) {
		w = lab();
		feed(&w, "br-vpn", 0,
		     known_first ? from_sonarr(3, 64, datagram()) : from_unknown(3));
		feed(&w, "br-vpn", 1000,
		     known_first ? from_unknown(3) : from_sonarr(3, 64, datagram()));
		feed(&w, "uplink", 45000, leaving(3, 63, translated()));
		check_who(&w, ATTR_BRIDGE_MATCH, "sonarr");
		check_counts(&w, 1, 0);
	}
	w = lab(); /* the first service of the policy is known, too */
	feed(&w, "br-vpn", 0, from_qbt(3, 64, datagram()));
	feed(&w, "br-vpn", 1000, from_sonarr(3, 64, datagram()));
	check_counts(&w, 2, 2);
}

/* What the gateway forwards stays the packet of the app that sent it. */
static void test_forwarded_by_the_gateway(void **state)
{
	struct world w = lab();

	(void)state;
	feed(&w, "br-vpn", 0, from_qbt(3, 64, datagram()));
	feed(&w, "br-media", 30000, forwarded(3, 63));
	feed(&w, "uplink", 45000, leaving(3, 62, translated()));
	check_who(&w, ATTR_BRIDGE_MATCH, "qbittorrent");
	check_counts(&w, 1, 0);
}

/* An edge service's packet is nobody's attempt, until a tap shows that a protected one sent it. */
static void test_a_copy_may_show_a_protected_sender(void **state)
{
	struct world w = lab();

	(void)state;
	feed(&w, "br-media", 0, forwarded(3, 63));
	feed(&w, "br-vpn", 30000, from_qbt(3, 64, datagram()));
	judge_finish(w.j);
	assert_int_equal(judge_blocked(w.j), 1);
	end(&w);
}

/* ---- through the tunnel ---- */

static void check_exit(int64_t at, uint64_t blocked)
{
	struct world w = lab();

	feed(&w, "br-vpn", 500 * MS, from_qbt(1, 64, datagram()));
	/* time goes on at another tap as well */
	feed(&w, "br-media", 500 * MS + at, arp(1, M_PLEX, PLEX, "172.28.0.1"));
	feed(&w, "exit", 500 * MS + at, at_exit(1, udp(999, 9, fill(1, 50))));
	check_counts(&w, 1, blocked);
}

/* A packet may wait in the tunnel's queue for a second, and stamps may be swapped by a millisecond. */
static void test_the_exit_in_its_time(void **state)
{
	(void)state;
	check_exit(1000 * MS, 0);
	check_exit(1000 * MS + 1, 1);
	check_exit(-1 * MS, 0);
	check_exit(-1 * MS - 1, 1);
}

/* A queue is first in, first out: what is missing behind it is the later one. */
static void test_exits_settle_the_oldest(void **state)
{
	struct world w = lab();
	int mark = judge_add_mark(w.j, START, START + 900 * MS);

	(void)state;
	for (int i = 0; i < 3; i++)
		feed(&w, "br-vpn", 10 * i * MS, from_qbt(0, 64, datagram()));
	feed(&w, "exit", 31 * MS, at_exit(0, udp(999, 9, fill(1, 50))));
	feed(&w, "exit", 32 * MS, at_exit(0, udp(999, 9, fill(1, 50))));
	judge_finish(w.j);
	assert_int_equal(judge_blocked(w.j), 1);
	assert_int_equal(judge_mark_get(w.j, mark)->first_blocked_in, START + 20 * MS);
	end(&w);
}

static void segment_inside(struct world *w, int64_t at, uint32_t seq, size_t n)
{
	feed(w, "br-vpn", at, app(ip(QBT, SINK, P_TCP, tcp(40001, 9, seq, F_ACK, fill(1, n)))));
}

static void segment_at_exit(struct world *w, int64_t at, uint32_t seq, size_t n)
{
	feed(w, "exit", at, ip(TUN, SINK, P_TCP, tcp(50001, 9, seq, F_ACK, fill(1, n))));
}

/* One packet at the exit stands for the segments that it holds, and for no more. */
static void test_merged_segments(void **state)
{
	static const struct {
		size_t bytes;
		uint64_t blocked;
	} rows[] = { { 500, 2 }, { 1000, 1 }, { 1001, 0 }, { 1500, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = lab();

		for (uint32_t k = 0; k < 3; k++)
			segment_inside(&w, k * 10000, 1000 + k * 500, 500);
		segment_at_exit(&w, 2 * MS, 1000, rows[i].bytes);
		check_counts(&w, 3, rows[i].blocked);
	}
}

static void segment_outside(struct world *w, int64_t at, uint32_t seq, size_t n)
{
	feed(w, "uplink", at, out(ip(REAL, SINK, P_TCP, tcp(50001, 9, seq, F_ACK, fill(1, n)))));
}

/* One packet on the uplink as well. */
static void test_merged_segments_outside(void **state)
{
	static const struct {
		size_t bytes;
		uint64_t blocked;
	} rows[] = { { 499, 2 }, { 500, 2 }, { 501, 1 }, { 1000, 1 }, { 1001, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = lab();

		for (uint32_t k = 0; k < 3; k++)
			segment_inside(&w, k * 10000, 1000 + k * 500, 500);
		segment_outside(&w, 2 * MS, 1000, rows[i].bytes);
		check_counts(&w, 3, rows[i].blocked);
	}
}

/* Of a segment that was sent again the newest left, and none that is too old. */
static void test_which_of_the_merged_left(void **state)
{
	static const struct {
		int64_t second, again; /* -1: not sent again */
		int64_t blocked_at;    /* -1: none */
	} rows[] = { { 600 * MS, 2495 * MS, 600 * MS },
		     { 500 * MS, -1, -1 },
		     { 500 * MS - 1, -1, 500 * MS - 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = lab();
		int mark = judge_add_mark(w.j, START, START + 3000 * MS);
		bool again = rows[i].again >= 0;

		segment_inside(&w, rows[i].second, 1500, 500);
		segment_inside(&w, 2490 * MS, 1000, 500);
		if (again)
			segment_inside(&w, rows[i].again, 1500, 500);
		segment_outside(&w, 2500 * MS, 1000, 1000);
		judge_finish(w.j);
		assert_int_equal(judge_blocked(w.j), rows[i].blocked_at >= 0);
		if (rows[i].blocked_at >= 0)
			assert_int_equal(judge_mark_get(w.j, mark)->first_blocked_in,
					 START + rows[i].blocked_at);
		end(&w);
	}
}

/* An acknowledgement without data leads to no next segment. */
static void test_an_empty_segment_ends_the_walk(void **state)
{
	struct world w = lab();

	(void)state;
	segment_inside(&w, 0, 1000, 0);
	segment_at_exit(&w, 1 * MS, 1000, 500);
	check_counts(&w, 1, 0);
}

static const char without_exit[] =
	"{\"taps\":[{\"name\":\"uplink\",\"role\":\"uplink\",\"mac\":\"02:00:00:00:00:10\"},"
	"{\"name\":\"br-vpn\",\"role\":\"bridge\"}],\"controls\":[]}";

static void check_without_exit(int64_t tunnel_at, uint64_t blocked)
{
	struct judge_opts opts = { .start = START, .bin = 100 * MS };
	struct world w = { .p = policy_but("tests/golden/policy.json", without_exit) };

	begin(&w, &opts);
	if (tunnel_at >= 0)
		feed(&w, "uplink", tunnel_at,
		     out(ip(REAL, VPN, P_UDP, udp(41000, 51820, wg_data(64, 5)))));
	feed(&w, "br-vpn", 350 * MS, from_qbt(1, 64, datagram()));
	feed(&w, "uplink", 990 * MS, arp(1, M_ROUTER, ROUTER, REAL));
	check_counts(&w, 1, blocked);
}

/* Where no tap sees the exit, the tunnel's own packets tell: data left it in the same bin or the next one. */
static void test_without_a_tap_at_the_exit(void **state)
{
	(void)state;
	check_without_exit(-1, 1);
	check_without_exit(299 * MS, 1);
	check_without_exit(300 * MS, 0);
	check_without_exit(499 * MS, 0);
	check_without_exit(500 * MS, 1);
}

/* More that wait than the ring holds: the oldest is settled, nothing is lost from the counts. */
static void test_the_ring_is_bounded(void **state)
{
	struct world w = lab();
	uint64_t n = 65536 + 10;

	(void)state;
	for (uint64_t i = 0; i < n; i++)
		feed(&w, "br-vpn", (int64_t)i, from_qbt((uint16_t)i, 64, udp(1000, 9, be(i, 8))));
	assert_int_equal(judge_blocked(w.j), 10);
	check_counts(&w, n, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hops_between_bridge_and_uplink),
		cmocka_unit_test(test_echoes_are_told_apart),
		cmocka_unit_test(test_one_service_twice_is_not_ambiguous),
		cmocka_unit_test(test_three_services_are_two_names),
		cmocka_unit_test(test_each_that_left_settles_one),
		cmocka_unit_test(test_the_nearest_is_the_one_that_left),
		cmocka_unit_test(test_a_flood_is_bounded),
		cmocka_unit_test(test_what_comes_late_needs_more),
		cmocka_unit_test(test_a_late_segment),
		cmocka_unit_test(test_the_near_one_beside_a_late_one),
		cmocka_unit_test(test_a_copy_settles_no_older_one),
		cmocka_unit_test(test_how_long_an_attempt_waits),
		cmocka_unit_test(test_cut_on_the_way),
		cmocka_unit_test(test_a_later_fragment_alone),
		cmocka_unit_test(test_how_long_a_first_fragment_is),
		cmocka_unit_test(test_lengths_tell_whole_packets_apart),
		cmocka_unit_test(test_cut_for_the_tunnel),
		cmocka_unit_test(test_copies_of_the_inside),
		cmocka_unit_test(test_whose_copy_it_is),
		cmocka_unit_test(test_forwarded_by_the_gateway),
		cmocka_unit_test(test_a_copy_may_show_a_protected_sender),
		cmocka_unit_test(test_the_exit_in_its_time),
		cmocka_unit_test(test_exits_settle_the_oldest),
		cmocka_unit_test(test_merged_segments),
		cmocka_unit_test(test_merged_segments_outside),
		cmocka_unit_test(test_which_of_the_merged_left),
		cmocka_unit_test(test_an_empty_segment_ends_the_walk),
		cmocka_unit_test(test_without_a_tap_at_the_exit),
		cmocka_unit_test(test_the_ring_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
