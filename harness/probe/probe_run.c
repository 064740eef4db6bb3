/* SPDX-License-Identifier: MIT */
/* Inside a probe's child: what the kinds of probes share. */
#include "probe/probe_run.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <net/if.h>
#include <linux/errqueue.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static void write_at(struct probe_run *r, int64_t real, enum probe_event event, uint32_t seq,
		     int64_t value, int error)
{
	const struct probe_record rec = { real, value, seq, (uint16_t)event, (uint16_t)error };

	if (write(r->log_fd, &rec, sizeof(rec)) != (ssize_t)sizeof(rec))
		_exit(EXIT_ENVIRONMENT);
}

void probe_write(struct probe_run *r, enum probe_event event, uint32_t seq, int64_t value,
		 int error)
{
	write_at(r, clock_real_ns(), event, seq, value, error);
}

void probe_begin(struct probe_run *r, uint32_t seq)
{
	r->last_seq = seq;
	r->sent_at[seq % PROBE_REMEMBERED] = clock_real_ns();
}

void probe_sent(struct probe_run *r, uint32_t seq, int error)
{
	write_at(r, r->sent_at[seq % PROBE_REMEMBERED], PROBE_SENT, seq, 0, error);
}

void probe_reply(struct probe_run *r, uint32_t seq, int error)
{
	int64_t now = clock_real_ns();

	if (seq > r->last_seq || r->last_seq - seq >= PROBE_REMEMBERED)
		return;
	write_at(r, now, PROBE_REPLY, seq, now - r->sent_at[seq % PROBE_REMEMBERED], error);
}

int probe_socket(const struct probe_run *r, int type, int protocol)
{
	int v6 = r->dest.ss_family == AF_INET6, one = 1, e;
	int fd = socket(r->dest.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -1;
	/* Not for TCP: a connection would die of the first ICMP message, which no program asks for. */
	if (type != SOCK_STREAM)
		(void)setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR,
				 &one, sizeof(one));
	if (*r->ifname && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, r->ifname,
				     (socklen_t)strlen(r->ifname) + 1) < 0) {
		e = errno;
		(void)close(fd);
		errno = e;
		return -1;
	}
	return fd;
}

bool probe_reopen(struct probe_run *r, int error, int type, int protocol)
{
	int fd;

	if (error != ENODEV && error != ENXIO)
		return false;
	fd = probe_socket(r, type, protocol);
	if (fd < 0)
		return false;
	(void)close(r->fd);
	r->fd = fd;
	return true;
}

void probe_payload(const struct probe_run *r, uint32_t seq, uint8_t out[PROBE_PAYLOAD])
{
	const uint32_t head[2] = { htobe32(r->id), htobe32(seq) };
	const uint64_t at = htobe64((uint64_t)r->sent_at[seq % PROBE_REMEMBERED]);

	memcpy(out, r->nonce, PROBE_NONCE);
	memcpy(out + PROBE_NONCE, head, sizeof(head));
	memcpy(out + PROBE_NONCE + sizeof(head), &at, sizeof(at));
}

bool probe_payload_seq(const struct probe_run *r, const uint8_t *data, size_t len, uint32_t *seq)
{
	uint32_t head[2];

	if (len < PROBE_NONCE + sizeof(head) || memcmp(data, r->nonce, PROBE_NONCE) != 0)
		return false;
	memcpy(head, data + PROBE_NONCE, sizeof(head));
	*seq = be32toh(head[1]);
	return be32toh(head[0]) == r->id;
}

uint32_t probe_seq_of(const struct probe_run *r, uint16_t low)
{
	return r->last_seq - (uint16_t)(r->last_seq - low);
}

ssize_t probe_error(int fd, uint8_t *buf, size_t size, int *error)
{
	_Alignas(struct cmsghdr) char control[512];
	struct iovec iov = { buf, size };
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);

	*error = EIO;
	for (struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		struct sock_extended_err e;

		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)) {
			memcpy(&e, CMSG_DATA(c), sizeof(e));
			*error = (int)e.ee_errno;
		}
	}
	return n;
}
