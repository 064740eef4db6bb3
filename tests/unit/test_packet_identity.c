/* SPDX-License-Identifier: MIT */
/* Addresses, their forms in payloads, and what must not be taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/frames.h"
#include "packet/identity.h"

#define HITS 64

static struct identity *searcher, *portable; /* of the same addresses, the second without AVX2 */

static struct identity *new_searcher(const char *const *texts, size_t n)
{
	struct ipaddr a[IDENTITY_ADDRESSES];
	struct identity *s;

	for (size_t i = 0; i < n; i++)
		assert_true(ipaddr_parse(texts[i], &a[i]));
	s = identity_new(a, n);
	assert_non_null(s);
	return s;
}

static void take(const char *const *texts, size_t n)
{
	identity_free(searcher);
	identity_free(portable);
	searcher = new_searcher(texts, n);
	portable = new_searcher(texts, n);
	identity_without_avx2(portable);
}

static int setup(void **state)
{
	static const char *const texts[] = { "203.0.113.10", "2001:db8:1::10", "198.51.100.7" };

	(void)state;
	take(texts, 3);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	identity_free(searcher);
	identity_free(portable);
	searcher = portable = NULL;
	return 0;
}

static void check_same(const struct identity_hit *a, const struct identity_hit *b)
{
	assert_int_equal(a->offset, b->offset);
	assert_int_equal(a->length, b->length);
	assert_int_equal(a->address, b->address);
	assert_int_equal(a->form, b->form);
	assert_int_equal(a->strong, b->strong);
}

/* With and without AVX2, of all forms and of the texts alone. */
static size_t search_all(const uint8_t *p, size_t len, struct identity_hit hits[HITS])
{
	struct identity_hit other[HITS], text[HITS];
	size_t n = identity_search(searcher, p, len, hits, HITS), n_text = 0, k = 0;

	assert_int_equal(identity_search(portable, p, len, other, HITS), n);
	for (size_t i = 0; i < n; i++) {
		check_same(&hits[i], &other[i]);
		n_text += hits[i].form == IDENTITY_TEXT;
	}
	assert_int_equal(identity_search_text(searcher, p, len, text, HITS), n_text);
	assert_int_equal(identity_search_text(portable, p, len, other, HITS), n_text);
	for (size_t i = 0; i < n; i++)
		if (hits[i].form == IDENTITY_TEXT) {
			check_same(&hits[i], &text[k]);
			check_same(&hits[i], &other[k++]);
		}
	return n;
}

/* Search with `what` placed at every offset of exact-size blocks of random bytes; all agree. */
static size_t search(const void *what, size_t n, struct identity_hit *hit)
{
	size_t found = 99;

	for (size_t before = 0; before < 70; before++) {
		size_t after = before % 40, len = before + n + after, got;
		struct identity_hit hits[HITS];
		uint8_t *p = exact_room(len);

		for (size_t i = 0; i < len; i++)
			p[i] = (uint8_t)(0x80 | (i * 37 & 0x3f));
		memcpy(p + before, what, n);
		got = search_all(p, len, hits);
		if (found == 99)
			found = got;
		assert_int_equal(got, found);
		if (got) {
			*hit = hits[0];
			hit->offset -= (uint32_t)before;
		}
	}
	return found;
}

static void expect(const void *what, size_t n, unsigned address, enum identity_form form,
		   bool strong)
{
	struct identity_hit h;

	assert_int_equal(search(what, n, &h), 1);
	assert_int_equal(h.address, address);
	assert_int_equal(h.form, form);
	assert_int_equal(h.strong, strong);
}

#define TEXT(s) (s), sizeof(s) - 1

