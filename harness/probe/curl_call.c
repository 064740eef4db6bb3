/* SPDX-License-Identifier: MIT */
/* One libcurl request in a network namespace; shared by http_get and the workload. */
#include "probe/curl_call.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "capture/netns.h"
#include "probe/resolve.h"

#define BODY_MAX ((size_t)1 << 20)

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void global_init(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t on_body(char *data, size_t one, size_t n, void *arg)
{
	struct curl_call *c = arg;
	char *bigger;

	if (c->len + n > BODY_MAX)
		return 0;
	bigger = realloc(c->body, c->len + n + 1);
	if (!bigger)
		return 0;
	memcpy(bigger + c->len, data, n);
	c->body = bigger;
	c->len += n;
	c->body[c->len] = '\0';
	return n * one;
}

static size_t on_header(char *data, size_t one, size_t n, void *arg)
{
	static const char name[] = "set-cookie:";
	struct curl_call *c = arg;
	_cleanup_free_ char *line = str_fmt("%.*s", (int)n, data);
	char *value;

	if (strncasecmp(line, name, sizeof(name) - 1) == 0) {
		value = line + sizeof(name) - 1;
		value += strspn(value, " ");
		value[strcspn(value, ";\r\n")] = '\0';
		free(c->set_cookie);
		c->set_cookie = str_fmt("%s", value);
	}
	return n * one;
}

/* A file that cannot be read is refused here: libcurl alone would send the head of the form, and take what the server says
 * to that for an answer when it comes first. */
static CURLcode add_form(CURL *curl, const struct curl_call *c, curl_mime **mime)
{
	curl_mimepart *part;
	CURLcode rc;

	*mime = curl_mime_init(curl);
	part = curl_mime_addpart(*mime);
	(void)curl_mime_name(part, "torrents");
	rc = curl_mime_filedata(part, c->file);
	(void)curl_mime_type(part, "application/x-bittorrent");
	if (c->savepath) {
		part = curl_mime_addpart(*mime);
		(void)curl_mime_name(part, "savepath");
		(void)curl_mime_data(part, c->savepath, CURL_ZERO_TERMINATED);
	}
	(void)curl_easy_setopt(curl, CURLOPT_MIMEPOST, *mime);
	return rc;
}

static void set_options(CURL *curl, struct curl_call *c)
{
	(void)curl_easy_setopt(curl, CURLOPT_URL, c->url);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(c->timeout_ns / NS_PER_MS));
	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, c->error);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, c);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, c);
	if (c->referer)
		(void)curl_easy_setopt(curl, CURLOPT_REFERER, c->referer);
	if (c->cookie)
		(void)curl_easy_setopt(curl, CURLOPT_COOKIE, c->cookie);
	if (c->post)
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, c->post);
}

static bool is_numeric(const char *host)
{
	uint8_t bin[16];

	return host[0] == '[' || inet_pton(AF_INET, host, bin) == 1;
}

/* The host of the URL as libcurl wants to be told of it, "name:port:address"; NULL when it is numeric, is no URL, or
 * nobody knows it: then libcurl says what is wrong. */
static struct curl_slist *look_up(const struct curl_call *c)
{
	struct curl_slist *list = NULL;
	CURLU *u = curl_url();
	char *host = NULL, *port = NULL;
	char address[RESOLVE_TEXT];

	if (curl_url_set(u, CURLUPART_URL, c->url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	    !is_numeric(host) && resolve_v4(c->resolv_conf, host, address) == 0) {
		_cleanup_free_ char *row = str_fmt("%s:%s:%s", host, port, address);

		list = curl_slist_append(NULL, row);
	}
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(u);
	return list;
}

/* In a thread inside the namespace; libcurl's sockets are made here. */
static int perform(void *arg, struct err *err)
{
	struct curl_call *c = arg;
	CURL *curl = curl_easy_init();
	struct curl_slist *known = NULL;
	curl_mime *mime = NULL;
	CURLcode rc = CURLE_OK;

	if (!curl)
		return err_set(err, EXIT_ENVIRONMENT, "libcurl");
	set_options(curl, c);
	if (c->resolv_conf && (known = look_up(c)))
		(void)curl_easy_setopt(curl, CURLOPT_RESOLVE, known);
	if (c->file)
		rc = add_form(curl, c, &mime);
	if (rc == CURLE_OK)
		rc = curl_easy_perform(curl);
	if (rc == CURLE_OK)
		(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &c->status);
	else if (!*c->error)
		(void)snprintf(c->error, sizeof(c->error), "%s", curl_easy_strerror(rc));
	curl_mime_free(mime);
	curl_easy_cleanup(curl);
	curl_slist_free_all(known);
	if (rc == CURLE_READ_ERROR || rc == CURLE_URL_MALFORMAT || rc == CURLE_UNSUPPORTED_PROTOCOL)
		return err_set(err, EXIT_USAGE, "%s: %s", c->file ? c->file : c->url, c->error);
	return 0;
}

int curl_call(struct curl_call *c, struct err *err)
{
	int rc;

	(void)pthread_once(&once, global_init);
	c->status = 0;
	c->body = c->set_cookie = NULL;
	c->len = 0;
	c->error[0] = '\0';
	rc = netns_call(c->netns_fd, perform, c, err);
	if (!c->body)
		c->body = str_fmt("%s", "");
	if (rc < 0) {
		free(c->body);
		free(c->set_cookie);
		c->body = c->set_cookie = NULL;
	}
	return rc;
}
