// SPDX-License-Identifier: MIT
/* The policy as JSON, for journals. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "rule/policy_rows.h"

struct policy *policy_from_json(const json_t *j, struct err *err)
{
	_cleanup_free_ char *text = json_dumps(j, JSON_ENCODE_ANY);
	struct policy *p = NULL;
	struct diag d = { 0 };

	if (!text)
		(void)err_set(err, EXIT_USAGE, "policy: a mapping is wanted");
	else
		(void)policy_parse("policy", text, strlen(text), &p, &d, err);
	diag_free(&d);
	return p;
}

static void put_text(json_t *o, const char *key, const char *value)
{
	if (value && value[0])
		(void)json_object_set_new(o, key, json_string(value));
}

static void put_addr(json_t *o, const char *key, const struct ipaddr *a)
{
	char buf[IPADDR_TEXT];

	if (!ipaddr_is_none(a))
		(void)json_object_set_new(o, key, json_string(ipaddr_format(a, buf, sizeof(buf))));
}

static void put_prefix(json_t *o, const char *key, const struct policy_prefix *p)
{
	char buf[64];

	(void)json_object_set_new(o, key, json_string(policy_prefix_format(p, buf, sizeof(buf))));
}

static void put_bytes(json_t *o, const char *key, const char *sep, const uint8_t *b, size_t n)
{
	char buf[64];
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(buf + at, sizeof(buf) - at, "%s%02x", i ? sep : "", b[i]);
	(void)json_object_set_new(o, key, json_string(buf));
}

static void put_number(json_t *o, const char *key, int64_t v)
{
	(void)json_object_set_new(o, key, json_integer(v));
}

static void put_proto(json_t *o, uint8_t number)
{
	for (const struct policy_proto *x = policy_protos; x->name; x++)
		if (x->number == number) {
			put_text(o, "proto", x->name);
			return;
		}
	put_number(o, "proto", number);
}

static void put_ports(json_t *o, const char *key, uint16_t low, uint16_t high)
{
	char buf[16];

	if (high == 0)
		return;
	if (low == high) {
		put_number(o, key, low);
		return;
	}
	(void)snprintf(buf, sizeof(buf), "%u-%u", low, high);
	put_text(o, key, buf);
}

/* A fresh list in o under key. */
static json_t *put_list(json_t *o, const char *key)
{
	json_t *list = json_array();

	(void)json_object_set_new(o, key, list);
	return list;
}

static json_t *put_row(json_t *list)
{
	json_t *row = json_object();

	(void)json_array_append_new(list, row);
	return row;
}

static void put_addrs(json_t *o, const char *key, const struct ipaddr *a, size_t n)
{
	json_t *list = put_list(o, key);
	char buf[IPADDR_TEXT];

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list,
					    json_string(ipaddr_format(&a[i], buf, sizeof(buf))));
}

static void put_services(json_t *o, const struct policy *p)
{
	json_t *list = put_list(o, "services");

	for (size_t i = 0; i < p->n_services; i++) {
		const struct policy_service *s = &p->services[i];
		json_t *row = put_row(list);
		json_t *legs;

		put_text(row, "name", s->name);
		put_text(row, "role", service_role_name(s->role));
		legs = put_list(row, "legs");
		for (size_t k = 0; k < s->n_legs; k++) {
			json_t *leg = put_row(legs);

			put_addr(leg, "addr", &s->legs[k].addr);
			if (s->legs[k].has_mac)
				put_bytes(leg, "mac", ":", s->legs[k].mac, 6);
			put_text(leg, "network", s->legs[k].network);
		}
	}
}

