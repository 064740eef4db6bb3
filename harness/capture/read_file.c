// SPDX-License-Identifier: MIT
/* Capture files from disk, plain or gzip (RFC 1952). zlib's gzread() is not used: it drops what stands behind the compressed
 * data without a word, and of a damaged file what came before the damage. */
#include "capture/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"

#define INFLATE_BUFFER (128U << 10)

struct read_file {
	int fd;
	struct capfile *cap;
	char path[512];
	uint8_t head[2]; /* of the file: they tell gzip */
	uint8_t n_head;	 /* of them, still to be given */
	/* gzip */
	uint8_t *in; /* INFLATE_BUFFER bytes; NULL for a plain file */
	z_stream z;
	uint64_t taken; /* bytes of the file that came into `in` */
	uint64_t given; /* bytes unpacked */
	bool between;	/* a member has ended */
};

static ptrdiff_t read_fd(const struct read_file *r, uint8_t *buf, size_t size, struct err *err)
{
	ssize_t n;

	do
		n = read(r->fd, buf, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? err_errno(err, "cannot read") : n;
}

/* ---- plain ---- */

/* The reader's buffer has room for both bytes of the head. */
static ptrdiff_t read_plain(void *arg, uint8_t *buf, size_t size, struct err *err)
{
	struct read_file *r = arg;
	uint8_t n = r->n_head;

	if (!n)
		return read_fd(r, buf, size, err);
	memcpy(buf, r->head, n);
	r->n_head = 0;
	return n;
}

/* ---- gzip ---- */

static bool is_gzip(const uint8_t *p, size_t n)
{
	return n >= 2 && p[0] == 0x1f && p[1] == 0x8b;
}

/* Have n bytes to look at, or all that are left. */
static int look_at(struct read_file *r, unsigned n, struct err *err)
{
	if (r->z.avail_in >= n)
		return 0;
	memmove(r->in, r->z.next_in, r->z.avail_in);
	r->z.next_in = r->in;
	while (r->z.avail_in < n) {
		ptrdiff_t got = read_fd(r, r->in + r->z.avail_in, INFLATE_BUFFER - r->z.avail_in,
					err);

		if (got <= 0)
			return (int)got;
		r->z.avail_in += (unsigned)got;
		r->taken += (uint64_t)got;
	}
	return 0;
}

/* Zeros fill the blocks of tapes and the like; anything else would have to be judged. */
static int padding(struct read_file *r, struct err *err)
{
	for (;; r->z.next_in++, r->z.avail_in--) {
		if (look_at(r, 1, err) < 0)
			return -1;
		if (r->z.avail_in == 0)
			return 0;
		if (*r->z.next_in)
			return err_set(err, EXIT_USAGE,
				       "bytes behind the compressed data were not read, from byte "
				       "%" PRIu64 " of the file on",
				       r->taken - r->z.avail_in);
	}
}

/* Behind a member: 1 when another one follows, 0 at the end of the file. */
static int next_member(struct read_file *r, struct err *err)
{
	if (look_at(r, 2, err) < 0)
		return -1;
	if (!is_gzip(r->z.next_in, r->z.avail_in))
		return padding(r, err);
	r->between = false;
	(void)inflateReset(&r->z);
	return 1;
}

static int not_unpacked(const struct read_file *r, int code, struct err *err)
{
	if (code == Z_BUF_ERROR)
		return err_set(err, EXIT_USAGE, "the compressed file ends early");
	return err_set(err, code == Z_MEM_ERROR ? EXIT_ENVIRONMENT : EXIT_USAGE,
		       "cannot unpack: %s at byte %" PRIu64 " of the unpacked data",
		       r->z.msg ? r->z.msg : zError(code), r->given);
}

/* Some of a member. What came before a damage is given first: inflate() finds the damage again. */
static int unpack(struct read_file *r, struct err *err)
{
	unsigned room = r->z.avail_out;
	int code;

	if (look_at(r, 1, err) < 0)
		return -1;
	code = inflate(&r->z, Z_NO_FLUSH);
	r->between = code == Z_STREAM_END;
	r->given += room - r->z.avail_out;
	if (r->between || code == Z_OK || r->z.avail_out < room)
		return 1;
	return not_unpacked(r, code, err);
}

static ptrdiff_t read_gzip(void *arg, uint8_t *buf, size_t size, struct err *err)
{
	struct read_file *r = arg;

	r->z.next_out = buf;
	r->z.avail_out = (unsigned)size;
	while (r->z.avail_out == size) {
		int rc = r->between ? next_member(r, err) : unpack(r, err);

		if (rc <= 0)
			return rc;
	}
	return (ptrdiff_t)(size - r->z.avail_out);
}

/* ---- the whole ---- */

static int begin_gzip(struct read_file *r, struct err *err)
{
	r->in = malloc(INFLATE_BUFFER);
	if (!r->in || inflateInit2(&r->z, 16 + MAX_WBITS) != Z_OK)
		return err_set(err, EXIT_ENVIRONMENT, "out of memory");
	r->z.next_in = r->head;
	r->z.avail_in = r->n_head;
	r->taken = r->n_head;
	return 0;
}

/* Read the first two bytes, which a pipe gives only once. */
static int attach(struct read_file *r, struct err *err)
{
	while (r->n_head < sizeof(r->head)) {
		ptrdiff_t n = read_fd(r, r->head + r->n_head, sizeof(r->head) - r->n_head, err);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		r->n_head = (uint8_t)(r->n_head + n);
	}
	return is_gzip(r->head, r->n_head) ? begin_gzip(r, err) : 0;
}

/* What the operator named wrongly is a mistake of usage, what the machine refuses is not. */
static int open_path(const char *path, struct err *err)
{
	int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
					: open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0) {
		bool named = errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG;

		(void)err_errno(err, "%s", path);
		if (err && named)
			err->status = EXIT_USAGE;
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		(void)close(fd);
		return err_set(err, EXIT_USAGE, "%s: a folder, no capture file", path);
	}
	return fd;
}

