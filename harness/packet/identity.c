/* SPDX-License-Identifier: MIT */
/* Search for all forms of all addresses in one pass: two adjacent bytes of each form are looked up by their
 * nibbles, eight groups at a time (the filter of "Teddy" in Hyperscan), and only what passes is compared. */
#include "packet/identity.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/order.h"
#include "packet/internal.h"

#define FORMS_EACH   7
#define PATTERNS     (IDENTITY_ADDRESSES * FORMS_EACH)
#define PATTERN_MIN  4	/* bytes of an IPv4 address */
#define PATTERN_MAX  40 /* characters of an IPv6 address, all of them written, are 39 */
#define GROUP_DIGITS 0	/* dotted text */
#define GROUP_HEX    1	/* text of IPv6 */
#define GROUP_BINARY 2	/* and the five behind it */
#define GROUPS	     8

struct pattern {
	uint8_t bytes[PATTERN_MAX];
	uint8_t len;
	uint8_t key; /* offset of the two bytes that the filter looks at */
	uint8_t group;
	uint8_t address, form;
	bool strong, text, hex; /* hex: text of IPv6 */
	uint8_t joint; /* between two numbers of such a text, and so of a longer one; 0: of no longer one that is known */
};

struct identity {
	/* A bit per group: may a byte with this low (high) nibble be the first (second) of a pair? */
	uint8_t low[2][16], high[2][16];
	uint8_t first[256], second[256]; /* the same by whole bytes, exact */
	/* Of the texts alone, where no two bytes share a low nibble: the byte with it that may be the first (second). */
	uint8_t text[2][16];
	bool text_is_plain;
	bool avx2;
	size_t n;
	struct pattern patterns[PATTERNS]; /* by group, once all are there */
	uint8_t from[GROUPS + 1];	   /* group g has the patterns from[g] .. from[g + 1] - 1 */
	size_t n_addresses, shortest;	   /* of the forms below and the texts */
	struct identity_names names[IDENTITY_ADDRESSES];
};

const char *identity_form_name(enum identity_form f)
{
	static const char *const names[] = { "text", "binary", "reversed", "xor" };

	return (size_t)f < sizeof(names) / sizeof(names[0]) ? names[f] : "?";
}

static void allow(struct identity *s, int which, uint8_t byte, uint8_t group)
{
	uint8_t bit = (uint8_t)(1 << group);

	s->low[which][byte & 15] |= bit;
	s->high[which][byte >> 4] |= bit;
	if (which == 0)
		s->first[byte] |= bit;
	else
		s->second[byte] |= bit;
}

#define NO_TEXT 0xff /* of a low nibble: no byte */

static void allow_text(struct identity *s, int which, uint8_t byte)
{
	uint8_t *known = &s->text[which][byte & 15];

	s->text_is_plain &= *known == NO_TEXT || *known == byte;
	*known = byte;
}

static void allow_pattern(struct identity *s, const struct pattern *p, uint8_t a, uint8_t b)
{
	allow(s, 0, a, p->group);
	allow(s, 1, b, p->group);
	if (!p->text)
		return;
	allow_text(s, 0, a);
	allow_text(s, 1, b);
}

static void add(struct identity *s, const struct pattern *p)
{
	uint8_t a = p->bytes[p->key], b = p->bytes[p->key + 1];

	for (size_t i = 0; i < s->n; i++)
		if (s->patterns[i].len == p->len &&
		    memcmp(s->patterns[i].bytes, p->bytes, p->len) == 0)
			return; /* such as the reversed form of 10.0.0.10 */
	s->patterns[s->n++] = *p;
	allow_pattern(s, p, a, b);
	if (p->hex && a >= 'a')
		allow_pattern(s, p, (uint8_t)(a - 'a' + 'A'), b);
}

/* Dashes also stand between a name's words ("ec2-203-0-113-10"), and behind a comma comes FTP's port: neither makes a longer
 * number. */
static uint8_t joint_of(char between)
{
	return between == '-' || between == ',' ? 0 : (uint8_t)between;
}

static void add_text(struct identity *s, size_t address, const char *text, bool hex)
{
	struct pattern p = { .address = (uint8_t)address,
			     .form = IDENTITY_TEXT,
			     .strong = true,
			     .text = true,
			     .hex = hex };
	size_t key = strcspn(text, hex ? ":" : ".-,");

	if (key == 0)
		return; /* "::1" is looked for with its groups written only: no byte stands before the colon */
	p.len = (uint8_t)strlen(text);
	memcpy(p.bytes, text, p.len);
	p.group = hex ? GROUP_HEX : GROUP_DIGITS;
	p.key = (uint8_t)(key - 1);
	p.joint = joint_of(text[key]);
	add(s, &p);
}

