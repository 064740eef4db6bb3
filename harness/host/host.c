// SPDX-License-Identifier: MIT
/* The handle: accessors, opening and closing. */
#include "host/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "host/host_internal.h"

static const char *const node_names[N_NODES] = { "isp", "vpn", "internet", "host" };

const char *lab_node_name(enum node_index i)
{
	return node_names[i];
}

int lab_node_index(const char *name)
{
	for (int i = 0; i < N_NODES; i++)
		if (strcmp(node_names[i], name) == 0)
			return i;
	return -1;
}

static struct host *handle_new(const char *id)
{
	struct host *h = calloc(1, sizeof(*h));

	if (!h)
		abort();
	h->id = str_fmt("%s", id);
	for (int i = 0; i < N_NODES; i++)
		h->nodes[i] = (struct lab_node){ .netns_fd = -1, .pidns_fd = -1, .ctl_fd = -1 };
	return h;
}

void host_list_add(char ***list, const char *text)
{
	size_t n = 0;

	for (; *list && (*list)[n]; n++)
		if (strcmp((*list)[n], text) == 0)
			return;
	*list = realloc(*list, (n + 2) * sizeof(**list));
	if (!*list)
		abort();
	(*list)[n] = str_fmt("%s", text);
	(*list)[n + 1] = NULL;
}

void host_list_free(char **list)
{
	for (char **i = list; i && *i; i++)
		free(*i);
	free(list);
}

struct host *lab_handle_new(const char *id)
{
	struct host *h = handle_new(id);

	h->lab = true;
	h->state_dir = lab_state_dir_of(id);
	h->cgroup_parent = str_fmt("/leakproof-%s", id);
	h->state = json_object();
	host_list_add(&h->uplinks, "eth0");
	host_list_add(&h->addrs, "203.0.113.10");
	host_list_add(&h->addrs, "2001:db8:1::10");
	return h;
}

void lab_node_forget(struct lab_node *n)
{
	int *fds[] = { &n->netns_fd, &n->pidns_fd, &n->ctl_fd };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			(void)close(*fds[i]);
		*fds[i] = -1;
	}
	n->pid = 0;
	n->start = 0;
}

/* The run state of the machine itself goes, unless it tells of something that is still to be put back. */
static void real_forget(const struct host *h)
{
	_cleanup_free_ char *undo = str_fmt("%s/undo", h->state_dir);
	_cleanup_free_ char *project = str_fmt("%s/project", h->state_dir);

	if ((rmdir(undo) < 0 && errno != ENOENT) || fs_exists(project))
		return;
	(void)fs_remove_tree(h->state_dir, NULL);
	(void)rmdir(RUN_DIR);
}

void host_close(struct host *h)
{
	if (!h)
		return;
	if (!h->lab && h->state_dir)
		real_forget(h);
	for (int i = 0; i < N_NODES; i++)
		lab_node_forget(&h->nodes[i]);
	host_list_free(h->uplinks);
	host_list_free(h->addrs);
	free(h->id);
	free(h->state_dir);
	free(h->root);
	free(h->socket);
	free(h->cgroup_parent);
	json_decref(h->state);
	free(h);
}

struct host *host_lab_attach(const char *id, struct err *err)
{
	struct host *h;

	if (lab_id_check(id, err) < 0)
		return NULL;
	h = lab_handle_new(id);
	if (lab_state_load(h, err) < 0) {
		host_close(h);
		return NULL;
	}
	return h;
}

int host_lab_hold(struct host *h, struct err *err)
{
	if (host_lab_in_use(h->id))
		return err_set(err, EXIT_ENVIRONMENT,
			       "lab `%s` is in use by process %d; wait for it, or use another lab",
			       h->id,
			       (int)json_integer_value(
				       json_object_get(json_object_get(h->state, "owner"), "pid")));
	lab_state_own(h);
	return lab_state_save(h, err);
}

const char *lab_str(const struct host *h, const char *key)
{
	const char *s = json_string_value(json_object_get(h->state, key));

	return s ? s : "";
}

