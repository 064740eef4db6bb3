// SPDX-License-Identifier: MIT
/* The judge: attribution, blocked attempts, controls, canaries, marks, series, bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golden/world.h"

static void test_bridge_match_names_the_service(void **state)
{
	struct world w = lab();

	(void)state;
	feed(&w, "br-vpn", 0, from_qbt(11, 64, udp(1000, 9, fill(1, 50))));
	feed(&w, "uplink", 45000, leaving(11, 63, udp(50000, 9, fill(1, 50))));
	judge_finish(w.j);
	check_who(&w, ATTR_BRIDGE_MATCH, "qbittorrent");
	assert_true(first_of(&w, "cleartext-outside-tunnel")->confidence > 0.95);
	assert_non_null(strstr(first_of(&w, "cleartext-outside-tunnel")->sentence,
			       "qbittorrent sent UDP to 198.51.100.134:9 outside the tunnel."));
	assert_int_equal(judge_blocked(w.j), 0);
	assert_int_equal(judge_attempts(w.j), 1);
	end(&w);
}

/* Everything that makes it another packet. */
static void test_bridge_match_refuses_others(void **state)
{
	struct bytes p = udp(50000, 9, fill(1, 50));
	const struct bytes others[] = {
		leaving(12, 63, p),			      /* IP id */
		leaving(11, 63, udp(50000, 9, fill(2, 50))),  /* payload */
		leaving(11, 63, udp(50000, 9, fill(1, 51))),  /* length */
		leaving(11, 63, udp(50000, 10, fill(1, 50))), /* port */
		leaving(11, 65, p),			      /* TTL went up */
		leaving(11, 59, p),			      /* five hops: no */
		out(ip4o(REAL, "198.51.100.135", P_UDP, (struct ip_fields){ .id = 11, .ttl = 63 },
			 p)),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct world w = lab();

		feed(&w, "br-vpn", 0, from_qbt(11, 64, udp(1000, 9, fill(1, 50))));
		feed(&w, "uplink", 45000, others[i]);
		judge_finish(w.j);
		check_who(&w, ATTR_POLICY, "");
		assert_int_equal(judge_blocked(w.j), 1);
		end(&w);
	}
}

static void test_bridge_match_in_time_only(void **state)
{
	static const struct {
		int64_t at;
		enum attribution how;
	} rows[] = { { 1 * MS, ATTR_BRIDGE_MATCH },
		     { 2000 * MS, ATTR_BRIDGE_MATCH },
		     { 2001 * MS, ATTR_POLICY },
		     { -1 * MS, ATTR_BRIDGE_MATCH },
		     { -2 * MS, ATTR_POLICY } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = lab();

		feed(&w, "br-vpn", 0, from_qbt(11, 64, udp(1000, 9, fill(1, 50))));
		feed(&w, "uplink", rows[i].at, leaving(11, 63, udp(50000, 9, fill(1, 50))));
		judge_finish(w.j);
		assert_int_equal(first_of(&w, "cleartext-outside-tunnel")->how, rows[i].how);
		end(&w);
	}
}

static void test_id_zero_still_matches(void **state)
{
	struct world w = lab();

	(void)state;
	feed(&w, "br-vpn", 0, from_qbt(0, 64, udp(1000, 9, fill(1, 50))));
	feed(&w, "uplink", 45000, leaving(77, 63, udp(50000, 9, fill(1, 50))));
	judge_finish(w.j);
	check_who(&w, ATTR_BRIDGE_MATCH, "qbittorrent");
	end(&w);
}

static void test_two_that_fit_are_said(void **state)
{
	struct world w = lab();

	(void)state;
	feed(&w, "br-vpn", 0, from_qbt(0, 64, udp(1000, 9, fill(1, 50))));
	feed(&w, "br-vpn", 1000, from_sonarr(0, 64, udp(1000, 9, fill(1, 50))));
	feed(&w, "uplink", 45000, leaving(0, 63, udp(50000, 9, fill(1, 50))));
	judge_finish(w.j);
	check_who(&w, ATTR_AMBIGUOUS, "sonarr or qbittorrent");
	assert_true(first_of(&w, "cleartext-outside-tunnel")->confidence < 0.6);
	end(&w);
}

