// SPDX-License-Identifier: MIT
/* The endpoint is excused as a whole tuple with the right payload, or not at all. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 39, 40, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	char dest[ENDPOINT_TEXT];

	if (c->tunnel == TUNNEL_TUPLE_ONLY)
		return rule_say(hit, "sent to the tunnel's endpoint %s what is no %s payload",
				rule_destination(c, dest, sizeof(dest)),
				tunnel_kind_name(c->tuple->kind));
	if (!rule_exposed(c))
		return false;
	return rule_say(hit, "reached the VPN server beside the tunnel, at %s",
			rule_destination(c, dest, sizeof(dest)));
}

const struct rule rule_tunnel_endpoint = {
	.id = "tunnel-endpoint-cleartext",
	.severity = SEVERITY_CRITICAL,
	.sentence = "A packet went to the VPN server beside the tunnel: on another port, or with a "
		    "payload that is not the tunnel protocol.",
	.advice = "Allow the endpoint by protocol, address and port, never by address alone, and "
		  "only for the VPN process.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_LEAVING | NEED_BESIDE_TUNNEL,
	.match = match,
};
