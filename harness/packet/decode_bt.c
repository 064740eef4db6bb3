/* SPDX-License-Identifier: MIT */
/* BitTorrent between peers: handshake, extension messages, PEX, holepunch, uTP, local discovery. */
#include "base/order.h"
#include "packet/bencode.h"
#include "packet/internal.h"

#include <strings.h>

#define HANDSHAKE    68
#define MSG_EXTENDED 20
#define MSG_LAST     23 /* 21-23: hashes of version 2 (BEP 52) */
#define MSG_MAX	     (1U << 20)
#define LSD_HEAD     "BT-SEARCH * HTTP/1.1\r\n"

static const char greeting[20] = "\x13"
				 "BitTorrent protocol";

bool decode_bt_handshake(struct facts *f, const uint8_t *p, size_t len)
{
	struct cursor c = cursor_of(p, len);
	const uint8_t *head = cursor_take(&c, 20);

	if (!head || memcmp(head, greeting, 20) != 0)
		return false;
	bt_begin(f);
	fact_set(f, PROTO_BT_HANDSHAKE);
	cursor_copy(&c, f->bt.reserved, 8);
	f->bt.has_info_hash = cursor_copy(&c, f->bt.info_hash, 20);
	f->bt.has_peer_id = cursor_copy(&c, f->bt.peer_id, 20);
	return true;
}

/* The ids under which the sender wants its messages: the `m` dictionary. */
static void extension_ids(struct cursor *c, struct bt_ext_ids *told)
{
	const uint8_t *key;
	size_t n;
	int64_t v;

	while (!bencode_leave(c) && bencode_string(c, &key, &n)) {
		if (!bencode_int(c, &v))
			return;
		if (bencode_key_is(key, n, "ut_pex"))
			told->pex = (uint8_t)v;
		else if (bencode_key_is(key, n, "ut_holepunch"))
			told->holepunch = (uint8_t)v;
	}
}

static void dict_address(struct facts *f, struct cursor c, enum addr_place place)
{
	const uint8_t *p;
	size_t n;

	if (!bencode_string(&c, &p, &n))
		return;
	if (n == 4)
		fact_addr(f, ipaddr_v4(p), 0, place);
	else if (n == 16)
		fact_addr(f, ipaddr_v6(p), 0, place);
	else
		fact_reason(f, UND_BT_MESSAGE);
}

static void extension_field(struct facts *f, struct cursor c, const uint8_t *key, size_t n,
			    struct bt_ext_ids *told)
{
	const uint8_t *s;
	size_t len;
	int64_t v;

	if (bencode_key_is(key, n, "m") && bencode_enter(&c, 'd'))
		extension_ids(&c, told);
	else if (bencode_key_is(key, n, "yourip"))
		dict_address(f, c, PLACE_BT_YOURIP);
	else if (bencode_key_is(key, n, "ipv4"))
		dict_address(f, c, PLACE_BT_IPV4);
	else if (bencode_key_is(key, n, "ipv6"))
		dict_address(f, c, PLACE_BT_IPV6);
	else if (bencode_key_is(key, n, "p") && bencode_int(&c, &v))
		f->bt.port = (uint16_t)v;
	else if (bencode_key_is(key, n, "v") && bencode_string(&c, &s, &len))
		text_put(f->bt.client, sizeof(f->bt.client), s, len);
}

/* BEP 11: compact addresses, with flags in keys of their own. */
static void pex_field(struct facts *f, struct cursor c, const uint8_t *key, size_t n)
{
	const uint8_t *s;
	size_t len;
	bool added = bencode_key_is(key, n, "added"), added6 = bencode_key_is(key, n, "added6");
	bool gone = bencode_key_is(key, n, "dropped"), gone6 = bencode_key_is(key, n, "dropped6");

	if (!added && !added6 && !gone && !gone6)
		return;
	fact_set(f, PROTO_BT_PEX);
	if (bencode_string(&c, &s, &len))
		fact_compact(f, s, len, added6 || gone6,
			     added || added6 ? PLACE_BT_PEX_ADDED : PLACE_BT_PEX_DROPPED);
	else
		fact_reason(f, UND_BENCODE);
}

