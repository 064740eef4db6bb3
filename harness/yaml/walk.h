/* SPDX-License-Identifier: MIT */
/* Fills structs from YAML nodes by their rows. */
#ifndef YAML_WALK_H
#define YAML_WALK_H

#include "yaml/doc.h"
#include "yaml/field.h"

#define WALK_ROWS_MAX 3

/* Rows and the struct that they fill. */
struct walk_target {
	const struct field *rows; /* may be NULL */
	void *object;
};

/* Fill up to WALK_ROWS_MAX targets from one mapping: a key may be of any of them; `what` names the mapping in
 * messages. Defaults are set first. Every mistake is reported; -1 when there was one. */
int walk_map(struct yaml_doc *doc, const struct node *map, const struct walk_target *targets,
	     size_t n, const char *what);

/* The child of that key, NULL when there is none. */
const struct node *node_child(const struct node *map, const char *key);

#endif
