// SPDX-License-Identifier: MIT
/* leakproof analyze: judge capture files of any origin. */
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "capture/read_file.h"
#include "command.h"
#include "packet/decode.h"
#include "rule/judge.h"

#define FILES_MAX  64
#define POLICY_MAX (64U << 20)
#define SHOWN_MAX  40 /* findings of the text form */

static const char usage[] =
	"usage: leakproof analyze [TAP=]FILE... --policy POLICY.json [OPTION]...\n"
	"       leakproof analyze FILE --protected ADDR[,ADDR] --tunnel PROTO:ADDR:PORT "
	"[OPTION]...\n"
	"\n"
	"Judges captures (pcap, pcapng, also gzip; - is standard input) of any origin.\n"
	"\n"
	"  -p, --policy FILE       what may appear on which tap, as JSON\n"
	"  -a, --protected LIST    addresses whose packets must stay in the tunnel\n"
	"  -t, --tunnel TUPLE      the tunnel as seen outside: udp:198.51.100.2:51820,\n"
	"                          udp:[2001:db8::2]:51820, tcp:...; repeatable\n"
	"  -k, --kind KIND         protocol of --tunnel: wireguard (default) or openvpn\n"
	"  -R, --real LIST         real addresses to look for inside the tunnel\n"
	"  -r, --role ROLE         where FILE was captured: uplink (default), isp, bridge,\n"
	"                          veth, lo, exit\n"
	"  -d, --disable RULE      switch one rule off\n"
	"  -f, --facts             no verdict: one JSON line a packet, what was recognised\n"
	"  -j, --json              the answer as JSON\n"
	"  -h, --help              this text\n"
	"\n"
	"TAP names a tap of the policy; without it the tap whose `file` is FILE's name, or the\n"
	"only tap. A policy without taps takes every FILE as a tap of --role.\n"
	"\n"
	"exit status: 0 no leak, 1 leak, 2 usage, 4 inconclusive (nothing to judge, frames\n"
	"missing, only suspicious frames)\n";

struct options {
	const char *policy, *protected_, *real, *disable;
	const char *tunnels[16];
	size_t n_tunnels;
	enum tunnel_kind kind;
	enum tap_role role;
	bool facts, json;
	char **files;
	size_t n_files;
};

/* One file and the tap that it belongs to. */
struct input {
	const char *path;
	size_t tap;
	struct read_file *file;
};

struct analysis {
	struct options o;
	struct policy *policy;
	struct input in[FILES_MAX];
	size_t n_in;
	struct judge *judge;
	struct err read_error; /* status 0: every file was read to its end */
};

static int parse_kind(const char *s, struct options *o, struct err *err)
{
	if (tunnel_kind_parse(s, &o->kind))
		return err_set(err, EXIT_USAGE, "--kind: `%s` is neither wireguard nor openvpn", s);
	return 0;
}

static int parse_option(int c, struct options *o, struct err *err)
{
	switch (c) {
	case 'p':
		o->policy = optarg;
		return 0;
	case 'a':
		o->protected_ = optarg;
		return 0;
	case 'R':
		o->real = optarg;
		return 0;
	case 'd':
		o->disable = optarg;
		return rule_find(optarg)
			       ? 0
			       : err_set(err, EXIT_USAGE, "--disable: no rule `%s`", optarg);
	case 't':
		if (o->n_tunnels == sizeof(o->tunnels) / sizeof(o->tunnels[0]))
			return err_set(err, EXIT_USAGE, "--tunnel: too many");
		o->tunnels[o->n_tunnels++] = optarg;
		return 0;
	case 'k':
		return parse_kind(optarg, o, err);
	case 'r':
		return tap_role_parse(optarg, &o->role)
			       ? err_set(err, EXIT_USAGE, "--role: `%s` is no role", optarg)
			       : 0;
	case 'f':
		o->facts = true;
		return 0;
	case 'j':
		o->json = true;
		return 0;
	}
	return err_set(err, EXIT_USAGE, "`leakproof analyze --help` names the options");
}

