/* SPDX-License-Identifier: MIT */
/* TLS: any record by its shape, the ClientHello for SNI and ALPN (RFC 8446, 6066, 7301); DTLS by its shape. */
#include "base/order.h"
#include "packet/internal.h"

#define RECORD_HEADER	       5
#define RECORD_MAX	       (16384 + 256)
#define CONTENT_CCS	       20
#define CONTENT_HANDSHAKE      22
#define CONTENT_APPLICATION    23
#define CONTENT_HEARTBEAT      24
#define DTLS_HEADER	       13
#define HANDSHAKE_CLIENT_HELLO 1
#define HANDSHAKE_LAST	       25 /* compressed certificate (RFC 8879) */
#define EXT_SERVER_NAME	       0
#define EXT_ALPN	       16
#define EXT_VERSIONS	       43
#define EXT_ECH		       0xfe0d
#define EXT_ESNI	       0xffce
#define HELLO_KEPT	       32768 /* as much as is collected of a stream's head */

static bool is_grease(uint16_t v) /* RFC 8701 */
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

static void hello_server_name(struct tls_facts *t, struct cursor c)
{
	struct cursor list = cursor_sub(&c, cursor_u16(&c));

	while (cursor_more(&list)) {
		uint8_t kind = cursor_u8(&list);
		uint16_t n = cursor_u16(&list);
		const uint8_t *name = cursor_take(&list, n);

		if (!name)
			return;
		if (kind == 0 && !t->has_sni) {
			t->has_sni = true;
			text_put(t->sni, sizeof(t->sni), name, n);
		}
	}
}

static void hello_alpn(struct tls_facts *t, struct cursor c)
{
	struct cursor list = cursor_sub(&c, cursor_u16(&c));
	size_t at = 0;

	while (cursor_more(&list)) {
		uint8_t n = cursor_u8(&list);
		const uint8_t *name = cursor_take(&list, n);

		if (!name || at + n + 2 > sizeof(t->alpn))
			return;
		if (at)
			t->alpn[at++] = ',';
		at += text_put(t->alpn + at, sizeof(t->alpn) - at, name, n);
	}
}

/* The highest; DTLS counts downwards. */
static void hello_versions(struct tls_facts *t, struct cursor c)
{
	struct cursor list = cursor_sub(&c, cursor_u8(&c));
	bool dtls = t->version >> 8 == 0xfe;

	while (cursor_more(&list)) {
		uint16_t v = cursor_u16(&list);

		if (is_grease(v))
			continue;
		if (!dtls)
			t->version = (uint16_t)max_u64(t->version, v);
		else if (v >> 8 == 0xfe)
			t->version = (uint16_t)min_u64(t->version, v);
	}
}

static void hello_extension(struct tls_facts *t, uint16_t type, struct cursor body)
{
	switch (type) {
	case EXT_SERVER_NAME:
		hello_server_name(t, body);
		break;
	case EXT_ALPN:
		hello_alpn(t, body);
		break;
	case EXT_VERSIONS:
		hello_versions(t, body);
		break;
	case EXT_ECH:
	case EXT_ESNI:
		t->ech = true;
		break;
	}
}

static void hello_extensions(struct facts *f, struct cursor exts, enum undecodable fault)
{
	while (cursor_more(&exts)) {
		uint16_t type = cursor_u16(&exts), n = cursor_u16(&exts);
		struct cursor body = cursor_sub(&exts, n);

		hello_extension(&f->tls, type, body);
		if (exts.short_) {
			fact_reason(f, fault);
			return;
		}
	}
}

/* The body of a ClientHello; false when it is not one. `whole` is false for one that was cut. DTLS has its own versions,
 * and a cookie (RFC 6347 4.2.1). */
static bool hello_body(struct facts *f, struct cursor c, bool whole, bool dtls)
{
	enum undecodable fault = whole ? UND_TLS_HELLO : UND_TLS_SHORT;
	uint16_t version = cursor_u16(&c);
	struct cursor exts;

	if (dtls ? version >> 8 != 0xfe && version != 0x0100
		 : version >> 8 != 3 && version >> 8 != 0x7f)
		return false;
	tls_begin(f);
	f->tls.over_quic = facts_has(f, PROTO_QUIC);
	f->tls.version = version;
	cursor_skip(&c, 32);
	cursor_skip(&c, cursor_u8(&c)); /* session id */
	if (dtls)
		cursor_skip(&c, cursor_u8(&c));
	cursor_skip(&c, cursor_u16(&c)); /* cipher suites */
	cursor_skip(&c, cursor_u8(&c));	 /* compression */
	fact_set(f, PROTO_TLS_HELLO);
	if (whole && !c.short_ && c.left == 0)
		return true; /* no extensions at all: SSL 3.0 */
	exts = cursor_sub(&c, cursor_u16(&c));
	if (c.short_)
		fact_reason(f, fault);
	hello_extensions(f, exts, fault);
	return true;
}

enum head_state decode_tls_hello(struct facts *f, const uint8_t *p, size_t len, bool last)
{
	size_t stated;

	if (len == 0 || p[0] != HANDSHAKE_CLIENT_HELLO)
		return len == 0 && !last ? HEAD_MORE : HEAD_NO;
	if (len < 4)
		return last ? HEAD_NO : HEAD_MORE;
	stated = (size_t)p[1] << 16 | be16(p + 2);
	if (stated > 65535)
		return HEAD_NO;
	if (stated > len - 4 && !last)
		return HEAD_MORE;
	return hello_body(f, cursor_of(p + 4, min_u64(stated, len - 4)), stated <= len - 4, false)
		       ? HEAD_DONE
		       : HEAD_NO;
}

