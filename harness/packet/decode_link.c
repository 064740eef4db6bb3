/* SPDX-License-Identifier: MIT */
/* Links other than Ethernet, and what stands in a frame before IP: PPP and PPPoE, MPLS, LLC and SNAP, Cisco's HDLC,
 * PPI, NFLOG; and the messages by which neighbours on a link keep it up, which hold no packet of anybody. */
#include "base/order.h"
#include "packet/internal.h"

#define MPLS_LABELS 8 /* deeper stacks than anybody pushes */
#define LINKS_MAX \
	6 /* headers of this file in one frame, likewise: a bound against recursion without end */
#define TYPE_SLARP	0x8035
#define TYPE_CDP	0x2000
#define TYPE_MPLS	0x8847
#define TYPE_MPLS_ANY	0x8848
#define TYPE_PPP	0x880b
#define TYPE_PPPOE	0x8863 /* discovery; the next one is the session */
#define PPP_IP4		0x0021
#define PPP_IP6		0x0057
#define PPP_MPLS	0x0281
#define LLC_UI		0x03
#define CISCO_UNICAST	0x0f
#define CISCO_MULTICAST 0x8f

static struct span span_behind(const struct cursor *c, struct span s)
{
	return span_of(c->p, c->left, s.wire - (size_t)(c->p - s.p));
}

/* ---- Messages between neighbours ---- */

/* EAPOL (802.1X-2010 11.3): version, type, the body's length, which the frame holds. */
static bool is_eapol(struct span s)
{
	return s.len >= 4 && s.p[0] >= 1 && s.p[0] <= 3 && s.p[1] <= 8 &&
	       be16(s.p + 2) <= s.wire - 4;
}

/* LLDP (802.1AB 8): its first element is the chassis id, 7 bits of type and 9 of length (2 to 256). */
static bool is_lldp(struct span s)
{
	return s.len >= 2 && s.p[0] >> 1 == 1 && (be16(s.p) & 0x1ff) >= 2 &&
	       (be16(s.p) & 0x1ff) <= 256;
}

/* Slow protocols (802.3 annex 57A): LACP, marker, OAM, organisation. */
static bool is_slow(struct span s)
{
	return s.len >= 2 && (s.p[0] == 1 || s.p[0] == 2 || s.p[0] == 3 || s.p[0] == 10);
}

/* PPPoE discovery (RFC 2516 5): version 1, type 1, one of five codes, the length of its tags. */
static bool is_pppoe_discovery(struct span s)
{
	if (s.len < 6 || s.p[0] != 0x11 || be16(s.p + 4) > s.wire - 6)
		return false;
	return s.p[1] == 0x09 || s.p[1] == 0x07 || s.p[1] == 0x19 || s.p[1] == 0x65 ||
	       s.p[1] == 0xa7;
}

/* Configuration testing (Ethernet 2.0, 8): skip count and function, little-endian, reply 1 or forward 2. */
static bool is_loopback_test(struct span s)
{
	return s.len >= 4 && (s.p[2] == 1 || s.p[2] == 2) && s.p[3] == 0;
}

static bool is_between_neighbours(uint16_t type, struct span s)
{
	switch (type) {
	case 0x888e:
		return is_eapol(s);
	case 0x88cc:
		return is_lldp(s);
	case 0x8809:
		return is_slow(s);
	case TYPE_PPPOE:
		return is_pppoe_discovery(s);
	case 0x9000:
		return is_loopback_test(s);
	default:
		return false;
	}
}

/* ---- LLC ---- */

