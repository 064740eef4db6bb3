/* SPDX-License-Identifier: MIT */
/* UDP, and which protocol a datagram speaks: by its shape where shapes are distinct, else by its port. */
#include "base/order.h"
#include "packet/internal.h"

#define PORT_DNS	      53
#define PORT_DHCP_SERVER      67
#define PORT_DHCP_CLIENT      68
#define PORT_NTP	      123
#define PORT_NETBIOS_NAME     137
#define PORT_NETBIOS_DATAGRAM 138
#define PORT_DHCP6_CLIENT     546
#define PORT_DHCP6_SERVER     547
#define PORT_DOT	      853
#define PORT_OPENVPN	      1194
#define PORT_L2TP	      1701
#define PORT_TEREDO	      3544
#define PORT_VXLAN	      4789
#define PORT_GTPU	      2152
#define PORT_VXLAN_OLD	      8472 /* Linux before it was told a port */
#define PORT_MDNS	      5353
#define PORT_GENEVE	      6081
#define PORT_PCP_CLIENT	      5350
#define PORT_PCP	      5351
#define PORT_LLMNR	      5355

static bool on(const struct net_layer *l, uint16_t port)
{
	return l->dport == port || l->sport == port;
}

static bool decode_vxlan(struct work *w, const uint8_t *p, size_t len)
{
	/* RFC 7348 5: the I flag set; other bits are ignored on receipt, and extensions use some (group policies). */
	if (len >= 8 && !(p[0] & 0x08))
		return false;
	w->encap = ENCAP_VXLAN;
	if (len < 8)
		fact_reason(w->f, UND_VXLAN_SHORT);
	else
		decode_ethernet(w, span_of(p + 8, len - 8, w->l->payload_wire - 8));
	return true;
}

/* GTP-U's extension headers (3GPP TS 29.281 5.2): length in words, content, the next one's type; 0 ends the chain. */
static bool gtpu_extensions(struct cursor *c, uint8_t type)
{
	for (int n = 0; type && n < 8; n++) {
		size_t size = (size_t)cursor_u8(c) * 4;

		if (size == 0 || !cursor_skip(c, size - 2))
			return false;
		type = cursor_u8(c);
	}
	return type == 0 && !c->short_;
}

/* 3GPP TS 29.281 5.1: version 1, protocol type 1, message 255 (a user's packet), its length exact. */
static bool decode_gtpu(struct work *w, const uint8_t *p, size_t len)
{
	struct cursor c = cursor_of(p, len);
	uint8_t next = 0;

	if (len < 9 || p[0] >> 4 != 3 || p[1] != 255 || be16(p + 2) + 8U != w->l->payload_wire)
		return false;
	cursor_skip(&c, 8);
	if (p[0] & 7) {
		cursor_skip(&c, 3);
		next = cursor_u8(&c);
	}
	if (!gtpu_extensions(&c, p[0] & 4 ? next : 0) || c.left == 0)
		return false;
	w->encap = ENCAP_GTPU;
	decode_ip(w, span_of(c.p, c.left, w->l->payload_wire - (len - c.left)));
	return true;
}

/* RFC 8926 3.4: version 0, length of the options in words, no reserved bit, what it carries. */
static bool decode_geneve(struct work *w, const uint8_t *p, size_t len)
{
	size_t header = 8 + (size_t)(p[0] & 0x3f) * 4;
	struct span s;

	if (len <= header || p[0] >> 6 || p[1] & 0x3f || p[7])
		return false;
	w->encap = ENCAP_GENEVE;
	s = span_of(p + header, len - header, w->l->payload_wire - header);
	if (be16(p + 2) == 0x6558)
		decode_ethernet(w, s);
	else
		decode_ethertype(w, be16(p + 2), s);
	return true;
}

/* RFC 2661 3.1: a data message (no T bit) of version 2 holds PPP; control messages are none of our business. */
static bool decode_l2tp(struct work *w, const uint8_t *p, size_t len)
{
	struct cursor c = cursor_of(p, len);
	uint16_t flags = cursor_u16(&c);

	if ((flags & 0x800f) != 2)
		return false;
	if (flags & 0x4000 && cursor_u16(&c) > w->l->payload_wire)
		return false;
	cursor_skip(&c, 4U + (flags & 0x0800 ? 4U : 0));
	if (flags & 0x0200)
		cursor_skip(&c, cursor_u16(&c));
	if (c.short_ || c.left == 0)
		return false;
	w->encap = ENCAP_L2TP;
	decode_ppp(w, span_of(c.p, c.left, w->l->payload_wire - (len - c.left)));
	return true;
}

