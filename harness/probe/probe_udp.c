/* SPDX-License-Identifier: MIT */
/* UDP datagrams to the sink; a sink that echoes gives round-trip times. */
#include <errno.h>
#include <sys/socket.h>

#include "probe/probe_run.h"

static int start(struct probe_run *r, struct err *err)
{
	r->fd = probe_socket(r, SOCK_DGRAM, 0);
	return r->fd < 0 ? err_errno(err, "UDP socket") : 0;
}

/* Not connected: the route is looked up for each datagram, as it is for most programs' first one. */
static void attempt(struct probe_run *r, uint32_t seq)
{
	uint8_t data[PROBE_PAYLOAD];
	ssize_t n;

	probe_begin(r, seq);
	probe_payload(r, seq, data);
	n = sendto(r->fd, data, sizeof(data), 0, (struct sockaddr *)&r->dest, r->dest_len);
	if (n < 0 && probe_reopen(r, errno, SOCK_DGRAM, 0))
		n = sendto(r->fd, data, sizeof(data), 0, (struct sockaddr *)&r->dest, r->dest_len);
	probe_sent(r, seq, n < 0 ? errno : 0);
}

static void ready(struct probe_run *r)
{
	uint8_t buf[2048];
	uint32_t seq;
	ssize_t n;
	int error;

	while ((n = probe_error(r->fd, buf, sizeof(buf), &error)) >= 0)
		if (probe_payload_seq(r, buf, (size_t)n, &seq))
			probe_write(r, PROBE_ERROR, seq, 0, error);
	while ((n = recv(r->fd, buf, sizeof(buf), 0)) >= 0)
		if (probe_payload_seq(r, buf, (size_t)n, &seq))
			probe_reply(r, seq, 0);
}

extern const struct probe_row probe_row_udp;
const struct probe_row probe_row_udp = {
	.name = "udp",
	.summary = "datagrams to the sink, on a clock",
	.dest = PROBE_SINK,
	.port = 40001,
	.rate_hz = 100,
	.start = start,
	.attempt = attempt,
	.ready = ready,
};
