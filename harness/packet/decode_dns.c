/* SPDX-License-Identifier: MIT */
/* DNS in all its transports (RFC 1035, 6891, 6762, 4795) and NetBIOS names (RFC 1002). */
#include "packet/internal.h"

#define DNS_HEADER    12
#define DNS_NAME_WIRE 255 /* the root's byte included (RFC 1035 3.1) */
#define DNS_POINTERS  32  /* more than a 255-byte name of real labels can hold */
#define DNS_RECORDS   64  /* read of one message; more is a note */

#define TYPE_A	   1
#define TYPE_AAAA  28
#define TYPE_OPT   41
#define OPTION_ECS 8

struct message {
	const uint8_t *p;
	size_t len;
	bool cut; /* its end was not captured */
	enum undecodable fault;
};

/* The bytes end where they must not: false, for a reader to return. */
static bool ends_early(struct message *m, enum undecodable fault)
{
	m->fault = m->cut ? UND_MESSAGE_CUT : fault;
	return false;
}

_Static_assert(DNS_NAME_TEXT > 4 * DNS_NAME_WIRE, "a name of bytes that are each written as \\ddd");

/* A label's bytes as text: a dot, space or backslash inside, and all that is not printable, as \ddd. */
static size_t label_put(char *to, size_t at, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '.' || p[i] == ' ') {
			static const char *const escaped[] = { "\\046", "\\032" };

			memcpy(to + at, escaped[p[i] == ' '], 5);
			at += 4;
		} else {
			at += text_put(to + at, 5, p + i, 1);
		}
	}
	return at;
}

/* The name at c, decompressed. A pointer must go backwards to before where the name began reading, and their number
 * is bounded, so the walk ends. */
static bool dns_name(struct message *m, struct cursor *c, char text[DNS_NAME_TEXT])
{
	struct cursor at = *c;
	size_t out = 0, wire = 1, hops = 0;
	bool jumped = false;

	text[0] = '\0';
	for (;;) {
		uint8_t n = cursor_u8(&at);
		const uint8_t *label;

		if (at.short_)
			return ends_early(m, UND_DNS_NAME);
		if (n == 0)
			break;
		if (n >= 0xc0) {
			size_t to = (size_t)(n & 0x3f) << 8 | cursor_u8(&at);
			size_t here = (size_t)(at.p - m->p) - 2;

			if (at.short_)
				return ends_early(m, UND_DNS_NAME);
			if (to >= m->len)
				return m->fault = UND_DNS_NAME, false;
			if (to >= here || ++hops > DNS_POINTERS)
				return m->fault = UND_DNS_LOOP, false;
			if (!jumped)
				*c = at;
			jumped = true;
			at = cursor_of(m->p + to, m->len - to);
			continue;
		}
		label = cursor_take(&at, n);
		wire += (size_t)n + 1;
		if (n > 63 || wire > DNS_NAME_WIRE)
			return m->fault = UND_DNS_NAME, false;
		if (!label)
			return ends_early(m, UND_DNS_NAME);
		if (out)
			text[out++] = '.';
		out = label_put(text, out, label, n);
	}
	if (!jumped)
		*c = at;
	if (out == 0)
		memcpy(text, ".", 2);
	return true;
}

/* Is name the last of these, which end each in a space? None has one inside. */
static bool is_last_of(const char *names, size_t len, const char *name, size_t n)
{
	return len >= n + 1 && memcmp(names + len - n - 1, name, n) == 0 &&
	       (len == n + 1 || names[len - n - 2] == ' ');
}

static void remember_name(struct dns_facts *d, const char *name)
{
	size_t at = strlen(d->other_names), n = strlen(name);

	if (d->qname[0] == '\0') {
		memcpy(d->qname, name, n + 1);
		return;
	}
	if (strcmp(d->qname, name) == 0 || at + n + 2 > sizeof(d->other_names))
		return;
	if (is_last_of(d->other_names, at, name, n))
		return; /* the owner of a run of records */
	memcpy(d->other_names + at, name, n);
	memcpy(d->other_names + at + n, " ", 2);
}

