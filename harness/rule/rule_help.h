/* SPDX-License-Identifier: MIT */
/* What several rules ask in the same words. */
#ifndef RULE_RULE_HELP_H
#define RULE_RULE_HELP_H

#include <stddef.h>

#include "packet/decode.h"
#include "rule/rule.h"

#define ENDPOINT_TEXT 56

/* The outer packet, for a rule that says NEED_IP and so is asked of nothing else. */
static inline const struct net_layer *rule_outer(const struct rule_ctx *c)
{
	return &c->facts->layer[0];
}

/* Left the host (or may have), is no tunnel payload, and neither policy nor link upkeep excuses it. */
static inline bool rule_outside(const struct rule_ctx *c)
{
	return c->dir != DIR_IN && c->tunnel != TUNNEL_PAYLOAD && c->tunnel != TUNNEL_QUOTED &&
	       !c->allow && !c->upkeep;
}

static inline bool rule_is_edge(const struct policy_service *s)
{
	return s && s->role == SERVICE_EDGE;
}

/* rule_outside, and tied to the stack but not to an edge service: the packet is a leak. Of two that fit equally, both
 * have to be edge services. */
static inline bool rule_exposed(const struct rule_ctx *c)
{
	const struct attributed *w = &c->who;
	bool edge = rule_is_edge(w->service) &&
		    (w->how != ATTR_AMBIGUOUS || rule_is_edge(w->other));

	return rule_outside(c) && w->how != ATTR_NONE && !edge;
}

/* "198.51.100.134:9", "[2001:db8::1]:53", or the address alone where there is no port. */
char *rule_endpoint(const struct ipaddr *a, uint16_t port, bool has_port, char *buf, size_t size);
char *rule_destination(const struct rule_ctx *c, char *buf, size_t size); /* of the outer packet */
char *rule_source(const struct rule_ctx *c, char *buf, size_t size);

/* "TCP", "UDP", "ICMP", ..., "IP protocol 132" of the outer packet; "non-IP" without one. */
const char *rule_transport(const struct rule_ctx *c, char *buf, size_t size);

/* hit->what = printf. Returns true, so that a match may end in it. */
bool rule_say(struct rule_hit *hit, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "sent NAME to DESTINATION outside the tunnel" */
bool rule_sent(const struct rule_ctx *c, const char *name, struct rule_hit *hit);

#endif
