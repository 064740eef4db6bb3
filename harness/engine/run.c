// SPDX-License-Identifier: MIT
/* A run: host up, scenarios played and judged, reports written, host down. */
#include "engine/run.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/version.h"
#include "engine/evaluate.h"
#include "engine/journal.h"
#include "engine/play.h"
#include "engine/stop.h"
#include "fault/fault.h"
#include "host/engine_api.h"
#include "report/report.h"
#include "stack/images.h"

#define ENV_MAX 64

struct run {
	const struct run_opts *o;
	char id[32];
	char *captures, *reports;
	struct journal *journal;
	struct host *host;
	struct image_set *images;
	char *graph; /* image store of a fresh lab */
	struct tap_tunnel tunnel;
	char *tunnel_address;
	char *env[ENV_MAX + 1]; /* for Compose */
	size_t n_env;
	uint8_t nonce[TAP_NONCE];
	const volatile sig_atomic_t *stop;
	struct result *result;
};

static void say(void *arg, const char *what)
{
	const struct run *r = arg;

	if (!r->o->quiet)
		log_info("  %s", what);
}

static void environment(struct run *r, const char *name, const char *value)
{
	journal_event(r->journal, "environment",
		      json_pack("{s:s,s:s}", "name", name, "value", value));
}

static void add_env(struct run *r, char *text)
{
	if (r->n_env < ENV_MAX)
		r->env[r->n_env++] = text;
	else
		free(text);
}

/* ---- beginning ---- */

/* Date, time and four random digits: unique, and sorted by time. */
static void make_id(struct run *r)
{
	time_t now = (time_t)(clock_real_ns() / NS_PER_S);
	char date[20];
	struct tm tm;

	(void)gmtime_r(&now, &tm);
	(void)strftime(date, sizeof(date), "%Y%m%d-%H%M%S", &tm);
	(void)snprintf(r->id, sizeof(r->id), "%s-%02x%02x", date, r->nonce[0], r->nonce[1]);
}

static int make_dirs(struct run *r, struct err *err)
{
	_cleanup_free_ char *latest = str_fmt("%s/latest", r->o->reports);
	_cleanup_free_ char *journal = NULL;

	r->captures = str_fmt("%s/%s", r->o->captures, r->id);
	r->reports = str_fmt("%s/%s", r->o->reports, r->id);
	if (fs_mkdir_p(r->captures, 0755, err) < 0 || fs_mkdir_p(r->reports, 0755, err) < 0)
		return -1;
	if ((unlink(latest) < 0 && errno != ENOENT) || symlink(r->id, latest) < 0)
		return err_errno(err, "%s", latest);
	journal = str_fmt("%s/journal.jsonl", r->reports);
	r->journal = journal_create(journal, err);
	return r->journal ? 0 : -1;
}

static int begin(struct run *r, struct err *err)
{
	struct utsname u;

	if (getrandom(r->nonce, sizeof(r->nonce), 0) != (ssize_t)sizeof(r->nonce))
		return err_errno(err, "random bytes");
	make_id(r);
	if (make_dirs(r, err) < 0)
		return -1;
	r->result = calloc(1, sizeof(*r->result));
	if (!r->result)
		abort();
	journal_event(
		r->journal, "run",
		json_pack("{s:s,s:s,s:i}", "run", r->id, "version", LEAKPROOF_VERSION, "seed", 0));
	if (uname(&u) == 0)
		environment(r, "kernel", u.release);
	return 0;
}

/* ---- host ---- */

static int host_up(struct run *r, struct err *err)
{
	struct lab_bind binds[3];
	struct lab_opts lab = { .graph = r->graph,
				.binds = binds,
				.progress = say,
				.progress_arg = r,
				.cancel = r->stop };

	host_set_undo(fault_undo_all);
	if (r->o->real)
		r->host = host_real_open(err);
	else if (r->o->lab)
		r->host = host_lab_attach(r->o->lab, err);
	if (r->host)
		return 0;
	if (r->o->real || r->o->lab)
		return -1;
	binds[lab.n_binds++] = (struct lab_bind){ .source = r->o->home };
	binds[lab.n_binds++] = (struct lab_bind){ .source = fs_cache_dir() };
	if (r->o->images_dir)
		binds[lab.n_binds++] = (struct lab_bind){ .source = r->o->images_dir };
	r->host = host_lab_up(&lab, err);
	return r->host ? 0 : err_wrap(err, "the lab");
}

/* "udp:198.51.100.2:51820" */
static int parse_tunnel(struct run *r, const char *text, struct err *err)
{
	const char *first = strchr(text, ':');
	const char *last = strrchr(text, ':');
	unsigned long port = last ? strtoul(last + 1, NULL, 10) : 0;

	if (!first || first == last || port < 1 || port > 65535)
		return err_set(err, EXIT_USAGE,
			       "--tunnel %s: PROTO:ADDRESS:PORT is wanted, for example "
			       "udp:198.51.100.2:51820",
			       text);
	r->tunnel.protocol = strncmp(text, "tcp", 3) == 0 ? IPPROTO_TCP : IPPROTO_UDP;
	r->tunnel_address = str_fmt("%.*s", (int)(last - first - 1), first + 1);
	r->tunnel.address = r->tunnel_address;
	r->tunnel.port = (uint16_t)port;
	return 0;
}

