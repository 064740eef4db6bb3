// SPDX-License-Identifier: MIT
/* Captures of any origin: judged, weighed, and told as a result. */
#include "engine/analysis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/order.h"
#include "base/version.h"
#include "engine/judged.h"
#include "rule/judge.h"

/* With a keep-alive each 25 s (wg-quick(8)) and ARP, an uplink that is captured is never silent for longer. */
#define SPAN_SLACK (30 * NS_PER_S)

struct work {
	struct captures *files;
	const struct policy *p;
	const struct analysis_opts *o;
	struct judge *judge;
	struct evidence evidence;
	struct result *result;
	struct result_scenario *out;
	uint64_t packets, leaked;
};

/* ---- what was judged ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "uplink.pcap, br-vpn.pcap and 3 more" */
static char *name_of(const struct work *w)
{
	size_t n = captures_count(w->files);
	char *name = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&name, &size);

	if (!f)
		abort();
	for (size_t i = 0; i < n && i < 3; i++)
		(void)fprintf(f, "%s%s", i ? ", " : "",
			      base_name(captures_file(w->files, i)->path));
	if (n > 3)
		(void)fprintf(f, " and %zu more", n - 3);
	(void)fclose(f);
	return name;
}

static void tell(const struct work *w, const char *name, char *value)
{
	(void)result_add_environment(w->result, name, value);
	free(value);
}

static void tell_tunnels(const struct work *w)
{
	char addr[IPADDR_TEXT];

	for (size_t i = 0; i < w->p->n_tunnels; i++) {
		const struct policy_tunnel *t = &w->p->tunnels[i];
		_cleanup_free_ char *proto = policy_proto_text(t->proto);

		tell(w, "tunnel",
		     str_fmt("%s, %s, %s port %u", tunnel_kind_name(t->kind), proto,
			     ipaddr_format(&t->endpoint, addr, sizeof(addr)), t->port));
	}
	if (w->p->n_tunnels == 0)
		tell(w, "tunnel", str_fmt("none: nothing may leave"));
}

static void tell_services(const struct work *w)
{
	char *all = NULL;
	size_t size = 0, n = 0;
	FILE *f = open_memstream(&all, &size);

	if (!f)
		abort();
	for (size_t i = 0; i < w->p->n_services; i++)
		if (w->p->services[i].role == SERVICE_PROTECTED)
			(void)fprintf(f, "%s%s", n++ ? ", " : "", w->p->services[i].name);
	(void)fclose(f);
	if (n)
		(void)result_add_environment(w->result, "protected", all);
	free(all);
}

/* Names as a redaction looks for them: "real address". */
static void tell_policy(const struct work *w)
{
	char addr[IPADDR_TEXT];

	tell(w, "policy", str_fmt("%s", w->o->policy));
	tell_tunnels(w);
	tell_services(w);
	for (size_t i = 0; i < w->p->n_real; i++)
		(void)result_add_environment(w->result, "real address",
					     ipaddr_format(&w->p->real[i], addr, sizeof(addr)));
	tell(w, "world",
	     str_fmt(w->p->closed_world ? "closed: whatever leaves and is not named is of the stack"
					: "open: a leak needs evidence whose it is"));
	if (w->o->disable)
		tell(w, "rule switched off", str_fmt("%s", w->o->disable));
}

/* The file of a tap: its own, else one with an interface of it. */
static const struct capture_file *file_of(const struct work *w, size_t tap)
{
	for (size_t i = 0; i < captures_count(w->files); i++)
		if (captures_file(w->files, i)->first_tap == tap ||
		    captures_file(w->files, i)->tap == tap)
			return captures_file(w->files, i);
	for (size_t i = 0; i < captures_count(w->files); i++)
		if (captures_file(w->files, i)->by_interface &&
		    captures_has_interface(w->files, i, w->p->taps[tap].interface))
			return captures_file(w->files, i);
	return NULL;
}

static void tell_missing(const struct work *w)
{
	for (size_t t = 0; t < w->p->n_taps; t++)
		if (!file_of(w, t))
			tell(w, "not captured",
			     str_fmt("%s (%s): what its network sent counts as not sent",
				     w->p->taps[t].name, tap_role_name(w->p->taps[t].role)));
}

