// SPDX-License-Identifier: MIT
/* Capture files as sources of frames, and slices of them. */
#include "engine/captures.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "capture/read_file.h"

#define BATCH 64 /* frames that are read at once */

struct source {
	struct capture_file info;
	struct read_file *file; /* NULL: could not be opened */
	struct capfile_frame frames[BATCH];
	int first; /* frames of the first batch, read when the file was opened: what comes before it is known then; as
		    * read_file_batch() gave it */
	bool first_taken;
	bool has_tapped_interface;
	const struct policy *policy;
	struct judge_source *feed;
};

struct captures {
	struct source **sources; /* each stays where it is: the judge holds pointers to them */
	size_t n;
};

struct captures *captures_new(void)
{
	struct captures *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	return c;
}

void captures_free(struct captures *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++) {
		read_file_close(c->sources[i]->file);
		free(c->sources[i]->info.path);
		free(c->sources[i]);
	}
	free(c->sources);
	free(c);
}

size_t captures_count(const struct captures *c)
{
	return c->n;
}

struct capture_file *captures_file(struct captures *c, size_t i)
{
	return &c->sources[i]->info;
}

static struct source *new_source(struct captures *c)
{
	struct source **more = reallocarray(c->sources, c->n + 1, sizeof(struct source *));
	struct source *s = calloc(1, sizeof(*s));

	if (!more || !s)
		abort();
	c->sources = more;
	c->sources[c->n++] = s;
	return s;
}

int captures_add(struct captures *c, const char *path, size_t tap, struct err *err)
{
	struct source *s = new_source(c);

	s->info.path = str_fmt("%s", strcmp(path, "-") == 0 ? "standard input" : path);
	s->info.tap = s->info.first_tap = tap;
	s->file = read_file_open(path, &s->info.error);
	if (!s->file) {
		if (err)
			*err = s->info.error;
		return -1;
	}
	s->info.pcapng = read_file_is_pcapng(s->file);
	(void)snprintf(s->info.format, sizeof(s->info.format), "%s", read_file_format(s->file));
	s->first = read_file_batch(s->file, s->frames, BATCH, &s->info.error);
	return 0;
}

bool captures_has_interface(const struct captures *c, size_t file, const char *name)
{
	const struct source *s = c->sources[file];

	return s->file && *name && read_file_has_interface(s->file, name);
}

int captures_add_run(struct captures *c, const struct policy *p, const char *dir, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < 2 * p->n_taps; i++) {
		const char *suffix = i % 2 ? "-tunnel" : "";
		_cleanup_free_ char *path = str_fmt("%s/%s%s.pcap", dir, p->taps[i / 2].name,
						    suffix);

		if (i % 2 && !fs_exists(path))
			continue;
		if (captures_add(c, path, i / 2, rc ? NULL : err) < 0)
			rc = -1;
	}
	return rc;
}

/* ---- frames ---- */

static bool tap_of_interface(const struct policy *p, const char *name, size_t *tap)
{
	for (size_t i = 0; *name && i < p->n_taps; i++)
		if (strcmp(p->taps[i].interface, name) == 0) {
			*tap = i;
			return true;
		}
	return false;
}

/* Two interfaces in one tap are told: the operator may have meant two taps. */
static void note_interface(struct capture_file *info, const char *name)
{
	if (info->several || strncmp(info->interfaces[0], name, 31) == 0)
		return;
	info->several = info->interfaces[0][0] != '\0';
	(void)snprintf(info->interfaces[info->several], sizeof(info->interfaces[0]), "%s", name);
}

static bool leave_out(struct capture_file *info, const char *name)
{
	if (info->left_out++ == 0)
		(void)snprintf(info->left_out_of, sizeof(info->left_out_of), "%s",
			       *name ? name : "without a name");
	return false;
}

/* The tap of a pcapng frame; false leaves the frame out. */
static bool choose_tap(struct source *s, const struct capfile_frame *f)
{
	struct capture_file *info = &s->info;
	const char *name = read_file_interface(s->file, f->interface);
	bool matched = info->by_interface && tap_of_interface(s->policy, name, &s->feed->tap);

	s->has_tapped_interface |= matched;
	if (!matched) {
		if (info->tap == CAPTURE_NO_TAP || s->has_tapped_interface)
			return leave_out(info, name);
		note_interface(info, name);
		s->feed->tap = info->tap;
	}
	if (info->frames == 0)
		info->first_tap = s->feed->tap;
	return true;
}

static int read_batch(struct source *s)
{
	if (s->first_taken)
		return read_file_batch(s->file, s->frames, BATCH, &s->info.error);
	s->first_taken = true;
	return s->first;
}

static int end_of(struct source *s, int rc, struct err *err)
{
	s->info.dropped = read_file_counts(s->file)->dropped;
	s->info.counts_present = read_file_counts(s->file)->present;
	if (rc < 0 && err)
		*err = s->info.error;
	return rc;
}

/* A pcap file has one tap, and nothing to look for; a batch of a pcapng file is one frame. */
static int next_frames(void *arg, const struct capfile_frame **frames, struct err *err)
{
	struct source *s = arg;
	int n = read_batch(s);

	while (n > 0 && s->info.pcapng && !choose_tap(s, s->frames))
		n = read_batch(s);
	if (n <= 0)
		return end_of(s, n, err);
	/* A stamp before 1970 is none; differences of stamps must not overflow. */
	for (int i = 0; i < n; i++)
		if (s->frames[i].time < 0)
			s->frames[i].time = 0;
	s->info.frames += (uint64_t)n;
	*frames = s->frames;
	return n;
}

static int first_error(const struct captures *c, struct err *err)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->sources[i]->info.error.status) {
			if (err)
				*err = c->sources[i]->info.error;
			return -1;
		}
	return 0;
}

int captures_judge(struct captures *c, struct judge *j, const struct policy *p, struct err *err)
{
	struct judge_source *feeds = calloc(c->n + 1, sizeof(*feeds));
	size_t n = 0;

	if (!feeds)
		abort();
	for (size_t i = 0; i < c->n; i++) {
		struct source *s = c->sources[i];

		if (!s->file)
			continue;
		s->policy = p;
		s->feed = &feeds[n++];
		for (size_t t = 0; s->info.by_interface && t < p->n_taps; t++)
			s->has_tapped_interface |= captures_has_interface(c, i,
									  p->taps[t].interface);
		*s->feed =
			(struct judge_source){ .tap = s->info.tap, .next = next_frames, .arg = s };
	}
	(void)judge_run(j, feeds, n, NULL);
	free(feeds);
	return first_error(c, err);
}

/* ---- slices ---- */

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
