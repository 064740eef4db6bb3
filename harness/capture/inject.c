/* SPDX-License-Identifier: MIT */
/* Forged frames, built with libnet and sent on the link layer. */
#include "capture/inject.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netpacket/packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "capture/netns.h"

#define ETHERNET    14
#define FRAME_MAX   1514
#define PAYLOAD_MAX 1024 /* with IPv6 and TCP headers it fits in FRAME_MAX */

/* 02: locally administered, unicast; 4c 50 = "LP" */
const uint8_t inject_source_mac[6] = { 0x02, 0x4c, 0x50, 0x00, 0x00, 0x01 };
const uint8_t inject_dead_mac[6] = { 0x02, 0x4c, 0x50, 0x00, 0xde, 0xad };

static const struct {
	const char *name;
	uint16_t port;
} kinds[] = {
	[INJECT_TCP] = { "tcp", 443 },	      [INJECT_UDP] = { "udp", 443 },
	[INJECT_ICMP] = { "icmp", 0 },	      [INJECT_DNS] = { "dns", 53 },
	[INJECT_TRACKER] = { "tracker", 80 }, [INJECT_OTHER] = { "other", 0 },
};

const char *inject_kind_name(enum inject_kind k)
{
	return kinds[k].name;
}

void inject_marker(const uint8_t nonce[INJECT_NONCE], uint32_t id, uint8_t out[INJECT_MARKER])
{
	uint32_t be = htonl(id);

	memcpy(out, nonce, INJECT_NONCE);
	memcpy(out + INJECT_NONCE, &be, sizeof(be));
}

/* ---- the sender ---- */

struct injector {
	libnet_t *net; /* NULL on interfaces that libnet does not know: tun */
	int fd;	       /* for these: a packet socket */
	int ifindex;
	char ifname[IF_NAMESIZE];
};

/* libnet refuses ARPHRD_NONE, so tun devices get a packet socket with protocol 0: it receives nothing. */
static int open_bare(struct injector *in, struct err *err)
{
	in->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (in->fd < 0)
		return err_errno(err, "packet socket for %s", in->ifname);
	return 0;
}

static int has_ethernet(const char *ifname, struct err *err)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { 0 };

	memcpy(ifr.ifr_name, ifname, strnlen(ifname, IF_NAMESIZE - 1));
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &ifr) < 0)
		return err_errno(err, "interface %s", ifname);
	return ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER ||
	       ifr.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK;
}

struct injector *injector_open(const char *ifname, struct err *err)
{
	char text[LIBNET_ERRBUF_SIZE] = "";
	struct injector *in = calloc(1, sizeof(*in));
	int ethernet, rc = 0;

	if (!in) {
		(void)err_errno(err, "injector");
		return NULL;
	}
	in->fd = -1;
	memcpy(in->ifname, ifname, strnlen(ifname, IF_NAMESIZE - 1));
	in->ifindex = (int)if_nametoindex(ifname);
	ethernet = has_ethernet(ifname, err);
	if (ethernet < 0)
		rc = -1;
	else if (ethernet == 0)
		rc = open_bare(in, err);
	else if (!(in->net = libnet_init(LIBNET_LINK_ADV, in->ifname, text)))
		rc = err_set(err, EXIT_ENVIRONMENT, "libnet on %s: %.*s", ifname,
			     (int)strcspn(text, "\n"), text);
	if (rc < 0) {
		injector_close(in);
		return NULL;
	}
	return in;
}

int injector_has_ethernet(const struct injector *in)
{
	return in->net != NULL;
}

int injector_write(struct injector *in, const uint8_t *frame, size_t len, struct err *err)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = in->ifindex };

	if (in->net) {
		if (libnet_write_link(in->net, frame, (uint32_t)len) != (int)len)
			return err_errno(err, "sending on %s", in->ifname);
		return 0;
	}
	to.sll_protocol = htons(frame[0] >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	if (sendto(in->fd, frame, len, 0, (struct sockaddr *)&to, sizeof(to)) != (ssize_t)len)
		return err_errno(err, "sending on %s", in->ifname);
	return 0;
}

void injector_close(struct injector *in)
{
	if (!in)
		return;
	if (in->net)
		libnet_destroy(in->net);
	if (in->fd >= 0)
		(void)close(in->fd);
	free(in);
}

/* ---- the controls ---- */

