/* SPDX-License-Identifier: MIT */
/* IPv4 with options and fragments, IPv6 with its extension headers, and the tunnels that hold either. */
#include "packet/internal.h"

#include <netinet/in.h>

#include "base/order.h"

#define IP6_EXTENSIONS 16 /* more than any sender uses; a bound against walks without end */

static void ip_reason(const struct work *w, enum undecodable u)
{
	fact_reason(w->f, w->quoted ? UND_ICMP_QUOTE : u);
}

/* The fixed header is there: addresses may be believed from here on. */
static void layer_begun(struct work *w)
{
	if (w->quoted)
		w->f->has_quoted = true;
	else
		w->f->n_layers++;
}

static void set_fragment(struct net_layer *l, uint32_t offset, bool more)
{
	l->frag_offset = offset;
	l->frag_more = more;
	l->frag = offset ? FRAG_LATER : more ? FRAG_FIRST : FRAG_NONE;
}

/* The size of one extension header whose first two bytes are h (RFC 8200 4.2; AH counts in words, RFC 4302). */
static size_t ip6_extension_size(uint8_t kind, const uint8_t *h)
{
	if (kind == IPPROTO_AH)
		return ((size_t)h[1] + 2) * 4;
	if (kind == IPPROTO_FRAGMENT)
		return 8;
	return ((size_t)h[1] + 1) * 8;
}

static bool ip6_is_extension(uint8_t kind)
{
	switch (kind) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_FRAGMENT:
	case IPPROTO_DSTOPTS:
	case IPPROTO_AH:
	case IPPROTO_MH:
	case 139: /* HIP */
	case 140: /* shim6 */
		return true;
	default:
		return false;
	}
}

/* Walk to the transport header: *c ends up behind the last extension header, its length included. A header
 * that is not wholly there ends the walk with a reason and false. */
static bool ip6_walk(struct work *w, struct cursor *c)
{
	struct net_layer *l = w->l;

	for (int n = 0; ip6_is_extension(l->proto); n++) {
		uint8_t kind = l->proto;
		const uint8_t *h;

		if (n == IP6_EXTENSIONS) {
			ip_reason(w, UND_IP6_EXTENSION_DEPTH);
			return false;
		}
		if (c->left < 8 || !(h = cursor_take(c, ip6_extension_size(kind, c->p)))) {
			ip_reason(w, UND_IP6_EXTENSION_SHORT);
			return false;
		}
		l->proto = h[0];
		if (kind == IPPROTO_FRAGMENT) {
			w->frag_proto = h[0];
			w->frag_body = c->p;
			set_fragment(l, be16(h + 2) & 0xfff8U, (h[3] & 1) != 0);
			l->id = be32(h + 4);
			if (l->frag == FRAG_LATER)
				return true; /* what follows is the middle of something */
		}
	}
	return true;
}

/* The first fragment for itself: its payload ends early, which is no damage of the application's message. */
static void decode_first(struct work *w, struct span s)
{
	uint64_t reasons = w->f->reasons;
	uint8_t reason = w->f->reason;

	decode_transport(w, s);
	if (w->f->undecodable)
		return;
	w->f->reasons = reasons;
	w->f->reason = reason;
}

/* A fragment that is not the first holds no transport header; a first one does, and a whole datagram that
 * this fragment completed is decoded as if it had come in one piece. s begins at the transport header of a
 * first fragment; what fragments count from is w->frag_body. */
static void decode_fragment(struct work *w, struct span s)
{
	struct net_layer *l = w->l;
	size_t before = (size_t)(s.p - w->frag_body);
	struct span body = span_of(w->frag_body, s.len + before, s.wire + before), whole;

	l->payload = s.p;
	l->payload_len = (uint32_t)s.len;
	l->payload_wire = (uint32_t)s.wire;
	if (l->frag == FRAG_LATER)
		fact_reason(w->f, UND_FRAGMENT_LATER);
	if (fragment_add(w, body, &whole)) {
		struct cursor c = cursor_of(whole.p, whole.len);

		w->f->reassembled = true;
		if (l->version == 6 && !ip6_walk(w, &c))
			return;
		decode_transport(w, span_of(c.p, c.left, c.left));
		return;
	}
	if (l->frag == FRAG_FIRST) {
		decode_first(w, s);
		fragment_ports(w);
	}
}

