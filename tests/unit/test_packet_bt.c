/* SPDX-License-Identifier: MIT */
/* BitTorrent between peers at its limits: messages, extension dictionaries, holepunch, uTP, local discovery. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/bencode.h"
#include "packet/frames.h"
#include "packet/internal.h"

static struct facts facts;
static struct bt_ext_ids told;

#define BYTES(s) (s), sizeof(s) - 1

static void forget(void)
{
	memset(&facts, 0, sizeof(facts));
	memset(&told, 0, sizeof(told));
}

/* An extension message: its id, and what it holds. */
static bool extended(const char *p, size_t n, uint8_t holepunch)
{
	const struct bt_ext_ids wanted = { .holepunch = holepunch };

	forget();
	return decode_bt_extended(&facts, (const uint8_t *)p, n, &wanted, &told);
}

/* ---- the handshake ---- */

static void half_a_handshake(void **state)
{
	struct frame p = { .n = 0 };

	(void)state;
	p_bt_handshake(&p);
	assert_int_equal(p.n, 68);
	for (size_t n = 0; n <= 68; n++) {
		forget();
		assert_int_equal(decode_bt_handshake(&facts, p.b, n), n >= 20);
		assert_int_equal(facts_has(&facts, PROTO_BT_HANDSHAKE), n >= 20);
		assert_int_equal(facts.bt.has_info_hash, n >= 48);
		assert_int_equal(facts.bt.has_peer_id, n >= 68);
		assert_int_equal(facts.bt.reserved[5], n >= 28 ? 0x10 : 0);
	}
	p.b[19]++;
	assert_false(decode_bt_handshake(&facts, p.b, p.n));
}

/* ---- extension messages ---- */

static void ids_are_told(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		uint8_t pex, holepunch;
	} rows[] = {
		{ BYTES("\0d1:md6:ut_pexi1e12:ut_holepunchi4eee"), 1, 4 },
		{ BYTES("\0d1:md5:otheri9e6:ut_pexi1eee"), 1, 0 },
		{ BYTES("\0d1:md6:ut_pexi1ee1:pi7ee"), 1, 0 },
		{ BYTES("\0d1:md6:ut_pex1:x12:ut_holepunchi4eee"), 0, 0 }, /* no number: no more */
		{ BYTES("\0d1:ml6:ut_pexi1eee"), 0, 0 },
		{ BYTES("\0d1:nd6:ut_pexi1eee"), 0, 0 },
		{ BYTES("\1d1:md6:ut_pexi1eee"), 0, 0 }, /* not the handshake */
		{ BYTES("\0d1:md6:ut_peXi1eee"), 0, 0 },
		{ BYTES("\0d1:md6:ut_pexi1e"), 1, 0 }, /* and no end */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(extended(rows[i].b, rows[i].n, 0));
		assert_int_equal(told.pex, rows[i].pex);
		assert_int_equal(told.holepunch, rows[i].holepunch);
		assert_int_equal(facts.reasons != 0, i == 8);
	}
}

