// SPDX-License-Identifier: MIT
/* What a run needs before its first scenario. */
#include "engine/setup.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "fault/fault.h"
#include "host/engine_api.h"
#include "packet/addr.h"
#include "probe/http_get.h"

#define BINDS_MAX	  64
#define ANSWER_LIMIT	  (10 * NS_PER_S)
/* On a real host a project of its own: the user's may be there, and have the name of the Compose file. */
#define PROJECT_LAB	  "leakproof"
#define PROJECT_REAL	  "leakproof-run"
/* What the lab's gateway asks for to see whether its tunnel works. */
#define LAB_HEALTH_TARGET "198.51.100.131"
#define SECRET_FILE	  "/run/leakproof-wireguard-key"

static void environment(struct setup *s, const char *name, const char *value)
{
	journal_event(s->journal, "environment",
		      json_pack("{s:s,s:s}", "name", name, "value", value));
}

static void add_env(struct setup *s, char *text)
{
	if (s->n_env < SETUP_ENV_MAX)
		s->env[s->n_env++] = text;
	else
		free(text);
}

static int go_on(const struct setup *s, struct err *err)
{
	return *s->stop ? err_set(err, EXIT_INCONCLUSIVE, "interrupted") : 0;
}

/* ---- images ---- */

/* Which image each service gets; and in a fresh lab, an engine's store that holds them already. On a real host the
 * Compose files say it, and the engine has or pulls it. */
static int choose_images(struct setup *s, struct err *err)
{
	struct image_opts o = { .images_dir = s->o->images_dir,
				.pull = s->o->pull,
				.home = s->o->home,
				.progress = s->progress,
				.progress_arg = s->progress_arg,
				.cancel = s->stop };
	size_t n;

	if (s->o->real)
		return 0;
	s->images = images_resolve(&o, err);
	if (!s->images)
		return err_wrap(err, "images");
	if (!s->o->lab && !(s->graph = images_graph(s->images, err)))
		return err_wrap(err, "images");
	n = images_count(s->images);
	for (size_t i = 0; i < n; i++) {
		const struct image_choice *c = images_get(s->images, i);
		_cleanup_free_ char *value = str_fmt("%s (%s, %s) %s", c->reference, c->source,
						     c->kind, c->digest);

		journal_event(s->journal, "image",
			      json_pack("{s:s,s:s}", "name", c->service, "value", value));
		add_env(s, str_fmt("%s=%s", c->variable, c->reference));
	}
	return 0;
}

/* ---- host ---- */

/* What runs on this machine that were killed left: their faults, their containers. */
static int clear_real(struct err *err)
{
	char **ids = host_lab_ids(err);
	int rc = ids ? 0 : -1;

	for (char **id = ids; id && *id && rc == 0; id++)
		if (strncmp(*id, "real-", 5) == 0 && !host_lab_in_use(*id))
			rc = host_lab_clean(*id, err);
	host_ids_free(ids);
	return rc;
}

/* Undo what a run that was killed left on this very host: a fault in force would be part of every verdict. */
static int clear_host(struct setup *s, struct err *err)
{
	if (s->o->real)
		return clear_real(err);
	if (!s->o->lab)
		return 0;
	if (host_lab_hold(s->host, err) < 0)
		return -1;
	return run_undo(host_state_dir(s->host), err);
}

/* Stacks with a path of their own must be visible in the virtual host, at the same place. */
static size_t bind_stacks(const struct scenario_set *set, struct lab_bind *binds, size_t n,
			  char **owned)
{
	size_t n_owned = 0;

	for (size_t i = 0; i < set->n && n < BINDS_MAX; i++) {
		char *dir = strchr("/.", set->items[i]->stack[0])
				    ? realpath(set->items[i]->stack, NULL)
				    : NULL;
		bool twice = false;

		if (!dir)
			continue; /* Compose says what is wrong with it */
		*strrchr(dir, '/') = '\0';
		for (size_t k = 0; k < n; k++)
			twice |= strcmp(binds[k].source, dir) == 0;
		owned[n_owned++] = dir;
		if (!twice && *dir)
			binds[n++] = (struct lab_bind){ .source = dir };
	}
	return n;
}

