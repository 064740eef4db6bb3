/* SPDX-License-Identifier: MIT */
/* The YAML reference as Markdown, printed from the rows. */
#include "scenario/reference.h"

#include "scenario/steps.h"
#include "yaml/markdown.h"

static void print_kinds(FILE *f, const struct kind *const *kinds)
{
	for (; kinds && *kinds; kinds++) {
		(void)fprintf(f, "### `%s`\n\n%s%s.\n\n", (*kinds)->name, (*kinds)->summary,
			      (*kinds)->instant ? " (in an instant: no `hold`, no `heal`)" : "");
		if ((*kinds)->help)
			(void)fprintf(f, "%s\n\n", (*kinds)->help);
		if ((*kinds)->fields)
			markdown_rows(f, (*kinds)->fields);
	}
}

static void print_steps(FILE *f)
{
	(void)fputs(
		"## Steps of `timeline`\n\n"
		"A step is a mapping with one verb and the keys of that verb beside it; `up` and "
		"`down` may stand alone.\n\n",
		f);
	for (int i = 0; i < STEP_COUNT; i++) {
		(void)fprintf(f, "### `%s`\n\n%s\n\n", step_verbs[i], step_rows[i].help);
		markdown_rows(f, step_rows[i].fields);
	}
}

static void print_names(FILE *f)
{
	(void)fputs("## Conditions of `wait`\n\n", f);
	for (int i = 0; i < CONDITION_COUNT; i++)
		(void)fprintf(f, "* `%s`: %s\n", condition_name((enum condition)i),
			      condition_help((enum condition)i));
	(void)fputs("\n## What `check` asks\n\n", f);
	for (int i = 0; i < CHECK_COUNT; i++)
		(void)fprintf(f, "* `%s`: %s\n", check_name((enum check_id)i),
			      check_help((enum check_id)i));
	(void)fputc('\n', f);
}

void scenario_reference(FILE *f, const struct vocab *v)
{
	(void)fputs(
		"# Scenario reference\n\n"
		"Printed by `leakproof list keys` from the program's own tables.\n\n"
		"A scenario is one YAML file: a mapping without anchors, aliases and tags, at most "
		"16 levels deep. A duration is a whole number and a unit: `200ms`, `5s`, `3m`, "
		"`1h`. A name is made of small letters, digits and `.-_`.\n\n"
		"```yaml\n"
		"name: kill-vpn-process\n"
		"summary: The tunnel's process dies under load; nothing leaks, the apps come "
		"back.\n"
		"timeline:\n"
		"  - start: udp\n"
		"  - wait: tunnel-traffic\n"
		"  - fault: vpn.process-kill\n"
		"  - wait: recovered\n"
		"    timeout: 60s\n"
		"expect:\n"
		"  kill-switch: 5s\n"
		"  recovery: 60s\n"
		"```\n\n"
		"## Keys of a scenario\n\n",
		f);
	markdown_rows(f, scenario_fields);
	(void)fputs("## Keys of `expect`\n\n", f);
	markdown_rows(f, expect_fields);
	print_steps(f);
	print_names(f);
	(void)fputs("## Faults\n\nKeys that a fault takes beside those of the step `fault`.\n\n",
		    f);
	print_kinds(f, v->faults);
	(void)fputs("## Workloads and probes\n\n", f);
	print_kinds(f, v->probes);
}
