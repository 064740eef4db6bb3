/* SPDX-License-Identifier: MIT */
/* What may appear on a tap, as data: everything that the rules compare a packet with. */
#ifndef RULE_POLICY_H
#define RULE_POLICY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "packet/addr.h"

/* len counts in the family of net (0-32, 0-128); `any` matches every address of both families. */
struct policy_prefix {
	struct ipaddr net;
	uint8_t len;
	bool any;
};

enum service_role { SERVICE_PROTECTED, SERVICE_GATEWAY, SERVICE_EDGE };
enum tunnel_kind { TUNNEL_WIREGUARD, TUNNEL_OPENVPN };
enum tap_role { TAP_UPLINK, TAP_BRIDGE, TAP_VETH, TAP_LO, TAP_ISP, TAP_EXIT };
#define TAP_BIT(role) (1u << (role))
#define TAPS_OUTSIDE  (TAP_BIT(TAP_UPLINK) | TAP_BIT(TAP_ISP))
#define TAPS_INSIDE   (TAP_BIT(TAP_BRIDGE) | TAP_BIT(TAP_VETH))

struct policy_tunnel { /* the exact outer tuple, as seen from the host */
	enum tunnel_kind kind;
	uint8_t proto; /* IP protocol number: 17 UDP, 6 TCP */
	struct ipaddr endpoint;
	uint16_t port;
};

struct policy_attachment {  /* one leg of a service in one network */
	struct ipaddr addr; /* none: not known */
	uint8_t mac[6];
	bool has_mac;
	char *network; /* Compose network; "" when not known */
};

struct policy_service {
	char *name;
	enum service_role role;
	struct policy_attachment *legs;
	size_t n_legs;
};

struct policy_network { /* a Docker network: what lies in its prefix is local to the stack */
	char *name;
	char *bridge; /* interface on the host, "" when not known */
	struct policy_prefix prefix;
};

enum policy_direction { POLICY_OUT, POLICY_IN, POLICY_BOTH };

/* What a payload has to look like to be excused. SHAPE_ANY must be written out in the policy; it is
 * shown in the coverage as an allowance without a shape. */
enum policy_shape {
	SHAPE_ANY,
	SHAPE_EMPTY, /* no payload: bare TCP control segments */
	SHAPE_DNS,
	SHAPE_MDNS,
	SHAPE_DHCP,
	SHAPE_NTP,
	SHAPE_TLS,
	SHAPE_QUIC,
	SHAPE_HTTP,
	SHAPE_SSDP,
	SHAPE_NATPMP,
	SHAPE_SSH,
	SHAPE_ICMP_ECHO,
	SHAPE_IGMP,
	N_SHAPES
};

/* One thing that may appear outside the tunnel. Never by address alone: protocol is required, and for
 * TCP and UDP a port (of the peer, or the own one for a service that listens). */
struct policy_allow {
	char *who;		      /* "host", "lan", or the name of an edge or gateway service */
	uint8_t proto;		      /* IP protocol number */
	struct policy_prefix peer;    /* the other side */
	uint16_t port_low, port_high; /* port of the peer; 0..0: not compared */
	uint16_t local_low, local_high; /* own port; 0..0: not compared */
	enum policy_direction direction;
	enum policy_shape shape;
	char *reason; /* for people, shown in the coverage */
};

struct policy_published { /* `ports:` of the Compose file */
	uint8_t proto;
	uint16_t port; /* on the host */
	char *service;
};

/* A canary: a packet or lookup that a probe makes. Recognised by marker, by label or by destination. */
struct policy_canary {
	uint32_t id;	    /* below POLICY_CONTROL_BASE */
	char *service;	    /* in whose namespace it is sent */
	char *probe;	    /* kind of probe, for the sentence */
	char *label;	    /* DNS label made for it, "" when none; compared without case */
	struct ipaddr dest; /* none: no destination of its own */
	uint8_t proto;
	uint16_t port; /* 0: any port of dest */
};

/* A leak made on purpose by the harness: removed from the findings, counted as caught. */
struct policy_control {
	uint32_t id; /* at least POLICY_CONTROL_BASE */
	char *rule;  /* the rule that has to catch it */
	char *tap;   /* name of the tap that has to see it */
};

