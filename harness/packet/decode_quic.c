/* SPDX-License-Identifier: MIT */
/* QUIC: headers (RFC 9000 17, 9369, the drafts before, Google's own), and the hello inside a client's Initial,
 * which is encrypted with keys that anybody can derive (RFC 9001 5.2). */
#include "base/order.h"
#include "packet/internal.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define QUIC_PORT    443
#define QUIC_INITIAL 0
#define QUIC_RETRY   3
#define COALESCED    8
#define CHLO_WITHIN  128 /* bytes into the packet: header, hash and frame type come before */
#define CHLO_TAGS    64
#define SAMPLE	     16
#define TAG	     16
#define PLAIN_KEPT   2048
#define V1	     0x00000001U
#define V2	     0x6b3343cfU

static const uint8_t salt_v1[20] = { 0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
				     0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a };
static const uint8_t salt_v2[20] = { 0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
				     0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9 };
static const uint8_t salt_29[20] = { 0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
				     0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99 };
static const uint8_t salt_23[20] = { 0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,
				     0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02 };

static const uint8_t salt_22[20] = { 0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a,
				     0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a, 0x02, 0x64, 0x4a };
/* Google's versions on the way from its own handshake to TLS */
static const uint8_t salt_q050[20] = { 0x50, 0x45, 0x74, 0xef, 0xd0, 0x66, 0xfe, 0x2f, 0x9d, 0x94,
				       0x5c, 0xfc, 0xdb, 0xd3, 0xa7, 0xf0, 0xd3, 0xb5, 0x6b, 0x45 };
static const uint8_t salt_t050[20] = { 0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80,
				       0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c, 0x60, 0x48, 0x83, 0x10 };
static const uint8_t salt_t051[20] = { 0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50,
				       0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda, 0x6e, 0x03, 0x3d };

static bool is_google(uint32_t v) /* Q043, T051, ... */
{
	uint8_t letter = (uint8_t)(v >> 24);

	return (letter == 'Q' || letter == 'T') && (v >> 16 & 0xff) == '0' &&
	       (v >> 8 & 0xff) >= '0' && (v >> 8 & 0xff) <= '9' && (v & 0xff) >= '0' &&
	       (v & 0xff) <= '9';
}

/* Up to Q046 Google's headers and handshake are its own and in clear. */
static bool is_google_clear(uint32_t v)
{
	return is_google(v) && (v & 0xffff) < 0x3530;
}

static bool is_draft(uint32_t v)
{
	return v >> 8 == 0xff0000 && (v & 0xff) >= 5 && (v & 0xff) <= 34;
}

static bool is_mvfst(uint32_t v)
{
	return v >> 8 == 0xfaceb0;
}

static bool is_reserved(uint32_t v) /* to force negotiation, RFC 9000 15 */
{
	return (v & 0x0f0f0f0f) == 0x0a0a0a0a;
}

static bool version_is_known(uint32_t v)
{
	return v == V1 || v == V2 || is_draft(v) || is_google(v) || is_mvfst(v) || is_reserved(v);
}

bool quic_may_be_version(uint32_t v)
{
	return v == 0 || version_is_known(v);
}

/* Of versions that name no draft: they are of the time of one of several, and a wrong salt shows by the tag. */
static const uint8_t *const any_salt[] = { salt_v1, salt_29, salt_23, salt_22 };
#define SALTS (sizeof(any_salt) / sizeof(any_salt[0]))

/* The salts to try, none where the keys are not known (Google's clear versions, the earliest drafts). */
static size_t version_salts(uint32_t v, const uint8_t *salts[SALTS])
{
	uint8_t draft = v & 0xff;

	if (is_mvfst(v) || is_reserved(v)) {
		memcpy(salts, any_salt, sizeof(any_salt));
		return SALTS;
	}
	salts[0] = v == V1			? salt_v1
		   : v == V2			? salt_v2
		   : v == 0x51303530		? salt_q050
		   : v == 0x54303530		? salt_t050
		   : v == 0x54303531		? salt_t051
		   : !is_draft(v) || draft < 21 ? NULL
		   : draft < 23			? salt_22
		   : draft < 29			? salt_23
		   : draft < 33			? salt_29
						: salt_v1;
	return salts[0] != NULL;
}

static uint64_t varint(struct cursor *c)
{
	uint8_t first = cursor_u8(c);
	uint64_t v = first & 0x3f;

	for (int more = (1 << (first >> 6)) - 1; more > 0; more--)
		v = v << 8 | cursor_u8(c);
	return v;
}

