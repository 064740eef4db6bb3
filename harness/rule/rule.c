// SPDX-License-Identifier: MIT
/* The table of rules, its names, and the coverage of the classes of leaks. */
#include "rule/rule.h"

#include <string.h>

#include "rule/rule_table.h"

#define DECLARE(n) extern const struct rule rule_##n;
RULE_TABLE(DECLARE)
#undef DECLARE

#define ENTRY(n) &rule_##n,
const struct rule *const rules[] = { RULE_TABLE(ENTRY) };
#undef ENTRY
_Static_assert(sizeof(rules) / sizeof(rules[0]) <= 64, "judge_ask.c has a bit for each rule");
const size_t n_rules = sizeof(rules) / sizeof(rules[0]);

static const char *const severity_names[] = { "low", "medium", "high", "critical" };
static const char *const attribution_names[] = { "none",	 "nonce",     "source-address",
						 "bridge-match", "conntrack", "destination",
						 "policy",	 "ambiguous" };
_Static_assert(sizeof(attribution_names) / sizeof(attribution_names[0]) == N_ATTRIBUTIONS,
	       "a name for each attribution");

const char *severity_name(enum severity s)
{
	return severity_names[s];
}

const char *attribution_name(enum attribution a)
{
	return attribution_names[a];
}

const struct rule *rule_find(const char *id)
{
	for (size_t i = 0; i < n_rules; i++)
		if (strcmp(rules[i]->id, id) == 0)
			return rules[i];
	return NULL;
}

static bool names_class(const struct rule *r, uint8_t number)
{
	for (const uint8_t *c = r->classes; *c; c++)
		if (*c == number)
			return true;
	return false;
}

size_t rule_coverage(uint8_t class_number, const struct rule **out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < n_rules; i++) {
		if (!names_class(rules[i], class_number))
			continue;
		if (n < max)
			out[n] = rules[i];
		n++;
	}
	return n;
}
