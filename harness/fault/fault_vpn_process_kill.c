/* SPDX-License-Identifier: MIT */
/* vpn.process-kill: the tunnel's process dies, the gateway's container lives. */
#include "fault/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "fault/target.h"

struct params {
	char *service;
};

/* Programs that carry a tunnel as a process of their own, by the start of their name. */
static const char *const tunnel_programs[] = { "wireguard-go", "openvpn", "boringtun", NULL };

/* Gluetun has userspace WireGuard inside itself: then its own process is the tunnel's. */
static const char *const gateway_programs[] = { "gluetun", NULL };

static const struct field fields[] = {
	ROW_NAME("service", struct params, service,
		 .help = "the gateway; found by its role by default"),
	ROW_END,
};

static int prepare(struct fault_active *a, struct err *err)
{
	const struct params *p = a->params;
	const char *name = p->service;
	pid_t init = target_gateway_pid(a->ctx, &name, err);
	const char *note = "";
	char comm[16];
	pid_t pid;

	if (init < 0)
		return -1;
	pid = target_find_process(init, tunnel_programs, comm);
	if (pid == 0)
		pid = target_find_process(init, gateway_programs, comm);
	if (pid == 0)
		return err_set(
			err, EXIT_ENVIRONMENT,
			"no tunnel process in %s (looked for wireguard-go, openvpn, boringtun "
			"and gluetun): the tunnel is the kernel's",
			name);
	if (pid == init)
		note = ", the container's first process: equals a crash of the container";
	free(a->target);
	a->target = str_fmt("%s (%s%s)", name, comm, note);
	return target_hold(a, pid, err);
}

const struct fault fault_vpn_process_kill = {
	.kind = { .name = "vpn.process-kill",
		  .summary = "SIGKILL of the tunnel's process in the gateway, from the host",
		  .help = "Kills wireguard-go, openvpn or boringtun in the gateway's pid "
			  "namespace; where the tunnel is inside Gluetun's own process, "
			  "that one. The target says which it was.",
		  .fields = fields,
		  .params_size = sizeof(struct params),
		  .instant = true },
	.heals = "the gateway's own supervision, or the restart policy",
	.prepare = prepare,
	.apply = target_kill,
	.confirm = target_gone,
};
