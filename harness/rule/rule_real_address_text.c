// SPDX-License-Identifier: MIT
/* The text form of a real address anywhere in a payload at the exit. Bare bytes are no evidence. */
#include "rule/rule_help.h"
#include "packet/identity.h"

static const uint8_t classes[] = { 55, 63, 0 };

/* The text form at an offset of data from `from` to `to`, that ends behind `behind`. */
static bool search(const struct rule_ctx *c, const uint8_t *data, size_t len, size_t from,
		   size_t to, size_t behind, struct rule_hit *hit)
{
	struct identity_hit found
		[16]; /* more do not fit around a seam; of a payload the second one is enough */
	char text[IPADDR_TEXT];
	size_t n = identity_search_text(c->identity, data, len, found,
					sizeof(found) / sizeof(found[0]));

	for (size_t i = 0; i < n; i++) {
		const struct identity_hit *f = &found[i];

		if (f->offset < from || f->offset > to || f->offset + f->length <= behind)
			continue;
		return rule_say(hit, "%s text with the real address %s inside the tunnel",
				c->dir == DIR_IN ? "was sent" : "sent",
				ipaddr_format(&c->policy->real[f->address], text, sizeof(text)));
	}
	return false;
}

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct net_layer *l = facts_inner(c->facts);
	/* what begins with the segment is judged at the seam, where it shows whether it goes on something longer */
	size_t first = c->seam_len ? IDENTITY_BEFORE : 0;

	/* a resolver's answer may hold it, and so may the quote of an error */
	if (!c->identity || facts_has(c->facts, PROTO_DNS) || c->facts->has_quoted)
		return false;
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
