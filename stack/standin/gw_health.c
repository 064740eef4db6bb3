// SPDX-License-Identifier: MIT
/* Health checks of the gateway stand-in, with upstream's periods, tries and time limits: a child that writes 'h' or
 * 'u' (healthy or not) into a pipe. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway.h"

#define STARTUP_MS     6000
#define SMALL_PERIOD_S 60
#define FULL_PERIOD_S  300

static struct {
	pid_t checker;
	int pipe; /* its word; -1 = none */
	bool good;

} health = { .pipe = -1 };

static const char *targets(void)
{
	return setting("HEALTH_TARGET_ADDRESSES", "cloudflare.com:443,github.com:443");
}

static int connect_to(const char *host, const char *port, int timeout_ms)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_family = AF_INET };
	struct addrinfo *list;
	struct pollfd p = { .events = POLLOUT };
	int error = 1;
	socklen_t len = sizeof(error);

	if (getaddrinfo(host, port, &hints, &list) != 0)
		return -1;
	p.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)connect(p.fd, list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	if (poll(&p, 1, timeout_ms) == 1)
		(void)getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	(void)close(p.fd);
	return error ? -1 : 0;
}

/* host[:port], port 443 by default; there a TLS handshake with a right certificate is wanted, as upstream. */
static int dial(const char *target, int timeout_ms)
{
	char host[256], port[8] = "443";

	if (sscanf(target, "%255[^:]:%7[0-9]", host, port) < 1)
		return -1;
	if (strcmp(port, "443") != 0)
		return connect_to(host, port, timeout_ms);
	return run_quiet("curl -s -o /dev/null --tlsv1.2 --ipv4 -m %d https://%s/",
			 (timeout_ms + 999) / 1000, host);
}

