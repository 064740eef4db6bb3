/* SPDX-License-Identifier: MIT */
/* Do something in another network namespace without leaving one's own. */
#include "capture/netns.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

struct call {
	int netns_fd;
	int (*fn)(void *arg, struct err *err);
	void *arg;
	struct err *err;
	int rc;
};

static void *enter_and_call(void *p)
{
	struct call *c = p;

	if (c->netns_fd >= 0 && setns(c->netns_fd, CLONE_NEWNET) < 0)
		c->rc = err_errno(c->err, "entering a network namespace");
	else
		c->rc = c->fn(c->arg, c->err);
	return NULL;
}

int netns_call(int netns_fd, int (*fn)(void *arg, struct err *err), void *arg, struct err *err)
{
	struct call c = { .netns_fd = netns_fd, .fn = fn, .arg = arg, .err = err };
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, enter_and_call, &c);

	if (rc != 0) {
		errno = rc;
		return err_errno(err, "thread for a network namespace");
	}
	(void)pthread_join(thread, NULL);
	return c.rc;
}
