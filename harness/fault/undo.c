/* SPDX-License-Identifier: MIT */
/* Undo records: one JSON file a fault, numbered in the order of applying. */
#include "fault/undo.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define RECORD_MAX ((size_t)1 << 20)

static unsigned number_of(const char *file)
{
	char *end;
	unsigned long n = strtoul(file, &end, 10);

	return end != file && strcmp(end, ".json") == 0 && n < 1000000 ? (unsigned)n : 0;
}

static int is_record(const struct dirent *e)
{
	return number_of(e->d_name) > 0;
}

static int newest_first(const struct dirent **a, const struct dirent **b)
{
	unsigned na = number_of((*a)->d_name), nb = number_of((*b)->d_name);

	return na < nb ? 1 : na > nb ? -1 : 0;
}

static int list_records(const char *dir, struct dirent ***files, struct err *err)
{
	int n = scandir(dir, files, is_record, newest_first);

	if (n < 0 && errno == ENOENT)
		return 0;
	return n < 0 ? err_errno(err, "%s", dir) : n;
}

static void free_list(struct dirent **files, int n)
{
	for (int i = 0; i < n; i++)
		free(files[i]);
	free(files);
}

char *undo_write(const char *state_dir, const char *name, const char *label, const json_t *record,
		 struct err *err)
{
	_cleanup_free_ char *dir = str_fmt("%s/undo", state_dir);
	_cleanup_free_ char *path = NULL, *text = NULL;
	_cleanup_json_ json_t *all = NULL;
	struct dirent **files = NULL;
	int n;

	if (fs_mkdir_p(dir, 0700, err) < 0)
		return NULL;
	n = list_records(dir, &files, err);
	if (n < 0)
		return NULL;
	path = str_fmt("%s/%06u.json", dir, n > 0 ? number_of(files[0]->d_name) + 1 : 1);
	free_list(files, n);
	all = json_pack("{s:s, s:s, s:O}", "fault", name, "label", label, "record", record);
	text = all ? json_dumps(all, JSON_INDENT(1)) : NULL;
	if (!text) {
		(void)err_set(err, EXIT_ENVIRONMENT, "undo record of %s: no JSON", name);
		return NULL;
	}
	if (fs_write(path, text, strlen(text), 0600, err) < 0)
		return NULL;
	return take_ptr(path);
}

static int undo_file(const char *path,
		     int (*each)(const char *name, const json_t *record, struct err *err),
		     struct err *err)
{
	_cleanup_free_ char *text = fs_read(path, RECORD_MAX, NULL, err);
	_cleanup_json_ json_t *all = NULL;
	const char *name;

	if (!text)
		return -1;
	all = json_loads(text, 0, NULL);
	name = json_string_value(json_object_get(all, "fault"));
	if (!name)
		return err_set(err, EXIT_ENVIRONMENT,
			       "%s: not an undo record; look at it, and remove it", path);
	if (each(name, json_object_get(all, "record"), err) < 0)
		return err_wrap(err, "undo of %s, recorded in %s", name, path);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_errno(err, "%s", path);
	return 0;
}

int undo_walk(const char *state_dir,
	      int (*each)(const char *name, const json_t *record, struct err *err), struct err *err)
{
	_cleanup_free_ char *dir = str_fmt("%s/undo", state_dir);
	struct dirent **files = NULL;
	int n = list_records(dir, &files, err);
	int rc = n < 0 ? -1 : 0;

	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *path = str_fmt("%s/%s", dir, files[i]->d_name);

		if (undo_file(path, each, rc < 0 ? NULL : err) < 0)
			rc = -1;
	}
	free_list(files, n < 0 ? 0 : n);
	return rc;
}
