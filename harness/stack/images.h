/* SPDX-License-Identifier: MIT */
/* Which image each service of the reference stack gets, from where, and bringing it into the lab's engine. */
#ifndef STACK_IMAGES_H
#define STACK_IMAGES_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "host/host.h"

struct image_opts {
	const char *images_dir; /* docker-archive files of official images; NULL = none */
	bool pull;	  /* through skopeo, where neither a file nor the machine's Docker has it */
	const char *home; /* directory that holds stack/; NULL = found by host_home_dir() */
	const char *docker_socket; /* of the machine's Docker; NULL = where Docker puts it */
	void (*progress)(void *arg, const char *what); /* one short line a step; may be NULL */
	void *progress_arg;
	const volatile sig_atomic_t *cancel; /* may be NULL; non-zero ends builds and pulls */
};

/* What was chosen for one service; strings belong to the set. */
struct image_choice {
	const char *service;   /* of stack/compose.yml */
	const char *variable;  /* that the Compose file takes the image from: "GLUETUN_IMAGE" */
	const char *official;  /* reference of the official image, without a registry's name */
	const char *reference; /* what to put into the variable */
	const char *source;    /* "archive FILE", "machine's Docker", "pull", "built here" */
	const char *why;       /* one sentence for people */
	char digest[80];       /* "sha256:..." of the image's configuration (its id in an engine) */
	bool standin;	       /* a program of this project in place of the official one */
	const char *kind;      /* for people: "official", "stand-in", "Debian's" */
};

struct image_set;

/* Decide for every service, in the order of sources: archive, the machine's Docker (read only), pull, our own.
 * Builds our own images when one of them is needed and the cache lacks them (some minutes, root). A file in
 * images_dir that is no docker-archive, or that holds no image of the table, is an error (EXIT_USAGE). */
struct image_set *images_resolve(const struct image_opts *o, struct err *err);
void images_free(struct image_set *s); /* NULL allowed */

size_t images_count(const struct image_set *s); /* rows, in the order of the table */
const struct image_choice *images_get(const struct image_set *s, size_t i);

/* Put every chosen image that the host's engine lacks into it. */
int images_load(struct image_set *s, struct host *h, struct err *err);

/* Directory for lab_opts.graph: an engine's image store that holds this very set already. Made once a set, in a
 * throw-away lab (some 20 s), and cached. Owned by the caller. */
char *images_graph(struct image_set *s, struct err *err);

/* Write one docker-archive file a distinct image of ours into dir, named after it; *n (may be NULL) files. */
int images_export(const struct image_opts *o, const char *dir, size_t *n, struct err *err);

/* Do two references name the same repository, whatever their registry, tag and digest? */
bool images_same_repository(const char *a, const char *b);

#endif
