/* SPDX-License-Identifier: MIT */
/* Shapes that two protocols share: which one it is, and what must not be taken for something that a rule acts upon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/frames.h"
#include "packet/with_decoder.h"

static struct facts facts;

static void run(struct decoder *d, enum carrier c, unsigned sport, unsigned dport,
		void (*payload)(struct frame *))
{
	struct frame f;

	build(&f, c, sport, dport, payload);
	decode(d, &f, &facts);
}

static const char *text;
static size_t text_n;

static void p_text(struct frame *f)
{
	put(f, text, text_n);
}

static void say(struct decoder *d, enum carrier c, unsigned sport, unsigned dport, const char *b,
		size_t n)
{
	text = b;
	text_n = n;
	run(d, c, sport, dport, p_text);
}

/* A datagram of which the last `missing` bytes were not captured. */
static void cut(unsigned sport, unsigned dport, const char *b, size_t n, size_t missing)
{
	static char whole[2048];
	struct frame f;

	memset(whole, 0, sizeof(whole));
	memcpy(whole, b, n);
	text = whole;
	text_n = n + missing;
	build(&f, UDP4, sport, dport, p_text);
	decode_frame(NULL, LINK_ETHERNET, f.b, (uint32_t)(f.n - missing), (uint32_t)f.n, 0, &facts);
}

#define SAY(d, c, sport, dport, s) say((d), (c), (sport), (dport), (s), sizeof(s) - 1)

/* ---- DNS, trackers, WireGuard ---- */

/* A query with an option for padding (RFC 7830), all zeros: its counts are an announce's action, its zeros the rest. */
static void p_padded_query(struct frame *f)
{
	dns_head(f, 0x0100, 1, 0, 1);
	put_name(f, "2.cert.resolver.test");
	put16(f, 16);
	put16(f, 1);
	put8(f, 0);
	put16(f, 41);
	put16(f, 1232);
	put32(f, 0);
	put16(f, 4 + 128);
	put16(f, 12);
	put16(f, 128);
	put_zero(f, 128);
}

static void a_padded_query_is_no_announce(void **state)
{
	(void)state;
	run(NULL, UDP4, 40000, 53, p_padded_query);
	assert_int_equal(facts.protos, P(UDP) | P(DNS));
	assert_int_equal(facts.weak, 0);
	run(NULL, UDP4, 40000, 1053, p_padded_query);
	assert_int_equal(facts.protos, P(UDP) | P(DNS));
}

/* Other protocols have a 1 at the place of the action, small numbers behind it, and no torrent. */
static void p_zero_filled(struct frame *f)
{
	put(f, "\x42\x19\x7e\x01\xc0\x11\x20\x40\0\0\0\1\0\0\0\1\0\0\0\1\1\5\0\0\0\0\0\x34", 28);
	put_zero(f, 120);
}

static void what_is_mostly_zeros_is_no_announce(void **state)
{
	(void)state;
	run(NULL, UDP4, 7001, 7000, p_zero_filled);
	assert_int_equal(facts.protos, P(UDP));
}

static void p_anonymous_announce(struct frame *f)
{
	size_t at = f->n;

	p_udp_announce(f);
	memcpy(f->b + at + 36, "\x91\x02\xfe\x77\x35\xcc\xa0\x19", 8);
}

static void an_announce_without_a_client_needs_a_connection(void **state)
{
	decoder_reset(*state);
	run(*state, UDP4, 6881, 6969, p_anonymous_announce);
	assert_true(facts.weak & P(BT_UDP_TRACKER));
	run(*state, UDP4, 6881, 6969, p_udp_connect);
	run(*state, UDP4, 6881, 6969, p_anonymous_announce);
	assert_true(facts_has(&facts, PROTO_BT_UDP_TRACKER));
	assert_int_equal(facts.weak, 0);
	decoder_reset(*state);
	run(*state, UDP4, 6881, 6969, p_udp_announce); /* names its client: -qB5010- */
	assert_int_equal(facts.weak, 0);
}

