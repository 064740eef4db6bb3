/* SPDX-License-Identifier: MIT */
/* TLS and DTLS at their limits: records, the hello and its extensions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/frames.h"
#include "packet/internal.h"

static struct facts facts;

#define BYTES(s) (s), sizeof(s) - 1

static enum head_state tls(const void *b, size_t n, bool last)
{
	memset(&facts, 0, sizeof(facts));
	return decode_tls(&facts, exact(b, n), n, last);
}

/* ---- records ---- */

static void records_by_their_first_bytes(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		enum head_state early, at_last;
	} rows[] = {
		{ BYTES(""), HEAD_NO, HEAD_NO },
		{ BYTES("\x13"), HEAD_NO, HEAD_NO },
		{ BYTES("\x14"), HEAD_MORE, HEAD_NO },
		{ BYTES("\x18"), HEAD_MORE, HEAD_NO },
		{ BYTES("\x19"), HEAD_NO, HEAD_NO },
		{ BYTES("\x17\3"), HEAD_MORE, HEAD_NO },
		{ BYTES("\x17\2"), HEAD_NO, HEAD_NO },
		{ BYTES("\x17\3\4"), HEAD_MORE, HEAD_NO },
		{ BYTES("\x17\3\5"), HEAD_NO, HEAD_NO },
		{ BYTES("\x17\3\3\x41"), HEAD_MORE, HEAD_NO },
		{ BYTES("\x17\3\3\x41\0"), HEAD_MORE, HEAD_NO },
		{ BYTES("\x17\3\3\x41\1"), HEAD_NO, HEAD_NO },
		{ BYTES("\x17\3\3\0\0"), HEAD_NO, HEAD_NO },
		{ BYTES("\x17\3\3\0\1"), HEAD_MORE, HEAD_NO },
		{ BYTES("\x17\3\3\0\1x"), HEAD_DONE, HEAD_DONE },
		{ BYTES("\x13\3\3\0\1x"), HEAD_NO, HEAD_NO },
		{ BYTES("\x16\3\3\0\1\2"), HEAD_DONE, HEAD_DONE }, /* a server's hello */
		{ BYTES("\x15\3\3\0\2\2\x28"), HEAD_DONE, HEAD_DONE },
		{ BYTES("\x16\3\3\0\1\1"), HEAD_MORE, HEAD_NO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (tls(rows[i].b, rows[i].n, false) != rows[i].early)
			fail_msg("row %zu", i);
		if (tls(rows[i].b, rows[i].n, true) != rows[i].at_last)
			fail_msg("row %zu at last", i);
		assert_int_equal(facts_has(&facts, PROTO_TLS), rows[i].at_last == HEAD_DONE);
		assert_false(facts_has(&facts, PROTO_TLS_HELLO));
	}
}

/* Ciphertext may begin as one record does, but hardly as two, or as a message of the handshake. */
static void records_that_are_sure(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		bool sure;
	} rows[] = {
		{ BYTES("\x17\3\3\0\1x"), true },
		{ BYTES("\x17\3\3\0\2x"), false },
		{ BYTES("\x17\3\3\0\1x\x17\3\3\0\1"), true }, /* a header alone */
		{ BYTES("\x17\3\3\0\1x\x17\3\3\0"), false },
		{ BYTES("\x17\3\3\0\1x\x17\3\5\0\1"), false },
		{ BYTES("\x14\3\3\0\1\1\x16\3\3\0\1"), true },
		{ BYTES("\x16\3\3\1\4\x19\0\1\0"), true }, /* a compressed certificate */
		{ BYTES("\x16\3\3\1\4\x1a\0\1\0"), false },
		{ BYTES("\x16\3\3\1\4\x19\1\1\0"), false },
		{ BYTES("\x16\3\3\1\4\x19\0\1"), false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(tls(rows[i].b, rows[i].n, true), HEAD_DONE);
		if ((facts.protos & P(TLS)) == 0 || !(facts.weak & P(TLS)) != rows[i].sure)
			fail_msg("row %zu", i);
	}
}

