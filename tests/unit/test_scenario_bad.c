// SPDX-License-Identifier: MIT
/* Every file of tests/bad-scenarios is refused with the text of its .expect file: line, column, caret, word.
 * LEAKPROOF_REFRESH=1 rewrites the .expect files; look at the difference before keeping it. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "unit/scenario_vocab.h"

#define DIR_BAD "tests/bad-scenarios"

/* What `leakproof check` would print, with the bare file name. */
static char *refuse(const char *name)
{
	_cleanup_free_ char *path = str_fmt("%s/%s", DIR_BAD, name);
	struct scenario *s = NULL;
	struct err err = { 0 };
	struct diag d = { 0 };
	char *out = NULL;
	size_t n = 0;
	FILE *f;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;

	text = fs_read(path, (size_t)2 << 20, &len, &err);
	assert_non_null(text);
	assert_int_equal(scenario_parse(name, text, len, &toy_vocab, &s, &d, &err), -1);
	assert_null(s);
	assert_int_equal(err.status, EXIT_USAGE);
	assert_true(d.n > 0);
	f = open_memstream(&out, &n);
	assert_non_null(f);
	diag_print(&d, f, false);
	assert_int_equal(fclose(f), 0);
	diag_free(&d);
	return out;
}

static void check_one(const char *name)
{
	_cleanup_free_ char *got = refuse(name);
	_cleanup_free_ char *path = str_fmt("%s/%.*s.expect", DIR_BAD,
					    (int)(strlen(name) - strlen(".yaml")), name);
	_cleanup_free_ char *want = NULL;

	if (getenv("LEAKPROOF_REFRESH"))
		assert_int_equal(fs_write(path, got, strlen(got), 0644, NULL), 0);
	want = fs_read(path, 65536, NULL, NULL);
	if (!want)
		fail_msg("%s: no .expect file", name);
	assert_string_equal(got, want);
}

static void test_every_bad_file_says_where_and_what(void **state)
{
	_cleanup_closedir_ DIR *dir = opendir(DIR_BAD);
	const struct dirent *e;
	size_t n = 0;

	(void)state;
	assert_non_null(dir);
	while ((e = readdir(dir))) {
		const char *dot = strrchr(e->d_name, '.');

		if (!dot || strcmp(dot, ".yaml") != 0)
			continue;
		check_one(e->d_name);
		n++;
	}
	assert_true(n >= 60);
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
