/* SPDX-License-Identifier: MIT */
/* What frame_is_noise() spares the decoder: never a message that names somebody, and little else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exact.h"
#include "golden/cases.h"
#include "packet/decode.h"
#include "packet/with_decoder.h"

#define OWN  45000
#define PEER 45001
#define DATA (F_ACK | F_PSH)

static struct facts facts;

static void check_noise(const struct net_layer *l)
{
	const struct net_layer *real = &facts.layer[0];

	assert_false(facts.undecodable);
	assert_int_equal(facts.n_addrs, 0);
	assert_int_equal(facts.n_layers, 1);
	assert_false(facts.has_quoted || facts.reassembled);
	assert_int_equal(facts.protos & ~NOISE_PROTOS, 0);
	assert_true(ipaddr_equal(&l->src, &real->src) && ipaddr_equal(&l->dst, &real->dst));
	assert_int_equal(l->proto, real->proto);
	assert_true(l->has_ports && l->sport == real->sport && l->dport == real->dport);
	assert_ptr_equal(l->payload, real->payload);
	assert_int_equal(l->payload_len, real->payload_len);
	assert_int_equal(l->payload_wire, real->payload_wire);
	if (l->proto == P_TCP)
		assert_int_equal(l->seq, real->seq);
}

/* Is it noise, and if so: is it what noise has to be? The decoder sees it in any case. */
static bool noise_of(struct decoder *d, uint32_t linktype, struct bytes f, size_t captured)
{
	const uint8_t *p = exact(f.b, captured);
	struct net_layer l;
	bool noise = frame_is_noise(d, linktype, p, (uint32_t)captured, &l);

	(void)decode_frame(d, linktype, p, (uint32_t)captured, (uint32_t)f.n, 0, &facts);
	if (noise)
		check_noise(&l);
	return noise;
}

static bool is_noise(struct decoder *d, struct bytes packet)
{
	struct bytes f = out(packet);
	bool noise = noise_of(d, LINK_ETHERNET, f, f.n);

	assert_int_equal(noise_of(d, LINK_RAW, packet, packet.n), noise);
	return noise;
}

static struct bytes datagram(struct bytes payload)
{
	return ip(TUN, SINK, P_UDP, udp(OWN, PEER, payload));
}

static struct bytes segment(struct bytes payload)
{
	return ip(TUN, SINK, P_TCP, tcp(OWN, PEER, 100, DATA, payload));
}

static bool udp_noise(struct decoder *d, const char *digits)
{
	return is_noise(d, datagram(cat(hex(digits), fill(0x77, 40))));
}

static bool tcp_noise(struct decoder *d, const char *digits)
{
	return is_noise(d, segment(cat(hex(digits), fill(0x77, 40))));
}

/* ---- what a payload begins with ---- */

static void test_first_byte_of_a_datagram(void **state)
{
	for (unsigned b = 0; b < 256; b++) {
		bool may = b <= 1 || b == 0x38 || b == 0x50;

		if (is_noise(*state, datagram(cat(be(b, 1), fill(0x77, 40)))) == may)
			fail_msg("0x%02x: %s", b, may ? "taken for noise" : "not taken for noise");
	}
}

/* QUIC's long header: only with a version that there is. */
static void test_versions(void **state)
{
	static const char *const known[] = { "00000000", "00000001", "6b3343cf",
					     "ff000005", "ff000022", "51303433",
					     "54303531", "faceb002", "1a2a3a4a" };
	static const char *const unknown[] = { "00000002", "6b3343ce", "ff000004", "ff000023",
					       "51313433", "52303433", "faceb102", "1a2a3a4b" };

	for (unsigned first = 0x80; first < 0x100; first += 0x10) {
		struct bytes rest = fill(0x77, 40);

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			assert_false(is_noise(
				*state, datagram(cat(cat(be(first, 1), hex(known[i])), rest))));
		for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
			assert_true(is_noise(
				*state, datagram(cat(cat(be(first, 1), hex(unknown[i])), rest))));
	}
}

static struct bytes channel(unsigned number, unsigned stated)
{
	return cat(cat(be(number, 2), be(stated, 2)), fill(0x77, 40));
}

