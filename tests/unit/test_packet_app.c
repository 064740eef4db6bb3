/* SPDX-License-Identifier: MIT */
/* What is read out of each protocol's messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/frames.h"
#include "packet/with_decoder.h"

static struct facts facts;

static void run(struct decoder *d, enum carrier c, unsigned sport, unsigned dport,
		void (*payload)(struct frame *))
{
	struct frame f;

	build(&f, c, sport, dport, payload);
	decode(d, &f, &facts);
}

/* The n-th address that was found at `place`. */
static void assert_place(enum addr_place place, int nth, const char *text, unsigned port)
{
	char buf[IPADDR_TEXT];

	for (int i = 0; i < facts.n_addrs; i++) {
		if (facts.addrs[i].place != place || nth-- > 0)
			continue;
		assert_string_equal(ipaddr_format(&facts.addrs[i].addr, buf, sizeof(buf)), text);
		assert_int_equal(facts.addrs[i].port, port);
		return;
	}
	fail_msg("no address at %s", place_name(place));
}

/* ---- DNS ---- */

static void dns_query_fields(void **state)
{
	(void)state;
	run(NULL, UDP4, 40000, 53, p_dns_query);
	assert_int_equal(facts.dns.transport, DNS_OVER_UDP);
	assert_false(facts.dns.response);
	assert_true(facts.dns.recursion_desired);
	assert_int_equal(facts.dns.id, 0x1234);
	assert_int_equal(facts.dns.qtype, 1);
	assert_int_equal(facts.dns.qclass, 1);
	assert_string_equal(facts.dns.qname, "canary-7f3a.lab.test");
	assert_true(facts.dns.edns);
	assert_int_equal(facts.dns.edns_size, 1232);
	assert_place(PLACE_DNS_CLIENT_SUBNET, 0, "203.0.113.0", 0);
	assert_int_equal(facts.weak, 0);
	run(NULL, UDP4, 40000, 5300, p_dns_query);
	assert_true(facts.weak & P(DNS)); /* by shape alone */
}

static void dns_answer_fields(void **state)
{
	(void)state;
	run(NULL, UDP4, 53, 40000, p_dns_answer);
	assert_true(facts.dns.response);
	assert_int_equal(facts.dns.answers, 2);
	assert_string_equal(facts.dns.qname, "tracker.test");
	assert_string_equal(facts.dns.other_names, "");
	assert_place(PLACE_DNS_ANSWER, 0, "198.51.100.132", 0);
	assert_place(PLACE_DNS_ANSWER, 1, "2001:db8:2::130", 0);
}

static void mdns_names_all_questions(void **state)
{
	(void)state;
	run(NULL, UDP4, 5353, 5353, p_mdns);
	assert_string_equal(facts.dns.qname, "_bittorrent._tcp.local");
	assert_string_equal(facts.dns.other_names, "seedbox.local ");
}

static void netbios_names_are_decoded(void **state)
{
	(void)state;
	run(NULL, UDP4, 137, 137, p_nbns);
	assert_string_equal(facts.dns.qname, "SEED");
	assert_int_equal(facts.dns.transport, DNS_NETBIOS);
}

static void p_dns_loop(struct frame *f)
{
	dns_head(f, 0x0100, 1, 0, 0);
	put16(f, 0xc00c); /* points at itself */
	put32(f, 0x00010001);
}

static void p_dns_forward(struct frame *f)
{
	dns_head(f, 0x0100, 1, 0, 0);
	put16(f, 0xc00e);
	put_name(f, "a");
	put32(f, 0x00010001);
}

static void p_dns_long(struct frame *f)
{
	dns_head(f, 0x0100, 1, 0, 0);
	for (int i = 0; i < 5; i++) {
		put8(f, 60);
		put_fill(f, 60, 'a');
	}
	put8(f, 0);
	put32(f, 0x00010001);
}

static void p_dns_bytes(struct frame *f)
{
	dns_head(f, 0x0100, 1, 0, 0);
	put8(f, 5);
	put(f, "a.\xff\\ ", 5);
	put8(f, 0);
	put32(f, 0x00010001);
}

