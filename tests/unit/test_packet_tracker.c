/* SPDX-License-Identifier: MIT */
/* BitTorrent with nodes and trackers at its limits: DHT messages, announces over UDP, HTTP and WebSocket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/frames.h"
#include "packet/internal.h"

static struct facts facts;

#define BYTES(s) (s), sizeof(s) - 1
#define V4	 "\xcb\0\x71\x0a\x1a\xe1"
#define V6	 SRC6 "\x1a\xe1"
#define ID	 "mnopqrstuvwxyz123456"

static void forget(void)
{
	memset(&facts, 0, sizeof(facts));
}

/* ---- DHT ---- */

static bool dht(const char *p, size_t n)
{
	forget();
	return decode_dht(&facts, (const uint8_t *)p, n);
}

static void actions_of_the_dht(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		unsigned action; /* of a good one */
		bool good, reply;
		enum undecodable reason;
	} rows[] = {
		{ BYTES("d1:q4:ping1:y1:qe"), BT_PING, true, false, UND_NONE },
		{ BYTES("d1:q9:find_node1:y1:qe"), BT_FIND_NODE, true, false, UND_NONE },
		{ BYTES("d1:q9:get_peers1:y1:qe"), BT_GET_PEERS, true, false, UND_NONE },
		{ BYTES("d1:q13:announce_peer1:y1:qe"), BT_ANNOUNCE_PEER, true, false, UND_NONE },
		{ BYTES("d1:q4:pong1:y1:qe"), BT_OTHER_QUERY, true, false, UND_NONE },
		{ BYTES("d1:q3:pin1:y1:qe"), BT_OTHER_QUERY, true, false, UND_NONE },
		{ BYTES("d1:y1:re"), BT_NONE, true, true, UND_NONE },
		{ BYTES("d1:y1:ee"), BT_ERROR, true, true, UND_NONE },
		{ BYTES("d1:y1:xe"), 0, false, false, UND_NONE },
		{ BYTES("d1:y2:qqe"), 0, false, false, UND_NONE },
		{ BYTES("d1:yi1ee"), 0, false, false, UND_NONE },
		{ BYTES("d1:z1:qe"), 0, false, false, UND_NONE },
		{ BYTES("d1:y1:q"), 0, false, false, UND_NONE },
		{ BYTES("l1:y1:qe"), 0, false, false, UND_NONE },
		{ BYTES("de"), 0, false, false, UND_NONE },
		/* cut off or damaged, but it begins as all do */
		{ BYTES("d1:ad2:id20:"), BT_NONE, true, false, UND_BENCODE },
		{ BYTES("d1:ad2:id20"), 0, false, false, UND_NONE },
		{ BYTES("d1:rd2:id20:" ID), BT_NONE, true, false, UND_BENCODE },
		{ BYTES("d1:el"), BT_NONE, true, false, UND_BENCODE },
		{ BYTES("d2:ip"), BT_NONE, true, false, UND_BENCODE },
		{ BYTES("d2:ip6:" V4 "e"), BT_NONE, true, false, UND_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (dht(rows[i].b, rows[i].n) != rows[i].good)
			fail_msg("row %zu", i);
		assert_int_equal(facts_has(&facts, PROTO_BT_DHT), rows[i].good);
		assert_int_equal(facts.reason, rows[i].reason);
		assert_int_equal(facts.n_addrs, i == 20);
		if (!rows[i].good)
			continue;
		assert_int_equal(facts.bt.action, rows[i].action);
		assert_int_equal(facts.bt.reply, rows[i].reply);
	}
}

