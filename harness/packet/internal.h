/* SPDX-License-Identifier: MIT */
/* What the parts of the decoder share; nobody outside packet/ includes it. */
#ifndef PACKET_INTERNAL_H
#define PACKET_INTERNAL_H

#include "packet/cursor.h"
#include "packet/decode.h"

#define ETHERTYPE_IP4 0x0800
#define STUN_COOKIE   0x2112a442U /* RFC 5389 6 */
#define BT_NAME_LEN   0x13 /* first byte of BEP 3's handshake: the length of the protocol's name */

/* A stretch of bytes: len were captured, wire is what the headers say was there (wire >= len). */
struct span {
	const uint8_t *p;
	uint32_t len, wire; /* of 32 bits, so that a span travels in two registers */
};

static inline struct span span_of(const uint8_t *p, size_t len, size_t wire)
{
	return (struct span){ p, (uint32_t)len, (uint32_t)wire };
}

/* One frame being decoded. `quoted` is true inside an ICMP quote, where damage is normal and nothing of the
 * payload is interpreted. */
struct work {
	struct facts *f;
	struct decoder *d; /* NULL: stateless */
	struct net_layer *l;
	bool quoted;
	bool inner;	    /* below the first IP header: link fields are no longer the frame's */
	uint8_t encap;	    /* enum encap: what carries the next IP header */
	uint8_t links;	    /* headers between link and IP that decode_link.c has read */
	uint8_t frag_proto; /* of a fragment: what its body begins with, and where that is */
	const uint8_t *frag_body;
};

static inline bool span_is_cut(struct span s)
{
	return s.len < s.wire;
}

static inline void fact_set(struct facts *f, enum proto p)
{
	f->protos |= PROTO_BIT(p);
}

/* Recognised by shape or port alone; does not weaken what something else made sure of. */
static inline void fact_weak(struct facts *f, enum proto p)
{
	if (!facts_has(f, p))
		f->weak |= PROTO_BIT(p);
	f->protos |= PROTO_BIT(p);
}

void fact_reason(struct facts *f, enum undecodable u);
void fact_addr(struct facts *f, struct ipaddr a, uint16_t port, enum addr_place place);

/* Bytes to printable text: others (and the backslash) as \ddd; cut at size. Returns the length. */
size_t text_put(char *to, size_t size, const uint8_t *p, size_t len);

/* Compact addresses (4+2 or 16+2 bytes each) into addrs. */
void fact_compact(struct facts *f, const uint8_t *p, size_t len, bool v6, enum addr_place place);

/* "203.0.113.1", "[2001:db8::1]:80", "203.0.113.1:80" of n bytes, or false. */
bool text_addr(const char *p, size_t n, struct ipaddr *a, uint16_t *port);

static inline bool bytes_are(const uint8_t *p, size_t len, const void *want, size_t n)
{
	return len >= n && memcmp(p, want, n) == 0;
}

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[1] << 8 | p[0]);
}

static inline uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* Of IPv4: no options, no fragment. */
static inline bool ip4_is_plain(const uint8_t ip[8])
{
	return ip[0] == 0x45 && (be16(ip + 6) & 0x3fff) == 0;
}

/* Of HTTP's methods (RFC 9110 5.6.2), which use capitals and what stands between their words. */
static inline bool is_method_letter(uint8_t b)
{
	return (b >= 'A' && b <= 'Z') || b == '-' || b == '_';
}

static inline int hex_digit(uint8_t b)
{
	if (b >= '0' && b <= '9')
		return b - '0';
	b |= 0x20;
	return b >= 'a' && b <= 'f' ? b - 'a' + 10 : -1;
}

/* Several messages may share a frame: the first one empties facts.bt, member by member, for this is done for every
 * datagram that might be uTP; the bytes behind a has_ flag may stay. */
