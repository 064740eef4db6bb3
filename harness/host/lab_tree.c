// SPDX-License-Identifier: MIT
/* The Debian tree of the lab's nodes: found in the cache, or built by stack/lab/build-tree.sh. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "host/host_internal.h"

#define BUILD_SCRIPT "stack/lab/build-tree.sh"
#define BUILD_NS     (1200 * NS_PER_S)
#define KEY_BYTES    6

/* The first bytes of the script's SHA-256: another script is another tree. */
char *lab_tree_path(const char *home, struct err *err)
{
	_cleanup_free_ char *script = str_fmt("%s/" BUILD_SCRIPT, home);
	size_t len = 0;
	_cleanup_free_ char *text = fs_read(script, STATE_MAX, &len, err);
	unsigned char digest[EVP_MAX_MD_SIZE];
	char hex[2 * KEY_BYTES + 1];

	if (!text)
		return NULL;
	if (EVP_Digest(text, len, digest, NULL, EVP_sha256(), NULL) != 1) {
		err_set(err, EXIT_ENVIRONMENT, "libcrypto has no SHA-256");
		return NULL;
	}
	for (size_t i = 0; i < KEY_BYTES; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return str_fmt("%s/tree-%s", fs_cache_dir(), hex);
}

char *host_lab_tree(const struct lab_opts *opts, struct err *err)
{
	const struct proc_opts o = { .timeout_ns = BUILD_NS, .cancel = opts ? opts->cancel : NULL };
	_cleanup_free_ char *home = host_home_dir(err);
	_cleanup_free_ char *script = home ? str_fmt("%s/" BUILD_SCRIPT, home) : NULL;
	_cleanup_free_ char *tree = home ? lab_tree_path(home, err) : NULL;

	if (!tree)
		return NULL;
	if (fs_exists(tree)) {
		host_cache_use(tree);
		return take_ptr(tree);
	}
	if (opts && opts->progress)
		opts->progress(opts->progress_arg,
			       "building the lab's Debian tree (about a minute, once)");
	if (proc_check(PROC_ARGV("sh", script, tree), &o, err) < 0)
		return NULL;
	return take_ptr(tree);
}
