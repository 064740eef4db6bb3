// SPDX-License-Identifier: MIT
/* The text form of a real address anywhere in a payload at the exit, and in the names that are asked for. Bare bytes are no
 * evidence. */
#include "rule/rule_help.h"

#include "packet/identity.h"

static const uint8_t classes[] = { 55, 63, 0 };

static bool say(const struct rule_ctx *c, const char *what, const struct ipaddr *real,
		struct rule_hit *hit)
{
	char text[IPADDR_TEXT];

	return rule_say(hit, "%s %s with the real address %s inside the tunnel",
			c->dir == DIR_IN ? "was sent" : "sent", what,
			ipaddr_format(real, text, sizeof(text)));
}

/* The text form at an offset of data from `from` to `to`, that ends behind `behind`. */
static bool search(const struct rule_ctx *c, const uint8_t *data, size_t len, size_t from,
		   size_t to, size_t behind, struct rule_hit *hit)
{
	struct identity_hit found
		[16]; /* more do not fit around a seam; of a payload the second one is enough */
	size_t n = identity_search_text(c->identity, data, len, found,
					sizeof(found) / sizeof(found[0]));

	for (size_t i = 0; i < n; i++) {
		const struct identity_hit *f = &found[i];

		if (f->offset >= from && f->offset <= to && f->offset + f->length > behind)
			return say(c, "text", &c->policy->real[f->address], hit);
	}
	return false;
}

static bool search_names(const struct rule_ctx *c, const char *names, struct rule_hit *hit)
{
	int address = identity_search_names(c->identity, names);

	return address >= 0 && say(c, "a name", &c->policy->real[address], hit);
}

/* What a name server says of an address tells nothing of the one who asks; what it is asked does. */
static bool match_dns(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct dns_facts *d = &c->facts->dns;

	if (!d->header || c->dir == DIR_IN || (d->response && c->dir != DIR_OUT))
		return false;
	return search_names(c, d->qname, hit) || search_names(c, d->other_names, hit);
}

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct net_layer *l = facts_inner(c->facts);
	/* what begins with the segment is judged at the seam, where it shows whether it goes on something longer */
	size_t first = c->seam_len ? IDENTITY_BEFORE : 0;

	/* the quote of an error may hold it */
	if (!c->identity || c->facts->has_quoted)
		return false;
	if (facts_has(c->facts, PROTO_DNS))
		return match_dns(c, hit);
	return search(c, l->payload, l->payload_len, first, l->payload_len, 0, hit) ||
	       (c->seam_len &&
		search(c, c->seam, c->seam_len, 0, c->seam_at + first - 1, c->seam_at, hit));
}

const struct rule rule_real_address_text = {
	.id = "real-address-text",
	.severity = SEVERITY_HIGH,
	.sentence = "The real address stands in readable text that went through the tunnel.",
	.advice = "Find the program that knows the real address; inside the stack nobody should.",
	.classes = classes,
	.taps = TAP_BIT(TAP_EXIT),
	.needs = NEED_IP,
	.passes_noise = true,
	.match = match,
};
