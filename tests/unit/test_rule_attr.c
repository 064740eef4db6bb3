// SPDX-License-Identifier: MIT
/* Attribution: marks in bytes, text and names; senders, conntrack, destinations; what a flow remembers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golden/world.h"

#define HOME_POLICY "tests/golden/policy-home.json"
#define HOME_ADDR   "192.168.1.10"
#define SINK2	    "192.0.2.77" /* the far end of a tunnel of the host */
#define STRANGER    "020000000077"

static struct bytes says(uint16_t id, const char *words)
{
	return leaving(id, 64, udp(50000, 9, text("%s", words)));
}

static struct bytes asks(const char *name)
{
	return leaving(9, 64, udp(50000, 53, dns_query(1, name)));
}

/* The id of the only canary that a frame on the uplink shows; UINT32_MAX for none. */
static uint32_t canary_in(struct bytes frame)
{
	struct world w = lab();
	const struct judge_canary *c;
	uint32_t id;
	size_t n;

	feed(&w, "uplink", 0, frame);
	c = judge_canaries(w.j, &n);
	assert_true(n <= 1);
	id = n ? c->id : UINT32_MAX;
	assert_int_equal(counters(&w, "uplink")->beacons, 0);
	end(&w);
	return id;
}

/* ---- marks ---- */

static void test_marker_in_hex_digits(void **state)
{
	static const struct {
		const char *words;
		uint32_t id;
	} rows[] = {
		{ MARKER "00000001", 1 },
		{ "x" MARKER "00000009.", 9 },
		{ MARKER "0000000a", 10 },
		{ MARKER "0000000f", 15 },
		{ MARKER "7FFFFFFF and more", 0x7fffffff },
		{ MARKER "6789abcd", 0x6789abcd },
		/* the neighbours of the digits in ASCII are none */
		{ MARKER "0000000/", UINT32_MAX },
		{ MARKER "0000000:", UINT32_MAX },
		{ MARKER "0000000`", UINT32_MAX },
		{ MARKER "0000000@", UINT32_MAX },
		{ MARKER "0000000g", UINT32_MAX },
		{ MARKER "g0000001", UINT32_MAX },
		{ MARKER "0000001", UINT32_MAX }, /* cut off */
		{ MARKER, UINT32_MAX },
		{ "6c70000102030405060708090a0b0c0e00000001", UINT32_MAX }, /* of another run */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (canary_in(says(1, rows[i].words)) != rows[i].id)
			fail_msg("%s", rows[i].words);
}

static void test_marker_in_bytes(void **state)
{
	struct bytes cut = cat(hex(MARKER), hex("000000"));

	(void)state;
	assert_int_equal(canary_in(leaving(1, 64, udp(1, 9, cat(hex(MARKER), be(7, 4))))), 7);
	assert_int_equal(canary_in(leaving(1, 64, udp(1, 9, cut))), UINT32_MAX);
	/* where the capture cut the bytes, the same in text may still tell */
	cut = cat(text(MARKER "00000007 "), hex(MARKER));
	assert_int_equal(canary_in(leaving(1, 64, udp(1, 9, cut))), 7);
}

static struct bytes two_questions(const char *one, const char *two)
{
	struct bytes q = cat(hex("0000 0000 0002 0000 0000 0000"), dns_name(one));

	q = cat(cat(q, hex("0001 0001")), cat(dns_name(two), hex("0001 0001")));
	return out(ip(REAL, "224.0.0.251", P_UDP, udp(5353, 5353, q)));
}

static struct bytes segment(struct bytes payload)
{
	return out(ip(REAL, SINK, P_TCP, tcp(40001, 80, 2, F_ACK, payload)));
}

static void test_labels_of_names(void **state)
{
	(void)state;
	assert_int_equal(canary_in(asks("cq-8f21.example")), 1);
	assert_int_equal(canary_in(asks("x.CS-11d0.example")), 2);
	assert_int_equal(canary_in(asks("example.cs-11d0")), 2);
	assert_int_equal(canary_in(two_questions("nas.local", "cs-11d0.example")), 2);
	assert_int_equal(canary_in(segment(tls_hello("cs-11d0.example"))), 2);
	assert_int_equal(
		canary_in(segment(text("GET / HTTP/1.1\r\nHost: cs-11d0.example\r\n\r\n"))), 2);
	/* a longer, a shorter and another label */
	assert_int_equal(canary_in(asks("cq-8f210.example")), UINT32_MAX);
	assert_int_equal(canary_in(asks("cq-8f2.example")), UINT32_MAX);
	assert_int_equal(canary_in(asks("cq8f21.example")), UINT32_MAX);
	/* a name counts where a protocol puts a name */
	assert_int_equal(canary_in(says(1, "cq-8f21.example")), UINT32_MAX);
}

/* A name counts for the frame in which it stands, not for the next one. */
static void test_names_of_the_frame_before(void **state)
{
	const struct bytes named[] = {
		asks("cs-11d0.example"),
		segment(tls_hello("cs-11d0.example")),
		segment(text("GET / HTTP/1.1\r\nHost: cs-11d0.example\r\n\r\n")),
	};
	const struct judge_canary *c;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		struct world w = lab();

		feed(&w, "uplink", 0, named[i]);
		feed(&w, "uplink", 1, leaving(3, 64, udp(50000, 9, fill(1, 9))));
		c = judge_canaries(w.j, &n);
		assert_int_equal(n, 1);
		assert_int_equal(c->count, 1);
		end(&w);
	}
}

