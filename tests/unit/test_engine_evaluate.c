// SPDX-License-Identifier: MIT
/* From evidence to verdict: a run that passes does so no longer when any one thing is taken from it. */
#include "unit/story.h"

static void doubtful(struct story *s, const char *reason)
{
	story_expect(s, VERDICT_INCONCLUSIVE, VERDICT_INCONCLUSIVE, reason);
}

static void test_the_whole_story_passes(void **state)
{
	const struct story *s = *state;
	struct result *r = story_judge(s);

	assert_string_equal(
		r->scenarios[0].reason,
		"no packet outside the tunnel; every tap and every control vouch for it");
	assert_int_equal(r->verdict, VERDICT_PASS);
	assert_int_equal(evaluate_exit_status(r), EXIT_PASS);
	assert_true(r->scenarios[0].as_expected);
	assert_int_equal(r->scenarios[0].findings_total, 0);
	assert_int_equal(r->scenarios[0].n_controls, 3);
	assert_true(r->scenarios[0].canaries_sent > 100);
	for (size_t i = 0; i < r->scenarios[0].n_taps; i++) { /* the tunnel's stream included */
		const struct result_tap *t = &r->scenarios[0].taps[i];

		assert_int_equal(t->received, t->delivered + t->dropped);
		assert_int_equal(t->delivered, t->packets);
	}
	result_free(r);
}

/* ---- taps ---- */

static void test_a_tap_that_died(void **state)
{
	struct story *s = *state;
	json_t *tap = story_find(s, "tap", "exit");

	(void)json_object_set_new(tap, "failed", json_true());
	(void)json_object_set_new(tap, "error", json_string("writing exit.pcap: No space left"));
	doubtful(s, "tap exit failed: writing exit.pcap: No space left");
}

static void test_a_tap_that_dropped(void **state)
{
	struct story *s = *state;

	(void)json_object_set_new(story_find(s, "tap", "uplink"), "dropped", json_integer(1));
	doubtful(s, "tap uplink lost 1 packets");
}

static void test_a_beacon_that_was_missed(void **state)
{
	struct story *s = *state;
	json_t *tap = story_find(s, "tap", "uplink");

	(void)json_object_set_new(tap, "reconciled", json_false());
	(void)json_object_set_new(tap, "beacon-end", json_false());
	doubtful(s, "its last beacon was not seen");
	(void)json_object_set_new(tap, "beacon-begin", json_false());
	doubtful(s, "its first beacon was not seen");
	(void)json_object_set_new(tap, "gaps", json_integer(1));
	doubtful(s, "vanished");
}

static void test_counters_that_do_not_add_up(void **state)
{
	struct story *s = *state;

	(void)json_object_set_new(story_find(s, "tap", "lo"), "reconciled", json_false());
	doubtful(s, "tap lo on lo is not complete: its counters do not add up");
}

static void test_a_tap_that_was_never_closed(void **state)
{
	struct story *s = *state;

	story_drop(s, "tap", "br-vpn");
	doubtful(s, "tap br-vpn was opened and never closed");
}

static void test_no_tap_on_the_way_out(void **state)
{
	struct story *s = *state;
	json_t *taps = json_object_get(s->policy, "taps");

	story_drop(s, "tap", "uplink");
	story_drop(s, "tap-open", "uplink");
	story_drop(s, "control", "uplink");
	(void)json_array_remove(taps, 0);
	(void)json_object_del(s->policy, "controls");
	doubtful(s, "no tap was open on the way out");
}

static void vanish(struct story *s, int64_t after_start)
{
	(void)json_array_append_new(json_object_get(story_find(s, "tap", "br-vpn"), "events"),
				    json_pack("{s:s,s:I}", "kind", "gap-begin", "at",
					      (json_int_t)(STORY_START + after_start)));
}

static void test_an_interface_that_vanished(void **state)
{
	struct story *s = *state;

	vanish(s, 6 * NS_PER_S);
	doubtful(s, "interface br-vpn0 vanished, and nothing of the scenario took it down");
}

static void test_an_interface_that_was_taken_down(void **state)
{
	struct story *s = *state;

	vanish(s, STORY_END - 2500 * NS_PER_MS);
	story_expect(s, VERDICT_PASS, VERDICT_PASS, "");
}