/* RFC 7871 6: family, source and scope prefix lengths, as many address bytes as the source prefix needs. */
static void client_subnet(struct facts *f, struct cursor c)
{
	uint16_t family = cursor_u16(&c);
	uint8_t raw[16] = { 0 };

	cursor_skip(&c, 2);
	if (c.short_ || c.left > (family == 1 ? 4U : 16U) || (family != 1 && family != 2))
		return;
	cursor_copy(&c, raw, c.left);
	fact_addr(f, family == 1 ? ipaddr_v4(raw) : ipaddr_v6(raw), 0, PLACE_DNS_CLIENT_SUBNET);
}

static void edns(struct facts *f, uint16_t size, struct cursor c)
{
	f->dns.edns = true;
	f->dns.edns_size = size;
	while (cursor_more(&c)) {
		uint16_t code = cursor_u16(&c), n = cursor_u16(&c);
		struct cursor body = cursor_sub(&c, n);

		if (c.short_)
			return;
		if (code == OPTION_ECS)
			client_subnet(f, body);
	}
}

static void dns_record(struct facts *f, struct message *m, struct cursor *c)
{
	char name[DNS_NAME_TEXT];
	uint16_t type, class, n;
	const uint8_t *data;

	if (!dns_name(m, c, name))
		return;
	type = cursor_u16(c);
	class = cursor_u16(c);
	cursor_skip(c, 4); /* time to live */
	n = cursor_u16(c);
	data = cursor_take(c, n);
	if (c->short_) {
		(void)ends_early(m, UND_DNS_SHORT);
		return;
	}
	if (type == TYPE_OPT) {
		edns(f, class, cursor_of(data, n));
		return;
	}
	remember_name(&f->dns, name);
	if (type == TYPE_A && n == 4)
		fact_addr(f, ipaddr_v4(data), 0, PLACE_DNS_ANSWER);
	else if (type == TYPE_AAAA && n == 16)
		fact_addr(f, ipaddr_v6(data), 0, PLACE_DNS_ANSWER);
}

static void dns_sections(struct facts *f, struct message *m, struct cursor *c)
{
	struct dns_facts *d = &f->dns;
	size_t records = (size_t)d->answers + d->authorities + d->additionals;
	char name[DNS_NAME_TEXT];

	for (unsigned i = 0; i < d->questions && i < DNS_RECORDS; i++) {
		uint16_t type, class;

		if (!dns_name(m, c, name))
			return;
		type = cursor_u16(c);
		class = cursor_u16(c);
		remember_name(d, name);
		if (c->short_) {
			(void)ends_early(m, UND_DNS_SHORT);
			return;
		}
		if (i == 0) {
			d->qtype = type;
			d->qclass = class;
		}
	}
	if (d->questions > DNS_RECORDS || records > DNS_RECORDS)
		fact_reason(f, UND_DNS_COUNT);
	for (size_t i = 0; i < records && i < DNS_RECORDS && m->fault == UND_NONE; i++)
		dns_record(f, m, c);
}

static bool dns_header(struct dns_facts *d, struct cursor *c, enum dns_transport t)
{
	uint16_t flags;

	memset(d, 0, offsetof(struct dns_facts, qname));
	d->qname[0] = '\0';
	d->other_names[0] = '\0';
	d->transport = (uint8_t)t;
	d->header = c->left >= DNS_HEADER;
	if (!d->header)
		return false;
	d->id = cursor_u16(c);
	flags = cursor_u16(c);
	d->response = flags >> 15;
	d->opcode = flags >> 11 & 15;
	d->authoritative = (flags & 0x0400) != 0;
	d->truncated = (flags & 0x0200) != 0;
	d->recursion_desired = (flags & 0x0100) != 0;
	d->rcode = flags & 15;
	d->questions = cursor_u16(c);
	d->answers = cursor_u16(c);
	d->authorities = cursor_u16(c);
	d->additionals = cursor_u16(c);
	return true;
}

static bool type_is_plausible(uint16_t type)
{
	return (type > 0 && type <= 66) || (type >= 99 && type <= 109) ||
	       (type >= 249 && type <= 262) || type == 32769;
}

/* Does header and question alone look like DNS? For messages of which the rest is missing or damaged. */
static bool question_is_plausible(const struct dns_facts *d)
{
	uint16_t class = d->qclass & 0x7fff; /* the upper bit is multicast's (RFC 6762 5.4) */

	return d->header && d->opcode <= 6 && d->questions == 1 && d->qname[0] &&
	       type_is_plausible(d->qtype) &&
	       (class == 1 || class == 3 || class == 4 || class >= 254);
}