static void tell_file(const struct work *w, const struct capture_file *f)
{
	_cleanup_free_ char *out = f->left_out ? str_fmt(", %llu of no tap",
							 (unsigned long long)f->left_out)
					       : str_fmt("%s", "");

	tell(w, "capture",
	     f->counts_present ? str_fmt("%s: %s, %llu packets%s, %llu lost by its own count",
					 f->path, f->format, (unsigned long long)f->frames, out,
					 (unsigned long long)f->dropped)
			       : str_fmt("%s: %s, %llu packets%s; it does not say whether its "
					 "capture lost any",
					 f->path, f->format, (unsigned long long)f->frames, out));
}

/* ---- taps ---- */

static char *note_of(const struct capture_file *f)
{
	if (f->error.status)
		return str_fmt("%s", f->error.text);
	if (f->dropped)
		return str_fmt("its capture lost %llu packets", (unsigned long long)f->dropped);
	if (f->several)
		return str_fmt(
			"interfaces %s and %s are judged as one tap; a policy with a tap for "
			"each tells them apart",
			f->interfaces[0][0] ? f->interfaces[0] : "without a name",
			f->interfaces[1]);
	return str_fmt("%s", "");
}

/* Stamps of a file need not be in order. */
static void widen(struct result_scenario *s, int64_t time)
{
	if (s->begin == RESULT_NONE || time < s->begin)
		s->begin = time;
	if (s->end == RESULT_NONE || time > s->end)
		s->end = time;
}

static void add_tap(struct work *w, size_t tap)
{
	const struct policy_tap *p = &w->p->taps[tap];
	const struct judge_tap_counters *n = judge_counters(w->judge, tap);
	const struct capture_file *f = file_of(w, tap);
	struct result_tap *t;

	if (!f)
		return;
	t = result_add_tap(w->out);
	t->name = str_fmt("%s", p->name);
	t->role = str_fmt("%s", tap_role_name(p->role));
	t->interface = str_fmt("%s", p->interface);
	t->file = str_fmt("%s", f->path);
	t->received = t->delivered = n->frames;
	/* a file of several taps tells its losses once */
	t->dropped = f->first_tap == tap ? f->dropped : 0;
	t->reconciled = !f->error.status && !f->dropped;
	t->note = note_of(f);
	w->packets += n->frames;
	w->leaked += n->leaked;
	if (n->frames == 0)
		return;
	widen(w->out, n->first);
	widen(w->out, n->last);
}

/* Of a tap that is here: a policy that was made by a run knows what it forged. */
static void add_controls(struct work *w)
{
	for (size_t i = 0; i < w->p->n_controls; i++) {
		const struct policy_control *k = &w->p->controls[i];
		struct result_control *c = NULL;

		for (size_t t = 0; t < w->p->n_taps && !c; t++)
			if (strcmp(w->p->taps[t].name, k->tap) == 0)
				c = result_add_control(w->out);
		if (!c)
			continue;
		c->rule = str_fmt("%s", k->rule);
		c->tap = str_fmt("%s", k->tap);
		c->caught = judge_control_caught(w->judge, k->id, k->rule, k->tap);
		c->detail = str_fmt("%s", c->caught ? "forged packet found and taken out of the "
						      "findings"
						    : "forged packet was not found");
		if (!c->caught)
			evidence_doubt(&w->evidence, DOUBT_CONTROL,
				       "the control of %s on tap %s was missed", k->rule, k->tap);
	}
}

/* ---- what it is worth ---- */

static void weigh_file(struct work *w, const struct capture_file *f)
{
	struct evidence *e = &w->evidence;

	if (f->error.status)
		evidence_doubt(e, DOUBT_EVIDENCE, "%s", f->error.text);
	if (f->dropped)
		evidence_doubt(e, DOUBT_TAP, "the capture %s lost %llu packets", f->path,
			       (unsigned long long)f->dropped);
	if (f->left_out)
		evidence_doubt(e, DOUBT_UNJUDGED,
			       "%llu packets of interface %s in %s are of no tap of the policy",
			       (unsigned long long)f->left_out, f->left_out_of, f->path);
}

