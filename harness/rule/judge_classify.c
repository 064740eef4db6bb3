// SPDX-License-Identifier: MIT
/* What a packet is before any rule asks: what it is to the tunnel, whether it is excused. */
#include <netinet/in.h>
#include <string.h>

#include "rule/judge_internal.h"

/* What the decoder is sure of and what no tunnel's payload can be. DNS on a port that is not its own has its whole shape; a
 * clock's message shows four bytes and a size, which data of a tunnel on its port has as well. */
static bool is_other_protocol(const struct facts *f)
{
	uint64_t tunnel = PROTO_BIT(PROTO_WIREGUARD) | PROTO_BIT(PROTO_OPENVPN);
	uint64_t vague = PROTO_BIT(PROTO_UDP) | PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_NTP);
	bool dns = facts_has(f, PROTO_DNS) &&
		   undecodable_level((enum undecodable)f->reason) < UNDECODABLE_APP &&
		   !facts_has_reason(f, UND_MESSAGE_CUT);

	return dns || (f->protos & ~f->weak & ~(tunnel | vague)) != 0;
}

#define TEXT 32 /* so many bytes of ciphertext are printable once in 2^44 */

static bool is_text(const struct net_layer *l)
{
	if (l->payload_len < TEXT)
		return false;
	for (size_t i = 0; i < TEXT; i++) {
		uint8_t b = l->payload[i];

		if ((b < ' ' || b > '~') && b != '\r' && b != '\n' && b != '\t')
			return false;
	}
	return true;
}

/* OpenVPN over TCP stands behind a length of two bytes, at unknown places once the stream runs. */
static bool looks_openvpn(const struct facts *f, const struct net_layer *l, size_t wire)
{
	return !is_other_protocol(f) && !is_text(l) &&
	       (l->proto == IPPROTO_TCP ||
		openvpn_message(l->payload, l->payload_len, wire, false, NULL));
}

/* Does the capture end inside the header behind IP's? */
static bool header_was_cut(const struct facts *f)
{
	return facts_has_reason(f, UND_CAPTURE_CUT) &&
	       (facts_has_reason(f, UND_TCP_SHORT) || facts_has_reason(f, UND_UDP_SHORT) ||
		facts_has_reason(f, UND_SCTP_SHORT));
}

static bool ports_were_cut(const struct facts *f, const struct net_layer *l)
{
	return header_was_cut(f) && !l->has_ports;
}

/* A later fragment whose first one was not seen: it stands before the capture's begin, or comes behind. */
static bool is_orphan(const struct net_layer *l)
{
	return l->frag == FRAG_LATER && !l->ports_from_first;
}

#define TELLING 16 /* bytes of a message by which both kinds are told */

static bool looks_tunnel(const struct policy_tunnel *t, const struct facts *f,
			 const struct net_layer *l, bool *verified)
{
	/* how long a datagram is whose first fragment this is, is not known: only data may be of any length */
	size_t wire = l->frag == FRAG_FIRST ? SIZE_MAX : l->payload_wire;

	if (l->frag == FRAG_LATER) /* its first fragment was looked at */
		return l->ports_from_first;
	if (l->payload_len < TELLING && l->payload_len < l->payload_wire) {
		*verified = false; /* captured too short to say */
		return true;
	}
	return t->kind == TUNNEL_WIREGUARD
		       ? wireguard_message(l->payload, l->payload_len, wire, NULL)
		       : looks_openvpn(f, l, wire);
}

/* An error about a packet of the tunnel goes to who sent that packet (RFC 792, RFC 4443 2.4): to a stranger it is no such
 * thing. */
static bool quotes_tuple(const struct policy_tunnel *t, const struct facts *f,
			 const struct net_layer *l, enum packet_direction dir)
{
	const struct net_layer *q = &f->quoted;

	if (!f->has_quoted || !q->has_ports || q->proto != t->proto)
		return false;
	if (ipaddr_equal(&q->src, &t->endpoint) && q->sport == t->port)
		return ipaddr_equal(&l->dst, &t->endpoint);
	return ipaddr_equal(&q->dst, &t->endpoint) && q->dport == t->port && dir != DIR_OUT;
}

