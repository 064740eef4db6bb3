/* SPDX-License-Identifier: MIT */
/* docker-archive files, as `docker save`, skopeo and our own build write them: a tar (or tar.gz) that holds
 * manifest.json, one JSON configuration an image, and layers. */
#ifndef STACK_ARCHIVE_H
#define STACK_ARCHIVE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define ARCHIVE_LABEL_STANDIN "org.leakproof.standin"

struct archive_image {
	char digest[80];   /* "sha256:..." of the configuration: the image's id in an engine */
	char platform[40]; /* "linux/arm64", as docker pull --platform takes it; "" = not said */
	bool standin;	   /* labelled org.leakproof.standin=true */
};

struct archive {
	char *path;
	json_t *manifest; /* array; entry i belongs to images[i] */
	struct archive_image *images;
	size_t n;
};

/* Reads the manifest and the configurations. EXIT_USAGE when the file is no docker-archive. */
int archive_open(struct archive *a, const char *path, struct err *err);
void archive_close(struct archive *a);

/* Tag t of image i, NULL when there is none. */
const char *archive_tag(const struct archive *a, size_t i, size_t t);

/* Does this machine run that image? True also where the image does not say what it is made for. */
bool archive_runs_here(const struct archive_image *image);

/* What this machine runs: "linux/amd64"; "" where uname(2) says a name that is not known here. */
const char *archive_platform(void);

/* Write image i alone, with all its tags, into a docker-archive at `path`; by rename, so whole or not at all.
 * Layers must be plain files in the archive, as in those that we build. */
int archive_split(const struct archive *a, size_t i, const char *path, struct err *err);

#endif
