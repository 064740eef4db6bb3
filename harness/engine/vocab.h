/* SPDX-License-Identifier: MIT */
/* The faults and probes of this program as the scenario loader wants them. */
#ifndef ENGINE_VOCAB_H
#define ENGINE_VOCAB_H

#include "scenario/scenario.h"

/* The one workload that is not a probe: qBittorrent downloads the lab's torrent. */
#define WORKLOAD_DOWNLOAD "download"

/* Lives as long as the program. */
const struct vocab *engine_vocab(void);

#endif
