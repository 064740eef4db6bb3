// SPDX-License-Identifier: MIT
/* First process of the gateway stand-in: upstream's order of things at the start, signals, children, two servers. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway.h"

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (!dns_ended(pid, status))
			(void)vpn_ended(pid);
	}
}

static void take_signal(int fd)
{
	struct signalfd_siginfo s;

	if (read(fd, &s, sizeof(s)) != (ssize_t)sizeof(s) || s.ssi_signo == SIGCHLD)
		return;
	say("main", "WARN Caught OS signal %s, shutting down", strsignal((int)s.ssi_signo));
	vpn_stop();
	dns_stop();
	net_tear_down();
	say("main", "Shutdown successful");
	exit(0);
}

static int signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void take_health(void)
{
	const char *why = health_read();

	if (why)
		vpn_restart(why);
	else
		vpn_checked();
}

static void loop(int sig, int health, int control)
{
	for (;;) {
		struct pollfd p[] = { { .fd = sig, .events = POLLIN },
				      { .fd = health, .events = POLLIN },
				      { .fd = control, .events = POLLIN },
				      { .fd = health_fd(), .events = POLLIN } };

		/* A child may have ended while another was waited for, its signal merged away. */
		(void)poll(p, 4, 1000);
		if (p[0].revents)
			take_signal(sig);
		reap();
		if (p[1].revents)
			health_serve(health);
		if (p[2].revents)
			control_serve(control);
		if (p[3].revents && p[3].fd == health_fd())
			take_health();
		vpn_tick();
		dns_tick();
	}
}

int main(int argc, char **argv)
{
	int sig, health, control;

	if (argc > 1 && strcmp(argv[1], "healthcheck") == 0)
		return healthcheck();
	if (argc > 1)
		die("main", "command is unknown: %s", argv[1]);
	sig = signals();
	firewall_on = setting_on("FIREWALL_ENABLED_DISABLING_IT_SHOOTS_YOU_IN_YOUR_FOOT", true);
	net_find();
	firewall_find();
	firewall_enable();
	/* Upstream looks at most settings only now, when the firewall is up. */
	vpn_check_settings();
	firewall_version();
	net_set_up();
	firewall_input();
	dns_find_local();
	health = http_listen(setting("HEALTH_SERVER_ADDRESS", "127.0.0.1:9999"));
	roles_read();
	control = http_listen(setting("HTTP_CONTROL_SERVER_ADDRESS", ":8000"));
	vpn_up();
	loop(sig, health, control);
	return 0;
}
