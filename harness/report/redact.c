// SPDX-License-Identifier: MIT
/* Redaction for reports that are given away. */
#include "report/redact.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define REAL_MAX    26 /* letters of the alphabet */
#define SPELL_MAX   (REAL_MAX * 4)
#define KEY_LENGTH  44 /* WireGuard: 32 bytes as base64 (wg(8)) */
#define V6_NET_SIZE 8  /* a /64 names a household as well as an address does */

static const char hex_digits[] = "0123456789abcdef";

struct real {
	uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d (RFC 4291 2.5.5.2) */
	bool v6;
	char name[16];
};

struct spelling { /* a form that no address parser knows; compared without case, between non-alphanumerics */
	char *text;
	const char *name;
};

struct redactor {
	struct real real[REAL_MAX];
	size_t n_real;
	struct spelling spell[SPELL_MAX];
	size_t n_spell;
};

/* ---- the real addresses ---- */

static bool parse_address(const char *s, size_t len, uint8_t bytes[16], bool *v6)
{
	char text[INET6_ADDRSTRLEN + 8];
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (len == 0 || len >= sizeof(text))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	*v6 = inet_pton(AF_INET6, text, bytes) == 1;
	if (*v6)
		*v6 = memcmp(bytes, mapped, sizeof(mapped)) != 0;
	else if (inet_pton(AF_INET, text, bytes + 12) == 1)
		memcpy(bytes, mapped, sizeof(mapped));
	else
		return false;
	return true;
}

static void add_spelling(struct redactor *x, const struct real *r, char *text)
{
	x->spell[x->n_spell++] = (struct spelling){ text, r->name };
}

static char *nibbles(const uint8_t *b, size_t n)
{
	char *s = malloc(2 * n + 1);

	if (!s)
		abort();
	for (size_t i = 0; i < n; i++) {
		s[2 * i] = hex_digits[b[i] >> 4];
		s[2 * i + 1] = hex_digits[b[i] & 15];
	}
	s[2 * n] = '\0';
	return s;
}

/* The name under ip6.arpa (RFC 3596 2.5): nibbles in reverse order with dots. */
static char *reverse_nibbles(const uint8_t b[16])
{
	char *s = malloc(64);

	if (!s)
		abort();
	for (size_t i = 0; i < 32; i++) {
		uint8_t byte = b[15 - i / 2];

		s[2 * i] = hex_digits[i % 2 ? byte >> 4 : byte & 15];
		s[2 * i + 1] = '.';
	}
	s[63] = '\0';
	return s;
}

static void add_spellings(struct redactor *x, const struct real *r)
{
	const uint8_t *b = r->bytes + 12;

	if (r->v6) {
		add_spelling(x, r, nibbles(r->bytes, 16));
		add_spelling(x, r, reverse_nibbles(r->bytes));
		return;
	}
	add_spelling(x, r, nibbles(b, 4));
	add_spelling(x, r, str_fmt("%u-%u-%u-%u", b[0], b[1], b[2], b[3]));
	add_spelling(x, r, str_fmt("%u-%u-%u-%u", b[3], b[2], b[1], b[0]));
	add_spelling(x, r, str_fmt("%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]));
}

static void add_real(struct redactor *x, const char *value)
{
	struct real *r = &x->real[x->n_real];

	if (x->n_real == REAL_MAX || !parse_address(value, strcspn(value, "/ "), r->bytes, &r->v6))
		return;
	(void)snprintf(r->name, sizeof(r->name), "REDACTED-%c", (char)('A' + x->n_real));
	add_spellings(x, r);
	x->n_real++;
}

/* ---- matching at one place of a text; each returns the length that it took, 0 = nothing here ---- */

/* May a number begin or end between these two? Letters may stand directly before and behind an address, digits of
 * its own kind may not. */
static bool is_edge(char before, char after, bool hex)
{
	unsigned char a = (unsigned char)before, b = (unsigned char)after;

	return hex ? !(isxdigit(a) && isxdigit(b)) : !(isdigit(a) && isdigit(b));
}

static bool is_address_char(char c)
{
	return isxdigit((unsigned char)c) || c == '.' || c == ':';
}

static const struct real *real_of(const struct redactor *x, const uint8_t bytes[16], bool v6,
				  bool *net)
{
	const struct real *near = NULL;

	for (size_t i = 0; i < x->n_real; i++) {
		if (memcmp(x->real[i].bytes, bytes, 16) == 0) {
			*net = false;
			return &x->real[i];
		}
		if (v6 && x->real[i].v6 && memcmp(x->real[i].bytes, bytes, V6_NET_SIZE) == 0)
			near = &x->real[i];
	}
	*net = true;
	return near;
}

/* The longest address that begins here: "203.0.113.10." at the end of a sentence and "203.0.113.10:53" lose
 * their tails, "203.0.113.100" is no "203.0.113.10". */
static size_t take_address(const struct redactor *x, const char *s, FILE *out)
{
	size_t len = 0;

	while (is_address_char(s[len]))
		len++;
	for (; len > 1; len--) {
		uint8_t bytes[16];
		const struct real *r;
		bool v6, net;

		if (!parse_address(s, len, bytes, &v6) || !is_edge(s[len - 1], s[len], v6))
			continue;
		r = real_of(x, bytes, v6, &net);
		if (r)
			(void)fprintf(out, net ? "%s-NET" : "%s", r->name);
		else
			(void)fwrite(s, 1, len, out);
		return len;
	}
	return 0;
}

static size_t take_spelling(const struct redactor *x, const char *s, char before, FILE *out)
{
	for (size_t i = 0; i < x->n_spell; i++) {
		const char *text = x->spell[i].text;
		size_t len = strlen(text);
		bool hex = !strpbrk(text, "-.");

		if (strncasecmp(s, text, len) == 0 && is_edge(before, text[0], hex) &&
		    is_edge(text[len - 1], s[len], hex)) {
			(void)fputs(x->spell[i].name, out);
			return len;
		}
	}
	return 0;
}

static bool is_base64(char c)
{
	return isalnum((unsigned char)c) || c == '+' || c == '/';
}

static size_t take_key(const char *s, FILE *out)
{
	size_t len = 0;

	while (is_base64(s[len]))
		len++;
	if (len != KEY_LENGTH - 1 || s[len] != '=')
		return 0;
	(void)fputs("REDACTED-KEY", out);
	return KEY_LENGTH;
}

/* "passkey=...": the name is kept, the value goes. */
static size_t take_secret(const char *s, FILE *out)
{
	static const char *const names[] = { "passkey",	     "password",   "passwd",
					     "token",	     "secret",	   "apikey",
					     "api_key",	     "authkey",	   "torrent_pass",
					     "private_key",  "privatekey", "presharedkey",
					     "preshared_key" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i]), value;

		if (strncasecmp(s, names[i], len) != 0 || (s[len] != '=' && s[len] != ':'))
			continue;
		len += 1 + strspn(s + len + 1, " ");
		value = strcspn(s + len, " \t\n&;,\"'<>)");
		if (value == 0)
			return 0;
		(void)fwrite(s, 1, len, out);
		(void)fputs("REDACTED", out);
		return len + value;
	}
	return 0;
}