struct payload {
	uint8_t data[PAYLOAD_MAX];
	uint32_t len;
};

static void add(struct payload *p, const void *data, size_t n)
{
	if (n > sizeof(p->data) - p->len)
		n = sizeof(p->data) - p->len;
	memcpy(p->data + p->len, data, n);
	p->len += (uint32_t)n;
}

/* RFC 1035: header with RD and one question, labels with their lengths, type, class IN. */
static int dns_query(const struct inject_spec *s, int v6, struct payload *p, struct err *err)
{
	const uint8_t head[12] = { (uint8_t)(s->id >> 8), (uint8_t)s->id, 1, 0, 0, 1 };
	const uint8_t tail[5] = { 0, 0, v6 ? 28 : 1, 0, 1 };
	const char *label = s->name ? s->name : "";

	if (!*label || strlen(label) > 253)
		return err_set(err, EXIT_USAGE, "control of kind dns: no name, or longer than 253");
	add(p, head, sizeof(head));
	while (*label) {
		uint8_t n = (uint8_t)strcspn(label, ".");

		if (n == 0 || n > 63)
			return err_set(err, EXIT_USAGE, "%s: a label has 1 to 63 bytes", s->name);
		add(p, &n, 1);
		add(p, label, n);
		label += n + (label[n] == '.');
	}
	add(p, tail, sizeof(tail));
	return 0;
}

