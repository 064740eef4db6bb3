/* SPDX-License-Identifier: MIT */
/* QUIC in its versions. The Initials are built here with the library's own encryption and, where there are such, with the keys
 * that the specifications print, so that the derivation under test is held to theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "packet/frames.h"
#include "packet/internal.h"
#include "packet/with_decoder.h"

static struct facts facts;

static void run(struct decoder *d, enum carrier c, unsigned sport, unsigned dport,
		void (*payload)(struct frame *))
{
	struct frame f;

	build(&f, c, sport, dport, payload);
	decode(d, &f, &facts);
}

/* ---- Encryption ---- */

struct keys {
	uint8_t key[16], iv[12], hp[16];
};

/* For the connection id 8394c8f03e515708: RFC 9001 A.1, RFC 9369 A.1, appendix A.1 of draft-ietf-quic-tls-29 and -27. */
static const struct keys keys_v1 = {
	{ 0x1f, 0x36, 0x96, 0x13, 0xdd, 0x76, 0xd5, 0x46, 0x77, 0x30, 0xef, 0xcb, 0xe3, 0xb1, 0xa2,
	  0x2d },
	{ 0xfa, 0x04, 0x4b, 0x2f, 0x42, 0xa3, 0xfd, 0x3b, 0x46, 0xfb, 0x25, 0x5c },
	{ 0x9f, 0x50, 0x44, 0x9e, 0x04, 0xa0, 0xe8, 0x10, 0x28, 0x3a, 0x1e, 0x99, 0x33, 0xad, 0xed,
	  0xd2 },
};
static const struct keys keys_v2 = {
	{ 0x8b, 0x1a, 0x0b, 0xc1, 0x21, 0x28, 0x42, 0x90, 0xa2, 0x9e, 0x09, 0x71, 0xb5, 0xcd, 0x04,
	  0x5d },
	{ 0x91, 0xf7, 0x3e, 0x23, 0x51, 0xd8, 0xfa, 0x91, 0x66, 0x0e, 0x90, 0x9f },
	{ 0x45, 0xb9, 0x5e, 0x15, 0x23, 0x5d, 0x6f, 0x45, 0xa6, 0xb1, 0x9c, 0xbc, 0xb0, 0x29, 0x4b,
	  0xa9 },
};
static const struct keys keys_29 = {
	{ 0x17, 0x52, 0x57, 0xa3, 0x1e, 0xb0, 0x9d, 0xea, 0x93, 0x66, 0xd8, 0xbb, 0x79, 0xad, 0x80,
	  0xba },
	{ 0x6b, 0x26, 0x11, 0x4b, 0x9c, 0xba, 0x2b, 0x63, 0xa9, 0xe8, 0xdd, 0x4f },
	{ 0x9d, 0xdd, 0x12, 0xc9, 0x94, 0xc0, 0x69, 0x8b, 0x89, 0x37, 0x4a, 0x9c, 0x07, 0x7a, 0x30,
	  0x77 },
};
static const struct keys keys_27 = {
	{ 0xaf, 0x7f, 0xd7, 0xef, 0xeb, 0xd2, 0x18, 0x78, 0xff, 0x66, 0x81, 0x12, 0x48, 0x98, 0x36,
	  0x94 },
	{ 0x86, 0x81, 0x35, 0x94, 0x10, 0xa7, 0x0b, 0xb9, 0xc9, 0x2f, 0x04, 0x20 },
	{ 0xa9, 0x80, 0xb8, 0xb4, 0xfb, 0x7d, 0x9f, 0xbc, 0x13, 0xe8, 0x14, 0xc2, 0x31, 0x64, 0x25,
	  0x3d },
};
#define ID "\x83\x94\xc8\xf0\x3e\x51\x57\x08"

#define SALT_22 "\x7f\xbc\xdb\x0e\x7c\x66\xbb\xe9\x19\x3a\x96\xcd\x21\x51\x9e\xbd\x7a\x02\x64\x4a"

static void hkdf(int mode, const void *salt, size_t n_salt, const void *key, size_t n_key,
		 const void *info, size_t n_info, uint8_t *out, size_t n)
{
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);

	assert_int_equal(EVP_PKEY_derive_init(x), 1);
	assert_int_equal(EVP_PKEY_CTX_hkdf_mode(x, mode), 1);
	assert_int_equal(EVP_PKEY_CTX_set_hkdf_md(x, EVP_sha256()), 1);
	if (n_salt)
		assert_int_equal(EVP_PKEY_CTX_set1_hkdf_salt(x, salt, (int)n_salt), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_hkdf_key(x, key, (int)n_key), 1);
	if (n_info)
		assert_int_equal(EVP_PKEY_CTX_add1_hkdf_info(x, info, (int)n_info), 1);
	assert_int_equal(EVP_PKEY_derive(x, out, &n), 1);
	EVP_PKEY_CTX_free(x);
}

