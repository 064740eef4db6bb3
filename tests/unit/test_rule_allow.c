// SPDX-License-Identifier: MIT
/* Allowances: whose, which way, which ports, and what the payload has to look like; nothing else is excused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "golden/world.h"

#define ALLOW(who, proto, peer, way, shape, ports)                                  \
	"{\"allow\":[{\"who\":\"" who "\",\"proto\":\"" proto "\",\"peer\":\"" peer \
	"\",\"direction\":\"" way "\",\"shape\":\"" shape "\",\"reason\":\"x\"" ports "}]}"

static struct bytes from_host(uint8_t proto, struct bytes p)
{
	return out(ip(REAL, SINK, proto, p));
}

static struct bytes to_host(uint8_t proto, struct bytes p)
{
	return in(ip(SINK, REAL, proto, p));
}

static struct bytes segment(uint32_t seq, uint8_t flags, struct bytes p)
{
	return from_host(P_TCP, tcp(40001, 443, seq, flags, p));
}

static struct bytes nothing(void)
{
	return fill(0, 0);
}

static char *shape_on_port(const char *shape, uint16_t port)
{
	return str_fmt("{\"allow\":[{\"who\":\"host\",\"proto\":\"udp\",\"peer\":\"any\","
		       "\"direction\":\"out\",\"shape\":\"%s\",\"reason\":\"x\",\"port\":%u}]}",
		       shape, port);
}

/* Feed frames one after another; 'y' for each that has to be allowed, 'n' for each that must not. */
static void check(const char *policy, const struct bytes *frames, const char *want)
{
	struct world w = lab_but(policy);

	for (size_t i = 0; want[i]; i++) {
		uint64_t before = counters(&w, "uplink")->allowed;
		uint64_t after;

		feed(&w, "uplink", (int64_t)i * MS, frames[i]);
		after = counters(&w, "uplink")->allowed;
		if (after - before != (want[i] == 'y'))
			fail_msg("%s: frame %zu is %s", policy, i,
				 after > before ? "allowed" : "not allowed");
	}
	end(&w);
}

/* ---- the tuple ---- */

static void test_directions(void **state)
{
	const struct bytes frames[] = { from_host(P_UDP, udp(68, 67, fill(1, 9))),
					to_host(P_UDP, udp(67, 68, fill(1, 9))) };

	(void)state;
	check(ALLOW("host", "udp", "any", "out", "any", ",\"port\":67,\"local-port\":68"), frames,
	      "yn");
	check(ALLOW("host", "udp", "any", "in", "any", ",\"port\":67,\"local-port\":68"), frames,
	      "ny");
	check(ALLOW("host", "udp", "any", "both", "any", ",\"port\":67,\"local-port\":68"), frames,
	      "yy");
}

static void test_protocol_peer_and_ports(void **state)
{
	const struct bytes frames[] = {
		from_host(P_UDP, udp(50, 100, fill(1, 9))),
		from_host(P_UDP, udp(50, 99, fill(1, 9))),
		from_host(P_UDP, udp(50, 110, fill(1, 9))),
		from_host(P_UDP, udp(50, 111, fill(1, 9))),
		from_host(P_UDP, udp(49, 100, fill(1, 9))),
		from_host(P_UDP, udp(60, 100, fill(1, 9))),
		from_host(P_UDP, udp(61, 100, fill(1, 9))),
		from_host(P_TCP, tcp(50, 100, 1, F_SYN, nothing())),
		out(ip(REAL, "198.51.100.99", P_UDP, udp(50, 100, fill(1, 9)))),
	};
	const struct bytes back[] = {
		to_host(P_UDP, udp(100, 50, fill(1, 9))),
		to_host(P_UDP, udp(50, 100, fill(1, 9))),
		in(ip("198.51.100.99", REAL, P_UDP, udp(100, 50, fill(1, 9)))),
	};

	(void)state;
	check(ALLOW("host", "udp", "198.51.100.134", "out", "any",
		    ",\"port\":\"100-110\",\"local-port\":\"50-60\""),
	      frames, "ynynnynnn");
	check(ALLOW("host", "udp", "198.51.100.134", "out", "any", ",\"port\":\"100-110\""), frames,
	      "ynynyyynn");
	check(ALLOW("host", "udp", "198.51.100.134", "out", "any", ",\"local-port\":\"50-60\""),
	      frames, "yyyynynnn");
	check(ALLOW("host", "udp", "198.51.100.134", "in", "any",
		    ",\"port\":\"100-110\",\"local-port\":\"50-60\""),
	      back, "ynn");
}

