/* SPDX-License-Identifier: MIT */
/* Search payloads for the forms in which an address betrays its owner: text and bytes. */
#ifndef PACKET_IDENTITY_H
#define PACKET_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/addr.h"

enum identity_form {
	IDENTITY_TEXT, /* dotted, with dashes or commas, or of IPv6 (any case), and no part of a longer number or address */
	IDENTITY_BINARY,   /* 4 or 16 bytes, network order */
	IDENTITY_REVERSED, /* 4 bytes, little-endian */
	IDENTITY_XOR,	   /* 4 bytes xor the STUN cookie (RFC 5389 15.2) */
};
const char *identity_form_name(enum identity_form f);

struct identity_hit {
	uint32_t offset; /* of the first byte */
	uint8_t length;	 /* bytes of the form that was found */
	uint8_t address; /* index in the array given to identity_new */
	uint8_t form;	 /* enum identity_form */
	bool strong; /* text and 16 bytes; 4 bytes appear by chance once per 4.3 GB and stay candidates */
};

#define IDENTITY_ADDRESSES 16

/* Bytes on either side of a text that tell whether it is part of something longer: "%22" before, ".5" behind. Before IPv6 it
 * may be a word. */
#define IDENTITY_BEFORE 3
#define IDENTITY_BEHIND 2

/* A searcher for n (1 .. IDENTITY_ADDRESSES) addresses; the caller frees it. NULL: n out of range or memory out. */
struct identity;
struct identity *identity_new(const struct ipaddr *addrs, size_t n);
void identity_free(struct identity *s); /* NULL allowed */

/* Find the first `max` hits of any form in data; returns how many. Touches no byte outside data. */
size_t identity_search(const struct identity *s, const uint8_t *data, size_t len,
		       struct identity_hit *hits, size_t max);

/* The same of the text forms alone, however many others stand between them. */
size_t identity_search_text(const struct identity *s, const uint8_t *data, size_t len,
			    struct identity_hit *hits, size_t max);

#define IDENTITY_NAME 64 /* 32 hex digits, each but the last with a dot, and NUL */

/* Forms of an address that only names have. */
struct identity_names {
	char reversed[IDENTITY_NAME], label[IDENTITY_NAME];
};
void identity_names_of(const struct ipaddr *a, struct identity_names *out);
/* Do names, separated by dots or blanks, hold one of the forms? */
bool identity_names_in(const struct identity_names *forms, const char *names);
/* Has no run of the characters that forms and texts of addresses are made of so many of them? Most names have not. */
bool identity_names_are_words(const char *names, size_t shortest);

/* The first address that stands in the names, in one of these forms or as text: its index, or -1. */
int identity_search_names(const struct identity *s, const char *names);

/* For tests: search by the plain loop, as a machine without AVX2 does. */
void identity_without_avx2(struct identity *s);
/* For tests: does that pair of bytes pass the filter, so that whole forms are compared? text_only: identity_search_text()'s. */
bool identity_passes(const struct identity *s, uint8_t a, uint8_t b, bool text_only);

#endif
