/* SPDX-License-Identifier: MIT */
/* One address type for both families, and what a rule asks about an address. */
#ifndef PACKET_ADDR_H
#define PACKET_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* An IPv6 address, or an IPv4 address in its mapped form ::ffff:a.b.c.d (RFC 4291 2.5.5.2), so that two
 * addresses are equal exactly when the 16 bytes are. All zero (which is also "::") means "none". */
struct ipaddr {
	uint8_t b[16];
};

#define IPADDR_TEXT 46 /* INET6_ADDRSTRLEN */

/* In line, because every packet is asked several times. */
static inline struct ipaddr ipaddr_v4(const uint8_t bytes[4])
{
	static const uint8_t mapped[4] = { 0, 0, 0xff, 0xff };
	/* written by halves, as it is read: a processor waits for what was written in smaller parts */
	uint64_t half = 0;
	struct ipaddr a;
	uint32_t v[2];

	memcpy(&v[0], mapped, 4);
	memcpy(&v[1], bytes, 4);
	memcpy(a.b, &half, 8);
	memcpy(&half, v, 8);
	memcpy(a.b + 8, &half, 8);
	return a;
}

static inline struct ipaddr ipaddr_v6(const uint8_t bytes[16])
{
	struct ipaddr a;

	memcpy(a.b, bytes, 16);
	return a;
}

static inline bool ipaddr_is_v4(const struct ipaddr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(a->b, mapped, sizeof(mapped)) == 0;
}

static inline bool ipaddr_equal(const struct ipaddr *a, const struct ipaddr *b)
{
	return memcmp(a->b, b->b, 16) == 0;
}

static inline bool ipaddr_is_none(const struct ipaddr *a)
{
	static const struct ipaddr none;

	return ipaddr_equal(a, &none);
}

/* Prefix length counted in the address's own family (0-32 or 0-128); families that differ never match. */
bool ipaddr_in_prefix(const struct ipaddr *a, const struct ipaddr *net, unsigned len);

/* "203.0.113.10", "2001:db8::1"; false (and *a untouched) for anything else. */
bool ipaddr_parse(const char *text, struct ipaddr *a);

/* "10.0.0.0/8"; without "/N" the length is that of a host (32, 128). */
bool ipaddr_parse_prefix(const char *text, struct ipaddr *net, unsigned *len);

/* Text form into buf (IPADDR_TEXT bytes are always enough); returns buf. */
char *ipaddr_format(const struct ipaddr *a, char *buf, size_t size);

/* 127/8, ::1 */
bool ipaddr_is_loopback(const struct ipaddr *a);
/* 224/4, ff00::/8, and the IPv4 limited broadcast */
bool ipaddr_is_multicast(const struct ipaddr *a);
/* 169.254/16, fe80::/10 */
bool ipaddr_is_link_local(const struct ipaddr *a);
/* RFC 1918, 100.64/10 (RFC 6598), fc00::/7 */
bool ipaddr_is_private(const struct ipaddr *a);
/* None of the above and not 0/8 or "::": an address that routers of the internet would carry. */
bool ipaddr_is_public(const struct ipaddr *a);

#endif
