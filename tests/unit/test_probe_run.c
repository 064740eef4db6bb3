// SPDX-License-Identifier: MIT
/* Probes in throw-away namespaces: what they send, what they log, when an outage began and ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "probe/http_get.h"
#include "probe/probe.h"
#include "probe/workload_qbt.h"
#include "unit/netns.h"
#include "unit/scratch.h"

static int a = -1, b = -1;

/* The far end: UDP 40001 echoes, UDP 53 answers queries, TCP 40002 and 40003 accept, TCP 8080 is HTTP. */
struct sink {
	pthread_t thread;
	atomic_bool stop;
	int udp[2], tcp[3], open[1024];
	size_t n_open;
	atomic_int echoed;
};
static struct sink sink;

static int listen_on(int type, uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return -1;
	return type == SOCK_STREAM && listen(fd, 512) < 0 ? -1 : fd;
}

static int open_sink(void *arg, struct err *err)
{
	(void)arg;
	sink.udp[0] = listen_on(SOCK_DGRAM, 40001);
	sink.udp[1] = listen_on(SOCK_DGRAM, 53);
	sink.tcp[0] = listen_on(SOCK_STREAM, 40002);
	sink.tcp[1] = listen_on(SOCK_STREAM, 40003);
	sink.tcp[2] = listen_on(SOCK_STREAM, 8080);
	return sink.tcp[2] < 0 || sink.tcp[0] < 0 ? err_errno(err, "sink") : 0;
}

/* Names that begin with "www" are 10.9.0.2, all others do not exist. */
static ssize_t answer_dns(uint8_t *buf, ssize_t n)
{
	static const uint8_t record[16] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 9, 0, 2 };

	buf[2] |= 0x80;
	if (n < 17 || memcmp(buf + 13, "www", 3) != 0) {
		buf[3] = 3; /* NXDOMAIN */
		return n;
	}
	buf[7] = 1;
	memcpy(buf + n, record, sizeof(record));
	return n + (ssize_t)sizeof(record);
}

static void answer_udp(int fd, bool dns)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	uint8_t buf[2048];
	ssize_t n;

	while ((n = recvfrom(fd, buf, sizeof(buf) - 16, 0, (struct sockaddr *)&from, &len)) > 0) {
		if (dns)
			n = answer_dns(buf, n);
		(void)sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&from, len);
		atomic_fetch_add(&sink.echoed, 1);
	}
}

