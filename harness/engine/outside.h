/* SPDX-License-Identifier: MIT */
/* What lies outside of the stack and is asked by it: the lab's internet has all of it, on a real host the user says
 * what may be used. */
#ifndef ENGINE_OUTSIDE_H
#define ENGINE_OUTSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "host/host.h"
#include "scenario/scenario.h"

/* As the user gave it; NULL: not given. */
struct outside_opts {
	const char *what_is_my_ip; /* URL of a service that answers with the asker's address */
	const char *exit_address;  /* that it must see for a protected service */
	const char *sink;	/* "ADDRESS" or "ADDRESS:PORT" for probes without a destination */
	const char *public_dns; /* resolver for dns-public */
	const char *torrent;	/* .torrent file of the download */
};

struct outside {
	char *what_is_my_ip; /* NULL: nobody can be asked */
	char *exit_address;  /* NULL: any that is not one of the real addresses */
	char *sink;	     /* numeric; NULL: the probes' own, an address of the lab */
	uint16_t sink_port;  /* 0: the probe's own */
	char *public_dns;    /* numeric; NULL: as sink */
	char *torrent;	     /* NULL: there is no download */
	/* the file that it makes, and its hash where it is known in advance; NULL: not known */
	char *file, *sha256;
};

/* Are the options what they have to be? Asked before there is a host. -1 with the one that is not (EXIT_USAGE). */
int outside_options(const struct outside_opts *o, struct err *err);

/* What the host offers, then what the user says. -1 for what cannot be (EXIT_USAGE). */
int outside_fill(struct outside *x, const struct outside_opts *o, const struct host *h,
		 struct err *err);
void outside_clear(struct outside *x);

/* Can every scenario of the set be played on this host? Asked before anything is started. -1 with the option that
 * is missing, or that allows what was asked for (EXIT_USAGE). */
int outside_check(const struct outside *x, const struct scenario_set *set, struct host *h,
		  bool i_mean_it, struct err *err);

/* Is it one of the host's real addresses? */
bool outside_is_real(const struct host *h, const char *address);

/* The first word of an answer of a what-is-my-IP service, when it is an address; NULL otherwise. Caller frees. */
char *outside_address(const char *body);

#endif
