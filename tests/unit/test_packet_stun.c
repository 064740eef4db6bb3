/* SPDX-License-Identifier: MIT */
/* STUN with its forerunner and TURN's channels, WireGuard and OpenVPN: shapes at their limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/frames.h"
#include "packet/internal.h"

static struct facts facts;

#define BYTES(s) (s), sizeof(s) - 1
#define COOKIE	 "\x21\x12\xa4\x42"
#define ID	 "transaction!"

static bool by(bool (*decode_it)(struct facts *, const uint8_t *, size_t), const void *b, size_t n)
{
	memset(&facts, 0, sizeof(facts));
	return decode_it(&facts, exact(b, n), n);
}

/* ---- STUN ---- */

static void headers_of_stun(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		bool good;
		enum undecodable reason;
	} rows[] = {
		{ BYTES("\0\1\0\0" COOKIE ID), true, UND_NONE },
		{ BYTES("\0\1\0\0" COOKIE "transaction"), false, UND_NONE },
		{ BYTES("\x40\1\0\0" COOKIE ID), false, UND_NONE },
		{ BYTES("\x80\1\0\0" COOKIE ID), false, UND_NONE },
		{ BYTES("\x3f\1\0\0" COOKIE ID), true, UND_NONE },
		{ BYTES("\0\1\0\0\x21\x12\xa4\x43" ID), false, UND_NONE },
		{ BYTES("\0\1\0\4" COOKIE ID), true, UND_STUN_ATTRIBUTE },
		{ BYTES("\0\1\0\4" COOKIE ID "\0\6\0\0"), true, UND_NONE },
		{ BYTES("\0\1\0\4" COOKIE ID "\0\6\0\0more"), true, UND_NONE },
		{ BYTES("\0\1\0\3" COOKIE ID "\0\6\0"), true, UND_STUN_ATTRIBUTE },
		{ BYTES("\0\1\0\4" COOKIE ID "\0\6\0\1"), true, UND_STUN_ATTRIBUTE },
		{ BYTES("\0\1\0\5" COOKIE ID "\0\6\0\1x"), true,
		  UND_NONE }, /* no padding at the end */
		{ BYTES("\0\1\0\x0c" COOKIE ID "\0\6\0\1x...\0\6\0\0"), true, UND_NONE },
		{ BYTES("\0\1\0\7" COOKIE ID "\0\6\0\1x.."), true, UND_STUN_ATTRIBUTE },
		{ BYTES("\0\1\0\x08" COOKIE ID "\0\6\0\4four"), true, UND_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (by(decode_stun, rows[i].b, rows[i].n) != rows[i].good ||
		    facts.reason != rows[i].reason)
			fail_msg("row %zu: %s", i, undecodable_name(facts.reason));
		assert_int_equal(facts_has(&facts, PROTO_STUN), rows[i].good);
	}
}

