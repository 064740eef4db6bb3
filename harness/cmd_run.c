// SPDX-License-Identifier: MIT
/* leakproof run: play scenarios and judge them. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/log.h"
#include "command.h"
#include "engine/run.h"
#include "engine/vocab.h"
#include "host/host.h"

#define FILES_MAX 8

static const char usage[] =
	"usage: leakproof run [OPTION]... [NAME | tag:TAG]...\n\n"
	"Plays scenarios and judges what the taps saw. Without a NAME: every scenario of the "
	"folder.\n\n"
	"  --scenarios PATH   folder or file (default: the shipped scenarios)\n"
	"  --host lab|real    where the stack runs: the closed lab (default), or this machine\n"
	"  --lab ID           use a lab that is up (`leakproof lab up`) and leave it running\n"
	"  --keep             leave the fresh lab running at the end\n"
	"  --images DIR       archives of official images (docker save); they replace the "
	"stand-ins\n"
	"  --pull             pull what no archive gives, where a registry can be reached\n"
	"  --file COMPOSE     real host: Compose file of your stack; may be given several times\n"
	"  --tunnel P:A:PORT  real host: the VPN server's endpoint, for example "
	"udp:198.51.100.2:51820\n"
	"  --i-mean-it        real host: allow faults that reach beyond the project's containers\n"
	"  --reports DIR      (default: reports)      --captures DIR  (default: captures)\n"
	"  --quiet            no progress, only the summary\n\n"
	"exit status: 0 pass, 1 leak or broken promise, 2 usage or bad scenario, 3 environment,\n"
	"4 inconclusive. Ctrl-C undoes faults and takes everything down; `leakproof clean` does so "
	"after\n"
	"kill -9.\n";

struct args {
	struct run_opts o;
	const char *scenarios;
	const char *files[FILES_MAX + 1];
	size_t n_files;
};

enum {
	OPT_SCENARIOS = 256,
	OPT_HOST,
	OPT_LAB,
	OPT_KEEP,
	OPT_IMAGES,
	OPT_PULL,
	OPT_FILE,
	OPT_TUNNEL,
	OPT_MEAN,
	OPT_REPORTS,
	OPT_CAPTURES,
	OPT_QUIET
};

static const struct option options[] = {
	{ "scenarios", required_argument, NULL, OPT_SCENARIOS },
	{ "host", required_argument, NULL, OPT_HOST },
	{ "lab", required_argument, NULL, OPT_LAB },
	{ "keep", no_argument, NULL, OPT_KEEP },
	{ "images", required_argument, NULL, OPT_IMAGES },
	{ "pull", no_argument, NULL, OPT_PULL },
	{ "file", required_argument, NULL, OPT_FILE },
	{ "tunnel", required_argument, NULL, OPT_TUNNEL },
	{ "i-mean-it", no_argument, NULL, OPT_MEAN },
	{ "reports", required_argument, NULL, OPT_REPORTS },
	{ "captures", required_argument, NULL, OPT_CAPTURES },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ NULL, 0, NULL, 0 },
};

static int take_host(struct args *a, const char *word, struct err *err)
{
	a->o.real = strcmp(word, "real") == 0;
	if (a->o.real || strcmp(word, "lab") == 0)
		return 0;
	return err_set(err, EXIT_USAGE, "--host %s: `lab` or `real` is wanted", word);
}

static int take_option(struct args *a, int c, struct err *err)
{
	switch (c) {
	case OPT_SCENARIOS:
		a->scenarios = optarg;
		return 0;
	case OPT_HOST:
		return take_host(a, optarg, err);
	case OPT_LAB:
		a->o.lab = optarg;
		return 0;
	case OPT_KEEP:
		a->o.keep = true;
		return 0;
	case OPT_IMAGES:
		a->o.images_dir = optarg;
		return 0;
	case OPT_PULL:
		a->o.pull = true;
		return 0;
	case OPT_FILE:
		if (a->n_files == FILES_MAX)
			return err_set(err, EXIT_USAGE, "at most %d --file", FILES_MAX);
		a->files[a->n_files++] = optarg;
		a->o.files = a->files;
		return 0;
	case OPT_TUNNEL:
		a->o.tunnel = optarg;
		return 0;
	case OPT_MEAN:
		a->o.i_mean_it = true;
		return 0;
	case OPT_REPORTS:
		a->o.reports = optarg;
		return 0;
	case OPT_CAPTURES:
		a->o.captures = optarg;
		return 0;
	case OPT_QUIET:
		a->o.quiet = true;
		return 0;
	default:
		return err_set(err, EXIT_USAGE, "`leakproof run --help` lists the options");
	}
}

static int parse(int argc, char **argv, struct args *a, struct err *err)
{
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (take_option(a, c, err) < 0)
			return -1;
	return 0;
}

static int load(const struct args *a, const char *home, int argc, char **argv,
		struct scenario_set *set, struct err *err)
{
	_cleanup_free_ char *shipped = str_fmt("%s/scenarios", home);
	struct diag d = { 0 };
	int rc = scenario_load_path(a->scenarios ? a->scenarios : shipped, engine_vocab(), set, &d,
				    err);

	if (d.n)
		diag_print(&d, stderr, term_has_colour(stderr));
	diag_free(&d);
	if (rc < 0)
		return -1;
	return scenario_select(set, (const char *const *)argv + optind, (size_t)(argc - optind),
			       err);
}

static int fail(const struct err *err)
{
	log_error("%s", err->text);
	return err->status ? err->status : EXIT_ENVIRONMENT;
}

static int run(int argc, char **argv)
{
	struct args a = { .o = { .reports = "reports", .captures = "captures" } };
	struct scenario_set set = { 0 };
	struct err err = { 0 };
	_cleanup_free_ char *home = NULL;
	int status = EXIT_ENVIRONMENT;

	if (parse(argc, argv, &a, &err) < 0)
		return fail(&err);
	home = host_home_dir(&err);
	if (!home)
		return fail(&err);
	a.o.home = home;
	if (load(&a, home, argc, argv, &set, &err) < 0) {
		scenario_set_free(&set);
		return fail(&err);
	}
	if (run_set(&a.o, &set, &status, &err) < 0)
		status = fail(&err);
	scenario_set_free(&set);
	return status;
}

const struct command cmd_run = {
	.name = "run",
	.summary = "play scenarios in the lab or on this machine, and judge them",
	.usage = usage,
	.run = run,
};
