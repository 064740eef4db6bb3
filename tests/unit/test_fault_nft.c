// SPDX-License-Identifier: MIT
/* Dropping: exactly what is meant, counted, and undone by any process from the record on the disk. */
#include "unit/fault_world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static int udp_socket_in(pid_t pid)
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/ns/net", (int)pid);
	_cleanup_close_ int ns = open(path, O_RDONLY | O_CLOEXEC);

	/* A socket stays in the namespace that it was made in. */
	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		_exit(3);
	return socket(AF_INET, SOCK_DGRAM, 0);
}

/* In a child: bind in one network namespace, send from another; exits with 0 when the datagram came. */
static void send_and_receive(pid_t from, pid_t to, const char *address, uint16_t port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct timeval wait = { .tv_usec = 300000 };
	int in = udp_socket_in(to), out = udp_socket_in(from);
	char byte;

	(void)inet_pton(AF_INET, address, &sa.sin_addr);
	(void)setsockopt(in, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (bind(in, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    sendto(out, "x", 1, 0, (struct sockaddr *)&sa, sizeof(sa)) != 1)
		_exit(2);
	_exit(recv(in, &byte, 1, 0) == 1 ? 0 : 1);
}

/* True when a datagram from one network namespace reaches an address of another. */
static bool reaches(pid_t from, pid_t to, const char *address, uint16_t port)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0)
		send_and_receive(from, to, address, port);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status) == 0;
}

static bool server_reached(uint16_t port)
{
	return reaches(world_node, world_node, "198.51.100.2", port);
}

static void make_server(void)
{
	world_node = world_container(NULL);
	world_run(world_node, PROC_ARGV("ip", "link", "set", "lo", "up"));
	world_run(world_node, PROC_ARGV("ip", "addr", "add", "198.51.100.2/32", "dev", "lo"));
}

static struct fault_active *apply(const struct fault_ctx *c, const struct scenario *s)
{
	struct err err = { 0 };
	struct fault_active *a = fault_apply(c, &s->steps[0].u.fault, &err);

	if (!a)
		fail_msg("%s", err.text);
	return a;
}

static void test_blackhole_takes_the_tuple_and_nothing_else(void **state)
{
	struct fault_ctx c = world_ctx();
	struct scenario *s = world_scenario("vpn.server-blackhole");
	int64_t begin = 0, end = 0;
	struct fault_active *a;
	struct err err = { 0 };

	(void)state;
	make_server();
	assert_true(server_reached(51820));
	a = apply(&c, s);
	assert_int_equal(world_records(), 1);
	assert_int_equal(fault_observe(a, &err), 0); /* loaded is not confirmed */
	assert_false(server_reached(51820));
	assert_true(server_reached(51821));
	assert_int_equal(fault_observe(a, &err), 1);
	assert_true(a->result.confirmed);
	assert_non_null(strstr(a->result.confirmation, "nft counted 1 dropped packets"));
	assert_int_equal(fault_heal(a, &begin, &end, &err), 0);
	assert_true(begin >= a->result.after && end >= begin);
	assert_int_equal(world_records(), 0);
	assert_true(server_reached(51820));
	assert_int_equal(fault_heal(a, NULL, NULL, &err), 0);
	fault_active_free(a);
	scenario_free(s);
}

static void test_unconfirmed_is_said(void **state)
{
	struct fault_ctx c = world_ctx();
	struct scenario *s = world_scenario("dns.outage");
	struct fault_active *a;
	struct err err = { 0 };

	(void)state;
	make_server();
	a = apply(&c, s);
	assert_int_equal(fault_confirm(a, 60 * NS_PER_MS, &err), 0);
	assert_false(a->result.confirmed);
	assert_non_null(strstr(a->result.confirmation, "counted 0"));
	assert_false(server_reached(53));
	assert_int_equal(fault_confirm(a, NS_PER_S, &err), 0);
	assert_true(a->result.confirmed);
	fault_active_free(a); /* heals */
	assert_int_equal(world_records(), 0);
	assert_true(server_reached(53));
	scenario_free(s);
}

