/* SPDX-License-Identifier: MIT */
/* Rows as a table of Markdown, for the references in docs/. */
#ifndef YAML_MARKDOWN_H
#define YAML_MARKDOWN_H

#include <stdio.h>

#include "yaml/field.h"

/* "| key | value | default | meaning |", one line a row, and an empty line. */
void markdown_rows(FILE *f, const struct field *rows);

#endif
