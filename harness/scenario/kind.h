/* SPDX-License-Identifier: MIT */
/* A kind of fault or probe as the loader sees it. */
#ifndef SCENARIO_KIND_H
#define SCENARIO_KIND_H

#include <stdbool.h>
#include <stddef.h>

#include "yaml/field.h"

/* A name and the rows of its own parameters. */
struct kind {
	const char *name;	    /* "vpn.process-kill" */
	const char *summary;	    /* one line, no full stop */
	const char *help;	    /* NULL, or whole sentences for the reference */
	const struct field *fields; /* NULL: no parameters */
	bool instant;	    /* a fault with nothing to undo: takes neither `hold` nor `heal` */
	size_t params_size; /* bytes of the struct that `fields` fill; 0 with fields == NULL */
};

#endif
