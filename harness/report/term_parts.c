// SPDX-License-Identifier: MIT
/* Findings, taps and coverage as text. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "report/summary.h"
#include "report/term.h"
#include "result/utf8.h"

#define NAME_MOST 40

void term_put(FILE *f, const char *s)
{
	_cleanup_free_ char *clean = utf8_printable(s);

	(void)fputs(clean, f);
}

void term_padded(FILE *f, const char *s, size_t width)
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

void term_verdict(enum verdict v, bool expected, size_t width, FILE *f)
{
	bool colours = term_has_colour(f);

	(void)fputs(colours ? colour_of(v, expected) : "", f);
	term_padded(f, verdict_name(v), width);
	(void)fputs(colours ? "\033[0m" : "", f);
}

/* ---- findings ---- */

static void put_finding(const struct result_scenario *s, const struct result_finding *x, FILE *f)
{
	_cleanup_free_ char *how = summary_attribution(x);
	char stamp[32];

	/* To the millisecond, both ways: to find it in the capture, and beside the fault. */
	(void)fprintf(f, "  %s, %.3f s after the start", summary_stamp(x->time, stamp),
		      (double)(x->time - s->begin) / 1e9);
	if (*x->tap) {
		(void)fputs(", tap ", f);
		term_put(f, x->tap);
		(void)fprintf(f, ", frame %llu", (unsigned long long)x->frame);
	}
	(void)fputs("\n      ", f);
	term_put(f, x->sentence);
	(void)fputs("\n      ", f);
	if (*x->packet) {
		term_put(f, x->packet);
		(void)fputs("; ", f);
	}
	(void)fputs("service ", f);
	term_put(f, *x->service ? x->service : "not known");
	(void)fputs(" (", f);
	term_put(f, how);
	(void)fputs(")\n", f);
}

static void put_rule(const struct result_scenario *s, const struct result_rule *r, size_t each,
		     FILE *f)
{
	size_t shown = 0;

	(void)fputs("\n[", f);
	term_put(f, r->rule);
	(void)fputs("] ", f);
	term_put(f, r->severity);
	(void)fprintf(f, ", %llu finding%s\n  ", (unsigned long long)r->findings,
		      r->findings == 1 ? "" : "s");
	term_put(f, r->meaning);
	(void)fputs("\n  What to do: ", f);
	term_put(f, r->advice);
	(void)fputc('\n', f);
	for (size_t i = 0; i < s->n_findings && shown < each; i++)
		if (strcmp(s->findings[i].rule, r->rule) == 0) {
			put_finding(s, &s->findings[i], f);
			shown++;
		}
	if (r->findings > shown)
		(void)fprintf(f, "  ... %llu more\n", (unsigned long long)(r->findings - shown));
}

void term_findings(const struct result_scenario *s, size_t each, FILE *f)
{
	for (size_t i = 0; i < s->n_rules; i++)
		put_rule(s, &s->rules[i], each, f);
}

/* ---- taps ---- */

static size_t widest(size_t width, const char *s)
{
	size_t n = utf8_length(s);

	n = n < NAME_MOST ? n : NAME_MOST;
	return n > width ? n : width;
}

static void put_tap(const struct result_tap *t, size_t width, FILE *f)
{
	const uint64_t counts[] = { t->packets, t->tunnel,  t->leaked,	     t->allowed,
				    t->upkeep,	t->inbound, t->unattributed, t->undecodable };

	term_padded(f, t->name, width);
	(void)fputc(' ', f);
	term_padded(f, t->role, 7);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		(void)fprintf(f, " %10llu", (unsigned long long)counts[i]);
	(void)fputc('\n', f);
	if (!*t->note)
		return;
	(void)fputs("  ", f);
	term_put(f, t->note);
	(void)fputc('\n', f);
}

void term_taps(const struct result_scenario *s, FILE *f)
{
	size_t width = strlen("tap");

	if (s->n_taps == 0)
		return;
	for (size_t i = 0; i < s->n_taps; i++)
		width = widest(width, s->taps[i].name);
	(void)fputc('\n', f);
	term_padded(f, "tap", width);
	(void)fprintf(f, " %-7s %10s %10s %10s %10s %10s %10s %10s %10s\n", "role", "packets",
		      "tunnel", "leaked", "allowed", "upkeep", "inbound", "nobody's", "unread");
	for (size_t i = 0; i < s->n_taps; i++)
		put_tap(&s->taps[i], width, f);
}

/* ---- coverage ---- */

static void put_allowance(const struct result_allowance *a, size_t width, size_t who, FILE *f)
{
	term_padded(f, a->name, width);
	(void)fputc(' ', f);
	term_padded(f, a->builtin ? "built in" : a->who, who);
	(void)fprintf(f, " %10llu %12llu  %s", (unsigned long long)a->packets,
		      (unsigned long long)a->bytes,
		      a->packets == 0  ? "NEVER USED  "
		      : a->any_payload ? "ANY PAYLOAD  "
				       : "");
	term_put(f, a->what);
	(void)fputc('\n', f);
}

void term_coverage(const struct result *r, FILE *f)
{
	size_t n, width = strlen("allowed beside the tunnel"), who = strlen("built in");
	_cleanup_free_ struct result_allowance *rows = summary_coverage(r, &n);

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		width = widest(width, rows[i].name);
		who = widest(who, rows[i].who);
	}
	(void)fputc('\n', f);
	term_padded(f, "allowed beside the tunnel", width);
	(void)fputc(' ', f);
	term_padded(f, "who", who);
	(void)fprintf(f, " %10s %12s\n", "packets", "bytes");
	for (size_t i = 0; i < n; i++)
		put_allowance(&rows[i], width, who, f);
}