static void fields_of_the_handshake(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		unsigned addrs, port;
		const char *client;
		enum undecodable reason;
	} rows[] = {
		{ BYTES("\0de"), 0, 0, "", UND_NONE },
		{ BYTES("\0d4:ipv44:\xcb\0\x71\x0a"
			"e"),
		  1, 0, "", UND_NONE },
		{ BYTES("\0d4:ipv616:" SRC6 "e"), 1, 0, "", UND_NONE },
		{ BYTES("\0d6:yourip4:\xcb\0\x71\x0a"
			"e"),
		  1, 0, "", UND_NONE },
		{ BYTES("\0d6:yourip16:" SRC6 "e"), 1, 0, "", UND_NONE },
		{ BYTES("\0d6:yourip5:\xcb\0\x71\x0a.e"), 0, 0, "", UND_BT_MESSAGE },
		{ BYTES("\0d6:yourip3:\xcb\0\x71"
			"e"),
		  0, 0, "", UND_BT_MESSAGE },
		{ BYTES("\0d6:youripi4ee"), 0, 0, "", UND_NONE },
		{ BYTES("\0d4:ipv54:\xcb\0\x71\x0a"
			"e"),
		  0, 0, "", UND_NONE },
		{ BYTES("\0d1:pi6881ee"), 0, 6881, "", UND_NONE },
		{ BYTES("\0d1:p4:6881e"), 0, 0, "", UND_NONE },
		{ BYTES("\0d1:qi6881ee"), 0, 0, "", UND_NONE },
		{ BYTES("\0d1:v4:testi1ee"), 0, 0, "test", UND_BENCODE },
		{ BYTES("\0d1:v4:teste"), 0, 0, "test", UND_NONE },
		{ BYTES("\0d1:vi4ee"), 0, 0, "", UND_NONE },
		{ BYTES("\0d1:u4:teste"), 0, 0, "", UND_NONE },
		{ BYTES("\0d1:v9:teste"), 0, 0, "", UND_BENCODE },
		{ BYTES("\0d1:v"), 0, 0, "", UND_BENCODE },
		{ BYTES("\0di1ei1ee"), 0, 0, "", UND_BENCODE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(extended(rows[i].b, rows[i].n, 0));
		assert_true(facts_has(&facts, PROTO_BT_EXTENDED));
		assert_int_equal(facts.n_addrs, rows[i].addrs);
		assert_int_equal(facts.bt.port, rows[i].port);
		assert_string_equal(facts.bt.client, rows[i].client);
		assert_int_equal(facts.reason, rows[i].reason);
	}
	assert_true(extended(BYTES("\0d"), 0));
	assert_int_equal(facts.reason, UND_BENCODE);
	assert_false(extended(BYTES("\0le"), 0));
	assert_false(extended(BYTES("\0"), 0));
	assert_false(extended(BYTES(""), 0));
}

static void nesting_is_bounded(void **state)
{
	(void)state;
	for (size_t depth = BENCODE_DEPTH; depth <= BENCODE_DEPTH + 1; depth++) {
		struct frame p = { .n = 0 };

		put_text(&p, "\0d1:x");
		put_fill(&p, depth, 'l');
		put_fill(&p, depth + 1, 'e');
		assert_true(extended((const char *)p.b, p.n, 0));
		assert_int_equal(facts.reason,
				 depth > BENCODE_DEPTH ? UND_BENCODE_DEPTH : UND_NONE);
	}
}

static void fields_of_pex(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		int place; /* -1: none */
		bool v6;
		enum undecodable reason;
	} rows[] = {
		{ BYTES("\1d5:added6:\xcb\0\x71\x0a\x1a\xe1"
			"e"),
		  PLACE_BT_PEX_ADDED, false, UND_NONE },
		{ BYTES("\1d6:added618:" SRC6 "\x1a\xe1"
			"e"),
		  PLACE_BT_PEX_ADDED, true, UND_NONE },
		{ BYTES("\1d7:dropped6:\xcb\0\x71\x0a\x1a\xe1"
			"e"),
		  PLACE_BT_PEX_DROPPED, false, UND_NONE },
		{ BYTES("\1d8:dropped618:" SRC6 "\x1a\xe1"
			"e"),
		  PLACE_BT_PEX_DROPPED, true, UND_NONE },
		{ BYTES("\1d7:added.f6:\xcb\0\x71\x0a\x1a\xe1"
			"e"),
		  -1, false, UND_NONE },
		{ BYTES("\1d5:addedi6ee"), -1, false, UND_BENCODE },
		{ BYTES("\1d7:droppedi6ee"), -1, false, UND_BENCODE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(extended(rows[i].b, rows[i].n, 0));
		assert_int_equal(facts_has(&facts, PROTO_BT_PEX), i != 4);
		assert_int_equal(facts.reason, rows[i].reason);
		assert_int_equal(facts.n_addrs, rows[i].place >= 0);
		if (rows[i].place < 0)
			continue;
		assert_int_equal(facts.addrs[0].place, rows[i].place);
		assert_int_equal(facts.addrs[0].port, 6881);
		assert_int_equal(ipaddr_is_v4(&facts.addrs[0].addr), !rows[i].v6);
	}
	/* the same in the handshake says nothing of peers */
	assert_true(extended(BYTES("\0d5:added6:\xcb\0\x71\x0a\x1a\xe1"
				   "e"),
			     0));
	assert_false(facts_has(&facts, PROTO_BT_PEX));
}

