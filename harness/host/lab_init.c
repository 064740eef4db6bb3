// SPDX-License-Identifier: MIT
/* The init of a lab node: makes its root, starts its services, reaps, restarts. Runs in a process of its
 * own that the harness started by executing itself again. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "host/host_internal.h"
#include "host/lab_service.h"

/* ---- network settings that must stand before an interface appears ---- */

/* No address probing and no router solicitations: the lab's own machinery stays silent on the taps. */
static const char *const net_settings[][2] = {
	{ "/proc/sys/net/ipv6/conf/all/accept_dad", "0" },
	{ "/proc/sys/net/ipv6/conf/default/accept_dad", "0" },
	{ "/proc/sys/net/ipv6/conf/all/accept_ra", "0" },
	{ "/proc/sys/net/ipv6/conf/default/accept_ra", "0" },
	{ "/proc/sys/net/ipv6/conf/default/router_solicitations", "0" },
	{ "/proc/sys/net/ipv6/conf/all/disable_ipv6", "0" },
	{ "/proc/sys/net/ipv6/conf/default/disable_ipv6", "0" },
	{ "/proc/sys/net/ipv4/conf/all/rp_filter", "0" },
	{ "/proc/sys/net/ipv4/conf/default/rp_filter", "0" },
};

static const char *const router_settings[][2] = {
	{ "/proc/sys/net/ipv4/ip_forward", "1" },
	{ "/proc/sys/net/ipv6/conf/all/forwarding", "1" },
	{ "/proc/sys/net/ipv4/conf/all/send_redirects", "0" },
};

static int set_network(enum node_index node, struct err *err)
{
	for (size_t i = 0; i < sizeof(net_settings) / sizeof(net_settings[0]); i++)
		if (fs_exists(net_settings[i][0]) &&
		    fs_poke(net_settings[i][0], net_settings[i][1], err) < 0)
			return -1;
	/* A new namespace takes this over from the machine. An engine that finds it off turns it on and then
	 * lets the FORWARD chain drop, as on a fresh machine; one that finds it on leaves the chain open. */
	if (node != NODE_ISP && node != NODE_VPN)
		return fs_poke("/proc/sys/net/ipv4/ip_forward", "0", err);
	for (size_t i = 0; i < sizeof(router_settings) / sizeof(router_settings[0]); i++)
		if (fs_exists(router_settings[i][0]) &&
		    fs_poke(router_settings[i][0], router_settings[i][1], err) < 0)
			return -1;
	return 0;
}

/* ---- the root ---- */

static int do_mount(const char *source, const char *target, const char *type, unsigned long flags,
		    const char *data, struct err *err)
{
	if (mount(source, target, type, flags, data) < 0)
		return err_errno(err, "mount of %s at %s", source, target);
	return 0;
}

static int mount_overlay(struct host *h, const char *node, const char *root, struct err *err)
{
	_cleanup_free_ char *upper = lab_path(h, "%s/upper", node);
	_cleanup_free_ char *work = lab_path(h, "%s/work", node);
	_cleanup_free_ char *data = str_fmt("lowerdir=%s,upperdir=%s,workdir=%s",
					    lab_str(h, "tree"), upper, work);

	return do_mount("overlay", root, "overlay", 0, data, err);
}

static int make_device(const char *root, const char *name, unsigned major, unsigned minor,
		       struct err *err)
{
	_cleanup_free_ char *path = str_fmt("%s/dev/%s", root, name);

	if (mknod(path, S_IFCHR | 0666, makedev(major, minor)) < 0 || chmod(path, 0666) < 0)
		return err_errno(err, "%s", path);
	return 0;
}

