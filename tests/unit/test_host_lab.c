// SPDX-License-Identifier: MIT
/* The lab with a real Docker Engine in it: engine client, power cut, prepared images. Needs root and a tree in
 * the cache, is skipped without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <glob.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "host/engine_api.h"
#include "host/host.h"

static char lab_id[16];

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
	if (geteuid() != 0 || !tree_is_cached()) {
		print_message("needs root and a cached tree (leakproof lab up)\n");
		skip();
	}
}

static struct host *up(const char *graph)
{
	struct err err = { 0 };
	struct lab_opts o = { .id = lab_id, .graph = graph };
	struct host *h = host_lab_up(&o, &err);

	if (!h)
		fail_msg("%s", err.text);
	return h;
}

/* Control groups of this lab in any hierarchy. */
static size_t cgroups(void)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/*" };
	size_t n = 0;

	for (size_t i = 0; i < 2; i++) {
		_cleanup_free_ char *pattern = str_fmt("%s/leakproof-%s", places[i], lab_id);
		glob_t found = { 0 };

		if (glob(pattern, 0, NULL, &found) == 0)
			n += found.gl_pathc;
		globfree(&found);
	}
	return n;
}

static void down(struct host *h)
{
	_cleanup_free_ char *state = str_fmt("%s", host_state_dir(h));
	struct err err = { 0 };

	if (host_lab_down(h, &err) < 0)
		fail_msg("%s", err.text);
	assert_false(fs_exists(state));
	assert_int_equal(cgroups(), 0);
}

static void sh(struct host *h, const char *script)
{
	struct err err = { 0 };

	if (host_check(h, PROC_ARGV("sh", "-ec", script), NULL, &err) < 0)
		fail_msg("%s", err.text);
}

/* An image of `sleep` and its libraries, from the tree's own files. */
static void import_image(struct host *h)
{
	sh(h, "tar -ch $(ldd /usr/bin/sleep | grep -o '/[^ ]*') /usr/bin/sleep 2>/dev/null |"
	      " docker import - lab-test:1");
}

