/* SPDX-License-Identifier: MIT */
/* Frames through the decoder. The input is a list of: link type (index), captured length (2 bytes), bytes; so one
 * input can be a whole conversation. Each frame is decoded from a block of its exact size. */
#include "fuzz_packet.h"

/* What frame_is_noise() says. */
static bool names_nobody(const struct facts *f)
{
	const uint64_t names = PROTO_BIT(PROTO_DNS) | PROTO_BIT(PROTO_TLS_HELLO) |
			       PROTO_BIT(PROTO_HTTP) | PROTO_BIT(PROTO_BT_DHT) |
			       PROTO_BIT(PROTO_BT_HANDSHAKE) | PROTO_BIT(PROTO_STUN);

	return f->n_addrs == 0 && !f->undecodable && !f->has_quoted && f->n_layers == 1 &&
	       (f->protos & names) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t links[] = { LINK_ETHERNET, LINK_RAW,  LINK_SLL,  LINK_SLL2,
					  LINK_NULL,	 LINK_LOOP, LINK_IPV6, 147 };
	struct decoder *d = fresh_decoder();
	struct cursor c = cursor_of(data, size);

	for (int64_t time = 0; c.left > 3; time += 1000000) {
		uint32_t link = links[cursor_u8(&c) & 7];
		size_t n = cursor_u16(&c);
		struct net_layer l;
		const uint8_t *p;
		bool noise;

		n = n < c.left ? n : c.left;
		p = exact(cursor_take(&c, n), n);
		fresh_facts();
		decode_frame(NULL, link, p, (uint32_t)n, (uint32_t)n, time, &facts);
		check_facts(&facts);
		noise = frame_is_noise(d, link, p, (uint32_t)n, &l);
		fresh_facts();
		decode_frame(d, link, p, (uint32_t)n, (uint32_t)(n + n % 3), time, &facts);
		expect(!noise || names_nobody(&facts));
		/* nothing passes without a word on what it is */
		expect(facts.n_layers || facts.reason || facts_has(&facts, PROTO_ARP) ||
		       facts_has(&facts, PROTO_LINK_CONTROL));
		check_facts(&facts);
	}
	return 0;
}
