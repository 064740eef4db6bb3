// SPDX-License-Identifier: MIT
/* One scenario's section of the page. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "report/html.h"
#include "report/summary.h"

static void put_duration(FILE *f, int64_t ns)
{
	_cleanup_free_ char *text = summary_duration(ns);

	html_text(f, text);
}

/* ---- head ---- */

static void put_head(FILE *f, const struct result *r, const struct result_scenario *s)
{
	_cleanup_free_ char *anchor = html_anchor(r, s);

	(void)fprintf(f,
		      "<section class=\"card scenario%s\" id=\"%s\" data-v=\"%s\" data-x=\"%d\">\n"
		      "<div class=\"top\"><h3><a href=\"#%s\">",
		      s->as_expected ? "" : " unexpected", anchor, verdict_name(s->verdict),
		      !s->as_expected, anchor);
	html_text(f, s->name);
	(void)fputs("</a>", f);
	if (summary_is_repeated(r, s))
		(void)fprintf(f, " <span class=\"chip\">repeat %u</span>", s->repeat);
	if (s->must_leak)
		(void)fputs(" <span class=\"chip\">control: must leak</span>", f);
	(void)fputs("</h3>", f);
	html_pill(f, s);
	(void)fputs("</div>\n", f);
	if (*s->summary)
		html_element(f, "p", "soft", s->summary);
	html_element(f, "p", "reason", s->reason);
}

/* ---- faults ---- */

static void put_fault(FILE *f, const struct result_scenario *s, const struct result_window *w)
{
	(void)fputs("<li><strong>", f);
	html_text(f, w->label);
	(void)fputs("</strong> <span class=\"soft\">from ", f);
	html_moment(f, s, w->begin);
	(void)fputs(" to ", f);
	html_moment(f, s, w->end);
	(void)fputs(", applied within ", f);
	put_duration(f, w->uncertainty);
	(void)fputs(".</span> ", f);
	if (w->confirmed)
		(void)fputs("<span class=\"ok\">\xe2\x9c\x93 confirmed:</span> ", f);
	else
		(void)fputs("<span class=\"bad\">\xe2\x9c\x97 never confirmed:</span> ", f);
	html_text(f, *w->confirmation ? w->confirmation : "no word on how");
	(void)fputs("</li>\n", f);
}

static void put_faults(FILE *f, const struct result_scenario *s)
{
	if (summary_faults(s) == 0)
		return;
	(void)fputs("<ol class=\"faults\">\n", f);
	for (size_t n = 0; summary_fault(s, n); n++)
		put_fault(f, s, summary_fault(s, n));
	(void)fputs("</ol>\n", f);
}

/* ---- measures ---- */

static void put_measure_name(FILE *f, const char *name)
{
	if (*name >= 'a' && *name <= 'z')
		(void)fputc(*name++ - 'a' + 'A', f);
	for (; *name && *name != '<'; name++) {
		char one[2] = { *name == '-' ? ' ' : *name, '\0' };

		if ((unsigned char)*name >= 0x80) {
			html_text(f, name);
			return;
		}
		html_text(f, one);
	}
	html_text(f, name);
}

static void put_big(FILE *f, const struct result_measure *m)
{
	_cleanup_free_ char *text = NULL;

	if (m->value == RESULT_NONE)
		text = str_fmt("%s",
			       strcmp(m->name, "kill-switch") == 0 ? "no leak" : "not measured");
	else if (m->value < 0)
		text = summary_duration(-m->value);
	else
		text = summary_duration(m->value);
	html_text(f, text);
	if (m->value != RESULT_NONE && m->value < 0)
		(void)fputs(" <small>before</small>", f);
}

static double percent(int64_t part, int64_t whole)
{
	double p = 100.0 * (double)part / (double)whole;

	return p < 0 ? 0 : p > 100 ? 100 : p;
}

