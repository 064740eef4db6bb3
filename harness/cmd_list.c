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
	"  --json       [{\"name\": .., \"summary\": ..}] on standard output (not keys, "
	"policy-keys, "
	"facts)\n"
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

static int rows_of_rules(json_t *rows, struct err *err)
{
	(void)err;
	for (size_t i = 0; i < n_rules; i++) {
		json_t *classes = json_array();

		for (const uint8_t *c = rules[i]->classes; *c; c++)
			(void)json_array_append_new(classes, json_integer(*c));
		(void)json_array_append_new(
			rows,
			json_pack("{s:s, s:s, s:s, s:s, s:o}", "name", rules[i]->id, "summary",
				  rules[i]->sentence, "severity", severity_name(rules[i]->severity),
				  "advice", rules[i]->advice, "classes", classes));
	}
	return 0;
}

static void scenario_keys(FILE *f)
{
	scenario_reference(f, engine_vocab());
}

/* A list has rows, or is a document, which is no JSON. */
static const struct list {
	const char *name;
	int (*rows)(json_t *rows, struct err *err);
	void (*document)(FILE *f);
} lists[] = {
	{ "scenarios", rows_of_scenarios, NULL }, { "faults", rows_of_faults, NULL },
	{ "probes", rows_of_probes, NULL },	  { "conditions", rows_of_conditions, NULL },
	{ "checks", rows_of_checks, NULL },	  { "stacks", rows_of_stacks, NULL },
	{ "reports", rows_of_reports, NULL },	  { "rules", rows_of_rules, NULL },
	{ "keys", NULL, scenario_keys },	  { "policy-keys", NULL, policy_reference },
	{ "facts", NULL, facts_markdown },
};

#define N_LISTS (sizeof(lists) / sizeof(lists[0]))

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

static int print_rows(const struct list *l, bool json)
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

static const struct list *find_list(const char *what)
{
	const char *names[N_LISTS + 1] = { NULL };
	_cleanup_free_ char *hint = NULL;

	for (size_t i = 0; i < N_LISTS; i++) {
		if (strcmp(lists[i].name, what) == 0)
			return &lists[i];
		names[i] = lists[i].name;
	}
	hint = diag_did_you_mean(what, names);
	log_error("nothing to list is called `%s`%s; `leakproof list --help` says what is", what,
		  hint);
	return NULL;
}

struct how {
	bool json, coverage, markdown;
};

static int print_named(const char *what, const struct how *how)
{
	const struct list *l = find_list(what);
	bool is_rules = l && l->rows == rows_of_rules;

	if (!l)
		return EXIT_USAGE;
	if ((how->coverage || how->markdown) && !is_rules) {
		log_error("--coverage and --markdown go with `list rules`");
		return EXIT_USAGE;
	}
	if (how->json && !l->rows) {
		log_error("`list %s` is a document, without --json", what);
		return EXIT_USAGE;
	}
	if (how->markdown)
		rule_markdown(stdout);
	else if (is_rules && !how->json)
		rule_list(stdout, how->coverage);
	else if (l->document)
		l->document(stdout);
	else
		return print_rows(l, how->json);
	return EXIT_PASS;
}

static int run(int argc, char **argv)
{
	struct how how = { false, false, false };
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?')
			return EXIT_USAGE;
		how.json |= c == OPT_JSON;
		how.coverage |= c == OPT_COVERAGE;
		how.markdown |= c == OPT_MARKDOWN;
	}
	if (argc - optind != 1) {
		log_error("`leakproof list` wants one word; `leakproof list --help` says which");
		return EXIT_USAGE;
	}
	return print_named(argv[optind], &how);
}

const struct command cmd_list = {
	.name = "list",
	.summary = "print scenarios, faults, probes, rules, conditions, YAML keys",
	.usage = usage,
	.run = run,
};