static void test_the_first_mark_counts(void **state)
{
	struct world w = lab();
	size_t n;

	(void)state;
	assert_int_equal(canary_in(two_questions("cs-11d0.example", "cq-8f21.example")), 2);
	assert_int_equal(canary_in(asks("cs-11d0.cq-8f21.example")), 2);
	feed(&w, "uplink", 0,
	     two_questions("ctl-plaintext-dns-6c70000102030405.example", "cs-11d0.example"));
	feed(&w, "uplink", 1, asks("ctl-plaintext-dns-6c70000102030405.cs-11d0.example"));
	(void)judge_canaries(w.j, &n);
	assert_int_equal(n, 0);
	assert_int_equal(counters(&w, "uplink")->controls, 2);
	end(&w);
}

static void check_control(struct bytes frame, bool control)
{
	struct world w = lab();

	feed(&w, "uplink", 0, frame);
	assert_int_equal(counters(&w, "uplink")->controls, control);
	assert_int_equal(judge_findings_total(w.j) > 0, !control);
	end(&w);
}

static void test_what_is_a_control(void **state)
{
	struct bytes arp_of_tunnel = arp(2, "026c65616b01", TUN, ROUTER);

	(void)state;
	check_control(asks("ctl-plaintext-dns-6c70000102030405.example"), true);
	check_control(asks("a.CTL-x-6C70000102030405"), true);
	check_control(asks("ctl--6c70000102030405.example"), false); /* names no rule */
	check_control(asks("dtl-plaintext-dns-6c70000102030405.example"), false);
	check_control(asks("ctl-plaintext-dns-6c70000102030406.example"), false);
	check_control(asks("ctl-plaintext-dns-6c70000102030405a.example"), false);
	check_control(leaving(1, 64, udp(1, 9, cat(hex(MARKER), be(0x80000000, 4)))), true);
	check_control(leaving(1, 64, udp(1, 9, cat(hex(MARKER), be(0x7fffffff, 4)))), false);
	/* forged frames without payload are known by their MAC */
	check_control(arp_of_tunnel, true);
	check_control(arp(2, "026c65616b02", TUN, ROUTER), false);
}

static void test_without_a_nonce_nothing_is_marked(void **state)
{
	struct policy *p = policy_but(HOME_POLICY, "{\"canaries\":[],\"allow\":[]}");
	struct world w = { .p = p };
	size_t n;

	(void)state;
	p->has_nonce = false;
	begin(&w, NULL);
	feed(&w, "uplink", 0, says(1, MARKER "00000001"));
	(void)judge_canaries(w.j, &n);
	assert_int_equal(n, 0);
	end(&w);
}

