/* SPDX-License-Identifier: MIT */
/* Frames of all taps through the judge, under the policy of the golden captures. The input is a list of: tap, captured
 * length (2 bytes), time since the frame before (in 100 us), bytes. What it counts has to add up, and the short ways have to
 * give the answer of the long one, which in turn is the same for the same frames. */
#include <malloc.h>

#include "base/clock.h"
#include "base/fs.h"
#include "fuzz_packet.h"
#include "rule/judge.h"

static const struct policy *golden_policy(void)
{
	static struct policy *p;
	struct err err = { 0 };
	char *text;
	json_t *j;

	if (p)
		return p;
	/* The judge's tables stay mappings, which come as zeroes; else calloc() would fill 140 MiB for every input. */
	(void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
	text = fs_read("tests/golden/policy.json", 1 << 20, NULL, &err);
	j = text ? json_loads(text, 0, NULL) : NULL;
	p = j ? policy_from_json(j, &err) : NULL;
	if (!p) {
		(void)fprintf(stderr,
			      "tests/golden/policy.json: %s (run in the project's folder)\n",
			      err.text);
		abort();
	}
	json_decref(j);
	free(text);
	return p;
}

/* The golden policy; without marks to look for, so that short ways are open; in an open world, for those of bystanders; of
 * addresses alone. */
#define POLICIES 4

static const struct policy *policies(void)
{
	static struct policy p[POLICIES];
	static struct policy_tap uplink;

	if (p[0].n_taps)
		return p;
	p[0] = p[1] = *golden_policy();
	p[1].has_nonce = p[1].has_control_mac = false;
	p[2] = p[1];
	p[2].closed_world = false;
	p[3] = p[2];
	uplink = p[3].taps[0];
	uplink.has_mac = uplink.has_peer_mac = false;
	p[3].taps = &uplink;
	p[3].n_taps = 1;
	p[3].n_services = p[3].n_allows = p[3].n_published = 0;
	return p;
}

static void feed(struct judge *j, const struct policy *p, const uint8_t *data, size_t size)
{
	struct cursor c = cursor_of(data, size);
	int64_t time = NS_PER_S;

	for (uint64_t number = 1; c.left > 4; number++) {
		size_t tap = cursor_u8(&c) % p->n_taps, n = cursor_u16(&c);

		time += cursor_u8(&c) * 100 * NS_PER_US;
		n = n < c.left ? n : c.left;
		judge_frame(j, tap, number,
			    p->taps[tap].role == TAP_EXIT ? LINK_RAW : LINK_ETHERNET,
			    exact(cursor_take(&c, n), n), (uint32_t)n, (uint32_t)n, time);
	}
	judge_finish(j);
}

static void check_totals(const struct judge *j, const struct policy *p)
{
	uint64_t by_rule = 0;
	size_t n;
	const struct finding *f = judge_findings(j, &n);

	for (size_t r = 0; r < n_rules; r++)
		for (size_t t = 0; t < p->n_taps; t++)
			by_rule += judge_rule_total(j, rules[r], t);
	expect(by_rule == judge_findings_total(j) && n <= by_rule);
	expect(judge_blocked(j) <= judge_attempts(j));
	for (size_t i = 0; i < n; i++) {
		expect(f[i].tap < p->n_taps && f[i].frame > 0 && f[i].sentence[0]);
		expect(f[i].confidence >= 0 && f[i].confidence <= 1);
		expect(i == 0 || f[i - 1].time <= f[i].time);
	}
	for (size_t t = 0; t < p->n_taps; t++) {
		const struct judge_tap_counters *c = judge_counters(j, t);

		expect(c->leaked + c->allowed + c->upkeep + c->inbound + c->unattributed <=
		       c->frames);
		expect(c->tunnel_data_out + c->tunnel_data_in <= c->tunnel_packets);
		expect(c->tunnel_packets + c->beacons <= c->frames && c->undecodable <= c->frames);
	}
}

static struct judge *judged(const struct policy *p, bool decode_all, const uint8_t *data,
			    size_t size)
{
	const struct judge_opts opts = { .findings_max = 16, .decode_all = decode_all };
	struct err err = { 0 };
	struct judge *j = judge_new(p, &opts, &err);

	expect(j);
	feed(j, p, data, size);
	check_totals(j, p);
	return j;
}

static void check_same(const struct judge *a, const struct judge *b, const struct policy *p)
{
	expect(judge_findings_total(a) == judge_findings_total(b));
	expect(judge_attempts(a) == judge_attempts(b) && judge_blocked(a) == judge_blocked(b));
	for (size_t t = 0; t < p->n_taps; t++)
		expect(memcmp(judge_counters(a, t), judge_counters(b, t),
			      sizeof(struct judge_tap_counters)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct policy *p = policies();

	for (size_t i = 0; i < POLICIES; i++) {
		struct judge *quick = judged(&p[i], false, data, size);
		struct judge *whole = judged(&p[i], true, data, size);

		check_same(quick, whole, &p[i]);
		judge_free(quick);
		judge_free(whole);
	}
	return 0;
}
