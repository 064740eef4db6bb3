// SPDX-License-Identifier: MIT
/* The judge's frame: one frame in, classified by the role of its tap, asked of every rule of that role. */
#include "rule/judge.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/order.h"
#include "rule/judge_internal.h"

/* One frame on its way through the judge. */
struct passing {
	struct judge *j;
	struct judge_tap_counters *n;
	struct rule_ctx c;
	struct mark_found mark;
	size_t tap;
	uint64_t frame;
	int8_t told; /* enum capfile_direction */
	enum link_says link;
};

/* Ask the rules of the tap's role. True when one of weight fired and the packet was no control. */
static bool ask_rules(struct passing *p)
{
	bool leak = false;

	for (uint64_t ask = asker_rules(p->j->asker, &p->c); ask; ask &= ask - 1) {
		const struct rule *r = rules[__builtin_ctzll(ask)];
		struct rule_hit hit;

		if (!r->match(&p->c, &hit))
			continue;
		if (p->mark.control) {
			store_control(p->j, r, p->mark.id, p->tap, p->frame, p->c.facts->time);
			continue;
		}
		store_finding(p->j, r, &p->c, &hit, p->tap, p->frame);
		leak |= r->severity > SEVERITY_LOW;
	}
	return leak;
}

static void note_data(struct judge *j, size_t tap, bool out, int64_t time)
{
	struct judge_tap_counters *n = &j->counters[tap];

	n->tunnel_data_out += out;
	n->tunnel_data_in += !out;
	if (j->p->taps[tap].role == TAP_UPLINK || !j->has_uplink_tap)
		store_bin(j, out ? SERIES_TUNNEL_OUT : SERIES_TUNNEL_IN, time);
	store_tunnel(j, time);
}

static void note_tunnel(struct passing *p, const struct net_layer *l, bool verified)
{
	struct judge *j = p->j;
	bool out = p->c.dir != DIR_IN;
	const struct facts *f = p->c.facts;

	p->n->tunnel_packets++;
	p->n->tunnel_bytes += f->len;
	p->n->tunnel_unverified += !verified;
	if (facts_has(f, PROTO_WIREGUARD) && f->wg.type == 4 && out &&
	    p->c.tap->role == TAP_UPLINK) {
		p->c.tunnel_port_moved = j->wg_port && j->wg_receiver == f->wg.receiver &&
					 j->wg_port != l->sport;
		j->wg_port = l->sport;
		j->wg_receiver = f->wg.receiver;
	}
	if (judge_tunnel_data(p->c.tuple, l))
		note_data(j, p->tap, out, f->time);
}

/* What holds for the next packet like this one. */
static void keep_again(const struct passing *p, const struct net_layer *l)
{
	const struct again what = { .tuple = p->c.tuple,
				    .out = p->c.dir != DIR_IN,
				    .ours = ((p->j->src_is | p->j->dst_is) & ADDR_OURS) != 0,
				    .receiver = p->c.facts->wg.receiver,
				    .sport = l->sport };

	if (p->j->again && !p->mark.control)
		again_keep(&p->j->again[p->tap * AGAIN_SLOTS], &what, p->c.facts);
}

/* The tunnel's data like that before it, of a session that has not moved: true, and it is counted. */
static bool pass_again(struct judge *j, size_t tap, const struct capfile_frame *f)
{
	struct judge_tap_counters *n = &j->counters[tap];
	const struct again *a = j->again ? again_find(&j->again[tap * AGAIN_SLOTS],
						      (int)f->linktype, f->data, f->caplen, f->len)
					 : NULL;

	if (!a || (a->out && j->p->taps[tap].role == TAP_UPLINK &&
		   (j->wg_port != a->sport || j->wg_receiver != a->receiver)))
		return false;
	judge_count_frame(n, f);
	n->ours += a->ours;
	n->tunnel_packets++;
	n->tunnel_bytes += f->len;
	if (judge_wireguard_data(f->data + AGAIN_MESSAGE, f->len - AGAIN_MESSAGE))
		note_data(j, tap, a->out, f->time);
	match_expire(j, false);
	return true;
}

