// SPDX-License-Identifier: MIT
/* Stand-in for the Gluetun gateway: the same settings, the same firewall commands in the same order, the same
 * restarts, DNS, health and control servers, with the same weak spots (no FORWARD rule of its own, open
 * policies for a moment after the start, a bad post-rule opens the firewall and ends the program). */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define VERSION		 "leakproof stand-in"
#define ARGS_MAX	 48
#define NETS_MAX	 8
#define TEXT_MAX	 65536
#define FWMARK		 "51820" /* Gluetun's WireGuard mark and routing table */
#define BACKOFF_MS	 15000	 /* its first back-off, doubled until a success */
#define STARTUP_CHECK_MS 6000
#define CHECK_PERIOD_S	 60
#define POST_RULES	 "/iptables/post-rules.txt"
#define ROLES_FILE	 "/gluetun/auth/config.toml"

enum vpn_state { VPN_STOPPED, VPN_STARTING, VPN_RUNNING, VPN_CRASHED };

struct local_net {
	char dev[IF_NAMESIZE];
	char address[INET_ADDRSTRLEN];
	char prefix[INET_ADDRSTRLEN + 3];
};

static struct {
	const char *iptables, *ip6tables; /* ip6tables: NULL when none works */
	char *saved4, *saved6;
	struct local_net nets[NETS_MAX];
	size_t n_nets;
	struct local_net uplink; /* of the default route */
	char router[INET_ADDRSTRLEN];
	char local_dns[INET_ADDRSTRLEN]; /* for names that look local; "" = none */
	bool firewall, endpoint_rule;
	const char *tun;
	enum vpn_state state;
	bool healthy;
	pid_t wireguard, dns, checker;
	int64_t retry_at, backoff; /* ms */
} g;

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void sleep_ms(int64_t ms)
{
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

__attribute__((format(printf, 2, 3))) static void say(const char *who, const char *fmt, ...)
{
	va_list ap;

	printf("[%s] ", who);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	(void)fflush(stdout);
}

/* ---- settings: secret file, then file, then environment ---- */

static char *read_file(const char *path)
{
	char *text = calloc(1, TEXT_MAX);
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f || !text) {
		free(text);
		if (f)
			(void)fclose(f);
		return NULL;
	}
	n = fread(text, 1, TEXT_MAX - 1, f);
	(void)fclose(f);
	while (n && isspace((unsigned char)text[n - 1]))
		text[--n] = '\0';
	return text;
}

static char *setting_file(const char *key, const char *suffix, const char *dir)
{
	char name[128], path[256];
	const char *given;
	size_t n;

	(void)snprintf(name, sizeof(name), "%s%s", key, suffix);
	given = getenv(name);
	if (given && *given)
		return read_file(given);
	n = (size_t)snprintf(path, sizeof(path), "%s/%s", dir, key);
	for (size_t i = strlen(dir); i < n && i < sizeof(path); i++)
		path[i] = (char)tolower((unsigned char)path[i]);
	return read_file(path);
}

/* Lives until the program ends, as all settings do. */
static const char *setting(const char *key, const char *fallback)
{
	char *text = setting_file(key, "_SECRETFILE", "/run/secrets");
	const char *env = getenv(key);

	if (!text)
		text = setting_file(key, "_FILE", "/gluetun");
	if (text && *text)
		return text;
	free(text);
	return env && *env ? env : fallback;
}

static bool setting_on(const char *key, bool fallback)
{
	const char *v = setting(key, fallback ? "on" : "off");

	return strcmp(v, "on") == 0 || strcmp(v, "true") == 0 || strcmp(v, "yes") == 0 ||
	       strcmp(v, "1") == 0;
}

static const char *required(const char *key)
{
	const char *v = setting(key, "");

	if (!*v) {
		say("settings", "ERROR %s is not set", key);
		exit(1);
	}
	return v;
}

/* ---- child processes ---- */

static pid_t spawn(char *const argv[], int in, int out, bool quiet)
{
	pid_t pid = fork();
	sigset_t none;

	if (pid != 0)
		return pid;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (in >= 0)
		(void)dup2(in, STDIN_FILENO);
	if (out >= 0)
		(void)dup2(out, STDOUT_FILENO);
	if (quiet) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		(void)dup2(null, STDERR_FILENO);
		if (out < 0)
			(void)dup2(null, STDOUT_FILENO);
	}
	(void)execvp(argv[0], argv);
	_exit(127);
}

