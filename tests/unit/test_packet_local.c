/* SPDX-License-Identifier: MIT */
/* What a local network speaks, at its limits: neighbour discovery, DHCP, NAT-PMP and PCP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/frames.h"
#include "packet/internal.h"

static struct facts facts;

static void decode_raw(const struct frame *f)
{
	(void)decode_frame(NULL, LINK_RAW, f->b, (uint32_t)f->n, (uint32_t)f->n, 1000, &facts);
}

static void decode_on(unsigned port, const struct frame *p)
{
	struct frame f = { .n = 0 };

	put_ip4(&f, 17, p->n + 8, 1, 0);
	put_udp(&f, 40000, port, p->n);
	put(&f, p->b, p->n);
	decode_raw(&f);
}

static void assert_ip(const struct ipaddr *a, const char *want)
{
	char text[IPADDR_TEXT];

	if (want)
		assert_string_equal(ipaddr_format(a, text, sizeof(text)), want);
	else
		assert_true(ipaddr_is_none(a));
}

/* ---- neighbour discovery ---- */

/* A message of its fixed size, all of it 0x11, and options behind it. */
static void decode_nd_message(unsigned type, size_t size, const char *options, size_t n)
{
	struct frame f = { .n = 0 };

	put_ip6(&f, 58, size + n);
	put8(&f, type);
	put_fill(&f, size - 1, 0x11);
	put(&f, options, n);
	decode_raw(&f);
}

