// SPDX-License-Identifier: MIT
/* The rows of the rules, driven by hand-made contexts: which of them a packet is asked of, and what they say. */
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
#include "rule/rule_help.h"

static struct policy *policy;
static struct asker *asker;
static struct facts facts; /* too large for a stack */

static int setup(void **state)
{
	(void)state;
	policy = policy_but("tests/golden/policy.json", NULL);
	asker = asker_new(NULL);
	return asker ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(asker);
	policy_free(policy);
	return 0;
}

/* A packet of the stack that left over the tap of that role, as the closed world sees it. */
static struct rule_ctx context(enum tap_role role)
{
	struct rule_ctx c = { .policy = policy,
			      .facts = &facts,
			      .dir = DIR_OUT,
			      .who = { .how = ATTR_POLICY, .confidence = 0.8 } };

	for (size_t i = 0; i < policy->n_taps; i++)
		if (policy->taps[i].role == role)
			c.tap = &policy->taps[i];
	return c;
}

static void decode(struct bytes packet)
{
	(void)decode_frame(NULL, LINK_RAW, packet.b, (uint32_t)packet.n, (uint32_t)packet.n, START,
			   &facts);
}

/* ---- asked ---- */

static void ask_all(const struct rule_ctx *c)
{
	for (uint64_t ask = asker_rules(asker, c); ask; ask &= ask - 1) {
		struct rule_hit hit;

		(void)rules[__builtin_ctzll(ask)]->match(c, &hit);
	}
}

/* Whatever the decoder claims of a frame without an IP header: no rule that is asked reads one. */
static void test_no_rule_reads_a_header_that_is_not_there(void **state)
{
	const struct policy_service *services[] = { NULL, &policy->services[0],
						    &policy->services[4] };

	(void)state;
	memset(&facts, 0, sizeof(facts));
	facts.protos = (UINT64_C(1) << PROTO_COUNT) - 1;
	facts.undecodable = true;
	facts.dhcp.op = 2;
	facts.nd.type = 134;
	facts.nd.router_lifetime = 1;
	facts.http.request = true;
	facts.tls.has_sni = true;
	for (unsigned n = 0; n < 6U * 5 * 3 * 3; n++) {
		struct rule_ctx c = context((enum tap_role)(n % 6));

		c.tunnel = (enum tunnel_relation)(n / 6 % 5);
		c.tuple = &policy->tunnels[0];
		c.dir = (enum packet_direction)(n / 30 % 3);
		c.who.service = services[n / 90];
		c.flow_inbound = c.flow_older = c.canary_in_tunnel = c.tunnel_port_moved = true;
		ask_all(&c);
	}
}

/* "id id ..." of the rules that are asked, in the order of the table. */
static const char *asked(const struct rule_ctx *c)
{
	static char ids[1024];
	size_t at = 0;

	ids[0] = '\0';
	for (uint64_t ask = asker_rules(asker, c); ask; ask &= ask - 1)
		at += (size_t)snprintf(ids + at, sizeof(ids) - at, "%s%s", at ? " " : "",
				       rules[__builtin_ctzll(ask)]->id);
	return ids;
}

/* Millions of packets are tunnel payload, or come in: few rules are asked of them. */
static void test_what_the_many_packets_are_asked(void **state)
{
	struct rule_ctx c = context(TAP_UPLINK);

	(void)state;
	decode(ip(REAL, VPN, P_UDP, udp(41000, 51820, wg_data(64, 5))));
	c.tunnel = TUNNEL_PAYLOAD;
	assert_string_equal(asked(&c),
			    "tunnel-not-opaque tunnel-port-moved tunnel-address-answers");
	c.dir = DIR_IN;
	assert_string_equal(asked(&c), "tunnel-not-opaque tunnel-port-moved");
	c.tunnel = TUNNEL_NOT;
	assert_string_equal(asked(&c), "");
	c = context(TAP_BRIDGE);
	assert_string_equal(asked(&c), "");
}

