/* SPDX-License-Identifier: MIT */
/* A result with every kind of scenario, made by code: the same bytes each time. */
#ifndef TESTS_REPORT_SAMPLE_H
#define TESTS_REPORT_SAMPLE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "result/result.h"

#define SAMPLE_BEGIN (INT64_C(1795503600) * NS_PER_S) /* 2026-11-24T07:00:00Z */
#define SAMPLE_BIN   (100 * NS_PER_MS)

/* Text that must never become markup, a terminal's escape sequence, or broken XML. */
#define HOSTILE "<script>alert(1)</script>\"'&]]>\x1b[31m\xe2\x80\xae\xff\x01"

static inline int64_t seconds(double s)
{
	return (int64_t)llround(s * 1000) * NS_PER_MS;
}

/* Numbers that look alive and are the same in every run (Knuth's MMIX generator). */
static inline double sample_noise(void)
{
	static uint64_t x = 1;

	x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(x >> 40) / (double)(1 << 24);
}

static inline struct result_scenario *sample_scenario(struct result *r, const char *name,
						      const char *summary, enum verdict v,
						      const char *reason, double length)
{
	int64_t begin = r->n_scenarios ? r->scenarios[r->n_scenarios - 1].end : SAMPLE_BEGIN;
	struct result_scenario *s = result_add_scenario(r);

	s->name = str_fmt("%s", name);
	s->summary = str_fmt("%s", summary);
	s->file = str_fmt("scenarios/%s.yaml", name);
	s->line = 3;
	s->verdict = v;
	s->as_expected = v == VERDICT_PASS;
	s->reason = str_fmt("%s", reason);
	s->begin = begin;
	s->end = begin + seconds(length);
	return s;
}

static inline struct result_window *sample_window(struct result_scenario *s, const char *kind,
						  const char *label, double from, double to)
{
	struct result_window *w = result_add_window(s);

	w->kind = str_fmt("%s", kind);
	w->label = str_fmt("%s", label);
	w->begin = s->begin + seconds(from);
	w->end = s->begin + seconds(to);
	w->confirmed = true;
	return w;
}

static inline struct result_window *sample_fault(struct result_scenario *s, const char *label,
						 double from, double to, const char *confirmation)
{
	struct result_window *w = sample_window(s, "fault", label, from, to);

	w->uncertainty = 594614;
	w->confirmation = str_fmt("%s", confirmation);
	return w;
}

static inline void sample_measure(struct result_scenario *s, const char *name, const char *text,
				  double value, double bound, double uncertainty, bool ok)
{
	struct result_measure *m = result_add_measure(s);

	m->name = str_fmt("%s", name);
	m->text = str_fmt("%s", text);
	m->value = isnan(value) ? RESULT_NONE : seconds(value);
	m->bound = isnan(bound) ? RESULT_NONE : seconds(bound);
	m->uncertainty = seconds(uncertainty);
	m->ok = ok;
}

/* `level` packets a bin within [from, to), unevenly; 0 elsewhere. */
static inline struct result_series *sample_series(struct result_scenario *s, const char *name,
						  const char *unit, double level)
{
	struct result_series *x = result_add_series(s,
						    (size_t)((s->end - s->begin) / SAMPLE_BIN) + 1);

	x->name = str_fmt("%s", name);
	x->unit = str_fmt("%s", unit);
	x->start = s->begin;
	x->bin = SAMPLE_BIN;
	for (size_t i = 0; i < x->count; i++)
		x->values[i] = strcmp(unit, "state") == 0
				       ? level
				       : floor(level * (0.6 + 0.4 * sample_noise()));
	return x;
}

static inline void sample_silence(struct result_series *x, double from, double to)
{
	for (size_t i = 0; i < x->count; i++) {
		double t = (double)i * (double)SAMPLE_BIN / 1e9;

		if (t >= from && t < to)
			x->values[i] = 0;
	}
}

/* The five lanes of a stack that is up from 4 s on and cut off within [from, to). */
static inline void sample_lanes(struct result_scenario *s, double from, double to)
{
	double length = (double)(s->end - s->begin) / 1e9;
	struct result_series *tunnel = sample_series(s, "tunnel", "packets", 240);
	struct result_series *blocked, *health;

	sample_silence(tunnel, 0, 4);
	sample_silence(tunnel, from, to);
	sample_silence(tunnel, length - 1.5, length + 1);
	blocked = sample_series(s, "blocked", "packets", 14);
	sample_silence(blocked, 0, from);
	sample_silence(blocked, to, length + 1);
	for (size_t i = 0; i < blocked->count; i++)
		s->blocked += (uint64_t)blocked->values[i];
	sample_silence(sample_series(s, "leaks", "packets", 0), 0, 0);
	sample_silence(sample_series(s, "canaries", "packets", 15), 0, 3.5);
	health = sample_series(s, "health", "state", 1);
	sample_silence(health, from + 1, to + 0.5);
	for (size_t i = 0; i < 35 && i < health->count; i++)
		health->values[i] = (double)NAN;
	sample_window(s, "phase", "up", 0.5, 4);
	sample_window(s, "phase", "down", length - 1.5, length);
	s->canaries_sent = 1500;
}

