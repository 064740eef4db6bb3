// SPDX-License-Identifier: MIT
/* What bystanders exchange on the outside passes undecoded where nobody is named in it, and nothing is different for it. */
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

#define NEIGHBOUR "10.9.9.9"
#define OTHER	  "198.51.100.9"

/* An open world; the same seen on the outside only; one of addresses alone, as the command line gives it. */
#define UPLINK	  "\"taps\": [{\"name\": \"uplink\", \"role\": \"uplink\"}]"
#define OPEN	  "{\"closed-world\": false}"
#define UNWATCHED "{\"closed-world\": false, " UPLINK "}"
#define PLAIN                                                                            \
	"{\"closed-world\": false, \"allow\": [], \"published\": [], \"networks\": [], " \
	"\"controls\": [], \"canaries\": [], \"services\": [{\"name\": \"host\", "       \
	"\"role\": \"protected\", \"legs\": [{\"addr\": \"203.0.113.99\"}]}], " UPLINK "}"

/* The facts of the last frame that was decoded stay: is it not that one? */
static bool passes(struct both *b, const char *name, int64_t at, struct bytes f)
{
	b->shortcut.j->facts.len = 0;
	feed_both(b, name, LINK_ETHERNET, at, f, f.n);
	return b->shortcut.j->facts.len == 0;
}

static bool passes_uplink(struct both *b, struct bytes f)
{
	return passes(b, "uplink", 0, f);
}

static struct bytes datagram(const char *from, const char *to)
{
	return ip(from, to, P_UDP, udp(45000, 45001, fill(0x77, 40)));
}

static struct bytes segment(const char *from, const char *to, uint16_t sport, uint16_t dport)
{
	return ip(from, to, P_TCP, tcp(sport, dport, 1, F_ACK, fill(0x77, 40)));
}

/* ---- what passes, and what is counted of it ---- */

static struct bytes beside(struct bytes p)
{
	return eth(M_STRANGER, M_ROUTER, 0x0800, p);
}

/* came: a neighbour's is known not to be the host's, before the host's own Ethernet address is learned. */
static void pass_each(const char *but, bool came)
{
	struct both b = both_unmarked(but);
	const struct judge_tap_counters *n = counters(&b.shortcut, "uplink");
	struct bytes cut = cat(beside(datagram(NEIGHBOUR, OTHER)), fill(0, 9)); /* padding */

	assert_true(passes_uplink(&b, beside(datagram(NEIGHBOUR, OTHER))));
	assert_true(passes_uplink(&b, beside(segment(NEIGHBOUR, OTHER, 45000, 45001))));
	assert_true(passes_uplink(&b, out(datagram(REAL, OTHER))));
	assert_int_equal(n->unattributed, came ? 1 : 3);
	assert_int_equal(n->inbound, came ? 2 : 0);
	assert_true(passes_uplink(&b, in(datagram(OTHER, SINK))));
	assert_true(passes_uplink(&b, in(datagram(OTHER, REAL))));
	assert_int_equal(n->inbound, came ? 4 : 2);
	assert_int_equal(n->ours, 2);
	b.shortcut.j->facts.len = 0;
	feed_both(&b, "uplink", LINK_ETHERNET, 0, cut, cut.n - 9);
	assert_int_equal(b.shortcut.j->facts.len, 0);
	assert_int_equal(n->inbound, came ? 5 : 3);
	feed_both(&b, "uplink", LINK_RAW, 0, datagram(NEIGHBOUR, OTHER),
		  datagram(NEIGHBOUR, OTHER).n);
	assert_int_equal(b.shortcut.j->facts.len, 0);
	assert_int_equal(n->unattributed, came ? 2 : 4);
	assert_int_equal(n->truncated, 1);
	assert_int_equal(n->frames, 7);
	assert_false(passes_uplink(&b, out(datagram(NEIGHBOUR, OTHER)))); /* whose is it? */
	assert_int_equal(n->unlisted, 1);
	end_both(&b);
}

