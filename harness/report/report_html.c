// SPDX-License-Identifier: MIT
/* index.html: one self-contained page. Everything is there without scripts; the script filters, folds, and reads
 * values off the time axis. The policy in its head allows exactly this style and this script, by their hashes. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "report/html.h"
#include "report/report.h"
#include "report/summary.h"

/* Icons differ in shape as well as in colour. */
static const char symbols[] =
	"<svg width=\"0\" height=\"0\" class=\"symbols\" aria-hidden=\"true\">"
	"<symbol id=\"i-pass\" viewBox=\"0 0 24 24\"><path class=\"f\" d=\"M12 1.5 3 5v6.5c0 5.2 "
	"3.7 9.3 9 11 "
	"5.3-1.7 9-5.8 9-11V5z\"/><path class=\"l\" d=\"m7.6 12.2 3.1 3.1 5.8-6.3\"/></symbol>"
	"<symbol id=\"i-leak\" viewBox=\"0 0 24 24\"><path class=\"f\" d=\"M12 1.5C8.6 6.4 4.8 "
	"10.5 4.8 15a7.2 "
	"7.2 0 0 0 14.4 0C19.2 10.5 15.4 6.4 12 1.5z\"/><path class=\"l\" d=\"m9.4 12.4 5.2 "
	"5.2m0-5.2-5.2 5.2\"/>"
	"</symbol>"
	"<symbol id=\"i-fail\" viewBox=\"0 0 24 24\"><path class=\"f\" d=\"M12 2 .9 "
	"21.5h22.2z\"/><path class=\"l\" "
	"d=\"M12 9v5.6m0 3.1v.2\"/></symbol>"
	"<symbol id=\"i-inconclusive\" viewBox=\"0 0 24 24\"><circle class=\"f\" cx=\"12\" "
	"cy=\"12\" r=\"10.5\"/>"
	"<path class=\"l\" d=\"M8.9 9.3c.2-4 6.4-3.9 6.3-.1-.1 2.5-3.1 2.6-3.1 5.1m0 "
	"3.3v.2\"/></symbol>"
	"<symbol id=\"i-error\" viewBox=\"0 0 24 24\"><path class=\"f\" d=\"M7.6 1.5h8.8l6.1 "
	"6.1v8.8l-6.1 6.1H7.6l-"
	"6.1-6.1V7.6z\"/><path class=\"l\" d=\"M12 6.5v7m0 3.5v.2\"/></symbol>"
	"<symbol id=\"i-skipped\" viewBox=\"0 0 24 24\"><circle class=\"f\" cx=\"12\" cy=\"12\" "
	"r=\"10.5\"/>"
	"<path class=\"l\" d=\"M7.5 12h9\"/></symbol>"
	"<symbol id=\"drop\" overflow=\"visible\"><path d=\"M0 0c-2.6 3.8-4.6 6-4.6 8.6a4.6 4.6 0 "
	"0 0 9.2 0C4.6 6 2.6 "
	"3.8 0 0z\"/></symbol></svg>\n";

/* ---- head ---- */

/* 'sha256-...' of a style or script, as Content Security Policy names it (CSP level 3, 2.3.1). */
static int put_hash(FILE *f, const char *text)
{
	unsigned char digest[EVP_MAX_MD_SIZE], base64[2 * EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	if (EVP_Digest(text, strlen(text), digest, &n, EVP_sha256(), NULL) != 1)
		return -1;
	(void)EVP_EncodeBlock(base64, digest, (int)n);
	(void)fprintf(f, "'sha256-%s'", (const char *)base64);
	return 0;
}

static int put_head(FILE *f, const struct result *r)
{
	int rc = 0;

	(void)fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		    "base-uri 'none'; form-action 'none'; style-src ",
		    f);
	rc |= put_hash(f, html_css);
	(void)fputs("; script-src ", f);
	rc |= put_hash(f, html_js);
	(void)fputs(
		"\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<meta name=\"referrer\" content=\"no-referrer\">\n<title>",
		f);
	html_text(f, html_verdict_words(r->verdict));
	(void)fputs(" \xc2\xb7 leakproof ", f);
	html_text(f, r->run);
	(void)fputs("</title>\n<style>", f);
	(void)fputs(html_css, f);
	(void)fputs("</style>\n</head>\n<body>\n", f);
	(void)fputs(symbols, f);
	return rc;
}

/* ---- verdict ---- */