static void expand(const uint8_t secret[32], const char *label, uint8_t *out, size_t n)
{
	struct frame info = { .n = 0 };

	put16(&info, (unsigned)n);
	put8(&info, (unsigned)(6 + strlen(label)));
	put_text(&info, "tls13 ");
	put(&info, label, strlen(label));
	put8(&info, 0);
	hkdf(EVP_PKEY_HKDEF_MODE_EXPAND_ONLY, NULL, 0, secret, 32, info.b, info.n, out, n);
}

/* Google's versions, and draft 22, have salts of their own, and no document that prints keys for this id. */
static struct keys keys_of_salt(const char *salt)
{
	uint8_t initial[32], secret[32];
	struct keys k = { 0 };

	hkdf(EVP_PKEY_HKDEF_MODE_EXTRACT_ONLY, salt, 20, ID, 8, NULL, 0, initial, 32);
	expand(initial, "client in", secret, 32);
	expand(secret, "quic key", k.key, 16);
	expand(secret, "quic iv", k.iv, 12);
	expand(secret, "quic hp", k.hp, 16);
	return k;
}

static void seal(const struct keys *k, const uint8_t *nonce, const uint8_t *aad, size_t n_aad,
		 const struct frame *plain, uint8_t *out)
{
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	int len;

	assert_int_equal(EVP_EncryptInit_ex(x, EVP_aes_128_gcm(), NULL, k->key, nonce), 1);
	assert_int_equal(EVP_EncryptUpdate(x, NULL, &len, aad, (int)n_aad), 1);
	assert_int_equal(EVP_EncryptUpdate(x, out, &len, plain->b, (int)plain->n), 1);
	assert_int_equal(EVP_EncryptFinal_ex(x, out + len, &len), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_GCM_GET_TAG, 16, out + plain->n), 1);
	EVP_CIPHER_CTX_free(x);
}

/* What the next Initial is made of. */
static struct {
	uint32_t version;
	unsigned first; /* byte */
	const char *id; /* of the server, 8 bytes */
	struct keys keys;
	struct frame plain; /* frames */
	bool broken;
	size_t token;	 /* bytes */
	unsigned number; /* bytes of the packet number; 0: four */
} q;

static void p_initial(struct frame *f)
{
	size_t start = f->n, header, number = q.number ? q.number : 4;
	uint8_t nonce[12], mask[32];
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	int len;

	put8(f, q.number ? (q.first & 0xf0) | (q.number - 1) : q.first);
	put32(f, q.version);
	put8(f, 8);
	put(f, q.id, 8);
	put8(f, 0); /* no id of the client */
	if (q.token)
		put16(f, (unsigned)(0x4000 | q.token));
	else
		put8(f, 0);
	put_zero(f, q.token);
	put16(f, (unsigned)(0x4000 | (number + q.plain.n + 16)));
	put_zero(f, number - 1);
	put8(f, 2); /* packet number */
	header = f->n - start;
	memcpy(nonce, q.keys.iv, 12);
	nonce[11] ^= 2;
	seal(&q.keys, nonce, f->b + start, header, &q.plain, f->b + f->n);
	f->n += q.plain.n + 16;
	EVP_EncryptInit_ex(x, EVP_aes_128_ecb(), NULL, q.keys.hp, NULL);
	EVP_EncryptUpdate(x, mask, &len, f->b + start + header - number + 4, 16);
	EVP_CIPHER_CTX_free(x);
	f->b[start] ^= mask[0] & 15;
	for (size_t i = 0; i < number; i++)
		f->b[start + header - number + i] ^= mask[1 + i];
	f->b[f->n - 1] ^= q.broken;
}

static struct frame hello;

static void crypto(unsigned type, size_t from, size_t n)
{
	put8(&q.plain, type);
	put16(&q.plain, (unsigned)(0x4000 | from));
	put16(&q.plain, (unsigned)(0x4000 | n));
	put(&q.plain, hello.b + from, n);
}

/* Version 1, the whole hello in one frame, padding behind. */
static void begin(const char *name)
{
	memset(&q, 0, sizeof(q));
	q.version = 1;
	q.first = 0xc3;
	q.id = ID;
	q.keys = keys_v1;
	hello.n = 0;
	p_hello_body(&hello, name);
}

static void all_of_it(void)
{
	crypto(6, 0, hello.n);
	put_zero(&q.plain, 300);
}

static void assert_name(const char *name)
{
	assert_true(facts_has(&facts, PROTO_QUIC));
	assert_true(facts.quic.decrypted);
	assert_true(facts_has(&facts, PROTO_TLS_HELLO));
	assert_true(facts.tls.over_quic);
	assert_string_equal(facts.tls.sni, name);
	assert_int_equal(facts.reason, UND_NONE);
}

/* ---- Tests ---- */

