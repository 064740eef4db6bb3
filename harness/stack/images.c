// SPDX-License-Identifier: MIT
/* Which image each service of the reference stack gets: one table, four sources. */
#include "stack/images.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/proc.h"
#include "stack/archive.h"
#include "stack/images_docker.h"

#define BUILD_NS   (1200 * NS_PER_S)
#define INSPECT_NS (20 * NS_PER_S)
#define PULL_NS	   (900 * NS_PER_S)
#define ROWS	   (sizeof(rows) / sizeof(rows[0]))
#define ARCHIVES   64

/* stack/compose.yml names the same references as its defaults; a test holds the two together. */
static const struct row {
	const char *service, *variable, *official;
	const char *ours; /* repository in the archive that stack/images/build.sh makes */
	const char *what; /* that is in ours */
} rows[] = {
	{ "gluetun", "GLUETUN_IMAGE", "qmcgaw/gluetun:v3.41.1", "leakproof/gateway",
	  "the gateway stand-in" },
	{ "qbittorrent", "QBITTORRENT_IMAGE", "linuxserver/qbittorrent:5.1.2",
	  "leakproof/qbittorrent", "Debian's qbittorrent-nox" },
	{ "prowlarr", "PROWLARR_IMAGE", "linuxserver/prowlarr:1.37.0", "leakproof/service",
	  "the service stand-in" },
	{ "sonarr", "SONARR_IMAGE", "linuxserver/sonarr:4.0.15", "leakproof/service",
	  "the service stand-in" },
	{ "radarr", "RADARR_IMAGE", "linuxserver/radarr:5.26.2", "leakproof/service",
	  "the service stand-in" },
	{ "flaresolverr", "FLARESOLVERR_IMAGE", "flaresolverr/flaresolverr:v3.3.21",
	  "leakproof/service", "the service stand-in" },
	{ "webui-inner", "NGINX_IMAGE", "nginx:1.28-alpine", "leakproof/nginx", "Debian's nginx" },
	{ "webui", "NGINX_IMAGE", "nginx:1.28-alpine", "leakproof/nginx", "Debian's nginx" },
	{ "plex", "PLEX_IMAGE", "plexinc/pms-docker:1.42.2.10156-f737b826c", "leakproof/service",
	  "the service stand-in" },
};

/* Further repositories in which its makers publish the same image. */
static const struct {
	const char *also, *repository;
} aliases[] = {
	{ "qdm12/gluetun", "qmcgaw/gluetun" },
	{ "passteque/gluetun", "qmcgaw/gluetun" },
};

struct image_set {
	struct image_choice choices[ROWS];
	char *files[ROWS];  /* docker-archive that choice i is in */
	struct archive own; /* ours; path NULL until one is needed */
	struct archive given[ARCHIVES];
	size_t n_given;
	char *socket; /* of the machine's engine */
	const volatile sig_atomic_t *cancel;
	bool no_registry; /* one did not answer in time: it is not waited for again */
	json_t *docker;	  /* images of the machine's engine */
};

static void say(const struct image_opts *o, const char *what)
{
	if (o->progress)
		o->progress(o->progress_arg, what);
}

static char *hash_text(const char *text)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char hex[13];

	if (EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL) != 1)
		abort();
	for (size_t i = 0; i < 6; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return str_fmt("%s", hex);
}

/* ---- references ---- */

/* "registry:5000/library/nginx:1@sha256:..." -> "nginx": the first part is a registry when it looks like a
 * host, and library/ is what Docker puts before a bare name. */
static void repository(const char *reference, char *out, size_t size)
{
	const char *slash = strchr(reference, '/'), *start = reference;
	size_t first = slash ? (size_t)(slash - reference) : 0;
	char *end;

	if (slash && (memchr(reference, '.', first) || memchr(reference, ':', first) ||
		      (first == 9 && strncmp(reference, "localhost", 9) == 0)))
		start = slash + 1;
	if (strncmp(start, "library/", 8) == 0)
		start += 8;
	(void)snprintf(out, size, "%.*s", (int)strcspn(start, "@"), start);
	slash = strrchr(out, '/');
	end = strchr(slash ? slash : out, ':');
	if (end)
		*end = '\0';
}

