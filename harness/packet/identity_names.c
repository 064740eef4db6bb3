// SPDX-License-Identifier: MIT
/* How a name in the DNS holds an address. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "packet/identity.h"

/* Under which a name server is asked about an address, and lists of bad ones are: "10.113.0.203", or the digits of IPv6
 * (RFC 1035 3.5, RFC 3596 2.5, RFC 5782 2). */
static void reversed(const struct ipaddr *a, char text[IDENTITY_NAME])
{
	const uint8_t *b = a->b;
	size_t at = 0;

	if (ipaddr_is_v4(a)) {
		(void)snprintf(text, IDENTITY_NAME, "%u.%u.%u.%u", b[15], b[14], b[13], b[12]);
		return;
	}
	for (size_t i = 16; i-- > 0;)
		at += (size_t)snprintf(text + at, IDENTITY_NAME - at, "%x.%x%s", b[i] & 15,
				       b[i] >> 4, i ? "." : "");
}

/* In one label, for a server that answers with the address in the name: "cb00710a", "2001-db8--1". */
static void in_a_label(const struct ipaddr *a, char text[IDENTITY_NAME])
{
	if (ipaddr_is_v4(a)) {
		(void)snprintf(text, IDENTITY_NAME, "%02x%02x%02x%02x", a->b[12], a->b[13],
			       a->b[14], a->b[15]);
		return;
	}
	(void)ipaddr_format(a, text, IDENTITY_NAME);
	for (char *p = text; (p = strchr(p, ':'));)
		*p = '-';
}

void identity_names_of(const struct ipaddr *a, struct identity_names *out)
{
	reversed(a, out->reversed);
	in_a_label(a, out->label);
}

static bool is_of_word(char c)
{
	return isalnum((unsigned char)c) != 0;
}

/* As whole labels, or whole words of them. */
static bool holds(const char *names, const char *form)
{
	for (const char *at = names; (at = strcasestr(at, form)); at++)
		if ((at == names || !is_of_word(at[-1])) && !is_of_word(at[strlen(form)]))
			return true;
	return false;
}

bool identity_names_in(const struct identity_names *forms, const char *names)
{
	return holds(names, forms->reversed) || holds(names, forms->label);
}

bool identity_names_are_words(const char *names, size_t shortest)
{
	size_t run = 0;

	for (const char *p = names; *p; p++) {
		bool of_form = isxdigit((unsigned char)*p) || (*p >= ',' && *p <= '.') || *p == ':';

		run = of_form ? run + 1 : 0;
		if (run >= shortest)
			return false;
	}
	return true;
}
