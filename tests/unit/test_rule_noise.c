// SPDX-License-Identifier: MIT
/* Noise at the tunnel's exit passes undecoded, and nothing is different for it: the short way is held to the long one. */
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

static void at_exit(struct both *b, int64_t at, struct bytes packet)
{
	feed_both(b, "exit", LINK_RAW, at, packet, packet.n);
}

static struct bytes segment(uint16_t port, uint32_t seq, struct bytes payload)
{
	return ip(TUN, SINK, P_TCP, tcp(port, 45001, seq, F_ACK | F_PSH, payload));
}

static struct bytes noise(size_t n)
{
	return fill(0x77, n);
}

/* The facts of the last frame that was decoded stay: was it that one? */
static bool was_decoded(const struct both *b, uint32_t len)
{
	return b->shortcut.j->facts.len == len;
}

/* ---- which taps ---- */

static void check_ways(const char *but, bool nonce, bool mac, const struct judge_opts *opts,
		       enum noise_way exit, enum noise_way outside)
{
	struct world w = { .p = policy_but("tests/golden/policy.json", but) };

	w.p->has_nonce = nonce;
	w.p->has_control_mac = mac;
	begin(&w, opts);
	for (size_t t = 0; t < w.p->n_taps; t++) {
		unsigned bit = TAP_BIT(w.p->taps[t].role);

		assert_int_equal(w.j->noise[t], bit & TAP_BIT(TAP_EXIT) ? exit
						: bit & TAPS_OUTSIDE	? outside
									: NOISE_DECODED);
	}
	end(&w);
}

/* Where marks are looked for, everything is decoded; and in a closed world all that leaves. */
static void test_taps(void **state)
{
	const struct judge_opts all = { .decode_all = true };
	const char *open = "{\"closed-world\": false}";

	(void)state;
	check_ways(NULL, false, false, NULL, NOISE_OF_EXIT, NOISE_DECODED);
	check_ways(open, false, false, NULL, NOISE_OF_EXIT, NOISE_OF_BYSTANDERS);
	check_ways(open, false, false, &all, NOISE_DECODED, NOISE_DECODED);
	check_ways(open, true, false, NULL, NOISE_DECODED, NOISE_DECODED);
	check_ways(open, false, true, NULL, NOISE_DECODED, NOISE_DECODED);
}

/* ---- what passes ---- */

static void test_it_is_taken(void **state)
{
	struct both b = both_unmarked(NULL);
	struct bytes other = ip(SINK, "198.51.100.9", P_UDP, udp(45000, 45001, noise(70)));
	struct bytes ours = ip(SINK, TUN, P_UDP, udp(45000, 45001, noise(80)));
	struct bytes cut;

	(void)state;
	at_exit(&b, 0, segment(1, 1, text("a %s", REAL)));
	assert_true(was_decoded(&b, (uint32_t)segment(1, 1, text("a %s", REAL)).n));
	at_exit(&b, 1, segment(45000, 9, noise(60)));
	at_exit(&b, 1, segment(45000, 69, noise(0)));
	at_exit(&b, 2, other);
	at_exit(&b, 3, ours);
	cut = cat(ours, fill(0, 20)); /* padding that was not captured */
	feed_both(&b, "exit", LINK_RAW, 4, cut, ours.n);
	assert_false(was_decoded(&b, 40) || was_decoded(&b, 100) || was_decoded(&b, 98) ||
		     was_decoded(&b, 108) || was_decoded(&b, 128));
	assert_int_equal(counters(&b.shortcut, "exit")->frames, 6);
	assert_int_equal(counters(&b.shortcut, "exit")->ours, 5);
	assert_int_equal(counters(&b.shortcut, "exit")->truncated, 1);
	assert_int_equal(total_of(&b.shortcut, "real-address-text"), 1);
	end_both(&b);
}

/* What comes from the real address tells it, whatever it carries; what goes to it does not. */
static void test_from_the_real_address(void **state)
{
	struct both b = both_unmarked(NULL);
	struct bytes from = ip(REAL, SINK, P_UDP, udp(45000, 45001, noise(70)));
	struct bytes to = ip(SINK, REAL, P_UDP, udp(45000, 45001, noise(80)));

	(void)state;
	at_exit(&b, 0, from);
	assert_true(was_decoded(&b, (uint32_t)from.n));
	at_exit(&b, 1, to);
	assert_false(was_decoded(&b, (uint32_t)to.n));
	assert_int_equal(total_of(&b.shortcut, "real-address-in-payload"), 1);
	end_both(&b);
}

