// SPDX-License-Identifier: MIT
/* The sink: takes any TCP connection and any UDP datagram to its address, logs it as a JSON line on
 * standard output, and echoes. nft hands every port over by tproxy, which keeps the original port. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/host_internal.h"

#define SINK_PORT	9999 /* of sink.nft */
#define MAX_CONNECTIONS 256
#define BUFFER		65536

static struct pollfd slots[2 + MAX_CONNECTIONS]; /* UDP, listening TCP, connections */
static int64_t last_use[2 + MAX_CONNECTIONS];

static void put_address(char *buf, size_t size, const struct sockaddr_in6 *a)
{
	char text[INET6_ADDRSTRLEN] = "?";

	if (IN6_IS_ADDR_V4MAPPED(&a->sin6_addr)) {
		(void)inet_ntop(AF_INET, &a->sin6_addr.s6_addr[12], text, sizeof(text));
		(void)snprintf(buf, size, "%s:%u", text, ntohs(a->sin6_port));
		return;
	}
	(void)inet_ntop(AF_INET6, &a->sin6_addr, text, sizeof(text));
	(void)snprintf(buf, size, "[%s]:%u", text, ntohs(a->sin6_port));
}

static void log_line(const char *proto, const struct sockaddr_in6 *from,
		     const struct sockaddr_in6 *to, ssize_t len)
{
	char source[64], target[64];

	put_address(source, sizeof(source), from);
	put_address(target, sizeof(target), to);
	(void)printf(
		"{\"time\":%lld,\"proto\":\"%s\",\"from\":\"%s\",\"to\":\"%s\",\"bytes\":%zd}\n",
		(long long)clock_real_ns(), proto, source, target, len);
	(void)fflush(stdout);
}

/* A dual-stack socket that takes packets to foreign ports; -1 on error. */
static int transparent(int type, const struct sockaddr_in6 *addr)
{
	int fd = socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, off = 0;

	if (fd >= 0 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    setsockopt(fd, SOL_IP, IP_TRANSPARENT, &on, sizeof(on)) == 0 &&
	    setsockopt(fd, SOL_IPV6, IPV6_TRANSPARENT, &on, sizeof(on)) == 0 &&
	    bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* Where a datagram was sent to, from its control messages (ip(7), IP_RECVORIGDSTADDR). */
static int original_target(struct msghdr *m, struct sockaddr_in6 *to)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_RECVORIGDSTADDR) {
			memcpy(to, CMSG_DATA(c), sizeof(*to));
			return 0;
		}
		if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVORIGDSTADDR) {
			struct sockaddr_in v4;

			memcpy(&v4, CMSG_DATA(c), sizeof(v4));
			*to = (struct sockaddr_in6){ .sin6_family = AF_INET6,
						     .sin6_port = v4.sin_port };
			to->sin6_addr.s6_addr[10] = to->sin6_addr.s6_addr[11] = 0xff;
			memcpy(&to->sin6_addr.s6_addr[12], &v4.sin_addr, 4);
			return 0;
		}
	}
	return -1;
}

static void take_datagram(int fd)
{
	static char data[BUFFER];
	char control[256];
	struct sockaddr_in6 from = { 0 }, to = { 0 };
	struct iovec iov = { .iov_base = data, .iov_len = sizeof(data) };
	struct msghdr m = { .msg_name = &from,
			    .msg_namelen = sizeof(from),
			    .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t len = recvmsg(fd, &m, 0);
	int back;

	if (len < 0 || original_target(&m, &to) < 0)
		return;
	log_line("udp", &from, &to, len);
	back = transparent(SOCK_DGRAM, &to);
	if (back < 0)
		return;
	(void)sendto(back, data, (size_t)len, 0, (struct sockaddr *)&from, sizeof(from));
	(void)close(back);
}

/* A free slot; when all are in use, that of the connection that was silent longest. */
static size_t free_slot(void)
{
	size_t oldest = 2;

	for (size_t i = 2; i < 2 + MAX_CONNECTIONS; i++) {
		if (slots[i].fd < 0)
			return i;
		if (last_use[i] < last_use[oldest])
			oldest = i;
	}
	(void)close(slots[oldest].fd);
	return oldest;
}

static void take_connection(int listening)
{
	struct sockaddr_in6 from = { 0 }, to = { 0 };
	socklen_t from_len = sizeof(from), to_len = sizeof(to);
	int fd = accept4(listening, (struct sockaddr *)&from, &from_len,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);
	size_t i;

	if (fd < 0)
		return;
	(void)getsockname(fd, (struct sockaddr *)&to, &to_len);
	log_line("tcp", &from, &to, 0);
	i = free_slot();
	slots[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
	last_use[i] = clock_mono_ns();
}

static void take_bytes(size_t i)
{
	static char data[BUFFER];
	struct sockaddr_in6 from = { 0 }, to = { 0 };
	socklen_t from_len = sizeof(from), to_len = sizeof(to);
	ssize_t len = recv(slots[i].fd, data, sizeof(data), 0);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0) {
		(void)close(slots[i].fd);
		slots[i].fd = -1;
		return;
	}
	(void)getpeername(slots[i].fd, (struct sockaddr *)&from, &from_len);
	(void)getsockname(slots[i].fd, (struct sockaddr *)&to, &to_len);
	log_line("tcp", &from, &to, len);
	/* A peer that does not read loses its echo, and does not stop the others. */
	(void)send(slots[i].fd, data, (size_t)len, MSG_NOSIGNAL);
	last_use[i] = clock_mono_ns();
}

void lab_sink_serve(void)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(SINK_PORT) };
	int udp = transparent(SOCK_DGRAM, &any), tcp = transparent(SOCK_STREAM, &any), on = 1;

	if (udp < 0 || tcp < 0 || listen(tcp, 128) < 0 ||
	    setsockopt(udp, SOL_IP, IP_RECVORIGDSTADDR, &on, sizeof(on)) < 0 ||
	    setsockopt(udp, SOL_IPV6, IPV6_RECVORIGDSTADDR, &on, sizeof(on)) < 0) {
		perror("sink");
		_exit(1);
	}
	for (size_t i = 0; i < 2 + MAX_CONNECTIONS; i++)
		slots[i].fd = -1;
	slots[0] = (struct pollfd){ .fd = udp, .events = POLLIN };
	slots[1] = (struct pollfd){ .fd = tcp, .events = POLLIN };
	for (;;) {
		if (poll(slots, 2 + MAX_CONNECTIONS, -1) < 0)
			continue;
		if (slots[0].revents)
			take_datagram(udp);
		if (slots[1].revents)
			take_connection(tcp);
		for (size_t i = 2; i < 2 + MAX_CONNECTIONS; i++)
			if (slots[i].fd >= 0 && slots[i].revents)
				take_bytes(i);
	}
}
