// SPDX-License-Identifier: MIT
/* The result model: names, ownership, and its JSON form both ways. */
#include "result/result.h"

#include <stdlib.h>
#include <string.h>

/* One description of every struct serves both directions and the release: a member is a row. */
enum member_type { M_STRING, M_INT, M_UINT, M_UNSIGNED, M_BOOL, M_DOUBLE, M_VERDICT, M_ARRAY, M_DOUBLES };

struct member {
	const char *key;
	enum member_type type;
	size_t offset;
	size_t count_offset;	  /* M_ARRAY, M_DOUBLES */
	const struct shape *shape; /* M_ARRAY: of the elements */
};

struct shape {
	size_t size;
	const struct member *members; /* ends with a NULL key */
};

#define M(st, type, name)	  { #name, type, offsetof(st, name), 0, NULL }
#define M_LIST(st, name, n, sh) { #name, M_ARRAY, offsetof(st, name), offsetof(st, n), &(sh) }
#define M_END			  { NULL, M_STRING, 0, 0, NULL }

static const struct member pair_members[] = { M(struct result_pair, M_STRING, name),
					      M(struct result_pair, M_STRING, value), M_END };
static const struct shape pair_shape = { sizeof(struct result_pair), pair_members };

static const struct member finding_members[] = {
	M(struct result_finding, M_STRING, rule),	 M(struct result_finding, M_STRING, severity),
	M(struct result_finding, M_STRING, sentence),	 M(struct result_finding, M_STRING, tap),
	M(struct result_finding, M_STRING, service),	 M(struct result_finding, M_STRING, attribution),
	M(struct result_finding, M_DOUBLE, confidence), M(struct result_finding, M_INT, time),
	M(struct result_finding, M_UINT, frame),	 M(struct result_finding, M_STRING, evidence),
	M(struct result_finding, M_STRING, packet),	 M(struct result_finding, M_STRING, advice),
	M_END
};
static const struct shape finding_shape = { sizeof(struct result_finding), finding_members };

static const struct member window_members[] = {
	M(struct result_window, M_STRING, label),	 M(struct result_window, M_STRING, kind),
	M(struct result_window, M_INT, begin),		 M(struct result_window, M_INT, end),
	M(struct result_window, M_INT, uncertainty),	 M(struct result_window, M_BOOL, confirmed),
	M(struct result_window, M_STRING, confirmation), M_END
};
static const struct shape window_shape = { sizeof(struct result_window), window_members };

static const struct member series_members[] = {
	M(struct result_series, M_STRING, name),
	M(struct result_series, M_STRING, unit),
	M(struct result_series, M_INT, start),
	M(struct result_series, M_INT, bin),
	{ "values", M_DOUBLES, offsetof(struct result_series, values), offsetof(struct result_series, count),
	  NULL },
	M_END
};
static const struct shape series_shape = { sizeof(struct result_series), series_members };

static const struct member tap_members[] = {
	M(struct result_tap, M_STRING, name),	    M(struct result_tap, M_STRING, role),
	M(struct result_tap, M_STRING, interface),  M(struct result_tap, M_STRING, file),
	M(struct result_tap, M_UINT, received),	    M(struct result_tap, M_UINT, dropped),
	M(struct result_tap, M_UINT, delivered),    M(struct result_tap, M_BOOL, beacon_begin),
	M(struct result_tap, M_BOOL, beacon_end),   M(struct result_tap, M_BOOL, reconciled),
	M_END
};
static const struct shape tap_shape = { sizeof(struct result_tap), tap_members };

static const struct member control_members[] = { M(struct result_control, M_STRING, rule),
						 M(struct result_control, M_STRING, tap),
						 M(struct result_control, M_BOOL, caught),
						 M(struct result_control, M_STRING, detail), M_END };
static const struct shape control_shape = { sizeof(struct result_control), control_members };

