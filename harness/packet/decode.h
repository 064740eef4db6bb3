/* SPDX-License-Identifier: MIT */
/* Bytes of a frame in, facts out: no I/O, no allocation per frame, a named reason for all it cannot read. */
#ifndef PACKET_DECODE_H
#define PACKET_DECODE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/addr.h"

/* Link types as files carry them (LINKTYPE_ of the pcap registry; equal to the DLT_ of libpcap, but for
 * raw IP, whose DLT_RAW 12, and 14 of OpenBSD, are accepted too). */
enum link_type {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_PPP = 9,
	LINK_RAW_OLD = 12,
	LINK_RAW_OPENBSD = 14,
	LINK_PPP_HDLC = 50,
	LINK_PPP_ETHER = 51,
	LINK_RAW = 101,
	LINK_C_HDLC = 104,
	LINK_LOOP = 108,
	LINK_SLL = 113,
	LINK_PPP_PPPD = 166,
	LINK_PPI = 192,
	LINK_MPLS = 219,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_NFLOG = 239,
	LINK_SLL2 = 276,
};

/* What was recognised; a bit each in facts.protos. X(id, name) */
#define PROTO_TABLE(X)                                                             \
	X(ARP, "arp")                                                              \
	X(ICMP, "icmp")                                                            \
	X(ICMP6, "icmp6")                                                          \
	X(IGMP, "igmp")                                                            \
	X(TCP, "tcp")                                                              \
	X(UDP, "udp")                                                              \
	X(ND, "nd")                                                                \
	X(DHCP, "dhcp")                                                            \
	X(DHCP6, "dhcp6")                                                          \
	X(DNS, "dns") /* all of DNS's family; dns.transport says which */          \
	X(MDNS, "mdns")                                                            \
	X(LLMNR, "llmnr")                                                          \
	X(NBNS, "nbns")                                                            \
	X(DOT, "dot")			 /* port 853, TCP or UDP */                \
	X(TLS, "tls")			 /* any record */                          \
	X(TLS_HELLO, "tls-client-hello") /* facts.tls; also from a QUIC Initial */ \
	X(DTLS, "dtls")                                                            \
	X(QUIC, "quic")                                                            \
	X(HTTP, "http") /* request or reply head */                                \
	X(BT_HANDSHAKE, "bt-handshake")                                            \
	X(BT_EXTENDED, "bt-extended") /* BEP 10 message */                         \
	X(BT_PEX, "bt-pex")                                                        \
	X(BT_HOLEPUNCH, "bt-holepunch")                                            \
	X(BT_TRACKER, "bt-tracker") /* HTTP announce, scrape or reply */           \
	X(BT_UDP_TRACKER, "bt-udp-tracker")                                        \
	X(BT_WS_TRACKER, "bt-ws-tracker") /* WebSocket upgrade or JSON announce */ \
	X(BT_DHT, "bt-dht")                                                        \
	X(BT_UTP, "bt-utp")                                                        \
	X(BT_LSD, "bt-lsd")                                                        \
	X(STUN, "stun")                                                            \
	X(SSDP, "ssdp")                                                            \
	X(UPNP, "upnp") /* SOAP port mapping */                                    \
	X(NATPMP, "nat-pmp")                                                       \
	X(PCP, "pcp")                                                              \
	X(NTP, "ntp")                                                              \
	X(WIREGUARD, "wireguard")                                                  \
	X(OPENVPN, "openvpn")                                                      \
	X(SCTP, "sctp")                                                            \
	X(ESP, "esp")                                                              \
	X(NETBIOS, "netbios")		/* datagram or session service */          \
	X(LINK_CONTROL, "link-control") /* between neighbours: EAPOL, LLDP, STP */

enum proto {
#define X(id, name) PROTO_##id,
	PROTO_TABLE(X)
#undef X
		PROTO_COUNT
};
_Static_assert(PROTO_COUNT <= 64, "facts.protos holds 64 bits");

