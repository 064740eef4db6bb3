/* SPDX-License-Identifier: MIT */
/* What the machine must have for a lab: looked at by `doctor`, and by whoever wants to say why not. */
#ifndef HOST_NEEDS_H
#define HOST_NEEDS_H

#include <stddef.h>

enum need_state {
	NEED_OK,
	NEED_WARNING, /* something is skipped or slower */
	NEED_MISSING, /* no lab without it */
};

struct need {
	const char *name;
	enum need_state state;
	char detail[256]; /* what was found */
	char mend[256];	  /* what to do; "" when all is well */
};

/* "ok", "warning", "missing" */
const char *need_state_name(enum need_state s);

/* Look at everything; fills at most `max` and returns how many. Probes run in short-lived children with namespaces
 * of their own and leave nothing behind. Call it while the process has one thread. */
size_t needs_check(struct need *out, size_t max);

#endif
