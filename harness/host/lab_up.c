// SPDX-License-Identifier: MIT
/* Bringing a lab up, cutting its host's power, booting it again. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "host/engine_api.h"
#include "host/host_internal.h"

#define SERVICES_NS (20 * NS_PER_S)
#define ENGINE_NS   (60 * NS_PER_S)

static void say(const struct lab_opts *o, const char *what)
{
	if (o->progress)
		o->progress(o->progress_arg, what);
}

static bool cancelled(const struct host *h)
{
	return h->cancel && *h->cancel;
}

static char *fresh_id(void)
{
	return str_fmt("%06llx%04x", (unsigned long long)clock_real_ns() / 1000000 % 0x1000000,
		       (unsigned)getpid() & 0xffff);
}

static json_t *binds_json(const struct lab_opts *o)
{
	json_t *list = json_array();

	for (size_t i = 0; i < o->n_binds; i++) {
		const struct lab_bind *b = &o->binds[i];

		(void)json_array_append_new(list,
					    json_pack("{s:s,s:s,s:b}", "source", b->source,
						      "target", b->target ? b->target : b->source,
						      "writable", b->writable));
	}
	return list;
}

/* The overlay's option string knows no escape that all kernels share. */
static int check_cache_path(struct err *err)
{
	if (fs_cache_dir()[0] == '/' && !strpbrk(fs_cache_dir(), ",:\\"))
		return 0;
	return err_set(
		err, EXIT_USAGE,
		"LEAKPROOF_CACHE=%s: an absolute path without comma, colon, backslash is wanted",
		fs_cache_dir());
}

/* A directory that holds the state, under a name of this process. Its parent may go in between, when another lab's end
 * finds it empty. */
static int make_claim(struct host *h, const char *dir, struct err *err)
{
	char *final = h->state_dir;
	int rc = -1;

	for (int tries = 0; rc < 0 && tries < 10; tries++) {
		if (fs_mkdir_p(RUN_DIR, 0755, err) < 0)
			return -1;
		rc = mkdir(dir, 0700);
		if (rc < 0 && errno != ENOENT)
			break;
	}
	if (rc < 0)
		return err_errno(err, "%s", dir);
	h->state_dir = (char *)(uintptr_t)dir;
	rc = lab_state_save(h, err);
	h->state_dir = final;
	return rc;
}

/* The directory is the claim on the name. It appears whole, with its owner in it: `clean` takes what nobody owns. An
 * empty one, which nobody can be in, gives way (rename(2)). */
static int claim(struct host *h, struct err *err)
{
	_cleanup_free_ char *dir = str_fmt(RUN_DIR "/" CLAIM_PREFIX "%d.%s", (int)getpid(), h->id);
	int rc = make_claim(h, dir, err), why = 0;

	if (rc == 0 && rename(dir, h->state_dir) < 0)
		why = errno;
	if (rc == 0 && why == 0)
		return 0;
	(void)fs_remove_tree(dir, NULL);
	if (rc < 0)
		return -1;
	errno = why;
	if (errno == EEXIST || errno == ENOTEMPTY)
		return err_set(err, EXIT_ENVIRONMENT,
			       "a lab `%s` is there already; `leakproof clean %s` removes it",
			       h->id, h->id);
	return err_errno(err, "%s", h->state_dir);
}

/* Modules that no kernel path loads by itself; where they are built in or cannot be had, nothing is lost here
 * and the doctor says what is missing. */
static void load_modules(void)
{
	(void)proc_check(PROC_ARGV("modprobe", "-q", "-a", "overlay", "tun", "veth", "bridge",
				   "br_netfilter"),
			 NULL, NULL);
}

static int start_nodes(struct host *h, struct err *err)
{
	for (int i = 0; i < N_NODES; i++)
		if (lab_node_start(h, (enum node_index)i, err) < 0)
			return -1;
	if (lab_net_core(h, err) < 0 || lab_net_uplink(h, err) < 0)
		return -1;
	(void)json_object_set_new(h->state, "kernel_wireguard",
				  json_boolean(lab_net_kernel_wireguard(h)));
	/* From here on the inits live on without us, so they must be named first. */
	if (lab_state_save(h, err) < 0)
		return -1;
	for (int i = 0; i < N_NODES; i++)
		if (lab_node_go(h, (enum node_index)i, err) < 0)
			return -1;
	for (int i = 0; i < N_NODES; i++)
		if (lab_node_started(h, (enum node_index)i, err) < 0)
			return -1;
	lab_state_use(h);
	return 0;
}

static const struct {
	const char *protocol, *log, *name;
	enum node_index node;
	unsigned port;
} ports[] = {
	{ "udp", "wireguard-go", "the VPN server", NODE_VPN, 51820 },
	{ "udp", "dns", "the DNS server", NODE_INTERNET, 53 },
	{ "udp", "sink", "the sink", NODE_INTERNET, 9999 },
	{ "tcp", "http", "the HTTP server", NODE_INTERNET, 80 },
	{ "tcp", "tracker", "the tracker", NODE_INTERNET, 6969 },
	{ "tcp", "seeder", "the seeder", NODE_INTERNET, 6881 },
	{ "udp", "stub", "the resolver of the virtual host", NODE_HOST, 53 },
};

