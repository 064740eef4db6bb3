// SPDX-License-Identifier: MIT
/* The result model: names, shapes, building and release. */
#include "result/result.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "result/result_shape.h"

#define M(st, type, name)                                \
	{                                                \
#name, type, offsetof(st, name), 0, NULL \
	}
#define M_LIST(st, name, n, sh)                                            \
	{                                                                  \
#name, M_ARRAY, offsetof(st, name), offsetof(st, n), &(sh) \
	}
#define M_END                              \
	{                                  \
		NULL, M_STRING, 0, 0, NULL \
	}

static const struct member pair_members[] = { M(struct result_pair, M_STRING, name),
					      M(struct result_pair, M_STRING, value), M_END };
static const struct shape pair_shape = { sizeof(struct result_pair), pair_members };

static const struct member finding_members[] = { M(struct result_finding, M_STRING, rule),
						 M(struct result_finding, M_STRING, severity),
						 M(struct result_finding, M_STRING, sentence),
						 M(struct result_finding, M_STRING, tap),
						 M(struct result_finding, M_STRING, service),
						 M(struct result_finding, M_STRING, attribution),
						 M(struct result_finding, M_DOUBLE, confidence),
						 M(struct result_finding, M_TIME, time),
						 M(struct result_finding, M_UINT, frame),
						 M(struct result_finding, M_STRING, evidence),
						 M(struct result_finding, M_STRING, packet),
						 M(struct result_finding, M_STRING, advice),
						 M_END };
static const struct shape finding_shape = { sizeof(struct result_finding), finding_members };

static const struct member window_members[] = {
	M(struct result_window, M_STRING, label),	 M(struct result_window, M_STRING, kind),
	M(struct result_window, M_TIME, begin),		 M(struct result_window, M_TIME, end),
	M(struct result_window, M_TIME, uncertainty),	 M(struct result_window, M_BOOL, confirmed),
	M(struct result_window, M_STRING, confirmation), M_END
};
static const struct shape window_shape = { sizeof(struct result_window), window_members };

static const struct member series_members[] = { M(struct result_series, M_STRING, name),
						M(struct result_series, M_STRING, unit),
						M(struct result_series, M_TIME, start),
						M(struct result_series, M_TIME, bin),
						{ "values", M_DOUBLES,
						  offsetof(struct result_series, values),
						  offsetof(struct result_series, count), NULL },
						M_END };
static const struct shape series_shape = { sizeof(struct result_series), series_members };

static const struct member tap_members[] = {
	M(struct result_tap, M_STRING, name),	   M(struct result_tap, M_STRING, role),
	M(struct result_tap, M_STRING, interface), M(struct result_tap, M_STRING, file),
	M(struct result_tap, M_UINT, received),	   M(struct result_tap, M_UINT, dropped),
	M(struct result_tap, M_UINT, delivered),   M(struct result_tap, M_BOOL, beacon_begin),
	M(struct result_tap, M_BOOL, beacon_end),  M(struct result_tap, M_BOOL, reconciled),
	M(struct result_tap, M_STRING, note),	   M(struct result_tap, M_UINT, packets),
	M(struct result_tap, M_UINT, bytes),	   M(struct result_tap, M_UINT, tunnel),
	M(struct result_tap, M_UINT, unverified),  M(struct result_tap, M_UINT, leaked),
	M(struct result_tap, M_UINT, allowed),	   M(struct result_tap, M_UINT, upkeep),
	M(struct result_tap, M_UINT, inbound),	   M(struct result_tap, M_UINT, unattributed),
	M(struct result_tap, M_UINT, attempts),	   M(struct result_tap, M_UINT, undecodable),
	M(struct result_tap, M_UINT, truncated),   M_END
};
static const struct shape tap_shape = { sizeof(struct result_tap), tap_members };

static const struct member control_members[] = {
	M(struct result_control, M_STRING, rule), M(struct result_control, M_STRING, tap),
	M(struct result_control, M_BOOL, caught), M(struct result_control, M_STRING, detail), M_END
};
static const struct shape control_shape = { sizeof(struct result_control), control_members };

static const struct member measure_members[] = { M(struct result_measure, M_STRING, name),
						 M(struct result_measure, M_STRING, text),
						 M(struct result_measure, M_TIME, value),
						 M(struct result_measure, M_TIME, bound),
						 M(struct result_measure, M_TIME, uncertainty),
						 M(struct result_measure, M_BOOL, ok),
						 M_END };
