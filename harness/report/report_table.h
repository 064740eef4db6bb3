/* SPDX-License-Identifier: MIT */
/* The report formats. */
#ifndef REPORT_REPORT_TABLE_H
#define REPORT_REPORT_TABLE_H

#define REPORT_TABLE(X) \
	X(text)         \
	X(json)         \
	X(junit)        \
	X(html)

#endif