static void decode_ip4(struct work *w, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	struct net_layer *l = w->l;
	const uint8_t *h = cursor_take(&c, 20);
	size_t header, total;

	if (!h) {
		ip_reason(w, UND_IP4_SHORT);
		return;
	}
	layer_begun(w);
	header = (size_t)(h[0] & 15) * 4;
	l->version = 4;
	l->ip = h;
	l->tos = h[1];
	l->total_len = be16(h + 2);
	l->id = be16(h + 4);
	l->dont_fragment = (h[6] & 0x40) != 0;
	set_fragment(l, (uint32_t)(be16(h + 6) & 0x1fff) * 8, (h[6] & 0x20) != 0);
	l->ttl = h[8];
	l->proto = h[9];
	l->src = ipaddr_v4(h + 12);
	l->dst = ipaddr_v4(h + 16);
	if (header < 20) {
		ip_reason(w, UND_IP4_HEADER_LENGTH);
		return;
	}
	if (!cursor_skip(&c, header - 20)) {
		ip_reason(w, UND_IP4_SHORT);
		return;
	}
	l->header_len = (uint32_t)header;
	/* Segmentation offload beyond 64 KiB leaves the length 0: then the frame's own length counts. */
	if (l->total_len == 0)
		l->total_len = (uint32_t)s.wire;
	total = l->total_len;
	if (total < header || total > s.wire) {
		ip_reason(w, UND_IP4_TOTAL_LENGTH);
		if (total < header)
			return;
		total = s.wire;
	}
	if (l->frag != FRAG_NONE && l->frag_offset + total - header > 65535)
		ip_reason(w, UND_IP4_FRAGMENT_RANGE);
	l->l4 = c.p;
	w->frag_proto = l->proto;
	w->frag_body = c.p;
	s = span_of(c.p, min_u64(c.left, total - header), total - header);
	if (l->frag == FRAG_NONE)
		decode_transport(w, s);
	else
		decode_fragment(w, s);
}

static void decode_ip6(struct work *w, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	struct net_layer *l = w->l;
	const uint8_t *h = cursor_take(&c, 40);
	size_t total, gone;

	if (!h) {
		ip_reason(w, UND_IP6_SHORT);
		return;
	}
	layer_begun(w);
	l->version = 6;
	l->ip = h;
	l->tos = (uint8_t)(h[0] << 4 | h[1] >> 4);
	l->proto = h[6];
	l->ttl = h[7];
	l->src = ipaddr_v6(h + 8);
	l->dst = ipaddr_v6(h + 24);
	/* 0 is a jumbogram (RFC 2675) or an offloaded segment: the frame's own length counts. */
	total = be16(h + 4) ? 40 + (size_t)be16(h + 4) : s.wire;
	l->total_len = (uint32_t)total;
	if (total > s.wire) {
		ip_reason(w, UND_IP6_SHORT);
		total = s.wire;
	}
	c.left = min_u64(c.left, total - 40);
	if (!ip6_walk(w, &c))
		return;
	gone = (size_t)(c.p - h);
	l->header_len = (uint32_t)gone;
	if (l->frag != FRAG_NONE && l->frag_offset + total - gone > 65535)
		ip_reason(w, UND_IP6_FRAGMENT_RANGE);
	l->l4 = c.p;
	s = span_of(c.p, c.left, total - gone);
	if (l->frag == FRAG_NONE)
		decode_transport(w, s);
	else
		decode_fragment(w, s);
}

void decode_ip(struct work *w, struct span s)
{
	struct facts *f = w->f;
	struct net_layer *l = w->quoted ? &f->quoted : &f->layer[f->n_layers];

	if (!w->quoted && f->n_layers == FACTS_LAYERS) {
		fact_reason(f, UND_TUNNEL_DEPTH);
		return;
	}
	if (s.len == 0) {
		ip_reason(w, UND_IP4_SHORT);
		return;
	}
	memset(l, 0, offsetof(struct net_layer, src)); /* the addresses come with the header */
	l->encap = w->encap;
	w->l = l;
	w->inner = true;
	if (s.p[0] >> 4 == 4)
		decode_ip4(w, s);
	else if (s.p[0] >> 4 == 6)
		decode_ip6(w, s);
	else
		ip_reason(w, UND_IP_VERSION);
}
