/* SPDX-License-Identifier: MIT */
/* Every sample frame is recognised, and is read safely at every length it could be cut to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/frames.h"
#include "packet/with_decoder.h"

static struct facts facts;

static void every_sample_is_recognised(void **state)
{
	struct decoder *d = *state;
	struct frame f;

	for (size_t i = 0; i < N_SAMPLES; i++) {
		for (int with = 0; with < 2; with++) {
			decoder_reset(d);
			build_sample(&f, &samples[i]);
			decode(with ? d : NULL, &f, &facts);
			if ((facts.protos & samples[i].protos) != samples[i].protos)
				fail_msg("%s not recognised (%llx)", samples[i].name,
					 (unsigned long long)facts.protos);
			if (facts.undecodable)
				fail_msg("%s: %s", samples[i].name,
					 undecodable_name((enum undecodable)facts.reason));
			assert_int_equal(facts.n_layers, 1);
		}
	}
}

/* The JSON and the line say something of any facts, and never overrun. */
static void check_output(const struct facts *f)
{
	char line[FACTS_LINE], tiny[7];
	json_t *j = facts_to_json(f);

	assert_non_null(j);
	json_decref(j);
	assert_true(strlen(facts_describe(f, line, sizeof(line))) > 0);
	assert_true(strlen(facts_describe(f, tiny, sizeof(tiny))) < sizeof(tiny));
}

static void at_every_length(struct decoder *d, const struct frame *f, uint32_t link)
{
	for (size_t n = 0; n <= f->n; n++) {
		const uint8_t *p = exact(f->b, n);

		/* As a short frame, and as a long one of which n bytes were captured. */
		decode_frame(d, link, p, (uint32_t)n, (uint32_t)n, 1000, &facts);
		check_output(&facts);
		decode_frame(d, link, p, (uint32_t)n, (uint32_t)f->n, 1000, &facts);
		check_output(&facts);
		if (n < 14 + 20 && link == LINK_ETHERNET && !facts.undecodable)
			fail_msg("a frame cut to %zu bytes has no reason", n);
	}
}

static void every_sample_is_safe_at_every_length(void **state)
{
	struct decoder *d = *state;
	struct frame f;

	for (size_t i = 0; i < N_SAMPLES; i++) {
		build_sample(&f, &samples[i]);
		at_every_length(NULL, &f, LINK_ETHERNET);
		decoder_reset(d);
		at_every_length(d, &f, LINK_ETHERNET);
	}
}

static void any_link_type_is_safe(void **state)
{
	static const uint32_t links[] = { LINK_NULL, LINK_RAW,	LINK_LOOP, LINK_SLL,
					  LINK_SLL2, LINK_IPV4, 147,	   LINK_RAW_OLD };
	struct frame f;

	(void)state;
	build_sample(&f, &samples[0]);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		at_every_length(NULL, &f, links[i]);
}

static void a_random_payload_is_nothing(void **state)
{
	uint64_t x = UINT64_C(0x9e3779b97f4a7c15);
	unsigned seen = 0;
	struct frame f;

	for (int i = 0; i < 20000; i++) {
		size_t n = 40 + (size_t)i % 1200, at;

		f.n = 0;
		put_ethernet(&f, 0x0800);
		put_ip4(&f, i & 1 ? 17 : 6, n + (i & 1 ? 8 : 20), 1, 0);
		if (i & 1)
			put_udp(&f, 40000, 40001, n);
		else
			put_tcp(&f, 40000, 40001, (uint32_t)i * 4096, TCP_ACK);
		for (at = 0; at < n; at++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			put8(&f, (unsigned)(x >> 24) & 0xff);
		}
		decode(*state, &f, &facts);
		seen += (facts.protos & ~facts.weak & ~(P(TCP) | P(UDP))) != 0;
		assert_false(facts.undecodable);
	}
	assert_int_equal(seen, 0);
}

