// SPDX-License-Identifier: MIT
/* Anything of a protected service outside the tunnel, whatever the protocol and the source address. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,
				   15, 17, 18, 19, 20, 21, 22, 23, 36, 37, 38, 41, 47, 48,
				   49, 50, 51, 52, 68, 71, 72, 73, 74, 75, 78, 79, 80, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	char dest[ENDPOINT_TEXT];
	char proto[32];

	return rule_say(hit, "sent %s to %s outside the tunnel",
			rule_transport(c, proto, sizeof(proto)),
			rule_destination(c, dest, sizeof(dest)));
}

const struct rule rule_cleartext_outside = {
	.id = "cleartext-outside-tunnel",
	.severity = SEVERITY_CRITICAL,
	.sentence = "A packet of the stack left the host outside the tunnel: whoever received it "
		    "knows the real address.",
	.advice =
		"Close the path that the sentence names: policies DROP before any address is set, "
		"no second network, no published port on a protected service.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_EXPOSED | NEED_IP,
	.match = match,
};