/* RFC 4380 5.1: IPv6, behind an authentication and an origin header where there are such. */
static bool decode_teredo(struct work *w, const uint8_t *p, size_t len)
{
	struct cursor c = cursor_of(p, len);
	size_t wire;

	if (c.left >= 13 &&
	    be16(c.p) == 1) /* client and value, both of a length; nonce, confirmation */
		cursor_skip(&c, 13U + c.p[2] + c.p[3]);
	if (c.left >= 8 && be16(c.p) == 0)
		cursor_skip(&c, 8);
	wire = w->l->payload_wire - (len - c.left);
	if (c.left < 40 || c.p[0] >> 4 != 6 || be16(c.p + 4) + 40U > wire)
		return false;
	w->encap = ENCAP_TEREDO;
	decode_ip(w, span_of(c.p, c.left, wire));
	return true;
}

/* A DNS query whose id and flags happen to be a WireGuard message's type, and its size too, is told by the rest: one
 * question, and not a byte left over. */
static bool is_dns_all_the_same(struct facts *f, const uint8_t *p, size_t len)
{
	uint16_t kept = f->n_addrs;

	if (be32(p + 4) != 0x00010000 || !decode_dns_shape(f, p, len, DNS_OVER_UDP))
		return false;
	f->protos &= ~PROTO_BIT(PROTO_DNS); /* port and shape will say it again */
	f->weak &= ~PROTO_BIT(PROTO_DNS);
	f->n_addrs = kept;
	return true;
}

static bool is_wireguard(struct work *w, const uint8_t *p, size_t len)
{
	if (!wireguard_message(p, len, w->l->payload_wire, &w->f->wg) ||
	    is_dns_all_the_same(w->f, p, len))
		return false;
	fact_set(w->f, PROTO_WIREGUARD);
	return true;
}

static bool is_openvpn(struct work *w, const uint8_t *p, size_t len, bool by_port)
{
	struct openvpn_facts o;

	return openvpn_message(p, len, w->l->payload_wire, false, &o) &&
	       openvpn_take(w, &o, openvpn_is_reset(p, len), by_port && on(w->l, PORT_OPENVPN));
}

static bool port_is_known(uint16_t port)
{
	switch (port) {
	case PORT_DNS:
	case PORT_DHCP_SERVER:
	case PORT_DHCP_CLIENT:
	case PORT_NTP:
	case PORT_NETBIOS_NAME:
	case PORT_NETBIOS_DATAGRAM:
	case PORT_DHCP6_CLIENT:
	case PORT_DHCP6_SERVER:
	case PORT_L2TP:
	case PORT_GTPU:
	case PORT_TEREDO:
	case PORT_VXLAN:
	case PORT_PCP_CLIENT:
	case PORT_PCP:
	case PORT_MDNS:
	case PORT_LLMNR:
	case PORT_GENEVE:
	case PORT_VXLAN_OLD:
		return true;
	default:
		return false;
	}
}

bool ports_are_known(const struct net_layer *l)
{
	if (l->sport > PORT_VXLAN_OLD && l->dport > PORT_VXLAN_OLD)
		return false; /* soon said of most */
	return port_is_known(l->sport) || port_is_known(l->dport);
}

