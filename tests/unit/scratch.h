/* SPDX-License-Identifier: MIT */
/* A directory of its own for a group of tests. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <stdlib.h>

#include "base/fs.h"

static char dir[] = "/tmp/leakproof-test-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
	(void)state;
	return fs_remove_tree(dir, NULL);
}

#endif