static void test_every_canary_finds_its_row(void **state)
{
	static const struct {
		uint32_t id;
		const char *service;
	} rows[] = {
		{ 40, "sonarr" }, { 10, "qbittorrent" }, { 30, "sonarr" }, { 20, "qbittorrent" }
	};
	static const char canaries[] =
		"{\"canaries\":[{\"id\":40,\"service\":\"sonarr\",\"probe\":\"u\",\"label\":\"d\"},"
		"{\"id\":10,\"service\":\"qbittorrent\",\"probe\":\"u\",\"label\":\"b\"},"
		"{\"id\":30,\"service\":\"sonarr\",\"probe\":\"u\",\"label\":\"a\"},"
		"{\"id\":20,\"service\":\"qbittorrent\",\"probe\":\"u\",\"label\":\"c\"}]}";

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct world w = lab_but(canaries);

		feed(&w, "uplink", 0,
		     leaving(1, 64, udp(1, 9, cat(hex(MARKER), be(rows[i].id, 4)))));
		check_who(&w, ATTR_NONCE, rows[i].service);
		assert_int_equal(first_of(&w, "cleartext-outside-tunnel")->canary, rows[i].id);
		end(&w);
	}
	for (const char *label = "abcd"; *label; label++) {
		static const uint32_t ids[] = { 30, 10, 20, 40 };
		struct world w = lab_but(canaries);
		const struct judge_canary *c;
		char name[] = "?.example";
		size_t n;

		name[0] = *label;
		feed(&w, "uplink", 0, asks(name));
		c = judge_canaries(w.j, &n);
		assert_int_equal(n, 1);
		assert_int_equal(c->id, ids[*label - 'a']);
		end(&w);
	}
	{
		struct world w = lab_but(canaries);

		feed(&w, "uplink", 0, leaving(1, 64, udp(1, 9, cat(hex(MARKER), be(25, 4)))));
		check_who(&w, ATTR_NONCE, "");
		assert_int_equal(first_of(&w, "cleartext-outside-tunnel")->canary, UINT32_MAX);
		end(&w);
	}
}

/* ---- senders ---- */

static const struct finding *told_of(struct world *w, const char *tap_name, struct bytes frame)
{
	feed(w, tap_name, 0, frame);
	judge_finish(w->j);
	return first_of(w, "router-advertisement-inside");
}

/* A router advertisement stands for any frame of the inside: who is said to have sent it? */
static void check_sender(const char *tap_name, const char *mac, struct bytes packet,
			 const char *service)
{
	struct world w = lab();
	const struct finding *f = told_of(&w, tap_name, eth(mac, "333300000001", 0x86dd, packet));

	assert_non_null(f);
	assert_string_equal(f->service, service);
	end(&w);
}

static void test_senders_inside(void **state)
{
	struct bytes ra = advertisement(1800, 0);

	(void)state;
	check_sender("br-vpn", M_SONARR, ra, "sonarr");
	check_sender("br-vpn", STRANGER, ra, "");
	/* all that leaves a veth is its container's, whatever it forges */
	check_sender("veth-qbt", STRANGER, ra, "qbittorrent");
}

/* The address outlives a gateway that forwards, the MAC does not. */
static void test_address_outweighs_mac(void **state)
{
	static const char *const apps[][2] = { { SONARR, "sonarr" },
					       { "172.30.0.130", "qbittorrent" } };
	struct bytes p = udp(1000, 9, fill(1, 50));

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct world w = lab();

		feed(&w, "br-vpn", 0,
		     eth(M_GATEWAY, M_HOST, 0x0800,
			 ip4o(apps[i][0], SINK, P_UDP, (struct ip_fields){ .id = 11, .ttl = 63 },
			      p)));
		feed(&w, "uplink", 45000, leaving(11, 62, udp(50000, 9, fill(1, 50))));
		check_who(&w, ATTR_BRIDGE_MATCH, apps[i][1]);
		end(&w);
	}
}

