// SPDX-License-Identifier: MIT
/* DNS of the gateway stand-in: dnsmasq with upstream's rules. What looks local, that is everything whose last label is
 * no top-level domain of the list of public suffixes, goes to the resolver that the container had at its start. */
#include <ctype.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway.h"

#define CONF	 "/tmp/gluetun-dnsmasq.conf"
#define RESOLV	 "/etc/resolv.conf"
#define SUFFIXES "/usr/share/publicsuffix/public_suffix_list.dat" /* Debian's publicsuffix */

#define READY_MS   300 /* release 3.41 waits so long before its first try of the server */
#define ADD_MS	   100 /* so much longer after each */
#define TRIES	   10
#define TRY_NAME   "github.com"
#define BACKOFF_MS 10000 /* upstream's first, doubled until a success */

static pid_t server, trial;		       /* trial: a child that tries the server */
static int64_t retry_at, backoff = BACKOFF_MS; /* retry_at: 0 = no retry is due */
static char local_resolver[INET_ADDRSTRLEN];   /* "" = none */

/* Private (RFC 1918) or loopback: upstream calls such resolvers the local ones. */
static bool is_private(const char *address)
{
	uint8_t b[4];

	return inet_pton(AF_INET, address, b) == 1 &&
	       (b[0] == 127 || b[0] == 10 || (b[0] == 172 && b[1] >= 16 && b[1] < 32) ||
		(b[0] == 192 && b[1] == 168));
}

void dns_find_local(void)
{
	char *text = read_file(RESOLV);
	const char *at = text ? strstr(text, "nameserver ") : NULL;

	if (at)
		(void)snprintf(local_resolver, sizeof(local_resolver), "%.*s",
			       (int)strspn(at + 11, "0123456789."), at + 11);
	if (!is_private(local_resolver))
		local_resolver[0] = '\0';
	free(text);
}

/* Is this a rule of the list that dnsmasq takes? Others have letters beyond ASCII: names under them look local here. */
static bool plain_rule(const char *line)
{
	for (const char *c = line; *c; c++)
		if ((unsigned char)*c > 127)
			return false;
	return isalnum((unsigned char)line[0]) || line[0] == '*' || line[0] == '!';
}

/* The last label of each rule of the list's first part, which the registries of the root zone stand behind. A rule for
 * it alone comes first, so one look at the line before is enough. */
static void write_public(FILE *out, const char *upstream)
{
	char line[256], last[256] = "";
	FILE *f = fopen(SUFFIXES, "re");

	while (f && fgets(line, sizeof(line), f) && !strstr(line, "===END ICANN DOMAINS===")) {
		const char *dot, *tld;

		line[strcspn(line, " \t\r\n")] = '\0';
		if (!plain_rule(line))
			continue;
		dot = strrchr(line, '.');
		tld = dot ? dot + 1 : line;
		if (strcmp(tld, last) == 0)
			continue;
		(void)snprintf(last, sizeof(last), "%s", tld);
		(void)fprintf(out, "server=/%s/%s\n", tld, upstream);
	}
	if (f)
		(void)fclose(f);
	else
		say("dns", "WARN no " SUFFIXES ": every name looks local");
}

static int write_conf(void)
{
	const char *list = setting("DNS_UPSTREAM_PLAIN_ADDRESSES", "");
	FILE *out = fopen(CONF, "we");
	char one[64];

	if (!out)
		return -1;
	/* No stop-dns-rebind: it takes addresses for documentation, which a lab has, for private ones. */
	(void)fputs(
		"no-resolv\nno-hosts\nno-poll\nuser=root\ngroup=root\npid-file=\ncache-size=1000\n",
		out);
	if (!setting_on("DNS_CACHING", true))
		(void)fputs("cache-size=0\n", out);
	if (local_resolver[0])
		(void)fprintf(out, "server=%s\nserver=//%s\n", local_resolver, local_resolver);
	else
		(void)fputs("address=/#/\n", out); /* no such name */
	for (unsigned i = 0; i < list_count(list) && list_pick(list, i, one, sizeof(one)); i++) {
		char *colon = strrchr(one, ':');

		if (colon)
			*colon = '#';
		write_public(out, one);
	}
	return fclose(out);
}

