/* SPDX-License-Identifier: MIT */
/* The golden captures: what must fire, the hard forms of it, and near misses. A case RULE+NAME has to raise
 * RULE, a case RULE-NAME must not. */
#ifndef GOLDEN_CASES_H
#define GOLDEN_CASES_H

#include "golden/frames.h"

#define GOLDEN_FRAMES 16

struct golden_frame {
	const char *tap;
	int64_t us; /* after the start */
	struct bytes b;
};

struct golden {
	struct golden_frame f[GOLDEN_FRAMES];
	size_t n;
};

static inline void add(struct golden *g, const char *tap, int64_t us, struct bytes b)
{
	if (g->n == GOLDEN_FRAMES)
		abort();
	g->f[g->n++] = (struct golden_frame){ .tap = tap, .us = us, .b = b };
}

#define REAL "203.0.113.10"
#define REAL6 "2001:db8:1::10"
#define ROUTER "203.0.113.1"
#define VPN "198.51.100.2"
#define SINK "198.51.100.134"
#define SINK6 "2001:db8:2::134"
#define TUN "10.64.0.2"
#define QBT "172.30.0.130"
#define SONARR "172.30.0.131"
#define PLEX "172.28.0.3"
#define MARKER "6c70000102030405060708090a0b0c0d"

#define M_HOST "020000000010"
#define M_ROUTER "020000000001"
#define M_QBT "0242ac1e0082"
#define M_SONARR "0242ac1e0083"
#define M_GATEWAY "0242ac1e0003"
#define M_PLEX "0242ac1c0003"
#define M_STRANGER "020000000077"

#define P_ICMP 1
#define P_TCP 6
#define P_UDP 17
#define P_ICMP6 58

static inline struct bytes out(struct bytes p)
{
	return eth(M_HOST, M_ROUTER, ethertype_of(p), p);
}

static inline struct bytes in(struct bytes p)
{
	return eth(M_ROUTER, M_HOST, ethertype_of(p), p);
}

static inline struct bytes app(struct bytes p)
{
	return eth(M_QBT, M_GATEWAY, ethertype_of(p), p);
}

/* 802.1Q: id 7 */
static inline struct bytes vlan(struct bytes frame)
{
	struct bytes head = slice(frame, 0, 12);

	return cat(cat(head, hex("8100 0007")), slice(frame, 12, frame.n - 12));
}

/* The four cases of a rule for one protocol: plain; hard = VLAN, IPv6 and an odd port where the protocol has
 * no port of its own; misses = the same packet coming in, and the same packet seen on the bridge only. */
#define DATAGRAM(name, payload, port, odd_port)                                                    \
	static void name##_plain(struct golden *g)                                                 \
	{                                                                                          \
		add(g, "uplink", 0, out(ip(REAL, SINK, P_UDP, udp(40001, port, payload))));        \
	}                                                                                          \
	static void name##_hard(struct golden *g)                                                  \
	{                                                                                          \
		add(g, "uplink", 0,                                                                \
		    vlan(out(ip(REAL6, SINK6, P_UDP, udp(40001, odd_port, payload)))));            \
	}                                                                                          \
	static void name##_inbound(struct golden *g)                                               \
	{                                                                                          \
		add(g, "uplink", 0, in(ip(SINK, REAL, P_UDP, udp(port, 40001, payload))));         \
	}                                                                                          \
	static void name##_inside(struct golden *g)                                                \
	{                                                                                          \
		add(g, "br-vpn", 0, app(ip(QBT, SINK, P_UDP, udp(40001, port, payload))));         \
	}

/* The same for a stream: hard = split in the middle of its head, over IPv6, on an odd port. */
#define STREAM(name, payload, port, odd_port, cut)                                                 \
	static void name##_plain(struct golden *g)                                                 \
	{                                                                                          \
		add(g, "uplink", 0, out(ip(REAL, SINK, P_TCP, tcp(40001, port, 1, F_SYN, fill(0, 0))))); \
		add(g, "uplink", 900,                                                              \
		    out(ip(REAL, SINK, P_TCP, tcp(40001, port, 2, F_ACK | F_PSH, payload))));      \
	}                                                                                          \
	static void name##_hard(struct golden *g)                                                  \
	{                                                                                          \
		struct bytes whole = payload;                                                      \
		add(g, "uplink", 0,                                                                \
		    out(ip(REAL6, SINK6, P_TCP, tcp(40001, odd_port, 1, F_SYN, fill(0, 0)))));     \
		add(g, "uplink", 900,                                                              \
		    out(ip(REAL6, SINK6, P_TCP,                                                    \
			   tcp(40001, odd_port, 2, F_ACK, slice(whole, 0, cut)))));                \
		add(g, "uplink", 950,                                                              \
		    out(ip(REAL6, SINK6, P_TCP,                                                    \
			   tcp(40001, odd_port, 2 + (cut), F_ACK | F_PSH,                          \
			       slice(whole, cut, whole.n - (cut))))));                             \
	}                                                                                          \
	static void name##_inbound(struct golden *g)                                               \
	{                                                                                          \
		add(g, "uplink", 0,                                                                \
		    in(ip(SINK, REAL, P_TCP, tcp(40001, port, 2, F_ACK | F_PSH, payload))));       \
	}                                                                                          \
	static void name##_inside(struct golden *g)                                                \
	{                                                                                          \
		add(g, "br-vpn", 0,                                                                \
		    app(ip(QBT, SINK, P_TCP, tcp(40001, port, 2, F_ACK | F_PSH, payload))));       \
	}

static inline struct bytes bt_handshake(void)
{
	return cat(cat(cat(be(19, 1), text("BitTorrent protocol")), hex("0000000000100005")),
		   cat(fill(0xab, 20), text("-qB4500-abcdefghijkl")));
}

static inline struct bytes announce(const char *extra)
{
	return text("GET /announce?info_hash=%%aa%%bb%%cc%%dd%%ee%%ff%%aa%%bb%%cc%%dd%%ee%%ff%%aa%%bb%%cc"
		    "%%dd%%ee%%ff%%aa%%bb&peer_id=-qB4500-abcdefghijkl&port=6881&uploaded=0&downloaded=0"
		    "&left=9&event=started%s HTTP/1.1\r\nHost: tracker.example\r\n\r\n",
		    extra);
}

static inline struct bytes ws_tracker(void)
{
	return text("GET / HTTP/1.1\r\nHost: tracker.example\r\nUpgrade: websocket\r\n"
		    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		    "Sec-WebSocket-Version: 13\r\n\r\n");
}

/* An announce of a WebTorrent client in a text frame, masked (RFC 6455 5.3). */
static inline struct bytes ws_announce(void)
{
	struct bytes json = text("{\"action\":\"announce\",\"info_hash\":\"x\",\"numwant\":5}");
	struct bytes mask = hex("37fa213d");

	for (size_t i = 0; i < json.n; i++)
		json.b[i] ^= mask.b[i % 4];
	return cat(cat(hex("81"), be(0x80 | json.n, 1)), cat(mask, json));
}

static inline struct bytes dht_ping(struct bytes id)
{
	return cat(cat(text("d1:ad2:id20:"), id), text("e1:q4:ping1:t2:aa1:y1:qe"));
}

static inline struct bytes udp_tracker_announce(struct bytes address)
{
	return cat(cat(cat(hex("1122334455667788 00000001 12345678"), fill(0xab, 20)),
		       cat(text("-qB4500-abcdefghijkl"), fill(0, 24))),
		   cat(cat(be(2, 4), address), hex("deadbeef ffffffff 1ae1")));
}

static inline struct bytes lsd(void)
{
	return text("BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\n"
		    "Infohash: abababababababababababababababababababab\r\ncookie: 17\r\n\r\n\r\n");
}

static inline struct bytes ssdp(void)
{
	return text("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n"
		    "MX: 3\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n");
}

static inline struct bytes pcp_map(void)
{
	struct bytes h = cat(hex("02 01 0000 00000e10"),
			     cat(hex("00000000 00000000 0000ffff"), addr(REAL)));

	return cat(cat(h, cat(fill(0x33, 12), hex("06 000000 1ae1 1ae1"))), fill(0, 16));
}

static inline struct bytes stun(void)
{
	return cat(hex("0001 0000 2112a442"), fill(0x44, 12));
}

static inline struct bytes utp(uint8_t first)
{
	return cat(be(first, 1), hex("00 1234 00000001 00000000 00100000 0001 0000"));
}

DATAGRAM(dns, dns_query(7, "tracker.example"), 53, 53)
DATAGRAM(udp_tracker, hex("0000041727101980 00000000 12345678"), 6969, 33123)
DATAGRAM(dht, dht_ping(fill(0x31, 20)), 6881, 33124)
DATAGRAM(lsd, lsd(), 6771, 6771)
DATAGRAM(stun, stun(), 3478, 33125)
DATAGRAM(ssdp, ssdp(), 1900, 1900)
DATAGRAM(natpmp, hex("0000"), 5351, 5351)
STREAM(bt_peer, bt_handshake(), 6881, 443, 11)
STREAM(bt_tracker, announce(""), 80, 8080, 30)
STREAM(sni, tls_hello("tracker.example"), 443, 8443, 40)
STREAM(http, text("GET /rss HTTP/1.1\r\nHost: indexer.example\r\n\r\n"), 80, 9117, 9)
STREAM(doh, tls_hello("dns.quad9.net"), 443, 8443, 60)

/* ---- cleartext ---- */

static void clear_udp(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, SINK, P_UDP, udp(40001, 9, fill(0x99, 200)))));
}

static void clear_proto253(struct golden *g)
{
	add(g, "uplink", 0, vlan(out(ip(QBT, SINK, 253, fill(0x99, 40)))));
}

static void clear_fragment(struct golden *g)
{
	struct ip_fields later = { .id = 9, .offset = 1480 };

	add(g, "uplink", 0, out(ip4o(REAL, SINK, P_UDP, later, fill(0x99, 64))));
}

static void clear_isp_only(struct golden *g)
{
	add(g, "isp", 0, out(ip(REAL, SINK, 132, cat(hex("9c41 0009 00000000 00000000"), fill(1, 20)))));
}

static void clear_port_beside_allowance(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, ROUTER, P_UDP, udp(40001, 124, hex("23 00 06 20")))));
}

static void clear_shape_beside_allowance(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, ROUTER, P_UDP, udp(40001, 123, dht_ping(fill(1, 20))))));
}

