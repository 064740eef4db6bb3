// SPDX-License-Identifier: MIT
/* leakproof list: the program's own tables, for people, for docs/ and for machines. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/log.h"
#include "command.h"
#include "engine/vocab.h"
#include "fault/fault.h"
#include "host/host.h"
#include "packet/facts_doc.h"
#include "report/report.h"
#include "rule/rule.h"

static const char usage[] =
	"usage: leakproof list WHAT [--json | --coverage | --markdown]\n\n"
	"  scenarios    the shipped scenarios          faults       what can be broken\n"
	"  probes       what can send, and workloads   conditions   what `wait` waits for\n"
	"  checks       what `check` asks              stacks       what `stack` may name\n"
	"  rules        what counts as a leak          reports      formats of reports\n"
	"  keys         the YAML reference of scenarios, as Markdown (docs/scenario-reference.md)\n"
	"  policy-keys  the YAML reference of policies, as Markdown (docs/policy-reference.md)\n"
	"  facts        the JSON of `analyze --facts`, as Markdown (docs/facts.md)\n\n"
	"  --json       [{\"name\": .., \"summary\": ..}] on standard output (not rules, keys, "
	"policy-keys, facts)\n"
	"  --coverage   with rules: the classes of leaks and the rules that see them\n"
	"  --markdown   with rules: docs/leaks.md\n";

enum { OPT_JSON = 256, OPT_COVERAGE, OPT_MARKDOWN };

static const struct option options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "coverage", no_argument, NULL, OPT_COVERAGE },
	{ "markdown", no_argument, NULL, OPT_MARKDOWN },
	{ NULL, 0, NULL, 0 },
};

static void add(json_t *rows, const char *name, const char *summary)
{
	(void)json_array_append_new(rows,
				    json_pack("{s:s, s:s}", "name", name, "summary", summary));
}

static int rows_of_scenarios(json_t *rows, struct err *err)
{
	_cleanup_free_ char *home = host_home_dir(err);
	_cleanup_free_ char *path = NULL;
	struct scenario_set set = { 0 };
	struct diag d = { 0 };
	int rc;

	if (!home)
		return -1;
	path = str_fmt("%s/scenarios", home);
	rc = scenario_load_path(path, engine_vocab(), &set, &d, err);
	for (size_t i = 0; i < set.n; i++)
		add(rows, set.items[i]->name, set.items[i]->summary);
	scenario_set_free(&set);
	diag_free(&d);
	return rc;
}

static int rows_of_faults(json_t *rows, struct err *err)
{
	(void)err;
	for (const struct fault *const *f = fault_all(); *f; f++) {
		_cleanup_free_ char *text = str_fmt(
			"%s; ends by: %s%s", (*f)->kind.summary, (*f)->heals,
			(*f)->reaches_host ? " (real host: --i-mean-it)" : "");

		add(rows, (*f)->kind.name, text);
	}
	return 0;
}

static int rows_of_probes(json_t *rows, struct err *err)
{
	(void)err;
	for (const struct kind *const *k = engine_vocab()->probes; *k; k++)
		add(rows, (*k)->name, (*k)->summary);
	return 0;
}

static int rows_of_conditions(json_t *rows, struct err *err)
{
	(void)err;
	for (int i = 0; i < CONDITION_COUNT; i++)
		add(rows, condition_name((enum condition)i), condition_help((enum condition)i));
	return 0;
}

static int rows_of_checks(json_t *rows, struct err *err)
{
	(void)err;
	for (int i = 0; i < CHECK_COUNT; i++)
		add(rows, check_name((enum check_id)i), check_help((enum check_id)i));
	return 0;
}

static int rows_of_stacks(json_t *rows, struct err *err)
{
	(void)err;
	for (const char *const *n = scenario_stack_names(); *n; n++)
		add(rows, *n,
		    strncmp(*n, "leaky/", 6) == 0 ? "a control that must leak"
						  : "the hardened stack");
	return 0;
}

static int rows_of_reports(json_t *rows, struct err *err)
{
	(void)err;
	for (size_t i = 0; i < n_report_rows; i++)
		add(rows, report_rows[i]->name, report_rows[i]->summary);
	return 0;
}

static const struct list {
	const char *name;
	int (*rows)(json_t *rows, struct err *err);
} lists[] = {
	{ "scenarios", rows_of_scenarios }, { "faults", rows_of_faults },
	{ "probes", rows_of_probes },	    { "conditions", rows_of_conditions },
	{ "checks", rows_of_checks },	    { "stacks", rows_of_stacks },
	{ "reports", rows_of_reports },
};

static void print_text(const json_t *rows)
{
	const json_t *r;
	size_t i;
	int width = 0;

	json_array_foreach(rows, i, r)
	{
		int n = (int)strlen(json_string_value(json_object_get(r, "name")));

		width = n > width ? n : width;
	}
	json_array_foreach(rows, i, r)(void)
		printf("%-*s  %s\n", width, json_string_value(json_object_get(r, "name")),
		       json_string_value(json_object_get(r, "summary")));
}

static int print_list(const struct list *l, bool json)
{
	_cleanup_json_ json_t *rows = json_array();
	struct err err = { 0 };
	int rc = l->rows(rows, &err);

	if (json && (json_dumpf(rows, stdout, JSON_INDENT(2)) < 0 || putchar('\n') < 0))
		return EXIT_ENVIRONMENT;
	if (!json)
		print_text(rows);
	if (rc < 0)
		log_error("%s", err.text);
	return rc < 0 ? err.status : EXIT_PASS;
}

static int print_named(const char *what, bool json, bool coverage, bool markdown)
{
	static const char *const names[] = { "scenarios", "faults",	 "probes",  "conditions",
					     "checks",	  "stacks",	 "reports", "rules",
					     "keys",	  "policy-keys", "facts",   NULL };
	const char *near;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strcmp(lists[i].name, what) == 0)
			return print_list(&lists[i], json);
	if (strcmp(what, "keys") == 0) {
		scenario_reference(stdout, engine_vocab());
		return EXIT_PASS;
	}
	if (strcmp(what, "policy-keys") == 0) {
		policy_reference(stdout);
		return EXIT_PASS;
	}
	if (strcmp(what, "facts") == 0) {
		facts_markdown(stdout);
		return EXIT_PASS;
	}
	if (strcmp(what, "rules") == 0) {
		if (markdown)
			rule_markdown(stdout);
		else
			rule_list(stdout, coverage);
		return EXIT_PASS;
	}
	near = diag_nearest(what, names);
	log_error("nothing to list is called `%s`%s%s%s; `leakproof list --help` says what is",
		  what, near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
	return EXIT_USAGE;
}

static int run(int argc, char **argv)
{
	bool json = false, coverage = false, markdown = false;
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?')
			return EXIT_USAGE;
		json |= c == OPT_JSON;
		coverage |= c == OPT_COVERAGE;
		markdown |= c == OPT_MARKDOWN;
	}
	if (argc - optind != 1) {
		log_error("`leakproof list` wants one word; `leakproof list --help` says which");
		return EXIT_USAGE;
	}
	return print_named(argv[optind], json, coverage, markdown);
}

const struct command cmd_list = {
	.name = "list",
	.summary = "print scenarios, faults, probes, rules, conditions, YAML keys",
	.usage = usage,
	.run = run,
};
