/* SPDX-License-Identifier: MIT */
/* DNS messages at their limits: names, pointers, counts, options, and what is taken for DNS on any port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/frames.h"

static struct facts facts;

static void decode_on(unsigned port, const struct frame *p)
{
	struct frame f = { .n = 0 };

	put_ip4(&f, 17, p->n + 8, 1, 0);
	put_udp(&f, 40000, port, p->n);
	put(&f, p->b, p->n);
	(void)decode_frame(NULL, LINK_RAW, f.b, (uint32_t)f.n, (uint32_t)f.n, 1000, &facts);
}

static enum undecodable reason_of(const struct frame *p)
{
	decode_on(53, p);
	return facts.reason;
}

static void put_question(struct frame *p, unsigned type, unsigned class)
{
	put16(p, type);
	put16(p, class);
}

/* What every record has behind its name. */
static void put_record(struct frame *p, unsigned type, const void *data, size_t n)
{
	put16(p, type);
	put16(p, 1);
	put32(p, 60);
	put16(p, (unsigned)n);
	put(p, data, n);
}

/* ---- names ---- */

/* RFC 1035 3.1: at most 255 bytes with the root's, labels of at most 63. */
static void long_names(void **state)
{
	static const struct {
		unsigned labels[5];
		enum undecodable reason;
	} rows[] = {
		{ { 63 }, UND_NONE },
		{ { 64 }, UND_DNS_NAME },
		{ { 191 }, UND_DNS_NAME },
		{ { 63, 63, 63, 61 }, UND_NONE },
		{ { 63, 63, 63, 62 }, UND_DNS_NAME },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame p = { .n = 0 };
		size_t text = 0;

		dns_head(&p, 0x0100, 1, 0, 0);
		for (const unsigned *n = rows[i].labels; *n; n++) {
			put8(&p, *n);
			put_fill(&p, *n, 'a');
			text += *n + 1;
		}
		put8(&p, 0);
		put_question(&p, 1, 1);
		assert_int_equal(reason_of(&p), rows[i].reason);
		if (rows[i].reason == UND_NONE)
			assert_int_equal(strlen(facts.dns.qname), text - 1);
	}
}