bool images_same_repository(const char *a, const char *b)
{
	char left[256], right[256];

	repository(a, left, sizeof(left));
	repository(b, right, sizeof(right));
	return strcmp(left, right) == 0;
}

/* Better candidate for a row: the wanted tag before any other. */
static bool same_tag(const char *a, const char *b)
{
	const char *x = strrchr(a, ':'), *y = strrchr(b, ':');

	return x && y && strcmp(x, y) == 0;
}

/* Does a reference name the official image of a row, in any registry and version? */
static bool is_official(const struct row *row, const char *reference)
{
	if (images_same_repository(reference, row->official))
		return true;
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (images_same_repository(reference, aliases[i].also) &&
		    images_same_repository(aliases[i].repository, row->official))
			return true;
	return false;
}

static void choose(struct image_set *s, size_t i, char *reference, const char *digest, bool standin,
		   char *file, char *source, char *why)
{
	struct image_choice *c = &s->choices[i];

	*c = (struct image_choice){ .service = rows[i].service,
				    .variable = rows[i].variable,
				    .official = rows[i].official,
				    .reference = reference,
				    .source = source,
				    .why = why,
				    .standin = standin,
				    .kind = standin			       ? "stand-in"
					    : is_official(&rows[i], reference) ? "official"
									       : "Debian's" };
	(void)snprintf(c->digest, sizeof(c->digest), "%s", digest);
	s->files[i] = file;
}

/* ---- archives that were given ---- */

static bool is_archive_name(const char *name)
{
	return fnmatch("*.tar", name, 0) == 0 || fnmatch("*.tar.gz", name, 0) == 0 ||
	       fnmatch("*.tgz", name, 0) == 0;
}

/* Is one of its images of use? */
static bool archive_is_known(const struct archive *a)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t t = 0; archive_tag(a, i, t); t++)
			for (size_t r = 0; r < ROWS; r++)
				if (is_official(&rows[r], archive_tag(a, i, t)))
					return true;
	return false;
}

static int by_text(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int keep_archive(const struct dirent *e)
{
	return is_archive_name(e->d_name);
}

static int add_archive(struct image_set *s, const char *path, struct err *err)
{
	struct archive *a = &s->given[s->n_given];

	if (s->n_given == ARCHIVES)
		return err_set(err, EXIT_USAGE, "more than %d archives are given", ARCHIVES);
	if (archive_open(a, path, err) < 0)
		return -1;
	s->n_given++;
	if (archive_is_known(a))
		return 0;
	return err_set(
		err, EXIT_USAGE,
		"%s holds no image of this stack (its first tag is %s); `leakproof images` lists "
		"the names that are looked for",
		path, archive_tag(a, 0, 0) ? archive_tag(a, 0, 0) : "missing");
}

static int read_dir(struct image_set *s, const char *dir, struct err *err)
{
	struct dirent **list = NULL;
	int n = scandir(dir, &list, keep_archive, by_text), rc = 0;

	if (n < 0)
		return err_set(err, EXIT_USAGE, "--images %s: %s", dir, strerror(errno));
	if (n == 0)
		rc = err_set(err, EXIT_USAGE,
			     "--images %s: there is no *.tar, *.tar.gz or *.tgz in it", dir);
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *path = str_fmt("%s/%s", dir, list[i]->d_name);

		if (rc == 0)
			rc = add_archive(s, path, err);
		free(list[i]);
	}
	free(list);
	return rc;
}

/* An image of an archive that a row could take. */
struct candidate {
	const struct archive *archive;
	const struct archive_image *image;
	const char *tag;
	const struct archive *rival; /* holds another image that would do as well; NULL = none */
};

static void weigh(struct candidate *best, const struct candidate *c, const char *official)
{
	bool right = same_tag(c->tag, official);

	if (!best->tag || (right && !same_tag(best->tag, official)))
		*best = *c;
	else if (right == same_tag(best->tag, official) &&
		 strcmp(c->image->digest, best->image->digest) != 0)
		best->rival = c->archive;
}