static int find_tunnel(struct run *r, struct err *err)
{
	const struct lab_vpn *vpn;

	if (!host_is_lab(r->host)) {
		if (!r->o->tunnel)
			return err_set(err, EXIT_USAGE,
				       "--host real needs --tunnel PROTO:ADDRESS:PORT, the "
				       "VPN server's endpoint");
		return parse_tunnel(r, r->o->tunnel, err);
	}
	vpn = host_lab_vpn(r->host);
	r->tunnel = (struct tap_tunnel){ .protocol = IPPROTO_UDP,
					 .address = vpn->endpoint,
					 .port = (uint16_t)vpn->port };
	add_env(r, str_fmt("WIREGUARD_ENDPOINT_IP=%s", vpn->endpoint));
	add_env(r, str_fmt("WIREGUARD_ENDPOINT_PORT=%u", vpn->port));
	add_env(r, str_fmt("WIREGUARD_PUBLIC_KEY=%s", vpn->server_key));
	add_env(r, str_fmt("WIREGUARD_ADDRESSES=%s", vpn->client_address));
	add_env(r, str_fmt("DNS_UPSTREAM_PLAIN_ADDRESSES=%s:53", vpn->dns));
	add_env(r, str_fmt("VPN_DNS=%s", vpn->dns));
	add_env(r, str_fmt("TUNNEL_DNS=%s", vpn->dns));
	add_env(r, str_fmt("HEALTH_TARGET_ADDRESSES=198.51.100.131:80"));
	add_env(r, str_fmt("HEALTH_ICMP_TARGET_IPS=198.51.100.131"));
	return 0;
}

/* The key goes into the virtual host as a file of its own: Compose reads secrets from files inside. */
static int place_secret(struct run *r, struct err *err)
{
	const struct lab_vpn *vpn = host_is_lab(r->host) ? host_lab_vpn(r->host) : NULL;
	_cleanup_free_ char *key = NULL;
	_cleanup_free_ char *path = NULL;
	size_t len;

	if (!vpn)
		return 0;
	key = fs_read(vpn->client_key_file, 4096, &len, err);
	if (!key)
		return -1;
	path = str_fmt("%s/run/leakproof-wireguard-key", host_root(r->host));
	add_env(r, str_fmt("WIREGUARD_PRIVATE_KEY_FILE=/run/leakproof-wireguard-key"));
	return fs_write(path, key, len, 0644, err);
}

/* Which image each service gets; and in a fresh lab, an engine's store that holds them already. */
static int choose_images(struct run *r, struct err *err)
{
	struct image_opts o = { .images_dir = r->o->images_dir,
				.pull = r->o->pull,
				.home = r->o->home,
				.progress = say,
				.progress_arg = r };
	size_t n;

	r->images = images_resolve(&o, err);
	if (!r->images)
		return err_wrap(err, "images");
	if (!r->o->real && !r->o->lab && !(r->graph = images_graph(r->images, err)))
		return err_wrap(err, "images");
	n = images_count(r->images);
	for (size_t i = 0; i < n; i++) {
		const struct image_choice *c = images_get(r->images, i);
		_cleanup_free_ char *value = str_fmt("%s (%s, %s) %s", c->reference, c->source,
						     c->standin ? "stand-in" : "real", c->digest);

		journal_event(r->journal, "image",
			      json_pack("{s:s,s:s}", "name", c->service, "value", value));
		add_env(r, str_fmt("%s=%s", c->variable, c->reference));
	}
	return 0;
}

static int load_images(struct run *r, struct err *err)
{
	return host_is_lab(r->host) ? images_load(r->images, r->host, err) : 0;
}

static void describe_host(struct run *r)
{
	_cleanup_json_ json_t *version = engine_get(r->host, "/version", NULL);
	const char *engine = json_string_value(json_object_get(version, "Version"));

	environment(r, "host", host_is_lab(r->host) ? "lab (virtual host in namespaces)" : "real");
	environment(r, "engine", engine ? engine : "unknown");
	environment(r, "uplink", host_uplink(r->host));
	for (const char *const *a = host_real_addrs(r->host); a && *a; a++)
		environment(r, "real address", *a);
	if (host_is_lab(r->host))
		environment(r, "wireguard of the server",
			    host_lab_vpn(r->host)->kernel ? "kernel" : "wireguard-go");
}

/* ---- scenarios ---- */

static struct stack *open_stack(void *arg, const char *name, struct err *err)
{
	struct run *r = arg;
	_cleanup_free_ char *base = str_fmt("%s/stack/compose.yml", r->o->home);
	_cleanup_free_ char *own = str_fmt("%s/stack/%s/compose.yml", r->o->home, name);
	bool reference = strcmp(name, "reference") == 0;
	bool override = strcmp(name, "leaky/start-window") == 0;
	const char *files[3] = { NULL };
	struct stack_opts o = { .project = "leakproof",
				.files = files,
				.env = (const char *const *)r->env };

