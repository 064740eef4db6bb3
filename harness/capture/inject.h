/* SPDX-License-Identifier: MIT */
/*
 * Forged frames: beacons that prove a tap, and controls that prove a rule. Built with libnet and sent on
 * the link layer. Every frame goes to an Ethernet address that nobody owns (locally administered), so it
 * is seen by the taps of its interface and of the far end, and dies there; on interfaces without
 * Ethernet (tun) the bare IP packet is sent, to an address that no tunnel peer owns.
 */
#ifndef CAPTURE_INJECT_H
#define CAPTURE_INJECT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define INJECT_NONCE 16
#define INJECT_MARKER \
	20 /* nonce, then the id as big-endian 32 bits: the rules know it in this form */

extern const uint8_t inject_source_mac[6]; /* Ethernet source of every forged frame */
extern const uint8_t inject_dead_mac[6];   /* Ethernet destination: nobody */

/* What a control looks like. The family is that of src and dst. */
enum inject_kind {
	INJECT_TCP,	/* SYN that carries the marker as data */
	INJECT_UDP,	/* datagram with the marker */
	INJECT_ICMP,	/* echo request with the marker */
	INJECT_DNS,	/* UDP query, type A (AAAA on v6), for `name`; port 53 when dport is 0 */
	INJECT_TRACKER, /* TCP segment with an HTTP announce that carries `announce` as ip= */
	INJECT_OTHER,	/* protocol 253 (RFC 3692, experiments) with the marker */
};

struct inject_spec {
	int netns_fd; /* namespace of the interface; -1 = the caller's */
	const char *ifname;
	enum inject_kind kind;
	const char *src, *dst; /* numeric, one family */
	uint16_t sport, dport; /* host order; 0 = 40000 and the kind's usual port */
	uint8_t nonce[INJECT_NONCE];
	uint32_t id;	      /* of the control */
	const char *name;     /* INJECT_DNS: whole name, "ctl-....canary.example" */
	const char *announce; /* INJECT_TRACKER: the address that must not be told */
};

struct inject_sent {
	int64_t before,
		after;	 /* REALTIME ns around the write: the packet's stamp lies in between */
	uint32_t length; /* bytes of the frame */
};

/* Send one forged frame. `out` may be NULL. -1 and *err when the spec cannot be built, the interface is not
 * there or the kernel refused. Takes about a millisecond (a thread of its own enters the namespace). */
int inject_send(const struct inject_spec *s, struct inject_sent *out, struct err *err);

/* nonce and id as they stand in a payload. */
void inject_marker(const uint8_t nonce[INJECT_NONCE], uint32_t id, uint8_t out[INJECT_MARKER]);

const char *inject_kind_name(
	enum inject_kind k); /* "tcp", "udp", "icmp", "dns", "tracker", "other" */

/* ---- for taps: a sender that stays open in the calling thread's namespace ---- */

struct injector;

struct injector *injector_open(const char *ifname, struct err *err);
int injector_write(struct injector *in, const uint8_t *frame, size_t len, struct err *err);
int injector_has_ethernet(const struct injector *in); /* 0: frames are bare IP packets */
void injector_close(struct injector *in);	      /* NULL allowed */

#endif