static void put_when(FILE *f, const struct result *r)
{
	_cleanup_free_ char *took = summary_duration(r->end - r->begin);
	bool analysis = result_is_analysis(r);
	char stamp[32];

	if (r->begin == RESULT_NONE)
		return;
	(void)summary_stamp(r->begin, stamp);
	(void)fprintf(
		f,
		"<p class=\"soft\">%s<time datetime=\"%s\">%.10s, %.5s UTC</time> \xc2\xb7 %s "
		"%s \xc2\xb7 ",
		analysis ? "captured " : "", stamp, stamp, stamp + 11, analysis ? "spans" : "took",
		took);
	html_plural(f, analysis ? r->scenarios[0].n_taps : r->n_scenarios,
		    analysis ? "tap" : "scenario");
	(void)fputs("</p>\n", f);
}

static void put_verdict(FILE *f, const struct result *r)
{
	(void)fprintf(
		f, "<header class=\"hero v-%s\">\n<p class=\"brand\"><strong>leakproof</strong> ",
		verdict_name(r->verdict));
	html_text(f, r->version);
	(void)fprintf(f, " <span class=\"soft\">%s ",
		      result_is_analysis(r) ? "analysis of" : "run");
	html_text(f, r->run);
	(void)fputs("</span></p>\n<h1>", f);
	html_icon(f, r->verdict);
	html_text(f, html_verdict_words(r->verdict));
	(void)fputs("</h1>\n", f);
	html_element(f, "p", "sentence", r->sentence);
	put_when(f, r);
	(void)fputs("</header>\n", f);
}

static void put_worst(FILE *f, const char *title, const struct result_measure *m, const char *none)
{
	_cleanup_free_ char *value = NULL;
	_cleanup_free_ char *bound = NULL;
	_cleanup_free_ char *note = NULL;

	if (!m)
		return;
	value = m->value == RESULT_NONE ? str_fmt("%s", none) : summary_duration(m->value);
	bound = summary_bound(m->bound);
	note = m->bound == RESULT_NONE ? str_fmt("no bound was set") : str_fmt("bound %s", bound);
	html_fact(f, title, m->ok, value, note);
}

static void put_facts(FILE *f, const struct summary *s)
{
	_cleanup_free_ char *expected = str_fmt("%zu of %zu", s->as_expected, s->scenarios);
	_cleanup_free_ char *caught = str_fmt("%zu of %zu", s->caught, s->controls);
	_cleanup_free_ char *leaks = html_count_text(s->leaks);
	_cleanup_free_ char *inside = html_count_text(s->blocked);
	_cleanup_free_ char *blocked = str_fmt("%s attempts stayed inside", inside);
	_cleanup_free_ char *lost = html_count_text(s->dropped);
	_cleanup_free_ char *received = html_count_text(s->received);
	_cleanup_free_ char *seen = str_fmt("of %s that the taps received", received);

	(void)fputs("<ul class=\"facts\">\n", f);
	html_fact(f, "As expected", s->as_expected == s->scenarios, expected, "scenarios");
	html_fact(f, "Findings of a leak", s->leaks == 0, leaks, blocked);
	put_worst(f, "Worst kill switch", s->kill_switch, "no leak");
	put_worst(f, "Worst recovery", s->recovery, "not measured");
	html_fact(f, "Controls caught", s->caught == s->controls && s->controls > 0, caught,
		  "leaks planted on purpose");
	html_fact(f, "Packets missed", s->dropped == 0, lost, seen);
	(void)fputs("</ul>\n", f);
}

/* "(..., stand-in)" in the row of an image: what ran was not the official program. */
static bool is_standin(const struct result_pair *image)
{
	return strstr(image->value, "stand-in") != NULL;
}

static void put_standins(FILE *f, const struct result *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_images; i++) {
		if (!is_standin(&r->images[i]))
			continue;
		(void)fputs(n++ ? ", " : "<p class=\"note\"><strong>Stand-ins ran for</strong> ",
			    f);
		html_text(f, r->images[i].name);
	}
	if (n)
		(void)fputs(": programs of this project with the same ports, settings and "
			    "firewall, in place of "
			    "the official ones. <a href=\"#environment\">Images</a></p>\n",
			    f);
}

/* ---- table of scenarios ---- */