/* 802.2: an unnumbered frame to 0xaa holds SNAP (RFC 1042), to 0x06 IP, to 0x42 the bridges' spanning tree. */
static void decode_llc(struct work *w, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	const uint8_t *h = cursor_take(&c, 3), *snap;
	uint32_t oui;
	uint16_t type;

	if (!h) {
		fact_reason(w->f, UND_LINK_SHORT);
		return;
	}
	if (h[0] == 0x42 && h[1] == 0x42 && h[2] == LLC_UI && c.left >= 4 && be16(c.p) == 0) {
		fact_set(w->f, PROTO_LINK_CONTROL);
		return;
	}
	if (h[0] == 0x06 && h[1] == 0x06 && h[2] == LLC_UI) {
		decode_ip(w, span_behind(&c, s));
		return;
	}
	if (h[0] != 0xaa || (h[1] & 0xfe) != 0xaa || h[2] != LLC_UI ||
	    !(snap = cursor_take(&c, 5))) {
		fact_reason(w->f, UND_LLC);
		return;
	}
	oui = be32(snap) >> 8;
	type = be16(snap + 3);
	if ((oui == 0 || oui == 0xf8) && type >= 1536)
		decode_ethertype(w, type, span_behind(&c, s));
	else
		fact_reason(w->f, UND_LLC);
}

/* ---- PPP ---- */

/* The control protocols (RFC 1661 5: code, identifier, length, which the packet holds) carry no packets. */
static bool is_ppp_control(uint16_t protocol, struct span s)
{
	bool control = protocol >> 12 == 0xc || protocol >> 12 == 8;

	return control && s.len >= 4 && be16(s.p + 2) >= 4 && be16(s.p + 2) <= s.wire;
}

static void decode_mpls(struct work *w, struct span s);

/* Behind HDLC's address and control bytes, which compression may leave out, and the protocol's upper byte, likewise
 * (RFC 1661 6.5, 6.6). */
void decode_ppp(struct work *w, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	uint16_t protocol;

	if (s.len >= 2 && s.p[0] == 0xff && s.p[1] == 0x03)
		cursor_skip(&c, 2);
	protocol = cursor_u8(&c);
	if (!(protocol & 1))
		protocol = (uint16_t)(protocol << 8 | cursor_u8(&c));
	if (c.short_) {
		fact_reason(w->f, UND_LINK_SHORT);
		return;
	}
	s = span_behind(&c, s);
	if (protocol == PPP_IP4 || protocol == PPP_IP6)
		decode_ip(w, s);
	else if (protocol == PPP_MPLS)
		decode_mpls(w, s);
	else if (is_ppp_control(protocol, s))
		fact_set(w->f, PROTO_LINK_CONTROL);
	else
		fact_reason(w->f, UND_PPP);
}

/* RFC 2516 4: version 1, type 1, code 0, session, length of what follows. */
static void decode_pppoe(struct work *w, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	const uint8_t *h = cursor_take(&c, 6);
	size_t n;

	if (!h) {
		fact_reason(w->f, UND_LINK_SHORT);
		return;
	}
	n = be16(h + 4);
	if (h[0] != 0x11 || h[1] != 0 || n > s.wire - 6) {
		fact_reason(w->f, UND_PPP);
		return;
	}
	decode_ppp(w, span_of(c.p, min_u64(c.left, n), n));
}

/* Cisco's HDLC: address, zero, ethertype; keep-alives under RARP's type. */
static void decode_chdlc(struct work *w, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	uint8_t address = cursor_u8(&c);
	uint16_t type;

	cursor_skip(&c, 1);
	type = cursor_u16(&c);
	if (c.short_) {
		fact_reason(w->f, UND_LINK_SHORT);
		return;
	}
	s = span_behind(&c, s);
	if (address != CISCO_UNICAST && address != CISCO_MULTICAST)
		fact_reason(w->f, UND_PPP);
	else if ((type == TYPE_SLARP && s.len >= 14) || (type == TYPE_CDP && s.len >= 4))
		fact_set(w->f, PROTO_LINK_CONTROL);
	else
		decode_ethertype(w, type, s);
}

/* ---- MPLS ---- */

/* RFC 3032: labels of four bytes up to the one with the bottom bit; what follows says by itself whether it is IP. */
static void decode_mpls(struct work *w, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	const uint8_t *label;
	int depth = 0;

	do {
		label = cursor_take(&c, 4);
	} while (label && !(label[2] & 1) && ++depth < MPLS_LABELS);
	if (!label || !(label[2] & 1) || c.left == 0) {
		fact_reason(w->f, label && !(label[2] & 1) ? UND_LINK_DEPTH : UND_LINK_SHORT);
		return;
	}
	if (c.p[0] >> 4 == 4 || c.p[0] >> 4 == 6)
		decode_ip(w, span_behind(&c, s));
	else
		fact_reason(w->f, UND_ETHERTYPE_UNKNOWN);
}

