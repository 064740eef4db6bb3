/* SPDX-License-Identifier: MIT */
/* The Compose project under test: its services, where they are, up and down. */
#ifndef STACK_STACK_H
#define STACK_STACK_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "host/host.h"

enum stack_role { STACK_PROTECTED, STACK_GATEWAY, STACK_EDGE };
enum stack_health { STACK_NO_HEALTH, STACK_STARTING, STACK_HEALTHY, STACK_UNHEALTHY };
const char *stack_health_name(enum stack_health h); /* "none", "starting", "healthy", "unhealthy" */

#define STACK_NETWORKS_MAX 8
#define STACK_PORTS_MAX	   16

/* One leg of a container; "" where not known. */
struct stack_network {
	char name[64]; /* the engine's name of the network */
	char ip4[16];
	char ip6[46];
	char mac[18];
	char bridge[16]; /* interface of the bridge on the host */
	char subnet[50]; /* IPv4 prefix */
};

struct stack_port {
	char proto[5]; /* "tcp", "udp" */
	uint16_t host_port;
};

struct stack_service {
	char name[64];	     /* of the Compose service */
	char id[65];	     /* of the container */
	char container[128]; /* its name */
	char image[200];     /* reference as configured */
	char digest[80];     /* "sha256:..." of the image */
	bool host_network;   /* network_mode: host, so it has no network of its own to watch */
	pid_t pid;	     /* of its init, as the harness sees it; 0 while it does not run */
	enum stack_role role;
	enum stack_health health;
	unsigned restarts; /* by the restart policy */
	struct stack_network networks[STACK_NETWORKS_MAX];
	size_t n_networks;
	struct stack_port ports[STACK_PORTS_MAX]; /* published on the host */
	size_t n_ports;
};

struct stack;

struct stack_opts {
	const char *project;	  /* Compose project name */
	const char *const *files; /* Compose files, paths inside the host; NULL-terminated */
	const char *const *env;	  /* "K=V" for Compose; NULL-terminated, may be NULL */
	const char *env_file;	  /* for Compose's --env-file; NULL: as Compose finds it */
	/* May be NULL. Non-zero: `up` is given up; 2 and more: `down` gives nobody time to end. */
	const volatile sig_atomic_t *stop;
};

/* Reads the project with `docker compose config`, so that a mistake in it is said before anything is started. Strings of
 * opts are copied; the host must outlive the stack. */
struct stack *stack_open(struct host *h, const struct stack_opts *o, struct err *err);
void stack_close(struct stack *s); /* forgets; containers go on. NULL allowed */

/* `docker compose up -d`; with wait: until every health check says healthy. The error carries the last lines of
 * Compose and names an unhealthy service. */
int stack_up(struct stack *s, bool wait, int64_t timeout_ns, struct err *err);

/* `docker compose create`: networks and containers are there, and nothing runs. */
int stack_create(struct stack *s, int64_t timeout_ns, struct err *err);

/* `docker compose down` with orphans, and with the volumes that the project made. Volumes with a name of their own
 * are not the project's alone: on a real host they stay. */
int stack_down(struct stack *s, int64_t timeout_ns, struct err *err);

/* `docker compose ARGS...` of this project, e.g. up -d --force-recreate gluetun. args is NULL-terminated. */
int stack_compose(struct stack *s, const char *const *args, int64_t timeout_ns, struct err *err);

/* Ask the engine anew. Pointers that were handed out before become invalid. */
int stack_refresh(struct stack *s, struct err *err);

/* As of the last refresh; containers of the project in the order of their services' names. */
const struct stack_service *stack_services(const struct stack *s, size_t *n);
const struct stack_service *stack_service(const struct stack *s, const char *name); /* NULL: none */
const struct stack_service *stack_gateway(const struct stack *s);		    /* NULL: none */

/* Host port that a service publishes first, as configured; 0 = none. */
unsigned stack_published_port(const struct stack *s, const char *service);

/* Names of the bridges of the project's networks; NULL-terminated. Before `up` those that the Compose file gives
 * names to; the others are known once the networks are there: ask stack_find_bridges(). */
const char *const *stack_bridges(const struct stack *s);
bool stack_bridges_known(const struct stack *s); /* the Compose file names them all */
int stack_find_bridges(struct stack *s, struct err *err);

const char *stack_project(const struct stack *s);
struct host *stack_host(const struct stack *s);

/* Path of the engine's list ("/networks") of what carries the label of a project. Caller frees. */
char *stack_list_path(const char *what, const char *project);

/* Remove all containers, networks and volumes that carry the label of a project, by the engine alone: after a run
 * that was killed there may be no Compose file any more. Volumes with a name of their own stay. */
int stack_sweep(struct host *h, const char *project, struct err *err);

#endif
