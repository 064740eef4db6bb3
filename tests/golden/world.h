/* SPDX-License-Identifier: MIT */
/* A judge over the policy of the golden captures, fed frame by frame: what the tests of the judge share. */
#ifndef GOLDEN_WORLD_H
#define GOLDEN_WORLD_H

#include "base/cleanup.h"
#include "base/clock.h"
#include "exact.h"
#include "failing.h"
#include "golden/cases.h"
#include "packet/decode.h"
#include "rule/judge.h"

#define START (INT64_C(1767225600) * NS_PER_S) /* 2026-01-01 */
#define MS    NS_PER_MS

struct world {
	struct policy *p;
	struct judge *j;
	uint64_t number;
};

static inline void begin(struct world *w, const struct judge_opts *opts)
{
	struct err err = { 0 };

	w->j = judge_new(w->p, opts, &err);
	if (!w->j)
		fail_msg("%s", err.text);
}

/* The policy of a file, with the members of `but` (a JSON object, NULL: none) in place of its own. */
static inline struct policy *policy_but(const char *path, const char *but)
{
	struct err err = { 0 };
	_cleanup_json_ json_t *j = json_load_file(path, 0, NULL);
	_cleanup_json_ json_t *other = but ? json_loads(but, 0, NULL) : NULL;
	struct policy *p;

	if (!j || (but && json_object_update(j, other)))
		fail_msg("%s: %s", path, but ? but : "cannot be read");
	p = policy_from_json(j, &err);
	if (!p)
		fail_msg("%s", err.text);
	return p;
}

static inline struct world world_of(const char *path, const struct judge_opts *opts)
{
	struct world w = { .p = policy_but(path, NULL) };

	begin(&w, opts);
	return w;
}

static inline struct world lab(void)
{
	return world_of("tests/golden/policy.json", NULL);
}

static inline struct world lab_but(const char *but)
{
	struct world w = { .p = policy_but("tests/golden/policy.json", but) };

	begin(&w, NULL);
	return w;
}

static inline void end(struct world *w)
{
	judge_free(w->j);
	policy_free(w->p);
}

static inline size_t tap(const struct world *w, const char *name)
{
	for (size_t i = 0; i < w->p->n_taps; i++)
		if (strcmp(w->p->taps[i].name, name) == 0)
			return i;
	fail_msg("no tap %s", name);
}

/* The first `kept` bytes of a frame, as a short snap length leaves them. */
static inline void feed_cut(struct world *w, const char *name, int64_t at, struct bytes b,
			    size_t kept)
{
	size_t t = tap(w, name);

	judge_frame(w->j, t, ++w->number, w->p->taps[t].role == TAP_EXIT ? LINK_RAW : LINK_ETHERNET,
		    exact(b.b, kept), (uint32_t)kept, (uint32_t)b.n, START + at);
}

static inline void feed(struct world *w, const char *name, int64_t at, struct bytes b)
{
	feed_cut(w, name, at, b, b.n);
}

static inline struct bytes from_qbt(uint16_t id, uint8_t ttl, struct bytes p)
{
	return app(ip4o(QBT, SINK, P_UDP, (struct ip_fields){ .id = id, .ttl = ttl }, p));
}

static inline struct bytes from_sonarr(uint16_t id, uint8_t ttl, struct bytes p)
{
	return eth(M_SONARR, M_GATEWAY, 0x0800,
		   ip4o(SONARR, SINK, P_UDP, (struct ip_fields){ .id = id, .ttl = ttl }, p));
}

static inline struct bytes leaving(uint16_t id, uint8_t ttl, struct bytes p)
{
	return out(ip4o(REAL, SINK, P_UDP, (struct ip_fields){ .id = id, .ttl = ttl }, p));
}

static inline const struct finding *first_of(const struct world *w, const char *rule)
{
	size_t n;
	const struct finding *f = judge_findings(w->j, &n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(f[i].rule->id, rule) == 0)
			return &f[i];
	return NULL;
}

/* How often a rule fired, on all taps. */
static inline uint64_t total_of(const struct world *w, const char *rule)
{
	uint64_t n = 0;

	for (size_t t = 0; t < w->p->n_taps; t++)
		n += judge_rule_total(w->j, rule_find(rule), t);
	return n;
}

static inline const struct judge_tap_counters *counters(const struct world *w, const char *name)
{
	return judge_counters(w->j, tap(w, name));
}

static inline void check_who(const struct world *w, enum attribution how, const char *service)
{
	const struct finding *f = first_of(w, "cleartext-outside-tunnel");

	assert_non_null(f);
	assert_string_equal(attribution_name(f->how), attribution_name(how));
	assert_string_equal(f->service, service);
}

#endif