static bool by_port(struct work *w, const uint8_t *p, size_t len)
{
	const struct net_layer *l = w->l;
	struct span s = span_of(p, len, l->payload_wire);
	struct facts *f = w->f;

	if (!ports_are_known(l))
		return false;
	if (on(l, PORT_DNS))
		return decode_dns(f, s, DNS_OVER_UDP);
	if (on(l, PORT_MDNS))
		return decode_dns(f, s, DNS_MULTICAST);
	if (on(l, PORT_LLMNR))
		return decode_dns(f, s, DNS_LLMNR);
	if (on(l, PORT_NETBIOS_NAME))
		return decode_nbns(f, s);
	if (on(l, PORT_NETBIOS_DATAGRAM))
		return fact_set(f, PROTO_NETBIOS), true;
	if (on(l, PORT_DHCP_SERVER) || on(l, PORT_DHCP_CLIENT))
		return decode_dhcp(f, s);
	if (on(l, PORT_DHCP6_CLIENT) || on(l, PORT_DHCP6_SERVER))
		return decode_dhcp6(f, s);
	if (on(l, PORT_NTP))
		return decode_ntp(f, s);
	if (on(l, PORT_PCP) || on(l, PORT_PCP_CLIENT))
		return decode_natpmp(f, s);
	if (on(l, PORT_GTPU))
		return decode_gtpu(w, p, len);
	if (on(l, PORT_GENEVE))
		return decode_geneve(w, p, len);
	if (on(l, PORT_L2TP))
		return decode_l2tp(w, p, len);
	if (on(l, PORT_TEREDO))
		return decode_teredo(w, p, len);
	return decode_vxlan(w, p, len); /* the last of them */
}

/* Shapes that say enough on any port, those that reject a random payload at its first bytes first. noise.c knows how each of
 * these and of the weak ones begins. */
static bool by_shape(struct work *w, const uint8_t *p, size_t len)
{
	struct facts *f = w->f;

	if (is_wireguard(w, p, len))
		return true;
	if (p[0] == 'd' && decode_dht(f, p, len))
		return true;
	if (decode_stun(f, p, len))
		return memo_set(w, MEMO_STUN), true;
	if (decode_udp_tracker(w, p, len))
		return true;
	if (decode_dtls(f, p, len))
		return true;
	if (p[0] & 0x80 && decode_quic_long(w, p, len))
		return true;
	if (p[0] == 'B' && decode_lsd(f, p, len))
		return true;
	if ((p[0] == 'M' || p[0] == 'N' || p[0] == 'H') && decode_ssdp(f, p, len))
		return true;
	return false;
}

/* Shapes that a random payload could have, in order of how much they ask for. */
static void by_weak_shape(struct work *w, const uint8_t *p, size_t len)
{
	/* OpenVPN that is known comes before QUIC, whose short header is any byte from 0x40 to 0x7f */
	if (!(decode_dns_shape(w->f, p, len, DNS_OVER_UDP) || is_openvpn(w, p, len, false) ||
	      decode_quic_google(w, p, len) || decode_quic_short(w, p, len) ||
	      is_openvpn(w, p, len, true) || decode_stun_classic(w->f, p, len) ||
	      decode_turn_channel(w, p, len)))
		decode_utp(w, p, len);
}

/* What a cut capture leaves out of a message is no damage of it. */
static bool whole_or_cut(struct work *w, bool (*decode)(struct work *, const uint8_t *, size_t))
{
	uint64_t reasons = w->f->reasons;
	uint8_t reason = w->f->reason;
	bool known = decode(w, w->l->payload, w->l->payload_len);

	if (w->l->payload_len == w->l->payload_wire || w->f->undecodable)
		return known;
	w->f->reasons = reasons;
	w->f->reason = reason;
	return known;
}

void decode_udp(struct work *w, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	struct net_layer *l = w->l;
	const uint8_t *h = cursor_take(&c, 8);
	size_t stated, wire;

	if (!w->quoted)
		fact_set(w->f, PROTO_UDP);
	if (!h) {
		fact_reason(w->f, w->quoted ? UND_ICMP_QUOTE : UND_UDP_SHORT);
		return;
	}
	l->sport = be16(h);
	l->dport = be16(h + 2);
	l->has_ports = true;
	stated = be16(h + 4);
	wire = s.wire;
	if (l->frag != FRAG_FIRST && !w->quoted && stated != 0) {
		if (stated < 8 || stated > wire)
			fact_reason(w->f, UND_UDP_LENGTH);
		else
			wire = stated;
	}
	wire -= 8;
	l->payload = c.p;
	l->payload_len = (uint32_t)min_u64(c.left, wire);
	l->payload_wire = (uint32_t)wire;
	if (w->quoted)
		return;
	if (on(l, PORT_DOT))
		fact_weak(w->f, PROTO_DOT);
	if (l->payload_len == 0)
		return;
	if (whole_or_cut(w, by_shape) || by_port(w, l->payload, l->payload_len))
		return;
	by_weak_shape(w, l->payload, l->payload_len);
}
