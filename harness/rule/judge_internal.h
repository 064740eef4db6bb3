/* SPDX-License-Identifier: MIT */
/* Inside of the judge: shared by the judge_*.c files only. */
#ifndef RULE_JUDGE_INTERNAL_H
#define RULE_JUDGE_INTERNAL_H

#include "base/order.h"
#include "packet/decode.h"
#include "packet/identity.h"
#include "rule/judge.h"

/* ---- judge_match.c: packets of services seen inside, waiting to be seen outside or at the exit ---- */

#define MATCH_RING   65536 /* a power of two */
/* The uplink shows a forwarded packet some 45 us after the bridge (measured, idle machine). Up to CLOSE it is
 * as good as certain; a loaded machine with two cores was seen to need tens of milliseconds. A queue on a slow uplink holds
 * packets for seconds: what comes later than SOON must have something of its own in common. */
#define MATCH_CLOSE  (2 * NS_PER_MS)
#define MATCH_SOON   (60 * NS_PER_MS)
#define MATCH_FAR    (2 * NS_PER_S)
#define MATCH_BACK   NS_PER_MS	      /* stamps of one machine may be swapped by that much */
#define MATCH_COPY   (60 * NS_PER_MS) /* between taps of the inside, with a gateway between */
#define MATCH_EXIT   NS_PER_S	      /* a packet may wait in the tunnel's queue */
/* So long an attempt waits: well over MATCH_FAR, so that bins of the tunnel are complete. */
#define MATCH_WINDOW (MATCH_FAR + 200 * NS_PER_MS)

struct attempt {
	uint64_t key;
	int64_t time;
	uint64_t next; /* number + 1 of the older one in the hash chain; 0 ends it */
	uint32_t ip_id;
	uint32_t seq, payload; /* TCP: to follow merged segments */
	int32_t service;       /* index into policy->services, -1 unknown */
	uint8_t ttl;
	bool first_fragment;
	bool protected_;
	bool outside, exit;
};

struct matcher {
	struct attempt ring[MATCH_RING];
	uint64_t heads[MATCH_RING]; /* number + 1 of the newest */
	uint64_t first,
		end; /* numbers first .. end - 1 are waiting, each at its number modulo MATCH_RING */
};

/* ---- judge_addr.c: what an address is under the policy ---- */

enum addr_bit {
	ADDR_KNOWN = 1 << 0, /* always set */
	ADDR_REAL = 1 << 1,
	ADDR_TUNNEL = 1 << 2,	/* the gateway's address inside the tunnel */
	ADDR_INSIDE = 1 << 3,	/* of a network of the stack, or a leg of a service */
	ADDR_GATEWAY = 1 << 4,	/* a leg of the gateway */
	ADDR_ENDPOINT = 1 << 5, /* the VPN server */
	ADDR_CANARY = 1 << 6,	/* the destination of a canary */
	ADDR_NONE = 1 << 7,
	ADDR_LOOPBACK = 1 << 8,
	ADDR_MULTICAST = 1 << 9,
	ADDR_LINK_LOCAL = 1 << 10,
	ADDR_PRIVATE = 1 << 11,
	ADDR_PUBLIC = 1 << 12,
};
#define ADDR_OURS (ADDR_REAL | ADDR_TUNNEL | ADDR_INSIDE)

struct known_addr {
	struct ipaddr addr;
	uint32_t is;	 /* enum addr_bit */
	int32_t service; /* whose leg it is: index into policy->services, -1: nobody's */
};

#define KNOWN_ADDRS 4096 /* 12 bits of a hash; a newcomer takes the place of whoever had the slot */

void addr_find_out(const struct policy *p, const struct ipaddr *a, struct known_addr *k);

/* ---- judge_ask.c: which rules a packet is asked of ---- */

struct asker;
struct asker *asker_new(const struct rule *disabled); /* NULL when memory is out; free() ends it */
uint64_t asker_rules(const struct asker *a, const struct rule_ctx *c); /* a bit per rules[] */
/* Does it never fire on noise without a real address in text? outside: on that of bystanders. */
bool rule_passes_noise(const struct rule *r, bool outside);
/* Does every rule of the role pass noise? On a tap of the outside: that of bystanders. */
bool asker_passes_noise(const struct asker *a, enum tap_role role);

