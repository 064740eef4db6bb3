// SPDX-License-Identifier: MIT
/* The policy's JSON form, both ways. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "rule/policy.h"

#define ROWS_MAX 65536

/* Every reader below gets the object, the path of the object for messages, and the key. */
struct at {
	const json_t *obj;
	char path[96];
	struct err *err;
};

static int bad(const struct at *a, const char *key, const char *want)
{
	return err_set(a->err, EXIT_USAGE, "policy: %s%s%s: %s", a->path, a->path[0] ? "." : "",
		       key, want);
}

/* An object with none but these keys. */
static int enter(struct at *a, const char *const keys[])
{
	const char *key;
	json_t *v;

	if (!json_is_object(a->obj))
		return err_set(a->err, EXIT_USAGE, "policy: %s: an object is wanted",
			       a->path[0] ? a->path : "the whole");
	/* jansson's iterator takes a pointer that is not const, and only reads */
	json_object_foreach((json_t *)(uintptr_t)a->obj, key, v)
	{
		size_t i = 0;

		while (keys[i] && strcmp(keys[i], key) != 0)
			i++;
		if (!keys[i])
			return bad(a, key, "no such key");
	}
	return 0;
}

/* A copy, "" when absent and not required. */
static int get_text(const struct at *a, const char *key, bool required, char **out)
{
	const json_t *v = json_object_get(a->obj, key);

	if (v ? !json_is_string(v) : required)
		return bad(a, key, "a text is wanted");
	*out = strdup(v ? json_string_value(v) : "");
	return *out ? 0 : err_set(a->err, EXIT_ENVIRONMENT, "policy: out of memory");
}

static int get_number(const struct at *a, const char *key, bool required, int64_t max, int64_t *out)
{
	const json_t *v = json_object_get(a->obj, key);

	*out = 0;
	if (!v && !required)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > max)
		return bad(a, key, "a whole number in range is wanted");
	*out = json_integer_value(v);
	return 0;
}

static int get_addr(const struct at *a, const char *key, bool required, struct ipaddr *out)
{
	const json_t *v = json_object_get(a->obj, key);

	if (!v && !required)
		return 0;
	if (!json_is_string(v) || !ipaddr_parse(json_string_value(v), out))
		return bad(a, key, "an IPv4 or IPv6 address is wanted");
	return 0;
}

