// SPDX-License-Identifier: MIT
/* A whole run: its head, its scenarios one after the other, and the verdict over all of them. */
#include "engine/evaluate.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "engine/events.h"

static bool has_image(const struct result *r, const char *name)
{
	for (size_t i = 0; i < r->n_images; i++)
		if (strcmp(r->images[i].name, name) == 0)
			return true;
	return false;
}

int evaluate_head(struct result *r, const json_t *events, struct err *err)
{
	size_t i;
	json_t *e;

	json_array_foreach((json_t *)(uintptr_t)events, i, e)
	{
		if (event_is(e, "run")) {
			free(r->run);
			free(r->version);
			r->run = str_fmt("%s", event_str(e, "run"));
			r->version = str_fmt("%s", event_str(e, "version"));
			r->seed = (uint64_t)event_int(e, "seed");
			r->begin = event_int(e, "real");
		} else if (event_is(e, "image") && !has_image(r, event_str(e, "name"))) {
			(void)result_add_image(r, event_str(e, "name"), event_str(e, "value"));
		} else if (event_is(e, "environment")) {
			(void)result_add_environment(r, event_str(e, "name"),
						     event_str(e, "value"));
		}
	}
	return r->run && *r->run ? 0 : err_set(err, EXIT_USAGE, "the journal has no `run` event");
}

/* The events of the scenario that begins at *at; moves *at behind it. NULL when there is none left. */
static json_t *next_scenario(const json_t *events, size_t *at)
{
	size_t n = json_array_size(events);
	const json_t *last;
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
	last = json_array_get(events, *at - 1);
	if (!event_is(last, "scenario-end"))
		(void)json_array_append_new(part, json_pack("{s:s,s:I,s:I}", "event", "interrupted",
							    "real", event_int(last, "real"), "mono",
							    event_int(last, "mono")));
	return part;
}

struct result *evaluate_run(const json_t *events, const struct evaluate_opts *o, struct err *err)
{
	struct result *r = result_new();
	size_t at = 0;
	json_t *part;
	int rc = evaluate_head(r, events, err);

	while (rc == 0 && (part = next_scenario(events, &at))) {
		rc = evaluate_scenario(r, part, o, err);
		json_decref(part);
	}
	if (rc < 0) {
		result_free(r);
		return NULL;
	}
	evaluate_total(r, events);
	return r;
}

/* What one scenario contributes. A control that did not leak says that the watch is blind: then nothing can be
 * concluded of the others either. */
static enum verdict weight(const struct result_scenario *s)
{
	if (s->as_expected)
		return VERDICT_PASS;
	return s->must_leak && s->verdict != VERDICT_ERROR ? VERDICT_INCONCLUSIVE : s->verdict;
}

/* The last event of that name outside of any scenario: what ended the run. NULL: there is none. */
static const json_t *run_event(const json_t *events, const char *name)
{
	const json_t *found = NULL;
	bool inside = false;
	size_t i;
	json_t *e;

	json_array_foreach((json_t *)(uintptr_t)events, i, e)
	{
		inside |= event_is(e, "scenario-begin");
		inside &= !event_is(e, "scenario-end");
		if (event_is(e, name) && !inside)
			found = e;
	}
	return found;
}

/* How many scenarios, repeats counted, the run was to play. */
static size_t planned(const json_t *events)
{
	size_t i;
	json_t *e;

	json_array_foreach((json_t *)(uintptr_t)events, i, e)
	{
		if (event_is(e, "run"))
			return (size_t)event_int(e, "scenarios");
	}
	return 0;
}

static void raise(struct result *r, enum verdict v)
{
	if (v > r->verdict)
		r->verdict = v;
}

/* why: what ended the run early, or NULL. */
static char *total_sentence(const struct result *r, size_t want, size_t skipped, size_t unexpected,
			    const char *why)
{
	size_t n = r->n_scenarios;

	if (n == 0)
		return str_fmt("No scenario ran, so nothing is known%s%s", why ? ": " : ".",
			       why ? why : "");
	if (r->verdict == VERDICT_PASS && skipped)
		return str_fmt("No packet betrayed the real address in %zu scenarios, and every "
			       "control was caught; %zu were skipped.",
			       n - skipped, skipped);
	if (r->verdict == VERDICT_PASS)
		return str_fmt("No packet betrayed the real address in %zu scenarios, and every "
			       "control was caught.",
			       n);
	if (unexpected)
		return str_fmt("%zu of %zu scenarios did not end as they must; the worst verdict "
			       "is: %s.",
			       unexpected, n, verdict_name(r->verdict));
	if (n < want)
		return str_fmt("Only %zu of %zu scenarios were played%s%s", n, want,
			       why ? ": " : ".", why ? why : "");
	return str_fmt("The run did not come to its end%s%s", why ? ": " : ".", why ? why : "");
}

void evaluate_total(struct result *r, const json_t *events)
{
	size_t unexpected = 0, skipped = 0, want = planned(events);
	const json_t *error = run_event(events, "error");
	const char *why = error				     ? event_str(error, "text")
			  : run_event(events, "interrupted") ? "interrupted"
							     : NULL;

	r->verdict = VERDICT_PASS;
	for (size_t i = 0; i < r->n_scenarios; i++) {
		const struct result_scenario *s = &r->scenarios[i];

		r->end = s->end > r->end ? s->end : r->end;
		if (s->verdict == VERDICT_SKIPPED) {
			skipped++;
			continue;
		}
		unexpected += !s->as_expected;
		raise(r, weight(s));
	}
	if (r->n_scenarios == skipped || r->n_scenarios < want || want == 0)
		raise(r, VERDICT_INCONCLUSIVE);
	if (error)
		raise(r, VERDICT_ERROR);
	free(r->sentence);
	r->sentence = total_sentence(r, want, skipped, unexpected, why);
}

int evaluate_exit_status(const struct result *r)
{
	switch (r->verdict) {
	case VERDICT_PASS:
		return EXIT_PASS;
	case VERDICT_SKIPPED:
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