static void p_dns_root(struct frame *f)
{
	dns_head(f, 0x0100, 1, 0, 0);
	put8(f, 0);
	put32(f, 0x00020001);
}

static void bad_names_are_named(void **state)
{
	(void)state;
	run(NULL, UDP4, 40000, 53, p_dns_loop);
	assert_int_equal(facts.reason, UND_DNS_LOOP);
	run(NULL, UDP4, 40000, 53, p_dns_forward);
	assert_int_equal(facts.reason, UND_DNS_LOOP);
	run(NULL, UDP4, 40000, 53, p_dns_long);
	assert_int_equal(facts.reason, UND_DNS_NAME);
	assert_false(facts.undecodable); /* the packet itself is readable */
	run(NULL, UDP4, 40000, 53, p_dns_bytes);
	assert_string_equal(facts.dns.qname, "a\\046\\255\\092\\032");
	run(NULL, UDP4, 40000, 53, p_dns_root);
	assert_string_equal(facts.dns.qname, ".");
}

static void p_short_text(struct frame *f)
{
	put_text(f, "hello");
}

static void what_is_on_port_53_is_dns(void **state)
{
	(void)state;
	run(NULL, UDP4, 40000, 53, p_short_text);
	assert_true(facts_has(&facts, PROTO_DNS));
	assert_true(facts.weak & P(DNS));
	assert_int_equal(facts.reason, UND_DNS_SHORT);
}

/* ---- BitTorrent ---- */

static void handshake_fields(void **state)
{
	(void)state;
	run(NULL, TCP4, 40000, 6881, p_bt_handshake);
	assert_true(facts.bt.has_info_hash);
	assert_memory_equal(facts.bt.info_hash, "hhhhhhhhhhhhhhhhhhhh", 20);
	assert_true(facts.bt.has_peer_id);
	assert_memory_equal(facts.bt.peer_id, "-qB5010-", 8);
	assert_int_equal(facts.bt.reserved[5], 0x10);
}

static void extension_handshake_addresses(void **state)
{
	(void)state;
	run(NULL, TCP4, 40000, 6881, p_bt_extended);
	assert_place(PLACE_BT_IPV4, 0, "203.0.113.10", 0);
	assert_place(PLACE_BT_IPV6, 0, "2001:db8:1::10", 0);
	assert_place(PLACE_BT_YOURIP, 0, "198.51.100.2", 0);
	assert_int_equal(facts.bt.port, 6881);
	assert_string_equal(facts.bt.client, "qBittorrent!");
}

static void pex_addresses(void **state)
{
	(void)state;
	run(NULL, TCP4, 40000, 6881, p_bt_pex);
	assert_place(PLACE_BT_PEX_ADDED, 0, "203.0.113.10", 6881);
	assert_place(PLACE_BT_PEX_ADDED, 1, "2001:db8:1::10", 6881);
}

static void announce_fields(void **state)
{
	(void)state;
	run(NULL, TCP4, 40000, 80, p_announce);
	assert_int_equal(facts.bt.action, BT_ANNOUNCE);
	assert_memory_equal(facts.bt.info_hash, "hhhhhhhhhhhhhhhhhhhh", 20);
	assert_memory_equal(facts.bt.peer_id, "-qB5010-", 8);
	assert_int_equal(facts.bt.port, 6881);
	assert_true(facts.bt.has_key);
	assert_int_equal(facts.bt.key, 0x1a2b3c4d);
	assert_place(PLACE_BT_ANNOUNCE_IP, 0, "203.0.113.10", 0);
	assert_place(PLACE_BT_ANNOUNCE_IPV6, 0, "2001:db8:1::10", 0);
	assert_string_equal(facts.http.host, "tracker.test");
	assert_string_equal(facts.http.user_agent, "qBittorrent/5.0.1");
	assert_string_equal(facts.http.method, "GET");
	assert_true(facts.http.head_complete);
}