/* BEP 15 once a connection was asked for: what each message must be long, and what is no message. */
static void tracker_messages_have_their_sizes(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		int action; /* -1: none */
		bool reply;
	} rows[] = {
#define ROW(s, action, reply) { (s), sizeof(s) - 1, (action), (reply) }
		ROW("\0\0\0\0\1\2\3\4CONNID!!", BT_CONNECT, true),
		ROW("\0\0\0\0\1\2\3\4CONNID!!x", -1, true),
		ROW("\0\0\0\1\1\2\3\4\0\0\7\x08\0\0\0\1\0\0\0\2\xcb\0\x71\x0a\x1a\xe1", BT_ANNOUNCE,
		    true),
		ROW("\0\0\0\1\1\2\3\4\0\0\7\x08\0\0\0\1\0\0\0\2\xcb\0\x71\x0a\x1a", -1, true),
		ROW("\0\0\0\2\1\2\3\4\0\0\0\1\0\0\0\2\0\0\0\3", BT_SCRAPE, true),
		ROW("\0\0\0\2\1\2\3\4\0\0\0\1\0\0\0\2\0\0\0", -1, true),
		ROW("\0\0\0\3\1\2\3\4torrent unknown", BT_ERROR, true),
		ROW("\0\0\0\1\1\2\3\4\0\0\7\x08\0\0\0\0\0\0\0\0", BT_ANNOUNCE, true),
		ROW("\0\0\0\1\1\2\3\4\0\0\7\x08\0\0\0\1\0\0\0\2peer01peer02peer03", BT_ANNOUNCE,
		    true),
		ROW("\0\0\0\3\1\2\3\4", BT_ERROR, true),
		ROW("\0\0\0\3\1\2\3", -1, true),
		ROW("CONNID!!\0\0\0\2\1\2\3\4hhhhhhhhhhhhhhhhhhhhh", -1, false),
		ROW("\0\0\0\4\1\2\3\4torrent unknown", -1, true),
		ROW("CONNID!!\0\0\0\2\1\2\3\4hhhhhhhhhhhhhhhhhhhh", BT_SCRAPE, false),
		ROW("CONNID!!\0\0\0\2\1\2\3\4hhhhhhhhhhhhhhhhhhh", -1, false),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		decoder_reset(*state);
		say(*state, UDP4, 6881, 6969, rows[i].b, rows[i].n);
		assert_false(facts_has(&facts, PROTO_BT_UDP_TRACKER));
		run(*state, UDP4, 6881, 6969, p_udp_connect);
		say(*state, UDP4, 6881, 6969, rows[i].b, rows[i].n); /* the same endpoints */
		if (facts_has(&facts, PROTO_BT_UDP_TRACKER) != (rows[i].action >= 0))
			fail_msg("row %zu", i);
		if (rows[i].action < 0)
			continue;
		assert_int_equal(facts.bt.action, rows[i].action);
		assert_int_equal(facts.bt.reply, rows[i].reply);
	}
}

/* Id 0x0300, no flags, 64 bytes: type, reserved bytes and size of a WireGuard cookie reply. */
static void p_query_like_a_cookie(struct frame *f)
{
	size_t at = f->n;

	dns_head(f, 0, 1, 0, 0);
	put_name(f, "name-of-just-the-length.that-is-wanted.example");
	put16(f, 1);
	put16(f, 1);
	set16(f, at, 0x0300);
}

static void p_cookie(struct frame *f)
{
	put(f, "\3\0\0\0\0\1\0\0", 8); /* the receiver's index looks like a question's count */
	put_fill(f, 56, 0x5c);
}

static void a_query_is_no_cookie(void **state)
{
	(void)state;
	run(NULL, UDP4, 40000, 53, p_query_like_a_cookie);
	assert_int_equal(facts.layer[0].payload_wire, 64);
	assert_true(wireguard_message(facts.layer[0].payload, 64, 64, NULL));
	assert_int_equal(facts.protos, P(UDP) | P(DNS));
	assert_int_equal(facts.weak, 0);
	assert_string_equal(facts.dns.qname, "name-of-just-the-length.that-is-wanted.example");
	run(NULL, UDP4, 40000, 51820, p_query_like_a_cookie);
	assert_int_equal(facts.protos, P(UDP) | P(DNS));
	assert_true(facts.weak & P(DNS));
	run(NULL, UDP4, 40000, 53, p_cookie); /* a server may well listen there */
	assert_int_equal(facts.protos, P(UDP) | P(WIREGUARD));
}

