/* SPDX-License-Identifier: MIT */
/* Memory that lives and dies with one scenario. */
#ifndef YAML_ARENA_H
#define YAML_ARENA_H

#include <stddef.h>

struct arena;

/* Never NULL: the program ends when memory is out, as str_fmt() does. */
struct arena *arena_new(void);
void arena_free(struct arena *a); /* NULL allowed */

/* Zeroed and aligned for any type; lives until arena_free(). */
void *arena_alloc(struct arena *a, size_t size);
char *arena_strdup(struct arena *a, const char *s);

static inline void cleanup_arenap(struct arena **a)
{
	arena_free(*a);
}
#define _cleanup_arena_ __attribute__((cleanup(cleanup_arenap)))

#endif
