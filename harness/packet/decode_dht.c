/* SPDX-License-Identifier: MIT */
/* BitTorrent with nodes and trackers: DHT (BEP 5, 32, 42), UDP and HTTP trackers (BEP 15, 3, 7, 23, 24). */
#include "base/order.h"
#include "packet/bencode.h"
#include "packet/internal.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

/* ---- BEP 42 ---- */

/* CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), of at most 8 bytes: no table needed. */
static uint32_t crc32c(const uint8_t *p, size_t len)
{
	uint32_t crc = UINT32_MAX;

	while (len--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
	}
	return ~crc;
}

bool bt_node_id_matches(const struct ipaddr *addr, const uint8_t id[20])
{
	static const uint8_t mask4[4] = { 0x03, 0x0f, 0x3f, 0xff };
	static const uint8_t mask6[8] = { 0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff };
	bool v4 = ipaddr_is_v4(addr);
	size_t n = v4 ? 4 : 8;
	uint8_t masked[8];
	uint32_t crc;

	for (size_t i = 0; i < n; i++)
		masked[i] = v4 ? addr->b[12 + i] & mask4[i] : addr->b[i] & mask6[i];
	masked[0] |= (uint8_t)(id[19] << 5);
	crc = crc32c(masked, n);
	return id[0] == crc >> 24 && id[1] == (crc >> 16 & 0xff) &&
	       (id[2] & 0xf8) == (crc >> 8 & 0xf8);
}

/* ---- DHT ---- */

static const struct {
	const char *name;
	enum bt_action action;
} queries[] = {
	{ "ping", BT_PING },
	{ "find_node", BT_FIND_NODE },
	{ "get_peers", BT_GET_PEERS },
	{ "announce_peer", BT_ANNOUNCE_PEER },
};

static enum bt_action dht_action(const uint8_t *q, size_t n)
{
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
		if (strlen(queries[i].name) == n && memcmp(queries[i].name, q, n) == 0)
			return queries[i].action;
	return BT_OTHER_QUERY;
}

/* Contacts: 20 bytes of id before each compact address. */
static void dht_nodes(struct facts *f, const uint8_t *p, size_t len, bool v6)
{
	size_t each = 20 + (v6 ? 18 : 6);

	for (; len >= each; p += each, len -= each)
		fact_compact(f, p + 20, each - 20, v6, PLACE_BT_DHT_NODE);
}

static void dht_values(struct facts *f, struct cursor c)
{
	const uint8_t *s;
	size_t n;

	if (!bencode_enter(&c, 'l'))
		return;
	while (!bencode_leave(&c) && bencode_string(&c, &s, &n))
		fact_compact(f, s, n, n == 18, PLACE_BT_DHT_PEER);
}

/* One key of the arguments `a` or the reply `r`. */
static void dht_argument(struct facts *f, struct cursor c, const uint8_t *key, size_t n)
{
	const uint8_t *s = NULL;
	size_t len = 0;
	int64_t v;

	if (bencode_key_is(key, n, "values")) {
		dht_values(f, c);
		return;
	}
	if (bencode_key_is(key, n, "port") && bencode_int(&c, &v)) {
		f->bt.port = (uint16_t)v;
		return;
	}
	if (!bencode_string(&c, &s, &len))
		return;
	if (bencode_key_is(key, n, "id") && len == 20) {
		memcpy(f->bt.node_id, s, 20);
		f->bt.has_node_id = true;
	} else if (bencode_key_is(key, n, "info_hash") && len == 20) {
		memcpy(f->bt.info_hash, s, 20);
		f->bt.has_info_hash = true;
	} else if (bencode_key_is(key, n, "nodes")) {
		dht_nodes(f, s, len, false);
	} else if (bencode_key_is(key, n, "nodes6")) {
		dht_nodes(f, s, len, true);
	}
}

static void dht_arguments(struct facts *f, struct cursor c)
{
	const uint8_t *key;
	size_t n;

	if (!bencode_enter(&c, 'd'))
		return;
	while (!bencode_leave(&c) && bencode_string(&c, &key, &n)) {
		dht_argument(f, c, key, n);
		if (!bencode_skip(&c, NULL))
			return;
	}
}