static void put_allows(json_t *o, const struct policy *p)
{
	json_t *list = put_list(o, "allow");

	for (size_t i = 0; i < p->n_allows; i++) {
		const struct policy_allow *a = &p->allows[i];
		json_t *row = put_row(list);

		(void)json_object_set_new(row, "who", json_string(a->who));
		put_proto(row, a->proto);
		put_prefix(row, "peer", &a->peer);
		put_ports(row, "port", a->port_low, a->port_high);
		put_ports(row, "local-port", a->local_low, a->local_high);
		put_text(row, "direction", policy_direction_words[a->direction]);
		put_text(row, "shape", policy_shape_name(a->shape));
		(void)json_object_set_new(row, "reason", json_string(a->reason));
	}
}

static void put_marks(json_t *o, const struct policy *p)
{
	json_t *list = put_list(o, "canaries");

	for (size_t i = 0; i < p->n_canaries; i++) {
		const struct policy_canary *c = &p->canaries[i];
		json_t *row = put_row(list);

		put_number(row, "id", c->id);
		put_text(row, "service", c->service);
		put_text(row, "probe", c->probe);
		put_text(row, "label", c->label);
		put_addr(row, "dest", &c->dest);
		if (c->proto)
			put_proto(row, c->proto);
		if (c->port)
			put_number(row, "port", c->port);
	}
	list = put_list(o, "controls");
	for (size_t i = 0; i < p->n_controls; i++) {
		json_t *row = put_row(list);

		put_number(row, "id", p->controls[i].id);
		put_text(row, "rule", p->controls[i].rule);
		put_text(row, "tap", p->controls[i].tap);
	}
}

static void put_taps(json_t *o, const struct policy *p)
{
	json_t *list = put_list(o, "taps");

	for (size_t i = 0; i < p->n_taps; i++) {
		const struct policy_tap *t = &p->taps[i];
		json_t *row = put_row(list);

		(void)json_object_set_new(row, "name", json_string(t->name));
		put_text(row, "role", tap_role_name(t->role));
		put_text(row, "interface", t->interface);
		put_text(row, "service", t->service);
		put_text(row, "file", t->file);
		if (t->has_mac)
			put_bytes(row, "mac", ":", t->mac, 6);
		if (t->has_peer_mac)
			put_bytes(row, "peer-mac", ":", t->peer_mac, 6);
	}
}

static void put_ways(json_t *o, const struct policy *p)
{
	json_t *list = put_list(o, "tunnels");

	for (size_t i = 0; i < p->n_tunnels; i++) {
		json_t *row = put_row(list);

		put_text(row, "kind", tunnel_kind_name(p->tunnels[i].kind));
		put_proto(row, p->tunnels[i].proto);
		put_addr(row, "endpoint", &p->tunnels[i].endpoint);
		put_number(row, "port", p->tunnels[i].port);
	}
	list = put_list(o, "networks");
	for (size_t i = 0; i < p->n_networks; i++) {
		json_t *row = put_row(list);

		(void)json_object_set_new(row, "name", json_string(p->networks[i].name));
		put_text(row, "bridge", p->networks[i].bridge);
		put_prefix(row, "prefix", &p->networks[i].prefix);
	}
	list = put_list(o, "published");
	for (size_t i = 0; i < p->n_published; i++) {
		json_t *row = put_row(list);

		put_proto(row, p->published[i].proto);
		put_number(row, "port", p->published[i].port);
		put_text(row, "service", p->published[i].service);
	}
}

json_t *policy_to_json(const struct policy *p)
{
	json_t *o = json_object();

	(void)json_object_set_new(o, "closed-world", json_boolean(p->closed_world));
	if (p->has_nonce)
		put_bytes(o, "nonce", "", p->nonce, sizeof(p->nonce));
	if (p->has_control_mac)
		put_bytes(o, "control-mac", ":", p->control_mac, 6);
	put_addrs(o, "real", p->real, p->n_real);
	put_addrs(o, "tunnel-addresses", p->tunnel_addrs, p->n_tunnel_addrs);
	put_ways(o, p);
	put_services(o, p);
	put_allows(o, p);
	put_marks(o, p);
	put_taps(o, p);
	return o;
}
