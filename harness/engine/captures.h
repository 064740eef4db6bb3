/* SPDX-License-Identifier: MIT */
/* Capture files as sources of frames for the judge, and slices of them as evidence. */
#ifndef ENGINE_CAPTURES_H
#define ENGINE_CAPTURES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "rule/judge.h"

/* Opens DIR/<tap>.pcap and, where it exists, DIR/<tap>-tunnel.pcap of every tap of the policy, feeds the judge with
 * all of them in order of time and settles it. -1 and *err when a file is missing or damaged (what came
 * before counts). */
int captures_judge(struct judge *j, const struct policy *p, const char *dir, struct err *err);

/* Copy the frames with these 1-based numbers (ascending) and `context` frames around each from one capture
 * file to another. -1 and *err on failure. */
int captures_slice(const char *from, const char *to, const uint64_t *numbers, size_t n,
		   unsigned context, struct err *err);

#endif
