// SPDX-License-Identifier: MIT
/* The time axis as inline SVG. Positions are percentages, so that texts keep their size on any screen; only the
 * curves live in stretched inner drawings. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "report/html.h"
#include "report/summary.h"

#define COLUMNS_MAX 480 /* points of a curve */
#define RIBBON_H    18	/* phases */
#define BADGES_H    22	/* numbers of the faults */
#define LABEL_H	    15
#define CURVE_H	    36
#define STATE_H	    10
#define GAP_H	    9
#define AXIS_H	    20
#define TICKS_MAX   8

struct chart {
	FILE *f;
	const struct result_scenario *s;
	double span; /* nanoseconds, > 0 */
	size_t columns;
	int ribbon; /* height of the phases, 0 without any */
	int top;    /* where the lanes begin, below phases and numbers of faults */
	int y;	    /* where the next lane begins */
};

enum drawing { DRAW_CURVE, DRAW_MARKS, DRAW_STATE };

struct lane {
	const char *series; /* name in the result */
	const char *title;
	enum drawing drawing;
};

static const struct lane lanes[] = {
	{ "tunnel", "Tunnel traffic", DRAW_CURVE },    { "canaries", "Canaries sent", DRAW_CURVE },
	{ "blocked", "Blocked attempts", DRAW_CURVE }, { "leaks", "Leaked packets", DRAW_MARKS },
	{ "health", "Gateway healthy", DRAW_STATE },
};

/* Percent of the width. */
static double x_of(const struct chart *c, int64_t t)
{
	double x = 100.0 * (double)(t - c->s->begin) / c->span;

	return x < 0 ? 0 : x > 100 ? 100 : x;
}

static bool is_fault(const struct result_window *w)
{
	return strcmp(w->kind, "fault") == 0;
}

/* ---- values ---- */

/* One value a column: the greatest of its bins (of marks: their sum), NaN where no bin is known. */
static void columns_of(const struct chart *c, const struct result_series *r, bool sum,
		       double v[COLUMNS_MAX])
{
	for (size_t i = 0; i < c->columns; i++)
		v[i] = (double)NAN;
	for (size_t i = 0; i < r->count; i++) {
		double t = (double)(r->start - c->s->begin) + ((double)i + 0.5) * (double)r->bin;
		double at = t / c->span * (double)c->columns;
		size_t k;

		if (at < 0 || at >= (double)c->columns || !isfinite(r->values[i]))
			continue;
		k = (size_t)at;
		v[k] = isnan(v[k]) ? r->values[i]
		       : sum	   ? v[k] + r->values[i]
				   : fmax(v[k], r->values[i]);
	}
}

static double total_of(const struct result_series *r, double *peak)
{
	double total = 0;

	*peak = 0;
	for (size_t i = 0; i < r->count; i++)
		if (isfinite(r->values[i])) {
			total += r->values[i];
			*peak = fmax(*peak, r->values[i]);
		}
	return total;
}

/* ---- lanes ---- */

static void put_values(const struct chart *c, const double *v)
{
	(void)fputs(" data-v=\"", c->f);
	for (size_t i = 0; i < c->columns; i++) {
		(void)fputs(i ? "," : "", c->f);
		if (!isnan(v[i]))
			(void)fprintf(c->f, "%.6g", v[i]);
	}
	(void)fputs("\"", c->f);
}

static void open_lane(const struct chart *c, const char *title, const char *unit, const char *cls,
		      int height, const double *v)
{
	(void)fprintf(c->f,
		      "<svg class=\"lane %s\" x=\"0\" y=\"%d\" width=\"100%%\" height=\"%d\" "
		      "viewBox=\"0 0 %zu %d\" preserveAspectRatio=\"none\" data-t=\"",
		      cls, c->y, height, c->columns, height);
	html_text(c->f, title);
	(void)fputs("\" data-u=\"", c->f);
	html_text(c->f, unit);
	(void)fputs("\"", c->f);
	put_values(c, v);
	(void)fputs(">", c->f);
}

static void put_label(struct chart *c, const char *cls, const char *title, const char *right)
{
	(void)fprintf(c->f, "<text class=\"lt %s\" x=\"0\" y=\"%d\">", cls, c->y + 11);
	html_text(c->f, title);
	(void)fprintf(c->f, "</text><text class=\"lr\" x=\"100%%\" y=\"%d\" text-anchor=\"end\">",
		      c->y + 11);
	html_text(c->f, right);
	(void)fputs("</text>\n", c->f);
	c->y += LABEL_H;
}

