/* SPDX-License-Identifier: MIT */
/* Messages for people on standard error; only commands and the runner log, libraries return errors. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdio.h>

enum log_level { LOG_LEVEL_QUIET, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);

/* Plain lines; warn and error carry a coloured prefix when standard error is a terminal. */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* True where colours are wanted: a terminal, TERM not "dumb", NO_COLOR unset (no-color.org). */
bool term_has_colour(FILE *f);

#endif
