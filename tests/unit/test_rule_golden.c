// SPDX-License-Identifier: MIT
/* The golden captures: code builds them, tests/golden holds them, LIST says what they raise.
 * usage: test_rule_golden [--refresh NAME|all] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "exact.h"
#include "golden/cases.h"
#include "packet/decode.h"
#include "rule/judge.h"

#define DIR	  "tests/golden/"
#define START	  (INT64_C(1767225600) * NS_PER_S) /* 2026-01-01 */
#define LINE_MAX_ 4096

struct policies {
	char name[64];
	struct policy *p;
};

static struct policies loaded[8];

static struct policy *policy_of(const char *name)
{
	struct err err = { 0 };
	size_t i = 0;

	while (loaded[i].p && strcmp(loaded[i].name, name) != 0)
		i++;
	if (!loaded[i].p) {
		_cleanup_free_ char *path = str_fmt(DIR "%s", name);
		json_error_t where;
		_cleanup_json_ json_t *j = json_load_file(path, JSON_REJECT_DUPLICATES, &where);

		if (!j)
			fail_msg("%s: %s", path, where.text);
		loaded[i].p = policy_from_json(j, &err);
		if (!loaded[i].p)
			fail_msg("%s", err.text);
		(void)snprintf(loaded[i].name, sizeof(loaded[i].name), "%s", name);
	}
	return loaded[i].p;
}

static size_t tap_index(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_taps; i++)
		if (strcmp(p->taps[i].name, name) == 0)
			return i;
	fail_msg("no tap %s", name);
	return 0;
}

static int linktype_of(const struct policy *p, size_t tap)
{
	return p->taps[tap].role == TAP_EXIT ? LINK_RAW : LINK_ETHERNET;
}

static void put_le(FILE *f, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		(void)fputc((int)(v >> (8 * i) & 0xff), f);
}

/* The frames of one tap as a pcap file with nanosecond stamps; NULL when it has none. */
static char *pcap_of(const struct golden *g, const struct policy *p, const char *tap, size_t *len)
{
	char *mem = NULL;
	FILE *f = open_memstream(&mem, len);
	size_t n = 0;

	put_le(f, 0xa1b23c4d);
	put_le(f, 0x00040002);
	put_le(f, 0);
	put_le(f, 0);
	put_le(f, 262144);
	put_le(f, (uint32_t)linktype_of(p, tap_index(p, tap)));
	for (size_t i = 0; i < g->n; i++) {
		int64_t t = START + g->f[i].us * NS_PER_US;

		if (strcmp(g->f[i].tap, tap) != 0)
			continue;
		n++;
		put_le(f, (uint32_t)(t / NS_PER_S));
		put_le(f, (uint32_t)(t % NS_PER_S));
		put_le(f, (uint32_t)g->f[i].b.n);
		put_le(f, (uint32_t)g->f[i].b.n);
		(void)fwrite(g->f[i].b.b, 1, g->f[i].b.n, f);
	}
	(void)fclose(f);
	if (n == 0) {
		free(mem);
		mem = NULL;
	}
	return mem;
}

static char *path_of(const struct golden_case *c, const char *tap)
{
	return str_fmt(DIR "%s.%s.pcap", c->name, tap);
}

static struct judge *judge_case(const struct golden_case *c, const struct golden *g,
				const char *disable)
{
	struct policy *p = policy_of(c->policy);
	struct judge_opts opts = { .disable = disable };
	struct err err = { 0 };
	struct judge *j = judge_new(p, &opts, &err);
	uint64_t number[16] = { 0 };

	if (!j)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < g->n; i++) {
		size_t tap = tap_index(p, g->f[i].tap);
		size_t n = g->f[i].b.n;

		judge_frame(j, tap, ++number[tap], linktype_of(p, tap), exact(g->f[i].b.b, n),
			    (uint32_t)n, (uint32_t)n, START + g->f[i].us * NS_PER_US);
	}
	judge_finish(j);
	return j;
}

