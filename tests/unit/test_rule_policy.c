// SPDX-License-Identifier: MIT
/* The policy: from YAML, JSON and words, and everything that it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "failing.h"
#include "rule/policy.h"
#include "unit/bad_files.h"

static json_t *load(const char *path)
{
	json_error_t where;
	json_t *j = json_load_file(path, JSON_REJECT_DUPLICATES, &where);

	if (!j)
		fail_msg("%s: %s", path, where.text);
	return j;
}

static void test_round_trip(void **state)
{
	static const char *const files[] = { "tests/golden/policy.json",
					     "tests/golden/policy-home.json",
					     "tests/golden/policy-openvpn.json" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct err err = { 0 };
		_cleanup_json_ json_t *a = load(files[i]);
		struct policy *p = policy_from_json(a, &err);
		_cleanup_json_ json_t *b = NULL;
		_cleanup_json_ json_t *c = NULL;
		struct policy *q;

		if (!p)
			fail_msg("%s", err.text);
		b = policy_to_json(p);
		q = policy_from_json(b, &err);
		if (!q)
			fail_msg("%s", err.text);
		c = policy_to_json(q);
		assert_true(json_equal(a, b));
		assert_true(json_equal(b, c));
		assert_int_equal(p->n_services, q->n_services);
		assert_int_equal(p->n_allows, q->n_allows);
		policy_free(p);
		policy_free(q);
	}
}

static void test_values_arrive(void **state)
{
	struct err err = { 0 };
	_cleanup_json_ json_t *j = load("tests/golden/policy.json");
	struct policy *p = policy_from_json(j, &err);
	uint8_t marker[POLICY_MARKER_LEN];
	char label[64];
	char words[2 * POLICY_MARKER_LEN + 1];

	(void)state;
	assert_non_null(p);
	assert_true(p->closed_world && p->has_nonce && p->has_control_mac);
	assert_int_equal(p->tunnels[0].proto, 17);
	assert_int_equal(p->tunnels[0].port, 51820);
	assert_int_equal(p->services[2].n_legs, 3);
	assert_int_equal(policy_service_find(p, "plex")->role, SERVICE_EDGE);
	assert_null(policy_service_find(p, "plexx"));
	assert_int_equal(p->allows[0].port_low, 67);
	assert_int_equal(p->allows[0].port_high, 67);
	assert_true(p->allows[0].peer.any);
	assert_int_equal(p->allows[3].peer.len, 24);
	assert_int_equal(p->allows[3].shape, SHAPE_SSH);
	policy_marker(p, 0x80000001, marker);
	assert_memory_equal(marker, p->nonce, POLICY_NONCE_LEN);
	assert_memory_equal(marker + POLICY_NONCE_LEN, "\x80\0\0\1", 4);
	policy_marker_text(p, 1, words);
	assert_string_equal(words, "6c70000102030405060708090a0b0c0d00000001");
	policy_control_label(p, "plaintext-dns", label);
	assert_string_equal(label, "ctl-plaintext-dns-6c70000102030405");
	policy_free(p);
}

static void test_prefixes(void **state)
{
	struct policy_prefix p;
	struct ipaddr a;
	char buf[64];

	(void)state;
	assert_true(policy_prefix_parse("192.0.2.0/25", &p));
	assert_string_equal(policy_prefix_format(&p, buf, sizeof(buf)), "192.0.2.0/25");
	assert_true(ipaddr_parse("192.0.2.127", &a) && policy_prefix_has(&p, &a));
	assert_true(ipaddr_parse("192.0.2.128", &a) && !policy_prefix_has(&p, &a));
	assert_true(ipaddr_parse("2001:db8::1", &a) && !policy_prefix_has(&p, &a));
	assert_true(policy_prefix_parse("any", &p) && policy_prefix_has(&p, &a));
	assert_true(policy_prefix_parse("2001:db8::/32", &p) && policy_prefix_has(&p, &a));
	assert_false(policy_prefix_parse("192.0.2.0/33", &p));
	assert_false(policy_prefix_parse("", &p));
}

/* ---- text ---- */