static void an_initial_is_decrypted(void **state)
{
	(void)state;
	begin("tracker.example");
	all_of_it();
	run(NULL, UDP4, 40000, 443, p_initial);
	assert_name("tracker.example");
	assert_true(facts.quic.long_header);
	assert_int_equal(facts.quic.version, 1);
	assert_int_equal(facts.quic.dcid_len, 8);
	q.broken = true;
	run(NULL, UDP6, 40000, 4433, p_initial);
	assert_true(facts_has(&facts, PROTO_QUIC));
	assert_false(facts.quic.decrypted);
	assert_false(facts_has(&facts, PROTO_TLS_HELLO));
	assert_int_equal(facts.reason, UND_QUIC_DECRYPT);
}

static void every_version_has_its_keys(void **state)
{
	static const struct {
		uint32_t version;
		unsigned first;
		const struct keys *keys; /* NULL: of draft 22 */
	} rows[] = {
		{ 0x00000001, 0xc3, &keys_v1 },
		{ 0x6b3343cf, 0xd3, &keys_v2 },
		{ 0xff000022, 0xc3, &keys_v1 },
		{ 0xff00001d, 0xc3, &keys_29 },
		{ 0xff000020, 0xc3, &keys_29 },
		{ 0xff00001b, 0xc3, &keys_27 },
		{ 0xff000017, 0xc3, &keys_27 },
		{ 0xff000016, 0xc3, NULL },
		{ 0xff000015, 0xc3, NULL },
		{ 0xff00001c, 0xc3, &keys_27 },
		{ 0xff000021, 0xc3, &keys_v1 },
		{ 0xfaceb001, 0xc3, NULL },
		{ 0xfaceb002, 0xc3, &keys_27 },
		{ 0xfaceb00e, 0xc3, &keys_29 },
		{ 0x1a2a3a4a, 0xc3, &keys_v1 },
		{ 0x0a0a0a0a, 0xc3, &keys_29 },
		/* the fixed bit cleared (RFC 9287) */
		{ 0x00000001, 0x83, &keys_v1 },
		{ 0x6b3343cf, 0x93, &keys_v2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin("seed.test");
		q.version = rows[i].version;
		q.first = rows[i].first;
		q.keys = rows[i].keys ? *rows[i].keys : keys_of_salt(SALT_22);
		all_of_it();
		run(NULL, UDP4, 40000, 4433, p_initial);
		assert_name("seed.test");
		assert_int_equal(facts.quic.version, rows[i].version);
		assert_int_equal(facts.quic.type, 0);
	}
}

static void unknown_versions_are_not_believed(void **state)
{
	static const uint32_t versions[] = { 2, 0xff000004, 0xff000023, 0xfaceb100, 0x12345678 };

	(void)state;
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		begin("seed.test");
		q.version = versions[i];
		all_of_it();
		run(NULL, UDP4, 40000, 4433, p_initial);
		assert_false(facts_has(&facts, PROTO_QUIC));
	}
	begin("seed.test"); /* to force negotiation, 16 bits say too little without the fixed bit */
	q.version = 0x1a2a3a4a;
	q.first = 0x83;
	all_of_it();
	run(NULL, UDP4, 40000, 4433, p_initial);
	assert_false(facts_has(&facts, PROTO_QUIC));
}

/* Pieces of the hello out of order in one packet, with PING, ACK and padding between them. */
static void frames_in_any_order(void **state)
{
	decoder_reset(*state);
	begin("crates.test");
	crypto(6, 90, hello.n - 90);
	put8(&q.plain, 1);
	crypto(6, 0, 40);
	put(&q.plain, "\2\5\0\0\0", 5);
	put_zero(&q.plain, 30);
	put(&q.plain, "\3\5\0\1\0\1\1\0\0\0", 10);
	crypto(6, 40, 50);
	run(*state, UDP4, 40000, 443, p_initial);
	assert_name("crates.test");
}

/* Over two datagrams, the later part first. */
static void a_hello_over_datagrams(void **state)
{
	decoder_reset(*state);
	begin("long.test");
	crypto(6, 50, hello.n - 50);
	put_zero(&q.plain, 300);
	run(*state, UDP4, 40000, 443, p_initial);
	assert_true(facts.quic.decrypted);
	assert_false(facts_has(&facts, PROTO_TLS_HELLO));
	q.plain.n = 0;
	crypto(6, 0, 50);
	run(*state, UDP4, 40000, 443, p_initial);
	assert_name("long.test");
	assert_true(facts.reassembled);
}

/* Once the server has answered, the client names the server's choice; the keys stay those of its own. */
static void a_hello_under_two_ids(void **state)
{
	decoder_reset(*state);
	begin("moved.test");
	crypto(6, 0, 50);
	run(*state, UDP4, 40000, 443, p_initial);
	assert_false(facts_has(&facts, PROTO_TLS_HELLO));
	q.plain.n = 0;
	crypto(6, 50, hello.n - 50);
	q.id = "serverid";
	run(*state, UDP4, 40000, 443, p_initial);
	assert_name("moved.test");
	/* without the first part nobody knows the keys */
	decoder_reset(*state);
	run(*state, UDP4, 40000, 443, p_initial);
	assert_false(facts.quic.decrypted);
	assert_int_equal(facts.reason, UND_QUIC_DECRYPT);
}

