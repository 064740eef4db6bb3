// SPDX-License-Identifier: MIT
/* The watch over one scenario: taps and controls. */
#include "engine/watch.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "capture/inject.h"
#include "rule/policy.h"

#define TAPS_MAX    24
#define ARM_TIMEOUT (15 * NS_PER_S)

struct watch {
	struct watch_opts o;
	struct tap *taps[TAPS_MAX];
	char *names[TAPS_MAX];
	size_t n;
	json_t *controls;
	bool ended;
};

/* A control: forged once on the tap `on`, and due on every tap of `due`. */
struct control_row {
	const char *on;
	const char *rule;
	enum inject_kind kind;
	const char *src; /* NULL: the real IPv4 address; "v6": the real IPv6 address */
	const char *dst;
	uint16_t dport;
	const char *due[3];
};

/* Addresses of the lab's internet; on a real host they are documentation addresses that nobody answers, and
 * the frames go to an Ethernet address that nobody owns. */
static const struct control_row controls[] = {
	{ "uplink",
	  "cleartext-outside-tunnel",
	  INJECT_TCP,
	  NULL,
	  "198.51.100.134",
	  6881,
	  { "uplink", "isp" } },
	{ "uplink",
	  "cleartext-outside-tunnel",
	  INJECT_UDP,
	  "172.30.0.200",
	  "198.51.100.134",
	  6881,
	  { "uplink", "isp" } },
	{ "uplink",
	  "cleartext-outside-tunnel",
	  INJECT_ICMP,
	  NULL,
	  "198.51.100.134",
	  0,
	  { "uplink", "isp" } },
	{ "uplink",
	  "ipv6-outside",
	  INJECT_TCP,
	  "v6",
	  "2001:db8:2::134",
	  6881,
	  { "uplink", "isp" } },
	{ "uplink", "plaintext-dns", INJECT_DNS, NULL, "198.51.100.130", 53, { "uplink", "isp" } },
	{ "uplink",
	  "tunnel-endpoint-cleartext",
	  INJECT_UDP,
	  NULL,
	  "198.51.100.2",
	  4000,
	  { "uplink", "isp" } },
	{ "lo", "plaintext-dns", INJECT_DNS, "127.0.0.1", "127.0.0.53", 53, { "lo" } },
	{ "exit",
	  "real-address-in-payload",
	  INJECT_TRACKER,
	  "10.64.0.2",
	  "198.51.100.132",
	  6969,
	  { "exit" } },
};

static struct tap *find_tap(const struct watch *w, const char *name)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->names[i], name) == 0)
			return w->taps[i];
	return NULL;
}

static int open_tap(struct watch *w, const char *name, const char *role, int netns_fd,
		    const char *ifname, bool transient, struct err *err)
{
	_cleanup_free_ char *path = str_fmt("%s/%s.pcap", w->o.dir, name);
	_cleanup_free_ char *tunnel_path = str_fmt("%s/%s-tunnel.pcap", w->o.dir, name);
	bool outside = strcmp(role, "uplink") == 0 || strcmp(role, "isp") == 0;
	struct tap_spec spec = {
		.name = name,
		.role = role,
		.netns_fd = netns_fd,
		.ifname = ifname,
		/* The exit sees the whole download in frames of up to 64 KiB: room for a second of it. */
		.ring_mib = strcmp(role, "exit") == 0 ? 128 : 32,
		.snaplen = strcmp(role, "bridge") == 0 ? 1600 : 0,
		.path = path,
		.tunnel_path = outside ? tunnel_path : NULL,
		.transient = transient,
		/* Both are bridges, and a bridge shows its own device only what is addressed to it. */
		.promisc = strcmp(role, "bridge") == 0 || strcmp(role, "isp") == 0,
	};

	if (w->n == TAPS_MAX)
		return err_set(err, EXIT_USAGE, "more than %d taps", TAPS_MAX);
	if (outside)
		spec.tunnel = w->o.tunnel;
	memcpy(spec.nonce, w->o.nonce, sizeof(spec.nonce));
	w->taps[w->n] = tap_start(&spec, err);
	if (!w->taps[w->n])
		return -1;
	w->names[w->n++] = str_fmt("%s", name);
	return 0;
}

static int open_taps(struct watch *w, struct err *err)
{
	struct host *h = w->o.host;
	int host_ns = host_netns_fd(h);
	int isp_ns = host_node_netns_fd(h, "isp");
	int vpn_ns = host_node_netns_fd(h, "vpn");

	if (open_tap(w, "uplink", "uplink", host_ns, host_uplink(h), false, err) < 0 ||
	    open_tap(w, "lo", "lo", host_ns, "lo", false, err) < 0)
		return -1;
	if (isp_ns >= 0 && open_tap(w, "isp", "isp", isp_ns, LAB_ISP_TAP, false, err) < 0)
		return -1;
	if (vpn_ns >= 0 && open_tap(w, "exit", "exit", vpn_ns, LAB_EXIT_TAP, false, err) < 0)
		return -1;
	for (const char *const *b = w->o.bridges; b && *b; b++)
		if (open_tap(w, *b, "bridge", host_ns, *b, true, err) < 0)
			return -1;
	return 0;
}

static int arm_taps(struct watch *w, struct err *err)
{
	for (size_t i = 0; i < w->n; i++) {
		if (tap_wait_armed(w->taps[i], ARM_TIMEOUT, err) < 0)
			return err_wrap(err, "tap %s", w->names[i]);
		journal_event(w->o.journal, "tap-open",
			      json_pack("{s:s,s:s,s:s}", "tap", w->names[i], "role",
					tap_role(w->taps[i]), "interface", tap_ifname(w->taps[i])));
	}
	return 0;
}

