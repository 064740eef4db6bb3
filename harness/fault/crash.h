/* SPDX-License-Identifier: MIT */
/* A container's crash: SIGKILL of its first process from the host. Never `docker kill`, which counts as a stop by
 * hand, so that no restart policy acts. */
#ifndef FAULT_CRASH_H
#define FAULT_CRASH_H

#include "fault/fault.h"

struct crash_params {
	char *service; /* NULL: the gateway */
};

int crash_prepare(struct fault_active *a, struct err *err);

#endif