/* Behind the question something is missing, or there is too much: still DNS. Without a question only the port says so. */
static void half_a_message_on_its_port(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		bool sure;
	} rows[] = {
#define DNS(s, sure) { (s), sizeof(s) - 1, (sure) }
		DNS("\x12\x34\x81\x80\0\1\0\1\0\0\0\0\4seed\4test\0\0\1\0\1", true),
		DNS("\x12\x34\x81\x80\0\1\0\1\0\0\0\0\4seed\4test\0\0\1\0\1\xc0\x0c\0\1", true),
		DNS("\x12\x34\x01\0\0\1\0\0\0\0\0\0\4seed\4te", false),
		DNS("\x12\x34\x81\x80\0\2\0\0\0\0\0\0\4seed\4test\0\0\1\0\1", false),
		DNS("\x12\x34\xb9\x80\0\1\0\1\0\0\0\0\4seed\4test\0\0\1\0\1", false),
		DNS("\x12\x34\x81\x80\0\1\0\1\0\0\0\0\4seed\4test\0\x55\1\0\1", false),
		DNS("\x12\x34\x81\x80\0\1\0\1\0\0\0\0\4seed\4test\0\0\1\0\7", false),
		DNS("\x12\x34\x81", false),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		say(NULL, UDP4, 53, 40000, rows[i].b, rows[i].n);
		assert_true(facts_has(&facts, PROTO_DNS));
		assert_true(facts.reason == UND_DNS_SHORT || facts.reason == UND_DNS_NAME);
		if (!(facts.weak & P(DNS)) != rows[i].sure)
			fail_msg("row %zu", i);
	}
	say(NULL, UDP4, 5353, 5353, rows[2].b, rows[2].n);
	assert_int_equal(facts.weak, P(DNS) | P(MDNS));
}

/* ---- Clocks and addresses on their ports ---- */

struct port_row {
	const char *b;
	size_t n;
	uint64_t protos, weak;
};

static void check_ports(const struct port_row *rows, size_t n, unsigned port)
{
	for (size_t i = 0; i < n; i++) {
		say(NULL, UDP4, 40000, port, rows[i].b, rows[i].n);
		if (facts.protos != (P(UDP) | rows[i].protos) || facts.weak != rows[i].weak)
			fail_msg("port %u, row %zu", port, i);
	}
}

#define ROW_OF(s, protos, weak)                      \
	{                                            \
		(s), sizeof(s) - 1, (protos), (weak) \
	}
#define Z44 "00000000000000000000000000000000000000000000"

/* Random bytes have a version and a mode too; stratum, poll and precision they have not. */
static void time_messages_have_their_shape(void **state)
{
	static const struct port_row rows[] = {
		ROW_OF("\x23\0\6\x20" Z44, P(NTP), 0), /* a client that tells nothing */
		ROW_OF("\x1b\0\0\0" Z44, P(NTP), 0),
		ROW_OF("\x0b\1\6\xe9" Z44, P(NTP), 0), /* version 1 */
		ROW_OF("\x24\x10\x11\xe0" Z44, P(NTP), 0),
		ROW_OF("\x24\1\xf8\xff" Z44 "digest..", P(NTP), 0),
		ROW_OF("\x24\x11\6\xe9" Z44, 0, 0),
		ROW_OF("\x24\1\x12\xe9" Z44, 0, 0),
		ROW_OF("\x24\1\xf7\xe9" Z44, 0, 0),
		ROW_OF("\x24\1\6\xdf" Z44, 0, 0),
		ROW_OF("\x24\1\6\x21" Z44, 0, 0),
		ROW_OF("\x24\1\6\xe9" Z44 "odd", 0, 0),
		ROW_OF("\x24\1\6\xe9"
		       "0000000000000000000000000000000000000000000",
		       0, 0),
		ROW_OF("\x04\1\6\xe9" Z44, 0, 0),		      /* version 0 */
		ROW_OF("\x2c\1\6\xe9" Z44, 0, 0),		      /* version 5 */
		ROW_OF("\x20\1\6\xe9" Z44, 0, 0),		      /* no mode */
		ROW_OF("\x16\2\0\1\0\0\0\0\0\0\0\0", P(NTP), P(NTP)), /* control */
		ROW_OF("\x16\2\0\1", P(NTP), P(NTP)),
		ROW_OF("\x17\0\3", 0, 0),
	};

	(void)state;
	check_ports(rows, sizeof(rows) / sizeof(rows[0]), 123);
}

static void dhcp6_fills_its_datagram(void **state)
{
	static const struct port_row rows[] = {
		ROW_OF("\1\xab\xcd\xef\0\1\0\4duid\0\6\0\2\0\x17", P(DHCP6), 0),
		ROW_OF("\x24\xab\xcd\xef", P(DHCP6), 0),
		ROW_OF("\x25\xab\xcd\xef", 0, 0),
		ROW_OF("\0\xab\xcd\xef", 0, 0),
		ROW_OF("\1\xab\xcd", 0, 0),
		ROW_OF("\1\xab\xcd\xef\0\1\0\5duid", 0, 0),
		ROW_OF("\1\xab\xcd\xef\0\1\0\3duid", 0, 0),
		ROW_OF("\x0c\0"
		       "link............peer............\0\x09\0\1m",
		       P(DHCP6), 0),
		ROW_OF("\x0d\0"
		       "link............peer...........",
		       0, 0),
	};

	(void)state;
	check_ports(rows, sizeof(rows) / sizeof(rows[0]), 547);
}

