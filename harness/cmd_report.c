// SPDX-License-Identifier: MIT
/* leakproof report: render a stored result again. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/log.h"
#include "command.h"
#include "report/report.h"

#define RESULT_MAX ((size_t)256 << 20)

static const char usage[] =
	"usage: leakproof report [OPTION]... [RUN | DIR | FILE.json]\n\n"
	"Renders a stored result: RUN is its name below reports/ (default: latest).\n\n"
	"  --format F      text (default), json, junit, html, or all\n"
	"  --out DIR       write into DIR (made when missing) instead of to standard output;\n"
	"                  `all` writes into the run's own folder when this is not given\n"
	"  --reports DIR   where runs are stored (default: reports)\n"
	"  --share         for reports that are given away: real addresses in every spelling, "
	"keys,\n"
	"                  passwords and the host's name are replaced, links to captures removed\n"
	"  --junit-strict  JUnit without file and line, for strict readers\n\n"
	"The page is one file and needs nothing else. Exit status: 0, 2 usage or a damaged "
	"result,\n"
	"3 environment; the verdict does not show in it (`leakproof replay` judges).\n";

struct args {
	const char *format, *out, *reports, *run;
	struct report_opts o;
};

enum { OPT_FORMAT = 256, OPT_OUT, OPT_REPORTS, OPT_SHARE, OPT_STRICT };

static const struct option options[] = {
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "out", required_argument, NULL, OPT_OUT },
	{ "reports", required_argument, NULL, OPT_REPORTS },
	{ "share", no_argument, NULL, OPT_SHARE },
	{ "junit-strict", no_argument, NULL, OPT_STRICT },
	{ NULL, 0, NULL, 0 },
};

static int fail(const struct err *err)
{
	log_error("%s", err->text);
	return err->status ? err->status : EXIT_ENVIRONMENT;
}

static int parse(int argc, char **argv, struct args *a, struct err *err)
{
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?')
			return err_set(err, EXIT_USAGE,
				       "`leakproof report --help` lists the options");
		a->format = c == OPT_FORMAT ? optarg : a->format;
		a->out = c == OPT_OUT ? optarg : a->out;
		a->reports = c == OPT_REPORTS ? optarg : a->reports;
		a->o.share |= c == OPT_SHARE;
		a->o.junit_strict |= c == OPT_STRICT;
	}
	if (argc - optind > 1)
		return err_set(err, EXIT_USAGE, "one run at a time; `leakproof report --help`");
	if (optind < argc)
		a->run = argv[optind];
	if (strcmp(a->format, "all") != 0 && !report_find(a->format))
		return err_set(err, EXIT_USAGE,
			       "--format %s: text, json, junit, html or all is wanted", a->format);
	if (a->o.share && !a->out && strcmp(a->format, "all") == 0)
		return err_set(
			err, EXIT_USAGE,
			"--share --format all needs --out DIR: the run's own folder keeps the full "
			"result");
	return 0;
}

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A run below the reports folder, a folder, or a file: the first that exists. *dir is the folder, both are freed by
 * the caller. */
static char *find_result(const struct args *a, char **dir, struct err *err)
{
	struct stat st;

	*dir = str_fmt("%s/%s", a->reports, a->run);
	if (!is_dir(*dir)) {
		free(*dir);
		*dir = str_fmt("%s", a->run);
	}
	if (is_dir(*dir))
		return str_fmt("%s/result.json", *dir);
	if (stat(a->run, &st) == 0) {
		const char *slash = strrchr(a->run, '/');

		free(*dir);
		*dir = slash ? str_fmt("%.*s", (int)(slash - a->run) + 1, a->run) : str_fmt(".");
		return str_fmt("%s", a->run);
	}
	(void)err_set(err, EXIT_USAGE, "no run %s in %s, and no such folder or file", a->run,
		      a->reports);
	return NULL;
}

static struct result *load(const char *path, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_t *j = NULL;
	struct result *r;
	json_error_t je;

	if (!fs_exists(path)) {
		(void)err_set(
			err, EXIT_USAGE,
			"%s is missing: the run did not end; `leakproof replay` judges what was "
			"journalled",
			path);
		return NULL;
	}
	text = fs_read(path, RESULT_MAX, NULL, err);
	if (!text)
		return NULL;
	j = json_loads(text, 0, &je);
	if (!j) {
		(void)err_set(err, EXIT_USAGE, "%s:%d:%d: %s", path, je.line, je.column, je.text);
		return NULL;
	}
	r = result_from_json(j, err);
	if (!r)
		(void)err_wrap(err, "%s", path);
	return r;
}

/* A redacted result must not take the place of the full one. */
static int check_out(const struct args *a, const char *dir, struct err *err)
{
	_cleanup_free_ char *to = NULL;
	_cleanup_free_ char *from = NULL;

	if (!a->out)
		return 0;
	if (fs_mkdir_p(a->out, 0755, err) < 0)
		return -1;
	to = realpath(a->out, NULL);
	from = realpath(dir, NULL);
	if (a->o.share && to && from && strcmp(to, from) == 0)
		return err_set(err, EXIT_USAGE,
			       "--share --out %s: that is the run's own folder, which keeps the "
			       "full result",
			       a->out);
	return 0;
}

/* One format into its file; text, which runs do not store, becomes summary.txt. */
static int write_one(const struct args *a, const struct report_row *row, const struct result *r,
		     struct err *err)
{
	_cleanup_free_ char *path = str_fmt("%s/%s", a->out, row->file ? row->file : "summary.txt");
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	int rc;

	if (!f)
		return err_errno(err, "%s", path);
	rc = report_write(row, r, &a->o, f, err);
	(void)fclose(f);
	return rc < 0 ? -1 : fs_write(path, text, size, 0644, err);
}

static int render(const struct args *a, struct err *err)
{
	const struct report_row *row = report_find(a->format);
	_cleanup_free_ char *dir = NULL;
	_cleanup_free_ char *path = find_result(a, &dir, err);
	struct result *r;
	int rc;

	if (!path || check_out(a, dir, err) < 0)
		return -1;
	r = load(path, err);
	if (!r)
		return -1;
	if (!row)
		rc = report_write_all(r, a->out ? a->out : dir, &a->o, err);
	else if (a->out)
		rc = write_one(a, row, r, err);
	else
		rc = report_write(row, r, &a->o, stdout, err);
	result_free(r);
	return rc;
}

static int run(int argc, char **argv)
{
	struct args a = { .format = "text", .reports = "reports", .run = "latest" };
	struct err err = { 0 };

	if (parse(argc, argv, &a, &err) < 0 || render(&a, &err) < 0)
		return fail(&err);
	return EXIT_PASS;
}

const struct command cmd_report = {
	.name = "report",
	.summary = "render a stored result as text, JSON, JUnit or HTML",
	.usage = usage,
	.run = run,
};
