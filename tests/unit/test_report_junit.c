// SPDX-License-Identifier: MIT
/* junit.xml: against the schemas in tests/report/, and what its outcomes mean. Run from the top folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlschemas.h>
#include <libxml/xpath.h>

#include "base/cleanup.h"
#include "report/report.h"
#include "report/sample.h"

static char *render(const struct result *r, bool strict)
{
	struct report_opts o = { .junit_strict = strict };
	struct err err = { 0 };
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(report_write(report_find("junit"), r, &o, f, &err), 0);
	(void)fclose(f);
	return text;
}

static xmlDocPtr parse(const char *text)
{
	xmlDocPtr doc = xmlReadMemory(text, (int)strlen(text), "junit.xml", NULL, XML_PARSE_NONET);

	assert_non_null(doc);
	return doc;
}

static void say_nothing(void *arg, const char *fmt, ...)
{
	(void)arg;
	(void)fmt;
}

/* 0 when the document keeps the schema; what is wrong is printed unless it is expected. */
static int validate(const char *text, const char *xsd, bool expected)
{
	xmlSchemaParserCtxtPtr pc = xmlSchemaNewParserCtxt(xsd);
	xmlSchemaPtr schema = xmlSchemaParse(pc);
	xmlSchemaValidCtxtPtr vc;
	xmlDocPtr doc = parse(text);
	int rc;

	assert_non_null(schema);
	vc = xmlSchemaNewValidCtxt(schema);
	if (!expected)
		xmlSchemaSetValidErrors(vc, say_nothing, say_nothing, NULL);
	rc = xmlSchemaValidateDoc(vc, doc);
	xmlSchemaFreeValidCtxt(vc);
	xmlSchemaFree(schema);
	xmlSchemaFreeParserCtxt(pc);
	xmlFreeDoc(doc);
	return rc;
}

/* The number that an XPath expression gives. */
static int count(const char *text, const char *xpath)
{
	xmlDocPtr doc = parse(text);
	xmlXPathContextPtr ctx = xmlXPathNewContext(doc);
	xmlXPathObjectPtr o = xmlXPathEvalExpression((const xmlChar *)xpath, ctx);
	int n;

	assert_non_null(o);
	n = (int)xmlXPathCastToNumber(o);
	xmlXPathFreeObject(o);
	xmlXPathFreeContext(ctx);
	xmlFreeDoc(doc);
	return n;
}

static void test_both_modes_keep_their_schema(void **state)
{
	struct result *r = sample_result();
	_cleanup_free_ char *plain = render(r, false);
	_cleanup_free_ char *strict = render(r, true);

	(void)state;
	assert_int_equal(validate(strict, "tests/report/junit.xsd", true), 0);
	assert_int_equal(validate(strict, "tests/report/junit-file-line.xsd", true), 0);
	assert_int_equal(validate(plain, "tests/report/junit-file-line.xsd", true), 0);
	/* The schema can fail: file and line are what the strict mode leaves out. */
	assert_int_not_equal(validate(plain, "tests/report/junit.xsd", false), 0);
	assert_int_equal(count(plain, "count(//testcase[@file and @line])"),
			 count(plain, "count(//testcase)"));
	result_free(r);
}

static void test_an_empty_result_is_a_document(void **state)
{
	struct result *r = result_new();
	_cleanup_free_ char *text = NULL;

	(void)state;
	result_seal(r);
	text = render(r, true);
	assert_int_equal(validate(text, "tests/report/junit.xsd", true), 0);
	result_free(r);
}

static void test_counts_are_those_of_the_elements(void **state)
{
	struct result *r = sample_result();
	_cleanup_free_ char *x = render(r, false);

	(void)state;
	assert_int_equal(count(x, "count(//testsuite)"), (int)r->n_scenarios);
	assert_int_equal(count(x, "number(/testsuites/@tests)"), count(x, "count(//testcase)"));
	assert_int_equal(count(x, "number(/testsuites/@failures)"), count(x, "count(//failure)"));
	assert_int_equal(count(x, "number(/testsuites/@errors)"), count(x, "count(//error)"));
	assert_int_equal(count(x, "sum(//testsuite/@skipped)"), count(x, "count(//skipped)"));
	assert_int_equal(count(x, "count(//testsuite[@failures != count(testcase/failure)])"), 0);
	assert_int_equal(count(x, "count(//testsuite[@errors != count(testcase/error)])"), 0);
	assert_int_equal(count(x, "count(//testsuite[@tests != count(testcase)])"), 0);
	result_free(r);
}

