// SPDX-License-Identifier: MIT
/* Stand-in for an application with a web interface: answers on PORT, says "healthy" on HEALTH_PATH, and
 * calls another service on demand (GET /call?url=http://name:port/path). One child a connection. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUEST_MAX  4096
#define ANSWER_MAX   65536
#define IO_TIMEOUT_S 10
#define CHILDREN_MAX 64

static void set_timeouts(int fd)
{
	const struct timeval tv = { .tv_sec = IO_TIMEOUT_S };

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static bool send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* Until `stop` is seen (NULL: until the end), the buffer is full, or nothing more comes. */
static size_t read_until(int fd, char *buf, size_t size, const char *stop)
{
	size_t len = 0;

	buf[0] = '\0';
	while (len < size - 1) {
		ssize_t n = recv(fd, buf + len, size - 1 - len, 0);

		if (n <= 0)
			break;
		len += (size_t)n;
		buf[len] = '\0';
		if (stop && strstr(buf, stop))
			break;
	}
	return len;
}

static void answer(int fd, int status, const char *reason, const char *body)
{
	char head[256];
	int n = snprintf(head, sizeof(head),
			 "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
			 "Connection: close\r\n\r\n",
			 status, reason, strlen(body));

	if (send_all(fd, head, (size_t)n))
		(void)send_all(fd, body, strlen(body));
}

static int dial(const char *host, const char *port, char *why, size_t size)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list, *a;
	int fd = -1;
	int rc = getaddrinfo(host, port, &hints, &list);

	if (rc) {
		(void)snprintf(why, size, "%s: %s\n", host, gai_strerror(rc));
		return -1;
	}
	for (a = list; a && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
		if (fd < 0)
			continue;
		set_timeouts(fd);
		if (connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
			(void)snprintf(why, size, "%s:%s: %s\n", host, port, strerror(errno));
			(void)close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	return fd;
}

/* Another service's answer is passed on as it is; 502 when there is none. */
static void call(int fd, const char *url)
{
	char host[256], port[6] = "80", path[1024] = "/", why[512] = "no answer\n";
	char request[2048];
	static char reply[ANSWER_MAX];
	size_t len;
	int peer, n;

	if (sscanf(url, "http://%255[^:/]:%5[0-9]%1023[^ ]", host, port, path) < 2 &&
	    sscanf(url, "http://%255[^:/]%1023[^ ]", host, path) < 1) {
		answer(fd, 400, "Bad Request", "url must be http://name:port/path\n");
		return;
	}
	peer = dial(host, port, why, sizeof(why));
	if (peer < 0) {
		answer(fd, 502, "Bad Gateway", why);
		return;
	}
	n = snprintf(request, sizeof(request),
		     "GET %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n", path, host,
		     port);
	len = send_all(peer, request, (size_t)n) ? read_until(peer, reply, sizeof(reply), NULL) : 0;
	(void)close(peer);
	if (len)
		(void)send_all(fd, reply, len);
	else
		answer(fd, 502, "Bad Gateway", why);
}

static void serve(int fd, const char *health_path)
{
	char request[REQUEST_MAX], target[2048];

	set_timeouts(fd);
	(void)read_until(fd, request, sizeof(request), "\r\n\r\n");
	if (sscanf(request, "GET %2047s HTTP/1.", target) != 1)
		answer(fd, 400, "Bad Request", "GET only\n");
	else if (strncmp(target, "/call?url=", 10) == 0)
		call(fd, target + 10);
	else if (strcmp(target, health_path) == 0)
		answer(fd, 200, "OK", "{\"status\": \"OK\"}\n");
	else
		answer(fd, 404, "Not Found", "not here\n");
}

/* As process 1 a signal without a handler would be ignored. */
static void on_end(int sig)
{
	(void)sig;
	_exit(0);
}

static int listen_on(unsigned port)
{
	const struct sockaddr_in6 any = { .sin6_family = AF_INET6,
					  .sin6_port = htons((uint16_t)port) };
	const struct sockaddr_in any4 = { .sin_family = AF_INET,
					  .sin_port = htons((uint16_t)port) };
	const int one = 1, zero = 0;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) == 0 &&
		    listen(fd, 64) == 0)
			return fd;
		(void)close(fd);
	}
	/* A container without IPv6. */
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)&any4, sizeof(any4)) < 0 || listen(fd, 64) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static void loop(int fd, const char *health_path)
{
	unsigned children = 0;

	for (;;) {
		int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		pid_t pid;

		while (children && waitpid(-1, NULL, children < CHILDREN_MAX ? WNOHANG : 0) > 0)
			children--;
		if (peer < 0)
			continue;
		pid = fork();
		if (pid == 0) {
			serve(peer, health_path);
			_exit(0);
		}
		if (pid > 0)
			children++;
		(void)close(peer);
	}
}

int main(void)
{
	const char *port = getenv("PORT");
	const char *path = getenv("HEALTH_PATH");
	int fd;

	port = port ? port : "8080";
	path = path ? path : "/ping";
	(void)signal(SIGTERM, on_end);
	(void)signal(SIGINT, on_end);
	fd = listen_on((unsigned)strtoul(port, NULL, 10));
	if (fd < 0) {
		(void)fprintf(stderr, "service: port %s: %s\n", port, strerror(errno));
		return 1;
	}
	printf("service: %s answers on port %s\n", path, port);
	(void)fflush(stdout);
	loop(fd, path);
	return 0;
}
