/* SPDX-License-Identifier: MIT */
/* Frames from bytes, for the golden captures: each function wraps what is inside. No library involved. */
#ifndef GOLDEN_FRAMES_H
#define GOLDEN_FRAMES_H

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
	uint8_t b[2048];
	size_t n;
};

static inline struct bytes raw(const void *p, size_t n)
{
	struct bytes x = { .n = n };

	if (n > sizeof(x.b))
		abort();
	memcpy(x.b, p, n);
	return x;
}

static inline struct bytes text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static inline struct bytes text(const char *fmt, ...)
{
	struct bytes x;
	va_list ap;

	va_start(ap, fmt);
	x.n = (size_t)vsnprintf((char *)x.b, sizeof(x.b), fmt, ap);
	va_end(ap);
	return x;
}

static inline struct bytes cat(struct bytes a, struct bytes b)
{
	if (a.n + b.n > sizeof(a.b))
		abort();
	memcpy(a.b + a.n, b.b, b.n);
	a.n += b.n;
	return a;
}

static inline struct bytes slice(struct bytes a, size_t from, size_t n)
{
	return raw(a.b + from, n);
}

static inline struct bytes fill(uint8_t v, size_t n)
{
	struct bytes x = { .n = n };

	memset(x.b, v, n);
	return x;
}

