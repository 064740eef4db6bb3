// SPDX-License-Identifier: MIT
/* Text that goes on from one TCP segment to the next: what is put together, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "golden/world.h"
#include "rule/judge_internal.h"

static struct net_layer segment(uint16_t port, uint32_t seq, const char *payload)
{
	struct net_layer l = { .version = 4,
			       .proto = P_TCP,
			       .has_ports = true,
			       .sport = port,
			       .dport = 80,
			       .seq = seq,
			       .payload = (const uint8_t *)payload,
			       .payload_len = (uint32_t)strlen(payload),
			       .payload_wire = (uint32_t)strlen(payload) };

	assert_true(ipaddr_parse(TUN, &l.src) && ipaddr_parse(SINK, &l.dst));
	return l;
}

/* What is put together when l comes; "" for nothing. */
static const char *joined(struct seams *s, struct net_layer l)
{
	static char text[SEAM_MAX + 1];
	size_t at;
	size_t n = seam_join(s, &l, (uint8_t *)text, &at);

	text[n] = '\0';
	assert_true(n == 0 ? at == 0 : at < n);
	if (n)
		assert_memory_equal(text + at, l.payload, n - at);
	return text;
}

static void check_pair(struct net_layer first, struct net_layer second, const char *want)
{
	struct seams *s = seams_new();

	assert_string_equal(joined(s, first), "");
	assert_string_equal(joined(s, second), want);
	free(s);
}

static void test_two_segments(void **state)
{
	struct net_layer back = segment(40001, 15, "113.10");
	struct ipaddr src = back.src;

	(void)state;
	check_pair(segment(40001, 9, "203.0."), segment(40001, 15, "113.10 is"), "203.0.113.10 is");
	check_pair(segment(40001, 9, "203.0."), segment(40001, 16, "113.10"), "");
	check_pair(segment(40001, 9, "203.0."), segment(40001, 9, "113.10"), "");
	check_pair(segment(40001, 9, "203.0."), segment(40002, 15, "113.10"), "");
	back.src = back.dst;
	back.dst = src;
	back.sport = 80;
	back.dport = 40001;
	check_pair(segment(40001, 9, "203.0."), back, "");
}

/* Only what an address may be made of is worth remembering; the characters beside the digits in ASCII are not. */
static void test_characters_of_addresses(void **state)
{
	static const char yes[] = "0123456789abcdefABCDEF.:-,%";
	static const char no[] = "/;`g@G +_$&\x10\x1a\xff";

	(void)state;
	for (const char *c = yes; *c; c++) {
		const char one[] = { *c, '\0' };
		const char both[] = { *c, *c, '\0' };

		check_pair(segment(40001, 9, one), segment(40001, 10, one), both);
	}
	for (const char *c = no; *c; c++) {
		const char one[] = { *c, '\0' };

		check_pair(segment(40001, 9, one), segment(40001, 10, "1"), "");
		check_pair(segment(40001, 9, "1"), segment(40001, 10, one), "");
	}
}

/* Of long segments the last 44 bytes and the first 44 bytes: an IPv6 address fits across, wherever it is cut. */
static void test_long_segments(void **state)
{
	static const char tail[] = "01234567890123456789012345678901234567890123";
	static const char head[] = "abcdef0123abcdef0123abcdef0123abcdef0123abcd";
	_cleanup_free_ char *before = str_fmt("xyz%s", tail);
	_cleanup_free_ char *behind = str_fmt("%sxyz", head);
	_cleanup_free_ char *want = str_fmt("%s%s", tail, head);
	struct seams *s = seams_new();

	(void)state;
	assert_int_equal(strlen(tail), SEAM_MAX / 2);
	check_pair(segment(40001, 9, before), segment(40001, 56, behind), want);
	check_pair(segment(40001, 9, tail), segment(40001, 53, head), want);
	/* byte by byte, as a terminal sends: the window goes on */
	for (uint32_t i = 0; i < 100; i++) {
		const char one[] = { (char)('0' + i % 10), '\0' };
		const char *text = joined(s, segment(40001, i, one));

		assert_int_equal(strlen(text), i == 0 ? 0 : i < 44 ? i + 1 : 45);
		for (size_t k = 0; text[k]; k++)
			assert_int_equal(text[k], '0' + (i + 1 - strlen(text) + k) % 10);
	}
	free(s);
}

