/* SPDX-License-Identifier: MIT */
/* The identity search against a plain comparison of the binary forms at every offset, and with AVX2 against its own plain
 * loop. */
#include "fuzz_packet.h"
#include "packet/identity.h"

#define HITS 4096

enum way { WITH_AVX2, PLAIN, CLASH, WAYS };

/* The first two of the same addresses; the last way has one more, that shares a nibble with the one before it, so that the
 * texts alone have no table. */
static struct identity *searcher(enum way way)
{
	static struct identity *s[WAYS];
	struct ipaddr a[3];

	if (s[way])
		return s[way];
	ipaddr_parse("203.0.113.10", &a[0]);
	ipaddr_parse("2001:db8:1::10", &a[1]);
	ipaddr_parse("200a:db8::1", &a[2]);
	s[way] = identity_new(a, way == CLASH ? 3 : 2);
	expect(s[way]);
	if (way == PLAIN)
		identity_without_avx2(s[way]);
	return s[way];
}

static size_t texts_found(enum way way, const uint8_t *data, size_t size)
{
	static struct identity_hit hits[HITS];
	size_t n = identity_search_text(searcher(way), data, size, hits, HITS), texts = 0;

	for (size_t i = 0; i < n; i++)
		texts += hits[i].address < 2;
	return texts;
}

static void check_ways(const uint8_t *data, size_t size, const struct identity_hit *hits, size_t n)
{
	static struct identity_hit other[HITS];
	size_t texts = 0;

	expect(identity_search(searcher(PLAIN), data, size, other, HITS) == n);
	for (size_t i = 0; i < n; i++) {
		expect(hits[i].offset == other[i].offset && hits[i].form == other[i].form &&
		       hits[i].address == other[i].address);
		texts += hits[i].form == IDENTITY_TEXT;
	}
	for (enum way way = 0; way < WAYS; way++)
		expect(texts_found(way, data, size) == texts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t v4[4] = { 203, 0, 113, 10 }, turned[4] = { 10, 113, 0, 203 };
	static struct identity_hit hits[HITS];
	size_t n, wanted = 0, got = 0;

	if (size > HITS / 2)
		return 0;
	n = identity_search(searcher(WITH_AVX2), data, size, hits, HITS);
	for (size_t i = 0; i + 4 <= size; i++)
		wanted += memcmp(data + i, v4, 4) == 0 || memcmp(data + i, turned, 4) == 0;
	for (size_t i = 0; i < n; i++) {
		expect(hits[i].offset < size && hits[i].address < 2);
		got += hits[i].address == 0 &&
		       (hits[i].form == IDENTITY_BINARY || hits[i].form == IDENTITY_REVERSED);
	}
	expect(got == wanted);
	check_ways(data, size, hits, n);
	return 0;
}