static void test_a_bridge_that_was_never_seen(void **state)
{
	struct story *s = *state;
	json_t *taps = json_object_get(s->policy, "taps");

	(void)json_object_set_new(story_find(s, "tap", "br-vpn"), "lives", json_integer(0));
	(void)json_array_remove(taps, 1);
	doubtful(s, "never saw its interface, although network vpn was there");
}

/* ---- captures ---- */

static void test_a_capture_that_is_missing(void **state)
{
	struct story *s = *state;
	static const char *const names[] = { "uplink.pcap", "uplink-tunnel.pcap", "lo.pcap",
					     "exit.pcap", "br-vpn.pcap" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		_cleanup_free_ char *path = story_path(s, names[i]);
		_cleanup_free_ char *away = str_fmt("%s.away", path);

		assert_int_equal(rename(path, away), 0);
		doubtful(s, i == 1 ? "uplink hold" : names[i]);
		assert_int_equal(rename(away, path), 0);
	}
}

/* Cut between two packets a file is whole for every reader; cut in one it is damaged. */
static void test_a_capture_that_is_cut(void **state)
{
	struct story *s = *state;
	static const char *const names[] = { "uplink-tunnel.pcap", "exit.pcap" };

	for (size_t i = 0; i < 2; i++) {
		_cleanup_free_ char *path = story_path(s, names[i]);
		size_t len = 0;
		_cleanup_free_ char *data = fs_read(path, 1 << 20, &len, NULL);
		uint32_t first;

		memcpy(&first, data + 24 + 8, sizeof(first));
		assert_int_equal(truncate(path, (off_t)(24 + 16 + first)), 0);
		doubtful(s, "packets, and it delivered");
		assert_int_equal(truncate(path, (off_t)(24 + 16 + first - 1)), 0);
		doubtful(s, names[i]);
		assert_int_equal(fs_write(path, data, len, 0644, NULL), 0);
	}
	story_expect(s, VERDICT_PASS, VERDICT_PASS, "");
}

static void test_a_capture_of_somebody_else(void **state)
{
	struct story *s = *state;
	struct story_file f = story_open(s, "br-vpn.pcap", 1);

	story_add(&f, 3 * NS_PER_S, app(story_canary(QBT)));
	story_add(&f, 4 * NS_PER_S, app(story_canary(QBT)));
	(void)story_close(&f);
	doubtful(s, "the files of tap br-vpn hold 2 packets, and it delivered 1");
}

static void test_a_policy_that_leaves_a_tap_out(void **state)
{
	struct story *s = *state;
	json_t *taps = json_object_get(s->policy, "taps");

	(void)json_array_remove(taps, 1); /* the bridge */
	doubtful(s, "what tap br-vpn saw was not judged");
}

static void test_no_policy(void **state)
{
	struct story *s = *state;

	story_drop(s, "policy", NULL);
	doubtful(s, "policy");
}

/* ---- controls ---- */

static void test_a_control_that_was_missed(void **state)
{
	struct story *s = *state;

	/* another control of the same rule was caught on that tap: it does not vouch for this one */
	(void)story_insert(s, "control",
			   json_pack("{s:I,s:s,s:s}", "id", (json_int_t)STORY_CONTROL + 1, "rule",
				     "cleartext-outside-tunnel", "tap", "uplink"));
	doubtful(s, "the control of cleartext-outside-tunnel on tap uplink was missed");
}

static void test_a_tap_without_a_control(void **state)
{
	struct story *s = *state;

	story_drop(s, "control", "exit");
	/* without its event the forged packet stays what it is marked as, and vouches for nothing */
	doubtful(s, "no control was sent on tap exit");
}

/* ---- clock ---- */

static void move_clock(struct story *s, size_t from, size_t to, int64_t by)
{
	for (size_t i = from; i < to; i++) {
		json_t *e = json_array_get(s->events, i);
		json_int_t real = json_integer_value(json_object_get(e, "real"));

		(void)json_object_set_new(e, "real", json_integer(real + by));
	}
}

static void test_a_clock_that_was_stepped(void **state)
{
	struct story *s = *state;
	size_t n = json_array_size(s->events);

	move_clock(s, n / 2, n, NS_PER_S);
	doubtful(s, "the clock was moved by 1.000 s");
}

static void test_a_clock_that_was_stepped_there_and_back(void **state)
{
	struct story *s = *state;
	size_t n = json_array_size(s->events);

	move_clock(s, n / 2, n / 2 + 2, -300 * NS_PER_MS);
	doubtful(s, "the clock was moved by -0.300 s");
}