#define PROTO_BIT(p) (UINT64_C(1) << (p))
/* Everything that only a BitTorrent program sends. */
#define PROTO_BT_ALL                                                                              \
	(PROTO_BIT(PROTO_BT_HANDSHAKE) | PROTO_BIT(PROTO_BT_EXTENDED) | PROTO_BIT(PROTO_BT_PEX) | \
	 PROTO_BIT(PROTO_BT_HOLEPUNCH) | PROTO_BIT(PROTO_BT_TRACKER) |                            \
	 PROTO_BIT(PROTO_BT_UDP_TRACKER) | PROTO_BIT(PROTO_BT_WS_TRACKER) |                       \
	 PROTO_BIT(PROTO_BT_DHT) | PROTO_BIT(PROTO_BT_UTP) | PROTO_BIT(PROTO_BT_LSD))

const char *proto_name(enum proto p);

/* Why something could not be read. X(id, name, level): level LINK, NET and TRANSPORT make the frame
 * *undecodable* (suspicious on an outside tap); APP says that a message of a recognised protocol is damaged;
 * NOTE is information (a later fragment, a cut capture; MESSAGE_CUT: what was not captured would show whether it is the
 * protocol's message, which is then told by its port and beginning alone). */
#define UNDECODABLE_TABLE(X)                                    \
	X(NONE, "none", NOTE)                                   \
	X(LINKTYPE_UNKNOWN, "link-type-unknown", LINK)          \
	X(LINK_SHORT, "link-header-short", LINK)                \
	X(VLAN_DEPTH, "vlan-too-deep", LINK)                    \
	X(ETHERTYPE_UNKNOWN, "ethertype-unknown", LINK)         \
	X(LLC, "llc-unknown", LINK)                             \
	X(PPP, "ppp-payload-unknown", LINK)                     \
	X(LINK_DEPTH, "link-headers-too-deep", LINK)            \
	X(ARP_SHORT, "arp-short", NET)                          \
	X(ARP_HARDWARE, "arp-hardware-unknown", NET)            \
	X(IP_VERSION, "ip-version-wrong", NET)                  \
	X(IP4_SHORT, "ipv4-header-short", NET)                  \
	X(IP4_HEADER_LENGTH, "ipv4-header-length-wrong", NET)   \
	X(IP4_TOTAL_LENGTH, "ipv4-total-length-wrong", NET)     \
	X(IP4_FRAGMENT_RANGE, "ipv4-fragment-beyond-64k", NET)  \
	X(IP6_SHORT, "ipv6-header-short", NET)                  \
	X(IP6_EXTENSION_SHORT, "ipv6-extension-short", NET)     \
	X(IP6_EXTENSION_DEPTH, "ipv6-extensions-too-many", NET) \
	X(IP6_FRAGMENT_RANGE, "ipv6-fragment-beyond-64k", NET)  \
	X(IPPROTO_UNKNOWN, "ip-protocol-unknown", NET)          \
	X(TUNNEL_DEPTH, "tunnel-too-deep", NET)                 \
	X(GRE_SHORT, "gre-header-short", NET)                   \
	X(GRE_UNKNOWN, "gre-payload-unknown", NET)              \
	X(VXLAN_SHORT, "vxlan-header-short", NET)               \
	X(ICMP_SHORT, "icmp-short", TRANSPORT)                  \
	X(ICMP_QUOTE, "icmp-quoted-packet-damaged", NOTE)       \
	X(IGMP_SHORT, "igmp-short", TRANSPORT)                  \
	X(TCP_SHORT, "tcp-header-short", TRANSPORT)             \
	X(TCP_OFFSET, "tcp-data-offset-wrong", TRANSPORT)       \
	X(UDP_SHORT, "udp-header-short", TRANSPORT)             \
	X(UDP_LENGTH, "udp-length-wrong", TRANSPORT)            \
	X(SCTP_SHORT, "sctp-header-short", TRANSPORT)           \
	X(FRAGMENT_LATER, "later-fragment", NOTE)               \
	X(FRAGMENT_OVERLAP, "fragments-overlap", NET)           \
	X(CAPTURE_CUT, "capture-cut", NOTE)                     \
	X(MESSAGE_CUT, "message-cut", NOTE)                     \
	X(FLOW_EVICTED, "flow-table-full", NOTE)                \
	X(STREAM_GAP, "stream-gap", NOTE)                       \
	X(STREAM_LONG, "stream-head-too-long", NOTE)            \
	X(DNS_SHORT, "dns-short", APP)                          \
	X(DNS_NAME, "dns-name-wrong", APP)                      \
	X(DNS_LOOP, "dns-compression-loop", APP)                \
	X(DNS_COUNT, "dns-more-records-than-read", NOTE)        \
	X(NBNS_NAME, "nbns-name-wrong", APP)                    \
	X(DHCP_SHORT, "dhcp-short", APP)                        \
	X(DHCP_OPTION, "dhcp-option-wrong", APP)                \
	X(ND_SHORT, "nd-short", APP)                            \
	X(ND_OPTION, "nd-option-wrong", APP)                    \
	X(TLS_SHORT, "tls-hello-cut", APP)                      \
	X(TLS_HELLO, "tls-hello-wrong", APP)                    \
	X(QUIC_SHORT, "quic-header-short", APP)                 \
	X(QUIC_VERSION, "quic-version-unknown", NOTE)           \
	X(QUIC_DECRYPT, "quic-initial-not-decryptable", NOTE)   \
	X(QUIC_FRAME, "quic-frame-wrong", APP)                  \
	X(HTTP_HEAD, "http-head-wrong", APP)                    \
	X(BENCODE, "bencode-wrong", APP)                        \
	X(BENCODE_DEPTH, "bencode-too-deep", APP)               \
	X(BT_MESSAGE, "bt-message-wrong", APP)                  \
	X(STUN_ATTRIBUTE, "stun-attribute-wrong", APP)          \
	X(UPNP_FIELD, "upnp-field-wrong", APP)                  \
	X(NATPMP_SHORT, "nat-pmp-short", APP)                   \
	X(PCP_SHORT, "pcp-short", APP)                          \
	X(ADDRS_CUT, "more-addresses-than-kept", NOTE)