static void clear_address_beside_allowance(struct golden *g)
{
	struct bytes ntp = cat(hex("23 00 06 20"), fill(0, 44));

	add(g, "uplink", 0, out(ip(REAL, "203.0.113.2", P_UDP, udp(40001, 123, ntp))));
}

static void clear_canary_under_allowance(struct golden *g)
{
	add(g, "uplink", 0,
	    out(ip(REAL, ROUTER, P_UDP, udp(40001, 53, dns_query(3, "cq-8f21.canary.example")))));
}

static void clear_segments_of_big_frame(struct golden *g)
{
	/* one frame of 2 segments on the bridge leaves as two packets */
	add(g, "br-vpn", 0,
	    app(ip4o(QBT, SINK, P_TCP, (struct ip_fields){ .id = 50 },
		     tcp(40001, 9, 1000, F_ACK, fill(0x41, 1600)))));
	add(g, "uplink", 45,
	    out(ip4o(REAL, SINK, P_TCP, (struct ip_fields){ .id = 50, .ttl = 62 },
		     tcp(50001, 9, 1000, F_ACK, fill(0x41, 800)))));
	add(g, "uplink", 46,
	    out(ip4o(REAL, SINK, P_TCP, (struct ip_fields){ .id = 51, .ttl = 62 },
		     tcp(50001, 9, 1800, F_ACK, fill(0x41, 800)))));
}

static void miss_blocked(struct golden *g)
{
	add(g, "veth-qbt", 0, app(ip(QBT, SINK, P_UDP, udp(40001, 9, fill(0x99, 200)))));
	add(g, "br-vpn", 9, app(ip(QBT, SINK, P_UDP, udp(40001, 9, fill(0x99, 200)))));
}

static void miss_tunnel(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, VPN, P_UDP, udp(41000, 51820, wg_data(64, 5)))));
	add(g, "uplink", 10,
	    out(ip(REAL, VPN, P_UDP,
		   udp(41000, 51820, cat(hex("01000000"), fill(0x77, 144))))));
	add(g, "uplink", 20, in(ip(VPN, REAL, P_UDP, udp(51820, 41000, wg_data(0, 6)))));
}

static void miss_allowed(struct golden *g)
{
	struct bytes ntp = cat(hex("23 00 06 20"), fill(0, 44));

	add(g, "uplink", 0, out(ip(REAL, ROUTER, P_UDP, udp(40001, 123, ntp))));
	add(g, "uplink", 5,
	    out(ip(REAL, ROUTER, P_UDP, udp(40001, 53, dns_query(3, "deb.example")))));
}

static void miss_control(struct golden *g)
{
	add(g, "uplink", 0,
	    out(ip(REAL, SINK, P_UDP, udp(40001, 9, cat(hex(MARKER), be(0x80000001, 4))))));
	add(g, "uplink", 9,
	    out(ip(REAL, SINK, P_UDP,
		   udp(40001, 53,
		       dns_query(9, "ctl-plaintext-dns-6c70000102030405.canary.example")))));
}

static void miss_beacon(struct golden *g)
{
	add(g, "uplink", 0,
	    eth("026c65616b01", "020000000099", 0x88b5,
		cat(cat(text("beacon"), hex(MARKER)), be(0xffffffff, 4))));
}

static void miss_home_neighbours(struct golden *g)
{
	/* a real LAN, open world: neighbours and the host's own programs prove nothing */
	add(g, "uplink", 0,
	    eth("020000000044", "ffffffffffff", 0x0800,
		ip("192.168.1.44", "192.168.1.255", P_UDP, udp(137, 137, fill(0, 50)))));
	add(g, "uplink", 9,
	    eth("020000000010", M_ROUTER, 0x0800,
		ip("192.168.1.10", SINK, P_TCP, tcp(40001, 9, 5, F_SYN, fill(0, 0)))));
}

static void home_source(struct golden *g)
{
	add(g, "uplink", 0,
	    eth("020000000010", M_ROUTER, 0x0800,
		ip(QBT, SINK, P_TCP, tcp(40001, 9, 5, F_SYN, fill(0, 0)))));
}

/* What qBittorrent sends on its bridge, and what leaves the host in its place, translated. */
static inline void home_tried(struct golden *g)
{
	add(g, "br-vpn", 0,
	    app(ip4o(QBT, SINK, P_UDP, (struct ip_fields){ .id = 777 }, udp(40001, 9, fill(3, 90)))));
}

static inline void home_left(struct golden *g, int64_t us, uint16_t id, uint16_t port)
{
	add(g, "uplink", us,
	    eth("020000000010", M_ROUTER, 0x0800,
		ip4o("192.168.1.10", SINK, P_UDP, (struct ip_fields){ .id = id, .ttl = 63 },
		     udp(port, 9, fill(3, 90)))));
}

static void home_bridge_match(struct golden *g)
{
	home_tried(g);
	home_left(g, 45, 777, 61001);
}

/* A slow uplink's queue held it for more than a second. */
static void home_out_of_a_queue(struct golden *g)
{
	home_tried(g);
	home_left(g, 1300000, 777, 61001);
}

/* A datagram of 1500 bytes behind a line that takes 1492 (PPPoE). */
static void home_cut_for_the_uplink(struct golden *g)
{
	struct bytes inside = udp(40001, 9, fill(3, 1472)), outside = udp(61001, 9, fill(3, 1472));
	struct ip_fields f = { .id = 777, .ttl = 63, .more = 1 };

	add(g, "br-vpn", 0, app(ip4o(QBT, SINK, P_UDP, (struct ip_fields){ .id = 777 }, inside)));
	add(g, "uplink", 45,
	    eth("020000000010", M_ROUTER, 0x0800,
		ip4o("192.168.1.10", SINK, P_UDP, f, raw(outside.b, 1472))));
	f.offset = 1472;
	f.more = 0;
	add(g, "uplink", 46,
	    eth("020000000010", M_ROUTER, 0x0800,
		ip4o("192.168.1.10", SINK, P_UDP, f, raw(outside.b + 1472, 8))));
}

static struct bytes home_gre(const char *mac, const char *src, struct bytes packet)
{
	return eth(mac, M_ROUTER, 0x0800,
		   ip(src, "192.0.2.77", 47, cat(cat(be(0, 2), be(0x0800, 2)), packet)));
}

/* The host sends it on through tunnels of its own: 6in4 with the container's public address, GRE, VXLAN. */
static void home_wrapped(struct golden *g)
{
	struct bytes p = ip(QBT, SINK, P_UDP, udp(40001, 9, fill(3, 90)));
	struct bytes six = ip("2001:db8:7::82", SINK6, P_UDP, udp(40001, 9, fill(3, 90)));

	add(g, "br-vpn", 0, app(six));
	add(g, "uplink", 45,
	    eth("020000000010", M_ROUTER, 0x0800, ip("192.168.1.10", "192.0.2.77", 41, six)));
	add(g, "uplink", 60, home_gre("020000000010", "192.168.1.10", p));
	add(g, "uplink", 70,
	    eth("020000000010", M_ROUTER, 0x0800,
		ip("192.168.1.10", "192.0.2.77", P_UDP,
		   udp(40007, 4789, cat(hex("0800000000000100"), app(p))))));
}

/* Of the host with nobody's addresses inside, and of a neighbour with addresses like those of the stack. */
static void miss_home_wrapped(struct golden *g)
{
	struct bytes payload = udp(40001, 9, fill(3, 90));

	add(g, "uplink", 0,
	    home_gre("020000000010", "192.168.1.10", ip("10.9.9.9", SINK, P_UDP, payload)));
	add(g, "uplink", 9,
	    home_gre("020000000044", "192.168.1.44", ip(QBT, SINK, P_UDP, payload)));
}

static void miss_home_no_match(struct golden *g)
{
	/* same payload, other IP id: not the same packet */
	home_tried(g);
	home_left(g, 45, 778, 61001);
	/* the same packet once more, long after: too late to be the forwarded one */
	home_left(g, 2100000, 777, 61002);
}

/* ---- source addresses, IPv6, ICMP, old flows ---- */

static void source_udp(struct golden *g)
{
	add(g, "uplink", 0, out(ip(QBT, SINK, P_UDP, udp(40001, 9, fill(0x99, 20)))));
}

/* Whose address it is nobody knows: in the closed world it leaks, but it may be the host's own. */
static void miss_source_unknown(struct golden *g)
{
	add(g, "uplink", 0, out(ip("192.168.77.1", SINK, P_UDP, udp(40001, 9, fill(0x99, 20)))));
}

static void source_fragment(struct golden *g)
{
	struct ip_fields later = { .id = 9, .offset = 1480 };

	add(g, "uplink", 0, vlan(out(ip4o("172.30.0.200", SINK, P_UDP, later, fill(0x99, 20)))));
}

static void v6_options(struct golden *g)
{
	/* hop-by-hop options before the datagram */
	struct bytes p = cat(hex("11 00 01 04 00000000"), udp(40001, 9, fill(1, 30)));

	add(g, "uplink", 0, out(ip6o(REAL6, SINK6, 0, 64, p)));
}

static void v6_privacy_address(struct golden *g)
{
	add(g, "uplink", 0, out(ip("2001:db8:1::dead", SINK6, P_TCP, tcp(40001, 9, 5, F_SYN, fill(0, 0)))));
}

static void miss_v6_upkeep(struct golden *g)
{
	struct bytes mld = cat(hex("3a 00 05 02 0000 01 00"), icmp(143, 0, hex("0000 0000")));
	struct bytes ns = icmp(135, 0, cat(hex("00000000"), addr("2001:db8:1::1")));

	add(g, "uplink", 0, out(ip6o("fe80::10", "ff02::16", 0, 1, mld)));
	add(g, "uplink", 10, out(ip6o("fe80::10", "ff02::1:ff00:1", P_ICMP6, 255, ns)));
}

static void icmp_echo(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, SINK, P_ICMP, icmp(8, 0, cat(hex("1234 0001"), fill(9, 40))))));
}

static void icmp6_echo(struct golden *g)
{
	add(g, "uplink", 0,
	    vlan(out(ip(REAL6, SINK6, P_ICMP6, icmp(128, 0, cat(hex("1234 0001"), fill(9, 40)))))));
}