static void refuse(const char *name, const char *text, size_t len, struct diag *d)
{
	struct policy *p = NULL;
	struct err err = { 0 };

	assert_int_equal(policy_parse(name, text, len, &p, d, &err), -1);
	assert_null(p);
	assert_int_equal(err.status, EXIT_USAGE);
}

static void test_every_bad_file_says_where_and_what(void **state)
{
	(void)state;
	assert_true(check_bad_files("tests/bad-policies", refuse) >= 55);
}

static struct policy *parse(const char *text)
{
	struct policy *p = NULL;
	struct err err = { 0 };
	struct diag d = { 0 };

	if (policy_parse("t", text, strlen(text), &p, &d, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(d.total, 0);
	return p;
}

static void test_yaml_and_json_are_one(void **state)
{
	struct policy *a = parse(
		"closed-world: true\n"
		"real: [203.0.113.10, 2001:db8:1::10]\n"
		"tunnels:\n"
		"  - kind: openvpn # over TCP\n"
		"    proto: tcp\n"
		"    endpoint: 2001:db8:2::2\n"
		"    port: 443\n"
		"allow:\n"
		"- {who: host, proto: 47, peer: 198.51.100.0/24, direction: in, shape: "
		"empty, reason: \"a \\\"word\\\"\"}\n");
	struct policy *b = parse(
		"{\"closed-world\":true,\"real\":[\"203.0.113.10\",\"2001:db8:1::10\"],"
		"\n\t\"tunnels\":"
		"[{\"kind\":\"openvpn\",\"proto\":6,\"endpoint\":\"2001:db8:2::2\",\"port\":443}],"
		"\"allow\":[{\"who\":\"host\",\"proto\":\"gre\",\"peer\":\"198.51.100.0\\/24\","
		"\"direction\":\"in\",\"shape\":\"empty\",\"reason\":\"a \\\"w\\u006frd\\\"\"}]}");
	_cleanup_json_ json_t *x = policy_to_json(a);
	_cleanup_json_ json_t *y = policy_to_json(b);

	(void)state;
	assert_true(json_equal(x, y));
	assert_string_equal(a->allows[0].reason, "a \"word\"");
	assert_int_equal(a->allows[0].direction, POLICY_IN);
	policy_free(a);
	policy_free(b);
}

/* What is left out is empty, never NULL. */
static void test_what_is_left_out(void **state)
{
	struct policy *p = parse(
		"services: [{name: a, role: edge, legs: [{mac: 02:42:ac:1e:00:03}]}]\n"
		"networks: [{name: n, prefix: any}]\n"
		"taps: [{name: t, role: lo}]\n"
		"nonce: 000102030405060708090A0B0c0d0e0f\n"
		"canaries: [{id: 0, service: a}]\n");

	(void)state;
	assert_false(p->closed_world || p->has_control_mac || p->taps[0].has_mac);
	assert_true(p->has_nonce && p->services[0].legs[0].has_mac);
	assert_int_equal(p->nonce[15], 15);
	assert_int_equal(p->services[0].legs[0].mac[5], 3);
	assert_true(ipaddr_is_none(&p->services[0].legs[0].addr));
	assert_string_equal(p->services[0].legs[0].network, "");
	assert_string_equal(p->networks[0].bridge, "");
	assert_string_equal(p->taps[0].interface, "");
	assert_string_equal(p->taps[0].service, "");
	assert_string_equal(p->taps[0].file, "");
	assert_string_equal(p->canaries[0].label, "");
	assert_string_equal(p->canaries[0].probe, "");
	assert_int_equal(p->canaries[0].proto, 0);
	policy_free(p);
}

/* Cut at any byte, a good policy is refused or is whole; never a crash or a leak. */
static void test_every_truncation_ends(void **state)
{
	size_t len = 0;
	_cleanup_free_ char *good = fs_read("docs/policies/home-server.yaml", 65536, &len, NULL);

	(void)state;
	assert_non_null(good);
	for (size_t n = 0; n <= len; n += n < 3000 ? 7 : 1) {
		char *copy = strndup(good, n);
		struct policy *p = NULL;
		struct diag d = { 0 };

		if (policy_parse("t", copy, n, &p, &d, NULL) < 0)
			assert_true(d.n > 0);
		if (n == len)
			assert_non_null(p);
		policy_free(p);
		diag_free(&d);
		free(copy);
	}
}

static void test_the_journal_is_read_by_the_same_reader(void **state)
{
	struct err err = { 0 };
	_cleanup_json_ json_t *j = load("tests/golden/policy.json");
	_cleanup_json_ json_t *list = json_array();

	(void)state;
	(void)json_object_set_new(j, "colour", json_integer(1));
	assert_null(policy_from_json(j, &err));
	assert_int_equal(err.status, EXIT_USAGE);
	assert_non_null(strstr(err.text, "unknown key `colour` in a policy"));
	assert_null(policy_from_json(list, &err));
	assert_non_null(strstr(err.text, "a policy is a mapping, this is a list"));
	assert_null(policy_from_json(NULL, &err));
	assert_int_equal(err.status, EXIT_USAGE);
}

/* ---- words of a command line ---- */

static void test_words(void **state)
{
	struct policy *p = policy_new();
	struct err err = { 0 };
	struct policy_tap t = { .name = (char[]){ "capture" },
				.role = TAP_ISP,
				.interface = (char[]){ "" },
				.service = (char[]){ "" },
				.file = (char[]){ "a.pcap" } };

	(void)state;
	assert_int_equal(policy_add_protected(p, "192.0.2.1,2001:db8::1", &err), 0);
	assert_int_equal(policy_add_real(p, "203.0.113.7", &err), 0);
	assert_int_equal(policy_add_tunnel(p, "udp:198.51.100.2:51820", TUNNEL_WIREGUARD, &err), 0);
	assert_int_equal(policy_add_tunnel(p, "tcp:[2001:db8::2]:443", TUNNEL_OPENVPN, &err), 0);
	assert_int_equal(policy_add_tap(p, &t), 0);
	assert_int_equal(policy_add_tap(p, &t), 1);
	assert_int_equal(p->n_real, 3);
	assert_int_equal(p->n_services, 1);
	assert_int_equal(p->services[0].n_legs, 2);
	assert_int_equal(p->tunnels[1].proto, 6);
	assert_int_equal(p->tunnels[1].port, 443);
	assert_string_equal(p->taps[0].name, "capture");
	assert_string_equal(p->taps[1].name, "capture-2");
	policy_free(p);
}

static void test_bad_words(void **state)
{
	static const char *const tuples[] = { "",
					      "udp",
					      "udp:198.51.100.2",
					      "udp:198.51.100.2:",
					      "udp:198.51.100.2:0",
					      "udp:198.51.100.2:65536",
					      "udp:198.51.100.2:51820x",
					      "icmp:198.51.100.2:1",
					      "udp:nowhere:51820",
					      "udp:[198.51.100.22:51820",
					      "udp:198.51.100.2]:51820",
					      "udp:[:1",
					      "udp: 198.51.100.2:51820",
					      "udp:198.51.100.2: 51820" };
	struct policy *p = policy_new();
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(tuples) / sizeof(tuples[0]); i++) {
		assert_int_equal(policy_add_tunnel(p, tuples[i], TUNNEL_WIREGUARD, &err), -1);
		assert_int_equal(err.status, EXIT_USAGE);
	}
	assert_int_equal(policy_add_protected(p, "203.0.113", &err), -1);
	assert_non_null(strstr(err.text, "`203.0.113` is no IPv4 or IPv6 address"));
	assert_int_equal(policy_add_real(p, ",", &err), -1);
	assert_int_equal(p->n_tunnels, 0);
	policy_free(p);
}

static void test_ports_of_a_tunnel(void **state)
{
	static const struct {
		const char *tuple;
		unsigned port;
	} rows[] = { { "udp:198.51.100.2:1", 1 },
		     { "udp:198.51.100.2:9999", 9999 },
		     { "tcp:2001:db8::2:443", 443 },
		     { "udp:198.51.100.2:65535", 65535 } };
	struct policy *p = policy_new();
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(policy_add_tunnel(p, rows[i].tuple, TUNNEL_OPENVPN, &err), 0);
		assert_int_equal(p->tunnels[i].port, rows[i].port);
	}
	policy_free(p);
}

