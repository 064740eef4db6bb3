/* SPDX-License-Identifier: MIT */
/* Capture files: whatever the bytes, the reader ends, and its frames lie inside the buffer. */
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source s = { data, size, size ? 1 + data[size - 1] * 16U : 1 };
	struct err err = { 0 };
	struct capfile *c = capfile_open(give, &s, &err);
	struct capfile_frame f;
	uint64_t frames = 0, bytes = 0;
	int r = -1;

	while (c && (r = capfile_next(c, &f, &err)) == 1) {
		expect(f.number == ++frames && f.offset < size);
		bytes += f.caplen;
		expect(bytes <= size);
		fresh_facts();
		decode_frame(NULL, f.linktype, f.data, f.caplen, f.len, f.time, &facts);
	}
	expect(r == 0 || strstr(err.text, "capture file: "));
	capfile_close(c);
	return 0;
}
