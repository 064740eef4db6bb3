// SPDX-License-Identifier: MIT
/* The judge's frame: one frame in, classified by the role of its tap, asked of every rule of that role. */
#include "rule/judge.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "rule/judge_internal.h"

#define WINDOW_EXIT NS_PER_S /* a packet may wait in the tunnel's queue */
#define WINDOW_UPLINK \
	(200 * NS_PER_MS) /* well over MATCH_FAR, so that bins of the tunnel are complete */

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = (*(const struct policy_canary *const *)a)->id;
	uint32_t y = (*(const struct policy_canary *const *)b)->id;

	return x < y ? -1 : x > y;
}

static int compare_labels(const void *a, const void *b)
{
	return strcasecmp(((const struct label_index *)a)->label,
			  ((const struct label_index *)b)->label);
}

static bool index_canaries(struct judge *j)
{
	const struct policy *p = j->p;
	char text[2 * POLICY_MARKER_LEN + 1];

	j->by_id = calloc(p->n_canaries + 1, sizeof(const struct policy_canary *));
	j->labels = calloc(p->n_canaries + 1, sizeof(*j->labels));
	if (!j->by_id || !j->labels)
		return false;
	for (size_t i = 0; i < p->n_canaries; i++) {
		j->by_id[i] = &p->canaries[i];
		if (p->canaries[i].label[0])
			j->labels[j->n_labels++] = (struct label_index){ p->canaries[i].label,
									 &p->canaries[i] };
	}
	qsort(j->by_id, p->n_canaries, sizeof(const struct policy_canary *), compare_ids);
	qsort(j->labels, j->n_labels, sizeof(*j->labels), compare_labels);
	policy_marker_text(p, 0, text);
	memcpy(j->nonce_text, text, sizeof(j->nonce_text) - 1);
	(void)snprintf(j->control_suffix, sizeof(j->control_suffix), "-%.16s", text);
	return true;
}

static bool make_decoders(struct judge *j)
{
	j->decoders = calloc(j->p->n_taps, sizeof(struct decoder *));
	for (size_t i = 0; j->decoders && i < j->p->n_taps; i++) {
		enum tap_role role = j->p->taps[i].role;

		j->decoders[i] = decoder_new();
		if (!j->decoders[i])
			return false;
		j->has_exit |= role == TAP_EXIT;
		j->has_uplink |= role == TAP_UPLINK || role == TAP_ISP;
		j->has_uplink_tap |= role == TAP_UPLINK;
		j->has_inside |= (TAP_BIT(role) & TAPS_INSIDE) != 0;
	}
	return j->decoders != NULL;
}

static bool leg_is_tapped(const struct policy *p, const struct policy_attachment *leg)
{
	for (size_t n = 0; n < p->n_networks; n++) {
		if (strcmp(p->networks[n].name, leg->network) != 0 || !p->networks[n].bridge[0])
			continue;
		for (size_t t = 0; t < p->n_taps; t++)
			if (strcmp(p->taps[t].interface, p->networks[n].bridge) == 0)
				return true;
	}
	return false;
}

/* A service is watched when every leg is. One on the host's own network has none and never is. */
static bool mark_watched(struct judge *j)
{
	const struct policy *p = j->p;

	j->watched = calloc(p->n_services + 1, sizeof(*j->watched));
	for (size_t i = 0; j->watched && i < p->n_services; i++) {
		size_t tapped = 0;

		for (size_t k = 0; k < p->services[i].n_legs; k++)
			tapped += leg_is_tapped(p, &p->services[i].legs[k]);
		j->watched[i] = tapped > 0 && tapped == p->services[i].n_legs;
	}
	for (size_t t = 0; j->watched && t < p->n_taps; t++) {
		const struct policy_service *s = policy_service_find(p, p->taps[t].service);

		if (s && p->taps[t].role == TAP_VETH && s->n_legs == 1)
			j->watched[s - p->services] = true;
	}
	return j->watched != NULL;
}

