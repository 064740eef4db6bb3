// SPDX-License-Identifier: MIT
/* One scenario being played. */
#include "engine/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "engine/checks.h"
#include "engine/probes.h"
#include "engine/roster.h"
#include "engine/watch.h"
#include "fault/fault.h"

#define FAULTS_MAX   16
#define TICK	     (100 * NS_PER_MS)
#define REFRESH_EACH (500 * NS_PER_MS)
#define DOWN_TIMEOUT (120 * NS_PER_S)
#define UP_TIMEOUT   (180 * NS_PER_S)
#define QUIET_TIME   (1 * NS_PER_S)
#define STEP_NS	     (20 * NS_PER_MS) /* of the clock: no slewing does that between two ticks */

struct play {
	const struct play_opts *o;
	const struct scenario *sc;
	char *dir; /* of the captures */
	struct stack *stack;
	struct watch *watch;
	struct probes *probes;
	struct roster *roster;
	struct fault_ctx fault_ctx;
	struct fault_active *faults[FAULTS_MAX];
	const char *targets[FAULTS_MAX + 1];
	size_t n_faults;
	int64_t since; /* REALTIME: end of the newest fault or heal; recovery counts from here */
	int64_t next_refresh;
	int64_t clock_offset; /* REALTIME minus MONOTONIC at the last look */
	bool up;
};

static bool stopped(const struct play *p)
{
	return p->o->stop && *p->o->stop;
}

static void say(const struct play *p, const char *what)
{
	if (p->o->progress)
		p->o->progress(p->o->arg, what);
}

static void promise_broken(const struct play *p, const char *text)
{
	journal_event(p->o->journal, "promise", json_pack("{s:s}", "text", text));
}

/* Two steps that cancel each other would not show at the ends of the scenario. */
static void look_at_clock(struct play *p)
{
	int64_t offset = clock_offset_ns();
	int64_t moved = offset - p->clock_offset;

	p->clock_offset = offset;
	if (moved > STEP_NS || moved < -STEP_NS)
		journal_event(p->o->journal, "clock-step",
			      json_pack("{s:I}", "moved", (json_int_t)moved));
}

/* What has to be done again and again while anything is waited for. */
static void tick(struct play *p)
{
	look_at_clock(p);
	if (p->up && clock_mono_ns() >= p->next_refresh) {
		if (stack_refresh(p->stack, NULL) == 0) {
			roster_update(p->roster, p->stack, p->o->journal);
			probes_follow(p->probes);
		}
		p->next_refresh = clock_mono_ns() + REFRESH_EACH;
	}
	clock_sleep_ns(TICK);
}

static void pass_time(struct play *p, int64_t ns)
{
	int64_t until = clock_mono_ns() + ns;

	while (!stopped(p) && clock_mono_ns() < until)
		tick(p);
}

/* ---- up, down ---- */

static int refresh_now(struct play *p, struct err *err)
{
	if (stack_refresh(p->stack, err) < 0)
		return -1;
	roster_update(p->roster, p->stack, p->o->journal);
	probes_follow(p->probes);
	return 0;
}

static int step_up(struct play *p, bool wait, int64_t timeout, struct err *err)
{
	int64_t begin = clock_real_ns();

	say(p, "stack up");
	p->up = true;
	if (stack_up(p->stack, wait, timeout, err) < 0 || refresh_now(p, err) < 0)
		return err_wrap(err, "stack up");
	roster_remember_lives(p->roster, p->stack, p->o->journal);
	/* The last one counts; this one is for a harness that is killed before it can write that. */
	roster_journal_policy(p->roster, p->watch, probes_canaries_json(p->probes), p->o->journal);
	journal_event(p->o->journal, "phase",
		      json_pack("{s:s,s:I,s:I}", "text", "up", "begin", (json_int_t)begin, "end",
				(json_int_t)clock_real_ns()));
	return 0;
}

static int step_down(struct play *p, int64_t timeout, struct err *err)
{
	int64_t begin = clock_real_ns();

	if (!p->up)
		return 0;
	say(p, "stack down");
	(void)stack_refresh(p->stack, NULL);
	roster_update(p->roster, p->stack, p->o->journal);
	if (stack_down(p->stack, timeout, err) < 0)
		return err_wrap(err, "stack down");
	p->up = false;
	journal_event(p->o->journal, "phase",
		      json_pack("{s:s,s:I,s:I}", "text", "down", "begin", (json_int_t)begin, "end",
				(json_int_t)clock_real_ns()));
	return 0;
}

/* ---- wait ---- */

