// SPDX-License-Identifier: MIT
/* leakproof replay: judge a stored run again, from its journal and captures alone. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/log.h"
#include "command.h"
#include "engine/evaluate.h"
#include "engine/journal.h"
#include "report/report.h"

static const char usage[] =
	"usage: leakproof replay [--json] [--captures DIR] [--reports DIR] RUN\n\n"
	"Judges a stored run again with today's rules: RUN is its name below reports/, or "
	"\"latest\".\n"
	"Nothing is written; exit status as of `leakproof run`.\n";

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

static int replay(const char *captures, const char *reports, const char *name, bool json,
		  struct err *err)
{
	_cleanup_free_ char *report_dir = str_fmt("%s/%s", reports, name);
	_cleanup_free_ char *path = str_fmt("%s/journal.jsonl", report_dir);
	_cleanup_json_ json_t *events = journal_read(path, err);
	_cleanup_free_ char *dir = NULL;
	struct evaluate_opts o = { .reports = report_dir };
	struct report_opts ro = { 0 };
	struct result *r;
	int status;

	if (!events)
		return fail(err);
	dir = captures_of(captures, events);
	o.captures = dir;
	r = evaluate_run(events, &o, err);
	if (!r || report_write(report_find(json ? "json" : "text"), r, &ro, stdout, err) < 0) {
		result_free(r);
		return fail(err);
	}
	status = evaluate_exit_status(r);
	result_free(r);
	return status;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
						 { "captures", required_argument, NULL, 'c' },
						 { "reports", required_argument, NULL, 'r' },
						 { NULL, 0, NULL, 0 } };
	const char *captures = "captures", *reports = "reports";
	struct err err = { 0 };
	bool json = false;
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?')
			return EXIT_USAGE;
		json |= c == 'j';
		captures = c == 'c' ? optarg : captures;
		reports = c == 'r' ? optarg : reports;
	}
	if (argc - optind != 1) {
		log_error("which run? `leakproof replay --help`");
		return EXIT_USAGE;
	}
	return replay(captures, reports, argv[optind], json, &err);
}

const struct command cmd_replay = {
	.name = "replay",
	.summary = "judge a stored run again, from its journal and captures alone",
	.usage = usage,
	.run = run,
};
