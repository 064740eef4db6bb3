// SPDX-License-Identifier: MIT
/* index.html: one self-contained page, readable without scripts; they only filter and fold. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "report/report.h"
#include "report/report_html_assets.h"

#define AXIS_WIDTH  1000
#define LANE_HEIGHT 34
#define LANE_TOP    22
#define POINTS_MAX  500

/* Text into HTML; every string of the result goes through here. */
static void esc(FILE *f, const char *s)
{
	for (; *s; s++)
		switch (*s) {
		case '<':
			(void)fputs("&lt;", f);
			break;
		case '>':
			(void)fputs("&gt;", f);
			break;
		case '&':
			(void)fputs("&amp;", f);
			break;
		case '"':
			(void)fputs("&quot;", f);
			break;
		case '\'':
			(void)fputs("&#39;", f);
			break;
		default:
			(void)fputc(*s, f);
		}
}

static void cell(FILE *f, const char *text)
{
	(void)fputs("<td>", f);
	esc(f, text);
	(void)fputs("</td>", f);
}

static const char *icon(enum verdict v)
{
	switch (v) {
	case VERDICT_PASS:
		return "✓";
	case VERDICT_LEAK:
		return "✕";
	case VERDICT_FAIL:
		return "!";
	case VERDICT_ERROR:
	case VERDICT_INCONCLUSIVE:
		return "?";
	case VERDICT_SKIPPED:
		return "–";
	}
	return "";
}

static void badge(FILE *f, enum verdict v, bool expected)
{
	(void)fprintf(f, "<span class=\"badge %s%s\">%s %s</span>", verdict_name(v),
		      expected ? " expected" : "", icon(v), verdict_name(v));
}

/* ---- time axis ---- */

static double x_of(const struct result_scenario *s, int64_t t)
{
	double span = (double)(s->end - s->begin);
	double x = span > 0 ? (double)(t - s->begin) / span * AXIS_WIDTH : 0;

	return x < 0 ? 0 : x > AXIS_WIDTH ? AXIS_WIDTH : x;
}

static void draw_windows(const struct result_scenario *s, FILE *f, int height)
{
	for (size_t i = 0; i < s->n_windows; i++) {
		const struct result_window *w = &s->windows[i];
		double x = x_of(s, w->begin), width = x_of(s, w->end) - x;

		(void)fprintf(f,
			      "<rect class=\"w-%s\" x=\"%.1f\" y=\"0\" width=\"%.1f\" "
			      "height=\"%d\"><title>",
			      strcmp(w->kind, "fault") == 0 ? "fault" : "phase", x,
			      width < 3 ? 3 : width, height);
		esc(f, w->label);
		(void)fprintf(f, " at %.3f s</title></rect>", (double)(w->begin - s->begin) / 1e9);
		if (strcmp(w->kind, "fault") != 0)
			continue;
		(void)fprintf(f, "<text class=\"wl\" x=\"%.1f\" y=\"12\"%s>",
			      x > 700 ? x - 4 : x + 5, x > 700 ? " text-anchor=\"end\"" : "");
		esc(f, w->label);
		(void)fputs("</text>", f);
	}
}

static double series_max(const struct result_series *r)
{
	double max = 0;

	for (size_t i = 0; i < r->count; i++)
		max = fmax(max, r->values[i]);
	return max;
}

static double series_sum(const struct result_series *r)
{
	double sum = 0;

	for (size_t i = 0; i < r->count; i++)
		sum += r->values[i];
	return sum;
}

/* A filled line; neighbouring bins are joined (by their maximum) where there are too many. */
static void draw_line(const struct result_scenario *s, const struct result_series *r, FILE *f,
		      int y)
{
	double max = series_max(r);
	size_t join = r->count / POINTS_MAX + 1;
	int base = y + LANE_HEIGHT - 4, height = LANE_HEIGHT - 12;

	(void)fprintf(f, "<path class=\"s s-%s\" d=\"M%.1f %d", r->name, x_of(s, r->start), base);
	for (size_t i = 0; i < r->count; i += join) {
		double v = 0;

		for (size_t k = i; k < i + join && k < r->count; k++)
			v = fmax(v, r->values[k]);
		(void)fprintf(f, "L%.1f %.1f", x_of(s, r->start + (int64_t)i * r->bin),
			      max > 0 ? base - v / max * height : base);
	}
	(void)fprintf(f, "L%.1f %dZ\"/>", x_of(s, r->start + (int64_t)r->count * r->bin), base);
}

