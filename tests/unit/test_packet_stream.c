/* SPDX-License-Identifier: MIT */
/* Heads split over TCP segments in every way, peer messages in a stream, and the limits of the memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/frames.h"
#include "packet/with_decoder.h"

static struct facts facts;
static uint64_t seen; /* protocols of all segments sent by send() since the last begin() */
static uint64_t reasons;
static char sni[256];
static int pex, splits;

static void begin(struct decoder *d)
{
	decoder_reset(d);
	seen = reasons = 0;
	pex = 0;
	sni[0] = '\0';
}

static void segment(struct decoder *d, unsigned sport, unsigned dport, uint32_t seq, unsigned flags,
		    const uint8_t *p, size_t n)
{
	struct frame f = { .n = 0 };

	put_ethernet(&f, 0x0800);
	put_ip4(&f, 6, 20 + n, 1, 0);
	put_tcp(&f, sport, dport, seq, flags);
	put(&f, p, n);
	decode(d, &f, &facts);
	seen |= facts.protos;
	reasons |= facts.reasons;
	if (facts_has(&facts, PROTO_TLS_HELLO) && facts.tls.has_sni)
		memcpy(sni, facts.tls.sni, sizeof(sni));
	for (int i = 0; i < facts.n_addrs; i++)
		pex += facts.addrs[i].place == PLACE_BT_PEX_ADDED;
}

/* The stream cut in two at every place, the parts in order and swapped, with a SYN before or without. */
static void split_everywhere(struct decoder *d, const struct frame *s, unsigned dport,
			     void (*check)(void))
{
	for (size_t at = 1; at < s->n; at++) {
		for (int mode = 0; mode < 3; mode++) {
			uint32_t seq = UINT32_MAX - 20; /* wraps in the middle */

			begin(d);
			if (mode)
				segment(d, 40000, dport, seq - 1, TCP_SYN, s->b, 0);
			if (mode == 2) {
				segment(d, 40000, dport, seq + (uint32_t)at, TCP_ACK, s->b + at,
					s->n - at);
				segment(d, 40000, dport, seq, TCP_ACK, s->b, at);
			} else {
				segment(d, 40000, dport, seq, TCP_ACK, s->b, at);
				segment(d, 40000, dport, seq + (uint32_t)at, TCP_ACK, s->b + at,
					s->n - at);
			}
			check();
			splits++;
		}
	}
}

static void check_hello(void)
{
	assert_true(seen & P(TLS_HELLO));
	assert_string_equal(sni, "indexer.test");
	assert_false(reasons & (UINT64_C(1) << UND_TLS_SHORT));
}

static void hello_split_everywhere(void **state)
{
	struct frame s = { .n = 0 };

	p_tls_hello(&s);
	split_everywhere(*state, &s, 443, check_hello);
	s.n = 0;
	p_tls_records(&s);
	split_everywhere(*state, &s, 8443, check_hello);
	assert_true(splits > 600);
}

static void check_announce(void)
{
	assert_true(seen & P(BT_TRACKER));
	assert_true(facts_has(&facts, PROTO_HTTP));
	assert_string_equal(facts.http.host, "tracker.test");
	assert_string_equal(facts.http.user_agent, "qBittorrent/5.0.1");
	assert_true(facts.reassembled);
}

static void announce_split_everywhere(void **state)
{
	struct frame s = { .n = 0 };

	p_announce(&s);
	split_everywhere(*state, &s, 8080, check_announce);
}

static void byte_by_byte(void **state)
{
	struct frame s = { .n = 0 };

	begin(*state);
	p_announce(&s);
	for (size_t i = 0; i < s.n; i++)
		segment(*state, 40000, 80, (uint32_t)i, TCP_ACK, s.b + i, 1);
	check_announce();
	assert_int_equal(facts.bt.port, 6881);
}

static void check_soap(void)
{
	assert_true(seen & P(UPNP));
	assert_int_equal(facts.portmap.internal_port, 6882);
}

static void soap_body_is_waited_for(void **state)
{
	struct frame s = { .n = 0 };

	p_soap(&s);
	split_everywhere(*state, &s, 5000, check_soap);
}

static void check_dns(void)
{
	assert_true(facts_has(&facts, PROTO_DNS));
	assert_int_equal(facts.dns.transport, DNS_OVER_TCP);
	assert_string_equal(facts.dns.qname, "canary-7f3a.lab.test");
	assert_false(reasons & (UINT64_C(1) << UND_DNS_SHORT));
}

static void dns_over_tcp_split_everywhere(void **state)
{
	struct frame s = { .n = 0 }, m = { .n = 0 };

	p_dns_query(&m);
	put16(&s, (unsigned)m.n);
	put(&s, m.b, m.n);
	split_everywhere(*state, &s, 53, check_dns);
}

static void dns_messages_in_one_segment(void **state)
{
	struct frame s = { .n = 0 }, m = { .n = 0 }, q = { .n = 0 };

	p_dns_query(&m);
	put16(&s, (unsigned)m.n);
	put(&s, m.b, m.n);
	p_mdns(&q);
	put16(&s, (unsigned)q.n);
	put(&s, q.b, q.n);
	begin(*state);
	segment(*state, 40000, 53, 5, TCP_ACK, s.b, s.n);
	assert_string_equal(facts.dns.qname, "canary-7f3a.lab.test");
	assert_string_equal(facts.dns.other_names, "_bittorrent._tcp.local ");
}

