/* SPDX-License-Identifier: MIT */
/* One libpcap handle with exact accounting: delivered == received - dropped, or it is not a proof. */
#ifndef CAPTURE_RING_H
#define CAPTURE_RING_H

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define RING_SNAPLEN  262144 /* all of a packet: the kernel's and libpcap's maximum for TPACKET_V3 */
#define RING_BLOCK_MS 10     /* a block is handed over after that time at the latest */

struct ring;

/* The packet's stamp has nanoseconds in ts.tv_usec (PCAP_TSTAMP_PRECISION_NANO). */
typedef void (*ring_fn)(void *arg, const struct pcap_pkthdr *h, const uint8_t *data);

struct ring_counts {
	uint64_t received, dropped, delivered; /* since ring_arm() */
};

/* Open on an interface of the calling thread's namespace, with a filter that lets nothing pass, and with
 * an empty ring. Linux's loopback shows each packet twice: its outgoing copy is left out in the kernel.
 * *gone is set when the reason is an interface that does not exist or is down (both may change). */
struct ring *ring_open(const char *ifname, unsigned ring_mib, bool promisc, bool *gone,
		       struct err *err);
void ring_close(struct ring *r); /* NULL allowed */

int ring_fd(const struct ring *r);  /* for poll() */
int ring_dlt(const struct ring *r); /* DLT_EN10MB or DLT_RAW */

/* Attach the final filter and read it back from the kernel; counting starts here. */
int ring_arm(struct ring *r, const struct bpf_program *filter, struct err *err);
/* The kernel still has the filter that ring_arm() set. */
int ring_verify(const struct ring *r, const struct bpf_program *filter, struct err *err);

/* Deliver what is there, at most some thousand packets: 1 = there may be more at once, 0 = empty, -1 = the
 * handle is dead (interface deleted). Never blocks. */
int ring_read(struct ring *r, ring_fn fn, void *arg, struct err *err);

/* Let nothing pass any more and deliver all that the ring holds; bounded by 500 ms. */
int ring_drain(struct ring *r, ring_fn fn, void *arg, struct err *err);

/* Call at least every 72 minutes at 1 Mpps: the kernel's counters have 32 bits. */
int ring_count(struct ring *r, struct ring_counts *c, struct err *err);

#endif
