/* SPDX-License-Identifier: MIT */
/* Capture files byte by byte, in every form that a program may meet: pcap of both precisions and byte orders, pcapng with
 * several interfaces, link types, resolutions and statistics. No library involved. */
#ifndef TESTS_CAPTURE_WRITER_H
#define TESTS_CAPTURE_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "golden/frames.h"

#define CW_START (INT64_C(1767225600) * NS_PER_S) /* 2026-01-01 */

/* A file that grows in memory. */
struct cw {
	FILE *f;
	struct cw_buffer { /* by itself: open_memstream() keeps its addresses */
		char *mem;
		size_t len;
	} * buf;
	bool nano, big;
	uint32_t snaplen;
};

static inline void cw_u32(struct cw *w, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		(void)fputc((int)(v >> (w->big ? 24 - 8 * i : 8 * i) & 0xff), w->f);
}

static inline void cw_u16(struct cw *w, uint16_t v)
{
	(void)fputc(w->big ? v >> 8 : v & 0xff, w->f);
	(void)fputc(w->big ? v & 0xff : v >> 8, w->f);
}

static inline void cw_bytes(struct cw *w, const void *p, size_t n)
{
	(void)fwrite(p, 1, n, w->f);
	while (n++ % 4)
		(void)fputc(0, w->f);
}

static inline struct cw cw_memory(void)
{
	struct cw w = { .snaplen = 262144 };

	w.buf = calloc(1, sizeof(*w.buf));
	w.f = w.buf ? open_memstream(&w.buf->mem, &w.buf->len) : NULL;
	if (!w.f)
		abort();
	return w;
}

static inline void cw_free(struct cw *w)
{
	free(w->buf->mem);
	free(w->buf);
}

/* ---- pcap ---- */

static inline struct cw *cw_pcap(struct cw *w, bool nano, bool big, uint32_t linktype)
{
	w->nano = nano;
	w->big = big;
	cw_u32(w, nano ? 0xa1b23c4d : 0xa1b2c3d4);
	cw_u16(w, 2);
	cw_u16(w, 4);
	cw_u32(w, 0);
	cw_u32(w, 0);
	cw_u32(w, w->snaplen);
	cw_u32(w, linktype);
	return w;
}

static inline void cw_frame(struct cw *w, int64_t us, struct bytes b)
{
	int64_t t = CW_START + us * NS_PER_US;
	uint32_t n = b.n < w->snaplen ? (uint32_t)b.n : w->snaplen;

	cw_u32(w, (uint32_t)(t / NS_PER_S));
	cw_u32(w, (uint32_t)(t % NS_PER_S / (w->nano ? 1 : NS_PER_US)));
	cw_u32(w, n);
	cw_u32(w, (uint32_t)b.n);
	(void)fwrite(b.b, 1, n, w->f);
}

/* ---- pcapng (draft-ietf-opsawg-pcapng) ---- */

static inline uint32_t cw_padded(size_t n)
{
	return (uint32_t)((n + 3) / 4 * 4);
}

static inline void cw_section(struct cw *w, bool big)
{
	w->big = big;
	cw_u32(w, 0x0a0d0d0a);
	cw_u32(w, 28);
	cw_u32(w, 0x1a2b3c4d);
	cw_u16(w, 1);
	cw_u16(w, 0);
	cw_u32(w, UINT32_MAX);
	cw_u32(w, UINT32_MAX);
	cw_u32(w, 28);
}

/* `name` may be ""; resolution 6 or 9: 10^-n seconds. */
static inline void cw_interface(struct cw *w, uint16_t linktype, const char *name,
				uint8_t resolution)
{
	uint32_t options = (*name ? 4 + cw_padded(strlen(name)) : 0) + 8 + 4;

	cw_u32(w, 1);
	cw_u32(w, 20 + options);
	cw_u16(w, linktype);
	cw_u16(w, 0);
	cw_u32(w, 0);
	if (*name) {
		cw_u16(w, 2);
		cw_u16(w, (uint16_t)strlen(name));
		cw_bytes(w, name, strlen(name));
	}
	cw_u16(w, 9);
	cw_u16(w, 1);
	cw_bytes(w, &resolution, 1);
	cw_u32(w, 0);
	cw_u32(w, 20 + options);
}

static inline void cw_packet(struct cw *w, uint32_t interface, uint8_t resolution, int64_t us,
			     struct bytes b)
{
	uint64_t ticks = (uint64_t)(CW_START + us * NS_PER_US) / (resolution == 9 ? 1 : NS_PER_US);
	uint32_t total = 32 + cw_padded(b.n);

	cw_u32(w, 6);
	cw_u32(w, total);
	cw_u32(w, interface);
	cw_u32(w, (uint32_t)(ticks >> 32));
	cw_u32(w, (uint32_t)ticks);
	cw_u32(w, (uint32_t)b.n);
	cw_u32(w, (uint32_t)b.n);
	cw_bytes(w, b.b, b.n);
	cw_u32(w, total);
}

/* What the capturing program says it lost. */
static inline void cw_statistics(struct cw *w, uint32_t interface, uint32_t received,
				 uint32_t dropped)
{
	const uint32_t counts[2] = { received, dropped };

	cw_u32(w, 5);
	cw_u32(w, 52);
	cw_u32(w, interface);
	cw_u32(w, 0);
	cw_u32(w, 0);
	for (unsigned i = 0; i < 2; i++) {
		cw_u16(w, (uint16_t)(4 + i));
		cw_u16(w, 8);
		cw_u32(w, w->big ? 0 : counts[i]);
		cw_u32(w, w->big ? counts[i] : 0);
	}
	cw_u32(w, 0);
	cw_u32(w, 52);
}

#endif
