/* SPDX-License-Identifier: MIT */
/* The decoder's memory: heads split over TCP segments, QUIC hellos over datagrams, IP fragments, and who spoke
 * which protocol. Every table has a fixed size; in each the least recently used entry makes room. */
#include "base/order.h"
#include "packet/internal.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "base/order.h"

#define FLOW_SETS   512
#define FLOW_WAYS   8
#define FLOWS	    (FLOW_SETS * FLOW_WAYS)
#define FLOW_BYTES  4096
#define FLOW_RANGES 6
#define BIGS	    16 /* flows whose head is longer; hellos with tickets, certificates, padding */
#define BIG_BYTES   32768
#define MEMOS	    4096
#define FRAGS	    64
#define FRAG_BYTES  8192
#define FRAG_LIFE   INT64_C(60000000000) /* nanoseconds; RFC 8200 4.5 gives up after 60 s */

enum flow_kind {
	FLOW_FREE,
	FLOW_HEAD, /* pieces of a head are being collected */
	FLOW_DONE, /* the head was read: each segment for itself */
	FLOW_BT,   /* peer messages, in order */
	FLOW_QUIC, /* CRYPTO stream of a client's Initials */
	FLOW_UTP,  /* clock of a sender */
};

struct flow_key { /* one direction */
	struct ipaddr src, dst;
	uint16_t sport, dport;
	uint32_t proto;
};

struct range { /* [from, to) of the buffer is filled */
	uint16_t from, to;
};

struct flow {
	struct flow_key key;
	uint8_t kind;
	uint8_t n_ranges;
	uint8_t big; /* number of its larger buffer, 0 = none */
	struct bt_ext_ids told;
	uint32_t base; /* sequence number of the buffer's first byte */
	uint32_t skip; /* FLOW_BT: bytes from base on that need no reading */
	struct range ranges[FLOW_RANGES];
};

struct frag {
	struct ipaddr src, dst;
	uint32_t id;
	uint8_t version, proto, first_proto;
	bool used, has_ports;
	uint16_t sport, dport;
	uint32_t total; /* bytes, 0 until the last fragment was seen */
	uint32_t tick;
	int64_t time;
	uint8_t units[FRAG_BYTES / 64]; /* a bit per 8 bytes that are there */
	uint8_t bytes[FRAG_BYTES];
};

struct big {
	struct flow *owner; /* NULL: free */
	uint32_t tick;
};

struct memo {
	uint64_t hash;
	uint8_t flags;
};

struct decoder {
	uint32_t clock;
	uint32_t tags[FLOWS];  /* upper half of the hash, 0 = free */
	uint32_t ticks[FLOWS]; /* last use */
	struct flow flows[FLOWS];
	struct memo memos[MEMOS];
	struct frag frags[FRAGS];
	struct big bigs[BIGS];
	uint8_t bytes[FLOWS][FLOW_BYTES]; /* from here on: a reset leaves it alone */
	uint8_t big_bytes[BIGS][BIG_BYTES];
	struct quic_id ids[FLOWS]; /* of FLOW_QUIC */
};

struct decoder *decoder_new(void)
{
	return calloc(1, sizeof(struct decoder));
}

void decoder_free(struct decoder *d)
{
	free(d);
}

