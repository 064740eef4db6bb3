// SPDX-License-Identifier: MIT
/* The same packet at two taps: seen on bridge or veth, then outside or at the tunnel's exit. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/order.h"
#include "rule/judge_internal.h"

/* Bytes; no more than what the first fragment of a packet holds: Linux believes no router that speaks of less than 552 bytes
 * (ip-sysctl, min_pmtu). */
#define PAYLOAD_HASHED 256
#define PAYLOAD_OWN    8 /* bytes: fewer may be the same in packets of different senders */

static uint64_t mix(uint64_t h, uint64_t v)
{
	h ^= v;
	h *= UINT64_C(0xff51afd7ed558ccd);
	return h ^ h >> 32;
}

static uint64_t mix_bytes(uint64_t h, const uint8_t *b, size_t n)
{
	uint64_t w;

	for (; n >= sizeof(w); b += sizeof(w), n -= sizeof(w)) {
		memcpy(&w, b, sizeof(w));
		h = mix(h, w);
	}
	w = 0;
	memcpy(&w, b, n);
	return mix(h, w ^ (uint64_t)n << 56);
}

static uint64_t tcp_key(uint64_t h, uint32_t seq, uint32_t ack, uint8_t flags)
{
	return mix(mix(h, (uint64_t)seq << 32 | ack), flags & (TCP_SYN | TCP_RST));
}

static uint64_t base_key(const struct net_layer *l)
{
	return mix(mix_bytes(mix(1, l->proto), l->dst.b, sizeof(l->dst.b)),
		   l->has_ports ? l->dport : 0);
}

/* TCP that is known by its sequence numbers. */
static bool is_segment(const struct net_layer *l)
{
	return l->proto == IPPROTO_TCP && l->has_ports && !l->ports_from_first;
}

/* What neither masquerading nor segmentation changes. Source address and port are translated, the TTL counts
 * down, an ICMP id may be translated; TCP is known by its sequence numbers because a frame of 64 KiB on a veth
 * leaves as many segments, of which the first keeps them. The length is no part of it: a packet too long for the uplink leaves
 * as fragments, and what came in fragments may leave in one piece. */
uint64_t match_key(const struct net_layer *l)
{
	uint64_t h = base_key(l);

	if (is_segment(l))
		return tcp_key(h, l->seq, l->ack, l->tcp_flags);
	h = mix(h, l->frag_offset);
	if (l->proto == IPPROTO_ICMP || l->proto == IPPROTO_ICMPV6)
		h = mix(h,
			(uint64_t)l->icmp_type << 32 | (uint64_t)l->icmp_code << 16 | l->icmp_seq);
	if (!l->payload)
		return h;
	return mix_bytes(h, l->payload, min_u64(l->payload_len, PAYLOAD_HASHED));
}

static struct attempt *at(struct matcher *m, uint64_t n)
{
	return &m->ring[n % MATCH_RING];
}

static uint64_t *head_of(struct matcher *m, uint64_t key)
{
	return &m->heads[key % MATCH_RING];
}

/* Walk a chain from new to old; what has left the ring ends it. Same packets in a flood make long chains:
 * only the newest CHAIN_MAX count. */
#define CHAIN_MAX 64
#define FOR_CHAIN(m, a, key_)                                                                \
	for (uint64_t n_ = *head_of(m, key_), left_ = CHAIN_MAX;                             \
	     n_ > (m)->first && left_ > 0 && ((a) = at(m, n_ - 1)); n_ = (a)->next, left_--) \
		if ((a)->key == (key_))

static void settle(struct judge *j, struct attempt *a)
{
	bool tunnelled = a->exit;

	/* Without a tap at the exit the tunnel's own packets must tell: one of them left right then. */
	if (!j->has_exit)
		tunnelled = store_bin_value(j, SERIES_TUNNEL_OUT, a->time) ||
			    store_bin_value(j, SERIES_TUNNEL_OUT, a->time + j->bin);
	if (a->protected_ && !a->outside && !tunnelled)
		store_blocked(j, a->time);
	a->key = 0; /* it fits nothing any more */
}

void match_expire(struct judge *j, bool all)
{
	struct matcher *m = j->match;

	while (m->first < m->end && (all || at(m, m->first)->time + MATCH_WINDOW < j->now))
		settle(j, at(m, m->first++));
}

/* May it be of that length? A first fragment holds less than the whole, and how much is left open. */
static bool is_as_long(const struct attempt *a, const struct net_layer *l)
{
	bool first = l->frag == FRAG_FIRST;

	if (is_segment(l) || (a->first_fragment && first))
		return true;
	if (a->first_fragment)
		return a->payload < l->payload_wire;
	return first ? l->payload_wire < a->payload : l->payload_wire == a->payload;
}

/* The copy that another tap of the inside shows: the bridge behind the veth, or the next network behind a
 * gateway that forwarded it, translated or not. */
static bool is_copy(const struct attempt *a, const struct net_layer *l, int64_t time, int service)
{
	int64_t gap = llabs(time - a->time);

	if (a->ip_id != l->id || !is_as_long(a, l))
		return false;
	if (a->ttl != l->ttl)
		return gap < MATCH_COPY;
	return gap < MATCH_CLOSE && (a->service == service || a->service < 0 || service < 0);
}