static uint16_t icmp_sum(const void *data, size_t len)
{
	const uint8_t *b = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		/* NOLINTNEXTLINE(clang-analyzer-core.*): what an initializer leaves out is zero */
		sum += (uint32_t)(b[i] << 8 | b[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	return htons((uint16_t)~sum);
}

/* One echo (RFC 792); 1 where raw sockets are not allowed. */
static int echo(const char *target, int timeout_ms)
{
	struct icmphdr h = { .type = ICMP_ECHO };
	struct sockaddr_in to = { .sin_family = AF_INET };
	uint8_t reply[256] = { 0 };
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

/* One lookup of github.com at a public resolver (RFC 1035, 4.1), whatever resolver is set: upstream's fallback. */
static int lookup(unsigned n, int timeout_ms)
{
	static const char *const servers[] = { "1.1.1.1",	 "1.0.0.1",	  "8.8.8.8",
					       "8.8.4.4",	 "9.9.9.9",	  "149.112.112.112",
					       "208.67.222.222", "208.67.220.220" };
	static const uint8_t query[] = "\x4c\x50\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
				       "\x06github\x03"
				       "com\x00\x00\x01\x00\x01";
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(53) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t reply[512] = { 0 };
	bool ok = false;

	(void)inet_pton(AF_INET, servers[n % (sizeof(servers) / sizeof(servers[0]))], &to.sin_addr);
	if (sendto(fd, query, sizeof(query) - 1, 0, (const struct sockaddr *)&to, sizeof(to)) > 0 &&
	    poll(&p, 1, timeout_ms) == 1 && recv(fd, reply, sizeof(reply), 0) > 12)
		ok = (reply[3] & 15) == 0 && (reply[6] || reply[7]);
	(void)close(fd);
	return ok ? 0 : -1;
}

/* All targets at once within six seconds; one that answers is enough. */
static bool startup_check(void)
{
	char one[256];
	bool ok = false;

	for (unsigned i = 0; i < list_count(targets()); i++)
		if (list_pick(targets(), i, one, sizeof(one)) && fork() == 0)
			_exit(dial(one, STARTUP_MS) == 0 ? 0 : 1);
	for (int status; wait(&status) > 0;)
		ok = ok || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return ok;
}

static bool small_check(void)
{
	static const int timeouts_s[] = { 5, 5, 5, 10, 10, 10, 15, 15, 15, 30 };
	static bool by_dns;
	const char *icmp = setting("HEALTH_ICMP_TARGET_IPS", "1.1.1.1,8.8.8.8");
	char one[256];

	by_dns = by_dns || strcmp(setting("HEALTH_SMALL_CHECK_TYPE", "icmp"), "dns") == 0;
	if (strcmp(icmp, "0.0.0.0") == 0)
		icmp = required("WIREGUARD_ENDPOINT_IP");
	for (unsigned i = 0; i < sizeof(timeouts_s) / sizeof(timeouts_s[0]); i++) {
		int ms = timeouts_s[i] * 1000, rc = 1;

		if (!by_dns && list_pick(icmp, i, one, sizeof(one)))
			rc = echo(one, ms);
		by_dns = by_dns || rc == 1;
		if ((rc == 1 ? lookup(i, ms) : rc) == 0)
			return true;
	}
	return false;
}

static bool full_check(void)
{
	static const int timeouts_s[] = { 10, 15, 30 };
	char one[256];

	for (unsigned i = 0; i < sizeof(timeouts_s) / sizeof(timeouts_s[0]); i++)
		if (list_pick(targets(), i, one, sizeof(one)) &&
		    dial(one, timeouts_s[i] * 1000) == 0)
			return true;
	return false;
}

static void tell(int fd, bool good)
{
	(void)!write(fd, good ? "h" : "u", 1);
}

static void check_forever(int fd)
{
	int64_t full_at = now_ms() + FULL_PERIOD_S * 1000;

	tell(fd, startup_check());
	for (;;) {
		sleep_ms(SMALL_PERIOD_S * 1000);
		tell(fd, small_check());
		if (now_ms() < full_at)
			continue;
		tell(fd, full_check());
		full_at = now_ms() + FULL_PERIOD_S * 1000;
	}
}

void health_start(void)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return;
	health.checker = fork_plain();
	if (health.checker == 0) {
		(void)close(fds[0]);
		check_forever(fds[1]);
	}
	(void)close(fds[1]);
	health.pipe = fds[0];
}

void health_stop(void)
{
	end_child(&health.checker);
	if (health.pipe >= 0)
		(void)close(health.pipe);
	health.pipe = -1;
}

int health_fd(void)
{
	return health.pipe;
}

bool health_good(void)
{
	return health.good;
}

const char *health_read(void)
{
	char word = 0;

	if (read(health.pipe, &word, 1) != 1) {
		health_stop(); /* it ended, which it never does by itself */
		return NULL;
	}
	if (word == 'h' && !health.good)
		say("healthcheck", "healthy");
	health.good = word == 'h';
	if (health.good)
		return NULL;
	if (!setting_on("HEALTH_RESTART_VPN", true)) {
		say("healthcheck", "WARN (ignored) healthcheck failed");
		return NULL;
	}
	return "all check tries failed";
}

int healthcheck(void)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
	struct sockaddr_in a = { .sin_family = AF_INET };
	const char *address = setting("HEALTH_SERVER_ADDRESS", "127.0.0.1:9999");
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const char *colon = strrchr(address, ':');
	char host[64], answer[1024];

	(void)snprintf(host, sizeof(host), "%.*s", (int)strcspn(address, ":"), address);
	/* ":9999" listens everywhere, so it is reached there, too. */
	(void)inet_pton(AF_INET, host[0] ? host : "127.0.0.1", &a.sin_addr);
	a.sin_port = htons((uint16_t)(colon ? strtoul(colon + 1, NULL, 10) : 9999));
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 ||
	    send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0) {
		(void)fprintf(stderr, "health server: %s\n", strerror(errno));
		return 1;
	}
	http_receive(fd, answer, sizeof(answer));
	if (strncmp(answer, "HTTP/1.1 200 ", 13) == 0)
		return 0;
	(void)fprintf(stderr, "%s\n", answer);
	return 1;
}
