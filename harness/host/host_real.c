// SPDX-License-Identifier: MIT
/* The machine itself as host: what it is called and which addresses it must not betray. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "host/host_internal.h"

#define ROUTES_MAX ((size_t)4 << 20)
/* Column of a line of /proc/net/route: interface, target, gateway, flags, references, use, metric, mask. */
enum { ROUTE_TARGET = 1, ROUTE_METRIC = 6, ROUTE_MASK = 7 };

static const char *column(const char *line, int n)
{
	for (; n > 0 && line; n--) {
		line = strchr(line, '\t');
		line = line ? line + 1 : NULL;
	}
	return line ? line : "";
}

static const char *next_line(const char *line)
{
	const char *nl = strchr(line, '\n');

	return nl ? nl + 1 : NULL;
}

/* Is it a default route? Its metric then; else -1. */
static long default_metric(const char *line)
{
	char *end;
	unsigned long target = strtoul(column(line, ROUTE_TARGET), &end, 16);

	if (*end != '\t' || target != 0 || strtoul(column(line, ROUTE_MASK), NULL, 16) != 0)
		return -1;
	return strtol(column(line, ROUTE_METRIC), NULL, 10);
}

/* The interfaces of the default routes in /proc/net/route, the one with the lowest metric first. */
static void uplinks_v4(char ***list)
{
	_cleanup_free_ char *text = fs_read("/proc/self/net/route", ROUTES_MAX, NULL, NULL);
	long before = -1;

	for (;;) {
		long lowest = -1;

		/* Each pass takes the next metric; there are as few of them as default routes. */
		for (const char *line = text; line && *line; line = next_line(line)) {
			long metric = default_metric(line);

			if (metric > before && (lowest < 0 || metric < lowest))
				lowest = metric;
		}
		if (lowest < 0)
			return;
		for (const char *line = text; line && *line; line = next_line(line)) {
			_cleanup_free_ char *name = str_fmt("%.*s", (int)strcspn(line, "\t "),
							    line);

			if (default_metric(line) == lowest)
				host_list_add(list, name);
		}
		before = lowest;
	}
}

/* The same of /proc/net/ipv6_route, whose first field of zeros over zero bits is the default. */
static void uplinks_v6(char ***list)
{
	static const char any[] = "00000000000000000000000000000000 00";
	_cleanup_free_ char *text = fs_read("/proc/self/net/ipv6_route", ROUTES_MAX, NULL, NULL);
	char *rest = NULL;

	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		const char *name = strrchr(line, ' ');

		if (strncmp(line, any, strlen(any)) == 0 && name && strcmp(name + 1, "lo") != 0)
			host_list_add(list, name + 1);
	}
}

static bool global_v6(const struct in6_addr *a)
{
	return !IN6_IS_ADDR_LINKLOCAL(a) && !IN6_IS_ADDR_LOOPBACK(a) && !IN6_IS_ADDR_MULTICAST(a);
}

/* Text of an address of an uplink that identifies the machine; NULL for others. */
static char *address_text(const struct ifaddrs *i, int family)
{
	char text[INET6_ADDRSTRLEN];
	struct sockaddr_in6 a6;
	struct sockaddr_in a4;

	if (!i->ifa_addr || i->ifa_addr->sa_family != family)
		return NULL;
	if (family == AF_INET) {
		memcpy(&a4, i->ifa_addr, sizeof(a4));
		return str_fmt("%s", inet_ntop(AF_INET, &a4.sin_addr, text, sizeof(text)));
	}
	memcpy(&a6, i->ifa_addr, sizeof(a6));
	if (!global_v6(&a6.sin6_addr))
		return NULL;
	return str_fmt("%s", inet_ntop(AF_INET6, &a6.sin6_addr, text, sizeof(text)));
}

static void add_addresses(char ***list, const struct ifaddrs *all, const char *uplink, int family)
{
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		_cleanup_free_ char *text = strcmp(i->ifa_name, uplink) == 0
						    ? address_text(i, family)
						    : NULL;

		if (text)
			host_list_add(list, text);
	}
}

static int uplink_addresses(struct host *h, struct err *err)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct ifaddrs *all = NULL;

	if (getifaddrs(&all) < 0)
		return err_errno(err, "addresses of %s", host_uplink(h));
	for (size_t f = 0; f < 2; f++)
		for (char **u = h->uplinks; *u; u++)
			add_addresses(&h->addrs, all, *u, families[f]);
	freeifaddrs(all);
	if (!h->addrs)
		return err_set(err, EXIT_ENVIRONMENT, "interface %s has no address to protect",
			       host_uplink(h));
	return 0;
}

/* DOCKER_HOST counts where it names a unix socket: the taps must be on the same machine. */
static char *docker_socket(struct err *err)
{
	static const char scheme[] = "unix://";
	const char *env = getenv("DOCKER_HOST");
	const char *path = "/var/run/docker.sock";

	if (env && *env) {
		if (strncmp(env, scheme, strlen(scheme)) != 0) {
			err_set(err, EXIT_ENVIRONMENT,
				"DOCKER_HOST=%s: the harness must run on the machine whose Docker "
				"runs the stack; unset it, or give unix:///PATH",
				env);
			return NULL;
		}
		path = env + strlen(scheme);
	}
	if (access(path, R_OK | W_OK) == 0)
		return str_fmt("%s", path);
	err_errno(err, "no Docker socket at %s (is docker running, and are you root?)", path);
	return NULL;
}

static int fill(struct host *h, struct err *err)
{
	struct lab_node *n = &h->nodes[NODE_HOST];

	uplinks_v4(&h->uplinks);
	uplinks_v6(&h->uplinks);
	if (!h->uplinks)
		return err_set(err, EXIT_ENVIRONMENT,
			       "this machine has no default route, so no interface to watch");
	if (uplink_addresses(h, err) < 0 || !(h->socket = docker_socket(err)))
		return -1;
	n->pid = 1;
	n->start = proc_start_time(1);
	n->netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	n->pidns_fd = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (n->netns_fd < 0 || n->pidns_fd < 0)
		return err_errno(err, "/proc/self/ns");
	return 0;
}

static int make_state(struct host *h, struct err *err)
{
	h->state_dir = str_fmt("%s/real-%d", RUN_DIR, (int)getpid());
	if (fs_mkdir_p(h->state_dir, 0700, err) < 0)
		return -1;
	lab_state_own(h);
	return lab_state_save(h, err);
}

static struct host *open_real(bool with_state, struct err *err)
{
	struct host *h = calloc(1, sizeof(*h));

	if (!h)
		abort();
	h->id = str_fmt("real");
	h->state = json_object();
	for (int i = 0; i < N_NODES; i++)
		h->nodes[i] = (struct lab_node){ .netns_fd = -1, .pidns_fd = -1, .ctl_fd = -1 };
	if (fill(h, err) < 0 || (with_state && make_state(h, err) < 0)) {
		host_close(h);
		return NULL;
	}
	return h;
}

struct host *host_real_open(struct err *err)
{
	return open_real(true, err);
}

struct host *host_real_look(struct err *err)
{
	return open_real(false, err);
}
