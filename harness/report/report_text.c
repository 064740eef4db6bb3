// SPDX-License-Identifier: MIT
/* The terminal: a line for a scenario, and the table at the end. Names come from files and bytes from the wire:
 * nothing is printed before utf8_printable() took the escape sequences out. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "report/report.h"
#include "report/summary.h"
#include "result/utf8.h"

#define FINDINGS_PRINTED 5
#define NAME_LEAST	 22
#define NAME_MOST	 44

static void put(FILE *f, const char *s)
{
	_cleanup_free_ char *clean = utf8_printable(s);

	(void)fputs(clean, f);
}

/* Pad by characters, not by bytes as printf does. */
static void put_padded(FILE *f, const char *s, size_t width)
{
	_cleanup_free_ char *clean = utf8_printable(s);
	size_t n = utf8_length(clean);

	(void)fprintf(f, "%s%*s", clean, n < width ? (int)(width - n) : 0, "");
}

static const char *colour_of(enum verdict v, bool expected)
{
	if (expected)
		return "\033[32m";
	return v == VERDICT_LEAK || v == VERDICT_FAIL ? "\033[31m" : "\033[33m";
}

static void put_verdict(enum verdict v, bool expected, size_t width, FILE *f)
{
	bool colours = term_has_colour(f);

	(void)fputs(colours ? colour_of(v, expected) : "", f);
	put_padded(f, verdict_name(v), width);
	(void)fputs(colours ? "\033[0m" : "", f);
}

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
	put_verdict(s->verdict, s->as_expected, 13, f);
	put_name(s, 24, f);
	(void)fprintf(f, " %9s  ", took);
	if (s->must_leak)
		(void)fputs(s->as_expected ? "(a control, as expected) "
					   : "(a control that must leak!) ",
			    f);
	put(f, s->reason);
	(void)fputc('\n', f);
}

static void put_row(const struct result_scenario *s, size_t width, FILE *f)
{
	_cleanup_free_ char *took = summary_duration(s->end - s->begin);

	put_name(s, width, f);
	(void)fputs("  ", f);
	put_verdict(s->verdict, s->as_expected, 13, f);
	(void)fprintf(f, "%-9s", s->as_expected ? "yes" : "NO");
	put_measure(s, "kill-switch", f);
	put_measure(s, "recovery", f);
	(void)fprintf(f, " %8llu %8llu %12s\n", (unsigned long long)s->findings_total,
		      (unsigned long long)s->blocked, took);
}

static void put_finding(const struct result_scenario *s, const struct result_finding *x, FILE *f)
{
	char date[32];

	/* To the millisecond, both ways: to find it in the capture, and beside the fault. */
	(void)fprintf(f, "  %s, %.3f s after the start [",
		      clock_iso8601(x->time, date, sizeof(date)),
		      (double)(x->time - s->begin) / 1e9);
	put(f, x->rule);
	(void)fputs("] ", f);
	put(f, x->sentence);
	(void)fputs("\n      ", f);
	put(f, x->packet);
	if (*x->tap) {
		(void)fputs(*x->packet ? "  (tap " : "(tap ", f);
		put(f, x->tap);
		(void)fprintf(f, ", frame %llu)", (unsigned long long)x->frame);
	}
	(void)fputc('\n', f);
}

/* Why a scenario did not end as it must; nothing for the others. */
static void put_story(const struct result_scenario *s, FILE *f)
{
	if (s->as_expected)
		return;
	(void)fputc('\n', f);
	put_name(s, 0, f);
	(void)fputs(s->must_leak ? ": a control that must leak: " : ": ", f);
	put(f, s->reason);
	(void)fputc('\n', f);
	for (size_t i = 0; i < s->n_findings && i < FINDINGS_PRINTED; i++)
		put_finding(s, &s->findings[i], f);
	if (s->findings_total > FINDINGS_PRINTED)
		(void)fprintf(f, "  ... %llu findings in all\n",
			      (unsigned long long)s->findings_total);
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

static void put_head(const struct result *r, FILE *f)
{
	(void)fputs("\nleakproof ", f);
	put(f, r->version);
	(void)fputs(", run ", f);
	put(f, r->run);
	(void)fputc('\n', f);
	for (size_t i = 0; i < r->n_images; i++) {
		(void)fputs("  ", f);
		put_padded(f, r->images[i].name, 14);
		(void)fputc(' ', f);
		put(f, r->images[i].value);
		(void)fputc('\n', f);
	}
}

static int write_text(const struct result *r, const struct report_opts *o, FILE *f, struct err *err)
{
	size_t width = name_width(r);

	(void)o;
	(void)err;
	put_head(r, f);
	(void)fputc('\n', f);
	put_padded(f, "scenario", width);
	(void)fprintf(f, "  %-13s%-9s %12s %12s %8s %8s %12s\n", "verdict", "expected",
		      "kill switch", "recovery", "findings", "blocked", "time");
	for (size_t i = 0; i < r->n_scenarios; i++)
		put_row(&r->scenarios[i], width, f);
	for (size_t i = 0; i < r->n_scenarios; i++)
		put_story(&r->scenarios[i], f);
	(void)fputc('\n', f);
	put_verdict(r->verdict, r->verdict == VERDICT_PASS, 0, f);
	(void)fputs(": ", f);
	put(f, r->sentence);
	(void)fputc('\n', f);
	return 0;
}

const struct report_row report_text = {
	.name = "text",
	.summary = "a table for the terminal",
	.write = write_text,
};
