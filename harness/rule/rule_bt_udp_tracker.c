// SPDX-License-Identifier: MIT
/* UDP trackers (BEP 15). */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 56, 52, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	return rule_sent(c, "a UDP tracker message", hit);
}

const struct rule rule_bt_udp_tracker = {
	.id = "udp-tracker-outside",
	.severity = SEVERITY_CRITICAL,
	.sentence = "A UDP tracker was asked outside the tunnel.",
	.advice = "Bind the client to the tunnel and leave it no other path.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_OUTSIDE,
	.protos = PROTO_BIT(PROTO_BT_UDP_TRACKER),
	.match = match,
};
