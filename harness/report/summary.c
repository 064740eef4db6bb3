// SPDX-License-Identifier: MIT
/* Numbers of a result, and how they are spelled. */
#include "report/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"

static bool is_worse(const struct result_measure *a, const struct result_measure *than)
{
	if (!than || a->ok != than->ok)
		return !than || !a->ok;
	if (a->value != than->value)
		return a->value > than->value; /* RESULT_NONE is the least */
	/* of equals the one that was held to more */
	return a->bound != RESULT_NONE && (than->bound == RESULT_NONE || a->bound < than->bound);
}

const struct result_measure *summary_worst(const struct result_scenario *s, const char *name)
{
	const struct result_measure *worst = NULL;

	for (size_t i = 0; i < s->n_measures; i++)
		if (strcmp(s->measures[i].name, name) == 0 && is_worse(&s->measures[i], worst))
			worst = &s->measures[i];
	return worst;
}

static void keep_worst(const struct result_measure **slot, const struct result_measure *m)
{
	if (m && is_worse(m, *slot))
		*slot = m;
}

static void add_scenario(const struct result_scenario *s, struct summary *out)
{
	out->as_expected += s->as_expected;
	out->by_verdict[s->verdict]++;
	out->blocked += s->blocked;
	for (size_t i = 0; i < s->n_taps; i++) {
		out->received += s->taps[i].received;
		out->dropped += s->taps[i].dropped;
	}
	out->controls += s->n_controls;
	for (size_t i = 0; i < s->n_controls; i++)
		out->caught += s->controls[i].caught;
	if (s->must_leak)
		return;
	out->leaks += s->findings_total;
	keep_worst(&out->kill_switch, summary_worst(s, "kill-switch"));
	keep_worst(&out->recovery, summary_worst(s, "recovery"));
}

void summary_of(const struct result *r, struct summary *out)
{
	memset(out, 0, sizeof(*out));
	out->scenarios = r->n_scenarios;
	for (size_t i = 0; i < r->n_scenarios; i++)
		add_scenario(&r->scenarios[i], out);
}

bool summary_is_repeated(const struct result *r, const struct result_scenario *s)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_scenarios; i++)
		n += strcmp(r->scenarios[i].name, s->name) == 0;
	return n > 1;
}

bool summary_tap_is_sound(const struct result_tap *t)
{
	return t->reconciled && t->dropped == 0;
}

size_t summary_fault_of(const struct result_scenario *s, const struct result_measure *m)
{
	size_t n = 0;

	for (const struct result_measure *x = s->measures; x <= m; x++)
		n += strcmp(x->name, "kill-switch") == 0;
	return n ? n - 1 : 0;
}

const struct result_window *summary_fault(const struct result_scenario *s, size_t n)
{
	for (size_t i = 0; i < s->n_windows; i++)
		if (strcmp(s->windows[i].kind, "fault") == 0 && n-- == 0)
			return &s->windows[i];
	return NULL;
}

size_t summary_faults(const struct result_scenario *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_windows; i++)
		n += strcmp(s->windows[i].kind, "fault") == 0;
	return n;
}

static struct result_allowance *find_allowance(struct result_allowance *rows, size_t n,
					       const struct result_allowance *a)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].name, a->name) == 0 && strcmp(rows[i].who, a->who) == 0 &&
		    strcmp(rows[i].what, a->what) == 0)
			return &rows[i];
	return NULL;
}

struct result_allowance *summary_coverage(const struct result *r, size_t *n)
{
	struct result_allowance *rows;
	size_t room = 1;

	*n = 0;
	for (size_t i = 0; i < r->n_scenarios; i++)
		room += r->scenarios[i].n_allowances;
	rows = calloc(room, sizeof(*rows));
	if (!rows)
		abort();
	for (size_t i = 0; i < r->n_scenarios; i++)
		for (size_t k = 0; k < r->scenarios[i].n_allowances; k++) {
			const struct result_allowance *a = &r->scenarios[i].allowances[k];
			struct result_allowance *row = find_allowance(rows, *n, a);

			if (!row) {
				rows[(*n)++] = *a;
				continue;
			}
			row->packets += a->packets;
			row->bytes += a->bytes;
		}
	return rows;
}

uint64_t summary_attempts(const struct result_scenario *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->n_taps; i++)
		n += s->taps[i].attempts;
	return n;
}

char *summary_attribution(const struct result_finding *x)
{
	const char *more = strcmp(x->attribution, "ambiguous") == 0 ? ": two services fit" : "";

	if (strcmp(x->attribution, "none") == 0)
		return str_fmt("nothing ties it to a service");
	if (isnan(x->confidence))
		return str_fmt("%s%s", x->attribution, more);
	return str_fmt("%s%s, %.0f\xe2\x80\xaf%% sure", x->attribution, more, 100 * x->confidence);
}

char *summary_stamp(int64_t real, char buf[32])
{
	buf[0] = '\0';
	return real == RESULT_NONE ? buf : clock_iso8601(real, buf, 32);
}

char *summary_duration(int64_t ns)
{
	const char *sign = ns < 0 ? "-" : "";
	long long seconds;
	int64_t size;

	if (ns == RESULT_NONE)
		return str_fmt("-");
	size = ns < 0 ? -ns : ns;
	if (size == 0)
		return str_fmt("0 s");
	if (size < NS_PER_MS)
		return str_fmt("%s%.0f us", sign, (double)size / 1e3);
	if (size < 100 * NS_PER_MS)
		return str_fmt("%s%.1f ms", sign, (double)size / 1e6);
	if (size < 10 * NS_PER_S)
		return str_fmt("%s%.3f s", sign, (double)size / 1e9);
	if (size < 120 * NS_PER_S)
		return str_fmt("%s%.1f s", sign, (double)size / 1e9);
	seconds = size / NS_PER_S + (size % NS_PER_S >= NS_PER_S / 2);
	if (seconds < 7200)
		return str_fmt("%s%lld min %lld s", sign, seconds / 60, seconds % 60);
	return str_fmt("%s%lld h %lld min", sign, seconds / 3600, seconds % 3600 / 60);
}

char *summary_bound(int64_t ns)
{
	if (ns == RESULT_NONE)
		return str_fmt("-");
	if (ns % NS_PER_S == 0)
		return str_fmt("%lld s", (long long)(ns / NS_PER_S));
	if (ns > NS_PER_S)
		return str_fmt("%.4g s", (double)ns / 1e9);
	return str_fmt("%.4g ms", (double)ns / 1e6);
}
