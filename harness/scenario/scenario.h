/* SPDX-License-Identifier: MIT */
/* A scenario: what to start, what to break, what must hold. Loaded and checked whole, const afterwards.
 * All durations are nanoseconds. Strings and arrays belong to the scenario and live until scenario_free(). */
#ifndef SCENARIO_SCENARIO_H
#define SCENARIO_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "scenario/kind.h"
#include "yaml/diag.h"
#include "yaml/value.h"

/* What the loader may find after `fault:` and `start:`; both NULL-terminated. engine_vocab() (engine/vocab.h)
 * gives them; scenario/ knows neither. A kind without fields takes the common keys of its step only. */
struct vocab {
	const struct kind *const *faults;
	const struct kind *const *probes;
};

/* ---- conditions of `wait:` ---- */

#define CONDITION_TABLE(X)                                                                      \
	X(STACK_HEALTHY, "stack-healthy", "every service with a health check says healthy")     \
	X(GATEWAY_HEALTHY, "gateway-healthy", "the gateway's own health check says healthy")    \
	X(TUNNEL_TRAFFIC, "tunnel-traffic",                                                     \
	  "every probe of the service was answered since, and packets were seen in the tunnel") \
	X(DOWNLOAD_PROGRESS, "download-progress", "the download has `percent` of its bytes")    \
	X(DOWNLOAD_COMPLETE, "download-complete", "the download is whole")                      \
	X(APP_CUT_OFF, "app-cut-off", "no probe of the service is answered any more")           \
	X(RECOVERED, "recovered",                                                               \
	  "after the last fault or heal: every probe is answered again, through the tunnel")

#define X(id, name, help) CONDITION_##id,
enum condition { CONDITION_TABLE(X) CONDITION_COUNT };
#undef X

/* ---- checks of `check:` ---- */

#define CHECK_TABLE(X)                                                                            \
	X(PROCESS_ISOLATION, "process-isolation",                                                 \
	  "every process of a protected container is in its namespaces and below its init")       \
	X(EXIT_ADDRESS, "exit-address",                                                           \
	  "the what-is-my-IP service sees the VPN server's address for every protected service")  \
	X(WEB_UI, "web-ui", "the web-ui answers for every application from the uplink side")      \
	X(DOWNLOAD_HASH, "download-hash", "the downloaded file has the seeder's hash")            \
	X(APPS_NOT_RESTARTED, "apps-not-restarted",                                               \
	  "no protected service but the faults' own targets started anew since the stack was up") \
	X(SINGLE_NETWORK, "single-network", "every protected service is on exactly one network")  \
	X(NOTHING_LEFT, "nothing-left",                                                           \
	  "after `down` no container, network, process or interface of the project is left")

#define X(id, name, help) CHECK_##id,
enum check_id { CHECK_TABLE(X) CHECK_COUNT };
#undef X

/* ---- steps ---- */

#define STEP_TABLE(X)       \
	X(UP, up)           \
	X(DOWN, down)       \
	X(START, start)     \
	X(STOP, stop)       \
	X(WAIT, wait)       \
	X(OBSERVE, observe) \
	X(FAULT, fault)     \
	X(HEAL, heal)       \
	X(CHECK, check)

#define X(id, verb) STEP_##id,
enum step_id { STEP_TABLE(X) STEP_COUNT };
#undef X

struct step_up {
	bool healthy; /* wait until every health check is healthy; false: until compose returned */
	int64_t timeout_ns;
};

struct step_down {
	int64_t timeout_ns;
};

enum bind_to { BIND_NONE, BIND_INTERFACE };

struct step_start {
	char *probe;		 /* name of the kind */
	const struct kind *kind; /* of vocab.probes */
	void *params;	   /* its own struct of kind->params_size bytes; NULL without fields */
	char *label;	   /* default: the probe's name; unique among what runs */
	char *service;	   /* in whose network namespace */
	int64_t rate;	   /* per second, on a clock */
	enum bind_to bind; /* INTERFACE: SO_BINDTODEVICE to the container's Ethernet interface */
	char *to;	   /* numeric destination; NULL: the probe's own */
	int64_t port;	   /* 0: the probe's own */
};

struct step_stop {
	char *label; /* of a `start` before it */
};