/* The exact tuple: only what shows through it, or a session that moved, is of interest. */
static void pass_tunnel(struct passing *p, const struct net_layer *l, bool verified)
{
	p->c.canary_in_tunnel = p->mark.canary || p->mark.control;
	note_tunnel(p, l, verified);
	if (!p->c.canary_in_tunnel && !p->c.tunnel_port_moved) {
		keep_again(p, l);
		return;
	}
	if (p->mark.canary)
		store_canary(p->j, p->mark.id, p->tap, p->c.facts->time);
	p->c.who =
		(struct attributed){ .how = ATTR_NONCE, .confidence = 1.0, .canary = p->mark.row };
	if (p->mark.row)
		p->c.who.service = policy_service_find(p->c.policy, p->mark.row->service);
	if (ask_rules(p)) {
		p->n->leaked++;
		store_leak(p->j, p->c.tap->role, p->c.facts->time);
	}
}

static void ask_allowances(struct passing *p, struct flow *flow)
{
	bool verified;

	p->c.allow = judge_allow(p->j, &p->c, flow, &verified);
	p->n->allowed_unverified += !verified;
}

/* Excuses count only for what the harness did not make. */
static void excuse(struct passing *p, struct flow *flow)
{
	if (p->mark.control)
		return;
	p->c.upkeep = judge_upkeep(p->j, &p->c, flow);
	if (!p->c.upkeep)
		ask_allowances(p, flow);
}

/* The machine's own, under an address that nobody named: it may be the protected one's other address. What goes to all on the
 * link tells the outside nothing. */
static void note_unlisted(struct passing *p)
{
	const struct net_layer *l = facts_outer(p->c.facts);

	if (!l || p->link != LINK_SAYS_HOST || p->j->src_is & ADDR_OURS ||
	    p->j->dst_is & ADDR_MULTICAST)
		return;
	if (p->n->unlisted++ == 0)
		p->n->unlisted_src = l->src;
}

static void count_outside(struct passing *p, bool leak)
{
	uint32_t bytes = p->c.facts->len;

	if (leak) {
		p->n->leaked++;
		store_leak(p->j, p->c.tap->role, p->c.facts->time);
	} else if (p->c.upkeep) {
		p->n->upkeep++;
		store_use(p->j, NULL, p->c.upkeep, bytes);
	} else if (p->c.allow) {
		p->n->allowed++;
		store_use(p->j, p->c.allow, NULL, bytes);
	} else if (p->c.dir == DIR_IN) {
		p->n->inbound++;
	} else if (p->c.who.how == ATTR_NONE) {
		judge_count_unattributed(p->n, p->c.facts->time);
		note_unlisted(p);
	}
}

/* Forged frames carry the Ethernet address of nobody. */
static enum link_says link_of(const struct passing *p)
{
	const struct facts *f = p->c.facts;
	const uint8_t *mac = f->linktype == LINK_ETHERNET && !p->mark.control ? f->src_mac : NULL;

	direction_learn(p->j, p->tap, mac, p->j->src_is, p->j->dst_is);
	return judge_link(p->j, p->tap, f, mac, p->told);
}

static void pass_outside(struct passing *p)
{
	const struct facts *f = p->c.facts;
	const struct net_layer *l = facts_outer(f);
	struct flow *flow = NULL;
	bool verified;

	p->link = link_of(p);
	p->c.dir = judge_direction(p->j, p->c.tap, f, p->link, p->mark.control);
	p->c.tunnel = judge_tunnel(p->j, f, p->c.dir, &p->c.tuple, &verified);
	if (p->c.tunnel == TUNNEL_PAYLOAD) {
		pass_tunnel(p, l, verified);
		return;
	}
	if (l) {
		flow = flow_touch(p->j->flows, &p->j->facts.layer[0], p->c.dir);
		p->c.flow_inbound = flow->inbound;
		p->c.flow_older = !flow->started;
	}
	if (p->c.dir != DIR_IN)
		judge_attribute(p->j, &p->c, &p->mark, flow, &p->c.who);
	if (p->mark.canary)
		store_canary(p->j, p->mark.id, p->tap, f->time);
	excuse(p, flow);
	count_outside(p, ask_rules(p));
}

/* A destination that only the outside can answer. */
#define NOT_OUT \
	(ADDR_INSIDE | ADDR_REAL | ADDR_MULTICAST | ADDR_LINK_LOCAL | ADDR_LOOPBACK | ADDR_NONE)

