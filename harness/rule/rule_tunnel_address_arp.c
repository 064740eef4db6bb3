// SPDX-License-Identifier: MIT
/* ARP (or a neighbour advertisement) whose sender is the inner address. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 43, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct facts *f = c->facts;
	char text[IPADDR_TEXT];

	for (size_t i = 0; i < c->policy->n_tunnel_addrs; i++) {
		const struct ipaddr *a = &c->policy->tunnel_addrs[i];

		if ((facts_has(f, PROTO_ARP) && ipaddr_equal(&f->arp.sender, a)) ||
		    (facts_has(f, PROTO_ND) && f->nd.type == 136 && ipaddr_equal(&f->nd.target, a)))
			return rule_say(hit, "answered for the tunnel's address %s on the link",
					ipaddr_format(a, text, sizeof(text)));
	}
	return false;
}

const struct rule rule_tunnel_address_arp = {
	.id = "tunnel-address-arp",
	.severity = SEVERITY_HIGH,
	.sentence =
		"ARP or neighbour discovery spoke for the address of the tunnel: every neighbour "
		"can confirm it.",
	.advice = "Set arp_ignore to 1 and arp_announce to 2 in the namespace of the tunnel.",
	.classes = classes,
	.taps = TAPS_OUTSIDE | TAPS_INSIDE,
	.needs = NEED_LEAVING,
	.protos = PROTO_BIT(PROTO_ARP) | PROTO_BIT(PROTO_ND),
	.match = match,
};
