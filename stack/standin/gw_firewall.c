// SPDX-License-Identifier: MIT
/* Firewall of the gateway stand-in: upstream's iptables commands, one process each, in its order. Before a group of
 * commands it saves the rules; what it saves is of no use here, but the time that it takes is. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway.h"

#define POST_RULES "/iptables/post-rules.txt"
#define RULE_MAX   512

bool firewall_on;

static const char *iptables, *ip6tables; /* ip6tables: NULL when none works */
static bool vpn_allowed;

static int v4(const char *rule)
{
	return run("%s %s", iptables, rule);
}

/* Without a working ip6tables every IPv6 rule is silently left out, as upstream does. */
static int v6(const char *rule)
{
	return ip6tables ? run("%s %s", ip6tables, rule) : 0;
}

static void save4(void)
{
	char line[64];

	(void)snprintf(line, sizeof(line), "%s-save", iptables);
	free(capture(line));
}

static void save6(void)
{
	char line[64];

	if (!ip6tables)
		return;
	(void)snprintf(line, sizeof(line), "%s-save", ip6tables);
	free(capture(line));
}

__attribute__((format(printf, 1, 2))) static int rule4(const char *fmt, ...)
{
	char rule[RULE_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(rule, sizeof(rule), fmt, ap);
	va_end(ap);
	save4();
	return v4(rule);
}

__attribute__((format(printf, 1, 2))) static int rule6(const char *fmt, ...)
{
	char rule[RULE_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(rule, sizeof(rule), fmt, ap);
	va_end(ap);
	save6();
	return v6(rule);
}

/* Each rule for both families; NULL-terminated. */
static int both(const char *const rules[])
{
	int rc = 0;

	save4();
	save6();
	for (; !rc && *rules; rules++)
		rc = v4(*rules) || v6(*rules);
	return rc;
}

static int policies(int (*run_rule)(const char *rule), const char *policy)
{
	static const char *const chains[] = { "INPUT", "OUTPUT", "FORWARD" };
	char rule[64];
	int rc = 0;

	for (size_t i = 0; !rc && i < 3; i++) {
		(void)snprintf(rule, sizeof(rule), "--policy %s %s", chains[i], policy);
		rc = run_rule(rule);
	}
	return rc;
}

/* Does this program work here? Found out by a rule put and taken and the policy set to what it is. */
static bool probe(const char *program)
{
	char line[64], *list;
	bool drop;

	if (run_quiet("%s -A OUTPUT -o probe0 -j DROP", program) ||
	    run_quiet("%s -D OUTPUT -o probe0 -j DROP", program))
		return false;
	(void)snprintf(line, sizeof(line), "%s -nL INPUT", program);
	list = capture(line);
	drop = list && strstr(list, "Chain INPUT (policy DROP)");
	free(list);
	return run_quiet("%s --policy INPUT %s", program, drop ? "DROP" : "ACCEPT") == 0;
}

void firewall_find(void)
{
	static const char *const four[] = { "iptables", "iptables-nft", "iptables-legacy" };
	static const char *const six[] = { "ip6tables", "ip6tables-legacy" };

	for (size_t i = 0; !iptables && i < sizeof(four) / sizeof(four[0]); i++)
		iptables = probe(four[i]) ? four[i] : NULL;
	if (!iptables)
		die("firewall", "no iptables program works: is NET_ADMIN missing?");
	for (size_t i = 0; !ip6tables && i < sizeof(six) / sizeof(six[0]); i++)
		ip6tables = probe(six[i]) ? six[i] : NULL;
}

/* The command behind one of upstream's prefixes; the prefix only tells the family. NULL: the line is ignored. */
static const char *post_rule(const char *line, bool *six)
{
	static const char *const prefixes[] = {
		"iptables ",  "iptables-nft ",	"iptables-legacy ",
		"ip6tables ", "ip6tables-nft ", "ip6tables-legacy "
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(line, prefixes[i], strlen(prefixes[i])) == 0) {
			*six = i >= 3;
			return line + strlen(prefixes[i]);
		}
	return NULL;
}

static int post_rules(void)
{
	char *text = read_file(POST_RULES), *save = NULL;
	int rc = 0;

	if (!text)
		return 0;
	save4();
	save6();
	for (char *l = strtok_r(text, "\n", &save); l && !rc; l = strtok_r(NULL, "\n", &save)) {
		bool six = false;
		const char *rule = post_rule(l, &six);

		if (!rule)
			continue;
		rc = six && !ip6tables ? -1 : six ? v6(rule) : v4(rule);
		if (rc)
			say("firewall", "ERROR post-rule failed: %s", l);
	}
	free(text);
	return rc;
}

static int enable_networks(void)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < n_local_nets; i++) {
		bool seen = false;

		rc = rule4("--append OUTPUT -o %s -s %s -d %s -j ACCEPT", local_nets[i].dev,
			   local_nets[i].address, local_nets[i].prefix);
		for (size_t k = 0; k < i; k++)
			seen = seen || strcmp(local_nets[k].dev, local_nets[i].dev) == 0;
		if (!rc && !seen)
			rc = rule6("--append OUTPUT -o %s -d ff02::1:ff00:0/104 -j ACCEPT",
				   local_nets[i].dev);
	}
	for (size_t i = 0; !rc && i < n_local_nets; i++)
		rc = rule4("--append INPUT -i %s -d %s -j ACCEPT", local_nets[i].dev,
			   local_nets[i].prefix);
	return rc;
}