/* Beside the tunnel the endpoint has a rule of its own; the rules of its payload are not asked. */
static void test_what_a_packet_beside_the_tunnel_is_asked(void **state)
{
	struct rule_ctx c = context(TAP_UPLINK);

	(void)state;
	decode(ip(REAL, VPN, P_UDP, udp(41000, 9, fill(1, 9))));
	c.tunnel = TUNNEL_OTHER_PORT;
	assert_string_equal(asked(&c),
			    "cleartext-outside-tunnel private-source-outside ipv6-outside "
			    "old-flow-outside tunnel-endpoint-cleartext "
			    "published-port-answers tunnel-address-answers");
	c.tunnel = TUNNEL_QUOTED; /* an ICMP error about a tunnel packet */
	assert_string_equal(asked(&c), "tunnel-address-answers");
}

/* An allowance, or upkeep of the link, excuses a packet from all rules about what is outside. */
static void test_excused_packets(void **state)
{
	struct rule_ctx c = context(TAP_UPLINK);

	(void)state;
	decode(ip(REAL, SINK, P_UDP, udp(40001, 9, fill(1, 9))));
	assert_true(rule_outside(&c) && rule_exposed(&c));
	c.allow = &policy->allows[0];
	assert_false(rule_outside(&c) || rule_exposed(&c));
	c.allow = NULL;
	c.upkeep = "nd";
	assert_false(rule_outside(&c) || rule_exposed(&c));
}

/* An edge service may be outside. Where a protected one may have sent it as well, it counts as a leak. */
static void test_exposed(void **state)
{
	const struct policy_service *app = &policy->services[0];
	const struct policy_service *plex = &policy->services[4];
	const struct {
		struct attributed who;
		bool exposed;
	} rows[] = {
		{ { .how = ATTR_NONE }, false },
		{ { .how = ATTR_NONCE }, true },
		{ { .how = ATTR_SOURCE, .service = app }, true },
		{ { .how = ATTR_SOURCE, .service = plex }, false },
		{ { .how = ATTR_AMBIGUOUS, .service = plex, .other = app }, true },
		{ { .how = ATTR_AMBIGUOUS, .service = app, .other = plex }, true },
		{ { .how = ATTR_AMBIGUOUS, .service = plex, .other = plex - 1 }, false },
		{ { .how = ATTR_AMBIGUOUS, .service = plex }, true }, /* or an unknown container */
		{ { .how = ATTR_AMBIGUOUS, .other = plex }, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rule_ctx c = context(TAP_UPLINK);

		c.who = rows[i].who;
		if (rule_exposed(&c) != rows[i].exposed)
			fail_msg("row %zu", i);
	}
}

/* A uTP header alone is a weak sign: it has to be tied to the stack. What is surely uTP need not be. */
static void test_a_weak_sign_of_utp(void **state)
{
	const struct rule *r = rule_find("utp-outside");
	struct rule_ctx c = context(TAP_UPLINK);
	struct rule_hit hit;

	(void)state;
	for (int weak = 0; weak < 2; weak++)
		for (int tied = 0; tied < 2; tied++) {
			/* SYN, or DATA as of a connection of which nothing else was seen */
			decode(ip(REAL, SINK, P_UDP,
				  udp(6881, 6881,
				      hex(weak ? "01001234 00000001 00000000 00100000 00010000 77"
					       : "41001234 00000001 00000000 00100000 00010000"))));
			assert_true(facts_has(&facts, PROTO_BT_UTP));
			assert_int_equal((facts.weak & PROTO_BIT(PROTO_BT_UTP)) != 0, weak);
			c.who.how = tied ? ATTR_POLICY : ATTR_NONE;
			assert_int_equal(r->match(&c, &hit), tied || !weak);
		}
}

/* Either the edge service did it, which is this rule's, or a protected one may have, which is a leak. */
static void test_what_an_edge_service_sends(void **state)
{
	const struct policy_service *app = &policy->services[0];
	const struct policy_service *plex = &policy->services[4];
	const struct rule *r = rule_find("edge-not-listed");
	const struct {
		struct attributed who;
		bool said;
	} rows[] = {
		{ { .how = ATTR_SOURCE, .service = plex }, true },
		{ { .how = ATTR_SOURCE, .service = app }, false },
		{ { .how = ATTR_AMBIGUOUS, .service = plex, .other = app }, false },
		{ { .how = ATTR_NONE }, false },
	};

	(void)state;
	decode(ip(REAL, SINK, P_UDP, udp(40001, 9, fill(1, 9))));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rule_ctx c = context(TAP_UPLINK);
		struct rule_hit hit;

		c.who = rows[i].who;
		assert_int_equal(r->match(&c, &hit), rows[i].said);
	}
}

