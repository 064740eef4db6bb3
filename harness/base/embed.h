/* SPDX-License-Identifier: MIT */
/* Files taken into the program as they are: they stay files that one can read. */
#ifndef BASE_EMBED_H
#define BASE_EMBED_H

/* NAME[] holds the bytes of FILE, which has no NUL, and a NUL. Declare it as extern const char in a header. The path is
 * as seen from the top folder, where the compiler is run; the Makefile names the file as a prerequisite of the object,
 * because .incbin leaves no trace in the .d file. */
#define EMBED(name, file)                         \
	__asm__(".pushsection .rodata\n"          \
		".global " #name "\n" #name ":\n" \
		".incbin \"" file "\"\n"          \
		".byte 0\n"                       \
		".popsection\n")

#endif
