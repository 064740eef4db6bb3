/* SPDX-License-Identifier: MIT */
/* Capture files as sources of frames for the judge, and slices of them as evidence. */
#ifndef ENGINE_CAPTURES_H
#define ENGINE_CAPTURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "rule/judge.h"

/* Frames whose tap nothing tells: see captures_add(). */
#define CAPTURE_NO_TAP SIZE_MAX

/* One file. Everything but path and tap is filled while it is judged. */
struct capture_file {
	char *path; /* as the operator named it; "standard input" */
	size_t tap; /* of its frames, or CAPTURE_NO_TAP */
	bool by_interface;
	bool pcapng;
	char format[24];      /* "pcap", "pcapng, gzip" */
	uint64_t frames;      /* judged */
	uint64_t left_out;    /* frames of no tap */
	uint64_t dropped;     /* what the file itself says was lost (pcapng) */
	bool counts_present;  /* it says so at all */
	char left_out_of[64]; /* the interface of the first frame left out */
	bool several;	      /* frames of more than one interface went to one tap */
	char interfaces[2][32];
	size_t first_tap; /* of its first judged frame, else tap */
	struct err error; /* status 0: read to its clean end */
};

struct captures;

struct captures *captures_new(void);
void captures_free(struct captures *c); /* NULL allowed */

/* Open one file (or "-", standard input) and read as far as its first frame. -1 and *err when it cannot be opened or is
 * no capture; it then stays in the set as a file with that error. Its frames go to `tap`; captures_file() may set
 * another one, or by_interface, before they are judged. */
int captures_add(struct captures *c, const char *path, size_t tap, struct err *err);

/* Has the file an interface of that name? Where by_interface is set, frames of a pcapng file go to the tap whose
 * `interface` is theirs; the others go to `tap` when the file has none of the policy's interfaces, else nowhere. */
bool captures_has_interface(const struct captures *c, size_t file, const char *name);

/* DIR/<tap>.pcap and, where it exists, DIR/<tap>-tunnel.pcap of every tap of the policy. -1 and the first *err when
 * one is missing or no capture; the others are opened all the same. */
int captures_add_run(struct captures *c, const struct policy *p, const char *dir, struct err *err);

/* Feed the judge with all of them in order of time and settle it. What came before the damage of a file counts, and
 * so do the other files. -1 and the first *err when one was damaged. Once. */
int captures_judge(struct captures *c, struct judge *j, const struct policy *p, struct err *err);

size_t captures_count(const struct captures *c);
struct capture_file *captures_file(struct captures *c, size_t i);

/* Copy the frames with these 1-based numbers (ascending) and `context` frames around each from one capture
 * file to another. -1 and *err on failure. */
int captures_slice(const char *from, const char *to, const uint64_t *numbers, size_t n,
		   unsigned context, struct err *err);

#endif
