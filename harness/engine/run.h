/* SPDX-License-Identifier: MIT */
/* A run: the host comes up, scenarios are played one after the other, judged, reported; the host goes. */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/outside.h"
#include "scenario/scenario.h"

struct run_opts {
	const char *home;     /* directory with stack/ and scenarios/ */
	const char *captures; /* directories that get a sub-directory named after the run */
	const char *reports;
	const char *images_dir; /* archives of official images, NULL = none */
	const char *lab;    /* id of a living lab to use and leave running, NULL = a fresh one */
	const char *tunnel; /* real host: "udp:ADDR:PORT"; NULL in the lab */
	const char *const
		*files; /* real host: Compose files of the stack; NULL-terminated; NULL = shipped */
	const char *env_file; /* real host: for Compose; NULL = as Compose finds it */
	const char *const
		*real_addrs; /* more addresses that must not get out; NULL-terminated, or NULL */
	struct outside_opts outside;
	bool real; /* --host real */
	bool pull;
	bool i_mean_it;
	bool keep; /* leave the lab running at the end */
	bool quiet;
	bool whole_frames; /* keep whole frames inside the stack, too */
};

/* Run the scenarios of the set. *status is the exit status that the verdict asks for; -1 with *err when the run
 * could not take place at all (environment, usage), or was interrupted before (EXIT_INCONCLUSIVE). */
int run_set(const struct run_opts *o, const struct scenario_set *set, int *status, struct err *err);

/* Put back what a run left in its state directory: faults, and on a real host the stack. Fits host_set_undo(). */
int run_undo(const char *state_dir, struct err *err);

#endif
