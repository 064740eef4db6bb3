/* SPDX-License-Identifier: MIT */
/* What must not be in a report that is given away. */
#ifndef REPORT_REDACT_H
#define REPORT_REDACT_H

#include "base/err.h"
#include "result/result.h"

/* A copy of r to be given away; caller frees with result_free(). In every text of it
 *   - the real addresses (environment rows whose name begins with "real address"; a prefix length is allowed) stand
 *     as REDACTED-A, REDACTED-B, ... in every spelling: dotted, any IPv6 form, IPv4 in IPv6, in-addr.arpa and
 *     ip6.arpa names, with dashes, as hexadecimal digits; other addresses of a real IPv6 /64 as REDACTED-x-NET
 *   - keys of WireGuard, user:password@ in URLs, values of passkey=, token=, password= and the like stand as REDACTED
 *   - the name of a home directory stands as REDACTED
 * The value of environment row "hostname" is replaced, and links to packet slices are removed, because the slices
 * hold the real address. NULL and *err when r cannot be copied. */
struct result *redact_result(const struct result *r, struct err *err);

#endif
