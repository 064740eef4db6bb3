// SPDX-License-Identifier: MIT
/* SIGINT and SIGTERM. */
#include "engine/stop.h"

#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t asked;

static void on_signal(int sig)
{
	static const char first[] = "\nstopping: undoing faults and taking the stack down "
				    "(once more: without waiting for the stack)\n";

	(void)sig;
	if (asked++ == 0)
		(void)!write(STDERR_FILENO, first, sizeof(first) - 1);
}

const volatile sig_atomic_t *stop_install(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	(void)sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGHUP, &sa, NULL);
	return &asked;
}