/* "://user:password@": what stands before the host of a URL (RFC 3986 3.2.1). */
static size_t take_userinfo(const char *s, FILE *out)
{
	size_t len;

	if (strncmp(s, "://", 3) != 0)
		return 0;
	len = 3 + strcspn(s + 3, "@/ ?#\"'<>");
	if (s[len] != '@')
		return 0;
	(void)fputs("://REDACTED@", out);
	return len + 1;
}

static size_t take_home(const char *s, FILE *out)
{
	static const char root[] = "/home/";
	size_t len;

	if (strncmp(s, root, strlen(root)) != 0)
		return 0;
	len = strlen(root) + strcspn(s + strlen(root), "/ \t\n\"'");
	(void)fputs("/home/REDACTED", out);
	return len;
}

static size_t take_one(const struct redactor *x, const char *s, char before, FILE *out)
{
	size_t n = take_userinfo(s, out);

	if (n == 0)
		n = take_home(s, out);
	if (n == 0)
		n = take_secret(s, out);
	if (n == 0 && !is_base64(before))
		n = take_key(s, out);
	if (n == 0)
		n = take_spelling(x, s, before, out);
	if (n == 0 && is_edge(before, *s, false))
		n = take_address(x, s, out);
	return n;
}

static char *redact_text(void *arg, char *text)
{
	const struct redactor *x = arg;
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);
	char before = ' ';

	if (!f)
		abort();
	for (const char *s = text; *s;) {
		size_t n = take_one(x, s, before, f);

		if (n == 0) {
			(void)fputc(*s, f);
			n = 1;
		}
		s += n;
		before = s[-1];
	}
	if (fclose(f) != 0)
		abort();
	free(text);
	return out;
}

/* ---- the whole ---- */

static void set_text(char **slot, const char *value)
{
	free(*slot);
	*slot = str_fmt("%s", value);
}

static void redact_rows(struct result *r)
{
	for (size_t i = 0; i < r->n_environment; i++)
		if (strcasecmp(r->environment[i].name, "hostname") == 0)
			set_text(&r->environment[i].value, "REDACTED");
	for (size_t i = 0; i < r->n_scenarios; i++)
		for (size_t k = 0; k < r->scenarios[i].n_findings; k++)
			set_text(&r->scenarios[i].findings[k].evidence, "");
}

struct result *redact_result(const struct result *r, struct err *err)
{
	_cleanup_json_ json_t *j = result_to_json(r);
	struct result *copy = result_from_json(j, err);
	struct redactor x = { 0 };

	if (!copy)
		return NULL;
	for (size_t i = 0; i < r->n_environment; i++)
		if (strncasecmp(r->environment[i].name, "real address", 12) == 0)
			add_real(&x, r->environment[i].value);
	redact_rows(copy);
	result_each_text(copy, redact_text, &x);
	for (size_t i = 0; i < x.n_spell; i++)
		free(x.spell[i].text);
	return copy;
}
