// SPDX-License-Identifier: MIT
/* The Compose project under test. */
#include "stack/stack.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "host/engine_api.h"

#define ARGS_MAX       48
#define BRIDGES_MAX    16
#define CONFIG_TIMEOUT (30 * NS_PER_S)
#define HURRY_TIMEOUT  (30 * NS_PER_S)
#define LABEL_SERVICE  "com.docker.compose.service"
#define LABEL_ROLE     "org.leakproof.role"
#define OPTION_BRIDGE  "com.docker.network.bridge.name"

struct stack {
	struct host *host;
	char *project;
	char **files;
	char **env;
	char *env_file; /* NULL: none given */
	const volatile sig_atomic_t *stop;
	json_t *config; /* what `docker compose config` said */
	char *bridges[BRIDGES_MAX + 1];
	struct stack_service *services;
	size_t n;
};

const char *stack_health_name(enum stack_health h)
{
	switch (h) {
	case STACK_NO_HEALTH:
		return "none";
	case STACK_STARTING:
		return "starting";
	case STACK_HEALTHY:
		return "healthy";
	case STACK_UNHEALTHY:
		return "unhealthy";
	}
	return "none";
}

static char **copy_list(const char *const *list)
{
	size_t n = 0;
	char **copy;

	while (list && list[n])
		n++;
	copy = calloc(n + 1, sizeof(*copy));
	if (!copy)
		abort();
	for (size_t i = 0; i < n; i++)
		copy[i] = str_fmt("%s", list[i]);
	return copy;
}

static void free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

/* Run compose on this project; r may be NULL. It is given up once *stop reaches cancel_at. */
static int compose(struct stack *s, const char *const *args, int64_t timeout_ns, int cancel_at,
		   struct proc_result *r, struct err *err)
{
	const char *argv[ARGS_MAX + 1] = { "docker", "compose", "--project-name", s->project };
	struct proc_opts o = { .env = (const char *const *)s->env,
			       .timeout_ns = timeout_ns,
			       .cancel = s->stop,
			       .cancel_at = cancel_at };
	size_t n = 4;

	if (s->env_file) {
		argv[n++] = "--env-file";
		argv[n++] = s->env_file;
	}
	for (size_t i = 0; s->files[i] && n + 2 < ARGS_MAX; i++) {
		argv[n++] = "--file";
		argv[n++] = s->files[i];
	}
	for (size_t i = 0; args[i] && n < ARGS_MAX; i++)
		argv[n++] = args[i];
	argv[n] = NULL;
	return r ? host_run(s->host, argv, &o, r, err) : host_check(s->host, argv, &o, err);
}

static void add_bridge(struct stack *s, const char *name)
{
	for (size_t i = 0; i < BRIDGES_MAX; i++) {
		if (!s->bridges[i])
			s->bridges[i] = str_fmt("%s", name);
		if (strcmp(s->bridges[i], name) == 0)
			return;
	}
}

static const char *configured_bridge(json_t *network)
{
	return json_string_value(
		json_object_get(json_object_get(network, "driver_opts"), OPTION_BRIDGE));
}

static void read_bridges(struct stack *s)
{
	const char *key;
	json_t *v;

	json_object_foreach(json_object_get(s->config, "networks"), key, v)
	{
		const char *name = configured_bridge(v);

		if (name)
			add_bridge(s, name);
	}
}

bool stack_bridges_known(const struct stack *s)
{
	const char *key;
	json_t *v;

	json_object_foreach(json_object_get(s->config, "networks"), key, v)
	{
		if (!configured_bridge(v))
			return false;
	}
	return true;
}

static int read_config(struct stack *s, struct err *err)
{
	_cleanup_proc_ struct proc_result r = { 0 };
	json_error_t je;

	if (compose(s, PROC_ARGV("config", "--format", "json"), CONFIG_TIMEOUT, 1, &r, err) < 0)
		return -1;
	if (r.status != 0)
		return err_set(err, EXIT_USAGE, "the Compose project is not valid: %.600s",
			       r.error);
	s->config = json_loads(r.out, 0, &je);
	if (!s->config)
		return err_set(err, EXIT_ENVIRONMENT, "docker compose config: %s", je.text);
	read_bridges(s);
	return 0;
}

