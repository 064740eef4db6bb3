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
		begin(*state);
		segment(*state, 40000, 6881, 1, TCP_ACK, b, 7 + n);
		if (facts_has(&facts, PROTO_BT_EXTENDED) != rows[i].is)
			fail_msg("%s", rows[i].b);
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
	};

	return cmocka_run_group_tests_name("packet_stream", tests, decoder_setup, decoder_teardown);
}