static struct bytes later_fragment(uint16_t id, struct bytes p)
{
	return out(ip4o(REAL, SINK, P_UDP, (struct ip_fields){ .id = id, .offset = 800 }, p));
}

static struct bytes first_fragment(uint16_t id, struct bytes p)
{
	return out(ip4o(REAL, SINK, P_UDP, (struct ip_fields){ .id = id, .more = 1 }, p));
}

/* A later fragment goes with its first; alone it could be anything. */
static void test_fragments(void **state)
{
	static const char clock[] = ALLOW("host", "udp", "any", "out", "ntp", ",\"port\":123");
	struct bytes ntp = cat(hex("23 00 06 20"), fill(0, 788));
	const struct bytes good[] = { first_fragment(7, udp(40001, 123, ntp)),
				      later_fragment(7, fill(1, 64)) };
	const struct bytes bad[] = { first_fragment(7, udp(40001, 123, fill(0xf8, 792))),
				     later_fragment(7, fill(1, 64)) };
	const struct bytes lost[] = { from_host(P_UDP, udp(40001, 123, ntp)),
				      later_fragment(8, fill(1, 64)) };

	(void)state;
	check(clock, good, "yy");
	check(clock, bad, "nn");
	check(clock, lost, "yn");
	/* a protocol without ports has nothing more to compare */
	check(ALLOW("host", "esp", "198.51.100.134", "out", "any", ""),
	      (const struct bytes[]){ from_host(50, fill(1, 40)) }, "y");
}

/* ---- shapes ---- */

static void test_shapes_of_datagrams(void **state)
{
	const struct bytes frames[] = {
		from_host(P_UDP, udp(40001, 5000, dns_query(1, "a.example"))),
		from_host(P_UDP, udp(40001, 5000, stun())),
		from_host(P_UDP, udp(40001, 5000, fill(0xee, 40))),
		from_host(P_UDP, udp(40001, 5000, nothing())),
	};

	(void)state;
	check(ALLOW("host", "udp", "any", "out", "any", ",\"port\":5000"), frames, "yyyy");
	check(ALLOW("host", "udp", "any", "out", "dns", ",\"port\":5000"), frames, "ynnn");
	check(ALLOW("host", "udp", "any", "out", "empty", ",\"port\":5000"), frames, "nnny");
	check(ALLOW("host", "udp", "any", "out", "ssh", ",\"port\":5000"), frames, "nnnn");
}

/* On a port of DNS and DHCP everything is read as such; what is broken then, is something else on that port. */
static void test_garbage_on_a_known_port(void **state)
{
	struct bytes query = dns_query(1, "a.example");
	const struct bytes dns[] = { from_host(P_UDP, udp(40001, 53, query)),
				     from_host(P_UDP, udp(40001, 53, dht_ping(fill(0x31, 20)))),
				     from_host(P_UDP, udp(40001, 53, utp(0x41))),
				     from_host(P_UDP, udp(40001, 53, slice(query, 0, query.n - 1))),
				     from_host(P_UDP, udp(40001, 53, nothing())) };
	const struct bytes dhcp[] = { from_host(P_UDP, udp(68, 67, fill(0xee, 300))) };
	const struct bytes dhcp6[] = {
		from_host(P_UDP, udp(546, 547, hex("01 123456 0008 0002 0000"))),
		from_host(P_UDP, udp(546, 547, hex("01 123456 0008 0003 0000"))),
		from_host(P_UDP, udp(546, 547, utp(0x41))),
		from_host(P_UDP, udp(546, 547, fill(0, 9)))
	};

	(void)state;
	check(ALLOW("host", "udp", "any", "out", "dns", ",\"port\":53"), dns, "ynnnn");
	check(ALLOW("host", "udp", "any", "out", "dhcp", ",\"port\":67"), dhcp, "n");
	check(ALLOW("host", "udp", "any", "out", "dhcp", ",\"port\":547"), dhcp6, "ynnn");
}

