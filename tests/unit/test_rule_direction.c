// SPDX-License-Identifier: MIT
/* Which way a packet goes: by the link's word, by what was learned of it, by addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golden/both.h"
#include "rule/judge_internal.h"

static const char taps_by_what_they_know[] =
	"{\"controls\":[],\"taps\":["
	"{\"name\":\"hop\",\"role\":\"uplink\",\"mac\":\"02:00:00:00:00:10\","
	"\"peer-mac\":\"02:00:00:00:00:01\"},"
	"{\"name\":\"own\",\"role\":\"uplink\",\"mac\":\"02:00:00:00:00:10\"},"
	"{\"name\":\"bare\",\"role\":\"uplink\"},"
	"{\"name\":\"isp\",\"role\":\"isp\"},"
	"{\"name\":\"exit\",\"role\":\"exit\"}]}";

/* The way of the frame at hand, of which the file tells something. */
static enum packet_direction way_of(const struct world *w, const char *tap_name, int told)
{
	const struct facts *f = &w->j->facts;
	const uint8_t *mac = f->linktype == LINK_ETHERNET ? f->src_mac : NULL;
	size_t t = tap(w, tap_name);

	return judge_direction(w->j, &w->p->taps[t], f, judge_link(w->j, t, f, mac, told), false);
}

static enum packet_direction show_way(struct world *w, const char *tap_name, uint32_t linktype,
				      struct bytes b)
{
	judge_frame(w->j, tap(w, tap_name), ++w->number, (int)linktype, b.b, (uint32_t)b.n,
		    (uint32_t)b.n, START);
	return way_of(w, tap_name, CAPFILE_UNTOLD);
}

static void check_way(const char *tap_name, uint32_t linktype, struct bytes b,
		      enum packet_direction want)
{
	struct world w = lab_but(taps_by_what_they_know);
	enum packet_direction d = show_way(&w, tap_name, linktype, b);

	if (d != want)
		fail_msg("%s: %d, not %d", tap_name, d, want);
	end(&w);
}

#define FAR "198.51.100.7"

/* The next hop is the best witness, then the host's own interface, then a leg of the stack, then addresses. */
static void test_direction_by_mac(void **state)
{
	struct bytes p = ip(FAR, SINK, P_UDP, udp(4, 9, fill(1, 5)));

	(void)state;
	check_way("hop", LINK_ETHERNET, eth(M_ROUTER, M_HOST, 0x0800, p), DIR_IN);
	check_way("hop", LINK_ETHERNET, eth(M_HOST, M_ROUTER, 0x0800, p), DIR_OUT);
	check_way("hop", LINK_ETHERNET, eth(M_STRANGER, M_ROUTER, 0x0800, p), DIR_OUT);
	check_way("own", LINK_ETHERNET, eth(M_HOST, M_ROUTER, 0x0800, p), DIR_OUT);
	check_way("own", LINK_ETHERNET, eth(M_STRANGER, M_HOST, 0x0800, p), DIR_IN);
	check_way("own", LINK_ETHERNET, eth(M_SONARR, M_ROUTER, 0x0800, p), DIR_OUT);
	check_way("bare", LINK_ETHERNET, eth(M_SONARR, M_ROUTER, 0x0800, p), DIR_OUT);
	/* nothing is known of the MACs: the far address comes in */
	check_way("bare", LINK_ETHERNET, eth(M_STRANGER, M_ROUTER, 0x0800, p), DIR_IN);
}