static struct host *fresh_lab(struct setup *s, const struct scenario_set *set, struct err *err)
{
	struct lab_bind binds[BINDS_MAX];
	char *owned[BINDS_MAX] = { NULL };
	struct lab_opts lab = { .graph = s->graph,
				.binds = binds,
				.progress = s->progress,
				.progress_arg = s->progress_arg,
				.cancel = s->stop };
	struct host *h;

	binds[lab.n_binds++] = (struct lab_bind){ .source = s->o->home };
	binds[lab.n_binds++] = (struct lab_bind){ .source = fs_cache_dir() };
	if (s->o->images_dir)
		binds[lab.n_binds++] = (struct lab_bind){ .source = s->o->images_dir };
	lab.n_binds = bind_stacks(set, binds, lab.n_binds, owned);
	h = host_lab_up(&lab, err);
	for (size_t i = 0; i < BINDS_MAX; i++)
		free(owned[i]);
	if (!h)
		(void)err_wrap(err, "the lab");
	return h;
}

static int host_up(struct setup *s, const struct scenario_set *set, struct err *err)
{
	host_set_undo(run_undo);
	if (s->o->real)
		s->host = host_real_open(err);
	else if (s->o->lab)
		s->host = host_lab_attach(s->o->lab, err);
	else
		s->host = fresh_lab(s, set, err);
	return s->host ? clear_host(s, err) : -1;
}

/* A run that is killed leaves containers: `leakproof clean` finds them by this. */
static int note_project(const struct setup *s, struct err *err)
{
	_cleanup_free_ char *path = str_fmt("%s/project", host_state_dir(s->host));

	if (host_is_lab(s->host))
		return 0;
	return fs_write(path, PROJECT_REAL, strlen(PROJECT_REAL), 0600, err);
}

int run_undo(const char *state_dir, struct err *err)
{
	_cleanup_free_ char *path = str_fmt("%s/project", state_dir);
	_cleanup_free_ char *project = fs_exists(path) ? fs_read(path, 256, NULL, err) : NULL;
	int rc = fault_undo_all(state_dir, err);
	struct host *h;

	if (!project)
		return rc;
	h = host_real_look(err);
	if (!h || stack_sweep(h, project, err) < 0)
		rc = -1;
	else
		(void)unlink(path);
	host_close(h);
	return rc;
}

/* ---- the tunnel, and what the stack is told ---- */

/* "udp:198.51.100.2:51820", "udp:[2001:db8::2]:51820" */
static int parse_tunnel(struct setup *s, const char *text, struct err *err)
{
	const char *first = strchr(text, ':');
	const char *last = strrchr(text, ':');
	bool tcp = strncmp(text, "tcp:", 4) == 0;
	bool bracket = first && first[1] == '[' && last > first && last[-1] == ']';
	struct ipaddr address;
	unsigned long port;
	char *end = NULL;

	port = last ? strtoul(last + 1, &end, 10) : 0;
	if (first && last > first)
		s->tunnel_address = str_fmt("%.*s", (int)(last - first) - 1 - 2 * bracket,
					    first + 1 + bracket);
	if (!s->tunnel_address || (!tcp && strncmp(text, "udp:", 4) != 0) || !end || *end ||
	    end == last + 1 || port < 1 || port > 65535 ||
	    !ipaddr_parse(s->tunnel_address, &address))
		return err_set(err, EXIT_USAGE,
			       "--tunnel %s: PROTO:ADDRESS:PORT is wanted, for example "
			       "udp:198.51.100.2:51820",
			       text);
	s->tunnel = (struct tap_tunnel){ .protocol = tcp ? IPPROTO_TCP : IPPROTO_UDP,
					 .address = s->tunnel_address,
					 .port = (uint16_t)port };
	return 0;
}

