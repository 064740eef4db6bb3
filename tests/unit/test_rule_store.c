// SPDX-License-Identifier: MIT
/* What the judge keeps and answers: findings, controls, canaries, allowances, series, marks; and its bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golden/world.h"

static struct bytes leak(uint16_t id)
{
	return leaving(id, 64, udp(50000, 9, fill(1, 50)));
}

static struct bytes tunnel_data(void)
{
	return out(ip(REAL, VPN, P_UDP, udp(41000, 51820, wg_data(64, 5))));
}

static struct world with(struct judge_opts opts)
{
	return world_of("tests/golden/policy.json", &opts);
}

static struct world since_start(int64_t bin)
{
	return with((struct judge_opts){ .start = START, .bin = bin });
}

/* ---- findings ---- */

/* More kinds of findings than there is room for: what does not fit is counted, not written. */
static void test_findings_max(void **state)
{
	struct world w = with((struct judge_opts){ .findings_max = 8 });
	size_t n;

	(void)state;
	for (int i = 0; i < 2; i++) {
		const char *where = i ? "isp" : "uplink";

		feed(&w, where, 1, out(ip(QBT, SINK, P_UDP, udp(1, 9, fill(1, 9)))));
		feed(&w, where, 2, leaving(1, 64, udp(1, 53, dns_query(1, "a.example"))));
		feed(&w, where, 3, out(ip(REAL6, SINK6, P_UDP, udp(1, 3478, stun()))));
	}
	judge_finish(w.j);
	(void)judge_findings(w.j, &n);
	assert_int_equal(n, 8);
	assert_true(judge_findings_total(w.j) > 8);
	end(&w);
}

static void check_order(const struct finding *f, const char *rule, size_t tap_index, uint64_t frame)
{
	assert_string_equal(f->rule->id, rule);
	assert_int_equal(f->tap, tap_index);
	assert_int_equal(f->frame, frame);
}

/* By time, then tap, then frame, then the order of the rules; in whatever order the taps were read. */
static void test_findings_are_in_order(void **state)
{
	struct world w = lab();
	const struct finding *f;
	size_t n;

	(void)state;
	feed(&w, "isp", 2000, leak(1));
	feed(&w, "isp", 2000, leak(2));
	feed(&w, "uplink", 2000, leaving(3, 64, udp(1, 53, dns_query(1, "a.example"))));
	feed(&w, "uplink", 1000, leak(4));
	feed(&w, "uplink", 3000, leak(5));
	judge_finish(w.j);
	f = judge_findings(w.j, &n);
	assert_int_equal(n, 6);
	check_order(&f[0], "cleartext-outside-tunnel", tap(&w, "uplink"), 4);
	check_order(&f[1], "cleartext-outside-tunnel", tap(&w, "uplink"), 3);
	check_order(&f[2], "plaintext-dns", tap(&w, "uplink"), 3);
	check_order(&f[3], "cleartext-outside-tunnel", tap(&w, "isp"), 1);
	check_order(&f[4], "cleartext-outside-tunnel", tap(&w, "isp"), 2);
	check_order(&f[5], "cleartext-outside-tunnel", tap(&w, "uplink"), 5);
	assert_int_equal(judge_rule_total(w.j, rule_find("plaintext-dns"), tap(&w, "uplink")), 1);
	assert_int_equal(judge_rule_total(w.j, rule_find("plaintext-dns"), tap(&w, "isp")), 0);
	assert_int_equal(judge_rule_total(w.j, rule_find("no-such-rule"), 0), 0);
	end(&w);
}

static struct bytes from_unknown(void)
{
	return eth("020000000077", M_GATEWAY, 0x0800,
		   ip4o("172.30.0.200", SINK, P_UDP, (struct ip_fields){ .ttl = 64 },
			udp(1000, 9, fill(1, 50))));
}

/* A doubt between a service and a container without a name is a doubt all the same. */
static void test_doubt_is_said(void **state)
{
	struct world w = lab();

	(void)state;
	feed(&w, "br-vpn", 0, from_sonarr(0, 64, udp(1000, 9, fill(1, 50))));
	feed(&w, "br-vpn", 5 * MS, from_unknown());
	feed(&w, "uplink", 6 * MS, leaving(7, 63, udp(50000, 9, fill(1, 50))));
	check_who(&w, ATTR_AMBIGUOUS, "another container or sonarr");
	end(&w);
	w = lab();
	feed(&w, "br-vpn", 0, from_unknown());
	feed(&w, "br-vpn", 5 * MS, from_sonarr(0, 64, udp(1000, 9, fill(1, 50))));
	feed(&w, "uplink", 6 * MS, leaving(7, 63, udp(50000, 9, fill(1, 50))));
	check_who(&w, ATTR_AMBIGUOUS, "sonarr or another container");
	end(&w);
}