enum undecodable {
#define X(id, name, level) UND_##id,
	UNDECODABLE_TABLE(X)
#undef X
		UND_COUNT
};
_Static_assert(UND_COUNT <= 64, "facts.reasons holds 64 bits");

enum undecodable_level {
	UNDECODABLE_NOTE,
	UNDECODABLE_APP,
	UNDECODABLE_TRANSPORT,
	UNDECODABLE_NET,
	UNDECODABLE_LINK
};

const char *undecodable_name(enum undecodable u);
enum undecodable_level undecodable_level(enum undecodable u);

/* How a layer is carried in the one before it. */
enum encap {
	ENCAP_NONE,
	ENCAP_IPIP,
	ENCAP_6IN4,
	ENCAP_GRE,
	ENCAP_VXLAN,
	ENCAP_GTPU,
	ENCAP_GENEVE,
	ENCAP_L2TP,
	ENCAP_TEREDO,
	ENCAP_COUNT
};
const char *encap_name(enum encap e);

enum frag_kind { FRAG_NONE, FRAG_FIRST, FRAG_LATER };

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20

/* One IP packet: header, transport, payload. Lengths in bytes. Pointers lie inside the frame (or NULL). */
struct net_layer {
	uint8_t version; /* 4 or 6 */
	uint8_t encap;	 /* enum encap: how the layer before carries this one */
	uint8_t proto;	 /* IPPROTO_ number behind all extension headers */
	uint8_t ttl;	 /* or hop limit */
	uint8_t tos;
	uint8_t frag; /* enum frag_kind */
	bool frag_more;
	bool dont_fragment;
	bool has_ports; /* TCP, UDP, SCTP with a readable header, or known by the first fragment */
	bool ports_from_first; /* a later fragment: ports taken from the first one that was seen */
	uint8_t tcp_flags;
	uint8_t icmp_type, icmp_code;
	uint16_t icmp_id, icmp_seq; /* echo only */
	uint16_t sport, dport;
	uint16_t tcp_window;
	uint32_t frag_offset;
	uint32_t id; /* IPv4 identification, or that of the IPv6 fragment header */
	uint32_t
		total_len; /* as the header states it, header included; what was captured where it states 0 */
	uint32_t header_len; /* IP header with options and extension headers */
	uint32_t seq, ack;
	uint32_t
		payload_len; /* captured payload of TCP/UDP/ICMP (behind their header), else of IP */
	uint32_t
		payload_wire; /* the same as the headers state it; larger when the capture is cut */
	uint64_t pair;	      /* net_layer_pair(), once somebody asked */
	const uint8_t *ip;    /* first byte of the IP header */
	const uint8_t *l4;    /* first byte behind the IP headers */
	const uint8_t *payload;
	struct ipaddr src, dst;
};