/* At the exit the payload is what is looked at. */
static void weigh_exit(struct work *w)
{
	for (size_t t = 0; t < w->p->n_taps; t++) {
		const struct judge_tap_counters *n = judge_counters(w->judge, t);

		if (w->p->taps[t].role == TAP_EXIT && n->truncated)
			evidence_doubt(
				&w->evidence, DOUBT_UNJUDGED,
				"%llu of %llu packets on tap %s were captured in part: what was "
				"cut off was not searched for the real address",
				(unsigned long long)n->truncated, (unsigned long long)n->frames,
				w->p->taps[t].name);
	}
}

/* Only what was captured outside the host can show that nothing left it, and only a stack that talks shows it. */
static void weigh_silence(struct work *w)
{
	struct evidence *e = &w->evidence;
	uint64_t outside = 0, tunnel = 0, ours = 0, unread = 0;

	for (size_t t = 0; t < w->p->n_taps; t++) {
		const struct judge_tap_counters *n = judge_counters(w->judge, t);

		if (TAP_BIT(w->p->taps[t].role) & TAPS_OUTSIDE)
			outside += n->frames;
		tunnel += n->tunnel_packets;
		ours += n->ours;
		unread += n->undecodable;
	}
	if (w->packets == 0)
		evidence_doubt(e, DOUBT_SILENCE, "no packet to judge, and silence is no proof");
	else if (outside == 0)
		evidence_doubt(
			e, DOUBT_SILENCE,
			"nothing was captured outside the host (roles uplink and isp), where "
			"a leak would show");
	else if (!ours && !tunnel)
		evidence_doubt(
			e, DOUBT_SILENCE,
			"none of %llu packets has to do with the addresses of the policy%s, and "
			"silence is no proof",
			(unsigned long long)w->packets,
			unread == 0	      ? ""
			: unread < w->packets ? " (some cannot be read at all)"
					      : " (they cannot be read at all)");
	else if (!tunnel && !judge_attempts(w->judge) && !e->doubts[DOUBT_UNJUDGED])
		evidence_doubt(
			e, DOUBT_SILENCE,
			"no packet of the tunnel and no attempt to leave beside it was seen, "
			"and silence is no proof");
}

struct time_span {
	bool any;
	int64_t first, last;
};

static void stretch(struct time_span *s, int64_t first, int64_t last)
{
	s->first = s->any ? min_i64(s->first, first) : first;
	s->last = s->any ? max_i64(s->last, last) : last;
	s->any = true;
}

/* First and last frame of the taps of some roles. */
static struct time_span span_of(const struct work *w, unsigned roles)
{
	struct time_span s = { 0 };

	for (size_t t = 0; t < w->p->n_taps; t++) {
		const struct judge_tap_counters *n = judge_counters(w->judge, t);

		if ((TAP_BIT(w->p->taps[t].role) & roles) && n->frames)
			stretch(&s, n->first, n->last);
	}
	return s;
}

/* First and last of what left and nothing ties to anybody. */
static struct time_span span_of_unattributed(const struct work *w)
{
	struct time_span s = { 0 };

	for (size_t t = 0; t < w->p->n_taps; t++) {
		const struct judge_tap_counters *n = judge_counters(w->judge, t);

		if (n->unattributed)
			stretch(&s, n->unattributed_first, n->unattributed_last);
	}
	return s;
}

/* What was tried inside while nobody looked outside may have left, and what left while nobody looked inside may be of a
 * service. No beacon says when a capture really began and ended, only its frames do. */
static void weigh_spans(struct work *w)
{
	struct time_span outside = span_of(w, TAPS_OUTSIDE), inside = span_of(w, TAPS_INSIDE);
	struct time_span nobodys = span_of_unattributed(w);
	int64_t gap = max_i64(outside.first - inside.first, inside.last - outside.last);
	int64_t before = inside.first - nobodys.first, after = nobodys.last - inside.last;

	if (judge_attempts(w->judge) && outside.any && inside.any && gap > SPAN_SLACK)
		evidence_doubt(
			&w->evidence, DOUBT_UNJUDGED,
			"the captures of the inside show %lld s in which nothing was captured "
			"outside",
			(long long)(gap / NS_PER_S));
	if (nobodys.any && inside.any && max_i64(before, after) > SPAN_SLACK)
		evidence_doubt(&w->evidence, DOUBT_UNJUDGED,
			       "packets that could be of any service left the host up to %lld s %s",
			       (long long)(max_i64(before, after) / NS_PER_S),
			       before > after ? "before the captures of the inside begin"
					      : "after the captures of the inside end");
}