static void test_a_step_between_two_events(void **state)
{
	struct story *s = *state;

	(void)story_insert(s, "clock-step", json_pack("{s:I}", "moved", (json_int_t)NS_PER_S));
	doubtful(s, "the clock was moved by 1.000 s");
}

/* 500 ppm over 15 s */
static void test_a_clock_that_is_slewed(void **state)
{
	struct story *s = *state;
	size_t n = json_array_size(s->events);

	move_clock(s, n / 2, n, 7 * NS_PER_MS);
	story_expect(s, VERDICT_PASS, VERDICT_PASS, "");
}

/* ---- faults and probes ---- */

/* From that time on nothing is answered: the replies become something that says nothing. */
static void mute(const struct story *s, const char *name, int64_t from)
{
	_cleanup_free_ char *path = story_path(s, name);
	size_t len = 0;
	_cleanup_free_ char *data = fs_read(path, 1 << 20, &len, NULL);

	for (size_t at = sizeof(struct probe_file_head); at + sizeof(struct probe_record) <= len;
	     at += sizeof(struct probe_record)) {
		struct probe_record r;

		memcpy(&r, data + at, sizeof(r));
		if (r.event == PROBE_REPLY && r.real > STORY_START + from)
			r.event = PROBE_SKIPPED;
		memcpy(data + at, &r, sizeof(r));
	}
	assert_int_equal(fs_write(path, data, len, 0644, NULL), 0);
}

static void test_a_fault_that_was_not_confirmed(void **state)
{
	struct story *s = *state;
	json_t *fault = story_find(s, "fault", NULL);

	(void)json_object_set_new(fault, "confirmed", json_false());
	(void)json_object_set_new(fault, "confirmation", json_string("no sign of it"));
	doubtful(s, "vpn.process-kill gluetun was applied and never confirmed: no sign of it");
}

static void test_no_tunnel_before_the_fault(void **state)
{
	struct story *s = *state;
	json_t *fault = story_find(s, "fault", NULL);

	(void)json_object_set_new(fault, "before", json_integer(STORY_START + NS_PER_S));
	(void)json_object_set_new(fault, "after", json_integer(STORY_START + NS_PER_S));
	doubtful(s, "the tunnel before the fault");
}

/* The gateway's own packets fill the tunnel, and no app is connected. */
static void test_nothing_of_the_apps_in_the_tunnel(void **state)
{
	struct story *s = *state;
	struct story_file f = story_open(s, "exit.pcap", 101);

	story_add(&f, NS_PER_S, story_announce());
	(void)json_object_set_new(story_find(s, "tap", "exit"), "delivered",
				  json_integer(story_close(&f)));
	story_expect(s, VERDICT_PASS, VERDICT_PASS, ""); /* the lookups were answered */
	story_log(s, "probe-1-0.log", NS_PER_S, STORY_END - 2 * NS_PER_S, true);
	mute(s, "probe-1-0.log", 0);
	doubtful(s, "nothing that a protected service sent came through the tunnel");
}

/* Any of the three shows it. */
static void test_what_shows_that_something_came_through(void **state)
{
	struct story *s = *state;
	struct story_file f;

	mute(s, "probe-1-0.log", 0);
	/* the canary at the exit; that lookups are not answered is another matter */
	story_expect(s, VERDICT_FAIL, VERDICT_FAIL, "recovery");
	/* not a canary: what the app sends by itself */
	f = story_open(s, "exit.pcap", 101);
	story_add(&f, NS_PER_S, story_announce());
	story_add(&f, 3 * NS_PER_S + NS_PER_MS, story_packet(TUN));
	(void)story_close(&f);
	f = story_open(s, "br-vpn.pcap", 1);
	story_add(&f, 3 * NS_PER_S, app(story_packet(QBT)));
	(void)story_close(&f);
	story_expect(s, VERDICT_FAIL, VERDICT_FAIL, "recovery");
}

static void test_a_probe_without_a_log(void **state)
{
	struct story *s = *state;
	_cleanup_free_ char *path = story_path(s, "probe-1-0.log");

	assert_int_equal(unlink(path), 0);
	doubtful(s, "the log of probe dns in qbittorrent cannot be read");
	assert_int_equal(fs_write(path, "LPPROBE1", 8, 0644, NULL), 0);
	doubtful(s, "the log of probe dns in qbittorrent cannot be read");
}

