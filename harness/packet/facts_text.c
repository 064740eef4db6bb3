/* SPDX-License-Identifier: MIT */
/* Facts as one line for people. */
#include "packet/internal.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>

struct line {
	char *buf;
	size_t size, at;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (o->at + 1 >= o->size)
		return;
	va_start(ap, fmt);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): seen only when several files are checked at once */
	n = vsnprintf(o->buf + o->at, o->size - o->at, fmt, ap);
	va_end(ap);
	if (n > 0)
		o->at += (size_t)n < o->size - o->at ? (size_t)n : o->size - o->at - 1;
}

static void put_endpoint(struct line *o, const struct net_layer *l, const struct ipaddr *a,
			 uint16_t port)
{
	char text[IPADDR_TEXT];

	ipaddr_format(a, text, sizeof(text));
	if (l->has_ports)
		put(o, l->version == 6 ? "[%s]:%u" : "%s:%u", text, port);
	else
		put(o, "%s", text);
}

static void put_tcp_flags(struct line *o, uint8_t flags)
{
	static const char letters[] = "FSRPAU";

	put(o, " ");
	for (int i = 0; i < 6; i++)
		if (flags >> i & 1)
			put(o, "%c", letters[i]);
}

static void put_layer(struct line *o, const struct net_layer *l)
{
	put_endpoint(o, l, &l->src, l->sport);
	put(o, " > ");
	put_endpoint(o, l, &l->dst, l->dport);
	switch (l->proto) {
	case IPPROTO_TCP:
		put(o, " tcp");
		put_tcp_flags(o, l->tcp_flags);
		break;
	case IPPROTO_UDP:
		put(o, " udp");
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		put(o, " icmp%s type %u code %u", l->version == 6 ? "6" : "", l->icmp_type,
		    l->icmp_code);
		break;
	default:
		put(o, " proto %u", l->proto);
	}
	if (l->frag != FRAG_NONE)
		put(o, " fragment %u+", l->frag_offset);
}

static const char *dns_type(uint16_t type, char buf[16])
{
	static const struct {
		uint16_t type;
		const char *name;
	} names[] = { { 1, "A" },    { 2, "NS" },    { 5, "CNAME" },  { 6, "SOA" },
		      { 12, "PTR" }, { 15, "MX" },   { 16, "TXT" },   { 28, "AAAA" },
		      { 33, "SRV" }, { 64, "SVCB" }, { 65, "HTTPS" }, { 255, "ANY" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].type == type)
			return names[i].name;
	(void)snprintf(buf, 16, "TYPE%u", type);
	return buf;
}

static void put_dns(struct line *o, const struct dns_facts *d)
{
	char buf[16];

	put(o, " %s %s %s", d->response ? "answer" : "query", dns_type(d->qtype, buf), d->qname);
	if (d->response)
		put(o, " rcode %u, %u records", d->rcode, d->answers);
}

static void put_arp(struct line *o, const struct arp_facts *a)
{
	char from[IPADDR_TEXT], to[IPADDR_TEXT];

	put(o, "arp %s, %s for %s",
	    a->op == 1	 ? "request"
	    : a->op == 2 ? "reply"
			 : "other",
	    ipaddr_format(&a->sender, from, sizeof(from)),
	    ipaddr_format(&a->target, to, sizeof(to)));
}

static void put_protocols(struct line *o, const struct facts *f)
{
	const uint64_t shown = PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_UDP) | PROTO_BIT(PROTO_ICMP) |
			       PROTO_BIT(PROTO_ICMP6) | PROTO_BIT(PROTO_ARP);

	for (int p = 0; p < PROTO_COUNT; p++)
		if (f->protos & ~shown & PROTO_BIT(p))
			put(o, " %s%s", proto_name((enum proto)p),
			    f->weak & PROTO_BIT(p) ? "?" : "");
	if (facts_has(f, PROTO_DNS))
		put_dns(o, &f->dns);
	if (facts_has(f, PROTO_TLS_HELLO))
		put(o, " sni %s", f->tls.has_sni ? f->tls.sni : "(none)");
	if (facts_has(f, PROTO_HTTP) && f->http.request)
		put(o, " %s %s%s", f->http.method, f->http.host, f->http.target);
	else if (facts_has(f, PROTO_HTTP))
		put(o, " status %u", f->http.status);
	if (facts_has(f, PROTO_DHCP))
		put(o, " type %u", f->dhcp.type);
	if (facts_has(f, PROTO_WIREGUARD))
		put(o, " type %u", f->wg.type);
	if (f->protos & (PROTO_BIT(PROTO_UPNP)))
		put(o, " %s", f->portmap.action);
}

static void put_addresses(struct line *o, const struct facts *f)
{
	char text[IPADDR_TEXT];
	int shown = f->n_addrs < 3 ? f->n_addrs : 3;

	for (int i = 0; i < shown; i++)
		put(o, " %s=%s", place_name((enum addr_place)f->addrs[i].place),
		    ipaddr_format(&f->addrs[i].addr, text, sizeof(text)));
	if (f->n_addrs > shown)
		put(o, " and %d addresses more", f->n_addrs - shown);
}

static void put_frame(struct line *o, const struct facts *f)
{
	put(o, "frame of %u bytes, link type %u", f->len, f->linktype);
	if (f->ethertype)
		put(o, ", ethertype 0x%04x", f->ethertype);
}

char *facts_describe(const struct facts *f, char *buf, size_t size)
{
	struct line o = { buf, size, 0 };

	if (size)
		buf[0] = '\0';
	for (int i = 0; i < f->n_layers; i++) {
		if (i)
			put(&o, " | %s ", encap_name((enum encap)f->layer[i].encap));
		put_layer(&o, &f->layer[i]);
	}
	if (facts_has(f, PROTO_ARP))
		put_arp(&o, &f->arp);
	else if (f->n_layers == 0)
		put_frame(&o, f);
	put_protocols(&o, f);
	put_addresses(&o, f);
	if (f->has_quoted) {
		put(&o, " quoting ");
		put_layer(&o, &f->quoted);
	}
	if (f->n_layers)
		put(&o, " length %u", f->layer[f->n_layers - 1].payload_wire);
	if (f->reason != UND_NONE)
		put(&o, " (%s)", undecodable_name((enum undecodable)f->reason));
	return buf;
}
