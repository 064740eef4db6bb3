/* SPDX-License-Identifier: MIT */
/* Memory that lives and dies with one scenario: a list of blocks, each asked for by itself, so that a
 * sanitizer still sees the bounds of every one. */
#include "yaml/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct block {
	struct block *next;
	_Alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct block *blocks;
};

static void *zalloc(size_t size)
{
	void *p = calloc(1, size);

	if (!p) {
		(void)fputs("leakproof: out of memory\n", stderr);
		abort();
	}
	return p;
}

struct arena *arena_new(void)
{
	return zalloc(sizeof(struct arena));
}

void arena_free(struct arena *a)
{
	struct block *next;

	if (!a)
		return;
	for (struct block *b = a->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct block *b = zalloc(sizeof(*b) + size);

	b->next = a->blocks;
	a->blocks = b;
	return b->data;
}

char *arena_strdup(struct arena *a, const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(arena_alloc(a, n), s, n);
}
