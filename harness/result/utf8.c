// SPDX-License-Identifier: MIT
/* Text of unknown origin on its way into a report. */
#include "result/utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Length that the first byte announces, and the smallest code point that needs it; 0 = no first byte. */
static size_t announced(unsigned char first, uint32_t *least, uint32_t *bits)
{
	if (first >= 0xc2 && first <= 0xdf) {
		*least = 0x80;
		*bits = first & 0x1fU;
		return 2;
	}
	if (first >= 0xe0 && first <= 0xef) {
		*least = 0x800;
		*bits = first & 0x0fU;
		return 3;
	}
	if (first >= 0xf0 && first <= 0xf4) {
		*least = 0x10000;
		*bits = first & 0x07U;
		return 4;
	}
	return 0;
}

size_t utf8_decode(const char *s, uint32_t *c)
{
	unsigned char first = (unsigned char)*s;
	uint32_t least = 0, value = 0;
	size_t n;

	if (first == 0)
		return 0;
	if (first < 0x80) {
		*c = first;
		return 1;
	}
	n = announced(first, &least, &value);
	for (size_t i = 1; i < n; i++) {
		unsigned char next = (unsigned char)s[i];

		if ((next & 0xc0U) != 0x80U)
			return 0;
		value = value << 6 | (next & 0x3fU);
	}
	if (n == 0 || value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*c = value;
	return n;
}

/* Not to be shown as it is: C0, DEL, C1, the bidirectional marks and overrides, line and paragraph separator. */
static bool is_unprintable(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x61c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static char *copy_text(const char *s, bool printable)
{
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);

	if (!f)
		abort();
	while (s && *s) {
		uint32_t c = 0;
		size_t n = utf8_decode(s, &c);

		if (n == 0)
			(void)fprintf(f, "\\x%02x", (unsigned)(unsigned char)*s);
		else if (printable && is_unprintable(c))
			(void)fprintf(f, c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
		else
			(void)fwrite(s, 1, n, f);
		s += n ? n : 1;
	}
	if (fclose(f) != 0)
		abort();
	return out;
}

char *utf8_clean(const char *s)
{
	return copy_text(s, false);
}

char *utf8_printable(const char *s)
{
	return copy_text(s, true);
}

size_t utf8_length(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0U) != 0x80U;
	return n;
}
