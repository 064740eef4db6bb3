/* SPDX-License-Identifier: MIT */
/* Bytes with nothing readable behind them: one that is read too many ends the test, with sanitizers and without. */
#ifndef TESTS_EXACT_H
#define TESTS_EXACT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define EXACT_BY_HEAP 1 /* gcc: the sanitizer sees a byte too few as well */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EXACT_BY_HEAP 1
#endif
#endif

#ifdef EXACT_BY_HEAP
static inline uint8_t *exact_room(size_t n)
{
	static uint8_t *p;

	free(p);
	p = malloc(n ? n : 1);
	if (!p)
		abort();
	return p;
}
#else
static inline uint8_t *exact_room(size_t n)
{
	static uint8_t *end; /* of what can be read; a page that cannot follows */
	const size_t room = 1U << 20;

	if (!end) {
		size_t page = (size_t)sysconf(_SC_PAGESIZE);

		end = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
		if (end == MAP_FAILED || mprotect(end + room, page, PROT_NONE))
			abort();
		end += room;
	}
	if (n > room)
		abort();
	return end - n;
}
#endif

/* The n bytes at p in such a place, until the next call of the same file. Nothing to free. */
static inline uint8_t *exact(const void *p, size_t n)
{
	uint8_t *copy = exact_room(n);

	if (n)
		memcpy(copy, p, n);
	return copy;
}

#endif
