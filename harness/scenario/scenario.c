/* SPDX-License-Identifier: MIT */
/* A scenario from text or file: rows first, then what rows cannot say. */
#include "scenario/scenario.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "scenario/reference.h"
#include "scenario/steps.h"
#include "yaml/walk.h"

#define STEPS_MAX 500
#define HOUR	  (3600 * NS_PER_S)

static const struct yaml_limits limits = { .what = "scenario",
					   .size = (size_t)1 << 20,
					   .nodes = 5000 };

static const char *const leaks_names[] = { "0", "must", NULL };
static_assert(sizeof(leaks_names) / sizeof(char *) == LEAKS_MUST + 2, "a word an expectation");

/* The variants below stack/; anything else is a path of the user's own. */
static const char *const stack_names[] = { "reference", "leaky/start-window",
					   "leaky/old-architecture", NULL };

const struct field expect_fields[] = {
	ROW_ENUM("leaks", struct expect, leaks, leaks_names, .def = "0",
		 .help = "`must` makes it a control: it has to be found leaking"),
	ROW_DURATION("kill-switch", struct expect, kill_switch_ns, NS_PER_MS, HOUR,
		     .help = "longest time from a fault to the last leaked packet"),
	ROW_DURATION("recovery", struct expect, recovery_ns, NS_PER_MS, HOUR,
		     .help = "longest time from the fault (with `hold` or `heal`: from its end) to "
			     "`recovered`"),
	ROW_END,
};

const struct field scenario_fields[] = {
	ROW_NAME("name", struct scenario, name, .required = true, .help = "unique among scenarios"),
	ROW_STRING("summary", struct scenario, summary, .required = true,
		   .help = "one sentence for reports"),
	ROW_LIST("tags", struct scenario, tags, 0, 16, .help = "chosen with `tag:NAME`"),
	ROW_STRING("stack", struct scenario, stack, .def = "reference",
		   .help = "`reference`, `leaky/start-window`, `leaky/old-architecture`, or a path "
			   "to a Compose file or its directory that begins with `/` or `./`"),
	ROW_INT("repeat", struct scenario, repeat, 1, 1000, .def = "1", .help = "run it so often"),
	{ .key = "timeline",
	  .type = FIELD_OWN,
	  .item = "list of steps",
	  .required = true,
	  .help = "what happens, in order" },
	ROW_NESTED("expect", struct scenario, expect, struct expect, expect_fields,
		   .help = "what must be true at the end"),
	ROW_END,
};

static int read_timeline(struct yaml_doc *doc, const struct node *timeline, const struct vocab *v,
			 struct scenario *s)
{
	size_t n = 0;
	int rc = 0;

	if (timeline->kind != NODE_SEQ)
		return yaml_doc_error(doc, timeline, NULL,
				      "`timeline` wants a list of steps, this is %s",
				      node_kind_text(timeline));
	for (const struct node *c = timeline->first; c; c = c->next)
		n++;
	if (n == 0)
		return yaml_doc_error(doc, timeline, NULL,
				      "`timeline` is empty: nothing would be tested");
	if (n > STEPS_MAX)
		return yaml_doc_error(doc, timeline, NULL, "more than %d steps", STEPS_MAX);
	s->steps = arena_alloc(doc->mem, n * sizeof(*s->steps));
	for (const struct node *c = timeline->first; c; c = c->next)
		if (step_read(doc, c, v, &s->steps[s->n_steps++]) < 0)
			rc = -1;
	return rc;
}

static int check_stack(struct yaml_doc *doc, const struct node *root, const struct scenario *s)
{
	const struct node *at = node_child(root, "stack");
	char shown[DIAG_WORD_MAX];

	for (const char *const *n = stack_names; *n; n++)
		if (strcmp(s->stack, *n) == 0)
			return 0;
	if (s->stack[0] == '/' || strncmp(s->stack, "./", 2) == 0)
		return 0;
	return yaml_doc_error(doc, at ? at : root, diag_nearest(s->stack, stack_names),
			      "no stack `%s`; a path begins with `/` or `./`",
			      diag_word(s->stack, shown));
}

static int read_root(struct yaml_doc *doc, const struct vocab *v, struct scenario *s)
{
	struct walk_target t = { scenario_fields, s };
	const struct node *root = doc->root, *timeline;
	int rc;

	if (root->kind != NODE_MAP)
		return yaml_doc_error(doc, root, NULL, "a scenario is a mapping, this is %s",
				      node_kind_text(root));
	rc = walk_map(doc, root, &t, 1, "a scenario");
	timeline = node_child(root, "timeline");
	if (timeline && read_timeline(doc, timeline, v, s) < 0)
		rc = -1;
	if (rc < 0)
		return -1;
	if (check_stack(doc, root, s) < 0)
		rc = -1;
	s->line = node_child(root, "name")->line;
	return scenario_check_order(doc, root, s) < 0 ? -1 : rc;
}

int scenario_parse(const char *file, const char *text, size_t len, const struct vocab *v,
		   struct scenario **out, struct diag *d, struct err *err)
{
	_cleanup_arena_ struct arena *mem = arena_new();
	struct yaml_doc doc = { .file = file, .limits = &limits, .diag = d, .mem = mem };
	struct scenario *s = arena_alloc(mem, sizeof(*s));
	size_t before = d->n;

	s->file = arena_strdup(mem, file);
	if (yaml_doc_read(&doc, text, len) < 0 || read_root(&doc, v, s) < 0) {
		struct diag first = { .n = d->n > before ? 1 : 0 };

		if (first.n)
			first.items[0] = d->items[before];
		return diag_to_err(&first, err);
	}
	s->mem = take_ptr(mem);
	*out = s;
	return 0;
}

int scenario_load(const char *path, const struct vocab *v, struct scenario **out, struct diag *d,
		  struct err *err)
{
	struct err why = { 0 };
	size_t len = 0;
	_cleanup_free_ char *text = fs_read(path, limits.size, &len, &why);

	if (!text) {
		(void)diag_add(d, path, NULL, 0, 0, NULL, "%s", why.text);
		return err_set(err, EXIT_USAGE, "%s", why.text);
	}
	return scenario_parse(path, text, len, v, out, d, err);
}

void scenario_free(struct scenario *s)
{
	/* The scenario lies in its own arena. */
	if (s)
		arena_free(s->mem);
}

const char *const *scenario_stack_names(void)
{
	return stack_names;
}