static void test_marker_outweighs_the_bridge(void **state)
{
	struct world w = lab();
	struct bytes p = cat(cat(text("x"), hex(MARKER)), be(2, 4));
	size_t n;
	const struct judge_canary *c;

	(void)state;
	feed(&w, "br-vpn", 0, from_qbt(11, 64, udp(1000, 9, p)));
	feed(&w, "uplink", 45000, leaving(11, 63, udp(50000, 9, p)));
	judge_finish(w.j);
	check_who(&w, ATTR_NONCE, "sonarr");
	assert_int_equal(first_of(&w, "cleartext-outside-tunnel")->canary, 2);
	c = judge_canaries(w.j, &n);
	assert_int_equal(n, 2);
	assert_int_equal(c[1].id, 2);
	assert_int_equal(c[1].tap, tap(&w, "uplink"));
	assert_int_equal(c[1].first, START + 45000);
	end(&w);
}

static void test_marker_as_text_and_label(void **state)
{
	struct world w = lab();

	(void)state;
	feed(&w, "uplink", 0, leaving(11, 63, udp(50000, 9, text("a " MARKER "00000001 b"))));
	feed(&w, "uplink", 9, leaving(12, 63, udp(50000, 53, dns_query(1, "a.Cq-8F21.example"))));
	judge_finish(w.j);
	check_who(&w, ATTR_NONCE, "qbittorrent");
	assert_string_equal(first_of(&w, "plaintext-dns")->service, "qbittorrent");
	/* a label that only begins like one is none */
	end(&w);
	w = lab();
	feed(&w, "uplink", 9, leaving(12, 63, udp(50000, 53, dns_query(1, "cq-8f211.example"))));
	judge_finish(w.j);
	assert_int_equal(first_of(&w, "plaintext-dns")->how, ATTR_POLICY);
	end(&w);
}

static void test_conntrack_and_destination(void **state)
{
	struct world w = lab();
	struct judge_conntrack c = { .proto = P_UDP,
				     .sport = 1000,
				     .dport = 9,
				     .reply_sport = 9,
				     .reply_dport = 50000,
				     .from = START,
				     .to = START + 10 * MS };

	(void)state;
	assert_true(ipaddr_parse(SONARR, &c.src) && ipaddr_parse(SINK, &c.dst));
	assert_true(ipaddr_parse(SINK, &c.reply_src) && ipaddr_parse(REAL, &c.reply_dst));
	judge_add_conntrack(w.j, &c);
	feed(&w, "uplink", 5 * MS, leaving(11, 63, udp(50000, 9, fill(1, 50))));
	feed(&w, "uplink", 6 * MS, leaving(12, 63, udp(50001, 9, fill(1, 50))));
	feed(&w, "uplink", 7 * MS,
	     out(ip(REAL, "198.51.100.140", P_TCP, tcp(40001, 7, 4, F_SYN, fill(0, 0)))));
	judge_finish(w.j);
	check_who(&w, ATTR_CONNTRACK, "sonarr");
	{
		size_t n;
		const struct finding *f = judge_findings(w.j, &n);

		assert_int_equal(n, 3);
		assert_int_equal(f[1].how, ATTR_POLICY);
		assert_int_equal(f[2].how, ATTR_DESTINATION);
		assert_string_equal(f[2].service, "sonarr");
	}
	end(&w);
}

