// SPDX-License-Identifier: MIT
/* The journal: append-only JSON lines. */
#include "engine/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"

#define JOURNAL_MAX ((size_t)1 << 30)

struct journal {
	int fd;
	pthread_mutex_t lock;
	json_int_t seq;
	int failed; /* errno of the first write that failed */
	char *path;
};

struct journal *journal_create(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
	struct journal *j;

	if (fd < 0) {
		err_errno(err, "%s", path);
		return NULL;
	}
	j = calloc(1, sizeof(*j));
	if (!j)
		abort();
	j->fd = fd;
	j->path = str_fmt("%s", path);
	(void)pthread_mutex_init(&j->lock, NULL);
	return j;
}

int journal_close(struct journal *j, struct err *err)
{
	int rc = 0;

	if (!j)
		return 0;
	if (!j->failed && fsync(j->fd) < 0)
		j->failed = errno;
	if (j->failed) {
		errno = j->failed;
		rc = err_errno(err, "%s: not everything could be written", j->path);
	}
	(void)close(j->fd);
	(void)pthread_mutex_destroy(&j->lock);
	free(j->path);
	free(j);
	return rc;
}

static void write_line(struct journal *j, const char *line, size_t len)
{
	while (len > 0 && !j->failed) {
		ssize_t n = write(j->fd, line, len);

		if (n < 0 && errno != EINTR)
			j->failed = errno;
		if (n <= 0)
			continue;
		line += n;
		len -= (size_t)n;
	}
}

void journal_event(struct journal *j, const char *event, json_t *fields)
{
	_cleanup_json_ json_t *line = json_object();
	_cleanup_json_ json_t *owned = fields;
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *with_nl = NULL;
	int64_t mono, real;

	(void)pthread_mutex_lock(&j->lock);
	mono = clock_mono_ns();
	real = mono + clock_offset_ns();
	(void)json_object_set_new(line, "event", json_string(event));
	(void)json_object_set_new(line, "seq", json_integer(j->seq++));
	(void)json_object_set_new(line, "real", json_integer(real));
	(void)json_object_set_new(line, "mono", json_integer(mono));
	if (owned)
		(void)json_object_update_missing(line, owned);
	text = json_dumps(line, JSON_COMPACT | JSON_PRESERVE_ORDER);
	if (text) {
		with_nl = str_fmt("%s\n", text);
		write_line(j, with_nl, strlen(with_nl));
	} else if (!j->failed) {
		j->failed = EILSEQ;
	}
	(void)pthread_mutex_unlock(&j->lock);
}

int journal_failed(const struct journal *j)
{
	return j->failed;
}

int journal_why(const struct journal *j, struct err *err)
{
	return err_set(err, EXIT_ENVIRONMENT,
		       "%s could not be written (%s): make room, or give another directory with "
		       "--reports",
		       j->path, strerror(j->failed));
}

/* One line as an event; NULL and *err when it is none, or not the one that follows. */
static json_t *read_line(const char *line, size_t len, const char *path, unsigned number,
			 struct err *err)
{
	_cleanup_json_ json_t *event = NULL;
	json_error_t je;

	event = json_loadb(line, len, 0, &je);
	if (!json_is_object(event)) {
		(void)err_set(err, EXIT_USAGE, "%s:%u: not a journal line: %s", path, number,
			      je.text);
		return NULL;
	}
	/* A line that is missing may be the very one that told of a fault, an error, a finding. */
	if (!json_is_integer(json_object_get(event, "seq")) ||
	    json_integer_value(json_object_get(event, "seq")) != (json_int_t)number - 1) {
		(void)err_set(err, EXIT_USAGE,
			      "%s:%u: event %u is missing, so this journal proves nothing", path,
			      number, number - 1);
		return NULL;
	}
	return take_ptr(event);
}

json_t *journal_read(const char *path, struct err *err)
{
	size_t len = 0;
	_cleanup_free_ char *text = fs_read(path, JOURNAL_MAX, &len, err);
	_cleanup_json_ json_t *events = json_array();
	unsigned number = 0;
	char *line, *nl;

	if (!text)
		return NULL;
	for (line = text; (nl = memchr(line, '\n', len - (size_t)(line - text))); line = nl + 1) {
		json_t *event = read_line(line, (size_t)(nl - line), path, ++number, err);

		if (!event)
			return NULL;
		(void)json_array_append_new(events, event);
	}
	return take_ptr(events);
}
