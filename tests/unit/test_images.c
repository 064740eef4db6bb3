// SPDX-License-Identifier: MIT
/* The choice of images: archives read and written, sources in their order, refusals of what is no image. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/proc.h"
#include "stack/archive.h"
#include "stack/images.h"
#include "stack/images_docker.h"

#define PLAIN_CONFIG   "{\"config\":{\"Env\":[]}}"
#define STANDIN_CONFIG "{\"config\":{\"Labels\":{\"org.leakproof.standin\":\"true\"}}}"

static char dir[] = "/tmp/leakproof-images-XXXXXX";
static char *own; /* an archive as stack/images/build.sh makes it */

static char *at(const char *name)
{
	return str_fmt("%s/%s", dir, name);
}

static void put(const char *name, const char *text)
{
	_cleanup_free_ char *path = at(name);
	struct err err = { 0 };

	assert_int_equal(fs_write(path, text, strlen(text), 0644, &err), 0);
}

/* tar of files of the directory, with further options first; returns its path. */
static char *tar(const char *archive, const char *options, const char *files)
{
	_cleanup_free_ char *line = str_fmt("cd %s && tar %s -cf %s %s", dir, options, archive,
					    files);
	struct err err = { 0 };

	assert_int_equal(proc_check(PROC_ARGV("sh", "-c", line), NULL, &err), 0);
	return at(archive);
}

static char *image_tar(const char *archive, const char *tag, const char *config)
{
	_cleanup_free_ char *manifest = str_fmt(
		"[{\"Config\":\"c.json\",\"RepoTags\":[\"%s\"],\"Layers\":[\"l.tar\"]}]", tag);

	put("manifest.json", manifest);
	put("c.json", config);
	put("l.tar", "a layer");
	return tar(archive, "", "c.json l.tar manifest.json");
}

/* The same where nobody asks for its path. */
static void put_image(const char *archive, const char *tag, const char *config)
{
	_cleanup_free_ char *path = image_tar(archive, tag, config);

	assert_non_null(path);
}

static void digest_of(const char *text, char out[80])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	int n = snprintf(out, 80, "sha256:");

	assert_int_equal(EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL), 1);
	for (int i = 0; i < 32; i++)
		(void)snprintf(out + n + 2 * i, 3, "%02x", digest[i]);
}

static void test_repository(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "qmcgaw/gluetun:v3", "qmcgaw/gluetun", true },
		{ "registry.example:5000/qmcgaw/gluetun:v3.41.1", "qmcgaw/gluetun:v3", true },
		{ "localhost/qmcgaw/gluetun", "qmcgaw/gluetun:v3", true },
		{ "registry.example/library/nginx:1.28-alpine", "nginx:1.27", true },
		{ "nginx@sha256:0011", "nginx:1.28-alpine", true },
		{ "nginx:1@sha256:0011", "nginx", true },
		{ "other/gluetun:v3", "qmcgaw/gluetun:v3", false },
		{ "gluetun:v3", "qmcgaw/gluetun:v3", false },
		{ "qmcgaw/gluetun-extra:v3", "qmcgaw/gluetun:v3", false },
		{ "my/nginx", "nginx", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (images_same_repository(cases[i].a, cases[i].b) != cases[i].same)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
}

static void check_archive(const char *path, const char *config, bool standin)
{
	struct err err = { 0 };
	struct archive a;
	char want[80];

	assert_int_equal(archive_open(&a, path, &err), 0);
	digest_of(config, want);
	assert_int_equal(a.n, 1);
	assert_string_equal(a.images[0].digest, want);
	assert_int_equal(a.images[0].standin, standin);
	assert_string_equal(archive_tag(&a, 0, 0), "qmcgaw/gluetun:v3");
	assert_null(archive_tag(&a, 0, 1));
	archive_close(&a);
}

