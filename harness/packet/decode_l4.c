/* SPDX-License-Identifier: MIT */
/* What stands behind the IP headers: transports, tunnels, ICMP with its quotes. */
#include "packet/internal.h"

#include <netinet/in.h>

#define GRE_ETHERNET	0x6558
#define GRE_ERSPAN	0x88be
#define GRE_ERSPAN_III	0x22eb
#define GRE_PPP		0x880b
#define GRE_CHECKSUM	0x8000
#define GRE_ROUTING	0x4000
#define GRE_KEY		0x2000
#define GRE_SEQUENCE	0x1000
#define GRE_ACKNOWLEDGE 0x0080

static void l4_reason(const struct work *w, enum undecodable u)
{
	fact_reason(w->f, w->quoted ? UND_ICMP_QUOTE : u);
}

static void set_payload(struct net_layer *l, struct span s)
{
	l->payload = s.p;
	l->payload_len = (uint32_t)s.len;
	l->payload_wire = (uint32_t)s.wire;
}

static struct span span_rest(const struct cursor *c, struct span s)
{
	return span_of(c->p, c->left, s.wire - (size_t)(c->p - s.p));
}

static void next_ip(struct work *w, struct span s, enum encap encap)
{
	w->encap = (uint8_t)encap;
	decode_ip(w, s);
}

void decode_tcp(struct work *w, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	struct net_layer *l = w->l;
	const uint8_t *h;
	size_t header;

	if (!w->quoted)
		fact_set(w->f, PROTO_TCP);
	if (s.len >= 8) { /* what an ICMP quote must carry (RFC 792) */
		l->sport = be16(s.p);
		l->dport = be16(s.p + 2);
		l->seq = be32(s.p + 4);
		l->has_ports = true;
	}
	h = cursor_take(&c, 20);
	if (!h) {
		l4_reason(w, UND_TCP_SHORT);
		return;
	}
	l->ack = be32(h + 8);
	l->tcp_flags = h[13];
	l->tcp_window = be16(h + 14);
	header = (size_t)(h[12] >> 4) * 4;
	if (header < 20 || header > s.wire) {
		l4_reason(w, UND_TCP_OFFSET);
		return;
	}
	if (!cursor_skip(&c, header - 20)) {
		l4_reason(w, UND_TCP_SHORT);
		return;
	}
	set_payload(l, span_rest(&c, s));
	if (!w->quoted)
		stream_segment(w);
}

void decode_sctp(struct work *w, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	const uint8_t *h = cursor_take(&c, 12);

	if (!w->quoted)
		fact_set(w->f, PROTO_SCTP);
	if (!h) {
		l4_reason(w, UND_SCTP_SHORT);
		return;
	}
	w->l->sport = be16(h);
	w->l->dport = be16(h + 2);
	w->l->has_ports = true;
	set_payload(w->l, span_rest(&c, s));
}

/* Version 1 (RFC 2637, PPTP): PPP whose length stands in the key's upper half; an acknowledgment alone has none. */
static void decode_pptp(struct work *w, uint16_t flags, struct cursor *c, struct span s)
{
	uint16_t stated = cursor_u16(c);

	cursor_skip(c, 2U + (flags & GRE_SEQUENCE ? 4U : 0) + (flags & GRE_ACKNOWLEDGE ? 4U : 0));
	if (c->short_)
		l4_reason(w, UND_GRE_SHORT);
	else if (stated)
		decode_ppp(w, span_rest(c, s));
}

/* Mirrored frames (draft-foschiano-erspan): type I, without a sequence number, has no header, type II one of 8 bytes,
 * type III of 12, or of 20 where its last bit says so. */
static void decode_erspan(struct work *w, uint16_t type, bool sequence, struct span s)
{
	size_t header = type == GRE_ERSPAN ? (sequence ? 8 : 0) : 12;

	if (type == GRE_ERSPAN_III && s.len >= 12 && s.p[11] & 1)
		header = 20;
	if (s.len < header)
		l4_reason(w, UND_GRE_SHORT);
	else
		decode_ethernet(w, span_of(s.p + header, s.len - header, s.wire - header));
}

/* RFC 2784 with the key and sequence of RFC 2890; routing (RFC 1701) is not read. */
static void decode_gre(struct work *w, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	uint16_t flags = cursor_u16(&c), type = cursor_u16(&c);

	w->encap = ENCAP_GRE;
	if ((flags & 7) == 1 && type == GRE_PPP && !(flags & (GRE_ROUTING | GRE_CHECKSUM))) {
		decode_pptp(w, flags, &c, s);
		return;
	}
	cursor_skip(&c, (flags & GRE_CHECKSUM ? 4U : 0) + (flags & GRE_KEY ? 4U : 0) +
				(flags & GRE_SEQUENCE ? 4U : 0));
	if (c.short_) {
		l4_reason(w, UND_GRE_SHORT);
		return;
	}
	if (flags & (GRE_ROUTING | 7)) {
		l4_reason(w, UND_GRE_UNKNOWN);
		return;
	}
	s = span_rest(&c, s);
	if (type == GRE_ETHERNET)
		decode_ethernet(w, s);
	else if (type == GRE_ERSPAN || type == GRE_ERSPAN_III)
		decode_erspan(w, type, (flags & GRE_SEQUENCE) != 0, s);
	else if (type >= 0x600)
		decode_ethertype(w, type, s);
	else
		l4_reason(w, UND_GRE_UNKNOWN);
}

