/* SPDX-License-Identifier: MIT */
/* YAML events into a bounded tree; every limit is enforced per event, before anything grows. */
#include "yaml/doc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

struct reader {
	struct yaml_doc *doc;
	struct node *open[YAML_DEPTH_MAX]; /* collections around the next node */
	struct node *last[YAML_DEPTH_MAX]; /* their last child */
	struct node *key;		   /* read, waiting for its value */
	unsigned depth;
	unsigned nodes;
	unsigned documents;
};

const char *node_kind_text(const struct node *n)
{
	switch (n->kind) {
	case NODE_SCALAR:
		return *n->text || n->quoted ? "a word" : "nothing";
	case NODE_MAP:
		return "a mapping";
	case NODE_SEQ:
		return "a list";
	}
	return "?";
}

int yaml_doc_error(const struct yaml_doc *doc, const struct node *at, const char *suggestion,
		   const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return diag_add(doc->diag, doc->file, doc->source, at->line, at->column, suggestion, "%s",
			text);
}

static int refuse(const struct reader *r, const yaml_mark_t *mark, const char *text)
{
	return diag_add(r->doc->diag, r->doc->file, r->doc->source, (unsigned)mark->line + 1,
			(unsigned)mark->column + 1, NULL, "%s", text);
}

static struct node *new_node(struct reader *r, enum node_kind kind, const yaml_mark_t *mark)
{
	struct node *n = arena_alloc(r->doc->mem, sizeof(*n));

	n->kind = kind;
	n->line = (unsigned)mark->line + 1;
	n->column = (unsigned)mark->column + 1;
	return n;
}

static const struct node *find_key(const struct node *map, const char *text)
{
	for (const struct node *c = map->first; c; c = c->next)
		if (strcmp(c->key->text, text) == 0)
			return c;
	return NULL;
}

static int take_key(struct reader *r, struct node *n)
{
	const struct node *twice;
	char word[DIAG_WORD_MAX];

	if (n->kind != NODE_SCALAR)
		return yaml_doc_error(r->doc, n, NULL, "a key must be a word, this is %s",
				      node_kind_text(n));
	twice = find_key(r->open[r->depth - 1], n->text);
	if (twice)
		return yaml_doc_error(r->doc, n, NULL,
				      "key `%s` stands here twice, first in line %u",
				      diag_word(n->text, word), twice->key->line);
	r->key = n;
	return 0;
}

/* Hang a node into the collection around it. */
static int add_node(struct reader *r, struct node *n)
{
	struct node *parent = r->depth ? r->open[r->depth - 1] : NULL;

	if (++r->nodes > r->doc->limits->nodes)
		return yaml_doc_error(r->doc, n, NULL, "more than %u values in one file",
				      r->doc->limits->nodes);
	if (!parent) {
		r->doc->root = n;
		return 0;
	}
	if (parent->kind == NODE_MAP && !r->key)
		return take_key(r, n);
	n->key = r->key;
	r->key = NULL;
	if (r->last[r->depth - 1])
		r->last[r->depth - 1]->next = n;
	else
		parent->first = n;
	r->last[r->depth - 1] = n;
	return 0;
}

static int open_node(struct reader *r, const yaml_event_t *e, enum node_kind kind, bool tagged)
{
	struct node *n = new_node(r, kind, &e->start_mark);

	if (tagged)
		return yaml_doc_error(r->doc, n, NULL, "anchors and tags are not used here");
	if (r->depth == YAML_DEPTH_MAX)
		return yaml_doc_error(r->doc, n, NULL, "nested more than %u deep", YAML_DEPTH_MAX);
	if (add_node(r, n) < 0)
		return -1;
	r->open[r->depth] = n;
	r->last[r->depth] = NULL;
	r->depth++;
	return 0;
}

static int add_scalar(struct reader *r, const yaml_event_t *e)
{
	const char *value = (const char *)e->data.scalar.value;
	size_t len = e->data.scalar.length;
	struct node *n = new_node(r, NODE_SCALAR, &e->start_mark);

	if (e->data.scalar.anchor || e->data.scalar.tag)
		return yaml_doc_error(r->doc, n, NULL, "anchors and tags are not used here");
	if (len > YAML_SCALAR_MAX)
		return yaml_doc_error(r->doc, n, NULL, "a word longer than %u bytes",
				      YAML_SCALAR_MAX);
	if (memchr(value, '\0', len))
		return yaml_doc_error(r->doc, n, NULL, "a word with a NUL byte in it");
	n->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	n->text = arena_strdup(r->doc->mem, value);
	return add_node(r, n);
}

/* One event; 1 = that was the last one. */
static int take_event(struct reader *r, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_STREAM_END_EVENT:
		return 1;
	case YAML_DOCUMENT_START_EVENT:
		return r->documents++ ? refuse(r, &e->start_mark, "a second document in one file")
				      : 0;
	case YAML_ALIAS_EVENT:
		return refuse(r, &e->start_mark, "aliases are not used here");
	case YAML_SCALAR_EVENT:
		return add_scalar(r, e);
	case YAML_MAPPING_START_EVENT:
		return open_node(r, e, NODE_MAP,
				 e->data.mapping_start.anchor || e->data.mapping_start.tag);
	case YAML_SEQUENCE_START_EVENT:
		return open_node(r, e, NODE_SEQ,
				 e->data.sequence_start.anchor || e->data.sequence_start.tag);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		r->depth--;
		return 0;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return 0;
	}
	return 0;
}

static int parser_error(const struct reader *r, const yaml_parser_t *p)
{
	const yaml_mark_t *mark = &p->problem_mark;
	char text[256];

	if (p->error == YAML_READER_ERROR)
		return diag_add(r->doc->diag, r->doc->file, NULL, 0, 0, NULL,
				"byte %zu is no text: %s", p->problem_offset,
				p->problem ? p->problem : "bad encoding");
	(void)snprintf(text, sizeof(text), "not YAML: %s%s%s", p->context ? p->context : "",
		       p->context ? ", " : "", p->problem ? p->problem : "unknown error");
	return refuse(r, mark, text);
}

static int read_events(struct reader *r, yaml_parser_t *p)
{
	yaml_event_t e;
	int rc = 0;

	while (rc == 0) {
		if (!yaml_parser_parse(p, &e))
			return parser_error(r, p);
		rc = take_event(r, &e);
		yaml_event_delete(&e);
	}
	return rc < 0 ? -1 : 0;
}

int yaml_doc_read(struct yaml_doc *doc, const char *text, size_t len)
{
	struct reader r = { .doc = doc };
	yaml_parser_t p;
	int rc;

	doc->source = text;
	if (len > doc->limits->size)
		return diag_add(doc->diag, doc->file, NULL, 0, 0, NULL,
				"larger than %zu KiB: no %s", doc->limits->size >> 10,
				doc->limits->what);
	if (!yaml_parser_initialize(&p))
		return diag_add(doc->diag, doc->file, NULL, 0, 0, NULL, "no memory to read it");
	yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&p, (const unsigned char *)text, len);
	rc = read_events(&r, &p);
	yaml_parser_delete(&p);
	if (rc < 0)
		return -1;
	if (!doc->root)
		return diag_add(doc->diag, doc->file, NULL, 0, 0, NULL, "the file is empty");
	return 0;
}