static void test_a_probe_that_died(void **state)
{
	struct story *s = *state;

	story_log(s, "probe-1-0.log", NS_PER_S, 10 * NS_PER_S, false);
	doubtful(s, "probe dns in qbittorrent ended before it was told to");
}

static void test_a_probe_that_never_sent(void **state)
{
	struct story *s = *state;

	story_log(s, "probe-1-0.log", NS_PER_S, NS_PER_S, true);
	doubtful(s, "probe dns in qbittorrent never sent a packet");
	/* in another life of its service it did */
	(void)story_insert(s, "probe",
			   json_pack("{s:s,s:s,s:s,s:s}", "label", "dns", "probe", "dns", "service",
				     "qbittorrent", "log", "probe-1-1.log"));
	story_log(s, "probe-1-1.log", NS_PER_S, STORY_END - 2 * NS_PER_S, true);
	story_expect(s, VERDICT_PASS, VERDICT_PASS, "");
}

static void test_a_probe_that_could_not_go_on(void **state)
{
	struct story *s = *state;

	(void)story_insert(s, "probe-lost",
			   json_pack("{s:s,s:s,s:s}", "label", "dns", "service", "qbittorrent",
				     "text", "not ready"));
	doubtful(s, "probe dns in qbittorrent could not go on: not ready");
}

static void test_a_fault_after_which_nobody_sent(void **state)
{
	struct story *s = *state;

	story_log(s, "probe-1-0.log", NS_PER_S, STORY_FAULT, true);
	doubtful(s, "nobody sent anything after fault vpn.process-kill gluetun");
}

static const struct result_measure *measure(const struct result *r, const char *name)
{
	for (size_t i = 0; i < r->scenarios[0].n_measures; i++)
		if (strcmp(r->scenarios[0].measures[i].name, name) == 0)
			return &r->scenarios[0].measures[i];
	fail_msg("no measure %s", name);
	return NULL;
}

static void test_what_never_came_back(void **state)
{
	struct story *s = *state;

	mute(s, "probe-1-0.log", STORY_FAULT);
	/* 13 s without an answer are less than the bound of 60 s, and no recovery all the same */
	story_expect(s, VERDICT_FAIL, VERDICT_FAIL, "recovery: not within the scenario");
}

/* The service began another life, and the probe with it: what it hears there is the end of the outage. */
static void test_recovery_in_another_life(void **state)
{
	struct story *s = *state;
	struct result *r;

	story_log(s, "probe-1-0.log", NS_PER_S, 5 * NS_PER_S, true);
	mute(s, "probe-1-0.log", STORY_FAULT);
	(void)story_insert(s, "probe",
			   json_pack("{s:s,s:s,s:s,s:s}", "label", "dns", "probe", "dns", "service",
				     "qbittorrent", "log", "probe-1-1.log"));
	story_log(s, "probe-1-1.log", 6 * NS_PER_S, STORY_END - 2 * NS_PER_S, true);
	r = story_judge(s);
	assert_int_equal(r->verdict, VERDICT_PASS);
	assert_int_equal(measure(r, "recovery")->value, 2 * NS_PER_S + NS_PER_MS);
	result_free(r);
}

/* The time from the fault to the first attempt is a gap like any other. */
static void test_the_sampling_gap(void **state)
{
	struct story *s = *state;
	struct result *r;

	story_log(s, "probe-1-0.log", STORY_FAULT + 1700 * NS_PER_MS, 18 * NS_PER_S, true);
	r = story_judge(s);
	assert_int_equal(r->verdict, VERDICT_PASS);
	assert_non_null(strstr(measure(r, "kill-switch")->text, "sampled every 1700.0 ms"));
	result_free(r);
}

/* ---- the real host ---- */

static void test_a_network_that_nobody_watched(void **state)
{
	struct story *s = *state;
	json_t *services = json_object_get(s->policy, "services");

	(void)json_object_set_new(s->policy, "closed-world", json_false());
	doubtful(s, "no tap watched network egress of gluetun");
	/* an edge service may be unwatched, and so is the media network of the story */
	(void)json_array_remove(json_object_get(json_array_get(services, 2), "legs"), 2);
	story_expect(s, VERDICT_PASS, VERDICT_PASS, "");
}

