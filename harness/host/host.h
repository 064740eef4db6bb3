/* SPDX-License-Identifier: MIT */
/* The machine whose Docker runs the stack: the real one, or the lab's virtual one. Nothing above this
 * header may depend on which one it has, except where it asks host_is_lab(). */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/proc.h"

struct host;

/* A directory or file of the machine that is also visible in the virtual host. */
struct lab_bind {
	const char *source;
	const char *target; /* NULL: at the same path */
	bool writable;
};

struct lab_opts {
	const char *id; /* 1..12 of [a-z0-9]; NULL: made from time and process id */
	const char
		*graph; /* directory made by host_graph_capture(), NULL: an empty /var/lib/docker */
	const struct lab_bind *binds;
	size_t n_binds;
	bool no_docker; /* only the network and the services of the internet */
	void (*progress)(void *arg, const char *what); /* may be NULL; one short line a step */
	void *progress_arg;
	const volatile sig_atomic_t
		*cancel; /* may be NULL; non-zero ends the start, cleanly, with an error */
};

/* ---- opening and closing ---- */

/* Bring a lab up: builds the tree first where the cache has none (minutes), else some seconds. Ends when
 * every service answers. On failure nothing is left behind. The lab outlives the calling process. */
struct host *host_lab_up(const struct lab_opts *o, struct err *err);

/* Take hold of a living lab by its /run/leakproof/ID/state.json. */
struct host *host_lab_attach(const char *id, struct err *err);

/* Note this process as the one that uses the lab, so that nobody else does and `clean` leaves it alone. -1 when
 * another living process does. */
int host_lab_hold(struct host *h, struct err *err);

/* The machine itself; fails (EXIT_ENVIRONMENT) when it has no default route or no Docker socket. */
struct host *host_real_open(struct err *err);

/* The same for looking only: without a state directory, so no fault may be applied by it. */
struct host *host_real_look(struct err *err);

/* Forget the handle; a lab goes on living. NULL is allowed. */
void host_close(struct host *h);

/* End every process of the lab, remove its namespaces, cgroups, files, and free the handle (also on error). */
int host_lab_down(struct host *h, struct err *err);

/* The same by id, from what is left on disk, whole or not; used after a SIGKILL. Idempotent: an id of
 * which nothing is left is no error. Undo hooks (host_set_undo) run first. */
int host_lab_clean(const char *id, struct err *err);

/* Does the process live that uses it? (A lab of `lab up` is used by nobody, and lives on.) */
bool host_lab_in_use(const char *id);

/* Ids of all labs of which something is left on this machine. NULL-terminated; free with host_ids_free. */
char **host_lab_ids(struct err *err);
void host_ids_free(char **ids);

/* Called by host_lab_clean() with the state directory before anything is removed, so that faults which
 * reach outside the lab's namespaces can be undone (fault/ registers itself here; host/ may not include it). */
void host_set_undo(int (*undo)(const char *state_dir, struct err *err));

/* ---- what it is; strings and descriptors are owned by the handle and valid until host_close ---- */

bool host_is_lab(const struct host *h);
const char *host_id(const struct host *h); /* lab id, "real" */
int host_netns_fd(const struct host *h);   /* network namespace; changes with host_boot() */
int host_pidns_fd(const struct host *h);   /* pid namespace; changes with host_boot() */
pid_t host_init_pid(const struct host *h); /* real: 1; 0 while the power is cut */
const char *host_root(
	const struct host *h); /* "" or "/proc/INIT/root": put before a path of the host */
const char *host_socket(const struct host *h); /* Docker's socket as the harness reaches it */
const char *host_uplink(const struct host *h); /* interface of the default route */
const char *const *host_uplinks(
	const struct host
		*h); /* of every default route, the first is host_uplink(); NULL-terminated */
const char *const *host_real_addrs(
	const struct host *h); /* NULL-terminated texts, those of the uplinks (v4 then v6) first */
/* Another address that must not get out, such as the public one of the router before a real host. */
int host_add_real_addr(struct host *h, const char *address, struct err *err);
const char *host_cgroup_parent(const struct host *h); /* "/leakproof-ID"; NULL on real */

/* Where this host's run state lies: state.json, undo/, and on a real host `project`, the name of the Compose project
 * that a run has there (real: /run/leakproof/real-PID, removed by host_close() when nothing is left to put back). */
