/* SPDX-License-Identifier: MIT */
/* Reading probes' logs: counts, round-trip times, outages. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "probe/probe_file.h"

#define LOG_MAX ((size_t)1 << 30)

int probe_log_read(const char *path, struct probe_log *log, struct err *err)
{
	struct probe_file_head h;
	size_t len = 0;
	_cleanup_free_ char *data = fs_read(path, LOG_MAX, &len, err);

	memset(log, 0, sizeof(*log));
	if (!data)
		return -1;
	if (len < sizeof(h) || memcmp(data, PROBE_FILE_MAGIC, sizeof(h.magic)) != 0)
		return err_set(err, EXIT_ENVIRONMENT, "%s: not a log of a probe", path);
	memcpy(&h, data, sizeof(h));
	h.kind[sizeof(h.kind) - 1] = '\0';
	memcpy(log->kind, h.kind, sizeof(log->kind));
	memcpy(log->nonce, h.nonce, sizeof(log->nonce));
	log->id = h.id;
	log->rate_hz = h.rate_hz ? h.rate_hz : 1;
	log->count = (len - sizeof(h)) / sizeof(struct probe_record);
	log->records = calloc(log->count + 1, sizeof(struct probe_record));
	if (!log->records)
		return err_errno(err, "%s", path);
	memcpy(log->records, data + sizeof(h), log->count * sizeof(struct probe_record));
	log->ended = log->count > 0 && log->records[log->count - 1].event == PROBE_END;
	return 0;
}

void probe_log_free(struct probe_log *log)
{
	free(log->records);
	memset(log, 0, sizeof(*log));
}

/* One attempt with what became of it. */
struct fate {
	int64_t sent;
	int64_t reply; /* receipt, 0 = none */
	int64_t rtt;
	uint32_t seq;
	int error;    /* errno, 0 = none */
	bool refused; /* the call itself failed */
};

static int by_seq(const void *key, const void *member)
{
	const uint32_t *seq = key;
	const struct fate *f = member;

	return *seq < f->seq ? -1 : *seq > f->seq;
}

/* Has any name of this probe led to an address? In the lab they all do; elsewhere none. */
static bool names_exist(const struct probe_log *log)
{
	for (size_t i = 0; i < log->count; i++)
		if (log->records[i].event == PROBE_REPLY && log->records[i].error == 0)
			return true;
	return false;
}

/* What a reply means: a resolver that says "server failure" or "refused" is there, but what it stands in front of is
 * not; and where names exist, a resolver that knows none has lost its way to those who do. */
static int error_of_reply(int rcode, bool exist)
{
	return rcode == PROBE_DNS_FAILURE || rcode == PROBE_DNS_REFUSED ||
			       (rcode == PROBE_DNS_NO_NAME && exist)
		       ? EREMOTEIO
		       : 0;
}

/* Attempts in the order of their numbers, which is the order of the log. Caller frees. */
static struct fate *fates(const struct probe_log *log, size_t *n)
{
	struct fate *all = calloc(log->count + 1, sizeof(*all));
	bool exist = names_exist(log);

	*n = 0;
	for (size_t i = 0; all && i < log->count; i++) {
		const struct probe_record *r = &log->records[i];
		struct fate *f;

		if (r->event == PROBE_SENT) {
			all[(*n)++] = (struct fate){ .sent = r->real,
						     .seq = r->seq,
						     .error = r->error,
						     .refused = r->error != 0 };
			continue;
		}
		if (r->event != PROBE_REPLY && r->event != PROBE_ERROR)
			continue;
		f = bsearch(&r->seq, all, *n, sizeof(*all), by_seq);
		if (!f)
			continue;
		if (r->event == PROBE_ERROR) {
			f->error = r->error;
		} else if (error_of_reply(r->error, exist)) {
			f->error = error_of_reply(r->error, exist);
		} else if (!f->reply) {
			f->reply = r->real;
			f->rtt = r->value;
		}
	}
	return all;
}

static int by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void add_fate(struct probe_summary *s, const struct fate *f)
{
	if (!s->first_attempt)
		s->first_attempt = f->sent;
	s->last_attempt = f->sent;
	s->attempts++;
	if (f->error)
		s->last_error = f->error;
	s->refused += f->refused;
	s->errors += f->error && !f->refused;
	if (!f->reply)
		return;
	s->replies++;
	if (!s->first_reply || f->reply < s->first_reply)
		s->first_reply = f->reply;
	if (f->reply > s->last_reply)
		s->last_reply = f->reply;
}

void probe_log_summary(const struct probe_log *log, int64_t since, int64_t until,
		       struct probe_summary *out)
{
	size_t n, n_rtt = 0;
	struct fate *all = fates(log, &n);
	int64_t *rtt = calloc(n + 1, sizeof(*rtt));

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; rtt && i < n; i++) {
		if (all[i].sent < since || (until && all[i].sent >= until))
			continue;
		add_fate(out, &all[i]);
		if (all[i].reply)
			rtt[n_rtt++] = all[i].rtt;
	}
	for (size_t i = 0; i < log->count; i++)
		if (log->records[i].event == PROBE_SKIPPED && log->records[i].real >= since &&
		    (!until || log->records[i].real < until))
			out->skipped += (uint64_t)log->records[i].value;
	if (n_rtt > 0) {
		qsort(rtt, n_rtt, sizeof(*rtt), by_value);
		out->rtt_min = rtt[0];
		out->rtt_median = rtt[n_rtt / 2];
		out->rtt_max = rtt[n_rtt - 1];
	}
	free(rtt);
	free(all);
}

int probe_summary(const char *path, struct probe_summary *out, struct err *err)
{
	struct probe_log log;

	if (probe_log_read(path, &log, err) < 0)
		return -1;
	probe_log_summary(&log, 0, 0, out);
	probe_log_free(&log);
	return 0;
}

static bool good(const struct fate *f, bool replies, int64_t reply_ns)
{
	return replies ? f->reply && f->rtt <= reply_ns : !f->refused && !f->error;
}

/* For a kind with replies the outage ends with a receipt, else with a call that worked again. */
static int64_t good_again(const struct fate *f, bool replies)
{
	return replies ? f->reply : f->sent;
}

void probe_log_outage(const struct probe_log *log, int64_t since, int64_t min_ns, int64_t reply_ns,
		      struct probe_outage *out)
{
	const struct probe_row *row = probe_find(log->kind);
	bool replies = row && row->replies;
	size_t n, bad = 0;
	struct fate *all = fates(log, &n);

	for (size_t i = 0; all && i < n && !replies; i++)
		replies = all[i].reply != 0;
	memset(out, 0, sizeof(*out));
	out->resolution = NS_PER_S / log->rate_hz;
	for (size_t i = 0; all && i < n; i++) {
		bool ok = good(&all[i], replies, reply_ns);
		/* What was sent so late that its reply could not come before the end says nothing. */
		bool open = !ok && !all[i].error && all[n - 1].sent - all[i].sent < reply_ns;

		if (!ok && !open && (bad > 0 || all[i].sent >= since)) {
			if (bad++ == 0)
				out->cut_off = all[i].sent;
			out->failed = bad;
			continue;
		}
		if (!ok)
			continue;
		if (bad > 0 && all[i].sent - out->cut_off >= min_ns) {
			out->recovery = good_again(&all[i], replies);
			break;
		}
		bad = 0;
		out->last_good = all[i].sent;
	}
	out->found = bad > 0 && (out->recovery || all[n - 1].sent - out->cut_off >= min_ns);
	if (!out->found)
		*out = (struct probe_outage){ .last_good = out->last_good,
					      .resolution = out->resolution };
	free(all);
}
