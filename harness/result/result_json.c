// SPDX-License-Identifier: MIT
/* The JSON form of the result, both ways. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "result/result_shape.h"
#include "result/utf8.h"

/* ---- to JSON ---- */

/* jansson refuses bytes that are no UTF-8, and a report must not lose the rest of the text. */
static json_t *write_text(const char *s)
{
	json_t *j = json_string(s ? s : "");
	char *clean;

	if (j)
		return j;
	clean = utf8_clean(s);
	j = json_string(clean);
	free(clean);
	return j;
}

/* JSON knows no NaN and no infinity. */
static json_t *write_number(double d)
{
	return isfinite(d) ? json_real(d) : json_null();
}

/* Integers of jansson are signed; what does not fit is decimal text. */
static json_t *write_counter(uint64_t n)
{
	char text[24];

	if (n <= INT64_MAX)
		return json_integer((json_int_t)n);
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	return json_string(text);
}

static json_t *write_struct(const void *base, const struct shape *shape);

static json_t *write_array(const void *base, const struct member *m)
{
	json_t *list = json_array();
	size_t n;
	const char *p = member_array(base, m, &n);

	for (size_t i = 0; i < n; i++)
		if (m->type == M_ARRAY)
			(void)json_array_append_new(list,
						    write_struct(p + i * m->shape->size, m->shape));
		else
			(void)json_array_append_new(
				list, write_number(((const double *)(const void *)p)[i]));
	return list;
}

static json_t *write_member(const void *base, const struct member *m)
{
	const void *at = (const char *)base + m->offset;
	const char *s;
	int64_t t;

	switch (m->type) {
	case M_STRING:
		memcpy(&s, at, sizeof(s));
		return write_text(s);
	case M_TIME:
		t = *(const int64_t *)at;
		return t == RESULT_NONE ? json_null() : json_integer(t);
	case M_UINT:
		return write_counter(*(const uint64_t *)at);
	case M_UNSIGNED:
		return json_integer(*(const unsigned *)at);
	case M_BOOL:
		return json_boolean(*(const bool *)at);
	case M_DOUBLE:
		return write_number(*(const double *)at);
	case M_VERDICT:
		return json_string(verdict_name(*(const enum verdict *)at));
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
			return err_wrap(err, "%s[%zu]", m->key, i);
		if (m->type != M_DOUBLES)
			continue;
		if (!json_is_number(e) && !json_is_null(e))
			return bad(m->key, "a list of numbers", err);
		((double *)(void *)p)[i] = json_is_null(e) ? (double)NAN : json_number_value(e);
	}
	return 0;
}

static int read_text(const json_t *v, void *at, const struct member *m, struct err *err)
{
	char *copy;

	if (!json_is_string(v))
		return bad(m->key, "a text", err);
	copy = str_fmt("%s", json_string_value(v));
	memcpy(at, &copy, sizeof(copy));
	return 0;
}

static int read_time(const json_t *v, int64_t *at, const struct member *m, struct err *err)
{
	if (!json_is_integer(v) && !json_is_null(v))
		return bad(m->key, "a whole number of nanoseconds, or null,", err);
	*at = json_is_null(v) ? RESULT_NONE : json_integer_value(v);
	return 0;
}

static int read_counter(const json_t *v, uint64_t *at, const struct member *m, struct err *err)
{
	const char *text = json_string_value(v);
	char *end = NULL;

	if (json_is_integer(v) && json_integer_value(v) >= 0) {
		*at = (uint64_t)json_integer_value(v);
		return 0;
	}
	if (!text || *text < '0' || *text > '9')
		return bad(m->key, "a whole number that is not negative", err);
	errno = 0;
	*at = strtoull(text, &end, 10);
	if (errno || *end)
		return bad(m->key, "a whole number below 2^64", err);
	return 0;
}

static int read_unsigned(const json_t *v, unsigned *at, const struct member *m, struct err *err)
{
	json_int_t n = json_integer_value(v);

	if (!json_is_integer(v) || n < 0 || n > UINT32_MAX)
		return bad(m->key, "a whole number from 0 to 4294967295", err);
	*at = (unsigned)n;
	return 0;
}

static int read_number(const json_t *v, double *at, const struct member *m, struct err *err)
{
	if (!json_is_number(v) && !json_is_null(v))
		return bad(m->key, "a number", err);
	*at = json_is_null(v) ? (double)NAN : json_number_value(v);
	return 0;
}

static int read_member(const json_t *v, void *base, const struct member *m, struct err *err)
{
	void *at = (char *)base + m->offset;

	switch (m->type) {
	case M_STRING:
		return read_text(v, at, m, err);
	case M_TIME:
		return read_time(v, at, m, err);
	case M_UINT:
		return read_counter(v, at, m, err);
	case M_UNSIGNED:
		return read_unsigned(v, at, m, err);
	case M_BOOL:
		if (!json_is_boolean(v))
			return bad(m->key, "true or false", err);
		*(bool *)at = json_is_true(v);
		return 0;
	case M_DOUBLE:
		return read_number(v, at, m, err);
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
	struct result *r = result_new();

	free(r->kind);
	r->kind = NULL;
	if (read_struct(j, r, &result_shape, err) < 0) {
		result_free(r);
		return NULL;
	}
	return r;
}
