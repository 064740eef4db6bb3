/* SPDX-License-Identifier: MIT */
/* Facts as JSON: every key is documented and every documented key is printed, always UTF-8, times to the nanosecond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <glob.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "packet/capfile.h"
#include "packet/facts_doc.h"
#include "packet/frames.h"
#include "packet/with_decoder.h"

#define DOC "docs/facts.md"

static struct facts facts;
static bool *used; /* a flag for each of fact_fields */

/* ---- Keys ---- */

static size_t field_of(const char *path)
{
	for (size_t i = 0; i < n_fact_fields; i++)
		if (strcmp(fact_fields[i].path, path) == 0)
			return i;
	return n_fact_fields;
}

static const char *type_of(const json_t *v)
{
	return json_is_string(v)   ? "text"
	       : json_is_true(v)   ? "true"
	       : json_is_false(v)  ? "boolean"
	       : json_is_array(v)  ? "list"
	       : json_is_object(v) ? "object"
				   : "number";
}

static void check_type(const struct fact_field *f, const json_t *v)
{
	static const char *const texts[] = { "address", "MAC", "hex", "text" };
	const char *type = type_of(v);

	if (strcmp(type, "text") == 0)
		for (size_t i = 0; i < 4; i++)
			if (strcmp(f->type, texts[i]) == 0)
				return;
	if (strcmp(type, "true") == 0 && strcmp(f->type, "boolean") == 0)
		return;
	if (strcmp(type, f->type) != 0)
		fail_msg("%s is %s, documented as %s", f->path, type, f->type);
}

/* Walk the object; a list of objects has "[]" in its path, a list of names has none. */
static void walk(const json_t *o, const char *path)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)o, key, v)
	{
		char at[256];
		size_t n, i;
		json_t *e;

		(void)snprintf(at, sizeof(at), "%s%s%s", path, *path ? "." : "", key);
		i = field_of(strncmp(at, "quoted.", 7) == 0 ? "quoted" : at);
		if (i == n_fact_fields)
			fail_msg("%s is not documented", at);
		used[i] = true;
		if (strcmp(path, "quoted") == 0) { /* the keys of a layer */
			(void)snprintf(at, sizeof(at), "layers[].%s", key);
			assert_true(field_of(at) < n_fact_fields);
			continue;
		}
		check_type(&fact_fields[i], v);
		(void)snprintf(at + strlen(at), sizeof(at) - strlen(at), "%s",
			       json_is_array(v) ? "[]" : "");
		if (json_is_object(v))
			walk(v, at);
		json_array_foreach(v, n, e) if (json_is_object(e)) walk(e, at);
	}
}

static void see_cut(struct decoder *d, uint32_t link, const struct frame *f, size_t captured)
{
	_cleanup_json_ json_t *j = NULL;

	decode_frame(d, link, f->b, (uint32_t)captured, (uint32_t)f->n, 1000, &facts);
	j = facts_to_json(&facts);
	assert_non_null(j);
	walk(j, "");
}

static void see(struct decoder *d, uint32_t link, const struct frame *f)
{
	see_cut(d, link, f, f->n);
}

static ptrdiff_t read_file(void *arg, uint8_t *buf, size_t size, struct err *err)
{
	size_t n = fread(buf, 1, size, arg);

	(void)err;
	return (ptrdiff_t)n;
}

static void see_file(struct decoder *d, const char *path)
{
	_cleanup_fclose_ FILE *in = fopen(path, "rb");
	struct capfile_frame fr;
	struct err err = { 0 };
	struct capfile *c;

	assert_non_null(in);
	c = capfile_open(read_file, in, &err);
	assert_non_null(c);
	decoder_reset(d);
	while (capfile_next(c, &fr, &err) == 1) {
		_cleanup_json_ json_t *j = NULL;

		decode_frame(d, fr.linktype, fr.data, fr.caplen, fr.len, fr.time, &facts);
		j = facts_to_json(&facts);
		walk(j, "");
	}
	capfile_close(c);
}