static void forms_of_v4(void **state)
{
	struct identity_hit h;

	(void)state;
	expect(TEXT("203.0.113.10"), 0, IDENTITY_TEXT, true);
	expect(TEXT("ip=203.0.113.10&port"), 0, IDENTITY_TEXT, true);
	expect(TEXT("host-203-0-113-10.isp.test"), 0, IDENTITY_TEXT, true);
	expect(TEXT("10.113.0.203.in-addr.arpa"), 0, IDENTITY_TEXT, true);
	expect(TEXT("PORT 203,0,113,10,195,80"), 0, IDENTITY_TEXT, true);
	expect(TEXT("5,203,0,113,10"), 0, IDENTITY_TEXT, true);
	expect(TEXT("203,0,113,10"), 0, IDENTITY_TEXT, true);
	expect(TEXT("\xcb\0\x71\x0a"), 0, IDENTITY_BINARY, false);
	expect(TEXT("\x0a\x71\0\xcb"), 0, IDENTITY_REVERSED, false);
	expect(TEXT("\xea\x12\xd5\x48"), 0, IDENTITY_XOR, false);
	expect(TEXT("198.51.100.7"), 2, IDENTITY_TEXT, true);
	assert_int_equal(search(TEXT("203.0.113.100"), &h), 0);
	assert_int_equal(search(TEXT("203.0.113.109"), &h), 0);
	assert_int_equal(search(TEXT("1203.0.113.10"), &h), 0);
	assert_int_equal(search(TEXT("203.0.113.1"), &h), 0);
	assert_int_equal(search(TEXT("203.0x113.10"), &h), 0);
	assert_int_equal(search(TEXT("203,0,113,101"), &h), 0);
	assert_int_equal(search(TEXT("1203,0,113,10"), &h), 0);
	assert_int_equal(search(TEXT("203,0,113.10"), &h), 0);
	assert_int_equal(search(TEXT("10.113.0.203"), &h), 0);
}

static void forms_of_v6(void **state)
{
	struct identity_hit h;

	(void)state;
	expect(TEXT("2001:db8:1::10"), 1, IDENTITY_TEXT, true);
	expect(TEXT("[2001:DB8:1::10]"), 1, IDENTITY_TEXT, true);
	expect(TEXT("2001:db8:1:0:0:0:0:10"), 1, IDENTITY_TEXT, true);
	expect(TEXT("2001:0db8:0001:0000:0000:0000:0000:0010"), 1, IDENTITY_TEXT, true);
	expect(SRC6, 16, 1, IDENTITY_BINARY, true);
	assert_int_equal(search(TEXT("2001:db8:1::100"), &h), 0);
	assert_int_equal(search(TEXT("2001:db8:1::10f"), &h), 0);
	assert_int_equal(search(TEXT("2001:db8:1::10:5"), &h), 0);
	assert_int_equal(search(TEXT("a2001:db8:1::10"), &h), 0);
	assert_int_equal(search(SRC6, 15, &h), 0);
}