static void addresses_of_the_dht(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		unsigned addrs;
		enum addr_place place;
		bool v6;
	} rows[] = {
		{ BYTES("d2:ip6:" V4 "1:y1:re"), 1, PLACE_BT_DHT_IP, false },
		{ BYTES("d2:ip18:" V6 "1:y1:re"), 1, PLACE_BT_DHT_IP, true },
		{ BYTES("d2:ipi6e1:y1:re"), 0, 0, false },
		{ BYTES("d1:rd5:nodes26:" ID V4 "e1:y1:re"), 1, PLACE_BT_DHT_NODE, false },
		{ BYTES("d1:rd5:nodes52:" ID V4 ID V4 "e1:y1:re"), 2, PLACE_BT_DHT_NODE, false },
		{ BYTES("d1:rd5:nodes25:" ID "\xcb\0\x71\x0a\x1a"
			"e1:y1:re"),
		  0, 0, false },
		{ BYTES("d1:rd6:nodes638:" ID V6 "e1:y1:re"), 1, PLACE_BT_DHT_NODE, true },
		{ BYTES("d1:rd6:nodes637:" ID SRC6 "\x1a"
			"e1:y1:re"),
		  0, 0, false },
		{ BYTES("d1:rd6:valuesl6:" V4 "6:" V4 "ee1:y1:re"), 2, PLACE_BT_DHT_PEER, false },
		{ BYTES("d1:rd6:valuesl18:" V6 "ee1:y1:re"), 1, PLACE_BT_DHT_PEER, true },
		{ BYTES("d1:rd6:valuesl6:" V4 "i1e6:" V4 "ee1:y1:re"), 1, PLACE_BT_DHT_PEER,
		  false },
		{ BYTES("d1:rd6:values6:" V4 "e1:y1:re"), 0, 0, false },
		{ BYTES("d1:rl6:valuesl6:" V4 "ee1:y1:re"), 0, 0, false },
		{ BYTES("d1:bd6:valuesl6:" V4 "ee1:y1:re"), 0, 0, false },
		{ BYTES("d1:ad6:valuesl6:" V4 "ee1:y1:qe"), 1, PLACE_BT_DHT_PEER, false },
		{ BYTES("d1:rd1:x2:no6:valuesl6:" V4 "ee1:y1:re"), 1, PLACE_BT_DHT_PEER, false },
		{ BYTES("d1:rdi1e6:valuesl6:" V4 "ee1:y1:re"), 0, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(dht(rows[i].b, rows[i].n) || i == 16);
		if (facts.n_addrs != rows[i].addrs)
			fail_msg("row %zu: %u", i, facts.n_addrs);
		for (unsigned a = 0; a < rows[i].addrs; a++) {
			assert_int_equal(facts.addrs[a].place, rows[i].place);
			assert_int_equal(facts.addrs[a].port, 6881);
			assert_int_equal(ipaddr_is_v4(&facts.addrs[a].addr), !rows[i].v6);
		}
	}
}

static void fields_of_the_dht(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		bool id, hash;
		unsigned port;
		const char *client;
	} rows[] = {
		{ BYTES("d1:ad2:id20:" ID "e1:y1:qe"), true, false, 0, "" },
		{ BYTES("d1:ad2:id19:mnopqrstuvwxyz12345e1:y1:qe"), false, false, 0, "" },
		{ BYTES("d1:ad2:ix20:" ID "e1:y1:qe"), false, false, 0, "" },
		{ BYTES("d1:ad9:info_hash20:" ID "e1:y1:qe"), false, true, 0, "" },
		{ BYTES("d1:ad9:info_hash21:" ID ".e1:y1:qe"), false, false, 0, "" },
		{ BYTES("d1:ad9:info_hush20:" ID "e1:y1:qe"), false, false, 0, "" },
		{ BYTES("d1:ad4:porti6881ee1:y1:qe"), false, false, 6881, "" },
		{ BYTES("d1:ad4:port4:6881e1:y1:qe"), false, false, 0, "" },
		{ BYTES("d1:ad4:parti6881ee1:y1:qe"), false, false, 0, "" },
		{ BYTES("d1:v4:LT121:y1:qe"), false, false, 0, "LT12" },
		{ BYTES("d1:vi1e1:y1:qe"), false, false, 0, "" },
		{ BYTES("d1:w4:LT121:y1:qe"), false, false, 0, "" },
		{ BYTES("d1:ai1e1:v4:LT121:y1:qe"), false, false, 0, "LT12" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(dht(rows[i].b, rows[i].n));
		assert_int_equal(facts.bt.has_node_id, rows[i].id);
		assert_int_equal(facts.bt.has_info_hash, rows[i].hash);
		assert_int_equal(facts.bt.port, rows[i].port);
		assert_string_equal(facts.bt.client, rows[i].client);
		if (rows[i].id)
			assert_memory_equal(facts.bt.node_id, ID, 20);
		if (rows[i].hash)
			assert_memory_equal(facts.bt.info_hash, ID, 20);
	}
}

