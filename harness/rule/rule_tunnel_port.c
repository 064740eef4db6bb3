// SPDX-License-Identifier: MIT
/* Data of one WireGuard session from two outer ports. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 44, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	char source[ENDPOINT_TEXT];

	if (!c->tunnel_port_moved)
		return false;
	return rule_say(hit, "continued a tunnel session from another port, %s",
			rule_source(c, source, sizeof(source)));
}

const struct rule rule_tunnel_port = {
	.id = "tunnel-port-moved",
	.severity = SEVERITY_MEDIUM,
	.sentence = "The outer source port of a living tunnel session changed: a port shadow or a "
		    "conntrack collision may deliver it to somebody else.",
	.advice = "Pin the listening port of the tunnel, and keep other flows of the host off it.",
	.classes = classes,
	.taps = TAP_BIT(TAP_UPLINK),
	.needs = NEED_IN_TUNNEL,
	.match = match,
};
