// SPDX-License-Identifier: MIT
/* Helpers of the rules: the words of the sentences. */
#include "rule/rule_help.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>

char *rule_endpoint(const struct ipaddr *a, uint16_t port, bool has_port, char *buf, size_t size)
{
	char text[IPADDR_TEXT];

	(void)ipaddr_format(a, text, sizeof(text));
	if (!has_port)
		(void)snprintf(buf, size, "%s", text);
	else if (ipaddr_is_v4(a))
		(void)snprintf(buf, size, "%s:%u", text, port);
	else
		(void)snprintf(buf, size, "[%s]:%u", text, port);
	return buf;
}

char *rule_destination(const struct rule_ctx *c, char *buf, size_t size)
{
	const struct net_layer *l = facts_outer(c->facts);

	if (!l) {
		(void)snprintf(buf, size, "somewhere");
		return buf;
	}
	return rule_endpoint(&l->dst, l->dport, l->has_ports, buf, size);
}

char *rule_source(const struct rule_ctx *c, char *buf, size_t size)
{
	const struct net_layer *l = facts_outer(c->facts);

	if (!l) {
		(void)snprintf(buf, size, "somewhere");
		return buf;
	}
	return rule_endpoint(&l->src, l->sport, l->has_ports, buf, size);
}

const char *rule_transport(const struct rule_ctx *c, char *buf, size_t size)
{
	const struct net_layer *l = facts_outer(c->facts);

	if (!l)
		return "non-IP";
	switch (l->proto) {
	case IPPROTO_TCP:
		return "TCP";
	case IPPROTO_UDP:
		return "UDP";
	case IPPROTO_ICMP:
		return "ICMP";
	case IPPROTO_ICMPV6:
		return "ICMPv6";
	}
	(void)snprintf(buf, size, "IP protocol %u", l->proto);
	return buf;
}

bool rule_say(struct rule_hit *hit, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(hit->what, sizeof(hit->what), fmt, ap);
	va_end(ap);
	return true;
}

bool rule_sent(const struct rule_ctx *c, const char *name, struct rule_hit *hit)
{
	char dest[ENDPOINT_TEXT];

	return rule_say(hit, "sent %s to %s outside the tunnel", name,
			rule_destination(c, dest, sizeof(dest)));
}
