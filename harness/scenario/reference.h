/* SPDX-License-Identifier: MIT */
/* The rows that the reference prints and the loader reads. */
#ifndef SCENARIO_REFERENCE_H
#define SCENARIO_REFERENCE_H

#include "yaml/field.h"

extern const struct field scenario_fields[];
extern const struct field expect_fields[];

#endif
