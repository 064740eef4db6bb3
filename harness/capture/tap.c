/* SPDX-License-Identifier: MIT */
/* Taps: a thread that opens rings on one interface, writes what they give, and proves completeness. */
#include "capture/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "capture/beacon.h"
#include "capture/filter.h"
#include "capture/inject.h"
#include "capture/linkwatch.h"
#include "capture/pcap_file.h"
#include "capture/ring.h"

#define TAP_NICE     (-15)
#define EVENTS_MAX   256
#define TICK_MS	     200 /* flush, counters */
#define BEACON_EVERY (100 * NS_PER_MS)
#define BEACON_WAIT  (1 * NS_PER_S)    /* for the end beacon; far above 3 block times */
#define GONE_WAIT    (200 * NS_PER_MS) /* between a dead handle and the link message about it */
#define LINKTYPE_RAW 101 /* www.tcpdump.org/linktypes.html; live handles say DLT_RAW */

_Static_assert(TAP_NONCE == BEACON_NONCE && TAP_NAME_MAX == BEACON_NAME,
	       "one form of name and nonce");

/* One of the two streams: everything but the tunnel, and the tunnel's headers. */
struct stream {
	struct tap *tap;
	struct ring *ring;
	struct bpf_program filter;
	struct pcap_file *file;
	int dlt;		   /* -1 until the first life */
	struct ring_counts closed; /* of former lives */
	struct ring_counts now;	   /* closed and this life */
	uint64_t reported_drops;
	uint64_t written; /* final, once the file is closed */
	bool bad;	  /* a life ended with counters that disagree */
};

struct tap {
	/* constant after tap_start */
	char name[TAP_NAME_MAX], role[16], ifname[IF_NAMESIZE];
	char *path, *tunnel_path, *tunnel_address;
	struct tap_spec spec;
	int netns_fd, wake_fd;
	pthread_t thread;

	/* set by other threads */
	atomic_bool stop, paused;
	bool joined; /* only touched by the thread that stops it */

	/* the thread's own */
	struct stream main, tunnel;
	struct linkwatch *watch;
	struct linkwatch_state link;
	struct injector *injector;
	bool open, begin_seen, end_seen, ever_running, dead;
	uint32_t beacon_seq;
	int64_t next_beacon, next_tick;
	unsigned seen_downs, unvouched;
	bool ethernet;

	/* shared, under lock */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct tap_stats stats;
	bool nothing_to_see; /* transient, and no interface or no carrier now */
	struct tap_event events[EVENTS_MAX];
	size_t n_events;

	/* written by the thread alone, read by all */
	atomic_uint_least64_t packets, bytes, tunnel_packets, tunnel_bytes;
	atomic_int_least64_t first, last, tunnel_first, tunnel_last;
};

static const char *const event_names[] = {
	[TAP_EVENT_ARMED] = "armed",	 [TAP_EVENT_LINK_DOWN] = "link-down",
	[TAP_EVENT_LINK_UP] = "link-up", [TAP_EVENT_GAP_BEGIN] = "gap-begin",
	[TAP_EVENT_GAP_END] = "gap-end", [TAP_EVENT_DROPS] = "drops",
	[TAP_EVENT_FAILED] = "failed",
};

const char *tap_event_name(enum tap_event_kind kind)
{
	return event_names[kind];
}

/* ---- what the thread tells ---- */

static void event(struct tap *t, enum tap_event_kind kind, uint64_t count, const char *text)
{
	struct tap_event *e;

	(void)pthread_mutex_lock(&t->lock);
	e = &t->events[t->n_events < EVENTS_MAX ? t->n_events++ : EVENTS_MAX - 1];
	e->kind = kind;
	e->real = clock_real_ns();
	e->count = count;
	(void)snprintf(e->text, sizeof(e->text), "%s", text);
	(void)pthread_mutex_unlock(&t->lock);
}

static void fail(struct tap *t, const struct err *err)
{
	bool first;

	(void)pthread_mutex_lock(&t->lock);
	first = !t->stats.failed;
	t->stats.failed = true;
	if (first)
		(void)snprintf(t->stats.error, sizeof(t->stats.error), "%.255s", err->text);
	(void)pthread_cond_broadcast(&t->changed);
	(void)pthread_mutex_unlock(&t->lock);
	if (first)
		event(t, TAP_EVENT_FAILED, 0, err->text);
}