static bool all_healthy(const struct play *p, bool gateway_only)
{
	size_t n;
	const struct stack_service *s = stack_services(p->stack, &n);

	for (size_t i = 0; i < n; i++) {
		if (gateway_only && s[i].role != STACK_GATEWAY)
			continue;
		if (s[i].pid <= 1 ||
		    (s[i].health != STACK_HEALTHY && s[i].health != STACK_NO_HEALTH))
			return false;
	}
	return n > 0;
}

static bool download_at(struct play *p, int64_t percent)
{
	struct qbt_status st;

	if (probes_download(p->probes, &st, NULL) < 0)
		return false;
	return percent >= 100 ? st.complete : st.progress * 100 >= (double)percent;
}

static bool met(struct play *p, const struct step_wait *w, int64_t begin, uint64_t tunnel_then)
{
	switch (w->condition) {
	case CONDITION_STACK_HEALTHY:
		return all_healthy(p, false);
	case CONDITION_GATEWAY_HEALTHY:
		return all_healthy(p, true);
	case CONDITION_TUNNEL_TRAFFIC:
		return probes_answered(p->probes, w->service, begin) &&
		       watch_tunnel_packets(p->watch) > tunnel_then;
	case CONDITION_DOWNLOAD_PROGRESS:
		return download_at(p, w->percent ? w->percent : 1);
	case CONDITION_DOWNLOAD_COMPLETE:
		return download_at(p, 100);
	case CONDITION_APP_CUT_OFF:
		return probes_silent(p->probes, w->service, QUIET_TIME);
	case CONDITION_RECOVERED:
		return probes_answered(p->probes, w->service, p->since) &&
		       watch_tunnel_packets(p->watch) > tunnel_then;
	case CONDITION_COUNT:
		break;
	}
	return false;
}

static int step_wait(struct play *p, const struct step_wait *w)
{
	int64_t begin = clock_real_ns(), until = clock_mono_ns() + w->timeout_ns;
	uint64_t tunnel_then = watch_tunnel_packets(p->watch);
	bool ok = false;

	while (!stopped(p) && !(ok = met(p, w, begin, tunnel_then)) && clock_mono_ns() < until)
		tick(p);
	journal_event(p->o->journal, "wait",
		      json_pack("{s:s,s:b,s:I,s:I}", "condition", condition_name(w->condition),
				"met", ok, "begin", (json_int_t)begin, "end",
				(json_int_t)clock_real_ns()));
	if (!ok && !stopped(p)) {
		_cleanup_free_ char *text = str_fmt("`%s` was not reached within %.0f s",
						    condition_name(w->condition),
						    (double)w->timeout_ns / 1e9);

		promise_broken(p, text);
		return 1; /* what follows would stand on nothing */
	}
	return 0;
}

/* ---- faults ---- */

static void journal_fault(struct play *p, const struct fault_active *a)
{
	journal_event(p->o->journal, "fault",
		      json_pack("{s:s,s:s,s:s,s:I,s:I,s:b,s:I,s:s}", "label", a->label, "kind",
				a->fault->kind.name, "target", a->target ? a->target : "", "before",
				(json_int_t)a->result.before, "after", (json_int_t)a->result.after,
				"confirmed", a->result.confirmed, "confirmed-at",
				(json_int_t)a->result.confirmed_at, "confirmation",
				a->result.confirmation));
}

static int heal(struct play *p, struct fault_active *a, struct err *err)
{
	int64_t begin = 0, end = 0;

	if (!a->undo_path)
		return 0; /* nothing to undo, or undone already */
	if (fault_heal(a, &begin, &end, err) < 0)
		return err_wrap(err, "fault %s could not be undone; `leakproof clean` tries again",
				a->fault->kind.name);
	if (end)
		p->since = end;
	journal_event(p->o->journal, "heal",
		      json_pack("{s:s,s:s,s:I,s:I}", "label", a->label, "kind", a->fault->kind.name,
				"begin", (json_int_t)begin, "end", (json_int_t)end));
	return 0;
}

static int step_fault(struct play *p, const struct step_fault *s, struct err *err)
{
	struct fault_active *a;
	int64_t applied;

	if (p->n_faults == FAULTS_MAX)
		return err_set(err, EXIT_USAGE, "more than %d faults", FAULTS_MAX);
	say(p, s->name);
	a = fault_apply(&p->fault_ctx, s, err);
	if (!a)
		return err_wrap(err, "fault %s", s->name);
	p->targets[p->n_faults] = a->target;
	p->faults[p->n_faults++] = a;
	applied = clock_mono_ns();
	p->since = a->result.after;
	if (fault_confirm(a, s->confirm_ns, err) < 0)
		return err_wrap(err, "fault %s", s->name);
	journal_fault(p, a);
	p->next_refresh = 0;
	if (s->hold_ns == 0)
		return 0;
	pass_time(p, s->hold_ns - (clock_mono_ns() - applied));
	return heal(p, a, err);
}