static void test_outcomes_mean_what_they_say(void **state)
{
	struct result *r = sample_result();
	_cleanup_free_ char *x = render(r, false);

	(void)state;
	/* nothing went wrong: nothing is told to be wrong */
	assert_int_equal(
		count(x,
		      "count(//testsuite[@name='steady-state']//*[self::failure or self::error or "
		      "self::skipped or self::flakyFailure])"),
		0);
	/* a leak and a bound: failures with the key number in message and body */
	assert_int_equal(
		count(x,
		      "count(//testsuite[@name='kill-vpn-container #2']/testcase[@name='no packet "
		      "outside the tunnel']/failure[contains(@message, '243') and contains(., "
		      "'243')])"),
		1);
	assert_int_equal(
		count(x,
		      "count(//testsuite[@name='kill-vpn-container #2']/testcase[@name='kill "
		      "switch within 5 s']/failure[contains(@message, '5.400 s') and contains(., "
		      "'5.400 s')])"),
		1);
	/* a recovery that came too late is told once, not twice */
	assert_int_equal(count(x, "count(//testsuite[@name='dns-outage']//failure)"), 1);
	assert_int_equal(count(x, "count(//testcase[@name='recovery within 15 s']/failure)"), 1);
	/* what the harness could not judge: errors */
	assert_int_equal(count(x, "count(//testsuite[@name='container-crash']//failure)"), 0);
	assert_int_equal(
		count(x,
		      "count(//testsuite[@name='container-crash']/testcase[contains(@name, 'fault "
		      "container.crash')]/error)"),
		1);
	assert_int_equal(
		count(x,
		      "count(//testcase[@name='tap br-vpn0 delivered every packet']/error[contains("
		      "@message, '31 dropped')])"),
		1);
	assert_int_equal(
		count(x, "count(//testcase[@name='control plaintext-dns on tap uplink is caught']"
			 "/error)"),
		1);
	assert_int_equal(count(x, "count(//testsuite[@name='slow-uplink']/testcase)"), 1);
	assert_int_equal(
		count(x,
		      "count(//testsuite[@name='slow-uplink']/testcase/skipped[contains(@message, "
		      "'netem')])"),
		1);
	result_free(r);
}

static void test_controls_pass_when_they_leak(void **state)
{
	struct result *r = sample_result();
	_cleanup_free_ char *x = render(r, false);

	(void)state;
	assert_int_equal(
		count(x, "count(//testsuite[@name='control-start-window']//*[self::failure or "
			 "self::error])"),
		0);
	assert_int_equal(count(x,
			       "count(//testsuite[@name='control-leaky-stack']/testcase[@name='the "
			       "deliberate leak is found']/error)"),
			 1);
	result_free(r);
}

static void test_repeats_that_disagree_are_flaky_and_failed(void **state)
{
	struct result *r = sample_result();
	_cleanup_free_ char *x = render(r, false);

	(void)state;
	assert_int_equal(count(x, "count(//flakyFailure)"), 1);
	assert_int_equal(
		count(x,
		      "count(//testsuite[@name='kill-vpn-container #1']/testcase[1]/flakyFailure["
		      "contains(@message, 'repeat 2')])"),
		1);
	result_free(r);
}

static void test_facts_stand_at_both_ends_of_the_output(void **state)
{
	struct result *r = sample_result();
	_cleanup_free_ char *x = render(r, false);

	(void)state;
	assert_int_equal(count(x, "count(//testsuite[*[last()][self::system-out]])"),
			 (int)r->n_scenarios);
	assert_int_equal(count(x, "count(//testsuite[@name='kill-vpn-container "
				  "#2']/system-out[starts-with(., 'verdict: "
				  "leak') and contains(substring(., string-length(.) - 400), "
				  "'verdict: leak')])"),
			 1);
	assert_int_equal(count(x, "count(//testcase/system-out[contains(., "
				  "'[[ATTACHMENT|../../captures/sample/kill-vpn-container/evidence/"
				  "uplink.pcap]]')])"),
			 1);
	assert_int_equal(count(x, "count(//testsuite[1]/properties/property[@name='seed' and "
				  "@value='18446744073709551557'])"),
			 1);
	assert_int_equal(
		count(x, "count(//testsuite[1]/properties/property[@name='bound.kill-switch'])"),
		0);
	assert_int_equal(
		count(x, "count(//testsuite[2]/properties/property[@name='bound.kill-switch' and "
			 "@value='5 s'])"),
		1);
	assert_int_equal(count(x, "count(//property[@name='dropped.br-vpn0' and @value='31'])"), 1);
	assert_int_equal(count(x, "count(//testsuite[@hostname='mediabox'])"), (int)r->n_scenarios);
	result_free(r);
}

