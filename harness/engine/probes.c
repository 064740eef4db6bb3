// SPDX-License-Identifier: MIT
/* The probes and the download of one scenario. */
#include "engine/probes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "engine/vocab.h"

#define PROBES_MAX    32
#define APP_INTERFACE "eth0" /* an app has one network, and Docker calls its first interface so */

struct slot {
	const struct step_start *step;
	const struct probe_row *row; /* NULL: the download */
	struct probe *probe;	     /* NULL: stopped, or waiting for the service's next life */
	pid_t pid;		     /* of the service's life that it runs in */
	uint32_t id;
	char label[64]; /* DNS label */
	unsigned life;
	bool stopped;
	char why[200]; /* it could not be started anew, "" = it could */
};

struct probes {
	struct probes_opts o;
	struct slot slots[PROBES_MAX];
	size_t n;
	json_t *canaries;
};

struct probes *probes_new(const struct probes_opts *o)
{
	struct probes *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	p->o = *o;
	p->canaries = json_array();
	return p;
}

int service_netns(const struct stack_service *s)
{
	_cleanup_free_ char *path = NULL;

	if (!s || s->pid <= 1)
		return -1;
	path = str_fmt("/proc/%d/ns/net", (int)s->pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* The destination of a step that names none: on a real host the lab's addresses are nobody's. */
static const char *destination(const struct probes *p, const struct slot *slot, uint16_t *port)
{
	*port = (uint16_t)slot->step->port;
	if (slot->step->to)
		return slot->step->to;
	if (probe_goes_to_sink(slot->row)) {
		*port = *port ? *port : p->o.sink_port;
		return p->o.sink;
	}
	return strcmp(slot->row->name, PROBE_PUBLIC_DNS) == 0 ? p->o.public_dns : NULL;
}

static int launch(struct probes *p, struct slot *slot, struct err *err)
{
	const struct stack_service *s = stack_service(p->o.stack, slot->step->service);
	_cleanup_close_ int ns = service_netns(s);
	_cleanup_free_ char *name = str_fmt("probe-%u-%u.log", slot->id, slot->life);
	_cleanup_free_ char *path = str_fmt("%s/%s", p->o.dir, name);
	struct probe_spec spec = { .netns_fd = ns,
				   .ifname = slot->step->bind == BIND_INTERFACE ? APP_INTERFACE
										: NULL,
				   .rate_hz = (unsigned)slot->step->rate,
				   .id = slot->id,
				   .label = slot->label,
				   .log_path = path };

	if (ns < 0)
		return err_set(err, EXIT_ENVIRONMENT, "%s does not run", slot->step->service);
	spec.dest = destination(p, slot, &spec.port);
	memcpy(spec.nonce, p->o.nonce, sizeof(spec.nonce));
	slot->probe = probe_start(slot->row, &spec, err);
	if (!slot->probe)
		return err_wrap(err, "probe %s in %s", slot->row->name, slot->step->service);
	slot->pid = s->pid;
	slot->life++;
	journal_event(p->o.journal, "probe",
		      json_pack("{s:s,s:s,s:s,s:b,s:I,s:s}", "label", slot->step->label, "probe",
				slot->row->name, "service", slot->step->service, "bound",
				slot->step->bind == BIND_INTERFACE, "id", (json_int_t)slot->id,
				"log", name));
	return 0;
}

static int add_torrent(const struct probes *p, const struct slot *slot, struct err *err)
{
	const struct stack_service *s = stack_service(p->o.stack, slot->step->service);
	_cleanup_close_ int ns = service_netns(s);
	struct qbt_access a = { .netns_fd = ns };

	if (ns < 0)
		return err_set(err, EXIT_ENVIRONMENT, "%s does not run", slot->step->service);
	if (!p->o.torrent)
		return err_set(err, EXIT_USAGE, "there is no torrent to download on this host");
	return workload_qbt_add(&a, p->o.torrent, NULL, err);
}

int probes_start(struct probes *p, const struct step_start *s, struct err *err)
{
	struct slot *slot = &p->slots[p->n];

	if (p->n == PROBES_MAX)
		return err_set(err, EXIT_USAGE, "more than %d probes", PROBES_MAX);
	memset(slot, 0, sizeof(*slot));
	slot->step = s;
	slot->row = probe_find(s->probe);
	slot->id = (uint32_t)p->n + 1;
	if (!slot->row) {
		if (add_torrent(p, slot, err) < 0)
			return -1;
		p->n++;
		return 0;
	}
	(void)snprintf(slot->label, sizeof(slot->label), "p%u-%02x%02x%02x%02x", slot->id,
		       p->o.nonce[0], p->o.nonce[1], p->o.nonce[2], p->o.nonce[3]);
	if (launch(p, slot, err) < 0)
		return -1;
	p->n++;
	(void)json_array_append_new(p->canaries,
				    json_pack("{s:I,s:s,s:s,s:s}", "id", (json_int_t)slot->id,
					      "service", s->service, "probe", slot->row->name,
					      "label", slot->row->needs_label ? slot->label : ""));
	return 0;
}

int probes_stop(struct probes *p, const char *label, struct err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		struct slot *slot = &p->slots[i];
		int rc;

		if (strcmp(slot->step->label, label) != 0)
			continue;
		slot->stopped = true;
		rc = slot->probe ? probe_stop(slot->probe, err) : 0;
		probe_free(take_ptr(slot->probe));
		return rc;
	}
	return err_set(err, EXIT_USAGE, "nothing called `%s` was started", label);
}

static void relaunch(struct probes *p, struct slot *slot)
{
	struct err err = { 0 };

	slot->why[0] = '\0';
	if (launch(p, slot, &err) < 0)
		(void)snprintf(slot->why, sizeof(slot->why), "%.199s", err.text);
}

void probes_follow(struct probes *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct slot *slot = &p->slots[i];
		const struct stack_service *s = stack_service(p->o.stack, slot->step->service);

		if (!slot->row || slot->stopped || !s || s->pid <= 1 || s->pid == slot->pid)
			continue;
		probe_free(take_ptr(slot->probe));
		relaunch(p, slot);
	}
}

