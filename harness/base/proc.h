/* SPDX-License-Identifier: MIT */
/* Child processes: run and collect, or spawn and keep. */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* How a child is started; a zeroed struct is the plain case. */
struct proc_opts {
	int netns_fd;		/* > 0: enter this network namespace first */
	int out_fd;		/* > 0: standard output and error of a spawned child go here */
	const char *cwd;	/* NULL: inherit */
	const char *const *env; /* NULL: inherit; else "K=V" strings added to the environment */
	const char *input;	/* proc_run: text for standard input; NULL: empty */
	int64_t timeout_ns;	/* proc_run: 0 = 60 s */
	/* proc_run: ends the child when *cancel reaches cancel_at (0 counts as 1); NULL: never */
	const volatile sig_atomic_t *cancel;
	int cancel_at;
	int (*prepare)(void *arg); /* runs in the child before exec; non-zero ends it with 126 */
	void *prepare_arg;
};

struct proc_result {
	int status; /* exit status, or 128 + signal */
	char *out; /* NUL-terminated standard output, at most 16 MiB; caller frees with proc_result_free */
	char *error; /* the same for standard error */
};

void proc_result_free(struct proc_result *r);
#define _cleanup_proc_ __attribute__((cleanup(proc_result_free)))

/* Run argv to its end and collect both outputs. Returns -1 only when it could not be started, timed out
 * (it is then killed) or was cancelled (EXIT_INCONCLUSIVE; SIGTERM, and SIGKILL two seconds later); a
 * non-zero exit is in r->status. */
int proc_run(const char *const argv[], const struct proc_opts *opts, struct proc_result *r,
	     struct err *err);

/* proc_run, and a non-zero exit is an error whose text carries the command and its last error line. */
int proc_check(const char *const argv[], const struct proc_opts *opts, struct err *err);

/* Start argv and return its process id (the caller waits for it), -1 on error. The child gets SIGKILL
 * when the calling thread's process dies. */
pid_t proc_spawn(const char *const argv[], const struct proc_opts *opts, struct err *err);

/* SIGTERM to the child and what it started (its process group), wait up to grace_ns, SIGKILL, reap. pid <= 1 is
 * refused. */
void proc_end(pid_t pid, int64_t grace_ns);

/* Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat, proc(5)); 0 when there
 * is none. With the pid it names a process for ever. */
uint64_t proc_start_time(pid_t pid);

/* Convenience for literal argument lists: PROC_ARGV("ip", "link", "show"). */
#define PROC_ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

#endif