void decoder_reset(struct decoder *d)
{
	memset(d, 0, offsetof(struct decoder, bytes));
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

static uint64_t addr_hash(uint64_t h, const struct ipaddr *a)
{
	uint64_t half[2];

	memcpy(half, a->b, 16);
	return mix(mix(h, half[0]), half[1]);
}

/* ---- Memos: flags for a pair of endpoints ---- */

static struct memo *memo_slot(struct work *w)
{
	return &w->d->memos[net_layer_pair(w->l) >> 20 & (MEMOS - 1)];
}

uint8_t memo_get(struct work *w)
{
	const struct memo *m = w->d ? memo_slot(w) : NULL;

	return m && m->hash == w->l->pair ? m->flags : 0;
}

void memo_set(struct work *w, uint8_t flags)
{
	struct memo *m;

	if (!w->d || !flags)
		return;
	m = memo_slot(w);
	m->flags = (uint8_t)(flags | (m->hash == w->l->pair ? m->flags : 0));
	m->hash = w->l->pair;
}

/* ---- Flows ---- */

static struct flow_key key_of(const struct net_layer *l, bool reverse)
{
	return reverse ? (struct flow_key){ l->dst, l->src, l->dport, l->sport, l->proto }
		       : (struct flow_key){ l->src, l->dst, l->sport, l->dport, l->proto };
}

static uint64_t key_hash(const struct flow_key *k)
{
	return mix(addr_hash(addr_hash(2, &k->src), &k->dst),
		   (uint64_t)k->sport << 32 | (uint64_t)k->dport << 16 | k->proto);
}

static struct flow *flow_find(struct decoder *d, const struct flow_key *k, uint64_t hash)
{
	uint32_t tag = (uint32_t)(hash >> 32) | 1;
	size_t set = (hash & (FLOW_SETS - 1)) * FLOW_WAYS;

	for (size_t i = set; i < set + FLOW_WAYS; i++)
		if (d->tags[i] == tag && memcmp(&d->flows[i].key, k, sizeof(*k)) == 0) {
			d->ticks[i] = ++d->clock;
			return &d->flows[i];
		}
	return NULL;
}

static void big_free(struct decoder *d, struct flow *fl)
{
	if (fl->big)
		d->bigs[fl->big - 1].owner = NULL;
	fl->big = 0;
}

/* A fresh entry in the place of a free one, or of the one that was not used for longest. */
static struct flow *flow_make(struct work *w, const struct flow_key *k, uint64_t hash,
			      enum flow_kind kind, uint32_t base)
{
	struct decoder *d = w->d;
	size_t set = (hash & (FLOW_SETS - 1)) * FLOW_WAYS, at = set;

	for (size_t i = set; i < set + FLOW_WAYS; i++) {
		if (d->tags[i] == 0) {
			at = i;
			break;
		}
		if (d->clock - d->ticks[i] > d->clock - d->ticks[at])
			at = i;
	}
	if (d->tags[at] && d->flows[at].kind == FLOW_HEAD && d->flows[at].n_ranges)
		fact_reason(w->f, UND_FLOW_EVICTED);
	big_free(d, &d->flows[at]);
	d->tags[at] = (uint32_t)(hash >> 32) | 1;
	d->ticks[at] = ++d->clock;
	d->flows[at] = (struct flow){ .key = *k, .kind = (uint8_t)kind, .base = base };
	return &d->flows[at];
}

static void flow_free(struct decoder *d, struct flow *fl)
{
	big_free(d, fl);
	fl->kind = FLOW_FREE;
	d->tags[fl - d->flows] = 0;
}

static uint8_t *flow_bytes(struct decoder *d, const struct flow *fl)
{
	return fl->big ? d->big_bytes[fl->big - 1] : d->bytes[fl - d->flows];
}

/* Move the flow into a larger buffer; the one that was not used for longest loses its own, and gives up its head. */
static void flow_grow(struct decoder *d, struct flow *fl)
{
	struct big *b = &d->bigs[0];

	for (size_t i = 0; i < BIGS && b->owner; i++)
		if (!d->bigs[i].owner || d->clock - d->bigs[i].tick > d->clock - b->tick)
			b = &d->bigs[i];
	if (b->owner) {
		b->owner->kind = FLOW_DONE;
		b->owner->n_ranges = 0;
		b->owner->big = 0;
	}
	memcpy(d->big_bytes[b - d->bigs], flow_bytes(d, fl), FLOW_BYTES);
	*b = (struct big){ fl, d->clock };
	fl->big = (uint8_t)(b - d->bigs + 1);
}

/* Is there no room for more, however large the buffer? */
static bool flow_is_full(const struct flow *fl, size_t len)
{
	return fl->big && len == BIG_BYTES;
}

/* Bytes in one piece from the start on. */
static size_t flow_contiguous(const struct flow *fl)
{
	return fl->n_ranges && fl->ranges[0].from == 0 ? fl->ranges[0].to : 0;
}

/* Put a piece at `offset`; what lies beyond the buffer is left out. False when the piece cannot be kept. */
static bool flow_put(struct decoder *d, struct flow *fl, size_t offset, const uint8_t *p, size_t n)
{
	struct range add;
	size_t i, j;

	if (offset >= BIG_BYTES)
		return false;
	n = min_u64(n, BIG_BYTES - offset);
	if (n == 0)
		return true;
	if (!fl->big && offset + n > FLOW_BYTES)
		flow_grow(d, fl);
	if (fl->big)
		d->bigs[fl->big - 1].tick = d->clock;
	memcpy(flow_bytes(d, fl) + offset, p, n);
	add = (struct range){ (uint16_t)offset, (uint16_t)(offset + n) };
	for (i = 0; i < fl->n_ranges && fl->ranges[i].to < add.from; i++)
		;
	for (j = i; j < fl->n_ranges && fl->ranges[j].from <= add.to; j++) {
		add.from = (uint16_t)min_u64(add.from, fl->ranges[j].from);
		add.to = (uint16_t)max_u64(add.to, fl->ranges[j].to);
	}
	if (i == j && fl->n_ranges == FLOW_RANGES)
		return false;
	memmove(&fl->ranges[i + 1], &fl->ranges[j], (fl->n_ranges - j) * sizeof(add));
	fl->ranges[i] = add;
	fl->n_ranges = (uint8_t)(fl->n_ranges - (j - i) + 1);
	return true;
}

/* ---- What a TCP stream begins with ---- */

#define PORT_DNS	     53
#define PORT_NETBIOS_SESSION 139
#define PORT_SMB	     445
#define PORT_DOT	     853
#define PORT_OPENVPN	     1194
#define PORT_LLMNR	     5355
#define BT_GREETING	     (1 + BT_NAME_LEN)
#define BT_HANDSHAKE_SIZE    68

static bool on(const struct net_layer *l, uint16_t port)
{
	return l->dport == port || l->sport == port;
}

/* Messages one behind the other, each with its length (RFC 1035 4.2.2). The first one's facts are kept, the
 * names of the others join its list. */
static enum head_state head_dns(struct work *w, const uint8_t *p, size_t n, bool last)
{
	enum dns_transport t = on(w->l, PORT_LLMNR) ? DNS_LLMNR : DNS_OVER_TCP;
	struct dns_facts first;
	size_t at = 0, count = 0;

	while (n - at >= 2) {
		size_t stated = be16(p + at), have = n - at - 2;

		if (stated < 12 && count == 0)
			return HEAD_NO;
		if (stated > have && !last)
			return count ? HEAD_DONE : HEAD_MORE;
		if (stated > have && count)
			break;
		if (count)
			first = w->f->dns;
		decode_dns(w->f, span_of(p + at + 2, min_u64(stated, have), min_u64(stated, have)),
			   t);
		if (count++) {
			size_t end = strlen(first.other_names), len = strlen(w->f->dns.qname);

			if (strcmp(first.qname, w->f->dns.qname) != 0 &&
			    end + len + 2 <= sizeof(first.other_names)) {
				memcpy(first.other_names + end, w->f->dns.qname, len);
				memcpy(first.other_names + end + len, " ", 2);
			}
			w->f->dns = first;
		}
		at += 2 + min_u64(stated, have);
	}
	return count ? HEAD_DONE : last ? HEAD_NO : HEAD_MORE;
}

static enum head_state head_bt(struct facts *f, const uint8_t *p, size_t n, bool last)
{
	static const char greeting[BT_GREETING] = "\x13"
						  "BitTorrent protocol";

	if (memcmp(p, greeting, min_u64(n, BT_GREETING)) != 0)
		return HEAD_NO;
	if (n < BT_HANDSHAKE_SIZE && !last)
		return HEAD_MORE;
	return decode_bt_handshake(f, p, n) ? HEAD_DONE : HEAD_NO;
}

/* A segment that begins with an extension message: length, 20, id, dictionary. */
static bool lone_bt_message(struct facts *f, const uint8_t *p, size_t n)
{
	struct bt_ext_ids none = { 0 }, told = { 0 };

	if (n < 9 || p[0] || p[4] != 20 || p[6] != 'd' || be32(p) < 4)
		return false;
	/* a key follows, its length in one or two digits, or the end: six bytes of ciphertext are soon alike */
	if (p[7] != 'e' &&
	    !(p[7] >= '1' && p[7] <= '9' && (p[8] == ':' || (p[8] >= '0' && p[8] <= '9'))))
		return false;
	return decode_bt_extended(f, p + 5, min_u64(be32(p) - 1, n - 5), &none, &told);
}

static bool head_openvpn(struct work *w, const uint8_t *p, size_t n)
{
	struct openvpn_facts o;

	return n >= 16 && openvpn_message(p, n, w->l->payload_wire, true, &o) &&
	       openvpn_take(w, &o, be16(p) == n - 2 && openvpn_is_reset(p + 2, n - 2),
			    on(w->l, PORT_OPENVPN));
}

/* Shapes that need no more than the segment; noise.c knows how each of these and of the heads begins. */
static void lone_segment(struct work *w, const uint8_t *p, size_t n)
{
	if (lone_bt_message(w->f, p, n) || decode_bt_websocket(w->f, p, n) ||
	    decode_stun(w->f, p, n) || head_openvpn(w, p, n))
		return;
	if (n > 2 && be16(p) <= n - 2 && decode_stun(w->f, p + 2, be16(p)))
		return; /* framed as RFC 4571 says */
	if (n > 2 && be16(p) == n - 2 && decode_dns_shape(w->f, p + 2, n - 2, DNS_OVER_TCP))
		return;
	if (on(w->l, PORT_NETBIOS_SESSION) || on(w->l, PORT_SMB)) {
		fact_weak(w->f, PROTO_NETBIOS);
	}
}

/* Is what stands on DNS's port surely none? Its length, id and flags would have to be a request line, a peer's greeting or a
 * TLS hello. */
static bool other_than_dns(const uint8_t *p, size_t n)
{
	static const char *const begins[] = { "GET ", "POST ", "HEAD ", "CONNECT ", "HTTP/1." };

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (bytes_are(p, n, begins[i], strlen(begins[i])))
			return true;
	if (n > 10 && bytes_are(p + 1, n - 1, "BitTorrent", 10))
		return p[0] == BT_NAME_LEN;
	return n > 10 && p[0] == 22 && p[1] == 3 && p[5] == 1 && p[6] == 0 && p[9] == 3;
}

/* One record's header in the middle of a stream says little, but where records were seen for sure. */
static void tls_seen(struct work *w)
{
	uint64_t tls = PROTO_BIT(PROTO_TLS);

	if (!(w->f->protos & tls))
		return;
	if (!(w->f->weak & tls))
		memo_set(w, MEMO_TLS);
	else if (memo_get(w) & MEMO_TLS)
		w->f->weak &= ~tls;
}

static enum head_state stream_head(struct work *w, const uint8_t *p, size_t n, bool last)
{
	enum head_state s;

	if ((on(w->l, PORT_DNS) || on(w->l, PORT_LLMNR)) && !other_than_dns(p, n))
		return head_dns(w, p, n, last);
	if (p[0] >= 20 && p[0] <= 24 && (s = decode_tls(w->f, p, n, last)) != HEAD_NO)
		return tls_seen(w), s;
	if (p[0] >= 'A' && p[0] <= 'Z' && (s = decode_http(w->f, p, n, last)) != HEAD_NO)
		return s;
	if (p[0] == BT_NAME_LEN)
		return head_bt(w->f, p, n, last);
	return HEAD_NO;
}

/* Say what there is of a head that is not complete, without calling the missing rest damage. */
static void preview(struct work *w, const uint8_t *p, size_t n)
{
	uint64_t reasons = w->f->reasons;
	uint8_t reason = w->f->reason;

	stream_head(w, p, n, true);
	w->f->reasons = reasons;
	w->f->reason = reason;
}

/* ---- Peer messages ---- */

static void bt_give_up(struct work *w, struct flow *fl)
{
	fact_reason(w->f, UND_STREAM_GAP);
	fl->kind = FLOW_DONE;
}

/* The buffer starts at a message boundary. Reads the whole messages in it and moves the rest to the front. */
static void bt_consume(struct work *w, struct flow *fl, size_t *len)
{
	struct flow_key back = key_of(w->l, true);
	const struct flow *other = flow_find(w->d, &back, key_hash(&back));
	struct bt_ext_ids none = { 0 };
	uint8_t *b = flow_bytes(w->d, fl);
	size_t used;

	used = decode_bt_messages(w->f, b, *len, other ? &other->told : &none, &fl->told,
				  &fl->skip);
	if (used == 0 && *len == FLOW_BYTES) { /* one message fills it all: read its part */
		decode_bt_extended(w->f, b + 5, *len - 5, other ? &other->told : &none, &fl->told);
		fact_reason(w->f, UND_STREAM_LONG);
		fl->skip = be32(b) + 4 - FLOW_BYTES;
		used = *len;
	}
	if (fl->skip == UINT32_MAX) {
		fl->kind = FLOW_DONE; /* no message: encrypted, or we lost the boundary */
		fl->skip = 0;
	}
	memmove(b, b + used, *len - used);
	*len -= used;
	fl->base += (uint32_t)used;
}

static void bt_stream(struct work *w, struct flow *fl, uint32_t seq, const uint8_t *p, size_t n)
{
	size_t len = flow_contiguous(fl);
	int32_t ahead = (int32_t)(seq - (fl->base + (uint32_t)len));

	if (ahead > 0 && (fl->skip < (uint32_t)ahead || len)) {
		bt_give_up(w, fl);
		return;
	}
	if (ahead > 0) { /* the gap lies inside what is skipped anyway */
		fl->base += (uint32_t)ahead;
		fl->skip -= (uint32_t)ahead;
	} else if ((size_t)-ahead >= n) {
		return; /* seen before */
	} else {
		p += -ahead;
		n -= (size_t)-ahead;
	}
	while (n && fl->kind == FLOW_BT) {
		size_t part = min_u64(fl->skip, n);

		fl->skip -= (uint32_t)part;
		fl->base += (uint32_t)part;
		p += part;
		n -= part;
		part = min_u64(n, FLOW_BYTES - len);
		memcpy(flow_bytes(w->d, fl) + len, p, part);
		len += part;
		p += part;
		n -= part;
		if (len)
			bt_consume(w, fl, &len);
	}
	fl->ranges[0] = (struct range){ 0, (uint16_t)len };
	fl->n_ranges = len != 0;
}

/* Behind a handshake come messages: those that arrived with it are read at once. */
static void bt_begin_stream(struct work *w, struct flow *fl, const uint8_t *p, size_t n,
			    uint32_t seq)
{
	fl->kind = FLOW_BT;
	fl->skip = 0;
	fl->n_ranges = 0;
	fl->base = seq + BT_HANDSHAKE_SIZE;
	memo_set(w, MEMO_BT);
	if (n > BT_HANDSHAKE_SIZE)
		bt_stream(w, fl, fl->base, p + BT_HANDSHAKE_SIZE, n - BT_HANDSHAKE_SIZE);
}

/* ---- Segments ---- */

/* The head at p is read. Peer messages behind a handshake go to the flow's own buffer, in which p may lie. */
static void head_read(struct work *w, struct flow *fl, enum head_state s, const uint8_t *p,
		      size_t n)
{
	uint8_t copy[FLOW_BYTES];

	if (p == w->d->bytes[fl - w->d->flows])
		p = memcpy(copy, p, n);
	big_free(w->d, fl);
	fl->n_ranges = 0;
	if (s == HEAD_DONE && facts_has(w->f, PROTO_BT_HANDSHAKE) && n >= BT_HANDSHAKE_SIZE)
		bt_begin_stream(w, fl, p, n, fl->base);
	else
		fl->kind = FLOW_DONE;
}

/* Keep a piece; where that cannot be, what it says by itself is all there is. */
static bool head_keep(struct work *w, struct flow *fl, size_t offset, const uint8_t *p, size_t n)
{
	if (flow_put(w->d, fl, offset, p, n))
		return true;
	fact_reason(w->f, UND_STREAM_GAP);
	big_free(w->d, fl);
	fl->kind = FLOW_DONE;
	if (stream_head(w, p, n, true) == HEAD_NO)
		lone_segment(w, p, n);
	return false;
}

/* The first m bytes of a stream are at b; n of them came with this segment, at p. */
static void head_so_far(struct work *w, struct flow *fl, const uint8_t *b, size_t m,
			struct span segment, bool fin)
{
	bool full = flow_is_full(fl, m);
	enum head_state s = stream_head(w, b, m, fin || full);

	if (s != HEAD_NO && m > segment.len)
		w->f->reassembled = true;
	if (s == HEAD_MORE && b == segment.p && !head_keep(w, fl, 0, b, m))
		return;
	if (s == HEAD_MORE) {
		preview(w, b, m);
		return;
	}
	if (full && s == HEAD_DONE && !fin)
		fact_reason(w->f, UND_STREAM_LONG);
	if (s == HEAD_NO)
		lone_segment(w, segment.p, segment.len);
	head_read(w, fl, s, b, m);
}

/* A piece of a head that is being collected. */
static void head_piece(struct work *w, struct flow *fl, const uint8_t *p, size_t n, bool fin)
{
	int32_t offset = (int32_t)(w->l->seq - fl->base);
	size_t m;

	if (w->l->tcp_flags & TCP_SYN)
		offset++;
	if (offset < 0) { /* repeats what was there before the head */
		if ((size_t) - (int64_t)offset >= n)
			return;
		p += -(int64_t)offset;
		n -= (size_t) - (int64_t)offset;
		offset = 0;
	}
	if (offset == 0 && fl->n_ranges == 0) { /* nearly always: all of it in one */
		head_so_far(w, fl, p, n, span_of(p, n, n), fin);
		return;
	}
	if (!head_keep(w, fl, (size_t)offset, p, n))
		return;
	m = flow_contiguous(fl);
	if (m) /* else its beginning is still to come */
		head_so_far(w, fl, flow_bytes(w->d, fl), m, span_of(p, n, n), fin);
}

/* A segment of a stream without state, or whose head is behind it. */
static void free_segment(struct work *w, struct flow *fl, const struct flow_key *k, uint64_t hash,
			 const uint8_t *p, size_t n)
{
	enum head_state s = stream_head(w, p, n, false);
	bool bt = s == HEAD_DONE && facts_has(w->f, PROTO_BT_HANDSHAKE);

	if (s == HEAD_NO) {
		lone_segment(w, p, n);
		return;
	}
	if (s == HEAD_DONE && !bt)
		return;
	if (!fl)
		fl = flow_make(w, k, hash, FLOW_HEAD, w->l->seq);
	fl->base = w->l->seq;
	if (bt) {
		bt_begin_stream(w, fl, p, n, w->l->seq);
		return;
	}
	fl->kind = FLOW_HEAD;
	fl->n_ranges = 0;
	if (head_keep(w, fl, 0, p, n))
		preview(w, p, n);
}

void stream_segment(struct work *w)
{
	struct net_layer *l = w->l;
	const uint8_t *p = l->payload;
	size_t n = l->payload_len;
	struct flow_key k;
	struct flow *fl;
	uint64_t hash;

	if (on(l, PORT_DOT))
		fact_weak(w->f, PROTO_DOT);
	if (!w->d) {
		if (n && stream_head(w, p, n, true) == HEAD_NO)
			lone_segment(w, p, n);
		return;
	}
	if (n == 0 && !(l->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)))
		return;
	k = key_of(l, false);
	hash = key_hash(&k);
	fl = flow_find(w->d, &k, hash);
	if (l->tcp_flags & TCP_SYN) {
		if (fl)
			flow_free(w->d, fl);
		fl = flow_make(w, &k, hash, FLOW_HEAD, l->seq + 1);
	}
	if (n) {
		if (fl && fl->kind == FLOW_HEAD)
			head_piece(w, fl, p, n, (l->tcp_flags & TCP_FIN) != 0);
		else if (fl && fl->kind == FLOW_BT)
			bt_stream(w, fl, l->seq, p, n);
		else
			free_segment(w, fl, &k, hash, p, n);
	}
	if (l->tcp_flags & TCP_RST && (fl = flow_find(w->d, &k, hash)))
		flow_free(w->d, fl);
}

