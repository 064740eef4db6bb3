/* SPDX-License-Identifier: MIT */
/* A frame from its link header on, and the notes that all parts take. */
#include "packet/internal.h"

#include <stdio.h>

#include "base/order.h"

#define ETHERTYPE_ARP	   0x0806
#define ETHERTYPE_RARP	   0x8035
#define ETHERTYPE_VLAN	   0x8100
#define ETHERTYPE_IP6	   0x86dd
#define ETHERTYPE_QINQ	   0x88a8
#define ETHERTYPE_QINQ_OLD 0x9100
#define ARP_HW_ETHERNET	   1

static const char *const proto_names[] = {
#define X(id, name) [PROTO_##id] = (name),
	PROTO_TABLE(X)
#undef X
};

static const struct {
	const char *name;
	enum undecodable_level level;
} reasons[] = {
#define X(id, n, lv) [UND_##id] = { n, UNDECODABLE_##lv },
	UNDECODABLE_TABLE(X)
#undef X
};

static const char *const place_names[] = {
#define X(id, name) [PLACE_##id] = (name),
	PLACE_TABLE(X)
#undef X
};

const char *proto_name(enum proto p)
{
	return p < PROTO_COUNT ? proto_names[p] : "?";
}

const char *undecodable_name(enum undecodable u)
{
	return u < UND_COUNT ? reasons[u].name : "?";
}

enum undecodable_level undecodable_level(enum undecodable u)
{
	return u < UND_COUNT ? reasons[u].level : UNDECODABLE_LINK;
}

const char *place_name(enum addr_place p)
{
	return p < PLACE_COUNT ? place_names[p] : "?";
}

const char *encap_name(enum encap e)
{
	static const char *const names[] = { "none",  "ipip",	"6in4", "gre",	 "vxlan",
					     "gtp-u", "geneve", "l2tp", "teredo" };

	return (size_t)e < sizeof(names) / sizeof(names[0]) ? names[e] : "?";
}

void fact_reason(struct facts *f, enum undecodable u)
{
	enum undecodable_level level = reasons[u].level;

	f->reasons |= UINT64_C(1) << u;
	if (f->reason == UND_NONE || level > reasons[f->reason].level)
		f->reason = (uint8_t)u;
	if (level >= UNDECODABLE_TRANSPORT)
		f->undecodable = true;
}

void fact_addr(struct facts *f, struct ipaddr a, uint16_t port, enum addr_place place)
{
	if (f->n_addrs >= FACTS_ADDRS) {
		fact_reason(f, UND_ADDRS_CUT);
		return;
	}
	f->addrs[f->n_addrs++] =
		(struct place_addr){ .addr = a, .port = port, .place = (uint8_t)place };
}

void fact_compact(struct facts *f, const uint8_t *p, size_t len, bool v6, enum addr_place place)
{
	size_t each = v6 ? 18 : 6;

	for (; len >= each; p += each, len -= each)
		fact_addr(f, v6 ? ipaddr_v6(p) : ipaddr_v4(p), be16(p + each - 2), place);
}

size_t text_put(char *to, size_t size, const uint8_t *p, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		bool plain = p[i] >= 0x20 && p[i] < 0x7f && p[i] != '\\';

		if (at + (plain ? 1 : 4) >= size)
			break;
		if (plain)
			to[at++] = (char)p[i];
		else
			at += (size_t)snprintf(to + at, 5, "\\%03u", p[i]);
	}
	to[at] = '\0';
	return at;
}

static bool is_digit(uint8_t b)
{
	return b >= '0' && b <= '9';
}

bool text_addr(const char *p, size_t n, struct ipaddr *a, uint16_t *port)
{
	char host[IPADDR_TEXT];
	size_t colons = 0, end = n;
	unsigned long number = 0;
	struct cursor c;
	uint8_t next;

	*port = 0;
	if (n && p[0] == '[') {
		const char *close = memchr(p, ']', n);

		if (!close)
			return false;
		p++;
		end = (size_t)(close - p);
		n--;
	} else {
		for (size_t i = 0; i < n; i++)
			if (p[i] == ':' && colons++ == 0)
				end = i;
		if (colons > 1)
			end = n;
	}
	if (snprintf(host, sizeof(host), "%.*s", (int)end, p) >= (int)sizeof(host))
		return false;
	if (!ipaddr_parse(host, a))
		return false;
	c = cursor_of((const uint8_t *)p + end, n - end);
	next = cursor_u8(&c);
	if (next == ']')
		next = cursor_u8(&c);
	if (next == ':')
		while (number <= UINT16_MAX && is_digit(next = cursor_u8(&c)))
			number = number * 10 + (unsigned long)(next - '0');
	*port = number > UINT16_MAX ? 0 : (uint16_t)number;
	return true;
}

