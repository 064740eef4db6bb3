// SPDX-License-Identifier: MIT
/* Capture files from disk; zlib reads plain files as they are. */
#include "capture/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"

#define INFLATE_BUFFER (128U << 10)

struct read_file {
	gzFile gz;
	int fd; /* of a plain file: read directly, zlib would copy once more; -1 with gz */
	struct capfile *cap;
	char path[512];
};

static ptrdiff_t read_plain(void *arg, uint8_t *buf, size_t size, struct err *err)
{
	struct read_file *r = arg;
	ssize_t n;

	do
		n = read(r->fd, buf, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? err_errno(err, "cannot read") : n;
}

static ptrdiff_t read_gzip(void *arg, uint8_t *buf, size_t size, struct err *err)
{
	struct read_file *r = arg;
	int n = gzread(r->gz, buf, (unsigned)size);
	int code = Z_OK;

	if (n < 0)
		return err_set(err, EXIT_USAGE, "cannot unpack: %s", gzerror(r->gz, &code));
	/* a gzip file that ends early gives what it has and then this */
	if (n == 0 && gzerror(r->gz, &code) && code == Z_BUF_ERROR)
		return err_set(err, EXIT_USAGE, "the compressed file ends early");
	return n;
}

/* Does the file begin with the two bytes of gzip (RFC 1952)? What cannot be looked at twice goes to zlib, which
 * decides by itself. */
static bool is_plain(int fd)
{
	uint8_t magic[2];

	if (pread(fd, magic, sizeof(magic), 0) != sizeof(magic))
		return false;
	return magic[0] != 0x1f || magic[1] != 0x8b;
}

static int attach(struct read_file *r, int fd, struct err *err)
{
	if (is_plain(fd)) {
		r->fd = fd;
		return 0;
	}
	r->gz = gzdopen(fd, "rb");
	if (!r->gz) {
		(void)close(fd);
		return err_set(err, EXIT_ENVIRONMENT, "out of memory");
	}
	(void)gzbuffer(r->gz, INFLATE_BUFFER);
	return 0;
}

struct read_file *read_file_open(const char *path, struct err *err)
{
	struct read_file *r = calloc(1, sizeof(*r));
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);

	if (!r || fd < 0) {
		(void)err_errno(err, "%s", path);
		if (fd >= 0)
			(void)close(fd);
		free(r);
		return NULL;
	}
	r->fd = -1;
	(void)snprintf(r->path, sizeof(r->path), "%s", path);
	if (attach(r, fd, err) == 0)
		r->cap = capfile_open(r->gz ? read_gzip : read_plain, r, err);
	if (!r->cap) {
		(void)err_wrap(err, "%s", path);
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
	if (r->gz)
		(void)gzclose(r->gz);
	if (r->fd >= 0)
		(void)close(r->fd);
	free(r);
}

int read_file_next(struct read_file *r, struct capfile_frame *f, struct err *err)
{
	int rc = capfile_next(r->cap, f, err);

	return rc < 0 ? err_wrap(err, "%s", r->path) : rc;
}

const struct capfile_counts *read_file_counts(const struct read_file *r)
{
	return capfile_counts(r->cap);
}
