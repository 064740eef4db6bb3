/* SPDX-License-Identifier: MIT */
/* The version that the program, the reports and the images carry. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define LEAKPROOF_VERSION "0.1.0"

#endif
