// SPDX-License-Identifier: MIT
/* Router advertisements (RFC 4861, RFC 4191) on bridges and veths. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 35, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct nd_facts *n = &c->facts->nd;
	const struct net_layer *l = rule_outer(c);
	char text[IPADDR_TEXT];

	if (n->type != 134 || (n->router_lifetime == 0 && !n->has_prefix && !n->has_route))
		return false;
	return rule_say(hit, "was offered an IPv6 route by %s",
			ipaddr_format(&l->src, text, sizeof(text)));
}

const struct rule rule_router_advertisement = {
	.id = "router-advertisement-inside",
	.severity = SEVERITY_MEDIUM,
	.sentence =
		"A router advertisement reached a network of the stack: its containers get IPv6 "
		"addresses and a route beside the tunnel.",
	.advice = "Disable IPv6 on the networks of the stack (accept_ra=0, enable_ipv6: false).",
	.classes = classes,
	.taps = TAPS_INSIDE,
	.needs = NEED_IP,
	.protos = PROTO_BIT(PROTO_ND),
	.match = match,
};