static void dht_field(struct facts *f, struct cursor c, const uint8_t *key, size_t n, char *kind)
{
	const uint8_t *s;
	size_t len;

	if (bencode_key_is(key, n, "a") || bencode_key_is(key, n, "r")) {
		dht_arguments(f, c);
		return;
	}
	if (!bencode_string(&c, &s, &len))
		return;
	if (bencode_key_is(key, n, "q"))
		f->bt.action = (uint8_t)dht_action(s, len);
	else if (bencode_key_is(key, n, "y") && len == 1)
		*kind = (char)s[0];
	else if (bencode_key_is(key, n, "v"))
		text_put(f->bt.client, sizeof(f->bt.client), s, len);
	else if (bencode_key_is(key, n, "ip"))
		fact_compact(f, s, len, len == 18, PLACE_BT_DHT_IP);
}

/* A dictionary whose `y` is q, r or e. One that is cut off or damaged still counts when it begins as the
 * messages of all clients do. */
bool decode_dht(struct facts *f, const uint8_t *p, size_t len)
{
	static const char *const begins[] = { "d1:ad2:id20:", "d1:rd2:id20:", "d1:el", "d2:ip" };
	struct cursor c = cursor_of(p, len);
	uint16_t n_kept = f->n_addrs;
	bool deep = false, whole = false, likely = false;
	const uint8_t *key;
	char kind = 0;
	size_t n;

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		likely |= bytes_are(p, len, begins[i], strlen(begins[i]));
	if (!bencode_enter(&c, 'd'))
		return false;
	memset(&f->bt, 0, sizeof(f->bt));
	while (!(whole = bencode_leave(&c)) && bencode_string(&c, &key, &n)) {
		dht_field(f, c, key, n, &kind);
		if (!bencode_skip(&c, &deep))
			break;
	}
	if (!(whole && (kind == 'q' || kind == 'r' || kind == 'e')) && !likely) {
		f->n_addrs = n_kept;
		return false;
	}
	fact_set(f, PROTO_BT_DHT);
	if (!whole)
		fact_reason(f, deep ? UND_BENCODE_DEPTH : UND_BENCODE);
	f->bt.reply = kind == 'r' || kind == 'e';
	if (kind == 'e')
		f->bt.action = BT_ERROR;
	return true;
}

/* ---- UDP tracker ---- */

#define TRACKER_MAGIC UINT64_C(0x41727101980)
#define ANNOUNCE      98
#define WANTED_MAX    10000

static uint64_t be64(const uint8_t *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}

static bool plausible_count(const uint8_t *p)
{
	return be64(p) < UINT64_C(1) << 50 || be64(p) > UINT64_MAX - 2;
}

/* Does a peer id begin with a client's name: "-qB4520-" as most do (BEP 20), or "M7-10-5--", "T03I----"? */
static bool names_a_client(const uint8_t *p)
{
	for (int i = 1; i < 7; i++)
		if (!isalnum(p[i]) && p[i] != '-' && p[i] != '.')
			return false;
	return p[0] == '-' ? p[7] == '-' : isalnum(p[0]) && p[7] == '-';
}

/* An announce has no magic: its action, event (0-3), byte counters and the number of peers wanted hold some 140 bits
 * that a random payload would have to hit; what is mostly zeros (a padded DNS query) lacks hash, id and port. */
static bool announce_begins(const uint8_t *p, size_t len)
{
	static const uint8_t zero[20];
	uint32_t wanted;

	if (len < ANNOUNCE || be32(p + 8) != 1 || be32(p + 80) > 3)
		return false;
	wanted = be32(p + 92);
	return plausible_count(p + 56) && plausible_count(p + 64) && plausible_count(p + 72) &&
	       (wanted <= WANTED_MAX || wanted == UINT32_MAX) && be16(p + 96) != 0 &&
	       memcmp(p + 16, zero, 20) != 0 && memcmp(p + 36, zero, 20) != 0;
}

