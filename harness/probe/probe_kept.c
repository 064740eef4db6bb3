/* SPDX-License-Identifier: MIT */
/* One TCP connection, opened before the fault and kept: what a torrent peer or a web socket is. */
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "probe/probe_run.h"

#define CONNECT_MS 4000

struct kept {
	uint64_t sent;	 /* bytes given to the kernel */
	uint32_t oldest; /* first attempt that is not acknowledged */
	uint64_t ends
		[PROBE_REMEMBERED]; /* value of `sent` after each attempt; 0 = nothing of it left */
};

static int start(struct probe_run *r, struct err *err)
{
	struct pollfd p = { .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error = 0;

	r->kind = calloc(1, sizeof(struct kept));
	r->fd = probe_socket(r, SOCK_STREAM, 0);
	if (!r->kind || r->fd < 0)
		return err_errno(err, "TCP socket");
	if (connect(r->fd, (struct sockaddr *)&r->dest, r->dest_len) < 0 && errno != EINPROGRESS)
		return err_errno(err, "connection to keep");
	p.fd = r->fd;
	if (poll(&p, 1, CONNECT_MS) != 1)
		return err_set(err, EXIT_ENVIRONMENT, "connection to keep: no answer in %d ms",
			       CONNECT_MS);
	(void)getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	errno = error;
	return error ? err_errno(err, "connection to keep") : 0;
}

/* Bytes that left the send queue were acknowledged: that is the answer, to the precision of one attempt. */
static void acknowledge(struct probe_run *r, struct kept *k)
{
	int queued = 0;

	if (r->fd < 0 || ioctl(r->fd, SIOCOUTQ, &queued) < 0)
		return;
	for (; k->oldest <= r->last_seq; k->oldest++) {
		uint64_t end = k->ends[k->oldest % PROBE_REMEMBERED];

		if (end > k->sent - (uint64_t)queued)
			return;
		if (end > 0)
			probe_reply(r, k->oldest, 0);
	}
}

/* A broken connection stays broken: each later attempt fails with EPIPE, as it does for the program. */
static void attempt(struct probe_run *r, uint32_t seq)
{
	struct kept *k = r->kind;
	uint8_t data[PROBE_PAYLOAD];
	ssize_t n = -1;

	acknowledge(r, k);
	probe_begin(r, seq);
	probe_payload(r, seq, data);
	errno = EPIPE;
	if (r->fd >= 0)
		n = send(r->fd, data, sizeof(data), MSG_NOSIGNAL);
	if (n > 0)
		k->sent += (uint64_t)n;
	k->ends[seq % PROBE_REMEMBERED] = n > 0 ? k->sent : 0;
	probe_sent(r, seq, n < 0 ? errno : 0);
}

static void ready(struct probe_run *r)
{
	uint8_t buf[4096];
	ssize_t n;

	if (r->fd < 0)
		return;
	acknowledge(r, r->kind);
	do {
		n = recv(r->fd, buf, sizeof(buf), 0);
	} while (n > 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	probe_write(r, PROBE_ERROR, r->last_seq, 0, n == 0 ? ECONNRESET : errno);
	(void)close(r->fd);
	r->fd = -1;
}

extern const struct probe_row probe_row_kept;
const struct probe_row probe_row_kept = {
	.name = "kept-connection",
	.summary = "one connection to the sink, opened at the start and written to on a clock",
	.dest = PROBE_SINK,
	.port = 40003,
	.rate_hz = 50,
	.replies = true,
	.start = start,
	.attempt = attempt,
	.ready = ready,
};