static struct candidate find_candidate(const struct image_set *s, const struct row *row)
{
	struct candidate best = { 0 };

	for (size_t k = 0; k < s->n_given; k++)
		for (size_t i = 0; i < s->given[k].n; i++)
			for (size_t t = 0; archive_tag(&s->given[k], i, t); t++) {
				struct candidate c = { &s->given[k], &s->given[k].images[i],
						       archive_tag(&s->given[k], i, t), NULL };

				if (is_official(row, c.tag))
					weigh(&best, &c, row->official);
			}
	return best;
}

/* 1 = taken from an archive, 0 = none has it, -1 = one has, but it cannot be used. */
static int from_archive(struct image_set *s, size_t r, struct err *err)
{
	struct candidate c = find_candidate(s, &rows[r]);

	if (!c.tag)
		return 0;
	if (c.rival)
		return err_set(err, EXIT_USAGE,
			       "%s and %s hold different images for %s: leave one of them, or tag "
			       "the right one %s",
			       c.archive->path, c.rival->path, rows[r].service, rows[r].official);
	if (!archive_runs_here(c.image))
		return err_set(err, EXIT_USAGE,
			       "%s: %s is made for %s, which this machine does not run; `docker "
			       "pull --platform %s %s`, then `docker save` it again",
			       c.archive->path, c.tag, c.image->platform, archive_platform(),
			       c.tag);
	choose(s, r, str_fmt("%s", c.tag), c.image->digest, c.image->standin,
	       str_fmt("%s", c.archive->path), str_fmt("archive %s", c.archive->path),
	       str_fmt("the archive holds %s", c.tag));
	return 1;
}

/* ---- the machine's own Docker ---- */

static bool from_docker(struct image_set *s, size_t r)
{
	const char *tag = NULL, *id = NULL, *label = NULL;
	json_t *image, *one;
	size_t i, k;

	json_array_foreach(s->docker, i, image)
	{
		json_array_foreach(json_object_get(image, "RepoTags"), k, one)
		{
			const char *text = json_string_value(one);

			if (!text || !is_official(&rows[r], text) ||
			    (tag && !same_tag(text, rows[r].official)))
				continue;
			tag = text;
			id = json_string_value(json_object_get(image, "Id"));
			label = json_string_value(json_object_get(json_object_get(image, "Labels"),
								  ARCHIVE_LABEL_STANDIN));
		}
	}
	if (!tag || !id)
		return false;
	choose(s, r, str_fmt("%s", tag), id, label && strcmp(label, "true") == 0, NULL,
	       str_fmt("machine's Docker"), str_fmt("the machine's Docker has %s", tag));
	return true;
}

/* ---- pull ---- */

/* File of the cache for a reference whose manifest has this hash now: a tag that moved is pulled anew. */
static char *pulled_path(const char *reference, const char *manifest, struct err *err)
{
	_cleanup_free_ char *dir = str_fmt("%s/pulled", fs_cache_dir());
	_cleanup_free_ char *key = hash_text(manifest);
	char *path = str_fmt("%s/%s-%s.tar", dir, reference, key);

	for (char *p = path + strlen(dir) + 1; *p; p++)
		if (*p == '/' || *p == ':')
			*p = '_';
	if (fs_mkdir_p(dir, 0755, err) < 0) {
		free(path);
		return NULL;
	}
	return path;
}

/* The manifest as the registry has it now; caller frees. A registry that does not answer is not asked again. */
static char *remote_manifest(struct image_set *s, const char *official, struct err *err)
{
	const struct proc_opts o = { .timeout_ns = INSPECT_NS, .cancel = s->cancel };
	_cleanup_free_ char *from = str_fmt("docker://%s", official);
	_cleanup_proc_ struct proc_result r = { 0 };
	const char *line;

	if (s->no_registry) {
		(void)err_set(err, EXIT_ENVIRONMENT, "the registry did not answer before");
		return NULL;
	}
	if (proc_run(PROC_ARGV("skopeo", "inspect", "--raw", from), &o, &r, err) < 0) {
		s->no_registry = true;
		return NULL;
	}
	if (r.status == 0)
		return take_ptr(r.out);
	r.error[strcspn(r.error, "\n")] = '\0';
	line = strstr(r.error, "msg=");
	(void)err_set(err, EXIT_ENVIRONMENT, "%.300s", line ? line + 4 : r.error);
	return NULL;
}