/* What stands beside the text tells whether it is part of something longer. */
static void neighbours_of_text(void **state)
{
	static const char *const yes[] = {
		/* a dot that ends the sentence, or begins a name */
		"203.0.113.10.",
		"203.0.113.10. 5",
		"203.0.113.10.in-addr",
		"203.0.113.10..5",
		".203.0.113.10",
		"x.203.0.113.10",
		"5..203.0.113.10",
		"203.0.113.10:5",
		/* dashes are a name's */
		"ec2-203-0-113-10.example",
		"5.203-0-113-10.5",
		"203-0-113-10-5",
		/* escapes */
		"%22203.0.113.10%22",
		"%20203.0.113.10",
		"%aF203.0.113.10",
		"5%2c203.0.113.10",
		"%222001:db8:1::10%22",
		"%5B2001:db8:1::10%5D",
		"%5b2001:DB8:1::10%5d",
		"%0a2001:db8:1::10",
		"5:%5B2001:db8:1::10",
		/* words before a colon */
		"[IPv6:2001:db8:1::10]",
		"inet6:2001:db8:1::10",
		"INET6:2001:db8:1::10",
		"trace:2001:db8:1::10",
		"zFace:2001:db8:1::10",
		"g:2001:db8:1::10",
		":2001:db8:1::10",
		"\":2001:db8:1::10",
		"g2001:db8:1::10",
		"@2001:db8:1::10",
		"`2001:db8:1::10",
		"/2001:db8:1::10",
		"G2001:db8:1::10",
		/* and behind one */
		"2001:db8:1::10:",
		"2001:db8:1::10: reply",
		"2001:db8:1::10:g",
		"2001:db8:1::10g",
		"2001:db8:1::10/64",
		"2001:db8:1::10.",
	};
	static const char *const no[] = {
		"203.0.113.10.5",
		"203.0.113.10.0",
		"203.0.113.10.9",
		"5.203.0.113.10",
		"0.203.0.113.10",
		"9.203.0.113.10",
		"203-0-113-105",
		"1203-0-113-10",
		/* no escapes */
		"%2203.0.113.10",
		"22203.0.113.10",
		"%2g1203.0.113.10",
		"%g22203.0.113.10",
		"%1g1203.0.113.10",
		"%2222203.0.113.10",
		"%52001:db8:1::10",
		"5B2001:db8:1::10",
		/* groups of a longer address */
		"6:2001:db8:1::10",
		"1:2001:db8:1::10",
		"dead:2001:db8:1::10",
		"::2001:db8:1::10",
		"=6:2001:db8:1::10",
		"@a:2001:db8:1::10",
		"`a:2001:db8:1::10",
		"{a:2001:db8:1::10",
		"[a:2001:db8:1::10",
		"peer:1:2001:db8:1::10",
		"2001:db8:1::10::",
		"2001:db8:1::10:a",
		"2001:db8:1::10:F",
		"2001:db8:1::10a",
		"2001:db8:1::10F",
		"f2001:db8:1::10",
		"A2001:db8:1::10",
		"02001:db8:1::10",
		"92001:db8:1::10",
	};
	struct identity_hit h;

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (search(yes[i], strlen(yes[i]), &h) != 1 || h.form != IDENTITY_TEXT)
			fail_msg("%s", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (search(no[i], strlen(no[i]), &h) != 0)
			fail_msg("%s", no[i]);
}

/* Of what lies before and behind the bytes that are searched nobody knows. */
static void neighbours_at_the_ends(void **state)
{
	static const struct {
		const char *text;
		size_t n;
	} rows[] = { { ".203.0.113.10", 1 },	{ "5.203.0.113.10", 0 },
		     { "203.0.113.10.", 1 },	{ "203.0.113.10.5", 0 },
		     { "22203.0.113.10", 0 },	{ "%22203.0.113.10", 1 },
		     { ":2001:db8:1::10", 1 },	{ "::2001:db8:1::10", 0 },
		     { "6:2001:db8:1::10", 0 }, { "t6:2001:db8:1::10", 1 },
		     { "2001:db8:1::10:", 1 },	{ "2001:db8:1::10:1", 0 },
		     { "B2001:db8:1::10", 0 },	{ "5B2001:db8:1::10", 0 } };
	struct identity_hit hits[HITS];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = strlen(rows[i].text);

		if (search_all(exact(rows[i].text, n), n, hits) != rows[i].n)
			fail_msg("%s", rows[i].text);
	}
}

/* Bytes before and behind what is searched do not count, and are no part of it. */
static void nothing_outside_is_looked_at(void **state)
{
	static const char text[] = "1203.0.113.101";
	struct identity_hit hits[HITS];
	const uint8_t *p = (const uint8_t *)text;

	(void)state;
	assert_int_equal(search_all(p + 1, sizeof(text) - 3, hits), 1);
	assert_int_equal(hits[0].offset, 0);
	assert_int_equal(search_all(p, sizeof(text) - 3, hits), 0);
	assert_int_equal(search_all(p + 1, sizeof(text) - 2, hits), 0);
	for (size_t skip = 2; skip < sizeof(text) - 3; skip++)
		assert_int_equal(
			search_all((const uint8_t *)" 203.0.113.10" + skip, 13 - skip, hits), 0);
	for (size_t n = 0; n < sizeof(text) - 3; n++)
		assert_int_equal(search_all(p + 1, n, hits), 0);
	for (size_t n = 0; n < 4; n++)
		assert_int_equal(search_all((const uint8_t *)"\xcb\0\x71\x0a", n, hits), 0);
	assert_int_equal(search_all((const uint8_t *)"\xcb\0\x71\x0a", 4, hits), 1);
	p = (const uint8_t
		     *)"t56:2001:db8:1::10"; /* a word, and what ends in a group of an address */
	assert_int_equal(search_all(p, 18, hits), 1);
	assert_int_equal(search_all(p + 1, 17, hits), 0);
	assert_int_equal(search_all(p + 2, 16, hits), 0);
}

