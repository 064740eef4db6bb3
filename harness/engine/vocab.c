/* SPDX-License-Identifier: MIT */
/* The faults and probes of this program as the scenario loader wants them. */
#include "engine/vocab.h"

#include "fault/fault.h"
#include "probe/probe.h"

#define PROBES_MAX 32

const struct vocab *engine_vocab(void)
{
	static struct kind kinds[PROBES_MAX + 1];
	static const struct kind *probes[PROBES_MAX + 2];
	static struct vocab v;
	size_t n = 0;

	if (v.faults)
		return &v;
	kinds[n] = (struct kind){ .name = WORKLOAD_DOWNLOAD,
				  .summary = "qBittorrent downloads the lab's torrent" };
	probes[n] = &kinds[n];
	for (size_t i = 0; i < n_probe_rows && n < PROBES_MAX; i++) {
		n++;
		kinds[n] = (struct kind){ .name = probe_rows[i]->name,
					  .summary = probe_rows[i]->summary };
		probes[n] = &kinds[n];
	}
	v.probes = probes;
	v.faults = fault_kinds();
	return &v;
}