/* ---- captures with a short snap length ---- */

#define HEADERS	 (14 + 20 + 8)
#define NO_PORTS (14 + 20 + 7)

static struct bytes dhcp_discover(void)
{
	return cat(cat(hex("01010600 3903f326"), fill(0, 228)),
		   hex("63825363 350101 0c03616263 ff"));
}

/* A datagram of which `kept` bytes of payload were captured (-1: not even the ports): allowed, and was its shape seen? */
static void check_cut(const char *policy, struct bytes frame, int kept, bool allowed, bool seen)
{
	struct world w = lab_but(policy);

	feed_cut(&w, "uplink", 0, frame, (size_t)(kept < 0 ? NO_PORTS : HEADERS + kept));
	if ((counters(&w, "uplink")->allowed == 1) != allowed ||
	    (counters(&w, "uplink")->allowed_unverified == 0) != seen ||
	    (counters(&w, "uplink")->leaked == 0) != allowed)
		fail_msg("%s: %d bytes", policy, kept);
	end(&w);
}

/* What the allowance asks for is seen, or it is said that it was not; something else shows as soon as enough of it is there. */
static void test_cut_datagrams(void **state)
{
	const struct {
		const char *shape;
		uint16_t port;
		struct bytes good, bad;
		size_t telling, refuted; /* bytes by which either is known */
	} rows[] = {
		{ "dns", 53, dns_query(1, "a.example"), fill(0xee, 60), 27, 12 },
		{ "mdns", 5353, dns_query(0, "a.local"), fill(0xee, 60), 25, 12 },
		{ "ntp", 123, cat(hex("23 00 06 20"), fill(0, 44)), fill(0xee, 48), 4, 4 },
		{ "dhcp", 67, dhcp_discover(), fill(0xee, 300), 240, 4 },
		{ "dhcp", 67, dhcp_discover(), fill(1, 239), 240, 4 },
		{ "dhcp", 547, hex("01 123456 0008 0002 0000 0001 0002 0000"), fill(0xee, 60), 14,
		  4 },
		{ "dhcp", 547, hex("01 123456"), hex("01 123456 0008 0003 0000"), 1, 8 },
		{ "ssdp", 1900, ssdp(), fill(0xee, 60), 18, 18 },
		{ "nat-pmp", 5351, hex("0000"), fill(0xee, 60), 2, 2 },
		{ "nat-pmp", 5351, pcp_map(), fill(0xee, 60), 60, 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_free_ char *policy = shape_on_port(rows[i].shape, rows[i].port);
		struct bytes good = from_host(P_UDP, udp(40001, rows[i].port, rows[i].good));
		struct bytes bad = from_host(P_UDP, udp(40001, rows[i].port, rows[i].bad));

		for (int n = -1; n <= (int)rows[i].good.n; n++)
			check_cut(policy, good, n, true, n >= (int)rows[i].telling);
		for (int n = -1; n <= (int)rows[i].bad.n; n++)
			check_cut(policy, bad, n, n < (int)rows[i].refuted,
				  n >= (int)rows[i].refuted);
	}
}

/* The first payload decides for its connection; where it was not captured, nothing else shows that the rest is right. */
static void test_cut_streams(void **state)
{
	static const struct {
		size_t kept; /* of the hello */
		uint64_t unverified;
	} rows[] = { { 0, 2 }, { 5, 2 }, { 60, 0 } };
	const struct bytes frames[] = { segment(1, F_SYN, nothing()),
					segment(2, F_ACK, tls_hello("a.example")),
					segment(90, F_ACK, fill(0xe5, 68)) };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = lab_but(
			ALLOW("host", "tcp", "any", "out", "tls", ",\"port\":443"));

		for (size_t k = 0; k < 3; k++)
			feed_cut(&w, "uplink", (int64_t)k, frames[k],
				 k ? 14 + 20 + 20 + rows[i].kept : frames[k].n);
		assert_int_equal(counters(&w, "uplink")->allowed, 3);
		assert_int_equal(counters(&w, "uplink")->allowed_unverified, rows[i].unverified);
		end(&w);
	}
}

