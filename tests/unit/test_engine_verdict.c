// SPDX-License-Identifier: MIT
/* The verdict: which evidence outweighs which, and that silence never passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/verdict.h"

static const struct evidence sound = {
	.tunnel_before = 100, .needs_tunnel = true, .n_taps = 4, .n_controls = 6
};

static enum verdict decide(const struct evidence *e)
{
	const char *reason = NULL;
	enum verdict v = verdict_decide(e, &reason);

	assert_non_null(reason);
	return v;
}

static void test_sound_evidence_passes(void **state)
{
	(void)state;
	assert_int_equal(decide(&sound), VERDICT_PASS);
}

static void test_a_leak_outweighs_everything(void **state)
{
	struct evidence e = sound;

	(void)state;
	e.leaks = 1;
	e.harness_error = "x";
	e.unsound_tap = "y";
	e.interrupted = true;
	assert_int_equal(decide(&e), VERDICT_LEAK);
}

static void test_every_doubt_is_inconclusive(void **state)
{
	struct evidence doubts[] = {
		sound, sound, sound, sound, sound, sound, sound, sound, sound
	};

	(void)state;
	doubts[0].interrupted = true;
	doubts[1].lost_evidence = "disk full";
	doubts[2].n_taps = 0;
	doubts[3].unsound_tap = "uplink dropped";
	doubts[4].n_controls = 0;
	doubts[5].missed_control = "uplink/plaintext-dns";
	doubts[6].clock_step = "1 s";
	doubts[7].unconfirmed = "vpn.process-kill";
	doubts[8].tunnel_before = 0;
	for (size_t i = 0; i < sizeof(doubts) / sizeof(doubts[0]); i++) {
		/* A broken promise must not hide that nothing can be concluded. */
		doubts[i].broken_promise = "late";
		assert_int_equal(decide(&doubts[i]), VERDICT_INCONCLUSIVE);
	}
}

static void test_no_tunnel_wanted_no_doubt(void **state)
{
	struct evidence e = sound;

	(void)state;
	e.needs_tunnel = false;
	e.tunnel_before = 0;
	assert_int_equal(decide(&e), VERDICT_PASS);
}

static void test_error_and_fail(void **state)
{
	struct evidence e = sound;

	(void)state;
	e.broken_promise = "recovery took 70 s";
	assert_int_equal(decide(&e), VERDICT_FAIL);
	e.harness_error = "the engine did not answer";
	assert_int_equal(decide(&e), VERDICT_ERROR);
}

static void test_controls_must_leak(void **state)
{
	(void)state;
	assert_true(verdict_as_expected(VERDICT_LEAK, true));
	assert_false(verdict_as_expected(VERDICT_PASS, true));
	assert_false(verdict_as_expected(VERDICT_INCONCLUSIVE, true));
	assert_true(verdict_as_expected(VERDICT_PASS, false));
	assert_false(verdict_as_expected(VERDICT_FAIL, false));
	assert_false(verdict_as_expected(VERDICT_LEAK, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound_evidence_passes),
		cmocka_unit_test(test_a_leak_outweighs_everything),
		cmocka_unit_test(test_every_doubt_is_inconclusive),
		cmocka_unit_test(test_no_tunnel_wanted_no_doubt),
		cmocka_unit_test(test_error_and_fail),
		cmocka_unit_test(test_controls_must_leak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