/* Of 65536 pairs, how many would pass the filter of a group once this pair belongs to it? */
static int group_width(const struct identity *s, uint8_t group, uint8_t a, uint8_t b)
{
	const uint8_t pair[2] = { a, b };
	int width = 1;

	for (int which = 0; which < 2; which++) {
		int low = 0, high = 0;

		for (int i = 0; i < 16; i++) {
			low += (s->low[which][i] >> group & 1) || (pair[which] & 15) == i;
			high += (s->high[which][i] >> group & 1) || pair[which] >> 4 == i;
		}
		width *= low * high;
	}
	return width;
}

/* The group that lets the fewest other pairs through: one with the same pair, or an empty one. */
static uint8_t best_group(const struct identity *s, uint8_t a, uint8_t b)
{
	uint8_t best = GROUP_BINARY;

	for (uint8_t g = GROUP_BINARY; g < GROUPS; g++)
		if (group_width(s, g, a, b) < group_width(s, best, a, b))
			best = g;
	return best;
}

/* Bytes that ordinary payloads are full of make a poor key. */
static int commonness(uint8_t b)
{
	return b == 0 ? 4 : b == 0xff || b == 1 ? 2 : b >= 0x20 && b < 0x7f ? 1 : 0;
}

static void add_binary(struct identity *s, size_t address, const uint8_t *bytes, size_t len,
		       enum identity_form form)
{
	struct pattern p = { .len = (uint8_t)len,
			     .address = (uint8_t)address,
			     .form = (uint8_t)form,
			     .strong = len == 16 };
	int best = 99;

	memcpy(p.bytes, bytes, len);
	for (size_t i = 0; i + 1 < len; i++) {
		int c = commonness(bytes[i]) + commonness(bytes[i + 1]);

		if (c < best) {
			best = c;
			p.key = (uint8_t)i;
		}
	}
	p.group = best_group(s, p.bytes[p.key], p.bytes[p.key + 1]);
	add(s, &p);
}

