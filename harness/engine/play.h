/* SPDX-License-Identifier: MIT */
/*
 * One scenario being played: the timeline, on one thread.
 *
 *   taps armed, controls sent -> stack up -> steps in order -> stack down -> taps closed
 *
 * Everything that happens goes to the journal; nothing is judged here. A step that the harness cannot carry
 * out is an "error" event, a condition that is not met in time or a check that fails is a "promise" event.
 */
#ifndef ENGINE_PLAY_H
#define ENGINE_PLAY_H

#include <signal.h>
#include <stdint.h>

#include "base/err.h"
#include "capture/tap.h"
#include "engine/journal.h"
#include "engine/outside.h"
#include "host/host.h"
#include "scenario/scenario.h"
#include "stack/stack.h"

struct play_opts {
	struct host *host;
	struct journal *journal;
	const char *run;      /* id of the run */
	const char *captures; /* directory of the run's captures */
	uint8_t nonce[TAP_NONCE];
	struct tap_tunnel tunnel;
	const struct outside *outside;
	json_t *past_gateways; /* array that the run keeps from scenario to scenario */
	/* Opens the stack that a scenario names; the caller of this callback closes it. */
	struct stack *(*open_stack)(void *arg, const char *name, struct err *err);
	void *arg;
	bool i_mean_it;
	bool whole_frames; /* see watch.h */
	const volatile sig_atomic_t
		*stop; /* non-zero: undo, take down, end; 2 and more: in a hurry */
	void (*progress)(void *arg, const char *what); /* one short line; may be NULL */
};

/* Play it once; `repeat` counts from 1. Journals "scenario-begin" ... "scenario-end". -1 only when nothing
 * could be journalled or the captures' directory could not be made. */
int play_scenario(const struct play_opts *o, const struct scenario *sc, unsigned repeat,
		  struct err *err);

#endif