/* Leaks are marks, not a line: a single one must be seen. */
static void draw_marks(const struct result_scenario *s, const struct result_series *r, FILE *f,
		       int y)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->values[i] > 0)
			(void)fprintf(f,
				      "<rect class=\"mark\" x=\"%.1f\" y=\"%d\" width=\"3\" "
				      "height=\"%d\">"
				      "<title>%.0f leaked packets at %.1f s</title></rect>",
				      x_of(s, r->start + (int64_t)i * r->bin) - 1, y + 4,
				      LANE_HEIGHT - 8, r->values[i],
				      (double)(r->start + (int64_t)i * r->bin - s->begin) / 1e9);
}

static void draw_ticks(const struct result_scenario *s, FILE *f, int y)
{
	double span = (double)(s->end - s->begin) / 1e9;
	double step = span > 120 ? 30 : span > 60 ? 10 : span > 20 ? 5 : 1;

	for (double t = 0; t <= span; t += step)
		(void)fprintf(f,
			      "<line class=\"tick\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>"
			      "<text class=\"tl\" x=\"%.1f\" y=\"%d\">%.0f s</text>",
			      t / span * AXIS_WIDTH, t / span * AXIS_WIDTH, LANE_TOP, y,
			      t / span * AXIS_WIDTH + 2, y + 12, t);
}

static void write_axis(const struct result_scenario *s, FILE *f)
{
	int bottom = LANE_TOP + (int)s->n_series * LANE_HEIGHT;

	if (s->n_series == 0 || s->end <= s->begin)
		return;
	(void)fprintf(f,
		      "<div class=\"axis\"><svg viewBox=\"-90 0 %d %d\" role=\"img\" "
		      "aria-label=\"time axis\">",
		      AXIS_WIDTH + 100, bottom + 18);
	draw_windows(s, f, bottom);
	draw_ticks(s, f, bottom);
	for (size_t i = 0; i < s->n_series; i++) {
		int y = LANE_TOP + (int)i * LANE_HEIGHT;
		const struct result_series *r = &s->series[i];

		(void)fprintf(f, "<text class=\"sl\" x=\"-88\" y=\"%d\">", y + 18);
		esc(f, r->name);
		(void)fputs("</text>", f);
		if (strcmp(r->unit, "state") != 0)
			(void)fprintf(f, "<text class=\"sc\" x=\"-88\" y=\"%d\">%.0f</text>",
				      y + 30, series_sum(r));
		if (strcmp(r->name, "leaks") == 0)
			draw_marks(s, r, f, y);
		else
			draw_line(s, r, f, y);
	}
	(void)fputs("</svg></div>", f);
}

/* ---- tables of a scenario ---- */

static void time_cell(FILE *f, int64_t ns)
{
	if (ns == RESULT_NONE)
		(void)fputs("<td class=\"n\">–</td>", f);
	else
		(void)fprintf(f, "<td class=\"n\">%.3f s</td>", (double)ns / 1e9);
}

static void write_measures(const struct result_scenario *s, FILE *f)
{
	if (s->n_measures == 0)
		return;
	(void)fputs("<h4>Times</h4><div class=\"scroll\"><table><tr><th>what</th><th>measured</th>"
		    "<th>bound</th><th>uncertainty</th><th></th><th>in words</th></tr>",
		    f);
	for (size_t i = 0; i < s->n_measures; i++) {
		const struct result_measure *m = &s->measures[i];

		(void)fputs("<tr>", f);
		cell(f, m->name);
		time_cell(f, m->value);
		time_cell(f, m->bound);
		time_cell(f, m->uncertainty);
		cell(f, m->ok ? "✓ held" : "✕ exceeded");
		cell(f, m->text);
		(void)fputs("</tr>", f);
	}
	(void)fputs("</table></div>", f);
}

