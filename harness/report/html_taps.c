// SPDX-License-Identifier: MIT
/* Taps, coverage and controls: what vouches for the verdict. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/html.h"
#include "report/summary.h"

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

static void put_name(FILE *f, const char *name)
{
	(void)fputs("<tr><th scope=\"row\">", f);
	html_text(f, name);
	(void)fputs("</th>", f);
}

/* The row of a tap's trouble, below it. */
static void put_note(FILE *f, const struct result_tap *t, unsigned columns)
{
	if (!*t->note)
		return;
	(void)fprintf(f, "<tr class=\"aside\"><td colspan=\"%u\" class=\"%s\">", columns,
		      summary_tap_is_sound(t) ? "soft" : "bad");
	html_text(f, t->note);
	(void)fputs("</td></tr>\n", f);
}

static void put_tap(FILE *f, const struct result_tap *t)
{
	bool sound = summary_tap_is_sound(t);

	put_name(f, t->name);
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
	put_note(f, t, 8);
}

static const char taps_head[] =
	"<p class=\"soft\">Received = delivered + dropped, by the kernel's own counters. A tap "
	"that "
	"lost one packet cannot vouch for anything. A bridge goes away with the stack, and takes "
	"the "
	"last beacon's chance with it.</p>\n"
	"<table class=\"rows\"><thead><tr><th>tap</th><th>role</th><th>interface</th>"
	"<th class=\"n\">received</th><th class=\"n\">dropped</th><th class=\"n\">delivered</th>"
	"<th>beacons</th><th>adds up</th></tr></thead><tbody>\n";

/* The name; where it lies is told below, and by the tooltip. */
static void put_file(FILE *f, const char *path)
{
	const char *slash = strrchr(path, '/');

	(void)fputs("<td data-l=\"file\" title=\"", f);
	html_text(f, path);
	(void)fputs("\">", f);
	html_text(f, slash ? slash + 1 : path);
	(void)fputs("</td>", f);
}

static void put_capture(FILE *f, const struct result_tap *t)
{
	bool sound = summary_tap_is_sound(t);

	put_name(f, t->name);
	put_cell(f, "role", t->role);
	put_file(f, t->file);
	put_cell_count(f, "packets", t->packets);
	put_cell_count(f, "bytes", t->bytes);
	put_cell_count(f, "cut short", t->truncated);
	(void)fprintf(f, "<td data-l=\"whole\" class=\"%s\">%s</td></tr>\n", sound ? "ok" : "bad",
		      sound ? "\xe2\x9c\x93 yes" : "\xe2\x9c\x97 no");
	put_note(f, t, 7);
}

static const char captures_head[] =
	"<table class=\"rows\"><thead><tr><th>tap</th><th>role</th><th>file</th>"
	"<th class=\"n\">packets</th><th class=\"n\">bytes</th><th class=\"n\">cut short</th>"
	"<th>whole</th></tr></thead><tbody>\n";

static void put_seen(FILE *f, const struct result_tap *t)
{
	put_name(f, t->name);
	put_cell_count(f, "packets", t->packets);
	put_cell_count(f, "tunnel", t->tunnel);
	(void)fprintf(f, "<td class=\"n%s\" data-l=\"leaked\">", t->leaked ? " bad" : "");
	html_count(f, t->leaked);
	(void)fputs("</td>", f);
	put_cell_count(f, "allowed", t->allowed);
	put_cell_count(f, "upkeep", t->upkeep);
	put_cell_count(f, "inbound", t->inbound);
	put_cell_count(f, "nobody's", t->unattributed);
	put_cell_count(f, "unreadable", t->undecodable);
	put_cell_count(f, "attempts", t->attempts);
	(void)fputs("</tr>\n", f);
}

/* What the judge made of the packets. */
static void put_counters(FILE *f, const struct result_scenario *s)
{
	(void)fputs(
		"<h4>What they saw</h4>\n<table class=\"rows\"><thead><tr><th>tap</th>"
		"<th class=\"n\">packets</th><th class=\"n\">tunnel</th><th class=\"n\">leaked</th>"
		"<th class=\"n\">allowed</th><th class=\"n\">upkeep</th><th "
		"class=\"n\">inbound</th>"
		"<th class=\"n\">nobody's</th><th class=\"n\">unreadable</th><th "
		"class=\"n\">attempts</th></tr></thead><tbody>\n",
		f);
	for (size_t i = 0; i < s->n_taps; i++)
		put_seen(f, &s->taps[i]);
	(void)fputs("</tbody></table>\n", f);
}

static void put_rows(FILE *f, const struct result *r, const struct result_scenario *s)
{
	bool analysis = result_is_analysis(r);

	(void)fputs(analysis ? captures_head : taps_head, f);
	for (size_t i = 0; i < s->n_taps; i++)
		if (analysis)
			put_capture(f, &s->taps[i]);
		else
			put_tap(f, &s->taps[i]);
	(void)fputs("</tbody></table>\n", f);
	put_counters(f, s);
}

void html_taps(FILE *f, const struct result *r, const struct result_scenario *s)
{
	size_t sound = 0;

	if (s->n_taps == 0)
		return;
	for (size_t i = 0; i < s->n_taps; i++)
		sound += summary_tap_is_sound(&s->taps[i]);
	if (!result_is_analysis(r))
		(void)fprintf(
			f,
			"<details class=\"fold\"%s><summary>Taps <span class=\"count%s\">%zu of "
			"%zu add up</span></summary>\n",
			sound < s->n_taps ? " open" : "", sound < s->n_taps ? " bad" : "", sound,
			s->n_taps);
	put_rows(f, r, s);
	(void)fputs(result_is_analysis(r) ? "" : "</details>\n", f);
}

/* ---- coverage of the policy ---- */

static void put_allowance(FILE *f, const struct result_allowance *a)
{
	(void)fprintf(f, "<tr><th scope=\"row\">");
	html_text(f, a->name);
	if (a->packets == 0)
		(void)fputs(" <span class=\"chip standin\">never used</span>", f);
	if (a->any_payload)
		(void)fputs(" <span class=\"chip standin\">any payload</span>", f);
	(void)fputs("</th>", f);
	put_cell(f, "who", a->builtin ? "built in" : a->who);
	put_cell(f, "what", a->what);
	put_cell_count(f, "packets", a->packets);
	put_cell_count(f, "bytes", a->bytes);
	(void)fputs("</tr>\n", f);
}

void html_coverage(FILE *f, const struct result *r)
{
	size_t n;
	_cleanup_free_ struct result_allowance *rows = summary_coverage(r, &n);

	if (n == 0)
		return;
	(void)fputs("<h2 id=\"coverage\">What the policy allowed</h2>\n<section class=\"card\">\n"
		    "<p class=\"soft\">Packets that left beside the tunnel and are no leak. An "
		    "allowance that was never used can go; one for any payload hides whatever "
		    "fits its ports.</p>\n"
		    "<table class=\"rows\"><thead><tr><th>allowance</th><th>who</th><th>what</th>"
		    "<th class=\"n\">packets</th><th class=\"n\">bytes</th></tr></thead><tbody>\n",
		    f);
	for (size_t i = 0; i < n; i++)
		put_allowance(f, &rows[i]);
	(void)fputs("</tbody></table></section>\n", f);
}

/* ---- controls ---- */

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

void html_controls(FILE *f, const struct result_scenario *s)
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