static const struct shape measure_shape = { sizeof(struct result_measure), measure_members };

static const struct member rule_members[] = {
	M(struct result_rule, M_STRING, rule),	  M(struct result_rule, M_STRING, severity),
	M(struct result_rule, M_STRING, meaning), M(struct result_rule, M_STRING, advice),
	M(struct result_rule, M_UINT, findings),  M_END
};
static const struct shape rule_shape = { sizeof(struct result_rule), rule_members };

static const struct member allowance_members[] = { M(struct result_allowance, M_STRING, name),
						   M(struct result_allowance, M_STRING, who),
						   M(struct result_allowance, M_STRING, what),
						   M(struct result_allowance, M_BOOL, builtin),
						   M(struct result_allowance, M_BOOL, any_payload),
						   M(struct result_allowance, M_UINT, packets),
						   M(struct result_allowance, M_UINT, bytes),
						   M_END };
static const struct shape allowance_shape = { sizeof(struct result_allowance), allowance_members };

static const struct member scenario_members[] = {
	M(struct result_scenario, M_STRING, name),
	M(struct result_scenario, M_STRING, summary),
	M(struct result_scenario, M_STRING, file),
	M(struct result_scenario, M_UNSIGNED, line),
	M(struct result_scenario, M_UNSIGNED, repeat),
	M(struct result_scenario, M_VERDICT, verdict),
	M(struct result_scenario, M_BOOL, must_leak),
	M(struct result_scenario, M_BOOL, as_expected),
	M(struct result_scenario, M_STRING, reason),
	M(struct result_scenario, M_TIME, begin),
	M(struct result_scenario, M_TIME, end),
	M(struct result_scenario, M_UINT, blocked),
	M(struct result_scenario, M_UINT, canaries_sent),
	M_LIST(struct result_scenario, findings, n_findings, finding_shape),
	M(struct result_scenario, M_UINT, findings_total),
	M_LIST(struct result_scenario, windows, n_windows, window_shape),
	M_LIST(struct result_scenario, series, n_series, series_shape),
	M_LIST(struct result_scenario, taps, n_taps, tap_shape),
	M_LIST(struct result_scenario, controls, n_controls, control_shape),
	M_LIST(struct result_scenario, measures, n_measures, measure_shape),
	M_LIST(struct result_scenario, rules, n_rules, rule_shape),
	M_LIST(struct result_scenario, allowances, n_allowances, allowance_shape),
	M_END
};
static const struct shape scenario_shape = { sizeof(struct result_scenario), scenario_members };

static const struct member result_members[] = {
	M(struct result, M_STRING, kind),
	M(struct result, M_STRING, run),
	M(struct result, M_STRING, version),
	M(struct result, M_VERDICT, verdict),
	M(struct result, M_STRING, sentence),
	M(struct result, M_TIME, begin),
	M(struct result, M_TIME, end),
	M(struct result, M_UINT, seed),
	M_LIST(struct result, environment, n_environment, pair_shape),
	M_LIST(struct result, images, n_images, pair_shape),
	M_LIST(struct result, scenarios, n_scenarios, scenario_shape),
	M_END
};
const struct shape result_shape = { sizeof(struct result), result_members };

/* ---- names ---- */

static const char *const verdict_names[] = { "pass",  "skipped", "inconclusive",
					     "error", "fail",	 "leak" };
_Static_assert(sizeof(verdict_names) / sizeof(verdict_names[0]) == VERDICT_LEAK + 1,
	       "every verdict has a name");

const char *verdict_name(enum verdict v)
{
	return verdict_names[v];
}

int verdict_parse(const char *name, enum verdict *v)
{
	for (size_t i = 0; i <= VERDICT_LEAK; i++)
		if (strcmp(verdict_names[i], name) == 0) {
			*v = (enum verdict)i;
			return 0;
		}
	return -1;
}

/* ---- walking ---- */

void *member_array(const void *base, const struct member *m, size_t *n)
{
	void *array;

	memcpy(&array, (const char *)base + m->offset, sizeof(array));
	memcpy(n, (const char *)base + m->count_offset, sizeof(*n));
	return array;
}

