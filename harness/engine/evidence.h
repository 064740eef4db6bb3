/* SPDX-License-Identifier: MIT */
/* What speaks against believing the evidence of a scenario: journal, captures and probes' logs held against each
 * other. A scenario passes only when nothing here finds anything. */
#ifndef ENGINE_EVIDENCE_H
#define ENGINE_EVIDENCE_H

#include <jansson.h>

#include "engine/probe_files.h"
#include "engine/verdict.h"
#include "rule/judge.h"

/* From the events alone ("scenario-begin" to "scenario-end"): errors, promises, taps, controls sent, faults, the
 * clock. */
void evidence_journal(struct evidence *e, const json_t *events);

/* After the captures were judged: every packet that a tap delivered is in the file that was judged; and where
 * attribution needs a tap inside (a real host), every service that may not leak has one. */
void evidence_captures(struct evidence *e, const json_t *events, const struct judge *j,
		       const struct policy *p);

/* Before the first fault something that a protected service sent came through the tunnel: the gateway's own packets in
 * it (a health check) do not show that the apps were connected at all. */
void evidence_flowed(struct evidence *e, const struct result_scenario *s, const struct judge *j,
		     const struct policy *p, const struct probe_files *probes);

/* After each fault somebody tried to get out: a probe, or a protected service by itself. */
void evidence_tried(struct evidence *e, const struct result_scenario *s, const struct judge *j,
		    const struct probe_files *probes);

#endif