void decode_other_ethertype(struct work *w, uint16_t type, struct span s)
{
	if (++w->links > LINKS_MAX) {
		fact_reason(w->f, UND_LINK_DEPTH);
	} else if (type <
		   1536) { /* 802.3: a length, and LLC behind it; 4 in cooked captures: LLC */
		if (type >= 3 && type != 4)
			s = span_of(s.p, min_u64(s.len, type), min_u64(s.wire, type));
		decode_llc(w, s);
	} else if (type == TYPE_PPPOE + 1) {
		decode_pppoe(w, s);
	} else if (type == TYPE_MPLS || type == TYPE_MPLS_ANY) {
		decode_mpls(w, s);
	} else if (type == TYPE_PPP) {
		decode_ppp(w, s);
	} else if (is_between_neighbours(type, s)) {
		fact_set(w->f, PROTO_LINK_CONTROL);
	} else {
		fact_reason(w->f, UND_ETHERTYPE_UNKNOWN);
	}
}

/* ---- Link types ---- */

/* The packet among NFLOG's attributes (pcap registry: family, version 0, resource; then length, type, value, padded
 * to four bytes, in the order of the capturing host: little-endian, or no attribute fits). */
static void decode_nflog(struct work *w, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);

	cursor_skip(&c, 4);
	while (!c.short_ && c.left >= 4) {
		size_t n = le16(c.p), type = le16(c.p + 2) & 0x7fff, padded = (n + 3) & ~(size_t)3;
		size_t wire = s.wire - (size_t)(c.p - s.p);

		if (n < 4 || n > wire)
			break;
		if (type == 9) {
			decode_ip(w, span_of(c.p + 4, min_u64(c.left, n) - 4, n - 4));
			return;
		}
		cursor_skip(&c, padded);
	}
	fact_reason(w->f, UND_LINK_SHORT);
}

/* Per-packet information: version, flags, length, link type, all little-endian; the frame follows. */
static void decode_ppi(struct work *w, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	const uint8_t *h = cursor_take(&c, 8);
	uint32_t inner;

	if (!h || le16(h + 2) < 8 || !cursor_skip(&c, le16(h + 2) - 8U)) {
		fact_reason(w->f, UND_LINK_SHORT);
		return;
	}
	inner = le16(h + 4) | (uint32_t)le16(h + 6) << 16;
	if (inner == LINK_PPI)
		fact_reason(w->f, UND_LINKTYPE_UNKNOWN);
	else
		decode_link(w, inner, span_behind(&c, s));
}

void decode_other_link(struct work *w, uint32_t linktype, struct span s)
{
	switch (linktype) {
	case LINK_PPP: /* serial lines of either kind, told apart by the address */
	case LINK_PPP_HDLC:
		if (s.len && (s.p[0] == CISCO_UNICAST || s.p[0] == CISCO_MULTICAST))
			decode_chdlc(w, s);
		else
			decode_ppp(w, s);
		break;
	case LINK_PPP_ETHER:
		decode_pppoe(w, s);
		break;
	case LINK_PPP_PPPD: /* a byte says which way it went */
		if (s.len)
			decode_ppp(w, span_of(s.p + 1, s.len - 1, s.wire - 1));
		else
			fact_reason(w->f, UND_LINK_SHORT);
		break;
	case LINK_C_HDLC:
		decode_chdlc(w, s);
		break;
	case LINK_MPLS:
		decode_mpls(w, s);
		break;
	case LINK_NFLOG:
		decode_nflog(w, s);
		break;
	case LINK_PPI:
		decode_ppi(w, s);
		break;
	default:
		fact_reason(w->f, UND_LINKTYPE_UNKNOWN);
	}
}
