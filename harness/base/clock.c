/* SPDX-License-Identifier: MIT */
/* One unit of time: signed nanoseconds. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#define OFFSET_TRIES 8
#define OFFSET_WIDTH (20 * NS_PER_US)

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_real_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_mono_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_offset_ns(void)
{
	int64_t offset = 0, width = INT64_MAX;

	/* Whoever is preempted between the readings gets a wide bracket, and another try. */
	for (int i = 0; i < OFFSET_TRIES && width > OFFSET_WIDTH; i++) {
		int64_t before = clock_mono_ns();
		int64_t real = clock_real_ns();
		int64_t after = clock_mono_ns();

		if (after - before >= width)
			continue;
		width = after - before;
		offset = real - (before + width / 2);
	}
	return offset;
}

void clock_sleep_ns(int64_t ns)
{
	struct timespec ts = { .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };

	if (ns > 0)
		(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

char *clock_iso8601(int64_t real_ns, char *buf, size_t size)
{
	time_t sec = (time_t)(real_ns / NS_PER_S);
	char date[20];
	struct tm tm;

	(void)gmtime_r(&sec, &tm);
	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(buf, size, "%s.%03dZ", date, (int)(real_ns % NS_PER_S / NS_PER_MS));
	return buf;
}