static void test_open_world_needs_evidence(void **state)
{
	struct world w = world_of("tests/golden/policy-home.json", NULL);
	const struct judge_tap_counters *n;

	(void)state;
	feed(&w, "uplink", 0,
	     out(ip("192.168.1.10", SINK, P_TCP, tcp(40001, 9, 5, F_SYN, fill(0, 0)))));
	judge_finish(w.j);
	n = judge_counters(w.j, tap(&w, "uplink"));
	assert_int_equal(judge_findings_total(w.j), 0);
	assert_int_equal(n->unattributed, 1);
	assert_int_equal(n->ours, 1);
	end(&w);
	w = world_of("tests/golden/policy-home.json", NULL);
	for (int ms = 1; ms < 4; ms++)
		feed(&w, "uplink", ms * MS,
		     out(ip("192.168.1.10", SINK, P_TCP, tcp(40001, 9, 5, F_SYN, fill(0, 0)))));
	n = judge_counters(w.j, tap(&w, "uplink"));
	assert_int_equal(n->unattributed_first, START + MS);
	assert_int_equal(n->unattributed_last, START + 3 * MS);
	end(&w);
}

static void test_blocked_and_tunnelled(void **state)
{
	struct world w = lab();

	(void)state;
	/* one goes through the tunnel, one is stopped, one stays inside, one shows on veth and bridge */
	feed(&w, "br-vpn", 0, from_qbt(1, 64, udp(1000, 9, fill(1, 50))));
	feed(&w, "exit", 3 * MS,
	     ip4o(TUN, SINK, P_UDP, (struct ip_fields){ .id = 1, .ttl = 62 },
		  udp(999, 9, fill(1, 50))));
	feed(&w, "br-vpn", 4 * MS, from_qbt(2, 64, udp(1000, 9, fill(2, 50))));
	feed(&w, "br-vpn", 5 * MS,
	     app(ip(QBT, "172.30.0.3", P_UDP, udp(1000, 53, dns_query(1, "a.example")))));
	feed(&w, "veth-qbt", 6 * MS, from_qbt(3, 64, udp(1000, 9, fill(3, 50))));
	feed(&w, "br-vpn", 6 * MS + 5000, from_qbt(3, 64, udp(1000, 9, fill(3, 50))));
	judge_finish(w.j);
	assert_int_equal(judge_attempts(w.j), 3);
	assert_int_equal(judge_blocked(w.j), 2);
	assert_int_equal(judge_findings_total(w.j), 0);
	end(&w);
}

static void test_merged_segments_at_the_exit(void **state)
{
	struct world w = lab();

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		feed(&w, "br-vpn", i * 10000,
		     app(ip(QBT, SINK, P_TCP, tcp(40001, 9, 1000 + i * 500, F_ACK, fill(1, 500)))));
	feed(&w, "exit", 2 * MS, ip(TUN, SINK, P_TCP, tcp(50001, 9, 1000, F_ACK, fill(1, 1500))));
	judge_finish(w.j);
	assert_int_equal(judge_attempts(w.j), 3);
	assert_int_equal(judge_blocked(w.j), 0);
	end(&w);
}

static void test_edge_attempts_do_not_count(void **state)
{
	struct world w = lab();

	(void)state;
	feed(&w, "br-media", 0,
	     eth(M_PLEX, M_HOST, 0x0800,
		 ip(PLEX, SINK, P_TCP, tcp(40001, 443, 1, F_SYN, fill(0, 0)))));
	judge_finish(w.j);
	assert_int_equal(judge_attempts(w.j), 0);
	assert_int_equal(judge_blocked(w.j), 0);
	end(&w);
}