/* Two Initials, and a Handshake packet behind them, in one datagram. */
static void p_coalesced(struct frame *f)
{
	q.plain.n = 0;
	crypto(6, 70, hello.n - 70);
	p_initial(f);
	q.plain.n = 0;
	crypto(6, 0, 70);
	p_initial(f);
	put8(f, 0xe3);
	put32(f, 1);
	put8(f, 8);
	put(f, ID, 8);
	put8(f, 0);
	put16(f, 0x4000 | 30);
	put_fill(f, 30, 9);
}

static void packets_of_one_datagram(void **state)
{
	decoder_reset(*state);
	begin("both.test");
	run(*state, UDP4, 40000, 443, p_coalesced);
	assert_name("both.test");
	assert_int_equal(facts.quic.type, 0); /* the facts are the first packet's */
}

/* ---- Google's own ---- */

#define SALT_Q050 "\x50\x45\x74\xef\xd0\x66\xfe\x2f\x9d\x94\x5c\xfc\xdb\xd3\xa7\xf0\xd3\xb5\x6b\x45"
#define SALT_T051 "\x7a\x4e\xde\xf4\xe7\xcc\xee\x5f\xa4\x50\x6c\x19\x12\x4f\xc8\xcc\xda\x6e\x03\x3d"

static void put_le32(struct frame *f, uint32_t v)
{
	put32(f, __builtin_bswap32(v));
}

/* Two values: padding of four bytes, then the name. */
static void put_chlo(struct frame *f, const char *name)
{
	put_text(f, "CHLO");
	put_le32(f, 2);
	put_text(f, "PAD\0");
	put_le32(f, 4);
	put_text(f, "SNI\0");
	put_le32(f, (uint32_t)(4 + strlen(name)));
	put_text(f, "----");
	put(f, name, strlen(name));
}

static void p_q043(struct frame *f)
{
	put8(f, 0x0d); /* version, 8 bytes of id */
	put_text(f, "12345678Q043\1");
	put_fill(f, 12, 0xab); /* hash */
	put(f, "\xa0\1\0\x40", 4);
	put_chlo(f, "old.test");
}

static void p_q046(struct frame *f)
{
	put8(f, 0xc3);
	put_text(f, "Q046\x50"
		    "12345678\0\0\0\1");
	put_fill(f, 12, 0xab);
	put(f, "\xa0\1\0\x40", 4);
	put_chlo(f, "newer.test");
}

static void googles_hello_is_read(void **state)
{
	(void)state;
	run(NULL, UDP4, 40000, 443, p_q043);
	assert_true(facts_has(&facts, PROTO_QUIC));
	assert_int_equal(facts.quic.version, 0x51303433);
	assert_true(facts_has(&facts, PROTO_TLS_HELLO));
	assert_string_equal(facts.tls.sni, "old.test");
	run(NULL, UDP4, 40000, 443, p_q046);
	assert_string_equal(facts.tls.sni, "newer.test");
	begin("");
	q.version = 0x51303530;
	q.keys = keys_of_salt(SALT_Q050);
	hello.n = 0;
	put_chlo(&hello, "last.test");
	crypto(8, 0, hello.n);
	put_zero(&q.plain, 200);
	run(NULL, UDP4, 40000, 443, p_initial);
	assert_name("last.test");
	begin("tls.test");
	q.version = 0x54303531;
	q.keys = keys_of_salt(SALT_T051);
	crypto(8, 0, hello.n);
	put_zero(&q.plain, 200);
	run(NULL, UDP4, 40000, 443, p_initial);
	assert_name("tls.test");
}

/* Tags that lie about their place, cut at every length. */
static void p_chlo_wrong(struct frame *f)
{
	p_q043(f);
	set16(f, 1 + 12 + 1 + 12 + 4 + 8 + 4, 0xffff); /* the first value's end */
}

static void damaged_tags_give_no_name(void **state)
{
	struct frame f;

	(void)state;
	run(NULL, UDP4, 40000, 443, p_chlo_wrong);
	assert_true(facts_has(&facts, PROTO_QUIC));
	assert_false(facts.tls.has_sni);
	build(&f, UDP4, 40000, 443, p_q043);
	for (size_t n = 42; n < f.n; n++) {
		decode_frame(NULL, LINK_ETHERNET, exact(f.b, n), (uint32_t)n, (uint32_t)f.n, 0,
			     &facts);
		assert_false(facts_has(&facts, PROTO_TLS_HELLO) && facts.tls.has_sni);
	}
}

static void p_short(struct frame *f)
{
	put8(f, 0x45);
	put_fill(f, 60, 0xee);
}