static bool record_begins(const uint8_t *p, size_t len)
{
	if (p[0] < CONTENT_CCS || p[0] > CONTENT_HEARTBEAT)
		return false;
	if (len > 1 && p[1] != 3)
		return false;
	if (len > 2 && p[2] > 4)
		return false;
	return len < RECORD_HEADER || (be16(p + 3) <= RECORD_MAX && be16(p + 3) > 0);
}

/* A hello may be spread over records (RFC 8446 5.1): their fragments are put together first. */
static enum head_state hello_of_records(struct facts *f, const uint8_t *p, size_t len, bool last)
{
	uint8_t whole[HELLO_KEPT];
	struct cursor c = cursor_of(p, len);
	enum head_state state;
	size_t n = 0;

	whole[0] = 0;
	while (c.left > RECORD_HEADER && c.p[0] == CONTENT_HANDSHAKE &&
	       record_begins(c.p, c.left)) {
		size_t size = be16(c.p + 3), part;

		cursor_skip(&c, RECORD_HEADER);
		part = min_u64(min_u64(size, c.left), sizeof(whole) - n);
		memcpy(whole + n, c.p, part);
		n += part;
		cursor_skip(&c, min_u64(size, c.left));
	}
	state = decode_tls_hello(f, whole, n, last);
	return n == sizeof(whole) && state == HEAD_MORE ? decode_tls_hello(f, whole, n, true)
							: state;
}

/* Do the bytes say more than the header of one record, which is all that is asked of the first? One in some million pieces
 * of ciphertext begins like that. A handshake's first message does, and a second header where the first record ends. */
static bool records_are_sure(const uint8_t *p, size_t len)
{
	size_t size = RECORD_HEADER + (size_t)be16(p + 3);

	if (p[0] == CONTENT_HANDSHAKE && len >= RECORD_HEADER + 4 && p[5] <= HANDSHAKE_LAST &&
	    p[6] == 0)
		return true;
	return len == size || (len >= size + RECORD_HEADER && record_begins(p + size, len - size));
}

enum head_state decode_tls(struct facts *f, const uint8_t *p, size_t len, bool last)
{
	enum head_state state;

	if (len == 0 || !record_begins(p, len))
		return HEAD_NO;
	if (len < RECORD_HEADER + 1)
		return last ? HEAD_NO : HEAD_MORE;
	/* before a second hello stands a change of cipher specs of one byte (RFC 8446 D.4) */
	if (p[0] == CONTENT_CCS && be16(p + 3) == 1 && len > 2 * RECORD_HEADER + 1 &&
	    p[RECORD_HEADER + 1] == CONTENT_HANDSHAKE &&
	    record_begins(p + RECORD_HEADER + 1, len - RECORD_HEADER - 1)) {
		p += RECORD_HEADER + 1;
		len -= RECORD_HEADER + 1;
	}
	if (p[0] != CONTENT_HANDSHAKE || p[5] != HANDSHAKE_CLIENT_HELLO) {
		if (records_are_sure(p, len))
			fact_set(f, PROTO_TLS);
		else
			fact_weak(f, PROTO_TLS);
		return HEAD_DONE;
	}
	state = hello_of_records(f, p, len, last);
	if (state == HEAD_DONE)
		fact_set(f, PROTO_TLS);
	return state;
}

/* Records one behind the other until the datagram ends, to the byte. */
static bool dtls_records_fill(const uint8_t *p, size_t len)
{
	struct cursor c = cursor_of(p, len);

	while (cursor_more(&c)) {
		const uint8_t *h = cursor_take(&c, DTLS_HEADER);

		if (!h || h[0] < CONTENT_CCS || h[0] > CONTENT_APPLICATION || h[1] != p[1] ||
		    h[2] != p[2] || !cursor_skip(&c, be16(h + 11)))
			return false;
	}
	return true;
}

/* RFC 6347 4.2.2: type, length, sequence, fragment's offset and length. A hello in fragments is read as far as the first
 * one goes, which is no damage. */
static void dtls_hello(struct facts *f, struct cursor c)
{
	const uint8_t *h = cursor_take(&c, 12);
	uint64_t reasons = f->reasons;
	uint8_t reason = f->reason;
	uint32_t whole, part;

	if (!h || h[0] != HANDSHAKE_CLIENT_HELLO || h[6] || h[7] || h[8])
		return;
	whole = be32(h) & 0xffffff;
	part = be32(h + 8) & 0xffffff;
	if (part > whole || part > c.left)
		return;
	hello_body(f, cursor_of(c.p, part), part == whole, true);
	if (part < whole) {
		f->reasons = reasons;
		f->reason = reason;
	}
}

/* RFC 6347 4.1, RFC 9147 4: content type, version fe ff / fe fd / fe fc, epoch and sequence, and a length that fits.
 * DTLS before there was an RFC (OpenSSL 0.9.8, which AnyConnect kept) has version 01 00, which says less. */
bool decode_dtls(struct facts *f, const uint8_t *p, size_t len)
{
	bool old = len >= DTLS_HEADER && p[1] == 1 && p[2] == 0;
	size_t stated;

	if (len < DTLS_HEADER || p[0] < CONTENT_CCS || p[0] > 26)
		return false;
	if (!old && (p[1] != 0xfe || p[2] < 0xfc))
		return false;
	stated = be16(p + 11);
	if (stated == 0 || stated > len - DTLS_HEADER)
		return false;
	if (old && !dtls_records_fill(p, len))
		return false;
	fact_set(f, PROTO_DTLS);
	if (p[0] == CONTENT_HANDSHAKE)
		dtls_hello(f, cursor_of(p + DTLS_HEADER, stated));
	return true;
}
