// SPDX-License-Identifier: MIT
/* A stored run gives the same answer again, byte for byte; one that was cut off, lost a capture or got a damaged one is
 * never a pass, and never hides a leak. `test_engine_replay --write DIR` writes such runs below DIR for the test of the
 * command line. */
#include "unit/story.h"

#include "engine/journal.h"
#include "report/report.h"

/* A run as `leakproof run` stores it: DIR/captures/RUN/one/, DIR/reports/RUN/journal.jsonl. */
struct stored {
	struct story *story; /* its captures lie elsewhere until store() moves them */
	char *captures, *reports;
};

/* A packet of the story on the bridge, and the same translated on the uplink, after the fault. */
static void leak(struct story *s)
{
	struct bytes payload = udp(40001, 40001, text("whatever an app says"));
	struct story_file f = story_open(s, "uplink.pcap", 1);
	int64_t at = STORY_FAULT + 10 * NS_PER_MS;

	story_add(&f, NS_PER_S, story_control());
	story_add(&f, at + 45 * NS_PER_US,
		  out(ip4o(REAL, SINK, P_UDP, (struct ip_fields){ .id = 78, .ttl = 63 }, payload)));
	(void)json_object_set_new(story_find(s, "tap", "uplink"), "delivered",
				  json_integer(story_close(&f)));
	f = story_open(s, "br-vpn.pcap", 1);
	story_add(&f, 3 * NS_PER_S, app(story_canary(QBT)));
	story_add(&f, at, app(ip4o(QBT, SINK, P_UDP, (struct ip_fields){ .id = 78 }, payload)));
	(void)json_object_set_new(story_find(s, "tap", "br-vpn"), "delivered",
				  json_integer(story_close(&f)));
}

/* An early policy, as the harness writes one when the stack is up: behind the fault. */
static void policy_early(struct story *s)
{
	json_t *last = story_find(s, "fault", NULL), *e = json_object();
	size_t at = 0;

	while (json_array_get(s->events, at) != last)
		at++;
	(void)json_object_set_new(e, "event", json_string("policy"));
	(void)json_object_set(e, "real", json_object_get(last, "real"));
	(void)json_object_set(e, "mono", json_object_get(last, "mono"));
	(void)json_object_set(e, "policy", s->policy);
	(void)json_array_insert_new(s->events, at, e);
}

/* The first `lines` events (0: all) and `tail` behind them. */
static void store_journal(const struct stored *x, unsigned lines, const char *tail)
{
	_cleanup_free_ char *path = str_fmt("%s/journal.jsonl", x->reports);
	_cleanup_free_ char *text = NULL;
	size_t size = 0, i;
	FILE *f = open_memstream(&text, &size);
	json_t *e;

	json_array_foreach(x->story->events, i, e)
	{
		if (lines && i == lines)
			break;
		(void)json_object_set_new(e, "seq", json_integer((json_int_t)i));
		(void)json_dumpf(e, f, JSON_COMPACT);
		(void)fputc('\n', f);
	}
	(void)fputs(tail, f);
	(void)fclose(f);
	assert_int_equal(fs_write(path, text, strlen(text), 0644, NULL), 0);
}

static struct stored store(struct story *s, const char *dir, const char *run, unsigned lines)
{
	struct stored x = { .story = s,
			    .captures = str_fmt("%s/captures/%s", dir, run),
			    .reports = str_fmt("%s/reports/%s", dir, run) };
	_cleanup_free_ char *from = str_fmt("%s/captures/one", s->dir);
	_cleanup_free_ char *to = str_fmt("%s/one", x.captures);

	assert_int_equal(fs_mkdir_p(x.captures, 0755, NULL), 0);
	assert_int_equal(fs_mkdir_p(x.reports, 0755, NULL), 0);
	assert_int_equal(rename(from, to), 0);
	(void)json_object_set_new(story_find(s, "run", NULL), "run", json_string(run));
	store_journal(&x, lines, "");
	return x;
}

static void forget(struct stored *x)
{
	free(x->captures);
	free(x->reports);
}

static struct result *judge(const struct stored *x, bool slices)
{
	_cleanup_free_ char *path = str_fmt("%s/journal.jsonl", x->reports);
	struct evaluate_opts o = { .captures = x->captures,
				   .reports = x->reports,
				   .slices = slices };
	struct err err = { 0 };
	_cleanup_json_ json_t *events = journal_read(path, &err);
	struct result *r = events ? evaluate_run(events, &o, &err) : NULL;

	if (!r)
		fail_msg("%s", err.text);
	return r;
}

static void expect(const struct stored *x, enum verdict v, int status, const char *reason)
{
	struct result *r = judge(x, false);

	if (r->scenarios[0].verdict != v || !strstr(r->scenarios[0].reason, reason))
		fail_msg("%s: %s (\"%s\" was wanted)", verdict_name(r->scenarios[0].verdict),
			 r->scenarios[0].reason, reason);
	assert_int_equal(evaluate_exit_status(r), status);
	result_free(r);
}