static void tracker_reply_fields(void **state)
{
	(void)state;
	run(NULL, TCP4, 80, 40000, p_tracker_reply);
	assert_true(facts.bt.reply);
	assert_int_equal(facts.http.status, 200);
	assert_place(PLACE_BT_EXTERNAL_IP, 0, "203.0.113.10", 0);
	assert_place(PLACE_BT_TRACKER_PEER, 0, "198.51.100.133", 6881);
}

static void p_udp_connect_reply(struct frame *f)
{
	put(f, "\0\0\0\0\1\2\3\4CONNID!!", 16);
}

static void p_udp_announce_reply(struct frame *f)
{
	put(f, "\0\0\0\1\1\2\3\4\0\0\7\x08\0\0\0\1\0\0\0\2\xcb\0\x71\x0a\x1a\xe1", 26);
}

static void udp_tracker_replies_need_a_request(void **state)
{
	decoder_reset(*state);
	run(*state, UDP4, 6969, 6881, p_udp_connect_reply);
	assert_false(facts_has(&facts, PROTO_BT_UDP_TRACKER));
	run(*state, UDP4, 6881, 6969, p_udp_connect);
	assert_int_equal(facts.bt.action, BT_CONNECT);
	run(*state, UDP4, 6881, 6969, p_udp_announce_reply); /* same pair of endpoints */
	assert_true(facts_has(&facts, PROTO_BT_UDP_TRACKER));
	assert_true(facts.bt.reply);
	assert_place(PLACE_BT_UDP_PEER, 0, "203.0.113.10", 6881);
}

static void udp_announce_fields(void **state)
{
	(void)state;
	run(NULL, UDP4, 6881, 6969, p_udp_announce);
	assert_int_equal(facts.bt.action, BT_ANNOUNCE);
	assert_int_equal(facts.bt.key, 0xdeadbeef);
	assert_int_equal(facts.bt.port, 6881);
	assert_place(PLACE_BT_UDP_ANNOUNCE_IP, 0, "203.0.113.10", 6881);
}

static void dht_fields(void **state)
{
	(void)state;
	run(NULL, UDP4, 6881, 6881, p_dht_query);
	assert_int_equal(facts.bt.action, BT_ANNOUNCE_PEER);
	assert_memory_equal(facts.bt.node_id, NODE_ID, 20);
	assert_true(facts.bt.has_info_hash);
	assert_int_equal(facts.bt.port, 6881);
	run(NULL, UDP4, 6881, 6881, p_dht_reply);
	assert_true(facts.bt.reply);
	assert_place(PLACE_BT_DHT_IP, 0, "203.0.113.10", 6881);
	assert_place(PLACE_BT_DHT_NODE, 0, "198.51.100.133", 6881);
	assert_place(PLACE_BT_DHT_PEER, 0, "198.51.100.134", 6881);
}

static void p_dht_deep(struct frame *f)
{
	put_text(f, "d1:ad2:id20:" NODE_ID);
	put_text(f, "1:x");
	put_fill(f, 400, 'l');
	put_fill(f, 400, 'e');
	put_text(f, "e1:y1:qe");
}

static void bencode_depth_is_bounded(void **state)
{
	(void)state;
	run(NULL, UDP4, 6881, 6881, p_dht_deep);
	assert_true(facts_has(&facts, PROTO_BT_DHT));
	assert_int_equal(facts.reason, UND_BENCODE_DEPTH);
}