static inline struct result_tap *sample_tap(struct result_scenario *s, const char *name,
					    const char *role, uint64_t received)
{
	struct result_tap *t = result_add_tap(s);

	t->name = str_fmt("%s", name);
	t->role = str_fmt("%s", role);
	t->interface = str_fmt("%s", strcmp(role, "uplink") == 0 ? "eth0" : name);
	t->file = str_fmt("%s/%s.pcap", s->name, name);
	t->received = t->delivered = received;
	t->beacon_begin = t->beacon_end = t->reconciled = true;
	t->packets = received;
	t->bytes = 900 * received;
	return t;
}

static inline struct result_control *sample_control(struct result_scenario *s, const char *rule,
						    const char *tap)
{
	struct result_control *c = result_add_control(s);

	c->rule = str_fmt("%s", rule);
	c->tap = str_fmt("%s", tap);
	c->caught = true;
	c->detail = str_fmt("forged packet found and taken out of the findings");
	return c;
}

static inline void sample_allowance(struct result_scenario *s, const char *name, const char *who,
				    const char *what, uint64_t packets)
{
	struct result_allowance *a = result_add_allowance(s);

	a->name = str_fmt("%s", name);
	a->who = str_fmt("%s", who);
	a->what = str_fmt("%s", what);
	a->builtin = !*who;
	a->any_payload = strstr(what, "any payload") != NULL;
	a->packets = packets;
	a->bytes = 100 * packets;
}

static inline void sample_vouchers(struct result_scenario *s)
{
	static const char *const rules[] = { "cleartext-outside-tunnel", "plaintext-dns",
					     "ipv6-outside-tunnel" };

	(void)sample_tap(s, "uplink", "uplink", 21034);
	(void)sample_tap(s, "isp", "isp", 21031);
	(void)sample_tap(s, "lo", "lo", 12);
	(void)sample_tap(s, "exit", "exit", 20877);
	sample_tap(s, "br-vpn0", "bridge", 25311)->beacon_end = false;
	sample_allowance(s, "arp", "", "", 4);
	sample_allowance(s, "the clock of the host", "host",
			 "udp, port 123, any address, both ways, ntp", 3);
	sample_allowance(s, "updates of the host", "host",
			 "tcp, port 443, any address, outbound, tls", 0);
	sample_allowance(s, "a camera", "lan",
			 "udp, ports 5000-5010, peer 192.0.2.9, both ways, any "
			 "payload",
			 2);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		(void)sample_control(s, rules[i], "uplink");
		(void)sample_control(s, rules[i], "isp");
	}
}

static inline void sample_rule(struct result_scenario *s, const char *rule, const char *severity)
{
	struct result_rule *r = NULL;

	for (size_t i = 0; i < s->n_rules; i++)
		if (strcmp(s->rules[i].rule, rule) == 0)
			r = &s->rules[i];
	if (!r) {
		r = result_add_rule(s);
		r->rule = str_fmt("%s", rule);
		r->severity = str_fmt("%s", severity);
		r->meaning = str_fmt("What the rule %s means.", rule);
		r->advice = str_fmt("Close the path.");
	}
	r->findings++;
}

static inline struct result_finding *sample_finding(struct result_scenario *s, const char *rule,
						    const char *service, const char *sentence,
						    const char *packet, double at)
{
	const char *severity = strcmp(rule, "sni-outside-tunnel") == 0 ? "high" : "critical";
	struct result_finding *x = result_add_finding(s);

	sample_rule(s, rule, severity);
	if (!x)
		return NULL;
	x->rule = str_fmt("%s", rule);
	x->severity = str_fmt("%s", severity);
	x->sentence = str_fmt("%s", sentence);
	x->tap = str_fmt("uplink");
	x->service = str_fmt("%s", service);
	x->attribution = str_fmt("%s", *service ? "bridge-match" : "policy");
	x->confidence = *service ? 0.97 : 0.8;
	x->time = s->begin + seconds(at);
	x->frame = 1200 + s->findings_total;
	x->evidence = str_fmt("../../captures/sample/%s/evidence/uplink.pcap", s->name);
	x->packet = str_fmt("%s", packet);
	x->advice = str_fmt(
		"Close the path that the sentence names: policies DROP before any address is set, "
		"no second network, no published port on a protected service.");
	return x;
}

