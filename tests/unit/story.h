/* SPDX-License-Identifier: MIT */
/* A run as it lies on the disk, made by hand: a journal, captures and a probe's log of one scenario that passes. The
 * tests take one thing after the other away from it. */
#ifndef TESTS_STORY_H
#define TESTS_STORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "capture/pcap_file.h"
#include "engine/evaluate.h"
#include "golden/cases.h"
#include "probe/probe_file.h"
#include "rule/policy.h"

#define STORY_START    (INT64_C(1767225600) * NS_PER_S)
#define STORY_MONO     (1000 * NS_PER_S)
#define STORY_FAULT    (4 * NS_PER_S) /* after the start */
#define STORY_END      (20 * NS_PER_S)
#define STORY_CONTROL  INT64_C(0x80000001)
#define STORY_ANNOUNCE INT64_C(0x80000008)
#define STORY_LOOKUP   INT64_C(0x80000000)

struct story {
	char dir[32];
	json_t *events;
	json_t *policy; /* borrowed from its event */
	int64_t now;	/* nanoseconds after the start */
};

/* ---- files ---- */

struct story_file {
	struct pcap_file *f;
	int64_t packets;
};

static inline char *story_path(const struct story *s, const char *name)
{
	return str_fmt("%s/captures/one/%s", s->dir, name);
}

static inline struct story_file story_open(const struct story *s, const char *name, uint32_t link)
{
	_cleanup_free_ char *path = story_path(s, name);
	struct err err = { 0 };
	struct story_file x = { .f = pcap_file_create(path, link, 65535, &err) };

	assert_non_null(x.f);
	return x;
}

static inline void story_add(struct story_file *x, int64_t at, struct bytes b)
{
	int64_t t = STORY_START + at;

	assert_int_equal(pcap_file_add(x->f, t / NS_PER_S, (uint32_t)(t % NS_PER_S), b.b,
				       (uint32_t)b.n, (uint32_t)b.n, NULL),
			 0);
	x->packets++;
}

static inline int64_t story_close(struct story_file *x)
{
	assert_int_equal(pcap_file_close(x->f, NULL), 0);
	return x->packets;
}

static inline struct bytes story_control(void)
{
	return out(ip(REAL, SINK, P_TCP,
		      tcp(40001, 6881, 1, F_SYN, cat(hex(MARKER), be(STORY_CONTROL, 4)))));
}

static inline struct bytes story_announce(void)
{
	return ip(TUN, "198.51.100.132", P_TCP,
		  tcp(40001, 6969, 1, F_PSH | F_ACK,
		      text("GET /announce?info_hash=%%4c%%50%%43%%54%%4c01234567890abcd&peer_id="
			   "-LP0001-000000000000&port=6881&uploaded=0&downloaded=0&left=0&ip=" REAL
			   " HTTP/1.1\r\nHost: 198.51.100.132\r\nX-Control: " MARKER "%08x\r\n\r\n",
			   (unsigned)STORY_ANNOUNCE)));
}

static inline struct bytes story_lookup(void)
{
	return eth(M_HOST, M_HOST, 0x0800,
		   ip("127.0.0.1", "127.0.0.53", P_UDP,
		      udp(40001, 53,
			  dns_query(9, "ctl-plaintext-dns-6c70000102030405.canary.example"))));
}

/* A packet of a protected service: what a canary of the story looks like. */
static inline struct bytes story_canary(const char *source)
{
	return ip4o(source, SINK, P_UDP, (struct ip_fields){ .id = 77 },
		    udp(40001, 40001, cat(hex(MARKER), be(1, 4))));
}

static inline struct bytes story_packet(const char *source)
{
	return ip4o(source, SINK, P_UDP, (struct ip_fields){ .id = 78 },
		    udp(40001, 40001, text("whatever an app says")));
}

static inline void story_log(const struct story *s, const char *name, int64_t from, int64_t to,
			     bool ended)
{
	_cleanup_free_ char *path = story_path(s, name);
	struct probe_file_head h = {
		.magic = PROBE_FILE_MAGIC, .kind = "dns", .id = 1, .rate_hz = 10
	};
	_cleanup_free_ char *data = calloc(1, 65536);
	size_t len = sizeof(h);
	uint32_t seq = 1;

	memcpy(data, &h, sizeof(h));
	for (int64_t at = from; at < to; at += 100 * NS_PER_MS, seq++) {
		const struct probe_record rows[2] = { { STORY_START + at, 0, seq, PROBE_SENT, 0 },
						      { STORY_START + at + NS_PER_MS, NS_PER_MS,
							seq, PROBE_REPLY, 0 } };

		memcpy(data + len, rows, sizeof(rows));
		len += sizeof(rows);
	}
	if (ended) {
		const struct probe_record end = { STORY_START + to, 0, 0, PROBE_END, 0 };

		memcpy(data + len, &end, sizeof(end));
		len += sizeof(end);
	}
	assert_int_equal(fs_write(path, data, len, 0644, NULL), 0);
}