static int parse_options(int argc, char **argv, struct options *o, struct err *err)
{
	static const struct option longs[] = {
		{ "policy", required_argument, NULL, 'p' },
		{ "protected", required_argument, NULL, 'a' },
		{ "tunnel", required_argument, NULL, 't' },
		{ "kind", required_argument, NULL, 'k' },
		{ "real", required_argument, NULL, 'R' },
		{ "role", required_argument, NULL, 'r' },
		{ "disable", required_argument, NULL, 'd' },
		{ "facts", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "p:a:t:k:R:r:d:fj", longs, NULL)) != -1)
		if (parse_option(c, o, err))
			return -1;
	o->files = argv + optind;
	o->n_files = (size_t)(argc - optind);
	if (o->n_files == 0 || o->n_files > FILES_MAX)
		return err_set(err, EXIT_USAGE, "between 1 and %d capture files are wanted",
			       FILES_MAX);
	if (o->policy && (o->protected_ || o->n_tunnels || o->real))
		return err_set(
			err, EXIT_USAGE,
			"--policy says what --protected, --tunnel and --real say; give one or "
			"the other");
	if (!o->facts && !o->policy && !o->protected_ && !o->real)
		return err_set(err, EXIT_USAGE,
			       "without --policy or --protected nothing says what a leak is");
	return 0;
}

static int policy_from_options(struct analysis *a, struct err *err)
{
	a->policy = policy_new();
	if (a->o.protected_ && policy_add_protected(a->policy, a->o.protected_, err))
		return err_wrap(err, "--protected");
	if (a->o.real && policy_add_real(a->policy, a->o.real, err))
		return err_wrap(err, "--real");
	for (size_t i = 0; i < a->o.n_tunnels; i++)
		if (policy_add_tunnel(a->policy, a->o.tunnels[i], a->o.kind, err))
			return err_wrap(err, "--tunnel");
	return 0;
}

static int policy_from_file(struct analysis *a, struct err *err)
{
	size_t len;
	_cleanup_free_ char *text = fs_read(a->o.policy, POLICY_MAX, &len, err);
	struct diag d = { 0 };
	int rc;

	if (!text) {
		err->status = EXIT_USAGE;
		return -1;
	}
	rc = policy_parse(a->o.policy, text, len, &a->policy, &d, err);
	diag_print(&d, stderr, term_has_colour(stderr));
	diag_free(&d);
	return rc;
}

