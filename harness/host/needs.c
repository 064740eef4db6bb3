// SPDX-License-Identifier: MIT
/* What the machine must have for a lab. A feature is tried, not guessed from a version. */
#include "host/needs.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/proc.h"
#include "host/host_internal.h"

#define GIB	      (1024.0 * 1024 * 1024)
#define DISK_WANTED   (8 * GIB) /* tree 0.6, images and their graph 3, captures */
#define DISK_NEEDED   (3 * GIB)
#define MEMORY_WANTED (1.5 * GIB)

const char *need_state_name(enum need_state s)
{
	static const char *const names[] = { "ok", "warning", "missing" };

	return names[s];
}

static void found(struct need *n, enum need_state s, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void mend(struct need *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void found(struct need *n, enum need_state s, const char *fmt, ...)
{
	va_list ap;

	n->state = s;
	va_start(ap, fmt);
	(void)vsnprintf(n->detail, sizeof(n->detail), fmt, ap);
	va_end(ap);
}

static void mend(struct need *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(n->mend, sizeof(n->mend), fmt, ap);
	va_end(ap);
}

/* " word" after what is in list; what does not fit is left out. */
static void add_word(char *list, size_t size, const char *word)
{
	size_t len = strlen(list);

	(void)snprintf(list + len, size - len, " %s", word);
}

/* Run fn in a child, so that its namespaces and mounts end with it. 0, or the errno it gave back. */
static int in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(fn());
	if (pid < 0)
		return errno;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

/* ---- who we are ---- */

static void check_root(struct need *n)
{
	if (geteuid() == 0) {
		found(n, NEED_OK, "user id 0");
		return;
	}
	found(n, NEED_MISSING, "user id %d", (int)geteuid());
	mend(n, "start leakproof as root (sudo leakproof ...)");
}

static void check_capabilities(struct need *n)
{
	static const unsigned wanted[] = { CAP_SYS_ADMIN,  CAP_NET_ADMIN, CAP_NET_RAW,
					   CAP_SYS_PTRACE, CAP_MKNOD,	  CAP_SYS_CHROOT,
					   CAP_KILL };
	char missing[128] = "";

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!capng_have_capability(CAPNG_EFFECTIVE, wanted[i]))
			add_word(missing, sizeof(missing), capng_capability_to_name(wanted[i]));
	if (!*missing) {
		found(n, NEED_OK, "all that the lab needs");
		return;
	}
	found(n, NEED_MISSING, "without%s", missing);
	mend(n, "inside a container: start it with --privileged; else start leakproof as root");
}

/* ---- programs ---- */

static const char *const packages[][2] = {
	{ "ip", "iproute2" },	   { "unshare", "util-linux" },	     { "setpriv", "util-linux" },
	{ "flock", "util-linux" }, { "debootstrap", "debootstrap" }, { "nft", "nftables" },
	{ "skopeo", "skopeo" },	   { "docker", "docker.io" },	     { "sha256sum", "coreutils" },
};

const char *needs_package(const char *program)
{
	for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++)
		if (strcmp(packages[i][0], program) == 0)
			return packages[i][1];
	return program;
}

/* As execvp(3) looks for it. */
bool needs_program(const char *name)
{
	const char *path = getenv("PATH");
	_cleanup_free_ char *dirs = str_fmt("%s", path ? path : "/bin:/usr/bin");
	char *rest = NULL;

	for (char *dir = strtok_r(dirs, ":", &rest); dir; dir = strtok_r(NULL, ":", &rest)) {
		_cleanup_free_ char *file = str_fmt("%s/%s", dir, name);

		if (access(file, X_OK) == 0)
			return true;
	}
	return false;
}

/* Is the Debian tree there, so that nothing has to be built? */
static bool tree_is_built(void)
{
	_cleanup_free_ char *home = host_home_dir(NULL);
	_cleanup_free_ char *tree = home ? lab_tree_path(home, NULL) : NULL;

	return tree && fs_exists(tree);
}

