/* SPDX-License-Identifier: MIT */
/* Words of YAML: names, durations, and one word into the member of its row. */
#ifndef YAML_VALUE_H
#define YAML_VALUE_H

#include "yaml/doc.h"
#include "yaml/field.h"

/* One word into the member of its row in `object`; -1 = see doc->diag. For rows whose value is one word. */
int value_read(struct yaml_doc *doc, const struct node *v, const struct field *row, void *object);

/* The word of a scalar; NULL after a diagnostic ("`key` wants WANTED, this is a list") where the node is
 * something else or empty. */
const char *value_word(struct yaml_doc *doc, const struct node *v, const char *key,
		       const char *wanted);

/* A mistake unless w is what FIELD_NAME takes. */
int value_check_name(struct yaml_doc *doc, const struct node *v, const char *key, const char *w);

/* One word of a type of its owner's into *at. */
int value_parse(struct yaml_doc *doc, const struct node *v, const char *key,
		const struct field_value *type, void *at);

/* True for what FIELD_NAME takes. */
bool name_valid(const char *text);

/* "5s", "200ms", "3m": the shortest exact form; buf needs 32 bytes. Returns buf. */
char *duration_text(int64_t ns, char *buf, size_t size);

#endif
