/* SPDX-License-Identifier: MIT */
/* The identity search against a plain comparison of the binary forms at every offset. */
#include "fuzz_packet.h"
#include "packet/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t v4[4] = { 203, 0, 113, 10 }, turned[4] = { 10, 113, 0, 203 };
	static struct identity *s;
	static struct identity_hit hits[4096];
	size_t n, wanted = 0, got = 0;

	if (size > 4000)
		return 0;
	if (!s) {
		struct ipaddr a[2] = { ipaddr_v4(v4) };

		ipaddr_parse("2001:db8:1::10", &a[1]);
		s = identity_new(a, 2);
		expect(s);
	}
	n = identity_search(s, data, size, hits, 4096);
	for (size_t i = 0; i + 4 <= size; i++)
		wanted += memcmp(data + i, v4, 4) == 0 || memcmp(data + i, turned, 4) == 0;
	for (size_t i = 0; i < n; i++) {
		expect(hits[i].offset < size && hits[i].address < 2);
		got += hits[i].address == 0 &&
		       (hits[i].form == IDENTITY_BINARY || hits[i].form == IDENTITY_REVERSED);
	}
	expect(got == wanted);
	return 0;
}