	if (reference && r->o->files)
		o.files = r->o->files;
	else if (name[0] == '/')
		files[0] = name;
	else if (reference || override)
		files[0] = base;
	else
		files[0] = own;
	if (override)
		files[1] = own;
	return stack_open(r->host, &o, err);
}

static int judge_one(struct run *r, struct err *err)
{
	_cleanup_free_ char *path = str_fmt("%s/journal.jsonl", r->reports);
	_cleanup_json_ json_t *events = journal_read(path, err);
	_cleanup_json_ json_t *part = json_array();
	struct evaluate_opts o = { .captures = r->captures, .reports = r->reports, .slices = true };
	size_t n = json_array_size(events);

	if (!events)
		return -1;
	while (n > 0) {
		(void)json_array_insert(part, 0, json_array_get(events, --n));
		if (strcmp(json_string_value(json_object_get(json_array_get(events, n), "event")),
			   "scenario-begin") == 0)
			break;
	}
	return evaluate_scenario(r->result, part, &o, err);
}

static int play_set(struct run *r, const struct scenario_set *set, struct err *err)
{
	_cleanup_json_ json_t *past = json_array();
	struct play_opts o = { .host = r->host,
			       .past_gateways = past,
			       .journal = r->journal,
			       .run = r->id,
			       .captures = r->captures,
			       .tunnel = r->tunnel,
			       .open_stack = open_stack,
			       .arg = r,
			       .i_mean_it = r->o->i_mean_it,
			       .stop = r->stop,
			       .progress = say };

	memcpy(o.nonce, r->nonce, sizeof(o.nonce));
	for (size_t i = 0; i < set->n; i++)
		for (unsigned k = 1; k <= (unsigned)set->items[i]->repeat && !*r->stop; k++) {
			if (!r->o->quiet)
				log_info("[%zu/%zu] %s", i + 1, set->n, set->items[i]->name);
			if (play_scenario(&o, set->items[i], k, err) < 0 || judge_one(r, err) < 0)
				return -1;
			report_live(&r->result->scenarios[r->result->n_scenarios - 1], stderr);
		}
	return 0;
}

/* Everything is stored already; what is left is the head of the result and the reports. */
static int finish(struct run *r, int *status, struct err *err)
{
	_cleanup_free_ char *path = str_fmt("%s/journal.jsonl", r->reports);
	_cleanup_json_ json_t *events = journal_read(path, err);
	struct report_opts o = { 0 };

	if (!events || evaluate_head(r->result, events, err) < 0)
		return -1;
	evaluate_total(r->result);
	if (*r->stop && r->result->verdict == VERDICT_PASS)
		r->result->verdict = VERDICT_INCONCLUSIVE;
	if (report_write_all(r->result, r->reports, &o, err) < 0)
		return -1;
	if (report_write(report_find("text"), r->result, &o, stdout, err) < 0)
		return -1;
	log_info("report: %s/index.html", r->reports);
	*status = evaluate_exit_status(r->result);
	return 0;
}

static int host_end(struct run *r, struct err *err)
{
	struct host *h = r->host;

	r->host = NULL;
	if (!h)
		return 0;
	if (!host_is_lab(h) || r->o->lab || r->o->keep) {
		host_close(h);
		return 0;
	}
	return host_lab_down(h, err);
}

int run_set(const struct run_opts *o, const struct scenario_set *set, int *status, struct err *err)
{
	struct run r = { .o = o, .stop = stop_install() };
	struct err after = { 0 };
	int rc = -1;

	if (geteuid() != 0)
		return err_set(err, EXIT_ENVIRONMENT,
			       "root is needed for namespaces and captures; run it "
			       "with sudo");
	if (begin(&r, err) == 0 && choose_images(&r, err) == 0 && host_up(&r, err) == 0 &&
	    load_images(&r, err) == 0 && find_tunnel(&r, err) == 0 && place_secret(&r, err) == 0) {
		describe_host(&r);
		rc = play_set(&r, set, err);
	}
	if (host_end(&r, &after) < 0) {
		log_error("%s", after.text);
		if (rc == 0)
			rc = err_set(err, EXIT_ENVIRONMENT,
				     "the lab could not be taken down; run: leakproof "
				     "clean");
	}
	if (rc == 0)
		rc = finish(&r, status, err);
	if (journal_close(r.journal, &after) < 0 && rc == 0)
		rc = err_set(err, EXIT_ENVIRONMENT, "%s", after.text);
	images_free(r.images);
	result_free(r.result);
	for (size_t i = 0; i < r.n_env; i++)
		free(r.env[i]);
	free(r.tunnel_address);
	free(r.graph);
	free(r.captures);
	free(r.reports);
	return rc;
}
