// SPDX-License-Identifier: MIT
/* The parts of host/ that need neither root nor a lab. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "host/host.h"
#include "host/host_internal.h"

static void test_ids(void **state)
{
	static const char *const good[] = { "a", "0", "lab", "abcdefghijk9" };
	static const char *const bad[] = { "",	   "abcdefghijklm", "A",   "a-b",
					   "../x", "a/b",	    "a b", "\n" };
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(lab_id_check(good[i], &err), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(lab_id_check(bad[i], &err), -1);
		assert_int_equal(err.status, EXIT_USAGE);
		assert_null(host_lab_attach(bad[i], &err));
	}
	assert_null(host_lab_attach("nosuchlab", &err));
	assert_int_equal(err.status, EXIT_ENVIRONMENT);
	assert_false(host_lab_in_use("nosuchlab"));
}

static int bound(int type, unsigned *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, type, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static void test_listens(void **state)
{
	unsigned tcp_port, udp_port;
	int tcp = bound(SOCK_STREAM, &tcp_port), udp = bound(SOCK_DGRAM, &udp_port);

	(void)state;
	assert_false(lab_net_listens(getpid(), "tcp", tcp_port)); /* bound is not listening */
	assert_int_equal(listen(tcp, 1), 0);
	assert_true(lab_net_listens(getpid(), "tcp", tcp_port));
	assert_true(lab_net_listens(getpid(), "udp", udp_port));
	(void)close(tcp);
	(void)close(udp);
	assert_false(lab_net_listens(getpid(), "tcp", tcp_port));
	assert_false(lab_net_listens(getpid(), "udp", udp_port));
}

/* The file is there before anybody listens, and after. */
static void test_accepts(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "/tmp/leakproof-test-%d.sock", getpid());
	assert_false(lab_net_accepts(a.sun_path));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_false(lab_net_accepts(a.sun_path));
	assert_int_equal(listen(fd, 1), 0);
	assert_true(lab_net_accepts(a.sun_path));
	(void)close(fd);
	assert_false(lab_net_accepts(a.sun_path));
	(void)unlink(a.sun_path);
}

static char *scratch(void)
{
	char *dir = str_fmt("/tmp/leakproof-test-XXXXXX");

	assert_non_null(mkdtemp(dir));
	return dir;
}

static void write_in(const char *dir, const char *name, const char *text)
{
	_cleanup_free_ char *path = str_fmt("%s/%s", dir, name);
	_cleanup_free_ char *parent = str_fmt("%s", path);

	*strrchr(parent, '/') = '\0';
	assert_int_equal(fs_mkdir_p(parent, 0755, NULL), 0);
	assert_int_equal(fs_write(path, text, strlen(text), 0640, NULL), 0);
}

static struct stat stat_in(const char *dir, const char *name)
{
	_cleanup_free_ char *path = str_fmt("%s/%s", dir, name);
	struct stat st = { 0 };

	assert_int_equal(lstat(path, &st), 0);
	return st;
}

static void test_last_line(void **state)
{
	_cleanup_free_ char *dir = scratch();
	_cleanup_free_ char *log = str_fmt("%s/log", dir);
	_cleanup_free_ char *none = lab_last_line(log);
	_cleanup_free_ char *last = NULL;

	(void)state;
	assert_string_equal(none, "");
	write_in(dir, "log", "first\nthe reason\n\n");
	last = lab_last_line(log);
	assert_string_equal(last, "the reason");
	assert_int_equal(fs_remove_tree(dir, NULL), 0);
}

/* A device, a FIFO or a symlink of the operator stays what it is. */
static void test_what_is_no_file_is_written_into(void **state)
{
	_cleanup_free_ char *dir = scratch();
	_cleanup_free_ char *fifo = str_fmt("%s/fifo", dir), *link = str_fmt("%s/link", dir);
	_cleanup_free_ char *target = str_fmt("%s/target", dir), *got = NULL, *again = NULL;
	struct err err = { 0 };
	char text[16] = "";
	int reader;

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	reader = open(fifo, O_RDWR | O_CLOEXEC);
	assert_int_equal(fs_write(fifo, "fifo", 4, 0644, &err), 0);
	assert_int_equal(read(reader, text, sizeof(text)), 4);
	(void)close(reader);
	assert_true(S_ISFIFO(stat_in(dir, "fifo").st_mode));
	assert_string_equal(text, "fifo");

	assert_int_equal(symlink("target", link), 0);
	assert_int_equal(fs_write(link, "the longer text", 15, 0640, &err), 0);
	got = fs_read(target, 100, NULL, &err);
	assert_string_equal(got, "the longer text");
	assert_int_equal(fs_write(link, "short", 5, 0640, &err), 0);
	again = fs_read(target, 100, NULL, &err);
	assert_string_equal(again, "short");
	assert_true(S_ISLNK(stat_in(dir, "link").st_mode));
	assert_int_equal(stat_in(dir, "target").st_mode & 07137, 0);

	assert_int_equal(fs_write(dir, "x", 1, 0644, &err), -1);
	assert_non_null(strstr(err.text, dir));
	assert_non_null(strstr(err.text, "Is a directory"));
	assert_int_equal(fs_remove_tree(dir, NULL), 0);
}

