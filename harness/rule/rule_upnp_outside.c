// SPDX-License-Identifier: MIT
/* SSDP search and SOAP port mapping. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 60, 0 };

#define SSDP_SEARCH 1

/* Announcements and answers are a device's own: they ask no router for anything. */
static bool asks(const struct facts *f)
{
	return (facts_has(f, PROTO_SSDP) && f->ssdp.kind == SSDP_SEARCH) ||
	       (facts_has(f, PROTO_UPNP) && !f->portmap.response);
}

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	return asks(c->facts) && rule_sent(c, "a UPnP request", hit);
}

const struct rule rule_upnp_outside = {
	.id = "upnp-outside",
	.severity = SEVERITY_HIGH,
	.sentence = "The stack asks the router for a port mapping, or looks for one to ask.",
	.advice = "Switch UPnP off in the client; a mapping opens a path around the tunnel.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_OUTSIDE,
	.protos = PROTO_BIT(PROTO_SSDP) | PROTO_BIT(PROTO_UPNP),
	.match = match,
};
