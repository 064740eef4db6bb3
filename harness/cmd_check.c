// SPDX-License-Identifier: MIT
/* leakproof check: read scenarios, start nothing, say every mistake with its place. */
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
#include "host/host.h"

static const char usage[] =
	"usage: leakproof check [--json] [PATH]...\n\n"
	"Reads scenario files, or every *.yaml of a folder (default: the shipped scenarios), and "
	"says\n"
	"every mistake as file:line:column with the line and the nearest valid word. Starts "
	"nothing.\n\n"
	"  --json   {\"ok\": .., \"scenarios\": [..], \"mistakes\": [..]} on standard output\n\n"
	"exit status: 0 all well, 2 a mistake\n";

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ NULL, 0, NULL, 0 },
};

static int print_json(const struct scenario_set *set, const struct diag *d)
{
	json_t *names = json_array();
	json_t *j;
	int rc;

	for (size_t i = 0; i < set->n; i++)
		(void)json_array_append_new(names, json_string(set->items[i]->name));
	j = json_pack("{s:b, s:o, s:o}", "ok", d->total == 0, "scenarios", names, "mistakes",
		      diag_to_json(d));
	rc = j ? json_dumpf(j, stdout, JSON_INDENT(2)) : -1;
	(void)putchar('\n');
	json_decref(j);
	return rc;
}

static void print_text(const struct scenario_set *set, const struct diag *d)
{
	for (size_t i = 0; i < set->n; i++)
		(void)printf("%s: ok (%s, %zu steps)\n", set->items[i]->file, set->items[i]->name,
			     set->items[i]->n_steps);
	(void)fflush(stdout);
	diag_print(d, stderr, term_has_colour(stderr));
}

static int check_paths(char **paths, int n, bool json)
{
	struct scenario_set set = { 0 };
	struct err err = { 0 };
	struct diag d = { 0 };
	int rc = 0;

	for (int i = 0; i < n; i++)
		if (scenario_load_path(paths[i], engine_vocab(), &set, &d, rc ? NULL : &err) < 0)
			rc = -1;
	if (json && print_json(&set, &d) < 0)
		rc = err_set(&err, EXIT_ENVIRONMENT, "standard output");
	if (!json)
		print_text(&set, &d);
	scenario_set_free(&set);
	diag_free(&d);
	return rc < 0 ? err.status : EXIT_PASS;
}

static int run(int argc, char **argv)
{
	_cleanup_free_ char *home = NULL, *shipped = NULL;
	struct err err = { 0 };
	bool json = false;
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'j')
			return EXIT_USAGE;
		json = true;
	}
	if (optind < argc)
		return check_paths(argv + optind, argc - optind, json);
	home = host_home_dir(&err);
	if (!home) {
		log_error("%s", err.text);
		return err.status;
	}
	shipped = str_fmt("%s/scenarios", home);
	return check_paths(&shipped, 1, json);
}

const struct command cmd_check = {
	.name = "check",
	.summary = "read scenarios and say every mistake, start nothing",
	.usage = usage,
	.run = run,
};
