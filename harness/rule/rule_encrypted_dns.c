// SPDX-License-Identifier: MIT
/* DNS over TLS by its port (RFC 7858), DNS over HTTPS by the names of well-known resolvers. */
#include <string.h>
#include <strings.h>

#include "rule/rule_help.h"

static const uint8_t classes[] = { 29, 24, 0 };

/* Names that public resolvers publish for DNS over HTTPS. */
static const char *const resolvers[] = {
	"dns.google",	   "cloudflare-dns.com",    "one.one.one.one",
	"dns.quad9.net",   "dns.adguard.com",	    "dns.adguard-dns.com",
	"doh.opendns.com", "dns.nextdns.io",	    "doh.mullvad.net",
	"dns.mullvad.net", "doh.cleanbrowsing.org", "mozilla.cloudflare-dns.com"
};

static bool is_resolver(const char *name)
{
	for (size_t i = 0; i < sizeof(resolvers) / sizeof(resolvers[0]); i++)
		if (strcasecmp(name, resolvers[i]) == 0)
			return true;
	return false;
}

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	char dest[ENDPOINT_TEXT];

	/* what is not on the port of DNS over TLS is a hello, so a name may be looked at (rows: .protos) */
	if (!facts_has(c->facts, PROTO_DOT) && !is_resolver(c->facts->tls.sni))
		return false;
	return rule_say(hit,
			"asked the resolver %s over an encrypted connection outside the tunnel",
			rule_destination(c, dest, sizeof(dest)));
}

const struct rule rule_encrypted_dns = {
	.id = "encrypted-dns-outside",
	.severity = SEVERITY_HIGH,
	.sentence =
		"A resolver was asked over TLS outside the tunnel: it sees the real address, and "
		"the name.",
	.advice = "Send encrypted DNS through the tunnel as well; the fallback must be no answer, "
		  "never the uplink.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_EXPOSED,
	.protos = PROTO_BIT(PROTO_DOT) | PROTO_BIT(PROTO_TLS_HELLO),
	.match = match,
};
