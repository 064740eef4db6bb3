// SPDX-License-Identifier: MIT
/* The few calls to a Docker Engine's socket that move whole images. */
#include "stack/images_docker.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define ASK_S  10L
#define MOVE_S 600L

struct text {
	char *data;
	size_t len;
};

static size_t add_text(char *data, size_t size, size_t n, void *arg)
{
	struct text *t = arg;
	char *more = realloc(t->data, t->len + size * n + 1);

	if (!more)
		abort();
	memcpy(more + t->len, data, size * n);
	t->data = more;
	t->len += size * n;
	t->data[t->len] = '\0';
	return size * n;
}

static size_t add_file(char *data, size_t size, size_t n, void *arg)
{
	return fwrite(data, 1, size * n, arg);
}

static size_t from_file(char *data, size_t size, size_t n, void *arg)
{
	return fread(data, 1, size * n, arg);
}

/* A prepared handle for one call; NULL without a libcurl. */
static CURL *prepare(const char *socket, const char *path, long seconds)
{
	_cleanup_free_ char *url = str_fmt("http://docker%s", path);
	CURL *c = curl_easy_init();

	if (!c)
		return NULL;
	(void)curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, socket);
	(void)curl_easy_setopt(c, CURLOPT_URL, url);
	(void)curl_easy_setopt(c, CURLOPT_TIMEOUT, seconds);
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	return c;
}

/* HTTP status of the call, 0 = there was no answer. */
static long perform(CURL *c)
{
	CURLcode rc = curl_easy_perform(c);
	long status = 0;

	if (rc == CURLE_OK)
		(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(c);
	return status;
}

static json_t *get_json(const char *socket, const char *path)
{
	struct text t = { 0 };
	CURL *c = prepare(socket, path, ASK_S);
	json_t *v = NULL;

	if (!c)
		return NULL;
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, add_text);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, &t);
	if (perform(c) == 200 && t.data)
		v = json_loads(t.data, 0, NULL);
	free(t.data);
	return v;
}

json_t *docker_images(const char *socket)
{
	return get_json(socket, "/images/json");
}

char *docker_image_id(const char *socket, const char *reference)
{
	_cleanup_free_ char *path = str_fmt("/images/%s/json", reference);
	_cleanup_json_ json_t *v = get_json(socket, path);
	const char *id = json_string_value(json_object_get(v, "Id"));

	return id ? str_fmt("%s", id) : NULL;
}

int docker_save(const char *socket, const char *reference, const char *path, struct err *err)
{
	_cleanup_free_ char *tmp = str_fmt("%s.%d.tmp", path, (int)getpid());
	_cleanup_free_ char *what = str_fmt("/images/%s/get", reference);
	FILE *f = fopen(tmp, "wbe");
	long status = 0;
	bool whole;
	CURL *c;

	if (!f)
		return err_errno(err, "%s", tmp);
	c = prepare(socket, what, MOVE_S);
	if (c) {
		(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, add_file);
		(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
		status = perform(c);
	}
	whole = fclose(f) == 0 && status == 200;
	if (whole && rename(tmp, path) == 0)
		return 0;
	(void)unlink(tmp);
	return err_set(err, EXIT_ENVIRONMENT,
		       "the machine's Docker does not give %s (HTTP status %ld)", reference,
		       status);
}

/* The engine answers 200 at once and says what went wrong in a JSON line of the body. */
static int load_result(long status, const struct text *t, const char *path, struct err *err)
{
	const char *at = t->data ? strstr(t->data, "\"error\":\"") : NULL;

	if (status == 200 && !at)
		return 0;
	return err_set(err, EXIT_ENVIRONMENT,
		       "the engine does not take %s (HTTP status %ld): %.300s", path, status,
		       t->data ? t->data : "no answer");
}

int docker_load(const char *socket, const char *path, struct err *err)
{
	_cleanup_fclose_ FILE *f = fopen(path, "rbe");
	struct curl_slist *type = NULL;
	struct text t = { 0 };
	struct stat st;
	long status = 0;
	CURL *c;
	int rc;

	if (!f || fstat(fileno(f), &st) < 0)
		return err_errno(err, "%s", path);
	c = prepare(socket, "/images/load?quiet=1", MOVE_S);
	if (c) {
		type = curl_slist_append(NULL, "Content-Type: application/x-tar");
		type = curl_slist_append(type, "Expect:");
		(void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, type);
		(void)curl_easy_setopt(c, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)st.st_size);
		(void)curl_easy_setopt(c, CURLOPT_READFUNCTION, from_file);
		(void)curl_easy_setopt(c, CURLOPT_READDATA, f);
		(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, add_text);
		(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, &t);
		status = perform(c);
		curl_slist_free_all(type);
	}
	rc = load_result(status, &t, path, err);
	free(t.data);
	return rc;
}
