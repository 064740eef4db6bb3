// SPDX-License-Identifier: MIT
/* Makes capture files for the benchmark: the same bytes for the same arguments, so that every program reads the same.
 * usage: generate PLACE SIZE BYTES > FILE.pcap
 *   PLACE  uplink: mostly the tunnel, beside it the traffic of a neighbour that nobody protects
 *          beside: that neighbour's traffic and nothing else
 *          exit:   the same torrent, DNS and TLS traffic in the clear, as the tunnel's far end sees it
 *          tunnel: the tunnel and nothing else
 *   SIZE   small (the least that each protocol sends), 1k (about 1 KiB on average), large (1.4 KB)
 * PLANTED packets of each file betray the real address, spread over it evenly. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLANTED	    8
#define FLOWS	    400
#define FRAME_MAX   1600
#define TLS_LEAST   18 /* of a record of TLS 1.3: a byte, its type, a tag of 16 */
#define LINK_ETHER  1
#define PCAP_NANO   0xa1b23c4dU /* draft-ietf-opsawg-pcap, section 4 */
#define REAL	    "203.0.113.10"
#define NEIGHBOUR   "203.0.113.77"
#define INSIDE	    "10.64.0.2" /* of the tunnel, as the exit sees the stack */
#define SERVER	    "198.51.100.2"
#define SERVER_PORT 51820

enum place { UPLINK, BESIDE, EXIT, TUNNEL, PLACES };

struct flow {
	struct in_addr peer;
	uint16_t peer_port, own_port;
	uint32_t seq;
};

struct generator {
	enum place place;
	size_t least, most; /* of a payload that may have any length */
	uint64_t state;	    /* of the random numbers */
	uint64_t counter;
	int64_t time; /* of the packet at hand, nanoseconds */
	struct flow flows[FLOWS];
	uint8_t noise[1 << 20];
};

