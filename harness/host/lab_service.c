// SPDX-License-Identifier: MIT
/* The services of the lab's nodes: a table, and what an init does with it. */
#include "host/lab_service.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"

/* systemd's RestartSec of docker.service. */
#define RESTART_NS (2 * NS_PER_S)
#define WAIT_NS	   (10 * NS_PER_S)
#define MAX_ARGS   24

enum when { ALWAYS, WG_KERNEL, WG_USER, ENGINE };

struct service {
	const char *name;	    /* also of its log */
	const char *wait_for;	    /* a socket that takes connections before the next one starts */
	void (*serve)(void);	    /* instead of argv: runs in a child of the init */
	const char *argv[MAX_ARGS]; /* "@cgroup" stands for the control group of the lab */
	enum node_index node;
	enum when when;
	unsigned wait_tcp; /* a port that must be listened on before the next one starts; 0: none */
	bool once;	   /* runs to its end before the next one starts, and must end well */
};

#define ONCE(node_, when_, name_, ...)                                                     \
	{                                                                                  \
		.node = (node_), .when = (when_), .name = (name_), .once = true, .argv = { \
			__VA_ARGS__                                                        \
		}                                                                          \
	}
#define DAEMON(node_, when_, name_, ...)                                                   \
	{                                                                                  \
		.node = (node_), .when = (when_), .name = (name_), .argv = { __VA_ARGS__ } \
	}

static const struct service services[] = {
	ONCE(NODE_VPN, WG_KERNEL, "wg-add", "ip", "link", "add", "wg0", "type", "wireguard"),
	{ .node = NODE_VPN,
	  .when = WG_USER,
	  .name = "wireguard-go", /* wg(8) removes the socket of one that does not take its connection */
	  .wait_for = "/run/wireguard/wg0.sock",
	  .argv = { "wireguard-go", "-f", "wg0" } },
	ONCE(NODE_VPN, ALWAYS, "wg-conf", "wg", "setconf", "wg0", LAB_ETC "/wg0.conf"),
	ONCE(NODE_VPN, ALWAYS, "wg-link", "ip", "-batch", LAB_ETC "/wg0.ip"),
	ONCE(NODE_VPN, ALWAYS, "vpn-nft", "nft", "-f", LAB_ETC "/vpn.nft"),
	ONCE(NODE_INTERNET, ALWAYS, "sink-nft", "nft", "-f", LAB_ETC "/sink.nft"),
	{ .node = NODE_INTERNET, .name = "sink", .serve = lab_sink_serve },
	DAEMON(NODE_INTERNET, ALWAYS, "dns", "dnsmasq", "-k", "-C", LAB_ETC "/dns.conf"),
	DAEMON(NODE_INTERNET, ALWAYS, "http", "nginx", "-c", LAB_ETC "/http.conf"),
	/* The seeder announces itself once a minute: the first time must meet the tracker. */
	{ .node = NODE_INTERNET,
	  .name = "tracker",
	  .wait_tcp = 6969,
	  .argv = { "opentracker", "-f", LAB_ETC "/tracker.conf" } },
	DAEMON(NODE_INTERNET, ALWAYS, "seeder", "aria2c", "--conf-path=" LAB_ETC "/seeder.conf",
	       "/srv/seed/lab.torrent"),
	DAEMON(NODE_HOST, ALWAYS, "stub", "dnsmasq", "-k", "-C", LAB_ETC "/stub.conf"),
	{ .node = NODE_HOST,
	  .when = ENGINE,
	  .name = "containerd",
	  .wait_for = "/run/containerd/containerd.sock",
	  .argv = { "containerd", "--config", LAB_ETC "/containerd.toml" } },
	DAEMON(NODE_HOST, ENGINE, "dockerd", "dockerd", "-H", "unix:///run/docker.sock",
	       "--containerd", "/run/containerd/containerd.sock", "--cgroup-parent", "@cgroup",
	       "--exec-opt", "native.cgroupdriver=cgroupfs", "--storage-driver", "overlay2"),
};

#define N_SERVICES (sizeof(services) / sizeof(services[0]))

/* Of this node: what runs. */
static struct {
	int64_t restart; /* MONOTONIC; 0: not waiting for it */
	pid_t pid;
	bool mine;
} running[N_SERVICES];