const char *host_state_dir(const struct host *h);

/* ---- lab only; -1, 0 or NULL on real ---- */

/* node: "isp", "vpn", "internet", "host" */
int host_node_netns_fd(const struct host *h, const char *node);
pid_t host_node_pid(const struct host *h, const char *node);

/* Interfaces of the two far taps: the ISP's side of the uplink (survives a power cut) and the inside of
 * the tunnel on the VPN server. */
#define LAB_ISP_TAP  "cust"
#define LAB_EXIT_TAP "wg0"

/* Path of a log of the lab ("dns", "http", "tracker", "seeder", "sink", "dockerd", ... ), readable by the harness:
 * owned by the caller. */
char *host_lab_log(const struct host *h, const char *name);

struct lab_vpn {
	const char *endpoint;	/* "198.51.100.2" */
	unsigned port;		/* 51820 */
	const char *server_key; /* public key, base64 */
	const char *
		client_key_file; /* private key, base64 and newline, mode 0600, path on the machine */
	const char *client_address; /* "10.64.0.2/32" */
	const char *dns;	    /* "198.51.100.130" */
	bool kernel;		    /* server runs the kernel module, not wireguard-go */
};
const struct lab_vpn *host_lab_vpn(const struct host *h);

struct lab_torrent {
	const char *file;	 /* .torrent, path on the machine */
	const char *name;	 /* name of the file in it */
	const char *sha256;	 /* of the file, hexadecimal */
	const char *info_hash;	 /* hexadecimal */
	unsigned long long size; /* bytes */
};
const struct lab_torrent *host_lab_torrent(const struct host *h);

/* SIGKILL of the virtual host's init: everything in it dies and its network namespace goes. */
int host_power_cut(struct host *h, struct err *err);

/* Boot after a power cut: new namespaces, same disk. Ends when the Docker Engine answers. */
int host_boot(struct host *h, struct err *err);

/* ---- commands ---- */

/* Run a command inside the (virtual) host, in all its namespaces; on real: as it is. opts->cwd is a path
 * inside; opts->prepare runs last, inside; opts->netns_fd is ignored. Otherwise like proc_run(). */
int host_run(struct host *h, const char *const argv[], const struct proc_opts *opts,
	     struct proc_result *r, struct err *err);

/* host_run, and a non-zero exit is an error that carries the last line. */
int host_check(struct host *h, const char *const argv[], const struct proc_opts *opts,
	       struct err *err);

/* The same in a node of the lab. */
int host_node_run(struct host *h, const char *node, const char *const argv[],
		  const struct proc_opts *opts, struct proc_result *r, struct err *err);

/* Enter all namespaces of a node ("host" too) from a forked child, single-threaded; the caller's next
 * fork() is inside. For commands that need the terminal. */
int host_enter(const struct host *h, const char *node, struct err *err);

/* ---- prepared image graphs ---- */

/* Directory of the graph of that key in the cache; owned by the caller. NULL when there is none. */
char *host_graph_find(const char *key);

/* Stop the lab's Docker Engine and store its /var/lib/docker without containers and networks as the graph
 * of that key. The lab has no engine afterwards and must be taken down. */
int host_graph_capture(struct host *h, const char *key, struct err *err);

/* ---- the tree ---- */

/* Path of the Debian tree (owned by the caller); builds it where the cache has none. Of the options only progress
 * and cancel count; NULL: neither. */
char *host_lab_tree(const struct lab_opts *o, struct err *err);

/* Remove what processes that were killed left half done: builds in the cache, labs that had no name yet. What a
 * living process makes stays. */
int host_sweep(struct err *err);

/* ---- the cache: what is in it stays while it is of use ---- */

/* Note that an entry (path of a tree, an image folder, a prepared store) was used now. */
void host_cache_use(const char *path);

/* Remove entries that nobody used for days, but the newest of each kind; `whole`: all. What a lab stands on stays. */
int host_cache_trim(bool whole, struct err *err);

/* Directory that holds stack/ and scenarios/: $LEAKPROOF_HOME, else found upwards from the program, else from
 * the working directory. Owned by the caller; NULL with an error when there is none. */
char *host_home_dir(struct err *err);

#endif
