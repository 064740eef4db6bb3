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
	struct result_measure *m = result_add_measure(s);

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

/* Kinds whose silence is an outage. A kept connection is none of them: it ends with the tunnel's address
 * translation and does not come back by design. */
static bool shows_outages(const char *name)
{
	const struct probe_row *row = probe_find(name);

	return row && row->replies && strcmp(name, "kept-connection") != 0;
}

/* When the stack was taken down after a fault: an outage from there on is no recovery that failed. */
static int64_t down_after(const struct result_scenario *s, int64_t fault)
{
	for (size_t i = 0; i < s->n_windows; i++)
		if (strcmp(s->windows[i].kind, "phase") == 0 &&
		    strcmp(s->windows[i].label, "down") == 0 && s->windows[i].begin > fault)
			return s->windows[i].begin;
	return s->end;
}

struct outage {
	int64_t cut, back, resolution;
	bool found, never;
};

/* The service of a probe began another life, and so did the probe: the first reply that it got there, 0 = none. */
static int64_t next_life_reply(const struct probe_files *all, size_t i)
{
	for (size_t k = i + 1; k < all->n; k++) {
		struct probe_summary sum;

		if (!all->items[k].usable || strcmp(all->items[k].label, all->items[i].label) != 0)
			continue;
		probe_log_summary(&all->items[k].log, 0, 0, &sum);
		if (sum.first_reply)
			return sum.first_reply;
	}
	return 0;
}

static void worst_outage(struct outage *w, const struct probe_files *all, int64_t fault,
			 int64_t heal, int64_t down)
{
	for (size_t i = 0; i < all->n; i++) {
		struct probe_outage o;

		if (!all->items[i].usable || !shows_outages(all->items[i].kind))
			continue;
		probe_log_outage(&all->items[i].log, fault, OUTAGE_MIN, REPLY_WAIT, &o);
		if (!o.found || o.cut_off > down - REPLY_WAIT)
			continue;
		if (!o.recovery)
			o.recovery = next_life_reply(all, i);
		w->found = true;
		w->cut = o.cut_off - fault > w->cut ? o.cut_off - fault : w->cut;
		w->never |= o.recovery == 0 || o.recovery > down;
		/* The first reply may come while the heal is still being done. */
		w->back = o.recovery - heal > w->back ? o.recovery - heal : w->back;
		w->back = w->back < 0 && o.recovery ? 0 : w->back;
		w->resolution = o.resolution > w->resolution ? o.resolution : w->resolution;
	}
}

/* The worst of the outages that probes of the protected services saw after a fault. */
static void add_outage(struct result_scenario *s, const struct probe_files *all,
		       const struct result_window *f, int64_t heal, int64_t bound)
{
	struct outage w = { .cut = RESULT_NONE, .back = RESULT_NONE };
	int64_t down = down_after(s, f->begin);

	worst_outage(&w, all, f->begin, heal, down);
	if (!w.found)
		return;
	add_measure(s, "app-cut-off", seconds_text(w.cut), w.cut, RESULT_NONE, w.resolution);
	if (!w.never) {
		add_measure(s, "recovery", seconds_text(w.back), w.back, bound, w.resolution);
		return;
	}
	if (bound <= 0)
		return;
	add_measure(s, "recovery", str_fmt("not within the scenario"), down - heal, bound,
		    w.resolution);
	/* However short the scenario was: what did not come back has not recovered in time. */
	s->measures[s->n_measures - 1].ok = false;
}

/* ---- one fault ---- */

static void add_kill_switch(struct result_scenario *s, const struct judge_mark *m,
			    const struct result_window *f, const struct probe_files *all,
			    int64_t bound)
{
	int64_t watch_end = f->begin + 5 * NS_PER_S < s->end ? f->begin + 5 * NS_PER_S : s->end;
	int64_t value = m->leaks_in ? m->last_leak_in - f->begin : RESULT_NONE;
	int64_t gap;

	(void)probe_files_attempts(all, f->begin, watch_end, &gap);
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
	struct result_series *r = result_add_series(s, count);

	r->name = str_fmt("%s", name);
	r->unit = str_fmt("%s", unit);
	r->start = start;
	r->bin = bin;
	return r->values;
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
		   const struct probe_files *probes)
{
	const json_t *head = json_array_get(events, 0);

	for (size_t n = 0; fault_window(s, n); n++)
		measure_fault(s, n, j, probes, event_int(head, "kill-switch-bound"),
			      event_int(head, "recovery-bound"));
	add_canaries(s, probes);
	add_health(s, events);
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
