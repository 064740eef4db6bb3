/* SPDX-License-Identifier: MIT */
/* The judge: frames of all taps in order of time -> findings, counters, series. No I/O, bounded memory
 * (about 20 MiB whatever the length of the capture). One judge belongs to one thread. */
#ifndef RULE_JUDGE_H
#define RULE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "packet/capfile.h"
#include "rule/policy.h"
#include "rule/rule.h"

struct judge;

struct judge_opts {    /* zeroed: the defaults */
	int64_t start; /* REALTIME of bin 0; 0: the first frame's time */
	int64_t bin;   /* width of a bin, ns; 0: 100 ms. Doubled when JUDGE_BINS_MAX are full */
	size_t findings_max; /* stored findings; 0: 1000. Further ones are counted */
	bool controls_only;  /* count controls, keep no findings (for an arming check) */
	bool decode_all; /* take no short way: for tests that hold the short ways to the long one */
	const char *disable; /* id of one rule that is switched off: for the mutants; NULL: none */
};

#define JUDGE_BINS_MAX 65536

struct finding {
	const struct rule *rule;
	char sentence[320]; /* names service, what and destination */
	size_t tap;	    /* index into policy->taps */
	int64_t time;	    /* REALTIME ns */
	uint64_t frame;	    /* 1-based number in the tap's file */
	char service[80];   /* "" when not attributed to one; "a or b" when ambiguous */
	enum attribution how;
	double confidence;
	char packet[200]; /* one line: addresses, ports, protocol */
	uint32_t canary;  /* id, UINT32_MAX: none */
};

/* A control that was recognised: a finding of `rule` on `tap` whose packet the harness made. */
struct judge_control {
	const struct rule *rule;
	size_t tap;
	uint32_t id;	/* as in the mark; POLICY_CONTROL_BASE where only a label says what it is */
	uint64_t count; /* times caught */
	uint64_t frame; /* first one */
	int64_t time;
};

struct judge_canary { /* a canary seen on a tap */
	uint32_t id;
	size_t tap;
	uint64_t count;
	int64_t first, last;
};

struct judge_tap_counters {
	uint64_t frames, bytes; /* bytes: length on the wire */
	uint64_t tunnel_packets,
		tunnel_bytes; /* exact tuple, both directions, keep-alives included */
	uint64_t tunnel_data_out, tunnel_data_in; /* packets that carry data of the tunnel */
	uint64_t tunnel_unverified;  /* tuple right, too little captured to see the protocol */
	uint64_t attempts;	     /* inside taps: packets of protected services to the outside */
	uint64_t blocked;	     /* of these, seen nowhere outside and not at the exit */
	uint64_t leaked;	     /* packets with a finding above low severity */
	uint64_t allowed;	     /* covered by an allowance */
	uint64_t allowed_unverified; /* of these: too little captured to see the shape */
	uint64_t upkeep;	     /* ARP, ND, IGMP, MLD of the host itself */
	uint64_t ours;		     /* from or to an address that the policy names as ours */
	uint64_t inbound;	     /* outside taps: came in, no rule objected */
	uint64_t unattributed;	     /* outside, left the host, open world, tied to nobody */
	uint64_t unlisted;	     /* of these: by the link the host's own, by address nobody's */
	struct ipaddr unlisted_src;  /* the first one's source */
	uint64_t controls;	     /* frames that carry a control's mark */
	uint64_t beacons;	     /* frames that carry a tap's beacon */
	uint64_t undecodable;
	uint64_t incomplete; /* exit: held more addresses than are looked at (FACTS_ADDRS) */
	uint64_t truncated;  /* captured shorter than the wire */
	int64_t first, last; /* times of frames; 0 when none */
	int64_t unattributed_first, unattributed_last;
};

struct judge_allow_use {		  /* how often an allowance of the policy was used */
	const struct policy_allow *allow; /* NULL for a built-in one */
	const char *name; /* its reason, or the name of the built-in one ("arp", "nd", ...) */
	uint64_t packets, bytes;
};