static void short_headers_need_port_or_memory(void **state)
{
	decoder_reset(*state);
	run(*state, UDP4, 40000, 4433, p_short);
	assert_false(facts_has(&facts, PROTO_QUIC));
	run(*state, UDP4, 40000, 443, p_short);
	assert_true(facts.weak & P(QUIC));
	begin("x.test");
	all_of_it();
	run(*state, UDP4, 40000, 4433, p_initial);
	run(*state, UDP4, 40000, 4433, p_short);
	assert_true(facts_has(&facts, PROTO_QUIC));
	assert_false(facts.weak & P(QUIC));
}

/* ---- limits ---- */

/* Versions that are known, but not their keys; and what only looks like a version. */
static void versions_by_name_and_number(void **state)
{
	static const struct {
		uint32_t version;
		bool known;
	} rows[] = {
		{ 0xff000005, true },  { 0xff000014, true },  { 0xff000004, false },
		{ 0xff000023, false }, { 0xfe000005, false }, { 0x51303530, true },
		{ 0x51303939, true },  { 0x54303530, true },  { 0x51303a30, false },
		{ 0x51302f30, false }, { 0x5130353a, false }, { 0x5130352f, false },
		{ 0x51313530, false }, { 0x52303530, false }, { 0x51303539, true },
		{ 0xfaceb0ff, true },  { 0xfaceb1ff, false }, { 0x5a6a7a8a, true },
		{ 0x5a6a7a8b, false }, { 0x6b3343cf, true },  { 0x6b3343ce, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin("x.test");
		q.version = rows[i].version;
		put_zero(&q.plain, 40);
		run(NULL, UDP4, 40000, 4433, p_initial);
		if (facts_has(&facts, PROTO_QUIC) != rows[i].known)
			fail_msg("version %x", rows[i].version);
	}
	/* Google's in clear have no ids behind the version */
	for (uint32_t v = 0x51303436; v <= 0x51303530; v = v == 0x51303439 ? 0x51303530 : v + 1) {
		begin("x.test");
		q.version = v;
		put_zero(&q.plain, 40);
		run(NULL, UDP4, 40000, 4433, p_initial);
		assert_int_equal(facts.quic.dcid_len, v == 0x51303530 ? 8 : 0);
		assert_int_equal(facts.reason,
				 v == 0x51303530 ? UND_QUIC_DECRYPT : UND_QUIC_VERSION);
		if (v == 0x51303530)
			break;
	}
	begin("x.test"); /* as google's last one, but nobody knows its keys */
	q.version = 0x51303531;
	all_of_it();
	run(NULL, UDP4, 40000, 4433, p_initial);
	assert_int_equal(facts.reason, UND_QUIC_VERSION);
	begin("tls.test");
	q.version = 0x54303530;
	q.keys = keys_of_salt("\x7f\xf5\x79\xe5\xac\xd0\x72\x91\x55\x80\x30\x4c\x43\xa2\x36\x7c"
			      "\x60\x48\x83\x10");
	crypto(8, 0, hello.n);
	put_zero(&q.plain, 200);
	run(NULL, UDP4, 40000, 443, p_initial);
	assert_name("tls.test");
}

/* Packet numbers of every length; the shortest packet has just the bytes of a sample. */
static void packet_numbers_of_all_lengths(void **state)
{
	(void)state;
	for (unsigned number = 1; number <= 4; number++)
		for (size_t n = 1; n <= 5; n++) {
			bool room = number + n >= 4; /* and the tag: 20 bytes */

			begin("x.test");
			q.number = number;
			put_zero(&q.plain, n);
			run(NULL, UDP4, 40000, 4433, p_initial);
			assert_true(facts_has(&facts, PROTO_QUIC));
			if (room)
				assert_true(facts.quic.decrypted);
			assert_int_equal(facts.reason, room ? UND_NONE : UND_QUIC_DECRYPT);
		}
}

static void p_empty_initial(struct frame *f)
{
	put(f, "\xc3\0\0\0\1\x08" ID "\0\0\x40\x14", 18);
	put_fill(f, 20, 7);
}

static void longest_packets(void **state)
{
	(void)state;
	for (size_t n = 2047; n <= 2049; n++) { /* of plain text */
		begin("x.test");
		put_zero(&q.plain, n);
		run(NULL, UDP4, 40000, 4433, p_initial);
		assert_int_equal(facts.quic.decrypted, n <= 2048);
	}
	for (size_t n = 488; n <= 494; n++) { /* header: 1 + 4 + 1 + 8 + 1 + 2 + token + 2 + 4 */
		begin("x.test");
		q.token = n;
		put_zero(&q.plain, 50);
		run(NULL, UDP4, 40000, 4433, p_initial);
		assert_int_equal(facts.quic.decrypted, 23 + n <= 512);
	}
	run(NULL, UDP4, 40000, 4433, p_empty_initial); /* nothing but the tag */
	assert_int_equal(facts.reason, UND_QUIC_DECRYPT);
}

static unsigned before; /* the Initial */

static void p_behind_others(struct frame *f)
{
	for (unsigned i = 0; i < before; i++) {
		put(f, "\xe3\0\0\0\1\x08" ID "\0\x40\x1e", 17);
		put_fill(f, 30, 9);
	}
	p_initial(f);
}

static void eight_packets_are_looked_at(void **state)
{
	(void)state;
	for (before = 6; before <= 9; before++) {
		begin("late.test");
		all_of_it();
		run(NULL, UDP4, 40000, 4433, p_behind_others);
		assert_true(facts_has(&facts, PROTO_QUIC));
		assert_int_equal(facts_has(&facts, PROTO_TLS_HELLO), before < 8);
	}
}

static const char *header;
static size_t header_n;

static void p_header(struct frame *f)
{
	put(f, header, header_n);
}

static void long_headers(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		bool quic;
		enum undecodable reason;
	} rows[] = {
#define ROW(s, quic, reason) { (s), sizeof(s) - 1, (quic), (reason) }
		/* a retry has no length */
		ROW("\xf0\0\0\0\1\4abcd\4efghtoken and tag...", true, UND_NONE),
		ROW("\xe0\0\0\0\1\4abcd\4efgh\2xy", true, UND_NONE),
		ROW("\xe0\0\0\0\1\4abcd\4efgh\2x", true, UND_QUIC_SHORT),
		ROW("\xe0\0\0\0\1\4abcd\4efgh", true, UND_QUIC_SHORT),
		ROW("\xc0\0\0\0\1\4abcd\4efgh\1", true, UND_QUIC_SHORT),
		ROW("\xc0\0\0\0\1\4abcd\4efgh\1t", true, UND_QUIC_SHORT),
		ROW("\xc0\0\0\0\1\4abcd\4efgh\2t", true, UND_QUIC_SHORT),
		ROW("\xc0\0\0\0\1\4abcd\4efgh\1t\2x", true, UND_QUIC_SHORT),
		ROW("\xc0\0\0\0\1\4abcd\4efgh\1t\2xy", true, UND_QUIC_DECRYPT),
		/* what follows is a packet of the same version, or padding */
		ROW("\xe0\0\0\0\1\4abcd\4efgh\2xy\0\0\0\0\0\0\0\0", true, UND_NONE),
		ROW("\xe0\0\0\0\1\4abcd\4efgh\2xy\xe0\xff\0\0\x1d\4abcd\4efgh\3x", true, UND_NONE),
		ROW("\xe0\0\0\0\1\4abcd\4efgh\2xy\xe0\0\0\0\1\4abcd\4efgh\3x", true,
		    UND_QUIC_SHORT),
		ROW("\xe0\0\0\0\1\4abcd\4efgh\2xy\x60\0\0\0\1\4abcd\4efgh\3x", true, UND_NONE),
		ROW("\xe0\0\0\0\1\4abcd\4efgh\2xy\xf0\0\0\0\1\4abcd\4efgh\3x", true, UND_NONE),
		/* ids of up to 20 bytes */
		ROW("\xe0\0\0\0\1\x14"
		    "abcdefghijklmnopqrst\0\2xy",
		    true, UND_NONE),
		ROW("\xe0\0\0\0\1\x15"
		    "abcdefghijklmnopqrstu\0\2xy",
		    false, UND_NONE),
		ROW("\xe0\0\0\0\1\0\x14"
		    "abcdefghijklmnopqrst\2xy",
		    true, UND_NONE),
		ROW("\xe0\0\0\0\1\0\x15"
		    "abcdefghijklmnopqrstu\2xy",
		    false, UND_NONE),
		ROW("\xe0\0\0\0\1\4abcd\4efg", false, UND_NONE),
		ROW("\xe0\0\0\0\1\4abc", false, UND_NONE),
		ROW("\xe0\0\0\0\1", false, UND_NONE),
		ROW("\xe0\0\0\0", false, UND_NONE),
		ROW("\x60\0\0\0\1\4abcd\4efgh\2xy", false, UND_NONE),
		/* version negotiation: ids of four bytes together, and versions of four */
		ROW("\x80\0\0\0\0\4abcd\0\0\0\0\1", true, UND_NONE),
		ROW("\x80\0\0\0\0\0\4abcd\0\0\0\1", true, UND_NONE),
		ROW("\x80\0\0\0\0\2ab\2cd\0\0\0\1\0\0\0\2", true, UND_NONE),
		ROW("\x80\0\0\0\0\2ab\1c\0\0\0\1", false, UND_NONE),
		ROW("\x80\0\0\0\0\4abcd\0", false, UND_NONE),
		ROW("\x80\0\0\0\0\4abcd\0\0\0\0", false, UND_NONE),
		ROW("\x80\0\0\0\0\4abcd\0\0\0\0\1\0", false, UND_NONE),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		header = rows[i].b;
		header_n = rows[i].n;
		run(NULL, UDP4, 40000, 4433, p_header);
		if (facts_has(&facts, PROTO_QUIC) != rows[i].quic || facts.reason != rows[i].reason)
			fail_msg("row %zu: %s", i, undecodable_name(facts.reason));
	}
}

