/* SPDX-License-Identifier: MIT */
/* The few calls to a Docker Engine's socket that move whole images: streams, not JSON as in host/engine_api.h. */
#ifndef STACK_IMAGES_DOCKER_H
#define STACK_IMAGES_DOCKER_H

#include <jansson.h>

#include "base/err.h"

#define DOCKER_SOCKET "/var/run/docker.sock"

/* Images of the engine behind a socket (GET /images/json); NULL when nobody answers there: no error, just none. */
json_t *docker_images(const char *socket);

/* Id ("sha256:...") that a reference has in that engine, to be freed; NULL when it has none. */
char *docker_image_id(const char *socket, const char *reference);

/* GET /images/REFERENCE/get into a file; by rename. */
int docker_save(const char *socket, const char *reference, const char *path, struct err *err);

/* POST /images/load of a docker-archive file. */
int docker_load(const char *socket, const char *path, struct err *err);

#endif