static void test_what_xml_cannot_carry_is_shown(void **state)
{
	struct result *r = sample_result();
	_cleanup_free_ char *x = render(r, false);

	(void)state;
	assert_null(strchr(x, 0x1b));
	assert_null(strchr(x, 0x01));
	assert_non_null(strstr(x, "#x1B[31m"));
	assert_null(strstr(x, "<script"));
	assert_int_equal(count(x, "count(//script)"), 0);
	result_free(r);
}

static void test_names_stay_unique(void **state)
{
	struct result *r = sample_result();
	_cleanup_free_ char *x = NULL;

	(void)state;
	for (int i = 0; i < 12; i++)
		(void)sample_control(&r->scenarios[0], "plaintext-dns", "uplink");
	x = render(r, true);
	assert_int_equal(validate(x, "tests/report/junit.xsd", true), 0);
	assert_int_equal(count(x, "count(//testcase[@name='control plaintext-dns on tap uplink is "
				  "caught (12)'])"),
			 1);
	result_free(r);
}

static void test_an_analysis_keeps_the_dialect(void **state)
{
	struct result *r = sample_analysis();
	_cleanup_free_ char *strict = render(r, true);
	_cleanup_free_ char *x = render(r, false);

	(void)state;
	assert_int_equal(validate(strict, "tests/report/junit.xsd", true), 0);
	assert_int_equal(validate(x, "tests/report/junit-file-line.xsd", true), 0);
	assert_int_equal(count(x, "count(//testcase)"), 3);
	assert_int_equal(count(x, "count(//failure)"), 1);
	assert_int_equal(count(x, "count(//error)"), 1);
	assert_int_equal(count(x,
			       "count(//testcase[@name='the capture of tap uplink is whole']/error["
			       "contains(., 'cut inside a record')])"),
			 1);
	assert_int_equal(count(x, "count(//testcase[contains(@name, 'promises')])"), 0);
	assert_int_equal(count(x, "count(//testcase[@line])"), 0);
	assert_int_equal(count(x, "count(//testcase[@file='uplink.pcap'])"), 3);
	assert_int_equal(count(x, "count(//property[@name='seed'])"), 0);
	assert_int_equal(
		count(x, "count(//property[@name='policy' and @value='home-server.yaml'])"), 1);
	/* rule, service, packet, tap, frame, time, confidence and advice in the body of the failure */
	assert_int_equal(
		count(x, "count(//failure[contains(., '[cleartext-outside-tunnel, critical]') and "
			 "contains(., 'service qbittorrent or sonarr (ambiguous: two services fit, "
			 "50') and "
			 "contains(., '(tap uplink, frame 1201)') and "
			 "contains(., '203.0.113.10:6881 > 198.51.100.134:6881 udp') and "
			 "contains(., '2026-11-24T07:00:06.100Z') and "
			 "contains(., 'What to do: Close the path.')])"),
		1);
	assert_int_equal(
		count(x, "count(//testsuite/system-out[contains(., 'allowed: updates of the host "
			 "(host: tcp, port 443, any address, outbound, tls): 0 packets, never "
			 "used')])"),
		1);
	result_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_modes_keep_their_schema),
		cmocka_unit_test(test_an_empty_result_is_a_document),
		cmocka_unit_test(test_counts_are_those_of_the_elements),
		cmocka_unit_test(test_outcomes_mean_what_they_say),
		cmocka_unit_test(test_controls_pass_when_they_leak),
		cmocka_unit_test(test_repeats_that_disagree_are_flaky_and_failed),
		cmocka_unit_test(test_facts_stand_at_both_ends_of_the_output),
		cmocka_unit_test(test_what_xml_cannot_carry_is_shown),
		cmocka_unit_test(test_names_stay_unique),
		cmocka_unit_test(test_an_analysis_keeps_the_dialect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
