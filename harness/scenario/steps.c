/* SPDX-License-Identifier: MIT */
/* The steps of a timeline: their rows, their names, and reading one of them. */
#include "scenario/steps.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "yaml/walk.h"

#define SECOND	  NS_PER_S
#define MINUTE	  (60 * NS_PER_S)
#define KINDS_MAX 64

#define X(id, name, help) name,
static const char *const condition_names[] = { CONDITION_TABLE(X) NULL };
static const char *const check_names[] = { CHECK_TABLE(X) NULL };
#undef X
#define X(id, name, help) help,
static const char *const condition_helps[] = { CONDITION_TABLE(X) };
static const char *const check_helps[] = { CHECK_TABLE(X) };
#undef X
#define X(id, verb) #verb,
const char *const step_verbs[] = { STEP_TABLE(X) NULL };
#undef X

static const char *const bind_names[] = { "none", "interface", NULL };

static_assert(sizeof(condition_helps) / sizeof(char *) == CONDITION_COUNT, "a text a condition");
static_assert(sizeof(check_helps) / sizeof(char *) == CHECK_COUNT, "a text a check");
static_assert(sizeof(bind_names) / sizeof(char *) == BIND_INTERFACE + 2, "a name a binding");

static const struct field up_fields[] = {
	ROW_EMPTY("up", .required = true, .help = "bring the stack up"),
	ROW_BOOL("healthy", struct step_up, healthy, .def = "true",
		 .help = "wait until every health check is healthy"),
	ROW_DURATION("timeout", struct step_up, timeout_ns, SECOND, 30 * MINUTE, .def = "2m",
		     .help = "give up after so long"),
	ROW_END,
};

static const struct field down_fields[] = {
	ROW_EMPTY("down", .required = true, .help = "take the stack down"),
	ROW_DURATION("timeout", struct step_down, timeout_ns, SECOND, 30 * MINUTE, .def = "1m",
		     .help = "give up after so long"),
	ROW_END,
};

static const struct field start_fields[] = {
	ROW_NAME("start", struct step_start, probe, .required = true,
		 .help = "a workload or probe: `leakproof list probes`"),
	ROW_NAME("label", struct step_start, label,
		 .help = "what `stop` calls it; its own name by default"),
	ROW_NAME("service", struct step_start, service, .def = "qbittorrent",
		 .help = "the service whose network namespace it sends from"),
	ROW_INT("rate", struct step_start, rate, 1, 1000,
		.help = "how many it sends each second, on a clock and not on replies; its own by "
			"default"),
	ROW_ENUM("bind", struct step_start, bind, bind_names, .def = "none",
		 .help = "`interface` binds the socket to the container's Ethernet interface"),
	ROW_STRING("to", struct step_start, to,
		   .help = "IPv4 or IPv6 address that it sends to; its own by default"),
	ROW_INT("port", struct step_start, port, 1, 65535, .help = "its own by default"),
	ROW_END,
};

static const struct field stop_fields[] = {
	ROW_NAME("stop", struct step_stop, label, .required = true,
		 .help = "label of a `start` before it"),
	ROW_END,
};

static const struct field wait_fields[] = {
	ROW_ENUM("wait", struct step_wait, condition, condition_names, .required = true,
		 .help = "a condition: `leakproof list conditions`"),
	ROW_DURATION("timeout", struct step_wait, timeout_ns, 100 * NS_PER_MS, 60 * MINUTE,
		     .def = "60s", .help = "not met by then: the promise is broken"),
	ROW_NAME("service", struct step_wait, service,
		 .help = "only this service; by default every service with a probe"),
	ROW_INT("percent", struct step_wait, percent, 1, 100, .def = "1",
		.help = "for `download-progress`"),
	ROW_END,
};

static const struct field observe_fields[] = {
	ROW_DURATION("observe", struct step_observe, duration_ns, NS_PER_MS, 25 * 60 * MINUTE,
		     .required = true, .help = "do nothing but watch for so long"),
	ROW_END,
};

static const struct field fault_fields[] = {
	ROW_NAME("fault", struct step_fault, name, .required = true,
		 .help = "a kind of fault: `leakproof list faults`"),
	ROW_NAME("label", struct step_fault, label,
		 .help = "what `heal` calls it; the kind's name by default"),
	ROW_DURATION("hold", struct step_fault, hold_ns, 100 * NS_PER_MS, 60 * MINUTE,
		     .help = "heal it after so long; without, it lasts until `heal` or the end"),
	ROW_DURATION("confirm", struct step_fault, confirm_ns, 100 * NS_PER_MS, 5 * MINUTE,
		     .def = "15s", .help = "not observed by then: the scenario is inconclusive"),
	ROW_END,
};

static const struct field heal_fields[] = {
	ROW_NAME("heal", struct step_heal, label, .required = true,
		 .help = "label of a `fault` before it"),
	ROW_END,
};

