// SPDX-License-Identifier: MIT
/* Packets from the inner address on the outside. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 42, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct net_layer *l = rule_outer(c);
	char dest[ENDPOINT_TEXT];

	if (c->tunnel == TUNNEL_PAYLOAD)
		return false;
	for (size_t i = 0; i < c->policy->n_tunnel_addrs; i++)
		if (ipaddr_equal(&c->policy->tunnel_addrs[i], &l->src))
			return rule_say(hit, "sent from the tunnel's own address to %s",
					rule_destination(c, dest, sizeof(dest)));
	return false;
}

const struct rule rule_tunnel_address_answers = {
	.id = "tunnel-address-answers",
	.severity = SEVERITY_HIGH,
	.sentence =
		"The address of the tunnel shows outside the tunnel: a neighbour can find it by "
		"asking (CVE-2019-14899).",
	.advice =
		"Drop packets for the tunnel address that do not come from the tunnel device; use "
		"strict reverse path filtering.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_LEAVING | NEED_IP,
	.passes_noise = true,
	.match = match,
};
