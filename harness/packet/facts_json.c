/* SPDX-License-Identifier: MIT */
/* Facts as JSON: one object a frame, keys only where there is something to say. */
#include "packet/internal.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>

static void set_text(json_t *j, const char *key, const char *text)
{
	if (text[0])
		json_object_set_new(j, key, json_string(text));
}

static void set_number(json_t *j, const char *key, uint64_t v)
{
	json_object_set_new(j, key, json_integer((json_int_t)v));
}

static void set_flag(json_t *j, const char *key, bool v)
{
	if (v)
		json_object_set_new(j, key, json_true());
}

static void set_addr(json_t *j, const char *key, const struct ipaddr *a)
{
	char text[IPADDR_TEXT];

	if (!ipaddr_is_none(a))
		json_object_set_new(j, key, json_string(ipaddr_format(a, text, sizeof(text))));
}

static void set_hex(json_t *j, const char *key, const uint8_t *p, size_t n)
{
	char text[2 * 20 + 1] = "";

	for (size_t i = 0; i < n && i < 20; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", p[i]);
	json_object_set_new(j, key, json_string(text));
}

static void set_mac(json_t *j, const char *key, const uint8_t m[6])
{
	char text[18];

	(void)snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3],
		       m[4], m[5]);
	json_object_set_new(j, key, json_string(text));
}

/* An address of an IP header: always there, and in the header's own family. */
static void set_endpoint(json_t *j, const char *key, const struct ipaddr *a, uint8_t version)
{
	char text[IPADDR_TEXT + 8] = "::ffff:";
	size_t at = version == 6 && ipaddr_is_v4(a) ? strlen(text) : 0;

	ipaddr_format(a, text + at, IPADDR_TEXT);
	json_object_set_new(j, key, json_string(text));
}

static void tcp_json(json_t *j, const struct net_layer *l)
{
	static const char letters[] = "FSRPAU";
	char flags[7] = "";
	size_t n = 0;

	for (int i = 0; i < 6; i++)
		if (l->tcp_flags >> i & 1)
			flags[n++] = letters[i];
	flags[n] = '\0';
	json_object_set_new(j, "flags", json_string(flags));
	set_number(j, "seq", l->seq);
	set_number(j, "ack", l->ack);
	set_number(j, "window", l->tcp_window);
}

static void icmp_json(json_t *j, const struct net_layer *l)
{
	bool v6 = l->proto == IPPROTO_ICMPV6;

	set_number(j, "type", l->icmp_type);
	set_number(j, "code", l->icmp_code);
	if (v6 ? l->icmp_type == 128 || l->icmp_type == 129
	       : l->icmp_type == 8 || l->icmp_type == 0) {
		set_number(j, "echo_id", l->icmp_id);
		set_number(j, "echo_seq", l->icmp_seq);
	}
}

static json_t *layer_json(const struct net_layer *l)
{
	json_t *j = json_object();

	set_number(j, "version", l->version);
	if (l->encap != ENCAP_NONE)
		set_text(j, "in", encap_name((enum encap)l->encap));
	set_endpoint(j, "src", &l->src, l->version);
	set_endpoint(j, "dst", &l->dst, l->version);
	set_number(j, "proto", l->proto);
	set_number(j, "ttl", l->ttl);
	set_number(j, "tos", l->tos);
	set_number(j, "id", l->id);
	set_flag(j, "dont_fragment", l->dont_fragment);
	set_number(j, "length", l->total_len);
	set_number(j, "header", l->header_len);
	if (l->frag != FRAG_NONE) {
		set_number(j, "fragment_offset", l->frag_offset);
		json_object_set_new(j, "more_fragments", json_boolean(l->frag_more));
	}
	if (l->has_ports) {
		set_number(j, "sport", l->sport);
		set_number(j, "dport", l->dport);
		set_flag(j, "ports_from_first", l->ports_from_first);
	}
	if (l->proto == IPPROTO_TCP && l->frag != FRAG_LATER)
		tcp_json(j, l);
	else if ((l->proto == IPPROTO_ICMP || l->proto == IPPROTO_ICMPV6) && l->frag != FRAG_LATER)
		icmp_json(j, l);
	set_number(j, "payload", l->payload_wire);
	if (l->payload_len != l->payload_wire)
		set_number(j, "payload_captured", l->payload_len);
	return j;
}

