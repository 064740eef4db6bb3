// SPDX-License-Identifier: MIT
/* Plaintext of a canary inside the tuple of the tunnel. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 70, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	char dest[ENDPOINT_TEXT];

	if (!c->canary_in_tunnel)
		return false;
	return rule_say(hit, "can be read in the clear inside the tunnel to %s",
			rule_destination(c, dest, sizeof(dest)));
}

const struct rule rule_tunnel_opaque = {
	.id = "tunnel-not-opaque",
	.severity = SEVERITY_CRITICAL,
	.sentence = "A canary can be read inside the tunnel: the tunnel does not encrypt.",
	.advice = "Check the cipher of the tunnel; `cipher none` and a plain proxy are no VPN.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_IN_TUNNEL,
	.match = match,
};
