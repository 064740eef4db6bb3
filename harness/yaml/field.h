/* SPDX-License-Identifier: MIT */
/* Typed rows: what a YAML mapping may hold. The walker, `leakproof list` and the references in docs/ read the
 * same rows, so a key exists in all of them or in none. */
#ifndef YAML_FIELD_H
#define YAML_FIELD_H

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
	FIELD_VALUE,	/* a word that `value` reads: whatever it fills */
	FIELD_LIST,	/* [name, name]; min..max items: struct strlist */
	FIELD_VALUES,	/* a list of words that `value` reads, at most max: array and count */
	FIELD_MAPS,	/* a list of mappings with the rows `sub`, at most max: array and count */
	FIELD_EMPTY,	/* a key without a value */
	FIELD_NESTED,	/* a mapping with the rows `sub`: the struct itself */
	FIELD_OWN, /* read by a function of its owner; the row is for messages, `item` says what */
};

/* A type of words of its owner's: an address, a port. */
struct field_value {
	const char *shown;	  /* in the reference: "address" */
	const char *wanted;	  /* in messages, behind "wants": "an IPv4 or IPv6 address" */
	const char *const *names; /* words that a mistake may have meant; NULL: none */
	size_t size;		  /* of one element of FIELD_VALUES */
	bool (*parse)(const char *word, void *at); /* false leaves *at as it was */
};

/* One key. `def` is written as in YAML and parsed like it; NULL leaves zero bytes. */
struct field {
	const char *key; /* NULL ends an array of rows */
	enum field_type type;
	size_t offset;
	bool required;
	const char *def;
	int64_t min, max;
	const char *const *names;	 /* FIELD_ENUM: NULL-terminated, in the order of the enum */
	const struct field *sub;	 /* FIELD_NESTED, FIELD_MAPS */
	const struct field_value *value; /* FIELD_VALUE, FIELD_VALUES */
	const char *
		item; /* what one element is: "a tunnel" (FIELD_MAPS), or what is wanted (FIELD_OWN) */
	size_t size;	     /* FIELD_MAPS: of one element */
	size_t count_offset; /* FIELD_VALUES, FIELD_MAPS: of the size_t beside the array */
	const char *help;
};

/* The offset of a member, and a compile error where its type does not fit the row. */
#define FIELD_AT(st, m, type) /* NOLINTNEXTLINE(bugprone-macro-parentheses): types take none */ \
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
#define ROW_VALUE(k, st, m, mtype, type_row, ...)                      \
	{                                                              \
		.key = (k), .type = FIELD_VALUE, .value = &(type_row), \
		.offset = FIELD_AT(st, m, mtype), __VA_ARGS__          \
	}
#define ROW_VALUES(k, st, m, n, mtype, type_row, most, ...)                                  \
	{                                                                                    \
		.key = (k), .type = FIELD_VALUES, .value = &(type_row),                      \
		.offset = FIELD_AT(st, m, mtype *), .count_offset = FIELD_AT(st, n, size_t), \
		.max = (most), __VA_ARGS__                                                   \
	}
#define ROW_MAPS(k, st, m, n, mtype, rows, most, what, ...)                         \
	{                                                                           \
		.key = (k), .type = FIELD_MAPS, .sub = (rows), .item = (what),      \
		.offset = FIELD_AT(st, m, mtype *), .size = sizeof(mtype),          \
		.count_offset = FIELD_AT(st, n, size_t), .max = (most), __VA_ARGS__ \
	}
#define ROW_EMPTY(k, ...)                                    \
	{                                                    \
		.key = (k), .type = FIELD_EMPTY, __VA_ARGS__ \
	}
#define ROW_END             \
	{                   \
		.key = NULL \
	}

#endif
