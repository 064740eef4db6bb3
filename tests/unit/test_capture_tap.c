// SPDX-License-Identifier: MIT
/* Taps in throw-away namespaces: exact counts, filters, drops, gaps, full disks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <pcap/pcap.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "capture/beacon.h"
#include "capture/filter.h"
#include "capture/inject.h"
#include "capture/tap.h"
#include "unit/netns.h"
#include "unit/scratch.h"

#define TUNNEL_PORT 51820

static int a = -1, b = -1;

struct burst {
	int netns, count, port, size, fd;
	int64_t pause;
};

static int open_socket(void *arg, struct err *err)
{
	struct burst *u = arg;

	u->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return u->fd < 0 ? err_errno(err, "socket") : 0;
}

/* `count` datagrams of `size` bytes from the namespace to 10.9.0.2:port. */
static int send_burst(struct burst u)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)u.port) };
	static const char data[1400];
	int sent = 0;

	(void)inet_pton(AF_INET, "10.9.0.2", &to.sin_addr);
	if (netns_call(u.netns, open_socket, &u, NULL) < 0)
		return -1;
	for (int i = 0; i < u.count; i++) {
		sent += sendto(u.fd, data, (size_t)u.size, 0, (struct sockaddr *)&to, sizeof(to)) ==
			u.size;
		if (u.pause)
			clock_sleep_ns(u.pause);
	}
	(void)close(u.fd);
	return sent;
}

static struct tap_spec spec_of(const char *path, const char *tunnel_path)
{
	struct tap_spec s = {
		.name = "uplink",
		.role = "uplink",
		.netns_fd = a,
		.ifname = "va",
		.path = path,
		.tunnel_path = tunnel_path,
		.tunnel = { IPPROTO_UDP, "10.9.0.2", TUNNEL_PORT },
	};

	memset(s.nonce, 0x5a, sizeof(s.nonce));
	return s;
}

static struct tap *armed(const struct tap_spec *s)
{
	struct err err = { 0 };
	struct tap *t = tap_start(s, &err);

	if (!t || tap_wait_armed(t, 5 * NS_PER_S, &err) < 0)
		fail_msg("%s", err.text);
	return t;
}

/* Packets in a file, or only the ones to a UDP port; beacons are counted on the way. */
static int count_file(const char *path, int port, int *beacons)
{
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, text);
	struct pcap_pkthdr *h;
	const uint8_t *d;
	int n = 0;

	assert_non_null(p);
	while (pcap_next_ex(p, &h, &d) == 1) {
		if (beacons)
			*beacons += beacon_parse(d, h->caplen, true, NULL);
		n += port == 0 ||
		     (h->caplen > 37 && d[36] << 8 == (port & 0xff00) && d[37] == (port & 0xff));
	}
	pcap_close(p);
	return n;
}

static int setup(void **state)
{
	(void)state;
	a = ns_new();
	b = ns_new();
	/* Without an address the far end answers nothing: only what is sent is to be counted. */
	return a < 0 || b < 0 || ns_veth(a, b) < 0 || ns_run(b, "ip addr flush dev vb") < 0 ? -1
											    : 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)close(a);
	(void)close(b);
	return 0;
}

static void test_counts_are_exact_and_the_tunnel_is_apart(void **state)
{
	_cleanup_free_ char *path = str_fmt("%s/exact.pcap", dir);
	_cleanup_free_ char *tunnel = str_fmt("%s/exact-tunnel.pcap", dir);
	const struct tap_spec s = spec_of(path, tunnel);
	struct tap *t = armed(&s);
	struct tap_stats st;
	struct tap_live live;
	struct err err = { 0 };
	int beacons = 0;

	(void)state;
	assert_int_equal(send_burst((struct burst){ a, 5000, TUNNEL_PORT, 1400, -1, 0 }), 5000);
	assert_int_equal(send_burst((struct burst){ a, 700, 9, 100, -1, 0 }), 700);
	assert_int_equal(send_burst((struct burst){ a, 50, TUNNEL_PORT + 1, 100, -1, 0 }), 50);
	assert_int_equal(tap_stop(t, &err), 0);
	tap_stats(t, &st);
	tap_live(t, &live);
	tap_free(t);
	assert_true(st.reconciled && st.filter_ok && st.beacon_begin && st.beacon_end);
	assert_int_equal(st.dropped + st.tunnel_dropped, 0);
	assert_int_equal(st.tunnel_delivered, 5000);
	assert_int_equal(live.tunnel_packets, 5000);
	assert_int_equal(live.tunnel_bytes, 5000 * 1442);
	assert_true(live.first_tunnel > 0 && live.last_tunnel >= live.first_tunnel);
	assert_int_equal(st.delivered, st.received);
	assert_int_equal(st.written, st.delivered);
	assert_int_equal(count_file(path, 0, &beacons), (int)st.delivered);
	assert_true(beacons >= 2);
	assert_int_equal((int)st.delivered, 750 + beacons);
	assert_int_equal(count_file(path, 9, NULL), 700);
	assert_int_equal(count_file(path, TUNNEL_PORT, NULL), 0);
	assert_int_equal(count_file(path, TUNNEL_PORT + 1, NULL), 50);
	assert_int_equal(count_file(tunnel, TUNNEL_PORT, NULL), 5000);
}