static const struct field check_fields[] = {
	ROW_ENUM("check", struct step_check, check, check_names, .required = true,
		 .help = "what must hold now: `leakproof list checks`"),
	ROW_END,
};

const struct step_row step_rows[STEP_COUNT] = {
	[STEP_UP] = { "Brings the stack up. Without this step that happens before the first one. "
		      "The "
		      "taps are open before it.",
		      up_fields },
	[STEP_DOWN] = { "Takes the stack down. Without this step that happens after the last one.",
			down_fields },
	[STEP_START] = { "Starts a workload or a probe; it runs until `stop` or the end.",
			 start_fields },
	[STEP_STOP] = { "Ends what a `start` started.", stop_fields },
	[STEP_WAIT] = { "Waits for a condition.", wait_fields },
	[STEP_OBSERVE] = { "Lets time pass under watch.", observe_fields },
	[STEP_FAULT] = { "Breaks something, and confirms by another observation that it is broken. "
			 "The next step begins when it is confirmed; with `hold`, when it is "
			 "healed.",
			 fault_fields },
	[STEP_HEAL] = { "Undoes a fault.", heal_fields },
	[STEP_CHECK] = { "Asks whether something holds; a no breaks the scenario's promise.",
			 check_fields },
};

const char *condition_name(enum condition c)
{
	return condition_names[c];
}

const char *condition_help(enum condition c)
{
	return condition_helps[c];
}

const char *check_name(enum check_id c)
{
	return check_names[c];
}

const char *check_help(enum check_id c)
{
	return check_helps[c];
}

const char *step_verb(enum step_id id)
{
	return step_verbs[id];
}

static int verb_of(const char *word)
{
	for (int i = 0; i < STEP_COUNT; i++)
		if (strcmp(step_verbs[i], word) == 0)
			return i;
	return -1;
}

/* The node that holds the step's verb as its key. */
static const struct node *find_verb(struct yaml_doc *doc, const struct node *item)
{
	const struct node *found = NULL;
	char shown[DIAG_WORD_MAX];

	for (const struct node *c = item->first; c; c = c->next) {
		if (verb_of(c->key->text) < 0)
			continue;
		if (found) {
			(void)yaml_doc_error(
				doc, c->key, NULL,
				"two steps in one: `%s` and `%s`; begin the second with a dash",
				found->key->text, c->key->text);
			return NULL;
		}
		found = c;
	}
	if (found)
		return found;
	if (item->first)
		(void)yaml_doc_error(doc, item->first->key,
				     diag_nearest(item->first->key->text, step_verbs),
				     "no step `%s`", diag_word(item->first->key->text, shown));
	else
		(void)yaml_doc_error(doc, item, NULL, "an empty step");
	return NULL;
}

/* The kind of that name; says what is wrong where there is none. */
static const struct kind *find_kind(struct yaml_doc *doc, const struct node *at,
				    const struct kind *const *kinds, const char *what)
{
	const char *names[KINDS_MAX + 1] = { NULL };
	char shown[DIAG_WORD_MAX];

	for (size_t i = 0; kinds && kinds[i] && i < KINDS_MAX; i++) {
		if (strcmp(kinds[i]->name, at->text) == 0)
			return kinds[i];
		names[i] = kinds[i]->name;
	}
	(void)yaml_doc_error(doc, at, diag_nearest(at->text, names), "no %s `%s`", what,
			     diag_word(at->text, shown));
	return NULL;
}

/* A step whose verb names a kind with parameters of its own. */
static int read_with_kind(struct yaml_doc *doc, const struct node *item, const struct node *verb,
			  const struct kind *const *kinds, const char *what, struct step *s,
			  const struct kind **kind, void **params)
{
	struct walk_target t[2] = { { step_rows[s->id].fields, &s->u }, { NULL, NULL } };
	const struct kind *k;

	if (verb->kind != NODE_SCALAR)
		return yaml_doc_error(doc, verb, NULL, "`%s` wants the name of a %s, this is %s",
				      verb->key->text, what, node_kind_text(verb));
	k = find_kind(doc, verb, kinds, what);
	if (!k)
		return -1;
	if (k->fields) {
		*params = arena_alloc(doc->mem, k->params_size);
		t[1] = (struct walk_target){ k->fields, *params };
	}
	*kind = k;
	return walk_map(doc, item, t, 2, k->name);
}

static int read_fault(struct yaml_doc *doc, const struct node *item, const struct node *verb,
		      const struct vocab *v, struct step *s)
{
	struct step_fault *f = &s->u.fault;
	const struct node *hold = node_child(item, "hold");

	if (read_with_kind(doc, item, verb, v->faults, "fault", s, &f->kind, &f->params) < 0)
		return -1;
	if (f->kind->instant && hold)
		return yaml_doc_error(doc, hold->key, NULL,
				      "`%s` happens in an instant, there is nothing to hold",
				      f->name);
	if (!f->label)
		f->label = f->name;
	return 0;
}

