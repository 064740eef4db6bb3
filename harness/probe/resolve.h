/* SPDX-License-Identifier: MIT */
/* A name looked up as a container does: from its namespace, at the name server of its own resolv.conf. */
#ifndef PROBE_RESOLVE_H
#define PROBE_RESOLVE_H

#define RESOLVE_TEXT 16 /* "255.255.255.255" and NUL */

/* The first IPv4 address of a name, by the first IPv4 name server of a resolv.conf; the query leaves from the
 * calling thread's network namespace. Some 4 s at the most. -1: no such file or server, no answer, no address. */
int resolve_v4(const char *resolv_conf, const char *name, char address[RESOLVE_TEXT]);

#endif
