/* SPDX-License-Identifier: MIT */
/* Bencoding (BEP 3), read where it lies: what is a value, what is none, and where each ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "packet/bencode.h"

static struct cursor of(const char *text)
{
	return cursor_of((const uint8_t *)text, strlen(text));
}

static void strings(void **state)
{
	static const struct {
		const char *text;
		const char *value; /* NULL: none */
		size_t left;
	} rows[] = {
		{ "4:spam", "spam", 0 },
		{ "4:spamx", "spam", 1 },
		{ "0:", "", 0 },
		{ "10:0123456789", "0123456789", 0 },
		{ "04:spam", "spam", 0 }, /* some clients write it so */
		{ "5:spam", NULL, 6 },
		{ ":spam", NULL, 5 },
		{ "4spam", NULL, 5 },
		{ "4", NULL, 1 },
		{ "", NULL, 0 },
		{ "/:x", NULL, 3 }, /* the neighbours of the digits */
		{ ";:x", NULL, 3 },
		{ "1/:x", NULL, 4 },
		{ "i4e", NULL, 3 },
		{ "000000000000000001:x", "x", 0 },    /* 18 digits */
		{ "0000000000000000001:x", NULL, 21 }, /* 19 */
		{ "999999999999999999:x", NULL, 20 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cursor c = of(rows[i].text);
		const uint8_t *p;
		size_t n;
		bool got = bencode_string(&c, &p, &n);

		assert_int_equal(got, rows[i].value != NULL);
		assert_int_equal(c.left, rows[i].left);
		assert_false(c.short_);
		if (got) {
			assert_int_equal(n, strlen(rows[i].value));
			assert_memory_equal(p, rows[i].value, n);
		}
	}
}

static void integers(void **state)
{
	static const struct {
		const char *text;
		bool good;
		int64_t value;
	} rows[] = {
		{ "i0e", true, 0 },
		{ "i42e", true, 42 },
		{ "i-42e", true, -42 },
		{ "i999999999999999999e", true, 999999999999999999 },
		{ "i-999999999999999999e", true, -999999999999999999 },
		{ "i9999999999999999999e", false, 0 },
		{ "ie", false, 0 },
		{ "i-e", false, 0 },
		{ "i--1e", false, 0 },
		{ "i4", false, 0 },
		{ "i-", false, 0 },
		{ "i", false, 0 },
		{ "4e", false, 0 },
		{ "i4x", false, 0 },
		{ "", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cursor c = of(rows[i].text);
		int64_t v = 0;

		assert_int_equal(bencode_int(&c, &v), rows[i].good);
		assert_int_equal(v, rows[i].value);
		assert_int_equal(c.left, rows[i].good ? 0 : strlen(rows[i].text));
	}
}

static void lists_and_dictionaries(void **state)
{
	struct cursor c = of("de");
	struct cursor none = of("");
	struct cursor damaged = of("d");

	(void)state;
	assert_false(bencode_enter(&c, 'l'));
	assert_false(bencode_leave(&c));
	assert_true(bencode_enter(&c, 'd'));
	assert_true(bencode_leave(&c));
	assert_false(bencode_leave(&c));
	assert_false(bencode_enter(&none, 'd'));
	damaged.short_ = true; /* an earlier read failed: nothing more is believed */
	assert_false(bencode_enter(&damaged, 'd'));
}

static void whole_values_are_skipped(void **state)
{
	static const struct {
		const char *text;
		bool good;
		size_t left;
	} rows[] = {
		{ "4:spam4:eggs", true, 6 }, { "i42ei1e", true, 3 },
		{ "lex", true, 1 },	     { "d1:ali1e1:bed1:xi-1eee:", true, 1 },
		{ "le", true, 0 },	     { "l", false, 0 },
		{ "li1e", false, 0 },	     { "lxe", false, 0 },
		{ "e", false, 0 }, /* ends what was never begun */
		{ "x", false, 0 },	     { "", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cursor c = of(rows[i].text);
		bool deep = false;

		assert_int_equal(bencode_skip(&c, &deep), rows[i].good);
		assert_false(deep);
		assert_int_equal(c.left, rows[i].good ? rows[i].left : strlen(rows[i].text));
	}
}

/* Nothing honest nests as deep as BENCODE_DEPTH; deeper is said, not followed. */
static void depth_is_bounded(void **state)
{
	(void)state;
	for (size_t depth = BENCODE_DEPTH; depth <= BENCODE_DEPTH + 1; depth++) {
		char text[2 * BENCODE_DEPTH + 3] = "";
		struct cursor c;
		bool deep = false;

		memset(text, 'l', depth);
		memset(text + depth, 'e', depth);
		c = of(text);
		assert_int_equal(bencode_skip(&c, &deep), depth == BENCODE_DEPTH);
		assert_int_equal(deep, depth > BENCODE_DEPTH);
		c = of(text);
		assert_int_equal(bencode_skip(&c, NULL), depth == BENCODE_DEPTH);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings),
		cmocka_unit_test(integers),
		cmocka_unit_test(lists_and_dictionaries),
		cmocka_unit_test(whole_values_are_skipped),
		cmocka_unit_test(depth_is_bounded),
	};

	return cmocka_run_group_tests_name("packet_bencode", tests, NULL, NULL);
}
