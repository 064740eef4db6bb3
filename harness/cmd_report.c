// SPDX-License-Identifier: MIT
/* leakproof report: render a stored result again. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/log.h"
#include "command.h"
#include "report/report.h"

#define RESULT_MAX ((size_t)256 << 20)

static const char usage[] =
	"usage: leakproof report [--format text|json|junit|html|all] [--out DIR] [--share]\n"
	"                        [--junit-strict] [RUN | FILE.json]\n\n"
	"Renders a stored result: RUN is its name below reports/ (default: latest). `all` writes "
	"every\n"
	"file into --out (default: the run's own folder), any other format goes to standard "
	"output.\n\n"
	"  --share         replace the real addresses, for reports that are given away\n"
	"  --junit-strict  JUnit without file and line, for strict readers\n";

static int fail(const struct err *err)
{
	log_error("%s", err->text);
	return err->status ? err->status : EXIT_ENVIRONMENT;
}

static struct result *load(const char *path, struct err *err)
{
	_cleanup_free_ char *text = fs_read(path, RESULT_MAX, NULL, err);
	_cleanup_json_ json_t *j = NULL;
	json_error_t je;
	struct result *r;

	if (!text)
		return NULL;
	j = json_loads(text, 0, &je);
	if (!j) {
		err_set(err, EXIT_USAGE, "%s:%d:%d: %s", path, je.line, je.column, je.text);
		return NULL;
	}
	r = result_from_json(j, err);
	if (!r)
		err_wrap(err, "%s", path);
	return r;
}

static int render(const char *dir, const char *path, const char *format,
		  const struct report_opts *o, struct err *err)
{
	const struct report_row *row = report_find(format);
	struct result *r;
	int rc;

	if (!row && strcmp(format, "all") != 0)
		return err_set(err, EXIT_USAGE,
			       "--format %s: text, json, junit, html or all is wanted", format);
	r = load(path, err);
	if (!r)
		return -1;
	rc = row ? report_write(row, r, o, stdout, err) : report_write_all(r, dir, o, err);
	result_free(r);
	return rc;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { { "format", required_argument, NULL, 'f' },
						 { "out", required_argument, NULL, 'o' },
						 { "share", no_argument, NULL, 's' },
						 { "junit-strict", no_argument, NULL, 'j' },
						 { NULL, 0, NULL, 0 } };
	const char *format = "text", *out = NULL, *name = "latest";
	_cleanup_free_ char *dir = NULL;
	_cleanup_free_ char *path = NULL;
	struct report_opts o = { 0 };
	struct err err = { 0 };
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?')
			return EXIT_USAGE;
		if (c == 'f' && optarg)
			format = optarg;
		if (c == 'o' && optarg)
			out = optarg;
		o.share |= c == 's';
		o.junit_strict |= c == 'j';
	}
	if (argc - optind > 1) {
		log_error("one run at a time; `leakproof report --help`");
		return EXIT_USAGE;
	}
	if (optind < argc)
		name = argv[optind];
	dir = str_fmt("reports/%s", name);
	path = strstr(name, ".json") ? str_fmt("%s", name) : str_fmt("%s/result.json", dir);
	return render(out ? out : dir, path, format, &o, &err) < 0 ? fail(&err) : EXIT_PASS;
}

const struct command cmd_report = {
	.name = "report",
	.summary = "render a stored result as text, JSON, JUnit or HTML",
	.usage = usage,
	.run = run,
};