/* Everything that is known about the time around one instant: a fault, a heal. */
struct judge_mark {
	int64_t begin; /* the instant; in: from judge_add_mark */
	int64_t until; /* end of the window that belongs to it */
	/* out; RESULT-like "none" is 0 */
	int64_t last_tunnel_before; /* last data packet of the tunnel, either way, before begin */
	int64_t last_tunnel_in;	    /* last one in [begin, until) */
	int64_t first_tunnel_in;    /* first one in [begin, until) */
	int64_t first_leak_in, last_leak_in;
	uint64_t leaks_in; /* leaked packets in [begin, until) */
	uint64_t blocked_in, attempts_in;
	int64_t first_blocked_in, last_blocked_in;
	int64_t sample_gap; /* longest time in the window without any attempt or leak: how finely it was sampled */
};

enum judge_series {
	SERIES_TUNNEL_OUT,
	SERIES_TUNNEL_IN,
	SERIES_BLOCKED,
	SERIES_LEAKS,
	SERIES_ATTEMPTS,
	N_SERIES
};

/* One conntrack record: `orig` is before translation. Times 0: valid always. */
struct judge_conntrack {
	uint8_t proto;
	struct ipaddr src, dst; /* original direction */
	uint16_t sport, dport;
	struct ipaddr reply_src,
		reply_dst; /* reply direction: reply_dst is the translated source */
	uint16_t reply_sport, reply_dport;
	int64_t from, to;
};

/* The policy must outlive the judge. NULL and *err when opts or policy cannot work (no tap, or more real addresses
 * than can be looked for). */
struct judge *judge_new(const struct policy *p, const struct judge_opts *opts, struct err *err);
void judge_free(struct judge *j); /* NULL allowed */

/* Before the first frame. At most 4096 marks; -1 beyond. Returns the mark's index. */
int judge_add_mark(struct judge *j, int64_t begin, int64_t until);
void judge_add_conntrack(struct judge *j,
			 const struct judge_conntrack *c); /* last 65536 are kept */

/* One frame. Frames of one tap in file order, taps merged by time (judge_run does it): stamps may go
 * back by some milliseconds, as they do on a veth. data is borrowed for the call. */
void judge_frame(struct judge *j, size_t tap, uint64_t frame_number, int linktype,
		 const uint8_t *data, uint32_t caplen, uint32_t len, int64_t time);

/* Settle what is still pending. No frame after it. */
void judge_finish(struct judge *j);

/* A stream of frames of one tap; next() gives the next ones, oldest first: how many, 0 at the end, -1 and *err on error. They
 * and their bytes are valid until the next call of the same source. */
struct judge_source {
	size_t tap; /* read after each next(), which may change it: one file may hold several interfaces */
	int (*next)(void *arg, const struct capfile_frame **frames, struct err *err);
	void *arg;
};
/* Merge sources by time, the inside a millisecond ahead; feed them, finish. -1 and the first *err when a source failed: what
 * it gave before counts, and the others are judged to their end. */
int judge_run(struct judge *j, struct judge_source *sources, size_t n, struct err *err);

/* Answers; pointers are valid until judge_free. */
const struct finding *judge_findings(const struct judge *j,
				     size_t *n); /* stored, in order of time */
uint64_t judge_findings_total(const struct judge *j);
uint64_t judge_rule_total(const struct judge *j, const struct rule *r, size_t tap);
const struct judge_control *judge_controls(const struct judge *j, size_t *n);
bool judge_control_caught(const struct judge *j, uint32_t id, const char *rule, const char *tap);
const struct judge_canary *judge_canaries(const struct judge *j, size_t *n);
const struct judge_tap_counters *judge_counters(const struct judge *j, size_t tap);
const struct judge_allow_use *judge_allowances(const struct judge *j, size_t *n);
const struct judge_mark *judge_mark_get(const struct judge *j, int index);
/* Packets a bin; *start REALTIME ns of bin 0, *bin its width. */
const uint32_t *judge_series(const struct judge *j, enum judge_series s, size_t *n, int64_t *start,
			     int64_t *bin);
/* Blocked attempts over all inside taps, each packet once although veth and bridge both show it. */
uint64_t judge_blocked(const struct judge *j);
uint64_t judge_attempts(const struct judge *j);

#endif