/* ---- the journal ---- */

static inline json_t *story_event(struct story *s, const char *event, json_t *fields)
{
	json_t *e = fields ? fields : json_object();

	s->now += 100 * NS_PER_MS;
	(void)json_object_set_new(e, "event", json_string(event));
	(void)json_object_set_new(e, "seq", json_integer((json_int_t)json_array_size(s->events)));
	(void)json_object_set_new(e, "real", json_integer(STORY_START + s->now));
	(void)json_object_set_new(e, "mono", json_integer(STORY_MONO + s->now));
	(void)json_array_append_new(s->events, e);
	return e;
}

static inline void story_tap_open(struct story *s, const char *tap, const char *role)
{
	(void)story_event(s, "tap-open",
			  json_pack("{s:s,s:s,s:s}", "tap", tap, "role", role, "interface", tap));
}

static inline void story_tap(struct story *s, const char *tap, const char *role,
			     const char *interface, int64_t packets, int64_t tunnel)
{
	(void)story_event(
		s, "tap",
		json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:b,s:b,s:b,s:b,s:i,s:i,s:s,s:[]}", "tap",
			  tap, "role", role, "interface", interface, "received",
			  (json_int_t)packets + tunnel, "dropped", (json_int_t)0, "delivered",
			  (json_int_t)packets, "tunnel", (json_int_t)tunnel, "beacon-begin", 1,
			  "beacon-end", 1, "reconciled", 1, "failed", 0, "lives", 1, "gaps", 0,
			  "error", "", "events"));
}

static inline void story_control_event(struct story *s, int64_t id, const char *rule,
				       const char *tap)
{
	(void)story_event(
		s, "control",
		json_pack("{s:I,s:s,s:s}", "id", (json_int_t)id, "rule", rule, "tap", tap));
}

/* Only the taps of the story. */
static inline json_t *story_policy(void)
{
	json_t *p = json_load_file("tests/golden/policy.json", 0, NULL);
	json_t *taps = json_object_get(p, "taps");
	size_t i = json_array_size(taps);

	while (i-- > 0) {
		const char *name = json_string_value(
			json_object_get(json_array_get(taps, i), "name"));

		if (strcmp(name, "uplink") != 0 && strcmp(name, "lo") != 0 &&
		    strcmp(name, "exit") != 0 && strcmp(name, "br-vpn") != 0)
			(void)json_array_remove(taps, i);
	}
	return p;
}

static inline void story_captures(struct story *s, int64_t n[5])
{
	struct story_file f = story_open(s, "uplink.pcap", 1);

	story_add(&f, NS_PER_S, story_control());
	n[0] = story_close(&f);
	f = story_open(s, "uplink-tunnel.pcap", 1);
	for (int64_t at = 2 * NS_PER_S; at < 18 * NS_PER_S; at += NS_PER_S)
		story_add(&f, at, out(ip(REAL, VPN, P_UDP, udp(51820, 51820, wg_data(64, 5)))));
	n[1] = story_close(&f);
	f = story_open(s, "lo.pcap", 1);
	story_add(&f, NS_PER_S, story_lookup());
	n[2] = story_close(&f);
	f = story_open(s, "exit.pcap", 101);
	story_add(&f, NS_PER_S, story_announce());
	story_add(&f, 3 * NS_PER_S + NS_PER_MS, story_canary(TUN));
	n[3] = story_close(&f);
	f = story_open(s, "br-vpn.pcap", 1);
	story_add(&f, 3 * NS_PER_S, app(story_canary(QBT)));
	n[4] = story_close(&f);
}