/* Numbers: Documentation/admin-guide/devices.txt of the kernel. */
static int make_devices(const char *root, struct err *err)
{
	static const struct {
		const char *name;
		unsigned major, minor;
	} devices[] = { { "null", 1, 3 },      { "zero", 1, 5 },    { "full", 1, 7 },
			{ "random", 1, 8 },    { "urandom", 1, 9 }, { "tty", 5, 0 },
			{ "net/tun", 10, 200 } };
	static const char *const links[][2] = { { "pts/ptmx", "ptmx" },
						{ "/proc/self/fd", "fd" },
						{ "/proc/self/fd/0", "stdin" },
						{ "/proc/self/fd/1", "stdout" },
						{ "/proc/self/fd/2", "stderr" } };
	static const char *const dirs[] = { "net", "pts", "shm", "mqueue" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		_cleanup_free_ char *dir = str_fmt("%s/dev/%s", root, dirs[i]);

		if (fs_mkdir_p(dir, 0755, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		if (make_device(root, devices[i].name, devices[i].major, devices[i].minor, err) < 0)
			return -1;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		_cleanup_free_ char *path = str_fmt("%s/dev/%s", root, links[i][1]);

		if (symlink(links[i][0], path) < 0)
			return err_errno(err, "%s", path);
	}
	return 0;
}

static int mount_kernel(const char *root, struct err *err)
{
	static const struct {
		const char *type, *target, *data;
		unsigned long flags;
	} mounts[] = {
		{ "proc", "proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
		{ "sysfs", "sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
		{ "tmpfs", "dev", "mode=755,size=4m", MS_NOSUID },
		{ "tmpfs", "run", "mode=755", MS_NOSUID | MS_NODEV },
		{ "tmpfs", "tmp", "mode=1777", MS_NOSUID | MS_NODEV },
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		_cleanup_free_ char *target = str_fmt("%s/%s", root, mounts[i].target);

		if (do_mount(mounts[i].type, target, mounts[i].type, mounts[i].flags,
			     mounts[i].data, err) < 0)
			return -1;
	}
	return make_devices(root, err);
}

static int mount_terminals(const char *root, struct err *err)
{
	_cleanup_free_ char *pts = str_fmt("%s/dev/pts", root);
	_cleanup_free_ char *shm = str_fmt("%s/dev/shm", root);
	_cleanup_free_ char *mqueue = str_fmt("%s/dev/mqueue", root);

	if (do_mount("devpts", pts, "devpts", MS_NOSUID | MS_NOEXEC,
		     "newinstance,ptmxmode=0666,mode=620,gid=5", err) < 0 ||
	    do_mount("shm", shm, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777", err) < 0)
		return -1;
	/* Not every kernel has it, and nothing here needs it. */
	(void)mount("mqueue", mqueue, "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	return 0;
}

/* The mount point of a bind: a directory, or an empty file where the source is one. */
static int make_target(const char *source, const char *target, struct err *err)
{
	_cleanup_free_ char *dir = str_fmt("%s", target);
	struct stat st;
	int fd;

	if (stat(source, &st) < 0)
		return err_errno(err, "%s", source);
	if (S_ISDIR(st.st_mode))
		return fs_mkdir_p(target, 0755, err);
	*strrchr(dir, '/') = '\0';
	if (fs_mkdir_p(dir, 0755, err) < 0)
		return -1;
	fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_errno(err, "%s", target);
	(void)close(fd);
	return 0;
}

static int bind_in(const char *root, const char *source, const char *inside, bool writable,
		   struct err *err)
{
	_cleanup_free_ char *target = str_fmt("%s%s", root, inside);

	if (make_target(source, target, err) < 0 ||
	    do_mount(source, target, NULL, MS_BIND, NULL, err) < 0)
		return -1;
	if (writable)
		return 0;
	return do_mount(source, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL, err);
}

static int bind_common(struct host *h, const char *root, struct err *err)
{
	_cleanup_free_ char *log = lab_path(h, "log");

	return bind_in(root, log, LAB_LOG, true, err);
}

/* The virtual host sees the machine's control groups (an engine without them ends with "Devices cgroup
 * isn't mounted"), has its Docker data on a real file system, and what the caller wants in it. */
static int bind_host(struct host *h, const char *root, struct err *err)
{
	_cleanup_free_ char *cgroup = str_fmt("%s/sys/fs/cgroup", root);
	_cleanup_free_ char *docker = lab_path(h, "docker");
	_cleanup_free_ char *containerd = lab_path(h, "containerd");
	size_t i;
	json_t *b;

	if (do_mount("/sys/fs/cgroup", cgroup, NULL, MS_BIND | MS_REC, NULL, err) < 0 ||
	    bind_in(root, docker, "/var/lib/docker", true, err) < 0 ||
	    bind_in(root, containerd, "/var/lib/containerd", true, err) < 0)
		return -1;
	if (fs_exists("/lib/modules") &&
	    bind_in(root, "/lib/modules", "/lib/modules", false, err) < 0)
		return -1;
	json_array_foreach(json_object_get(h->state, "binds"), i,
			   b) if (bind_in(root, json_string_value(json_object_get(b, "source")),
					  json_string_value(json_object_get(b, "target")),
					  json_is_true(json_object_get(b, "writable")),
					  err) < 0) return -1;
	return 0;
}

/* Docker looks here when it finds 127.0.0.53 in resolv.conf; an empty answer would make it use public
 * servers. It finds the stub again, so that its embedded resolver asks from the host's namespace. */
static int link_resolv(const char *root, struct err *err)
{
	_cleanup_free_ char *dir = str_fmt("%s/run/systemd/resolve", root);
	_cleanup_free_ char *link = str_fmt("%s/resolv.conf", dir);

	if (fs_mkdir_p(dir, 0755, err) < 0)
		return -1;
	return symlink("/etc/resolv.conf", link) < 0 ? err_errno(err, "%s", link) : 0;
}

static int bind_internet(struct host *h, const char *root, struct err *err)
{
	return bind_in(root, lab_str(h, "seed_dir"), "/srv/seed", false, err);
}

/* pivot_root and not chroot: under chroot a `docker exec` landed in the outer root. */
static int enter_root(const char *root, struct err *err)
{
	if (chdir(root) < 0)
		return err_errno(err, "%s", root);
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return err_errno(err, "pivot_root to %s", root);
	/* The old root now lies over the new one at "/": pivot_root(2), NOTES. */
	if (umount2(".", MNT_DETACH) < 0)
		return err_errno(err, "umount of the old root");
	return chdir("/") < 0 ? err_errno(err, "/") : 0;
}

static int make_root(struct host *h, enum node_index node, struct err *err)
{
	_cleanup_free_ char *root = lab_path(h, "%s/root", lab_node_name(node));

	if (do_mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL, err) < 0 ||
	    mount_overlay(h, lab_node_name(node), root, err) < 0 || mount_kernel(root, err) < 0 ||
	    mount_terminals(root, err) < 0 || bind_common(h, root, err) < 0)
		return -1;
	if (node == NODE_HOST && (bind_host(h, root, err) < 0 || link_resolv(root, err) < 0))
		return -1;
	if (node == NODE_INTERNET && bind_internet(h, root, err) < 0)
		return -1;
	return enter_root(root, err);
}

/* ---- the process ---- */

static void tell(const char *text)
{
	(void)send(LAB_CTL_FD, text, strlen(text), MSG_NOSIGNAL);
}

static void give_up(const struct err *err)
{
	_cleanup_free_ char *line = str_fmt("-%s", err->text);

	(void)fprintf(stderr, "%s\n", err->text);
	tell(line);
	_exit(1);
}

void lab_init_run(const char *id, const char *name)
{
	int node = lab_node_index(name);
	struct host *h = lab_handle_new(id);
	struct err err = { 0 };
	char go;

	(void)umask(022);
	if (node < 0 || set_network((enum node_index)node, &err) < 0)
		give_up(&err);
	tell("+");
	/* The starter died, or wants no more: nothing of ours is left when this process ends. */
	if (recv(LAB_CTL_FD, &go, 1, 0) != 1)
		_exit(0);
	if (lab_state_load(h, &err) < 0 || make_root(h, (enum node_index)node, &err) < 0 ||
	    sethostname(name, strlen(name)) < 0)
		give_up(&err);
	if (lab_services_start(h, (enum node_index)node, &err) < 0)
		give_up(&err);
	tell("+");
	(void)close(LAB_CTL_FD);
	lab_services_keep(h);
}
