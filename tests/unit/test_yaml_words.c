/* SPDX-License-Identifier: MIT */
/* The reader of YAML at its limits, and how a mistake is shown: the line, the caret, the nearest word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "exact.h"
#include "unit/bad_files.h"
#include "yaml/value.h"
#include "yaml/walk.h"

/* ---- a mistake ---- */

static void expect_shown(const char *source, unsigned column, const char *want)
{
	struct diag d = { 0 };
	_cleanup_free_ char *got = NULL;

	assert_int_equal(diag_add(&d, "f", source, 1, column, NULL, "no"), -1);
	got = diag_text(&d);
	assert_string_equal(got, want);
	diag_free(&d);
}

static void test_the_caret(void **state)
{
	(void)state;
	expect_shown("ab: c", 5, "f:1:5: error: no\n    ab: c\n        ^\n");
	expect_shown("\tb: c", 3, "f:1:3: error: no\n    \tb: c\n    \t ^\n");
	expect_shown("\xc3\xa9\xc3\xa9: c", 4,
		     "f:1:4: error: no\n    \xc3\xa9\xc3\xa9: c\n       ^\n");
	expect_shown("ab", 5, "f:1:5: error: no\n    ab\n        ^\n"); /* behind the end */
	expect_shown("a\x01"
		     "b\x7f"
		     "c\t",
		     1, "f:1:1: error: no\n    a?b?c\t\n    ^\n");
}

/* Of a long line only the piece around the caret is shown, and no half characters. */
static void test_long_lines(void **state)
{
	char line[400], want[600], dots[128];

	(void)state;
	memset(line, 'x', sizeof(line));
	line[150] = '\0';
	memset(dots, ' ', sizeof(dots));
	(void)snprintf(want, sizeof(want), "f:1:100: error: no\n    %s\n    %.99s^\n", line, dots);
	expect_shown(line, 100, want);
	line[120] = '\0';
	(void)snprintf(want, sizeof(want), "f:1:101: error: no\n    ...%s\n    %.52s^\n", line + 51,
		       dots);
	expect_shown(line, 101, want);
	memset(line, 'x', sizeof(line));
	memcpy(line + 159, "\xc3\xa9", 3);
	(void)snprintf(want, sizeof(want), "f:1:1: error: no\n    %.159s\n    ^\n", line);
	expect_shown(line, 1, want);
}

static void test_mistakes_of_a_whole_file(void **state)
{
	struct diag d = { 0 };
	_cleanup_free_ char *got = NULL;
	_cleanup_json_ json_t *j = NULL;

	(void)state;
	(void)diag_add(&d, "f", "a line", 0, 0, NULL, "empty");
	assert_null(d.items[0].source);
	(void)diag_add(&d, "f", NULL, 2, 3, "word", "no text");
	got = diag_text(&d);
	assert_string_equal(got, "f: error: empty\nf:2:3: error: no text; did you mean `word`?\n");
	j = diag_to_json(&d);
	assert_string_equal(json_string_value(json_object_get(json_array_get(j, 1), "file")), "f");
	assert_string_equal(json_string_value(json_object_get(json_array_get(j, 1), "suggestion")),
			    "word");
	diag_free(&d);
}

static void test_more_than_are_shown(void **state)
{
	(void)state;
	for (int n = DIAG_MAX; n <= DIAG_MAX + 2; n += 2) {
		struct diag d = { 0 };
		_cleanup_free_ char *got = NULL;

		for (int i = 0; i < n; i++)
			(void)diag_add(&d, "f", NULL, 0, 0, NULL, "no");
		got = diag_text(&d);
		assert_int_equal(strstr(got, "... and 2 more\n") != NULL, n > DIAG_MAX);
		assert_int_equal(strstr(got, "more") != NULL, n > DIAG_MAX);
		diag_free(&d);
	}
}

