// SPDX-License-Identifier: MIT
/* What the kernel keeps of a frame inside the stack: nothing is left out, and everything that is judged is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "capture/filter.h"
#include "capture/tap.h"
#include "golden/cases.h"
#include "packet/decode.h"

#define LINK  1600
#define BULK  FILTER_INSIDE_SNAPLEN
#define HEADS TAP_TUNNEL_SNAPLEN
#define LONG  1400

static struct bpf_program program;

static int setup(void **state)
{
	(void)state;
	return filter_inside(&program, DLT_EN10MB, LINK, HEADS, IPPROTO_UDP, VPN, 51820, NULL);
}

static int teardown(void **state)
{
	(void)state;
	pcap_freecode(&program);
	return 0;
}

/* The snaplen that the kernel would cut the frame to. */
static unsigned kept(struct bytes b)
{
	return bpf_filter(program.bf_insns, b.b, (unsigned)b.n, (unsigned)b.n);
}

static struct bytes frame(struct bytes packet)
{
	return app(packet);
}

static void test_the_tunnel_is_cut_to_its_headers(void **state)
{
	struct bytes data = udp(40000, 51820, wg_data(LONG, 5));

	(void)state;
	assert_int_equal(kept(frame(ip(QBT, VPN, P_UDP, data))), HEADS);
	assert_int_equal(kept(frame(ip(VPN, QBT, P_UDP, udp(51820, 40000, wg_data(LONG, 5))))),
			 HEADS);
	/* near misses: another address, another port, another protocol */
	assert_int_equal(kept(frame(ip(QBT, "198.51.100.3", P_UDP, data))), BULK);
	assert_int_equal(kept(frame(ip(QBT, VPN, P_UDP, udp(51820, 51821, fill(7, LONG))))), BULK);
	assert_int_equal(kept(frame(ip(QBT, VPN, P_TCP, tcp(1, 51820, 1, 0, fill(7, LONG))))),
			 BULK);
}

static void test_bulk_is_cut_behind_what_is_judged(void **state)
{
	(void)state;
	assert_int_equal(kept(frame(ip(QBT, SINK, P_TCP, tcp(1, 2, 3, F_ACK, fill(7, LONG))))),
			 BULK);
	assert_int_equal(kept(frame(ip(QBT, SINK, P_UDP, udp(1, 2, fill(7, LONG))))), BULK);
	assert_int_equal(kept(frame(ip(REAL6, SINK6, P_TCP, tcp(1, 2, 3, F_ACK, fill(7, LONG))))),
			 BULK);
	assert_int_equal(kept(frame(ip(REAL6, SINK6, P_UDP, udp(1, 2, fill(7, LONG))))), BULK);
}

static void test_everything_else_is_whole(void **state)
{
	struct ip_fields first = { .id = 9, .more = 1 }, later = { .id = 9, .offset = 1480 };

	(void)state;
	/* what begins a datagram, and what ends it */
	assert_int_equal(kept(frame(ip4o(QBT, SINK, P_UDP, first, udp(1, 2, fill(7, LONG))))),
			 LINK);
	assert_int_equal(kept(frame(ip4o(QBT, SINK, P_UDP, later, fill(7, LONG)))), LINK);
	assert_int_equal(
		kept(frame(ip("0.0.0.0", "255.255.255.255", P_UDP, udp(68, 67, fill(7, LONG))))),
		LINK);
	assert_int_equal(
		kept(frame(ip("fe80::1", "ff02::1:2", P_UDP, udp(546, 547, fill(7, LONG))))), LINK);
	assert_int_equal(kept(frame(ip("fe80::1", "ff02::1", P_ICMP6, fill(134, LONG)))), LINK);
	assert_int_equal(kept(frame(ip(QBT, SINK, P_ICMP, icmp(8, 0, fill(7, LONG))))), LINK);
	assert_int_equal(kept(frame(ip(QBT, SINK, 253, fill(7, LONG)))), LINK);
	assert_int_equal(kept(eth(M_QBT, M_GATEWAY, 0x0806, fill(0, 28))), LINK);
	assert_int_equal(kept(eth(M_QBT, M_GATEWAY, 0x9999, fill(0, LONG))), LINK);
	assert_int_equal(kept(vlan(frame(ip(QBT, SINK, P_UDP, udp(1, 2, fill(7, LONG)))))), LINK);
	/* a frame too short for any header is kept like all others */
	assert_int_equal(kept(fill(0, 8)), LINK);
}

