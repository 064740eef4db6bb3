/* SPDX-License-Identifier: MIT */
/* dns.outage: nobody answers lookups any more. */
#include "fault/fault.h"

#include <assert.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "fault/nft.h"
#include "fault/target.h"

enum place { PLACE_SERVER, PLACE_GATEWAY };

static const char *const places[] = { "server", "gateway", NULL };
static_assert(sizeof(places) / sizeof(char *) == PLACE_GATEWAY + 2, "a word a place");

struct params {
	enum place at;
	char *service;
};

static const struct field fields[] = {
	ROW_ENUM("at", struct params, at, places, .def = "server",
		 .help = "where lookups are dropped: at the lab's DNS server, or where they leave "
			 "the "
			 "gateway (the only choice on a real host)"),
	ROW_NAME("service", struct params, service,
		 .help = "the gateway; found by its role by default"),
	ROW_END,
};

static const char server_body[] = "\tchain in {\n\t\ttype filter hook prerouting priority -300;\n"
				  "\t\tmeta l4proto { tcp, udp } th dport 53 counter drop\n\t}\n";

/* What the gateway asks and what it forwards; its loopback holds Docker's resolver and its own. */
static const char gateway_body[] =
	"\tchain out {\n\t\ttype filter hook output priority -300;\n"
	"\t\toifname != \"lo\" meta l4proto { tcp, udp } th dport { 53, 853 } counter drop\n\t}\n"
	"\tchain forward {\n\t\ttype filter hook forward priority -300;\n"
	"\t\tmeta l4proto { tcp, udp } th dport { 53, 853 } counter drop\n\t}\n";

static int prepare(struct fault_active *a, struct err *err)
{
	const struct params *p = a->params;
	bool lab = host_is_lab(a->ctx->host);
	const char *name = p->service;
	pid_t gateway;

	free(take_ptr(a->target));
	if (lab && p->at == PLACE_SERVER) {
		a->target = str_fmt("at the internet's DNS server");
		return nft_prepare(a, host_node_pid(a->ctx->host, "internet"), "inet", server_body,
				   err);
	}
	gateway = target_gateway_pid(a->ctx, &name, err);
	if (gateway < 0)
		return -1;
	a->target = str_fmt("of lookups that leave %s", name);
	return nft_prepare(a, gateway, "inet", gateway_body, err);
}

const struct fault fault_dns_outage = {
	.kind = { .name = "dns.outage",
		  .summary = "lookups vanish, over UDP and TCP",
		  .help = "An nft table drops port 53 at the lab's DNS server, or ports 53 "
			  "and 853 where they leave the gateway. It is confirmed by the "
			  "first lookup that was dropped.",
		  .fields = fields,
		  .params_size = sizeof(struct params) },
	.heals = "the table is removed",
	.tools = nft_tools,
	.prepare = prepare,
	.apply = nft_apply,
	.confirm = nft_confirm,
	.undo = nft_undo,
};