void decode_arp(struct work *w, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	struct facts *f = w->f;
	struct arp_facts *a = &f->arp;
	uint16_t hw, proto;
	uint8_t hw_len, proto_len, spa[4], tpa[4];

	hw = cursor_u16(&c);
	proto = cursor_u16(&c);
	hw_len = cursor_u8(&c);
	proto_len = cursor_u8(&c);
	a->op = cursor_u16(&c);
	if (c.short_) {
		fact_reason(f, UND_ARP_SHORT);
		return;
	}
	if (hw != ARP_HW_ETHERNET || proto != ETHERTYPE_IP4 || hw_len != 6 || proto_len != 4) {
		fact_reason(f, UND_ARP_HARDWARE);
		return;
	}
	cursor_copy(&c, a->sender_mac, 6);
	cursor_copy(&c, spa, 4);
	cursor_copy(&c, a->target_mac, 6);
	if (!cursor_copy(&c, tpa, 4)) {
		fact_reason(f, UND_ARP_SHORT);
		return;
	}
	a->sender = ipaddr_v4(spa);
	a->target = ipaddr_v4(tpa);
	fact_set(f, PROTO_ARP);
}

/* What stands behind an ethertype; VLAN tags (802.1Q, 802.1ad, and the older 0x9100) are stepped over. */
void decode_ethertype(struct work *w, uint16_t type, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	size_t tags = 0;

	while (type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ || type == ETHERTYPE_QINQ_OLD) {
		uint16_t tci = cursor_u16(&c);

		type = cursor_u16(&c);
		if (c.short_) {
			fact_reason(w->f, UND_LINK_SHORT);
			return;
		}
		if (++tags > FACTS_VLANS || (!w->inner && w->f->n_vlans == FACTS_VLANS)) {
			fact_reason(w->f, UND_VLAN_DEPTH);
			return;
		}
		if (!w->inner)
			w->f->vlan[w->f->n_vlans++] = tci & 0xfff;
	}
	if (!w->inner)
		w->f->ethertype = type;
	s = span_of(c.p, c.left, s.wire - tags * 4);
	switch (type) {
	case ETHERTYPE_IP4:
	case ETHERTYPE_IP6:
		decode_ip(w, s);
		break;
	case ETHERTYPE_ARP:
	case ETHERTYPE_RARP:
		decode_arp(w, s);
		break;
	default:
		decode_other_ethertype(w, type, s);
	}
}

void decode_ethernet(struct work *w, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	const uint8_t *macs = cursor_take(&c, 12);
	uint16_t type = cursor_u16(&c);

	if (c.short_) {
		fact_reason(w->f, UND_LINK_SHORT);
		return;
	}
	if (!w->inner) {
		memcpy(w->f->dst_mac, macs, 6);
		memcpy(w->f->src_mac, macs + 6, 6);
		w->f->has_macs = true;
	}
	decode_ethertype(w, type, span_of(c.p, c.left, s.wire - 14));
}

/* Linux cooked captures (LINKTYPE_LINUX_SLL and _SLL2 of the pcap registry). */
static void decode_cooked(struct work *w, struct span s, bool v2)
{
	struct cursor c = cursor_of(s.p, s.len);
	struct facts *f = w->f;
	uint16_t type = 0, kind, hw_len;
	uint8_t mac[8] = { 0 };

	if (v2) {
		type = cursor_u16(&c);
		cursor_skip(&c, 2);
		f->ifindex = cursor_u32(&c);
		cursor_skip(&c, 2); /* ARPHRD */
		kind = cursor_u8(&c);
		hw_len = cursor_u8(&c);
		cursor_copy(&c, mac, 8);
	} else {
		kind = cursor_u16(&c);
		cursor_skip(&c, 2);
		hw_len = cursor_u16(&c);
		cursor_copy(&c, mac, 8);
		type = cursor_u16(&c);
	}
	if (c.short_) {
		fact_reason(f, UND_LINK_SHORT);
		return;
	}
	f->sll_type = (uint8_t)min_u64(kind, 255);
	if (hw_len == 6) {
		memcpy(f->src_mac, mac, 6);
		f->has_macs = true;
	}
	decode_ethertype(w, type, span_of(c.p, c.left, s.wire - (v2 ? 20 : 16)));
}

