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
#include "yaml/diag.h"

struct arena;

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
	/* Who sent a frame: what comes from the next hop is inbound and everything else left the host, but for
	 * neighbours where the host's own is known and the world is open. With neither the judge learns the host's own
	 * from what sends with a real address; else IP addresses must tell. */
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
	uint8_t nonce[POLICY_NONCE_LEN]; /* of the run; marks canaries and controls */
	bool has_nonce;
	uint8_t control_mac
		[6]; /* Ethernet source of frames that the harness forges without payload */
	bool has_control_mac;
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
	struct arena *mem; /* owns all of the above */
};

/* From text: YAML, or JSON, which is YAML but for its escapes of surrogates. The keys are the rows of policy_rows.c, printed
 * by policy_reference(). `file` is what messages call it. On mistakes -1, *d says them all (the caller frees it
 * with diag_free), *err (EXIT_USAGE) the first: an unknown key, a wrong type, an allowance by address alone, a
 * name that nothing defines. Pure. The caller frees *out with policy_free. */
int policy_parse(const char *file, const char *text, size_t len, struct policy **out,
		 struct diag *d, struct err *err);
#define POLICY_TEXT_MAX ((size_t)64 << 20)

/* From the policy of a journal: the same reader. */
struct policy *policy_from_json(const json_t *j, struct err *err);

/* The inverse; a new reference that the caller owns. */
json_t *policy_to_json(const struct policy *p);

/* docs/policy-reference.md, whole. */
void policy_reference(FILE *f);

void policy_free(struct policy *p); /* NULL allowed */

/* ---- a policy from the words of a command line; -1 and *err (EXIT_USAGE) name the word ---- */

/* An empty policy; the program ends when memory is out. */
struct policy *policy_new(void);

/* "ADDR[,ADDR]": addresses whose packets must stay in the tunnel. They become real addresses and the legs of one
 * protected service, "the protected host". */
int policy_add_protected(struct policy *p, const char *addresses, struct err *err);
/* "ADDR[,ADDR]": real addresses to look for inside the tunnel. */
int policy_add_real(struct policy *p, const char *addresses, struct err *err);
/* "udp:198.51.100.2:51820", "tcp:[2001:db8::2]:443" */
int policy_add_tunnel(struct policy *p, const char *tuple, enum tunnel_kind kind, struct err *err);
/* A copy of *t at the end; its texts are copied, its name gets a number when it is taken. Returns its index. */
size_t policy_add_tap(struct policy *p, const struct policy_tap *t);

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

/* Names used in policies and in reports; *_parse return -1 for an unknown name. */
const char *service_role_name(enum service_role r);
const char *tap_role_name(enum tap_role r);
const char *tunnel_kind_name(enum tunnel_kind k);
const char *policy_shape_name(enum policy_shape s);
int tap_role_parse(const char *s, enum tap_role *r);
int tunnel_kind_parse(const char *s, enum tunnel_kind *k);

/* "tcp", "udp", "icmp", or the number: the caller frees. */
char *policy_proto_text(uint8_t proto);
/* An allowance in one line: "udp, port 67, from port 68, any address, both ways, dhcp". The caller frees. */
char *policy_allow_text(const struct policy_allow *a);

#endif