/* A second hello stands behind a change of cipher specs of one byte. */
static void a_hello_behind_a_change_of_specs(void **state)
{
	struct frame h = { .n = 0 };

	(void)state;
	p_tls_hello(&h);
	for (int form = 0; form < 5; form++) {
		struct frame p = { .n = 0 };

		put(&p, "\x14\3\3\0\1\1", 6);
		put(&p, h.b, h.n);
		if (form == 1)
			p.b[4] = 2; /* not of one byte */
		if (form == 2)
			p.b[6] = 0x17; /* application data follow */
		if (form == 3)
			p.b[7] = 2; /* nothing that is TLS follows */
		if (form == 4)
			p.b[0] = 0x15;
		assert_int_equal(tls(p.b, p.n, false), HEAD_DONE);
		assert_true(facts_has(&facts, PROTO_TLS));
		assert_int_equal(facts_has(&facts, PROTO_TLS_HELLO), form == 0);
		for (size_t n = 7; n < 18; n++) {
			enum head_state want = form == 0 && n >= 12 ? HEAD_MORE : HEAD_DONE;

			if (form == 0 && tls(p.b, n, false) != want)
				fail_msg("%zu bytes", n);
		}
	}
}

/* A hello over records of every size; at every length it is waited for, and at the last read as far as it goes. */
static void hellos_over_records(void **state)
{
	struct frame h = { .n = 0 };

	(void)state;
	p_hello_body(&h, "indexer.test");
	for (size_t size = 1; size <= h.n; size++) {
		struct frame p = { .n = 0 };

		for (size_t at = 0; at < h.n; at += size) {
			size_t n = h.n - at < size ? h.n - at : size;

			put(&p, "\x16\3\1", 3);
			put16(&p, (unsigned)n);
			put(&p, h.b + at, n);
		}
		assert_int_equal(tls(p.b, p.n, false), HEAD_DONE);
		assert_string_equal(facts.tls.sni, "indexer.test");
		assert_int_equal(facts.reason, UND_NONE);
		if (size != 40 && size != h.n)
			continue;
		for (size_t n = 1; n < p.n; n++) {
			assert_int_equal(tls(p.b, n, false), HEAD_MORE);
			assert_false(facts_has(&facts, PROTO_TLS));
			if (tls(p.b, n, true) != HEAD_DONE)
				continue;
			assert_true(facts_has(&facts, PROTO_TLS_HELLO));
			assert_int_equal(facts.reason, UND_TLS_SHORT);
		}
		put(&p, "\x17\3\3\0\1x", 6); /* and what is behind it is no part of it */
		assert_int_equal(tls(p.b, p.n, false), HEAD_DONE);
		assert_int_equal(facts.reason, UND_NONE);
	}
}

/* A hello of more than is collected of a head is read as far as that goes. */
static void a_hello_longer_than_is_kept(void **state)
{
	static const uint8_t record[] = { 0x16, 3, 1, 0x40, 0 };
	static uint8_t p[3 * (16384 + 5)];
	struct frame h = { .n = 0 };
	size_t n = 0;

	(void)state;
	p_hello_body(&h, "indexer.test");
	set16(&h, 2, 0xfff0);
	for (int i = 0; i < 3; i++) {
		memcpy(p + n, record, sizeof(record));
		if (i == 0)
			memcpy(p + n + 5, h.b, h.n);
		n += 5 + 16384;
	}
	assert_int_equal(tls(p, 5 + 16384, false), HEAD_MORE);
	assert_int_equal(tls(p, n, false), HEAD_DONE);
	assert_string_equal(facts.tls.sni, "indexer.test");
}

/* ---- the hello ---- */

static enum head_state handshake(const char *b, size_t n, bool last)
{
	memset(&facts, 0, sizeof(facts));
	return decode_tls_hello(&facts, (const uint8_t *)b, n, last);
}