/* From the server. Outbound too when it is for the gateway: after the gateway's network is gone, conntrack still
 * turns the server's packets back to the old private address, and the host sends them where its default route
 * points. That is the server's own ciphertext, nothing of the stack's. */
static bool comes_from_server(const struct judge *j, const struct policy_tunnel *t,
			      const struct net_layer *l, enum packet_direction dir)
{
	return ipaddr_equal(&l->src, &t->endpoint) &&
	       (dir != DIR_OUT || (j->dst_is & ADDR_GATEWAY));
}

enum tunnel_relation judge_tunnel(const struct judge *j, const struct facts *f,
				  enum packet_direction dir, const struct policy_tunnel **tuple,
				  bool *verified)
{
	const struct net_layer *l = facts_outer(f);
	enum tunnel_relation found = TUNNEL_NOT;

	*tuple = NULL;
	*verified = true;
	if (!f->has_quoted && !((j->src_is | j->dst_is) & ADDR_ENDPOINT))
		return TUNNEL_NOT;
	for (size_t i = 0; l && i < j->p->n_tunnels; i++) {
		const struct policy_tunnel *t = &j->p->tunnels[i];
		bool to = ipaddr_equal(&l->dst, &t->endpoint);
		bool from = comes_from_server(j, t, l, dir);
		uint16_t port = to ? l->dport : l->sport;

		if (quotes_tuple(t, f, l, dir)) {
			*tuple = t;
			return TUNNEL_QUOTED;
		}
		if (!to && !from)
			continue;
		*tuple = t;
		if (l->proto == t->proto && (ports_were_cut(f, l) || is_orphan(l))) {
			*verified = false;
			return TUNNEL_PAYLOAD;
		}
		if (l->proto == t->proto && l->has_ports && port == t->port)
			return looks_tunnel(t, f, l, verified) ? TUNNEL_PAYLOAD : TUNNEL_TUPLE_ONLY;
		found = TUNNEL_OTHER_PORT;
	}
	return found;
}

bool judge_wireguard_data(const uint8_t *message, size_t wire)
{
	return message[0] == 4 && wire > 32; /* 32: keep-alive */
}

bool judge_tunnel_data(const struct policy_tunnel *t, const struct net_layer *l)
{
	if (!l->has_ports || l->payload_len < 1)
		return false;
	if (t->kind == TUNNEL_WIREGUARD)
		return judge_wireguard_data(l->payload, l->payload_wire);
	if (l->proto == IPPROTO_TCP)
		return true;
	return l->payload[0] >> 3 == 6 || l->payload[0] >> 3 == 9; /* P_DATA_V1, P_DATA_V2 */
}

/* IGMP and MLD: to a group, with a TTL of 1 (RFC 3376 4, RFC 3810 5), and nobody's of the stack. */
static bool stays_on_link(const struct judge *j, const struct net_layer *l)
{
	return l->ttl == 1 && (j->dst_is & ADDR_MULTICAST) &&
	       !(j->src_is & (ADDR_INSIDE | ADDR_TUNNEL));
}

static const char *arp_upkeep(const struct judge *j, const struct facts *f)
{
	uint32_t is = judge_addr(j, &f->arp.sender)->is;

	return is & ADDR_REAL || !(is & (ADDR_TUNNEL | ADDR_INSIDE)) ? "arp" : NULL;
}

/* Multicast Listener Discovery, both versions. */
static bool is_mld(uint8_t icmp_type)
{
	return icmp_type == 143 || (icmp_type >= 130 && icmp_type <= 132);
}

