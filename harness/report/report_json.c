// SPDX-License-Identifier: MIT
/* result.json: the whole result model. */
#include "base/cleanup.h"
#include "report/report.h"

static int write_json(const struct result *r, const struct report_opts *o, FILE *f, struct err *err)
{
	_cleanup_json_ json_t *j = result_to_json(r);

	(void)o;
	if (json_dumpf(j, f, JSON_INDENT(1)) < 0 || fputc('\n', f) == EOF)
		return err_errno(err, "result.json");
	return 0;
}

const struct report_row report_json = {
	.name = "json",
	.summary = "the whole result, for programs",
	.file = "result.json",
	.write = write_json,
};
