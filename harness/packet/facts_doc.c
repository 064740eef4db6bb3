/* SPDX-License-Identifier: MIT */
/* The reference of facts in JSON, printed from this table and those of decode.h. */
#include "packet/facts_doc.h"

#include "packet/decode.h"

#define N(path, meaning)                \
	{                               \
		path, "number", meaning \
	}
#define TEXT(path, meaning)           \
	{                             \
		path, "text", meaning \
	}
#define TRUE(path, meaning)           \
	{                             \
		path, "true", meaning \
	}
#define BOOL(path, meaning)              \
	{                                \
		path, "boolean", meaning \
	}
#define ADDR(path, meaning)              \
	{                                \
		path, "address", meaning \
	}
#define MAC(path, meaning)           \
	{                            \
		path, "MAC", meaning \
	}
#define HEX(path, meaning)           \
	{                            \
		path, "hex", meaning \
	}
#define LIST(path, meaning)           \
	{                             \
		path, "list", meaning \
	}
#define OBJ(path, meaning)              \
	{                               \
		path, "object", meaning \
	}

const struct fact_field fact_fields[] = {
	TEXT("file", "the capture file; only where several were given"),
	N("frame", "number in the file, from 1, as tshark and tcpdump count"),
	N("interface", "pcapng: number of the interface in its section; absent: 0"),
	TEXT("direction", "pcapng: `in` or `out`, where the file says it"),
	TEXT("time", "seconds since 1970 (UTC), with nine digits of fraction"),
	N("time_ns", "the same in nanoseconds; needs 64 bits"),
	N("length", "bytes on the wire"),
	N("captured", "bytes in the file"),
	N("linktype", "LINKTYPE_ number of the pcap registry"),
	N("ethertype", "behind VLAN tags"),
	MAC("src_mac", "sender on the link"),
	MAC("dst_mac", "receiver on the link; Ethernet only"),
	N("packet_type",
	  "cooked captures: 0 to us, 1 broadcast, 2 multicast, 3 to others, 4 from us"),
	N("ifindex", "cooked captures of version 2: number of the interface"),
	LIST("vlan", "VLAN numbers, outermost first"),

	LIST("layers",
	     "IP headers, outermost first; the protocols speak of the last one's payload"),
	N("layers[].version", "4 or 6"),
	TEXT("layers[].in", "how the layer before carries this one; see Tunnels"),
	ADDR("layers[].src", "source"),
	ADDR("layers[].dst", "destination"),
	N("layers[].proto", "IP protocol number, behind all extension headers"),
	N("layers[].ttl", "time to live, or hop limit"),
	N("layers[].tos", "type of service, or traffic class"),
	N("layers[].id", "identification of IPv4, or of the fragment header; 0 without one"),
	TRUE("layers[].dont_fragment", "the bit of IPv4"),
	N("layers[].length", "total length as stated, header included"),
	N("layers[].header", "length of the IP header with options and extension headers"),
	N("layers[].fragment_offset", "of a fragment, in bytes"),
	BOOL("layers[].more_fragments", "of a fragment"),
	N("layers[].sport", "source port of TCP, UDP, SCTP"),
	N("layers[].dport", "destination port"),
	TRUE("layers[].ports_from_first", "a later fragment: ports are those of the first one"),
	TEXT("layers[].flags", "TCP: letters of `FSRPAU`"),
	N("layers[].seq", "TCP: sequence number"),
	N("layers[].ack", "TCP: acknowledgment number"),
	N("layers[].window", "TCP: window, not scaled"),
	N("layers[].type", "ICMP: type"),
	N("layers[].code", "ICMP: code"),
	N("layers[].echo_id", "ICMP echo: identifier"),
	N("layers[].echo_seq", "ICMP echo: sequence number"),
	N("layers[].payload", "bytes behind the transport header, as the headers state them"),
	N("layers[].payload_captured", "those that are there, where they are fewer"),
	OBJ("quoted", "the packet that an ICMP error quotes, with the keys of a layer: it was not "
		      "sent here"),

	LIST("protocols", "what was recognised; see Protocols"),
	LIST("weak", "those of `protocols` that shape or port alone speak for"),
	TRUE("reassembled", "put together from several frames, of which this is the last"),
	BOOL("undecodable", "link, IP or transport header cannot be read: suspicious outside"),
	TEXT("reason", "the weightiest of `reasons`"),
	LIST("reasons", "everything that could not be read, or was noted; see Reasons"),

	LIST("addresses", "addresses inside the payload, at places where the protocol puts them"),
	TEXT("addresses[].place", "see Places"),
	ADDR("addresses[].address", "the address"),
	N("addresses[].port", "where the place has one"),

	OBJ("arp", "ARP over Ethernet"),
	N("arp.op", "1 request, 2 reply"),
	MAC("arp.sender_mac", "sender's"),
	ADDR("arp.sender", "sender's"),
	MAC("arp.target_mac", "target's"),
	ADDR("arp.target", "target's"),

	OBJ("nd", "neighbour discovery"),
	N("nd.type", "133 solicitation of routers, 134 their advertisement, 135 and 136 of "
		     "neighbours, 137 redirect"),
	N("nd.router_lifetime", "of an advertisement, in seconds"),
	ADDR("nd.target", "of neighbour messages and redirects"),
	MAC("nd.lladdr", "link-layer address option"),
	ADDR("nd.prefix", "the first one of a router's advertisement"),
	N("nd.prefix_length", "its length"),
	ADDR("nd.route",
	     "the first route of a router's advertisement that is not taken back; none for ::"),
	N("nd.route_length", "its prefix length"),
	ADDR("nd.dns", "the first resolver of a router's advertisement"),

	OBJ("dns", "DNS in any transport"),
	TEXT("dns.transport", "`udp`, `tcp`, `multicast`, `llmnr`, `netbios`"),
	BOOL("dns.response", "an answer"),
	N("dns.id", "identifier"),
	N("dns.opcode", "0 is a standard query"),
	N("dns.rcode", "0 is no error"),
	TRUE("dns.authoritative", "AA"),
	TRUE("dns.truncated", "TC"),
	TRUE("dns.recursion_desired", "RD"),
	N("dns.questions", "as the header states"),
	N("dns.answers", "as the header states"),
	N("dns.authorities", "as the header states"),
	N("dns.additionals", "as the header states"),
	N("dns.qtype", "type of the first question"),
	N("dns.qclass", "class of the first question"),
	TEXT("dns.qname", "name of the first question, or owner of the first record; no final dot, "
			  "`.` is the root"),
	TEXT("dns.other_names", "names of further questions and records, a space behind each"),
	N("dns.edns_size", "EDNS: payload size"),

	OBJ("tls", "a ClientHello of TLS, DTLS or QUIC"),
	N("tls.version", "the highest offered: 772 is TLS 1.3; 0 in Google's own hello"),
	TEXT("tls.sni", "server name; the outer one where the hello is encrypted"),
	TEXT("tls.alpn", "protocols offered, with commas"),
	TRUE("tls.over_quic", "it came in QUIC"),
	TRUE("tls.encrypted_hello", "the hello offers to be encrypted (ECH, ESNI)"),

	OBJ("quic", "QUIC, of the IETF or Google's"),
	N("quic.version", "0: version negotiation, or a short header"),
	BOOL("quic.long_header", "of the first packet in the datagram"),
	N("quic.type", "of a long header: 0 Initial, 1 0-RTT, 2 Handshake, 3 Retry"),
	HEX("quic.dcid", "connection id of the receiver"),
	HEX("quic.scid", "connection id of the sender"),
	TRUE("quic.decrypted", "an Initial of the client was decrypted"),

	OBJ("http", "head of HTTP/1"),
	TEXT("http.method", "of a request"),
	TEXT("http.target", "of a request, cut at 1023 bytes"),
	TEXT("http.host", "`Host:`"),
	TEXT("http.user_agent", "`User-Agent:`"),
	N("http.status", "of a reply"),
	TEXT("http.upgrade", "`Upgrade:`"),
	TRUE("http.head_complete", "the blank line was seen"),

	OBJ("bt", "BitTorrent: peers, trackers, DHT, uTP, local discovery"),
	TEXT("bt.action", "`connect`, `announce`, `scrape`, `error` of trackers; `ping`, "
			  "`find_node`, `get_peers`, `announce_peer`, `other` of the DHT"),
	TRUE("bt.reply", "from a tracker or node"),
	HEX("bt.reserved", "of a handshake, 8 bytes"),
	HEX("bt.info_hash", "20 bytes"),
	HEX("bt.peer_id", "20 bytes"),
	HEX("bt.node_id", "20 bytes"),
	N("bt.port", "listening port that was told"),
	N("bt.key", "key of an announce"),
	N("bt.utp_type", "uTP: 0 DATA, 1 FIN, 2 STATE, 3 RESET, 4 SYN"),
	TEXT("bt.client", "`v` of an extension handshake or DHT message"),

	OBJ("dhcp", "DHCP of IPv4"),
	N("dhcp.op", "1 request, 2 reply"),
	N("dhcp.type", "option 53: 1 discover, 2 offer, 3 request, 5 acknowledgment"),
	N("dhcp.xid", "transaction"),
	MAC("dhcp.client_mac", "client's"),
	ADDR("dhcp.ciaddr", "client's, that it has"),
	ADDR("dhcp.yiaddr", "client's, that it gets"),
	ADDR("dhcp.server", "option 54"),
	ADDR("dhcp.router", "option 3, the first"),
	ADDR("dhcp.dns", "option 6, the first"),
	TEXT("dhcp.hostname", "option 12"),
	LIST("dhcp.routes", "options 121, 249 and 33"),
	ADDR("dhcp.routes[].net", "destination"),
	N("dhcp.routes[].length", "its prefix length"),
	ADDR("dhcp.routes[].router", "gateway"),
	N("dhcp.routes_total", "where there were more than are kept"),

	OBJ("portmap", "a port mapping: NAT-PMP, PCP, or UPnP's SOAP"),
	TRUE("portmap.response", "an answer"),
	N("portmap.opcode", "NAT-PMP 0 address, 1 UDP, 2 TCP; PCP 0 announce, 1 map, 2 peer"),
	N("portmap.protocol", "IP protocol number, 0 is none or all"),
	N("portmap.internal_port", "inside"),
	N("portmap.external_port", "outside, wanted or given"),
	N("portmap.lifetime", "in seconds"),
	N("portmap.result", "0 is success"),
	TEXT("portmap.action", "of SOAP"),

	OBJ("ssdp", "SSDP"),
	N("ssdp.kind", "1 M-SEARCH, 2 NOTIFY, 3 answer"),
	TEXT("ssdp.target", "`ST:` or `NT:`"),

	OBJ("stun", "STUN and TURN"),
	N("stun.type", "1 binding request, 257 its answer, ...; from 16384 on a TURN channel"),
	TRUE("stun.classic", "without the magic cookie (RFC 3489)"),
	TEXT("stun.software", "of the sender"),

	OBJ("wireguard", "WireGuard"),
	N("wireguard.type", "1 initiation, 2 response, 3 cookie reply, 4 data"),
	N("wireguard.sender", "index"),
	N("wireguard.receiver", "index"),
	N("wireguard.counter", "of data, below 2^63"),

	OBJ("openvpn", "OpenVPN"),
	N("openvpn.opcode",
	  "3 to 11: 4 control, 5 acknowledgment, 6 and 9 data, 7 and 8 hard reset"),
	N("openvpn.key_id", "0 to 7"),
	TRUE("openvpn.tcp", "over TCP"),
	HEX("openvpn.session", "of control packets, 8 bytes"),

	OBJ("ntp", "NTP"),
	N("ntp.version", "1 to 4"),
	N("ntp.mode", "3 client, 4 server"),
};
const size_t n_fact_fields = sizeof(fact_fields) / sizeof(fact_fields[0]);