/* Multicast ones may ask nothing. */
bool dns_begins(const struct dns_facts *d)
{
	return !d->header || (d->opcode <= 6 && d->questions + d->answers + d->authorities > 0 &&
			      d->questions <= DNS_RECORDS && d->answers <= DNS_RECORDS);
}

static void dns_found(struct facts *f, enum dns_transport t, bool sure)
{
	uint64_t protos = PROTO_BIT(PROTO_DNS);

	if (t == DNS_MULTICAST)
		protos |= PROTO_BIT(PROTO_MDNS);
	if (t == DNS_LLMNR)
		protos |= PROTO_BIT(PROTO_LLMNR);
	if (t == DNS_NETBIOS)
		protos |= PROTO_BIT(PROTO_NBNS);
	if (!sure)
		f->weak |= protos & ~f->protos;
	f->protos |= protos;
}

/* Everything on a DNS port is taken for DNS; what is wrong with it is a reason, and where not even the question can be read
 * the port alone says so. */
bool decode_dns(struct facts *f, struct span s, enum dns_transport t)
{
	struct message m = { s.p, s.len, span_is_cut(s), UND_NONE };
	struct cursor c = cursor_of(s.p, s.len);
	bool sure;

	if (!dns_header(&f->dns, &c, t))
		ends_early(&m, UND_DNS_SHORT);
	else
		dns_sections(f, &m, &c);
	sure = m.fault == UND_NONE || question_is_plausible(&f->dns);
	if (m.fault == UND_MESSAGE_CUT && !sure && !dns_begins(&f->dns))
		m.fault = UND_DNS_SHORT;
	if (m.fault != UND_NONE && !(m.fault == UND_MESSAGE_CUT && sure))
		fact_reason(f, m.fault);
	dns_found(f, t, sure);
	return true;
}

/* A message on a port that is not DNS's: standard query, one question of class IN, no reserved bit, every
 * record whole, and not a byte left over. Random bytes pass with less than 2^-64. */
bool decode_dns_shape(struct facts *f, const uint8_t *p, size_t len, enum dns_transport t)
{
	struct message m = { p, len, false, UND_NONE };
	struct cursor c = cursor_of(p, len);
	uint16_t kept = f->n_addrs;

	if (len < DNS_HEADER + 5 || be16(p + 4) != 1 || (p[2] & 0x78) || (p[3] & 0x40))
		return false;
	if (be16(p + 6) > DNS_RECORDS || be16(p + 8) > DNS_RECORDS || be16(p + 10) > DNS_RECORDS)
		return false;
	if (!(p[2] & 0x80) && (be16(p + 6) || be16(p + 8)))
		return false;
	dns_header(&f->dns, &c, t);
	dns_sections(f, &m, &c);
	if (m.fault != UND_NONE || c.left || !type_is_plausible(f->dns.qtype) ||
	    f->dns.qclass != 1) {
		f->n_addrs = kept;
		return false;
	}
	fact_weak(f, PROTO_DNS);
	return true;
}

/* RFC 1001 14.1: a first label of 32 letters A-P, two for each of 16 bytes; the 16th is the kind of name. */
static bool nbns_label(const char *encoded, uint8_t raw[16])
{
	for (size_t i = 0; i < 16; i++) {
		char high = encoded[2 * i], low = high ? encoded[2 * i + 1] : '\0';

		if (high < 'A' || high > 'P' || low < 'A' || low > 'P')
			return false;
		raw[i] = (uint8_t)((high - 'A') << 4 | (low - 'A'));
	}
	return true;
}

static void nbns_name(struct facts *f)
{
	uint8_t raw[16];
	size_t n = 15;

	if (!nbns_label(f->dns.qname, raw)) {
		fact_reason(f, UND_NBNS_NAME);
		return;
	}
	while (n > 0 && (raw[n - 1] == ' ' || raw[n - 1] == 0))
		n--;
	text_put(f->dns.qname, sizeof(f->dns.qname), raw, n);
}

bool decode_nbns(struct facts *f, struct span s)
{
	decode_dns(f, s, DNS_NETBIOS);
	if (!facts_has_reason(f, UND_DNS_SHORT) && !facts_has_reason(f, UND_DNS_NAME) &&
	    !facts_has_reason(f, UND_MESSAGE_CUT))
		nbns_name(f);
	return true;
}
