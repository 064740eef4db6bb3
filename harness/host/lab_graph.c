// SPDX-License-Identifier: MIT
/* Prepared image graphs: a /var/lib/docker with images in it, taken once and given to many labs. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "host/host_internal.h"

#define STOP_NS (30 * NS_PER_S)

/* Below overlay2/LAYER/diff are the files of an image layer. The engine never writes them in place: a
 * container works on an upper layer of its own. So they may be shared by hard links; all else is copied. */
static bool is_layer_content(const char *relative)
{
	const char *layer = relative, *diff;

	if (strncmp(relative, "overlay2/", 9) != 0)
		return false;
	layer += 9;
	diff = strchr(layer, '/');
	return diff && strncmp(diff, "/diff/", 6) == 0;
}

static int copy_file(const char *from, const char *to, const struct stat *st, struct err *err)
{
	_cleanup_close_ int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_close_ int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	off_t left = st->st_size;

	if (in < 0 || out < 0)
		return err_errno(err, "copy of %s", from);
	while (left > 0) {
		ssize_t n = sendfile(out, in, NULL, (size_t)left);

		if (n <= 0)
			return err_errno(err, "copy of %s", from);
		left -= n;
	}
	if (fchown(out, st->st_uid, st->st_gid) < 0 || fchmod(out, st->st_mode & 07777) < 0)
		return err_errno(err, "%s", to);
	return 0;
}

static int copy_link(const char *from, const char *to, const struct stat *st, struct err *err)
{
	char target[4096];
	ssize_t n = readlink(from, target, sizeof(target) - 1);

	if (n < 0)
		return err_errno(err, "%s", from);
	target[n] = '\0';
	if (symlink(target, to) < 0 || lchown(to, st->st_uid, st->st_gid) < 0)
		return err_errno(err, "%s", to);
	return 0;
}

/* Overlay keeps its marks (an opaque directory) as extended attributes of directories. */
static int copy_xattrs(const char *from, const char *to, struct err *err)
{
	char names[4096], value[4096];
	ssize_t len = llistxattr(from, names, sizeof(names));

	if (len < 0)
		return errno == ENOTSUP ? 0 : err_errno(err, "attributes of %s", from);
	for (const char *n = names; n < names + len; n += strlen(n) + 1) {
		ssize_t size = lgetxattr(from, n, value, sizeof(value));

		if (size < 0 || lsetxattr(to, n, value, (size_t)size, 0) < 0)
			return err_errno(err, "attribute %s of %s", n, from);
	}
	return 0;
}

static int copy_directory(const char *from, const char *to, const struct stat *st, struct err *err)
{
	if (mkdir(to, 0700) < 0 || chown(to, st->st_uid, st->st_gid) < 0 ||
	    chmod(to, st->st_mode & 07777) < 0)
		return err_errno(err, "%s", to);
	return copy_xattrs(from, to, err);
}

static int copy_entry(const FTSENT *e, const char *relative, const char *to, struct err *err)
{
	const struct stat *st = e->fts_statp;

	if (S_ISDIR(st->st_mode))
		return copy_directory(e->fts_accpath, to, st, err);
	if (is_layer_content(relative))
		return linkat(AT_FDCWD, e->fts_accpath, AT_FDCWD, to, 0) < 0
			       ? err_errno(err, "link to %s", e->fts_accpath)
			       : 0;
	if (S_ISLNK(st->st_mode))
		return copy_link(e->fts_accpath, to, st, err);
	if (S_ISREG(st->st_mode))
		return copy_file(e->fts_accpath, to, st, err);
	/* A socket or pipe of a running engine is made anew by the next one. */
	return 0;
}

static int copy_tree(const char *from, const char *to, struct err *err)
{
	char *const roots[] = { (char *)(uintptr_t)from, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	size_t skip = strlen(from);
	int rc = 0;
	FTSENT *e;

	if (!walk)
		return err_errno(err, "%s", from);
	while (rc == 0 && (e = fts_read(walk))) {
		const char *relative = e->fts_path + skip;
		_cleanup_free_ char *target = str_fmt("%s%s", to, relative);

		if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS)
			rc = err_set(err, EXIT_ENVIRONMENT, "%s: %s", e->fts_path,
				     strerror(e->fts_errno));
		else if (e->fts_info != FTS_DP)
			rc = copy_entry(e, relative + (*relative == '/'), target, err);
	}
	(void)fts_close(walk);
	return rc;
}

static char *graph_path(const char *key)
{
	return str_fmt("%s/graph-%s", fs_cache_dir(), key);
}

char *host_graph_find(const char *key)
{
	_cleanup_free_ char *path = graph_path(key);

	if (!fs_exists(path))
		return NULL;
	host_cache_use(path);
	return take_ptr(path);
}

int lab_graph_install(const char *graph, const char *docker_dir, struct err *err)
{
	if (copy_tree(graph, docker_dir, err) < 0)
		return err_wrap(err, "prepared images");
	return 0;
}

/* ---- capture ---- */

/* Put the hold file of a service and wait for its process to go. */
static int stop_service(struct host *h, const char *name, const char *pidfile, struct err *err)
{
	_cleanup_free_ char *hold = str_fmt("%s" LAB_HOLD "%s", h->root, name);
	_cleanup_free_ char *path = str_fmt("%s%s", h->root, pidfile);
	int64_t deadline = clock_mono_ns() + STOP_NS;

	if (fs_write(hold, "", 0, 0644, err) < 0)
		return -1;
	while (fs_exists(path)) {
		if (clock_mono_ns() > deadline)
			return err_set(err, EXIT_ENVIRONMENT, "%s of the lab does not end", name);
		clock_sleep_ns(20 * NS_PER_MS);
	}
	return 0;
}

/* What belongs to a life of the engine and not to its images. */
static int forget_life(const char *docker_dir, struct err *err)
{
	static const char *const parts[] = { "containers", "network", "tmp",	"runtimes",
					     "engine-id",  "swarm",   "volumes" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		_cleanup_free_ char *path = str_fmt("%s/%s", docker_dir, parts[i]);

		if (fs_remove_tree(path, err) < 0)
			return -1;
	}
	return 0;
}

static int no_containers(struct host *h, struct err *err)
{
	_cleanup_free_ char *path = lab_path(h, "docker/containers");
	_cleanup_closedir_ DIR *d = opendir(path);
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			return err_set(err, EXIT_USAGE,
				       "a graph is taken without containers: remove %.12s first",
				       e->d_name);
	return 0;
}

int host_graph_capture(struct host *h, const char *key, struct err *err)
{
	_cleanup_free_ char *graph = graph_path(key);
	_cleanup_free_ char *tmp = str_fmt("%s.%d.building", graph, (int)getpid());
	_cleanup_free_ char *docker = lab_path(h, "docker");
	int rc;

	if (!h->lab)
		return err_set(err, EXIT_USAGE, "only a lab gives a graph");
	if (no_containers(h, err) < 0 || stop_service(h, "dockerd", "/run/docker.pid", err) < 0 ||
	    forget_life(docker, err) < 0)
		return -1;
	/* A copy with hard links to the layers, so that taking the lab down leaves the graph alone. */
	rc = copy_tree(docker, tmp, err);
	if (rc == 0 && rename(tmp, graph) < 0 && !fs_exists(graph))
		rc = err_errno(err, "%s", graph);
	(void)fs_remove_tree(tmp, NULL);
	return rc;
}