static void miss_icmp_quotes_tunnel(struct golden *g)
{
	struct bytes quoted = ip(VPN, REAL, P_UDP, udp(51820, 41000, wg_data(32, 6)));

	add(g, "uplink", 0, out(ip(REAL, VPN, P_ICMP, icmp(3, 3, cat(be(0, 4), quoted)))));
}

static void icmp_quotes_another_port(struct golden *g)
{
	struct bytes quoted = ip(VPN, QBT, P_UDP, udp(51821, 41000, fill(1, 32)));

	add(g, "uplink", 0, out(ip(REAL, VPN, P_ICMP, icmp(3, 3, cat(be(0, 4), quoted)))));
}

static void miss_icmp_inbound(struct golden *g)
{
	add(g, "uplink", 0, in(ip(SINK, REAL, P_ICMP, icmp(8, 0, cat(hex("1234 0001"), fill(9, 40))))));
}

static void old_flow(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, SINK, P_TCP, tcp(40001, 6881, 5000, F_ACK, fill(1, 100)))));
}

static void miss_old_flow_of_the_host(struct golden *g)
{
	add(g, "uplink", 0,
	    out(ip("192.168.1.10", SINK, P_TCP, tcp(40001, 6881, 5000, F_ACK, fill(1, 100)))));
}

static void old_flow_v6(struct golden *g)
{
	add(g, "uplink", 0,
	    vlan(out(ip(REAL6, SINK6, P_TCP, tcp(40001, 443, 5000, F_ACK | F_FIN, fill(0, 0))))));
}

static void miss_new_flow(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, SINK, P_TCP, tcp(40001, 9, 4, F_SYN, fill(0, 0)))));
	add(g, "uplink", 9, out(ip(REAL, SINK, P_TCP, tcp(40001, 9, 5, F_ACK, fill(1, 100)))));
}

static void miss_reset(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, SINK, P_TCP, tcp(40001, 9, 4, F_RST, fill(0, 0)))));
}

/* ---- the tunnel ---- */

static void endpoint_other_port(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, VPN, P_TCP, tcp(40001, 443, 4, F_SYN, fill(0, 0)))));
}

static void endpoint_same_port_tcp(struct golden *g)
{
	add(g, "uplink", 0, vlan(out(ip(REAL, VPN, P_TCP, tcp(40001, 51820, 4, F_SYN, fill(0, 0))))));
}

static void endpoint_dns_in_tuple(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, VPN, P_UDP, udp(40001, 51820, dns_query(9, "a.example")))));
}

static void endpoint_nearly_wireguard(struct golden *g)
{
	struct bytes short_of_16 = wg_data(64, 5);

	short_of_16.n -= 1;
	add(g, "uplink", 0, out(ip(REAL, VPN, P_UDP, udp(40001, 51820, short_of_16))));
}

static void endpoint_nearly_initiation(struct golden *g)
{
	add(g, "uplink", 0,
	    out(ip(REAL, VPN, P_UDP, udp(40001, 51820, cat(hex("01000000"), fill(0x77, 145))))));
}

static void endpoint_reserved_bytes(struct golden *g)
{
	add(g, "uplink", 0,
	    out(ip(REAL, VPN, P_UDP, udp(40001, 51820, cat(hex("04000100"), fill(0x77, 76))))));
}

static void endpoint_openvpn_plain(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, VPN, P_UDP, udp(40001, 1194, dht_ping(fill(1, 20))))));
}

static void endpoint_openvpn_http(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, VPN, P_TCP, tcp(40001, 443, 1, F_SYN, fill(0, 0)))));
	add(g, "uplink", 9,
	    out(ip(REAL, VPN, P_TCP,
		   tcp(40001, 443, 2, F_ACK, text("GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n")))));
}

static void miss_openvpn(struct golden *g)
{
	/* P_DATA_V2, peer id, packet id; then P_CONTROL_HARD_RESET_CLIENT_V2 */
	add(g, "uplink", 0,
	    out(ip(REAL, VPN, P_UDP, udp(40001, 1194, cat(hex("48 000001 00000007"), fill(0xc3, 80))))));
	add(g, "uplink", 9,
	    out(ip(REAL, VPN, P_UDP,
		   udp(40001, 1194, cat(hex("38 0102030405060708"), fill(0, 5))))));
}

static void miss_server_speaks(struct golden *g)
{
	add(g, "uplink", 0, in(ip(VPN, REAL, P_TCP, tcp(443, 40001, 4, F_SYN | F_ACK, fill(0, 0)))));
}

/* What the server sends is the server's affair; and a host may visit it beside the tunnel. */
static void miss_server_speaks_oddly(struct golden *g)
{
	add(g, "uplink", 0, in(ip(VPN, REAL, P_UDP, udp(51820, 41000, dns_query(9, "a.example")))));
}

static void miss_host_visits_the_server(struct golden *g)
{
	add(g, "uplink", 0,
	    out(ip("192.168.1.10", VPN, P_TCP, tcp(40001, 443, 4, F_SYN, fill(0, 0)))));
}

static void opaque_marker(struct golden *g)
{
	struct bytes inside = cat(cat(hex(MARKER), be(1, 4)), fill(0, 28));

	add(g, "uplink", 0,
	    out(ip(REAL, VPN, P_UDP,
		   udp(40001, 51820, cat(hex("04000000 05000000 0100000000000000"), inside)))));
}

static void opaque_text(struct golden *g)
{
	struct bytes inside = text("GET /" MARKER "00000002 HTTP/1.1\r\n");

	add(g, "uplink", 0,
	    vlan(out(ip(REAL, VPN, P_UDP, udp(40001, 1194, cat(hex("48 000001 00000007"), inside))))));
}

static void miss_marker_on_bridge(struct golden *g)
{
	add(g, "br-vpn", 0,
	    app(ip(QBT, SINK, P_UDP, udp(40001, 9, cat(hex(MARKER), be(1, 4))))));
}

static void port_moved(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, VPN, P_UDP, udp(41000, 51820, wg_data(64, 5)))));
	add(g, "uplink", 9, out(ip(REAL, VPN, P_UDP, udp(1024, 51820, wg_data(64, 5)))));
}

static void port_moved_vlan(struct golden *g)
{
	add(g, "uplink", 0, vlan(out(ip(REAL, VPN, P_UDP, udp(41000, 51820, wg_data(64, 5))))));
	add(g, "uplink", 9, vlan(out(ip(REAL, VPN, P_UDP, udp(41001, 51820, wg_data(0, 5))))));
}

static void miss_new_session(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, VPN, P_UDP, udp(41000, 51820, wg_data(64, 5)))));
	add(g, "uplink", 9, out(ip(REAL, VPN, P_UDP, udp(41001, 51820, wg_data(64, 6)))));
}

/* ---- DNS ---- */

static void dns_tcp_split(struct golden *g)
{
	struct bytes q = dns_query(8, "tracker.example");
	struct bytes m = cat(be(q.n, 2), q);

	add(g, "uplink", 0, out(ip(REAL, SINK, P_TCP, tcp(40001, 53, 1, F_SYN, fill(0, 0)))));
	add(g, "uplink", 9, out(ip(REAL, SINK, P_TCP, tcp(40001, 53, 2, F_ACK, slice(m, 0, 9)))));
	add(g, "uplink", 12,
	    out(ip(REAL, SINK, P_TCP, tcp(40001, 53, 11, F_ACK, slice(m, 9, m.n - 9)))));
}

static void dns_lo_canary(struct golden *g)
{
	add(g, "lo", 0,
	    eth("000000000000", "000000000000", 0x0800,
		ip("127.0.0.1", "127.0.0.53", P_UDP,
		   udp(40001, 53, dns_query(8, "x.CS-11D0.canary.example")))));
}

static void dns_mdns(struct golden *g)
{
	add(g, "uplink", 0,
	    out(ip(REAL, "224.0.0.251", P_UDP,
		   udp(5353, 5353, dns_query(0, "_bittorrent._tcp.local")))));
}

static void dns_llmnr(struct golden *g)
{
	add(g, "uplink", 0,
	    out(ip("fe80::10", "ff02::1:3", P_UDP, udp(40001, 5355, dns_query(5, "nas")))));
}

static void miss_dns_lo_answer(struct golden *g)
{
	add(g, "lo", 0,
	    eth("000000000000", "000000000000", 0x0800,
		ip("127.0.0.53", "127.0.0.1", P_UDP,
		   udp(53, 40001, dns_answer(8, "cs-11d0.canary.example", SINK)))));
}

static void dot(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, "9.9.9.9", P_TCP, tcp(40001, 853, 1, F_SYN, fill(0, 0)))));
}

/* ---- BitTorrent and friends: forms beside the generated ones ---- */

static void ws(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, SINK, P_TCP, tcp(40001, 8000, 1, F_SYN, fill(0, 0)))));
	add(g, "uplink", 9, out(ip(REAL, SINK, P_TCP, tcp(40001, 8000, 2, F_ACK, ws_tracker()))));
}

static void ws_frame(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, SINK, P_TCP, tcp(40001, 80, 2, F_ACK, ws_announce()))));
}

/* An answer names no host and asks for nothing. */
static void miss_http_answer(struct golden *g)
{
	add(g, "uplink", 0,
	    out(ip(REAL, SINK, P_TCP,
		   tcp(9117, 40001, 2, F_ACK, text("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")))));
}

/* A request, and a packet that is none: one request. */
static void http_then_other(struct golden *g)
{
	http_plain(g);
	clear_udp(g);
}

/* One name a hello, whatever comes behind it. */
static void sni_then_other(struct golden *g)
{
	sni_plain(g);
	clear_udp(g);
}

static void utp_plain(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, SINK, P_UDP, udp(6881, 6881, utp(0x41)))));
	add(g, "uplink", 900, in(ip(SINK, REAL, P_UDP, udp(6881, 6881, utp(0x21)))));
	add(g, "uplink", 990, out(ip(REAL, SINK, P_UDP, udp(6881, 6881, utp(0x21)))));
}

static void utp_hard(struct golden *g)
{
	add(g, "uplink", 0, vlan(out(ip(REAL6, SINK6, P_UDP, udp(50123, 33001, utp(0x41))))));
	add(g, "uplink", 900, vlan(in(ip(SINK6, REAL6, P_UDP, udp(33001, 50123, utp(0x21))))));
	add(g, "uplink", 990, vlan(out(ip(REAL6, SINK6, P_UDP, udp(50123, 33001, utp(0x21))))));
}