/* The first real address of a family, or NULL. */
static const char *real_addr(const struct host *h, bool v6)
{
	for (const char *const *a = host_real_addrs(h); a && *a; a++)
		if ((strchr(*a, ':') != NULL) == v6)
			return *a;
	return NULL;
}

static void control_name(const struct control_row *row, const uint8_t *nonce, char name[128])
{
	size_t at = (size_t)snprintf(name, 128, "ctl-%s-", row->rule);

	for (size_t i = 0; i < 8; i++)
		at += (size_t)snprintf(name + at, 128 - at, "%02x", nonce[i]);
	(void)snprintf(name + at, 128 - at, ".canary.example");
}

/* 1 = sent, 0 = does not apply on this host, -1 = error. */
static int send_control(const struct watch *w, const struct control_row *row, uint32_t id,
			struct err *err)
{
	const struct tap *t = find_tap(w, row->on);
	bool exit_side = strcmp(row->on, "exit") == 0;
	char name[128];
	struct inject_spec s = {
		.netns_fd = exit_side ? host_node_netns_fd(w->o.host, "vpn")
				      : host_netns_fd(w->o.host),
		.ifname = t ? tap_ifname(t) : NULL,
		.kind = row->kind,
		.src = row->src,
		.dst = row->dst,
		.dport = row->dport,
		.id = id,
		.name = name,
		.announce = real_addr(w->o.host, false),
	};

	if (!row->src || strcmp(row->src, "v6") == 0)
		s.src = real_addr(w->o.host, row->src != NULL);
	if (!t || !s.src)
		return 0;
	memcpy(s.nonce, w->o.nonce, sizeof(s.nonce));
	control_name(row, w->o.nonce, name);
	if (inject_send(&s, NULL, err) < 0)
		return err_wrap(err, "control of %s on %s", row->rule, row->on);
	return 1;
}

static int send_controls(struct watch *w, struct err *err)
{
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		const struct control_row *row = &controls[i];
		uint32_t id = POLICY_CONTROL_BASE + (uint32_t)i;
		int rc = send_control(w, row, id, err);

		if (rc < 0)
			return -1;
		for (const char *const *due = row->due; rc == 1 && *due; due++) {
			json_t *c;

			if (!find_tap(w, *due))
				continue;
			c = json_pack("{s:I,s:s,s:s}", "id", (json_int_t)id, "rule", row->rule,
				      "tap", *due);
			(void)json_array_append_new(w->controls, c);
			journal_event(w->o.journal, "control", json_copy(c));
		}
	}
	return 0;
}

struct watch *watch_begin(const struct watch_opts *o, struct err *err)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->o = *o;
	w->controls = json_array();
	if (open_taps(w, err) < 0 || arm_taps(w, err) < 0 || send_controls(w, err) < 0) {
		watch_free(w);
		return NULL;
	}
	return w;
}

static json_t *events_json(const struct tap *t)
{
	struct tap_event events[64];
	size_t n = tap_events(t, 0, events, 64);
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(
			list, json_pack("{s:s,s:I,s:I,s:s}", "kind", tap_event_name(events[i].kind),
					"at", (json_int_t)events[i].real, "count",
					(json_int_t)events[i].count, "text", events[i].text));
	return list;
}

void watch_end(struct watch *w)
{
	if (w->ended)
		return;
	w->ended = true;
	for (size_t i = 0; i < w->n; i++) {
		struct err err = { 0 };
		struct tap_stats s;

		(void)tap_stop(w->taps[i], &err);
		tap_stats(w->taps[i], &s);
		journal_event(
			w->o.journal, "tap",
			json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:b,s:b,s:b,s:b,s:i,s:i,s:s,s:o}",
				  "tap", w->names[i], "role", tap_role(w->taps[i]), "interface",
				  tap_ifname(w->taps[i]), "received", (json_int_t)s.received,
				  "dropped", (json_int_t)s.dropped + (json_int_t)s.tunnel_dropped,
				  "delivered", (json_int_t)s.delivered, "tunnel",
				  (json_int_t)s.tunnel_delivered, "beacon-begin", s.beacon_begin,
				  "beacon-end", s.beacon_end, "reconciled", s.reconciled, "failed",
				  s.failed, "lives", (int)s.lives, "gaps", (int)s.gaps, "error",
				  s.error, "events", events_json(w->taps[i])));
	}
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->n; i++) {
		tap_free(w->taps[i]);
		free(w->names[i]);
	}
	json_decref(w->controls);
	free(w);
}

uint64_t watch_tunnel_packets(const struct watch *w)
{
	const struct tap *inside = find_tap(w, "exit");
	struct tap_live live;

	tap_live(inside ? inside : find_tap(w, "uplink"), &live);
	return inside ? live.packets : live.tunnel_packets;
}

uint64_t watch_outside_packets(const struct watch *w)
{
	struct tap_live live;

	tap_live(find_tap(w, "uplink"), &live);
	return live.packets;
}

json_t *watch_taps_json(const struct watch *w)
{
	json_t *list = json_array();

	for (size_t i = 0; i < w->n; i++)
		(void)json_array_append_new(
			list, json_pack("{s:s,s:s,s:s,s:s+}", "name", w->names[i], "role",
					tap_role(w->taps[i]), "interface", tap_ifname(w->taps[i]),
					"file", w->names[i], ".pcap"));
	return list;
}

json_t *watch_controls_json(const struct watch *w)
{
	return json_deep_copy(w->controls);
}
