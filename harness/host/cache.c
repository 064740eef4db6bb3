// SPDX-License-Identifier: MIT
/* What the cache holds for good: trees, images and prepared stores, keyed by content. A new key leaves the old entry
 * behind, some hundred megabytes each, so those that nobody used for long are removed. */
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "host/host_internal.h"

/* Of each kind so many stay whatever their age, and all that were used within so many seconds: two checkouts used in turn
 * do not build each other's entries anew. */
#define KEEP_NEWEST  2
#define KEEP_SECONDS (3 * 24 * 3600)

/* An entry in the making has a dot in its name, and so has a lock. */
static const struct kind {
	const char *dir, *pattern, *not_pattern;
} kinds[] = {
	{ "", "tree-*", "*.*" },  { "", "image-base-*", "*.*" }, { "", "images-*", "*.*" },
	{ "", "graph-*", "*.*" }, { "", "seed-*", "*.*" },	 { "pulled", "*.tar", "" },
};

struct entry {
	char *path;
	time_t used;
};

struct entries {
	struct entry *e;
	size_t n;
};

void host_cache_use(const char *path)
{
	(void)utimensat(AT_FDCWD, path, NULL, 0);
}

static void add(struct entries *all, char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		free(path); /* somebody else removed it */
		return;
	}
	all->e = reallocarray(all->e, all->n + 1, sizeof(*all->e));
	if (!all->e)
		abort();
	all->e[all->n++] = (struct entry){ path, st.st_mtime };
}

static int by_use(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->used < y->used) - (x->used > y->used);
}

/* The entries of a kind, the one used last first. */
static struct entries list_kind(const struct kind *k)
{
	_cleanup_free_ char *dir = str_fmt("%s%s%s", fs_cache_dir(), *k->dir ? "/" : "", k->dir);
	_cleanup_closedir_ DIR *d = opendir(dir);
	struct entries all = { NULL, 0 };
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (fnmatch(k->pattern, e->d_name, 0) == 0 &&
		    fnmatch(k->not_pattern, e->d_name, 0) != 0)
			add(&all, str_fmt("%s/%s", dir, e->d_name));
	if (all.n)
		qsort(all.e, all.n, sizeof(*all.e), by_use);
	return all;
}

/* Is it the tree, or the folder of the seeder, that a lab stands on? */
static bool is_under_a_lab(const char *path, char *const *ids)
{
	bool found = false;

	for (; *ids && !found; ids++) {
		struct host *h = lab_handle_new(*ids);

		found = lab_state_load(h, NULL) == 0 && (strcmp(path, lab_str(h, "tree")) == 0 ||
							 strcmp(path, lab_str(h, "seed_dir")) == 0);
		host_close(h);
	}
	return found;
}

static int trim_kind(const struct kind *k, bool whole, char *const *labs, struct err *err)
{
	struct entries all = list_kind(k);
	time_t limit = time(NULL) - KEEP_SECONDS;
	int rc = 0;

	for (size_t i = 0; i < all.n; i++) {
		const struct entry *e = &all.e[i];
		bool old = whole || (i >= KEEP_NEWEST && e->used < limit);

		if (old && !is_under_a_lab(e->path, labs) && fs_remove_tree(e->path, err) < 0)
			rc = -1;
		free(e->path);
	}
	free(all.e);
	return rc;
}

int host_cache_trim(bool whole, struct err *err)
{
	char **labs = host_lab_ids(err);
	int rc = labs ? 0 : -1;

	for (size_t i = 0; labs && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (trim_kind(&kinds[i], whole, labs, err) < 0)
			rc = -1;
	host_ids_free(labs);
	return rc;
}