/* A random id (clients that hide have one) is believed once a connection was asked for. */
static bool tracker_announce(struct work *w, const uint8_t *p, size_t len)
{
	struct bt_facts *b = &w->f->bt;

	if (!announce_begins(p, len))
		return false;
	bt_begin(w->f);
	b->action = BT_ANNOUNCE;
	b->has_info_hash = b->has_peer_id = b->has_key = true;
	memcpy(b->info_hash, p + 16, 20);
	memcpy(b->peer_id, p + 36, 20);
	b->key = be32(p + 88);
	b->port = be16(p + 96);
	if (be32(p + 84))
		fact_addr(w->f, ipaddr_v4(p + 84), b->port, PLACE_BT_UDP_ANNOUNCE_IP);
	if (names_a_client(p + 36))
		memo_set(w, MEMO_UDP_TRACKER);
	else if (!(memo_get(w) & MEMO_UDP_TRACKER))
		fact_weak(w->f, PROTO_BT_UDP_TRACKER);
	return true;
}

/* Scrapes and all replies are short and plain: believed only between endpoints that one of the above went between,
 * and in the very sizes that they have (BEP 15). */
static bool tracker_reply(const struct work *w, const uint8_t *p, size_t len)
{
	size_t peer = w->l->version == 6 ? 18 : 6;

	switch (be32(p)) {
	case 0:
		return len == 16;
	case 1:
		return len >= 20 && (len - 20) % peer == 0;
	case 2:
		return (len - 8) % 12 == 0;
	case 3:
		return true;
	default:
		return false;
	}
}

/* Asked before the memory, which takes time: a reply's action stands first, a scrape's behind the connection id. */
static bool may_be_known(const uint8_t *p, size_t len)
{
	return be32(p) <= 3 || (len >= 36 && be32(p + 8) == 2);
}

static bool tracker_known(struct work *w, const uint8_t *p, size_t len)
{
	static const uint8_t actions[] = { BT_CONNECT, BT_ANNOUNCE, BT_SCRAPE, BT_ERROR };
	struct facts *f = w->f;

	if (len >= 36 && be32(p + 8) == 2 && (len - 16) % 20 == 0) {
		bt_begin(f);
		f->bt.action = BT_SCRAPE;
		f->bt.has_info_hash = true;
		memcpy(f->bt.info_hash, p + 16, 20);
		return true;
	}
	if (!tracker_reply(w, p, len))
		return false;
	bt_begin(f);
	f->bt.reply = true;
	f->bt.action = actions[be32(p)];
	if (f->bt.action == BT_ANNOUNCE)
		fact_compact(f, p + 20, len - 20, w->l->version == 6, PLACE_BT_UDP_PEER);
	return true;
}

bool decode_udp_tracker(struct work *w, const uint8_t *p, size_t len)
{
	struct facts *f = w->f;

	if (len < 8)
		return false;
	if (len >= 16 && be64(p) == TRACKER_MAGIC && be32(p + 8) == 0) {
		bt_begin(f);
		f->bt.action = BT_CONNECT;
		memo_set(w, MEMO_UDP_TRACKER);
	} else if (tracker_announce(w, p, len)) {
		if (f->weak & PROTO_BIT(PROTO_BT_UDP_TRACKER))
			return true;
	} else if (!may_be_known(p, len) || !(memo_get(w) & MEMO_UDP_TRACKER) ||
		   !tracker_known(w, p, len)) {
		return false;
	}
	fact_set(f, PROTO_BT_UDP_TRACKER);
	return true;
}

/* ---- HTTP tracker ---- */

static size_t url_decode(const uint8_t *p, size_t len, uint8_t *to, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < size; i++) {
		int high, low;

		if (p[i] == '%' && i + 2 < len && (high = hex_digit(p[i + 1])) >= 0 &&
		    (low = hex_digit(p[i + 2])) >= 0) {
			to[n++] = (uint8_t)(high << 4 | low);
			i += 2;
		} else {
			to[n++] = p[i];
		}
	}
	return n;
}

