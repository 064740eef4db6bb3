// SPDX-License-Identifier: MIT
/* state.json: all that a later process needs to use a lab, or to remove what is left of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/proc.h"
#include "host/host_internal.h"

#define ID_MAX	12
#define LOG_MAX ((size_t)16 << 20)

char *lab_state_dir_of(const char *id)
{
	return str_fmt("%s/%s", RUN_DIR, id);
}

char *lab_disk_dir_of(const char *id)
{
	return str_fmt("%s/labs/%s", fs_cache_dir(), id);
}

int lab_id_check(const char *id, struct err *err)
{
	size_t len = strlen(id);

	if (len >= 1 && len <= ID_MAX && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789") == len)
		return 0;
	return err_set(err, EXIT_USAGE, "`%.40s` is no lab id: 1 to %d of a-z and 0-9 are wanted",
		       id, ID_MAX);
}

char *lab_last_line(const char *log)
{
	_cleanup_free_ char *text = fs_read(log, LOG_MAX, NULL, NULL);
	size_t len = text ? strlen(text) : 0;
	char *nl;

	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	nl = len ? strrchr(text, '\n') : NULL;
	return str_fmt("%.400s", nl ? nl + 1 : text ? text : "");
}

bool lab_node_alive(const struct lab_node *n)
{
	return n->pid > 1 && n->start != 0 && proc_start_time(n->pid) == n->start;
}

void lab_state_own(struct host *h)
{
	(void)json_object_set_new(h->state, "owner",
				  json_pack("{s:i,s:I}", "pid", (int)getpid(), "start",
					    (json_int_t)proc_start_time(getpid())));
}

bool host_lab_in_use(const char *id)
{
	_cleanup_free_ char *path = str_fmt("%s/%s/state.json", RUN_DIR, id);
	_cleanup_json_ json_t *state = json_load_file(path, 0, NULL);
	json_t *owner = json_object_get(state, "owner");
	struct lab_node n = { .pid = (pid_t)json_integer_value(json_object_get(owner, "pid")),
			      .start = (uint64_t)json_integer_value(
				      json_object_get(owner, "start")) };

	return lab_node_alive(&n);
}

int lab_state_save(struct host *h, struct err *err)
{
	_cleanup_free_ char *path = str_fmt("%s/state.json", h->state_dir);
	_cleanup_free_ char *text = NULL;
	json_t *nodes = h->lab ? json_object() : NULL;

	for (int i = 0; h->lab && i < N_NODES; i++)
		if (h->nodes[i].pid > 0)
			(void)json_object_set_new(nodes, lab_node_name((enum node_index)i),
						  json_pack("{s:i,s:I}", "pid",
							    (int)h->nodes[i].pid, "start",
							    (json_int_t)h->nodes[i].start));
	if (nodes)
		(void)json_object_set_new(h->state, "nodes", nodes);
	text = json_dumps(h->state, JSON_INDENT(2) | JSON_SORT_KEYS);
	if (!text)
		return err_set(err, EXIT_ENVIRONMENT, "%s: cannot be encoded", path);
	return fs_write(path, text, strlen(text), 0600, err);
}

static int ns_open(pid_t pid, const char *kind)
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/ns/%s", (int)pid, kind);

	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Take hold of a node that the state names; a dead one stays at pid 0. */
static void load_node(struct host *h, enum node_index i)
{
	json_t *o = json_object_get(json_object_get(h->state, "nodes"), lab_node_name(i));
	struct lab_node *n = &h->nodes[i];

	n->pid = (pid_t)json_integer_value(json_object_get(o, "pid"));
	n->start = (uint64_t)json_integer_value(json_object_get(o, "start"));
	if (!lab_node_alive(n)) {
		lab_node_forget(n);
		return;
	}
	n->netns_fd = ns_open(n->pid, "net");
	n->pidns_fd = ns_open(n->pid, "pid");
}

static void load_facts(struct host *h)
{
	json_t *t = json_object_get(h->state, "torrent");

	h->vpn = (struct lab_vpn){
		.endpoint = "198.51.100.2",
		.port = 51820,
		.client_address = "10.64.0.2/32",
		.dns = "198.51.100.130",
		.server_key = lab_str(h, "vpn_server_key"),
		.client_key_file = lab_str(h, "vpn_client_key_file"),
		.kernel = json_is_true(json_object_get(h->state, "kernel_wireguard")),
	};
	h->torrent = (struct lab_torrent){
		.file = json_string_value(json_object_get(t, "file")),
		.name = json_string_value(json_object_get(t, "name")),
		.sha256 = json_string_value(json_object_get(t, "sha256")),
		.info_hash = json_string_value(json_object_get(t, "info_hash")),
		.size = (unsigned long long)json_integer_value(json_object_get(t, "size")),
	};
}

void lab_state_use(struct host *h)
{
	struct lab_node *n = &h->nodes[NODE_HOST];

	load_facts(h);
	free(h->root);
	free(h->socket);
	/* Without power this is a path that does not exist: "" would be the machine's own root. */
	h->root = str_fmt("/proc/%d/root", (int)n->pid);
	h->socket = str_fmt("%s/run/docker.sock", h->root);
}

int lab_state_load(struct host *h, struct err *err)
{
	_cleanup_free_ char *path = str_fmt("%s/state.json", h->state_dir);
	_cleanup_free_ char *text = NULL;
	json_error_t why;
	json_t *state;

	if (!fs_exists(path))
		return err_set(err, EXIT_ENVIRONMENT, "there is no lab `%s` on this machine",
			       h->id);
	text = fs_read(path, STATE_MAX, NULL, err);
	if (!text)
		return -1;
	state = json_loads(text, 0, &why);
	if (!json_is_object(state)) {
		json_decref(state);
		return err_set(err, EXIT_ENVIRONMENT, "%s: %s", path, why.text);
	}
	json_decref(h->state);
	h->state = state;
	for (int i = 0; i < N_NODES; i++)
		load_node(h, (enum node_index)i);
	lab_state_use(h);
	return 0;
}
