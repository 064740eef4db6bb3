/* SPDX-License-Identifier: MIT */
/* Capture files from disk: pcap or pcapng, plain or gzip, one frame after the other in bounded memory. */
#ifndef CAPTURE_READ_FILE_H
#define CAPTURE_READ_FILE_H

#include "base/err.h"
#include "packet/capfile.h"

struct read_file;

/* "-" is standard input. NULL and *err: EXIT_USAGE when there is no such file or it is no capture,
 * EXIT_ENVIRONMENT when it cannot be read. The caller closes with read_file_close. */
struct read_file *read_file_open(const char *path, struct err *err);
void read_file_close(struct read_file *r); /* NULL allowed */

/* As capfile_next: 1, 0 at the clean end, -1 and *err (with the path) for a damaged file. */
int read_file_next(struct read_file *r, struct capfile_frame *f, struct err *err);

/* As capfile_batch: how many, and the rest as above. */
int read_file_batch(struct read_file *r, struct capfile_frame *f, int max, struct err *err);

/* For people: "pcap", "pcapng, gzip". */
const char *read_file_format(const struct read_file *r);
bool read_file_is_pcapng(const struct read_file *r);

/* Name of an interface of the newest frame's section, "" where the file gives none. */
const char *read_file_interface(const struct read_file *r, uint32_t number);
/* Was an interface of that name described so far in that section? */
bool read_file_has_interface(const struct read_file *r, const char *name);

/* Counters that the file itself carries (pcapng). */
const struct capfile_counts *read_file_counts(const struct read_file *r);

#endif
