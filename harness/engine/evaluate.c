// SPDX-License-Identifier: MIT
/* From journal and captures to the result. */
#include "engine/evaluate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "engine/captures.h"
#include "engine/events.h"
#include "engine/evidence.h"
#include "engine/judged.h"
#include "engine/measures.h"
#include "engine/verdict.h"
#include "rule/judge.h"

#define SLICE_CONTEXT 5
#define SLICE_MAX     500

/* Everything about one scenario while it is judged. */
struct work {
	const json_t *events;
	const struct evaluate_opts *o;
	const json_t *head; /* the scenario-begin event */
	char *dir;	    /* of its captures */
	struct result_scenario *out;
	struct policy *policy;
	struct judge *judge;
	struct probe_files probes;
	struct evidence evidence;
	bool tied; /* a finding is tied to the stack by more than "who else could it be" */
};

/* ---- from the journal ---- */

static void take_tap(struct work *w, const json_t *e)
{
	struct result_tap *t = result_add_tap(w->out);

	t->name = str_fmt("%s", event_str(e, "tap"));
	t->role = str_fmt("%s", event_str(e, "role"));
	t->interface = str_fmt("%s", event_str(e, "interface"));
	t->file = str_fmt("%s/%s.pcap", event_str(w->head, "dir"), t->name);
	t->received = (uint64_t)event_int(e, "received");
	t->dropped = (uint64_t)event_int(e, "dropped");
	t->delivered = (uint64_t)event_int(e, "delivered") + (uint64_t)event_int(e, "tunnel");
	t->beacon_begin = event_bool(e, "beacon-begin");
	t->beacon_end = event_bool(e, "beacon-end");
	t->reconciled = event_bool(e, "reconciled");
	t->note = str_fmt("%s", event_str(e, "error"));
}

/* A tap that was opened and never closed: the harness was killed. Its file is judged all the same. */
static void take_open_tap(struct work *w, const json_t *e)
{
	struct result_tap *t;

	for (size_t i = 0; i < w->out->n_taps; i++)
		if (strcmp(w->out->taps[i].name, event_str(e, "tap")) == 0)
			return;
	t = result_add_tap(w->out);
	t->name = str_fmt("%s", event_str(e, "tap"));
	t->role = str_fmt("%s", event_str(e, "role"));
	t->interface = str_fmt("%s", event_str(e, "interface"));
	t->file = str_fmt("%s/%s.pcap", event_str(w->head, "dir"), t->name);
	t->note = str_fmt("never closed: the harness was killed");
}

static void take_fault(struct work *w, const json_t *e)
{
	struct result_window *f = result_add_window(w->out);

	f->label = str_fmt("%s %s", event_str(e, "kind"), event_str(e, "target"));
	f->kind = str_fmt("fault");
	f->begin = event_int(e, "before");
	f->end = event_int(e, "after");
	f->uncertainty = f->end - f->begin;
	f->confirmed = event_bool(e, "confirmed");
	f->confirmation = str_fmt("%s", event_str(e, "confirmation"));
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
	struct result_window *f = result_add_window(w->out);

	f->label = str_fmt("%s", event_str(e, "text"));
	f->kind = str_fmt("phase");
	f->begin = event_int(e, "begin");
	f->end = event_int(e, "end");
	f->confirmed = true;
	f->confirmation = str_fmt("%s", "");
}

static void count_rule(struct result_scenario *s, const char *id)
{
	const struct rule *r = rule_find(id);
	struct result_rule *row = NULL;

	for (size_t i = 0; i < s->n_rules; i++)
		if (strcmp(s->rules[i].rule, id) == 0)
			row = &s->rules[i];
	if (!row) {
		row = result_add_rule(s);
		row->rule = str_fmt("%s", id);
		row->severity = str_fmt("critical");
		row->meaning = str_fmt("%s", r ? r->sentence : "");
		row->advice = str_fmt("%s", r ? r->advice : "");
	}
	row->findings++;
}

/* What the harness saw in /proc and judged on the spot (process isolation) is a finding like any other. */
static void take_finding(struct work *w, const json_t *e)
{
	struct result_finding *f = result_add_finding(w->out);

	w->evidence.leaks++;
	w->tied = true;
	count_rule(w->out, event_str(e, "rule"));
	if (!f)
		return;
	f->rule = str_fmt("%s", event_str(e, "rule"));
	f->severity = str_fmt("critical");
	f->sentence = str_fmt("%s", event_str(e, "sentence"));
	f->service = str_fmt("%s", event_str(e, "service"));
	f->attribution = str_fmt("proc");
	f->confidence = 1;
	f->time = event_int(e, "real");
	f->advice = str_fmt("%s", event_str(e, "advice"));
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
}

static void read_events(struct work *w)
{
	size_t i;
	json_t *e;

	json_array_foreach((json_t *)(uintptr_t)w->events, i, e)
	{
		take_event(w, e);
	}
	json_array_foreach((json_t *)(uintptr_t)w->events, i, e) if (event_is(e, "tap-open"))
		take_open_tap(w, e);
	w->out->end = event_int(json_array_get(w->events, json_array_size(w->events) - 1), "real");
	for (i = 0; i < w->out->n_windows; i++)
		if (w->out->windows[i].end > w->out->end)
			w->out->windows[i].end = w->out->end;
	evidence_journal(&w->evidence, w->events);
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
	const json_t *policy = last_policy(w->events);
	struct captures *files;
	int rc;

	if (!policy)
		return err_set(err, EXIT_USAGE,
			       "the journal holds no policy: it ends before the stack was up");
	w->policy = policy_from_json(policy, err);
	if (!w->policy)
		return err_wrap(err, "the journal holds no usable policy");
	w->judge = judge_new(w->policy, &opts, err);
	if (!w->judge)
		return -1;
	measures_mark_faults(w->judge, w->out);
	files = captures_new();
	rc = captures_add_run(files, w->policy, w->dir, err);
	if (captures_judge(files, w->judge, w->policy, rc ? NULL : err) < 0)
		rc = -1;
	captures_free(files);
	return rc;
}