static void test_controls_are_caught_and_removed(void **state)
{
	const uint32_t sent = POLICY_CONTROL_BASE + 1, by_label = POLICY_CONTROL_BASE;
	struct world w = lab();
	struct golden g = { .n = 0 };

	(void)state;
	miss_control(&g);
	for (size_t i = 0; i < g.n; i++)
		feed(&w, g.f[i].tap, g.f[i].us * NS_PER_US, g.f[i].b);
	/* the same packet of another run is no control */
	assert_true(judge_control_caught(w.j, sent, "cleartext-outside-tunnel", "uplink"));
	assert_true(judge_control_caught(w.j, by_label, "plaintext-dns", "uplink"));
	/* one that was caught does not vouch for another one of the same rule */
	assert_false(judge_control_caught(w.j, sent + 1, "cleartext-outside-tunnel", "uplink"));
	assert_false(judge_control_caught(w.j, sent, "cleartext-outside-tunnel", "isp"));
	assert_false(judge_control_caught(w.j, sent, "dht-outside", "uplink"));
	assert_int_equal(judge_findings_total(w.j), 0);
	assert_int_equal(judge_counters(w.j, 0)->controls, 2);
	assert_int_equal(judge_counters(w.j, 0)->leaked, 0);
	feed(&w, "uplink", 9 * MS,
	     leaving(1, 64, udp(40001, 9, cat(fill(0x6c, 16), be(0x80000001, 4)))));
	feed(&w, "uplink", 9 * MS,
	     leaving(1, 64,
		     udp(40001, 53, dns_query(9, "ctl-plaintext-dns-6c70000102030406.example"))));
	assert_int_equal(judge_counters(w.j, 0)->controls, 2);
	assert_int_equal(judge_counters(w.j, 0)->leaked, 2);
	judge_finish(w.j);
	end(&w);
}

static void test_marks_and_series(void **state)
{
	struct judge_opts opts = { .start = START, .bin = 10 * MS };
	struct world w = world_of("tests/golden/policy.json", &opts);
	int mark = judge_add_mark(w.j, START + 50 * MS, START + 100 * MS);
	const struct judge_mark *m;
	const uint32_t *bins;
	int64_t start;
	int64_t width;
	size_t n;

	(void)state;
	for (int i = 0; i < 5; i++)
		feed(&w, "uplink", i * 10 * MS,
		     out(ip(REAL, VPN, P_UDP, udp(41000, 51820, wg_data(64, 5)))));
	/* a keep-alive carries no data */
	feed(&w, "uplink", 45 * MS, out(ip(REAL, VPN, P_UDP, udp(41000, 51820, wg_data(0, 5)))));
	feed(&w, "uplink", 49 * MS, leaving(1, 63, udp(50000, 9, fill(1, 50)))); /* before */
	feed(&w, "uplink", 50 * MS, leaving(2, 63, udp(50000, 9, fill(1, 50))));
	feed(&w, "isp", 50 * MS + 1, leaving(2, 63, udp(50000, 9, fill(1, 50))));
	feed(&w, "br-vpn", 70 * MS, from_qbt(3, 64, udp(1000, 9, fill(9, 50))));
	feed(&w, "uplink", 99 * MS, leaving(4, 63, udp(50000, 9, fill(1, 50))));
	feed(&w, "uplink", 100 * MS, leaving(5, 63, udp(50000, 9, fill(1, 50)))); /* after */
	feed(&w, "uplink", 120 * MS, in(ip(VPN, REAL, P_UDP, udp(51820, 41000, wg_data(64, 6)))));
	judge_finish(w.j);
	m = judge_mark_get(w.j, mark);
	assert_int_equal(m->last_tunnel_before, START + 40 * MS);
	assert_int_equal(m->last_tunnel_in, 0);
	assert_int_equal(m->first_leak_in, START + 50 * MS);
	assert_int_equal(m->last_leak_in, START + 99 * MS);
	assert_int_equal(m->leaks_in, 2); /* isp shows one of them again */
	assert_int_equal(m->attempts_in, 1);
	assert_int_equal(m->blocked_in, 1);
	assert_int_equal(m->sample_gap, 29 * MS);
	assert_null(judge_mark_get(w.j, 1));
	bins = judge_series(w.j, SERIES_TUNNEL_OUT, &n, &start, &width);
	assert_int_equal(start, START);
	assert_int_equal(width, 10 * MS);
	assert_int_equal(n, 13);
	assert_int_equal(bins[0], 1);
	assert_int_equal(bins[5], 0);
	assert_int_equal(judge_series(w.j, SERIES_TUNNEL_IN, &n, &start, &width)[12], 1);
	assert_int_equal(judge_series(w.j, SERIES_LEAKS, &n, &start, &width)[5], 1);
	assert_int_equal(judge_series(w.j, SERIES_BLOCKED, &n, &start, &width)[7], 1);
	assert_int_equal(judge_counters(w.j, 0)->tunnel_packets, 7);
	assert_int_equal(judge_counters(w.j, 0)->tunnel_data_out, 5);
	assert_int_equal(judge_counters(w.j, 0)->tunnel_data_in, 1);
	end(&w);
}