static inline void sample_mark(struct result_scenario *s, double at, double packets)
{
	for (size_t i = 0; i < s->n_series; i++)
		if (strcmp(s->series[i].name, "leaks") == 0)
			s->series[i].values[(size_t)(at * 10)] += packets;
}

/* ---- the scenarios ---- */

static inline void sample_passes(struct result *r)
{
	struct result_scenario *s = sample_scenario(
		r, "steady-state", "Nothing is broken: qBittorrent downloads through the tunnel",
		VERDICT_PASS,
		"no packet outside the tunnel; every tap and every control vouch for it", 30);

	sample_lanes(s, 28.5, 28.5);
	sample_vouchers(s);
	s = sample_scenario(
		r, "kill-vpn-process", "The VPN process inside the gateway is killed under load",
		VERDICT_PASS,
		"no packet outside the tunnel; every tap and every control vouch for it", 25);
	sample_fault(s, "vpn.process-kill gluetun (wireguard-go)", 6.5, 6.5005,
		     "process 17489 (wireguard-go) has ended");
	sample_lanes(s, 6.5, 16.2);
	sample_measure(s, "kill-switch",
		       "no leaked packet; 3110 attempts after the fault stayed inside; sampled "
		       "every 20.7 ms at "
		       "worst",
		       (double)NAN, 5, 0.021, true);
	sample_measure(s, "last-tunnel-packet", "0.001 s before the fault", -0.001, (double)NAN,
		       0.001, true);
	sample_measure(s, "app-cut-off", "0.039 s", 0.039, (double)NAN, 0.05, true);
	sample_measure(s, "recovery", "9.689 s", 9.689, 60, 0.05, true);
	sample_vouchers(s);
}

static inline void sample_repeats(struct result *r)
{
	struct result_scenario *s = sample_scenario(r, "kill-vpn-container",
						    "The gateway container is killed", VERDICT_PASS,
						    "no packet outside the tunnel", 20);

	sample_fault(s, "vpn.container-kill gluetun", 6, 6.012, "the engine says: exited (137)");
	sample_lanes(s, 6, 8.1);
	sample_measure(s, "kill-switch", "no leaked packet", (double)NAN, 5, 0.012, true);
	sample_vouchers(s);
	s = sample_scenario(r, "kill-vpn-container", "The gateway container is killed",
			    VERDICT_LEAK,
			    "qbittorrent sent UDP to 198.51.100.134:6881 outside the tunnel", 20);
	s->repeat = 2;
	sample_fault(s, "vpn.container-kill gluetun", 6, 6.012, "the engine says: exited (137)");
	sample_lanes(s, 6, 8.1);
	for (unsigned i = 0; i < 230; i++) {
		double at = 6.1 + 0.002 * i;

		(void)sample_finding(
			s, "cleartext-outside-tunnel", "qbittorrent",
			"qbittorrent sent UDP to 198.51.100.134:6881 outside the tunnel.",
			"203.0.113.10:6881 > 198.51.100.134:6881 udp length 60", at);
		if (i % 20 == 0)
			(void)sample_finding(s, "plaintext-dns", "prowlarr",
					     "prowlarr looked up c17.example by DNS at "
					     "198.51.100.130:53, outside "
					     "the tunnel.",
					     "203.0.113.10:40412 > 198.51.100.130:53 udp dns query "
					     "c17.example A",
					     at);
		sample_mark(s, at, 1);
	}
	(void)sample_finding(
		s, "sni-outside-tunnel", "",
		"Somebody opened a TLS connection to indexer.example outside the tunnel.",
		"[2001:db8:1::10]:51034 > [2001:db8:2::132]:443 tcp tls client hello", 11.4);
	sample_mark(s, 11.4, 1);
	sample_measure(s, "kill-switch", "231 packets leaked until 5.400 s after the fault", 5.4, 5,
		       0.012, false);
	sample_vouchers(s);
}

