/* SPDX-License-Identifier: MIT */
/* Kernel filters of a tap: compiled by libpcap, attached and read back here. */
#ifndef CAPTURE_FILTER_H
#define CAPTURE_FILTER_H

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Why not pcap_setfilter(): it falls back to filtering in user space without an error when the kernel
 * refuses a program, and it evaluates the filter a second time on packets that the kernel had accepted.
 * Both would break the accounting (libpcap pcap-linux.c, pcap_setfilter_linux).
 */

/* "the tunnel's exact tuple", or with negate everything else, what is too short for the headers of its kind among it:
 * every frame is in exactly one of the two. Accepted packets are cut to snaplen. Owned by the caller: pcap_freecode().
 * address is numeric; protocol IPPROTO_UDP or IPPROTO_TCP. */
int filter_tunnel(struct bpf_program *out, int dlt, uint32_t snaplen, uint8_t protocol,
		  const char *address, uint16_t port, bool negate, struct err *err);

/* Everything, cut to snaplen. */
int filter_all(struct bpf_program *out, int dlt, uint32_t snaplen, struct err *err);

#define FILTER_INSIDE_SNAPLEN 640

/*
 * What is judged of a frame inside the stack, and no more: of the tunnel's exact tuple tunnel_snaplen bytes (its
 * headers), of whole TCP segments and UDP datagrams FILTER_INSIDE_SNAPLEN, which hold every header, the first 256 bytes
 * of data that a packet is recognised by outside (judge_match.c), marks, and names of lookups; of everything else
 * (fragments, DHCP, ICMP, ARP, router advertisements) snaplen. Nothing is left out. protocol 0: there is no tunnel.
 */
int filter_inside(struct bpf_program *out, int dlt, uint32_t snaplen, uint32_t tunnel_snaplen,
		  uint8_t protocol, const char *address, uint16_t port, struct err *err);

/* Attach to the packet socket; replaces an attached one in one step. */
int filter_attach(int fd, const struct bpf_program *p, struct err *err);
int filter_attach_none(int fd, struct err *err); /* nothing passes any more */

/* Read the filter back from the kernel (SO_GET_FILTER) and compare it instruction by instruction. */
int filter_verify(int fd, const struct bpf_program *p, struct err *err);

#endif
