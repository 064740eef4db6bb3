/* SPDX-License-Identifier: MIT */
/* Messages for people on standard error. */
#include "base/log.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum log_level level_now = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	level_now = level;
}

bool term_has_colour(FILE *f)
{
	const char *term = getenv("TERM");
	const char *no_colour = getenv("NO_COLOR");

	return isatty(fileno(f)) && term && strcmp(term, "dumb") != 0 && !(no_colour && *no_colour);
}

__attribute__((format(printf, 3, 0))) static void emit(const char *colour, const char *prefix,
						       const char *fmt, va_list ap)
{
	bool colours = *prefix && term_has_colour(stderr);

	flockfile(stderr);
	(void)fprintf(stderr, "%s%s%s", colours ? colour : "", prefix, colours ? "\033[0m" : "");
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
	funlockfile(stderr);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	if (level_now < LOG_LEVEL_INFO)
		return;
	va_start(ap, fmt);
	emit("", "", fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit("\033[33m", "warning: ", fmt, ap);
	va_end(ap);
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit("\033[31m", "error: ", fmt, ap);
	va_end(ap);
}

void log_debug(const char *fmt, ...)
{
	va_list ap;

	if (level_now < LOG_LEVEL_DEBUG)
		return;
	va_start(ap, fmt);
	emit("\033[2m", "debug: ", fmt, ap);
	va_end(ap);
}