static inline void sample_long_and_broken(struct result *r)
{
	struct result_scenario *s = sample_scenario(
		r, "vpn-server-blackhole", "The VPN server answers nothing for three minutes",
		VERDICT_PASS, "no packet outside the tunnel", 240);

	sample_fault(s, "vpn.server-blackhole", 10, 190,
		     "the router dropped 412 packets of the tunnel");
	sample_lanes(s, 10, 196);
	sample_measure(s, "kill-switch", "no leaked packet", (double)NAN, 5, 0.025, true);
	sample_measure(s, "recovery", "6.100 s", 6.1, 60, 0.05, true);
	sample_vouchers(s);
	s = sample_scenario(r, "dns-outage", "The resolver behind the tunnel is silent",
			    VERDICT_FAIL, "recovery: not within the scenario", 40);
	sample_fault(s, "dns.outage", 8, 18, "three lookups in a row had no answer");
	sample_lanes(s, 8, 38);
	sample_measure(s, "kill-switch", "no leaked packet", (double)NAN, 5, 0.025, true);
	sample_measure(s, "recovery", "not within the scenario", 22, 15, 0.05, false);
	sample_vouchers(s);
	s = sample_scenario(r, "network-partition", "Two apps are cut off, one after the other",
			    VERDICT_PASS, "no packet outside the tunnel", 45);
	sample_fault(s, "net.partition sonarr", 8, 14,
		     "1200 packets dropped by the fault's own counter");
	sample_fault(s, "net.partition radarr", 20, 26,
		     "1190 packets dropped by the fault's own counter");
	sample_lanes(s, 8, 26);
	for (unsigned i = 0; i < 2; i++) {
		sample_measure(s, "kill-switch", "no leaked packet", (double)NAN, 5, 0.02, true);
		sample_measure(s, "recovery", "0.412 s", 0.412, 20, 0.05, true);
	}
	sample_vouchers(s);
}

static inline void sample_doubts(struct result *r)
{
	struct result_scenario *s = sample_scenario(
		r, "container-crash", "An app is killed from the host", VERDICT_INCONCLUSIVE,
		"tap br-vpn0 lost 31 packets", 22);

	sample_fault(s, "container.crash qbittorrent", 7, 7.02,
		     "the process was still there after 5 s")
		->confirmed = false;
	sample_lanes(s, 7, 9);
	sample_vouchers(s);
	s->taps[4].dropped = 31;
	s->taps[4].delivered -= 31;
	s->taps[4].reconciled = false;
	s->controls[2].caught = false;
	free(s->controls[2].detail);
	s->controls[2].detail = str_fmt("forged packet was not found");
	(void)sample_scenario(r, "slow-uplink", "The uplink is slow and lossy", VERDICT_SKIPPED,
			      "this kernel has no netem (sch_netem): delay and loss cannot be made",
			      0);
	s = sample_scenario(r, HOSTILE, "summary " HOSTILE, VERDICT_ERROR,
			    "the engine went away: " HOSTILE, 3);
	(void)sample_tap(s, HOSTILE, "uplink", 3);
	sample_fault(s, HOSTILE, 1, 2, HOSTILE);
	(void)sample_series(s, "tunnel", HOSTILE, 5);
	(void)sample_control(s, HOSTILE, HOSTILE);
	sample_measure(s, HOSTILE, HOSTILE, 1, 2, 0, true);
	(void)sample_finding(s, HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1.5);
	free(s->findings[0].evidence);
	s->findings[0].evidence = str_fmt("javascript:alert(1)//" HOSTILE);
	s->findings_total = 1;
}

static inline void sample_controls(struct result *r)
{
	struct result_scenario *s = sample_scenario(
		r, "control-start-window", "A gateway that is open for a moment after its start",
		VERDICT_LEAK, "The stack sent UDP with a private source address on the uplink", 18);

	s->must_leak = s->as_expected = true;
	sample_fault(s, "vpn.process-kill gluetun (init)", 6, 6.001, "process 812 has ended");
	sample_lanes(s, 6, 7.2);
	for (unsigned i = 0; i < 31; i++) {
		(void)sample_finding(
			s, "private-source-outside", "qbittorrent",
			"qbittorrent sent a packet with a private source address on the uplink.",
			"172.30.0.129:43211 > 198.51.100.134:9 udp length 32", 6.4 + 0.002 * i);
		sample_mark(s, 6.4 + 0.002 * i, 1);
	}
	sample_measure(s, "kill-switch", "31 packets leaked until 0.460 s after the fault", 0.46, 5,
		       0.001, true);
	sample_vouchers(s);
	s = sample_scenario(r, "control-leaky-stack", "The old architecture, kill switch off",
			    VERDICT_PASS, "no packet outside the tunnel", 18);
	s->must_leak = true;
	s->as_expected = false;
	sample_lanes(s, 16.5, 16.5);
	sample_vouchers(s);
}