static bool make_stores(struct judge *j)
{
	const struct policy *p = j->p;

	j->counters = calloc(p->n_taps, sizeof(*j->counters));
	j->findings = calloc(j->findings_max, sizeof(*j->findings));
	j->rule_totals = calloc(n_rules * p->n_taps, sizeof(*j->rule_totals));
	j->controls = calloc(CONTROLS_MAX, sizeof(*j->controls));
	j->canaries = calloc(CANARY_SEEN_MAX, sizeof(*j->canaries));
	j->canary_heads = calloc(2 * CANARY_SEEN_MAX, sizeof(*j->canary_heads));
	j->uses = calloc(p->n_allows + BUILTIN_MAX, sizeof(*j->uses));
	j->conntrack = calloc(CONNTRACK_MAX, sizeof(*j->conntrack));
	j->marks = calloc(MARKS_MAX, sizeof(*j->marks));
	j->match = calloc(1, sizeof(*j->match));
	j->flows = calloc(1, sizeof(*j->flows));
	for (size_t s = 0; s <= N_SERIES; s++) {
		j->bins[s] = calloc(JUDGE_BINS_MAX, sizeof(*j->bins[s]));
		if (!j->bins[s])
			return false;
	}
	if (!j->counters || !j->findings || !j->rule_totals || !j->controls || !j->canaries ||
	    !j->canary_heads || !j->uses || !j->conntrack || !j->marks || !j->match || !j->flows)
		return false;
	for (size_t i = 0; i < p->n_allows; i++)
		j->uses[i] = (struct judge_allow_use){ .allow = &p->allows[i],
						       .name = p->allows[i].reason };
	j->n_uses = p->n_allows;
	return true;
}

struct judge *judge_new(const struct policy *p, const struct judge_opts *opts, struct err *err)
{
	struct judge *j;

	if (p->n_taps == 0) {
		(void)err_set(err, EXIT_USAGE,
			      "the policy names no tap, so there is nothing to judge");
		return NULL;
	}
	j = calloc(1, sizeof(*j));
	if (!j) {
		(void)err_set(err, EXIT_ENVIRONMENT, "out of memory");
		return NULL;
	}
	j->p = p;
	if (opts)
		j->opts = *opts;
	j->bin = j->opts.bin > 0 ? j->opts.bin : 100 * NS_PER_MS;
	j->bin_start = j->opts.start;
	j->findings_max = j->opts.findings_max ? j->opts.findings_max : 1000;
	j->disabled = j->opts.disable ? rule_find(j->opts.disable) : NULL;
	if (!make_decoders(j) || !make_stores(j) || !mark_watched(j) || !index_canaries(j)) {
		judge_free(j);
		(void)err_set(err, EXIT_ENVIRONMENT, "out of memory");
		return NULL;
	}
	if (p->n_real)
		j->identity = identity_new(
			p->real, p->n_real < IDENTITY_ADDRESSES ? p->n_real : IDENTITY_ADDRESSES);
	j->match->window = j->has_exit ? WINDOW_EXIT : WINDOW_UPLINK;
	return j;
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	for (size_t i = 0; j->decoders && i < j->p->n_taps; i++)
		decoder_free(j->decoders[i]);
	free(j->decoders);
	identity_free(j->identity);
	free(j->counters);
	free(j->watched);
	free(j->findings);
	free(j->rule_totals);
	free(j->controls);
	free(j->canaries);
	free(j->canary_heads);
	free(j->uses);
	free(j->by_id);
	free(j->labels);
	free(j->conntrack);
	free(j->marks);
	free(j->match);
	free(j->flows);
	for (size_t s = 0; s <= N_SERIES; s++)
		free(j->bins[s]);
	free(j);
}

int judge_add_mark(struct judge *j, int64_t begin, int64_t until)
{
	if (j->n_marks == MARKS_MAX)
		return -1;
	j->marks[j->n_marks].m = (struct judge_mark){ .begin = begin, .until = until };
	return (int)j->n_marks++;
}

void judge_add_conntrack(struct judge *j, const struct judge_conntrack *c)
{
	if (j->n_conntrack == CONNTRACK_MAX)
		memmove(j->conntrack, j->conntrack + 1, --j->n_conntrack * sizeof(*c));
	j->conntrack[j->n_conntrack++] = *c;
}

/* One frame on its way through the judge. */
struct passing {
	struct judge *j;
	struct judge_tap_counters *n;
	struct rule_ctx c;
	struct mark_found mark;
	size_t tap;
	uint64_t frame;
};

