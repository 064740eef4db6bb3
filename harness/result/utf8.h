/* SPDX-License-Identifier: MIT */
/* Text of unknown origin (names from files, bytes from the wire) on its way into a report. */
#ifndef RESULT_UTF8_H
#define RESULT_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Decode one character at s (NUL-terminated). Returns its length in bytes (1..4) and the code point in *c; 0 when
 * the bytes are no UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF) or at the end. */
size_t utf8_decode(const char *s, uint32_t *c);

/* A copy in which every byte that is no UTF-8 stands as "\xNN". Caller frees; NULL counts as "". */
char *utf8_clean(const char *s);

/* A copy that is safe to show on one line: as utf8_clean(), and control characters (escape sequences of
 * terminals among them), and the marks that reorder text (Unicode TR 36, bidi) stand as \xNN or \uNNNN. */
char *utf8_printable(const char *s);

/* Columns of a terminal that the text takes, counting one for each character. */
size_t utf8_length(const char *s);

#endif
