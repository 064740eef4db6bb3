// SPDX-License-Identifier: MIT
/* What lies outside of the stack and is asked by it. */
#include "engine/outside.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "fault/fault.h"
#include "host/needs.h"
#include "packet/addr.h"
#include "probe/probe.h"

#define LAB_WHAT_IS_MY_IP "http://198.51.100.131/"

static bool is_address(const char *text)
{
	struct ipaddr a;

	return ipaddr_parse(text, &a);
}

/* ---- filling ---- */

static void replace(char **to, const char *text)
{
	if (!text)
		return;
	free(*to);
	*to = str_fmt("%s", text);
}

static int take_address(char **to, const char *option, const char *text, struct err *err)
{
	if (text && !is_address(text))
		return err_set(err, EXIT_USAGE, "%s %s: a numeric address is wanted", option, text);
	replace(to, text);
	return 0;
}

/* "192.0.2.1", "192.0.2.1:7", "2001:db8::1", "[2001:db8::1]:7" */
static int take_sink(struct outside *x, const char *text, struct err *err)
{
	const char *colon = text ? strrchr(text, ':') : NULL;
	_cleanup_free_ char *host = NULL;
	unsigned long port = 0;
	char *end = NULL;

	if (!text)
		return 0;
	if (!is_address(text) && colon) {
		bool bracket = text[0] == '[' && colon > text && colon[-1] == ']';

		port = strtoul(colon + 1, &end, 10);
		host = str_fmt("%.*s", (int)(colon - text) - 2 * bracket, text + bracket);
	} else {
		host = str_fmt("%s", text);
	}
	if (!is_address(host) || (end && (*end || end == colon + 1 || port < 1 || port > 65535)))
		return err_set(
			err, EXIT_USAGE,
			"--sink %s: ADDRESS or ADDRESS:PORT is wanted, with a numeric address",
			text);
	x->sink_port = (uint16_t)port;
	free(x->sink);
	x->sink = take_ptr(host);
	return 0;
}

static void fill_lab(struct outside *x, const struct host *h)
{
	const struct lab_torrent *t = host_lab_torrent(h);

	replace(&x->what_is_my_ip, LAB_WHAT_IS_MY_IP);
	replace(&x->exit_address, host_lab_vpn(h)->endpoint);
	replace(&x->sink, PROBE_SINK);
	replace(&x->public_dns, PROBE_RESOLVER);
	replace(&x->torrent, t->file);
	replace(&x->file, t->name);
	replace(&x->sha256, t->sha256);
}

static int take_torrent(struct outside *x, const char *path, struct err *err)
{
	if (!path)
		return 0;
	if (!fs_exists(path))
		return err_set(err, EXIT_USAGE, "--torrent %s: there is no such file", path);
	replace(&x->torrent, path);
	free(take_ptr(x->file));
	free(take_ptr(x->sha256));
	return 0;
}

static int take_options(struct outside *x, const struct outside_opts *o, struct err *err)
{
	replace(&x->what_is_my_ip, o->what_is_my_ip);
	if (take_address(&x->exit_address, "--exit-address", o->exit_address, err) < 0 ||
	    take_address(&x->public_dns, "--public-dns", o->public_dns, err) < 0 ||
	    take_sink(x, o->sink, err) < 0)
		return -1;
	return take_torrent(x, o->torrent, err);
}

int outside_options(const struct outside_opts *o, struct err *err)
{
	struct outside scratch = { 0 };
	int rc = take_options(&scratch, o, err);

	outside_clear(&scratch);
	return rc;
}

int outside_fill(struct outside *x, const struct outside_opts *o, const struct host *h,
		 struct err *err)
{
	*x = (struct outside){ 0 };
	if (host_is_lab(h))
		fill_lab(x, h);
	return take_options(x, o, err);
}

void outside_clear(struct outside *x)
{
	char *const all[] = { x->what_is_my_ip, x->exit_address, x->sink,  x->public_dns,
			      x->torrent,	x->file,	 x->sha256 };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]);
	*x = (struct outside){ 0 };
}