static int read_start(struct yaml_doc *doc, const struct node *item, const struct node *verb,
		      const struct vocab *v, struct step *s)
{
	struct step_start *p = &s->u.start;

	if (read_with_kind(doc, item, verb, v->probes, "probe", s, &p->kind, &p->params) < 0)
		return -1;
	if (!p->label)
		p->label = p->probe;
	return 0;
}

/* `- up` without a colon: the same as the mapping {up: }. */
static const struct node *as_mapping(struct yaml_doc *doc, const struct node *item)
{
	struct node *map, *key, *value;

	if (item->kind != NODE_SCALAR || item->quoted)
		return item;
	map = arena_alloc(doc->mem, sizeof(*map));
	key = arena_alloc(doc->mem, sizeof(*key));
	value = arena_alloc(doc->mem, sizeof(*value));
	*key = *item;
	*value = (struct node){ .kind = NODE_SCALAR,
				.line = item->line,
				.column = item->column,
				.text = arena_strdup(doc->mem, ""),
				.key = key };
	*map = (struct node){
		.kind = NODE_MAP, .line = item->line, .column = item->column, .first = value
	};
	return map;
}

int step_read(struct yaml_doc *doc, const struct node *item, const struct vocab *v, struct step *s)
{
	const struct node *map = as_mapping(doc, item);
	const struct node *verb;
	struct walk_target t;

	if (map->kind != NODE_MAP)
		return yaml_doc_error(doc, item, NULL,
				      "a step is a mapping such as `wait: recovered`, "
				      "this is %s",
				      node_kind_text(item));
	verb = find_verb(doc, map);
	if (!verb)
		return -1;
	s->id = (enum step_id)verb_of(verb->key->text);
	s->line = verb->key->line;
	s->column = verb->key->column;
	if (s->id == STEP_FAULT)
		return read_fault(doc, map, verb, v, s);
	if (s->id == STEP_START)
		return read_start(doc, map, verb, v, s);
	t = (struct walk_target){ step_rows[s->id].fields, &s->u };
	return walk_map(doc, map, &t, 1, step_verbs[s->id]);
}

static char *describe_wait(const struct step_wait *w)
{
	char t[32];

	(void)duration_text(w->timeout_ns, t, sizeof(t));
	if (w->condition == CONDITION_DOWNLOAD_PROGRESS)
		return str_fmt("wait for %s of %lld %%, at most %s", condition_name(w->condition),
			       (long long)w->percent, t);
	return str_fmt("wait for %s%s%s, at most %s", condition_name(w->condition),
		       w->service ? " of " : "", w->service ? w->service : "", t);
}

static char *describe_fault(const struct step_fault *f)
{
	char t[32];

	if (f->hold_ns > 0)
		return str_fmt("fault %s, hold %s", f->name,
			       duration_text(f->hold_ns, t, sizeof(t)));
	return str_fmt("fault %s", f->name);
}

static char *describe_start(const struct step_start *p)
{
	const char *bound = p->bind == BIND_INTERFACE ? ", bound to the interface" : "";

	if (p->rate > 0)
		return str_fmt("start %s in %s, %lld/s%s", p->label, p->service, (long long)p->rate,
			       bound);
	return str_fmt("start %s in %s%s", p->label, p->service, bound);
}

char *step_describe(const struct step *s)
{
	char t[32];

	switch (s->id) {
	case STEP_UP:
		return str_fmt("up%s", s->u.up.healthy ? ", wait until healthy" : "");
	case STEP_DOWN:
		return str_fmt("down");
	case STEP_START:
		return describe_start(&s->u.start);
	case STEP_STOP:
		return str_fmt("stop %s", s->u.stop.label);
	case STEP_WAIT:
		return describe_wait(&s->u.wait);
	case STEP_OBSERVE:
		return str_fmt("observe %s", duration_text(s->u.observe.duration_ns, t, sizeof(t)));
	case STEP_FAULT:
		return describe_fault(&s->u.fault);
	case STEP_HEAL:
		return str_fmt("heal %s", s->u.heal.label);
	case STEP_CHECK:
		return str_fmt("check %s", check_name(s->u.check.check));
	case STEP_COUNT:
		break;
	}
	return str_fmt("?");
}

void scenario_bounds(const struct scenario *s, int64_t *least, int64_t *most)
{
	*least = *most = 0;
	for (size_t i = 0; i < s->n_steps; i++) {
		const struct step *st = &s->steps[i];

		if (st->id == STEP_OBSERVE) {
			*least += st->u.observe.duration_ns;
			*most += st->u.observe.duration_ns;
		} else if (st->id == STEP_FAULT) {
			*least += st->u.fault.hold_ns;
			*most += st->u.fault.confirm_ns + st->u.fault.hold_ns;
		} else if (st->id == STEP_WAIT) {
			*most += st->u.wait.timeout_ns;
		} else if (st->id == STEP_UP) {
			*most += st->u.up.timeout_ns;
		} else if (st->id == STEP_DOWN) {
			*most += st->u.down.timeout_ns;
		}
	}
}
