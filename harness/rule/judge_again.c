// SPDX-License-Identifier: MIT
/* Nearly all of an uplink is the tunnel's data, and each such packet is like the one before it but for its length, its id and
 * its ciphertext. What was judged of one holds for the next, which is told by its first bytes without decoding it. */
#include <arpa/inet.h>
#include <string.h>

#include "rule/judge_internal.h"

/* Where things are in Ethernet II, IPv4 without options (RFC 791 3.1), UDP (RFC 768). */
enum { IP_LENGTH = 16, IP_FRAGMENT = 20, IP_SOURCE = 26, UDP_LENGTH = 38 };

static uint16_t number(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return ntohs(v);
}

static bool lengths_agree(const uint8_t *p, uint32_t caplen, uint32_t len)
{
	return caplen == len && len >= AGAIN_HEAD + 8 && number(p + IP_LENGTH) + 14U == len &&
	       number(p + UDP_LENGTH) + 34U == len;
}

/* All but IP's length, id and checksum and UDP's length and checksum. */
static bool is_same(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, IP_LENGTH) == 0 && memcmp(a + IP_FRAGMENT, b + IP_FRAGMENT, 4) == 0 &&
	       memcmp(a + IP_SOURCE, b + IP_SOURCE, UDP_LENGTH - IP_SOURCE) == 0 &&
	       memcmp(a + AGAIN_MESSAGE, b + AGAIN_MESSAGE, AGAIN_HEAD - AGAIN_MESSAGE) == 0;
}

const struct again *again_find(const struct again *of_tap, int linktype, const uint8_t *p,
			       uint32_t caplen, uint32_t len)
{
	if (linktype != LINK_ETHERNET || !lengths_agree(p, caplen, len))
		return NULL;
	for (size_t i = 0; i < AGAIN_SLOTS; i++)
		if (of_tap[i].tuple && is_same(of_tap[i].head, p) &&
		    wireguard_message(p + AGAIN_MESSAGE, len - AGAIN_MESSAGE, len - AGAIN_MESSAGE,
				      NULL))
			return &of_tap[i];
	return NULL;
}

static bool may_be_kept(const struct facts *f)
{
	const struct net_layer *l = &f->layer[0];

	return l->ip == f->frame + 14 && l->header_len == 20 && l->frag == FRAG_NONE &&
	       f->wg.type == 4 && lengths_agree(f->frame, f->caplen, f->len);
}

void again_keep(struct again *of_tap, const struct again *what, const struct facts *f)
{
	struct again *slot = &of_tap[what->out];

	if (!may_be_kept(f))
		return;
	*slot = *what;
	memcpy(slot->head, f->frame, AGAIN_HEAD);
}
