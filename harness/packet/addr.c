/* SPDX-License-Identifier: MIT */
/* One address type for both families. */
#include "packet/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/order.h"

bool ipaddr_in_prefix(const struct ipaddr *a, const struct ipaddr *net, unsigned len)
{
	unsigned bytes, bits;

	if (ipaddr_is_v4(a) != ipaddr_is_v4(net))
		return false;
	len = (unsigned)min_u64(len + (ipaddr_is_v4(a) ? 96 : 0), 128);
	bytes = len / 8;
	bits = len % 8;
	if (memcmp(a->b, net->b, bytes) != 0)
		return false;
	return bits == 0 || (a->b[bytes] ^ net->b[bytes]) >> (8 - bits) == 0;
}

bool ipaddr_parse(const char *text, struct ipaddr *a)
{
	uint8_t raw[16];

	if (inet_pton(AF_INET, text, raw) == 1) {
		*a = ipaddr_v4(raw);
		return true;
	}
	if (inet_pton(AF_INET6, text, raw) == 1) {
		*a = ipaddr_v6(raw);
		return true;
	}
	return false;
}

bool ipaddr_parse_prefix(const char *text, struct ipaddr *net, unsigned *len)
{
	const char *slash = strchr(text, '/');
	char host[IPADDR_TEXT];
	struct ipaddr a;
	unsigned long n;
	char *end;

	if (!slash)
		slash = text + strlen(text);
	if (snprintf(host, sizeof(host), "%.*s", (int)(slash - text), text) >= (int)sizeof(host) ||
	    !ipaddr_parse(host, &a))
		return false;
	n = ipaddr_is_v4(&a) ? 32 : 128;
	if (*slash) {
		if (slash[1] < '0' || slash[1] > '9')
			return false;
		unsigned long given = strtoul(slash + 1, &end, 10);

		if (*end || given > n)
			return false;
		n = given;
	}
	*net = a;
	*len = (unsigned)n;
	return true;
}

char *ipaddr_format(const struct ipaddr *a, char *buf, size_t size)
{
	bool v4 = ipaddr_is_v4(a);

	if (size &&
	    !inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->b + 12 : a->b, buf, (socklen_t)size))
		buf[0] = '\0';
	return buf;
}

bool ipaddr_is_loopback(const struct ipaddr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return ipaddr_is_v4(a) ? a->b[12] == 127 : memcmp(a->b, one, 16) == 0;
}

bool ipaddr_is_multicast(const struct ipaddr *a)
{
	static const uint8_t all[4] = { 255, 255, 255, 255 };

	if (!ipaddr_is_v4(a))
		return a->b[0] == 0xff;
	return a->b[12] >> 4 == 14 || memcmp(a->b + 12, all, 4) == 0;
}

bool ipaddr_is_link_local(const struct ipaddr *a)
{
	if (!ipaddr_is_v4(a))
		return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
	return a->b[12] == 169 && a->b[13] == 254;
}

bool ipaddr_is_private(const struct ipaddr *a)
{
	const uint8_t *v4 = a->b + 12;

	if (!ipaddr_is_v4(a))
		return (a->b[0] & 0xfe) == 0xfc;
	return v4[0] == 10 || (v4[0] == 172 && (v4[1] & 0xf0) == 16) ||
	       (v4[0] == 192 && v4[1] == 168) || (v4[0] == 100 && (v4[1] & 0xc0) == 64);
}

bool ipaddr_is_public(const struct ipaddr *a)
{
	if (ipaddr_is_v4(a) ? a->b[12] == 0 : ipaddr_is_none(a))
		return false;
	return !ipaddr_is_loopback(a) && !ipaddr_is_multicast(a) && !ipaddr_is_link_local(a) &&
	       !ipaddr_is_private(a);
}