static bool hmac256(const uint8_t *key, int key_len, const uint8_t *p, size_t len, uint8_t out[32])
{
	unsigned n = 32;

	return HMAC(EVP_sha256(), key, key_len, p, len, out, &n) != NULL;
}

/* HKDF-Expand-Label with an empty context and at most 32 bytes (RFC 8446 7.1): one HMAC block. */
static bool expand_label(const uint8_t secret[32], const char *label, uint8_t *out, size_t n)
{
	uint8_t info[64], block[32] = { 0 };
	size_t len = strlen(label), at = 0;
	bool made;

	info[at++] = 0;
	info[at++] = (uint8_t)n;
	info[at++] = (uint8_t)(6 + len);
	memcpy(info + at, "tls13 ", 6);
	memcpy(info + at + 6, label, len);
	at += 6 + len;
	info[at++] = 0;
	info[at++] = 1;
	made = hmac256(secret, 32, info, at, block);
	memcpy(out, block, n);
	return made;
}

struct keys {
	uint8_t key[16], iv[12], hp[16];
};

static bool client_keys(const uint8_t salt[20], const struct quic_id *id, bool v2, struct keys *k)
{
	uint8_t initial[32], secret[32];

	return hmac256(salt, 20, id->b, id->len, initial) &&
	       expand_label(initial, "client in", secret, 32) &&
	       expand_label(secret, v2 ? "quicv2 key" : "quic key", k->key, 16) &&
	       expand_label(secret, v2 ? "quicv2 iv" : "quic iv", k->iv, 12) &&
	       expand_label(secret, v2 ? "quicv2 hp" : "quic hp", k->hp, 16);
}

static bool protection_mask(EVP_CIPHER_CTX *x, const uint8_t hp[16], const uint8_t *sample,
			    uint8_t mask[32])
{
	int n;

	return EVP_EncryptInit_ex(x, EVP_aes_128_ecb(), NULL, hp, NULL) == 1 &&
	       EVP_EncryptUpdate(x, mask, &n, sample, SAMPLE) == 1;
}

struct initial { /* one Initial packet inside its datagram */
	uint32_t version;
	const uint8_t *start;
	size_t header; /* bytes before the packet number */
	size_t rest;   /* packet number, payload and tag */
};

/* Removes header protection and encryption (RFC 9001 5.3, 5.4); the length of the plain frames, or 0. */
static size_t initial_open(EVP_CIPHER_CTX *x, const struct initial *in, const struct keys *k,
			   uint8_t plain[PLAIN_KEPT])
{
	uint8_t header[512], mask[32], nonce[12];
	size_t number_len, body;
	int n = 0, last = 0;

	if (in->rest < 4 + SAMPLE)
		return 0;
	if (in->header + 4 > sizeof(header))
		return 0;
	if (!protection_mask(x, k->hp, in->start + in->header + 4, mask))
		return 0;
	memcpy(header, in->start, in->header + 4);
	header[0] ^= mask[0] & 0x0f;
	number_len = (size_t)(header[0] & 3) + 1;
	memcpy(nonce, k->iv, 12);
	for (size_t i = 0; i < number_len; i++) {
		header[in->header + i] ^= mask[1 + i];
		nonce[12 - number_len + i] ^= header[in->header + i];
	}
	body = in->rest - number_len - TAG; /* the sample is as long as the tag */
	if (body > PLAIN_KEPT)
		return 0;
	const uint8_t *cipher = in->start + in->header + number_len;
	uint8_t tag[TAG];

	memcpy(tag, cipher + body, TAG);
	if (EVP_DecryptInit_ex(x, EVP_aes_128_gcm(), NULL, k->key, nonce) != 1 ||
	    EVP_DecryptUpdate(x, NULL, &n, header, (int)(in->header + number_len)) != 1 ||
	    EVP_DecryptUpdate(x, plain, &n, cipher, (int)body) != 1 ||
	    EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_GCM_SET_TAG, TAG, tag) != 1 ||
	    EVP_DecryptFinal_ex(x, plain + n, &last) != 1)
		return 0;
	return (size_t)n;
}

/* The hello of Google's own handshake: "CHLO", number of tags, then tags with the end of their values (all little-endian),
 * then the values. SNI and nothing else is wanted. */
