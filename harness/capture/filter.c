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

	if (!dead) {
		(void)err_set(err, EXIT_ENVIRONMENT, "no memory for a filter");
		return -1; /* in so many words, for the analyzer: *out is not set then */
	}
	if (pcap_compile(dead, out, text, 1, PCAP_NETMASK_UNKNOWN) < 0)
		rc = err_set(err, EXIT_ENVIRONMENT, "filter \"%s\": %s", text, pcap_geterr(dead));
	pcap_close(dead);
	return rc;
}

/* A filter that reads beyond the end of a frame says no, whatever it was asked; so what is too short for the reads is
 * told first. Caller frees. */
static char *short_text(int dlt)
{
	unsigned link = dlt == DLT_EN10MB ? 14 : 0;

	return str_fmt("(len < %u or (ip and len < ((ip[0] & 0xf) << 2) + %u) or "
		       "(ip6 and len < %u))",
		       link + 20, link + 4, link + 44);
}

/* The expression for the tuple; caller frees. NULL and *err when it is none. */
static char *tuple_text(uint8_t protocol, const char *address, uint16_t port, struct err *err)
{
	const char *ip = strchr(address, ':') ? "ip6" : "ip";
	const char *p = protocol == IPPROTO_TCP ? "tcp" : "udp";
	uint8_t bin[16];

	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) {
		(void)err_set(err, EXIT_USAGE, "tunnel protocol %u: neither UDP nor TCP", protocol);
		return NULL;
	}
	if (inet_pton(strchr(address, ':') ? AF_INET6 : AF_INET, address, bin) != 1 || port == 0) {
		(void)err_set(err, EXIT_USAGE, "tunnel endpoint %s port %u: not an endpoint",
			      address, port);
		return NULL;
	}
	return str_fmt(
		"((%s dst host %s and %s dst port %u) or (%s src host %s and %s src port %u))", ip,
		address, p, port, ip, address, p, port);
}

int filter_tunnel(struct bpf_program *out, int dlt, uint32_t snaplen, uint8_t protocol,
		  const char *address, uint16_t port, bool negate, struct err *err)
{
	_cleanup_free_ char *tuple = tuple_text(protocol, address, port, err);
	_cleanup_free_ char *cut = short_text(dlt);
	_cleanup_free_ char *text = NULL;

	if (!tuple)
		return -1;
	text = negate ? str_fmt("%s or not %s", cut, tuple) : str_fmt("not %s and %s", cut, tuple);
	return compile(out, dlt, snaplen, text, err);
}

int filter_all(struct bpf_program *out, int dlt, uint32_t snaplen, struct err *err)
{
	return compile(out, dlt, snaplen, "", err);
}

/* Append `next` to *out: where *out says no, next is asked. Takes over next's instructions. */
static int chain(struct bpf_program *out, struct bpf_program *next, struct err *err)
{
	size_t n = out->bf_len, m = next->bf_len;
	struct bpf_insn *all = calloc(n + m, sizeof(*all));

	if (!all) {
		pcap_freecode(next);
		return err_set(err, EXIT_ENVIRONMENT, "no memory for a filter");
	}
	for (size_t i = 0; i < n; i++) {
		all[i] = out->bf_insns[i];
		/* A jump counts from the instruction behind it. */
		if (all[i].code == (BPF_RET | BPF_K) && all[i].k == 0)
			all[i] = (struct bpf_insn){ .code = BPF_JMP | BPF_JA,
						    .k = (uint32_t)(n - 1 - i) };
	}
	memcpy(all + n, next->bf_insns, m * sizeof(*all));
	pcap_freecode(out);
	pcap_freecode(next);
	*out = (struct bpf_program){ .bf_len = (unsigned)(n + m), .bf_insns = all };
	return 0;
}

/* Whole segments and datagrams; DHCP of both families has options that are wanted to the end. */
static const char bulk[] =
	"(ip and ip[6:2] & 0x3fff = 0 and (tcp or (udp and not port 67 and not port 68))) or "
	"(ip6 and (ip6[6] = 6 or (ip6[6] = 17 and not port 546 and not port 547)))";

int filter_inside(struct bpf_program *out, int dlt, uint32_t snaplen, uint32_t tunnel_snaplen,
		  uint8_t protocol, const char *address, uint16_t port, struct err *err)
{
	_cleanup_free_ char *cut = short_text(dlt);
	struct bpf_program next;
	int rc = compile(out, dlt, snaplen, cut, err);

	if (rc < 0)
		return -1;
	if (protocol) {
		rc = filter_tunnel(&next, dlt, tunnel_snaplen, protocol, address, port, false, err);
		if (rc == 0)
			rc = chain(out, &next, err);
	}
	if (rc == 0 && (rc = compile(&next, dlt, FILTER_INSIDE_SNAPLEN, bulk, err)) == 0)
		rc = chain(out, &next, err);
	if (rc == 0 && (rc = filter_all(&next, dlt, snaplen, err)) == 0)
		rc = chain(out, &next, err);
	if (rc < 0)
		pcap_freecode(out);
	return rc;
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