static void test_it_is_taken(void **state)
{
	struct both b = both_unmarked(OPEN);

	(void)state;
	pass_each(OPEN, true);
	pass_each(PLAIN, false);
	assert_true(passes(&b, "isp", 0, beside(datagram(NEIGHBOUR, OTHER))));
	assert_false(passes(&b, "br-vpn", 0, out(datagram(NEIGHBOUR, OTHER))));
	assert_false(passes(&b, "lo", 0, out(datagram(NEIGHBOUR, OTHER))));
	end_both(&b);
}

/* ---- what does not ---- */

/* An end of the stack, in either place. */
static void test_ends(void **state)
{
	static const char *const ends[] = { QBT, TUN, VPN, "198.51.100.140", "172.31.0.77" };
	struct both b = both_unmarked(OPEN), p = both_unmarked(PLAIN);

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		assert_false(passes_uplink(&b, out(datagram(ends[i], OTHER))));
		assert_false(passes_uplink(&b, in(datagram(OTHER, ends[i]))));
	}
	assert_false(passes_uplink(&p, out(datagram("203.0.113.99", OTHER))));
	assert_false(passes_uplink(&p, in(datagram(OTHER, "203.0.113.99"))));
	assert_false(passes_uplink(&p, out(datagram(NEIGHBOUR, VPN))));
	assert_true(passes_uplink(&p, out(datagram(QBT, OTHER)))); /* that policy has no stack */
	end_both(&b);
	end_both(&p);
}

/* The data of a uTP connection is noise, and tells of BitTorrent. */
static void test_utp(void **state)
{
	struct bytes odd = cat(hex("01 00 1234 00000001 77000000 ffffffff 0001 0000"),
			       fill(0x77, 30));
	struct both b = both_unmarked(PLAIN);

	(void)state;
	assert_false(passes_uplink(&b, out(ip(NEIGHBOUR, OTHER, P_UDP, udp(1, 2, odd)))));
	assert_true(passes_uplink(&b, out(ip(OTHER, NEIGHBOUR, P_UDP, udp(2, 1, odd)))));
	odd.b[0] = 0x02;
	assert_true(passes_uplink(&b, out(ip(NEIGHBOUR, OTHER, P_UDP, udp(1, 2, odd)))));
	assert_true(passes_uplink(&b, out(ip(NEIGHBOUR, OTHER, P_UDP, udp(1, 2, fill(0, 0))))));
	odd.b[0] = 0x01;
	assert_true(passes_uplink(
		&b, out(ip(NEIGHBOUR, OTHER, P_TCP, tcp(99, 2, 1, F_ACK, cat(hex("11"), odd))))));
	end_both(&b);
}

/* What is excused is counted as such: whether it is, its shape decides. */
static void test_excuses(void **state)
{
	struct both b = both_unmarked(OPEN);

	(void)state;
	assert_false(passes_uplink(&b, out(segment(REAL, "203.0.113.7", 22, 45001))));
	assert_true(passes_uplink(&b, out(segment(REAL, "203.0.113.7", 23, 45001))));
	assert_true(passes_uplink(&b, out(segment(REAL, OTHER, 22, 45001))));
	assert_true(passes_uplink(&b, in(segment("203.0.113.7", REAL, 45001, 22))));
	/* what Plex sends its own tap would show */
	assert_true(passes_uplink(&b, out(segment(REAL, OTHER, 45001, 443))));
	assert_false(passes_uplink(&b, out(segment(REAL, OTHER, 8080, 45001))));
	assert_false(passes_uplink(&b, out(segment(REAL, OTHER, 6881, 45001))));
	assert_true(passes_uplink(&b, out(segment(REAL, OTHER, 45001, 8080))));
	end_both(&b);
	b = both_unmarked(UNWATCHED);
	assert_false(passes_uplink(&b, out(segment(REAL, OTHER, 45001, 443))));
	end_both(&b);
	b = both_unmarked(PLAIN);
	assert_true(passes_uplink(&b, out(segment(REAL, OTHER, 8080, 45001))));
	end_both(&b);
}

