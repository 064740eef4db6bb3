/* SPDX-License-Identifier: MIT */
/* Capture files: whatever the bytes, the reader ends, its frames lie inside the buffer, and batches hold the same. */
#include "fuzz_packet.h"
#include "packet/capfile.h"

struct source {
	const uint8_t *p;
	size_t left, piece;
};

static ptrdiff_t give(void *arg, uint8_t *buf, size_t size, struct err *err)
{
	struct source *s = arg;
	size_t n = s->left < size ? s->left : size;

	(void)err;
	n = n < s->piece ? n : s->piece;
	memcpy(buf, s->p, n);
	s->p += n;
	s->left -= n;
	return (ptrdiff_t)n;
}

/* What a reading of the whole file said. */
struct sums {
	uint64_t frames, bytes;
	int64_t times;
	int end;
};

/* The frames of the file, up to `batch` at a time. */
static struct sums read_all(const uint8_t *data, size_t size, int batch)
{
	struct source s = { data, size, size ? 1 + data[size - 1] * 16U : 1 };
	struct err err = { 0 };
	struct capfile *c = capfile_open(give, &s, &err);
	struct capfile_frame f[8];
	struct sums all = { .end = -1 };

	while (c && (all.end = capfile_batch(c, f, batch, &err)) > 0)
		for (int i = 0; i < all.end; i++) {
			expect(f[i].number == ++all.frames && f[i].offset < size);
			all.bytes += f[i].caplen;
			expect(all.bytes <= size);
			all.times ^= f[i].time;
			fresh_facts();
			decode_frame(NULL, f[i].linktype, f[i].data, f[i].caplen, f[i].len,
				     f[i].time, &facts);
		}
	expect(all.end == 0 || strstr(err.text, "capture file: "));
	capfile_close(c);
	return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sums one = read_all(data, size, 1), many = read_all(data, size, 8);

	expect(one.frames == many.frames && one.bytes == many.bytes && one.times == many.times &&
	       one.end == many.end);
	return 0;
}