static void set_state(struct tap *t, enum tap_state state)
{
	(void)pthread_mutex_lock(&t->lock);
	t->stats.state = state;
	(void)pthread_cond_broadcast(&t->changed);
	(void)pthread_mutex_unlock(&t->lock);
}

static uint64_t written(const struct stream *s)
{
	return s->file ? pcap_file_packets(s->file) : s->written;
}

static void publish(struct tap *t)
{
	struct tap_stats *p = &t->stats;

	(void)pthread_mutex_lock(&t->lock);
	p->received = t->main.now.received;
	p->dropped = t->main.now.dropped;
	p->delivered = t->main.now.delivered;
	p->written = written(&t->main);
	p->tunnel_received = t->tunnel.now.received;
	p->tunnel_dropped = t->tunnel.now.dropped;
	p->tunnel_delivered = t->tunnel.now.delivered;
	p->beacon_end = t->end_seen;
	p->downs = t->link.downs;
	t->nothing_to_see = t->spec.transient && !(t->link.exists && t->link.up && t->link.running);
	(void)pthread_cond_broadcast(&t->changed);
	(void)pthread_mutex_unlock(&t->lock);
}

/* ---- packets ---- */

static void on_beacon(struct tap *t, const struct beacon *b)
{
	if (b->mark == BEACON_END) {
		t->end_seen = true;
		return;
	}
	if (t->begin_seen)
		return;
	t->begin_seen = true;
	(void)pthread_mutex_lock(&t->lock);
	if (t->stats.lives == 1)
		t->stats.beacon_begin = true;
	(void)pthread_mutex_unlock(&t->lock);
	event(t, TAP_EVENT_ARMED, 0, "begin beacon seen");
	set_state(t, TAP_ARMED);
}

static void store(struct stream *s, const struct pcap_pkthdr *h, const uint8_t *data)
{
	struct err err = { 0 };

	if (s->file && pcap_file_add(s->file, h->ts.tv_sec, (uint32_t)h->ts.tv_usec, data,
				     h->caplen, h->len, &err) < 0)
		fail(s->tap, &err);
}

static void on_packet(void *arg, const struct pcap_pkthdr *h, const uint8_t *data)
{
	struct tap *t = arg;
	int64_t at = h->ts.tv_sec * NS_PER_S + h->ts.tv_usec;
	struct beacon b;

	store(&t->main, h, data);
	atomic_fetch_add_explicit(&t->packets, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&t->bytes, h->len, memory_order_relaxed);
	if (beacon_parse(data, h->caplen, t->ethernet, &b)) {
		if (memcmp(b.nonce, t->spec.nonce, BEACON_NONCE) == 0 &&
		    strcmp(b.tap, t->name) == 0)
			on_beacon(t, &b);
		return;
	}
	if (!atomic_load_explicit(&t->first, memory_order_relaxed))
		atomic_store_explicit(&t->first, at, memory_order_relaxed);
	atomic_store_explicit(&t->last, at, memory_order_relaxed);
}

static void on_tunnel_packet(void *arg, const struct pcap_pkthdr *h, const uint8_t *data)
{
	struct tap *t = arg;
	int64_t at = h->ts.tv_sec * NS_PER_S + h->ts.tv_usec;

	store(&t->tunnel, h, data);
	atomic_fetch_add_explicit(&t->tunnel_packets, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&t->tunnel_bytes, h->len, memory_order_relaxed);
	if (!atomic_load_explicit(&t->tunnel_first, memory_order_relaxed))
		atomic_store_explicit(&t->tunnel_first, at, memory_order_relaxed);
	atomic_store_explicit(&t->tunnel_last, at, memory_order_relaxed);
}

static ring_fn reader(const struct tap *t, const struct stream *s)
{
	return s == &t->tunnel ? on_tunnel_packet : on_packet;
}

/* ---- lives of the interface ---- */

static uint32_t snaplen_of(const struct tap *t, const struct stream *s)
{
	if (s == &t->tunnel)
		return TAP_TUNNEL_SNAPLEN;
	return t->spec.snaplen ? t->spec.snaplen : RING_SNAPLEN;
}