static int wait_for(pid_t pid)
{
	int status = 0;

	if (pid < 0)
		return 127;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* One command; its words are separated by single spaces, as none of ours has a space in a word. */
static int run_line(const char *line, bool quiet)
{
	char buf[1024], *argv[ARGS_MAX + 1], *save = NULL;
	size_t n = 0;

	(void)snprintf(buf, sizeof(buf), "%s", line);
	for (char *w = strtok_r(buf, " \t", &save); w && n < ARGS_MAX;
	     w = strtok_r(NULL, " \t", &save))
		argv[n++] = w;
	argv[n] = NULL;
	return n ? wait_for(spawn(argv, -1, -1, quiet)) : 0;
}

__attribute__((format(printf, 1, 2))) static int run(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return run_line(line, false);
}

__attribute__((format(printf, 1, 2))) static int run_quiet(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return run_line(line, true);
}

/* Standard output of `program arg`; NULL when it fails. */
static char *capture(const char *program, const char *arg)
{
	char name[64], option[64], *argv[] = { name, *arg ? option : NULL, NULL };
	char *text = calloc(1, TEXT_MAX);
	size_t len = 0;
	ssize_t n;
	int fds[2];
	pid_t pid;

	(void)snprintf(name, sizeof(name), "%s", program);
	(void)snprintf(option, sizeof(option), "%s", arg);
	if (!text || pipe2(fds, O_CLOEXEC) < 0) {
		free(text);
		return NULL;
	}
	pid = spawn(argv, -1, fds[1], true);
	(void)close(fds[1]);
	while (len < TEXT_MAX - 1 && (n = read(fds[0], text + len, TEXT_MAX - 1 - len)) > 0)
		len += (size_t)n;
	(void)close(fds[0]);
	if (wait_for(pid) == 0)
		return text;
	free(text);
	return NULL;
}

/* Run `argv` with text on its standard input. The text must fit a pipe (64 KiB, pipe(7)). */
static int feed(char *const argv[], const char *text)
{
	int fds[2];
	size_t len = strlen(text);
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return 127;
	pid = spawn(argv, fds[0], -1, false);
	(void)close(fds[0]);
	n = write(fds[1], text, len);
	(void)close(fds[1]);
	return wait_for(pid) == 0 && n == (ssize_t)len ? 0 : 1;
}

static void end_child(pid_t *pid)
{
	int64_t until = now_ms() + 1500;

	if (*pid <= 1)
		return;
	(void)kill(*pid, SIGTERM);
	while (waitpid(*pid, NULL, WNOHANG) == 0) {
		if (now_ms() > until)
			(void)kill(*pid, SIGKILL);
		sleep_ms(5);
	}
	*pid = 0;
}

/* ---- networks and routing ---- */

static void describe(const struct ifaddrs *a, struct local_net *net)
{
	uint32_t ip, mask;
	struct in_addr base;
	char text[INET_ADDRSTRLEN];

	memcpy(&ip, &((const struct sockaddr_in *)(const void *)a->ifa_addr)->sin_addr, 4);
	memcpy(&mask, &((const struct sockaddr_in *)(const void *)a->ifa_netmask)->sin_addr, 4);
	base.s_addr = ip & mask;
	(void)snprintf(net->dev, sizeof(net->dev), "%s", a->ifa_name);
	(void)inet_ntop(AF_INET, &ip, net->address, sizeof(net->address));
	(void)inet_ntop(AF_INET, &base, text, sizeof(text));
	(void)snprintf(net->prefix, sizeof(net->prefix), "%s/%d", text, __builtin_popcount(mask));
}

static void find_networks(void)
{
	struct ifaddrs *list;

	if (getifaddrs(&list) < 0)
		return;
	for (struct ifaddrs *a = list; a && g.n_nets < NETS_MAX; a = a->ifa_next) {
		struct local_net net = { 0 };
		bool known = false;

		if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET || !a->ifa_netmask ||
		    (a->ifa_flags & (IFF_LOOPBACK | IFF_POINTOPOINT)))
			continue;
		describe(a, &net);
		for (size_t i = 0; i < g.n_nets; i++)
			known = known || strcmp(g.nets[i].prefix, net.prefix) == 0;
		if (!known)
			g.nets[g.n_nets++] = net;
	}
	freeifaddrs(list);
}

/* The default route of the main table, from /proc/net/route (hexadecimal, network byte order). */
static bool find_default_route(void)
{
	char line[256], dev[IF_NAMESIZE];
	unsigned dest, router, flags;
	bool found = false;
	FILE *f = fopen("/proc/net/route", "re");

	while (f && !found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%15s %x %x %x", dev, &dest, &router, &flags) != 4 || dest ||
		    !router)
			continue;
		for (size_t i = 0; i < g.n_nets; i++)
			if (strcmp(g.nets[i].dev, dev) == 0) {
				g.uplink = g.nets[i];
				found = true;
			}
		(void)inet_ntop(AF_INET, &router, g.router, sizeof(g.router));
	}
	if (f)
		(void)fclose(f);
	return found;
}

