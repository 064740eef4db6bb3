/* SPDX-License-Identifier: MIT */
/* One row a kind of probe: add the name here and the file probe_<name>.c. No include guard on purpose. */
PROBE_ROW(udp)
PROBE_ROW(tcp)
PROBE_ROW(dns)
PROBE_ROW(dns_public)
PROBE_ROW(icmp)
PROBE_ROW(kept)
