// SPDX-License-Identifier: MIT
/* What the decoder cannot read is never taken for nothing. */
#include "rule/rule_help.h"

static const uint8_t classes[] = { 1, 80, 0 };

static bool match(const struct rule_ctx *c, struct rule_hit *hit)
{
	const struct facts *f = c->facts;

	return rule_say(hit, "sent a frame of %u bytes that cannot be read (%s)", f->len,
			undecodable_name((enum undecodable)f->reason));
}

const struct rule rule_undecodable_outside = {
	.id = "undecodable-outside",
	.severity = SEVERITY_LOW,
	.sentence =
		"A frame that cannot be read left the host: it is suspicious, because nobody can "
		"say what it is.",
	.advice = "Look at the frame in the capture; list it in the policy or close the path.",
	.classes = classes,
	.taps = TAPS_OUTSIDE,
	.needs = NEED_OUTSIDE | NEED_UNREADABLE,
	.match = match,
};