static void every_enum_has_a_name(void **state)
{
	(void)state;
	for (int i = 0; i < PROTO_COUNT; i++)
		assert_true(strlen(proto_name((enum proto)i)) > 1);
	for (int i = 0; i < UND_COUNT; i++)
		assert_true(strlen(undecodable_name((enum undecodable)i)) > 1);
	for (int i = 0; i < PLACE_COUNT; i++)
		assert_true(strlen(place_name((enum addr_place)i)) > 1);
	assert_string_equal(proto_name(PROTO_COUNT), "?");
	assert_string_equal(undecodable_name(UND_COUNT), "?");
	assert_string_equal(place_name(PLACE_COUNT), "?");
	assert_string_equal(encap_name((enum encap)(ENCAP_TEREDO + 1)), "?");
	assert_int_equal(undecodable_level(UND_IP_VERSION), UNDECODABLE_NET);
	assert_int_equal(undecodable_level(UND_DNS_SHORT), UNDECODABLE_APP);
	assert_int_equal(undecodable_level(UND_COUNT), UNDECODABLE_LINK);
	assert_string_equal(encap_name(ENCAP_6IN4), "6in4");
	assert_string_equal(encap_name(ENCAP_TEREDO), "teredo");
}

/* What the decoder says of a frame that has a VLAN tag, which takes it through the whole walk, and of the same frame
 * without: but for the tag it is the same. */
static void walk_agrees(const struct frame *f, size_t cut)
{
	static const char *const of_the_link[] = { "vlan", "length", "captured" };
	struct frame tagged = { .n = 0 };
	json_t *plain, *walked;

	put(&tagged, f->b, 12);
	put32(&tagged, 0x81000007);
	put(&tagged, f->b + 12, f->n - 12);
	decode_frame(NULL, LINK_ETHERNET, f->b, (uint32_t)(f->n - cut), (uint32_t)f->n, 1000,
		     &facts);
	plain = facts_to_json(&facts);
	decode_frame(NULL, LINK_ETHERNET, tagged.b, (uint32_t)(tagged.n - cut), (uint32_t)tagged.n,
		     1000, &facts);
	assert_int_equal(facts.vlan[0], 7);
	walked = facts_to_json(&facts);
	for (size_t i = 0; i < sizeof(of_the_link) / sizeof(of_the_link[0]); i++) {
		(void)json_object_del(plain, of_the_link[i]);
		(void)json_object_del(walked, of_the_link[i]);
	}
	if (!json_equal(plain, walked))
		fail_msg("plain:  %s\nwalked: %s", json_dumps(plain, 0), json_dumps(walked, 0));
	json_decref(plain);
	json_decref(walked);
}

/* Every byte of the IP header in turn becomes something else, and the frame is cut or followed by padding. */
static void a_plain_frame_is_read_as_the_walk_reads_it(void **state)
{
	static const uint8_t changes[] = { 0, 1, 0x1f, 0x20, 0x40, 0x46, 0x60, 0x80, 0xff };
	struct frame f;

	(void)state;
	for (size_t i = 0; i < N_SAMPLES; i++) {
		build_sample(&f, &samples[i]);
		walk_agrees(&f, 0);
		walk_agrees(&f, 1);
		walk_agrees(&f, f.n - 34);
		put_zero(&f, 6);
		walk_agrees(&f, 0);
		walk_agrees(&f, 7);
		for (size_t at = 14; at < 34; at++)
			for (size_t c = 0; c < sizeof(changes); c++) {
				uint8_t was = f.b[at];

				f.b[at] = changes[c];
				walk_agrees(&f, 0);
				f.b[at] = was;
			}
	}
}

/* What looks like IPv4 under another ethertype is none. */
static void the_ethertype_decides(void **state)
{
	static const uint16_t types[] = { 0x0801, 0x0700, 0x88b5 };
	struct frame f;

	(void)state;
	build_sample(&f, &samples[0]);
	decode(NULL, &f, &facts);
	assert_int_equal(facts.n_layers, 1);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		set16(&f, 12, types[i]);
		decode(NULL, &f, &facts);
		assert_int_equal(facts.reason, UND_ETHERTYPE_UNKNOWN);
		assert_int_equal(facts.n_layers, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sample_is_recognised),
		cmocka_unit_test(every_sample_is_safe_at_every_length),
		cmocka_unit_test(any_link_type_is_safe),
		cmocka_unit_test(a_plain_frame_is_read_as_the_walk_reads_it),
		cmocka_unit_test(the_ethertype_decides),
		cmocka_unit_test(a_random_payload_is_nothing),
		cmocka_unit_test(every_enum_has_a_name),
	};

	return cmocka_run_group_tests_name("packet_frames", tests, decoder_setup, decoder_teardown);
}
