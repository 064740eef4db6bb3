// SPDX-License-Identifier: MIT
/* The policy's life, its checks, its names and the marks of canaries and controls. */
#include "rule/policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule/rule.h"

static const char *const role_names[] = { "protected", "gateway", "edge" };
static const char *const tap_names[] = { "uplink", "bridge", "veth", "lo", "isp", "exit" };
static const char *const kind_names[] = { "wireguard", "openvpn" };
static const char *const shape_names[] = { "any",     "empty", "dns",	    "mdns", "dhcp",
					   "ntp",     "tls",   "quic",	    "http", "ssdp",
					   "nat-pmp", "ssh",   "icmp-echo", "igmp" };
_Static_assert(sizeof(shape_names) / sizeof(shape_names[0]) == N_SHAPES, "a name for each shape");

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int find_name(const char *const names[], size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], s) == 0)
			return (int)i;
	return -1;
}

const char *service_role_name(enum service_role r)
{
	return role_names[r];
}

const char *tap_role_name(enum tap_role r)
{
	return tap_names[r];
}

const char *tunnel_kind_name(enum tunnel_kind k)
{
	return kind_names[k];
}

const char *policy_shape_name(enum policy_shape s)
{
	return shape_names[s];
}

int service_role_parse(const char *s, enum service_role *r)
{
	int i = find_name(role_names, COUNT(role_names), s);

	if (i < 0)
		return -1;
	*r = (enum service_role)i;
	return 0;
}

int tap_role_parse(const char *s, enum tap_role *r)
{
	int i = find_name(tap_names, COUNT(tap_names), s);

	if (i < 0)
		return -1;
	*r = (enum tap_role)i;
	return 0;
}

int tunnel_kind_parse(const char *s, enum tunnel_kind *k)
{
	int i = find_name(kind_names, COUNT(kind_names), s);

	if (i < 0)
		return -1;
	*k = (enum tunnel_kind)i;
	return 0;
}

int policy_shape_parse(const char *s, enum policy_shape *sh)
{
	int i = find_name(shape_names, COUNT(shape_names), s);

	if (i < 0)
		return -1;
	*sh = (enum policy_shape)i;
	return 0;
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
	return calloc(1, sizeof(struct policy));
}

static void free_services(struct policy *p)
{
	for (size_t i = 0; i < p->n_services; i++) {
		for (size_t k = 0; k < p->services[i].n_legs; k++)
			free(p->services[i].legs[k].network);
		free(p->services[i].legs);
		free(p->services[i].name);
	}
	free(p->services);
}

static void free_marks(struct policy *p)
{
	for (size_t i = 0; i < p->n_canaries; i++) {
		free(p->canaries[i].service);
		free(p->canaries[i].probe);
		free(p->canaries[i].label);
	}
	free(p->canaries);
	for (size_t i = 0; i < p->n_controls; i++) {
		free(p->controls[i].rule);
		free(p->controls[i].tap);
	}
	free(p->controls);
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	free(p->real);
	free(p->tunnel_addrs);
	free(p->tunnels);
	for (size_t i = 0; i < p->n_networks; i++) {
		free(p->networks[i].name);
		free(p->networks[i].bridge);
	}
	free(p->networks);
	free_services(p);
	for (size_t i = 0; i < p->n_allows; i++) {
		free(p->allows[i].who);
		free(p->allows[i].reason);
	}
	free(p->allows);
	for (size_t i = 0; i < p->n_published; i++)
		free(p->published[i].service);
	free(p->published);
	free_marks(p);
	for (size_t i = 0; i < p->n_taps; i++) {
		free(p->taps[i].name);
		free(p->taps[i].interface);
		free(p->taps[i].service);
		free(p->taps[i].file);
	}
	free(p->taps);
	free(p);
}

const struct policy_service *policy_service_find(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_services; i++)
		if (strcmp(p->services[i].name, name) == 0)
			return &p->services[i];
	return NULL;
}

static bool has_tap(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_taps; i++)
		if (strcmp(p->taps[i].name, name) == 0)
			return true;
	return false;
}

/* An allowance by address alone would excuse every leak to that address. */
static int check_allow(const struct policy *p, const struct policy_allow *a, size_t i,
		       struct err *err)
{
	bool ported = a->proto == IPPROTO_TCP || a->proto == IPPROTO_UDP;

	if (strcmp(a->who, "host") != 0 && strcmp(a->who, "lan") != 0 &&
	    !policy_service_find(p, a->who))
		return err_set(err, EXIT_USAGE,
			       "allow[%zu].who: `%s` is neither \"host\", \"lan\" nor a service", i,
			       a->who);
	if (ported && a->port_high == 0 && a->local_high == 0)
		return err_set(
			err, EXIT_USAGE,
			"allow[%zu]: TCP and UDP need `port` or `local-port`; an address alone "
			"excuses nothing",
			i);
	if (a->port_low > a->port_high || a->local_low > a->local_high)
		return err_set(err, EXIT_USAGE, "allow[%zu]: the port range is upside down", i);
	if (!ported && a->shape == SHAPE_ANY && a->peer.any)
		return err_set(err, EXIT_USAGE,
			       "allow[%zu]: any payload to any address excuses everything", i);
	return 0;
}

static int check_marks(const struct policy *p, struct err *err)
{
	for (size_t i = 0; i < p->n_canaries; i++) {
		if (p->canaries[i].id >= POLICY_CONTROL_BASE)
			return err_set(err, EXIT_USAGE,
				       "canaries[%zu].id: %u and above are controls", i,
				       POLICY_CONTROL_BASE);
		if (!policy_service_find(p, p->canaries[i].service))
			return err_set(err, EXIT_USAGE, "canaries[%zu].service: no service `%s`", i,
				       p->canaries[i].service);
	}
	for (size_t i = 0; i < p->n_controls; i++) {
		if (p->controls[i].id < POLICY_CONTROL_BASE)
			return err_set(err, EXIT_USAGE, "controls[%zu].id: below %u are canaries",
				       i, POLICY_CONTROL_BASE);
		if (!rule_find(p->controls[i].rule))
			return err_set(err, EXIT_USAGE, "controls[%zu].rule: no rule `%s`", i,
				       p->controls[i].rule);
		if (!has_tap(p, p->controls[i].tap))
			return err_set(err, EXIT_USAGE, "controls[%zu].tap: no tap `%s`", i,
				       p->controls[i].tap);
	}
	if (!p->has_nonce && (p->n_canaries > 0 || p->n_controls > 0))
		return err_set(err, EXIT_USAGE, "canaries and controls need `nonce`");
	return 0;
}

int policy_check(const struct policy *p, struct err *err)
{
	for (size_t i = 0; i < p->n_allows; i++)
		if (check_allow(p, &p->allows[i], i, err))
			return -1;
	for (size_t i = 0; i < p->n_published; i++)
		if (!policy_service_find(p, p->published[i].service))
			return err_set(err, EXIT_USAGE, "published[%zu].service: no service `%s`",
				       i, p->published[i].service);
	for (size_t i = 0; i < p->n_taps; i++)
		if (p->taps[i].service[0] && !policy_service_find(p, p->taps[i].service))
			return err_set(err, EXIT_USAGE, "taps[%zu].service: no service `%s`", i,
				       p->taps[i].service);
	return check_marks(p, err);
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
