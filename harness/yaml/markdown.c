// SPDX-License-Identifier: MIT
/* Rows as a table of Markdown, for the references in docs/. */
#include "yaml/markdown.h"

#include <inttypes.h>

#include "yaml/value.h"

/* A table cell: a bar would end it. */
static void print_cell(FILE *f, const char *text)
{
	for (; text && *text; text++) {
		if (*text == '|')
			(void)fputc('\\', f);
		(void)fputc(*text, f);
	}
}

static void print_type(FILE *f, const struct field *row)
{
	char lo[32], hi[32];

	switch (row->type) {
	case FIELD_STRING:
		(void)fputs("text", f);
		return;
	case FIELD_NAME:
		(void)fputs("name", f);
		return;
	case FIELD_INT:
		(void)fprintf(f, "number, %" PRId64 " to %" PRId64, row->min, row->max);
		return;
	case FIELD_DURATION:
		(void)fprintf(f, "duration, %s to %s", duration_text(row->min, lo, sizeof(lo)),
			      duration_text(row->max, hi, sizeof(hi)));
		return;
	case FIELD_BOOL:
		(void)fputs("true, false", f);
		return;
	case FIELD_ENUM:
		for (const char *const *n = row->names; *n; n++)
			(void)fprintf(f, "%s`%s`", n == row->names ? "" : ", ", *n);
		return;
	case FIELD_LIST:
		if (row->min == row->max)
			(void)fprintf(f, "list of %" PRId64 " names", row->max);
		else
			(void)fprintf(f, "list of %" PRId64 " to %" PRId64 " names", row->min,
				      row->max);
		return;
	case FIELD_EMPTY:
		(void)fputs("nothing", f);
		return;
	case FIELD_VALUE:
		(void)fputs(row->value->shown, f);
		return;
	case FIELD_VALUES:
		(void)fprintf(f, "list: %s", row->value->shown);
		return;
	case FIELD_MAPS:
		(void)fputs("list of mappings", f);
		return;
	case FIELD_NESTED:
		(void)fputs("mapping", f);
		return;
	case FIELD_OWN:
		(void)fputs(row->item, f);
		return;
	}
}

void markdown_rows(FILE *f, const struct field *rows)
{
	(void)fputs("| key | value | default | meaning |\n|---|---|---|---|\n", f);
	for (; rows->key; rows++) {
		(void)fprintf(f, "| `%s` | ", rows->key);
		print_type(f, rows);
		if (rows->required)
			(void)fputs(" | required | ", f);
		else if (rows->def && *rows->def)
			(void)fprintf(f, " | `%s` | ", rows->def);
		else
			(void)fputs(" | | ", f);
		print_cell(f, rows->help);
		(void)fputs(" |\n", f);
	}
	(void)fputc('\n', f);
}
