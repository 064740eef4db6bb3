/* SPDX-License-Identifier: MIT */
/* Shapes of the two tunnels: enough to say that a tuple carries its tunnel and not something in clear. */
#include "packet/internal.h"

/* Sizes of the WireGuard messages (wireguard.com/protocol, "The Protocol"): fixed but for data, whose
 * ciphertext is padded to 16 bytes and carries a 16-byte tag behind a 16-byte header. The padding ends at the
 * device's MTU (calculate_skb_padding() of the kernel's send.c), so that a full packet at the usual 1420 is
 * no multiple of 16; nobody sets an MTU below 576. */
#define WG_INITIATION 148
#define WG_RESPONSE   92
#define WG_COOKIE     64
#define WG_DATA_MIN   32
#define WG_MTU_MIN    576

bool wireguard_message(const uint8_t *payload, size_t captured, size_t wire, struct wg_facts *out)
{
	struct wg_facts f = { 0 };

	if (captured < 16 || payload[1] || payload[2] || payload[3])
		return false;
	f.type = payload[0];
	switch (f.type) {
	case 1:
		if (wire != WG_INITIATION)
			return false;
		f.sender = le32(payload + 4);
		break;
	case 2:
		if (wire != WG_RESPONSE)
			return false;
		f.sender = le32(payload + 4);
		f.receiver = le32(payload + 8);
		break;
	case 3:
		if (wire != WG_COOKIE)
			return false;
		f.receiver = le32(payload + 4);
		break;
	case 4:
		if (wire < WG_DATA_MIN || (wire % 16 && wire < WG_DATA_MIN + WG_MTU_MIN))
			return false;
		f.receiver = le32(payload + 4);
		f.counter = (uint64_t)le32(payload + 12) << 32 | le32(payload + 8);
		break;
	default:
		return false;
	}
	if (out)
		*out = f;
	return true;
}

/* Opcodes of OpenVPN (its ssl_pkt.h): the upper five bits of the first byte; the lower three are the key id. */
enum {
	OVPN_SOFT_RESET = 3,
	OVPN_CONTROL = 4,
	OVPN_ACK = 5,
	OVPN_DATA_V1 = 6,
	OVPN_RESET_CLIENT_V2 = 7,
	OVPN_RESET_SERVER_V2 = 8,
	OVPN_DATA_V2 = 9,
	OVPN_RESET_CLIENT_V3 = 10,
	OVPN_CONTROL_WKC = 11,
};

/* The least that each can be: opcode, session id 8, ack array length 1, packet id 4; data: a tag of 16 bytes
 * and a packet id behind the opcode (and behind the 24-bit peer id of V2). */
static size_t openvpn_minimum(uint8_t opcode)
{
	switch (opcode) {
	case OVPN_SOFT_RESET:
	case OVPN_CONTROL:
	case OVPN_RESET_CLIENT_V2:
	case OVPN_RESET_SERVER_V2:
	case OVPN_RESET_CLIENT_V3:
	case OVPN_CONTROL_WKC:
		return 14;
	case OVPN_ACK:
		return 22; /* it acknowledges at least one packet, and names the other's session */
	case OVPN_DATA_V1:
		return 21;
	case OVPN_DATA_V2:
		return 24;
	default:
		return 0;
	}
}

/* A hard reset begins the first key. An acknowledgment holds at most eight ids, and a wrapping of at most 72 bytes. */
static bool openvpn_fits(uint8_t opcode, uint8_t key_id, size_t wire)
{
	switch (opcode) {
	case OVPN_RESET_CLIENT_V2:
	case OVPN_RESET_SERVER_V2:
	case OVPN_RESET_CLIENT_V3:
		return key_id == 0;
	case OVPN_ACK:
		return wire <= 22 + 7 * 4 + 72;
	default:
		return true;
	}
}

bool openvpn_message(const uint8_t *payload, size_t captured, size_t wire, bool tcp,
		     struct openvpn_facts *out)
{
	struct cursor c = cursor_of(payload, captured);
	struct openvpn_facts f = { .tcp = tcp };
	uint8_t first;
	size_t least;

	if (tcp) {
		size_t stated = cursor_u16(&c);

		/* Segments may hold the packet's first part only, or more behind it. */
		wire = stated;
	}
	first = cursor_u8(&c);
	f.opcode = first >> 3;
	f.key_id = first & 7;
	least = openvpn_minimum(f.opcode);
	if (c.short_ || least == 0 || wire < least || !openvpn_fits(f.opcode, f.key_id, wire))
		return false;
	if (f.opcode != OVPN_DATA_V1 && f.opcode != OVPN_DATA_V2 && !cursor_copy(&c, f.session, 8))
		return false;
	if (out)
		*out = f;
	return true;
}

/* Packet id and time of the replay protection: the id counts from 1 (early negotiation puts 0x0f00, once 0x0a01,
 * in its upper half), the time is one of the years 2012 to 2106. */
static bool replay_begins(const uint8_t *p)
{
	uint16_t upper = be16(p), lower = be16(p + 2);

	return (upper == 0 || upper == 0x0f00 || upper == 0x0a01) && lower > 0 && lower < 256 &&
	       p[4] >= 0x50;
}

/* A hard reset of either side: key id 0, and the layout of one of the wrappings: none, tls-auth (an HMAC of
 * 16, 20, 32 or 64 bytes, packet id, time), tls-crypt (packet id, time, an HMAC of 32, and with version 2 the
 * wrapped client key behind). The server's acknowledges the client's, which takes 12 bytes more. */
bool openvpn_is_reset(const uint8_t *p, size_t len)
{
	uint8_t opcode = len ? p[0] >> 3 : 0;
	size_t body = opcode == OVPN_RESET_SERVER_V2 ? 26 : 14;

	if (len < body || (p[0] & 7) != 0)
		return false;
	if (opcode < OVPN_RESET_CLIENT_V2 || opcode > OVPN_RESET_CLIENT_V3 ||
	    opcode == OVPN_DATA_V2)
		return false;
	if (len >= body + 40 && replay_begins(p + 9))
		return true;
	switch (len - body) {
	case 0:
		return p[9] == (opcode == OVPN_RESET_SERVER_V2) && be32(p + len - 4) == 0;
	case 24:
	case 28:
	case 40:
	case 72:
		return replay_begins(p + 9 + (len - body - 8));
	default:
		return false;
	}
}

bool openvpn_take(struct work *w, const struct openvpn_facts *o, bool reset, bool on_port)
{
	bool known = reset || (memo_get(w) & MEMO_OPENVPN) != 0;

	if (reset)
		memo_set(w, MEMO_OPENVPN);
	if (!known && !on_port)
		return false;
	w->f->openvpn = *o;
	if (known)
		fact_set(w->f, PROTO_OPENVPN);
	else
		fact_weak(w->f, PROTO_OPENVPN);
	return true;
}