static char *sentence_of(const struct work *w)
{
	const char *why = evidence_why(&w->evidence);
	const char *const *doubts = (const char *const *)w->evidence.doubts;
	const char *lost = doubts[DOUBT_EVIDENCE] ? doubts[DOUBT_EVIDENCE] : doubts[DOUBT_TAP];

	switch (w->out->verdict) {
	case VERDICT_LEAK:
		return str_fmt("%llu of %llu packets left outside the tunnel or betrayed the real "
			       "address.%s%s%s",
			       (unsigned long long)w->leaked, (unsigned long long)w->packets,
			       lost ? " Besides, not everything could be judged: " : "",
			       lost ? lost : "", lost ? "." : "");
	case VERDICT_PASS:
		return str_fmt("No packet left outside the tunnel, of %llu that were judged%s%s.",
			       (unsigned long long)w->packets,
			       w->o->disable ? " without the rule " : "",
			       w->o->disable ? w->o->disable : "");
	case VERDICT_SKIPPED:
	case VERDICT_INCONCLUSIVE:
	case VERDICT_ERROR:
	case VERDICT_FAIL:
		break;
	}
	return str_fmt("No leak was found, and that proves nothing: %s.", why ? why : "no reason");
}

static void decide(struct work *w)
{
	const char *reason;

	w->out->verdict = verdict_decide(&w->evidence, &reason);
	if (w->out->verdict == VERDICT_LEAK && w->out->n_findings)
		reason = w->out->findings[0].sentence;
	w->out->reason = w->out->verdict == VERDICT_PASS
				 ? str_fmt("no packet outside the tunnel among %llu",
					   (unsigned long long)w->packets)
				 : str_fmt("%s", reason);
	w->out->as_expected = verdict_as_expected(w->out->verdict, false);
	w->result->verdict = w->out->verdict;
	w->result->sentence = sentence_of(w);
	w->result->begin = w->out->begin;
	w->result->end = w->out->end;
}

/* ---- the whole ---- */

static void begin_result(struct work *w)
{
	struct result *r = result_new();

	free(r->kind);
	r->kind = str_fmt("%s", RESULT_ANALYSIS);
	r->version = str_fmt("%s", LEAKPROOF_VERSION);
	r->run = name_of(w);
	w->result = r;
	w->out = result_add_scenario(r);
	w->out->name = str_fmt("%s", r->run);
	w->out->summary = str_fmt("Captures judged against %s", w->o->policy);
	w->out->file = str_fmt("%s", captures_file(w->files, 0)->path);
	w->out->begin = w->out->end = RESULT_NONE;
}

struct result *analysis_judge(struct captures *c, const struct policy *p,
			      const struct analysis_opts *o, struct err *err)
{
	struct judge_opts opts = { .disable = o->disable };
	struct work w = { .files = c, .p = p, .o = o, .evidence.no_controls = true };

	w.judge = judge_new(p, &opts, err);
	if (!w.judge)
		return NULL;
	(void)captures_judge(c, w.judge, p, NULL);
	begin_result(&w);
	for (size_t t = 0; t < p->n_taps; t++)
		add_tap(&w, t);
	w.evidence.n_uplinks = (unsigned)p->n_taps; /* weigh_silence() says which were outside */
	judged_fill(w.out, w.judge, p);
	add_controls(&w);
	tell_policy(&w);
	for (size_t i = 0; i < captures_count(c); i++) {
		tell_file(&w, captures_file(c, i));
		weigh_file(&w, captures_file(c, i));
	}
	tell_missing(&w);
	judged_weigh(&w.evidence, w.judge, p);
	weigh_exit(&w);
	weigh_spans(&w);
	weigh_silence(&w); /* last: a doubt about packets says more than one about their absence */
	decide(&w);
	result_seal(w.result);
	evidence_clear(&w.evidence);
	judge_free(w.judge);
	return w.result;
}
