/* SPDX-License-Identifier: MIT */
/* vpn.container-recreate: the gateway is replaced by a new container, as an update of its image does. */
#include "fault/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "fault/target.h"

#define COMPOSE_TIMEOUT (120 * NS_PER_S)

struct params {
	char *service;
};

static const struct field fields[] = {
	ROW_NAME("service", struct params, service,
		 .help = "the gateway; found by its role by default"),
	ROW_END,
};

static int prepare(struct fault_active *a, struct err *err)
{
	const struct params *p = a->params;
	const char *name = p->service;
	pid_t pid = target_gateway_pid(a->ctx, &name, err);

	if (pid < 0)
		return -1;
	free(a->target);
	a->target = str_fmt("%s", name);
	(void)json_object_set_new(a->record, "id",
				  json_string(stack_service(a->ctx->stack, name)->id));
	return target_hold(a, pid, err);
}

static int apply(struct fault_active *a, struct err *err)
{
	/* Without --no-deps Compose would look at the services it depends on, too. */
	return stack_compose(a->ctx->stack,
			     PROC_ARGV("up", "-d", "--force-recreate", "--no-deps", a->target),
			     COMPOSE_TIMEOUT, err);
}

static int confirm(struct fault_active *a, struct err *err)
{
	const char *old = json_string_value(json_object_get(a->record, "id"));
	const struct stack_service *s;
	int rc = target_gone(a, err);

	if (rc != FAULT_SEEN)
		return rc;
	if (stack_refresh(a->ctx->stack, err) < 0)
		return -1;
	s = stack_service(a->ctx->stack, a->target);
	if (!s || s->pid <= 1 || !old || strcmp(s->id, old) == 0)
		return FAULT_NOT_YET;
	(void)snprintf(a->result.confirmation, sizeof(a->result.confirmation),
		       "container %.12s has ended, %.12s runs in its place", old, s->id);
	return FAULT_SEEN;
}

const struct fault fault_vpn_container_recreate = {
	.kind = { .name = "vpn.container-recreate",
		  .summary = "Compose replaces the gateway's container by a new one",
		  .help = "`docker compose up -d --force-recreate --no-deps` of the "
			  "gateway, as an update does. The bracket around it is as wide as "
			  "Compose is slow.",
		  .fields = fields,
		  .params_size = sizeof(struct params),
		  .instant = true },
	.heals = "the new container",
	.prepare = prepare,
	.apply = apply,
	.confirm = confirm,
};