bool stream_is_open(struct work *w)
{
	struct flow_key k = key_of(w->l, false);
	const struct flow *fl = w->d ? flow_find(w->d, &k, key_hash(&k)) : NULL;

	return fl && (fl->kind == FLOW_HEAD || fl->kind == FLOW_BT);
}

bool quic_first_id(struct work *w, struct quic_id *id)
{
	struct flow_key k = key_of(w->l, false);
	struct flow *fl = w->d ? flow_find(w->d, &k, key_hash(&k)) : NULL;

	if (!fl || fl->kind != FLOW_QUIC)
		return false;
	*id = w->d->ids[fl - w->d->flows];
	return true;
}

void quic_crypto_piece(struct work *w, uint64_t offset, const uint8_t *p, size_t len)
{
	struct flow_key k = key_of(w->l, false);
	uint64_t hash = key_hash(&k);
	struct facts *f = w->f;
	enum head_state s;
	struct flow *fl;
	size_t m;

	if (!w->d) {
		if (offset == 0)
			decode_tls_hello(f, p, len, true);
		return;
	}
	fl = flow_find(w->d, &k, hash);
	if (!fl || fl->kind != FLOW_QUIC) {
		if (fl)
			flow_free(w->d, fl);
		fl = flow_make(w, &k, hash, FLOW_QUIC, 0);
		w->d->ids[fl - w->d->flows].len = f->quic.dcid_len;
		memcpy(w->d->ids[fl - w->d->flows].b, f->quic.dcid, sizeof(f->quic.dcid));
	}
	if (!flow_put(w->d, fl, (size_t)offset, p, len)) {
		fact_reason(f, UND_STREAM_LONG);
		return;
	}
	m = flow_contiguous(fl);
	if (m == 0)
		return;
	s = decode_tls_hello(f, flow_bytes(w->d, fl), m, flow_is_full(fl, m));
	if (s == HEAD_MORE)
		return;
	f->reassembled |= m > len;
	flow_free(w->d, fl);
}