static void lab_tunnel(struct setup *s)
{
	const struct lab_vpn *vpn = host_is_lab(s->host) ? host_lab_vpn(s->host) : NULL;

	if (!vpn)
		return; /* the user has named the endpoint */

	s->tunnel = (struct tap_tunnel){ .protocol = IPPROTO_UDP,
					 .address = vpn->endpoint,
					 .port = (uint16_t)vpn->port };
	add_env(s, str_fmt("WIREGUARD_ENDPOINT_IP=%s", vpn->endpoint));
	add_env(s, str_fmt("WIREGUARD_ENDPOINT_PORT=%u", vpn->port));
	add_env(s, str_fmt("WIREGUARD_PUBLIC_KEY=%s", vpn->server_key));
	add_env(s, str_fmt("WIREGUARD_ADDRESSES=%s", vpn->client_address));
	add_env(s, str_fmt("DNS_UPSTREAM_PLAIN_ADDRESSES=%s:53", vpn->dns));
	add_env(s, str_fmt("VPN_DNS=%s", vpn->dns));
	add_env(s, str_fmt("TUNNEL_DNS=%s", vpn->dns));
	add_env(s, str_fmt("HEALTH_TARGET_ADDRESSES=" LAB_HEALTH_TARGET ":80"));
	add_env(s, str_fmt("HEALTH_ICMP_TARGET_IPS=" LAB_HEALTH_TARGET));
}

/* The key goes into the virtual host as a file of its own: Compose reads secrets from files inside. */
static int place_secret(struct setup *s, struct err *err)
{
	const struct lab_vpn *vpn = host_is_lab(s->host) ? host_lab_vpn(s->host) : NULL;
	_cleanup_free_ char *key = NULL;
	_cleanup_free_ char *path = NULL;
	size_t len;

	if (!vpn)
		return 0;
	key = fs_read(vpn->client_key_file, 4096, &len, err);
	if (!key)
		return -1;
	path = str_fmt("%s" SECRET_FILE, host_root(s->host));
	add_env(s, str_fmt("WIREGUARD_PRIVATE_KEY_FILE=" SECRET_FILE));
	return fs_write(path, key, len, 0644, err);
}

/* ---- who we are ---- */

/* Behind a router the machine's own address is a private one, and the one that must not get out is the router's: so
 * the world is asked before anything is started. */
static int ask_own_address(struct setup *s, struct err *err)
{
	const char *url = s->outside.what_is_my_ip;
	struct http_answer a = { 0 };
	_cleanup_free_ char *address = NULL;

	if (host_is_lab(s->host) || !url)
		return 0;
	if (http_get(host_netns_fd(s->host), url, "/etc/resolv.conf", ANSWER_LIMIT, &a, err) < 0)
		return -1;
	address = a.status == 200 ? outside_address(a.body) : NULL;
	if (!address)
		(void)err_set(
			err, EXIT_ENVIRONMENT,
			"%s does not tell this machine its own address (status %ld %.200s), so "
			"nobody could tell it from the VPN's",
			url, a.status, a.error);
	http_answer_free(&a);
	return address ? host_add_real_addr(s->host, address, err) : -1;
}

static int know_addresses(struct setup *s, struct err *err)
{
	for (const char *const *a = s->o->real_addrs; a && *a; a++)
		if (host_add_real_addr(s->host, *a, err) < 0)
			return err_wrap(err, "--real-address");
	return ask_own_address(s, err);
}

static void describe_host(struct setup *s)
{
	_cleanup_json_ json_t *version = engine_get(s->host, "/version", NULL);
	const char *engine = json_string_value(json_object_get(version, "Version"));

	environment(s, "host", host_is_lab(s->host) ? "lab (virtual host in namespaces)" : "real");
	environment(s, "engine", engine ? engine : "unknown");
	for (const char *const *u = host_uplinks(s->host); *u; u++)
		environment(s, "uplink", *u);
	for (const char *const *a = host_real_addrs(s->host); a && *a; a++)
		environment(s, "real address", *a);
	if (host_is_lab(s->host))
		environment(s, "wireguard of the server",
			    host_lab_vpn(s->host)->kernel ? "kernel" : "wireguard-go");
}

/* ---- the whole ---- */