static const struct member measure_members[] = {
	M(struct result_measure, M_STRING, name),     M(struct result_measure, M_STRING, text),
	M(struct result_measure, M_INT, value),	      M(struct result_measure, M_INT, bound),
	M(struct result_measure, M_INT, uncertainty), M(struct result_measure, M_BOOL, ok),
	M_END
};
static const struct shape measure_shape = { sizeof(struct result_measure), measure_members };

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
	M(struct result_scenario, M_INT, begin),
	M(struct result_scenario, M_INT, end),
	M(struct result_scenario, M_UINT, blocked),
	M(struct result_scenario, M_UINT, canaries_sent),
	M_LIST(struct result_scenario, findings, n_findings, finding_shape),
	M(struct result_scenario, M_UINT, findings_total),
	M_LIST(struct result_scenario, windows, n_windows, window_shape),
	M_LIST(struct result_scenario, series, n_series, series_shape),
	M_LIST(struct result_scenario, taps, n_taps, tap_shape),
	M_LIST(struct result_scenario, controls, n_controls, control_shape),
	M_LIST(struct result_scenario, measures, n_measures, measure_shape),
	M_END
};
static const struct shape scenario_shape = { sizeof(struct result_scenario), scenario_members };

static const struct member result_members[] = {
	M(struct result, M_STRING, run),
	M(struct result, M_STRING, version),
	M(struct result, M_VERDICT, verdict),
	M(struct result, M_STRING, sentence),
	M(struct result, M_INT, begin),
	M(struct result, M_INT, end),
	M(struct result, M_UINT, seed),
	M_LIST(struct result, environment, n_environment, pair_shape),
	M_LIST(struct result, images, n_images, pair_shape),
	M_LIST(struct result, scenarios, n_scenarios, scenario_shape),
	M_END
};
static const struct shape result_shape = { sizeof(struct result), result_members };

/* ---- names ---- */

static const char *const verdict_names[] = { "pass", "skipped", "inconclusive", "error", "fail", "leak" };
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

/* ---- release ---- */

static void *array_of(const void *base, const struct member *m, size_t *n)
{
	void *array;

	memcpy(&array, (const char *)base + m->offset, sizeof(array));
	memcpy(n, (const char *)base + m->count_offset, sizeof(*n));
	return array;
}

static void release(void *base, const struct shape *shape)
{
	for (const struct member *m = shape->members; m->key; m++) {
		size_t n = 0;
		void *p;

		switch (m->type) {
		case M_STRING:
		case M_DOUBLES:
			memcpy(&p, (char *)base + m->offset, sizeof(p));
			free(p);
			break;
		case M_ARRAY:
			p = array_of(base, m, &n);
			for (size_t i = 0; i < n; i++)
				release((char *)p + i * m->shape->size, m->shape);
			free(p);
			break;
		case M_INT:
		case M_UINT:
		case M_UNSIGNED:
		case M_BOOL:
		case M_DOUBLE:
		case M_VERDICT:
			break;
		}
	}
}

void result_free(struct result *r)
{
	if (!r)
		return;
	release(r, &result_shape);
	free(r);
}

/* ---- to JSON ---- */

/* Bytes that are no UTF-8 become "\xNN": jansson refuses them, and a report must not lose the rest. */
static json_t *safe_string(const char *s)
{
	json_t *j = json_string(s ? s : "");
	static const char digits[] = "0123456789abcdef";
	char *copy, *to;

	if (j)
		return j;
	copy = to = malloc(4 * strlen(s) + 1);
	if (!copy)
		abort();
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < 0x80) {
			*to++ = *s;
			continue;
		}
		*to++ = '\\';
		*to++ = 'x';
		*to++ = digits[c >> 4];
		*to++ = digits[c & 15];
	}
	*to = '\0';
	j = json_string(copy);
	free(copy);
	return j;
}

static json_t *write_struct(const void *base, const struct shape *shape);

static json_t *write_array(const void *base, const struct member *m)
{
	json_t *list = json_array();
	size_t n;
	const char *p = array_of(base, m, &n);

	for (size_t i = 0; i < n; i++)
		if (m->type == M_ARRAY)
			(void)json_array_append_new(list,
						    write_struct(p + i * m->shape->size, m->shape));
		else
			(void)json_array_append_new(list,
						    json_real(((const double *)(const void *)p)[i]));
	return list;
}

