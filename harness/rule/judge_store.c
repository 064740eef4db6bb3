// SPDX-License-Identifier: MIT
/* What the judge keeps: findings, controls, canaries, allowances, bins, marks; all of it bounded. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/order.h"
#include "rule/judge_internal.h"

/* n_rules: it is none of the table. */
static size_t rule_index(const struct rule *r)
{
	for (size_t i = 0; i < n_rules; i++)
		if (rules[i] == r)
			return i;
	return n_rules;
}

static const char *name_of(const struct policy_service *s)
{
	return s ? s->name : "another container";
}

static void subject(const struct rule_ctx *c, struct finding *f)
{
	const struct attributed *w = &c->who;

	if (w->how == ATTR_AMBIGUOUS)
		(void)snprintf(f->service, sizeof(f->service), "%.36s or %.36s",
			       name_of(w->service), name_of(w->other));
	else if (w->service)
		(void)snprintf(f->service, sizeof(f->service), "%.79s", w->service->name);
}

void store_finding(struct judge *j, const struct rule *r, const struct rule_ctx *c,
		   const struct rule_hit *hit, size_t tap, uint64_t frame)
{
	uint64_t *total = &j->rule_totals[rule_index(r) * j->p->n_taps + tap];
	size_t share = j->findings_max / 8 ? j->findings_max / 8 : 1;
	char line[FACTS_LINE];
	struct finding *f;

	(*total)++;
	j->findings_total++;
	/* no rule may fill the store before another one has spoken */
	if (j->n_findings >= j->findings_max || *total > share || j->opts.controls_only)
		return;
	f = &j->findings[j->n_findings++];
	*f = (struct finding){ .rule = r,
			       .tap = tap,
			       .time = c->facts->time,
			       .frame = frame,
			       .how = c->who.how,
			       .confidence = c->who.how == ATTR_NONE ? 0.5 : c->who.confidence,
			       .canary = c->who.canary ? c->who.canary->id : NO_CANARY };
	subject(c, f);
	(void)snprintf(f->sentence, sizeof(f->sentence), "%s %s.",
		       f->service[0]		 ? f->service
		       : c->who.how != ATTR_NONE ? "The stack"
						 : "Something on this host",
		       hit->what);
	(void)snprintf(f->packet, sizeof(f->packet), "%.199s",
		       facts_describe(c->facts, line, sizeof(line)));
}

void store_control(struct judge *j, const struct rule *r, uint32_t id, size_t tap, uint64_t frame,
		   int64_t time)
{
	for (size_t i = 0; i < j->n_controls; i++)
		if (j->controls[i].rule == r && j->controls[i].tap == tap &&
		    j->controls[i].id == id) {
			j->controls[i].count++;
			return;
		}
	if (j->n_controls < CONTROLS_MAX)
		j->controls[j->n_controls++] = (struct judge_control){
			.rule = r, .tap = tap, .id = id, .count = 1, .frame = frame, .time = time
		};
}

/* Open addressing; the table is twice as large as the array of canaries. */
void store_canary(struct judge *j, uint32_t id, size_t tap, int64_t time)
{
	uint32_t slots = 2 * CANARY_SEEN_MAX;
	uint32_t i = (id * UINT32_C(2654435761) ^ (uint32_t)tap * UINT32_C(40503)) % slots;
	struct judge_canary *c;

	for (; j->canary_heads[i]; i = (i + 1) % slots) {
		c = &j->canaries[j->canary_heads[i] - 1];
		if (c->id == id && c->tap == tap) {
			c->count++;
			c->last = time;
			return;
		}
	}
	if (j->n_canaries == CANARY_SEEN_MAX)
		return;
	j->canaries[j->n_canaries++] = (struct judge_canary){
		.id = id, .tap = tap, .count = 1, .first = time, .last = time
	};
	j->canary_heads[i] = (uint32_t)j->n_canaries;
}

void store_use(struct judge *j, const struct policy_allow *a, const char *builtin, uint32_t bytes)
{
	struct judge_allow_use *u = NULL;

	if (a) {
		u = &j->uses[a - j->p->allows];
	} else {
		for (size_t i = j->p->n_allows; i < j->n_uses && !u; i++)
			if (strcmp(j->uses[i].name, builtin) == 0)
				u = &j->uses[i];
		if (!u && j->n_uses < j->p->n_allows + BUILTIN_MAX) {
			u = &j->uses[j->n_uses++];
			u->name = builtin;
		}
	}
	if (!u)
		return;
	u->packets++;
	u->bytes += bytes;
}

/* Twice the width, half the bins. */
static void fold_bins(struct judge *j)
{
	for (size_t s = 0; s <= N_SERIES; s++) {
		uint32_t *b = j->bins[s];

		for (size_t i = 0; i < JUDGE_BINS_MAX / 2; i++)
			b[i] = b[2 * i] + b[2 * i + 1];
		memset(b + JUDGE_BINS_MAX / 2, 0, JUDGE_BINS_MAX / 2 * sizeof(*b));
	}
	j->bin *= 2;
	j->n_bins = (j->n_bins + 1) / 2;
}

/* What came before the start counts into the first bin. */
static size_t bin_of(const struct judge *j, int64_t time)
{
	return (size_t)((max_i64(time, j->bin_start) - j->bin_start) / j->bin);
}

void store_bin(struct judge *j, size_t series, int64_t time)
{
	size_t i = bin_of(j, time);

	while (i >= JUDGE_BINS_MAX) {
		fold_bins(j);
		i = bin_of(j, time);
	}
	j->n_bins = max_u64(j->n_bins, i + 1);
	j->bins[series][i]++;
}