static void check_programs_of(struct need *n, const char *const *programs)
{
	char missing[128] = "", wanted[128] = "";

	for (; *programs; programs++)
		if (!needs_program(*programs)) {
			add_word(missing, sizeof(missing), *programs);
			add_word(wanted, sizeof(wanted), needs_package(*programs));
		}
	if (!*missing) {
		found(n, NEED_OK, "all that are called");
		return;
	}
	found(n, NEED_MISSING, "not found in PATH:%s", missing);
	mend(n, "apt-get install%s; PATH must have /usr/sbin and /sbin", wanted);
}

static void check_programs(struct need *n)
{
	static const char *const always[] = { "ip",	   "unshare",	  "setpriv", "flock",
					      "sha256sum", "debootstrap", NULL };
	static const char *const built[] = {
		"ip", "unshare", "setpriv", "flock", "sha256sum", NULL
	};

	check_programs_of(n, tree_is_built() ? built : always);
}

static void check_real_programs(struct need *n)
{
	static const char *const programs[] = { "ip", "docker", "sha256sum", NULL };

	check_programs_of(n, programs);
}

/* ---- kernel ---- */

static int try_namespaces(void)
{
	return unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC) < 0
		       ? errno
		       : 0;
}

static void check_namespaces(struct need *n)
{
	int why = in_child(try_namespaces);

	if (why == 0) {
		found(n, NEED_OK, "net, mnt, pid, uts, ipc");
		return;
	}
	found(n, NEED_MISSING, "unshare: %s", strerror(why));
	mend(n, "a kernel with all namespaces, and root; in a container: --privileged");
}

static int try_overlay(void)
{
	_cleanup_free_ char *dir = str_fmt("%s/.doctor.%d", fs_cache_dir(), (int)getppid());
	_cleanup_free_ char *data = str_fmt("lowerdir=%s/l,upperdir=%s/u,workdir=%s/w", dir, dir,
					    dir);
	_cleanup_free_ char *root = str_fmt("%s/r", dir), *file = str_fmt("%s/r/f", dir);
	static const char parts[] = "luwr";
	int fd, why = 0;

	for (const char *p = parts; *p; p++) {
		_cleanup_free_ char *part = str_fmt("%s/%c", dir, *p);

		if (fs_mkdir_p(part, 0755, NULL) < 0)
			return errno ? errno : EIO;
	}
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("overlay", root, "overlay", 0, data) < 0)
		return errno;
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		why = errno;
	else
		(void)close(fd);
	(void)umount2(root, 0);
	return why;
}

static void check_overlay(struct need *n)
{
	_cleanup_free_ char *dir = str_fmt("%s/.doctor.%d", fs_cache_dir(), (int)getpid());
	int why = in_child(try_overlay);

	(void)fs_remove_tree(dir, NULL);
	if (why == 0) {
		found(n, NEED_OK, "overlay file systems work in %s", fs_cache_dir());
		return;
	}
	found(n, NEED_MISSING, "an overlay in %s: %s", fs_cache_dir(), strerror(why));
	mend(n, "modprobe overlay; put LEAKPROOF_CACHE on ext4, xfs or btrfs (not on an overlay or "
		"NFS)");
}

static int try_link(const char *type)
{
	if (unshare(CLONE_NEWNET) < 0)
		return errno;
	return proc_check(PROC_ARGV("ip", "link", "add", "probe0", "type", type), NULL, NULL) < 0
		       ? ENOTSUP
		       : 0;
}

static int try_veth(void)
{
	return try_link("veth");
}

static int try_bridge(void)
{
	return try_link("bridge");
}

static int try_wireguard(void)
{
	return try_link("wireguard");
}

static void check_links(struct need *n)
{
	bool veth = in_child(try_veth) == 0, bridge = in_child(try_bridge) == 0;

	if (veth && bridge) {
		found(n, NEED_OK, "veth and bridge interfaces");
		return;
	}
	found(n, NEED_MISSING, "the kernel makes no %s interface", veth ? "bridge" : "veth");
	mend(n, "modprobe veth bridge (package linux-image-amd64; cloud kernels have them too)");
}

