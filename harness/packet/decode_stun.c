/* SPDX-License-Identifier: MIT */
/* STUN (RFC 5389, 8489, 5780; TURN's attributes of RFC 8656) and its forerunner (RFC 3489). */
#include "packet/internal.h"

#define STUN_HEADER 20

enum {
	ATTR_MAPPED = 0x0001,
	ATTR_SOURCE = 0x0004,
	ATTR_CHANGED = 0x0005,
	ATTR_REFLECTED = 0x000b,
	ATTR_XOR_PEER = 0x0012,
	ATTR_XOR_RELAYED = 0x0016,
	ATTR_XOR_MAPPED = 0x0020,
	ATTR_XOR_MAPPED_OLD = 0x8020, /* of the drafts, still sent */
	ATTR_SOFTWARE = 0x8022,
	ATTR_ALTERNATE = 0x8023,
	ATTR_ORIGIN = 0x802b,
	ATTR_OTHER = 0x802c,
};

/* Zero byte, family, port, address; the XOR forms are mixed with cookie and transaction id (`key`, 16 bytes). */
static bool stun_address(struct facts *f, const uint8_t *p, size_t len, const uint8_t *key,
			 enum addr_place place)
{
	uint8_t raw[16];
	uint16_t port;
	size_t n;

	if (len < 8)
		return false;
	n = p[1] == 1 ? 4 : 16;
	if (len < 4 + n || (p[1] != 1 && p[1] != 2))
		return false;
	port = be16(p + 2);
	memcpy(raw, p + 4, n);
	if (key) {
		port ^= be16(key);
		for (size_t i = 0; i < n; i++)
			raw[i] ^= key[i];
	}
	fact_addr(f, n == 4 ? ipaddr_v4(raw) : ipaddr_v6(raw), port, place);
	return true;
}

static bool stun_attribute(struct facts *f, uint16_t type, const uint8_t *p, size_t len,
			   const uint8_t *key)
{
	switch (type) {
	case ATTR_MAPPED:
		return stun_address(f, p, len, NULL, PLACE_STUN_MAPPED);
	case ATTR_XOR_MAPPED:
	case ATTR_XOR_MAPPED_OLD:
		return stun_address(f, p, len, key, PLACE_STUN_MAPPED);
	case ATTR_XOR_PEER:
	case ATTR_XOR_RELAYED:
		return stun_address(f, p, len, key, PLACE_STUN_OTHER);
	case ATTR_SOURCE:
	case ATTR_CHANGED:
	case ATTR_REFLECTED:
	case ATTR_ALTERNATE:
	case ATTR_ORIGIN:
	case ATTR_OTHER:
		return stun_address(f, p, len, NULL, PLACE_STUN_OTHER);
	case ATTR_SOFTWARE:
		text_put(f->stun.software, sizeof(f->stun.software), p, len);
		return true;
	default:
		return true;
	}
}

static bool stun_attributes(struct facts *f, struct cursor c, const uint8_t *key)
{
	while (cursor_more(&c)) {
		uint16_t type = cursor_u16(&c), n = cursor_u16(&c);
		const uint8_t *p = cursor_take(&c, n);

		if (c.short_ || !stun_attribute(f, type, p, n, key))
			return false;
		if (n % 4 && c.left)
			cursor_skip(&c, 4 - n % 4);
	}
	return !c.short_;
}

static void stun_begin(struct facts *f, const uint8_t *p, bool classic)
{
	f->stun.type = be16(p);
	f->stun.classic = classic;
	f->stun.software[0] = '\0';
}

bool decode_stun(struct facts *f, const uint8_t *p, size_t len)
{
	size_t stated;

	if (len < STUN_HEADER || p[0] & 0xc0 || be32(p + 4) != STUN_COOKIE)
		return false;
	fact_set(f, PROTO_STUN);
	stun_begin(f, p, false);
	stated = be16(p + 2);
	if (stated > len - STUN_HEADER) {
		fact_reason(f, UND_STUN_ATTRIBUTE);
		stated = len - STUN_HEADER;
	}
	if (!stun_attributes(f, cursor_of(p + STUN_HEADER, stated), p + 4))
		fact_reason(f, UND_STUN_ATTRIBUTE);
	return true;
}

/* Data that a TURN server relays (RFC 8656 12.4): a channel's number, 0x4000 to 0x4fff, and the length, padded to four
 * bytes over TCP; believed where STUN was seen. */
bool decode_turn_channel(struct work *w, const uint8_t *p, size_t len)
{
	if (len < 4 || p[0] >> 4 != 4 || be16(p + 2) > len - 4 || len - 4 - be16(p + 2) > 3 ||
	    !(memo_get(w) & MEMO_STUN))
		return false;
	fact_weak(w->f, PROTO_STUN);
	w->f->stun = (struct stun_facts){ .type = be16(p) };
	return true;
}

/* Binding and shared secret of RFC 3489: request, answer, error. */
static bool is_classic_type(uint16_t type)
{
	switch (type) {
	case 0x0001:
	case 0x0101:
	case 0x0111:
	case 0x0002:
	case 0x0102:
	case 0x0112:
		return true;
	default:
		return false;
	}
}

/* Without the cookie: one of six types, exact length, attributes that fill it. A bare header says too little on any
 * port. */
bool decode_stun_classic(struct facts *f, const uint8_t *p, size_t len)
{
	uint16_t kept = f->n_addrs;

	if (len <= STUN_HEADER || len % 4 || !is_classic_type(be16(p)) ||
	    be16(p + 2) != len - STUN_HEADER)
		return false;
	stun_begin(f, p, true);
	if (!stun_attributes(f, cursor_of(p + STUN_HEADER, len - STUN_HEADER), p + 4)) {
		f->n_addrs = kept;
		return false;
	}
	fact_weak(f, PROTO_STUN);
	return true;
}
