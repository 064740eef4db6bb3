// SPDX-License-Identifier: MIT
/* leakproof replay: judge a stored run again, from its journal and captures alone. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/log.h"
#include "cmd_output.h"
#include "command.h"
#include "engine/evaluate.h"
#include "engine/journal.h"

static const char usage[] =
	"usage: leakproof replay [OPTION]... RUN\n\n"
	"Judges a stored run again with today's rules, from its journal and captures alone: RUN is "
	"its\n"
	"name below reports/, or \"latest\". The stored report is left as it is. A run that was "
	"cut "
	"off\n"
	"is judged as far as it went, and is inconclusive unless it leaked.\n\n"
	"  --captures DIR  where captures are stored (default: captures)\n"
	"  --reports DIR   where runs are stored (default: reports)\n" OUTPUT_USAGE
	"\nexit status: 0 every scenario as expected, 1 leak or broken promise, 2 usage or a "
	"damaged\n"
	"journal, 3 environment or an error of the harness, 4 inconclusive\n";

struct args {
	const char *captures, *reports, *run;
	struct output w;
};

static int fail(const struct err *err)
{
	log_error("%s", err->text);
	return err->status ? err->status : EXIT_ENVIRONMENT;
}

/* Where the captures of the run lie: the journal knows the name of the run, "latest" does not. */
static char *captures_of(const char *captures, const json_t *events)
{
	size_t i;
	json_t *e;

	json_array_foreach((json_t *)(uintptr_t)events, i, e)
	{
		const char *run = json_string_value(json_object_get(e, "run"));

		if (run)
			return str_fmt("%s/%s", captures, run);
	}
	return str_fmt("%s", captures);
}

static int replay(const struct args *a, struct err *err)
{
	_cleanup_free_ char *report_dir = str_fmt("%s/%s", a->reports, a->run);
	_cleanup_free_ char *path = str_fmt("%s/journal.jsonl", report_dir);
	_cleanup_json_ json_t *events = NULL;
	_cleanup_free_ char *dir = NULL;
	struct evaluate_opts o = { .reports = report_dir };
	struct result *r;
	int status;

	if (!fs_exists(path))
		return err_set(err, EXIT_USAGE, "no run %s in %s: %s is missing", a->run,
			       a->reports, path);
	events = journal_read(path, err);
	if (!events)
		return -1;
	dir = captures_of(a->captures, events);
	o.captures = dir;
	r = evaluate_run(events, &o, err);
	if (!r)
		return err_wrap(err, "%s", path);
	status = output_write(&a->w, r, NULL, err) < 0 ? -1 : evaluate_exit_status(r);
	result_free(r);
	return status;
}

static int parse(int argc, char **argv, struct args *a, struct err *err)
{
	static const struct option options[] = { { "captures", required_argument, NULL, 'c' },
						 { "reports", required_argument, NULL, 'r' },
						 OUTPUT_OPTIONS,
						 { NULL, 0, NULL, 0 } };
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?')
			return err_set(err, EXIT_USAGE,
				       "`leakproof replay --help` lists the options");
		a->captures = c == 'c' ? optarg : a->captures;
		a->reports = c == 'r' ? optarg : a->reports;
		(void)output_option(&a->w, c, optarg);
	}
	if (argc - optind != 1)
		return err_set(err, EXIT_USAGE, "which run? `leakproof replay --help`");
	a->run = argv[optind];
	return output_check(&a->w, false, err);
}

static int run(int argc, char **argv)
{
	struct args a = { .captures = "captures", .reports = "reports", .w = OUTPUT_DEFAULT };
	struct err err = { 0 };
	int status = parse(argc, argv, &a, &err) < 0 ? -1 : replay(&a, &err);

	return status < 0 ? fail(&err) : status;
}

const struct command cmd_replay = {
	.name = "replay",
	.summary = "judge a stored run again, from its journal and captures alone",
	.usage = usage,
	.run = run,
};
