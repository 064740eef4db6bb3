// SPDX-License-Identifier: MIT
/* A Compose project without a word for us in it, in a lab's engine: who is what, where it is, up, crash and down.
 * Needs root, a tree in the cache and our own images; is skipped without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "host/host.h"
#include "stack/images.h"
#include "stack/stack.h"

#define DIR "/root/project"

/* No label says a role. The two ports of web tell the first from the others. */
static const char project[] = "services:\n"
			      "  tunnel:\n"
			      "    image: ${IMAGE}\n"
			      "    restart: always\n"
			      "    cap_add: [NET_ADMIN]\n"
			      "    devices: [/dev/net/tun]\n"
			      "    environment: {PORT: '8000', HEALTH_PATH: /up}\n"
			      "    ports: ['8000:8000']\n"
			      "    networks: {outside: {ipv4_address: 172.31.0.9}}\n"
			      "  tenant:\n"
			      "    image: ${IMAGE}\n"
			      "    network_mode: service:tunnel\n"
			      "    environment: {PORT: '8001', HEALTH_PATH: /up}\n"
			      "  landlord:\n"
			      "    image: ${IMAGE}\n"
			      "    environment: {PORT: '8000', HEALTH_PATH: /up}\n"
			      "    networks: [outside]\n"
			      "  lodger:\n"
			      "    image: ${IMAGE}\n"
			      "    network_mode: service:landlord\n"
			      "    environment: {PORT: '8001', HEALTH_PATH: /up}\n"
			      "  app:\n"
			      "    image: ${IMAGE}\n"
			      "    environment: {PORT: '8000', HEALTH_PATH: /up}\n"
			      "    networks: [outside, other]\n"
			      "  named:\n"
			      "    image: ${IMAGE}\n"
			      "    labels: {org.leakproof.role: edge}\n"
			      "    environment: {PORT: '8000', HEALTH_PATH: /up}\n"
			      "    networks: [outside]\n"
			      "  web:\n"
			      "    image: ${IMAGE}\n"
			      "    environment: {PORT: '8000', HEALTH_PATH: /up}\n"
			      "    ports: ['8081:8000', '5353:53/udp']\n"
			      "    networks: [outside]\n"
			      "    healthcheck: {test: [CMD, curl, -fsS, "
			      "'http://127.0.0.1:8000/up'], interval: 300ms, retries: 9}\n"
			      "networks:\n"
			      "  outside:\n"
			      "    driver_opts: {com.docker.network.bridge.name: br-outside}\n"
			      "    ipam: {config: [{subnet: 172.31.0.0/24}]}\n"
			      "  other:\n";

static struct host *host;
static char *image; /* "IMAGE=leakproof/service:TAG" */

static bool tree_is_cached(void)
{
	_cleanup_free_ char *pattern = str_fmt("%s/tree-????????????", fs_cache_dir());
	glob_t found = { 0 };
	bool any = glob(pattern, 0, NULL, &found) == 0;

	globfree(&found);
	return any;
}

static void need_lab(void)
{
	if (!host) {
		print_message("needs root and a cached tree (leakproof lab up)\n");
		skip();
	}
}

static void put(const char *name, const char *text)
{
	_cleanup_free_ char *dir = str_fmt("%s" DIR, host_root(host));
	_cleanup_free_ char *path = str_fmt("%s/%s", dir, name);
	struct err err = { 0 };

	if (fs_mkdir_p(dir, 0755, &err) < 0 || fs_write(path, text, strlen(text), 0644, &err) < 0)
		fail_msg("%s", err.text);
}

static struct stack *open_project(const char *file, struct err *err)
{
	const char *files[] = { file, NULL };
	const char *env[] = { image, NULL };
	struct stack_opts o = { .project = "roles", .files = files, .env = env };

	return stack_open(host, &o, err);
}

static const struct stack_service *get(const struct stack *s, const char *name)
{
	const struct stack_service *v = stack_service(s, name);

	if (!v)
		fail_msg("no service %s", name);
	return v;
}

static void check_roles(const struct stack *s)
{
	static const struct {
		const char *name;
		enum stack_role role;
	} want[] = {
		{ "tunnel", STACK_GATEWAY },   { "tenant", STACK_PROTECTED },
		{ "landlord", STACK_GATEWAY }, { "lodger", STACK_PROTECTED },
		{ "app", STACK_PROTECTED },    { "named", STACK_EDGE },
		{ "web", STACK_EDGE },
	};
	size_t n;

	(void)stack_services(s, &n);
	assert_int_equal(n, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < n; i++) {
		if (get(s, want[i].name)->role != want[i].role)
			fail_msg("%s has role %d", want[i].name, (int)get(s, want[i].name)->role);
		assert_true(get(s, want[i].name)->pid > 1);
	}
	assert_null(stack_service(s, "nobody"));
}

