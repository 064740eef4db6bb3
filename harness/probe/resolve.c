// SPDX-License-Identifier: MIT
/* A name looked up as a container does, by the C library's own resolver with a server of our choice. */
#include "probe/resolve.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define CONF_MAX   ((size_t)64 << 10)
#define ANSWER_MAX 4096

/* The first "nameserver" line with an IPv4 address (resolv.conf(5)). */
static int name_server(const char *path, struct in_addr *server)
{
	_cleanup_free_ char *text = fs_read(path, CONF_MAX, NULL, NULL);
	char *rest = NULL;

	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		size_t n = strspn(line, " \t");

		if (strncmp(line + n, "nameserver", 10) != 0)
			continue;
		n += 10;
		n += strspn(line + n, " \t");
		line[n + strcspn(line + n, " \t\r#;")] = '\0';
		if (inet_pton(AF_INET, line + n, server) == 1)
			return 0;
	}
	return -1;
}

/* The first A record of an answer. */
static int first_address(const unsigned char *answer, int len, char address[RESOLVE_TEXT])
{
	ns_msg m;
	ns_rr rr;

	if (ns_initparse(answer, len, &m) < 0)
		return -1;
	for (int i = 0; i < ns_msg_count(m, ns_s_an); i++)
		if (ns_parserr(&m, ns_s_an, i, &rr) == 0 && ns_rr_type(rr) == ns_t_a &&
		    ns_rr_rdlen(rr) == 4 &&
		    inet_ntop(AF_INET, ns_rr_rdata(rr), address, RESOLVE_TEXT))
			return 0;
	return -1;
}

int resolve_v4(const char *resolv_conf, const char *name, char address[RESOLVE_TEXT])
{
	unsigned char answer[ANSWER_MAX];
	struct __res_state st;
	struct in_addr server;
	int len;

	if (name_server(resolv_conf, &server) < 0)
		return -1;
	memset(&st, 0, sizeof(st));
	if (res_ninit(&st) < 0)
		return -1;
	st.nscount = 1;
	st.nsaddr_list[0] = (struct sockaddr_in){ .sin_family = AF_INET,
						  .sin_port = htons(NS_DEFAULTPORT),
						  .sin_addr = server };
	st.retrans = 2;
	st.retry = 2;
	len = res_nquery(&st, name, ns_c_in, ns_t_a, answer, sizeof(answer));
	res_nclose(&st);
	if (len < 0)
		return -1;
	return first_address(answer, len < ANSWER_MAX ? len : ANSWER_MAX, address);
}
