/* SPDX-License-Identifier: MIT */
/* What a `check` step looks at: one function a check, all on the living stack. */
#ifndef ENGINE_CHECKS_H
#define ENGINE_CHECKS_H

#include <signal.h>
#include <stdbool.h>

#include "base/err.h"
#include "engine/journal.h"
#include "engine/outside.h"
#include "engine/probes.h"
#include "host/host.h"
#include "scenario/scenario.h"
#include "stack/stack.h"

struct check_ctx {
	struct host *host;
	struct stack *stack;
	struct probes *probes;
	struct journal *journal;
	const json_t *lives;	    /* service -> container start time when the stack was up */
	const char *const *targets; /* services that faults acted on, NULL-terminated */
	const struct outside *outside;
	const volatile sig_atomic_t *stop; /* non-zero ends what takes long; NULL: never */
};

/* Look. 0 and *ok and a sentence in detail; -1 when looking itself failed. process-isolation journals each
 * escaped process as a "finding". */
int check_run(const struct check_ctx *c, enum check_id id, bool *ok, char detail[256],
	      struct err *err);

#endif