static void check_tun(struct need *n)
{
	_cleanup_close_ int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		found(n, NEED_OK, "/dev/net/tun");
		return;
	}
	found(n, NEED_MISSING, "/dev/net/tun: %s", strerror(errno));
	mend(n, "modprobe tun; in a container: --device /dev/net/tun");
}

static void check_wireguard(struct need *n)
{
	if (in_child(try_wireguard) == 0)
		found(n, NEED_OK, "kernel module");
	else /* no mend: the user-space program is in the tree and does the same */
		found(n, NEED_OK, "no kernel module; wireguard-go is used");
}

/* Ask for the generation of the rule set, which changes nothing (nf_tables.h, NFT_MSG_GETGEN). */
static int ask_nf_tables(struct mnl_socket *s)
{
	char buf[4096];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;
	ssize_t len;

	h->nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETGEN;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = AF_UNSPEC;
	g->version = NFNETLINK_V0;
	if (mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(s, h, h->nlmsg_len) < 0)
		return errno;
	len = mnl_socket_recvfrom(s, buf, sizeof(buf));
	if (len < 0)
		return errno;
	h = (struct nlmsghdr *)buf;
	if (h->nlmsg_type == NLMSG_ERROR)
		return -((const struct nlmsgerr *)mnl_nlmsg_get_payload(h))->error;
	return 0;
}

static int try_nf_tables(void)
{
	struct mnl_socket *s;
	int why;

	if (unshare(CLONE_NEWNET) < 0)
		return errno;
	s = mnl_socket_open(NETLINK_NETFILTER);
	if (!s)
		return errno;
	why = ask_nf_tables(s);
	(void)mnl_socket_close(s);
	return why;
}

static void check_nf_tables(struct need *n)
{
	int why = in_child(try_nf_tables);

	if (why == 0) {
		found(n, NEED_OK, "nf_tables");
		return;
	}
	found(n, NEED_MISSING, "nf_tables: %s", strerror(why));
	mend(n, "modprobe nf_tables (a kernel with CONFIG_NF_TABLES, NFT_NAT, NFT_TPROXY, "
		"NFT_COMPAT)");
}

static void check_bridge_filter(struct need *n)
{
	if (fs_exists("/proc/sys/net/bridge/bridge-nf-call-iptables") ||
	    proc_check(PROC_ARGV("modprobe", "-q", "-n", "br_netfilter"), NULL, NULL) == 0) {
		found(n, NEED_OK, "br_netfilter");
		return;
	}
	found(n, NEED_WARNING,
	      "no br_netfilter: Docker does not filter between containers of a bridge");
	mend(n, "a kernel with CONFIG_BRIDGE_NETFILTER");
}

/* ---- room ---- */

static bool has_hierarchy(const char *path)
{
	_cleanup_free_ char *procs = str_fmt("%s/cgroup.procs", path);

	return access(procs, W_OK) == 0;
}

static void check_cgroups(struct need *n)
{
	if (has_hierarchy("/sys/fs/cgroup")) {
		found(n, NEED_OK, "version 2");
		return;
	}
	if (has_hierarchy("/sys/fs/cgroup/devices") && has_hierarchy("/sys/fs/cgroup/memory")) {
		found(n, NEED_OK, "version 1");
		return;
	}
	found(n, NEED_MISSING, "/sys/fs/cgroup is not mounted, or not writable");
	mend(n, "mount -t cgroup2 cgroup2 /sys/fs/cgroup; in a container: --privileged "
		"--cgroupns=host");
}

static void check_disk(struct need *n)
{
	struct statvfs vfs;
	double room;

	if (fs_mkdir_p(fs_cache_dir(), 0755, NULL) < 0 || statvfs(fs_cache_dir(), &vfs) < 0) {
		found(n, NEED_MISSING, "%s: %s", fs_cache_dir(), strerror(errno));
		mend(n, "set LEAKPROOF_CACHE to a directory that can be written");
		return;
	}
	room = (double)vfs.f_bavail * (double)vfs.f_frsize;
	found(n,
	      room < DISK_NEEDED   ? NEED_MISSING
	      : room < DISK_WANTED ? NEED_WARNING
				   : NEED_OK,
	      "%.1f GiB free for %s", room / GIB, fs_cache_dir());
	if (n->state != NEED_OK)
		mend(n, "free %.0f GiB, or set LEAKPROOF_CACHE to another disk", DISK_WANTED / GIB);
}