static void pointers_point_back(void **state)
{
	static const struct {
		const char *name;
		size_t n;
		enum undecodable reason;
		const char *text;
	} rows[] = {
		{ "\xc0\x0c", 2, UND_NONE, "first" },
		{ "\3www\xc0\x0c", 6, UND_NONE, "www.first" },
		{ "\xc0\x0d", 2, UND_DNS_NAME, NULL },	  /* 'f' is no length of a label */
		{ "\xc0\x17", 2, UND_DNS_LOOP, NULL },	  /* itself */
		{ "\1a\xc0\x17", 4, UND_DNS_LOOP, NULL }, /* the name it is in, without end */
		{ "\xc0\x18", 2, UND_DNS_LOOP, NULL },	  /* forward */
		{ "\xc0\x1c", 2, UND_DNS_LOOP, NULL },	  /* the last byte */
		{ "\xc0\x1d", 2, UND_DNS_NAME, NULL },	  /* behind the message */
		{ "\xff\xff", 2, UND_DNS_NAME, NULL },
		{ "\x80\x0c", 2, UND_DNS_NAME, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame p = { .n = 0 };

		dns_head(&p, 0x0100, 2, 0, 0);
		put_name(&p, "first"); /* at 12 */
		put_question(&p, 1, 1);
		put(&p, rows[i].name, rows[i].n); /* at 23 */
		put_question(&p, 1, 1);
		assert_int_equal(reason_of(&p), rows[i].reason);
		if (rows[i].text && strcmp(rows[i].text, "first") != 0)
			assert_string_equal(facts.dns.other_names, "www.first ");
		assert_string_equal(facts.dns.qname, "first");
	}
}

/* A message that ends inside a pointer does not point at its own header. */
static void pointers_are_whole(void **state)
{
	struct frame p = { .n = 0 };

	(void)state;
	dns_head(&p, 0x0100, 1, 0, 0);
	put8(&p, 0xc0);
	assert_int_equal(reason_of(&p), UND_DNS_NAME);
	assert_string_equal(facts.dns.qname, "");
}

/* A chain of pointers in a record's data, each to the one before; 32 may be followed. */
static void pointers_are_counted(void **state)
{
	(void)state;
	for (unsigned hops = 31; hops <= 34; hops++) {
		struct frame p = { .n = 0 };

		dns_head(&p, 0x8180, 1, 2, 0);
		put_name(&p, "end"); /* at 12 */
		put_question(&p, 16, 1);
		put_name(&p, "chain");
		put_record(&p, 16, "", 0);
		set16(&p, p.n - 2, 2 * ((size_t)hops - 1));
		put16(&p, 0xc00c);
		for (unsigned i = 2; i < hops; i++)
			put16(&p, 0xc000 | (unsigned)(p.n - 2));
		put_text(&p, "\3sub");
		put16(&p, 0xc000 | (unsigned)(p.n - 6)); /* the owner of the second record */
		put_record(&p, 16, "", 0);
		assert_int_equal(reason_of(&p), hops > 32 ? UND_DNS_LOOP : UND_NONE);
		assert_string_equal(facts.dns.other_names, hops > 32 ? "chain " : "chain sub.end ");
	}
}

/* ---- counts ---- */

static void put_many(struct frame *p, unsigned questions, unsigned answers)
{
	for (unsigned i = 0; i < questions; i++) {
		put8(p, 0);
		put_question(p, 2, 1);
	}
	for (unsigned i = 0; i < answers; i++) {
		put8(p, 0);
		put_record(p, 16, "", 0);
	}
}

/* 64 of each are read; that there are more is said, and what is behind is not missed. */
static void many_records(void **state)
{
	static const struct {
		unsigned questions, answers;  /* stated */
		unsigned has_qs, has_answers; /* there */
		enum undecodable reason;
	} rows[] = {
		{ 1, 64, 1, 64, UND_NONE },	 { 1, 65, 1, 65, UND_DNS_COUNT },
		{ 1, 65, 1, 64, UND_DNS_COUNT }, { 1, 64, 1, 63, UND_DNS_NAME },
		{ 64, 1, 64, 1, UND_NONE },	 { 65, 0, 65, 0, UND_DNS_COUNT },
		{ 65, 0, 64, 0, UND_DNS_COUNT }, { 64, 0, 63, 0, UND_DNS_NAME },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame p = { .n = 0 };

		dns_head(&p, 0x0100, rows[i].questions, rows[i].answers, 0);
		put_many(&p, rows[i].has_qs, rows[i].has_answers);
		assert_int_equal(reason_of(&p), rows[i].reason);
		assert_int_equal(facts.reasons & ~(UINT64_C(1) << rows[i].reason), 0);
	}
}

static void header_flags(void **state)
{
	static const struct {
		unsigned flags, opcode, rcode;
		bool response, authoritative, truncated, recursion;
	} rows[] = {
		{ 0x0000, 0, 0, false, false, false, false },
		{ 0x8000, 0, 0, true, false, false, false },
		{ 0x7800, 15, 0, false, false, false, false },
		{ 0x0400, 0, 0, false, true, false, false },
		{ 0x0200, 0, 0, false, false, true, false },
		{ 0x0100, 0, 0, false, false, false, true },
		{ 0x00ff, 0, 15, false, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame p = { .n = 0 };

		dns_head(&p, rows[i].flags, 1, 0, 0);
		put_many(&p, 1, 0);
		assert_int_equal(reason_of(&p), UND_NONE);
		assert_int_equal(facts.dns.opcode, rows[i].opcode);
		assert_int_equal(facts.dns.rcode, rows[i].rcode);
		assert_int_equal(facts.dns.response, rows[i].response);
		assert_int_equal(facts.dns.authoritative, rows[i].authoritative);
		assert_int_equal(facts.dns.truncated, rows[i].truncated);
		assert_int_equal(facts.dns.recursion_desired, rows[i].recursion);
	}
}

/* Records of all three sections count together. */
static void sections_are_added(void **state)
{
	struct frame p = { .n = 0 };

	(void)state;
	dns_head(&p, 0x8180, 1, 1, 1);
	set16(&p, 8, 1);
	put_many(&p, 1, 0);
	for (unsigned i = 1; i <= 3; i++) {
		put8(&p, 0);
		put_record(&p, 1, "\xc6\x33\x64\x01", 4);
		p.b[p.n - 1] = (uint8_t)i;
	}
	assert_int_equal(reason_of(&p), UND_NONE);
	assert_int_equal(facts.n_addrs, 3);
	for (size_t cut = 1; cut < 16; cut++) {
		struct frame q = p;

		q.n -= cut;
		assert_int_equal(reason_of(&q), cut == 15 ? UND_DNS_NAME : UND_DNS_SHORT);
		assert_int_equal(facts.n_addrs, 2);
	}
}

/* Every shorter message lacks something, and says so. */
static void short_messages(void **state)
{
	struct frame p = { .n = 0 };

	(void)state;
	dns_head(&p, 0x0100, 1, 0, 0);
	put_name(&p, "seed.test");
	put_question(&p, 28, 1);
	assert_int_equal(reason_of(&p), UND_NONE);
	assert_int_equal(facts.weak, 0);
	for (size_t n = 1; n < p.n; n++) {
		struct frame q = p;
		bool named = n >= 12 + 11;

		q.n = n;
		assert_int_equal(reason_of(&q), n < 12 || named ? UND_DNS_SHORT : UND_DNS_NAME);
		assert_true(facts.protos & P(DNS));
		assert_true(facts.weak &
			    P(DNS)); /* the type is not known, so that the port alone tells */
		assert_int_equal(facts.dns.header, n >= 12);
		assert_string_equal(facts.dns.qname, named ? "seed.test" : "");
	}
}

/* ---- addresses and options ---- */

static void addresses_by_type_and_length(void **state)
{
	static const struct {
		unsigned type;
		size_t n;
		int addrs;
	} rows[] = {
		{ 1, 4, 1 },   { 1, 3, 0 },   { 1, 5, 0 },   { 1, 16, 0 },
		{ 28, 16, 1 }, { 28, 4, 0 },  { 28, 15, 0 }, { 28, 17, 0 },
		{ 2, 4, 0 },   { 27, 16, 0 }, { 29, 16, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame p = { .n = 0 };

		dns_head(&p, 0x8180, 1, 1, 0);
		put_many(&p, 1, 0);
		put8(&p, 0);
		put_record(&p, rows[i].type, DST6 "..", rows[i].n);
		assert_int_equal(reason_of(&p), UND_NONE);
		assert_int_equal(facts.n_addrs, rows[i].addrs);
		assert_false(facts.dns.edns);
	}
}

/* RFC 7871 6: what a query tells of the client's address. */
static void client_subnets(void **state)
{
	static const struct {
		const char *option;
		size_t n;
		const char *addr; /* NULL: none */
	} rows[] = {
		{ "\0\1\x20\0\xcb\0\x71\x0a", 8, "203.0.113.10" },
		{ "\0\1\x18\0\xcb\0\x71", 7, "203.0.113.0" },
		{ "\0\1\0\0", 4, "0.0.0.0" },
		{ "\0\1\x28\0\xcb\0\x71\x0a\0", 9, NULL },
		{ "\0\1\x18", 3, NULL },
		{ "\0\2\x30\0\x20\1\x0d\xb8\0\1", 10, "2001:db8:1::" },
		{ "\0\2\x80\0" SRC6, 20, "2001:db8:1::10" },
		{ "\0\2\x80\0" SRC6 "\0", 21, NULL },
		{ "\0\3\x18\0\xcb\0\x71", 7, NULL },
		{ "\0\0\x18\0\xcb\0\x71", 7, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame p = { .n = 0 };
		char text[IPADDR_TEXT];

		dns_head(&p, 0x0100, 1, 0, 1);
		put_many(&p, 1, 0);
		put8(&p, 0);
		put16(&p, 41);
		put16(&p, 1232);
		put32(&p, 0);
		put16(&p, (unsigned)(12 + rows[i].n));
		put(&p, "\0\x0a\0\4cook", 8); /* a cookie first */
		put16(&p, 8);
		put16(&p, (unsigned)rows[i].n);
		put(&p, rows[i].option, rows[i].n);
		assert_int_equal(reason_of(&p), UND_NONE);
		assert_true(facts.dns.edns);
		assert_int_equal(facts.dns.edns_size, 1232);
		assert_int_equal(facts.n_addrs, rows[i].addr != NULL);
		if (!rows[i].addr)
			continue;
		assert_int_equal(facts.addrs[0].place, PLACE_DNS_CLIENT_SUBNET);
		assert_string_equal(ipaddr_format(&facts.addrs[0].addr, text, sizeof(text)),
				    rows[i].addr);
		set16(&p, 12 + 5 + 21, rows[i].n + 1); /* longer than the record */
		assert_int_equal(reason_of(&p), UND_NONE);
		assert_int_equal(facts.n_addrs, 0);
	}
}

/* ---- names that are kept ---- */

static void each_name_once(void **state)
{
	static const struct {
		const char *names[5];
		const char *first, *others;
	} rows[] = {
		{ { "a.test", "a.test" }, "a.test", "" },
		{ { "a.test", "b.test", "b.test" }, "a.test", "b.test " },
		{ { "a.test", "b.test", "c.test", "b.test" }, "a.test", "b.test c.test b.test " },
		{ { "a.test", "bb.test", "b.test" }, "a.test", "bb.test b.test " },
		{ { "a.test", "b.test", "a.test" }, "a.test", "b.test " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame p = { .n = 0 };
		unsigned n = 0;

		dns_head(&p, 0x8180, 0, 0, 0);
		for (; n < 5 && rows[i].names[n]; n++) {
			put_name(&p, rows[i].names[n]);
			put_record(&p, 16, "", 0);
		}
		set16(&p, 6, n);
		assert_int_equal(reason_of(&p), UND_NONE);
		assert_string_equal(facts.dns.qname, rows[i].first);
		assert_string_equal(facts.dns.other_names, rows[i].others);
	}
}

/* Names of 20 bytes until there is no room; the last one fits to the byte. */
static void names_fill_their_room(void **state)
{
	const size_t room = sizeof(facts.dns.other_names);

	(void)state;
	for (size_t last = room % 21 + 15; last <= room % 21 + 23; last++) {
		struct frame p = { .n = 0 };
		size_t n = room / 21 - 1, end = n * 21;
		char name[64];

		dns_head(&p, 0x8180, 0, (unsigned)n + 2, 0);
		put_name(&p, "q");
		put_record(&p, 16, "", 0);
		for (size_t i = 0; i <= n; i++) {
			(void)snprintf(name, sizeof(name), "n%02zu", i);
			memset(name + 3, 'x', sizeof(name) - 3);
			name[i < n ? 20 : last] = '\0';
			put_name(&p, name);
			put_record(&p, 16, "", 0);
		}
		assert_int_equal(reason_of(&p), UND_NONE);
		if (end + last + 2 <= room)
			end += last + 1;
		assert_int_equal(strlen(facts.dns.other_names), end);
	}
}

/* ---- what is DNS for sure, and on any port ---- */

struct query_row {
	unsigned flags, type, class;
	bool plausible;
};

static const struct query_row query_rows[] = {
	{ 0x0100, 1, 1, true },	     { 0x0100, 0, 1, false },	 { 0x0100, 66, 1, true },
	{ 0x0100, 67, 1, false },    { 0x0100, 98, 1, false },	 { 0x0100, 99, 1, true },
	{ 0x0100, 109, 1, true },    { 0x0100, 110, 1, false },	 { 0x0100, 248, 1, false },
	{ 0x0100, 249, 1, true },    { 0x0100, 262, 1, true },	 { 0x0100, 263, 1, false },
	{ 0x0100, 32768, 1, false }, { 0x0100, 32769, 1, true }, { 0x0100, 32770, 1, false },
};

/* A query of which a byte is left over or missing is DNS on its port only where its question is sensible. */
static void damaged_questions(void **state)
{
	static const struct query_row more[] = {
		{ 0x3000, 1, 1, true },	  { 0x3800, 1, 1, false },     { 0x0100, 1, 0, false },
		{ 0x0100, 1, 2, false },  { 0x0100, 1, 3, true },      { 0x0100, 1, 4, true },
		{ 0x0100, 1, 5, false },  { 0x0100, 1, 253, false },   { 0x0100, 1, 254, true },
		{ 0x0100, 1, 255, true }, { 0x0100, 1, 0x8001, true }, { 0x0100, 1, 0x8002, false },
	};
	const size_t n_rows = sizeof(query_rows) / sizeof(query_rows[0]);
	const size_t n_more = sizeof(more) / sizeof(more[0]);

	(void)state;
	for (size_t i = 0; i < n_rows + n_more; i++) {
		const struct query_row *r = i < n_rows ? &query_rows[i] : &more[i - n_rows];
		struct frame p = { .n = 0 };

		dns_head(&p, r->flags, 1, 1, 0); /* and no answer */
		put_name(&p, "seed");
		put_question(&p, r->type, r->class);
		assert_int_equal(reason_of(&p), UND_DNS_NAME);
		assert_true(facts.protos & P(DNS));
		if (((facts.weak & P(DNS)) == 0) != r->plausible)
			fail_msg("flags %x, type %u, class %x", r->flags, r->type, r->class);
		set16(&p, 4, 2); /* two questions, of which one is there */
		assert_int_equal(reason_of(&p), UND_DNS_NAME);
		assert_true(facts.weak & P(DNS));
	}
}

static bool is_shape(const struct frame *p)
{
	decode_on(5300, p);
	return facts.protos & P(DNS);
}

static void queries_on_any_port(void **state)
{
	static const struct query_row more[] = {
		{ 0x0000, 1, 1, true },	 { 0x0800, 1, 1, false }, { 0x4000, 1, 1, false },
		{ 0x0140, 1, 1, false }, { 0x0120, 1, 1, true },  { 0x8180, 1, 1, true },
		{ 0x0100, 1, 3, false }, { 0x0100, 1, 0, false },
	};
	const size_t n_rows = sizeof(query_rows) / sizeof(query_rows[0]);
	const size_t n_more = sizeof(more) / sizeof(more[0]);

	(void)state;
	for (size_t i = 0; i < n_rows + n_more; i++) {
		const struct query_row *r = i < n_rows ? &query_rows[i] : &more[i - n_rows];
		struct frame p = { .n = 0 };

		dns_head(&p, r->flags, 1, 0, 0);
		put8(&p, 0);
		put_question(&p, r->type, r->class);
		if (is_shape(&p) != r->plausible)
			fail_msg("flags %x, type %u, class %x", r->flags, r->type, r->class);
		assert_true((facts.weak & P(DNS)) == (facts.protos & P(DNS)));
		p.n--;
		assert_false(is_shape(&p));
		p.n++;
		put8(&p, 0);
		assert_false(is_shape(&p));
	}
}

/* Counts of a message on any port: one question; a query has no answers, but may have additional records. */
static void counts_on_any_port(void **state)
{
	static const struct {
		unsigned flags, counts[4];
		bool good;
	} rows[] = {
		{ 0x0100, { 0, 0, 0, 0 }, false },  { 0x0100, { 2, 0, 0, 0 }, false },
		{ 0x0100, { 1, 1, 0, 0 }, false },  { 0x0100, { 1, 0, 1, 0 }, false },
		{ 0x0100, { 1, 0, 0, 1 }, true },   { 0x0100, { 1, 0, 0, 64 }, true },
		{ 0x0100, { 1, 0, 0, 65 }, false }, { 0x8180, { 1, 64, 0, 0 }, true },
		{ 0x8180, { 1, 65, 0, 0 }, false }, { 0x8180, { 1, 0, 64, 0 }, true },
		{ 0x8180, { 1, 0, 65, 0 }, false }, { 0x8180, { 1, 1, 1, 1 }, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const unsigned *n = rows[i].counts;
		struct frame p = { .n = 0 };

		dns_head(&p, rows[i].flags, n[0], n[1], n[3]);
		set16(&p, 8, n[2]);
		put_many(&p, n[0], n[1] + n[2] + n[3]);
		if (is_shape(&p) != rows[i].good)
			fail_msg("row %zu", i);
		assert_int_equal(facts.reasons, 0);
	}
}

/* A record that ends with the datagram, behind its name, is no record. */
static void half_a_record_on_any_port(void **state)
{
	struct frame p = { .n = 0 };

	(void)state;
	dns_head(&p, 0x8180, 1, 1, 0);
	put_many(&p, 1, 1);
	assert_true(is_shape(&p));
	p.n -= 10;
	assert_false(is_shape(&p));
}

/* Addresses of what is no DNS after all are not kept. */
static void no_address_of_what_is_none(void **state)
{
	struct frame p = { .n = 0 };

	(void)state;
	dns_head(&p, 0x8180, 1, 1, 0);
	put_many(&p, 1, 0);
	put8(&p, 0);
	put_record(&p, 1, "\xcb\0\x71\x0a", 4);
	assert_true(is_shape(&p));
	assert_int_equal(facts.n_addrs, 1);
	put8(&p, 0);
	assert_false(is_shape(&p));
	assert_int_equal(facts.n_addrs, 0);
}

/* A uTP packet whose connection and time look like the head of a query with an answer, or of an answer. */
static void what_begins_like_dns(void **state)
{
	(void)state;
	for (unsigned connection = 1; connection <= 0x8001; connection += 0x8000) {
		struct frame p = { .n = 0 };

		p_utp_syn(&p);
		set16(&p, 2, connection);
		set16(&p, 4, 1);
		set16(&p, 6, 1);
		decode_on(5300, &p);
		assert_true(facts.protos == (P(UDP) | P(BT_UTP)));
	}
}

/* What a header alone says: an opcode that there is, something asked or said, and no more of it than is read. */
static void headers_that_begin_dns(void **state)
{
	static const struct {
		struct dns_facts d;
		bool begins;
	} rows[] = {
		{ { .header = false, .opcode = 15 }, true },
		{ { .header = true, .questions = 1 }, true },
		{ { .header = true, .opcode = 6, .questions = 1 }, true },
		{ { .header = true, .opcode = 7, .questions = 1 }, false },
		{ { .header = true }, false },
		{ { .header = true, .additionals = 1 }, false },
		{ { .header = true, .answers = 1 }, true },
		{ { .header = true, .authorities = 1 }, true },
		{ { .header = true, .questions = 64, .answers = 64 }, true },
		{ { .header = true, .questions = 65 }, false },
		{ { .header = true, .questions = 1, .answers = 65 }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (dns_begins(&rows[i].d) != rows[i].begins)
			fail_msg("row %zu", i);
}

/* ---- names of NetBIOS (RFC 1001 14.1) ---- */

static void netbios_names(void **state)
{
	static const struct {
		const char *label, *name;
		enum undecodable reason;
	} rows[] = {
		{ "FDEFEFEECACACACACACACACACACACACA", "SEED", UND_NONE },
		{ "FDEFEFEEAAAAAAAAAAAAAAAAAAAAAAAA", "SEED", UND_NONE },
		{ "CACACACACACACACACACACACACACACACA", "", UND_NONE },
		{ "APAPAPAPAPAPAPAPAPAPAPAPAPAPAPAP",
		  "\\015\\015\\015\\015\\015\\015\\015\\015\\015\\015\\015\\015\\015\\015\\015",
		  UND_NONE },
		{ "PAPAPAPAPAPAPAPAPAPAPAPAPAPAPAPA",
		  "\\240\\240\\240\\240\\240\\240\\240\\240\\240\\240\\240\\240\\240\\240\\240",
		  UND_NONE },
		{ "@DEFEFEECACACACACACACACACACACACA", "@DEFEFEECACACACACACACACACACACACA",
		  UND_NBNS_NAME },
		{ "F@EFEFEECACACACACACACACACACACACA", "F@EFEFEECACACACACACACACACACACACA",
		  UND_NBNS_NAME },
		{ "QDEFEFEECACACACACACACACACACACACA", "QDEFEFEECACACACACACACACACACACACA",
		  UND_NBNS_NAME },
		{ "FQEFEFEECACACACACACACACACACACACA", "FQEFEFEECACACACACACACACACACACACA",
		  UND_NBNS_NAME },
		{ "FDEFEFEECACACACACACACACACACACA", "FDEFEFEECACACACACACACACACACACA",
		  UND_NBNS_NAME },
		{ "FDEFEFEECACACACACACACACACACACAC", "FDEFEFEECACACACACACACACACACACAC",
		  UND_NBNS_NAME },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame p = { .n = 0 };

		dns_head(&p, 0x0110, 1, 0, 0);
		put_name(&p, rows[i].label);
		put_question(&p, 32, 1);
		decode_on(137, &p);
		assert_int_equal(facts.reason, rows[i].reason);
		assert_string_equal(facts.dns.qname, rows[i].name);
	}
}

/* A name that was cut off has no label to decode, and needs no second reason. */
static void netbios_cut_short(void **state)
{
	struct frame p = { .n = 0 };

	(void)state;
	p_nbns(&p);
	for (size_t n = 1; n < p.n; n++) {
		struct frame q = p;

		q.n = n;
		decode_on(137, &q);
		assert_true(facts.reason == UND_DNS_SHORT || facts.reason == UND_DNS_NAME);
		assert_false(facts_has_reason(&facts, UND_NBNS_NAME));
		assert_true(facts.protos & P(NBNS));
	}
	p.n = 0; /* and is nothing else besides */
	p_utp_syn(&p);
	decode_on(137, &p);
	assert_true(facts.protos == (P(UDP) | P(DNS) | P(NBNS)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_names),
		cmocka_unit_test(pointers_point_back),
		cmocka_unit_test(pointers_are_whole),
		cmocka_unit_test(pointers_are_counted),
		cmocka_unit_test(many_records),
		cmocka_unit_test(header_flags),
		cmocka_unit_test(sections_are_added),
		cmocka_unit_test(short_messages),
		cmocka_unit_test(addresses_by_type_and_length),
		cmocka_unit_test(client_subnets),
		cmocka_unit_test(each_name_once),
		cmocka_unit_test(names_fill_their_room),
		cmocka_unit_test(damaged_questions),
		cmocka_unit_test(queries_on_any_port),
		cmocka_unit_test(counts_on_any_port),
		cmocka_unit_test(half_a_record_on_any_port),
		cmocka_unit_test(no_address_of_what_is_none),
		cmocka_unit_test(what_begins_like_dns),
		cmocka_unit_test(headers_that_begin_dns),
		cmocka_unit_test(netbios_names),
		cmocka_unit_test(netbios_cut_short),
	};

	return cmocka_run_group_tests_name("packet_dns", tests, NULL, NULL);
}
