/* SPDX-License-Identifier: MIT */
/* vpn.container-kill: the gateway crashes. */
#include "fault/crash.h"
#include "fault/target.h"

static const struct field fields[] = {
	ROW_NAME("service", struct crash_params, service,
		 .help = "the gateway; found by its role by default"),
	ROW_END,
};

const struct fault fault_vpn_container_kill = {
	.kind = { .name = "vpn.container-kill",
		  .summary =
			  "SIGKILL of the first process of the gateway's container, from the host",
		  .help = "A crash as the engine sees it, so that the restart policy acts.",
		  .fields = fields,
		  .params_size = sizeof(struct crash_params),
		  .instant = true },
	.heals = "the restart policy",
	.prepare = crash_prepare,
	.apply = target_kill,
	.confirm = target_gone,
};
