/* SPDX-License-Identifier: MIT */
/* The rules, in the order in which a packet is asked and the catalogue is printed. */
#ifndef RULE_RULE_TABLE_H
#define RULE_RULE_TABLE_H

#define RULE_TABLE(X)              \
	X(cleartext_outside)       \
	X(private_source)          \
	X(ipv6_outside)            \
	X(icmp_outside)            \
	X(established_flow)        \
	X(tunnel_endpoint)         \
	X(tunnel_opaque)           \
	X(tunnel_port)             \
	X(plaintext_dns)           \
	X(encrypted_dns)           \
	X(sni_outside)             \
	X(http_outside)            \
	X(bt_peer)                 \
	X(bt_tracker)              \
	X(bt_udp_tracker)          \
	X(bt_dht)                  \
	X(bt_utp)                  \
	X(bt_lsd)                  \
	X(stun_outside)            \
	X(upnp_outside)            \
	X(natpmp_outside)          \
	X(published_answer)        \
	X(vpn_side_answer)         \
	X(tunnel_address_answers)  \
	X(tunnel_address_arp)      \
	X(router_advertisement)    \
	X(dhcp_route)              \
	X(real_address_in_payload) \
	X(real_address_text)       \
	X(dht_node_id)             \
	X(edge_not_listed)         \
	X(undecodable_outside)     \
	X(process_isolation)

#endif
