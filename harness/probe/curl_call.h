/* SPDX-License-Identifier: MIT */
/* One libcurl request in a network namespace; shared by http_get and the workload. */
#ifndef PROBE_CURL_CALL_H
#define PROBE_CURL_CALL_H

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct curl_call {
	int netns_fd; /* -1 = the caller's */
	const char *url;
	/* resolv.conf whose first IPv4 name server is asked, from inside the namespace, when the URL's host is a
	 * name; NULL = no resolver is asked */
	const char *resolv_conf;
	const char *post;     /* body of an urlencoded POST, NULL = GET */
	const char *referer;  /* NULL = none */
	const char *cookie;   /* "name=value", NULL = none */
	const char *file;     /* path: posted as multipart field "torrents", with ... */
	const char *savepath; /* ... this second field, NULL = none */
	int64_t timeout_ns;
	/* results; body and set_cookie are the caller's to free */
	long status; /* 0 = no answer */
	char *body;  /* NUL-terminated, at most 1 MiB, never NULL after success */
	size_t len;
	char *set_cookie; /* "name=value" of the answer's last Set-Cookie, NULL = none */
	char error[CURL_ERROR_SIZE];
};

/* 0 also when nobody answered (status 0, error says why); -1 when the request could not be made at all. */
int curl_call(struct curl_call *c, struct err *err);

#endif
