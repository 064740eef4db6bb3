/* SPDX-License-Identifier: MIT */
/* Files: whole reads, atomic writes, directories, careful removal. */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <mntent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

char *str_vfmt(const char *fmt, va_list ap)
{
	char *s = NULL;

	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	return s;
}

char *str_fmt(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = str_vfmt(fmt, ap);
	va_end(ap);
	return s;
}

char *fs_read(const char *path, size_t max, size_t *len, struct err *err)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *buf = NULL;
	size_t used = 0, size = 4096;

	if (!f) {
		err_errno(err, "%s", path);
		return NULL;
	}
	for (;;) {
		/* One byte more than max, so that a file of exactly max bytes is told from a longer one. */
		char *bigger = realloc(buf, size + 1);

		if (!bigger) {
			err_errno(err, "%s", path);
			return NULL;
		}
		buf = bigger;
		used += fread(buf + used, 1, size - used, f);
		if (used < size)
			break;
		if (used > max)
			break;
		size *= 2;
	}
	if (ferror(f)) {
		err_errno(err, "%s", path);
		return NULL;
	}
	if (used > max) {
		err_set(err, EXIT_USAGE, "%s: larger than %zu bytes", path, max);
		return NULL;
	}
	buf[used] = '\0';
	if (len)
		*len = used;
	return take_ptr(buf);
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* fsync(2): what cannot be synchronized says so with these. */
static int sync_file(int fd)
{
	return fsync(fd) < 0 && errno != EINVAL && errno != EROFS ? -1 : 0;
}

/* Into what is there: nothing of that kind can be replaced by a rename. */
static int write_through(const char *path, int flags, const void *data, size_t len, mode_t mode,
			 struct err *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC | flags, mode);

	if (fd < 0 || write_all(fd, data, len) < 0 || sync_file(fd) < 0)
		return err_errno(err, "%s", path);
	return 0;
}

static int write_beside(const char *path, const void *data, size_t len, mode_t mode,
			struct err *err)
{
	_cleanup_free_ char *tmp = str_fmt("%s.tmp", path);
	_cleanup_close_ int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0)
		return err_errno(err, "%s", tmp);
	if (write_all(fd, data, len) < 0 || fsync(fd) < 0) {
		err_errno(err, "%s", tmp);
		(void)unlink(tmp);
		return -1;
	}
	if (rename(tmp, path) < 0)
		return err_errno(err, "%s", path);
	return 0;
}

int fs_write(const char *path, const void *data, size_t len, mode_t mode, struct err *err)
{
	struct stat st;

	if (lstat(path, &st) < 0 || S_ISREG(st.st_mode))
		return write_beside(path, data, len, mode, err);
	return write_through(path, S_ISLNK(st.st_mode) ? O_CREAT | O_TRUNC : 0, data, len, mode,
			     err);
}

int fs_poke(const char *path, const char *text, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write_all(fd, text, strlen(text)) < 0)
		return err_errno(err, "%s", path);
	return 0;
}

int fs_mkdir_p(const char *path, mode_t mode, struct err *err)
{
	_cleanup_free_ char *copy = str_fmt("%s", path);

	for (char *p = copy + 1;; p++) {
		char at = *p;

		if (at != '/' && at != '\0')
			continue;
		*p = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return err_errno(err, "%s", copy);
		*p = at;
		if (at == '\0')
			return 0;
	}
}

/* A mount point strictly below or at path, which a removal must not enter. */
static int refuse_mounts(const char *path, struct err *err)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	size_t len;
	int rc = 0;

	if (!real || !mounts) {
		if (mounts)
			(void)endmntent(mounts);
		return err_errno(err, "%s", path);
	}
	len = strlen(real);
	while (rc == 0 && (m = getmntent(mounts)))
		if (strncmp(m->mnt_dir, real, len) == 0 &&
		    (m->mnt_dir[len] == '/' || m->mnt_dir[len] == '\0'))
			rc = err_set(err, EXIT_ENVIRONMENT, "%s: not removed, %s is still mounted",
				     path, m->mnt_dir);
	(void)endmntent(mounts);
	return rc;
}

int fs_remove_tree(const char *path, struct err *err)
{
	_cleanup_free_ char *copy = str_fmt("%s", path);
	char *roots[] = { copy, NULL };
	int rc = 0;
	FTSENT *e;
	FTS *fts;

	if (!fs_exists(path))
		return 0;
	if (refuse_mounts(path, err) < 0)
		return -1;
	fts = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	if (!fts)
		return err_errno(err, "%s", path);
	while ((e = fts_read(fts))) {
		if (e->fts_info == FTS_D)
			continue;
		if (remove(e->fts_accpath) < 0 && errno != ENOENT && rc == 0)
			rc = err_errno(err, "%s", e->fts_path);
	}
	(void)fts_close(fts);
	return rc;
}

bool fs_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static bool ends_component(char c)
{
	return c == '\0' || c == '/';
}

/* Length of the folders that two absolute paths have in common; both go on with a slash or end there. */
static size_t common_folders(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] && a[i] == b[i])
		i++;
	while (!ends_component(a[i]) || !ends_component(b[i]))
		i--;
	return i;
}

char *fs_relative(const char *from, const char *to)
{
	_cleanup_free_ char *a = realpath(from, NULL);
	_cleanup_free_ char *b = realpath(to, NULL);
	char *out = NULL;
	size_t size = 0, same;
	FILE *f;

	if (!a || !b)
		return str_fmt("%s", to);
	if (!a[1])
		*a = '\0'; /* of the root every path is below: "" + "/tmp" */
	same = common_folders(a, b);
	f = open_memstream(&out, &size);
	if (!f)
		abort();
	for (const char *p = a + same; *p; p++)
		if (*p == '/')
			(void)fputs("../", f);
	if (b[same])
		(void)fputs(b + same + 1, f);
	else if (!a[same])
		(void)fputc('.', f);
	(void)fclose(f);
	return out;
}

const char *fs_cache_dir(void)
{
	const char *dir = getenv("LEAKPROOF_CACHE");

	return dir && *dir ? dir : "/var/cache/leakproof";
}