/* The examples of BEP 42. */
static void node_ids_of_addresses(void **state)
{
	static const struct {
		const char *address;
		uint8_t id[3], last;
	} rows[] = {
		{ "124.31.75.21", { 0x5f, 0xbf, 0xbf }, 1 },
		{ "21.75.31.124", { 0x5a, 0x3c, 0xe9 }, 86 },
		{ "65.23.51.170", { 0xa5, 0xd4, 0x32 }, 22 },
		{ "84.124.73.14", { 0x1b, 0x03, 0x21 }, 65 },
		{ "43.213.53.83", { 0xe5, 0x6f, 0x6c }, 90 },
	};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		uint8_t id[20] = { rows[i].id[0], rows[i].id[1], rows[i].id[2] };
		struct ipaddr a;

		id[19] = rows[i].last;
		assert_true(ipaddr_parse(rows[i].address, &a));
		assert_true(bt_node_id_matches(&a, id));
		for (size_t j = 0; j < 5; j++) {
			assert_true(ipaddr_parse(rows[j].address, &a));
			assert_int_equal(bt_node_id_matches(&a, id), i == j);
		}
		assert_true(ipaddr_parse(rows[i].address, &a));
		id[2] ^= 0x08; /* the 21st bit counts, the 22nd does not */
		assert_false(bt_node_id_matches(&a, id));
		id[2] ^= 0x08 | 0x04;
		assert_true(bt_node_id_matches(&a, id));
		id[19] ^= 1;
		assert_false(bt_node_id_matches(&a, id));
	}
}

static void p_utp_state(struct frame *f)
{
	put16(f, 0x2100);
	put16(f, 0x3039);
	put32(f, 0x12345679);
	put32(f, 100);
	put32(f, 0x100000);
	put32(f, 0x00010001);
}

static void p_utp_handshake(struct frame *f)
{
	put16(f, 0x0100);
	put16(f, 0x303a);
	put32(f, 0x12345680);
	put32(f, 100);
	put32(f, 0x100000);
	put32(f, 0x00020001);
	p_bt_handshake(f);
	p_bt_extended(f);
}

static void utp_needs_syn_then_state(void **state)
{
	decoder_reset(*state);
	run(*state, UDP4, 6881, 6882, p_utp_state);
	assert_true(facts.weak & P(BT_UTP));
	run(*state, UDP4, 6881, 6882, p_utp_syn);
	assert_false(facts.weak & P(BT_UTP));
	assert_int_equal(facts.bt.utp_type, 4);
	run(*state, UDP4, 6881, 6882, p_utp_state);
	assert_true(facts_has(&facts, PROTO_BT_UTP));
	assert_false(facts.weak & P(BT_UTP));
	run(NULL, UDP4, 6881, 6882, p_utp_handshake);
	assert_true(facts_has(&facts, PROTO_BT_HANDSHAKE));
	assert_place(PLACE_BT_YOURIP, 0, "198.51.100.2", 0);
}

static void lsd_fields(void **state)
{
	(void)state;
	run(NULL, UDP4, 6771, 6771, p_lsd);
	assert_true(facts.bt.has_info_hash);
	assert_int_equal(facts.bt.info_hash[0], 0x01);
	assert_int_equal(facts.bt.info_hash[15], 0xef);
	assert_int_equal(facts.bt.port, 6881);
}

static void websocket_candidates(void **state)
{
	(void)state;
	run(NULL, TCP4, 40000, 80, p_websocket);
	assert_place(PLACE_BT_WS_ADDRESS, 0, "203.0.113.10", 0);
}

/* ---- TLS, QUIC, HTTP ---- */

static void hello_fields(void **state)
{
	(void)state;
	run(NULL, TCP4, 40000, 443, p_tls_hello);
	assert_true(facts.tls.has_sni);
	assert_string_equal(facts.tls.sni, "indexer.test");
	assert_string_equal(facts.tls.alpn, "h2,http/1.1");
	assert_int_equal(facts.tls.version, 0x0304);
	assert_false(facts.tls.over_quic);
	run(NULL, TCP4, 40000, 443, p_tls_records);
	assert_string_equal(facts.tls.sni, "indexer.test");
}

static void p_forwarded(struct frame *f)
{
	put_text(f, "GET / HTTP/1.1\r\nHost: indexer.test\r\nX-Forwarded-For: 203.0.113.10, "
		    "10.0.0.1\r\nForwarded: for=\"[2001:db8:1::10]:80\";proto=http\r\n\r\n");
}

