// SPDX-License-Identifier: MIT
/* The Docker Engine's HTTP API over its unix socket, by libcurl. */
#include "host/engine_api.h"

#include <curl/curl.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define ANSWER_MAX ((size_t)64 << 20)
#define GET_MS	   10000L
#define POST_MS	   60000L

struct answer {
	char *data;
	size_t len;
	long status;
};

static void curl_start(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t collect(char *data, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;
	size_t len = size * n;
	char *bigger = a->len + len > ANSWER_MAX ? NULL : realloc(a->data, a->len + len + 1);

	if (!bigger)
		return 0;
	a->data = bigger;
	memcpy(a->data + a->len, data, len);
	a->len += len;
	a->data[a->len] = '\0';
	return len;
}

/* curl's own message, or its generic one. */
static int transport_error(const struct host *h, const char *path, CURLcode rc, const char *text,
			   struct err *err)
{
	return err_set(err, EXIT_ENVIRONMENT, "Docker Engine at %s: %s: %s", host_socket(h), path,
		       *text ? text : curl_easy_strerror(rc));
}

static int perform(const struct host *h, const char *method, const char *path, const char *body,
		   long timeout_ms, struct answer *a, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	_cleanup_free_ char *url = str_fmt("http://docker%s", path);
	struct curl_slist *headers = NULL;
	char text[CURL_ERROR_SIZE] = "";
	CURL *c;
	CURLcode rc;

	(void)pthread_once(&once, curl_start);
	c = curl_easy_init();
	if (!c)
		return err_set(err, EXIT_ENVIRONMENT, "libcurl cannot be started");
	headers = curl_slist_append(headers, "Content-Type: application/json");
	/* Without this curl waits a second for "100 Continue" on larger bodies. */
	headers = curl_slist_append(headers, "Expect:");
	(void)curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, host_socket(h));
	(void)curl_easy_setopt(c, CURLOPT_URL, url);
	(void)curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
	(void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, timeout_ms);
	(void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, text);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, collect);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, a);
	if (body)
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
	rc = curl_easy_perform(c);
	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &a->status);
	curl_slist_free_all(headers);
	curl_easy_cleanup(c);
	return rc == CURLE_OK ? 0 : transport_error(h, path, rc, text, err);
}

/* The engine's answer to a request it refuses is {"message": "..."}. */
static int refused(const char *method, const char *path, const struct answer *a, struct err *err)
{
	_cleanup_json_ json_t *body = a->data ? json_loads(a->data, 0, NULL) : NULL;
	const char *message = json_string_value(json_object_get(body, "message"));

	return err_set(err, EXIT_ENVIRONMENT, "Docker Engine: %s %s: status %ld: %.600s", method,
		       path, a->status,
		       message	 ? message
		       : a->data ? a->data
				 : "");
}

/* The JSON of an answer; NULL with an error. A body of several documents (progress lines) gives the first. */
static json_t *parse(const char *path, const struct answer *a, struct err *err)
{
	json_error_t why;
	json_t *j;

	if (a->len == 0)
		return json_null();
	j = json_loadb(a->data, a->len, JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, &why);
	if (!j)
		err_set(err, EXIT_ENVIRONMENT, "Docker Engine: %s: not JSON: %s", path, why.text);
	return j;
}

static json_t *request(const struct host *h, const char *method, const char *path, const char *body,
		       long timeout_ms, long *status, struct err *err)
{
	struct answer a = { 0 };
	json_t *j = NULL;

	if (perform(h, method, path, body, timeout_ms, &a, err) == 0) {
		if (a.status >= 400)
			(void)refused(method, path, &a, err);
		else
			j = parse(path, &a, err);
	}
	if (status)
		*status = a.status;
	free(a.data);
	return j;
}

json_t *engine_get(const struct host *h, const char *path, struct err *err)
{
	return request(h, "GET", path, NULL, GET_MS, NULL, err);
}

json_t *engine_find(const struct host *h, const char *path, struct err *err)
{
	struct err mine = { 0 };
	long status = 0;
	json_t *j = request(h, "GET", path, NULL, GET_MS, &status, &mine);

	if (status == 404)
		mine = (struct err){ 0 };
	if (!j && err)
		*err = mine;
	return j;
}

json_t *engine_post(const struct host *h, const char *path, json_t *body, long *http_status,
		    struct err *err)
{
	_cleanup_free_ char *text = body ? json_dumps(body, JSON_COMPACT) : str_fmt("%s", "");

	return request(h, "POST", path, text, POST_MS, http_status, err);
}

int engine_delete(const struct host *h, const char *path, long *http_status, struct err *err)
{
	_cleanup_json_ json_t *j = request(h, "DELETE", path, NULL, POST_MS, http_status, err);

	return j ? 0 : -1;
}

/* ---- process ids across namespaces ---- */

/* Are both paths links to the same namespace? (ioctl_ns(2): device and inode number name it.) */
static bool same_namespace(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Is `pid` among the ids that a process has, outermost first, in /proc/PID/status? */
static bool has_inner_pid(const char *outer, long pid)
{
	_cleanup_free_ char *path = str_fmt("/proc/%s/status", outer);
	_cleanup_free_ char *text = fs_read(path, 65536, NULL, NULL);
	const char *line = text ? strstr(text, "\nNSpid:") : NULL;
	char *end;

	if (!line)
		return false;
	for (const char *p = line + strlen("\nNSpid:"); *p && *p != '\n'; p = end) {
		long value = strtol(p, &end, 10);

		if (end == p)
			return false;
		if (value == pid)
			return true;
	}
	return false;
}

static pid_t outer_pid(const struct host *h, long inner)
{
	_cleanup_free_ char *want = str_fmt("%s/proc/%ld/ns/pid", host_root(h), inner);
	_cleanup_closedir_ DIR *proc = opendir("/proc");
	const struct dirent *e;

	while (proc && (e = readdir(proc))) {
		_cleanup_free_ char *have = str_fmt("/proc/%s/ns/pid", e->d_name);

		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && same_namespace(want, have) &&
		    has_inner_pid(e->d_name, inner))
			return (pid_t)strtol(e->d_name, NULL, 10);
	}
	return -1;
}

pid_t engine_container_pid(const struct host *h, const char *name, struct err *err)
{
	_cleanup_free_ char *path = str_fmt("/containers/%s/json", name);
	_cleanup_json_ json_t *c = engine_get(h, path, err);
	json_int_t pid;
	pid_t found;

	if (!c)
		return -1;
	pid = json_integer_value(json_object_get(json_object_get(c, "State"), "Pid"));
	/* 0 between two lives: never a process to signal. */
	if (pid <= 0)
		return (pid_t)err_set(err, EXIT_ENVIRONMENT, "container %s does not run", name);
	found = outer_pid(h, (long)pid);
	if (found <= 1)
		return (pid_t)err_set(err, EXIT_ENVIRONMENT,
				      "container %s: its process %lld has gone", name,
				      (long long)pid);
	return found;
}
