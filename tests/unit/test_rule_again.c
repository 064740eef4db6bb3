// SPDX-License-Identifier: MIT
/* The short way for the tunnel's data gives what the long way gives, whatever is different in the next frame. */
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

static struct both begin_both(const char *but)
{
	struct both b = both_but(but, true);

	assert_non_null(b.shortcut.j->again);
	assert_null(b.whole.j->again);
	return b;
}

static void show(struct both *b, const char *name, int64_t at, struct bytes frame, size_t kept)
{
	feed_both(b, name, LINK_ETHERNET, at, frame, kept);
}

static struct bytes data_out(size_t size)
{
	return out(ip(REAL, VPN, P_UDP, udp(41000, 51820, wg_data(size, 5))));
}

static struct bytes data_in(size_t size)
{
	return in(ip(VPN, REAL, P_UDP, udp(51820, 41000, wg_data(size, 6))));
}

static const struct again *found(const struct both *b, struct bytes f)
{
	size_t t = tap(&b->shortcut, "uplink");

	return again_find(&b->shortcut.j->again[t * AGAIN_SLOTS], LINK_ETHERNET, f.b, (uint32_t)f.n,
			  (uint32_t)f.n);
}

/* A nonce may be anywhere in a payload: then every frame is decoded. */
static void test_with_a_nonce(void **state)
{
	struct world w = lab();

	(void)state;
	assert_true(w.p->has_nonce);
	assert_null(w.j->again);
	end(&w);
}

/* It is taken at all: for another length and another counter, in both directions. */
static void test_the_short_way_is_taken(void **state)
{
	struct both b = begin_both(NULL);
	struct bytes other = data_out(640);

	(void)state;
	other.b[55]++;
	assert_null(found(&b, other));
	show(&b, "uplink", 0, data_out(64), data_out(64).n);
	assert_non_null(found(&b, other));
	assert_null(found(&b, data_in(0)));
	show(&b, "uplink", 1, data_in(64), data_in(64).n);
	assert_non_null(found(&b, data_in(0)));
	assert_true(found(&b, other)->out && !found(&b, data_in(0))->out);
	for (int i = 0; i < 9; i++) {
		show(&b, "uplink", i * 300 * MS, other, other.n);
		show(&b, "uplink", i * 300 * MS, data_in(0), data_in(0).n);
	}
	end_both(&b);
}

/* Any byte of the next frame is another one, and then the first frame comes again. */
static void every_byte(struct bytes first, uint8_t change)
{
	struct both b = begin_both(NULL);

	show(&b, "uplink", 0, first, first.n);
	for (size_t at = 0; at < first.n; at++) {
		struct bytes next = first;

		next.b[at] ^= change;
		show(&b, "uplink", 1, next, next.n);
		show(&b, "uplink", 2, first, first.n);
	}
	end_both(&b);
}

static void test_every_byte(void **state)
{
	static const uint8_t changes[] = { 0x01, 0x02, 0x04, 0x80, 0xff };

	(void)state;
	for (size_t c = 0; c < sizeof(changes); c++) {
		every_byte(data_out(64), changes[c]);
		every_byte(data_in(64), changes[c]);
	}
}

/* Of any length, captured as far as one likes. */
static void test_every_length(void **state)
{
	struct both b = begin_both(NULL);
	struct bytes first = data_out(64);

	(void)state;
	for (size_t n = 0; n <= first.n; n++) {
		struct bytes less = first;

		less.n = n;
		show(&b, "uplink", 0, first, first.n);
		show(&b, "uplink", 1, first, n);
		show(&b, "uplink", 2, less, n);
	}
	for (size_t size = 0; size < 700; size++) {
		show(&b, "uplink", 3, first, first.n);
		show(&b, "uplink", 4, data_out(size), data_out(size).n);
	}
	end_both(&b);
}

/* What is not this: a session that moved and came back, another one, a handshake, another tap, a tunnel of another kind. */
static void test_neighbours(void **state)
{
	struct both b = begin_both(NULL);
	struct bytes first = data_out(64);
	struct bytes moved = out(ip(REAL, VPN, P_UDP, udp(1024, 51820, wg_data(64, 5))));
	struct bytes other_session = out(ip(REAL, VPN, P_UDP, udp(41000, 51820, wg_data(64, 6))));
	struct bytes moved_with_it = out(ip(REAL, VPN, P_UDP, udp(1024, 51820, wg_data(64, 6))));
	struct bytes answer = in(
		ip(VPN, REAL, P_UDP, udp(51820, 41000, cat(hex("02000000"), fill(0x77, 88)))));

	(void)state;
	show(&b, "uplink", 0, first, first.n);
	show(&b, "uplink", 1, moved, moved.n);
	show(&b, "uplink", 2, first, first.n);
	show(&b, "uplink", 3, moved, moved.n);
	assert_int_equal(total_of(&b.shortcut, "tunnel-port-moved"), 3);
	show(&b, "uplink", 4, first, first.n);
	show(&b, "uplink", 4, other_session, other_session.n);
	show(&b, "uplink", 4, moved_with_it, moved_with_it.n);
	assert_int_equal(total_of(&b.shortcut, "tunnel-port-moved"), 5);
	for (int i = 0; i < 2; i++)
		show(&b, "uplink", 4, answer, answer.n);
	show(&b, "isp", 4, first, first.n);
	show(&b, "br-vpn", 5, first, first.n);
	show(&b, "isp", 6, first, first.n);
	end_both(&b);
	b = begin_both("{\"tunnels\": [{\"kind\": \"openvpn\", \"proto\": \"udp\", "
		       "\"endpoint\": \"198.51.100.2\", \"port\": 51820}]}");
	show(&b, "uplink", 0, first, first.n);
	show(&b, "uplink", 1, first, first.n);
	assert_null(found(&b, first));
	end_both(&b);
}

