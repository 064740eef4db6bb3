/* SPDX-License-Identifier: MIT */
/* A decoder as the state of a group of tests. */
#ifndef PACKET_WITH_DECODER_H
#define PACKET_WITH_DECODER_H

#include "packet/decode.h"

static inline int decoder_setup(void **state)
{
	*state = decoder_new();
	return *state ? 0 : -1;
}

static inline int decoder_teardown(void **state)
{
	decoder_free(*state);
	return 0;
}

#endif
