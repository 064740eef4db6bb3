// SPDX-License-Identifier: MIT
/* Edge services may use the uplink for what is listed, and for nothing else. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 68, 78, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct attributed *w = &c->who;
	char dest[ENDPOINT_TEXT];
	char proto[32];

	if (!rule_is_edge(w->service) || rule_exposed(c))
		return false;
	return rule_say(hit, "sent %s to %s, which the policy does not list",
			rule_transport(c, proto, sizeof(proto)),
			rule_destination(c, dest, sizeof(dest)));
}

const struct rule rule_edge_not_listed = {
	.id = "edge-not-listed",
	.severity = SEVERITY_MEDIUM,
	.sentence = "An edge service sent what the policy does not list for it.",
	.advice =
		"List it with protocol, port and payload, or find out why the service does it: it "
		"may relay for a protected one.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_OUTSIDE | NEED_TIED,
	.match = match,
};