static void forwarded_addresses(void **state)
{
	(void)state;
	run(NULL, TCP4, 40000, 80, p_forwarded);
	assert_place(PLACE_HTTP_HEADER, 0, "203.0.113.10", 0);
	assert_place(PLACE_HTTP_HEADER, 1, "10.0.0.1", 0);
	assert_place(PLACE_HTTP_HEADER, 2, "2001:db8:1::10", 80);
}

static void soap_fields(void **state)
{
	(void)state;
	run(NULL, TCP4, 40000, 5000, p_soap);
	assert_string_equal(facts.portmap.action, "AddPortMapping");
	assert_int_equal(facts.portmap.external_port, 6881);
	assert_int_equal(facts.portmap.internal_port, 6882);
	assert_int_equal(facts.portmap.protocol, 6);
	assert_int_equal(facts.portmap.lifetime, 3600);
	assert_place(PLACE_UPNP_CLIENT, 0, "10.77.0.3", 0);
}

/* ---- Others ---- */

static void stun_fields(void **state)
{
	(void)state;
	run(NULL, UDP4, 3478, 40000, p_stun);
	assert_int_equal(facts.stun.type, 0x0101);
	assert_false(facts.stun.classic);
	assert_place(PLACE_STUN_MAPPED, 0, "203.0.113.10", 6864);
	assert_place(PLACE_STUN_MAPPED, 1, "203.0.113.10", 6864);
	assert_string_equal(facts.stun.software, "libwr");
}

/* RFC 5769 2.3: the response whose mapped address is 2001:db8:1234:5678:11:2233:4455:6677 port 32853. */
static void p_stun_rfc5769(struct frame *f)
{
	put(f, "\1\1\0\x18\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae", 20);
	put(f, "\0\x20\0\x14\0\2\xa1\x47", 8);
	put(f, "\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9", 16);
}

static void stun_v6_is_xored_with_the_transaction(void **state)
{
	(void)state;
	run(NULL, UDP4, 3478, 40000, p_stun_rfc5769);
	assert_place(PLACE_STUN_MAPPED, 0, "2001:db8:1234:5678:11:2233:4455:6677", 32853);
}

static void port_mapping_fields(void **state)
{
	(void)state;
	run(NULL, UDP4, 40000, 5351, p_natpmp_map);
	assert_int_equal(facts.portmap.protocol, 6);
	assert_int_equal(facts.portmap.internal_port, 6881);
	assert_int_equal(facts.portmap.external_port, 6882);
	assert_int_equal(facts.portmap.lifetime, 3600);
	run(NULL, UDP4, 40000, 5351, p_pcp_map);
	assert_place(PLACE_PCP_CLIENT, 0, "10.77.0.3", 0);
	assert_int_equal(facts.portmap.internal_port, 6881);
	assert_int_equal(facts.portmap.protocol, 6);
}

static void dhcp_fields(void **state)
{
	char buf[IPADDR_TEXT];

	(void)state;
	run(NULL, UDP4, 67, 68, p_dhcp_ack);
	assert_int_equal(facts.dhcp.type, 5);
	assert_int_equal(facts.dhcp.xid, 0xcafebabe);
	assert_string_equal(facts.dhcp.hostname, "seed");
	assert_int_equal(facts.dhcp.n_routes, 2);
	assert_int_equal(facts.dhcp.routes[0].len, 1);
	assert_int_equal(facts.dhcp.routes[1].len, 24);
	assert_string_equal(ipaddr_format(&facts.dhcp.routes[1].net, buf, sizeof(buf)),
			    "198.51.100.0");
	assert_string_equal(ipaddr_format(&facts.dhcp.routes[1].router, buf, sizeof(buf)),
			    "10.77.0.66");
	assert_string_equal(ipaddr_format(&facts.dhcp.yiaddr, buf, sizeof(buf)), "10.77.0.3");
}