static void write_finding(const struct result_scenario *s, const struct result_finding *x, FILE *f)
{
	(void)fprintf(f, "<tr><td class=\"n\">%+.3f s</td>", (double)(x->time - s->begin) / 1e9);
	cell(f, x->severity);
	(void)fputs("<td>", f);
	esc(f, x->sentence);
	(void)fputs("<br><code>", f);
	esc(f, x->packet);
	(void)fputs("</code></td>", f);
	cell(f, x->service);
	(void)fputs("<td>", f);
	esc(f, x->attribution);
	(void)fprintf(f, " (%.0f %%)</td><td>", 100 * x->confidence);
	esc(f, x->tap);
	(void)fprintf(f, " #%llu", (unsigned long long)x->frame);
	if (*x->evidence) {
		(void)fputs(" <a href=\"", f);
		esc(f, x->evidence);
		(void)fputs("\">pcap</a>", f);
	}
	(void)fputs("</td><td>", f);
	esc(f, x->rule);
	(void)fputs("<br><small>", f);
	esc(f, x->advice);
	(void)fputs("</small></td></tr>", f);
}

static void write_findings(const struct result_scenario *s, FILE *f)
{
	if (s->n_findings == 0)
		return;
	(void)fprintf(f,
		      "<h4>Findings: %llu%s</h4><div class=\"scroll\"><table><tr><th>time</th>"
		      "<th>severity</th><th>what</th><th>service</th><th>attributed "
		      "by</th><th>evidence</th>"
		      "<th>rule</th></tr>",
		      (unsigned long long)s->findings_total,
		      s->findings_total > s->n_findings ? " (the first are shown)" : "");
	for (size_t i = 0; i < s->n_findings; i++)
		write_finding(s, &s->findings[i], f);
	(void)fputs("</table></div>", f);
}

static void write_faults(const struct result_scenario *s, FILE *f)
{
	for (size_t i = 0; i < s->n_windows; i++) {
		const struct result_window *w = &s->windows[i];

		if (strcmp(w->kind, "fault") != 0)
			continue;
		(void)fputs("<p class=\"fault\"><b>", f);
		esc(f, w->label);
		(void)fprintf(f, "</b> at %.3f s (± %.3f ms): %s ",
			      (double)(w->begin - s->begin) / 1e9, (double)w->uncertainty / 1e6,
			      w->confirmed ? "✓ confirmed," : "✕ NOT confirmed,");
		esc(f, w->confirmation);
		(void)fputs("</p>", f);
	}
}

static void write_taps(const struct result_scenario *s, FILE *f)
{
	(void)fputs(
		"<details><summary>Taps and controls</summary><div class=\"scroll\"><table><tr>"
		"<th>tap</th><th>interface</th><th>received</th><th>dropped</th><th>delivered</th>"
		"<th>beacons</th><th>adds up</th></tr>",
		f);
	for (size_t i = 0; i < s->n_taps; i++) {
		const struct result_tap *t = &s->taps[i];

		(void)fputs("<tr>", f);
		cell(f, t->name);
		cell(f, t->interface);
		(void)fprintf(f,
			      "<td class=\"n\">%llu</td><td class=\"n\">%llu</td><td "
			      "class=\"n\">%llu</td>"
			      "<td>%s %s</td><td>%s</td></tr>",
			      (unsigned long long)t->received, (unsigned long long)t->dropped,
			      (unsigned long long)t->delivered, t->beacon_begin ? "✓" : "✕",
			      t->beacon_end ? "✓" : "✕", t->reconciled ? "✓ yes" : "✕ no");
	}
	(void)fputs("</table></div><div class=\"scroll\"><table><tr><th>control of rule</th><th>on "
		    "tap</th>"
		    "<th></th><th></th></tr>",
		    f);
	for (size_t i = 0; i < s->n_controls; i++) {
		(void)fputs("<tr>", f);
		cell(f, s->controls[i].rule);
		cell(f, s->controls[i].tap);
		cell(f, s->controls[i].caught ? "✓ caught" : "✕ missed");
		cell(f, s->controls[i].detail);
		(void)fputs("</tr>", f);
	}
	(void)fputs("</table></div></details>", f);
}

