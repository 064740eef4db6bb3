/* SPDX-License-Identifier: MIT */
/* What a local network speaks: neighbour discovery, DHCP, NTP, NAT-PMP and PCP. */
#include "base/order.h"
#include "packet/internal.h"

#include <netinet/in.h>

/* ---- Neighbour discovery, RFC 4861 ---- */

#define ND_OPT_SOURCE_LLADDR 1
#define ND_OPT_TARGET_LLADDR 2
#define ND_OPT_PREFIX	     3
#define ND_OPT_ROUTE	     24 /* RFC 4191 2.3 */
#define ND_OPT_RDNSS	     25 /* RFC 8106 */

/* Prefix length, preference, lifetime, and as much of the prefix as the sender needs. One without a lifetime takes a route
 * back. */
static void nd_route(struct nd_facts *n, struct cursor c)
{
	const uint8_t *b = cursor_take(&c, 6);

	if (!b || n->has_route || b[0] > 128 || be32(b + 2) == 0)
		return;
	n->has_route = true;
	n->route_len = b[0];
	(void)cursor_copy(&c, n->route.b, min_u64(c.left, 16));
}

static void nd_option(struct nd_facts *n, uint8_t kind, struct cursor c)
{
	const uint8_t *b;

	switch (kind) {
	case ND_OPT_SOURCE_LLADDR:
	case ND_OPT_TARGET_LLADDR:
		n->has_lladdr |= cursor_copy(&c, n->lladdr, 6);
		break;
	case ND_OPT_PREFIX:
		b = cursor_take(&c, 30);
		if (!b || n->has_prefix)
			break;
		n->has_prefix = true;
		n->prefix_len = b[0];
		n->prefix = ipaddr_v6(b + 14);
		break;
	case ND_OPT_ROUTE:
		nd_route(n, c);
		break;
	case ND_OPT_RDNSS:
		b = cursor_take(&c, 22);
		if (b && ipaddr_is_none(&n->dns))
			n->dns = ipaddr_v6(b + 6);
		break;
	}
}

static size_t nd_fixed_size(uint8_t type)
{
	switch (type) {
	case 133:
		return 8;
	case 134:
		return 16;
	case 137:
		return 40;
	default:
		return 24;
	}
}

void decode_nd(struct facts *f, const uint8_t *p, size_t len)
{
	struct cursor c = cursor_of(p, len);
	struct nd_facts *n = &f->nd;
	const uint8_t *h;

	memset(n, 0, sizeof(*n));
	fact_set(f, PROTO_ND);
	n->type = p[0];
	h = cursor_take(&c, nd_fixed_size(n->type));
	if (!h) {
		fact_reason(f, UND_ND_SHORT);
		return;
	}
	if (n->type == 134)
		n->router_lifetime = be16(h + 6);
	if (n->type >= 135)
		n->target = ipaddr_v6(h + 8);
	while (cursor_more(&c)) {
		uint8_t kind = cursor_u8(&c);
		size_t size = (size_t)cursor_u8(&c) * 8;
		struct cursor body;

		if (size - 2 >
		    c.left) { /* 0, also where it is missing, would be more than there can be */
			fact_reason(f, UND_ND_OPTION);
			break;
		}
		body = cursor_sub(&c, size - 2);
		nd_option(n, kind, body);
	}
}

/* ---- DHCP, RFC 2131, 2132, 3396, 3442 ---- */

#define DHCP_COOKIE	   0x63825363
#define DHCP_PAD	   0
#define DHCP_ROUTER	   3
#define DHCP_DNS	   6
#define DHCP_HOSTNAME	   12
#define DHCP_STATIC_ROUTES 33
#define DHCP_REQUESTED	   50
#define DHCP_OVERLOAD	   52
#define DHCP_TYPE	   53
#define DHCP_SERVER	   54
#define DHCP_ROUTES_OPTION 121
#define DHCP_ROUTES_MS	   249
#define DHCP_END	   255
#define DHCP_FIXED	   236 /* up to and with `file`; the cookie is next */
#define DHCP_SNAME	   44
#define DHCP_SNAME_SIZE	   64
#define DHCP_FILE	   108
#define DHCP_FILE_SIZE	   128
#define OVERLOADED_FILE	   1 /* RFC 2132 9.3 */
#define OVERLOADED_SNAME   2

