/* SPDX-License-Identifier: MIT */
/* Finding, holding and ending the processes that faults act on. A pid alone is never trusted: between two lives of
 * a container it is 0, and later it may be somebody else's. */
#include "fault/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/proc.h"

#define COMM_SIZE 16

/* Inode of /proc/PID/ns/KIND, 0 when the process is gone. */
static ino_t ns_inode(pid_t pid, const char *kind)
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/ns/%s", (int)pid, kind);
	struct stat st;

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static void read_comm(pid_t pid, char comm[COMM_SIZE])
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/comm", (int)pid);
	_cleanup_free_ char *text = fs_read(path, 64, NULL, NULL);

	(void)snprintf(comm, COMM_SIZE, "%.*s", text ? (int)strcspn(text, "\n") : 1,
		       text ? text : "?");
}

pid_t target_service_pid(const struct fault_ctx *c, const char *service, struct err *err)
{
	const struct stack_service *s = stack_service(c->stack, service);

	if (!s)
		return err_set(err, EXIT_USAGE, "the stack has no service `%s`", service);
	if (s->pid <= 1)
		return err_set(err, EXIT_ENVIRONMENT, "service %s does not run", service);
	return s->pid;
}

pid_t target_gateway_pid(const struct fault_ctx *c, const char **name, struct err *err)
{
	const struct stack_service *s = *name ? NULL : stack_gateway(c->stack);

	if (s)
		*name = s->name;
	if (!*name)
		return err_set(err, EXIT_USAGE, "the stack has no gateway; name the `service`");
	return target_service_pid(c, *name, err);
}

/* First process of a pid namespace whose name begins so. */
static pid_t find_in(ino_t pidns, const char *name, char comm[COMM_SIZE])
{
	_cleanup_closedir_ DIR *proc = opendir("/proc");
	const struct dirent *e;

	while (proc && (e = readdir(proc))) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

		if (pid <= 1 || ns_inode(pid, "pid") != pidns)
			continue;
		read_comm(pid, comm);
		if (strncmp(comm, name, strlen(name)) == 0)
			return pid;
	}
	return 0;
}

pid_t target_find_process(pid_t init, const char *const *names, char comm[COMM_SIZE])
{
	ino_t pidns = ns_inode(init, "pid");
	pid_t pid = 0;

	if (pidns == 0 || pidns == ns_inode(getpid(), "pid"))
		return 0; /* a container with the host's pid namespace: its names are not its own */
	for (; *names && pid == 0; names++)
		pid = find_in(pidns, *names, comm);
	return pid;
}

static int pidfd_open_(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

int target_hold(struct fault_active *a, pid_t pid, struct err *err)
{
	json_t *pids = json_object_get(a->record, "pids");
	size_t n = json_array_size(pids);
	char comm[COMM_SIZE];
	uint64_t start;

	if (pid <= 1 || pid == getpid())
		return err_set(err, EXIT_ENVIRONMENT, "refusing to act on process %d", (int)pid);
	if (n == FAULT_PIDS)
		return err_set(err, EXIT_ENVIRONMENT, "more than %d processes", FAULT_PIDS);
	a->pidfds[n] = pidfd_open_(pid);
	if (a->pidfds[n] < 0)
		return err_errno(err, "process %d", (int)pid);
	start = proc_start_time(pid);
	read_comm(pid, comm);
	if (start == 0)
		return err_set(err, EXIT_ENVIRONMENT, "process %d is gone", (int)pid);
	if (!pids) {
		pids = json_array();
		(void)json_object_set_new(a->record, "pids", pids);
	}
	return json_array_append_new(pids, json_pack("{s:i, s:I, s:s}", "pid", (int)pid, "start",
						     (json_int_t)start, "comm", comm));
}

int target_kill(struct fault_active *a, struct err *err)
{
	for (size_t i = 0; i < FAULT_PIDS && a->pidfds[i] >= 0; i++)
		if (syscall(SYS_pidfd_send_signal, a->pidfds[i], SIGKILL, NULL, 0) < 0)
			return err_errno(err, "SIGKILL");
	return 0;
}

int target_gone(struct fault_active *a, struct err *err)
{
	size_t n = 0;

	for (; n < FAULT_PIDS && a->pidfds[n] >= 0; n++) {
		/* A pidfd is readable from the moment the process has ended (pidfd_open(2)). */
		struct pollfd p = { .fd = a->pidfds[n], .events = POLLIN };
		int rc = poll(&p, 1, 0);

		if (rc < 0 && errno != EINTR)
			return err_errno(err, "poll of a process");
		if (rc <= 0)
			return FAULT_NOT_YET;
	}
	if (n == 0)
		return err_set(err, EXIT_ENVIRONMENT, "no process was held");
	a->result.confirmation[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		const json_t *p = json_array_get(json_object_get(a->record, "pids"), i);
		size_t used = strlen(a->result.confirmation);

		(void)snprintf(a->result.confirmation + used, sizeof(a->result.confirmation) - used,
			       "%sprocess %" JSON_INTEGER_FORMAT " (%s) has ended", i ? ", " : "",
			       json_integer_value(json_object_get(p, "pid")),
			       json_string_value(json_object_get(p, "comm")));
	}
	return FAULT_SEEN;
}

json_t *target_netns(pid_t pid, struct err *err)
{
	uint64_t start = pid > 0 ? proc_start_time(pid) : 0;

	if (start == 0) {
		(void)err_set(err, EXIT_ENVIRONMENT, "process %d is gone", (int)pid);
		return NULL;
	}
	return json_pack("{s:i, s:I}", "pid", (int)pid, "start", (json_int_t)start);
}

int target_netns_open(const json_t *netns, struct err *err)
{
	pid_t pid = (pid_t)json_integer_value(json_object_get(netns, "pid"));
	uint64_t start = (uint64_t)json_integer_value(json_object_get(netns, "start"));
	_cleanup_free_ char *path = str_fmt("/proc/%d/ns/net", (int)pid);
	_cleanup_close_ int fd = -1;

	if (pid <= 0 || start == 0)
		return err_set(err, EXIT_ENVIRONMENT, "an undo record without a namespace");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return err_errno(err, "%s", path);
	/* Asked after opening: then the descriptor is of that process and of no later one. */
	if (fd < 0 || proc_start_time(pid) != start)
		return -1;
	return take_fd(&fd);
}

int target_run(const json_t *netns, const char *const argv[], const struct proc_opts *opts,
	       struct proc_result *r, struct err *err)
{
	struct err why = { 0 };
	_cleanup_close_ int fd = target_netns_open(netns, &why);
	struct proc_opts o = *opts;

	if (fd < 0 && why.status == 0)
		return 1;
	if (fd < 0)
		return err_set(err, why.status, "%s", why.text);
	o.netns_fd = fd;
	if (proc_run(argv, &o, r, err) < 0)
		return -1;
	if (r->status == 127)
		return err_set(err, EXIT_ENVIRONMENT, "%s: command not found", argv[0]);
	return 0;
}

json_t *target_links(const json_t *netns, struct err *err)
{
	const struct proc_opts o = { .timeout_ns = 10 * NS_PER_S };
	_cleanup_proc_ struct proc_result r = { 0 };
	int rc = target_run(netns, PROC_ARGV("ip", "-j", "-d", "link", "show"), &o, &r, err);
	json_t *links = rc == 0 && r.status == 0 ? json_loads(r.out, 0, NULL) : NULL;

	if (rc > 0)
		return json_array();
	if (rc == 0 && !links)
		(void)err_set(err, EXIT_ENVIRONMENT, "ip link: exit status %d: %.200s", r.status,
			      r.error);
	return links;
}
