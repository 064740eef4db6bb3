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
#include "cmd_output.h"
#include "command.h"

#define RESULT_MAX ((size_t)256 << 20)

static const char usage[] =
	"usage: leakproof report [OPTION]... [RUN | DIR | FILE.json]\n\n"
	"Renders a stored result: RUN is its name below reports/ (default: latest).\n\n"
	"  --reports DIR   where runs are stored (default: reports)\n" OUTPUT_USAGE
	"\n`all` writes into the run's own folder when --out is not given.\n"
	"The page is one file and needs nothing else. Exit status: 0, 2 usage or a damaged "
	"result,\n"
	"3 environment; the verdict does not show in it (`leakproof replay` judges).\n";

struct args {
	const char *reports, *run;
	struct output w;
};

enum { OPT_REPORTS = 256 };

static const struct option options[] = {
	{ "reports", required_argument, NULL, OPT_REPORTS },
	OUTPUT_OPTIONS,
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
		a->reports = c == OPT_REPORTS ? optarg : a->reports;
		(void)output_option(&a->w, c, optarg);
	}
	if (argc - optind > 1)
		return err_set(err, EXIT_USAGE, "one run at a time; `leakproof report --help`");
	if (optind < argc)
		a->run = argv[optind];
	if (output_check(&a->w, true, err) < 0)
		return -1;
	if (a->w.o.share && !a->w.dir && strcmp(a->w.format, "all") == 0)
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
	_cleanup_free_ char *to = a->w.dir ? realpath(a->w.dir, NULL) : NULL;
	_cleanup_free_ char *from = realpath(dir, NULL);

	if (a->w.o.share && to && from && strcmp(to, from) == 0)
		return err_set(err, EXIT_USAGE,
			       "--share --out %s: that is the run's own folder, which keeps the "
			       "full result",
			       a->w.dir);
	return 0;
}

static int render(const struct args *a, struct err *err)
{
	_cleanup_free_ char *dir = NULL;
	_cleanup_free_ char *path = find_result(a, &dir, err);
	struct result *r;
	int rc;

	if (!path || check_out(a, dir, err) < 0)
		return -1;
	r = load(path, err);
	if (!r)
		return -1;
	rc = output_write(&a->w, r, dir, err);
	result_free(r);
	return rc;
}

static int run(int argc, char **argv)
{
	struct args a = { .reports = "reports", .run = "latest", .w = OUTPUT_DEFAULT };
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