static void test_a_service_in_the_hosts_network(void **state)
{
	struct story *s = *state;

	(void)story_insert(s, "unwatched", json_pack("{s:s}", "text", "sonarr cannot be told"));
	doubtful(s, "sonarr cannot be told");
}

/* ---- leaks, errors, promises ---- */

static void leak(struct story *s)
{
	struct story_file f = story_open(s, "uplink.pcap", 1);
	json_t *tap = story_find(s, "tap", "uplink");

	story_add(&f, NS_PER_S, story_control());
	story_add(&f, 5 * NS_PER_S, out(story_canary(REAL)));
	(void)json_object_set_new(tap, "delivered", json_integer(story_close(&f)));
}

static void test_a_leak(void **state)
{
	struct story *s = *state;
	struct result *r;

	leak(s);
	(void)story_insert(s, "error", json_pack("{s:s}", "text", "x"));
	story_drop(s, "tap", "br-vpn");
	story_expect(s, VERDICT_LEAK, VERDICT_LEAK, "qbittorrent sent");
	r = story_judge(s);
	assert_int_equal(evaluate_exit_status(r), EXIT_LEAK);
	result_free(r);
}

static void test_errors_and_promises(void **state)
{
	struct story *s = *state;
	struct result *r;

	(void)story_insert(s, "promise", json_pack("{s:s}", "text", "web-ui: 502"));
	story_expect(s, VERDICT_FAIL, VERDICT_FAIL, "web-ui: 502");
	(void)story_insert(s, "error", json_pack("{s:s}", "text", "stack up: no"));
	story_expect(s, VERDICT_ERROR, VERDICT_ERROR, "stack up: no");
	r = story_judge(s);
	assert_int_equal(evaluate_exit_status(r), EXIT_ENVIRONMENT);
	result_free(r);
}

static void must_leak(struct story *s)
{
	(void)json_object_set_new(story_find(s, "scenario-begin", NULL), "must-leak", json_true());
}

static void test_a_control_scenario_that_leaks(void **state)
{
	struct story *s = *state;

	must_leak(s);
	story_expect(s, VERDICT_PASS, VERDICT_INCONCLUSIVE, "");
	leak(s);
	story_expect(s, VERDICT_LEAK, VERDICT_PASS, "qbittorrent sent");
}

/* Somebody else's packet is a leak in a closed world; that the control's own is seen it does not show. */
static void test_a_control_scenario_that_leaks_by_chance(void **state)
{
	struct story *s = *state;
	struct story_file f = story_open(s, "uplink.pcap", 1);
	json_t *tap = story_find(s, "tap", "uplink");

	must_leak(s);
	story_add(&f, NS_PER_S, story_control());
	story_add(&f, 5 * NS_PER_S,
		  out(ip(REAL, "198.51.100.200", P_UDP, udp(4, 4, text("whoever")))));
	(void)json_object_set_new(tap, "delivered", json_integer(story_close(&f)));
	story_expect(s, VERDICT_LEAK, VERDICT_INCONCLUSIVE, "nothing ties it to the stack");
}

/* ---- the end ---- */

static void test_a_scenario_that_was_interrupted(void **state)
{
	struct story *s = *state;

	(void)story_insert(s, "interrupted", NULL);
	doubtful(s, "interrupted before its end");
}

static void test_a_journal_that_was_cut(void **state)
{
	struct story *s = *state;

	story_drop(s, "scenario-end", NULL);
	doubtful(s, "interrupted before its end");
}

static void test_fewer_scenarios_than_planned(void **state)
{
	struct story *s = *state;
	struct result *r;

	(void)json_object_set_new(story_find(s, "run", NULL), "scenarios", json_integer(2));
	story_expect(s, VERDICT_PASS, VERDICT_INCONCLUSIVE, "");
	r = story_judge(s);
	assert_string_equal(r->sentence, "Only 1 of 2 scenarios were played.");
	assert_int_equal(evaluate_exit_status(r), EXIT_INCONCLUSIVE);
	result_free(r);
	(void)json_object_del(story_find(s, "run", NULL), "scenarios");
	story_expect(s, VERDICT_PASS, VERDICT_INCONCLUSIVE, "");
}