static void miss_utp_in(struct golden *g)
{
	add(g, "uplink", 0, in(ip(SINK, REAL, P_UDP, udp(6881, 6881, utp(0x41)))));
}

/* The shape alone is a weak sign; on a real host nothing ties it to the stack. */
static void miss_utp_of_nobody(struct golden *g)
{
	add(g, "uplink", 0, out(ip("192.168.1.10", SINK, P_UDP, udp(6881, 6881, utp(0x21)))));
}

static void miss_utp_wrong_version(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, SINK, P_UDP, udp(6881, 6881, utp(0x42)))));
}

static void soap(struct golden *g)
{
	add(g, "uplink", 0, out(ip(REAL, ROUTER, P_TCP, tcp(40001, 5000, 1, F_SYN, fill(0, 0)))));
	add(g, "uplink", 9,
	    out(ip(REAL, ROUTER, P_TCP,
		   tcp(40001, 5000, 2, F_ACK,
		       text("POST /ctl/IPConn HTTP/1.1\r\nHost: 203.0.113.1:5000\r\n"
			    "SOAPAction: \"urn:schemas-upnp-org:service:WANIPConnection:1#AddPortMapping\""
			    "\r\nContent-Length: 90\r\n\r\n<u:AddPortMapping><NewInternalClient>"
			    "172.30.0.130</NewInternalClient></u:AddPortMapping>")))));
}

/* A media server's announcements, and what a device answers. */
static void miss_ssdp_device(struct golden *g)
{
	add(g, "uplink", 0,
	    out(ip(REAL, "239.255.255.250", P_UDP,
		   udp(40001, 1900,
		       text("NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: upnp:rootdevice\r\n"
			    "NTS: ssdp:alive\r\nLOCATION: http://203.0.113.10:8200/d.xml\r\n\r\n")))));
	add(g, "uplink", 9,
	    out(ip(REAL, "203.0.113.9", P_UDP,
		   udp(1900, 40001,
		       text("HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n"
			    "LOCATION: http://203.0.113.10:8200/d.xml\r\n\r\n")))));
	add(g, "uplink", 18,
	    out(ip(REAL, "203.0.113.9", P_TCP,
		   tcp(5000, 40001, 2, F_ACK,
		       text("HTTP/1.1 200 OK\r\nContent-Length: 45\r\n\r\n"
			    "schemas-upnp-org GetExternalIPAddressResponse")))));
}

static void pcp(struct golden *g)
{
	add(g, "uplink", 0, vlan(out(ip(REAL, ROUTER, P_UDP, udp(40001, 5351, pcp_map())))));
}

/* ---- answers ---- */

static void published_tcp(struct golden *g)
{
	add(g, "uplink", 0, in(ip(SINK, REAL, P_TCP, tcp(50001, 6881, 1, F_SYN, fill(0, 0)))));
	add(g, "uplink", 90, out(ip(REAL, SINK, P_TCP, tcp(6881, 50001, 9, F_SYN | F_ACK, fill(0, 0)))));
}

static void published_udp(struct golden *g)
{
	add(g, "uplink", 0, vlan(in(ip(SINK6, REAL6, P_UDP, udp(50001, 6881, utp(0x41))))));
	add(g, "uplink", 90, vlan(out(ip(REAL6, SINK6, P_UDP, udp(6881, 50001, utp(0x21))))));
}

static void published_web_speaks_torrent(struct golden *g)
{
	/* an edge port is excused for what a web server says, not for a peer */
	add(g, "uplink", 0, in(ip(SINK, REAL, P_TCP, tcp(50001, 8080, 1, F_SYN, fill(0, 0)))));
	add(g, "uplink", 90, out(ip(REAL, SINK, P_TCP, tcp(8080, 50001, 10, F_ACK, bt_handshake()))));
}

static void miss_published_web(struct golden *g)
{
	add(g, "uplink", 0, in(ip(SINK, REAL, P_TCP, tcp(50001, 8080, 1, F_SYN, fill(0, 0)))));
	add(g, "uplink", 90, out(ip(REAL, SINK, P_TCP, tcp(8080, 50001, 9, F_SYN | F_ACK, fill(0, 0)))));
	add(g, "uplink", 190,
	    out(ip(REAL, SINK, P_TCP,
		   tcp(8080, 50001, 10, F_ACK, text("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")))));
}

static void miss_published_reset(struct golden *g)
{
	add(g, "uplink", 0, in(ip(SINK, REAL, P_TCP, tcp(50001, 6881, 1, F_SYN, fill(0, 0)))));
	add(g, "uplink", 90, out(ip(REAL, SINK, P_TCP, tcp(6881, 50001, 0, F_RST | F_ACK, fill(0, 0)))));
}

static void vpn_side(struct golden *g)
{
	add(g, "exit", 0, ip(SINK, TUN, P_TCP, tcp(50001, 8080, 1, F_SYN, fill(0, 0))));
	add(g, "exit", 90, ip(TUN, SINK, P_TCP, tcp(8080, 50001, 9, F_SYN | F_ACK, fill(0, 0))));
}

static void vpn_side_odd(struct golden *g)
{
	/* the gateway answers with the address of the app: forwarded, not translated */
	add(g, "exit", 90, ip(QBT, SINK, P_TCP, tcp(8080, 50001, 9, F_SYN | F_ACK, fill(0, 0))));
}

static void miss_vpn_side_torrent(struct golden *g)
{
	add(g, "exit", 0, ip(SINK, TUN, P_TCP, tcp(50001, 50000, 1, F_SYN, fill(0, 0))));
	add(g, "exit", 90, ip(TUN, SINK, P_TCP, tcp(50000, 50001, 9, F_SYN | F_ACK, fill(0, 0))));
}

static void miss_vpn_side_reset(struct golden *g)
{
	add(g, "exit", 90, ip(TUN, SINK, P_TCP, tcp(8080, 50001, 9, F_RST | F_ACK, fill(0, 0))));
}

/* ---- the tunnel's address ---- */

static void tun_reset(struct golden *g)
{
	add(g, "uplink", 0, out(ip(TUN, "203.0.113.77", P_TCP, tcp(443, 50001, 9, F_RST, fill(0, 0)))));
}

static void tun_challenge(struct golden *g)
{
	add(g, "isp", 0, vlan(out(ip(TUN, "203.0.113.77", P_TCP, tcp(443, 50001, 9, F_ACK, fill(0, 0))))));
}

static void miss_tun_asked(struct golden *g)
{
	add(g, "uplink", 0, in(ip("203.0.113.77", TUN, P_TCP, tcp(50001, 443, 9, F_SYN, fill(0, 0)))));
}

/* Somebody else has the same private address. */
static void miss_tun_comes_in(struct golden *g)
{
	add(g, "uplink", 0, in(ip(TUN, REAL, P_TCP, tcp(443, 50001, 9, F_RST, fill(0, 0)))));
}

static void miss_tun_at_exit(struct golden *g)
{
	add(g, "exit", 0, ip(TUN, SINK, P_TCP, tcp(443, 50001, 9, F_RST, fill(0, 0))));
}

static inline struct bytes arp(uint16_t op, const char *mac, const char *sender, const char *target)
{
	struct bytes p = cat(hex("0001 0800 06 04"), be(op, 2));

	p = cat(cat(p, hex(mac)), addr(sender));
	return eth(mac, "ffffffffffff", 0x0806, cat(cat(p, fill(0, 6)), addr(target)));
}

static void arp_reply(struct golden *g)
{
	add(g, "uplink", 0, arp(2, M_HOST, TUN, "203.0.113.77"));
}

static void arp_inside(struct golden *g)
{
	add(g, "br-vpn", 0, vlan(arp(2, M_GATEWAY, TUN, QBT)));
}

static void miss_arp_asked(struct golden *g)
{
	add(g, "uplink", 0, arp(1, M_ROUTER, ROUTER, TUN));
}

static void miss_arp_comes_in(struct golden *g)
{
	add(g, "uplink", 0, arp(2, M_ROUTER, TUN, REAL));
}

static void miss_arp_own(struct golden *g)
{
	add(g, "uplink", 0, arp(2, M_HOST, REAL, ROUTER));
}

static inline struct bytes neighbour(uint8_t type, const char *target)
{
	return ip6o("fe80::10", "ff02::1", P_ICMP6, 255,
		    icmp(type, 0, cat(hex("60000000"), addr(target))));
}

static void na_reply(struct golden *g)
{
	add(g, "uplink", 0, out(neighbour(136, "fd00:64::2")));
}

static void miss_na(struct golden *g)
{
	/* asking for it is no answer, and another address is another address */
	add(g, "uplink", 0, out(neighbour(135, "fd00:64::2")));
	add(g, "uplink", 1, out(neighbour(136, REAL6)));
}

/* ---- routers and leases ---- */

static inline struct bytes advertisement(uint16_t lifetime, int prefix)
{
	struct bytes p = cat(hex("40 00"), cat(be(lifetime, 2), fill(0, 8)));

	if (prefix)
		p = cat(p, cat(hex("03 04 40 c0 00000e10 00000e10 00000000"), addr("2001:db8:7::")));
	return ip6o("fe80::1", "ff02::1", P_ICMP6, 255, icmp(134, 0, p));
}

static void ra_bridge(struct golden *g)
{
	add(g, "br-vpn", 0, eth(M_ROUTER, "333300000001", 0x86dd, advertisement(1800, 0)));
}

static void ra_prefix_only(struct golden *g)
{
	add(g, "veth-qbt", 0, vlan(eth(M_ROUTER, "333300000001", 0x86dd, advertisement(0, 1))));
}

/* Offered once, whatever comes behind it. */
static void ra_then_other(struct golden *g)
{
	ra_bridge(g);
	add(g, "br-vpn", 9, app(ip(QBT, SONARR, P_UDP, udp(40001, 9, fill(1, 9)))));
}

static void miss_ra_uplink(struct golden *g)
{
	add(g, "uplink", 0, eth(M_ROUTER, "333300000001", 0x86dd, advertisement(1800, 1)));
}

/* RFC 4191: a router that is no default router offers half of the addresses */
static inline struct bytes route_advertisement(const char *lifetime)
{
	struct bytes p = cat(hex("40 00 0000"), fill(0, 8));

	p = cat(p, cat(hex("18 01 01 00"), hex(lifetime)));
	return ip6o("fe80::1", "ff02::1", P_ICMP6, 255, icmp(134, 0, p));
}

