/* SPDX-License-Identifier: MIT */
/* A folder of files that have to be refused, each with an .expect file of the same name: line, column, caret, word.
 * LEAKPROOF_REFRESH=1 rewrites the .expect files; look at the difference before keeping it. */
#ifndef TESTS_BAD_FILES_H
#define TESTS_BAD_FILES_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "yaml/diag.h"

/* Read the text of a file of that name; must fail with EXIT_USAGE and fill *d. */
typedef void (*refuse_fn)(const char *name, const char *text, size_t len, struct diag *d);

/* As the program prints them. Caller frees. */
static inline char *diag_text(const struct diag *d)
{
	char *out = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&out, &n);

	assert_non_null(f);
	diag_print(d, f, false);
	assert_int_equal(fclose(f), 0);
	return out;
}

/* What the program would print, with the bare file name. */
static inline char *bad_file_text(const char *dir, const char *name, refuse_fn refuse)
{
	_cleanup_free_ char *path = str_fmt("%s/%s", dir, name);
	_cleanup_free_ char *text = NULL;
	struct diag d = { 0 };
	size_t len = 0;
	char *out;

	text = fs_read(path, (size_t)2 << 20, &len, NULL);
	assert_non_null(text);
	refuse(name, text, len, &d);
	assert_true(d.n > 0);
	out = diag_text(&d);
	diag_free(&d);
	return out;
}

static inline void check_bad_file(const char *dir, const char *name, refuse_fn refuse)
{
	_cleanup_free_ char *got = bad_file_text(dir, name, refuse);
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *want = NULL;
	size_t stem = (size_t)(strrchr(name, '.') - name);

	/* "x.yaml" has "x.expect", "x.json" has "x.json.expect" */
	path = strcmp(name + stem, ".yaml") == 0 ? str_fmt("%s/%.*s.expect", dir, (int)stem, name)
						 : str_fmt("%s/%s.expect", dir, name);
	if (getenv("LEAKPROOF_REFRESH"))
		assert_int_equal(fs_write(path, got, strlen(got), 0644, NULL), 0);
	want = fs_read(path, 65536, NULL, NULL);
	if (!want)
		fail_msg("%s: no .expect file", name);
	assert_string_equal(got, want);
}

/* Every *.yaml and *.json of the folder; returns how many there were. */
static inline size_t check_bad_files(const char *dir, refuse_fn refuse)
{
	_cleanup_closedir_ DIR *all = opendir(dir);
	const struct dirent *e;
	size_t n = 0;

	assert_non_null(all);
	while ((e = readdir(all))) {
		const char *dot = strrchr(e->d_name, '.');

		if (!dot || (strcmp(dot, ".yaml") != 0 && strcmp(dot, ".json") != 0))
			continue;
		check_bad_file(dir, e->d_name, refuse);
		n++;
	}
	return n;
}

#endif
