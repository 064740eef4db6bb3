/* SPDX-License-Identifier: MIT */
/* Beacons: frames that a tap sends to itself, first and last, to prove that it sees. Pure functions. */
#ifndef CAPTURE_BEACON_H
#define CAPTURE_BEACON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BEACON_ETHERTYPE 0x88b5 /* IEEE Std 802, local experimental ethertype 1 */
#define BEACON_NONCE	 16
#define BEACON_NAME	 32
#define BEACON_FRAME_MAX 128
#define BEACON_ID	 UINT32_C(0xffffffff) /* stands where a control's id stands, after the nonce */

enum beacon_mark { BEACON_BEGIN = 'B', BEACON_END = 'E' };

struct beacon {
	uint8_t nonce[BEACON_NONCE];
	enum beacon_mark mark;
	uint32_t seq; /* beacons are repeated until one is seen */
	char tap[BEACON_NAME];
};

/* Write the frame: Ethernet with BEACON_ETHERTYPE, or without Ethernet an IPv4/UDP packet from
 * 198.51.100.127 to 203.0.113.254 port 9. Returns its length. */
size_t beacon_build(const struct beacon *b, bool ethernet, uint8_t out[BEACON_FRAME_MAX]);

/* True when the frame (Ethernet or bare IP, as captured) is a beacon of any run; fills *b (may be NULL).
 * Compare b->nonce before believing it. Never reads beyond len. */
bool beacon_parse(const uint8_t *data, size_t len, bool ethernet, struct beacon *b);

#endif