struct step_wait {
	enum condition condition;
	int64_t timeout_ns; /* not met by then: the scenario's promise is broken */
	char *service;	    /* NULL: every service a probe runs in */
	int64_t percent;    /* DOWNLOAD_PROGRESS */
};

struct step_observe {
	int64_t duration_ns;
};

struct step_fault {
	char *name;		 /* "vpn.process-kill" */
	const struct kind *kind; /* of vocab.faults; fault_find(name) is the fault itself */
	void *params;	    /* the fault's own struct, filled from its rows; NULL without rows */
	char *label;	    /* default: name */
	int64_t hold_ns;    /* > 0: heal after so long; 0: no heal before a `heal:` or the end */
	int64_t confirm_ns; /* the fault is not confirmed after so long: inconclusive */
};

struct step_heal {
	char *label; /* of a `fault` before it */
};

struct step_check {
	enum check_id check;
};

struct step {
	enum step_id id;
	unsigned line, column; /* in scenario.file, from 1 */
	union {
		struct step_up up;
		struct step_down down;
		struct step_start start;
		struct step_stop stop;
		struct step_wait wait;
		struct step_observe observe;
		struct step_fault fault;
		struct step_heal heal;
		struct step_check check;
	} u;
};

/* ---- the whole ---- */

enum leaks_expected { LEAKS_NONE, LEAKS_MUST };

struct expect {
	enum leaks_expected leaks; /* MUST: a control, which proves that the watch sees */
	int64_t kill_switch_ns; /* bound of the time from a fault to the last leaked packet; 0 = none */
	int64_t recovery_ns; /* bound from the fault (with `hold`: from its heal) to `recovered`; 0 = none */
};

struct scenario {
	char *file;
	unsigned line; /* of `name:` */
	char *name, *summary;
	struct strlist tags;
	char *stack;	/* "reference", "leaky/start-window", "leaky/old-architecture", or a path */
	int64_t repeat; /* times to run it, >= 1 */
	bool implicit_up;   /* no `up` step: bring the stack up, healthy, before the first step */
	bool implicit_down; /* no `down` step: take it down after the last */
	struct step *steps;
	size_t n_steps;
	struct expect expect;
	struct arena *mem; /* owns all of the above */
};

struct scenario_set {
	struct scenario **items; /* in the order of the file names */
	size_t n;
};

/* Load one file. On mistakes in it: -1, *d says them all (caller frees with diag_free), *err the first. */
int scenario_load(const char *path, const struct vocab *v, struct scenario **out, struct diag *d,
		  struct err *err);

/* Load a file, or every *.yaml and *.yml of a directory (a directory without any is an error, and so are
 * two scenarios of one name). Goes on after a bad file so that *d has the mistakes of all; then -1. */
int scenario_load_path(const char *path, const struct vocab *v, struct scenario_set *set,
		       struct diag *d, struct err *err);
int scenario_load_dir(const char *path, const struct vocab *v, struct scenario_set *set,
		      struct diag *d, struct err *err);

/* The same from memory; `file` is what messages call it. */
int scenario_parse(const char *file, const char *text, size_t len, const struct vocab *v,
		   struct scenario **out, struct diag *d, struct err *err);

void scenario_free(struct scenario *s); /* NULL allowed */
void scenario_set_free(struct scenario_set *set);

/* Keep what a selector names: a scenario, or "tag:NAME"; several are a union, none keeps all. A selector that
 * names nothing is an error with the nearest word. Dropped scenarios are freed. */
int scenario_select(struct scenario_set *set, const char *const *selectors, size_t n,
		    struct err *err);

/* The stacks that `stack:` may name without a path; NULL-terminated. */
const char *const *scenario_stack_names(void);

const char *condition_name(enum condition c);
const char *condition_help(enum condition c);
const char *check_name(enum check_id c);
const char *check_help(enum check_id c);
const char *step_verb(enum step_id id);

/* One line for people: "fault vpn.process-kill, hold 5 s"; the caller frees. */
char *step_describe(const struct step *s);

/* How long the steps last at the least and, with every time-out used up, at the most. */
void scenario_bounds(const struct scenario *s, int64_t *least, int64_t *most);

/* The YAML reference of all keys, steps, faults and probes as Markdown (docs/scenario-reference.md). */
void scenario_reference(FILE *f, const struct vocab *v);

#endif