/* The resolver for names that look local: the private or loopback one that was there at the start. */
static void find_local_dns(void)
{
	char *text = read_file("/etc/resolv.conf");
	char *at = text ? strstr(text, "nameserver ") : NULL;
	unsigned a = 0, b = 0;

	if (at && sscanf(at, "nameserver %15[0-9.]", g.local_dns) == 1 &&
	    sscanf(g.local_dns, "%u.%u", &a, &b) == 2 &&
	    (a == 127 || a == 10 || (a == 172 && b >= 16 && b < 32) || (a == 192 && b == 168))) {
		/* Our own entry from before a restart of the container: Docker's is meant. */
		if (strcmp(g.local_dns, "127.0.0.1") == 0)
			(void)snprintf(g.local_dns, sizeof(g.local_dns), "127.0.0.11");
	} else {
		g.local_dns[0] = '\0';
	}
	free(text);
}

static void rules_of_routing(const char *verb)
{
	for (size_t i = 0; i < g.n_nets; i++)
		(void)run("ip rule %s to %s table main priority 98", verb, g.nets[i].prefix);
	(void)run("ip rule %s from %s table 200 priority 100", verb, g.uplink.address);
}

static void set_routing(void)
{
	(void)run("ip route replace default via %s dev %s table 200", g.router, g.uplink.dev);
	rules_of_routing("add");
}

/* ---- firewall ---- */

