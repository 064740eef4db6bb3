/* SPDX-License-Identifier: MIT */
/* The verdict of one scenario from the evidence, as a pure function: silence is never a pass. */
#ifndef ENGINE_VERDICT_H
#define ENGINE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "result/result.h"

/* What is known when a scenario has ended. Strings are borrowed, NULL = nothing of that kind happened. */
struct evidence {
	uint64_t leaks;		    /* findings, controls taken out */
	uint64_t tunnel_before;	    /* packets of the tunnel before the first fault */
	bool needs_tunnel;	    /* the scenario expects traffic through a tunnel at all */
	const char *harness_error;  /* a step that the harness could not carry out */
	const char *unsound_tap;    /* first tap that dropped, missed a beacon, had a gap */
	const char *missed_control; /* first rule/tap whose control was not caught */
	const char *unconfirmed;    /* first fault that was applied and not confirmed */
	const char *clock_step;	    /* the clock moved during the run */
	const char *lost_evidence;  /* journal or capture could not be written */
	const char *broken_promise; /* a bound exceeded, a check failed, a condition not reached */
	unsigned n_taps;
	unsigned n_controls;
	bool interrupted;
};

/* Decide. *reason is one sentence for people in static storage or pointing into `e`; never NULL. Weight, first that holds: leak (a
 * seen packet stays seen, however bad the rest), error, inconclusive, fail, pass. */
enum verdict verdict_decide(const struct evidence *e, const char **reason);

/* Is this verdict what the scenario announced? A control must leak, everything else must pass. */
bool verdict_as_expected(enum verdict v, bool must_leak);

#endif
