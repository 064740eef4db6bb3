// SPDX-License-Identifier: MIT
/* Local service discovery (BEP 14) and what looks like it. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 59, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	return rule_sent(c, "a local discovery message", hit);
}

const struct rule rule_bt_lsd = {
	.id = "local-discovery-outside",
	.severity = SEVERITY_HIGH,
	.sentence = "The client told the local network which torrents it has.",
	.advice = "Switch local peer discovery off.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_OUTSIDE,
	.protos = PROTO_BIT(PROTO_BT_LSD),
	.match = match,
};
