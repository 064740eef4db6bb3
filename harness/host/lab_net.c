// SPDX-License-Identifier: MIT
/* The wires of the lab. All ends are inside the lab: none is in the machine's own namespace. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/proc.h"
#include "host/host_internal.h"

/* `ip -batch` in a node's network namespace (the machine's own program, in the machine's root, so that it
 * can name a namespace by process id). */
static int ip_batch(struct host *h, enum node_index i, const char *lines, struct err *err)
{
	const struct proc_opts o = { .netns_fd = h->nodes[i].netns_fd, .input = lines };
	_cleanup_proc_ struct proc_result r = { 0 };

	if (proc_run(PROC_ARGV("ip", "-batch", "-"), &o, &r, err) < 0)
		return -1;
	if (r.status == 127)
		return err_set(err, EXIT_ENVIRONMENT,
			       "ip: command not found; apt-get install iproute2");
	if (r.status != 0) /* the first line has the reason, the last one only the line number */
		return err_set(err, EXIT_ENVIRONMENT, "network of lab node %s: ip: %.*s",
			       lab_node_name(i), (int)strcspn(r.error, "\n"), r.error);
	return 0;
}

static int core_isp(struct host *h, struct err *err)
{
	_cleanup_free_ char *lines = str_fmt(
		"link set lo up\n"
		/* A bridge, so that this side of the uplink outlives a power cut of the host. */
		"link add " LAB_ISP_TAP " address 02:00:cb:00:71:01 type bridge mcast_snooping 0\n"
		"address add 203.0.113.1/24 dev " LAB_ISP_TAP "\n"
		"address add 2001:db8:1::1/64 dev " LAB_ISP_TAP "\n"
		"link set " LAB_ISP_TAP " up\n"
		"link add vpn0 type veth peer name eth0 netns %d\n"
		"address add 198.51.100.1/25 dev vpn0\n"
		"address add 2001:db8:3::1/64 dev vpn0\n"
		"link set vpn0 up\n"
		"link add inet0 type veth peer name eth0 netns %d\n"
		"address add 198.51.100.129/25 dev inet0\n"
		"address add 2001:db8:2::129/64 dev inet0\n"
		"link set inet0 up\n",
		(int)h->nodes[NODE_VPN].pid, (int)h->nodes[NODE_INTERNET].pid);

	return ip_batch(h, NODE_ISP, lines, err);
}

static int core_internet(struct host *h, struct err *err)
{
	_cleanup_free_ char *lines = str_fmt("link set lo up\nlink set eth0 up\n");

	for (int last = 130; last <= 134; last++) {
		char *more = str_fmt("%saddress add 198.51.100.%d/25 dev eth0\n"
				     "address add 2001:db8:2::%d/64 dev eth0\n",
				     lines, last, last);

		free(lines);
		lines = more;
	}
	if (ip_batch(h, NODE_INTERNET, lines, err) < 0)
		return -1;
	return ip_batch(h, NODE_INTERNET,
			"route add default via 198.51.100.129\n"
			"route add ::/0 via 2001:db8:2::129\n",
			err);
}

int lab_net_core(struct host *h, struct err *err)
{
	if (core_isp(h, err) < 0 || core_internet(h, err) < 0)
		return -1;
	return ip_batch(h, NODE_VPN,
			"link set lo up\n"
			"address add 198.51.100.2/25 dev eth0\n"
			"address add 2001:db8:3::2/64 dev eth0\n"
			"link set eth0 up\n"
			"route add default via 198.51.100.1\n"
			"route add ::/0 via 2001:db8:3::1\n",
			err);
}

int lab_net_uplink(struct host *h, struct err *err)
{
	_cleanup_free_ char *lines = str_fmt(
		"link add cust0 type veth peer name eth0 address 02:00:cb:00:71:0a netns %d\n"
		"link set cust0 master " LAB_ISP_TAP " up\n",
		(int)h->nodes[NODE_HOST].pid);

	if (ip_batch(h, NODE_ISP, lines, err) < 0)
		return -1;
	return ip_batch(h, NODE_HOST,
			"link set lo up\n"
			"address add 203.0.113.10/24 dev eth0\n"
			"address add 2001:db8:1::10/64 dev eth0\n"
			"link set eth0 up\n"
			"route add default via 203.0.113.1\n"
			"route add ::/0 via 2001:db8:1::1\n",
			err);
}

int lab_net_cut(struct host *h, struct err *err)
{
	return ip_batch(h, NODE_ISP, "link del cust0\n", err);
}

bool lab_net_kernel_wireguard(struct host *h)
{
	return ip_batch(h, NODE_ISP, "link add lpprobe type wireguard\nlink del lpprobe\n", NULL) ==
	       0;
}

/* Columns of /proc/net/tcp (proc_net_tcp.rst of the kernel): "sl: local:port remote:port state". */
static bool line_listens(const char *line, bool tcp, unsigned port)
{
	const char *local = strchr(line, ':'), *remote;
	unsigned long state, have;
	char *end;

	local = local ? strchr(local + 1, ':') : NULL;
	remote = local ? strchr(local + 1, ':') : NULL;
	if (!remote)
		return false;
	have = strtoul(local + 1, NULL, 16);
	(void)strtoul(remote + 1, &end, 16);
	state = strtoul(end, NULL, 16);
	/* 10 is TCP_LISTEN, 7 is what an unconnected UDP socket shows. */
	return have == port && state == (tcp ? 10U : 7U);
}

static bool table_listens(pid_t pid, const char *protocol, const char *family, unsigned port)
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/net/%s%s", (int)pid, protocol, family);
	_cleanup_free_ char *text = fs_read(path, STATE_MAX, NULL, NULL);
	char *rest = NULL;

	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest))
		if (line_listens(line, strcmp(protocol, "tcp") == 0, port))
			return true;
	return false;
}

bool lab_net_listens(pid_t pid, const char *protocol, unsigned port)
{
	return table_listens(pid, protocol, "", port) || table_listens(pid, protocol, "6", port);
}

bool lab_net_accepts(const char *path)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	return fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0;
}
