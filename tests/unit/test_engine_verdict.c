// SPDX-License-Identifier: MIT
/* The verdict: which evidence outweighs which, and that silence never passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/verdict.h"

static struct evidence sound(void)
{
	return (struct evidence){
		.tunnel_before = 100, .needs_tunnel = true, .n_uplinks = 1, .n_controls = 6
	};
}

/* Also frees the evidence. */
static enum verdict decide(struct evidence *e)
{
	const char *reason = NULL;
	enum verdict v = verdict_decide(e, &reason);

	assert_non_null(reason);
	evidence_clear(e);
	return v;
}

static void test_sound_evidence_passes(void **state)
{
	struct evidence e = sound();

	(void)state;
	assert_int_equal(decide(&e), VERDICT_PASS);
}

static void test_nothing_at_all_is_no_pass(void **state)
{
	struct evidence e = { 0 };

	(void)state;
	assert_int_equal(decide(&e), VERDICT_INCONCLUSIVE);
}

static void test_a_leak_outweighs_everything(void **state)
{
	struct evidence e = sound();

	(void)state;
	e.leaks = 1;
	evidence_error(&e, "x");
	for (size_t d = 0; d < N_DOUBTS; d++)
		evidence_doubt(&e, (enum doubt)d, "y");
	assert_int_equal(decide(&e), VERDICT_LEAK);
}

static void test_every_doubt_is_inconclusive(void **state)
{
	(void)state;
	for (size_t d = 0; d < N_DOUBTS; d++) {
		struct evidence e = sound();

		evidence_doubt(&e, (enum doubt)d, "y");
		/* A broken promise must not hide that nothing can be concluded. */
		evidence_promise(&e, "late");
		assert_int_equal(decide(&e), VERDICT_INCONCLUSIVE);
	}
}

static void test_silence_is_inconclusive(void **state)
{
	struct evidence silent[] = { sound(), sound(), sound() };

	(void)state;
	silent[0].n_uplinks = 0;
	silent[1].n_controls = 0;
	silent[2].tunnel_before = 0;
	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		assert_int_equal(decide(&silent[i]), VERDICT_INCONCLUSIVE);
}

static void test_the_first_doubt_of_a_kind_is_told(void **state)
{
	struct evidence e = sound();
	const char *reason;

	(void)state;
	evidence_doubt(&e, DOUBT_TAP, "tap %s", "one");
	evidence_doubt(&e, DOUBT_TAP, "tap %s", "two");
	for (int i = 0; i < 20; i++)
		evidence_doubt(&e, DOUBT_PROBE, "probe %d", i);
	(void)verdict_decide(&e, &reason);
	assert_string_equal(reason, "tap one");
	assert_string_equal(e.doubts[DOUBT_PROBE], "probe 0");
	evidence_doubt(&e, DOUBT_INTERRUPTED, "interrupted");
	(void)verdict_decide(&e, &reason);
	assert_string_equal(reason, "interrupted");
	evidence_clear(&e);
}

static void test_no_tunnel_wanted_no_doubt(void **state)
{
	struct evidence e = sound();

	(void)state;
	e.needs_tunnel = false;
	e.tunnel_before = 0;
	assert_int_equal(decide(&e), VERDICT_PASS);
}

/* Captures of any origin: nobody forged a leak in them. */
static void test_no_controls_wanted_no_doubt(void **state)
{
	struct evidence e = sound();

	(void)state;
	e.n_controls = 0;
	e.no_controls = true;
	assert_int_equal(decide(&e), VERDICT_PASS);
	e = sound();
	e.no_controls = true;
	evidence_doubt(&e, DOUBT_CONTROL, "the policy names one, and it was missed");
	assert_int_equal(decide(&e), VERDICT_INCONCLUSIVE);
}

static void test_error_and_fail(void **state)
{
	struct evidence e = sound();
	const char *reason;

	(void)state;
	evidence_promise(&e, "recovery took 70 s");
	assert_int_equal(verdict_decide(&e, &reason), VERDICT_FAIL);
	evidence_error(&e, "the engine did not answer");
	assert_int_equal(decide(&e), VERDICT_ERROR);
}

static void test_controls_must_leak(void **state)
{
	(void)state;
	assert_true(verdict_as_expected(VERDICT_LEAK, true));
	assert_false(verdict_as_expected(VERDICT_PASS, true));
	assert_false(verdict_as_expected(VERDICT_INCONCLUSIVE, true));
	assert_true(verdict_as_expected(VERDICT_PASS, false));
	assert_false(verdict_as_expected(VERDICT_SKIPPED, false));
	assert_false(verdict_as_expected(VERDICT_FAIL, false));
	assert_false(verdict_as_expected(VERDICT_LEAK, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound_evidence_passes),
		cmocka_unit_test(test_nothing_at_all_is_no_pass),
		cmocka_unit_test(test_a_leak_outweighs_everything),
		cmocka_unit_test(test_every_doubt_is_inconclusive),
		cmocka_unit_test(test_silence_is_inconclusive),
		cmocka_unit_test(test_the_first_doubt_of_a_kind_is_told),
		cmocka_unit_test(test_no_tunnel_wanted_no_doubt),
		cmocka_unit_test(test_no_controls_wanted_no_doubt),
		cmocka_unit_test(test_error_and_fail),
		cmocka_unit_test(test_controls_must_leak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