static void test_without_real_addresses(void **state)
{
	struct both b = both_unmarked("{\"real\": []}");

	(void)state;
	assert_null(b.shortcut.j->identity);
	at_exit(&b, 0, segment(45000, 1, noise(60)));
	at_exit(&b, 0, segment(45000, 1, text("%s", REAL)));
	assert_false(was_decoded(&b, 100));
	end_both(&b);
}

/* An address in text in the middle of noise, at every place, and in two segments of it, cut at every place. */
static void test_text_in_noise(void **state)
{
	struct both b = both_unmarked(NULL);
	struct bytes real = text("%s", REAL);
	uint32_t seq = 1;

	(void)state;
	for (size_t at = 6; at < 80; at++) {
		at_exit(&b, 0, segment(45000, 1, cat(cat(noise(at), real), noise(20))));
		at_exit(&b, 0,
			ip(TUN, SINK, P_UDP,
			   udp(45000, 45001, cat(cat(noise(20 + at), real), noise(20)))));
	}
	assert_int_equal(total_of(&b.shortcut, "real-address-text"), 148);
	for (size_t cut = 1; cut < real.n; cut++) {
		at_exit(&b, 1, segment(45000, seq, cat(noise(40), slice(real, 0, cut))));
		seq += 40 + (uint32_t)cut;
		at_exit(&b, 1, segment(45002, seq, noise(40))); /* another flow between them */
		at_exit(&b, 1, segment(45000, seq, cat(slice(real, cut, real.n - cut), noise(40))));
		seq += 40 + (uint32_t)(real.n - cut);
	}
	assert_int_equal(total_of(&b.shortcut, "real-address-text"), 148 + real.n - 1);
	end_both(&b);
}

/* What ends in a digit is remembered, though it passed; what begins with one is decoded only where it may go on. */
static void test_seams(void **state)
{
	struct both b = both_unmarked(NULL);
	struct bytes first = cat(noise(40), text("203.0.")),
		     second = cat(text("113.10"), noise(41));

	(void)state;
	at_exit(&b, 0, segment(45000, 1, first));
	assert_false(was_decoded(&b, (uint32_t)segment(1, 1, first).n));
	at_exit(&b, 0, segment(45000, 48, second));
	assert_false(was_decoded(&b, (uint32_t)segment(1, 1, second).n));
	at_exit(&b, 0, segment(45000, 47, second));
	assert_true(was_decoded(&b, (uint32_t)segment(1, 1, second).n));
	assert_int_equal(total_of(&b.shortcut, "real-address-text"), 1);
	at_exit(&b, 0, ip(TUN, SINK, P_UDP, udp(45000, 45001, second)));
	end_both(&b);
}

/* What waits for its copy at the exit has to find it there. */
static void test_attempts(void **state)
{
	struct both b = both_unmarked(NULL);
	struct bytes p = ip4o(QBT, SINK, P_UDP, (struct ip_fields){ .id = 7, .ttl = 64 },
			      udp(45000, 45001, noise(60)));
	struct bytes q = ip4o(TUN, SINK, P_UDP, (struct ip_fields){ .id = 7, .ttl = 62 },
			      udp(45000, 45001, noise(60)));

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct bytes f = app(p);

		feed_both(&b, "br-vpn", LINK_ETHERNET, i * 5000 * MS, f, f.n);
		if (i != 1)
			at_exit(&b, i * 5000 * MS + MS, q);
	}
	judge_finish(b.shortcut.j);
	assert_int_equal(counters(&b.shortcut, "br-vpn")->attempts, 3);
	assert_int_equal(judge_blocked(b.shortcut.j), 1);
	end_both(&b);
}

/* ---- everything that the tests have ---- */

static void test_golden_frames(void **state)
{
	(void)state;
	assert_true(vary_golden(NULL, "exit") > 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taps),
		cmocka_unit_test(test_it_is_taken),
		cmocka_unit_test(test_from_the_real_address),
		cmocka_unit_test(test_without_real_addresses),
		cmocka_unit_test(test_text_in_noise),
		cmocka_unit_test(test_seams),
		cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_golden_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