static void test_words_as_they_are_shown(void **state)
{
	char word[80], buf[DIAG_WORD_MAX];

	(void)state;
	memset(word, 'w', sizeof(word));
	word[60] = '\0';
	assert_string_equal(diag_word(word, buf), word);
	word[60] = 'w';
	word[61] = '\0';
	assert_int_equal(strlen(diag_word(word, buf)), 63);
	assert_string_equal(buf + 60, "...");
	memcpy(word + 59, "\xc3\xa9", 3); /* a character that would be cut in half */
	assert_int_equal(strlen(diag_word(word, buf)), 62);
	assert_string_equal(buf + 59, "...");
	assert_string_equal(diag_word("a\x01"
				      "b\x7f"
				      "c ",
				      buf),
			    "a?b?c ");
}

static void expect_nearest(const char *word, const char *candidate, bool near)
{
	const char *const words[] = { candidate, NULL };
	const char *got = diag_nearest((const char *)exact(word, strlen(word) + 1), words);

	if ((got != NULL) != near)
		fail_msg("%s, %s", word, candidate);
}

/* A third of the letters may be wrong, and neighbours that changed places are one mistake. */
static void test_nearest(void **state)
{
	char a[80], b[80];

	(void)state;
	expect_nearest("ab", "ba", true);
	expect_nearest("abcd", "badc", true);
	expect_nearest("abc", "abd", true);
	expect_nearest("abc", "abcde", true);
	expect_nearest("abc", "abcdef", false);
	expect_nearest("abcdef", "badcfe", true);
	expect_nearest("abcdef", "bcdefgh", true);
	expect_nearest("abc", "bca", true);
	expect_nearest("abcd", "cabd", true);
	expect_nearest("x", "y", false); /* nothing in common */
	expect_nearest("", "y", false);
	memset(a, 'a', sizeof(a));
	memset(b, 'a', sizeof(b));
	a[63] = b[62] = '\0';
	expect_nearest(a, b, true);
	expect_nearest(b, a, true);
	a[63] = 'a';
	a[64] = '\0'; /* longer than anything here is called */
	expect_nearest(a, b, false);
	expect_nearest(b, a, false);
}

/* ---- words and lists ---- */

struct toy {
	int64_t number, time;
	struct strlist some, two;
	struct toy_sub *subs;
	size_t n_subs;
};

struct toy_sub {
	int64_t number;
};

static const struct field sub_rows[] = {
	ROW_INT("number", struct toy_sub, number, 1, 9, .required = true),
	ROW_END,
};
static const struct field rows[] = {
	ROW_INT("number", struct toy, number, -3, 12, .help = ""),
	ROW_DURATION("time", struct toy, time, NS_PER_S, 60 * NS_PER_S, .help = ""),
	ROW_LIST("some", struct toy, some, 1, 3, .help = ""),
	ROW_LIST("two", struct toy, two, 2, 2, .help = ""),
	ROW_MAPS("subs", struct toy, subs, n_subs, struct toy_sub, sub_rows, 2, "a sub",
		 .help = ""),
	ROW_END,
};

/* The first mistake in a file that may have so many bytes, or "" for none. Caller frees. */
static char *mistake(const char *text, size_t size)
{
	struct yaml_limits limits = { "toy", size, 1000 };
	_cleanup_arena_ struct arena *mem = arena_new();
	struct diag d = { 0 };
	struct yaml_doc doc = { .file = "f", .limits = &limits, .diag = &d, .mem = mem };
	struct toy toy = { 0 };
	struct walk_target t = { rows, &toy };
	char *said;

	if (yaml_doc_read(&doc, text, strlen(text)) == 0)
		(void)walk_map(&doc, doc.root, &t, 1, "a toy");
	said = str_fmt("%s", d.n ? d.items[0].text : "");
	diag_free(&d);
	return said;
}

static void expect_mistake_of(const char *text, size_t size, const char *want)
{
	_cleanup_free_ char *got = mistake(text, size);

	if (strcmp(got, want) != 0)
		fail_msg("%s: `%s`, not `%s`", text, got, want);
}

static void expect_mistake(const char *text, const char *want)
{
	expect_mistake_of(text, strlen(text), want);
}

