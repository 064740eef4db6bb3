/* SPDX-License-Identifier: MIT */
/* pcap and pcapng in all their forms, cut anywhere, handed over in pieces of any size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/capfile.h"
#include "packet/frames.h"

struct source {
	const uint8_t *p;
	size_t n, piece;
};

static ptrdiff_t give(void *arg, uint8_t *buf, size_t size, struct err *err)
{
	struct source *s = arg;
	size_t n = s->n < size ? s->n : size;

	(void)err;
	n = n < s->piece ? n : s->piece;
	memcpy(buf, s->p, n);
	s->p += n;
	s->n -= n;
	return (ptrdiff_t)n;
}

static ptrdiff_t fail_read(void *arg, uint8_t *buf, size_t size, struct err *err)
{
	(void)arg;
	(void)buf;
	(void)size;
	return err_set(err, EXIT_ENVIRONMENT, "disk on fire");
}

static bool big;

static void w16(struct frame *f, unsigned v)
{
	put8(f, big ? v >> 8 : v);
	put8(f, big ? v : v >> 8);
}

static void w32(struct frame *f, uint32_t v)
{
	w16(f, big ? v >> 16 : v & 0xffff);
	w16(f, big ? v & 0xffff : v >> 16);
}

static void classic(struct frame *f, uint32_t magic, bool modified)
{
	f->n = 0;
	w32(f, magic);
	w16(f, 2);
	w16(f, 4);
	w32(f, 0);
	w32(f, 0);
	w32(f, 96);
	w32(f, LINK_RAW);
	for (unsigned i = 0; i < 2; i++) {
		w32(f, 1000 + i);
		w32(f, 500);
		w32(f, 5);
		w32(f, 100);
		if (modified)
			put_zero(f, 8);
		put_text(f, "abcde");
	}
}

/* All frames of the file; returns how the reading ended. */
static int read_all(const struct frame *f, size_t piece, struct capfile_frame out[8], int *count,
		    struct err *err)
{
	struct source s = { f->b, f->n, piece };
	struct capfile *c = capfile_open(give, &s, err);
	struct capfile_frame fr;
	int r;

	*count = 0;
	if (!c)
		return -1;
	while ((r = capfile_next(c, &fr, err)) == 1 && *count < 8) {
		if (fr.caplen == 5)
			assert_memory_equal(fr.data, "abcde", 5);
		out[(*count)++] = fr;
	}
	capfile_close(c);
	return r;
}

static void classic_in_all_forms(void **state)
{
	static const struct {
		uint32_t magic;
		bool modified;
		int64_t unit;
	} rows[] = { { 0xa1b2c3d4, false, 1000 },
		     { 0xa1b23c4d, false, 1 },
		     { 0xa1b2cd34, true, 1000 } };
	struct capfile_frame out[8];
	struct err err;
	struct frame f;
	int n;

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		big = i >= 3;
		classic(&f, rows[i % 3].magic, rows[i % 3].modified);
		for (size_t piece = 1; piece < 50; piece += 16) {
			assert_int_equal(read_all(&f, piece, out, &n, &err), 0);
			assert_int_equal(n, 2);
			assert_int_equal(out[1].caplen, 5);
			assert_int_equal(out[1].len, 100);
			assert_int_equal(out[1].linktype, LINK_RAW);
			assert_int_equal(out[1].number, 2);
			assert_true(out[1].time ==
				    1001 * INT64_C(1000000000) + 500 * rows[i % 3].unit);
		}
	}
	big = false;
}

static void section(struct frame *f)
{
	w32(f, 0x0a0d0d0a);
	w32(f, 28);
	w32(f, 0x1a2b3c4d);
	w16(f, 1);
	w16(f, 0);
	put_fill(f, 8, 0xff);
	w32(f, 28);
}

static void interface(struct frame *f, unsigned link, uint32_t snaplen, unsigned tsresol,
		      uint32_t offset)
{
	w32(f, 1);
	w32(f, 52);
	w16(f, link);
	w16(f, 0);
	w32(f, snaplen);
	w16(f, 2);
	w16(f, 4);
	put_text(f, "eth0");
	w16(f, 9);
	w16(f, 1);
	put8(f, tsresol);
	put_zero(f, 3);
	w16(f, 14);
	w16(f, 8);
	w32(f, big ? 0 : offset);
	w32(f, big ? offset : 0);
	put_zero(f, 4);
	w32(f, 52);
}

static void enhanced(struct frame *f, uint32_t nr, uint64_t ticks, unsigned direction)
{
	w32(f, 6);
	w32(f, 32 + 8 + 12);
	w32(f, nr);
	w32(f, (uint32_t)(ticks >> 32));
	w32(f, (uint32_t)ticks);
	w32(f, 5);
	w32(f, 77);
	put_text(f, "abcde\0\0\0");
	w16(f, 2);
	w16(f, 4);
	w32(f, direction);
	put_zero(f, 4);
	w32(f, 32 + 8 + 12);
}

