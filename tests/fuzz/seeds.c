/* SPDX-License-Identifier: MIT */
/* Writes the seeds of the packet targets: seeds DIR GOLDEN... -> DIR/<target>/<name>, made of the frames of the unit
 * tests and of the golden captures. */
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "packet/capfile.h"
#include "packet/frames.h"

static const char *dir;

static void save(const char *target, const char *name, const struct frame *f)
{
	char path[512];
	FILE *out;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, target);
	mkdir(path, 0777);
	(void)snprintf(path, sizeof(path), "%s/%s/%s", dir, target, name);
	out = fopen(path, "wb");
	if (!out || fwrite(f->b, 1, f->n, out) != f->n || fclose(out)) {
		perror(path);
		exit(1);
	}
}

/* A payload behind the byte by which a target chooses. */
static void payload(const char *target, unsigned choice, const char *name,
		    void (*make)(struct frame *), size_t skip)
{
	struct frame p = { .n = 0 }, f = { .n = 0 };

	make(&p);
	put8(&f, choice);
	put(&f, p.b + skip, p.n - skip);
	save(target, name, &f);
}

static void decode_seeds(void)
{
	for (size_t i = 0; i < N_SAMPLES; i++) {
		struct frame s, f = { .n = 0 }, p = { .n = 0 };

		build_sample(&s, &samples[i]);
		put8(&f, 0);
		put16(&f, (unsigned)s.n);
		put(&f, s.b, s.n);
		save("decode", samples[i].name, &f);
		f.n = 0; /* the same as raw IP, in two fragments */
		samples[i].payload(&p);
		for (size_t part = 0; part < 2; part++) {
			size_t n = part ? p.n - p.n / 16 * 8 : p.n / 16 * 8;

			put8(&f, 1);
			put16(&f, (unsigned)(20 + n + (part ? 0 : 8)));
			put_ip4(&f, 17, n + (part ? 0 : 8), 7,
				part ? (unsigned)(1 + p.n / 16) : 0x2000);
			if (!part)
				put_udp(&f, samples[i].sport, samples[i].dport, p.n);
			put(&f, p.b + (part ? p.n / 16 * 8 : 0), n);
		}
		{
			char name[64];

			(void)snprintf(name, sizeof(name), "fragments-%s", samples[i].name);
			save("decode", name, &f);
		}
	}
}

static void stream_seeds(void)
{
	static const uint16_t ports[] = { 80, 53, 443, 6881, 853, 1194, 445, 5355 };

	for (size_t i = 0; i < N_SAMPLES; i++) {
		struct frame p = { .n = 0 }, f = { .n = 0 };

		if (samples[i].carrier != TCP4 && samples[i].carrier != TCP6)
			continue;
		samples[i].payload(&p);
		for (unsigned k = 0; k < 8; k++)
			if (ports[k] == samples[i].dport)
				put8(&f, k);
		if (f.n == 0)
			put8(&f, 3);
		put(&f, "\2\1\0", 3); /* SYN */
		for (size_t at = 0; at < p.n; at += 48) {
			size_t n = p.n - at < 48 ? p.n - at : 48;

			put8(&f, TCP_ACK);
			put8(&f, at == 0);
			put8(&f, (unsigned)n);
			put(&f, p.b + at, n);
		}
		save("stream", samples[i].name, &f);
	}
}

static void quic_frames(struct frame *f)
{
	struct frame h = { .n = 0 };

	p_hello_body(&h, "tracker.example");
	put(f, "\1\2\0\0\0\0", 6); /* PING, ACK */
	put8(f, 6);
	put8(f, 60);
	put16(f, (unsigned)(0x4000 | (h.n - 60)));
	put(f, h.b + 60, h.n - 60);
	put(f, "\6\0\x3c", 3);
	put(f, h.b, 60);
	put_zero(f, 20);
}

static void quic_long(struct frame *f)
{
	put(f, "\xc3\0\0\0\1\x08\x83\x94\xc8\xf0\x3e\x51\x57\x08\0\0\x40\x60", 18);
	put_fill(f, 96, 0x37);
}

static void hello_plain(struct frame *f)
{
	p_hello_body(f, "indexer.test");
}