static void describe_counts(const struct result_series *r, char *out, size_t size)
{
	_cleanup_free_ char *bin = summary_bound(r->bin);
	double peak, total = total_of(r, &peak);

	if (total <= 0)
		(void)snprintf(out, size, "none");
	else
		(void)snprintf(out, size, "%.0f %s, at most %.0f in %s", total, r->unit, peak, bin);
}

/* Steps, filled down to the base line; y grows downwards. */
static void draw_curve(struct chart *c, const struct lane *l, const struct result_series *r)
{
	double v[COLUMNS_MAX];
	double peak, total = total_of(r, &peak), room = CURVE_H - 3;
	char right[96];

	columns_of(c, r, false, v);
	describe_counts(r, right, sizeof(right));
	put_label(c, r->name, l->title, right);
	open_lane(c, l->title, r->unit, l->series, CURVE_H, v);
	(void)fprintf(c->f, "<path class=\"base\" d=\"M0 %dH%zu\"/>", CURVE_H, c->columns);
	if (total > 0) {
		(void)fprintf(c->f, "<path class=\"area\" d=\"M0 %d", CURVE_H);
		for (size_t i = 0; i < c->columns; i++)
			(void)fprintf(c->f, "V%.1fH%zu",
				      CURVE_H - (isnan(v[i]) ? 0 : v[i] / peak * room), i + 1);
		(void)fprintf(c->f, "V%dZ\"/>", CURVE_H);
	}
	(void)fputs("</svg>\n", c->f);
	c->y += CURVE_H + GAP_H;
}

/* Findings that are no packets (processes) are in no series, and a mark is owed to each; not to those of no weight. */
static void add_findings(const struct chart *c, double *v)
{
	for (size_t i = 0; i < c->s->n_findings; i++) {
		double at = (double)(c->s->findings[i].time - c->s->begin) / c->span *
			    (double)c->columns;
		size_t k = (size_t)fmin(fmax(at, 0), (double)(c->columns - 1));

		if (strcmp(c->s->findings[i].severity, "low") != 0 && !(v[k] > 0))
			v[k] = 1;
	}
}

static void draw_marks(struct chart *c, const struct lane *l, const struct result_series *r)
{
	double v[COLUMNS_MAX];
	char right[96];
	bool any;

	columns_of(c, r, true, v);
	add_findings(c, v);
	describe_counts(r, right, sizeof(right));
	any = c->s->findings_total || strcmp(right, "none") != 0;
	put_label(c, any ? "leaks some" : "leaks", l->title,
		  any && strcmp(right, "none") == 0 ? "" : right);
	open_lane(c, l->title, r->unit, "leaks", CURVE_H, v);
	(void)fprintf(c->f, "<path class=\"base\" d=\"M0 %dH%zu\"/></svg>\n", CURVE_H, c->columns);
	for (size_t i = 0; i < c->columns; i++)
		if (v[i] > 0)
			(void)fprintf(c->f,
				      "<svg class=\"mark\" x=\"%.2f%%\" y=\"%d\" width=\"1\" "
				      "height=\"%d\" overflow=\"visible\"><path d=\"M0 14V%d\"/>"
				      "<use href=\"#drop\"/></svg>",
				      100.0 * ((double)i + 0.5) / (double)c->columns, c->y, CURVE_H,
				      CURVE_H);
	(void)fputc('\n', c->f);
	c->y += CURVE_H + GAP_H;
}

