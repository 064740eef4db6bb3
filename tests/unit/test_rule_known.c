// SPDX-License-Identifier: MIT
/* What the judge remembers of addresses and flows, and what it does when memory is out. */
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

/* ---- memory ---- */

#if defined(__SANITIZE_ADDRESS__)
#define FAILS 0 /* the sanitizer's own allocator answers */
#else
#define FAILS 1
extern void *__libc_calloc(size_t n, size_t size);
extern void __libc_free(void *p);
static int left = -1; /* calls that still get memory; -1: all */
static int held;      /* pieces given and not taken back */

void *calloc(size_t n, size_t size)
{
	if (left == 0)
		return NULL;
	left -= left > 0;
	held++;
	return __libc_calloc(n, size);
}

void free(void *p)
{
	held -= p != NULL;
	__libc_free(p);
}
#endif

#if FAILS
/* Whichever piece is refused: an error, no crash, nothing left behind, and no judge that lacks it. */
static void test_a_judge_is_whole_or_none(void **state)
{
	struct policy *p = policy_but("tests/golden/policy.json", NULL);
	int before;
	int n = 0;

	(void)state;
	for (struct judge *j = NULL; !j; n++) {
		struct err err = { 0 };

		before = held;
		left = n;
		j = judge_new(p, NULL, &err);
		left = -1;
		if (!j) {
			assert_int_equal(err.status, EXIT_ENVIRONMENT);
			assert_string_equal(err.text, "out of memory");
		}
		judge_free(j);
		assert_int_equal(held, before);
	}
	assert_true(n > 30);
	policy_free(p);
}

static int no_frame(void *arg, const struct capfile_frame **f, struct err *err)
{
	(void)arg;
	(void)f;
	(void)err;
	return 0;
}

static void test_a_run_without_memory_is_an_error(void **state)
{
	struct world w = lab();
	struct judge_source source = { .next = no_frame };
	struct err err = { 0 };
	int rc;

	(void)state;
	left = 0;
	rc = judge_run(w.j, &source, 1, &err);
	left = -1;
	assert_int_equal(rc, -1);
	assert_int_equal(err.status, EXIT_ENVIRONMENT);
	assert_int_equal(judge_run(w.j, &source, 1, &err), 0);
	end(&w);
}
#endif

/* ---- addresses ---- */

static struct ipaddr address(const char *text)
{
	struct ipaddr a;

	assert_true(ipaddr_parse(text, &a));
	return a;
}

static void test_what_addresses_are(void **state)
{
	static const struct {
		const char *text;
		uint32_t is;
	} rows[] = {
		{ "203.0.113.10", ADDR_REAL | ADDR_PUBLIC },
		{ "2001:db8:1::10", ADDR_REAL | ADDR_PUBLIC },
		{ "10.64.0.2", ADDR_TUNNEL | ADDR_PRIVATE },
		{ "172.30.0.200", ADDR_INSIDE | ADDR_PRIVATE },
		{ "172.30.0.130", ADDR_INSIDE | ADDR_PRIVATE },
		{ "172.31.0.2", ADDR_INSIDE | ADDR_GATEWAY | ADDR_PRIVATE },
		{ "198.51.100.2", ADDR_ENDPOINT | ADDR_PUBLIC },
		{ "198.51.100.140", ADDR_CANARY | ADDR_PUBLIC },
		{ "198.51.100.141", ADDR_PUBLIC },
		{ "172.32.0.1", ADDR_PUBLIC },
		{ "192.168.1.1", ADDR_PRIVATE },
		{ "127.0.0.53", ADDR_LOOPBACK },
		{ "224.0.0.251", ADDR_MULTICAST },
		{ "fe80::1", ADDR_LINK_LOCAL },
		/* of canaries without a destination it is none; nor of a leg whose address is not known */
		{ "::", ADDR_NONE | ADDR_CANARY },
	};
	struct world w = lab_but(
		"{\"services\":[{\"name\":\"qbittorrent\",\"role\":\"protected\","
		"\"legs\":[{\"addr\":\"172.30.0.130\"},{\"network\":\"vpn\"}]},"
		"{\"name\":\"gluetun\",\"role\":\"gateway\",\"legs\":"
		"[{\"addr\":\"172.31.0.2\"},{\"network\":\"vpn\"}]}],\"allow\":[],"
		"\"published\":[],\"taps\":[{\"name\":\"uplink\",\"role\":\"uplink\"}],"
		"\"canaries\":[{\"id\":1,\"service\":\"qbittorrent\",\"probe\":\"u\"},"
		"{\"id\":3,\"service\":\"qbittorrent\",\"probe\":\"tcp\",\"dest\":"
		"\"198.51.100.140\"}]}");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ipaddr a = address(rows[i].text);

		if (judge_addr(w.j, &a)->is != (rows[i].is | ADDR_KNOWN))
			fail_msg("%s is %x", rows[i].text, judge_addr(w.j, &a)->is);
	}
	end(&w);
}