/* Just enough HTTP: the path decides. */
static void answer_http(int fd)
{
	static const char add[] = "POST /api/v2/torrents/add ",
			  info[] = "GET /api/v2/torrents/info ";
	static const char list[] =
		"[{\"hash\":\"0123456789abcdef0123456789abcdef01234567\",\"name\":\"file.bin\","
		"\"state\":\"uploading\",\"progress\":1,\"size\":200,\"completed\":200,"
		"\"amount_left\":0,\"dlspeed\":5,\"upspeed\":6,\"num_seeds\":1,\"num_leechs\":0}]";
	const char *body = "10.9.0.1";
	char buf[8192] = "";
	_cleanup_free_ char *text = NULL;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	(void)poll(&p, 1, 500);
	n = recv(fd, buf, sizeof(buf) - 1, 0);
	if (n > 0 && strncmp(buf, add, sizeof(add) - 1) == 0) {
		if (!strstr(buf, "\r\nd4:demo")) {
			(void)poll(&p, 1, 500);
			(void)recv(fd, buf + n, sizeof(buf) - 1 - (size_t)n, 0);
		}
		body = strstr(buf, "application/x-bittorrent") &&
				       strstr(buf, "Referer: http://10.9.0.2:8080")
			       ? "Ok."
			       : "Fails.";
	} else if (n > 0 && strncmp(buf, info, sizeof(info) - 1) == 0) {
		body = list;
	}
	text = str_fmt("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
		       strlen(body), body);
	(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
	(void)close(fd);
}

static void *serve(void *arg)
{
	(void)arg;
	while (!atomic_load(&sink.stop)) {
		clock_sleep_ns(NS_PER_MS / 2);
		answer_udp(sink.udp[0], false);
		answer_udp(sink.udp[1], true);
		for (int i = 0; i < 3; i++) {
			int fd = accept4(sink.tcp[i], NULL, NULL, SOCK_CLOEXEC);

			if (fd >= 0 && i == 2)
				answer_http(fd);
			else if (fd >= 0 && sink.n_open < 1024)
				sink.open[sink.n_open++] = fd;
		}
	}
	return NULL;
}

static int setup(void **state)
{
	(void)state;
	memset(&sink, 0, sizeof(sink));
	a = ns_new();
	b = ns_new();
	if (a < 0 || b < 0 || ns_veth(a, b) < 0 || ns_run(a, "ip link set lo up") < 0)
		return -1;
	if (netns_call(b, open_sink, NULL, NULL) < 0)
		return -1;
	return pthread_create(&sink.thread, NULL, serve, NULL);
}

static int teardown(void **state)
{
	(void)state;
	atomic_store(&sink.stop, true);
	(void)pthread_join(sink.thread, NULL);
	for (size_t i = 0; i < sink.n_open; i++)
		(void)close(sink.open[i]);
	for (int i = 0; i < 3; i++)
		(void)close(sink.tcp[i]);
	(void)close(sink.udp[0]);
	(void)close(sink.udp[1]);
	(void)close(a);
	(void)close(b);
	return 0;
}

static struct probe *start(const char *kind, const char *path, const char *ifname)
{
	struct probe_spec s = {
		.netns_fd = a,
		.ifname = ifname,
		.dest = "10.9.0.2",
		.rate_hz = 100,
		.id = 7,
		.label = "can-7",
		.log_path = path,
	};
	struct err err = { 0 };
	struct probe *p;

	memset(s.nonce, 0xa5, sizeof(s.nonce));
	p = probe_start(probe_find(kind), &s, &err);
	if (!p)
		fail_msg("%s", err.text);
	return p;
}

/* Runs for a second on a good path: every attempt is answered. */
static void run_good(const char *kind, const char *ifname)
{
	_cleanup_free_ char *path = str_fmt("%s/%s.log", dir, kind);
	struct probe *p = start(kind, path, ifname);
	struct probe_outage o;
	struct probe_summary s;
	struct probe_log log;
	struct err err = { 0 };
	int64_t begin = clock_mono_ns(), took;

	clock_sleep_ns(NS_PER_S);
	if (probe_stop(p, &err) < 0)
		fail_msg("%s", err.text);
	took = clock_mono_ns() - begin;
	probe_free(p);
	assert_int_equal(probe_log_read(path, &log, &err), 0);
	probe_log_summary(&log, 0, 0, &s);
	probe_log_outage(&log, 0, 100 * NS_PER_MS, 100 * NS_PER_MS, &o);
	assert_string_equal(log.kind, kind);
	assert_int_equal(log.id, 7);
	probe_log_free(&log);
	if (s.replies + 2 < s.attempts)
		fail_msg("%s: %d attempts, %d replies", kind, (int)s.attempts, (int)s.replies);
	assert_in_range(s.attempts, 60, 30 + took / (10 * NS_PER_MS)); /* 100 a second */
	assert_int_equal(s.refused + s.errors, 0);
	/* An acknowledgement may be delayed by the receiver (tcp(7), some 40 ms and more). */
	assert_in_range(s.rtt_median, 1, 150 * NS_PER_MS);
	assert_false(o.found);
}

static void test_every_kind_is_answered(void **state)
{
	(void)state;
	run_good("udp", NULL);
	run_good("tcp", NULL);
	run_good("dns", NULL);
	run_good("dns-public", NULL);
	run_good("icmp", NULL);
	run_good("kept-connection", NULL);
}

static void test_bound_to_the_interface(void **state)
{
	(void)state;
	run_good("udp", "va");
	run_good("tcp", "va");
	run_good("icmp", "va");
	run_good("kept-connection", "va");
}

/* What was done between two stamps was seen between them, or up to so much later. */
static void check_moment(const char *what, int64_t got, int64_t from, int64_t to, int64_t late)
{
	if (got <= from || got > to + late)
		fail_msg("%s: %.1f ms after the act began, %.1f ms after it ended", what,
			 (double)(got - from) / 1e6, (double)(got - to) / 1e6);
}

/* The far side goes away for a second: cut-off and recovery are found where they were. */
static void outage(const char *kind, int64_t late)
{
	_cleanup_free_ char *path = str_fmt("%s/outage-%s.log", dir, kind);
	struct probe *p = start(kind, path, NULL);
	struct probe_outage o;
	struct probe_log log;
	struct err err = { 0 };
	int64_t begin, down, end, up;

	clock_sleep_ns(500 * NS_PER_MS);
	begin = clock_real_ns();
	assert_int_equal(ns_run(b, "ip link set vb down"), 0);
	down = clock_real_ns();
	clock_sleep_ns(NS_PER_S);
	end = clock_real_ns();
	assert_int_equal(ns_run(b, "ip link set vb up"), 0);
	assert_int_equal(ns_run(b, "ip neigh replace 10.9.0.1 lladdr 02:00:00:00:00:0a dev vb"), 0);
	up = clock_real_ns();
	clock_sleep_ns(2 * NS_PER_S);
	assert_int_equal(probe_stop(p, &err), 0);
	probe_free(p);
	assert_int_equal(probe_log_read(path, &log, &err), 0);
	probe_log_outage(&log, begin - 100 * NS_PER_MS, 300 * NS_PER_MS, 300 * NS_PER_MS, &o);
	probe_log_free(&log);
	if (!o.found)
		fail_msg("%s: no outage", kind);
	/* the first that is lost may have left just before */
	check_moment("cut-off", o.cut_off, begin - 100 * NS_PER_MS, down, 100 * NS_PER_MS);
	check_moment("recovery", o.recovery, end, up, late);
	assert_true(o.failed > 60);
	assert_int_equal(o.resolution, 10 * NS_PER_MS);
}

static void test_an_outage_is_timed(void **state)
{
	(void)state;
	outage("udp", 200 * NS_PER_MS);
	outage("icmp", 200 * NS_PER_MS);
	outage("tcp", 200 * NS_PER_MS);
	/* Retransmissions back off, so a kept connection comes back later. */
	outage("kept-connection", 1900 * NS_PER_MS);
}

static void test_a_firewall_is_an_error_of_the_call(void **state)
{
	_cleanup_free_ char *path = str_fmt("%s/refused.log", dir);
	struct probe_summary s;
	struct err err = { 0 };
	struct probe *p;

	(void)state;
	p = start("udp", path, NULL);
	assert_int_equal(ns_run(a, "ip route add prohibit 10.9.0.2"), 0);
	clock_sleep_ns(500 * NS_PER_MS);
	assert_int_equal(probe_stop(p, &err), 0);
	probe_free(p);
	assert_int_equal(probe_summary(path, &s, &err), 0);
	assert_true(s.refused > 20);
	assert_int_equal(s.last_error, EACCES);
}

static void test_a_bound_probe_survives_its_interface(void **state)
{
	_cleanup_free_ char *path = str_fmt("%s/reborn.log", dir);
	struct probe_outage o;
	struct probe_log log;
	struct err err = { 0 };
	struct probe *p;

	(void)state;
	p = start("udp", path, "va");
	clock_sleep_ns(300 * NS_PER_MS);
	assert_int_equal(ns_run(a, "ip link del va"), 0);
	clock_sleep_ns(500 * NS_PER_MS);
	assert_int_equal(ns_veth(a, b), 0);
	clock_sleep_ns(500 * NS_PER_MS);
	assert_int_equal(probe_stop(p, &err), 0);
	probe_free(p);
	assert_int_equal(probe_log_read(path, &log, &err), 0);
	probe_log_outage(&log, 0, 200 * NS_PER_MS, 100 * NS_PER_MS, &o);
	probe_log_free(&log);
	assert_true(o.found && o.recovery > o.cut_off && o.last_good < o.cut_off);
}

static void test_a_probe_that_dies_is_told(void **state)
{
	_cleanup_free_ char *path = str_fmt("%s/killed.log", dir);
	struct probe_log log;
	struct err err = { 0 };
	struct probe *p;

	(void)state;
	p = start("udp", path, NULL);
	clock_sleep_ns(200 * NS_PER_MS);
	assert_int_equal(kill(probe_pid(p), SIGKILL), 0);
	clock_sleep_ns(100 * NS_PER_MS);
	assert_int_equal(probe_stop(p, &err), -1);
	assert_non_null(strstr(err.text, "ended by itself"));
	probe_free(p);
	assert_int_equal(probe_log_read(path, &log, &err), 0);
	assert_false(log.ended);
	assert_true(log.count > 10);
	probe_log_free(&log);
}

/* A log of four lookups with these replies. */
static void lookups(const uint16_t rcodes[4], struct probe_summary *s)
{
	struct probe_record records[8];
	struct probe_log log = { .kind = "dns", .rate_hz = 20, .records = records, .count = 8 };

	memset(records, 0, sizeof(records));
	for (uint32_t i = 0; i < 4; i++) {
		records[2 * i] = (struct probe_record){ .real = 1000 + 10 * i,
							.event = PROBE_SENT,
							.seq = i };
		records[2 * i + 1] = (struct probe_record){ .real = 1001 + 10 * i,
							    .event = PROBE_REPLY,
							    .seq = i,
							    .value = 1,
							    .error = rcodes[i] };
	}
	probe_log_summary(&log, 0, 0, s);
	assert_int_equal(s->attempts, 4);
}

/* A resolver in front of a dead tunnel answers at once: that it failed, or that it knows no such name. */
static void test_a_failing_resolver_is_no_reply(void **state)
{
	static const uint16_t in_lab[] = { 0, PROBE_DNS_FAILURE, PROBE_DNS_REFUSED,
					   PROBE_DNS_NO_NAME };
	static const uint16_t elsewhere[] = { PROBE_DNS_NO_NAME, PROBE_DNS_FAILURE,
					      PROBE_DNS_NO_NAME, PROBE_DNS_NO_NAME };
	struct probe_summary s;

	(void)state;
	lookups(in_lab, &s);
	assert_int_equal(s.replies, 1);
	assert_int_equal(s.errors, 3);
	assert_int_equal(s.last_reply, 1001);
	/* Where nobody has the names, "no such name" is what a resolver has to say. */
	lookups(elsewhere, &s);
	assert_int_equal(s.replies, 3);
	assert_int_equal(s.errors, 1);
	assert_int_equal(s.last_reply, 1031);
}

static void test_what_cannot_start_says_why(void **state)
{
	struct probe_spec s = { .netns_fd = a,
				.dest = "10.9.0.2",
				.log_path = "/nonexistent/x.log" };
	struct err err = { 0 };

	(void)state;
	assert_null(probe_start(probe_find("udp"), &s, &err));
	assert_non_null(strstr(err.text, "/nonexistent/x.log"));
	assert_null(probe_start(probe_find("dns"), &s, &err));
	assert_non_null(strstr(err.text, "label"));
	s.dest = "example.org";
	assert_null(probe_start(probe_find("udp"), &s, &err));
	assert_non_null(strstr(err.text, "numeric"));
	s.dest = "10.9.0.2";
	s.port = 4; /* nobody listens there */
	s.log_path = "/dev/null";
	assert_null(probe_start(probe_find("kept-connection"), &s, &err));
	assert_non_null(strstr(err.text, "refused"));
	s.ifname = "nothere";
	assert_null(probe_start(probe_find("udp"), &s, &err));
	assert_non_null(strstr(err.text, "No such device"));
	assert_null(probe_find("nothing"));
}

static void test_http_from_inside(void **state)
{
	struct http_answer h = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(http_get(a, "http://10.9.0.2:8080/", NULL, 2 * NS_PER_S, &h, &err), 0);
	assert_int_equal(h.status, 200);
	assert_string_equal(h.body, "10.9.0.1");
	assert_true(h.end > h.begin);
	http_answer_free(&h);
	assert_int_equal(http_get(a, "http://10.9.0.2:4/", NULL, 2 * NS_PER_S, &h, &err), 0);
	assert_int_equal(h.status, 0);
	assert_true(*h.error != '\0');
	http_answer_free(&h);
	assert_int_equal(http_get(a, "http://10.9.0.77/", NULL, 300 * NS_PER_MS, &h, &err), 0);
	assert_int_equal(h.status, 0);
	assert_true(h.end - h.begin < 2 * NS_PER_S);
	http_answer_free(&h);
	assert_int_equal(http_get(a, "http://[bad", NULL, NS_PER_S, &h, &err), -1);
}

/* The resolver of the container is asked, from inside; a number is asked of nobody. */
static void test_http_by_name(void **state)
{
	static const char text[] = "# comment\nsearch x\nnameserver ::1\nnameserver 10.9.0.2\n";
	_cleanup_free_ char *conf = str_fmt("%s/resolv.conf", dir);
	_cleanup_free_ char *none = str_fmt("%s/nothing", dir);
	struct http_answer h = { 0 };
	struct err err = { 0 };
	int before;

	(void)state;
	assert_int_equal(fs_write(conf, text, sizeof(text) - 1, 0644, &err), 0);
	assert_int_equal(http_get(a, "http://www.example:8080/", conf, 5 * NS_PER_S, &h, &err), 0);
	assert_int_equal(h.status, 200);
	http_answer_free(&h);
	assert_int_equal(http_get(a, "http://no.example:8080/", conf, 5 * NS_PER_S, &h, &err), 0);
	assert_int_equal(h.status, 0);
	http_answer_free(&h);
	assert_int_equal(http_get(a, "http://www.example:8080/", none, 5 * NS_PER_S, &h, &err), 0);
	assert_int_equal(h.status, 0);
	http_answer_free(&h);
	before = atomic_load(&sink.echoed);
	assert_int_equal(http_get(a, "http://10.9.0.2:8080/", conf, 5 * NS_PER_S, &h, &err), 0);
	assert_int_equal(h.status, 200);
	http_answer_free(&h);
	assert_int_equal(atomic_load(&sink.echoed), before);
}

static void test_qbittorrent_is_asked(void **state)
{
	_cleanup_free_ char *torrent = str_fmt("%s/demo.torrent", dir);
	const struct qbt_access q = { .netns_fd = a, .url = "http://10.9.0.2:8080" };
	const struct qbt_access nobody = { .netns_fd = a, .url = "http://10.9.0.2:4" };
	struct qbt_status s;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(fs_write(torrent, "d4:demoe", 8, 0644, &err), 0);
	if (workload_qbt_add(&q, torrent, "/downloads", &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(workload_qbt_status(&q, "file.bin", &s, &err), 0);
	assert_true(s.found && s.complete);
	assert_int_equal(s.dlspeed, 5);
	assert_int_equal(s.size, 200);
	assert_int_equal(workload_qbt_status(&q, s.hash, &s, &err), 0);
	assert_true(s.found);
	assert_int_equal(workload_qbt_status(&q, "other", &s, &err), 0);
	assert_false(s.found);
	assert_int_equal(workload_qbt_add(&q, "/nonexistent.torrent", NULL, &err), -1);
	assert_int_equal(workload_qbt_status(&nobody, NULL, &s, &err), -1);
	assert_non_null(strstr(err.text, "10.9.0.2:4"));
}

#define IN_NAMESPACES(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_NAMESPACES(test_every_kind_is_answered),
		IN_NAMESPACES(test_bound_to_the_interface),
		IN_NAMESPACES(test_an_outage_is_timed),
		IN_NAMESPACES(test_a_firewall_is_an_error_of_the_call),
		IN_NAMESPACES(test_a_bound_probe_survives_its_interface),
		IN_NAMESPACES(test_a_probe_that_dies_is_told),
		cmocka_unit_test(test_a_failing_resolver_is_no_reply),
		IN_NAMESPACES(test_what_cannot_start_says_why),
		IN_NAMESPACES(test_http_from_inside),
		IN_NAMESPACES(test_http_by_name),
		IN_NAMESPACES(test_qbittorrent_is_asked),
	};
	int rc = probe_child_main(argc, argv), fd;

	if (rc >= 0)
		return rc;
	fd = ns_new();
	if (fd < 0) {
		printf("skipped: network namespaces need root\n");
		return 77;
	}
	(void)close(fd);
	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