static void p_reply(struct frame *f)
{
	put_text(f, "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n");
}

static void p_truncated(struct frame *f)
{
	size_t at = f->n;

	p_dns_answer(f);
	set16(f, at + 2, 0x8780); /* authoritative, truncated */
}

static void p_ech(struct frame *f)
{
	p_tls_hello(f);
	set16(f, 73, 0xfe0d); /* the type of the extension behind the name's */
}

static void p_soap_reply(struct frame *f)
{
	static const char body[] =
		"<u:GetExternalIPAddressResponse xmlns:u=\"urn:schemas-upnp-org:x\">"
		"<NewExternalIPAddress>203.0.113.10</NewExternalIPAddress>";
	char head[96];

	(void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
		       sizeof(body) - 1);
	put(f, head, strlen(head));
	put_text(f, body);
}

/* More routes than are kept. */
static void p_many_routes(struct frame *f)
{
	p_dhcp_ack(f);
	memcpy(f->b + 12, SRC4, 4); /* and an address that the client has already */
	f->n--;			    /* the end */
	put(f, "\x79\x48", 2);
	for (int i = 0; i < 12; i++)
		put(f, "\x08\x0a\x0a\x4d\0\1", 6);
	put8(f, 255);
}

static void p_classic_stun(struct frame *f)
{
	put(f,
	    "\1\1\0\x0c"
	    "idididididididid"
	    "\0\1\0\x08\0\1\x1a\xd0\xcb\0\x71\x0a",
	    32);
}

static void p_openvpn_stream(struct frame *f)
{
	put16(f, 14);
	p_openvpn_reset(f);
}

static void p_quic_retry(struct frame *f)
{
	put8(f, 0xf3);
	put32(f, 1);
	put(f, "\4dcid\4scid", 10);
	put_fill(f, 40, 1);
}

/* What an Initial says once it is decrypted (test_packet_quic.c does that), put into the facts of another packet. */
static void fact_of_a_hello_in_quic(void)
{
	_cleanup_json_ json_t *j = NULL;

	facts.protos |= P(TLS_HELLO);
	facts.quic.decrypted = true;
	facts.tls.over_quic = true;
	j = facts_to_json(&facts);
	walk(j, "");
}

/* Frames for keys that no sample and no golden capture has. */
static void see_the_rest(struct decoder *d)
{
	static const struct {
		enum carrier carrier;
		unsigned sport, dport;
		void (*payload)(struct frame *);
	} rows[] = {
		{ TCP4, 80, 40000, p_reply },	       { UDP4, 5353, 5353, p_mdns },
		{ UDP4, 53, 40000, p_truncated },      { TCP4, 40000, 443, p_ech },
		{ TCP4, 5000, 40000, p_soap_reply },   { UDP4, 67, 68, p_many_routes },
		{ UDP4, 3478, 40000, p_classic_stun }, { TCP4, 40000, 1194, p_openvpn_stream },
		{ UDP4, 40000, 443, p_quic_retry },
	};
	struct frame f, inner;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		build(&f, rows[i].carrier, rows[i].sport, rows[i].dport, rows[i].payload);
		see(d, LINK_ETHERNET, &f);
	}
	see_cut(d, LINK_ETHERNET, &f, f.n - 1);
	build(&f, UDP4, 40000, 443, p_quic_q043);
	decode(d, &f, &facts);
	fact_of_a_hello_in_quic();
	f.n = 0; /* two fragments, and cooked frames */
	put_ip4(&f, 17, 16, 7, 0x2000);
	put_udp(&f, 1, 2, 16);
	put_zero(&f, 8);
	see(d, LINK_RAW, &f);
	f.n = 0;
	put_ip4(&f, 17, 8, 7, 2);
	put_zero(&f, 8);
	see(d, LINK_RAW, &f);
	inner = f;
	f.n = 0;
	put(&f, "\x08\0\0\0\0\0\0\7\0\1\4\6\2\0\0\0\0\2\0\0", 20);
	put(&f, inner.b, inner.n);
	see(d, LINK_SLL2, &f);
	f.n = 0; /* a router's advertisement with address, prefix, route and resolver; a neighbour's */
	put_ip6(&f, 58, 16 + 8 + 32 + 24 + 24);
	put(&f, "\x86\0\0\0\x40\0\7\x08\0\0\0\0\0\0\0\0\1\1\2\0\0\0\0\1", 24);
	put(&f, "\3\4\x40\xc0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	put(&f, SRC6, 16);
	put(&f, "\x18\3\x80\0\0\0\0\1", 8);
	put(&f, DST6, 16);
	put(&f, "\x19\3\0\0\0\0\0\0", 8);
	put(&f, DST6, 16);
	see(d, LINK_RAW, &f);
	f.n = 0;
	put_ip6(&f, 58, 24);
	put(&f, "\x88\0\0\0\0\0\0\0", 8);
	put(&f, SRC6, 16);
	see(d, LINK_RAW, &f);
	f.n = 0;
	put_ip4(&f, 4, 60, 1, 0);
	put_ip4(&f, 1, 40, 1, 0);
	put(&f, "\x08\0\0\0\0\7\0\1", 8);
	see(d, LINK_RAW, &f);
}

