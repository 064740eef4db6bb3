/* SPDX-License-Identifier: MIT */
/* What the packet targets share: facts to fill, a decoder that lives as long as the process, checks of them. */
#ifndef TESTS_FUZZ_PACKET_H
#define TESTS_FUZZ_PACKET_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exact.h"
#include "packet/decode.h"
#include "packet/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct facts facts;

/* Bytes that were never written must not reach anybody: they start as 0xa5, like a stack would be. */
static inline struct facts *fresh_facts(void)
{
	memset(&facts, 0xa5, sizeof(facts));
	memset(&facts, 0, offsetof(struct facts, layer));
	return &facts;
}

static inline struct decoder *fresh_decoder(void)
{
	static struct decoder *d;

	if (!d && !(d = decoder_new()))
		abort();
	decoder_reset(d);
	return d;
}

#define expect(cond)                                                                     \
	do {                                                                             \
		if (!(cond)) {                                                           \
			(void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                         \
		}                                                                        \
	} while (0)

/* What holds of any facts, whatever the bytes were. */
static inline void check_facts(const struct facts *f)
{
	char line[FACTS_LINE];
	json_t *j;

	expect(f->reason < UND_COUNT && f->n_layers <= FACTS_LAYERS && f->n_vlans <= FACTS_VLANS);
	expect(f->n_addrs <= FACTS_ADDRS);
	expect((f->reason == UND_NONE) == (f->reasons == 0));
	expect(f->reason == UND_NONE || facts_has_reason(f, (enum undecodable)f->reason));
	expect(f->undecodable ==
	       (undecodable_level((enum undecodable)f->reason) >= UNDECODABLE_TRANSPORT));
	expect((f->weak & ~f->protos) == 0 && f->protos >> PROTO_COUNT == 0);
	for (int i = 0; i < f->n_addrs; i++)
		expect(f->addrs[i].place < PLACE_COUNT);
	expect(strlen(facts_describe(f, line, sizeof(line))) < sizeof(line));
	j = facts_to_json(f);
	expect(j);
	json_decref(j);
}

#endif
