// SPDX-License-Identifier: MIT
/* A small table of outside flows, set-associative: the oldest of a set gives way. */
#include <netinet/in.h>
#include <string.h>

#include "rule/judge_internal.h"

struct flow *flow_touch(struct flow_table *t, struct net_layer *l, int64_t time,
			enum packet_direction dir, bool *is_new)
{
	uint64_t key = net_layer_pair(l);
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