static void keys_and_document_agree(void **state)
{
	static const char *const of_analyze[] = { "file", "frame", "interface", "direction" };
	glob_t g = { 0 };
	size_t missing = 0;

	used = calloc(n_fact_fields, sizeof(*used));
	for (size_t i = 0; i < N_SAMPLES; i++) {
		struct frame f;

		decoder_reset(*state);
		build_sample(&f, &samples[i]);
		see(*state, LINK_ETHERNET, &f);
	}
	assert_int_equal(glob("tests/golden/*.pcap", 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++)
		see_file(*state, g.gl_pathv[i]);
	globfree(&g);
	decoder_reset(*state);
	see_the_rest(*state);
	for (size_t i = 0; i < sizeof(of_analyze) / sizeof(of_analyze[0]); i++)
		used[field_of(of_analyze[i])] = true;
	for (size_t i = 0; i < n_fact_fields; i++) {
		if (!used[i])
			print_error("nothing has %s\n", fact_fields[i].path);
		missing += !used[i];
	}
	assert_int_equal(missing, 0);
	free(used);
}

static void document_is_printed(void **state)
{
	size_t n_have = 0, n_want = 0;
	char *want = NULL;
	FILE *out = open_memstream(&want, &n_want);
	struct err err = { 0 };
	_cleanup_free_ char *have = fs_read(DOC, 1U << 20, &n_have, &err);

	(void)state;
	facts_markdown(out);
	(void)fclose(out);
	if (!have || n_have != n_want || memcmp(have, want, n_have) != 0)
		fail_msg("%s differs from the tables: leakproof list facts > it", DOC);
	free(want);
}

/* ---- Values ---- */

static const char *text_of(const json_t *j, const char *key)
{
	return json_string_value(json_object_get(j, key));
}

static void times_have_nine_digits(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {
		{ 0, "0.000000000" },
		{ 1, "0.000000001" },
		{ INT64_C(1700000000123456789), "1700000000.123456789" },
		{ -1, "-0.000000001" },
		{ INT64_C(-1500000000), "-1.500000000" },
		{ INT64_MAX, "9223372036.854775807" },
		{ INT64_MIN, "-9223372036.854775808" },
	};
	struct frame f;

	(void)state;
	build(&f, UDP4, 1, 2, p_ntp);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_json_ json_t *j = NULL;

		decode_frame(NULL, LINK_ETHERNET, f.b, (uint32_t)f.n, (uint32_t)f.n, rows[i].ns,
			     &facts);
		j = facts_to_json(&facts);
		assert_string_equal(text_of(j, "time"), rows[i].text);
		assert_true(json_integer_value(json_object_get(j, "time_ns")) == rows[i].ns);
	}
}