/* Ask every rule of the tap's role. True when one of weight fired and the packet was no control. */
static bool ask_rules(struct passing *p)
{
	const struct judge *j = p->j;
	bool leak = false;

	for (size_t i = 0; i < n_rules; i++) {
		const struct rule *r = rules[i];
		struct rule_hit hit = { "" };

		if (!(r->taps & TAP_BIT(p->c.tap->role)) || r == j->disabled ||
		    !r->match(&p->c, &hit))
			continue;
		if (p->mark.control) {
			store_control(p->j, r, p->tap, p->frame, p->c.facts->time);
			continue;
		}
		store_finding(p->j, r, &p->c, &hit, p->tap, p->frame);
		leak |= r->severity > SEVERITY_LOW;
	}
	return leak;
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
	if (!judge_tunnel_data(p->c.tuple, l))
		return;
	p->n->tunnel_data_out += out;
	p->n->tunnel_data_in += !out;
	if (p->c.tap->role == TAP_UPLINK || !j->has_uplink_tap)
		store_bin(j, out ? SERIES_TUNNEL_OUT : SERIES_TUNNEL_IN, f->time);
	store_tunnel(j, f->time);
}

/* The exact tuple: only what shows through it, or a session that moved, is of interest. */
static void pass_tunnel(struct passing *p, const struct net_layer *l, bool verified)
{
	p->c.canary_in_tunnel = p->mark.canary || p->mark.control;
	note_tunnel(p, l, verified);
	if (!p->c.canary_in_tunnel && !p->c.tunnel_port_moved)
		return;
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

/* Excuses count only for what the harness did not make. */
static void excuse(struct passing *p, struct flow *flow)
{
	if (p->mark.control)
		return;
	p->c.upkeep = judge_upkeep(p->j, &p->c, flow);
	if (!p->c.upkeep && flow)
		p->c.allow = judge_allow(p->j, &p->c, flow);
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
		p->n->unattributed++;
	}
}