/* BEP 55: by the id that was asked for, or by its first byte where nobody did. */
static void holepunch_messages(void **state)
{
#define V4 "\xcb\0\x71\x0a\x1a\xe1"
	static const struct {
		const char *b;
		size_t n;
		uint8_t wanted;
		bool good;
	} rows[] = {
		{ BYTES("\4\0\0" V4), 0, true },
		{ BYTES("\4\2\0" V4), 0, true },
		{ BYTES("\4\3\0" V4), 0, false },
		{ BYTES("\4\3\0" V4), 4, false },
		{ BYTES("\4\0\2" V4), 4, false },
		{ BYTES("\4\0\0" V4), 4, true },
		{ BYTES("\4\0\0" V4), 5, false },
		{ BYTES("\4\0\0" V4 "\0\0\0\1"), 4, true },
		{ BYTES("\4\0\0" V4 "\0\0\0\1."), 4, false },
		{ BYTES("\4\0\0\xcb\0\x71\x0a\x1a"), 4, false },
		{ BYTES("\4\1\1" SRC6 "\x1a\xe1"), 4, true },
		{ BYTES("\4\1\1" SRC6 "\x1a"), 4, false },
		{ BYTES("\4\1\1" SRC6 "\x1a\xe1\0\0\0\0"), 4, true },
		{ BYTES("\4\1\1" SRC6 "\x1a\xe1\0\0\0\0."), 4, false },
		{ BYTES("\4\1"), 4, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (extended(rows[i].b, rows[i].n, rows[i].wanted) != rows[i].good)
			fail_msg("row %zu", i);
		assert_int_equal(facts_has(&facts, PROTO_BT_HOLEPUNCH), rows[i].good);
		assert_int_equal(facts_has(&facts, PROTO_BT_EXTENDED), rows[i].good);
		assert_int_equal(facts.n_addrs, rows[i].good);
		if (!rows[i].good)
			continue;
		assert_int_equal(facts.addrs[0].port, 6881);
		assert_int_equal(ipaddr_is_v4(&facts.addrs[0].addr), rows[i].b[2] == 0);
	}
	/* a dictionary of another message where holepunch has an id of its own */
	assert_true(extended(BYTES("\1d5:added0:e"), 4));
}

/* ---- messages ---- */

static size_t messages(const char *p, size_t n, uint32_t *skip)
{
	const struct bt_ext_ids wanted = { 0 };

	forget();
	return decode_bt_messages(&facts, (const uint8_t *)p, n, &wanted, &told, skip);
}

static void messages_one_by_one(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		size_t used;
		uint32_t skip;
		enum undecodable reason;
	} rows[] = {
		{ BYTES(""), 0, 0, UND_NONE },
		{ BYTES("\0\0\0"), 0, 0, UND_NONE },
		{ BYTES("\0\0\0\0"), 4, 0, UND_NONE },
		{ BYTES("\0\0\0\0\0\0\0\0"), 8, 0, UND_NONE },
		{ BYTES("\0\0\0\1"), 0, 0, UND_NONE }, /* the kind has yet to come */
		{ BYTES("\0\0\0\1\2"), 5, 0, UND_NONE },
		{ BYTES("\0\0\0\1\2\0\0\0"), 5, 0, UND_NONE },
		{ BYTES("\0\0\0\5\4\0\0\0\1"), 9, 0, UND_NONE },
		{ BYTES("\0\0\0\5\4\0\0\0"), 8, 1, UND_NONE },
		{ BYTES("\0\0\0\5\4"), 5, 4, UND_NONE },
		{ BYTES("\0\0\0\1\x17"), 5, 0, UND_NONE },
		{ BYTES("\0\0\0\1\x18"), 5, UINT32_MAX, UND_BT_MESSAGE },
		{ BYTES("\0\x10\0\0\7"), 5, (1U << 20) - 1, UND_NONE },
		{ BYTES("\0\x10\0\1\7"), 5, UINT32_MAX, UND_BT_MESSAGE },
		{ BYTES("\0\0\0\4\x14\0de"), 8, 0, UND_NONE },
		{ BYTES("\0\0\0\4\x14\0d"), 0, 0, UND_NONE }, /* waited for */
		{ BYTES("\0\0\0\1\2\0\0\0\4\x14\0d"), 5, 0, UND_NONE },
		{ BYTES("\0\0\0\4\x14\0de\0\0\0\1\2"), 13, 0, UND_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t skip = 77;

		if (messages(rows[i].b, rows[i].n, &skip) != rows[i].used || skip != rows[i].skip)
			fail_msg("row %zu", i);
		assert_int_equal(facts.reason, rows[i].reason);
		assert_int_equal(facts_has(&facts, PROTO_BT_EXTENDED), i == 14 || i == 17);
	}
}

/* ---- uTP ---- */

/* Datagrams one after the other between the same endpoints; what the last one is taken for. */
static uint64_t utp(struct decoder *d, const char *p, size_t n)
{
	struct frame f = { .n = 0 };

	put_ip4(&f, 17, n + 8, 1, 0);
	put_udp(&f, 40000, 40001, n);
	put(&f, p, n);
	(void)decode_frame(d, LINK_RAW, f.b, (uint32_t)f.n, (uint32_t)f.n, 1000, &facts);
	assert_true((facts.weak & ~P(BT_UTP)) == 0);
	return facts.protos & ~P(UDP);
}

#define TIMES "\0\0\1\0\0\0\0\0"   /* of the sender, and the difference */
#define REST  "\0\x10\0\0\0\1\0\0" /* window, number, acknowledged */

static void headers_of_utp(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		bool good;
	} rows[] = {
		{ BYTES("\x41\0\0\1" TIMES REST), true },
		{ BYTES("\x41\0\0\1" TIMES "\0\x10\0\0\0\1\0"), false },
		{ BYTES("\x42\0\0\1" TIMES REST), false },
		{ BYTES("\x51\0\0\1" TIMES REST), false },
		{ BYTES("\x41\3\0\1" TIMES REST "\0\1x"), true },
		{ BYTES("\x41\4\0\1" TIMES REST "\0\1x"), false },
		{ BYTES("\x41\1\0\1" TIMES REST "\0\1"), false },
		{ BYTES("\x41\1\0\1" TIMES REST "\0\0"), false },
		{ BYTES("\x41\1\0\1" TIMES REST "\3\1x\0\2yz"), true },
		{ BYTES("\x41\1\0\1" TIMES REST "\4\1x\0\2yz"), false },
		{ BYTES("\x41\1\0\1" TIMES REST "\3\1x\0\3yz"), false },
		{ BYTES("\x41\0\0\1" TIMES "\x10\0\0\0\0\1\0\0"), true },
		{ BYTES("\x41\0\0\1" TIMES "\x10\0\0\1\0\1\0\0"), false },
		{ BYTES("\x41\0\0\1\0\0\0\0\0\0\0\0" REST), false }, /* no clock */
		{ BYTES("\x41\0\0\1\0\0\1\0\0\0\0\1" REST), false },
		{ BYTES("\x41\0\0\1" TIMES "\0\x10\0\0\0\1\0\1"), false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (utp(NULL, rows[i].b, rows[i].n) != (rows[i].good ? P(BT_UTP) : 0))
			fail_msg("row %zu", i);
		if (!rows[i].good)
			continue;
		assert_int_equal(facts.bt.utp_type, 4);
		assert_true(facts.weak == 0);
	}
}

/* Only DATA has a payload. */
static void payloads_of_utp(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 4; type++)
		for (size_t n = 0; n < 2; n++) {
			char p[21] = "\1\0\0\1" TIMES REST;

			p[0] = (char)(type << 4 | 1);
			assert_int_equal(utp(NULL, p, 20 + n),
					 (n > 0) == (type == 0) ? P(BT_UTP) : 0);
			if (facts.protos & P(BT_UTP)) {
				assert_true(facts.weak == P(BT_UTP));
				assert_int_equal(facts.bt.utp_type, type);
			}
		}
}

