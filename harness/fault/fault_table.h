/* SPDX-License-Identifier: MIT */
/* The kinds of faults, in the order of `leakproof list faults`. */
#ifndef FAULT_FAULT_TABLE_H
#define FAULT_FAULT_TABLE_H

#define FAULT_TABLE(X)            \
	X(vpn_process_kill)       \
	X(vpn_container_kill)     \
	X(vpn_container_recreate) \
	X(vpn_server_blackhole)   \
	X(dns_outage)             \
	X(container_crash)        \
	X(net_partition)          \
	X(null)

#endif
