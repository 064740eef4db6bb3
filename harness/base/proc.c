/* SPDX-License-Identifier: MIT */
/* Child processes: run and collect, or spawn and keep. */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"

#define OUTPUT_MAX   ((size_t)16 << 20)
#define CANCEL_MS    100 /* how often the cancel flag is looked at */
#define CANCEL_GRACE (2 * NS_PER_S)

struct stream {
	int fd;
	char *data;
	size_t len;
};

void proc_result_free(struct proc_result *r)
{
	free(r->out);
	free(r->error);
	r->out = r->error = NULL;
}

/* In the child, after fork: only async-signal-safe calls, as other threads may hold locks. */
static void exec_child(const char *const argv[], const struct proc_opts *o, const int fds[3],
		       pid_t parent)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	/* A group of its own: Ctrl-C on the terminal is for the harness, which then ends the child in order. */
	(void)setpgid(0, 0);
	for (int i = 0; i < 3; i++)
		if (fds[i] >= 0 && dup2(fds[i], i) < 0)
			_exit(126);
	if (o->netns_fd > 0 && setns(o->netns_fd, CLONE_NEWNET) < 0)
		_exit(126);
	if (o->cwd && chdir(o->cwd) < 0)
		_exit(126);
	for (const char *const *e = o->env; e && *e; e++)
		(void)putenv((char *)(uintptr_t)*e);
	if (o->prepare && o->prepare(o->prepare_arg) != 0)
		_exit(126);
	(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(errno == ENOENT ? 127 : 126);
}

static pid_t start(const char *const argv[], const struct proc_opts *o, const int fds[3],
		   struct err *err)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0)
		return (pid_t)err_errno(err, "fork for %s", argv[0]);
	if (pid == 0)
		exec_child(argv, o, fds, parent);
	(void)setpgid(pid, pid); /* here too: whoever of both comes first */
	return pid;
}

static int append(struct stream *s, const char *buf, size_t n)
{
	char *bigger;

	if (s->len + n > OUTPUT_MAX)
		n = OUTPUT_MAX - s->len;
	bigger = realloc(s->data, s->len + n + 1);
	if (!bigger)
		return -1;
	s->data = bigger;
	memcpy(s->data + s->len, buf, n);
	s->len += n;
	s->data[s->len] = '\0';
	return 0;
}

/* One read of a ready stream; closes it at its end. */
static int drain(struct stream *s)
{
	char buf[16384];
	ssize_t n = read(s->fd, buf, sizeof(buf));

	if (n > 0)
		return append(s, buf, (size_t)n);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	(void)close(s->fd);
	s->fd = -1;
	return 0;
}

static bool cancelled(const struct proc_opts *o)
{
	return o->cancel && *o->cancel >= (o->cancel_at ? o->cancel_at : 1);
}

enum collected { COLLECTED, COLLECT_LATE, COLLECT_CANCELLED };

/* Collect both streams until both end, the deadline passes or the caller cancels. */
static enum collected collect(struct stream s[2], const struct proc_opts *o, int64_t deadline)
{
	while (s[0].fd >= 0 || s[1].fd >= 0) {
		struct pollfd p[2] = { { .fd = s[0].fd, .events = POLLIN },
				       { .fd = s[1].fd, .events = POLLIN } };
		int64_t left = (deadline - clock_mono_ns()) / NS_PER_MS + 1;

		if (cancelled(o))
			return COLLECT_CANCELLED;
		if (left <= 0)
			return COLLECT_LATE;
		if (o->cancel && left > CANCEL_MS)
			left = CANCEL_MS;
		if (poll(p, 2, (int)left) < 0 && errno != EINTR)
			return COLLECT_LATE;
		for (int i = 0; i < 2; i++)
			if (p[i].fd >= 0 && p[i].revents && drain(&s[i]) < 0)
				return COLLECT_LATE;
	}
	return COLLECTED;
}

static int status_of(int wstatus)
{
	return WIFEXITED(wstatus) ? WEXITSTATUS(wstatus) : 128 + WTERMSIG(wstatus);
}

/* A file that the child can read the input from, without a writer that could block. */
static int input_fd(const char *input, struct err *err)
{
	FILE *f;
	int fd;

	if (!input) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return fd < 0 ? err_errno(err, "/dev/null") : fd;
	}
	f = tmpfile();
	if (!f || fputs(input, f) < 0 || fflush(f) != 0) {
		if (f)
			(void)fclose(f);
		return err_errno(err, "input of a command");
	}
	rewind(f);
	fd = fcntl(fileno(f), F_DUPFD_CLOEXEC, 3);
	(void)fclose(f);
	return fd;
}

