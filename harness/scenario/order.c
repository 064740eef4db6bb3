/* SPDX-License-Identifier: MIT */
/* What the rows cannot say: labels that exist, an order that makes sense, bounds with something to measure. */
#include "scenario/steps.h"

#include <string.h>

#include "yaml/walk.h"

#define LABELS_MAX 64

/* Labels in force: those that `stop` or `heal` may name. */
struct labels {
	const char *names[LABELS_MAX + 1]; /* NULL-terminated */
	size_t n;
};

struct order {
	struct yaml_doc *doc;
	const struct node *item; /* of the step being looked at */
	struct labels running;	 /* by `start` */
	struct labels broken;	 /* by `fault` without hold */
	bool explicit_up;	 /* the timeline has an `up` */
	bool up, was_up;	 /* the stack now, and ever */
	bool probed, download;	 /* started so far */
	bool faulted;
	bool recovery_waited;
};

static bool has_label(const struct labels *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->names[i], name) == 0)
			return true;
	return false;
}

static void drop_label(struct labels *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->names[i], name) == 0) {
			l->names[i] = l->names[--l->n];
			l->names[l->n] = NULL;
			return;
		}
}

/* The node to point at: the value of a key of the step, else the step. */
static const struct node *at_key(const struct order *o, const char *key)
{
	const struct node *n = o->item->kind == NODE_MAP ? node_child(o->item, key) : NULL;

	return n ? n : o->item;
}

static int add_label(const struct order *o, struct labels *l, const char *name, const char *verb)
{
	const struct node *at = at_key(o, "label");

	if (at == o->item)
		at = at_key(o, verb);
	if (has_label(l, name))
		return yaml_doc_error(o->doc, at, NULL,
				      "a second `%s` while the first is in force: "
				      "give one of them a `label`",
				      name);
	if (l->n == LABELS_MAX)
		return yaml_doc_error(o->doc, at, NULL, "more than %d in force at once",
				      LABELS_MAX);
	l->names[l->n++] = name;
	return 0;
}

static int end_label(const struct order *o, struct labels *l, const char *name, const char *verb,
		     const char *what)
{
	char shown[DIAG_WORD_MAX];

	if (has_label(l, name)) {
		drop_label(l, name);
		return 0;
	}
	return yaml_doc_error(o->doc, at_key(o, verb), diag_nearest(name, l->names), "%s `%s` here",
			      what, diag_word(name, shown));
}

static int needs(const struct order *o, bool have, const char *verb, const char *text)
{
	return have ? 0 : yaml_doc_error(o->doc, at_key(o, verb), NULL, "%s", text);
}

static int check_up(struct order *o)
{
	if (o->up)
		return yaml_doc_error(o->doc, o->item, NULL, "the stack is up already");
	o->up = o->was_up = true;
	return 0;
}

static int check_down(struct order *o)
{
	if (!o->up)
		return yaml_doc_error(o->doc, o->item, NULL, "the stack is not up here");
	o->up = false;
	/* What ran in the containers ended with them. */
	memset(&o->running, 0, sizeof(o->running));
	o->probed = o->download = false;
	return 0;
}

static int check_start(struct order *o, const struct step_start *p)
{
	if (!o->up)
		return needs(o, false, "start", "the stack is not up here, nothing can send");
	o->probed = true;
	if (strcmp(p->probe, "download") == 0)
		o->download = true;
	return add_label(o, &o->running, p->label, "start");
}

static int check_wait(struct order *o, const struct step_wait *w)
{
	bool after_fault = w->condition == CONDITION_RECOVERED ||
			   w->condition == CONDITION_APP_CUT_OFF;
	bool of_probe = after_fault || w->condition == CONDITION_TUNNEL_TRAFFIC;
	bool of_download = w->condition == CONDITION_DOWNLOAD_PROGRESS ||
			   w->condition == CONDITION_DOWNLOAD_COMPLETE;

	if (w->condition == CONDITION_RECOVERED)
		o->recovery_waited = true;
	if (!o->up)
		return needs(o, false, "wait", "the stack is not up here, this would never come");
	if (of_probe && !o->probed)
		return needs(o, false, "wait",
			     "no probe was started before: this would never come");
	if (after_fault && !o->faulted)
		return needs(o, false, "wait", "no fault before: there is nothing to wait for");
	return needs(o, !of_download || o->download, "wait",
		     "no `start: download` before: this would never come");
}

static int check_fault(struct order *o, const struct step_fault *f)
{
	if (!o->up)
		return needs(o, false, "fault", "the stack is not up here, nothing can be broken");
	o->faulted = true;
	if (f->kind->instant || f->hold_ns > 0)
		return 0;
	return add_label(o, &o->broken, f->label, "fault");
}

static int check_check(const struct order *o, const struct step_check *c)
{
	if (c->check == CHECK_NOTHING_LEFT)
		return needs(o, o->was_up && !o->up, "check",
			     "`nothing-left` is for after a `down`");
	if (!o->up)
		return needs(o, false, "check", "the stack is not up here, this cannot hold");
	return needs(o, c->check != CHECK_DOWNLOAD_HASH || o->download, "check",
		     "no `start: download` before: there is no file to check");
}

static int check_step(struct order *o, const struct step *s)
{
	switch (s->id) {
	case STEP_UP:
		return check_up(o);
	case STEP_DOWN:
		return check_down(o);
	case STEP_START:
		return check_start(o, &s->u.start);
	case STEP_STOP:
		return end_label(o, &o->running, s->u.stop.label, "stop", "nothing runs as");
	case STEP_WAIT:
		return check_wait(o, &s->u.wait);
	case STEP_FAULT:
		return check_fault(o, &s->u.fault);
	case STEP_HEAL:
		return end_label(o, &o->broken, s->u.heal.label, "heal", "no fault in force as");
	case STEP_CHECK:
		return check_check(o, &s->u.check);
	case STEP_OBSERVE:
	case STEP_COUNT:
		break;
	}
	return 0;
}

/* A bound that nothing in the timeline can be measured against would always hold. */
static int check_bounds(struct order *o, const struct node *root, const struct scenario *s)
{
	const struct node *expect = node_child(root, "expect");
	int rc = 0;

	if (!expect)
		return 0;
	o->item = expect;
	if (s->expect.kill_switch_ns && !o->faulted)
		rc = needs(o, false, "kill-switch", "a bound without a `fault` to measure it from");
	if (s->expect.recovery_ns && !o->recovery_waited)
		rc = needs(o, false, "recovery",
			   "a bound without a `wait: recovered` to measure it with");
	return rc;
}

int scenario_check_order(struct yaml_doc *doc, const struct node *root, struct scenario *s)
{
	struct order o = { .doc = doc };
	const struct node *item = node_child(root, "timeline")->first;
	bool down_last = false;
	int rc = 0;

	for (size_t i = 0; i < s->n_steps; i++) {
		o.explicit_up |= s->steps[i].id == STEP_UP;
		if (s->steps[i].id == STEP_UP || s->steps[i].id == STEP_DOWN)
			down_last = s->steps[i].id == STEP_DOWN;
	}
	o.up = o.was_up = !o.explicit_up;
	for (size_t i = 0; i < s->n_steps && item; i++, item = item->next) {
		o.item = item;
		if (check_step(&o, &s->steps[i]) < 0)
			rc = -1;
	}
	s->implicit_up = !o.explicit_up;
	s->implicit_down = !down_last;
	return check_bounds(&o, root, s) < 0 ? -1 : rc;
}