/* TURN's channels state their length, which up to three bytes may follow; text goes on in capitals. */
static void test_channels(void **state)
{
	for (unsigned first = 0x40; first < 0x50; first++)
		for (unsigned stated = 0; stated < 64; stated++)
			assert_int_equal(
				is_noise(*state, datagram(channel(first << 8 | 0x77, stated))),
				stated < 37 || stated > 40);
	assert_false(udp_noise(*state, "4d2d"));
	assert_false(udp_noise(*state, "4e4f"));
	assert_true(udp_noise(*state, "4d6f"));
	assert_true(udp_noise(*state, "4d2f"));
}

/* DTLS: version 1.0 and up, or that of the first implementations; a DHT dictionary begins with a key. */
static void test_second_byte(void **state)
{
	for (unsigned first = 0x13; first < 0x1c; first++)
		for (unsigned second = 0; second < 256; second++) {
			bool dtls = first >= 20 && first <= 26 && (second == 0xfe || second == 1);
			struct bytes p = cat(be(first << 8 | second, 2), fill(0x77, 40));

			assert_int_equal(is_noise(*state, datagram(p)), !dtls);
		}
	for (unsigned second = 0; second < 256; second++) {
		struct bytes p = cat(cat(text("d"), be(second, 1)), fill(0x77, 40));

		assert_int_equal(is_noise(*state, datagram(p)), second < '0' || second > '9');
	}
}

static void test_first_byte_of_a_segment(void **state)
{
	for (unsigned b = 0; b < 256; b++) {
		bool may = (b >= 19 && b <= 24 && b != 23) || (b & 0x7f) <= 2;

		if (is_noise(*state, segment(cat(be(b, 1), fill(0x77, 40)))) == may)
			fail_msg("0x%02x: %s", b, may ? "taken for noise" : "not taken for noise");
	}
}

static void test_datagrams(void **state)
{
	struct decoder *d = *state;

	assert_false(udp_noise(d, "04000000"));
	assert_true(udp_noise(d, "05000000"));
	assert_false(udp_noise(d, "00000004"));
	assert_true(udp_noise(d, "00000005"));
	assert_true(udp_noise(d, "0100 7777"));
	assert_false(udp_noise(d, "0101 7777"));
	assert_true(udp_noise(d, "0201 7777"));
	assert_false(udp_noise(d, "77777777 77777777 00000002"));
	assert_true(udp_noise(d, "77777777 77777777 00000003"));
	assert_false(udp_noise(d, "77777777 2112a442"));
	assert_true(udp_noise(d, "77777777 2112a443"));
	assert_false(udp_noise(d, "77777777 0001"));
	assert_true(udp_noise(d, "77777777 0002"));
	assert_false(udp_noise(d, "77777777 77777777 77 5130"));
	assert_true(udp_noise(d, "77777777 77777777 77 5131"));
	assert_true(udp_noise(d, "77777777 77777777 77 5230"));
}

static void test_segments(void **state)
{
	struct decoder *d = *state;

	assert_true(tcp_noise(d, "17 0303 0020"));
	assert_false(tcp_noise(d, "77777777 2112a442"));
	assert_true(tcp_noise(d, "77777777 2112a443"));
	assert_false(tcp_noise(d, "474554"));
	assert_false(tcp_noise(d, "4d2d50"));
	assert_false(tcp_noise(d, "415f5a"));
	assert_false(tcp_noise(d, "5a5a5a"));
	assert_true(tcp_noise(d, "405a5a"));
	assert_true(tcp_noise(d, "5b5a5a"));
	assert_true(tcp_noise(d, "476554"));
	assert_true(tcp_noise(d, "474574"));
	assert_true(tcp_noise(d, "475b54"));
}

/* A length before a message: of all that follows, and less. */
static void test_messages_behind_a_length(void **state)
{
	for (size_t n = 0x400; n < 0x404; n++) {
		assert_false(is_noise(*state, segment(cat(be(n, 2), fill(0x77, n)))));
		assert_false(is_noise(*state, segment(cat(be(n, 2), fill(0x77, n + 1)))));
		assert_true(is_noise(*state, segment(cat(be(n, 2), fill(0x77, n - 1)))));
	}
}