static int step_heal(struct play *p, const struct step_heal *s, struct err *err)
{
	for (size_t i = p->n_faults; i-- > 0;)
		if (strcmp(p->faults[i]->label, s->label) == 0)
			return heal(p, p->faults[i], err);
	return err_set(err, EXIT_USAGE, "no fault called `%s` is in force", s->label);
}

/* ---- check ---- */

static int step_check(struct play *p, const struct step_check *s, struct err *err)
{
	struct check_ctx c = {
		.host = p->o->host,
		.stack = p->stack,
		.probes = p->probes,
		.journal = p->o->journal,
		.lives = roster_lives(p->roster),
		.targets = p->targets,
		.outside = p->o->outside,
		.stop = p->o->stop,
	};
	char detail[256] = "";
	bool ok = false;

	if (p->up && refresh_now(p, err) < 0)
		return -1;
	if (check_run(&c, s->check, &ok, detail, err) < 0)
		return err_wrap(err, "check %s", check_name(s->check));
	journal_event(p->o->journal, "check",
		      json_pack("{s:s,s:b,s:s}", "check", check_name(s->check), "ok", ok, "detail",
				detail));
	if (!ok) {
		_cleanup_free_ char *text = str_fmt("check %s: %s", check_name(s->check), detail);

		promise_broken(p, text);
	}
	return 0;
}

/* ---- the timeline ---- */

/* 0 = go on, 1 = the rest makes no sense (a promise is broken), -1 = the harness failed. */
static int play_step(struct play *p, const struct step *s, struct err *err)
{
	switch (s->id) {
	case STEP_UP:
		return step_up(p, s->u.up.healthy, s->u.up.timeout_ns, err);
	case STEP_DOWN:
		return step_down(p, s->u.down.timeout_ns, err);
	case STEP_START:
		return refresh_now(p, err) < 0 ? -1 : probes_start(p->probes, &s->u.start, err);
	case STEP_STOP:
		return probes_stop(p->probes, s->u.stop.label, err);
	case STEP_WAIT:
		return step_wait(p, &s->u.wait);
	case STEP_OBSERVE:
		pass_time(p, s->u.observe.duration_ns);
		return 0;
	case STEP_FAULT:
		return step_fault(p, &s->u.fault, err);
	case STEP_HEAL:
		return step_heal(p, &s->u.heal, err);
	case STEP_CHECK:
		return step_check(p, &s->u.check, err);
	case STEP_COUNT:
		break;
	}
	return err_set(err, EXIT_USAGE, "no such step");
}

static int play_steps(struct play *p, struct err *err)
{
	int rc = 0;

	if (p->sc->implicit_up && step_up(p, true, UP_TIMEOUT, err) < 0)
		return -1;
	for (size_t i = 0; i < p->sc->n_steps && rc == 0 && !stopped(p); i++) {
		_cleanup_free_ char *text = step_describe(&p->sc->steps[i]);

		say(p, text);
		journal_event(
			p->o->journal, "step",
			json_pack("{s:i,s:s}", "line", (int)p->sc->steps[i].line, "text", text));
		rc = play_step(p, &p->sc->steps[i], err);
		if (rc < 0)
			return err_wrap(err, "%s:%u", p->sc->file, p->sc->steps[i].line);
	}
	return 0;
}

static void journal_error(const struct play *p, const struct err *err)
{
	journal_event(p->o->journal, "error", json_pack("{s:s}", "text", err->text));
}

/* Whatever happened: no fault stays in force, the stack goes down under the eyes of the taps and with the probes
 * still sending, and only then the watch ends. */
static void unwind(struct play *p)
{
	struct err err = { 0 };

	for (size_t i = p->n_faults; i-- > 0;)
		if (heal(p, p->faults[i], &err) < 0)
			journal_error(p, &err);
	if (step_down(p, DOWN_TIMEOUT, &err) < 0)
		journal_error(p, &err);
	if (p->watch) {
		json_t *canaries = probes_canaries_json(p->probes);

		probes_free(take_ptr(p->probes));
		watch_end(p->watch);
		roster_journal_policy(p->roster, p->watch, canaries, p->o->journal);
	}
	for (size_t i = 0; i < p->n_faults; i++)
		fault_active_free(p->faults[i]);
}