static const char *icmp_upkeep(const struct judge *j, const struct rule_ctx *c,
			       const struct net_layer *l)
{
	const struct facts *f = c->facts;

	if (facts_has(f, PROTO_ND) && l->ttl == 255 && !(j->src_is & (ADDR_INSIDE | ADDR_TUNNEL)))
		return "nd";
	if (facts_has(f, PROTO_ICMP6) && is_mld(l->icmp_type) && stays_on_link(j, l))
		return "mld";
	if (c->tunnel == TUNNEL_QUOTED)
		return "icmp-error-of-tunnel";
	/* the host's own refusal of something that came to it */
	if (f->has_quoted && (j->src_is & ADDR_REAL) &&
	    judge_addr_is(j, &f->quoted.dst, ADDR_REAL) && !attribution_is_evidence(c->who.how))
		return "icmp-error";
	return NULL;
}

static uint64_t shape_bits(enum policy_shape s)
{
	switch (s) {
	case SHAPE_DNS:
		return PROTO_BIT(PROTO_DNS);
	case SHAPE_MDNS:
		return PROTO_BIT(PROTO_DNS) | PROTO_BIT(PROTO_MDNS);
	case SHAPE_DHCP:
		return PROTO_BIT(PROTO_DHCP) | PROTO_BIT(PROTO_DHCP6);
	case SHAPE_NTP:
		return PROTO_BIT(PROTO_NTP);
	case SHAPE_TLS:
		return PROTO_BIT(PROTO_TLS) | PROTO_BIT(PROTO_TLS_HELLO);
	case SHAPE_QUIC:
		return PROTO_BIT(PROTO_QUIC) | PROTO_BIT(PROTO_TLS_HELLO);
	case SHAPE_HTTP:
		return PROTO_BIT(PROTO_HTTP);
	case SHAPE_SSDP:
		return PROTO_BIT(PROTO_SSDP);
	case SHAPE_NATPMP:
		return PROTO_BIT(PROTO_NATPMP) | PROTO_BIT(PROTO_PCP);
	case SHAPE_IGMP:
		return PROTO_BIT(PROTO_IGMP);
	case SHAPE_ANY:
	case SHAPE_EMPTY:
	case SHAPE_SSH:
	case SHAPE_ICMP_ECHO:
	case N_SHAPES:
		break;
	}
	return 0;
}

/* The answer of an edge service behind `ports:`, as long as the other side has asked and it is HTTP or TLS over TCP. */
static bool is_published(const struct judge *j, const struct rule_ctx *c, const struct net_layer *l,
			 const struct flow *flow)
{
	uint64_t web = PROTO_BIT(PROTO_TCP) | shape_bits(SHAPE_TLS) | shape_bits(SHAPE_HTTP);

	if (c->dir != DIR_OUT || (flow->started && !flow->inbound) ||
	    (c->facts->protos & ~c->facts->weak & ~web))
		return false;
	for (size_t i = 0; i < j->p->n_published; i++) {
		const struct policy_published *p = &j->p->published[i];
		const struct policy_service *s = policy_service_find(j->p, p->service);

		if (p->proto == l->proto && p->port == l->sport && s && s->role == SERVICE_EDGE)
			return !attribution_is_evidence(c->who.how) || c->who.service == s;
	}
	return false;
}

/* What keeps a link going and says nothing of the stack; counted by name. */
const char *judge_upkeep(const struct judge *j, const struct rule_ctx *c, const struct flow *flow)
{
	const struct facts *f = c->facts;
	const struct net_layer *l = facts_outer(f);

	if (!l)
		return facts_has(f, PROTO_ARP) ? arp_upkeep(j, f) : NULL;
	/* something inside something keeps no link going */
	if (f->undecodable || f->n_layers != 1)
		return NULL;
	if (facts_has(f, PROTO_IGMP) && stays_on_link(j, l))
		return "igmp";
	if (facts_has(f, PROTO_ICMP) || facts_has(f, PROTO_ICMP6))
		return icmp_upkeep(j, c, l);
	if (is_published(j, c, l, flow))
		return "published-port";
	/* a bare reset of the host refuses what came from outside */
	if (flow->inbound && (l->tcp_flags & TCP_RST) && l->payload_wire == 0 &&
	    (j->src_is & ADDR_REAL) && !attribution_is_evidence(c->who.how))
		return "reset";
	return NULL;
}