static void test_bins_fold(void **state)
{
	struct judge_opts opts = { .start = START, .bin = MS };
	struct world w = world_of("tests/golden/policy.json", &opts);
	const uint32_t *bins;
	int64_t start;
	int64_t width;
	uint64_t sum = 0;
	size_t n;

	(void)state;
	for (int i = 0; i < 100; i++)
		feed(&w, "uplink", i * 4000 * MS, leaving((uint16_t)i, 63, udp(5, 9, fill(1, 5))));
	judge_finish(w.j);
	bins = judge_series(w.j, SERIES_LEAKS, &n, &start, &width);
	for (size_t i = 0; i < n; i++)
		sum += bins[i];
	assert_int_equal(sum, 100);
	assert_int_equal(width, 8 * MS);
	assert_true(n <= JUDGE_BINS_MAX);
	assert_int_equal(bins[99 * 4000 / 8], 1);
	end(&w);
}

static void test_findings_are_bounded(void **state)
{
	struct judge_opts opts = { .findings_max = 80 };
	struct world w = world_of("tests/golden/policy.json", &opts);
	size_t n;

	(void)state;
	for (int i = 0; i < 500; i++)
		feed(&w, "uplink", i * 1000, leaving((uint16_t)i, 63, udp(5, 9, fill(1, 5))));
	feed(&w, "uplink", 501000, leaving(9, 63, udp(5, 53, dns_query(1, "a.example"))));
	judge_finish(w.j);
	(void)judge_findings(w.j, &n);
	assert_int_equal(n, 11); /* an eighth for the flood, and still the lookup */
	assert_int_equal(judge_findings_total(w.j), 502);
	assert_non_null(first_of(&w, "plaintext-dns"));
	end(&w);
}

static void test_allowances_are_counted(void **state)
{
	struct world w = lab();
	struct bytes ntp = cat(hex("23 00 06 20"), fill(0, 44));
	const struct judge_allow_use *u;
	uint64_t used = 0;
	size_t n;

	(void)state;
	feed(&w, "uplink", 0, out(ip(REAL, ROUTER, P_UDP, udp(40001, 123, ntp))));
	feed(&w, "uplink", 1, out(ip(REAL, ROUTER, P_UDP, udp(40001, 123, ntp))));
	feed(&w, "uplink", 2, arp(1, M_HOST, REAL, ROUTER));
	judge_finish(w.j);
	u = judge_allowances(w.j, &n);
	assert_int_equal(n, 6); /* five of the policy and "arp" */
	assert_string_equal(u[1].name, "the clock of the host");
	assert_int_equal(u[1].packets, 2);
	assert_int_equal(u[1].bytes, 2 * (14 + 20 + 8 + 48));
	assert_string_equal(u[5].name, "arp");
	assert_null(u[5].allow);
	for (size_t i = 0; i < n; i++)
		used += u[i].packets;
	assert_int_equal(used, 3);
	assert_int_equal(judge_counters(w.j, 0)->allowed, 2);
	assert_int_equal(judge_counters(w.j, 0)->upkeep, 1);
	end(&w);
}

