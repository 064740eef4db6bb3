// SPDX-License-Identifier: MIT
/* From a judge to the result. */
#include "engine/judged.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"

/* ---- findings ---- */

static void fill_finding(struct result_finding *r, const struct finding *f, const struct policy *p)
{
	r->rule = str_fmt("%s", f->rule->id);
	r->severity = str_fmt("%s", severity_name(f->rule->severity));
	r->sentence = str_fmt("%s", f->sentence);
	r->tap = str_fmt("%s", p->taps[f->tap].name);
	r->service = str_fmt("%s", f->service);
	r->attribution = str_fmt("%s", attribution_name(f->how));
	r->confidence = f->confidence;
	r->time = f->time;
	r->frame = f->frame;
	r->packet = str_fmt("%s", f->packet);
	r->advice = str_fmt("%s", f->rule->advice);
	r->evidence = str_fmt("%s", "");
}

/* How many findings of the same rule and tap stand before number i. */
static size_t rank(const struct finding *f, size_t i)
{
	size_t n = 0;

	for (size_t k = 0; k < i; k++)
		n += f[k].rule == f[i].rule && f[k].tap == f[i].tap;
	return n;
}

/* Listed are the first of every rule and tap, in order of time: a rule that speaks late must not drown in the packets
 * of one that spoke early. */
static size_t share_of(const struct finding *f, size_t n)
{
	size_t groups = 0, share;

	for (size_t i = 0; i < n; i++)
		groups += rank(f, i) == 0;
	share = groups ? RESULT_FINDINGS_MAX / groups : 0;
	return n <= RESULT_FINDINGS_MAX ? n : share ? share : 1;
}

static void fill_findings(struct result_scenario *s, const struct judge *j, const struct policy *p)
{
	uint64_t total = s->findings_total + judge_findings_total(j);
	size_t n;
	const struct finding *f = judge_findings(j, &n);
	size_t share = share_of(f, n);

	for (size_t i = 0; i < n; i++) {
		struct result_finding *r = rank(f, i) < share ? result_add_finding(s) : NULL;

		if (r)
			fill_finding(r, &f[i], p);
	}
	s->findings_total = total;
}

static uint64_t total_of(const struct judge *j, const struct policy *p, const struct rule *r)
{
	uint64_t n = 0;

	for (size_t t = 0; t < p->n_taps; t++)
		n += judge_rule_total(j, r, t);
	return n;
}

static void fill_rules(struct result_scenario *s, const struct judge *j, const struct policy *p)
{
	for (size_t i = 0; i < n_rules; i++) {
		uint64_t n = total_of(j, p, rules[i]);
		struct result_rule *r = n ? result_add_rule(s) : NULL;

		if (!r)
			continue;
		r->rule = str_fmt("%s", rules[i]->id);
		r->severity = str_fmt("%s", severity_name(rules[i]->severity));
		r->meaning = str_fmt("%s", rules[i]->sentence);
		r->advice = str_fmt("%s", rules[i]->advice);
		r->findings = n;
	}
}

/* ---- counters ---- */

static void fill_tap(struct result_tap *t, const struct judge_tap_counters *n)
{
	t->packets = n->frames;
	t->bytes = n->bytes;
	t->tunnel = n->tunnel_packets;
	t->unverified = n->tunnel_unverified;
	t->leaked = n->leaked;
	t->allowed = n->allowed;
	t->upkeep = n->upkeep;
	t->inbound = n->inbound;
	t->unattributed = n->unattributed;
	t->attempts = n->attempts;
	t->undecodable = n->undecodable;
	t->truncated = n->truncated;
}

static void fill_taps(struct result_scenario *s, const struct judge *j, const struct policy *p)
{
	for (size_t i = 0; i < s->n_taps; i++)
		for (size_t t = 0; t < p->n_taps; t++)
			if (strcmp(s->taps[i].name, p->taps[t].name) == 0)
				fill_tap(&s->taps[i], judge_counters(j, t));
}