/* skopeo writes to a name of its own first: a broken pull must not be taken for an image later. */
static int pull(const struct image_set *s, const char *official, const char *path, struct err *err)
{
	_cleanup_free_ char *tmp = str_fmt("%s.%d.tmp", path, (int)getpid());
	_cleanup_free_ char *from = str_fmt("docker://%s", official);
	_cleanup_free_ char *to = str_fmt("docker-archive:%s:%s", tmp, official);
	const struct proc_opts o = { .timeout_ns = PULL_NS, .cancel = s->cancel };

	if (proc_check(PROC_ARGV("skopeo", "copy", "--quiet", from, to), &o, err) < 0) {
		(void)unlink(tmp);
		return err_wrap(err, "pull of %s", official);
	}
	if (rename(tmp, path) < 0)
		return err_errno(err, "%s", path);
	return 0;
}

static int from_pull(struct image_set *s, size_t r, const struct image_opts *o, struct err *err)
{
	_cleanup_free_ char *what = str_fmt("pulling %s", rows[r].official);
	_cleanup_free_ char *manifest = remote_manifest(s, rows[r].official, err);
	_cleanup_free_ char *path = manifest ? pulled_path(rows[r].official, manifest, err) : NULL;
	struct archive a;

	if (!path)
		return err_wrap(err, "no pull of %s", rows[r].official);
	if (!fs_exists(path)) {
		say(o, what);
		if (pull(s, rows[r].official, path, err) < 0)
			return -1;
	}
	host_cache_use(path);
	if (archive_open(&a, path, err) < 0)
		return -1;
	choose(s, r, str_fmt("%s", rows[r].official), a.images[0].digest, a.images[0].standin,
	       take_ptr(path), str_fmt("pull"), str_fmt("pulled as %s", rows[r].official));
	archive_close(&a);
	return 0;
}

/* ---- ours ---- */

/* The path that build.sh prints on its last line; caller frees. */
static char *build_script(const char *script, const char *option,
			  const volatile sig_atomic_t *cancel, struct err *err)
{
	const char *const argv[] = { "sh", script, option, NULL };
	const struct proc_opts o = { .timeout_ns = BUILD_NS, .cancel = cancel };
	_cleanup_proc_ struct proc_result r = { 0 };
	const char *line;
	size_t len;

	if (proc_run(argv, &o, &r, err) < 0)
		return NULL;
	if (r.status != 0) {
		(void)err_set(err, EXIT_ENVIRONMENT,
			      "the stack's own images could not be built: %.700s", r.error);
		return NULL;
	}
	for (len = strlen(r.out); len && r.out[len - 1] == '\n'; len--)
		r.out[len - 1] = '\0';
	line = strrchr(r.out, '\n');
	return str_fmt("%s", line ? line + 1 : r.out);
}

/* Archives of our own lie in a folder each, which is what the cache keeps. */
static void use_folder_of(const char *archive)
{
	_cleanup_free_ char *dir = str_fmt("%s", archive);
	char *slash = strrchr(dir, '/');

	if (slash)
		*slash = '\0';
	host_cache_use(dir);
}

static int open_own(struct image_set *s, const struct image_opts *o, struct err *err)
{
	_cleanup_free_ char *home = o->home ? str_fmt("%s", o->home) : host_home_dir(err);
	_cleanup_free_ char *script = NULL;
	_cleanup_free_ char *path = NULL;

	if (s->own.path)
		return 0;
	if (!home)
		return -1;
	script = str_fmt("%s/stack/images/build.sh", home);
	path = build_script(script, "--path", NULL, err);
	if (path && !fs_exists(path)) {
		say(o, "building the stack's own images (about two minutes, once)");
		free(path);
		path = build_script(script, NULL, o->cancel, err);
	}
	if (!path)
		return -1;
	use_folder_of(path);
	return archive_open(&s->own, path, err);
}

