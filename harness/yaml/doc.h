/* SPDX-License-Identifier: MIT */
/* YAML read by events into a bounded tree in which every node knows its line and column. */
#ifndef YAML_DOC_H
#define YAML_DOC_H

#include <stdbool.h>
#include <stddef.h>

#include "yaml/arena.h"
#include "yaml/diag.h"

/* libyaml's document loader takes minutes for some hundred kB of brackets, accepts a key twice and trees
 * that contain themselves; so events, and limits on each. */
#define YAML_DEPTH_MAX	16u
#define YAML_SCALAR_MAX 4096u

/* What a file may be at the most; its reader chooses them so that nothing honest comes near. */
struct yaml_limits {
	const char *what; /* "scenario": what a larger file is none of */
	size_t size;	  /* bytes */
	unsigned nodes;	  /* values */
};

enum node_kind { NODE_SCALAR, NODE_MAP, NODE_SEQ };

struct node {
	enum node_kind kind;
	unsigned line, column; /* from 1 */
	bool quoted;	       /* a scalar in quotes, or a block scalar */
	char *text;	       /* NODE_SCALAR */
	struct node *key;      /* in a mapping: the scalar before this value */
	struct node *first;    /* children, in order */
	struct node *next;
};

struct yaml_doc {
	const char *file;
	const char *source; /* the text, for diagnostics */
	const struct yaml_limits *limits;
	struct diag *diag;
	struct arena *mem;
	struct node *root;
};

/* Read `text` into doc->root. Refused, each with its place: more than one document, anchors, aliases, tags,
 * keys that are no plain scalars or stand twice, NUL bytes, everything beyond the limits. -1 = see doc->diag.
 * `text` is NUL-terminated and must outlive the doc; the nodes live in doc->mem. */
int yaml_doc_read(struct yaml_doc *doc, const char *text, size_t len);

/* A mistake at a node; returns -1. */
int yaml_doc_error(const struct yaml_doc *doc, const struct node *at, const char *suggestion,
		   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* "a mapping", "a list", "a word": what a node is, for messages. */
const char *node_kind_text(const struct node *n);

#endif
