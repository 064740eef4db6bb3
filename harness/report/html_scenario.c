// SPDX-License-Identifier: MIT
/* One scenario's section of the page. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "report/html.h"
#include "report/summary.h"

#define ROWS_OPEN 6 /* packets of a group of findings that are shown before one asks for more */

/* Seconds since the scenario began, to the millisecond. */
static void put_moment(FILE *f, const struct result_scenario *s, int64_t t)
{
	(void)fprintf(f, "%.3f\xe2\x80\xafs", (double)(t - s->begin) / 1e9);
}

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
	put_moment(f, s, w->begin);
	(void)fputs(" to ", f);
	put_moment(f, s, w->end);
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

/* ---- findings, grouped by what happened to whom ---- */

static bool same_group(const struct result_finding *a, const struct result_finding *b)
{
	return strcmp(a->rule, b->rule) == 0 && strcmp(a->service, b->service) == 0 &&
	       strcmp(a->tap, b->tap) == 0;
}

static bool is_first_of_group(const struct result_scenario *s, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (same_group(&s->findings[k], &s->findings[i]))
			return false;
	return true;
}

static size_t group_size(const struct result_scenario *s, size_t first)
{
	size_t n = 0;

	for (size_t i = first; i < s->n_findings; i++)
		n += same_group(&s->findings[first], &s->findings[i]);
	return n;
}

static const char *severity_mark(const char *severity)
{
	if (strcmp(severity, "critical") == 0)
		return "\xe2\x97\x8f\xe2\x97\x8f\xe2\x97\x8f\xe2\x97\x8f";
	if (strcmp(severity, "high") == 0)
		return "\xe2\x97\x8f\xe2\x97\x8f\xe2\x97\x8f\xe2\x97\x8b";
	if (strcmp(severity, "medium") == 0)
		return "\xe2\x97\x8f\xe2\x97\x8f\xe2\x97\x8b\xe2\x97\x8b";
	return "\xe2\x97\x8f\xe2\x97\x8b\xe2\x97\x8b\xe2\x97\x8b";
}

static void put_confidence(FILE *f, const struct result_finding *x)
{
	html_text(f, x->attribution);
	if (!isnan(x->confidence))
		(void)fprintf(f, ", %.0f\xe2\x80\xaf%% sure", 100 * x->confidence);
}

static void put_packet(FILE *f, const struct result_scenario *s, const struct result_finding *x)
{
	(void)fputs("<tr><td class=\"n\" data-l=\"at\">", f);
	put_moment(f, s, x->time);
	(void)fputs("</td><td data-l=\"packet\"><code>", f);
	html_text(f, *x->packet ? x->packet : "no packet: seen in /proc");
	(void)fputs("</code></td><td class=\"n\" data-l=\"frame\">", f);
	if (x->frame)
		html_count(f, x->frame);
	(void)fputs("</td><td data-l=\"attributed by\">", f);
	put_confidence(f, x);
	(void)fputs("</td><td data-l=\"evidence\">", f);
	if (*x->evidence) {
		const char *slash = strrchr(x->evidence, '/');

		html_file_link(f, x->evidence, slash ? slash + 1 : x->evidence);
	}
	(void)fputs("</td></tr>\n", f);
}

static const char packet_head[] =
	"<table class=\"rows\"><thead><tr><th class=\"n\">at</th><th>packet</th><th "
	"class=\"n\">frame</th><th>attributed by</th><th>evidence</th></tr></thead><tbody>\n";

static void put_packets(FILE *f, const struct result_scenario *s, size_t first)
{
	size_t n = 0, all = group_size(s, first);

	(void)fputs(packet_head, f);
	for (size_t i = first; i < s->n_findings; i++) {
		if (!same_group(&s->findings[first], &s->findings[i]))
			continue;
		if (n++ == ROWS_OPEN && all > ROWS_OPEN + 2) {
			(void)fprintf(f,
				      "</tbody></table><details class=\"more\"><summary>%zu more"
				      "</summary>",
				      all - ROWS_OPEN);
			(void)fputs(packet_head, f);
		}
		put_packet(f, s, &s->findings[i]);
	}
	(void)fputs("</tbody></table>", f);
	(void)fputs(all > ROWS_OPEN + 2 ? "</details>\n" : "\n", f);
}

static void put_group(FILE *f, const struct result_scenario *s, size_t first)
{
	const struct result_finding *x = &s->findings[first];

	(void)fputs("<article class=\"finding\"><p class=\"labels\"><span class=\"sev\" "
		    "title=\"severity\">",
		    f);
	(void)fprintf(f, "<span aria-hidden=\"true\">%s</span> ", severity_mark(x->severity));
	html_text(f, x->severity);
	(void)fputs("</span> ", f);
	html_element(f, "code", NULL, x->rule);
	if (*x->tap) {
		(void)fputs(" on tap ", f);
		html_element(f, "code", NULL, x->tap);
	}
	(void)fputs(" <span class=\"soft\">", f);
	html_text(f, *x->service ? x->service : "not attributed to one service");
	(void)fputs("</span></p>\n", f);
	html_element(f, "p", "sentence", x->sentence);
	if (*x->advice) {
		(void)fputs("<p class=\"advice\"><strong>What to do:</strong> ", f);
		html_text(f, x->advice);
		(void)fputs("</p>\n", f);
	}
	put_packets(f, s, first);
	(void)fputs("</article>\n", f);
}

