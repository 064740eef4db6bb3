/* SPDX-License-Identifier: MIT */
/* BitTorrent's messages: DHT, peers, trackers, local discovery, uTP. The first byte chooses. */
#include "fuzz_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bt_ext_ids wanted = { 0 }, told = { 0 };
	struct work w = { .f = fresh_facts(), .d = fresh_decoder() };
	uint32_t skip;

	if (size < 2)
		return 0;
	w.l = &facts.layer[facts.n_layers++];
	memset(w.l, 0, sizeof(*w.l));
	w.l->version = data[0] & 0x10 ? 6 : 4;
	wanted.holepunch = data[0] & 0x20 ? 3 : 0;
	wanted.pex = wanted.holepunch;
	switch (data[0] & 7) {
	case 0:
		decode_dht(&facts, data + 1, size - 1);
		break;
	case 1:
		expect(decode_bt_messages(&facts, data + 1, size - 1, &wanted, &told, &skip) <=
		       size - 1);
		break;
	case 2:
		decode_bt_extended(&facts, data + 1, size - 1, &wanted, &told);
		break;
	case 3:
		memo_set(&w, MEMO_UDP_TRACKER);
		decode_udp_tracker(&w, data + 1, size - 1);
		break;
	case 4:
		decode_bt_tracker_body(&facts, data + 1, size - 1);
		break;
	case 5:
		decode_bt_websocket(&facts, data + 1, size - 1);
		break;
	case 6:
		memo_set(&w, MEMO_UTP);
		decode_utp(&w, data + 1, size - 1);
		break;
	case 7:
		decode_lsd(&facts, data + 1, size - 1);
		decode_bt_announce_target(&facts, data + 1, size - 1);
		break;
	}
	check_facts(&facts);
	return 0;
}
