// SPDX-License-Identifier: MIT
/* The numbers of a scenario. */
#include "engine/measures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "engine/events.h"
#include "probe/probe.h"

#define OUTAGE_MIN (300 * NS_PER_MS) /* shorter holes are the ordinary life of a network */
#define REPLY_WAIT (500 * NS_PER_MS)

void measures_mark_faults(struct judge *j, const struct result_scenario *s)
{
	for (size_t i = 0; i < s->n_windows; i++)
		if (strcmp(s->windows[i].kind, "fault") == 0)
			(void)judge_add_mark(j, s->windows[i].begin, s->end);
}

static const struct result_window *fault_window(const struct result_scenario *s, size_t n)
{
	for (size_t i = 0; i < s->n_windows; i++)
		if (strcmp(s->windows[i].kind, "fault") == 0 && n-- == 0)
			return &s->windows[i];
	return NULL;
}

/* `bound` 0 or RESULT_NONE: no bound. Takes over `text`. */
static void add_measure(struct result_scenario *s, const char *name, char *text, int64_t value,
			int64_t bound, int64_t uncertainty)
{
	struct result_measure *m;

	s->measures = realloc(s->measures, (s->n_measures + 1) * sizeof(*m));
	if (!s->measures)
		abort();
	m = &s->measures[s->n_measures++];
	m->name = str_fmt("%s", name);
	m->text = text;
	m->value = value;
	m->bound = bound > 0 ? bound : RESULT_NONE;
	m->uncertainty = uncertainty;
	m->ok = m->bound == RESULT_NONE || value == RESULT_NONE || value <= m->bound;
}

static char *seconds_text(int64_t ns)
{
	return str_fmt("%.3f s", (double)ns / 1e9);
}

/* ---- probes ---- */

struct probe_file {
	struct probe_log log;
	bool usable;
	char *service;
	char *kind;
};

struct probe_files {
	struct probe_file *items;
	size_t n;
};

static void load_probes(struct probe_files *all, const json_t *events, const char *dir)
{
	size_t i;
	json_t *e;

	json_array_foreach((json_t *)(uintptr_t)events, i, e)
	{
		_cleanup_free_ char *path = NULL;
		struct probe_file *f;

		if (!event_is(e, "probe"))
			continue;
		all->items = realloc(all->items, (all->n + 1) * sizeof(*f));
		if (!all->items)
			abort();
		f = &all->items[all->n++];
		memset(f, 0, sizeof(*f));
		path = str_fmt("%s/%s", dir, event_str(e, "log"));
		f->usable = probe_log_read(path, &f->log, NULL) == 0;
		f->service = str_fmt("%s", event_str(e, "service"));
		f->kind = str_fmt("%s", event_str(e, "probe"));
	}
}

static void free_probes(struct probe_files *all)
{
	for (size_t i = 0; i < all->n; i++) {
		if (all->items[i].usable)
			probe_log_free(&all->items[i].log);
		free(all->items[i].service);
		free(all->items[i].kind);
	}
	free(all->items);
}

static int compare_times(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The longest time in [from, to) in which no probe tried anything: what a leak could have hidden in. */
static int64_t sampling_gap(const struct probe_files *all, int64_t from, int64_t to)
{
	int64_t *times = NULL;
	int64_t gap = 0;
	size_t n = 0, room = 0;

	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; all->items[i].usable && k < all->items[i].log.count; k++) {
			const struct probe_record *r = &all->items[i].log.records[k];

			if (r->event != PROBE_SENT || r->real < from || r->real >= to)
				continue;
			if (n == room) {
				room = room ? 2 * room : 1024;
				times = realloc(times, room * sizeof(*times));
				if (!times)
					abort();
			}
			times[n++] = r->real;
		}
	if (n < 2) {
		free(times);
		return to - from;
	}
	qsort(times, n, sizeof(*times), compare_times);
	for (size_t i = 1; i < n; i++)
		if (times[i] - times[i - 1] > gap)
			gap = times[i] - times[i - 1];
	free(times);
	return gap;
}

