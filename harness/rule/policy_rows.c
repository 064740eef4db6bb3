// SPDX-License-Identifier: MIT
/* The keys of a policy as rows: the reader, `leakproof list policy-keys` and the reference read the same. */
#include "rule/policy_rows.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 65536

/* ---- types of words ---- */

static bool parse_number(const char *word, unsigned long most, unsigned long *n)
{
	char *end;

	/* strtoul() takes blanks and signs, which nobody means */
	if (*word < '0' || *word > '9' || strlen(word) > 10)
		return false;
	*n = strtoul(word, &end, 10);
	return *end == '\0' && *n <= most;
}

static bool parse_address(const char *word, void *at)
{
	return ipaddr_parse(word, at);
}

static bool parse_prefix(const char *word, void *at)
{
	return policy_prefix_parse(word, at);
}

bool policy_proto_parse(const char *word, uint8_t *proto)
{
	unsigned long n;

	for (const struct policy_proto *x = policy_protos; x->name; x++)
		if (strcmp(x->name, word) == 0) {
			*proto = x->number;
			return true;
		}
	if (!parse_number(word, 255, &n) || n == 0)
		return false;
	*proto = (uint8_t)n;
	return true;
}

static bool parse_proto(const char *word, void *at)
{
	return policy_proto_parse(word, at);
}

/* What has ports. */
static bool parse_transport(const char *word, void *at)
{
	uint8_t proto;

	if (!policy_proto_parse(word, &proto) || (proto != IPPROTO_TCP && proto != IPPROTO_UDP))
		return false;
	*(uint8_t *)at = proto;
	return true;
}

static bool parse_port(const char *word, void *at)
{
	unsigned long n;

	if (!parse_number(word, 65535, &n) || n == 0)
		return false;
	*(uint16_t *)at = (uint16_t)n;
	return true;
}

/* Two members beside each other: the lowest and the highest. */
static bool parse_ports(const char *word, void *at)
{
	const char *dash = strchr(word, '-');
	uint16_t range[2];
	char low[8] = "";

	if (dash && dash - word < (ptrdiff_t)sizeof(low))
		memcpy(low, word, (size_t)(dash - word));
	if (!parse_port(dash ? low : word, &range[0]) ||
	    !parse_port(dash ? dash + 1 : word, &range[1]) || range[0] > range[1])
		return false;
	memcpy(at, range, sizeof(range));
	return true;
}