struct stack *stack_open(struct host *h, const struct stack_opts *o, struct err *err)
{
	struct stack *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->host = h;
	s->project = str_fmt("%s", o->project);
	s->files = copy_list(o->files);
	s->env = copy_list(o->env);
	s->env_file = o->env_file ? str_fmt("%s", o->env_file) : NULL;
	s->stop = o->stop;
	if (read_config(s, err) < 0) {
		stack_close(s);
		return NULL;
	}
	return s;
}

void stack_close(struct stack *s)
{
	if (!s)
		return;
	for (size_t i = 0; s->bridges[i]; i++)
		free(s->bridges[i]);
	json_decref(s->config);
	free_list(s->files);
	free_list(s->env);
	free(s->env_file);
	free(s->project);
	free(s->services);
	free(s);
}

static json_t *at_path(json_t *o, const char *a, const char *b)
{
	json_t *v = json_object_get(o, a);

	return b ? json_object_get(v, b) : v;
}

/* " (what the last health check of a container said)" in one line; "" when it said nothing. Caller frees. */
static char *last_check(const struct stack *s, const char *id)
{
	_cleanup_free_ char *path = str_fmt("/containers/%s/json", id);
	_cleanup_json_ json_t *c = engine_find(s->host, path, NULL);
	json_t *log = json_object_get(at_path(c, "State", "Health"), "Log");
	json_t *last = json_array_get(log, json_array_size(log) - 1);
	const char *said = json_string_value(json_object_get(last, "Output"));
	char *line;

	if (!said || !*said)
		return str_fmt("%s", "");
	line = str_fmt(" (%.300s)", said);
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	return line;
}

/* "; unhealthy: a (what its check said), b" for the services of that kind; "" when there is none. Caller frees. */
static char *list_services(const struct stack *s, const char *what, bool running)
{
	char *list = str_fmt("%s", "");

	for (size_t i = 0; i < s->n; i++) {
		bool up = s->services[i].pid > 1;
		_cleanup_free_ char *said = NULL;
		char *more;

		if (up != running || (up && s->services[i].health != STACK_UNHEALTHY))
			continue;
		said = up ? last_check(s, s->services[i].id) : str_fmt("%s", "");
		more = *list ? str_fmt("%s, %s%s", list, s->services[i].name, said)
			     : str_fmt("; %s %s%s", what, s->services[i].name, said);
		free(list);
		list = more;
	}
	return list;
}

/* What to do about a failed `up`, where it is known. */
static const char *mend_of(const char *text)
{
	if (strstr(text, "already in use") || strstr(text, "already allocated"))
		return "; another program has the port: stop it, or give the stack another one "
		       "(WEBUI_PORT, PLEX_PORT)";
	if (strstr(text, "Pool overlaps"))
		return "; another network has these addresses: `docker network ls` names it";
	return "";
}

/* Add to a failed `up` on which services it failed, and what to do. */
static void explain(struct stack *s, struct err *err)
{
	_cleanup_free_ char *cause = err ? str_fmt("%.600s", err->text) : NULL;
	_cleanup_free_ char *down = NULL, *sick = NULL;

	if (!err || stack_refresh(s, NULL) < 0)
		return;
	down = list_services(s, "not running:", false);
	sick = list_services(s, "unhealthy:", true);
	(void)err_set(err, err->status, "%s%s%s%s", cause, mend_of(cause), down, sick);
}

int stack_up(struct stack *s, bool wait, int64_t timeout_ns, struct err *err)
{
	_cleanup_free_ char *seconds = str_fmt("%lld", (long long)(timeout_ns / NS_PER_S));
	int rc;

	if (wait)
		rc = compose(s,
			     PROC_ARGV("up", "--detach", "--no-build", "--quiet-pull", "--wait",
				       "--wait-timeout", seconds),
			     timeout_ns + 10 * NS_PER_S, 1, NULL, err);
	else
		rc = compose(s, PROC_ARGV("up", "--detach", "--no-build", "--quiet-pull"),
			     timeout_ns, 1, NULL, err);
	if (rc < 0)
		explain(s, err);
	return rc;
}

