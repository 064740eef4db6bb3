// SPDX-License-Identifier: MIT
/* What the judge makes of a frame by the role of its tap, and what each tap's counters say of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golden/world.h"

#define NEIGHBOUR "020000000077"

static struct bytes nothing(void)
{
	return fill(0, 0);
}

static struct bytes to_vpn(uint16_t sport, struct bytes payload)
{
	return out(ip(REAL, VPN, P_UDP, udp(sport, 51820, payload)));
}

static struct bytes from_vpn(struct bytes payload)
{
	return in(ip(VPN, REAL, P_UDP, udp(51820, 41000, payload)));
}

static const char no_isp_tap[] =
	"{\"taps\":[{\"name\":\"uplink\",\"role\":\"uplink\",\"mac\":\"02:00:00:00:00:10\"},"
	"{\"name\":\"br-vpn\",\"role\":\"bridge\"}],\"controls\":[]}";
static const char only_isp_tap[] =
	"{\"taps\":[{\"name\":\"isp\",\"role\":\"isp\",\"mac\":\"02:00:00:00:00:10\"},"
	"{\"name\":\"br-vpn\",\"role\":\"bridge\"}],\"controls\":[]}";
static const char only_inside_taps[] = "{\"taps\":[{\"name\":\"br-vpn\",\"role\":\"bridge\"},{"
				       "\"name\":\"exit\",\"role\":\"exit\"}],"
				       "\"controls\":[]}";

/* A frame that nobody can read is suspicious; it must not stop the clock of a kill switch. */
static void test_a_low_finding_is_no_leak(void **state)
{
	struct world w = lab();

	(void)state;
	feed(&w, "uplink", 0, eth(M_HOST, M_ROUTER, 0x9999, fill(1, 60)));
	judge_finish(w.j);
	assert_int_equal(total_of(&w, "undecodable-outside"), 1);
	assert_int_equal(counters(&w, "uplink")->undecodable, 1);
	assert_int_equal(counters(&w, "uplink")->leaked, 0);
	end(&w);
}

static void feed_peers(struct world *w, size_t n, const char *last)
{
	feed(w, "exit", 0, ip(SINK, TUN, P_TCP, tcp(80, 40001, 9, F_SYN | F_ACK, nothing())));
	for (uint32_t from = 0; from < n * 6; from += 1400)
		feed(w, "exit", 1 + from,
		     ip(SINK, TUN, P_TCP,
			tcp(80, 40001, 10 + from, F_ACK, peers_part(n, last, from))));
}

