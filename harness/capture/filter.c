/* SPDX-License-Identifier: MIT */
/* Kernel filters of a tap: compiled by libpcap, attached and read back here. */
#include "capture/filter.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/fs.h"

/* The kernel's and libpcap's instructions have one layout (linux/filter.h, pcap/bpf.h). */
_Static_assert(sizeof(struct sock_filter) == sizeof(struct bpf_insn), "one instruction layout");

static int compile(struct bpf_program *out, int dlt, uint32_t snaplen, const char *text,
		   struct err *err)
{
	pcap_t *dead = pcap_open_dead(dlt, (int)snaplen);
	int rc = 0;

	if (!dead)
		return err_set(err, EXIT_ENVIRONMENT, "no memory for a filter");
	if (pcap_compile(dead, out, text, 1, PCAP_NETMASK_UNKNOWN) < 0)
		rc = err_set(err, EXIT_ENVIRONMENT, "filter \"%s\": %s", text, pcap_geterr(dead));
	pcap_close(dead);
	return rc;
}

int filter_tunnel(struct bpf_program *out, int dlt, uint32_t snaplen, uint8_t protocol,
		  const char *address, uint16_t port, bool negate, struct err *err)
{
	const char *ip = strchr(address, ':') ? "ip6" : "ip";
	const char *p = protocol == IPPROTO_TCP ? "tcp" : "udp";
	uint8_t bin[16];
	_cleanup_free_ char *text = NULL;

	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return err_set(err, EXIT_USAGE, "tunnel protocol %u: neither UDP nor TCP",
			       protocol);
	if (inet_pton(strchr(address, ':') ? AF_INET6 : AF_INET, address, bin) != 1 || port == 0)
		return err_set(err, EXIT_USAGE, "tunnel endpoint %s port %u: not an endpoint",
			       address, port);
	text = str_fmt(
		"%s((%s dst host %s and %s dst port %u) or (%s src host %s and %s src port %u))",
		negate ? "not " : "", ip, address, p, port, ip, address, p, port);
	return compile(out, dlt, snaplen, text, err);
}

int filter_all(struct bpf_program *out, int dlt, uint32_t snaplen, struct err *err)
{
	return compile(out, dlt, snaplen, "", err);
}

int filter_attach(int fd, const struct bpf_program *p, struct err *err)
{
	struct sock_fprog prog = {
		.len = (unsigned short)p->bf_len,
		.filter = (struct sock_filter *)(void *)p->bf_insns,
	};

	if (p->bf_len > BPF_MAXINSNS)
		return err_set(err, EXIT_ENVIRONMENT,
			       "filter of %u instructions: the kernel takes %d", p->bf_len,
			       BPF_MAXINSNS);
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0)
		return err_errno(err, "attaching a filter");
	return 0;
}

int filter_attach_none(int fd, struct err *err)
{
	struct bpf_insn none = { .code = BPF_RET | BPF_K };
	const struct bpf_program p = { .bf_len = 1, .bf_insns = &none };

	return filter_attach(fd, &p, err);
}

int filter_verify(int fd, const struct bpf_program *p, struct err *err)
{
	_cleanup_free_ struct sock_filter *got = calloc(BPF_MAXINSNS, sizeof(*got));
	socklen_t n = BPF_MAXINSNS; /* counted in instructions, see socket(7) and sk_get_filter() */

	if (!got || getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, got, &n) < 0)
		return err_errno(err, "reading the filter back");
	if (n != p->bf_len || memcmp(got, p->bf_insns, n * sizeof(*got)) != 0)
		return err_set(err, EXIT_ENVIRONMENT,
			       "the kernel has a filter of %u instructions, %u were set", n,
			       p->bf_len);
	return 0;
}
