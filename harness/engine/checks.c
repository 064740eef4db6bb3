// SPDX-License-Identifier: MIT
/* What a `check` step looks at. */
#include "engine/checks.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "host/engine_api.h"
#include "probe/http_get.h"
#include "rule/process.h"

#define WHAT_IS_MY_IP "http://198.51.100.131/"
#define ANSWER_LIMIT  (5 * NS_PER_S)

static const struct stack_service *next_protected(const struct check_ctx *c, size_t *at)
{
	size_t n;
	const struct stack_service *all = stack_services(c->stack, &n);

	while (*at < n)
		if (all[(*at)++].role == STACK_PROTECTED)
			return &all[*at - 1];
	return NULL;
}

/* ---- process-isolation ---- */

static uint64_t ns_inode(int pid, const char *name)
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/ns/%s", pid, name);
	struct stat st;

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static void read_ns(int pid, uint64_t ns[N_PROCESS_NS])
{
	static const char *const names[N_PROCESS_NS] = { "pid", "mnt", "net", "ipc", "uts" };

	for (size_t i = 0; i < N_PROCESS_NS; i++)
		ns[i] = ns_inode(pid, names[i]);
}

/* Parent of a process, field 4 of /proc/PID/stat (proc(5)); its name goes to comm. */
static int parent_of(int pid, char comm[32])
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/stat", pid);
	_cleanup_free_ char *stat = fs_read(path, 4096, NULL, NULL);
	const char *open = stat ? strchr(stat, '(') : NULL;
	const char *close = stat ? strrchr(stat, ')') : NULL;

	if (!open || !close || strlen(close) < 5)
		return 0;
	(void)snprintf(comm, 32, "%.*s", (int)(close - open - 1), open + 1);
	return (int)strtol(close + 4, NULL, 10);
}

static bool descends(int pid, int ancestor)
{
	char comm[32];

	/* A chain of parents is short; the bound keeps a process that changes under our eyes from looping. */
	for (int depth = 0; pid > 1 && depth < 64; depth++) {
		if (pid == ancestor)
			return true;
		pid = parent_of(pid, comm);
	}
	return false;
}

static void observe_process(int pid, const struct stack_service *s, int host_init,
			    struct process_obs *o, char comm[32])
{
	char shim[32];

	*o = (struct process_obs){
		.service = s->name, .comm = comm, .host_pid = pid, .init_pid = (int)s->pid
	};
	(void)parent_of(pid, comm);
	read_ns(pid, o->ns);
	read_ns((int)s->pid, o->init_ns);
	read_ns(host_init, o->host_ns);
	/* What `docker exec` and health checks start is a child of the container's shim, as its init is. */
	o->descends_from_init = descends(pid, (int)s->pid) ||
				parent_of(pid, shim) == parent_of((int)s->pid, shim);
}

/* Does the process belong to the container: by its control groups, or by its network namespace? */
static bool belongs(int pid, const struct stack_service *s, uint64_t net)
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/cgroup", pid);
	_cleanup_free_ char *cgroups = fs_read(path, 65536, NULL, NULL);

	return (cgroups && strstr(cgroups, s->id)) || (net && ns_inode(pid, "net") == net);
}

/* Probes are in the network namespace on purpose. They descend from the harness and share its pid namespace;
 * a lab's whole virtual host descends from it too, but in a pid namespace of its own. */
static bool is_our_probe(int pid)
{
	return ns_inode(pid, "pid") == ns_inode((int)getpid(), "pid") &&
	       descends(pid, (int)getpid());
}

static int check_processes_of(const struct check_ctx *c, const struct stack_service *s,
			      unsigned *seen, unsigned *escaped, struct err *err)
{
	_cleanup_closedir_ DIR *proc = opendir("/proc");
	uint64_t net = ns_inode((int)s->pid, "net");
	struct dirent *d;

	if (!proc)
		return err_errno(err, "/proc");
	while ((d = readdir(proc))) {
		int pid = (int)strtol(d->d_name, NULL, 10);
		struct process_obs o;
		char comm[32] = "", text[256];

		if (pid <= 1 || !belongs(pid, s, net) || is_our_probe(pid))
			continue;
		observe_process(pid, s, (int)host_init_pid(c->host), &o, comm);
		(*seen)++;
		if (process_judge(&o, text, sizeof(text)) != PROCESS_ESCAPED)
			continue;
		(*escaped)++;
		journal_event(
			c->journal, "finding",
			json_pack(
				"{s:s,s:s,s:s,s:s}", "rule", "process-isolation", "service",
				s->name, "sentence", text, "advice",
				"Give the service a network of its own instead of network_mode."));
	}
	return 0;
}

