// SPDX-License-Identifier: MIT
/* An inbound connection that is answered outside the tunnel. */
#include <netinet/in.h>

#include "rule/rule_help.h"

static const uint8_t classes[] = { 54, 0 };

/* A SYN-ACK, data on a connection that came in, or a datagram in answer to one. */
static bool answers(const struct net_layer *l)
{
	if (l->proto == IPPROTO_TCP)
		return !(l->tcp_flags & TCP_RST);
	return l->proto == IPPROTO_UDP && l->has_ports;
}

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct net_layer *l = facts_outer(c->facts);
	char source[ENDPOINT_TEXT];

	if (!c->flow_inbound || !answers(l))
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