/* What was not captured whole has an end that nobody knows; what carries nothing changes nothing. */
static void test_what_is_not_joined(void **state)
{
	struct net_layer cut = segment(40001, 9, "203.0.");
	struct net_layer empty = segment(40001, 15, "");
	struct seams *s = seams_new();

	(void)state;
	cut.payload_wire++;
	check_pair(cut, segment(40001, 15, "113.10"), "");
	assert_string_equal(joined(s, segment(40001, 9, "203.0.")), "");
	assert_string_equal(joined(s, empty), "");
	assert_string_equal(joined(s, segment(40001, 15, "113.10")), "203.0.113.10");
	free(s);
}

/* Datagrams have no order that could be kept, and take no room from connections. */
static void test_datagrams_are_left_alone(void **state)
{
	struct seams *s = seams_new();

	(void)state;
	assert_string_equal(joined(s, segment(40001, 9, "203.0.")), "");
	for (uint16_t port = 1; port < 20000; port++) {
		struct net_layer l = segment(port, 0, "1.2");

		l.proto = P_UDP;
		assert_string_equal(joined(s, l), "");
	}
	assert_string_equal(joined(s, segment(40001, 15, "113.10")), "203.0.113.10");
	free(s);
}

/* Two segments of one connection: how often an address in text is found in them. */
static uint64_t found_in(const char *first, const char *second)
{
	struct world w = lab();
	uint64_t n;

	feed(&w, "exit", 0, ip(TUN, SINK, P_TCP, tcp(40001, 80, 9, F_ACK, text("%s", first))));
	feed(&w, "exit", 1,
	     ip(TUN, SINK, P_TCP,
		tcp(40001, 80, 9 + (uint32_t)strlen(first), F_ACK, text("%s", second))));
	n = total_of(&w, "real-address-text");
	end(&w);
	return n;
}

/* What stands before the seam tells of a text behind it, as far as it belongs to it. */
static void test_what_stands_before_the_seam(void **state)
{
	static const char full[] = "2001:0db8:0001:0000:0000:0000:0000:0010";
	_cleanup_free_ char *late = str_fmt("22%s.", full);
	_cleanup_free_ char *longer = str_fmt("22%s:5", full);

	(void)state;
	assert_int_equal(found_in("x%2", "2203.0.113.10 "), 1);
	assert_int_equal(found_in("x%", "22203.0.113.10 "), 1);
	assert_int_equal(found_in("x", "%22203.0.113.10 "), 1);
	assert_int_equal(found_in("x1", "22203.0.113.10 "), 0);
	assert_int_equal(found_in("at 5", ".203.0.113.10 "), 0);
	assert_int_equal(found_in("at 5.", "203.0.113.10 "), 0);
	assert_int_equal(found_in("at a.", "203.0.113.10 "), 1);
	assert_int_equal(found_in("at 203.0.113", ".10.5"), 0);
	assert_int_equal(found_in("at 203.0.113", ".10. 5"), 1);
	assert_int_equal(found_in("x%", late), 1);
	assert_int_equal(found_in("x%", longer), 0);
	assert_int_equal(found_in("[IPv6", ":2001:db8:1::10]"), 1);
	assert_int_equal(found_in("at 6", ":2001:db8:1::10]"), 0);
	assert_int_equal(found_in("PORT 203,", "0,113,10,195,80"), 1);
	assert_int_equal(found_in("5", " 203.0.113.10"), 1);
}

/* Without a real address to look for nothing is searched; a frame that nobody can read is no segment. */
static void test_the_exit_without_real_addresses(void **state)
{
	struct world w = lab_but("{\"real\":[]}");

	(void)state;
	feed(&w, "exit", 0,
	     ip(TUN, SINK, P_TCP, tcp(40001, 80, 9, F_ACK, text("at 203.0.113.10"))));
	feed(&w, "exit", 1, fill(0, 3));
	assert_int_equal(judge_findings_total(w.j), 0);
	end(&w);
	w = lab();
	feed(&w, "br-vpn", 0, from_qbt(1, 64, udp(1000, 9, fill(1, 50))));
	feed(&w, "exit", 1, fill(0, 3));
	assert_int_equal(counters(&w, "exit")->undecodable, 1);
	judge_finish(w.j);
	assert_int_equal(judge_blocked(w.j), 1);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_segments),
		cmocka_unit_test(test_characters_of_addresses),
		cmocka_unit_test(test_long_segments),
		cmocka_unit_test(test_what_is_not_joined),
		cmocka_unit_test(test_datagrams_are_left_alone),
		cmocka_unit_test(test_what_stands_before_the_seam),
		cmocka_unit_test(test_the_exit_without_real_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