/* Does a payload have a shape? */
enum fit {
	FIT_NO,
	FIT_YES,
	FIT_LATER,  /* it may, the next segment tells */
	FIT_HIDDEN, /* it may, what would tell was not captured */
};

static bool is_cut(const struct net_layer *l)
{
	return l->payload_len < l->payload_wire;
}

/* Bytes of a payload by which the decoder tells the shape; with fewer it tells nothing. It tells DNS with any. */
static uint32_t telling_bytes(enum policy_shape s)
{
	switch (s) {
	case SHAPE_DHCP:
	case SHAPE_NTP:
	case SHAPE_SSH:
		return 4;
	case SHAPE_TLS:
	case SHAPE_HTTP:
		return 8;
	case SHAPE_SSDP:
		return 18;
	case SHAPE_QUIC:
		return 48; /* version and both ids */
	default:
		return 2;
	}
}

/* On some ports the decoder takes whatever comes for the port's protocol and notes what is wrong with it: that is not
 * the shape. */
static enum fit recognised(enum policy_shape s, const struct facts *f, const struct net_layer *l)
{
	if (!(f->protos & shape_bits(s)))
		return is_cut(l) && l->payload_len < telling_bytes(s) ? FIT_HIDDEN : FIT_NO;
	if (undecodable_level((enum undecodable)f->reason) >= UNDECODABLE_APP)
		return FIT_NO;
	return facts_has_reason(f, UND_MESSAGE_CUT) ? FIT_HIDDEN : FIT_YES;
}

static enum fit starts_with_shape(enum policy_shape s, const struct facts *f,
				  const struct net_layer *l)
{
	enum fit fit = recognised(s, f, l);

	if (s == SHAPE_SSH && fit == FIT_NO)
		return l->payload_len >= 4 && memcmp(l->payload, "SSH-", 4) == 0 ? FIT_YES : FIT_NO;
	/* without its whole question, DNS over TCP is no more than a port and a length */
	if (fit != FIT_YES || !(f->weak & PROTO_BIT(PROTO_DNS)))
		return fit;
	if (f->dns.header && (!dns_begins(&f->dns) || f->dns.questions != 1))
		return FIT_NO;
	return is_cut(l) ? FIT_HIDDEN : FIT_LATER;
}

/* The first payload of a TCP flow decides for the flow; a flow whose start was not seen is taken as long as
 * nothing else is recognised in it. */
static enum fit tcp_shape(enum policy_shape s, const struct facts *f, const struct net_layer *l,
			  const struct flow *flow)
{
	uint64_t carrier = PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_DOT);
	uint64_t strange = f->protos & ~f->weak & ~(carrier | shape_bits(s));

	if (flow->shape == FLOW_SHAPE_BAD)
		return FIT_NO;
	if (l->payload_wire == 0)
		return FIT_YES;
	if (s == SHAPE_EMPTY || strange)
		return FIT_NO;
	if (flow->shape == FLOW_SHAPE_GOOD || !flow->started)
		return FIT_YES;
	return flow->shape == FLOW_SHAPE_HIDDEN ? FIT_HIDDEN : starts_with_shape(s, f, l);
}

static enum fit fit_if(bool is)
{
	return is ? FIT_YES : FIT_NO;
}

/* A later fragment goes the way of its first one. */
static enum fit fragment_shape(const struct net_layer *l, const struct flow *flow)
{
	if (l->ports_from_first && flow->shape == FLOW_SHAPE_HIDDEN)
		return FIT_HIDDEN;
	return fit_if(l->ports_from_first && flow->shape == FLOW_SHAPE_GOOD);
}

static enum fit shape_fits(enum policy_shape s, const struct facts *f, const struct flow *flow)
{
	const struct net_layer *l = facts_inner(f);

