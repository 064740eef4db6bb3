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

#define LIST_MAX 8 /* times that an option may be given */

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
	"  --reports DIR      (default: reports)      --captures DIR  (default: captures)\n"
	"  --whole-frames     keep frames inside the stack whole, not what is judged of them "
	"alone\n"
	"                     (hundreds of MB a download)\n"
	"  --quiet            no progress, only the summary\n\n"
	"on a real host (--host real):\n"
	"  --tunnel P:A:PORT  the VPN server's endpoint, for example udp:198.51.100.2:51820\n"
	"  --file COMPOSE     Compose file of your stack; may be given several times\n"
	"  --env-file FILE    settings for Compose (default: .env beside the Compose file)\n"
	"  --what-is-my-ip URL\n"
	"                     a service that answers with the asker's address. This machine asks\n"
	"                     first, and what it hears is an address that must not get out; then\n"
	"                     every protected service asks\n"
	"  --exit-address A   the address that it must see for them (default: any that is not one\n"
	"                     of this machine's)\n"
	"  --real-address A   another address that must not get out; may be given several times\n"
	"  --sink A[:PORT]    a machine of yours that probes may send to (it sees nothing but "
	"canaries)\n"
	"  --public-dns A     a resolver that dns-public may ask\n"
	"  --torrent FILE     the torrent for `start: download`\n"
	"  --i-mean-it        allow what reaches beyond the project's containers (the firewall of\n"
	"                     this machine), and controls that leak on purpose\n\n"
	"The project is called leakproof-run there; volumes with a name of their own are not "
	"touched.\n\n"
	"exit status: 0 pass, 1 leak or broken promise, 2 usage or bad scenario, 3 environment,\n"
	"4 inconclusive or interrupted. Ctrl-C undoes faults and takes everything down, a second "
	"one\n"
	"in a hurry; `leakproof clean` does so after kill -9.\n";

struct list {
	const char *items[LIST_MAX + 1];
	size_t n;
};

struct args {
	struct run_opts o;
	const char *scenarios;
	struct list files, real_addrs;
};

enum {
	OPT_SCENARIOS = 256,
	OPT_HOST,
	OPT_LAB,
	OPT_KEEP,
	OPT_IMAGES,
	OPT_PULL,
	OPT_FILE,
	OPT_ENV_FILE,
	OPT_TUNNEL,
	OPT_WHAT_IS_MY_IP,
	OPT_EXIT_ADDRESS,
	OPT_REAL_ADDRESS,
	OPT_SINK,
	OPT_PUBLIC_DNS,
	OPT_TORRENT,
	OPT_MEAN,
	OPT_REPORTS,
	OPT_CAPTURES,
	OPT_WHOLE_FRAMES,
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
	{ "env-file", required_argument, NULL, OPT_ENV_FILE },
	{ "tunnel", required_argument, NULL, OPT_TUNNEL },
	{ "what-is-my-ip", required_argument, NULL, OPT_WHAT_IS_MY_IP },
	{ "exit-address", required_argument, NULL, OPT_EXIT_ADDRESS },
	{ "real-address", required_argument, NULL, OPT_REAL_ADDRESS },
	{ "sink", required_argument, NULL, OPT_SINK },
	{ "public-dns", required_argument, NULL, OPT_PUBLIC_DNS },
	{ "torrent", required_argument, NULL, OPT_TORRENT },
	{ "i-mean-it", no_argument, NULL, OPT_MEAN },
	{ "reports", required_argument, NULL, OPT_REPORTS },
	{ "captures", required_argument, NULL, OPT_CAPTURES },
	{ "whole-frames", no_argument, NULL, OPT_WHOLE_FRAMES },
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

static int take_item(struct list *l, const char *option, const char *const **out, struct err *err)
{
	if (l->n == LIST_MAX)
		return err_set(err, EXIT_USAGE, "at most %d times %s", LIST_MAX, option);
	l->items[l->n++] = optarg;
	*out = l->items;
	return 0;
}

/* Where the word of an option goes that is one word and no more; NULL: it is another one. */
static const char **word_of(struct args *a, int c)
{
	switch (c) {
	case OPT_SCENARIOS:
		return &a->scenarios;
	case OPT_LAB:
		return &a->o.lab;
	case OPT_IMAGES:
		return &a->o.images_dir;
	case OPT_ENV_FILE:
		return &a->o.env_file;
	case OPT_TUNNEL:
		return &a->o.tunnel;
	case OPT_WHAT_IS_MY_IP:
		return &a->o.outside.what_is_my_ip;
	case OPT_EXIT_ADDRESS:
		return &a->o.outside.exit_address;
	case OPT_SINK:
		return &a->o.outside.sink;
	case OPT_PUBLIC_DNS:
		return &a->o.outside.public_dns;
	case OPT_TORRENT:
		return &a->o.outside.torrent;
	case OPT_REPORTS:
		return &a->o.reports;
	case OPT_CAPTURES:
		return &a->o.captures;
	default:
		return NULL;
	}
}

static int take_option(struct args *a, int c, struct err *err)
{
	const char **word = word_of(a, c);

	if (word) {
		*word = optarg;
		return 0;
	}
	switch (c) {
	case OPT_HOST:
		return take_host(a, optarg, err);
	case OPT_FILE:
		return take_item(&a->files, "--file", &a->o.files, err);
	case OPT_REAL_ADDRESS:
		return take_item(&a->real_addrs, "--real-address", &a->o.real_addrs, err);
	case OPT_KEEP:
		a->o.keep = true;
		return 0;
	case OPT_PULL:
		a->o.pull = true;
		return 0;
	case OPT_MEAN:
		a->o.i_mean_it = true;
		return 0;
	case OPT_WHOLE_FRAMES:
		a->o.whole_frames = true;
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