/* The packet that an ICMP error quotes was not sent here: it goes to facts.quoted and nowhere else. */
static void decode_quote(struct work *w, struct span s)
{
	struct work quote = { .f = w->f, .quoted = true, .inner = true };

	if (!w->quoted)
		decode_ip(&quote, s);
}

static bool icmp_header(struct work *w, struct cursor *c, bool echo)
{
	struct net_layer *l = w->l;
	const uint8_t *h = cursor_take(c, 8);

	if (!h) {
		l4_reason(w, UND_ICMP_SHORT);
		return false;
	}
	if (echo) {
		l->icmp_id = be16(h + 4);
		l->icmp_seq = be16(h + 6);
	}
	return true;
}

static void icmp_kind(struct work *w, struct span s, enum proto p)
{
	if (!w->quoted)
		fact_set(w->f, p);
	if (s.len >= 2) {
		w->l->icmp_type = s.p[0];
		w->l->icmp_code = s.p[1];
	}
}

void decode_icmp(struct work *w, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	uint8_t type = s.len ? s.p[0] : 0;

	icmp_kind(w, s, PROTO_ICMP);
	if (!icmp_header(w, &c, type == 0 || type == 8))
		return;
	s = span_rest(&c, s);
	set_payload(w->l, s);
	if (type == 3 || type == 4 || type == 5 || type == 11 || type == 12)
		decode_quote(w, s);
}

void decode_icmp6(struct work *w, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	uint8_t type = s.len ? s.p[0] : 0;
	struct span rest;

	icmp_kind(w, s, PROTO_ICMP6);
	if (!icmp_header(w, &c, type == 128 || type == 129))
		return;
	rest = span_rest(&c, s);
	set_payload(w->l, rest);
	if (type >= 1 && type <= 4)
		decode_quote(w, rest);
	else if (type >= 133 && type <= 137 && !w->quoted)
		decode_nd(w->f, s.p, s.len);
}

void decode_igmp(struct work *w, struct span s)
{
	if (!w->quoted)
		fact_set(w->f, PROTO_IGMP);
	if (s.len < 8) {
		l4_reason(w, UND_IGMP_SHORT);
		return;
	}
	w->l->icmp_type = s.p[0];
	set_payload(w->l, s);
}

static void decode_ah(struct work *w, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	const uint8_t *h = s.len >= 8 ? cursor_take(&c, ((size_t)s.p[1] + 2) * 4) : NULL;

	if (!h) {
		l4_reason(w, UND_IP6_EXTENSION_SHORT);
		return;
	}
	w->l->proto = h[0];
	w->l->l4 = c.p;
	if (h[0] == IPPROTO_AH) /* one inside the other makes no sense and would not end */
		l4_reason(w, UND_IPPROTO_UNKNOWN);
	else
		decode_transport(w, span_rest(&c, s));
}

void decode_transport(struct work *w, struct span s)
{
	set_payload(w->l, s);
	switch (w->l->proto) {
	case IPPROTO_TCP:
		decode_tcp(w, s);
		break;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		decode_udp(w, s);
		break;
	case IPPROTO_ICMP:
		decode_icmp(w, s);
		break;
	case IPPROTO_ICMPV6:
		decode_icmp6(w, s);
		break;
	case IPPROTO_IGMP:
		decode_igmp(w, s);
		break;
	case IPPROTO_SCTP:
		decode_sctp(w, s);
		break;
	case IPPROTO_IPIP:
		if (!w->quoted)
			next_ip(w, s, ENCAP_IPIP);
		break;
	case IPPROTO_IPV6:
		if (!w->quoted)
			next_ip(w, s, w->l->version == 4 ? ENCAP_6IN4 : ENCAP_IPIP);
		break;
	case IPPROTO_GRE:
		if (!w->quoted)
			decode_gre(w, s);
		break;
	case IPPROTO_AH:
		decode_ah(w, s);
		break;
	case IPPROTO_ESP:
		if (!w->quoted)
			fact_set(w->f, PROTO_ESP);
		break;
	case IPPROTO_NONE:
		break;
	default:
		l4_reason(w, UND_IPPROTO_UNKNOWN);
	}
}
