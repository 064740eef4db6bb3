// SPDX-License-Identifier: MIT
/* leakproof analyze: judge capture files of any origin. */
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/log.h"
#include "cmd_output.h"
#include "command.h"
#include "engine/analysis.h"
#include "engine/evaluate.h"
#include "engine/facts_lines.h"
#include "rule/rule.h"

#define TUNNELS_MAX 16

static const char usage[] =
	"usage: leakproof analyze [TAP=]FILE... --policy POLICY [OPTION]...\n"
	"       leakproof analyze [ROLE=]FILE... --protected ADDR[,ADDR] --tunnel "
	"PROTO:ADDR:PORT [OPTION]...\n"
	"       leakproof analyze FILE... --facts\n"
	"\n"
	"Judges captures (pcap or pcapng, micro- or nanoseconds, also gzip; - is standard input) "
	"of any\n"
	"origin, and tells the result as a run does.\n"
	"\n"
	"  -p, --policy FILE     what may appear on which tap, as YAML or JSON:\n"
	"                        docs/policy-reference.md, or `leakproof list policy-keys`\n"
	"  -a, --protected LIST  addresses whose packets must stay in the tunnel\n"
	"  -t, --tunnel TUPLE    the tunnel as seen outside: udp:198.51.100.2:51820,\n"
	"                        udp:[2001:db8::2]:51820, tcp:...; repeatable\n"
	"  -k, --kind KIND       protocol of --tunnel: wireguard (default) or openvpn\n"
	"  -R, --real LIST       further real addresses, to look for inside the tunnel\n"
	"  -r, --role ROLE       where a FILE without ROLE= was captured: uplink (default), isp,\n"
	"                        bridge, veth, lo, exit\n"
	"  -d, --disable RULE    switch one rule off\n"
	"  -f, --facts           no verdict: one JSON line a packet, what was recognised\n"
	"  -h, --help            this text\n"
	"\n" OUTPUT_USAGE "\n"
	"TAP names a tap of the policy. Without it a file is of the tap whose `file` has its name; "
	"a\n"
	"pcapng file, of the taps whose `interface` it names; else of the only tap. A policy "
	"without\n"
	"taps takes every file as a tap of its role.\n"
	"\n"
	"exit status: 0 no leak, 1 leak, 2 usage, a mistake in the policy, or no capture, 3 a file "
	"that\n"
	"cannot be read or written, 4 inconclusive (cut or lossy captures, nothing of the outside, "
	"no\n"
	"traffic, packets that nothing ties to anybody)\n";

struct args {
	const char *policy, *protected_, *real;
	const char *tunnels[TUNNELS_MAX];
	size_t n_tunnels;
	enum tunnel_kind kind;
	bool facts;
	struct analysis_opts o;
	struct output w;
};

static const struct option options[] = {
	{ "policy", required_argument, NULL, 'p' },
	{ "protected", required_argument, NULL, 'a' },
	{ "tunnel", required_argument, NULL, 't' },
	{ "kind", required_argument, NULL, 'k' },
	{ "real", required_argument, NULL, 'R' },
	{ "role", required_argument, NULL, 'r' },
	{ "disable", required_argument, NULL, 'd' },
	{ "facts", no_argument, NULL, 'f' },
	OUTPUT_OPTIONS,
	{ NULL, 0, NULL, 0 },
};

/* ---- options ---- */

static int add_tunnel(struct args *a, struct err *err)
{
	if (a->n_tunnels == TUNNELS_MAX)
		return err_set(err, EXIT_USAGE, "--tunnel: more than %d", TUNNELS_MAX);
	a->tunnels[a->n_tunnels++] = optarg;
	return 0;
}

static int disable_rule(struct args *a, struct err *err)
{
	if (!rule_find(optarg))
		return err_set(err, EXIT_USAGE, "--disable: no rule `%s`", optarg);
	if (a->o.disable)
		return err_set(err, EXIT_USAGE,
			       "--disable: one rule only, and `%s` is switched off already",
			       a->o.disable);
	a->o.disable = optarg;
	return 0;
}

static int parse_option(struct args *a, int c, struct err *err)
{
	switch (c) {
	case 'p':
		a->policy = optarg;
		return 0;
	case 'a':
		a->protected_ = optarg;
		return 0;
	case 'R':
		a->real = optarg;
		return 0;
	case 'f':
		a->facts = true;
		return 0;
	case 't':
		return add_tunnel(a, err);
	case 'd':
		return disable_rule(a, err);
	case 'k':
		return tunnel_kind_parse(optarg, &a->kind) == 0
			       ? 0
			       : err_set(err, EXIT_USAGE,
					 "--kind: `%s` is neither wireguard nor openvpn", optarg);
	case 'r':
		return tap_role_parse(optarg, &a->o.role) == 0
			       ? 0
			       : err_set(err, EXIT_USAGE,
					 "--role: `%s` is none of uplink, isp, bridge, veth, lo, "
					 "exit",
					 optarg);
	default:
		return output_option(&a->w, c, optarg)
			       ? 0
			       : err_set(err, EXIT_USAGE,
					 "`leakproof analyze --help` names the options");
	}
}

