// SPDX-License-Identifier: MIT
/* The program: finds the sub-command in the table and hands over. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/version.h"
#include "command.h"
#include "command_table.h"
#include "probe/probe.h"
#include "yaml/diag.h"

#define DECLARE(n) extern const struct command cmd_##n;
COMMAND_TABLE(DECLARE)
#undef DECLARE

#define ENTRY(n) &cmd_##n,
static const struct command *const commands[] = { COMMAND_TABLE(ENTRY) };
#undef ENTRY

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *f)
{
	(void)fputs("usage: leakproof COMMAND [OPTION]...\n\n"
		    "Finds out, with evidence, whether a torrent stack behind a VPN container\n"
		    "betrays the real address while it is being broken.\n\ncommands:\n",
		    f);
	for (size_t i = 0; i < N_COMMANDS; i++)
		(void)fprintf(f, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
	(void)fputs("\n`leakproof COMMAND --help` says more.\n\n"
		    "exit status: 0 pass, 1 leak, 2 usage or bad scenario, 3 environment, "
		    "4 inconclusive\n",
		    f);
}

static const struct command *find_command(const char *name)
{
	const char *names[N_COMMANDS + 1] = { NULL };
	_cleanup_free_ char *hint = NULL;

	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
		names[i] = commands[i]->name;
	}
	hint = diag_did_you_mean(name, names);
	log_error("no command `%s`%s; `leakproof --help` lists them", name, hint);
	return NULL;
}

/* Whoever closed a standard stream would find the next file of ours under its number, and our words in it. */
static void open_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

/* Anywhere, but not among the words that `lab shell NODE` passes on. */
static bool wants_help(int argc, char **argv)
{
	bool shell = argc > 2 && strcmp(argv[1], "lab") == 0 && strcmp(argv[2], "shell") == 0;

	for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
		if (shell && i > 2)
			return false;
	}
	return false;
}

int main(int argc, char **argv)
{
	const struct command *c;
	int probe_status;

	open_streams();
	probe_status = probe_child_main(argc, argv);

	/* A probe is this very program started again inside a container's network namespace. */
	if (probe_status >= 0)
		return probe_status;
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return EXIT_PASS;
	}
	if (strcmp(argv[1], "--version") == 0) {
		(void)printf("leakproof %s\n", LEAKPROOF_VERSION);
		return EXIT_PASS;
	}
	c = find_command(argv[1]);
	if (!c)
		return EXIT_USAGE;
	if (wants_help(argc, argv)) {
		(void)fputs(c->usage, stdout);
		return EXIT_PASS;
	}
	return c->run(argc - 1, argv + 1);
}