struct read_file *read_file_open(const char *path, struct err *err)
{
	struct read_file *r = calloc(1, sizeof(*r));
	const char *shown = strcmp(path, "-") == 0 ? "standard input" : path;

	if (!r)
		abort();
	r->fd = open_path(path, err);
	if (r->fd < 0) {
		free(r);
		return NULL;
	}
	(void)snprintf(r->path, sizeof(r->path), "%s", shown);
	if (attach(r, err) == 0)
		r->cap = capfile_open(r->in ? read_gzip : read_plain, r, err);
	if (!r->cap) {
		(void)err_wrap(err, "%s", shown);
		read_file_close(r);
		return NULL;
	}
	return r;
}

void read_file_close(struct read_file *r)
{
	if (!r)
		return;
	capfile_close(r->cap);
	if (r->in)
		(void)inflateEnd(&r->z);
	free(r->in);
	(void)close(r->fd);
	free(r);
}

int read_file_batch(struct read_file *r, struct capfile_frame *f, int max, struct err *err)
{
	int n = capfile_batch(r->cap, f, max, err);

	return n < 0 ? err_wrap(err, "%s", r->path) : n;
}

int read_file_next(struct read_file *r, struct capfile_frame *f, struct err *err)
{
	return read_file_batch(r, f, 1, err);
}

const char *read_file_format(const struct read_file *r)
{
	if (capfile_is_pcapng(r->cap))
		return r->in ? "pcapng, gzip" : "pcapng";
	return r->in ? "pcap, gzip" : "pcap";
}

bool read_file_is_pcapng(const struct read_file *r)
{
	return capfile_is_pcapng(r->cap);
}

const char *read_file_interface(const struct read_file *r, uint32_t number)
{
	uint32_t linktype;
	const char *name;

	return capfile_interface(r->cap, number, &linktype, &name) < 0 ? "" : name;
}

bool read_file_has_interface(const struct read_file *r, const char *name)
{
	uint32_t linktype;
	const char *have;

	for (uint32_t i = 0; capfile_interface(r->cap, i, &linktype, &have) == 0; i++)
		if (strcmp(have, name) == 0)
			return true;
	return false;
}

const struct capfile_counts *read_file_counts(const struct read_file *r)
{
	return capfile_counts(r->cap);
}