/* All addresses of a message are looked at, up to a number; of what holds more nobody can say that it was clean. */
static void test_a_message_with_many_addresses(void **state)
{
	static const struct {
		size_t n;
		const char *last;
		unsigned told, incomplete;
	} rows[] = { { 200, REAL, 1, 0 },
		     { FACTS_ADDRS, REAL, 1, 0 },
		     { FACTS_ADDRS, SINK, 0, 0 },
		     { FACTS_ADDRS + 1, REAL, 0, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = lab();

		feed_peers(&w, rows[i].n, rows[i].last);
		assert_int_equal(total_of(&w, "real-address-in-payload"), rows[i].told);
		assert_int_equal(counters(&w, "exit")->incomplete, rows[i].incomplete);
		end(&w);
	}
}

static void test_a_cut_tunnel_packet_is_unverified(void **state)
{
	struct world w = lab();
	struct bytes b = to_vpn(41000, wg_data(64, 5));

	(void)state;
	feed(&w, "uplink", 0, b);
	feed_cut(&w, "uplink", 1, b, b.n);
	assert_int_equal(counters(&w, "uplink")->tunnel_unverified, 0);
	assert_int_equal(counters(&w, "uplink")->truncated, 0);
	feed_cut(&w, "uplink", 2, b, 14 + 20 + 8 + 3);
	assert_int_equal(counters(&w, "uplink")->tunnel_unverified, 1);
	assert_int_equal(counters(&w, "uplink")->truncated, 1);
	feed_cut(&w, "uplink", 3, b, 14 + 20 + 7); /* not even the ports */
	assert_int_equal(counters(&w, "uplink")->tunnel_unverified, 2);
	assert_int_equal(counters(&w, "uplink")->tunnel_data_out, 3);
	assert_int_equal(counters(&w, "uplink")->leaked, 0);
	assert_int_equal(counters(&w, "uplink")->tunnel_packets, 4);
	assert_int_equal(counters(&w, "uplink")->tunnel_bytes, 4 * b.n);
	judge_finish(w.j);
	end(&w);
}

/* Only data of a session says from where that session is sent. */
static void test_what_moves_no_tunnel_port(void **state)
{
	struct bytes initiation = cat(hex("01000000 05000000"), fill(0x77, 140));
	struct world w = lab();

	(void)state;
	feed(&w, "uplink", 0, to_vpn(41000, wg_data(64, 5)));
	/* what the server sends has the server's port, whatever index it chose */
	feed(&w, "uplink", 1, from_vpn(wg_data(64, 5)));
	feed(&w, "uplink", 2, to_vpn(41000, wg_data(64, 5)));
	/* every initiation may come from a port of its own */
	feed(&w, "uplink", 3, to_vpn(41001, initiation));
	feed(&w, "uplink", 4, to_vpn(41002, initiation));
	/* further on, another network address translation gives another port */
	feed(&w, "isp", 5, to_vpn(1024, wg_data(64, 5)));
	feed(&w, "uplink", 6, to_vpn(41000, wg_data(64, 5)));
	judge_finish(w.j);
	assert_int_equal(total_of(&w, "tunnel-port-moved"), 0);
	end(&w);
}

static uint64_t tunnel_out_sum(const struct world *w)
{
	uint64_t sum = 0;
	int64_t start;
	int64_t width;
	size_t n;
	const uint32_t *bins = judge_series(w->j, SERIES_TUNNEL_OUT, &n, &start, &width);

	for (size_t i = 0; i < n; i++)
		sum += bins[i];
	return sum;
}

/* uplink and isp show the same packet: the series counts it once, from either alone as well. */
static void test_tunnel_series_counts_a_packet_once(void **state)
{
	struct world both = lab();
	struct world one = lab_but(only_isp_tap);

	(void)state;
	feed(&both, "uplink", 0, to_vpn(41000, wg_data(64, 5)));
	feed(&both, "isp", 9000, to_vpn(41000, wg_data(64, 5)));
	assert_int_equal(tunnel_out_sum(&both), 1);
	end(&both);
	feed(&one, "isp", 9000, to_vpn(41000, wg_data(64, 5)));
	assert_int_equal(tunnel_out_sum(&one), 1);
	end(&one);
}

static void check_attempts(struct world w, struct bytes b, uint64_t attempts)
{
	feed(&w, "br-vpn", 0, b);
	judge_finish(w.j);
	if (judge_attempts(w.j) != attempts || judge_blocked(w.j) != attempts)
		fail_msg("%llu attempts, %llu blocked, not %llu",
			 (unsigned long long)judge_attempts(w.j),
			 (unsigned long long)judge_blocked(w.j), (unsigned long long)attempts);
	end(&w);
}

static void test_who_attempts(void **state)
{
	struct bytes p = udp(1000, 9, fill(1, 50));

	(void)state;
	check_attempts(lab(), from_qbt(1, 64, p), 1);
	/* a container that the policy does not know yet is a container all the same */
	check_attempts(lab(), eth(NEIGHBOUR, M_GATEWAY, 0x0800, ip("172.30.0.200", SINK, P_UDP, p)),
		       1);
	/* known by its MAC, whatever address it gave itself */
	check_attempts(lab(), eth(M_QBT, M_GATEWAY, 0x86dd, ip("2001:db8:7::5", SINK6, P_UDP, p)),
		       1);
	/* a stranger on the bridge is nobody's attempt, and the gateway's own traffic no leak averted */
	check_attempts(lab(), eth(NEIGHBOUR, M_GATEWAY, 0x0800, ip("198.51.100.9", SINK, P_UDP, p)),
		       0);
	check_attempts(lab(), eth(M_GATEWAY, M_HOST, 0x0800, ip("172.30.0.3", SINK, P_UDP, p)), 0);
	/* the tunnel's own packets, where a bridge carries them */
	check_attempts(lab(), app(ip(QBT, VPN, P_UDP, udp(1000, 51820, wg_data(64, 5)))), 0);
	/* leaks made on purpose */
	check_attempts(lab(),
		       app(ip(QBT, SINK, P_UDP, udp(1, 9, cat(hex(MARKER), be(0x80000001, 4))))),
		       0);
}

/* Without a tap outside nothing can be said to have been stopped. */
static void test_no_attempts_without_an_outside_tap(void **state)
{
	struct bytes b = from_qbt(1, 64, udp(1000, 9, fill(1, 50)));

	(void)state;
	check_attempts(lab_but(only_inside_taps), b, 0);
	check_attempts(lab_but(no_isp_tap), b, 1);
	check_attempts(lab_but(only_isp_tap), b, 1);
}

static void test_where_an_attempt_may_stay(void **state)
{
	static const char *const inside[] = { "172.30.0.9", "172.31.0.9",  REAL,
					      "239.1.2.3",  "169.254.1.1", "127.0.0.1" };

	(void)state;
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		check_attempts(lab(), app(ip(QBT, inside[i], P_UDP, udp(1000, 9, fill(1, 50)))), 0);
}

static const char loopback_allowance[] =
	"{\"allow\":[{\"who\":\"host\",\"proto\":\"udp\",\"peer\":\"127.0.0.53\",\"port\":53,"
	"\"direction\":\"out\",\"shape\":\"dns\",\"reason\":\"the resolver of the host\"}]}";

static struct bytes on_lo(struct bytes dns)
{
	return eth("000000000000", "000000000000", 0x0800,
		   ip("127.0.0.1", "127.0.0.53", P_UDP, udp(40001, 53, dns)));
}

static void test_allowance_on_loopback(void **state)
{
	struct world w = lab_but(loopback_allowance);

	(void)state;
	feed(&w, "lo", 0, on_lo(dns_query(1, "deb.example")));
	assert_int_equal(counters(&w, "lo")->allowed, 1);
	assert_int_equal(counters(&w, "lo")->leaked, 0);
	/* no allowance excuses a canary, nor hides a control */
	feed(&w, "lo", 1, on_lo(dns_query(1, "cq-8f21.example")));
	feed(&w, "lo", 2, on_lo(dns_query(1, "ctl-plaintext-dns-6c70000102030405.example")));
	judge_finish(w.j);
	assert_int_equal(counters(&w, "lo")->allowed, 1);
	assert_int_equal(counters(&w, "lo")->leaked, 1);
	assert_int_equal(counters(&w, "lo")->controls, 1);
	assert_true(judge_control_caught(w.j, 0x80000000, "plaintext-dns", "lo"));
	end(&w);
}

static void test_frames_and_times_of_a_tap(void **state)
{
	const struct judge_tap_counters *n;
	struct world w = lab();

	(void)state;
	assert_int_equal(counters(&w, "uplink")->first, 0);
	feed(&w, "uplink", 5 * MS, leaving(1, 64, nothing()));
	feed(&w, "uplink", 7 * MS, leaving(2, 64, nothing()));
	feed(&w, "isp", 8 * MS, leaving(2, 64, nothing()));
	judge_finish(w.j);
	n = counters(&w, "uplink");
	assert_int_equal(n->frames, 2);
	assert_int_equal(n->bytes, 2 * (14 + 20));
	assert_int_equal(n->first, START + 5 * MS);
	assert_int_equal(n->last, START + 7 * MS);
	end(&w);
}

/* Without a start that is given, the first frame is where the series begin. */
static void test_first_frame_starts_the_clock(void **state)
{
	struct judge_opts given = { .start = START - 3 * MS };
	struct world w = lab();
	int64_t start;
	int64_t width;
	size_t n;

	(void)state;
	feed(&w, "uplink", 5 * MS, leaving(1, 64, nothing()));
	feed(&w, "uplink", 9 * MS, leaving(1, 64, nothing()));
	(void)judge_series(w.j, SERIES_LEAKS, &n, &start, &width);
	assert_int_equal(start, START + 5 * MS);
	assert_int_equal(width, 100 * MS);
	end(&w);
	w = world_of("tests/golden/policy.json", &given);
	feed(&w, "uplink", 5 * MS, leaving(1, 64, nothing()));
	(void)judge_series(w.j, SERIES_LEAKS, &n, &start, &width);
	assert_int_equal(start, START - 3 * MS);
	end(&w);
}

/* ---- sources ---- */

struct list {
	const struct golden_frame *f;
	size_t n, at;
	const char *broken;
	struct capfile_frame frames[3];
};

static struct capfile_frame frame_of(const struct list *l, size_t i)
{
	return (struct capfile_frame){ .number = i + 1,
				       .linktype = LINK_ETHERNET,
				       .data = l->f[i].b.b,
				       .caplen = (uint32_t)l->f[i].b.n,
				       .len = (uint32_t)l->f[i].b.n,
				       .time = START + l->f[i].us * NS_PER_US };
}

/* Three at a time, the last ones excepted. */
static int next(void *arg, const struct capfile_frame **frames, struct err *err)
{
	struct list *l = arg;
	int n = 0;

	if (l->at == l->n)
		return l->broken ? err_set(err, EXIT_USAGE, "%s", l->broken) : 0;
	while (n < 3 && l->at < l->n)
		l->frames[n++] = frame_of(l, l->at++);
	*frames = l->frames;
	return n;
}

static int run_two(struct world *w, struct list *bridge, struct list *uplink, struct err *err)
{
	struct judge_source sources[] = { { tap(w, "br-vpn"), next, bridge },
					  { tap(w, "uplink"), next, uplink } };

	return judge_run(w->j, sources, 2, err);
}

static void test_run_merges_by_time(void **state)
{
	struct world w = lab();
	struct golden up = { .n = 0 };
	struct golden bridge = { .n = 0 };
	struct list lists[2];
	struct err err = { 0 };

	(void)state;
	for (uint16_t i = 0; i < 10; i++) {
		add(&bridge, "br-vpn", i * 5000, from_qbt(i, 64, udp(1000, 9, fill(1, 50))));
		add(&up, "uplink", i * 5000 + 45, leaving(i, 63, udp(50000, 9, fill(1, 50))));
	}
	lists[0] = (struct list){ .f = bridge.f, .n = bridge.n, .broken = "cut" };
	lists[1] = (struct list){ .f = up.f, .n = up.n, .broken = "cut as well" };
	assert_int_equal(run_two(&w, &lists[0], &lists[1], &err), -1);
	assert_string_equal(err.text, "cut");
	/* what came before the break counts, and the other source is judged to its end */
	assert_int_equal(counters(&w, "uplink")->leaked, 10);
	assert_int_equal(judge_blocked(w.j), 0);
	check_who(&w, ATTR_BRIDGE_MATCH, "qbittorrent");
	end(&w);
}

/* Of one stamp the source that is named first goes first: it tells who began. */
static void test_run_keeps_the_order_of_sources(void **state)
{
	(void)state;
	for (int asked_first = 0; asked_first < 2; asked_first++) {
		struct world w = lab();
		struct golden asks = { .n = 0 }, answers = { .n = 0 };
		struct list lists[2];
		struct judge_source sources[] = { { tap(&w, "uplink"), next, &lists[!asked_first] },
						  { tap(&w, "isp"), next, &lists[asked_first] } };
		struct err err = { 0 };

		add(&asks, "uplink", 0,
		    in(ip(SINK, REAL, P_TCP, tcp(50001, 6881, 1, F_SYN, nothing()))));
		add(&answers, "uplink", 0,
		    out(ip(REAL, SINK, P_TCP, tcp(6881, 50001, 1, F_SYN | F_ACK, nothing()))));
		lists[0] = (struct list){ .f = asks.f, .n = asks.n };
		lists[1] = (struct list){ .f = answers.f, .n = answers.n };
		assert_int_equal(judge_run(w.j, sources, 2, &err), 0);
		assert_int_equal(err.status, EXIT_PASS);
		assert_int_equal(total_of(&w, "published-port-answers"), asked_first);
		end(&w);
	}
}

/* Stamps of one machine may be swapped by a millisecond: the inside is read ahead by that, whatever the order of the files. */
static void test_run_reads_the_inside_ahead(void **state)
{
	static const struct {
		int64_t us;
		enum attribution how;
	} rows[] = { { 0, ATTR_BRIDGE_MATCH },
		     { 10, ATTR_BRIDGE_MATCH },
		     { 1000, ATTR_BRIDGE_MATCH },
		     { 1001, ATTR_POLICY } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = lab();
		struct golden up = { .n = 0 }, bridge = { .n = 0 };
		struct list lists[2];
		struct judge_source sources[] = { { tap(&w, "uplink"), next, &lists[0] },
						  { tap(&w, "br-vpn"), next, &lists[1] } };
		struct err err = { 0 };

		add(&up, "uplink", 5000, leaving(1, 63, udp(50000, 9, fill(1, 50))));
		add(&bridge, "br-vpn", 5000 + rows[i].us,
		    from_qbt(1, 64, udp(1000, 9, fill(1, 50))));
		lists[0] = (struct list){ .f = up.f, .n = up.n };
		lists[1] = (struct list){ .f = bridge.f, .n = bridge.n };
		assert_int_equal(judge_run(w.j, sources, 2, &err), 0);
		assert_int_equal(first_of(&w, "cleartext-outside-tunnel")->how, rows[i].how);
		assert_int_equal(judge_blocked(w.j), rows[i].how == ATTR_POLICY);
		end(&w);
	}
}

/* The outside is not: of two taps there, the stamps alone count. */
static void test_run_of_the_outside_goes_by_stamps(void **state)
{
	struct world w = lab();
	struct golden up = { .n = 0 }, isp = { .n = 0 };
	struct list lists[2];
	struct judge_source sources[] = { { tap(&w, "uplink"), next, &lists[0] },
					  { tap(&w, "isp"), next, &lists[1] } };
	struct err err = { 0 };
	int64_t start, width;
	size_t n;

	(void)state;
	add(&up, "uplink", 6000, leaving(1, 63, udp(50000, 9, fill(1, 50))));
	add(&isp, "isp", 5500, leaving(1, 63, udp(50000, 9, fill(1, 50))));
	lists[0] = (struct list){ .f = up.f, .n = up.n };
	lists[1] = (struct list){ .f = isp.f, .n = isp.n };
	assert_int_equal(judge_run(w.j, sources, 2, &err), 0);
	(void)judge_series(w.j, SERIES_LEAKS, &n, &start, &width);
	assert_int_equal(start, START + 5500 * NS_PER_US);
	end(&w);
}

static void test_run_of_one_source(void **state)
{
	struct world w = lab();
	struct golden up = { .n = 0 };
	struct list list;
	struct judge_source source = { tap(&w, "uplink"), next, &list };
	struct err err = { 0 };

	(void)state;
	for (uint16_t i = 0; i < 10; i++)
		add(&up, "uplink", i, leaving(i, 63, udp(50000, 9, fill(1, 50))));
	list = (struct list){ .f = up.f, .n = up.n };
	assert_int_equal(judge_run(w.j, &source, 1, &err), 0);
	assert_int_equal(counters(&w, "uplink")->frames, 10);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_low_finding_is_no_leak),
		cmocka_unit_test(test_a_message_with_many_addresses),
		cmocka_unit_test(test_a_cut_tunnel_packet_is_unverified),
		cmocka_unit_test(test_what_moves_no_tunnel_port),
		cmocka_unit_test(test_tunnel_series_counts_a_packet_once),
		cmocka_unit_test(test_who_attempts),
		cmocka_unit_test(test_no_attempts_without_an_outside_tap),
		cmocka_unit_test(test_where_an_attempt_may_stay),
		cmocka_unit_test(test_allowance_on_loopback),
		cmocka_unit_test(test_frames_and_times_of_a_tap),
		cmocka_unit_test(test_first_frame_starts_the_clock),
		cmocka_unit_test(test_run_merges_by_time),
		cmocka_unit_test(test_run_keeps_the_order_of_sources),
		cmocka_unit_test(test_run_reads_the_inside_ahead),
		cmocka_unit_test(test_run_of_the_outside_goes_by_stamps),
		cmocka_unit_test(test_run_of_one_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
