/* SPDX-License-Identifier: MIT */
/* null: does what a fault does, without the fault. What it changes is the injector's own side effect. */
#include "fault/fault.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fs.h"
#include "fault/nft.h"
#include "fault/target.h"

enum manner { MANNER_NONE, MANNER_NFT };

static const char *const manners[] = { "none", "nft", NULL };
static_assert(sizeof(manners) / sizeof(char *) == MANNER_NFT + 2, "a word a manner");

struct params {
	enum manner as;
	char *service;
};

static const struct field fields[] = {
	ROW_ENUM("as", struct params, as, manners, .def = "none",
		 .help = "`nft` loads a table that counts and drops nothing"),
	ROW_NAME("service", struct params, service,
		 .help = "in whose network namespace; the gateway's by default"),
	ROW_END,
};

/* The counter sees every packet that comes in, so traffic itself confirms that the table is in force. */
static const char body[] = "\tchain in {\n\t\ttype filter hook prerouting priority -300;\n"
			   "\t\tcounter accept\n\t}\n";

static bool as_nft(const struct fault_active *a)
{
	return ((const struct params *)a->params)->as == MANNER_NFT;
}

static int prepare(struct fault_active *a, struct err *err)
{
	const struct params *p = a->params;
	const char *name = p->service;
	pid_t pid;

	if (!as_nft(a))
		return 0;
	pid = target_gateway_pid(a->ctx, &name, err);
	if (pid < 0)
		return -1;
	free(a->target);
	a->target = str_fmt("%s", name);
	return nft_prepare(a, pid, "inet", body, err);
}

static int apply(struct fault_active *a, struct err *err)
{
	return as_nft(a) ? nft_apply(a, err) : 0;
}

static int confirm(struct fault_active *a, struct err *err)
{
	int64_t n = as_nft(a) ? nft_packets(a->record, err) : 0;

	if (n < 0)
		return -1;
	if (!as_nft(a)) {
		(void)snprintf(a->result.confirmation, sizeof(a->result.confirmation),
			       "nothing was to be done");
		return FAULT_SEEN;
	}
	if (n == 0)
		return FAULT_NOT_YET;
	(void)snprintf(a->result.confirmation, sizeof(a->result.confirmation),
		       "%lld packets passed, none was dropped", (long long)n);
	return FAULT_SEEN;
}

static int undo(const json_t *record, struct err *err)
{
	return json_object_get(record, "table") ? nft_undo(record, err) : 0;
}

const struct fault fault_null = {
	.kind = { .name = "null",
		  .summary = "nothing is broken: measures what the injector itself does",
		  .help = "Everything around a fault, or the loading of an nft table too, without "
			  "the fault.",
		  .fields = fields,
		  .params_size = sizeof(struct params) },
	.heals = "the table, if there is one, is removed",
	.tools = nft_tools,
	.prepare = prepare,
	.apply = apply,
	.confirm = confirm,
	.undo = undo,
};
