/* SPDX-License-Identifier: MIT */
/* Faults: one file and one row a kind. Life of one: prepare (find the targets, change nothing), write the undo
 * record to the disk, apply between two clock readings, confirm by another observation, heal. */
#ifndef FAULT_FAULT_H
#define FAULT_FAULT_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "host/host.h"
#include "scenario/scenario.h"
#include "stack/stack.h"

#define FAULT_PIDS 16 /* most processes that one fault may end */

/* Where a fault is applied; nothing in it is owned. */
struct fault_ctx {
	struct host *host;
	struct stack *stack;
	const char *state_dir; /* undo records go to STATE_DIR/undo/; usually host_state_dir() */
	const char *run;       /* run id, part of the names of nft tables */
	bool i_mean_it; /* a real host: faults that reach beyond the project's containers may act */
	const volatile sig_atomic_t *stop; /* non-zero ends fault_confirm() early; NULL: never */
};

/* When it happened, CLOCK_REALTIME nanoseconds: not before `before`, not after `after`. */
struct fault_result {
	int64_t before, after;
	bool confirmed;
	int64_t confirmed_at;	/* when the observation was made; 0 = not confirmed */
	char confirmation[256]; /* what was observed, or why it could not be */
};

struct fault;

/* A fault in force. Made by fault_apply(), ended by fault_active_free(). */
struct fault_active {
	const struct fault *fault;
	char *label;  /* as in the scenario */
	char *target; /* for people: "gluetun", "qbittorrent <-> gluetun" */
	const struct fault_ctx *ctx;
	const void *params;
	json_t *record;		/* what prepare() found; all that undo() gets */
	int pidfds[FAULT_PIDS]; /* of record's "pids", -1 = none */
	char *undo_path; /* file of the record; NULL when nothing is to be undone or it is undone */
	struct fault_result result;
};

enum fault_observation { FAULT_NOT_YET, FAULT_SEEN };

/* A kind of fault. All functions return -1 with *err set on failure. */
struct fault {
	struct kind kind;  /* name, summary, rows of the parameters */
	const char *heals; /* what ends it: "the restart policy", "the table is removed" */
	bool reaches_host; /* acts beyond the project's containers: on a real host only with i_mean_it */
	const char *const *tools; /* programs it calls, NULL-terminated; NULL: none */

	/* Find the targets; fill a->record (an empty object) and a->target. Changes nothing. */
	int (*prepare)(struct fault_active *a, struct err *err);
	/* Do it. Called between the two clock readings, so nothing slow before the deed itself. */
	int (*apply)(struct fault_active *a, struct err *err);
	/* Look once; on FAULT_SEEN fill a->result.confirmation. */
	int (*confirm)(struct fault_active *a, struct err *err);
	/* Undo from the record alone, in any process, any number of times. NULL for kind.instant. */
	int (*undo)(const json_t *record, struct err *err);
};

/* The kind of that name, NULL when there is none. */
const struct fault *fault_find(const char *name);

/* All kinds, NULL-terminated, in the order of the table; and the same as the loader's vocabulary. */
const struct fault *const *fault_all(void);
const struct kind *const *fault_kinds(void);

/* True where this step may not act on this host; then *err says which flag is missing (EXIT_USAGE). For
 * asking before anything is started; fault_apply() asks too. */
bool fault_refused(const struct fault_ctx *c, const struct step_fault *step, struct err *err);

/* Prepare, write the undo record, apply. `c` and `step` must outlive the result. NULL on failure, and then
 * nothing is in force: what a half-done apply left was undone. */
struct fault_active *fault_apply(const struct fault_ctx *c, const struct step_fault *step,
				 struct err *err);

/* Look until it is seen, timeout_ns have passed or the context says stop; fills a->result. 0 also when it was not seen: that is
 * the verdict's business (a->result.confirmed). -1 when looking itself failed. */
int fault_confirm(struct fault_active *a, int64_t timeout_ns, struct err *err);

/* Look once now: 1 seen (also later than the first time), 0 not, -1 error. For runners that do other things
 * in between. Does not change a->result once it is confirmed. */
int fault_observe(struct fault_active *a, struct err *err);

/* Undo it now; *begin and *end (may be NULL) bracket it in CLOCK_REALTIME. Idempotent; a kind without undo
 * has nothing to do. On failure the record stays on the disk. */
int fault_heal(struct fault_active *a, int64_t *begin, int64_t *end, struct err *err);

/* Frees; heals first when it is still in force (a failure of that is lost: call fault_heal to know). */
void fault_active_free(struct fault_active *a);

/* Undo everything that records in STATE_DIR/undo/ tell of, newest first, and remove the records that are done.
 * No such directory is no error. Goes on after a failure; -1 when any failed. Fits host_set_undo(). */
int fault_undo_all(const char *state_dir, struct err *err);

#endif
