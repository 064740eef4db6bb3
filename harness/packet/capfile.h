/* SPDX-License-Identifier: MIT */
/* A streaming reader of pcap and pcapng bytes: one pass, bounded memory, every fault named with its offset. */
#ifndef PACKET_CAPFILE_H
#define PACKET_CAPFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Fill buf with up to size bytes; returns how many, 0 at the end, -1 on an error (which the callback has put in
 * err). May return less than asked. Decompression is the business of the callback. */
typedef ptrdiff_t (*capfile_read_fn)(void *arg, uint8_t *buf, size_t size, struct err *err);

/* Of pcapng's epb_flags (draft-ietf-opsawg-pcapng, section 4.3.1) */
enum capfile_direction { CAPFILE_UNTOLD, CAPFILE_INBOUND, CAPFILE_OUTBOUND };

struct capfile_frame {
	const uint8_t *data; /* valid until the next call */
	uint32_t caplen, len;
	uint32_t linktype;  /* enum link_type, of the interface in pcapng */
	uint32_t interface; /* number in the section; 0 in classic pcap */
	int64_t time; /* CLOCK_REALTIME nanoseconds; of the frame before for blocks without a stamp */
	uint64_t number;  /* 1-based over the whole file, as every other program counts */
	uint64_t offset;  /* of the record or block in the (uncompressed) file */
	int8_t direction; /* pcapng: enum capfile_direction */
};

/* What a pcapng file says of itself, over all interfaces: in statistics blocks and, of losses, with packets. */
struct capfile_counts {
	uint64_t received, dropped;
	bool present; /* the file has such counts, or says that packets were lost */
};

/* No frame may be larger than the first (libpcap's MAXIMUM_SNAPLEN is 256 KiB, but for USB and the like), no block
 * than the second (libpcap's bound: secrets and names may be long). */
#define CAPFILE_MAX_FRAME (4U << 20)
#define CAPFILE_MAX_BLOCK (16U << 20)
#define CAPFILE_BUFFER	  (256U << 10)
#define CAPFILE_INTERFACES \
	65536 /* of one section; merged files have one for each file that went in */

struct capfile;

/* Read the file header. The caller closes with capfile_close. On failure NULL and err (EXIT_USAGE: not a
 * capture file, damaged) with the byte offset. */
struct capfile *capfile_open(capfile_read_fn read, void *arg, struct err *err);
void capfile_close(struct capfile *c); /* NULL allowed */

/* The next frame: 1, 0 at the clean end, -1 with err for a damaged or cut file (frames before it were good). */
int capfile_next(struct capfile *c, struct capfile_frame *f, struct err *err);

/* The next frame and what follows it in memory, up to max frames (of pcapng one, since interfaces may be described between
 * frames): how many, each valid until the next call; 0 and -1 as above. */
int capfile_batch(struct capfile *c, struct capfile_frame *f, int max, struct err *err);

/* What was seen so far. */
const struct capfile_counts *capfile_counts(const struct capfile *c);
bool capfile_is_pcapng(const struct capfile *c);
/* Link type of interface n, and its name ("" when the file gives none); -1 when there is no such one. */
int capfile_interface(const struct capfile *c, uint32_t n, uint32_t *linktype, const char **name);

#endif