static json_t *dns_json(const struct dns_facts *d)
{
	static const char *const transports[] = { "udp", "tcp", "multicast", "llmnr", "netbios" };
	json_t *j = json_object();

	set_text(j, "transport", transports[d->transport]);
	json_object_set_new(j, "response", json_boolean(d->response));
	set_number(j, "id", d->id);
	set_number(j, "opcode", d->opcode);
	set_number(j, "rcode", d->rcode);
	set_flag(j, "authoritative", d->authoritative);
	set_flag(j, "truncated", d->truncated);
	set_flag(j, "recursion_desired", d->recursion_desired);
	set_number(j, "questions", d->questions);
	set_number(j, "answers", d->answers);
	set_number(j, "authorities", d->authorities);
	set_number(j, "additionals", d->additionals);
	if (d->questions) {
		set_number(j, "qtype", d->qtype);
		set_number(j, "qclass", d->qclass);
	}
	set_text(j, "qname", d->qname);
	set_text(j, "other_names", d->other_names);
	if (d->edns)
		set_number(j, "edns_size", d->edns_size);
	return j;
}

static json_t *tls_json(const struct tls_facts *t)
{
	json_t *j = json_object();

	set_number(j, "version", t->version);
	set_text(j, "sni", t->has_sni ? t->sni : "");
	set_text(j, "alpn", t->alpn);
	set_flag(j, "over_quic", t->over_quic);
	set_flag(j, "encrypted_hello", t->ech);
	return j;
}

static json_t *quic_json(const struct quic_facts *q)
{
	json_t *j = json_object();

	set_number(j, "version", q->version);
	json_object_set_new(j, "long_header", json_boolean(q->long_header));
	if (q->long_header) {
		set_number(j, "type", q->type);
		set_hex(j, "dcid", q->dcid, q->dcid_len);
		set_hex(j, "scid", q->scid, q->scid_len);
	}
	set_flag(j, "decrypted", q->decrypted);
	return j;
}

static json_t *http_json(const struct http_facts *h)
{
	json_t *j = json_object();

	if (h->request) {
		set_text(j, "method", h->method);
		set_text(j, "target", h->target);
		set_text(j, "host", h->host);
		set_text(j, "user_agent", h->user_agent);
	} else {
		set_number(j, "status", h->status);
	}
	set_text(j, "upgrade", h->upgrade);
	set_flag(j, "head_complete", h->head_complete);
	return j;
}

static json_t *bt_json(const struct facts *f)
{
	static const char *const actions[] = { "",	    "connect",	 "announce",
					       "scrape",    "error",	 "ping",
					       "find_node", "get_peers", "announce_peer",
					       "other" };
	const struct bt_facts *b = &f->bt;
	json_t *j = json_object();

	set_text(j, "action", actions[b->action]);
	set_flag(j, "reply", b->reply);
	if (facts_has(f, PROTO_BT_HANDSHAKE))
		set_hex(j, "reserved", b->reserved, 8);
	if (b->has_info_hash)
		set_hex(j, "info_hash", b->info_hash, 20);
	if (b->has_peer_id)
		set_hex(j, "peer_id", b->peer_id, 20);
	if (b->has_node_id)
		set_hex(j, "node_id", b->node_id, 20);
	if (b->port)
		set_number(j, "port", b->port);
	if (b->has_key)
		set_number(j, "key", b->key);
	if (facts_has(f, PROTO_BT_UTP))
		set_number(j, "utp_type", b->utp_type);
	set_text(j, "client", b->client);
	return j;
}

static json_t *dhcp_json(const struct dhcp_facts *d)
{
	json_t *j = json_object(), *routes = json_array();

	set_number(j, "op", d->op);
	set_number(j, "type", d->type);
	set_number(j, "xid", d->xid);
	set_mac(j, "client_mac", d->client_mac);
	set_addr(j, "ciaddr", &d->ciaddr);
	set_addr(j, "yiaddr", &d->yiaddr);
	set_addr(j, "server", &d->server);
	set_addr(j, "router", &d->router);
	set_addr(j, "dns", &d->dns);
	set_text(j, "hostname", d->hostname);
	for (int i = 0; i < d->n_routes; i++) {
		json_t *r = json_object();

		set_addr(r, "net", &d->routes[i].net);
		set_number(r, "length", d->routes[i].len);
		set_addr(r, "router", &d->routes[i].router);
		json_array_append_new(routes, r);
	}
	json_object_set_new(j, "routes", routes);
	if (d->routes_total > d->n_routes)
		set_number(j, "routes_total", d->routes_total);
	return j;
}

