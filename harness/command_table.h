/* SPDX-License-Identifier: MIT */
/* The sub-commands, in the order of `leakproof --help`. */
#ifndef COMMAND_TABLE_H
#define COMMAND_TABLE_H

#define COMMAND_TABLE(X) \
	X(run)           \
	X(check)         \
	X(plan)          \
	X(list)          \
	X(analyze)       \
	X(replay)        \
	X(report)        \
	X(images)        \
	X(lab)           \
	X(doctor)        \
	X(clean)

#endif
