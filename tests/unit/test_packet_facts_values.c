/* SPDX-License-Identifier: MIT */
/* What stands in the JSON of facts, and what is left out where it would say nothing: facts by hand, without a decoder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "base/cleanup.h"
#include "packet/decode.h"

static struct facts facts;

static void begin(enum proto p)
{
	memset(&facts, 0, sizeof(facts));
	facts.protos = PROTO_BIT(p);
	facts.n_layers = 1;
	facts.layer[0].version = 4;
}

/* The value at "a.0.b" as compact JSON, "-" where there is none. */
static void expect(const char *path, const char *want)
{
	_cleanup_json_ json_t *whole = facts_to_json(&facts);
	_cleanup_free_ char *parts = strdup(path), *text = NULL;
	const json_t *at = whole;
	char *save = NULL;

	for (char *p = strtok_r(parts, ".", &save); p && at; p = strtok_r(NULL, ".", &save))
		at = json_is_array(at) ? json_array_get(at, strtoul(p, NULL, 10))
				       : json_object_get(at, p);
	text = at ? json_dumps(at, JSON_COMPACT | JSON_ENCODE_ANY) : strdup("-");
	assert_non_null(text);
	if (strcmp(text, want) != 0)
		fail_msg("%s is %s, not %s", path, text, want);
}

static void link_values(void **state)
{
	(void)state;
	begin(PROTO_TCP);
	memcpy(facts.src_mac, "\x02\x00\x00\x00\x00\x10", 6);
	memcpy(facts.dst_mac, "\x02\xab\x00\x00\x00\x01", 6);
	facts.linktype = LINK_ETHERNET;
	expect("src_mac", "-");
	expect("vlan", "-");
	expect("ethertype", "-");
	facts.has_macs = true;
	facts.n_vlans = 2;
	facts.vlan[0] = 7;
	facts.vlan[1] = 4094;
	facts.ethertype = 0x800;
	expect("src_mac", "\"02:00:00:00:00:10\"");
	expect("dst_mac", "\"02:ab:00:00:00:01\"");
	expect("vlan", "[7,4094]");
	expect("ethertype", "2048");
	expect("packet_type", "-");
	expect("ifindex", "-");
	facts.sll_type = 4;
	facts.linktype = LINK_SLL;
	expect("dst_mac", "-");
	expect("packet_type", "4");
	facts.linktype = LINK_SLL2;
	facts.ifindex = 3;
	expect("packet_type", "4");
	expect("ifindex", "3");
	facts.linktype = LINK_RAW;
	expect("packet_type", "-");
}

static void layer_values(void **state)
{
	struct net_layer *l = &facts.layer[0];

	(void)state;
	begin(PROTO_UDP);
	l->proto = IPPROTO_UDP;
	l->payload_wire = 9;
	l->payload_len = 9;
	expect("layers.0.in", "-");
	expect("layers.0.fragment_offset", "-");
	expect("layers.0.type", "-");
	expect("layers.0.flags", "-");
	expect("layers.0.payload_captured", "-");
	l->encap = ENCAP_GRE;
	l->frag = FRAG_LATER;
	l->frag_offset = 1480;
	l->payload_len = 5;
	expect("layers.0.in", "\"gre\"");
	expect("layers.0.fragment_offset", "1480");
	expect("layers.0.more_fragments", "false");
	expect("layers.0.payload", "9");
	expect("layers.0.payload_captured", "5");
	l->proto = IPPROTO_TCP;
	l->tcp_flags = TCP_SYN | TCP_URG;
	expect("layers.0.flags", "-");
	l->frag = FRAG_NONE;
	expect("layers.0.flags", "\"SU\"");
	expect("layers.0.type", "-");
}

static void icmp_values(void **state)
{
	static const uint8_t echo[][2] = { { IPPROTO_ICMP, 8 },
					   { IPPROTO_ICMP, 0 },
					   { IPPROTO_ICMPV6, 128 },
					   { IPPROTO_ICMPV6, 129 } };
	struct net_layer *l = &facts.layer[0];

	(void)state;
	begin(PROTO_ICMP);
	l->icmp_id = 77;
	l->icmp_seq = 9;
	for (size_t i = 0; i < 4; i++) {
		l->proto = echo[i][0];
		l->icmp_type = echo[i][1];
		expect("layers.0.echo_id", "77");
		expect("layers.0.echo_seq", "9");
		l->icmp_type = 3;
		expect("layers.0.type", "3");
		expect("layers.0.echo_id", "-");
		l->frag = FRAG_LATER;
		expect("layers.0.type", "-");
		l->frag = FRAG_NONE;
	}
	l->icmp_type = 8; /* of the other family */
	expect("layers.0.echo_id", "-");
	l->proto = IPPROTO_ICMP;
	l->icmp_type = 128;
	expect("layers.0.echo_id", "-");
}

static void neighbour_values(void **state)
{
	(void)state;
	begin(PROTO_ND);
	facts.nd.router_lifetime = 1800;
	facts.nd.type = 135;
	expect("nd.router_lifetime", "-");
	facts.nd.type = 134;
	expect("nd.router_lifetime", "1800");
	expect("nd.route_length", "-");
	facts.nd.has_route = true;
	facts.nd.route_len = 48;
	expect("nd.route_length", "48");
}

static void dhcp_values(void **state)
{
	(void)state;
	begin(PROTO_DHCP);
	facts.dhcp.n_routes = 2;
	facts.dhcp.routes_total = 2;
	expect("dhcp.routes_total", "-");
	facts.dhcp.routes_total = 3;
	expect("dhcp.routes_total", "3");
	facts.weak = facts.protos;
	expect("dhcp", "-");
	begin(PROTO_UDP);
	expect("dhcp", "-");
}

static void openvpn_values(void **state)
{
	(void)state;
	begin(PROTO_OPENVPN);
	memcpy(facts.openvpn.session, "\x01\x02\x03\x04\x05\x06\xa7\x08", 8);
	facts.openvpn.opcode = 6;
	expect("openvpn.session", "-");
	facts.openvpn.opcode = 9;
	expect("openvpn.session", "-");
	facts.openvpn.opcode = 7;
	expect("openvpn.session", "\"010203040506a708\"");
}

static void wireguard_values(void **state)
{
	static const char *const want[4][3] = {
		{ "5", "-", "-" }, { "5", "6", "-" }, { "-", "6", "-" }, { "-", "6", "7" }
	};

	(void)state;
	begin(PROTO_WIREGUARD);
	facts.wg = (struct wg_facts){ .sender = 5, .receiver = 6, .counter = 7 };
	for (uint8_t type = 1; type <= 4; type++) {
		facts.wg.type = type;
		expect("wireguard.sender", want[type - 1][0]);
		expect("wireguard.receiver", want[type - 1][1]);
		expect("wireguard.counter", want[type - 1][2]);
	}
	facts.wg.counter = INT64_MAX;
	expect("wireguard.counter", "9223372036854775807");
	facts.wg.counter++; /* no number of JSON's readers */
	expect("wireguard.counter", "-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_values),	    cmocka_unit_test(layer_values),
		cmocka_unit_test(icmp_values),	    cmocka_unit_test(neighbour_values),
		cmocka_unit_test(dhcp_values),	    cmocka_unit_test(openvpn_values),
		cmocka_unit_test(wireguard_values),
	};

	return cmocka_run_group_tests_name("packet_facts_values", tests, NULL, NULL);
}
