// SPDX-License-Identifier: MIT
/* Who sent it: marks of canaries and controls, own addresses, the bridge, conntrack, policy. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/order.h"
#include "rule/judge_internal.h"

bool attribution_is_evidence(enum attribution a)
{
	return a != ATTR_NONE && a != ATTR_POLICY;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Eight hex digits; false when they are not. */
static bool hex_u32(const uint8_t *b, uint32_t *out)
{
	uint32_t v = 0;

	for (int i = 0; i < 8; i++) {
		int d = hex_digit(b[i]);

		if (d < 0)
			return false;
		v = v << 4 | (uint32_t)d;
	}
	*out = v;
	return true;
}

/* Nonce and id in bytes, or the same as hex digits in protocols made of text. */
static bool find_marker(const struct judge *j, const uint8_t *data, size_t len, uint32_t *id)
{
	const uint8_t *at;
	const uint8_t *end = data + len;
	uint32_t be;

	at = memmem(data, len, j->p->nonce, POLICY_NONCE_LEN);
	if (at && (size_t)(end - at) >= POLICY_MARKER_LEN) {
		memcpy(&be, at + POLICY_NONCE_LEN, sizeof(be));
		*id = ntohl(be);
		return true;
	}
	at = memmem(data, len, j->nonce_text, 2 * POLICY_NONCE_LEN);
	return at && (size_t)(end - at) >= 2 * POLICY_MARKER_LEN &&
	       hex_u32(at + 2 * POLICY_NONCE_LEN, id);
}

static int by_id(const void *key, const void *row)
{
	return order_u64(*(const uint32_t *)key, (*(const struct policy_canary *const *)row)->id);
}

static const struct policy_canary *canary_by_id(const struct judge *j, uint32_t id)
{
	const struct policy_canary **row;

	/* NOLINTNEXTLINE(bugprone-sizeof-expression): the rows are pointers */
	row = bsearch(&id, j->by_id, j->p->n_canaries, sizeof(*row), by_id);
	return row ? *row : NULL;
}

/* One label of a name, where it stands. */
struct label {
	const char *text;
	size_t len;
};

static int by_label(const void *key, const void *row)
{
	const struct label *l = key;
	const char *known = ((const struct label_index *)row)->label;
	int order = strncasecmp(l->text, known, l->len);

	return order || !known[l->len] ? order : -1;
}

/* "ctl-<rule>-<nonce>" */
static bool is_control_label(const struct judge *j, struct label l)
{
	size_t tail = sizeof(j->control_suffix) - 1;

	return l.len > 4 + tail && strncasecmp(l.text, "ctl-", 4) == 0 &&
	       strncasecmp(l.text + l.len - tail, j->control_suffix, tail) == 0;
}

/* Look at every label of names that are separated by dots or blanks; the first mark counts. */
static bool find_label(const struct judge *j, const char *names, struct mark_found *m)
{
	while (*names) {
		struct label l = { names, strcspn(names, ". ") };
		const struct label_index *hit;

		if (is_control_label(j, l)) {
			m->control = true;
			m->id = POLICY_CONTROL_BASE;
			return true;
		}
		hit = bsearch(&l, j->labels, j->n_labels, sizeof(*j->labels), by_label);
		if (hit) {
			m->canary = true;
			m->id = hit->canary->id;
			m->row = hit->canary;
			return true;
		}
		names += l.len + (names[l.len] != '\0');
	}
	return false;
}

static void find_names(const struct judge *j, const struct facts *f, struct mark_found *m)
{
	if (facts_has(f, PROTO_DNS) && !find_label(j, f->dns.qname, m))
		(void)find_label(j, f->dns.other_names, m);
	if (facts_has(f, PROTO_TLS_HELLO))
		(void)find_label(j, f->tls.sni, m);
	if (facts_has(f, PROTO_HTTP))
		(void)find_label(j, f->http.host, m);
}