/* ---- Clocks ---- */

#define CLOCK_SOON 10000 /* microseconds: before that, counters look like clocks */
#define CLOCK_LATE (30 * INT64_C(60000000)) /* after that, 32 bits of microseconds are ambiguous */

struct clock { /* stands in the flow's buffer */
	int64_t time;
	uint32_t stamp;
	uint16_t id;
	enum clock_state verdict; /* the last one */
};

/* Queues on the way delay some packets more than others. */
static enum clock_state clock_verdict(const struct clock *then, const struct clock *now)
{
	int64_t passed = (now->time - then->time) / 1000,
		told = (int32_t)(now->stamp - then->stamp);

	if (then->id != now->id || passed < 0 || passed > CLOCK_LATE)
		return CLOCK_NEW;
	return llabs(told - passed) <= passed / 8 + CLOCK_SOON / 2 ? CLOCK_RUNS : CLOCK_WRONG;
}

enum clock_state clock_compare(struct work *w, uint16_t id, uint32_t stamp)
{
	struct clock now = { w->f->time, stamp, id, CLOCK_NEW }, then = now;
	struct flow_key k = key_of(w->l, false);
	uint64_t hash = key_hash(&k);
	struct flow *fl;

	if (!w->d)
		return CLOCK_NEW;
	fl = flow_find(w->d, &k, hash);
	if (fl && fl->kind == FLOW_UTP) {
		memcpy(&then, flow_bytes(w->d, fl), sizeof(then));
		if (then.id == id && llabs(now.time - then.time) / 1000 < CLOCK_SOON)
			return then.verdict;
		now.verdict = clock_verdict(&then, &now);
	} else {
		if (fl)
			flow_free(w->d, fl);
		fl = flow_make(w, &k, hash, FLOW_UTP, 0);
	}
	memcpy(flow_bytes(w->d, fl), &now, sizeof(now));
	return now.verdict;
}