/* An IPv6 header's addresses are printed as its own, also when they are nobody's or a mapped IPv4 address. */
static void addresses_keep_their_family(void **state)
{
	_cleanup_json_ json_t *j = NULL;
	struct frame f = { .n = 0 };
	json_t *l;

	(void)state;
	put_ip6(&f, 17, 8);
	put_udp(&f, 1, 2, 0);
	memset(f.b + 8, 0, 16);
	memset(f.b + 24, 0, 10);
	memcpy(f.b + 34, "\xff\xff\xcb\0\x71\x0a", 6);
	decode_frame(NULL, LINK_RAW, f.b, (uint32_t)f.n, (uint32_t)f.n, 0, &facts);
	j = facts_to_json(&facts);
	l = json_array_get(json_object_get(j, "layers"), 0);
	assert_string_equal(text_of(l, "src"), "::");
	assert_string_equal(text_of(l, "dst"), "::ffff:203.0.113.10");
}

static void the_reason_is_the_weightiest(void **state)
{
	_cleanup_json_ json_t *j = NULL;
	struct frame f;

	(void)state;
	build(&f, UDP4, 40000, 53, p_dns_query);
	decode_frame(NULL, LINK_ETHERNET, f.b, 40, (uint32_t)f.n, 0, &facts);
	j = facts_to_json(&facts);
	assert_string_equal(text_of(j, "reason"), "udp-header-short");
	assert_int_equal(json_array_size(json_object_get(j, "reasons")), 2); /* and capture-cut */
	assert_true(json_is_true(json_object_get(j, "undecodable")));
}

/* A message that is damaged behind its header still tells what the header and the first name say. */
static void a_damaged_message_keeps_its_beginning(void **state)
{
	struct frame f;

	(void)state;
	for (int cut = 1; cut >= 0; cut--) {
		_cleanup_json_ json_t *j = NULL;
		uint32_t n;

		build(&f, UDP4, 53, 40000, p_dns_answer);
		n = cut ? 42 + 11 : (uint32_t)f.n - 3; /* in the header, in the last record */
		decode_frame(NULL, LINK_ETHERNET, f.b, n, n, 0, &facts);
		j = facts_to_json(&facts);
		assert_true(facts_has(&facts, PROTO_DNS));
		assert_true(facts_has_reason(&facts, UND_DNS_SHORT));
		if (cut)
			assert_null(json_object_get(j, "dns"));
		else
			assert_string_equal(text_of(json_object_get(j, "dns"), "qname"),
					    "tracker.test");
	}
}

/* Whatever stands in the texts: the line is made, is UTF-8, and holds no byte that is not printable. */
static void hostile_bytes_stay_text(void **state)
{
	uint64_t x = 0x9e3779b97f4a7c15;

	for (int round = 0; round < 40; round++) {
		for (size_t i = 0; i < N_SAMPLES; i++) {
			struct frame f;
			_cleanup_json_ json_t *j = NULL;
			_cleanup_free_ char *line = NULL;

			build_sample(&f, &samples[i]);
			for (size_t at = 42; at < f.n; at++) {
				x ^= x << 13;
				x ^= x >> 7;
				x ^= x << 17;
				if ((x & 7) == 0)
					f.b[at] = (uint8_t)(x >> 32);
			}
			decode(*state, &f, &facts);
			j = facts_to_json(&facts);
			assert_non_null(j);
			line = json_dumps(j, JSON_COMPACT);
			assert_non_null(line);
			for (const char *c = line; *c; c++)
				assert_true(*c >= 0x20 && *c < 0x7f);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_and_document_agree),
		cmocka_unit_test(document_is_printed),
		cmocka_unit_test(times_have_nine_digits),
		cmocka_unit_test(addresses_keep_their_family),
		cmocka_unit_test(the_reason_is_the_weightiest),
		cmocka_unit_test(a_damaged_message_keeps_its_beginning),
		cmocka_unit_test(hostile_bytes_stay_text),
	};

	return cmocka_run_group_tests_name("packet_facts", tests, decoder_setup, decoder_teardown);
}
