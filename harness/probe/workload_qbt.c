/* SPDX-License-Identifier: MIT */
/* The qBittorrent download, driven through its Web API v2 from inside the container's namespace. */
#include "probe/workload_qbt.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "probe/curl_call.h"

#define TIMEOUT (10 * NS_PER_S)

struct request {
	const char *path; /* "/api/v2/..." */
	const char *post;
	const char *file, *savepath;
};

static const char *base_of(const struct qbt_access *a)
{
	return a->url ? a->url : "http://127.0.0.1:8080";
}

static int send_request(const struct qbt_access *a, const struct request *r, const char *cookie,
			struct curl_call *c, struct err *err)
{
	_cleanup_free_ char *url = str_fmt("%s%s", base_of(a), r->path);

	*c = (struct curl_call){
		.netns_fd = a->netns_fd,
		.url = url,
		.post = r->post,
		.cookie = cookie,
		.file = r->file,
		.savepath = r->savepath,
		.timeout_ns = TIMEOUT,
		.referer = base_of(a), /* qBittorrent refuses requests from elsewhere (CSRF) */
	};
	if (curl_call(c, err) < 0)
		return err_wrap(err, "qBittorrent");
	c->url = c->cookie = NULL;
	if (c->status)
		return 0;
	(void)err_set(err, EXIT_ENVIRONMENT, "qBittorrent at %s: %s", base_of(a), c->error);
	free(c->body);
	free(c->set_cookie);
	c->body = c->set_cookie = NULL;
	return -1;
}

/* The session's cookie, NULL in *cookie when none is needed. */
static int login(const struct qbt_access *a, char **cookie, struct err *err)
{
	_cleanup_free_ char *user = NULL, *password = NULL, *post = NULL;
	struct curl_call c;
	int rc = 0;

	*cookie = NULL;
	if (!a->user)
		return 0;
	user = curl_easy_escape(NULL, a->user, 0);
	password = curl_easy_escape(NULL, a->password ? a->password : "", 0);
	post = str_fmt("username=%s&password=%s", user ? user : "", password ? password : "");
	if (send_request(a, &(struct request){ .path = "/api/v2/auth/login", .post = post }, NULL,
			 &c, err) < 0)
		return -1;
	/* Refused: 200 with "Fails." up to version 5.1, 401 or 403 otherwise. */
	if (c.status >= 400 || strncmp(c.body, "Fails", 5) == 0)
		rc = err_set(err, EXIT_ENVIRONMENT, "qBittorrent: login refused (status %ld)",
			     c.status);
	else
		*cookie = take_ptr(c.set_cookie);
	free(c.body);
	free(c.set_cookie);
	return rc;
}

/* One call of the API with a session; returns the body, which the caller frees. */
static char *api(const struct qbt_access *a, const struct request *r, struct err *err)
{
	_cleanup_free_ char *cookie = NULL;
	struct curl_call c;

	if (login(a, &cookie, err) < 0 || send_request(a, r, cookie, &c, err) < 0)
		return NULL;
	free(c.set_cookie);
	if (c.status >= 200 && c.status < 300)
		return c.body;
	(void)err_set(err, EXIT_ENVIRONMENT, "qBittorrent: %s: status %ld: %.200s", r->path,
		      c.status, c.body);
	free(c.body);
	return NULL;
}

char *workload_qbt_version(const struct qbt_access *a, struct err *err)
{
	return api(a, &(struct request){ .path = "/api/v2/app/version" }, err);
}

int workload_qbt_add(const struct qbt_access *a, const char *torrent_path, const char *save_path,
		     struct err *err)
{
	const struct request r = { .path = "/api/v2/torrents/add",
				   .file = torrent_path,
				   .savepath = save_path };
	_cleanup_free_ char *body = api(a, &r, err);

	if (!body)
		return -1;
	if (strncmp(body, "Fails", 5) == 0)
		return err_set(err, EXIT_ENVIRONMENT, "qBittorrent did not take %s", torrent_path);
	return 0;
}

static void copy(const json_t *t, const char *key, char *out, size_t size)
{
	const char *s = json_string_value(json_object_get(t, key));

	(void)snprintf(out, size, "%s", s ? s : "");
}

static int64_t number(const json_t *t, const char *key)
{
	return json_integer_value(json_object_get(t, key));
}

static void fill(const json_t *t, struct qbt_status *s)
{
	memset(s, 0, sizeof(*s));
	s->found = true;
	copy(t, "hash", s->hash, sizeof(s->hash));
	copy(t, "name", s->name, sizeof(s->name));
	copy(t, "state", s->state, sizeof(s->state));
	s->progress = json_number_value(json_object_get(t, "progress"));
	s->size = number(t, "size");
	s->completed = number(t, "completed");
	s->dlspeed = number(t, "dlspeed");
	s->upspeed = number(t, "upspeed");
	s->seeds = (int)number(t, "num_seeds");
	s->leeches = (int)number(t, "num_leechs");
	s->complete = s->progress >= 1.0 && number(t, "amount_left") == 0 &&
		      strncmp(s->state, "checking", 8) != 0 && strcmp(s->state, "moving") != 0;
}

int workload_qbt_status(const struct qbt_access *a, const char *which, struct qbt_status *out,
			struct err *err)
{
	_cleanup_free_ char *body = api(a, &(struct request){ .path = "/api/v2/torrents/info" },
					err);
	_cleanup_json_ json_t *list = body ? json_loads(body, 0, NULL) : NULL;
	struct qbt_status s, found = { 0 }; /* `which` may be out->hash */
	const json_t *t;
	size_t i;

	if (!body)
		return -1;
	if (!json_is_array(list))
		return err_set(err, EXIT_ENVIRONMENT,
			       "qBittorrent: list of torrents is no JSON array");
	json_array_foreach(list, i, t)
	{
		fill(t, &s);
		if (which && strcmp(which, s.hash) != 0 && strcmp(which, s.name) != 0)
			continue;
		found = s;
		break;
	}
	*out = found;
	return 0;
}

static int command(const struct qbt_access *a, const char *path, const char *hash, const char *more,
		   struct err *err)
{
	_cleanup_free_ char *post = str_fmt("hashes=%s%s", hash, more);
	_cleanup_free_ char *body = api(a, &(struct request){ .path = path, .post = post }, err);

	return body ? 0 : -1;
}

/* For some 100 ms the torrent still looks as before, complete that is; so wait for the check to begin. */
int workload_qbt_recheck(const struct qbt_access *a, const char *hash, struct err *err)
{
	struct qbt_status s;

	if (command(a, "/api/v2/torrents/recheck", hash, "", err) < 0)
		return -1;
	for (int i = 0; i < 40; i++) {
		if (workload_qbt_status(a, hash, &s, err) < 0)
			return -1;
		if (strncmp(s.state, "checking", 8) == 0)
			return 0;
		clock_sleep_ns(50 * NS_PER_MS);
	}
	return 0; /* a small torrent is checked between two looks */
}

int workload_qbt_delete(const struct qbt_access *a, const char *hash, bool files, struct err *err)
{
	return command(a, "/api/v2/torrents/delete", hash,
		       files ? "&deleteFiles=true" : "&deleteFiles=false", err);
}