static void test_tcpdump_beside_it_agrees(void **state)
{
	_cleanup_free_ char *path = str_fmt("%s/beside.pcap", dir);
	_cleanup_free_ char *other = str_fmt("%s/tcpdump.pcap", dir);
	const struct proc_opts in_a = { .netns_fd = a };
	struct tap_spec s = spec_of(path, NULL);
	struct tap_stats st;
	struct err err = { 0 };
	struct tap *t;
	pid_t pid;
	int ours = 0, theirs = 0;

	(void)state;
	s.tunnel.protocol = 0;
	pid = proc_spawn(PROC_ARGV("tcpdump", "-i", "va", "-w", other, "-U", "-B", "16384",
				   "--immediate-mode"),
			 &in_a, &err);
	assert_true(pid > 1);
	for (int i = 0; i < 100 && !fs_exists(other); i++)
		clock_sleep_ns(50 * NS_PER_MS);
	t = armed(&s);
	assert_int_equal(send_burst((struct burst){ a, 1000, 9, 300, -1, 100 * NS_PER_US }), 1000);
	assert_int_equal(tap_stop(t, &err), 0);
	tap_stats(t, &st);
	tap_free(t);
	clock_sleep_ns(200 * NS_PER_MS);
	proc_end(pid, 2 * NS_PER_S);
	assert_true(st.reconciled);
	assert_int_equal(count_file(path, 0, &ours), count_file(other, 0, &theirs));
	assert_int_equal(ours, theirs);
	assert_int_equal(count_file(path, 9, NULL), 1000);
}

static void test_a_stalled_reader_reports_what_it_lost(void **state)
{
	_cleanup_free_ char *path = str_fmt("%s/stalled.pcap", dir);
	struct tap_spec s = spec_of(path, NULL);
	struct tap_event e[16];
	struct tap_stats st;
	struct err err = { 0 };
	struct tap *t;
	uint64_t told = 0;
	int beacons = 0;

	(void)state;
	s.ring_mib = 1;
	t = armed(&s);
	tap_pause(t, true);
	clock_sleep_ns(300 * NS_PER_MS);
	assert_int_equal(send_burst((struct burst){ a, 20000, 9, 1000, -1, 0 }), 20000);
	clock_sleep_ns(300 * NS_PER_MS);
	tap_pause(t, false);
	assert_int_equal(tap_stop(t, &err), 0);
	tap_stats(t, &st);
	for (size_t i = tap_events(t, 0, e, 16); i > 0; i--)
		told += e[i - 1].kind == TAP_EVENT_DROPS ? e[i - 1].count : 0;
	tap_free(t);
	assert_true(st.dropped > 10000);
	assert_int_equal(st.delivered, st.received - st.dropped);
	(void)count_file(path, 0, &beacons);
	assert_int_equal(st.received, 20000 + beacons);
	assert_int_equal(told, st.dropped);
	assert_false(st.reconciled);
}

static bool has_event(const struct tap *t, enum tap_event_kind kind)
{
	struct tap_event e[32];
	size_t n = tap_events(t, 0, e, 32);

	for (size_t i = 0; i < n; i++)
		if (e[i].kind == kind)
			return true;
	return false;
}

static void wait_event(const struct tap *t, enum tap_event_kind kind)
{
	for (int i = 0; i < 100 && !has_event(t, kind); i++)
		clock_sleep_ns(20 * NS_PER_MS);
	assert_true(has_event(t, kind));
}