/* Kinds whose silence is an outage. A kept connection is none of them: it ends with the tunnel's address
 * translation and does not come back by design. */
static bool shows_outages(const char *name)
{
	const struct probe_row *row = probe_find(name);

	return row && row->replies && strcmp(name, "kept-connection") != 0;
}

/* The worst of the outages that probes of the protected services saw after a fault. */
static void add_outage(struct result_scenario *s, const struct probe_files *all,
		       const struct result_window *f, int64_t heal, int64_t bound)
{
	int64_t cut = RESULT_NONE, back = RESULT_NONE, resolution = 0;
	bool found = false, never = false;

	for (size_t i = 0; i < all->n; i++) {
		struct probe_outage o;

		if (!all->items[i].usable || !shows_outages(all->items[i].kind))
			continue;
		probe_log_outage(&all->items[i].log, f->begin, OUTAGE_MIN, REPLY_WAIT, &o);
		if (!o.found)
			continue;
		found = true;
		if (o.cut_off - f->begin > cut)
			cut = o.cut_off - f->begin;
		never |= o.recovery == 0;
		if (o.recovery - heal > back)
			back = o.recovery - heal;
		resolution = o.resolution > resolution ? o.resolution : resolution;
	}
	if (!found)
		return;
	add_measure(s, "app-cut-off", seconds_text(cut), cut, RESULT_NONE, resolution);
	if (never && bound > 0)
		add_measure(s, "recovery", str_fmt("not within the scenario"), s->end - heal, bound,
			    resolution);
	else if (!never)
		add_measure(s, "recovery", seconds_text(back), back, bound, resolution);
}

/* ---- one fault ---- */

static void add_kill_switch(struct result_scenario *s, const struct judge_mark *m,
			    const struct result_window *f, const struct probe_files *all,
			    int64_t bound)
{
	int64_t watch_end = f->begin + 5 * NS_PER_S < s->end ? f->begin + 5 * NS_PER_S : s->end;
	int64_t gap = sampling_gap(all, f->begin, watch_end);
	int64_t value = m->leaks_in ? m->last_leak_in - f->begin : RESULT_NONE;

	if (m->leaks_in)
		add_measure(s, "kill-switch",
			    str_fmt("%llu packets leaked until %.3f s after the fault",
				    (unsigned long long)m->leaks_in, (double)value / 1e9),
			    value, bound, f->uncertainty);
	else
		add_measure(
			s, "kill-switch",
			str_fmt("no leaked packet; %llu attempts after the fault stayed inside; "
				"sampled every %.1f ms at worst",
				(unsigned long long)m->attempts_in, (double)gap / 1e6),
			RESULT_NONE, bound, f->uncertainty + gap);
	if (m->last_tunnel_before)
		add_measure(s, "last-tunnel-packet",
			    str_fmt("%.3f s before the fault",
				    (double)(f->begin - m->last_tunnel_before) / 1e9),
			    m->last_tunnel_before - f->begin, RESULT_NONE, f->uncertainty);
}

static void measure_fault(struct result_scenario *s, size_t n, const struct judge *j,
			  const struct probe_files *all, int64_t kill_bound, int64_t recovery_bound)
{
	const struct result_window *f = fault_window(s, n);
	const struct judge_mark *m = judge_mark_get(j, (int)n);
	/* A fault that was held and healed counts its recovery from the heal, any other from itself. */
	bool held = f->end - f->begin > f->uncertainty;

	if (m)
		add_kill_switch(s, m, f, all, kill_bound);
	add_outage(s, all, f, held ? f->end : f->begin, recovery_bound);
}

/* ---- series ---- */