static void pcapng(struct frame *f)
{
	f->n = 0;
	section(f);
	interface(f, LINK_ETHERNET, 0, 9, 0);
	interface(f, LINK_RAW, 5, 6, 100);
	w32(f, 0x0bad); /* a block that nobody knows */
	w32(f, 16);
	w32(f, 0);
	w32(f, 16);
	enhanced(f, 0, UINT64_C(1700000000123456789), 2);
	enhanced(f, 1, UINT64_C(1700000000123456), 1);
	w32(f, 3); /* simple packet block: interface 0, no time */
	w32(f, 24);
	w32(f, 5);
	put_text(f, "abcde\0\0\0");
	w32(f, 24);
	w32(f, 5); /* statistics */
	w32(f, 48);
	w32(f, 0);
	w32(f, 0);
	w32(f, 0);
	w16(f, 4);
	w16(f, 8);
	w32(f, big ? 0 : 12);
	w32(f, big ? 12 : 0);
	w16(f, 5);
	w16(f, 8);
	w32(f, big ? 0 : 3);
	w32(f, big ? 3 : 0);
	w32(f, 48);
}

static void pcapng_in_both_orders(void **state)
{
	struct capfile_frame out[8];
	struct err err;
	struct frame f;
	int n;

	(void)state;
	for (int i = 0; i < 2; i++) {
		big = i;
		pcapng(&f);
		for (size_t piece = 1; piece < 80; piece += 13) {
			assert_int_equal(read_all(&f, piece, out, &n, &err), 0);
			assert_int_equal(n, 3);
			assert_int_equal(out[0].linktype, LINK_ETHERNET);
			assert_int_equal(out[0].direction, 2);
			assert_true(out[0].time == INT64_C(1700000000123456789));
			assert_int_equal(out[0].len, 77);
			assert_int_equal(out[1].linktype, LINK_RAW);
			assert_int_equal(out[1].interface, 1);
			assert_true(out[1].time == INT64_C(1700000100123456000));
			assert_true(out[2].time == out[1].time);
			assert_int_equal(out[2].linktype, LINK_ETHERNET);
		}
	}
	big = false;
}

static void interfaces_and_counts(void **state)
{
	struct source s;
	struct capfile_frame fr;
	struct capfile *c;
	struct err err;
	struct frame f;
	const char *name;
	uint32_t link;

	(void)state;
	pcapng(&f);
	s = (struct source){ f.b, f.n, 4096 };
	c = capfile_open(give, &s, &err);
	assert_non_null(c);
	while (capfile_next(c, &fr, &err) == 1)
		;
	assert_true(capfile_is_pcapng(c));
	assert_int_equal(capfile_interface(c, 1, &link, &name), 0);
	assert_int_equal(link, LINK_RAW);
	assert_string_equal(name, "eth0");
	assert_int_equal(capfile_interface(c, 2, &link, &name), -1);
	assert_true(capfile_counts(c)->present);
	assert_int_equal(capfile_counts(c)->received, 12);
	assert_int_equal(capfile_counts(c)->dropped, 3);
	capfile_close(c);
}

static void binary_resolutions(void **state)
{
	struct capfile_frame out[8];
	struct err err;
	struct frame f = { .n = 0 };
	int n;

	(void)state;
	section(&f);
	interface(&f, LINK_RAW, 0, 0x80 | 10, 0); /* 1024 ticks a second */
	interface(&f, LINK_RAW, 0, 12, 0);	  /* picoseconds */
	interface(&f, LINK_RAW, 0, 0, 0);	  /* seconds */
	enhanced(&f, 0, 1024 * 5 + 512, 0);
	enhanced(&f, 1, UINT64_C(7000000001234), 0);
	enhanced(&f, 2, 9, 0);
	assert_int_equal(read_all(&f, 4096, out, &n, &err), 0);
	assert_true(out[0].time == INT64_C(5500000000));
	assert_true(out[1].time == INT64_C(7000000001));
	assert_true(out[2].time == INT64_C(9000000000));
}

/* A file that ends early says where, and gives the frames before. */
static void cut_anywhere(void **state)
{
	struct capfile_frame out[8];
	struct err err;
	struct frame f;
	int n, clean = 0;

	(void)state;
	for (int which = 0; which < 2; which++) {
		if (which)
			pcapng(&f);
		else
			classic(&f, 0xa1b2c3d4, false);
		for (size_t len = f.n; len-- > 0;) {
			struct frame cut = f;
			int r;

			cut.n = len;
			err.text[0] = '\0';
			r = read_all(&cut, 7, out, &n, &err);
			if (r == 0) {
				clean++; /* just between two records or blocks */
			} else {
				assert_int_equal(r, -1);
				assert_non_null(strstr(err.text, "capture file: "));
				assert_int_equal(err.status, EXIT_USAGE);
			}
		}
	}
	assert_int_equal(clean, 2 + 7);
}

/* A record of no bytes, which is the last one. */
static void put_empty_record(struct frame *f)
{
	w32(f, 1002);
	w32(f, 0);
	w32(f, 0);
	w32(f, 60);
}

/* The frames of f in batches of at most `max`, of a source that gives pieces: the same as one by one. */
static void check_batches(const struct frame *f, size_t piece, int max, int largest)
{
	struct source s = { f->b, f->n, piece };
	struct capfile_frame one[8], many[8];
	struct err err = { 0 };
	struct capfile *c = capfile_open(give, &s, &err);
	int n = 0, got, most = 0, at = 0;

	assert_non_null(c);
	assert_int_equal(read_all(f, piece, one, &n, &err), 0);
	while ((got = capfile_batch(c, many, max, &err)) > 0) {
		assert_in_range(got, 1, max);
		most = got > most ? got : most;
		for (int i = 0; i < got; i++, at++) {
			assert_int_equal(many[i].number, one[at].number);
			assert_int_equal(many[i].offset, one[at].offset);
			assert_int_equal(many[i].time, one[at].time);
			assert_int_equal(many[i].len, one[at].len);
			assert_int_equal(many[i].caplen, one[at].caplen);
			if (many[i].caplen == 5)
				assert_memory_equal(many[i].data, "abcde", 5);
		}
	}
	assert_int_equal(got, 0);
	assert_int_equal(at, n);
	assert_int_equal(most, largest);
	capfile_close(c);
}