static struct bytes control(uint32_t id)
{
	return leaving(1, 64, udp(40001, 9, cat(hex(MARKER), be(id, 4))));
}

static void test_an_arming_check_keeps_no_findings(void **state)
{
	struct world w = with((struct judge_opts){ .controls_only = true });
	size_t n;

	(void)state;
	feed(&w, "uplink", 0, leak(1));
	feed(&w, "uplink", 1, control(0x80000001));
	judge_finish(w.j);
	(void)judge_findings(w.j, &n);
	assert_int_equal(n, 0);
	assert_int_equal(judge_findings_total(w.j), 1);
	assert_true(judge_control_caught(w.j, 0x80000001, "cleartext-outside-tunnel", "uplink"));
	end(&w);
}

/* ---- controls, canaries, allowances ---- */

static void test_controls_of_each_tap_and_id(void **state)
{
	struct world w = lab();
	const struct judge_control *c;
	size_t n;

	(void)state;
	feed(&w, "uplink", 1, control(0x80000001));
	feed(&w, "isp", 2, control(0x80000001));
	feed(&w, "uplink", 3, control(0x80000001));
	feed(&w, "uplink", 4, control(0x80000002));
	c = judge_controls(w.j, &n);
	assert_int_equal(n, 3);
	assert_int_equal(c[0].tap, tap(&w, "uplink"));
	assert_int_equal(c[0].count, 2);
	assert_int_equal(c[0].frame, 1);
	assert_int_equal(c[0].time, START + 1);
	assert_int_equal(c[1].tap, tap(&w, "isp"));
	assert_int_equal(c[1].count, 1);
	assert_string_equal(c[1].rule->id, "cleartext-outside-tunnel");
	assert_int_equal(c[2].id, 0x80000002);
	assert_int_equal(c[2].count, 1);
	end(&w);
}

/* Frames with ever new ids of controls: what there is no room for is caught by nobody, which no run takes for good. */
static void test_controls_are_bounded(void **state)
{
	struct world w = lab();
	size_t n;

	(void)state;
	for (uint32_t i = 0; i < 4096 + 2; i++)
		feed(&w, "uplink", i, control(0x80000000 + i));
	(void)judge_controls(w.j, &n);
	assert_int_equal(n, 4096);
	assert_true(
		judge_control_caught(w.j, 0x80000000 + 4095, "cleartext-outside-tunnel", "uplink"));
	assert_false(
		judge_control_caught(w.j, 0x80000000 + 4096, "cleartext-outside-tunnel", "uplink"));
	end(&w);
}

static struct bytes canary(uint32_t id)
{
	return leaving(1, 64, udp(40001, 9, cat(hex(MARKER), be(id, 4))));
}

static void check_canary(const struct judge_canary *c, uint32_t id, size_t tap_index,
			 uint64_t count, int64_t first, int64_t last)
{
	assert_int_equal(c->id, id);
	assert_int_equal(c->tap, tap_index);
	assert_int_equal(c->count, count);
	assert_int_equal(c->first, START + first);
	assert_int_equal(c->last, START + last);
}

static void test_canaries_of_each_tap(void **state)
{
	struct world w = lab();
	const struct judge_canary *c;
	size_t n;

	(void)state;
	feed(&w, "uplink", 1, canary(1));
	feed(&w, "uplink", 2, canary(2));
	feed(&w, "isp", 3, canary(1));
	feed(&w, "uplink", 4, canary(1));
	feed(&w, "uplink", 5, canary(2));
	feed(&w, "uplink", 6, canary(2));
	c = judge_canaries(w.j, &n);
	assert_int_equal(n, 3);
	check_canary(&c[0], 1, tap(&w, "uplink"), 2, 1, 4);
	check_canary(&c[1], 2, tap(&w, "uplink"), 3, 2, 6);
	check_canary(&c[2], 1, tap(&w, "isp"), 1, 3, 3);
	end(&w);
}

/* Ids that the table's hash does not tell apart (131072 slots) are two all the same. */
static void test_canaries_of_one_slot(void **state)
{
	struct world w = lab();
	const struct judge_canary *c;
	size_t n;

	(void)state;
	feed(&w, "uplink", 1, canary(5));
	feed(&w, "uplink", 2, canary(5 + 131072));
	feed(&w, "uplink", 3, canary(5));
	feed(&w, "uplink", 4, canary(5 + 131072));
	c = judge_canaries(w.j, &n);
	assert_int_equal(n, 2);
	check_canary(&c[0], 5, tap(&w, "uplink"), 2, 1, 3);
	check_canary(&c[1], 5 + 131072, tap(&w, "uplink"), 2, 2, 4);
	end(&w);
}

