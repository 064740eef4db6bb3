/* SPDX-License-Identifier: MIT */
/* The journal: append-only JSON lines of everything that happened in a run, in order. */
#ifndef ENGINE_JOURNAL_H
#define ENGINE_JOURNAL_H

#include <jansson.h>

#include "base/err.h"

struct journal;

/* Create PATH (it must not exist: a journal is never overwritten). Caller closes. */
struct journal *journal_create(const char *path, struct err *err);

/* Flush to the disk and free; NULL allowed. Returns -1 when any line could not be written: what follows
 * from the journal is then not to be believed. */
int journal_close(struct journal *j, struct err *err);

/* Append one event: `fields` (reference is taken; NULL = none) with "event", "seq", "real" and "mono"
 * (nanoseconds) added. Written at once, so that SIGKILL loses nothing that was said. A failed write is
 * remembered and told by journal_close() and journal_failed(). May be called from any thread. */
void journal_event(struct journal *j, const char *event, json_t *fields);

/* Non-zero when a line could not be written (disk full). */
int journal_failed(const struct journal *j);

/* Say so, with the mend; returns -1. */
int journal_why(const struct journal *j, struct err *err);

/* Read a journal into a JSON array of events. A last line that was cut off (SIGKILL, power) is left out; a line that
 * is damaged, or missing among the others, is an error. Returns NULL on error; caller owns the reference. */
json_t *journal_read(const char *path, struct err *err);

#endif
