/* SPDX-License-Identifier: MIT */
/* Frames made by hand: the unit tests check them, the fuzz targets start from them. */
#ifndef TESTS_PACKET_FRAMES_H
#define TESTS_PACKET_FRAMES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "exact.h"
#include "packet/decode.h"

struct frame {
	uint8_t b[4096];
	size_t n;
};

static inline void put(struct frame *f, const void *p, size_t n)
{
	memcpy(f->b + f->n, p, n);
	f->n += n;
}

#define put_text(f, s) put((f), (s), sizeof(s) - 1)

static inline void put8(struct frame *f, unsigned v)
{
	f->b[f->n++] = (uint8_t)v;
}

static inline void put16(struct frame *f, unsigned v)
{
	put8(f, v >> 8);
	put8(f, v);
}

static inline void put32(struct frame *f, uint32_t v)
{
	put16(f, v >> 16);
	put16(f, v & 0xffff);
}

static inline void put_zero(struct frame *f, size_t n)
{
	memset(f->b + f->n, 0, n);
	f->n += n;
}

static inline void put_fill(struct frame *f, size_t n, uint8_t v)
{
	memset(f->b + f->n, v, n);
	f->n += n;
}

static inline void set16(struct frame *f, size_t at, size_t v)
{
	f->b[at] = (uint8_t)(v >> 8);
	f->b[at + 1] = (uint8_t)v;
}

/* "example.test" as labels. */
static inline void put_name(struct frame *f, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");

		put8(f, (unsigned)n);
		put(f, name, n);
		name += n + (name[n] == '.');
	}
	put8(f, 0);
}

#define SRC4 "\x0a\x4d\x00\x03"				  /* 10.77.0.3 */
#define DST4 "\xc6\x33\x64\x82"				  /* 198.51.100.130 */
#define SRC6 "\x20\x01\x0d\xb8\0\1\0\0\0\0\0\0\0\0\0\x10" /* 2001:db8:1::10 */
#define DST6 "\x20\x01\x0d\xb8\0\2\0\0\0\0\0\0\0\0\1\x30" /* 2001:db8:2::130 */