#define RANDOM "0123456789abcdef0123456789abcdef"
#define SUITES "\0\0\2\x13\1\1\0" /* no session, a suite, no compression */

static void messages_by_their_first_bytes(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		enum head_state early, at_last;
	} rows[] = {
		{ BYTES(""), HEAD_MORE, HEAD_NO },
		{ BYTES("\1"), HEAD_MORE, HEAD_NO },
		{ BYTES("\2"), HEAD_NO, HEAD_NO },
		{ BYTES("\1\0\0"), HEAD_MORE, HEAD_NO },
		{ BYTES("\1\0\0\0"), HEAD_NO, HEAD_NO },     /* whole, and empty */
		{ BYTES("\1\1\0\0\3\3"), HEAD_NO, HEAD_NO }, /* too long to be one */
		{ BYTES("\1\0\xff\xff\3\3"), HEAD_MORE, HEAD_DONE },
		{ BYTES("\1\0\0\x29\3\3" RANDOM SUITES), HEAD_DONE, HEAD_DONE },
		{ BYTES("\1\0\0\x2a\3\3" RANDOM SUITES), HEAD_MORE, HEAD_DONE },
		{ BYTES("\1\0\0\x29\x7f\x1c" RANDOM SUITES), HEAD_DONE, HEAD_DONE }, /* a draft */
		{ BYTES("\1\0\0\x29\2\3" RANDOM SUITES), HEAD_NO, HEAD_NO },
		{ BYTES("\1\0\0\x29\xfe\xfd" RANDOM SUITES), HEAD_NO, HEAD_NO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (handshake(rows[i].b, rows[i].n, false) != rows[i].early)
			fail_msg("row %zu", i);
		if (handshake(rows[i].b, rows[i].n, true) != rows[i].at_last)
			fail_msg("row %zu at last", i);
		assert_int_equal(facts_has(&facts, PROTO_TLS_HELLO), rows[i].at_last == HEAD_DONE);
	}
}

/* A hello with these extensions. */
static void extensions(const char *b, size_t n)
{
	struct frame p = { .n = 0 };

	put(&p, "\1\0\0\0\3\3" RANDOM SUITES, 45);
	put16(&p, (unsigned)n);
	put(&p, b, n);
	set16(&p, 2, p.n - 4);
	assert_int_equal(handshake((const char *)p.b, p.n, false), HEAD_DONE);
	assert_true(facts_has(&facts, PROTO_TLS_HELLO));
}

