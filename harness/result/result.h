/* SPDX-License-Identifier: MIT */
/* The result model: everything that reports show, computed once from journal and findings. */
#ifndef RESULT_RESULT_H
#define RESULT_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Ordered by weight: the verdict of a run is the worst of its scenarios. `fail` is a stack that did not
 * leak and still broke its promise (recovery over its bound, wrong hash, web-ui not reachable). */
enum verdict {
	VERDICT_PASS,
	VERDICT_SKIPPED,
	VERDICT_INCONCLUSIVE,
	VERDICT_ERROR,
	VERDICT_FAIL,
	VERDICT_LEAK
};

/* "pass", "skipped", "inconclusive", "error", "fail", "leak" */
const char *verdict_name(enum verdict v);
int verdict_parse(const char *name, enum verdict *v);

#define RESULT_NONE INT64_MIN /* a time that was not measured */

/* All times are CLOCK_REALTIME nanoseconds, all durations nanoseconds; strings are owned by the result
 * and never NULL unless said; arrays are owned. Durations that were not measured are RESULT_NONE. */

struct result_pair { /* an ordered name/value list for environment tables */
	char *name;
	char *value;
};

struct result_finding {
	char *rule;	/* id, e.g. "cleartext-outside-tunnel" */
	char *severity; /* "critical", "high", "medium", "low" */
	char *sentence; /* for people, names service and destination */
	char *tap;
	char *service;	   /* "" when not attributed */
	char *attribution; /* "nonce", "bridge-match", "conntrack", "policy", ... */
	double confidence; /* 0..1 */
	int64_t time;
	uint64_t frame; /* 1-based number in the tap's capture file; 0: no packet */
	char *evidence; /* path of the pcap slice, relative to the report, "" when none */
	char *packet;	/* one line: addresses, ports, protocol */
	char *advice;
};

struct result_window { /* a fault, or another phase, shaded on the time axis */
	char *label;   /* "vpn.process-kill gluetun" */
	char *kind;    /* "fault", "phase" */
	int64_t begin, end;
	int64_t uncertainty; /* width of the bracket around apply */
	bool confirmed;
	char *confirmation; /* what independent observation said so */
};

struct result_series {	    /* counted per bin; one line of the time axis */
	char *name;	    /* "tunnel", "blocked", "leaks", "canaries", "health" */
	char *unit;	    /* "packets", "bytes", "state" */
	int64_t start, bin; /* start of bin 0, width of a bin */
	size_t count;
	double *values; /* NaN: not known in that bin */
};

struct result_tap {
	char *name, *role, *interface, *file;
	uint64_t received, dropped, delivered;
	bool beacon_begin, beacon_end;
	bool reconciled; /* a run: the counters add up; captures of any origin: read to the end, none lost */
	char *note; /* what is wrong with it, or has to be known; "" when nothing */
	/* what the judge made of its packets; in all of them, unless said */
	uint64_t packets, bytes;
	uint64_t tunnel,
		unverified; /* exact tuple; of these, captured too short to see the protocol */
	uint64_t leaked;    /* with at least one finding of weight */
	uint64_t allowed, upkeep; /* covered by an allowance; by a built-in one: ARP, ND, ... */
	uint64_t inbound;	  /* came in, no rule objected */
	uint64_t unattributed;	  /* left the host, and nothing ties it to a service */
	uint64_t attempts,
		blocked; /* inside: of protected services to the outside; of these, stopped */
	uint64_t undecodable, truncated;
};

struct result_allowance { /* the coverage of the policy */
	char *name;	  /* its reason, or the name of a built-in one ("arp", "nd", ...) */
	char *who,
		*what; /* "host"; "udp, port 123, any address, both ways, ntp". "" of a built-in one */
	bool builtin;
	bool any_payload; /* an allowance without a shape */
	uint64_t packets, bytes;
};

struct result_rule { /* a rule that found something */
	char *rule, *severity;
	char *meaning; /* for people: what it means when the rule fires */
	char *advice;
	uint64_t findings; /* all of them, also those that are not listed */
};

struct result_control {
	char *rule, *tap;
	bool caught;
	char *detail;
};

