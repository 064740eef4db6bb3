// SPDX-License-Identifier: MIT
/* ICMP beside the tunnel: an echo, or an error that quotes what the stack sent. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 69, 23, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	char dest[ENDPOINT_TEXT];
	const struct net_layer *l = rule_outer(c);

	return rule_say(hit, "sent ICMP type %u to %s outside the tunnel", l->icmp_type,
			rule_destination(c, dest, sizeof(dest)));
}

const struct rule rule_icmp_outside = {
	.id = "icmp-outside",
	.severity = SEVERITY_HIGH,
	.sentence = "An ICMP message of the stack left outside the tunnel.",
	.advice = "A kill switch has to drop every protocol: use a policy, not a rule for TCP and "
		  "UDP.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_EXPOSED | NEED_IP,
	.protos = PROTO_BIT(PROTO_ICMP) | PROTO_BIT(PROTO_ICMP6),
	.match = match,
};
