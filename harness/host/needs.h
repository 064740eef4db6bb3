/* SPDX-License-Identifier: MIT */
/* What the machine must have for a lab: looked at by `doctor`, and by whoever wants to say why not. */
#ifndef HOST_NEEDS_H
#define HOST_NEEDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

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

/* What a run cannot do without, asked before it begins: root, capabilities, programs. -1 with what is missing and
 * the mend (EXIT_ENVIRONMENT). The lab's own needs are left out for the machine itself (real). */
int needs_require(bool real, struct err *err);

/* Is there a program of that name in PATH? */
bool needs_program(const char *name);

/* The Debian package that brings a program that the harness calls; the name itself where it is not known. */
const char *needs_package(const char *program);

/* Look at everything; fills at most `max` and returns how many. Probes run in short-lived children with namespaces
 * of their own and leave nothing behind. Call it while the process has one thread. */
size_t needs_check(struct need *out, size_t max);

#endif
