// SPDX-License-Identifier: MIT
/* Style and script of the page, taken in as they are: page.css and page.js stay files that one can read, and the
 * bytes are exactly those whose hashes stand in the page's policy. Paths are as seen from the top folder, where
 * the compiler is run. */
#include "report/html.h"

#define EMBED(name, file)                                        \
	__asm__(".pushsection .rodata\n"                         \
		".global " #name ", " #name "_end\n" #name ":\n" \
		".incbin \"" file "\"\n" #name "_end:\n"         \
		".byte 0\n"                                      \
		".popsection\n")

EMBED(html_css, "harness/report/page.css");
EMBED(html_js, "harness/report/page.js");
