/* SPDX-License-Identifier: MIT */
/* Reports: each format is one file and one row; all of them read the result model only. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "result/result.h"

struct report_opts {
	bool share;	   /* replace the real addresses, so that the report can be given away */
	bool junit_strict; /* testcases without file and line */
};

struct report_row {
	const char *name; /* "html" */
	const char *summary;
	const char *file; /* in reports/RUN/; NULL = not written there */
	/* Write all of r to f. -1 and *err on failure; failed writes are found by the caller with ferror(). */
	int (*write)(const struct result *r, const struct report_opts *o, FILE *f, struct err *err);
};

extern const struct report_row *const report_rows[];
extern const size_t n_report_rows;
const struct report_row *report_find(const char *name); /* NULL when there is none */

/* Write one format; with o->share a redacted copy of r is written. */
int report_write(const struct report_row *row, const struct result *r, const struct report_opts *o,
		 FILE *f, struct err *err);

/* Write one format into a file, whole or not at all. */
int report_write_file(const struct report_row *row, const struct result *r, const char *path,
		      const struct report_opts *o, struct err *err);

/* Write every format that has a file into DIR, each whole or not at all. */
int report_write_all(const struct result *r, const char *dir, const struct report_opts *o,
		     struct err *err);

/* One line for a scenario that has just ended. */
void report_live(const struct result_scenario *s, FILE *f);

#endif