static void add_v4(struct identity *s, size_t n, const uint8_t b[4])
{
	static const uint8_t cookie[4] = { 0x21, 0x12, 0xa4, 0x42 };
	uint8_t reversed[4] = { b[3], b[2], b[1], b[0] }, mixed[4];
	char text[PATTERN_MAX];

	(void)snprintf(text, sizeof(text), "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
	add_text(s, n, text, false);
	(void)snprintf(text, sizeof(text), "%u-%u-%u-%u", b[0], b[1], b[2], b[3]);
	add_text(s, n, text, false); /* host names that providers give */
	(void)snprintf(text, sizeof(text), "%u,%u,%u,%u", b[0], b[1], b[2], b[3]);
	add_text(s, n, text, false); /* FTP's PORT and PASV (RFC 959 5.3.2) */
	(void)snprintf(text, sizeof(text), "%u.%u.%u.%u.in-addr", b[3], b[2], b[1], b[0]);
	add_text(s, n, text, false);
	for (int i = 0; i < 4; i++)
		mixed[i] = b[i] ^ cookie[i];
	add_binary(s, n, b, 4, IDENTITY_BINARY);
	add_binary(s, n, reversed, 4, IDENTITY_REVERSED);
	add_binary(s, n, mixed, 4, IDENTITY_XOR);
}

/* As inet_ntop writes it, with every group written, and with every zero written. */
static void add_v6(struct identity *s, size_t n, const uint8_t b[16])
{
	char text[INET6_ADDRSTRLEN], plain[PATTERN_MAX + 1] = "", full[PATTERN_MAX + 1] = "";
	size_t at = 0;

	for (int i = 0; i < 16; i += 2) {
		unsigned group = (unsigned)b[i] << 8 | b[i + 1];

		at += (size_t)snprintf(plain + at, sizeof(plain) - at, "%s%x", i ? ":" : "", group);
		(void)snprintf(full + i / 2 * 5, 6, "%04x%s", group, i < 14 ? ":" : "");
	}
	(void)inet_ntop(AF_INET6, b, text, sizeof(text));
	add_text(s, n, text, true);
	add_text(s, n, plain, true);
	add_text(s, n, full, true);
	add_binary(s, n, b, 16, IDENTITY_BINARY);
}

static int by_group(const void *a, const void *b)
{
	return ((const struct pattern *)a)->group - ((const struct pattern *)b)->group;
}

static void sort_groups(struct identity *s)
{
	size_t i = 0;

	qsort(s->patterns, s->n, sizeof(s->patterns[0]), by_group);
	for (size_t g = 0; g <= GROUPS; g++) {
		while (i < s->n && s->patterns[i].group < g)
			i++;
		s->from[g] = (uint8_t)i;
	}
}

/* A text has as many characters as one of an address's forms in names, or more. */
static void take_names(struct identity *s, const struct ipaddr *addrs, size_t n)
{
	s->n_addresses = n;
	s->shortest = IDENTITY_NAME;
	for (size_t i = 0; i < n; i++) {
		identity_names_of(&addrs[i], &s->names[i]);
		s->shortest = min_u64(s->shortest, strlen(s->names[i].reversed));
		s->shortest = min_u64(s->shortest, strlen(s->names[i].label));
	}
}

struct identity *identity_new(const struct ipaddr *addrs, size_t n)
{
	struct identity *s;

	if (n == 0 || n > IDENTITY_ADDRESSES || !(s = calloc(1, sizeof(*s))))
		return NULL;
	memset(s->text, NO_TEXT, sizeof(s->text));
	s->text_is_plain = true;
	for (size_t i = 0; i < n; i++) {
		if (ipaddr_is_v4(&addrs[i]))
			add_v4(s, i, addrs[i].b + 12);
		else
			add_v6(s, i, addrs[i].b);
	}
	take_names(s, addrs, n);
	sort_groups(s);
#if defined(__x86_64__)
	s->avx2 = __builtin_cpu_supports("avx2") != 0;
#endif
	return s;
}

void identity_free(struct identity *s)
{
	free(s);
}

static bool is_digit(uint8_t b)
{
	return b >= '0' && b <= '9';
}

static bool is_letter(uint8_t b)
{
	return (b | 0x20) >= 'a' && (b | 0x20) <= 'z';
}

static bool is_hex(uint8_t b)
{
	return hex_digit(b) >= 0;
}

/* What belongs to the same number as the digit beside it. */
static bool is_of_number(const struct pattern *p, uint8_t b)
{
	return p->hex ? is_hex(b) : is_digit(b);
}

/* Behind "%22" (RFC 3986 2.1), whose digits are no part of the number. */
static bool is_behind_escape(const uint8_t *data, size_t at)
{
	return at >= 3 && data[at - 3] == '%' && is_hex(data[at - 2]) && is_hex(data[at - 1]);
}

/* Does the colon end a word, as in "IPv6:2001:db8::1" (RFC 5321 4.1.3), and not a group of an address? */
static bool ends_word(const uint8_t *data, size_t colon)
{
	size_t begin = colon;

	while (begin > 0 && is_hex(data[begin - 1]))
		begin--;
	if (begin == colon)
		return begin == 0 || data[begin - 1] != ':';
	return begin > 0 && is_letter(data[begin - 1]);
}

static bool bounded_before(const struct pattern *p, const uint8_t *data, size_t at)
{
	if (at == 0 || is_behind_escape(data, at))
		return true;
	if (data[at - 1] != p->joint)
		return !is_of_number(p, data[at - 1]);
	return p->hex ? ends_word(data, at - 1) : at < 2 || !is_digit(data[at - 2]);
}

/* A joint with nothing behind it that it could join to is the end of a sentence. */
static bool bounded_behind(const struct pattern *p, const uint8_t *behind, size_t len)
{
	if (len == 0)
		return true;
	if (behind[0] != p->joint)
		return !is_of_number(p, behind[0]);
	return len == 1 || !(is_of_number(p, behind[1]) || (p->hex && behind[1] == ':'));
}

void identity_without_avx2(struct identity *s)
{
	s->avx2 = false;
}

bool identity_passes(const struct identity *s, uint8_t a, uint8_t b, bool text_only)
{
	if (text_only && s->text_is_plain)
		return (a | b) < 0x80 && s->text[0][a & 15] == a && s->text[1][b & 15] == b;
	return (s->low[0][a & 15] & s->high[0][a >> 4] & s->low[1][b & 15] & s->high[1][b >> 4]) !=
	       0;
}

struct results {
	struct identity_hit *hits;
	size_t n, max;
	bool text_only;
};

/* Compare the patterns of one group whose pair stands at `at`. */
static void verify_group(const struct identity *s, const uint8_t *data, size_t len, size_t at,
			 unsigned group, struct results *r)
{
	for (size_t i = s->from[group]; i < s->from[group + 1] && r->n < r->max; i++) {
		const struct pattern *p = &s->patterns[i];
		size_t start = at - p->key;

		if (at < p->key || p->len > len - start || (r->text_only && !p->text))
			continue;
		if (p->hex ? strncasecmp((const char *)data + start, (const char *)p->bytes,
					 p->len) != 0
			   : memcmp(data + start, p->bytes, p->len) != 0)
			continue;
		if (p->text && !(bounded_before(p, data, start) &&
				 bounded_behind(p, data + start + p->len, len - start - p->len)))
			continue;
		r->hits[r->n++] = (struct identity_hit){ .offset = (uint32_t)start,
							 .length = p->len,
							 .address = p->address,
							 .form = p->form,
							 .strong = p->strong };
	}
}

/* The pair at `at`, by whole bytes: of which groups is it, and then of which patterns? */
static inline void verify(const struct identity *s, const uint8_t *data, size_t len, size_t at,
			  struct results *r)
{
	unsigned bits = s->first[data[at]] & s->second[data[at + 1]];

	for (; bits; bits &= bits - 1)
		verify_group(s, data, len, at, (unsigned)__builtin_ctz(bits), r);
}

static void scan(const struct identity *s, const uint8_t *data, size_t len, struct results *r)
{
	for (size_t at = 0; at + 1 < len && r->n < r->max; at++)
		verify(s, data, len, at, r);
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))