static uint32_t text_number(const uint8_t *p, size_t n, int base)
{
	uint32_t v = 0;

	for (size_t i = 0; i < n && i < 8; i++) {
		int d = hex_digit(p[i]);

		if (d < 0 || d >= base)
			break;
		v = v * (uint32_t)base + (uint32_t)d;
	}
	return v;
}

static void announce_parameter(struct facts *f, const uint8_t *key, size_t n, const uint8_t *v,
			       size_t len)
{
	struct bt_facts *b = &f->bt;
	enum addr_place place = PLACE_BT_ANNOUNCE_IP;
	struct ipaddr a;
	uint16_t port;

	if (bencode_key_is(key, n, "info_hash") && len == 20) {
		memcpy(b->info_hash, v, 20);
		b->has_info_hash = true;
	} else if (bencode_key_is(key, n, "peer_id") && len == 20) {
		memcpy(b->peer_id, v, 20);
		b->has_peer_id = true;
	} else if (bencode_key_is(key, n, "port")) {
		b->port = (uint16_t)text_number(v, len, 10);
	} else if (bencode_key_is(key, n, "key")) {
		b->key = text_number(v, len, 16);
		b->has_key = true;
	} else if (bencode_key_is(key, n, "ip") || bencode_key_is(key, n, "ipv4") ||
		   bencode_key_is(key, n, "ipv6")) {
		if (n == 4)
			place = key[3] == '4' ? PLACE_BT_ANNOUNCE_IPV4 : PLACE_BT_ANNOUNCE_IPV6;
		if (text_addr((const char *)v, len, &a, &port))
			fact_addr(f, a, port, place);
	}
}

static bool contains(const uint8_t *p, size_t len, const char *text)
{
	return memmem(p, len, text, strlen(text)) != NULL;
}

/* The target of a GET whose query names an info_hash: an announce or a scrape. */
void decode_bt_announce_target(struct facts *f, const uint8_t *target, size_t len)
{
	const uint8_t *query = memchr(target, '?', len), *end = target + len;
	uint8_t value[128];

	if (!query || !contains(query, (size_t)(end - query), "info_hash="))
		return;
	bt_begin(f);
	fact_set(f, PROTO_BT_TRACKER);
	f->bt.action = contains(target, (size_t)(query - target), "scrape") ? BT_SCRAPE
									    : BT_ANNOUNCE;
	while (query < end) {
		const uint8_t *key = query + 1;
		const uint8_t *next = memchr(key, '&', (size_t)(end - key));
		const uint8_t *eq;

		query = next ? next : end;
		eq = memchr(key, '=', (size_t)(query - key));
		if (eq)
			announce_parameter(
				f, key, (size_t)(eq - key), value,
				url_decode(eq + 1, (size_t)(query - eq - 1), value, sizeof(value)));
	}
}

/* One peer of the older, not compact list: a dictionary with `ip` as text. */
static void peer_dictionary(struct facts *f, struct cursor *c)
{
	const uint8_t *key, *s;
	struct ipaddr a = { 0 };
	uint16_t port = 0, unused;
	int64_t v;
	size_t n, len;

	while (!bencode_leave(c) && bencode_string(c, &key, &n)) {
		struct cursor value = *c;

		if (bencode_key_is(key, n, "ip") && bencode_string(&value, &s, &len))
			text_addr((const char *)s, len, &a, &unused);
		else if (bencode_key_is(key, n, "port") && bencode_int(&value, &v))
			port = (uint16_t)v;
		if (!bencode_skip(c, NULL))
			break;
	}
	if (!ipaddr_is_none(&a))
		fact_addr(f, a, port, PLACE_BT_TRACKER_PEER);
}

static void tracker_field(struct facts *f, struct cursor c, const uint8_t *key, size_t n)
{
	const uint8_t *s;
	size_t len;

	if (bencode_key_is(key, n, "peers") && bencode_enter(&c, 'l')) {
		while (bencode_enter(&c, 'd'))
			peer_dictionary(f, &c);
		return;
	}
	if (!bencode_string(&c, &s, &len))
		return;
	if (bencode_key_is(key, n, "peers")) {
		fact_compact(f, s, len, false, PLACE_BT_TRACKER_PEER);
	} else if (bencode_key_is(key, n, "peers6")) {
		fact_compact(f, s, len, true, PLACE_BT_TRACKER_PEER);
	} else if (bencode_key_is(key, n, "external ip")) {
		if (len == 4)
			fact_addr(f, ipaddr_v4(s), 0, PLACE_BT_EXTERNAL_IP);
		else if (len == 16)
			fact_addr(f, ipaddr_v6(s), 0, PLACE_BT_EXTERNAL_IP);
	}
}