static void google_hello(struct facts *f, const uint8_t *p, size_t len)
{
	const uint8_t *at = memmem(p, min_u64(len, CHLO_WITHIN), "CHLO", 4), *values;
	uint32_t n, from = 0, end;

	if (!at || (len -= (size_t)(at - p)) < 8)
		return;
	n = le16(at + 4);
	if (n > CHLO_TAGS || len < 8 + 8 * n)
		return;
	values = at + 8 + 8 * n;
	len -= 8 + 8 * n;
	tls_begin(f);
	fact_set(f, PROTO_TLS_HELLO);
	f->tls.over_quic = true;
	for (uint32_t i = 0; i < n; i++, from = end) {
		end = le32(at + 12 + 8 * i);
		if (end < from || end > len)
			return;
		if (memcmp(at + 8 + 8 * i, "SNI", 4) == 0) {
			f->tls.has_sni = true;
			text_put(f->tls.sni, sizeof(f->tls.sni), values + from, end - from);
		}
	}
}

static bool crypto_frame(struct work *w, struct cursor *c)
{
	uint64_t offset = varint(c), n = varint(c);
	const uint8_t *data = n <= c->left ? cursor_take(c, (size_t)n) : NULL;

	if (!data)
		return false;
	if (w->f->quic.version >> 24 == 'Q')
		google_hello(w->f, data, (size_t)n);
	else
		quic_crypto_piece(w, offset, data, (size_t)n);
	return true;
}

/* An acknowledgment's ranges are stepped over, and its counts where it has any. */
static void ack_frame(struct cursor *c, bool counts)
{
	uint64_t n;

	varint(c);
	varint(c);
	n = varint(c);
	varint(c);
	for (; n > 0 && !c->short_; n--) {
		varint(c);
		varint(c);
	}
	for (int i = 0; counts && i < 3; i++)
		varint(c);
}

/* Frames that an Initial may hold (RFC 9000 12.4): PADDING, PING, ACK, CRYPTO, CONNECTION_CLOSE. Google's have CRYPTO
 * under another number. */
void decode_quic_frames(struct work *w, const uint8_t *p, size_t len)
{
	uint64_t crypto = is_google(w->f->quic.version) ? 0x08 : 0x06;
	struct cursor c = cursor_of(p, len);

	while (cursor_more(&c)) {
		uint64_t type = varint(&c);

		if (type == crypto && crypto_frame(w, &c))
			continue;
		if (type == 0x1c || (type > 0x03 && crypto == 0x08))
			return; /* closing, or one of Google's frames: nothing of interest behind it */
		if (type == 0x02 || type == 0x03) {
			ack_frame(&c, type == 0x03);
		} else if (type > 0x01) {
			fact_reason(w->f, UND_QUIC_FRAME);
			return;
		}
	}
	if (c.short_)
		fact_reason(w->f, UND_QUIC_FRAME);
}

/* The keys are made of the id that the client chose for the server. Its first Initial says it; later ones, which may
 * hold the rest of a long hello, carry the server's own choice. */
static size_t initial_try(const struct initial *in, const struct quic_id *id,
			  uint8_t plain[PLAIN_KEPT])
{
	const uint8_t *salts[SALTS];
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	size_t n = 0, count = version_salts(in->version, salts);
	struct keys k;

	for (size_t i = 0; x && i < count && n == 0; i++)
		if (client_keys(salts[i], id, in->version == V2, &k))
			n = initial_open(x, in, &k, plain);
	EVP_CIPHER_CTX_free(x);
	return n;
}

static void initial_decrypt(struct work *w, const struct initial *in, const struct quic_id *id)
{
	uint8_t plain[PLAIN_KEPT];
	const uint8_t *salts[SALTS];
	struct quic_id first;
	size_t n;

	if (version_salts(in->version, salts) == 0) {
		fact_reason(w->f, UND_QUIC_VERSION);
		return;
	}
	n = initial_try(in, id, plain);
	if (n == 0 && quic_first_id(w, &first))
		n = initial_try(in, &first, plain);
	if (n == 0) { /* a server's, or a client's whose first one was not seen */
		fact_reason(w->f, UND_QUIC_DECRYPT);
		return;
	}
	w->f->quic.decrypted = true;
	decode_quic_frames(w, plain, n);
}

static bool connection_id(struct cursor *c, uint8_t *id, uint8_t *id_len)
{
	uint8_t n = cursor_u8(c);

	*id_len = n;
	return n <= 20 && cursor_copy(c, id, n) && !c->short_;
}