static void test_short_payloads(void **state)
{
	for (size_t n = 0; n < 64; n++) {
		assert_int_equal(is_noise(*state, datagram(fill(0x77, n))), n == 0 || n >= 20);
		assert_int_equal(is_noise(*state, segment(fill(0x77, n))), n == 0 || n >= 6);
	}
	assert_true(is_noise(*state, segment(hex("77777777 2112"))));
	assert_true(is_noise(*state, segment(hex("77777777 2112a4"))));
	assert_false(is_noise(*state, segment(hex("77777777 2112a442"))));
}

/* ---- headers ---- */

static void test_flags(void **state)
{
	for (unsigned flags = 0; flags < 256; flags++) {
		struct bytes p = ip(TUN, SINK, P_TCP,
				    tcp(OWN, PEER, 1, (uint8_t)flags, fill(0x77, 9)));

		assert_int_equal(noise_of(NULL, LINK_RAW, p, p.n),
				 !(flags & (F_SYN | F_FIN | F_RST)));
	}
	(void)state;
}

static void test_ports(void **state)
{
	static const uint16_t known[] = { 53,	67,   68,   123,  137,	138,  546,  547,  1701,
					  2152, 3544, 4789, 5350, 5351, 5353, 5355, 6081, 8472 };
	size_t n = 0;

	(void)state;
	for (unsigned port = 0; port < 65536; port++) {
		struct bytes to = ip(TUN, SINK, P_UDP, udp(OWN, (uint16_t)port, fill(0x77, 30)));
		struct bytes from = ip(SINK, TUN, P_TCP,
				       tcp((uint16_t)port, OWN, 1, DATA, fill(0x77, 30)));
		bool is = n < sizeof(known) / sizeof(known[0]) && known[n] == port;

		n += is;
		assert_int_equal(noise_of(NULL, LINK_RAW, to, to.n), !is);
		assert_int_equal(noise_of(NULL, LINK_RAW, from, from.n), !is);
	}
	assert_int_equal(n, sizeof(known) / sizeof(known[0]));
}

static void with_byte(struct bytes packet, size_t at, unsigned value, bool noise)
{
	packet.b[at] = (uint8_t)value;
	assert_int_equal(noise_of(NULL, LINK_RAW, packet, packet.n), noise);
}

static void test_ip_header(void **state)
{
	struct bytes p = datagram(fill(0x77, 30)), t = segment(fill(0x77, 30));

	(void)state;
	with_byte(p, 0, 0x45, true);
	with_byte(p, 0, 0x46, false);
	with_byte(p, 0, 0x65, false);
	with_byte(p, 6, 0x40, true);
	with_byte(p, 6, 0x80, true);
	with_byte(p, 6, 0x20, false);
	with_byte(p, 7, 1, false);
	with_byte(p, 6, 1, false);
	with_byte(p, 9, 136, false);
	with_byte(p, 9, P_ICMP, false);
	with_byte(p, 3, p.b[3] + 1U, false); /* longer than what is there */
	with_byte(t, 3, t.b[3] - 1U, true);
	with_byte(p, 3, p.b[3] - 1U, false); /* UDP says more */
	with_byte(p, 25, p.b[25] - 1U, false);
	with_byte(p, 25, p.b[25] + 1U, false);
	with_byte(p, 25, 7, false);
	t.b[36] = 0x77;
	with_byte(t, 32, 0x40, false); /* TCP's header: too short, longer, longer than the packet */
	with_byte(t, 32, 0x60, true);
	with_byte(t, 32, 0xd0, false);
	with_byte(t, 3, 39, false);
	with_byte(t, 3, 27, false);
	with_byte(p, 3, 27, false);
}

