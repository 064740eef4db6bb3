// SPDX-License-Identifier: MIT
/* A judge's memory: made whole before the first frame, bounded, freed at the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/order.h"
#include "rule/judge_internal.h"

static int compare_ids(const void *a, const void *b)
{
	const struct policy_canary *x = *(const struct policy_canary *const *)a;
	const struct policy_canary *y = *(const struct policy_canary *const *)b;

	return order_u64(x->id, y->id);
}

static int compare_labels(const void *a, const void *b)
{
	return strcasecmp(((const struct label_index *)a)->label,
			  ((const struct label_index *)b)->label);
}

static void index_canaries(struct judge *j)
{
	const struct policy *p = j->p;
	char text[2 * POLICY_MARKER_LEN + 1];

	for (size_t i = 0; i < p->n_canaries; i++) {
		j->by_id[i] = &p->canaries[i];
		if (p->canaries[i].label[0])
			j->labels[j->n_labels++] = (struct label_index){ p->canaries[i].label,
									 &p->canaries[i] };
	}
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): the rows are pointers */
	qsort(j->by_id, p->n_canaries, sizeof(*j->by_id), compare_ids);
	qsort(j->labels, j->n_labels, sizeof(*j->labels), compare_labels);
	policy_marker_text(p, 0, text);
	memcpy(j->nonce_text, text, sizeof(j->nonce_text) - 1);
	(void)snprintf(j->control_suffix, sizeof(j->control_suffix), "-%.16s", text);
}

static void look_at_taps(struct judge *j)
{
	for (size_t i = 0; i < j->p->n_taps; i++) {
		enum tap_role role = j->p->taps[i].role;

		j->has_exit |= role == TAP_EXIT;
		j->has_uplink |= (TAP_BIT(role) & TAPS_OUTSIDE) != 0;
		j->has_uplink_tap |= role == TAP_UPLINK;
		j->noise[i] = noise_way(j, &j->p->taps[i]);
	}
	j->ties = noise_may_be_tied(j);
}

static bool leg_is_tapped(const struct policy *p, const struct policy_attachment *leg)
{
	for (size_t n = 0; n < p->n_networks; n++) {
		if (strcmp(p->networks[n].name, leg->network) != 0 || !p->networks[n].bridge[0])
			continue;
		for (size_t t = 0; t < p->n_taps; t++)
			if (strcmp(p->taps[t].interface, p->networks[n].bridge) == 0)
				return true;
	}
	return false;
}

/* A service is watched when every leg is. One on the host's own network has none and never is. */
static void mark_watched(struct judge *j)
{
	const struct policy *p = j->p;

	for (size_t i = 0; i < p->n_services; i++) {
		size_t tapped = 0;

		for (size_t k = 0; k < p->services[i].n_legs; k++)
			tapped += leg_is_tapped(p, &p->services[i].legs[k]);
		j->watched[i] = tapped > 0 && tapped == p->services[i].n_legs;
	}
	for (size_t t = 0; t < p->n_taps; t++) {
		const struct policy_service *s = policy_service_find(p, p->taps[t].service);

		if (s && p->taps[t].role == TAP_VETH && s->n_legs == 1)
			j->watched[s - p->services] = true;
	}
}

/* calloc() that notes in *failed when memory is out, so that all of a judge's memory is asked for before one look. */
static void *room(bool *failed, size_t n, size_t size)
{
	void *p = calloc(n, size);

	*failed |= !p;
	return p;
}

static void make_stores(struct judge *j, bool *failed)
{
	const struct policy *p = j->p;

	j->watched = room(failed, p->n_services + 1, sizeof(*j->watched));
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): the rows are pointers */
	j->by_id = room(failed, p->n_canaries + 1, sizeof(*j->by_id));
	j->labels = room(failed, p->n_canaries + 1, sizeof(*j->labels));
	j->counters = room(failed, p->n_taps, sizeof(*j->counters));
	j->findings = room(failed, j->findings_max, sizeof(*j->findings));
	j->rule_totals = room(failed, (n_rules + 1) * p->n_taps, sizeof(*j->rule_totals));
	j->controls = room(failed, CONTROLS_MAX, sizeof(*j->controls));
	j->canaries = room(failed, CANARY_SEEN_MAX, sizeof(*j->canaries));
	j->canary_heads = room(failed, 2 * CANARY_SEEN_MAX, sizeof(*j->canary_heads));
	j->uses = room(failed, p->n_allows + BUILTIN_MAX, sizeof(*j->uses));
	j->conntrack = room(failed, CONNTRACK_MAX, sizeof(*j->conntrack));
	j->marks = room(failed, MARKS_MAX, sizeof(*j->marks));
	j->match = room(failed, 1, sizeof(*j->match));
	j->flows = room(failed, 1, sizeof(*j->flows));
	j->known = room(failed, KNOWN_ADDRS, sizeof(*j->known));
	j->noise = room(failed, p->n_taps, sizeof(*j->noise));
	j->own = room(failed, p->n_taps, sizeof(*j->own));
	if (!p->has_nonce && !j->opts.decode_all) /* else every payload is searched for it */
		j->again = room(failed, p->n_taps * AGAIN_SLOTS, sizeof(*j->again));
	for (size_t s = 0; s <= N_SERIES; s++)
		j->bins[s] = room(failed, JUDGE_BINS_MAX + 1, sizeof(*j->bins[s]));
}

