// SPDX-License-Identifier: MIT
/* What speaks against believing the evidence of a scenario. */
#include "engine/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/events.h"

/* A clock that is slewed runs at most 0.05 % off (adjtimex(2)); what is beyond that and this was a step. */
#define CLOCK_STEP_NS (20 * NS_PER_MS)
#define CLOCK_SLEW    1000
#define HEARD_LATE_NS (2 * NS_PER_S)
#define TRIED_NS      (5 * NS_PER_S) /* after a fault; the bound that a kill switch is held to */

#define EACH(list, i, e) json_array_foreach((json_t *)(uintptr_t)(list), i, e)

/* ---- taps ---- */

static const json_t *find_event(const json_t *events, const char *event, const char *tap)
{
	size_t i;
	json_t *e;

	EACH(events, i, e)
	{
		if (event_is(e, event) && strcmp(event_str(e, "tap"), tap) == 0)
			return e;
	}
	return NULL;
}

/* An interface of the stack goes and comes with `up` and `down`, and with nothing else; on a busy machine the tap
 * hears of it late. */
static bool taken_down(const json_t *events, int64_t at)
{
	size_t i;
	json_t *e;

	EACH(events, i, e)
	{
		if (event_is(e, "phase") && strcmp(event_str(e, "text"), "down") == 0 &&
		    event_int(e, "begin") <= at && at <= event_int(e, "end") + HEARD_LATE_NS)
			return true;
	}
	return false;
}

static void check_gaps(struct evidence *out, const json_t *events, const json_t *tap)
{
	const json_t *list = json_object_get(tap, "events");
	size_t i;
	json_t *e;

	EACH(list, i, e)
	{
		if (strcmp(event_str(e, "kind"), "gap-begin") == 0 &&
		    !taken_down(events, event_int(e, "at")))
			evidence_doubt(
				out, DOUBT_TAP,
				"interface %s vanished, and nothing of the scenario took it down",
				event_str(tap, "interface"));
	}
}

static const char *why_unsound(const json_t *tap)
{
	if (event_int(tap, "gaps"))
		return "its interface vanished for a time";
	if (!event_bool(tap, "beacon-begin"))
		return "its first beacon was not seen";
	if (!event_bool(tap, "beacon-end"))
		return "its last beacon was not seen";
	return "its counters do not add up";
}

static void check_tap(struct evidence *out, const json_t *events, const json_t *tap)
{
	const char *name = event_str(tap, "tap");

	out->n_uplinks += strcmp(event_str(tap, "role"), "uplink") == 0;
	if (event_bool(tap, "failed"))
		evidence_doubt(out, DOUBT_EVIDENCE, "tap %s failed: %s", name,
			       event_str(tap, "error"));
	else if (event_int(tap, "dropped"))
		evidence_doubt(out, DOUBT_TAP, "tap %s lost %lld packets", name,
			       (long long)event_int(tap, "dropped"));
	else if (!event_bool(tap, "reconciled"))
		evidence_doubt(out, DOUBT_TAP, "tap %s on %s is not complete: %s", name,
			       event_str(tap, "interface"), why_unsound(tap));
	check_gaps(out, events, tap);
}

/* Bridges have no rule of their own that a finding could come from, and so no control. */
static bool needs_control(const char *role)
{
	return strcmp(role, "bridge") != 0 && strcmp(role, "veth") != 0;
}

static void check_opened(struct evidence *out, const json_t *events, const json_t *opened)
{
	const char *name = event_str(opened, "tap");

	if (!find_event(events, "tap", name))
		evidence_doubt(out, DOUBT_EVIDENCE, "tap %s was opened and never closed", name);
	if (needs_control(event_str(opened, "role")) && !find_event(events, "control", name))
		evidence_doubt(out, DOUBT_CONTROL, "no control was sent on tap %s", name);
}

/* ---- the clock ---- */

