// SPDX-License-Identifier: MIT
/* HTTP requests with host and path. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 68, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	char dest[ENDPOINT_TEXT];

	if (!c->facts->http.request)
		return false;
	return rule_say(hit, "asked %.60s for %.60s over HTTP at %s outside the tunnel",
			c->facts->http.host[0] ? c->facts->http.host : "a host without a name",
			c->facts->http.target, rule_destination(c, dest, sizeof(dest)));
}

const struct rule rule_http_outside = {
	.id = "http-host-outside",
	.severity = SEVERITY_HIGH,
	.sentence = "A plain HTTP request of the stack left outside the tunnel.",
	.advice = "As for any cleartext: the service must not have a path beside the tunnel.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_EXPOSED,
	.protos = PROTO_BIT(PROTO_HTTP),
	.match = match,
};
