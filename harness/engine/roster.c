// SPDX-License-Identifier: MIT
/* Who was where during a scenario. */
#include "engine/roster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/proc.h"
#include "capture/inject.h"

struct roster {
	struct host *host;
	char nonce[2 * TAP_NONCE + 1];
	struct tap_tunnel tunnel;
	char *endpoint;
	json_t *services; /* name -> {name, role, legs: [...]} as the policy wants them */
	json_t *networks; /* name -> {name, bridge, prefix} */
	json_t *published;
	json_t *health; /* name -> state */
	json_t *lives;	/* name -> start time */
	json_t *past;	/* addresses that a gateway ever had in this run */
	bool unwatched; /* it was said that a service cannot be watched */
};

struct roster *roster_new(struct host *h, const uint8_t nonce[TAP_NONCE],
			  const struct tap_tunnel *tunnel, json_t *past)
{
	struct roster *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->host = h;
	for (size_t i = 0; i < TAP_NONCE; i++)
		(void)snprintf(r->nonce + 2 * i, 3, "%02x", nonce[i]);
	r->tunnel = *tunnel;
	r->endpoint = str_fmt("%s", tunnel->address);
	r->services = json_object();
	r->networks = json_object();
	r->published = json_array();
	r->health = json_object();
	r->lives = json_object();
	r->past = past;
	return r;
}

void roster_free(struct roster *r)
{
	if (!r)
		return;
	json_decref(r->services);
	json_decref(r->networks);
	json_decref(r->published);
	json_decref(r->health);
	json_decref(r->lives);
	free(r->endpoint);
	free(r);
}

static const char *role_text(enum stack_role role)
{
	switch (role) {
	case STACK_PROTECTED:
		return "protected";
	case STACK_GATEWAY:
		return "gateway";
	case STACK_EDGE:
		return "edge";
	}
	return "protected";
}

/* Append unless an equal element is there already. */
static void add_once(json_t *list, json_t *row)
{
	size_t i;
	json_t *have;

	json_array_foreach(list, i, have) if (json_equal(have, row))
	{
		json_decref(row);
		return;
	}
	(void)json_array_append_new(list, row);
}

static json_t *leg(const char *addr, const struct stack_network *n)
{
	json_t *o = json_pack("{s:s,s:s}", "addr", addr, "network", n->name);

	if (*n->mac)
		(void)json_object_set_new(o, "mac", json_string(n->mac));
	return o;
}

static void add_service(struct roster *r, const struct stack_service *s)
{
	json_t *row = json_object_get(r->services, s->name);
	json_t *legs;

	if (!row) {
		row = json_pack("{s:s,s:s,s:[]}", "name", s->name, "role", role_text(s->role),
				"legs");
		(void)json_object_set_new(r->services, s->name, row);
	}
	legs = json_object_get(row, "legs");
	for (size_t i = 0; i < s->n_networks; i++) {
		const struct stack_network *n = &s->networks[i];

		if (*n->ip4)
			add_once(legs, leg(n->ip4, n));
		if (*n->ip4 && s->role == STACK_GATEWAY)
			add_once(r->past, json_string(n->ip4));
		if (*n->ip6)
			add_once(legs, leg(n->ip6, n));
		if (*n->subnet && !json_object_get(r->networks, n->name))
			(void)json_object_set_new(r->networks, n->name,
						  json_pack("{s:s,s:s,s:s}", "name", n->name,
							    "bridge", n->bridge, "prefix",
							    n->subnet));
	}
	for (size_t i = 0; i < s->n_ports; i++)
		add_once(r->published,
			 json_pack("{s:s,s:i,s:s}", "proto", s->ports[i].proto, "port",
				   (int)s->ports[i].host_port, "service", s->name));
}

static void note_health(struct roster *r, const struct stack_service *s, struct journal *j)
{
	const char *now = s->pid > 1 ? stack_health_name(s->health) : "down";
	const char *before = json_string_value(json_object_get(r->health, s->name));

	if (before && strcmp(before, now) == 0)
		return;
	(void)json_object_set_new(r->health, s->name, json_string(now));
	journal_event(j, "health",
		      json_pack("{s:s,s:s,s:s}", "service", s->name, "role", role_text(s->role),
				"health", now));
}

/* On a real host a service in the host's own network cannot be told from the host; in the lab nobody else is there. */
static void note_unwatched(struct roster *r, const struct stack_service *s, struct journal *j)
{
	_cleanup_free_ char *text = NULL;

	if (r->unwatched || !s->host_network || s->role == STACK_EDGE || host_is_lab(r->host))
		return;
	r->unwatched = true;
	text = str_fmt("%s is in the host's own network (network_mode: host), so what it sends "
		       "cannot be told from the host's own traffic",
		       s->name);
	journal_event(j, "unwatched", json_pack("{s:s}", "text", text));
}

/* In the lab the run knows which image it gave to whom; elsewhere the engine says what runs. */
static void note_image(const struct roster *r, const struct stack_service *s, struct journal *j)
{
	_cleanup_free_ char *value = str_fmt("%s %s", s->image, s->digest);

	if (!host_is_lab(r->host))
		journal_event(j, "image", json_pack("{s:s,s:s}", "name", s->name, "value", value));
}

