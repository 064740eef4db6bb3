/* SPDX-License-Identifier: MIT */
/* Fills structs from YAML nodes by their rows; each type is read by one function, which also checks it. */
#include "scenario/walk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "scenario/scenario.h"

#define KEYS_MAX       64 /* of one mapping, for "did you mean" */
#define NAME_MAX_BYTES 63

const struct node *node_child(const struct node *map, const char *key)
{
	for (const struct node *c = map->first; c; c = c->next)
		if (strcmp(c->key->text, key) == 0)
			return c;
	return NULL;
}

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

/* The word of a scalar; NULL after a diagnostic where the node is something else or empty. */
static const char *word(struct yaml_doc *doc, const struct node *v, const struct field *row,
			const char *wanted)
{
	if (v->kind != NODE_SCALAR || (*v->text == '\0' && !v->quoted)) {
		(void)yaml_doc_error(doc, v, NULL, "`%s` wants %s, this is %s", row->key, wanted,
				     node_kind_text(v));
		return NULL;
	}
	return v->text;
}

static int read_string(struct yaml_doc *doc, const struct node *v, const struct field *row,
		       void *object)
{
	const char *w = word(doc, v, row, "a text");

	if (!w)
		return -1;
	*(char **)member(row, object) = arena_strdup(doc->mem, w);
	return 0;
}

static int check_word(struct yaml_doc *doc, const struct node *v, const char *key, const char *w)
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
	const char *w = word(doc, v, row, "a name");

	if (!w || check_word(doc, v, row->key, w) < 0)
		return -1;
	*(char **)member(row, object) = arena_strdup(doc->mem, w);
	return 0;
}

static int read_int(struct yaml_doc *doc, const struct node *v, const struct field *row,
		    void *object)
{
	const char *w = word(doc, v, row, "a number");
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
	const char *w = word(doc, v, row, "a duration such as 5s");
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
	const char *w = word(doc, v, row, "true or false");
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
	const char *w = word(doc, v, row, "one of its words");
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

static int read_list(struct yaml_doc *doc, const struct node *v, const struct field *row,
		     void *object)
{
	struct strlist *l = member(row, object);
	size_t n = 0;

	if (v->kind != NODE_SEQ)
		return yaml_doc_error(doc, v, NULL, "`%s` wants a list such as [a, b], this is %s",
				      row->key, node_kind_text(v));
	for (const struct node *c = v->first; c; c = c->next)
		n++;
	if (((int64_t)n < row->min || (int64_t)n > row->max) && row->min == row->max)
		return yaml_doc_error(doc, v, NULL, "`%s` wants %" PRId64 " names, not %zu",
				      row->key, row->max, n);
	if ((int64_t)n < row->min || (int64_t)n > row->max)
		return yaml_doc_error(doc, v, NULL,
				      "`%s` wants %" PRId64 " to %" PRId64 " names, not %zu",
				      row->key, row->min, row->max, n);
	l->items = arena_alloc(doc->mem, (n + 1) * sizeof(*l->items));
	l->n = 0;
	for (const struct node *c = v->first; c; c = c->next) {
		const char *w = word(doc, c, row, "names");

		if (!w || check_word(doc, c, row->key, w) < 0)
			return -1;
		l->items[l->n++] = arena_strdup(doc->mem, w);
	}
	return 0;
}

static int read_empty(struct yaml_doc *doc, const struct node *v, const struct field *row)
{
	if (v->kind == NODE_SCALAR && *v->text == '\0')
		return 0;
	return yaml_doc_error(doc, v, NULL, "`%s` takes nothing after its colon, this is %s",
			      row->key, node_kind_text(v));
}

static int read_nested(struct yaml_doc *doc, const struct node *v, const struct field *row,
		       void *object)
{
	struct walk_target t = { row->sub, member(row, object) };

	if (v->kind != NODE_MAP)
		return yaml_doc_error(doc, v, NULL, "`%s` wants a mapping, this is %s", row->key,
				      node_kind_text(v));
	return walk_map(doc, v, &t, 1, row->key);
}

int walk_value(struct yaml_doc *doc, const struct node *value, const struct field *row,
	       void *object)
{
	switch (row->type) {
	case FIELD_STRING:
		return read_string(doc, value, row, object);
	case FIELD_NAME:
		return read_name(doc, value, row, object);
	case FIELD_INT:
		return read_int(doc, value, row, object);
	case FIELD_DURATION:
		return read_duration(doc, value, row, object);
	case FIELD_BOOL:
		return read_bool(doc, value, row, object);
	case FIELD_ENUM:
		return read_enum(doc, value, row, object);
	case FIELD_LIST:
		return read_list(doc, value, row, object);
	case FIELD_EMPTY:
		return read_empty(doc, value, row);
	case FIELD_STEPS:
		return 0;
	case FIELD_NESTED:
		return read_nested(doc, value, row, object);
	}
	return -1;
}

static void set_defaults(struct yaml_doc *doc, const struct walk_target *t)
{
	static const struct node empty = { .kind = NODE_MAP };

	for (const struct field *f = t->rows; f && f->key; f++) {
		struct walk_target sub;
		struct node n = { .kind = NODE_SCALAR, .quoted = true };

		if (f->type == FIELD_NESTED && !f->required) {
			sub = (struct walk_target){ f->sub, member(f, t->object) };
			(void)walk_map(doc, &empty, &sub, 1, f->key);
		}
		if (!f->def)
			continue;
		n.text = arena_strdup(doc->mem, f->def);
		(void)walk_value(doc, &n, f, t->object);
	}
}

static const struct field *find_row(const struct walk_target *targets, size_t n, const char *key,
				    void **object)
{
	for (size_t i = 0; i < n; i++)
		for (const struct field *f = targets[i].rows; f && f->key; f++)
			if (strcmp(f->key, key) == 0) {
				*object = targets[i].object;
				return f;
			}
	return NULL;
}

static int unknown_key(struct yaml_doc *doc, const struct node *value,
		       const struct walk_target *targets, size_t n, const char *what)
{
	const char *keys[KEYS_MAX + 1] = { NULL };
	char shown[DIAG_WORD_MAX];
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		for (const struct field *f = targets[i].rows; f && f->key && k < KEYS_MAX; f++)
			keys[k++] = f->key;
	return yaml_doc_error(doc, value->key, diag_nearest(value->key->text, keys),
			      "unknown key `%s` in %s", diag_word(value->key->text, shown), what);
}

int walk_map(struct yaml_doc *doc, const struct node *map, const struct walk_target *targets,
	     size_t n, const char *what)
{
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		set_defaults(doc, &targets[i]);
	for (const struct node *c = map->first; c; c = c->next) {
		void *object = NULL;
		const struct field *f = find_row(targets, n, c->key->text, &object);

		if (!f)
			rc = unknown_key(doc, c, targets, n, what);
		else if (walk_value(doc, c, f, object) < 0)
			rc = -1;
	}
	for (size_t i = 0; i < n; i++)
		for (const struct field *f = targets[i].rows; f && f->key; f++)
			if (f->required && !node_child(map, f->key))
				rc = yaml_doc_error(doc, map, NULL, "%s lacks `%s`", what, f->key);
	return rc;
}
