// SPDX-License-Identifier: MIT
/* Starting and killing the init of a lab node, seen from the harness. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "host/host_internal.h"

#define END_MS	      30000 /* the machine's init may have dead of the lab to bury first */
#define NODE_START_NS (30 * NS_PER_S)

/* In the new process: only system calls, as threads of the parent may have held locks. */
static void become_init(const char *const argv[], int ctl, int log)
{
	static const char *const env[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
		"LC_ALL=C.UTF-8", NULL
	};
	sigset_t none;
	int null = open("/dev/null", O_RDONLY);

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setsid();
	/* dup2() to itself would leave close-on-exec on. */
	if (dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0 ||
	    dup2(ctl, LAB_CTL_FD) < 0 || fcntl(LAB_CTL_FD, F_SETFD, 0) < 0)
		_exit(126);
	(void)syscall(SYS_close_range, LAB_CTL_FD + 1, ~0U, 0);
	(void)execve("/proc/self/exe", (char *const *)(uintptr_t)argv,
		     (char *const *)(uintptr_t)env);
	_exit(127);
}

/* A line of the init: "+" is good news, "-text" is its error. */
static int hear(struct host *h, enum node_index i, struct err *err)
{
	struct lab_node *n = &h->nodes[i];
	struct pollfd p = { .fd = n->ctl_fd, .events = POLLIN };
	int64_t deadline = clock_mono_ns() + NODE_START_NS;
	char line[512];
	ssize_t len;

	while (poll(&p, 1, 100) <= 0) {
		if (h->cancel && *h->cancel)
			return err_set(err, EXIT_ENVIRONMENT, "interrupted");
		if (clock_mono_ns() > deadline)
			return err_set(err, EXIT_ENVIRONMENT,
				       "lab node %s: not started within %d s", lab_node_name(i),
				       (int)(NODE_START_NS / NS_PER_S));
	}
	len = recv(n->ctl_fd, line, sizeof(line) - 1, 0);
	if (len > 0 && line[0] == '+')
		return 0;
	line[len > 0 ? len : 0] = '\0';
	return err_set(err, EXIT_ENVIRONMENT, "lab node %s: %s", lab_node_name(i),
		       len > 0 ? line + 1 : "its init ended; see log/init.log of the lab");
}

static int open_ns(pid_t pid, const char *kind, struct err *err)
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/ns/%s", (int)pid, kind);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_errno(err, "%s", path) : fd;
}

static int adopt(struct lab_node *n, pid_t pid, struct err *err)
{
	n->pid = pid;
	n->start = proc_start_time(pid);
	n->netns_fd = open_ns(pid, "net", err);
	n->pidns_fd = n->netns_fd < 0 ? -1 : open_ns(pid, "pid", err);
	return n->pidns_fd < 0 ? -1 : 0;
}

/* The init waits until lab_node_go(), and ends by itself when this process dies before: so a killed
 * harness leaves no init that state.json does not name. */
int lab_node_start(struct host *h, enum node_index i, struct err *err)
{
	const char *const argv[] = { LAB_INIT_NAME, h->id, lab_node_name(i), NULL };
	unsigned long flags = CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS |
			      CLONE_NEWIPC | SIGCHLD;
	_cleanup_free_ char *log_path = lab_path(h, "log/init.log");
	_cleanup_close_ int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	struct lab_node *n = &h->nodes[i];
	int pair[2];
	long pid;

	if (log < 0)
		return err_errno(err, "%s", log_path);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_errno(err, "socketpair");
	pid = syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
	if (pid == 0)
		become_init(argv, pair[1], log);
	(void)close(pair[1]);
	n->ctl_fd = pair[0];
	if (pid < 0)
		return err_errno(err, "clone of lab node %s (root is needed)", lab_node_name(i));
	if (adopt(n, (pid_t)pid, err) < 0)
		return -1;
	return hear(h, i, err);
}

int lab_node_go(struct host *h, enum node_index i, struct err *err)
{
	if (send(h->nodes[i].ctl_fd, "g", 1, MSG_NOSIGNAL) != 1)
		return err_errno(err, "lab node %s", lab_node_name(i));
	return 0;
}

int lab_node_started(struct host *h, enum node_index i, struct err *err)
{
	int rc = hear(h, i, err);

	(void)close(h->nodes[i].ctl_fd);
	h->nodes[i].ctl_fd = -1;
	return rc;
}

/* SIGKILL to the init of a pid namespace ends everything in it; its own end comes when all are reaped. */
int lab_node_kill(struct lab_node *n, struct err *err)
{
	_cleanup_close_ int pidfd = -1;
	struct pollfd p = { .events = POLLIN };
	int gone = 1;

	if (n->pid > 1)
		pidfd = (int)syscall(SYS_pidfd_open, n->pid, 0);
	/* Asked after the descriptor is held: now the pid cannot pass to somebody else. */
	if (pidfd >= 0 && lab_node_alive(n)) {
		(void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
		p.fd = pidfd;
		gone = poll(&p, 1, END_MS);
		(void)waitpid(n->pid, NULL, WNOHANG);
	}
	if (gone <= 0)
		return err_set(err, EXIT_ENVIRONMENT,
			       "process %d of the lab does not end after SIGKILL", (int)n->pid);
	lab_node_forget(n);
	return 0;
}

/* Any program that links host/ can start a lab, so the way into its init is here and not in main():
 * a process that was executed under this name never reaches main(). It stands in this file because a
 * linker takes from the library only files that somebody names. */
__attribute__((constructor)) static void lab_init_entry(int argc, char **argv, char **envp)
{
	(void)envp;
	if (argc == 3 && strcmp(argv[0], LAB_INIT_NAME) == 0)
		lab_init_run(argv[1], argv[2]);
}