/* What a filter looks bytes up in, by nibbles. */
struct tables {
	__m256i low[2], high[2];
};

/* A bit for each of 32 pairs: may it be of a group? Of their first and their second bytes. */
typedef uint32_t (*filter_fn)(const struct tables *t, __m256i first, __m256i second);

AVX2 static inline __m256i load(const uint8_t *data)
{
	return _mm256_loadu_si256((const __m256i_u *)(const void *)data);
}

AVX2 static inline __m256i load_halves(const uint8_t *low, const uint8_t *high)
{
	return _mm256_loadu2_m128i((const __m128i_u *)(const void *)high,
				   (const __m128i_u *)(const void *)low);
}

AVX2 static inline __m256i groups_of(const struct tables *t, int which, __m256i bytes)
{
	const __m256i nibble = _mm256_set1_epi8(15);
	__m256i low = _mm256_and_si256(bytes, nibble);
	__m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble);

	return _mm256_and_si256(_mm256_shuffle_epi8(t->low[which], low),
				_mm256_shuffle_epi8(t->high[which], high));
}

AVX2 static inline uint32_t filter_all(const struct tables *t, __m256i first, __m256i second)
{
	__m256i both = _mm256_and_si256(groups_of(t, 0, first), groups_of(t, 1, second));

	return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(both, _mm256_setzero_si256()));
}

/* A byte of 0x80 and more finds 0 in the table, which it is not. */
AVX2 static inline __m256i is_text(const struct tables *t, int which, __m256i bytes)
{
	return _mm256_cmpeq_epi8(_mm256_shuffle_epi8(t->low[which], bytes), bytes);
}

AVX2 static inline uint32_t filter_text(const struct tables *t, __m256i first, __m256i second)
{
	__m256i both = _mm256_and_si256(is_text(t, 0, first), is_text(t, 1, second));

	return (uint32_t)_mm256_movemask_epi8(both);
}

AVX2 static inline __m256i twice(const uint8_t table[16])
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i_u *)(const void *)table));
}

/* Out of line, so that the loop that calls it seldom keeps its tables in registers. */
__attribute__((noinline)) static void verify_found(const struct identity *s, const uint8_t *data,
						   size_t len, size_t at, uint64_t found,
						   struct results *r)
{
	for (; found && r->n < r->max; found &= found - 1)
		verify(s, data, len, at + (size_t)__builtin_ctzll(found), r);
}

#define BLOCK 33 /* bytes that hold 32 pairs */
#define HALF  17 /* bytes that hold 16 */

AVX2 static inline uint32_t filter_at(const struct tables *t, filter_fn filter, const uint8_t *data)
{
	return filter(t, load(data), load(data + 1));
}

