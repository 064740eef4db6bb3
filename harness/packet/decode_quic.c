/* SPDX-License-Identifier: MIT */
/* QUIC: headers (RFC 9000 17, 9369, the drafts before, Google's own), and the hello inside a client's Initial,
 * which is encrypted with keys that anybody can derive (RFC 9001 5.2). */
#include "packet/internal.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define QUIC_PORT  443
#define SAMPLE	   16
#define TAG	   16
#define PLAIN_KEPT 2048
#define V1	   0x00000001U
#define V2	   0x6b3343cfU

static const uint8_t salt_v1[20] = { 0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
				     0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a };
static const uint8_t salt_v2[20] = { 0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
				     0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9 };
static const uint8_t salt_29[20] = { 0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
				     0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99 };
static const uint8_t salt_23[20] = { 0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,
				     0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02 };

static bool is_google(uint32_t v) /* Q043, T051, ... */
{
	uint8_t letter = (uint8_t)(v >> 24);

	return (letter == 'Q' || letter == 'T') && (v >> 16 & 0xff) == '0' &&
	       (v >> 8 & 0xff) >= '0' && (v >> 8 & 0xff) <= '9' && (v & 0xff) >= '0' &&
	       (v & 0xff) <= '9';
}

static bool version_is_known(uint32_t v)
{
	return v == V1 || v == V2 || (v >> 8 == 0xff0000 && (v & 0xff) >= 5 && (v & 0xff) <= 34) ||
	       is_google(v) || v >> 8 == 0xfaceb0 /* mvfst */ ||
	       (v & 0x0f0f0f0f) == 0x0a0a0a0a /* reserved to force negotiation, RFC 9000 15 */;
}

/* NULL where the keys are not known (Google's versions, the earliest drafts). */
static const uint8_t *version_salt(uint32_t v)
{
	if (v == V1)
		return salt_v1;
	if (v == V2)
		return salt_v2;
	if (v >> 8 == 0xfaceb0)
		return (v & 0xff) == 1 ? salt_23 : salt_29;
	if (v >> 8 != 0xff0000)
		return NULL;
	if ((v & 0xff) >= 29 && (v & 0xff) <= 34)
		return (v & 0xff) <= 32 ? salt_29 : salt_v1;
	return (v & 0xff) >= 23 ? salt_23 : NULL;
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
	uint8_t info[64], block[32];
	size_t len = strlen(label), at = 0;

	info[at++] = 0;
	info[at++] = (uint8_t)n;
	info[at++] = (uint8_t)(6 + len);
	memcpy(info + at, "tls13 ", 6);
	memcpy(info + at + 6, label, len);
	at += 6 + len;
	info[at++] = 0;
	info[at++] = 1;
	if (!hmac256(secret, 32, info, at, block))
		return false;
	memcpy(out, block, n);
	return true;
}

struct keys {
	uint8_t key[16], iv[12], hp[16];
};