/* Any payload to any address is too much on every port, and a choice on some of them. */
static void test_ports_that_are_not_all(void **state)
{
	static const char *const ports[] = { "1-65534", "2-65535", "1", "65535" };

	(void)state;
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		char text[160];

		(void)snprintf(
			text, sizeof(text),
			"allow:\n- {who: host, proto: udp, peer: any, port: %s, direction: both, "
			"shape: any, reason: r}\n",
			ports[i]);
		policy_free(parse(text));
	}
}

static void test_an_allowance_in_words(void **state)
{
	struct policy *p = parse(
		"allow:\n"
		"- {who: host, proto: udp, peer: any, port: 67, local-port: 68, direction: both, "
		"shape: dhcp, "
		"reason: r}\n"
		"- {who: lan, proto: 132, peer: 192.0.2.0/24, direction: out, shape: any, reason: "
		"r}\n"
		"- {who: lan, proto: 99, peer: 192.0.2.1, direction: in, shape: empty, reason: r}\n"
		"- {who: lan, proto: tcp, peer: any, port: 6881-6889, direction: out, shape: any, "
		"reason: r}\n");
	static const char *const want[] = {
		"udp, port 67, own port 68, any address, both ways, dhcp",
		"sctp, peer 192.0.2.0/24, outbound, any payload",
		"99, peer 192.0.2.1, inbound, empty",
		"tcp, ports 6881-6889, any address, outbound, any payload",
	};

	(void)state;
	assert_int_equal(p->n_allows, 4);
	for (size_t i = 0; i < 4; i++) {
		_cleanup_free_ char *text = policy_allow_text(&p->allows[i]);

		assert_string_equal(text, want[i]);
	}
	policy_free(p);
}