/* Type bits of version 2 are shifted by one (RFC 9369 3.2). */
static uint8_t long_type(uint32_t version, uint8_t first)
{
	uint8_t type = first >> 4 & 3;

	return version == V2 ? (uint8_t)((type + 3) & 3) : type;
}

/* Version, ids and type of the long header at c; false when it is none. A cleared fixed bit (RFC 9287) is allowed where the
 * version says enough. */
static bool long_header(struct cursor *c, struct quic_facts *q)
{
	uint8_t first = cursor_u8(c);

	memset(q, 0, sizeof(*q));
	q->version = cursor_u32(c);
	q->long_header = true;
	if (c->short_ || !(first & 0x80) || !quic_may_be_version(q->version))
		return false;
	if (!(first & 0x40) && is_reserved(q->version))
		return false;
	if (is_google_clear(q->version))
		return true;
	if (!connection_id(c, q->dcid, &q->dcid_len) || !connection_id(c, q->scid, &q->scid_len))
		return false;
	q->type = long_type(q->version, first);
	/* version negotiation lists versions */
	return q->version != 0 ||
	       (c->left >= 4 && c->left % 4 == 0 && q->dcid_len + q->scid_len >= 4);
}

/* Token (of an Initial only) and length; false when the packet is not wholly there. The rest of the datagram, which may
 * hold further packets, stays in *c. */
static bool long_packet(struct cursor *c, const struct quic_facts *q, struct initial *in)
{
	if (q->type == QUIC_INITIAL)
		cursor_skip(c, (size_t)varint(c)); /* its token */
	in->rest = (size_t)varint(c);
	in->version = q->version;
	in->header = (size_t)(c->p - in->start);
	return cursor_skip(c, in->rest);
}

static void quic_found(struct work *w)
{
	fact_set(w->f, PROTO_QUIC);
	memo_set(w, MEMO_QUIC);
}

/* A datagram may hold several packets (RFC 9000 12.2): the facts are the first one's, the hello is looked for in all
 * Initials. */
bool decode_quic_long(struct work *w, const uint8_t *p, size_t len)
{
	struct cursor c = cursor_of(p, len);
	struct quic_facts q;

	if (!long_header(&c, &q))
		return false;
	w->f->quic = q;
	quic_found(w);
	if (is_google_clear(q.version)) {
		fact_reason(w->f, UND_QUIC_VERSION);
		google_hello(w->f, p, len);
		return true;
	}
	for (int n = 0; n < COALESCED && q.version != 0 && q.type != QUIC_RETRY; n++) {
		struct quic_id id = { .len = q.dcid_len };
		struct initial in = { .start = p };

		memcpy(id.b, q.dcid, sizeof(id.b));
		if (!long_packet(&c, &q, &in)) {
			fact_reason(w->f, UND_QUIC_SHORT);
			break;
		}
		if (q.type == QUIC_INITIAL)
			initial_decrypt(w, &in, &id);
		p = c.p;
		if (!cursor_more(&c) || !long_header(&c, &q) || q.version != in.version)
			break;
	}
	return true;
}

/* Google's header before Q046: flags, an 8-byte connection id, the version as text (RFC 9000 has none of it). */
bool decode_quic_google(struct work *w, const uint8_t *p, size_t len)
{
	if (len < 14 || (p[0] & 0xc1) != 0x01 || !(p[0] & 0x08) || p[9] != 'Q' || p[10] != '0' ||
	    !is_google(be32(p + 9)))
		return false;
	memset(&w->f->quic, 0, sizeof(w->f->quic));
	w->f->quic.version = be32(p + 9);
	w->f->quic.dcid_len = 8;
	memcpy(w->f->quic.dcid, p + 1, 8);
	quic_found(w);
	fact_reason(w->f, UND_QUIC_VERSION);
	google_hello(w->f, p, len);
	return true;
}

bool decode_quic_short(struct work *w, const uint8_t *p, size_t len)
{
	const struct net_layer *l = w->l;
	bool port = l->sport == QUIC_PORT || l->dport == QUIC_PORT, known;

	/* A short header shows one fixed bit (none in Google's versions): believed on QUIC's port, or where a
	 * long header was seen. */
	if (p[0] & 0x80 || len < 21)
		return false;
	known = (memo_get(w) & MEMO_QUIC) != 0;
	if (!known && !(port && p[0] & 0x40))
		return false;
	memset(&w->f->quic, 0, sizeof(w->f->quic));
	if (known)
		fact_set(w->f, PROTO_QUIC);
	else
		fact_weak(w->f, PROTO_QUIC);
	return true;
}
