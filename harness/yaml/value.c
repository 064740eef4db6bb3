// SPDX-License-Identifier: MIT
/* One word of YAML into the member of its row; each type is read by one function, which also checks it. */
#include "yaml/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define NAME_MAX_BYTES 63

bool name_valid(const char *text)
{
	static const char alnum[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t n = strlen(text);

	return n >= 1 && n <= NAME_MAX_BYTES && strchr(alnum, text[0]) &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

static void *member(const struct field *row, void *object)
{
	return (char *)object + row->offset;
}

const char *value_word(struct yaml_doc *doc, const struct node *v, const char *key,
		       const char *wanted)
{
	if (v->kind != NODE_SCALAR || (*v->text == '\0' && !v->quoted)) {
		(void)yaml_doc_error(doc, v, NULL, "`%s` wants %s, this is %s", key, wanted,
				     node_kind_text(v));
		return NULL;
	}
	return v->text;
}

static int read_string(struct yaml_doc *doc, const struct node *v, const struct field *row,
		       void *object)
{
	const char *w = value_word(doc, v, row->key, "a text");

	if (!w)
		return -1;
	*(char **)member(row, object) = arena_strdup(doc->mem, w);
	return 0;
}

int value_check_name(struct yaml_doc *doc, const struct node *v, const char *key, const char *w)
{
	char shown[DIAG_WORD_MAX];

	if (name_valid(w))
		return 0;
	return yaml_doc_error(doc, v, NULL,
			      "`%s` wants a name of small letters, digits and .-_, not `%s`", key,
			      diag_word(w, shown));
}

static int read_name(struct yaml_doc *doc, const struct node *v, const struct field *row,
		     void *object)
{
	const char *w = value_word(doc, v, row->key, "a name");

	if (!w || value_check_name(doc, v, row->key, w) < 0)
		return -1;
	*(char **)member(row, object) = arena_strdup(doc->mem, w);
	return 0;
}

static int read_int(struct yaml_doc *doc, const struct node *v, const struct field *row,
		    void *object)
{
	const char *w = value_word(doc, v, row->key, "a number");
	char shown[DIAG_WORD_MAX];
	long long n;
	char *end;

	if (!w)
		return -1;
	errno = 0;
	n = strtoll(w, &end, 10);
	/* strtoll() takes leading blanks and a plus, which nobody means. */
	if (errno || *end || !strchr("-0123456789", *w))
		return yaml_doc_error(doc, v, NULL, "`%s` wants a whole number, not `%s`", row->key,
				      diag_word(w, shown));
	if (n < row->min || n > row->max)
		return yaml_doc_error(doc, v, NULL,
				      "`%s` wants %" PRId64 " to %" PRId64 ", not %lld", row->key,
				      row->min, row->max, n);
	*(int64_t *)member(row, object) = n;
	return 0;
}

static const struct unit {
	const char *suffix;
	int64_t ns;
} units[] = {
	{ "ms", NS_PER_MS },
	{ "s", NS_PER_S },
	{ "m", 60 * NS_PER_S },
	{ "h", 3600 * NS_PER_S },
};

#define N_UNITS (sizeof(units) / sizeof(units[0]))

/* Digits and a unit; what does not fit into nanoseconds becomes the longest time, which no row allows. */
static int parse_duration(const char *w, int64_t *ns)
{
	size_t digits = strspn(w, "0123456789");

	if (digits == 0 || digits > 9)
		return -1;
	for (size_t i = 0; i < N_UNITS; i++)
		if (strcmp(w + digits, units[i].suffix) == 0) {
			if (__builtin_mul_overflow(strtoll(w, NULL, 10), units[i].ns, ns))
				*ns = INT64_MAX;
			return 0;
		}
	return -1;
}

char *duration_text(int64_t ns, char *buf, size_t size)
{
	size_t i = N_UNITS - 1;

	/* The largest unit that says it exactly. */
	while (i > 0 && (ns == 0 || ns % units[i].ns != 0))
		i--;
	if (ns == 0)
		(void)snprintf(buf, size, "0s");
	else if (ns % NS_PER_MS)
		(void)snprintf(buf, size, "%.3fms", (double)ns / (double)NS_PER_MS);
	else
		(void)snprintf(buf, size, "%" PRId64 "%s", ns / units[i].ns, units[i].suffix);
	return buf;
}

static int read_duration(struct yaml_doc *doc, const struct node *v, const struct field *row,
			 void *object)
{
	const char *w = value_word(doc, v, row->key, "a duration such as 5s");
	char shown[DIAG_WORD_MAX], lo[32], hi[32];
	int64_t ns;

	if (!w)
		return -1;
	if (parse_duration(w, &ns) < 0)
		return yaml_doc_error(doc, v, NULL,
				      "`%s` wants a duration such as 200ms, 5s or 3m, not `%s`",
				      row->key, diag_word(w, shown));
	if (ns < row->min || ns > row->max)
		return yaml_doc_error(doc, v, NULL, "`%s` wants %s to %s, not %s", row->key,
				      duration_text(row->min, lo, sizeof(lo)),
				      duration_text(row->max, hi, sizeof(hi)), diag_word(w, shown));
	*(int64_t *)member(row, object) = ns;
	return 0;
}

static int read_bool(struct yaml_doc *doc, const struct node *v, const struct field *row,
		     void *object)
{
	const char *w = value_word(doc, v, row->key, "true or false");
	char shown[DIAG_WORD_MAX];

	if (!w)
		return -1;
	if (strcmp(w, "true") != 0 && strcmp(w, "false") != 0)
		return yaml_doc_error(doc, v, NULL, "`%s` wants true or false, not `%s`", row->key,
				      diag_word(w, shown));
	*(bool *)member(row, object) = *w == 't';
	return 0;
}

static int read_enum(struct yaml_doc *doc, const struct node *v, const struct field *row,
		     void *object)
{
	const char *w = value_word(doc, v, row->key, "one of its words");
	char shown[DIAG_WORD_MAX], all[256] = "";
	const char *near;

	if (!w)
		return -1;
	for (unsigned i = 0; row->names[i]; i++)
		if (strcmp(w, row->names[i]) == 0) {
			*(unsigned *)member(row, object) = i;
			return 0;
		}
	near = diag_nearest(w, row->names);
	if (near)
		return yaml_doc_error(doc, v, near, "`%s` cannot be `%s`", row->key,
				      diag_word(w, shown));
	for (const char *const *n = row->names; *n; n++) {
		size_t used = strlen(all);

		(void)snprintf(all + used, sizeof(all) - used, "%s%s", used ? ", " : "", *n);
	}
	return yaml_doc_error(doc, v, NULL, "`%s` cannot be `%s`, only %s", row->key,
			      diag_word(w, shown), all);
}

int value_parse(struct yaml_doc *doc, const struct node *v, const char *key,
		const struct field_value *type, void *at)
{
	const char *w = value_word(doc, v, key, type->wanted);
	char shown[DIAG_WORD_MAX];

	if (!w)
		return -1;
	if (type->parse(w, at))
		return 0;
	return yaml_doc_error(doc, v, diag_nearest(w, type->names), "`%s` wants %s, not `%s`", key,
			      type->wanted, diag_word(w, shown));
}

int value_read(struct yaml_doc *doc, const struct node *v, const struct field *row, void *object)
{
	switch (row->type) {
	case FIELD_STRING:
		return read_string(doc, v, row, object);
	case FIELD_NAME:
		return read_name(doc, v, row, object);
	case FIELD_INT:
		return read_int(doc, v, row, object);
	case FIELD_DURATION:
		return read_duration(doc, v, row, object);
	case FIELD_BOOL:
		return read_bool(doc, v, row, object);
	case FIELD_ENUM:
		return read_enum(doc, v, row, object);
	case FIELD_VALUE:
		return value_parse(doc, v, row->key, row->value, member(row, object));
	case FIELD_LIST:
	case FIELD_VALUES:
	case FIELD_MAPS:
	case FIELD_EMPTY:
	case FIELD_NESTED:
	case FIELD_OWN:
		break; /* no single words: walk.c */
	}
	return -1;
}