/* ---- judge_seam.c: text across two TCP segments ---- */

#define SEAM_MAX 88
struct seams;
struct seams *seams_new(void); /* NULL when memory is out; free() ends it */
/* The last bytes of the segment before this one and its own first ones into `joined`; *at is where it begins. Returns how
 * many; 0 (and *at 0) when nothing is known of the one before, or no address can lie across. */
size_t seam_join(struct seams *s, struct net_layer *l, uint8_t joined[SEAM_MAX], size_t *at);

/* May an address in text have that byte? Where a segment does not end in such a one, seam_join() keeps nothing of it. */
bool seam_may_hold(uint8_t b);
/* Would seam_join() join that segment, whose payload is not empty, to the one before it? */
bool seam_is_there(struct seams *s, struct net_layer *l);

/* ---- judge_direction.c: which way a packet goes ---- */

/* What the link says of a frame's sender. OUT: one beside the host, which nothing else tells from a neighbour. */
enum link_says { LINK_SAYS_NOTHING, LINK_SAYS_HOST, LINK_SAYS_OUT, LINK_SAYS_OTHER };

/* The host's own Ethernet address at a tap whose policy names none. USELESS: two of them send with a real address, or what comes
 * for it has that one too, as where a router stands between. */
struct own_end {
	enum { OWN_UNKNOWN, OWN_KNOWN, OWN_USELESS } state;
	uint8_t mac[6];
};

/* ---- judge_again.c: the tunnel's data packet that is like the one before it ---- */

#define AGAIN_MESSAGE 42 /* where the message is: behind Ethernet, IPv4 and UDP */
#define AGAIN_HEAD    50 /* bytes, up to the index of WireGuard's receiver */
#define AGAIN_SLOTS   2	 /* a tap: what came in, what went out */

struct again {
	const struct policy_tunnel *tuple; /* NULL: nothing is known */
	bool out, ours;			   /* as judged: not DIR_IN; an address of ours */
	uint32_t receiver;		   /* of WireGuard */
	uint16_t sport;
	uint8_t head[AGAIN_HEAD];
};

/* The slot of of_tap[AGAIN_SLOTS] that says what this frame is; NULL: it has to be decoded. */
const struct again *again_find(const struct again *of_tap, int linktype, const uint8_t *data,
			       uint32_t caplen, uint32_t len);
/* Keep what was judged of a frame that carried the tunnel's data, where the next can be told by its first bytes. */
void again_keep(struct again *of_tap, const struct again *what, const struct facts *f);

/* ---- judge_noise.c: what passes undecoded because nobody is in it ---- */

enum noise_way { NOISE_DECODED, NOISE_OF_EXIT, NOISE_OF_BYSTANDERS };

bool noise_may_be_tied(const struct judge *j);
enum noise_way noise_way(const struct judge *j, const struct policy_tap *t);
/* True: the frame is counted and done with. False: nothing was done, it has to be decoded. */
bool noise_pass_exit(struct judge *j, size_t tap, const struct capfile_frame *f);
bool noise_pass_bystanders(struct judge *j, size_t tap, const struct capfile_frame *f);

/* ---- judge_flow.c: what is known about a flow on the outside ---- */

#define FLOW_SETS 4096
#define FLOW_WAYS 4

enum flow_shape { FLOW_SHAPE_UNSEEN, FLOW_SHAPE_GOOD, FLOW_SHAPE_BAD, FLOW_SHAPE_HIDDEN };

struct flow {
	uint64_t key;	 /* 0: free; same for both directions */
	int32_t service; /* index, -1: none */
	uint8_t how;	 /* enum attribution, of the packet that tied it */
	bool started;	 /* its SYN was seen */
	bool inbound;	 /* the first packet came in */
	uint8_t shape;	 /* enum flow_shape */
};

struct flow_table {
	struct flow set[FLOW_SETS][FLOW_WAYS];
};

#define CONNTRACK_MAX	65536
#define CANARY_SEEN_MAX 65536
#define CONTROLS_MAX	4096
#define MARKS_MAX	4096
#define BUILTIN_MAX	12
#define NO_CANARY	UINT32_MAX

struct mark_state {
	struct judge_mark m;
	int64_t last_sample;
	uint64_t leaks[2]; /* [0] uplink, [1] isp: one packet shows on both */
};