static int check_args(const struct args *a, struct err *err)
{
	if (a->o.n_files == 0 || a->o.n_files > ANALYSIS_FILES_MAX)
		return err_set(err, EXIT_USAGE, "between 1 and %d capture files are wanted",
			       ANALYSIS_FILES_MAX);
	if (a->policy && (a->protected_ || a->n_tunnels || a->real))
		return err_set(err, EXIT_USAGE,
			       "--policy says what --protected, --tunnel and --real say; give one "
			       "or the other");
	if (!a->facts && !a->policy && !a->protected_ && !a->real)
		return err_set(err, EXIT_USAGE,
			       "without --policy or --protected nothing says what a leak is");
	return output_check(&a->w, false, err);
}

static int parse(int argc, char **argv, struct args *a, struct err *err)
{
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "p:a:t:k:R:r:d:fj", options, NULL)) != -1)
		if (parse_option(a, c == 'j' ? OPT_JSON : c, err) < 0)
			return -1;
	a->o.files = (const char *const *)argv + optind;
	a->o.n_files = (size_t)(argc - optind);
	a->o.policy = a->policy ? a->policy : "the command line";
	return check_args(a, err);
}

/* ---- the policy ---- */

static struct policy *policy_from_words(const struct args *a, struct err *err)
{
	struct policy *p = policy_new();

	if (a->protected_ && policy_add_protected(p, a->protected_, err) < 0) {
		(void)err_wrap(err, "--protected");
		goto bad;
	}
	if (a->real && policy_add_real(p, a->real, err) < 0) {
		(void)err_wrap(err, "--real");
		goto bad;
	}
	for (size_t i = 0; i < a->n_tunnels; i++)
		if (policy_add_tunnel(p, a->tunnels[i], a->kind, err) < 0) {
			(void)err_wrap(err, "--tunnel");
			goto bad;
		}
	return p;
bad:
	policy_free(p);
	return NULL;
}

/* Mistakes are printed as a compiler would; *err then has no text of its own. */
static struct policy *policy_from_file(const char *path, struct err *err)
{
	size_t len = 0;
	_cleanup_free_ char *text = fs_read(path, POLICY_TEXT_MAX, &len, err);
	struct policy *p = NULL;
	struct diag d = { 0 };

	if (!text) {
		err->status = EXIT_USAGE; /* the operator named it */
		return NULL;
	}
	if (policy_parse(path, text, len, &p, &d, err) < 0) {
		diag_print(&d, stderr, term_has_colour(stderr));
		err->text[0] = '\0';
	}
	diag_free(&d);
	return p;
}

/* ---- the whole ---- */

static int print_facts(const struct args *a, struct err *err)
{
	if (a->policy || a->protected_ || a->real || a->n_tunnels || a->o.disable)
		log_warn("--facts judges nothing: --policy, --protected, --real, --tunnel and "
			 "--disable have no effect");
	(void)signal(SIGPIPE, SIG_DFL); /* a reader that has seen enough ends this as any filter */
	for (size_t i = 0; i < a->o.n_files; i++)
		if (facts_print(a->o.files[i], a->o.n_files > 1, stdout, err) < 0)
			return -1;
	return EXIT_PASS;
}

static int judge(const struct args *a, struct policy *p, struct captures *c, struct err *err)
{
	struct result *r;
	int status;

	if (analysis_open(c, p, &a->o, err) < 0)
		return -1;
	r = analysis_judge(c, p, &a->o, err);
	if (!r)
		return -1;
	status = output_write(&a->w, r, NULL, err) < 0 ? -1 : evaluate_exit_status(r);
	if (status >= 0 && (a->w.dir || a->w.file))
		log_info("%s: %s", verdict_name(r->verdict), r->sentence);
	result_free(r);
	return status;
}

static int analyze(const struct args *a, struct err *err)
{
	struct captures *c;
	struct policy *p;
	int status;

	if (a->facts)
		return print_facts(a, err);
	p = a->policy ? policy_from_file(a->policy, err) : policy_from_words(a, err);
	if (!p)
		return -1;
	c = captures_new();
	status = judge(a, p, c, err);
	captures_free(c);
	policy_free(p);
	return status;
}

static int run(int argc, char **argv)
{
	struct args a = { .w = OUTPUT_DEFAULT };
	struct err err = { 0 };
	int status = parse(argc, argv, &a, &err) < 0 ? -1 : analyze(&a, &err);

	if (status >= 0)
		return status;
	if (err.text[0])
		log_error("%s", err.text);
	return err.status;
}

const struct command cmd_analyze = {
	.name = "analyze",
	.summary = "judge capture files of any origin",
	.usage = usage,
	.run = run,
};