static void test_a_cut_tcp_header(void **state)
{
	struct world w = lab_but(ALLOW("host", "tcp", "any", "out", "tls", ",\"port\":443"));
	const struct bytes ack = segment(2, F_ACK, nothing());

	(void)state;
	for (size_t kept = 14 + 20; kept < ack.n; kept++)
		feed_cut(&w, "uplink", (int64_t)kept, ack, kept);
	assert_int_equal(counters(&w, "uplink")->allowed, 20);
	assert_int_equal(counters(&w, "uplink")->allowed_unverified, 20);
	assert_int_equal(counters(&w, "uplink")->leaked, 0);
	end(&w);
}

/* DNS over TCP may come in pieces, and each may be its end; a port and a length alone are no question. */
static void test_questions_in_pieces(void **state)
{
	static const char allow[] = ALLOW("host", "tcp", "any", "out", "dns", ",\"port\":53");
	struct bytes query = dns_query(1, "a.example");
	struct bytes whole = cat(be(query.n, 2), query);
	struct bytes noise = cat(hex("3412 1b2c 0100 0007 0000 0000"), fill(0xe5, 80));
	const struct {
		struct bytes first, second;
		const char *want;
	} rows[] = {
		{ slice(whole, 0, 2), slice(whole, 2, whole.n - 2), "yyy" },
		{ slice(whole, 0, 20), slice(whole, 20, whole.n - 20), "yyy" },
		{ noise, fill(0xe5, 20), "ynn" },
		{ slice(noise, 0, 5), slice(noise, 5, 80), "yyn" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct bytes frames[] = {
			from_host(P_TCP, tcp(40001, 53, 1, F_SYN, nothing())),
			from_host(P_TCP, tcp(40001, 53, 2, F_ACK, rows[i].first)),
			from_host(P_TCP, tcp(40001, 53, (uint32_t)(2 + rows[i].first.n), F_ACK,
					     rows[i].second)),
		};

		check(allow, frames, rows[i].want);
	}
}

/* Each shape is fitted by its own protocol, and by no other one. */
static void test_each_shape_and_its_protocol(void **state)
{
	static const char *const shapes[] = { "dns", "mdns", "dhcp", "ntp", "ssdp", "nat-pmp" };
	const struct {
		uint16_t port;
		struct bytes payload;
		const char *fits; /* y or n for each of the shapes */
	} rows[] = {
		{ 53, dns_query(1, "a.example"), "yynnnn" },
		{ 5353, dns_query(0, "a.local"), "yynnnn" },
		{ 123, cat(hex("23 00 06 20"), fill(0, 44)), "nnnynn" },
		{ 547, cat(hex("01 123456 0001 000a 00030001"), hex(M_HOST)), "nnynnn" },
		{ 1900, ssdp(), "nnnnyn" },
		{ 5351, hex("0000"), "nnnnny" },
		{ 5351, pcp_map(), "nnnnny" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
			_cleanup_free_ char *policy = shape_on_port(shapes[s], rows[i].port);
			const struct bytes frame = from_host(
				P_UDP, udp(40001, rows[i].port, rows[i].payload));
			const char want[] = { rows[i].fits[s], '\0' };

			check(policy, &frame, want);
		}
}

static struct bytes ping(uint8_t type)
{
	return from_host(P_ICMP, icmp(type, 0, cat(hex("1234 0001"), fill(9, 40))));
}

static struct bytes ping6(uint8_t type)
{
	return out(ip(REAL6, SINK6, P_ICMP6, icmp(type, 0, cat(hex("1234 0001"), fill(9, 40)))));
}

static void test_echoes(void **state)
{
	const struct bytes v4[] = { ping(8), ping(0), ping(13), ping(128) };
	const struct bytes v6[] = { ping6(128), ping6(129), ping6(127), ping6(8) };

	(void)state;
	check(ALLOW("host", "icmp", "any", "out", "icmp-echo", ""), v4, "yynn");
	check(ALLOW("host", "icmp6", "any", "out", "icmp-echo", ""), v6, "yynn");
	/* a datagram is no echo, whatever its bytes */
	check(ALLOW("host", "udp", "any", "out", "icmp-echo", ",\"port\":9"),
	      (const struct bytes[]){ from_host(P_UDP, udp(1, 9, fill(8, 40))) }, "n");
}

/* Something that carries something else is no shape that a policy names: the lookup inside is a tunnel of its own. */
/* A question to a resolver inside VXLAN (RFC 7348). */
static struct bytes wrapped(const char *from)
{
	struct bytes inner = eth(M_HOST, M_ROUTER, 0x0800,
				 ip(from, SINK, P_UDP, udp(40001, 53, dns_query(1, "a.example"))));

	return from_host(P_UDP, udp(40001, 4789, cat(hex("08000000 00000100"), inner)));
}

static void test_what_is_inside_does_not_excuse(void **state)
{
	const struct bytes others = wrapped("10.9.9.9"), of_the_stack = wrapped(QBT);

	(void)state;
	check(ALLOW("host", "udp", "any", "out", "dns", ",\"port\":4789"), &others, "n");
	check(ALLOW("host", "udp", "any", "out", "any", ",\"port\":4789"), &others, "y");
	check(ALLOW("host", "udp", "any", "out", "any", ",\"port\":4789"), &of_the_stack, "n");
}

/* ---- streams: the first payload decides ---- */

#define TLS443 ALLOW("host", "tcp", "any", "out", "tls", ",\"port\":443")

static void test_the_first_payload_decides(void **state)
{
	struct bytes hello = tls_hello("a.example");
	struct bytes cipher = fill(0xe5, 68);
	const struct bytes good[] = { segment(1, F_SYN, nothing()), segment(2, F_ACK, hello),
				      segment(90, F_ACK, cipher), segment(200, F_ACK, nothing()) };
	const struct bytes bad[] = { segment(1, F_SYN, nothing()), segment(2, F_ACK, cipher),
				     segment(90, F_ACK, hello), segment(200, F_ACK, nothing()) };
	/* a connection that is older than the capture is taken as long as nothing else shows in it */
	const struct bytes old[] = { segment(70, F_ACK, cipher), segment(170, F_ACK, cipher),
				     segment(270, F_ACK, text("GET / HTTP/1.1\r\nHost: a\r\n\r\n")),
				     segment(370, F_ACK, cipher) };
	const struct bytes again[] = { segment(1, F_SYN, nothing()), segment(2, F_ACK, cipher),
				       segment(9, F_SYN, nothing()), segment(10, F_ACK, hello) };

	(void)state;
	check(TLS443, good, "yyyy");
	check(TLS443, bad, "ynnn");
	check(TLS443, old, "yynn");
	check(TLS443, again, "ynyy");
}

static void test_a_stream_without_payload(void **state)
{
	const struct bytes frames[] = { segment(1, F_SYN, nothing()), segment(2, F_ACK, nothing()),
					segment(2, F_ACK, fill(0xe5, 9)),
					segment(9, F_ACK, nothing()) };

	(void)state;
	check(ALLOW("host", "tcp", "any", "out", "empty", ",\"port\":443"), frames, "yynn");
}

/* RFC 4253 4.2: the greeting begins with SSH- */
static void test_ssh_greets(void **state)
{
	static const struct {
		const char *greeting;
		const char *want;
	} rows[] = { { "SSH-2.0-OpenSSH_9.2\r\n", "yy" },
		     { "SSH-", "yy" },
		     { "SSH", "yn" },
		     { "SSX-2.0-x", "yn" },
		     { "\001SH-", "yn" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct bytes frames[] = { segment(1, F_SYN, nothing()),
						segment(2, F_ACK, text("%s", rows[i].greeting)) };

		check(ALLOW("host", "tcp", "any", "out", "ssh", ",\"port\":443"), frames,
		      rows[i].want);
		/* which makes it nothing else */
		check(ALLOW("host", "tcp", "any", "out", "tls", ",\"port\":443"), frames, "yn");
	}
}

/* Of two allowances for one tuple, the second may fit where the first does not. */
static void test_a_second_allowance(void **state)
{
	static const char both[] =
		"{\"allow\":[{\"who\":\"host\",\"proto\":\"tcp\",\"peer\":\"any\",\"direction\":"
		"\"out\","
		"\"shape\":\"http\",\"reason\":\"a\",\"port\":443},"
		"{\"who\":\"host\",\"proto\":\"tcp\",\"peer\":\"any\",\"direction\":\"out\","
		"\"shape\":\"tls\",\"reason\":\"b\",\"port\":443}]}";
	const struct bytes frames[] = { segment(1, F_SYN, nothing()),
					segment(2, F_ACK, tls_hello("a.example")),
					segment(90, F_ACK, fill(0xe5, 68)) };

	(void)state;
	check(both, frames, "yyy");
}

/* ---- whose ---- */

#define PLEX_LEG(network) "{\"addr\":\"172.28.0.3\",\"network\":\"" network "\"}"
#define PLEX_443                                                                        \
	"\"allow\":[{\"who\":\"plex\",\"proto\":\"tcp\",\"peer\":\"any\",\"port\":443," \
	"\"direction\":\"out\",\"shape\":\"any\",\"reason\":\"x\"}],\"published\":[],"  \
	"\"canaries\":[],"                                                              \
	"\"controls\":[],"
#define NETS                                                                                  \
	"\"networks\":[{\"name\":\"media\",\"bridge\":\"br0\",\"prefix\":\"172.28.0.0/24\"}," \
	"{\"name\":\"other\",\"prefix\":\"172.29.0.0/24\"},"                                  \
	"{\"name\":\"more\",\"bridge\":\"br1\",\"prefix\":\"172.27.0.0/24\"}],"
#define SERVICES(legs)                                                         \
	"\"services\":[{\"name\":\"app\",\"role\":\"protected\",\"legs\":[]}," \
	"{\"name\":\"plex\",\"role\":\"edge\",\"legs\":[" legs "]}],"
#define TAPS(more)	  "\"taps\":[{\"name\":\"uplink\",\"role\":\"uplink\"}" more "]}"
#define BR0		  ",{\"name\":\"b0\",\"role\":\"bridge\",\"interface\":\"br0\"}"
#define BR1		  ",{\"name\":\"b1\",\"role\":\"bridge\",\"interface\":\"br1\"}"
#define VETH		  ",{\"name\":\"v\",\"role\":\"veth\",\"interface\":\"v0\",\"service\":\"plex\"}"
#define WORLD(legs, taps) "{" PLEX_443 NETS SERVICES(legs) TAPS(taps)

/* Where taps see all that a service sends, a packet that they did not show is somebody else's. */
static void test_a_watched_service_is_excused_by_evidence_only(void **state)
{
	static const struct {
		const char *policy;
		const char *want;
	} rows[] = {
		{ WORLD(PLEX_LEG("media"), ""), "y" },
		{ WORLD(PLEX_LEG("media"), BR0), "n" },
		{ WORLD(PLEX_LEG("media"), BR1), "y" },
		/* one leg of two, and both */
		{ WORLD(PLEX_LEG("media") "," PLEX_LEG("more"), BR0), "y" },
		{ WORLD(PLEX_LEG("media") "," PLEX_LEG("more"), BR0 BR1), "n" },
		/* the bridge of a network is not known, and neither is the interface of a tap */
		{ WORLD(PLEX_LEG("other"), BR0), "y" },
		{ WORLD(PLEX_LEG("nowhere"), BR0), "y" },
		/* on the host's own network nothing can be watched */
		{ WORLD("", BR0), "y" },
		{ WORLD(PLEX_LEG("other"), VETH), "n" },
		{ WORLD(PLEX_LEG("other") "," PLEX_LEG("other"), VETH), "y" },
		{ WORLD("", VETH), "y" },
	};
	const struct bytes frame = segment(1, F_SYN, nothing());

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(rows[i].policy, &frame, rows[i].want);
}

/* A service's allowance is nobody else's, even where the policy is all there is to go by. */
static void test_protected_services_are_never_excused_without_evidence(void **state)
{
	const struct bytes frame = segment(1, F_SYN, nothing());

	(void)state;
	check(ALLOW("sonarr", "tcp", "any", "out", "any", ",\"port\":443"), &frame, "n");
	check(ALLOW("lan", "tcp", "any", "out", "any", ",\"port\":443"), &frame, "y");
}

static struct bytes seen_leaving(uint16_t id)
{
	return out(ip4o(REAL, SINK, P_UDP, (struct ip_fields){ .id = id, .ttl = 63 },
			udp(50000, 9, fill(1, 50))));
}

static void check_evidence(const char *policy, bool plex, bool app_too, uint64_t allowed)
{
	struct world w = lab_but(policy);

	if (plex)
		feed(&w, "br-media", 0,
		     eth(M_PLEX, M_HOST, 0x0800,
			 ip4o(PLEX, SINK, P_UDP, (struct ip_fields){ .ttl = 64 },
			      udp(1000, 9, fill(1, 50)))));
	if (app_too)
		feed(&w, "br-vpn", 1000, from_qbt(0, 64, udp(1000, 9, fill(1, 50))));
	feed(&w, "uplink", 45000, seen_leaving(7));
	assert_int_equal(counters(&w, "uplink")->allowed, allowed);
	end(&w);
}

/* Evidence that names the service excuses; evidence that names another, or two, does not. */
static void test_evidence_and_allowances(void **state)
{
	static const char plex[] = ALLOW("plex", "udp", "any", "out", "any", ",\"port\":9");
	static const char webui[] = ALLOW("webui", "udp", "any", "out", "any", ",\"port\":9");
	static const char host[] = ALLOW("host", "udp", "any", "out", "any", ",\"port\":9");

	(void)state;
	check_evidence(plex, true, false, 1);
	check_evidence(plex, true, true, 0);
	check_evidence(plex, false, true, 0);
	check_evidence(plex, false, false, 0);
	check_evidence(webui, true, false, 0);
	check_evidence(host, true, false, 0);
	check_evidence(host, false, false, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_directions),
		cmocka_unit_test(test_protocol_peer_and_ports),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_shapes_of_datagrams),
		cmocka_unit_test(test_garbage_on_a_known_port),
		cmocka_unit_test(test_cut_datagrams),
		cmocka_unit_test(test_cut_streams),
		cmocka_unit_test(test_a_cut_tcp_header),
		cmocka_unit_test(test_questions_in_pieces),
		cmocka_unit_test(test_each_shape_and_its_protocol),
		cmocka_unit_test(test_echoes),
		cmocka_unit_test(test_what_is_inside_does_not_excuse),
		cmocka_unit_test(test_the_first_payload_decides),
		cmocka_unit_test(test_a_stream_without_payload),
		cmocka_unit_test(test_ssh_greets),
		cmocka_unit_test(test_a_second_allowance),
		cmocka_unit_test(test_a_watched_service_is_excused_by_evidence_only),
		cmocka_unit_test(test_protected_services_are_never_excused_without_evidence),
		cmocka_unit_test(test_evidence_and_allowances),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