/* Both have a largest size, and PCP comes in words. */
static void port_mappings_have_their_sizes(void **state)
{
	static const struct port_row rows[] = {
		ROW_OF("\0\1\0\0\x1a\xe1\x1a\xe1\0\0\x1c\x20", P(NATPMP), 0),
		ROW_OF("\0\x81\0\0\0\0\0\1\x1a\xe1\x1a\xe1\0\0\x1c\x20", P(NATPMP), 0),
		ROW_OF("\0\x81\0\0\0\0\0\1\x1a\xe1\x1a\xe1\0\0\x1c\x20\0", 0, 0),
		ROW_OF("\2\0\0\0\0\0\0\0epoch...reserved", P(PCP), 0),
		ROW_OF("\2\0\0\0\0\0\0\0epoch...reserved.", 0, 0),
	};

	(void)state;
	check_ports(rows, sizeof(rows) / sizeof(rows[0]), 5351);
}

/* Without the cookie it may be BOOTP, of which a beginning is enough; anything else on the port is neither. */
static void dhcp_begins_as_bootp(void **state)
{
	static const struct port_row rows[] = {
		ROW_OF("\1\1\6\0xidx", P(DHCP), P(DHCP)),
		ROW_OF("\2\x25\x10\x10xidx", P(DHCP), P(DHCP)),
		ROW_OF("\3\1\6\0xidx", 0, 0),
		ROW_OF("\1\0\6\0xidx", 0, 0),
		ROW_OF("\1\x26\6\0xidx", 0, 0),
		ROW_OF("\1\1\x11\0xidx", 0, 0),
		ROW_OF("\1\1\6\x11xidx", 0, 0),
		ROW_OF("\1\1\6", 0, 0),
	};

	(void)state;
	check_ports(rows, sizeof(rows) / sizeof(rows[0]), 67);
}

/* ---- Captures with a short snap length ---- */

/* What was not captured is no damage. Where it hides the shape, the message says so; else it is as sure as a whole one. */
static void what_was_cut_is_no_damage(void **state)
{
	static const char question[] = "\x12\x34\1\0\0\1\0\0\0\0\0\1\4seed\4test\0\0\1\0\1";
	static const char discover[] = "\1\1\6\0xidx" Z44 Z44 Z44 Z44 Z44 "00000000"
				       "\x63\x82\x53\x63\x35\1\1";
	static const struct {
		unsigned port;
		const char *b;
		size_t n, missing;
		uint64_t proto;
		bool hidden;
	} rows[] = {
#define CUT(port, s, missing, proto, hidden) { port, s, sizeof(s) - 1, missing, P(proto), hidden }
		CUT(53, question, 11, DNS, false),
		CUT(53, "\x12\x34\1\0\0\1\0\0\0\0\0\0\4seed\4te", 7, DNS, true),
		CUT(53, "\x12\x34\1\0\0\1\0\0\0\0\0\0\4seed\4test\0\0\1\0", 1, DNS, true),
		CUT(53, "\x12\x34\1\0\0", 20, DNS, true),
		CUT(67, discover, 4, DHCP, false),
		CUT(67, "\1\1\6\0xidx", 232, DHCP, true),
		CUT(67, "\1\1\6\0xidx", 300, DHCP, true),
		CUT(547, "\1\xab\xcd\xef\0\1\0\4du", 2, DHCP6, false),
		CUT(547, "\1\xab\xcd\xef\0\1\0\4duid\0", 5, DHCP6, true),
		CUT(547, "\1\xab\xcd\xef\0\1", 2, DHCP6, true),
		CUT(123, "\x23\0\6\x20", 44, NTP, false),
		CUT(5351, "\0\1\0\0", 8, NATPMP, true),
		CUT(40001, "\0\1\0\x08\x21\x12\xa4\x42transaction.\x80\x22", 6, STUN, false),
		CUT(40001, "\xc0\0\0\0\1\4abcd\4efgh\0\x44\xd0", 1200, QUIC, false),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cut(40000, rows[i].port, rows[i].b, rows[i].n, rows[i].missing);
		if (!(facts.protos & rows[i].proto) ||
		    undecodable_level((enum undecodable)facts.reason) != UNDECODABLE_NOTE ||
		    facts_has_reason(&facts, UND_MESSAGE_CUT) != rows[i].hidden)
			fail_msg("row %zu: %s", i,
				 undecodable_name((enum undecodable)facts.reason));
	}
}

