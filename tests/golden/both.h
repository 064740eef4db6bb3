/* SPDX-License-Identifier: MIT */
/* Two judges of one policy, of which one decodes every frame: what the tests of the judge's short ways share. */
#ifndef GOLDEN_BOTH_H
#define GOLDEN_BOTH_H

#include "golden/world.h"

struct both {
	struct world shortcut, whole;
};

/* Without a nonce to look for, which may be anywhere in a payload. control_mac: frames of its Ethernet address are controls. */
static inline struct both both_but(const char *but, bool control_mac)
{
	const struct judge_opts all = { .decode_all = true };
	struct both b = { .shortcut = { .p = policy_but("tests/golden/policy.json", but) },
			  .whole = { .p = policy_but("tests/golden/policy.json", but) } };

	b.shortcut.p->has_nonce = b.whole.p->has_nonce = false;
	b.shortcut.p->has_control_mac = b.whole.p->has_control_mac = control_mac;
	begin(&b.shortcut, NULL);
	begin(&b.whole, &all);
	return b;
}

/* Nor controls to tell. */
static inline struct both both_unmarked(const char *but)
{
	return both_but(but, false);
}

static inline void check_counters(const struct both *b, size_t tap)
{
	if (memcmp(judge_counters(b->shortcut.j, tap), judge_counters(b->whole.j, tap),
		   sizeof(struct judge_tap_counters)) != 0)
		fail_msg("tap %zu, frame %llu: other counters", tap,
			 (unsigned long long)b->whole.number);
}

static inline void feed_both(struct both *b, const char *name, int linktype, int64_t at,
			     struct bytes f, size_t captured)
{
	struct world *const worlds[] = { &b->shortcut, &b->whole };
	const uint8_t *p = exact(f.b, captured);

	for (size_t i = 0; i < 2; i++)
		judge_frame(worlds[i]->j, tap(worlds[i], name), ++worlds[i]->number, linktype, p,
			    (uint32_t)captured, (uint32_t)f.n, START + at);
	check_counters(b, tap(&b->whole, name));
}

static inline void check_findings(const struct both *b)
{
	size_t n[2];
	const struct finding *x = judge_findings(b->shortcut.j, &n[0]);
	const struct finding *y = judge_findings(b->whole.j, &n[1]);

	assert_int_equal(n[0], n[1]);
	for (size_t i = 0; i < n[0]; i++) {
		assert_string_equal(x[i].sentence, y[i].sentence);
		assert_int_equal(x[i].frame, y[i].frame);
	}
	for (size_t r = 0; r < n_rules; r++)
		for (size_t t = 0; t < b->whole.p->n_taps; t++)
			if (judge_rule_total(b->shortcut.j, rules[r], t) !=
			    judge_rule_total(b->whole.j, rules[r], t))
				fail_msg("other findings of %s", rules[r]->id);
}

static inline void check_series(const struct both *b)
{
	for (int s = 0; s < N_SERIES; s++) {
		size_t n[2];
		int64_t start[2], bin[2];
		const uint32_t *x = judge_series(b->shortcut.j, (enum judge_series)s, &n[0], &start[0],
						 &bin[0]);
		const uint32_t *y = judge_series(b->whole.j, (enum judge_series)s, &n[1], &start[1],
						 &bin[1]);

		assert_int_equal(n[0], n[1]);
		assert_memory_equal(x, y, n[0] * sizeof(*x));
	}
}

static inline void end_both(struct both *b)
{
	judge_finish(b->shortcut.j);
	judge_finish(b->whole.j);
	for (size_t t = 0; t < b->whole.p->n_taps; t++)
		check_counters(b, t);
	check_findings(b);
	check_series(b);
	assert_int_equal(judge_blocked(b->shortcut.j), judge_blocked(b->whole.j));
	end(&b->shortcut);
	end(&b->whole);
}

/* With its Ethernet header and without. */
static inline void feed_links(struct both *b, const char *name, struct bytes f)
{
	struct bytes packet = slice(f, 14, f.n - 14);

	feed_both(b, name, LINK_ETHERNET, 0, f, f.n);
	feed_both(b, name, LINK_RAW, 0, packet, packet.n);
}

/* A frame as it is, then with each of its bytes changed, then as it is. */
static inline void vary(struct both *b, const char *name, struct bytes f)
{
	feed_links(b, name, f);
	for (size_t at = 14; at < f.n && at < 120; at++) {
		struct bytes other = f;

		other.b[at] ^= (uint8_t)(1U << at % 8);
		feed_links(b, name, other);
	}
	feed_links(b, name, f);
}

/* That with every frame of the golden captures, which are returned in number. */
static inline size_t vary_golden(const char *but, const char *name)
{
	size_t n = 0;

	for (size_t c = 0; c < sizeof(golden_cases) / sizeof(golden_cases[0]); c++) {
		struct both b = both_unmarked(but);
		struct golden g = { .n = 0 };

		golden_cases[c].build(&g);
		for (size_t i = 0; i < g.n; i++, n++)
			if (strcmp(g.f[i].tap, "exit") == 0)
				vary(&b, name, out(g.f[i].b));
			else if (g.f[i].b.n > 14)
				vary(&b, name, g.f[i].b);
		end_both(&b);
	}
	return n;
}

#endif