static void put_findings(FILE *f, const struct result_scenario *s)
{
	if (s->findings_total == 0)
		return;
	(void)fprintf(f,
		      "<details class=\"fold findings\"%s><summary>Findings <span class=\"count\">",
		      s->as_expected ? "" : " open");
	html_count(f, s->findings_total);
	(void)fputs("</span></summary>\n", f);
	if (s->findings_total > s->n_findings) {
		(void)fputs("<p class=\"soft\">The first ", f);
		html_count(f, s->n_findings);
		(void)fputs(" are listed; the captures hold all.</p>\n", f);
	}
	for (size_t i = 0; i < s->n_findings; i++)
		if (is_first_of_group(s, i))
			put_group(f, s, i);
	(void)fputs("</details>\n", f);
}

/* ---- taps and controls: what vouches for the verdict ---- */

static void put_cell_count(FILE *f, const char *label, uint64_t n)
{
	(void)fprintf(f, "<td class=\"n\" data-l=\"%s\">", label);
	html_count(f, n);
	(void)fputs("</td>", f);
}

static void put_cell(FILE *f, const char *label, const char *text)
{
	(void)fprintf(f, "<td data-l=\"%s\">", label);
	html_text(f, text);
	(void)fputs("</td>", f);
}

static void put_tap(FILE *f, const struct result_tap *t)
{
	bool sound = summary_tap_is_sound(t);

	(void)fputs("<tr><th scope=\"row\">", f);
	html_text(f, t->name);
	(void)fputs("</th>", f);
	put_cell(f, "role", t->role);
	put_cell(f, "interface", t->interface);
	put_cell_count(f, "received", t->received);
	put_cell_count(f, "dropped", t->dropped);
	put_cell_count(f, "delivered", t->delivered);
	(void)fprintf(f, "<td data-l=\"beacons\">first %s, last %s</td>",
		      t->beacon_begin ? "\xe2\x9c\x93" : "\xe2\x80\x93",
		      t->beacon_end ? "\xe2\x9c\x93" : "\xe2\x80\x93");
	(void)fprintf(f, "<td data-l=\"adds up\" class=\"%s\">%s</td></tr>\n", sound ? "ok" : "bad",
		      sound ? "\xe2\x9c\x93 yes" : "\xe2\x9c\x97 no");
}

static void put_taps(FILE *f, const struct result_scenario *s)
{
	size_t sound = 0;

	if (s->n_taps == 0)
		return;
	for (size_t i = 0; i < s->n_taps; i++)
		sound += summary_tap_is_sound(&s->taps[i]);
	(void)fprintf(
		f,
		"<details class=\"fold\"%s><summary>Taps <span class=\"count%s\">%zu of %zu add up"
		"</span></summary>\n<p class=\"soft\">Received = delivered + dropped, by the "
		"kernel's own "
		"counters. A tap that lost one packet cannot vouch for anything. A bridge goes "
		"away "
		"with the stack, and takes the last beacon's chance with it.</p>\n"
		"<table class=\"rows\"><thead><tr><th>tap</th><th>role</th><th>interface</th>"
		"<th class=\"n\">received</th><th class=\"n\">dropped</th><th "
		"class=\"n\">delivered</th>"
		"<th>beacons</th><th>adds up</th></tr></thead><tbody>\n",
		sound < s->n_taps ? " open" : "", sound < s->n_taps ? " bad" : "", sound,
		s->n_taps);
	for (size_t i = 0; i < s->n_taps; i++)
		put_tap(f, &s->taps[i]);
	(void)fputs("</tbody></table></details>\n", f);
}

static void put_control(FILE *f, const struct result_control *c)
{
	(void)fputs("<tr><th scope=\"row\">", f);
	html_text(f, c->rule);
	(void)fputs("</th>", f);
	put_cell(f, "tap", c->tap);
	(void)fprintf(f, "<td data-l=\"caught\" class=\"%s\">%s</td>", c->caught ? "ok" : "bad",
		      c->caught ? "\xe2\x9c\x93 caught" : "\xe2\x9c\x97 missed");
	put_cell(f, "how", c->detail);
	(void)fputs("</tr>\n", f);
}

static void put_controls(FILE *f, const struct result_scenario *s)
{
	size_t caught = 0;

	if (s->n_controls == 0)
		return;
	for (size_t i = 0; i < s->n_controls; i++)
		caught += s->controls[i].caught;
	(void)fprintf(
		f,
		"<details class=\"fold\"%s><summary>Controls <span class=\"count%s\">%zu of %zu "
		"caught"
		"</span></summary>\n<p class=\"soft\">Leaks that the harness forged on purpose. A "
		"rule "
		"that misses its own cannot be trusted with yours.</p>\n"
		"<table "
		"class=\"rows\"><thead><tr><th>rule</th><th>tap</th><th>caught</th><th>how</th>"
		"</tr></thead><tbody>\n",
		caught < s->n_controls ? " open" : "", caught < s->n_controls ? " bad" : "", caught,
		s->n_controls);
	for (size_t i = 0; i < s->n_controls; i++)
		put_control(f, &s->controls[i]);
	(void)fputs("</tbody></table></details>\n", f);
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
	put_findings(f, s);
	put_taps(f, s);
	put_controls(f, s);
	put_foot(f, s);
	(void)fputs("</section>\n", f);
}
