/* SPDX-License-Identifier: MIT */
/* The members of every struct of the result as data: one description serves JSON, release and redaction. */
#ifndef RESULT_RESULT_SHAPE_H
#define RESULT_RESULT_SHAPE_H

#include <stddef.h>

#include "result/result.h"

enum member_type {
	M_STRING,
	M_TIME, /* int64_t that may be RESULT_NONE */
	M_UINT,
	M_UNSIGNED,
	M_BOOL,
	M_DOUBLE,
	M_VERDICT,
	M_ARRAY, /* of structs */
	M_DOUBLES
};

struct member {
	const char *key;
	enum member_type type;
	size_t offset;
	size_t count_offset; /* M_ARRAY, M_DOUBLES: of the size_t with the number of elements */
	const struct shape *shape; /* M_ARRAY: of the elements */
};

struct shape {
	size_t size;
	const struct member *members; /* ends with a NULL key */
};

extern const struct shape result_shape;

/* The array that a member of M_ARRAY or M_DOUBLES points to, and its length. */
void *member_array(const void *base, const struct member *m, size_t *n);

#endif
