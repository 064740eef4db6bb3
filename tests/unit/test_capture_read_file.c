// SPDX-License-Identifier: MIT
/* Capture files from disk: gzip in whole and in members, what stands behind it, and what comes before a damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "capture/read_file.h"
#include "packet/decode.h"
#include "unit/capture_writer.h"
#include "unit/scratch.h"

#define FRAMES	 3
#define SAID	 sizeof(((struct err *)NULL)->text)
#define ROOM	 (512U << 10)
#define UNPACKED (24 + FRAMES * (16 + 100))

struct image {
	uint8_t b[ROOM];
	size_t n;
};

static struct image image;

static void add(const void *p, size_t n)
{
	assert_true(image.n + n <= ROOM);
	memcpy(image.b + image.n, p, n);
	image.n += n;
}

/* One more gzip member; level 0 stores what it is given. */
static void add_member(const void *p, size_t n, int level)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)p,
		       .avail_in = (uInt)n,
		       .next_out = image.b + image.n,
		       .avail_out = (uInt)(ROOM - image.n) };

	assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY),
			 Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	image.n += z.total_out;
	(void)deflateEnd(&z);
}

/* A capture of FRAMES frames, and one of n zeros where n is not 0. */
static struct cw capture(size_t n)
{
	struct cw w = cw_memory();

	(void)cw_pcap(&w, true, false, LINK_RAW);
	for (int i = 0; i < FRAMES; i++)
		cw_frame(&w, i, fill(5, 100));
	if (n) {
		cw_u32(&w, 1);
		cw_u32(&w, 0);
		cw_u32(&w, (uint32_t)n);
		cw_u32(&w, (uint32_t)n);
		while (n--)
			(void)fputc(0, w.f);
	}
	(void)fclose(w.f);
	w.f = NULL;
	return w;
}

/* The capture as the file's first member. */
static void begin(void)
{
	struct cw w = capture(0);

	image.n = 0;
	add_member(w.buf->mem, w.buf->len, 6);
	cw_free(&w);
}

/* How many frames the file gives, and then what it says: "" at a clean end. */
static int frames_of(const char *file, char said[SAID])
{
	struct capfile_frame f;
	struct err err = { 0 };
	struct read_file *r = read_file_open(file, &err);
	int n = 0, rc = -1;

	while (r && (rc = read_file_next(r, &f, &err)) == 1)
		n++;
	read_file_close(r);
	assert_int_equal(err.status, rc < 0 ? EXIT_USAGE : 0);
	(void)snprintf(said, SAID, "%s", err.text);
	return n;
}

static void check(int frames, const char *says)
{
	_cleanup_free_ char *path = str_fmt("%s/x.pcap.gz", dir);
	char said[SAID];

	assert_int_equal(fs_write(path, image.b, image.n, 0644, NULL), 0);
	assert_int_equal(frames_of(path, said), frames);
	if (*says ? !strstr(said, says) || !strstr(said, path) : *said)
		fail_msg("\"%s\" does not say \"%s\"", said, says);
}

static const char *behind(size_t at)
{
	static char text[100];

	(void)snprintf(
		text, sizeof(text),
		"bytes behind the compressed data were not read, from byte %zu of the file on", at);
	return text;
}