struct result_measure { /* one number with its bound */
	char *name; /* "kill-switch", "last-tunnel-packet", "app-cut-off", "recovery", "download-rate" */
	char *text;    /* "no leaked packet", "0.9 s", ... */
	int64_t value; /* nanoseconds; RESULT_NONE = none */
	int64_t bound; /* RESULT_NONE = no bound */
	int64_t uncertainty;
	bool ok;
};

struct result_scenario {
	char *name, *summary, *file;
	unsigned line;
	unsigned repeat;      /* 1-based number of the repetition */
	enum verdict verdict; /* what was seen */
	bool must_leak;	      /* a control: expected verdict is leak */
	bool as_expected;
	char *reason; /* one sentence: why this verdict */
	int64_t begin, end;
	uint64_t blocked; /* attempts seen inside and not outside */
	uint64_t canaries_sent;
	struct result_finding *findings;
	size_t n_findings;
	uint64_t findings_total; /* n_findings is capped, this is not */
	struct result_window *windows;
	size_t n_windows;
	struct result_series *series;
	size_t n_series;
	struct result_tap *taps;
	size_t n_taps;
	struct result_control *controls;
	size_t n_controls;
	struct result_measure *measures;
	size_t n_measures;
	struct result_rule *rules;
	size_t n_rules;
	struct result_allowance *allowances;
	size_t n_allowances;
};

#define RESULT_RUN	"run"
#define RESULT_ANALYSIS "analysis"

struct result {
	char *kind; /* RESULT_RUN, or RESULT_ANALYSIS: captures of any origin, one scenario, no faults or controls */
	char *run; /* id; of an analysis: the names of the files */
	char *version;
	enum verdict verdict; /* pass when every scenario is as expected */
	char *sentence;	      /* the verdict for people */
	int64_t begin, end;
	uint64_t seed;
	struct result_pair *environment;
	size_t n_environment; /* kernel, engine, host kind, ... */
	struct result_pair *images;
	size_t n_images; /* service -> reference, source, digest, whose program it is */
	struct result_scenario *scenarios;
	size_t n_scenarios;
};

bool result_is_analysis(const struct result *r);

void result_free(struct result *r); /* NULL allowed; frees r itself */

/* Findings kept in one scenario; further ones are counted in findings_total only (200 packets show what a
 * leak is; a report with a million rows can be opened by nobody). */
#define RESULT_FINDINGS_MAX 200

/* Append one zeroed element and return it; it belongs to the result, and the next call of the same kind may
 * move it. Texts begin as NULL (result_seal() turns what was not set into ""), value and bound of a measure as
 * RESULT_NONE, the repeat of a scenario as 1, a result as one of a run. The program ends when memory is out. */
struct result *result_new(void);
struct result_scenario *result_add_scenario(struct result *r);
struct result_pair *result_add_environment(struct result *r, const char *name, const char *value);
struct result_pair *result_add_image(struct result *r, const char *name, const char *value);
struct result_window *result_add_window(struct result_scenario *s);
struct result_series *result_add_series(struct result_scenario *s, size_t count);
struct result_tap *result_add_tap(struct result_scenario *s);
struct result_control *result_add_control(struct result_scenario *s);
struct result_measure *result_add_measure(struct result_scenario *s);
struct result_rule *result_add_rule(struct result_scenario *s);
struct result_allowance *result_add_allowance(struct result_scenario *s);
/* Counts the finding; NULL when RESULT_FINDINGS_MAX are kept already. */
struct result_finding *result_add_finding(struct result_scenario *s);
/* Every text that is still NULL becomes "": what the JSON form and the reports ask for. */
void result_seal(struct result *r);

/* Replace every text of the result by what fn returns for it; fn owns its argument (may be NULL). */
typedef char *(*result_text_fn)(void *arg, char *text);
void result_each_text(struct result *r, result_text_fn fn, void *arg);

/* The JSON form is result.json; both directions round-trip. Stands alone: no struct keeps a reference. Keys are
 * the member names. Times are integers of nanoseconds, RESULT_NONE is null; counters beyond INT64_MAX are
 * decimal text; bytes that are no UTF-8 come back as "\xNN". Reading ignores unknown keys, and refuses missing
 * ones, wrong types and values out of range (EXIT_USAGE, names the key). */
json_t *result_to_json(const struct result *r);
struct result *result_from_json(const json_t *j, struct err *err);

#endif