/* A slice of the tap's file around its findings; the link is relative to the report. */
static void slice_tap(struct work *w, size_t tap)
{
	_cleanup_free_ char *dir = str_fmt("%s/evidence", w->dir);
	_cleanup_free_ char *from = str_fmt("%s/%s.pcap", w->dir, w->policy->taps[tap].name);
	_cleanup_free_ char *to = str_fmt("%s/%s.pcap", dir, w->policy->taps[tap].name);
	_cleanup_free_ char *way = fs_relative(w->o->reports, w->dir);
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
		evidence_doubt(&w->evidence, DOUBT_EVIDENCE, "%s", err.text);
		return;
	}
	for (size_t i = 0; i < w->out->n_findings; i++) {
		struct result_finding *r = &w->out->findings[i];

		if (strcmp(r->tap, w->policy->taps[tap].name) != 0)
			continue;
		free(r->evidence);
		r->evidence = str_fmt("%s/evidence/%s.pcap", way, r->tap);
	}
}

static void add_control(struct work *w, const json_t *e)
{
	struct result_control *c = result_add_control(w->out);
	uint32_t id = (uint32_t)event_int(e, "id");

	c->rule = str_fmt("%s", event_str(e, "rule"));
	c->tap = str_fmt("%s", event_str(e, "tap"));
	c->caught = w->judge && judge_control_caught(w->judge, id, c->rule, c->tap);
	c->detail = str_fmt("%s", c->caught ? "forged packet found and taken out of the findings"
					    : "forged packet was not found");
	if (!c->caught)
		evidence_doubt(&w->evidence, DOUBT_CONTROL,
			       "the control of %s on tap %s was missed", c->rule, c->tap);
}

static void read_controls(struct work *w)
{
	size_t i;
	json_t *e;

	json_array_foreach((json_t *)(uintptr_t)w->events, i, e) if (event_is(e, "control"))
		add_control(w, e);
}

static void read_findings(struct work *w)
{
	size_t n;
	const struct finding *f = judge_findings(w->judge, &n);

	for (size_t i = 0; i < n; i++)
		w->tied |= f[i].how != ATTR_NONE && f[i].how != ATTR_POLICY;
	judged_fill(w->out, w->judge, w->policy);
	judged_weigh(&w->evidence, w->judge, w->policy);
	for (size_t i = 0; i < w->policy->n_taps; i++)
		slice_tap(w, i);
}

static void read_captures(struct work *w)
{
	struct err err = { 0 };

	if (judge_captures(w, &err) < 0)
		evidence_doubt(&w->evidence, DOUBT_EVIDENCE, "%s", err.text);
	read_controls(w);
	probe_files_load(&w->probes, w->events, w->dir);
	probe_files_doubt(&w->probes, &w->evidence);
	if (!w->judge)
		return;
	read_findings(w);
	evidence_captures(&w->evidence, w->events, w->judge, w->policy);
	if (event_bool(w->head, "needs-tunnel"))
		evidence_flowed(&w->evidence, w->out, w->judge, w->policy, &w->probes);
	evidence_tried(&w->evidence, w->out, w->judge, &w->probes);
	measures_fill(w->out, w->events, w->judge, &w->probes);
	w->evidence.tunnel_before = measures_tunnel_before(w->judge, w->policy, w->out);
}

/* ---- the whole ---- */

static void decide(struct work *w)
{
	const char *reason;

	w->evidence.needs_tunnel = event_bool(w->head, "needs-tunnel");
	for (size_t i = 0; i < w->out->n_measures; i++)
		if (!w->out->measures[i].ok) {
			_cleanup_free_ char *text = str_fmt("%s: %s", w->out->measures[i].name,
							    w->out->measures[i].text);

			evidence_promise(&w->evidence, text);
		}
	w->out->verdict = verdict_decide(&w->evidence, &reason);
	w->out->as_expected = verdict_as_expected(w->out->verdict, w->out->must_leak);
	if (w->out->verdict == VERDICT_LEAK && w->out->n_findings)
		reason = w->out->findings[0].sentence;
	/* A control that "leaks" by a packet of whoever has not shown that its own leak would be seen. */
	if (w->out->must_leak && w->out->as_expected && !w->tied) {
		w->out->as_expected = false;
		reason = "a leak was found, and nothing ties it to the stack of this control";
	}
	w->out->reason = str_fmt("%s", reason);
}

int evaluate_scenario(struct result *r, const json_t *events, const struct evaluate_opts *o,
		      struct err *err)
{
	struct work w = { .events = events, .o = o, .head = json_array_get(events, 0) };

	if (!event_is(w.head, "scenario-begin"))
		return err_set(err, EXIT_USAGE,
			       "the journal has no scenario where one was expected");
	w.out = result_add_scenario(r);
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
	result_seal(r);
	evidence_clear(&w.evidence);
	probe_files_free(&w.probes);
	judge_free(w.judge);
	policy_free(w.policy);
	free(w.dir);
	return 0;
}
