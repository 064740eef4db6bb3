/* SPDX-License-Identifier: MIT */
/* Bencoding read in place. */
#include "packet/bencode.h"

/* Decimal digits up to the byte `end`; at most 19 of them, so that an int64_t never overflows twice over. */
static bool digits(struct cursor *c, uint8_t end, uint64_t *v)
{
	int n = 0;

	*v = 0;
	for (;; n++) {
		uint8_t b = cursor_u8(c);

		if (b == end)
			return n > 0;
		if (b < '0' || b > '9' || n == 18)
			return false;
		*v = *v * 10 + (uint64_t)(b - '0');
	}
}

bool bencode_string(struct cursor *c, const uint8_t **p, size_t *n)
{
	struct cursor at = *c;
	uint64_t len;

	if (!digits(&at, ':', &len) || len > at.left)
		return false;
	*n = (size_t)len;
	*p = cursor_take(&at, *n);
	*c = at;
	return true;
}

bool bencode_int(struct cursor *c, int64_t *v)
{
	struct cursor at = *c, behind;
	bool negative;
	uint64_t n;

	if (cursor_u8(&at) != 'i')
		return false;
	behind = at;
	negative = cursor_u8(&behind) == '-';
	if (negative)
		at = behind;
	if (!digits(&at, 'e', &n))
		return false;
	*v = negative ? -(int64_t)n : (int64_t)n;
	*c = at;
	return true;
}

bool bencode_enter(struct cursor *c, char kind)
{
	struct cursor at = *c;

	if (cursor_u8(&at) != (uint8_t)kind)
		return false;
	*c = at;
	return true;
}

bool bencode_leave(struct cursor *c)
{
	return bencode_enter(c, 'e');
}

bool bencode_skip(struct cursor *c, bool *deep)
{
	struct cursor at = *c;
	unsigned depth = 0;

	do {
		const uint8_t *s;
		size_t n;
		int64_t v;

		if (bencode_enter(&at, 'd') || bencode_enter(&at, 'l')) {
			if (++depth > BENCODE_DEPTH) {
				if (deep)
					*deep = true;
				return false;
			}
		} else if (depth && bencode_leave(&at)) {
			depth--;
		} else if (!bencode_string(&at, &s, &n) && !bencode_int(&at, &v)) {
			return false;
		}
	} while (depth);
	*c = at;
	return true;
}
