/* SPDX-License-Identifier: MIT */
/* Inside a probe's child: what the kinds of probes share. One thread, no locks. */
#ifndef PROBE_PROBE_RUN_H
#define PROBE_PROBE_RUN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "probe/probe.h"

#define PROBE_REMEMBERED \
	65536 /* times of the last attempts; a later answer has no round-trip time */

struct probe_run {
	const struct probe_row *row;
	uint8_t nonce[PROBE_NONCE];
	uint32_t id;
	unsigned rate_hz;
	const char *label, *ifname; /* ifname: "" = not bound */
	struct sockaddr_storage dest;
	socklen_t dest_len;
	int fd; /* what the loop polls: a socket or an epoll instance; -1 = nothing */
	int log_fd;
	uint32_t last_seq;		   /* attempts count from 1; 0 = none yet */
	int64_t sent_at[PROBE_REMEMBERED]; /* REALTIME ns by the low bits of the sequence number */
	void *kind;			   /* of the kind alone */
};

/* Append a record; a log that cannot be written ends the child, as a silent probe proves nothing. */
void probe_write(struct probe_run *r, enum probe_event event, uint32_t seq, int64_t value,
		 int error);

/* Note the time of an attempt, before it is made. */
void probe_begin(struct probe_run *r, uint32_t seq);
/* And after it: PROBE_SENT with the time of probe_begin(). */
void probe_sent(struct probe_run *r, uint32_t seq, int error);
/* PROBE_REPLY with the time since the attempt. */
void probe_reply(struct probe_run *r, uint32_t seq, int error);

/* A non-blocking socket of the destination's family, bound to r->ifname where that is given; datagram
 * sockets get ICMP errors delivered (IP_RECVERR). -1 with errno. */
int probe_socket(const struct probe_run *r, int type, int protocol);

/* A socket that is bound to an interface which went away stays dead: open it again. True after doing so. */
bool probe_reopen(struct probe_run *r, int error, int type, int protocol);

void probe_payload(const struct probe_run *r, uint32_t seq, uint8_t out[PROBE_PAYLOAD]);
/* True and *seq when the bytes begin with the payload of this probe. */
bool probe_payload_seq(const struct probe_run *r, const uint8_t *data, size_t len, uint32_t *seq);

/* The sequence number of the last attempt whose low 16 bits are these. */
uint32_t probe_seq_of(const struct probe_run *r, uint16_t low);

/* Take one error message (ICMP) off the socket: bytes of the quoted payload, *error its errno; -1 = none. */
ssize_t probe_error(int fd, uint8_t *buf, size_t size, int *error);

#endif