static struct bytes of_qbt(struct bytes p)
{
	return eth(M_QBT, M_ROUTER, 0x0800, p);
}

/* Tied by its sender's Ethernet address; then what belongs to the same flow, both ways. */
static void test_ties(void **state)
{
	struct both b = both_unmarked(OPEN);

	(void)state;
	assert_true(passes_uplink(&b, out(datagram(REAL, OTHER))));
	assert_false(passes_uplink(&b, of_qbt(datagram(REAL, OTHER))));
	assert_false(passes_uplink(&b, out(datagram(REAL, OTHER))));
	assert_false(
		passes_uplink(&b, in(ip(OTHER, REAL, P_UDP, udp(45001, 45000, fill(0x77, 40))))));
	assert_int_equal(total_of(&b.shortcut, "cleartext-outside-tunnel"), 2);
	assert_true(passes_uplink(&b, out(datagram(REAL, SINK))));
	end_both(&b);
}

static void test_conntrack(void **state)
{
	struct judge_conntrack c = { .proto = P_UDP, .reply_sport = 45001, .reply_dport = 45000 };
	struct both b = both_unmarked(OPEN);

	(void)state;
	assert_true(ipaddr_parse(QBT, &c.src));
	assert_true(ipaddr_parse(OTHER, &c.reply_src));
	assert_true(ipaddr_parse(REAL, &c.reply_dst));
	assert_true(passes_uplink(&b, out(datagram(REAL, OTHER))));
	judge_add_conntrack(b.shortcut.j, &c);
	judge_add_conntrack(b.whole.j, &c);
	assert_false(passes_uplink(&b, out(datagram(REAL, OTHER))));
	assert_int_equal(total_of(&b.shortcut, "cleartext-outside-tunnel"), 1);
	end_both(&b);
}

/* As long as a packet of the inside waits to be seen, it may be any. */
static void test_attempts(void **state)
{
	struct bytes p = udp(45000, 45001, fill(0x77, 40));
	struct both b = both_unmarked(OPEN);

	(void)state;
	(void)passes(&b, "br-vpn", 0, from_qbt(7, 64, p));
	assert_false(passes(&b, "uplink", MS, leaving(7, 63, p)));
	assert_int_equal(total_of(&b.shortcut, "cleartext-outside-tunnel"), 1);
	assert_false(passes(&b, "uplink", 2 * MS, out(datagram(NEIGHBOUR, SINK))));
	end_both(&b);
}

/* Who began a flow of the host's own decides whether its reset is upkeep, under any policy. */
static void began(const char *but, bool inbound)
{
	struct both b = both_unmarked(but);
	struct bytes there = in(segment(OTHER, REAL, 45001, 45000));
	struct bytes back = out(segment(REAL, OTHER, 45000, 45001));
	struct bytes reset = out(ip(REAL, OTHER, P_TCP, tcp(45000, 45001, 1, F_RST, fill(0, 0))));

	assert_true(passes_uplink(&b, inbound ? there : back));
	assert_true(passes_uplink(&b, inbound ? back : there));
	assert_false(passes_uplink(&b, reset));
	assert_int_equal(counters(&b.shortcut, "uplink")->upkeep, inbound);
	end_both(&b);
}

static void test_who_began(void **state)
{
	(void)state;
	began(OPEN, true);
	began(OPEN, false);
	began(PLAIN, true);
	began(PLAIN, false);
}

static void check_tie(const char *but, bool ties)
{
	_cleanup_json_ json_t *j = json_loads(PLAIN, 0, NULL), *more = json_loads(but, 0, NULL);
	_cleanup_free_ char *policy = NULL;
	struct both b;

	assert_int_equal(json_object_update(j, more), 0);
	policy = json_dumps(j, 0);
	b = both_unmarked(policy);
	assert_int_equal(b.shortcut.j->ties, ties);
	end_both(&b);
}

