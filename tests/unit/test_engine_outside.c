// SPDX-License-Identifier: MIT
/* What the user says about the world outside of the stack, and what must be said before anything is started. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "engine/outside.h"
#include "engine/vocab.h"
#include "host/host_internal.h"

/* Handles of no host that runs: what is asked here is what they know. */
static struct host *lab, *real;

static int setup(void **state)
{
	(void)state;
	lab = lab_handle_new("x");
	lab->vpn = (struct lab_vpn){ .endpoint = "198.51.100.2", .port = 51820 };
	lab->torrent = (struct lab_torrent){ .file = "/seed/lab.torrent",
					     .name = "lab.bin",
					     .sha256 = "00" };
	real = lab_handle_new("y");
	real->lab = false;
	host_list_free(real->addrs);
	real->addrs = NULL;
	host_list_add(&real->addrs, "192.168.1.5");
	host_list_add(&real->addrs, "2001:db8:1::10");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	real->lab = true; /* so that no state of this machine is looked for */
	host_close(real);
	host_close(lab);
	return 0;
}

static void test_a_sink(void **state)
{
	static const struct {
		const char *text, *address;
		unsigned port;
	} good[] = {
		{ "192.0.2.1", "192.0.2.1", 0 },
		{ "192.0.2.1:7", "192.0.2.1", 7 },
		{ "2001:db8::1", "2001:db8::1", 0 },
		{ "[2001:db8::1]:65535", "2001:db8::1", 65535 },
	};
	static const char *const bad[] = { "",
					   "x",
					   "192.0.2.1:",
					   "192.0.2.1:0",
					   "192.0.2.1:65536",
					   "192.0.2.1:7x",
					   "[2001:db8::1]",
					   "[192.0.2.1:7",
					   "2001:db8::1]:7" };
	struct outside x;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const struct outside_opts o = { .sink = good[i].text };

		assert_int_equal(outside_fill(&x, &o, real, &err), 0);
		assert_string_equal(x.sink, good[i].address);
		assert_int_equal(x.sink_port, good[i].port);
		outside_clear(&x);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct outside_opts o = { .sink = bad[i] };

		assert_int_equal(outside_options(&o, &err), -1);
		assert_int_equal(err.status, EXIT_USAGE);
	}
}

static void test_the_lab_knows_everything(void **state)
{
	const struct outside_opts none = { 0 }, mine = { .exit_address = "198.51.100.9" };
	struct outside x;

	(void)state;
	assert_int_equal(outside_fill(&x, &none, lab, NULL), 0);
	assert_string_equal(x.exit_address, "198.51.100.2");
	assert_string_equal(x.torrent, "/seed/lab.torrent");
	assert_string_equal(x.sha256, "00");
	assert_non_null(x.sink);
	assert_non_null(x.what_is_my_ip);
	outside_clear(&x);
	assert_int_equal(outside_fill(&x, &mine, lab, NULL), 0);
	assert_string_equal(x.exit_address, "198.51.100.9");
	outside_clear(&x);
	assert_int_equal(outside_fill(&x, &none, real, NULL), 0);
	assert_null(x.sink);
	assert_null(x.torrent);
	assert_null(x.what_is_my_ip);
	outside_clear(&x);
}

/* Of a torrent that the user gives no hash is known. */
static void test_a_torrent_of_the_user(void **state)
{
	const struct outside_opts o = { .torrent = "tests/golden/policy.json" };
	struct outside x;

	(void)state;
	assert_int_equal(outside_fill(&x, &o, lab, NULL), 0);
	assert_string_equal(x.torrent, "tests/golden/policy.json");
	assert_null(x.sha256);
	assert_null(x.file);
	outside_clear(&x);
}