static void what_stands_behind_is_told(void **state)
{
	static const struct {
		const char *bytes;
		size_t n, junk; /* behind the member; beyond n: none */
	} rows[] = {
		{ "", 0, 1 },
		{ "\0", 1, 2 },
		{ "\0\0\0\0\0", 5, 6 },
		{ "\1", 1, 0 },
		{ "\x1f", 1, 0 },
		{ "\x1f\x8c", 2, 0 },
		{ "\x1e\x8b", 2, 0 },
		{ "\x8b\x1f", 2, 0 },
		{ "\0\0\0\1", 4, 3 },
		{ "\0\x1f\x8b", 3, 1 },
		{ "more of this", 12, 0 },
		{ "\1\0\0", 3, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t member;

		begin();
		member = image.n;
		add(rows[i].bytes, rows[i].n);
		check(FRAMES, rows[i].junk < rows[i].n ? behind(member + rows[i].junk) : "");
	}
}

static void members_are_one_file(void **state)
{
	struct cw w = capture(0);
	size_t first;

	(void)state;
	for (size_t cut = 0; cut <= w.buf->len; cut += 31) {
		image.n = 0;
		add_member(w.buf->mem, cut, 6);
		add_member(w.buf->mem + cut, w.buf->len - cut, 6);
		check(FRAMES, "");
	}
	image.n = 0;
	add_member(w.buf->mem, 24 + 116, 6);
	first = image.n;
	add_member(w.buf->mem + 24 + 116, w.buf->len - 24 - 116, 6);
	image.b[first + 3] = 0xe0; /* flags that RFC 1952 reserves */
	check(1, "cannot unpack: unknown header flags set at byte 140 of the unpacked data");
	image.n = first + 2;
	check(1, "the compressed file ends early");
	image.n = first + 1;
	check(1, behind(first));
	cw_free(&w);
}

/* The next member, or what is none, at every place around the end of what is read at once (128 KiB). */
static void members_end_at_any_byte(void **state)
{
	size_t more = (128U << 10) - UNPACKED - 80;
	bool before = false, beyond = false;

	(void)state;
	for (size_t i = 0; i < 60; i++, more++) {
		struct cw w = capture(more);
		size_t member;

		image.n = 0;
		add_member(w.buf->mem, w.buf->len, 0);
		member = image.n;
		before |= member < 128U << 10;
		beyond |= member > (128U << 10) + 2;
		add_member(w.buf->mem + 24, 116, 6);
		check(FRAMES + 2, "");
		image.b[member + 1] = 0x8c;
		check(FRAMES + 1, behind(member));
		image.n = member;
		add("\0\0\0\1", 4);
		check(FRAMES + 1, behind(member + 3));
		cw_free(&w);
	}
	assert_true(before && beyond);
}

static void frames_before_a_damage_are_given(void **state)
{
	size_t member;

	(void)state;
	begin();
	member = image.n;
	image.b[member - 8] ^= 1;
	check(FRAMES, "cannot unpack: incorrect data check at byte 372 of the unpacked data");
	image.b[member - 8] ^= 1;
	image.b[member - 4] ^= 1;
	check(FRAMES, "cannot unpack: incorrect length check at byte 372 of the unpacked data");
	image.b[member - 4] ^= 1;
	image.n = member - 1;
	check(FRAMES, "the compressed file ends early");
	image.n = 10;
	check(0, "the compressed file ends early");
	image.n = member;
	image.b[10] = 0x07; /* a block of the type that is none */
	check(0, "cannot unpack: invalid block type at byte 0 of the unpacked data");
}

static void cut_at_every_byte(void **state)
{
	size_t member;

	(void)state;
	begin();
	member = image.n;
	for (size_t n = member; n-- > 2;) {
		_cleanup_free_ char *path = str_fmt("%s/x.pcap.gz", dir);
		char said[SAID];

		assert_int_equal(fs_write(path, image.b, n, 0644, NULL), 0);
		assert_in_range(frames_of(path, said), 0, FRAMES);
		assert_non_null(strstr(said, "the compressed file ends early"));
	}
}

/* A pipe gives its bytes once, and a few at a time. */
static void pipes_are_read_as_files_are(void **state)
{
	int saved = dup(STDIN_FILENO);
	char said[SAID];

	(void)state;
	for (int gzip = 0; gzip <= 1; gzip++) {
		struct cw w = capture(0);
		int ends[2];

		begin();
		if (!gzip) {
			image.n = 0;
			add(w.buf->mem, w.buf->len);
		}
		assert_int_equal(pipe(ends), 0);
		assert_int_equal(write(ends[1], image.b, image.n), image.n);
		(void)close(ends[1]);
		assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
		(void)close(ends[0]);
		assert_int_equal(frames_of("-", said), FRAMES);
		assert_string_equal(said, "");
		cw_free(&w);
	}
	(void)dup2(saved, STDIN_FILENO);
	(void)close(saved);
}

static void files_that_are_too_short(void **state)
{
	(void)state;
	image.n = 0;
	check(0, "capture file: empty");
	add("\x1f", 1);
	check(0, "capture file: cut inside the file header");
	add("\x8b", 1);
	check(0, "the compressed file ends early");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stands_behind_is_told),
		cmocka_unit_test(members_are_one_file),
		cmocka_unit_test(members_end_at_any_byte),
		cmocka_unit_test(frames_before_a_damage_are_given),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(pipes_are_read_as_files_are),
		cmocka_unit_test(files_that_are_too_short),
	};

	return cmocka_run_group_tests_name("capture_read_file", tests, make_dir, drop_dir);
}