static void test_archive_forms(void **state)
{
	_cleanup_free_ char *plain = image_tar("a.tar", "qmcgaw/gluetun:v3", PLAIN_CONFIG);
	_cleanup_free_ char *gz = tar("a.tar.gz", "-z", "c.json l.tar manifest.json");
	_cleanup_free_ char *dotted = tar("b.tar", "", "./c.json ./l.tar ./manifest.json");
	_cleanup_free_ char *pax = tar("p.tar", "--format=posix", "c.json l.tar manifest.json");
	_cleanup_free_ char *v7 = tar("v7.tar", "--format=v7", "manifest.json l.tar c.json");
	_cleanup_free_ char *marked = NULL;

	(void)state;
	check_archive(plain, PLAIN_CONFIG, false);
	check_archive(gz, PLAIN_CONFIG, false);
	check_archive(dotted, PLAIN_CONFIG, false);
	check_archive(pax, PLAIN_CONFIG, false);
	check_archive(v7, PLAIN_CONFIG, false);
	marked = image_tar("s.tar", "qmcgaw/gluetun:v3", STANDIN_CONFIG);
	check_archive(marked, STANDIN_CONFIG, true);
}

/* A long name in front of what is looked for, and an entry of its own kind (a link). */
static void test_archive_odd_entries(void **state)
{
	_cleanup_free_ char *first = image_tar("x.tar", "qmcgaw/gluetun:v3", PLAIN_CONFIG);
	_cleanup_free_ char *line = str_fmt("cd %s && n=$(printf '%%0200d' 7) && echo x > $n && "
					    "ln -sf c.json link && tar -cf odd.tar $n link c.json "
					    "l.tar manifest.json",
					    dir);
	_cleanup_free_ char *odd = at("odd.tar");
	struct err err = { 0 };

	(void)state;
	assert_non_null(first);
	assert_int_equal(proc_check(PROC_ARGV("sh", "-c", line), NULL, &err), 0);
	check_archive(odd, PLAIN_CONFIG, false);
}

static void refuse(const char *path, const char *word)
{
	struct err err = { 0 };
	struct archive a;

	assert_int_equal(archive_open(&a, path, &err), -1);
	if (err.status != EXIT_USAGE || !strstr(err.text, word))
		fail_msg("%s: status %d, \"%s\" has no \"%s\"", path, err.status, err.text, word);
}

static void test_archive_refused(void **state)
{
	char words[2048] = ""; /* longer than a block */
	_cleanup_free_ char *good = image_tar("g.tar", "qmcgaw/gluetun:v3", PLAIN_CONFIG);
	_cleanup_free_ char *bare = tar("bare.tar", "", "c.json");
	_cleanup_free_ char *headless = tar("headless.tar", "", "manifest.json l.tar");
	_cleanup_free_ char *odd = NULL;
	_cleanup_free_ char *none = NULL;
	_cleanup_free_ char *text = at("text.tar");
	_cleanup_free_ char *empty = at("empty.tar");
	_cleanup_free_ char *cut = at("cut.tar");
	_cleanup_free_ char *line = str_fmt("head -c 700 %s > %s", good, cut);
	struct err err = { 0 };

	(void)state;
	memset(words, 'w', sizeof(words) - 1);
	put("text.tar", words);
	put("empty.tar", "");
	refuse(bare, "no manifest.json");
	refuse(headless, "no configuration");
	refuse(text, "no tar");
	refuse(empty, "no manifest.json");
	assert_int_equal(proc_check(PROC_ARGV("sh", "-c", line), NULL, &err), 0);
	refuse(cut, "too early");
	put("manifest.json", "[]");
	none = tar("none.tar", "", "manifest.json");
	refuse(none, "no list of images");
	put("manifest.json", "{\"Config\":");
	odd = tar("odd-json.tar", "", "manifest.json");
	refuse(odd, "no list of images");
}