#define FACTS_LAYERS  4
#define FACTS_VLANS   4
#define FACTS_ADDRS   512  /* a tracker gives up to 200 peers, some hundreds on request */
#define DNS_NAME_TEXT 1025 /* 255 bytes, each at most "\ddd" */

/* An address inside a payload at a place where the protocol puts an address. X(id, name) */
#define PLACE_TABLE(X)                                                                             \
	X(DNS_ANSWER, "dns-answer")                                                                \
	X(DNS_CLIENT_SUBNET, "dns-client-subnet") /* RFC 7871 */                                   \
	X(HTTP_HEADER, "http-header")		  /* X-Forwarded-For, Forwarded, X-Real-IP, Via */ \
	X(BT_YOURIP, "bt-yourip")                                                                  \
	X(BT_IPV4, "bt-ipv4")                                                                      \
	X(BT_IPV6, "bt-ipv6")                                                                      \
	X(BT_ANNOUNCE_IP, "bt-announce-ip")                                                        \
	X(BT_ANNOUNCE_IPV4, "bt-announce-ipv4")                                                    \
	X(BT_ANNOUNCE_IPV6, "bt-announce-ipv6")                                                    \
	X(BT_TRACKER_PEER, "bt-tracker-peer")                                                      \
	X(BT_EXTERNAL_IP, "bt-external-ip") /* BEP 24 */                                           \
	X(BT_UDP_ANNOUNCE_IP, "bt-udp-announce-ip")                                                \
	X(BT_UDP_PEER, "bt-udp-peer")                                                              \
	X(BT_PEX_ADDED, "bt-pex-added")                                                            \
	X(BT_PEX_DROPPED, "bt-pex-dropped")                                                        \
	X(BT_HOLEPUNCH, "bt-holepunch")                                                            \
	X(BT_DHT_IP, "bt-dht-ip") /* BEP 42: what the replier sees */                              \
	X(BT_DHT_NODE, "bt-dht-node")                                                              \
	X(BT_DHT_PEER, "bt-dht-peer")                                                              \
	X(BT_WS_ADDRESS, "bt-ws-address") /* candidate in an SDP offer */                          \
	X(STUN_MAPPED, "stun-mapped")                                                              \
	X(STUN_OTHER, "stun-other") /* relayed, peer, source, alternate */                         \
	X(UPNP_CLIENT, "upnp-internal-client")                                                     \
	X(UPNP_EXTERNAL, "upnp-external-ip")                                                       \
	X(SSDP_LOCATION, "ssdp-location")                                                          \
	X(NATPMP_EXTERNAL, "nat-pmp-external")                                                     \
	X(PCP_CLIENT, "pcp-client")                                                                \
	X(PCP_EXTERNAL, "pcp-external")                                                            \
	X(DHCP_CLIENT, "dhcp-client")

enum addr_place {
#define X(id, name) PLACE_##id,
	PLACE_TABLE(X)
#undef X
		PLACE_COUNT
};
const char *place_name(enum addr_place p);

struct place_addr {
	struct ipaddr addr;
	uint16_t port; /* 0 where the place has none */
	uint8_t place; /* enum addr_place */
};

/* All texts below are NUL-terminated printable ASCII; other bytes appear as "\ddd" (decimal), a text that
 * was too long is cut. */

enum dns_transport { DNS_OVER_UDP, DNS_OVER_TCP, DNS_MULTICAST, DNS_LLMNR, DNS_NETBIOS };

struct dns_facts {
	uint8_t transport; /* enum dns_transport */
	bool header;	   /* its 12 bytes were there; else all below is empty */
	bool response, truncated, recursion_desired, authoritative;
	uint8_t opcode, rcode;
	uint16_t id, qtype, qclass;
	uint16_t questions, answers, authorities, additionals; /* as the header states */
	bool edns;
	uint16_t edns_size;
	char qname
		[DNS_NAME_TEXT]; /* first question (or the first record's owner), no final dot; "." = root */
	char other_names
		[1024]; /* names of further questions and records, each followed by a space */
};

