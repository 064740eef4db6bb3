/* SPDX-License-Identifier: MIT */
/*
 * Probes: traffic on a clock, sent from inside a container's network namespace.
 *
 * A probe is a child process: this very program, started again with PROBE_CHILD_ARG as its first
 * argument, inside the namespace. So main() of every program that starts probes begins with
 *
 *	int rc = probe_child_main(argc, argv);
 *	if (rc >= 0)
 *		return rc;
 *
 * Sending is open-loop: attempt n leaves at start + n/rate whatever became of attempt n-1, so that an
 * outage is sampled at the same rate as good times. The namespace is the one of the moment of the start:
 * after a container's restart, stop the probe and start another one with the new namespace.
 */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define PROBE_CHILD_ARG "--probe-child"
#define PROBE_NONCE	16
/* Payload of a packet: nonce, id and sequence number big-endian 32 bits, REALTIME ns big-endian 64. */
#define PROBE_PAYLOAD	32

struct probe_run; /* state inside the child, see probe_run.h */

struct probe_row {
	const char *name;    /* "udp", "tcp", "dns", "dns-public", "icmp", "kept-connection" */
	const char *summary; /* one sentence for people */
	const char *dest;    /* default destination, numeric */
	uint16_t port;	     /* default port, 0 = the protocol has none */
	unsigned rate_hz;    /* default attempts a second */
	bool needs_label;    /* spec.label has to be given */
	bool replies; /* answers come by themselves: outages are seen without a co-operating sink */
	int (*start)(struct probe_run *r, struct err *err);
	void (*attempt)(struct probe_run *r, uint32_t seq);
	void (*ready)(struct probe_run
			      *r); /* r->fd is readable or has an error; also called at the end */
};

/* All rows in the order of probe_table.h. */
extern const struct probe_row *const probe_rows[];
extern const size_t n_probe_rows;
const struct probe_row *probe_find(const char *name); /* NULL when there is none */

/* Default destinations are addresses of the lab's internet (docs/architecture.md); on a real host these are
 * documentation addresses that nobody answers. */
#define PROBE_SINK	 "198.51.100.134"
#define PROBE_RESOLVER	 "198.51.100.130"
#define PROBE_PUBLIC_DNS "dns-public" /* the probe that asks the resolver */
bool probe_goes_to_sink(const struct probe_row *row);

struct probe_spec {
	int netns_fd;	    /* the container's network namespace */
	const char *ifname; /* bind to this interface (SO_BINDTODEVICE); NULL = as the routes say */
	const char *dest;   /* numeric IPv4 or IPv6; NULL = the row's */
	uint16_t port;	    /* 0 = the row's */
	unsigned rate_hz;   /* 1..1000; 0 = the row's */
	uint8_t nonce[PROBE_NONCE];
	uint32_t id;	   /* of the canary, below 0x80000000 */
	const char *label; /* dns: one label, in names of two zones (probe_dns.c) */
	const char *log_path;
};

struct probe;

/* Start; returns when the child stands in the namespace with its sockets open (kept-connection: when the
 * connection is established), at most 5 s. NULL and *err otherwise. */
struct probe *probe_start(const struct probe_row *row, const struct probe_spec *s, struct err *err);

/* SIGTERM, 200 ms for late replies, reap. -1 when the child had ended by itself or its log is incomplete. */
int probe_stop(struct probe *p, struct err *err);
void probe_free(struct probe *p); /* stops it first; NULL allowed */

pid_t probe_pid(const struct probe *p);
const char *probe_log_path(const struct probe *p);

/* ---- logs ---- */

enum probe_event {
	PROBE_SENT,  /* attempt: real = just before the call, error = errno of the call, 0 = left */
	PROBE_REPLY, /* real = receipt, value = ns since the attempt; error = DNS rcode (dns) */
	PROBE_ERROR, /* the attempt failed later (refused, unreachable, timed out): error = errno */
	PROBE_SKIPPED, /* the probe itself was held up and left `value` attempts out */
	PROBE_END,     /* orderly end */
};

/* Rcodes of replies to dns probes (RFC 1035, 4.1.1). */
enum { PROBE_DNS_FAILURE = 2, PROBE_DNS_NO_NAME = 3, PROBE_DNS_REFUSED = 5 };

struct probe_record { /* as in the file, host byte order, 24 bytes */
	int64_t real;
	int64_t value;
	uint32_t seq;
	uint16_t event; /* enum probe_event */
	uint16_t error;
};

struct probe_log {
	char kind[32];
	uint8_t nonce[PROBE_NONCE];
	uint32_t id;
	uint32_t rate_hz;
	struct probe_record *records; /* in the order of events */
	size_t count;
	bool ended; /* closed with PROBE_END */
};

/* A log, also one that is still being written: whole records only. */
int probe_log_read(const char *path, struct probe_log *log, struct err *err);
void probe_log_free(struct probe_log *log);

struct probe_summary {
	uint64_t attempts; /* tried */
	uint64_t refused;  /* of these, the call itself failed (no route, firewall, no interface) */
	uint64_t replies;
	uint64_t errors; /* failed later */
	uint64_t skipped;
	int last_error; /* errno of the last failure, 0 = none */
	int64_t first_attempt, last_attempt, first_reply, last_reply; /* REALTIME ns, 0 = none */
	int64_t rtt_min, rtt_median, rtt_max;			      /* ns, 0 = no reply */
};

/* Over the attempts made in [since, until); 0, 0 = all. */
void probe_log_summary(const struct probe_log *log, int64_t since, int64_t until,
		       struct probe_summary *out);
int probe_summary(const char *path, struct probe_summary *out, struct err *err);

struct probe_outage {
	bool found;
	int64_t last_good;  /* last attempt before the outage that was answered; 0 = none */
	int64_t cut_off;    /* first attempt that stayed without reply or failed */
	int64_t recovery;   /* receipt of the first reply after it; 0 = none until the end */
	uint64_t failed;    /* attempts in between */
	int64_t resolution; /* ns between attempts: the uncertainty of both times */
};

/* The first outage that begins at or after `since`: attempts without success over at least min_ns. Success
 * is a reply within reply_ns where replies are to be expected (row->replies, or the log has one: the sink
 * echoes), else a call that did not fail. */
void probe_log_outage(const struct probe_log *log, int64_t since, int64_t min_ns, int64_t reply_ns,
		      struct probe_outage *out);

/* The child. -1 when argv is not a probe child's; else its exit status. */
int probe_child_main(int argc, char **argv);

#endif
