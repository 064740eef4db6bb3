// SPDX-License-Identifier: MIT
/* One JSON line a packet. */
#include "engine/facts_lines.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "capture/read_file.h"
#include "packet/decode.h"
#include "result/utf8.h"

/* The facts of one frame as a line (docs/facts.md). */
static int print_line(FILE *out, const struct facts *facts, const struct capfile_frame *f,
		      const char *name)
{
	static const char *const directions[] = { NULL, "in", "out" };
	_cleanup_json_ json_t *line = json_object();
	_cleanup_json_ json_t *j = facts_to_json(facts);
	_cleanup_free_ char *file = name ? utf8_clean(name) : NULL;

	if (!line || !j)
		return -1;
	if (file)
		(void)json_object_set_new(line, "file", json_string(file));
	(void)json_object_set_new(line, "frame", json_integer((json_int_t)f->number));
	if (f->interface)
		(void)json_object_set_new(line, "interface", json_integer(f->interface));
	if (f->direction == 1 || f->direction == 2)
		(void)json_object_set_new(line, "direction", json_string(directions[f->direction]));
	if (json_object_update(line, j) < 0)
		return -1;
	return json_dumpf(line, out, JSON_COMPACT) < 0 || fputc('\n', out) == EOF ? -1 : 0;
}

static int not_printed(FILE *out, struct err *err)
{
	return ferror(out) ? err_errno(err, "the facts could not be written")
			   : err_set(err, EXIT_ENVIRONMENT, "out of memory");
}

static int print_frames(struct read_file *in, const char *name, FILE *out, struct err *err)
{
	struct decoder *d = decoder_new();
	struct facts *facts = calloc(1, sizeof(*facts));
	struct capfile_frame f = { 0 };
	int rc = d && facts ? 1 : err_set(err, EXIT_ENVIRONMENT, "out of memory");

	while (rc == 1 && (rc = read_file_next(in, &f, err)) == 1) {
		(void)decode_frame(d, f.linktype, f.data, f.caplen, f.len, f.time, facts);
		if (print_line(out, facts, &f, name) < 0)
			rc = not_printed(out, err);
	}
	if (rc == 0 && fflush(out) == EOF)
		rc = not_printed(out, err);
	if (rc < 0 && err->status == EXIT_USAGE)
		err->status = EXIT_INCONCLUSIVE; /* a capture, but its end is missing or damaged */
	free(facts);
	decoder_free(d);
	return rc < 0 ? -1 : 0;
}

int facts_print(const char *path, bool name, FILE *f, struct err *err)
{
	struct read_file *in = read_file_open(path, err);
	int rc;

	if (!in)
		return -1;
	rc = print_frames(in, name ? path : NULL, f, err);
	read_file_close(in);
	return rc;
}