/* A soak that sends more canaries than there is room for: the first ones stay, and still count. */
static void test_canaries_are_bounded(void **state)
{
	struct world w = with((struct judge_opts){ .findings_max = 8 });
	const struct judge_canary *c;
	size_t n;

	(void)state;
	for (uint32_t id = 0; id < 65536 + 10; id++)
		feed(&w, "uplink", id, canary(id));
	feed(&w, "uplink", 70000, canary(65535));
	c = judge_canaries(w.j, &n);
	assert_int_equal(n, 65536);
	check_canary(&c[65535], 65535, tap(&w, "uplink"), 2, 65535, 70000);
	end(&w);
}

static void test_upkeep_is_counted_by_name(void **state)
{
	struct world w = lab();
	const struct judge_allow_use *u;
	size_t n;

	(void)state;
	feed(&w, "uplink", 0, arp(1, M_HOST, REAL, ROUTER));
	feed(&w, "uplink", 1, out(neighbour(135, REAL6)));
	feed(&w, "uplink", 2, arp(1, M_HOST, REAL, ROUTER));
	feed(&w, "uplink", 3, out(neighbour(136, REAL6)));
	feed(&w, "uplink", 4, arp(2, M_HOST, REAL, ROUTER));
	u = judge_allowances(w.j, &n);
	assert_int_equal(n, 5 + 2);
	assert_string_equal(u[5].name, "arp");
	assert_int_equal(u[5].packets, 3);
	assert_string_equal(u[6].name, "nd");
	assert_int_equal(u[6].packets, 2);
	assert_int_equal(counters(&w, "uplink")->upkeep, 5);
	end(&w);
}

/* ---- series ---- */

static const uint32_t *leaks_of(const struct world *w, size_t *n, int64_t *width)
{
	int64_t start;

	return judge_series(w->j, SERIES_LEAKS, n, &start, width);
}

static void test_bins_end_where_the_last_packet_is(void **state)
{
	struct world w = since_start(10 * MS);
	const uint32_t *bins;
	int64_t width;
	size_t n;

	(void)state;
	feed(&w, "uplink", 0, leak(1));
	(void)leaks_of(&w, &n, &width);
	assert_int_equal(n, 1);
	feed(&w, "uplink", 10 * MS, leak(2));
	feed(&w, "uplink", 10 * MS - 1, leak(3)); /* stamps may go back */
	feed(&w, "uplink", -5 * MS, leak(4));	  /* before the start: the first bin */
	bins = leaks_of(&w, &n, &width);
	assert_int_equal(n, 2);
	assert_int_equal(bins[0], 3);
	assert_int_equal(bins[1], 1);
	end(&w);
}

/* The last bin that there is room for, and the first one that there is not. */
static void test_bins_fold_when_they_are_full(void **state)
{
	struct world w = since_start(MS);
	const uint32_t *bins;
	int64_t width;
	size_t n;

	(void)state;
	feed(&w, "uplink", 0, leak(1));
	feed(&w, "uplink", 1 * MS, leak(2));
	feed(&w, "isp", 4 * MS, leak(5)); /* of a series of its own */
	feed(&w, "uplink", 65535 * MS, leak(3));
	(void)leaks_of(&w, &n, &width);
	assert_int_equal(width, MS);
	assert_int_equal(n, 65536);
	feed(&w, "uplink", 65536 * MS, leak(4));
	bins = leaks_of(&w, &n, &width);
	assert_int_equal(width, 2 * MS);
	assert_int_equal(n, 32769);
	assert_int_equal(bins[0], 2);
	assert_int_equal(bins[32767], 1);
	assert_int_equal(bins[32768], 1);
	judge_finish(w.j); /* both series become one */
	bins = leaks_of(&w, &n, &width);
	assert_int_equal(bins[2], 1);
	assert_int_equal(bins[4], 0);
	end(&w);
}

static uint32_t leaks_in_bin(const struct world *w, size_t i)
{
	int64_t width;
	size_t n;

	return leaks_of(w, &n, &width)[i];
}

