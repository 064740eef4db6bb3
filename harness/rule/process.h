/* SPDX-License-Identifier: MIT */
/* Process isolation: judged from what /proc said (journal facts), not from packets. */
#ifndef RULE_PROCESS_H
#define RULE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum process_ns {
	PROCESS_NS_PID,
	PROCESS_NS_MNT,
	PROCESS_NS_NET,
	PROCESS_NS_IPC,
	PROCESS_NS_UTS,
	N_PROCESS_NS
};

/* One process found in a container's cgroup or in its network namespace. */
struct process_obs {
	const char *service;
	const char *comm;
	int host_pid;
	int init_pid;			/* the container's init, as the host numbers it; 0: gone */
	uint64_t ns[N_PROCESS_NS];	/* inode of /proc/PID/ns/X; 0: could not be read */
	uint64_t init_ns[N_PROCESS_NS]; /* the same of the container's init */
	uint64_t host_ns[N_PROCESS_NS]; /* the same of the host's init */
	/* The chain of parents reaches init_pid, or the parent of init_pid (the shim): commands run by
	 * `docker exec` and health checks are children of the shim. False: re-parented elsewhere. */
	bool descends_from_init;
};

enum process_verdict {
	PROCESS_OK,
	PROCESS_UNKNOWN, /* init is gone or an inode could not be read: nothing can be said */
	PROCESS_ESCAPED,
};

/* Judge one; for PROCESS_ESCAPED and PROCESS_UNKNOWN a sentence for people is written to text. */
enum process_verdict process_judge(const struct process_obs *o, char *text, size_t size);

#endif