__attribute__((format(printf, 1, 2))) static int rule4(const char *fmt, ...)
{
	char args[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(args, sizeof(args), fmt, ap);
	va_end(ap);
	return run("%s %s", g.iptables, args);
}

/* Without a working ip6tables every IPv6 rule is silently left out, as upstream does. */
__attribute__((format(printf, 1, 2))) static int rule6(const char *fmt, ...)
{
	char args[512];
	va_list ap;

	if (!g.ip6tables)
		return 0;
	va_start(ap, fmt);
	(void)vsnprintf(args, sizeof(args), fmt, ap);
	va_end(ap);
	return run("%s %s", g.ip6tables, args);
}

/* Upstream saves the rules before each group of instructions; it is kept for the time it takes. */
static void save_again(bool v6)
{
	free(capture("iptables-save", ""));
	if (v6 && g.ip6tables)
		free(capture("ip6tables-save", ""));
}

static int both(const char *args)
{
	save_again(true);
	return rule4("%s", args) || rule6("%s", args);
}

/* Does this program work here? Found out by a rule put and taken and the policy set to what it is. */
static bool probe(const char *program)
{
	char *list;
	bool drop;

	if (run_quiet("%s --append OUTPUT -o probe0 -j DROP", program) ||
	    run_quiet("%s --delete OUTPUT -o probe0 -j DROP", program))
		return false;
	list = capture(program, "-S");
	drop = list && strstr(list, "-P INPUT DROP");
	free(list);
	return run_quiet("%s --policy INPUT %s", program, drop ? "DROP" : "ACCEPT") == 0;
}

static void find_iptables(void)
{
	static const char *const v4[] = { "iptables", "iptables-nft", "iptables-legacy" };
	static const char *const v6[] = { "ip6tables", "ip6tables-legacy" };

	for (size_t i = 0; !g.iptables && i < sizeof(v4) / sizeof(v4[0]); i++)
		g.iptables = probe(v4[i]) ? v4[i] : NULL;
	for (size_t i = 0; !g.ip6tables && i < sizeof(v6) / sizeof(v6[0]); i++)
		g.ip6tables = probe(v6[i]) ? v6[i] : NULL;
	if (!g.iptables) {
		say("firewall", "ERROR no iptables program works: is NET_ADMIN missing?");
		exit(1);
	}
}

static void save_rules(void)
{
	g.saved4 = capture("iptables-save", "");
	g.saved6 = g.ip6tables ? capture("ip6tables-save", "") : NULL;
}

static void restore_rules(void)
{
	char name4[] = "iptables-restore", name6[] = "ip6tables-restore";
	char *argv4[] = { name4, NULL }, *argv6[] = { name6, NULL };

	if (g.saved4)
		(void)feed(argv4, g.saved4);
	if (g.saved6)
		(void)feed(argv6, g.saved6);
}

static int post_rule(char *line)
{
	char *space = strchr(line, ' ');
	bool v6 = strncmp(line, "ip6tables", 9) == 0;

	if (!space || (strncmp(line, "iptables", 8) != 0 && !v6))
		return 0;
	say("firewall", "post-rule: %s", line);
	return v6 ? rule6("%s", space + 1) : rule4("%s", space + 1);
}

static int post_rules(void)
{
	char *text = read_file(POST_RULES), *save = NULL;
	int rc = 0;

	for (char *l = text ? strtok_r(text, "\r\n", &save) : NULL; l && !rc;
	     l = strtok_r(NULL, "\r\n", &save)) {
		rc = post_rule(l);
		if (rc)
			say("firewall", "ERROR post-rule failed: %s", l);
	}
	free(text);
	return rc;
}

static int enable_steps(void)
{
	static const char *const policies[] = { "--policy INPUT DROP", "--policy OUTPUT DROP",
						"--policy FORWARD DROP" };
	static const char *const early[] = {
		"--append INPUT -i lo -j ACCEPT",
		"--append OUTPUT -o lo -j ACCEPT",
		"--append OUTPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
		"--append INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < 3; i++)
		rc = rule4("%s", policies[i]);
	for (size_t i = 0; !rc && i < 3; i++)
		rc = rule6("%s", policies[i]);
	for (size_t i = 0; !rc && i < 4; i++)
		rc = both(early[i]);
	for (size_t i = 0; !rc && i < g.n_nets; i++) {
		rc = rule4("--append OUTPUT -o %s -s %s -d %s -j ACCEPT", g.nets[i].dev,
			   g.nets[i].address, g.nets[i].prefix) ||
		     rule6("--append OUTPUT -o %s -d ff02::1:ff00:0/104 -j ACCEPT", g.nets[i].dev);
	}
	for (size_t i = 0; !rc && i < g.n_nets; i++)
		rc = rule4("--append INPUT -i %s -d %s -j ACCEPT", g.nets[i].dev, g.nets[i].prefix);
	return rc ? rc : post_rules();
}

/* A failure puts the rules back as they were, which may well mean open, and ends the program: upstream's way. */
static void enable_firewall(void)
{
	if (!g.firewall) {
		say("firewall", "WARN firewall disabled");
		return;
	}
	save_rules();
	save_again(false);
	if (enable_steps()) {
		restore_rules();
		say("firewall", "ERROR enabling failed, rules restored");
		exit(1);
	}
	say("firewall", "enabled successfully");
}

static void endpoint_rules(void)
{
	(void)rule4("--append OUTPUT -d %s -o %s -p udp -m udp --dport %s -j ACCEPT",
		    required("WIREGUARD_ENDPOINT_IP"), g.uplink.dev,
		    setting("WIREGUARD_ENDPOINT_PORT", "51820"));
	(void)rule4("--append OUTPUT -o %s -j ACCEPT", g.tun);
	(void)rule6("--append OUTPUT -o %s -j ACCEPT", g.tun);
}

/* The pair stays over restarts of the VPN: the endpoint of a custom provider never changes. */
static void allow_endpoint(void)
{
	if (!g.firewall || g.endpoint_rule)
		return;
	endpoint_rules();
	g.endpoint_rule = true;
}

/* ---- DNS ---- */

static void start_dns(void)
{
	static char servers[8][64], local[192];
	char program[] = "dnsmasq", *argv[24] = { program };
	const char *fixed[] = { "--keep-in-foreground",
				"--conf-file=/dev/null",
				"--no-resolv",
				"--no-hosts",
				"--no-poll",
				"--user=root",
				"--group=root",
				"--pid-file=",
				"--cache-size=1000",
				"--max-cache-ttl=60",
				"--log-facility=-" };
	char *list = strdup(setting("DNS_UPSTREAM_PLAIN_ADDRESSES", "")), *save = NULL;
	size_t n = 1, s = 0;
	FILE *f;

	if (g.dns > 0 || !list || !setting_on("DNS_SERVER", true)) {
		free(list);
		return;
	}
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		argv[n++] = strdup(fixed[i]);
	for (char *a = strtok_r(list, ", ", &save); a && s < 8; a = strtok_r(NULL, ", ", &save)) {
		char *colon = strrchr(a, ':');

		if (colon)
			*colon = '#';
		(void)snprintf(servers[s], sizeof(servers[s]), "--server=%s", a);
		argv[n++] = servers[s++];
	}
	/* Upstream asks the container's first resolver for names without a dot and for top-level domains
	 * that the list of public suffixes does not have; these are such ones. */
	if (g.local_dns[0]) {
		(void)snprintf(
			local, sizeof(local),
			"--server=//local/lan/private/internal/corp/home/intranet/example/test/"
			"invalid/%s",
			g.local_dns);
		argv[n++] = local;
	}
	argv[n] = NULL;
	g.dns = spawn(argv, -1, -1, false);
	free(list);
	f = fopen("/etc/resolv.conf", "we");
	if (f) {
		(void)fputs("nameserver 127.0.0.1\n", f);
		(void)fclose(f);
	}
	say("dns", "ready on port 53");
}

/* ---- health checks: a child that ends when the tunnel is found dead ---- */

static int dial(const char *target, int timeout_ms)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_family = AF_INET };
	char host[256], port[8] = "443";
	struct addrinfo *list;
	struct pollfd p = { .events = POLLOUT };
	int error = 1;
	socklen_t len = sizeof(error);

	if (sscanf(target, "%255[^:]:%7[0-9]", host, port) < 1 ||
	    getaddrinfo(host, port, &hints, &list) != 0)
		return -1;
	p.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)connect(p.fd, list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	if (poll(&p, 1, timeout_ms) == 1)
		(void)getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	(void)close(p.fd);
	return error ? -1 : 0;
}