static void attributes_with_addresses(void **state)
{
	static const struct {
		unsigned type;
		int place; /* -1: none */
		bool mixed;
	} kinds[] = {
		{ 0x0001, PLACE_STUN_MAPPED, false }, { 0x0020, PLACE_STUN_MAPPED, true },
		{ 0x8020, PLACE_STUN_MAPPED, true },  { 0x0012, PLACE_STUN_OTHER, true },
		{ 0x0016, PLACE_STUN_OTHER, true },   { 0x0004, PLACE_STUN_OTHER, false },
		{ 0x0005, PLACE_STUN_OTHER, false },  { 0x000b, PLACE_STUN_OTHER, false },
		{ 0x8023, PLACE_STUN_OTHER, false },  { 0x802b, PLACE_STUN_OTHER, false },
		{ 0x802c, PLACE_STUN_OTHER, false },  { 0x0021, -1, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (unsigned family = 0; family <= 3; family++)
			for (size_t n = 0; n <= 24; n++) {
				struct frame p = { .n = 0 };
				size_t want = family == 1 ? 8 : 20;
				bool whole = n >= want && (family == 1 || family == 2);
				char text[IPADDR_TEXT];

				put(&p, "\1\1\0\0" COOKIE ID, 20);
				put16(&p, kinds[i].type);
				put16(&p, (unsigned)n);
				put8(&p, 0);
				put8(&p, family);
				put16(&p, kinds[i].mixed ? 6881 ^ 0x2112 : 6881);
				put(&p, kinds[i].mixed ? "\xea\x12\xd5\x48" : "\xcb\0\x71\x0a", 4);
				put_zero(&p, 16);
				p.n = 24 + n;
				set16(&p, 2, 4 + n);
				assert_true(by(decode_stun, p.b, p.n));
				assert_int_equal(facts.n_addrs, kinds[i].place >= 0 && whole);
				assert_int_equal(facts.reason, kinds[i].place < 0 || whole
								       ? UND_NONE
								       : UND_STUN_ATTRIBUTE);
				if (!facts.n_addrs)
					continue;
				assert_int_equal(facts.addrs[0].place, kinds[i].place);
				assert_int_equal(facts.addrs[0].port, 6881);
				if (family == 1)
					assert_string_equal(ipaddr_format(&facts.addrs[0].addr,
									  text, sizeof(text)),
							    "203.0.113.10");
			}
}

static void names_of_software(void **state)
{
	(void)state;
	assert_true(by(decode_stun, BYTES("\1\1\0\x08" COOKIE ID "\x80\x22\0\4test")));
	assert_string_equal(facts.stun.software, "test");
	assert_int_equal(facts.reason, UND_NONE);
	assert_true(by(decode_stun, BYTES("\1\1\0\x08" COOKIE ID "\x80\x21\0\4test")));
	assert_string_equal(facts.stun.software, "");
}

/* RFC 3489 has no cookie: attributes that fill the datagram to the byte have to tell. */
static void stun_of_old(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		bool good;
	} rows[] = {
		{ BYTES("\0\1\0\4idididididididid\0\6\0\0"), true },
		{ BYTES("\0\1\0\0idididididididid"), false }, /* a header alone */
		{ BYTES("\0\1\0\3idididididididid\0\6\0"), false },
		{ BYTES("\0\1\0\5idididididididid\0\6\0\0"), false },
		{ BYTES("\0\1\0\3idididididididid\0\6\0\0"), false },
		{ BYTES("\0\1\0\6idididididididid\0\6\0\2xy"), false },
		{ BYTES("\0\1\0\4idididididididid\0\6\0\1"), false },
		{ BYTES("\0\3\0\4idididididididid\0\6\0\0"), false },
		{ BYTES("\1\1\0\x0cidididididididid\0\1\0\x08\0\1\x1a\xe1\xcb\0\x71\x0a"), true },
		/* an address, then damage: nothing is kept */
		{ BYTES("\1\1\0\x10idididididididid\0\1\0\x08\0\1\x1a\xe1\xcb\0\x71\x0a\0\6\0\4"),
		  false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (by(decode_stun_classic, rows[i].b, rows[i].n) != rows[i].good)
			fail_msg("row %zu", i);
		assert_int_equal(facts.weak != 0, rows[i].good);
		assert_int_equal(facts.n_addrs, i == 8);
		assert_int_equal(facts.reasons, 0);
	}
}

/* ---- TURN's channels ---- */

static uint64_t from_port(struct decoder *d, unsigned port, const char *b, size_t n)
{
	struct frame f = { .n = 0 };

	put_ip4(&f, 17, n + 8, 1, 0);
	put_udp(&f, 40000, port, n);
	put(&f, b, n);
	(void)decode_frame(d, LINK_RAW, f.b, (uint32_t)f.n, (uint32_t)f.n, 1000, &facts);
	return facts.protos & ~P(UDP);
}

static uint64_t from_udp(struct decoder *d, const char *b, size_t n)
{
	return from_port(d, 3478, b, n);
}

static void channels_of_turn(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		bool good;
	} rows[] = {
		{ BYTES("\x40\0\0\0"), true },	   { BYTES("\x40\0\0"), false },
		{ BYTES("\x4f\xff\0\1x"), true },  { BYTES("\x3f\xff\0\1x"), false },
		{ BYTES("\x50\0\0\1x"), false },   { BYTES("\x40\0\0\2x"), false },
		{ BYTES("\x40\0\0\1x..."), true }, { BYTES("\x40\0\0\1x...."), false },
		{ BYTES("\x40\0\0\4four"), true },
	};
	struct decoder *d = decoder_new();

	(void)state;
	assert_non_null(d);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(from_udp(d, rows[i].b, rows[i].n) == 0);
	assert_true(from_udp(d, BYTES("\0\1\0\0" COOKIE ID)) == P(STUN));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (from_udp(d, rows[i].b, rows[i].n) != (rows[i].good ? P(STUN) : 0))
			fail_msg("row %zu", i);
		if (rows[i].good)
			assert_true(facts.weak == P(STUN));
	}
	/* also where the payload has uTP's clock; on the port of QUIC it is taken for that */
	assert_true(from_udp(d, BYTES("\x41\0\0\x10\0\0\1\0\0\0\0\0\0\x10\0\0\0\1\0\0")) ==
		    P(STUN));
	/* what was seen between two endpoints adds up */
	assert_true(from_port(d, 4433, BYTES("\0\1\0\0" COOKIE ID)) == P(STUN));
	assert_true(from_port(d, 4433, BYTES("\x80\0\0\0\0\4abcd\0\0\0\0\1")) == P(QUIC));
	assert_true(from_port(d, 4433, BYTES("\x40\0\0\4four")) == P(STUN));
	assert_true(from_port(d, 443, BYTES("\0\1\0\0" COOKIE ID)) == P(STUN));
	assert_true(from_port(d, 443,
			      BYTES("\x40\0\0\x14"
				    "01234567890123456789")) == P(QUIC));
	decoder_free(d);
}