/* ---- Fragments ---- */

static struct frag *frag_find(struct work *w, bool make)
{
	const struct net_layer *l = w->l;
	uint8_t proto = l->version == 4 ? w->frag_proto : 0;
	struct decoder *d = w->d;
	struct frag *old = &d->frags[0];

	for (size_t i = 0; i < FRAGS; i++) {
		struct frag *g = &d->frags[i];

		if (g->used && g->id == l->id && g->version == l->version && g->proto == proto &&
		    ipaddr_equal(&g->src, &l->src) && ipaddr_equal(&g->dst, &l->dst) &&
		    w->f->time - g->time < FRAG_LIFE) {
			g->tick = ++d->clock;
			return g;
		}
		if (old->used && (!g->used || d->clock - g->tick > d->clock - old->tick))
			old = g;
	}
	if (!make)
		return NULL;
	memset(old, 0, offsetof(struct frag, bytes));
	old->used = true;
	old->src = l->src;
	old->dst = l->dst;
	old->id = l->id;
	old->version = l->version;
	old->proto = proto;
	old->time = w->f->time;
	old->tick = ++d->clock;
	return old;
}

static bool unit_is_set(const struct frag *g, size_t u)
{
	return g->units[u / 8] >> (u % 8) & 1;
}

/* Fill [offset, offset + n) in; a repetition is no overlap, other bytes or other borders are. */
static void frag_fill(struct work *w, struct frag *g, size_t offset, const uint8_t *p, size_t n)
{
	size_t first = offset / 8, end = (offset + n + (w->l->frag_more ? 0 : 7)) / 8, there = 0;

	for (size_t u = first; u < end; u++)
		there += unit_is_set(g, u);
	if (there == end - first && there && memcmp(g->bytes + offset, p, n) == 0)
		return;
	if (there)
		fact_reason(w->f, UND_FRAGMENT_OVERLAP);
	memcpy(g->bytes + offset, p, n);
	for (size_t u = first; u < end; u++)
		g->units[u / 8] |= (uint8_t)(1 << u % 8);
}

