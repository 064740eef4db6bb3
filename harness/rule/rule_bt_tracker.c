// SPDX-License-Identifier: MIT
/* HTTP and WebSocket trackers, on whatever port. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 51, 52, 53, 55, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	return rule_sent(c, "a tracker announce", hit);
}

const struct rule rule_bt_tracker = {
	.id = "bittorrent-tracker-outside",
	.severity = SEVERITY_CRITICAL,
	.sentence =
		"A tracker was asked outside the tunnel: it has the real address and hands it to "
		"every peer.",
	.advice = "Bind the client to the tunnel and leave it no other path.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_OUTSIDE,
	.protos = PROTO_BIT(PROTO_BT_TRACKER) | PROTO_BIT(PROTO_BT_WS_TRACKER),
	.match = match,
};
