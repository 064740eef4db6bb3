/* SPDX-License-Identifier: MIT */
/* The logs that the probes of a scenario left, one for each life of each probe. */
#ifndef ENGINE_PROBE_FILES_H
#define ENGINE_PROBE_FILES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/verdict.h"
#include "probe/probe.h"

struct probe_file {
	struct probe_log log;			   /* only when usable */
	bool usable;				   /* it is there, and whole enough to be read */
	const char *name, *label, *service, *kind; /* of its "probe" event, borrowed */
};

struct probe_files {
	struct probe_file *items;
	size_t n;
};

/* Read the log of every "probe" event; `dir` is that of the scenario's captures. The events must outlive it. */
void probe_files_load(struct probe_files *all, const json_t *events, const char *dir);
void probe_files_free(struct probe_files *all);

/* A probe that is not shown to have sent cannot have found a leak: DOUBT_PROBE for a log that is missing, cut off
 * or not closed, and for a probe that in all its lives put nothing on the wire. */
void probe_files_doubt(const struct probe_files *all, struct evidence *e);

/* Attempts of all probes in [from, to), and the longest time without one: a leak could have hidden in it. */
uint64_t probe_files_attempts(const struct probe_files *all, int64_t from, int64_t to,
			      int64_t *gap);

#endif