/* Between two scenarios, or before the first: the last one played says nothing of it. */
static void test_a_run_that_was_interrupted(void **state)
{
	struct story *s = *state;
	struct result *r;

	(void)json_object_set_new(story_find(s, "run", NULL), "scenarios", json_integer(2));
	(void)story_event(s, "interrupted", NULL);
	story_expect(s, VERDICT_PASS, VERDICT_INCONCLUSIVE, "");
	r = story_judge(s);
	assert_string_equal(r->sentence, "Only 1 of 2 scenarios were played: interrupted");
	assert_int_equal(evaluate_exit_status(r), EXIT_INCONCLUSIVE);
	result_free(r);
	while (json_array_size(s->events) > 1)
		(void)json_array_remove(s->events, 1);
	(void)story_event(s, "interrupted", NULL);
	r = story_judge(s);
	assert_string_equal(r->sentence, "No scenario ran, so nothing is known: interrupted");
	assert_int_equal(r->verdict, VERDICT_INCONCLUSIVE);
	result_free(r);
}

static void test_a_run_that_ended_with_an_error(void **state)
{
	struct story *s = *state;
	struct result *r;

	(void)story_event(s, "error", json_pack("{s:s}", "text", "the disk is full"));
	story_expect(s, VERDICT_PASS, VERDICT_ERROR, "");
	r = story_judge(s);
	assert_non_null(strstr(r->sentence, "the disk is full"));
	assert_int_equal(evaluate_exit_status(r), EXIT_ENVIRONMENT);
	result_free(r);
}

static void test_no_scenario(void **state)
{
	struct story *s = *state;
	struct result *r;

	while (json_array_size(s->events) > 1)
		(void)json_array_remove(s->events, 1);
	r = story_judge(s);
	assert_int_equal(r->verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(evaluate_exit_status(r), EXIT_INCONCLUSIVE);
	result_free(r);
}

static void test_skipped_scenarios_alone_are_no_pass(void **state)
{
	const struct story *s = *state;
	struct result *r = story_judge(s);

	r->scenarios[0].verdict = VERDICT_SKIPPED;
	r->scenarios[0].as_expected = false;
	evaluate_total(r, s->events);
	assert_int_equal(r->verdict, VERDICT_INCONCLUSIVE);
	result_free(r);
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, story_setup, story_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_the_whole_story_passes),
		STORY(test_a_tap_that_died),
		STORY(test_a_tap_that_dropped),
		STORY(test_a_beacon_that_was_missed),
		STORY(test_counters_that_do_not_add_up),
		STORY(test_a_tap_that_was_never_closed),
		STORY(test_no_tap_on_the_way_out),
		STORY(test_an_interface_that_vanished),
		STORY(test_an_interface_that_was_taken_down),
		STORY(test_a_bridge_that_was_never_seen),
		STORY(test_a_capture_that_is_missing),
		STORY(test_a_capture_that_is_cut),
		STORY(test_a_capture_of_somebody_else),
		STORY(test_a_policy_that_leaves_a_tap_out),
		STORY(test_no_policy),
		STORY(test_a_control_that_was_missed),
		STORY(test_a_tap_without_a_control),
		STORY(test_a_clock_that_was_stepped),
		STORY(test_a_clock_that_was_stepped_there_and_back),
		STORY(test_a_step_between_two_events),
		STORY(test_a_clock_that_is_slewed),
		STORY(test_a_fault_that_was_not_confirmed),
		STORY(test_no_tunnel_before_the_fault),
		STORY(test_nothing_of_the_apps_in_the_tunnel),
		STORY(test_what_shows_that_something_came_through),
		STORY(test_a_probe_without_a_log),
		STORY(test_a_probe_that_died),
		STORY(test_a_probe_that_never_sent),
		STORY(test_a_probe_that_could_not_go_on),
		STORY(test_a_fault_after_which_nobody_sent),
		STORY(test_what_never_came_back),
		STORY(test_recovery_in_another_life),
		STORY(test_the_sampling_gap),
		STORY(test_a_network_that_nobody_watched),
		STORY(test_a_service_in_the_hosts_network),
		STORY(test_a_leak),
		STORY(test_errors_and_promises),
		STORY(test_a_control_scenario_that_leaks),
		STORY(test_a_control_scenario_that_leaks_by_chance),
		STORY(test_a_scenario_that_was_interrupted),
		STORY(test_a_journal_that_was_cut),
		STORY(test_fewer_scenarios_than_planned),
		STORY(test_a_run_that_was_interrupted),
		STORY(test_a_run_that_ended_with_an_error),
		STORY(test_no_scenario),
		STORY(test_skipped_scenarios_alone_are_no_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
