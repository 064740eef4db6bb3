/* SPDX-License-Identifier: MIT */
/* Most of what comes out of a tunnel's far end is ciphertext and bare acknowledgments. A few bytes tell that none of the
 * decoder's parts would find an address in such a packet, nor keep anything of it; the rest of the decoder is then spared. */
#include "packet/internal.h"

#include <netinet/in.h>

#define SEGMENT_LEAST 6	 /* a TLS record that can be told */
#define UTP_LEAST     20 /* its header; all that is looked at in a datagram lies in there */

static bool in_range(uint8_t b, uint8_t low, uint8_t high)
{
	return b >= low && b <= high;
}

/* What begins with 0x40 to 0x4f: TURN's channels, which state a length (padded), BT-SEARCH, SSDP's three methods. */
static bool may_be_channel_or_text(const uint8_t *p, size_t n)
{
	size_t stated = be16(p + 2) + 4U;

	return (stated <= n && n - stated <= 3) || is_method_letter(p[1]);
}

/* What a few bytes rule out: decode_quic_long(), DTLS, a DHT dictionary, OpenVPN's resets. */
static bool datagram_may_begin(const uint8_t *p, size_t n)
{
	uint8_t b = p[0];

	if (b >= 0x80)
		return quic_may_be_version(be32(p + 1));
	if (b >> 4 == 4)
		return may_be_channel_or_text(p, n);
	if (in_range(b, 20, 26))
		return p[1] == 0xfe || p[1] == 1;
	if (b == 'd')
		return in_range(p[1], '0', '9');
	return b == 0x38 || b == 0x50;
}

/* The rest of by_shape() and by_weak_shape(): WireGuard and a tracker's replies, a tracker's requests, STUN with its cookie and
 * without, Google's QUIC, DNS. */
static bool datagram_is_noise(struct work *w, const uint8_t *p, size_t n)
{
	if (n < UTP_LEAST)
		return n == 0;
	if (datagram_may_begin(p, n) || le32(p) <= 4 || be32(p) <= 4 || be32(p + 8) <= 2)
		return false;
	if (be32(p + 4) == STUN_COOKIE || (p[0] <= 1 && p[1] != 0))
		return false;
	if ((p[9] == 'Q' && p[10] == '0') || be16(p + 4) == 1)
		return false;
	return (p[0] & 15) != 1 || utp_is_settled(w, p, n);
}

/* What one byte rules out: BitTorrent's greeting and its messages, TLS but for application data, a WebSocket's frame. */
static bool segment_may_begin(uint8_t b)
{
	return b == BT_NAME_LEN || (in_range(b, 20, 24) && b != 23) || (b & 0x7f) <= 2;
}

/* HTTP's methods have three letters and more, or what stands between their words; its replies begin with four. */
static bool is_method(const uint8_t p[3])
{
	for (int i = 0; i < 3; i++)
		if (!is_method_letter(p[i]))
			return false;
	return true;
}

/* The rest of stream_head() and lone_segment(): a message behind its length, STUN. */
static bool segment_is_noise(struct work *w, const uint8_t *p, size_t n)
{
	if (n < SEGMENT_LEAST)
		return n == 0;
	if (segment_may_begin(p[0]) || is_method(p) || be16(p) <= n - 2)
		return false;
	if (n >= 8 && be32(p + 4) == STUN_COOKIE)
		return false;
	return !stream_is_open(w);
}

static bool tcp_is_noise(struct work *w, const uint8_t *p, size_t n)
{
	struct net_layer *l = w->l;
	size_t header;

	if (n < 20 || p[13] & (TCP_SYN | TCP_FIN | TCP_RST))
		return false;
	header = (size_t)(p[12] >> 4) * 4;
	if (header < 20 || header > n)
		return false;
	l->payload = p + header;
	l->payload_len = l->payload_wire = (uint32_t)(n - header);
	l->seq = be32(p + 4);
	return segment_is_noise(w, l->payload, l->payload_len);
}

static bool udp_is_noise(struct work *w, const uint8_t *p, size_t n)
{
	struct net_layer *l = w->l;

	if (n < 8 || be16(p + 4) != n)
		return false;
	l->payload = p + 8;
	l->payload_len = l->payload_wire = (uint32_t)(n - 8);
	return datagram_is_noise(w, l->payload, l->payload_len);
}

/* IPv4 without options and fragments, all of it captured. */
static bool ip_is_noise(struct work *w, const uint8_t *ip, size_t captured)
{
	struct net_layer *l = w->l;
	size_t total;

	if (captured < 28 || !ip4_is_plain(ip))
		return false;
	total = be16(ip + 2);
	if (total < 28 || total > captured)
		return false;
	l->proto = ip[9];
	l->sport = be16(ip + 20);
	l->dport = be16(ip + 22);
	l->has_ports = true;
	if (ports_are_known(l))
		return false;
	l->src = ipaddr_v4(ip + 12);
	l->dst = ipaddr_v4(ip + 16);
	l->pair = 0;
	if (l->proto == IPPROTO_TCP)
		return tcp_is_noise(w, ip + 20, total - 20);
	return l->proto == IPPROTO_UDP && udp_is_noise(w, ip + 20, total - 20);
}

bool frame_is_noise(struct decoder *d, uint32_t linktype, const uint8_t *frame, uint32_t caplen,
		    struct net_layer *l)
{
	struct work w = { .d = d, .l = l };

	if (linktype == LINK_ETHERNET && caplen > 14 && be16(frame + 12) == ETHERTYPE_IP4)
		return ip_is_noise(&w, frame + 14, caplen - 14);
	return linktype == LINK_RAW && ip_is_noise(&w, frame, caplen);
}