static void batches(void **state)
{
	struct frame f;

	(void)state;
	big = false;
	classic(&f, 0xa1b2c3d4, false);
	put_empty_record(&f);
	check_batches(&f, 1, 8, 1);
	check_batches(&f, 4096, 1, 1);
	check_batches(&f, 4096, 2, 2);
	check_batches(&f, 4096, 3, 3);
	check_batches(&f, 4096, 8, 3);
	check_batches(&f, 24 + 21, 8, 2); /* the first record alone, then the others */
	pcapng(&f);
	check_batches(&f, 4096, 8, 1);
}

static void expect_damage(const struct frame *f, const char *text)
{
	struct capfile_frame out[8];
	struct err err = { 0 };
	int n;

	assert_int_equal(read_all(f, 4096, out, &n, &err), -1);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
}

static void damage_is_named(void **state)
{
	static const struct {
		uint32_t begins;
		const char *says;
	} other[] = { { 0x28b52ffd, "zstd -d" }, { 0xfd377a58, "xz -d" },
		      { 0x04224d18, "lz4 -d" },	 { 0x504b0304, "zip" },
		      { 0x736e6f6f, "editcap" }, { 0x425a6839, "bzip2 -d" } };
	struct frame f, g;

	(void)state;
	f.n = 0;
	expect_damage(&f, "empty");
	put_text(&f, "hello, this is no capture");
	expect_damage(&f, "neither pcap nor pcapng (begins with 68656c6c)");
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		f.n = 0;
		put32(&f, other[i].begins);
		expect_damage(&f, other[i].says);
	}
	f.n = 0;
	classic(&f, 0xa1b2c3d4, false);
	g = f;
	g.b[4] = 9;
	expect_damage(&g, "version");
	g = f;
	g.b[24 + 8 + 3] = 0x7f;
	expect_damage(&g, "longer than any frame at byte 24");
	pcapng(&f);
	g = f;
	g.b[8] = 0;
	expect_damage(&g, "byte-order magic");
	g = f;
	g.b[28 + 4] = 51;
	expect_damage(&g, "wrong length at byte 28");
	g = f;
	g.b[28 + 51] = 1;
	expect_damage(&g, "two lengths differ");
	f.n = 28;
	enhanced(&f, 0, 0, 0);
	expect_damage(&f, "interface that was not described");
	f.n = 28;
	interface(&f, 1, 0, 6, 0);
	enhanced(&f, 0, 0, 0);
	f.b[28 + 52 + 20] = 200; /* captured length beyond the block */
	expect_damage(&f, "longer than its block");
}

static void a_read_error_is_passed_on(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_null(capfile_open(fail_read, NULL, &err));
	assert_string_equal(err.text, "disk on fire");
	capfile_close(NULL);
}

