// SPDX-License-Identifier: MIT
/* Beacons and controls: what is forged is what arrives, on Ethernet, loopback and tun. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <pcap/pcap.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "capture/beacon.h"
#include "capture/inject.h"
#include "capture/tap.h"
#include "exact.h"
#include "unit/netns.h"
#include "unit/scratch.h"

static int a = -1, b = -1;
static const uint8_t nonce[INJECT_NONCE] = "0123456789abcde";

static void test_beacons_are_read_back(void **state)
{
	struct beacon in = { .mark = BEACON_END, .seq = 77, .tap = "uplink" }, out;
	uint8_t frame[BEACON_FRAME_MAX];

	(void)state;
	memcpy(in.nonce, nonce, sizeof(nonce));
	for (int ethernet = 0; ethernet < 2; ethernet++) {
		size_t len = beacon_build(&in, ethernet, frame);

		assert_in_range(len, 60, BEACON_FRAME_MAX);
		assert_true(beacon_parse(frame, len, ethernet, &out));
		assert_string_equal(out.tap, "uplink");
		assert_int_equal(out.seq, 77);
		assert_int_equal(out.mark, BEACON_END);
		assert_memory_equal(out.nonce, nonce, sizeof(nonce));
		assert_false(beacon_parse(frame, len, !ethernet, NULL));
	}
}

/* Exact-size blocks, so that a sanitizer sees a read beyond the end; and no changed byte of the head passes. */
static void test_beacons_cut_or_changed_are_none(void **state)
{
	const struct beacon in = { .mark = BEACON_BEGIN, .tap = "a tap with the longest name..31" };
	uint8_t frame[BEACON_FRAME_MAX];

	(void)state;
	for (int ethernet = 0; ethernet < 2; ethernet++) {
		size_t len = beacon_build(&in, ethernet, frame);
		size_t magic = ethernet ? 14 : 28;

		for (size_t cut = 0; cut < len; cut++) {
			assert_false(beacon_parse(exact(frame, cut), cut, ethernet, NULL));
		}
		for (size_t i = magic; i < magic + 8; i++) {
			frame[i] ^= 1;
			assert_false(beacon_parse(frame, len, ethernet, NULL));
			frame[i] ^= 1;
		}
	}
}

static struct tap *tap_on(int netns, const char *ifname, const char *path)
{
	struct tap_spec s = {
		.name = "tap", .role = "uplink", .netns_fd = netns, .ifname = ifname, .path = path
	};
	struct err err = { 0 };
	struct tap *t;

	memcpy(s.nonce, nonce, sizeof(nonce));
	t = tap_start(&s, &err);
	if (!t || tap_wait_armed(t, 5 * NS_PER_S, &err) < 0)
		fail_msg("%s", err.text);
	return t;
}

