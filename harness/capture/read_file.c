// SPDX-License-Identifier: MIT
/* Capture files from disk; zlib reads plain files as they are. */
#include "capture/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"

#define INFLATE_BUFFER (128U << 10)

struct read_file {
	gzFile gz;
	int fd; /* of a plain file: read directly, zlib would copy once more; -1 with gz */
	struct capfile *cap;
	char path[512];
	bool gzip; /* known once the first bytes were read */
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
	int fd;

	if (!r)
		abort();
	fd = open_path(path, err);
	if (fd < 0) {
		free(r);
		return NULL;
	}
	r->fd = -1;
	(void)snprintf(r->path, sizeof(r->path), "%s", shown);
	if (attach(r, fd, err) == 0)
		r->cap = capfile_open(r->gz ? read_gzip : read_plain, r, err);
	if (!r->cap) {
		(void)err_wrap(err, "%s", shown);
		read_file_close(r);
		return NULL;
	}
	r->gzip = r->gz && !gzdirect(r->gz);
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
		return r->gzip ? "pcapng, gzip" : "pcapng";
	return r->gzip ? "pcap, gzip" : "pcap";
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
