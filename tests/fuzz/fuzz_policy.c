// SPDX-License-Identifier: MIT
/* Fuzz target: policy YAML. Any bytes give a policy or at least one diagnostic; a policy has a JSON form that is read
 * back as the same policy. The seeds are docs/policies/, tests/golden/policy*.json and tests/bad-policies/. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct policy *p)
{
	json_t *a = policy_to_json(p);
	struct err err = { 0 };
	struct policy *q = policy_from_json(a, &err);
	json_t *b;

	/* jansson takes no bytes that are no UTF-8; YAML has let none in */
	if (!q)
		abort();
	b = policy_to_json(q);
	if (!json_equal(a, b))
		abort();
	for (size_t i = 0; i < p->n_allows; i++)
		free(policy_allow_text(&p->allows[i]));
	json_decref(a);
	json_decref(b);
	policy_free(q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	char *text = malloc(size + 1);
	struct policy *p = NULL;
	struct diag d = { 0 };
	struct err err = { 0 };

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	if (!text || !nowhere)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (policy_parse("fuzz", text, size, &p, &d, &err) == 0) {
		if (d.total != 0)
			abort();
		use(p);
	} else {
		if (d.n == 0 || err.status != EXIT_USAGE || p)
			abort();
		diag_print(&d, nowhere, false);
	}
	policy_free(p);
	diag_free(&d);
	free(text);
	return 0;
}