uint32_t store_bin_value(const struct judge *j, size_t series, int64_t time)
{
	return j->bins[series][min_u64(bin_of(j, time), JUDGE_BINS_MAX)];
}

static bool in_window(const struct mark_state *s, int64_t time)
{
	return time >= s->m.begin && time < s->m.until;
}

/* 0: none so far. */
static int64_t first_of(int64_t have, int64_t time)
{
	return have ? min_i64(have, time) : time;
}

void store_tunnel(struct judge *j, int64_t time)
{
	for (size_t i = 0; i < j->n_marks; i++) {
		struct judge_mark *m = &j->marks[i].m;

		if (time < m->begin)
			m->last_tunnel_before = max_i64(m->last_tunnel_before, time);
		if (!in_window(&j->marks[i], time))
			continue;
		m->first_tunnel_in = first_of(m->first_tunnel_in, time);
		m->last_tunnel_in = max_i64(m->last_tunnel_in, time);
	}
}

static void sample(struct mark_state *s, int64_t time)
{
	int64_t from = s->last_sample ? s->last_sample : s->m.begin;

	s->m.sample_gap = max_i64(s->m.sample_gap, time - from);
	s->last_sample = max_i64(s->last_sample, time);
}

void store_leak(struct judge *j, enum tap_role role, int64_t time)
{
	bool isp = role == TAP_ISP;

	store_bin(j, isp ? (size_t)N_SERIES : (size_t)SERIES_LEAKS, time);
	for (size_t i = 0; i < j->n_marks; i++) {
		struct judge_mark *m = &j->marks[i].m;

		if (!in_window(&j->marks[i], time))
			continue;
		sample(&j->marks[i], time);
		j->marks[i].leaks[isp]++;
		m->first_leak_in = first_of(m->first_leak_in, time);
		m->last_leak_in = max_i64(m->last_leak_in, time);
	}
}

void store_attempt(struct judge *j, int64_t time)
{
	j->attempts++;
	store_bin(j, SERIES_ATTEMPTS, time);
	for (size_t i = 0; i < j->n_marks; i++)
		if (in_window(&j->marks[i], time)) {
			sample(&j->marks[i], time);
			j->marks[i].m.attempts_in++;
		}
}

void store_blocked(struct judge *j, int64_t time)
{
	j->blocked++;
	store_bin(j, SERIES_BLOCKED, time);
	for (size_t i = 0; i < j->n_marks; i++) {
		struct judge_mark *m = &j->marks[i].m;

		if (!in_window(&j->marks[i], time))
			continue;
		m->blocked_in++;
		m->first_blocked_in = first_of(m->first_blocked_in, time);
		m->last_blocked_in = max_i64(m->last_blocked_in, time);
	}
}

static int by_time(const void *a, const void *b)
{
	const struct finding *x = a;
	const struct finding *y = b;

	int order = order_i64(x->time, y->time);

	if (!order)
		order = order_u64(x->tap, y->tap);
	if (!order)
		order = order_u64(x->frame, y->frame);
	return order ? order : order_u64(rule_index(x->rule), rule_index(y->rule));
}

/* The isp's tap shows again what the uplink's tap showed: the larger count is the count. */
void store_settle(struct judge *j)
{
	const uint32_t *isp = j->bins[N_SERIES];
	uint32_t *leaks = j->bins[SERIES_LEAKS];

	for (size_t i = 0; i < j->n_bins; i++)
		leaks[i] = (uint32_t)max_u64(leaks[i], isp[i]);
	for (size_t i = 0; i < j->n_marks; i++) {
		struct mark_state *s = &j->marks[i];

		s->m.leaks_in = max_u64(s->leaks[0], s->leaks[1]);
		sample(s, min_i64(s->m.until, j->now));
	}
	qsort(j->findings, j->n_findings, sizeof(*j->findings), by_time);
}

/* ---- answers ---- */

const struct finding *judge_findings(const struct judge *j, size_t *n)
{
	*n = j->n_findings;
	return j->findings;
}

uint64_t judge_findings_total(const struct judge *j)
{
	return j->findings_total;
}

uint64_t judge_rule_total(const struct judge *j, const struct rule *r, size_t tap)
{
	return j->rule_totals[rule_index(r) * j->p->n_taps + tap];
}

const struct judge_control *judge_controls(const struct judge *j, size_t *n)
{
	*n = j->n_controls;
	return j->controls;
}

bool judge_control_caught(const struct judge *j, uint32_t id, const char *rule, const char *tap)
{
	for (size_t i = 0; i < j->n_controls; i++)
		if (j->controls[i].id == id && strcmp(j->controls[i].rule->id, rule) == 0 &&
		    strcmp(j->p->taps[j->controls[i].tap].name, tap) == 0)
			return true;
	return false;
}

const struct judge_canary *judge_canaries(const struct judge *j, size_t *n)
{
	*n = j->n_canaries;
	return j->canaries;
}

const struct judge_tap_counters *judge_counters(const struct judge *j, size_t tap)
{
	return &j->counters[tap];
}

const struct judge_allow_use *judge_allowances(const struct judge *j, size_t *n)
{
	*n = j->n_uses;
	return j->uses;
}

const struct judge_mark *judge_mark_get(const struct judge *j, int index)
{
	return index >= 0 && (size_t)index < j->n_marks ? &j->marks[index].m : NULL;
}

const uint32_t *judge_series(const struct judge *j, enum judge_series s, size_t *n, int64_t *start,
			     int64_t *bin)
{
	*n = j->n_bins;
	*start = j->bin_start;
	*bin = j->bin;
	return j->bins[s];
}

uint64_t judge_blocked(const struct judge *j)
{
	return j->blocked;
}

uint64_t judge_attempts(const struct judge *j)
{
	return j->attempts;
}
