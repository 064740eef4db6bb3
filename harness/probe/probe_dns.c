/* SPDX-License-Identifier: MIT */
/* DNS lookups over UDP: through the resolver of the container, or past it to a public one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "probe/probe_run.h"

/* RFC 6761 and RFC 2606: names that nobody outside the lab has. Resolvers sort by the last label: what is no public
 * suffix is a name of the local network to them and takes another way than the rest. Both ways must be watched. */
static const char *const zones[] = { "canary.example", "canary.example.org" };

static int start(struct probe_run *r, struct err *err)
{
	if (strlen(r->label) > 63 || strchr(r->label, '.'))
		return err_set(err, EXIT_USAGE, "label %s: one label of at most 63 bytes",
			       r->label);
	r->fd = probe_socket(r, SOCK_DGRAM, 0);
	return r->fd < 0 ? err_errno(err, "UDP socket") : 0;
}

/* RFC 1035, 4.1: header with RD, one question for q<seq>.<label>.<zone>, type A, class IN; the zones by turns. */
static size_t query(const struct probe_run *r, uint32_t seq, uint8_t out[256])
{
	const uint8_t head[12] = { (uint8_t)(seq >> 8), (uint8_t)seq, 1, 0, 0, 1 };
	static const uint8_t tail[5] = { 0, 0, 1, 0, 1 };
	char name[128];
	size_t len = sizeof(head);

	(void)snprintf(name, sizeof(name), "q%u.%s.%s", seq, r->label, zones[seq % 2]);
	memcpy(out, head, sizeof(head));
	for (const char *p = name; *p;) {
		size_t n = strcspn(p, ".");

		out[len++] = (uint8_t)n;
		memcpy(out + len, p, n);
		len += n;
		p += n + (p[n] == '.');
	}
	memcpy(out + len, tail, sizeof(tail));
	return len + sizeof(tail);
}

static void attempt(struct probe_run *r, uint32_t seq)
{
	uint8_t data[256];
	size_t len = query(r, seq, data);
	ssize_t n;

	probe_begin(r, seq);
	n = sendto(r->fd, data, len, 0, (struct sockaddr *)&r->dest, r->dest_len);
	if (n < 0 && probe_reopen(r, errno, SOCK_DGRAM, 0))
		n = sendto(r->fd, data, len, 0, (struct sockaddr *)&r->dest, r->dest_len);
	probe_sent(r, seq, n < 0 ? errno : 0);
}

/* RFC 1035, 4.1.1. "No data" is noted as "no such name": some resolvers make the one of the other. */
static int rcode_of(const uint8_t *head)
{
	int rcode = head[3] & 15;

	return rcode == 0 && head[6] == 0 && head[7] == 0 ? PROBE_DNS_NO_NAME : rcode;
}

static void ready(struct probe_run *r)
{
	uint8_t buf[4096];
	ssize_t n;
	int error;

	while ((n = probe_error(r->fd, buf, sizeof(buf), &error)) >= 0)
		if (n >= 12)
			probe_write(r, PROBE_ERROR,
				    probe_seq_of(r, (uint16_t)(buf[0] << 8 | buf[1])), 0, error);
	while ((n = recv(r->fd, buf, sizeof(buf), 0)) >= 0)
		if (n >= 12 && buf[2] & 0x80)
			probe_reply(r, probe_seq_of(r, (uint16_t)(buf[0] << 8 | buf[1])),
				    rcode_of(buf));
}

extern const struct probe_row probe_row_dns;
const struct probe_row probe_row_dns = {
	.name = "dns",
	.summary = "lookups through Docker's resolver in the container, each name once",
	.dest = "127.0.0.11",
	.port = 53,
	.rate_hz = 20,
	.needs_label = true,
	.replies = true,
	.start = start,
	.attempt = attempt,
	.ready = ready,
};

extern const struct probe_row probe_row_dns_public;
const struct probe_row probe_row_dns_public = {
	.name = PROBE_PUBLIC_DNS,
	.summary = "lookups past the container's resolver to a public one, each name once",
	.dest = PROBE_RESOLVER,
	.port = 53,
	.rate_hz = 20,
	.needs_label = true,
	.replies = true,
	.start = start,
	.attempt = attempt,
	.ready = ready,
};