/* Routes of one option, byte by byte: it may be split anywhere over several of its kind (RFC 3396). */
struct route_reader {
	uint8_t b[9]; /* prefix length, net, router */
	uint8_t n;
	bool wrong;
};

struct dhcp_reader {
	struct facts *f;
	struct route_reader classless, ms, fixed;
	uint8_t overload;
};

static bool is_local(uint32_t v4)
{
	const uint8_t b[4] = { (uint8_t)(v4 >> 24), (uint8_t)(v4 >> 16), (uint8_t)(v4 >> 8),
			       (uint8_t)v4 };
	struct ipaddr a = ipaddr_v4(b);

	return ipaddr_is_private(&a) || ipaddr_is_link_local(&a);
}

bool dhcp_route_is_public(const struct dhcp_route *r)
{
	uint32_t net = be32(r->net.b + 12), hosts;

	if (r->len == 0 || (r->len == 32 && net == 0))
		return false;
	hosts = (uint32_t)(UINT64_C(0xffffffff) >> r->len);
	return !is_local(net & ~hosts) || !is_local(net | hosts);
}

/* The last place is for a public route, however many others stand before it. */
static void keep_route(struct dhcp_facts *d, const struct dhcp_route *r)
{
	d->routes_total++;
	if (d->n_routes < DHCP_ROUTES)
		d->routes[d->n_routes++] = *r;
	else if (dhcp_route_is_public(r))
		d->routes[DHCP_ROUTES - 1] = *r;
}

/* RFC 3442: prefix length, as many bytes of the net as that needs, and the router, over and over. */
static void route_byte(struct route_reader *r, uint8_t byte, struct dhcp_facts *d)
{
	struct dhcp_route route = { .len = r->n ? r->b[0] : byte };
	size_t net = ((size_t)route.len + 7) / 8;
	uint8_t padded[4] = { 0 };

	r->wrong |= route.len > 32;
	if (r->wrong)
		return;
	r->b[r->n++] = byte;
	if (r->n < 1 + net + 4)
		return;
	memcpy(padded, r->b + 1, net);
	route.net = ipaddr_v4(padded);
	route.router = ipaddr_v4(r->b + 1 + net);
	keep_route(d, &route);
	r->n = 0;
}

static void dhcp_routes(struct route_reader *r, struct cursor c, struct dhcp_facts *d)
{
	for (size_t i = 0; i < c.left; i++)
		route_byte(r, c.p[i], d);
}

/* RFC 2132 5.8: hosts and their routers. */
static void dhcp_static_routes(struct route_reader *r, struct cursor c, struct dhcp_facts *d)
{
	for (size_t i = 0; i < c.left; i++) {
		if (r->n == 0)
			r->b[r->n++] = 32;
		route_byte(r, c.p[i], d);
	}
}

static void dhcp_address(struct facts *f, struct cursor c, struct ipaddr *to)
{
	const uint8_t *b = cursor_take(&c, 4);

	if (b)
		*to = ipaddr_v4(b);
	else
		fact_reason(f, UND_DHCP_OPTION);
}

static void dhcp_option(struct dhcp_reader *r, uint8_t kind, struct cursor c)
{
	struct facts *f = r->f;
	struct dhcp_facts *d = &f->dhcp;
	struct ipaddr requested;

	switch (kind) {
	case DHCP_ROUTER:
		dhcp_address(f, c, &d->router);
		break;
	case DHCP_DNS:
		dhcp_address(f, c, &d->dns);
		break;
	case DHCP_HOSTNAME:
		text_put(d->hostname, sizeof(d->hostname), c.p, c.left);
		break;
	case DHCP_REQUESTED:
		requested = (struct ipaddr){ 0 };
		dhcp_address(f, c, &requested);
		if (!ipaddr_is_none(&requested))
			fact_addr(f, requested, 0, PLACE_DHCP_CLIENT);
		break;
	case DHCP_TYPE:
		d->type = cursor_u8(&c);
		break;
	case DHCP_SERVER:
		dhcp_address(f, c, &d->server);
		break;
	case DHCP_OVERLOAD:
		r->overload |= cursor_u8(&c);
		break;
	case DHCP_STATIC_ROUTES:
		dhcp_static_routes(&r->fixed, c, d);
		break;
	case DHCP_ROUTES_OPTION:
		dhcp_routes(&r->classless, c, d);
		break;
	case DHCP_ROUTES_MS:
		dhcp_routes(&r->ms, c, d);
		break;
	}
}

