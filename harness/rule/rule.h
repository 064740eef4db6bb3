/* SPDX-License-Identifier: MIT */
/* A rule: one file and one row. Facts, policy and context in; at most one hit a packet out. */
#ifndef RULE_RULE_H
#define RULE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "rule/policy.h"

struct facts;
struct identity;

enum severity { SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL };
const char *severity_name(enum severity s); /* "low" ... "critical" */

/* How a packet was tied to a service, best first. ATTR_NONE: not tied, so no leak can be claimed. */
enum attribution {
	ATTR_NONE,
	ATTR_NONCE,	   /* marker of a canary in the payload, or its DNS label */
	ATTR_SOURCE,	   /* the packet still carries the service's own address or MAC */
	ATTR_BRIDGE_MATCH, /* the same packet was seen on the bridge or veth just before */
	ATTR_CONNTRACK,	   /* a conntrack record of the service names the translated tuple */
	ATTR_DESTINATION,  /* only one canary goes to that destination */
	ATTR_POLICY,	   /* closed world: the host makes no traffic and policy does not name it */
	ATTR_AMBIGUOUS,	   /* two services fit equally */
	N_ATTRIBUTIONS
};
const char *attribution_name(
	enum attribution a); /* "nonce", "source-address", "bridge-match", ... */

struct attributed {
	enum attribution how;
	double confidence;		      /* 0..1 */
	const struct policy_service *service; /* NULL: the stack, no single service */
	const struct policy_service *other;   /* second candidate when ambiguous */
	const struct policy_canary *canary;   /* NULL: not a canary */
};

enum packet_direction { DIR_UNKNOWN, DIR_OUT, DIR_IN };

/* What the packet is to the tunnel. */
enum tunnel_relation {
	TUNNEL_NOT,	   /* another tuple */
	TUNNEL_PAYLOAD,	   /* the exact tuple and a payload of the tunnel's protocol */
	TUNNEL_TUPLE_ONLY, /* the exact tuple, and a payload that is not the protocol's */
	TUNNEL_OTHER_PORT, /* the endpoint's address on another port or protocol */
	TUNNEL_QUOTED,	   /* an ICMP error that quotes a packet of the exact tuple */
};

/* All that a rule may look at. The judge fills it once a packet. */
struct rule_ctx {
	const struct policy *policy;
	const struct policy_tap *tap;
	const struct facts *facts;
	const struct identity *identity; /* searcher for the real addresses, NULL without any */
	const uint8_t
		*seam; /* exit: the last bytes of the TCP segment before and the first of this */
	size_t seam_at, seam_len; /* where this one begins in it; 0: there is no seam */
	enum packet_direction dir;
	enum tunnel_relation tunnel;
	const struct policy_tunnel *tuple; /* the one that `tunnel` is about, or NULL */
	const struct policy_allow *allow;  /* the allowance that covers the packet, or NULL */
	const char *upkeep; /* name of the link upkeep that it is (ARP, ND, ...), or NULL */
	struct attributed who;
	bool canary_in_tunnel;	/* plaintext canary inside the tunnel's tuple */
	bool tunnel_port_moved; /* data of a living session from another outer port */
	bool flow_inbound;	/* the other side opened this flow */
	bool flow_older;	/* TCP in the middle: its start was not seen on this tap */
};

struct rule_hit {
	char what
		[200]; /* goes behind "SERVICE ": "sent a DNS query for x to y outside the tunnel" */
};

/* What has to hold before a rule is asked; the judge looks once a packet, so that match() need not. */
enum rule_need {
	NEED_IP = 1 << 0,	     /* a readable IP header */
	NEED_LEAVING = 1 << 1,	     /* it did not come in */
	NEED_OUTSIDE = 1 << 2,	     /* rule_outside() */
	NEED_EXPOSED = 1 << 3,	     /* rule_exposed() */
	NEED_TIED = 1 << 4,	     /* tied to a service by name */
	NEED_IN_TUNNEL = 1 << 5,     /* it is payload of the tunnel */
	NEED_BESIDE_TUNNEL = 1 << 6, /* to or from the VPN server, and no payload of the tunnel */
	NEED_UNREADABLE = 1 << 7,    /* undecodable */
	RULE_SITUATIONS = 1 << 8,
};

struct rule {
	const char *id;
	enum severity severity;
	const char *sentence;	/* for people: what it means when this rule fires */
	const char *advice;	/* what to do about it */
	const uint8_t *classes; /* numbers of docs/leaks.md, ends with 0 */
	unsigned taps;		/* TAP_BIT()s on which it is asked; 0: judged from the journal */
	unsigned needs;		/* enum rule_need: all of them */
	uint64_t protos;	/* PROTO_BIT()s, one of which was recognised; 0: any packet */
	/* On no tap does it fire on noise (frame_is_noise()) without a real address in text or as its source; outside, where no address of the
	 * policy is an end of it. */
	bool passes_noise;
	bool (*match)(const struct rule_ctx *c, struct rule_hit *hit);
};

/* All rows in the order of rule_table.h. */
extern const struct rule *const rules[];
extern const size_t n_rules;
const struct rule *rule_find(const char *id); /* NULL when there is none */

/* The classes of leaks.md. */
enum class_wire {
	CLASS_WIRE,	/* shows on packets as such: a rule names it */
	CLASS_SCENARIO, /* a situation: what leaks in it is seen by the rules for cleartext and DNS */
	CLASS_PROC,	/* never on a wire: /proc or the engine tells */
	CLASS_NONE,	/* fails closed: nothing to see, recovery is measured */
};

struct leak_class {
	uint8_t number; /* 1..80 */
	const char *name;
	enum class_wire wire;
	const char *note; /* signature on the wire, or why a wire cannot show it */
};
extern const struct leak_class leak_classes[];
extern const size_t n_leak_classes;

/* Rules that name the class; writes up to max pointers, returns how many there are. */
size_t rule_coverage(uint8_t class_number, const struct rule **out, size_t max);

/* The catalogue for people; with coverage: one line for each of the 80 classes. */
void rule_list(FILE *f, bool coverage);
/* docs/leaks.md, whole. */
void rule_markdown(FILE *f);

#endif