/* Nor is everything excused by a cut: what is there must fit. */
static void what_is_there_must_fit(void **state)
{
	(void)state;
	cut(40000, 53, "x1:ad2:id20:", 12, 80);
	assert_int_equal(facts.reason, UND_DNS_SHORT);
	cut(40000, 53, "\x12\x34\1\0\0\1\0\0\0\0\0\0\x44", 13, 80);
	assert_int_equal(facts.reason, UND_DNS_NAME);
	cut(40000, 67, "\1\1\6\0xidx", 8, 200);
	assert_int_equal(facts.reason, UND_DHCP_SHORT);
	cut(40000, 547, "\1\xab\xcd\xef\0\1\0\4du", 10, 1);
	assert_int_equal(facts.protos, P(UDP));
	cut(40000, 547, "\1\xab\xcd\xef\0\1\0\4du", 10, 5);
	assert_int_equal(facts.protos, P(UDP));
	cut(40000, 123, "\x23\0\6\x20", 4, 43);
	assert_int_equal(facts.protos, P(UDP));
}

/* ---- HTTP ---- */

static void words_of_other_protocols_are_no_http(void **state)
{
	static const char *const lines[] = {
		"OPTIONS rtsp://198.51.100.130/x RTSP/1.0\r\nCSeq: 1\r\n\r\n",
		"OPTIONS sip:a@example.test SIP/2.0\r\nVia: x\r\n\r\n",
		"CONNECT {\"verbose\":false,\"name\":\"\"}\r\n",
		"CONNECT {\"verbose\":false,\"na",
		"OPTIONS rtsp://198.51.100.130/x RT",
		"NOTIFY something\r\n",
		"GET key of a store\r\n",
		"get / HTTP/1.1\r\n\r\n",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ / HTTP/1.1\r\n\r\n",
		"GET\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		say(NULL, TCP4, 40000, 8080, lines[i], strlen(lines[i]));
		if (facts.protos != P(TCP))
			fail_msg("%s", lines[i]);
	}
}