static const char link_control[] =
	"messages between neighbours on a link, which hold nobody's packet: EAPOL, LLDP, LACP, "
	"spanning tree, PPPoE discovery, PPP's control protocols, Cisco's keep-alives, loopback "
	"tests";

static const char *const proto_meanings[] = {
	[PROTO_ARP] = "ARP and RARP over Ethernet",
	[PROTO_ICMP] = "ICMP",
	[PROTO_ICMP6] = "ICMPv6",
	[PROTO_IGMP] = "IGMP",
	[PROTO_TCP] = "TCP",
	[PROTO_UDP] = "UDP and UDP-Lite",
	[PROTO_ND] = "neighbour discovery (RFC 4861)",
	[PROTO_DHCP] = "DHCP and BOOTP",
	[PROTO_DHCP6] = "DHCPv6, by its ports",
	[PROTO_DNS] = "any DNS message: UDP, TCP, multicast, LLMNR, NetBIOS names",
	[PROTO_MDNS] = "multicast DNS (RFC 6762)",
	[PROTO_LLMNR] = "LLMNR (RFC 4795)",
	[PROTO_NBNS] = "NetBIOS name service",
	[PROTO_DOT] = "port 853: DNS over TLS, DTLS or QUIC",
	[PROTO_TLS] = "a TLS record begins here",
	[PROTO_TLS_HELLO] = "a ClientHello, of TLS, DTLS or inside a QUIC Initial",
	[PROTO_DTLS] = "DTLS",
	[PROTO_QUIC] = "QUIC: versions 1 and 2, drafts, mvfst, Google's",
	[PROTO_HTTP] = "a request or reply head of HTTP/1, or HTTP/2's preface",
	[PROTO_BT_HANDSHAKE] = "BitTorrent handshake, over TCP or uTP",
	[PROTO_BT_EXTENDED] = "extension message (BEP 10)",
	[PROTO_BT_PEX] = "peer exchange (BEP 11)",
	[PROTO_BT_HOLEPUNCH] = "holepunch (BEP 55)",
	[PROTO_BT_TRACKER] = "HTTP announce, scrape or a tracker's reply",
	[PROTO_BT_UDP_TRACKER] = "UDP tracker (BEP 15)",
	[PROTO_BT_WS_TRACKER] = "WebSocket message of a WebTorrent tracker",
	[PROTO_BT_DHT] = "DHT (BEP 5)",
	[PROTO_BT_UTP] = "uTP (BEP 29)",
	[PROTO_BT_LSD] = "local service discovery (BEP 14)",
	[PROTO_STUN] = "STUN, TURN (RFC 8489, 8656, 3489)",
	[PROTO_SSDP] = "SSDP: search, notify, answer",
	[PROTO_UPNP] = "SOAP of a port mapping",
	[PROTO_NATPMP] = "NAT-PMP (RFC 6886)",
	[PROTO_PCP] = "PCP (RFC 6887)",
	[PROTO_NTP] = "NTP",
	[PROTO_WIREGUARD] = "a message of WireGuard's shape",
	[PROTO_OPENVPN] = "OpenVPN",
	[PROTO_SCTP] = "SCTP",
	[PROTO_ESP] = "IPsec ESP",
	[PROTO_NETBIOS] = "NetBIOS datagrams and sessions, SMB, by their ports",
	[PROTO_LINK_CONTROL] = link_control,
};
_Static_assert(sizeof(proto_meanings) / sizeof(proto_meanings[0]) == PROTO_COUNT, "one each");

