// SPDX-License-Identifier: MIT
/* Networks of the gateway stand-in and its policy routing: the tables and priorities of upstream. */
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway.h"

#define TABLE_INBOUND "200"
#define PRIO_INBOUND  "100"
#define PRIO_LOCAL    "98"

struct local_net local_nets[NETS_MAX];
size_t n_local_nets;
struct default_route default_routes[NETS_MAX];
size_t n_default_routes;

/* A line of /proc/net/route: the main table in the kernel's order, addresses as they are in memory. */
struct route_line {
	char dev[IF_NAMESIZE];
	uint32_t dest, router, mask;
};

static bool is_ethernet(const char *dev)
{
	struct ifreq r = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc;

	(void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", dev);
	rc = ioctl(fd, SIOCGIFHWADDR, &r);
	(void)close(fd);
	return rc == 0 && r.ifr_hwaddr.sa_family == ARPHRD_ETHER;
}

/* The first address of a device: "0.0.0.0" where it has none. */
static void first_address(const char *dev, char out[INET_ADDRSTRLEN])
{
	struct ifreq r = { 0 };
	struct sockaddr_in a = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", dev);
	if (ioctl(fd, SIOCGIFADDR, &r) == 0)
		memcpy(&a, &r.ifr_addr, sizeof(a));
	(void)close(fd);
	(void)inet_ntop(AF_INET, &a.sin_addr, out, INET_ADDRSTRLEN);
}

static void add_default(const struct route_line *l)
{
	struct default_route *d = &default_routes[n_default_routes];

	if (n_default_routes == NETS_MAX)
		return;
	(void)snprintf(d->dev, sizeof(d->dev), "%s", l->dev);
	first_address(l->dev, d->address);
	(void)inet_ntop(AF_INET, &l->router, d->router, sizeof(d->router));
	n_default_routes++;
	say("routing", "default route found: interface %s, gateway %s, assigned IP %s", d->dev,
	    d->router, d->address);
}

static void add_local(const struct route_line *l)
{
	struct local_net *n = &local_nets[n_local_nets];
	char text[INET_ADDRSTRLEN];

	if (n_local_nets == NETS_MAX || !is_ethernet(l->dev))
		return;
	(void)snprintf(n->dev, sizeof(n->dev), "%s", l->dev);
	first_address(l->dev, n->address);
	(void)inet_ntop(AF_INET, &l->dest, text, sizeof(text));
	(void)snprintf(n->prefix, sizeof(n->prefix), "%s/%d", text, __builtin_popcount(l->mask));
	n_local_nets++;
	say("routing", "local ipnet found: %s", n->prefix);
}

void net_find(void)
{
	FILE *f = fopen("/proc/net/route", "re");
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		struct route_line l = { 0 };

		/* NOLINTNEXTLINE(cert-err34-c): the kernel writes 32 bits in 8 digits */
		if (sscanf(line, "%15s %x %x %*x %*d %*d %*d %x", l.dev, &l.dest, &l.router,
			   &l.mask) != 4)
			continue;
		if (l.dest == 0 && l.router != 0)
			add_default(&l);
		else if (l.dest != 0 && l.router == 0)
			add_local(&l);
	}
	if (f)
		(void)fclose(f);
	if (n_default_routes == 0)
		die("routing", "default route not found");
	if (n_local_nets == 0)
		die("routing", "local subnet not found");
}

void net_set_up(void)
{
	for (size_t i = 0; i < n_default_routes; i++) {
		const struct default_route *d = &default_routes[i];

		(void)run("ip rule add from %s table " TABLE_INBOUND " priority " PRIO_INBOUND,
			  d->address);
		(void)run("ip route replace default via %s dev %s table " TABLE_INBOUND, d->router,
			  d->dev);
	}
	/* Before the local rules, as upstream. */
	firewall_outbound();
	for (size_t i = 0; i < n_local_nets; i++)
		(void)run("ip rule add to %s table main priority " PRIO_LOCAL,
			  local_nets[i].prefix);
}

void net_tear_down(void)
{
	say("routing", "routing cleanup...");
	for (size_t i = 0; i < n_default_routes; i++) {
		(void)run_quiet("ip route del default table " TABLE_INBOUND);
		(void)run_quiet("ip rule del from %s table " TABLE_INBOUND
				" priority " PRIO_INBOUND,
				default_routes[i].address);
	}
}