/* A SYN and the STATE that answers it make sure of what follows, implausible as it is. */
static void a_connection_of_utp(void **state)
{
	static const char odd[] =
		"\x01\0\0\1\0\0\0\0\0\0\0\0" REST; /* no clock, and DATA without data */
	struct decoder *d = decoder_new();

	(void)state;
	assert_non_null(d);
	assert_true(utp(d, odd, 20) == 0);
	assert_true(utp(d, BYTES("\x21\0\0\1" TIMES REST)) == P(BT_UTP));
	assert_true(facts.weak == P(BT_UTP)); /* no SYN before it */
	assert_true(utp(d, BYTES("\x41\0\0\1" TIMES REST)) == P(BT_UTP));
	assert_true(utp(d, odd, 20) == 0); /* a SYN alone is not enough */
	assert_true(utp(d, BYTES("\x11\0\0\1" TIMES REST)) == P(BT_UTP));
	assert_true(facts.weak == P(BT_UTP)); /* FIN is no answer to it */
	assert_true(utp(d, BYTES("\x21\0\0\1" TIMES REST)) == P(BT_UTP));
	assert_true(facts.weak == 0);
	assert_true(utp(d, odd, 20) == P(BT_UTP));
	assert_true(facts.weak == 0);
	decoder_free(d);
}

