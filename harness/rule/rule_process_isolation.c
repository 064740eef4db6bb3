// SPDX-License-Identifier: MIT
/* Processes that are not wholly in their container: judged from /proc by process_judge(), not from packets. */
#include <stdio.h>

#include "rule/process.h"
#include "rule/rule.h"

static const uint8_t classes[] = { 77, 0 };

static const char *const ns_names[] = { "pid", "mnt", "net", "ipc", "uts" };
_Static_assert(sizeof(ns_names) / sizeof(ns_names[0]) == N_PROCESS_NS, "a name for each namespace");

/* The first namespace in which the process is not with its init; N_PROCESS_NS when there is none. */
static int first_foreign(const struct process_obs *o)
{
	for (int i = 0; i < N_PROCESS_NS; i++)
		if (o->ns[i] != o->init_ns[i])
			return i;
	return N_PROCESS_NS;
}

static enum process_verdict unknown(const struct process_obs *o, const char *why, char *text,
				    size_t size)
{
	(void)snprintf(text, size, "%s: nothing can be said of process %d (%s): %s.", o->service,
		       o->host_pid, o->comm, why);
	return PROCESS_UNKNOWN;
}

enum process_verdict process_judge(const struct process_obs *o, char *text, size_t size)
{
	int foreign;

	if (size)
		text[0] = '\0';
	if (o->init_pid <= 0)
		return unknown(o, "its container has no init any more", text, size);
	for (int i = 0; i < N_PROCESS_NS; i++)
		if (!o->ns[i] || !o->init_ns[i])
			return unknown(o, "a namespace could not be read", text, size);
	foreign = first_foreign(o);
	if (foreign < N_PROCESS_NS) {
		(void)snprintf(
			text, size,
			"%s: process %d (%s) is in another %s namespace than its container%s.",
			o->service, o->host_pid, o->comm, ns_names[foreign],
			o->ns[foreign] == o->host_ns[foreign] ? ": in that of the host" : "");
		return PROCESS_ESCAPED;
	}
	if (!o->descends_from_init) {
		(void)snprintf(text, size,
			       "%s: process %d (%s) does not descend from its container's init %d.",
			       o->service, o->host_pid, o->comm, o->init_pid);
		return PROCESS_ESCAPED;
	}
	return PROCESS_OK;
}

const struct rule rule_process_isolation = {
	.id = "process-isolation",
	.severity = SEVERITY_HIGH,
	.sentence = "A process of a container is not wholly inside it: in another namespace, or "
		    "not a child of "
		    "its init.",
	.advice = "Start nothing with the namespaces of a container by hand, and give no container "
		  "the host's pid, ipc or network.",
	.classes = classes,
	.taps = 0,
	.match = NULL,
};