/* BEP 55: type 0-2, address type 0 (v4) or 1 (v6), address, port, error. Not bencoded. */
static bool holepunch(struct facts *f, const uint8_t *p, size_t len)
{
	size_t want;
	bool v6;

	if (len < 8)
		return false;
	v6 = p[1] == 1;
	want = v6 ? 20 : 8;
	if (len < want || len > want + 4 || p[0] > 2 || p[1] > 1)
		return false;
	fact_set(f, PROTO_BT_HOLEPUNCH);
	fact_compact(f, p + 2, want - 2, v6, PLACE_BT_HOLEPUNCH);
	return true;
}

bool decode_bt_extended(struct facts *f, const uint8_t *p, size_t len,
			const struct bt_ext_ids *wanted, struct bt_ext_ids *told)
{
	struct cursor c = cursor_of(p, len);
	uint8_t id = cursor_u8(&c);
	const uint8_t *key;
	bool deep = false;
	size_t n;

	if (len < 2)
		return false;
	bt_begin(f);
	if (id != 0 && (wanted->holepunch ? id == wanted->holepunch : *c.p <= 2)) {
		if (!holepunch(f, c.p, c.left))
			return false;
		fact_set(f, PROTO_BT_EXTENDED);
		return true;
	}
	if (!bencode_enter(&c, 'd'))
		return false;
	fact_set(f, PROTO_BT_EXTENDED);
	while (!bencode_leave(&c)) {
		if (!bencode_string(&c, &key, &n))
			return fact_reason(f, UND_BENCODE), true;
		if (id == 0)
			extension_field(f, c, key, n, told);
		else
			pex_field(f, c, key, n);
		if (!bencode_skip(&c, &deep))
			return fact_reason(f, deep ? UND_BENCODE_DEPTH : UND_BENCODE), true;
	}
	return true;
}

size_t decode_bt_messages(struct facts *f, const uint8_t *p, size_t len,
			  const struct bt_ext_ids *wanted, struct bt_ext_ids *told, uint32_t *skip)
{
	size_t used = 0;

	*skip = 0;
	while (len - used >= 4) {
		const uint8_t *m = p + used;
		size_t size = be32(m), have = len - used - 4;

		if (size == 0) { /* keep-alive */
			used += 4;
			continue;
		}
		if (have == 0)
			break;
		if (size > MSG_MAX || m[4] > MSG_LAST) {
			fact_reason(f, UND_BT_MESSAGE);
			*skip = UINT32_MAX;
			return len;
		}
		if (m[4] != MSG_EXTENDED) {
			*skip = (uint32_t)(size - min_u64(size, have));
			used += 4 + (min_u64(size, have));
			continue;
		}
		if (size > have)
			break;
		decode_bt_extended(f, m + 5, size - 1, wanted, told);
		used += 4 + size;
	}
	return used;
}

/* ---- uTP, BEP 29 ---- */

#define UTP_HEADER     20
#define UTP_DATA       0
#define UTP_SYN	       4
#define UTP_WINDOW_MAX (1U << 28)
#define UTP_STATE      2
#define UTP_EXTENSIONS 3

/* Version 1, type 0-4, extensions 0-3 (selective ack, the unused 2, close reason) whose chain ends inside. */
static const uint8_t *utp_payload(const uint8_t *p, size_t len)
{
	struct cursor c = cursor_of(p, len);
	uint8_t next;

	if (!cursor_skip(&c, UTP_HEADER) || (p[0] & 15) != 1 || p[0] >> 4 > UTP_SYN ||
	    p[1] > UTP_EXTENSIONS)
		return NULL;
	next = p[1];
	while (next) {
		uint8_t size;

		next = cursor_u8(&c);
		size = cursor_u8(&c);
		if (next > UTP_EXTENSIONS || size == 0 || !cursor_skip(&c, size))
			return NULL;
	}
	return c.p;
}

/* A SYN acknowledges nothing and has seen no clock to compare with: 48 zero bits. Of the others only DATA has a payload,
 * and no window is larger than a connection's buffer; every sender has a clock. */
static bool utp_is_plausible(const uint8_t *p, size_t payload)
{
	uint8_t type = p[0] >> 4;

	if (be32(p + 4) == 0 || be32(p + 12) > UTP_WINDOW_MAX)
		return false;
	if (type == UTP_SYN)
		return be32(p + 8) == 0 && be16(p + 18) == 0;
	return (payload > 0) == (type == UTP_DATA);
}