static inline void bt_begin(struct facts *f)
{
	struct bt_facts *b = &f->bt;

	if (f->protos & PROTO_BT_ALL)
		return;
	b->has_info_hash = b->has_peer_id = b->has_node_id = b->has_key = b->reply = false;
	b->action = BT_NONE;
	b->utp_type = 0;
	memset(b->reserved, 0, sizeof(b->reserved));
	b->port = 0;
	b->key = 0;
	b->client[0] = '\0';
}

static inline void tls_begin(struct facts *f)
{
	memset(&f->tls, 0, sizeof(f->tls));
}

/* Layers (decode.c, decode_link.c, decode_ip.c, decode_l4.c) */
void decode_link(struct work *w, uint32_t linktype, struct span s);
void decode_other_link(struct work *w, uint32_t linktype, struct span s);
void decode_other_ethertype(struct work *w, uint16_t type, struct span s);
void decode_ppp(struct work *w, struct span s);
void decode_ethertype(struct work *w, uint16_t type, struct span s);
void decode_ethernet(struct work *w, struct span s);
void decode_ip(struct work *w, struct span s);
void decode_transport(struct work *w, struct span s);
void decode_tcp(struct work *w, struct span s);
void decode_udp(struct work *w, struct span s);
void decode_icmp(struct work *w, struct span s);
void decode_icmp6(struct work *w, struct span s);
void decode_igmp(struct work *w, struct span s);
void decode_sctp(struct work *w, struct span s);
void decode_arp(struct work *w, struct span s);

/* Payloads. Each returns true when the bytes are its protocol (bits and structs are then set; damage inside
 * is a reason), false when they are not. */
/* Of a span whose end was not captured, what is missing is no damage: where it would show the shape, that is
 * UND_MESSAGE_CUT. */
bool decode_dns(struct facts *f, struct span s, enum dns_transport t);
bool decode_dns_shape(struct facts *f, const uint8_t *p, size_t len, enum dns_transport t);
bool decode_nbns(struct facts *f, struct span s);
void decode_nd(struct facts *f, const uint8_t *p, size_t len);
bool decode_dhcp(struct facts *f, struct span s);
bool decode_dhcp6(struct facts *f, struct span s);
bool decode_ntp(struct facts *f, struct span s);
bool decode_stun(struct facts *f, const uint8_t *p, size_t len);
bool decode_stun_classic(struct facts *f, const uint8_t *p, size_t len);
bool decode_turn_channel(struct work *w, const uint8_t *p, size_t len);
bool decode_natpmp(struct facts *f, struct span s);
bool decode_dht(struct facts *f, const uint8_t *p, size_t len);
bool decode_udp_tracker(struct work *w, const uint8_t *p, size_t len);
void decode_utp(struct work *w, const uint8_t *p, size_t len);
/* Would decode_utp() find no BitTorrent in it, nor remember anything? Said of what it knows already, or takes for none. */
bool utp_is_settled(struct work *w, const uint8_t *p, size_t len);
/* Is one of the ports one whose datagrams are read by their port alone? TCP's port of DNS is such a one. */
bool ports_are_known(const struct net_layer *l);
bool decode_lsd(struct facts *f, const uint8_t *p, size_t len);
bool decode_ssdp(struct facts *f, const uint8_t *p, size_t len);
bool decode_bt_handshake(struct facts *f, const uint8_t *p, size_t len);
/* One BEP 10 message behind its length and id 20: ext id, then payload. pex and hole are the ids that the
 * receiver asked for (0: not known, go by shape). Returns what it was. */
struct bt_ext_ids {
	uint8_t pex, holepunch;
};
bool decode_bt_extended(struct facts *f, const uint8_t *p, size_t len,
			const struct bt_ext_ids *wanted, struct bt_ext_ids *told);
/* Peer messages from a message boundary on, as far as they are whole; returns the bytes used. *skip is set to
 * what is still to come of a message that needs no reading. */