static void test_an_interface_that_goes_is_a_gap(void **state)
{
	_cleanup_free_ char *path = str_fmt("%s/gap.pcap", dir);
	const struct tap_spec s = spec_of(path, NULL);
	struct tap *t = armed(&s);
	struct tap_stats st;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(send_burst((struct burst){ a, 10, 9, 100, -1, 0 }), 10);
	clock_sleep_ns(50 * NS_PER_MS);
	assert_int_equal(ns_run(a, "ip link del va"), 0);
	wait_event(t, TAP_EVENT_GAP_BEGIN);
	assert_int_equal(ns_veth(a, b), 0);
	wait_event(t, TAP_EVENT_GAP_END);
	assert_int_equal(tap_wait_armed(t, 5 * NS_PER_S, &err), 0);
	assert_int_equal(send_burst((struct burst){ a, 20, 9, 100, -1, 0 }), 20);
	assert_int_equal(tap_stop(t, &err), 0);
	tap_stats(t, &st);
	tap_free(t);
	assert_int_equal(st.gaps, 1);
	assert_int_equal(st.lives, 2);
	assert_int_equal(st.delivered, st.received);
	assert_int_equal(count_file(path, 9, NULL), 30);
	assert_false(st.reconciled);
}

static void test_a_transient_interface_may_come_and_go(void **state)
{
	_cleanup_free_ char *path = str_fmt("%s/transient.pcap", dir);
	struct tap_spec s = spec_of(path, NULL);
	struct err err = { 0 };
	struct tap_stats st;
	struct tap *t;

	(void)state;
	s.transient = true;
	assert_int_equal(ns_run(a, "ip link del va"), 0);
	t = armed(&s);
	tap_stats(t, &st);
	assert_int_equal(st.state, TAP_WAITING);
	assert_int_equal(ns_veth(a, b), 0);
	wait_event(t, TAP_EVENT_ARMED);
	assert_int_equal(send_burst((struct burst){ a, 5, 9, 100, -1, 0 }), 5);
	clock_sleep_ns(50 * NS_PER_MS);
	assert_int_equal(ns_run(a, "ip link del va"), 0);
	wait_event(t, TAP_EVENT_GAP_BEGIN);
	assert_int_equal(tap_stop(t, &err), 0);
	tap_stats(t, &st);
	tap_free(t);
	assert_int_equal(st.gaps, 0);
	assert_int_equal(count_file(path, 9, NULL), 5);
	assert_true(st.reconciled);
}

static void test_down_and_up_are_told(void **state)
{
	_cleanup_free_ char *path = str_fmt("%s/flap.pcap", dir);
	const struct tap_spec s = spec_of(path, NULL);
	struct tap *t = armed(&s);
	struct tap_stats st;

	(void)state;
	assert_int_equal(ns_run(a, "ip link set va down"), 0);
	wait_event(t, TAP_EVENT_LINK_DOWN);
	assert_int_equal(ns_run(a, "ip link set va up"), 0);
	wait_event(t, TAP_EVENT_LINK_UP);
	assert_int_equal(tap_stop(t, NULL), 0);
	tap_stats(t, &st);
	tap_free(t);
	assert_int_equal(st.downs, 1);
	assert_int_equal(st.gaps, 0);
	assert_true(st.reconciled);
}

static void test_a_full_disk_is_loud(void **state)
{
	_cleanup_free_ char *small = str_fmt("%s/small", dir);
	_cleanup_free_ char *path = str_fmt("%s/full.pcap", small);
	const struct tap_spec s = spec_of(path, NULL);
	struct tap_stats st;
	struct err err = { 0 };
	struct tap *t;
	int in_file, rc;

	(void)state;
	assert_int_equal(mkdir(small, 0700), 0);
	if (mount("tmpfs", small, "tmpfs", 0, "size=1m") < 0)
		skip();
	t = armed(&s);
	assert_int_equal(send_burst((struct burst){ a, 3000, 9, 1400, -1, 0 }), 3000);
	clock_sleep_ns(300 * NS_PER_MS);
	rc = tap_stop(t, &err);
	tap_stats(t, &st);
	assert_true(has_event(t, TAP_EVENT_FAILED));
	tap_free(t);
	in_file = count_file(path, 0, NULL);
	assert_int_equal(umount(small), 0);
	assert_int_equal(rc, -1);
	assert_non_null(strstr(err.text, "No space left on device"));
	assert_true(st.failed && !st.reconciled);
	assert_int_equal(st.delivered, st.received);
	assert_int_equal(in_file, (int)st.written);
	assert_true(st.written > 100 && st.written < 1000);
}