static uint16_t icmp_sum(const void *data, size_t len)
{
	const uint8_t *b = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(b[i] << 8 | b[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	return htons((uint16_t)~sum);
}

/* One echo (RFC 792); 1 where raw sockets are not allowed, as upstream then checks in another way. */
static int echo(const char *target, int timeout_ms)
{
	struct icmphdr h = { .type = ICMP_ECHO };
	struct sockaddr_in to = { .sin_family = AF_INET };
	uint8_t reply[256];
	int64_t until = now_ms() + timeout_ms;
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int rc = -1;

	if (fd < 0)
		return 1;
	h.un.echo.id = htons((uint16_t)getpid());
	h.checksum = icmp_sum(&h, sizeof(h));
	if (inet_pton(AF_INET, target, &to.sin_addr) != 1 ||
	    sendto(fd, &h, sizeof(h), 0, (const struct sockaddr *)&to, sizeof(to)) < 0)
		until = 0;
	while (rc < 0 && now_ms() < until && poll(&p, 1, (int)(until - now_ms())) == 1) {
		ssize_t n = recv(fd, reply, sizeof(reply), 0);
		const uint8_t *i = reply + (reply[0] & 15) * 4;

		if (n >= (reply[0] & 15) * 4 + 8 && i[0] == ICMP_ECHOREPLY &&
		    memcmp(i + 4, &h.un.echo.id, 2) == 0)
			rc = 0;
	}
	(void)close(fd);
	return rc;
}

/* The n-th of a comma-separated list, round and round. */
static bool pick(const char *list, unsigned n, char *out, size_t size)
{
	unsigned count = 1;

	if (!*list)
		return false;
	for (const char *c = list; *c; c++)
		count += *c == ',';
	for (n %= count; n; n--)
		list = strchr(list, ',') + 1;
	(void)snprintf(out, size, "%.*s", (int)strcspn(list, ","), list);
	return true;
}

/* All targets at once within six seconds; one that answers is enough, as upstream. */
static bool startup_check(const char *targets)
{
	char one[256];
	bool ok = false;
	unsigned count = 1;

	for (const char *c = targets; *c; c++)
		count += *c == ',';
	for (unsigned i = 0; i < count && pick(targets, i, one, sizeof(one)); i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(dial(one, STARTUP_CHECK_MS) == 0 ? 0 : 1);
	}
	for (int status; wait(&status) > 0;)
		ok = ok || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return ok;
}

static bool small_check(unsigned n)
{
	static const int timeouts_s[] = { 5, 5, 5, 10, 10, 10, 15, 15, 15, 30 };
	const char *icmp = setting("HEALTH_ICMP_TARGET_IPS", "1.1.1.1,8.8.8.8");
	const char *tcp = setting("HEALTH_TARGET_ADDRESSES", "cloudflare.com:443,github.com:443");
	char one[256];

	for (size_t i = 0; i < sizeof(timeouts_s) / sizeof(timeouts_s[0]); i++, n++) {
		int ms = timeouts_s[i] * 1000, rc = 1;

		if (strcmp(icmp, "0.0.0.0") == 0)
			icmp = required("WIREGUARD_ENDPOINT_IP");
		if (pick(icmp, n, one, sizeof(one)))
			rc = echo(one, ms);
		if (rc == 1 && pick(tcp, n, one, sizeof(one)))
			rc = dial(one, ms);
		if (rc == 0)
			return true;
	}
	return false;
}

/* Exit status 2: the start-up check failed; 1: a later one. SIGUSR1 to the parent says "healthy". */
static void check_forever(void)
{
	if (!startup_check(setting("HEALTH_TARGET_ADDRESSES", "cloudflare.com:443,github.com:443")))
		_exit(2);
	(void)kill(getppid(), SIGUSR1);
	for (unsigned n = 0;; n++) {
		sleep_ms(CHECK_PERIOD_S * 1000);
		if (!small_check(n))
			_exit(1);
	}
}

static void start_checker(void)
{
	sigset_t none;

	g.checker = fork();
	if (g.checker != 0)
		return;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	check_forever();
}

/* ---- VPN ---- */

static bool interface_exists(void)
{
	return if_nametoindex(g.tun) != 0;
}

static int make_interface(void)
{
	const char *how = setting("WIREGUARD_IMPLEMENTATION", "auto");
	char program[] = "wireguard-go", option[] = "-f", name[IF_NAMESIZE], path[64];
	char *argv[] = { program, option, name, NULL };
	int64_t until = now_ms() + 3000;

	if (strcmp(how, "userspace") != 0 && run_quiet("ip link add %s type wireguard", g.tun) == 0)
		return 0;
	if (strcmp(how, "kernelspace") == 0)
		return -1;
	(void)mkdir("/var/run/wireguard", 0755);
	(void)snprintf(name, sizeof(name), "%s", g.tun);
	(void)snprintf(path, sizeof(path), "/var/run/wireguard/%s.sock", g.tun);
	(void)unlink(path);
	g.wireguard = spawn(argv, -1, -1, true);
	while (!interface_exists() || access(path, F_OK) < 0) {
		if (now_ms() > until)
			return -1;
		sleep_ms(5);
	}
	return 0;
}

static int configure_interface(void)
{
	char conf[2048], wg[] = "wg", verb[] = "setconf", name[IF_NAMESIZE], in[] = "/dev/stdin",
			 one[64];
	char *argv[] = { wg, verb, name, in, NULL };
	const char *list = required("WIREGUARD_ADDRESSES"),
		   *psk = setting("WIREGUARD_PRESHARED_KEY", "");
	unsigned count = 1;

	(void)snprintf(name, sizeof(name), "%s", g.tun);
	(void)snprintf(
		conf, sizeof(conf),
		"[Interface]\nPrivateKey = %s\nFwMark = " FWMARK "\n[Peer]\nPublicKey = %s\n%s%s%s"
		"Endpoint = %s:%s\nAllowedIPs = %s\n",
		required("WIREGUARD_PRIVATE_KEY"), required("WIREGUARD_PUBLIC_KEY"),
		*psk ? "PresharedKey = " : "", psk, *psk ? "\n" : "",
		required("WIREGUARD_ENDPOINT_IP"), setting("WIREGUARD_ENDPOINT_PORT", "51820"),
		setting("WIREGUARD_ALLOWED_IPS", "0.0.0.0/0,::/0"));
	if (feed(argv, conf))
		return -1;
	for (const char *c = list; *c; c++)
		count += *c == ',';
	for (unsigned i = 0; i < count && pick(list, i, one, sizeof(one)); i++)
		if (run("ip address add %s dev %s", one, g.tun))
			return -1;
	return run("ip link set %s mtu %s up", g.tun, setting("WIREGUARD_MTU", "1320")) ||
	       run("ip route replace default dev %s table " FWMARK, g.tun) ||
	       run("ip rule add not fwmark " FWMARK " table " FWMARK " priority 101");
}

/* The tunnel goes, the firewall stays; so does the last word of the health checks, as upstream. */
static void vpn_down(void)
{
	end_child(&g.checker);
	(void)run_quiet("ip rule del priority 101");
	end_child(&g.wireguard);
	if (interface_exists())
		(void)run_quiet("ip link del %s", g.tun);
}

static void vpn_crashed(const char *why)
{
	vpn_down();
	g.state = VPN_CRASHED;
	say("vpn", "ERROR %s; retrying in %d s", why, (int)(g.backoff / 1000));
	g.retry_at = now_ms() + g.backoff;
	g.backoff *= 2;
}

static void vpn_up(void)
{
	allow_endpoint();
	if (make_interface() < 0 || configure_interface() != 0) {
		vpn_crashed("the tunnel could not be made");
		return;
	}
	g.state = VPN_STARTING;
	g.backoff = BACKOFF_MS;
	say("vpn", "tunnel %s up", g.tun);
	start_dns();
	start_checker();
}

static void vpn_stop(void)
{
	vpn_down();
	g.state = VPN_STOPPED;
	say("vpn", "stopped");
}

static void vpn_restart(const char *why)
{
	say("healthcheck", "WARN %s: restarting the VPN", why);
	vpn_down();
	/* Upstream's own restart is quick but never a busy loop. */
	sleep_ms(100);
	vpn_up();
}

/* ---- servers ---- */

static int listen_on(const char *address, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	const int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)inet_pton(AF_INET, address, &a.sin_addr);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 16) < 0) {
		say("http", "ERROR %s:%u: %s", address, port, strerror(errno));
		exit(1);
	}
	return fd;
}

