// SPDX-License-Identifier: MIT
/* The result model: names, building, and its JSON form both ways. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "report/sample.h"
#include "result/result.h"
#include "result/utf8.h"

static void test_verdict_names_go_both_ways(void **state)
{
	enum verdict v = VERDICT_PASS;

	(void)state;
	for (int i = VERDICT_PASS; i <= VERDICT_LEAK; i++) {
		assert_int_equal(verdict_parse(verdict_name((enum verdict)i), &v), 0);
		assert_int_equal(v, i);
	}
	v = VERDICT_FAIL;
	assert_int_equal(verdict_parse("Pass", &v), -1);
	assert_int_equal(verdict_parse("", &v), -1);
	assert_int_equal(v, VERDICT_FAIL);
}

static struct result *over_text(const struct result *r, struct err *err)
{
	_cleanup_json_ json_t *j = result_to_json(r);
	_cleanup_free_ char *text = json_dumps(j, 0);
	_cleanup_json_ json_t *back = NULL;

	assert_non_null(text);
	back = json_loads(text, 0, NULL);
	assert_non_null(back);
	return result_from_json(back, err);
}

static void test_everything_survives_the_round_trip(void **state)
{
	struct result *r = sample_result(), *once, *twice;
	_cleanup_json_ json_t *a = NULL;
	_cleanup_json_ json_t *b = NULL;
	struct err err = { 0 };

	(void)state;
	once = over_text(r, &err);
	assert_non_null(once);
	assert_string_equal(err.text, "");
	twice = over_text(once, &err);
	a = result_to_json(once);
	b = result_to_json(twice);
	assert_true(json_equal(a, b));
	assert_int_equal(once->n_scenarios, r->n_scenarios);
	assert_true(once->seed == r->seed);
	for (size_t i = 0; i < r->n_scenarios; i++) {
		const struct result_scenario *x = &r->scenarios[i], *y = &once->scenarios[i];

		assert_true(x->begin == y->begin && x->end == y->end);
		assert_int_equal(x->verdict, y->verdict);
		assert_int_equal(x->line, y->line);
		assert_int_equal(x->n_findings, y->n_findings);
		assert_int_equal(x->findings_total, y->findings_total);
		for (size_t k = 0; k < x->n_measures; k++) {
			assert_true(x->measures[k].value == y->measures[k].value);
			assert_true(x->measures[k].bound == y->measures[k].bound);
		}
		for (size_t k = 0; k < x->n_series; k++)
			for (size_t n = 0; n < x->series[k].count; n++) {
				double p = x->series[k].values[n], q = y->series[k].values[n];

				assert_true(p == q || (isnan(p) && isnan(q)));
			}
	}
	result_free(r);
	result_free(once);
	result_free(twice);
}

static void test_nanoseconds_are_exact(void **state)
{
	struct result *r = sample_result(), *back;

	(void)state;
	r->begin = INT64_C(1795503416233404597);
	back = over_text(r, NULL);
	assert_true(back->begin == INT64_C(1795503416233404597));
	result_free(r);
	result_free(back);
}

static void test_bytes_that_are_no_utf8_are_shown(void **state)
{
	struct result *r = sample_result(), *back;

	(void)state;
	free(r->sentence);
	r->sentence = str_fmt("caf\xc3\xa9 \xff\xc0\xaf \xed\xa0\x80 end");
	back = over_text(r, NULL);
	assert_string_equal(back->sentence, "caf\xc3\xa9 \\xff\\xc0\\xaf \\xed\\xa0\\x80 end");
	result_free(r);
	result_free(back);
}

static void test_unknown_keys_are_ignored(void **state)
{
	struct result *r = sample_result(), *back;
	_cleanup_json_ json_t *j = result_to_json(r);

	(void)state;
	(void)json_object_set_new(j, "of-a-later-version", json_true());
	(void)json_object_set_new(json_array_get(json_object_get(j, "scenarios"), 0), "new",
				  json_null());
	back = result_from_json(j, NULL);
	assert_non_null(back);
	result_free(r);
	result_free(back);
}

/* Put `value` (reference is taken) in place of a key of the first scenario; the message must name it. */
static void refuses(const char *key, json_t *value, const char *says)
{
	struct result *r = sample_result();
	_cleanup_json_ json_t *j = result_to_json(r);
	json_t *s = json_array_get(json_object_get(j, "scenarios"), 0);
	struct err err = { 0 };

	if (value)
		(void)json_object_set_new(s, key, value);
	else
		(void)json_object_del(s, key);
	assert_null(result_from_json(j, &err));
	assert_int_equal(err.status, EXIT_USAGE);
	if (!strstr(err.text, says) || !strstr(err.text, "scenarios[0]"))
		fail_msg("%s: \"%s\" says nothing of \"%s\"", key, err.text, says);
	result_free(r);
}