struct tls_facts {
	uint16_t version;    /* highest offered */
	bool over_quic, ech; /* ech: the SNI is an outer one (encrypted_client_hello offered) */
	bool has_sni;
	char sni[256];
	char alpn[128]; /* "h2,http/1.1" */
};

struct quic_facts {
	uint32_t version; /* 0: version negotiation, or a short header */
	bool long_header;
	uint8_t type; /* of a long header as in RFC 9000: 0 Initial, 1 0-RTT, 2 Handshake, 3 Retry */
	uint8_t dcid_len, scid_len;
	uint8_t dcid[20], scid[20];
	bool decrypted; /* client Initial decrypted; SNI in facts.tls when TLS_HELLO is set */
};

struct http_facts {
	bool request;
	uint16_t status;    /* of a reply */
	bool head_complete; /* the blank line was seen */
	char method[16];
	char target[1024];
	char host[256];
	char user_agent[128];
	char upgrade[32];
};

enum bt_action { /* what the message does, whatever carries it */
		 BT_NONE,
		 BT_CONNECT,
		 BT_ANNOUNCE,
		 BT_SCRAPE,
		 BT_ERROR,
		 BT_PING,
		 BT_FIND_NODE,
		 BT_GET_PEERS,
		 BT_ANNOUNCE_PEER,
		 BT_OTHER_QUERY,
};

struct bt_facts {
	bool has_info_hash, has_peer_id, has_node_id, has_key;
	bool reply;	     /* of a tracker or DHT node */
	uint8_t action;	     /* enum bt_action */
	uint8_t utp_type;    /* 0 DATA 1 FIN 2 STATE 3 RESET 4 SYN */
	uint8_t reserved[8]; /* of the handshake: [5] & 0x10 extensions, [7] & 0x01 DHT */
	uint8_t info_hash[20], peer_id[20], node_id[20];
	uint16_t port;	 /* listening port told (announce, LSD, extension handshake `p`) */
	uint32_t key;	 /* announce key; HTTP: its first 32 bits as hex digits */
	char client[64]; /* `v` of the extension or DHT message */
};

struct stun_facts {
	uint16_t
		type; /* 0x0001 binding request, 0x0101 success, ...; 0x4000 on: number of a TURN channel */
	bool classic; /* no magic cookie (RFC 3489) */
	char software[64];
};

struct arp_facts {
	uint16_t op; /* 1 request, 2 reply */
	uint8_t sender_mac[6], target_mac[6];
	struct ipaddr sender, target;
};

struct nd_facts {
	uint8_t type; /* 133 RS, 134 RA, 135 NS, 136 NA, 137 redirect */
	bool has_lladdr, has_prefix, has_route;
	uint8_t lladdr[6];
	uint8_t prefix_len, route_len;
	uint16_t router_lifetime; /* seconds */
	struct ipaddr target;	  /* NS, NA, redirect */
	struct ipaddr prefix;	  /* first prefix of an RA */
	struct ipaddr route;	  /* first route of an RA (RFC 4191) that is not taken back */
	struct ipaddr dns;	  /* first RDNSS address of an RA, or none */
};

struct dhcp_route {
	struct ipaddr net, router;
	uint8_t len;
};

/* Does it lead to an address that is neither private nor link-local? A default route (also as host 0.0.0.0, which RFC 2132
 * 5.8 does not allow) does not: RFC 3442 asks a server to send it. */
bool dhcp_route_is_public(const struct dhcp_route *r);

#define DHCP_ROUTES 8
struct dhcp_facts {
	uint8_t op;   /* 1 request, 2 reply */
	uint8_t type; /* option 53: 1 discover ... 5 ack */
	uint32_t xid;
	uint8_t client_mac[6];
	struct ipaddr ciaddr, yiaddr, server, router, dns; /* none where absent */
	uint8_t n_routes; /* kept of options 121 (RFC 3442), 249 and 33; a public one among more is one of them */
	uint16_t routes_total;
	struct dhcp_route routes[DHCP_ROUTES];
	char hostname[64];
};

