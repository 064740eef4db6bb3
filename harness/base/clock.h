/* SPDX-License-Identifier: MIT */
/* One unit of time: signed nanoseconds. REALTIME is what packet stamps use, MONOTONIC is what we wait on. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

int64_t clock_real_ns(void);
int64_t clock_mono_ns(void);

/* REALTIME minus MONOTONIC, nanoseconds: moves when somebody steps the clock. Good to some microseconds, also on
 * a busy machine. */
int64_t clock_offset_ns(void);

/* Sleep for ns nanoseconds on MONOTONIC; a signal ends it early. */
void clock_sleep_ns(int64_t ns);

/* "2026-01-02T03:04:05.678Z" of a REALTIME stamp; buf needs 25 bytes. Returns buf. */
char *clock_iso8601(int64_t real_ns, char *buf, size_t size);

#endif