static void note_attempt(struct passing *p, const struct net_layer *l)
{
	const struct policy_service *s = p->c.who.service;
	bool protected_ = s ? s->role == SERVICE_PROTECTED : (p->j->src_is & ADDR_INSIDE) != 0;
	int index = s ? (int)(s - p->c.policy->services) : -1;

	protected_ &= l->frag != FRAG_LATER; /* part of the attempt that its first one is */
	if (!p->j->has_uplink || p->mark.control || p->c.tunnel == TUNNEL_PAYLOAD ||
	    (p->j->dst_is & NOT_OUT))
		return;
	if (match_note(p->j, l, p->c.facts->time, index, protected_) && protected_) {
		p->n->attempts++;
		store_attempt(p->j, p->c.facts->time);
	}
}

static void pass_inside(struct passing *p)
{
	const struct facts *f = p->c.facts;
	const struct net_layer *l = facts_outer(f);
	bool verified;

	p->c.dir = DIR_UNKNOWN;
	p->c.tunnel = judge_tunnel(p->j, f, p->c.dir, &p->c.tuple, &verified);
	p->c.who.service = judge_sender(p->j, p->c.tap, f);
	if (p->c.who.service || (p->j->src_is & ADDR_INSIDE)) {
		p->c.who.how = ATTR_SOURCE;
		p->c.who.confidence = p->c.who.service ? 1.0 : 0.9;
	}
	if (p->mark.control)
		p->c.who = (struct attributed){ .how = ATTR_NONCE, .confidence = 1.0 };
	if (p->mark.canary)
		store_canary(p->j, p->mark.id, p->tap, f->time);
	p->c.who.canary = p->mark.row;
	if (ask_rules(p))
		p->n->leaked++;
	if (l && p->c.who.how == ATTR_SOURCE)
		note_attempt(p, l);
}

static void pass_exit(struct passing *p)
{
	const struct net_layer *l = facts_outer(p->c.facts);

	if (l && p->j->seams)
		p->c.seam_len = seam_join(p->j->seams, &p->j->facts.layer[0], p->j->seam,
					  &p->c.seam_at);
	p->c.seam = p->j->seam;
	p->n->incomplete += facts_has_reason(p->c.facts, UND_ADDRS_CUT);
	p->c.dir = judge_direction(p->j, p->c.tap, p->c.facts, LINK_SAYS_NOTHING, false);
	p->c.who = (struct attributed){ .how = ATTR_POLICY, .confidence = 0.9 };
	if (p->mark.canary) {
		store_canary(p->j, p->mark.id, p->tap, p->c.facts->time);
		p->c.who.how = ATTR_NONCE;
		p->c.who.canary = p->mark.row;
		if (p->mark.row)
			p->c.who.service = policy_service_find(p->c.policy, p->mark.row->service);
	}
	if (ask_rules(p)) {
		p->n->leaked++;
		store_leak(p->j, TAP_EXIT, p->c.facts->time);
	}
	if (l && p->c.dir != DIR_IN)
		match_exit(p->j, l, p->c.facts->time);
}

static void pass_lo(struct passing *p)
{
	const struct facts *f = p->c.facts;
	struct flow *flow = NULL;
	bool leak;

	p->c.dir = DIR_OUT;
	if (facts_outer(f))
		flow = flow_touch(p->j->flows, &p->j->facts.layer[0], DIR_OUT);
	judge_attribute(p->j, &p->c, &p->mark, NULL, &p->c.who);
	if (p->mark.canary)
		store_canary(p->j, p->mark.id, p->tap, f->time);
	if (!p->mark.control)
		ask_allowances(p, flow);
	leak = ask_rules(p);
	if (leak) {
		p->n->leaked++;
		store_leak(p->j, TAP_LO, f->time);
	} else if (p->c.allow) {
		p->n->allowed++;
		store_use(p->j, p->c.allow, NULL, f->len);
	}
}

static void pass(struct passing *p)
{
	switch (p->c.tap->role) {
	case TAP_UPLINK:
	case TAP_ISP:
		pass_outside(p);
		return;
	case TAP_BRIDGE:
	case TAP_VETH:
		pass_inside(p);
		return;
	case TAP_EXIT:
		pass_exit(p);
		return;
	case TAP_LO:
		pass_lo(p);
		return;
	}
}

static void know_ends(struct judge *j, const struct net_layer *l)
{
	const struct known_addr *src = l ? judge_addr(j, &l->src) : NULL;

	j->src_is = src ? src->is : 0;
	j->src_service = src ? src->service : -1;
	j->dst_is = l ? judge_addr(j, &l->dst)->is : 0;
}