/* Upstream replaces the name servers, "IP,IP:53,...", and leaves the other lines. */
static void use_servers(const char *list)
{
	char *text = read_file(RESOLV), *save = NULL;
	FILE *f = fopen(RESOLV, "we");
	char one[64];

	if (f) {
		for (unsigned i = 0; i < list_count(list) && list_pick(list, i, one, sizeof(one));
		     i++)
			(void)fprintf(f, "nameserver %.*s\n", (int)strcspn(one, ":"), one);
		for (char *l = text ? strtok_r(text, "\n", &save) : NULL; l;
		     l = strtok_r(NULL, "\n", &save))
			if (strncmp(l, "nameserver ", 11) != 0)
				(void)fprintf(f, "%s\n", l);
		(void)fclose(f);
	}
	free(text);
}

static bool found(const char *name)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;

	if (getaddrinfo(name, "443", &hints, &list) != 0)
		return false;
	freeaddrinfo(list);
	return true;
}

/* Release 3.41 gives its server up where it does not find this name. */
static pid_t try_server(void)
{
	pid_t pid = fork_plain();
	bool ok = false;

	if (pid != 0)
		return pid;
	for (int i = 0; !ok && i < TRIES; i++) {
		sleep_ms(READY_MS + i * ADD_MS);
		ok = found(TRY_NAME);
	}
	_exit(ok ? 0 : 1);
}

static void random_label(char *out, size_t len)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";

	for (size_t i = 0; i < len; i++)
		out[i] = letters[(size_t)rand() % (sizeof(letters) - 1)];
	out[len] = '\0';
}

/* Upstream looks five random names of a leak test up when its server is ready; what they are good for is not asked. */
static void look_home(void)
{
	char session[41], one[13], name[96];

	if (fork_plain() != 0)
		return;
	srand((unsigned)now_ms() ^ (unsigned)getpid());
	random_label(session, 40);
	for (int i = 0; i < 5; i++) {
		random_label(one, 12);
		(void)snprintf(name, sizeof(name), "%s-%s.ipleak.net", session, one);
		(void)found(name);
	}
	_exit(0);
}

/* What upstream's own lookups go to while it has no server. */
static void use_upstream(void)
{
	use_servers(setting("DNS_UPSTREAM_PLAIN_ADDRESSES", ""));
}

static void retry_later(const char *why)
{
	use_upstream();
	say("dns", "ERROR %s; attempting restart in %ds", why, (int)(backoff / 1000));
	retry_at = now_ms() + backoff;
	backoff *= 2;
}

static void start(void)
{
	char program[] = "dnsmasq", stay[] = "--keep-in-foreground", conf[] = "--conf-file=" CONF,
	     log[] = "--log-facility=-";
	char *argv[] = { program, stay, conf, log, NULL };

	if (write_conf() < 0) {
		say("dns", "ERROR " CONF " cannot be written");
		return;
	}
	server = spawn(argv, -1, -1, false);
	use_servers("127.0.0.1");
	say("dns", "DNS server listening on [::]:53");
	trial = try_server();
}

void dns_start(void)
{
	if (server > 0 || retry_at)
		return;
	if (setting_on("DNS_SERVER", true))
		start();
	else
		use_upstream();
}

void dns_stop(void)
{
	retry_at = 0;
	end_child(&trial);
	end_child(&server);
}

bool dns_running(void)
{
	return server > 0;
}

static void trial_ended(int status)
{
	trial = 0;
	if (status == 0) {
		backoff = BACKOFF_MS;
		say("dns", "ready and using DNS server with plain upstream resolvers");
		look_home();
		return;
	}
	end_child(&server);
	retry_later("DNS is not working: " TRY_NAME " is not found");
}

bool dns_ended(pid_t pid, int status)
{
	if (pid == trial) {
		trial_ended(status);
		return true;
	}
	if (pid != server)
		return false;
	server = 0;
	end_child(&trial);
	retry_later("the server ended");
	return true;
}

void dns_tick(void)
{
	if (!retry_at || now_ms() < retry_at)
		return;
	retry_at = 0;
	dns_start();
}
