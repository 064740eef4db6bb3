/* SPDX-License-Identifier: MIT */
/* The one error object: filled where something fails, wrapped upwards, printed once by the command. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/* Exit statuses of the program (design: pass, leak, usage, environment, inconclusive). */
enum exit_status {
	EXIT_PASS = 0,
	EXIT_LEAK = 1,
	EXIT_USAGE = 2,
	EXIT_ENVIRONMENT = 3,
	EXIT_INCONCLUSIVE = 4,
};

struct err {
	int status; /* enum exit_status that the command ends with; 0 = no error */
	char text[1024];
};

/* Fill *err (may be NULL) and return -1, so that callers can `return err_set(...)`. */
int err_set(struct err *err, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Like err_set with EXIT_ENVIRONMENT, and append ": " and the text of errno as it was at the call. */
int err_errno(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Put "fmt: " before the text that is already there; keeps the status. Returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