/* Options up to their end: false where they run out of the field. */
static bool dhcp_field(struct dhcp_reader *r, struct cursor c)
{
	while (cursor_more(&c)) {
		uint8_t kind = cursor_u8(&c), size;
		struct cursor body;

		if (kind == DHCP_END)
			break;
		if (kind == DHCP_PAD)
			continue;
		size = cursor_u8(&c);
		body = cursor_sub(&c, size);
		if (!c.short_)
			dhcp_option(r, kind, body);
	}
	return !c.short_;
}

/* In the order in which a split option is put together (RFC 3396 5). `h` is the fixed part, s what is behind the
 * cookie. */
static void dhcp_fields(struct facts *f, const uint8_t *h, struct cursor c, bool cut)
{
	struct dhcp_reader r = { .f = f };
	bool whole = dhcp_field(&r, c) || cut;
	uint8_t overload = r.overload; /* the other fields cannot say it */

	if (overload & OVERLOADED_FILE)
		whole &= dhcp_field(&r, cursor_of(h + DHCP_FILE, DHCP_FILE_SIZE));
	if (overload & OVERLOADED_SNAME)
		whole &= dhcp_field(&r, cursor_of(h + DHCP_SNAME, DHCP_SNAME_SIZE));
	if (!cut)
		whole &= r.classless.n + r.ms.n + r.fixed.n == 0;
	if (!whole || r.classless.wrong || r.ms.wrong)
		fact_reason(f, UND_DHCP_OPTION);
}

/* Request or reply, a kind of hardware, an address that fits its field, few relays (RFC 2131 2): as far as it goes. */
static bool bootp_begins(const uint8_t *p, size_t len)
{
	return len >= 4 && (p[0] == 1 || p[0] == 2) && p[1] >= 1 && p[1] <= 37 && p[2] <= 16 &&
	       p[3] <= 16;
}

bool decode_dhcp(struct facts *f, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	struct dhcp_facts *d = &f->dhcp;
	const uint8_t *h = cursor_take(&c, DHCP_FIXED);
	bool cookie = cursor_u32(&c) == DHCP_COOKIE;

	if (!bootp_begins(s.p, s.len))
		return false;
	memset(d, 0, sizeof(*d));
	fact_weak(f, PROTO_DHCP);
	if (!cookie) {
		fact_reason(f, c.short_ && s.wire >= DHCP_FIXED + 4 ? UND_MESSAGE_CUT
								    : UND_DHCP_SHORT);
		return true;
	}
	f->weak &= ~PROTO_BIT(PROTO_DHCP);
	d->op = h[0];
	d->xid = be32(h + 4);
	if (be32(h + 12))
		d->ciaddr = ipaddr_v4(h + 12);
	if (be32(h + 16))
		d->yiaddr = ipaddr_v4(h + 16);
	memcpy(d->client_mac, h + 28, 6);
	if (be32(h + 12))
		fact_addr(f, d->ciaddr, 0, PLACE_DHCP_CLIENT);
	dhcp_fields(f, h, c, span_is_cut(s));
	return true;
}

/* ---- DHCPv6, RFC 8415 ---- */

#define DHCP6_LAST_TYPE	  36
#define DHCP6_RELAY	  12 /* and 13, its answer: hop count, link and peer address */
#define DHCP6_RELAY_FIXED 34

/* A type, a transaction, and options that fill the message to the byte. */
bool decode_dhcp6(struct facts *f, struct span s)
{
	bool relay = s.len && (s.p[0] == DHCP6_RELAY || s.p[0] == DHCP6_RELAY + 1);
	size_t at = relay ? DHCP6_RELAY_FIXED : 4;

	if (s.len == 0 || s.p[0] < 1 || s.p[0] > DHCP6_LAST_TYPE)
		return false;
	while (at + 4 <= s.len)
		at += 4U + be16(s.p + at + 2);
	if (at == s.wire) {
		fact_set(f, PROTO_DHCP6);
		return true;
	}
	if (!span_is_cut(s) || at + 4 > s.wire)
		return false;
	fact_weak(f, PROTO_DHCP6);
	fact_reason(f, UND_MESSAGE_CUT);
	return true;
}