static void each_text(void *base, const struct shape *shape, result_text_fn fn, void *arg)
{
	for (const struct member *m = shape->members; m->key; m++) {
		size_t n = 0;
		char *text;

		if (m->type == M_STRING) {
			memcpy(&text, (char *)base + m->offset, sizeof(text));
			text = fn(arg, text);
			memcpy((char *)base + m->offset, &text, sizeof(text));
		} else if (m->type == M_ARRAY) {
			char *p = member_array(base, m, &n);

			for (size_t i = 0; i < n; i++)
				each_text(p + i * m->shape->size, m->shape, fn, arg);
		}
	}
}

void result_each_text(struct result *r, result_text_fn fn, void *arg)
{
	each_text(r, &result_shape, fn, arg);
}

static char *empty_when_null(void *arg, char *text)
{
	(void)arg;
	return text ? text : str_fmt("%s", "");
}

void result_seal(struct result *r)
{
	result_each_text(r, empty_when_null, NULL);
}

static char *free_text(void *arg, char *text)
{
	(void)arg;
	free(text);
	return NULL;
}

/* Texts are gone already: what is left are the arrays, inner ones first. */
static void free_arrays(void *base, const struct shape *shape)
{
	for (const struct member *m = shape->members; m->key; m++) {
		size_t n = 0;
		char *p;

		if (m->type != M_ARRAY && m->type != M_DOUBLES)
			continue;
		p = member_array(base, m, &n);
		for (size_t i = 0; m->type == M_ARRAY && i < n; i++)
			free_arrays(p + i * m->shape->size, m->shape);
		free(p);
	}
}

void result_free(struct result *r)
{
	if (!r)
		return;
	result_each_text(r, free_text, NULL);
	free_arrays(r, &result_shape);
	free(r);
}

/* ---- building ---- */

static void *append(void *arrayp, size_t *n, size_t size)
{
	char *array;

	memcpy(&array, arrayp, sizeof(array));
	array = realloc(array, (*n + 1) * size);
	if (!array)
		abort();
	memcpy(arrayp, &array, sizeof(array));
	memset(array + *n * size, 0, size);
	return array + (*n)++ * size;
}

#define APPEND(array, n) append(&(array), &(n), sizeof(*(array)))

struct result *result_new(void)
{
	struct result *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->kind = str_fmt("%s", RESULT_RUN);
	return r;
}

bool result_is_analysis(const struct result *r)
{
	return strcmp(r->kind, RESULT_ANALYSIS) == 0;
}

struct result_scenario *result_add_scenario(struct result *r)
{
	struct result_scenario *s = APPEND(r->scenarios, r->n_scenarios);

	s->repeat = 1;
	return s;
}

static struct result_pair *fill_pair(struct result_pair *p, const char *name, const char *value)
{
	p->name = str_fmt("%s", name);
	p->value = str_fmt("%s", value);
	return p;
}

struct result_pair *result_add_environment(struct result *r, const char *name, const char *value)
{
	return fill_pair(APPEND(r->environment, r->n_environment), name, value);
}

struct result_pair *result_add_image(struct result *r, const char *name, const char *value)
{
	return fill_pair(APPEND(r->images, r->n_images), name, value);
}

struct result_window *result_add_window(struct result_scenario *s)
{
	return APPEND(s->windows, s->n_windows);
}

struct result_series *result_add_series(struct result_scenario *s, size_t count)
{
	struct result_series *x = APPEND(s->series, s->n_series);

	x->count = count;
	x->values = calloc(count ? count : 1, sizeof(*x->values));
	if (!x->values)
		abort();
	return x;
}

struct result_tap *result_add_tap(struct result_scenario *s)
{
	return APPEND(s->taps, s->n_taps);
}

struct result_control *result_add_control(struct result_scenario *s)
{
	return APPEND(s->controls, s->n_controls);
}

struct result_measure *result_add_measure(struct result_scenario *s)
{
	struct result_measure *m = APPEND(s->measures, s->n_measures);

	m->value = m->bound = RESULT_NONE;
	return m;
}

struct result_rule *result_add_rule(struct result_scenario *s)
{
	return APPEND(s->rules, s->n_rules);
}

struct result_allowance *result_add_allowance(struct result_scenario *s)
{
	return APPEND(s->allowances, s->n_allowances);
}

struct result_finding *result_add_finding(struct result_scenario *s)
{
	s->findings_total++;
	if (s->n_findings >= RESULT_FINDINGS_MAX)
		return NULL;
	return APPEND(s->findings, s->n_findings);
}
