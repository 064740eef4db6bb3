/* SPDX-License-Identifier: MIT */
/* A table of our own in some network namespace: loaded, counted, removed. Nothing else is touched. */
#ifndef FAULT_NFT_H
#define FAULT_NFT_H

#include <jansson.h>
#include <sys/types.h>

#include "base/err.h"
#include "fault/fault.h"

/* Fill a->record with the namespace of `pid`, the family ("inet", "bridge"), a table name made of the run's
 * id, and `body`, the chains between the table's braces. */
int nft_prepare(struct fault_active *a, pid_t pid, const char *family, const char *body,
		struct err *err);

/* Load the record's table in one transaction. */
int nft_apply(struct fault_active *a, struct err *err);

/* FAULT_SEEN when the table's counters counted at least one packet. */
int nft_confirm(struct fault_active *a, struct err *err);

/* Sum of the packets of all counters of the table; -1 on error or when there is no such table. */
int64_t nft_packets(const json_t *record, struct err *err);

/* Remove the record's table; no table, or no namespace, is no error. */
int nft_undo(const json_t *record, struct err *err);

extern const char *const nft_tools[];

#endif