static void http_in_all_dresses(void **state)
{
	static const struct {
		const char *lines, *method, *target;
		bool whole;
	} rows[] = {
		{ "GET /a b HTTP/1.1\r\n\r\n", "GET", "/a b", true },
		{ "CONNECT tracker.test:443 HTTP/1.1\r\n\r\n", "CONNECT", "tracker.test:443",
		  true },
		{ "MKCALENDAR /dav/ HTTP/1.1\r\n\r\n", "MKCALENDAR", "/dav/", true },
		{ "M-SEARCH * HTTP/1.1\n\n", "M-SEARCH", "*", true },
		{ "CCM_POST /x HTTP/1.1\r\n\r\n", "CCM_POST", "/x", true },
		{ "GET /old\r\n", "GET", "/old", false }, /* HTTP 0.9 */
		{ "GET /announce?info_hash=hhhhhhhhhhhhhhhhhhhh&por", "GET",
		  "/announce?info_hash=hhhhhhhhhhhhhhhhhhhh&por", false },
		{ "CONNECT tracker.te", "CONNECT", "tracker.te", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		say(NULL, TCP4, 40000, 4711, rows[i].lines, strlen(rows[i].lines));
		assert_true(facts_has(&facts, PROTO_HTTP));
		assert_string_equal(facts.http.method, rows[i].method);
		assert_string_equal(facts.http.target, rows[i].target);
		assert_int_equal(facts_has_reason(&facts, UND_HTTP_HEAD), !rows[i].whole);
	}
	SAY(NULL, TCP4, 40000, 80, "GET /announce?info_hash=hhhhhhhhhhhhhhhhhhhh&por");
	assert_true(facts_has(&facts, PROTO_BT_TRACKER)); /* as far as it goes */
}

static void replies_have_a_number(void **state)
{
	(void)state;
	SAY(NULL, TCP4, 80, 40000, "HTTP/1.1 404 Not Found\r\n\r\n");
	assert_int_equal(facts.http.status, 404);
	assert_int_equal(facts.reason, UND_NONE);
	SAY(NULL, TCP4, 80, 40000, "HTTP/1.1 !!! Not Found\r\n\r\n");
	assert_int_equal(facts.http.status, 0);
	assert_int_equal(facts.reason, UND_HTTP_HEAD);
	SAY(NULL, TCP4, 80, 40000, "HTTP/1.1\r\n\r\n");
	assert_int_equal(facts.reason, UND_HTTP_HEAD);
}

/* The answer to a search comes from any port to any port. */
static void search_answers_need_no_port(void **state)
{
	(void)state;
	SAY(NULL, UDP4, 50000, 40001,
	    "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nLOCATION: "
	    "http://10.77.0.1:5000/d.xml\r\n\r\n");
	assert_int_equal(facts.protos, P(UDP) | P(SSDP));
	assert_int_equal(facts.ssdp.kind, 3);
	assert_int_equal(facts.n_addrs, 1);
}

/* What is surely none stays none on the port of DNS, and what might be DNS stays DNS. */
static void port_53_over_tcp(void **state)
{
	(void)state;
	SAY(NULL, TCP4, 40000, 53, "GET /x HTTP/1.1\r\nHost: seed.test\r\n\r\n");
	assert_int_equal(facts.protos, P(TCP) | P(HTTP));
	run(NULL, TCP4, 40000, 53, p_tls_hello);
	assert_true(facts_has(&facts, PROTO_TLS_HELLO));
	assert_false(facts_has(&facts, PROTO_DNS));
	run(NULL, TCP4, 40000, 53, p_bt_handshake);
	assert_true(facts_has(&facts, PROTO_BT_HANDSHAKE));
	assert_false(facts_has(&facts, PROTO_DNS));
	SAY(NULL, TCP4, 40000, 53, "\x16\3\1\0\0\1\0\0\0\0\0\0\0\0\0\0"); /* a length, an id */
	assert_true(facts_has(&facts, PROTO_DNS));
}

/* ---- DTLS, STUN ---- */

static void p_old_dtls(struct frame *f)
{
	put(f, "\x16\1\0\0\0\0\0\0\0\0\0\0\x10", 13);
	put_fill(f, 16, 1);
	put(f, "\x14\1\0\0\0\0\0\0\0\0\1\0\1\1", 14);
}

static void p_old_dtls_short(struct frame *f)
{
	p_old_dtls(f);
	f->n--;
}

/* The version of OpenSSL before there was an RFC is two bytes that much else has: every record must fit. */
static void dtls_of_old_fills_its_datagram(void **state)
{
	(void)state;
	run(NULL, UDP4, 40000, 443, p_old_dtls);
	assert_int_equal(facts.protos, P(UDP) | P(DTLS));
	run(NULL, UDP4, 40000, 8443, p_old_dtls_short);
	assert_int_equal(facts.protos, P(UDP));
}

static void p_dtls_hello(struct frame *f)
{
	struct frame h = { .n = 0 };

	p_hello_body(&h, "turn.test");
	put(f, "\x16\xfe\xff\0\0\0\0\0\0\0\0", 11);
	put16(f, (unsigned)(12 + h.n - 4 + 1));
	put32(f, 0x01000000 | (uint32_t)(h.n - 4 + 1));
	put(f, "\0\0\0\0\0\0", 6); /* message 0, from its beginning, all of it */
	put16(f, (unsigned)(h.n - 4 + 1));
	put(f, "\xfe\xfd", 2);
	put(f, h.b + 6, 33); /* random, no session */
	put8(f, 0);	     /* no cookie */
	put(f, h.b + 39, h.n - 39);
}

static void dtls_hellos_have_names(void **state)
{
	(void)state;
	run(NULL, UDP4, 40000, 3478, p_dtls_hello);
	assert_true(facts_has(&facts, PROTO_DTLS));
	assert_true(facts_has(&facts, PROTO_TLS_HELLO));
	assert_string_equal(facts.tls.sni, "turn.test");
	assert_int_equal(facts.tls.version, 0xfefd);
	assert_false(facts.tls.over_quic);
	assert_int_equal(facts.reason, UND_NONE);
}

/* The first fragment ends inside the extensions, behind the name. */
static void p_dtls_fragment(struct frame *f)
{
	p_dtls_hello(f);
	f->n -= 20;
	set16(f, 11, f->n - 13);
	set16(f, 23, f->n - 25);
}

static void a_fragment_of_a_hello_is_no_damage(void **state)
{
	(void)state;
	run(NULL, UDP4, 40000, 3478, p_dtls_fragment);
	assert_true(facts_has(&facts, PROTO_TLS_HELLO));
	assert_string_equal(facts.tls.sni, "turn.test");
	assert_int_equal(facts.reason, UND_NONE);
}

static void old_stun_has_six_types(void **state)
{
	static char m[] = "\0\1\0\x0c"
			  "idididididididid"
			  "\0\1\0\x08\0\1\x1a\xd0\xcb\0\x71\x0a";
	static const unsigned good[] = { 0x0001, 0x0101, 0x0111, 0x0002, 0x0102, 0x0112 };
	unsigned found = 0;

	(void)state;
	for (unsigned type = 0; type < 0x200; type++) {
		m[0] = (char)(type >> 8);
		m[1] = (char)type;
		SAY(NULL, UDP4, 3478, 40000, m);
		found += facts_has(&facts, PROTO_STUN);
	}
	assert_int_equal(found, sizeof(good) / sizeof(good[0]));
	for (size_t i = 0; i < found; i++) {
		m[0] = (char)(good[i] >> 8);
		m[1] = (char)good[i];
		SAY(NULL, UDP4, 3478, 40000, m);
		assert_true(facts.weak & P(STUN));
		assert_true(facts.stun.classic);
		assert_int_equal(facts.stun.type, good[i]);
	}
}

static void turn_channels_need_stun_before(void **state)
{
	decoder_reset(*state);
	SAY(*state, UDP4, 40000, 3478, "\x40\1\0\5abcde\0\0\0");
	assert_int_equal(facts.protos, P(UDP));
	run(*state, UDP4, 40000, 3478, p_stun);
	SAY(*state, UDP4, 40000, 3478, "\x40\1\0\5abcde\0\0\0");
	assert_int_equal(facts.weak, P(STUN));
	assert_int_equal(facts.stun.type, 0x4001);
	SAY(*state, UDP4, 40000, 3478, "\x40\1\0\5abcde\0\0\0\0"); /* padding of four */
	assert_int_equal(facts.protos, P(UDP));
	SAY(*state, UDP4, 40000, 3478, "\x50\1\0\5abcde\0\0\0");
	assert_int_equal(facts.protos, P(UDP));
}

/* ---- uTP ---- */

static void utp(struct decoder *d, int64_t ms, uint32_t stamp_us, unsigned id)
{
	struct frame p = { .n = 0 }, f = { .n = 0 };

	put16(&p, 0x0100);
	put16(&p, id);
	put32(&p, stamp_us);
	put32(&p, 77);
	put32(&p, 0x100000);
	put32(&p, 0x00010001);
	put_fill(&p, 100, 0xd7);
	put_ethernet(&f, 0x0800);
	put_ip4(&f, 17, 8 + p.n, 1, 0);
	put_udp(&f, 51413, 51413, p.n);
	put(&f, p.b, p.n);
	decode_frame(d, LINK_ETHERNET, f.b, (uint32_t)f.n, (uint32_t)f.n, ms * 1000000, &facts);
}

/* Without a SYN the header says little; the sender's clock in it says much. */
static void a_clock_that_runs_is_utp(void **state)
{
	decoder_reset(*state);
	utp(*state, 1000, 0xfffff000, 7);
	assert_true(facts.weak & P(BT_UTP));
	utp(*state, 1002, 0xfffff000 + 2000, 7); /* too soon to tell */
	assert_true(facts.weak & P(BT_UTP));
	utp(*state, 1500, 0xfffff000 + 503000, 7); /* over the end of 32 bits, 3 ms late */
	assert_true(facts_has(&facts, PROTO_BT_UTP));
	assert_int_equal(facts.weak, 0);
	utp(*state, 1501, 0, 9); /* from now on all of them */
	assert_int_equal(facts.weak, 0);
}

/* A second packet, so much later in time and by the clock of its sender: is it sure to be uTP? */
static bool two_clocks(struct decoder *d, int64_t passed_ms, int64_t told_us)
{
	decoder_reset(d);
	utp(d, 77000, 0x12345678, 7);
	utp(d, 77000 + passed_ms, (uint32_t)(0x12345678 + told_us), 7);
	return facts_has(&facts, PROTO_BT_UTP) && facts.weak == 0;
}

/* From 10 ms to half an hour; a clock may be an eighth and 5 ms off. */
static void clocks_at_their_bounds(void **state)
{
	static const struct {
		int64_t ms, us;
		bool utp;
	} rows[] = {
		{ 9, 9000, false },
		{ 10, 10000, true },
		{ 10, 16250, true },
		{ 10, 16251, false },
		{ 10, 3750, true },
		{ 10, 3749, false },
		{ -20, -20000, false },
		{ 1800000, 1800000000, true },
		{ 1800001, 1800001000, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (two_clocks(*state, rows[i].ms, rows[i].us) != rows[i].utp)
			fail_msg("row %zu", i);
}

static void what_is_no_clock_is_no_utp(void **state)
{
	static const int64_t steps[] = { 0, 1, 20, 400000, -500000, 5000000 }; /* for 500 ms */

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		decoder_reset(*state);
		utp(*state, 1000, 0x12345678, 7);
		utp(*state, 1500, (uint32_t)(0x12345678 + steps[i]), 7);
		assert_false(facts_has(&facts, PROTO_BT_UTP));
		utp(*state, 1501, (uint32_t)(0x12345678 + steps[i]), 7); /* nor right behind it */
		assert_false(facts_has(&facts, PROTO_BT_UTP));
	}
	decoder_reset(*state); /* another connection has another clock's place */
	utp(*state, 1000, 0x12345678, 7);
	utp(*state, 1500, 0x12345678 + 500000, 8);
	assert_true(facts.weak & P(BT_UTP));
}

/* DATA has a payload, STATE has none, a window has an end, and nobody's clock stands at zero. */
static void implausible_headers_are_no_utp(void **state)
{
	static const struct {
		const char *b;
		size_t n;
		bool utp;
	} rows[] = {
#define UTP(s, ok) { (s), sizeof(s) - 1, (ok) }
		UTP("\x21\0\0\7\1\2\3\4\0\0\0\1\0\x10\0\0\0\1\0\1", true),
		UTP("\x21\0\0\7\1\2\3\4\0\0\0\1\0\x10\0\0\0\1\0\1x", false),
		UTP("\x01\0\0\7\1\2\3\4\0\0\0\1\0\x10\0\0\0\1\0\1x", true),
		UTP("\x01\0\0\7\1\2\3\4\0\0\0\1\0\x10\0\0\0\1\0\1", false),
		UTP("\x21\0\0\7\0\0\0\0\0\0\0\1\0\x10\0\0\0\1\0\1", false),
		UTP("\x21\0\0\7\1\2\3\4\0\0\0\1\x20\x10\0\0\0\1\0\1", false),
		UTP("\x41\0\0\7\1\2\3\4\0\0\0\0\0\x10\0\0\0\1\0\0", true),
		UTP("\x41\0\0\7\1\2\3\4\0\0\0\1\0\x10\0\0\0\1\0\0", false),
		UTP("\x51\0\0\7\1\2\3\4\0\0\0\1\0\x10\0\0\0\1\0\1", false),
		UTP("\x22\0\0\7\1\2\3\4\0\0\0\1\0\x10\0\0\0\1\0\1", false),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		say(NULL, UDP4, 51413, 51414, rows[i].b, rows[i].n);
		if (facts_has(&facts, PROTO_BT_UTP) != rows[i].utp)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_padded_query_is_no_announce),
		cmocka_unit_test(what_is_mostly_zeros_is_no_announce),
		cmocka_unit_test(an_announce_without_a_client_needs_a_connection),
		cmocka_unit_test(tracker_messages_have_their_sizes),
		cmocka_unit_test(a_query_is_no_cookie),
		cmocka_unit_test(half_a_message_on_its_port),
		cmocka_unit_test(time_messages_have_their_shape),
		cmocka_unit_test(dhcp6_fills_its_datagram),
		cmocka_unit_test(port_mappings_have_their_sizes),
		cmocka_unit_test(dhcp_begins_as_bootp),
		cmocka_unit_test(what_was_cut_is_no_damage),
		cmocka_unit_test(what_is_there_must_fit),
		cmocka_unit_test(words_of_other_protocols_are_no_http),
		cmocka_unit_test(http_in_all_dresses),
		cmocka_unit_test(replies_have_a_number),
		cmocka_unit_test(search_answers_need_no_port),
		cmocka_unit_test(port_53_over_tcp),
		cmocka_unit_test(dtls_of_old_fills_its_datagram),
		cmocka_unit_test(dtls_hellos_have_names),
		cmocka_unit_test(a_fragment_of_a_hello_is_no_damage),
		cmocka_unit_test(old_stun_has_six_types),
		cmocka_unit_test(turn_channels_need_stun_before),
		cmocka_unit_test(a_clock_that_runs_is_utp),
		cmocka_unit_test(clocks_at_their_bounds),
		cmocka_unit_test(what_is_no_clock_is_no_utp),
		cmocka_unit_test(implausible_headers_are_no_utp),
	};

	return cmocka_run_group_tests_name("packet_shapes", tests, decoder_setup, decoder_teardown);
}
