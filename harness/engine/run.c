// SPDX-License-Identifier: MIT
/* A run: host up, scenarios played and judged, reports written, host down. */
#include "engine/run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/version.h"
#include "engine/evaluate.h"
#include "engine/journal.h"
#include "engine/play.h"
#include "engine/setup.h"
#include "engine/stop.h"
#include "host/needs.h"
#include "report/report.h"

#define MIB	    (UINT64_C(1) << 20)
#define ROOM_NEEDED (256 * MIB) /* one download and its captures */

struct run {
	const struct run_opts *o;
	char id[32];
	char *captures, *reports;
	struct journal *journal;
	struct setup setup;
	uint8_t nonce[TAP_NONCE];
	const volatile sig_atomic_t *stop;
	struct result *result;
};

static void say(void *arg, const char *what)
{
	const struct run *r = arg;

	if (!r->o->quiet)
		log_info("  %s", what);
}

/* ---- beginning ---- */

/* Date, time and four random digits: unique, and sorted by time. */
static void make_id(struct run *r)
{
	time_t now = (time_t)(clock_real_ns() / NS_PER_S);
	char date[20];
	struct tm tm;

	(void)gmtime_r(&now, &tm);
	(void)strftime(date, sizeof(date), "%Y%m%d-%H%M%S", &tm);
	(void)snprintf(r->id, sizeof(r->id), "%s-%02x%02x", date, r->nonce[0], r->nonce[1]);
}

/* A run that fills the disk proves nothing, so it is not begun. */
static int check_room(const char *dir, const char *option, struct err *err)
{
	struct statvfs v;
	uint64_t room;

	if (statvfs(dir, &v) < 0)
		return err_errno(err, "%s", dir);
	room = (uint64_t)v.f_bavail * v.f_frsize;
	if (room >= ROOM_NEEDED)
		return 0;
	return err_set(
		err, EXIT_ENVIRONMENT,
		"%s has room for %llu MiB only, and a run wants %llu at the least: make room, "
		"or give another directory with %s",
		dir, (unsigned long long)(room / MIB), (unsigned long long)(ROOM_NEEDED / MIB),
		option);
}

static int make_dirs(struct run *r, struct err *err)
{
	_cleanup_free_ char *latest = str_fmt("%s/latest", r->o->reports);
	_cleanup_free_ char *journal = NULL;

	if (fs_mkdir_p(r->o->captures, 0755, err) < 0 || fs_mkdir_p(r->o->reports, 0755, err) < 0 ||
	    check_room(r->o->captures, "--captures", err) < 0)
		return -1;
	r->captures = str_fmt("%s/%s", r->o->captures, r->id);
	r->reports = str_fmt("%s/%s", r->o->reports, r->id);
	if (fs_mkdir_p(r->captures, 0755, err) < 0 || fs_mkdir_p(r->reports, 0755, err) < 0)
		return -1;
	if ((unlink(latest) < 0 && errno != ENOENT) || symlink(r->id, latest) < 0)
		return err_errno(err, "%s", latest);
	journal = str_fmt("%s/journal.jsonl", r->reports);
	r->journal = journal_create(journal, err);
	return r->journal ? 0 : -1;
}

static size_t planned(const struct scenario_set *set)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++)
		n += (size_t)set->items[i]->repeat;
	return n;
}

static int begin(struct run *r, const struct scenario_set *set, struct err *err)
{
	struct utsname u;

	if (getrandom(r->nonce, sizeof(r->nonce), 0) != (ssize_t)sizeof(r->nonce))
		return err_errno(err, "random bytes");
	make_id(r);
	if (make_dirs(r, err) < 0)
		return -1;
	r->result = result_new();
	journal_event(r->journal, "run",
		      json_pack("{s:s,s:s,s:i,s:I}", "run", r->id, "version", LEAKPROOF_VERSION,
				"seed", 0, "scenarios", (json_int_t)planned(set)));
	if (uname(&u) == 0)
		journal_event(r->journal, "environment",
			      json_pack("{s:s,s:s}", "name", "kernel", "value", u.release));
	return journal_failed(r->journal) ? journal_why(r->journal, err) : 0;
}

/* ---- scenarios ---- */

static struct stack *open_stack(void *arg, const char *name, struct err *err)
{
	const struct run *r = arg;

	return setup_stack(&r->setup, name, err);
}