/* Options that say nothing in the lab, where everything is known. */
static int check_host_options(const struct run_opts *o, struct err *err)
{
	const char *const real_only[][2] = {
		{ "--tunnel", o->tunnel },
		{ "--file", o->files ? o->files[0] : NULL },
		{ "--env-file", o->env_file },
	};

	if (o->real && o->lab)
		return err_set(err, EXIT_USAGE, "--lab %s and --host real: one of them", o->lab);
	for (size_t i = 0; i < sizeof(real_only) / sizeof(real_only[0]); i++)
		if (real_only[i][1] && !o->real)
			return err_set(err, EXIT_USAGE, "%s %s is for --host real", real_only[i][0],
				       real_only[i][1]);
	if (o->real && !o->tunnel)
		return err_set(err, EXIT_USAGE,
			       "--host real needs --tunnel PROTO:ADDRESS:PORT, the VPN server's "
			       "endpoint");
	return 0;
}

int setup_check(const struct run_opts *o, struct err *err)
{
	struct setup scratch = { 0 };
	struct ipaddr a;
	int rc = check_host_options(o, err);

	if (rc == 0 && o->tunnel)
		rc = parse_tunnel(&scratch, o->tunnel, err);
	free(scratch.tunnel_address);
	for (const char *const *r = o->real_addrs; rc == 0 && r && *r; r++)
		if (!ipaddr_parse(*r, &a))
			rc = err_set(err, EXIT_USAGE,
				     "--real-address %s: a numeric address is wanted", *r);
	return rc < 0 ? -1 : outside_options(&o->outside, err);
}

int setup_open(struct setup *s, const struct scenario_set *set, struct err *err)
{
	if ((s->o->tunnel && parse_tunnel(s, s->o->tunnel, err) < 0) || choose_images(s, err) < 0 ||
	    go_on(s, err) < 0 || host_up(s, set, err) < 0 || go_on(s, err) < 0)
		return -1;
	lab_tunnel(s);
	if (outside_fill(&s->outside, &s->o->outside, s->host, err) < 0 ||
	    outside_check(&s->outside, set, s->host, s->o->i_mean_it, err) < 0 ||
	    know_addresses(s, err) < 0 || note_project(s, err) < 0)
		return -1;
	if (s->images && images_load(s->images, s->host, err) < 0)
		return -1;
	if (place_secret(s, err) < 0)
		return -1;
	describe_host(s);
	return 0;
}

/* On a real host the note of the project goes once nothing of the project is left. */
static int let_go(struct setup *s, struct err *err)
{
	struct host *h = take_ptr(s->host);
	int rc = 0;

	if (!h)
		return 0;
	if (host_is_lab(h) && !s->o->lab && !s->o->keep)
		return host_lab_down(h, err);
	if (!host_is_lab(h))
		rc = run_undo(host_state_dir(h), err);
	host_close(h);
	return rc;
}

int setup_close(struct setup *s, struct err *err)
{
	int rc = let_go(s, err);

	images_free(s->images);
	outside_clear(&s->outside);
	for (size_t i = 0; i < s->n_env; i++)
		free(s->env[i]);
	free(s->tunnel_address);
	free(s->graph);
	return rc;
}

/* ---- stacks ---- */

struct stack *setup_stack(const struct setup *s, const char *name, struct err *err)
{
	_cleanup_free_ char *base = str_fmt("%s/stack/compose.yml", s->o->home);
	_cleanup_free_ char *own = str_fmt("%s/stack/%s/compose.yml", s->o->home, name);
	_cleanup_free_ char *path = strchr("/.", name[0]) ? realpath(name, NULL) : NULL;
	bool reference = strcmp(name, "reference") == 0;
	bool override = strcmp(name, "leaky/start-window") == 0;
	const char *files[3] = { reference || override ? base
				 : path		       ? path
						       : own,
				 override ? own : NULL };
	struct stack_opts o = { .project = s->o->real ? PROJECT_REAL : PROJECT_LAB,
				.files = reference && s->o->files ? s->o->files : files,
				.env = (const char *const *)s->env,
				.env_file = s->o->env_file,
				.stop = s->stop };

	if (strchr("/.", name[0]) && !path) {
		(void)err_errno(err, "stack %s", name);
		return NULL;
	}
	return stack_open(s->host, &o, err);
}