size_t decode_bt_messages(struct facts *f, const uint8_t *p, size_t len,
			  const struct bt_ext_ids *wanted, struct bt_ext_ids *told, uint32_t *skip);
bool decode_bt_tracker_body(struct facts *f, const uint8_t *p, size_t len);
bool decode_bt_websocket(struct facts *f, const uint8_t *p, size_t len);
void decode_bt_announce_target(struct facts *f, const uint8_t *target, size_t len);
bool openvpn_is_reset(const uint8_t *p, size_t len);
/* Take what openvpn_message() read for OpenVPN? A hard reset has a shape of its own; what follows is known by it, or, less
 * surely, by the port. */
bool openvpn_take(struct work *w, const struct openvpn_facts *o, bool reset, bool on_port);
bool quic_may_be_version(uint32_t v); /* one that long_header() takes; 0 is negotiation */
bool decode_quic_long(struct work *w, const uint8_t *p, size_t len);
/* What stands in an Initial once it is decrypted. */
void decode_quic_frames(struct work *w, const uint8_t *p, size_t len);
bool decode_quic_google(struct work *w, const uint8_t *p, size_t len);
bool decode_quic_short(struct work *w, const uint8_t *p, size_t len);
bool decode_dtls(struct facts *f, const uint8_t *p, size_t len);

enum head_state {
	HEAD_NO,   /* not this protocol */
	HEAD_MORE, /* it may be, or it is, and more bytes are needed */
	HEAD_DONE, /* read */
};
/* A TLS record at p. On HEAD_DONE *used is what the hello's records took. `last` forces a verdict with what
 * there is. */
enum head_state decode_tls(struct facts *f, const uint8_t *p, size_t len, bool last);
/* The handshake message itself (type, 24-bit length, body), as QUIC carries it without records. */
enum head_state decode_tls_hello(struct facts *f, const uint8_t *p, size_t len, bool last);
enum head_state decode_http(struct facts *f, const uint8_t *p, size_t len, bool last);

/* State between frames (flow.c); all of it does nothing, or says "unknown", where d is NULL. */
#define MEMO_UTP_SYN	 0x01
#define MEMO_UTP	 0x02
#define MEMO_OPENVPN	 0x04
#define MEMO_UDP_TRACKER 0x08
#define MEMO_QUIC	 0x10
#define MEMO_BT		 0x20
#define MEMO_STUN	 0x40
#define MEMO_TLS	 0x80
/* Flags remembered for the pair of endpoints of w->l, whatever the direction. */
uint8_t memo_get(struct work *w);
void memo_set(struct work *w, uint8_t flags);

/* The TCP payload of w->l through the decoder's memory: recognises heads that are split. */
void stream_segment(struct work *w);
/* Are the segments of that direction put together: a head, or peer messages? */
bool stream_is_open(struct work *w);
/* uTP's headers carry the sender's clock in microseconds: did it run as the capture's did since an earlier packet of this
 * direction and connection id? */
enum clock_state {
	CLOCK_NEW, /* nothing to compare with */
	CLOCK_RUNS,
	CLOCK_WRONG
};
enum clock_state clock_compare(struct work *w, uint16_t id, uint32_t stamp);
struct quic_id {
	uint8_t len, b[20];
};
/* The connection id under which the first piece of the hello that is being collected came. */
bool quic_first_id(struct work *w, struct quic_id *id);
/* A piece of a QUIC hello at `offset` of the CRYPTO stream; sets TLS facts when the hello is whole. */
void quic_crypto_piece(struct work *w, uint64_t offset, const uint8_t *p, size_t len);
/* An IP fragment (payload only). True when the datagram became whole: *whole is then its payload, in the
 * decoder's memory. Ports of later fragments are filled in, overlaps are noted. */
bool fragment_add(struct work *w, struct span body, struct span *whole);
/* The first fragment was read: remember its ports for the later ones. */
void fragment_ports(struct work *w);
#endif