static void write_scenario(const struct result_scenario *s, FILE *f)
{
	(void)fputs("<section class=\"sc\" data-verdict=\"", f);
	(void)fprintf(f, "%s\" data-expected=\"%d\" id=\"", verdict_name(s->verdict),
		      s->as_expected);
	esc(f, s->name);
	(void)fprintf(f, "-%u\"><h3><a href=\"#", s->repeat);
	esc(f, s->name);
	(void)fprintf(f, "-%u\">", s->repeat);
	esc(f, s->name);
	(void)fputs("</a> ", f);
	badge(f, s->verdict, s->as_expected);
	if (s->must_leak)
		(void)fputs(s->as_expected
				    ? " <small>a control: it had to leak, and was found</small>"
				    : " <small>a control that had to leak and was not found: the "
				      "watch is blind</small>",
			    f);
	(void)fputs("</h3><p>", f);
	esc(f, s->summary);
	(void)fputs("</p><p class=\"reason\">", f);
	esc(f, s->reason);
	(void)fprintf(f,
		      "</p><p class=\"facts\">%.1f s · %llu attempts stayed inside · %llu canaries "
		      "sent</p>",
		      (double)(s->end - s->begin) / 1e9, (unsigned long long)s->blocked,
		      (unsigned long long)s->canaries_sent);
	write_axis(s, f);
	write_faults(s, f);
	write_measures(s, f);
	write_findings(s, f);
	write_taps(s, f);
	(void)fputs("</section>\n", f);
}

/* ---- the page ---- */

static void write_overview(const struct result *r, FILE *f)
{
	(void)fputs(
		"<h2>Scenarios</h2><nav id=\"filter\" hidden>Show: <button data-f=\"\">all</button>"
		"<button data-f=\"unexpected\">not as expected</button><button data-f=\"leak\">leak"
		"</button><button data-f=\"pass\">pass</button></nav>"
		"<div class=\"scroll\"><table "
		"class=\"overview\"><tr><th>scenario</th><th>verdict</th>"
		"<th>as expected</th><th>leaks</th><th>stayed inside</th><th>time</th></tr>",
		f);
	for (size_t i = 0; i < r->n_scenarios; i++) {
		const struct result_scenario *s = &r->scenarios[i];

		(void)fputs("<tr><td><a href=\"#", f);
		esc(f, s->name);
		(void)fprintf(f, "-%u\">", s->repeat);
		esc(f, s->name);
		(void)fputs("</a></td><td>", f);
		badge(f, s->verdict, s->as_expected);
		(void)fprintf(f,
			      "</td><td>%s</td><td class=\"n\">%llu</td><td class=\"n\">%llu</td>"
			      "<td class=\"n\">%.1f s</td></tr>",
			      s->as_expected ? "✓ yes" : "✕ no",
			      (unsigned long long)s->findings_total, (unsigned long long)s->blocked,
			      (double)(s->end - s->begin) / 1e9);
	}
	(void)fputs("</table></div>", f);
}

static void write_pairs(const char *title, const struct result_pair *p, size_t n, FILE *f)
{
	(void)fprintf(f, "<h2>%s</h2><div class=\"scroll\"><table>", title);
	for (size_t i = 0; i < n; i++) {
		(void)fputs("<tr>", f);
		cell(f, p[i].name);
		cell(f, p[i].value);
		(void)fputs("</tr>", f);
	}
	(void)fputs("</table></div>", f);
}

static int write_html(const struct result *r, const struct report_opts *o, FILE *f, struct err *err)
{
	char stamp[32];

	(void)o;
	(void)err;
	(void)fputs(report_html_head, f);
	(void)fprintf(f, "<header class=\"%s\"><p class=\"brand\">leakproof ",
		      verdict_name(r->verdict));
	esc(f, r->version);
	(void)fprintf(f, "</p><h1>%s %s</h1><p class=\"sentence\">", icon(r->verdict),
		      verdict_name(r->verdict));
	esc(f, r->sentence);
	(void)fputs("</p><p class=\"facts\">run ", f);
	esc(f, r->run);
	(void)fprintf(f, " · %s · %.0f s</p></header><main>\n",
		      clock_iso8601(r->begin, stamp, sizeof(stamp)),
		      (double)(r->end - r->begin) / 1e9);
	write_pairs("Images", r->images, r->n_images, f);
	write_overview(r, f);
	for (size_t i = 0; i < r->n_scenarios; i++)
		write_scenario(&r->scenarios[i], f);
	write_pairs("Environment", r->environment, r->n_environment, f);
	(void)fputs(report_html_foot, f);
	return 0;
}

const struct report_row report_html = {
	.name = "html",
	.summary = "one self-contained page for people",
	.file = "index.html",
	.write = write_html,
};
