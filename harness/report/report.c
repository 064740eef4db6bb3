// SPDX-License-Identifier: MIT
/* The table of formats, and writing them. */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "report/redact.h"
#include "report/report_table.h"

#define DECLARE(n) extern const struct report_row report_##n;
REPORT_TABLE(DECLARE)
#undef DECLARE
#define ENTRY(n) &report_##n,
const struct report_row *const report_rows[] = { REPORT_TABLE(ENTRY) };
#undef ENTRY
const size_t n_report_rows = sizeof(report_rows) / sizeof(report_rows[0]);

const struct report_row *report_find(const char *name)
{
	for (size_t i = 0; i < n_report_rows; i++)
		if (strcmp(report_rows[i]->name, name) == 0)
			return report_rows[i];
	return NULL;
}

int report_write(const struct report_row *row, const struct result *r, const struct report_opts *o,
		 FILE *f, struct err *err)
{
	struct result *copy = NULL;
	int rc;

	if (o->share && !(copy = redact_result(r, err)))
		return -1;
	rc = row->write(copy ? copy : r, o, f, err);
	if (rc == 0 && (fflush(f) != 0 || ferror(f)))
		rc = err_errno(err, "the %s report could not be written", row->name);
	result_free(copy);
	return rc;
}

int report_write_file(const struct report_row *row, const struct result *r, const char *path,
		      const struct report_opts *o, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	int rc;

	if (!f)
		return err_errno(err, "%s", path);
	rc = report_write(row, r, o, f, err);
	(void)fclose(f);
	return rc < 0 ? -1 : fs_write(path, text, size, 0644, err);
}

int report_write_all(const struct result *r, const char *dir, const struct report_opts *o,
		     struct err *err)
{
	for (size_t i = 0; i < n_report_rows; i++) {
		_cleanup_free_ char *path = NULL;

		if (!report_rows[i]->file)
			continue;
		path = str_fmt("%s/%s", dir, report_rows[i]->file);
		if (report_write_file(report_rows[i], r, path, o, err) < 0)
			return -1;
	}
	return 0;
}