char *lab_path(const struct host *h, const char *fmt, ...)
{
	_cleanup_free_ char *rest = NULL;
	va_list ap;

	va_start(ap, fmt);
	rest = str_vfmt(fmt, ap);
	va_end(ap);
	return str_fmt("%s/%s", lab_str(h, "disk"), rest);
}

bool host_is_lab(const struct host *h)
{
	return h->lab;
}

const char *host_id(const struct host *h)
{
	return h->id;
}

int host_netns_fd(const struct host *h)
{
	return h->nodes[NODE_HOST].netns_fd;
}

int host_pidns_fd(const struct host *h)
{
	return h->nodes[NODE_HOST].pidns_fd;
}

pid_t host_init_pid(const struct host *h)
{
	return h->nodes[NODE_HOST].pid;
}

const char *host_root(const struct host *h)
{
	return h->root ? h->root : "";
}

const char *host_socket(const struct host *h)
{
	return h->socket ? h->socket : "";
}

const char *host_uplink(const struct host *h)
{
	return h->uplinks[0];
}

const char *const *host_uplinks(const struct host *h)
{
	return (const char *const *)h->uplinks;
}

int host_add_real_addr(struct host *h, const char *address, struct err *err)
{
	uint8_t bin[16];

	if (inet_pton(strchr(address, ':') ? AF_INET6 : AF_INET, address, bin) != 1)
		return err_set(err, EXIT_USAGE, "`%.60s` is no numeric address", address);
	host_list_add(&h->addrs, address);
	return 0;
}

const char *const *host_real_addrs(const struct host *h)
{
	return (const char *const *)h->addrs;
}

const char *host_cgroup_parent(const struct host *h)
{
	return h->cgroup_parent;
}

const char *host_state_dir(const struct host *h)
{
	return h->state_dir;
}

int host_node_netns_fd(const struct host *h, const char *node)
{
	int i = lab_node_index(node);

	return h->lab && i >= 0 ? h->nodes[i].netns_fd : -1;
}

pid_t host_node_pid(const struct host *h, const char *node)
{
	int i = lab_node_index(node);

	return h->lab && i >= 0 ? h->nodes[i].pid : 0;
}

char *host_lab_log(const struct host *h, const char *name)
{
	return h->lab ? lab_path(h, "log/%s.log", name) : NULL;
}

const struct lab_vpn *host_lab_vpn(const struct host *h)
{
	return h->lab ? &h->vpn : NULL;
}

const struct lab_torrent *host_lab_torrent(const struct host *h)
{
	return h->lab ? &h->torrent : NULL;
}

/* Does dir hold what the program brings along? */
static bool is_home(const char *dir)
{
	_cleanup_free_ char *probe = str_fmt("%s/stack/lab/build-tree.sh", dir);

	return fs_exists(probe);
}

/* The nearest directory at or above dir (which is cut down meanwhile) that is_home(); NULL: none. */
static char *home_above(char *dir)
{
	while (*dir) {
		char *slash = strrchr(dir, '/');

		if (is_home(dir))
			return str_fmt("%s", dir);
		if (!slash)
			break;
		*slash = '\0';
	}
	return NULL;
}

char *host_home_dir(struct err *err)
{
	const char *env = getenv("LEAKPROOF_HOME");
	_cleanup_free_ char *cwd = getcwd(NULL, 0);
	_cleanup_free_ char *exe = realpath("/proc/self/exe", NULL);
	char *home = NULL;

	if (env && is_home(env))
		return realpath(env, NULL);
	if (!env && exe)
		home = home_above(exe);
	if (!env && !home && cwd)
		home = home_above(cwd);
	if (!home)
		err_set(err, EXIT_ENVIRONMENT,
			"stack/lab/build-tree.sh is not found%s%s; start leakproof from its "
			"checkout "
			"or set LEAKPROOF_HOME to it",
			env ? " below LEAKPROOF_HOME=" : "", env ? env : "");
	return home;
}