/* ---- asking before anything is started ---- */

static int check_start(const struct outside *x, const struct step_start *s, struct err *err)
{
	const struct probe_row *row = probe_find(s->probe);

	if (!row && !x->torrent)
		return err_set(
			err, EXIT_USAGE,
			"it downloads; name a torrent that you may share with --torrent FILE");
	if (!row || s->to)
		return 0;
	if (probe_goes_to_sink(row) && !x->sink)
		return err_set(err, EXIT_USAGE,
			       "probe %s needs somewhere to go; name a machine of yours on the "
			       "internet with --sink ADDRESS[:PORT]",
			       s->probe);
	if (strcmp(row->name, PROBE_PUBLIC_DNS) == 0 && !x->public_dns)
		return err_set(
			err, EXIT_USAGE,
			"probe %s asks a public resolver; name one with --public-dns ADDRESS",
			s->probe);
	return 0;
}

static int check_fault(const struct fault_ctx *c, const struct step_fault *s, struct err *err)
{
	const struct fault *f = fault_find(s->name);

	if (fault_refused(c, s, err))
		return -1;
	for (const char *const *t = f ? f->tools : NULL; t && *t; t++)
		if (!needs_program(*t))
			return err_set(
				err, EXIT_ENVIRONMENT,
				"fault %s calls %s, which is not in PATH: apt-get install %s",
				s->name, *t, needs_package(*t));
	return 0;
}

static int check_step(const struct outside *x, const struct step *s, const struct fault_ctx *c,
		      struct err *err)
{
	if (s->id == STEP_START)
		return check_start(x, &s->u.start, err);
	if (s->id == STEP_FAULT)
		return check_fault(c, &s->u.fault, err);
	if (s->id == STEP_CHECK && s->u.check.check == CHECK_EXIT_ADDRESS && !x->what_is_my_ip)
		return err_set(err, EXIT_USAGE,
			       "it asks for the address that the internet sees; name a service "
			       "that tells it with --what-is-my-ip URL");
	return 0;
}

/* A control leaks on purpose: from a real host that is the real address, told to whoever listens. */
static int check_scenario(const struct outside *x, const struct scenario *sc,
			  const struct fault_ctx *c, struct err *err)
{
	if (sc->expect.leaks == LEAKS_MUST && !host_is_lab(c->host) && !c->i_mean_it)
		return err_set(
			err, EXIT_USAGE,
			"scenario %s leaks the real address on purpose; --i-mean-it allows it",
			sc->name);
	for (size_t i = 0; i < sc->n_steps; i++)
		if (check_step(x, &sc->steps[i], c, err) < 0)
			return err_wrap(err, "%s:%u: scenario %s", sc->file, sc->steps[i].line,
					sc->name);
	return 0;
}

int outside_check(const struct outside *x, const struct scenario_set *set, struct host *h,
		  bool i_mean_it, struct err *err)
{
	const struct fault_ctx c = { .host = h, .i_mean_it = i_mean_it };

	for (size_t i = 0; i < set->n; i++)
		if (check_scenario(x, set->items[i], &c, err) < 0)
			return -1;
	return 0;
}

/* ---- answers ---- */

bool outside_is_real(const struct host *h, const char *address)
{
	struct ipaddr mine, asked;

	for (const char *const *a = host_real_addrs(h); a && *a; a++)
		if (ipaddr_parse(*a, &mine) && ipaddr_parse(address, &asked) &&
		    ipaddr_equal(&mine, &asked))
			return true;
	return false;
}

char *outside_address(const char *body)
{
	size_t from = strspn(body, " \t\r\n"), len = strcspn(body + from, " \t\r\n");
	_cleanup_free_ char *text = str_fmt("%.*s", len < 64 ? (int)len : 0, body + from);

	return is_address(text) ? take_ptr(text) : NULL;
}
