/* SPDX-License-Identifier: MIT */
/* Typed rows: what a YAML mapping may hold. The walker, `leakproof list keys` and the reference read the
 * same rows, so a key exists in all of them or in none. */
#ifndef SCENARIO_FIELD_H
#define SCENARIO_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strlist {
	char **items;
	size_t n;
};

enum field_type {
	FIELD_STRING,	/* any text: char * */
	FIELD_NAME,	/* [a-z0-9] then [a-z0-9._-]*, at most 63 bytes: char * */
	FIELD_INT,	/* decimal, min..max: int64_t */
	FIELD_DURATION, /* "200ms", "5s", "3m", min..max: int64_t nanoseconds */
	FIELD_BOOL,	/* true or false: bool */
	FIELD_ENUM,	/* one of `names`: unsigned (any enum without negative values) */
	FIELD_LIST,	/* [name, name]; min..max items: struct strlist */
	FIELD_EMPTY,	/* a key without a value */
	FIELD_STEPS,	/* the timeline: read by its own function, the row is for messages */
	FIELD_NESTED,	/* a mapping with the rows `sub`: the struct itself */
};

/* One key. `def` is written as in YAML and parsed like it; NULL leaves zero bytes. */
struct field {
	const char *key; /* NULL ends an array of rows */
	enum field_type type;
	size_t offset;
	bool required;
	const char *def;
	int64_t min, max;
	const char *const *names; /* FIELD_ENUM: NULL-terminated, in the order of the enum */
	const struct field *sub;  /* FIELD_NESTED */
	const char *help;
};

/* The offset of a member, and a compile error where its type does not fit the row. */
#define FIELD_AT(st, m, type) \
	(offsetof(st, m) + 0 * sizeof(_Generic(((st *)NULL)->m, type : (char)0)))

#define ROW_STRING(k, st, m, ...)                                                                \
	{                                                                                        \
		.key = (k), .type = FIELD_STRING, .offset = FIELD_AT(st, m, char *), __VA_ARGS__ \
	}
#define ROW_NAME(k, st, m, ...)                                                                \
	{                                                                                      \
		.key = (k), .type = FIELD_NAME, .offset = FIELD_AT(st, m, char *), __VA_ARGS__ \
	}
#define ROW_INT(k, st, m, lo, hi, ...)                                                          \
	{                                                                                       \
		.key = (k), .type = FIELD_INT, .offset = FIELD_AT(st, m, int64_t), .min = (lo), \
		.max = (hi), __VA_ARGS__                                                        \
	}
#define ROW_DURATION(k, st, m, lo, hi, ...)                                             \
	{                                                                               \
		.key = (k), .type = FIELD_DURATION, .offset = FIELD_AT(st, m, int64_t), \
		.min = (lo), .max = (hi), __VA_ARGS__                                   \
	}
#define ROW_BOOL(k, st, m, ...)                                                              \
	{                                                                                    \
		.key = (k), .type = FIELD_BOOL, .offset = FIELD_AT(st, m, bool), __VA_ARGS__ \
	}
#define ROW_ENUM(k, st, m, table, ...)                                               \
	{                                                                            \
		.key = (k), .type = FIELD_ENUM, .offset = FIELD_AT(st, m, unsigned), \
		.names = (table), __VA_ARGS__                                        \
	}
#define ROW_LIST(k, st, m, lo, hi, ...)                                                    \
	{                                                                                  \
		.key = (k), .type = FIELD_LIST, .offset = FIELD_AT(st, m, struct strlist), \
		.min = (lo), .max = (hi), __VA_ARGS__                                      \
	}
#define ROW_NESTED(k, st, m, mtype, rows, ...)                                                     \
	{                                                                                          \
		.key = (k), .type = FIELD_NESTED, .offset = FIELD_AT(st, m, mtype), .sub = (rows), \
		__VA_ARGS__                                                                        \
	}
#define ROW_EMPTY(k, ...)                                    \
	{                                                    \
		.key = (k), .type = FIELD_EMPTY, __VA_ARGS__ \
	}
#define ROW_END             \
	{                   \
		.key = NULL \
	}

/* A kind of fault or probe as the loader sees it: a name and the rows of its own parameters. */
struct kind {
	const char *name;	    /* "vpn.process-kill" */
	const char *summary;	    /* one line, no full stop */
	const char *help;	    /* NULL, or whole sentences for the reference */
	const struct field *fields; /* NULL: no parameters */
	bool instant;	    /* a fault with nothing to undo: takes neither `hold` nor `heal` */
	size_t params_size; /* bytes of the struct that `fields` fill; 0 with fields == NULL */
};

#endif