/* Every form of as many addresses as there may be. */
static void many_addresses(void **state)
{
	static char texts[IDENTITY_ADDRESSES][IPADDR_TEXT];
	const char *list[IDENTITY_ADDRESSES];
	struct identity_hit h;

	(void)state;
	for (unsigned i = 0; i < IDENTITY_ADDRESSES; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]),
			       i % 4 == 3 ? "2001:db8:%x::1" : "198.51.%u.77", 100 + 9 * i);
		list[i] = texts[i];
	}
	take(list, IDENTITY_ADDRESSES);
	for (unsigned i = 0; i < IDENTITY_ADDRESSES; i++) {
		uint8_t b = (uint8_t)(100 + 9 * i);
		uint8_t bytes[4] = { 198, 51, b, 77 }, back[4] = { 77, b, 51, 198 };
		uint8_t mixed[4] = { 198 ^ 0x21, 51 ^ 0x12, b ^ 0xa4, 77 ^ 0x42 };
		struct ipaddr a;

		expect(list[i], strlen(list[i]), i, IDENTITY_TEXT, true);
		assert_true(ipaddr_parse(list[i], &a));
		if (i % 4 == 3) {
			expect(a.b, 16, i, IDENTITY_BINARY, true);
			continue;
		}
		expect(bytes, 4, i, IDENTITY_BINARY, false);
		expect(back, 4, i, IDENTITY_REVERSED, false);
		expect(mixed, 4, i, IDENTITY_XOR, false);
		assert_int_equal(search(list[i], strlen(list[i]) - 1, &h), 0);
	}
	setup(NULL);
}

/* The same bytes in two forms are one; what begins with a colon has no byte before its first; letters in both cases. */
static void odd_addresses(void **state)
{
	static const char *const texts[] = { "10.0.0.10", "::5", "200a:db8::1", "2001:db8::1",
					     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" };
	struct identity_hit h;

	(void)state;
	take(texts, 5);
	expect(TEXT("\x0a\0\0\x0a"), 0, IDENTITY_BINARY, false);
	assert_int_equal(search(TEXT("x::5"), &h), 0);
	expect(TEXT("0:0:0:0:0:0:0:5"), 1, IDENTITY_TEXT, true);
	expect(TEXT("200a:db8::1"), 2, IDENTITY_TEXT, true);
	expect(TEXT("200A:DB8::1"), 2, IDENTITY_TEXT, true);
	expect(TEXT("2001:db8::1"), 3, IDENTITY_TEXT, true);
	expect(TEXT("FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF"), 4, IDENTITY_TEXT, true);
	setup(NULL);
}

/* What a search costs: how many pairs of bytes have to be looked at closely. */
static unsigned width(bool text_only)
{
	unsigned n = 0;

	for (unsigned pair = 0; pair < 65536; pair++)
		n += identity_passes(searcher, (uint8_t)(pair >> 8), (uint8_t)pair, text_only);
	return n;
}

static void widths(void **state)
{
	static const char *const v4[] = { "203.0.113.10" };
	static const char *const mixed[] = { "203.0.113.10", "203.0.113.11", "2001:db8:1::10",
					     "2001:db8:1::11" };
	static const char *const clash[] = { "200a:db8::1", "2001:db8::1" };

	(void)state;
	take(v4, 1);
	assert_int_equal(width(true), 6);
	assert_int_equal(width(false), 9);
	take(mixed, 4);
	assert_int_equal(width(true),
			 12); /* 0, 1, 3 and four separators: no two share a low nibble */
	assert_int_equal(width(false), 16);
	take(clash, 2);
	assert_int_equal(width(true), width(false));
	setup(NULL);
}

/* The pair that is looked for is the first of those that ordinary payloads have least of. */
static void rare_bytes_are_looked_for(void **state)
{
	static const struct {
		uint8_t b[4];
		unsigned key;
	} rows[] = {
		{ { 0x80, 0x81, 0x90, 0x91 }, 0 }, { { 0x80, 0, 0x90, 0x91 }, 2 },
		{ { 0x80, 0xff, 0x90, 0x91 }, 2 }, { { 0x80, 1, 0x90, 0x91 }, 2 },
		{ { 0x80, 0x20, 0x90, 0x91 }, 2 }, { { 0x80, 0x1f, 0x90, 0x91 }, 0 },
		{ { 0x80, 0x7e, 0x90, 0x91 }, 2 }, { { 0x80, 0x7f, 0x90, 0x91 }, 0 },
		{ { 0xff, 0x90, 0x41, 0x91 }, 1 }, { { 0, 0x90, 0xff, 0x91 }, 1 },
		{ { 0x80, 0xfe, 0x90, 0x91 }, 0 }, { { 0x80, 2, 0x90, 0x91 }, 0 },
	};

	(void)state;
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		const uint8_t *b = rows[r].b;
		struct ipaddr a = ipaddr_v4(b);
		struct identity *s = identity_new(&a, 1);

		assert_non_null(s);
		for (unsigned i = 0; i < 3; i++)
			if (identity_passes(s, b[i], b[i + 1], false) != (i == rows[r].key))
				fail_msg("row %zu: not the pair at %u", r, rows[r].key);
		identity_free(s);
	}
}