static inline void put_ethernet(struct frame *f, unsigned type)
{
	put(f, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02", 12);
	put16(f, type);
}

static inline void put_ip4(struct frame *f, unsigned proto, size_t payload, unsigned id,
			   unsigned frag)
{
	put16(f, 0x4500);
	put16(f, (unsigned)(20 + payload));
	put16(f, id);
	put16(f, frag);
	put8(f, 64);
	put8(f, proto);
	put16(f, 0);
	put(f, SRC4, 4);
	put(f, DST4, 4);
}

static inline void put_ip6(struct frame *f, unsigned next, size_t payload)
{
	put32(f, 0x60000000);
	put16(f, (unsigned)payload);
	put8(f, next);
	put8(f, 64);
	put(f, SRC6, 16);
	put(f, DST6, 16);
}

static inline void put_udp(struct frame *f, unsigned sport, unsigned dport, size_t payload)
{
	put16(f, sport);
	put16(f, dport);
	put16(f, (unsigned)(8 + payload));
	put16(f, 0);
}

static inline void put_tcp(struct frame *f, unsigned sport, unsigned dport, uint32_t seq,
			   unsigned flags)
{
	put16(f, sport);
	put16(f, dport);
	put32(f, seq);
	put32(f, 1);
	put16(f, 0x5000 | flags);
	put16(f, 65535);
	put32(f, 0);
}

/* ---- Payloads ---- */

static inline void dns_head(struct frame *f, unsigned flags, unsigned qd, unsigned an, unsigned ar)
{
	put16(f, 0x1234);
	put16(f, flags);
	put16(f, qd);
	put16(f, an);
	put16(f, 0);
	put16(f, ar);
}

static inline void p_dns_query(struct frame *f)
{
	dns_head(f, 0x0100, 1, 0, 1);
	put_name(f, "canary-7f3a.lab.test");
	put16(f, 1);
	put16(f, 1);
	put8(f, 0); /* OPT with client subnet 203.0.113.0/24 */
	put16(f, 41);
	put16(f, 1232);
	put32(f, 0);
	put16(f, 11);
	put16(f, 8);
	put16(f, 7);
	put16(f, 1);
	put8(f, 24);
	put8(f, 0);
	put(f, "\xcb\0\x71", 3);
}

static inline void p_dns_answer(struct frame *f)
{
	dns_head(f, 0x8180, 1, 2, 0);
	put_name(f, "tracker.test");
	put16(f, 1);
	put16(f, 1);
	put16(f, 0xc00c);
	put16(f, 1);
	put16(f, 1);
	put32(f, 60);
	put16(f, 4);
	put(f, "\xc6\x33\x64\x84", 4);
	put16(f, 0xc00c);
	put16(f, 28);
	put16(f, 1);
	put32(f, 60);
	put16(f, 16);
	put(f, DST6, 16);
}

static inline void p_mdns(struct frame *f)
{
	dns_head(f, 0, 2, 0, 0);
	put_name(f, "_bittorrent._tcp.local");
	put16(f, 12);
	put16(f, 1);
	put_name(f, "seedbox.local");
	put16(f, 28);
	put16(f, 0x8001);
}

static inline void p_nbns(struct frame *f)
{
	dns_head(f, 0x0110, 1, 0, 0);
	put8(f, 32);
	put_text(f, "FDEFEFEECACACACACACACACACACACAAA"); /* "SEED" */
	put8(f, 0);
	put16(f, 32);
	put16(f, 1);
}

static inline void p_wg_init(struct frame *f)
{
	put(f, "\1\0\0\0\x11\x22\x33\x44", 8);
	put_fill(f, 140, 0xa5);
}

static inline void p_wg_data(struct frame *f)
{
	put(f, "\4\0\0\0\x11\x22\x33\x44\7\0\0\0\0\0\0\0", 16);
	put_fill(f, 112, 0x5a);
}

static inline void p_openvpn_reset(struct frame *f)
{
	put8(f, 7 << 3);
	put(f, "session!", 8);
	put8(f, 0);
	put32(f, 0);
}

static inline void p_openvpn_crypt(struct frame *f)
{
	put8(f, 7 << 3);
	put(f, "session!", 8);
	put32(f, 1);
	put32(f, 0x6a000000);
	put_fill(f, 37, 0x77);
}

#define NODE_ID "mnopqrstuvwxyz123456"

static inline void p_dht_query(struct frame *f)
{
	put_text(f,
		 "d1:ad2:id20:" NODE_ID "9:info_hash20:aaaaaaaaaaaaaaaaaaaa4:porti6881e5:token1:xe"
		 "1:q13:announce_peer1:t2:aa1:v4:LT\1\2"
		 "1:y1:qe");
}

static inline void p_dht_reply(struct frame *f)
{
	put_text(f, "d2:ip6:");
	put(f, "\xcb\0\x71\x0a\x1a\xe1", 6);
	put_text(f, "1:rd2:id20:" NODE_ID "5:nodes26:" NODE_ID);
	put(f, "\xc6\x33\x64\x85\x1a\xe1", 6);
	put_text(f, "6:valuesl6:");
	put(f, "\xc6\x33\x64\x86\x1a\xe1", 6);
	put_text(f, "ee1:t2:aa1:y1:re");
}

static inline void p_udp_connect(struct frame *f)
{
	put(f, "\0\0\4\x17\x27\x10\x19\x80\0\0\0\0\1\2\3\4", 16);
}

static inline void p_udp_announce(struct frame *f)
{
	put(f, "CONNID!!", 8);
	put32(f, 1);
	put32(f, 0x01020304);
	put_text(f, "hhhhhhhhhhhhhhhhhhhh-qB5010-abcdefghijkl");
	put_zero(f, 24);
	put32(f, 2);
	put(f, "\xcb\0\x71\x0a", 4);
	put32(f, 0xdeadbeef);
	put32(f, 200);
	put16(f, 6881);
}

static inline void p_utp_syn(struct frame *f)
{
	put16(f, 0x4100);
	put16(f, 0x3039);
	put32(f, 0x12345678);
	put32(f, 0);
	put32(f, 0x100000);
	put16(f, 1);
	put16(f, 0);
}

static inline void p_lsd(struct frame *f)
{
	put_text(f, "BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\n"
		    "Infohash: 0123456789abcdef0123456789ABCDEF01234567\r\n\r\n\r\n");
}

static inline void p_bt_handshake(struct frame *f)
{
	put_text(f, "\x13"
		    "BitTorrent protocol");
	put(f, "\0\0\0\0\0\x10\0\x05", 8);
	put_text(f, "hhhhhhhhhhhhhhhhhhhh-qB5010-abcdefghijkl");
}

static inline void p_bt_extended(struct frame *f)
{
	size_t at = f->n;

	put32(f, 0);
	put8(f, 20);
	put8(f, 0);
	put_text(f, "d4:ipv44:");
	put(f, "\xcb\0\x71\x0a", 4);
	put_text(f, "4:ipv616:");
	put(f, SRC6, 16);
	put_text(f, "1:md12:ut_holepunchi4e6:ut_pexi1ee1:pi6881e1:v12:qBittorrent!6:yourip4:");
	put(f, "\xc6\x33\x64\x02", 4);
	put_text(f, "e");
	set16(f, at + 2, f->n - at - 4);
}

static inline void p_bt_pex(struct frame *f)
{
	size_t at = f->n;

	put32(f, 0);
	put8(f, 20);
	put8(f, 1);
	put_text(f, "d5:added6:");
	put(f, "\xcb\0\x71\x0a\x1a\xe1", 6);
	put_text(f, "7:added.f1:\0"
		    "6:added618:");
	put(f, SRC6, 16);
	put_text(f, "\x1a\xe1"
		    "7:dropped0:e");
	set16(f, at + 2, f->n - at - 4);
}

static inline void p_bt_holepunch(struct frame *f)
{
	put32(f, 14);
	put8(f, 20);
	put8(f, 4);
	put(f, "\0\0\xcb\0\x71\x0a\x1a\xe1\0\0\0\0", 12);
}

static inline void p_bt_peer(struct frame *f)
{
	p_bt_handshake(f);
	p_bt_extended(f);
	put(f, "\0\0\0\1\2\0\0\0\0", 9); /* interested, keep-alive */
	p_bt_pex(f);
}

static inline void p_announce(struct frame *f)
{
	put_text(f, "GET /announce?info_hash=%68hhhhhhhhhhhhhhhhhhh&peer_id=-qB5010-abcdefghijkl"
		    "&port=6881&uploaded=0&key=1A2B3C4D&ip=203.0.113.10&ipv6=2001%3adb8%3a1%3a%3a10"
		    "&compact=1 HTTP/1.1\r\nHost: tracker.test\r\nUser-Agent: "
		    "qBittorrent/5.0.1\r\n\r\n");
}

static inline void p_tracker_reply(struct frame *f)
{
	static const char body[] = "d11:external ip4:\xcb\0\x71\x0a"
				   "8:intervali1800e"
				   "5:peers6:\xc6\x33\x64\x85\x1a\xe1"
				   "e";
	char head[96];

	(void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
		       sizeof(body) - 1);
	put(f, head, strlen(head));
	put_text(f, body);
}

static inline void p_soap(struct frame *f)
{
	static const char body[] =
		"<s:Envelope><s:Body><u:AddPortMapping xmlns:u=\"urn:schemas-upnp-org:service:"
		"WANIPConnection:1\"><NewExternalPort>6881</NewExternalPort><NewProtocol>TCP"
		"</NewProtocol><NewInternalPort>6882</NewInternalPort><NewInternalClient>"
		"10.77.0.3</NewInternalClient><NewLeaseDuration>3600</NewLeaseDuration>"
		"</u:AddPortMapping></s:Body></s:Envelope>";
	char head[128];

	(void)snprintf(head, sizeof(head),
		       "POST /ctl HTTP/1.1\r\nHost: 10.77.0.1:5000\r\nSOAPAction: \"x\"\r\n"
		       "Content-Length: %zu\r\n\r\n",
		       sizeof(body) - 1);
	put(f, head, strlen(head));
	put_text(f, body);
}

static inline void p_websocket(struct frame *f)
{
	static const char json[] =
		"{\"action\":\"announce\",\"info_hash\":\"x\",\"offers\":[{\"offer\":{\"sdp\":"
		"\"a=candidate:1 1 udp 2113937151 203.0.113.10 50000 typ host\\r\\n\"}}]}";
	static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };

	put8(f, 0x81);
	put8(f, 0xfe);
	put16(f, sizeof(json) - 1);
	put(f, mask, 4);
	for (size_t i = 0; i < sizeof(json) - 1; i++)
		put8(f, (uint8_t)json[i] ^ mask[i & 3]);
}