static size_t add_tap(struct policy *p, const char *path, enum tap_role role)
{
	struct policy_tap t = { .name = (char[]){ "capture" },
				.role = role,
				.interface = (char[]){ "" },
				.service = (char[]){ "" },
				.file = (char *)(uintptr_t)path };

	return policy_add_tap(p, &t);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool find_tap(const struct policy *p, const char *name, size_t len, size_t *tap)
{
	for (size_t i = 0; i < p->n_taps; i++)
		if (strlen(p->taps[i].name) == len && memcmp(p->taps[i].name, name, len) == 0) {
			*tap = i;
			return true;
		}
	return false;
}

static int choose_tap(struct analysis *a, const char *word, bool own_taps, struct input *in,
		      struct err *err)
{
	struct policy *p = a->policy;
	const char *equals = strchr(word, '=');

	in->path = word;
	if (!own_taps) {
		in->tap = add_tap(p, word, a->o.role);
		return 0;
	}
	if (equals && find_tap(p, word, (size_t)(equals - word), &in->tap)) {
		in->path = equals + 1;
		return 0;
	}
	for (size_t i = 0; i < p->n_taps; i++)
		if (strcmp(base_name(p->taps[i].file), base_name(word)) == 0) {
			in->tap = i;
			return 0;
		}
	if (p->n_taps == 1) {
		in->tap = 0;
		return 0;
	}
	return err_set(err, EXIT_USAGE, "%s: the policy has %zu taps; say TAP=FILE", word,
		       p->n_taps);
}

static int choose_taps(struct analysis *a, struct err *err)
{
	bool own = a->policy->n_taps > 0;

	for (; a->n_in < a->o.n_files; a->n_in++)
		if (choose_tap(a, a->o.files[a->n_in], own, &a->in[a->n_in], err))
			return -1;
	return 0;
}

static int open_inputs(struct analysis *a, struct err *err)
{
	for (size_t i = 0; i < a->n_in; i++) {
		a->in[i].file = read_file_open(a->in[i].path, err);
		if (!a->in[i].file) {
			err->status = EXIT_USAGE; /* the operator named it */
			return -1;
		}
	}
	return 0;
}

/* A source of the judge. A damaged file ends its stream: what was read before it counts. */
static int next_frame(void *arg, struct capfile_frame *f, struct err *err)
{
	return read_file_next(arg, f, err);
}

/* ---- --facts ---- */

static int print_facts(struct input *in, struct err *err)
{
	struct decoder *d = decoder_new();
	struct facts *facts = calloc(1, sizeof(*facts));
	struct capfile_frame f;
	int rc = d && facts ? 1 : err_set(err, EXIT_ENVIRONMENT, "out of memory");

	while (rc == 1 && (rc = read_file_next(in->file, &f, err)) == 1) {
		_cleanup_json_ json_t *j = NULL;

		(void)decode_frame(d, f.linktype, f.data, f.caplen, f.len, f.time, facts);
		j = facts_to_json(facts);
		if (!j)
			rc = err_set(err, EXIT_ENVIRONMENT, "out of memory");
		if (j && json_object_set_new(j, "frame", json_integer((json_int_t)f.number)) == 0 &&
		    json_dumpf(j, stdout, JSON_COMPACT) == 0)
			(void)putchar('\n');
		if (ferror(stdout))
			break; /* the reader has gone */
	}
	free(facts);
	decoder_free(d);
	return rc < 0 ? -1 : 0;
}

/* ---- the answer ---- */

struct answer {
	int status;
	char sentence[512];
};

static uint64_t suspicious(const struct analysis *a)
{
	uint64_t n = 0;

	for (size_t i = 0; i < n_rules; i++)
		for (size_t t = 0; rules[i]->severity == SEVERITY_LOW && t < a->policy->n_taps; t++)
			n += judge_rule_total(a->judge, rules[i], t);
	return n;
}

/* Did the capture show anything of what the policy speaks of? */
static bool is_silent(const struct analysis *a)
{
	for (size_t t = 0; t < a->policy->n_taps; t++)
		if (judge_counters(a->judge, t)->ours ||
		    judge_counters(a->judge, t)->tunnel_packets)
			return false;
	return true;
}

static uint64_t sum_leaked(const struct analysis *a, uint64_t *frames, uint64_t *dropped)
{
	uint64_t leaked = 0;

	*frames = *dropped = 0;
	for (size_t t = 0; t < a->policy->n_taps; t++) {
		leaked += judge_counters(a->judge, t)->leaked;
		*frames += judge_counters(a->judge, t)->frames;
	}
	for (size_t i = 0; i < a->n_in; i++)
		*dropped += read_file_counts(a->in[i].file)->dropped;
	return leaked;
}

static struct answer decide(const struct analysis *a)
{
	struct answer out = { .status = EXIT_INCONCLUSIVE };
	uint64_t frames;
	uint64_t dropped;
	uint64_t leaked = sum_leaked(a, &frames, &dropped);
	size_t size = sizeof(out.sentence);

	if (leaked) {
		out.status = EXIT_LEAK;
		(void)snprintf(out.sentence, size, "%llu of %llu packets betray the stack.",
			       (unsigned long long)leaked, (unsigned long long)frames);
	} else if (a->read_error.status) {
		(void)snprintf(out.sentence, size, "No leak up to here: %.480s",
			       a->read_error.text);
	} else if (frames == 0) {
		(void)snprintf(out.sentence, size, "No packet to judge: silence is no proof.");
	} else if (is_silent(a)) {
		(void)snprintf(
			out.sentence, size,
			"None of %llu packets has to do with the addresses of the policy: silence "
			"is no proof.",
			(unsigned long long)frames);
	} else if (dropped) {
		(void)snprintf(out.sentence, size,
			       "No leak among %llu packets, but the capture lost %llu others.",
			       (unsigned long long)frames, (unsigned long long)dropped);
	} else if (suspicious(a)) {
		(void)snprintf(out.sentence, size,
			       "No leak, but %llu frames that left the host cannot be read.",
			       (unsigned long long)suspicious(a));
	} else {
		out.status = EXIT_PASS;
		(void)snprintf(out.sentence, size, "No leak among %llu packets.",
			       (unsigned long long)frames);
	}
	return out;
}

static void text_taps(const struct analysis *a)
{
	(void)printf("\n%-14s %-7s %10s %10s %8s %8s %8s %8s %8s\n", "tap", "role", "packets",
		     "tunnel", "leaked", "allowed", "inbound", "unknown", "unread");
	for (size_t t = 0; t < a->policy->n_taps; t++) {
		const struct judge_tap_counters *n = judge_counters(a->judge, t);

		(void)printf("%-14s %-7s %10llu %10llu %8llu %8llu %8llu %8llu %8llu\n",
			     a->policy->taps[t].name, tap_role_name(a->policy->taps[t].role),
			     (unsigned long long)n->frames, (unsigned long long)n->tunnel_packets,
			     (unsigned long long)n->leaked,
			     (unsigned long long)(n->allowed + n->upkeep),
			     (unsigned long long)n->inbound, (unsigned long long)n->unattributed,
			     (unsigned long long)n->undecodable);
	}
}

static void text_findings(const struct analysis *a)
{
	char stamp[25];
	size_t n;
	const struct finding *f = judge_findings(a->judge, &n);

	for (size_t i = 0; i < n && i < SHOWN_MAX; i++)
		(void)printf("%s %s #%llu %s [%s]\n    %s (%s, %.0f %%)\n    %s\n",
			     clock_iso8601(f[i].time, stamp, sizeof(stamp)),
			     a->policy->taps[f[i].tap].name, (unsigned long long)f[i].frame,
			     f[i].rule->id, severity_name(f[i].rule->severity), f[i].sentence,
			     attribution_name(f[i].how), f[i].confidence * 100, f[i].packet);
	if (judge_findings_total(a->judge) > n || n > SHOWN_MAX)
		(void)printf("%llu findings in all; --json shows up to %zu.\n",
			     (unsigned long long)judge_findings_total(a->judge), n);
}

static void text_rules(const struct analysis *a)
{
	for (size_t i = 0; i < n_rules; i++) {
		uint64_t total = 0;

		for (size_t t = 0; t < a->policy->n_taps; t++)
			total += judge_rule_total(a->judge, rules[i], t);
		if (total)
			(void)printf("\n%s: %llu\n    %s\n    Mend: %s\n", rules[i]->id,
				     (unsigned long long)total, rules[i]->sentence,
				     rules[i]->advice);
	}
}

static void text_allowances(const struct analysis *a)
{
	size_t n;
	const struct judge_allow_use *u = judge_allowances(a->judge, &n);

	if (n)
		(void)printf("\nallowed by          packets      bytes\n");
	for (size_t i = 0; i < n; i++)
		(void)printf("%-18s %8llu %10llu%s%s\n", u[i].name,
			     (unsigned long long)u[i].packets, (unsigned long long)u[i].bytes,
			     u[i].packets ? "" : "  never used",
			     u[i].allow && u[i].allow->shape == SHAPE_ANY ? "  any payload" : "");
}

static void text_answer(const struct analysis *a, const struct answer *w)
{
	text_findings(a);
	text_rules(a);
	text_taps(a);
	text_allowances(a);
	if (judge_attempts(a->judge))
		(void)printf("\n%llu attempts of protected services, %llu of them blocked\n",
			     (unsigned long long)judge_attempts(a->judge),
			     (unsigned long long)judge_blocked(a->judge));
	(void)printf("\n%s: %s\n",
		     w->status == EXIT_PASS   ? "pass"
		     : w->status == EXIT_LEAK ? "leak"
					      : "inconclusive",
		     w->sentence);
}

static json_t *json_count(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *json_findings(const struct analysis *a)
{
	json_t *list = json_array();
	size_t n;
	const struct finding *f = judge_findings(a->judge, &n);

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(
			list,
			json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:s,s:s,s:f,s:s,s:s}", "rule",
				  f[i].rule->id, "severity", severity_name(f[i].rule->severity),
				  "sentence", f[i].sentence, "tap", a->policy->taps[f[i].tap].name,
				  "time", (json_int_t)f[i].time, "frame", (json_int_t)f[i].frame,
				  "service", f[i].service, "attribution",
				  attribution_name(f[i].how), "confidence", f[i].confidence,
				  "packet", f[i].packet, "advice", f[i].rule->advice));
	return list;
}

