// SPDX-License-Identifier: MIT
/* What an address is under the policy: found out once, then remembered, because every packet asks twice. */
#include "rule/judge_internal.h"

static bool one_of(const struct ipaddr *list, size_t n, const struct ipaddr *a)
{
	for (size_t i = 0; i < n; i++)
		if (ipaddr_equal(&list[i], a))
			return true;
	return false;
}

static uint32_t kind_of(const struct ipaddr *a)
{
	uint32_t is = 0;

	is |= ipaddr_is_none(a) ? ADDR_NONE : 0;
	is |= ipaddr_is_loopback(a) ? ADDR_LOOPBACK : 0;
	is |= ipaddr_is_multicast(a) ? ADDR_MULTICAST : 0;
	is |= ipaddr_is_link_local(a) ? ADDR_LINK_LOCAL : 0;
	is |= ipaddr_is_private(a) ? ADDR_PRIVATE : 0;
	is |= ipaddr_is_public(a) ? ADDR_PUBLIC : 0;
	return is;
}

/* The legs of all services: the first one that has the address is its owner. */
static void add_legs(const struct policy *p, struct known_addr *k)
{
	for (size_t i = 0; i < p->n_services; i++)
		for (size_t n = 0; n < p->services[i].n_legs; n++) {
			const struct policy_attachment *leg = &p->services[i].legs[n];

			if (ipaddr_is_none(&leg->addr) || !ipaddr_equal(&leg->addr, &k->addr))
				continue;
			k->is |= ADDR_INSIDE;
			k->is |= p->services[i].role == SERVICE_GATEWAY ? ADDR_GATEWAY : 0;
			if (k->service < 0)
				k->service = (int32_t)i;
		}
}

void addr_find_out(const struct policy *p, const struct ipaddr *a, struct known_addr *k)
{
	*k = (struct known_addr){ .addr = *a, .is = ADDR_KNOWN | kind_of(a), .service = -1 };
	k->is |= one_of(p->real, p->n_real, a) ? ADDR_REAL : 0;
	k->is |= one_of(p->tunnel_addrs, p->n_tunnel_addrs, a) ? ADDR_TUNNEL : 0;
	for (size_t i = 0; i < p->n_networks; i++)
		k->is |= policy_prefix_has(&p->networks[i].prefix, a) ? ADDR_INSIDE : 0;
	add_legs(p, k);
	for (size_t i = 0; i < p->n_tunnels; i++)
		k->is |= ipaddr_equal(&p->tunnels[i].endpoint, a) ? ADDR_ENDPOINT : 0;
	for (size_t i = 0; i < p->n_canaries; i++)
		k->is |= ipaddr_equal(&p->canaries[i].dest, a) ? ADDR_CANARY : 0;
}
