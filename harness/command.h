/* SPDX-License-Identifier: MIT */
/* What a sub-command is: one file, one row in command_table.h. */
#ifndef COMMAND_H
#define COMMAND_H

struct command {
	const char *name;
	const char *summary;
	const char *usage; /* the whole text of --help */
	int (*run)(int argc,
		   char **argv); /* argv[0] is the sub-command's name; returns the exit status */
};

#endif
