// SPDX-License-Identifier: MIT
/* Commands inside the (virtual) host and the other nodes. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "host/host_internal.h"

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
static int enter(const struct node *n)
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
	const struct node *node;
	const struct proc_opts *outer;
};

/* A process that enters a pid namespace is not in it, only its children are: so the command runs in a
 * grandchild, and the child hands its end on. */
static void wait_and_exit(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
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
		wait_and_exit(pid);
	/* A time-out kills our parent; this hands it on. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	inner_environment();
	for (const char *const *e = in->outer->env; e && *e; e++)
		(void)putenv((char *)(uintptr_t)*e);
	if (chdir(in->outer->cwd ? in->outer->cwd : "/") < 0)
		return -1;
	return in->outer->prepare ? in->outer->prepare(in->outer->prepare_arg) : 0;
}

static int run_in(const struct host *h, enum node_index i, const char *const argv[],
		  const struct proc_opts *opts, bool check, struct proc_result *r, struct err *err)
{
	static const struct proc_opts plain;
	struct inside in = { .node = &h->nodes[i], .outer = opts ? opts : &plain };
	struct proc_opts o = *in.outer;

	o.netns_fd = 0;
	if (h->lab) {
		if (!lab_node_alive(in.node))
			return err_set(err, EXIT_ENVIRONMENT, "%s: lab node %s does not run",
				       argv[0], lab_node_name(i));
		o.cwd = NULL;
		o.prepare = prepare_inside;
		o.prepare_arg = &in;
	}
	return check ? proc_check(argv, &o, err) : proc_run(argv, &o, r, err);
}

int host_run(struct host *h, const char *const argv[], const struct proc_opts *opts,
	     struct proc_result *r, struct err *err)
{
	return run_in(h, NODE_HOST, argv, opts, false, r, err);
}

int host_check(struct host *h, const char *const argv[], const struct proc_opts *opts,
	       struct err *err)
{
	return run_in(h, NODE_HOST, argv, opts, true, NULL, err);
}

int host_node_run(struct host *h, const char *node, const char *const argv[],
		  const struct proc_opts *opts, struct proc_result *r, struct err *err)
{
	int i = lab_node_index(node);

	if (!h->lab || i < 0)
		return err_set(err, EXIT_USAGE,
			       "`%s` is no node of a lab: isp, vpn, internet, host", node);
	return run_in(h, (enum node_index)i, argv, opts, false, r, err);
}
