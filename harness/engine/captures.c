// SPDX-License-Identifier: MIT
/* Capture files as sources of frames, and slices of them. */
#include "engine/captures.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "packet/capfile.h"

struct source {
	FILE *f;
	struct capfile *c;
	char *path;
};

static ptrdiff_t read_file(void *arg, uint8_t *buf, size_t size, struct err *err)
{
	const struct source *s = arg;
	size_t n = fread(buf, 1, size, s->f);

	if (n == 0 && ferror(s->f))
		return err_errno(err, "%s", s->path);
	return (ptrdiff_t)n;
}

static int next_frame(void *arg, struct capfile_frame *f, struct err *err)
{
	struct source *s = arg;
	int rc = capfile_next(s->c, f, err);

	return rc < 0 ? err_wrap(err, "%s", s->path) : rc;
}

static int open_source(struct source *s, char *path, struct err *err)
{
	s->path = path;
	s->f = fopen(path, "re");
	if (!s->f)
		return err_errno(err, "%s", path);
	s->c = capfile_open(read_file, s, err);
	return s->c ? 0 : err_wrap(err, "%s", path);
}

static void close_source(struct source *s)
{
	capfile_close(s->c);
	if (s->f)
		(void)fclose(s->f);
	free(s->path);
}

int captures_judge(struct judge *j, const struct policy *p, const char *dir, struct err *err)
{
	struct source *sources = calloc(2 * p->n_taps, sizeof(*sources));
	struct judge_source *feeds = calloc(2 * p->n_taps, sizeof(*feeds));
	size_t n = 0;
	int rc = 0;

	if (!sources || !feeds)
		abort();
	for (size_t i = 0; i < 2 * p->n_taps && rc == 0; i++) {
		const char *suffix = i % 2 ? "-tunnel" : "";
		char *path = str_fmt("%s/%s%s.pcap", dir, p->taps[i / 2].name, suffix);

		if (i % 2 && !fs_exists(path)) {
			free(path);
			continue;
		}
		feeds[n] = (struct judge_source){ .tap = i / 2,
						  .next = next_frame,
						  .arg = &sources[n] };
		rc = open_source(&sources[n++], path, err);
	}
	if (rc == 0)
		rc = judge_run(j, feeds, n, err);
	else
		judge_finish(j);
	for (size_t i = 0; i < n; i++)
		close_source(&sources[i]);
	free(sources);
	free(feeds);
	return rc;
}

/* Is frame `number` within `context` of one of the numbers from *at on? Moves *at past what lies behind. */
static int wanted(uint64_t number, const uint64_t *numbers, size_t n, unsigned context, size_t *at)
{
	while (*at < n && numbers[*at] + context < number)
		(*at)++;
	return *at < n && number + context >= numbers[*at];
}

static int copy_frames(pcap_t *in, const char *to, const uint64_t *numbers, size_t n,
		       unsigned context, struct err *err)
{
	pcap_dumper_t *out = pcap_dump_open(in, to);
	struct pcap_pkthdr *h;
	uint64_t number = 0;
	const u_char *data;
	size_t at = 0;
	int rc = 0;

	if (!out)
		return err_set(err, EXIT_ENVIRONMENT, "%s: %s", to, pcap_geterr(in));
	while (at < n && pcap_next_ex(in, &h, &data) == 1) {
		number++;
		if (wanted(number, numbers, n, context, &at))
			pcap_dump((u_char *)out, h, data);
	}
	if (pcap_dump_flush(out) < 0 || ferror(pcap_dump_file(out)))
		rc = err_errno(err, "%s", to);
	pcap_dump_close(out);
	return rc;
}

int captures_slice(const char *from, const char *to, const uint64_t *numbers, size_t n,
		   unsigned context, struct err *err)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *in = pcap_open_offline_with_tstamp_precision(from, PCAP_TSTAMP_PRECISION_NANO, why);
	int rc;

	if (!in)
		return err_set(err, EXIT_ENVIRONMENT, "%s", why);
	rc = copy_frames(in, to, numbers, n, context, err);
	pcap_close(in);
	return rc;
}
