// SPDX-License-Identifier: MIT
/* Fuzz target: scenario YAML. Any bytes give a scenario or at least one diagnostic, and both can be printed.
 * clang -fsanitize=fuzzer,address,undefined; the seeds are scenarios/ and tests/bad-scenarios/. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/scenario_vocab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct scenario *s)
{
	int64_t least, most;

	for (size_t i = 0; i < s->n_steps; i++)
		free(step_describe(&s->steps[i]));
	scenario_bounds(s, &least, &most);
	if (least < 0 || most < least || s->n_steps == 0 || !s->name || !s->summary || !s->stack)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	char *text = malloc(size + 1);
	struct scenario *s = NULL;
	struct diag d = { 0 };
	struct err err = { 0 };

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	if (!text || !nowhere)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (scenario_parse("fuzz", text, size, &toy_vocab, &s, &d, &err) == 0) {
		if (d.total != 0)
			abort();
		use(s);
	} else {
		if (d.n == 0 || err.status != EXIT_USAGE || s)
			abort();
		diag_print(&d, nowhere, false);
		json_decref(diag_to_json(&d));
	}
	scenario_free(s);
	diag_free(&d);
	free(text);
	return 0;
}