static void send_or_fail(struct inject_spec s)
{
	struct err err = { 0 };
	struct inject_sent sent;

	memcpy(s.nonce, nonce, sizeof(nonce));
	if (inject_send(&s, &sent, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(sent.after >= sent.before && sent.length >= 40);
}

static void stop_tap(struct tap *t)
{
	struct tap_stats st;
	struct err err = { 0 };

	if (tap_stop(t, &err) < 0)
		fail_msg("%s", err.text);
	tap_stats(t, &st);
	assert_true(st.reconciled);
	tap_free(t);
}

/* Frames that are no beacons and match the libpcap filter. */
static int matching(const char *path, const char *filter)
{
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline(path, text);
	struct bpf_program prog;
	struct pcap_pkthdr *h;
	const uint8_t *d;
	int n = 0;

	assert_non_null(p);
	assert_int_equal(pcap_compile(p, &prog, filter, 1, PCAP_NETMASK_UNKNOWN), 0);
	while (pcap_next_ex(p, &h, &d) == 1)
		n += !beacon_parse(d, h->caplen, pcap_datalink(p) == DLT_EN10MB, NULL) &&
		     pcap_offline_filter(&prog, h, d) > 0;
	pcap_freecode(&prog);
	pcap_close(p);
	return n;
}

static bool file_has(const char *path, const void *what, size_t len)
{
	size_t n = 0;
	_cleanup_free_ char *data = fs_read(path, 1 << 20, &n, NULL);

	return data && memmem(data, n, what, len);
}

static const struct inject_spec v4[] = {
	{ .kind = INJECT_TCP, .src = "203.0.113.10", .dst = "198.51.100.134", .id = 0x80000001 },
	{ .kind = INJECT_UDP, .src = "203.0.113.10", .dst = "198.51.100.134", .id = 0x80000002 },
	{ .kind = INJECT_ICMP, .src = "203.0.113.10", .dst = "198.51.100.134", .id = 0x80000003 },
	{ .kind = INJECT_DNS,
	  .src = "203.0.113.10",
	  .dst = "198.51.100.130",
	  .id = 0x80000004,
	  .name = "ctl-plaintext-dns-3031323334353637.canary.example" },
	{ .kind = INJECT_TRACKER,
	  .src = "10.64.0.2",
	  .dst = "198.51.100.132",
	  .id = 0x80000005,
	  .announce = "203.0.113.10",
	  .dport = 6969 },
	{ .kind = INJECT_OTHER, .src = "203.0.113.10", .dst = "198.51.100.134", .id = 0x80000006 },
	/* to the endpoint, with a payload that is none of the tunnel's; and from a private source */
	{ .kind = INJECT_UDP,
	  .src = "203.0.113.10",
	  .dst = "198.51.100.2",
	  .dport = 51820,
	  .id = 0x80000007 },
	{ .kind = INJECT_UDP, .src = "172.20.0.5", .dst = "198.51.100.134", .id = 0x80000008 },
};

static const struct inject_spec v6[] = {
	{ .kind = INJECT_TCP, .src = "2001:db8:1::10", .dst = "2001:db8:2::134", .id = 0x80000011 },
	{ .kind = INJECT_UDP, .src = "2001:db8:1::10", .dst = "2001:db8:2::134", .id = 0x80000012 },
	{ .kind = INJECT_ICMP,
	  .src = "2001:db8:1::10",
	  .dst = "2001:db8:2::134",
	  .id = 0x80000013 },
	{ .kind = INJECT_DNS,
	  .src = "2001:db8:1::10",
	  .dst = "2001:db8:2::130",
	  .id = 0x80000014,
	  .name = "ctl-v6.canary.example" },
};

static void send_all(const struct inject_spec *all, size_t n, int netns, const char *ifname)
{
	for (size_t i = 0; i < n; i++) {
		struct inject_spec s = all[i];

		s.netns_fd = netns;
		s.ifname = ifname;
		send_or_fail(s);
	}
}

static void check_file(const char *path)
{
	assert_int_equal(matching(path, "tcp dst port 443 and tcp[tcpflags] == tcp-syn"), 1);
	assert_int_equal(matching(path, "udp dst port 443 and ip src 203.0.113.10"), 1);
	assert_int_equal(matching(path, "icmp[icmptype] == icmp-echo"), 1);
	assert_int_equal(matching(path, "ip and udp dst port 53"), 1);
	assert_int_equal(matching(path, "tcp dst port 6969 and src 10.64.0.2"), 1);
	assert_int_equal(matching(path, "ip proto 253"), 1);
	assert_int_equal(matching(path, "udp dst port 51820 and dst 198.51.100.2"), 1);
	assert_int_equal(matching(path, "ip src 172.20.0.5"), 1);
	assert_int_equal(matching(path, "ip6 and tcp"), 1);
	assert_int_equal(matching(path, "ip6 and udp dst port 443"), 1);
	assert_int_equal(matching(path, "icmp6 and ip6[40] == 128"), 1);
	assert_int_equal(matching(path, "ip6 and udp dst port 53"), 1);
	assert_int_equal(matching(path, ""), 12);
	assert_true(file_has(path,
			     "\x22"
			     "ctl-plaintext-dns-30313233343",
			     13));
	assert_true(file_has(path, "&ip=203.0.113.10 HTTP/1.1\r\n", 26));
	/* the marker as text: nonce and identifier in hexadecimal */
	assert_true(file_has(path, "303132333435363738396162636465008000", 36));
	for (size_t i = 0; i < 3; i++) {
		uint8_t marker[INJECT_MARKER];

		inject_marker(nonce, v4[i].id, marker);
		assert_true(file_has(path, marker, sizeof(marker)));
		inject_marker(nonce, v6[i].id, marker);
		assert_true(file_has(path, marker, sizeof(marker)));
	}
}

static void test_controls_on_ethernet_and_at_the_far_end(void **state)
{
	_cleanup_free_ char *near = str_fmt("%s/near.pcap", dir),
			    *far = str_fmt("%s/far.pcap", dir);
	struct tap *n = tap_on(a, "va", near), *f = tap_on(b, "vb", far);

	(void)state;
	send_all(v4, 8, a, "va");
	send_all(v6, 4, a, "va");
	stop_tap(n);
	stop_tap(f);
	check_file(near);
	check_file(far);
	/* nobody answered, and nothing went anywhere else: every frame is to the address of nobody */
	assert_int_equal(matching(far, "not ether dst 02:4c:50:00:de:ad"), 0);
	assert_int_equal(matching(far, "not ether src 02:4c:50:00:00:01"), 0);
}

/* tshark, where there is one, judges the checksums. */
static void test_checksums_are_right(void **state)
{
	static const char wrong[] = "ip.checksum.status==0||tcp.checksum.status==0||"
				    "udp.checksum.status==0||icmp.checksum.status==0||"
				    "icmpv6.checksum.status==0";
	_cleanup_free_ char *path = str_fmt("%s/sums.pcap", dir);
	_cleanup_proc_ struct proc_result r = { 0 };
	struct tap *t = tap_on(a, "va", path);
	struct err err = { 0 };

	(void)state;
	send_all(v4, 8, a, "va");
	send_all(v6, 4, a, "va");
	stop_tap(t);
	if (proc_run(PROC_ARGV("tshark", "-r", path, "-o", "ip.check_checksum:TRUE", "-o",
			       "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-Y",
			       wrong),
		     NULL, &r, &err) < 0 ||
	    r.status == 127)
		skip();
	assert_string_equal(r.out, "");
}

static int make_tun(void *arg, struct err *err)
{
	struct ifreq ifr = { .ifr_name = "tun9" };
	int *fd = arg;

	ifr.ifr_flags = IFF_TUN | IFF_NO_PI;
	*fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	return *fd < 0 || ioctl(*fd, TUNSETIFF, &ifr) < 0 ? err_errno(err, "tun") : 0;
}

static void test_controls_on_a_tunnel_device(void **state)
{
	_cleanup_free_ char *path = str_fmt("%s/tun.pcap", dir);
	_cleanup_close_ int tun = -1;
	struct tap *t;

	(void)state;
	if (netns_call(a, make_tun, &tun, NULL) < 0)
		skip();
	assert_int_equal(ns_run(a, "ip link set tun9 up"), 0);
	t = tap_on(a, "tun9", path);
	send_all(v4, 8, a, "tun9");
	send_all(v6, 4, a, "tun9");
	stop_tap(t);
	check_file(path);
}

static void test_controls_on_loopback(void **state)
{
	_cleanup_free_ char *path = str_fmt("%s/lo.pcap", dir);
	struct tap *t;

	(void)state;
	assert_int_equal(ns_run(a, "ip link set lo up"), 0);
	t = tap_on(a, "lo", path);
	send_all(v4, 8, a, "lo");
	send_all(v6, 4, a, "lo");
	stop_tap(t);
	check_file(path);
}

static void test_what_cannot_be_forged_is_said(void **state)
{
	struct inject_spec s = { .netns_fd = a,
				 .ifname = "va",
				 .kind = INJECT_DNS,
				 .src = "203.0.113.10",
				 .dst = "198.51.100.130" };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(inject_send(&s, NULL, &err), -1);
	assert_non_null(strstr(err.text, "no name"));
	s.name = "a..b";
	assert_int_equal(inject_send(&s, NULL, &err), -1);
	assert_non_null(strstr(err.text, "label"));
	s.kind = INJECT_UDP;
	s.dst = "2001:db8::1";
	assert_int_equal(inject_send(&s, NULL, &err), -1);
	assert_non_null(strstr(err.text, "one family"));
	s.dst = "198.51.100.300";
	assert_int_equal(inject_send(&s, NULL, &err), -1);
	s.dst = "198.51.100.130";
	s.ifname = "nothere";
	assert_int_equal(inject_send(&s, NULL, &err), -1);
	assert_non_null(strstr(err.text, "nothere"));
}

static int setup(void **state)
{
	(void)state;
	a = ns_new();
	b = ns_new();
	return a < 0 || b < 0 || ns_veth(a, b) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)close(a);
	(void)close(b);
	return 0;
}

#define IN_NAMESPACES(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest pure[] = {
		cmocka_unit_test(test_beacons_are_read_back),
		cmocka_unit_test(test_beacons_cut_or_changed_are_none),
	};
	const struct CMUnitTest tests[] = {
		IN_NAMESPACES(test_controls_on_ethernet_and_at_the_far_end),
		IN_NAMESPACES(test_checksums_are_right),
		IN_NAMESPACES(test_controls_on_a_tunnel_device),
		IN_NAMESPACES(test_controls_on_loopback),
		IN_NAMESPACES(test_what_cannot_be_forged_is_said),
	};
	int fd = ns_new(), failed = cmocka_run_group_tests(pure, NULL, NULL);

	if (fd < 0) {
		printf("skipped: network namespaces need root\n");
		return failed ? failed : 77;
	}
	(void)close(fd);
	return failed + cmocka_run_group_tests(tests, make_dir, drop_dir);
}