static void check_peer(void)
{
	assert_true(seen & P(BT_HANDSHAKE));
	assert_true(seen & P(BT_EXTENDED));
	assert_true(seen & P(BT_PEX));
	assert_int_equal(pex, 2);
}

static void peer_messages_split_everywhere(void **state)
{
	struct frame s = { .n = 0 };

	p_bt_peer(&s);
	split_everywhere(*state, &s, 6881, check_peer);
}

/* A piece of 16 KiB, of which most segments are never looked at, and PEX right behind it. */
static void pex_behind_a_long_piece(void **state)
{
	struct frame s = { .n = 0 }, piece = { .n = 0 }, m = { .n = 0 };
	uint32_t seq = 100;

	begin(*state);
	p_bt_handshake(&s);
	segment(*state, 40000, 6881, seq, TCP_ACK, s.b, s.n);
	seq += (uint32_t)s.n;
	put32(&piece, 9 + 16384);
	put8(&piece, 7);
	put_fill(&piece, 1000, 0x99);
	segment(*state, 40000, 6881, seq, TCP_ACK, piece.b, piece.n);
	seq += (uint32_t)piece.n;
	/* Three lost segments inside the piece do no harm. */
	seq += 16384 + 9 - 1001 - 500;
	piece.n = 0;
	put_fill(&piece, 500, 0x98);
	p_bt_pex(&m);
	put(&piece, m.b, m.n);
	segment(*state, 40000, 6881, seq, TCP_ACK, piece.b, piece.n);
	assert_true(facts_has(&facts, PROTO_BT_PEX));
	assert_int_equal(pex, 2);
}

/* Holepunch is known by the id that the other side asked for. */
static void holepunch_by_negotiated_id(void **state)
{
	struct frame s = { .n = 0 }, back = { .n = 0 };

	begin(*state);
	p_bt_handshake(&back);
	p_bt_extended(&back);
	segment(*state, 6881, 40000, 1, TCP_ACK, back.b, back.n);
	p_bt_handshake(&s);
	p_bt_holepunch(&s);
	segment(*state, 40000, 6881, 1, TCP_ACK, s.b, s.n);
	assert_true(facts_has(&facts, PROTO_BT_HOLEPUNCH));
	assert_int_equal(facts.addrs[0].place, PLACE_BT_HOLEPUNCH);
	assert_int_equal(facts.addrs[0].port, 6881);
}

static void a_gap_in_peer_messages_is_noted(void **state)
{
	struct frame s = { .n = 0 };

	begin(*state);
	p_bt_handshake(&s);
	segment(*state, 40000, 6881, 1, TCP_ACK, s.b, s.n);
	s.n = 0;
	p_bt_pex(&s);
	segment(*state, 40000, 6881, 5000, TCP_ACK, s.b, s.n);
	assert_true(facts_has_reason(&facts, UND_STREAM_GAP));
	segment(*state, 40000, 6881, 5000 + (uint32_t)s.n, TCP_ACK, s.b, s.n);
	assert_true(facts_has(&facts, PROTO_BT_PEX)); /* each segment for itself from there on */
}

static void retransmissions_do_no_harm(void **state)
{
	struct frame s = { .n = 0 };

	begin(*state);
	p_tls_hello(&s);
	segment(*state, 40000, 443, 99, TCP_SYN, s.b, 0);
	segment(*state, 40000, 443, 100, TCP_ACK, s.b, 60);
	segment(*state, 40000, 443, 100, TCP_ACK, s.b, 60);
	segment(*state, 40000, 443, 140, TCP_ACK, s.b + 40, s.n - 40);
	check_hello();
}

static void a_head_without_end_is_given_up(void **state)
{
	struct frame s = { .n = 0 };
	uint32_t seq = 1;

	begin(*state);
	put_text(&s, "GET /x HTTP/1.1\r\nHost: a.test\r\nX: ");
	segment(*state, 40000, 80, seq, TCP_ACK, s.b, s.n);
	seq += (uint32_t)s.n;
	s.n = 0;
	put_fill(&s, 1000, 'y');
	for (int i = 0; i < 40; i++, seq += 1000)
		segment(*state, 40000, 80, seq, TCP_ACK, s.b, s.n);
	assert_true(reasons & (UINT64_C(1) << UND_STREAM_LONG));
	assert_true(seen & P(HTTP));
}

static void many_flows_push_out_the_oldest(void **state)
{
	struct frame s = { .n = 0 };
	bool evicted = false;

	begin(*state);
	p_tls_hello(&s);
	for (unsigned i = 0; i < 20000; i++) {
		segment(*state, 1 + i % 60000, 443 + i / 60000, 1, TCP_ACK, s.b, 30);
		evicted |= facts_has_reason(&facts, UND_FLOW_EVICTED);
	}
	assert_true(evicted);
	segment(*state, 20000, 443, 31, TCP_ACK, s.b + 30, s.n - 30);
	check_hello();
}