static int make_filter(struct tap *t, struct stream *s, struct err *err)
{
	bool tunnel = s == &t->tunnel;
	uint32_t snaplen = snaplen_of(t, s);

	if (t->spec.inside)
		return filter_inside(&s->filter, s->dlt, snaplen, TAP_TUNNEL_SNAPLEN,
				     t->spec.tunnel.protocol, t->tunnel_address,
				     t->spec.tunnel.port, err);
	if (!t->spec.tunnel.protocol)
		return filter_all(&s->filter, s->dlt, snaplen, err);
	return filter_tunnel(&s->filter, s->dlt, snaplen, t->spec.tunnel.protocol,
			     t->tunnel_address, t->spec.tunnel.port, !tunnel, err);
}

/* What depends on the link type, which is known only once the interface was opened. */
static int first_life(struct tap *t, struct stream *s, struct err *err)
{
	const char *path = s == &t->tunnel ? t->tunnel_path : t->path;
	uint32_t snaplen = snaplen_of(t, s);

	s->dlt = ring_dlt(s->ring);
	t->ethernet = s->dlt == DLT_EN10MB;
	if (path && !(s->file = pcap_file_create(
			      path, s->dlt == DLT_RAW ? LINKTYPE_RAW : DLT_EN10MB, snaplen, err)))
		return -1;
	return make_filter(t, s, err);
}

static int open_stream(struct tap *t, struct stream *s, unsigned ring_mib, bool *gone,
		       struct err *err)
{
	bool promisc = t->spec.promisc && s == &t->main;

	s->ring = ring_open(t->ifname, ring_mib, promisc, gone, err);
	if (!s->ring)
		return -1;
	if (s->dlt < 0 && first_life(t, s, err) < 0)
		return -1;
	if (ring_dlt(s->ring) != s->dlt)
		return err_set(err, EXIT_ENVIRONMENT, "%s came back with another link type",
			       t->ifname);
	return 0;
}

/* Sums up a life and closes its ring. */
static void end_stream(struct stream *s)
{
	struct ring_counts life = { 0 };

	if (!s->ring)
		return;
	if (ring_count(s->ring, &life, NULL) < 0 || life.delivered != life.received - life.dropped)
		s->bad = true;
	s->closed.received += life.received;
	s->closed.dropped += life.dropped;
	s->closed.delivered += life.delivered;
	s->now = s->closed;
	ring_close(s->ring);
	s->ring = NULL;
}

static void end_life(struct tap *t)
{
	uint64_t before = t->main.closed.received;

	end_stream(&t->main);
	end_stream(&t->tunnel);
	/* Without a carrier no beacon can pass, and no packet either. */
	if (!t->begin_seen && (t->ever_running || t->main.closed.received != before))
		t->unvouched++;
	injector_close(t->injector);
	t->injector = NULL;
	t->open = false;
}

static bool has_tunnel_stream(const struct tap *t)
{
	return t->spec.tunnel.protocol && !t->spec.inside;
}

static int open_rings(struct tap *t, bool *gone, struct err *err)
{
	unsigned mib = t->spec.ring_mib;
	unsigned tunnel_mib = mib < 16 ? 4 : mib / 4; /* headers only: some 170 bytes a packet */

	if (open_stream(t, &t->main, mib, gone, err) < 0)
		return -1;
	if (has_tunnel_stream(t) && open_stream(t, &t->tunnel, tunnel_mib, gone, err) < 0)
		return -1;
	t->injector = injector_open(t->ifname, err);
	if (!t->injector) {
		*gone = if_nametoindex(t->ifname) == 0;
		return -1;
	}
	/* The tunnel's first: there is no moment in which a packet is in neither. */
	if (t->tunnel.ring && ring_arm(t->tunnel.ring, &t->tunnel.filter, err) < 0)
		return -1;
	return ring_arm(t->main.ring, &t->main.filter, err);
}

static void open_life(struct tap *t)
{
	struct err err = { 0 };
	unsigned life;
	bool gone = false;

	t->begin_seen = t->end_seen = t->ever_running = false;
	if (open_rings(t, &gone, &err) < 0) {
		end_stream(&t->main);
		end_stream(&t->tunnel);
		injector_close(t->injector);
		t->injector = NULL;
		/* Gone again in the meantime: the link watch will tell when it is back. */
		if (!gone || (!t->spec.transient && t->stats.lives == 0)) {
			fail(t, &err);
			t->dead = true;
		}
		return;
	}
	t->open = true;
	t->next_beacon = 0;
	(void)pthread_mutex_lock(&t->lock);
	life = ++t->stats.lives;
	t->stats.filter_ok = true;
	(void)pthread_mutex_unlock(&t->lock);
	set_state(t, TAP_ARMING);
	if (life > 1)
		event(t, TAP_EVENT_GAP_END, 0, "interface opened again");
}