static void intro(FILE *out)
{
	(void)fputs(
		"# Facts: one JSON line a packet\n\n"
		"Printed by `leakproof list facts` from the decoder's own tables; a test "
		"compares. Do not edit.\n\n"
		"`leakproof analyze --facts FILE...` prints one JSON object a frame and line, in "
		"the order of the file, for people (`jq`) and for other judges. Names are "
		"stable: they are added, not changed. A key stands only where there is something "
		"to say, so that an absent flag is false and an absent text unknown; `layers`, "
		"`protocols`, `undecodable` and the keys up to `linktype` are always there.\n\n"
		"Every line is UTF-8. Texts from the wire are printable ASCII: any other byte, "
		"and the backslash, stands as `\\` and three decimal digits (in DNS names also a "
		"dot or a space inside a label), and what is too long is cut. Numbers are whole; "
		"`time_ns` and `wireguard.counter` need 64 bits, which is why `time` is a text "
		"as well. Hex has two digits a byte. A protocol's object says only what its "
		"message says: nothing is guessed, and `weak` names what shape or port alone "
		"speak for.\n\n"
		"A file that ends early, or is damaged in the middle, gives the frames before "
		"it, the reason with its byte on standard error, and exit status 4; what is no "
		"capture at all gives 2.\n\n"
		"Heads that are split over segments, datagrams or fragments are put together: "
		"their facts stand at the frame that completes them (`reassembled`), and what is "
		"there so far at the frames before.\n",
		out);
}