static void extensions_one_by_one(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		const char *sni, *alpn;
		unsigned version;
		bool ech;
		enum undecodable reason;
	} rows[] = {
		{ BYTES(""), "", "", 0x303, false, UND_NONE },
		{ BYTES("\0\0\0\x0b\0\x09\0\0\6a.test"), "a.test", "", 0x303, false, UND_NONE },
		{ BYTES("\0\0\0\x0b\0\x09\1\0\6a.test"), "", "", 0x303, false, UND_NONE },
		{ BYTES("\0\1\0\x0b\0\x09\0\0\6a.test"), "", "", 0x303, false, UND_NONE },
		{ BYTES("\0\0\0\x14\0\x12\0\0\6a.test\0\0\6b.test"), "a.test", "", 0x303, false,
		  UND_NONE },
		{ BYTES("\0\0\0\x0b\0\x09\0\0\7a.test"), "", "", 0x303, false, UND_NONE },
		{ BYTES("\0\0\0\x0c\0\x09\0\0\6a.test"), "a.test", "", 0x303, false,
		  UND_TLS_HELLO },
		{ BYTES("\0\0\0\x0b\0\x09\0\0\6a.test\0"), "a.test", "", 0x303, false,
		  UND_TLS_HELLO },
		{ BYTES("\0\x10\0\5\0\3\2h2"), "", "h2", 0x303, false, UND_NONE },
		{ BYTES("\0\x10\0\x0b\0\x09\2h2\5other"), "", "h2,other", 0x303, false, UND_NONE },
		{ BYTES("\0\x10\0\x0b\0\x09\2h2\6other"), "", "h2", 0x303, false, UND_NONE },
		{ BYTES("\0\x2b\0\3\2\3\4"), "", "", 0x304, false, UND_NONE },
		{ BYTES("\0\x2b\0\5\4\3\4\3\3"), "", "", 0x304, false, UND_NONE },
		{ BYTES("\0\x2b\0\5\4\3\2\3\1"), "", "", 0x303, false, UND_NONE },
		{ BYTES("\0\x2b\0\7\6\x4a\x4a\3\4\3\3"), "", "", 0x304, false, UND_NONE },
		{ BYTES("\0\x2b\0\3\2\x4a\x5a"), "", "", 0x4a5a, false, UND_NONE }, /* no grease */
		{ BYTES("\0\x2b\0\3\2\x4b\x4b"), "", "", 0x4b4b, false, UND_NONE },
		{ BYTES("\xfe\x0d\0\1x"), "", "", 0x303, true, UND_NONE },
		{ BYTES("\xff\xce\0\1x"), "", "", 0x303, true, UND_NONE },
		{ BYTES("\xfe\x0e\0\1x"), "", "", 0x303, false, UND_NONE },
		{ BYTES("\xff\xcf\0\1x"), "", "", 0x303, false, UND_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		extensions(rows[i].b, rows[i].n);
		if (strcmp(facts.tls.sni, rows[i].sni) != 0 || facts.reason != rows[i].reason)
			fail_msg("row %zu: %s", i, undecodable_name(facts.reason));
		assert_int_equal(facts.tls.has_sni, rows[i].sni[0] != '\0');
		assert_string_equal(facts.tls.alpn, rows[i].alpn);
		assert_int_equal(facts.tls.version, rows[i].version);
		assert_int_equal(facts.tls.ech, rows[i].ech);
		assert_false(facts.tls.over_quic);
	}
}

/* Names of protocols until there is no room; the last one fits to the byte. */
static void alpn_fills_its_room(void **state)
{
	const size_t room = sizeof(facts.tls.alpn);

	(void)state;
	for (size_t n = room - 13; n <= room - 6; n++) {
		struct frame p = { .n = 0 };

		put(&p, "\0\x10\0\0\0\0", 6);
		put8(&p, (unsigned)n);
		put_fill(&p, n, 'a');
		put_text(&p, "\x08"
			     "protocol");
		set16(&p, 2, p.n - 4);
		set16(&p, 4, p.n - 6);
		extensions((const char *)p.b, p.n);
		assert_int_equal(strlen(facts.tls.alpn), n + 8 + 2 <= room ? n + 9 : n);
	}
}

/* A hello that ends in any of its parts. */
static void hellos_cut_short(void **state)
{
	struct frame p = { .n = 0 };

	(void)state;
	p_hello_body(&p, "indexer.test");
	for (size_t n = 6; n < p.n; n++) {
		struct frame q = p;

		assert_int_equal(handshake((const char *)q.b, n, true), HEAD_DONE);
		assert_int_equal(facts.reason, UND_TLS_SHORT);
		set16(&q, 2, n - 4); /* and says so */
		assert_int_equal(handshake((const char *)q.b, n, false), HEAD_DONE);
		assert_int_equal(facts.reason, n == 45 ? UND_NONE : UND_TLS_HELLO);
	}
	assert_int_equal(handshake((const char *)p.b, 5, true), HEAD_NO);
}

/* ---- DTLS ---- */

static bool dtls(const char *b, size_t n)
{
	memset(&facts, 0, sizeof(facts));
	return decode_dtls(&facts, (const uint8_t *)b, n);
}

#define SEQUENCE "\0\0\0\0\0\0\0\0"