static json_t *json_taps(const struct analysis *a)
{
	json_t *list = json_array();

	for (size_t t = 0; t < a->policy->n_taps; t++) {
		const struct judge_tap_counters *n = judge_counters(a->judge, t);
		json_t *row = json_pack("{s:s,s:s}", "name", a->policy->taps[t].name, "role",
					tap_role_name(a->policy->taps[t].role));
		const struct {
			const char *key;
			uint64_t value;
		} counts[] = {
			{ "frames", n->frames },
			{ "bytes", n->bytes },
			{ "tunnel-packets", n->tunnel_packets },
			{ "tunnel-bytes", n->tunnel_bytes },
			{ "tunnel-unverified", n->tunnel_unverified },
			{ "leaked", n->leaked },
			{ "allowed", n->allowed },
			{ "upkeep", n->upkeep },
			{ "inbound", n->inbound },
			{ "unattributed", n->unattributed },
			{ "controls", n->controls },
			{ "attempts", n->attempts },
			{ "undecodable", n->undecodable },
			{ "truncated", n->truncated },
		};

		for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
			(void)json_object_set_new(row, counts[i].key, json_count(counts[i].value));
		(void)json_array_append_new(list, row);
	}
	return list;
}

static json_t *json_rules(const struct analysis *a)
{
	json_t *o = json_object();

	for (size_t i = 0; i < n_rules; i++) {
		uint64_t total = 0;

		for (size_t t = 0; t < a->policy->n_taps; t++)
			total += judge_rule_total(a->judge, rules[i], t);
		if (total)
			(void)json_object_set_new(o, rules[i]->id, json_count(total));
	}
	return o;
}

