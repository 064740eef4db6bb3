/* SPDX-License-Identifier: MIT */
/* What the files of host/ share with one another and with nobody else. */
#ifndef HOST_HOST_INTERNAL_H
#define HOST_HOST_INTERNAL_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "host/host.h"

#define RUN_DIR	  "/run/leakproof"
#define STATE_MAX ((size_t)1 << 20)

/* In RUN_DIR: + process id, dot, lab id; a lab's state directory before it has its name. */
#define CLAIM_PREFIX ".claim."

/* argv[0] of a node's init: how the re-executed program knows what it is (lab_init.c). */
#define LAB_INIT_NAME "leakproof-lab-init"
#define LAB_CTL_FD    3 /* in the init: the socket to the process that started it */

/* Inside every node: its configuration, and a directory with the control files of its services. */
#define LAB_ETC "/etc/lab"
#define LAB_LOG "/var/log/lab"
#define LAB_HOLD \
	"/run/lab/hold-" /* + service: ends it and keeps it ended while the file is there */

enum node_index { NODE_ISP, NODE_VPN, NODE_INTERNET, NODE_HOST, N_NODES };

struct lab_node {
	pid_t pid;	/* 0: not running */
	uint64_t start; /* proc_start_time(), so that a reused pid is never hit */
	int netns_fd, pidns_fd;
	int ctl_fd; /* only while it starts */
};

/* Everything that outlives the process is in `state`, which is what state.json holds. */
struct host {
	bool lab;
	char *id, *state_dir, *root, *socket, *cgroup_parent;
	char **uplinks, **addrs; /* NULL-terminated */
	json_t *state;
	struct lab_node nodes[N_NODES]; /* real: only NODE_HOST */
	struct lab_vpn vpn;		/* strings are owned by state */
	struct lab_torrent torrent;	/* the same */
	const volatile sig_atomic_t *cancel;
};

const char *lab_node_name(enum node_index i);
int lab_node_index(const char *name); /* -1: no such node */

/* host.c */
struct host *lab_handle_new(const char *id);
const char *lab_str(const struct host *h, const char *key); /* a string of the state */
char *lab_path(const struct host *h, const char *fmt, ...)  /* below the lab's directory on disk */
	__attribute__((format(printf, 2, 3)));
void lab_node_forget(struct lab_node *n);

/* Append a copy to a NULL-terminated list, unless it is there already. */
void host_list_add(char ***list, const char *text);
void host_list_free(char **list);

/* lab_state.c */
char *lab_state_dir_of(const char *id);
char *lab_disk_dir_of(const char *id);
int lab_id_check(const char *id, struct err *err);
void lab_state_own(struct host *h); /* note this process as the one that uses the host */
int lab_state_save(struct host *h, struct err *err);
int lab_state_load(struct host *h, struct err *err);
char *lab_last_line(const char *log); /* what a service said last; "" when nothing; caller frees */
bool lab_node_alive(const struct lab_node *n);
void lab_state_use(struct host *h); /* derive root, socket, vpn and torrent from the state */

/* lab_disk.c: what must lie on disk before the nodes start */
int lab_disk_prepare(struct host *h, const char *home, struct err *err);
int lab_graph_install(const char *graph, const char *docker_dir, struct err *err);

/* lab_tree.c: where the tree of the script in home lies or will lie; caller frees */
char *lab_tree_path(const char *home, struct err *err);

/* lab_seed.c */
int lab_seed_make(struct host *h, void (*progress)(void *, const char *), void *arg,
		  struct err *err);

/* lab_node.c: start an init (it waits), let it go on, hear that its services are started; kill it */
int lab_node_start(struct host *h, enum node_index i, struct err *err);
int lab_node_go(struct host *h, enum node_index i, struct err *err);
int lab_node_started(struct host *h, enum node_index i, struct err *err);
int lab_node_kill(struct lab_node *n, struct err *err);

/* lab_init.c: the process that is a node's init */
void lab_init_run(const char *id, const char *name) __attribute__((noreturn));

/* lab_net.c */
int lab_net_core(struct host *h, struct err *err);   /* isp, vpn, internet */
int lab_net_uplink(struct host *h, struct err *err); /* isp to virtual host */
int lab_net_cut(struct host *h, struct err *err);    /* the uplink's cable */
bool lab_net_kernel_wireguard(struct host *h);
bool lab_net_listens(pid_t pid, const char *protocol, unsigned port); /* "tcp", "udp" */
/* Does somebody take connections at this socket of the file system? It is there before: between bind(2) and listen(2). */
bool lab_net_accepts(const char *path);

/* lab_sink.c: accepts and echoes everything that nft hands over; never returns */
void lab_sink_serve(void) __attribute__((noreturn));

/* lab_up.c */
int lab_services_wait(struct host *h, struct err *err);
int lab_engine_wait(struct host *h, struct err *err);

#endif
