// SPDX-License-Identifier: MIT
/* The verdict of one scenario from the evidence. */
#include "engine/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fs.h"

void evidence_doubt(struct evidence *e, enum doubt d, const char *fmt, ...)
{
	va_list ap;

	if (e->doubts[d])
		return;
	va_start(ap, fmt);
	e->doubts[d] = str_vfmt(fmt, ap);
	va_end(ap);
}

void evidence_error(struct evidence *e, const char *text)
{
	if (!e->harness_error)
		e->harness_error = str_fmt("%s", text);
}

void evidence_promise(struct evidence *e, const char *text)
{
	if (!e->broken_promise)
		e->broken_promise = str_fmt("%s", text);
}

void evidence_clear(struct evidence *e)
{
	free(e->harness_error);
	free(e->broken_promise);
	for (size_t i = 0; i < N_DOUBTS; i++)
		free(e->doubts[i]);
	*e = (struct evidence){ 0 };
}

const char *evidence_why(const struct evidence *e)
{
	for (size_t i = 0; i < N_DOUBTS; i++)
		if (e->doubts[i])
			return e->doubts[i];
	if (e->n_uplinks == 0)
		return "no tap was open on the way out, so nothing was watched";
	if (e->n_controls == 0 && !e->no_controls)
		return "no control was sent, so nothing vouches for the rules";
	if (e->needs_tunnel && e->tunnel_before == 0)
		return "no packet of the tunnel was seen before the fault";
	return NULL;
}

enum verdict verdict_decide(const struct evidence *e, const char **reason)
{
	const char *why;

	if (e->leaks) {
		*reason = "packets left outside the tunnel or betrayed the real address";
		return VERDICT_LEAK;
	}
	if (e->harness_error) {
		*reason = e->harness_error;
		return VERDICT_ERROR;
	}
	why = evidence_why(e);
	if (why) {
		*reason = why;
		return VERDICT_INCONCLUSIVE;
	}
	if (e->broken_promise) {
		*reason = e->broken_promise;
		return VERDICT_FAIL;
	}
	*reason = "no packet outside the tunnel; every tap and every control vouch for it";
	return VERDICT_PASS;
}

bool verdict_as_expected(enum verdict v, bool must_leak)
{
	return v == (must_leak ? VERDICT_LEAK : VERDICT_PASS);
}
