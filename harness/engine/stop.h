/* SPDX-License-Identifier: MIT */
/* SIGINT and SIGTERM: the first asks for an orderly end, the second of them for a quicker one. */
#ifndef ENGINE_STOP_H
#define ENGINE_STOP_H

#include <signal.h>

/* Counts the signals; 0 = go on. Points into static storage. */
const volatile sig_atomic_t *stop_install(void);

#endif
