// SPDX-License-Identifier: MIT
/* A small table of outside flows, set-associative; a set is in the order of last use, and its last one gives way. */
#include <netinet/in.h>
#include <string.h>

#include "rule/judge_internal.h"

struct flow *flow_touch(struct flow_table *t, struct net_layer *l, enum packet_direction dir)
{
	uint64_t key = net_layer_pair(l);
	struct flow *set = t->set[key % FLOW_SETS];
	struct flow f;
	size_t way = 0;

	while (way < FLOW_WAYS - 1 && set[way].key != key)
		way++;
	f = set[way];
	/* a SYN on a tuple that was used before opens another connection */
	if (f.key != key || (l->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		f = (struct flow){
			.key = key,
			.service = -1,
			.inbound = dir == DIR_IN,
			.started = l->proto != IPPROTO_TCP || (l->tcp_flags & TCP_SYN),
		};
	memmove(set + 1, set, way * sizeof(*set));
	set[0] = f;
	return set;
}