static void reply(int fd, const char *status, const char *body)
{
	char text[1024];
	int n = snprintf(text, sizeof(text),
			 "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
			 "Connection: close\r\n\r\n%s",
			 status, strlen(body), body);

	(void)send(fd, text, (size_t)n, MSG_NOSIGNAL);
}

/* Head and, where one is announced, body of a small request; at most half a second. */
static void receive(int fd, char *buf, size_t size)
{
	const struct timeval tv = { .tv_usec = 500000 };
	size_t len = 0;
	ssize_t n;
	char *end, *announced;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	buf[0] = '\0';
	while (len < size - 1 && (n = recv(fd, buf + len, size - 1 - len, 0)) > 0) {
		len += (size_t)n;
		buf[len] = '\0';
		end = strstr(buf, "\r\n\r\n");
		announced = strcasestr(buf, "content-length:");
		if (end && (!announced || strlen(end + 4) >= strtoul(announced + 15, NULL, 10)))
			return;
	}
}

/* Text between quotes behind `key =` in a line of the roles file. */
static bool quoted(const char *line, const char *key, char *out, size_t size)
{
	const char *q = strncmp(line, key, strlen(key)) == 0 ? strchr(line, '"') : NULL;

	if (!q)
		return false;
	(void)snprintf(out, size, "%.*s", (int)strcspn(q + 1, "\""), q + 1);
	return true;
}

