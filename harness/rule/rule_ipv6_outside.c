// SPDX-License-Identifier: MIT
/* IPv6 beside the tunnel. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 34, 35, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct net_layer *l = rule_outer(c);
	char dest[ENDPOINT_TEXT];

	if (l->version != 6 || ipaddr_is_multicast(&l->dst) || ipaddr_is_link_local(&l->dst))
		return false;
	return rule_say(hit, "sent IPv6 to %s outside the tunnel",
			rule_destination(c, dest, sizeof(dest)));
}

const struct rule rule_ipv6_outside = {
	.id = "ipv6-outside",
	.severity = SEVERITY_CRITICAL,
	.sentence = "A packet of the stack left over IPv6, which the tunnel does not carry.",
	.advice = "Give no network of the stack IPv6, and check that ip6tables works in the "
		  "gateway.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_EXPOSED | NEED_IP,
	.match = match,
};