#define SERVICE(leg) "{\"services\": [{\"name\": \"a\", \"role\": \"edge\", \"legs\": [{" leg "}]}]"
#define MAC	     "\"02:42:ac:1c:00:02\""
#define TAP(more)    "{\"taps\": [{\"name\": \"a\", " more "}]}"

/* Whatever a policy has beside addresses may tie a packet that has none of them. */
static void test_what_may_tie(void **state)
{
	(void)state;
	check_tie("{}", false);
	check_tie("{\"allow\": [{\"who\": \"host\", \"proto\": \"udp\", \"port\": 53, \"peer\": "
		  "\"any\", "
		  "\"shape\": \"dns\", \"direction\": \"both\", \"reason\": \"x\"}]}",
		  true);
	check_tie(SERVICE("\"addr\": \"10.0.0.1\"") "}", false);
	check_tie(SERVICE("\"mac\": " MAC) "}", true);
	check_tie(SERVICE("\"addr\": \"10.0.0.1\"") ", \"published\": [{\"proto\": \"tcp\", "
						    "\"port\": 80, \"service\": \"a\"}]}",
		  true);
	check_tie(TAP("\"role\": \"uplink\", \"mac\": " MAC), true);
	check_tie(TAP("\"role\": \"uplink\", \"peer-mac\": " MAC), true);
	check_tie(TAP("\"role\": \"exit\""), false);
	check_tie(TAP("\"role\": \"bridge\""), true);
}

/* What a rule asks for decides: a protocol that noise is not, or more than bystanders have. */
static void test_rules(void **state)
{
	static const unsigned more[] = { NEED_EXPOSED, NEED_TIED, NEED_IN_TUNNEL,
					 NEED_BESIDE_TUNNEL, NEED_UNREADABLE };
	struct asker *a = asker_new(NULL);
	struct rule r = { .needs = NEED_IP | NEED_LEAVING | NEED_OUTSIDE };

	(void)state;
	assert_false(rule_passes_noise(&r, false) || rule_passes_noise(&r, true));
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		struct rule s = { .needs = r.needs | more[i] };

		assert_false(rule_passes_noise(&s, false));
		assert_true(rule_passes_noise(&s, true));
	}
	for (int p = 0; p < PROTO_COUNT; p++)
		for (unsigned needs = 1; needs <= NEED_OUTSIDE; needs <<= 1) {
			bool noise = (NOISE_PROTOS >> p & 1) &&
				     (p != PROTO_BT_UTP || needs == NEED_IP);

			r = (struct rule){ .needs = needs, .protos = PROTO_BIT(p) };
			assert_false(rule_passes_noise(&r, false));
			assert_int_equal(rule_passes_noise(&r, true), !noise);
		}
	r = (struct rule){ .passes_noise = true };
	assert_true(rule_passes_noise(&r, false) && rule_passes_noise(&r, true));
	assert_non_null(a);
	assert_true(asker_passes_noise(a, TAP_EXIT) && asker_passes_noise(a, TAP_ISP));
	assert_false(asker_passes_noise(a, TAP_LO));
	free(a);
}

/* ---- everything that the tests have ---- */

static void test_golden_frames(void **state)
{
	(void)state;
	assert_true(vary_golden(OPEN, "uplink") > 150);
	assert_true(vary_golden(PLAIN, "uplink") > 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_taken),   cmocka_unit_test(test_ends),
		cmocka_unit_test(test_utp),	      cmocka_unit_test(test_excuses),
		cmocka_unit_test(test_ties),	      cmocka_unit_test(test_conntrack),
		cmocka_unit_test(test_attempts),      cmocka_unit_test(test_who_began),
		cmocka_unit_test(test_what_may_tie),  cmocka_unit_test(test_rules),
		cmocka_unit_test(test_golden_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
