// SPDX-License-Identifier: MIT
/* leakproof lab: a closed internet with a virtual host in it, to look at and to try things in. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/log.h"
#include "command.h"
#include "host/engine_api.h"
#include "host/host.h"

#define DEFAULT_ID "lab"
#define MAX_BINDS  16

static const char usage[] =
	"usage: leakproof lab up [--id ID] [--bind DIR[:TARGET]]... [--no-docker] [--json]\n"
	"       leakproof lab status [--id ID] [--json]\n"
	"       leakproof lab shell [--id ID] [NODE [COMMAND...]]\n"
	"       leakproof lab down [--id ID]\n\n"
	"A closed internet of network namespaces with a virtual host in it, whose Docker Engine "
	"is\n"
	"its own. Nothing in it can reach the machine's interfaces. NODE is host (the default),\n"
	"isp, vpn or internet.\n\n"
	"  --id ID       name of the lab, 1 to 12 of a-z and 0-9 (default: " DEFAULT_ID ")\n"
	"  --bind DIR    make a directory of the machine visible in the virtual host, writable\n"
	"  --no-docker   only the network and the services of the internet\n"
	"  --json        print for machines\n\n"
	"Needs root. `leakproof clean` removes what an interrupted lab left behind.\n";

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

struct lab_args {
	const char *id;
	bool json, no_docker;
	struct lab_bind binds[MAX_BINDS];
	size_t n_binds;
};

static int fail(const struct err *err)
{
	log_error("%s", err->text);
	return err->status ? err->status : EXIT_ENVIRONMENT;
}

static int add_bind(struct lab_args *a, char *text, struct err *err)
{
	char *colon = strchr(text, ':');

	if (a->n_binds == MAX_BINDS)
		return err_set(err, EXIT_USAGE, "at most %d --bind", MAX_BINDS);
	if (colon)
		*colon++ = '\0';
	if (text[0] != '/' || (colon && colon[0] != '/'))
		return err_set(err, EXIT_USAGE, "--bind %s: absolute paths are wanted", text);
	if (!fs_exists(text))
		return err_set(err, EXIT_USAGE, "--bind %s: there is no such file", text);
	a->binds[a->n_binds++] =
		(struct lab_bind){ .source = text, .target = colon, .writable = true };
	return 0;
}

static int parse(int argc, char **argv, struct lab_args *a, struct err *err)
{
	static const struct option options[] = { { "id", required_argument, NULL, 'i' },
						 { "bind", required_argument, NULL, 'b' },
						 { "no-docker", no_argument, NULL, 'n' },
						 { "json", no_argument, NULL, 'j' },
						 { NULL, 0, NULL, 0 } };
	int c;

	*a = (struct lab_args){ .id = DEFAULT_ID };
	opterr = 0;
	optind = 1;
	/* "+": what follows NODE belongs to its command. */
	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (c == 'i')
			a->id = optarg;
		else if (c == 'n')
			a->no_docker = true;
		else if (c == 'j')
			a->json = true;
		else if (c == 'b' && add_bind(a, optarg, err) < 0)
			return -1;
		else if (c == '?')
			return err_set(err, EXIT_USAGE,
				       "lab: `%s` is no option, or lacks its value",
				       argv[optind - 1]);
	}
	return 0;
}

static void progress(void *arg, const char *what)
{
	(void)arg;
	log_info("%s", what);
}

static json_t *node_json(const struct host *h)
{
	static const char *const names[] = { "host", "isp", "vpn", "internet" };
	json_t *nodes = json_object();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)json_object_set_new(nodes, names[i],
					  json_integer(host_node_pid(h, names[i])));
	return nodes;
}

static json_t *status_json(const struct host *h)
{
	const struct lab_vpn *vpn = host_lab_vpn(h);
	_cleanup_json_ json_t *version = host_init_pid(h) ? engine_get(h, "/version", NULL) : NULL;
	const char *engine = json_string_value(json_object_get(version, "Version"));

	return json_pack("{s:s,s:s,s:s,s:o,s:s?,s:{s:s,s:i,s:s,s:s,s:s,s:b},s:s}", "id", host_id(h),
			 "state_dir", host_state_dir(h), "socket", host_socket(h), "pids",
			 node_json(h), "engine", engine, "vpn", "endpoint", vpn->endpoint, "port",
			 (int)vpn->port, "server_key", vpn->server_key, "client_key_file",
			 vpn->client_key_file, "client_address", vpn->client_address, "kernel",
			 (int)vpn->kernel, "torrent", host_lab_torrent(h)->file);
}

