/* SPDX-License-Identifier: MIT */
/* One HTTP request from inside a network namespace, with a time limit ("what is my IP"). */
#ifndef PROBE_HTTP_GET_H
#define PROBE_HTTP_GET_H

#include <stdint.h>

#include "base/err.h"

struct http_answer {
	long status;	    /* HTTP status; 0 = no answer */
	char *body;	    /* NUL-terminated, at most 1 MiB; never NULL after success */
	char error[256];    /* why there was no answer, "" when there was one */
	int64_t begin, end; /* REALTIME ns */
};

/* GET url. A refused or timed-out request is an answer with status 0, not an error; -1 only when the harness itself
 * failed. A host that is a name is asked of the first name server of resolv_conf, from inside the namespace; NULL:
 * only numeric hosts. */
int http_get(int netns_fd, const char *url, const char *resolv_conf, int64_t timeout_ns,
	     struct http_answer *out, struct err *err);
void http_answer_free(struct http_answer *a);

#endif
