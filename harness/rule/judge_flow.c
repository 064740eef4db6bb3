// SPDX-License-Identifier: MIT
/* A small table of outside flows, set-associative: the oldest of a set gives way. */
#include <netinet/in.h>
#include <string.h>

#include "rule/judge_internal.h"

static uint64_t mix(uint64_t h, uint64_t v)
{
	h ^= v;
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static uint64_t side(const struct ipaddr *a, uint16_t port)
{
	uint64_t w[2];

	memcpy(w, a->b, sizeof(w));
	return mix(mix(mix(1, w[0]), w[1]), port);
}

/* The same for both directions: the two sides are added. */
static uint64_t flow_key(const struct net_layer *l)
{
	uint64_t k = side(&l->src, l->has_ports ? l->sport : 0) +
		     side(&l->dst, l->has_ports ? l->dport : 0);

	k = mix(k, l->proto);
	return k ? k : 1;
}

struct flow *flow_touch(struct flow_table *t, const struct net_layer *l, int64_t time,
			enum packet_direction dir, bool *is_new)
{
	uint64_t key = flow_key(l);
	struct flow *set = t->set[key % FLOW_SETS];
	struct flow *f = &set[0];

	for (size_t i = 0; i < FLOW_WAYS; i++) {
		if (set[i].key == key) {
			f = &set[i];
			break;
		}
		if (set[i].last < f->last)
			f = &set[i];
	}
	*is_new = f->key != key;
	/* a SYN on a tuple that was used before opens another connection */
	if (l->proto == IPPROTO_TCP && (l->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		*is_new = true;
	if (*is_new)
		*f = (struct flow){
			.key = key,
			.service = -1,
			.inbound = dir == DIR_IN,
			.started = l->proto != IPPROTO_TCP || (l->tcp_flags & TCP_SYN),
		};
	f->last = time;
	return f;
}
