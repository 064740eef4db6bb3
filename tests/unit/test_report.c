// SPDX-License-Identifier: MIT
/* Reports: terminal, JSON, the page, writing of files, redaction.
 * `test_report --write DIR` and `--write-analysis DIR` write the samples' reports for the browser test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "report/html.h"
#include "report/redact.h"
#include "report/report.h"
#include "report/sample.h"
#include "report/summary.h"

static char *render(const char *format, const struct result *r, bool share)
{
	struct report_opts o = { .share = share };
	struct err err = { 0 };
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(report_write(report_find(format), r, &o, f, &err), 0);
	(void)fclose(f);
	return text;
}

static void assert_has(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("\"%s\" is missing", what);
}

static void assert_lacks(const char *text, const char *what)
{
	const char *hit = strstr(text, what);

	if (hit)
		fail_msg("\"%s\" is there: %.120s", what, hit);
}

static size_t occurrences(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

/* ---- words and numbers ---- */

static void check_duration(int64_t ns, const char *want)
{
	_cleanup_free_ char *text = summary_duration(ns);

	assert_string_equal(text, want);
}

static void test_durations_read_well(void **state)
{
	(void)state;
	check_duration(RESULT_NONE, "-");
	check_duration(0, "0 s");
	check_duration(594614, "595 us");
	check_duration(20700000, "20.7 ms");
	check_duration(412 * NS_PER_MS, "0.412 s");
	check_duration(-708324, "-708 us");
	check_duration(15689 * NS_PER_MS, "15.7 s");
	check_duration(240 * NS_PER_S, "4 min 0 s");
	check_duration(90000 * NS_PER_S, "25 h 0 min");
	check_duration(180 * NS_PER_S + NS_PER_S / 2 - 1, "3 min 0 s");
	check_duration(180 * NS_PER_S + NS_PER_S / 2, "3 min 1 s");
	check_duration(INT64_MAX, "2562047 h 47 min");
}

static void test_bounds_have_no_needless_zeros(void **state)
{
	_cleanup_free_ char *five = summary_bound(5 * NS_PER_S);
	_cleanup_free_ char *half = summary_bound(1500 * NS_PER_MS);
	_cleanup_free_ char *tenth = summary_bound(100 * NS_PER_MS);

	(void)state;
	assert_string_equal(five, "5 s");
	assert_string_equal(half, "1.5 s");
	assert_string_equal(tenth, "100 ms");
}

static void test_the_summary_leaves_controls_out(void **state)
{
	struct result *r = sample_result();
	struct summary s;

	(void)state;
	summary_of(r, &s);
	assert_int_equal(s.scenarios, 12);
	assert_int_equal(s.as_expected, 6);
	assert_int_equal(s.leaks,
			 244); /* 243 of the repeat, 1 of the hostile; not the control's 31 */
	assert_int_equal(s.dropped, 31);
	assert_int_equal(s.controls - s.caught, 1);
	assert_true(s.kill_switch->value == 5400 * NS_PER_MS);
	assert_false(s.recovery->ok);
	result_free(r);
}

/* Where nothing leaked anywhere, the bound that was kept is shown, not a measure that had none. */
static void test_the_worst_of_equals_has_the_bound(void **state)
{
	struct result_measure m[] = {
		{ (char *)(uintptr_t) "kill-switch", NULL, RESULT_NONE, RESULT_NONE, 0, true },
		{ (char *)(uintptr_t) "kill-switch", NULL, RESULT_NONE, 9, 0, true },
		{ (char *)(uintptr_t) "kill-switch", NULL, RESULT_NONE, 5, 0, true },
		{ (char *)(uintptr_t) "kill-switch", NULL, RESULT_NONE, RESULT_NONE, 0, true }
	};
	struct result_scenario s = { .measures = m, .n_measures = 4 };

	(void)state;
	assert_ptr_equal(summary_worst(&s, "kill-switch"), &m[2]);
	m[3].value = 1;
	assert_ptr_equal(summary_worst(&s, "kill-switch"), &m[3]);
	m[1].ok = false;
	assert_ptr_equal(summary_worst(&s, "kill-switch"), &m[1]);
}

/* ---- terminal ---- */