/* Caller frees with result_free(). */
static inline struct result *sample_result(void)
{
	struct result *r = result_new();

	r->run = str_fmt("20261124-070000-5eed");
	r->version = str_fmt("0.1.0");
	r->verdict = VERDICT_LEAK;
	r->sentence = str_fmt(
		"6 of 12 scenarios did not end as they must; the worst verdict is: leak.");
	r->begin = SAMPLE_BEGIN;
	r->seed = UINT64_C(18446744073709551557); /* above INT64_MAX */
	(void)result_add_environment(r, "kernel", "6.18.44");
	(void)result_add_environment(r, "host", "lab (virtual host in namespaces)");
	(void)result_add_environment(r, "hostname", "mediabox");
	(void)result_add_environment(r, "engine", "26.1.5+dfsg1");
	(void)result_add_environment(r, "real address", "203.0.113.10");
	(void)result_add_environment(r, "real address", "2001:db8:1::10/64");
	(void)result_add_image(r, "gluetun",
			       "leakproof/gateway:local (built here, stand-in) sha256:4f1c");
	(void)result_add_image(r, "qbittorrent",
			       "leakproof/qbittorrent:local (built here, Debian's) sha256:a81d");
	(void)result_add_image(r, "nginx",
			       "leakproof/nginx:local (built here, Debian's) sha256:77b0");
	sample_passes(r);
	sample_repeats(r);
	sample_long_and_broken(r);
	sample_doubts(r);
	sample_controls(r);
	r->end = r->scenarios[r->n_scenarios - 1].end;
	result_seal(r);
	return r;
}

/* ---- captures of any origin ---- */

/* A home server whose torrent client leaked, in a capture that was cut off; caller frees with result_free(). */
static inline struct result *sample_analysis(void)
{
	struct result *r = result_new();
	struct result_scenario *s;
	struct result_tap *t;

	free(r->kind);
	r->kind = str_fmt("%s", RESULT_ANALYSIS);
	r->run = str_fmt("uplink.pcap, br-vpn.pcap");
	r->version = str_fmt("0.1.0");
	r->verdict = VERDICT_LEAK;
	r->sentence = str_fmt(
		"24 of 46345 packets left outside the tunnel or betrayed the real address.");
	r->begin = SAMPLE_BEGIN;
	r->end = SAMPLE_BEGIN + seconds(30);
	(void)result_add_environment(r, "policy", "home-server.yaml");
	(void)result_add_environment(r, "tunnel", "wireguard, udp, 198.51.100.2 port 51820");
	(void)result_add_environment(r, "real address", "203.0.113.10");
	s = sample_scenario(
		r, "uplink.pcap, br-vpn.pcap", "Captures judged against home-server.yaml",
		VERDICT_LEAK,
		"qbittorrent or sonarr sent UDP to 198.51.100.134:6881 outside the tunnel.", 30);
	free(s->file);
	s->file = str_fmt("uplink.pcap");
	s->line = 0;
	sample_silence(sample_series(s, "tunnel", "packets", 240), 6, 18);
	(void)sample_series(s, "blocked", "packets", 1);
	sample_silence(sample_series(s, "leaks", "packets", 0), 0, 0);
	for (unsigned i = 0; i < 24; i++)
		(void)sample_finding(
			s, "cleartext-outside-tunnel", "qbittorrent or sonarr",
			"qbittorrent or sonarr sent UDP to 198.51.100.134:6881 outside the tunnel.",
			"203.0.113.10:6881 > 198.51.100.134:6881 udp length 60", 6.1 + 0.5 * i);
	for (unsigned i = 0; i < 24; i++)
		sample_mark(s, 6.1 + 0.5 * i, 1);
	for (size_t i = 0; i < s->n_findings; i++) {
		free(s->findings[i].attribution);
		s->findings[i].attribution = str_fmt("ambiguous");
		s->findings[i].confidence = 0.5;
		free(s->findings[i].evidence);
		s->findings[i].evidence = str_fmt("%s", "");
	}
	t = sample_tap(s, "uplink", "uplink", 21034);
	t->note = str_fmt("uplink.pcap: capture file: cut inside a record at byte 91234");
	t->reconciled = false;
	t->tunnel = 20000;
	t->leaked = 24;
	t = sample_tap(s, "br-vpn", "bridge", 25311);
	t->attempts = 1200;
	s->blocked = 31;
	sample_allowance(s, "arp", "", "", 4);
	sample_allowance(s, "updates of the host", "host",
			 "tcp, port 443, any address, outbound, tls", 0);
	sample_allowance(s, "a camera", "lan",
			 "udp, ports 5000-5010, peer 192.0.2.9, both ways, any "
			 "payload",
			 2);
	result_seal(r);
	return r;
}

#endif