/* ---- tests ---- */

static void same_again(struct story *s, enum verdict v)
{
	struct stored x = store(s, s->dir, "run", 0);
	struct result *first = judge(&x, true), *again = judge(&x, false);
	_cleanup_json_ json_t *a = result_to_json(first);
	_cleanup_json_ json_t *b = result_to_json(again);

	assert_true(json_equal(a, b));
	assert_int_equal(first->scenarios[0].verdict, v);
	assert_false(result_is_analysis(first));
	result_free(first);
	result_free(again);
	forget(&x);
}

static void test_a_pass_is_one_again(void **state)
{
	same_again(*state, VERDICT_PASS);
}

static void test_a_leak_is_one_again(void **state)
{
	leak(*state);
	same_again(*state, VERDICT_LEAK);
}

static void test_a_leak_is_told_whole(void **state)
{
	struct story *s = *state;
	const struct result_scenario *sc;
	struct stored x;
	struct result *r;
	_cleanup_free_ char *slice = NULL;

	leak(s);
	x = store(s, s->dir, "run", 0);
	r = judge(&x, true);
	sc = &r->scenarios[0];
	assert_int_equal(sc->findings_total, 1);
	assert_string_equal(sc->findings[0].service, "qbittorrent");
	assert_string_equal(sc->findings[0].attribution, "bridge-match");
	/* the link leads from the report to the slice */
	assert_string_equal(sc->findings[0].evidence,
			    "../../captures/run/one/evidence/uplink.pcap");
	slice = str_fmt("%s/%s", x.reports, sc->findings[0].evidence);
	assert_true(fs_exists(slice));
	assert_int_equal(sc->n_rules, 1);
	assert_string_equal(sc->rules[0].rule, "cleartext-outside-tunnel");
	assert_int_equal(sc->rules[0].findings, 1);
	assert_string_equal(sc->taps[0].name, "uplink");
	assert_int_equal(sc->taps[0].packets, 18);
	assert_int_equal(sc->taps[0].tunnel, 16);
	assert_int_equal(sc->taps[0].leaked, 1);
	assert_int_equal(sc->taps[3].attempts, 2);
	assert_true(sc->n_allowances >= 5); /* those of the policy, none of which was used */
	assert_int_equal(sc->allowances[0].packets, 0);
	assert_true(sc->measures[0].value == 10045 * NS_PER_US);
	result_free(r);
	forget(&x);
}

/* SIGKILL at any line of the journal: never a pass. */
static void test_a_run_that_was_cut_off(void **state)
{
	struct story *s = *state;
	size_t all;
	struct stored x;

	policy_early(s);
	all = json_array_size(s->events);
	x = store(s, s->dir, "run", 0);
	for (unsigned lines = 2; lines < all; lines++) {
		store_journal(&x, lines, "");
		expect(&x, VERDICT_INCONCLUSIVE, EXIT_INCONCLUSIVE, "interrupted before its end");
	}
	store_journal(&x, 8, "{\"event\":\"ta");
	expect(&x, VERDICT_INCONCLUSIVE, EXIT_INCONCLUSIVE, "interrupted before its end");
	forget(&x);
}

/* And a leak that was captured is found once a policy was written. */
static void test_a_leak_of_a_run_that_was_cut_off(void **state)
{
	struct story *s = *state;
	unsigned lines = 2, leaks = 0;
	struct stored x;
	size_t all;

	policy_early(s);
	leak(s);
	all = json_array_size(s->events);
	x = store(s, s->dir, "run", 0);
	for (; lines < all; lines++) {
		struct result *r;

		store_journal(&x, lines, "");
		r = judge(&x, false);
		assert_int_equal(r->scenarios[0].verdict,
				 json_array_get(s->events, lines - 1) &&
						 strstr(r->scenarios[0].reason, "sent UDP")
					 ? VERDICT_LEAK
					 : VERDICT_INCONCLUSIVE);
		leaks += r->scenarios[0].verdict == VERDICT_LEAK;
		/* once it is found it stays found */
		assert_true(leaks == 0 || r->scenarios[0].verdict == VERDICT_LEAK);
		result_free(r);
	}
	assert_true(leaks > 4 && leaks < all - 2);
	forget(&x);
}

static void test_the_taps_of_a_run_that_was_cut_off(void **state)
{
	struct story *s = *state;
	struct stored x;
	struct result *r;

	policy_early(s);
	x = store(s, s->dir, "run", 12);
	r = judge(&x, false);
	assert_int_equal(r->scenarios[0].n_taps, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(r->scenarios[0].taps[i].note,
				    "never closed: the harness was killed");
		assert_false(r->scenarios[0].taps[i].reconciled);
	}
	assert_int_equal(r->scenarios[0].taps[0].packets, 17);
	result_free(r);
	forget(&x);
}

