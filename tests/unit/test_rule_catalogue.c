// SPDX-License-Identifier: MIT
/* The rows of the rules, the 80 classes, and docs/leaks.md that is printed from both.
 * usage: test_rule_catalogue [--refresh] */
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
#include "rule/rule.h"

#define DOC "docs/leaks.md"

static char *printed(void (*print)(FILE *f), size_t *len)
{
	char *mem = NULL;
	FILE *f = open_memstream(&mem, len);

	print(f);
	(void)fclose(f);
	return mem;
}

static void test_document_is_printed_from_the_rows(void **state)
{
	struct err err = { 0 };
	size_t want_len = 0;
	size_t len = 0;
	_cleanup_free_ char *want = printed(rule_markdown, &want_len);
	_cleanup_free_ char *have = fs_read(DOC, 1U << 20, &len, &err);

	(void)state;
	if (!have || len != want_len || memcmp(have, want, len) != 0)
		fail_msg("%s differs from the tables: test_rule_catalogue --refresh", DOC);
}

static void test_rows_are_complete(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_rules; i++) {
		const struct rule *r = rules[i];

		assert_true(strlen(r->id) > 0 &&
			    strlen(r->id) <= 42); /* fits a DNS label of a control */
		assert_int_equal(r->id[strspn(r->id, "abcdefghijklmnopqrstuvwxyz0123456789-")],
				 '\0');
		assert_true(strlen(r->sentence) > 20 && strlen(r->advice) > 20);
		assert_true(r->classes[0] > 0);
		assert_int_equal(r->match != NULL, r->taps != 0);
		for (const uint8_t *c = r->classes; *c; c++)
			assert_in_range(*c, 1, 80);
		assert_ptr_equal(rule_find(r->id), r);
	}
	assert_null(rule_find("no-such-rule"));
}

static void test_every_class_is_answered(void **state)
{
	(void)state;
	assert_int_equal(n_leak_classes, 80);
	for (size_t i = 0; i < n_leak_classes; i++) {
		const struct leak_class *c = &leak_classes[i];
		const struct rule *cover[1];
		size_t n = rule_coverage(c->number, cover, 1);

		assert_int_equal(c->number, i + 1);
		assert_true(strlen(c->name) > 0 && strlen(c->note) > 0);
		/* what shows on a wire, or in /proc, has a rule; what shows nowhere says why */
		if (c->wire != CLASS_NONE && n == 0)
			fail_msg("class %u (%s) has no rule", c->number, c->name);
		if (c->wire == CLASS_NONE)
			assert_int_equal(n, 0);
	}
}

static void list_coverage(FILE *f)
{
	rule_list(f, true);
}

static void list_rules(FILE *f)
{
	rule_list(f, false);
}

static void test_lists(void **state)
{
	size_t len;
	_cleanup_free_ char *coverage = printed(list_coverage, &len);
	_cleanup_free_ char *plain = printed(list_rules, &len);

	(void)state;
	assert_non_null(strstr(coverage, "\n80 random seeded sequences of faults"));
	assert_non_null(strstr(coverage, "80 classes, 79 with a rule\n"));
	for (size_t i = 0; i < n_rules; i++)
		assert_non_null(strstr(plain, rules[i]->id));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document_is_printed_from_the_rows),
		cmocka_unit_test(test_rows_are_complete),
		cmocka_unit_test(test_every_class_is_answered),
		cmocka_unit_test(test_lists),
	};

	if (argc == 2 && strcmp(argv[1], "--refresh") == 0) {
		struct err err = { 0 };
		size_t len = 0;
		_cleanup_free_ char *want = printed(rule_markdown, &len);

		return fs_write(DOC, want, len, 0644, &err) ? 1 : 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