/* Runs of equal state become one bar each. */
static void draw_state(struct chart *c, const struct lane *l, const struct result_series *r)
{
	double v[COLUMNS_MAX];
	size_t on = 0, known = 0;
	char right[64];

	columns_of(c, r, false, v);
	for (size_t i = 0; i < c->columns; i++) {
		on += v[i] > 0;
		known += isnan(v[i]) ? 0U : 1U;
	}
	(void)snprintf(right, sizeof(right), "%.0f %% of the time",
		       known ? 100.0 * (double)on / (double)known : 0.0);
	put_label(c, l->series, l->title, right);
	open_lane(c, l->title, r->unit, "health", STATE_H, v);
	for (size_t i = 0, k; i < c->columns; i = k) {
		const char *state = isnan(v[i]) ? "unknown" : v[i] > 0 ? "up" : "down";

		for (k = i + 1; k < c->columns; k++)
			if (isnan(v[k]) != isnan(v[i]) || (v[k] > 0) != (v[i] > 0))
				break;
		(void)fprintf(c->f,
			      "<rect class=\"%s\" x=\"%zu\" y=\"%d\" width=\"%zu\" height=\"%d\"/>",
			      state, i, strcmp(state, "up") == 0 ? 0 : STATE_H - 3, k - i,
			      strcmp(state, "up") == 0 ? STATE_H : 3);
	}
	(void)fputs("</svg>\n", c->f);
	c->y += STATE_H + GAP_H;
}

static void draw_lane(struct chart *c, const struct lane *l)
{
	for (size_t i = 0; i < c->s->n_series; i++) {
		const struct result_series *r = &c->s->series[i];

		if (strcmp(r->name, l->series) != 0 || r->bin <= 0)
			continue;
		if (l->drawing == DRAW_CURVE)
			draw_curve(c, l, r);
		else if (l->drawing == DRAW_MARKS)
			draw_marks(c, l, r);
		else
			draw_state(c, l, r);
	}
}

/* ---- windows ---- */

static void draw_phases(const struct chart *c)
{
	for (size_t i = 0; i < c->s->n_windows; i++) {
		const struct result_window *w = &c->s->windows[i];
		double x = x_of(c, w->begin), width = x_of(c, w->end) - x;

		if (is_fault(w))
			continue;
		(void)fprintf(
			c->f,
			"<svg class=\"phase\" x=\"%.2f%%\" y=\"0\" width=\"%.2f%%\" height=\"%d\">"
			"<title>",
			x, width < 0.3 ? 0.3 : width, RIBBON_H - 3);
		html_text(c->f, w->label);
		(void)fputs("</title><rect width=\"100%\" height=\"100%\" rx=\"3\"/><text x=\"5\" "
			    "y=\"11\">",
			    c->f);
		html_text(c->f, w->label);
		(void)fputs("</text></svg>\n", c->f);
	}
}

static void draw_shade(const struct chart *c, const struct result_window *w, int height)
{
	double x = x_of(c, w->begin), width = x_of(c, w->end) - x;
	const char *cls = w->confirmed ? "fault" : "fault unconfirmed";

	(void)fprintf(
		c->f,
		"<rect class=\"%s\" x=\"%.2f%%\" y=\"%d\" width=\"%.2f%%\" height=\"%d\"><title>",
		cls, x, c->ribbon + 8, width, height - c->ribbon - 8);
	html_text(c->f, w->label);
	(void)fprintf(c->f,
		      "</title></rect><line class=\"%s\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" "
		      "y2=\"%d\"/>",
		      cls, x, x, c->ribbon + 8, height);
}

/* Shades lie behind the lanes, the numbers of the list below stand above them. */
static void draw_faults(const struct chart *c, int height)
{
	double last = -100;
	unsigned n = 0;
	int level = 0;

	for (size_t i = 0; i < c->s->n_windows; i++) {
		const struct result_window *w = &c->s->windows[i];
		double x = x_of(c, w->begin);

		if (!is_fault(w))
			continue;
		draw_shade(c, w, height);
		level = x - last < 3 ? !level : 0;
		last = x;
		(void)fprintf(
			c->f,
			"<svg class=\"no\" x=\"%.2f%%\" y=\"%d\" width=\"1\" height=\"1\" "
			"overflow=\"visible\"><circle cx=\"%d\" r=\"8\"/><text x=\"%d\" y=\"4\" "
			"text-anchor=\"middle\">%u</text></svg>\n",
			x, c->ribbon + 9 + 7 * level,
			x > 98	? -4
			: x < 2 ? 8
				: 0,
			x > 98	? -4
			: x < 2 ? 8
				: 0,
			++n);
	}
}

/* ---- axis ---- */

