// SPDX-License-Identifier: MIT
/* Result model and reports: both directions of the JSON, hostile strings, redaction, the counts of JUnit. With a
 * directory as argument: write the sample's reports there (for the browser test). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libxml/parser.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "report/report.h"

#define HOSTILE "<script>alert(1)</script> & \"q\" 'a' \x01"
#define S(n)	INT64_C(n##000000000)

static char *text_of(const char *s)
{
	return str_fmt("%s", s);
}

static void fill_series(struct result_scenario *s, const char *name, const char *unit,
			unsigned from, unsigned to, double value)
{
	struct result_series *r;

	s->series = realloc(s->series, (s->n_series + 1) * sizeof(*r));
	r = &s->series[s->n_series++];
	*r = (struct result_series){ text_of(name), text_of(unit), s->begin,
				     S(1) / 10,	    300,	   calloc(300, sizeof(double)) };
	for (unsigned i = from; i < to; i++)
		r->values[i] = value + i % 7;
}

static void fill_scenario(struct result_scenario *s, const char *name, enum verdict v,
			  bool must_leak, bool expected)
{
	*s = (struct result_scenario){ .name = text_of(name),
				       .summary = text_of("kills the VPN while a download runs"),
				       .file = text_of("scenarios/x.yaml"),
				       .line = 3,
				       .repeat = 1,
				       .verdict = v,
				       .must_leak = must_leak,
				       .as_expected = expected,
				       .reason = text_of(HOSTILE),
				       .begin = S(1700000000),
				       .end = S(1700000030),
				       .blocked = 412,
				       .canaries_sent = 3000 };
	s->windows = calloc(1, sizeof(*s->windows));
	s->n_windows = 1;
	s->windows[0] = (struct result_window){ text_of("vpn.process-kill gluetun"),
						text_of("fault"),
						s->begin + S(10),
						s->begin + S(14),
						120000,
						true,
						text_of("pidfd readable") };
	s->taps = calloc(1, sizeof(*s->taps));
	s->n_taps = 1;
	s->taps[0] = (struct result_tap){ text_of("uplink"),
					  text_of("uplink"),
					  text_of("eth0"),
					  text_of("uplink.pcap"),
					  120,
					  0,
					  120,
					  true,
					  true,
					  v != VERDICT_INCONCLUSIVE };
	s->controls = calloc(1, sizeof(*s->controls));
	s->n_controls = 1;
	s->controls[0] = (struct result_control){ text_of("plaintext-dns"), text_of("uplink"), true,
						  text_of("found") };
	s->measures = calloc(1, sizeof(*s->measures));
	s->n_measures = 1;
	s->measures[0] = (struct result_measure){
		text_of("recovery"), text_of("1.250 s"), S(1), S(60), 5000000, true
	};
	fill_series(s, "tunnel", "packets", 0, 100, 200);
	fill_series(s, "blocked", "packets", 100, 140, 10);
	fill_series(s, "leaks", "packets", 102, v == VERDICT_LEAK ? 105 : 102, 1);
	fill_series(s, "canaries", "packets", 0, 300, 10);
	fill_series(s, "health", "state", 0, 100, 1);
	if (v != VERDICT_LEAK)
		return;
	s->findings = calloc(1, sizeof(*s->findings));
	s->n_findings = 1;
	s->findings_total = 31;
	s->findings[0] = (struct result_finding){
		text_of("cleartext-outside-tunnel"),
		text_of("critical"),
		text_of("qbittorrent sent TCP from 203.0.113.10 outside the tunnel"),
		text_of("uplink"),
		text_of("qbittorrent"),
		text_of("bridge-match"),
		0.97,
		s->begin + S(10) + 42000000,
		77,
		text_of("evidence/uplink.pcap"),
		text_of("203.0.113.10:40000 > 198.51.100.134:6881 TCP"),
		text_of("Keep the policy of FORWARD at DROP.")
	};
}

static struct result *sample(void)
{
	struct result *r = calloc(1, sizeof(*r));

	r->run = text_of("20260101-000000-abcd");
	r->version = text_of("0.1.0");
	r->verdict = VERDICT_LEAK;
	r->sentence = text_of(
		"2 of 4 scenarios did not end as they must; the worst verdict is: leak.");
	r->begin = S(1700000000);
	r->end = S(1700000130);
	r->n_environment = 2;
	r->environment = calloc(2, sizeof(*r->environment));
	r->environment[0] = (struct result_pair){ text_of("kernel"), text_of("6.1") };
	r->environment[1] = (struct result_pair){ text_of("real address"),
						  text_of("203.0.113.10") };
	r->n_images = 1;
	r->images = calloc(1, sizeof(*r->images));
	r->images[0] = (struct result_pair){ text_of("gluetun"),
					     text_of("leakproof/gateway (built here, stand-in)") };
	r->n_scenarios = 4;
	r->scenarios = calloc(4, sizeof(*r->scenarios));
	fill_scenario(&r->scenarios[0], "steady-state", VERDICT_PASS, false, true);
	fill_scenario(&r->scenarios[1], "kill-vpn-process", VERDICT_LEAK, false, false);
	fill_scenario(&r->scenarios[2], "dns-outage", VERDICT_INCONCLUSIVE, false, false);
	fill_scenario(&r->scenarios[3], "control-leaky-stack", VERDICT_LEAK, true, true);
	return r;
}

static char *render(const struct result *r, const char *format, bool share)
{
	struct report_opts o = { .share = share };
	struct err err = { 0 };
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(report_write(report_find(format), r, &o, f, &err), 0);
	(void)fclose(f);
	return text;
}

static void test_json_round_trip(void **state)
{
	struct result *r = sample();
	_cleanup_json_ json_t *a = result_to_json(r);
	_cleanup_json_ json_t *b = NULL;
	struct err err = { 0 };
	struct result *back = result_from_json(a, &err);

	(void)state;
	assert_non_null(back);
	b = result_to_json(back);
	assert_true(json_equal(a, b));
	assert_int_equal(back->scenarios[1].findings_total, 31);
	result_free(back);
	result_free(r);
}

static void test_json_says_what_is_wrong(void **state)
{
	struct result *r = sample();
	_cleanup_json_ json_t *j = result_to_json(r);
	struct err err = { 0 };

	(void)state;
	(void)json_object_set_new(j, "verdict", json_string("splendid"));
	assert_null(result_from_json(j, &err));
	assert_non_null(strstr(err.text, "verdict"));
	assert_int_equal(err.status, EXIT_USAGE);
	result_free(r);
}

static void test_bytes_that_are_no_text_survive(void **state)
{
	struct result *r = sample();
	_cleanup_free_ char *json = NULL;

	(void)state;
	free(r->sentence);
	r->sentence = text_of("bad \xff byte");
	json = render(r, "json", false);
	assert_non_null(strstr(json, "bad \\\\xff byte"));
	result_free(r);
}

static void test_html_escapes_and_needs_nothing(void **state)
{
	struct result *r = sample();
	_cleanup_free_ char *html = render(r, "html", false);

	(void)state;
	assert_null(strstr(html, "<script>alert"));
	assert_non_null(strstr(html, "&lt;script&gt;alert(1)"));
	assert_null(strstr(html, "http://"));
	assert_null(strstr(html, "https://"));
	assert_non_null(strstr(html, "stand-in"));
	assert_non_null(strstr(html, "default-src 'none'"));
	result_free(r);
}

static void test_share_takes_the_address_out_everywhere(void **state)
{
	static const char *const formats[] = { "html", "json", "junit", "text" };
	struct result *r = sample();

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		_cleanup_free_ char *open = render(r, formats[i], false);
		_cleanup_free_ char *shared = render(r, formats[i], true);

		assert_non_null(strstr(open, "203.0.113.10"));
		assert_null(strstr(shared, "203.0.113.10"));
		assert_non_null(strstr(shared, "REDACTED-A"));
	}
	result_free(r);
}

static unsigned count_nodes(const xmlNode *n, const char *name)
{
	unsigned sum = 0;

	for (; n; n = n->next)
		sum += (unsigned)(xmlStrcmp(n->name, BAD_CAST name) == 0) +
		       count_nodes(n->children, name);
	return sum;
}

static void test_junit_is_xml_and_counts_right(void **state)
{
	struct result *r = sample();
	_cleanup_free_ char *xml = render(r, "junit", false);
	xmlDocPtr doc = xmlReadMemory(xml, (int)strlen(xml), "junit.xml", NULL, XML_PARSE_NONET);

	(void)state;
	assert_non_null(doc);
	assert_int_equal(count_nodes(xmlDocGetRootElement(doc), "testsuite"), 4);
	/* The leak that is no control fails; the inconclusive one and its tap are errors. */
	assert_int_equal(count_nodes(xmlDocGetRootElement(doc), "failure"), 1);
	assert_int_equal(count_nodes(xmlDocGetRootElement(doc), "error"), 2);
	xmlFreeDoc(doc);
	result_free(r);
}

static int write_sample(const char *dir)
{
	struct result *r = sample();
	struct report_opts o = { 0 };
	struct err err = { 0 };
	int rc = report_write_all(r, dir, &o, &err);

	result_free(r);
	return rc < 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_round_trip),
		cmocka_unit_test(test_json_says_what_is_wrong),
		cmocka_unit_test(test_bytes_that_are_no_text_survive),
		cmocka_unit_test(test_html_escapes_and_needs_nothing),
		cmocka_unit_test(test_share_takes_the_address_out_everywhere),
		cmocka_unit_test(test_junit_is_xml_and_counts_right),
	};

	if (argc == 2)
		return write_sample(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
