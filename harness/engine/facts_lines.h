/* SPDX-License-Identifier: MIT */
/* What the decoder recognised, one JSON line a packet: for people and for other judges. */
#ifndef ENGINE_FACTS_LINES_H
#define ENGINE_FACTS_LINES_H

#include <stdio.h>

#include "base/err.h"

/* Every frame of a capture file ("-": standard input) to f. -1 and *err when the file cannot be opened, is no capture
 * or is damaged; the frames before the damage are printed. Ends early without an error when f takes no more. */
int facts_print(const char *path, FILE *f, struct err *err);

#endif