/* "rule@tap*count ..." in the order of the rules and taps; "-" for none. */
static char *found_by(const struct golden_case *c, const struct golden *g, const char *disable)
{
	struct judge *j = judge_case(c, g, disable);
	const struct policy *p = policy_of(c->policy);
	char *out = str_fmt("%s", "");

	for (size_t r = 0; r < n_rules; r++)
		for (size_t t = 0; t < p->n_taps; t++) {
			uint64_t n = judge_rule_total(j, rules[r], t);
			char *longer;

			if (n == 0)
				continue;
			longer = str_fmt("%s%s%s@%s*%llu", out, out[0] ? " " : "", rules[r]->id,
					 p->taps[t].name, (unsigned long long)n);
			free(out);
			out = longer;
		}
	judge_free(j);
	if (!out[0]) {
		free(out);
		out = str_fmt("-");
	}
	return out;
}

static struct golden build(const struct golden_case *c)
{
	struct golden g = { .n = 0 };

	c->build(&g);
	return g;
}

/* The line of LIST: "name policy expected"; NULL when it is not there. */
static char *list_line(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; at && *at; at = strchr(at, '\n'), at += at != NULL)
		if (strncmp(at, name, len) == 0 && at[len] == '\t')
			return strndup(at, strcspn(at, "\n"));
	return NULL;
}

static char *line_of(const struct golden_case *c)
{
	struct golden g = build(c);
	_cleanup_free_ char *found = found_by(c, &g, NULL);

	return str_fmt("%s\t%s\t%s", c->name, c->policy, found);
}

/* "RULE+NAME" has to raise RULE, "RULE-NAME" must not. */
static const struct rule *rule_of_name(const char *name, bool *fires)
{
	const struct rule *best = NULL;

	for (size_t i = 0; i < n_rules; i++) {
		size_t len = strlen(rules[i]->id);

		if (strncmp(rules[i]->id, name, len) == 0 &&
		    (name[len] == '+' || name[len] == '-')) {
			best = rules[i];
			*fires = name[len] == '+';
		}
	}
	return best;
}

static bool raises(const char *line, const struct rule *r)
{
	_cleanup_free_ char *word = str_fmt("%s@", r->id);
	const char *found = strrchr(line, '\t');

	return found && strstr(found, word) != NULL;
}

static void test_list(void **state)
{
	struct err err = { 0 };
	_cleanup_free_ char *list = fs_read(DIR "LIST", 1U << 20, NULL, &err);

	(void)state;
	if (!list)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < N_GOLDEN; i++) {
		const struct golden_case *c = &golden_cases[i];
		_cleanup_free_ char *want = list_line(list, c->name);
		_cleanup_free_ char *line = line_of(c);
		bool fires = false;
		const struct rule *r = rule_of_name(c->name, &fires);

		if (!want || strcmp(want, line) != 0)
			fail_msg("LIST says %s\n  judged   %s", want ? want : "nothing", line);
		if (!r || raises(line, r) != fires)
			fail_msg("%s: the name and the findings disagree", line);
	}
}

static void test_files_are_what_the_code_builds(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_GOLDEN; i++) {
		const struct golden_case *c = &golden_cases[i];
		const struct policy *p = policy_of(c->policy);
		struct golden g = build(c);

		for (size_t t = 0; t < p->n_taps; t++) {
			struct err err = { 0 };
			size_t want_len = 0;
			size_t len = 0;
			_cleanup_free_ char *want = pcap_of(&g, p, p->taps[t].name, &want_len);
			_cleanup_free_ char *path = path_of(c, p->taps[t].name);
			_cleanup_free_ char *have = NULL;

			if (!want)
				continue;
			have = fs_read(path, 1U << 20, &len, &err);
			if (!have || len != want_len || memcmp(have, want, len) != 0)
				fail_msg("%s differs; --refresh %s", path, c->name);
		}
	}
}

