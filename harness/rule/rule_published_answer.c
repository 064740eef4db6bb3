// SPDX-License-Identifier: MIT
/* An inbound connection that is answered outside the tunnel. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 54, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct net_layer *l = rule_outer(c);
	char source[ENDPOINT_TEXT];

	/* a SYN-ACK, data on a connection that came in, or a datagram in answer to one; a reset refuses */
	if (!c->flow_inbound || !l->has_ports || (l->tcp_flags & TCP_RST))
		return false;
	return rule_say(hit, "answered a stranger from %s", rule_source(c, source, sizeof(source)));
}

const struct rule rule_published_answer = {
	.id = "published-port-answers",
	.severity = SEVERITY_CRITICAL,
	.sentence = "A port of the stack answered a stranger from the real address.",
	.advice = "Publish no port of a protected service; the torrent port belongs to the tunnel.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_EXPOSED | NEED_IP,
	.match = match,
};