static json_t *write_member(const void *base, const struct member *m)
{
	const char *at = (const char *)base + m->offset;

	switch (m->type) {
	case M_STRING: {
		const char *s;

		memcpy(&s, at, sizeof(s));
		return safe_string(s);
	}
	case M_INT:
		return json_integer(*(const int64_t *)(const void *)at);
	case M_UINT:
		return json_integer((json_int_t) * (const uint64_t *)(const void *)at);
	case M_UNSIGNED:
		return json_integer(*(const unsigned *)(const void *)at);
	case M_BOOL:
		return json_boolean(*(const bool *)at);
	case M_DOUBLE:
		return json_real(*(const double *)(const void *)at);
	case M_VERDICT:
		return json_string(verdict_name(*(const enum verdict *)(const void *)at));
	case M_ARRAY:
	case M_DOUBLES:
		return write_array(base, m);
	}
	return json_null();
}

static json_t *write_struct(const void *base, const struct shape *shape)
{
	json_t *o = json_object();

	for (const struct member *m = shape->members; m->key; m++)
		(void)json_object_set_new(o, m->key, write_member(base, m));
	return o;
}

json_t *result_to_json(const struct result *r)
{
	return write_struct(r, &result_shape);
}

/* ---- from JSON ---- */

static int bad(const char *key, const char *want, struct err *err)
{
	return err_set(err, EXIT_USAGE, "result: `%s`: %s is wanted", key, want);
}

static int read_struct(const json_t *j, void *base, const struct shape *shape, struct err *err);

static int read_array(const json_t *v, void *base, const struct member *m, struct err *err)
{
	size_t n = json_array_size(v), size = m->type == M_ARRAY ? m->shape->size : sizeof(double);
	char *p;

	if (!json_is_array(v))
		return bad(m->key, "a list", err);
	p = calloc(n ? n : 1, size);
	if (!p)
		abort();
	memcpy((char *)base + m->offset, &p, sizeof(p));
	memcpy((char *)base + m->count_offset, &n, sizeof(n));
	for (size_t i = 0; i < n; i++) {
		const json_t *e = json_array_get(v, i);

		if (m->type == M_ARRAY && read_struct(e, p + i * size, m->shape, err) < 0)
			return -1;
		if (m->type == M_DOUBLES && !json_is_number(e))
			return bad(m->key, "a list of numbers", err);
		if (m->type == M_DOUBLES)
			((double *)(void *)p)[i] = json_number_value(e);
	}
	return 0;
}

static int read_member(const json_t *v, void *base, const struct member *m, struct err *err)
{
	void *at = (char *)base + m->offset;
	char *copy;

	switch (m->type) {
	case M_STRING:
		if (!json_is_string(v))
			return bad(m->key, "a text", err);
		copy = strdup(json_string_value(v));
		memcpy(at, &copy, sizeof(copy));
		return copy ? 0 : err_errno(err, "result");
	case M_INT:
	case M_UINT:
	case M_UNSIGNED:
		if (!json_is_integer(v))
			return bad(m->key, "a whole number", err);
		if (m->type == M_INT)
			*(int64_t *)at = json_integer_value(v);
		else if (m->type == M_UINT)
			*(uint64_t *)at = (uint64_t)json_integer_value(v);
		else
			*(unsigned *)at = (unsigned)json_integer_value(v);
		return 0;
	case M_BOOL:
		if (!json_is_boolean(v))
			return bad(m->key, "true or false", err);
		*(bool *)at = json_is_true(v);
		return 0;
	case M_DOUBLE:
		if (!json_is_number(v))
			return bad(m->key, "a number", err);
		*(double *)at = json_number_value(v);
		return 0;
	case M_VERDICT:
		if (!json_is_string(v) || verdict_parse(json_string_value(v), at) < 0)
			return bad(m->key, "a verdict", err);
		return 0;
	case M_ARRAY:
	case M_DOUBLES:
		return read_array(v, base, m, err);
	}
	return -1;
}

static int read_struct(const json_t *j, void *base, const struct shape *shape, struct err *err)
{
	if (!json_is_object(j))
		return err_set(err, EXIT_USAGE, "result: an object is wanted");
	for (const struct member *m = shape->members; m->key; m++) {
		const json_t *v = json_object_get(j, m->key);

		if (!v)
			return bad(m->key, "a value", err);
		if (read_member(v, base, m, err) < 0)
			return -1;
	}
	return 0;
}

struct result *result_from_json(const json_t *j, struct err *err)
{
	struct result *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	if (read_struct(j, r, &result_shape, err) < 0) {
		result_free(r);
		return NULL;
	}
	return r;
}