static void ra_route(struct golden *g)
{
	add(g, "br-vpn", 0, eth(M_ROUTER, "333300000001", 0x86dd, route_advertisement("00000708")));
}

static void miss_ra_route_withdrawn(struct golden *g)
{
	add(g, "br-vpn", 0, eth(M_ROUTER, "333300000001", 0x86dd, route_advertisement("00000000")));
}

static void miss_ra_withdrawn(struct golden *g)
{
	add(g, "br-vpn", 0, eth(M_ROUTER, "333300000001", 0x86dd, advertisement(0, 0)));
}

/* `fields` is sname and file, `options` what follows the type and the server. */
static inline struct bytes lease_of(const char *op, struct bytes fields, struct bytes options)
{
	struct bytes p = cat(cat(hex(op), hex("01 06 00 01020304 0000 0000 00000000")), addr(REAL));

	p = cat(cat(cat(p, addr(ROUTER)), fill(0, 4)), cat(hex(M_HOST), fill(0, 10)));
	p = cat(cat(p, fields), hex("63825363 35 01 05 36 04 cb007101"));
	return ip(ROUTER, REAL, P_UDP, udp(67, 68, cat(cat(p, options), be(255, 1))));
}

static inline struct bytes option(unsigned kind, struct bytes value)
{
	return cat(cat(be(kind, 1), be(value.n, 1)), value);
}

static inline struct bytes lease_op(const char *op, struct bytes routes)
{
	return lease_of(op, fill(0, 64 + 128), option(121, routes));
}

static inline struct bytes lease(struct bytes routes)
{
	return lease_op("02", routes);
}

static void miss_lease_asked(struct golden *g)
{
	add(g, "uplink", 0, in(lease_op("01", cat(hex("01 00"), addr(ROUTER)))));
}

static void lease_half(struct golden *g)
{
	add(g, "uplink", 0, in(lease(cat(hex("01 00"), addr(ROUTER)))));
}

static void lease_host_route(struct golden *g)
{
	/* an innocent route first */
	struct bytes r = cat(cat(hex("10 c0a8"), addr(ROUTER)), cat(hex("20 c6336486"), addr(ROUTER)));

	add(g, "br-vpn", 0, vlan(in(lease(r))));
}

/* One answer is one finding, whatever comes behind it. */
static void lease_then_other(struct golden *g)
{
	lease_half(g);
	add(g, "uplink", 9, in(ip(SINK, REAL, P_UDP, udp(9, 40001, fill(1, 9)))));
}

static void miss_lease_default(struct golden *g)
{
	add(g, "uplink", 0, in(lease(cat(hex("00"), addr(ROUTER)))));
}

static void miss_lease_private(struct golden *g)
{
	add(g, "uplink", 0, in(lease(cat(hex("08 0a"), addr(ROUTER)))));
}

static inline struct bytes private_routes(unsigned n)
{
	struct bytes r = hex("08 0a cb007101");

	return n > 1 ? cat(r, private_routes(n - 1)) : r;
}

static void lease_tenth_route(struct golden *g)
{
	add(g, "uplink", 0, in(lease(cat(private_routes(9), cat(hex("01 00"), addr(ROUTER))))));
}

static void miss_lease_many(struct golden *g)
{
	add(g, "uplink", 0, in(lease(private_routes(10))));
}

/* RFC 3396: one list in two options, another one between them */
static inline struct bytes lease_in_two(struct bytes routes, size_t at)
{
	struct bytes name = option(15, text("lan"));
	struct bytes two = cat(option(121, raw(routes.b, at)), cat(name, option(121, raw(routes.b + at, routes.n - at))));

	return lease_of("02", fill(0, 64 + 128), two);
}

static void lease_split(struct golden *g)
{
	add(g, "uplink", 0, in(lease_in_two(cat(hex("20 c6336486"), addr(ROUTER)), 3)));
}

static void miss_lease_split(struct golden *g)
{
	add(g, "uplink", 0, in(lease_in_two(private_routes(2), 7)));
}

/* RFC 2132 9.3: options in `file` (1) and in `sname` (2) */
static inline struct bytes overloaded(const char *which, struct bytes sname, struct bytes file)
{
	struct bytes fields = cat(sname, fill(0, 64 - sname.n));

	fields = cat(fields, cat(file, fill(0, 128 - file.n)));
	return lease_of("02", fields, option(52, hex(which)));
}

static void lease_overload_file(struct golden *g)
{
	add(g, "uplink", 0, in(overloaded("01", fill(0, 0), option(121, cat(hex("01 80"), addr(ROUTER))))));
}

static void lease_overload_sname(struct golden *g)
{
	add(g, "br-vpn", 0, in(overloaded("02", option(249, cat(hex("01 80"), addr(ROUTER))), fill(0, 0))));
}

static void miss_lease_no_overload(struct golden *g)
{
	struct bytes o = option(121, cat(hex("01 80"), addr(ROUTER)));

	add(g, "uplink", 0, in(overloaded("01", o, fill(0, 0))));
	add(g, "uplink", 9, in(overloaded("02", fill(0, 0), o)));
}

static inline struct bytes lease_static(const char *host)
{
	return lease_of("02", fill(0, 64 + 128), option(33, cat(addr(host), addr(ROUTER))));
}

static void lease_static_route(struct golden *g)
{
	add(g, "uplink", 0, in(lease_static("198.51.100.134")));
}

static void miss_lease_static(struct golden *g)
{
	add(g, "uplink", 0, in(lease_static("10.9.8.7")));
}

/* ---- inside the tunnel ---- */

static void told_announce(struct golden *g)
{
	add(g, "exit", 0, ip(TUN, SINK, P_TCP, tcp(40001, 80, 1, F_SYN, fill(0, 0))));
	add(g, "exit", 9, ip(TUN, SINK, P_TCP, tcp(40001, 80, 2, F_ACK, announce("&ip=203.0.113.10"))));
}

static void told_udp_announce(struct golden *g)
{
	add(g, "exit", 0, ip(TUN, SINK, P_UDP, udp(40001, 6969, hex("0000041727101980 00000000 12345678"))));
	add(g, "exit", 9, ip(TUN, SINK, P_UDP, udp(40001, 6969, udp_tracker_announce(addr(REAL)))));
}

static inline struct bytes extended(struct bytes dict)
{
	return cat(cat(be(dict.n + 2, 4), hex("14 00")), dict);
}

static void told_v6_handshake(struct golden *g)
{
	struct bytes dict = cat(cat(text("d4:ipv616:"), addr(REAL6)), text("1:md11:ut_metadatai2eee"));
	struct bytes all = cat(bt_handshake(), extended(dict));

	add(g, "exit", 0, ip(TUN, SINK, P_TCP, tcp(40001, 6881, 1, F_SYN, fill(0, 0))));
	add(g, "exit", 9, ip(TUN, SINK, P_TCP, tcp(40001, 6881, 2, F_ACK, all)));
}

static void told_yourip(struct golden *g)
{
	struct bytes dict = cat(cat(text("d1:md6:ut_pexi1ee6:yourip4:"), addr(REAL)), text("e"));
	struct bytes all = cat(bt_handshake(), extended(dict));

	add(g, "exit", 0, ip(SINK, TUN, P_TCP, tcp(6881, 40001, 1, F_SYN | F_ACK, fill(0, 0))));
	add(g, "exit", 9, ip(SINK, TUN, P_TCP, tcp(6881, 40001, 2, F_ACK, all)));
}

static void told_stun(struct golden *g)
{
	/* XOR-MAPPED-ADDRESS of 203.0.113.10 (RFC 5389 15.2): cb00710a ^ 2112a442 */
	add(g, "exit", 0,
	    ip(SINK, TUN, P_UDP,
	       udp(3478, 40001,
		   cat(cat(hex("0101 000c 2112a442"), fill(0x44, 12)),
		       hex("0020 0008 00 01 bd53 ea12d548")))));
}

/* EDNS client subnet (RFC 7871): the first 24 bits of an address */
static inline struct bytes subnet_query(const char *first_24_bits)
{
	struct bytes q = dns_query(6, "tracker.example");

	q.b[11] = 1; /* one additional record */
	return cat(q, cat(hex("00 0029 1000 00000000 000b 0008 0007 0001 18 00"), hex(first_24_bits)));
}

static void told_subnet(struct golden *g)
{
	add(g, "exit", 0, ip(TUN, SINK, P_UDP, udp(40001, 53, subnet_query("cb0071"))));
}

static void miss_told_subnet(struct golden *g)
{
	add(g, "exit", 0, ip(TUN, SINK, P_UDP, udp(40001, 53, subnet_query("c63364"))));
}

static void miss_told_vpn(struct golden *g)
{
	add(g, "exit", 0, ip(TUN, SINK, P_TCP, tcp(40001, 80, 1, F_SYN, fill(0, 0))));
	add(g, "exit", 9, ip(TUN, SINK, P_TCP, tcp(40001, 80, 2, F_ACK, announce("&ip=198.51.100.2"))));
}

static void miss_told_dns(struct golden *g)
{
	add(g, "exit", 0, ip(SINK, TUN, P_UDP, udp(53, 40001, dns_answer(4, "home.example", REAL))));
	/* the resolver at the far end, and the tunnel's address, which nobody told, are both private */
	add(g, "exit", 9,
	    ip("10.64.0.1", "10.64.0.3", P_UDP, udp(53, 40001, dns_answer(4, "home.example", REAL))));
}

static inline struct bytes vxlan(struct bytes packet)
{
	return udp(40001, 4789, cat(hex("0800 0000 0000 0100"), eth(M_QBT, M_GATEWAY, ethertype_of(packet), packet)));
}

static inline struct bytes from_real(void)
{
	return ip(REAL, SINK, P_UDP, udp(40001, 9, fill(8, 60)));
}

static void told_source(struct golden *g)
{
	add(g, "exit", 0, from_real());
	add(g, "exit", 9, ip(REAL6, SINK6, P_TCP, tcp(40001, 80, 1, F_SYN, fill(0, 0))));
}

static void told_inner_source(struct golden *g)
{
	struct bytes six = ip(REAL6, SINK6, P_UDP, udp(40001, 9, fill(8, 60)));

	add(g, "exit", 0, ip(TUN, SINK, 4, from_real()));
	add(g, "exit", 9, ip(TUN, SINK, 41, six));
	add(g, "exit", 18, ip(TUN, SINK, P_UDP, vxlan(from_real())));
	add(g, "exit", 27, ip(TUN, SINK, 4, ip(TUN, SINK, 41, six)));
	/* between addresses of which nobody knows */
	add(g, "exit", 36, ip("198.51.100.9", SINK, 4, from_real()));
}