	if (s == SHAPE_ANY)
		return FIT_YES;
	if (f->n_layers != 1) /* something inside something is no shape that a policy names */
		return FIT_NO;
	if (header_was_cut(f))
		return FIT_HIDDEN;
	if (l->proto == IPPROTO_TCP)
		return tcp_shape(s, f, l, flow);
	if (l->frag == FRAG_LATER)
		return fragment_shape(l, flow);
	if (s == SHAPE_ICMP_ECHO)
		return fit_if(
			(facts_has(f, PROTO_ICMP) && (l->icmp_type == 8 || l->icmp_type == 0)) ||
			(facts_has(f, PROTO_ICMP6) &&
			 (l->icmp_type == 128 || l->icmp_type == 129)));
	if (s == SHAPE_EMPTY)
		return fit_if(l->payload_wire == 0);
	return recognised(s, f, l);
}

static bool in_range(uint16_t port, uint16_t low, uint16_t high)
{
	return high == 0 || (port >= low && port <= high);
}

/* cut: the capture ends before the ports */
static bool allow_tuple(const struct policy_allow *a, const struct net_layer *l,
			enum packet_direction dir, bool cut)
{
	bool out = dir != DIR_IN;
	const struct ipaddr *peer = out ? &l->dst : &l->src;
	bool ported = a->port_high || a->local_high;

	if (a->proto != l->proto || (a->direction == POLICY_OUT && !out) ||
	    (a->direction == POLICY_IN && out) || !policy_prefix_has(&a->peer, peer))
		return false;
	if (!ported || cut)
		return true;
	return l->has_ports && in_range(out ? l->dport : l->sport, a->port_low, a->port_high) &&
	       in_range(out ? l->sport : l->dport, a->local_low, a->local_high);
}

/* May this allowance speak for who sent it? Evidence that names somebody else outweighs the policy; and where
 * a tap watches the service's own network, what it sent was seen there, so no evidence means somebody else. */
static bool allow_who(const struct judge *j, const struct policy_allow *a,
		      const struct attributed *who)
{
	const struct policy_service *s = policy_service_find(j->p, a->who);

	if (attribution_is_evidence(who->how))
		return s && s == who->service && who->how != ATTR_AMBIGUOUS;
	return !s || (s->role != SERVICE_PROTECTED && !j->watched[s - j->p->services]);
}

/* What the first payload was stays with the flow. */
static void note_shape(struct flow *flow, const struct net_layer *l, enum fit fit)
{
	if (l->payload_wire > 0 && fit != FIT_LATER)
		flow->shape = fit == FIT_YES ? FLOW_SHAPE_GOOD : FLOW_SHAPE_HIDDEN;
}

const struct policy_allow *judge_allow(const struct judge *j, const struct rule_ctx *c,
				       struct flow *flow, bool *verified)
{
	const struct net_layer *l = facts_outer(c->facts);
	bool refused = false;

	*verified = true;

	for (size_t i = 0; l && i < j->p->n_allows; i++) {
		const struct policy_allow *a = &j->p->allows[i];
		enum fit fit;

		if (!allow_tuple(a, l, c->dir, ports_were_cut(c->facts, l)) ||
		    !allow_who(j, a, &c->who))
			continue;
		fit = shape_fits(a->shape, c->facts, flow);
		if (fit == FIT_NO) {
			refused = true;
			continue;
		}
		*verified = fit != FIT_HIDDEN;
		note_shape(flow, l, fit);
		return a;
	}
	if (refused)
		flow->shape = FLOW_SHAPE_BAD;
	return NULL;
}

bool judge_may_excuse(const struct judge *j, const struct net_layer *l, enum packet_direction dir)
{
	const struct attributed nobody = { .how = ATTR_NONE };

	for (size_t i = 0; i < j->p->n_allows; i++)
		if (allow_tuple(&j->p->allows[i], l, dir, false) &&
		    allow_who(j, &j->p->allows[i], &nobody))
			return true;
	for (size_t i = 0; i < j->p->n_published; i++)
		if (j->p->published[i].port == l->sport)
			return true;
	return false;
}
