// SPDX-License-Identifier: MIT
/* Every file of tests/bad-scenarios is refused with the text of its .expect file: line, column, caret, word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/bad_files.h"
#include "unit/scenario_vocab.h"

static void refuse(const char *name, const char *text, size_t len, struct diag *d)
{
	struct scenario *s = NULL;
	struct err err = { 0 };

	assert_int_equal(scenario_parse(name, text, len, &toy_vocab, &s, d, &err), -1);
	assert_null(s);
	assert_int_equal(err.status, EXIT_USAGE);
}

static void test_every_bad_file_says_where_and_what(void **state)
{
	(void)state;
	assert_true(check_bad_files("tests/bad-scenarios", refuse) >= 60);
}

/* Cut at any byte, a good scenario is refused or is whole; never a crash, a hang or a leak. */
static void test_every_truncation_ends(void **state)
{
	static const char good[] = "name: a\nsummary: \"s\"\ntags: [x, y]\ntimeline:\n"
				   "  - up:\n    healthy: false\n  - start: udp\n    rate: 20\n"
				   "  - fault: net.partition\n    between: [a, b]\n    hold: 2s\n"
				   "  - wait: recovered\n    timeout: 3s\n  - down\n"
				   "expect: {leaks: must, kill-switch: 5s, recovery: 3s}\n";

	(void)state;
	for (size_t n = 0; n <= strlen(good); n++) {
		char *copy = malloc(n + 1);
		struct scenario *s = NULL;
		struct diag d = { 0 };

		assert_non_null(copy);
		memcpy(copy, good, n);
		copy[n] = '\0';
		if (scenario_parse("t", copy, n, &toy_vocab, &s, &d, NULL) < 0)
			assert_true(d.n > 0);
		if (n == strlen(good))
			assert_non_null(s);
		scenario_free(s);
		diag_free(&d);
		free(copy);
	}
}

static void test_brackets_by_the_hundred_thousand(void **state)
{
	size_t n = 900000;
	char *text = malloc(n + 1);
	struct scenario *s = NULL;
	struct diag d = { 0 };

	(void)state;
	assert_non_null(text);
	memset(text, '[', n);
	text[n] = '\0';
	assert_int_equal(scenario_parse("t", text, n, &toy_vocab, &s, &d, NULL), -1);
	assert_string_equal(d.items[0].text, "nested more than 16 deep");
	diag_free(&d);
	free(text);
}

static void test_too_large(void **state)
{
	size_t n = ((size_t)1 << 20) + 1;
	char *text = malloc(n + 1);
	struct scenario *s = NULL;
	struct diag d = { 0 };

	(void)state;
	assert_non_null(text);
	memset(text, '#', n);
	text[n] = '\0';
	assert_int_equal(scenario_parse("t", text, n, &toy_vocab, &s, &d, NULL), -1);
	assert_string_equal(d.items[0].text, "larger than 1024 KiB: no scenario");
	diag_free(&d);
	free(text);
}

static void test_many_mistakes_are_counted(void **state)
{
	char text[4096] = "name: x\nsummary: s\n";
	_cleanup_json_ json_t *j = NULL;
	struct scenario *s = NULL;
	struct diag d = { 0 };

	(void)state;
	for (int i = 0; i < 30; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "bad%d: 1\n", i);
	assert_int_equal(scenario_parse("t", text, strlen(text), &toy_vocab, &s, &d, NULL), -1);
	assert_int_equal(d.n, DIAG_MAX);
	assert_int_equal(d.total, 31); /* and the missing timeline */
	j = diag_to_json(&d);
	assert_int_equal(json_array_size(j), DIAG_MAX);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(j, 0), "line")), 3);
	diag_free(&d);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_bad_file_says_where_and_what),
		cmocka_unit_test(test_every_truncation_ends),
		cmocka_unit_test(test_brackets_by_the_hundred_thousand),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_many_mistakes_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
