// SPDX-License-Identifier: MIT
/* One JSON line a packet. */
#include "engine/facts_lines.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "capture/read_file.h"
#include "packet/decode.h"

static int print_line(FILE *f, const struct facts *facts, uint64_t number)
{
	_cleanup_json_ json_t *j = facts_to_json(facts);

	if (!j || json_object_set_new(j, "frame", json_integer((json_int_t)number)) < 0)
		return -1;
	return json_dumpf(j, f, JSON_COMPACT) < 0 || fputc('\n', f) == EOF ? -1 : 0;
}

static int print_frames(struct read_file *in, FILE *f, struct err *err)
{
	struct decoder *d = decoder_new();
	struct facts *facts = calloc(1, sizeof(*facts));
	struct capfile_frame frame;
	int rc = d && facts ? 1 : err_set(err, EXIT_ENVIRONMENT, "out of memory");

	while (rc == 1 && (rc = read_file_next(in, &frame, err)) == 1) {
		(void)decode_frame(d, frame.linktype, frame.data, frame.caplen, frame.len,
				   frame.time, facts);
		if (print_line(f, facts, frame.number) < 0)
			rc = ferror(f) ? 0 : err_set(err, EXIT_ENVIRONMENT, "out of memory");
	}
	free(facts);
	decoder_free(d);
	return rc < 0 ? -1 : 0;
}

int facts_print(const char *path, FILE *f, struct err *err)
{
	struct read_file *in = read_file_open(path, err);
	int rc;

	if (!in)
		return -1;
	rc = print_frames(in, f, err);
	read_file_close(in);
	return rc;
}
