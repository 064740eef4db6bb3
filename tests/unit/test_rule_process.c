// SPDX-License-Identifier: MIT
/* Process isolation from observations of /proc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rule/process.h"

static const struct process_obs inside = {
	.service = "qbittorrent",
	.comm = "qbittorrent-nox",
	.host_pid = 4242,
	.init_pid = 4200,
	.ns = { 1, 2, 3, 4, 5 },
	.init_ns = { 1, 2, 3, 4, 5 },
	.host_ns = { 11, 12, 13, 14, 15 },
	.descends_from_init = true,
};

static char text[256];

static void test_a_process_inside_is_fine(void **state)
{
	(void)state;
	assert_int_equal(process_judge(&inside, text, sizeof(text)), PROCESS_OK);
	assert_string_equal(text, "");
}

static void test_each_namespace_counts(void **state)
{
	(void)state;
	for (int i = 0; i < N_PROCESS_NS; i++) {
		struct process_obs o = inside;

		o.ns[i] = 99;
		assert_int_equal(process_judge(&o, text, sizeof(text)), PROCESS_ESCAPED);
		assert_null(strstr(text, "of the host"));
		o.ns[i] = o.host_ns[i];
		assert_int_equal(process_judge(&o, text, sizeof(text)), PROCESS_ESCAPED);
		assert_non_null(strstr(text, "in that of the host"));
		assert_non_null(strstr(text, "4242 (qbittorrent-nox)"));
	}
}

static void test_a_process_of_another_parent_escaped(void **state)
{
	struct process_obs o = inside;

	(void)state;
	o.descends_from_init = false;
	assert_int_equal(process_judge(&o, text, sizeof(text)), PROCESS_ESCAPED);
	assert_non_null(strstr(text, "does not descend"));
}

static void test_what_cannot_be_read_is_unknown(void **state)
{
	struct process_obs o = inside;

	(void)state;
	o.init_pid = 0;
	assert_int_equal(process_judge(&o, text, sizeof(text)), PROCESS_UNKNOWN);
	o = inside;
	o.ns[2] = 0;
	assert_int_equal(process_judge(&o, text, sizeof(text)), PROCESS_UNKNOWN);
	o = inside;
	o.init_ns[4] = 0;
	assert_int_equal(process_judge(&o, text, sizeof(text)), PROCESS_UNKNOWN);
	assert_non_null(strstr(text, "nothing can be said"));
	assert_int_equal(process_judge(&o, NULL, 0), PROCESS_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_process_inside_is_fine),
		cmocka_unit_test(test_each_namespace_counts),
		cmocka_unit_test(test_a_process_of_another_parent_escaped),
		cmocka_unit_test(test_what_cannot_be_read_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