static void test_the_table_is_plain_outside_a_terminal(void **state)
{
	struct result *r = sample_result();
	_cleanup_free_ char *text = render("text", r, false);

	(void)state;
	assert_null(strchr(text, 0x1b));
	assert_null(strchr(text, 0x01));
	assert_has(text, "kill-vpn-container #2");
	assert_has(text, "5.400 s!");
	assert_has(text, "4 min 0 s");
	assert_has(text, "[cleartext-outside-tunnel] critical, 230 findings");
	assert_has(text, "  ... 227 more");
	assert_has(text,
		   "2026-11-24T07:01:21.100Z, 6.100 s after the start, tap uplink, frame 1201");
	assert_has(text, "  What to do: Close the path.");
	assert_has(text, "service qbittorrent (bridge-match, 97\xe2\x80\xaf% sure)");
	/* nine scenarios came as far as a coverage */
	assert_has(text, "updates of the host       host              0            0  NEVER USED");
	assert_has(text, "leak: 6 of 12 scenarios");
	assert_has(text, "(built here, stand-in)");
	result_free(r);
}

static void test_a_line_for_a_finished_scenario(void **state)
{
	struct result *r = sample_result();
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	report_live(&r->scenarios[0], f);
	report_live(&r->scenarios[10], f);
	(void)fclose(f);
	assert_int_equal(occurrences(text, "\n"), 2);
	assert_has(text, "pass");
	assert_has(text, "(a control, as expected)");
	free(text);
	result_free(r);
}

static void test_an_analysis_has_no_columns_of_a_run(void **state)
{
	struct result *r = sample_analysis();
	_cleanup_free_ char *text = render("text", r, false);

	(void)state;
	assert_null(strchr(text, 0x1b));
	assert_lacks(text, "kill switch");
	assert_lacks(text, "recovery");
	assert_lacks(text, "expected");
	assert_lacks(text, "scenario");
	assert_has(text, "analysis of uplink.pcap, br-vpn.pcap");
	assert_has(text, "[cleartext-outside-tunnel] critical, 24 findings");
	assert_has(text, "  ... 4 more");
	assert_has(text, "service qbittorrent or sonarr (ambiguous: two services fit, 50");
	assert_has(text, "tap    role       packets     tunnel     leaked");
	assert_has(text, "uplink uplink       21034      20000         24");
	assert_has(text, "  uplink.pcap: capture file: cut inside a record at byte 91234");
	assert_has(
		text,
		"1200 attempts of protected services to leave were seen inside, 31 of them nowhere "
		"outside");
	assert_has(text, "NEVER USED  tcp, port 443, any address, outbound, tls");
	assert_has(text, "ANY PAYLOAD  udp, ports 5000-5010");
	assert_has(text, "\nleak: 24 of 46345 packets");
	result_free(r);
}

/* ---- page ---- */

static void test_the_page_is_self_contained(void **state)
{
	struct result *r = sample_result();
	_cleanup_free_ char *page = render("html", r, false);

	(void)state;
	assert_has(page, "default-src 'none'");
	assert_has(page, "style-src 'sha256-");
	assert_has(page, "script-src 'sha256-");
	assert_lacks(page, "unsafe-inline");
	assert_lacks(page, "http://");
	assert_lacks(page, "https://");
	assert_lacks(page, "<link");
	assert_lacks(page, "<img");
	assert_lacks(page, "<iframe");
	assert_lacks(page, "@import");
	assert_lacks(page, "url(");
	assert_lacks(page, " src=");
	assert_lacks(page, " style=");
	assert_has(page, "name=\"viewport\"");
	assert_has(page, "prefers-color-scheme: dark");
	result_free(r);
}

static void test_hostile_text_stays_text(void **state)
{
	struct result *r = sample_result();
	_cleanup_free_ char *page = render("html", r, false);

	(void)state;
	/* its own script, once */
	assert_int_equal(occurrences(page, "<script"), 1);
	assert_has(page, "&lt;script&gt;alert(1)&lt;/"
			 "script&gt;&quot;&#39;&amp;]]&gt;\\x1b[31m\\u202e\\xff\\x01");
	assert_null(strchr(page, 0x1b));
	assert_null(strchr(page, 0x01));
	assert_null(memchr(page, 0xff, strlen(page)));
	assert_lacks(page, "\xe2\x80\xae");
	assert_lacks(page, "href=\"javascript");
	result_free(r);
}