static bool role_allows(const char *auth, const char *key, const char *request)
{
	char given[256] = "";
	const char *header = strcasestr(request, "\nx-api-key:");

	if (strcmp(auth, "none") == 0)
		return true;
	if (header)
		(void)sscanf(header + 11, " %255[^\r\n]", given);
	return strcmp(auth, "apikey") == 0 && *key && strcmp(given, key) == 0;
}

/* A route without a role is refused; basic authentication is not known here and refuses, too. */
static bool authorised(const char *route, const char *request)
{
	char *text = read_file(setting("HTTP_CONTROL_SERVER_AUTH_CONFIG_FILEPATH", ROLES_FILE));
	char want[128], auth[32] = "", key[256] = "", *save = NULL;
	bool covered = false, ok = false;

	(void)snprintf(want, sizeof(want), "\"%s\"", route);
	for (char *l = text ? strtok_r(text, "\n", &save) : NULL; l;
	     l = strtok_r(NULL, "\n", &save)) {
		l += strspn(l, " \t");
		if (strncmp(l, "[[roles]]", 9) == 0) {
			ok = ok || (covered && role_allows(auth, key, request));
			covered = false;
			auth[0] = key[0] = '\0';
		}
		covered = covered || (*l != '#' && strstr(l, want));
		if (!quoted(l, "apikey", key, sizeof(key)))
			(void)quoted(l, "auth", auth, sizeof(auth));
	}
	free(text);
	return ok || (covered && role_allows(auth, key, request));
}

static void put_status(int fd, const char *request)
{
	const char *body = strstr(request, "\r\n\r\n");

	if (body && strstr(body, "\"stopped\"")) {
		if (g.state == VPN_CRASHED || g.state == VPN_STOPPED) {
			reply(fd, "200 OK",
			      g.state == VPN_CRASHED ? "{\"outcome\":\"already crashed\"}\n"
						     : "{\"outcome\":\"already stopped\"}\n");
			return;
		}
		vpn_stop();
		reply(fd, "200 OK", "{\"outcome\":\"stopped\"}\n");
	} else if (body && strstr(body, "\"running\"")) {
		if (g.state != VPN_STOPPED) {
			reply(fd, "200 OK",
			      g.state == VPN_CRASHED ? "{\"outcome\":\"already crashed\"}\n"
						     : "{\"outcome\":\"already running\"}\n");
			return;
		}
		vpn_up();
		reply(fd, "200 OK", "{\"outcome\":\"running\"}\n");
	} else {
		reply(fd, "400 Bad Request", "{\"error\":\"status must be running or stopped\"}\n");
	}
}

static void route_request(int fd, const char *route, const char *request)
{
	static const char *const names[] = { "stopped", "starting", "running", "crashed" };
	char body[64];

	(void)snprintf(body, sizeof(body), "{\"status\":\"%s\"}\n", names[g.state]);
	if (!authorised(route, request))
		reply(fd, "401 Unauthorized", "{\"error\":\"no role for this route\"}\n");
	else if (strcmp(route, "GET /v1/vpn/status") == 0)
		reply(fd, "200 OK", body);
	else if (strcmp(route, "PUT /v1/vpn/status") == 0)
		put_status(fd, request);
	else if (strcmp(route, "GET /v1/publicip/ip") == 0)
		/* As with PUBLICIP_ENABLED=off: the stand-in never asks anybody for its address. */
		reply(fd, "200 OK", "{\"public_ip\":\"\"}\n");
	else if (strcmp(route, "GET /v1/version") == 0)
		reply(fd, "200 OK", "{\"version\":\"" VERSION "\"}\n");
	else
		reply(fd, "404 Not Found", "{\"error\":\"no such route\"}\n");
}