static void fill_coverage(struct result_scenario *s, const struct judge *j)
{
	size_t n;
	const struct judge_allow_use *u = judge_allowances(j, &n);

	for (size_t i = 0; i < n; i++) {
		struct result_allowance *a = result_add_allowance(s);

		a->name = str_fmt("%s", u[i].name);
		a->who = str_fmt("%s", u[i].allow ? u[i].allow->who : "");
		a->what = u[i].allow ? policy_allow_text(u[i].allow) : str_fmt("%s", "");
		a->builtin = !u[i].allow;
		a->any_payload = u[i].allow && u[i].allow->shape == SHAPE_ANY;
		a->packets = u[i].packets;
		a->bytes = u[i].bytes;
	}
}

/* ---- series ---- */

static void fill_series(struct result_scenario *s, const struct judge *j, const char *name,
			const enum judge_series *which, size_t n_which)
{
	struct result_series *r = NULL;

	for (size_t k = 0; k < n_which; k++) {
		int64_t start, bin;
		size_t count;
		const uint32_t *v = judge_series(j, which[k], &count, &start, &bin);

		if (!r) {
			r = result_add_series(s, count);
			r->name = str_fmt("%s", name);
			r->unit = str_fmt("packets");
			r->start = start;
			r->bin = bin;
		}
		for (size_t i = 0; i < count && i < r->count; i++)
			r->values[i] += v[i];
	}
}

static bool has_inside(const struct judge *j, const struct policy *p)
{
	for (size_t t = 0; t < p->n_taps; t++)
		if ((TAP_BIT(p->taps[t].role) & TAPS_INSIDE) && judge_counters(j, t)->frames > 0)
			return true;
	return false;
}

void judged_fill(struct result_scenario *s, const struct judge *j, const struct policy *p)
{
	static const enum judge_series tunnel[] = { SERIES_TUNNEL_OUT, SERIES_TUNNEL_IN };
	static const enum judge_series blocked[] = { SERIES_BLOCKED };
	static const enum judge_series leaks[] = { SERIES_LEAKS };

	fill_findings(s, j, p);
	fill_rules(s, j, p);
	fill_taps(s, j, p);
	fill_coverage(s, j);
	s->blocked = judge_blocked(j);
	fill_series(s, j, "tunnel", tunnel, 2);
	if (has_inside(j, p)) /* else nothing could be seen to be blocked */
		fill_series(s, j, "blocked", blocked, 1);
	fill_series(s, j, "leaks", leaks, 1);
}

/* ---- evidence ---- */

/* Does the service speak with a real address, so that its packets name it outside as well? */
static bool speaks_openly(const struct policy *p, const struct policy_service *s)
{
	size_t open = 0;

	for (size_t k = 0; k < s->n_legs; k++)
		for (size_t i = 0; i < p->n_real; i++)
			if (ipaddr_equal(&s->legs[k].addr, &p->real[i])) {
				open++;
				break;
			}
	return s->n_legs > 0 && open == s->n_legs;
}

/* A tap of the inside with a capture: one that does not say which network it is on may be on any. */
static bool sees_network(const struct judge *j, const struct policy *p, const char *network)
{
	for (size_t t = 0; t < p->n_taps; t++) {
		const struct policy_tap *tap = &p->taps[t];

		if (!(TAP_BIT(tap->role) & TAPS_INSIDE) || judge_counters(j, t)->frames == 0)
			continue;
		if (!tap->interface[0] && !tap->service[0])
			return true;
		for (size_t n = 0; n < p->n_networks; n++)
			if (strcmp(p->networks[n].name, network) == 0 &&
			    strcmp(p->networks[n].bridge, tap->interface) == 0)
				return true;
	}
	return false;
}

static bool sees_veth(const struct judge *j, const struct policy *p, const char *service)
{
	for (size_t t = 0; t < p->n_taps; t++)
		if (p->taps[t].role == TAP_VETH && judge_counters(j, t)->frames > 0 &&
		    strcmp(p->taps[t].service, service) == 0)
			return true;
	return false;
}