static int check_process_isolation(const struct check_ctx *c, bool *ok, char detail[256],
				   struct err *err)
{
	const struct stack_service *s;
	unsigned seen = 0, escaped = 0;
	size_t at = 0;

	while ((s = next_protected(c, &at))) {
		if (s->pid <= 1)
			return err_set(err, EXIT_ENVIRONMENT, "%s does not run", s->name);
		if (check_processes_of(c, s, &seen, &escaped, err) < 0)
			return -1;
	}
	*ok = seen > 0 && escaped == 0;
	(void)snprintf(detail, 256,
		       "%u processes of protected services, %u outside their container", seen,
		       escaped);
	return 0;
}

/* ---- exit-address ---- */

static int check_exit_address(const struct check_ctx *c, bool *ok, char detail[256],
			      struct err *err)
{
	const struct stack_service *s;
	unsigned n = 0;
	size_t at = 0;

	*ok = true;
	while (*ok && (s = next_protected(c, &at))) {
		_cleanup_close_ int ns = service_netns(s);
		struct http_answer a = { 0 };

		if (ns < 0 || http_get(ns, WHAT_IS_MY_IP, NULL, ANSWER_LIMIT, &a, err) < 0)
			return ns < 0 ? err_set(err, EXIT_ENVIRONMENT, "%s does not run", s->name)
				      : -1;
		*ok = a.status == 200 && c->exit_addr &&
		      strncmp(a.body, c->exit_addr, strlen(c->exit_addr)) == 0;
		(void)snprintf(detail, 256, "%s is seen as %.60s", s->name,
			       a.status ? a.body : a.error);
		http_answer_free(&a);
		n++;
	}
	*ok &= n > 0;
	if (*ok)
		(void)snprintf(detail, 256, "%u protected services are seen as %s", n,
			       c->exit_addr);
	return 0;
}

/* ---- web-ui ---- */

/* One path a service behind the web-ui; the port is the one it publishes. */
static int check_web_ui(const struct check_ctx *c, bool *ok, char detail[256], struct err *err)
{
	static const char *const paths[] = { "/qbittorrent/", "/prowlarr/ping", "/sonarr/ping",
					     "/radarr/ping", "/flaresolverr/health" };
	int client = host_node_netns_fd(c->host, "internet");
	const char *address = host_real_addrs(c->host)[0];
	unsigned port = stack_published_port(c->stack, "webui");

	if (port == 0)
		return err_set(err, EXIT_USAGE, "the stack publishes no port of `webui`");
	*ok = true;
	for (size_t i = 0; *ok && i < sizeof(paths) / sizeof(paths[0]); i++) {
		_cleanup_free_ char *url = str_fmt("http://%s:%u%s", address, port, paths[i]);
		struct http_answer a = { 0 };

		if (http_get(client >= 0 ? client : host_netns_fd(c->host), url, NULL, ANSWER_LIMIT,
			     &a, err) < 0)
			return -1;
		*ok = a.status == 200;
		(void)snprintf(detail, 256, "%s answers %ld %.100s", paths[i], a.status, a.error);
		http_answer_free(&a);
	}
	if (*ok)
		(void)snprintf(detail, 256, "%zu paths answer from the uplink side",
			       sizeof(paths) / sizeof(paths[0]));
	return 0;
}

/* ---- download-hash ---- */

static int check_download_hash(const struct check_ctx *c, bool *ok, char detail[256],
			       struct err *err)
{
	_cleanup_proc_ struct proc_result r = { 0 };
	_cleanup_free_ char *path = NULL;
	const struct stack_service *s = stack_service(c->stack, "qbittorrent");
	struct qbt_status st;

	if (!s || s->pid <= 1 || !c->torrent)
		return err_set(err, EXIT_ENVIRONMENT, "no download to look at");
	if (probes_download(c->probes, &st, err) < 0)
		return -1;
	path = str_fmt("/proc/%d/root/downloads/%s", (int)s->pid, c->torrent->name);
	if (proc_run(PROC_ARGV("sha256sum", path), NULL, &r, err) < 0)
		return -1;
	*ok = st.complete && r.status == 0 &&
	      strncmp(r.out, c->torrent->sha256, strlen(c->torrent->sha256)) == 0;
	(void)snprintf(detail, 256, "%.1f %% downloaded, sha256 %s", 100 * st.progress,
		       r.status != 0 ? "not readable"
		       : *ok	     ? "as the seeder's"
				     : "differs");
	return 0;
}