static void test_the_page_says_everything(void **state)
{
	struct result *r = sample_result();
	_cleanup_free_ char *page = render("html", r, false);

	(void)state;
	assert_has(page, "<title>Leak \xc2\xb7 leakproof 20261124-070000-5eed</title>");
	assert_has(page, "Stand-ins ran for</strong> gluetun: ");
	assert_int_equal(occurrences(page, "<section class=\"card scenario"), 12);
	assert_int_equal(occurrences(page, "<section class=\"card scenario unexpected"), 6);
	assert_has(page, "id=\"s-kill-vpn-container\"");
	assert_has(page, "id=\"s-kill-vpn-container-2\"");
	assert_has(page, "href=\"../../captures/sample/kill-vpn-container/evidence/uplink.pcap\"");
	assert_has(page, "process 17489 (wireguard-go) has ended");
	assert_has(page, "never confirmed:");
	assert_has(page, "leak found, as it must");
	assert_has(page, "bridge-match, 97\xe2\x80\xaf% sure");
	assert_has(page, "The first 200 are listed, some of every rule and tap");
	assert_has(page, "<h4>What they saw</h4>");
	assert_has(page, "4 of 5 add up");
	assert_has(page, "5 of 6 caught");
	assert_has(page, "seed 18446744073709551557");
	assert_has(page, "class=\"chip standin\">stand-in</span>");
	result_free(r);
}

static void test_the_page_of_an_analysis(void **state)
{
	struct result *r = sample_analysis();
	_cleanup_free_ char *page = render("html", r, false);

	(void)state;
	assert_has(page, "<title>Leak \xc2\xb7 leakproof uplink.pcap, br-vpn.pcap</title>");
	assert_has(page, "analysis of uplink.pcap, br-vpn.pcap");
	assert_has(page, "<h2 id=\"findings\">Findings</h2>");
	assert_has(page, "ambiguous: two services fit</span>");
	assert_has(page, "What the rule cleartext-outside-tunnel means.");
	assert_has(page, "<h2 id=\"coverage\">What the policy allowed</h2>");
	assert_has(page, "updates of the host <span class=\"chip standin\">never used</span>");
	assert_has(page, "a camera <span class=\"chip standin\">any payload</span>");
	assert_has(page, "cut inside a record at byte 91234");
	assert_has(page, "of 1\xe2\x80\xaf"
			 "200 seen inside the stack");
	assert_has(page, "home-server.yaml");
	assert_int_equal(occurrences(page, "<section class=\"card scenario"), 1);
	/* nothing of a run */
	assert_lacks(page, "Kill switch");
	assert_lacks(page, "Worst");
	assert_lacks(page, "Controls");
	assert_lacks(page, "seed ");
	assert_lacks(page, "canary");
	assert_lacks(page, "class=\"filter\"");
	assert_lacks(page, ">evidence<");
	assert_lacks(page, "beacons");
	assert_lacks(page, " src=");
	assert_lacks(page, " style=");
	result_free(r);
}

static void test_an_analysis_without_a_packet(void **state)
{
	struct result *r = result_new();
	struct result_scenario *s = result_add_scenario(r);

	(void)state;
	free(r->kind);
	r->kind = str_fmt("%s", RESULT_ANALYSIS);
	s->verdict = r->verdict = VERDICT_INCONCLUSIVE;
	r->begin = r->end = s->begin = s->end = RESULT_NONE;
	result_seal(r);
	for (size_t i = 0; i < n_report_rows; i++) {
		_cleanup_free_ char *text = render(report_rows[i]->name, r, false);

		assert_lacks(text, "-9223372036");
		assert_lacks(text, "1677-");
	}
	result_free(r);
}

static void test_the_coverage_of_a_run_is_that_of_its_scenarios(void **state)
{
	struct result *r = sample_result();
	_cleanup_free_ char *page = render("html", r, false);
	size_t n;
	struct result_allowance *rows = summary_coverage(r, &n);

	(void)state;
	assert_int_equal(n, 4);
	assert_string_equal(rows[1].name, "the clock of the host");
	assert_int_equal(rows[1].packets, 30);
	assert_int_equal(rows[1].bytes, 3000);
	assert_int_equal(rows[2].packets, 0);
	assert_int_equal(occurrences(page, "<h2 id=\"coverage\""), 1);
	assert_has(page, "never used</span>");
	free(rows);
	result_free(r);
}

static void test_scenarios_of_one_name_keep_their_own_anchor(void **state)
{
	struct result *r = result_new();
	_cleanup_free_ char *page = NULL;

	(void)state;
	for (int i = 0; i < 2; i++)
		(void)sample_scenario(r, "same", "", VERDICT_PASS, "", 1);
	result_seal(r);
	page = render("html", r, false);
	assert_int_equal(occurrences(page, "id=\"s-same\""), 1);
	assert_int_equal(occurrences(page, "id=\"s-same-n2\""), 1);
	result_free(r);
}