static inline void p_hello_body(struct frame *f, const char *sni)
{
	size_t at = f->n, n = strlen(sni), exts;

	put32(f, 0x01000000);
	put16(f, 0x0303);
	put_fill(f, 32, 0x42);
	put8(f, 0);
	put16(f, 2);
	put16(f, 0x1301);
	put16(f, 0x0100);
	exts = f->n;
	put16(f, 0);
	put16(f, 0);
	put16(f, (unsigned)(n + 5));
	put16(f, (unsigned)(n + 3));
	put8(f, 0);
	put16(f, (unsigned)n);
	put(f, sni, n);
	put16(f, 16);
	put16(f, 14);
	put16(f, 12);
	put_text(f, "\x02h2\x08http/1.1");
	put(f, "\0\x2b\0\5\4\x0a\x0a\3\4", 9);
	set16(f, exts, f->n - exts - 2);
	set16(f, at + 2, f->n - at - 4);
}

static inline void p_tls_hello(struct frame *f)
{
	size_t at = f->n;

	put(f, "\x16\3\1\0\0", 5);
	p_hello_body(f, "indexer.test");
	set16(f, at + 3, f->n - at - 5);
}

/* The same hello spread over two records. */
static inline void p_tls_records(struct frame *f)
{
	struct frame h = { .n = 0 };

	p_hello_body(&h, "indexer.test");
	put(f, "\x16\3\1\0\x46", 5);
	put(f, h.b, 70);
	put(f, "\x16\3\1", 3);
	put16(f, (unsigned)(h.n - 70));
	put(f, h.b + 70, h.n - 70);
}

