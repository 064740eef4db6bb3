// SPDX-License-Identifier: MIT
/* One tap on one interface until SIGTERM; then its accounting as JSON.
 * usage: tap INTERFACE FILE */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "capture/tap.h"

int main(int argc, char **argv)
{
	struct tap_spec spec = {
		.name = "bench", .role = "uplink", .netns_fd = -1, .ring_mib = 64
	};
	struct err err = { 0 };
	struct tap_stats st;
	struct tap *t;
	sigset_t end;
	int sig;

	if (argc != 3)
		return 2;
	spec.ifname = argv[1];
	spec.path = argv[2];
	spec.ring_mib = 512;
	memset(spec.nonce, 0x5a, sizeof(spec.nonce));
	(void)sigemptyset(&end);
	(void)sigaddset(&end, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &end, NULL); /* before the tap's thread, which inherits it */
	t = tap_start(&spec, &err);
	if (!t || tap_wait_armed(t, 10 * NS_PER_S, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 3;
	}
	(void)puts("armed");
	(void)fflush(stdout);
	(void)sigwait(&end, &sig);
	if (tap_stop(t, &err) < 0)
		(void)fprintf(stderr, "%s\n", err.text);
	tap_stats(t, &st);
	(void)printf("{\"received\": %llu, \"dropped\": %llu, \"delivered\": %llu, \"reconciled\": "
		     "%s}\n",
		     (unsigned long long)st.received, (unsigned long long)st.dropped,
		     (unsigned long long)st.delivered, st.reconciled ? "true" : "false");
	tap_free(t);
	return 0;
}