static bool client_keys(const struct quic_facts *q, struct keys *k)
{
	bool v2 = q->version == V2;
	const uint8_t *salt = version_salt(q->version);
	uint8_t initial[32], secret[32];

	return hmac256(salt, 20, q->dcid, q->dcid_len, initial) &&
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

	if (in->rest < 4 + SAMPLE || in->header + 4 > sizeof(header) ||
	    !protection_mask(x, k->hp, in->start + in->header + 4, mask))
		return 0;
	memcpy(header, in->start, in->header + 4);
	header[0] ^= mask[0] & 0x0f;
	number_len = (size_t)(header[0] & 3) + 1;
	memcpy(nonce, k->iv, 12);
	for (size_t i = 0; i < number_len; i++) {
		header[in->header + i] ^= mask[1 + i];
		nonce[12 - number_len + i] ^= header[in->header + i];
	}
	body = in->rest - number_len;
	if (body <= TAG || body - TAG > PLAIN_KEPT)
		return 0;
	body -= TAG;
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

/* Frames that an Initial may hold (RFC 9000 12.4): PADDING, PING, ACK, CRYPTO, CONNECTION_CLOSE. */
void decode_quic_frames(struct work *w, const uint8_t *p, size_t len)
{
	struct cursor c = cursor_of(p, len);

	while (cursor_more(&c)) {
		uint64_t type = varint(&c), offset, n;
		const uint8_t *data;

		switch (type) {
		case 0x00:
		case 0x01:
			break;
		case 0x02:
		case 0x03:
			varint(&c);
			varint(&c);
			n = varint(&c);
			varint(&c);
			for (; n > 0 && !c.short_; n--) {
				varint(&c);
				varint(&c);
			}
			if (type == 0x03)
				for (int i = 0; i < 3; i++)
					varint(&c);
			break;
		case 0x06:
			offset = varint(&c);
			n = varint(&c);
			data = n <= c.left ? cursor_take(&c, (size_t)n) : NULL;
			if (!data) {
				fact_reason(w->f, UND_QUIC_FRAME);
				return;
			}
			quic_crypto_piece(w, offset, data, (size_t)n);
			break;
		case 0x1c:
			return; /* closing: nothing of interest behind it */
		default:
			fact_reason(w->f, UND_QUIC_FRAME);
			return;
		}
	}
	if (c.short_)
		fact_reason(w->f, UND_QUIC_FRAME);
}

static void initial_decrypt(struct work *w, const struct initial *in)
{
	uint8_t plain[PLAIN_KEPT];
	EVP_CIPHER_CTX *x;
	struct keys k;
	size_t n = 0;

	if (!version_salt(w->f->quic.version)) {
		fact_reason(w->f, UND_QUIC_VERSION);
		return;
	}
	x = EVP_CIPHER_CTX_new();
	if (x && client_keys(&w->f->quic, &k))
		n = initial_open(x, in, &k, plain);
	EVP_CIPHER_CTX_free(x);
	if (n == 0) { /* a server's, or a client's later one under the server's connection id */
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

static void long_initial(struct work *w, const uint8_t *p, size_t len, struct cursor c)
{
	struct initial in = { .start = p };
	uint64_t token = varint(&c), rest;

	if (token > c.left || (token && !cursor_skip(&c, (size_t)token))) {
		fact_reason(w->f, UND_QUIC_SHORT);
		return;
	}
	rest = varint(&c);
	if (c.short_ || rest > c.left) {
		fact_reason(w->f, UND_QUIC_SHORT);
		return;
	}
	in.header = len - c.left;
	in.rest = (size_t)rest;
	initial_decrypt(w, &in);
}

bool decode_quic_long(struct work *w, const uint8_t *p, size_t len)
{
	struct quic_facts *q = &w->f->quic;
	struct cursor c = cursor_of(p, len);

	memset(q, 0, sizeof(*q));
	cursor_skip(&c, 1);
	q->version = cursor_u32(&c);
	q->long_header = true;
	if (c.short_ || (q->version != 0 && !version_is_known(q->version)))
		return false;
	if (q->version != 0 && !is_google(q->version) && !(p[0] & 0x40))
		return false;						/* the fixed bit */
	if (is_google(q->version) && (q->version & 0xffff) <= 0x3436) { /* Q046: nibble lengths */
		fact_set(w->f, PROTO_QUIC);
		fact_reason(w->f, UND_QUIC_VERSION);
		return true;
	}
	if (!connection_id(&c, q->dcid, &q->dcid_len) || !connection_id(&c, q->scid, &q->scid_len))
		return false;
	if (q->version == 0 && (c.left < 4 || c.left % 4 || q->dcid_len + q->scid_len < 4))
		return false; /* version negotiation lists versions */
	fact_set(w->f, PROTO_QUIC);
	memo_set(w, MEMO_QUIC);
	q->type = long_type(q->version, p[0]);
	if (q->version != 0 && q->type == 0)
		long_initial(w, p, len, c);
	return true;
}

/* Google's header before Q046: flags, an 8-byte connection id, the version as text (RFC 9000 has none of it). */
static bool decode_google(struct work *w, const uint8_t *p, size_t len)
{
	if (len < 14 || (p[0] & 0xc1) != 0x01 || !(p[0] & 0x08) || p[9] != 'Q' || p[10] != '0' ||
	    !is_google(be32(p + 9)))
		return false;
	memset(&w->f->quic, 0, sizeof(w->f->quic));
	w->f->quic.version = be32(p + 9);
	w->f->quic.dcid_len = 8;
	memcpy(w->f->quic.dcid, p + 1, 8);
	fact_set(w->f, PROTO_QUIC);
	memo_set(w, MEMO_QUIC);
	fact_reason(w->f, UND_QUIC_VERSION);
	return true;
}

bool decode_quic_short(struct work *w, const uint8_t *p, size_t len)
{
	const struct net_layer *l = w->l;
	bool port = l->sport == QUIC_PORT || l->dport == QUIC_PORT, known;

	if (decode_google(w, p, len))
		return true;
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
