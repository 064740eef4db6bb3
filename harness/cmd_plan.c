// SPDX-License-Identifier: MIT
/* leakproof plan: what a run would do, step by step, and how long it takes. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "command.h"
#include "engine/vocab.h"
#include "host/host.h"

static const char usage[] =
	"usage: leakproof plan [--json] [--scenarios PATH] [NAME | tag:TAG]...\n\n"
	"Prints the steps of scenarios with the earliest second each can begin at. Starts "
	"nothing.\n\n"
	"  --scenarios PATH   folder or file (default: the shipped scenarios)\n"
	"  --json             the same for machines, times in nanoseconds\n\n"
	"exit status: 0, or 2 for a mistake in a scenario or an unknown name\n";

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "scenarios", required_argument, NULL, 's' },
	{ NULL, 0, NULL, 0 },
};

/* How long a step takes at the least. */
static int64_t step_least(const struct step *s)
{
	if (s->id == STEP_OBSERVE)
		return s->u.observe.duration_ns;
	return s->id == STEP_FAULT ? s->u.fault.hold_ns : 0;
}

static void print_expect(const struct scenario *s)
{
	char t[32];

	(void)printf("  expect: %s",
		     s->expect.leaks == LEAKS_MUST ? "a leak (control)" : "no leak");
	if (s->expect.kill_switch_ns)
		(void)printf(", kill switch within %s",
			     duration_text(s->expect.kill_switch_ns, t, sizeof(t)));
	if (s->expect.recovery_ns)
		(void)printf(", recovery within %s",
			     duration_text(s->expect.recovery_ns, t, sizeof(t)));
	(void)putchar('\n');
}

static void print_scenario(const struct scenario *s)
{
	int64_t at = 0, least, most;

	scenario_bounds(s, &least, &most);
	(void)printf("%s: %s\n  %s:%u, stack %s", s->name, s->summary, s->file, s->line, s->stack);
	if (s->repeat > 1)
		(void)printf(", %lld times", (long long)s->repeat);
	(void)putchar('\n');
	if (s->implicit_up)
		(void)printf("       -  up, wait until healthy\n");
	for (size_t i = 0; i < s->n_steps; i++) {
		_cleanup_free_ char *text = step_describe(&s->steps[i]);

		(void)printf("  %6.1fs  %s\n", (double)at / 1e9, text);
		at += step_least(&s->steps[i]);
	}
	if (s->implicit_down)
		(void)printf("       -  down\n");
	print_expect(s);
	(void)printf("  %.1f s at the least, %.1f s with every time-out used up, and the stack's "
		     "own\n\n",
		     (double)least / 1e9, (double)most / 1e9);
}

static json_t *steps_json(const struct scenario *s)
{
	json_t *all = json_array();
	int64_t at = 0;

	for (size_t i = 0; i < s->n_steps; i++) {
		_cleanup_free_ char *text = step_describe(&s->steps[i]);

		(void)json_array_append_new(all, json_pack("{s:s, s:s, s:i, s:I}", "verb",
							   step_verb(s->steps[i].id), "text", text,
							   "line", (int)s->steps[i].line,
							   "earliest", (json_int_t)at));
		at += step_least(&s->steps[i]);
	}
	return all;
}

static json_t *scenario_json(const struct scenario *s)
{
	int64_t least, most;

	scenario_bounds(s, &least, &most);
	return json_pack("{s:s, s:s, s:s, s:i, s:s, s:I, s:b, s:o, s:I, s:I}", "name", s->name,
			 "summary", s->summary, "file", s->file, "line", (int)s->line, "stack",
			 s->stack, "repeat", (json_int_t)s->repeat, "must-leak",
			 s->expect.leaks == LEAKS_MUST, "steps", steps_json(s), "least",
			 (json_int_t)least, "most", (json_int_t)most);
}

static int print_set(const struct scenario_set *set, bool json)
{
	_cleanup_json_ json_t *all = json_array();

	for (size_t i = 0; i < set->n; i++) {
		if (json)
			(void)json_array_append_new(all, scenario_json(set->items[i]));
		else
			print_scenario(set->items[i]);
	}
	if (json && (json_dumpf(all, stdout, JSON_INDENT(2)) < 0 || putchar('\n') < 0))
		return EXIT_ENVIRONMENT;
	return EXIT_PASS;
}

static int load(const char *path, struct scenario_set *set, struct err *err)
{
	_cleanup_free_ char *home = path ? NULL : host_home_dir(err);
	_cleanup_free_ char *shipped = NULL;
	struct diag d = { 0 };
	int rc;

	if (!path && !home)
		return -1;
	shipped = str_fmt("%s/scenarios", home ? home : "");
	rc = scenario_load_path(path ? path : shipped, engine_vocab(), set, &d, err);
	if (d.n) {
		diag_print(&d, stderr, term_has_colour(stderr));
		err->text[0] = '\0'; /* said already */
	}
	diag_free(&d);
	return rc;
}

static int run(int argc, char **argv)
{
	struct scenario_set set = { 0 };
	struct err err = { 0 };
	const char *path = NULL;
	bool json = false;
	int c, rc;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			path = optarg;
		else if (c == 'j')
			json = true;
		else
			return EXIT_USAGE;
	}
	rc = load(path, &set, &err);
	if (rc == 0)
		rc = scenario_select(&set, (const char *const *)argv + optind,
				     (size_t)(argc - optind), &err);
	if (rc < 0 && *err.text)
		log_error("%s", err.text);
	rc = rc < 0 ? err.status : print_set(&set, json);
	scenario_set_free(&set);
	return rc;
}

const struct command cmd_plan = {
	.name = "plan",
	.summary = "print what scenarios would do, step by step",
	.usage = usage,
	.run = run,
};