/* Between two events the distance of the two clocks may have moved by what slewing does. */
static void check_clock(struct evidence *out, const json_t *before, const json_t *e)
{
	int64_t passed = event_int(e, "mono") - event_int(before, "mono");
	int64_t moved = event_int(e, "real") - event_int(before, "real") - passed;

	if (passed < 0 || llabs(moved) > CLOCK_STEP_NS + passed / CLOCK_SLEW)
		evidence_doubt(out, DOUBT_CLOCK,
			       "the clock was moved by %.3f s during the scenario",
			       (double)moved / 1e9);
}

/* ---- the journal ---- */

static void take_event(struct evidence *out, const json_t *events, const json_t *e)
{
	if (event_is(e, "tap"))
		check_tap(out, events, e);
	else if (event_is(e, "tap-open"))
		check_opened(out, events, e);
	else if (event_is(e, "fault") && !event_bool(e, "confirmed"))
		evidence_doubt(out, DOUBT_FAULT, "fault %s %s was applied and never confirmed: %s",
			       event_str(e, "kind"), event_str(e, "target"),
			       event_str(e, "confirmation"));
	else if (event_is(e, "control"))
		out->n_controls++;
	else if (event_is(e, "promise"))
		evidence_promise(out, event_str(e, "text"));
	else if (event_is(e, "error"))
		evidence_error(out, event_str(e, "text"));
	else if (event_is(e, "interrupted"))
		evidence_doubt(out, DOUBT_INTERRUPTED, "interrupted before its end");
	else if (event_is(e, "clock-step"))
		evidence_doubt(out, DOUBT_CLOCK,
			       "the clock was moved by %.3f s during the scenario",
			       (double)event_int(e, "moved") / 1e9);
	else if (event_is(e, "probe-lost"))
		evidence_doubt(out, DOUBT_PROBE, "probe %s in %s could not go on: %s",
			       event_str(e, "label"), event_str(e, "service"),
			       event_str(e, "text"));
	else if (event_is(e, "unwatched"))
		evidence_doubt(out, DOUBT_TAP, "%s", event_str(e, "text"));
}

void evidence_journal(struct evidence *out, const json_t *events)
{
	const json_t *before = NULL;
	size_t i;
	json_t *e;

	EACH(events, i, e)
	{
		take_event(out, events, e);
		if (before)
			check_clock(out, before, e);
		before = e;
	}
}

/* ---- the captures ---- */

/* The file holds what the tap delivered: not fewer frames (a file that was cut between two of them is whole for a
 * reader), not more. */
static void check_frames(struct evidence *out, const json_t *events, const char *name,
			 uint64_t frames)
{
	const json_t *e = find_event(events, "tap", name);
	int64_t delivered = event_int(e, "delivered") + event_int(e, "tunnel");

	if (!e)
		evidence_doubt(out, DOUBT_EVIDENCE, "the journal does not tell of tap %s", name);
	else if ((uint64_t)delivered != frames)
		evidence_doubt(out, DOUBT_EVIDENCE,
			       "the files of tap %s hold %llu packets, and it delivered %lld", name,
			       (unsigned long long)frames, (long long)delivered);
}

/* A tap that never opened, although services had a network on its interface. */
static void check_never_seen(struct evidence *out, const json_t *tap, const struct policy *p)
{
	for (size_t n = 0; n < p->n_networks; n++)
		if (strcmp(p->networks[n].bridge, event_str(tap, "interface")) == 0)
			evidence_doubt(
				out, DOUBT_TAP,
				"tap %s never saw its interface, although network %s was there",
				event_str(tap, "tap"), p->networks[n].name);
}

static bool is_tapped(const struct policy *p, const char *network)
{
	for (size_t n = 0; n < p->n_networks; n++)
		for (size_t t = 0; t < p->n_taps; t++)
			if (strcmp(p->networks[n].name, network) == 0 && *p->networks[n].bridge &&
			    strcmp(p->networks[n].bridge, p->taps[t].interface) == 0)
				return true;
	return false;
}

/* Where the host makes traffic of its own, a packet on its way out is tied to a service by the same packet on the
 * service's network: without a tap there it would be taken for the host's. */