static void wireguard_sizes(void **state)
{
	uint8_t m[2000] = { 4 };
	struct wg_facts w;

	(void)state;
	m[4] = 0x11;
	m[8] = 7;
	assert_true(wireguard_message(m, 128, 128, &w));
	assert_int_equal(w.receiver, 0x11);
	assert_int_equal(w.counter, 7);
	assert_true(wireguard_message(m, 32, 32, NULL)); /* keep-alive */
	assert_false(wireguard_message(m, 31, 31, NULL));
	assert_false(wireguard_message(m, 130, 130, NULL));
	assert_true(wireguard_message(m, 1452, 1452, NULL)); /* full at MTU 1420 */
	assert_true(wireguard_message(m, 608, 608, NULL));
	assert_false(wireguard_message(m, 607, 607, NULL));
	assert_true(wireguard_message(m, 60, 1452, NULL)); /* cut by the capture */
	m[1] = 1;
	assert_false(wireguard_message(m, 128, 128, NULL));
	m[1] = 0;
	m[0] = 1;
	assert_true(wireguard_message(m, 148, 148, NULL));
	assert_false(wireguard_message(m, 149, 149, NULL));
	m[0] = 2;
	assert_true(wireguard_message(m, 92, 92, NULL));
	assert_false(wireguard_message(m, 91, 91, NULL));
	m[0] = 3;
	assert_true(wireguard_message(m, 64, 64, NULL));
	assert_false(wireguard_message(m, 80, 80, NULL));
	m[0] = 5;
	assert_false(wireguard_message(m, 128, 128, NULL));
	m[0] = 0;
	assert_false(wireguard_message(m, 128, 128, NULL));
}

static void p_openvpn_data(struct frame *f)
{
	put8(f, 9 << 3);
	put_fill(f, 90, 0x61);
}

static void openvpn_data_needs_its_reset_or_port(void **state)
{
	decoder_reset(*state);
	run(*state, UDP4, 40000, 443, p_openvpn_data);
	assert_false(facts_has(&facts, PROTO_OPENVPN));
	run(*state, UDP4, 40000, 1194, p_openvpn_data);
	assert_true(facts.weak & P(OPENVPN));
	run(*state, UDP4, 40000, 443, p_openvpn_reset);
	assert_false(facts.weak & P(OPENVPN));
	run(*state, UDP4, 40000, 443, p_openvpn_data);
	assert_true(facts_has(&facts, PROTO_OPENVPN));
	assert_false(facts.weak & P(OPENVPN));
	assert_int_equal(facts.openvpn.opcode, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dns_query_fields),
		cmocka_unit_test(dns_answer_fields),
		cmocka_unit_test(mdns_names_all_questions),
		cmocka_unit_test(netbios_names_are_decoded),
		cmocka_unit_test(bad_names_are_named),
		cmocka_unit_test(what_is_on_port_53_is_dns),
		cmocka_unit_test(handshake_fields),
		cmocka_unit_test(extension_handshake_addresses),
		cmocka_unit_test(pex_addresses),
		cmocka_unit_test(announce_fields),
		cmocka_unit_test(tracker_reply_fields),
		cmocka_unit_test(udp_tracker_replies_need_a_request),
		cmocka_unit_test(udp_announce_fields),
		cmocka_unit_test(dht_fields),
		cmocka_unit_test(bencode_depth_is_bounded),
		cmocka_unit_test(node_ids_of_addresses),
		cmocka_unit_test(utp_needs_syn_then_state),
		cmocka_unit_test(lsd_fields),
		cmocka_unit_test(websocket_candidates),
		cmocka_unit_test(hello_fields),
		cmocka_unit_test(forwarded_addresses),
		cmocka_unit_test(soap_fields),
		cmocka_unit_test(stun_fields),
		cmocka_unit_test(stun_v6_is_xored_with_the_transaction),
		cmocka_unit_test(port_mapping_fields),
		cmocka_unit_test(dhcp_fields),
		cmocka_unit_test(wireguard_sizes),
		cmocka_unit_test(openvpn_data_needs_its_reset_or_port),
	};

	return cmocka_run_group_tests_name("packet_app", tests, decoder_setup, decoder_teardown);
}