/* The longest name of a lookup, and the mark of a canary behind the longest headers, lie in what is kept. */
static void test_names_and_marks_are_kept(void **state)
{
	char name[254];
	struct bytes lookup, canary;
	struct facts *f = calloc(1, sizeof(*f));

	(void)state;
	for (size_t i = 0; i < sizeof(name) - 1; i++)
		name[i] = i % 64 == 63 ? '.' : 'a';
	name[253] = '\0';
	lookup = frame(ip(QBT, SINK, P_UDP, udp(1, 53, dns_query(7, name))));
	assert_true(lookup.n < BULK);
	canary = frame(ip(QBT, SINK, P_UDP, udp(1, 2, cat(hex(MARKER), be(1, 4)))));
	assert_true(canary.n < HEADS);
	(void)decode_frame(NULL, LINK_ETHERNET, lookup.b, BULK, (uint32_t)lookup.n, 0, f);
	assert_string_equal(f->dns.qname, name);
	free(f);
	/* Ethernet, VLAN, the longest IPv4 and TCP headers, and what a packet is recognised by */
	assert_true(14 + 4 + 60 + 60 + 256 <= BULK);
}

/* Every frame at every length, whole headers or not: it is in the tunnel's stream or in the other one, and inside it is
 * kept. */
static void test_no_frame_falls_between(void **state)
{
	const struct bytes frames[] = {
		out(ip(REAL, VPN, P_UDP, udp(40000, 51820, wg_data(32, 5)))),
		out(ip(VPN, REAL, P_UDP, udp(51820, 40000, wg_data(32, 5)))),
		out(ip(REAL, VPN, P_TCP, tcp(40000, 51820, 1, F_SYN, fill(0, 30)))),
		out(ip(REAL, SINK, P_UDP, udp(1, 2, fill(7, 30)))),
		out(ip(REAL6, SINK6, P_UDP, udp(1, 2, fill(7, 30)))),
		out(cat(hex("4f"), fill(0, 30))), /* 60 bytes of header are said to be there */
		out(cat(hex("60"), fill(0, 60))),
		eth(M_QBT, M_GATEWAY, 0x0806, fill(0, 28)),
	};
	struct bpf_program in, others;

	(void)state;
	assert_int_equal(
		filter_tunnel(&in, DLT_EN10MB, HEADS, IPPROTO_UDP, VPN, 51820, false, NULL), 0);
	assert_int_equal(
		filter_tunnel(&others, DLT_EN10MB, LINK, IPPROTO_UDP, VPN, 51820, true, NULL), 0);
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		for (unsigned n = 0; n <= frames[i].n; n++) {
			bool a = bpf_filter(in.bf_insns, frames[i].b, n, n) != 0;
			bool b = bpf_filter(others.bf_insns, frames[i].b, n, n) != 0;

			assert_true(a != b);
			assert_true(!a || i < 2);
			assert_true(bpf_filter(program.bf_insns, frames[i].b, n, n) != 0);
		}
	assert_true(bpf_filter(in.bf_insns, frames[0].b, (unsigned)frames[0].n,
			       (unsigned)frames[0].n) == HEADS);
	pcap_freecode(&in);
	pcap_freecode(&others);
}

static void test_without_a_tunnel(void **state)
{
	struct bpf_program p;
	struct bytes b = frame(ip(QBT, VPN, P_UDP, udp(40000, 51820, wg_data(LONG, 5))));

	(void)state;
	assert_int_equal(filter_inside(&p, DLT_EN10MB, LINK, HEADS, 0, NULL, 0, NULL), 0);
	assert_int_equal(bpf_filter(p.bf_insns, b.b, (unsigned)b.n, (unsigned)b.n), BULK);
	pcap_freecode(&p);
}

static void test_what_is_no_endpoint(void **state)
{
	struct bpf_program p;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(filter_inside(&p, DLT_EN10MB, LINK, HEADS, IPPROTO_UDP, "x", 1, &err), -1);
	assert_non_null(strstr(err.text, "not an endpoint"));
	assert_int_equal(filter_inside(&p, DLT_EN10MB, LINK, HEADS, 99, VPN, 1, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_tunnel_is_cut_to_its_headers, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bulk_is_cut_behind_what_is_judged, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_everything_else_is_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_frame_falls_between, setup, teardown),
		cmocka_unit_test(test_names_and_marks_are_kept),
		cmocka_unit_test(test_without_a_tunnel),
		cmocka_unit_test(test_what_is_no_endpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
