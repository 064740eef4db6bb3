/* SPDX-License-Identifier: MIT */
/* What several formats say in the same words: numbers of a result, and how they are spelled. */
#ifndef REPORT_SUMMARY_H
#define REPORT_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "result/result.h"

struct summary {
	size_t scenarios, as_expected;
	size_t by_verdict[VERDICT_LEAK + 1];
	uint64_t leaks;	  /* findings of scenarios that must not leak */
	uint64_t blocked; /* attempts that stayed inside, all scenarios */
	uint64_t received, dropped;
	size_t controls, caught;
	const struct result_measure *kill_switch,
		*recovery; /* the worst of scenarios that must not leak, or NULL */
};

void summary_of(const struct result *r, struct summary *out);

/* The worst measure of that name in a scenario: one that is not ok, else the longest, else one without a value.
 * NULL when there is none. */
const struct result_measure *summary_worst(const struct result_scenario *s, const char *name);

/* Of all scenarios, does this one's name occur more than once? */
bool summary_is_repeated(const struct result *r, const struct result_scenario *s);

/* A tap whose packets are all accounted for. The last beacon is in `reconciled` where one could be sent: an
 * interface may go away with the stack. */
bool summary_tap_is_sound(const struct result_tap *t);

/* Number n (from 0) of the measure's fault within its scenario: the engine writes the measures of each fault
 * together, beginning with "kill-switch". */
size_t summary_fault_of(const struct result_scenario *s, const struct result_measure *m);
size_t summary_faults(const struct result_scenario *s); /* windows of kind "fault" */
/* Fault window number n from 0; NULL when there are fewer. */
const struct result_window *summary_fault(const struct result_scenario *s, size_t n);

/* The coverage of the policy over all scenarios: one row for each allowance, in the order in which they come first, with
 * the packets of all. Texts are borrowed from r; the caller frees the array. */
struct result_allowance *summary_coverage(const struct result *r, size_t *n);

/* Attempts of protected services to leave: a packet counts on the first tap that shows it. */
uint64_t summary_attempts(const struct result_scenario *s);

/* How a finding was tied to its service, for people: "bridge-match, 97 % sure", "ambiguous: two services fit, 50 %
 * sure". Caller frees. */
char *summary_attribution(const struct result_finding *x);

/* "2026-01-02T03:04:05.678Z"; "" for RESULT_NONE. buf needs 32 bytes. Returns buf. */
char *summary_stamp(int64_t real, char buf[32]);

/* "4.2 ms", "0.412 s", "3 min 12 s"; "-" for RESULT_NONE. Caller frees. */
char *summary_duration(int64_t ns);

/* A bound without needless zeros: "5 s", "1.5 s", "200 ms". Caller frees. */
char *summary_bound(int64_t ns);

#endif