/* A service that a policy names for another tap than a veth speaks for nobody. */
static void test_only_a_veth_belongs_to_a_service(void **state)
{
	struct world w = lab_but("{\"taps\":[{\"name\":\"uplink\",\"role\":\"uplink\",\"service\":"
				 "\"sonarr\"}],\"controls\":[]}");

	(void)state;
	feed(&w, "uplink", 0, says(1, "x"));
	check_who(&w, ATTR_POLICY, "");
	end(&w);
}

static void test_own_addresses_outside(void **state)
{
	struct bytes p = udp(1000, 9, fill(1, 50));
	const struct {
		struct bytes frame;
		enum attribution how;
		const char *service;
	} rows[] = {
		{ out(ip(SONARR, SINK, P_UDP, p)), ATTR_SOURCE, "sonarr" },
		{ out(ip("172.30.0.200", SINK, P_UDP, p)), ATTR_SOURCE, "" },
		{ out(ip(TUN, SINK, P_UDP, p)), ATTR_SOURCE, "" },
		{ eth(M_SONARR, M_ROUTER, 0x0800, ip("203.0.113.60", SINK, P_UDP, p)), ATTR_SOURCE,
		  "sonarr" }, /* macvlan: a leg of its own on the uplink */
		{ out(ip("203.0.113.60", SINK, P_UDP, p)), ATTR_POLICY, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = lab();

		feed(&w, "uplink", 0, rows[i].frame);
		check_who(&w, rows[i].how, rows[i].service);
		end(&w);
	}
}

/* ---- destinations and conntrack ---- */

static const char odd_canaries[] =
	"{\"canaries\":[{\"id\":1,\"service\":\"qbittorrent\",\"probe\":\"dns\",\"label\":\"cq\"},"
	"{\"id\":2,\"service\":\"qbittorrent\",\"probe\":\"any\",\"dest\":\"198.51.100.141\"},"
	"{\"id\":3,\"service\":\"sonarr\",\"probe\":\"tcp\",\"dest\":\"198.51.100.140\","
	"\"proto\":\"tcp\",\"port\":7},"
	"{\"id\":4,\"service\":\"sonarr\",\"probe\":\"udp\",\"dest\":\"198.51.100.142\","
	"\"proto\":\"udp\"}]}";

static void test_destinations_of_canaries(void **state)
{
	const struct {
		struct bytes packet;
		const char *service; /* "": not by its destination */
		uint32_t canary;
	} rows[] = {
		{ ip(REAL, "198.51.100.140", P_TCP, tcp(1, 7, 4, F_SYN, fill(0, 0))), "sonarr", 3 },
		{ ip(REAL, "198.51.100.140", P_TCP, tcp(1, 8, 4, F_SYN, fill(0, 0))), "", 0 },
		{ ip(REAL, "198.51.100.140", P_UDP, udp(1, 7, fill(1, 9))), "", 0 },
		/* a later fragment tells no port */
		{ ip4o(REAL, "198.51.100.140", P_TCP, (struct ip_fields){ .id = 1, .offset = 800 },
		       fill(1, 64)),
		  "", 0 },
		{ ip(REAL, "198.51.100.141", P_UDP, udp(1, 7, fill(1, 9))), "qbittorrent", 2 },
		{ ip(REAL, "198.51.100.141", 253, fill(1, 9)), "qbittorrent", 2 },
		{ ip(REAL, "198.51.100.142", P_UDP, udp(1, 7, fill(1, 9))), "sonarr", 4 },
		{ ip(REAL, "198.51.100.142", P_TCP, tcp(1, 7, 4, F_SYN, fill(0, 0))), "", 0 },
		/* the one without a destination has not the address "none" for one */
		{ ip("fe80::10", "::", P_UDP, udp(1, 7, fill(1, 9))), "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = lab_but(odd_canaries);
		const struct finding *f;

		feed(&w, "uplink", 0, out(rows[i].packet));
		f = first_of(&w, "cleartext-outside-tunnel");
		assert_non_null(f);
		if (strcmp(f->service, rows[i].service) != 0)
			fail_msg("row %zu: `%s`, not `%s`", i, f->service, rows[i].service);
		assert_int_equal(f->how, rows[i].canary ? ATTR_DESTINATION : ATTR_POLICY);
		assert_int_equal(f->canary, rows[i].canary ? rows[i].canary : UINT32_MAX);
		end(&w);
	}
}

static struct judge_conntrack record(const char *src)
{
	struct judge_conntrack c = { .proto = P_UDP,
				     .sport = 1000,
				     .dport = 9,
				     .reply_sport = 9,
				     .reply_dport = 50000,
				     .from = START + 1 * MS,
				     .to = START + 10 * MS };

	assert_true(ipaddr_parse(src, &c.src) && ipaddr_parse(SINK, &c.dst));
	assert_true(ipaddr_parse(SINK, &c.reply_src) && ipaddr_parse(REAL, &c.reply_dst));
	return c;
}

static void check_conntrack(struct judge_conntrack c, struct bytes frame, int64_t at,
			    enum attribution how)
{
	struct world w = lab();

	judge_add_conntrack(w.j, &c);
	feed(&w, "uplink", at, frame);
	check_who(&w, how, how == ATTR_CONNTRACK ? "sonarr" : "");
	end(&w);
}

static void test_conntrack_names_the_whole_tuple(void **state)
{
	struct judge_conntrack c = record(SONARR);
	struct judge_conntrack other;
	struct bytes frame = leaving(11, 63, udp(50000, 9, fill(1, 50)));

	(void)state;
	check_conntrack(c, frame, 5 * MS, ATTR_CONNTRACK);
	check_conntrack(c, leaving(11, 63, udp(50001, 9, fill(1, 50))), 5 * MS, ATTR_POLICY);
	check_conntrack(c, leaving(11, 63, udp(50000, 10, fill(1, 50))), 5 * MS, ATTR_POLICY);
	check_conntrack(c, out(ip(REAL, "198.51.100.135", P_UDP, udp(50000, 9, fill(1, 50)))),
			5 * MS, ATTR_POLICY);
	check_conntrack(c, out(ip("203.0.113.11", SINK, P_UDP, udp(50000, 9, fill(1, 50)))), 5 * MS,
			ATTR_POLICY);
	check_conntrack(c, out(ip(REAL, SINK, P_TCP, tcp(50000, 9, 4, F_SYN, fill(0, 0)))), 5 * MS,
			ATTR_POLICY);
	/* a protocol without ports is known by its addresses */
	other = c;
	other.proto = P_ICMP;
	check_conntrack(other, out(ip(REAL, SINK, P_ICMP, icmp(8, 0, hex("1234 0001")))), 5 * MS,
			ATTR_CONNTRACK);
}

static void test_conntrack_in_its_time(void **state)
{
	struct judge_conntrack c = record(SONARR);
	struct bytes frame = leaving(11, 63, udp(50000, 9, fill(1, 50)));

	(void)state;
	check_conntrack(c, frame, 1 * MS - 1, ATTR_POLICY);
	check_conntrack(c, frame, 1 * MS, ATTR_CONNTRACK);
	check_conntrack(c, frame, 10 * MS, ATTR_CONNTRACK);
	check_conntrack(c, frame, 10 * MS + 1, ATTR_POLICY);
	c.from = 0;
	check_conntrack(c, frame, 0, ATTR_CONNTRACK);
	c.to = 0;
	check_conntrack(c, frame, 99 * MS, ATTR_CONNTRACK);
}

/* A record of an address that is nobody's says nothing, and does not end the search. */
static void test_conntrack_of_a_stranger(void **state)
{
	struct world w = lab();
	struct judge_conntrack stranger = record("172.30.0.200");
	struct judge_conntrack known = record(SONARR);

	(void)state;
	judge_add_conntrack(w.j, &stranger);
	judge_add_conntrack(w.j, &known);
	feed(&w, "uplink", 5 * MS, leaving(11, 63, udp(50000, 9, fill(1, 50))));
	check_who(&w, ATTR_CONNTRACK, "sonarr");
	end(&w);
}

/* ---- the bridge, the flow, the closed world ---- */

static void test_confidence_falls_with_the_gap(void **state)
{
	static const struct {
		int64_t gap;
		double confidence;
	} rows[] = { { 45000, 0.98 },  { 2 * MS, 0.98 },      { 2 * MS + 1, 0.9 },
		     { 60 * MS, 0.9 }, { 60 * MS + 1, 0.75 }, { -MS, 0.98 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = lab();

		feed(&w, "br-vpn", 0, from_qbt(11, 64, udp(1000, 9, fill(1, 50))));
		feed(&w, "uplink", rows[i].gap, leaving(11, 63, udp(50000, 9, fill(1, 50))));
		assert_true(first_of(&w, "cleartext-outside-tunnel")->confidence ==
			    rows[i].confidence);
		end(&w);
	}
}

static struct bytes home(struct bytes packet)
{
	return eth(M_HOST, M_ROUTER, 0x0800, packet);
}

static struct bytes home_segment(uint16_t id, uint32_t seq, size_t n)
{
	return home(ip4o(HOME_ADDR, SINK, P_TCP, (struct ip_fields){ .id = id, .ttl = 62 },
			 tcp(50001, 9, seq, F_ACK, fill(0x41, n))));
}

/* On a real host nothing but evidence counts: the flow that it tied stays tied. */
static void test_a_flow_remembers_who(void **state)
{
	struct world w = world_of(HOME_POLICY, NULL);
	const struct finding *f;
	size_t n;

	(void)state;
	feed(&w, "br-vpn", 0,
	     app(ip4o(QBT, SINK, P_TCP, (struct ip_fields){ .id = 50 },
		      tcp(40001, 9, 1000, F_ACK, fill(0x41, 1600)))));
	feed(&w, "uplink", 45000, home_segment(50, 1000, 800));
	feed(&w, "uplink", 46000, home_segment(51, 1800, 800));
	judge_finish(w.j);
	assert_int_equal(total_of(&w, "cleartext-outside-tunnel"), 2);
	f = judge_findings(w.j, &n);
	assert_int_equal(f[n - 1].how, ATTR_BRIDGE_MATCH);
	assert_string_equal(f[n - 1].service, "qbittorrent");
	assert_true(f[n - 1].confidence == 0.9);
	end(&w);
}

static struct bytes home_datagram(uint16_t id, struct bytes payload)
{
	return home(ip4o(HOME_ADDR, SINK, P_UDP, (struct ip_fields){ .id = id, .ttl = 62 },
			 udp(50001, 9, payload)));
}

/* Doubt is said of the packet, not of all that comes later; the harness's own leak ties nothing to the stack. */
static void test_what_a_flow_does_not_remember(void **state)
{
	struct world w = world_of(HOME_POLICY, NULL);

	(void)state;
	feed(&w, "br-vpn", 0, from_qbt(0, 64, udp(1000, 9, fill(1, 50))));
	feed(&w, "br-vpn", 1000, from_sonarr(0, 64, udp(1000, 9, fill(1, 50))));
	feed(&w, "uplink", 45000, home_datagram(7, fill(1, 50)));
	assert_int_equal(first_of(&w, "cleartext-outside-tunnel")->how, ATTR_AMBIGUOUS);
	feed(&w, "uplink", 46000, home_datagram(8, fill(2, 50)));
	assert_int_equal(counters(&w, "uplink")->unattributed, 1);
	end(&w);
	w = world_of(HOME_POLICY, NULL);
	feed(&w, "uplink", 0, home_datagram(7, cat(hex(MARKER), be(0x80000001, 4))));
	feed(&w, "uplink", 1, home_datagram(8, fill(2, 50)));
	assert_true(judge_control_caught(w.j, 0x80000001, "cleartext-outside-tunnel", "uplink"));
	assert_int_equal(counters(&w, "uplink")->unattributed, 1);
	end(&w);
}

/* ---- what the host wraps ---- */

#define NEIGHBOUR_ADDR "192.168.1.44"
#define WITH_TAP(member)                                                   \
	"{\"taps\":[{\"name\":\"uplink\",\"role\":\"uplink\"," member "}," \
	"{\"name\":\"br-vpn\",\"role\":\"bridge\"}]}"

static struct world home_but(const char *but)
{
	struct world w = { .p = policy_but(HOME_POLICY, but) };

	begin(&w, NULL);
	return w;
}

static struct bytes in_gre(const char *src, struct bytes packet)
{
	return home(ip(src, SINK2, 47, cat(cat(be(0, 2), be(ethertype_of(packet), 2)), packet)));
}

static struct bytes wrapped(const char *src, const char *inner)
{
	return in_gre(src, ip(inner, SINK, P_UDP, udp(1000, 9, fill(1, 50))));
}

static void test_the_source_of_a_wrapped_packet(void **state)
{
	static const struct {
		const char *but, *outer, *inner, *service;
		double confidence; /* 0: tied to nobody */
	} rows[] = {
		{ NULL, HOME_ADDR, QBT, "qbittorrent", 1.0 },
		{ NULL, HOME_ADDR, SONARR, "sonarr", 1.0 },
		{ NULL, HOME_ADDR, "172.30.0.9", "", 0.9 },
		{ NULL, HOME_ADDR, TUN, "", 0.9 },
		{ NULL, HOME_ADDR, "10.9.9.9", "", 0 },
		{ NULL, HOME_ADDR, HOME_ADDR, "", 0 },
		/* a neighbour's containers may have the same addresses */
		{ NULL, NEIGHBOUR_ADDR, QBT, "", 0 },
		{ WITH_TAP("\"mac\":\"02:00:00:00:00:10\""), NEIGHBOUR_ADDR, QBT, "qbittorrent",
		  1.0 },
		{ WITH_TAP("\"peer-mac\":\"02:00:00:00:00:01\""), NEIGHBOUR_ADDR, QBT,
		  "qbittorrent", 1.0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = home_but(rows[i].but);

		feed(&w, "uplink", 0, wrapped(rows[i].outer, rows[i].inner));
		if (counters(&w, "uplink")->unattributed != (rows[i].confidence == 0))
			fail_msg("row %zu", i);
		if (rows[i].confidence != 0) {
			check_who(&w, ATTR_SOURCE, rows[i].service);
			assert_true(first_of(&w, "cleartext-outside-tunnel")->confidence ==
				    rows[i].confidence);
		}
		end(&w);
	}
}

/* However deep, but not in what an ICMP error quotes. */
static void test_how_a_packet_is_wrapped(void **state)
{
	struct bytes p = ip(QBT, SINK, P_UDP, udp(1000, 9, fill(1, 50)));
	struct world w = home_but(NULL);

	(void)state;
	feed(&w, "uplink", 0,
	     in_gre(HOME_ADDR, ip("10.9.9.9", SINK, 4, ip("10.9.9.8", SINK, 4, p))));
	check_who(&w, ATTR_SOURCE, "qbittorrent");
	end(&w);
	w = home_but(NULL);
	feed(&w, "uplink", 0, home(ip(HOME_ADDR, SINK, P_ICMP, icmp(3, 3, cat(be(0, 4), p)))));
	assert_int_equal(counters(&w, "uplink")->unattributed, 1);
	end(&w);
}

/* A container's own address of IPv6, known by its packet on the bridge alone. */
static void test_a_wrapped_packet_on_the_bridge(void **state)
{
	struct bytes p = ip("2001:db8:7::82", SINK6, P_UDP, udp(1000, 9, fill(1, 50)));
	struct world w = home_but(NULL);

	(void)state;
	feed(&w, "br-vpn", 0, app(p));
	feed(&w, "uplink", 45000, home(ip(HOME_ADDR, SINK2, 41, p)));
	check_who(&w, ATTR_BRIDGE_MATCH, "qbittorrent");
	assert_true(first_of(&w, "cleartext-outside-tunnel")->confidence == 0.98);
	judge_finish(w.j);
	assert_int_equal(judge_blocked(w.j), 0);
	end(&w);
}

/* Whatever else tells whose a wrapped packet is, its attempt was not blocked. */
static void test_a_marked_packet_that_is_wrapped(void **state)
{
	struct bytes p = ip(QBT, SINK, P_UDP, udp(1000, 9, cat(hex(MARKER), be(1, 4))));
	struct world w = home_but(NULL);

	(void)state;
	feed(&w, "br-vpn", 0, app(p));
	feed(&w, "uplink", 45000, in_gre(HOME_ADDR, p));
	check_who(&w, ATTR_NONCE, "qbittorrent");
	judge_finish(w.j);
	assert_int_equal(judge_blocked(w.j), 0);
	end(&w);
}

/* What goes the same way next is somebody else's. */
static void test_a_wrapped_packet_ties_no_flow(void **state)
{
	struct world w = home_but(NULL);

	(void)state;
	feed(&w, "uplink", 0, wrapped(HOME_ADDR, QBT));
	feed(&w, "uplink", 1, wrapped(HOME_ADDR, "10.9.9.9"));
	assert_int_equal(counters(&w, "uplink")->leaked, 1);
	assert_int_equal(counters(&w, "uplink")->unattributed, 1);
	end(&w);
}

/* A control proves every rule, those too that policy alone would not satisfy. */
static void test_a_control_is_tied_by_its_mark(void **state)
{
	struct world w = lab();

	(void)state;
	feed(&w, "uplink", 0,
	     out(ip("192.168.77.1", SINK, P_UDP, udp(1, 9, cat(hex(MARKER), be(0x80000001, 4))))));
	assert_true(judge_control_caught(w.j, 0x80000001, "private-source-outside", "uplink"));
	end(&w);
}

static void test_closed_world_with_one_protected_service(void **state)
{
	struct world w = lab_but(
		"{\"services\":[{\"name\":\"plex\",\"role\":\"edge\",\"legs\":[]},"
		"{\"name\":\"sonarr\",\"role\":\"protected\",\"legs\":[]},"
		"{\"name\":\"webui\",\"role\":\"edge\",\"legs\":[]}],"
		"\"canaries\":[],\"published\":[],"
		"\"taps\":[{\"name\":\"uplink\",\"role\":\"uplink\"}],\"controls\":[]}");

	(void)state;
	feed(&w, "uplink", 0, says(1, "x"));
	check_who(&w, ATTR_POLICY, "sonarr");
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_marker_in_hex_digits),
		cmocka_unit_test(test_marker_in_bytes),
		cmocka_unit_test(test_labels_of_names),
		cmocka_unit_test(test_names_of_the_frame_before),
		cmocka_unit_test(test_the_first_mark_counts),
		cmocka_unit_test(test_what_is_a_control),
		cmocka_unit_test(test_without_a_nonce_nothing_is_marked),
		cmocka_unit_test(test_every_canary_finds_its_row),
		cmocka_unit_test(test_senders_inside),
		cmocka_unit_test(test_address_outweighs_mac),
		cmocka_unit_test(test_only_a_veth_belongs_to_a_service),
		cmocka_unit_test(test_own_addresses_outside),
		cmocka_unit_test(test_destinations_of_canaries),
		cmocka_unit_test(test_conntrack_names_the_whole_tuple),
		cmocka_unit_test(test_conntrack_in_its_time),
		cmocka_unit_test(test_conntrack_of_a_stranger),
		cmocka_unit_test(test_confidence_falls_with_the_gap),
		cmocka_unit_test(test_a_flow_remembers_who),
		cmocka_unit_test(test_what_a_flow_does_not_remember),
		cmocka_unit_test(test_the_source_of_a_wrapped_packet),
		cmocka_unit_test(test_how_a_packet_is_wrapped),
		cmocka_unit_test(test_a_wrapped_packet_on_the_bridge),
		cmocka_unit_test(test_a_marked_packet_that_is_wrapped),
		cmocka_unit_test(test_a_wrapped_packet_ties_no_flow),
		cmocka_unit_test(test_a_control_is_tied_by_its_mark),
		cmocka_unit_test(test_closed_world_with_one_protected_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
