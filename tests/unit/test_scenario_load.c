// SPDX-License-Identifier: MIT
/* A good scenario becomes exactly what it says, with every default; sets are loaded and chosen from. */
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
#include "unit/scenario_vocab.h"

static struct scenario *load(const char *text)
{
	struct scenario *s = NULL;
	struct err err = { 0 };
	struct diag d = { 0 };

	if (scenario_parse("t.yaml", text, strlen(text), &toy_vocab, &s, &d, &err) < 0) {
		diag_print(&d, stderr, false);
		fail_msg("%s", err.text);
	}
	diag_free(&d);
	return s;
}

static void test_defaults(void **state)
{
	struct scenario *s = load("name: a\nsummary: b c\ntimeline:\n  - observe: 250ms\n");

	(void)state;
	assert_string_equal(s->name, "a");
	assert_string_equal(s->summary, "b c");
	assert_string_equal(s->file, "t.yaml");
	assert_int_equal(s->line, 1);
	assert_string_equal(s->stack, "reference");
	assert_int_equal(s->repeat, 1);
	assert_true(s->implicit_up);
	assert_true(s->implicit_down);
	assert_int_equal(s->tags.n, 0);
	assert_int_equal(s->expect.leaks, LEAKS_NONE);
	assert_int_equal(s->expect.kill_switch_ns, 0);
	assert_int_equal(s->n_steps, 1);
	assert_int_equal(s->steps[0].id, STEP_OBSERVE);
	assert_int_equal(s->steps[0].u.observe.duration_ns, 250 * NS_PER_MS);
	scenario_free(s);
}

static const char whole[] = "name: full\n"
			    "summary: everything\n"
			    "tags: [x, kill-switch]\n"
			    "stack: leaky/start-window\n"
			    "repeat: 3\n"
			    "timeline:\n"
			    "  - up:\n"
			    "    healthy: false\n"
			    "    timeout: 90s\n"
			    "  - start: udp\n"
			    "    label: early\n"
			    "    service: sonarr\n"
			    "    rate: 200\n"
			    "    bind: interface\n"
			    "    to: 2001:db8:2::134\n"
			    "    port: 7\n"
			    "  - start: download\n"
			    "  - wait: download-progress\n"
			    "    percent: 10\n"
			    "    timeout: 2m\n"
			    "  - fault: net.partition\n"
			    "    between: [sonarr, gluetun]\n"
			    "    label: cut\n"
			    "  - fault: vpn.process-kill\n"
			    "  - wait: recovered\n"
			    "    service: sonarr\n"
			    "  - heal: cut\n"
			    "  - stop: early\n"
			    "  - check: download-hash\n"
			    "  - down\n"
			    "  - check: nothing-left\n"
			    "expect:\n"
			    "  leaks: must\n"
			    "  kill-switch: 5s\n"
			    "  recovery: 1m\n";

static void test_every_key(void **state)
{
	struct scenario *s = load(whole);
	const struct toy_params *toy;

	(void)state;
	assert_int_equal(s->tags.n, 2);
	assert_string_equal(s->tags.items[1], "kill-switch");
	assert_string_equal(s->stack, "leaky/start-window");
	assert_int_equal(s->repeat, 3);
	assert_false(s->implicit_up);
	assert_false(s->implicit_down);
	assert_int_equal(s->n_steps, 12);
	assert_string_equal(s->steps[1].u.start.label, "early");
	assert_string_equal(s->steps[1].u.start.service, "sonarr");
	assert_int_equal(s->steps[1].u.start.rate, 200);
	assert_int_equal(s->steps[1].u.start.bind, BIND_INTERFACE);
	assert_string_equal(s->steps[1].u.start.to, "2001:db8:2::134");
	assert_int_equal(s->steps[1].u.start.port, 7);
	assert_ptr_equal(s->steps[1].u.start.kind, &toy_udp);
	assert_false(s->steps[0].u.up.healthy);
	assert_int_equal(s->steps[0].u.up.timeout_ns, 90 * NS_PER_S);
	assert_string_equal(s->steps[2].u.start.label, "download");
	assert_string_equal(s->steps[2].u.start.service, "qbittorrent");
	assert_int_equal(s->steps[3].u.wait.percent, 10);
	toy = s->steps[4].u.fault.params;
	assert_string_equal(toy->between.items[1], "gluetun");
	assert_int_equal(toy->loss, 100);
	assert_string_equal(s->steps[4].u.fault.label, "cut");
	assert_int_equal(s->steps[4].line, 21);
	assert_int_equal(s->steps[4].column, 5);
	assert_null(s->steps[5].u.fault.params);
	assert_string_equal(s->steps[5].u.fault.label, "vpn.process-kill");
	assert_int_equal(s->steps[6].u.wait.condition, CONDITION_RECOVERED);
	assert_int_equal(s->steps[6].u.wait.timeout_ns, 60 * NS_PER_S);
	assert_string_equal(s->steps[6].u.wait.service, "sonarr");
	assert_int_equal(s->steps[10].id, STEP_DOWN);
	assert_int_equal(s->expect.leaks, LEAKS_MUST);
	assert_int_equal(s->expect.kill_switch_ns, 5 * NS_PER_S);
	assert_int_equal(s->expect.recovery_ns, 60 * NS_PER_S);
	scenario_free(s);
}

static void test_steps_say_what_they_are(void **state)
{
	static const char *const want[] = {
		"up",
		"start early in sonarr, 200/s, bound to the interface",
		"start download in qbittorrent",
		"wait for download-progress of 10 %, at most 2m",
		"fault net.partition",
		"fault vpn.process-kill",
		"wait for recovered of sonarr, at most 1m",
		"heal cut",
		"stop early",
		"check download-hash",
		"down",
	};
	struct scenario *s = load(whole);

	(void)state;
	for (size_t i = 0; i < s->n_steps - 1; i++) {
		_cleanup_free_ char *text = step_describe(&s->steps[i]);

		assert_string_equal(text, want[i]);
	}
	scenario_free(s);
}