static inline void p_dtls(struct frame *f)
{
	put(f, "\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x10", 13);
	put_fill(f, 16, 1);
}

static inline void p_stun(struct frame *f)
{
	put(f, "\1\1\0\x24\x21\x12\xa4\x42transaction!", 20);
	put(f, "\0\x20\0\x08\0\1\x3b\xc2", 8); /* 203.0.113.10:6864 xor cookie */
	put(f, "\xea\x12\xd5\x48", 4);
	put(f, "\0\1\0\x08\0\1\x1a\xd0\xcb\0\x71\x0a", 12);
	put(f, "\x80\x22\0\5libwr\0\0\0", 12);
}

static inline void p_natpmp_map(struct frame *f)
{
	put(f, "\0\2\0\0\x1a\xe1\x1a\xe2\0\0\x0e\x10", 12);
}

static inline void p_pcp_map(struct frame *f)
{
	put(f, "\2\1\0\0\0\0\x0e\x10", 8);
	put_zero(f, 10);
	put16(f, 0xffff);
	put(f, SRC4, 4);
	put(f, "noncenonceno", 12);
	put(f, "\6\0\0\0\x1a\xe1\x1a\xe2", 8);
	put_zero(f, 16);
}

static inline void p_ssdp(struct frame *f)
{
	put_text(f,
		 "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n"
		 "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nMX: 3\r\n\r\n");
}

static inline void p_ntp(struct frame *f)
{
	put8(f, 0x23);
	put_zero(f, 47);
}

static inline void p_dhcp_ack(struct frame *f)
{
	put(f, "\2\1\6\0\xca\xfe\xba\xbe", 8);
	put_zero(f, 8);
	put(f, SRC4, 4);
	put_zero(f, 8);
	put(f, "\2\0\0\0\0\1", 6);
	put_zero(f, 10 + 192);
	put32(f, 0x63825363);
	put(f, "\x35\1\5\x36\4\x0a\x4d\0\1\3\4\x0a\x4d\0\1\6\4\x0a\x4d\0\1", 21);
	put(f, "\x79\x0e\1\0\x0a\x4d\0\x42\x18\xc6\x33\x64\x0a\x4d\0\x42",
	    16); /* 0/1, 198.51.100/24 */
	put(f, "\x0c\4seed\xff", 7);
}

static inline void p_quic_q043(struct frame *f)
{
	put8(f, 0x0d);
	put_text(f, "12345678Q043");
	put_fill(f, 40, 3);
}

/* ---- Frames ---- */

enum carrier { UDP4, UDP6, TCP4, TCP6 };

static inline void build(struct frame *f, enum carrier c, unsigned sport, unsigned dport,
			 void (*payload)(struct frame *))
{
	struct frame p = { .n = 0 };
	size_t l4;

	payload(&p);
	f->n = 0;
	put_ethernet(f, c == UDP4 || c == TCP4 ? 0x0800 : 0x86dd);
	l4 = (c == UDP4 || c == UDP6 ? 8 : 20) + p.n;
	if (c == UDP4 || c == TCP4)
		put_ip4(f, c == UDP4 ? 17 : 6, l4, 0x3412, 0x4000);
	else
		put_ip6(f, c == UDP6 ? 17 : 6, l4);
	if (c == UDP4 || c == UDP6)
		put_udp(f, sport, dport, p.n);
	else
		put_tcp(f, sport, dport, 1000, TCP_PSH | TCP_ACK);
	put(f, p.b, p.n);
}

struct sample {
	const char *name;
	enum carrier carrier;
	uint16_t sport, dport;
	void (*payload)(struct frame *);
	uint64_t protos; /* that must be there, TCP or UDP besides */
};