/* ---- WireGuard ---- */

static void messages_of_wireguard(void **state)
{
	static const struct {
		uint8_t type;
		size_t size;
	} rows[] = { { 1, 148 }, { 2, 92 }, { 3, 64 } };
	uint8_t m[700] = { 0 };
	struct wg_facts w;

	(void)state;
	for (size_t i = 0; i < 16; i++)
		m[i] = (uint8_t)(i < 4 ? 0 : i);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t n = 16; n < 200; n++) {
			m[0] = rows[i].type;
			assert_int_equal(wireguard_message(m, n, n, &w), n == rows[i].size);
		}
	m[0] = 1;
	assert_true(wireguard_message(m, 16, 148, &w)); /* cut by the capture */
	assert_int_equal(w.sender, 0x07060504);
	assert_false(wireguard_message(m, 15, 148, &w));
	m[0] = 2;
	assert_true(wireguard_message(m, 92, 92, &w));
	assert_int_equal(w.sender, 0x07060504);
	assert_int_equal(w.receiver, 0x0b0a0908);
	m[0] = 3;
	assert_true(wireguard_message(m, 64, 64, &w));
	assert_int_equal(w.receiver, 0x07060504);
	m[0] = 4;
	for (size_t n = 16; n < 700; n++)
		assert_int_equal(wireguard_message(m, n, n, &w),
				 n >= 32 && (n % 16 == 0 || n >= 608));
	assert_true(w.counter == UINT64_C(0x0f0e0d0c0b0a0908));
	for (size_t at = 1; at <= 3; at++) {
		m[at] = 1;
		assert_false(wireguard_message(m, 64, 64, NULL));
		m[at] = 0;
	}
}

/* ---- OpenVPN ---- */

/* The least size of each opcode, 0: none of OpenVPN's. A hard reset begins key 0, an acknowledgment has an end. */
static void messages_of_openvpn(void **state)
{
	static const size_t least[32] = { [3] = 14, [4] = 14, [5] = 22,	 [6] = 21, [7] = 14,
					  [8] = 14, [9] = 24, [10] = 14, [11] = 14 };
	uint8_t m[128];

	(void)state;
	memset(m, 0x77, sizeof(m));
	for (unsigned opcode = 0; opcode < 32; opcode++)
		for (size_t n = 1; n < sizeof(m); n++) {
			struct openvpn_facts o;
			bool reset = opcode == 7 || opcode == 8 || opcode == 10;
			bool good = least[opcode] && n >= least[opcode] &&
				    (opcode != 5 || n <= 122);
			uint8_t key = reset ? 0 : 5;

			if (reset) {
				m[0] = (uint8_t)(opcode << 3 | 1);
				assert_false(openvpn_message(m, n, n, false, &o));
			}
			m[0] = (uint8_t)(opcode << 3 | key);
			assert_int_equal(openvpn_message(m, n, n, false, &o), good);
			if (!good)
				continue;
			assert_int_equal(o.opcode, opcode);
			assert_int_equal(o.key_id, key);
			assert_int_equal(o.session[7], opcode == 6 || opcode == 9 ? 0 : 0x77);
			assert_false(o.tcp);
		}
	assert_false(openvpn_message(m, 0, 20, false, NULL));
	m[0] = 7 << 3; /* a capture that cut the session, and one that did not */
	assert_false(openvpn_message(m, 8, 20, false, NULL));
	assert_true(openvpn_message(m, 9, 20, false, NULL));
	m[0] = 6 << 3;
	assert_true(openvpn_message(m, 1, 21, false, NULL));
	assert_true(openvpn_message((const uint8_t *)"\0\x15\x30", 3, 3, true, NULL));
	assert_false(openvpn_message((const uint8_t *)"\0\x14\x30", 3, 3, true, NULL));
	assert_false(openvpn_message((const uint8_t *)"\0\x15", 2, 2, true, NULL));
}

