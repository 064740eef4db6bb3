// SPDX-License-Identifier: MIT
/* uTP (BEP 29). */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 58, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	/* the header alone is a weak sign: then the packet has to be tied to the stack as well */
	if ((c->facts->weak & PROTO_BIT(PROTO_BT_UTP)) && !rule_exposed(c))
		return false;
	return rule_sent(c, "a uTP packet", hit);
}

const struct rule rule_bt_utp = {
	.id = "utp-outside",
	.severity = SEVERITY_CRITICAL,
	.sentence = "A uTP connection went outside the tunnel.",
	.advice = "Bind the client to the tunnel and leave it no other path.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_OUTSIDE,
	.protos = PROTO_BIT(PROTO_BT_UTP),
	.match = match,
};
