// SPDX-License-Identifier: MIT
/* The logs that the probes of a scenario left. */
#include "engine/probe_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "engine/events.h"

static void add(struct probe_files *all, const json_t *e, const char *dir)
{
	_cleanup_free_ char *path = str_fmt("%s/%s", dir, event_str(e, "log"));
	struct probe_file *f;

	all->items = realloc(all->items, (all->n + 1) * sizeof(*f));
	if (!all->items)
		abort();
	f = &all->items[all->n++];
	*f = (struct probe_file){ .name = event_str(e, "log"),
				  .label = event_str(e, "label"),
				  .service = event_str(e, "service"),
				  .kind = event_str(e, "probe") };
	f->usable = probe_log_read(path, &f->log, NULL) == 0;
	if (!f->usable)
		probe_log_free(&f->log);
}

void probe_files_load(struct probe_files *all, const json_t *events, const char *dir)
{
	size_t i;
	json_t *e;

	json_array_foreach((json_t *)(uintptr_t)events, i, e)
	{
		if (event_is(e, "probe"))
			add(all, e, dir);
	}
}

void probe_files_free(struct probe_files *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->items[i].usable)
			probe_log_free(&all->items[i].log);
	free(all->items);
	*all = (struct probe_files){ 0 };
}

/* Attempts that the kernel took, over every life of the probe that file i belongs to. */
static uint64_t sent_by(const struct probe_files *all, size_t i)
{
	uint64_t sent = 0;

	for (size_t k = 0; k < all->n; k++) {
		const struct probe_file *f = &all->items[k];
		struct probe_summary sum;

		if (!f->usable || strcmp(f->label, all->items[i].label) != 0)
			continue;
		probe_log_summary(&f->log, 0, 0, &sum);
		sent += sum.attempts - sum.refused;
	}
	return sent;
}

void probe_files_doubt(const struct probe_files *all, struct evidence *e)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct probe_file *f = &all->items[i];

		if (!f->usable)
			evidence_doubt(e, DOUBT_PROBE, "the log of probe %s in %s cannot be read",
				       f->label, f->service);
		else if (!f->log.ended)
			evidence_doubt(e, DOUBT_PROBE, "probe %s in %s ended before it was told to",
				       f->label, f->service);
		else if (sent_by(all, i) == 0)
			evidence_doubt(e, DOUBT_PROBE, "probe %s in %s never sent a packet",
				       f->label, f->service);
	}
}

static int compare_times(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static size_t collect(const struct probe_files *all, int64_t from, int64_t to, int64_t **times)
{
	size_t n = 0, room = 0;

	*times = NULL;
	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; all->items[i].usable && k < all->items[i].log.count; k++) {
			const struct probe_record *r = &all->items[i].log.records[k];

			if (r->event != PROBE_SENT || r->real < from || r->real >= to)
				continue;
			if (n == room) {
				room = room ? 2 * room : 1024;
				*times = realloc(*times, room * sizeof(**times));
				if (!*times)
					abort();
			}
			(*times)[n++] = r->real;
		}
	return n;
}

uint64_t probe_files_attempts(const struct probe_files *all, int64_t from, int64_t to, int64_t *gap)
{
	_cleanup_free_ int64_t *times = NULL;
	size_t n = collect(all, from, to, &times);
	int64_t before = from;

	*gap = 0;
	if (n > 1)
		qsort(times, n, sizeof(*times), compare_times);
	for (size_t i = 0; i <= n; i++) {
		int64_t at = i < n ? times[i] : to;

		if (at - before > *gap)
			*gap = at - before;
		before = at;
	}
	return n; /* NOLINT(clang-analyzer-unix.Malloc): the cleanup attribute frees times */
}
