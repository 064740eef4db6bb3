/* SPDX-License-Identifier: MIT */
/* Captures of any origin, judged against a policy. */
#ifndef ENGINE_ANALYSIS_H
#define ENGINE_ANALYSIS_H

#include <stddef.h>

#include "base/err.h"
#include "engine/captures.h"
#include "result/result.h"
#include "rule/policy.h"

#define ANALYSIS_FILES_MAX 64

struct analysis_opts {
	const char *const *files; /* "[TAP=]FILE"; "-" is standard input */
	size_t n_files;		  /* 1 .. ANALYSIS_FILES_MAX */
	enum tap_role role;	  /* of files where the policy has no taps */
	const char *policy;	  /* what reports call it: "home-server.yaml", "the command line" */
	const char *disable;	  /* id of one rule that is switched off, or NULL */
};

/* Open the files and give each its tap: TAP names one of the policy, or a role where the policy has none; without it
 * the tap whose `file` has FILE's name, those whose `interface` a pcapng file names, or the only one. Taps of
 * the outside without a capture are taken out of the policy, a second file of a tap gets a tap of its own. -1 and *err (EXIT_USAGE,
 * EXIT_ENVIRONMENT) when a file cannot be opened, is no capture, or could be of several taps. */
int analysis_open(struct captures *c, struct policy *p, const struct analysis_opts *o,
		  struct err *err);

/* Judge the files of analysis_open(). A file that is cut or damaged is no error: what came before counts, and the
 * result says so. Caller frees with result_free(). NULL and *err when the policy cannot work. */
struct result *analysis_judge(struct captures *c, const struct policy *p,
			      const struct analysis_opts *o, struct err *err);

#endif
