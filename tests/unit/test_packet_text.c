/* SPDX-License-Identifier: MIT */
/* A frame's facts in one line of text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/frames.h"

static struct facts facts;

static void check(const struct frame *f, uint32_t link, const char *want)
{
	char line[1024];

	(void)decode_frame(NULL, link, f->b, (uint32_t)f->n, (uint32_t)f->n, 1000, &facts);
	assert_string_equal(facts_describe(&facts, line, sizeof(line)), want);
}

static const char *payload;
static size_t payload_n;

static void p_payload(struct frame *f)
{
	put(f, payload, payload_n);
}

#define SAY(carrier, port, s, want) say((carrier), (port), (s), sizeof(s) - 1, (want))

static void say(enum carrier c, unsigned port, const char *p, size_t n, const char *want)
{
	struct frame f;

	payload = p;
	payload_n = n;
	build(&f, c, 40000, port, p_payload);
	check(&f, LINK_ETHERNET, want);
}

static void packets(void **state)
{
	struct frame f;

	(void)state;
	SAY(UDP4, 9, "xyz", "10.77.0.3:40000 > 198.51.100.130:9 udp length 3");
	SAY(UDP6, 9, "xyz", "[2001:db8:1::10]:40000 > [2001:db8:2::130]:9 udp length 3");
	SAY(TCP4, 9, "xyz", "10.77.0.3:40000 > 198.51.100.130:9 tcp PA length 3");
	f.n = 0;
	put_ip4(&f, 6, 20, 1, 0);
	put_tcp(&f, 1, 2, 3, 0x3f);
	check(&f, LINK_RAW, "10.77.0.3:1 > 198.51.100.130:2 tcp FSRPAU length 0");
	f.n = 0;
	put_ip4(&f, 99, 4, 1, 0);
	put_zero(&f, 4);
	check(&f, LINK_RAW, "10.77.0.3 > 198.51.100.130 proto 99 length 4 (ip-protocol-unknown)");
	f.n = 0;
	put_ip4(&f, 17, 8, 1, 2);
	put_zero(&f, 8);
	check(&f, LINK_RAW,
	      "10.77.0.3 > 198.51.100.130 udp fragment 16+ length 8 (later-fragment)");
}

static void messages_of_icmp(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_ip6(&f, 58, 8);
	put(&f, "\x80\1\0\0\0\0\0\0", 8);
	check(&f, LINK_RAW, "2001:db8:1::10 > 2001:db8:2::130 icmp6 type 128 code 1 length 0");
	f.n = 0;
	put_ip4(&f, 1, 8 + 28, 1, 0);
	put(&f, "\3\3\0\0\0\0\0\0", 8);
	put_ip4(&f, 17, 8, 1, 0);
	put_udp(&f, 7, 9, 0);
	check(&f, LINK_RAW,
	      "10.77.0.3 > 198.51.100.130 icmp type 3 code 3 quoting 10.77.0.3:7 > "
	      "198.51.100.130:9 udp length 28");
}

static void what_is_no_packet(void **state)
{
	static const char arp[] =
		"\0\1\x08\0\6\4\0\1\2\0\0\0\0\x55\x0a\x40\0\2\2\0\0\0\0\1\x0a\x4d\0\1";
	static const char *const words[] = { "other", "request", "reply", "other" };
	struct frame f = { .n = 0 };

	(void)state;
	put_ethernet(&f, 0x88b5);
	check(&f, LINK_ETHERNET,
	      "frame of 14 bytes, link type 1, ethertype 0x88b5 (ethertype-unknown)");
	for (unsigned op = 0; op <= 3; op++) {
		char want[64];

		f.n = 0;
		put_ethernet(&f, 0x0806);
		put(&f, arp, 28);
		f.b[14 + 7] = (uint8_t)op;
		(void)snprintf(want, sizeof(want), "arp %s, 10.64.0.2 for 10.77.0.1", words[op]);
		check(&f, LINK_ETHERNET, want);
	}
}

static void one_in_another(void **state)
{
	struct frame f = { .n = 0 };

	(void)state;
	put_ip4(&f, 4, 28, 1, 0);
	put_ip4(&f, 17, 8, 1, 0);
	put_udp(&f, 7, 9, 0);
	check(&f, LINK_RAW,
	      "10.77.0.3 > 198.51.100.130 proto 4 | ipip 10.77.0.3:7 > 198.51.100.130:9 udp length "
	      "0");
}

static void messages(void **state)
{
	struct frame f;

	(void)state;
	SAY(UDP4, 53, "\0\1\1\0\0\1\0\0\0\0\0\0\1a\0\0\x1c\0\1",
	    "10.77.0.3:40000 > 198.51.100.130:53 udp dns query AAAA a length 19");
	SAY(UDP4, 53, "\0\1\1\0\0\1\0\0\0\0\0\0\1a\0\0\x63\0\1",
	    "10.77.0.3:40000 > 198.51.100.130:53 udp dns query TYPE99 a length 19");
	SAY(UDP4, 5300, "\0\1\x81\x83\0\1\0\0\0\0\0\0\1a\0\0\1\0\1",
	    "10.77.0.3:40000 > 198.51.100.130:5300 udp dns? answer A a rcode 3, 0 records length "
	    "19");
	SAY(TCP4, 80, "GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n",
	    "10.77.0.3:40000 > 198.51.100.130:80 tcp PA http GET a.test/x length 33");
	SAY(TCP4, 80, "HTTP/1.1 404 No\r\n\r\n",
	    "10.77.0.3:40000 > 198.51.100.130:80 tcp PA http status 404 length 19");
	build(&f, TCP4, 40000, 443, p_tls_hello);
	check(&f, LINK_ETHERNET,
	      "10.77.0.3:40000 > 198.51.100.130:443 tcp PA tls tls-client-hello sni indexer.test "
	      "length "
	      "100");
	build(&f, UDP4, 40000, 51820, p_wg_data);
	check(&f, LINK_ETHERNET,
	      "10.77.0.3:40000 > 198.51.100.130:51820 udp wireguard type 4 length 128");
}

/* Three addresses are shown. */
static void addresses(void **state)
{
	(void)state;
	SAY(TCP4, 80, "GET / HTTP/1.1\r\nForwarded: 192.0.2.1 192.0.2.2 192.0.2.3\r\n\r\n",
	    "10.77.0.3:40000 > 198.51.100.130:80 tcp PA http GET / http-header=192.0.2.1 "
	    "http-header=192.0.2.2 http-header=192.0.2.3 length 60");
	SAY(TCP4, 80,
	    "GET / HTTP/1.1\r\nForwarded: 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4\r\n\r\n",
	    "10.77.0.3:40000 > 198.51.100.130:80 tcp PA http GET / http-header=192.0.2.1 "
	    "http-header=192.0.2.2 http-header=192.0.2.3 and 1 addresses more length 70");
}

/* A line that has no room ends where the room does. */
static void lines_are_cut(void **state)
{
	struct frame f;
	char whole[256], line[256];

	(void)state;
	payload = "xyz";
	payload_n = 3;
	build(&f, UDP4, 40000, 9, p_payload);
	decode(NULL, &f, &facts);
	facts_describe(&facts, whole, sizeof(whole));
	for (size_t size = 1; size <= strlen(whole) + 1; size++) {
		memset(line, 'x', sizeof(line));
		facts_describe(&facts, line, size);
		assert_true(strlen(line) < size && memcmp(line, whole, strlen(line)) == 0);
		assert_int_equal(line[size], 'x');
	}
	assert_string_equal(line, whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets),	     cmocka_unit_test(messages_of_icmp),
		cmocka_unit_test(what_is_no_packet), cmocka_unit_test(one_in_another),
		cmocka_unit_test(messages),	     cmocka_unit_test(addresses),
		cmocka_unit_test(lines_are_cut),
	};

	return cmocka_run_group_tests_name("packet_text", tests, NULL, NULL);
}