static void lose(const struct stored *x, const char *name)
{
	_cleanup_free_ char *path = str_fmt("%s/one/%s", x->captures, name);

	assert_int_equal(unlink(path), 0);
}

static void test_a_missing_capture(void **state)
{
	struct stored x = store(*state, ((struct story *)*state)->dir, "run", 0);

	lose(&x, "br-vpn.pcap");
	expect(&x, VERDICT_INCONCLUSIVE, EXIT_INCONCLUSIVE, "/one/br-vpn.pcap: No such file");
	forget(&x);
}

/* What the others show stays seen. */
static void test_a_missing_capture_hides_no_leak(void **state)
{
	struct story *s = *state;
	struct stored x;

	leak(s);
	x = store(s, s->dir, "run", 0);
	lose(&x, "lo.pcap");
	expect(&x, VERDICT_LEAK, EXIT_LEAK, "qbittorrent sent UDP");
	lose(&x, "br-vpn.pcap");
	expect(&x, VERDICT_LEAK, EXIT_LEAK, "sent UDP");
	lose(&x, "uplink.pcap");
	expect(&x, VERDICT_INCONCLUSIVE, EXIT_INCONCLUSIVE, "/one/uplink.pcap: No such file");
	forget(&x);
}

static void damage(const struct stored *x, const char *name, size_t keep, const char *with)
{
	_cleanup_free_ char *path = str_fmt("%s/one/%s", x->captures, name);
	_cleanup_free_ char *bytes = NULL;
	size_t len = 0;

	bytes = fs_read(path, 1U << 20, &len, NULL);
	assert_true(keep + strlen(with) < len);
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): a capture is no string */
	memcpy(bytes + keep, with, strlen(with));
	assert_int_equal(fs_write(path, bytes, *with ? len : keep, 0644, NULL), 0);
}

static void test_a_damaged_capture(void **state)
{
	struct stored x = store(*state, ((struct story *)*state)->dir, "run", 0);

	damage(&x, "uplink.pcap", 50, "");
	expect(&x, VERDICT_INCONCLUSIVE, EXIT_INCONCLUSIVE, "cut inside a record at byte 24");
	damage(&x, "uplink.pcap", 32, "\xff\xff\xff\x7f");
	expect(&x, VERDICT_INCONCLUSIVE, EXIT_INCONCLUSIVE,
	       "a record longer than any frame at byte 24");
	damage(&x, "uplink.pcap", 0, "text");
	expect(&x, VERDICT_INCONCLUSIVE, EXIT_INCONCLUSIVE, "neither pcap nor pcapng");
	forget(&x);
}

static void test_a_damaged_capture_hides_no_leak(void **state)
{
	struct story *s = *state;
	struct stored x;

	leak(s);
	x = store(s, s->dir, "run", 0);
	damage(&x, "exit.pcap", 60, "");
	expect(&x, VERDICT_LEAK, EXIT_LEAK, "qbittorrent sent UDP");
	forget(&x);
}

#define STORY(t) cmocka_unit_test_setup_teardown(t, story_setup, story_teardown)

/* Runs below DIR, each with the reports that its end would have written. */
static void write_run(const char *dir, const char *run, bool leaks, unsigned lines)
{
	struct report_opts o = { 0 };
	struct story *s;
	struct stored x;
	struct result *r;
	void *state = NULL;

	if (story_setup(&state) < 0)
		abort();
	s = state;
	policy_early(s);
	if (leaks)
		leak(s);
	x = store(s, dir, run, lines);
	r = judge(&x, true);
	assert_int_equal(report_write_all(r, x.reports, &o, NULL), 0);
	result_free(r);
	forget(&x);
	assert_int_equal(story_teardown(&state), 0);
}

static int write_runs(const char *dir)
{
	write_run(dir, "pass", false, 0);
	write_run(dir, "leak", true, 0);
	write_run(dir, "cut", false, 12);
	write_run(dir, "cut-leak", true, 12);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		STORY(test_a_pass_is_one_again),
		STORY(test_a_leak_is_one_again),
		STORY(test_a_leak_is_told_whole),
		STORY(test_a_run_that_was_cut_off),
		STORY(test_a_leak_of_a_run_that_was_cut_off),
		STORY(test_the_taps_of_a_run_that_was_cut_off),
		STORY(test_a_missing_capture),
		STORY(test_a_missing_capture_hides_no_leak),
		STORY(test_a_damaged_capture),
		STORY(test_a_damaged_capture_hides_no_leak),
	};

	if (argc == 3 && strcmp(argv[1], "--write") == 0)
		return write_runs(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
