/* SPDX-License-Identifier: MIT */
/* The steps of a timeline as rows: verb, keys, sentence for the reference. */
#ifndef SCENARIO_STEPS_H
#define SCENARIO_STEPS_H

#include "scenario/scenario.h"
#include "yaml/doc.h"

struct step_row {
	const char *help;
	const struct field *fields; /* the verb itself is the first */
};

extern const struct step_row step_rows[STEP_COUNT];
extern const char *const step_verbs[STEP_COUNT + 1];

/* Fill *s from one item of `timeline:`; -1 = see doc->diag. */
int step_read(struct yaml_doc *doc, const struct node *item, const struct vocab *v, struct step *s);

/* What the rows cannot say: labels that exist, an order that makes sense, bounds with something to measure. */
int scenario_check_order(struct yaml_doc *doc, const struct node *root, struct scenario *s);

#endif
