// SPDX-License-Identifier: MIT
/* The journal: what was said is on the disk, in order, and a full disk is not silent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "engine/journal.h"
#include "unit/scratch.h"

static void test_events_come_back_in_order(void **state)
{
	_cleanup_free_ char *path = str_fmt("%s/a.jsonl", dir);
	_cleanup_json_ json_t *events = NULL;
	struct err err = { 0 };
	struct journal *j = journal_create(path, &err);

	(void)state;
	assert_non_null(j);
	journal_event(j, "one", json_pack("{s:i}", "n", 1));
	journal_event(j, "two", NULL);
	assert_int_equal(journal_close(j, &err), 0);
	events = journal_read(path, &err);
	assert_int_equal(json_array_size(events), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(events, 0), "event")),
			    "one");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(events, 0), "n")), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(events, 1), "seq")), 1);
	assert_true(json_integer_value(json_object_get(json_array_get(events, 1), "real")) > 0);
}

static void test_a_cut_off_last_line_is_left_out(void **state)
{
	_cleanup_free_ char *path = str_fmt("%s/cut.jsonl", dir);
	static const char text[] = "{\"event\":\"one\",\"seq\":0}\n{\"event\":\"tw";
	_cleanup_json_ json_t *events = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(fs_write(path, text, strlen(text), 0644, &err), 0);
	events = journal_read(path, &err);
	assert_int_equal(json_array_size(events), 1);
}

static void test_a_damaged_line_is_named(void **state)
{
	_cleanup_free_ char *path = str_fmt("%s/bad.jsonl", dir);
	static const char text[] = "{\"event\":\"one\",\"seq\":0}\nrubbish\n";
	struct err err = { 0 };

	(void)state;
	assert_int_equal(fs_write(path, text, strlen(text), 0644, &err), 0);
	assert_null(journal_read(path, &err));
	assert_non_null(strstr(err.text, "bad.jsonl:2"));
	assert_int_equal(err.status, EXIT_USAGE);
}

/* Whoever takes a line out, by accident or not, takes an error, a fault or a finding out of the verdict. */
static void test_a_missing_line_is_noticed(void **state)
{
	static const char *const texts[] = {
		"{\"event\":\"one\",\"seq\":0}\n{\"event\":\"three\",\"seq\":2}\n",
		"{\"event\":\"two\",\"seq\":1}\n",
		"{\"event\":\"one\",\"seq\":0}\n{\"event\":\"one\",\"seq\":0}\n",
		"{\"event\":\"one\"}\n",
	};
	_cleanup_free_ char *path = str_fmt("%s/gap.jsonl", dir);

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct err err = { 0 };

		assert_int_equal(fs_write(path, texts[i], strlen(texts[i]), 0644, &err), 0);
		assert_null(journal_read(path, &err));
		assert_non_null(strstr(err.text, "is missing"));
		assert_int_equal(err.status, EXIT_USAGE);
	}
}

static void test_a_journal_is_never_overwritten(void **state)
{
	_cleanup_free_ char *path = str_fmt("%s/twice.jsonl", dir);
	struct err err = { 0 };
	struct journal *j = journal_create(path, &err);

	(void)state;
	assert_non_null(j);
	assert_null(journal_create(path, &err));
	assert_int_equal(journal_close(j, &err), 0);
}

static void test_a_full_disk_is_said(void **state)
{
	struct err err = { 0 };
	_cleanup_free_ char *path = str_fmt("%s/full", dir);
	struct journal *j;

	(void)state;
	/* /dev/full fails every write with ENOSPC; O_EXCL wants a name of our own, so open it by hand. */
	j = journal_create(path, &err);
	assert_non_null(j);
	{
		FILE *full = fopen("/dev/full", "w");

		assert_non_null(full);
		/* The journal's descriptor is the newest file but one: replace it below the journal's feet. */
		for (int fd = 3; fd < 64; fd++) {
			_cleanup_free_ char *link = str_fmt("/proc/self/fd/%d", fd);
			char target[256] = "";
			ssize_t n = readlink(link, target, sizeof(target) - 1);

			if (n > 0 && strcmp(target, path) == 0)
				assert_true(dup2(fileno(full), fd) == fd);
		}
		(void)fclose(full);
	}
	journal_event(j, "lost", NULL);
	assert_int_not_equal(journal_failed(j), 0);
	assert_int_equal(journal_close(j, &err), -1);
	assert_non_null(strstr(err.text, "No space"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events_come_back_in_order),
		cmocka_unit_test(test_a_cut_off_last_line_is_left_out),
		cmocka_unit_test(test_a_damaged_line_is_named),
		cmocka_unit_test(test_a_missing_line_is_noticed),
		cmocka_unit_test(test_a_journal_is_never_overwritten),
		cmocka_unit_test(test_a_full_disk_is_said),
	};

	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