/* The value against its bound; the light part is the uncertainty. */
static void put_gauge(FILE *f, const struct result_measure *m)
{
	int64_t value = m->value == RESULT_NONE ? 0 : m->value;
	/* The bound stands at 80 % of the width, so that an excess can be seen. */
	int64_t whole = m->bound + m->bound / 4;

	(void)fprintf(f,
		      "<svg class=\"gauge\" width=\"100%%\" height=\"10\" aria-hidden=\"true\">"
		      "<rect class=\"track\" width=\"100%%\" y=\"2\" height=\"6\" rx=\"3\"/>"
		      "<rect class=\"maybe\" width=\"%.2f%%\" y=\"2\" height=\"6\" rx=\"3\"/>"
		      "<rect class=\"value\" width=\"%.2f%%\" y=\"2\" height=\"6\" rx=\"3\"/>"
		      "<line x1=\"80%%\" x2=\"80%%\" y1=\"0\" y2=\"10\"/></svg>",
		      percent(value + m->uncertainty, whole), percent(value, whole));
}

/* Is the text more than the number that stands above it already? */
static bool says_more(const struct result_measure *m)
{
	_cleanup_free_ char *number = str_fmt("%.3f s", (double)m->value / 1e9);

	return strcmp(m->text, number) != 0;
}

static void put_measure(FILE *f, const struct result_measure *m)
{
	(void)fprintf(f, "<li class=\"measure%s\"><span class=\"what\">", m->ok ? "" : " broken");
	put_measure_name(f, m->name);
	if (m->bound != RESULT_NONE)
		(void)fputs(m->ok ? " <span class=\"ok\">\xe2\x9c\x93 kept</span>"
				  : " <span class=\"bad\">\xe2\x9c\x97 broken</span>",
			    f);
	(void)fputs("</span><span class=\"big\">", f);
	put_big(f, m);
	(void)fputs("</span>", f);
	if (m->bound > 0)
		put_gauge(f, m);
	(void)fputs("<span class=\"soft\">", f);
	if (m->bound != RESULT_NONE) {
		_cleanup_free_ char *bound = summary_bound(m->bound);

		(void)fprintf(f, "bound %s, ", bound);
	}
	(void)fputs("\xc2\xb1 ", f);
	put_duration(f, m->uncertainty);
	(void)fputs("</span>", f);
	if (says_more(m))
		html_element(f, "span", "soft", m->text);
	(void)fputs("</li>\n", f);
}

static void put_measures(FILE *f, const struct result_scenario *s)
{
	size_t last = SIZE_MAX;

	for (size_t i = 0; i < s->n_measures; i++) {
		size_t fault = summary_fault_of(s, &s->measures[i]);
		const struct result_window *w = summary_fault(s, fault);

		if (fault != last) {
			(void)fputs(last == SIZE_MAX ? "" : "</ul>\n", f);
			if (w && summary_faults(s) > 1) {
				_cleanup_free_ char *title = str_fmt("Fault %zu: %s", fault + 1,
								     w->label);

				html_element(f, "h4", NULL, title);
			}
			(void)fputs("<ul class=\"measures\">\n", f);
			last = fault;
		}
		put_measure(f, &s->measures[i]);
	}
	(void)fputs(s->n_measures ? "</ul>\n" : "", f);
}

static void put_foot(FILE *f, const struct result_scenario *s)
{
	(void)fputs("<p class=\"foot\">", f);
	if (*s->file) {
		html_element(f, "span", "path", s->file);
		(void)fprintf(f, ":%u \xc2\xb7 ", s->line);
	}
	(void)fputs("took ", f);
	put_duration(f, s->end - s->begin);
	(void)fputs(" \xc2\xb7 ", f);
	html_plural(f, s->canaries_sent, "canary packet");
	(void)fputs(" sent \xc2\xb7 ", f);
	html_plural(f, s->blocked, "attempt");
	(void)fputs(" blocked</p>\n", f);
}

void html_scenario(FILE *f, const struct result *r, const struct result_scenario *s)
{
	put_head(f, r, s);
	html_chart(f, s);
	put_faults(f, s);
	put_measures(f, s);
	html_findings(f, s, true);
	html_taps(f, r, s);
	html_controls(f, s);
	put_foot(f, s);
	(void)fputs("</section>\n", f);
}