static void test_wrong_values_are_refused_by_name(void **state)
{
	(void)state;
	refuses("name", NULL, "`name`: a value");
	refuses("name", json_integer(1), "`name`: a text");
	refuses("verdict", json_string("fine"), "`verdict`: a verdict");
	refuses("verdict", json_null(), "`verdict`: a verdict");
	refuses("begin", json_real(1.5), "`begin`: a whole number");
	refuses("line", json_integer(-1), "`line`");
	refuses("line", json_integer(INT64_C(1) << 33), "`line`");
	refuses("blocked", json_integer(-1), "`blocked`");
	refuses("blocked", json_string("18446744073709551616"), "`blocked`");
	refuses("blocked", json_string("12x"), "`blocked`");
	refuses("blocked", json_string("-1"), "`blocked`");
	refuses("must_leak", json_integer(1), "`must_leak`: true or false");
	refuses("taps", json_object(), "`taps`: a list");
	refuses("taps", json_pack("[s]", "x"), "taps[0]");
	refuses("series",
		json_pack("[{s:s,s:s,s:i,s:i,s:[s]}]", "name", "a", "unit", "b", "start", 0, "bin",
			  1, "values", "x"),
		"`values`: a list of numbers");
}

static void test_a_result_is_an_object(void **state)
{
	_cleanup_json_ json_t *j = json_array();
	struct err err = { 0 };

	(void)state;
	assert_null(result_from_json(j, &err));
	assert_int_equal(err.status, EXIT_USAGE);
}

static void test_findings_are_capped_and_counted(void **state)
{
	struct result *r = result_new();
	struct result_scenario *s = result_add_scenario(r);

	(void)state;
	for (size_t i = 0; i < RESULT_FINDINGS_MAX; i++)
		assert_non_null(result_add_finding(s));
	assert_null(result_add_finding(s));
	assert_int_equal(s->n_findings, RESULT_FINDINGS_MAX);
	assert_int_equal(s->findings_total, RESULT_FINDINGS_MAX + 1);
	result_free(r);
	result_free(NULL);
}

static void test_sealing_leaves_no_null(void **state)
{
	struct result *r = result_new();
	struct result_scenario *s = result_add_scenario(r);

	(void)state;
	(void)result_add_finding(s);
	(void)result_add_measure(s);
	result_seal(r);
	assert_string_equal(r->sentence, "");
	assert_string_equal(r->scenarios[0].findings[0].packet, "");
	assert_true(r->scenarios[0].measures[0].bound == RESULT_NONE);
	result_free(r);
}

static void test_utf8_decoding_knows_the_traps(void **state)
{
	static const char *const bad[] = { "\x80",
					   "\xc0\x80",
					   "\xc1\xbf",
					   "\xe0\x80\x80",
					   "\xed\xa0\x80",
					   "\xf0\x80\x80\x80",
					   "\xf4\x90\x80\x80",
					   "\xf8\x88\x80\x80\x80",
					   "\xe2\x82",
					   "\xff" };
	uint32_t c = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(utf8_decode(bad[i], &c), 0);
	assert_int_equal(utf8_decode("", &c), 0);
	assert_int_equal(utf8_decode("\xf4\x8f\xbf\xbf", &c), 4);
	assert_int_equal(c, 0x10ffff);
	assert_int_equal(utf8_decode("\xe2\x82\xac", &c), 3);
	assert_int_equal(c, 0x20ac);
}

static void test_printable_text_has_no_controls(void **state)
{
	char *s = utf8_printable("a\x1b[31m\n\x7f\xc2\x9b"
				 "b\xe2\x80\xae"
				 "c\xc3\xa4\xff");

	(void)state;
	assert_string_equal(s, "a\\x1b[31m\\x0a\\x7f\\x9bb\\u202ec\xc3\xa4\\xff");
	free(s);
	s = utf8_printable(NULL);
	assert_string_equal(s, "");
	free(s);
	assert_int_equal(utf8_length("\xc3\xa4\xe2\x82\xac"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdict_names_go_both_ways),
		cmocka_unit_test(test_everything_survives_the_round_trip),
		cmocka_unit_test(test_nanoseconds_are_exact),
		cmocka_unit_test(test_bytes_that_are_no_utf8_are_shown),
		cmocka_unit_test(test_unknown_keys_are_ignored),
		cmocka_unit_test(test_wrong_values_are_refused_by_name),
		cmocka_unit_test(test_a_result_is_an_object),
		cmocka_unit_test(test_findings_are_capped_and_counted),
		cmocka_unit_test(test_sealing_leaves_no_null),
		cmocka_unit_test(test_utf8_decoding_knows_the_traps),
		cmocka_unit_test(test_printable_text_has_no_controls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
