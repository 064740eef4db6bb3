// SPDX-License-Identifier: MIT
/* The terminal: a line for a scenario, and the table at the end. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/report.h"
#include "report/summary.h"
#include "report/term.h"
#include "result/utf8.h"

#define EACH_OF_A_RUN	    3 /* findings of a rule that are printed */
#define EACH_OF_AN_ANALYSIS 20
#define NAME_LEAST	    22
#define NAME_MOST	    44

/* The worst over the faults of a scenario: "none" when nothing leaked at all, "-" when it was not measured. */
static void put_measure(const struct result_scenario *s, const char *name, FILE *f)
{
	const struct result_measure *m = summary_worst(s, name);
	_cleanup_free_ char *text = summary_duration(m ? m->value : RESULT_NONE);

	if (m && m->value == RESULT_NONE)
		(void)fprintf(f, " %11s ", "none");
	else
		(void)fprintf(f, " %11s%c", text, m && !m->ok ? '!' : ' ');
}

static void put_name(const struct result_scenario *s, size_t width, FILE *f)
{
	_cleanup_free_ char *clean = utf8_printable(s->name);
	char number[16] = "";
	size_t n = utf8_length(clean);

	if (s->repeat > 1)
		(void)snprintf(number, sizeof(number), " #%u", s->repeat);
	n += strlen(number);
	(void)fprintf(f, "%s%s%*s", clean, number, n < width ? (int)(width - n) : 0, "");
}

void report_live(const struct result_scenario *s, FILE *f)
{
	_cleanup_free_ char *took = summary_duration(s->end - s->begin);

	(void)fputs("  ", f);
	term_verdict(s->verdict, s->as_expected, 13, f);
	put_name(s, 24, f);
	(void)fprintf(f, " %9s  ", took);
	if (s->must_leak)
		(void)fputs(s->as_expected ? "(a control, as expected) "
					   : "(a control that must leak!) ",
			    f);
	term_put(f, s->reason);
	(void)fputc('\n', f);
}

static void put_row(const struct result_scenario *s, size_t width, FILE *f)
{
	_cleanup_free_ char *took = summary_duration(s->end - s->begin);

	put_name(s, width, f);
	(void)fputs("  ", f);
	term_verdict(s->verdict, s->as_expected, 13, f);
	(void)fprintf(f, "%-9s", s->as_expected ? "yes" : "NO");
	put_measure(s, "kill-switch", f);
	put_measure(s, "recovery", f);
	(void)fprintf(f, " %8llu %8llu %12s\n", (unsigned long long)s->findings_total,
		      (unsigned long long)s->blocked, took);
}

/* Why a scenario did not end as it must; nothing for the others. */
static void put_story(const struct result_scenario *s, FILE *f)
{
	if (s->as_expected)
		return;
	(void)fputc('\n', f);
	put_name(s, 0, f);
	(void)fputs(s->must_leak ? ": a control that must leak: " : ": ", f);
	term_put(f, s->reason);
	(void)fputc('\n', f);
	term_findings(s, EACH_OF_A_RUN, f);
}

static size_t name_width(const struct result *r)
{
	size_t width = NAME_LEAST;

	for (size_t i = 0; i < r->n_scenarios; i++) {
		size_t n = utf8_length(r->scenarios[i].name) + (r->scenarios[i].repeat > 1 ? 3 : 0);

		if (n > width)
			width = n;
	}
	return width < NAME_MOST ? width : NAME_MOST;
}

static void put_pairs(const struct result_pair *p, size_t n, FILE *f)
{
	for (size_t i = 0; i < n; i++) {
		(void)fputs("  ", f);
		term_padded(f, p[i].name, 14);
		(void)fputc(' ', f);
		term_put(f, p[i].value);
		(void)fputc('\n', f);
	}
}

static void put_head(const struct result *r, FILE *f)
{
	(void)fputs("\nleakproof ", f);
	term_put(f, r->version);
	(void)fprintf(f, ", %s ", result_is_analysis(r) ? "analysis of" : "run");
	term_put(f, r->run);
	(void)fputc('\n', f);
	put_pairs(r->images, r->n_images, f);
	if (result_is_analysis(r))
		put_pairs(r->environment, r->n_environment, f);
}

static void put_scenarios(const struct result *r, FILE *f)
{
	size_t width = name_width(r);

	(void)fputc('\n', f);
	term_padded(f, "scenario", width);
	(void)fprintf(f, "  %-13s%-9s %12s %12s %8s %8s %12s\n", "verdict", "expected",
		      "kill switch", "recovery", "findings", "blocked", "time");
	for (size_t i = 0; i < r->n_scenarios; i++)
		put_row(&r->scenarios[i], width, f);
	for (size_t i = 0; i < r->n_scenarios; i++)
		put_story(&r->scenarios[i], f);
}

static void put_controls(const struct result_scenario *s, FILE *f)
{
	size_t caught = 0;

	for (size_t i = 0; i < s->n_controls; i++)
		caught += s->controls[i].caught;
	if (s->n_controls)
		(void)fprintf(f, "\n%zu of %zu controls of the policy caught\n", caught,
			      s->n_controls);
}

static void put_analysis(const struct result_scenario *s, FILE *f)
{
	uint64_t attempts = summary_attempts(s);

	term_findings(s, EACH_OF_AN_ANALYSIS, f);
	term_taps(s, f);
	if (attempts)
		(void)fprintf(
			f,
			"\n%llu attempts of protected services to leave were seen inside, %llu "
			"of them nowhere outside (blocked)\n",
			(unsigned long long)attempts, (unsigned long long)s->blocked);
	put_controls(s, f);
}

static int write_text(const struct result *r, const struct report_opts *o, FILE *f, struct err *err)
{
	(void)o;
	(void)err;
	put_head(r, f);
	if (!result_is_analysis(r))
		put_scenarios(r, f);
	for (size_t i = 0; result_is_analysis(r) && i < r->n_scenarios; i++)
		put_analysis(&r->scenarios[i], f);
	term_coverage(r, f);
	(void)fputc('\n', f);
	term_verdict(r->verdict, r->verdict == VERDICT_PASS, 0, f);
	(void)fputs(": ", f);
	term_put(f, r->sentence);
	(void)fputc('\n', f);
	return 0;
}

const struct report_row report_text = {
	.name = "text",
	.summary = "a table for the terminal",
	.write = write_text,
};