static void check_memory(struct need *n)
{
	_cleanup_free_ char *text = fs_read("/proc/meminfo", 65536, NULL, NULL);
	const char *line = text ? strstr(text, "MemAvailable:") : NULL;
	double bytes = line ? strtod(line + strlen("MemAvailable:"), NULL) * 1024 : 0;

	found(n, bytes < MEMORY_WANTED ? NEED_WARNING : NEED_OK, "%.1f GiB available", bytes / GIB);
	if (n->state != NEED_OK)
		mend(n, "1.5 GiB are wanted for a stack in the lab");
}

static void check_tree(struct need *n)
{
	_cleanup_free_ char *home = NULL;
	struct err err = { 0 };

	home = host_home_dir(&err);
	if (!home) {
		found(n, NEED_MISSING, "%.200s", err.text);
		mend(n, "start leakproof from its checkout, or set LEAKPROOF_HOME");
		return;
	}
	found(n, NEED_OK, "%s",
	      tree_is_built() ? "Debian tree in the cache"
			      : "Debian tree not yet built (the first lab builds it)");
}

/* What `--host real` would watch. */
static void check_real(struct need *n)
{
	struct err err = { 0 };
	struct host *h = host_real_look(&err);
	char addrs[160] = "";

	if (!h) {
		found(n, NEED_WARNING, "not usable: %.200s", err.text);
		mend(n, "only needed for --host real");
		return;
	}
	for (const char *const *a = host_real_addrs(h); *a; a++)
		add_word(addrs, sizeof(addrs), *a);
	found(n, NEED_OK, "uplink %s,%s, Docker at %s", host_uplink(h), addrs, host_socket(h));
	host_close(h);
}

static void check_leftovers(struct need *n)
{
	char **ids = host_lab_ids(NULL);
	size_t count = 0;

	while (ids && ids[count])
		count++;
	host_ids_free(ids);
	found(n, NEED_OK, "%zu labs on this machine", count);
	if (count)
		mend(n, "`leakproof clean --list` names them, `leakproof clean` removes them");
}

static const struct {
	const char *name;
	bool root; /* the answer means nothing without root */
	void (*check)(struct need *n);
} checks[] = {
	{ "root", false, check_root },
	{ "capabilities", true, check_capabilities },
	{ "programs", false, check_programs },
	{ "namespaces", true, check_namespaces },
	{ "overlay", true, check_overlay },
	{ "interfaces", true, check_links },
	{ "tun", true, check_tun },
	{ "wireguard", true, check_wireguard },
	{ "nf_tables", true, check_nf_tables },
	{ "bridge filter", false, check_bridge_filter },
	{ "control groups", true, check_cgroups },
	{ "disk", false, check_disk },
	{ "memory", false, check_memory },
	{ "tree", false, check_tree },
	{ "real host", true, check_real },
	{ "leftovers", false, check_leftovers },
};

int needs_require(bool real, struct err *err)
{
	const struct {
		const char *name;
		void (*check)(struct need *n);
	} wanted[] = { { "root", check_root },
		       { "capabilities", check_capabilities },
		       { "programs", real ? check_real_programs : check_programs } };

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct need n = { .name = wanted[i].name };

		wanted[i].check(&n);
		if (n.state == NEED_MISSING)
			return err_set(err, EXIT_ENVIRONMENT, "%s: %s: %s", n.name, n.detail,
				       n.mend);
	}
	return 0;
}

size_t needs_check(struct need *out, size_t max)
{
	size_t n = sizeof(checks) / sizeof(checks[0]);

	if (n > max)
		n = max;
	for (size_t i = 0; i < n; i++) {
		out[i] = (struct need){ .name = checks[i].name };
		if (checks[i].root && geteuid() != 0)
			found(&out[i], NEED_WARNING, "not looked at: that needs root");
		else
			checks[i].check(&out[i]);
	}
	return n;
}
