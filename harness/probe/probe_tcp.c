/* SPDX-License-Identifier: MIT */
/* TCP connections on a clock: each attempt is a new one, however the others fare. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "probe/probe_run.h"

#define OPEN_MAX 1024 /* connections under way; the oldest gives way */
#define PATIENCE (2 * NS_PER_S)

struct attempt {
	int fd; /* 0 = free */
	uint32_t seq;
	int64_t since; /* MONOTONIC */
};

static int start(struct probe_run *r, struct err *err)
{
	r->kind = calloc(OPEN_MAX, sizeof(struct attempt));
	r->fd = epoll_create1(EPOLL_CLOEXEC);
	return !r->kind || r->fd < 0 ? err_errno(err, "epoll") : 0;
}

/* RST instead of FIN: no connection is left in TIME_WAIT to use up ports. */
static void finish(struct attempt *a)
{
	const struct linger now = { 1, 0 };

	(void)setsockopt(a->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	(void)close(a->fd);
	a->fd = 0;
}

/* Attempt number n lives in slot n modulo OPEN_MAX, so the slot's former user is the oldest. */
static struct attempt *slot_for(struct probe_run *r, uint32_t seq)
{
	struct attempt *all = r->kind;
	int64_t now = clock_mono_ns();

	for (int i = 0; i < OPEN_MAX; i++) {
		if (all[i].fd &&
		    (now - all[i].since > PATIENCE || &all[i] == &all[seq % OPEN_MAX])) {
			probe_write(r, PROBE_ERROR, all[i].seq, 0, ETIMEDOUT);
			finish(&all[i]);
		}
	}
	return &all[seq % OPEN_MAX];
}

static void attempt(struct probe_run *r, uint32_t seq)
{
	struct attempt *a = slot_for(r, seq);
	struct epoll_event e = { .events = EPOLLOUT, .data.ptr = a };
	int one = 1, error = 0;

	probe_begin(r, seq);
	a->fd = probe_socket(r, SOCK_STREAM, 0);
	if (a->fd < 0) {
		error = errno;
		a->fd = 0;
		probe_sent(r, seq, error);
		return;
	}
	a->seq = seq;
	a->since = clock_mono_ns();
	/* One SYN and one more: an attempt is one sample, not a series of its own. */
	(void)setsockopt(a->fd, IPPROTO_TCP, TCP_SYNCNT, &one, sizeof(one));
	if ((connect(a->fd, (struct sockaddr *)&r->dest, r->dest_len) < 0 &&
	     errno != EINPROGRESS) ||
	    epoll_ctl(r->fd, EPOLL_CTL_ADD, a->fd, &e) < 0)
		error = errno;
	probe_sent(r, seq, error);
	if (error)
		finish(a);
}

static void ready(struct probe_run *r)
{
	struct epoll_event events[64];
	int n = epoll_wait(r->fd, events, 64, 0);

	for (int i = 0; i < n; i++) {
		struct attempt *a = events[i].data.ptr;
		uint8_t data[PROBE_PAYLOAD];
		socklen_t len = sizeof(int);
		int error = 0;

		(void)getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error) {
			probe_write(r, PROBE_ERROR, a->seq, 0, error);
		} else {
			probe_reply(r, a->seq, 0);
			probe_payload(r, a->seq, data);
			(void)send(a->fd, data, sizeof(data), MSG_NOSIGNAL);
		}
		finish(a);
	}
}

extern const struct probe_row probe_row_tcp;
const struct probe_row probe_row_tcp = {
	.name = "tcp",
	.summary = "connections to the sink, on a clock, each one new",
	.dest = PROBE_SINK,
	.port = 40002,
	.rate_hz = 50,
	.replies = true,
	.start = start,
	.attempt = attempt,
	.ready = ready,
};
