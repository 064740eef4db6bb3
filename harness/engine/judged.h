/* SPDX-License-Identifier: MIT */
/* What a judge found, as a result and as evidence: the same for runs and for captures of any origin. */
#ifndef ENGINE_JUDGED_H
#define ENGINE_JUDGED_H

#include "engine/verdict.h"
#include "result/result.h"
#include "rule/judge.h"

/* Findings, rules that fired, counters of the taps that the scenario has already (by name), coverage of the policy,
 * blocked attempts, series. */
void judged_fill(struct result_scenario *s, const struct judge *j, const struct policy *p);

/* Leaks, suspicious frames, and what the captures cannot show although they are whole. */
void judged_weigh(struct evidence *e, const struct judge *j, const struct policy *p);

#endif