void judge_find_mark(const struct judge *j, const uint8_t *data, size_t len, const struct facts *f,
		     struct mark_found *m)
{
	m->canary = m->beacon = false;
	m->control = j->p->has_control_mac && memcmp(f->src_mac, j->p->control_mac, 6) == 0;
	m->id = NO_CANARY;
	m->row = NULL;
	if (!j->p->has_nonce)
		return;
	if (!find_marker(j, data, len, &m->id)) {
		find_names(j, f, m);
	} else if (m->id == POLICY_BEACON_ID) {
		m->beacon = true;
		m->control = false;
	} else if (m->id >= POLICY_CONTROL_BASE) {
		m->control = true;
	} else {
		m->canary = true;
		m->row = canary_by_id(j, m->id);
	}
}

static const struct policy_service *service_of(const struct judge *j, int index)
{
	return index < 0 ? NULL : &j->p->services[index];
}

const struct policy_service *judge_mac_owner(const struct policy *p, const uint8_t mac[6])
{
	for (size_t i = 0; i < p->n_services; i++)
		for (size_t k = 0; k < p->services[i].n_legs; k++)
			if (p->services[i].legs[k].has_mac &&
			    memcmp(p->services[i].legs[k].mac, mac, 6) == 0)
				return &p->services[i];
	return NULL;
}

/* The address outlives a gateway that forwards; the MAC does not, so it counts only after the address. */
const struct policy_service *judge_sender(const struct judge *j, const struct policy_tap *t,
					  const struct facts *f)
{
	const struct policy_service *s = j->src_service < 0 ? judge_mac_owner(j->p, f->src_mac)
							    : service_of(j, j->src_service);

	if (!s && t->role == TAP_VETH)
		s = policy_service_find(j->p, t->service);
	return s;
}

static void tie(struct attributed *who, enum attribution how, double confidence,
		const struct policy_service *s)
{
	who->how = how;
	who->confidence = confidence;
	who->service = s;
}

static bool by_destination(const struct judge *j, const struct net_layer *l, struct attributed *who)
{
	const struct policy *p = j->p;

	if (!(j->dst_is & ADDR_CANARY))
		return false;
	for (size_t i = 0; i < p->n_canaries; i++) {
		const struct policy_canary *c = &p->canaries[i];

		if (ipaddr_is_none(&c->dest) || !ipaddr_equal(&c->dest, &l->dst) ||
		    (c->proto && c->proto != l->proto) ||
		    (c->port && (!l->has_ports || c->port != l->dport)))
			continue;
		tie(who, ATTR_DESTINATION, 0.95, policy_service_find(p, c->service));
		who->canary = c;
		return true;
	}
	return false;
}

static bool by_conntrack(const struct judge *j, const struct rule_ctx *c, const struct net_layer *l,
			 struct attributed *who)
{
	for (size_t i = 0; i < j->n_conntrack; i++) {
		const struct judge_conntrack *r = &j->conntrack[i];
		const struct policy_service *s;

		if (r->proto != l->proto ||
		    (l->has_ports && (r->reply_dport != l->sport || r->reply_sport != l->dport)) ||
		    !ipaddr_equal(&r->reply_dst, &l->src) ||
		    !ipaddr_equal(&r->reply_src, &l->dst) ||
		    (r->from && c->facts->time < r->from) || (r->to && c->facts->time > r->to))
			continue;
		s = service_of(j, judge_addr(j, &r->src)->service);
		if (s) {
			tie(who, ATTR_CONNTRACK, 0.95, s);
			return true;
		}
	}
	return false;
}

/* The sooner it is seen outside, the surer it is the packet of the inside. */
static double sureness(int64_t gap)
{
	if (gap <= MATCH_CLOSE)
		return 0.98;
	return gap <= MATCH_SOON ? 0.9 : 0.75;
}

static bool by_bridge(struct judge *j, const struct rule_ctx *c, const struct net_layer *l,
		      struct attributed *who)
{
	int service[2] = { -1, -1 };
	int64_t gap = 0;
	int n = match_outside(j, l, c->facts->time, service, &gap);

	if (n == 0)
		return false;
	if (n == 1) {
		tie(who, ATTR_BRIDGE_MATCH, sureness(gap), service_of(j, service[0]));
		return true;
	}
	tie(who, ATTR_AMBIGUOUS, 0.5, service_of(j, service[0]));
	who->other = service_of(j, service[1]);
	return true;
}

