// SPDX-License-Identifier: MIT
/* Which rules a packet is asked of: a bit a rule, so that a packet costs a few words and not a call a rule. */
#include <stdlib.h>

#include "rule/judge_internal.h"
#include "rule/rule_help.h"

#define ROLES (TAP_EXIT + 1)

struct asker {
	uint64_t role[ROLES];		     /* asked on a tap of that role */
	uint64_t situation[RULE_SITUATIONS]; /* whose needs that situation meets */
	uint64_t proto[PROTO_COUNT];	     /* that ask for the protocol */
	uint64_t any;			     /* that ask for none */
};

static void add_rule(struct asker *a, const struct rule *r, uint64_t bit)
{
	for (unsigned role = 0; role < ROLES; role++)
		a->role[role] |= r->taps & TAP_BIT(role) ? bit : 0;
	for (unsigned s = 0; s < RULE_SITUATIONS; s++)
		a->situation[s] |= r->needs & ~s ? 0 : bit;
	for (unsigned p = 0; p < PROTO_COUNT; p++)
		a->proto[p] |= r->protos & PROTO_BIT(p) ? bit : 0;
	a->any |= r->protos ? 0 : bit;
}

struct asker *asker_new(const struct rule *disabled)
{
	struct asker *a = calloc(1, sizeof(*a));

	for (size_t i = 0; a && i < n_rules; i++)
		if (rules[i] != disabled)
			add_rule(a, rules[i], UINT64_C(1) << i);
	return a;
}

#define NOT_OF_BYSTANDERS \
	(NEED_EXPOSED | NEED_TIED | NEED_IN_TUNNEL | NEED_BESIDE_TUNNEL | NEED_UNREADABLE)

/* Bystanders' noise is tied to nobody, and not uTP where it leaves (judge_noise.c). */
static bool asks_bystanders(const struct rule *r)
{
	uint64_t noise = r->protos & NOISE_PROTOS;

	if (r->needs & (NEED_LEAVING | NEED_OUTSIDE))
		noise &= ~PROTO_BIT(PROTO_BT_UTP);
	return !(r->needs & NOT_OF_BYSTANDERS) && (r->protos == 0 || noise);
}

bool rule_passes_noise(const struct rule *r, bool outside)
{
	return r->passes_noise || (outside && !asks_bystanders(r));
}

bool asker_passes_noise(const struct asker *a, enum tap_role role)
{
	for (uint64_t ask = a->role[role]; ask; ask &= ask - 1)
		if (!rule_passes_noise(rules[__builtin_ctzll(ask)], TAP_BIT(role) & TAPS_OUTSIDE))
			return false;
	return true;
}

static unsigned situation(const struct rule_ctx *c)
{
	unsigned s = (c->facts->n_layers ? NEED_IP : 0U) | (c->dir != DIR_IN ? NEED_LEAVING : 0U) |
		     (c->who.service ? NEED_TIED : 0U) |
		     (c->facts->undecodable ? NEED_UNREADABLE : 0U);

	if (rule_outside(c))
		s |= NEED_OUTSIDE | (rule_exposed(c) ? NEED_EXPOSED : 0U);
	if (c->tunnel == TUNNEL_PAYLOAD)
		s |= NEED_IN_TUNNEL;
	else if (c->tunnel == TUNNEL_TUPLE_ONLY || c->tunnel == TUNNEL_OTHER_PORT)
		s |= NEED_BESIDE_TUNNEL;
	return s;
}

uint64_t asker_rules(const struct asker *a, const struct rule_ctx *c)
{
	uint64_t wanted = a->any;

	for (uint64_t p = c->facts->protos; p; p &= p - 1)
		wanted |= a->proto[__builtin_ctzll(p)];
	return wanted & a->role[c->tap->role] & a->situation[situation(c)];
}
