/* SPDX-License-Identifier: MIT */
/* The child of a probe: attempts on a clock until SIGTERM. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "probe/probe_file.h"
#include "probe/probe_run.h"

#define LATE_MAX    100 /* attempts that are made up for at once; more are left out and told */
#define LINGER	    (200 * NS_PER_MS) /* for late replies; acknowledgements are looked for in steps */
#define LINGER_STEP (10 * NS_PER_MS)

enum {
	ARG_KIND = 2,
	ARG_LOG,
	ARG_DEST,
	ARG_PORT,
	ARG_RATE,
	ARG_NONCE,
	ARG_ID,
	ARG_LABEL,
	ARG_IFNAME,
	N_ARGS
};

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static int parse_dest(struct probe_run *r, const char *address, uint16_t port, struct err *err)
{
	struct sockaddr_in *v4 = (void *)&r->dest;
	struct sockaddr_in6 *v6 = (void *)&r->dest;

	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		r->dest_len = sizeof(*v4);
		return 0;
	}
	if (inet_pton(AF_INET6, address, &v6->sin6_addr) != 1)
		return err_set(err, EXIT_USAGE, "%s is no numeric address", address);
	v6->sin6_family = AF_INET6;
	/* A port in the address of a raw ICMPv6 socket would be taken as a protocol (net/ipv6/raw.c). */
	v6->sin6_port = htons(port);
	r->dest_len = sizeof(*v6);
	return 0;
}

static int parse(struct probe_run *r, char **argv, struct err *err)
{
	r->row = probe_find(argv[ARG_KIND]);
	if (!r->row || strlen(argv[ARG_NONCE]) != 2 * sizeof(r->nonce))
		return err_set(err, EXIT_USAGE, "%s: no such probe", argv[ARG_KIND]);
	for (size_t i = 0; i < sizeof(r->nonce); i++) {
		const char hex[3] = { argv[ARG_NONCE][2 * i], argv[ARG_NONCE][2 * i + 1] };

		r->nonce[i] = (uint8_t)strtoul(hex, NULL, 16);
	}
	r->rate_hz = (unsigned)strtoul(argv[ARG_RATE], NULL, 10);
	r->id = (uint32_t)strtoul(argv[ARG_ID], NULL, 10);
	r->label = argv[ARG_LABEL];
	r->ifname = argv[ARG_IFNAME];
	r->fd = -1;
	if (r->rate_hz == 0)
		return err_set(err, EXIT_USAGE, "rate %s", argv[ARG_RATE]);
	return parse_dest(r, argv[ARG_DEST], (uint16_t)strtoul(argv[ARG_PORT], NULL, 10), err);
}

static int open_log(struct probe_run *r, const char *path, struct err *err)
{
	struct probe_file_head h = { .magic = PROBE_FILE_MAGIC,
				     .id = r->id,
				     .rate_hz = r->rate_hz };

	memcpy(h.kind, r->row->name, strnlen(r->row->name, sizeof(h.kind) - 1));
	memcpy(h.nonce, r->nonce, sizeof(h.nonce));
	r->log_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	if (r->log_fd < 0 || write(r->log_fd, &h, sizeof(h)) != (ssize_t)sizeof(h))
		return err_errno(err, "%s", path);
	return 0;
}

/* Wait for answers until a MONOTONIC time; SIGTERM, blocked elsewhere, interrupts. */
static void listen_until(struct probe_run *r, int64_t until, const sigset_t *mask)
{
	int64_t left = until - clock_mono_ns();
	const struct timespec ts = { left > 0 ? left / NS_PER_S : 0,
				     left > 0 ? left % NS_PER_S : 0 };
	struct pollfd p = { .fd = r->fd, .events = POLLIN };

	if (ppoll(&p, 1, &ts, mask) > 0 && p.revents)
		r->row->ready(r);
}

static void run(struct probe_run *r)
{
	int64_t period = NS_PER_S / r->rate_hz, next = clock_mono_ns(), end;
	uint32_t seq = 1;
	sigset_t term, before;

	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &term, &before);
	while (!stop) {
		int64_t late = (clock_mono_ns() - next) / period;

		if (late > LATE_MAX) {
			probe_write(r, PROBE_SKIPPED, seq, late, 0);
			seq += (uint32_t)late;
			next += late * period;
		}
		if (clock_mono_ns() >= next) {
			r->row->attempt(r, seq++);
			next += period;
		}
		listen_until(r, next, &before);
	}
	for (end = clock_mono_ns() + LINGER; clock_mono_ns() < end;) {
		listen_until(r, clock_mono_ns() + LINGER_STEP, &before);
		r->row->ready(r);
	}
	probe_write(r, PROBE_END, 0, 0, 0);
}

int probe_child_main(int argc, char **argv)
{
	static struct probe_run r; /* half a megabyte */
	const struct sigaction on = { .sa_handler = on_term };
	struct err err = { 0 };

	if (argc < 2 || strcmp(argv[1], PROBE_CHILD_ARG) != 0)
		return -1;
	(void)sigaction(SIGTERM, &on, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN); /* Ctrl-C is for the runner, which then sends SIGTERM */
	(void)prctl(PR_SET_NAME, "leakproof-probe");
	if (argc != N_ARGS) {
		(void)err_set(&err, EXIT_USAGE, "%d arguments", argc);
	} else if (parse(&r, argv, &err) == 0 && open_log(&r, argv[ARG_LOG], &err) == 0 &&
		   r.row->start(&r, &err) == 0) {
		(void)!write(STDERR_FILENO, "ready\n", 6);
		run(&r);
		return close(r.log_fd) < 0 ? EXIT_ENVIRONMENT : 0;
	}
	(void)dprintf(STDERR_FILENO, "%s\n", err.text);
	return err.status;
}