/* ---- announces over UDP ---- */

static uint64_t udp_announce_to(unsigned port, const struct frame *p, bool v6)
{
	struct frame f = { .n = 0 };

	if (v6)
		put_ip6(&f, 17, p->n + 8);
	else
		put_ip4(&f, 17, p->n + 8, 1, 0);
	put_udp(&f, 40000, port, p->n);
	put(&f, p->b, p->n);
	(void)decode_frame(NULL, LINK_RAW, f.b, (uint32_t)f.n, (uint32_t)f.n, 1000, &facts);
	return facts.protos & ~P(UDP);
}

static uint64_t udp_announce(const struct frame *p, bool v6)
{
	return udp_announce_to(40001, p, v6);
}

static void put_be32(struct frame *f, size_t at, uint32_t v)
{
	set16(f, at, v >> 16);
	set16(f, at + 2, v & 0xffff);
}

static void announces_have_their_fields(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
		bool good;
	} rows[] = {
		{ 8, 0, false },	   { 8, 2, false },	      { 80, 3, true },
		{ 80, 4, false },	   { 92, 10000, true },	      { 92, 10001, false },
		{ 92, 0xffffffff, true },  { 92, 0xfffffffe, false }, { 92, 0, true },
		{ 56, 0x0003ffff, true },  { 56, 0x00040000, false }, { 64, 0x0003ffff, true },
		{ 64, 0x00040000, false }, { 72, 0x0003ffff, true },  { 72, 0x00040000, false },
		{ 84, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame p = { .n = 0 };

		p_udp_announce(&p);
		put_be32(&p, rows[i].at, rows[i].value);
		if (udp_announce(&p, false) != (rows[i].good ? P(BT_UDP_TRACKER) : 0))
			fail_msg("row %zu", i);
		if (rows[i].good)
			assert_int_equal(facts.n_addrs, rows[i].at != 84);
	}
	for (size_t field = 56; field <= 72; field += 8) /* -1 is "not told", -2 is nothing */
		for (unsigned less = 0; less <= 2; less++) {
			struct frame p = { .n = 0 };

			p_udp_announce(&p);
			put_be32(&p, field, 0xffffffff);
			put_be32(&p, field + 4, 0xffffffff - less);
			assert_int_equal(udp_announce(&p, true) != 0, less < 2);
		}
	for (size_t field = 16; field <= 36; field += 20) {
		struct frame p = { .n = 0 };

		p_udp_announce(&p);
		memset(p.b + field, 0, 20);
		assert_true(udp_announce(&p, false) == 0);
		p.b[field + 19] = 1;
		assert_true(udp_announce(&p, false) == P(BT_UDP_TRACKER));
	}
}

static void announces_have_their_size(void **state)
{
	struct frame p = { .n = 0 };

	(void)state;
	p_udp_announce(&p);
	assert_int_equal(p.n, 98);
	assert_true(udp_announce(&p, false) == P(BT_UDP_TRACKER));
	assert_true(facts.bt.has_key && facts.bt.has_info_hash && facts.bt.has_peer_id);
	p.n = 97;
	assert_true(udp_announce(&p, false) == 0);
	p.n = 98;
	set16(&p, 96, 0);
	assert_true(udp_announce(&p, false) == 0);
	set16(&p, 96, 1);
	put8(&p, 2); /* an option of BEP 41 */
	assert_true(udp_announce(&p, false) == P(BT_UDP_TRACKER));
	p.n = 0;
	p_udp_connect(&p);
	assert_true(udp_announce(&p, false) == P(BT_UDP_TRACKER));
	p.b[8] = 1;
	assert_true(udp_announce(&p, false) == 0);
	p.b[8] = 0;
	p.n = 15;
	assert_true(udp_announce(&p, false) == 0);
	p.n = 7;
	assert_true(udp_announce(&p, false) == 0);
}