static void test_odd_series_do_no_harm(void **state)
{
	struct result *r = result_new();
	struct result_scenario *s = sample_scenario(r, "odd", "", VERDICT_PASS, "", 10);
	struct result_series *x = sample_series(s, "tunnel", "packets", 3);
	_cleanup_free_ char *page = NULL;

	(void)state;
	x->start -= seconds(1000); /* long before the scenario */
	x = sample_series(s, "blocked", "packets", (double)INFINITY);
	x->bin = 1; /* everything in one point */
	(void)sample_series(s, "health", "state", (double)NAN);
	x = sample_series(s, "leaks", "packets", 1);
	x->bin = 0;
	x = result_add_series(s, 0);
	x->name = str_fmt("canaries");
	x->bin = SAMPLE_BIN;
	result_seal(r);
	page = render("html", r, false);
	assert_has(page, "Gateway healthy");
	assert_lacks(page, "nan");
	result_free(r);
}

/* ---- files ---- */

/* How many times the axis of a scenario of that length names. */
static size_t ticks_of(int64_t span)
{
	struct result_window phase = { .kind = (char *)(uintptr_t) "phase",
				       .label = (char *)(uintptr_t) "all",
				       .end = span };
	struct result_scenario s = { .windows = &phase, .n_windows = 1, .end = span };
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	html_chart(f, &s);
	(void)fclose(f);
	return occurrences(text, "<g class=\"tick");
}

static void test_the_axis_of_any_span_is_short(void **state)
{
	(void)state;
	assert_int_equal(ticks_of(0), 0);
	assert_int_equal(ticks_of(1), 1);
	assert_int_equal(ticks_of(400 * NS_PER_MS - 1), 8);
	assert_int_equal(ticks_of(400 * NS_PER_MS), 1);
	assert_int_equal(ticks_of(4 * NS_PER_S - 1), 8);
	assert_int_equal(ticks_of(4 * NS_PER_S), 5);
	assert_int_equal(ticks_of(8 * NS_PER_S - 1), 8);
	assert_int_equal(ticks_of(8 * NS_PER_S), 9);
	assert_int_equal(ticks_of(8 * NS_PER_S + 2000), 5);
	assert_int_equal(ticks_of(INT64_MAX / 2), 8);
	assert_int_equal(ticks_of(INT64_MAX - 1024), 8);
	assert_int_equal(ticks_of(INT64_MAX), 8);
}

static void test_all_files_are_written_whole(void **state)
{
	static const char *const names[] = { "result.json", "junit.xml", "index.html" };
	char dir[] = "/tmp/leakproof-report-XXXXXX";
	struct result *r = sample_result();
	struct report_opts o = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(report_write_all(r, dir, &o, &err), 0);
	for (size_t i = 0; i < 3; i++) {
		_cleanup_free_ char *path = str_fmt("%s/%s", dir, names[i]);
		_cleanup_free_ char *tmp = str_fmt("%s.tmp", path);

		assert_true(fs_exists(path));
		assert_false(fs_exists(tmp));
	}
	assert_int_equal(fs_remove_tree(dir, &err), 0);
	assert_int_equal(report_write_all(r, dir, &o, &err), -1);
	assert_has(err.text, dir);
	result_free(r);
}

static void test_a_full_disk_is_an_error(void **state)
{
	struct result *r = sample_result();
	struct report_opts o = { 0 };
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	for (size_t i = 0; i < n_report_rows; i++) {
		struct err err = { 0 };

		assert_int_equal(report_write(report_rows[i], r, &o, full, &err), -1);
		assert_int_equal(err.status, EXIT_ENVIRONMENT);
		clearerr(full);
	}
	(void)fclose(full);
	result_free(r);
}

/* ---- redaction ---- */

static void check_redacted(const char *text, const char *want)
{
	struct result *r = result_new(), *clean;

	(void)result_add_environment(r, "real address", "203.0.113.10");
	(void)result_add_environment(r, "real address", "2001:db8:1::10/64");
	r->sentence = str_fmt("%s", text);
	result_seal(r);
	clean = redact_result(r, NULL);
	assert_non_null(clean);
	assert_string_equal(clean->sentence, want);
	assert_string_equal(r->sentence, text);
	result_free(clean);
	result_free(r);
}