/* Note a packet that a service sent towards the outside. False when it is a copy of one that is noted. */
bool match_note(struct judge *j, const struct net_layer *l, int64_t time, int service,
		bool protected_)
{
	struct matcher *m = j->match;
	uint64_t key = match_key(l) | 1;
	struct attempt *a;

	FOR_CHAIN(m, a, key)
	{
		if (!is_copy(a, l, time, service))
			continue;
		a->protected_ |= protected_;
		if (a->service < 0)
			a->service = service;
		return false;
	}
	if (m->end - m->first == MATCH_RING)
		settle(j, at(m, m->first++));
	a = at(m, m->end);
	*a = (struct attempt){ .key = key,
			       .time = time,
			       .next = *head_of(m, key),
			       .ip_id = l->id,
			       .seq = l->seq,
			       .payload = l->payload_wire,
			       .service = service,
			       .ttl = l->ttl,
			       .first_fragment = l->frag == FRAG_FIRST,
			       .protected_ = protected_ };
	*head_of(m, key) = ++m->end;
	return true;
}

static bool is_late(const struct attempt *a, int64_t time)
{
	return time - a->time > MATCH_SOON;
}

/* More than protocol, destination and shape in common: what another sender's packet within seconds does not have. */
static bool is_distinct(const struct attempt *a, const struct net_layer *l)
{
	return (a->ip_id && a->ip_id == l->id) || is_segment(l) || l->payload_len >= PAYLOAD_OWN;
}

static bool is_in_time(const struct attempt *a, int64_t time, int64_t far)
{
	return time - a->time <= far && a->time - time <= MATCH_BACK;
}

static bool fits(const struct attempt *a, uint64_t key, const struct net_layer *l, int64_t time)
{
	if (a->key != key || !is_in_time(a, time, MATCH_FAR))
		return false;
	if (!is_as_long(a, l) || (is_late(a, time) && !is_distinct(a, l)))
		return false;
	if (a->ip_id && l->id && a->ip_id != l->id)
		return false;
	/* at most a gateway and the host lie between */
	return a->ttl >= l->ttl && a->ttl - l->ttl <= 4;
}

/* Of one packet that several of the inside were merged into, what is left behind those that were found. */
struct rest {
	uint32_t seq, left;
};

/* The key of the segment behind that attempt; 0: the packet ends with it. */
static uint64_t key_behind(const struct net_layer *l, const struct attempt *a, struct rest *r)
{
	if (l->proto != IPPROTO_TCP || a->payload == 0 || a->payload >= r->left)
		return 0;
	r->left -= a->payload;
	r->seq += a->payload;
	return tcp_key(base_key(l), r->seq, l->ack, l->tcp_flags) | 1;
}

static struct attempt *newest(struct matcher *m, uint64_t key, int64_t time)
{
	struct attempt *a;

	FOR_CHAIN(m, a, key)
	{
		if (is_in_time(a, time, MATCH_FAR))
			return a;
	}
	return NULL;
}

/* The first one left, and so did those that were merged behind it. */
static void mark_outside(struct matcher *m, struct attempt *first, const struct net_layer *l,
			 int64_t time)
{
	struct rest r = { l->seq, l->payload_wire };
	uint64_t key;

	for (struct attempt *a = first; a; a = key ? newest(m, key, time) : NULL) {
		a->outside = true;
		key = key_behind(l, a, &r);
	}
}

bool match_waits(const struct judge *j)
{
	return j->match->first != j->match->end;
}

int match_outside(struct judge *j, const struct net_layer *l, int64_t time, int services[2],
		  int64_t *gap)
{
	struct matcher *m = j->match;
	struct attempt *best = NULL;
	struct attempt *a;
	uint64_t key;
	int n = 0;

	if (!match_waits(j))
		return 0; /* spare the hash */
	key = match_key(l) | 1;
	FOR_CHAIN(m, a, key)
	{
		if (!fits(a, key, l, time))
			continue;
		if (best && is_late(a, time) && !is_late(best, time))
			break; /* only what no other explains came out of a queue */
		if (n == 0 || (n == 1 && a->service != services[0]))
			services[n++] = a->service;
		if (!best || (best->outside && !a->outside))
			best = a;
	}
	if (best) {
		mark_outside(m, best, l, time);
		*gap = llabs(time - best->time);
	}
	return n;
}

/* One packet at the exit may be several of the inside that were merged: follow the sequence numbers. */
void match_exit(struct judge *j, const struct net_layer *l, int64_t time)
{
	struct rest r = { l->seq, l->payload_wire };
	struct matcher *m = j->match;
	uint64_t key;

	if (!match_waits(j))
		return; /* as above */
	for (key = match_key(l) | 1; key;) {
		struct attempt *hit = NULL;
		struct attempt *a;

		FOR_CHAIN(m, a, key)
		{
			if (is_in_time(a, time, MATCH_EXIT) && is_as_long(a, l) &&
			    (!hit || !a->exit))
				hit = a;
		}
		if (!hit)
			return;
		hit->exit = true;
		key = key_behind(l, hit, &r);
	}
}
