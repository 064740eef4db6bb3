// SPDX-License-Identifier: MIT
/* The middle of a TCP connection whose start this tap never saw. */
#include <netinet/in.h>

#include "rule/rule_help.h"

static const uint8_t classes[] = { 45, 46, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct net_layer *l = rule_outer(c);
	char dest[ENDPOINT_TEXT];

	if (l->proto != IPPROTO_TCP || !c->flow_older || c->flow_inbound ||
	    (l->tcp_flags & TCP_RST) || l->frag == FRAG_LATER)
		return false;
	return rule_say(hit, "went on with an older connection to %s outside the tunnel",
			rule_destination(c, dest, sizeof(dest)));
}

const struct rule rule_established_flow = {
	.id = "old-flow-outside",
	.severity = SEVERITY_CRITICAL,
	.sentence =
		"A connection that began before continues outside the tunnel: connection tracking "
		"let it through.",
	.advice = "Flush conntrack entries when rules change, and accept ESTABLISHED only on the "
		  "tunnel device.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_EXPOSED | NEED_IP,
	.match = match,
};