static bool is_asked(const struct rule_ctx *c, const struct rule *r)
{
	for (uint64_t ask = asker_rules(asker, c); ask; ask &= ask - 1)
		if (rules[__builtin_ctzll(ask)] == r)
			return true;
	return false;
}

/* Rules that read the IP header are asked of nothing that has none, whatever else is true of it. */
static void test_rules_that_want_a_header(void **state)
{
	static const char *const ids[] = {
		"cleartext-outside-tunnel",
		"old-flow-outside",
		"icmp-outside",
		"ipv6-outside",
		"private-source-outside",
		"published-port-answers",
		"real-address-text",
		"router-advertisement-inside",
		"tunnel-address-answers",
		"vpn-side-answers",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		const struct rule *r = rule_find(ids[i]);
		bool asked = false;

		for (int role = TAP_UPLINK; role <= TAP_EXIT; role++) {
			struct rule_ctx c = context((enum tap_role)role);

			if (!c.tap)
				continue;
			memset(&facts, 0, sizeof(facts));
			facts.protos = (UINT64_C(1) << PROTO_COUNT) - 1;
			assert_false(is_asked(&c, r));
			facts.n_layers = 1;
			asked |= is_asked(&c, r);
		}
		if (!asked)
			fail_msg("%s is never asked", ids[i]);
	}
}