/* At every length that a capture may leave of it: only what was captured whole. */
static void test_cut(void **state)
{
	struct bytes p = segment(fill(0x77, 30)), f = out(p), padded = cat(f, fill(0, 9));
	struct bytes bare = out(ip(TUN, SINK, P_TCP, tcp(OWN, PEER, 1, F_ACK, fill(0, 0))));
	struct bytes empty = ip(TUN, SINK, P_UDP, udp(OWN, PEER, fill(0, 0)));

	(void)state;
	for (size_t n = 0; n <= padded.n; n++)
		assert_int_equal(noise_of(NULL, LINK_ETHERNET, padded, n), n >= f.n);
	for (size_t n = 0; n <= p.n; n++)
		assert_int_equal(noise_of(NULL, LINK_RAW, p, n), n == p.n);
	for (size_t n = 0; n <= bare.n; n++)
		assert_int_equal(noise_of(NULL, LINK_ETHERNET, bare, n), n == bare.n);
	for (size_t n = 0; n <= empty.n; n++)
		assert_int_equal(noise_of(NULL, LINK_RAW, empty, n), n == empty.n);
}

static void test_links(void **state)
{
	struct bytes p = datagram(fill(0x77, 30)), f = out(p);

	(void)state;
	assert_true(noise_of(NULL, LINK_ETHERNET, f, f.n));
	assert_false(noise_of(NULL, LINK_RAW, f, f.n));
	assert_false(noise_of(NULL, LINK_ETHERNET, p, p.n));
	assert_false(noise_of(NULL, LINK_SLL, f, f.n));
	f = vlan(f);
	assert_false(noise_of(NULL, LINK_ETHERNET, f, f.n));
	f = out(ip("2001:db8::2", SINK6, P_UDP, udp(OWN, PEER, fill(0x77, 30))));
	assert_false(noise_of(NULL, LINK_ETHERNET, f, f.n));
}

/* ---- what the decoder remembers ---- */

/* A stream whose head is being collected, and one of peer messages, are read in order; one whose head is known is not. */
static void test_streams(void **state)
{
	struct bytes hello = tls_hello("host.example"), greeting;
	struct decoder *d = *state;
	struct bytes syn = ip(TUN, SINK, P_TCP, tcp(OWN, PEER, 9, F_SYN, fill(0, 0)));
	struct bytes more = ip(TUN, SINK, P_TCP, tcp(OWN, PEER, 10, DATA, fill(0x77, 30)));

	decoder_reset(d);
	assert_true(noise_of(d, LINK_RAW, more, more.n));
	assert_false(noise_of(d, LINK_RAW, syn, syn.n));
	assert_false(noise_of(d, LINK_RAW, more, more.n)); /* it is the head */
	assert_true(noise_of(d, LINK_RAW, more, more.n));
	decoder_reset(d);
	more = segment(fill(0x77, 30));
	hello = segment(slice(hello, 0, 20));
	assert_false(noise_of(d, LINK_RAW, hello, hello.n));
	assert_false(noise_of(d, LINK_RAW, more, more.n));
	decoder_reset(d);
	greeting = segment(bt_handshake());
	assert_false(noise_of(d, LINK_RAW, greeting, greeting.n));
	assert_false(noise_of(d, LINK_RAW, more, more.n));
	more = ip(SINK, TUN, P_TCP, tcp(PEER, OWN, 10, DATA, fill(0x77, 30)));
	assert_true(noise_of(d, LINK_RAW, more, more.n));
}

static struct bytes utp_packet(unsigned first, uint32_t window, struct bytes payload)
{
	return datagram(cat(cat(be(first, 1), hex("00 1234 00000001 77000000")),
			    cat(be(window, 4), cat(hex("0001 0000"), payload))));
}