/* The body of an HTTP reply: a dictionary that tells of an interval, peers or a failure. */
bool decode_bt_tracker_body(struct facts *f, const uint8_t *p, size_t len)
{
	static const char *const telling[] = { "8:interval", "5:peers", "14:failure reason",
					       "5:filesd20:" };
	struct cursor c = cursor_of(p, len);
	bool deep = false, known = false;
	const uint8_t *key;
	size_t n;

	if (!bencode_enter(&c, 'd'))
		return false;
	for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++)
		known |= contains(p, len, telling[i]);
	if (!known)
		return false;
	bt_begin(f);
	fact_set(f, PROTO_BT_TRACKER);
	f->bt.reply = true;
	f->bt.action = BT_ANNOUNCE;
	while (!bencode_leave(&c)) {
		if (!bencode_string(&c, &key, &n))
			return fact_reason(f, UND_BENCODE), true;
		tracker_field(f, c, key, n);
		if (!bencode_skip(&c, &deep))
			return fact_reason(f, deep ? UND_BENCODE_DEPTH : UND_BENCODE), true;
	}
	return true;
}

/* ---- WebSocket tracker ---- */

#define WS_KEPT 4096

/* Of text with a zero behind it. An ICE candidate of an SDP offer: "candidate:F C udp P ADDRESS PORT typ host" (RFC 8839 5.1). */
static void sdp_candidates(struct facts *f, const uint8_t *p, size_t len)
{
	static const char mark[] = "candidate:";
	const uint8_t *end = p + len, *at;

	while ((at = memmem(p, (size_t)(end - p), mark, sizeof(mark) - 1))) {
		const uint8_t *word = at;
		struct ipaddr a;
		uint16_t port;
		size_t n = 0;

		for (int spaces = 0; word < end && spaces < 4; word++)
			spaces += *word == ' ';
		while (word[n] && word[n] != ' ' && word[n] != '\\')
			n++;
		if (text_addr((const char *)word, n, &a, &port))
			fact_addr(f, a, port, PLACE_BT_WS_ADDRESS);
		p = at + sizeof(mark) - 1;
	}
}

/* A text or binary frame (RFC 6455 5.2) whose JSON is a WebTorrent tracker's. */
bool decode_bt_websocket(struct facts *f, const uint8_t *p, size_t len)
{
	struct cursor c = cursor_of(p, len);
	uint8_t first = cursor_u8(&c), second = cursor_u8(&c), text[WS_KEPT + 1];
	uint64_t stated = second & 0x7f;
	const uint8_t *mask = NULL;
	size_t n;

	if ((first & 0x70) || (first & 15) > 2)
		return false;
	if (stated == 126)
		stated = cursor_u16(&c);
	else if (stated == 127)
		stated = cursor_u64(&c);
	if (second & 0x80)
		mask = cursor_take(&c, 4);
	n = min_u64(min_u64(c.left, stated), WS_KEPT);
	/* The JSON begins with a brace: tried before the whole is unmasked. */
	if (n == 0 || (c.p[0] ^ (mask ? mask[0] : 0)) != '{')
		return false;
	for (size_t i = 0; i < n; i++)
		text[i] = c.p[i] ^ (mask ? mask[i & 3] : 0);
	text[n] = '\0';
	if (!contains(text, n, "\"action\"") || !contains(text, n, "\"info_hash\""))
		return false;
	bt_begin(f);
	fact_set(f, PROTO_BT_WS_TRACKER);
	f->bt.action = contains(text, n, "scrape") ? BT_SCRAPE : BT_ANNOUNCE;
	sdp_candidates(f, text, n);
	return true;
}