int proc_run(const char *const argv[], const struct proc_opts *opts, struct proc_result *r,
	     struct err *err)
{
	static const struct proc_opts plain;
	const struct proc_opts *o = opts ? opts : &plain;
	int64_t timeout = o->timeout_ns ? o->timeout_ns : 60 * NS_PER_S;
	struct stream s[2] = { { .fd = -1 }, { .fd = -1 } };
	int out[2], errp[2], wstatus = 0;
	_cleanup_close_ int in = input_fd(o->input, err);
	enum collected how;
	pid_t pid;

	memset(r, 0, sizeof(*r));
	if (in < 0)
		return -1;
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_errno(err, "pipe");
	if (pipe2(errp, O_CLOEXEC) < 0) {
		(void)close(out[0]);
		(void)close(out[1]);
		return err_errno(err, "pipe");
	}
	pid = start(argv, o, (int[3]){ in, out[1], errp[1] }, err);
	(void)close(out[1]);
	(void)close(errp[1]);
	s[0].fd = out[0];
	s[1].fd = errp[0];
	if (pid < 0) {
		(void)close(out[0]);
		(void)close(errp[0]);
		return -1;
	}
	how = collect(s, o, clock_mono_ns() + timeout);
	if (how == COLLECT_LATE)
		(void)kill(-pid, SIGKILL);
	for (int i = 0; i < 2; i++)
		if (s[i].fd >= 0)
			(void)close(s[i].fd);
	if (how == COLLECT_CANCELLED)
		proc_end(pid, CANCEL_GRACE);
	else
		while (waitpid(pid, &wstatus, 0) < 0 && errno == EINTR)
			;
	r->status = status_of(wstatus);
	r->out = s[0].data ? s[0].data : str_fmt("%s", "");
	r->error = s[1].data ? s[1].data : str_fmt("%s", "");
	if (how == COLLECT_CANCELLED)
		return err_set(err, EXIT_INCONCLUSIVE, "interrupted");
	if (how == COLLECT_LATE)
		return err_set(err, EXIT_ENVIRONMENT, "%s %s: no end within %.0f s, killed",
			       argv[0], argv[1] ? argv[1] : "", (double)timeout / 1e9);
	return 0;
}

static const char *last_line(char *text)
{
	size_t n = strlen(text);
	char *nl;

	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		text[--n] = '\0';
	nl = strrchr(text, '\n');
	return nl ? nl + 1 : text;
}

/* "ip link show": the command as a person would type it; caller frees. */
static char *command_line(const char *const argv[])
{
	char *line = NULL;
	size_t size;
	FILE *f = open_memstream(&line, &size);

	if (!f)
		abort();
	for (const char *const *a = argv; *a; a++)
		(void)fprintf(f, "%s%s", a == argv ? "" : " ", *a);
	(void)fclose(f);
	return line;
}

int proc_check(const char *const argv[], const struct proc_opts *opts, struct err *err)
{
	_cleanup_proc_ struct proc_result r = { 0 };
	_cleanup_free_ char *line = NULL;

	if (proc_run(argv, opts, &r, err) < 0)
		return -1; /* NOLINT(clang-analyzer-unix.Malloc): the cleanup attribute frees r */
	if (r.status == 0)
		return 0;
	if (r.status == 127)
		return err_set(err, EXIT_ENVIRONMENT, "%s: command not found", argv[0]);
	line = command_line(argv);
	return err_set(err, EXIT_ENVIRONMENT, "%.250s: exit status %d: %.400s", line, r.status,
		       last_line(*r.error ? r.error : r.out));
}

pid_t proc_spawn(const char *const argv[], const struct proc_opts *opts, struct err *err)
{
	static const struct proc_opts plain;
	const struct proc_opts *o = opts ? opts : &plain;
	_cleanup_close_ int in = open("/dev/null", O_RDWR | O_CLOEXEC);
	int out = o->out_fd > 0 ? o->out_fd : in;

	return start(argv, o, (int[3]){ in, out, out }, err);
}

void proc_end(pid_t pid, int64_t grace_ns)
{
	int64_t deadline = clock_mono_ns() + grace_ns;

	if (pid <= 1)
		return;
	(void)kill(-pid, SIGTERM);
	while (clock_mono_ns() < deadline) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		clock_sleep_ns(5 * NS_PER_MS);
	}
	(void)kill(-pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

uint64_t proc_start_time(pid_t pid)
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/stat", (int)pid);
	_cleanup_free_ char *stat = fs_read(path, 4096, NULL, NULL);
	unsigned long long start = 0;
	const char *p = stat ? strrchr(stat, ')') : NULL;

	/* comm may hold blanks and brackets, so count from its last bracket: field 3 follows. */
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (p)
		start = strtoull(p + 1, NULL, 10);
	return start;
}