/* The isp's tap shows again what the uplink showed, and it alone shows what the uplink missed. */
static void test_leaks_of_uplink_and_isp(void **state)
{
	struct world w = since_start(10 * MS);
	int mark = judge_add_mark(w.j, START, START + 100 * MS);

	(void)state;
	for (int i = 0; i < 3; i++)
		feed(&w, "uplink", 1 * MS, leak((uint16_t)i));
	feed(&w, "isp", 1 * MS, leak(0));
	assert_int_equal(leaks_in_bin(&w, 0), 3); /* at once, not at the end only */
	for (int i = 0; i < 5; i++)
		feed(&w, "isp", 11 * MS, leak((uint16_t)i));
	feed(&w, "uplink", 11 * MS, leak(0));
	judge_finish(w.j);
	assert_int_equal(leaks_in_bin(&w, 0), 3);
	assert_int_equal(leaks_in_bin(&w, 1), 5);
	assert_int_equal(judge_mark_get(w.j, mark)->leaks_in,
			 6); /* six at the isp, four at the uplink */
	end(&w);
}

/* ---- marks ---- */

static void test_tunnel_around_a_mark(void **state)
{
	struct world w = since_start(10 * MS);
	int mark = judge_add_mark(w.j, START + 50 * MS, START + 100 * MS);
	const struct judge_mark *m = judge_mark_get(w.j, mark);

	(void)state;
	feed(&w, "uplink", 40 * MS, tunnel_data());
	feed(&w, "uplink", 50 * MS - 1, tunnel_data());
	feed(&w, "uplink", 45 * MS, tunnel_data()); /* stamps may go back */
	assert_int_equal(m->last_tunnel_before, START + 50 * MS - 1);
	assert_int_equal(m->first_tunnel_in, 0);
	feed(&w, "uplink", 60 * MS, tunnel_data());
	feed(&w, "uplink", 50 * MS, tunnel_data());
	assert_int_equal(m->first_tunnel_in, START + 50 * MS);
	assert_int_equal(m->last_tunnel_in, START + 60 * MS);
	feed(&w, "uplink", 99 * MS, tunnel_data());
	feed(&w, "uplink", 70 * MS, tunnel_data());
	feed(&w, "uplink", 100 * MS, tunnel_data());
	judge_finish(w.j);
	assert_int_equal(m->last_tunnel_before, START + 50 * MS - 1);
	assert_int_equal(m->first_tunnel_in, START + 50 * MS);
	assert_int_equal(m->last_tunnel_in, START + 99 * MS);
	end(&w);
}

static void test_leaks_around_a_mark(void **state)
{
	struct world w = since_start(10 * MS);
	int mark = judge_add_mark(w.j, START + 50 * MS, START + 100 * MS);
	const struct judge_mark *m = judge_mark_get(w.j, mark);

	(void)state;
	feed(&w, "uplink", 50 * MS - 1, leak(1));
	feed(&w, "uplink", 70 * MS, leak(2));
	feed(&w, "uplink", 50 * MS, leak(3));
	feed(&w, "uplink", 60 * MS, leak(4));
	feed(&w, "uplink", 100 * MS, leak(5));
	judge_finish(w.j);
	assert_int_equal(m->first_leak_in, START + 50 * MS);
	assert_int_equal(m->last_leak_in, START + 70 * MS);
	assert_int_equal(m->leaks_in, 3);
	end(&w);
}

static void test_blocked_around_a_mark(void **state)
{
	struct world w = since_start(10 * MS);
	int mark = judge_add_mark(w.j, START + 50 * MS, START + 100 * MS);
	int other = judge_add_mark(w.j, START + 200 * MS, START + 300 * MS);
	const struct judge_mark *m = judge_mark_get(w.j, mark);

	(void)state;
	for (uint16_t i = 0; i < 12; i++)
		feed(&w, "br-vpn", i * 10 * MS, from_qbt(i, 64, udp(1000, 9, fill(1, 50))));
	judge_finish(w.j);
	assert_int_equal(m->blocked_in, 5);
	assert_int_equal(m->attempts_in, 5);
	assert_int_equal(m->first_blocked_in, START + 50 * MS);
	assert_int_equal(m->last_blocked_in, START + 90 * MS);
	assert_int_equal(judge_mark_get(w.j, other)->blocked_in, 0);
	assert_null(judge_mark_get(w.j, -1));
	assert_null(judge_mark_get(w.j, 2));
	end(&w);
}

static void check_gap(const int64_t *at, size_t n, int64_t last_frame, int64_t gap)
{
	struct world w = since_start(10 * MS);
	int mark = judge_add_mark(w.j, START + 50 * MS, START + 100 * MS);

	for (size_t i = 0; i < n; i++)
		feed(&w, "br-vpn", at[i], from_qbt((uint16_t)i, 64, udp(1000, 9, fill(1, 50))));
	feed(&w, "uplink", last_frame, arp(1, M_ROUTER, ROUTER, REAL));
	judge_finish(w.j);
	assert_int_equal(judge_mark_get(w.j, mark)->sample_gap, gap);
	end(&w);
}