/* Plain frames of an Initial: what ends them, what is damage. */
static void frames_one_by_one(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		uint32_t version;
		enum undecodable reason;
	} rows[] = {
#define FRAMES(s, version, reason) { (s), sizeof(s) - 1, (version), (reason) }
		FRAMES("\0\0\1\0", 1, UND_NONE),
		FRAMES("\2\5\0\0\0", 1, UND_NONE),
		FRAMES("\2\5\0\0", 1, UND_QUIC_FRAME),
		FRAMES("\2\5\0\1\0\0\0", 1, UND_NONE),
		FRAMES("\2\5\0\1\0\0", 1, UND_QUIC_FRAME),
		FRAMES("\2\5\0\1\0\0\0\7", 1, UND_QUIC_FRAME),
		FRAMES("\3\5\0\0\0\0\0\0", 1, UND_NONE),
		FRAMES("\3\5\0\0\0\0\0", 1, UND_QUIC_FRAME),
		FRAMES("\3\5\0\0\0\0\0\0\7", 1, UND_QUIC_FRAME),
		FRAMES("\x1c\0\0\0\7\7\7", 1, UND_NONE),
		FRAMES("\x1d\0\0\0", 1, UND_QUIC_FRAME),
		FRAMES("\4\0", 1, UND_QUIC_FRAME),
		FRAMES("\6\0\4abcd", 1, UND_NONE),
		FRAMES("\6\0\5abcd", 1, UND_QUIC_FRAME),
		FRAMES("\6\0\5\0\0\0\0", 1, UND_QUIC_FRAME),
		FRAMES("\3\5\0\0\0\0\0", 0x51303530, UND_QUIC_FRAME),
		FRAMES("\6\0\4abcd\7", 1, UND_QUIC_FRAME),
		FRAMES("\x08\0\4abcd", 1, UND_QUIC_FRAME),
		FRAMES("\x08\0\4abcd", 0x51303530, UND_NONE),
		FRAMES("\x08\0\5abcd", 0x51303530, UND_NONE), /* one of its own perhaps */
		FRAMES("\6\7\7", 0x51303530, UND_NONE),
		FRAMES("\4", 0x51303530, UND_NONE),
		FRAMES("\2\5\0\0", 0x51303530, UND_QUIC_FRAME),
		FRAMES("\x40\6\0\4abcd", 1, UND_NONE), /* a number of two bytes */
		FRAMES("\x40", 1, UND_QUIC_FRAME),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct work w = { .f = &facts, .l = &facts.layer[0] };

		memset(&facts, 0, sizeof(facts));
		facts.quic.version = rows[i].version;
		decode_quic_frames(&w, (const uint8_t *)rows[i].b, rows[i].n);
		if (facts.reason != rows[i].reason)
			fail_msg("row %zu: %s", i, undecodable_name(facts.reason));
	}
}