/* What others send; the stack's own packet to the real address, whose owner does not show. */
static void miss_told_source(struct golden *g)
{
	add(g, "exit", 0, ip(SINK, TUN, 4, from_real()));
	add(g, "exit", 9, ip(TUN, SINK, 4, ip(TUN, REAL, P_UDP, udp(40001, 9, fill(8, 60)))));
	add(g, "exit", 18, ip("203.0.113.11", SINK, P_UDP, udp(40001, 9, fill(8, 60))));
}

/* A name that the stack itself gives to the address: to its neighbours over multicast, or to a server (RFC 2136). */
static void told_name(struct golden *g)
{
	add(g, "exit", 0,
	    ip(TUN, "224.0.0.251", P_UDP, udp(5353, 5353, dns_answer(0, "home.local", REAL))));
	add(g, "exit", 9,
	    ip(TUN, SINK, P_UDP,
	       udp(40001, 53,
		   cat(cat(hex("0007 2800 0001 0000 0001 0000"), dns_name("dyn.example")),
		       cat(cat(hex("0006 0001"), dns_name("home.dyn.example")),
			   cat(hex("001c 0001 0000003c 0010"), addr(REAL6)))))));
}

static void miss_told_bytes(struct golden *g)
{
	/* four bytes in ciphertext come by chance */
	add(g, "exit", 0,
	    ip(TUN, SINK, P_TCP,
	       tcp(40001, 9, 9, F_ACK, cat(cat(fill(0xc1, 50), addr(REAL)), fill(0xc1, 9)))));
}

static void text_v4(struct golden *g)
{
	add(g, "exit", 0, ip(SINK, TUN, P_TCP, tcp(80, 40001, 9, F_ACK, text("Your address: 203.0.113.10\n"))));
}

/* With nothing before it, and behind a segment that could have been its begin. */
static void text_first(struct golden *g)
{
	add(g, "exit", 0, ip(SINK, TUN, P_TCP, tcp(80, 40001, 9, F_ACK, text("203.0.113.10 is you"))));
	add(g, "exit", 9, ip(SINK, TUN, P_TCP, tcp(80, 40002, 9, F_ACK, text("seen-"))));
	add(g, "exit", 18, ip(SINK, TUN, P_TCP, tcp(80, 40002, 14, F_ACK, text("203.0.113.10 again"))));
	add(g, "exit", 27, ip(SINK, TUN, P_TCP, tcp(80, 40003, 9, F_ACK, text("seen-"))));
	add(g, "exit", 36, ip(SINK, TUN, P_TCP, tcp(80, 40003, 14, F_ACK, text("-203.0.113.10 again"))));
}

static void text_v6(struct golden *g)
{
	add(g, "exit", 0, ip(TUN, SINK, P_UDP, udp(40001, 514, text("<13>peer [2001:DB8:1::10]:6881"))));
}

static void text_behind_a_word(struct golden *g)
{
	add(g, "exit", 0,
	    ip(TUN, SINK, P_TCP, tcp(40001, 25, 9, F_ACK, text("EHLO [IPv6:2001:db8:1::10]\r\n"))));
	add(g, "exit", 9,
	    ip(TUN, SINK, P_TCP, tcp(40001, 80, 9, F_ACK, text("GET /?ip=%%22203.0.113.10%%22 HTTP/1.1\r\n\r\n"))));
	add(g, "exit", 18,
	    ip(TUN, SINK, P_TCP, tcp(40001, 21, 9, F_ACK, text("PORT 203,0,113,10,195,80\r\n"))));
}

static void text_in_pieces(struct golden *g)
{
	/* "203.0." "1" "13.10": three segments, the last of which is followed by something else */
	add(g, "exit", 0, ip(SINK, TUN, P_TCP, tcp(80, 40001, 9, F_ACK, text("Your address: 203.0."))));
	add(g, "exit", 100, ip(SINK, TUN, P_TCP, tcp(80, 40001, 29, F_ACK, text("1"))));
	add(g, "exit", 200, ip(SINK, TUN, P_TCP, tcp(80, 40001, 30, F_ACK, text("13.10 is known"))));
	/* told once, and not again because the next segment could belong to it */
	add(g, "exit", 300, ip(TUN, SINK, P_TCP, tcp(40001, 80, 5, F_ACK, text("I am 2001:db8:1::10"))));
	add(g, "exit", 400, ip(TUN, SINK, P_TCP, tcp(40001, 80, 24, F_ACK, text("-and nobody else"))));
}
static void miss_text_pieces(struct golden *g)
{
	/* a segment is missing between; the other direction; a longer number; another address */
	add(g, "exit", 0, ip(SINK, TUN, P_TCP, tcp(80, 40001, 9, F_ACK, text("203.0."))));
	add(g, "exit", 100, ip(SINK, TUN, P_TCP, tcp(80, 40001, 16, F_ACK, text("113.10"))));
	add(g, "exit", 200, ip(TUN, SINK, P_TCP, tcp(40001, 80, 22, F_ACK, text("203.0.113."))));
	add(g, "exit", 300, ip(SINK, TUN, P_TCP, tcp(80, 40001, 32, F_ACK, text("10 "))));
	add(g, "exit", 400, ip(TUN, SINK, P_TCP, tcp(40001, 80, 32, F_ACK, text("101 "))));
	add(g, "exit", 500, ip(TUN, SINK, P_TCP, tcp(40001, 80, 36, F_ACK, text("1"))));
	add(g, "exit", 600, ip(TUN, SINK, P_TCP, tcp(40001, 80, 37, F_ACK, text("203.0.113.10"))));
}
static void miss_text_longer(struct golden *g)
{
	add(g, "exit", 0, ip(SINK, TUN, P_TCP, tcp(80, 40001, 9, F_ACK, text("203.0.113.101 1203.0.113.10"))));
	add(g, "exit", 9, ip(SINK, TUN, P_TCP, tcp(80, 40002, 9, F_ACK, text("v5.203.0.113.10 203.0.113.10.5"))));
	add(g, "exit", 18, ip(SINK, TUN, P_TCP, tcp(80, 40003, 9, F_ACK, text("at 6:2001:db8:1::10"))));
}

/* Many addresses in bytes, and behind them one in text. */
static void text_behind_bytes(struct golden *g)
{
	struct bytes p = fill(0, 0);

	for (int i = 0; i < 100; i++)
		p = cat(p, addr(REAL));
	add(g, "exit", 0,
	    ip(TUN, SINK, P_UDP, udp(40001, 514, cat(p, text("<13>from 203.0.113.10")))));
}

/* What a name server says of an address, and what an error sends back, tells nothing of the one who asks. */
static void miss_text_dns(struct golden *g)
{
	struct bytes txt = text("v=spf1 ip4:203.0.113.10 -all");
	struct bytes a = cat(cat(be(4, 2), hex("8180 0001 0001 0000 0000")),
			     cat(dns_name("home.example"), hex("0010 0001")));

	a = cat(cat(a, hex("c00c 0010 0001 0000003c")), cat(be(txt.n + 1, 2), be(txt.n, 1)));
	add(g, "exit", 0, ip(SINK, TUN, P_UDP, udp(53, 40001, cat(a, txt))));
}

static inline void asks_for(struct golden *g, const char *name)
{
	add(g, "exit", (int64_t)g->n, ip(TUN, SINK, P_UDP, udp(40001, 53, dns_query(7, name))));
}

#define REAL6_DIGITS "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2"

/* Who asks for the address by its name tells it to the one who is asked. */
static void text_asked(struct golden *g)
{
	asks_for(g, "10.113.0.203.in-addr.arpa");
	asks_for(g, "10.113.0.203.IN-ADDR.ARPA");
	asks_for(g, REAL6_DIGITS ".ip6.arpa");
	asks_for(g, "10.113.0.203.list.example");
	asks_for(g, "203.0.113.10.nip.example");
	asks_for(g, "203-0-113-10.0123456789abcdef.direct.example");
	asks_for(g, "host-203-0-113-10.dyn.example");
	asks_for(g, "home.CB00710A.nip.example");
	asks_for(g, "2001-DB8-1--10.nip.example");
	/* a resolver that is asked over a tunnel whose address nobody knows */
	add(g, "exit", 20,
	    ip("198.51.100.9", SINK, P_UDP, udp(40001, 53, dns_query(7, "203.0.113.10.nip.example"))));
	/* its own zone is told (RFC 2136): the name is that of the record */
	add(g, "exit", 21,
	    ip(TUN, SINK, P_UDP,
	       udp(40001, 53,
		   cat(cat(hex("0007 2800 0001 0000 0001 0000"), dns_name("dyn.example")),
		       cat(cat(hex("0006 0001"), dns_name("203-0-113-10.dyn.example")),
			   cat(hex("0001 0001 0000003c 0004"), addr("192.0.2.9")))))));
	/* and a neighbour over multicast (RFC 6762) */
	add(g, "exit", 22,
	    ip(TUN, "224.0.0.251", P_UDP,
	       udp(5353, 5353, dns_answer(0, "10.113.0.203.in-addr.arpa", "192.0.2.9"))));
}

/* Asked by others; other addresses; answered, from where nobody knows. */
static void miss_text_asked(struct golden *g)
{
	asks_for(g, "110.113.0.203.in-addr.arpa");
	asks_for(g, "10.113.0.2031.example");
	asks_for(g, "203.0.113.10.5.nip.example");
	asks_for(g, "xcb00710a.nip.example");
	asks_for(g, "cb00710a0.nip.example");
	asks_for(g, "0.1" REAL6_DIGITS ".ip6.arpa");
	add(g, "exit", 20,
	    ip(SINK, TUN, P_UDP, udp(40001, 53, dns_query(7, "203.0.113.10.nip.example"))));
	add(g, "exit", 21,
	    ip(SINK, TUN, P_UDP, udp(53, 40001, dns_answer(7, "203.0.113.10.nip.example", REAL))));
	add(g, "exit", 22,
	    ip(SINK, "198.51.100.9", P_UDP,
	       udp(53, 40001, dns_answer(7, "203.0.113.10.nip.example", REAL))));
	add(g, "exit", 23,
	    ip("10.64.0.1", "10.64.0.3", P_UDP,
	       udp(53, 40001, dns_answer(7, "203.0.113.10.nip.example", REAL))));
	add(g, "exit", 24, ip(TUN, SINK, P_UDP, udp(40001, 53, text("0123456789"))));
}