static void check_watched(struct evidence *out, const struct policy *p)
{
	for (size_t i = 0; i < p->n_services; i++) {
		const struct policy_service *s = &p->services[i];

		for (size_t k = 0; s->role != SERVICE_EDGE && k < s->n_legs; k++)
			if (*s->legs[k].network && !is_tapped(p, s->legs[k].network))
				evidence_doubt(out, DOUBT_TAP,
					       "no tap watched network %s of %s, so what it sends "
					       "cannot be told from the host's own traffic",
					       s->legs[k].network, s->name);
	}
}

static bool is_judged(const struct policy *p, const char *tap)
{
	for (size_t t = 0; t < p->n_taps; t++)
		if (strcmp(p->taps[t].name, tap) == 0)
			return true;
	return false;
}

void evidence_captures(struct evidence *out, const json_t *events, const struct judge *j,
		       const struct policy *p)
{
	size_t i;
	json_t *e;

	for (i = 0; i < p->n_taps; i++)
		check_frames(out, events, p->taps[i].name, judge_counters(j, i)->frames);
	EACH(events, i, e)
	{
		if (event_is(e, "tap") && event_int(e, "lives") == 0)
			check_never_seen(out, e, p);
		else if (event_is(e, "tap") && !is_judged(p, event_str(e, "tap")))
			evidence_doubt(
				out, DOUBT_EVIDENCE,
				"what tap %s saw was not judged: the policy does not name it",
				event_str(e, "tap"));
	}
	if (!p->closed_world)
		check_watched(out, p);
}

/* A canary at the far end of the tunnel. */
static bool canary_arrived(const struct judge *j, const struct policy *p, int64_t until)
{
	size_t n;
	const struct judge_canary *seen = judge_canaries(j, &n);

	for (size_t i = 0; i < n; i++)
		if (p->taps[seen[i].tap].role == TAP_EXIT && seen[i].first < until)
			return true;
	return false;
}

static bool probe_was_answered(const struct probe_files *probes, int64_t until)
{
	for (size_t i = 0; i < probes->n; i++) {
		struct probe_summary sum;

		if (!probes->items[i].usable)
			continue;
		probe_log_summary(&probes->items[i].log, 0, until, &sum);
		if (sum.replies)
			return true;
	}
	return false;
}

/* An attempt of whatever kind that was seen inside and neither outside nor stopped. */
static bool attempt_came_through(const struct judge *j, const struct judge_mark *fault)
{
	uint64_t attempts = judge_attempts(j) - (fault ? fault->attempts_in : 0);
	uint64_t blocked = judge_blocked(j) - (fault ? fault->blocked_in : 0);

	return attempts > blocked;
}

void evidence_flowed(struct evidence *out, const struct result_scenario *s, const struct judge *j,
		     const struct policy *p, const struct probe_files *probes)
{
	const struct judge_mark *fault = judge_mark_get(j, 0);
	int64_t until = fault ? fault->begin : s->end;

	if (!canary_arrived(j, p, until) && !probe_was_answered(probes, until) &&
	    !attempt_came_through(j, fault))
		evidence_doubt(out, DOUBT_FLOW,
			       "nothing that a protected service sent came through the tunnel%s",
			       fault ? " before the fault" : "");
}

void evidence_tried(struct evidence *out, const struct result_scenario *s, const struct judge *j,
		    const struct probe_files *probes)
{
	int mark = 0;

	for (size_t i = 0; i < s->n_windows; i++) {
		const struct result_window *w = &s->windows[i];
		const struct judge_mark *m;
		int64_t until, gap;

		if (strcmp(w->kind, "fault") != 0)
			continue;
		m = judge_mark_get(j, mark++);
		until = w->begin + TRIED_NS < s->end ? w->begin + TRIED_NS : s->end;
		if (probe_files_attempts(probes, w->begin, until, &gap) == 0 &&
		    !(m && (m->attempts_in || m->leaks_in)))
			evidence_doubt(out, DOUBT_UNTRIED,
				       "nobody sent anything after fault %s, so nothing was tried",
				       w->label);
	}
}
