// SPDX-License-Identifier: MIT
/* leakproof doctor: what this machine lacks, and how to mend it. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "command.h"
#include "host/needs.h"

#define MAX_NEEDS 32

static const char usage[] =
	"usage: leakproof doctor [--json]\n\n"
	"Looks at everything that the lab needs from this machine (rights, programs, kernel, "
	"control\n"
	"groups, room) and says for each what is missing and how to mend it. Changes nothing.\n\n"
	"exit status: 0 all is there, 3 something is missing\n";

static int print_json(const struct need *needs, size_t n)
{
	_cleanup_json_ json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(
			list, json_pack("{s:s,s:s,s:s,s:s}", "name", needs[i].name, "state",
					need_state_name(needs[i].state), "detail", needs[i].detail,
					"mend", needs[i].mend));
	if (json_dumpf(list, stdout, JSON_INDENT(2)) < 0 || putchar('\n') < 0)
		return -1;
	return 0;
}

static void print_text(const struct need *needs, size_t n)
{
	static const char *const colours[] = { "\033[32m", "\033[33m", "\033[31m" };
	bool colour = term_has_colour(stdout);

	for (size_t i = 0; i < n; i++) {
		(void)printf("%s%-8s%s %-15s %s\n", colour ? colours[needs[i].state] : "",
			     need_state_name(needs[i].state), colour ? "\033[0m" : "",
			     needs[i].name, needs[i].detail);
		if (*needs[i].mend)
			(void)printf("%-24s -> %s\n", "", needs[i].mend);
	}
}

static int run(int argc, char **argv)
{
	struct need needs[MAX_NEEDS];
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
	size_t n;
	int status = EXIT_PASS;

	if (argc > 1 && !json) {
		log_error("doctor: `%s` is no option; --json is the only one", argv[1]);
		return EXIT_USAGE;
	}
	n = needs_check(needs, MAX_NEEDS);
	if (!json)
		print_text(needs, n);
	else if (print_json(needs, n) < 0)
		status = EXIT_ENVIRONMENT;
	for (size_t i = 0; i < n; i++)
		if (needs[i].state == NEED_MISSING)
			status = EXIT_ENVIRONMENT;
	return status;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = "say what this machine lacks, and how to mend it",
	.usage = usage,
	.run = run,
};
