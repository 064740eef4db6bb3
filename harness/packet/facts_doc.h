/* SPDX-License-Identifier: MIT */
/* What the keys and names of facts in JSON mean: for docs/facts.md, and for a test that holds the two to each other. */
#ifndef PACKET_FACTS_DOC_H
#define PACKET_FACTS_DOC_H

#include <stddef.h>
#include <stdio.h>

/* A key of an object of facts, by its path: "layers[].src". */
struct fact_field {
	const char *path, *type, *meaning;
};
extern const struct fact_field fact_fields[];
extern const size_t n_fact_fields;

/* docs/facts.md. */
void facts_markdown(FILE *out);

#endif