static void test_loopback_shows_a_packet_once(void **state)
{
	_cleanup_free_ char *path = str_fmt("%s/lo.pcap", dir);
	struct tap_spec s = spec_of(path, NULL);
	struct tap_stats st;
	struct tap *t;

	(void)state;
	s.ifname = "lo";
	s.tunnel.protocol = 0;
	assert_int_equal(ns_run(a, "ip link set lo up"), 0);
	assert_int_equal(ns_run(a, "ip addr add 10.9.0.2/32 dev lo"), 0);
	assert_int_equal(ns_run(a, "ip route flush table main"), 0);
	t = armed(&s);
	assert_int_equal(send_burst((struct burst){ a, 40, 9, 100, -1, 0 }), 40);
	assert_int_equal(tap_stop(t, NULL), 0);
	tap_stats(t, &st);
	tap_free(t);
	assert_int_equal(count_file(path, 9, NULL), 40);
	assert_true(st.reconciled);
}

static void test_what_cannot_work_is_said(void **state)
{
	_cleanup_free_ char *path = str_fmt("%s/none.pcap", dir);
	struct tap_spec s = spec_of(path, NULL);
	struct err err = { 0 };
	struct tap *t;

	(void)state;
	s.ifname = "nothere";
	t = tap_start(&s, &err);
	assert_non_null(t);
	assert_int_equal(tap_wait_armed(t, 5 * NS_PER_S, &err), -1);
	assert_non_null(strstr(err.text, "does not exist"));
	assert_int_equal(tap_stop(t, NULL), -1);
	tap_free(t);
	s.ifname = "va";
	s.tunnel.address = "not-an-address";
	t = tap_start(&s, &err);
	assert_non_null(t);
	assert_int_equal(tap_wait_armed(t, 5 * NS_PER_S, &err), -1);
	assert_non_null(strstr(err.text, "not an endpoint"));
	tap_free(t);
	s.name = "";
	assert_null(tap_start(&s, &err));
}

