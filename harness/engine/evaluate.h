/* SPDX-License-Identifier: MIT */
/* From journal and captures to the result: the same code for a run that just ended and for old evidence. */
#ifndef ENGINE_EVALUATE_H
#define ENGINE_EVALUATE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "result/result.h"

struct evaluate_opts {
	const char *captures; /* directory of the run: CAPTURES/<scenario dir>/<tap>.pcap */
	const char *reports;  /* directory of the report, for relative links to the evidence */
	bool slices;	      /* write pcap slices around findings into <scenario dir>/evidence/ */
};

/* Judge one scenario from its events (an array from "scenario-begin" on) and append it to r. A scenario
 * whose evidence is missing or damaged is not an error: it is inconclusive, and its reason says why. -1 only
 * when the events are no scenario. */
int evaluate_scenario(struct result *r, const json_t *events, const struct evaluate_opts *o,
		      struct err *err);

/* Judge a whole journal into a fresh result (caller frees with result_free). */
struct result *evaluate_run(const json_t *events, const struct evaluate_opts *o, struct err *err);

/* Fill run, version, environment, images from the events of a run ("run", "environment", "image"). */
int evaluate_head(struct result *r, const json_t *events, struct err *err);

/* Verdict, sentence and end of the whole from its scenarios; of the events only what was planned ("run") and why the
 * run ended early ("error" outside of a scenario). Fewer scenarios than planned are never a pass. */
void evaluate_total(struct result *r, const json_t *events);

/* Exit status of a result: 0 as expected, 1 leak or fail, 3 error, 4 inconclusive. */
int evaluate_exit_status(const struct result *r);

#endif