/* What `docker save` writes since 25.0: an OCI layout in which the manifest.json of old points into it. */
static void test_archive_oci_layout(void **state)
{
	_cleanup_free_ char *line = str_fmt("cd %s && mkdir -p blobs/sha256", dir);
	_cleanup_free_ char *both = NULL;
	_cleanup_free_ char *gz = NULL;
	_cleanup_free_ char *pure = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(proc_check(PROC_ARGV("sh", "-c", line), NULL, &err), 0);
	put("blobs/sha256/00c0", PLAIN_CONFIG);
	put("blobs/sha256/00a0", "a layer");
	put("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	put("index.json", "{\"schemaVersion\":2,\"manifests\":[]}");
	put("manifest.json",
	    "[{\"Config\":\"blobs/sha256/00c0\",\"RepoTags\":[\"qmcgaw/gluetun:v3\"],"
	    "\"Layers\":[\"blobs/sha256/00a0\"],\"LayerSources\":{}}]");
	both = tar("oci.tar", "", "blobs index.json manifest.json oci-layout");
	gz = tar("oci.tgz", "-z", "blobs index.json manifest.json oci-layout");
	check_archive(both, PLAIN_CONFIG, false);
	check_archive(gz, PLAIN_CONFIG, false);
	pure = tar("pure.tar", "", "blobs index.json oci-layout");
	refuse(pure, "skopeo copy oci-archive:");
}

static void test_archive_split(void **state)
{
	_cleanup_free_ char *out = at("split.tar");
	_cleanup_free_ char *list = str_fmt("tar tf %s | tr '\\n' ' '", out);
	_cleanup_free_ char *layer = str_fmt("tar xOf %s base.tar", out);
	_cleanup_proc_ struct proc_result names = { 0 }, content = { 0 };
	struct err err = { 0 };
	struct archive a, b;

	(void)state;
	assert_int_equal(archive_open(&a, own, &err), 0);
	assert_int_equal(a.n, 4);
	assert_int_equal(archive_split(&a, 1, out, &err), 0);
	assert_int_equal(archive_open(&b, out, &err), 0);
	assert_int_equal(b.n, 1);
	assert_string_equal(b.images[0].digest, a.images[1].digest);
	assert_string_equal(archive_tag(&b, 0, 1), archive_tag(&a, 1, 1));
	assert_int_equal(proc_run(PROC_ARGV("sh", "-c", list), NULL, &names, &err), 0);
	assert_string_equal(names.out, "manifest.json base.tar service.json service.tar ");
	assert_int_equal(proc_run(PROC_ARGV("sh", "-c", layer), NULL, &content, &err), 0);
	assert_string_equal(content.out, "the base layer");
	archive_close(&a);
	archive_close(&b);
}

/* ---- sources ---- */

/* A home whose build.sh only says where the archive is. */
static char *fake_home(void)
{
	_cleanup_free_ char *home = at("home");
	_cleanup_free_ char *images = at("home/stack/images");
	_cleanup_free_ char *text = str_fmt("echo a line before\necho %s\n", own);
	struct err err = { 0 };

	assert_int_equal(fs_mkdir_p(images, 0755, &err), 0);
	put("home/stack/images/build.sh", text);
	return take_ptr(home);
}

static const struct image_choice *choice(const struct image_set *s, const char *service)
{
	for (size_t i = 0; i < images_count(s); i++)
		if (strcmp(images_get(s, i)->service, service) == 0)
			return images_get(s, i);
	fail_msg("no row for %s", service);
	return NULL;
}

static void test_own(void **state)
{
	_cleanup_free_ char *home = fake_home();
	struct image_opts o = { .home = home, .docker_socket = "/nonexistent" };
	struct err err = { 0 };
	struct image_set *s = images_resolve(&o, &err);

	(void)state;
	assert_non_null(s);
	assert_string_equal(choice(s, "gluetun")->reference, "leakproof/gateway:t-gateway");
	assert_true(choice(s, "gluetun")->standin);
	assert_string_equal(choice(s, "gluetun")->source, "built here");
	assert_string_equal(choice(s, "gluetun")->variable, "GLUETUN_IMAGE");
	assert_string_equal(choice(s, "sonarr")->reference, "leakproof/service:t-service");
	assert_true(choice(s, "plex")->standin);
	assert_false(choice(s, "qbittorrent")->standin);
	assert_string_equal(choice(s, "gluetun")->kind, "stand-in");
	assert_string_equal(choice(s, "qbittorrent")->kind, "Debian's");
	assert_false(choice(s, "webui")->standin);
	images_free(s);
}

/* The reference that the table has for the gateway. */
static const char *choice_official(void)
{
	static char text[128];
	_cleanup_free_ char *home = fake_home();
	struct image_opts o = { .home = home, .docker_socket = "/nonexistent" };
	struct err err = { 0 };
	struct image_set *s = images_resolve(&o, &err);

	assert_non_null(s);
	(void)snprintf(text, sizeof(text), "%s", choice(s, "gluetun")->official);
	images_free(s);
	return text;
}

static void use_dir(const char *name)
{
	_cleanup_free_ char *path = at(name);
	struct err err = { 0 };

	assert_int_equal(fs_remove_tree(path, &err), 0);
	assert_int_equal(fs_mkdir_p(path, 0755, &err), 0);
}

static void refuse_dir(const char *word)
{
	_cleanup_free_ char *given = at("given");
	struct image_opts o = { .images_dir = given, .docker_socket = "/nonexistent" };
	struct err err = { 0 };

	assert_null(images_resolve(&o, &err));
	if (err.status != EXIT_USAGE || !strstr(err.text, word))
		fail_msg("status %d, \"%s\" has no \"%s\"", err.status, err.text, word);
}

static void test_archive_goes_first(void **state)
{
	_cleanup_free_ char *home = fake_home();
	_cleanup_free_ char *given = at("given");
	struct image_opts o = { .images_dir = given,
				.home = home,
				.docker_socket = "/nonexistent" };
	_cleanup_free_ char *right = str_fmt("registry.example/%s", choice_official());
	struct err err = { 0 };
	struct image_set *s;
	char want[80];

	(void)state;
	use_dir("given");
	put("given/README.md", "not an archive, and not to be read as one");
	put_image("given/a.tar", right, PLAIN_CONFIG);
	put_image("given/b.tar", "qmcgaw/gluetun:v2", STANDIN_CONFIG);
	s = images_resolve(&o, &err);
	assert_non_null(s);
	/* The wanted tag, though another one is in a later file. */
	assert_string_equal(choice(s, "gluetun")->reference, right);
	digest_of(PLAIN_CONFIG, want);
	assert_string_equal(choice(s, "gluetun")->digest, want);
	assert_false(choice(s, "gluetun")->standin);
	assert_string_equal(choice(s, "gluetun")->kind, "official");
	assert_non_null(strstr(choice(s, "gluetun")->source, "given/a.tar"));
	assert_string_equal(choice(s, "sonarr")->source, "built here");
	images_free(s);
}

/* An archive with one image for a machine that this is not. */
#define FOREIGN_CONFIG "{\"architecture\":\"m68k\",\"os\":\"linux\",\"config\":{}}"

static void test_foreign_machine(void **state)
{
	struct archive_image image = { 0 };

	(void)state;
	use_dir("given");
	put_image("given/a.tar", "qmcgaw/gluetun:v3", FOREIGN_CONFIG);
	refuse_dir("qmcgaw/gluetun:v3 is made for linux/m68k");
	refuse_dir(archive_platform());
	assert_true(archive_runs_here(&image));
	(void)snprintf(image.platform, sizeof(image.platform), "%s/v8", archive_platform());
	assert_true(archive_runs_here(&image));
	(void)snprintf(image.platform, sizeof(image.platform), "%s2", archive_platform());
	assert_false(archive_runs_here(&image));
	(void)snprintf(image.platform, sizeof(image.platform), "windows%s", archive_platform() + 5);
	assert_false(archive_runs_here(&image));
}

/* Whoever gives two different images for one service is asked which one is meant. */
static void test_two_for_one(void **state)
{
	_cleanup_free_ char *home = fake_home();
	_cleanup_free_ char *given = at("given");
	struct image_opts o = { .images_dir = given,
				.home = home,
				.docker_socket = "/nonexistent" };
	struct err err = { 0 };
	struct image_set *s;

	(void)state;
	use_dir("given");
	put_image("given/a.tar", "qmcgaw/gluetun:latest", PLAIN_CONFIG);
	put_image("given/b.tar", "qdm12/gluetun:latest", STANDIN_CONFIG);
	refuse_dir("given/a.tar and ");
	refuse_dir("different images for gluetun");
	/* The same image twice is no question. */
	put_image("given/b.tar", "registry.example/qdm12/gluetun:pr-1", PLAIN_CONFIG);
	s = images_resolve(&o, &err);
	assert_non_null(s);
	assert_string_equal(choice(s, "gluetun")->reference, "qmcgaw/gluetun:latest");
	images_free(s);
	/* Nor is one that has the very tag. */
	put_image("given/c.tar", choice_official(), STANDIN_CONFIG);
	s = images_resolve(&o, &err);
	assert_non_null(s);
	assert_string_equal(choice(s, "gluetun")->reference, choice_official());
	assert_true(choice(s, "gluetun")->standin);
	images_free(s);
}

static void test_dir_refused(void **state)
{
	_cleanup_free_ char *path = at("given");
	struct err err = { 0 };

	(void)state;
	assert_int_equal(fs_remove_tree(path, &err), 0);
	refuse_dir("No such file");
	use_dir("given");
	refuse_dir("there is no *.tar");
	put_image("given/foreign.tar", "somebody/else:1", PLAIN_CONFIG);
	refuse_dir("no image of this stack");
	put("given/foreign.tar", "");
	refuse_dir("no docker-archive");
}

/* ---- an engine on a socket ---- */

/* Answers one call with text and ends: 0 when the call begins with `asked`. */
static pid_t engine(const char *path, const char *answer, const char *asked)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	(void)unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 4), 0);
	pid = fork();
	if (pid == 0) {
		int c = accept(fd, NULL, NULL);
		char buf[4096] = "";
		ssize_t n = read(c, buf, sizeof(buf) - 1);

		(void)!write(c, answer, strlen(answer));
		_exit(n > 0 && strncmp(buf, asked, strlen(asked)) == 0 ? 0 : 1);
	}
	(void)close(fd);
	return pid;
}