/* BitTorrent inside: after its handshake, or where the connection is known already. */
static void what_utp_carries(void **state)
{
	struct decoder *d = decoder_new();
	struct frame p = { .n = 0 };

	(void)state;
	assert_non_null(d);
	/* not known yet: the data says nothing */
	assert_true(utp(d, BYTES("\1\0\0\1" TIMES REST "\0\0\0\x0c\x14\0d1:v4:teste")) ==
		    P(BT_UTP));
	put(&p, "\1\0\0\1" TIMES REST, 20);
	p_bt_handshake(&p);
	assert_true(utp(d, (const char *)p.b, p.n) == (P(BT_UTP) | P(BT_HANDSHAKE)));
	assert_true(facts.weak == 0);
	p_bt_extended(&p); /* in the same datagram */
	assert_true(utp(d, (const char *)p.b, p.n) ==
		    (P(BT_UTP) | P(BT_HANDSHAKE) | P(BT_EXTENDED)));
	assert_true(utp(d, BYTES("\1\0\0\1" TIMES REST "\0\0\0\x0d\x14\0d1:v4:teste")) ==
		    (P(BT_UTP) | P(BT_EXTENDED)));
	assert_string_equal(facts.bt.client, "test");
	assert_true(utp(d, BYTES("\1\0\0\1" TIMES REST "\0\0\0\4\x14\0de")) ==
		    (P(BT_UTP) | P(BT_EXTENDED)));
	assert_true(utp(d, BYTES("\1\0\0\1" TIMES REST "\0\0\0\5\x14\0de")) == P(BT_UTP));
	assert_true(utp(d, BYTES("\1\0\0\1" TIMES REST "\0\0\0\2\x14\0de")) == P(BT_UTP));
	assert_true(utp(d, BYTES("\1\0\0\1" TIMES REST "\0\0\0\4\x13\0de")) == P(BT_UTP));
	decoder_free(d);
}