static int enable_steps(void)
{
	static const char *const lo_in[] = { "--append INPUT -i lo -j ACCEPT", NULL };
	static const char *const lo_out[] = { "--append OUTPUT -o lo -j ACCEPT", NULL };
	static const char *const established[] = {
		"--append OUTPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
		"--append INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT", NULL
	};

	save4();
	if (policies(v4, "DROP"))
		return -1;
	save6();
	if (policies(v6, "DROP") || both(lo_in) || both(lo_out) || both(established) ||
	    enable_networks())
		return -1;
	return post_rules();
}

/* The way of release 3.41.1, which is the worse one: later versions restore what was there at the start, which a
 * wrapper may have closed. */
static void open_all(void)
{
	(void)v4("--flush");
	(void)v6("--flush");
	(void)v4("--delete-chain");
	(void)v6("--delete-chain");
	(void)policies(v4, "ACCEPT");
	(void)policies(v6, "ACCEPT");
}

void firewall_enable(void)
{
	if (!firewall_on)
		return;
	say("firewall", "enabling...");
	save4();
	save6();
	if (enable_steps()) {
		open_all();
		die("firewall", "enabling failed: everything is open again");
	}
	say("firewall", "enabled successfully");
}

void firewall_version(void)
{
	(void)run("%s --version", iptables);
}

void firewall_outbound(void)
{
	const char *list = setting("FIREWALL_OUTBOUND_SUBNETS", "");
	char subnet[64];

	for (unsigned i = 0; i < list_count(list) && list_pick(list, i, subnet, sizeof(subnet));
	     i++)
		for (size_t k = 0; k < n_default_routes; k++) {
			const struct default_route *d = &default_routes[k];

			if (firewall_on)
				(void)rule4("--append OUTPUT -o %s -s %s -d %s -j ACCEPT", d->dev,
					    d->address, subnet);
			(void)run("ip route replace %s via %s dev %s table 199", subnet, d->router,
				  d->dev);
			(void)run("ip rule add to %s table 199 priority 99", subnet);
		}
}

static void allow_port(const char *verb, const char *dev, const char *port)
{
	char tcp[RULE_MAX], udp[RULE_MAX];
	const char *const rules[] = { tcp, udp, NULL };

	(void)snprintf(tcp, sizeof(tcp), "%s INPUT -i %s -p tcp -m tcp --dport %s -j ACCEPT", verb,
		       dev, port);
	(void)snprintf(udp, sizeof(udp), "%s INPUT -i %s -p udp -m udp --dport %s -j ACCEPT", verb,
		       dev, port);
	(void)both(rules);
}

void firewall_input(void)
{
	const char *list = setting("FIREWALL_INPUT_PORTS", "");
	char port[16];

	if (!firewall_on)
		return;
	for (unsigned i = 0; i < list_count(list) && list_pick(list, i, port, sizeof(port)); i++)
		for (size_t k = 0; k < n_default_routes; k++)
			allow_port("--append", default_routes[k].dev, port);
}

void firewall_vpn_ports(const char *tun, bool remove)
{
	const char *list = setting("FIREWALL_VPN_INPUT_PORTS", "");
	char port[16];

	if (!firewall_on)
		return;
	for (unsigned i = 0; i < list_count(list) && list_pick(list, i, port, sizeof(port)); i++)
		allow_port(remove ? "--delete" : "--append", tun, port);
}

/* The pair stays over restarts of the VPN: the endpoint of a custom provider never changes. */
void firewall_allow_vpn(const char *address, const char *port, const char *tun)
{
	char rule[RULE_MAX];
	const char *const rules[] = { rule, NULL };

	if (!firewall_on || vpn_allowed)
		return;
	say("firewall", "allowing VPN connection...");
	for (size_t i = 0; i < n_default_routes; i++)
		(void)rule4("--append OUTPUT -d %s -o %s -p udp -m udp --dport %s -j ACCEPT",
			    address, default_routes[i].dev, port);
	(void)snprintf(rule, sizeof(rule), "--append OUTPUT -o %s -j ACCEPT", tun);
	(void)both(rules);
	vpn_allowed = true;
}