struct label_index {
	const char *label;
	const struct policy_canary *canary;
};

struct judge {
	const struct policy *p;
	struct judge_opts opts;
	struct decoder **decoders; /* one a tap: flows of two taps must not mix */
	struct facts facts;
	struct identity *identity; /* NULL without real addresses */
	struct judge_tap_counters *counters;
	bool has_exit;
	bool has_uplink;     /* any tap of the outside */
	bool has_uplink_tap; /* of role uplink: then isp taps show again what it showed */
	bool *watched;	     /* per service: an inside tap sees all that it sends */
	int64_t now;	     /* the highest stamp */
	bool any;	     /* a frame was seen */

	struct finding *findings;
	size_t n_findings, findings_max;
	uint64_t findings_total;
	uint64_t *rule_totals; /* [rule][tap]; behind the last rule a row of 0 */
	struct judge_control *controls;
	size_t n_controls;
	struct judge_canary *canaries;
	uint32_t *canary_heads; /* hash: index + 1 into canaries */
	size_t n_canaries;
	struct judge_allow_use *uses; /* the policy's allowances, then the built-in ones met */
	size_t n_uses;

	const struct policy_canary **by_id; /* sorted */
	struct label_index *labels;	    /* sorted */
	size_t n_labels;
	char nonce_text[2 * POLICY_NONCE_LEN + 1];
	char control_suffix[18]; /* "-" and 16 hex digits */

	struct judge_conntrack *conntrack;
	size_t n_conntrack;

	/* JUDGE_BINS_MAX of each, and one that stays 0 for what lies beyond; last series: leaks of isp taps */
	uint32_t *bins[N_SERIES + 1];
	size_t n_bins;
	int64_t bin_start, bin;
	struct mark_state *marks;
	size_t n_marks;
	uint64_t attempts, blocked;

	uint32_t wg_receiver;
	uint16_t wg_port;
	struct matcher *match;
	struct flow_table *flows;
	struct known_addr *known; /* [KNOWN_ADDRS] */
	struct seams *seams;
	struct again
		*again; /* [tap][AGAIN_SLOTS]; NULL where every payload is searched for a nonce */
	uint8_t seam[SEAM_MAX]; /* that of the packet at hand */
	/* of the frame at hand: enum addr_bit of both ends of its outer packet, 0 without one */
	uint32_t src_is, dst_is;
	int32_t src_service; /* whose leg the source is; -1: nobody's */
	struct asker *asker;
	enum noise_way *noise; /* per tap */
	struct own_end *own;   /* per tap */
	bool ties;	       /* noise_may_be_tied() */
};

