/* SPDX-License-Identifier: MIT */
/* What is wrong in a file a person wrote: file:line:column, the line, a caret, the nearest valid word. */
#ifndef YAML_DIAG_H
#define YAML_DIAG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

#define DIAG_MAX 20 /* more mistakes than that in one go help nobody */

struct diag_item {
	char *file;
	unsigned line, column; /* from 1; 0 = the file as a whole */
	char *text;	       /* "unknown key `timout`" */
	char *suggestion;      /* NULL, or the nearest valid word */
	char *source;	       /* NULL, or the line without its end; a piece of a long one */
	unsigned caret;	       /* column in `source`, from 1 */
};

/* A zeroed struct is empty. Owns everything in it. */
struct diag {
	struct diag_item items[DIAG_MAX];
	size_t n;     /* filled items */
	size_t total; /* mistakes found, may be more than n */
};

void diag_free(struct diag *d);

/* Add one; `source` (may be NULL) is the whole text of the file. Returns -1. */
int diag_add(struct diag *d, const char *file, const char *source, unsigned line, unsigned column,
	     const char *suggestion, const char *fmt, ...) __attribute__((format(printf, 7, 8)));

/* All of them as a compiler would print them. */
void diag_print(const struct diag *d, FILE *f, bool colour);

/* [{"file":..,"line":..,"column":..,"error":..,"suggestion":..}], a new reference. */
json_t *diag_to_json(const struct diag *d);

/* Fill *err (EXIT_USAGE) with the first mistake in one line; returns -1. */
int diag_to_err(const struct diag *d, struct err *err);

/* A word of the file as messages show it: at most 60 bytes, no control characters. Returns buf. */
#define DIAG_WORD_MAX 64
char *diag_word(const char *word, char buf[DIAG_WORD_MAX]);

/* The nearest of a NULL-terminated list, NULL when none is near (at most a third of the letters wrong). */
const char *diag_nearest(const char *word, const char *const *words);

/* The same as the end of a message: "; did you mean `WORD`?", or "" when none is near. Caller frees. */
char *diag_did_you_mean(const char *word, const char *const *words);

#endif