/* The interface vanished. */
static void vanish(struct tap *t)
{
	end_life(t);
	(void)pthread_mutex_lock(&t->lock);
	t->stats.gaps += !t->spec.transient;
	(void)pthread_mutex_unlock(&t->lock);
	set_state(t, t->spec.transient ? TAP_WAITING : TAP_ARMING);
	event(t, TAP_EVENT_GAP_BEGIN, 0, "the interface vanished");
}

/* ---- the loop ---- */

static void follow_link(struct tap *t)
{
	struct linkwatch_state before = t->link;
	struct err err = { 0 };

	if (linkwatch_read(t->watch, &t->link, &err) < 0)
		fail(t, &err);
	if (!t->open)
		return;
	if (before.ifindex != t->link.ifindex) {
		vanish(t);
		return;
	}
	if (t->link.running)
		t->ever_running = true;
	if (t->link.downs != before.downs)
		event(t, TAP_EVENT_LINK_DOWN, 0, t->link.up ? "no carrier" : "down");
	if (t->link.up && t->link.running &&
	    (t->link.downs != before.downs || !before.running || !before.up))
		event(t, TAP_EVENT_LINK_UP, 0, "up");
}

static void send_beacon(struct tap *t, enum beacon_mark mark)
{
	struct beacon b = { .mark = mark, .seq = ++t->beacon_seq };
	uint8_t frame[BEACON_FRAME_MAX];
	size_t len;

	memcpy(b.nonce, t->spec.nonce, sizeof(b.nonce));
	memcpy(b.tap, t->name, sizeof(b.tap));
	len = beacon_build(&b, t->ethernet, frame);
	/* A link that is down refuses it; it is sent again until one is seen or time is over. */
	(void)injector_write(t->injector, frame, len, NULL);
	t->next_beacon = clock_mono_ns() + BEACON_EVERY;
}

/* The handle died: the interface is gone, and the link watch says so in a moment; or something is wrong. */
static void dead_handle(struct tap *t, const struct err *err)
{
	int64_t deadline = clock_mono_ns() + GONE_WAIT;

	while (t->open && clock_mono_ns() < deadline) {
		struct pollfd p = { .fd = linkwatch_fd(t->watch), .events = POLLIN };

		(void)poll(&p, 1, 20);
		follow_link(t);
	}
	if (!t->open)
		return;
	fail(t, err);
	end_life(t);
	t->dead = true;
}

/* 1 = more is waiting */
static int read_streams(struct tap *t)
{
	struct stream *both[2] = { &t->main, &t->tunnel };
	struct err err = { 0 };
	int more = 0;

	for (int i = 0; i < 2; i++) {
		int rc = both[i]->ring ? ring_read(both[i]->ring, reader(t, both[i]), t, &err) : 0;

		if (rc < 0) {
			dead_handle(t, &err);
			return 0;
		}
		more |= rc;
	}
	return more;
}

static void count(struct tap *t, struct stream *s)
{
	struct ring_counts c;
	struct err err = { 0 };
	char text[80];

	if (!s->ring)
		return;
	if (ring_count(s->ring, &c, &err) < 0) {
		fail(t, &err);
		return;
	}
	s->now.received = s->closed.received + c.received;
	s->now.dropped = s->closed.dropped + c.dropped;
	s->now.delivered = s->closed.delivered + c.delivered;
	if (s->now.dropped == s->reported_drops)
		return;
	(void)snprintf(text, sizeof(text), "ring full, %s packets lost",
		       s == &t->tunnel ? "tunnel" : "captured");
	event(t, TAP_EVENT_DROPS, s->now.dropped - s->reported_drops, text);
	s->reported_drops = s->now.dropped;
}

static void flush(struct tap *t, struct stream *s)
{
	struct err err = { 0 };

	if (s->file && pcap_file_flush(s->file, &err) < 0)
		fail(t, &err);
}

static void tick(struct tap *t)
{
	count(t, &t->main);
	count(t, &t->tunnel);
	flush(t, &t->main);
	flush(t, &t->tunnel);
	publish(t);
	t->next_tick = clock_mono_ns() + TICK_MS * NS_PER_MS;
}

