// SPDX-License-Identifier: MIT
/* Fills structs from YAML mappings and lists by their rows. */
#include "yaml/walk.h"

#include <inttypes.h>
#include <string.h>

#include "yaml/value.h"

#define KEYS_MAX 64 /* of one mapping, for "did you mean" */

const struct node *node_child(const struct node *map, const char *key)
{
	for (const struct node *c = map->first; c; c = c->next)
		if (strcmp(c->key->text, key) == 0)
			return c;
	return NULL;
}

static void *member(const struct field *row, void *object)
{
	return (char *)object + row->offset;
}

static size_t count(const struct node *list)
{
	size_t n = 0;

	for (const struct node *c = list->first; c; c = c->next)
		n++;
	return n;
}

static int read_list(struct yaml_doc *doc, const struct node *v, const struct field *row,
		     void *object)
{
	struct strlist *l = member(row, object);
	size_t n = count(v);

	if (v->kind != NODE_SEQ)
		return yaml_doc_error(doc, v, NULL, "`%s` wants a list such as [a, b], this is %s",
				      row->key, node_kind_text(v));
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
		const char *w = value_word(doc, c, row->key, "names");

		if (!w || value_check_name(doc, c, row->key, w) < 0)
			return -1;
		l->items[l->n++] = arena_strdup(doc->mem, w);
	}
	return 0;
}

/* A fresh array of zeroed elements in the object, as long as the list; NULL after a diagnostic. */
static char *new_array(struct yaml_doc *doc, const struct node *v, const struct field *row,
		       size_t size, void *object)
{
	char *array;
	size_t n = count(v);

	if (v->kind != NODE_SEQ) {
		(void)yaml_doc_error(doc, v, NULL, "`%s` wants a list, this is %s", row->key,
				     node_kind_text(v));
		return NULL;
	}
	if ((int64_t)n > row->max) {
		(void)yaml_doc_error(doc, v, NULL, "`%s` has more than %" PRId64 " entries",
				     row->key, row->max);
		return NULL;
	}
	array = arena_alloc(doc->mem, (n ? n : 1) * size);
	memcpy(member(row, object), &array, sizeof(array));
	*(size_t *)(void *)((char *)object + row->count_offset) = n;
	return array;
}

static int read_values(struct yaml_doc *doc, const struct node *v, const struct field *row,
		       void *object)
{
	char *at = new_array(doc, v, row, row->value->size, object);
	int rc = at ? 0 : -1;

	for (const struct node *c = v->first; at && c; c = c->next, at += row->value->size)
		if (value_parse(doc, c, row->key, row->value, at) < 0)
			rc = -1;
	return rc;
}

static int read_map_of_list(struct yaml_doc *doc, const struct node *v, const struct field *row,
			    void *element)
{
	struct walk_target t = { row->sub, element };

	if (v->kind != NODE_MAP)
		return yaml_doc_error(doc, v, NULL, "%s is a mapping, this is %s", row->item,
				      node_kind_text(v));
	return walk_map(doc, v, &t, 1, row->item);
}

static int read_maps(struct yaml_doc *doc, const struct node *v, const struct field *row,
		     void *object)
{
	char *at = new_array(doc, v, row, row->size, object);
	int rc = at ? 0 : -1;

	for (const struct node *c = v->first; at && c; c = c->next, at += row->size)
		if (read_map_of_list(doc, c, row, at) < 0)
			rc = -1;
	return rc;
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

static int read_any(struct yaml_doc *doc, const struct node *value, const struct field *row,
		    void *object)
{
	switch (row->type) {
	case FIELD_LIST:
		return read_list(doc, value, row, object);
	case FIELD_VALUES:
		return read_values(doc, value, row, object);
	case FIELD_MAPS:
		return read_maps(doc, value, row, object);
	case FIELD_EMPTY:
		return read_empty(doc, value, row);
	case FIELD_NESTED:
		return read_nested(doc, value, row, object);
	case FIELD_OWN:
		return 0;
	case FIELD_STRING:
	case FIELD_NAME:
	case FIELD_INT:
	case FIELD_DURATION:
	case FIELD_BOOL:
	case FIELD_ENUM:
	case FIELD_VALUE:
		return value_read(doc, value, row, object);
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
		(void)read_any(doc, &n, f, t->object);
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
		else if (read_any(doc, c, f, object) < 0)
			rc = -1;
	}
	for (size_t i = 0; i < n; i++)
		for (const struct field *f = targets[i].rows; f && f->key; f++)
			if (f->required && !node_child(map, f->key))
				rc = yaml_doc_error(doc, map, NULL, "%s lacks `%s`", what, f->key);
	return rc;
}
