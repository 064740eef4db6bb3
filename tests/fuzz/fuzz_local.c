/* SPDX-License-Identifier: MIT */
/* DHCP, neighbour discovery, NTP, NAT-PMP, PCP, STUN, and the shapes of tunnels. The first byte chooses. */
#include "fuzz_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct openvpn_facts o;
	struct span s;

	if (size < 2)
		return 0;
	fresh_facts();
	s = span_of(data + 1, size - 1, size - 1 + (data[0] >> 4)); /* what was not captured */
	switch (data[0] & 7) {
	case 0:
		decode_dhcp(&facts, s);
		break;
	case 1:
		decode_nd(&facts, data + 1, size - 1);
		break;
	case 2:
		decode_ntp(&facts, s);
		break;
	case 3:
		decode_natpmp(&facts, s);
		break;
	case 4:
		decode_stun(&facts, data + 1, size - 1);
		break;
	case 5:
		decode_dhcp6(&facts, s);
		check_facts(&facts);
		fresh_facts();
		decode_stun_classic(&facts, data + 1, size - 1);
		break;
	default:
		openvpn_message(data + 1, size - 1, size - 1, data[0] & 8, &o);
		openvpn_is_reset(data + 1, size - 1);
		wireguard_message(data + 1, size - 1, size - 1, &facts.wg);
	}
	check_facts(&facts);
	return 0;
}
