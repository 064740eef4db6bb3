/* SPDX-License-Identifier: MIT */
/* What the decoder must say about captures that nobody here made, and where it disagrees with their labels. */
#ifndef TESTS_PACKET_AGREEMENT_H
#define TESTS_PACKET_AGREEMENT_H

#include "packet/decode.h"

struct agreement {
	const char *file;
	enum proto proto; /* the one of ours that stands for the label */
	unsigned frames;  /* that must be recognised as it, exactly */
	const char *note; /* why the count is not the label's, or "" */
};

#define FLOW "the label counts every packet of the flow, we those that carry a record or head"

static const struct agreement agreements[] = {
	{ "6in4tunnel.pcap", PROTO_TLS, 26, FLOW },
	{ "6in4tunnel.pcap", PROTO_HTTP, 2, FLOW },
	{ "6in4tunnel.pcap", PROTO_ICMP6, 48, "" },
	{ "NTPv3.pcap", PROTO_NTP, 1, "" },
	{ "NTPv4.pcap", PROTO_NTP, 1, "" },
	{ "anydesk.pcapng", PROTO_TLS, 66, FLOW "; AnyDesk speaks TLS" },
	{ "bittorrent_utp.pcap", PROTO_BT_UTP, 88, "3 more are DHT, and one FIN is damaged" },
	{ "bittorrent_utp.pcap", PROTO_BT_DHT, 3, "" },
	{ "bittorrent_utp.pcap", PROTO_BT_HANDSHAKE, 2, "inside uTP" },
	{ "bt-dns.pcap", PROTO_DNS, 2,
	  "plain DNS for a name of BitTorrent: the label goes by the name" },
	{ "bt-http.pcapng", PROTO_BT_TRACKER, 1, FLOW },
	{ "cloudflare-warp.pcap", PROTO_TLS, 15,
	  FLOW "; WARP's own messages have no public description: unknown UDP" },
	{ "dns-tunnel-iodine.pcap", PROTO_DNS, 434, "" },
	{ "dns_doh.pcap", PROTO_TLS, 82, FLOW "; DoH is told by policy from the SNI" },
	{ "dns_exfiltration.pcap", PROTO_DNS, 300, "" },
	{ "dns_fragmented.pcap", PROTO_DNS, 50,
	  "66 frames: 7 answers of two fragments count twice, TCP handshakes do not count" },
	{ "dns_invert_query.pcapng", PROTO_DNS, 2, "" },
	{ "dtls2.pcap", PROTO_DTLS, 30, "" },
	{ "dtls_certificate_fragments.pcap", PROTO_DTLS, 26, "Discord's 6 are DTLS as well" },
	{ "encrypted_sni.pcap", PROTO_TLS_HELLO, 3, "" },
	{ "google_ssl.pcap", PROTO_TLS, 7, FLOW },
	{ "http-crash-content-disposition.pcap", PROTO_HTTP, 3, FLOW },
	{ "http-lines-split.pcap", PROTO_HTTP, 5, FLOW },
	{ "http_origin_different_than_host.pcap", PROTO_HTTP, 2, FLOW "; inside GTP-U" },
	{ "http_starting_with_reply.pcapng", PROTO_HTTP, 5, FLOW },
	{ "malformed_dns.pcap", PROTO_DNS, 6, "4 have a name that is damaged" },
	{ "mullvad_dns.pcap", PROTO_DNS, 2, "the label goes by the name asked for" },
	{ "natpmp.pcap", PROTO_NATPMP, 11, "" },
	{ "netbios.pcap", PROTO_NBNS, 256, "4 more are datagrams and sessions" },
	{ "netbios.pcap", PROTO_NETBIOS, 4, "" },
	{ "ocs.pcap", PROTO_TLS_HELLO, 6, "" },
	{ "ocs.pcap", PROTO_DNS, 8, "the label names most of them by the name asked for" },
	{ "openvpn-tlscrypt.pcap", PROTO_OPENVPN, 13, "" },
	{ "os_detected.pcapng", PROTO_QUIC, 1, "" },
	{ "os_detected.pcapng", PROTO_TLS_HELLO, 1, "" },
	{ "portable_executable.pcap", PROTO_DNS, 10,
	  "a Windows program sent over port 53: segments without payload do not count" },
	{ "quic-23.pcap", PROTO_QUIC, 20, "" },
	{ "quic-23.pcap", PROTO_TLS_HELLO, 1, "" },
	{ "quic-29.pcap", PROTO_QUIC, 15, "" },
	{ "quic-29.pcap", PROTO_TLS_HELLO, 2, "" },
	{ "quic-forcing-vn-with-data.pcapng", PROTO_QUIC, 21, "" },
	{ "quic-fuzz-overflow.pcapng", PROTO_QUIC, 1, "" },
	{ "quic_cc_ack.pcapng", PROTO_QUIC, 2, "" },
	{ "quic_q43.pcap", PROTO_QUIC, 2, "the label goes by the server: it is Google's QUIC" },
	{ "quickplay.pcap", PROTO_HTTP, 98, FLOW },
	{ "stun.pcap", PROTO_STUN, 171,
	  "the label gives most of them to the programs that sent them; 19 are data of a TURN "
	  "channel" },
	{ "stun.pcap", PROTO_DTLS, 16, "" },
	{ "tls_1.2_unidirectional_client_no_cert.pcapng", PROTO_TLS, 4, FLOW },
	{ "tls_1.3_unidirectional_server.pcapng", PROTO_TLS, 2, FLOW },
	{ "tls_certificate_too_long.pcap", PROTO_TLS_HELLO, 8, "" },
	{ "tls_certificate_too_long.pcap", PROTO_NTP, 8, "" },
	{ "tls_certificate_too_long.pcap", PROTO_MDNS, 5, "" },
	{ "tls_certificate_too_long.pcap", PROTO_IGMP, 2, "" },
	{ "tls_port_80.pcapng", PROTO_TLS, 2, FLOW },
	{ "wireguard.pcap", PROTO_WIREGUARD, 52, "" },
	{ "xss.pcap", PROTO_HTTP, 3, FLOW },
	{ "gtp_false_positive.pcapng", PROTO_UDP, 7,
	  "control messages of GTP, which no rule needs" },
	{ "radius_false_positive.pcapng", PROTO_UDP, 10,
	  "the middle of a flow of Google's QUIC before 46: its packets have no fixed bit at all" },
};
#define N_AGREEMENTS (sizeof(agreements) / sizeof(agreements[0]))

#endif
