/* SPDX-License-Identifier: MIT */
/* A host and a stack made of throw-away namespaces, in the place of those of host/ and stack/: every function
 * that the faults call is here, so the linker takes none from the library. */
#ifndef TESTS_FAULT_WORLD_H
#define TESTS_FAULT_WORLD_H

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/proc.h"
#include "failing.h"
#include "fault/fault.h"

static bool world_is_lab = true;
static pid_t world_node = 0;		       /* "vpn", "internet" and the host's init */
static struct stack_service world_services[2]; /* up to two of the stack */
static char world_dir[64];		       /* state directory */

bool host_is_lab(const struct host *h)
{
	(void)h;
	return world_is_lab;
}

pid_t host_init_pid(const struct host *h)
{
	(void)h;
	return world_node;
}

pid_t host_node_pid(const struct host *h, const char *node)
{
	(void)h;
	(void)node;
	return world_node;
}

const struct lab_vpn *host_lab_vpn(const struct host *h)
{
	static const struct lab_vpn vpn = { .endpoint = "198.51.100.2", .port = 51820 };

	(void)h;
	return &vpn;
}

const struct stack_service *stack_service(const struct stack *s, const char *name)
{
	(void)s;
	for (size_t i = 0; i < 2; i++)
		if (strcmp(world_services[i].name, name) == 0)
			return &world_services[i];
	return NULL;
}

/* The first service, when it has the usual name. */
const struct stack_service *stack_gateway(const struct stack *s)
{
	return stack_service(s, "gluetun");
}

int stack_refresh(struct stack *s, struct err *err)
{
	(void)s;
	(void)err;
	return 0;
}

int stack_compose(struct stack *s, const char *const *args, int64_t timeout_ns, struct err *err)
{
	(void)s;
	(void)args;
	(void)timeout_ns;
	return err_set(err, EXIT_ENVIRONMENT, "no Compose in this world");
}

static inline void world_service(size_t i, const char *name, pid_t pid)
{
	memset(&world_services[i], 0, sizeof(world_services[i]));
	(void)snprintf(world_services[i].name, sizeof(world_services[i].name), "%s", name);
	world_services[i].pid = pid;
}

/* What the first process of a "container" does: perhaps start a second one of that name, say so, wait. */
static void world_init(const char *helper, int ready)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!helper || fork() == 0) {
		if (helper)
			(void)prctl(PR_SET_NAME, helper);
		(void)!write(ready, "x", 1);
	}
	for (;;)
		(void)pause();
}

/* Makes the namespaces (the pid namespace is for its child), starts the first process, reaps it. */
static void world_keeper(const char *helper, int ready, int pids)
{
	pid_t init;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET | CLONE_NEWPID) < 0)
		_exit(1);
	init = fork();
	if (init == 0)
		world_init(helper, ready);
	(void)!write(pids, &init, sizeof(init));
	(void)waitpid(init, NULL, 0);
	_exit(0);
}

/* The first process of new network and pid namespaces, as a container has it; `helper` (may be NULL) is the name
 * of a second process in them. Ends the test as skipped where namespaces cannot be made. */
static inline pid_t world_container(const char *helper)
{
	int ready[2], pids[2];
	pid_t keeper, init = 0;
	char byte;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(pids), 0);
	keeper = fork();
	assert_true(keeper >= 0);
	if (keeper == 0)
		world_keeper(helper, ready[1], pids[1]);
	(void)close(ready[1]);
	(void)close(pids[1]);
	if (read(pids[0], &init, sizeof(init)) != sizeof(init) || read(ready[0], &byte, 1) != 1)
		init = 0;
	(void)close(ready[0]);
	(void)close(pids[0]);
	if (init <= 1)
		skip();
	return init;
}

/* Run a command in the network namespace of a process; it must succeed. */
static inline void world_run(pid_t pid, const char *const argv[])
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/ns/net", (int)pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct proc_opts o = { .netns_fd = fd };
	struct err err = { 0 };

	assert_true(fd > 0);
	if (proc_check(argv, &o, &err) < 0)
		fail_msg("%s", err.text);
}

/* What a command prints in the network namespace of a process; caller frees. */
static inline char *world_output(pid_t pid, const char *const argv[])
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/ns/net", (int)pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct proc_opts o = { .netns_fd = fd };
	_cleanup_proc_ struct proc_result r = { 0 };

	assert_int_equal(proc_run(argv, &o, &r, NULL), 0);
	return str_fmt("%s", r.out);
}

static int world_setup(void **state)
{
	(void)state;
	(void)snprintf(world_dir, sizeof(world_dir), "/tmp/leakproof-fault-XXXXXX");
	memset(world_services, 0, sizeof(world_services));
	world_is_lab = true;
	return mkdtemp(world_dir) ? 0 : -1;
}

static int world_teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		if (world_services[i].pid > 1)
			(void)kill(world_services[i].pid, SIGKILL);
	if (world_node > 1)
		(void)kill(world_node, SIGKILL);
	world_node = 0;
	return fs_remove_tree(world_dir, NULL);
}

/* Number of undo records on the disk. */
static inline size_t world_records(void)
{
	_cleanup_free_ char *path = str_fmt("%s/undo", world_dir);
	_cleanup_closedir_ DIR *dir = opendir(path);
	const struct dirent *e;
	size_t n = 0;

	while (dir && (e = readdir(dir)))
		n += e->d_name[0] != '.';
	return n;
}

static inline struct fault_ctx world_ctx(void)
{
	return (struct fault_ctx){ .state_dir = world_dir, .run = "test-1" };
}

/* The step as the loader makes it from YAML, so that rows and parameters are tested too. */
static inline struct scenario *world_scenario(const char *step)
{
	static const struct kind *const none[] = { NULL };
	struct vocab v = { fault_kinds(), none };
	_cleanup_free_ char *text = str_fmt("name: t\nsummary: s\ntimeline:\n  - fault: %s\n",
					    step);
	struct scenario *s = NULL;
	struct diag d = { 0 };

	if (scenario_parse("t", text, strlen(text), &v, &s, &d, NULL) < 0) {
		diag_print(&d, stderr, false);
		fail_msg("bad step in the test");
	}
	return s;
}

#endif