/* How finely a window was sampled: from its begin, between attempts, to its end or the end of the capture. */
static void test_sampling_of_a_window(void **state)
{
	static const int64_t at[] = { 40 * MS, 55 * MS, 75 * MS, 70 * MS, 90 * MS };

	(void)state;
	check_gap(at, 5, 200 * MS, 20 * MS);
	check_gap(at, 2, 200 * MS, 45 * MS);
	check_gap(at, 2, 95 * MS, 40 * MS);
	check_gap(at, 1, 200 * MS, 50 * MS);
	check_gap(at, 1, 45 * MS, 0); /* the capture ended before it */
}

/* ---- bounds ---- */

static void test_marks_are_bounded(void **state)
{
	struct world w = lab();

	(void)state;
	for (int i = 0; i < 4096; i++)
		assert_int_equal(judge_add_mark(w.j, START + i, START + i + 1), i);
	assert_int_equal(judge_add_mark(w.j, START, START + 1), -1);
	assert_int_equal(judge_mark_get(w.j, 4095)->begin, START + 4095);
	end(&w);
}

static struct judge_conntrack record(uint16_t port)
{
	struct judge_conntrack c = { .proto = P_UDP, .reply_sport = 9, .reply_dport = port };

	assert_true(ipaddr_parse(SONARR, &c.src) && ipaddr_parse(SINK, &c.dst));
	assert_true(ipaddr_parse(SINK, &c.reply_src) && ipaddr_parse(REAL, &c.reply_dst));
	return c;
}

static void check_port(struct world *w, uint16_t port, enum attribution how)
{
	const struct finding *f;
	size_t n;

	feed(w, "uplink", 0, leaving(1, 64, udp(port, 9, fill(1, 9))));
	f = judge_findings(w->j, &n);
	assert_int_equal(f[n - 1].how, how);
}

/* The oldest record goes when there is no room for another one. */
static void test_conntrack_keeps_the_last(void **state)
{
	struct world w = lab();
	struct judge_conntrack c;

	(void)state;
	for (uint32_t i = 0; i < 65536 + 2; i++) {
		c = record((uint16_t)(i < 4 ? 1000 + i : 2000));
		judge_add_conntrack(w.j, &c);
	}
	check_port(&w, 1000, ATTR_POLICY);
	check_port(&w, 1001, ATTR_POLICY);
	check_port(&w, 1002, ATTR_CONNTRACK);
	check_port(&w, 2000, ATTR_CONNTRACK);
	end(&w);
}

static void test_too_many_real_addresses_are_refused(void **state)
{
	struct policy *p = policy_but("tests/golden/policy.json", NULL);
	struct ipaddr real[17];
	struct err err = { 0 };
	struct judge *j;

	(void)state;
	p->real = real;
	for (uint8_t i = 0; i < 17; i++)
		real[i] = ipaddr_v4((uint8_t[]){ 203, 0, 113, i });
	p->n_real = 17;
	assert_null(judge_new(p, NULL, &err));
	assert_int_equal(err.status, EXIT_USAGE);
	assert_non_null(strstr(err.text, "17 real addresses"));
	p->n_real = 16;
	j = judge_new(p, NULL, &err);
	assert_non_null(j);
	judge_free(j);
	judge_free(NULL);
	policy_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_findings_max),
		cmocka_unit_test(test_findings_are_in_order),
		cmocka_unit_test(test_doubt_is_said),
		cmocka_unit_test(test_an_arming_check_keeps_no_findings),
		cmocka_unit_test(test_controls_of_each_tap_and_id),
		cmocka_unit_test(test_controls_are_bounded),
		cmocka_unit_test(test_canaries_of_each_tap),
		cmocka_unit_test(test_canaries_of_one_slot),
		cmocka_unit_test(test_canaries_are_bounded),
		cmocka_unit_test(test_upkeep_is_counted_by_name),
		cmocka_unit_test(test_bins_end_where_the_last_packet_is),
		cmocka_unit_test(test_bins_fold_when_they_are_full),
		cmocka_unit_test(test_leaks_of_uplink_and_isp),
		cmocka_unit_test(test_tunnel_around_a_mark),
		cmocka_unit_test(test_leaks_around_a_mark),
		cmocka_unit_test(test_blocked_around_a_mark),
		cmocka_unit_test(test_sampling_of_a_window),
		cmocka_unit_test(test_marks_are_bounded),
		cmocka_unit_test(test_conntrack_keeps_the_last),
		cmocka_unit_test(test_too_many_real_addresses_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
