/* SPDX-License-Identifier: MIT */
/* container.crash: any service crashes. */
#include "fault/crash.h"
#include "fault/target.h"

static const struct field fields[] = {
	ROW_NAME("service", struct crash_params, service, .required = true,
		 .help = "whose container"),
	ROW_END,
};

const struct fault fault_container_crash = {
	.kind = { .name = "container.crash",
		  .summary = "SIGKILL of the first process of a service's container, from the host",
		  .help = "A crash as the engine sees it, so that the restart policy acts.",
		  .fields = fields,
		  .params_size = sizeof(struct crash_params),
		  .instant = true },
	.heals = "the restart policy",
	.prepare = crash_prepare,
	.apply = target_kill,
	.confirm = target_gone,
};