static int get_prefix(const struct at *a, const char *key, struct policy_prefix *out)
{
	const json_t *v = json_object_get(a->obj, key);

	if (!json_is_string(v) || !policy_prefix_parse(json_string_value(v), out))
		return bad(a, key, "an address, a prefix or \"any\" is wanted");
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* n bytes in hex, with `sep` between them when it is not 0. */
static bool hex_read(const char *s, char sep, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(s[0]);
		int low = high < 0 ? -1 : hex_digit(s[1]);

		if (low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
		s += 2;
		if (sep && i + 1 < n && *s++ != sep)
			return false;
	}
	return *s == '\0';
}

static int get_bytes(const struct at *a, const char *key, char sep, uint8_t *out, size_t n,
		     bool *has)
{
	const json_t *v = json_object_get(a->obj, key);

	*has = v != NULL;
	if (v && (!json_is_string(v) || !hex_read(json_string_value(v), sep, out, n)))
		return bad(a, key, sep ? "a MAC address is wanted" : "hex digits are wanted");
	return 0;
}

static const struct {
	const char *name;
	uint8_t number;
} protos[] = { { "tcp", IPPROTO_TCP },	    { "udp", IPPROTO_UDP },   { "icmp", IPPROTO_ICMP },
	       { "icmp6", IPPROTO_ICMPV6 }, { "igmp", IPPROTO_IGMP }, { "gre", IPPROTO_GRE },
	       { "esp", IPPROTO_ESP },	    { "sctp", IPPROTO_SCTP } };

static int get_proto(const struct at *a, const char *key, uint8_t *out)
{
	const json_t *v = json_object_get(a->obj, key);

	if (json_is_integer(v) && json_integer_value(v) > 0 && json_integer_value(v) < 256) {
		*out = (uint8_t)json_integer_value(v);
		return 0;
	}
	for (size_t i = 0; json_is_string(v) && i < sizeof(protos) / sizeof(protos[0]); i++)
		if (strcmp(protos[i].name, json_string_value(v)) == 0) {
			*out = protos[i].number;
			return 0;
		}
	return bad(a, key, "tcp, udp, icmp, icmp6, igmp, gre, esp, sctp or a number is wanted");
}

/* 80 or "80-90"; absent: 0..0. */
static int get_ports(const struct at *a, const char *key, uint16_t *low, uint16_t *high)
{
	const json_t *v = json_object_get(a->obj, key);
	unsigned from, to;
	char end;

	if (!v)
		return 0;
	if (json_is_integer(v)) {
		from = to = (unsigned)json_integer_value(v);
		if (json_integer_value(v) < 1 || json_integer_value(v) > 65535)
			return bad(a, key, "a port is from 1 to 65535");
	} else if (!json_is_string(v) ||
		   sscanf(json_string_value(v), "%5u-%5u%c", &from, &to, &end) != 2 || from < 1 ||
		   to > 65535) {
		return bad(a, key, "a port or \"low-high\" is wanted");
	}
	*low = (uint16_t)from;
	*high = (uint16_t)to;
	return 0;
}

/* A word of a table. */
#define GET_WORD(a, key, parse, out, want)                                                  \
	(json_is_string(json_object_get((a)->obj, key)) &&                                  \
			 parse(json_string_value(json_object_get((a)->obj, key)), out) == 0 \
		 ? 0                                                                        \
		 : bad(a, key, want))

typedef int (*row_fn)(struct at *a, void *row);

/* An array of objects into a fresh array of `size` bytes each. *n grows with each row begun, so that
 * policy_free finds what a failed row has left. */
static int get_rows(const struct at *a, const char *key, size_t size, row_fn fn, void *rows,
		    size_t *n)
{
	const json_t *list = json_object_get(a->obj, key);
	size_t count = json_array_size(list);
	char *mem;

	if (!list)
		return 0;
	if (!json_is_array(list) || count > ROWS_MAX)
		return bad(a, key, "a list is wanted, not too long");
	if (count == 0)
		return 0;
	mem = calloc(count, size);
	if (!mem)
		return err_set(a->err, EXIT_ENVIRONMENT, "policy: out of memory");
	memcpy(rows, &mem, sizeof(mem));
	for (size_t i = 0; i < count; i++) {
		struct at row = { .obj = json_array_get(list, i), .err = a->err };

		(void)snprintf(row.path, sizeof(row.path), "%.60s%s%s[%zu]", a->path,
			       a->path[0] ? "." : "", key, i);
		*n = i + 1;
		if (fn(&row, mem + i * size))
			return -1;
	}
	return 0;
}

/* Arrays of addresses hold texts, no objects. */
static int addr_row(struct at *a, void *row)
{
	if (!json_is_string(a->obj) || !ipaddr_parse(json_string_value(a->obj), row))
		return err_set(a->err, EXIT_USAGE, "policy: %s: an IPv4 or IPv6 address is wanted",
			       a->path);
	return 0;
}

static int tunnel_row(struct at *a, void *row)
{
	static const char *const keys[] = { "kind", "proto", "endpoint", "port", NULL };
	struct policy_tunnel *t = row;
	int64_t port = 0;

	if (enter(a, keys) ||
	    GET_WORD(a, "kind", tunnel_kind_parse, &t->kind, "wireguard or openvpn is wanted") ||
	    get_proto(a, "proto", &t->proto) || get_addr(a, "endpoint", true, &t->endpoint) ||
	    get_number(a, "port", true, 65535, &port))
		return -1;
	t->port = (uint16_t)port;
	return 0;
}

static int network_row(struct at *a, void *row)
{
	static const char *const keys[] = { "name", "bridge", "prefix", NULL };
	struct policy_network *n = row;

	return enter(a, keys) || get_text(a, "name", true, &n->name) ||
			       get_text(a, "bridge", false, &n->bridge) ||
			       get_prefix(a, "prefix", &n->prefix)
		       ? -1
		       : 0;
}

static int leg_row(struct at *a, void *row)
{
	static const char *const keys[] = { "addr", "mac", "network", NULL };
	struct policy_attachment *l = row;

	return enter(a, keys) || get_addr(a, "addr", false, &l->addr) ||
			       get_bytes(a, "mac", ':', l->mac, 6, &l->has_mac) ||
			       get_text(a, "network", false, &l->network)
		       ? -1
		       : 0;
}

static int service_row(struct at *a, void *row)
{
	static const char *const keys[] = { "name", "role", "legs", NULL };
	struct policy_service *s = row;

	return enter(a, keys) || get_text(a, "name", true, &s->name) ||
			       GET_WORD(a, "role", service_role_parse, &s->role,
					"protected, gateway or edge is wanted") ||
			       get_rows(a, "legs", sizeof(*s->legs), leg_row, &s->legs, &s->n_legs)
		       ? -1
		       : 0;
}

static const char *const direction_names[] = { "out", "in", "both" };

static int direction_parse(const char *s, enum policy_direction *d)
{
	for (size_t i = 0; i < 3; i++)
		if (strcmp(direction_names[i], s) == 0) {
			*d = (enum policy_direction)i;
			return 0;
		}
	return -1;
}

static int allow_row(struct at *a, void *row)
{
	static const char *const keys[] = { "who",	 "proto", "peer",   "port", "local-port",
					    "direction", "shape", "reason", NULL };
	struct policy_allow *w = row;

	return enter(a, keys) || get_text(a, "who", true, &w->who) ||
			       get_proto(a, "proto", &w->proto) ||
			       get_prefix(a, "peer", &w->peer) ||
			       get_ports(a, "port", &w->port_low, &w->port_high) ||
			       get_ports(a, "local-port", &w->local_low, &w->local_high) ||
			       GET_WORD(a, "direction", direction_parse, &w->direction,
					"out, in or both is wanted") ||
			       GET_WORD(a, "shape", policy_shape_parse, &w->shape,
					"a shape is wanted (any, empty, dns, tls, ...)") ||
			       get_text(a, "reason", true, &w->reason)
		       ? -1
		       : 0;
}

static int published_row(struct at *a, void *row)
{
	static const char *const keys[] = { "proto", "port", "service", NULL };
	struct policy_published *p = row;
	int64_t port = 0;

	if (enter(a, keys) || get_proto(a, "proto", &p->proto) ||
	    get_number(a, "port", true, 65535, &port) || get_text(a, "service", true, &p->service))
		return -1;
	p->port = (uint16_t)port;
	return 0;
}

static int canary_row(struct at *a, void *row)
{
	static const char *const keys[] = { "id",   "service", "probe", "label",
					    "dest", "proto",   "port",	NULL };
	struct policy_canary *c = row;
	int64_t id = 0;
	int64_t port = 0;

	if (enter(a, keys) || get_number(a, "id", true, UINT32_MAX, &id) ||
	    get_text(a, "service", true, &c->service) || get_text(a, "probe", false, &c->probe) ||
	    get_text(a, "label", false, &c->label) || get_addr(a, "dest", false, &c->dest) ||
	    (json_object_get(a->obj, "proto") && get_proto(a, "proto", &c->proto)) ||
	    get_number(a, "port", false, 65535, &port))
		return -1;
	c->id = (uint32_t)id;
	c->port = (uint16_t)port;
	return 0;
}

static int control_row(struct at *a, void *row)
{
	static const char *const keys[] = { "id", "rule", "tap", NULL };
	struct policy_control *c = row;
	int64_t id = 0;

	if (enter(a, keys) || get_number(a, "id", true, UINT32_MAX, &id) ||
	    get_text(a, "rule", true, &c->rule) || get_text(a, "tap", true, &c->tap))
		return -1;
	c->id = (uint32_t)id;
	return 0;
}

static int tap_row(struct at *a, void *row)
{
	static const char *const keys[] = { "name", "role", "interface", "service",
					    "file", "mac",  "peer-mac",	 NULL };
	struct policy_tap *t = row;

	return enter(a, keys) || get_text(a, "name", true, &t->name) ||
			       GET_WORD(a, "role", tap_role_parse, &t->role,
					"uplink, bridge, veth, lo, isp or exit is wanted") ||
			       get_text(a, "interface", false, &t->interface) ||
			       get_text(a, "service", false, &t->service) ||
			       get_text(a, "file", false, &t->file) ||
			       get_bytes(a, "mac", ':', t->mac, 6, &t->has_mac) ||
			       get_bytes(a, "peer-mac", ':', t->peer_mac, 6, &t->has_peer_mac)
		       ? -1
		       : 0;
}

#define ROWS(a, key, p, member, fn) \
	get_rows(a, key, sizeof(*(p)->member), fn, &(p)->member, &(p)->n_##member)

static int read_policy(struct at *a, struct policy *p)
{
	static const char *const keys[] = {
		"closed-world", "nonce",    "control-mac", "real",  "tunnel-addresses",
		"tunnels",	"networks", "services",	   "allow", "published",
		"canaries",	"controls", "taps",	   NULL
	};
	const json_t *closed = json_object_get(a->obj, "closed-world");

	if (enter(a, keys))
		return -1;
	if (closed && !json_is_boolean(closed))
		return bad(a, "closed-world", "true or false is wanted");
	p->closed_world = json_is_true(closed);
	return get_bytes(a, "nonce", 0, p->nonce, sizeof(p->nonce), &p->has_nonce) ||
			       get_bytes(a, "control-mac", ':', p->control_mac, 6,
					 &p->has_control_mac) ||
			       ROWS(a, "real", p, real, addr_row) ||
			       ROWS(a, "tunnel-addresses", p, tunnel_addrs, addr_row) ||
			       ROWS(a, "tunnels", p, tunnels, tunnel_row) ||
			       ROWS(a, "networks", p, networks, network_row) ||
			       ROWS(a, "services", p, services, service_row) ||
			       ROWS(a, "allow", p, allows, allow_row) ||
			       ROWS(a, "published", p, published, published_row) ||
			       ROWS(a, "canaries", p, canaries, canary_row) ||
			       ROWS(a, "controls", p, controls, control_row) ||
			       ROWS(a, "taps", p, taps, tap_row)
		       ? -1
		       : 0;
}

struct policy *policy_from_json(const json_t *j, struct err *err)
{
	struct at a = { .obj = j, .err = err };
	struct policy *p = policy_new();

	if (!p) {
		(void)err_set(err, EXIT_ENVIRONMENT, "policy: out of memory");
		return NULL;
	}
	if (read_policy(&a, p) || policy_check(p, err)) {
		policy_free(p);
		return NULL;
	}
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
	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++)
		if (protos[i].number == number) {
			put_text(o, "proto", protos[i].name);
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
		put_text(row, "direction", direction_names[a->direction]);
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
