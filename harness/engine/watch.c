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

#define TAPS_MAX 24
#define LINK_SNAPLEN \
	1600 /* all of a packet that fits a link; frames of offloads are up to 64 KiB */
#define ARM_TIMEOUT (15 * NS_PER_S)

struct watch {
	struct watch_opts o;
	struct tap *taps[TAPS_MAX];
	char *names[TAPS_MAX];
	size_t n;
	json_t *controls;
	bool ended;
};

/* A control: forged once on every tap of the role `on`, and due there; what the tap of that very name shows is due on
 * the taps of `also` too. */
struct control_row {
	const char *on;
	const char *rule;
	enum inject_kind kind;
	const char *src; /* NULL: the real IPv4 address; "v6": the real IPv6 address */
	const char *dst; /* NULL: the tunnel's endpoint, and the real address of its family */
	uint16_t dport;
	const char *also[2];
};

#define CLEARTEXT "cleartext-outside-tunnel"

/* Addresses of the lab's internet; on a real host they are documentation addresses that nobody answers, and
 * the frames go to an Ethernet address that nobody owns. */
static const struct control_row controls[] = {
	{ "uplink", CLEARTEXT, INJECT_TCP, NULL, "198.51.100.134", 6881, { "isp" } },
	{ "uplink", CLEARTEXT, INJECT_UDP, "172.30.0.200", "198.51.100.134", 6881, { "isp" } },
	{ "uplink", CLEARTEXT, INJECT_ICMP, NULL, "198.51.100.134", 0, { "isp" } },
	{ "uplink", "ipv6-outside", INJECT_TCP, "v6", "2001:db8:2::134", 6881, { "isp" } },
	{ "uplink", "plaintext-dns", INJECT_DNS, NULL, "198.51.100.130", 53, { "isp" } },
	{ "uplink", "tunnel-endpoint-cleartext", INJECT_UDP, NULL, NULL, 4000, { "isp" } },
	{ "lo", "plaintext-dns", INJECT_DNS, "127.0.0.1", "127.0.0.53", 53, { NULL } },
	{ "exit",
	  "real-address-in-payload",
	  INJECT_TRACKER,
	  "10.64.0.2",
	  "198.51.100.132",
	  6969,
	  { NULL } },
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
	bool bridge = strcmp(role, "bridge") == 0;
	bool inside = bridge && !w->o.whole_frames;
	struct tap_spec spec = {
		.name = name,
		.role = role,
		.netns_fd = netns_fd,
		.ifname = ifname,
		/* The exit sees the whole download in frames of up to 64 KiB: room for a second of it. */
		.ring_mib = strcmp(role, "exit") == 0 ? 128 : 32,
		.snaplen = inside ? LINK_SNAPLEN : 0,
		.inside = inside,
		.path = path,
		.tunnel_path = outside ? tunnel_path : NULL,
		.transient = transient,
		/* Both are bridges, and a bridge shows its own device only what is addressed to it. */
		.promisc = bridge || strcmp(role, "isp") == 0,
	};

	if (w->n == TAPS_MAX)
		return err_set(err, EXIT_USAGE, "more than %d taps", TAPS_MAX);
	if (outside || inside)
		spec.tunnel = w->o.tunnel;
	memcpy(spec.nonce, w->o.nonce, sizeof(spec.nonce));
	w->taps[w->n] = tap_start(&spec, err);
	if (!w->taps[w->n])
		return -1;
	w->names[w->n++] = str_fmt("%s", name);
	return 0;
}

/* The first way out is called "uplink", another one has the interface's name with it. */
static int open_uplinks(struct watch *w, int host_ns, struct err *err)
{
	const char *const *all = host_uplinks(w->o.host);

	for (const char *const *u = all; *u; u++) {
		_cleanup_free_ char *name = u == all ? str_fmt("uplink") : str_fmt("uplink-%s", *u);

		if (open_tap(w, name, "uplink", host_ns, *u, false, err) < 0)
			return -1;
	}
	return 0;
}

