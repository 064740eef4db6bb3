// SPDX-License-Identifier: MIT
/* STUN, with and without the magic cookie. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 62, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	return rule_sent(c, "a STUN request", hit);
}

const struct rule rule_stun_outside = {
	.id = "stun-outside",
	.severity = SEVERITY_HIGH,
	.sentence = "A STUN server was asked outside the tunnel: it answers with the real address.",
	.advice = "Switch WebRTC and WebTorrent off, or close the path.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_OUTSIDE,
	.protos = PROTO_BIT(PROTO_STUN),
	.match = match,
};