static void test_bounds(void **state)
{
	struct scenario *s = load(
		"name: a\nsummary: b\ntimeline:\n  - start: udp\n  - observe: 2s\n"
		"  - fault: net.partition\n    between: [a, b]\n    hold: 5s\n"
		"    confirm: 3s\n  - wait: recovered\n    timeout: 10s\n");
	int64_t least, most;

	(void)state;
	scenario_bounds(s, &least, &most);
	assert_int_equal(least, 7 * NS_PER_S);
	assert_int_equal(most, 20 * NS_PER_S);
	scenario_free(s);
}

static void test_durations_read_back(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(duration_text(0, buf, sizeof(buf)), "0s");
	assert_string_equal(duration_text(200 * NS_PER_MS, buf, sizeof(buf)), "200ms");
	assert_string_equal(duration_text(90 * NS_PER_S, buf, sizeof(buf)), "90s");
	assert_string_equal(duration_text(180 * NS_PER_S, buf, sizeof(buf)), "3m");
	assert_string_equal(duration_text(7200 * NS_PER_S, buf, sizeof(buf)), "2h");
	assert_string_equal(duration_text(1500000, buf, sizeof(buf)), "1.500ms");
}

static void test_nearest(void **state)
{
	static const char *const words[] = { "timeout", "service", "percent", NULL };

	(void)state;
	assert_string_equal(diag_nearest("timout", words), "timeout");
	assert_string_equal(diag_nearest("tiemout", words), "timeout");
	assert_string_equal(diag_nearest("servcies", words), "service");
	assert_null(diag_nearest("banana", words));
	assert_null(diag_nearest("", words));
}

/* ---- sets ---- */

static char *make_dir(void)
{
	char *dir = str_fmt("/tmp/leakproof-scen-XXXXXX");

	assert_non_null(mkdtemp(dir));
	return dir;
}

static void put(const char *dir, const char *file, const char *text)
{
	_cleanup_free_ char *path = str_fmt("%s/%s", dir, file);

	assert_int_equal(fs_write(path, text, strlen(text), 0644, NULL), 0);
}

#define MINI(name, tags) \
	"name: " name "\nsummary: s\ntags: [" tags "]\ntimeline:\n  - observe: 1s\n"

static void test_directory_in_order_of_names(void **state)
{
	static const char *const two[] = { "b", "tag:slow" };
	static const char *const wrong[] = { "tag:slwo" };
	_cleanup_free_ char *dir = make_dir();
	struct scenario_set set = { 0 };
	struct diag d = { 0 };
	struct err err = { 0 };

	(void)state;
	put(dir, "2.yaml", MINI("b", "fast"));
	put(dir, "1.yml", MINI("a", "fast"));
	put(dir, "3.yaml", MINI("c", "slow"));
	put(dir, "notes.txt", "no scenario");
	put(dir, ".hidden.yaml", "no: scenario");
	assert_int_equal(scenario_load_path(dir, &toy_vocab, &set, &d, &err), 0);
	assert_int_equal(set.n, 3);
	assert_string_equal(set.items[0]->name, "a");
	assert_int_equal(scenario_select(&set, wrong, 1, &err), -1);
	assert_string_equal(err.text, "no scenario with tag `slwo`; did you mean `slow`?");
	assert_int_equal(scenario_select(&set, NULL, 0, &err), 0);
	assert_int_equal(set.n, 3);
	assert_int_equal(scenario_select(&set, two, 2, &err), 0);
	assert_int_equal(set.n, 2);
	assert_string_equal(set.items[1]->name, "c");
	scenario_set_free(&set);
	assert_int_equal(fs_remove_tree(dir, NULL), 0);
}

static void test_directory_without_scenarios(void **state)
{
	_cleanup_free_ char *dir = make_dir();
	struct scenario_set set = { 0 };
	struct diag d = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(scenario_load_path(dir, &toy_vocab, &set, &d, &err), -1);
	assert_int_equal(err.status, EXIT_USAGE);
	assert_non_null(strstr(err.text, "no scenario"));
	diag_free(&d);
	assert_int_equal(fs_remove_tree(dir, NULL), 0);
	assert_int_equal(scenario_load_path(dir, &toy_vocab, &set, &d, &err), -1);
	assert_non_null(strstr(err.text, "No such file"));
	diag_free(&d);
}

static void test_directory_reports_every_bad_file(void **state)
{
	_cleanup_free_ char *dir = make_dir();
	struct scenario_set set = { 0 };
	struct diag d = { 0 };
	struct err err = { 0 };

	(void)state;
	put(dir, "1.yaml", "name: 1\nsummary: s\ntimeline: []\n");
	put(dir, "2.yaml", MINI("b", ""));
	put(dir, "3.yaml", MINI("b", ""));
	assert_int_equal(scenario_load_path(dir, &toy_vocab, &set, &d, &err), -1);
	assert_int_equal(d.n, 2);
	assert_non_null(strstr(err.text, "1.yaml:3:11"));
	assert_non_null(strstr(d.items[1].text, "name `b` is taken by"));
	assert_int_equal(set.n, 1);
	diag_free(&d);
	scenario_set_free(&set);
	assert_int_equal(fs_remove_tree(dir, NULL), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_every_key),
		cmocka_unit_test(test_steps_say_what_they_are),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_durations_read_back),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_directory_in_order_of_names),
		cmocka_unit_test(test_directory_without_scenarios),
		cmocka_unit_test(test_directory_reports_every_bad_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