/* The tag that carries the content's hash, not the moving "local". */
static const char *own_tag(const struct archive *a, size_t i)
{
	for (size_t t = 0; archive_tag(a, i, t); t++)
		if (fnmatch("*:local", archive_tag(a, i, t), 0) != 0)
			return archive_tag(a, i, t);
	return archive_tag(a, i, 0);
}

/* `missed` says why the sources before this one did not serve. */
static int from_own(struct image_set *s, size_t r, const struct image_opts *o, const char *missed,
		    struct err *err)
{
	if (open_own(s, o, err) < 0)
		return -1;
	for (size_t i = 0; i < s->own.n; i++) {
		const char *tag = own_tag(&s->own, i);

		if (!tag || !images_same_repository(tag, rows[r].ours))
			continue;
		choose(s, r, str_fmt("%s", tag), s->own.images[i].digest, s->own.images[i].standin,
		       str_fmt("%s", s->own.path), str_fmt("built here"),
		       str_fmt("%s: %s takes the place of %s", missed, rows[r].what,
			       rows[r].official));
		return 0;
	}
	return err_set(err, EXIT_ENVIRONMENT, "%s holds no %s", s->own.path, rows[r].ours);
}

/* ---- the set ---- */

static int resolve_row(struct image_set *s, size_t r, const struct image_opts *o, struct err *err)
{
	struct err failed = { 0 };
	int rc = from_archive(s, r, err);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (from_docker(s, r))
		return 0;
	if (!o->pull)
		return from_own(s, r, o, "none is given, the machine's Docker has none", err);
	if (from_pull(s, r, o, &failed) == 0)
		return 0;
	if (o->cancel && *o->cancel)
		return err_set(err, EXIT_INCONCLUSIVE, "interrupted");
	return from_own(s, r, o, failed.text, err);
}

struct image_set *images_resolve(const struct image_opts *o, struct err *err)
{
	struct image_set *s = calloc(1, sizeof(*s));
	int rc = 0;

	if (!s)
		abort();
	s->socket = str_fmt("%s", o->docker_socket ? o->docker_socket : DOCKER_SOCKET);
	s->cancel = o->cancel;
	s->docker = docker_images(s->socket);
	if (o->images_dir)
		rc = read_dir(s, o->images_dir, err);
	for (size_t r = 0; rc == 0 && r < ROWS; r++)
		rc = resolve_row(s, r, o, err);
	if (rc == 0)
		return s;
	images_free(s);
	return NULL;
}

/* The strings of a choice are ours; they are const for everybody else. */
static void free_text(const char *text)
{
	free((void *)(uintptr_t)text);
}

void images_free(struct image_set *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < ROWS; i++) {
		free_text(s->choices[i].reference);
		free_text(s->choices[i].source);
		free_text(s->choices[i].why);
		free(s->files[i]);
	}
	for (size_t i = 0; i < s->n_given; i++)
		archive_close(&s->given[i]);
	archive_close(&s->own);
	json_decref(s->docker);
	free(s->socket);
	free(s);
}

size_t images_count(const struct image_set *s)
{
	(void)s;
	return ROWS;
}

const struct image_choice *images_get(const struct image_set *s, size_t i)
{
	return &s->choices[i];
}

/* ---- into an engine ---- */

static bool engine_has(const struct host *h, const struct image_choice *c)
{
	_cleanup_free_ char *id = docker_image_id(host_socket(h), c->reference);

	return id && strcmp(id, c->digest) == 0;
}