static int open_taps(struct watch *w, struct err *err)
{
	struct host *h = w->o.host;
	int host_ns = host_netns_fd(h);
	int isp_ns = host_node_netns_fd(h, "isp");
	int vpn_ns = host_node_netns_fd(h, "vpn");

	if (open_uplinks(w, host_ns, err) < 0 ||
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
static int send_control(const struct watch *w, const struct control_row *row, const struct tap *t,
			uint32_t id, struct err *err)
{
	bool exit_side = strcmp(row->on, "exit") == 0;
	const char *dst = row->dst ? row->dst : w->o.tunnel.address;
	char name[128];
	struct inject_spec s = {
		.netns_fd = exit_side ? host_node_netns_fd(w->o.host, "vpn")
				      : host_netns_fd(w->o.host),
		.ifname = tap_ifname(t),
		.kind = row->kind,
		.src = row->src,
		.dst = dst,
		/* Never the tunnel's own port: that would be its exact tuple. */
		.dport = (uint16_t)(row->dport + (!row->dst && row->dport == w->o.tunnel.port)),
		.id = id,
		.name = name,
		.announce = real_addr(w->o.host, false),
	};

	if (!row->src || strcmp(row->src, "v6") == 0)
		s.src = real_addr(w->o.host, strchr(dst, ':') != NULL);
	if (!s.src || (row->kind == INJECT_TRACKER && !s.announce))
		return 0;
	memcpy(s.nonce, w->o.nonce, sizeof(s.nonce));
	control_name(row, w->o.nonce, name);
	if (inject_send(&s, NULL, err) < 0)
		return err_wrap(err, "control of %s on %s", row->rule, tap_name(t));
	return 1;
}

static void note_control(struct watch *w, const struct control_row *row, const char *tap,
			 uint32_t id)
{
	json_t *c = json_pack("{s:I,s:s,s:s}", "id", (json_int_t)id, "rule", row->rule, "tap", tap);

	(void)json_array_append_new(w->controls, c);
	journal_event(w->o.journal, "control", json_copy(c));
}

/* Row i on tap t, where the far taps see what the first uplink sees. */
static int place_control(struct watch *w, size_t i, const struct tap *t, struct err *err)
{
	const struct control_row *row = &controls[i];
	/* A lookup is known by its name, which says the rule and no number. */
	uint32_t id = POLICY_CONTROL_BASE + (row->kind == INJECT_DNS ? 0 : 1 + (uint32_t)i);
	int rc = send_control(w, row, t, id, err);

	if (rc <= 0)
		return rc;
	note_control(w, row, tap_name(t), id);
	for (const char *const *also = row->also; *also; also++)
		if (strcmp(tap_name(t), row->on) == 0 && find_tap(w, *also))
			note_control(w, row, *also, id);
	return 0;
}

static int send_controls(struct watch *w, struct err *err)
{
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
		for (size_t t = 0; t < w->n; t++)
			if (strcmp(tap_role(w->taps[t]), controls[i].on) == 0 &&
			    place_control(w, i, w->taps[t], err) < 0)
				return -1;
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
				  tap_ifname(w->taps[i]), "received",
				  (json_int_t)s.received + (json_int_t)s.tunnel_received, "dropped",
				  (json_int_t)s.dropped + (json_int_t)s.tunnel_dropped, "delivered",
				  (json_int_t)s.delivered, "tunnel", (json_int_t)s.tunnel_delivered,
				  "beacon-begin", s.beacon_begin, "beacon-end", s.beacon_end,
				  "reconciled", s.reconciled, "failed", s.failed, "lives",
				  (int)s.lives, "gaps", (int)s.gaps, "error", s.error, "events",
				  events_json(w->taps[i])));
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
	uint64_t n = 0;

	for (size_t i = 0; i < w->n; i++) {
		tap_live(w->taps[i], &live);
		if (inside)
			n += w->taps[i] == inside ? live.packets : 0;
		else
			n += live.tunnel_packets;
	}
	return n;
}

json_t *watch_taps_json(const struct watch *w)
{
	json_t *list = json_array();
	struct tap_stats s;

	for (size_t i = 0; i < w->n; i++) {
		tap_stats(w->taps[i], &s);
		if (s.lives == 0)
			continue; /* its interface never appeared, and there is no file */
		(void)json_array_append_new(
			list, json_pack("{s:s,s:s,s:s,s:s+}", "name", w->names[i], "role",
					tap_role(w->taps[i]), "interface", tap_ifname(w->taps[i]),
					"file", w->names[i], ".pcap"));
	}
	return list;
}

json_t *watch_controls_json(const struct watch *w)
{
	return json_deep_copy(w->controls);
}
