// SPDX-License-Identifier: MIT
/* SYN-ACK of a published port inside the tunnel. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 76, 0 };

static bool is_web_port(const struct rule_ctx *c, uint16_t port)
{
	for (size_t i = 0; i < c->policy->n_published; i++)
		if (c->policy->published[i].port == port)
			return true;
	return false;
}

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct net_layer *l = rule_outer(c);
	char source[ENDPOINT_TEXT];

	if ((l->tcp_flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK) ||
	    !is_web_port(c, l->sport))
		return false;
	return rule_say(hit, "answered a connection from the VPN's side at %s",
			rule_source(c, source, sizeof(source)));
}

const struct rule rule_vpn_side_answer = {
	.id = "vpn-side-answers",
	.severity = SEVERITY_HIGH,
	.sentence =
		"A web interface answered a stranger through the VPN: the whole exit network can "
		"reach it.",
	.advice = "Accept inbound on the tunnel device for the forwarded torrent port only.",
	.classes = classes,
	.taps = TAP_BIT(TAP_EXIT),
	.needs = NEED_LEAVING | NEED_IP,
	.passes_noise = true,
	.match = match,
};
