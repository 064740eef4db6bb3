// SPDX-License-Identifier: MIT
/* Server names in a ClientHello, split over segments or inside a QUIC Initial. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 67, 68, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct tls_facts *t = &c->facts->tls;
	char dest[ENDPOINT_TEXT];

	if (!t->has_sni)
		return false;
	return rule_say(hit, "opened %s to %.80s at %s outside the tunnel",
			t->over_quic ? "QUIC" : "TLS", t->sni,
			rule_destination(c, dest, sizeof(dest)));
}

const struct rule rule_sni_outside = {
	.id = "server-name-outside",
	.severity = SEVERITY_HIGH,
	.sentence = "A TLS or QUIC connection of the stack left outside the tunnel and told in the "
		    "clear whom it wants.",
	.advice = "As for any cleartext: the service must not have a path beside the tunnel.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_EXPOSED,
	.protos = PROTO_BIT(PROTO_TLS_HELLO),
	.match = match,
};
