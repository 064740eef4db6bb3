// SPDX-License-Identifier: MIT
/* The verdict of one scenario from the evidence. */
#include "engine/verdict.h"

#include <stddef.h>

/* Why nothing can be concluded, or NULL. */
static const char *doubt(const struct evidence *e)
{
	if (e->interrupted)
		return "interrupted before its end";
	if (e->lost_evidence)
		return e->lost_evidence;
	if (e->n_taps == 0)
		return "no tap was open, so nothing was watched";
	if (e->unsound_tap)
		return e->unsound_tap;
	if (e->n_controls == 0)
		return "no control was sent, so nothing vouches for the rules";
	if (e->missed_control)
		return e->missed_control;
	if (e->clock_step)
		return e->clock_step;
	if (e->unconfirmed)
		return e->unconfirmed;
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
	why = doubt(e);
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
