/* SPDX-License-Identifier: MIT */
/* Capture files from disk: pcap or pcapng, plain or gzip, one frame after the other in bounded memory. */
#ifndef CAPTURE_READ_FILE_H
#define CAPTURE_READ_FILE_H

#include "base/err.h"
#include "packet/capfile.h"

struct read_file;

/* "-" is standard input. NULL and *err: EXIT_USAGE when it is no capture, EXIT_ENVIRONMENT when it cannot be
 * read. The caller closes with read_file_close. */
struct read_file *read_file_open(const char *path, struct err *err);
void read_file_close(struct read_file *r); /* NULL allowed */

/* As capfile_next: 1, 0 at the clean end, -1 and *err (with the path) for a damaged file. */
int read_file_next(struct read_file *r, struct capfile_frame *f, struct err *err);

/* Counters that the file itself carries (pcapng). */
const struct capfile_counts *read_file_counts(const struct read_file *r);

#endif
