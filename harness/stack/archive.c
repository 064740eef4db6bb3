// SPDX-License-Identifier: MIT
/* docker-archive files. The tar format is POSIX.1-2017 pax, "ustar Interchange Format", with GNU's base-256 sizes. */
#include "stack/archive.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define BLOCK	 512
#define JSON_MAX (4 << 20) /* manifest or configuration; real ones have some 10 KiB */

struct tar {
	gzFile file;
	const char *path;
	char name[260];
	uint64_t size; /* of the entry */
	uint64_t left; /* of it, unread, padding included */
	bool plain;    /* a regular file */
};

static int bad(const struct tar *t, const char *why, struct err *err)
{
	return err_set(err, EXIT_USAGE, "%s is no docker-archive: %s", t->path, why);
}

static int tar_open(struct tar *t, const char *path, struct err *err)
{
	*t = (struct tar){ .path = path, .file = gzopen(path, "rbe") };
	return t->file ? 0 : err_errno(err, "%s", path);
}

static void tar_close(struct tar *t)
{
	if (t->file)
		(void)gzclose(t->file);
	t->file = NULL;
}

#define _cleanup_tar_ __attribute__((cleanup(tar_close)))

/* Octal text, or base-256 when the first bit is set (GNU tar manual, "Extensions"). */
static uint64_t number(const unsigned char *field, size_t len)
{
	uint64_t v = 0;

	if (field[0] & 0x80) {
		for (size_t i = 4; i < len; i++)
			v = v << 8 | field[i];
		return v;
	}
	for (size_t i = 0; i < len && (field[i] == ' ' || (field[i] >= '0' && field[i] <= '7'));
	     i++)
		if (field[i] != ' ')
			v = v << 3 | (uint64_t)(field[i] - '0');
	return v;
}

/* Sum of all bytes of a header, its own field taken as spaces. */
static unsigned header_sum(const unsigned char *h)
{
	unsigned sum = 0;

	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : h[i];
	return sum;
}

/* Neither of the two fields needs a NUL when it is full. */
static void entry_name(const unsigned char *h, char *out, size_t size)
{
	char prefix[156] = "", name[101] = "";

	memcpy(name, h, 100);
	if (memcmp(h + 257, "ustar\0", 6) == 0)
		memcpy(prefix, h + 345, 155);
	(void)snprintf(out, size, "%s%s%s", prefix, *prefix ? "/" : "", name);
}

/* To the end of the entry. Seeking beyond the end of a file is no error, so the last byte is read. */
static int skip(struct tar *t)
{
	char last;

	if (t->left == 0)
		return 0;
	if (gzseek(t->file, (z_off_t)t->left - 1, SEEK_CUR) < 0 || gzread(t->file, &last, 1) != 1)
		return -1;
	t->left = 0;
	return 0;
}

/* 1 = an entry, 0 = the end, -1 = an error. */
static int tar_next(struct tar *t, struct err *err)
{
	unsigned char h[BLOCK];
	int n;

	if (skip(t) < 0)
		return bad(t, "it ends too early", err);
	n = gzread(t->file, h, BLOCK);
	if (n == 0 || (n == BLOCK && h[0] == '\0'))
		return 0;
	if (n != BLOCK || number(h + 148, 8) != header_sum(h))
		return bad(t, n == BLOCK ? "it is no tar" : "it ends too early", err);
	t->size = number(h + 124, 12);
	t->left = (t->size + BLOCK - 1) / BLOCK * BLOCK;
	if (t->left > INT64_MAX / 2)
		return bad(t, "an entry is too long", err);
	t->plain = h[156] == '0' || h[156] == '\0';
	entry_name(h, t->name, sizeof(t->name));
	if (strncmp(t->name, "./", 2) == 0)
		memmove(t->name, t->name + 2, strlen(t->name + 2) + 1);
	return 1;
}

/* The data of the entry, NUL-terminated; caller frees. */
static char *tar_text(struct tar *t, struct err *err)
{
	_cleanup_free_ char *text = NULL;

	if (t->size > JSON_MAX) {
		(void)bad(t, "its JSON is too long", err);
		return NULL;
	}
	text = malloc((size_t)t->size + 1);
	if (!text)
		abort();
	if (gzread(t->file, text, (unsigned)t->size) != (int)t->size) {
		(void)bad(t, "it ends too early", err);
		return NULL;
	}
	text[t->size] = '\0';
	t->left -= t->size;
	return take_ptr(text);
}

/* Go to the entry of that name; 1 found, 0 not there, -1 error. */
static int tar_find(struct tar *t, const char *name, struct err *err)
{
	int rc;

	while ((rc = tar_next(t, err)) == 1)
		if (t->plain && strcmp(t->name, name) == 0)
			return 1;
	return rc;
}

