/* SPDX-License-Identifier: MIT */
/* QUIC headers, and the frames of an Initial behind the encryption. */
#include "fuzz_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct work w = { .f = fresh_facts(), .d = fresh_decoder() };

	if (size < 2)
		return 0;
	w.l = &facts.layer[facts.n_layers++];
	memset(w.l, 0, sizeof(*w.l));
	w.l->version = 4;
	w.l->dport = 443;
	if (data[0] & 1) {
		fact_set(&facts, PROTO_QUIC);
		memset(&facts.quic, 0, sizeof(facts.quic));
		decode_quic_frames(&w, data + 1, size - 1);
		decode_quic_frames(&w, data + 1, size - 1);
	} else if (data[1] & 0x80) {
		decode_quic_long(&w, data + 1, size - 1);
	} else {
		decode_quic_short(&w, data + 1, size - 1);
	}
	check_facts(&facts);
	return 0;
}
