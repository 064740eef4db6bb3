/* SPDX-License-Identifier: MIT */
/* The YAML reference as Markdown, printed from the rows. */
#include "scenario/reference.h"

#include <inttypes.h>
#include <string.h>

#include "scenario/steps.h"

/* A table cell: a bar would end it. */
static void print_cell(FILE *f, const char *text)
{
	for (; text && *text; text++) {
		if (*text == '|')
			(void)fputc('\\', f);
		(void)fputc(*text, f);
	}
}

static void print_type(FILE *f, const struct field *row)
{
	char lo[32], hi[32];

	switch (row->type) {
	case FIELD_STRING:
		(void)fputs("text", f);
		return;
	case FIELD_NAME:
		(void)fputs("name", f);
		return;
	case FIELD_INT:
		(void)fprintf(f, "number, %" PRId64 " to %" PRId64, row->min, row->max);
		return;
	case FIELD_DURATION:
		(void)fprintf(f, "duration, %s to %s", duration_text(row->min, lo, sizeof(lo)),
			      duration_text(row->max, hi, sizeof(hi)));
		return;
	case FIELD_BOOL:
		(void)fputs("true, false", f);
		return;
	case FIELD_ENUM:
		for (const char *const *n = row->names; *n; n++)
			(void)fprintf(f, "%s`%s`", n == row->names ? "" : ", ", *n);
		return;
	case FIELD_LIST:
		if (row->min == row->max)
			(void)fprintf(f, "list of %" PRId64 " names", row->max);
		else
			(void)fprintf(f, "list of %" PRId64 " to %" PRId64 " names", row->min,
				      row->max);
		return;
	case FIELD_EMPTY:
		(void)fputs("nothing", f);
		return;
	case FIELD_STEPS:
		(void)fputs("list of steps", f);
		return;
	case FIELD_NESTED:
		(void)fputs("mapping", f);
		return;
	}
}

static void print_rows(FILE *f, const struct field *rows)
{
	(void)fputs("| key | value | default | meaning |\n|---|---|---|---|\n", f);
	for (; rows->key; rows++) {
		(void)fprintf(f, "| `%s` | ", rows->key);
		print_type(f, rows);
		if (rows->required)
			(void)fputs(" | required | ", f);
		else if (rows->def)
			(void)fprintf(f, " | `%s` | ", rows->def);
		else
			(void)fputs(" | | ", f);
		print_cell(f, rows->help);
		(void)fputs(" |\n", f);
	}
	(void)fputc('\n', f);
}

static void print_kinds(FILE *f, const struct kind *const *kinds)
{
	for (; kinds && *kinds; kinds++) {
		(void)fprintf(f, "### `%s`\n\n%s%s.\n\n", (*kinds)->name, (*kinds)->summary,
			      (*kinds)->instant ? " (in an instant: no `hold`, no `heal`)" : "");
		if ((*kinds)->help)
			(void)fprintf(f, "%s\n\n", (*kinds)->help);
		if ((*kinds)->fields)
			print_rows(f, (*kinds)->fields);
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
		print_rows(f, step_rows[i].fields);
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
	print_rows(f, scenario_fields);
	(void)fputs("## Keys of `expect`\n\n", f);
	print_rows(f, expect_fields);
	print_steps(f);
	print_names(f);
	(void)fputs("## Faults\n\nKeys that a fault takes beside those of the step `fault`.\n\n",
		    f);
	print_kinds(f, v->faults);
	(void)fputs("## Workloads and probes\n\n", f);
	print_kinds(f, v->probes);
}