static ino_t inode(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void test_facts(void **state)
{
	(void)state;
	need_lab();
	struct host *h = up(NULL);
	struct host *again;
	struct err err = { 0 };

	assert_true(host_is_lab(h));
	assert_string_equal(host_uplink(h), "eth0");
	assert_string_equal(host_real_addrs(h)[0], "203.0.113.10");
	assert_string_equal(host_real_addrs(h)[1], "2001:db8:1::10");
	assert_null(host_real_addrs(h)[2]);
	assert_true(host_node_netns_fd(h, "isp") >= 0);
	assert_int_equal(host_node_netns_fd(h, "moon"), -1);
	assert_int_equal(strlen(host_lab_vpn(h)->server_key), 44);
	assert_true(fs_exists(host_lab_torrent(h)->file));
	again = host_lab_attach(lab_id, &err);
	assert_non_null(again);
	assert_int_equal(host_init_pid(again), host_init_pid(h));
	assert_string_equal(host_lab_vpn(again)->server_key, host_lab_vpn(h)->server_key);
	host_close(again);
	assert_null(host_lab_up(&(struct lab_opts){ .id = lab_id }, &err));
	assert_non_null(strstr(err.text, "already"));
	assert_true(fs_exists(host_socket(h)));
	/* As the engine leaves a fresh machine, whatever this one has. */
	sh(h, "iptables -S FORWARD | grep -qxe '-P FORWARD DROP'");
	sh(h, "[ $(cat /proc/sys/net/ipv4/ip_forward) = 1 ]");
	down(h);
	assert_null(host_lab_attach(lab_id, &err));
}

static void test_run(void **state)
{
	(void)state;
	need_lab();
	struct host *h = up(NULL);
	_cleanup_proc_ struct proc_result r = { 0 };
	_cleanup_proc_ struct proc_result cut = { 0 };
	struct err err = { 0 };
	const char *const env[] = { "LAB_TEST=42", NULL };
	const struct proc_opts o = { .env = env, .cwd = "/tmp", .input = "in" };
	const struct proc_opts brief = { .timeout_ns = NS_PER_S / 2 };

	(void)setenv("DOCKER_HOST", "tcp://203.0.113.99:1", 1);
	assert_int_equal(
		host_run(h,
			 PROC_ARGV("sh", "-c",
				   "pwd; hostname; echo $LAB_TEST$DOCKER_HOST; cat; exit 7"),
			 &o, &r, &err),
		0);
	(void)unsetenv("DOCKER_HOST");
	assert_int_equal(r.status, 7);
	assert_string_equal(r.out, "/tmp\nhost\n42\nin");
	/* A time-out ends the command inside too. */
	assert_int_equal(host_run(h, PROC_ARGV("sleep", "98765"), &brief, &cut, &err), -1);
	assert_non_null(strstr(err.text, "no end within 0.5 s"));
	sh(h, "! pgrep -x sleep");
	down(h);
}

static void test_engine(void **state)
{
	(void)state;
	need_lab();
	struct host *h = up(NULL);
	struct err err = { 0 };
	_cleanup_json_ json_t *none = NULL, *made = NULL;
	_cleanup_json_ json_t *body = NULL;
	_cleanup_free_ char *cmdline = NULL, *path = NULL;
	long status = 0;
	pid_t pid;

	import_image(h);
	none = engine_find(h, "/containers/nobody/json", &err);
	assert_null(none);
	assert_int_equal(err.status, 0);
	assert_null(engine_get(h, "/containers/nobody/json", &err));
	assert_non_null(strstr(err.text, "No such container"));
	assert_int_equal(engine_container_pid(h, "nobody", &err), -1);
	body = json_pack("{s:s,s:[s,s],s:{s:s}}", "Image", "lab-test:1", "Cmd", "/usr/bin/sleep",
			 "54321", "HostConfig", "NetworkMode", "none");
	made = engine_post(h, "/containers/create?name=probe", body, &status, &err);
	assert_non_null(made);
	assert_int_equal(status, 201);
	assert_int_equal(engine_container_pid(h, "probe", &err), -1);
	assert_non_null(strstr(err.text, "does not run"));
	json_decref(engine_post(h, "/containers/probe/start", NULL, &status, &err));
	assert_int_equal(status, 204);
	pid = engine_container_pid(h, "probe", &err);
	assert_true(pid > 1);
	path = str_fmt("/proc/%d/cmdline", (int)pid);
	cmdline = fs_read(path, 4096, NULL, NULL);
	assert_string_equal(cmdline, "/usr/bin/sleep");
	assert_string_equal(cmdline + strlen(cmdline) + 1, "54321");
	assert_true(cgroups() > 0);
	/* Under chroot instead of pivot_root a command of `docker exec` landed outside of the container. */
	sh(h, "docker exec -d probe /usr/bin/sleep 777; sleep 0.3;"
	      " a=$(pgrep -fx '/usr/bin/sleep 54321') b=$(pgrep -fx '/usr/bin/sleep 777');"
	      " for n in mnt pid net ipc uts; do"
	      "   [ $(readlink /proc/$a/ns/$n) = $(readlink /proc/$b/ns/$n) ]; done;"
	      " [ $(stat -L -c %d:%i /proc/$a/root/.) = $(stat -L -c %d:%i /proc/$b/root/.) ];"
	      " [ $(readlink /proc/$b/ns/mnt) != $(readlink /proc/1/ns/mnt) ]");
	assert_int_equal(engine_delete(h, "/containers/probe?force=1", &status, &err), 0);
	down(h);
}

static bool is_running(struct host *h, const char *path)
{
	_cleanup_json_ json_t *c = engine_get(h, path, NULL);

	return json_is_true(json_object_get(json_object_get(c, "State"), "Running"));
}

static void test_power_cut(void **state)
{
	(void)state;
	need_lab();
	struct host *h = up(NULL);
	struct err err = { 0 };
	ino_t before = inode(host_netns_fd(h));
	int64_t deadline;

	import_image(h);
	sh(h, "docker run -d --name back --restart unless-stopped lab-test:1 /usr/bin/sleep 12345");
	sh(h, "ip link add stale type bridge");
	if (host_power_cut(h, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(host_init_pid(h), 0);
	assert_false(fs_exists(host_socket(h)));
	assert_int_equal(host_check(h, PROC_ARGV("true"), NULL, &err), -1);
	assert_int_equal(host_power_cut(h, &err), -1);
	if (host_boot(h, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(inode(host_netns_fd(h)) != before);
	sh(h, "! ip link show stale 2>/dev/null");
	deadline = clock_mono_ns() + 20 * NS_PER_S;
	while (!is_running(h, "/containers/back/json") && clock_mono_ns() < deadline)
		clock_sleep_ns(50 * NS_PER_MS);
	assert_true(is_running(h, "/containers/back/json"));
	sh(h, "curl -sf --max-time 5 http://198.51.100.131/ | grep -qx 203.0.113.10");
	down(h);
}

static void test_graph(void **state)
{
	(void)state;
	need_lab();
	struct host *h = up(NULL);
	struct err err = { 0 };
	_cleanup_free_ char *graph = NULL;

	import_image(h);
	if (host_graph_capture(h, lab_id, &err) < 0)
		fail_msg("%s", err.text);
	down(h);
	graph = host_graph_find(lab_id);
	assert_non_null(graph);
	h = up(graph);
	sh(h, "docker run --rm lab-test:1 /usr/bin/sleep 0");
	/* What a container writes stays out of the graph that other labs get. */
	sh(h, "docker run --name writer lab-test:1 /usr/bin/sleep 0; echo x >/tmp/new;"
	      " docker cp /tmp/new writer:/usr/bin/sleep");
	down(h);
	h = up(graph);
	sh(h, "docker run --rm lab-test:1 /usr/bin/sleep 0");
	down(h);
	assert_int_equal(fs_remove_tree(graph, &err), 0);
}

/* A tree of a failed test must not outlive the program. */
static int clean_up(void **state)
{
	(void)state;
	return geteuid() == 0 ? host_lab_clean(lab_id, NULL) : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_facts, clean_up),
		cmocka_unit_test_teardown(test_run, clean_up),
		cmocka_unit_test_teardown(test_engine, clean_up),
		cmocka_unit_test_teardown(test_power_cut, clean_up),
		cmocka_unit_test_teardown(test_graph, clean_up),
	};

	(void)snprintf(lab_id, sizeof(lab_id), "t%d", (int)getpid());
	return cmocka_run_group_tests_name("host: the lab", tests, NULL, NULL);
}
