// SPDX-License-Identifier: MIT
/* Format and place of a result. */
#include "cmd_output.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define SUMMARY "summary.txt" /* the text, which has no file among the reports of a run */

bool output_option(struct output *w, int c, const char *arg)
{
	switch (c) {
	case OPT_FORMAT:
		w->format = arg;
		return true;
	case OPT_OUT:
		w->dir = arg;
		return true;
	case OPT_OUTPUT:
		w->file = arg;
		return true;
	case OPT_JSON:
		w->format = "json";
		return true;
	case OPT_SHARE:
		w->o.share = true;
		return true;
	case OPT_STRICT:
		w->o.junit_strict = true;
		return true;
	default:
		return false;
	}
}

static bool is_all(const struct output *w)
{
	return strcmp(w->format, "all") == 0;
}

int output_check(const struct output *w, bool own_dir, struct err *err)
{
	if (!is_all(w) && !report_find(w->format))
		return err_set(err, EXIT_USAGE,
			       "--format %s: text, json, junit, html or all is wanted", w->format);
	if (w->dir && w->file)
		return err_set(err, EXIT_USAGE, "--out and --output: one place, please");
	if (is_all(w) && w->file)
		return err_set(err, EXIT_USAGE, "--format all wants --out DIR, not --output");
	if (is_all(w) && !w->dir && !own_dir)
		return err_set(err, EXIT_USAGE, "--format all wants --out DIR");
	return 0;
}

/* Every format; into --out also the text, which runs do not store. */
static int write_all(const struct output *w, const struct result *r, const char *dir,
		     struct err *err)
{
	_cleanup_free_ char *path = NULL;

	if (!w->dir)
		return report_write_all(r, dir, &w->o, err);
	path = str_fmt("%s/%s", w->dir, SUMMARY);
	if (report_write_all(r, w->dir, &w->o, err) < 0)
		return -1;
	return report_write_file(report_find("text"), r, path, &w->o, err);
}

int output_write(const struct output *w, const struct result *r, const char *dir, struct err *err)
{
	const struct report_row *row = report_find(w->format);
	_cleanup_free_ char *path = NULL;

	if (w->dir && fs_mkdir_p(w->dir, 0755, err) < 0)
		return -1;
	if (!row)
		return write_all(w, r, dir, err);
	if (w->file)
		return report_write_file(row, r, w->file, &w->o, err);
	if (!w->dir)
		return report_write(row, r, &w->o, stdout, err);
	path = str_fmt("%s/%s", w->dir, row->file ? row->file : SUMMARY);
	return report_write_file(row, r, path, &w->o, err);
}