static void test_words_of_roles_and_kinds(void **state)
{
	enum tap_role role;
	enum tunnel_kind kind;

	(void)state;
	for (enum tap_role r = TAP_UPLINK; r <= TAP_EXIT; r++)
		assert_true(tap_role_parse(tap_role_name(r), &role) == 0 && role == r);
	for (enum tunnel_kind k = TUNNEL_WIREGUARD; k <= TUNNEL_OPENVPN; k++)
		assert_true(tunnel_kind_parse(tunnel_kind_name(k), &kind) == 0 && kind == k);
	assert_int_equal(tap_role_parse("up", &role), -1);
	assert_int_equal(tap_role_parse("", &role), -1);
	assert_int_equal(tunnel_kind_parse("openvpn2", &kind), -1);
	policy_free(NULL);
}

/* ---- examples ---- */

static void test_the_examples_are_policies(void **state)
{
	static const char *const names[] = { "home-server", "vpn-client", "openvpn" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		_cleanup_free_ char *path = str_fmt("docs/policies/%s.yaml", names[i]);
		_cleanup_free_ char *text = fs_read(path, 65536, NULL, NULL);
		struct policy *p;

		assert_non_null(text);
		p = parse(text);
		assert_true(p->n_tunnels > 0 && p->n_taps > 0 && p->n_services > 0 &&
			    p->n_real > 0);
		policy_free(p);
	}
}

static void test_the_reference_is_what_the_program_prints(void **state)
{
	_cleanup_free_ char *want = fs_read("docs/policy-reference.md", 1U << 20, NULL, NULL);
	char *got = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&got, &n);

	(void)state;
	policy_reference(f);
	assert_int_equal(fclose(f), 0);
	assert_non_null(want);
	assert_string_equal(got, want);
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_values_arrive),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_every_bad_file_says_where_and_what),
		cmocka_unit_test(test_yaml_and_json_are_one),
		cmocka_unit_test(test_what_is_left_out),
		cmocka_unit_test(test_every_truncation_ends),
		cmocka_unit_test(test_the_journal_is_read_by_the_same_reader),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_bad_words),
		cmocka_unit_test(test_ports_of_a_tunnel),
		cmocka_unit_test(test_ports_that_are_not_all),
		cmocka_unit_test(test_an_allowance_in_words),
		cmocka_unit_test(test_words_of_roles_and_kinds),
		cmocka_unit_test(test_the_examples_are_policies),
		cmocka_unit_test(test_the_reference_is_what_the_program_prints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