/* Why there is no manifest.json: in an OCI archive an engine before 29 would not find one either. */
static void no_manifest(const struct tar *t, struct err *err)
{
	_cleanup_tar_ struct tar again = { 0 };
	struct err ignored = { 0 };

	if (tar_open(&again, t->path, &ignored) == 0 &&
	    tar_find(&again, "oci-layout", &ignored) == 1)
		(void)bad(t,
			  "it is an OCI archive; `skopeo copy oci-archive:FILE "
			  "docker-archive:NEW.tar:NAME` makes one of it",
			  err);
	else
		(void)bad(t, "it has no manifest.json", err);
}

static json_t *read_manifest(const char *path, struct err *err)
{
	_cleanup_tar_ struct tar t = { 0 };
	_cleanup_free_ char *text = NULL;
	json_t *manifest;
	int rc;

	if (tar_open(&t, path, err) < 0)
		return NULL;
	rc = tar_find(&t, "manifest.json", err);
	if (rc == 0)
		no_manifest(&t, err);
	text = rc == 1 ? tar_text(&t, err) : NULL;
	if (!text)
		return NULL;
	manifest = json_loads(text, 0, NULL);
	if (!json_is_array(manifest) || json_array_size(manifest) == 0) {
		json_decref(manifest);
		(void)bad(&t, "its manifest.json is no list of images", err);
		return NULL;
	}
	return manifest;
}

/* "os/architecture[/variant]" of an image's configuration (OCI image specification, "Properties"). */
static void describe_platform(struct archive_image *image, const json_t *config)
{
	const char *os = json_string_value(json_object_get(config, "os"));
	const char *arch = json_string_value(json_object_get(config, "architecture"));
	const char *variant = json_string_value(json_object_get(config, "variant"));

	if (arch && *arch)
		(void)snprintf(image->platform, sizeof(image->platform), "%s/%s%s%s",
			       os && *os ? os : "linux", arch, variant && *variant ? "/" : "",
			       variant ? variant : "");
}

static void describe(struct archive_image *image, const char *text, size_t len)
{
	_cleanup_json_ json_t *config = json_loads(text, 0, NULL);
	json_t *labels = json_object_get(json_object_get(config, "config"), "Labels");
	const char *standin = json_string_value(json_object_get(labels, ARCHIVE_LABEL_STANDIN));
	unsigned char digest[EVP_MAX_MD_SIZE];
	int at = snprintf(image->digest, sizeof(image->digest), "sha256:");

	if (EVP_Digest(text, len, digest, NULL, EVP_sha256(), NULL) != 1)
		abort();
	for (size_t i = 0; i < 32; i++)
		(void)snprintf(image->digest + at + 2 * i, 3, "%02x", digest[i]);
	image->standin = standin && strcmp(standin, "true") == 0;
	describe_platform(image, config);
}

static const char *config_name(const struct archive *a, size_t i)
{
	const char *name = json_string_value(
		json_object_get(json_array_get(a->manifest, i), "Config"));

	return name ? name : "";
}

static int read_configs(struct archive *a, struct err *err)
{
	_cleanup_tar_ struct tar t = { 0 };
	int rc;

	if (tar_open(&t, a->path, err) < 0)
		return -1;
	while ((rc = tar_next(&t, err)) == 1) {
		_cleanup_free_ char *text = NULL;

		for (size_t i = 0; i < a->n; i++) {
			if (!t.plain || strcmp(t.name, config_name(a, i)) != 0)
				continue;
			if (!text && !(text = tar_text(&t, err)))
				return -1;
			describe(&a->images[i], text, (size_t)t.size);
		}
	}
	for (size_t i = 0; rc == 0 && i < a->n; i++)
		if (!a->images[i].digest[0])
			rc = bad(&t, "an image of its manifest.json has no configuration", err);
	return rc;
}

int archive_open(struct archive *a, const char *path, struct err *err)
{
	*a = (struct archive){ .path = str_fmt("%s", path) };
	a->manifest = read_manifest(path, err);
	if (a->manifest) {
		a->n = json_array_size(a->manifest);
		a->images = calloc(a->n, sizeof(*a->images));
		if (!a->images)
			abort();
		if (read_configs(a, err) == 0)
			return 0;
	}
	archive_close(a);
	return -1;
}

void archive_close(struct archive *a)
{
	free(a->path);
	free(a->images);
	json_decref(a->manifest);
	*a = (struct archive){ 0 };
}

const char *archive_tag(const struct archive *a, size_t i, size_t t)
{
	json_t *tags = json_object_get(json_array_get(a->manifest, i), "RepoTags");

	return json_string_value(json_array_get(tags, t));
}

/* What uname(2) calls a machine, and what images do (GOARCH). */
static const struct {
	const char *machine, *platform, *older; /* older: 32-bit programs that it runs too */
} machines[] = {
	{ "x86_64", "linux/amd64", "linux/386" }, { "aarch64", "linux/arm64", "linux/arm" },
	{ "armv7l", "linux/arm", NULL },	  { "riscv64", "linux/riscv64", NULL },
	{ "ppc64le", "linux/ppc64le", NULL },	  { "s390x", "linux/s390x", NULL },
};