static void test_what_an_answer_says(void **state)
{
	static const char *const none[] = {
		"",
		" ",
		"<html>",
		"203.0.113",
		"203.0.113.10/24",
		"0123456789012345678901234567890123456789012345678901234567890123456789"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_null(outside_address(none[i]));
	_cleanup_free_ char *a = outside_address(" 203.0.113.10\n");
	_cleanup_free_ char *b = outside_address("2001:DB8:1:0:0::10\r\nmore");

	assert_string_equal(a, "203.0.113.10");
	assert_non_null(b);
	assert_true(outside_is_real(real, b)); /* another spelling of the same */
	assert_true(outside_is_real(real, "192.168.1.5"));
	assert_false(outside_is_real(real, "192.168.1.50"));
	assert_false(outside_is_real(real, a));
}

static void expect(struct host *h, const char *steps, const struct outside_opts *o, bool i_mean_it,
		   const char *words)
{
	_cleanup_free_ char *text = NULL;
	struct scenario *sc = NULL;
	struct scenario_set set = { .items = &sc, .n = 1 };
	struct outside x;
	struct diag d = { 0 };
	struct err err = { 0 };
	int rc;

	if (asprintf(&text, "name: x\nsummary: x.\ntimeline:\n%s", steps) < 0)
		abort();
	rc = scenario_parse("x.yaml", text, strlen(text), engine_vocab(), &sc, &d, &err);
	if (rc < 0)
		fail_msg("%s", err.text);
	assert_int_equal(outside_fill(&x, o, h, NULL), 0);
	rc = outside_check(&x, &set, h, i_mean_it, &err);
	outside_clear(&x);
	scenario_free(sc);
	if (!words) {
		if (rc < 0)
			fail_msg("%s", err.text);
		return;
	}
	assert_int_equal(rc, -1);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" was expected in: %s", words, err.text);
}

static void test_what_a_real_host_lacks(void **state)
{
	const struct outside_opts none = { 0 }, all = { .sink = "192.0.2.1",
							.public_dns = "192.0.2.2",
							.what_is_my_ip = "http://192.0.2.3/",
							.torrent = "tests/golden/policy.json" };
	static const char *const needs[][2] = {
		{ "  - start: udp\n", "--sink ADDRESS[:PORT]" },
		{ "  - start: tcp\n", "--sink ADDRESS[:PORT]" },
		{ "  - start: icmp\n", "--sink ADDRESS[:PORT]" },
		{ "  - start: kept-connection\n", "--sink ADDRESS[:PORT]" },
		{ "  - start: dns-public\n", "--public-dns ADDRESS" },
		{ "  - start: download\n", "--torrent FILE" },
		{ "  - start: dns\n  - check: exit-address\n", "--what-is-my-ip URL" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		expect(real, needs[i][0], &none, true, needs[i][1]);
		expect(real, needs[i][0], &all, false, NULL);
		expect(lab, needs[i][0], &none, false, NULL);
	}
	expect(real, "  - start: udp\n    to: 192.0.2.9\n", &none, false, NULL);
	expect(real, "  - start: dns\n", &none, false, NULL);
}

static void test_what_a_real_host_must_be_asked_for(void **state)
{
	const struct outside_opts none = { 0 };
	static const char partition[] =
		"  - start: dns\n  - fault: net.partition\n    between: [a, b]\n";
	static const char leaky[] = "  - start: dns\n  - observe: 1s\nexpect:\n  leaks: must\n";

	(void)state;
	expect(real, partition, &none, false, "--i-mean-it");
	expect(real, partition, &none, true, NULL);
	expect(real, leaky, &none, false, "leaks the real address on purpose");
	expect(real, leaky, &none, true, NULL);
	expect(real, "  - start: dns\n  - fault: vpn.process-kill\n", &none, false, NULL);
	expect(lab, partition, &none, false, NULL);
	expect(lab, leaky, &none, false, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_sink),
		cmocka_unit_test(test_the_lab_knows_everything),
		cmocka_unit_test(test_a_torrent_of_the_user),
		cmocka_unit_test(test_what_an_answer_says),
		cmocka_unit_test(test_what_a_real_host_lacks),
		cmocka_unit_test(test_what_a_real_host_must_be_asked_for),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