/* The beginnings of peer ids that name a client make sure of an announce. */
static void names_of_clients(void **state)
{
	static const struct {
		const char *id;
		bool named;
	} rows[] = {
		{ "-qB5010-", true },  { "-UT3.55-", true },  { "M7-10-5-", true },
		{ "T03I----", true },  { "-qB5010x", false }, { "M7-10-5x", false },
		{ "+qB5010-", false }, { "-qB50/0-", false }, { "-/B5010-", false },
		{ "-qB501/-", false }, { "-qB501--", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame p = { .n = 0 };

		p_udp_announce(&p);
		memcpy(p.b + 36, rows[i].id, 8);
		assert_true(udp_announce(&p, false) == P(BT_UDP_TRACKER));
		if ((facts.weak == 0) != rows[i].named)
			fail_msg("%s", rows[i].id);
		assert_true(udp_announce_to(443, &p, false) == P(BT_UDP_TRACKER)); /* and no QUIC */
	}
}

/* ---- announces over HTTP ---- */

static void target(const char *text)
{
	forget();
	decode_bt_announce_target(&facts, (const uint8_t *)text, strlen(text));
}

#define HASH "info_hash=aaaaaaaaaaaaaaaaaaaa"

static void targets(void **state)
{
	static const struct {
		const char *text;
		bool tracker, hash, peer, has_key;
		unsigned action, port;
		uint32_t key;
		int place; /* -1: none */
	} rows[] = {
		{ "/announce?" HASH, true, true, false, false, BT_ANNOUNCE, 0, 0, -1 },
		{ "/scrape?" HASH, true, true, false, false, BT_SCRAPE, 0, 0, -1 },
		{ "/announce?x=scrape&" HASH, true, true, false, false, BT_ANNOUNCE, 0, 0, -1 },
		{ "/announce", false, false, false, false, 0, 0, 0, -1 },
		{ "/info_hash=?x=y", false, false, false, false, 0, 0, 0, -1 },
		{ "/announce?infohash=aaaaaaaaaaaaaaaaaaaa", false, false, false, false, 0, 0, 0,
		  -1 },
		{ "/a?info_hash=aaaaaaaaaaaaaaaaaaa", true, false, false, false, BT_ANNOUNCE, 0, 0,
		  -1 },
		{ "/a?info_hash=%61%61%61%61%61%61%61%61%61%61%61%61%61%61%61%61%61%61%61%61", true,
		  true, false, false, BT_ANNOUNCE, 0, 0, -1 },
		{ "/a?info_hash=aaaaaaaaaaaaaaaaaa%6", true, true, false, false, BT_ANNOUNCE, 0, 0,
		  -1 },
		{ "/a?info_hash=aaaaaaaaaaaaaaaaa%g1", true, true, false, false, BT_ANNOUNCE, 0, 0,
		  -1 },
		{ "/a?info_hash=aaaaaaaaaaaaaaaaa%1g", true, true, false, false, BT_ANNOUNCE, 0, 0,
		  -1 },
		{ "/a?" HASH "&peer_id=aaaaaaaaaaaaaaaaaaaa", true, true, true, false, BT_ANNOUNCE,
		  0, 0, -1 },
		{ "/a?" HASH "&peer_id=aaaaaaaaaaaaaaaaaaa", true, true, false, false, BT_ANNOUNCE,
		  0, 0, -1 },
		{ "/a?" HASH "&port=6881", true, true, false, false, BT_ANNOUNCE, 6881, 0, -1 },
		{ "/a?" HASH "&port=8080", true, true, false, false, BT_ANNOUNCE, 8080, 0, -1 },
		{ "/a?" HASH "&port=68a1", true, true, false, false, BT_ANNOUNCE, 68, 0, -1 },
		{ "/a?" HASH "&port", true, true, false, false, BT_ANNOUNCE, 0, 0, -1 },
		{ "/a?" HASH "&key=1a2B3c4D5e", true, true, false, true, BT_ANNOUNCE, 0, 0x1a2b3c4d,
		  -1 },
		{ "/a?" HASH "&key=xyz", true, true, false, true, BT_ANNOUNCE, 0, 0, -1 },
		{ "/a?" HASH "&ip=203.0.113.10", true, true, false, false, BT_ANNOUNCE, 0, 0,
		  PLACE_BT_ANNOUNCE_IP },
		{ "/a?" HASH "&ipv4=203.0.113.10:6881", true, true, false, false, BT_ANNOUNCE, 0, 0,
		  PLACE_BT_ANNOUNCE_IPV4 },
		{ "/a?" HASH "&ipv6=2001:db8::1", true, true, false, false, BT_ANNOUNCE, 0, 0,
		  PLACE_BT_ANNOUNCE_IPV6 },
		{ "/a?" HASH "&ip=here", true, true, false, false, BT_ANNOUNCE, 0, 0, -1 },
		{ "/a?" HASH "&iq=203.0.113.10", true, true, false, false, BT_ANNOUNCE, 0, 0, -1 },
		{ "/a?&&" HASH "&", true, true, false, false, BT_ANNOUNCE, 0, 0, -1 },
		{ "/a?ip=203.0.113.10&" HASH, true, true, false, false, BT_ANNOUNCE, 0, 0,
		  PLACE_BT_ANNOUNCE_IP },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		target(rows[i].text);
		if (facts_has(&facts, PROTO_BT_TRACKER) != rows[i].tracker ||
		    facts.bt.has_info_hash != rows[i].hash || facts.bt.action != rows[i].action ||
		    facts.bt.has_peer_id != rows[i].peer)
			fail_msg("%s", rows[i].text);
		assert_int_equal(facts.bt.port, rows[i].port);
		assert_int_equal(facts.bt.key, rows[i].key);
		assert_int_equal(facts.bt.has_key, rows[i].has_key);
		assert_int_equal(facts.n_addrs, rows[i].place >= 0);
		if (rows[i].place >= 0)
			assert_int_equal(facts.addrs[0].place, rows[i].place);
	}
	assert_int_equal(facts.bt.info_hash[19], 'a');
	forget(); /* an escape that the target cuts */
	decode_bt_announce_target(&facts, (const uint8_t *)"/a?info_hash=aaaaaaaaaaaaaaaaaa%61",
				  33);
	assert_true(facts.bt.has_info_hash);
	target("/a?info_hash=%00%01%7f%80%fF%Aa%61aaaaaaaaaaaaa");
	assert_memory_equal(facts.bt.info_hash, "\0\1\x7f\x80\xff\xaa", 6);
}

/* Values longer than are kept are cut, and are no hash then. */
static void long_values(void **state)
{
	char text[512] = "/a?info_hash=";

	(void)state;
	memset(text + strlen(text), 'a', 400);
	target(text);
	assert_true(facts_has(&facts, PROTO_BT_TRACKER));
	assert_false(facts.bt.has_info_hash);
}

/* ---- a tracker's answers ---- */

static bool body(const char *p, size_t n)
{
	forget();
	return decode_bt_tracker_body(&facts, (const uint8_t *)p, n);
}

static void tracker_bodies(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		bool good;
		unsigned addrs, port;
		enum addr_place place;
		enum undecodable reason;
	} rows[] = {
		{ BYTES("d8:intervali1800ee"), true, 0, 0, 0, UND_NONE },
		{ BYTES("d5:peers0:e"), true, 0, 0, 0, UND_NONE },
		{ BYTES("d14:failure reason4:none"
			"e"),
		  true, 0, 0, 0, UND_NONE },
		{ BYTES("d5:filesd20:" ID "deee"), true, 0, 0, 0, UND_NONE },
		{ BYTES("d4:spam4:eggse"), false, 0, 0, 0, UND_NONE },
		{ BYTES("l8:intervali1800ee"), false, 0, 0, 0, UND_NONE },
		{ BYTES("d5:peers12:" V4 V4 "e"), true, 2, 6881, PLACE_BT_TRACKER_PEER, UND_NONE },
		{ BYTES("d8:intervali1e6:peers618:" V6 "e"), true, 1, 6881, PLACE_BT_TRACKER_PEER,
		  UND_NONE },
		{ BYTES("d5:peersld2:ip12:203.0.113.104:porti6881eeee"), true, 1, 6881,
		  PLACE_BT_TRACKER_PEER, UND_NONE },
		{ BYTES("d5:peersld4:porti6881eeee"), true, 0, 0, 0, UND_NONE },
		{ BYTES("d5:peersld2:ipi1e4:porti6881eeee"), true, 0, 0, 0, UND_NONE },
		{ BYTES("d5:peersld2:iq12:203.0.113.104:porti6881eeee"), true, 0, 0, 0, UND_NONE },
		{ BYTES("d5:peersld2:ip12:203.0.113.104:port4:6881eee"), true, 1, 0,
		  PLACE_BT_TRACKER_PEER, UND_NONE },
		{ BYTES("d5:peersld2:ip12:203.0.113.10ed2:ip12:203.0.113.11eee"), true, 2, 0,
		  PLACE_BT_TRACKER_PEER, UND_NONE },
		{ BYTES("d8:intervali1e11:external ip4:\xcb\0\x71\x0a"
			"e"),
		  true, 1, 0, PLACE_BT_EXTERNAL_IP, UND_NONE },
		{ BYTES("d8:intervali1e11:external ip16:" SRC6 "e"), true, 1, 0,
		  PLACE_BT_EXTERNAL_IP, UND_NONE },
		{ BYTES("d8:intervali1e11:external ip5:\xcb\0\x71\x0a.e"), true, 0, 0, 0,
		  UND_NONE },
		{ BYTES("d8:intervali1e11:external iq4:\xcb\0\x71\x0a"
			"e"),
		  true, 0, 0, 0, UND_NONE },
		{ BYTES("d8:intervali1e"), true, 0, 0, 0, UND_BENCODE },
		{ BYTES("d8:intervali1"), true, 0, 0, 0, UND_BENCODE },
		{ BYTES("d8:intervali1ei1ei1ee"), true, 0, 0, 0, UND_BENCODE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (body(rows[i].b, rows[i].n) != rows[i].good || facts.n_addrs != rows[i].addrs)
			fail_msg("row %zu: %u addresses", i, facts.n_addrs);
		assert_int_equal(facts_has(&facts, PROTO_BT_TRACKER), rows[i].good);
		assert_int_equal(facts.bt.reply, rows[i].good);
		assert_int_equal(facts.reason, rows[i].reason);
		for (unsigned a = 0; a < rows[i].addrs; a++) {
			assert_int_equal(facts.addrs[a].place, rows[i].place);
			assert_int_equal(facts.addrs[a].port, rows[i].port);
		}
	}
}

static void deep_bodies(void **state)
{
	struct frame p = { .n = 0 };

	(void)state;
	put_text(&p, "d8:intervali1e1:x");
	put_fill(&p, 400, 'l');
	assert_true(body((const char *)p.b, p.n));
	assert_int_equal(facts.reason, UND_BENCODE_DEPTH);
}

/* ---- trackers over WebSocket ---- */

static bool websocket(const struct frame *p)
{
	forget();
	return decode_bt_websocket(&facts, p->b, p->n);
}

static void put_ws(struct frame *p, unsigned first, unsigned form, size_t stated, const char *json)
{
	p->n = 0;
	put8(p, first);
	put8(p, form < 126 ? (unsigned)stated : form);
	if (form >= 126)
		put_zero(p, form == 126 ? 0 : 6);
	if (form >= 126)
		put16(p, (unsigned)stated);
	put(p, json, strlen(json));
}

#define JSON "{\"action\":\"announce\",\"info_hash\":\"x\"}"

static void websocket_frames(void **state)
{
	static const struct {
		unsigned first, form;
		const char *json;
		int more; /* of the stated length */
		bool good;
	} rows[] = {
		{ 0x81, 0, JSON, 0, true },
		{ 0x82, 0, JSON, 0, true },
		{ 0x80, 0, JSON, 0, true },
		{ 0x01, 0, JSON, 0, true },
		{ 0x83, 0, JSON, 0, false },
		{ 0x91, 0, JSON, 0, false },
		{ 0xa1, 0, JSON, 0, false },
		{ 0xc1, 0, JSON, 0, false },
		{ 0x81, 126, JSON, 0, true },
		{ 0x81, 127, JSON, 0, true },
		{ 0x81, 0, JSON, 5, true },   /* not all of it is here */
		{ 0x81, 0, JSON, -5, false }, /* the hash is behind its end */
		{ 0x81, 0, "x\"action\":\"announce\",\"info_hash\":\"x\"}", 0, false },
		{ 0x81, 0, "{\"actiun\":\"announce\",\"info_hash\":\"x\"}", 0, false },
		{ 0x81, 0, "{\"action\":\"announce\",\"info_hush\":\"x\"}", 0, false },
		{ 0x81, 0, "{\"action\":\"a\"}", 0, false },
	};
	struct frame p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = strlen(rows[i].json);

		if (rows[i].more < 0)
			n -= 18;
		put_ws(&p, rows[i].first, rows[i].form, n + (rows[i].more > 0 ? 5 : 0),
		       rows[i].json);
		if (websocket(&p) != rows[i].good)
			fail_msg("row %zu", i);
		assert_int_equal(facts_has(&facts, PROTO_BT_WS_TRACKER), rows[i].good);
		assert_int_equal(facts.bt.action, rows[i].good ? BT_ANNOUNCE : BT_NONE);
	}
	put_ws(&p, 0x81, 0, 36, "{\"action\":\"scrape\",\"info_hash\":\"xy\"}");
	assert_true(websocket(&p));
	assert_int_equal(facts.bt.action, BT_SCRAPE);
	for (size_t n = 0; n < 34; n++) { /* short of the hash */
		put_ws(&p, 0x81, 0, strlen(JSON), JSON);
		p.n = n;
		assert_int_equal(websocket(&p), false);
	}
}