/* A second section brings its own byte order and interfaces. */
static void sections_start_afresh(void **state)
{
	struct capfile_frame out[8];
	struct err err;
	struct frame f = { .n = 0 };
	int n;

	(void)state;
	section(&f);
	interface(&f, LINK_RAW, 0, 9, 0);
	enhanced(&f, 0, 5, 0);
	big = true;
	section(&f);
	interface(&f, LINK_SLL2, 0, 9, 0);
	enhanced(&f, 0, 6, 0);
	big = false;
	assert_int_equal(read_all(&f, 3, out, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_int_equal(out[1].linktype, LINK_SLL2);
	assert_int_equal(out[1].number, 2);
	assert_true(out[1].time == 6);
}

/* Version, first and second length of a record, and what they mean: captured, on the wire. */
static void lengths_of_old_versions(void **state)
{
	static const struct {
		unsigned major, minor;
		uint32_t first, second;
		uint32_t captured, wire;
	} rows[] = {
		{ 2, 4, 5, 100, 5, 100 },   { 2, 4, 5, 3, 5, 3 },     { 2, 3, 5, 100, 5, 100 },
		{ 2, 3, 100, 5, 5, 100 },   { 2, 2, 100, 5, 5, 100 }, { 2, 0, 5, 5, 5, 5 },
		{ 543, 0, 100, 5, 5, 100 },
	};
	struct capfile_frame out[8];
	struct err err;
	struct frame f;
	int n;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame head = { .n = 0 };

		classic(&f, 0xa1b2c3d4, false);
		f.n = 24 + 16 + 5;
		w16(&head, rows[i].major);
		w16(&head, rows[i].minor);
		memcpy(f.b + 4, head.b, 4);
		head.n = 0;
		w32(&head, rows[i].first);
		w32(&head, rows[i].second);
		memcpy(f.b + 24 + 8, head.b, 8);
		assert_int_equal(read_all(&f, 7, out, &n, &err), 0);
		assert_int_equal(n, 1);
		assert_int_equal(out[0].caplen, rows[i].captured);
		assert_int_equal(out[0].len, rows[i].wire);
	}
	f.b[4] = 31; /* 543 is 0x021f; 0x001f is nobody's */
	f.b[5] = 0;
	expect_damage(&f, "version other than 2");
}

static void sections_of_other_versions_are_refused(void **state)
{
	struct capfile_frame out[8];
	struct err err;
	struct frame f;
	int n;

	(void)state;
	pcapng(&f);
	f.b[14] = 2;
	assert_int_equal(read_all(&f, 4096, out, &n, &err), 0);
	f.b[14] = 1;
	expect_damage(&f, "another version than 1.0 at byte 0");
	f.b[14] = 0;
	f.b[12] = 2;
	expect_damage(&f, "another version than 1.0 at byte 0");
}

/* Ticks of seconds with the largest offset, and as far the other way. */
static void times_beyond_the_clock_stay_at_its_end(void **state)
{
	struct capfile_frame out[8] = { 0 };
	struct err err;
	struct frame f = { .n = 0 };
	int n;

	(void)state;
	section(&f);
	interface(&f, LINK_RAW, 0, 0, 0);
	enhanced(&f, 0, UINT64_MAX, 0);
	enhanced(&f, 0, INT64_MAX / 1000000000, 0);
	assert_int_equal(read_all(&f, 4096, out, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_true(out[0].time == INT64_MAX);
	assert_true(out[1].time == INT64_MAX / 1000000000 * 1000000000);
}

/* Merged files describe an interface for each file that went in. */
static void hundreds_of_interfaces(void **state)
{
	static uint8_t bytes[400 * 52 + 1024];
	struct frame f = { .n = 0 };
	struct source s = { bytes, 0, 4096 };
	struct capfile_frame fr;
	struct capfile *c;
	struct err err;
	size_t at;

	(void)state;
	section(&f);
	memcpy(bytes, f.b, f.n);
	at = f.n;
	for (unsigned i = 0; i < 400; i++) {
		f.n = 0;
		interface(&f, i == 399 ? LINK_SLL2 : LINK_RAW, 0, 9, 0);
		memcpy(bytes + at, f.b, f.n);
		at += f.n;
	}
	f.n = 0;
	enhanced(&f, 399, 7, 0);
	memcpy(bytes + at, f.b, f.n);
	s.n = at + f.n;
	c = capfile_open(give, &s, &err);
	assert_non_null(c);
	assert_int_equal(capfile_next(c, &fr, &err), 1);
	assert_int_equal(fr.linktype, LINK_SLL2);
	assert_int_equal(fr.interface, 399);
	assert_int_equal(capfile_next(c, &fr, &err), 0);
	capfile_close(c);
}

/* ---- limits ---- */

/* Read all of n bytes: how many frames came, and the error's text ("" when the file ended well). */
static int frames_in(const uint8_t *p, size_t n, struct capfile_frame *last, struct err *err)
{
	struct source s = { p, n, 65536 };
	struct capfile *c = capfile_open(give, &s, err);
	int count = 0, r;

	err->text[0] = '\0';
	assert_non_null(c);
	while ((r = capfile_next(c, last, err)) == 1)
		count++;
	assert_int_equal(r, err->text[0] ? -1 : 0);
	capfile_close(c);
	return count;
}

/* A file's head, a record or block of `room` zeros behind `before`, and `after`. */
static uint8_t *padded(const struct frame *before, size_t room, const struct frame *after,
		       size_t *n)
{
	uint8_t *p = calloc(1, before->n + room + after->n);

	assert_non_null(p);
	memcpy(p, before->b, before->n);
	memcpy(p + before->n + room, after->b, after->n);
	*n = before->n + room + after->n;
	return p;
}

static void check_long(const struct frame *before, size_t room, const struct frame *after,
		       const char *text, int frames)
{
	struct capfile_frame last = { 0 };
	struct err err;
	size_t n;
	uint8_t *p = padded(before, room, after, &n);

	assert_int_equal(frames_in(p, n, &last, &err), frames);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
	free(p);
}

/* Records and blocks are as long as they may be, and longer than the buffer that the reader begins with. */
static void the_longest_records(void **state)
{
	(void)state;
	for (unsigned more = 0; more <= 1; more++) {
		struct frame f, none = { .n = 0 };

		classic(&f, 0xa1b2c3d4, false);
		f.n = 24 + 8;
		w32(&f, CAPFILE_MAX_FRAME + more);
		w32(&f, CAPFILE_MAX_FRAME + more);
		check_long(&f, CAPFILE_MAX_FRAME + more, &none,
			   more ? "longer than any frame at byte 24" : "", more ? 0 : 1);
	}
	for (unsigned more = 0; more <= 4; more += 4) {
		struct frame f = { .n = 0 }, end = { .n = 0 };

		section(&f);
		w32(&f, 0x0bad);
		w32(&f, CAPFILE_MAX_BLOCK + more);
		w32(&end, CAPFILE_MAX_BLOCK + more);
		interface(&end, LINK_RAW, 0, 9, 0);
		enhanced(&end, 0, 7, 0);
		check_long(&f, CAPFILE_MAX_BLOCK + more - 12, &end,
			   more ? "wrong length at byte 28" : "", more ? 0 : 1);
	}
	for (unsigned more = 0; more <= 1; more++) {
		struct frame f = { .n = 0 }, end = { .n = 0 };

		section(&f);
		interface(&f, LINK_RAW, 0, 9, 0);
		w32(&f, 6);
		w32(&f, 32 + CAPFILE_MAX_FRAME + 4);
		put_zero(&f, 12);
		w32(&f, CAPFILE_MAX_FRAME + more);
		w32(&f, CAPFILE_MAX_FRAME + more);
		w32(&end, 32 + CAPFILE_MAX_FRAME + 4);
		check_long(&f, CAPFILE_MAX_FRAME + 4, &end, more ? "longer than any frame" : "",
			   more ? 0 : 1);
	}
}

static void as_many_interfaces_as_are_kept(void **state)
{
	const size_t room = 28 + 20 * ((size_t)CAPFILE_INTERFACES + 1);
	uint8_t *p = malloc(room);
	struct frame f = { .n = 0 };
	struct capfile_frame last;
	struct err err;

	(void)state;
	assert_non_null(p);
	section(&f);
	w32(&f, 1);
	w32(&f, 20);
	w16(&f, LINK_RAW);
	put_zero(&f, 6);
	w32(&f, 20);
	memcpy(p, f.b, 28);
	for (size_t i = 0; i <= CAPFILE_INTERFACES; i++)
		memcpy(p + 28 + 20 * i, f.b + 28, 20);
	assert_int_equal(frames_in(p, room - 20, &last, &err), 0);
	assert_string_equal(err.text, "");
	assert_int_equal(frames_in(p, room, &last, &err), 0);
	assert_non_null(strstr(err.text, "too many interfaces"));
	free(p);
}

/* A block of this type and body between a section (and an interface, where `of` has one) and the end. */
static const char *said_of(const struct frame *of, uint32_t type, const struct frame *body,
			   int *frames, struct capfile_frame *last)
{
	static struct err err;
	struct frame f = *of;

	w32(&f, type);
	w32(&f, (uint32_t)body->n + 12);
	put(&f, body->b, body->n);
	w32(&f, (uint32_t)body->n + 12);
	*frames = frames_in(f.b, f.n, last, &err);
	return err.text;
}

static void blocks_at_their_limits(void **state)
{
	static const struct {
		uint32_t type;
		bool interface;
		size_t n;	  /* of a body of zeros */
		const char *says; /* "": nothing wrong */
		int frames;
	} rows[] = {
		{ 1, false, 4, "an interface block too short", 0 },
		{ 1, false, 8, "", 0 },
		{ 6, true, 16, "a packet block too short", 0 },
		{ 6, true, 20, "", 1 },
		{ 6, false, 20, "not described", 0 },
		{ 2, true, 16, "a packet block too short", 0 },
		{ 2, true, 20, "", 1 },
		{ 3, true, 0, "a packet block too short", 0 },
		{ 3, true, 4, "", 1 },
		{ 3, false, 4, "not described", 0 },
		{ 5, false, 8, "", 0 },
		{ 5, false, 12, "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame of = { .n = 0 }, body = { .n = 0 };
		struct capfile_frame last;
		const char *said;
		int frames;

		section(&of);
		if (rows[i].interface)
			interface(&of, LINK_RAW, 0, 9, 0);
		put_zero(&body, rows[i].n);
		said = said_of(&of, rows[i].type, &body, &frames, &last);
		if (rows[i].says[0] ? !strstr(said, rows[i].says) : said[0])
			fail_msg("row %zu says \"%s\"", i, said);
		assert_int_equal(frames, rows[i].frames);
	}
}

static void lengths_of_blocks(void **state)
{
	static const uint32_t totals[] = { 0, 4, 8, 10, 13, 14, 15 };

	(void)state;
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		struct frame f = { .n = 0 };

		section(&f);
		w32(&f, 0x0bad);
		w32(&f, totals[i]);
		put_zero(&f, 24);
		expect_damage(&f, "wrong length at byte 28");
	}
}

/* A simple block has what the interface's snapshot length let through. */
static void simple_blocks(void **state)
{
	static const struct {
		uint32_t snaplen, len, there;
		int64_t caplen; /* -1: damaged */
	} rows[] = {
		{ 0, 8, 8, 8 }, { 9, 8, 8, 8 },	 { 8, 8, 8, 8 },  { 7, 8, 8, 7 },
		{ 4, 8, 4, 4 }, { 0, 9, 8, -1 }, { 9, 9, 8, -1 }, { 0, 0, 8, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame of = { .n = 0 }, body = { .n = 0 };
		struct capfile_frame last;
		const char *said;
		int frames;

		section(&of);
		interface(&of, LINK_SLL2, rows[i].snaplen, 9, 0);
		w32(&body, rows[i].len);
		put_zero(&body, rows[i].there);
		said = said_of(&of, 3, &body, &frames, &last);
		assert_int_equal(frames, rows[i].caplen >= 0);
		if (rows[i].caplen < 0) {
			assert_non_null(strstr(said, "longer than its block"));
			continue;
		}
		assert_string_equal(said, "");
		assert_int_equal(last.caplen, rows[i].caplen);
		assert_int_equal(last.len, rows[i].len);
		assert_int_equal(last.linktype, LINK_SLL2);
		assert_int_equal(last.direction, 0);
		assert_int_equal(last.interface, 0);
	}
}

/* Options of a packet: the flags count where the list has them whole, and before its end. */
static void options_of_packets(void **state)
{
	static const struct {
		const char *options;
		size_t n;
		int direction;
	} rows[] = {
#define OPTIONS(s) (s), sizeof(s) - 1
		{ OPTIONS("\2\0\4\0\2\0\0\0"), 2 },
		{ OPTIONS("\2\0\4\0\xfd\0\0\0"), 1 },
		{ OPTIONS("\3\0\4\0\2\0\0\0"), 0 },
		{ OPTIONS("\1\0\2\0no..\2\0\4\0\2\0\0\0"), 2 },
		{ OPTIONS("\0\0\0\0\2\0\4\0\2\0\0\0"), 0 },
		{ OPTIONS("\1\0\0\0\2\0\4\0\2\0\0\0"), 2 },
		{ OPTIONS("\2\0\2\0\2\0\0\0"), 0 },
		{ OPTIONS("\2\0\x08\0\2\0\0\0....."
			  "..."),
		  0 },
		{ OPTIONS("\2\0\5\0\2\0\0\0"), 0 },
		{ OPTIONS("\1\0\5\0\2\0\4\0\2\0\0\0"), 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame of = { .n = 0 }, body = { .n = 0 };
		struct capfile_frame last;
		int frames;

		section(&of);
		interface(&of, LINK_RAW, 0, 9, 0);
		put_zero(&body, 12);
		w32(&body, 5);
		w32(&body, 5);
		put_zero(&body, 8);
		put(&body, rows[i].options, rows[i].n);
		assert_string_equal(said_of(&of, 6, &body, &frames, &last), "");
		assert_int_equal(last.direction, rows[i].direction);
	}
}

/* A captured length that ends in the block's last word, and one that ends behind it. */
static void packets_fill_their_blocks(void **state)
{
	(void)state;
	for (uint32_t caplen = 5; caplen <= 9; caplen++) {
		struct frame of = { .n = 0 }, body = { .n = 0 };
		struct capfile_frame last;
		int frames;

		section(&of);
		interface(&of, LINK_RAW, 0, 9, 0);
		put_zero(&body, 12);
		w32(&body, caplen);
		w32(&body, 100);
		put_zero(&body, 8);
		assert_int_equal(said_of(&of, 6, &body, &frames, &last)[0] != '\0', caplen > 8);
		assert_int_equal(frames, caplen <= 8);
		if (frames)
			assert_int_equal(last.caplen, caplen);
	}
}

/* An interface's options, and the time of a packet on it. */
static int64_t time_by(const char *options, size_t n, uint64_t ticks)
{
	struct frame f = { .n = 0 };
	struct capfile_frame last = { .time = -1 };
	struct err err;

	section(&f);
	w32(&f, 1);
	w32(&f, (uint32_t)n + 20);
	w16(&f, LINK_RAW);
	w16(&f, 0);
	w32(&f, 0);
	put(&f, options, n);
	w32(&f, (uint32_t)n + 20);
	enhanced(&f, 0, ticks, 0);
	assert_int_equal(frames_in(f.b, f.n, &last, &err), 1);
	return last.time;
}

#define TSRESOL(n) "\x09\0\1\0" n "\0\0\0"
#define TSOFFSET   "\x0e\0\x08\0"

static void resolutions_and_offsets(void **state)
{
	static const struct {
		const char *options;
		size_t n;
		uint64_t ticks;
		int64_t time;
	} rows[] = {
		{ OPTIONS(""), 5, 5000 },
		{ OPTIONS("\x09\0\0\0"), 5, 5000 }, /* no byte to read */
		{ OPTIONS("\x0a\0\1\0\0\0\0\0"), 5, 5000 },
		{ OPTIONS(TSRESOL("\0")), 5, INT64_C(5000000000) },
		{ OPTIONS(TSRESOL("\x08")), 5, 50 },
		{ OPTIONS(TSRESOL("\x09")), 5, 5 },
		{ OPTIONS(TSRESOL("\x0a")), 59, 5 },
		{ OPTIONS(TSRESOL("\x1b")), UINT64_MAX, 18 },
		{ OPTIONS(TSRESOL("\x1c")), UINT64_MAX, 1 },
		{ OPTIONS(TSRESOL("\x80")), 5, INT64_C(5000000000) },
		{ OPTIONS(TSRESOL("\x81")), 5, INT64_C(2500000000) },
		{ OPTIONS(TSRESOL("\xbf")), UINT64_C(1) << 63, 1000000000 },
		{ OPTIONS(TSRESOL("\xc0")), UINT64_MAX, 0 },
		{ OPTIONS(TSOFFSET "\7\0\0\0\0\0\0\0"), 5, INT64_C(7000005000) },
		{ OPTIONS(TSOFFSET "\xff\xff\xff\xff\xff\xff\xff\xff"), 1000000, 0 },
		{ OPTIONS(TSOFFSET "\0\0\0\0\0\0\0\x80"), 5, INT64_MIN },
		{ OPTIONS(TSOFFSET "\xff\xff\xff\xff\xff\xff\xff\x7f"), 5, INT64_MAX },
		{ OPTIONS("\x0e\0\7\0\7\0\0\0\0\0\0\0"), 5, 5000 },
		{ OPTIONS("\x0f\0\x08\0\7\0\0\0\0\0\0\0"), 5, 5000 },
		{ OPTIONS("\0\0\0\0" TSRESOL("\0")), 5, 5000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (time_by(rows[i].options, rows[i].n, rows[i].ticks) != rows[i].time)
			fail_msg("row %zu", i);
}

static void names_of_interfaces(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 40; n++) {
		struct frame f = { .n = 0 };
		struct source s = { f.b, 0, 4096 };
		struct capfile_frame last;
		struct capfile *c;
		struct err err;
		const char *name;
		uint32_t link;

		section(&f);
		w32(&f, 1);
		w32(&f, 24 + (((uint32_t)n + 3) & ~3U));
		w32(&f, LINK_RAW);
		w32(&f, 0);
		w16(&f, 2);
		w16(&f, (unsigned)n);
		put_fill(&f, n, 'n');
		put_zero(&f, -n & 3);
		w32(&f, 24 + (((uint32_t)n + 3) & ~3U));
		s.n = f.n;
		c = capfile_open(give, &s, &err);
		assert_int_equal(capfile_next(c, &last, &err), 0);
		assert_int_equal(capfile_interface(c, 0, &link, &name), 0);
		assert_int_equal(link, LINK_RAW);
		assert_int_equal(strlen(name), n < 31 ? n : 31);
		assert_int_equal(capfile_interface(c, 1, &link, &name), -1);
		capfile_close(c);
	}
}

/* ---- counts ---- */

static void w64(struct frame *f, uint64_t v)
{
	w32(f, (uint32_t)(big ? v >> 32 : v));
	w32(f, (uint32_t)(big ? v : v >> 32));
}

struct counter {
	unsigned code, len; /* len: 8, or 4 for what is no counter */
	uint64_t value;
};

static void put_counter(struct frame *f, const struct counter *k)
{
	w16(f, k->code);
	w16(f, k->len);
	if (k->len == 4)
		w32(f, (uint32_t)k->value);
	else
		w64(f, k->value);
}

static void statistics(struct frame *f, uint32_t nr, const struct counter *k, size_t n)
{
	uint32_t total = 24;

	for (size_t i = 0; i < n; i++)
		total += 4 + k[i].len;
	w32(f, 5);
	w32(f, total);
	w32(f, nr);
	w64(f, 0);
	for (size_t i = 0; i < n; i++)
		put_counter(f, &k[i]);
	w32(f, total);
}

#define STATISTICS(f, nr, ...)                                     \
	statistics(f, nr, (const struct counter[]){ __VA_ARGS__ }, \
		   sizeof((const struct counter[]){ __VA_ARGS__ }) / sizeof(struct counter))

/* A packet of no bytes with one option: enhanced, or obsolete with its own count. */
static void packet_with(struct frame *f, bool old, uint32_t nr, unsigned drops, struct counter k)
{
	uint32_t total = 36 + k.len;

	w32(f, old ? 2 : 6);
	w32(f, total);
	if (old) {
		w16(f, nr);
		w16(f, drops);
	} else {
		w32(f, nr);
	}
	put_zero(f, 16);
	put_counter(f, &k);
	w32(f, total);
}

static void lost_before(struct frame *f, uint32_t nr, uint64_t n)
{
	packet_with(f, false, nr, 0, (struct counter){ 4, 8, n });
}

static void old_lost_before(struct frame *f, uint32_t nr, unsigned n)
{
	packet_with(f, true, nr, n, (struct counter){ 3, 8, 1 });
}

static void two_interfaces(struct frame *f)
{
	f->n = 0;
	section(f);
	interface(f, LINK_RAW, 0, 9, 0);
	interface(f, LINK_RAW, 0, 9, 0);
}

static void expect_counts(const struct frame *f, bool present, uint64_t received, uint64_t lost)
{
	struct source s = { f->b, f->n, 4096 };
	struct capfile_frame last;
	struct err err;
	struct capfile *c = capfile_open(give, &s, &err);
	int r;

	assert_non_null(c);
	while ((r = capfile_next(c, &last, &err)) == 1)
		;
	assert_int_equal(r, 0);
	assert_int_equal(capfile_counts(c)->present, present);
	assert_true(capfile_counts(c)->received == received);
	assert_true(capfile_counts(c)->dropped == lost);
	capfile_close(c);
}

/* Counters have eight bytes; others, and other options, are none. */
static void statistics_are_counted(void **state)
{
	struct frame f;

	(void)state;
	for (int i = 0; i < 2; i++) {
		big = i;
		two_interfaces(&f);
		STATISTICS(&f, 0, { 4, 4, 99 }, { 5, 4, 99 }, { 7, 4, 99 }, { 3, 8, 99 },
			   { 6, 8, 99 }, { 8, 8, 99 });
		expect_counts(&f, false, 0, 0);
		STATISTICS(&f, 0, { 4, 8, 7 });
		expect_counts(&f, true, 7, 0);
		STATISTICS(&f, 1, { 4, 8, 5 }, { 5, 8, 0 });
		expect_counts(&f, true, 12, 0);
		STATISTICS(&f, 1, { 5, 8, 2 });
		expect_counts(&f, true, 12, 2);
		STATISTICS(&f, 0, { 7, 8, 1 });
		expect_counts(&f, true, 12, 3);
	}
	big = false;
	two_interfaces(&f); /* what a section does not describe, or no longer */
	STATISTICS(&f, 2, { 5, 8, 4 });
	expect_counts(&f, true, 0, 4);
	STATISTICS(&f, 1, { 5, 8, 4 });
	expect_counts(&f, true, 0, 8);
	section(&f);
	STATISTICS(&f, 1, { 5, 8, 4 });
	expect_counts(&f, true, 0, 12);
	section(&f);
	STATISTICS(&f, 1, { 5, 8, 3 });
	interface(&f, LINK_RAW, 0, 9, 0);
	STATISTICS(&f, 0, { 7, 8, 1 });
	expect_counts(&f, true, 0, 16);
}

/* Each block of an interface tells what was lost since the capture began, by the interface and by the system. */
static void statistics_grow(void **state)
{
	struct frame f;

	(void)state;
	two_interfaces(&f);
	STATISTICS(&f, 0, { 4, 8, 10 }, { 5, 8, 3 }, { 7, 8, 4 });
	expect_counts(&f, true, 10, 7);
	STATISTICS(&f, 0, { 4, 8, 11 }, { 5, 8, 3 }, { 7, 8, 5 });
	expect_counts(&f, true, 11, 8);
	STATISTICS(&f, 0, { 4, 8, 1 }, { 5, 8, 1 });
	expect_counts(&f, true, 11, 8);
	STATISTICS(&f, 0, { 5, 8, UINT64_MAX - 8 }, { 7, 8, 8 });
	expect_counts(&f, true, 11, UINT64_MAX);
	STATISTICS(&f, 1, { 5, 8, UINT64_C(1) << 63 }, { 7, 8, UINT64_C(1) << 63 });
	expect_counts(&f, true, 11, UINT64_MAX);
}

static void losses_before_packets_are_added(void **state)
{
	struct frame f;

	(void)state;
	for (int i = 0; i < 2; i++) {
		big = i;
		two_interfaces(&f);
		lost_before(&f, 0, 0);
		old_lost_before(&f, 0, 0);
		old_lost_before(&f, 0, 0xffff); /* not known */
		packet_with(&f, false, 0, 0, (struct counter){ 4, 4, 9 });
		packet_with(&f, true, 0, 0, (struct counter){ 4, 8, 9 });
		expect_counts(&f, false, 0, 0);
		lost_before(&f, 0, 2);
		expect_counts(&f, true, 0, 2);
		lost_before(&f, 1, 3);
		old_lost_before(&f, 0, 5);
		expect_counts(&f, true, 0, 10);
	}
	big = false;
	two_interfaces(&f);
	old_lost_before(&f, 1, 0xfffe);
	expect_counts(&f, true, 0, 0xfffe);
	lost_before(&f, 1, UINT64_MAX - 0xfffe);
	expect_counts(&f, true, 0, UINT64_MAX);
	lost_before(&f, 1, 1);
	lost_before(&f, 0, 1);
	expect_counts(&f, true, 0, UINT64_MAX);
}

static void a_loss_told_twice_counts_once(void **state)
{
	struct frame f;

	(void)state;
	two_interfaces(&f);
	lost_before(&f, 0, 2);
	lost_before(&f, 0, 1);
	STATISTICS(&f, 0, { 5, 8, 3 });
	expect_counts(&f, true, 0, 3);
	STATISTICS(&f, 0, { 5, 8, 5 });
	expect_counts(&f, true, 0, 5);
	lost_before(&f, 0, 1);
	expect_counts(&f, true, 0, 5);
	lost_before(&f, 0, 3);
	expect_counts(&f, true, 0, 7);
	STATISTICS(&f, 1, { 5, 8, 1 });
	expect_counts(&f, true, 0, 8);
}

static void classic_has_one_interface(void **state)
{
	struct source s;
	struct capfile *c;
	struct err err;
	struct frame f;
	const char *name;
	uint32_t link;

	(void)state;
	classic(&f, 0xa1b2c3d4, false);
	s = (struct source){ f.b, f.n, 4096 };
	c = capfile_open(give, &s, &err);
	assert_non_null(c);
	assert_false(capfile_is_pcapng(c));
	assert_int_equal(capfile_interface(c, 0, &link, &name), 0);
	assert_int_equal(link, LINK_RAW);
	assert_string_equal(name, "");
	assert_int_equal(capfile_interface(c, 1, &link, &name), -1);
	assert_false(capfile_counts(c)->present);
	capfile_close(c);
	f.b[4] = 0x1f; /* 543, but not .0 */
	f.b[5] = 2;
	expect_damage(&f, "version other than 2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classic_in_all_forms),
		cmocka_unit_test(pcapng_in_both_orders),
		cmocka_unit_test(interfaces_and_counts),
		cmocka_unit_test(binary_resolutions),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(batches),
		cmocka_unit_test(damage_is_named),
		cmocka_unit_test(a_read_error_is_passed_on),
		cmocka_unit_test(sections_start_afresh),
		cmocka_unit_test(lengths_of_old_versions),
		cmocka_unit_test(sections_of_other_versions_are_refused),
		cmocka_unit_test(times_beyond_the_clock_stay_at_its_end),
		cmocka_unit_test(hundreds_of_interfaces),
		cmocka_unit_test(the_longest_records),
		cmocka_unit_test(as_many_interfaces_as_are_kept),
		cmocka_unit_test(blocks_at_their_limits),
		cmocka_unit_test(lengths_of_blocks),
		cmocka_unit_test(simple_blocks),
		cmocka_unit_test(options_of_packets),
		cmocka_unit_test(packets_fill_their_blocks),
		cmocka_unit_test(resolutions_and_offsets),
		cmocka_unit_test(names_of_interfaces),
		cmocka_unit_test(statistics_are_counted),
		cmocka_unit_test(statistics_grow),
		cmocka_unit_test(losses_before_packets_are_added),
		cmocka_unit_test(a_loss_told_twice_counts_once),
		cmocka_unit_test(classic_has_one_interface),
	};

	return cmocka_run_group_tests_name("packet_capfile", tests, NULL, NULL);
}
