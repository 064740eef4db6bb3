// SPDX-License-Identifier: MIT
/* vpn.process-kill: the tunnel's process dies, the gateway's container lives. */
#include "fault/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/proc.h"
#include "fault/target.h"

struct params {
	char *service;
};

/* Programs that carry a tunnel as a process of their own, by the start of their name. */
static const char *const tunnel_programs[] = { "wireguard-go", "openvpn", "boringtun", NULL };

/* Kinds of devices that carry a tunnel (IFLA_INFO_KIND): where the tunnel is inside the gateway's first process, as in
 * Gluetun, or in the kernel, the loss of the device is what the death of a process would be. */
static const char *const tunnel_kinds[] = { "tun", "wireguard", "amneziawg", NULL };

static const struct field fields[] = {
	ROW_NAME("service", struct params, service,
		 .help = "the gateway; found by its role by default"),
	ROW_END,
};

static bool carries_tunnel(const json_t *link)
{
	const char *kind = json_string_value(
		json_object_get(json_object_get(link, "linkinfo"), "info_kind"));

	for (const char *const *k = tunnel_kinds; kind && *k; k++)
		if (strcmp(kind, *k) == 0)
			return true;
	return false;
}

/* 1 when there is such a device, and then the record names it; 0 when there is none, -1 on error. */
static int find_device(struct fault_active *a, pid_t init, const char *service, struct err *err)
{
	_cleanup_json_ json_t *netns = target_netns(init, err);
	_cleanup_json_ json_t *links = netns ? target_links(netns, err) : NULL;
	const char *name;
	json_t *l;
	size_t i;

	if (!links)
		return -1;
	json_array_foreach(links, i, l)
	{
		name = json_string_value(json_object_get(l, "ifname"));
		if (!name || !carries_tunnel(l))
			continue;
		(void)json_object_set(a->record, "netns", netns);
		(void)json_object_set(a->record, "device", json_object_get(l, "ifname"));
		(void)json_object_set(a->record, "ifindex", json_object_get(l, "ifindex"));
		free(a->target);
		a->target = str_fmt("%s (%s: its tunnel is no process of its own, so the "
				    "device is deleted)",
				    service, name);
		return 1;
	}
	return 0;
}

static int prepare(struct fault_active *a, struct err *err)
{
	const struct params *p = a->params;
	const char *name = p->service;
	pid_t init = target_gateway_pid(a->ctx, &name, err);
	char comm[16];
	pid_t pid;
	int rc;

	if (init < 0)
		return -1;
	pid = target_find_process(init, tunnel_programs, comm);
	if (pid > 0) {
		free(a->target);
		a->target = str_fmt("%s (%s%s)", name, comm,
				    pid == init ? ", the container's first process" : "");
		return target_hold(a, pid, err);
	}
	rc = find_device(a, init, name, err);
	if (rc == 0)
		return err_set(err, EXIT_ENVIRONMENT,
			       "%s has neither a tunnel process (wireguard-go, openvpn, boringtun) "
			       "nor a tunnel device: is its VPN up?",
			       name);
	return rc < 0 ? -1 : 0;
}

static int apply(struct fault_active *a, struct err *err)
{
	const char *device = json_string_value(json_object_get(a->record, "device"));
	const struct proc_opts o = { 0 };
	_cleanup_proc_ struct proc_result r = { 0 };
	int rc;

	if (!device)
		return target_kill(a, err);
	rc = target_run(json_object_get(a->record, "netns"),
			PROC_ARGV("ip", "link", "delete", "dev", device), &o, &r, err);
	if (rc > 0)
		return err_set(err, EXIT_ENVIRONMENT, "the gateway is gone");
	if (rc == 0 && r.status != 0)
		return err_set(err, EXIT_ENVIRONMENT, "ip link delete %s: %.200s", device, r.error);
	return rc;
}

/* The index tells it from a device of the same name that was made since. */
static int confirm(struct fault_active *a, struct err *err)
{
	json_t *index = json_object_get(a->record, "ifindex");
	_cleanup_json_ json_t *links = NULL;
	json_t *l;
	size_t i;

	if (!index)
		return target_gone(a, err);
	links = target_links(json_object_get(a->record, "netns"), err);
	if (!links)
		return -1;
	json_array_foreach(links, i, l)
	{
		if (json_equal(json_object_get(l, "ifindex"), index))
			return FAULT_NOT_YET;
	}
	(void)snprintf(a->result.confirmation, sizeof(a->result.confirmation),
		       "device %s is gone from the gateway",
		       json_string_value(json_object_get(a->record, "device")));
	return FAULT_SEEN;
}

static const char *const tools[] = { "ip", NULL };

const struct fault fault_vpn_process_kill = {
	.kind = { .name = "vpn.process-kill",
		  .summary = "the tunnel's process is killed in the gateway, from the host",
		  .help = "SIGKILL to wireguard-go, openvpn or boringtun in the gateway's pid "
			  "namespace. Where the tunnel is no process of its own (Gluetun has "
			  "WireGuard inside itself, or it is the kernel's), its device is "
			  "deleted instead. The target says which it was.",
		  .fields = fields,
		  .params_size = sizeof(struct params),
		  .instant = true },
	.heals = "the gateway's own supervision, or the restart policy",
	.tools = tools,
	.prepare = prepare,
	.apply = apply,
	.confirm = confirm,
};