static json_t *json_allowances(const struct analysis *a)
{
	json_t *list = json_array();
	size_t n;
	const struct judge_allow_use *u = judge_allowances(a->judge, &n);

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_pack("{s:s,s:b,s:I,s:I}", "name", u[i].name,
							    "built-in", u[i].allow == NULL,
							    "packets", (json_int_t)u[i].packets,
							    "bytes", (json_int_t)u[i].bytes));
	return list;
}

static void json_answer(const struct analysis *a, const struct answer *w)
{
	_cleanup_json_ json_t *o = json_object();

	(void)json_object_set_new(o, "verdict",
				  json_string(w->status == EXIT_PASS   ? "pass"
					      : w->status == EXIT_LEAK ? "leak"
								       : "inconclusive"));
	(void)json_object_set_new(o, "sentence", json_string(w->sentence));
	(void)json_object_set_new(o, "findings", json_findings(a));
	(void)json_object_set_new(o, "findings-total", json_count(judge_findings_total(a->judge)));
	(void)json_object_set_new(o, "rules", json_rules(a));
	(void)json_object_set_new(o, "taps", json_taps(a));
	(void)json_object_set_new(o, "allowances", json_allowances(a));
	(void)json_object_set_new(o, "attempts", json_count(judge_attempts(a->judge)));
	(void)json_object_set_new(o, "blocked", json_count(judge_blocked(a->judge)));
	(void)json_dumpf(o, stdout, JSON_INDENT(2));
	(void)putchar('\n');
}

static int judge_inputs(struct analysis *a, struct err *err)
{
	struct judge_source sources[FILES_MAX];
	struct judge_opts opts = { .disable = a->o.disable };

	a->judge = judge_new(a->policy, &opts, err);
	if (!a->judge)
		return -1;
	for (size_t i = 0; i < a->n_in; i++)
		sources[i] = (struct judge_source){ .tap = a->in[i].tap,
						    .next = next_frame,
						    .arg = a->in[i].file };
	(void)judge_run(a->judge, sources, a->n_in, &a->read_error);
	return 0;
}

static int analyze(struct analysis *a, int argc, char **argv, struct err *err)
{
	struct answer w;

	if (parse_options(argc, argv, &a->o, err) ||
	    (a->o.policy ? policy_from_file(a, err) : policy_from_options(a, err)) ||
	    choose_taps(a, err) || open_inputs(a, err))
		return -1;
	if (a->o.facts) {
		for (size_t i = 0; i < a->n_in; i++)
			if (print_facts(&a->in[i], err))
				return -1;
		return EXIT_PASS;
	}
	if (judge_inputs(a, err))
		return -1;
	w = decide(a);
	if (a->o.json)
		json_answer(a, &w);
	else
		text_answer(a, &w);
	return w.status;
}

static int run(int argc, char **argv)
{
	struct analysis *a = calloc(1, sizeof(*a));
	struct err err = { 0 };
	int status;

	if (!a)
		return EXIT_ENVIRONMENT;
	status = analyze(a, argc, argv, &err);
	if (status < 0) {
		log_error("%s", err.text);
		status = err.status;
	}
	for (size_t i = 0; i < a->n_in; i++)
		read_file_close(a->in[i].file);
	judge_free(a->judge);
	policy_free(a->policy);
	free(a);
	return status;
}

const struct command cmd_analyze = {
	.name = "analyze",
	.summary = "judge capture files of any origin",
	.usage = usage,
	.run = run,
};
