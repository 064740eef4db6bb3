/* SPDX-License-Identifier: MIT */
/* The parts of index.html, and how text gets into it. Used by report_html.c only. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "result/result.h"

/* Style and script of the page (page.css, page.js), linked in as they are. */
extern const char html_css[], html_js[];

/* Text as HTML, in elements and in quoted attributes. Every string of a result goes through here: markup is
 * escaped, control characters and marks that reorder text are made visible. */
void html_text(FILE *f, const char *s);

/* html_text() between <tag> and </tag>; cls may be NULL. */
void html_element(FILE *f, const char *tag, const char *cls, const char *text);

/* "12 345": digits in groups that do not break over lines. */
void html_count(FILE *f, uint64_t n);
char *html_count_text(uint64_t n); /* caller frees */

/* Number of `what`: "1 scenario", "3 scenarios". */
void html_plural(FILE *f, uint64_t n, const char *what);

/* A link to a file beside the report, or only its text when the path is no relative path below some folder (a
 * scheme would let a result run scripts). */
void html_file_link(FILE *f, const char *path, const char *text);

void html_icon(FILE *f, enum verdict v);
void html_pill(FILE *f, const struct result_scenario *s); /* icon and word of its verdict */
const char *html_verdict_words(enum verdict v);		  /* "No leak", "Leak", ... */

/* Id of a scenario's section: unique in the page, the same in every rendering. Caller frees. */
char *html_anchor(const struct result *r, const struct result_scenario *s);

/* Seconds since the scenario began, to the millisecond; the whole stamp as a tooltip. */
void html_moment(FILE *f, const struct result_scenario *s, int64_t t);

/* Findings by rule, service and tap; with `fold` they can be folded. Nothing when there are none. */
void html_findings(FILE *f, const struct result_scenario *s, bool fold);

/* Which taps there were, whether they are sound, and what they saw. */
void html_taps(FILE *f, const struct result *r, const struct result_scenario *s);
void html_controls(FILE *f, const struct result_scenario *s);

/* Which allowances of the policy were used, over all scenarios. */
void html_coverage(FILE *f, const struct result *r);

/* The page of captures of any origin, below its verdict. */
void html_analysis(FILE *f, const struct result *r);

/* A number with its title: one of the row below the verdict. */
void html_fact(FILE *f, const char *title, bool good, const char *value, const char *note);

/* The time axis. */
void html_chart(FILE *f, const struct result_scenario *s);

/* One scenario: section with everything known about it. */
void html_scenario(FILE *f, const struct result *r, const struct result_scenario *s);

#endif
