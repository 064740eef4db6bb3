/* SPDX-License-Identifier: MIT */
/* Undo records on the disk: written before a fault is applied, removed when it is undone. */
#ifndef FAULT_UNDO_H
#define FAULT_UNDO_H

#include <jansson.h>

#include "base/err.h"

/* Write {"fault": name, "label": .., "record": ..} to a fresh file of STATE_DIR/undo/, on the disk when this
 * returns. The path (caller frees), NULL on error. */
char *undo_write(const char *state_dir, const char *name, const char *label, const json_t *record,
		 struct err *err);

/* Call `each` for every record, newest first, and remove those for which it returns 0. -1 with the first error
 * when any failed or could not be read. */
int undo_walk(const char *state_dir,
	      int (*each)(const char *name, const json_t *record, struct err *err),
	      struct err *err);

#endif