static inline struct bytes be(uint64_t v, size_t n)
{
	struct bytes x = { .n = n };

	for (size_t i = 0; i < n; i++)
		x.b[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
	return x;
}

/* Hex digits, blanks between them do not count. */
static inline struct bytes hex(const char *s)
{
	struct bytes x = { .n = 0 };
	unsigned v;
	int used;

	/* NOLINTNEXTLINE(cert-err34-c): no two digits are too large */
	while (sscanf(s, " %2x%n", &v, &used) == 1) {
		x.b[x.n++] = (uint8_t)v;
		s += used;
	}
	return x;
}

static inline struct bytes addr(const char *s)
{
	struct bytes x = { .n = strchr(s, ':') ? 16 : 4 };

	if (inet_pton(x.n == 16 ? AF_INET6 : AF_INET, s, x.b) != 1)
		abort();
	return x;
}

static inline uint32_t sum16(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (n & 1)
		sum += (uint32_t)p[n - 1] << 8;
	return sum;
}

static inline void put_sum(uint8_t *at, uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = ~sum & 0xffff;
	at[0] = (uint8_t)(sum >> 8);
	at[1] = (uint8_t)sum;
}

static inline struct bytes udp(uint16_t sport, uint16_t dport, struct bytes payload)
{
	return cat(cat(cat(be(sport, 2), be(dport, 2)), cat(be(payload.n + 8, 2), be(0, 2))), payload);
}

#define F_FIN 1
#define F_SYN 2
#define F_RST 4
#define F_PSH 8
#define F_ACK 16

static inline struct bytes tcp(uint16_t sport, uint16_t dport, uint32_t seq, uint8_t flags,
			       struct bytes payload)
{
	struct bytes h = cat(cat(be(sport, 2), be(dport, 2)),
			     cat(be(seq, 4), be(flags & F_ACK ? 77 : 0, 4)));

	return cat(cat(h, cat(be(0x50, 1), cat(be(flags, 1), hex("ffff 0000 0000")))), payload);
}

static inline struct bytes icmp(uint8_t type, uint8_t code, struct bytes rest)
{
	struct bytes x = cat(cat(be(type, 1), be(code, 1)), cat(be(0, 2), rest));

	put_sum(x.b + 2, sum16(x.b, x.n, 0));
	return x;
}

struct ip_fields {
	uint16_t id;
	uint8_t ttl;      /* 0: 64 */
	uint16_t offset;  /* of the fragment, bytes */
	int more;
};

static inline struct bytes ip4o(const char *src, const char *dst, uint8_t proto, struct ip_fields o,
				struct bytes payload)
{
	struct bytes h = cat(hex("45 00"), be(payload.n + 20, 2));

	h = cat(cat(h, be(o.id, 2)), be((o.more ? 0x2000U : 0U) | o.offset / 8, 2));
	h = cat(cat(h, be(o.ttl ? o.ttl : 64, 1)), cat(be(proto, 1), be(0, 2)));
	h = cat(cat(h, addr(src)), addr(dst));
	put_sum(h.b + 10, sum16(h.b, 20, 0));
	return cat(h, payload);
}

static inline struct bytes ip6o(const char *src, const char *dst, uint8_t next, uint8_t hops,
				struct bytes payload)
{
	struct bytes h = cat(hex("60 00 00 00"), cat(be(payload.n, 2), cat(be(next, 1), be(hops, 1))));

	return cat(cat(cat(h, addr(src)), addr(dst)), payload);
}

/* IPv4 or IPv6 by the form of the addresses. */
static inline struct bytes ip(const char *src, const char *dst, uint8_t proto, struct bytes payload)
{
	if (strchr(src, ':'))
		return ip6o(src, dst, proto, 64, payload);
	return ip4o(src, dst, proto, (struct ip_fields){ .id = 0x1234 }, payload);
}

static inline struct bytes eth(const char *src_mac, const char *dst_mac, uint16_t type,
			       struct bytes payload)
{
	return cat(cat(cat(hex(dst_mac), hex(src_mac)), be(type, 2)), payload);
}

static inline uint16_t ethertype_of(struct bytes packet)
{
	return packet.b[0] >> 4 == 6 ? 0x86dd : 0x0800;
}

/* ---- protocols ---- */

static inline struct bytes dns_name(const char *name)
{
	struct bytes x = { .n = 0 };

	while (*name) {
		size_t len = strcspn(name, ".");

		x = cat(x, cat(be(len, 1), raw(name, len)));
		name += len + (name[len] == '.');
	}
	return cat(x, be(0, 1));
}

static inline struct bytes dns_query(uint16_t id, const char *name)
{
	return cat(cat(be(id, 2), hex("0100 0001 0000 0000 0000")), cat(dns_name(name), hex("0001 0001")));
}

static inline struct bytes dns_answer(uint16_t id, const char *name, const char *address)
{
	return cat(cat(cat(be(id, 2), hex("8180 0001 0001 0000 0000")),
		       cat(dns_name(name), hex("0001 0001"))),
		   cat(hex("c00c 0001 0001 0000003c 0004"), addr(address)));
}

/* Bytes from .. from + 1399 of a tracker's reply: n peers, of which the last one is at `last` and none of the others. */
static inline struct bytes peers_part(size_t n, const char *last, size_t from)
{
	static char whole[8192];
	struct bytes head = text("d8:intervali1800e5:peers%zu:", n * 6);
	size_t at = (size_t)snprintf(whole, sizeof(whole),
				     "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%.*s",
				     head.n + n * 6 + 1, (int)head.n, (const char *)head.b);

	for (size_t i = 1; i <= n; i++, at += 6) {
		memcpy(whole + at, addr(i < n ? "192.0.2.7" : last).b, 4);
		memcpy(whole + at + 4, be(6881, 2).b, 2);
	}
	whole[at++] = 'e';
	return raw(whole + from, at - from < 1400 ? at - from : 1400);
}

static inline struct bytes tls_hello(const char *sni)
{
	size_t n = strlen(sni);
	struct bytes ext = cat(cat(be(0, 2), be(n + 5, 2)),
			       cat(cat(be(n + 3, 2), be(0, 1)), cat(be(n, 2), text("%s", sni))));
	struct bytes body = cat(hex("0303"), fill(0x5a, 32));

	body = cat(cat(body, hex("00 0004 1301 00ff 01 00")), cat(be(ext.n, 2), ext));
	body = cat(cat(be(1, 1), be(body.n, 3)), body);
	return cat(cat(hex("16 0301"), be(body.n, 2)), body);
}

static inline struct bytes wg_data(size_t padded, uint32_t receiver)
{
	struct bytes r = cat(be(receiver, 4), hex("0700000000000000"));

	return cat(cat(hex("04000000"), r), fill(0xa7, padded + 16));
}

#endif