static void test_next_hop_tells_the_direction(void **state)
{
	struct world w = lab();

	(void)state;
	/* a container with a leg of its own on the uplink: neither the host's MAC nor its address */
	feed(&w, "uplink", 0,
	     eth("02aabbccddee", M_ROUTER, 0x0800,
		 ip("203.0.113.50", SINK, P_UDP, udp(4, 9, fill(1, 5)))));
	/* the router forwards what is not for us */
	feed(&w, "uplink", 1,
	     eth(M_ROUTER, "02aabbccddee", 0x0800,
		 ip(SINK, "203.0.113.50", P_UDP, udp(9, 4, fill(1, 5)))));
	judge_finish(w.j);
	assert_int_equal(judge_counters(w.j, 0)->leaked, 1);
	assert_int_equal(judge_counters(w.j, 0)->inbound, 1);
	end(&w);
}

static const char *sentence_of(const struct world *w, const char *rule)
{
	const struct finding *f = first_of(w, rule);

	if (!f)
		fail_msg("%s found nothing", rule);
	return f->sentence;
}

static void check_sentence(const struct world *w, const char *rule, const char *part)
{
	const char *sentence = sentence_of(w, rule);

	if (!strstr(sentence, part))
		fail_msg("%s: `%s` lacks `%s`", rule, sentence, part);
}

static void test_sentences(void **state)
{
	struct world w = lab();
	struct golden g = { .n = 0 };

	(void)state;
	dns_lo_canary(&g);
	text_v4(&g);
	node_v4(&g);
	for (size_t i = 0; i < g.n; i++)
		feed(&w, g.f[i].tap, g.f[i].us * NS_PER_US, g.f[i].b);
	judge_finish(w.j);
	check_sentence(
		&w, "plaintext-dns",
		"sonarr looked up x.CS-11D0.canary.example by DNS at 127.0.0.53:53, through the "
		"host's own resolver.");
	check_sentence(&w, "real-address-text", "was sent text with the real address 203.0.113.10");
	check_sentence(&w, "dht-id-from-real-address", "made from the real address 203.0.113.10");
	end(&w);
	w = lab();
	feed(&w, "uplink", 0, leaving(1, 64, udp(5, 53, dns_query(1, "a.example"))));
	feed(&w, "exit", 0, ip(TUN, SINK, P_UDP, udp(5, 514, text("at 203.0.113.10"))));
	judge_finish(w.j);
	check_sentence(&w, "plaintext-dns",
		       "The stack looked up a.example by DNS at 198.51.100.134:53, "
		       "outside the tunnel.");
	check_sentence(&w, "real-address-text", "sent text with the real address 203.0.113.10");
	assert_null(strstr(sentence_of(&w, "real-address-text"), "was"));
	end(&w);
}

static void test_policy_without_taps_is_refused(void **state)
{
	struct policy *p = policy_new();
	struct err err = { 0 };

	(void)state;
	assert_null(judge_new(p, NULL, &err));
	assert_int_equal(err.status, EXIT_USAGE);
	policy_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bridge_match_names_the_service),
		cmocka_unit_test(test_bridge_match_refuses_others),
		cmocka_unit_test(test_bridge_match_in_time_only),
		cmocka_unit_test(test_id_zero_still_matches),
		cmocka_unit_test(test_two_that_fit_are_said),
		cmocka_unit_test(test_marker_outweighs_the_bridge),
		cmocka_unit_test(test_marker_as_text_and_label),
		cmocka_unit_test(test_conntrack_and_destination),
		cmocka_unit_test(test_open_world_needs_evidence),
		cmocka_unit_test(test_blocked_and_tunnelled),
		cmocka_unit_test(test_merged_segments_at_the_exit),
		cmocka_unit_test(test_edge_attempts_do_not_count),
		cmocka_unit_test(test_controls_are_caught_and_removed),
		cmocka_unit_test(test_marks_and_series),
		cmocka_unit_test(test_bins_fold),
		cmocka_unit_test(test_findings_are_bounded),
		cmocka_unit_test(test_allowances_are_counted),
		cmocka_unit_test(test_next_hop_tells_the_direction),
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_policy_without_taps_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