static void discovery_has_its_sizes(void **state)
{
	static const struct {
		unsigned type;
		size_t size;
		unsigned lifetime;
		bool target;
	} rows[] = {
		{ 133, 8, 0, false }, { 134, 16, 0x1111, false }, { 135, 24, 0, true },
		{ 136, 24, 0, true }, { 137, 40, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *target = "1111:1111:1111:1111:1111:1111:1111:1111";

		decode_nd_message(rows[i].type, rows[i].size, "", 0);
		assert_int_equal(facts.reason, UND_NONE);
		assert_true(facts.protos & P(ND));
		assert_int_equal(facts.nd.type, rows[i].type);
		assert_int_equal(facts.nd.router_lifetime, rows[i].lifetime);
		assert_ip(&facts.nd.target, rows[i].target ? target : NULL);
		for (size_t n = 8; n < rows[i].size; n++) {
			decode_nd_message(rows[i].type, n, "", 0);
			assert_int_equal(facts.reason, UND_ND_SHORT);
			assert_true(facts.protos & P(ND));
		}
	}
	decode_nd_message(132, 8, "", 0);
	assert_false(facts.protos & P(ND));
	decode_nd_message(138, 40, "", 0);
	assert_false(facts.protos & P(ND));
}

#define LLADDR	   "\2\0\0\0\0\1"
#define PREFIX	   "\3\4\x40\xc0\0\0\0\x1e\0\0\0\x0f\0\0\0\0" /* and a net */
#define RDNSS	   "\x19\3\0\0\0\0\0\x1e"		      /* and an address */
#define OPTIONS(s) (s), sizeof(s) - 1

static void discovery_options(void **state)
{
	static const struct {
		const char *options;
		size_t n;
		enum undecodable reason;
		bool lladdr;
		const char *prefix, *dns;
	} rows[] = {
		{ OPTIONS("\1\1" LLADDR), UND_NONE, true, NULL, NULL },
		{ OPTIONS("\2\1" LLADDR), UND_NONE, true, NULL, NULL },
		{ OPTIONS("\0\1" LLADDR), UND_NONE, false, NULL, NULL },
		{ OPTIONS("\1"), UND_ND_OPTION, false, NULL, NULL },
		{ OPTIONS("\1\0" LLADDR), UND_ND_OPTION, false, NULL, NULL },
		{ OPTIONS("\1\1\2\0\0\0\0"), UND_ND_OPTION, false, NULL, NULL },
		{ OPTIONS("\1\2" LLADDR), UND_ND_OPTION, false, NULL, NULL },
		{ OPTIONS("\1\1" LLADDR "\1"), UND_ND_OPTION, true, NULL, NULL },
		{ OPTIONS(PREFIX SRC6), UND_NONE, false, "2001:db8:1::10", NULL },
		{ OPTIONS(PREFIX SRC6 PREFIX DST6), UND_NONE, false, "2001:db8:1::10", NULL },
		{ OPTIONS("\3\3\x40\xc0\0\0\0\x1e\0\0\0\x0f\0\0\0\0abcdefgh"), UND_NONE, false,
		  NULL, NULL },
		{ OPTIONS(RDNSS SRC6), UND_NONE, false, NULL, "2001:db8:1::10" },
		{ OPTIONS(RDNSS SRC6 RDNSS DST6), UND_NONE, false, NULL, "2001:db8:1::10" },
		{ OPTIONS("\x19\2\0\0\0\0\0\x1e"
			  "abcdefgh"),
		  UND_NONE, false, NULL, NULL },
		{ OPTIONS("\x1f\3\0\0\0\0\0\x1e" SRC6), UND_NONE, false, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		decode_nd_message(134, 16, rows[i].options, rows[i].n);
		assert_int_equal(facts.reason, rows[i].reason);
		assert_int_equal(facts.nd.has_lladdr, rows[i].lladdr);
		assert_int_equal(facts.nd.has_prefix, rows[i].prefix != NULL);
		assert_ip(&facts.nd.prefix, rows[i].prefix);
		assert_int_equal(facts.nd.prefix_len, rows[i].prefix ? 64 : 0);
		assert_ip(&facts.nd.dns, rows[i].dns);
		if (rows[i].lladdr)
			assert_memory_equal(facts.nd.lladdr, LLADDR, 6);
	}
}

/* RFC 4191 2.3: the prefix is as long as the sender needs; without a lifetime a route is taken back. */
static void routes_of_routers(void **state)
{
	static const struct {
		const char *options;
		size_t n;
		const char *route; /* NULL: none */
		unsigned len;
	} rows[] = {
		{ OPTIONS("\x18\1\1\0\0\0\7\x08"), "::", 1 },
		{ OPTIONS("\x18\1\0\0\1\0\0\0"), "::", 0 },
		{ OPTIONS("\x18\1\1\0\0\0\0\0"), NULL, 0 },
		{ OPTIONS("\x18\2\x20\0\0\0\0\1\x20\1\x0d\xb8\0\0\0\0"), "2001:db8::", 32 },
		{ OPTIONS("\x18\3\x80\x08\xff\xff\xff\xff" SRC6), "2001:db8:1::10", 128 },
		{ OPTIONS("\x18\4\x80\0\0\0\0\1" SRC6 "\xff\xff\xff\xff\xff\xff\xff\xff"),
		  "2001:db8:1::10", 128 },
		{ OPTIONS("\x18\3\x81\0\0\0\0\1" SRC6), NULL, 0 },
		{ OPTIONS("\x18\3\x80\0\0\0\0\0" DST6 "\x18\3\x80\0\0\0\0\1" SRC6),
		  "2001:db8:1::10", 128 },
		{ OPTIONS("\x18\3\x80\0\0\0\0\1" SRC6 "\x18\3\x40\0\0\0\0\1" DST6),
		  "2001:db8:1::10", 128 },
		{ OPTIONS("\x17\3\x80\0\0\0\0\1" SRC6), NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[IPADDR_TEXT];

		decode_nd_message(134, 16, rows[i].options, rows[i].n);
		assert_int_equal(facts.reason, UND_NONE);
		assert_int_equal(facts.nd.has_route, rows[i].route != NULL);
		assert_int_equal(facts.nd.route_len, rows[i].len);
		assert_string_equal(ipaddr_format(&facts.nd.route, text, sizeof(text)),
				    rows[i].route ? rows[i].route : "::");
	}
}

/* ---- DHCP ---- */

/* The fixed part with the addresses that are asked for, and the cookie. */
static void put_dhcp(struct frame *p, const char *ciaddr, const char *yiaddr)
{
	put(p, "\1\1\6\0\xca\xfe\xba\xbe\0\0\0\0", 12);
	put(p, ciaddr, 4);
	put(p, yiaddr, 4);
	put_zero(p, 8);
	put(p, "\2\0\0\0\0\1", 6);
	put_zero(p, 10 + 192);
	put32(p, 0x63825363);
}

static void decode_dhcp_options(const char *options, size_t n)
{
	struct frame p = { .n = 0 };

	put_dhcp(&p, "\0\0\0\0", "\0\0\0\0");
	put(&p, options, n);
	decode_on(67, &p);
}

static void dhcp_headers(void **state)
{
	struct frame p = { .n = 0 };

	(void)state;
	put_dhcp(&p, "\xcb\0\x71\x0a", "\x0a\x4d\0\3");
	decode_on(67, &p);
	assert_int_equal(facts.reason, UND_NONE);
	assert_int_equal(facts.weak, 0);
	assert_int_equal(facts.dhcp.op, 1);
	assert_int_equal(facts.dhcp.xid, 0xcafebabe);
	assert_memory_equal(facts.dhcp.client_mac, LLADDR, 6);
	assert_ip(&facts.dhcp.ciaddr, "203.0.113.10");
	assert_ip(&facts.dhcp.yiaddr, "10.77.0.3");
	assert_int_equal(facts.n_addrs, 1);
	assert_int_equal(facts.addrs[0].place, PLACE_DHCP_CLIENT);
	assert_ip(&facts.addrs[0].addr, "203.0.113.10");
	for (size_t n = 4; n < 240; n++) { /* the cookie cut off, or the header */
		struct frame q = p;

		q.n = n;
		decode_on(67, &q);
		assert_int_equal(facts.reason, UND_DHCP_SHORT);
		assert_true(facts.weak & P(DHCP));
	}
	p.b[239]++;
	decode_on(67, &p);
	assert_int_equal(facts.reason, UND_DHCP_SHORT);
	decode_dhcp_options("", 0);
	assert_ip(&facts.dhcp.ciaddr, NULL);
	assert_ip(&facts.dhcp.yiaddr, NULL);
	assert_int_equal(facts.n_addrs, 0);
}

/* An option that holds an address. */
static const struct ipaddr *address_of(unsigned kind)
{
	switch (kind) {
	case 3:
		return &facts.dhcp.router;
	case 6:
		return &facts.dhcp.dns;
	case 54:
		return &facts.dhcp.server;
	default:
		return facts.n_addrs ? &facts.addrs[0].addr : &facts.dhcp.ciaddr;
	}
}

static void dhcp_addresses(void **state)
{
	static const uint8_t kinds[] = { 3, 6, 50, 54 };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds); i++)
		for (unsigned n = 0; n <= 8; n++) {
			char option[10] = { (char)kinds[i], (char)n, 10, 77, 0, 1, 10, 77, 0, 2 };

			decode_dhcp_options(option, 2 + n);
			assert_int_equal(facts.reason, n < 4 ? UND_DHCP_OPTION : UND_NONE);
			assert_ip(address_of(kinds[i]), n < 4 ? NULL : "10.77.0.1");
			assert_int_equal(facts.n_addrs, kinds[i] == 50 && n >= 4);
		}
}

static void dhcp_options(void **state)
{
	static const struct {
		const char *options;
		size_t n;
		enum undecodable reason;
		unsigned type;
		const char *hostname;
	} rows[] = {
		{ OPTIONS("\x35\1\5\x0c\4seed\xff"), UND_NONE, 5, "seed" },
		{ OPTIONS("\0\0\x35\1\5\0\x0c\4seed"), UND_NONE, 5, "seed" },
		{ OPTIONS("\x35\1\5\xff\x0c\4seed"), UND_NONE, 5, "" },
		{ OPTIONS("\x35\1\5\x0c\5seed"), UND_DHCP_OPTION, 5, "" },
		{ OPTIONS("\x35\1\5\x0c"), UND_DHCP_OPTION, 5, "" },
		{ OPTIONS("\x35\1\5\x0c\0"), UND_NONE, 5, "" },
		{ OPTIONS("\x35"), UND_DHCP_OPTION, 0, "" },
		{ OPTIONS("\x34\1\5\x36\4....\x0d\1a"), UND_NONE, 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		decode_dhcp_options(rows[i].options, rows[i].n);
		assert_int_equal(facts.reason, rows[i].reason);
		assert_int_equal(facts.dhcp.type, rows[i].type);
		assert_string_equal(facts.dhcp.hostname, rows[i].hostname);
	}
}

/* RFC 3442: as many bytes of the net as its length needs. */
static void dhcp_routes_one_by_one(void **state)
{
	static const struct {
		const char *routes;
		size_t n;
		const char *net, *router; /* NULL: none read, and damage */
	} rows[] = {
		{ OPTIONS("\0\x0a\x4d\0\1"), "0.0.0.0", "10.77.0.1" },
		{ OPTIONS("\1\x80\x0a\x4d\0\1"), "128.0.0.0", "10.77.0.1" },
		{ OPTIONS("\x08\x0a\x0a\x4d\0\1"), "10.0.0.0", "10.77.0.1" },
		{ OPTIONS("\x09\x0a\x80\x0a\x4d\0\1"), "10.128.0.0", "10.77.0.1" },
		{ OPTIONS("\x18\xcb\0\x71\x0a\x4d\0\1"), "203.0.113.0", "10.77.0.1" },
		{ OPTIONS("\x20\xcb\0\x71\x0a\x0a\x4d\0\1"), "203.0.113.10", "10.77.0.1" },
		{ OPTIONS("\x21\xcb\0\x71\x0a\x0a\x4d\0\1"), NULL, NULL },
		{ OPTIONS("\x20\xcb\0\x71\x0a\x0a\x4d\0"), NULL, NULL },
		{ OPTIONS("\x20\xcb\0\x71"), NULL, NULL },
		{ OPTIONS("\x18"), NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (unsigned kind = 121; kind <= 249; kind += 128) {
			char option[32] = { (char)kind, (char)rows[i].n };

			memcpy(option + 2, rows[i].routes, rows[i].n);
			decode_dhcp_options(option, 2 + rows[i].n);
			assert_int_equal(facts.reason, rows[i].net ? UND_NONE : UND_DHCP_OPTION);
			assert_int_equal(facts.dhcp.n_routes, rows[i].net != NULL);
			assert_int_equal(facts.dhcp.routes_total, rows[i].net != NULL);
			if (!rows[i].net)
				continue;
			assert_ip(&facts.dhcp.routes[0].net, rows[i].net);
			assert_ip(&facts.dhcp.routes[0].router, rows[i].router);
			assert_int_equal(facts.dhcp.routes[0].len, (uint8_t)rows[i].routes[0]);
		}
}

static void dhcp_routes_are_counted(void **state)
{
	(void)state;
	for (unsigned n = DHCP_ROUTES - 1; n <= DHCP_ROUTES + 2; n++) {
		struct frame o = { .n = 0 };
		unsigned kept = n < DHCP_ROUTES ? n : DHCP_ROUTES;

		put8(&o, 121);
		put8(&o, 6 * n);
		for (unsigned i = 0; i < n; i++) {
			put(&o, "\x08\x0a\x0a\x4d\0", 5);
			put8(&o, i);
		}
		decode_dhcp_options((const char *)o.b, o.n);
		assert_int_equal(facts.dhcp.routes_total, n);
		assert_int_equal(facts.dhcp.n_routes, kept);
		assert_int_equal(facts.dhcp.routes[kept - 1].router.b[15], kept - 1);
	}
}

/* Where more come than are kept, a public one is kept. */
static void public_routes_are_kept(void **state)
{
	(void)state;
	for (unsigned n = DHCP_ROUTES - 1; n <= DHCP_ROUTES + 1; n++)
		for (unsigned at = 0; at < n; at++) {
			unsigned kept = n < DHCP_ROUTES ? n : DHCP_ROUTES, found = 0;
			struct frame o = { .n = 0 };

			put8(&o, 121);
			put8(&o, 6 * n);
			for (unsigned i = 0; i < n; i++) {
				put8(&o, 8);
				put8(&o, i == at ? 9 : 10);
				put(&o, "\x0a\x4d\0\1", 4);
			}
			decode_dhcp_options((const char *)o.b, o.n);
			assert_int_equal(facts.dhcp.n_routes, kept);
			assert_int_equal(facts.dhcp.routes_total, n);
			for (unsigned i = 0; i < kept; i++)
				found += dhcp_route_is_public(&facts.dhcp.routes[i]);
			assert_int_equal(found, 1);
		}
}

static void routes_to_public_addresses(void **state)
{
	static const struct {
		uint8_t net[4], len;
		bool public_;
	} rows[] = {
		{ { 0, 0, 0, 0 }, 0, false },	   { { 9, 9, 9, 9 }, 0, false },
		{ { 0, 0, 0, 0 }, 1, true },	   { { 0, 0, 0, 0 }, 31, true },
		{ { 0, 0, 0, 0 }, 32, false },	   { { 0, 0, 0, 1 }, 32, true },
		{ { 10, 0, 0, 0 }, 1, true },	   { { 10, 0, 0, 0 }, 7, true },
		{ { 10, 0, 0, 0 }, 8, false },	   { { 10, 9, 8, 7 }, 32, false },
		{ { 11, 0, 0, 0 }, 8, true },	   { { 9, 255, 255, 255 }, 32, true },
		{ { 172, 16, 0, 0 }, 11, true },   { { 172, 16, 0, 0 }, 12, false },
		{ { 172, 31, 0, 0 }, 12, false },  { { 192, 168, 0, 0 }, 15, true },
		{ { 192, 168, 0, 0 }, 16, false }, { { 169, 254, 0, 0 }, 15, true },
		{ { 169, 254, 0, 0 }, 16, false }, { { 100, 64, 0, 0 }, 9, true },
		{ { 100, 64, 0, 0 }, 10, false },  { { 203, 0, 113, 10 }, 32, true },
		{ { 203, 0, 113, 0 }, 24, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dhcp_route r = { .net = ipaddr_v4(rows[i].net), .len = rows[i].len };

		if (dhcp_route_is_public(&r) != rows[i].public_)
			fail_msg("row %zu", i);
	}
}

/* RFC 2132 5.8: pairs of a host and its router. */
static void static_routes(void **state)
{
	(void)state;
	for (unsigned n = 0; n <= 17; n++) {
		char option[32] = "\x21.\xcb\0\x71\x0a\x0a\x4d\0\1\xc6\x33\x64\x09\x0a\x4d\0\2";

		option[1] = (char)n;
		decode_dhcp_options(option, 2 + n);
		assert_int_equal(facts.reason, n % 8 ? UND_DHCP_OPTION : UND_NONE);
		assert_int_equal(facts.dhcp.n_routes, n / 8);
		if (n < 16)
			continue;
		assert_ip(&facts.dhcp.routes[0].net, "203.0.113.10");
		assert_ip(&facts.dhcp.routes[0].router, "10.77.0.1");
		assert_int_equal(facts.dhcp.routes[0].len, 32);
		assert_ip(&facts.dhcp.routes[1].net, "198.51.100.9");
		assert_ip(&facts.dhcp.routes[1].router, "10.77.0.2");
	}
}

/* A list that is split over two options of its kind at any byte, with another option between. */
static void split_routes_are_put_together(void **state)
{
	static const char routes[] = "\x20\xcb\0\x71\x0a\x0a\x4d\0\1\x01\x80\x0a\x4d\0\2";
	static const uint8_t kinds[] = { 121, 249 };
	const unsigned n = sizeof(routes) - 1;

	(void)state;
	for (unsigned k = 0; k < 2 * (n + 1); k++) {
		unsigned kind = kinds[k / (n + 1)], at = k % (n + 1);
		struct frame o = { .n = 0 };

		put8(&o, kind);
		put8(&o, at);
		put(&o, routes, at);
		put(&o, "\x35\1\5", 3);
		put8(&o, kind);
		put8(&o, n - at);
		put(&o, routes + at, n - at);
		decode_dhcp_options((const char *)o.b, o.n);
		assert_int_equal(facts.reason, UND_NONE);
		assert_int_equal(facts.dhcp.type, 5);
		assert_int_equal(facts.dhcp.n_routes, 2);
		assert_ip(&facts.dhcp.routes[0].net, "203.0.113.10");
		assert_ip(&facts.dhcp.routes[0].router, "10.77.0.1");
		assert_ip(&facts.dhcp.routes[1].net, "128.0.0.0");
		assert_ip(&facts.dhcp.routes[1].router, "10.77.0.2");
	}
	/* halves of different kinds are no whole */
	decode_dhcp_options(OPTIONS("\x79\2\x08\x0a\xf9\4\x0a\x4d\0\1"));
	assert_int_equal(facts.reason, UND_DHCP_OPTION);
	assert_int_equal(facts.dhcp.n_routes, 0);
	/* behind what is no route no other one begins */
	decode_dhcp_options(OPTIONS("\x79\1\x21\x79\6\x08\x0a\x0a\x4d\0\1"));
	assert_int_equal(facts.reason, UND_DHCP_OPTION);
	assert_int_equal(facts.dhcp.n_routes, 0);
}

/* A route in one of the fields, at an offset of the fixed part, and what option 52 says. */
static void check_overload(unsigned value, size_t at, size_t size, bool read)
{
	struct frame p = { .n = 0 };
	char option[3] = { 52, 1, (char)value };

	put_dhcp(&p, "\0\0\0\0", "\0\0\0\0");
	memset(p.b + at, 0, size);
	memcpy(p.b + at + size - 8, "\x79\6\x08\x0a\x0a\x4d\0\1", 8);
	put(&p, option, 3);
	decode_on(67, &p);
	assert_int_equal(facts.reason, UND_NONE);
	assert_int_equal(facts.dhcp.n_routes, read);
}

static void overloaded_fields_have_options(void **state)
{
	struct frame p = { .n = 0 };

	(void)state;
	for (unsigned value = 0; value <= 4; value++) {
		check_overload(value, 108, 128, value & 1);
		check_overload(value, 44, 64, value & 2);
	}
	put_dhcp(&p, "\0\0\0\0", "\0\0\0\0");
	put(&p, "\x79\1\x08\x34\1\3\xff\x79", 8);
	/* split over all three, in their order, and each field ends as the first does */
	memcpy(p.b + 108, "\x79\3\x0a\x0a\x4d\xff\x79", 7);
	memcpy(p.b + 44, "\x79\2\0\1\xff\x79", 6);
	decode_on(67, &p);
	assert_int_equal(facts.reason, UND_NONE);
	assert_int_equal(facts.dhcp.n_routes, 1);
	assert_ip(&facts.dhcp.routes[0].net, "10.0.0.0");
	assert_ip(&facts.dhcp.routes[0].router, "10.77.0.1");
	p.b[44 + 1] = 63; /* beyond the field */
	decode_on(67, &p);
	assert_int_equal(facts.reason, UND_DHCP_OPTION);
	assert_int_equal(facts.dhcp.n_routes, 0);
	/* said twice, both hold; a field does not say which others have options */
	p.n = 0;
	put_dhcp(&p, "\0\0\0\0", "\0\0\0\0");
	put(&p, "\x34\1\1\x34\1\2", 6);
	memcpy(p.b + 44, "\x79\6\x08\x0a\x0a\x4d\0\1", 8);
	memcpy(p.b + 108, "\x79\6\x08\x0b\x0a\x4d\0\1\x34\1\2", 11);
	decode_on(67, &p);
	assert_int_equal(facts.dhcp.n_routes, 2);
	p.b[240 + 5] = 0;
	decode_on(67, &p);
	assert_int_equal(facts.dhcp.n_routes, 1);
	assert_ip(&facts.dhcp.routes[0].net, "11.0.0.0");
}

/* What was not captured of a list is no damage, and what of it was is read as far as its options are whole. */
static void cut_routes(void **state)
{
	static const char options[] = "\x79\6\x08\x0a\x0a\x4d\0\1\x79\3\x08\x0b\x0a\x79\3\x4d\0\1";
	const size_t n = sizeof(options) - 1;

	(void)state;
	for (size_t have = 0; have <= n; have++) {
		struct frame p = { .n = 0 }, f = { .n = 0 };

		put_dhcp(&p, "\0\0\0\0", "\0\0\0\0");
		put(&p, options, n);
		put_ip4(&f, 17, p.n + 8, 1, 0);
		put_udp(&f, 40000, 67, p.n);
		put(&f, p.b, p.n - n + have);
		(void)decode_frame(NULL, LINK_RAW, f.b, (uint32_t)f.n, (uint32_t)(f.n + n - have),
				   0, &facts);
		assert_int_equal(facts.reason, have < n ? UND_CAPTURE_CUT : UND_NONE);
		assert_int_equal(facts.dhcp.n_routes, (have >= 8) + (have == n));
	}
}

/* ---- NAT-PMP and PCP ---- */

static bool is_mapping(const char *p, size_t n, uint64_t proto)
{
	struct frame q = { .n = 0 };

	put(&q, p, n);
	decode_on(5351, &q);
	return (facts.protos & (P(NATPMP) | P(PCP))) == proto;
}

static void mappings_by_version_and_opcode(void **state)
{
	(void)state;
	for (unsigned version = 0; version < 256; version++)
		for (unsigned op = 0; op < 256; op++) {
			char p[64] = { (char)version, (char)op };
			bool known = (version == 0 || version == 2) && (op & 0x7f) <= 2;
			uint64_t proto = version == 2 ? P(PCP) : P(NATPMP);

			if (!is_mapping(p, version == 2 ? 60 : 16, known ? proto : 0))
				fail_msg("version %u, opcode %u", version, op);
			if (!known)
				continue;
			assert_int_equal(facts.reason, UND_NONE);
			assert_int_equal(facts.portmap.response, op >> 7);
			assert_int_equal(facts.portmap.opcode, op & 0x7f);
		}
	assert_true(is_mapping("\0", 1, 0));
	assert_true(is_mapping("\2", 1, 0));
}

/* Every message is read to its end, and what is shorter says so; PCP comes in words, NAT-PMP has no longer ones. */
static void mappings_have_their_sizes(void **state)
{
	static const struct {
		unsigned version, op;
		size_t size;
	} rows[] = {
		{ 0, 0, 2 },	{ 0, 1, 12 },	{ 0, 2, 12 },	{ 0, 128, 12 },
		{ 0, 129, 16 }, { 0, 130, 16 }, { 2, 0, 24 },	{ 2, 1, 60 },
		{ 2, 2, 60 },	{ 2, 128, 24 }, { 2, 129, 60 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t n = 2; n <= 64; n++) {
			enum undecodable reason = rows[i].version ? UND_PCP_SHORT
								  : UND_NATPMP_SHORT;
			char p[64] = { (char)rows[i].version, (char)rows[i].op };
			bool fits = rows[i].version ? n % 4 == 0 : n <= 16;

			assert_true(is_mapping(p, n,
					       !fits		 ? 0
					       : rows[i].version ? P(PCP)
								 : P(NATPMP)));
			assert_int_equal(facts.reason,
					 fits && n < rows[i].size ? reason : UND_NONE);
		}
}

/* RFC 6887 7: no message of PCP is longer than 1100 bytes. */
static void mappings_have_an_end(void **state)
{
	char p[1104] = { 2, 1 };

	(void)state;
	assert_true(is_mapping(p, 1100, P(PCP)));
	assert_true(is_mapping(p, 1104, 0));
}

static void mapping_fields(void **state)
{
	(void)state;
	/* a request of NAT-PMP tells no address, its answer the external one */
	assert_true(is_mapping("\0\0", 2, P(NATPMP)));
	assert_int_equal(facts.n_addrs, 0);
	assert_true(is_mapping("\0\x80\0\3\0\0\0\7\xcb\0\x71\x0a", 12, P(NATPMP)));
	assert_int_equal(facts.portmap.result, 3);
	assert_int_equal(facts.n_addrs, 1);
	assert_int_equal(facts.addrs[0].place, PLACE_NATPMP_EXTERNAL);
	assert_ip(&facts.addrs[0].addr, "203.0.113.10");
	assert_true(is_mapping("\0\x81\0\2\0\0\0\7\x1a\xe1\x1a\xe2\0\0\x0e\x10", 16, P(NATPMP)));
	assert_int_equal(facts.n_addrs, 0);
	assert_int_equal(facts.portmap.result, 2);
	assert_int_equal(facts.portmap.protocol, 17);
	assert_int_equal(facts.portmap.internal_port, 6881);
	assert_int_equal(facts.portmap.external_port, 6882);
	assert_int_equal(facts.portmap.lifetime, 3600);
	assert_true(is_mapping("\0\2\0\0\x1a\xe1\x1a\xe2\0\0\x0e\x10", 12, P(NATPMP)));
	assert_int_equal(facts.portmap.result, 0);
	assert_int_equal(facts.portmap.protocol, 6);
	assert_int_equal(facts.portmap.internal_port, 6881);
}

#define PCP_V4 "\0\0\0\0\0\0\0\0\0\0\xff\xff"

/* What is no such message is left to others, and what is one to nobody. */
static void mappings_are_taken_or_left(void **state)
{
	static const uint8_t p[1104] = { 2, 0 };

	(void)state;
	assert_true(decode_natpmp(&facts, span_of(p, 60, 1100)));
	assert_false(decode_natpmp(&facts, span_of(p, 60, 1104)));
	assert_false(decode_natpmp(&facts, span_of(p, 58, 58)));
	assert_true(decode_natpmp(&facts, span_of(p + 2, 2, 2)));
	assert_false(decode_natpmp(&facts, span_of(p + 2, 17, 17)));
	assert_true(decode_dhcp6(&facts, span_of((const uint8_t *)"\1xid\0\1", 6, 8)));
	assert_false(decode_dhcp6(&facts, span_of((const uint8_t *)"\1xid\0\1", 6, 7)));
}

static void pcp_addresses(void **state)
{
	static const char ask[] = "\2\1\0\0\0\0\x0e\x10" PCP_V4 SRC4
				  "nonce.......\x11\0\0\0\x1a\xe1\x1a\xe2" PCP_V4 "\0\0\0\0";
	static const char reply[] = "\2\x81\0\7\0\0\x0e\x10\0\0\0\1............"
				    "nonce.......\x06\0\0\0\x1a\xe1\x1a\xe2" PCP_V4
				    "\xcb\0\x71\x0a";

	(void)state;
	assert_true(is_mapping(ask, sizeof(ask) - 1, P(PCP)));
	assert_int_equal(facts.reason, UND_NONE);
	assert_int_equal(facts.portmap.result, 0);
	assert_int_equal(facts.portmap.lifetime, 3600);
	assert_int_equal(facts.portmap.protocol, 17);
	assert_int_equal(facts.portmap.internal_port, 6881);
	assert_int_equal(facts.portmap.external_port, 6882);
	assert_int_equal(facts.addrs[0].place, PLACE_PCP_CLIENT);
	assert_ip(&facts.addrs[0].addr, "10.77.0.3");
	assert_true(is_mapping(reply, sizeof(reply) - 1, P(PCP)));
	assert_int_equal(facts.portmap.result, 7);
	assert_int_equal(facts.n_addrs, 1);
	assert_int_equal(facts.addrs[0].place, PLACE_PCP_EXTERNAL);
	assert_ip(&facts.addrs[0].addr, "203.0.113.10");
	assert_int_equal(facts.addrs[0].port, 6882);
	assert_true(is_mapping("\2\0\0\0\0\0\0\0" PCP_V4 SRC4, 24, P(PCP)));
	assert_int_equal(facts.n_addrs, 1);
}

/* ---- a port's protocol, or what else it is ---- */

#define TIMES "\0\0\1\0\0\0\0\0"   /* uTP's clock and difference */
#define REST  "\0\x10\0\0\0\1\0\0" /* its window and numbers */

/* What is none of the port's messages may be something else; what is one is that, and nothing else besides. */
static void ports_come_before_weak_shapes(void **state)
{
	static const struct {
		unsigned port;
		const char *b;
		size_t n;
		uint64_t protos;
	} rows[] = {
		{ 67, OPTIONS("\x41\0\0\1" TIMES REST), P(BT_UTP) },
		{ 547, OPTIONS("\x41\0\0\1" TIMES REST), P(BT_UTP) },
		{ 547, OPTIONS("\x21\0\0\1" TIMES REST), P(BT_UTP) }, /* options that do not fit */
		{ 123, OPTIONS("\x41\0\0\1" TIMES REST), P(BT_UTP) },
		{ 123, OPTIONS("\x21\0\0\1" TIMES REST),
		  P(BT_UTP) }, /* a version, a mode, too short */
		{ 5351, OPTIONS("\x41\0\0\1" TIMES REST), P(BT_UTP) },
		/* a beginning of BOOTP, a time message, options that look like uTP and STUN of old */
		{ 67, OPTIONS("\1\1\6\0" TIMES REST "\0\1xdata"), P(DHCP) },
		{ 123,
		  OPTIONS("\x21\1\6\0" TIMES REST "\0\x1a"
			  "01234567890123456789012345"),
		  P(NTP) },
		{ 547,
		  OPTIONS("\1\0\xab\xcd\0\1\0\x0c"
			  "abcd\0\0\0\0....\0\6\0\0"),
		  P(DHCP6) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame p = { .n = 0 };

		put(&p, rows[i].b, rows[i].n);
		decode_on(rows[i].port, &p);
		if (facts.protos != (rows[i].protos | P(UDP)))
			fail_msg("row %zu: %llx", i, (unsigned long long)facts.protos);
		if (rows[i].protos == P(BT_UTP))
			continue;
		decode_on(40001, &p);
		if (!(facts.protos & (P(BT_UTP) | P(STUN))))
			fail_msg("row %zu is nothing on another port", i);
	}
}

/* A whole DHCP request whose server's address is an extension of uTP. */
static void dhcp_is_nothing_else(void **state)
{
	struct frame p = { .n = 0 };

	(void)state;
	put_dhcp(&p, "\0\0\0\0", "\0\0\0\0");
	memcpy(p.b + 20, "\0\1x.", 4);
	put_text(&p, "\x35\1\1\xff");
	decode_on(67, &p);
	assert_true(facts.protos == (P(UDP) | P(DHCP)));
	decode_on(40001, &p);
	assert_true(facts.protos == (P(UDP) | P(BT_UTP)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(discovery_has_its_sizes),
		cmocka_unit_test(discovery_options),
		cmocka_unit_test(routes_of_routers),
		cmocka_unit_test(dhcp_headers),
		cmocka_unit_test(dhcp_addresses),
		cmocka_unit_test(dhcp_options),
		cmocka_unit_test(dhcp_routes_one_by_one),
		cmocka_unit_test(dhcp_routes_are_counted),
		cmocka_unit_test(public_routes_are_kept),
		cmocka_unit_test(routes_to_public_addresses),
		cmocka_unit_test(static_routes),
		cmocka_unit_test(split_routes_are_put_together),
		cmocka_unit_test(overloaded_fields_have_options),
		cmocka_unit_test(cut_routes),
		cmocka_unit_test(mappings_by_version_and_opcode),
		cmocka_unit_test(mappings_have_their_sizes),
		cmocka_unit_test(mappings_have_an_end),
		cmocka_unit_test(mapping_fields),
		cmocka_unit_test(mappings_are_taken_or_left),
		cmocka_unit_test(pcp_addresses),
		cmocka_unit_test(ports_come_before_weak_shapes),
		cmocka_unit_test(dhcp_is_nothing_else),
	};

	return cmocka_run_group_tests_name("packet_local", tests, NULL, NULL);
}