static void put_filter(FILE *f, const struct summary *s)
{
	(void)fputs("<nav class=\"filter\" aria-label=\"Filter\">"
		    "<a href=\"#\" data-f=\"\">all <b>",
		    f);
	html_count(f, s->scenarios);
	(void)fputs("</b></a>", f);
	if (s->as_expected < s->scenarios)
		(void)fprintf(f,
			      "<a href=\"#v=unexpected\" data-f=\"unexpected\">not as expected "
			      "<b>%zu</b></a>",
			      s->scenarios - s->as_expected);
	for (int v = VERDICT_LEAK; v >= VERDICT_PASS; v--)
		if (s->by_verdict[v])
			(void)fprintf(f, "<a href=\"#v=%s\" data-f=\"%s\">%s <b>%zu</b></a>",
				      verdict_name((enum verdict)v), verdict_name((enum verdict)v),
				      verdict_name((enum verdict)v), s->by_verdict[v]);
	(void)fputs("<button type=\"button\" class=\"unfold\">unfold all</button>"
		    "<span class=\"shown soft\" aria-live=\"polite\"></span></nav>\n",
		    f);
}

static void put_worst_cell(FILE *f, const char *label, const struct result_scenario *s,
			   const char *name)
{
	const struct result_measure *m = summary_worst(s, name);
	_cleanup_free_ char *text = m && m->value == RESULT_NONE
					    ? str_fmt("none")
					    : summary_duration(m ? m->value : RESULT_NONE);

	(void)fprintf(f, "<td class=\"n%s\" data-l=\"%s\">",
		      m && !m->ok && !s->must_leak ? " bad" : "", label);
	html_text(f, m ? text : "\xe2\x80\x93");
	if (m && !m->ok && !s->must_leak)
		(void)fputs(" \xe2\x9c\x97", f);
	(void)fputs("</td>", f);
}

static void put_row(FILE *f, const struct result *r, const struct result_scenario *s)
{
	_cleanup_free_ char *anchor = html_anchor(r, s);
	_cleanup_free_ char *took = summary_duration(s->end - s->begin);

	(void)fprintf(f, "<tr data-v=\"%s\" data-x=\"%d\"><th scope=\"row\"><a href=\"#%s\">",
		      verdict_name(s->verdict), !s->as_expected, anchor);
	html_text(f, s->name);
	if (summary_is_repeated(r, s))
		(void)fprintf(f, " #%u", s->repeat);
	(void)fputs("</a></th><td data-l=\"verdict\">", f);
	html_pill(f, s);
	(void)fputs("</td>", f);
	put_worst_cell(f, "kill switch", s, "kill-switch");
	put_worst_cell(f, "recovery", s, "recovery");
	(void)fputs("<td class=\"n\" data-l=\"findings\">", f);
	html_count(f, s->findings_total);
	(void)fputs("</td><td class=\"n\" data-l=\"blocked\">", f);
	html_count(f, s->blocked);
	(void)fprintf(f, "</td><td class=\"n\" data-l=\"time\">%s</td></tr>\n", took);
}

static void put_table(FILE *f, const struct result *r, const struct summary *s)
{
	(void)fputs("<h2 id=\"scenarios\">Scenarios</h2>\n", f);
	put_filter(f, s);
	(void)fputs(
		"<div class=\"card\"><table class=\"rows overview\"><thead><tr><th>scenario</th>"
		"<th>verdict</th><th class=\"n\">kill switch</th><th class=\"n\">recovery</th>"
		"<th class=\"n\">findings</th><th class=\"n\">blocked</th><th "
		"class=\"n\">time</th></tr>"
		"</thead><tbody>\n",
		f);
	for (size_t i = 0; i < r->n_scenarios; i++)
		put_row(f, r, &r->scenarios[i]);
	(void)fputs("</tbody></table></div>\n", f);
}

/* ---- environment ---- */

static void put_pairs(FILE *f, const char *title, const struct result_pair *p, size_t n)
{
	if (n == 0)
		return;
	if (title)
		(void)fprintf(f, "<h4>%s</h4>\n", title);
	(void)fputs("<dl>\n", f);
	for (size_t i = 0; i < n; i++) {
		html_element(f, "dt", NULL, p[i].name);
		(void)fputs("<dd>", f);
		if (is_standin(&p[i]))
			(void)fputs("<span class=\"chip standin\">stand-in</span> ", f);
		html_text(f, p[i].value);
		(void)fputs("</dd>\n", f);
	}
	(void)fputs("</dl>\n", f);
}

