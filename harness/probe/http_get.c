/* SPDX-License-Identifier: MIT */
/* One HTTP request from inside a network namespace, with a time limit ("what is my IP"). */
#include "probe/http_get.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "probe/curl_call.h"

int http_get(int netns_fd, const char *url, const char *resolv_conf, int64_t timeout_ns,
	     struct http_answer *out, struct err *err)
{
	struct curl_call c = { .netns_fd = netns_fd,
			       .url = url,
			       .resolv_conf = resolv_conf,
			       .timeout_ns = timeout_ns };
	int64_t begin = clock_real_ns();

	if (curl_call(&c, err) < 0)
		return err_wrap(err, "request to %s", url);
	out->begin = begin;
	out->end = clock_real_ns();
	out->status = c.status;
	out->body = c.body;
	(void)snprintf(out->error, sizeof(out->error), "%s", c.error);
	free(c.set_cookie);
	return 0;
}

void http_answer_free(struct http_answer *a)
{
	free(a->body);
	a->body = NULL;
}