#define P(x) PROTO_BIT(PROTO_##x)

static const struct sample samples[] = {
	{ "dns-query", UDP4, 40000, 53, p_dns_query, P(DNS) },
	{ "dns-answer", UDP6, 53, 40000, p_dns_answer, P(DNS) },
	{ "dns-odd-port", UDP4, 40000, 5300, p_dns_query, P(DNS) },
	{ "mdns", UDP4, 5353, 5353, p_mdns, P(DNS) | P(MDNS) },
	{ "llmnr", UDP6, 40000, 5355, p_dns_answer, P(DNS) | P(LLMNR) },
	{ "nbns", UDP4, 137, 137, p_nbns, P(DNS) | P(NBNS) },
	{ "wg-init", UDP4, 51820, 51820, p_wg_init, P(WIREGUARD) },
	{ "wg-data", UDP6, 40000, 51820, p_wg_data, P(WIREGUARD) },
	{ "openvpn-reset", UDP4, 40000, 443, p_openvpn_reset, P(OPENVPN) },
	{ "openvpn-crypt", UDP4, 40000, 1194, p_openvpn_crypt, P(OPENVPN) },
	{ "dht-query", UDP4, 6881, 6881, p_dht_query, P(BT_DHT) },
	{ "dht-reply", UDP6, 6881, 6881, p_dht_reply, P(BT_DHT) },
	{ "udp-tracker-connect", UDP4, 6881, 6969, p_udp_connect, P(BT_UDP_TRACKER) },
	{ "udp-tracker-announce", UDP4, 6881, 6969, p_udp_announce, P(BT_UDP_TRACKER) },
	{ "utp-syn", UDP4, 6881, 6881, p_utp_syn, P(BT_UTP) },
	{ "lsd", UDP4, 6771, 6771, p_lsd, P(BT_LSD) },
	{ "bt-handshake", TCP4, 40000, 6881, p_bt_handshake, P(BT_HANDSHAKE) },
	{ "bt-extended", TCP4, 40000, 6881, p_bt_extended, P(BT_EXTENDED) },
	{ "bt-peer", TCP6, 40000, 6881, p_bt_peer, P(BT_HANDSHAKE) },
	{ "bt-pex", TCP4, 40000, 6881, p_bt_pex, P(BT_EXTENDED) | P(BT_PEX) },
	{ "http-announce", TCP4, 40000, 8080, p_announce, P(HTTP) | P(BT_TRACKER) },
	{ "tracker-reply", TCP4, 80, 40000, p_tracker_reply, P(HTTP) | P(BT_TRACKER) },
	{ "upnp-soap", TCP4, 40000, 5000, p_soap, P(HTTP) | P(UPNP) },
	{ "websocket-tracker", TCP4, 40000, 80, p_websocket, P(BT_WS_TRACKER) },
	{ "tls-hello", TCP4, 40000, 443, p_tls_hello, P(TLS) | P(TLS_HELLO) },
	{ "tls-hello-records", TCP6, 40000, 8443, p_tls_records, P(TLS) | P(TLS_HELLO) },
	{ "dot", TCP4, 40000, 853, p_tls_hello, P(DOT) | P(TLS_HELLO) },
	{ "dtls", UDP4, 40000, 4433, p_dtls, P(DTLS) },
	{ "stun", UDP4, 3478, 40000, p_stun, P(STUN) },
	{ "nat-pmp", UDP4, 40000, 5351, p_natpmp_map, P(NATPMP) },
	{ "pcp", UDP4, 40000, 5351, p_pcp_map, P(PCP) },
	{ "ssdp", UDP4, 40000, 1900, p_ssdp, P(SSDP) },
	{ "ntp", UDP4, 40000, 123, p_ntp, P(NTP) },
	{ "dhcp-ack", UDP4, 67, 68, p_dhcp_ack, P(DHCP) },
	{ "quic-q043", UDP4, 40000, 443, p_quic_q043, P(QUIC) },
};
#define N_SAMPLES (sizeof(samples) / sizeof(samples[0]))

static inline void build_sample(struct frame *f, const struct sample *s)
{
	build(f, s->carrier, s->sport, s->dport, s->payload);
}

/* Decode an Ethernet frame whole. */
static inline void decode(struct decoder *d, const struct frame *f, struct facts *out)
{
	decode_frame(d, LINK_ETHERNET, exact(f->b, f->n), (uint32_t)f->n, (uint32_t)f->n, 1000,
		     out);
}

#endif