/* ---- local discovery ---- */

#define LSD  "BT-SEARCH * HTTP/1.1\r\n"
#define HASH "0123456789abcdef0123456789ABCDEF01234567"

static void lines_of_local_discovery(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		bool hash;
		unsigned port;
	} rows[] = {
		{ BYTES(LSD), false, 0 },
		{ BYTES(LSD "Infohash: " HASH "\r\n"), true, 0 },
		{ BYTES(LSD "infohash:" HASH "\r\n"), true, 0 },
		{ BYTES(LSD "infohash:" HASH), true, 0 },
		{ BYTES(LSD "infohash:   " HASH), true, 0 },
		{ BYTES(LSD "infohash:" HASH "\n"), true, 0 },
		{ BYTES(LSD "infohash: 0123456789abcdef0123456789ABCDEF0123456"), false, 0 },
		{ BYTES(LSD "infohash: 0123456789abcdef0123456789ABCDEF0123456g"), false, 0 },
		{ BYTES(LSD "infohash: 0123456789abcdef0123456789ABCDEF012345g7"), false, 0 },
		{ BYTES(LSD "infohush: " HASH), false, 0 },
		{ BYTES(LSD "infohash: 0123456789abcdef0123456789ABCDEF0123456789"), true, 0 },
		{ BYTES(LSD "port: 6080"), false, 6080 },
		{ BYTES(LSD "port: 655350"), false, 0 },
		{ BYTES(LSD "Port: 6881\r\n"), false, 6881 },
		{ BYTES(LSD "port:1"), false, 1 },
		{ BYTES(LSD "port:"), false, 0 },
		{ BYTES(LSD "port: 65535"), false, 65535 },
		{ BYTES(LSD "port: 65536"), false, 0 },
		{ BYTES(LSD "port: 688168816881688168816881"), false, 0 },
		{ BYTES(LSD "part: 6881"), false, 0 },
		{ BYTES(LSD "port: /6:8"), false, 68 },
		{ BYTES(LSD "port: 9\r\n\r\n\r\n"), false, 9 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		forget();
		assert_true(decode_lsd(&facts, (const uint8_t *)rows[i].b, rows[i].n));
		assert_true(facts.protos == P(BT_LSD));
		if (facts.bt.has_info_hash != rows[i].hash || facts.bt.port != rows[i].port)
			fail_msg("row %zu: port %u", i, facts.bt.port);
		if (rows[i].hash)
			assert_memory_equal(facts.bt.info_hash,
					    "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89"
					    "\xab\xcd\xef\x01\x23\x45\x67",
					    20);
	}
	forget();
	assert_false(decode_lsd(&facts, (const uint8_t *)LSD, sizeof(LSD) - 2));
	assert_true(decode_lsd(
		&facts, (const uint8_t *)LSD "infohash: f00000000000000000000000000000000000000f",
		sizeof(LSD) - 1 + 50));
	assert_true(facts.bt.has_info_hash);
	forget();
	/* of two hashes the first counts */
	assert_true(decode_lsd(&facts,
			       (const uint8_t *)LSD
			       "infohash: " HASH "\r\n"
			       "infohash: ffffffffffffffffffffffffffffffffffffffff\r\n",
			       sizeof(LSD) - 1 + 2 * 52));
	assert_int_equal(facts.bt.info_hash[0], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_a_handshake),
		cmocka_unit_test(ids_are_told),
		cmocka_unit_test(fields_of_the_handshake),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(fields_of_pex),
		cmocka_unit_test(holepunch_messages),
		cmocka_unit_test(messages_one_by_one),
		cmocka_unit_test(headers_of_utp),
		cmocka_unit_test(payloads_of_utp),
		cmocka_unit_test(a_connection_of_utp),
		cmocka_unit_test(what_utp_carries),
		cmocka_unit_test(lines_of_local_discovery),
	};

	return cmocka_run_group_tests_name("packet_bt", tests, NULL, NULL);
}