static void starttls_after_the_head(void **state)
{
	struct frame s = { .n = 0 };

	begin(*state);
	segment(*state, 40000, 25, 1, TCP_SYN, s.b, 0);
	segment(*state, 40000, 25, 2, TCP_ACK, (const uint8_t *)"EHLO x\r\n", 8);
	p_tls_hello(&s);
	segment(*state, 40000, 25, 10, TCP_ACK, s.b, 40);
	segment(*state, 40000, 25, 50, TCP_ACK, s.b + 40, s.n - 40);
	check_hello();
}

/* Ciphertext begins like a record once in some million segments. It takes a record that ends where the next begins or the
 * segment ends, or a handshake's message, or such a one earlier in the flow. */
static void a_record_that_goes_on_is_a_weak_sign(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		bool sure;
	} rows[] = {
#define REC(s, sure) { (s), sizeof(s) - 1, (sure) }
		REC("\x17\3\3\x40\0ciphertext", false),
		REC("\x17\3\3\0\x0bciphertext", false),
		REC("\x17\3\3\0\x0a"
		    "ciphertext",
		    true),
		REC("\x17\3\3\0\4text\x17\3\3\x40\0c", true),
		REC("\x17\3\3\0\4text\x17\3\3\x40", false),
		REC("\x17\3\3\0\4text\x17\3\5\x40\0c", false),
		REC("\x16\3\3\x10\0\x0b\0\x0f\xfc", true),
		REC("\x16\3\3\x10\0\x0b\1\x0f\xfc", false),
		REC("\x16\3\3\x10\0\x1a\0\x0f\xfc", false),
		REC("\x16\3\3\x10\0\x0b\0\x0f", false),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(*state);
		segment(*state, 40000, 443, 1, TCP_ACK, (const uint8_t *)rows[i].b, rows[i].n);
		assert_true(facts_has(&facts, PROTO_TLS));
		if (!(facts.weak & PROTO_BIT(PROTO_TLS)) != rows[i].sure)
			fail_msg("row %zu", i);
		segment(*state, 40000, 443, 2000, TCP_ACK, (const uint8_t *)rows[0].b, rows[0].n);
		if (!(facts.weak & PROTO_BIT(PROTO_TLS)) != rows[i].sure)
			fail_msg("behind row %zu", i);
	}
}

