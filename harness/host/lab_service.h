/* SPDX-License-Identifier: MIT */
/* The services of the lab's nodes; used by their inits alone. */
#ifndef HOST_LAB_SERVICE_H
#define HOST_LAB_SERVICE_H

#include "host/host_internal.h"

/* Start every service of the node, in the order of the table. */
int lab_services_start(struct host *h, enum node_index node, struct err *err);

/* Reap, restart what ended after two seconds, obey hold files (LAB_HOLD); never returns. */
void lab_services_keep(struct host *h) __attribute__((noreturn));

#endif
