/* SPDX-License-Identifier: MIT */
/* The Docker Engine HTTP API over the unix socket; unversioned paths, which every engine answers as its own. */
#ifndef HOST_ENGINE_API_H
#define HOST_ENGINE_API_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "host/host.h"

/* GET; path without version ("/containers/json?all=1"). A new reference, NULL on error: no connection, time-out
 * (10 s), a status >= 400 (the engine's own message is in the error), or a body that is not JSON. */
json_t *engine_get(const struct host *h, const char *path, struct err *err);

/* Like engine_get; returns NULL without an error in *err (status 0) when the engine says 404. */
json_t *engine_find(const struct host *h, const char *path, struct err *err);

/* POST; body may be NULL. The answer, or JSON null when it is empty (new reference). *http_status (may be
 * NULL) is the status when there was an answer, else 0. A status >= 400 is an error. Time-out 60 s. */
json_t *engine_post(const struct host *h, const char *path, json_t *body, long *http_status,
		    struct err *err);

int engine_delete(const struct host *h, const char *path, long *http_status, struct err *err);

/* Pid of a container's init in the machine's pid namespace (what /proc shows to the harness), -1 on error or
 * when it does not run: the engine's own number is of the virtual host's namespace, and 0 between two lives. */
pid_t engine_container_pid(const struct host *h, const char *name, struct err *err);

#endif
