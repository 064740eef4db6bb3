// SPDX-License-Identifier: MIT
/* The shipped scenarios load with the program's own words, and the printed reference is the committed one. */
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
#include "engine/vocab.h"

/* What the closed acceptance promises to play. */
static const char *const promised[] = {
	"steady-state",		"startup-race", "kill-vpn-process", "kill-vpn-container",
	"vpn-server-blackhole", "dns-outage",	"container-crash",  "network-partition",
	"process-isolation",	"teardown",	"gateway-recreate", "control-start-window",
	"control-leaky-stack",
};

#define N_PROMISED (sizeof(promised) / sizeof(promised[0]))

static void load(struct scenario_set *set)
{
	struct diag d = { 0 };
	struct err err = { 0 };

	if (scenario_load_dir("scenarios", engine_vocab(), set, &d, &err) < 0) {
		diag_print(&d, stderr, false);
		fail_msg("%s", err.text);
	}
	diag_free(&d);
}

static const struct scenario *find(const struct scenario_set *set, const char *name)
{
	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->items[i]->name, name) == 0)
			return set->items[i];
	fail_msg("no scenario %s", name);
	return NULL;
}

static void test_all_that_are_promised_are_there(void **state)
{
	struct scenario_set set = { 0 };

	(void)state;
	load(&set);
	for (size_t i = 0; i < N_PROMISED; i++) {
		const struct scenario *s = find(&set, promised[i]);
		_cleanup_free_ char *file = str_fmt("scenarios/%s.yaml", promised[i]);
		bool control = strncmp(promised[i], "control-", 8) == 0;

		assert_string_equal(s->file, file);
		assert_int_equal(s->expect.leaks == LEAKS_MUST, control);
		assert_int_equal(strncmp(s->stack, "leaky/", 6) == 0, control);
	}
	assert_int_equal(find(&set, "vpn-server-blackhole")->expect.kill_switch_ns, 5 * NS_PER_S);
	scenario_set_free(&set);
}

/* Whatever is broken, the watch has to have seen the tunnel at work before: else silence would pass. */
static void test_every_fault_comes_after_traffic(void **state)
{
	struct scenario_set set = { 0 };

	(void)state;
	load(&set);
	for (size_t i = 0; i < set.n; i++) {
		bool traffic = false;

		for (size_t j = 0; j < set.items[i]->n_steps; j++) {
			const struct step *s = &set.items[i]->steps[j];

			traffic |= s->id == STEP_WAIT &&
				   s->u.wait.condition == CONDITION_TUNNEL_TRAFFIC;
			if (s->id == STEP_FAULT && !traffic)
				fail_msg("%s:%u", set.items[i]->file, s->line);
		}
		assert_true(traffic);
	}
	scenario_set_free(&set);
}

/* All of them together fit into the acceptance's twelve minutes, the stacks' own time apart. */
static void test_the_sum_is_bounded(void **state)
{
	struct scenario_set set = { 0 };
	int64_t sum = 0;

	(void)state;
	load(&set);
	for (size_t i = 0; i < set.n; i++) {
		int64_t least, most;

		scenario_bounds(set.items[i], &least, &most);
		sum += least;
	}
	assert_true(sum < 300 * NS_PER_S);
	scenario_set_free(&set);
}

static void test_reference_is_fresh(void **state)
{
	_cleanup_free_ char *want = fs_read("docs/scenario-reference.md", (size_t)1 << 20, NULL,
					    NULL);
	_cleanup_free_ char *got = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&got, &n);

	(void)state;
	assert_non_null(f);
	scenario_reference(f, engine_vocab());
	assert_int_equal(fclose(f), 0);
	assert_non_null(want);
	if (strcmp(got, want) != 0)
		fail_msg("docs/scenario-reference.md is old: leakproof list keys > it");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_that_are_promised_are_there),
		cmocka_unit_test(test_every_fault_comes_after_traffic),
		cmocka_unit_test(test_the_sum_is_bounded),
		cmocka_unit_test(test_reference_is_fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