/* A piece without bytes is none, and none that is too far. */
static void an_empty_piece(void **state)
{
	decoder_reset(*state);
	begin("x.test");
	crypto(6, 0, 0);
	all_of_it();
	run(*state, UDP4, 40000, 443, p_initial);
	assert_name("x.test");
	assert_false(facts.reassembled);
}

/* Google's short form, and where its hello may begin. */
static unsigned fill, tags, chlo_cut;
static const char *head_of_google;

static void p_google(struct frame *f)
{
	put(f, head_of_google, 14);
	put_fill(f, fill, 0xab);
	put_text(f, "CHLO");
	put_le32(f, tags);
	for (unsigned i = 1; i < tags; i++) {
		put_text(f, "PAD\0");
		put_le32(f, 0);
	}
	put_text(f, "SNI\0");
	put_le32(f, 4);
	put_text(f, "name");
	f->n -= chlo_cut;
}

static void google(const char *head, unsigned fill_, unsigned tags_, unsigned cut)
{
	head_of_google = head;
	fill = fill_;
	tags = tags_;
	chlo_cut = cut;
	run(NULL, UDP4, 40000, 4433, p_google);
}

static void googles_hello_at_its_limits(void **state)
{
	static const char good[] = "\x0d"
				   "12345678Q043\1";

	(void)state;
	for (unsigned n = 108; n <= 112; n++) { /* 14 + n + 4 bytes */
		google(good, n, 1, 0);
		assert_true(facts_has(&facts, PROTO_QUIC));
		assert_int_equal(facts_has(&facts, PROTO_TLS_HELLO), n <= 110);
	}
	for (unsigned n = 63; n <= 66; n++) {
		google(good, 0, n, 0);
		assert_int_equal(facts_has(&facts, PROTO_TLS_HELLO), n <= 64);
		if (n <= 64)
			assert_string_equal(facts.tls.sni, "name");
	}
	google(good, 0, 1, 1); /* the name cut */
	assert_true(facts_has(&facts, PROTO_TLS_HELLO));
	assert_false(facts.tls.has_sni);
	google(good, 0, 1, 4);
	assert_true(facts_has(&facts, PROTO_TLS_HELLO));
	google(good, 0, 1, 5); /* its tag cut */
	assert_false(facts_has(&facts, PROTO_TLS_HELLO));
	google(good, 0, 0, 12);
	assert_true(facts_has(&facts, PROTO_TLS_HELLO)); /* without any tag */
	google(good, 0, 0, 13);
	assert_false(facts_has(&facts, PROTO_TLS_HELLO));
	google(good, 0, 0, 20); /* the header alone */
	assert_true(facts_has(&facts, PROTO_QUIC));
	google(good, 0, 0, 21);
	assert_false(facts_has(&facts, PROTO_QUIC));
}

