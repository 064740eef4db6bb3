// SPDX-License-Identifier: MIT
/* leakproof images: what each service of the stack would run, from where and why; and a copy of our own images. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "command.h"
#include "stack/images.h"

static const char usage[] =
	"usage: leakproof images [--images DIR] [--pull] [--json]\n"
	"       leakproof images --export DIR\n\n"
	"Which image every service of the reference stack gets, from where and why. The sources "
	"in\n"
	"their order: an archive that is given, the machine's own Docker (read only), a pull, and\n"
	"images made here from Debian's packages and stand-in programs.\n\n"
	"  --images DIR  docker-archive files (docker save, skopeo), found by their official "
	"names\n"
	"  --pull        pull what is not found in an archive or in the machine's Docker\n"
	"  --export DIR  write our own images into DIR, one docker-archive file each\n"
	"  --json        print for machines\n\n"
	"The first use builds our images: some minutes, root, once.\n";

struct images_args {
	struct image_opts o;
	const char *export_dir;
	bool json;
};

static void progress(void *arg, const char *what)
{
	(void)arg;
	log_info("%s", what);
}

static int parse(int argc, char **argv, struct images_args *a, struct err *err)
{
	static const struct option options[] = { { "images", required_argument, NULL, 'i' },
						 { "pull", no_argument, NULL, 'p' },
						 { "export", required_argument, NULL, 'e' },
						 { "json", no_argument, NULL, 'j' },
						 { NULL, 0, NULL, 0 } };
	int c;

	*a = (struct images_args){ .o = { .progress = progress } };
	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'i')
			a->o.images_dir = optarg;
		else if (c == 'p')
			a->o.pull = true;
		else if (c == 'e')
			a->export_dir = optarg;
		else if (c == 'j')
			a->json = true;
		else
			return err_set(err, EXIT_USAGE,
				       "images: `%s` is no option, or lacks its value",
				       argv[optind - 1]);
	}
	if (optind < argc)
		return err_set(err, EXIT_USAGE, "images: `%s` is not expected here", argv[optind]);
	if (a->export_dir && (a->o.images_dir || a->o.pull))
		return err_set(err, EXIT_USAGE,
			       "images: --export writes our own images; --images and "
			       "--pull have no part in it");
	return 0;
}

static void print_text(const struct image_set *s)
{
	for (size_t i = 0; i < images_count(s); i++) {
		const struct image_choice *c = images_get(s, i);

		printf("%-13s %-40s %s\n", c->service, c->reference, c->kind);
		printf("%-13s %s\n", "", c->digest);
		printf("%-13s from: %s (%s)\n", "", c->source, c->why);
	}
}

static void print_json(const struct image_set *s)
{
	_cleanup_json_ json_t *list = json_array();

	for (size_t i = 0; i < images_count(s); i++) {
		const struct image_choice *c = images_get(s, i);

		(void)json_array_append_new(
			list, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b}", "service", c->service,
					"variable", c->variable, "official", c->official,
					"reference", c->reference, "digest", c->digest, "source",
					c->source, "why", c->why, "standin", c->standin));
	}
	(void)json_dumpf(list, stdout, JSON_INDENT(2));
	(void)putchar('\n');
}

static void print_export(const char *dir, size_t n)
{
	_cleanup_json_ json_t *o = json_pack("{s:s,s:I}", "directory", dir, "files", (json_int_t)n);

	(void)json_dumpf(o, stdout, 0);
	(void)putchar('\n');
}

static int export(const struct images_args *a, struct err *err)
{
	size_t n = 0;

	if (images_export(&a->o, a->export_dir, &n, err) < 0)
		return -1;
	if (a->json)
		print_export(a->export_dir, n);
	else
		printf("%zu images written to %s\n", n, a->export_dir);
	return 0;
}

static int show(const struct images_args *a, struct err *err)
{
	struct image_set *s = images_resolve(&a->o, err);

	if (!s)
		return -1;
	if (a->json)
		print_json(s);
	else
		print_text(s);
	images_free(s);
	return 0;
}

static int run(int argc, char **argv)
{
	struct err err = { 0 };
	struct images_args a;
	int rc = parse(argc, argv, &a, &err);

	if (rc == 0)
		rc = a.export_dir ? export(&a, &err) : show(&a, &err);
	if (rc == 0)
		return EXIT_PASS;
	log_error("%s", err.text);
	return err.status ? err.status : EXIT_ENVIRONMENT;
}

const struct command cmd_images = { .name = "images",
				    .summary = "which image every service gets, from where and why",
				    .usage = usage,
				    .run = run };