static inline void story_tell(struct story *s, const int64_t n[5])
{
	json_t *policy;

	(void)story_event(s, "run",
			  json_pack("{s:s,s:s,s:i,s:i}", "run", "story", "version", "0", "seed", 0,
				    "scenarios", 1));
	(void)story_event(s, "scenario-begin",
			  json_pack("{s:s,s:s,s:s,s:i,s:i,s:b,s:I,s:I,s:b,s:s}", "name", "one",
				    "summary", "", "file", "one.yaml", "line", 1, "repeat", 1,
				    "must-leak", 0, "kill-switch-bound", (json_int_t)(5 * NS_PER_S),
				    "recovery-bound", (json_int_t)(60 * NS_PER_S), "needs-tunnel",
				    1, "dir", "one"));
	story_tap_open(s, "uplink", "uplink");
	story_tap_open(s, "lo", "lo");
	story_tap_open(s, "exit", "exit");
	story_tap_open(s, "br-vpn", "bridge");
	story_control_event(s, STORY_CONTROL, "cleartext-outside-tunnel", "uplink");
	story_control_event(s, STORY_LOOKUP, "plaintext-dns", "lo");
	story_control_event(s, STORY_ANNOUNCE, "real-address-in-payload", "exit");
	(void)story_event(s, "probe",
			  json_pack("{s:s,s:s,s:s,s:s}", "label", "dns", "probe", "dns", "service",
				    "qbittorrent", "log", "probe-1-0.log"));
	s->now = STORY_FAULT;
	(void)story_event(s, "fault",
			  json_pack("{s:s,s:s,s:s,s:I,s:I,s:b,s:s}", "label", "kill", "kind",
				    "vpn.process-kill", "target", "gluetun", "before",
				    (json_int_t)(STORY_START + STORY_FAULT), "after",
				    (json_int_t)(STORY_START + STORY_FAULT + NS_PER_MS),
				    "confirmed", 1, "confirmation", "it has ended"));
	s->now = STORY_END - 2 * NS_PER_S;
	(void)story_event(s, "phase",
			  json_pack("{s:s,s:I,s:I}", "text", "down", "begin",
				    (json_int_t)(STORY_START + STORY_END - 3 * NS_PER_S), "end",
				    (json_int_t)(STORY_START + STORY_END - 2 * NS_PER_S)));
	story_tap(s, "uplink", "uplink", "eth0", n[0], n[1]);
	story_tap(s, "lo", "lo", "lo", n[2], 0);
	story_tap(s, "exit", "exit", "wg0", n[3], 0);
	story_tap(s, "br-vpn", "bridge", "br-vpn0", n[4], 0);
	policy = story_policy();
	s->policy = policy;
	(void)story_event(s, "policy", json_pack("{s:o}", "policy", policy));
	(void)story_event(s, "scenario-end", NULL);
}

static inline int story_setup(void **state)
{
	struct story *s = calloc(1, sizeof(*s));
	_cleanup_free_ char *dir = NULL;
	int64_t n[5];

	if (!s)
		return -1;
	memcpy(s->dir, "/tmp/leakproof-story-XXXXXX", 28);
	if (!mkdtemp(s->dir))
		return -1;
	dir = str_fmt("%s/captures/one", s->dir);
	if (fs_mkdir_p(dir, 0755, NULL) < 0)
		return -1;
	s->events = json_array();
	story_captures(s, n);
	story_log(s, "probe-1-0.log", NS_PER_S, STORY_END - 2 * NS_PER_S, true);
	story_tell(s, n);
	*state = s;
	return 0;
}

static inline int story_teardown(void **state)
{
	struct story *s = *state;
	int rc = fs_remove_tree(s->dir, NULL);

	json_decref(s->events);
	free(s);
	return rc;
}

/* The n-th event of that kind (from 0); with tap: of that tap. */
static inline json_t *story_find(const struct story *s, const char *event, const char *tap)
{
	size_t i;
	json_t *e;

	json_array_foreach(s->events, i, e)
	{
		const char *of = json_string_value(json_object_get(e, "tap"));

		if (strcmp(json_string_value(json_object_get(e, "event")), event) == 0 &&
		    (!tap || (of && strcmp(of, tap) == 0)))
			return e;
	}
	fail_msg("no event %s %s", event, tap ? tap : "");
	return NULL;
}

static inline void story_drop(struct story *s, const char *event, const char *tap)
{
	json_t *gone = story_find(s, event, tap);

	for (size_t i = 0; i < json_array_size(s->events); i++)
		if (json_array_get(s->events, i) == gone) {
			(void)json_array_remove(s->events, i);
			return;
		}
}

/* Put an event before the last one, at its time. */
static inline json_t *story_insert(struct story *s, const char *event, json_t *fields)
{
	size_t n = json_array_size(s->events);
	json_t *last = json_array_get(s->events, n - 1), *e = fields ? fields : json_object();

	(void)json_object_set_new(e, "event", json_string(event));
	(void)json_object_set(e, "real", json_object_get(last, "real"));
	(void)json_object_set(e, "mono", json_object_get(last, "mono"));
	(void)json_array_insert_new(s->events, n - 1, e);
	return e;
}

static inline struct result *story_judge(const struct story *s)
{
	_cleanup_free_ char *captures = str_fmt("%s/captures", s->dir);
	struct evaluate_opts o = { .captures = captures, .reports = s->dir };
	struct err err = { 0 };
	struct result *r = evaluate_run(s->events, &o, &err);

	if (!r)
		fail_msg("%s", err.text);
	return r;
}

/* Judge; the scenario's verdict, the run's, and a word of the reason must be these. */
static inline void story_expect(const struct story *s, enum verdict one, enum verdict all,
				const char *reason)
{
	struct result *r = story_judge(s);
	const char *why;

	assert_int_equal(r->n_scenarios, 1);
	why = r->scenarios[0].reason;
	assert_non_null(why);
	if (*reason && !strstr(why, reason))
		fail_msg("the reason is \"%s\", and \"%s\" was expected", why, reason);
	assert_string_equal(verdict_name(r->scenarios[0].verdict), verdict_name(one));
	assert_string_equal(verdict_name(r->verdict), verdict_name(all));
	result_free(r);
}

#endif