static void records_of_dtls(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		bool good;
	} rows[] = {
		{ BYTES("\x17\xfe\xfd" SEQUENCE "\0\1x"), true },
		{ BYTES("\x17\xfe\xff" SEQUENCE "\0\1x"), true },
		{ BYTES("\x17\xfe\xfc" SEQUENCE "\0\1x"), true },
		{ BYTES("\x17\xfe\xfb" SEQUENCE "\0\1x"), false },
		{ BYTES("\x17\xfd\xfd" SEQUENCE "\0\1x"), false },
		{ BYTES("\x14\xfe\xfd" SEQUENCE "\0\1x"), true },
		{ BYTES("\x13\xfe\xfd" SEQUENCE "\0\1x"), false },
		{ BYTES("\x1a\xfe\xfd" SEQUENCE "\0\1x"), true },
		{ BYTES("\x1b\xfe\xfd" SEQUENCE "\0\1x"), false },
		{ BYTES("\x17\xfe\xfd" SEQUENCE "\0\0x"), false },
		{ BYTES("\x17\xfe\xfd" SEQUENCE "\0\2x"), false },
		{ BYTES("\x17\xfe\xfd" SEQUENCE "\0\1"), false },
		{ BYTES("\x17\xfe\xfd" SEQUENCE "\0"), false },
		{ BYTES("\x17\xfe\xfd" SEQUENCE "\0\1xy"), true },
		/* the old version fills its datagram with records of the same */
		{ BYTES("\x17\1\0" SEQUENCE "\0\1x"), true },
		{ BYTES("\x17\1\1" SEQUENCE "\0\1x"), false },
		{ BYTES("\x17\2\0" SEQUENCE "\0\1x"), false },
		{ BYTES("\x17\1\0" SEQUENCE "\0\1xy"), false },
		{ BYTES("\x17\1\0" SEQUENCE "\0\1x\x14\1\0" SEQUENCE "\0\1x"), true },
		{ BYTES("\x17\1\0" SEQUENCE "\0\1x\x17\1\0" SEQUENCE "\0\1x"), true },
		{ BYTES("\x17\1\0" SEQUENCE "\0\1x\x14\1\0" SEQUENCE "\0\2x"), false },
		{ BYTES("\x17\1\0" SEQUENCE "\0\1x\x13\1\0" SEQUENCE "\0\1x"), false },
		{ BYTES("\x17\1\0" SEQUENCE "\0\1x\x18\1\0" SEQUENCE "\0\1x"), false },
		{ BYTES("\x17\1\0" SEQUENCE "\0\1x\x17\2\0" SEQUENCE "\0\1x"), false },
		{ BYTES("\x17\1\0" SEQUENCE "\0\1x\x17\1\1" SEQUENCE "\0\1x"), false },
		{ BYTES("\x18\1\0" SEQUENCE "\0\1x"), false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (dtls(rows[i].b, rows[i].n) != rows[i].good)
			fail_msg("row %zu", i);
		assert_int_equal(facts_has(&facts, PROTO_DTLS), rows[i].good);
	}
}

#define DTLS_HELLO "\xfe\xfd" RANDOM "\0\0\0\2\x13\1\1\0" /* with a cookie of no bytes: 42 */