static void fields(FILE *out)
{
	(void)fputs("\n## Keys\n\n| key | value | meaning |\n|---|---|---|\n", out);
	for (size_t i = 0; i < n_fact_fields; i++)
		(void)fprintf(out, "| `%s` | %s | %s |\n", fact_fields[i].path, fact_fields[i].type,
			      fact_fields[i].meaning);
}

static void protocols(FILE *out)
{
	(void)fputs("\n## Protocols\n\n| name | meaning |\n|---|---|\n", out);
	for (int i = 0; i < PROTO_COUNT; i++)
		(void)fprintf(out, "| `%s` | %s |\n", proto_name((enum proto)i), proto_meanings[i]);
}

static void reasons(FILE *out)
{
	static const char *const levels[] = { [UNDECODABLE_NOTE] = "note",
					      [UNDECODABLE_APP] = "message",
					      [UNDECODABLE_TRANSPORT] = "transport",
					      [UNDECODABLE_NET] = "network",
					      [UNDECODABLE_LINK] = "link" };

	(void)fputs("\n"
		    "## Reasons\n\n"
		    "Those of the levels link, network and transport make a frame `undecodable`; "
		    "message says that a recognised protocol's message is damaged; a note is no "
		    "damage.\n\n"
		    "| name | level |\n"
		    "|---|---|\n",
		    out);
	for (int i = UND_NONE + 1; i < UND_COUNT; i++)
		(void)fprintf(out, "| `%s` | %s |\n", undecodable_name((enum undecodable)i),
			      levels[undecodable_level((enum undecodable)i)]);
}