static void serve_control(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	char request[4096], method[8] = "", path[64] = "", route[80];

	if (fd < 0)
		return;
	receive(fd, request, sizeof(request));
	(void)sscanf(request, "%7s %63[^ ?]", method, path);
	(void)snprintf(route, sizeof(route), "%s %s", method, path);
	route_request(fd, route, request);
	(void)close(fd);
}

static void serve_health(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	char request[1024];

	if (fd < 0)
		return;
	receive(fd, request, sizeof(request));
	if (g.healthy)
		reply(fd, "200 OK", "");
	else
		reply(fd, "500 Internal Server Error", "the tunnel is not known to work\n");
	(void)close(fd);
}

/* `gluetun-entrypoint healthcheck`, as Docker's health check runs it. */
static int healthcheck(void)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
	const struct sockaddr_in a = { .sin_family = AF_INET,
				       .sin_port = htons(9999),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char answer[1024];

	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 ||
	    send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0) {
		fprintf(stderr, "health server: %s\n", strerror(errno));
		return 1;
	}
	receive(fd, answer, sizeof(answer));
	if (strncmp(answer, "HTTP/1.1 200 ", 13) == 0)
		return 0;
	fprintf(stderr, "%s\n", answer);
	return 1;
}

/* ---- process 1 ---- */

static void child_ended(pid_t pid, int status)
{
	if (pid == g.checker) {
		g.checker = 0;
		g.healthy = false;
		vpn_restart(WIFEXITED(status) && WEXITSTATUS(status) == 2 ? "start-up check failed"
									  : "tunnel is dead");
	} else if (pid == g.wireguard) {
		g.wireguard = 0;
		vpn_crashed("WireGuard ended");
	} else if (pid == g.dns) {
		g.dns = 0;
		say("dns", "ERROR the server ended");
		start_dns();
	}
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		child_ended(pid, status);
}

static void take_signal(int fd)
{
	struct signalfd_siginfo s;

	if (read(fd, &s, sizeof(s)) != (ssize_t)sizeof(s))
		return;
	if (s.ssi_signo == SIGUSR1 && g.checker > 0 && s.ssi_pid == (uint32_t)g.checker) {
		g.state = VPN_RUNNING;
		g.healthy = true;
		say("healthcheck", "healthy");
	} else if (s.ssi_signo == SIGTERM || s.ssi_signo == SIGINT) {
		say("main", "shutting down");
		vpn_stop();
		rules_of_routing("del");
		end_child(&g.dns);
		exit(0);
	}
}

static int signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void loop(int sig, int health, int control)
{
	struct pollfd p[] = { { .fd = sig, .events = POLLIN },
			      { .fd = health, .events = POLLIN },
			      { .fd = control, .events = POLLIN } };

	for (;;) {
		/* A child may have ended while another was waited for, its signal merged away. */
		(void)poll(p, 3, 1000);
		if (p[0].revents)
			take_signal(sig);
		reap();
		if (p[1].revents)
			serve_health(health);
		if (p[2].revents)
			serve_control(control);
		if (g.state == VPN_CRASHED && now_ms() >= g.retry_at)
			vpn_up();
	}
}

static void read_settings(void)
{
	if (strcmp(setting("VPN_TYPE", "openvpn"), "wireguard") != 0 ||
	    strcmp(setting("VPN_SERVICE_PROVIDER", ""), "custom") != 0) {
		say("settings", "ERROR this stand-in knows VPN_SERVICE_PROVIDER=custom with "
				"VPN_TYPE=wireguard only");
		exit(1);
	}
	g.tun = setting("VPN_INTERFACE", "wg0");
	g.backoff = BACKOFF_MS;
	/* The last name is upstream's; the others are what older files have. */
	g.firewall = setting_on("FIREWALL", true) && setting_on("FIREWALL_ENABLED", true) &&
		     setting_on("FIREWALL_ENABLED_DISABLING_IT_SHOOTS_YOU_IN_YOUR_FOOT", true);
}

int main(int argc, char **argv)
{
	int sig, health, control;

	if (argc > 1 && strcmp(argv[1], "healthcheck") == 0)
		return healthcheck();
	sig = signals();
	read_settings();
	find_networks();
	find_local_dns();
	if (!find_default_route()) {
		say("routing", "ERROR no default route");
		return 1;
	}
	find_iptables();
	enable_firewall();
	(void)required("WIREGUARD_PRIVATE_KEY");
	(void)required("WIREGUARD_PUBLIC_KEY");
	set_routing();
	health = listen_on("127.0.0.1", 9999);
	control = listen_on("0.0.0.0", 8000);
	vpn_up();
	loop(sig, health, control);
	return 0;
}