/* Apps in the namespace of the gateway have its address: the first that the policy names is the owner. */
static void test_a_shared_address_has_one_owner(void **state)
{
	struct world w = lab_but(
		"{\"services\":[{\"name\":\"qbittorrent\",\"role\":\"protected\","
		"\"legs\":[{\"addr\":\"172.30.0.3\"}]},{\"name\":\"sonarr\",\"role\":"
		"\"protected\",\"legs\":[{\"addr\":\"172.30.0.4\"},{\"addr\":\"172.30.0.3\"}]},"
		"{\"name\":\"gluetun\",\"role\":\"gateway\",\"legs\":"
		"[{\"addr\":\"172.30.0.4\"},{\"addr\":\"172.30.0.3\"}]}],\"allow\":[],"
		"\"published\":[],\"canaries\":[],\"controls\":[],"
		"\"taps\":[{\"name\":\"uplink\",\"role\":\"uplink\"}]}");
	struct ipaddr a = address("172.30.0.3");
	struct ipaddr b = address("172.30.0.4");
	struct ipaddr c = address("172.30.0.5");

	(void)state;
	assert_int_equal(judge_addr(w.j, &a)->service, 0);
	assert_int_equal(judge_addr(w.j, &b)->service, 1);
	assert_int_equal(judge_addr(w.j, &c)->service, -1);
	assert_true(judge_addr_is(w.j, &a, ADDR_GATEWAY) && judge_addr_is(w.j, &b, ADDR_GATEWAY));
	assert_false(judge_addr_is(w.j, &c, ADDR_GATEWAY));
	end(&w);
}

/* Two addresses that share a slot take turns in it, and keep apart. */
static void test_addresses_of_one_slot(void **state)
{
	struct world w = lab();
	struct ipaddr ours = address("203.0.113.10");
	const struct known_addr *slot = judge_addr(w.j, &ours);
	struct ipaddr other = ours;
	char text[IPADDR_TEXT];

	(void)state;
	for (uint32_t i = 0; i < 1U << 20; i++) {
		uint8_t b[4] = { 198, (uint8_t)(18 | i >> 16), (uint8_t)(i >> 8), (uint8_t)i };

		other = ipaddr_v4(b);
		if (judge_addr(w.j, &other) == slot)
			break;
	}
	for (int turn = 0; turn < 2; turn++) {
		assert_ptr_equal(judge_addr(w.j, &other), slot);
		assert_false(judge_addr_is(w.j, &other, ADDR_REAL));
		assert_true(judge_addr_is(w.j, &ours, ADDR_REAL));
		assert_ptr_equal(judge_addr(w.j, &ours), slot);
	}
	for (int turn = 0; turn < 3; turn++) {
		feed(&w, "exit", turn,
		     ip(ipaddr_format(&other, text, sizeof(text)), SINK, P_UDP,
			udp(1, 2, fill(1, 9))));
		feed(&w, "exit", turn, ip(REAL, SINK, P_UDP, udp(1, 2, fill(1, 9))));
	}
	assert_int_equal(counters(&w, "exit")->ours, 3);
	end(&w);
}

/* ---- flows ---- */

