/* SPDX-License-Identifier: MIT */
/* A container's crash, as two faults use it. */
#include "fault/crash.h"

#include <stdlib.h>

#include "base/fs.h"
#include "fault/target.h"

int crash_prepare(struct fault_active *a, struct err *err)
{
	const struct crash_params *p = a->params;
	const char *name = p->service;
	pid_t pid = target_gateway_pid(a->ctx, &name, err);

	if (pid < 0)
		return -1;
	free(a->target);
	a->target = str_fmt("%s", name);
	return target_hold(a, pid, err);
}