static bool frag_is_whole(const struct frag *g)
{
	for (size_t u = 0; u < ((size_t)g->total + 7) / 8; u++)
		if (!unit_is_set(g, u))
			return false;
	return g->total != 0;
}

bool fragment_add(struct work *w, struct span body, struct span *whole)
{
	struct net_layer *l = w->l;
	struct frag *g;

	if (!w->d || w->quoted)
		return false;
	g = frag_find(w, true);
	if (l->frag == FRAG_LATER && g->has_ports) {
		l->sport = g->sport;
		l->dport = g->dport;
		l->has_ports = l->ports_from_first = true;
	}
	if (l->frag_offset == 0)
		g->first_proto = w->frag_proto;
	if (body.wire > body.len || l->frag_offset + body.len > FRAG_BYTES)
		return false; /* cut, or larger than anything that is worth putting together */
	if (!l->frag_more)
		g->total = l->frag_offset + (uint32_t)body.len;
	frag_fill(w, g, l->frag_offset, body.p, body.len);
	if (!frag_is_whole(g))
		return false;
	*whole = span_of(g->bytes, g->total, g->total);
	l->proto = g->first_proto;
	g->used = false;
	return true;
}

void fragment_ports(struct work *w)
{
	struct frag *g = w->d && !w->quoted ? frag_find(w, false) : NULL;

	if (!g || !w->l->has_ports)
		return;
	g->sport = w->l->sport;
	g->dport = w->l->dport;
	g->has_ports = true;
}