static json_t *portmap_json(const struct portmap_facts *m)
{
	json_t *j = json_object();

	set_flag(j, "response", m->response);
	set_number(j, "opcode", m->opcode);
	set_number(j, "protocol", m->protocol);
	set_number(j, "internal_port", m->internal_port);
	set_number(j, "external_port", m->external_port);
	set_number(j, "lifetime", m->lifetime);
	set_number(j, "result", m->result);
	set_text(j, "action", m->action);
	return j;
}

static json_t *arp_json(const struct arp_facts *a)
{
	json_t *j = json_object();

	set_number(j, "op", a->op);
	set_mac(j, "sender_mac", a->sender_mac);
	set_addr(j, "sender", &a->sender);
	set_mac(j, "target_mac", a->target_mac);
	set_addr(j, "target", &a->target);
	return j;
}

static json_t *nd_json(const struct nd_facts *n)
{
	json_t *j = json_object();

	set_number(j, "type", n->type);
	if (n->type == 134)
		set_number(j, "router_lifetime", n->router_lifetime);
	set_addr(j, "target", &n->target);
	if (n->has_lladdr)
		set_mac(j, "lladdr", n->lladdr);
	if (n->has_prefix) {
		set_addr(j, "prefix", &n->prefix);
		set_number(j, "prefix_length", n->prefix_len);
	}
	if (n->has_route) {
		set_addr(j, "route", &n->route);
		set_number(j, "route_length", n->route_len);
	}
	set_addr(j, "dns", &n->dns);
	return j;
}

static json_t *openvpn_json(const struct openvpn_facts *o)
{
	json_t *j = json_object();

	set_number(j, "opcode", o->opcode);
	set_number(j, "key_id", o->key_id);
	set_flag(j, "tcp", o->tcp);
	if (o->opcode != 6 && o->opcode != 9) /* data carries no session id */
		set_hex(j, "session", o->session, 8);
	return j;
}

static json_t *wireguard_json(const struct wg_facts *g)
{
	json_t *j = json_object();

	set_number(j, "type", g->type);
	if (g->type == 1 || g->type == 2)
		set_number(j, "sender", g->sender);
	if (g->type != 1)
		set_number(j, "receiver", g->receiver);
	if (g->type == 4 && g->counter <= INT64_MAX)
		set_number(j, "counter", g->counter);
	return j;
}

static json_t *stun_json(const struct stun_facts *t)
{
	json_t *j = json_object();

	set_number(j, "type", t->type);
	set_flag(j, "classic", t->classic);
	set_text(j, "software", t->software);
	return j;
}

static json_t *ntp_json(const struct ntp_facts *n)
{
	json_t *j = json_object();

	set_number(j, "version", n->version);
	set_number(j, "mode", n->mode);
	return j;
}

static json_t *ssdp_json(const struct ssdp_facts *s)
{
	json_t *j = json_object();

	set_number(j, "kind", s->kind);
	set_text(j, "target", s->target);
	return j;
}

static void details(json_t *j, const struct facts *f)
{
	const uint64_t maps = PROTO_BIT(PROTO_NATPMP) | PROTO_BIT(PROTO_PCP) |
			      PROTO_BIT(PROTO_UPNP);

	if (facts_has(f, PROTO_ARP))
		json_object_set_new(j, "arp", arp_json(&f->arp));
	if (facts_has(f, PROTO_ND))
		json_object_set_new(j, "nd", nd_json(&f->nd));
	if (facts_has(f, PROTO_DNS) && f->dns.header)
		json_object_set_new(j, "dns", dns_json(&f->dns));
	if (facts_has(f, PROTO_TLS_HELLO))
		json_object_set_new(j, "tls", tls_json(&f->tls));
	if (facts_has(f, PROTO_QUIC))
		json_object_set_new(j, "quic", quic_json(&f->quic));
	if (facts_has(f, PROTO_HTTP))
		json_object_set_new(j, "http", http_json(&f->http));
	if (f->protos & PROTO_BT_ALL)
		json_object_set_new(j, "bt", bt_json(f));
	if (facts_has(f, PROTO_DHCP) && !(f->weak & PROTO_BIT(PROTO_DHCP)))
		json_object_set_new(j, "dhcp", dhcp_json(&f->dhcp));
	if (f->protos & maps)
		json_object_set_new(j, "portmap", portmap_json(&f->portmap));
	if (facts_has(f, PROTO_SSDP))
		json_object_set_new(j, "ssdp", ssdp_json(&f->ssdp));
	if (facts_has(f, PROTO_STUN))
		json_object_set_new(j, "stun", stun_json(&f->stun));
	if (facts_has(f, PROTO_WIREGUARD))
		json_object_set_new(j, "wireguard", wireguard_json(&f->wg));
	if (facts_has(f, PROTO_OPENVPN))
		json_object_set_new(j, "openvpn", openvpn_json(&f->openvpn));
	if (facts_has(f, PROTO_NTP))
		json_object_set_new(j, "ntp", ntp_json(&f->ntp));
}