/* The numbers are those of null and full (Documentation/admin-guide/devices.txt); the nodes are the test's own. */
static void test_devices_are_written_into(void **state)
{
	_cleanup_free_ char *dir = scratch();
	_cleanup_free_ char *null = str_fmt("%s/null", dir), *full = str_fmt("%s/full", dir);
	struct err err = { 0 };
	int probe;

	(void)state;
	if (mknod(null, S_IFCHR | 0600, makedev(1, 3)) < 0 ||
	    mknod(full, S_IFCHR | 0600, makedev(1, 7)) < 0 ||
	    (probe = open(null, O_WRONLY | O_CLOEXEC)) < 0) {
		assert_int_equal(fs_remove_tree(dir, NULL), 0);
		skip();
		return;
	}
	(void)close(probe);
	assert_int_equal(fs_write(null, "x", 1, 0644, &err), 0);
	assert_true(S_ISCHR(stat_in(dir, "null").st_mode));
	assert_int_equal(fs_write(full, "x", 1, 0644, &err), -1);
	assert_true(S_ISCHR(stat_in(dir, "full").st_mode));
	assert_int_equal(err.status, EXIT_ENVIRONMENT);
	assert_non_null(strstr(err.text, full));
	assert_non_null(strstr(err.text, "No space left"));
	assert_int_equal(fs_remove_tree(dir, NULL), 0);
}