static void note_time(struct judge *j, int64_t time)
{
	if (!j->any) {
		j->any = true;
		j->now = time;
		if (!j->bin_start)
			j->bin_start = time;
	}
	j->now = max_i64(j->now, time);
}

/* Out of line, so that the short ways, which most frames go, keep their registers. */
__attribute__((noinline)) static void pass_decoded(struct judge *j, size_t tap,
						   const struct capfile_frame *f)
{
	struct passing p; /* filled member by member: every frame pays for it */

	p.j = j;
	p.n = &j->counters[tap];
	p.tap = tap;
	p.frame = f->number;
	p.told = f->direction;
	p.link = LINK_SAYS_NOTHING;
	(void)decode_frame(j->decoders[tap], f->linktype, f->data, f->caplen, f->len, f->time,
			   &j->facts);
	judge_count_frame(p.n, f);
	know_ends(j, facts_outer(&j->facts));
	judge_find_mark(j, f->data, f->caplen, &j->facts, &p.mark);
	if (p.mark.beacon) {
		p.n->beacons++;
		return;
	}
	p.n->controls += p.mark.control;
	p.n->ours += ((j->src_is | j->dst_is) & ADDR_OURS) != 0;
	p.n->undecodable += j->facts.undecodable;
	p.c = (struct rule_ctx){
		.policy = j->p, .tap = &j->p->taps[tap], .facts = &j->facts, .identity = j->identity
	};
	pass(&p);
	match_expire(j, false);
}

static bool pass_short(struct judge *j, size_t tap, const struct capfile_frame *f)
{
	enum noise_way way = j->noise[tap];

	if (way == NOISE_OF_EXIT)
		return noise_pass_exit(j, tap, f);
	return pass_again(j, tap, f) ||
	       (way == NOISE_OF_BYSTANDERS && noise_pass_bystanders(j, tap, f));
}

static void take(struct judge *j, size_t tap, const struct capfile_frame *f)
{
	note_time(j, f->time);
	if (!pass_short(j, tap, f))
		pass_decoded(j, tap, f);
}

void judge_frame(struct judge *j, size_t tap, uint64_t frame_number, int linktype,
		 const uint8_t *data, uint32_t caplen, uint32_t len, int64_t time)
{
	const struct capfile_frame f = { .data = data,
					 .caplen = caplen,
					 .len = len,
					 .linktype = (uint32_t)linktype,
					 .time = time,
					 .number = frame_number };

	take(j, tap, &f);
}

void judge_finish(struct judge *j)
{
	match_expire(j, true);
	store_settle(j);
}

/* A source and its frames at hand. */
struct pulled {
	struct judge_source *source;
	const struct capfile_frame *frame; /* the next one */
	int left;			   /* from it on; 0: the source has ended */
};

/* When a frame is due. One of the inside goes before all that may be a copy of it, whose stamp may be MATCH_BACK earlier. */
static int64_t due(const struct judge *j, const struct pulled *p)
{
	bool inside = TAP_BIT(j->p->taps[p->source->tap].role) & TAPS_INSIDE;

	return p->frame->time - (inside ? MATCH_BACK + 1 : 0);
}

/* The one whose frame is due next, and of several the first; NULL when all have ended. */
static struct pulled *next_due(const struct judge *j, struct pulled *all, size_t n)
{
	struct pulled *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (all[i].left && (!best || due(j, &all[i]) < due(j, best)))
			best = &all[i];
	return best;
}

/* A source that fails has ended; the others go on, and the first error is kept. */
static void pull(struct pulled *p, int *rc, struct err *err)
{
	struct err own = { 0 };
	int got = p->source->next(p->source->arg, &p->frame, &own);

	p->left = (int)max_i64(got, 0);
	if (got >= 0 || *rc)
		return;
	*rc = -1;
	if (err)
		*err = own;
}

int judge_run(struct judge *j, struct judge_source *sources, size_t n, struct err *err)
{
	struct pulled *all = calloc(n + 1, sizeof(*all));
	struct pulled *p;
	int rc = 0;

	if (!all)
		return err_set(err, EXIT_ENVIRONMENT, "out of memory");
	for (size_t i = 0; i < n; i++) {
		all[i].source = &sources[i];
		pull(&all[i], &rc, err);
	}
	while ((p = next_due(j, all, n)))
		do {
			take(j, p->source->tap, p->frame++);
			if (--p->left == 0)
				pull(p, &rc, err);
		} while (n == 1 && p->left);
	free(all);
	judge_finish(j);
	return rc;
}