/* The one protected service, when there is just one. */
static const struct policy_service *only_protected(const struct policy *p)
{
	const struct policy_service *only = NULL;

	for (size_t i = 0; i < p->n_services; i++) {
		if (p->services[i].role != SERVICE_PROTECTED)
			continue;
		if (only)
			return NULL;
		only = &p->services[i];
	}
	return only;
}

static bool by_mark(const struct judge *j, const struct mark_found *m, struct attributed *who)
{
	if (m->control) {
		tie(who, ATTR_NONCE, 1.0, NULL);
		return true;
	}
	if (!m->canary)
		return false;
	tie(who, ATTR_NONCE, 1.0, m->row ? policy_service_find(j->p, m->row->service) : NULL);
	who->canary = m->row;
	return true;
}

static bool by_source(const struct judge *j, const struct rule_ctx *c, struct attributed *who)
{
	const struct policy_service *s = judge_sender(j, c->tap, c->facts);

	if (s)
		tie(who, ATTR_SOURCE, 1.0, s);
	else if (j->src_is & (ADDR_INSIDE | ADDR_TUNNEL))
		tie(who, ATTR_SOURCE, 0.9, NULL); /* an address of the stack, whose is not known */
	else
		return false;
	return true;
}

/* Was the frame sent here for certain? Others on the line may wrap packets from the same private addresses as ours. */
static bool is_of_host(const struct judge *j, const struct policy_tap *t)
{
	return (j->src_is & ADDR_OURS) || t->has_mac || t->has_peer_mac;
}

static bool by_inner_source(const struct judge *j, const struct rule_ctx *c,
			    const struct net_layer *l, struct attributed *who)
{
	const struct known_addr *src = judge_addr(j, &l->src);

	if (!(src->is & (ADDR_INSIDE | ADDR_TUNNEL)) || !is_of_host(j, c->tap))
		return false;
	tie(who, ATTR_SOURCE, src->service < 0 ? 0.9 : 1.0, service_of(j, src->service));
	return true;
}

/* The host wraps what it forwards (6in4, GRE, IPIP, VXLAN): who sent the packet inside. */
static bool by_wrapped(struct judge *j, const struct rule_ctx *c, struct attributed *who)
{
	for (int i = 1; i < c->facts->n_layers; i++)
		if (by_bridge(j, c, &c->facts->layer[i], who) ||
		    by_inner_source(j, c, &c->facts->layer[i], who))
			return true;
	return false;
}

static void remember(const struct judge *j, const struct attributed *who, struct flow *flow)
{
	if (who->how == ATTR_AMBIGUOUS)
		return;
	flow->how = (uint8_t)who->how;
	flow->service = who->service ? (int32_t)(who->service - j->p->services) : -1;
}

void judge_attribute(struct judge *j, const struct rule_ctx *c, const struct mark_found *m,
		     struct flow *flow, struct attributed *who)
{
	const struct net_layer *l = facts_outer(c->facts);
	struct attributed bridge = { 0 }, wrapped = { 0 };
	bool matched = l && by_bridge(j, c, l, &bridge); /* always: it settles the attempt */
	bool inner = by_wrapped(j, c, &wrapped);	 /* as well */
	bool tied = by_mark(j, m, who) || by_source(j, c, who);

	if (!tied && matched) {
		*who = bridge;
		tied = true;
	}
	if (!tied && inner) {
		*who = wrapped;
		return; /* what is wrapped next may be another's */
	}
	if (!tied && l)
		tied = by_conntrack(j, c, l, who) || by_destination(j, l, who);
	if (!tied && flow && flow->how != ATTR_NONE) {
		/* later packets of a flow that was tied before: segments of one big frame */
		tie(who, (enum attribution)flow->how, 0.9, service_of(j, flow->service));
		tied = true;
	}
	if (!tied && j->p->closed_world)
		tie(who, ATTR_POLICY, 0.8, only_protected(j->p));
	if (flow && tied && !m->control)
		remember(j, who, flow);
}