/* The content of layers is shared, everything that an engine writes is copied. */
static void test_graph(void **state)
{
	_cleanup_free_ char *dir = scratch();
	_cleanup_free_ char *from = str_fmt("%s/from", dir), *to = str_fmt("%s/to", dir);
	_cleanup_free_ char *marked = str_fmt("%s/overlay2/abc/diff/usr", from);
	_cleanup_free_ char *link = str_fmt("%s/overlay2/l/X", from);
	_cleanup_free_ char *copy = str_fmt("%s/overlay2/abc/diff/usr", to);
	_cleanup_free_ char *target = str_fmt("%s/overlay2/l/X", to);
	struct err err = { 0 };
	char value[8] = "";
	bool xattrs;

	(void)state;
	write_in(from, "overlay2/abc/diff/usr/bin/x", "content");
	write_in(from, "overlay2/abc/link", "ABC");
	write_in(from, "overlay2/l/unused", "");
	write_in(from, "image/overlay2/repositories.json", "{}");
	assert_int_equal(symlink("../abc/diff", link), 0);
	xattrs = setxattr(marked, "user.lab", "y", 1, 0) == 0; /* not on every file system */
	if (lab_graph_install(from, to, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(stat_in(from, "overlay2/abc/diff/usr/bin/x").st_ino ==
		    stat_in(to, "overlay2/abc/diff/usr/bin/x").st_ino);
	assert_true(stat_in(from, "overlay2/abc/link").st_ino !=
		    stat_in(to, "overlay2/abc/link").st_ino);
	assert_true(stat_in(from, "image/overlay2/repositories.json").st_ino !=
		    stat_in(to, "image/overlay2/repositories.json").st_ino);
	assert_int_equal(stat_in(to, "overlay2/abc/link").st_mode & 07777, 0640);
	assert_int_equal(readlink(target, value, sizeof(value) - 1), sizeof(value) - 1);
	assert_string_equal(value, "../abc/");
	if (xattrs)
		assert_int_equal(getxattr(copy, "user.lab", value, sizeof(value)), 1);
	assert_int_equal(lab_graph_install("/nonexistent/graph", to, &err), -1);
	assert_int_equal(fs_remove_tree(dir, NULL), 0);
}

static void relative(const char *dir, const char *from, const char *to, const char *want)
{
	_cleanup_free_ char *a = str_fmt("%s%s", dir, from);
	_cleanup_free_ char *b = str_fmt("%s%s", dir, to);
	_cleanup_free_ char *got = NULL;

	assert_int_equal(fs_mkdir_p(a, 0755, NULL), 0);
	assert_int_equal(fs_mkdir_p(b, 0755, NULL), 0);
	got = fs_relative(a, b);
	assert_string_equal(got, want);
}

static void test_relative_paths(void **state)
{
	_cleanup_free_ char *dir = scratch();
	_cleanup_free_ char *root = fs_relative("/", "/tmp");
	_cleanup_free_ char *none = fs_relative(dir, "no/such");

	(void)state;
	relative(dir, "/reports/r1", "/captures/r1/s", "../../captures/r1/s");
	relative(dir, "/a", "/a/b/c", "b/c");
	relative(dir, "/a/b/c", "/a", "../../");
	relative(dir, "/a", "/a", ".");
	relative(dir, "/run", "/run-2", "../run-2");
	relative(dir, "/run-2", "/run", "../run");
	assert_string_equal(root, "tmp");
	assert_string_equal(none, "no/such");
	assert_int_equal(fs_remove_tree(dir, NULL), 0);
}

/* An entry of a cache that was used so many days ago. */
static void entry(const char *cache, const char *name, unsigned days)
{
	_cleanup_free_ char *dir = str_fmt("%s/%s", cache, name);
	_cleanup_free_ char *file = str_fmt("%s/content", dir);
	struct timespec used[2] = { { .tv_sec = time(NULL) - (time_t)days * 86400 - 1 } };
	struct err err = { 0 };

	used[1] = used[0];
	assert_int_equal(fs_mkdir_p(dir, 0755, &err), 0);
	assert_int_equal(fs_write(file, "x", 1, 0644, &err), 0);
	assert_int_equal(utimensat(AT_FDCWD, dir, used, 0), 0);
}

static void check_entries(const char *cache, const char *const *names, const char *there)
{
	for (size_t i = 0; names[i]; i++) {
		_cleanup_free_ char *path = str_fmt("%s/%s", cache, names[i]);

		if (fs_exists(path) != (there[i] == 'y'))
			fail_msg("%s: %s", names[i], fs_exists(path) ? "is there" : "is gone");
	}
}

static void open_cache(char cache[])
{
	assert_non_null(mkdtemp(cache));
	setenv("LEAKPROOF_CACHE", cache, 1);
}

static void close_cache(const char *cache)
{
	struct err err = { 0 };

	assert_int_equal(fs_remove_tree(cache, &err), 0);
	unsetenv("LEAKPROOF_CACHE");
}

/* The newest two of a kind stay, and what was used within three days; what is in the making is not touched. */
static void test_cache_trim(void **state)
{
	static const char *const names[] = { "graph-a",	    "graph-b",	 "graph-c",
					     "graph-d",	    "images-a",	 "image-base-a",
					     "tree-a",	    "tree-b",	 "tree-c.building",
					     "tree-d.lock", "something", NULL };
	static const unsigned days[] = { 9, 2, 5, 1, 30, 30, 8, 7, 9, 9, 99 };
	char cache[] = "/tmp/leakproof-cache.XXXXXX";
	struct err err = { 0 };

	(void)state;
	open_cache(cache);
	for (size_t i = 0; names[i]; i++)
		entry(cache, names[i], days[i]);
	assert_int_equal(host_cache_trim(false, &err), 0);
	check_entries(cache, names, "nynyyyyyyyy");
	for (unsigned i = 0; i < 3; i++) {
		_cleanup_free_ char *name = str_fmt("tree-%u", i);

		entry(cache, name, 0);
	}
	host_cache_use("/nonexistent");
	assert_int_equal(host_cache_trim(false, &err), 0);
	check_entries(cache, names, "nynyyynnyyy");
	assert_int_equal(host_cache_trim(true, &err), 0);
	check_entries(cache, names, "nnnnnnnnyyy");
	close_cache(cache);
}

/* What is used is not old. */
static void test_cache_use(void **state)
{
	static const char *const names[] = { "graph-a", "graph-b", "graph-c", NULL };
	char cache[] = "/tmp/leakproof-cache.XXXXXX";
	struct err err = { 0 };

	(void)state;
	open_cache(cache);
	for (size_t i = 0; names[i]; i++)
		entry(cache, names[i], 9 - (unsigned)i);
	free(host_graph_find("a"));
	assert_int_equal(host_cache_trim(false, &err), 0);
	check_entries(cache, names, "yny");
	close_cache(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_cache_trim),
		cmocka_unit_test(test_cache_use),
		cmocka_unit_test(test_listens),
		cmocka_unit_test(test_accepts),
		cmocka_unit_test(test_relative_paths),
		cmocka_unit_test(test_last_line),
		cmocka_unit_test(test_what_is_no_file_is_written_into),
		cmocka_unit_test(test_devices_are_written_into),
		cmocka_unit_test(test_graph),
	};

	return cmocka_run_group_tests_name("host: parts", tests, NULL, NULL);
}