/* ---- apps-not-restarted ---- */

static bool is_target(const struct check_ctx *c, const char *service)
{
	for (const char *const *t = c->targets; t && *t; t++)
		if (strcmp(*t, service) == 0)
			return true;
	return false;
}

static int check_apps_not_restarted(const struct check_ctx *c, bool *ok, char detail[256],
				    struct err *err)
{
	const struct stack_service *s;
	unsigned n = 0;
	size_t at = 0;

	(void)err;
	*ok = true;
	while (*ok && (s = next_protected(c, &at))) {
		json_int_t then = json_integer_value(json_object_get(c->lives, s->name));

		if (is_target(c, s->name))
			continue;
		*ok = s->pid > 1 && then == (json_int_t)proc_start_time(s->pid);
		if (!*ok)
			(void)snprintf(detail, 256, "%s lives another life than at the start",
				       s->name);
		n++;
	}
	*ok &= n > 0;
	if (*ok)
		(void)snprintf(detail, 256, "%u services live their first life", n);
	return 0;
}

/* ---- single-network ---- */

static int check_single_network(const struct check_ctx *c, bool *ok, char detail[256],
				struct err *err)
{
	const struct stack_service *s;
	unsigned n = 0;
	size_t at = 0;

	(void)err;
	*ok = true;
	while (*ok && (s = next_protected(c, &at))) {
		*ok = s->n_networks == 1;
		if (!*ok)
			(void)snprintf(detail, 256, "%s is on %zu networks", s->name,
				       s->n_networks);
		n++;
	}
	*ok &= n > 0;
	if (*ok)
		(void)snprintf(detail, 256, "%u protected services are on one network each", n);
	return 0;
}

/* ---- nothing-left ---- */

static int count_left(const struct check_ctx *c, const char *what, const char *path, size_t *left,
		      char detail[256], struct err *err)
{
	_cleanup_json_ json_t *list = engine_get(c->host, path, err);

	if (!list)
		return -1;
	if (json_array_size(list))
		(void)snprintf(detail, 256, "%zu %s of the project are left", json_array_size(list),
			       what);
	*left += json_array_size(list);
	return 0;
}

static int check_nothing_left(const struct check_ctx *c, bool *ok, char detail[256],
			      struct err *err)
{
	/* filters={"label":["com.docker.compose.project=NAME"]}, percent-encoded */
	_cleanup_free_ char *filter = str_fmt(
		"filters=%%7B%%22label%%22%%3A%%5B%%22com.docker.compose.project%%3D%s%%22%%5D%%7D",
		stack_project(c->stack));
	_cleanup_free_ char *containers = str_fmt("/containers/json?all=1&%s", filter);
	_cleanup_free_ char *networks = str_fmt("/networks?%s", filter);
	size_t left = 0;

	(void)snprintf(detail, 256, "no container and no network of the project is left");
	if (count_left(c, "containers", containers, &left, detail, err) < 0 ||
	    count_left(c, "networks", networks, &left, detail, err) < 0)
		return -1;
	*ok = left == 0;
	return 0;
}

int check_run(const struct check_ctx *c, enum check_id id, bool *ok, char detail[256],
	      struct err *err)
{
	switch (id) {
	case CHECK_PROCESS_ISOLATION:
		return check_process_isolation(c, ok, detail, err);
	case CHECK_EXIT_ADDRESS:
		return check_exit_address(c, ok, detail, err);
	case CHECK_WEB_UI:
		return check_web_ui(c, ok, detail, err);
	case CHECK_DOWNLOAD_HASH:
		return check_download_hash(c, ok, detail, err);
	case CHECK_APPS_NOT_RESTARTED:
		return check_apps_not_restarted(c, ok, detail, err);
	case CHECK_SINGLE_NETWORK:
		return check_single_network(c, ok, detail, err);
	case CHECK_NOTHING_LEFT:
		return check_nothing_left(c, ok, detail, err);
	case CHECK_COUNT:
		break;
	}
	return err_set(err, EXIT_USAGE, "no such check");
}
