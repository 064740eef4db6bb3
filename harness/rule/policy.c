// SPDX-License-Identifier: MIT
/* The policy's life, its names, prefixes, and the marks of canaries and controls. */
#include "rule/policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "rule/policy_rows.h"
#include "yaml/arena.h"

const char *const policy_role_words[] = { "protected", "gateway", "edge", NULL };
const char *const policy_tap_words[] = { "uplink", "bridge", "veth", "lo", "isp", "exit", NULL };
const char *const policy_kind_words[] = { "wireguard", "openvpn", NULL };
const char *const policy_direction_words[] = { "out", "in", "both", NULL };
const char *const policy_shape_words[] = { "any",     "empty", "dns",	    "mdns", "dhcp",
					   "ntp",     "tls",   "quic",	    "http", "ssdp",
					   "nat-pmp", "ssh",   "icmp-echo", "igmp", NULL };
_Static_assert(sizeof(policy_shape_words) / sizeof(policy_shape_words[0]) == N_SHAPES + 1,
	       "a name for each shape");

static int find_word(const char *const words[], const char *s)
{
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], s) == 0)
			return i;
	return -1;
}

const char *service_role_name(enum service_role r)
{
	return policy_role_words[r];
}

const char *tap_role_name(enum tap_role r)
{
	return policy_tap_words[r];
}

const char *tunnel_kind_name(enum tunnel_kind k)
{
	return policy_kind_words[k];
}

const char *policy_shape_name(enum policy_shape s)
{
	return policy_shape_words[s];
}

int tap_role_parse(const char *s, enum tap_role *r)
{
	int i = find_word(policy_tap_words, s);

	if (i < 0)
		return -1;
	*r = (enum tap_role)i;
	return 0;
}

int tunnel_kind_parse(const char *s, enum tunnel_kind *k)
{
	int i = find_word(policy_kind_words, s);

	if (i < 0)
		return -1;
	*k = (enum tunnel_kind)i;
	return 0;
}

const struct policy_proto policy_protos[] = {
	{ "tcp", IPPROTO_TCP },	     { "udp", IPPROTO_UDP },   { "icmp", IPPROTO_ICMP },
	{ "icmp6", IPPROTO_ICMPV6 }, { "igmp", IPPROTO_IGMP }, { "gre", IPPROTO_GRE },
	{ "esp", IPPROTO_ESP },	     { "sctp", IPPROTO_SCTP }, { NULL, 0 },
};

char *policy_proto_text(uint8_t proto)
{
	for (const struct policy_proto *x = policy_protos; x->name; x++)
		if (x->number == proto)
			return str_fmt("%s", x->name);
	return str_fmt("%u", proto);
}

static void put_range(FILE *f, const char *what, uint16_t low, uint16_t high)
{
	if (high == 0)
		return;
	if (low == high)
		(void)fprintf(f, ", %s %u", what, low);
	else
		(void)fprintf(f, ", %ss %u-%u", what, low, high);
}

char *policy_allow_text(const struct policy_allow *a)
{
	static const char *const ways[] = { "outbound", "inbound", "both ways" };
	_cleanup_free_ char *proto = policy_proto_text(a->proto);
	char peer[64];
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);

	if (!f)
		abort();
	(void)fprintf(f, "%s", proto);
	put_range(f, "port", a->port_low, a->port_high);
	put_range(f, "own port", a->local_low, a->local_high);
	(void)fprintf(f, ", %s%s, %s, %s", a->peer.any ? "any address" : "peer ",
		      a->peer.any ? "" : policy_prefix_format(&a->peer, peer, sizeof(peer)),
		      ways[a->direction],
		      a->shape == SHAPE_ANY ? "any payload" : policy_shape_name(a->shape));
	(void)fclose(f);
	return out;
}

bool policy_prefix_parse(const char *text, struct policy_prefix *p)
{
	struct ipaddr net;
	unsigned len;

	if (strcmp(text, "any") == 0) {
		*p = (struct policy_prefix){ .any = true };
		return true;
	}
	if (!ipaddr_parse_prefix(text, &net, &len))
		return false;
	*p = (struct policy_prefix){ .net = net, .len = (uint8_t)len };
	return true;
}

char *policy_prefix_format(const struct policy_prefix *p, char *buf, size_t size)
{
	char a[IPADDR_TEXT];
	unsigned whole = ipaddr_is_v4(&p->net) ? 32 : 128;

	if (p->any)
		(void)snprintf(buf, size, "any");
	else if (p->len == whole)
		(void)snprintf(buf, size, "%s", ipaddr_format(&p->net, a, sizeof(a)));
	else
		(void)snprintf(buf, size, "%s/%u", ipaddr_format(&p->net, a, sizeof(a)), p->len);
	return buf;
}

bool policy_prefix_has(const struct policy_prefix *p, const struct ipaddr *a)
{
	return p->any || ipaddr_in_prefix(a, &p->net, p->len);
}

struct policy *policy_new(void)
{
	struct arena *mem = arena_new();
	struct policy *p = arena_alloc(mem, sizeof(*p));

	p->mem = mem;
	return p;
}

void policy_free(struct policy *p)
{
	/* The policy lies in its own arena. */
	if (p)
		arena_free(p->mem);
}

const struct policy_service *policy_service_find(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_services; i++)
		if (strcmp(p->services[i].name, name) == 0)
			return &p->services[i];
	return NULL;
}

void policy_marker(const struct policy *p, uint32_t id, uint8_t out[POLICY_MARKER_LEN])
{
	uint32_t be = htonl(id);

	memcpy(out, p->nonce, POLICY_NONCE_LEN);
	memcpy(out + POLICY_NONCE_LEN, &be, sizeof(be));
}

static void hex(const uint8_t *b, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[b[i] >> 4];
		out[2 * i + 1] = digits[b[i] & 15];
	}
	out[2 * n] = '\0';
}

void policy_marker_text(const struct policy *p, uint32_t id, char out[2 * POLICY_MARKER_LEN + 1])
{
	uint8_t raw[POLICY_MARKER_LEN];

	policy_marker(p, id, raw);
	hex(raw, sizeof(raw), out);
}

void policy_control_label(const struct policy *p, const char *rule, char out[64])
{
	char nonce[17];

	hex(p->nonce, 8, nonce);
	(void)snprintf(out, 64, "ctl-%.42s-%s", rule, nonce);
}
