/* SPDX-License-Identifier: MIT */
/* ICMP and ICMPv6 echo requests. */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>

#include "probe/probe_run.h"

#define HEADER 8 /* type, code, checksum, identifier, sequence: the same in both versions */

static int is_v6(const struct probe_run *r)
{
	return r->dest.ss_family == AF_INET6;
}

static int protocol(const struct probe_run *r)
{
	return is_v6(r) ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

static int start(struct probe_run *r, struct err *err)
{
	r->fd = probe_socket(r, SOCK_RAW, protocol(r));
	return r->fd < 0 ? err_errno(err, "ICMP socket") : 0;
}

/* RFC 1071; the kernel does it for ICMPv6. */
static void checksum(uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16)) & 0xffff;
	p[2] = (uint8_t)(sum >> 8);
	p[3] = (uint8_t)sum;
}

static ssize_t transmit(struct probe_run *r, const uint8_t *data, size_t len)
{
	return sendto(r->fd, data, len, 0, (struct sockaddr *)&r->dest, r->dest_len);
}

static void attempt(struct probe_run *r, uint32_t seq)
{
	uint8_t data[HEADER + PROBE_PAYLOAD] = { is_v6(r) ? ICMP6_ECHO_REQUEST : ICMP_ECHO };
	ssize_t n;

	data[4] = (uint8_t)(r->id >> 8);
	data[5] = (uint8_t)r->id;
	data[6] = (uint8_t)(seq >> 8);
	data[7] = (uint8_t)seq;
	probe_begin(r, seq);
	probe_payload(r, seq, data + HEADER);
	if (!is_v6(r))
		checksum(data, sizeof(data));
	n = transmit(r, data, sizeof(data));
	if (n < 0 && probe_reopen(r, errno, SOCK_RAW, protocol(r)))
		n = transmit(r, data, sizeof(data));
	probe_sent(r, seq, n < 0 ? errno : 0);
}

/* A raw IPv4 socket gives the IP header too. */
static void on_message(struct probe_run *r, const uint8_t *p, size_t len)
{
	size_t skip = 0;
	uint32_t seq;

	if (!is_v6(r))
		skip = len > 0 ? (size_t)(p[0] & 15) * 4 : 0;
	if (len < skip + HEADER || p[skip] != (is_v6(r) ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY))
		return;
	if (probe_payload_seq(r, p + skip + HEADER, len - skip - HEADER, &seq))
		probe_reply(r, seq, 0);
}

static void ready(struct probe_run *r)
{
	uint8_t buf[2048];
	uint32_t seq;
	ssize_t n;
	int error;

	/* The quoted packet from its ICMP header on (net/ipv4/raw.c, raw_err). */
	while ((n = probe_error(r->fd, buf, sizeof(buf), &error)) >= 0)
		if (n > HEADER && probe_payload_seq(r, buf + HEADER, (size_t)n - HEADER, &seq))
			probe_write(r, PROBE_ERROR, seq, 0, error);
	while ((n = recv(r->fd, buf, sizeof(buf), 0)) >= 0)
		on_message(r, buf, (size_t)n);
}

extern const struct probe_row probe_row_icmp;
const struct probe_row probe_row_icmp = {
	.name = "icmp",
	.summary = "echo requests to the sink, on a clock",
	.dest = PROBE_SINK,
	.port = 0,
	.rate_hz = 50,
	.replies = true,
	.start = start,
	.attempt = attempt,
	.ready = ready,
};