int stack_create(struct stack *s, int64_t timeout_ns, struct err *err)
{
	return compose(s, PROC_ARGV("up", "--no-start", "--no-build", "--quiet-pull"), timeout_ns,
		       1, NULL, err);
}

static bool hurried(const struct stack *s)
{
	return s->stop && *s->stop >= 2;
}

static int take_down(struct stack *s, int64_t timeout_ns, struct err *err)
{
	const char *volumes = host_is_lab(s->host) ? "--volumes" : NULL;

	if (!hurried(s) && compose(s, PROC_ARGV("down", "--remove-orphans", volumes), timeout_ns, 2,
				   NULL, err) == 0)
		return 0;
	if (!hurried(s))
		return -1;
	return compose(s, PROC_ARGV("down", "--remove-orphans", "--timeout", "0", volumes),
		       HURRY_TIMEOUT, INT_MAX, NULL, err);
}

int stack_down(struct stack *s, int64_t timeout_ns, struct err *err)
{
	if (take_down(s, timeout_ns, err) < 0)
		return -1;
	return host_is_lab(s->host) ? 0 : stack_sweep(s->host, s->project, err);
}

int stack_compose(struct stack *s, const char *const *args, int64_t timeout_ns, struct err *err)
{
	return compose(s, args, timeout_ns, 1, NULL, err);
}

/* ---- what the engine says ---- */

static void copy_text(char *to, size_t size, const json_t *v)
{
	const char *s = json_string_value(v);

	(void)snprintf(to, size, "%s", s ? s : "");
}

static bool compose_flag(const struct stack *s, const char *service, const char *list,
			 const char *word)
{
	json_t *conf = json_object_get(at_path(s->config, "services", service), list);
	size_t i;
	json_t *v;

	json_array_foreach(conf, i, v)
	{
		const char *text = json_string_value(v);

		if (text && strstr(text, word))
			return true;
		text = json_string_value(json_object_get(v, "source"));
		if (text && strstr(text, word))
			return true;
	}
	return false;
}

/* Does any service live in this one's network namespace? */
static bool has_tenants(const struct stack *s, const char *service)
{
	_cleanup_free_ char *mode = str_fmt("service:%s", service);
	json_t *services = json_object_get(s->config, "services");
	const char *key, *text;
	json_t *v;

	json_object_foreach(services, key, v)
	{
		text = json_string_value(json_object_get(v, "network_mode"));
		if (text && strcmp(text, mode) == 0)
			return true;
	}
	return false;
}

/* The label says it; without one, what the service is made for shows: a gateway has the tun device and NET_ADMIN
 * or tenants, an edge service publishes ports, and everything else is to be protected. */
static enum stack_role role_of(const struct stack *s, const char *service, const char *label)
{
	json_t *conf = at_path(s->config, "services", service);

	if (label && strcmp(label, "gateway") == 0)
		return STACK_GATEWAY;
	if (label && strcmp(label, "edge") == 0)
		return STACK_EDGE;
	if (label)
		return STACK_PROTECTED;
	if (has_tenants(s, service) || (compose_flag(s, service, "cap_add", "NET_ADMIN") &&
					compose_flag(s, service, "devices", "/dev/net/tun")))
		return STACK_GATEWAY;
	if (json_array_size(json_object_get(conf, "ports")) &&
	    !json_object_get(conf, "network_mode"))
		return STACK_EDGE;
	return STACK_PROTECTED;
}

static enum stack_health health_of(json_t *state)
{
	const char *status = json_string_value(at_path(state, "Health", "Status"));

	if (!status || strcmp(status, "none") == 0)
		return STACK_NO_HEALTH;
	if (strcmp(status, "healthy") == 0)
		return STACK_HEALTHY;
	return strcmp(status, "starting") == 0 ? STACK_STARTING : STACK_UNHEALTHY;
}

/* The engine's default bridge name is br- and 12 digits of the network's id. */
static void bridge_of(json_t *net, char bridge[16])
{
	const char *name = json_string_value(at_path(net, "Options", OPTION_BRIDGE));
	const char *id = json_string_value(json_object_get(net, "Id"));

	if (name)
		(void)snprintf(bridge, 16, "%s", name);
	else if (id)
		(void)snprintf(bridge, 16, "br-%.12s", id);
}