/* BSD loopback: an address family in the byte order of the capturing host (NULL) or big-endian (LOOP). */
static void decode_loopback(struct work *w, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	uint32_t family = cursor_u32(&c);

	if (c.short_) {
		fact_reason(w->f, UND_LINK_SHORT);
		return;
	}
	if (family >> 24)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:
	case 10: /* AF_INET6 of Linux; 23, 24, 28, 30 of Windows, NetBSD, FreeBSD, macOS */
	case 23:
	case 24:
	case 28:
	case 30:
		decode_ip(w, span_of(c.p, c.left, s.wire - 4));
		break;
	default:
		fact_reason(w->f, UND_ETHERTYPE_UNKNOWN);
	}
}

/* Ethernet, IPv4 without options and fragments, the length as stated: nearly every frame. It is read in one step, and
 * gives the very facts that the walk through decode_ethernet() and decode_ip() gives; false: walk. */
static bool decode_plain(struct work *w, struct span s)
{
	const uint8_t *p = s.p, *ip = p + 14;
	struct facts *f = w->f;
	struct net_layer *l = &f->layer[0];
	uint32_t total;

	if (s.len < 34 || be16(p + 12) != ETHERTYPE_IP4 || !ip4_is_plain(ip))
		return false;
	total = be16(ip + 2);
	if (total < 20 || total > s.wire - 14)
		return false;
	memcpy(f->dst_mac, p, 6);
	memcpy(f->src_mac, p + 6, 6);
	f->has_macs = true;
	f->ethertype = ETHERTYPE_IP4;
	f->n_layers = 1;
	memset(l, 0, offsetof(struct net_layer, src));
	l->version = 4;
	l->proto = ip[9];
	l->ttl = ip[8];
	l->tos = ip[1];
	l->dont_fragment = (ip[6] & 0x40) != 0;
	l->id = be16(ip + 4);
	l->total_len = total;
	l->header_len = 20;
	l->ip = ip;
	l->l4 = ip + 20;
	l->src = ipaddr_v4(ip + 12);
	l->dst = ipaddr_v4(ip + 16);
	w->l = l;
	w->inner = true;
	total -= 20;
	decode_transport(w, span_of(ip + 20, min_u64(s.len - 34, total), total));
	return true;
}

void decode_link(struct work *w, uint32_t linktype, struct span s)
{
	switch (linktype) {
	case LINK_ETHERNET:
		if (!decode_plain(w, s))
			decode_ethernet(w, s);
		break;
	case LINK_SLL:
		decode_cooked(w, s, false);
		break;
	case LINK_SLL2:
		decode_cooked(w, s, true);
		break;
	case LINK_RAW:
	case LINK_RAW_OLD:
	case LINK_RAW_OPENBSD:
	case LINK_IPV4:
	case LINK_IPV6:
		decode_ip(w, s);
		break;
	case LINK_NULL:
	case LINK_LOOP:
		decode_loopback(w, s);
		break;
	default:
		decode_other_link(w, linktype, s);
	}
}

enum undecodable decode_frame(struct decoder *d, uint32_t linktype, const uint8_t *data,
			      uint32_t caplen, uint32_t len, int64_t time, struct facts *out)
{
	struct span s = span_of(data, caplen, max_u64(len, caplen));
	struct work w = { .f = out, .d = d };

	memset(out, 0, offsetof(struct facts, layer));
	out->time = time;
	out->caplen = caplen;
	out->len = (uint32_t)s.wire;
	out->linktype = linktype;
	out->frame = data;
	if (s.wire > s.len)
		fact_reason(out, UND_CAPTURE_CUT);
	decode_link(&w, linktype, s);
	return out->reason;
}