static bool parse_id(const char *word, void *at)
{
	unsigned long n;

	if (!parse_number(word, UINT32_MAX, &n))
		return false;
	*(uint32_t *)at = (uint32_t)n;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* n bytes in hex with `sep` between them when it is not 0, and then the flag that says they are known. */
static bool parse_bytes(const char *s, char sep, uint8_t *at, size_t n)
{
	uint8_t out[POLICY_NONCE_LEN + 1];

	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(s[0]);
		int low = high < 0 ? -1 : hex_digit(s[1]);

		if (low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
		s += 2;
		if (sep && i + 1 < n && *s++ != sep)
			return false;
	}
	if (*s)
		return false;
	memcpy(at, out, n);
	*(bool *)(at + n) = true;
	return true;
}

static bool parse_mac(const char *word, void *at)
{
	return parse_bytes(word, ':', at, 6);
}

static bool parse_nonce(const char *word, void *at)
{
	return parse_bytes(word, 0, at, POLICY_NONCE_LEN);
}

#define FLAG_FOLLOWS(st, m) \
	_Static_assert(offsetof(st, has_##m) == offsetof(st, m) + sizeof(((st *)NULL)->m), #m)
FLAG_FOLLOWS(struct policy, nonce);
FLAG_FOLLOWS(struct policy, control_mac);
FLAG_FOLLOWS(struct policy_attachment, mac);
FLAG_FOLLOWS(struct policy_tap, mac);
FLAG_FOLLOWS(struct policy_tap, peer_mac);
#define HIGH_FOLLOWS(m)                                                    \
	_Static_assert(offsetof(struct policy_allow, m##_high) ==          \
			       offsetof(struct policy_allow, m##_low) + 2, \
		       #m)
HIGH_FOLLOWS(port);
HIGH_FOLLOWS(local);

static const char *const proto_words[] = { "tcp", "udp", "icmp", "icmp6", "igmp",
					   "gre", "esp", "sctp", NULL };
static const char *const prefix_words[] = { "any", NULL };

static const struct field_value address_type = { .shown = "address",
						 .wanted = "an IPv4 or IPv6 address",
						 .size = sizeof(struct ipaddr),
						 .parse = parse_address };
static const struct field_value prefix_type = {
	.shown = "address, prefix or `any`",
	.wanted = "an address, a prefix such as 192.168.1.0/24, or any",
	.names = prefix_words,
	.parse = parse_prefix
};
static const struct field_value proto_type = {
	.shown = "`tcp`, `udp`, `icmp`, `icmp6`, `igmp`, `gre`, `esp`, `sctp`, or a number",
	.wanted = "a protocol: tcp, udp, icmp, icmp6, igmp, gre, esp, sctp, or a number to 255",
	.names = proto_words,
	.parse = parse_proto
};
static const struct field_value transport_type = { .shown = "`tcp`, `udp`",
						   .wanted = "tcp or udp",
						   .parse = parse_transport };
static const struct field_value port_type = { .shown = "port",
					      .wanted = "a port, 1 to 65535",
					      .parse = parse_port };
static const struct field_value ports_type = {
	.shown = "port, or `low-high`",
	.wanted = "a port, 1 to 65535, or a range such as 6881-6889",
	.parse = parse_ports
};
static const struct field_value id_type = { .shown = "number",
					    .wanted = "a number, 0 to 4294967295",
					    .parse = parse_id };
static const struct field_value mac_type = { .shown = "MAC address",
					     .wanted = "a MAC address such as 02:42:ac:1e:00:03",
					     .parse = parse_mac };
static const struct field_value nonce_type = { .shown = "32 hex digits",
					       .wanted = "32 hex digits",
					       .parse = parse_nonce };

/* ---- the rows ---- */

const struct field policy_tunnel_fields[] = {
	ROW_ENUM("kind", struct policy_tunnel, kind, policy_kind_words, .required = true,
		 .help = "the protocol that the payload must look like"),
	ROW_VALUE("proto", struct policy_tunnel, proto, uint8_t, transport_type, .required = true,
		  .help = "what carries it: `udp`, or `tcp` for OpenVPN over TCP"),
	ROW_VALUE("endpoint", struct policy_tunnel, endpoint, struct ipaddr, address_type,
		  .required = true, .help = "the VPN server, as the uplink sees it"),
	ROW_VALUE("port", struct policy_tunnel, port, uint16_t, port_type, .required = true,
		  .help = "of the VPN server; another port of the same server is a leak"),
	ROW_END,
};

const struct field policy_network_fields[] = {
	ROW_STRING("name", struct policy_network, name, .required = true,
		   .help = "what the legs of the services call it"),
	ROW_STRING("bridge", struct policy_network, bridge, .def = "",
		   .help = "its interface on the host; a tap with this `interface` sees it whole"),
	ROW_VALUE("prefix", struct policy_network, prefix, struct policy_prefix, prefix_type,
		  .required = true, .help = "what lies in it is local to the stack"),
	ROW_END,
};

const struct field policy_leg_fields[] = {
	ROW_VALUE("addr", struct policy_attachment, addr, struct ipaddr, address_type,
		  .help = "its address there"),
	ROW_VALUE("mac", struct policy_attachment, mac, uint8_t *, mac_type,
		  .help = "its MAC address there"),
	ROW_STRING("network", struct policy_attachment, network, .def = "",
		   .help = "a name of `networks`"),
	ROW_END,
};

const struct field policy_service_fields[] = {
	ROW_STRING("name", struct policy_service, name, .required = true,
		   .help = "what findings call it"),
	ROW_ENUM("role", struct policy_service, role, policy_role_words, .required = true,
		 .help = "`protected`: nothing of it may leave beside the tunnel. `gateway`: "
			 "carries "
			 "the tunnel. `edge`: may use the uplink for what `allow` lists"),
	ROW_MAPS("legs", struct policy_service, legs, n_legs, struct policy_attachment,
		 policy_leg_fields, ROWS_MAX, "a leg",
		 .help = "its places in the networks: see below"),
	ROW_END,
};

const struct field policy_allow_fields[] = {
	ROW_STRING("who", struct policy_allow, who, .required = true,
		   .help = "`host`, `lan` (hosts of the local network, as seen by a tap there), or "
			   "the "
			   "name of a service"),
	ROW_VALUE("proto", struct policy_allow, proto, uint8_t, proto_type, .required = true,
		  .help = "never left out: nothing is excused by its address alone"),
	ROW_VALUE("peer", struct policy_allow, peer, struct policy_prefix, prefix_type,
		  .required = true, .help = "the other side"),
	ROW_VALUE("port", struct policy_allow, port_low, uint16_t, ports_type,
		  .help = "of the other side; TCP and UDP want this or `local-port`"),
	ROW_VALUE("local-port", struct policy_allow, local_low, uint16_t, ports_type,
		  .help = "the own one, of what listens"),
	ROW_ENUM("direction", struct policy_allow, direction, policy_direction_words,
		 .required = true, .help = "`out` leaves the host, `in` comes to it"),
	ROW_ENUM("shape", struct policy_allow, shape, policy_shape_words, .required = true,
		 .help = "what the payload must look like; `any` must be written out, and the "
			 "coverage "
			 "report shows it; a packet that was captured too short to show its shape "
			 "passes, but the verdict is inconclusive"),
	ROW_STRING("reason", struct policy_allow, reason, .required = true,
		   .help = "for people: the coverage report calls the allowance so"),
	ROW_END,
};

const struct field policy_published_fields[] = {
	ROW_VALUE("proto", struct policy_published, proto, uint8_t, transport_type,
		  .required = true, .help = "of the port"),
	ROW_VALUE("port", struct policy_published, port, uint16_t, port_type, .required = true,
		  .help = "on the host"),
	ROW_STRING("service", struct policy_published, service, .required = true,
		   .help = "which answers there"),
	ROW_END,
};

const struct field policy_canary_fields[] = {
	ROW_VALUE("id", struct policy_canary, id, uint32_t, id_type, .required = true,
		  .help = "below 2147483648"),
	ROW_STRING("service", struct policy_canary, service, .required = true,
		   .help = "in whose network namespace it was sent"),
	ROW_STRING("probe", struct policy_canary, probe, .def = "", .help = "what sent it"),
	ROW_STRING("label", struct policy_canary, label, .def = "",
		   .help = "DNS label that was made for it"),
	ROW_VALUE("dest", struct policy_canary, dest, struct ipaddr, address_type,
		  .help = "a destination that nothing else goes to"),
	ROW_VALUE("proto", struct policy_canary, proto, uint8_t, proto_type,
		  .help = "to `dest`; any when left out"),
	ROW_VALUE("port", struct policy_canary, port, uint16_t, port_type,
		  .help = "of `dest`; any when left out"),
	ROW_END,
};

const struct field policy_control_fields[] = {
	ROW_VALUE("id", struct policy_control, id, uint32_t, id_type, .required = true,
		  .help = "2147483648 and above"),
	ROW_STRING("rule", struct policy_control, rule, .required = true,
		   .help = "that has to catch it: `leakproof list rules`"),
	ROW_STRING("tap", struct policy_control, tap, .required = true,
		   .help = "that has to see it"),
	ROW_END,
};

const struct field policy_tap_fields[] = {
	ROW_STRING("name", struct policy_tap, name, .required = true,
		   .help = "what findings call it, and `TAP=FILE` of `leakproof analyze`"),
	ROW_ENUM("role", struct policy_tap, role, policy_tap_words, .required = true,
		 .help = "`uplink`: the host's way out. `isp`: its far end. `bridge`, `veth`: "
			 "inside the "
			 "stack. `lo`: loopback. `exit`: inside the tunnel, at the VPN server"),
	ROW_STRING(
		"interface", struct policy_tap, interface, .def = "",
		.help = "of the capture; ties a bridge to its network, and interfaces of a pcapng "
			"file to their taps"),
	ROW_STRING("service", struct policy_tap, service, .def = "", .help = "whose `veth` it is"),
	ROW_STRING("file", struct policy_tap, file, .def = "",
		   .help = "its capture; a file of that name needs no `TAP=`"),
	ROW_VALUE("mac", struct policy_tap, mac, uint8_t *, mac_type,
		  .help = "of the host's side of the uplink: tells what left from what came"),
	ROW_VALUE("peer-mac", struct policy_tap, peer_mac, uint8_t *, mac_type,
		  .help = "of the next hop: all else left, but for neighbours where `mac` is "
			  "given too"),
	ROW_END,
};

const struct field policy_fields[] = {
	ROW_BOOL("closed-world", struct policy, closed_world, .def = "false",
		 .help = "`true` where the host makes no traffic of its own (a lab): whatever "
			 "leaves and is "
			 "not named here belongs to the stack. `false`: a leak needs evidence "
			 "whose it is"),
	ROW_VALUES("real", struct policy, real, n_real, struct ipaddr, address_type, ROWS_MAX,
		   .help = "addresses that must not get out: the public ones, and the host's own "
			   "on the "
			   "local network"),
	ROW_VALUES("tunnel-addresses", struct policy, tunnel_addrs, n_tunnel_addrs, struct ipaddr,
		   address_type, ROWS_MAX, .help = "inner addresses of the gateway"),
	ROW_MAPS("tunnels", struct policy, tunnels, n_tunnels, struct policy_tunnel,
		 policy_tunnel_fields, ROWS_MAX, "a tunnel",
		 .help = "exactly what may leave: see below"),
	ROW_MAPS("networks", struct policy, networks, n_networks, struct policy_network,
		 policy_network_fields, ROWS_MAX, "a network", .help = "of the stack: see below"),
	ROW_MAPS("services", struct policy, services, n_services, struct policy_service,
		 policy_service_fields, ROWS_MAX, "a service", .help = "see below"),
	ROW_MAPS("allow", struct policy, allows, n_allows, struct policy_allow, policy_allow_fields,
		 ROWS_MAX, "an allowance", .help = "what else may leave: see below"),
	ROW_MAPS("published", struct policy, published, n_published, struct policy_published,
		 policy_published_fields, ROWS_MAX, "a published port",
		 .help = "`ports:` of the Compose file: see below"),
	ROW_MAPS("taps", struct policy, taps, n_taps, struct policy_tap, policy_tap_fields,
		 ROWS_MAX, "a tap", .help = "where captures were made: see below"),
	ROW_VALUE("nonce", struct policy, nonce, uint8_t *, nonce_type,
		  .help = "of a run: marks its canaries and controls"),
	ROW_VALUE("control-mac", struct policy, control_mac, uint8_t *, mac_type,
		  .help = "source of the frames that a run forged"),
	ROW_MAPS("canaries", struct policy, canaries, n_canaries, struct policy_canary,
		 policy_canary_fields, ROWS_MAX, "a canary",
		 .help = "packets that a run sent to be recognised: see below"),
	ROW_MAPS("controls", struct policy, controls, n_controls, struct policy_control,
		 policy_control_fields, ROWS_MAX, "a control",
		 .help = "leaks that a run forged on purpose: see below"),
	ROW_END,
};
