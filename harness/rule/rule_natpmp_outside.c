// SPDX-License-Identifier: MIT
/* NAT-PMP (RFC 6886) and PCP (RFC 6887). */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 61, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	return rule_sent(c, "a NAT-PMP or PCP request", hit);
}

const struct rule rule_natpmp_outside = {
	.id = "nat-pmp-outside",
	.severity = SEVERITY_HIGH,
	.sentence = "The stack asks the router for a port mapping by NAT-PMP or PCP.",
	.advice = "Switch port forwarding by the client off.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_OUTSIDE,
	.protos = PROTO_BIT(PROTO_NATPMP) | PROTO_BIT(PROTO_PCP),
	.match = match,
};
