/* SPDX-License-Identifier: MIT */
/* Bencoding (BEP 3) read in place: bounded in depth and length, nothing is copied. */
#ifndef PACKET_BENCODE_H
#define PACKET_BENCODE_H

#include "packet/cursor.h"

#define BENCODE_DEPTH 16

/* Each reader takes one value at c and returns true; on another kind of value, or a damaged one, it returns
 * false and leaves c where it was. A cursor that starts behind 'd' or 'l' walks its elements. */
bool bencode_string(struct cursor *c, const uint8_t **p, size_t *n);
bool bencode_int(struct cursor *c, int64_t *v);
/* Step over a value of any kind. *deep (may be NULL) is set when it was refused for its depth. */
bool bencode_skip(struct cursor *c, bool *deep);
/* Step into a dictionary ('d') or list ('l'). */
bool bencode_enter(struct cursor *c, char kind);
/* At the 'e' that ends the dictionary or list: step over it. */
bool bencode_leave(struct cursor *c);
/* Is the key these n bytes? */
#define bencode_key_is(key, len, text) ((len) == sizeof(text) - 1 && memcmp(key, text, len) == 0)

#endif
