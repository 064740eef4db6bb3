// SPDX-License-Identifier: MIT
/* The real address where a protocol puts an address, or as the source of a packet, at the exit of the tunnel. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 55, 62, 63, 64, 66, 57, 0 };

/* A name in the DNS may well point home; that tells nothing of the one who asks, but of the one who answers or registers
 * it (RFC 6762, RFC 2136). */
static bool is_told(const struct rule_ctx *c, const struct place_addr *a)
{
	return a->place != PLACE_DNS_ANSWER || c->dir == DIR_OUT;
}

static bool is_real(const struct rule_ctx *c, const struct ipaddr *a)
{
	for (size_t i = 0; i < c->policy->n_real; i++)
		if (ipaddr_equal(&c->policy->real[i], a))
			return true;
	return false;
}

/* The net that a resolver tells of who asks it. */
static bool is_subnet_of_real(const struct rule_ctx *c, const struct place_addr *a)
{
	for (size_t i = 0; i < c->policy->n_real; i++) {
		const struct ipaddr *real = &c->policy->real[i];
		unsigned len = ipaddr_is_v4(real) ? 24 : 56; /* RFC 7871, 11.1 */

		if (a->place == PLACE_DNS_CLIENT_SUBNET && ipaddr_in_prefix(real, &a->addr, len))
			return true;
	}
	return false;
}

/* The stack's own packet from the real address, in the clear or inside of others: whoever gets it reads who sent it. */
static bool match_source(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct facts *f = c->facts;
	char text[IPADDR_TEXT];

	for (size_t i = 0; c->dir != DIR_IN && i < f->n_layers; i++)
		if (is_real(c, &f->layer[i].src))
			return rule_say(hit,
					"sent a packet from the real address %s inside the tunnel",
					ipaddr_format(&f->layer[i].src, text, sizeof(text)));
	return false;
}

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct facts *f = c->facts;
	char text[IPADDR_TEXT];

	for (size_t i = 0; i < f->n_addrs; i++) {
		const struct place_addr *a = &f->addrs[i];

		if (!is_told(c, a) || (!is_real(c, &a->addr) && !is_subnet_of_real(c, a)))
			continue;
		return rule_say(hit, "%s the real address %s inside the tunnel, as %s",
				c->dir == DIR_IN ? "was answered with" : "told",
				ipaddr_format(&a->addr, text, sizeof(text)),
				place_name((enum addr_place)a->place));
	}
	return match_source(c, hit);
}

const struct rule rule_real_address_in_payload = {
	.id = "real-address-in-payload",
	.severity = SEVERITY_CRITICAL,
	.sentence = "The real address stands in a message that went through the tunnel: the packet "
		    "was hidden, its content was not.",
	.advice = "Take announce_ip out of the client's settings, switch its anonymous mode on, "
		  "and check what it listens on.",
	.classes = classes,
	.taps = TAP_BIT(TAP_EXIT),
	.passes_noise = true,
	.match = match,
};