static void pass_outside(struct passing *p)
{
	const struct facts *f = p->c.facts;
	const struct net_layer *l = facts_outer(f);
	struct flow *flow = NULL;
	bool is_new = false;
	bool verified;

	p->c.dir = judge_direction(p->j, p->c.tap, f, p->mark.control);
	p->c.tunnel = judge_tunnel(p->c.policy, f, p->c.dir, &p->c.tuple, &verified);
	if (p->c.tunnel == TUNNEL_PAYLOAD) {
		pass_tunnel(p, l, verified);
		return;
	}
	if (l) {
		flow = flow_touch(p->j->flows, l, f->time, p->c.dir, &is_new);
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
static bool goes_out(const struct judge *j, const struct net_layer *l)
{
	return !judge_is_inside(j->p, &l->dst) && !judge_is_real(j->p, &l->dst) &&
	       !ipaddr_is_multicast(&l->dst) && !ipaddr_is_link_local(&l->dst) &&
	       !ipaddr_is_loopback(&l->dst) && !ipaddr_is_none(&l->dst);
}

static void note_attempt(struct passing *p, const struct net_layer *l)
{
	const struct policy_service *s = p->c.who.service;
	bool protected_ = s ? s->role == SERVICE_PROTECTED : judge_is_inside(p->c.policy, &l->src);
	int index = s ? (int)(s - p->c.policy->services) : -1;

	if (!p->j->has_uplink || p->mark.control || p->c.tunnel == TUNNEL_PAYLOAD ||
	    !goes_out(p->j, l))
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
	p->c.tunnel = judge_tunnel(p->c.policy, f, p->c.dir, &p->c.tuple, &verified);
	p->c.who.service = judge_sender(p->c.policy, p->c.tap, f);
	if (p->c.who.service || (l && judge_is_inside(p->c.policy, &l->src))) {
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

	p->c.dir = judge_direction(p->j, p->c.tap, p->c.facts, p->mark.control);
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
	bool is_new;
	bool leak;

	p->c.dir = DIR_OUT;
	if (facts_outer(f))
		flow = flow_touch(p->j->flows, facts_outer(f), f->time, DIR_OUT, &is_new);
	judge_attribute(p->j, &p->c, &p->mark, NULL, &p->c.who);
	if (p->mark.canary)
		store_canary(p->j, p->mark.id, p->tap, f->time);
	if (!p->mark.control && flow)
		p->c.allow = judge_allow(p->j, &p->c, flow);
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

static void count_frame(struct judge_tap_counters *n, uint32_t caplen, uint32_t len, int64_t time)
{
	if (n->frames++ == 0)
		n->first = time;
	n->bytes += len;
	n->truncated += caplen < len;
	n->last = time;
}

void judge_frame(struct judge *j, size_t tap, uint64_t frame_number, int linktype,
		 const uint8_t *data, uint32_t caplen, uint32_t len, int64_t time)
{
	struct passing p = { .j = j, .n = &j->counters[tap], .tap = tap, .frame = frame_number };

	if (!j->any) {
		j->any = true;
		j->now = time;
		if (!j->bin_start)
			j->bin_start = time;
	}
	if (time > j->now)
		j->now = time;
	(void)decode_frame(j->decoders[tap], (uint32_t)linktype, data, caplen, len, time,
			   &j->facts);
	count_frame(p.n, caplen, j->facts.len, time);
	p.mark = judge_find_mark(j, data, caplen, &j->facts);
	if (p.mark.beacon) {
		p.n->beacons++;
		return;
	}
	p.n->controls += p.mark.control;
	p.n->ours += judge_is_ours(j->p, facts_outer(&j->facts));
	p.n->undecodable += j->facts.undecodable;
	p.c = (struct rule_ctx){
		.policy = j->p, .tap = &j->p->taps[tap], .facts = &j->facts, .identity = j->identity
	};
	pass(&p);
	match_expire(j, false);
}

void judge_finish(struct judge *j)
{
	match_expire(j, true);
	store_settle(j);
}

/* The source whose frame is the oldest; n when all have ended. */
static size_t oldest(const struct judge_frame *f, const bool *has, size_t n)
{
	size_t best = n;

	for (size_t i = 0; i < n; i++)
		if (has[i] && (best == n || f[i].time < f[best].time))
			best = i;
	return best;
}

/* A source that fails has ended; the others go on, and the first error is kept. */
static void pull(struct judge_source *s, struct judge_frame *f, bool *has, int *rc, struct err *err)
{
	struct err own = { 0 };
	int got = s->next(s->arg, f, &own);

	*has = got == 1;
	if (got >= 0 || *rc)
		return;
	*rc = -1;
	if (err)
		*err = own;
}

int judge_run(struct judge *j, struct judge_source *sources, size_t n, struct err *err)
{
	struct judge_frame *f = calloc(n + 1, sizeof(*f));
	bool *has = calloc(n + 1, sizeof(*has));
	int rc = f && has ? 0 : err_set(err, EXIT_ENVIRONMENT, "out of memory");

	for (size_t i = 0; f && has && i < n; i++)
		pull(&sources[i], &f[i], &has[i], &rc, err);
	for (size_t i = n; f && has && (i = oldest(f, has, n)) < n;) {
		judge_frame(j, sources[i].tap, f[i].number, f[i].linktype, f[i].data, f[i].caplen,
			    f[i].len, f[i].time);
		pull(&sources[i], &f[i], &has[i], &rc, err);
	}
	free(f);
	free(has);
	judge_finish(j);
	return rc;
}

const struct finding *judge_findings(const struct judge *j, size_t *n)
{
	*n = j->n_findings;
	return j->findings;
}

uint64_t judge_findings_total(const struct judge *j)
{
	return j->findings_total;
}

uint64_t judge_rule_total(const struct judge *j, const struct rule *r, size_t tap)
{
	for (size_t i = 0; i < n_rules; i++)
		if (rules[i] == r)
			return j->rule_totals[i * j->p->n_taps + tap];
	return 0;
}

const struct judge_control *judge_controls(const struct judge *j, size_t *n)
{
	*n = j->n_controls;
	return j->controls;
}

bool judge_control_caught(const struct judge *j, const char *rule, const char *tap)
{
	for (size_t i = 0; i < j->n_controls; i++)
		if (strcmp(j->controls[i].rule->id, rule) == 0 &&
		    strcmp(j->p->taps[j->controls[i].tap].name, tap) == 0)
			return true;
	return false;
}

const struct judge_canary *judge_canaries(const struct judge *j, size_t *n)
{
	*n = j->n_canaries;
	return j->canaries;
}

const struct judge_tap_counters *judge_counters(const struct judge *j, size_t tap)
{
	return &j->counters[tap];
}

const struct judge_allow_use *judge_allowances(const struct judge *j, size_t *n)
{
	*n = j->n_uses;
	return j->uses;
}

const struct judge_mark *judge_mark_get(const struct judge *j, int index)
{
	return index >= 0 && (size_t)index < j->n_marks ? &j->marks[index].m : NULL;
}

const uint32_t *judge_series(const struct judge *j, enum judge_series s, size_t *n, int64_t *start,
			     int64_t *bin)
{
	*n = j->n_bins;
	*start = j->bin_start;
	*bin = j->bin;
	return j->bins[s];
}

uint64_t judge_blocked(const struct judge *j)
{
	return j->blocked;
}

uint64_t judge_attempts(const struct judge *j)
{
	return j->attempts;
}
