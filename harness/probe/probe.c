/* SPDX-License-Identifier: MIT */
/* Starting and ending probes, and the table of their kinds. */
#include "probe/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/proc.h"

#define READY_MS  5000
#define END_GRACE (2 * NS_PER_S)

#define PROBE_ROW(name) extern const struct probe_row probe_row_##name;
#include "probe/probe_table.h"
#undef PROBE_ROW

const struct probe_row *const probe_rows[] = {
#define PROBE_ROW(name) &probe_row_##name,
#include "probe/probe_table.h"
#undef PROBE_ROW
};
const size_t n_probe_rows = sizeof(probe_rows) / sizeof(probe_rows[0]);

struct probe {
	pid_t pid; /* 0 = reaped */
	char *log_path;
	char kind[32];
};

const struct probe_row *probe_find(const char *name)
{
	for (size_t i = 0; i < n_probe_rows; i++)
		if (strcmp(probe_rows[i]->name, name) == 0)
			return probe_rows[i];
	return NULL;
}

bool probe_goes_to_sink(const struct probe_row *row)
{
	return strcmp(row->dest, PROBE_SINK) == 0;
}

static int check(const struct probe_row *row, const struct probe_spec *s, struct err *err)
{
	uint8_t bin[16];

	if (s->netns_fd <= 0 || !s->log_path)
		return err_set(err, EXIT_USAGE, "probe %s: namespace and log are needed",
			       row->name);
	if (s->dest && inet_pton(strchr(s->dest, ':') ? AF_INET6 : AF_INET, s->dest, bin) != 1)
		return err_set(err, EXIT_USAGE, "probe %s: %s is no numeric address", row->name,
			       s->dest);
	if (s->rate_hz > 1000)
		return err_set(err, EXIT_USAGE, "probe %s: at most 1000 attempts a second",
			       row->name);
	if (s->id >= UINT32_C(0x80000000))
		return err_set(err, EXIT_USAGE, "probe %s: identifier %u is one of controls",
			       row->name, s->id);
	if (row->needs_label && (!s->label || !*s->label))
		return err_set(err, EXIT_USAGE, "probe %s: no label for its names", row->name);
	return 0;
}

/* The child says "ready", or in one line why it is not. */
static int await_ready(int fd, struct err *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char text[512] = "";
	ssize_t n;

	if (poll(&p, 1, READY_MS) != 1)
		return err_set(err, EXIT_ENVIRONMENT, "not ready within %d s", READY_MS / 1000);
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return err_set(err, EXIT_ENVIRONMENT, "ended before it was ready");
	if (strncmp(text, "ready\n", 6) == 0)
		return 0;
	return err_set(err, EXIT_ENVIRONMENT, "%.*s", (int)strcspn(text, "\n"), text);
}

static pid_t spawn(const struct probe_row *row, const struct probe_spec *s, int out_fd,
		   struct err *err)
{
	const struct proc_opts o = { .netns_fd = s->netns_fd, .out_fd = out_fd };
	char nonce[2 * PROBE_NONCE + 1], port[8], rate[8], id[16];

	for (size_t i = 0; i < PROBE_NONCE; i++)
		(void)snprintf(nonce + 2 * i, 3, "%02x", s->nonce[i]);
	(void)snprintf(port, sizeof(port), "%d", s->port ? s->port : row->port);
	(void)snprintf(rate, sizeof(rate), "%u", s->rate_hz ? s->rate_hz : row->rate_hz);
	(void)snprintf(id, sizeof(id), "%u", s->id);
	return proc_spawn(PROC_ARGV("/proc/self/exe", PROBE_CHILD_ARG, row->name, s->log_path,
				    s->dest ? s->dest : row->dest, port, rate, nonce, id,
				    s->label ? s->label : "", s->ifname ? s->ifname : ""),
			  &o, err);
}

struct probe *probe_start(const struct probe_row *row, const struct probe_spec *s, struct err *err)
{
	struct probe *p;
	int fds[2], rc;

	if (check(row, s, err) < 0)
		return NULL;
	if (pipe2(fds, O_CLOEXEC) < 0 || !(p = calloc(1, sizeof(*p)))) {
		(void)err_errno(err, "probe %s", row->name);
		return NULL;
	}
	p->log_path = str_fmt("%s", s->log_path);
	(void)snprintf(p->kind, sizeof(p->kind), "%s", row->name);
	p->pid = spawn(row, s, fds[1], err);
	(void)close(fds[1]);
	rc = p->pid < 0 ? -1 : await_ready(fds[0], err);
	(void)close(fds[0]);
	if (rc < 0) {
		(void)err_wrap(err, "probe %s", row->name);
		probe_free(p);
		return NULL;
	}
	return p;
}

int probe_stop(struct probe *p, struct err *err)
{
	struct probe_log log = { 0 };
	int status, rc = 0;

	if (p->pid <= 0)
		return 0;
	if (waitpid(p->pid, &status, WNOHANG) == p->pid)
		rc = err_set(err, EXIT_INCONCLUSIVE, "probe %s ended by itself, status %d", p->kind,
			     WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	else
		proc_end(p->pid, END_GRACE);
	p->pid = 0;
	if (rc < 0)
		return rc;
	if (probe_log_read(p->log_path, &log, err) < 0)
		return -1;
	if (!log.ended)
		rc = err_set(err, EXIT_INCONCLUSIVE, "probe %s: its log is not closed", p->kind);
	probe_log_free(&log);
	return rc;
}

void probe_free(struct probe *p)
{
	if (!p)
		return;
	(void)probe_stop(p, NULL);
	free(p->log_path);
	free(p);
}

pid_t probe_pid(const struct probe *p)
{
	return p->pid;
}

const char *probe_log_path(const struct probe *p)
{
	return p->log_path;
}