/* Sleep until there is something to do; `more` does not sleep. */
static void wait_for_work(struct tap *t, int more)
{
	bool read = t->open && !atomic_load(&t->paused);
	struct pollfd p[4] = {
		{ .fd = t->wake_fd, .events = POLLIN },
		{ .fd = linkwatch_fd(t->watch), .events = POLLIN },
		{ .fd = read ? ring_fd(t->main.ring) : -1, .events = POLLIN },
		{ .fd = read && t->tunnel.ring ? ring_fd(t->tunnel.ring) : -1, .events = POLLIN },
	};
	int64_t until = t->next_tick, now = clock_mono_ns();

	if (t->open && !t->begin_seen && t->next_beacon < until)
		until = t->next_beacon;
	(void)poll(p, 4, more || until <= now ? 0 : (int)((until - now) / NS_PER_MS) + 1);
}

static void loop_once(struct tap *t)
{
	int more = 0;

	follow_link(t);
	if (!t->open && !t->dead && t->link.exists && t->link.up)
		open_life(t);
	if (t->open && !t->begin_seen && clock_mono_ns() >= t->next_beacon)
		send_beacon(t, BEACON_BEGIN);
	if (t->open && !atomic_load(&t->paused))
		more = read_streams(t);
	if (clock_mono_ns() >= t->next_tick)
		tick(t);
	wait_for_work(t, more);
}

/* ---- the end ---- */

static void await_end_beacon(struct tap *t)
{
	int64_t deadline = clock_mono_ns() + BEACON_WAIT;

	/* Room first: a full ring would lose the beacon as well. */
	while (t->open && clock_mono_ns() < deadline && read_streams(t) > 0)
		;
	while (t->open && !t->end_seen && t->link.running && clock_mono_ns() < deadline) {
		struct pollfd p = { .fd = ring_fd(t->main.ring), .events = POLLIN };

		if (clock_mono_ns() >= t->next_beacon)
			send_beacon(t, BEACON_END);
		(void)poll(&p, 1, 20);
		follow_link(t);
		if (t->open)
			(void)read_streams(t);
	}
}

static void drain(struct tap *t, struct stream *s)
{
	struct err err = { 0 };

	if (!s->ring)
		return;
	if (ring_verify(s->ring, &s->filter, &err) < 0) {
		(void)pthread_mutex_lock(&t->lock);
		t->stats.filter_ok = false;
		(void)pthread_mutex_unlock(&t->lock);
		fail(t, &err);
	}
	if (ring_drain(s->ring, reader(t, s), t, &err) < 0)
		fail(t, &err);
	count(t, s);
}

static void close_file(struct tap *t, struct stream *s)
{
	struct err err = { 0 };

	if (!s->file)
		return;
	flush(t, s);
	s->written = pcap_file_packets(s->file);
	if (pcap_file_close(s->file, &err) < 0)
		fail(t, &err);
	s->file = NULL;
}

static bool complete(const struct stream *s, const char *path)
{
	return !s->bad && s->now.dropped == 0 && s->now.delivered == s->now.received &&
	       (!path || s->written == s->now.delivered);
}

/* See the top of tap.h. had_link: the interface was there at the end, and up. */
static void reconcile(struct tap *t, bool had_link)
{
	struct tap_stats *p = &t->stats;
	bool seen = p->beacon_begin && t->unvouched == 0;
	bool ended = t->end_seen;

	if (t->spec.transient) {
		seen = t->unvouched == 0;
		ended = t->end_seen || !had_link;
	}
	(void)pthread_mutex_lock(&t->lock);
	p->reconciled = !p->failed && p->gaps == 0 && seen && ended &&
			complete(&t->main, t->path) && complete(&t->tunnel, t->tunnel_path);
	p->reconciled = p->reconciled && (p->filter_ok || (t->spec.transient && p->lives == 0));
	p->state = TAP_CLOSED;
	(void)pthread_cond_broadcast(&t->changed);
	(void)pthread_mutex_unlock(&t->lock);
}

static void finish(struct tap *t)
{
	bool had_link = t->open && t->link.running;

	atomic_store(&t->paused, false);
	set_state(t, TAP_DRAINING);
	t->next_beacon = 0;
	await_end_beacon(t);
	if (t->open) {
		drain(t, &t->main);
		drain(t, &t->tunnel);
		end_life(t);
	}
	close_file(t, &t->main);
	close_file(t, &t->tunnel);
	publish(t);
	reconcile(t, had_link);
}

