// SPDX-License-Identifier: MIT
/* Taking a lab down, also what is left of one whose harness was killed at any moment. */
#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/proc.h"
#include "host/host_internal.h"

#define GONE_NS (10 * NS_PER_S)

static int (*undo_hook)(const char *state_dir, struct err *err);

void host_set_undo(int (*undo)(const char *state_dir, struct err *err))
{
	undo_hook = undo;
}

/* Remove the directories of a control group tree from the leaves up; its processes have ended. */
static int remove_cgroup(const char *path, struct err *err)
{
	char *const roots[] = { (char *)(uintptr_t)path, NULL };
	int64_t deadline = clock_mono_ns() + GONE_NS;
	FTSENT *e;
	FTS *walk;

	if (!fs_exists(path))
		return 0;
	walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!walk)
		return err_errno(err, "%s", path);
	while ((e = fts_read(walk)))
		/* EBUSY while the kernel still buries the last process. */
		while (e->fts_info == FTS_DP && rmdir(e->fts_accpath) < 0 && errno == EBUSY &&
		       clock_mono_ns() < deadline)
			clock_sleep_ns(10 * NS_PER_MS);
	(void)fts_close(walk);
	if (fs_exists(path))
		return err_set(err, EXIT_ENVIRONMENT, "%s: control group cannot be removed", path);
	return 0;
}

/* In every hierarchy of the machine, version 1 or 2. */
static int remove_cgroups(const char *id, struct err *err)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *m;
	int rc = 0;

	if (!mounts)
		return err_errno(err, "/proc/self/mounts");
	while ((m = getmntent(mounts))) {
		_cleanup_free_ char *path = str_fmt("%s/leakproof-%s", m->mnt_dir, id);

		if (strncmp(m->mnt_type, "cgroup", 6) == 0 && remove_cgroup(path, err) < 0)
			rc = -1;
	}
	(void)endmntent(mounts);
	return rc;
}

/* Does /proc/PID/cmdline name an init of this lab? */
static bool is_init_of(const char *pid, const char *id)
{
	_cleanup_free_ char *path = str_fmt("/proc/%s/cmdline", pid);
	size_t len = 0;
	_cleanup_free_ char *args = fs_read(path, 4096, &len, NULL);
	size_t first = args ? strlen(args) + 1 : 0;

	return args && strcmp(args, LAB_INIT_NAME) == 0 && first < len &&
	       strcmp(args + first, id) == 0;
}

/* Inits that the state does not name: of a boot that was killed between start and note. Those end by
 * themselves; waiting for them here makes "nothing is left" true when this returns. */
static int kill_strays(const char *id, struct err *err)
{
	_cleanup_closedir_ DIR *proc = opendir("/proc");
	const struct dirent *e;

	while (proc && (e = readdir(proc))) {
		struct lab_node n = { .netns_fd = -1, .pidns_fd = -1, .ctl_fd = -1 };

		if (e->d_name[0] < '1' || e->d_name[0] > '9' || !is_init_of(e->d_name, id))
			continue;
		n.pid = (pid_t)strtol(e->d_name, NULL, 10);
		n.start = proc_start_time(n.pid);
		if (lab_node_kill(&n, err) < 0)
			return -1;
	}
	return 0;
}

static int kill_nodes(struct host *h, struct err *err)
{
	/* The virtual host first, so that its last packets still find the lab's network and nothing else. */
	for (int i = N_NODES - 1; i >= 0; i--)
		if (lab_node_kill(&h->nodes[i], err) < 0)
			return -1;
	return kill_strays(h->id, err);
}

static int remove_files(const char *id, struct err *err)
{
	_cleanup_free_ char *disk = lab_disk_dir_of(id);
	_cleanup_free_ char *state = lab_state_dir_of(id);

	/* The state last: while it is there a second `clean` finds the rest. */
	if (fs_remove_tree(disk, err) < 0 || fs_remove_tree(state, err) < 0)
		return -1;
	/* Only where no other lab is left. */
	(void)rmdir(RUN_DIR);
	return 0;
}

static int take_down(struct host *h, struct err *err)
{
	/* What cannot be undone in a lab that is half dead goes with it. */
	if (undo_hook && fs_exists(h->state_dir))
		(void)undo_hook(h->state_dir, NULL);
	if (kill_nodes(h, err) < 0 || remove_cgroups(h->id, err) < 0)
		return -1;
	return remove_files(h->id, err);
}

int host_lab_down(struct host *h, struct err *err)
{
	int rc;

	if (!h->lab)
		return err_set(err, EXIT_USAGE, "the machine itself is no lab");
	rc = take_down(h, err);
	host_close(h);
	return rc;
}

/* Undo journals of a run on the machine itself lie in real-PID; they are of no use while that PID lives. */
static int clean_real(const char *id, struct err *err)
{
	_cleanup_free_ char *state = str_fmt("%s/%s", RUN_DIR, id);

	if (!fs_exists(state))
		return 0;
	if (undo_hook && undo_hook(state, err) < 0)
		return -1;
	if (fs_remove_tree(state, err) < 0)
		return -1;
	(void)rmdir(RUN_DIR);
	return 0;
}

int host_lab_clean(const char *id, struct err *err)
{
	struct host *h;

	if (strncmp(id, "real-", 5) == 0 && strspn(id + 5, "0123456789") == strlen(id + 5))
		return clean_real(id, err);
	if (lab_id_check(id, err) < 0)
		return -1;
	h = lab_handle_new(id);
	/* Without a readable state there are still its strays, control groups and directories. */
	(void)lab_state_load(h, NULL);
	return host_lab_down(h, err);
}

static void add_ids_of(const char *dir, char ***ids)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			host_list_add(ids, e->d_name);
}

char **host_lab_ids(struct err *err)
{
	_cleanup_free_ char *labs = str_fmt("%s/labs", fs_cache_dir());
	char **ids = calloc(1, sizeof(*ids));

	if (!ids) {
		err_errno(err, "list of labs");
		return NULL;
	}
	add_ids_of(RUN_DIR, &ids);
	add_ids_of(labs, &ids);
	return ids;
}

void host_ids_free(char **ids)
{
	host_list_free(ids);
}