struct portmap_facts { /* NAT-PMP, PCP, UPnP */
	bool response;
	uint8_t opcode;	  /* NAT-PMP 0-2, PCP 0-2 */
	uint8_t protocol; /* IPPROTO_ number, 0 = none */
	uint16_t result;
	uint16_t internal_port, external_port;
	uint32_t lifetime; /* seconds */
	char action[64];   /* SOAP action: AddPortMapping */
};

struct ssdp_facts {
	uint8_t kind;	  /* 1 M-SEARCH, 2 NOTIFY, 3 reply */
	char target[128]; /* ST or NT */
};

struct wg_facts {
	uint8_t type;		   /* 1 initiation, 2 response, 3 cookie reply, 4 data */
	uint32_t sender, receiver; /* indexes; 0 where the type has none */
	uint64_t counter;	   /* of data */
};

struct openvpn_facts {
	bool tcp;
	uint8_t opcode; /* 1-11 */
	uint8_t key_id;
	uint8_t session[8]; /* control packets */
};

struct ntp_facts {
	uint8_t version, mode;
};

/* What one frame says. Up to `protos` it is always filled; a protocol's struct is meaningful only while its
 * bit in `protos` is set (facts_has), and addrs[] only below n_addrs. Plain data: copy it as you like, but the
 * pointers of the layers are good only as long as the frame's bytes are, and only until the decoder's next frame
 * (a reassembled layer lies in the decoder). */
struct facts {
	int64_t time;	      /* CLOCK_REALTIME nanoseconds */
	uint32_t len, caplen; /* on the wire, captured */
	uint32_t linktype;
	const uint8_t *frame;
	uint8_t n_vlans;
	bool has_macs;
	uint8_t sll_type; /* cooked: 0 to us, 1 broadcast, 2 multicast, 3 to others, 4 sent by us */
	uint32_t ifindex; /* SLL2 only */
	uint16_t vlan[FACTS_VLANS];	/* 12-bit ids, outermost first */
	uint16_t ethertype;		/* behind VLAN tags */
	uint8_t src_mac[6], dst_mac[6]; /* cooked: source only */
	uint8_t reason;	  /* enum undecodable: the weightiest (highest level, first seen) */
	bool undecodable; /* `reason` is of level LINK, NET or TRANSPORT: suspicious outside */
	bool reassembled; /* an application fact was put together from several frames ending here */
	uint8_t n_layers; /* 0: no IP. layer[0] is what the wire sees, layer[n_layers - 1] carries protos */
	bool has_quoted; /* an ICMP error quotes a packet; it is NOT one that was sent here */
	uint16_t n_addrs;
	uint64_t reasons; /* a bit per enum undecodable */
	uint64_t protos;  /* a bit per enum proto */
	uint64_t weak;	  /* of protos: by shape or port alone, nothing confirms it */

	struct net_layer layer[FACTS_LAYERS];
	struct net_layer
		quoted; /* ports where the quote is long enough; its payload is never interpreted */

	struct dns_facts dns;
	struct tls_facts tls;
	struct quic_facts quic;
	struct http_facts http;
	struct bt_facts bt;
	struct stun_facts stun;
	struct arp_facts arp;
	struct nd_facts nd;
	struct dhcp_facts dhcp;
	struct portmap_facts portmap;
	struct ssdp_facts ssdp;
	struct wg_facts wg;
	struct openvpn_facts openvpn;
	struct ntp_facts ntp;
	struct place_addr addrs[FACTS_ADDRS];
};

static inline bool facts_has(const struct facts *f, enum proto p)
{
	return (f->protos & PROTO_BIT(p)) != 0;
}

static inline bool facts_has_reason(const struct facts *f, enum undecodable u)
{
	return (f->reasons >> u & 1) != 0;
}