static int print_status(const struct host *h, bool json)
{
	static const char *const names[] = { "host", "isp", "vpn", "internet" };
	_cleanup_json_ json_t *status = status_json(h);
	const char *engine = json_string_value(json_object_get(status, "engine"));

	if (json) {
		(void)json_dumpf(status, stdout, JSON_INDENT(2));
		(void)putchar('\n');
		return EXIT_PASS;
	}
	(void)printf("lab %s: Docker Engine %s\n", host_id(h), engine ? engine : "not running");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		pid_t pid = host_node_pid(h, names[i]);

		(void)printf("  %-9s %s", names[i], pid ? "init is process " : "without power");
		(void)(pid ? printf("%d\n", (int)pid) : printf("\n"));
	}
	(void)printf("  socket    %s\n", host_socket(h));
	return EXIT_PASS;
}

static int lab_up(struct lab_args *a)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct err err = { 0 };
	struct lab_opts o = { .id = a->id,
			      .binds = a->binds,
			      .n_binds = a->n_binds,
			      .no_docker = a->no_docker,
			      .progress = progress,
			      .cancel = &interrupted };
	struct host *h;
	int rc;

	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	h = host_lab_up(&o, &err);
	if (!h)
		return fail(&err);
	rc = print_status(h, a->json);
	host_close(h);
	return rc;
}

static int lab_status(const struct lab_args *a)
{
	struct err err = { 0 };
	struct host *h = host_lab_attach(a->id, &err);
	int rc;

	if (!h)
		return fail(&err);
	rc = print_status(h, a->json);
	host_close(h);
	return rc;
}

static int lab_down(const struct lab_args *a)
{
	struct err err = { 0 };

	if (host_lab_clean(a->id, &err) < 0)
		return fail(&err);
	return EXIT_PASS;
}

/* In the child: enter, fork once more to be in the pid namespace too, become the command. */
static int shell_child(const struct host *h, const char *node, char *const argv[])
{
	static char *const shell[] = { (char *)(uintptr_t) "/bin/bash", NULL };
	char *const *args = *argv ? argv : shell;
	struct err err = { 0 };
	int status = 0;
	pid_t pid;

	if (host_enter(h, node, &err) < 0)
		return fail(&err);
	pid = fork();
	if (pid == 0) {
		(void)execvp(args[0], args);
		log_error("%s: %s", args[0], strerror(errno));
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int lab_shell(const struct lab_args *a, char *const rest[])
{
	struct err err = { 0 };
	struct host *h = host_lab_attach(a->id, &err);
	int rc;

	if (!h)
		return fail(&err);
	rc = shell_child(h, *rest ? *rest : "host", *rest ? rest + 1 : rest);
	host_close(h);
	return rc;
}

static int run(int argc, char **argv)
{
	struct lab_args a;
	struct err err = { 0 };

	if (argc < 2) {
		(void)fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (parse(argc - 1, argv + 1, &a, &err) < 0)
		return fail(&err);
	char **rest = argv + 1 + optind;

	if (strcmp(argv[1], "shell") == 0)
		return lab_shell(&a, rest);
	if (*rest)
		(void)err_set(&err, EXIT_USAGE, "lab %s: `%s` is too much", argv[1], *rest);
	else if (strcmp(argv[1], "up") == 0)
		return lab_up(&a);
	else if (strcmp(argv[1], "down") == 0)
		return lab_down(&a);
	else if (strcmp(argv[1], "status") == 0)
		return lab_status(&a);
	else
		(void)err_set(&err, EXIT_USAGE, "lab: `%s` is none of up, down, status, shell",
			      argv[1]);
	return fail(&err);
}

const struct command cmd_lab = {
	.name = "lab",
	.summary = "bring the closed lab up or down, look into it",
	.usage = usage,
	.run = run,
};
