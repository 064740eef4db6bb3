/* SPDX-License-Identifier: MIT */
/* Files: whole reads, atomic writes, directories, removal that never crosses a mount. */
#ifndef BASE_FS_H
#define BASE_FS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* printf into a fresh string that the caller frees; ends the program when memory is out. */
char *str_fmt(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *str_vfmt(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* The whole file, NUL-terminated, at most `max` bytes (EFBIG beyond). *len may be NULL. Caller frees. */
char *fs_read(const char *path, size_t max, size_t *len, struct err *err);

/* Write to PATH.tmp in the same directory, fsync, rename: readers see the old or the new file, whole. A device, a FIFO and
 * what a symlink leads to are written into instead, as a shell does. */
int fs_write(const char *path, const void *data, size_t len, mode_t mode, struct err *err);

/* Write a string into an existing file such as those of /proc and /sys (no create, no rename). */
int fs_poke(const char *path, const char *text, struct err *err);

/* mkdir -p. */
int fs_mkdir_p(const char *path, mode_t mode, struct err *err);

/* Remove a tree without crossing into another file system and without following links; refuses to
 * start when a mount lies anywhere below it. A path that does not exist is no error. */
int fs_remove_tree(const char *path, struct err *err);

bool fs_exists(const char *path);

/* The way from one folder to another, such as "../../captures/x", for links that survive a move of both; `to` as it is
 * where one of them does not exist. Caller frees. */
char *fs_relative(const char *from, const char *to);

/* $LEAKPROOF_CACHE or /var/cache/leakproof. Not to be freed. */
const char *fs_cache_dir(void);

#endif