static double *series_add(struct result_scenario *s, const char *name, const char *unit,
			  int64_t start, int64_t bin, size_t count)
{
	struct result_series *r;

	s->series = realloc(s->series, (s->n_series + 1) * sizeof(*r));
	if (!s->series)
		abort();
	r = &s->series[s->n_series++];
	r->name = str_fmt("%s", name);
	r->unit = str_fmt("%s", unit);
	r->start = start;
	r->bin = bin;
	r->count = count;
	r->values = calloc(count ? count : 1, sizeof(*r->values));
	if (!r->values)
		abort();
	return r->values;
}

static void add_judge_series(struct result_scenario *s, const struct judge *j, const char *name,
			     const enum judge_series *which, size_t n_which)
{
	int64_t start, bin;
	double *values = NULL;
	size_t count;

	for (size_t k = 0; k < n_which; k++) {
		const uint32_t *v = judge_series(j, which[k], &count, &start, &bin);

		if (!values)
			values = series_add(s, name, "packets", start, bin, count);
		for (size_t i = 0; i < count && i < s->series[s->n_series - 1].count; i++)
			values[i] += v[i];
	}
}

static void add_canaries(struct result_scenario *s, const struct probe_files *all)
{
	int64_t bin = 100 * NS_PER_MS;
	size_t count = s->end > s->begin ? (size_t)((s->end - s->begin) / bin) + 1 : 1;
	double *values = series_add(s, "canaries", "packets", s->begin, bin, count);

	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; all->items[i].usable && k < all->items[i].log.count; k++) {
			const struct probe_record *r = &all->items[i].log.records[k];

			if (r->event != PROBE_SENT || r->real < s->begin || r->real > s->end)
				continue;
			values[(size_t)((r->real - s->begin) / bin)]++;
			s->canaries_sent++;
		}
}

/* 1 while the gateway says healthy, 0 otherwise: a step function from its health events. */
static void add_health(struct result_scenario *s, const json_t *events)
{
	int64_t bin = 100 * NS_PER_MS;
	size_t count = s->end > s->begin ? (size_t)((s->end - s->begin) / bin) + 1 : 1;
	double *values = NULL;
	size_t i, from;
	json_t *e;

	json_array_foreach((json_t *)(uintptr_t)events, i, e)
	{
		if (!event_is(e, "health") || strcmp(event_str(e, "role"), "gateway") != 0)
			continue;
		if (!values)
			values = series_add(s, "health", "state", s->begin, bin, count);
		from = event_int(e, "real") > s->begin
			       ? (size_t)((event_int(e, "real") - s->begin) / bin)
			       : 0;
		for (size_t k = from; k < count; k++)
			values[k] = strcmp(event_str(e, "health"), "healthy") == 0;
	}
}

void measures_fill(struct result_scenario *s, const json_t *events, const struct judge *j,
		   const struct policy *p, const char *dir)
{
	static const enum judge_series tunnel[] = { SERIES_TUNNEL_OUT, SERIES_TUNNEL_IN };
	static const enum judge_series blocked[] = { SERIES_BLOCKED };
	static const enum judge_series leaks[] = { SERIES_LEAKS };
	const json_t *head = json_array_get(events, 0);
	struct probe_files all = { 0 };

	(void)p;
	load_probes(&all, events, dir);
	for (size_t n = 0; fault_window(s, n); n++)
		measure_fault(s, n, j, &all, event_int(head, "kill-switch-bound"),
			      event_int(head, "recovery-bound"));
	add_judge_series(s, j, "tunnel", tunnel, 2);
	add_judge_series(s, j, "blocked", blocked, 1);
	add_judge_series(s, j, "leaks", leaks, 1);
	add_canaries(s, &all);
	add_health(s, events);
	free_probes(&all);
}

uint64_t measures_tunnel_before(const struct judge *j, const struct policy *p,
				const struct result_scenario *s)
{
	const struct result_window *first = fault_window(s, 0);
	const struct judge_mark *m = first ? judge_mark_get(j, 0) : NULL;
	uint64_t n = 0;

	if (m)
		return m->last_tunnel_before != 0;
	for (size_t i = 0; i < p->n_taps; i++)
		n += judge_counters(j, i)->tunnel_data_out;
	return n;
}
