/* SPDX-License-Identifier: MIT */
/* Who was where during a scenario: every address that a service ever had, its health, its lives; and from it
 * the policy that the packets are judged by. */
#ifndef ENGINE_ROSTER_H
#define ENGINE_ROSTER_H

#include <jansson.h>

#include "capture/tap.h"
#include "engine/journal.h"
#include "engine/watch.h"
#include "host/host.h"
#include "stack/stack.h"

struct roster;

/* `past` (borrowed, a JSON array that lives as long as the run) remembers the gateway's addresses from scenario to
 * scenario: packets that the server still sends to an old one must be known for what they are. */
struct roster *roster_new(struct host *h, const uint8_t nonce[TAP_NONCE],
			  const struct tap_tunnel *tunnel, json_t *past);
void roster_free(struct roster *r); /* NULL allowed */

/* Add what the stack says now; journals a "health" event for each change. */
void roster_update(struct roster *r, const struct stack *s, struct journal *j);

/* Note the start time of every service's process (roster_lives() gives them, borrowed), and on a real host in the
 * journal its image. */
void roster_remember_lives(struct roster *r, const struct stack *s, struct journal *j);
const json_t *roster_lives(const struct roster *r);

/* Journal the "policy" event: services, networks, taps, controls, canaries (reference is taken). */
void roster_journal_policy(struct roster *r, const struct watch *w, json_t *canaries,
			   struct journal *j);

#endif
