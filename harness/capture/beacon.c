/* SPDX-License-Identifier: MIT */
/* Beacons: frames that a tap sends to itself, first and last, to prove that it sees. Pure functions. */
#include "capture/beacon.h"

#include <string.h>

#include "capture/inject.h"

/* magic 8, nonce 16, id 4, sequence 4, mark 1, name 32 */
#define BODY	 65
#define ETHERNET 14
#define IP_UDP	 28

static const char magic[8] = { 'L', 'P', 'B', 'E', 'A', 'C', 'N', '1' };

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* IPv4 and UDP without a UDP checksum (allowed by RFC 768); the IP checksum is RFC 1071's. */
static void put_ip_udp(uint8_t *p)
{
	static const uint8_t from[4] = { 198, 51, 100, 127 }, to[4] = { 203, 0, 113, 254 };
	uint32_t sum = 0;

	memset(p, 0, IP_UDP);
	p[0] = 0x45;
	put16(p + 2, IP_UDP + BODY);
	p[8] = 1;
	p[9] = 17;
	memcpy(p + 12, from, 4);
	memcpy(p + 16, to, 4);
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	put16(p + 10, ~(sum + (sum >> 16)) & 0xffff);
	put16(p + 20, 9);
	put16(p + 22, 9);
	put16(p + 24, 8 + BODY);
}

size_t beacon_build(const struct beacon *b, bool ethernet, uint8_t out[BEACON_FRAME_MAX])
{
	size_t head = ethernet ? ETHERNET : IP_UDP;
	uint8_t *p = out + head;

	if (ethernet) {
		memcpy(out, inject_dead_mac, 6);
		memcpy(out + 6, inject_source_mac, 6);
		put16(out + 12, BEACON_ETHERTYPE);
	} else {
		put_ip_udp(out);
	}
	memcpy(p, magic, sizeof(magic));
	memcpy(p + 8, b->nonce, BEACON_NONCE);
	put32(p + 24, BEACON_ID);
	put32(p + 28, b->seq);
	p[32] = (uint8_t)b->mark;
	memset(p + 33, 0, BEACON_NAME);
	memcpy(p + 33, b->tap, strnlen(b->tap, BEACON_NAME - 1));
	return head + BODY;
}

bool beacon_parse(const uint8_t *data, size_t len, bool ethernet, struct beacon *b)
{
	size_t head = ethernet ? ETHERNET : IP_UDP;
	const uint8_t *p = data + head;

	if (len < head + BODY)
		return false;
	if (ethernet ? data[12] != 0x88 || data[13] != 0xb5 : data[0] != 0x45 || data[9] != 17)
		return false;
	if (memcmp(p, magic, sizeof(magic)) != 0 || get32(p + 24) != BEACON_ID)
		return false;
	if (p[32] != BEACON_BEGIN && p[32] != BEACON_END)
		return false;
	if (!b)
		return true;
	memcpy(b->nonce, p + 8, BEACON_NONCE);
	b->seq = get32(p + 28);
	b->mark = p[32] == BEACON_BEGIN ? BEACON_BEGIN : BEACON_END;
	memcpy(b->tap, p + 33, BEACON_NAME);
	b->tap[BEACON_NAME - 1] = '\0';
	return true;
}
