/* SPDX-License-Identifier: MIT */
/* net.partition: two services no longer reach each other, everything else stays. */
#include "fault/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "fault/nft.h"
#include "fault/target.h"

#define PORTS_MAX 8
#define NAME_SIZE 16 /* IFNAMSIZ */
#define MAC_SIZE  18

struct params {
	struct strlist between;
	bool one_way;
};

static const struct field fields[] = {
	ROW_LIST("between", struct params, between, 2, 2, .required = true,
		 .help = "two services on one network"),
	ROW_BOOL("one-way", struct params, one_way, .def = "false",
		 .help = "drop only what the first sends to the second"),
	ROW_END,
};

/* One leg of a container on a bridge of the host. */
struct port {
	char host_name[NAME_SIZE]; /* of the host's end */
	char bridge[NAME_SIZE];
	char mac[MAC_SIZE]; /* of the container's end */
};

static const char *text_of(const json_t *link, const char *key)
{
	const char *s = json_string_value(json_object_get(link, key));

	return s ? s : "";
}

static const json_t *link_of_index(const json_t *links, json_int_t index)
{
	const json_t *l;
	size_t i;

	json_array_foreach(links, i, l)
	{
		if (json_integer_value(json_object_get(l, "ifindex")) == index)
			return l;
	}
	return NULL;
}

/* The legs of a container: its links whose other end is a bridge port of the host. */
static int ports_of(pid_t pid, const json_t *host_links, struct port *ports, struct err *err)
{
	_cleanup_json_ json_t *netns = target_netns(pid, err);
	_cleanup_json_ json_t *links = netns ? target_links(netns, err) : NULL;
	const json_t *l;
	size_t i;
	int n = 0;

	if (!links)
		return -1;
	json_array_foreach(links, i, l)
	{
		json_int_t peer = json_integer_value(json_object_get(l, "link_index"));
		const json_t *h = peer > 0 ? link_of_index(host_links, peer) : NULL;

		if (!h || !*text_of(h, "master") || n == PORTS_MAX)
			continue;
		(void)snprintf(ports[n].host_name, NAME_SIZE, "%s", text_of(h, "ifname"));
		(void)snprintf(ports[n].bridge, NAME_SIZE, "%s", text_of(h, "master"));
		(void)snprintf(ports[n].mac, MAC_SIZE, "%s", text_of(l, "address"));
		n++;
	}
	return n;
}

static int find_pair(const struct port *a, int na, const struct port *b, int nb,
		     struct port pair[2])
{
	for (int i = 0; i < na; i++)
		for (int j = 0; j < nb; j++)
			if (strcmp(a[i].bridge, b[j].bridge) == 0 &&
			    strcmp(a[i].host_name, b[j].host_name) != 0) {
				pair[0] = a[i];
				pair[1] = b[j];
				return 0;
			}
	return -1;
}

/* By port, which catches every frame and broadcasts too; and by MAC, which still holds when a container comes
 * back on a new port with its old address. */
static char *rules(const struct port *from, const struct port *to)
{
	return str_fmt("\t\tiifname \"%s\" oifname \"%s\" counter drop\n"
		       "\t\tether saddr %s ether daddr %s counter drop\n",
		       from->host_name, to->host_name, from->mac, to->mac);
}

static int prepare_pair(struct fault_active *a, pid_t host, pid_t one, pid_t two, struct err *err)
{
	const struct params *p = a->params;
	_cleanup_json_ json_t *netns = target_netns(host, err);
	_cleanup_json_ json_t *host_links = netns ? target_links(netns, err) : NULL;
	struct port first[PORTS_MAX], second[PORTS_MAX], pair[2];
	_cleanup_free_ char *there = NULL, *back = NULL, *body = NULL;
	int n, m;

	if (!host_links)
		return -1;
	n = ports_of(one, host_links, first, err);
	m = n < 0 ? -1 : ports_of(two, host_links, second, err);
	if (m < 0)
		return -1;
	if (find_pair(first, n, second, m, pair) < 0)
		return err_set(err, EXIT_ENVIRONMENT, "%s and %s share no bridge of this host",
			       p->between.items[0], p->between.items[1]);
	there = rules(&pair[0], &pair[1]);
	back = p->one_way ? str_fmt("%s", "") : rules(&pair[1], &pair[0]);
	body = str_fmt("\tchain f {\n\t\ttype filter hook forward priority -300;\n%s%s\t}\n", there,
		       back);
	return nft_prepare(a, host, "bridge", body, err);
}

static int prepare(struct fault_active *a, struct err *err)
{
	const struct params *p = a->params;
	pid_t one, two;

	one = target_service_pid(a->ctx, p->between.items[0], err);
	if (one < 0)
		return -1;
	two = target_service_pid(a->ctx, p->between.items[1], err);
	if (two < 0)
		return -1;
	free(a->target);
	a->target = str_fmt("%s %s %s", p->between.items[0], p->one_way ? "->" : "<->",
			    p->between.items[1]);
	return prepare_pair(a, host_init_pid(a->ctx->host), one, two, err);
}

static const char *const tools[] = { "nft", "ip", NULL };

const struct fault fault_net_partition = {
	.kind = { .name = "net.partition",
		  .summary = "frames between two services are dropped on their bridge",
		  .help = "An nft table of the bridge family in the host's namespace drops "
			  "every frame between the two ports; all other ports of the bridge "
			  "go on. On a real host that is the host's firewall, so it needs "
			  "--i-mean-it.",
		  .fields = fields,
		  .params_size = sizeof(struct params) },
	.heals = "the table is removed",
	.reaches_host = true,
	.tools = tools,
	.prepare = prepare,
	.apply = nft_apply,
	.confirm = nft_confirm,
	.undo = nft_undo,
};
