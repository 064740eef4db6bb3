/* SPDX-License-Identifier: MIT */
/* One libpcap handle with exact accounting: delivered == received - dropped, or it is not a proof. */
#include "capture/ring.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "capture/filter.h"

#define READ_MAX     8192
#define DRAIN_ROUNDS 50

struct ring {
	pcap_t *pcap;
	int fd;
	bool loopback;
	uint32_t last_recv, last_drop; /* libpcap's counters at the last look */
	struct ring_counts counts;
};

struct delivery {
	struct ring *ring;
	ring_fn fn;
	void *arg;
};

static void on_packet(u_char *arg, const struct pcap_pkthdr *h, const u_char *data)
{
	struct delivery *d = (void *)arg;

	d->ring->counts.delivered++;
	if (d->fn)
		d->fn(d->arg, h, data);
}

int ring_read(struct ring *r, ring_fn fn, void *arg, struct err *err)
{
	struct delivery d = { r, fn, arg };
	int n = pcap_dispatch(r->pcap, READ_MAX, on_packet, (u_char *)&d);

	if (n < 0)
		return err_set(err, EXIT_ENVIRONMENT, "%s", pcap_geterr(r->pcap));
	return n == READ_MAX;
}

int ring_count(struct ring *r, struct ring_counts *c, struct err *err)
{
	struct pcap_stat s;

	if (pcap_stats(r->pcap, &s) < 0)
		return err_set(err, EXIT_ENVIRONMENT, "capture counters: %s", pcap_geterr(r->pcap));
	r->counts.received += (uint32_t)(s.ps_recv - r->last_recv);
	r->counts.dropped += (uint32_t)(s.ps_drop - r->last_drop);
	r->last_recv = s.ps_recv;
	r->last_drop = s.ps_drop;
	if (c)
		*c = r->counts;
	return 0;
}

/* The last block is closed by its timer, so reading goes on until the counters agree. */
static int read_all(struct ring *r, ring_fn fn, void *arg, struct err *err)
{
	for (int round = 0; round < DRAIN_ROUNDS; round++) {
		int more;

		do {
			more = ring_read(r, fn, arg, err);
		} while (more > 0);
		if (more < 0 || ring_count(r, NULL, err) < 0)
			return -1;
		if (r->counts.delivered == r->counts.received - r->counts.dropped)
			return 0;
		clock_sleep_ns(RING_BLOCK_MS * NS_PER_MS);
	}
	return 0;
}

int ring_drain(struct ring *r, ring_fn fn, void *arg, struct err *err)
{
	if (filter_attach_none(r->fd, err) < 0)
		return -1;
	/* A receiver on the other core may still be inside the old filter: one more block time. */
	clock_sleep_ns(2 * RING_BLOCK_MS * NS_PER_MS);
	return read_all(r, fn, arg, err);
}

/* Throw away what came in between activation and the reject-all filter. On loopback libpcap hides the
 * outgoing copies of that time, so counters cannot agree: wait the blocks out instead. */
static int discard_early(struct ring *r, struct err *err)
{
	if (r->loopback) {
		for (int i = 0; i < 3; i++) {
			clock_sleep_ns(2 * RING_BLOCK_MS * NS_PER_MS);
			while (ring_read(r, NULL, NULL, NULL) > 0)
				;
		}
		if (ring_count(r, NULL, err) < 0)
			return -1;
	} else if (read_all(r, NULL, NULL, err) < 0) {
		return -1;
	}
	r->counts = (struct ring_counts){ 0 };
	return 0;
}

static int activate(struct ring *r, const char *ifname, unsigned ring_mib, bool promisc, bool *gone,
		    struct err *err)
{
	int rc;

	(void)pcap_set_snaplen(r->pcap, RING_SNAPLEN);
	(void)pcap_set_promisc(r->pcap, promisc);
	(void)pcap_set_timeout(r->pcap, RING_BLOCK_MS);
	(void)pcap_set_buffer_size(r->pcap, (int)(ring_mib << 20));
	if (pcap_set_tstamp_precision(r->pcap, PCAP_TSTAMP_PRECISION_NANO) != 0)
		return err_set(err, EXIT_ENVIRONMENT, "libpcap without nanosecond stamps");
	rc = pcap_activate(r->pcap);
	*gone = rc == PCAP_ERROR_NO_SUCH_DEVICE || rc == PCAP_ERROR_IFACE_NOT_UP;
	if (rc < 0)
		return err_set(err, EXIT_ENVIRONMENT, "capture on %s: %s (%s)", ifname,
			       pcap_statustostr(rc), pcap_geterr(r->pcap));
	if (pcap_get_tstamp_precision(r->pcap) != PCAP_TSTAMP_PRECISION_NANO)
		return err_set(err, EXIT_ENVIRONMENT, "capture on %s: no nanosecond stamps",
			       ifname);
	if (ring_dlt(r) != DLT_EN10MB && ring_dlt(r) != DLT_RAW)
		return err_set(err, EXIT_ENVIRONMENT,
			       "capture on %s: link type %d is not supported", ifname, ring_dlt(r));
	return 0;
}

static int prepare(struct ring *r, const char *ifname, struct err *err)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	int one = 1;

	r->fd = pcap_get_selectable_fd(r->pcap);
	if (r->fd < 0 || filter_attach_none(r->fd, err) < 0)
		return -1;
	if (pcap_setnonblock(r->pcap, 1, text) < 0)
		return err_set(err, EXIT_ENVIRONMENT, "capture on %s: %s", ifname, text);
	if (r->loopback &&
	    setsockopt(r->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0)
		return err_errno(err, "capture on %s: leaving outgoing copies out", ifname);
	return discard_early(r, err);
}

struct ring *ring_open(const char *ifname, unsigned ring_mib, bool promisc, bool *gone,
		       struct err *err)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	struct ring *r = calloc(1, sizeof(*r));

	*gone = false;
	if (!r || !(r->pcap = pcap_create(ifname, text))) {
		(void)err_set(err, EXIT_ENVIRONMENT, "capture on %s: %s", ifname,
			      *text ? text : "no memory");
		free(r);
		return NULL;
	}
	r->loopback = strcmp(ifname, "lo") == 0;
	if (activate(r, ifname, ring_mib, promisc, gone, err) < 0 || prepare(r, ifname, err) < 0) {
		ring_close(r);
		return NULL;
	}
	return r;
}

void ring_close(struct ring *r)
{
	if (!r)
		return;
	pcap_close(r->pcap);
	free(r);
}

int ring_fd(const struct ring *r)
{
	return r->fd;
}

int ring_dlt(const struct ring *r)
{
	return pcap_datalink(r->pcap);
}

int ring_arm(struct ring *r, const struct bpf_program *filter, struct err *err)
{
	return filter_attach(r->fd, filter, err) < 0 ? -1 : filter_verify(r->fd, filter, err);
}

int ring_verify(const struct ring *r, const struct bpf_program *filter, struct err *err)
{
	return filter_verify(r->fd, filter, err);
}
