/* SPDX-License-Identifier: MIT */
/* The verdict of one scenario from the evidence, as a pure function: silence is never a pass. */
#ifndef ENGINE_VERDICT_H
#define ENGINE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "result/result.h"

/* Why nothing can be concluded, in the order in which one of them is told. */
enum doubt {
	DOUBT_INTERRUPTED, /* the scenario did not come to its end */
	DOUBT_EVIDENCE,	   /* journal or captures are missing, damaged, or could not be written */
	DOUBT_TAP,     /* a tap dropped, missed a beacon, lost its interface, or watched nothing */
	DOUBT_CONTROL, /* a control was not caught, or a tap had none */
	DOUBT_CLOCK,   /* the clock that stamps packets was moved */
	DOUBT_FAULT,   /* a fault was applied and not confirmed */
	DOUBT_PROBE,   /* a probe sent nothing, died, or left no whole log */
	DOUBT_FLOW,    /* nothing of a protected service went through the tunnel */
	DOUBT_UNTRIED, /* after a fault nobody tried to leak */
	DOUBT_SILENCE, /* captures of any origin: nothing shows that anybody talked, or nothing of the outside */
	DOUBT_UNJUDGED, /* packets that captures, though whole, cannot tell apart or do not show */
	DOUBT_SUSPICIOUS, /* findings of no weight: frames that left and cannot be read */
	N_DOUBTS
};

/* What is known when a scenario has ended. Texts are owned; NULL = nothing of that kind happened. */
struct evidence {
	uint64_t leaks;		/* findings of weight, controls taken out */
	uint64_t tunnel_before; /* packets of the tunnel before the first fault */
	bool needs_tunnel;	/* the scenario expects traffic through a tunnel at all */
	unsigned n_uplinks;	/* taps at the way out of the host */
	unsigned n_controls;	/* that were sent */
	bool no_controls; /* captures of any origin: nobody forged a leak in them, so none is wanted */
	char *harness_error;	/* a step that the harness could not carry out */
	char *broken_promise;	/* a bound exceeded, a check failed, a condition not reached */
	char *doubts[N_DOUBTS]; /* the first of each kind */
};

/* Note a reason; only the first of a kind is kept. */
void evidence_doubt(struct evidence *e, enum doubt d, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void evidence_error(struct evidence *e, const char *text);
void evidence_promise(struct evidence *e, const char *text);

/* Why nothing can be concluded from what was not found, or NULL. */
const char *evidence_why(const struct evidence *e);

/* Free the texts. */
void evidence_clear(struct evidence *e);

/* Decide. *reason is one sentence for people in static storage or pointing into `e`; never NULL. Weight, first
 * that holds: leak (a seen packet stays seen, however bad the rest), error, inconclusive, fail, pass. */
enum verdict verdict_decide(const struct evidence *e, const char **reason);

/* Is this verdict what the scenario announced? A control must leak, everything else must pass. */
bool verdict_as_expected(enum verdict v, bool must_leak);

#endif
