// SPDX-License-Identifier: MIT
/* Node ids of outgoing DHT messages, recomputed for the real address. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 65, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct facts *f = c->facts;
	char text[IPADDR_TEXT];

	/* the ids of others come in by the thousand; only one's own goes out at this place */
	if (!f->bt.has_node_id)
		return false;
	for (size_t i = 0; i < c->policy->n_real; i++)
		if (bt_node_id_matches(&c->policy->real[i], f->bt.node_id))
			return rule_say(hit, "uses a DHT id that was made from the real address %s",
					ipaddr_format(&c->policy->real[i], text, sizeof(text)));
	return false;
}

const struct rule rule_dht_node_id = {
	.id = "dht-id-from-real-address",
	.severity = SEVERITY_HIGH,
	.sentence = "The DHT id was made from the real address (BEP 42): whoever knows the address "
		    "recognises the node.",
	.advice =
		"Let the client learn its external address through the tunnel before it joins the "
		"DHT.",
	.classes = classes,
	.taps = TAP_BIT(TAP_EXIT),
	.needs = NEED_LEAVING,
	.protos = PROTO_BIT(PROTO_BT_DHT),
	.passes_noise = true,
	.match = match,
};
