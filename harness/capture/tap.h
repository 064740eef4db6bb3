/* SPDX-License-Identifier: MIT */
/*
 * Taps: one capture point each, with proof that nothing was missed.
 *
 * Threads. tap_start() starts one thread. It alone enters the namespace, owns the capture handles, the
 * link watch, the files and the beacon sender, and stays in the namespace until tap_stop() joins it.
 * Every other function may be called from any thread: they read atomics, or copies under a mutex. The
 * strings of the spec are copied; its netns_fd is duplicated.
 *
 * Life of a tap:   waiting -> arming -> armed -> draining -> closed
 *   waiting   only with spec.transient: the interface is not there yet
 *   arming    handle open, ring empty, final filter confirmed in the kernel, begin beacon sent
 *   armed     the begin beacon came back through the ring: from here on everything is seen
 *   draining  end beacon sent, seen, ring closed with a reject-all filter and read until it is empty
 *   closed    counters final, files synced
 * A tap that failed (disk full, no such interface, lost filter) says so in tap_stats().failed and .error
 * and keeps its counters; it never recovers silently.
 *
 * Counting. The kernel counts what passed the filter (PACKET_STATISTICS, 32 bits, accumulated here in
 * 64), and `reconciled` means: delivered == received - dropped on every handle, nothing dropped, both
 * beacons seen, no gap, everything delivered is in the file.
 */
#ifndef CAPTURE_TAP_H
#define CAPTURE_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TAP_NONCE	   16 /* bytes of a run's nonce */
#define TAP_NAME_MAX	   32 /* with the NUL */
#define TAP_TUNNEL_SNAPLEN 96 /* headers of the tunnel: Ethernet, IPv6, UDP and the message type */

/* The exact tunnel tuple: packets from or to this address and port with this protocol. */
struct tap_tunnel {
	uint8_t protocol;    /* IPPROTO_UDP or IPPROTO_TCP; 0 = no tunnel on this tap */
	const char *address; /* numeric IPv4 or IPv6 endpoint */
	uint16_t port;
};

struct tap_spec {
	const char *name; /* unique in the run, also in beacons; shorter than TAP_NAME_MAX */
	const char *role; /* "uplink", "bridge", "veth", "lo", "isp", "exit" */
	int netns_fd;	  /* namespace of the interface; -1 = the caller's */
	const char *ifname;
	unsigned ring_mib; /* kernel ring; 0 = 16 */
	unsigned
		snaplen; /* cut in the kernel: less to copy and to write; 0 = whole packets. Frames of
			    * offloads are up to 64 KiB: 1600 keeps every packet that fits a link */
	struct tap_tunnel tunnel;
	/* A tap inside the stack: keep of each frame what is judged of it (filter_inside()); the tunnel's tuple,
	 * cut to its headers, stays among the other frames. Else the tuple has a stream of its own. */
	bool inside;
	const char *path;	 /* nanosecond pcap to write; replaced when it exists */
	const char *tunnel_path; /* headers of the tunnel tuple; NULL = not kept, only counted */
	uint8_t nonce[TAP_NONCE];
	bool transient; /* belongs to the stack: may come after tap_start() and go before tap_stop() */
	bool promisc; /* bridges: see what goes from port to port */
};

enum tap_state { TAP_WAITING, TAP_ARMING, TAP_ARMED, TAP_DRAINING, TAP_CLOSED };

enum tap_event_kind {
	TAP_EVENT_ARMED, /* begin beacon came back */
	TAP_EVENT_LINK_DOWN,
	TAP_EVENT_LINK_UP,
	TAP_EVENT_GAP_BEGIN, /* the interface vanished: nothing is seen from here ... */
	TAP_EVENT_GAP_END,   /* ... to here: opened again */
	TAP_EVENT_DROPS, /* the ring was full; `count` packets were lost since the last such event */
	TAP_EVENT_FAILED,
};

struct tap_event {
	enum tap_event_kind kind;
	int64_t real;	/* CLOCK_REALTIME ns */
	uint64_t count; /* packets of TAP_EVENT_DROPS */
	char text[120];
};

struct tap_stats {
	enum tap_state state;
	uint64_t received, dropped; /* kernel: passed the filter (drops included), and no room */
	uint64_t delivered;	    /* read from the ring */
	uint64_t written;	    /* in the file */
	uint64_t tunnel_received, tunnel_dropped, tunnel_delivered;
	bool beacon_begin, beacon_end; /* of the first and of the last life of the interface */
	unsigned lives;		       /* how many times the interface was opened */
	unsigned gaps;	/* times it vanished while it was watched; not counted for transient taps */
	unsigned downs; /* link-down events */
	bool filter_ok; /* the kernel returned the very filter that was set */
	bool reconciled; /* see the top; final in TAP_CLOSED */
	bool failed;
	char error[256]; /* last error, "" when none */
};

/* Cheap, for conditions and progress. */
struct tap_live {
	uint64_t packets, bytes;	       /* delivered outside the tunnel, beacons included */
	uint64_t tunnel_packets, tunnel_bytes; /* bytes as on the wire */
	int64_t first_packet,
		last_packet; /* packet stamps, REALTIME ns, 0 = none; without beacons */
	int64_t first_tunnel, last_tunnel;
};

struct tap;

/* Start the thread; returns at once. NULL when the spec is wrong or no thread could be had. The caller
 * ends it with tap_stop() and then frees it with tap_free(). */
struct tap *tap_start(const struct tap_spec *spec, struct err *err);

/* Wait until the begin beacon was seen. -1 after timeout_ns or when the tap failed. A transient tap whose
 * interface is not there yet counts as armed: it opens the interface when it appears. */
int tap_wait_armed(struct tap *t, int64_t timeout_ns, struct err *err);

/* End beacon, drain, final counters, sync, join. Bounded: under 2 s on an idle machine. -1 when the tap
 * failed at any time (disk full ...); drops and gaps are no errors, see tap_stats(). Idempotent. */
int tap_stop(struct tap *t, struct err *err);
void tap_free(struct tap *t); /* stops it first; NULL allowed */

void tap_stats(const struct tap *t, struct tap_stats *out);
void tap_live(const struct tap *t, struct tap_live *out);

/* Copy events from index `from` on, at most `max`; returns how many. At most 256 are kept, then the last
 * one is overwritten. */
size_t tap_events(const struct tap *t, size_t from, struct tap_event *out, size_t max);
const char *tap_event_name(enum tap_event_kind kind); /* "armed", "link-down", "gap-begin" ... */

const char *tap_name(const struct tap *t);
const char *tap_role(const struct tap *t);
const char *tap_ifname(const struct tap *t);
const char *tap_path(const struct tap *t);

/* For tests of the accounting: a paused reader leaves its ring alone, so that it overflows. */
void tap_pause(struct tap *t, bool paused);

#endif
