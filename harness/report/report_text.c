// SPDX-License-Identifier: MIT
/* The terminal: a line for a scenario, and the table at the end. */
#include <string.h>

#include "base/log.h"
#include "report/report.h"

#define FINDINGS_PRINTED 5

static const char *colour_of(enum verdict v, bool expected)
{
	if (expected)
		return "\033[32m";
	return v == VERDICT_LEAK || v == VERDICT_FAIL ? "\033[31m" : "\033[33m";
}

static void print_verdict(const struct result_scenario *s, FILE *f)
{
	bool colours = term_has_colour(f);

	(void)fprintf(f, "%s%-12s%s", colours ? colour_of(s->verdict, s->as_expected) : "",
		      verdict_name(s->verdict), colours ? "\033[0m" : "");
}

/* Worst value of a measure over the faults of a scenario; "-" when it was not measured. */
static void print_measure(const struct result_scenario *s, const char *name, FILE *f)
{
	int64_t worst = RESULT_NONE;
	bool seen = false;

	for (size_t i = 0; i < s->n_measures; i++)
		if (strcmp(s->measures[i].name, name) == 0) {
			seen = true;
			if (s->measures[i].value > worst)
				worst = s->measures[i].value;
		}
	if (worst != RESULT_NONE)
		(void)fprintf(f, " %9.3f s", (double)worst / 1e9);
	else
		(void)fprintf(f, " %11s", seen ? "none" : "-");
}

void report_live(const struct result_scenario *s, FILE *f)
{
	(void)fputs("  ", f);
	print_verdict(s, f);
	(void)fprintf(f, "%-24s %5.1f s  %s%s\n", s->name, (double)(s->end - s->begin) / 1e9,
		      s->must_leak ? s->as_expected ? "(a control, as expected) "
						    : "(a control that must leak!) "
				   : "",
		      s->reason);
}

static void print_row(const struct result_scenario *s, FILE *f)
{
	(void)fprintf(f, "%-24s ", s->name);
	print_verdict(s, f);
	(void)fprintf(f, "%-9s", s->as_expected ? "yes" : "NO");
	print_measure(s, "kill-switch", f);
	print_measure(s, "recovery", f);
	(void)fprintf(f, " %7llu %8llu %7.1f s\n", (unsigned long long)s->findings_total,
		      (unsigned long long)s->blocked, (double)(s->end - s->begin) / 1e9);
}

static void print_findings(const struct result_scenario *s, FILE *f)
{
	if (s->as_expected)
		return;
	(void)fprintf(f, "\n%s: %s\n", s->name, s->reason);
	for (size_t i = 0; i < s->n_findings && i < FINDINGS_PRINTED; i++) {
		const struct result_finding *x = &s->findings[i];

		(void)fprintf(f, "  %+.3f s  [%s] %s\n            %s  (tap %s, frame %llu)\n",
			      (double)(x->time - s->begin) / 1e9, x->rule, x->sentence, x->packet,
			      x->tap, (unsigned long long)x->frame);
	}
	if (s->findings_total > FINDINGS_PRINTED)
		(void)fprintf(f, "  ... %llu findings in all\n",
			      (unsigned long long)s->findings_total);
}

static int write_text(const struct result *r, const struct report_opts *o, FILE *f, struct err *err)
{
	(void)o;
	(void)err;
	(void)fprintf(f, "\nleakproof %s, run %s\n", r->version, r->run);
	for (size_t i = 0; i < r->n_images; i++)
		(void)fprintf(f, "  %-14s %s\n", r->images[i].name, r->images[i].value);
	(void)fprintf(f, "\n%-24s %-12s%-9s %11s %11s %7s %8s %9s\n", "scenario", "verdict",
		      "expected", "kill switch", "recovery", "leaks", "blocked", "time");
	for (size_t i = 0; i < r->n_scenarios; i++)
		print_row(&r->scenarios[i], f);
	for (size_t i = 0; i < r->n_scenarios; i++)
		print_findings(&r->scenarios[i], f);
	(void)fprintf(f, "\n%s: %s\n", verdict_name(r->verdict), r->sentence);
	return 0;
}

const struct report_row report_text = {
	.name = "text",
	.summary = "a table for the terminal",
	.write = write_text,
};