static void test_the_kernel_cuts_to_snaplen(void **state)
{
	_cleanup_free_ char *path = str_fmt("%s/cut.pcap", dir);
	struct tap_spec s = spec_of(path, NULL);
	char text[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *h;
	const uint8_t *d;
	struct tap_stats st;
	struct tap *t;
	pcap_t *p;
	int cut = 0;

	(void)state;
	s.snaplen = 200;
	t = armed(&s);
	assert_int_equal(send_burst((struct burst){ a, 10, 9, 1400, -1, 0 }), 10);
	assert_int_equal(tap_stop(t, NULL), 0);
	tap_stats(t, &st);
	tap_free(t);
	assert_true(st.reconciled);
	p = pcap_open_offline(path, text);
	assert_non_null(p);
	assert_int_equal(pcap_snapshot(p), 200);
	while (pcap_next_ex(p, &h, &d) == 1)
		cut += h->caplen == 200 && h->len == 1442;
	pcap_close(p);
	assert_int_equal(cut, 10);
	s.snaplen = 20;
	assert_null(tap_start(&s, NULL));
}

/* As fast as one core sends: nothing is lost, and what it cost is printed. */
static void test_a_flood_is_counted_to_the_last_packet(void **state)
{
	enum { EACH = 100000 };
	_cleanup_free_ char *path = str_fmt("%s/flood.pcap", dir);
	struct tap_spec s = spec_of(path, NULL);
	struct tap_stats st;
	struct err err = { 0 };
	struct tap *t;
	int beacons = 0;
	int64_t begin, took;

	(void)state;
	s.ring_mib = 64;
	t = armed(&s);
	begin = clock_mono_ns();
	assert_int_equal(send_burst((struct burst){ a, EACH, 9, 100, -1, 0 }), EACH);
	assert_int_equal(send_burst((struct burst){ a, EACH, TUNNEL_PORT, 1400, -1, 0 }), EACH);
	took = clock_mono_ns() - begin;
	assert_int_equal(tap_stop(t, &err), 0);
	tap_stats(t, &st);
	tap_free(t);
	assert_true(st.reconciled);
	assert_int_equal(st.tunnel_delivered, EACH);
	assert_int_equal(count_file(path, 9, &beacons), EACH);
	assert_int_equal(st.delivered, EACH + beacons);
	print_message("%d packets/s, none lost\n", (int)(2 * EACH * NS_PER_S / took));
}

struct bypass {
	int fd;
};

static int open_bypass(void *arg, struct err *err)
{
	struct bypass *p = arg;
	const struct sockaddr_ll at = { .sll_family = AF_PACKET,
					.sll_ifindex = (int)if_nametoindex("va") };
	int one = 1;

	p->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (p->fd < 0 || bind(p->fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ||
	    setsockopt(p->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)) < 0)
		return err_errno(err, "bypass");
	return 0;
}

/* The known blind spot: a sender with PACKET_QDISC_BYPASS passes its own interface's tap. The far end's sees
 * it, which is why the lab has one there. When this test fails, the kernel has closed the hole. */
static void test_a_bypassing_sender_is_seen_at_the_far_end_only(void **state)
{
	_cleanup_free_ char *near = str_fmt("%s/near.pcap", dir),
			    *far = str_fmt("%s/far.pcap", dir);
	struct tap_spec s = spec_of(near, NULL), f = spec_of(far, NULL);
	struct bypass p = { .fd = -1 };
	uint8_t frame[60] = { 2, 0, 0, 0, 0, 11, 2, 0, 0, 0, 0, 10, 0x08, 0x00, 0x45 };
	struct tap_live at_near, at_far;
	struct tap *n, *t;

	(void)state;
	f.netns_fd = b;
	f.ifname = "vb";
	f.name = "far";
	n = armed(&s);
	t = armed(&f);
	assert_int_equal(netns_call(a, open_bypass, &p, NULL), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(send(p.fd, frame, sizeof(frame), 0), sizeof(frame));
	(void)close(p.fd);
	assert_int_equal(tap_stop(n, NULL) + tap_stop(t, NULL), 0);
	tap_live(n, &at_near);
	tap_live(t, &at_far);
	tap_free(n);
	tap_free(t);
	assert_true(at_near.packets < 50);
	assert_true(at_far.packets >= 100);
}

/* libpcap would filter such a program in user space and say nothing. */
static void test_an_oversized_filter_is_refused(void **state)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct bpf_insn *many = calloc(4097, sizeof(*many));
	struct bpf_program p = { .bf_len = 4097, .bf_insns = many };
	struct bpf_program other;
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < 4097; i++)
		many[i].code = BPF_RET | BPF_K;
	assert_int_equal(filter_attach(fd, &p, &err), -1);
	assert_non_null(strstr(err.text, "4097"));
	p.bf_len = 4096;
	assert_int_equal(filter_attach(fd, &p, &err), 0);
	assert_int_equal(filter_verify(fd, &p, &err), 0);
	assert_int_equal(filter_all(&other, DLT_EN10MB, 100, &err), 0);
	assert_int_equal(filter_verify(fd, &other, &err), -1);
	pcap_freecode(&other);
	free(many);
}

#define IN_NAMESPACES(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_NAMESPACES(test_counts_are_exact_and_the_tunnel_is_apart),
		IN_NAMESPACES(test_tcpdump_beside_it_agrees),
		IN_NAMESPACES(test_a_stalled_reader_reports_what_it_lost),
		IN_NAMESPACES(test_an_interface_that_goes_is_a_gap),
		IN_NAMESPACES(test_a_transient_interface_may_come_and_go),
		IN_NAMESPACES(test_down_and_up_are_told),
		IN_NAMESPACES(test_a_full_disk_is_loud),
		IN_NAMESPACES(test_loopback_shows_a_packet_once),
		IN_NAMESPACES(test_what_cannot_work_is_said),
		IN_NAMESPACES(test_the_kernel_cuts_to_snaplen),
		IN_NAMESPACES(test_a_flood_is_counted_to_the_last_packet),
		IN_NAMESPACES(test_a_bypassing_sender_is_seen_at_the_far_end_only),
		cmocka_unit_test(test_an_oversized_filter_is_refused),
	};
	int fd = ns_new();

	if (fd < 0) {
		printf("skipped: network namespaces need root\n");
		return 77;
	}
	(void)close(fd);
	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