/* A hard reset with `hmac` bytes between session and replay protection (-1: no wrapping). */
static struct frame reset(unsigned opcode, int hmac, const char *replay)
{
	struct frame p = { .n = 0 };

	put8(&p, opcode << 3);
	put(&p, "session!", 8);
	if (hmac >= 0) {
		put_fill(&p, (size_t)hmac, 0x99);
		put(&p, replay, 8);
	}
	put8(&p, opcode == 8); /* acknowledged packets */
	if (opcode == 8)
		put(&p, "\0\0\0\0theother", 12);
	put32(&p, 0);
	return p;
}

static bool is_reset(const struct frame *p)
{
	return openvpn_is_reset(p->b, p->n);
}

static void hard_resets(void **state)
{
	static const int hmacs[] = { -1, 16, 20, 32, 64 };
	static const char good[] = "\0\0\0\1\x6a\0\0\0";

	(void)state;
	for (unsigned opcode = 0; opcode < 32; opcode++)
		for (size_t i = 0; i < sizeof(hmacs) / sizeof(hmacs[0]); i++) {
			struct frame p = reset(opcode, hmacs[i], good);
			bool want = opcode == 7 || opcode == 8 || opcode == 10;

			assert_int_equal(is_reset(&p), want);
			p.b[0] |= 1; /* of a later key */
			assert_false(is_reset(&p));
		}
	for (int hmac = 0; hmac < 70; hmac++) {
		struct frame p = reset(7, hmac, good);

		assert_int_equal(is_reset(&p),
				 hmac == 16 || hmac == 20 || hmac == 32 || hmac == 64);
	}
	for (unsigned opcode = 7; opcode <= 8; opcode++) { /* packet ids and counts of a bare one */
		struct frame p = reset(opcode, -1, NULL);

		p.b[9] ^= 1;
		assert_false(is_reset(&p));
		p.b[9] ^= 1;
		p.b[p.n - 1] = 1;
		assert_false(is_reset(&p));
		p.b[p.n - 1] = 0;
		p.n--;
		assert_false(is_reset(&p));
	}
	assert_false(openvpn_is_reset((const uint8_t *)"", 0));
}

static void replay_protection(void **state)
{
	static const struct {
		const char *replay;
		bool good;
	} rows[] = {
		{ "\0\0\0\1\x6a\0\0\0", true },	   { "\0\0\0\0\x6a\0\0\0", false },
		{ "\0\0\0\xff\x6a\0\0\0", true },  { "\0\0\1\0\x6a\0\0\0", false },
		{ "\x0f\0\0\1\x6a\0\0\0", true },  { "\x0a\1\0\1\x6a\0\0\0", true },
		{ "\x0f\1\0\1\x6a\0\0\0", false }, { "\0\1\0\1\x6a\0\0\0", false },
		{ "\0\0\0\1\x50\0\0\0", true },	   { "\0\0\0\1\x4f\xff\xff\xff", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (unsigned opcode = 7; opcode <= 8; opcode++) {
			struct frame p = reset(opcode, 20, rows[i].replay), crypt = { .n = 0 };

			assert_int_equal(is_reset(&p), rows[i].good);
			/* tls-crypt has it first, an HMAC of 32 bytes and the rest behind */
			put8(&crypt, opcode << 3);
			put(&crypt, "session!", 8);
			put(&crypt, rows[i].replay, 8);
			put_fill(&crypt, 32 + (opcode == 8 ? 17 : 5), 0x77);
			assert_int_equal(is_reset(&crypt), rows[i].good);
			crypt.n--;
			assert_false(is_reset(&crypt));
			crypt.n += 51; /* a client's key behind */
			assert_int_equal(is_reset(&crypt), rows[i].good);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_of_stun),     cmocka_unit_test(attributes_with_addresses),
		cmocka_unit_test(names_of_software),   cmocka_unit_test(stun_of_old),
		cmocka_unit_test(channels_of_turn),    cmocka_unit_test(messages_of_wireguard),
		cmocka_unit_test(messages_of_openvpn), cmocka_unit_test(hard_resets),
		cmocka_unit_test(replay_protection),
	};

	return cmocka_run_group_tests_name("packet_stun", tests, NULL, NULL);
}
