/* SPDX-License-Identifier: MIT */
/* The keys of a policy as rows, and the words that they take. Inside of the policy_*.c files only. */
#ifndef RULE_POLICY_ROWS_H
#define RULE_POLICY_ROWS_H

#include "rule/policy.h"
#include "yaml/field.h"

extern const struct field policy_fields[];
extern const struct field policy_tunnel_fields[];
extern const struct field policy_network_fields[];
extern const struct field policy_service_fields[];
extern const struct field policy_leg_fields[];
extern const struct field policy_allow_fields[];
extern const struct field policy_published_fields[];
extern const struct field policy_canary_fields[];
extern const struct field policy_control_fields[];
extern const struct field policy_tap_fields[];

/* In the order of their enums, NULL-terminated. */
extern const char *const policy_role_words[];
extern const char *const policy_tap_words[];
extern const char *const policy_kind_words[];
extern const char *const policy_direction_words[];
extern const char *const policy_shape_words[];

struct policy_proto {
	const char *name; /* NULL ends the table */
	uint8_t number;
};
extern const struct policy_proto policy_protos[];

/* "tcp", "17" */
bool policy_proto_parse(const char *word, uint8_t *proto);

#endif
