/* SPDX-License-Identifier: MIT */
/* The numbers of a scenario: kill switch, last tunnel packet, app cut off, recovery, series over time. */
#ifndef ENGINE_MEASURES_H
#define ENGINE_MEASURES_H

#include <jansson.h>

#include "engine/probe_files.h"
#include "result/result.h"
#include "rule/judge.h"

/* Tell the judge of every fault window before the first frame; the n-th fault window is mark n. */
void measures_mark_faults(struct judge *j, const struct result_scenario *s);

/* Measures, and the series of canaries and health, of a scenario whose captures were judged. */
void measures_fill(struct result_scenario *s, const json_t *events, const struct judge *j,
		   const struct probe_files *probes);

/* Tunnel packets before the first fault, or in all where there is no fault. */
uint64_t measures_tunnel_before(const struct judge *j, const struct policy *p,
				const struct result_scenario *s);

#endif