static json_t *addresses_json(const struct facts *f)
{
	json_t *list = json_array();

	for (int i = 0; i < f->n_addrs; i++) {
		const struct place_addr *a = &f->addrs[i];
		char text[IPADDR_TEXT];
		json_t *j = json_object();

		set_text(j, "place", place_name((enum addr_place)a->place));
		set_text(j, "address", ipaddr_format(&a->addr, text, sizeof(text)));
		if (a->port)
			set_number(j, "port", a->port);
		json_array_append_new(list, j);
	}
	return list;
}

/* The names of the bits that are set. */
static json_t *names_json(uint64_t bits, int count, const char *(*name)(int))
{
	json_t *list = json_array();

	for (int i = 0; i < count; i++)
		if (bits >> i & 1)
			json_array_append_new(list, json_string(name(i)));
	return list;
}

static const char *proto_bit_name(int i)
{
	return proto_name((enum proto)i);
}

static const char *reason_bit_name(int i)
{
	return undecodable_name((enum undecodable)i);
}

static void link_json(json_t *j, const struct facts *f)
{
	set_number(j, "linktype", f->linktype);
	if (f->ethertype)
		set_number(j, "ethertype", f->ethertype);
	if (f->has_macs) {
		set_mac(j, "src_mac", f->src_mac);
		if (f->linktype == LINK_ETHERNET)
			set_mac(j, "dst_mac", f->dst_mac);
	}
	if (f->linktype == LINK_SLL || f->linktype == LINK_SLL2)
		set_number(j, "packet_type", f->sll_type);
	if (f->ifindex)
		set_number(j, "ifindex", f->ifindex);
	if (f->n_vlans) {
		json_t *tags = json_array();

		for (int i = 0; i < f->n_vlans; i++)
			json_array_append_new(tags, json_integer(f->vlan[i]));
		json_object_set_new(j, "vlan", tags);
	}
}

/* As a number, and as text for readers whose numbers have 53 bits: seconds, nine digits, the sign in front. */
static void set_time(json_t *j, int64_t time)
{
	uint64_t ns = time < 0 ? 0 - (uint64_t)time : (uint64_t)time;
	char text[32];

	(void)snprintf(text, sizeof(text), "%s%" PRIu64 ".%09" PRIu64, time < 0 ? "-" : "",
		       ns / 1000000000, ns % 1000000000);
	json_object_set_new(j, "time", json_string(text));
	json_object_set_new(j, "time_ns", json_integer(time));
}

json_t *facts_to_json(const struct facts *f)
{
	json_t *j = json_object(), *layers = json_array();

	if (!j || !layers) {
		json_decref(j);
		json_decref(layers);
		return NULL;
	}
	set_time(j, f->time);
	set_number(j, "length", f->len);
	set_number(j, "captured", f->caplen);
	link_json(j, f);
	for (int i = 0; i < f->n_layers; i++)
		json_array_append_new(layers, layer_json(&f->layer[i]));
	json_object_set_new(j, "layers", layers);
	if (f->has_quoted)
		json_object_set_new(j, "quoted", layer_json(&f->quoted));
	json_object_set_new(j, "protocols", names_json(f->protos, PROTO_COUNT, proto_bit_name));
	if (f->weak)
		json_object_set_new(j, "weak", names_json(f->weak, PROTO_COUNT, proto_bit_name));
	details(j, f);
	if (f->n_addrs)
		json_object_set_new(j, "addresses", addresses_json(f));
	set_flag(j, "reassembled", f->reassembled);
	json_object_set_new(j, "undecodable", json_boolean(f->undecodable));
	if (f->reason != UND_NONE)
		set_text(j, "reason", undecodable_name((enum undecodable)f->reason));
	if (f->reasons)
		json_object_set_new(j, "reasons",
				    names_json(f->reasons, UND_COUNT, reason_bit_name));
	return j;
}