static void hits_are_bounded_and_ordered(void **state)
{
	static const uint8_t real[4] = { 203, 0, 113, 10 };
	uint8_t block[400];
	struct identity_hit hits[8];

	(void)state;
	for (size_t i = 0; i < sizeof(block); i += 4)
		memcpy(block + i, real, 4);
	assert_int_equal(identity_search(searcher, block, sizeof(block), hits, 8), 8);
	assert_int_equal(hits[7].offset, 28);
	assert_int_equal(identity_search(searcher, block, sizeof(block), hits, 0), 0);
	assert_int_equal(identity_search(searcher, block, 3, hits, 8), 0);
	assert_int_equal(identity_search(searcher, block, 0, hits, 8), 0);
}

/* Against a plain comparison at every offset. */
static void random_bytes_agree_with_a_plain_search(void **state)
{
	static const uint8_t want[3][4] = { { 0xcb, 0, 0x71, 0x0a },
					    { 0x0a, 0x71, 0, 0xcb },
					    { 0xea, 0x12, 0xd5, 0x48 } };
	uint64_t x = 88172645463325252U;
	struct identity_hit hits[4096];
	static uint8_t block[1 << 16];
	size_t plain = 0, got = 0;

	(void)state;
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < sizeof(block); i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			/* Few different values, so that patterns do occur. */
			block[i] = want[x >> 20 & 1][x >> 30 & 3];
		}
		for (size_t i = 0; i + 4 <= sizeof(block); i++)
			for (int k = 0; k < 3; k++)
				plain += memcmp(block + i, want[k], 4) == 0;
		got += identity_search(searcher, block, sizeof(block), hits, 4096);
	}
	assert_true(plain > 1000);
	assert_int_equal(got, plain);
}

static void searchers_are_checked(void **state)
{
	struct ipaddr a[IDENTITY_ADDRESSES + 1];
	struct identity *s;

	(void)state;
	for (size_t i = 0; i <= IDENTITY_ADDRESSES; i++)
		a[i] = ipaddr_v4((const uint8_t[]){ 203, 0, 113, (uint8_t)(i + 1) });
	assert_null(identity_new(a, 0));
	assert_null(identity_new(a, IDENTITY_ADDRESSES + 1));
	s = identity_new(a, IDENTITY_ADDRESSES);
	assert_non_null(s);
	identity_free(s);
	identity_free(NULL);
	assert_string_equal(identity_form_name(IDENTITY_XOR), "xor");
	assert_string_equal(identity_form_name((enum identity_form)(IDENTITY_XOR + 1)), "?");
}

/* ---- Addresses ---- */

