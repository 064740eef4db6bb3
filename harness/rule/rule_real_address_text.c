// SPDX-License-Identifier: MIT
/* The text form of a real address anywhere in a payload at the exit. Bare bytes are no evidence. */
#include "rule/rule_help.h"
#include "packet/identity.h"

static const uint8_t classes[] = { 55, 63, 0 };

#define HITS 32

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct net_layer *l = facts_inner(c->facts);
	struct identity_hit found[HITS];
	char text[IPADDR_TEXT];
	size_t n;

	/* a resolver's answer may hold it, and so may the quote of an error */
	if (!c->identity || !l->payload || facts_has(c->facts, PROTO_DNS) || c->facts->has_quoted)
		return false;
	n = identity_search(c->identity, l->payload, l->payload_len, found, HITS);
	for (size_t i = 0; i < n; i++)
		if (found[i].form == IDENTITY_TEXT)
			return rule_say(hit, "%s text with the real address %s inside the tunnel",
					c->dir == DIR_IN ? "was sent" : "sent",
					ipaddr_format(&c->policy->real[found[i].address], text,
						      sizeof(text)));
	return false;
}

const struct rule rule_real_address_text = {
	.id = "real-address-text",
	.severity = SEVERITY_HIGH,
	.sentence = "The real address stands in readable text that went through the tunnel.",
	.advice = "Find the program that knows the real address; inside the stack nobody should.",
	.classes = classes,
	.taps = TAP_BIT(TAP_EXIT),
	.needs = NEED_IP,
	.match = match,
};