/* Less than half a block: the filter looks at a copy that is filled up. */
AVX2 static inline void scan_copy(const struct identity *s, const struct tables *t,
				  filter_fn filter, const uint8_t *data, size_t len,
				  struct results *r)
{
	uint8_t copy[BLOCK] = { 0 };

	if (len < PATTERN_MIN)
		return;
	memcpy(copy, data, len);
	verify_found(s, data, len, 0, filter_at(t, filter, copy) & ((1U << (len - 1)) - 1), r);
}

/* Less than a block: its two halves overlap. */
AVX2 static inline void scan_short(const struct identity *s, const struct tables *t,
				   filter_fn filter, const uint8_t *data, size_t len,
				   struct results *r)
{
	const uint8_t *last;
	uint32_t found;

	if (len < HALF) {
		scan_copy(s, t, filter, data, len, r);
		return;
	}
	last = data + len - HALF;
	found = filter(t, load_halves(data, last), load_halves(data + 1, last + 1));
	if (__builtin_expect(found == 0, 1))
		return;
	verify_found(s, data, len, 0, found & 0xffff, r);
	verify_found(s, data, len, len - HALF, (found >> 16) & (0xffffU << (BLOCK - len)), r);
}

/* What is left at the end is looked at in a block that overlaps the one before: the last bytes one by one would
 * take as long as all others together. In line, so that there is a loop for each filter. */
AVX2 __attribute__((always_inline)) static inline void scan_blocks(const struct identity *s,
								   const struct tables *t,
								   filter_fn filter,
								   const uint8_t *data, size_t len,
								   struct results *r)
{
	size_t at = 0;

	if (len < BLOCK) {
		scan_short(s, t, filter, data, len, r);
		return;
	}
	for (; at + 32 + BLOCK <= len; at += 64) {
		uint64_t found = filter_at(t, filter, data + at) |
				 (uint64_t)filter_at(t, filter, data + at + 32) << 32;

		if (__builtin_expect(found != 0, 0))
			verify_found(s, data, len, at, found, r);
	}
	for (size_t done = at; done + 1 < len; done = at + 32) {
		uint64_t found;

		at = done + BLOCK <= len ? done : len - BLOCK;
		found = filter_at(t, filter, data + at) & UINT64_C(0xffffffff) << (done - at);
		if (__builtin_expect(found != 0, 0))
			verify_found(s, data, len, at, found, r);
	}
}

AVX2 static void scan_all(const struct identity *s, const uint8_t *data, size_t len,
			  struct results *r)
{
	struct tables t;

	for (int i = 0; i < 2; i++) {
		t.low[i] = twice(s->low[i]);
		t.high[i] = twice(s->high[i]);
	}
	scan_blocks(s, &t, filter_all, data, len, r);
}

AVX2 static void scan_text(const struct identity *s, const uint8_t *data, size_t len,
			   struct results *r)
{
	struct tables t = { .low = { twice(s->text[0]), twice(s->text[1]) } };

	scan_blocks(s, &t, filter_text, data, len, r);
}
#endif

static void search(const struct identity *s, const uint8_t *data, size_t len, struct results *r)
{
#if defined(__x86_64__)
	if (s->avx2 && r->text_only && s->text_is_plain) {
		scan_text(s, data, len, r);
		return;
	}
	if (s->avx2) {
		scan_all(s, data, len, r);
		return;
	}
#endif
	scan(s, data, len, r);
}

size_t identity_search(const struct identity *s, const uint8_t *data, size_t len,
		       struct identity_hit *hits, size_t max)
{
	struct results r = { .hits = hits, .max = max };

	search(s, data, len, &r);
	return r.n;
}

size_t identity_search_text(const struct identity *s, const uint8_t *data, size_t len,
			    struct identity_hit *hits, size_t max)
{
	struct results r = { .hits = hits, .max = max, .text_only = true };

	search(s, data, len, &r);
	return r.n;
}

int identity_search_names(const struct identity *s, const char *names)
{
	struct identity_hit found;

	if (identity_names_are_words(names, s->shortest))
		return -1;
	for (size_t i = 0; i < s->n_addresses; i++)
		if (identity_names_in(&s->names[i], names))
			return (int)i;
	return identity_search_text(s, (const uint8_t *)names, strlen(names), &found, 1)
		       ? found.address
		       : -1;
}