/* Bridge and prefix of a network. */
static void fill_network(const struct stack *s, struct stack_network *n)
{
	_cleanup_free_ char *path = str_fmt("/networks/%s", n->name);
	_cleanup_json_ json_t *net = engine_find(s->host, path, NULL);

	bridge_of(net, n->bridge);
	copy_text(n->subnet, sizeof(n->subnet),
		  json_object_get(json_array_get(at_path(net, "IPAM", "Config"), 0), "Subnet"));
}

static void fill_networks(const struct stack *s, struct stack_service *out, json_t *networks)
{
	const char *key;
	json_t *v;

	json_object_foreach(networks, key, v)
	{
		struct stack_network *n = &out->networks[out->n_networks];

		if (out->n_networks == STACK_NETWORKS_MAX)
			return;
		(void)snprintf(n->name, sizeof(n->name), "%s", key);
		copy_text(n->ip4, sizeof(n->ip4), json_object_get(v, "IPAddress"));
		copy_text(n->ip6, sizeof(n->ip6), json_object_get(v, "GlobalIPv6Address"));
		copy_text(n->mac, sizeof(n->mac), json_object_get(v, "MacAddress"));
		fill_network(s, n);
		out->n_networks++;
	}
}

static void fill_ports(struct stack_service *out, json_t *ports)
{
	const char *key;
	json_t *v;

	json_object_foreach(ports, key, v)
	{
		struct stack_port *p = &out->ports[out->n_ports];
		const char *port = json_string_value(
			json_object_get(json_array_get(v, 0), "HostPort"));

		if (!port || out->n_ports == STACK_PORTS_MAX)
			continue;
		(void)snprintf(p->proto, sizeof(p->proto), "%s",
			       strstr(key, "/udp") ? "udp" : "tcp");
		p->host_port = (uint16_t)strtoul(port, NULL, 10);
		out->n_ports++;
	}
}

static bool is_host_network(json_t *container)
{
	const char *mode = json_string_value(at_path(container, "HostConfig", "NetworkMode"));

	return mode && strcmp(mode, "host") == 0;
}

static int fill_service(const struct stack *s, const char *id, struct stack_service *out,
			struct err *err)
{
	_cleanup_free_ char *path = str_fmt("/containers/%s/json", id);
	_cleanup_json_ json_t *c = engine_find(s->host, path, err);
	json_t *labels = at_path(c, "Config", "Labels");
	json_t *state = json_object_get(c, "State");

	memset(out, 0, sizeof(*out));
	if (!c)
		return err && err->status ? -1 : 1; /* removed between the list and the look */
	copy_text(out->id, sizeof(out->id), json_object_get(c, "Id"));
	copy_text(out->name, sizeof(out->name), json_object_get(labels, LABEL_SERVICE));
	copy_text(out->container, sizeof(out->container), json_object_get(c, "Name"));
	copy_text(out->image, sizeof(out->image), at_path(c, "Config", "Image"));
	copy_text(out->digest, sizeof(out->digest), json_object_get(c, "Image"));
	memmove(out->container, out->container + (out->container[0] == '/'),
		strlen(out->container + (out->container[0] == '/')) + 1);
	out->role = role_of(s, out->name, json_string_value(json_object_get(labels, LABEL_ROLE)));
	out->health = health_of(state);
	out->host_network = is_host_network(c);
	out->restarts = (unsigned)json_integer_value(json_object_get(c, "RestartCount"));
	if (json_is_true(json_object_get(state, "Running")))
		out->pid = engine_container_pid(s->host, out->id, NULL);
	if (out->pid <= 1)
		out->pid = 0;
	fill_networks(s, out, at_path(c, "NetworkSettings", "Networks"));
	fill_ports(out, at_path(c, "NetworkSettings", "Ports"));
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct stack_service *)a)->name,
		      ((const struct stack_service *)b)->name);
}

char *stack_list_path(const char *what, const char *project)
{
	/* filters={"label":["com.docker.compose.project=NAME"]}, percent-encoded */
	return str_fmt("%s%cfilters=%%7B%%22label%%22%%3A%%5B%%22com.docker.compose.project%%3D%s"
		       "%%22%%5D%%7D",
		       what, strchr(what, '?') ? '&' : '?', project);
}

