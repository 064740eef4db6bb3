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

#include "golden/world.h"
#include "rule/judge_internal.h"

/* Two judges of one policy, of which one decodes everything. */
struct both {
	struct world shortcut, whole;
};

static struct both begin_both(const char *but)
{
	const struct judge_opts all = { .decode_all = true };
	struct both b = { .shortcut = { .p = policy_but("tests/golden/policy.json", but) },
			  .whole = { .p = policy_but("tests/golden/policy.json", but) } };

	b.shortcut.p->has_nonce = b.whole.p->has_nonce = false;
	b.shortcut.p->has_control_mac = b.whole.p->has_control_mac = false;
	begin(&b.shortcut, NULL);
	begin(&b.whole, &all);
	return b;
}

static void feed_both(struct both *b, const char *name, int linktype, int64_t at, struct bytes f,
		      size_t captured)
{
	struct world *const worlds[] = { &b->shortcut, &b->whole };

	for (size_t i = 0; i < 2; i++)
		judge_frame(worlds[i]->j, tap(worlds[i], name), ++worlds[i]->number, linktype, f.b,
			    (uint32_t)captured, (uint32_t)f.n, START + at);
	if (memcmp(counters(&b->shortcut, name), counters(&b->whole, name),
		   sizeof(struct judge_tap_counters)) != 0)
		fail_msg("%s, frame %llu: other counters", name,
			 (unsigned long long)b->whole.number);
}

static void at_exit(struct both *b, int64_t at, struct bytes packet)
{
	feed_both(b, "exit", LINK_RAW, at, packet, packet.n);
}

static void end_both(struct both *b)
{
	size_t n[2];
	const struct finding *f[2];

	judge_finish(b->shortcut.j);
	judge_finish(b->whole.j);
	f[0] = judge_findings(b->shortcut.j, &n[0]);
	f[1] = judge_findings(b->whole.j, &n[1]);
	assert_int_equal(n[0], n[1]);
	for (size_t i = 0; i < n[0]; i++) {
		assert_string_equal(f[0][i].sentence, f[1][i].sentence);
		assert_int_equal(f[0][i].frame, f[1][i].frame);
	}
	for (size_t t = 0; t < b->whole.p->n_taps; t++)
		assert_memory_equal(judge_counters(b->shortcut.j, t), judge_counters(b->whole.j, t),
				    sizeof(struct judge_tap_counters));
	assert_int_equal(judge_blocked(b->shortcut.j), judge_blocked(b->whole.j));
	end(&b->shortcut);
	end(&b->whole);
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

static void check_quiet(bool nonce, bool mac, const struct judge_opts *opts, bool want)
{
	struct world w = { .p = policy_but("tests/golden/policy.json", NULL) };

	w.p->has_nonce = nonce;
	w.p->has_control_mac = mac;
	begin(&w, opts);
	for (size_t t = 0; t < w.p->n_taps; t++)
		assert_int_equal(w.j->quiet[t], want && w.p->taps[t].role == TAP_EXIT);
	end(&w);
}

/* Where marks are looked for, everything is decoded; and where a rule asks of any packet, as on every tap but the exit. */
static void test_quiet_taps(void **state)
{
	const struct judge_opts all = { .decode_all = true };

	(void)state;
	check_quiet(false, false, NULL, true);
	check_quiet(true, false, NULL, false);
	check_quiet(false, true, NULL, false);
	check_quiet(false, false, &all, false);
}

/* ---- what passes ---- */

static void test_it_is_taken(void **state)
{
	struct both b = begin_both(NULL);
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

static void test_without_real_addresses(void **state)
{
	struct both b = begin_both("{\"real\": []}");

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
	struct both b = begin_both(NULL);
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
	struct both b = begin_both(NULL);
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
	struct both b = begin_both(NULL);
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

static void feed_as_exit(struct both *b, struct bytes f)
{
	struct bytes packet = slice(f, 14, f.n - 14);

	feed_both(b, "exit", LINK_ETHERNET, 0, f, f.n);
	feed_both(b, "exit", LINK_RAW, 0, packet, packet.n);
}

/* Each frame as it is, then with each of its bytes changed. */
static void vary(struct both *b, struct bytes f)
{
	feed_as_exit(b, f);
	for (size_t at = 14; at < f.n && at < 120; at++) {
		struct bytes other = f;

		other.b[at] ^= (uint8_t)(1U << at % 8);
		feed_as_exit(b, other);
	}
	feed_as_exit(b, f);
}

static void test_golden_frames(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t c = 0; c < sizeof(golden_cases) / sizeof(golden_cases[0]); c++) {
		struct both b = begin_both(NULL);
		struct golden g = { .n = 0 };

		golden_cases[c].build(&g);
		for (size_t i = 0; i < g.n; i++, n++)
			if (strcmp(g.f[i].tap, "exit") == 0)
				vary(&b, out(g.f[i].b));
			else if (g.f[i].b.n > 14)
				vary(&b, g.f[i].b);
		end_both(&b);
	}
	assert_true(n > 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quiet_taps),
		cmocka_unit_test(test_it_is_taken),
		cmocka_unit_test(test_without_real_addresses),
		cmocka_unit_test(test_text_in_noise),
		cmocka_unit_test(test_seams),
		cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_golden_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
