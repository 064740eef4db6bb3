// SPDX-License-Identifier: MIT
/* Noise, in which nobody is named, passes undecoded: at the tunnel's exit all that holds no address as text, on the outside
 * what bystanders exchange. */
#include <netinet/in.h>

#include "rule/judge_internal.h"

enum noise_way noise_way(const struct judge *j, const struct policy_tap *t)
{
	bool outside = (TAP_BIT(t->role) & TAPS_OUTSIDE) != 0;

	/* marks are searched for in every payload */
	if (j->opts.decode_all || j->p->has_nonce || j->p->has_control_mac ||
	    !asker_passes_noise(j->asker, t->role))
		return NOISE_DECODED;
	if (t->role == TAP_EXIT)
		return NOISE_OF_EXIT;
	/* in a closed world whatever leaves is the stack's */
	return outside && !j->p->closed_world ? NOISE_OF_BYSTANDERS : NOISE_DECODED;
}

/* A packet of the inside that waits to be seen may be any. */
static bool is_noise(const struct judge *j, size_t tap, const struct capfile_frame *f,
		     struct net_layer *l)
{
	return !match_waits(j) &&
	       frame_is_noise(j->decoders[tap], f->linktype, f->data, f->caplen, l);
}

/* Could an address stand in that payload as text, or one that the segment before began end in it? */
static bool holds_text(const struct judge *j, struct net_layer *l)
{
	struct identity_hit hit;

	return j->identity && l->payload_len &&
	       ((l->proto == IPPROTO_TCP && seam_is_there(j->seams, l)) ||
		identity_search_text(j->identity, l->payload, l->payload_len, &hit, 1) != 0);
}

bool noise_pass_exit(struct judge *j, size_t tap, const struct capfile_frame *f)
{
	struct judge_tap_counters *n = &j->counters[tap];
	struct net_layer l;
	uint32_t src;
	size_t at;

	if (!is_noise(j, tap, f, &l))
		return false;
	src = judge_addr(j, &l.src)->is;
	if (src & ADDR_REAL || holds_text(j, &l))
		return false;
	judge_count_frame(n, f);
	n->ours += src & ADDR_OURS || judge_addr_is(j, &l.dst, ADDR_OURS);
	if (j->seams && l.proto == IPPROTO_TCP && l.payload_len &&
	    seam_may_hold(l.payload[l.payload_len - 1]))
		(void)seam_join(j->seams, &l, j->seam, &at);
	return true;
}

/* An end that ties a packet to the stack, or makes another thing of it. */
#define NOT_A_BYSTANDER (ADDR_TUNNEL | ADDR_INSIDE | ADDR_GATEWAY | ADDR_ENDPOINT | ADDR_CANARY)

/* Data of uTP whose connection is known (BEP 29: version 1) is noise as well, but tells that it is BitTorrent: nothing that may
 * leave. */
static bool may_be_utp(const struct net_layer *l)
{
	return l->proto == IPPROTO_UDP && l->payload_len && (l->payload[0] & 15) == 1;
}

/* Could the policy know a packet of bystanders by anything but its addresses? Else their flows need not be kept. */
bool noise_may_be_tied(const struct judge *j)
{
	const struct policy *p = j->p;
	bool may = p->n_allows || p->n_published;

	for (size_t i = 0; i < p->n_taps; i++)
		may |= p->taps[i].has_mac || p->taps[i].has_peer_mac ||
		       (TAP_BIT(p->taps[i].role) & TAPS_INSIDE);
	for (size_t i = 0; i < p->n_services; i++)
		for (size_t k = 0; k < p->services[i].n_legs; k++)
			may |= p->services[i].legs[k].has_mac;
	return may;
}

/* Is it excused, or tied to a service: by its Ethernet address, or as part of a flow that was? Touches its flow, as whoever
 * decodes the packet then does again to the same effect. */
static bool is_known(struct judge *j, const uint8_t *mac, struct net_layer *l,
		     enum packet_direction dir)
{
	l->tcp_flags = 0; /* a connection's first segment is no noise */
	return judge_may_excuse(j, l, dir) || (mac && judge_mac_owner(j->p, mac)) ||
	       flow_touch(j->flows, l, dir)->how != ATTR_NONE;
}

bool noise_pass_bystanders(struct judge *j, size_t tap, const struct capfile_frame *f)
{
	const uint8_t *mac = f->linktype == LINK_ETHERNET ? f->data + 6 : NULL;
	struct judge_tap_counters *n = &j->counters[tap];
	enum packet_direction dir;
	enum link_says link;
	struct net_layer l;
	uint32_t src, dst;

	if (j->n_conntrack || f->direction || !is_noise(j, tap, f, &l))
		return false;
	src = judge_addr(j, &l.src)->is;
	dst = judge_addr(j, &l.dst)->is;
	if ((src | dst) & NOT_A_BYSTANDER)
		return false;
	direction_learn(j, tap, mac, src, dst);
	dir = judge_direction_by(j, tap, mac, src, dst, &link);
	if (link == LINK_SAYS_HOST && !(src & ADDR_REAL))
		return false;
	/* of the host's own flows it counts who began */
	if ((dir != DIR_IN && may_be_utp(&l)) ||
	    ((j->ties || (src | dst) & ADDR_REAL) && is_known(j, mac, &l, dir)))
		return false;
	judge_count_frame(n, f);
	n->ours += ((src | dst) & ADDR_OURS) != 0;
	n->inbound += dir == DIR_IN;
	if (dir != DIR_IN)
		judge_count_unattributed(n, f->time);
	return true;
}