static int wait_port(struct host *h, size_t i, int64_t deadline, struct err *err)
{
	_cleanup_free_ char *log = host_lab_log(h, ports[i].log);
	_cleanup_free_ char *words = NULL;

	while (!lab_net_listens(h->nodes[ports[i].node].pid, ports[i].protocol, ports[i].port)) {
		if (cancelled(h))
			return err_set(err, EXIT_ENVIRONMENT, "interrupted");
		if (clock_mono_ns() > deadline) {
			words = lab_last_line(log);
			return err_set(err, EXIT_ENVIRONMENT,
				       "%s of the lab does not listen on %s/%u: %s", ports[i].name,
				       ports[i].protocol, ports[i].port, words);
		}
		clock_sleep_ns(20 * NS_PER_MS);
	}
	return 0;
}

/* Asked of the kernel's socket tables, so that no packet is sent for it. */
int lab_services_wait(struct host *h, struct err *err)
{
	int64_t deadline = clock_mono_ns() + SERVICES_NS;

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (wait_port(h, i, deadline, err) < 0)
			return -1;
	return 0;
}

int lab_engine_wait(struct host *h, struct err *err)
{
	int64_t deadline = clock_mono_ns() + ENGINE_NS;
	_cleanup_free_ char *log = host_lab_log(h, "dockerd");
	_cleanup_free_ char *words = NULL;

	if (json_is_true(json_object_get(h->state, "no_docker")))
		return 0;
	for (;;) {
		_cleanup_json_ json_t *version = NULL;

		if (fs_exists(h->socket))
			version = engine_get(h, "/version", NULL);
		if (version)
			return 0;
		if (cancelled(h))
			return err_set(err, EXIT_ENVIRONMENT, "interrupted");
		if (clock_mono_ns() > deadline) {
			words = lab_last_line(log);
			return err_set(err, EXIT_ENVIRONMENT,
				       "the lab's Docker Engine does not answer within %d s: %s",
				       (int)(ENGINE_NS / NS_PER_S), words);
		}
		clock_sleep_ns(20 * NS_PER_MS);
	}
}

static int bring_up(struct host *h, const struct lab_opts *o, const char *home, struct err *err)
{
	(void)json_object_set_new(h->state, "no_docker", json_boolean(o->no_docker));
	(void)json_object_set_new(h->state, "binds", binds_json(o));
	if (o->graph)
		(void)json_object_set_new(h->state, "graph", json_string(o->graph));
	if (lab_state_save(h, err) < 0)
		return -1;
	say(o, "preparing the lab's disk");
	if (lab_disk_prepare(h, home, err) < 0)
		return -1;
	say(o, "starting the lab's network and services");
	if (start_nodes(h, err) < 0 || lab_services_wait(h, err) < 0)
		return -1;
	if (!o->no_docker)
		say(o, "waiting for the lab's Docker Engine");
	if (lab_engine_wait(h, err) < 0)
		return -1;
	(void)json_object_set_new(h->state, "up", json_true());
	return lab_state_save(h, err);
}

static struct host *claim_handle(const struct lab_opts *o, const char *tree, struct err *err)
{
	_cleanup_free_ char *id = o->id ? str_fmt("%s", o->id) : fresh_id();
	_cleanup_free_ char *disk = lab_disk_dir_of(id);
	struct host *h;

	if (lab_id_check(id, err) < 0)
		return NULL;
	h = lab_handle_new(id);
	h->cancel = o->cancel;
	lab_state_own(h);
	(void)json_object_set_new(h->state, "id", json_string(id));
	(void)json_object_set_new(h->state, "disk", json_string(disk));
	(void)json_object_set_new(h->state, "tree", json_string(tree));
	if (lab_seed_make(h, o->progress, o->progress_arg, err) < 0 || claim(h, err) < 0) {
		host_close(h);
		return NULL;
	}
	return h;
}

struct host *host_lab_up(const struct lab_opts *o, struct err *err)
{
	_cleanup_free_ char *home = host_home_dir(err);
	_cleanup_free_ char *tree = NULL;
	struct host *h;

	if (!home || check_cache_path(err) < 0)
		return NULL;
	if (geteuid() != 0) {
		err_set(err, EXIT_ENVIRONMENT, "the lab needs root: start leakproof with sudo");
		return NULL;
	}
	tree = host_lab_tree(o, err);
	h = tree ? claim_handle(o, tree, err) : NULL;
	if (!h)
		return NULL;
	load_modules();
	if (bring_up(h, o, home, err) < 0) {
		(void)host_lab_down(h, NULL);
		return NULL;
	}
	return h;
}

int host_power_cut(struct host *h, struct err *err)
{
	if (!h->lab)
		return err_set(err, EXIT_USAGE, "only the lab's host can lose its power");
	/* The cable first: a machine without power does not close its connections politely. */
	if (lab_net_cut(h, err) < 0 || lab_node_kill(&h->nodes[NODE_HOST], err) < 0)
		return -1;
	lab_state_use(h);
	return lab_state_save(h, err);
}

int host_boot(struct host *h, struct err *err)
{
	if (!h->lab || h->nodes[NODE_HOST].pid)
		return err_set(err, EXIT_USAGE, "only a lab's host without power can be booted");
	if (lab_node_start(h, NODE_HOST, err) < 0 || lab_net_uplink(h, err) < 0 ||
	    lab_state_save(h, err) < 0 || lab_node_go(h, NODE_HOST, err) < 0 ||
	    lab_node_started(h, NODE_HOST, err) < 0)
		return -1;
	lab_state_use(h);
	if (lab_services_wait(h, err) < 0)
		return -1;
	return lab_engine_wait(h, err);
}