static void miss_text_quoted(struct golden *g)
{
	struct bytes quoted = ip(SINK, TUN, P_UDP, udp(514, 40001, text("from 203.0.113.10")));

	add(g, "exit", 0, ip(TUN, SINK, P_ICMP, icmp(3, 3, cat(be(0, 4), quoted))));
}

/* CRC-32C (Castagnoli), as BEP 42 wants it. */
static inline uint32_t crc32c(struct bytes x)
{
	uint32_t c = 0xffffffff;

	for (size_t i = 0; i < x.n; i++) {
		c ^= x.b[i];
		for (int k = 0; k < 8; k++)
			c = c >> 1 ^ (c & 1 ? 0x82f63b78U : 0);
	}
	return ~c;
}

static inline struct bytes node_id(const char *address, uint8_t r)
{
	static const uint8_t mask4[] = { 0x03, 0x0f, 0x3f, 0xff };
	static const uint8_t mask6[] = { 0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff };
	struct bytes a = addr(address);
	struct bytes id = fill(0x5e, 20);
	uint32_t c;

	a.n = a.n == 4 ? 4 : 8;
	for (size_t i = 0; i < a.n; i++)
		a.b[i] &= a.n == 4 ? mask4[i] : mask6[i];
	a.b[0] = (uint8_t)(a.b[0] | r << 5);
	c = crc32c(a);
	id.b[0] = (uint8_t)(c >> 24);
	id.b[1] = (uint8_t)(c >> 16);
	id.b[2] = (uint8_t)((c >> 8 & 0xf8) | 3);
	id.b[19] = r;
	return id;
}

static void node_v4(struct golden *g)
{
	add(g, "exit", 0, ip(TUN, SINK, P_UDP, udp(6881, 6881, dht_ping(node_id(REAL, 1)))));
}

static void node_v6(struct golden *g)
{
	add(g, "exit", 0, ip(TUN, SINK, P_UDP, udp(50123, 33001, dht_ping(node_id(REAL6, 6)))));
}

/* Behind the message with the id: one without any, and one of another protocol. */
static void node_then_other(struct golden *g)
{
	node_v4(g);
	add(g, "exit", 9, ip(TUN, SINK, P_UDP, udp(6881, 6881, text("d1:t2:aa1:y1:ee"))));
	add(g, "exit", 10, ip(TUN, SINK, P_UDP, udp(6881, 9, fill(1, 9))));
}

static void miss_node_vpn(struct golden *g)
{
	add(g, "exit", 0, ip(TUN, SINK, P_UDP, udp(6881, 6881, dht_ping(node_id(VPN, 1)))));
}

static void miss_node_foreign(struct golden *g)
{
	add(g, "exit", 0, ip(SINK, TUN, P_UDP, udp(6881, 6881, dht_ping(node_id(REAL, 1)))));
}

/* ---- edge services, unreadable frames ---- */

static inline void plex_sends(struct golden *g, int64_t us, uint16_t id, uint8_t proto, struct bytes p)
{
	struct bytes inside = ip4o(PLEX, SINK, proto, (struct ip_fields){ .id = id }, p);

	add(g, "br-media", us, eth(M_PLEX, M_HOST, 0x0800, inside));
	add(g, "uplink", us + 45,
	    out(ip4o(REAL, SINK, proto, (struct ip_fields){ .id = id, .ttl = 63 }, p)));
}

static void edge_udp(struct golden *g)
{
	plex_sends(g, 0, 4, P_UDP, udp(40001, 9, fill(8, 60)));
}

static void edge_wrong_shape(struct golden *g)
{
	plex_sends(g, 0, 4, P_TCP, tcp(40001, 443, 1, F_SYN, fill(0, 0)));
	plex_sends(g, 500, 5, P_TCP, tcp(40001, 443, 2, F_ACK, fill(0xe5, 68)));
}

/* It may have been the protected one: that is no matter of a list. */
static void miss_edge_or_protected(struct golden *g)
{
	struct bytes p = udp(40001, 9, fill(8, 60));

	plex_sends(g, 0, 0, P_UDP, p);
	g->n--; /* not yet outside */
	add(g, "br-vpn", 1, app(ip4o(QBT, SINK, P_UDP, (struct ip_fields){ .id = 0 }, p)));
	add(g, "uplink", 45, out(ip4o(REAL, SINK, P_UDP, (struct ip_fields){ .id = 4, .ttl = 63 }, p)));
}

static void miss_edge_tls(struct golden *g)
{
	plex_sends(g, 0, 4, P_TCP, tcp(40001, 443, 1, F_SYN, fill(0, 0)));
	plex_sends(g, 500, 5, P_TCP, tcp(40001, 443, 2, F_ACK, tls_hello("plex.example")));
	plex_sends(g, 900, 6, P_TCP, tcp(40001, 443, 90, F_ACK, fill(0xe5, 68)));
}

static void unread_ethertype(struct golden *g)
{
	add(g, "uplink", 0, eth(M_HOST, M_ROUTER, 0x9999, fill(1, 60)));
}

static void unread_header(struct golden *g)
{
	struct bytes p = ip(REAL, SINK, P_UDP, udp(40001, 9, fill(1, 30)));

	p.b[0] = 0x42; /* a header of 8 bytes */
	add(g, "isp", 0, vlan(eth(M_HOST, M_ROUTER, 0x0800, p)));
}

static void miss_unread_inbound(struct golden *g)
{
	add(g, "uplink", 0, eth(M_ROUTER, M_HOST, 0x9999, fill(1, 60)));
}

static void miss_unread_inside(struct golden *g)
{
	add(g, "br-vpn", 0, eth(M_QBT, M_GATEWAY, 0x9999, fill(1, 60)));
}

struct golden_case {
	const char *name, *policy;
	void (*build)(struct golden *g);
};

