/* SPDX-License-Identifier: MIT */
/* A bounded reader: every read subtracts from what is left; the caller tests `short_` once. */
#ifndef PACKET_CURSOR_H
#define PACKET_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/order.h"

/* Invariant: p .. p + left is readable. A read beyond the end takes nothing, gives zero (or NULL) and sets
 * short_ for good, so that a header may be read whole and tested once. Numbers are big-endian. */
struct cursor {
	const uint8_t *p;
	size_t left;
	bool short_;
};

static inline struct cursor cursor_of(const uint8_t *p, size_t len)
{
	return (struct cursor){ .p = p, .left = len };
}

/* The next n bytes, or NULL. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t n)
{
	const uint8_t *at = c->p;

	if (c->short_ || n > c->left) {
		c->short_ = true;
		return NULL;
	}
	c->p += n;
	c->left -= n;
	return at;
}

static inline bool cursor_skip(struct cursor *c, size_t n)
{
	cursor_take(c, n);
	return !c->short_;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *b = cursor_take(c, 1);

	return b ? b[0] : 0;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
	const uint8_t *b = cursor_take(c, 2);

	if (!b)
		return 0;
	return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t cursor_u24(struct cursor *c)
{
	const uint8_t *b = cursor_take(c, 3);

	return b ? (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2] : 0;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
	const uint8_t *b = cursor_take(c, 4);

	return b ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] : 0;
}

static inline uint64_t cursor_u64(struct cursor *c)
{
	uint64_t high = cursor_u32(c);

	return high << 32 | cursor_u32(c);
}

/* Copy n bytes out; on a short read nothing is copied and false is returned. */
static inline bool cursor_copy(struct cursor *c, void *to, size_t n)
{
	const uint8_t *b = cursor_take(c, n);

	if (b)
		memcpy(to, b, n);
	return b != NULL;
}

/* May another element be read? The condition of every loop over a list: a read that failed leaves bytes. */
static inline bool cursor_more(const struct cursor *c)
{
	return c->left > 0 && !c->short_;
}

/* A cursor over the next n bytes. When there are fewer it covers those, and *c is at its end with short_ set. */
static inline struct cursor cursor_sub(struct cursor *c, size_t n)
{
	bool cut = c->short_ || n > c->left;
	struct cursor sub = cursor_of(c->p, c->short_ ? 0 : min_u64(n, c->left));

	cursor_skip(c, sub.left);
	c->short_ |= cut;
	return sub;
}

#endif