/* A SYN-ACK answers, a reset refuses, and what has no ports is no answer. */
static void test_answers_to_strangers(void **state)
{
	const struct rule *r = rule_find("published-port-answers");
	const struct {
		struct bytes packet;
		bool inbound, said;
	} rows[] = {
		{ ip(REAL, SINK, P_TCP, tcp(8080, 9, 1, F_SYN | F_ACK, fill(0, 0))), true, true },
		{ ip(REAL, SINK, P_TCP, tcp(8080, 9, 1, F_SYN | F_ACK, fill(0, 0))), false, false },
		{ ip(REAL, SINK, P_TCP, tcp(8080, 9, 1, TCP_RST | F_ACK, fill(0, 0))), true,
		  false },
		{ ip(REAL, SINK, 99, fill(0, 20)), true, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rule_ctx c = context(TAP_UPLINK);
		struct rule_hit hit;

		decode(rows[i].packet);
		c.flow_inbound = rows[i].inbound;
		assert_int_equal(r->match(&c, &hit), rows[i].said);
	}
}

/* What an earlier message left in the facts is asked of nobody: the row names the protocol. */
static void test_a_node_id_of_an_earlier_message(void **state)
{
	const struct rule *r = rule_find("dht-id-from-real-address");
	struct rule_ctx c = context(TAP_EXIT);

	(void)state;
	decode(ip(TUN, SINK, P_UDP, udp(6881, 6881, dht_ping(fill(0x31, 20)))));
	assert_true(is_asked(&c, r));
	decode(ip(TUN, SINK, P_UDP, udp(40001, 9, fill(1, 9))));
	assert_true(facts.bt.has_node_id);
	assert_false(is_asked(&c, r));
}

/* ---- said ---- */

static void check_says(const struct rule_ctx *c, const struct rule *r, const char *what)
{
	struct rule_hit hit;

	assert_true(r->match(c, &hit));
	assert_string_equal(hit.what, what);
}

static void test_what_they_say_of_the_tunnel(void **state)
{
	struct rule_ctx c = context(TAP_UPLINK);
	const struct rule *endpoint = rule_find("tunnel-endpoint-cleartext");

	(void)state;
	decode(ip(REAL, VPN, P_UDP, udp(41000, 51820, fill(1, 9))));
	c.tuple = &policy->tunnels[0];
	c.tunnel = TUNNEL_TUPLE_ONLY;
	check_says(&c, endpoint,
		   "sent to the tunnel's endpoint 198.51.100.2:51820 what is no wireguard payload");
	c.tunnel = TUNNEL_OTHER_PORT;
	check_says(&c, endpoint, "reached the VPN server beside the tunnel, at 198.51.100.2:51820");
	c.tunnel = TUNNEL_PAYLOAD;
	c.tunnel_port_moved = true;
	check_says(&c, rule_find("tunnel-port-moved"),
		   "continued a tunnel session from another port, 203.0.113.10:41000");
}

static void test_what_they_say_of_lookups(void **state)
{
	struct rule_ctx c = context(TAP_UPLINK);
	const struct rule *dns = rule_find("plaintext-dns");

	(void)state;
	decode(ip(REAL, SINK, P_UDP, udp(41000, 53, dns_query(1, "a.example"))));
	check_says(&c, dns, "looked up a.example by DNS at 198.51.100.134:53, outside the tunnel");
	decode(ip(REAL, SINK, P_UDP, udp(41000, 53, fill(1, 9))));
	check_says(&c, dns,
		   "looked up a name that cannot be read by DNS at 198.51.100.134:53, outside the "
		   "tunnel");
}

static void test_what_they_say_of_addresses(void **state)
{
	struct rule_ctx c = context(TAP_EXIT);

	(void)state;
	decode(ip(REAL6, SINK6, P_TCP, tcp(8080, 50001, 9, F_SYN | F_ACK, fill(0, 0))));
	check_says(&c, rule_find("vpn-side-answers"),
		   "answered a connection from the VPN's side at [2001:db8:1::10]:8080");
	check_says(&c, rule_find("ipv6-outside"),
		   "sent IPv6 to [2001:db8:2::134]:50001 outside the tunnel");
	decode(ip(REAL, SINK, P_ICMP, icmp(8, 0, hex("1234 0001"))));
	check_says(&c, rule_find("icmp-outside"),
		   "sent ICMP type 8 to 198.51.100.134 outside the tunnel");
}

/* The address may be told by us, or come back from somebody who saw it. */
static void test_who_told_the_real_address(void **state)
{
	struct rule_ctx c = context(TAP_EXIT);
	const struct rule *r = rule_find("real-address-in-payload");

	(void)state;
	decode(ip(TUN, SINK, P_UDP, udp(40001, 6969, udp_tracker_announce(addr(REAL)))));
	facts.n_addrs = 1;
	facts.addrs[0] = (struct place_addr){ .addr = policy->real[0], .place = PLACE_BT_YOURIP };
	check_says(&c, r, "told the real address 203.0.113.10 inside the tunnel, as bt-yourip");
	c.dir = DIR_IN;
	check_says(
		&c, r,
		"was answered with the real address 203.0.113.10 inside the tunnel, as bt-yourip");
}

static void test_transports_by_name(void **state)
{
	static const struct {
		uint8_t proto;
		const char *name;
	} rows[] = { { P_TCP, "TCP" },
		     { P_UDP, "UDP" },
		     { P_ICMP, "ICMP" },
		     { P_ICMP6, "ICMPv6" },
		     { 132, "IP protocol 132" } };
	struct rule_ctx c = context(TAP_UPLINK);
	char buf[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		decode(ip(REAL, SINK, rows[i].proto, fill(0, 20)));
		assert_string_equal(rule_transport(&c, buf, sizeof(buf)), rows[i].name);
	}
	facts.n_layers = 0;
	assert_string_equal(rule_transport(&c, buf, sizeof(buf)), "non-IP");
	assert_string_equal(rule_source(&c, buf, sizeof(buf)), "somewhere");
	assert_string_equal(rule_destination(&c, buf, sizeof(buf)), "somewhere");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_rule_reads_a_header_that_is_not_there),
		cmocka_unit_test(test_what_the_many_packets_are_asked),
		cmocka_unit_test(test_what_a_packet_beside_the_tunnel_is_asked),
		cmocka_unit_test(test_excused_packets),
		cmocka_unit_test(test_exposed),
		cmocka_unit_test(test_a_weak_sign_of_utp),
		cmocka_unit_test(test_what_an_edge_service_sends),
		cmocka_unit_test(test_rules_that_want_a_header),
		cmocka_unit_test(test_answers_to_strangers),
		cmocka_unit_test(test_a_node_id_of_an_earlier_message),
		cmocka_unit_test(test_what_they_say_of_the_tunnel),
		cmocka_unit_test(test_what_they_say_of_lookups),
		cmocka_unit_test(test_what_they_say_of_addresses),
		cmocka_unit_test(test_who_told_the_real_address),
		cmocka_unit_test(test_transports_by_name),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