/* BitTorrent inside: a handshake says what the whole is, an extension message is read once that is known. */
static bool utp_handshake(struct facts *f, const uint8_t *p, size_t n, bool known)
{
	struct bt_ext_ids none = { 0 }, told = { 0 };
	uint32_t skip;

	if (decode_bt_handshake(f, p, n)) {
		if (n > HANDSHAKE)
			decode_bt_messages(f, p + HANDSHAKE, n - HANDSHAKE, &none, &told, &skip);
		return true;
	}
	if (known && n > 6 && p[4] == MSG_EXTENDED && be32(p) <= n - 4 && be32(p) > 2)
		decode_bt_extended(f, p + 5, be32(p) - 1, &none, &told);
	return false;
}

/* A SYN says enough; anything else once a SYN or the BitTorrent inside was seen between the same endpoints, or once the
 * sender's clock was seen to run; a clock that stands still is none. */
void decode_utp(struct work *w, const uint8_t *p, size_t len)
{
	const uint8_t *inner = utp_payload(p, len);
	enum clock_state clock = CLOCK_NEW;
	uint8_t memo = inner ? memo_get(w) : 0;
	size_t n = inner ? (size_t)(p + len - inner) : 0;

	if (!inner || !(memo & MEMO_UTP || utp_is_plausible(p, n)))
		return;
	bt_begin(w->f);
	w->f->bt.utp_type = p[0] >> 4;
	if (utp_handshake(w->f, inner, n, (memo & MEMO_UTP) != 0) ||
	    (memo & MEMO_UTP_SYN && p[0] >> 4 == UTP_STATE))
		memo |= MEMO_UTP;
	if (p[0] >> 4 == UTP_SYN)
		memo |= MEMO_UTP_SYN;
	else if (!(memo & MEMO_UTP))
		clock = clock_compare(w, be16(p + 2), be32(p + 4));
	if (clock == CLOCK_WRONG)
		return;
	memo |= clock == CLOCK_RUNS ? MEMO_UTP : 0;
	memo_set(w, memo);
	if (memo & MEMO_UTP || p[0] >> 4 == UTP_SYN)
		fact_set(w->f, PROTO_BT_UTP);
	else
		fact_weak(w->f, PROTO_BT_UTP);
}

bool utp_is_settled(struct work *w, const uint8_t *p, size_t len)
{
	const uint8_t *inner = utp_payload(p, len);
	size_t n = inner ? (size_t)(p + len - inner) : 0;

	if (!inner)
		return true;
	if (!(memo_get(w) & MEMO_UTP))
		return !utp_is_plausible(p, n);
	return p[0] >> 4 != UTP_SYN && (n == 0 || inner[0] != BT_NAME_LEN) &&
	       (n <= 6 || inner[4] != MSG_EXTENDED);
}

/* ---- Local service discovery, BEP 14 ---- */

static bool hex_hash(const uint8_t *p, uint8_t hash[20])
{
	for (size_t i = 0; i < 20; i++) {
		int high = hex_digit(p[2 * i]), low = hex_digit(p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		hash[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* Where the value of a line of this name begins; 0: the line has another name. */
static size_t value_of(const uint8_t *p, size_t len, const char *name)
{
	size_t n = strlen(name);

	return len >= n && strncasecmp((const char *)p, name, n) == 0 ? n : 0;
}

static void lsd_line(struct facts *f, const uint8_t *p, size_t len)
{
	size_t hash = value_of(p, len, "infohash:"), port = value_of(p, len, "port:");
	unsigned v = 0;

	if (hash) {
		for (; hash + 40 < len && p[hash] == ' '; hash++)
			;
		if (hash + 40 <= len && !f->bt.has_info_hash)
			f->bt.has_info_hash = hex_hash(p + hash, f->bt.info_hash);
	}
	if (port) {
		for (; port < len && v <= UINT16_MAX; port++)
			if (p[port] >= '0' && p[port] <= '9')
				v = v * 10 + (unsigned)(p[port] - '0');
		f->bt.port = (uint16_t)(v > UINT16_MAX ? 0 : v);
	}
}

bool decode_lsd(struct facts *f, const uint8_t *p, size_t len)
{
	if (!bytes_are(p, len, LSD_HEAD, sizeof(LSD_HEAD) - 1))
		return false;
	bt_begin(f);
	fact_set(f, PROTO_BT_LSD);
	for (const uint8_t *end = p + len; p < end;) {
		const uint8_t *eol = memchr(p, '\n', (size_t)(end - p));
		size_t n = eol ? (size_t)(eol - p) : (size_t)(end - p);

		lsd_line(f, p, n);
		p += n + (eol != NULL);
	}
	return true;
}