static bool wanted(struct host *h, const struct service *s, enum node_index node)
{
	bool kernel = json_is_true(json_object_get(h->state, "kernel_wireguard"));
	bool engine = !json_is_true(json_object_get(h->state, "no_docker"));

	return s->node == node &&
	       (s->when == ALWAYS || (s->when == WG_KERNEL && kernel) ||
		(s->when == WG_USER && !kernel) || (s->when == ENGINE && engine));
}

static void become_service(struct host *h, const struct service *s)
{
	_cleanup_free_ char *log = str_fmt("%s/%s.log", LAB_LOG, s->name);
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	const char *argv[MAX_ARGS + 1] = { NULL };

	for (size_t i = 0; i < MAX_ARGS && s->argv[i]; i++)
		argv[i] = strcmp(s->argv[i], "@cgroup") == 0 ? h->cgroup_parent : s->argv[i];
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	(void)setsid();
	(void)close(LAB_CTL_FD);
	if (s->serve)
		s->serve();
	if (!argv[0])
		_exit(1);
	(void)setenv("WG_PROCESS_FOREGROUND", "1", 1);
	(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
	(void)fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static pid_t spawn(struct host *h, const struct service *s)
{
	pid_t pid = fork();

	if (pid == 0)
		become_service(h, s);
	return pid;
}

/* "what: the service's last words" */
static int service_error(const struct service *s, const char *what, struct err *err)
{
	_cleanup_free_ char *log = str_fmt("%s/%s.log", LAB_LOG, s->name);
	_cleanup_free_ char *words = lab_last_line(log);

	return err_set(err, EXIT_ENVIRONMENT, "%s %s: %s", s->name, what, words);
}

static int run_once(struct host *h, const struct service *s, struct err *err)
{
	pid_t pid = spawn(h, s);
	int status = -1;

	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && status == 0 ? 0 : service_error(s, "failed", err);
}

static int wait_for(const struct service *s, pid_t pid, struct err *err)
{
	int64_t deadline = clock_mono_ns() + WAIT_NS;

	while ((s->wait_for && !lab_net_accepts(s->wait_for)) ||
	       (s->wait_tcp && !lab_net_listens(getpid(), "tcp", s->wait_tcp))) {
		if (waitpid(pid, NULL, WNOHANG) != 0 || clock_mono_ns() > deadline)
			return service_error(s, "does not come up", err);
		clock_sleep_ns(5 * NS_PER_MS);
	}
	return 0;
}

static int start_service(struct host *h, size_t i, struct err *err)
{
	const struct service *s = &services[i];

	if (s->once)
		return run_once(h, s, err);
	running[i].mine = true;
	running[i].pid = spawn(h, s);
	if (running[i].pid < 0)
		return err_errno(err, "fork for %s", s->name);
	return wait_for(s, running[i].pid, err);
}

int lab_services_start(struct host *h, enum node_index node, struct err *err)
{
	if (fs_mkdir_p("/run/lab", 0755, err) < 0)
		return -1;
	for (size_t i = 0; i < N_SERVICES; i++)
		if (wanted(h, &services[i], node) && start_service(h, i, err) < 0)
			return -1;
	return 0;
}

/* Every child that ended, ours or adopted. */
static void reap(void)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		for (size_t i = 0; i < N_SERVICES; i++)
			if (running[i].pid == pid) {
				running[i].pid = 0;
				running[i].restart = clock_mono_ns() + RESTART_NS;
			}
}

static void keep_one(struct host *h, size_t i)
{
	_cleanup_free_ char *hold = str_fmt("%s%s", LAB_HOLD, services[i].name);
	bool held = fs_exists(hold);

	if (held && running[i].pid > 0)
		(void)kill(running[i].pid, SIGTERM);
	if (held)
		running[i].restart = clock_mono_ns();
	else if (running[i].pid <= 0 && clock_mono_ns() >= running[i].restart)
		running[i].pid = spawn(h, &services[i]);
}

void lab_services_keep(struct host *h)
{
	sigset_t child;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	for (;;) {
		struct timespec tick = { .tv_nsec = 200 * 1000 * 1000 };

		(void)sigtimedwait(&child, NULL, &tick);
		reap();
		for (size_t i = 0; i < N_SERVICES; i++)
			if (running[i].mine)
				keep_one(h, i);
	}
}
