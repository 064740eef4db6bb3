// SPDX-License-Identifier: MIT
/* leakproof clean: put the machine back after a run that was killed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "command.h"
#include "engine/run.h"
#include "host/host.h"

static const char usage[] =
	"usage: leakproof clean [--list | --all | --cache | ID...]\n\n"
	"Undoes the faults of runs that were killed and removes their labs: processes, "
	"namespaces,\n"
	"control groups, files. Without ID: every lab that no living process uses, those of\n"
	"`lab up` too, and what builds that were killed left in the cache. Doing it twice does\n"
	"no harm.\n\n"
	"  --list   print what there is, and remove nothing\n"
	"  --all    also labs that a living run uses\n"
	"  --cache  also the trees, images and stores of the cache that no lab stands on; the "
	"next\n"
	"           run builds them anew (without it, those that nobody used for days go when a\n"
	"           newer one is made)\n";

static int clean_one(const char *id)
{
	struct err err = { 0 };

	if (host_lab_clean(id, &err) == 0)
		return EXIT_PASS;
	log_error("%s: %s", id, err.text);
	return err.status;
}

static int for_all(int (*act)(const char *id))
{
	struct err err = { 0 };
	char **ids = host_lab_ids(&err);
	int worst = EXIT_PASS;

	if (!ids) {
		log_error("%s", err.text);
		return err.status;
	}
	for (char **id = ids; *id; id++) {
		int rc = act(*id);

		worst = rc > worst ? rc : worst;
	}
	host_ids_free(ids);
	return worst;
}

static int clean_unused(const char *id)
{
	if (!host_lab_in_use(id))
		return clean_one(id);
	log_info("%s is in use by a living run; `leakproof clean %s` removes it all the same", id,
		 id);
	return EXIT_PASS;
}

/* The exit status of what was tried, whose error is said. */
static int status_of(int rc, const struct err *err)
{
	if (rc == 0)
		return EXIT_PASS;
	log_error("%s", err->text);
	return err->status;
}

static int clean_halves(void)
{
	struct err err = { 0 };

	return status_of(host_sweep(&err), &err);
}

static int clean_cache(void)
{
	struct err err = { 0 };

	return status_of(host_cache_trim(true, &err), &err);
}

static int worse(int a, int b)
{
	return a > b ? a : b;
}

static int list_one(const char *id)
{
	return puts(id) < 0 ? EXIT_ENVIRONMENT : EXIT_PASS;
}

static int run(int argc, char **argv)
{
	int worst = EXIT_PASS;

	host_set_undo(run_undo);
	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return for_all(list_one);
	if (argc == 2 && strcmp(argv[1], "--all") == 0)
		return worse(for_all(clean_one), clean_halves());
	if (argc == 2 && strcmp(argv[1], "--cache") == 0)
		return worse(worse(for_all(clean_unused), clean_halves()), clean_cache());
	if (argc == 1)
		return worse(for_all(clean_unused), clean_halves());
	for (int i = 1; i < argc; i++)
		worst = worse(worst, clean_one(argv[i]));
	return worse(worst, clean_halves());
}

const struct command cmd_clean = {
	.name = "clean",
	.summary = "put the machine back after a run that was killed",
	.usage = usage,
	.run = run,
};
