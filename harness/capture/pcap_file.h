/* SPDX-License-Identifier: MIT */
/* Writes nanosecond pcap files and checks every write: a full disk is an error, at once. */
#ifndef CAPTURE_PCAP_FILE_H
#define CAPTURE_PCAP_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct pcap_file;

/* Create (or replace) the file; linktype is a LINKTYPE_ number of the pcap format. */
struct pcap_file *pcap_file_create(const char *path, uint32_t linktype, uint32_t snaplen,
				   struct err *err);

/* Append a packet: sec and nsec of its stamp. Buffered; -1 once the disk did not take something, for ever. */
int pcap_file_add(struct pcap_file *f, int64_t sec, uint32_t nsec, const uint8_t *data,
		  uint32_t caplen, uint32_t len, struct err *err);

/* Hand the buffer to the kernel. */
int pcap_file_flush(struct pcap_file *f, struct err *err);

/* Packets that the kernel has taken whole. */
uint64_t pcap_file_packets(const struct pcap_file *f);

/* Flush, cut a half-written record off, fsync, close, free. NULL allowed. */
int pcap_file_close(struct pcap_file *f, struct err *err);

#endif