/* ---- NTP, RFC 5905 ---- */

#define NTP_HEADER 48

/* Stratum, poll interval and precision of a time message; what is behind it (extensions, a digest) comes in words. Clients
 * that tell nothing of themselves have a precision of 0 or 32. */
static bool is_time_message(const uint8_t *p, size_t wire)
{
	bool poll = p[2] <= 17 || p[2] >= 0xf8, precision = p[3] == 0 || p[3] == 32 || p[3] >= 0xe0;

	return wire >= NTP_HEADER && wire % 4 == 0 && p[1] <= 16 && poll && precision;
}

bool decode_ntp(struct facts *f, struct span s)
{
	/* Modes 6 and 7 (control, private) are shorter than the 48 bytes of a time message, and say less. */
	f->ntp.version = s.p[0] >> 3 & 7;
	f->ntp.mode = s.p[0] & 7;
	if (s.len < 4 || f->ntp.version < 1 || f->ntp.version > 4 || f->ntp.mode == 0)
		return false;
	if (f->ntp.mode >= 6)
		return fact_weak(f, PROTO_NTP), true;
	if (!is_time_message(s.p, s.wire))
		return false;
	fact_set(f, PROTO_NTP);
	return true;
}

/* ---- NAT-PMP (RFC 6886) and PCP (RFC 6887), which share their port ---- */

#define NATPMP_MAX 16
#define PCP_MAX	   1100 /* RFC 6887 7: and in words */

static void natpmp_fields(struct facts *f, struct cursor *c)
{
	struct portmap_facts *m = &f->portmap;
	const uint8_t *b;

	if (m->response) {
		m->result = cursor_u16(c);
		cursor_skip(c, 4); /* seconds since the table was made */
	}
	if (m->opcode == 0) {
		if (m->response && (b = cursor_take(c, 4)))
			fact_addr(f, ipaddr_v4(b), 0, PLACE_NATPMP_EXTERNAL);
		return;
	}
	m->protocol = m->opcode == 1 ? IPPROTO_UDP : IPPROTO_TCP;
	if (!m->response)
		cursor_skip(c, 2);
	m->internal_port = cursor_u16(c);
	m->external_port = cursor_u16(c);
	m->lifetime = cursor_u32(c);
}

static void pcp_fields(struct facts *f, struct cursor *c)
{
	struct portmap_facts *m = &f->portmap;
	const uint8_t *client, *map;

	cursor_skip(c, 1);
	m->result = cursor_u8(c);
	m->lifetime = cursor_u32(c);
	client = cursor_take(c, 16); /* in a reply: epoch and reserved */
	if (client && !m->response)
		fact_addr(f, ipaddr_v6(client), 0, PLACE_PCP_CLIENT);
	if (m->opcode == 0)
		return;
	map = cursor_take(
		c, 36); /* MAP and PEER begin alike: nonce 12, protocol, ports, external address */
	if (!map)
		return;
	m->protocol = map[12];
	m->internal_port = be16(map + 16);
	m->external_port = be16(map + 18);
	fact_addr(f, ipaddr_v6(map + 20), m->external_port, PLACE_PCP_EXTERNAL);
}

bool decode_natpmp(struct facts *f, struct span s)
{
	struct cursor c = cursor_of(s.p, s.len);
	uint8_t version = cursor_u8(&c), op = cursor_u8(&c);
	bool pcp = version == 2;

	if (s.len < 2 || (version != 0 && version != 2) || (op & 0x7f) > 2)
		return false;
	if (pcp ? s.wire > PCP_MAX || s.wire % 4 : s.wire > NATPMP_MAX)
		return false;
	memset(&f->portmap, 0, sizeof(f->portmap));
	f->portmap.response = op >> 7;
	f->portmap.opcode = op & 0x7f;
	fact_set(f, pcp ? PROTO_PCP : PROTO_NATPMP);
	if (pcp)
		pcp_fields(f, &c);
	else
		natpmp_fields(f, &c);
	if (c.short_)
		fact_reason(f, span_is_cut(s) ? UND_MESSAGE_CUT
			       : pcp	      ? UND_PCP_SHORT
					      : UND_NATPMP_SHORT);
	return true;
}
