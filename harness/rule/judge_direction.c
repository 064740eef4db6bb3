// SPDX-License-Identifier: MIT
/* Which way a packet goes: by what the link says of its sender, else by its addresses. */
#include <string.h>

#include "rule/judge_internal.h"

static bool is_same(const uint8_t a[6], const uint8_t b[6])
{
	return memcmp(a, b, 6) == 0;
}

void direction_learn(struct judge *j, size_t tap, const uint8_t *mac, uint32_t src_is,
		     uint32_t dst_is)
{
	struct own_end *own = &j->own[tap];
	bool ours = (src_is & ADDR_REAL) != 0;

	if (!mac || own->state == OWN_USELESS)
		return;
	if (ours && own->state == OWN_UNKNOWN) {
		memcpy(own->mac, mac, 6);
		own->state = OWN_KNOWN;
	} else if (own->state == OWN_KNOWN &&
		   (ours ? !is_same(mac, own->mac)
			 : (dst_is & ADDR_REAL) && is_same(mac, own->mac))) {
		own->state = OWN_USELESS;
	}
}

/* Another Ethernet address than the host's is a neighbour's. Not one that sends from an address of ours; and where nobody else
 * is said to be on the link, it is a container's that nobody listed. */
static enum link_says by_other(const struct judge *j, uint32_t src_is)
{
	return j->p->closed_world || (src_is & ADDR_OURS) ? LINK_SAYS_NOTHING : LINK_SAYS_OTHER;
}

static enum link_says by_learned(const struct judge *j, const struct own_end *own,
				 const uint8_t mac[6], uint32_t src_is)
{
	if (own->state != OWN_KNOWN)
		return LINK_SAYS_NOTHING;
	return is_same(mac, own->mac) ? LINK_SAYS_HOST : by_other(j, src_is);
}

/* The next hop is told first: all else left the host, but for neighbours where the host's own address is known as well. */
static enum link_says by_mac(const struct judge *j, size_t tap, const uint8_t mac[6],
			     uint32_t src_is)
{
	const struct policy_tap *t = &j->p->taps[tap];

	if (t->has_peer_mac && is_same(mac, t->peer_mac))
		return LINK_SAYS_OTHER;
	if (t->has_mac && is_same(mac, t->mac))
		return LINK_SAYS_HOST;
	if (judge_mac_owner(j->p, mac)) /* a container with a leg of its own (macvlan) */
		return LINK_SAYS_OUT;
	if (t->has_peer_mac && (!t->has_mac || by_other(j, src_is) == LINK_SAYS_NOTHING))
		return LINK_SAYS_OUT;
	if (t->has_mac)
		return src_is & ADDR_OURS ? LINK_SAYS_OUT : LINK_SAYS_OTHER;
	return by_learned(j, &j->own[tap], mac, src_is);
}

static enum packet_direction by_addr(uint32_t src, uint32_t dst)
{
	if (src & ADDR_OURS)
		return DIR_OUT;
	if (dst & ADDR_OURS)
		return DIR_IN;
	/* nobody on the far side of an uplink has a private address or none: it came from in here */
	if (src & (ADDR_PRIVATE | ADDR_NONE | ADDR_LOOPBACK))
		return DIR_OUT;
	return src & ADDR_PUBLIC ? DIR_IN : DIR_UNKNOWN;
}

/* Router advertisements and redirects (RFC 4861) come from routers only. */
static bool from_router(const struct facts *f)
{
	return facts_has(f, PROTO_ND) && (f->nd.type == 134 || f->nd.type == 137);
}

static bool is_cooked(const struct facts *f)
{
	return f->linktype == LINK_SLL || f->linktype == LINK_SLL2;
}

static enum packet_direction at_exit(uint32_t src, uint32_t dst)
{
	if (src & ADDR_OURS)
		return DIR_OUT;
	if (dst & ADDR_TUNNEL)
		return DIR_IN;
	if ((src & ADDR_PRIVATE) == (dst & ADDR_PRIVATE))
		return DIR_UNKNOWN; /* a resolver at the tunnel's far end is private as well */
	return src & ADDR_PRIVATE ? DIR_OUT : DIR_IN;
}

enum link_says judge_link(const struct judge *j, size_t tap, const struct facts *f,
			  const uint8_t *mac, int told)
{
	enum link_says says = LINK_SAYS_NOTHING;

	if (mac)
		says = by_mac(j, tap, mac, j->src_is);
	else if (is_cooked(f) && j->p->taps[tap].role == TAP_UPLINK)
		says = f->sll_type == 4 ? LINK_SAYS_HOST : LINK_SAYS_OTHER;
	if (says == LINK_SAYS_NOTHING && told && j->p->taps[tap].role == TAP_UPLINK)
		says = told == CAPFILE_OUTBOUND ? LINK_SAYS_HOST : LINK_SAYS_OTHER;
	return says;
}

static enum packet_direction by_link(enum link_says says)
{
	return says == LINK_SAYS_NOTHING ? DIR_UNKNOWN : says == LINK_SAYS_OTHER ? DIR_IN : DIR_OUT;
}

enum packet_direction judge_direction(const struct judge *j, const struct policy_tap *t,
				      const struct facts *f, enum link_says says, bool forged)
{
	const struct net_layer *l = facts_outer(f);
	enum packet_direction d = by_link(says);

	if (t->role == TAP_EXIT)
		return l ? at_exit(j->src_is, j->dst_is) : DIR_UNKNOWN;
	if (d != DIR_UNKNOWN)
		return d;
	if (l)
		d = by_addr(j->src_is, j->dst_is);
	else if (facts_has(f, PROTO_ARP))
		d = judge_addr_is(j, &f->arp.sender, ADDR_OURS) ? DIR_OUT : DIR_UNKNOWN;
	if (from_router(f))
		return DIR_IN;
	return d == DIR_UNKNOWN && forged ? DIR_OUT : d;
}

enum packet_direction judge_direction_by(const struct judge *j, size_t tap, const uint8_t *mac,
					 uint32_t src_is, uint32_t dst_is, enum link_says *says)
{
	enum packet_direction d;

	*says = mac ? by_mac(j, tap, mac, src_is) : LINK_SAYS_NOTHING;
	d = by_link(*says);
	return d == DIR_UNKNOWN ? by_addr(src_is, dst_is) : d;
}