static void check_places(const struct stack *s)
{
	const struct stack_service *tunnel = get(s, "tunnel"), *app = get(s, "app");
	const struct stack_service *web = get(s, "web");

	assert_int_equal(tunnel->n_networks, 1);
	assert_string_equal(tunnel->networks[0].name, "roles_outside");
	assert_string_equal(tunnel->networks[0].bridge, "br-outside");
	assert_string_equal(tunnel->networks[0].ip4, "172.31.0.9");
	assert_string_equal(tunnel->networks[0].subnet, "172.31.0.0/24");
	assert_int_equal(strlen(tunnel->networks[0].mac), 17);
	assert_int_equal(get(s, "tenant")->n_networks, 0);
	assert_int_equal(app->n_networks, 2);
	assert_int_equal(strncmp(app->networks[0].bridge, "br-", 3), 0);
	assert_int_equal(web->n_ports >= 2, 1);
	assert_int_equal(web->health, STACK_HEALTHY);
	assert_int_equal(app->health, STACK_NO_HEALTH);
	assert_int_equal(stack_published_port(s, "web"), 8081);
	assert_int_equal(stack_published_port(s, "app"), 0);
	assert_string_equal(stack_bridges(s)[0], "br-outside");
	assert_null(stack_bridges(s)[1]);
	assert_int_equal(strncmp(web->digest, "sha256:", 7), 0);
	assert_non_null(strstr(image, web->image));
}

/* Between two lives a service has no process, afterwards another one and a restart more. */
static void check_crash(struct stack *s)
{
	pid_t before = get(s, "tunnel")->pid;
	int64_t deadline = clock_mono_ns() + 20 * NS_PER_S;
	struct err err = { 0 };

	assert_int_equal(get(s, "tunnel")->restarts, 0);
	assert_true(before > 1);
	assert_int_equal(kill(before, SIGKILL), 0);
	do {
		clock_sleep_ns(20 * NS_PER_MS);
		if (stack_refresh(s, &err) < 0)
			fail_msg("%s", err.text);
		if (clock_mono_ns() > deadline)
			fail_msg("the service does not come back");
	} while (get(s, "tunnel")->pid == 0 || get(s, "tunnel")->pid == before);
	assert_int_equal(get(s, "tunnel")->restarts, 1);
}

static void test_project(void **state)
{
	struct err err = { 0 };
	struct stack *s;
	size_t n;

	(void)state;
	need_lab();
	put("compose.yml", project);
	s = open_project(DIR "/compose.yml", &err);
	if (!s || stack_up(s, true, 60 * NS_PER_S, &err) < 0 || stack_refresh(s, &err) < 0)
		fail_msg("%s", err.text);
	check_roles(s);
	check_places(s);
	check_crash(s);
	assert_int_equal(stack_compose(s, PROC_ARGV("stop", "app"), 30 * NS_PER_S, &err), 0);
	assert_int_equal(stack_refresh(s, &err), 0);
	assert_int_equal(get(s, "app")->pid, 0);
	assert_int_equal(stack_down(s, 60 * NS_PER_S, &err), 0);
	assert_int_equal(stack_refresh(s, &err), 0);
	(void)stack_services(s, &n);
	assert_int_equal(n, 0);
	stack_close(s);
}

static void test_refused(void **state)
{
	struct err err = { 0 };

	(void)state;
	need_lab();
	put("broken.yml", "services:\n  a:\n    imagine: x\n");
	assert_null(open_project(DIR "/broken.yml", &err));
	assert_int_equal(err.status, EXIT_USAGE);
	assert_non_null(strstr(err.text, "imagine"));
	err = (struct err){ 0 };
	assert_null(open_project(DIR "/missing.yml", &err));
	assert_int_equal(err.status, EXIT_USAGE);
}

/* An `up` that fails says which service it is. */
static void test_unhealthy(void **state)
{
	struct err err = { 0 };
	struct stack *s;

	(void)state;
	need_lab();
	put("sick.yml", "services:\n"
			"  fine:\n"
			"    image: ${IMAGE}\n"
			"    environment: {PORT: '8000', HEALTH_PATH: /up}\n"
			"  sick:\n"
			"    image: ${IMAGE}\n"
			"    environment: {PORT: '8000', HEALTH_PATH: /up}\n"
			"    healthcheck: {test: [CMD, 'false'], interval: 200ms, retries: 2}\n");
	s = open_project(DIR "/sick.yml", &err);
	if (!s)
		fail_msg("%s", err.text);
	assert_int_equal(stack_up(s, true, 20 * NS_PER_S, &err), -1);
	assert_non_null(strstr(err.text, "unhealthy: sick"));
	assert_null(strstr(err.text, "fine"));
	assert_int_equal(stack_down(s, 60 * NS_PER_S, &err), 0);
	stack_close(s);
}

static int fail_setup(const struct err *err)
{
	print_error("%s\n", err->text);
	return -1;
}

static int setup(void **state)
{
	_cleanup_free_ char *graph = NULL;
	struct image_opts o = { .docker_socket = "/nonexistent" };
	struct lab_opts lab = { 0 };
	struct err err = { 0 };
	struct image_set *s;

	(void)state;
	if (geteuid() != 0 || !tree_is_cached())
		return 0;
	s = images_resolve(&o, &err);
	graph = s ? images_graph(s, &err) : NULL;
	if (!graph) {
		images_free(s);
		return fail_setup(&err);
	}
	for (size_t i = 0; i < images_count(s) && !image; i++)
		if (strcmp(images_get(s, i)->service, "sonarr") == 0)
			image = str_fmt("IMAGE=%s", images_get(s, i)->reference);
	lab.graph = graph;
	host = host_lab_up(&lab, &err);
	images_free(s);
	return host ? 0 : fail_setup(&err);
}

static int teardown(void **state)
{
	struct err err = { 0 };
	int rc = host ? host_lab_down(host, &err) : 0;

	(void)state;
	free(image);
	return rc < 0 ? fail_setup(&err) : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_project),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_unhealthy),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
