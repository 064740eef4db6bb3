// SPDX-License-Identifier: MIT
/* Addresses of containers and of the tunnel have no business on an uplink. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 3, 11, 12, 17, 50, 51, 0 };

/* A host at home has a private address itself. */
static bool is_real(const struct rule_ctx *c, const struct ipaddr *a)
{
	for (size_t i = 0; i < c->policy->n_real; i++)
		if (ipaddr_equal(&c->policy->real[i], a))
			return true;
	return false;
}

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct net_layer *l = rule_outer(c);
	char source[ENDPOINT_TEXT];
	char dest[ENDPOINT_TEXT];

	if (c->who.how == ATTR_POLICY || !ipaddr_is_private(&l->src) || is_real(c, &l->src))
		return false;
	return rule_say(hit, "sent a packet from its own address %s to %s",
			rule_source(c, source, sizeof(source)),
			rule_destination(c, dest, sizeof(dest)));
}

const struct rule rule_private_source = {
	.id = "private-source-outside",
	.severity = SEVERITY_CRITICAL,
	.sentence = "A packet left the host with an address of a container or of the tunnel as its "
		    "source: nothing masqueraded it, so nothing filtered it either.",
	.advice = "Set the policies before the gateway answers for its address; give it a pinned "
		  "MAC only then.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_EXPOSED | NEED_IP,
	.match = match,
};
