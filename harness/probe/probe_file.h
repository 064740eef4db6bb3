/* SPDX-License-Identifier: MIT */
/* The head of a probe's log: what child and reader agree on. */
#ifndef PROBE_PROBE_FILE_H
#define PROBE_PROBE_FILE_H

#include <stdint.h>

#include "probe/probe.h"

#define PROBE_FILE_MAGIC "LPPROBE1"

struct probe_file_head { /* 64 bytes, host byte order; records follow */
	char magic[8];
	char kind[32];
	uint8_t nonce[PROBE_NONCE];
	uint32_t id;
	uint32_t rate_hz;
};

_Static_assert(sizeof(struct probe_file_head) == 64, "head without padding");
_Static_assert(sizeof(struct probe_record) == 24, "record without padding");

#endif