/* Another session that is not kept, for it comes behind a VLAN tag: the first one is then looked at whole again, so that it is
 * seen to move. */
static void test_a_session_between(void **state)
{
	struct both b = begin_both(NULL);
	struct bytes first = data_out(64);
	struct bytes other = vlan(out(ip(REAL, VPN, P_UDP, udp(41000, 51820, wg_data(64, 6)))));
	struct bytes moved = out(ip(REAL, VPN, P_UDP, udp(1024, 51820, wg_data(64, 5))));

	(void)state;
	show(&b, "uplink", 0, first, first.n);
	show(&b, "uplink", 1, other, other.n);
	assert_non_null(found(&b, first));
	show(&b, "uplink", 2, first, first.n);
	show(&b, "uplink", 3, moved, moved.n);
	assert_int_equal(total_of(&b.shortcut, "tunnel-port-moved"), 1);
	end_both(&b);
}

/* Frames that have something else where the short way looks for lengths and message. */
static void feed_odd(struct both *b, int linktype, const uint8_t *p, size_t n)
{
	struct world *const worlds[] = { &b->shortcut, &b->whole };

	for (size_t i = 0; i < 2; i++)
		judge_frame(worlds[i]->j, tap(worlds[i], "uplink"), ++worlds[i]->number, linktype,
			    p, (uint32_t)n, (uint32_t)n, START);
}

/* A frame of the tunnel's data, then one of another session, then the second session from another port: how often a
 * session moved tells whose index was read. */
static void odd_sessions(int linktype, uint8_t *p, size_t n, size_t port, size_t receiver)
{
	struct both b = begin_both(NULL);

	feed_odd(&b, linktype, p, n);
	p[receiver]++;
	feed_odd(&b, linktype, p, n);
	p[port]++;
	feed_odd(&b, linktype, p, n);
	assert_int_equal(total_of(&b.whole, "tunnel-port-moved"), 1);
	end_both(&b);
}

static void put_number(uint8_t *to, size_t v)
{
	to[0] = (uint8_t)(v >> 8);
	to[1] = (uint8_t)v;
}

/* Four bytes of options: UDP's length lies where a message's type would be, and the port where its length would be. */
static void test_ip_options(void **state)
{
	struct bytes f = data_out(1024 - 8 - 32);
	uint8_t p[2048];

	(void)state;
	memcpy(p, f.b, 34);
	memset(p + 34, 1, 4); /* no operation */
	memcpy(p + 38, f.b + 34, f.n - 34);
	p[14] = 0x46;
	put_number(p + 16, f.n - 10);
	put_number(p + 38, f.n + 4 - 34);
	p[44] = p[45] = 0;
	odd_sessions(LINK_ETHERNET, p, f.n + 4, 39, 50);
}

/* Behind a VLAN tag IP's length is read where the type of what follows is, which a jumbo frame may agree with. */
static void test_vlan(void **state)
{
	enum { SIZE = 0x0800 + 14 };
	struct bytes f = data_out(64);
	uint8_t p[SIZE];

	(void)state;
	memset(p, 0x11, sizeof(p));
	memcpy(p, f.b, 12);
	put_number(p + 12, 0x8100);
	put_number(p + 14, 7);
	memcpy(p + 16, f.b + 12, f.n - 12);
	put_number(p + 20, 20 + 0x400);
	put_number(p + 38, SIZE - 34); /* the port */
	put_number(p + 42, 0x400);     /* UDP's length, of which 4 reads as a message's type */
	put_number(p + 44, 0);
	odd_sessions(LINK_ETHERNET, p, sizeof(p), 39, 50);
}

/* A later fragment has no ports, whatever its bytes look like. */
static void test_later_fragment(void **state)
{
	struct both b = begin_both(NULL);
	struct bytes first = data_out(64), later = data_out(64);

	(void)state;
	put_number(first.b + 20, 0x2000);
	put_number(later.b + 20, 0x0009);
	show(&b, "uplink", 0, first, first.n);
	show(&b, "uplink", 0, later, later.n);
	show(&b, "uplink", 0, later, later.n);
	end_both(&b);
}

/* The same bytes as another link layer reads them. */
static void test_other_link(void **state)
{
	struct both b = begin_both(NULL);
	struct bytes first = data_out(64);

	(void)state;
	show(&b, "uplink", 0, first, first.n);
	feed_odd(&b, LINK_RAW, first.b, first.n);
	assert_memory_equal(counters(&b.shortcut, "uplink"), counters(&b.whole, "uplink"),
			    sizeof(struct judge_tap_counters));
	end_both(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_with_a_nonce),
		cmocka_unit_test(test_the_short_way_is_taken),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_a_session_between),
		cmocka_unit_test(test_ip_options),
		cmocka_unit_test(test_vlan),
		cmocka_unit_test(test_later_fragment),
		cmocka_unit_test(test_other_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
