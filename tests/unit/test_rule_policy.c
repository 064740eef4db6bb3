// SPDX-License-Identifier: MIT
/* The policy: its JSON form both ways, and everything that it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "rule/policy.h"

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

/* Set one value (JSON text) in a copy of the good policy; the message has to name where. */
struct refusal {
	const char *path;  /* "allow[0].port" */
	const char *value; /* NULL: remove */
	const char *message;
};

static const struct refusal refusals[] = {
	{ "colour", "1", "colour: no such key" },
	{ "closed-world", "1", "closed-world: true or false" },
	{ "nonce", "\"6c70\"", "nonce: hex digits" },
	{ "nonce", "\"6c70000102030405060708090a0b0c0dff\"", "nonce: hex digits" },
	{ "nonce", NULL, "canaries and controls need `nonce`" },
	{ "control-mac", "\"02:6c:65:61:6b\"", "control-mac: a MAC" },
	{ "control-mac", "\"02-6c-65-61-6b-01\"", "control-mac: a MAC" },
	{ "real", "[\"203.0.113\"]", "real[0]: an IPv4 or IPv6 address" },
	{ "real", "\"203.0.113.10\"", "real: a list" },
	{ "tunnels[0].port", "65536", "tunnels[0].port: a whole number" },
	{ "tunnels[0].port", "-1", "tunnels[0].port: a whole number" },
	{ "tunnels[0].port", NULL, "tunnels[0].port: a whole number" },
	{ "tunnels[0].kind", "\"ipsec\"", "tunnels[0].kind: wireguard or openvpn" },
	{ "tunnels[0].proto", "\"ip\"", "tunnels[0].proto: tcp, udp" },
	{ "tunnels[0].proto", "256", "tunnels[0].proto: tcp, udp" },
	{ "networks[0].prefix", "\"172.30.0.0/40\"", "networks[0].prefix: an address" },
	{ "services[0].role", "\"boss\"", "services[0].role: protected" },
	{ "services[0].name", "7", "services[0].name: a text" },
	{ "services[0].legs[0].mac", "\"x\"", "services[0].legs[0].mac: a MAC" },
	{ "services[0].legs[0].colour", "1", "services[0].legs[0].colour: no such key" },
	{ "allow[0].who", "\"nobody\"", "allow[0].who: `nobody`" },
	{ "allow[0].port", "0", "allow[0].port: a port is from" },
	{ "allow[0].port", "\"70-67\"", "allow[0]: the port range is upside down" },
	{ "allow[0].port", "\"1-65536\"", "allow[0].port: a port or" },
	{ "allow[0].port", "\"67-68x\"", "allow[0].port: a port or" },
	{ "allow[3].local-port", NULL, "allow[3]: TCP and UDP need" },
	{ "allow[0].shape", "\"blob\"", "allow[0].shape: a shape" },
	{ "allow[0].shape", NULL, "allow[0].shape: a shape" },
	{ "allow[0].direction", "\"up\"", "allow[0].direction: out, in or both" },
	{ "allow[0].reason", NULL, "allow[0].reason: a text" },
	{ "published[0].service", "\"nobody\"", "published[0].service: no service" },
	{ "canaries[0].id", "2147483648", "canaries[0].id: 2147483648 and above are controls" },
	{ "canaries[0].service", "\"nobody\"", "canaries[0].service: no service" },
	{ "controls[0].id", "7", "controls[0].id: below 2147483648" },
	{ "controls[0].rule", "\"nothing\"", "controls[0].rule: no rule" },
	{ "controls[0].tap", "\"nowhere\"", "controls[0].tap: no tap" },
	{ "taps[0].role", "\"side\"", "taps[0].role: uplink" },
	{ "taps[0].service", "\"nobody\"", "taps[0].service: no service" },
	{ "taps[0]", "3", "taps[0]: an object" },
};

/* Walk "a[0].b" and set the last part. */
static void set_at(json_t *j, const char *path, const char *value)
{
	json_t *at = j;
	char key[32];
	int used;
	unsigned index;

	for (;;) {
		assert_int_equal(sscanf(path, "%31[^].[]%n", key, &used), 1);
		path += used;
		if (sscanf(path, "[%u]%n", &index, &used) == 1 && *path == '[') {
			at = json_object_get(at, key);
			path += used;
			if (*path == '\0') {
				(void)json_array_set_new(at, index,
							 json_loads(value, JSON_DECODE_ANY, NULL));
				return;
			}
			at = json_array_get(at, index);
			path++;
			continue;
		}
		if (!value)
			(void)json_object_del(at, key);
		else
			(void)json_object_set_new(at, key,
						  json_loads(value, JSON_DECODE_ANY, NULL));
		return;
	}
}

static void test_refusals(void **state)
{
	_cleanup_json_ json_t *good = load("tests/golden/policy.json");

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct err err = { 0 };
		_cleanup_json_ json_t *j = json_deep_copy(good);
		struct policy *p;

		set_at(j, refusals[i].path, refusals[i].value);
		p = policy_from_json(j, &err);
		if (p)
			fail_msg("%s = %s was taken", refusals[i].path,
				 refusals[i].value ? refusals[i].value : "(nothing)");
		if (!strstr(err.text, refusals[i].message) || err.status != EXIT_USAGE)
			fail_msg("%s: %s", refusals[i].path, err.text);
	}
}

static void test_excusing_everything_is_refused(void **state)
{
	struct err err = { 0 };
	_cleanup_json_ json_t *j = load("tests/golden/policy.json");

	(void)state;
	(void)json_array_append_new(json_object_get(j, "allow"),
				    json_loads("{\"who\":\"host\",\"proto\":\"icmp\",\"peer\":"
					       "\"any\",\"direction\":\"both\","
					       "\"shape\":\"any\",\"reason\":\"x\"}",
					       0, NULL));
	assert_null(policy_from_json(j, &err));
	assert_non_null(strstr(err.text, "excuses everything"));
}

static void test_not_an_object(void **state)
{
	struct err err = { 0 };
	_cleanup_json_ json_t *j = json_array();

	(void)state;
	assert_null(policy_from_json(j, &err));
	assert_non_null(strstr(err.text, "the whole: an object is wanted"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_values_arrive),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_excusing_everything_is_refused),
		cmocka_unit_test(test_not_an_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