/* A length, 20, an id and a `d` are six bytes in all; behind them stands a key. */
static void a_lone_message_has_a_key(void **state)
{
	static const struct {
		const char *b;
		bool is;
	} rows[] = { { "1:ei1ee", true },  { "12:ei1ee", true }, { "ee", true },
		     { "x:ei1ee", false }, { "1xei1ee", false }, { "0:ei1ee", false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t b[32] = { 0, 0, 0, 9, 20, 0, 'd' };
		size_t n = strlen(rows[i].b);

		memcpy(b + 7, rows[i].b, n);
		for (int first = 0; first < 2; first++) { /* of a stream, which is no known head */
			begin(*state);
			if (first)
				segment(*state, 40000, 6881, 0, TCP_SYN, b, 0);
			segment(*state, 40000, 6881, 1, TCP_ACK, b, 7 + n);
			if (facts_has(&facts, PROTO_BT_EXTENDED) != rows[i].is)
				fail_msg("%s", rows[i].b);
		}
		begin(*state); /* else it may be something else */
		segment(*state, 40000, 445, 1, TCP_ACK, b, 7 + n);
		assert_int_equal(facts_has(&facts, PROTO_NETBIOS), !rows[i].is);
	}
}

/* A hello of some 13 KiB, its name behind all the rest: sent in order, and with each pair of segments swapped. */
static void a_long_hello_has_its_name_last(void **state)
{
	static uint8_t b[16384];
	struct frame h = { .n = 0 };
	size_t pad = 12000, n;

	p_tls_hello(&h);
	memcpy(b, h.b, 52); /* up to the length of the extensions */
	b[52] = 0;
	b[53] = 0x15;
	b[54] = (uint8_t)(pad >> 8);
	b[55] = (uint8_t)pad;
	memcpy(b + 56 + pad, h.b + 52, h.n - 52);
	n = h.n + 4 + pad;
	b[3] = (uint8_t)((n - 5) >> 8);
	b[4] = (uint8_t)(n - 5);
	b[7] = (uint8_t)((n - 9) >> 8);
	b[8] = (uint8_t)(n - 9);
	b[50] = (uint8_t)((n - 52) >> 8);
	b[51] = (uint8_t)(n - 52);
	for (size_t swap = 0; swap < 2; swap++) {
		begin(*state);
		segment(*state, 40000, 443, 99, TCP_SYN, b, 0);
		for (size_t i = 0; i * 1000 < n + 1000; i++) {
			size_t at = (i ^ swap) * 1000;

			if (at < n)
				segment(*state, 40000, 443, 100 + (uint32_t)at, TCP_ACK, b + at,
					n - at < 1000 ? n - at : 1000);
			if (sni[0])
				assert_true(facts.reassembled);
		}
		check_hello();
		assert_false(reasons & (UINT64_C(1) << UND_STREAM_LONG));
	}
}

/* More long heads than there are large buffers: the oldest give up, the newest are whole, and nothing is mixed up. */
static void long_heads_push_each_other_out(void **state)
{
	struct frame s = { .n = 0 };

	begin(*state);
	put_text(&s, "GET /x HTTP/1.1\r\nX: ");
	put_fill(&s, 3000, 'y');
	for (unsigned port = 0; port < 40; port++)
		for (uint32_t at = 0; at < 2; at++)
			segment(*state, 40000 + port, 80, 100 + at * (uint32_t)s.n, TCP_ACK,
				at ? (const uint8_t *)s.b + 30 : s.b, at ? s.n - 30 : s.n);
	for (unsigned port = 40; port-- > 0;) {
		uint32_t seq = 100 + 2 * (uint32_t)s.n - 30;

		segment(*state, 40000 + port, 80, seq, TCP_ACK,
			(const uint8_t *)"\r\nHost: long.test\r\n\r\n", 21);
		assert_int_equal(facts_has(&facts, PROTO_HTTP), port >= 24);
		if (port >= 24)
			assert_string_equal(facts.http.host, "long.test");
	}
}

/* After the server asked for another try, a change of cipher specs stands before the second hello. */
static void a_second_hello_in_one_segment(void **state)
{
	struct frame s = { .n = 0 };

	begin(*state);
	put(&s, "\x14\3\3\0\1\1", 6);
	p_tls_hello(&s);
	segment(*state, 40000, 443, 500, TCP_ACK, s.b, s.n);
	check_hello();
	begin(*state);
	segment(*state, 40000, 443, 500, TCP_ACK, s.b, 6);
	assert_true(seen & P(TLS));
	assert_false(seen & P(TLS_HELLO));
}

/* Bytes behind a handshake, in a segment larger than any buffer: messages are read all the same. */
static void peer_messages_in_a_large_segment(void **state)
{
	static uint8_t b[20000];
	struct frame s = { .n = 0 };
	struct frame f = { .n = 0 };
	uint8_t *large;
	size_t n;

	p_bt_handshake(&s);
	put(&s, "\0\0\x3a\x99\7", 5); /* a piece of 15001 bytes */
	memcpy(b, s.b, s.n);
	n = s.n + 15000;
	s.n = 0;
	p_bt_pex(&s);
	memcpy(b + n, s.b, s.n);
	n += s.n;
	begin(*state);
	put_ethernet(&f, 0x0800);
	put_ip4(&f, 6, 20 + n, 1, 0);
	put_tcp(&f, 40000, 6881, 1, TCP_ACK);
	large = malloc(f.n + n);
	memcpy(large, f.b, f.n);
	memcpy(large + f.n, b, n);
	for (int syn = 0; syn < 2; syn++) {
		begin(*state);
		if (syn)
			segment(*state, 40000, 6881, 0, TCP_SYN, b, 0);
		decode_frame(*state, LINK_ETHERNET, large, (uint32_t)(f.n + n), (uint32_t)(f.n + n),
			     0, &facts);
		assert_true(facts_has(&facts, PROTO_BT_HANDSHAKE));
		assert_true(facts_has(&facts, PROTO_BT_PEX));
		assert_false(facts_has_reason(&facts, UND_STREAM_LONG));
	}
	free(large);
}

/* ---- fragments: how long they are waited for, and how many datagrams at once ---- */

static void fragment_of(struct decoder *d, unsigned id, size_t at, size_t n, bool more,
			int64_t time)
{
	struct frame f = { .n = 0 };

	put_ip4(&f, 17, n, id, (unsigned)(at / 8) | (more ? 0x2000 : 0));
	if (at == 0)
		put(&f, "\x9c\x40\x9c\x41\0\x20\0\0", 8); /* 24 bytes of payload */
	put_fill(&f, n - (at == 0 ? 8 : 0), 0x5a);
	(void)decode_frame(d, LINK_RAW, f.b, (uint32_t)f.n, (uint32_t)f.n, time, &facts);
}

static void sixty_four_datagrams_at_once(void **state)
{
	for (unsigned n = 63; n <= 66; n++) {
		decoder_reset(*state);
		for (unsigned id = 1; id <= n; id++)
			fragment_of(*state, id, 0, 16, true, 0);
		fragment_of(*state, 1, 16, 16, false, 0);
		assert_int_equal(facts.reassembled, n <= 64);
		fragment_of(*state, n, 16, 16, false, 0);
		assert_true(facts.reassembled);
	}
	/* what is used goes on being waited for; another one makes room */
	decoder_reset(*state);
	for (unsigned id = 1; id <= 64; id++)
		fragment_of(*state, id, 0, 8, true, 0);
	fragment_of(*state, 1, 8, 8, true, 0);
	fragment_of(*state, 100, 0, 8, true, 0);
	fragment_of(*state, 1, 16, 16, false, 0);
	assert_true(facts.reassembled);
	fragment_of(*state, 2, 8, 24, false, 0);
	assert_false(facts.reassembled);
}

static void a_minute_for_a_datagram(void **state)
{
	const int64_t minute = INT64_C(60000000000);

	for (int64_t late = minute - 1; late <= minute + 1; late++) {
		decoder_reset(*state);
		fragment_of(*state, 1, 0, 16, true, 5);
		fragment_of(*state, 1, 16, 16, false, 5 + late);
		assert_int_equal(facts.reassembled, late < minute);
	}
}

/* What is put together is no longer than its buffer, and a piece that the capture cut is not used. */
static void the_longest_datagram(void **state)
{
	struct frame f = { .n = 0 };

	for (unsigned more = 0; more <= 8; more += 8) {
		decoder_reset(*state);
		for (size_t at = 0; at + 2048 < 8192 + more; at += 2048)
			fragment_of(*state, 1, at, 2048, true, 0);
		fragment_of(*state, 1, 6144, 2048 + more, false, 0);
		assert_int_equal(facts.reassembled, more == 0);
	}
	decoder_reset(*state);
	fragment_of(*state, 1, 0, 16, true, 0);
	put_ip4(&f, 17, 16, 1, 2);
	put_fill(&f, 16, 0x5a);
	(void)decode_frame(*state, LINK_RAW, f.b, 30, 36, 0, &facts);
	assert_false(facts.reassembled);
	(void)decode_frame(*state, LINK_RAW, f.b, 36, 36, 0, &facts);
	assert_true(facts.reassembled);
}

/* A datagram is told by its id, its protocol and its ends. */
static void fragments_of_others(void **state)
{
	struct frame f = { .n = 0 };

	put_ip4(&f, 17, 16, 1, 2);
	put_fill(&f, 16, 0x5a);
	for (size_t at = 4; at < 20; at++) {
		struct frame g = f;

		if ((at >= 6 && at < 9) || at == 10 || at == 11)
			continue; /* not of the key */
		decoder_reset(*state);
		fragment_of(*state, 1, 0, 16, true, 0);
		g.b[at] ^= 1;
		(void)decode_frame(*state, LINK_RAW, g.b, 36, 36, 0, &facts);
		assert_false(facts.reassembled);
		(void)decode_frame(*state, LINK_RAW, f.b, 36, 36, 0, &facts);
		assert_true(facts.reassembled);
	}
}

/* ---- pieces of a head ---- */

/* Every other byte of a hello: six pieces are kept, the seventh is one too many. */
static void pieces_with_gaps(void **state)
{
	struct frame s = { .n = 0 };

	p_tls_hello(&s);
	for (size_t n = 5; n <= 8; n++) {
		begin(*state);
		segment(*state, 40000, 443, 99, TCP_SYN, s.b, 0);
		for (size_t i = 0; i < n; i++)
			segment(*state, 40000, 443, 100 + 2 * (uint32_t)i + 1, TCP_ACK,
				s.b + 2 * i + 1, 1);
		assert_int_equal((reasons >> UND_STREAM_GAP) & 1, n > 6);
		segment(*state, 40000, 443, 100, TCP_ACK, s.b, s.n);
		if (n <= 6)
			assert_string_equal(sni, "indexer.test");
	}
}

/* Pieces that touch or overlap on either side become one. */
static void pieces_that_meet(void **state)
{
	static const struct {
		size_t from, to;
	} rows[][4] = {
		{ { 20, 30 }, { 30, 40 }, { 10, 20 }, { 0, 10 } },
		{ { 20, 30 }, { 25, 40 }, { 10, 22 }, { 0, 11 } },
		{ { 20, 30 }, { 40, 50 }, { 30, 40 }, { 0, 20 } },
		{ { 20, 30 }, { 40, 50 }, { 10, 60 }, { 0, 10 } },
		{ { 5, 10 }, { 20, 30 }, { 10, 20 }, { 0, 5 } },
		{ { 5, 10 }, { 4, 12 }, { 11, 30 }, { 0, 4 } },
	};
	struct frame s = { .n = 0 };

	p_tls_hello(&s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t end = 0;

		begin(*state);
		segment(*state, 40000, 443, 99, TCP_SYN, s.b, 0);
		for (size_t j = 0; j < 4; j++) {
			segment(*state, 40000, 443, 100 + (uint32_t)rows[i][j].from, TCP_ACK,
				s.b + rows[i][j].from, rows[i][j].to - rows[i][j].from);
			end = rows[i][j].to > end ? rows[i][j].to : end;
		}
		segment(*state, 40000, 443, 100 + (uint32_t)end, TCP_ACK, s.b + end, s.n - end);
		assert_string_equal(sni, "indexer.test");
		assert_true(reasons == 0);
	}
}

/* ---- what else a segment may be ---- */

static uint64_t alone(unsigned dport, const char *p, size_t n)
{
	segment(NULL, 40000, dport, 1, TCP_ACK, (const uint8_t *)p, n);
	return facts.protos & ~P(TCP);
}

#define BYTES(s) (s), sizeof(s) - 1

static void segments_alone(void **state)
{
	static const struct {
		unsigned port;
		const char *b;
		size_t n;
		uint64_t protos;
	} rows[] = {
		{ 9999, BYTES("\0\0\0\x04\x14\1dex"), P(BT_EXTENDED) },
		{ 9999, BYTES("\0\0\0\x04\x14\1de"), 0 },
		{ 9999, BYTES("\1\0\0\x04\x14\1dex"), 0 },
		{ 9999, BYTES("\0\0\0\x04\x13\1dex"), 0 },
		{ 9999, BYTES("\0\0\0\x04\x14\1lex"), 0 },
		{ 9999, BYTES("\0\0\0\x03\x14\1dex"), 0 },
		{ 9999, BYTES("\0\0\0\xff\x14\1dex"), P(BT_EXTENDED) }, /* its beginning */
		{ 9999, BYTES("\0\0\0\xff\x14\1d1:"), P(BT_EXTENDED) },
		{ 9999, BYTES("\0\0\0\xff\x14\1d99"), P(BT_EXTENDED) },
		{ 9999, BYTES("\0\0\0\xff\x14\1d10"), P(BT_EXTENDED) },
		{ 9999, BYTES("\0\0\0\xff\x14\1d0:"), 0 },
		{ 9999, BYTES("\0\0\0\xff\x14\1d::"), 0 },
		{ 9999, BYTES("\0\0\0\xff\x14\1d1/"), 0 },
		{ 9999, BYTES("\0\0\0\xff\x14\1d1;"), 0 },
		{ 9999, BYTES("\0\x14\0\1\0\0\x21\x12\xa4\x42transaction!"),
		  P(STUN) }, /* RFC 4571 */
		{ 9999, BYTES("\0\x15\0\1\0\0\x21\x12\xa4\x42transaction!"), 0 },
		{ 9999, BYTES("\0\x14\0\1\0\0\x21\x12\xa4\x42transaction!more"), P(STUN) },
		{ 9999, BYTES("\0\x13\0\1\0\0\x21\x12\xa4\x42transaction!"), 0 },
		{ 9999, BYTES("\0\x11\x12\x34\1\0\0\1\0\0\0\0\0\0\0\0\1\0\1"), P(DNS) },
		{ 9999, BYTES("\0\x12\x12\x34\1\0\0\1\0\0\0\0\0\0\0\0\1\0\1"), 0 },
		{ 9999, BYTES("\0\x11\x12\x34\1\0\0\1\0\0\0\0\0\0\0\0\1\0\1x"), 0 },
		{ 139, BYTES("xyz"), P(NETBIOS) },
		{ 445, BYTES("xyz"), P(NETBIOS) },
		/* on their ports, too, what is known is that and nothing else */
		{ 445, BYTES("\0\0\0\x04\x14\1dex"), P(BT_EXTENDED) },
		{ 445, BYTES("\x81\x24{\"action\":\"announce\",\"info_hash\":\"x\"}"),
		  P(BT_WS_TRACKER) },
		{ 445, BYTES("\0\x14\0\1\0\0\x21\x12\xa4\x42transaction!"), P(STUN) },
		{ 445, BYTES("\0\x11\x12\x34\1\0\0\1\0\0\0\0\0\0\0\0\1\0\1"), P(DNS) },
		{ 53, BYTES("\x16\3\1\0\x40\1\0\0\x3c\3"), P(DNS) },
		{ 53, BYTES("\0\x13"), P(DNS) },
		{ 9999, BYTES("\x18\3\3\0\1x"), P(TLS) },
		{ 9999, BYTES("\x14\3\3\0\1\1"), P(TLS) },
		{ 9999, BYTES("ABC / HTTP/1.1\n\n"), P(HTTP) },
		{ 9999, BYTES("ZYX / HTTP/1.1\n\n"), P(HTTP) },
		{ 9999,
		  BYTES("\x13"
			"BitTorrent protocol\x80......."),
		  P(BT_HANDSHAKE) },
		{ 138, BYTES("xyz"), 0 },
		{ 446, BYTES("xyz"), 0 },
		{ 853, BYTES("xyz"), P(DOT) },
		{ 9999, BYTES("x"), 0 },
		{ 1194,
		  BYTES("\0\x15\x30"
			"0123456789abcdef0123"),
		  P(OPENVPN) },
		{ 1195,
		  BYTES("\0\x15\x30"
			"0123456789abcdef0123"),
		  0 },
		{ 1194,
		  BYTES("\0\x15\x30"
			"0123456789ab"),
		  0 },
		{ 1194,
		  BYTES("\0\x15\x30"
			"0123456789abc"),
		  P(OPENVPN) },
		{ 1195, BYTES("\0\x0e\x38session!\0\0\0\0\0"), P(OPENVPN) }, /* a reset */
		{ 1195, BYTES("\0\x0f\x38session!\0\0\0\0\0"), 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (alone(rows[i].port, rows[i].b, rows[i].n) != rows[i].protos)
			fail_msg("row %zu: %llx", i, (unsigned long long)facts.protos);
}

/* Half a greeting is waited for, a wrong one is none. */
static void greetings_of_peers(void **state)
{
	struct frame s = { .n = 0 };

	p_bt_handshake(&s);
	for (size_t n = 1; n <= 68; n++) {
		begin(*state);
		segment(*state, 40000, 6881, 99, TCP_SYN, s.b, 0);
		segment(*state, 40000, 6881, 100, TCP_ACK, s.b, n);
		assert_int_equal((seen & P(BT_HANDSHAKE)) != 0, n >= 20); /* as far as it goes */
		assert_int_equal(facts.bt.has_peer_id && seen & P(BT_HANDSHAKE), n >= 68);
		segment(*state, 40000, 6881, 100 + (uint32_t)n, TCP_ACK, s.b + n, 68 - n);
		assert_true(seen & P(BT_HANDSHAKE));
	}
	s.b[10] = 'x';
	begin(*state);
	segment(*state, 40000, 6881, 99, TCP_SYN, s.b, 0);
	segment(*state, 40000, 6881, 100, TCP_ACK, s.b, 68);
	assert_false(seen & P(BT_HANDSHAKE));
}

/* DNS over TCP: messages of at least a header, the first one's facts, the others' names. */
static void dns_messages_over_tcp(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		uint64_t protos;
		const char *names;
		enum undecodable reason;
	} rows[] = {
#define QUERY(name) "\x12\x34\1\0\0\1\0\0\0\0\0\0\1" name "\0\0\1\0\1" /* 19 bytes */
		{ BYTES("\0\x13" QUERY("a")), P(DNS), "", UND_NONE },
		{ BYTES("\0\x13" QUERY("a") "\0\x13" QUERY("b")), P(DNS), "b ", UND_NONE },
		{ BYTES("\0\x13" QUERY("a") "\0\x13" QUERY("a")), P(DNS), "", UND_NONE },
		{ BYTES("\0\x13" QUERY("a") "\0\x14" QUERY("b")), P(DNS), "", UND_NONE },
		{ BYTES("\0\x14" QUERY("a")), P(DNS), "", UND_NONE },
		{ BYTES("\0\x0b\x12\x34\1\0\0\1\0\0\0\0\0\0"), 0, "", UND_NONE },
		{ BYTES("\0\x0c\x12\x34\1\0\0\0\0\0\0\0\0\0"), P(DNS), "", UND_NONE },
		{ BYTES("\0\x13" QUERY("a") "\0"), P(DNS), "", UND_NONE },
		{ BYTES("\0"), 0, "", UND_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (alone(53, rows[i].b, rows[i].n) != rows[i].protos ||
		    facts.reason != rows[i].reason)
			fail_msg("row %zu: %s", i, undecodable_name(facts.reason));
		if (rows[i].protos)
			assert_string_equal(facts.dns.other_names, rows[i].names);
	}
	alone(5355, rows[0].b, rows[0].n);
	assert_true(facts.protos == (P(TCP) | P(DNS) | P(LLMNR)));
}

/* ---- the least recently used makes room ---- */

#define GET "GET / HTTP/1.1\r\n\r\n"

/* One flow goes on, a byte now and then, while thousands of others come: it is never the one that goes. */
static void who_goes_on_is_kept(void **state)
{
	struct frame s = { .n = 0 };
	uint32_t at = 0;

	p_tls_hello(&s);
	begin(*state);
	segment(*state, 1, 443, 99, TCP_SYN, s.b, 0);
	for (unsigned i = 0; i < 50 * (unsigned)s.n; i++) {
		if (i % 50 == 0) {
			segment(*state, 1, 443, 100 + at, TCP_ACK, s.b + at, 1);
			at++;
		}
		/* others that have nothing to lose: only begun, or read */
		segment(*state, 1000 + i, 80, 1, TCP_SYN, s.b, 0);
		if (i % 2)
			segment(*state, 1000 + i, 80, 2, TCP_ACK, (const uint8_t *)GET,
				sizeof(GET) - 1);
	}
	assert_int_equal(at, s.n);
	assert_string_equal(sni, "indexer.test");
	assert_true(reasons == 0);
}

/* One that waits is pushed out in the end, which is said. */
static void who_waits_is_pushed_out(void **state)
{
	struct frame s = { .n = 0 };

	p_tls_hello(&s);
	begin(*state);
	segment(*state, 1, 443, 100, TCP_ACK, s.b, 60);
	for (unsigned i = 0; i < 20000; i++)
		segment(*state, 1000 + i, 80, 1, TCP_SYN, s.b, 0);
	assert_true(reasons == UINT64_C(1) << UND_FLOW_EVICTED);
	segment(*state, 1, 443, 160, TCP_ACK, s.b + 60, s.n - 60);
	assert_string_equal(sni, "");
}

/* ---- how much of a head is collected ---- */

static void pieces_beyond_all_room(void **state)
{
	struct frame s = { .n = 0 };

	p_tls_hello(&s);
	for (uint32_t offset = 32767; offset <= 32769; offset++) {
		begin(*state);
		segment(*state, 40000, 443, 99, TCP_SYN, s.b, 0);
		segment(*state, 40000, 443, 100 + offset, TCP_ACK, s.b, 3);
		assert_int_equal((reasons >> UND_STREAM_GAP) & 1, offset >= 32768);
	}
	begin(*state); /* what it says by itself is all there is */
	segment(*state, 40000, 6881, 99, TCP_SYN, s.b, 0);
	segment(*state, 40000, 6881, 100 + 32768, TCP_ACK,
		(const uint8_t *)"\0\0\0\x09\x14\0d1:ei1ee", 14);
	assert_true(facts_has(&facts, PROTO_BT_EXTENDED));
}

/* What comes before the beginning of a stream is a repetition of what nobody saw. */
static void pieces_before_the_beginning(void **state)
{
	struct frame s = { .n = 0 }, t = { .n = 0 };

	p_tls_hello(&s);
	begin(*state);
	segment(*state, 40000, 443, 99, TCP_SYN, s.b, 0);
	segment(*state, 40000, 443, 90, TCP_ACK, (const uint8_t *)"old", 3);
	segment(*state, 40000, 443, 90, TCP_ACK, (const uint8_t *)"0123456789", 10);
	assert_true(seen == P(TCP));
	put(&t, "0123456789", 10);
	put(&t, s.b, s.n);
	segment(*state, 40000, 443, 90, TCP_ACK, t.b, t.n);
	assert_string_equal(sni, "indexer.test");
	assert_false(facts.reassembled); /* all of it was in one */
	/* data on the SYN itself */
	begin(*state);
	segment(*state, 40000, 443, 99, TCP_SYN, s.b, 50);
	segment(*state, 40000, 443, 150, TCP_ACK, s.b + 50, s.n - 50);
	assert_string_equal(sni, "indexer.test");
	/* a reset, or a new beginning, forgets */
	for (unsigned flags = TCP_SYN; flags <= TCP_RST; flags += TCP_RST - TCP_SYN) {
		begin(*state);
		segment(*state, 40000, 443, 100, TCP_ACK, s.b, 50);
		segment(*state, 40000, 443, 150, flags, s.b, 0);
		segment(*state, 40000, 443, 150, TCP_ACK, s.b + 50, s.n - 50);
		assert_string_equal(sni, "");
	}
	/* the end of the stream: there is no more of the head */
	begin(*state);
	segment(*state, 40000, 443, 99, TCP_SYN, s.b, 0);
	segment(*state, 40000, 443, 100, TCP_ACK | TCP_FIN, s.b, s.n - 10);
	assert_string_equal(sni, "indexer.test");
	assert_true(facts_has_reason(&facts, UND_TLS_SHORT));
}

/* ---- peer messages in a stream ---- */

static void bt_segment(struct decoder *d, uint32_t seq, const char *p, size_t n)
{
	segment(d, 40000, 6881, seq, TCP_ACK, (const uint8_t *)p, n);
}

#define PEX                                                \
	"\0\0\0\x13\x14\1d5:added6:\xcb\0\x71\x0a\x1a\xe1" \
	"e" /* 4 + 19 bytes */

static void gaps_in_peer_messages(void **state)
{
	struct frame s = { .n = 0 };

	p_bt_handshake(&s);
	/* a piece of 100 bytes of which only the beginning came: a gap inside it is no loss */
	for (uint32_t gap = 90; gap <= 94; gap++) {
		begin(*state);
		segment(*state, 40000, 6881, 1, TCP_ACK, s.b, s.n);
		bt_segment(*state, 69, BYTES("\0\0\0\x64\7piece..."));
		reasons = 0;
		bt_segment(*state, 69 + 13 + gap, BYTES(PEX));
		assert_int_equal((reasons >> UND_STREAM_GAP) & 1, gap > 91);
		assert_int_equal(pex, gap == 91);
	}
	/* seen before, in part or whole */
	begin(*state);
	segment(*state, 40000, 6881, 1, TCP_ACK, s.b, s.n);
	bt_segment(*state, 69, BYTES(PEX));
	bt_segment(*state, 69, BYTES(PEX));
	assert_int_equal(pex, 1);
	bt_segment(*state, 69, BYTES(PEX PEX));
	assert_int_equal(pex, 2);
	bt_segment(*state, 69 + 46, BYTES(PEX));
	assert_int_equal(pex, 3);
	assert_true(reasons == 0);
	/* half a message, then a gap: lost */
	bt_segment(*state, 69 + 69, PEX, 10);
	bt_segment(*state, 69 + 69 + 11, PEX + 11, 12);
	assert_true(reasons >> UND_STREAM_GAP & 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_split_everywhere),
		cmocka_unit_test(announce_split_everywhere),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(soap_body_is_waited_for),
		cmocka_unit_test(dns_over_tcp_split_everywhere),
		cmocka_unit_test(dns_messages_in_one_segment),
		cmocka_unit_test(peer_messages_split_everywhere),
		cmocka_unit_test(pex_behind_a_long_piece),
		cmocka_unit_test(holepunch_by_negotiated_id),
		cmocka_unit_test(a_gap_in_peer_messages_is_noted),
		cmocka_unit_test(retransmissions_do_no_harm),
		cmocka_unit_test(a_head_without_end_is_given_up),
		cmocka_unit_test(many_flows_push_out_the_oldest),
		cmocka_unit_test(starttls_after_the_head),
		cmocka_unit_test(a_record_that_goes_on_is_a_weak_sign),
		cmocka_unit_test(a_lone_message_has_a_key),
		cmocka_unit_test(a_long_hello_has_its_name_last),
		cmocka_unit_test(long_heads_push_each_other_out),
		cmocka_unit_test(a_second_hello_in_one_segment),
		cmocka_unit_test(peer_messages_in_a_large_segment),
		cmocka_unit_test(sixty_four_datagrams_at_once),
		cmocka_unit_test(a_minute_for_a_datagram),
		cmocka_unit_test(the_longest_datagram),
		cmocka_unit_test(fragments_of_others),
		cmocka_unit_test(pieces_with_gaps),
		cmocka_unit_test(pieces_that_meet),
		cmocka_unit_test(segments_alone),
		cmocka_unit_test(greetings_of_peers),
		cmocka_unit_test(dns_messages_over_tcp),
		cmocka_unit_test(who_goes_on_is_kept),
		cmocka_unit_test(who_waits_is_pushed_out),
		cmocka_unit_test(pieces_beyond_all_room),
		cmocka_unit_test(pieces_before_the_beginning),
		cmocka_unit_test(gaps_in_peer_messages),
	};

	return cmocka_run_group_tests_name("packet_stream", tests, decoder_setup, decoder_teardown);
}
