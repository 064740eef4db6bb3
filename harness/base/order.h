/* SPDX-License-Identifier: MIT */
/* The order of numbers: what comparators return, and the smaller and the larger of two. */
#ifndef BASE_ORDER_H
#define BASE_ORDER_H

#include <stdint.h>

/* Below, at or above zero, as qsort() and bsearch() want it. */
static inline int order_i64(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static inline int order_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static inline int64_t min_i64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int64_t max_i64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

#endif