static void journal_begin(const struct play *p, unsigned repeat, const char *dir)
{
	const struct scenario *sc = p->sc;
	bool must_leak = sc->expect.leaks == LEAKS_MUST;

	journal_event(p->o->journal, "scenario-begin",
		      json_pack("{s:s,s:s,s:s,s:i,s:i,s:b,s:I,s:I,s:b,s:s}", "name", sc->name,
				"summary", sc->summary ? sc->summary : "", "file", sc->file, "line",
				(int)sc->line, "repeat", (int)repeat, "must-leak", must_leak,
				"kill-switch-bound", (json_int_t)sc->expect.kill_switch_ns,
				"recovery-bound", (json_int_t)sc->expect.recovery_ns,
				"needs-tunnel", true, "dir", dir));
}

/* Containers of a run that was killed: the project is ours, and what it does must not mix with this one. */
static int clear_leftovers(struct play *p, struct err *err)
{
	size_t n;

	if (stack_refresh(p->stack, err) < 0)
		return -1;
	(void)stack_services(p->stack, &n);
	if (n == 0)
		return 0;
	say(p, "taking down what a former run left");
	return stack_down(p->stack, DOWN_TIMEOUT, err);
}

/* A bridge whose name nobody gave exists only once its network does; so the networks are made before the taps, and
 * nothing runs yet. */
static int know_bridges(struct play *p, struct err *err)
{
	if (stack_bridges_known(p->stack))
		return 0;
	p->up = true; /* there is something to take down from here on */
	if (stack_create(p->stack, UP_TIMEOUT, err) < 0)
		return err_wrap(err, "creating the stack's networks");
	return stack_find_bridges(p->stack, err);
}

/* Everything that must be there before the first step. */
static int prepare(struct play *p, struct err *err)
{
	struct watch_opts w = { .host = p->o->host,
				.journal = p->o->journal,
				.dir = p->dir,
				.tunnel = p->o->tunnel,
				.whole_frames = p->o->whole_frames };
	struct probes_opts probes = { .journal = p->o->journal,
				      .stack = p->stack,
				      .dir = p->dir,
				      .torrent = p->o->outside->torrent,
				      .sink = p->o->outside->sink,
				      .sink_port = p->o->outside->sink_port,
				      .public_dns = p->o->outside->public_dns };

	memcpy(w.nonce, p->o->nonce, sizeof(w.nonce));
	memcpy(probes.nonce, p->o->nonce, sizeof(probes.nonce));
	p->roster = roster_new(p->o->host, p->o->nonce, &p->o->tunnel, p->o->past_gateways);
	p->fault_ctx = (struct fault_ctx){ .host = p->o->host,
					   .stack = p->stack,
					   .state_dir = host_state_dir(p->o->host),
					   .run = p->o->run,
					   .i_mean_it = p->o->i_mean_it,
					   .stop = p->o->stop };
	p->clock_offset = clock_offset_ns();
	if (clear_leftovers(p, err) < 0 || know_bridges(p, err) < 0)
		return -1;
	w.bridges = stack_bridges(p->stack);
	p->watch = watch_begin(&w, err);
	if (!p->watch)
		return -1;
	p->probes = probes_new(&probes);
	return 0;
}

int play_scenario(const struct play_opts *o, const struct scenario *sc, unsigned repeat,
		  struct err *err)
{
	_cleanup_free_ char *name = sc->repeat > 1 ? str_fmt("%s.%u", sc->name, repeat)
						   : str_fmt("%s", sc->name);
	struct play p = { .o = o, .sc = sc, .dir = str_fmt("%s/%s", o->captures, name) };
	struct err wrong = { 0 };

	if (fs_mkdir_p(p.dir, 0755, err) < 0) {
		free(p.dir);
		return -1;
	}
	journal_begin(&p, repeat, name);
	p.stack = o->open_stack(o->arg, sc->stack, &wrong);
	/* What fails because it was interrupted is no error: it is a scenario that did not come to its end. */
	if ((!p.stack || prepare(&p, &wrong) < 0 || play_steps(&p, &wrong) < 0) && !stopped(&p))
		journal_error(&p, &wrong);
	if (p.stack)
		unwind(&p);
	if (stopped(&p))
		journal_event(o->journal, "interrupted", NULL);
	journal_event(o->journal, "scenario-end", NULL);
	probes_free(p.probes);
	watch_free(p.watch);
	roster_free(p.roster);
	stack_close(p.stack);
	free(p.dir);
	return journal_failed(o->journal) ? journal_why(o->journal, err) : 0;
}
