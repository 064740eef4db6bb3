// SPDX-License-Identifier: MIT
/* Peer wire messages (BEP 3, 10, 11, 55) beside the tunnel. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 51, 54, 18, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	return rule_sent(c, "a BitTorrent peer message", hit);
}

const struct rule rule_bt_peer = {
	.id = "bittorrent-peer-outside",
	.severity = SEVERITY_CRITICAL,
	.sentence = "A BitTorrent peer connection went outside the tunnel: the peer has the real "
		    "address.",
	.advice = "Bind the client to the tunnel and leave it no other path.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_OUTSIDE,
	.protos = PROTO_BIT(PROTO_BT_HANDSHAKE) | PROTO_BIT(PROTO_BT_EXTENDED) |
		  PROTO_BIT(PROTO_BT_PEX) | PROTO_BIT(PROTO_BT_HOLEPUNCH),
	.match = match,
};
