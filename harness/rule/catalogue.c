// SPDX-License-Identifier: MIT
/* The catalogue of rules and classes, for the terminal and for docs/leaks.md. */
#include <string.h>

#include "rule/rule.h"

#define COVER_MAX 16

static const char *const wire_names[] = { "on the wire as such",
					  "a situation: what leaks in it is seen",
					  "never on a wire", "nothing to see" };

static void list_rules(FILE *f)
{
	for (size_t i = 0; i < n_rules; i++) {
		const struct rule *r = rules[i];

		(void)fprintf(f, "%-28s %-8s %s\n%37s mend: %s\n", r->id,
			      severity_name(r->severity), r->sentence, "", r->advice);
	}
}

static void cover_ids(FILE *f, uint8_t number, const char *quote)
{
	const struct rule *cover[COVER_MAX];
	size_t n = rule_coverage(number, cover, COVER_MAX);

	for (size_t i = 0; i < n && i < COVER_MAX; i++)
		(void)fprintf(f, "%s%s%s%s", i ? ", " : "", quote, cover[i]->id, quote);
	if (n == 0)
		(void)fputs("-", f);
}

static void list_coverage(FILE *f)
{
	size_t covered = 0;

	for (size_t i = 0; i < n_leak_classes; i++) {
		const struct leak_class *c = &leak_classes[i];

		(void)fprintf(f, "%2u %-58s ", c->number, c->name);
		cover_ids(f, c->number, "");
		covered += rule_coverage(c->number, NULL, 0) > 0;
		(void)fprintf(f, "\n   %s: %s\n", wire_names[c->wire], c->note);
	}
	(void)fprintf(f, "%zu classes, %zu with a rule\n", n_leak_classes, covered);
}

void rule_list(FILE *f, bool coverage)
{
	if (coverage)
		list_coverage(f);
	else
		list_rules(f);
}

static void markdown_taps(FILE *f, unsigned taps)
{
	bool first = true;

	if (taps == 0)
		(void)fputs("journal", f);
	for (int role = TAP_UPLINK; role <= TAP_EXIT; role++)
		if (taps & TAP_BIT((unsigned)role)) {
			(void)fprintf(f, "%s%s", first ? "" : ", ",
				      tap_role_name((enum tap_role)role));
			first = false;
		}
}

void rule_markdown(FILE *f)
{
	(void)fputs("# Leaks: the rules and the classes they cover\n\n"
		    "Printed from the tables in `harness/rule/`; a test compares. Do not edit.\n\n"
		    "## Rules\n\n| rule | severity | taps | what it means | what to do |\n"
		    "|---|---|---|---|---|\n",
		    f);
	for (size_t i = 0; i < n_rules; i++) {
		const struct rule *r = rules[i];

		(void)fprintf(f, "| `%s` | %s | ", r->id, severity_name(r->severity));
		markdown_taps(f, r->taps);
		(void)fprintf(f, " | %s | %s |\n", r->sentence, r->advice);
	}
	(void)fputs("\n## Classes\n\n| # | class | shows | signature | rules "
		    "|\n|---|---|---|---|---|\n",
		    f);
	for (size_t i = 0; i < n_leak_classes; i++) {
		const struct leak_class *c = &leak_classes[i];

		(void)fprintf(f, "| %u | %s | %s | %s | ", c->number, c->name, wire_names[c->wire],
			      c->note);
		cover_ids(f, c->number, "`");
		(void)fputs(" |\n", f);
	}
}