static void make_parts(struct judge *j, bool *failed)
{
	const struct policy *p = j->p;

	/* NOLINTNEXTLINE(bugprone-sizeof-expression): the rows are pointers */
	j->decoders = room(failed, p->n_taps, sizeof(*j->decoders));
	for (size_t i = 0; j->decoders && i < p->n_taps; i++) {
		j->decoders[i] = decoder_new();
		*failed |= !j->decoders[i];
	}
	j->asker = asker_new(j->opts.disable ? rule_find(j->opts.disable) : NULL);
	*failed |= !j->asker;
	if (p->n_real) {
		j->identity = identity_new(p->real, p->n_real);
		j->seams = seams_new();
		*failed |= !j->identity;
		*failed |= !j->seams;
	}
}

struct judge *judge_new(const struct policy *p, const struct judge_opts *opts, struct err *err)
{
	bool failed = false;
	struct judge *j;

	if (p->n_taps == 0) {
		(void)err_set(err, EXIT_USAGE,
			      "the policy names no tap, so there is nothing to judge");
		return NULL;
	}
	if (p->n_real > IDENTITY_ADDRESSES) {
		(void)err_set(err, EXIT_USAGE,
			      "%zu real addresses: at most %d are looked for in payloads",
			      p->n_real, IDENTITY_ADDRESSES);
		return NULL;
	}
	j = calloc(1, sizeof(*j));
	if (!j) {
		(void)err_set(err, EXIT_ENVIRONMENT, "out of memory");
		return NULL;
	}
	j->p = p;
	if (opts)
		j->opts = *opts;
	j->bin = j->opts.bin > 0 ? j->opts.bin : 100 * NS_PER_MS;
	j->bin_start = j->opts.start;
	j->findings_max = j->opts.findings_max ? j->opts.findings_max : 1000;
	make_stores(j, &failed);
	make_parts(j, &failed);
	if (failed) {
		judge_free(j);
		(void)err_set(err, EXIT_ENVIRONMENT, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < p->n_allows; i++)
		j->uses[i] = (struct judge_allow_use){ .allow = &p->allows[i],
						       .name = p->allows[i].reason };
	j->n_uses = p->n_allows;
	look_at_taps(j);
	mark_watched(j);
	index_canaries(j);
	return j;
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	for (size_t i = 0; j->decoders && i < j->p->n_taps; i++)
		decoder_free(j->decoders[i]);
	free(j->decoders);
	identity_free(j->identity);
	free(j->counters);
	free(j->watched);
	free(j->findings);
	free(j->rule_totals);
	free(j->controls);
	free(j->canaries);
	free(j->canary_heads);
	free(j->uses);
	free(j->by_id);
	free(j->labels);
	free(j->conntrack);
	free(j->marks);
	free(j->match);
	free(j->flows);
	free(j->known);
	free(j->seams);
	free(j->again);
	free(j->noise);
	free(j->own);
	free(j->asker);
	for (size_t s = 0; s <= N_SERIES; s++)
		free(j->bins[s]);
	free(j);
}

int judge_add_mark(struct judge *j, int64_t begin, int64_t until)
{
	if (j->n_marks == MARKS_MAX)
		return -1;
	j->marks[j->n_marks].m = (struct judge_mark){ .begin = begin, .until = until };
	return (int)j->n_marks++;
}

void judge_add_conntrack(struct judge *j, const struct judge_conntrack *c)
{
	if (j->n_conntrack == CONNTRACK_MAX)
		memmove(j->conntrack, j->conntrack + 1, --j->n_conntrack * sizeof(*c));
	j->conntrack[j->n_conntrack++] = *c;
}