#define LAB "policy.json"
#define HOME "policy-home.json"
#define OPENVPN "policy-openvpn.json"
#define FOUR(rule, fn)                                                          \
	{ rule "+plain", LAB, fn##_plain }, { rule "+hard", LAB, fn##_hard },   \
		{ rule "-inbound", LAB, fn##_inbound }, { rule "-inside", LAB, fn##_inside }

static const struct golden_case golden_cases[] = {
	{ "cleartext-outside-tunnel+udp", LAB, clear_udp },
	{ "cleartext-outside-tunnel+unknown-protocol-vlan", LAB, clear_proto253 },
	{ "cleartext-outside-tunnel+later-fragment", LAB, clear_fragment },
	{ "cleartext-outside-tunnel+sctp-isp-only", LAB, clear_isp_only },
	{ "cleartext-outside-tunnel+port-beside-allowance", LAB, clear_port_beside_allowance },
	{ "cleartext-outside-tunnel+shape-beside-allowance", LAB, clear_shape_beside_allowance },
	{ "cleartext-outside-tunnel+address-beside-allowance", LAB, clear_address_beside_allowance },
	{ "cleartext-outside-tunnel+canary-under-allowance", LAB, clear_canary_under_allowance },
	{ "cleartext-outside-tunnel+segments-of-one-frame", LAB, clear_segments_of_big_frame },
	{ "cleartext-outside-tunnel+home-source", HOME, home_source },
	{ "cleartext-outside-tunnel+home-bridge-match", HOME, home_bridge_match },
	{ "cleartext-outside-tunnel+home-out-of-a-queue", HOME, home_out_of_a_queue },
	{ "cleartext-outside-tunnel+home-cut-for-the-uplink", HOME, home_cut_for_the_uplink },
	{ "cleartext-outside-tunnel+home-wrapped", HOME, home_wrapped },
	{ "cleartext-outside-tunnel-blocked", LAB, miss_blocked },
	{ "cleartext-outside-tunnel-tunnel", LAB, miss_tunnel },
	{ "cleartext-outside-tunnel-allowed", LAB, miss_allowed },
	{ "cleartext-outside-tunnel-control", LAB, miss_control },
	{ "cleartext-outside-tunnel-beacon", LAB, miss_beacon },
	{ "cleartext-outside-tunnel-home-neighbours", HOME, miss_home_neighbours },
	{ "cleartext-outside-tunnel-home-no-match", HOME, miss_home_no_match },
	{ "cleartext-outside-tunnel-home-wrapped", HOME, miss_home_wrapped },
	{ "private-source-outside+udp", LAB, source_udp },
	{ "private-source-outside+fragment-vlan", LAB, source_fragment },
	{ "private-source-outside-translated", LAB, clear_udp },
	{ "private-source-outside-unknown", LAB, miss_source_unknown },
	{ "private-source-outside-home-address", HOME, miss_home_neighbours },
	{ "ipv6-outside+options", LAB, v6_options },
	{ "ipv6-outside+privacy-address", LAB, v6_privacy_address },
	{ "ipv6-outside-upkeep", LAB, miss_v6_upkeep },
	{ "ipv6-outside-ipv4", LAB, clear_udp },
	{ "icmp-outside+echo", LAB, icmp_echo },
	{ "icmp-outside+echo6-vlan", LAB, icmp6_echo },
	{ "icmp-outside+quotes-another-port", LAB, icmp_quotes_another_port },
	{ "icmp-outside-quotes-tunnel", LAB, miss_icmp_quotes_tunnel },
	{ "icmp-outside-inbound", LAB, miss_icmp_inbound },
	{ "old-flow-outside+data", LAB, old_flow },
	{ "old-flow-outside+fin6-vlan", LAB, old_flow_v6 },
	{ "old-flow-outside-new-flow", LAB, miss_new_flow },
	{ "old-flow-outside-reset", LAB, miss_reset },
	{ "old-flow-outside-of-the-host", HOME, miss_old_flow_of_the_host },
	{ "tunnel-endpoint-cleartext+other-port", LAB, endpoint_other_port },
	{ "tunnel-endpoint-cleartext+same-port-tcp", LAB, endpoint_same_port_tcp },
	{ "tunnel-endpoint-cleartext+dns-in-tuple", LAB, endpoint_dns_in_tuple },
	{ "tunnel-endpoint-cleartext+nearly-data", LAB, endpoint_nearly_wireguard },
	{ "tunnel-endpoint-cleartext+nearly-initiation", LAB, endpoint_nearly_initiation },
	{ "tunnel-endpoint-cleartext+reserved-bytes", LAB, endpoint_reserved_bytes },
	{ "tunnel-endpoint-cleartext+openvpn-dht", OPENVPN, endpoint_openvpn_plain },
	{ "tunnel-endpoint-cleartext+openvpn-http", OPENVPN, endpoint_openvpn_http },
	{ "tunnel-endpoint-cleartext-wireguard", LAB, miss_tunnel },
	{ "tunnel-endpoint-cleartext-openvpn", OPENVPN, miss_openvpn },
	{ "tunnel-endpoint-cleartext-server-speaks", LAB, miss_server_speaks },
	{ "tunnel-endpoint-cleartext-server-speaks-oddly", LAB, miss_server_speaks_oddly },
	{ "tunnel-endpoint-cleartext-host-visits", HOME, miss_host_visits_the_server },
	{ "tunnel-not-opaque+marker", LAB, opaque_marker },
	{ "tunnel-not-opaque+text-openvpn-vlan", OPENVPN, opaque_text },
	{ "tunnel-not-opaque-ciphertext", LAB, miss_tunnel },
	{ "tunnel-not-opaque-bridge", LAB, miss_marker_on_bridge },
	{ "tunnel-port-moved+data", LAB, port_moved },
	{ "tunnel-port-moved+keepalive-vlan", LAB, port_moved_vlan },
	{ "tunnel-port-moved-new-session", LAB, miss_new_session },
	{ "tunnel-port-moved-one-port", LAB, miss_tunnel },
	FOUR("plaintext-dns", dns),
	{ "plaintext-dns+tcp-split", LAB, dns_tcp_split },
	{ "plaintext-dns+loopback-canary", LAB, dns_lo_canary },
	{ "plaintext-dns+multicast", LAB, dns_mdns },
	{ "plaintext-dns+llmnr", LAB, dns_llmnr },
	{ "plaintext-dns+canary-under-allowance", LAB, clear_canary_under_allowance },
	{ "plaintext-dns-loopback-answer", LAB, miss_dns_lo_answer },
	{ "plaintext-dns-of-the-host", LAB, miss_allowed },
	FOUR("encrypted-dns-outside", doh),
	{ "encrypted-dns-outside+dot", LAB, dot },
	{ "encrypted-dns-outside-other-name", LAB, sni_plain },
	FOUR("server-name-outside", sni),
	{ "server-name-outside+then-other", LAB, sni_then_other },
	FOUR("http-host-outside", http),
	{ "http-host-outside+then-other", LAB, http_then_other },
	{ "http-host-outside-answer", LAB, miss_http_answer },
	FOUR("bittorrent-peer-outside", bt_peer),
	FOUR("bittorrent-tracker-outside", bt_tracker),
	{ "bittorrent-tracker-outside+websocket", LAB, ws_frame },
	{ "bittorrent-tracker-outside-http", LAB, http_plain },
	{ "bittorrent-tracker-outside-other-websocket", LAB, ws },
	FOUR("udp-tracker-outside", udp_tracker),
	FOUR("dht-outside", dht),
	{ "utp-outside+syn-state", LAB, utp_plain },
	{ "utp-outside+odd-port-v6-vlan", LAB, utp_hard },
	{ "utp-outside-inbound", LAB, miss_utp_in },
	{ "utp-outside-wrong-version", LAB, miss_utp_wrong_version },
	{ "utp-outside-of-nobody", HOME, miss_utp_of_nobody },
	FOUR("local-discovery-outside", lsd),
	{ "local-discovery-outside-ssdp", LAB, ssdp_plain },
	FOUR("stun-outside", stun),
	FOUR("upnp-outside", ssdp),
	{ "upnp-outside+soap", LAB, soap },
	{ "upnp-outside-device", LAB, miss_ssdp_device },
	FOUR("nat-pmp-outside", natpmp),
	{ "nat-pmp-outside+pcp-vlan", LAB, pcp },
	{ "published-port-answers+tcp", LAB, published_tcp },
	{ "published-port-answers+utp6-vlan", LAB, published_udp },
	{ "published-port-answers+edge-port-speaks-torrent", LAB, published_web_speaks_torrent },
	{ "published-port-answers-web", LAB, miss_published_web },
	{ "published-port-answers-reset", LAB, miss_published_reset },
	{ "vpn-side-answers+web", LAB, vpn_side },
	{ "vpn-side-answers+app-address", LAB, vpn_side_odd },
	{ "vpn-side-answers-torrent-port", LAB, miss_vpn_side_torrent },
	{ "vpn-side-answers-reset", LAB, miss_vpn_side_reset },
	{ "tunnel-address-answers+reset", LAB, tun_reset },
	{ "tunnel-address-answers+challenge-vlan", LAB, tun_challenge },
	{ "tunnel-address-answers-asked", LAB, miss_tun_asked },
	{ "tunnel-address-answers-comes-in", LAB, miss_tun_comes_in },
	{ "tunnel-address-answers-exit", LAB, miss_tun_at_exit },
	{ "tunnel-address-arp+reply", LAB, arp_reply },
	{ "tunnel-address-arp+inside-vlan", LAB, arp_inside },
	{ "tunnel-address-arp+neighbour-advertisement", LAB, na_reply },
	{ "tunnel-address-arp-neighbours", LAB, miss_na },
	{ "tunnel-address-arp-asked", LAB, miss_arp_asked },
	{ "tunnel-address-arp-comes-in", LAB, miss_arp_comes_in },
	{ "tunnel-address-arp-own", LAB, miss_arp_own },
	{ "router-advertisement-inside+lifetime", LAB, ra_bridge },
	{ "router-advertisement-inside+prefix-vlan", LAB, ra_prefix_only },
	{ "router-advertisement-inside+then-other", LAB, ra_then_other },
	{ "router-advertisement-inside+route-information", LAB, ra_route },
	{ "router-advertisement-inside-uplink", LAB, miss_ra_uplink },
	{ "router-advertisement-inside-withdrawn", LAB, miss_ra_withdrawn },
	{ "router-advertisement-inside-route-withdrawn", LAB, miss_ra_route_withdrawn },
	{ "dhcp-route-injected+half", LAB, lease_half },
	{ "dhcp-route-injected+second-route-vlan", LAB, lease_host_route },
	{ "dhcp-route-injected+then-other", LAB, lease_then_other },
	{ "dhcp-route-injected+tenth-route", LAB, lease_tenth_route },
	{ "dhcp-route-injected+split", LAB, lease_split },
	{ "dhcp-route-injected+overload-file", LAB, lease_overload_file },
	{ "dhcp-route-injected+overload-sname", LAB, lease_overload_sname },
	{ "dhcp-route-injected+static-route", LAB, lease_static_route },
	{ "dhcp-route-injected-asked", LAB, miss_lease_asked },
	{ "dhcp-route-injected-default", LAB, miss_lease_default },
	{ "dhcp-route-injected-private", LAB, miss_lease_private },
	{ "dhcp-route-injected-many-private", LAB, miss_lease_many },
	{ "dhcp-route-injected-split-private", LAB, miss_lease_split },
	{ "dhcp-route-injected-no-overload", LAB, miss_lease_no_overload },
	{ "dhcp-route-injected-static-private", LAB, miss_lease_static },
	{ "real-address-in-payload+announce", LAB, told_announce },
	{ "real-address-in-payload+udp-announce", LAB, told_udp_announce },
	{ "real-address-in-payload+v6-handshake", LAB, told_v6_handshake },
	{ "real-address-in-payload+yourip", LAB, told_yourip },
	{ "real-address-in-payload+stun", LAB, told_stun },
	{ "real-address-in-payload+client-subnet", LAB, told_subnet },
	{ "real-address-in-payload+source", LAB, told_source },
	{ "real-address-in-payload+inner-source", LAB, told_inner_source },
	{ "real-address-in-payload-other-source", LAB, miss_told_source },
	{ "real-address-in-payload+name", LAB, told_name },
	{ "real-address-in-payload-other-subnet", LAB, miss_told_subnet },
	{ "real-address-in-payload-vpn-address", LAB, miss_told_vpn },
	{ "real-address-in-payload-dns-answer", LAB, miss_told_dns },
	{ "real-address-in-payload-ciphertext", LAB, miss_told_bytes },
	{ "real-address-text+body", LAB, text_v4 },
	{ "real-address-text+at-the-start", LAB, text_first },
	{ "real-address-text+v6-upper-case", LAB, text_v6 },
	{ "real-address-text+behind-a-word", LAB, text_behind_a_word },
	{ "real-address-text+in-pieces", LAB, text_in_pieces },
	{ "real-address-text-in-other-pieces", LAB, miss_text_pieces },
	{ "real-address-text+behind-bytes", LAB, text_behind_bytes },
	{ "real-address-text-longer-number", LAB, miss_text_longer },
	{ "real-address-text-in-dns", LAB, miss_text_dns },
	{ "real-address-text+asked-by-name", LAB, text_asked },
	{ "real-address-text-asked-otherwise", LAB, miss_text_asked },
	{ "real-address-text-quoted", LAB, miss_text_quoted },
	{ "real-address-text-ciphertext", LAB, miss_told_bytes },
	{ "dht-id-from-real-address+v4", LAB, node_v4 },
	{ "dht-id-from-real-address+v6", LAB, node_v6 },
	{ "dht-id-from-real-address+then-other", LAB, node_then_other },
	{ "dht-id-from-real-address-vpn", LAB, miss_node_vpn },
	{ "dht-id-from-real-address-foreign", LAB, miss_node_foreign },
	{ "edge-not-listed+udp", LAB, edge_udp },
	{ "edge-not-listed+wrong-shape", LAB, edge_wrong_shape },
	{ "edge-not-listed-or-protected", LAB, miss_edge_or_protected },
	{ "edge-not-listed-tls", LAB, miss_edge_tls },
	{ "edge-not-listed-web", LAB, miss_published_web },
	{ "undecodable-outside+ethertype", LAB, unread_ethertype },
	{ "undecodable-outside+header-length-vlan", LAB, unread_header },
	{ "undecodable-outside-inbound", LAB, miss_unread_inbound },
	{ "undecodable-outside-inside", LAB, miss_unread_inside },
};

#define N_GOLDEN (sizeof(golden_cases) / sizeof(golden_cases[0]))

#endif