/* splitmix64 */
static uint64_t number(struct generator *g)
{
	uint64_t z = (g->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static size_t below(struct generator *g, size_t n)
{
	return (size_t)(number(g) % n);
}

static size_t put_noise(struct generator *g, uint8_t *to, size_t n)
{
	memcpy(to, g->noise + below(g, sizeof(g->noise) - FRAME_MAX), n);
	return n;
}

static void put16(uint8_t *to, uint16_t v)
{
	v = htons(v);
	memcpy(to, &v, 2);
}

static void put32(uint8_t *to, uint32_t v)
{
	v = htonl(v);
	memcpy(to, &v, 4);
}

static size_t payload_size(struct generator *g)
{
	return g->least + (g->most > g->least ? below(g, g->most - g->least + 1) : 0);
}

/* ---- payloads ---- */

static void put_bytes(uint8_t *p, const char *bytes, size_t n)
{
	memcpy(p, bytes, n);
}

/* Transport data of WireGuard: type 4, receiver, counter, ciphertext padded to 16 and a tag of 16. */
static size_t wireguard(struct generator *g, uint8_t *p)
{
	size_t n = 32 + payload_size(g) / 16 * 16;
	uint64_t counter = ++g->counter;

	put_bytes(p, "\x04\0\0\0\x07\0\0\0", 8);
	memcpy(p + 8, &counter, 8); /* little-endian on the machines that bench */
	put_noise(g, p + 16, n - 16);
	return n;
}

static size_t dns_query(struct generator *g, uint8_t *p)
{
	static const char rest[] = "\1\0\0\1\0\0\0\0\0\0\4host\7example\0\0\1\0\1";

	put16(p, (uint16_t)number(g));
	put_bytes(p + 2, rest, sizeof(rest) - 1);
	return 2 + sizeof(rest) - 1;
}

static size_t tls_data(struct generator *g, uint8_t *p)
{
	size_t n = payload_size(g);

	n = n < TLS_LEAST ? TLS_LEAST : n;
	put_bytes(p, "\x17\x03\x03", 3);
	put16(p + 3, (uint16_t)n);
	return 5 + put_noise(g, p + 5, n);
}

/* BEP 29: type and version, extension, connection, the sender's clock and what it saw of the other's (microseconds), window,
 * numbers. */
static size_t utp(struct generator *g, const struct flow *f, uint8_t *p)
{
	size_t n = payload_size(g);

	put_bytes(p, n ? "\x01\x00" : "\x21\x00", 2);
	put16(p + 2, f->own_port);
	put32(p + 4, (uint32_t)(g->time / 1000));
	put32(p + 8, 20000 + (uint32_t)below(g, 5000));
	put32(p + 12, 1 << 20);
	put_noise(g, p + 16, 4);
	return 20 + put_noise(g, p + 20, n);
}

static size_t announce(uint8_t *p)
{
	static const char text[] = "GET /announce?info_hash=abcdefghijklmnopqrst&ip=" REAL
				   "&port=6881 HTTP/1.1\r\n"
				   "Host: tracker.example\r\n\r\n";

	put_bytes(p, text, sizeof(text) - 1);
	return sizeof(text) - 1;
}

/* ---- packets ---- */

static size_t udp(uint8_t *p, uint16_t from, uint16_t to, size_t payload)
{
	put16(p, from);
	put16(p + 2, to);
	put16(p + 4, (uint16_t)(8 + payload));
	put16(p + 6, 0);
	return 8 + payload;
}

static size_t tcp(struct flow *f, uint8_t *p, bool out, uint16_t port, size_t payload)
{
	put16(p, out ? f->own_port : port);
	put16(p + 2, out ? port : f->own_port);
	put32(p + 4, f->seq);
	put32(p + 8, 1);
	put_bytes(p + 12, "\x50\x10\x01\xf4\0\0\0\0", 8);
	f->seq += (uint32_t)payload;
	return 20 + payload;
}

static size_t ip(uint8_t *p, uint8_t proto, struct in_addr src, struct in_addr dst, uint16_t id,
		 size_t payload)
{
	put_bytes(p, "\x45\0\0\0\0\0\x40\0\x3f", 9);
	put16(p + 2, (uint16_t)(20 + payload));
	put16(p + 4, id);
	p[9] = proto;
	put16(p + 10, 0);
	memcpy(p + 12, &src, 4);
	memcpy(p + 16, &dst, 4);
	return 20 + payload;
}

struct packet {
	uint8_t proto;
	struct in_addr src, dst;
	size_t size; /* of what stands behind the IP header */
};

static struct in_addr address(const char *text)
{
	struct in_addr a = { 0 };

	if (inet_pton(AF_INET, text, &a) != 1)
		abort();
	return a;
}

static struct packet ends(uint8_t proto, struct in_addr own, struct in_addr peer, bool out,
			  size_t size)
{
	return (struct packet){ proto, out ? own : peer, out ? peer : own, size };
}

static struct packet tunnel_packet(struct generator *g, uint8_t *l4, bool out)
{
	size_t n = wireguard(g, l4 + 8);

	n = udp(l4, out ? 40000 : SERVER_PORT, out ? SERVER_PORT : 40000, n);
	return ends(IPPROTO_UDP, address(REAL), address(SERVER), out, n);
}

/* Half of it TCP segments of torrents, a quarter uTP, and some DNS and TLS; every fourth TCP segment is a bare ACK. */
static struct packet clear_packet(struct generator *g, uint8_t *l4, bool out)
{
	struct in_addr own = address(g->place == EXIT ? INSIDE : NEIGHBOUR);
	struct flow *f = &g->flows[below(g, FLOWS)];
	size_t kind = below(g, 16);
	uint16_t from = out ? f->own_port : f->peer_port, to = out ? f->peer_port : f->own_port;

	if (kind < 2)
		return ends(IPPROTO_TCP, own, f->peer, out, tcp(f, l4, out, f->peer_port, 0));
	if (kind < 8)
		return ends(IPPROTO_TCP, own, f->peer, out,
			    tcp(f, l4, out, f->peer_port, put_noise(g, l4 + 20, payload_size(g))));
	if (kind < 12)
		return ends(IPPROTO_UDP, own, f->peer, out, udp(l4, from, to, utp(g, f, l4 + 8)));
	if (kind < 13)
		return ends(IPPROTO_UDP, own, address("198.51.100.130"), true,
			    udp(l4, f->own_port, 53, dns_query(g, l4 + 8)));
	return ends(IPPROTO_TCP, own, f->peer, out, tcp(f, l4, out, 443, tls_data(g, l4 + 20)));
}

/* On the uplink a datagram beside the tunnel, at the exit an announce that tells the real address. */
static struct packet leak_packet(struct generator *g, uint8_t *l4)
{
	struct flow *f = &g->flows[0];

	if (g->place == EXIT)
		return ends(IPPROTO_TCP, address(INSIDE), f->peer, true,
			    tcp(f, l4, true, 6969, announce(l4 + 20)));
	return ends(IPPROTO_UDP, address(REAL), f->peer, true,
		    udp(l4, 6881, f->peer_port, put_noise(g, l4 + 8, 22)));
}

static struct packet next_packet(struct generator *g, uint8_t *l4, bool leak)
{
	bool out = below(g, 3) == 0;

	if (leak)
		return leak_packet(g, l4);
	if (g->place == TUNNEL || (g->place == UPLINK && below(g, 10) < 7))
		return tunnel_packet(g, l4, out);
	return clear_packet(g, l4, out);
}

/* The last byte of an Ethernet address: the machine's, the neighbour's, the next hop's. */
static uint8_t station(struct in_addr a)
{
	return a.s_addr == address(REAL).s_addr ? 2 : a.s_addr == address(NEIGHBOUR).s_addr ? 3 : 1;
}

static void ethernet(uint8_t *to, struct in_addr src, struct in_addr dst)
{
	const uint8_t header[14] = { 2, 0, 0, 0, 0, station(dst), 2, 0, 0, 0, 0, station(src), 8 };

	memcpy(to, header, sizeof(header));
}

static size_t write_frame(struct generator *g, bool leak)
{
	struct {
		uint32_t seconds, ns, caplen, len;
		uint8_t frame[FRAME_MAX];
	} r = { 0 };
	struct packet p = next_packet(g, r.frame + 34, leak);

	ethernet(r.frame, p.src, p.dst);
	r.len = (uint32_t)(14 +
			   ip(r.frame + 14, p.proto, p.src, p.dst, (uint16_t)g->counter, p.size));
	r.len = r.len < 60 ? 60 : r.len; /* what Ethernet pads to */
	r.caplen = r.len;
	r.seconds = (uint32_t)(g->time / 1000000000);
	r.ns = (uint32_t)(g->time % 1000000000);
	if (fwrite(&r, 16 + r.len, 1, stdout) != 1) {
		perror("generate");
		exit(3);
	}
	return 16 + r.len;
}

static void prepare(struct generator *g)
{
	for (size_t i = 0; i < sizeof(g->noise); i += 8) {
		uint64_t v = number(g);

		memcpy(g->noise + i, &v, 8);
	}
	for (size_t i = 0; i < FLOWS; i++) {
		char text[20];

		(void)snprintf(text, sizeof(text), "198.51.100.%zu", 140 + i % 100);
		g->flows[i] = (struct flow){ .peer = address(text),
					     .peer_port = (uint16_t)(20000 + below(g, 20000)),
					     .own_port = (uint16_t)(45000 + i) };
	}
}

static bool choose(struct generator *g, const char *place, const char *size)
{
	static const char *const names[PLACES] = { "uplink", "beside", "exit", "tunnel" };

	while (g->place < PLACES && strcmp(place, names[g->place]) != 0)
		g->place++;
	if (g->place == PLACES)
		return false;
	if (strcmp(size, "small") == 0)
		return true;
	g->least = strcmp(size, "1k") == 0 ? 700 : 1360;
	g->most = 1360;
	return strcmp(size, "1k") == 0 || strcmp(size, "large") == 0;
}

int main(int argc, char **argv)
{
	static struct generator g = { .state = 1, .time = INT64_C(1700000000000000000) };
	uint32_t header[6] = { PCAP_NANO, 2 | 4 << 16, 0, 0, 262144, LINK_ETHER };
	uint64_t bytes = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;
	unsigned planted = 0;

	if (argc != 4 || !choose(&g, argv[1], argv[2]) || bytes == 0) {
		(void)fprintf(
			stderr,
			"usage: generate uplink|beside|exit|tunnel small|1k|large BYTES > FILE\n");
		return 2;
	}
	prepare(&g);
	if (fwrite(header, sizeof(header), 1, stdout) != 1)
		return 3;
	for (uint64_t done = 0; done < bytes; g.time += 10000) {
		bool leak = g.place != TUNNEL && done >= bytes / PLANTED * planted &&
			    planted < PLANTED;

		planted += leak;
		done += write_frame(&g, leak);
	}
	return fflush(stdout) ? 3 : 0;
}