static void test_killed_harness_is_cleaned_up_after(void **state)
{
	struct fault_ctx c = world_ctx();
	struct scenario *s = world_scenario("vpn.server-blackhole");
	_cleanup_free_ char *before = NULL, *broken = NULL, *after = NULL;
	struct err err = { 0 };
	pid_t child;

	(void)state;
	make_server();
	world_run(world_node, PROC_ARGV("nft", "add", "table", "inet", "of_another"));
	before = world_output(world_node, PROC_ARGV("nft", "list", "ruleset"));
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)fault_apply(&c, &s->steps[0].u.fault, NULL);
		(void)fault_apply(&c, &s->steps[0].u.fault, NULL);
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	broken = world_output(world_node, PROC_ARGV("nft", "list", "ruleset"));
	assert_string_not_equal(before, broken);
	assert_int_equal(world_records(), 2);
	assert_int_equal(fault_undo_all(world_dir, &err), 0);
	after = world_output(world_node, PROC_ARGV("nft", "list", "ruleset"));
	assert_string_equal(before, after);
	assert_int_equal(world_records(), 0);
	assert_int_equal(fault_undo_all(world_dir, &err), 0);
	scenario_free(s);
}

/* The record is there before the fault: then the table is not, and undoing it all the same is right. */
static void test_undo_before_apply(void **state)
{
	struct fault_ctx c = world_ctx();
	struct scenario *s = world_scenario("vpn.server-blackhole");
	struct fault_active *a;
	struct err err = { 0 };

	(void)state;
	make_server();
	a = apply(&c, s);
	assert_int_equal(a->fault->undo(a->record, &err), 0);
	assert_int_equal(a->fault->undo(a->record, &err), 0);
	assert_int_equal(fault_undo_all(world_dir, &err), 0);
	fault_active_free(a);
	scenario_free(s);
}

static void test_namespace_that_is_gone(void **state)
{
	struct fault_ctx c = world_ctx();
	struct scenario *s = world_scenario("vpn.server-blackhole");
	struct fault_active *a;
	struct err err = { 0 };

	(void)state;
	make_server();
	a = apply(&c, s);
	assert_int_equal(kill(world_node, SIGKILL), 0);
	while (proc_start_time(world_node) != 0)
		clock_sleep_ns(5 * NS_PER_MS);
	world_node = 0;
	assert_int_equal(fault_observe(a, &err), -1);
	assert_int_equal(fault_undo_all(world_dir, &err), 0);
	assert_int_equal(world_records(), 0);
	fault_active_free(a);
	scenario_free(s);
}

static void test_records_that_are_none(void **state)
{
	static const char bad[] =
		"{\"fault\": \"vpn.server-blackhole\", \"label\": \"x\", \"record\": "
		"{\"netns\": {\"pid\": 1, \"start\": 1}, \"family\": \"inet\", "
		"\"table\": \"filter\"}}";
	_cleanup_free_ char *dir = str_fmt("%s/undo", world_dir);
	_cleanup_free_ char *one = str_fmt("%s/000001.json", dir);
	_cleanup_free_ char *two = str_fmt("%s/000002.json", dir);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(fault_undo_all(world_dir, &err), 0);
	assert_int_equal(fs_mkdir_p(dir, 0700, NULL), 0);
	assert_int_equal(fs_write(one, bad, strlen(bad), 0600, NULL), 0);
	assert_int_equal(fs_write(two, "{", 1, 0600, NULL), 0);
	assert_int_equal(fault_undo_all(world_dir, &err), -1);
	assert_non_null(strstr(err.text, "not an undo record"));
	assert_int_equal(unlink(two), 0);
	assert_int_equal(fault_undo_all(world_dir, &err), -1);
	assert_non_null(strstr(err.text, "`filter` is no table of ours"));
	assert_int_equal(world_records(), 1);
}

/* ---- two services on a bridge ---- */

static void join_bridge(pid_t pid, const char *veth, const char *address)
{
	_cleanup_free_ char *number = str_fmt("%d", (int)pid);

	world_run(world_node, PROC_ARGV("ip", "link", "add", veth, "type", "veth", "peer", "name",
					"eth0", "netns", number));
	world_run(world_node, PROC_ARGV("ip", "link", "set", veth, "master", "br0", "up"));
	world_run(pid, PROC_ARGV("ip", "addr", "add", address, "dev", "eth0"));
	world_run(pid, PROC_ARGV("ip", "link", "set", "eth0", "up"));
}