struct policy_tap {
	char *name;
	enum tap_role role;
	char *interface;
	char *service; /* veth: whose; "" else */
	char *file;    /* capture file as given, "" when live */
	/* Who sent a frame, best first: what comes from the next hop is inbound and everything else left
	 * the host; what comes from the host's own interface left it. Else addresses must tell. */
	uint8_t peer_mac[6]; /* of the next hop (router); set it wherever it is known */
	bool has_peer_mac;
	uint8_t mac[6]; /* of the host's side of the uplink */
	bool has_mac;
};

#define POLICY_NONCE_LEN    16
#define POLICY_MARKER_LEN   20 /* nonce, then the id as big-endian 32 bits */
#define POLICY_CONTROL_BASE UINT32_C(0x80000000)
#define POLICY_BEACON_ID    UINT32_C(0xffffffff) /* a tap's own beacon: counted, never judged */

struct policy {
	/* The host makes no traffic of its own (the lab): whatever is not named here is attributed to
	 * the stack. False on a real host, where attribution needs evidence. */
	bool closed_world;
	bool has_nonce;
	uint8_t nonce[POLICY_NONCE_LEN]; /* of the run; marks canaries and controls */
	bool has_control_mac;
	uint8_t control_mac
		[6]; /* Ethernet source of frames that the harness forges without payload */
	struct ipaddr *real;
	size_t n_real; /* addresses that must not get out */
	struct ipaddr *tunnel_addrs;
	size_t n_tunnel_addrs; /* inner addresses of the gateway */
	struct policy_tunnel *tunnels;
	size_t n_tunnels;
	struct policy_network *networks;
	size_t n_networks;
	struct policy_service *services;
	size_t n_services;
	struct policy_allow *allows;
	size_t n_allows;
	struct policy_published *published;
	size_t n_published;
	struct policy_canary *canaries;
	size_t n_canaries;
	struct policy_control *controls;
	size_t n_controls;
	struct policy_tap *taps;
	size_t n_taps;
};

/* From JSON (the keys are the tables at the top of policy_json.c). Pure. An unknown key, a wrong type, an allowance by address
 * alone, a name that nothing defines: EXIT_USAGE with the path of the value in the text. */
struct policy *policy_from_json(const json_t *j, struct err *err);

/* What policy_from_json checks beyond types, for a policy made by hand. */
int policy_check(const struct policy *p, struct err *err);

/* The inverse; a new reference that the caller owns. */
json_t *policy_to_json(const struct policy *p);

void policy_free(struct policy *p); /* NULL allowed */

/* An empty policy that the caller fills: every pointer member is malloc memory that policy_free ends. */
struct policy *policy_new(void);

/* "any", "192.0.2.1", "2001:db8::/32"; false leaves *p untouched. */
bool policy_prefix_parse(const char *text, struct policy_prefix *p);
char *policy_prefix_format(const struct policy_prefix *p, char *buf,
			   size_t size); /* 50 bytes suffice */
bool policy_prefix_has(const struct policy_prefix *p, const struct ipaddr *a);

const struct policy_service *policy_service_find(const struct policy *p, const char *name);

/* Write nonce and id, what a canary's or control's payload begins with (or holds anywhere). */
void policy_marker(const struct policy *p, uint32_t id, uint8_t out[POLICY_MARKER_LEN]);
/* The same as 40 lower-case hex digits and NUL, for protocols made of text. */
void policy_marker_text(const struct policy *p, uint32_t id, char out[2 * POLICY_MARKER_LEN + 1]);
/* DNS label of a control: "ctl-<rule>-<first 8 bytes of the nonce in hex>"; 64 bytes. */
void policy_control_label(const struct policy *p, const char *rule, char out[64]);

/* Names used in JSON and in reports; *_parse return -1 for an unknown name. */
const char *service_role_name(enum service_role r);
const char *tap_role_name(enum tap_role r);
const char *tunnel_kind_name(enum tunnel_kind k);
const char *policy_shape_name(enum policy_shape s);
int service_role_parse(const char *s, enum service_role *r);
int tap_role_parse(const char *s, enum tap_role *r);
int tunnel_kind_parse(const char *s, enum tunnel_kind *k);
int policy_shape_parse(const char *s, enum policy_shape *sh);

#endif
