/* SPDX-License-Identifier: MIT */
/* The options of every command that tells a result: which format, and where to. */
#ifndef CMD_OUTPUT_H
#define CMD_OUTPUT_H

#include "base/err.h"
#include "report/report.h"

struct output {
	const char *format; /* "text", "json", "junit", "html", "all" */
	const char *dir;    /* --out; NULL: standard output */
	const char *file;   /* --output; NULL: standard output */
	struct report_opts o;
};

#define OUTPUT_DEFAULT           \
	{                        \
		.format = "text" \
	}

enum {
	OPT_FORMAT = 4096,
	OPT_OUT,
	OPT_OUTPUT,
	OPT_JSON,
	OPT_SHARE,
	OPT_STRICT,
};

/* Rows of getopt_long(). */
#define OUTPUT_OPTIONS                                             \
	{ "format", required_argument, NULL, OPT_FORMAT },         \
		{ "out", required_argument, NULL, OPT_OUT },       \
		{ "output", required_argument, NULL, OPT_OUTPUT }, \
		{ "json", no_argument, NULL, OPT_JSON },           \
		{ "share", no_argument, NULL, OPT_SHARE },         \
	{                                                          \
		"junit-strict", no_argument, NULL, OPT_STRICT      \
	}

/* Lines of --help. */
#define OUTPUT_USAGE                                                                            \
	"  --format F      text (default), json, junit, html, or all (with --out)\n"            \
	"  --json          the same as --format json\n"                                         \
	"  --output FILE   write into FILE instead of to standard output\n"                     \
	"  --out DIR       write into DIR (made when missing): index.html, junit.xml, "         \
	"result.json,\n"                                                                        \
	"                  summary.txt\n"                                                       \
	"  --share         for reports that are given away: real addresses in every spelling, " \
	"keys,\n"                                                                               \
	"                  passwords and the host's name are replaced, links to captures "      \
	"removed\n"                                                                             \
	"  --junit-strict  JUnit without file and line, for strict readers\n"

/* True when c is one of the options above; `arg` is optarg. */
bool output_option(struct output *w, int c, const char *arg);

/* After all options: -1 and *err (EXIT_USAGE) for a format that does not exist or two places. own_dir: `all` has a
 * place without --out. */
int output_check(const struct output *w, bool own_dir, struct err *err);

/* Write the result. `dir` is where `all` goes without --out; may be NULL. */
int output_write(const struct output *w, const struct result *r, const char *dir, struct err *err);

#endif
