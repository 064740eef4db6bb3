/* SPDX-License-Identifier: MIT */
/* What happens to one interface, by rtnetlink: libpcap reports neither down nor up nor gone. */
#ifndef CAPTURE_LINKWATCH_H
#define CAPTURE_LINKWATCH_H

#include <stdbool.h>

#include "base/err.h"

struct linkwatch;

/* Opened in the calling thread's namespace. */
struct linkwatch *linkwatch_open(const char *ifname, struct err *err);
void linkwatch_close(struct linkwatch *w); /* NULL allowed */
int linkwatch_fd(
	const struct linkwatch *w); /* readable when linkwatch_read() has something to do */

struct linkwatch_state {
	bool exists;
	bool up;	/* IFF_UP */
	bool running;	/* IFF_LOWER_UP: there is a carrier */
	int ifindex;	/* 0 when it does not exist */
	unsigned downs; /* times that it stopped to be up and running since the watch began */
};

/* Read what came (never blocks) and give the state. -1 when messages were lost: what happened in between
 * is unknown, and the state is what it is now. */
int linkwatch_read(struct linkwatch *w, struct linkwatch_state *s, struct err *err);

#endif
