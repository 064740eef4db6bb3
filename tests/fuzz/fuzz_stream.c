/* SPDX-License-Identifier: MIT */
/* One TCP connection through the decoder's memory. The input is a list of: flags, step of the sequence number,
 * length, payload; so that pieces overlap, repeat, leave gaps and come in any order. */
#include "fuzz_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t ports[] = { 80, 53, 443, 6881, 853, 1194, 445, 5355 };
	struct cursor c = cursor_of(data, size);
	struct decoder *d = fresh_decoder();
	uint16_t port = ports[cursor_u8(&c) & 7];
	uint32_t seq[2] = { 1, 1 };

	while (c.left > 3) {
		uint8_t control = cursor_u8(&c), step = cursor_u8(&c);
		size_t n = cursor_u8(&c) * (control & 0x40 ? 6U : 1U);
		int side = control >> 7;
		struct net_layer *l;
		struct work w = { .f = fresh_facts(), .d = d };

		n = n < c.left ? n : c.left;
		l = &facts.layer[facts.n_layers++];
		memset(l, 0, sizeof(*l));
		l->version = 4;
		l->proto = 6;
		l->sport = side ? port : 40000;
		l->dport = side ? 40000 : port;
		l->tcp_flags = control & 0x1f;
		l->seq = (uint32_t)((int64_t)seq[side] + (int8_t)step);
		l->payload = cursor_take(&c, n);
		l->payload_len = l->payload_wire = (uint32_t)n;
		seq[side] = l->seq + (uint32_t)n;
		w.l = l;
		fact_set(&facts, PROTO_TCP);
		stream_segment(&w);
		check_facts(&facts);
	}
	return 0;
}