/* Was everything that the service sent seen inside? */
static bool is_watched(const struct judge *j, const struct policy *p,
		       const struct policy_service *s)
{
	size_t seen = 0;

	for (size_t k = 0; k < s->n_legs; k++)
		seen += sees_network(j, p, s->legs[k].network);
	return (s->n_legs > 0 && seen == s->n_legs) || (s->n_legs == 1 && sees_veth(j, p, s->name));
}

/* A protected service whose packets nothing could tie to it once they were translated; NULL when there is none. */
static const char *untied_service(const struct judge *j, const struct policy *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_services; i++) {
		if (p->services[i].role != SERVICE_PROTECTED)
			continue;
		n++;
		if (!is_watched(j, p, &p->services[i]) && !speaks_openly(p, &p->services[i]))
			return p->services[i].name;
	}
	return n ? NULL : "any service";
}

/* In an open world a packet that nothing ties to anybody is no leak: only where something could have tied it. */
static void weigh_unattributed(struct evidence *e, const struct judge *j, const struct policy *p)
{
	const char *service = untied_service(j, p);
	uint64_t n = 0;

	for (size_t t = 0; t < p->n_taps; t++)
		n += judge_counters(j, t)->unattributed;
	if (n && service)
		evidence_doubt(e, DOUBT_UNJUDGED,
			       "%llu packets left the host beside the tunnel and could be of %s: "
			       "without a capture of its network nothing tells",
			       (unsigned long long)n, service);
}

/* A protected service that speaks with the machine's real address may have others, which nobody listed. */
static bool protects_machine(const struct policy *p)
{
	for (size_t i = 0; i < p->n_services; i++)
		if (p->services[i].role == SERVICE_PROTECTED && speaks_openly(p, &p->services[i]))
			return true;
	return false;
}

static void weigh_unlisted(struct evidence *e, const struct policy_tap *t,
			   const struct judge_tap_counters *n)
{
	char text[IPADDR_TEXT];

	if (n->unlisted)
		evidence_doubt(
			e, DOUBT_UNJUDGED,
			"%llu packets on tap %s left the machine itself, beside the tunnel, "
			"with an address that is not listed (%s): where it is the machine's, "
			"protect it as well",
			(unsigned long long)n->unlisted, t->name,
			ipaddr_format(&n->unlisted_src, text, sizeof(text)));
}

static void weigh_tap(struct evidence *e, const struct policy_tap *t,
		      const struct judge_tap_counters *n)
{
	if (n->tunnel_unverified)
		evidence_doubt(
			e, DOUBT_UNJUDGED,
			"%llu packets between the tunnel's ends on tap %s do not show whether they "
			"speak its protocol: captured too short, or fragments without their first",
			(unsigned long long)n->tunnel_unverified, t->name);
	if (n->allowed_unverified)
		evidence_doubt(e, DOUBT_UNJUDGED,
			       "%llu packets on tap %s were captured too short to see whether they "
			       "are what the policy allows",
			       (unsigned long long)n->allowed_unverified, t->name);
	if (n->incomplete)
		evidence_doubt(
			e, DOUBT_UNJUDGED,
			"%llu packets on tap %s hold more addresses than were looked at: the "
			"real one may be among the others",
			(unsigned long long)n->incomplete, t->name);
}

void judged_weigh(struct evidence *e, const struct judge *j, const struct policy *p)
{
	bool machine = protects_machine(p);

	for (size_t i = 0; i < n_rules; i++) {
		uint64_t n = total_of(j, p, rules[i]);

		if (rules[i]->severity > SEVERITY_LOW)
			e->leaks += n;
		else if (n)
			evidence_doubt(e, DOUBT_SUSPICIOUS,
				       "%llu frames left the host that cannot be read",
				       (unsigned long long)n);
	}
	for (size_t t = 0; t < p->n_taps; t++)
		weigh_tap(e, &p->taps[t], judge_counters(j, t));
	for (size_t t = 0; machine && t < p->n_taps; t++)
		weigh_unlisted(e, &p->taps[t], judge_counters(j, t));
	weigh_unattributed(e, j, p);
}