static int enter(struct tap *t, struct err *err)
{
	if (t->netns_fd >= 0 && setns(t->netns_fd, CLONE_NEWNET) < 0)
		return err_errno(err, "tap %s: entering its network namespace", t->name);
	t->watch = linkwatch_open(t->ifname, err);
	if (!t->watch)
		return -1;
	follow_link(t);
	if (t->spec.transient || (t->link.exists && t->link.up))
		return 0;
	return err_set(err, EXIT_ENVIRONMENT, "tap %s: interface %s %s", t->name, t->ifname,
		       t->link.exists ? "is down" : "does not exist");
}

static void *tap_main(void *arg)
{
	struct tap *t = arg;
	struct err err = { 0 };

	/* On Linux for this thread alone: a busy machine is when packets come. Without the right to do it,
	 * the ring's counters tell what that cost. */
	(void)setpriority(PRIO_PROCESS, 0, TAP_NICE);
	if (enter(t, &err) < 0) {
		fail(t, &err);
		t->dead = true;
	} else {
		publish(t);
		while (!atomic_load(&t->stop))
			loop_once(t);
	}
	finish(t);
	linkwatch_close(t->watch);
	return NULL;
}

/* ---- for the other threads ---- */

static int check(const struct tap_spec *s, struct err *err)
{
	if (!s->name || !*s->name || strlen(s->name) >= TAP_NAME_MAX)
		return err_set(err, EXIT_USAGE, "tap: a name of 1 to %d bytes", TAP_NAME_MAX - 1);
	if (!s->ifname || !*s->ifname || strlen(s->ifname) >= IF_NAMESIZE)
		return err_set(err, EXIT_USAGE, "tap %s: no interface name", s->name);
	if (!s->role || strlen(s->role) >= sizeof(((struct tap *)0)->role) || !s->path)
		return err_set(err, EXIT_USAGE, "tap %s: role and path are needed", s->name);
	if (s->ring_mib > 2047)
		return err_set(err, EXIT_USAGE, "tap %s: ring of at most 2047 MiB", s->name);
	if (s->snaplen && (s->snaplen < BEACON_FRAME_MAX || s->snaplen > RING_SNAPLEN))
		return err_set(err, EXIT_USAGE, "tap %s: snaplen %u is not within %d..%d", s->name,
			       s->snaplen, BEACON_FRAME_MAX, RING_SNAPLEN);
	if (s->tunnel.protocol && (!s->tunnel.address || !s->tunnel.port))
		return err_set(err, EXIT_USAGE, "tap %s: tunnel without address or port", s->name);
	return 0;
}

static void init_sync(struct tap *t)
{
	pthread_condattr_t attr;

	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&t->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
}

static struct tap *make(const struct tap_spec *s)
{
	struct tap *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	init_sync(t);
	t->spec = *s;
	if (!t->spec.ring_mib)
		t->spec.ring_mib = 16;
	(void)snprintf(t->name, sizeof(t->name), "%s", s->name);
	(void)snprintf(t->role, sizeof(t->role), "%s", s->role);
	(void)snprintf(t->ifname, sizeof(t->ifname), "%s", s->ifname);
	t->path = str_fmt("%s", s->path);
	t->tunnel_path = s->tunnel_path && has_tunnel_stream(t) ? str_fmt("%s", s->tunnel_path)
								: NULL;
	t->tunnel_address = s->tunnel.protocol ? str_fmt("%s", s->tunnel.address) : NULL;
	t->main.tap = t->tunnel.tap = t;
	t->main.dlt = t->tunnel.dlt = -1;
	t->stats.state = s->transient ? TAP_WAITING : TAP_ARMING;
	t->netns_fd = s->netns_fd >= 0 ? fcntl(s->netns_fd, F_DUPFD_CLOEXEC, 3) : -1;
	t->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return t;
}

static void destroy(struct tap *t)
{
	if (t->netns_fd >= 0)
		(void)close(t->netns_fd);
	if (t->wake_fd >= 0)
		(void)close(t->wake_fd);
	if (t->main.filter.bf_insns)
		pcap_freecode(&t->main.filter);
	if (t->tunnel.filter.bf_insns)
		pcap_freecode(&t->tunnel.filter);
	(void)pthread_mutex_destroy(&t->lock);
	(void)pthread_cond_destroy(&t->changed);
	free(t->path);
	free(t->tunnel_path);
	free(t->tunnel_address);
	free(t);
}