/* uTP is told by its clock: as long as it is not, every packet of it counts. Then only what holds BitTorrent does. */
static void test_utp(void **state)
{
	struct bytes data = utp_packet(0x01, 1 << 20, fill(0x77, 30));
	struct bytes odd = utp_packet(0x01, UINT32_MAX, fill(0x77, 30));
	struct bytes pex = cat(hex("00000020 14 01"), text("d5:added0:e"));
	struct decoder *d = *state;

	decoder_reset(d);
	assert_false(is_noise(d, data));
	assert_true(is_noise(d, odd));
	assert_false(is_noise(d, data));
	assert_false(is_noise(d, utp_packet(0x01, 1 << 20, bt_handshake())));
	assert_true(is_noise(d, data));
	assert_true(is_noise(d, odd));
	assert_true(is_noise(d, utp_packet(0x21, 1 << 20, fill(0, 0))));
	assert_false(is_noise(d, utp_packet(0x01, 1 << 20, cat(pex, fill(0x77, 30)))));
	assert_true(is_noise(d, utp_packet(0x01, 1 << 20, slice(pex, 0, 6))));
	assert_false(is_noise(d, utp_packet(0x01, 1 << 20, slice(pex, 0, 7))));
	assert_false(is_noise(d, utp_packet(0x01, 1 << 20, bt_handshake())));
	assert_false(is_noise(d, utp_packet(0x41, 1 << 20, fill(0, 0))));
	decoder_reset(d);
	assert_false(is_noise(d, data));
}

/* ---- messages that name somebody ---- */

static void named(struct decoder *d, const char *what, struct bytes packet)
{
	if (is_noise(d, packet))
		fail_msg("%s: taken for noise", what);
	if (facts.n_addrs == 0 && !facts_has(&facts, PROTO_DNS) &&
	    !facts_has(&facts, PROTO_TLS_HELLO))
		fail_msg("%s: this test is wrong, nobody is named", what);
}

static struct bytes mapped(void)
{
	return cat(hex("0101 000c 2112a442"),
		   cat(fill(0x77, 12), cat(hex("0001 0008 0001 1ae1"), addr(REAL))));
}

static struct bytes classic(void)
{
	return cat(hex("0101 000c"),
		   cat(fill(0x77, 16), cat(hex("0001 0008 0001 1ae1"), addr(REAL))));
}

static void test_named_in_datagrams(void **state)
{
	struct decoder *d = *state;

	decoder_reset(d);
	named(d, "STUN", datagram(mapped()));
	named(d, "STUN without cookie", datagram(classic()));
	named(d, "announce", datagram(udp_tracker_announce(addr(REAL))));
	named(d, "tracker's reply",
	      datagram(cat(hex("00000001 12345678 00000708 00000001 00000001"),
			   cat(addr(REAL), be(6881, 2)))));
	named(d, "DHT",
	      datagram(cat(cat(text("d2:ip6:"), addr(REAL)),
			   cat(be(6881, 2), cat(text("1:rd2:id20:"),
						cat(fill(0x77, 20), text("e1:t2:aa1:y1:re")))))));
	named(d, "DNS", datagram(dns_query(7, "host.example")));
	named(d, "DNS", datagram(dns_answer(7, "host.example", REAL)));
	named(d, "SSDP",
	      datagram(text("HTTP/1.1 200 OK\r\nST: x\r\nLOCATION: http://" REAL
			    ":5000/x\r\n\r\n")));
}

static void test_named_in_segments(void **state)
{
	struct decoder *d = *state;

	decoder_reset(d);
	named(d, "tracker", segment(announce("&ip=" REAL)));
	named(d, "answer", segment(text("HTTP/1.1 200 OK\r\nX-Forwarded-For: " REAL "\r\n\r\n")));
	named(d, "STUN", segment(mapped()));
	named(d, "STUN behind its length", segment(cat(be(mapped().n, 2), mapped())));
	named(d, "DNS behind its length",
	      segment(cat(be(dns_query(7, "host.example").n, 2), dns_query(7, "host.example"))));
	named(d, "TLS", segment(tls_hello("host.example")));
	named(d, "an extension message",
	      segment(cat(hex("00000019 14 00"),
			  cat(text("d6:yourip4:"), cat(addr(REAL), text("1:v1:xe"))))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_byte_of_a_datagram),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_channels),
		cmocka_unit_test(test_second_byte),
		cmocka_unit_test(test_first_byte_of_a_segment),
		cmocka_unit_test(test_datagrams),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_messages_behind_a_length),
		cmocka_unit_test(test_short_payloads),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_ip_header),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_utp),
		cmocka_unit_test(test_named_in_datagrams),
		cmocka_unit_test(test_named_in_segments),
	};

	return cmocka_run_group_tests(tests, decoder_setup, decoder_teardown);
}