static void put_environment(FILE *f, const struct result *r)
{
	bool analysis = result_is_analysis(r);

	(void)fprintf(f, "<h2 id=\"environment\">%s</h2>\n<section class=\"card\">\n",
		      analysis ? "What was judged, and against what" : "Environment");
	put_pairs(f, "Images", r->images, r->n_images);
	put_pairs(f, analysis ? NULL : "Machine", r->environment, r->n_environment);
	if (!analysis)
		(void)fprintf(f, "<p class=\"foot\">seed %llu</p>\n", (unsigned long long)r->seed);
	(void)fputs("</section>\n", f);
}

enum { OF_RUNS = 1, OF_ANALYSES = 2, OF_BOTH = 3 };

static const struct {
	int of;
	const char *word, *text;
} words[] = {
	{ OF_RUNS, "No leak",
	  "Every packet was accounted for, every planted leak was caught, and nothing left outside "
	  "the "
	  "tunnel. Silence alone is never taken for it." },
	{ OF_ANALYSES, "No leak",
	  "The captures are whole, show the tunnel at work, and nothing in them left outside it. "
	  "Silence "
	  "alone is never taken for it." },
	{ OF_BOTH, "Leak",
	  "At least one packet left outside the tunnel, or carried the real address inside it." },
	{ OF_RUNS, "Broken promise",
	  "Nothing leaked, but the stack did not come back in time, or did not work." },
	{ OF_RUNS, "Inconclusive",
	  "Nothing can be concluded: packets were lost by a tap, a fault was not confirmed, or a "
	  "planted "
	  "leak was missed." },
	{ OF_ANALYSES, "Inconclusive",
	  "No leak was found, and the captures cannot prove that there was none: they are cut, "
	  "lost "
	  "packets, show no traffic, or nothing of the outside." },
	{ OF_RUNS, "Kill switch",
	  "Time from the fault to the last packet that leaked after it. \xe2\x80\x9cno "
	  "leak\xe2\x80\x9d: "
	  "there was none. \xc2\xb1 is the width of the fault's own begin, plus the longest pause "
	  "between "
	  "two probes." },
	{ OF_BOTH, "Blocked attempt",
	  "A packet seen inside the stack on its way out, and nowhere outside." },
	{ OF_RUNS, "Canary",
	  "A packet that the harness sends from inside an app's network, with a number of this "
	  "run." },
	{ OF_BOTH, "Tap",
	  "A place where every packet is recorded: outside (uplink, isp), inside (bridges), at the "
	  "far end "
	  "of the tunnel (exit)." },
	{ OF_BOTH, "Nobody's",
	  "Packets that left the host beside the tunnel and that nothing ties to a service: the "
	  "host's own, "
	  "as far as one can see." },
	{ OF_BOTH, "Upkeep",
	  "What keeps a link going and tells nothing of the stack: ARP, neighbour discovery, "
	  "multicast "
	  "membership." },
};

static void put_words(FILE *f, const struct result *r)
{
	int of = result_is_analysis(r) ? OF_ANALYSES : OF_RUNS;

	(void)fputs("<details class=\"card fold\"><summary>How to read this page</summary>\n<dl>\n",
		    f);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].of & of)
			(void)fprintf(f, "<dt>%s</dt><dd>%s</dd>\n", words[i].word, words[i].text);
	(void)fputs("</dl>\n</details>\n", f);
}

static void put_run(FILE *f, const struct result *r)
{
	struct summary s;

	summary_of(r, &s);
	put_facts(f, &s);
	put_standins(f, r);
	put_table(f, r, &s);
	for (size_t i = 0; i < r->n_scenarios; i++)
		html_scenario(f, r, &r->scenarios[i]);
	html_coverage(f, r);
}

static int write_html(const struct result *r, const struct report_opts *o, FILE *f, struct err *err)
{
	(void)o;
	if (put_head(f, r) < 0)
		return err_set(err, EXIT_ENVIRONMENT,
			       "no SHA-256 in this OpenSSL: the page's policy needs it");
	(void)fputs("<main>\n", f);
	put_verdict(f, r);
	if (result_is_analysis(r))
		html_analysis(f, r);
	else
		put_run(f, r);
	put_environment(f, r);
	put_words(f, r);
	(void)fputs("</main>\n<script>", f);
	(void)fputs(html_js, f);
	(void)fputs("</script>\n</body>\n</html>\n", f);
	return 0;
}

const struct report_row report_html = {
	.name = "html",
	.summary = "one self-contained page for people",
	.file = "index.html",
	.write = write_html,
};