int stack_refresh(struct stack *s, struct err *err)
{
	_cleanup_free_ char *path = stack_list_path("/containers/json?all=1", s->project);
	_cleanup_json_ json_t *list = engine_get(s->host, path, err);
	struct stack_service *fresh;
	size_t n = 0, i;
	json_t *c;

	if (!list)
		return -1;
	fresh = calloc(json_array_size(list) + 1, sizeof(*fresh));
	if (!fresh)
		abort();
	json_array_foreach(list, i, c)
	{
		struct err local = { 0 };
		int rc = fill_service(s, json_string_value(json_object_get(c, "Id")), &fresh[n],
				      &local);

		if (rc < 0) {
			free(fresh);
			return err_set(err, local.status, "%s", local.text);
		}
		n += rc == 0;
	}
	qsort(fresh, n, sizeof(*fresh), by_name);
	free(s->services);
	s->services = fresh;
	s->n = n;
	return 0;
}

const struct stack_service *stack_services(const struct stack *s, size_t *n)
{
	*n = s->n;
	return s->services;
}

const struct stack_service *stack_service(const struct stack *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->services[i].name, name) == 0)
			return &s->services[i];
	return NULL;
}

const struct stack_service *stack_gateway(const struct stack *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->services[i].role == STACK_GATEWAY)
			return &s->services[i];
	return NULL;
}

unsigned stack_published_port(const struct stack *s, const char *service)
{
	json_t *ports = json_object_get(at_path(s->config, "services", service), "ports");
	const char *text = json_string_value(
		json_object_get(json_array_get(ports, 0), "published"));

	return text ? (unsigned)strtoul(text, NULL, 10) : 0;
}

int stack_find_bridges(struct stack *s, struct err *err)
{
	_cleanup_free_ char *path = stack_list_path("/networks", s->project);
	_cleanup_json_ json_t *list = engine_get(s->host, path, err);
	size_t i;
	json_t *net;

	if (!list)
		return -1;
	json_array_foreach(list, i, net)
	{
		const char *driver = json_string_value(json_object_get(net, "Driver"));
		char bridge[16] = "";

		bridge_of(net, bridge);
		if (driver && strcmp(driver, "bridge") == 0 && *bridge)
			add_bridge(s, bridge);
	}
	return 0;
}

const char *const *stack_bridges(const struct stack *s)
{
	return (const char *const *)s->bridges;
}

const char *stack_project(const struct stack *s)
{
	return s->project;
}

struct host *stack_host(const struct stack *s)
{
	return s->host;
}

/* ---- what is left of a project ---- */

/* DELETE each of the list; those that are gone meanwhile are no error. */
static int remove_all(struct host *h, json_t *list, const char *key, const char *path,
		      const char *suffix, const char *prefix, struct err *err)
{
	size_t i;
	json_t *o;

	json_array_foreach(list, i, o)
	{
		const char *name = json_string_value(json_object_get(o, key));
		_cleanup_free_ char *one = str_fmt("%s/%s%s", path, name ? name : "", suffix);
		long status = 0;

		if (!name || strncmp(name, prefix, strlen(prefix)) != 0)
			continue;
		if (engine_delete(h, one, &status, err) < 0 && status != 404)
			return -1;
	}
	return 0;
}

int stack_sweep(struct host *h, const char *project, struct err *err)
{
	static const struct {
		const char *list, *member, *key, *path, *suffix;
		bool own_names;
	} kinds[] = {
		{ "/containers/json?all=1", NULL, "Id", "/containers", "?force=1&v=1", false },
		{ "/networks", NULL, "Id", "/networks", "", false },
		{ "/volumes", "Volumes", "Name", "/volumes", "", true },
	};
	_cleanup_free_ char *prefix = str_fmt("%s_", project);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		_cleanup_free_ char *path = stack_list_path(kinds[i].list, project);
		_cleanup_json_ json_t *answer = engine_get(h, path, err);
		json_t *list = kinds[i].member ? json_object_get(answer, kinds[i].member) : answer;

		if (!answer || remove_all(h, list, kinds[i].key, kinds[i].path, kinds[i].suffix,
					  kinds[i].own_names ? prefix : "", err) < 0)
			return -1;
	}
	return 0;
}
