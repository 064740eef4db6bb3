/* SPDX-License-Identifier: MIT */
/* What the decoder recognised, one JSON line a packet: for people and for other judges. */
#ifndef ENGINE_FACTS_LINES_H
#define ENGINE_FACTS_LINES_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

/* Every frame of a capture file ("-": standard input) to f, with the file's name in each line where `name` asks for
 * it. -1 and *err when the file cannot be opened or is no capture (EXIT_USAGE), is damaged (EXIT_INCONCLUSIVE; the
 * frames before the damage are printed), or when f takes no more (EXIT_ENVIRONMENT). */
int facts_print(const char *path, bool name, FILE *f, struct err *err);

#endif
