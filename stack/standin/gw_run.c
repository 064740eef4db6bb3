// SPDX-License-Identifier: MIT
/* Time, log and child processes of the gateway stand-in. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gateway.h"

#define ARGS_MAX  48
#define LINE_MAX_ 1024

int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void sleep_ms(int64_t ms)
{
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

static void say_line(const char *who, const char *fmt, va_list ap)
{
	printf("[%s] ", who);
	(void)vprintf(fmt, ap);
	printf("\n");
	(void)fflush(stdout);
}

void say(const char *who, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_line(who, fmt, ap);
	va_end(ap);
}

void die(const char *who, const char *fmt, ...)
{
	va_list ap;

	printf("ERROR ");
	va_start(ap, fmt);
	say_line(who, fmt, ap);
	va_end(ap);
	exit(1);
}

pid_t fork_plain(void)
{
	pid_t pid = fork();
	sigset_t none;

	if (pid == 0) {
		(void)sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
	}
	return pid;
}

pid_t spawn(char *const argv[], int in, int out, bool quiet)
{
	pid_t pid = fork_plain();

	if (pid != 0)
		return pid;
	if (in >= 0)
		(void)dup2(in, STDIN_FILENO);
	if (out >= 0)
		(void)dup2(out, STDOUT_FILENO);
	if (quiet) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		(void)dup2(null, STDERR_FILENO);
		if (out < 0)
			(void)dup2(null, STDOUT_FILENO);
	}
	(void)execvp(argv[0], argv);
	_exit(127);
}

static int wait_for(pid_t pid)
{
	int status = 0;

	if (pid < 0)
		return 127;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Blanks separate, as in upstream's own splitting of a line: no quotes. Words point into line. */
static void split(char *line, char *argv[ARGS_MAX + 1])
{
	char *save = NULL;
	size_t n = 0;

	for (char *w = strtok_r(line, " \t\r", &save); w && n < ARGS_MAX;
	     w = strtok_r(NULL, " \t\r", &save))
		argv[n++] = w;
	argv[n] = NULL;
}

int run_line(const char *line, bool quiet)
{
	char buf[LINE_MAX_], *argv[ARGS_MAX + 1];

	(void)snprintf(buf, sizeof(buf), "%s", line);
	split(buf, argv);
	return argv[0] ? wait_for(spawn(argv, -1, -1, quiet)) : 0;
}

int run(const char *fmt, ...)
{
	char line[LINE_MAX_];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return run_line(line, false);
}

int run_quiet(const char *fmt, ...)
{
	char line[LINE_MAX_];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return run_line(line, true);
}

char *capture(const char *line)
{
	char buf[LINE_MAX_], *argv[ARGS_MAX + 1];
	char *text = calloc(1, TEXT_MAX);
	size_t len = 0;
	ssize_t n;
	int fds[2];
	pid_t pid;

	(void)snprintf(buf, sizeof(buf), "%s", line);
	split(buf, argv);
	if (!text || !argv[0] || pipe2(fds, O_CLOEXEC) < 0) {
		free(text);
		return NULL;
	}
	pid = spawn(argv, -1, fds[1], true);
	(void)close(fds[1]);
	while (len < TEXT_MAX - 1 && (n = read(fds[0], text + len, TEXT_MAX - 1 - len)) > 0)
		len += (size_t)n;
	(void)close(fds[0]);
	if (wait_for(pid) == 0)
		return text;
	free(text);
	return NULL;
}

int feed(char *const argv[], const char *text)
{
	int fds[2];
	size_t len = strlen(text);
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return 127;
	pid = spawn(argv, fds[0], -1, false);
	(void)close(fds[0]);
	n = write(fds[1], text, len);
	(void)close(fds[1]);
	return wait_for(pid) == 0 && n == (ssize_t)len ? 0 : 1;
}

void end_child(pid_t *pid)
{
	int64_t until = now_ms() + 1500;

	if (*pid <= 1)
		return;
	(void)kill(*pid, SIGTERM);
	while (waitpid(*pid, NULL, WNOHANG) == 0) {
		if (now_ms() > until)
			(void)kill(*pid, SIGKILL);
		sleep_ms(5);
	}
	*pid = 0;
}