static void test_every_spelling_of_an_address_goes(void **state)
{
	(void)state;
	check_redacted("203.0.113.10:6881 > 198.51.100.134:6881",
		       "REDACTED-A:6881 > 198.51.100.134:6881");
	check_redacted("it is 203.0.113.10.", "it is REDACTED-A.");
	check_redacted("203.0.113.10.6881 > x", "REDACTED-A.6881 > x");
	check_redacted("203.0.113.100 and 203.0.113.1 and 1203.0.113.10",
		       "203.0.113.100 and 203.0.113.1 and "
		       "1203.0.113.10");
	check_redacted("ip=203.0.113.10&", "ip=REDACTED-A&");
	check_redacted("host203.0.113.10b", "hostREDACTED-Ab");
	check_redacted("::ffff:203.0.113.10", "REDACTED-A");
	check_redacted("::ffff:cb00:710a", "REDACTED-A");
	check_redacted("10.113.0.203.in-addr.arpa", "REDACTED-A");
	check_redacted("dsl-203-0-113-10.isp.example", "dsl-REDACTED-A.isp.example");
	check_redacted("dsl10-113-0-203.isp.example", "dslREDACTED-A.isp.example");
	check_redacted("bytes cb00710a and 0xCB00710A", "bytes REDACTED-A and 0xREDACTED-A");
	check_redacted("acb00710a", "acb00710a");
	check_redacted("[2001:db8:1::10]:443", "[REDACTED-B]:443");
	check_redacted("2001:0DB8:0001:0:0:0:0:0010", "REDACTED-B");
	check_redacted("2001:db8:1:0:1234::1 of the same house",
		       "REDACTED-B-NET of the same house");
	check_redacted("2001:db8:2::132", "2001:db8:2::132");
	check_redacted("20010db8000100000000000000000010", "REDACTED-B");
	check_redacted("0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
		       "REDACTED-B.ip6.arpa");
}

static void test_secrets_go(void **state)
{
	(void)state;
	check_redacted("GET /announce?passkey=abc123&port=1",
		       "GET /announce?passkey=REDACTED&port=1");
	check_redacted("Password: hunter2, next", "Password: REDACTED, next");
	check_redacted("http://me:pw@tracker.example/", "http://REDACTED@tracker.example/");
	check_redacted("key yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk= end",
		       "key REDACTED-KEY end");
	check_redacted("/home/alice/media/stack.yml", "/home/REDACTED/media/stack.yml");
	check_redacted("sha256:4f1c tokens are fine", "sha256:4f1c tokens are fine");
}

static void test_no_shared_report_names_the_address(void **state)
{
	struct result *r = sample_result();

	(void)state;
	for (size_t i = 0; i < n_report_rows; i++) {
		_cleanup_free_ char *text = render(report_rows[i]->name, r, true);
		_cleanup_free_ char *open = render(report_rows[i]->name, r, false);

		assert_has(open, "203.0.113.10");
		assert_lacks(text, "203.0.113.10");
		assert_lacks(text, "2001:db8:1:");
		assert_lacks(text, "mediabox");
		assert_lacks(text, "evidence/uplink.pcap");
		assert_has(text, "REDACTED-A");
	}
	result_free(r);
}

static int write_sample(const char *dir, bool analysis)
{
	struct result *r = analysis ? sample_analysis() : sample_result();
	struct report_opts o = { 0 };
	struct err err = { 0 };
	int rc = report_write_all(r, dir, &o, &err);

	if (rc < 0)
		(void)fprintf(stderr, "%s\n", err.text);
	result_free(r);
	return rc < 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations_read_well),
		cmocka_unit_test(test_bounds_have_no_needless_zeros),
		cmocka_unit_test(test_the_summary_leaves_controls_out),
		cmocka_unit_test(test_the_worst_of_equals_has_the_bound),
		cmocka_unit_test(test_the_table_is_plain_outside_a_terminal),
		cmocka_unit_test(test_a_line_for_a_finished_scenario),
		cmocka_unit_test(test_an_analysis_has_no_columns_of_a_run),
		cmocka_unit_test(test_the_page_is_self_contained),
		cmocka_unit_test(test_hostile_text_stays_text),
		cmocka_unit_test(test_the_page_says_everything),
		cmocka_unit_test(test_the_page_of_an_analysis),
		cmocka_unit_test(test_an_analysis_without_a_packet),
		cmocka_unit_test(test_the_coverage_of_a_run_is_that_of_its_scenarios),
		cmocka_unit_test(test_scenarios_of_one_name_keep_their_own_anchor),
		cmocka_unit_test(test_odd_series_do_no_harm),
		cmocka_unit_test(test_the_axis_of_any_span_is_short),
		cmocka_unit_test(test_all_files_are_written_whole),
		cmocka_unit_test(test_a_full_disk_is_an_error),
		cmocka_unit_test(test_every_spelling_of_an_address_goes),
		cmocka_unit_test(test_secrets_go),
		cmocka_unit_test(test_no_shared_report_names_the_address),
	};

	if (argc == 3 && strcmp(argv[1], "--write") == 0)
		return write_sample(argv[2], false);
	if (argc == 3 && strcmp(argv[1], "--write-analysis") == 0)
		return write_sample(argv[2], true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
