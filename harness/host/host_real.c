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

/* Is it a default route? Its metric then; else -1. */
static long default_metric(const char *line)
{
	char *end;
	unsigned long target = strtoul(column(line, ROUTE_TARGET), &end, 16);

	if (*end != '\t' || target != 0 || strtoul(column(line, ROUTE_MASK), NULL, 16) != 0)
		return -1;
	return strtol(column(line, ROUTE_METRIC), NULL, 10);
}

/* The interface of the default route with the lowest metric in /proc/net/route; NULL: none. */
static char *uplink_v4(void)
{
	_cleanup_free_ char *text = fs_read("/proc/self/net/route", ROUTES_MAX, NULL, NULL);
	char *rest = NULL, *best = NULL;
	long lowest = -1;

	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		long metric = default_metric(line);

		if (metric < 0 || (best && metric >= lowest))
			continue;
		free(best);
		best = str_fmt("%.*s", (int)strcspn(line, "\t "), line);
		lowest = metric;
	}
	return best;
}

/* The same of /proc/net/ipv6_route, whose first field of zeros over zero bits is the default. */
static char *uplink_v6(void)
{
	_cleanup_free_ char *text = fs_read("/proc/self/net/ipv6_route", ROUTES_MAX, NULL, NULL);
	char *rest = NULL;

	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		static const char any[] = "00000000000000000000000000000000 00";
		const char *name = strrchr(line, ' ');

		if (strncmp(line, any, strlen(any)) == 0 && name && strcmp(name + 1, "lo") != 0)
			return str_fmt("%s", name + 1);
	}
	return NULL;
}

static bool global_v6(const struct in6_addr *a)
{
	return !IN6_IS_ADDR_LINKLOCAL(a) && !IN6_IS_ADDR_LOOPBACK(a) && !IN6_IS_ADDR_MULTICAST(a);
}

/* Text of an address of the uplink that identifies the machine; NULL for others. */
static char *address_text(const struct ifaddrs *i, int family)
{
	char text[INET6_ADDRSTRLEN];

	if (!i->ifa_addr || i->ifa_addr->sa_family != family)
		return NULL;
	if (family == AF_INET) {
		struct sockaddr_in a;

		memcpy(&a, i->ifa_addr, sizeof(a));
		return str_fmt("%s", inet_ntop(AF_INET, &a.sin_addr, text, sizeof(text)));
	}
	struct sockaddr_in6 a;

	memcpy(&a, i->ifa_addr, sizeof(a));
	if (!global_v6(&a.sin6_addr))
		return NULL;
	return str_fmt("%s", inet_ntop(AF_INET6, &a.sin6_addr, text, sizeof(text)));
}

static char **uplink_addresses(const char *uplink, struct err *err)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct ifaddrs *all = NULL;
	char **list = calloc(1, sizeof(*list));
	size_t n = 0;

	if (!list)
		abort();
	if (getifaddrs(&all) < 0) {
		free(list);
		err_errno(err, "addresses of %s", uplink);
		return NULL;
	}
	for (size_t f = 0; f < 2; f++)
		for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
			char *text = strcmp(i->ifa_name, uplink) == 0 ? address_text(i, families[f])
								      : NULL;

			if (!text)
				continue;
			list = realloc(list, (n + 2) * sizeof(*list));
			if (!list)
				abort();
			list[n++] = text;
			list[n] = NULL;
		}
	freeifaddrs(all);
	return list;
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
	struct node *n = &h->nodes[NODE_HOST];

	h->uplink = uplink_v4();
	if (!h->uplink)
		h->uplink = uplink_v6();
	if (!h->uplink)
		return err_set(err, EXIT_ENVIRONMENT,
			       "this machine has no default route, so no interface to watch");
	h->addrs = uplink_addresses(h->uplink, err);
	h->socket = h->addrs ? docker_socket(err) : NULL;
	if (!h->socket)
		return -1;
	n->pid = 1;
	n->start = proc_start_time(1);
	n->netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	n->pidns_fd = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (n->netns_fd < 0 || n->pidns_fd < 0)
		return err_errno(err, "/proc/self/ns");
	if (fs_mkdir_p(h->state_dir, 0700, err) < 0)
		return -1;
	lab_state_own(h);
	return lab_state_save(h, err);
}

struct host *host_real_open(struct err *err)
{
	struct host *h = calloc(1, sizeof(*h));

	if (!h)
		abort();
	h->id = str_fmt("real");
	h->state = json_object();
	h->state_dir = str_fmt("%s/real-%d", RUN_DIR, (int)getpid());
	for (int i = 0; i < N_NODES; i++)
		h->nodes[i] = (struct node){ .netns_fd = -1, .pidns_fd = -1, .ctl_fd = -1 };
	if (fill(h, err) < 0) {
		host_close(h);
		return NULL;
	}
	return h;
}