static void candidates(void **state)
{
	static const struct {
		const char *json;
		unsigned addrs, port;
	} rows[] = {
#define OF(c) "{\"action\":\"announce\",\"info_hash\":\"x\",\"sdp\":\"" c
		{ OF("a=candidate:1 1 udp 2113937151 203.0.113.10 50000 typ host\"}"), 1, 0 },
		{ OF("a=candidate:1 1 udp 7 2001:db8::1 50000 typ host\"}"), 1, 0 },
		{ OF("a=candidate:1 1 udp 7 203.0.113.10"), 1, 0 },
		{ OF("a=candidate:1 1 udp 7 203.0.113.10\\r\\n"), 1, 0 },
		{ OF("a=candidate:1 1 udp 203.0.113.10 9 typ host\"}"), 0, 0 },
		{ OF("a=candidate:1 1 udp 7 here 9 typ host\"}"), 0, 0 },
		{ OF("a=candidate:1 1 udp"), 0, 0 },
		{ OF("a=candidate:1 1 udp 7 203.0.113.10 1\\ncandidate:2 1 udp 7 203.0.113.11 "
		     "1\"}"),
		  2, 0 },
		{ OF("a=candidat:1 1 udp 7 203.0.113.10 9 typ host\"}"), 0, 0 },
		{ OF("candidate:"), 0, 0 },
	};
	struct frame p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_ws(&p, 0x81, 126, strlen(rows[i].json), rows[i].json);
		assert_true(websocket(&p));
		if (facts.n_addrs != rows[i].addrs)
			fail_msg("row %zu: %u", i, facts.n_addrs);
		for (unsigned a = 0; a < rows[i].addrs; a++)
			assert_int_equal(facts.addrs[a].place, PLACE_BT_WS_ADDRESS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions_of_the_dht),
		cmocka_unit_test(addresses_of_the_dht),
		cmocka_unit_test(fields_of_the_dht),
		cmocka_unit_test(announces_have_their_fields),
		cmocka_unit_test(announces_have_their_size),
		cmocka_unit_test(names_of_clients),
		cmocka_unit_test(targets),
		cmocka_unit_test(long_values),
		cmocka_unit_test(tracker_bodies),
		cmocka_unit_test(deep_bodies),
		cmocka_unit_test(websocket_frames),
		cmocka_unit_test(candidates),
	};

	return cmocka_run_group_tests_name("packet_tracker", tests, NULL, NULL);
}
