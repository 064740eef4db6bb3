// SPDX-License-Identifier: MIT
/* From journal and captures to the result. */
#include "engine/evaluate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "engine/captures.h"
#include "engine/events.h"
#include "engine/measures.h"
#include "engine/verdict.h"
#include "rule/judge.h"

#define CLOCK_STEP_NS \
	(50 * NS_PER_MS) /* more than any slewing moves the clocks apart in a scenario */
#define FINDINGS_SHOWN 200
#define SLICE_CONTEXT  5
#define SLICE_MAX      500

/* Everything about one scenario while it is judged. */
struct work {
	const json_t *events;
	const struct evaluate_opts *o;
	const json_t *head; /* the scenario-begin event */
	char *dir;	    /* of its captures */
	struct result_scenario *out;
	struct policy *policy;
	struct judge *judge;
	struct evidence evidence;
	char text[8][256]; /* sentences that the evidence points to */
	size_t n_text;
};

/* Grow an array of the result by one zeroed element and return it. */
#define APPEND(array, count)                                                     \
	(array = realloc(array, ((count) + 1) * sizeof(*(array))),               \
	 (array) ? (void)memset(&(array)[count], 0, sizeof(*(array))) : abort(), \
	 &(array)[(count)++])

static const char *keep(struct work *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static const char *keep(struct work *w, const char *fmt, ...)
{
	char *slot = w->text[w->n_text % 8];
	va_list ap;

	w->n_text++;
	va_start(ap, fmt);
	(void)vsnprintf(slot, sizeof(w->text[0]), fmt, ap);
	va_end(ap);
	return slot;
}

/* The first doubt of a kind is the one that is told. */
static void doubt(const char **slot, const char *text)
{
	if (!*slot)
		*slot = text;
}

/* ---- from the journal ---- */

static void take_tap(struct work *w, const json_t *e)
{
	struct result_tap *t = APPEND(w->out->taps, w->out->n_taps);

	t->name = str_fmt("%s", event_str(e, "tap"));
	t->role = str_fmt("%s", event_str(e, "role"));
	t->interface = str_fmt("%s", event_str(e, "interface"));
	t->file = str_fmt("%s/%s.pcap", event_str(w->head, "dir"), t->name);
	t->received = (uint64_t)event_int(e, "received");
	t->dropped = (uint64_t)event_int(e, "dropped");
	t->delivered = (uint64_t)event_int(e, "delivered");
	t->beacon_begin = event_bool(e, "beacon-begin");
	t->beacon_end = event_bool(e, "beacon-end");
	t->reconciled = event_bool(e, "reconciled");
	w->evidence.n_taps++;
	if (event_bool(e, "failed"))
		doubt(&w->evidence.lost_evidence,
		      keep(w, "tap %s failed: %s", t->name, event_str(e, "error")));
	else if (t->dropped)
		doubt(&w->evidence.unsound_tap,
		      keep(w, "tap %s lost %llu packets", t->name, (unsigned long long)t->dropped));
	else if (!t->reconciled)
		doubt(&w->evidence.unsound_tap,
		      keep(w, "the counters of tap %s do not add up, or it missed a beacon",
			   t->name));
}

static void take_fault(struct work *w, const json_t *e)
{
	struct result_window *f = APPEND(w->out->windows, w->out->n_windows);

	f->label = str_fmt("%s %s", event_str(e, "kind"), event_str(e, "target"));
	f->kind = str_fmt("fault");
	f->begin = event_int(e, "before");
	f->end = event_int(e, "after");
	f->uncertainty = f->end - f->begin;
	f->confirmed = event_bool(e, "confirmed");
	f->confirmation = str_fmt("%s", event_str(e, "confirmation"));
	if (!f->confirmed)
		doubt(&w->evidence.unconfirmed,
		      keep(w, "fault %s was applied and never confirmed: %s", f->label,
			   f->confirmation));
}

/* A heal ends the newest window of its fault. */
static void take_heal(struct work *w, const json_t *e)
{
	size_t n = w->out->n_windows;

	while (n-- > 0)
		if (strncmp(w->out->windows[n].label, event_str(e, "kind"),
			    strlen(event_str(e, "kind"))) == 0) {
			w->out->windows[n].end = event_int(e, "end");
			return;
		}
}

static void take_phase(struct work *w, const json_t *e)
{
	struct result_window *f = APPEND(w->out->windows, w->out->n_windows);

	f->label = str_fmt("%s", event_str(e, "text"));
	f->kind = str_fmt("phase");
	f->begin = event_int(e, "begin");
	f->end = event_int(e, "end");
	f->confirmed = true;
	f->confirmation = str_fmt("%s", "");
}

/* What the harness saw in /proc and judged on the spot (process isolation) is a finding like any other. */
static void take_finding(struct work *w, const json_t *e)
{
	struct result_finding *f = APPEND(w->out->findings, w->out->n_findings);

	f->rule = str_fmt("%s", event_str(e, "rule"));
	f->severity = str_fmt("critical");
	f->sentence = str_fmt("%s", event_str(e, "sentence"));
	f->tap = str_fmt("%s", "");
	f->service = str_fmt("%s", event_str(e, "service"));
	f->attribution = str_fmt("proc");
	f->confidence = 1;
	f->time = event_int(e, "real");
	f->evidence = str_fmt("%s", "");
	f->packet = str_fmt("%s", "");
	f->advice = str_fmt("%s", event_str(e, "advice"));
	w->out->findings_total++;
}

static void take_event(struct work *w, const json_t *e)
{
	if (event_is(e, "tap"))
		take_tap(w, e);
	else if (event_is(e, "fault"))
		take_fault(w, e);
	else if (event_is(e, "heal"))
		take_heal(w, e);
	else if (event_is(e, "phase"))
		take_phase(w, e);
	else if (event_is(e, "finding"))
		take_finding(w, e);
	else if (event_is(e, "control"))
		w->evidence.n_controls++;
	else if (event_is(e, "promise"))
		doubt(&w->evidence.broken_promise, event_str(e, "text"));
	else if (event_is(e, "error"))
		doubt(&w->evidence.harness_error, event_str(e, "text"));
	else if (event_is(e, "interrupted"))
		w->evidence.interrupted = true;
}

/* The distance of the two clocks at the ends of the scenario. */
static void check_clock(struct work *w)
{
	const json_t *last = json_array_get(w->events, json_array_size(w->events) - 1);
	int64_t moved = (event_int(last, "real") - event_int(last, "mono")) -
			(event_int(w->head, "real") - event_int(w->head, "mono"));

	if (moved > CLOCK_STEP_NS || moved < -CLOCK_STEP_NS)
		doubt(&w->evidence.clock_step,
		      keep(w, "the clock was moved by %.3f s during the scenario",
			   (double)moved / 1e9));
	w->out->end = event_int(last, "real");
}

static void read_events(struct work *w)
{
	size_t i;
	json_t *e;

	json_array_foreach((json_t *)(uintptr_t)w->events, i, e)
	{
		take_event(w, e);
	}
	check_clock(w);
	for (i = 0; i < w->out->n_windows; i++)
		if (w->out->windows[i].end > w->out->end)
			w->out->windows[i].end = w->out->end;
}

/* ---- from the captures ---- */

static const json_t *last_policy(const json_t *events)
{
	const json_t *found = NULL;
	size_t i;
	json_t *e;

	json_array_foreach((json_t *)(uintptr_t)events, i, e) if (event_is(e, "policy"))
		found = json_object_get(e, "policy");
	return found;
}

static int judge_captures(struct work *w, struct err *err)
{
	struct judge_opts opts = { .start = w->out->begin, .findings_max = SLICE_MAX };

	w->policy = policy_from_json(last_policy(w->events), err);
	if (!w->policy)
		return err_wrap(err, "the journal holds no usable policy");
	w->judge = judge_new(w->policy, &opts, err);
	if (!w->judge)
		return -1;
	measures_mark_faults(w->judge, w->out);
	return captures_judge(w->judge, w->policy, w->dir, err);
}

static void add_finding(struct work *w, const struct finding *f)
{
	struct result_finding *r = APPEND(w->out->findings, w->out->n_findings);

	r->rule = str_fmt("%s", f->rule->id);
	r->severity = str_fmt("%s", severity_name(f->rule->severity));
	r->sentence = str_fmt("%s", f->sentence);
	r->tap = str_fmt("%s", w->policy->taps[f->tap].name);
	r->service = str_fmt("%s", f->service);
	r->attribution = str_fmt("%s", attribution_name(f->how));
	r->confidence = f->confidence;
	r->time = f->time;
	r->frame = f->frame;
	r->packet = str_fmt("%s", f->packet);
	r->advice = str_fmt("%s", f->rule->advice);
	r->evidence = str_fmt("%s", "");
}

/* A slice of the tap's file around its findings; the link is relative to the report. */
static void slice_tap(struct work *w, size_t tap)
{
	_cleanup_free_ char *dir = str_fmt("%s/evidence", w->dir);
	_cleanup_free_ char *from = str_fmt("%s/%s.pcap", w->dir, w->policy->taps[tap].name);
	_cleanup_free_ char *to = str_fmt("%s/%s.pcap", dir, w->policy->taps[tap].name);
	uint64_t numbers[SLICE_MAX];
	struct err err = { 0 };
	size_t n_findings, n = 0;
	const struct finding *f = judge_findings(w->judge, &n_findings);

	for (size_t i = 0; i < n_findings && n < SLICE_MAX; i++)
		if (f[i].tap == tap && (n == 0 || f[i].frame > numbers[n - 1]))
			numbers[n++] = f[i].frame;
	if (n == 0)
		return;
	if (w->o->slices && (fs_mkdir_p(dir, 0755, &err) < 0 ||
			     captures_slice(from, to, numbers, n, SLICE_CONTEXT, &err) < 0)) {
		doubt(&w->evidence.lost_evidence, keep(w, "%s", err.text));
		return;
	}
	for (size_t i = 0; i < w->out->n_findings; i++) {
		struct result_finding *r = &w->out->findings[i];

		if (strcmp(r->tap, w->policy->taps[tap].name) != 0)
			continue;
		free(r->evidence);
		r->evidence = str_fmt("%s/evidence/%s.pcap", w->dir, r->tap);
	}
}

static void add_control(struct work *w, const json_t *e)
{
	struct result_control *c = APPEND(w->out->controls, w->out->n_controls);

	c->rule = str_fmt("%s", event_str(e, "rule"));
	c->tap = str_fmt("%s", event_str(e, "tap"));
	c->caught = w->judge && judge_control_caught(w->judge, c->rule, c->tap);
	c->detail = str_fmt("%s", c->caught ? "forged packet found and taken out of the findings"
					    : "forged packet was not found");
	if (!c->caught)
		doubt(&w->evidence.missed_control,
		      keep(w, "the control of %s on tap %s was missed", c->rule, c->tap));
}

static void read_controls(struct work *w)
{
	size_t i;
	json_t *e;

	json_array_foreach((json_t *)(uintptr_t)w->events, i, e) if (event_is(e, "control"))
		add_control(w, e);
}

static void read_captures(struct work *w)
{
	struct err err = { 0 };
	const struct finding *f;
	size_t n;

	if (judge_captures(w, &err) < 0)
		doubt(&w->evidence.lost_evidence, keep(w, "%s", err.text));
	read_controls(w);
	if (!w->judge)
		return;
	f = judge_findings(w->judge, &n);
	for (size_t i = 0; i < n && i < FINDINGS_SHOWN; i++)
		add_finding(w, &f[i]);
	w->out->findings_total += judge_findings_total(w->judge);
	w->out->blocked = judge_blocked(w->judge);
	for (size_t i = 0; i < w->policy->n_taps; i++)
		slice_tap(w, i);
	measures_fill(w->out, w->events, w->judge, w->policy, w->dir);
	w->evidence.tunnel_before = measures_tunnel_before(w->judge, w->policy, w->out);
}

/* ---- the whole ---- */

static void decide(struct work *w)
{
	const char *reason;

	w->evidence.leaks = w->out->findings_total;
	w->evidence.needs_tunnel = event_bool(w->head, "needs-tunnel");
	for (size_t i = 0; i < w->out->n_measures; i++)
		if (!w->out->measures[i].ok)
			doubt(&w->evidence.broken_promise,
			      keep(w, "%s: %s", w->out->measures[i].name,
				   w->out->measures[i].text));
	w->out->verdict = verdict_decide(&w->evidence, &reason);
	if (w->out->verdict == VERDICT_LEAK && w->out->n_findings)
		reason = w->out->findings[0].sentence;
	w->out->reason = str_fmt("%s", reason);
	w->out->as_expected = verdict_as_expected(w->out->verdict, w->out->must_leak);
}

int evaluate_scenario(struct result *r, const json_t *events, const struct evaluate_opts *o,
		      struct err *err)
{
	struct work w = { .events = events, .o = o, .head = json_array_get(events, 0) };

	if (!event_is(w.head, "scenario-begin"))
		return err_set(err, EXIT_USAGE,
			       "the journal has no scenario where one was expected");
	w.out = APPEND(r->scenarios, r->n_scenarios);
	w.out->name = str_fmt("%s", event_str(w.head, "name"));
	w.out->summary = str_fmt("%s", event_str(w.head, "summary"));
	w.out->file = str_fmt("%s", event_str(w.head, "file"));
	w.out->line = (unsigned)event_int(w.head, "line");
	w.out->repeat = (unsigned)event_int(w.head, "repeat");
	w.out->must_leak = event_bool(w.head, "must-leak");
	w.out->begin = event_int(w.head, "real");
	w.dir = str_fmt("%s/%s", o->captures, event_str(w.head, "dir"));
	read_events(&w);
	read_captures(&w);
	decide(&w);
	judge_free(w.judge);
	policy_free(w.policy);
	free(w.dir);
	return 0;
}

int evaluate_head(struct result *r, const json_t *events, struct err *err)
{
	size_t i;
	json_t *e;

	json_array_foreach((json_t *)(uintptr_t)events, i, e)
	{
		bool image = event_is(e, "image");
		struct result_pair *p;

		if (event_is(e, "run")) {
			r->run = str_fmt("%s", event_str(e, "run"));
			r->version = str_fmt("%s", event_str(e, "version"));
			r->seed = (uint64_t)event_int(e, "seed");
			r->begin = event_int(e, "real");
		}
		if (!image && !event_is(e, "environment"))
			continue;
		p = image ? APPEND(r->images, r->n_images)
			  : APPEND(r->environment, r->n_environment);
		p->name = str_fmt("%s", event_str(e, "name"));
		p->value = str_fmt("%s", event_str(e, "value"));
	}
	return r->run ? 0 : err_set(err, EXIT_USAGE, "the journal has no `run` event");
}

/* The events of the scenario that begins at *at; moves *at behind it. NULL when there is none left. */
static json_t *next_scenario(const json_t *events, size_t *at)
{
	size_t n = json_array_size(events);
	json_t *part;

	while (*at < n && !event_is(json_array_get(events, *at), "scenario-begin"))
		(*at)++;
	if (*at == n)
		return NULL;
	part = json_array();
	do {
		(void)json_array_append(part, json_array_get(events, (*at)++));
	} while (*at < n && !event_is(json_array_get(events, *at - 1), "scenario-end") &&
		 !event_is(json_array_get(events, *at), "scenario-begin"));
	if (!event_is(json_array_get(part, json_array_size(part) - 1), "scenario-end"))
		(void)json_array_append_new(
			part, json_pack("{s:s,s:I,s:I}", "event", "interrupted", "real",
					event_int(json_array_get(events, *at - 1), "real"), "mono",
					event_int(json_array_get(events, *at - 1), "mono")));
	return part;
}

struct result *evaluate_run(const json_t *events, const struct evaluate_opts *o, struct err *err)
{
	struct result *r = calloc(1, sizeof(*r));
	size_t at = 0;
	json_t *part;

	if (!r)
		abort();
	if (evaluate_head(r, events, err) < 0)
		goto fail;
	while ((part = next_scenario(events, &at))) {
		int rc = evaluate_scenario(r, part, o, err);

		json_decref(part);
		if (rc < 0)
			goto fail;
	}
	evaluate_total(r);
	return r;
fail:
	result_free(r);
	return NULL;
}

void evaluate_total(struct result *r)
{
	size_t unexpected = 0;

	r->verdict = r->n_scenarios ? VERDICT_PASS : VERDICT_INCONCLUSIVE;
	for (size_t i = 0; i < r->n_scenarios; i++) {
		const struct result_scenario *s = &r->scenarios[i];
		/* A control that did not leak says that the watch is blind: nothing can be concluded. */
		enum verdict v = s->as_expected ? VERDICT_PASS
				 : s->must_leak ? VERDICT_INCONCLUSIVE
						: s->verdict;

		unexpected += !s->as_expected;
		if (v > r->verdict)
			r->verdict = v;
		r->end = s->end > r->end ? s->end : r->end;
	}
	free(r->sentence);
	if (r->n_scenarios == 0)
		r->sentence = str_fmt("No scenario ran, so nothing is known.");
	else if (r->verdict == VERDICT_PASS)
		r->sentence = str_fmt(
			"No packet betrayed the real address in %zu scenarios, and every "
			"control was caught.",
			r->n_scenarios);
	else
		r->sentence = str_fmt(
			"%zu of %zu scenarios did not end as they must; the worst verdict "
			"is: %s.",
			unexpected, r->n_scenarios, verdict_name(r->verdict));
}

int evaluate_exit_status(const struct result *r)
{
	switch (r->verdict) {
	case VERDICT_PASS:
	case VERDICT_SKIPPED:
		return EXIT_PASS;
	case VERDICT_INCONCLUSIVE:
		return EXIT_INCONCLUSIVE;
	case VERDICT_ERROR:
		return EXIT_ENVIRONMENT;
	case VERDICT_FAIL:
	case VERDICT_LEAK:
		return EXIT_LEAK;
	}
	return EXIT_ENVIRONMENT;
}
