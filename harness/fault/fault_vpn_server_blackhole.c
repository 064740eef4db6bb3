/* SPDX-License-Identifier: MIT */
/* vpn.server-blackhole: the VPN server is there and silent, as when a provider or a firewall drops it. */
#include "fault/fault.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "fault/nft.h"
#include "fault/target.h"

#define ENVIRON_MAX ((size_t)1 << 20)

struct params {
	char *service;
};

static const struct field fields[] = {
	ROW_NAME("service", struct params, service,
		 .help = "the gateway, found by its role by default; on a real host its "
			 "environment says where the server is"),
	ROW_END,
};

/* At the server, before anything there sees the packets; both directions. */
static char *server_body(const char *address, unsigned port)
{
	return str_fmt("\tchain in {\n\t\ttype filter hook prerouting priority -300;\n"
		       "\t\tip daddr %s meta l4proto { tcp, udp } th dport %u counter drop\n\t}\n"
		       "\tchain out {\n\t\ttype filter hook output priority -300;\n"
		       "\t\tip saddr %s meta l4proto { tcp, udp } th sport %u counter drop\n\t}\n",
		       address, port, address, port);
}

/* On the way out of a real host. */
static char *host_body(const char *address, unsigned port)
{
	return str_fmt("\tchain forward {\n\t\ttype filter hook forward priority -300;\n"
		       "\t\tip daddr %s meta l4proto { tcp, udp } th dport %u counter drop\n"
		       "\t\tip saddr %s meta l4proto { tcp, udp } th sport %u counter drop\n\t}\n"
		       "\tchain out {\n\t\ttype filter hook output priority -300;\n"
		       "\t\tip daddr %s meta l4proto { tcp, udp } th dport %u counter drop\n\t}\n",
		       address, port, address, port, address, port);
}

/* The value of a variable in the environment of a process, NULL when it has none; caller frees. */
static char *variable(const char *environ_text, size_t len, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = environ_text; p < environ_text + len; p += strlen(p) + 1)
		if (strncmp(p, name, n) == 0 && p[n] == '=')
			return str_fmt("%s", p + n + 1);
	return NULL;
}

/* The endpoint as the gateway was told it (Gluetun's variables, new and old names). */
static int endpoint_of(pid_t gateway, char **address, unsigned *port, struct err *err)
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/environ", (int)gateway);
	size_t len = 0;
	_cleanup_free_ char *text = fs_read(path, ENVIRON_MAX, &len, err);
	_cleanup_free_ char *ip = NULL, *number = NULL;
	struct in_addr parsed;
	char *end;
	unsigned long n;

	if (!text)
		return -1;
	ip = variable(text, len, "WIREGUARD_ENDPOINT_IP");
	number = variable(text, len, "WIREGUARD_ENDPOINT_PORT");
	if (!ip)
		ip = variable(text, len, "VPN_ENDPOINT_IP");
	if (!number)
		number = variable(text, len, "VPN_ENDPOINT_PORT");
	/* Both go into a firewall script, so they must be what they say they are. */
	n = number ? strtoul(number, &end, 10) : 0;
	if (!ip || inet_pton(AF_INET, ip, &parsed) != 1 || n == 0 || n > 65535 || *end)
		return err_set(
			err, EXIT_ENVIRONMENT,
			"the gateway's environment names no WIREGUARD_ENDPOINT_IP and _PORT");
	*address = take_ptr(ip);
	*port = (unsigned)n;
	return 0;
}

static int prepare_lab(struct fault_active *a, struct err *err)
{
	const struct lab_vpn *vpn = host_lab_vpn(a->ctx->host);
	_cleanup_free_ char *body = server_body(vpn->endpoint, vpn->port);

	free(a->target);
	a->target = str_fmt("at the VPN server (%s:%u)", vpn->endpoint, vpn->port);
	return nft_prepare(a, host_node_pid(a->ctx->host, "vpn"), "inet", body, err);
}

static int prepare_real(struct fault_active *a, struct err *err)
{
	const struct params *p = a->params;
	const char *name = p->service;
	pid_t gateway = target_gateway_pid(a->ctx, &name, err);
	_cleanup_free_ char *address = NULL, *body = NULL;
	unsigned port = 0;

	if (gateway < 0 || endpoint_of(gateway, &address, &port, err) < 0)
		return -1;
	body = host_body(address, port);
	free(a->target);
	a->target = str_fmt("to %s:%u in the host's firewall", address, port);
	return nft_prepare(a, host_init_pid(a->ctx->host), "inet", body, err);
}

static int prepare(struct fault_active *a, struct err *err)
{
	return host_is_lab(a->ctx->host) ? prepare_lab(a, err) : prepare_real(a, err);
}

const struct fault fault_vpn_server_blackhole = {
	.kind = { .name = "vpn.server-blackhole",
		  .summary = "the tunnel's packets vanish without a word, in both directions",
		  .help = "Lab: an nft table at the VPN server drops exactly the tunnel's "
			  "address and port. Real host: the same in the host's firewall, "
			  "so it needs --i-mean-it.",
		  .fields = fields,
		  .params_size = sizeof(struct params) },
	.heals = "the table is removed",
	.reaches_host = true,
	.tools = nft_tools,
	.prepare = prepare,
	.apply = nft_apply,
	.confirm = nft_confirm,
	.undo = nft_undo,
};
