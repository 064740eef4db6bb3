/* SPDX-License-Identifier: MIT */
/* The parts of the text report: words and tables for a terminal. Used by report_text.c and term_parts.c only. */
#ifndef REPORT_TERM_H
#define REPORT_TERM_H

#include <stdio.h>

#include "result/result.h"

/* Names come from files and bytes from the wire: nothing is printed before escape sequences were taken out. */
void term_put(FILE *f, const char *s);
/* Padded by characters, not by bytes as printf does. */
void term_padded(FILE *f, const char *s, size_t width);

/* The word of a verdict, coloured on a terminal. */
void term_verdict(enum verdict v, bool expected, size_t width, FILE *f);

/* The rules that fired, each with what it means, what to do, and the first of its findings. */
void term_findings(const struct result_scenario *s, size_t each, FILE *f);

/* What each tap saw. */
void term_taps(const struct result_scenario *s, FILE *f);

/* Which allowances were used, by how many packets, and which never were. */
void term_coverage(const struct result *r, FILE *f);

#endif
