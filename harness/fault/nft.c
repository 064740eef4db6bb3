/* SPDX-License-Identifier: MIT */
/* Tables of nftables for faults, through the program nft, which every target of ours has. */
#include "fault/nft.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/proc.h"
#include "fault/target.h"

#define NFT_TIMEOUT (10 * NS_PER_S)

const char *const nft_tools[] = { "nft", NULL };

/* "leakproof_RUN_NUMBER": the number is the monotonic clock, so two faults of a run never share a table. */
static void table_name(char *buf, size_t size, const char *run)
{
	int n = snprintf(buf, size, "leakproof_%.40s_%" PRIx64, run, (uint64_t)clock_mono_ns());

	for (int i = 0; i < n && buf[i]; i++)
		if (!isalnum((unsigned char)buf[i]))
			buf[i] = '_';
}

int nft_prepare(struct fault_active *a, pid_t pid, const char *family, const char *body,
		struct err *err)
{
	json_t *netns = target_netns(pid, err);
	char table[96];

	if (!netns)
		return -1;
	table_name(table, sizeof(table), a->ctx->run);
	(void)json_object_set_new(a->record, "netns", netns);
	(void)json_object_set_new(a->record, "family", json_string(family));
	(void)json_object_set_new(a->record, "table", json_string(table));
	(void)json_object_set_new(a->record, "body", json_string(body));
	return 0;
}

static const char *text_of(const json_t *record, const char *key)
{
	const char *s = json_string_value(json_object_get(record, key));

	return s ? s : "";
}

/* Run nft in the record's namespace: as target_run(). */
static int run_nft(const json_t *record, const char *const argv[], const char *input,
		   struct proc_result *r, struct err *err)
{
	const struct proc_opts o = { .input = input, .timeout_ns = NFT_TIMEOUT };

	return target_run(json_object_get(record, "netns"), argv, &o, r, err);
}

static int run_script(const json_t *record, const char *script, struct err *err)
{
	_cleanup_proc_ struct proc_result r = { 0 };
	int rc = run_nft(record, PROC_ARGV("nft", "-f", "-"), script, &r, err);

	if (rc != 0)
		return rc;
	if (r.status != 0)
		return err_set(err, EXIT_ENVIRONMENT, "nft: %.300s", r.error);
	return 0;
}

int nft_apply(struct fault_active *a, struct err *err)
{
	_cleanup_free_ char *script = str_fmt("table %s %s {\n%s}\n", text_of(a->record, "family"),
					      text_of(a->record, "table"),
					      text_of(a->record, "body"));
	int rc = run_script(a->record, script, err);

	if (rc > 0)
		return err_set(err, EXIT_ENVIRONMENT, "the network namespace is gone");
	return rc;
}

int nft_undo(const json_t *record, struct err *err)
{
	const char *family = text_of(record, "family"), *table = text_of(record, "table");
	/* Adding first makes deleting right whether the table is there or not, in one transaction. */
	_cleanup_free_ char *script = str_fmt("add table %s %s\ndelete table %s %s\n", family,
					      table, family, table);

	if (strncmp(table, "leakproof_", 10) != 0)
		return err_set(err, EXIT_ENVIRONMENT, "`%.60s` is no table of ours", table);
	return run_script(record, script, err) < 0 ? -1 : 0;
}

/* All "packets" of all counters below a value. */
static int64_t sum_packets(const json_t *j)
{
	int64_t sum = 0;
	const char *key;
	json_t *v;
	size_t i;

	if (json_is_array(j)) {
		json_array_foreach(j, i, v) sum += sum_packets(v);
	} else if (json_is_object(j)) {
		/* The iterator of jansson takes no const object, and changes nothing. */
		json_object_foreach((json_t *)(uintptr_t)j, key, v)
		{
			if (strcmp(key, "counter") == 0 && json_is_object(v))
				sum += json_integer_value(json_object_get(v, "packets"));
			else
				sum += sum_packets(v);
		}
	}
	return sum;
}

int64_t nft_packets(const json_t *record, struct err *err)
{
	_cleanup_proc_ struct proc_result r = { 0 };
	_cleanup_json_ json_t *j = NULL;
	int rc = run_nft(record,
			 PROC_ARGV("nft", "-j", "list", "table", text_of(record, "family"),
				   text_of(record, "table")),
			 NULL, &r, err);

	if (rc < 0)
		return -1;
	if (rc > 0 || r.status != 0)
		return err_set(err, EXIT_ENVIRONMENT, "the fault's nft table is gone: %.200s",
			       rc > 0 ? "so is its network namespace" : r.error);
	j = json_loads(r.out, 0, NULL);
	if (!j)
		return err_set(err, EXIT_ENVIRONMENT, "nft gave no JSON");
	return sum_packets(j);
}

int nft_confirm(struct fault_active *a, struct err *err)
{
	int64_t n = nft_packets(a->record, err);

	if (n < 0)
		return -1;
	(void)snprintf(a->result.confirmation, sizeof(a->result.confirmation),
		       "nft counted %" PRId64 " dropped packets %s", n, a->target);
	return n > 0 ? FAULT_SEEN : FAULT_NOT_YET;
}
