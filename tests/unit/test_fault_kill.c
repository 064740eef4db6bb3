// SPDX-License-Identifier: MIT
/* Killing: exactly the process that is meant, seen to be gone, and never a pid that is not one. */
#include "unit/fault_world.h"

static void test_tunnel_process_dies_alone(void **state)
{
	struct fault_ctx c = world_ctx();
	struct scenario *s = world_scenario("vpn.process-kill");
	struct fault_active *a;
	struct err err = { 0 };

	(void)state;
	world_service(0, "gluetun", world_container("wireguard-go"));
	a = fault_apply(&c, &s->steps[0].u.fault, &err);
	if (!a)
		fail_msg("%s", err.text);
	assert_int_equal(fault_confirm(a, 2 * NS_PER_S, &err), 0);
	assert_true(a->result.confirmed);
	assert_true(a->result.before > 0 && a->result.after >= a->result.before);
	assert_true(a->result.confirmed_at >= a->result.after);
	assert_non_null(strstr(a->result.confirmation, "(wireguard-go) has ended"));
	assert_string_equal(a->target, "gluetun (wireguard-go)");
	assert_int_equal(kill(world_services[0].pid, 0), 0);
	assert_int_equal(world_records(), 0);
	assert_int_equal(fault_heal(a, NULL, NULL, &err), 0);
	fault_active_free(a);
	scenario_free(s);
}

static void in_netns(pid_t pid, const char *const argv[])
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/ns/net", (int)pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	const struct proc_opts o = { .netns_fd = fd };
	struct err err = { 0 };

	assert_true(fd >= 0);
	if (proc_check(argv, &o, &err) < 0)
		fail_msg("%s", err.text);
}

/* The official image: userspace WireGuard inside gluetun, which is the first process and goes on. */
static void test_tunnel_inside_the_gateway(void **state)
{
	struct fault_ctx c = world_ctx();
	struct scenario *s = world_scenario("vpn.process-kill");
	struct fault_active *a;
	struct err err = { 0 };
	pid_t pid;

	(void)state;
	if (access("/dev/net/tun", R_OK | W_OK) < 0)
		skip();
	world_service(0, "gluetun", world_container("gluetun-entrypoint"));
	pid = world_services[0].pid;
	in_netns(pid, PROC_ARGV("ip", "tuntap", "add", "dev", "tun0", "mode", "tun"));
	in_netns(pid, PROC_ARGV("ip", "link", "add", "br0", "type", "bridge"));
	a = fault_apply(&c, &s->steps[0].u.fault, &err);
	if (!a)
		fail_msg("%s", err.text);
	assert_non_null(strstr(a->target, "gluetun (tun0: its tunnel is no process of its own"));
	/* A new one of the same name is not the old one. */
	in_netns(pid, PROC_ARGV("ip", "tuntap", "add", "dev", "tun0", "mode", "tun"));
	assert_int_equal(fault_confirm(a, 2 * NS_PER_S, &err), 0);
	assert_true(a->result.confirmed);
	assert_non_null(strstr(a->result.confirmation, "device tun0 is gone"));
	assert_int_equal(kill(pid, 0), 0);
	in_netns(pid, PROC_ARGV("ip", "link", "show", "dev", "br0"));
	assert_int_equal(world_records(), 0);
	fault_active_free(a);
	scenario_free(s);
}

static void test_no_tunnel(void **state)
{
	struct fault_ctx c = world_ctx();
	struct scenario *s = world_scenario("vpn.process-kill");
	struct err err = { 0 };

	(void)state;
	world_service(0, "gluetun", world_container("gluetun-entrypoint"));
	assert_null(fault_apply(&c, &s->steps[0].u.fault, &err));
	assert_non_null(strstr(err.text, "gluetun has neither a tunnel process"));
	assert_int_equal(kill(world_services[0].pid, 0), 0);
	scenario_free(s);
}

static void test_container_crash_ends_all_of_it(void **state)
{
	struct fault_ctx c = world_ctx();
	struct scenario *s = world_scenario("container.crash\n    service: sonarr");
	struct fault_active *a;
	struct err err = { 0 };

	(void)state;
	world_service(0, "gluetun", world_container(NULL));
	world_service(1, "sonarr", world_container("app"));
	a = fault_apply(&c, &s->steps[0].u.fault, &err);
	assert_non_null(a);
	assert_int_equal(fault_confirm(a, 2 * NS_PER_S, &err), 0);
	assert_true(a->result.confirmed);
	assert_string_equal(a->target, "sonarr");
	assert_int_equal(kill(world_services[0].pid, 0), 0);
	world_services[1].pid = 0;
	fault_active_free(a);
	scenario_free(s);
}

/* Between two lives a container's pid is 0, and kill(0) would end this test. */
static void test_pids_that_are_no_target(void **state)
{
	static const pid_t bad[] = { 0, 1, -1 };
	struct fault_ctx c = world_ctx();
	struct scenario *s = world_scenario("vpn.container-kill");
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		world_service(0, "gluetun", bad[i]);
		assert_null(fault_apply(&c, &s->steps[0].u.fault, &err));
		assert_non_null(strstr(err.text, "does not run"));
	}
	world_service(0, "other", 0);
	assert_null(fault_apply(&c, &s->steps[0].u.fault, &err));
	assert_non_null(strstr(err.text, "the stack has no gateway"));
	scenario_free(s);
	s = world_scenario("container.crash\n    service: sonar");
	assert_null(fault_apply(&c, &s->steps[0].u.fault, &err));
	assert_non_null(strstr(err.text, "no service `sonar`"));
	scenario_free(s);
}

/* The names that are looked for exist outside the container too, and are none of its. */
static void test_processes_of_others_are_left_alone(void **state)
{
	struct fault_ctx c = world_ctx();
	struct scenario *s = world_scenario("vpn.process-kill");
	pid_t other = world_container("openvpn");
	struct err err = { 0 };

	(void)state;
	world_service(0, "gluetun", world_container("nothing"));
	world_service(1, "neighbour", other);
	assert_null(fault_apply(&c, &s->steps[0].u.fault, &err));
	assert_int_equal(kill(other, 0), 0);
	scenario_free(s);
}

static void test_table_of_kinds(void **state)
{
	(void)state;
	for (const struct fault *const *f = fault_all(); *f; f++) {
		assert_ptr_equal(fault_find((*f)->kind.name), *f);
		assert_non_null((*f)->prepare);
		assert_non_null((*f)->apply);
		assert_non_null((*f)->confirm);
		assert_true((*f)->kind.instant == !(*f)->undo);
		assert_non_null((*f)->kind.help);
		assert_non_null((*f)->heals);
	}
	assert_null(fault_find("no.such"));
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WORLD_TEST(test_tunnel_process_dies_alone),
		WORLD_TEST(test_tunnel_inside_the_gateway),
		WORLD_TEST(test_no_tunnel),
		WORLD_TEST(test_container_crash_ends_all_of_it),
		WORLD_TEST(test_pids_that_are_no_target),
		WORLD_TEST(test_processes_of_others_are_left_alone),
		WORLD_TEST(test_table_of_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