static void test_numbers(void **state)
{
	(void)state;
	expect_mistake("number: -3", "");
	expect_mistake("number: 12", "");
	expect_mistake("number: -4", "`number` wants -3 to 12, not -4");
	expect_mistake("number: 13", "`number` wants -3 to 12, not 13");
	expect_mistake("number: 1x", "`number` wants a whole number, not `1x`");
	expect_mistake("number: \" 1\"", "`number` wants a whole number, not ` 1`");
	expect_mistake("number: +1", "`number` wants a whole number, not `+1`");
	expect_mistake("number: 99999999999999999999",
		       "`number` wants a whole number, not `99999999999999999999`");
}

static void test_durations(void **state)
{
	(void)state;
	expect_mistake("time: 1s", "");
	expect_mistake("time: 1m", "");
	expect_mistake("time: 000000001s", "");
	expect_mistake("time: 999ms", "`time` wants 1s to 1m, not 999ms");
	expect_mistake("time: 60001ms", "`time` wants 1s to 1m, not 60001ms");
	expect_mistake("time: 999999999h", "`time` wants 1s to 1m, not 999999999h");
	expect_mistake("time: 1000000000ms",
		       "`time` wants a duration such as 200ms, 5s or 3m, not `1000000000ms`");
	expect_mistake("time: s", "`time` wants a duration such as 200ms, 5s or 3m, not `s`");
}

static void test_lists(void **state)
{
	(void)state;
	expect_mistake("some: [a]", "");
	expect_mistake("some: [a, b, c]", "");
	expect_mistake("some: []", "`some` wants 1 to 3 names, not 0");
	expect_mistake("some: [a, b, c, d]", "`some` wants 1 to 3 names, not 4");
	expect_mistake("two: [a, b]", "");
	expect_mistake("two: [a]", "`two` wants 2 names, not 1");
	expect_mistake("two: [a, b, c]", "`two` wants 2 names, not 3");
	expect_mistake("subs: [{number: 1}, {number: 9}]", "");
	expect_mistake("subs: [{number: 1}, {number: 9}, {number: 9}]",
		       "`subs` has more than 2 entries");
	expect_mistake("subs: [{}]", "a sub lacks `number`");
}

static void test_anchors(void **state)
{
	(void)state;
	expect_mistake("subs: [&a {number: 1}]", "anchors and tags are not used here");
	expect_mistake("subs: [!a {number: 1}]", "anchors and tags are not used here");
	expect_mistake("two: &a [a, b]", "anchors and tags are not used here");
	expect_mistake("two: !a [a, b]", "anchors and tags are not used here");
	expect_mistake("number: &a 1", "anchors and tags are not used here");
	expect_mistake("number: !a 1", "anchors and tags are not used here");
}

static void test_sizes(void **state)
{
	_cleanup_free_ char *longest = NULL;
	char name[70], text[YAML_SCALAR_MAX + 16];

	(void)state;
	expect_mistake_of("number: 1", 9, "");
	expect_mistake_of("number: 1", 8, "larger than 0 KiB: no toy");
	memset(name, 'n', sizeof(name));
	name[63] = '\0';
	assert_true(name_valid(name));
	name[63] = 'n';
	name[64] = '\0';
	assert_false(name_valid(name));
	assert_false(name_valid(""));
	memcpy(text, "number: ", 8);
	memset(text + 8, '1', YAML_SCALAR_MAX + 1);
	text[8 + YAML_SCALAR_MAX + 1] = '\0';
	expect_mistake(text, "a word longer than 4096 bytes");
	text[8 + YAML_SCALAR_MAX] = '\0';
	longest = mistake(text, strlen(text));
	assert_non_null(strstr(longest, "`number` wants a whole number"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_caret),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_mistakes_of_a_whole_file),
		cmocka_unit_test(test_more_than_are_shown),
		cmocka_unit_test(test_words_as_they_are_shown),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_anchors),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests_name("yaml_words", tests, NULL, NULL);
}