/* Its row in the table, -1 = none. */
static int this_machine(void)
{
	struct utsname u;

	if (uname(&u) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (strcmp(machines[i].machine, u.machine) == 0)
			return (int)i;
	return -1;
}

const char *archive_platform(void)
{
	int i = this_machine();

	return i < 0 ? "" : machines[i].platform;
}

/* The same, whatever the variant ("linux/arm64/v8"). */
static bool same_platform(const char *image, const char *machine)
{
	size_t n = strlen(machine);

	return strncmp(image, machine, n) == 0 && (image[n] == '\0' || image[n] == '/');
}

bool archive_runs_here(const struct archive_image *image)
{
	int i = this_machine();

	return !*image->platform || i < 0 || same_platform(image->platform, machines[i].platform) ||
	       (machines[i].older && same_platform(image->platform, machines[i].older));
}

/* ---- writing ---- */

static int put(FILE *out, const void *data, size_t len, struct err *err)
{
	return fwrite(data, 1, len, out) == len ? 0 : err_errno(err, "writing an archive");
}

static int put_header(FILE *out, const char *name, uint64_t size, struct err *err)
{
	static const char magic[8] = { 'u', 's', 't', 'a', 'r', '\0', '0', '0' };
	char h[BLOCK] = { 0 };

	(void)snprintf(h, 100, "%s", name);
	(void)snprintf(h + 100, 8, "%07o", 0644);
	(void)snprintf(h + 108, 8, "%07o", 0);
	(void)snprintf(h + 116, 8, "%07o", 0);
	(void)snprintf(h + 124, 12, "%011llo", (unsigned long long)size);
	(void)snprintf(h + 136, 12, "%011o", 0);
	h[156] = '0';
	memcpy(h + 257, magic, sizeof(magic));
	(void)snprintf(h + 148, 8, "%06o", header_sum((const unsigned char *)h));
	h[155] = ' ';
	return put(out, h, sizeof(h), err);
}

/* The entry's data and its padding. */
static int copy_entry(struct tar *t, FILE *out, struct err *err)
{
	char buf[65536];

	if (put_header(out, t->name, t->size, err) < 0)
		return -1;
	while (t->left) {
		unsigned want = t->left < sizeof(buf) ? (unsigned)t->left : (unsigned)sizeof(buf);

		if (gzread(t->file, buf, want) != (int)want)
			return bad(t, "it ends too early", err);
		if (put(out, buf, want, err) < 0)
			return -1;
		t->left -= want;
	}
	return 0;
}

static bool belongs(json_t *image, const char *config, const char *name)
{
	json_t *layer;
	size_t i;

	if (strcmp(config, name) == 0)
		return true;
	json_array_foreach(json_object_get(image, "Layers"), i,
			   layer) if (json_is_string(layer) &&
				      strcmp(json_string_value(layer), name) == 0) return true;
	return false;
}

static int put_manifest(FILE *out, json_t *image, struct err *err)
{
	static const char zeros[2 * BLOCK];
	_cleanup_json_ json_t *list = json_pack("[O]", image);
	_cleanup_free_ char *text = json_dumps(list, JSON_COMPACT);
	size_t len = text ? strlen(text) : 0;

	if (!text)
		abort();
	if (put_header(out, "manifest.json", len, err) < 0 || put(out, text, len, err) < 0 ||
	    put(out, zeros, (BLOCK - len % BLOCK) % BLOCK, err) < 0)
		return -1;
	return 0;
}

static int write_split(const struct archive *a, size_t i, FILE *out, struct err *err)
{
	static const char zeros[2 * BLOCK]; /* the end of a tar */
	_cleanup_tar_ struct tar t = { 0 };
	json_t *image = json_array_get(a->manifest, i);
	size_t want = 1 + json_array_size(json_object_get(image, "Layers")), got = 0;
	int rc;

	if (put_manifest(out, image, err) < 0 || tar_open(&t, a->path, err) < 0)
		return -1;
	while ((rc = tar_next(&t, err)) == 1) {
		if (!t.plain || !belongs(image, config_name(a, i), t.name))
			continue;
		if (copy_entry(&t, out, err) < 0)
			return -1;
		got++;
	}
	if (rc == 0 && got != want)
		rc = bad(&t, "a layer is missing in it", err);
	return rc < 0 ? -1 : put(out, zeros, sizeof(zeros), err);
}

int archive_split(const struct archive *a, size_t i, const char *path, struct err *err)
{
	_cleanup_free_ char *tmp = str_fmt("%s.%d.tmp", path, (int)getpid());
	FILE *out = fopen(tmp, "wbe");
	int rc;

	if (!out)
		return err_errno(err, "%s", tmp);
	rc = write_split(a, i, out, err);
	if (fclose(out) != 0 && rc == 0)
		rc = err_errno(err, "%s", tmp);
	if (rc == 0 && rename(tmp, path) < 0)
		rc = err_errno(err, "%s", path);
	if (rc < 0)
		(void)unlink(tmp);
	return rc;
}