static void addresses_parse_and_print(void **state)
{
	static const char *const good[] = { "0.0.0.0", "203.0.113.10", "::", "2001:db8::1",
					    "fe80::1" };
	static const char *const bad[] = { "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "2001:db8", "x" };
	char buf[IPADDR_TEXT];
	struct ipaddr a;
	unsigned len;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		assert_true(ipaddr_parse(good[i], &a));
		assert_string_equal(ipaddr_format(&a, buf, sizeof(buf)), good[i]);
	}
	for (size_t i = 0; i < 6; i++)
		assert_false(ipaddr_parse(bad[i], &a));
	assert_true(ipaddr_parse_prefix("10.0.0.0/8", &a, &len));
	assert_int_equal(len, 8);
	assert_true(ipaddr_parse_prefix("2001:db8::/32", &a, &len));
	assert_int_equal(len, 32);
	assert_true(ipaddr_parse_prefix("10.0.0.1", &a, &len));
	assert_int_equal(len, 32);
	assert_true(ipaddr_parse_prefix("::1", &a, &len));
	assert_int_equal(len, 128);
	assert_true(ipaddr_parse_prefix("10.0.0.0/9", &a, &len));
	assert_int_equal(len, 9);
	assert_true(ipaddr_parse_prefix("0.0.0.0/0", &a, &len));
	assert_int_equal(len, 0);
	assert_false(ipaddr_parse_prefix("10.0.0/8", &a, &len));
	assert_false(ipaddr_parse_prefix("10.0.0.0/;", &a, &len));
	assert_false(ipaddr_parse_prefix("2001:db8::/129", &a, &len));
	/* the longest text of an address, and one character too many */
	assert_true(ipaddr_parse_prefix("0000:0000:0000:0000:0000:ffff:255.255.255.255", &a, &len));
	assert_false(
		ipaddr_parse_prefix("0000:0000:0000:0000:0000:ffff:255.255.255.2555", &a, &len));
	assert_false(ipaddr_parse_prefix("10.0.0.0/33", &a, &len));
	assert_false(ipaddr_parse_prefix("10.0.0.0/", &a, &len));
	assert_false(ipaddr_parse_prefix("10.0.0.0/8x", &a, &len));
	assert_false(ipaddr_parse_prefix("10.0.0.0/-1", &a, &len));
}

static bool in(const char *addr, const char *prefix)
{
	struct ipaddr a, n;
	unsigned len;

	assert_true(ipaddr_parse(addr, &a));
	assert_true(ipaddr_parse_prefix(prefix, &n, &len));
	return ipaddr_in_prefix(&a, &n, len);
}

static void prefixes_match(void **state)
{
	struct ipaddr a = ipaddr_v4((const uint8_t[]){ 1, 2, 3, 4 });

	(void)state;
	assert_true(in("10.1.2.3", "10.0.0.0/8"));
	assert_false(in("11.0.0.0", "10.0.0.0/8"));
	assert_true(in("203.0.113.127", "203.0.113.0/25"));
	assert_false(in("203.0.113.128", "203.0.113.0/25"));
	assert_true(in("1.2.3.4", "0.0.0.0/0"));
	assert_false(in("2001:db8::1", "0.0.0.0/0"));
	assert_false(in("1.2.3.4", "::/0"));
	assert_true(in("2001:db8:1::1", "2001:db8::/31"));
	assert_true(in("1.2.3.4", "1.2.3.4/32"));
	assert_false(in("1.2.3.5", "1.2.3.4/32"));
	assert_true(in("2001:db8::1", "2001:db8::1/128"));
	assert_false(in("2001:db8::2", "2001:db8::1/128"));
	assert_true(ipaddr_in_prefix(&a, &a, 1000)); /* no prefix is longer than the address */
}

static void kinds_of_addresses(void **state)
{
	static const struct {
		const char *text;
		char kind; /* loopback, multicast, link-local, private, Public, 0 */
	} rows[] = {
		{ "127.0.0.53", 'l' },	    { "::1", 'l' },
		{ "224.0.0.251", 'm' },	    { "239.255.255.250", 'm' },
		{ "255.255.255.255", 'm' }, { "ff02::fb", 'm' },
		{ "169.253.1.1", 'P' },	    { "168.254.1.1", 'P' },
		{ "169.254.1.1", 'k' },	    { "fe80::1", 'k' },
		{ "febf::1", 'k' },	    { "10.0.0.1", 'p' },
		{ "172.16.0.1", 'p' },	    { "172.31.255.255", 'p' },
		{ "192.168.1.1", 'p' },	    { "100.64.0.1", 'p' },
		{ "fd00::1", 'p' },	    { "172.32.0.1", 'P' },
		{ "172.15.0.1", 'P' },	    { "100.128.0.1", 'P' },
		{ "203.0.113.10", 'P' },    { "2001:db8::1", 'P' },
		{ "fec0::1", 'P' },	    { "0.0.0.0", 0 },
		{ "0.1.2.3", 0 },	    { "::", 0 },
		{ "192.169.0.1", 'P' },	    { "223.255.255.255", 'P' },
		{ "128.0.0.1", 'P' },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ipaddr a;

		assert_true(ipaddr_parse(rows[i].text, &a));
		assert_int_equal(ipaddr_is_loopback(&a), rows[i].kind == 'l');
		assert_int_equal(ipaddr_is_multicast(&a), rows[i].kind == 'm');
		assert_int_equal(ipaddr_is_link_local(&a), rows[i].kind == 'k');
		assert_int_equal(ipaddr_is_private(&a), rows[i].kind == 'p');
		assert_int_equal(ipaddr_is_public(&a), rows[i].kind == 'P');
	}
}