static void hellos_of_dtls(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		bool hello;
		enum undecodable reason;
	} rows[] = {
		{ BYTES("\1\0\0\x2a\0\0\0\0\0\0\0\x2a" DTLS_HELLO), true, UND_NONE },
		{ BYTES("\2\0\0\x2a\0\0\0\0\0\0\0\x2a" DTLS_HELLO), false, UND_NONE },
		{ BYTES("\1\0\0\x2a\0\0\0\0\1\0\0\x29" DTLS_HELLO), false, UND_NONE },
		{ BYTES("\1\0\0\x2a\0\0\0\1\0\0\0\x29" DTLS_HELLO), false, UND_NONE },
		{ BYTES("\1\0\0\x2a\0\0\1\0\0\0\0\x29" DTLS_HELLO), false, UND_NONE },
		{ BYTES("\1\0\0\x2a\0\0\0\0\0\0\0\x2b" DTLS_HELLO "."), false, UND_NONE },
		{ BYTES("\1\0\0\x2b\0\0\0\0\0\0\0\x2b" DTLS_HELLO), false, UND_NONE },
		{ BYTES("\1\0\0\x2b\0\0\0\0\0\0\0\x2b" DTLS_HELLO "."), true, UND_TLS_HELLO },
		{ BYTES("\1\0\0\x2c\0\0\0\0\0\0\0\x2b" DTLS_HELLO "."), true, UND_NONE },
		{ BYTES("\1\0\0\x2a\0\0\0\0\0\0\0"), false, UND_NONE },
		{ BYTES("\1\0\0\x2a\0\0\0\0\0\0\0\x2a\1\0" RANDOM "\0\0\0\2\x13\1\1\0"), true,
		  UND_NONE },
		{ BYTES("\1\0\0\x2a\0\0\0\0\0\0\0\x2a\3\3" RANDOM "\0\0\0\2\x13\1\1\0"), false,
		  UND_NONE },
		{ BYTES("\1\0\0\x2b\0\0\0\0\0\0\0\x2b\xfe\xfd" RANDOM "\0\1c\0\2\x13\1\1\0"), true,
		  UND_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame p = { .n = 0 };

		put(&p, "\x16\xfe\xfd" SEQUENCE, 11);
		put16(&p, (unsigned)rows[i].n);
		put(&p, rows[i].b, rows[i].n);
		assert_true(dtls((const char *)p.b, p.n));
		if (facts_has(&facts, PROTO_TLS_HELLO) != rows[i].hello ||
		    facts.reason != rows[i].reason)
			fail_msg("row %zu: %s", i, undecodable_name(facts.reason));
		p.b[0] = 0x17; /* application data hold none */
		assert_true(dtls((const char *)p.b, p.n));
		assert_false(facts_has(&facts, PROTO_TLS_HELLO));
	}
}

/* The highest version of DTLS is the smallest number. */
static void versions_of_dtls(void **state)
{
	static const struct {
		const char *list;
		unsigned version;
	} rows[] = {
		{ "\4\xfe\xfc\xfe\xfd", 0xfefc },
		{ "\4\xfe\xff\xfe\xfe", 0xfefd },
		{ "\4\3\4\xfe\xfd", 0xfefd },
		{ "\4\xfe\xfd\xfe\xfc", 0xfefc },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame p = { .n = 0 };

		put(&p,
		    "\x16\xfe\xfd" SEQUENCE "\0\x41\1\0\0\x35\0\0\0\0\0\0\0\x35" DTLS_HELLO
		    "\0\x09\0\x2b\0\5",
		    13 + 12 + 42 + 6);
		put(&p, rows[i].list, 5);
		assert_true(dtls((const char *)p.b, p.n));
		assert_int_equal(facts.reason, UND_NONE);
		assert_int_equal(facts.tls.version, rows[i].version);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_by_their_first_bytes),
		cmocka_unit_test(records_that_are_sure),
		cmocka_unit_test(a_hello_behind_a_change_of_specs),
		cmocka_unit_test(hellos_over_records),
		cmocka_unit_test(a_hello_longer_than_is_kept),
		cmocka_unit_test(messages_by_their_first_bytes),
		cmocka_unit_test(extensions_one_by_one),
		cmocka_unit_test(alpn_fills_its_room),
		cmocka_unit_test(hellos_cut_short),
		cmocka_unit_test(records_of_dtls),
		cmocka_unit_test(hellos_of_dtls),
		cmocka_unit_test(versions_of_dtls),
	};

	return cmocka_run_group_tests_name("packet_tls", tests, NULL, NULL);
}