static void engine_end(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_machines_docker(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
				     "[{\"Id\":\"sha256:aa\",\"RepoTags\":[\"linuxserver/"
				     "sonarr:9\",\"mine:1\"],\"Labels\":null},"
				     "{\"Id\":\"sha256:bb\",\"RepoTags\":[\"qmcgaw/gluetun:v3\"],"
				     "\"Labels\":{\"org.leakproof.standin\":\"true\"}},{\"Id\":"
				     "\"sha256:cc\",\"RepoTags\":null}]";
	_cleanup_free_ char *home = fake_home();
	_cleanup_free_ char *socket_path = at("docker.sock");
	struct image_opts o = { .home = home, .docker_socket = socket_path };
	pid_t pid = engine(socket_path, answer, "GET /images/json HTTP/1.1");
	struct err err = { 0 };
	struct image_set *s = images_resolve(&o, &err);

	(void)state;
	engine_end(pid);
	assert_non_null(s);
	assert_string_equal(choice(s, "sonarr")->reference, "linuxserver/sonarr:9");
	assert_string_equal(choice(s, "sonarr")->digest, "sha256:aa");
	assert_string_equal(choice(s, "sonarr")->source, "machine's Docker");
	assert_false(choice(s, "sonarr")->standin);
	/* An official name on a stand-in deceives nobody. */
	assert_true(choice(s, "gluetun")->standin);
	assert_string_equal(choice(s, "radarr")->source, "built here");
	images_free(s);
}

static void test_load_refused(void **state)
{
	static const char answer[] =
		"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
		"{\"errorDetail\":{\"message\":\"no space\"},\"error\":\"no space\"}";
	_cleanup_free_ char *socket_path = at("docker.sock");
	_cleanup_free_ char *small = at("small.tar");
	struct err err = { 0 };
	pid_t pid;

	(void)state;
	put("small.tar", "x");
	pid = engine(socket_path, answer, "POST /images/load?quiet=1 HTTP/1.1");
	assert_int_equal(docker_load(socket_path, small, &err), -1);
	engine_end(pid);
	assert_non_null(strstr(err.text, "no space"));
	assert_int_equal(docker_load("/nonexistent", small, &err), -1);
	assert_non_null(strstr(err.text, "no answer"));
}

static void test_save_keeps_no_half(void **state)
{
	_cleanup_free_ char *socket_path = at("docker.sock");
	_cleanup_free_ char *out = at("saved.tar");
	struct err err = { 0 };
	pid_t pid = engine(socket_path,
			   "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly a part of it",
			   "GET /images/qmcgaw/gluetun:v3/get");

	(void)state;
	assert_int_equal(docker_save(socket_path, "qmcgaw/gluetun:v3", out, &err), -1);
	engine_end(pid);
	assert_false(fs_exists(out));
	pid = engine(socket_path, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole",
		     "GET /images/qmcgaw/gluetun:v3/get");
	assert_int_equal(docker_save(socket_path, "qmcgaw/gluetun:v3", out, &err), 0);
	engine_end(pid);
	assert_true(fs_exists(out));
}

/* A pull that fails is no failure of the run, and it is said. */
static void test_pull_falls_back(void **state)
{
	_cleanup_free_ char *home = fake_home();
	_cleanup_free_ char *bin = at("bin");
	_cleanup_free_ char *path = str_fmt("%s:%s", bin, getenv("PATH"));
	_cleanup_free_ char *old = str_fmt("%s", getenv("PATH"));
	_cleanup_free_ char *chmod = str_fmt("chmod 755 %s/skopeo", bin);
	struct image_opts o = { .home = home, .pull = true, .docker_socket = "/nonexistent" };
	struct err err = { 0 };
	struct image_set *s;

	(void)state;
	use_dir("bin");
	put("bin/skopeo", "#!/bin/sh\necho 'level=fatal msg=\"cannot reach it\"' >&2\nexit 1\n");
	assert_int_equal(proc_check(PROC_ARGV("sh", "-c", chmod), NULL, &err), 0);
	(void)setenv("PATH", path, 1);
	s = images_resolve(&o, &err);
	(void)setenv("PATH", old, 1);
	assert_non_null(s);
	assert_string_equal(choice(s, "gluetun")->source, "built here");
	assert_non_null(strstr(choice(s, "gluetun")->why, "cannot reach it"));
	images_free(s);
}

/* The table and the defaults of the Compose file are one thing. */
static void test_compose_defaults(void **state)
{
	_cleanup_free_ char *home = fake_home();
	_cleanup_free_ char *real = host_home_dir(NULL);
	_cleanup_free_ char *path = NULL, *text = NULL;
	struct image_opts o = { .home = home, .docker_socket = "/nonexistent" };
	struct err err = { 0 };
	struct image_set *s = images_resolve(&o, &err);

	(void)state;
	assert_non_null(real);
	path = str_fmt("%s/stack/compose.yml", real);
	text = fs_read(path, 1 << 20, NULL, &err);
	assert_non_null(text);
	assert_non_null(s);
	for (size_t i = 0; i < images_count(s); i++) {
		const struct image_choice *c = images_get(s, i);
		_cleanup_free_ char *want = str_fmt("${%s:-%s}", c->variable, c->official);
		_cleanup_free_ char *service = str_fmt("\n  %s:\n", c->service);

		if (!strstr(text, want) || !strstr(text, service))
			fail_msg("stack/compose.yml has no %s of %s", want, c->service);
	}
	images_free(s);
}

static int setup(void **state)
{
	static const char *const names[] = { "gateway", "service", "qbittorrent", "nginx" };
	_cleanup_free_ char *manifest = str_fmt("[");

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	for (size_t i = 0; i < 4; i++) {
		_cleanup_free_ char *config = str_fmt("%s.json", names[i]);
		_cleanup_free_ char *layer = str_fmt("%s.tar", names[i]);
		char *more = str_fmt("%s%s{\"Config\":\"%s\",\"RepoTags\":[\"leakproof/%s:local\","
				     "\"leakproof/%s:t-%s\"],\"Layers\":[\"base.tar\",\"%s\"]}",
				     manifest, i ? "," : "", config, names[i], names[i], names[i],
				     layer);

		put(config, i < 2 ? STANDIN_CONFIG : PLAIN_CONFIG);
		put(layer, names[i]);
		free(manifest);
		manifest = more;
	}
	put("base.tar", "the base layer");
	{
		_cleanup_free_ char *whole = str_fmt("%s]", manifest);

		put("manifest.json", whole);
	}
	own = tar("images.tar", "",
		  "manifest.json base.tar gateway.json gateway.tar service.json service.tar "
		  "qbittorrent.json qbittorrent.tar nginx.json nginx.tar");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(own);
	return fs_remove_tree(dir, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_repository),
		cmocka_unit_test(test_archive_forms),
		cmocka_unit_test(test_archive_odd_entries),
		cmocka_unit_test(test_archive_refused),
		cmocka_unit_test(test_archive_oci_layout),
		cmocka_unit_test(test_archive_split),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_archive_goes_first),
		cmocka_unit_test(test_foreign_machine),
		cmocka_unit_test(test_two_for_one),
		cmocka_unit_test(test_dir_refused),
		cmocka_unit_test(test_machines_docker),
		cmocka_unit_test(test_load_refused),
		cmocka_unit_test(test_save_keeps_no_half),
		cmocka_unit_test(test_pull_falls_back),
		cmocka_unit_test(test_compose_defaults),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