static void check_names(const struct identity *s, const char *names, int want)
{
	int got = identity_search_names(s, names);

	if (got != want)
		fail_msg("%s: %d, not %d", names, got, want);
}

#define NIBBLES "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2"

/* Whole labels and words of them, whatever the case; the first address that is there. */
static void names_of_the_dns(void **state)
{
	static const char *const texts[] = { "203.0.113.10", "2001:db8:1::10", "198.51.100.1" };
	struct identity *s = new_searcher(texts, 3);

	(void)state;
	check_names(s, "10.113.0.203.in-addr.arpa", 0);
	check_names(s, "110.113.0.203.in-addr.arpa", -1);
	check_names(s, "10.113.0.2031.example", -1);
	check_names(s, "1.100.51.198", 2);
	check_names(s, NIBBLES ".ip6.arpa", 1);
	check_names(s, "1" NIBBLES ".ip6.arpa", -1);
	check_names(s, "cb00710a", 0);
	check_names(s, "a.CB00710A.example", 0);
	check_names(s, "a-cb00710a-b.example", 0);
	check_names(s, "cb00710 a", -1);
	check_names(s, "cb00710ag", -1);
	check_names(s, "gcb00710a", -1);
	check_names(s, "cb00710a0.cb00710a", 0);
	check_names(s, "2001-DB8-1--10.example", 1);
	check_names(s, "c6336401.example cb00710a.example", 0);
	check_names(s, "host-203-0-113-10.example", 0);
	check_names(s, "203.0.113.10.example", 0);
	check_names(s, "203.0.113.10.5.example", -1);
	check_names(s, "", -1);
	identity_free(s);
}

/* So many characters of an address's in a row. */
static void names_of_words(void **state)
{
	static const char *const short_one[] = { "1.2.3.4" };
	struct identity *s = new_searcher(short_one, 1);

	(void)state;
	check_names(s, "4.3.2.1", 0);
	check_names(s, "x4.3.2.1", -1);
	check_names(s, "x.4.3.2.1.x", 0);
	assert_true(identity_names_are_words("abcg0123", 5));
	assert_false(identity_names_are_words("abcg0123", 4));
	assert_false(identity_names_are_words("0123", 4));
	assert_true(identity_names_are_words("/+x;g", 1));
	assert_false(identity_names_are_words(",", 1));
	assert_false(identity_names_are_words(".", 1));
	assert_false(identity_names_are_words("-", 1));
	assert_false(identity_names_are_words(":", 1));
	assert_false(identity_names_are_words("F", 1));
	assert_true(identity_names_are_words("", 1));
	identity_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_of_v4),
		cmocka_unit_test(forms_of_v6),
		cmocka_unit_test(neighbours_of_text),
		cmocka_unit_test(neighbours_at_the_ends),
		cmocka_unit_test(nothing_outside_is_looked_at),
		cmocka_unit_test(many_addresses),
		cmocka_unit_test(odd_addresses),
		cmocka_unit_test(widths),
		cmocka_unit_test(rare_bytes_are_looked_for),
		cmocka_unit_test(hits_are_bounded_and_ordered),
		cmocka_unit_test(random_bytes_agree_with_a_plain_search),
		cmocka_unit_test(names_of_the_dns),
		cmocka_unit_test(names_of_words),
		cmocka_unit_test(searchers_are_checked),
		cmocka_unit_test(addresses_parse_and_print),
		cmocka_unit_test(prefixes_match),
		cmocka_unit_test(kinds_of_addresses),
	};

	return cmocka_run_group_tests_name("packet_identity", tests, setup, teardown);
}
