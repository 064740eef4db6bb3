/* SPDX-License-Identifier: MIT */
/* Throw-away network namespaces for tests: held by a descriptor alone, so nothing can be left behind. */
#ifndef TESTS_UNIT_NETNS_H
#define TESTS_UNIT_NETNS_H

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/proc.h"
#include "capture/netns.h"

static inline int ns_unshare(void *arg, struct err *err)
{
	int *fd = arg;

	if (unshare(CLONE_NEWNET) < 0)
		return err_errno(err, "unshare");
	/* No router solicitations and the like: the tests count packets. */
	if (fs_exists("/proc/sys/net/ipv6/conf/default/disable_ipv6"))
		(void)fs_poke("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1", NULL);
	*fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	return *fd < 0 ? err_errno(err, "namespace") : 0;
}

/* A new namespace with lo down; -1 without the right to make one. */
static inline int ns_new(void)
{
	int fd = -1;

	return netns_call(-1, ns_unshare, &fd, NULL) < 0 ? -1 : fd;
}

/* Run the blank-separated words in the namespace. */
static inline int ns_run(int fd, const char *words)
{
	const char *argv[32];
	char *copy = strdup(words), *save = NULL;
	const struct proc_opts o = { .netns_fd = fd };
	struct err err = { 0 };
	size_t n = 0;
	int rc;

	for (char *w = strtok_r(copy, " ", &save); w && n < 31; w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	argv[n] = NULL;
	rc = proc_check(argv, &o, &err);
	if (rc < 0)
		(void)fprintf(stderr, "%s\n", err.text);
	free(copy);
	return rc;
}

/* veth "va" (10.9.0.1/24) in a and "vb" (10.9.0.2/24) in b, both up, neighbours known, no ARP to come. */
static inline int ns_veth(int a, int b)
{
	char cmd[160];

	(void)snprintf(cmd, sizeof(cmd),
		       "ip link add va address 02:00:00:00:00:0a type veth peer "
		       "name vb address 02:00:00:00:00:0b netns /proc/%d/fd/%d",
		       (int)getpid(), b);
	if (ns_run(a, cmd) < 0)
		return -1;
	return ns_run(a, "ip addr add 10.9.0.1/24 dev va") || ns_run(a, "ip link set va up") ||
			       ns_run(b, "ip addr add 10.9.0.2/24 dev vb") ||
			       ns_run(b, "ip link set vb up") ||
			       ns_run(a, "ip neigh replace 10.9.0.2 lladdr 02:00:00:00:00:0b dev "
					 "va") ||
			       ns_run(b,
				      "ip neigh replace 10.9.0.1 lladdr 02:00:00:00:00:0a dev vb")
		       ? -1
		       : 0;
}

#endif
