/* SPDX-License-Identifier: MIT */
/* A small vocabulary, so that the loader's tests do not change with the faults. */
#ifndef TESTS_SCENARIO_VOCAB_H
#define TESTS_SCENARIO_VOCAB_H

#include "scenario/scenario.h"

struct toy_params {
	struct strlist between;
	int64_t loss;
};

static const struct field toy_fields[] = {
	ROW_LIST("between", struct toy_params, between, 2, 2, .required = true,
		 .help = "two services"),
	ROW_INT("loss", struct toy_params, loss, 1, 100, .def = "100", .help = "percent"),
	ROW_END,
};

static const struct kind toy_kill = { .name = "vpn.process-kill",
				      .summary = "kill",
				      .instant = true };
static const struct kind toy_cut = { .name = "net.partition",
				     .summary = "cut",
				     .fields = toy_fields,
				     .params_size = sizeof(struct toy_params) };
static const struct kind toy_udp = { .name = "udp", .summary = "datagrams" };
static const struct kind toy_download = { .name = "download", .summary = "a file" };

static const struct kind *const toy_faults[] = { &toy_kill, &toy_cut, NULL };
static const struct kind *const toy_probes[] = { &toy_udp, &toy_download, NULL };
static const struct vocab toy_vocab = { toy_faults, toy_probes };

#endif
