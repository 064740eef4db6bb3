/* SPDX-License-Identifier: MIT */
/* The life of a fault: the same for all kinds. */
#include "fault/fault.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "fault/fault_table.h"
#include "fault/undo.h"

#define POLL_NS (20 * NS_PER_MS)

#define DECLARE(n) extern const struct fault fault_##n;
FAULT_TABLE(DECLARE)
#undef DECLARE

#define ENTRY(n) &fault_##n,
static const struct fault *const faults[] = { FAULT_TABLE(ENTRY) NULL };
#undef ENTRY
#define ENTRY(n) &fault_##n.kind,
static const struct kind *const kinds[] = { FAULT_TABLE(ENTRY) NULL };
#undef ENTRY

const struct fault *const *fault_all(void)
{
	return faults;
}

const struct kind *const *fault_kinds(void)
{
	return kinds;
}

const struct fault *fault_find(const char *name)
{
	for (const struct fault *const *f = faults; *f; f++)
		if (strcmp((*f)->kind.name, name) == 0)
			return *f;
	return NULL;
}

bool fault_refused(const struct fault_ctx *c, const struct step_fault *step, struct err *err)
{
	const struct fault *f = fault_find(step->name);

	if (!f || !f->reaches_host || c->i_mean_it || host_is_lab(c->host))
		return false;
	(void)err_set(err, EXIT_USAGE,
		      "%s reaches beyond the project's containers on this machine; "
		      "--i-mean-it allows it",
		      step->name);
	return true;
}

static void remove_record(struct fault_active *a)
{
	if (a->undo_path)
		(void)unlink(a->undo_path);
	free(take_ptr(a->undo_path));
}

static struct fault_active *new_active(const struct fault_ctx *c, const struct step_fault *step)
{
	struct fault_active *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->fault = fault_find(step->name);
	a->label = str_fmt("%s", step->label);
	a->target = str_fmt("%s", "");
	a->ctx = c;
	a->params = step->params;
	a->record = json_object();
	for (size_t i = 0; i < FAULT_PIDS; i++)
		a->pidfds[i] = -1;
	return a;
}

/* Everything before the deed: targets found, undo on the disk. */
static int get_ready(struct fault_active *a, const char *name, struct err *err)
{
	if (!a->fault)
		return err_set(err, EXIT_USAGE, "no fault `%s`", name);
	/* Pids are as of the last time the engine was asked, and containers come and go. */
	if (a->ctx->stack && stack_refresh(a->ctx->stack, err) < 0)
		return err_wrap(err, "%s", name);
	if (a->fault->prepare(a, err) < 0)
		return err_wrap(err, "%s", name);
	if (a->fault->kind.instant)
		return 0;
	a->undo_path = undo_write(a->ctx->state_dir, name, a->label, a->record, err);
	return a->undo_path ? 0 : -1;
}

struct fault_active *fault_apply(const struct fault_ctx *c, const struct step_fault *step,
				 struct err *err)
{
	struct fault_active *a;
	int rc;

	if (fault_refused(c, step, err))
		return NULL;
	a = new_active(c, step);
	if (!a || get_ready(a, step->name, err) < 0) {
		fault_active_free(a);
		return NULL;
	}
	a->result.before = clock_real_ns();
	rc = a->fault->apply(a, err);
	a->result.after = clock_real_ns();
	if (rc < 0) {
		(void)err_wrap(err, "%s on %s", step->name, a->target);
		fault_active_free(a); /* undoes what was half done */
		return NULL;
	}
	return a;
}

int fault_observe(struct fault_active *a, struct err *err)
{
	struct fault_result *r = &a->result;
	int rc;

	if (r->confirmed)
		return 1;
	rc = a->fault->confirm(a, err);
	if (rc < 0)
		return err_wrap(err, "%s on %s", a->fault->kind.name, a->target);
	if (rc == FAULT_NOT_YET)
		return 0;
	r->confirmed = true;
	r->confirmed_at = clock_real_ns();
	return 1;
}

int fault_confirm(struct fault_active *a, int64_t timeout_ns, struct err *err)
{
	int64_t deadline = clock_mono_ns() + timeout_ns;
	int rc;

	for (;;) {
		rc = fault_observe(a, err);
		if (rc != 0)
			return rc < 0 ? -1 : 0;
		if (clock_mono_ns() >= deadline || (a->ctx->stop && *a->ctx->stop))
			break;
		clock_sleep_ns(POLL_NS);
	}
	if (!a->result.confirmation[0])
		(void)snprintf(a->result.confirmation, sizeof(a->result.confirmation),
			       "no sign of it within %.1f s", (double)timeout_ns / 1e9);
	return 0;
}

int fault_heal(struct fault_active *a, int64_t *begin, int64_t *end, struct err *err)
{
	int rc = 0;

	if (begin)
		*begin = clock_real_ns();
	if (a->undo_path && a->fault->undo)
		rc = a->fault->undo(a->record, err);
	if (end)
		*end = clock_real_ns();
	if (rc < 0)
		return err_wrap(err, "undo of %s on %s", a->fault->kind.name, a->target);
	remove_record(a);
	return 0;
}

void fault_active_free(struct fault_active *a)
{
	if (!a)
		return;
	(void)fault_heal(a, NULL, NULL, NULL);
	for (size_t i = 0; i < FAULT_PIDS; i++)
		if (a->pidfds[i] >= 0)
			(void)close(a->pidfds[i]);
	json_decref(a->record);
	free(a->undo_path);
	free(a->label);
	free(a->target);
	free(a);
}

static int undo_one(const char *name, const json_t *record, struct err *err)
{
	const struct fault *f = fault_find(name);

	if (!f)
		return err_set(err, EXIT_ENVIRONMENT, "this version has no fault of that name");
	return f->undo ? f->undo(record, err) : 0;
}

int fault_undo_all(const char *state_dir, struct err *err)
{
	return undo_walk(state_dir, undo_one, err);
}