static void test_every_rule_has_two_of_each(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_rules; i++) {
		int fire = 0;
		int miss = 0;

		for (size_t k = 0; k < N_GOLDEN; k++) {
			bool fires = false;

			if (rule_of_name(golden_cases[k].name, &fires) != rules[i])
				continue;
			fire += fires;
			miss += !fires;
		}
		if (rules[i]->match && (fire < 2 || miss < 2))
			fail_msg("%s: %d captures fire, %d nearly do", rules[i]->id, fire, miss);
	}
}

/* A rule that is switched off has to be missed by its captures, or they would prove nothing. */
static void test_every_rule_is_needed(void **state)
{
	(void)state;
	for (size_t k = 0; k < N_GOLDEN; k++) {
		bool fires = false;
		const struct rule *r = rule_of_name(golden_cases[k].name, &fires);
		struct golden g = build(&golden_cases[k]);
		_cleanup_free_ char *found = fires ? found_by(&golden_cases[k], &g, r->id) : NULL;

		if (found && strstr(found, r->id))
			fail_msg("%s still raises %s", golden_cases[k].name, r->id);
	}
}

/* Every frame, cut at every length: no crash, no read beyond the block (under the sanitizer). */
static void test_every_length(void **state)
{
	struct err err = { 0 };

	(void)state;
	for (size_t k = 0; k < N_GOLDEN; k += 1) {
		const struct golden_case *c = &golden_cases[k];
		struct policy *p = policy_of(c->policy);
		struct golden g = build(c);
		struct judge *j = judge_new(p, NULL, &err);

		assert_non_null(j);
		for (size_t i = 0; i < g.n; i++)
			for (size_t n = 0; n <= g.f[i].b.n; n += n < 80 ? 1 : 17) {
				size_t tap = tap_index(p, g.f[i].tap);

				judge_frame(j, tap, n + 1, linktype_of(p, tap),
					    exact(g.f[i].b.b, n), (uint32_t)n, (uint32_t)g.f[i].b.n,
					    START + g.f[i].us * NS_PER_US);
			}
		judge_finish(j);
		judge_free(j);
	}
}

static int refresh(const char *which)
{
	struct err err = { 0 };
	_cleanup_free_ char *old = fs_read(DIR "LIST", 1U << 20, NULL, &err);
	_cleanup_fclose_ FILE *list = fopen(DIR "LIST", "w");

	if (!list)
		return 1;
	for (size_t i = 0; i < N_GOLDEN; i++) {
		const struct golden_case *c = &golden_cases[i];
		bool wanted = strcmp(which, "all") == 0 || strcmp(which, c->name) == 0;
		_cleanup_free_ char *line = wanted || !old ? line_of(c) : list_line(old, c->name);
		struct policy *p = policy_of(c->policy);
		struct golden g = build(c);

		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the cleanup attribute frees line */
		(void)fprintf(list, "%s\n", line ? line : c->name);
		for (size_t t = 0; wanted && t < p->n_taps; t++) {
			size_t len = 0;
			_cleanup_free_ char *path = path_of(c, p->taps[t].name);
			_cleanup_free_ char *mem = pcap_of(&g, p, p->taps[t].name, &len);

			if (mem && fs_write(path, mem, len, 0644, &err))
				return 1;
		}
	}
	return 0;
}

static int free_policies(void **state)
{
	(void)state;
	for (size_t i = 0; loaded[i].p; i++)
		policy_free(loaded[i].p);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_files_are_what_the_code_builds),
		cmocka_unit_test(test_every_rule_has_two_of_each),
		cmocka_unit_test(test_every_rule_is_needed),
		cmocka_unit_test(test_every_length),
	};

	if (argc == 3 && strcmp(argv[1], "--refresh") == 0)
		return refresh(argv[2]);
	return cmocka_run_group_tests(tests, NULL, free_policies);
}