static void test_partition_parts_two_and_no_third(void **state)
{
	struct fault_ctx c = world_ctx();
	struct scenario *s = world_scenario("net.partition\n    between: [sonarr, gluetun]");
	struct fault_active *a;
	struct err err = { 0 };
	pid_t gluetun, sonarr, third;

	(void)state;
	world_node = world_container(NULL);
	gluetun = world_container(NULL);
	sonarr = world_container(NULL);
	third = world_container(NULL);
	world_service(0, "gluetun", gluetun);
	world_service(1, "sonarr", sonarr);
	world_run(world_node, PROC_ARGV("ip", "link", "add", "br0", "up", "type", "bridge"));
	join_bridge(gluetun, "veth1", "172.30.0.3/24");
	join_bridge(sonarr, "veth2", "172.30.0.4/24");
	join_bridge(third, "veth3", "172.30.0.5/24");
	assert_true(reaches(sonarr, gluetun, "172.30.0.3", 7));
	a = apply(&c, s);
	assert_string_equal(a->target, "sonarr <-> gluetun");
	assert_false(reaches(sonarr, gluetun, "172.30.0.3", 7));
	assert_false(reaches(gluetun, sonarr, "172.30.0.4", 7));
	assert_true(reaches(third, gluetun, "172.30.0.3", 7));
	assert_true(reaches(third, sonarr, "172.30.0.4", 7));
	assert_int_equal(fault_observe(a, &err), 1);
	assert_int_equal(fault_heal(a, NULL, NULL, &err), 0);
	assert_true(reaches(sonarr, gluetun, "172.30.0.3", 7));
	fault_active_free(a);
	(void)kill(third, SIGKILL);
	scenario_free(s);
}

static void test_partition_of_strangers(void **state)
{
	struct fault_ctx c = world_ctx();
	struct scenario *s = world_scenario("net.partition\n    between: [sonarr, gluetun]");
	struct err err = { 0 };

	(void)state;
	world_node = world_container(NULL);
	world_service(0, "gluetun", world_container(NULL));
	world_service(1, "sonarr", world_container(NULL));
	assert_null(fault_apply(&c, &s->steps[0].u.fault, &err));
	assert_non_null(strstr(err.text, "share no bridge"));
	assert_int_equal(world_records(), 0);
	scenario_free(s);
}

/* ---- a real host ---- */

static void test_real_host_asks_for_a_flag(void **state)
{
	struct fault_ctx c = world_ctx();
	struct scenario *far = world_scenario("vpn.server-blackhole");
	struct scenario *near = world_scenario("vpn.container-kill");
	struct err err = { 0 };

	(void)state;
	world_is_lab = false;
	assert_true(fault_refused(&c, &far->steps[0].u.fault, &err));
	assert_int_equal(err.status, EXIT_USAGE);
	assert_non_null(strstr(err.text, "--i-mean-it"));
	assert_null(fault_apply(&c, &far->steps[0].u.fault, &err));
	assert_false(fault_refused(&c, &near->steps[0].u.fault, &err));
	c.i_mean_it = true;
	assert_false(fault_refused(&c, &far->steps[0].u.fault, &err));
	scenario_free(far);
	scenario_free(near);
}

static void test_null_fault_breaks_nothing(void **state)
{
	struct fault_ctx c = world_ctx();
	struct scenario *s = world_scenario("null\n    as: nft");
	struct fault_active *a;
	struct err err = { 0 };

	(void)state;
	make_server();
	world_service(0, "gluetun", world_node);
	a = apply(&c, s);
	assert_int_equal(fault_observe(a, &err), 0);
	assert_true(server_reached(51820));
	assert_int_equal(fault_observe(a, &err), 1);
	fault_active_free(a);
	scenario_free(s);
	s = world_scenario("null");
	a = apply(&c, s);
	assert_int_equal(fault_observe(a, &err), 1);
	fault_active_free(a);
	assert_int_equal(world_records(), 0);
	scenario_free(s);
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WORLD_TEST(test_blackhole_takes_the_tuple_and_nothing_else),
		WORLD_TEST(test_unconfirmed_is_said),
		WORLD_TEST(test_killed_harness_is_cleaned_up_after),
		WORLD_TEST(test_undo_before_apply),
		WORLD_TEST(test_namespace_that_is_gone),
		WORLD_TEST(test_records_that_are_none),
		WORLD_TEST(test_partition_parts_two_and_no_third),
		WORLD_TEST(test_partition_of_strangers),
		WORLD_TEST(test_real_host_asks_for_a_flag),
		WORLD_TEST(test_null_fault_breaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
