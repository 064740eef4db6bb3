// SPDX-License-Identifier: MIT
/* As much HTTP as the two small servers of the gateway stand-in need: one request a connection. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "gateway.h"

int http_listen(const char *address)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	const int one = 1;
	char host[64] = "";
	const char *colon = strrchr(address, ':');
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (colon)
		(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
	a.sin_port = htons((uint16_t)(colon ? strtoul(colon + 1, NULL, 10) : 0));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if ((host[0] && inet_pton(AF_INET, host, &a.sin_addr) != 1) ||
	    bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 16) < 0)
		die("http", "%s: %s", address, strerror(errno));
	say("http", "listening on %s", address);
	return fd;
}

static const char *reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 308:
		return "Permanent Redirect";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 501:
		return "Not Implemented";
	default:
		return "Internal Server Error";
	}
}

/* An error without words of its own is said in HTTP's. */
void http_reply(int fd, int status, const char *headers, const char *body)
{
	char text[2048];
	const char *end = status >= 400 ? "\n" : "";
	int n;

	if (!body)
		body = reason(status);
	n = snprintf(text, sizeof(text),
		     "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\n%s"
		     "Content-Length: %zu\r\nConnection: close\r\n\r\n%s%s",
		     status, reason(status), headers, strlen(body) + strlen(end), body, end);
	(void)send(fd, text, (size_t)n, MSG_NOSIGNAL);
}

void http_receive(int fd, char *buf, size_t size)
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
		announced = strcasestr(buf, "\ncontent-length:");
		if (end && (!announced || strlen(end + 4) >= strtoul(announced + 16, NULL, 10)))
			return;
	}
}

bool http_header(const char *request, const char *name, char *out, size_t size)
{
	char want[64];
	const char *at, *end = strstr(request, "\r\n\r\n");

	(void)snprintf(want, sizeof(want), "\n%s:", name);
	at = strcasestr(request, want);
	if (!at || (end && at > end))
		return false;
	at += strlen(want);
	at += strspn(at, " ");
	(void)snprintf(out, size, "%.*s", (int)strcspn(at, "\r\n"), at);
	return true;
}
