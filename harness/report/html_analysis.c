// SPDX-License-Identifier: MIT
/* The page of captures of any origin: findings first, then what they are worth. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "report/html.h"
#include "report/summary.h"

/* Sums over the taps of an analysis. */
struct sums {
	uint64_t packets, tunnel, leaked, unattributed, attempts;
	size_t sound;
	uint64_t allowed;
	size_t used; /* allowances */
};

static struct sums sums_of(const struct result_scenario *s)
{
	struct sums x = { .attempts = summary_attempts(s) };

	for (size_t i = 0; i < s->n_taps; i++) {
		x.packets += s->taps[i].packets;
		x.tunnel += s->taps[i].tunnel;
		x.leaked += s->taps[i].leaked;
		x.unattributed += s->taps[i].unattributed;
		x.sound += summary_tap_is_sound(&s->taps[i]);
	}
	for (size_t i = 0; i < s->n_allowances; i++) {
		x.allowed += s->allowances[i].packets;
		x.used += s->allowances[i].packets > 0;
	}
	return x;
}

static void put_count(FILE *f, const char *title, bool good, uint64_t n, const char *note)
{
	_cleanup_free_ char *value = html_count_text(n);

	html_fact(f, title, good, value, note);
}

static void put_attempts(FILE *f, const struct result_scenario *s, uint64_t attempts)
{
	_cleanup_free_ char *all = html_count_text(attempts);
	_cleanup_free_ char *note = str_fmt("of %s seen inside the stack", all);

	if (attempts)
		put_count(f, "Attempts blocked", true, s->blocked, note);
}

static void put_facts(FILE *f, const struct result_scenario *s)
{
	struct sums x = sums_of(s);
	_cleanup_free_ char *tunnel = html_count_text(x.tunnel);
	_cleanup_free_ char *leaked = html_count_text(x.leaked);
	_cleanup_free_ char *of_tunnel = str_fmt("%s of the tunnel", tunnel);
	_cleanup_free_ char *of_leak = str_fmt("%s packets leaked", leaked);
	_cleanup_free_ char *whole = str_fmt("%zu of %zu", x.sound, s->n_taps);
	_cleanup_free_ char *used = str_fmt("by %zu of %zu allowances", x.used, s->n_allowances);

	(void)fputs("<ul class=\"facts\">\n", f);
	put_count(f, "Findings", s->findings_total == 0, s->findings_total, of_leak);
	put_count(f, "Packets judged", x.packets > 0, x.packets, of_tunnel);
	html_fact(f, "Captures whole", x.sound == s->n_taps, whole, "read to the end, none lost");
	put_attempts(f, s, x.attempts);
	if (x.unattributed)
		put_count(f, "Nobody's packets", true, x.unattributed,
			  "left the host; nothing ties them to a service");
	if (s->n_allowances)
		put_count(f, "Packets allowed", true, x.allowed, used);
	(void)fputs("</ul>\n", f);
}

static bool has_chart(const struct result_scenario *s)
{
	return s->end > s->begin && s->n_series > 0;
}

void html_analysis(FILE *f, const struct result *r)
{
	for (size_t i = 0; i < r->n_scenarios; i++) {
		const struct result_scenario *s = &r->scenarios[i];

		put_facts(f, s);
		if (s->findings_total) {
			(void)fputs("<h2 id=\"findings\">Findings</h2>\n<section class=\"card "
				    "scenario\">\n",
				    f);
			html_findings(f, s, false);
			(void)fputs("</section>\n", f);
		}
		if (has_chart(s)) {
			(void)fputs("<h2 id=\"time\">Over time</h2>\n<section class=\"card\">\n",
				    f);
			html_chart(f, s);
			(void)fputs("</section>\n", f);
		}
		html_coverage(f, r);
		(void)fputs("<h2 id=\"taps\">Captures</h2>\n<section class=\"card\">\n", f);
		html_taps(f, r, s);
		html_controls(f, s);
		(void)fputs("</section>\n", f);
	}
}