static void names(FILE *out)
{
	(void)fputs("\n## Places\n\nOf `addresses[].place`:", out);
	for (int i = 0; i < PLACE_COUNT; i++)
		(void)fprintf(out, "%s `%s`", i ? "," : "", place_name((enum addr_place)i));
	(void)fputs(".\n\n## Tunnels\n\nOf `layers[].in`:", out);
	for (int i = ENCAP_NONE + 1; i < ENCAP_COUNT; i++)
		(void)fprintf(out, "%s `%s`", i > 1 ? "," : "", encap_name((enum encap)i));
	(void)fputs(
		". PPTP is `gre`.\n\n"
		"## Links\n\n"
		"Read are Ethernet (1), BSD loopback (0, 108), PPP (9, 50, 51, 166), raw IP (12, "
		"14, 101, 228, 229), Cisco HDLC (104), Linux cooked (113, 276), PPI (192), MPLS "
		"(219) and NFLOG (239); before IP also VLAN tags, PPPoE, MPLS, LLC and SNAP. "
		"Frames of any other link, 802.11 among them, are `link-type-unknown`, never "
		"left out.\n",
		out);
}

void facts_markdown(FILE *out)
{
	intro(out);
	fields(out);
	protocols(out);
	reasons(out);
	names(out);
}