/* BEP 3: an announce whose ip= tells the address; the marker as text, as the request is text. */
static int announce(const struct inject_spec *s, struct payload *p, struct err *err)
{
	uint8_t marker[INJECT_MARKER];
	char hex[2 * INJECT_MARKER + 1];
	_cleanup_free_ char *text = NULL;

	if (!s->announce || !*s->announce)
		return err_set(err, EXIT_USAGE, "control of kind tracker: no address to announce");
	inject_marker(s->nonce, s->id, marker);
	for (size_t i = 0; i < sizeof(marker); i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", marker[i]);
	text = str_fmt("GET /announce?info_hash=%%4c%%50%%43%%54%%4c01234567890abcd"
		       "&peer_id=-LP0001-000000000000&port=6881&uploaded=0&downloaded=0&left=0"
		       "&compact=1&event=started&ip=%s HTTP/1.1\r\nHost: %s\r\n"
		       "User-Agent: leakproof-control\r\nX-Control: %s\r\n\r\n",
		       s->announce, s->dst, hex);
	add(p, text, strlen(text));
	return 0;
}

static int make_payload(const struct inject_spec *s, int v6, struct payload *p, struct err *err)
{
	uint8_t marker[INJECT_MARKER];

	if (s->kind == INJECT_DNS)
		return dns_query(s, v6, p, err);
	if (s->kind == INJECT_TRACKER)
		return announce(s, p, err);
	inject_marker(s->nonce, s->id, marker);
	add(p, marker, sizeof(marker));
	return 0;
}

/* The transport header; *proto and *len become what the IP header needs. */
static int build_transport(libnet_t *l, const struct inject_spec *s, int v6, struct payload *p,
			   uint8_t *proto, uint32_t *len)
{
	uint16_t sport = s->sport ? s->sport : 40000;
	uint16_t dport = s->dport ? s->dport : kinds[s->kind].port;
	uint16_t seq = (uint16_t)s->id;

	switch (s->kind) {
	case INJECT_TCP:
	case INJECT_TRACKER:
		*proto = IPPROTO_TCP;
		*len = LIBNET_TCP_H + p->len;
		return libnet_build_tcp(sport, dport, s->id, s->kind == INJECT_TCP ? 0 : 1,
					s->kind == INJECT_TCP ? TH_SYN : TH_PUSH | TH_ACK, 64240, 0,
					0, (uint16_t)*len, p->data, p->len, l, 0);
	case INJECT_UDP:
	case INJECT_DNS:
		*proto = IPPROTO_UDP;
		*len = LIBNET_UDP_H + p->len;
		return libnet_build_udp(sport, dport, (uint16_t)*len, 0, p->data, p->len, l, 0);
	case INJECT_ICMP:
		*proto = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		*len = 8 + p->len;
		if (v6)
			return libnet_build_icmpv6_echo(ICMP6_ECHO_REQUEST, 0, 0, 0x4c50, seq,
							p->data, p->len, l, 0);
		return libnet_build_icmpv4_echo(ICMP_ECHO, 0, 0, 0x4c50, seq, p->data, p->len, l,
						0);
	case INJECT_OTHER:
		*proto = 253;
		*len = p->len;
		return libnet_build_data(p->data, p->len, l, 0);
	}
	return -1;
}

static int build_ip(libnet_t *l, const struct inject_spec *s, int v6, uint8_t proto, uint32_t len)
{
	struct libnet_in6_addr a6, b6;
	uint32_t a4, b4;

	if (v6) {
		if (inet_pton(AF_INET6, s->src, &a6) != 1 || inet_pton(AF_INET6, s->dst, &b6) != 1)
			return -1;
		return libnet_build_ipv6(0, 0, (uint16_t)len, proto, 64, a6, b6, NULL, 0, l, 0);
	}
	if (inet_pton(AF_INET, s->src, &a4) != 1 || inet_pton(AF_INET, s->dst, &b4) != 1)
		return -1;
	return libnet_build_ipv4((uint16_t)(LIBNET_IPV4_H + len), 0, (uint16_t)s->id, 0, 64, proto,
				 0, a4, b4, NULL, 0, l, 0);
}

/* The IP packet, behind room for an Ethernet header. Returns its length. libnet_adv_cull_packet() would do
 * on Ethernet only; what it calls does everywhere. */
static int build_packet(const struct inject_spec *s, uint8_t frame[FRAME_MAX], struct err *err)
{
	int v6 = strchr(s->src, ':') != NULL;
	char text[LIBNET_ERRBUF_SIZE] = "";
	struct payload p = { .len = 0 };
	uint8_t proto = 0, *packet = NULL;
	uint32_t len = 0, total = 0;
	libnet_t *l;
	int rc = 0;

	if (make_payload(s, v6, &p, err) < 0)
		return -1;
	l = libnet_init(v6 ? LIBNET_RAW6_ADV : LIBNET_RAW4_ADV, NULL, text);
	if (!l)
		return err_set(err, EXIT_ENVIRONMENT, "libnet: %.*s", (int)strcspn(text, "\n"),
			       text);
	if (build_transport(l, s, v6, &p, &proto, &len) < 0 || build_ip(l, s, v6, proto, len) < 0 ||
	    libnet_pblock_coalesce(l, &packet, &total) < 0)
		rc = err_set(err, EXIT_USAGE, "control of kind %s from %s to %s: %s",
			     kinds[s->kind].name, s->src, s->dst, libnet_geterror(l));
	else
		memcpy(frame + ETHERNET, packet, total);
	if (packet)
		libnet_adv_free_packet(l, packet);
	libnet_destroy(l);
	return rc < 0 ? -1 : (int)total;
}

struct job {
	const struct inject_spec *spec;
	struct inject_sent sent;
};

static int send_in_namespace(void *arg, struct err *err)
{
	struct job *j = arg;
	uint8_t frame[FRAME_MAX];
	struct injector *in;
	int len, rc, skip;

	len = build_packet(j->spec, frame, err);
	if (len < 0)
		return -1;
	in = injector_open(j->spec->ifname, err);
	if (!in)
		return -1;
	memcpy(frame, inject_dead_mac, 6);
	memcpy(frame + 6, inject_source_mac, 6);
	frame[12] = frame[ETHERNET] >> 4 == 6 ? 0x86 : 0x08;
	frame[13] = frame[ETHERNET] >> 4 == 6 ? 0xdd : 0x00;
	skip = injector_has_ethernet(in) ? 0 : ETHERNET;
	j->sent.length = (uint32_t)(len + ETHERNET - skip);
	j->sent.before = clock_real_ns();
	rc = injector_write(in, frame + skip, j->sent.length, err);
	j->sent.after = clock_real_ns();
	injector_close(in);
	return rc;
}

int inject_send(const struct inject_spec *s, struct inject_sent *out, struct err *err)
{
	struct job j = { .spec = s };

	if (!s->ifname || !s->src || !s->dst || !strchr(s->src, ':') != !strchr(s->dst, ':'))
		return err_set(err, EXIT_USAGE,
			       "control: interface, source and destination of one family");
	if (netns_call(s->netns_fd, send_in_namespace, &j, err) < 0)
		return err_wrap(err, "control on %s", s->ifname);
	if (out)
		*out = j.sent;
	return 0;
}
