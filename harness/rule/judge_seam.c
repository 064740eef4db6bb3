// SPDX-License-Identifier: MIT
/* The seam between two TCP segments: an address in text may begin in one and end in the next. Only a segment that ends in
 * a byte which such a text may have is remembered, which is one of ten in ciphertext, and only by its last bytes. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "rule/judge_internal.h"

#define SEAMS 1024 /* 10 bits of a hash; a newcomer takes the place of whoever had the slot */

/* Half of what is searched: the longest text of an address (39 characters of IPv6) that begins before the seam or so soon
 * behind it that what stands before the seam tells whether it is part of something longer. */
#define HALF (SEAM_MAX / 2)
_Static_assert(HALF >= IDENTITY_BEFORE - 1 + 39 + IDENTITY_BEHIND,
	       "an IPv6 address, all groups written, fits across");

struct seam {
	uint64_t key;  /* of one direction of a connection, 0: free */
	uint32_t next; /* sequence number of the byte that follows */
	uint32_t len;
	uint8_t tail[HALF];
};

struct seams {
	struct seam slot[SEAMS];
};

struct seams *seams_new(void)
{
	return calloc(1, sizeof(struct seams));
}

/* Digits of both bases, what stands between them, and the begin of an escape. */
bool seam_may_hold(uint8_t b)
{
	return (b >= '0' && b <= '9') || ((b | 0x20) >= 'a' && (b | 0x20) <= 'f') || b == '.' ||
	       b == ':' || b == '-' || b == ',' || b == '%';
}

/* The last HALF bytes of what was there and what came behind it. */
static void keep_tail(struct seam *s, size_t before, const uint8_t *p, size_t len)
{
	size_t n = min_u64(len, HALF);
	size_t old = min_u64(before, HALF - n);

	memmove(s->tail, s->tail + before - old, old);
	memcpy(s->tail + old, p + len - n, n);
	s->len = (uint32_t)(old + n);
}

static uint64_t seam_key(struct net_layer *l)
{
	return hash_mix(net_layer_pair(l) ^ hash_endpoint(&l->src, l->sport)) | 1;
}

static struct seam *seam_slot(struct seams *seams, uint64_t key)
{
	return &seams->slot[key >> 54];
}

/* Does the segment go on where the one that s remembers ends? */
static bool goes_on(const struct seam *s, uint64_t key, const struct net_layer *l)
{
	return s->key == key && s->next == l->seq;
}

bool seam_is_there(struct seams *seams, struct net_layer *l)
{
	uint64_t key;

	if (!seam_may_hold(l->payload[0]))
		return false;
	key = seam_key(l);
	return goes_on(seam_slot(seams, key), key, l);
}

size_t seam_join(struct seams *seams, struct net_layer *l, uint8_t joined[SEAM_MAX], size_t *at)
{
	uint64_t key = seam_key(l);
	struct seam *s = seam_slot(seams, key);
	size_t before = 0, n = min_u64(l->payload_len, HALF);

	*at = 0;
	if (l->proto != IPPROTO_TCP || n == 0 || l->payload_len < l->payload_wire)
		return 0;
	if (seam_may_hold(l->payload[0]) && goes_on(s, key, l))
		before = s->len;
	memcpy(joined, s->tail, before);
	memcpy(joined + before, l->payload, n);
	if (seam_may_hold(l->payload[l->payload_len - 1])) {
		s->key = key;
		s->next = l->seq + l->payload_len;
		keep_tail(s, before, l->payload, l->payload_len);
	}
	*at = before;
	return before ? before + n : 0;
}
