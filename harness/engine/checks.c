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

#define LOOK_AGAIN_NS (1 * NS_PER_S)
#define LOOK_EACH_NS  (50 * NS_PER_MS)
#define ANSWER_LIMIT  (5 * NS_PER_S)
#define RECHECK_LIMIT (600 * NS_PER_S)

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
	int parent;

	*o = (struct process_obs){
		.service = s->name, .comm = comm, .host_pid = pid, .init_pid = (int)s->pid
	};
	(void)parent_of(pid, comm);
	read_ns(pid, o->ns);
	read_ns((int)s->pid, o->init_ns);
	read_ns(host_init, o->host_ns);
	/* What `docker exec` and health checks start is below the container's shim, as its init is. */
	parent = parent_of((int)s->pid, shim);
	o->descends_from_init = descends(pid, (int)s->pid) || (parent > 1 && descends(pid, parent));
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

/* What a runtime starts in a container (a health check) is for some milliseconds outside of it, on a busy machine for
 * longer; so who is outside is looked at until he is inside, has ended, or stays. */
static bool stays_outside(const struct check_ctx *c, int pid, const struct stack_service *s,
			  char comm[32], char text[256])
{
	int64_t until = clock_mono_ns() + LOOK_AGAIN_NS;
	uint64_t start = proc_start_time(pid);
	struct process_obs o;

	for (;;) {
		observe_process(pid, s, (int)host_init_pid(c->host), &o, comm);
		if (proc_start_time(pid) != start ||
		    process_judge(&o, text, 256) != PROCESS_ESCAPED)
			return false;
		if (clock_mono_ns() > until)
			return true;
		clock_sleep_ns(LOOK_EACH_NS);
	}
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
		char comm[32] = "", text[256];

		if (pid <= 1 || !belongs(pid, s, net) || is_our_probe(pid))
			continue;
		(*seen)++;
		if (!stays_outside(c, pid, s, comm, text))
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

/* Who does the internet see when this service asks? *ok when it is who it must be; the words go to detail. */
static int look_from(const struct check_ctx *c, const struct stack_service *s, bool *ok,
		     char detail[256], struct err *err)
{
	_cleanup_free_ char *resolv = str_fmt("/proc/%d/root/etc/resolv.conf", (int)s->pid);
	_cleanup_free_ char *seen = NULL;
	_cleanup_close_ int ns = service_netns(s);
	struct http_answer a = { 0 };

	if (ns < 0)
		return err_set(err, EXIT_ENVIRONMENT, "%s does not run", s->name);
	if (http_get(ns, c->outside->what_is_my_ip, resolv, ANSWER_LIMIT, &a, err) < 0)
		return -1;
	seen = a.status == 200 ? outside_address(a.body) : NULL;
	if (!seen)
		(void)snprintf(detail, 256, "%s asks %.60s and gets no address: status %ld %.60s",
			       s->name, c->outside->what_is_my_ip, a.status, a.error);
	else
		(void)snprintf(detail, 256, "%s is seen as %s", s->name, seen);
	*ok = seen && !outside_is_real(c->host, seen) &&
	      (!c->outside->exit_address || strcmp(seen, c->outside->exit_address) == 0);
	http_answer_free(&a);
	return 0;
}

static int check_exit_address(const struct check_ctx *c, bool *ok, char detail[256],
			      struct err *err)
{
	const char *expected = c->outside->exit_address;
	const struct stack_service *s;
	unsigned n = 0;
	size_t at = 0;

	if (!c->outside->what_is_my_ip)
		return err_set(err, EXIT_USAGE, "there is nobody to ask: --what-is-my-ip URL");
	*ok = true;
	for (; *ok && (s = next_protected(c, &at)); n++)
		if (look_from(c, s, ok, detail, err) < 0)
			return -1;
	*ok &= n > 0;
	if (*ok)
		(void)snprintf(detail, 256, "%u protected services are seen as %s", n,
			       expected ? expected : "somebody else than this host");
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
		(void)snprintf(detail, 256, "%zu paths answer from %s",
			       sizeof(paths) / sizeof(paths[0]),
			       client >= 0 ? "the uplink side" : "this host");
	return 0;
}

/* ---- download-hash ---- */

/* The file's SHA-256, as it is known in advance. */
static int hash_file(const struct check_ctx *c, pid_t pid, bool *ok, char detail[256],
		     struct err *err)
{
	_cleanup_proc_ struct proc_result r = { 0 };
	_cleanup_free_ char *path = str_fmt("/proc/%d/root/downloads/%s", (int)pid,
					    c->outside->file);

	if (proc_run(PROC_ARGV("sha256sum", path), NULL, &r, err) < 0)
		return -1;
	*ok &= r.status == 0 && strncmp(r.out, c->outside->sha256, strlen(c->outside->sha256)) == 0;
	(void)snprintf(detail, 256, "sha256 %s",
		       r.status != 0 ? "not readable"
		       : *ok	     ? "as the seeder's"
				     : "differs");
	return 0;
}

/* Nothing but the torrent's own piece hashes is known: qBittorrent reads everything again and compares. */
static int hash_pieces(const struct check_ctx *c, bool *ok, char detail[256], struct err *err)
{
	int64_t until = clock_mono_ns() + RECHECK_LIMIT;
	struct qbt_status st;

	if (probes_recheck(c->probes, err) < 0)
		return -1;
	do {
		clock_sleep_ns(200 * NS_PER_MS);
		if (probes_download(c->probes, &st, err) < 0)
			return -1;
	} while (strncmp(st.state, "checking", 8) == 0 && clock_mono_ns() < until &&
		 !(c->stop && *c->stop));
	*ok &= st.complete;
	(void)snprintf(detail, 256, "%.1f %% of the pieces have the torrent's hashes",
		       100 * st.progress);
	return 0;
}

static int check_download_hash(const struct check_ctx *c, bool *ok, char detail[256],
			       struct err *err)
{
	const struct stack_service *s = stack_service(c->stack, "qbittorrent");
	struct qbt_status st;

	if (!s || s->pid <= 1 || !c->outside->torrent)
		return err_set(err, EXIT_ENVIRONMENT, "no download to look at");
	if (probes_download(c->probes, &st, err) < 0)
		return -1;
	*ok = st.complete;
	(void)snprintf(detail, 256, "%.1f %% downloaded", 100 * st.progress);
	if (!*ok)
		return 0;
	return c->outside->sha256 ? hash_file(c, s->pid, ok, detail, err)
				  : hash_pieces(c, ok, detail, err);
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
	const char *project = stack_project(c->stack);
	_cleanup_free_ char *containers = stack_list_path("/containers/json?all=1", project);
	_cleanup_free_ char *networks = stack_list_path("/networks", project);
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
