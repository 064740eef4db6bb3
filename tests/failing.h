/* SPDX-License-Identifier: MIT */
/* What cmocka's header leaves unsaid, for whoever reads a test without running it: compilers and the analyzer. */
#ifndef TESTS_FAILING_H
#define TESTS_FAILING_H

/* fail() and fail_msg(): they end the test. */
void _fail(const char *const file, const int line) __attribute__((noreturn));

#endif