/* It is one of those that are asked for, and it does not run although nobody stopped it. */
static bool is_away(const struct slot *slot, const char *service)
{
	return slot->row && !slot->probe && !slot->stopped &&
	       (!service || strcmp(slot->step->service, service) == 0);
}

/* The newest log of a slot that gets replies (of itself, or because the far end happens to echo); -1 when the slot
 * is none, or not of that service. */
static int read_log(const struct slot *slot, const char *service, struct probe_log *log)
{
	struct probe_summary sum;

	if (!slot->row || !slot->probe)
		return -1;
	if (service && strcmp(slot->step->service, service) != 0)
		return -1;
	if (probe_log_read(probe_log_path(slot->probe), log, NULL) < 0)
		return -1;
	probe_log_summary(log, 0, 0, &sum);
	if (slot->row->replies || sum.replies)
		return 0;
	probe_log_free(log);
	return -1;
}

bool probes_answered(struct probes *p, const char *service, int64_t since)
{
	bool any = false, all = true;

	for (size_t i = 0; i < p->n; i++) {
		struct probe_summary sum;
		struct probe_log log;

		all &= !is_away(&p->slots[i], service);
		if (read_log(&p->slots[i], service, &log) < 0)
			continue;
		any = true;
		probe_log_summary(&log, since, INT64_MAX, &sum);
		all &= sum.replies > 0;
		probe_log_free(&log);
	}
	return any && all;
}

bool probes_silent(struct probes *p, const char *service, int64_t quiet)
{
	int64_t since = clock_real_ns() - quiet;
	bool any = false, silent = true;

	for (size_t i = 0; i < p->n; i++) {
		struct probe_summary sum;
		struct probe_log log;

		if (read_log(&p->slots[i], service, &log) < 0)
			continue;
		probe_log_summary(&log, since, INT64_MAX, &sum);
		any |= sum.attempts > 0;
		silent &= sum.replies == 0;
		probe_log_free(&log);
	}
	return any && silent;
}

/* A descriptor of the namespace that the download runs in; the caller closes it. */
static int download_netns(struct probes *p, struct err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		const char *service = p->slots[i].step->service;
		int ns;

		if (p->slots[i].row)
			continue;
		ns = service_netns(stack_service(p->o.stack, service));
		return ns < 0 ? err_set(err, EXIT_ENVIRONMENT, "%s does not run", service) : ns;
	}
	return err_set(err, EXIT_USAGE, "no download was started");
}

int probes_download(struct probes *p, struct qbt_status *out, struct err *err)
{
	_cleanup_close_ int ns = download_netns(p, err);
	struct qbt_access a = { .netns_fd = ns };

	return ns < 0 ? -1 : workload_qbt_status(&a, NULL, out, err);
}

int probes_recheck(struct probes *p, struct err *err)
{
	_cleanup_close_ int ns = download_netns(p, err);
	struct qbt_access a = { .netns_fd = ns };
	struct qbt_status st;

	if (ns < 0 || workload_qbt_status(&a, NULL, &st, err) < 0)
		return -1;
	return workload_qbt_recheck(&a, st.hash, err);
}

json_t *probes_canaries_json(const struct probes *p)
{
	return json_deep_copy(p->canaries);
}

void probes_free(struct probes *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		const struct slot *slot = &p->slots[i];

		if (is_away(slot, NULL))
			journal_event(p->o.journal, "probe-lost",
				      json_pack("{s:s,s:s,s:s}", "label", slot->step->label,
						"service", slot->step->service, "text", slot->why));
		probe_free(slot->probe);
	}
	json_decref(p->canaries);
	free(p);
}