static void parser_seeds(void)
{
	static const struct {
		const char *target, *name;
		unsigned choice;
		void (*make)(struct frame *);
		size_t skip;
	} rows[] = {
		{ "bt", "dht-query", 0, p_dht_query, 0 },
		{ "bt", "dht-reply", 0, p_dht_reply, 0 },
		{ "bt", "messages", 1, p_bt_peer, 68 },
		{ "bt", "pex", 1, p_bt_pex, 0 },
		{ "bt", "holepunch", 1, p_bt_holepunch, 0 },
		{ "bt", "extended", 2, p_bt_extended, 5 },
		{ "bt", "connect", 3, p_udp_connect, 0 },
		{ "bt", "announce", 3, p_udp_announce, 0 },
		{ "bt", "body", 4, p_tracker_reply, 39 },
		{ "bt", "websocket", 5, p_websocket, 0 },
		{ "bt", "utp", 6, p_utp_syn, 0 },
		{ "bt", "lsd", 7, p_lsd, 0 },
		{ "bt", "target", 7, p_announce, 4 },
		{ "web", "record", 0, p_tls_hello, 0 },
		{ "web", "records", 0x80, p_tls_records, 0 },
		{ "web", "hello", 1, hello_plain, 0 },
		{ "web", "dtls", 2, p_dtls, 0 },
		{ "web", "announce", 3, p_announce, 0 },
		{ "web", "reply", 0x83, p_tracker_reply, 0 },
		{ "web", "soap", 4, p_soap, 0 },
		{ "web", "ssdp", 5, p_ssdp, 0 },
		{ "quic", "long", 0, quic_long, 0 },
		{ "quic", "q043", 0, p_quic_q043, 0 },
		{ "quic", "frames", 1, quic_frames, 0 },
		{ "local", "dhcp", 0, p_dhcp_ack, 0 },
		{ "local", "ntp", 2, p_ntp, 0 },
		{ "local", "nat-pmp", 3, p_natpmp_map, 0 },
		{ "local", "pcp", 3, p_pcp_map, 0 },
		{ "local", "stun", 4, p_stun, 0 },
		{ "local", "openvpn", 6, p_openvpn_crypt, 0 },
		{ "local", "wireguard", 7, p_wg_init, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		payload(rows[i].target, rows[i].choice, rows[i].name, rows[i].make, rows[i].skip);
}

static void plain_seeds(void)
{
	static const struct {
		const char *name;
		void (*make)(struct frame *);
	} rows[] = { { "query", p_dns_query },
		     { "answer", p_dns_answer },
		     { "mdns", p_mdns },
		     { "nbns", p_nbns } };
	struct frame f;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f.n = 0;
		rows[i].make(&f);
		save("dns", rows[i].name, &f);
	}
	f.n = 0;
	put_text(&f, "203.0.113.10 2001:DB8:1::10 10.113.0.203.in-addr 203-0-113-10 ");
	put(&f, "\xcb\0\x71\x0a\x0a\x71\0\xcb\xea\x12\xd5\x48", 12);
	put(&f, SRC6, 16);
	save("identity", "forms", &f);
}

static void le32(struct frame *f, uint32_t v)
{
	v = __builtin_bswap32(v);
	put32(f, v);
}

static void file_seeds(void)
{
	struct frame f = { .n = 0 }, s;

	build_sample(&s, &samples[0]);
	put(&f, "\x4d\x3c\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\4\0\1\0\0\0", 24);
	le32(&f, 1);
	le32(&f, 2);
	le32(&f, (uint32_t)s.n);
	le32(&f, (uint32_t)s.n);
	put(&f, s.b, s.n);
	save("file", "classic", &f);
	f.n = 0;
	put(&f, "\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0", 16);
	put_fill(&f, 8, 0xff);
	le32(&f, 28);
	put(&f, "\1\0\0\0\x1c\0\0\0\1\0\0\0\0\0\4\0\x09\0\1\0\x09\0\0\0\x1c\0\0\0", 28);
	le32(&f, 6);
	le32(&f, (uint32_t)(32 + (s.n + 3) / 4 * 4));
	put_zero(&f, 12);
	le32(&f, (uint32_t)s.n);
	le32(&f, (uint32_t)s.n);
	put(&f, s.b, s.n);
	put_zero(&f, (4 - s.n % 4) % 4);
	le32(&f, (uint32_t)(32 + (s.n + 3) / 4 * 4));
	put(&f, "\3\0\0\0\x14\0\0\0\4\0\0\0abcd\x14\0\0\0", 20);
	save("file", "pcapng", &f);
}

/* ---- golden captures ---- */

struct memory {
	const uint8_t *p;
	size_t left;
};

static ptrdiff_t give(void *arg, uint8_t *buf, size_t size, struct err *err)
{
	struct memory *m = arg;
	size_t n = m->left < size ? m->left : size;

	(void)err;
	memcpy(buf, m->p, n);
	m->p += n;
	m->left -= n;
	return (ptrdiff_t)n;
}

/* "rule+case.br-vpn.pcap": the tap is the last word but one, in the order of tests/golden/policy.json. */
static unsigned tap_of(const char *name)
{
	static const char *const taps[] = { "uplink",	"isp", "br-vpn", "br-media",
					    "veth-qbt", "lo",  "exit" };

	for (unsigned i = 0; i < sizeof(taps) / sizeof(taps[0]); i++) {
		char tail[32];

		(void)snprintf(tail, sizeof(tail), ".%s.pcap", taps[i]);
		if (strlen(name) > strlen(tail) &&
		    strcmp(name + strlen(name) - strlen(tail), tail) == 0)
			return i;
	}
	return 0;
}

static void put_capture(struct frame *decode, struct frame *judge, const char *name,
			const void *bytes, size_t n)
{
	struct memory m = { bytes, n };
	struct err err = { 0 };
	struct capfile *c = capfile_open(give, &m, &err);
	struct capfile_frame f;

	while (c && capfile_next(c, &f, &err) == 1) {
		if (decode->n + f.caplen + 8 > sizeof(decode->b))
			break;
		put8(decode, f.linktype == LINK_ETHERNET ? 0 : 1);
		put16(decode, f.caplen);
		put(decode, f.data, f.caplen);
		put8(judge, tap_of(name));
		put16(judge, f.caplen);
		put8(judge, 1);
		put(judge, f.data, f.caplen);
	}
	capfile_close(c);
}

static int golden_seeds(const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct frame whole = { .n = 0 }, decode = { .n = 0 }, judge = { .n = 0 };
	struct err err = { 0 };
	size_t n;
	char *bytes = fs_read(path, 1 << 20, &n, &err);

	if (!bytes) {
		(void)fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	if (n <= sizeof(whole.b)) {
		put(&whole, bytes, n);
		save("file", name, &whole);
	}
	put_capture(&decode, &judge, name, bytes, n);
	save("decode", name, &decode);
	save("judge", name, &judge);
	free(bytes);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		(void)fprintf(stderr, "usage: seeds DIR GOLDEN...\n");
		return 2;
	}
	dir = argv[1];
	mkdir(dir, 0777);
	decode_seeds();
	stream_seeds();
	parser_seeds();
	plain_seeds();
	file_seeds();
	for (int i = 2; i < argc; i++)
		if (golden_seeds(argv[i]))
			return 1;
	return 0;
}
