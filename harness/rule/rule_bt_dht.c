// SPDX-License-Identifier: MIT
/* DHT messages (BEP 5). */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 57, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	return rule_sent(c, "a DHT message", hit);
}

const struct rule rule_bt_dht = {
	.id = "dht-outside",
	.severity = SEVERITY_CRITICAL,
	.sentence =
		"The client takes part in the DHT outside the tunnel: any node may log the real "
		"address.",
	.advice = "Bind the client to the tunnel and leave it no other path.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_OUTSIDE,
	.protos = PROTO_BIT(PROTO_BT_DHT),
	.match = match,
};
