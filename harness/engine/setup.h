/* SPDX-License-Identifier: MIT */
/* What a run needs before its first scenario: a host with images and settings for the stack. */
#ifndef ENGINE_SETUP_H
#define ENGINE_SETUP_H

#include <signal.h>

#include "base/err.h"
#include "capture/tap.h"
#include "engine/journal.h"
#include "engine/outside.h"
#include "engine/run.h"
#include "host/host.h"
#include "stack/images.h"
#include "stack/stack.h"

#define SETUP_ENV_MAX 64

struct setup {
	const struct run_opts *o;
	struct journal *journal;
	const volatile sig_atomic_t *stop;
	void (*progress)(void *arg, const char *what);
	void *progress_arg;
	/* made by setup_open() */
	struct host *host;
	struct image_set *images; /* NULL on a real host: the Compose files name them there */
	char *graph;		  /* image store of a fresh lab */
	struct tap_tunnel tunnel;
	char *tunnel_address;
	struct outside outside;
	char *env[SETUP_ENV_MAX + 1]; /* for Compose */
	size_t n_env;
};

/* Everything about the options that can be said before anything is begun. -1 with what is wrong (EXIT_USAGE). */
int setup_check(const struct run_opts *o, struct err *err);

/* Everything up to the point where a stack can be opened; journals "image" and "environment". The caller has filled
 * the first group of members, and calls setup_close() also after a failure. */
int setup_open(struct setup *s, const struct scenario_set *set, struct err *err);

/* Let go of the host: a fresh lab is taken down (unless it is to be kept), any other is left as it was. -1 when
 * that failed; everything else is freed all the same. */
int setup_close(struct setup *s, struct err *err);

/* Open the stack that a scenario names. */
struct stack *setup_stack(const struct setup *s, const char *name, struct err *err);

#endif