static void test_direction_by_addresses(void **state)
{
	static const struct {
		const char *src, *dst;
		enum packet_direction way;
	} rows[] = {
		{ REAL, SINK, DIR_OUT },
		{ QBT, SINK, DIR_OUT },
		{ TUN, SINK, DIR_OUT },
		{ SINK, REAL, DIR_IN },
		{ SINK, QBT, DIR_IN },
		/* no router passes these on, so they come from in here */
		{ "192.168.7.7", SINK, DIR_OUT },
		{ "127.0.0.1", SINK, DIR_OUT },
		{ "::", "ff02::2", DIR_OUT },
		{ "fe80::10", "ff02::2", DIR_UNKNOWN },
		{ FAR, SINK, DIR_IN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_way("bare", LINK_RAW,
			  ip(rows[i].src, rows[i].dst, P_UDP, udp(4, 9, fill(1, 5))), rows[i].way);
}

static void test_direction_at_the_exit(void **state)
{
	static const struct {
		const char *src, *dst;
		enum packet_direction way;
	} rows[] = {
		{ TUN, SINK, DIR_OUT },
		{ SINK, TUN, DIR_IN },
		{ REAL, SINK, DIR_OUT }, /* the worst that can come out of a tunnel */
		{ QBT, SINK, DIR_OUT },
		/* the tunnel's address is not known: private ones are on this side of the server */
		{ "10.9.9.9", SINK, DIR_OUT },
		{ SINK, "10.9.9.9", DIR_IN },
		{ SINK, FAR, DIR_UNKNOWN },
		{ "10.9.9.1", "10.9.9.9", DIR_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_way("exit", LINK_RAW,
			  ip(rows[i].src, rows[i].dst, P_UDP, udp(4, 9, fill(1, 5))), rows[i].way);
	check_way("exit", LINK_RAW, fill(0, 3), DIR_UNKNOWN);
}

/* Linux cooked (LINKTYPE_LINUX_SLL, _SLL2): the kernel says who sent it, 4 for this host. */
static struct bytes cooked(uint8_t kind, struct bytes p)
{
	return cat(cat(be(kind, 2), hex("0001 0006 020000000077 0000 0800")), p);
}

static struct bytes cooked2(uint8_t kind, struct bytes p)
{
	return cat(cat(hex("0800 0000 00000002 0001"), be(kind, 1)),
		   cat(hex("06 020000000077 0000"), p));
}

static void test_direction_of_cooked_captures(void **state)
{
	struct bytes p = ip(FAR, SINK, P_UDP, udp(4, 9, fill(1, 5)));

	(void)state;
	check_way("own", LINK_SLL, cooked(4, p), DIR_OUT);
	check_way("own", LINK_SLL, cooked(0, p), DIR_IN);
	check_way("own", LINK_SLL2, cooked2(4, p), DIR_OUT);
	check_way("own", LINK_SLL2, cooked2(0, p), DIR_IN);
	/* what the isp's router sends is what comes in here */
	check_way("isp", LINK_SLL, cooked(4, p), DIR_IN);
	check_way("isp", LINK_SLL, cooked(0, ip(REAL, SINK, P_UDP, udp(4, 9, fill(1, 5)))),
		  DIR_OUT);
}

/* Without MACs that tell: a router speaks from outside, an ARP of ours from in here. */
static void test_direction_of_link_upkeep(void **state)
{
	struct bytes redirect = cat(fill(0, 4), cat(addr("fe80::1"), addr(SINK6)));

	(void)state;
	check_way("bare", LINK_ETHERNET, arp(1, M_STRANGER, REAL, ROUTER), DIR_OUT);
	check_way("bare", LINK_ETHERNET, arp(1, M_STRANGER, ROUTER, REAL), DIR_UNKNOWN);
	check_way("bare", LINK_RAW, advertisement(1800, 1), DIR_IN);
	check_way("bare", LINK_RAW, neighbour(135, REAL6), DIR_UNKNOWN);
	check_way("bare", LINK_RAW, neighbour(136, REAL6), DIR_UNKNOWN);
	/* a redirect, even from an address of ours: no host sends one */
	check_way("bare", LINK_RAW, ip6o(REAL6, "fe80::10", P_ICMP6, 255, icmp(137, 0, redirect)),
		  DIR_IN);
}

/* A control is forged with a MAC of nobody's: addresses tell, and what does not tell was sent by the harness. */
static void test_direction_of_forged_frames(void **state)
{
	static const struct {
		const char *src, *dst;
		enum packet_direction way;
	} rows[] = {
		{ REAL, SINK, DIR_OUT },
		{ SINK, REAL, DIR_IN },
		{ "fe80::10", "ff02::2", DIR_OUT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = lab_but(taps_by_what_they_know);
		struct bytes p = ip(rows[i].src, rows[i].dst, P_UDP, udp(4, 9, fill(1, 5)));

		feed(&w, "hop", 0, eth(M_ROUTER, M_HOST, ethertype_of(p), p));
		assert_int_equal(
			judge_direction(w.j, &w.p->taps[0], &w.j->facts, LINK_SAYS_NOTHING, true),
			rows[i].way);
		end(&w);
	}
}

/* ---- neighbours, where the world is open ---- */

#define OPEN_TAPS                                                                         \
	"\"closed-world\": false, \"controls\": [], \"taps\": ["                          \
	"{\"name\": \"hop\", \"role\": \"uplink\", \"peer-mac\": \"02:00:00:00:00:01\"}," \
	"{\"name\": \"both\", \"role\": \"uplink\", \"mac\": \"02:00:00:00:00:10\","      \
	" \"peer-mac\": \"02:00:00:00:00:01\"},"                                          \
	"{\"name\": \"own\", \"role\": \"uplink\", \"mac\": \"02:00:00:00:00:10\"},"      \
	"{\"name\": \"bare\", \"role\": \"uplink\"},"                                     \
	"{\"name\": \"isp\", \"role\": \"isp\"}]"
#define OPEN_WORLD "{" OPEN_TAPS "}"

static struct bytes datagram(const char *from, const char *to)
{
	return ip(from, to, P_UDP, udp(4, 9, fill(1, 5)));
}

static struct bytes sent_by(const char *mac, const char *from, const char *to)
{
	return eth(mac, M_ROUTER, ethertype_of(datagram(from, to)), datagram(from, to));
}

#define LAN "192.168.7.7"

/* A third Ethernet address is a neighbour's where the host's own is known, but for what sends from an address of ours. */
static void test_a_third_address(void **state)
{
	static const struct {
		const char *tap, *mac, *src;
		enum packet_direction way;
	} rows[] = {
		{ "hop", M_STRANGER, LAN, DIR_OUT },   { "both", M_STRANGER, LAN, DIR_IN },
		{ "both", M_STRANGER, FAR, DIR_IN },   { "both", M_STRANGER, QBT, DIR_OUT },
		{ "both", M_STRANGER, REAL, DIR_OUT }, { "both", M_ROUTER, REAL, DIR_IN },
		{ "both", M_SONARR, LAN, DIR_OUT },    { "both", M_HOST, FAR, DIR_OUT },
		{ "own", M_STRANGER, LAN, DIR_IN },    { "own", M_STRANGER, REAL, DIR_OUT },
		{ "own", M_STRANGER, QBT, DIR_OUT },   { "own", M_HOST, FAR, DIR_OUT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = lab_but(OPEN_WORLD);

		if (show_way(&w, rows[i].tap, LINK_ETHERNET,
			     sent_by(rows[i].mac, rows[i].src, FAR)) != rows[i].way)
			fail_msg("row %zu", i);
		end(&w);
	}
}

/* In a closed one it is a container's that nobody listed. */
static void test_a_third_address_in_the_lab(void **state)
{
	struct world w = lab_but(taps_by_what_they_know);

	(void)state;
	assert_int_equal(show_way(&w, "hop", LINK_ETHERNET, sent_by(M_STRANGER, LAN, FAR)),
			 DIR_OUT);
	assert_int_equal(show_way(&w, "hop", LINK_ETHERNET, sent_by(M_STRANGER, FAR, FAR)),
			 DIR_OUT);
	(void)show_way(&w, "bare", LINK_ETHERNET, sent_by(M_HOST, REAL, FAR));
	assert_int_equal(show_way(&w, "bare", LINK_ETHERNET, sent_by(M_HOST, FAR, FAR)), DIR_OUT);
	assert_int_equal(show_way(&w, "bare", LINK_ETHERNET, sent_by(M_STRANGER, LAN, FAR)),
			 DIR_OUT);
	end(&w);
}

/* What sends with the real address is the host, and all else that it sends is so too. */
static void test_the_own_address_is_learned(void **state)
{
	static const char *const names[] = { "bare", "isp" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct world w = lab_but(OPEN_WORLD);
		const char *t = names[i];

		assert_int_equal(show_way(&w, t, LINK_ETHERNET, sent_by(M_HOST, FAR, SINK)),
				 DIR_IN);
		assert_int_equal(show_way(&w, t, LINK_ETHERNET, sent_by(M_STRANGER, LAN, SINK)),
				 DIR_OUT);
		(void)show_way(&w, t, LINK_ETHERNET, sent_by(M_HOST, REAL, SINK));
		assert_int_equal(show_way(&w, t, LINK_ETHERNET, sent_by(M_HOST, FAR, SINK)),
				 DIR_OUT);
		assert_int_equal(show_way(&w, t, LINK_ETHERNET, sent_by(M_STRANGER, LAN, SINK)),
				 DIR_IN);
		assert_int_equal(show_way(&w, t, LINK_ETHERNET, sent_by(M_STRANGER, FAR, REAL)),
				 DIR_IN);
		assert_int_equal(show_way(&w, t, LINK_ETHERNET, sent_by(M_STRANGER, QBT, SINK)),
				 DIR_OUT);
		assert_int_equal(show_way(&w, t, LINK_RAW, datagram(FAR, SINK)), DIR_IN);
		end(&w);
	}
}

/* Two that do, or one that has what comes as well: a router stands between, and the address tells nothing. */
static void test_an_address_that_tells_nothing(void **state)
{
	const struct bytes spoilers[] = { sent_by(M_STRANGER, REAL, SINK),
					  sent_by(M_HOST, FAR, REAL) };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct world w = lab_but(OPEN_WORLD);

		(void)show_way(&w, "bare", LINK_ETHERNET, sent_by(M_HOST, REAL, SINK));
		(void)show_way(&w, "bare", LINK_ETHERNET, sent_by(M_HOST, REAL, REAL));
		assert_int_equal(show_way(&w, "bare", LINK_ETHERNET, sent_by(M_HOST, FAR, SINK)),
				 DIR_OUT);
		(void)show_way(&w, "bare", LINK_ETHERNET, spoilers[i]);
		assert_int_equal(show_way(&w, "bare", LINK_ETHERNET, sent_by(M_HOST, FAR, SINK)),
				 DIR_IN);
		(void)show_way(&w, "bare", LINK_ETHERNET, sent_by(M_HOST, REAL, SINK));
		assert_int_equal(show_way(&w, "bare", LINK_ETHERNET, sent_by(M_HOST, FAR, SINK)),
				 DIR_IN);
		end(&w);
	}
}

/* Where the policy names an address, no other is learned; nor from a frame that the harness made. */
static void test_what_is_not_learned(void **state)
{
	struct world w = lab_but("{" OPEN_TAPS ", \"control-mac\": \"02:00:00:00:00:77\"}");

	(void)state;
	(void)show_way(&w, "hop", LINK_ETHERNET, sent_by(M_HOST, REAL, SINK));
	assert_int_equal(show_way(&w, "hop", LINK_ETHERNET, sent_by(M_STRANGER, LAN, SINK)),
			 DIR_OUT);
	(void)show_way(&w, "own", LINK_ETHERNET, sent_by(M_STRANGER, REAL, SINK));
	assert_int_equal(show_way(&w, "own", LINK_ETHERNET, sent_by(M_STRANGER, FAR, SINK)),
			 DIR_IN);
	(void)show_way(&w, "bare", LINK_ETHERNET, sent_by(M_STRANGER, REAL, SINK));
	assert_int_equal(w.j->own[tap(&w, "bare")].state, OWN_UNKNOWN);
	(void)show_way(&w, "bare", LINK_ETHERNET, sent_by(M_HOST, QBT, SINK));
	assert_int_equal(w.j->own[tap(&w, "bare")].state, OWN_UNKNOWN);
	(void)show_way(&w, "bare", LINK_RAW, datagram(REAL, SINK));
	assert_int_equal(w.j->own[tap(&w, "bare")].state, OWN_UNKNOWN);
	end(&w);
}

/* The flags of a pcapng file, where the Ethernet address says nothing, on an uplink: elsewhere they tell another side's way. */
static void test_what_the_file_tells(void **state)
{
	struct world w = lab_but(OPEN_WORLD);

	(void)state;
	(void)show_way(&w, "bare", LINK_ETHERNET, sent_by(M_STRANGER, LAN, SINK));
	assert_int_equal(way_of(&w, "bare", CAPFILE_INBOUND), DIR_IN);
	assert_int_equal(way_of(&w, "bare", CAPFILE_OUTBOUND), DIR_OUT);
	(void)show_way(&w, "bare", LINK_RAW, datagram(FAR, SINK));
	assert_int_equal(way_of(&w, "bare", CAPFILE_INBOUND), DIR_IN);
	assert_int_equal(way_of(&w, "bare", CAPFILE_OUTBOUND), DIR_OUT);
	(void)show_way(&w, "isp", LINK_RAW, datagram(FAR, SINK));
	assert_int_equal(way_of(&w, "isp", CAPFILE_OUTBOUND), DIR_IN);
	(void)show_way(&w, "own", LINK_ETHERNET, sent_by(M_HOST, LAN, SINK));
	assert_int_equal(way_of(&w, "own", CAPFILE_INBOUND), DIR_OUT);
	end(&w);
}

/* ---- the host's own, by nobody's address ---- */

static void check_unlisted(const char *tap_name, uint32_t linktype, struct bytes b, bool is)
{
	struct world w = lab_but(OPEN_WORLD);
	const struct judge_tap_counters *n = counters(&w, tap_name);
	struct ipaddr first;

	(void)show_way(&w, tap_name, linktype, b);
	if (n->unlisted != is)
		fail_msg("%s: %llu", tap_name, (unsigned long long)n->unlisted);
	assert_true(!is || ipaddr_equal(&n->unlisted_src, &w.j->facts.layer[0].src));
	first = n->unlisted_src;
	(void)show_way(&w, tap_name, linktype, b);
	(void)show_way(&w, "own", LINK_ETHERNET, sent_by(M_HOST, "198.51.100.8", SINK));
	assert_int_equal(n->unlisted, 2 * is + (n == counters(&w, "own")));
	assert_true(!is || ipaddr_equal(&n->unlisted_src, &first));
	end(&w);
}

static void test_unlisted(void **state)
{
	(void)state;
	check_unlisted("own", LINK_ETHERNET, sent_by(M_HOST, FAR, SINK), true);
	check_unlisted("own", LINK_ETHERNET, sent_by(M_HOST, LAN, SINK), true);
	check_unlisted("own", LINK_ETHERNET, sent_by(M_HOST, REAL6, SINK6), false);
	check_unlisted("own", LINK_ETHERNET, sent_by(M_HOST, REAL, SINK), false);
	check_unlisted("own", LINK_ETHERNET, sent_by(M_HOST, LAN, "224.0.0.251"), false);
	check_unlisted("own", LINK_ETHERNET, sent_by(M_STRANGER, LAN, SINK), false);
	/* all that is not from the next hop may be a neighbour's */
	check_unlisted("hop", LINK_ETHERNET, sent_by(M_HOST, LAN, SINK), false);
	check_unlisted("bare", LINK_SLL, cooked(4, datagram(FAR, SINK)), true);
	check_unlisted("bare", LINK_SLL, cooked(0, datagram(FAR, SINK)), false);
	check_unlisted("bare", LINK_RAW, datagram(LAN, SINK), false);
}

/* The short way counts the same. */
static void test_unlisted_noise(void **state)
{
	struct both b = both_unmarked(OPEN_WORLD);
	struct bytes noise = eth(M_HOST, M_ROUTER, 0x0800,
				 ip(FAR, SINK, P_UDP, udp(45000, 45001, fill(0x77, 40))));
	struct bytes own = eth(M_HOST, M_ROUTER, 0x0800,
			       ip(REAL, SINK, P_UDP, udp(45000, 45001, fill(0x77, 40))));

	(void)state;
	feed_both(&b, "bare", LINK_ETHERNET, 0, noise, noise.n);
	assert_int_equal(counters(&b.shortcut, "bare")->inbound, 1);
	feed_both(&b, "bare", LINK_ETHERNET, 0, own, own.n);
	feed_both(&b, "bare", LINK_ETHERNET, 0, noise, noise.n);
	assert_int_equal(counters(&b.shortcut, "bare")->unlisted, 1);
	end_both(&b);
}

/* ---- from a file ---- */

struct one_frame {
	struct capfile_frame f;
	bool given;
};

static int give_once(void *arg, const struct capfile_frame **frames, struct err *err)
{
	struct one_frame *o = arg;

	(void)err;
	if (o->given)
		return 0;
	o->given = true;
	*frames = &o->f;
	return 1;
}

/* What the file tells of a frame reaches the judge, also of such as would pass undecoded. */
static void test_a_file_that_tells(void **state)
{
	struct bytes p = ip(FAR, SINK, P_UDP, udp(45000, 45001, fill(0x77, 40)));
	struct one_frame o = { .f = { .data = p.b,
				      .caplen = (uint32_t)p.n,
				      .len = (uint32_t)p.n,
				      .linktype = LINK_RAW,
				      .time = START,
				      .number = 1,
				      .direction = CAPFILE_OUTBOUND } };
	struct both b = both_unmarked(OPEN_WORLD);
	struct judge_source s = { .next = give_once, .arg = &o, .tap = tap(&b.shortcut, "bare") };

	(void)state;
	assert_int_equal(judge_run(b.shortcut.j, &s, 1, NULL), 0);
	assert_int_equal(counters(&b.shortcut, "bare")->unlisted, 1);
	end(&b.shortcut);
	end(&b.whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_direction_by_mac),
		cmocka_unit_test(test_direction_by_addresses),
		cmocka_unit_test(test_direction_at_the_exit),
		cmocka_unit_test(test_direction_of_cooked_captures),
		cmocka_unit_test(test_direction_of_link_upkeep),
		cmocka_unit_test(test_direction_of_forged_frames),
		cmocka_unit_test(test_a_third_address),
		cmocka_unit_test(test_a_third_address_in_the_lab),
		cmocka_unit_test(test_the_own_address_is_learned),
		cmocka_unit_test(test_an_address_that_tells_nothing),
		cmocka_unit_test(test_what_is_not_learned),
		cmocka_unit_test(test_what_the_file_tells),
		cmocka_unit_test(test_unlisted),
		cmocka_unit_test(test_unlisted_noise),
		cmocka_unit_test(test_a_file_that_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
