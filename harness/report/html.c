// SPDX-License-Identifier: MIT
/* How text gets into the page. */
#include "report/html.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "report/summary.h"
#include "result/utf8.h"

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void html_text(FILE *f, const char *s)
{
	_cleanup_free_ char *clean = utf8_printable(s);

	for (const char *p = clean; *p; p++)
		if (entity(*p))
			(void)fputs(entity(*p), f);
		else
			(void)fputc(*p, f);
}

void html_element(FILE *f, const char *tag, const char *cls, const char *text)
{
	if (cls)
		(void)fprintf(f, "<%s class=\"%s\">", tag, cls);
	else
		(void)fprintf(f, "<%s>", tag);
	html_text(f, text);
	(void)fprintf(f, "</%s>", tag);
}

char *html_count_text(uint64_t n)
{
	char digits[24], text[64];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n),
	       to = 0;

	/* narrow no-break spaces between the groups */
	for (size_t i = 0; i < len; i++)
		to += (size_t)snprintf(text + to, sizeof(text) - to, "%s%c",
				       i && (len - i) % 3 == 0 ? "\xe2\x80\xaf" : "", digits[i]);
	return str_fmt("%s", text);
}

void html_count(FILE *f, uint64_t n)
{
	_cleanup_free_ char *text = html_count_text(n);

	(void)fputs(text, f);
}

void html_plural(FILE *f, uint64_t n, const char *what)
{
	html_count(f, n);
	(void)fprintf(f, " %s%s", what, n == 1 ? "" : "s");
}

/* Relative, and nothing before its first slash could be read as a scheme (RFC 3986 4.2). */
static bool is_relative(const char *path)
{
	return *path && *path != '/' && *path != '\\' && path[strcspn(path, ":/?#\\")] != ':';
}

void html_file_link(FILE *f, const char *path, const char *text)
{
	if (!is_relative(path)) {
		html_element(f, "span", "path", text);
		return;
	}
	(void)fputs("<a href=\"", f);
	for (const char *p = path; *p; p++)
		if (isalnum((unsigned char)*p) || strchr("/._-~", *p))
			(void)fputc(*p, f);
		else
			(void)fprintf(f, "%%%02X", (unsigned)(unsigned char)*p);
	(void)fputs("\">", f);
	html_text(f, text);
	(void)fputs("</a>", f);
}

void html_moment(FILE *f, const struct result_scenario *s, int64_t t)
{
	char stamp[32];

	(void)fprintf(f, "<time datetime=\"%s\" title=\"%s\">%.3f\xe2\x80\xafs</time>",
		      summary_stamp(t, stamp), stamp, (double)(t - s->begin) / 1e9);
}

void html_fact(FILE *f, const char *title, bool good, const char *value, const char *note)
{
	(void)fprintf(f, "<li class=\"fact%s\"><span class=\"what\">%s</span><span class=\"big\">",
		      good ? "" : " attention", title);
	html_text(f, value);
	(void)fputs("</span><span class=\"soft\">", f);
	html_text(f, note);
	(void)fputs("</span></li>\n", f);
}

void html_icon(FILE *f, enum verdict v)
{
	(void)fprintf(f, "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-%s\"/></svg>",
		      verdict_name(v));
}

const char *html_verdict_words(enum verdict v)
{
	switch (v) {
	case VERDICT_PASS:
		return "No leak";
	case VERDICT_SKIPPED:
		return "Skipped";
	case VERDICT_INCONCLUSIVE:
		return "Inconclusive";
	case VERDICT_ERROR:
		return "Not judged";
	case VERDICT_FAIL:
		return "Broken promise";
	case VERDICT_LEAK:
		return "Leak";
	}
	return "";
}

/* A control turns good and bad round: its leak is the success, and anything else says that the watch is blind. */
void html_pill(FILE *f, const struct result_scenario *s)
{
	enum verdict colour = s->verdict, icon = s->verdict;
	const char *words = verdict_name(s->verdict);

	if (s->must_leak && s->as_expected) {
		colour = VERDICT_PASS;
		words = "leak found, as it must";
	} else if (s->must_leak && (s->verdict == VERDICT_PASS || s->verdict == VERDICT_FAIL)) {
		colour = icon = VERDICT_INCONCLUSIVE;
		words = "no leak, and it must";
	}
	(void)fprintf(f, "<span class=\"pill v-%s\">", verdict_name(colour));
	html_icon(f, icon);
	(void)fprintf(f, "%s</span>", words);
}

static char *slug(const struct result_scenario *s)
{
	char *text = s->repeat > 1 ? str_fmt("s-%s-%u", s->name, s->repeat)
				   : str_fmt("s-%s", s->name);

	for (char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '-' && *p != '_')
			*p = '-';
	return text;
}

char *html_anchor(const struct result *r, const struct result_scenario *s)
{
	char *mine = slug(s), *unique;

	for (const struct result_scenario *x = r->scenarios; x < s; x++) {
		_cleanup_free_ char *other = slug(x);

		if (strcmp(other, mine) != 0)
			continue;
		unique = str_fmt("%s-n%zu", mine, (size_t)(s - r->scenarios) + 1);
		free(mine);
		return unique;
	}
	return mine;
}
