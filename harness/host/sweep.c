// SPDX-License-Identifier: MIT
/* What a process that was killed leaves half done: nothing that anybody would take for whole, and some room. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/proc.h"
#include "host/host_internal.h"

#define DYING_NS NS_PER_S

/* Names of half-done things, and the lock that their maker holds; NULL: the name carries the maker's process id. The
 * first pattern that fits counts. */
static const struct {
	const char *dir, *pattern, *lock;
} halves[] = {
	{ "", "tree-*.building", "" }, /* stack/lab/build-tree.sh: the tree's name and ".lock" */
	{ "", "image-base-*.building", "images.lock" }, /* stack/images/build.sh */
	{ "", "images-*.building", "images.lock" },
	{ "", "*.[0-9]*.building", NULL },
	{ "pulled", "*.[0-9]*.tmp", NULL },
};

/* "name.123.building" -> 123; 0: there is no number */
static pid_t maker_of(const char *name)
{
	const char *end = strrchr(name, '.'), *from = end;

	while (from && from > name && from[-1] >= '0' && from[-1] <= '9')
		from--;
	return from && from < end ? (pid_t)strtol(from, NULL, 10) : 0;
}

/* Does somebody hold the lock? What was killed just now lets go of it in a moment. */
static bool is_locked(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
	int64_t until = clock_mono_ns() + DYING_NS;

	while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (clock_mono_ns() > until)
			return true;
		clock_sleep_ns(20 * NS_PER_MS);
	}
	return false;
}

static bool is_made_now(const char *name, const char *lock)
{
	_cleanup_free_ char *path = NULL;

	if (!lock) {
		pid_t maker = maker_of(name);

		return maker > 0 && proc_start_time(maker) != 0;
	}
	path = *lock ? str_fmt("%s/%s", fs_cache_dir(), lock)
		     : str_fmt("%s/%.*s.lock", fs_cache_dir(),
			       (int)(strlen(name) - strlen(".building")), name);
	return is_locked(path);
}

static int sweep_one(const char *dir, const char *name, size_t kind, struct err *err)
{
	_cleanup_free_ char *path = str_fmt("%s/%s", dir, name);

	return is_made_now(name, halves[kind].lock) ? 0 : fs_remove_tree(path, err);
}

/* State directories that had no name yet. */
static int sweep_claims(struct err *err)
{
	_cleanup_closedir_ DIR *d = opendir(RUN_DIR);
	const struct dirent *e;
	int rc = 0;

	while (d && (e = readdir(d))) {
		_cleanup_free_ char *path = str_fmt(RUN_DIR "/%s", e->d_name);
		pid_t maker;

		if (strncmp(e->d_name, CLAIM_PREFIX, strlen(CLAIM_PREFIX)) != 0)
			continue;
		maker = (pid_t)strtol(e->d_name + strlen(CLAIM_PREFIX), NULL, 10);
		if (proc_start_time(maker) == 0 && fs_remove_tree(path, err) < 0)
			rc = -1;
	}
	(void)rmdir(RUN_DIR); /* only where nobody has anything in it */
	return rc;
}

static int sweep_dir(const char *sub, struct err *err)
{
	_cleanup_free_ char *dir = str_fmt("%s%s%s", fs_cache_dir(), *sub ? "/" : "", sub);
	_cleanup_closedir_ DIR *d = opendir(dir);
	const struct dirent *e;
	int rc = 0;

	while (d && (e = readdir(d)))
		for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++) {
			if (strcmp(halves[i].dir, sub) != 0 ||
			    fnmatch(halves[i].pattern, e->d_name, 0) != 0)
				continue;
			if (sweep_one(dir, e->d_name, i, err) < 0)
				rc = -1;
			break;
		}
	return rc;
}

int host_sweep(struct err *err)
{
	int rc = sweep_dir("", err);

	if (sweep_dir("pulled", err) < 0)
		rc = -1;
	return sweep_claims(err) < 0 ? -1 : rc;
}