static void googles_headers(void **state)
{
	static const struct {
		const char *head;
		bool quic;
	} rows[] = {
		{ "\x0d"
		  "12345678Q043\1",
		  true },
		{ "\x09"
		  "12345678Q043\1",
		  true },
		{ "\x05"
		  "12345678Q043\1",
		  false },
		{ "\x0c"
		  "12345678Q043\1",
		  false },
		{ "\x4d"
		  "12345678Q043\1",
		  false },
		{ "\x0d"
		  "12345678R043\1",
		  false },
		{ "\x0d"
		  "12345678Q143\1",
		  false },
		{ "\x0d"
		  "12345678Q0:3\1",
		  false },
		{ "\x0d"
		  "12345678Q04:\1",
		  false },
		{ "\x0d"
		  "12345678Q0/3\1",
		  false },
		{ "\x0d"
		  "12345678Q04/\1",
		  false },
		{ "\x0d"
		  "12345678Q009\1",
		  true },
		{ "\x0d"
		  "12345678Q090\1",
		  true },
		{ "\x0d"
		  "12345678T043\1",
		  false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		google(rows[i].head, 0, 1, 0);
		if (facts_has(&facts, PROTO_QUIC) != rows[i].quic)
			fail_msg("row %zu", i);
		if (!rows[i].quic)
			continue;
		assert_int_equal(facts.reason, UND_QUIC_VERSION);
		assert_memory_equal(facts.quic.dcid, "12345678", 8);
	}
}

/* On the port of DNS, and where QUIC was seen before, they are no more and no less. */
static void it_is_nothing_else(void **state)
{
	decoder_reset(*state);
	run(*state, UDP4, 40000, 53, p_q046);
	assert_true(facts.protos == (P(UDP) | P(QUIC) | P(TLS_HELLO)));
	begin("x.test");
	all_of_it();
	run(*state, UDP4, 40000, 53, p_initial);
	assert_true(facts.protos == (P(UDP) | P(QUIC) | P(TLS_HELLO)));
	decoder_reset(*state);
	run(*state, UDP4, 40000, 4433, p_q043);
	assert_int_equal(facts.quic.version, 0x51303433);
}

static unsigned short_size, short_first;

static void p_short_of(struct frame *f)
{
	put8(f, short_first);
	put_fill(f, short_size - 1, 0xee);
}

static void short_headers_have_a_size(void **state)
{
	(void)state;
	for (short_size = 19; short_size <= 22; short_size++) {
		short_first = 0x45;
		run(NULL, UDP4, 443, 40000, p_short_of);
		assert_int_equal(facts_has(&facts, PROTO_QUIC), short_size >= 21);
		short_first = 0x05; /* without the fixed bit */
		run(NULL, UDP4, 443, 40000, p_short_of);
		assert_false(facts_has(&facts, PROTO_QUIC));
	}
	short_first = 0xc5;
	run(NULL, UDP4, 443, 40000, p_short_of);
	assert_false(facts_has(&facts, PROTO_QUIC));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_initial_is_decrypted),
		cmocka_unit_test(every_version_has_its_keys),
		cmocka_unit_test(unknown_versions_are_not_believed),
		cmocka_unit_test(frames_in_any_order),
		cmocka_unit_test(a_hello_over_datagrams),
		cmocka_unit_test(a_hello_under_two_ids),
		cmocka_unit_test(packets_of_one_datagram),
		cmocka_unit_test(googles_hello_is_read),
		cmocka_unit_test(damaged_tags_give_no_name),
		cmocka_unit_test(short_headers_need_port_or_memory),
		cmocka_unit_test(versions_by_name_and_number),
		cmocka_unit_test(packet_numbers_of_all_lengths),
		cmocka_unit_test(longest_packets),
		cmocka_unit_test(eight_packets_are_looked_at),
		cmocka_unit_test(long_headers),
		cmocka_unit_test(frames_one_by_one),
		cmocka_unit_test(an_empty_piece),
		cmocka_unit_test(googles_hello_at_its_limits),
		cmocka_unit_test(googles_headers),
		cmocka_unit_test(it_is_nothing_else),
		cmocka_unit_test(short_headers_have_a_size),
	};

	return cmocka_run_group_tests_name("packet_quic", tests, decoder_setup, decoder_teardown);
}