struct tap *tap_start(const struct tap_spec *spec, struct err *err)
{
	struct tap *t;
	int rc;

	if (check(spec, err) < 0)
		return NULL;
	t = make(spec);
	if (!t || t->wake_fd < 0 || (spec->netns_fd >= 0 && t->netns_fd < 0)) {
		(void)err_errno(err, "tap %s", spec->name);
		if (t)
			destroy(t);
		return NULL;
	}
	rc = pthread_create(&t->thread, NULL, tap_main, t);
	if (rc != 0) {
		errno = rc;
		(void)err_errno(err, "thread of tap %s", spec->name);
		destroy(t);
		return NULL;
	}
	return t;
}

int tap_wait_armed(struct tap *t, int64_t timeout_ns, struct err *err)
{
	int64_t until = clock_mono_ns() + timeout_ns;
	const struct timespec deadline = { until / NS_PER_S, until % NS_PER_S };
	int rc = 0;

	(void)pthread_mutex_lock(&t->lock);
	while (t->stats.state != TAP_ARMED && !t->nothing_to_see && !t->stats.failed && rc == 0)
		rc = pthread_cond_timedwait(&t->changed, &t->lock, &deadline);
	if (t->stats.failed)
		rc = err_set(err, EXIT_ENVIRONMENT, "%s", t->stats.error);
	else if (rc != 0)
		rc = err_set(err, EXIT_INCONCLUSIVE,
			     "tap %s on %s: its begin beacon was not seen within "
			     "%.1f s",
			     t->name, t->ifname, (double)timeout_ns / 1e9);
	(void)pthread_mutex_unlock(&t->lock);
	return rc;
}

int tap_stop(struct tap *t, struct err *err)
{
	const uint64_t one = 1;

	if (!t->joined) {
		atomic_store(&t->stop, true);
		if (write(t->wake_fd, &one, sizeof(one)) < 0)
			(void)err; /* the counter is full, so it is readable already */
		(void)pthread_join(t->thread, NULL);
		t->joined = true;
	}
	if (t->stats.failed)
		return err_set(err, EXIT_ENVIRONMENT, "tap %s: %s", t->name, t->stats.error);
	return 0;
}

void tap_free(struct tap *t)
{
	if (!t)
		return;
	(void)tap_stop(t, NULL);
	destroy(t);
}

void tap_stats(const struct tap *t, struct tap_stats *out)
{
	struct tap *u = (struct tap *)(uintptr_t)t; /* a lock is no part of what const promises */

	(void)pthread_mutex_lock(&u->lock);
	*out = t->stats;
	(void)pthread_mutex_unlock(&u->lock);
}

void tap_live(const struct tap *t, struct tap_live *out)
{
	out->packets = atomic_load_explicit(&t->packets, memory_order_relaxed);
	out->bytes = atomic_load_explicit(&t->bytes, memory_order_relaxed);
	out->tunnel_packets = atomic_load_explicit(&t->tunnel_packets, memory_order_relaxed);
	out->tunnel_bytes = atomic_load_explicit(&t->tunnel_bytes, memory_order_relaxed);
	out->first_packet = atomic_load_explicit(&t->first, memory_order_relaxed);
	out->last_packet = atomic_load_explicit(&t->last, memory_order_relaxed);
	out->first_tunnel = atomic_load_explicit(&t->tunnel_first, memory_order_relaxed);
	out->last_tunnel = atomic_load_explicit(&t->tunnel_last, memory_order_relaxed);
}

size_t tap_events(const struct tap *t, size_t from, struct tap_event *out, size_t max)
{
	struct tap *u = (struct tap *)(uintptr_t)t;
	size_t n = 0;

	(void)pthread_mutex_lock(&u->lock);
	for (; from + n < t->n_events && n < max; n++)
		out[n] = t->events[from + n];
	(void)pthread_mutex_unlock(&u->lock);
	return n;
}

const char *tap_name(const struct tap *t)
{
	return t->name;
}

const char *tap_role(const struct tap *t)
{
	return t->role;
}

const char *tap_ifname(const struct tap *t)
{
	return t->ifname;
}

const char *tap_path(const struct tap *t)
{
	return t->path;
}

void tap_pause(struct tap *t, bool paused)
{
	atomic_store(&t->paused, paused);
}