static struct net_layer flow_layer(uint16_t port, uint8_t proto, uint8_t flags)
{
	struct net_layer l = { .version = 4,
			       .proto = proto,
			       .has_ports = true,
			       .sport = port,
			       .dport = 9,
			       .tcp_flags = flags };

	l.src = address(REAL);
	l.dst = address(SINK);
	return l;
}

static void test_a_flow_begins(void **state)
{
	static const struct {
		uint8_t proto, flags;
		bool started;
	} rows[] = { { P_TCP, F_SYN, true },  { P_TCP, F_SYN | F_ACK, true },
		     { P_TCP, F_ACK, false }, { P_TCP, F_RST, false },
		     { P_UDP, 0, true },      { P_ICMP, 0, true } };
	struct flow_table *t = calloc(1, sizeof(*t));

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct net_layer l = flow_layer((uint16_t)(100 + i), rows[i].proto, rows[i].flags);
		struct flow *f = flow_touch(t, &l, i % 2 ? DIR_IN : DIR_OUT);

		assert_int_equal(f->started, rows[i].started);
		assert_int_equal(f->inbound, i % 2);
		assert_int_equal(f->service, -1);
		/* what follows changes neither */
		l.tcp_flags = F_ACK;
		f = flow_touch(t, &l, i % 2 ? DIR_OUT : DIR_IN);
		assert_int_equal(f->started, rows[i].started);
		assert_int_equal(f->inbound, i % 2);
	}
	free(t);
}

/* Ports are used again: a SYN opens another connection, and forgets what the last one was; its answer does not. */
static void test_a_syn_opens_another_connection(void **state)
{
	struct flow_table *t = calloc(1, sizeof(*t));
	struct net_layer syn = flow_layer(100, P_TCP, F_SYN);
	struct net_layer answer = flow_layer(100, P_TCP, F_SYN | F_ACK);
	struct net_layer data = flow_layer(100, P_TCP, F_ACK);

	(void)state;
	flow_touch(t, &data, DIR_IN)->service = 3;
	assert_int_equal(flow_touch(t, &answer, DIR_OUT)->service, 3);
	assert_int_equal(flow_touch(t, &syn, DIR_OUT)->service, -1);
	assert_false(flow_touch(t, &data, DIR_IN)->inbound);
	free(t);
}

/* Five flows of one set: the one that was not used for the longest time is forgotten. */
static void test_the_flow_used_last_stays(void **state)
{
	struct flow_table *t = calloc(1, sizeof(*t));
	struct net_layer l[FLOW_WAYS + 1];
	size_t n = 0;

	(void)state;
	for (uint32_t port = 1; n < FLOW_WAYS + 1; port++) {
		l[n] = flow_layer((uint16_t)port, P_TCP, F_ACK);
		if (net_layer_pair(&l[n]) % FLOW_SETS == net_layer_pair(&l[0]) % FLOW_SETS)
			n++;
	}
	for (int32_t i = 0; i < FLOW_WAYS; i++)
		flow_touch(t, &l[i], DIR_OUT)->service = i;
	assert_int_equal(flow_touch(t, &l[0], DIR_OUT)->service, 0);
	assert_int_equal(flow_touch(t, &l[2], DIR_OUT)->service, 2);
	assert_int_equal(flow_touch(t, &l[FLOW_WAYS], DIR_OUT)->service, -1); /* l[1] goes */
	for (int32_t i = 0; i < FLOW_WAYS; i++)
		if (i != 1)
			assert_int_equal(flow_touch(t, &l[i], DIR_OUT)->service, i);
	assert_int_equal(flow_touch(t, &l[1], DIR_OUT)->service, -1);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#if FAILS
		cmocka_unit_test(test_a_judge_is_whole_or_none),
		cmocka_unit_test(test_a_run_without_memory_is_an_error),
#endif
		cmocka_unit_test(test_what_addresses_are),
		cmocka_unit_test(test_a_shared_address_has_one_owner),
		cmocka_unit_test(test_addresses_of_one_slot),
		cmocka_unit_test(test_a_flow_begins),
		cmocka_unit_test(test_a_syn_opens_another_connection),
		cmocka_unit_test(test_the_flow_used_last_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