void roster_update(struct roster *r, const struct stack *s, struct journal *j)
{
	size_t n;
	const struct stack_service *all = stack_services(s, &n);

	for (size_t i = 0; i < n; i++) {
		add_service(r, &all[i]);
		note_health(r, &all[i], j);
		note_unwatched(r, &all[i], j);
	}
}

void roster_remember_lives(struct roster *r, const struct stack *s, struct journal *j)
{
	size_t n;
	const struct stack_service *all = stack_services(s, &n);

	for (size_t i = 0; i < n; i++) {
		(void)json_object_set_new(r->lives, all[i].name,
					  json_integer((json_int_t)proc_start_time(all[i].pid)));
		note_image(r, &all[i], j);
	}
}

const json_t *roster_lives(const struct roster *r)
{
	return r->lives;
}

static json_t *values_of(json_t *object)
{
	json_t *list = json_array();
	const char *key;
	json_t *v;

	json_object_foreach(object, key, v)(void) json_array_append(list, v);
	return list;
}

/* Old addresses are legs of the gateway without a network. */
static void add_past(struct roster *r)
{
	const char *name;
	json_t *row, *addr;
	size_t i;

	json_object_foreach(r->services, name, row)
	{
		if (strcmp(json_string_value(json_object_get(row, "role")), "gateway") != 0)
			continue;
		json_array_foreach(r->past, i, addr)
		{
			add_once(json_object_get(row, "legs"),
				 json_pack("{s:s}", "addr", json_string_value(addr)));
		}
		return;
	}
}

static void set_mac(json_t *o, const char *key, const uint8_t mac[6])
{
	char text[18];

	(void)snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		       mac[3], mac[4], mac[5]);
	(void)json_object_set_new(o, key, json_string(text));
}

/* Ethernet address of an interface of the host; a new reference, NULL where it has none. */
static json_t *mac_of(const struct roster *r, const char *ifname)
{
	_cleanup_proc_ struct proc_result res = { 0 };
	_cleanup_json_ json_t *links = NULL;
	const json_t *link;
	const char *type;

	if (host_run(r->host, PROC_ARGV("ip", "-j", "link", "show", "dev", ifname), NULL, &res,
		     NULL) < 0)
		return NULL;
	links = json_loads(res.out, 0, NULL);
	link = json_array_get(links, 0);
	type = json_string_value(json_object_get(link, "link_type"));
	return type && strcmp(type, "ether") == 0 ? json_incref(json_object_get(link, "address"))
						  : NULL;
}

/* The Ethernet address of the host's side of an uplink tells outbound from inbound frames, at its far end too. */
static void set_uplink_macs(const struct roster *r, json_t *taps)
{
	size_t i;
	json_t *t;

	json_array_foreach(taps, i, t)
	{
		const char *role = json_string_value(json_object_get(t, "role"));
		const char *ifname = json_string_value(json_object_get(t, "interface"));
		bool uplink = strcmp(role, "uplink") == 0;

		if (uplink || strcmp(role, "isp") == 0)
			(void)json_object_set_new(
				t, "mac", mac_of(r, uplink ? ifname : host_uplink(r->host)));
	}
}

void roster_journal_policy(struct roster *r, const struct watch *w, json_t *canaries,
			   struct journal *j)
{
	const struct lab_vpn *vpn = host_is_lab(r->host) ? host_lab_vpn(r->host) : NULL;
	json_t *policy = json_object();
	json_t *taps = watch_taps_json(w);
	json_t *real = json_array();

	for (const char *const *a = host_real_addrs(r->host); a && *a; a++)
		(void)json_array_append_new(real, json_string(*a));
	add_past(r);
	set_uplink_macs(r, taps);
	(void)json_object_set_new(policy, "closed-world", json_boolean(host_is_lab(r->host)));
	(void)json_object_set_new(policy, "nonce", json_string(r->nonce));
	set_mac(policy, "control-mac", inject_source_mac);
	(void)json_object_set_new(policy, "real", real);
	if (vpn)
		(void)json_object_set_new(policy, "tunnel-addresses",
					  json_pack("[s#]", vpn->client_address,
						    (int)strcspn(vpn->client_address, "/")));
	(void)json_object_set_new(policy, "tunnels",
				  json_pack("[{s:s,s:s,s:s,s:i}]", "kind", "wireguard", "proto",
					    r->tunnel.protocol == 6 ? "tcp" : "udp", "endpoint",
					    r->endpoint, "port", (int)r->tunnel.port));
	(void)json_object_set_new(policy, "networks", values_of(r->networks));
	(void)json_object_set_new(policy, "services", values_of(r->services));
	(void)json_object_set(policy, "published", r->published);
	(void)json_object_set_new(policy, "canaries", canaries);
	(void)json_object_set_new(policy, "controls", watch_controls_json(w));
	(void)json_object_set_new(policy, "taps", taps);
	journal_event(j, "policy", json_pack("{s:o}", "policy", policy));
}