/* An image of the machine's Docker goes through a file of the cache, named after its id. */
static int save_from_docker(struct image_set *s, size_t i, struct err *err)
{
	_cleanup_free_ char *dir = str_fmt("%s/pulled", fs_cache_dir());
	const char *hex = strchr(s->choices[i].digest, ':');

	if (fs_mkdir_p(dir, 0755, err) < 0)
		return -1;
	s->files[i] = str_fmt("%s/%s.tar", dir, hex ? hex + 1 : s->choices[i].digest);
	if (fs_exists(s->files[i])) {
		host_cache_use(s->files[i]);
		return 0;
	}
	return docker_save(s->socket, s->choices[i].reference, s->files[i], err);
}

int images_load(struct image_set *s, struct host *h, struct err *err)
{
	for (size_t i = 0; i < ROWS; i++) {
		const struct image_choice *c = &s->choices[i];
		_cleanup_free_ char *id = NULL;

		if (engine_has(h, c))
			continue;
		if (!s->files[i] && save_from_docker(s, i, err) < 0)
			return -1;
		if (docker_load(host_socket(h), s->files[i], err) < 0)
			return -1;
		id = docker_image_id(host_socket(h), c->reference);
		if (!id)
			return err_set(err, EXIT_ENVIRONMENT, "%s was loaded, but holds no %s",
				       s->files[i], c->reference);
	}
	return 0;
}

/* ---- prepared stores ---- */

/* Same images in the same tree's engine: same store. */
static char *graph_key(const struct image_set *s, struct err *err)
{
	_cleanup_free_ char *tree = host_lab_tree(&(struct lab_opts){ .cancel = s->cancel }, err);
	_cleanup_free_ char *text = NULL;

	if (!tree)
		return NULL;
	text = str_fmt("%s", strrchr(tree, '/') + 1);
	for (size_t i = 0; i < ROWS; i++) {
		char *more = str_fmt("%s\n%s %s", text, s->choices[i].reference,
				     s->choices[i].digest);

		free(text);
		text = more;
	}
	return hash_text(text);
}

static int make_graph(struct image_set *s, const char *key, struct err *err)
{
	struct lab_opts o = { .cancel = s->cancel };
	struct host *h = host_lab_up(&o, err);
	struct err after = { 0 };
	int rc;

	if (!h)
		return -1;
	rc = images_load(s, h, err);
	if (rc == 0)
		rc = host_graph_capture(h, key, err);
	if (host_lab_down(h, &after) < 0 && rc == 0)
		rc = err_set(err, after.status, "%s", after.text);
	return rc;
}

char *images_graph(struct image_set *s, struct err *err)
{
	_cleanup_free_ char *key = graph_key(s, err);
	_cleanup_free_ char *lock = str_fmt("%s/graph.lock", fs_cache_dir());
	_cleanup_free_ char *graph = NULL;
	_cleanup_close_ int fd = -1;

	if (!key)
		return NULL;
	graph = host_graph_find(key);
	if (graph)
		return take_ptr(graph);
	fd = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		(void)err_errno(err, "%s", lock);
		return NULL;
	}
	graph = host_graph_find(key); /* somebody else may have made it meanwhile */
	if (!graph && make_graph(s, key, err) == 0) {
		graph = host_graph_find(key);
		/* A new entry, so some other may have had its day; one that cannot be removed is no reason to fail. */
		(void)host_cache_trim(false, NULL);
	}
	return take_ptr(graph);
}

/* ---- export ---- */

int images_export(const struct image_opts *o, const char *dir, size_t *n, struct err *err)
{
	struct image_set s = { 0 };
	int rc = open_own(&s, o, err);

	if (rc == 0)
		rc = fs_mkdir_p(dir, 0755, err);
	for (size_t i = 0; rc == 0 && i < s.own.n; i++) {
		const char *tag = own_tag(&s.own, i);
		char name[256];
		_cleanup_free_ char *path = NULL;

		repository(tag ? tag : "image", name, sizeof(name));
		for (char *p = name; *p; p++)
			if (*p == '/')
				*p = '-';
		path = str_fmt("%s/%s.tar", dir, name);
		rc = archive_split(&s.own, i, path, err);
	}
	if (n)
		*n = s.own.n;
	archive_close(&s.own);
	return rc;
}
