/* SPDX-License-Identifier: MIT */
/* The watch over one scenario: all taps, and the controls that prove taps and rules. */
#ifndef ENGINE_WATCH_H
#define ENGINE_WATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "capture/tap.h"
#include "engine/journal.h"
#include "host/host.h"

struct watch;

struct watch_opts {
	struct host *host;
	struct journal *journal;
	const char *dir;	  /* where the captures of the scenario go */
	struct tap_tunnel tunnel; /* the tuple that is taken out of the way outside */
	const char *const
		*bridges; /* interfaces of the stack's networks, NULL-terminated; may come later */
	uint8_t nonce[TAP_NONCE];
	bool whole_frames; /* keep whole frames inside the stack, too: nothing more is judged of them */
};

/* Open every tap, wait until each saw its begin beacon, then send the controls. Journals "tap-open" and
 * "control". NULL on error, and then no tap is left open. End with watch_end(), then watch_free(). */
struct watch *watch_begin(const struct watch_opts *o, struct err *err);

/* Close the taps after their end beacon and journal "tap" with the final counters. Idempotent; a tap that
 * failed is in its event, not an error here. */
void watch_end(struct watch *w);
void watch_free(struct watch *w); /* NULL allowed */

/* Packets that crossed the tunnel so far: seen inside it in the lab, as its outer packets elsewhere. */
uint64_t watch_tunnel_packets(const struct watch *w);

/* What the policy says of taps and controls; new references. */
json_t *watch_taps_json(const struct watch *w);
json_t *watch_controls_json(const struct watch *w);

#endif
