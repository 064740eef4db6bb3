/* SPDX-License-Identifier: MIT */
/* The probes and the download of one scenario: started, followed through restarts of their service, stopped. */
#ifndef ENGINE_PROBES_H
#define ENGINE_PROBES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/journal.h"
#include "probe/probe.h"
#include "probe/workload_qbt.h"
#include "scenario/scenario.h"
#include "stack/stack.h"

struct probes;

struct probes_opts {
	struct journal *journal;
	struct stack *stack;
	const char *dir; /* logs go here */
	uint8_t nonce[PROBE_NONCE];
	const char *torrent; /* .torrent of the download, NULL = none to be had */
	/* Where probes go that name no destination of their own; NULL and 0: the lab's addresses. */
	const char *sink, *public_dns;
	uint16_t sink_port;
};

struct probes *probes_new(const struct probes_opts *o);
void probes_free(struct probes *p); /* stops what runs; NULL allowed */

/* Start what a `start` step says. The stack must have been refreshed. */
int probes_start(struct probes *p, const struct step_start *s, struct err *err);
int probes_stop(struct probes *p, const char *label, struct err *err);

/* Start anew, in the new namespace, every probe whose service lives another life than at its start. Call after
 * stack_refresh(). A probe that cannot start yet is tried again at the next call; one that never could is a
 * "probe-lost" event when probes_free() comes. */
void probes_follow(struct probes *p);

/* Was an attempt made at or after `since` (REALTIME ns) by a probe of `service` (NULL: of every service that has a
 * probe which gets replies) answered? False when there is no such probe, or one of them does not run. */
bool probes_answered(struct probes *p, const char *service, int64_t since);

/* No probe of `service` (NULL: of any) was answered within the last `quiet` ns, although it tried. */
bool probes_silent(struct probes *p, const char *service, int64_t quiet);

/* State of the download; -1 when none was started or qBittorrent does not answer. */
int probes_download(struct probes *p, struct qbt_status *out, struct err *err);

/* Have every piece of the download hashed again; probes_download() tells the outcome. */
int probes_recheck(struct probes *p, struct err *err);

/* Canaries for the policy; a new reference. */
json_t *probes_canaries_json(const struct probes *p);

/* A descriptor of the service's network namespace, -1 when it does not run. The caller closes it. */
int service_netns(const struct stack_service *s);

#endif