static int64_t tick_step(double span)
{
	static const int64_t seconds[] = { 1,	2,   5,	  10,	15,   30,   60,	  120,
					   300, 600, 900, 1800, 3600, 7200, 14400 };
	size_t n = sizeof(seconds) / sizeof(seconds[0]);

	if (span < 4e9)
		return span < 4e8 ? NS_PER_S / 20 : NS_PER_S / 2;
	for (size_t i = 0; i < n; i++)
		if (span / (double)(seconds[i] * NS_PER_S) <= TICKS_MAX)
			return seconds[i] * NS_PER_S;
	return (int64_t)(span / TICKS_MAX / 3.6e12 + 1) * 3600 * NS_PER_S;
}

static void draw_axis(const struct chart *c)
{
	int64_t step = tick_step(c->span);
	unsigned last = (unsigned)(c->span / (double)step);

	/* counted: a time one step behind a span of centuries is none */
	for (unsigned n = 0; n <= last; n++) {
		int64_t t = n * step;
		_cleanup_free_ char *text = summary_bound(t);
		double x = 100.0 * (double)t / c->span;

		(void)fprintf(c->f,
			      "<g class=\"tick%s\"><line x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" "
			      "y2=\"%d\"/>"
			      "<text x=\"%.2f%%\" y=\"%d\" text-anchor=\"%s\">%s</text></g>",
			      n % 2 ? " odd" : "", x, x, c->top + 4, c->y, x, c->y + 14,
			      n == 0   ? "start"
			      : x > 96 ? "end"
				       : "middle",
			      text);
	}
	(void)fputc('\n', c->f);
}

/* ---- the whole ---- */

static int height_of(const struct chart *c)
{
	int y = c->top;

	for (size_t k = 0; k < sizeof(lanes) / sizeof(lanes[0]); k++)
		for (size_t i = 0; i < c->s->n_series; i++)
			if (strcmp(c->s->series[i].name, lanes[k].series) == 0 &&
			    c->s->series[i].bin > 0)
				y += LABEL_H + GAP_H +
				     (lanes[k].drawing == DRAW_STATE ? STATE_H : CURVE_H);
	return y;
}

static size_t count_columns(const struct result_scenario *s, double span)
{
	double most = 1;

	for (size_t i = 0; i < s->n_series; i++)
		if (s->series[i].bin > 0)
			most = fmax(most, span / (double)s->series[i].bin);
	return most > COLUMNS_MAX ? COLUMNS_MAX : (size_t)most;
}

static void describe(const struct chart *c)
{
	_cleanup_free_ char *took = summary_duration(c->s->end - c->s->begin);

	(void)fprintf(c->f, "Time axis of %s: ", took);
	html_plural(c->f, summary_faults(c->s), "fault");
	(void)fputs(", ", c->f);
	html_plural(c->f, c->s->findings_total, "finding");
	(void)fputs(", ", c->f);
	html_plural(c->f, c->s->blocked, "blocked attempt");
}

void html_chart(FILE *f, const struct result_scenario *s)
{
	struct chart c = { .f = f, .s = s, .span = (double)(s->end - s->begin) };
	int lanes_end;

	if (c.span <= 0 || (s->n_series == 0 && s->n_windows == 0))
		return;
	c.columns = count_columns(s, c.span);
	c.ribbon = s->n_windows > summary_faults(s) ? RIBBON_H : 0;
	c.top = c.ribbon + (s->n_windows ? BADGES_H : 0);
	lanes_end = height_of(&c);
	(void)fprintf(
		f,
		"<div class=\"chart\" tabindex=\"0\" data-span=\"%.3f\" data-cols=\"%zu\">\n"
		"<svg class=\"axis\" width=\"100%%\" height=\"%d\" role=\"img\" aria-label=\"",
		c.span / 1e9, c.columns, lanes_end + AXIS_H);
	describe(&c);
	(void)fputs("\">\n", f);
	draw_phases(&c);
	c.y = lanes_end;
	draw_axis(&c);
	draw_faults(&c, lanes_end);
	c.y = c.top;
	for (size_t i = 0; i < sizeof(lanes) / sizeof(lanes[0]); i++)
		draw_lane(&c, &lanes[i]);
	(void)fprintf(f,
		      "<line class=\"cursor\" x1=\"0\" x2=\"0\" y1=\"%d\" y2=\"%d\"/></svg>\n"
		      "<p class=\"readout\" aria-live=\"polite\"></p></div>\n",
		      c.ribbon, lanes_end);
}