static int judge_one(struct run *r, struct err *err)
{
	_cleanup_free_ char *path = str_fmt("%s/journal.jsonl", r->reports);
	_cleanup_json_ json_t *events = journal_read(path, err);
	_cleanup_json_ json_t *part = json_array();
	struct evaluate_opts o = { .captures = r->captures, .reports = r->reports, .slices = true };
	size_t n = json_array_size(events);

	if (!events)
		return -1;
	while (n > 0) {
		(void)json_array_insert(part, 0, json_array_get(events, --n));
		if (strcmp(json_string_value(json_object_get(json_array_get(events, n), "event")),
			   "scenario-begin") == 0)
			break;
	}
	return evaluate_scenario(r->result, part, &o, err);
}

static int play_set(struct run *r, const struct scenario_set *set, struct err *err)
{
	_cleanup_json_ json_t *past = json_array();
	struct play_opts o = { .host = r->setup.host,
			       .past_gateways = past,
			       .journal = r->journal,
			       .run = r->id,
			       .captures = r->captures,
			       .tunnel = r->setup.tunnel,
			       .outside = &r->setup.outside,
			       .open_stack = open_stack,
			       .arg = r,
			       .i_mean_it = r->o->i_mean_it,
			       .whole_frames = r->o->whole_frames,
			       .stop = r->stop,
			       .progress = say };

	memcpy(o.nonce, r->nonce, sizeof(o.nonce));
	for (size_t i = 0; i < set->n; i++)
		for (unsigned k = 1; k <= (unsigned)set->items[i]->repeat && !*r->stop; k++) {
			if (!r->o->quiet)
				log_info("[%zu/%zu] %s", i + 1, set->n, set->items[i]->name);
			if (play_scenario(&o, set->items[i], k, err) < 0 || judge_one(r, err) < 0)
				return -1;
			report_live(&r->result->scenarios[r->result->n_scenarios - 1], stderr);
		}
	if (*r->stop) /* of the run, not of a scenario: none may have begun */
		journal_event(r->journal, "interrupted", NULL);
	return 0;
}

/* ---- the end ---- */

/* A reader that has gone (`leakproof run | head`) takes nothing from the verdict, which the reports hold. */
static void print_summary(const struct run *r)
{
	struct report_opts o = { 0 };
	struct err err = { 0 };

	if (report_write(report_find("text"), r->result, &o, stdout, &err) < 0)
		log_warn("the summary could not be printed: %s", err.text);
	log_info("report: %s/index.html", r->reports);
}

/* Everything is stored already; what is left is the head of the result and the reports. The summary is printed also
 * when the reports cannot be written. */
static int finish(struct run *r, int *status, struct err *err)
{
	_cleanup_free_ char *path = str_fmt("%s/journal.jsonl", r->reports);
	_cleanup_json_ json_t *events = journal_read(path, err);
	struct report_opts o = { 0 };
	int rc;

	if (!events || evaluate_head(r->result, events, err) < 0)
		return -1;
	evaluate_total(r->result, events);
	rc = report_write_all(r->result, r->reports, &o, err);
	print_summary(r);
	*status = evaluate_exit_status(r->result);
	return rc;
}

/* The run could not go on: what was played until then is reported all the same, and the error is the last word. */
static void salvage(struct run *r, const struct err *why)
{
	struct err ignored = { 0 };
	int status;

	if (!r->result || r->result->n_scenarios == 0)
		return;
	journal_event(r->journal, "error", json_pack("{s:s}", "text", why->text));
	(void)finish(r, &status, &ignored);
}

static int play(struct run *r, const struct scenario_set *set, struct err *err)
{
	if (begin(r, set, err) < 0)
		return -1;
	r->setup = (struct setup){ .o = r->o,
				   .journal = r->journal,
				   .stop = r->stop,
				   .progress = say,
				   .progress_arg = r };
	if (setup_open(&r->setup, set, err) < 0)
		return -1;
	return play_set(r, set, err);
}

int run_set(const struct run_opts *o, const struct scenario_set *set, int *status, struct err *err)
{
	struct run r = { .o = o, .stop = stop_install() };
	struct err after = { 0 };
	int rc = setup_check(o, err);

	if (rc == 0)
		rc = needs_require(o->real, err);
	if (rc == 0)
		rc = play(&r, set, err);
	if (setup_close(&r.setup, &after) < 0) {
		log_error("%s", after.text);
		if (rc == 0)
			rc = err_set(err, EXIT_ENVIRONMENT,
				     "not everything could be taken down; run: leakproof clean");
	}
	if (rc == 0)
		rc = finish(&r, status, err);
	else
		salvage(&r, err);
	if (journal_close(r.journal, &after) < 0 && rc == 0)
		rc = err_set(err, EXIT_ENVIRONMENT, "%s", after.text);
	/* Whatever failed after Ctrl-C failed because of it. */
	if (rc < 0 && *r.stop)
		err->status = EXIT_INCONCLUSIVE;
	result_free(r.result);
	free(r.captures);
	free(r.reports);
	return rc;
}
