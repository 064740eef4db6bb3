// SPDX-License-Identifier: MIT
/* Commands inside the (virtual) host and the other nodes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "host/host_internal.h"

#define TIMEOUT_NS (60 * NS_PER_S) /* as proc_run() */
#define GRACE_NS   (5 * NS_PER_S)  /* for the child that keeps the time */

/* What the machine's user has set for the machine's own tools is not for those inside. */
static const char *const outer_variables[] = {
	"DOCKER_HOST",		"DOCKER_CONTEXT",    "DOCKER_CONFIG",
	"DOCKER_CERT_PATH",	"DOCKER_TLS_VERIFY", "COMPOSE_FILE",
	"COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES",  "http_proxy",
	"https_proxy",		"HTTP_PROXY",	     "HTTPS_PROXY",
	"LD_PRELOAD",		"LD_LIBRARY_PATH",   "TMPDIR",
	"XDG_RUNTIME_DIR",
};

static void inner_environment(void)
{
	for (size_t i = 0; i < sizeof(outer_variables) / sizeof(outer_variables[0]); i++)
		(void)unsetenv(outer_variables[i]);
	(void)setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	(void)setenv("HOME", "/root", 1);
	(void)setenv("LC_ALL", "C.UTF-8", 1);
}

/* One call enters all namespaces of the init (setns(2) with a pidfd, Linux 5.8). */
static int enter(const struct lab_node *n)
{
	int pidfd = (int)syscall(SYS_pidfd_open, n->pid, 0);
	int rc;

	if (pidfd < 0)
		return -1;
	rc = lab_node_alive(n) ? setns(pidfd, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
						      CLONE_NEWUTS | CLONE_NEWIPC)
			       : -1;
	(void)close(pidfd);
	return rc;
}

int host_enter(const struct host *h, const char *node, struct err *err)
{
	int i = lab_node_index(node);

	if (!h->lab || i < 0)
		return err_set(err, EXIT_USAGE,
			       "`%s` is no node of a lab: isp, vpn, internet, host", node);
	if (enter(&h->nodes[i]) < 0)
		return err_errno(err, "lab node %s cannot be entered", node);
	inner_environment();
	return chdir("/") < 0 ? err_errno(err, "/") : 0;
}

struct inside {
	const struct lab_node *node;
	const struct proc_opts *outer;
	int64_t timeout_ns;
	bool *timed_out; /* shared with the child */
};

/* Ends at the deadline even when the command does not. true: it did not. */
static bool wait_until(pid_t pid, int64_t deadline, int *status)
{
	struct pollfd p = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	int64_t left;
	bool late = false;

	while ((left = deadline - clock_mono_ns()) > 0)
		if (poll(&p, 1, (int)(left / NS_PER_MS) + 1) > 0)
			break;
	if (left <= 0) {
		late = true;
		(void)kill(pid, SIGKILL);
	}
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return late;
}

/* A process that enters a pid namespace is not in it, only its children are: so the command runs in a
 * grandchild, and the child hands its end on. The child keeps the time too, as the dead of a pid
 * namespace whose parent has gone are buried by the machine's init, and the lab's end waits for that. */
static void wait_and_exit(pid_t pid, const struct inside *in)
{
	int status = 0;

	*in->timed_out = wait_until(pid, clock_mono_ns() + in->timeout_ns, &status);
	if (WIFSIGNALED(status))
		_exit(128 + WTERMSIG(status));
	_exit(WEXITSTATUS(status));
}

static int prepare_inside(void *arg)
{
	const struct inside *in = arg;
	pid_t pid;

	if (enter(in->node) < 0)
		return -1;
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid > 0)
		wait_and_exit(pid, in);
	/* When the harness is killed its child is too, and this hands it on. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	inner_environment();
	for (const char *const *e = in->outer->env; e && *e; e++)
		(void)putenv((char *)(uintptr_t)*e);
	if (chdir(in->outer->cwd ? in->outer->cwd : "/") < 0)
		return -1;
	return in->outer->prepare ? in->outer->prepare(in->outer->prepare_arg) : 0;
}

/* In the lab: like proc_run(), or like proc_check() where r is NULL. */
static int run_inside(struct inside *in, const char *const argv[], struct proc_result *r,
		      struct err *err)
{
	struct proc_opts o = *in->outer;
	int rc;

	in->timed_out = mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			     -1, 0);
	if (in->timed_out == MAP_FAILED)
		return err_errno(err, "memory for %s", argv[0]);
	in->timeout_ns = o.timeout_ns ? o.timeout_ns : TIMEOUT_NS;
	o.timeout_ns = in->timeout_ns + GRACE_NS;
	o.netns_fd = 0;
	o.cwd = NULL;
	o.prepare = prepare_inside;
	o.prepare_arg = in;
	rc = r ? proc_run(argv, &o, r, err) : proc_check(argv, &o, err);
	if (*in->timed_out)
		rc = err_set(err, EXIT_ENVIRONMENT, "%s %s: no end within %.1f s, killed", argv[0],
			     argv[1] ? argv[1] : "", (double)in->timeout_ns / 1e9);
	(void)munmap(in->timed_out, sizeof(bool));
	return rc;
}

static int run_in(const struct host *h, enum node_index i, const char *const argv[],
		  const struct proc_opts *opts, struct proc_result *r, struct err *err)
{
	static const struct proc_opts plain;
	struct inside in = { .node = &h->nodes[i], .outer = opts ? opts : &plain };
	struct proc_opts o = *in.outer;

	if (h->lab && lab_node_alive(in.node))
		return run_inside(&in, argv, r, err);
	if (h->lab)
		return err_set(err, EXIT_ENVIRONMENT, "%s: lab node %s does not run", argv[0],
			       lab_node_name(i));
	o.netns_fd = 0;
	return r ? proc_run(argv, &o, r, err) : proc_check(argv, &o, err);
}

int host_run(struct host *h, const char *const argv[], const struct proc_opts *opts,
	     struct proc_result *r, struct err *err)
{
	return run_in(h, NODE_HOST, argv, opts, r, err);
}

int host_check(struct host *h, const char *const argv[], const struct proc_opts *opts,
	       struct err *err)
{
	return run_in(h, NODE_HOST, argv, opts, NULL, err);
}

int host_node_run(struct host *h, const char *node, const char *const argv[],
		  const struct proc_opts *opts, struct proc_result *r, struct err *err)
{
	int i = lab_node_index(node);

	if (!h->lab || i < 0)
		return err_set(err, EXIT_USAGE,
			       "`%s` is no node of a lab: isp, vpn, internet, host", node);
	return run_in(h, (enum node_index)i, argv, opts, r, err);
}
