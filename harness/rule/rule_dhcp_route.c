// SPDX-License-Identifier: MIT
/* Static routes (RFC 3442, RFC 2132 5.8) to public prefixes. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 41, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct dhcp_facts *d = &c->facts->dhcp;
	char text[IPADDR_TEXT];

	if (d->op != 2)
		return false;
	for (size_t i = 0; i < d->n_routes; i++) {
		const struct dhcp_route *r = &d->routes[i];

		if (!dhcp_route_is_public(r))
			continue;
		return rule_say(hit, "was given a route to %s/%u by DHCP",
				ipaddr_format(&r->net, text, sizeof(text)), r->len);
	}
	return false;
}

const struct rule rule_dhcp_route = {
	.id = "dhcp-route-injected",
	.severity = SEVERITY_HIGH,
	.sentence =
		"A DHCP answer carries a route to public addresses (TunnelVision): such a route "
		"is more specific than the one into the tunnel.",
	.advice = "Ignore option 121 on the host, or let the gateway mark and drop by interface.",
	.classes = classes,
	.taps = TAPS_OUTSIDE | TAPS_INSIDE,
	.protos = PROTO_BIT(PROTO_DHCP),
	.match = match,
};
