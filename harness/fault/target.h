/* SPDX-License-Identifier: MIT */
/* The processes and namespaces that faults act on, named so that a later process cannot mistake them. */
#ifndef FAULT_TARGET_H
#define FAULT_TARGET_H

#include <jansson.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/proc.h"
#include "fault/fault.h"

/* Pid of the init of a service's container, as this process sees it. -1 when it does not run. */
pid_t target_service_pid(const struct fault_ctx *c, const char *service, struct err *err);

/* The same of the gateway: the service of that name, or with NULL the stack's gateway by its role, whose name
 * then is in *name. */
pid_t target_gateway_pid(const struct fault_ctx *c, const char **name, struct err *err);

/* A process of the pid namespace of `init` whose name begins with one of `names`, tried in that order; 0 when
 * there is none. `comm` needs 16 bytes (TASK_COMM_LEN of the kernel). */
pid_t target_find_process(pid_t init, const char *const *names, char comm[16]);

/* Hold a process by pidfd and note pid, start time and name in the record ("pids"). Pids 0 and 1 are refused. */
int target_hold(struct fault_active *a, pid_t pid, struct err *err);

/* SIGKILL to all that are held. */
int target_kill(struct fault_active *a, struct err *err);

/* All that are held are gone: FAULT_SEEN, and the confirmation says so. */
int target_gone(struct fault_active *a, struct err *err);

/* {"pid":..,"start":..}: the network namespace of that process; a new reference, NULL when it is gone. */
json_t *target_netns(pid_t pid, struct err *err);

/* Open the namespace again. -1 without an error set (status 0) when the process is gone, and with it, as a
 * fault can matter no more, the namespace; -1 with an error otherwise. */
int target_netns_open(const json_t *netns, struct err *err);

/* Run argv in that namespace and collect what it says. 0 when it ran (its exit status is in r), 1 when the process
 * is gone, and with it the namespace, -1 on error. */
int target_run(const json_t *netns, const char *const argv[], const struct proc_opts *opts,
	       struct proc_result *r, struct err *err);

/* The links of that namespace, as `ip -j -d link show` lists them; a new reference. None when the process is gone;
 * NULL on error. A fault that calls it has "ip" among its tools. */
json_t *target_links(const json_t *netns, struct err *err);

#endif
