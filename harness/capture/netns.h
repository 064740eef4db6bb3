/* SPDX-License-Identifier: MIT */
/* Do something in another network namespace without leaving one's own. */
#ifndef CAPTURE_NETNS_H
#define CAPTURE_NETNS_H

#include "base/err.h"

/* Run fn(arg, err) in a short-lived thread that has entered the namespace netns_fd (-1 = the caller's) and
 * return what it returned. Sockets that it opens stay in that namespace wherever they are used. */
int netns_call(int netns_fd, int (*fn)(void *arg, struct err *err), void *arg, struct err *err);

#endif