/* What an address is, as judge_addr.c says; valid until the next call. In line, because every packet asks twice. */
static inline const struct known_addr *judge_addr(const struct judge *j, const struct ipaddr *a)
{
	struct known_addr *k;
	uint64_t w[2];

	memcpy(w, a->b, sizeof(w));
	/* addresses of a net differ in their last bytes, which are the high ones of w[1] */
	w[0] = (w[0] ^ w[1] ^ w[1] >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	k = &j->known[w[0] >> 52];
	if (!k->is || !ipaddr_equal(&k->addr, a))
		addr_find_out(j->p, a, k);
	return k;
}

static inline bool judge_addr_is(const struct judge *j, const struct ipaddr *a, uint32_t bits)
{
	return (judge_addr(j, a)->is & bits) != 0;
}

static inline void judge_count_frame(struct judge_tap_counters *n, const struct capfile_frame *f)
{
	if (n->frames++ == 0)
		n->first = f->time;
	n->bytes += max_u64(f->len, f->caplen);
	n->truncated += f->caplen < f->len;
	n->last = f->time;
}

static inline void judge_count_unattributed(struct judge_tap_counters *n, int64_t time)
{
	if (n->unattributed++ == 0)
		n->unattributed_first = time;
	n->unattributed_last = time;
}

/* The mark that a frame carries. */
struct mark_found {
	bool canary, control, beacon;
	uint32_t id;
	const struct policy_canary *row; /* NULL: an id that the policy does not name */
};

/* judge_direction.c */
/* On a tap of the outside: from the Ethernet address that sends with a real address, the policy not naming one, other packets
 * come from the same machine. mac: the sender's, NULL where the link has none; the bits of both ends (enum addr_bit). */
void direction_learn(struct judge *j, size_t tap, const uint8_t *mac, uint32_t src_is,
		     uint32_t dst_is);
/* told: what the file says of the frame (enum capfile_direction). */
enum link_says judge_link(const struct judge *j, size_t tap, const struct facts *f,
			  const uint8_t *mac, int told);
enum packet_direction judge_direction(const struct judge *j, const struct policy_tap *t,
				      const struct facts *f, enum link_says says, bool forged);
/* Both of an IP packet, not forged, on a tap of the outside, of which the file says nothing. */
enum packet_direction judge_direction_by(const struct judge *j, size_t tap, const uint8_t *mac,
					 uint32_t src_is, uint32_t dst_is, enum link_says *says);

/* judge_classify.c */
enum tunnel_relation judge_tunnel(const struct judge *j, const struct facts *f,
				  enum packet_direction dir, const struct policy_tunnel **tuple,
				  bool *verified);
bool judge_tunnel_data(const struct policy_tunnel *t, const struct net_layer *l);
/* WireGuard's message of at least a byte: data, and more than a keep-alive. */
bool judge_wireguard_data(const uint8_t *message, size_t wire);
/* flow: of the packet; NULL only without an IP header. */
const char *judge_upkeep(const struct judge *j, const struct rule_ctx *c, const struct flow *flow);
/* Could an allowance or a published port excuse that packet, if its shape fitted? For one that is tied to nobody. */
bool judge_may_excuse(const struct judge *j, const struct net_layer *l, enum packet_direction dir);
/* *verified: is its shape what the allowance says, as far as such a thing can be seen? False where the capture ends before
 * that. */
const struct policy_allow *judge_allow(const struct judge *j, const struct rule_ctx *c,
				       struct flow *flow, bool *verified);

/* judge_attr.c */
/* The service with a leg of that MAC; NULL: none. */
const struct policy_service *judge_mac_owner(const struct policy *p, const uint8_t mac[6]);
void judge_find_mark(const struct judge *j, const uint8_t *data, size_t len, const struct facts *f,
		     struct mark_found *m);
/* Who a frame of the inside belongs to: leg or MAC, or the veth's service. */
const struct policy_service *judge_sender(const struct judge *j, const struct policy_tap *t,
					  const struct facts *f);
void judge_attribute(struct judge *j, const struct rule_ctx *c, const struct mark_found *m,
		     struct flow *flow, struct attributed *who);
bool attribution_is_evidence(enum attribution a);

/* judge_match.c */
uint64_t match_key(const struct net_layer *l);
bool match_note(struct judge *j, const struct net_layer *l, int64_t time, int service,
		bool protected_);
/* The services that fit an outside packet: 0, 1 or 2 (ambiguous); *gap is the time between. */
int match_outside(struct judge *j, const struct net_layer *l, int64_t time, int services[2],
		  int64_t *gap);
void match_exit(struct judge *j, const struct net_layer *l, int64_t time);
void match_expire(struct judge *j, bool all);
/* Is there any packet of the inside that was not seen elsewhere yet? */
bool match_waits(const struct judge *j);

/* judge_flow.c */
/* The flow of a packet, made when it is a new one; valid until the next call. */
struct flow *flow_touch(struct flow_table *t, struct net_layer *l, enum packet_direction dir);

/* judge_store.c */
void store_finding(struct judge *j, const struct rule *r, const struct rule_ctx *c,
		   const struct rule_hit *hit, size_t tap, uint64_t frame);
void store_control(struct judge *j, const struct rule *r, uint32_t id, size_t tap, uint64_t frame,
		   int64_t time);
void store_canary(struct judge *j, uint32_t id, size_t tap, int64_t time);
void store_use(struct judge *j, const struct policy_allow *a, const char *builtin, uint32_t bytes);
void store_bin(struct judge *j, size_t series, int64_t time);
uint32_t store_bin_value(const struct judge *j, size_t series, int64_t time);
void store_tunnel(struct judge *j, int64_t time);
void store_leak(struct judge *j, enum tap_role role, int64_t time);
void store_attempt(struct judge *j, int64_t time);
void store_blocked(struct judge *j, int64_t time);
void store_settle(struct judge *j);

#endif