static inline uint64_t hash_mix(uint64_t h)
{
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static inline uint64_t hash_endpoint(const struct ipaddr *a, uint16_t port)
{
	uint64_t w[2];

	memcpy(w, a->b, sizeof(w));
	return hash_mix(w[0] * UINT64_C(0xff51afd7ed558ccd) ^ w[1] ^ (uint64_t)port << 13);
}

/* A hash, never 0, of the two endpoints and the protocol: the same in both directions, since the sides are
 * added. Made once a layer, because decoder and judge both ask. */
static inline uint64_t net_layer_pair(struct net_layer *l)
{
	if (!l->pair)
		l->pair = hash_mix((hash_endpoint(&l->src, l->has_ports ? l->sport : 0) +
				    hash_endpoint(&l->dst, l->has_ports ? l->dport : 0)) ^
				   l->proto) |
			  1;
	return l->pair;
}

/* Layer that the wire sees, or NULL when the frame holds no readable IP header. */
static inline const struct net_layer *facts_outer(const struct facts *f)
{
	return f->n_layers ? &f->layer[0] : NULL;
}

/* Layer whose payload `protos` speaks of, or NULL. */
static inline const struct net_layer *facts_inner(const struct facts *f)
{
	return f->n_layers ? &f->layer[f->n_layers - 1] : NULL;
}

/* Memory between frames: TCP heads split over segments, QUIC hellos over datagrams, first fragments, uTP and
 * BitTorrent flows. Fixed size (some 20 MiB, touched only as used), least recently used goes first. One thread
 * at a time. NULL when memory is out. */
struct decoder;
struct decoder *decoder_new(void);
void decoder_free(struct decoder *d); /* NULL allowed */
void decoder_reset(struct decoder *d);

/* Decode one frame. `d` may be NULL: nothing is remembered, facts are those of this frame alone. data must be
 * readable for caplen bytes; len is the length on the wire (>= caplen; smaller values count as caplen). *out is
 * overwritten. Returns out->reason. */
enum undecodable decode_frame(struct decoder *d, uint32_t linktype, const uint8_t *data,
			      uint32_t caplen, uint32_t len, int64_t time, struct facts *out);

/* What may be recognised in noise: none of them names anybody. */
#define NOISE_PROTOS                                                                  \
	(PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_UDP) | PROTO_BIT(PROTO_TLS) |         \
	 PROTO_BIT(PROTO_QUIC) | PROTO_BIT(PROTO_BT_UTP) | PROTO_BIT(PROTO_OPENVPN) | \
	 PROTO_BIT(PROTO_DOT) | PROTO_BIT(PROTO_NETBIOS))

/* A frame of which decode_frame() would say no more than which of NOISE_PROTOS it is of: no address,
 * name or id in it, no DNS, nothing undecodable; and by which it would read no later frame otherwise. False: not sure. Where it
 * is true, *l has source, destination, protocol, ports, TCP's sequence number, and the payload, which is all there; its other
 * members are not set. */
bool frame_is_noise(struct decoder *d, uint32_t linktype, const uint8_t *frame, uint32_t caplen,
		    struct net_layer *l);

/* One line for people, e.g. "10.0.0.2:5353 > 1.1.1.1:53 udp dns query A name.example"; no time stamp, never
 * more than size, always NUL-terminated. Returns buf. FACTS_LINE bytes hold any line but the longest names. */
#define FACTS_LINE 512
char *facts_describe(const struct facts *f, char *buf, size_t size);

/* The same for machines; a new reference that the caller drops, NULL when memory is out. */
json_t *facts_to_json(const struct facts *f);

/* May this be the beginning of a DNS message, as far as its header goes (all of it where that was not there)? */
bool dns_begins(const struct dns_facts *d);

/* Does a payload have the shape of a WireGuard message (whitepaper 5.4: type, reserved bytes, size)? Fills *out
 * (may be NULL). Needs no port: ask it about the tuple that policy calls the tunnel. */
bool wireguard_message(const uint8_t *payload, size_t captured, size_t wire, struct wg_facts *out);

/* The same for OpenVPN: a UDP payload, or one TCP segment that begins with a packet's 16-bit length. Of data
 * packets no more than opcode and size can be checked. */
bool openvpn_message(const uint8_t *payload, size_t captured, size_t wire, bool tcp,
		     struct openvpn_facts *out);

/* Node ids made from an address (BEP 42): true when id's first 21 bits and last byte fit addr. One chance in
 * 2^21 of a false match. */
bool bt_node_id_matches(const struct ipaddr *addr, const uint8_t id[20]);

#endif
