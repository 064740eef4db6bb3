// SPDX-License-Identifier: MIT
/* Queries of every transport: UDP, TCP, multicast, LLMNR, NetBIOS; on loopback for the resolver of the host. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 5, 0 };

static const char *how(enum dns_transport transport)
{
	switch (transport) {
	case DNS_OVER_UDP:
		return "DNS";
	case DNS_OVER_TCP:
		return "DNS over TCP";
	case DNS_MULTICAST:
		return "multicast DNS";
	case DNS_LLMNR:
		return "LLMNR";
	case DNS_NETBIOS:
		return "NetBIOS";
	}
	return "DNS";
}

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct dns_facts *d = &c->facts->dns;
	char dest[ENDPOINT_TEXT];

	if (d->response)
		return false;
	return rule_say(
		hit, "looked up %.80s by %s at %s, %s",
		d->qname[0] ? d->qname : "a name that cannot be read",
		how((enum dns_transport)d->transport), rule_destination(c, dest, sizeof(dest)),
		c->tap->role == TAP_LO ? "through the host's own resolver" : "outside the tunnel");
}

const struct rule rule_plaintext_dns = {
	.id = "plaintext-dns",
	.severity = SEVERITY_CRITICAL,
	.sentence = "A name was looked up in the clear outside the tunnel: the resolver, and "
		    "everybody on the way, sees the real address and the name.",
	.advice = "Give every protected service and the gateway `dns:` with the address of a "
		  "resolver in the tunnel.",
	.classes = classes,
	.taps = TAPS_OUTSIDE | TAP_BIT(TAP_LO),
	.needs = NEED_EXPOSED,
	.protos = PROTO_BIT(PROTO_DNS),
	.match = match,
};
