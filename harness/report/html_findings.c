// SPDX-License-Identifier: MIT
/* Findings of a scenario, grouped by what happened to whom. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/html.h"
#include "report/summary.h"

#define ROWS_OPEN 6 /* packets of a group that are shown before one asks for more */

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

static int weight_of(const char *severity)
{
	static const char *const names[] = { "low", "medium", "high", "critical" };

	for (int i = 0; i < 4; i++)
		if (strcmp(severity, names[i]) == 0)
			return i + 1;
	return 1;
}

static const char *severity_mark(const char *severity)
{
	static const char *const marks[] = { "\xe2\x97\x8f\xe2\x97\x8b\xe2\x97\x8b\xe2\x97\x8b",
					     "\xe2\x97\x8f\xe2\x97\x8f\xe2\x97\x8b\xe2\x97\x8b",
					     "\xe2\x97\x8f\xe2\x97\x8f\xe2\x97\x8f\xe2\x97\x8b",
					     "\xe2\x97\x8f\xe2\x97\x8f\xe2\x97\x8f\xe2\x97\x8f" };

	return marks[weight_of(severity) - 1];
}

/* Slices of the captures are made by runs only. */
static bool has_evidence(const struct result_scenario *s)
{
	for (size_t i = 0; i < s->n_findings; i++)
		if (*s->findings[i].evidence)
			return true;
	return false;
}

static void put_evidence(FILE *f, const struct result_scenario *s, const struct result_finding *x)
{
	const char *slash = strrchr(x->evidence, '/');

	if (!has_evidence(s))
		return;
	(void)fputs("<td data-l=\"evidence\">", f);
	if (*x->evidence)
		html_file_link(f, x->evidence, slash ? slash + 1 : x->evidence);
	(void)fputs("</td>", f);
}

static void put_packet(FILE *f, const struct result_scenario *s, const struct result_finding *x)
{
	_cleanup_free_ char *how = summary_attribution(x);

	(void)fputs("<tr><td class=\"n\" data-l=\"at\">", f);
	html_moment(f, s, x->time);
	(void)fputs("</td><td data-l=\"packet\"><code>", f);
	html_text(f, *x->packet ? x->packet : "no packet: seen in /proc");
	(void)fputs("</code></td><td class=\"n\" data-l=\"frame\">", f);
	if (x->frame)
		html_count(f, x->frame);
	(void)fputs("</td><td data-l=\"attributed by\">", f);
	html_text(f, how);
	(void)fputs("</td>", f);
	put_evidence(f, s, x);
	(void)fputs("</tr>\n", f);
}

static void put_head(FILE *f, const struct result_scenario *s)
{
	(void)fprintf(f,
		      "<table class=\"rows\"><thead><tr><th class=\"n\">at</th><th>packet</th><th "
		      "class=\"n\">frame</th><th>attributed by</th>%s</tr></thead><tbody>\n",
		      has_evidence(s) ? "<th>evidence</th>" : "");
}

static void put_packets(FILE *f, const struct result_scenario *s, size_t first)
{
	size_t n = 0, all = group_size(s, first);

	put_head(f, s);
	for (size_t i = first; i < s->n_findings; i++) {
		if (!same_group(&s->findings[first], &s->findings[i]))
			continue;
		if (n++ == ROWS_OPEN && all > ROWS_OPEN + 2) {
			(void)fprintf(f,
				      "</tbody></table><details class=\"more\"><summary>%zu more"
				      "</summary>",
				      all - ROWS_OPEN);
			put_head(f, s);
		}
		put_packet(f, s, &s->findings[i]);
	}
	(void)fputs("</tbody></table>", f);
	(void)fputs(all > ROWS_OPEN + 2 ? "</details>\n" : "\n", f);
}

/* What the rule means, once for all groups of it. */
static void put_meaning(FILE *f, const struct result_scenario *s, size_t first)
{
	for (size_t k = 0; k < first; k++)
		if (strcmp(s->findings[k].rule, s->findings[first].rule) == 0)
			return;
	for (size_t i = 0; i < s->n_rules; i++) {
		if (strcmp(s->rules[i].rule, s->findings[first].rule) != 0)
			continue;
		(void)fputs("<p class=\"soft\">", f);
		html_text(f, s->rules[i].meaning);
		(void)fputs(" <span class=\"count\">", f);
		html_plural(f, s->rules[i].findings, "finding");
		(void)fputs(" of this rule</span></p>\n", f);
	}
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
	(void)fputs("</span>", f);
	if (strcmp(x->attribution, "ambiguous") == 0)
		(void)fputs(" <span class=\"chip\">ambiguous: two services fit</span>", f);
	(void)fputs("</p>\n", f);
	html_element(f, "p", "sentence", x->sentence);
	put_meaning(f, s, first);
	if (*x->advice) {
		(void)fputs("<p class=\"advice\"><strong>What to do:</strong> ", f);
		html_text(f, x->advice);
		(void)fputs("</p>\n", f);
	}
	put_packets(f, s, first);
	(void)fputs("</article>\n", f);
}

void html_findings(FILE *f, const struct result_scenario *s, bool fold)
{
	if (s->findings_total == 0)
		return;
	if (fold) {
		(void)fprintf(f,
			      "<details class=\"fold findings\"%s><summary>Findings <span "
			      "class=\"count\">",
			      s->as_expected ? "" : " open");
		html_count(f, s->findings_total);
		(void)fputs("</span></summary>\n", f);
	}
	if (s->findings_total > s->n_findings) {
		(void)fputs("<p class=\"soft\">The first ", f);
		html_count(f, s->n_findings);
		(void)fputs(" are listed, some of every rule and tap; the captures hold all.</p>\n",
			    f);
	}
	for (int weight = 4; weight >= 1; weight--)
		for (size_t i = 0; i < s->n_findings; i++)
			if (weight_of(s->findings[i].severity) == weight && is_first_of_group(s, i))
				put_group(f, s, i);
	(void)fputs(fold ? "</details>\n" : "", f);
}
