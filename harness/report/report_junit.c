// SPDX-License-Identifier: MIT
/* junit.xml: the dialect that Jenkins (xUnit's junit-10 and the JUnit plugin), Surefire's schema and GitLab all
 * read. `failure` = a leak or a broken promise, `error` = the harness could not judge. Texts repeat the key number
 * in message and body, because some readers show only one of them; facts stand at the head and the tail of
 * system-out, because others cut the middle. */
#include <ctype.h>
#include <libxml/xmlwriter.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "report/report.h"
#include "report/summary.h"
#include "result/utf8.h"

#define FINDINGS_SHOWN 20

enum outcome { OUTCOME_PASSED, OUTCOME_SKIPPED, OUTCOME_ERROR, OUTCOME_FAILURE };

struct testcase {
	char *name;
	int64_t time; /* nanoseconds; RESULT_NONE counts as 0 */
	enum outcome outcome;
	char *message; /* NULL when passed */
	char *body;    /* NULL: as message */
	char *out;     /* system-out; NULL = none */
};

struct suite {
	const struct result *result;
	const struct result_scenario *scenario;
	char *name;	 /* with the repetition */
	char *classname; /* dotted */
	struct testcase *cases;
	size_t n;
	size_t failures, errors, skipped;
	bool promise_shown; /* a measure over its bound has failed a testcase already */
};

struct writer {
	xmlTextWriterPtr xml;
	bool strict;
	bool failed;
};

/* ---- testcases ---- */

/* A name occurs once in a suite: readers show only the first of two. */
static char *unique_name(const struct suite *s, char *name)
{
	for (unsigned n = 2;; n++) {
		size_t i = 0;
		char *base = name;

		while (i < s->n && strcmp(s->cases[i].name, name) != 0)
			i++;
		if (i == s->n)
			return name;
		name = str_fmt(
			"%.*s (%u)",
			(int)(n == 2 ? strlen(base) : (size_t)(strrchr(base, '(') - base - 1)),
			base, n);
		free(base);
	}
}

/* Takes over `name`; the testcase passed until somebody says otherwise. */
static struct testcase *add_case(struct suite *s, char *name)
{
	struct testcase *c;

	name = unique_name(s, name);
	s->cases = realloc(s->cases, (s->n + 1) * sizeof(*c));
	if (!s->cases)
		abort();
	c = &s->cases[s->n++];
	*c = (struct testcase){ .name = name, .time = RESULT_NONE };
	return c;
}

/* Takes over `message`. */
static void set_outcome(struct suite *s, struct testcase *c, enum outcome o, char *message)
{
	c->outcome = o;
	c->message = message;
	s->failures += o == OUTCOME_FAILURE;
	s->errors += o == OUTCOME_ERROR;
	s->skipped += o == OUTCOME_SKIPPED;
}

static void put_finding(const struct result_scenario *s, const struct result_finding *x, FILE *f)
{
	_cleanup_free_ char *how = summary_attribution(x);
	char stamp[32];

	(void)fprintf(f, "%+.3f s (%s) [%s, %s] %s\n    ", (double)(x->time - s->begin) / 1e9,
		      summary_stamp(x->time, stamp), x->rule, x->severity, x->sentence);
	if (*x->packet)
		(void)fprintf(f, "%s (tap %s, frame %llu); ", x->packet, x->tap,
			      (unsigned long long)x->frame);
	(void)fprintf(f, "service %s (%s)\n", *x->service ? x->service : "not known", how);
}

static char *findings_text(const struct result_scenario *s)
{
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);

	if (!f)
		abort();
	for (size_t i = 0; i < s->n_findings && i < FINDINGS_SHOWN; i++)
		put_finding(s, &s->findings[i], f);
	if (s->findings_total > FINDINGS_SHOWN)
		(void)fprintf(f, "... %llu findings in all\n",
			      (unsigned long long)s->findings_total);
	for (size_t i = 0; i < s->n_rules; i++)
		(void)fprintf(f, "%s: %llu findings. %s What to do: %s\n", s->rules[i].rule,
			      (unsigned long long)s->rules[i].findings, s->rules[i].meaning,
			      s->rules[i].advice);
	(void)fclose(f);
	return out;
}

/* "[[ATTACHMENT|path]]" on a line of its own is what Jenkins and GitLab look for; each file once. */
static char *attachments(const struct result_scenario *s)
{
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);

	if (!f)
		abort();
	for (size_t i = 0; i < s->n_findings; i++) {
		const char *path = s->findings[i].evidence;
		size_t k = 0;

		while (k < i && strcmp(s->findings[k].evidence, path) != 0)
			k++;
		if (*path && k == i)
			(void)fprintf(f, "[[ATTACHMENT|%s]]\n", path);
	}
	(void)fclose(f);
	if (size)
		return out;
	free(out);
	return NULL;
}

static void fail_on_leak(struct suite *s, struct testcase *c)
{
	const struct result_scenario *sc = s->scenario;
	_cleanup_free_ char *list = findings_text(sc);
	char *message = str_fmt("%llu findings of a leak: %s",
				(unsigned long long)sc->findings_total, sc->reason);

	c->body = str_fmt("%s\n%s", message, list);
	c->out = attachments(sc);
	set_outcome(s, c, OUTCOME_FAILURE, message);
}

/* The first testcase carries the verdict. */
static void add_verdict(struct suite *s)
{
	const struct result_scenario *sc = s->scenario;
	struct testcase *c = add_case(s, str_fmt(sc->must_leak ? "the deliberate leak is found"
							       : "no packet outside the tunnel"));

	c->time = sc->end - sc->begin;
	switch (sc->verdict) {
	case VERDICT_LEAK:
		if (!sc->must_leak)
			fail_on_leak(s, c);
		return;
	case VERDICT_SKIPPED:
		set_outcome(s, c, OUTCOME_SKIPPED, str_fmt("%s", sc->reason));
		return;
	case VERDICT_INCONCLUSIVE:
	case VERDICT_ERROR:
		set_outcome(s, c, OUTCOME_ERROR,
			    str_fmt("%s: %s", verdict_name(sc->verdict), sc->reason));
		return;
	case VERDICT_PASS:
	case VERDICT_FAIL:
		/* A control that leaked nothing: the watch is blind. */
		if (sc->must_leak)
			set_outcome(
				s, c, OUTCOME_ERROR,
				str_fmt("0 findings, and this scenario must leak: %s", sc->reason));
		return;
	}
}

static char *measure_name(const struct suite *s, const struct result_measure *m)
{
	const struct result_scenario *sc = s->scenario;
	_cleanup_free_ char *bound = summary_bound(m->bound);
	const struct result_window *f = summary_fault(sc, summary_fault_of(sc, m));
	char *name = strcmp(m->name, "kill-switch") == 0 ? str_fmt("kill switch")
							 : str_fmt("%s", m->name);
	char *whole = str_fmt("%s%s%s%s%s%s", name, m->bound == RESULT_NONE ? "" : " within ",
			      m->bound == RESULT_NONE ? "" : bound,
			      f && summary_faults(sc) > 1 ? " (" : "",
			      f && summary_faults(sc) > 1 ? f->label : "",
			      f && summary_faults(sc) > 1 ? ")" : "");

	free(name);
	return whole;
}

static void add_measure(struct suite *s, const struct result_measure *m)
{
	struct testcase *c = add_case(s, measure_name(s, m));
	_cleanup_free_ char *bound = summary_bound(m->bound);
	_cleanup_free_ char *uncertainty = summary_duration(m->uncertainty);

	c->time = m->value > 0 ? m->value : RESULT_NONE;
	c->out = str_fmt("%s (bound %s, uncertainty %s)\n", m->text, bound, uncertainty);
	if (m->ok)
		return;
	s->promise_shown = true;
	set_outcome(s, c, OUTCOME_FAILURE, str_fmt("%s; the bound is %s", m->text, bound));
}

/* Only what has a bound can fail; the other numbers are in system-out. A control is there to break them. */
static void add_measures(struct suite *s)
{
	const struct result_scenario *sc = s->scenario;

	if (sc->must_leak)
		return;
	for (size_t i = 0; i < sc->n_measures; i++)
		if (sc->measures[i].bound != RESULT_NONE || !sc->measures[i].ok)
			add_measure(s, &sc->measures[i]);
}

static void add_promises(struct suite *s)
{
	const struct result_scenario *sc = s->scenario;
	struct testcase *c;

	if (sc->must_leak || sc->verdict == VERDICT_SKIPPED || result_is_analysis(s->result))
		return;
	c = add_case(s, str_fmt("the stack keeps its promises"));
	if (sc->verdict == VERDICT_FAIL && !s->promise_shown)
		set_outcome(s, c, OUTCOME_FAILURE, str_fmt("%s", sc->reason));
}

static void add_faults(struct suite *s)
{
	for (size_t n = 0; summary_fault(s->scenario, n); n++) {
		const struct result_window *w = summary_fault(s->scenario, n);
		struct testcase *c = add_case(s, str_fmt("fault %s is confirmed", w->label));

		if (!w->confirmed)
			set_outcome(s, c, OUTCOME_ERROR,
				    str_fmt("requested and never confirmed: %s", w->confirmation));
	}
}

static void add_controls(struct suite *s)
{
	for (size_t i = 0; i < s->scenario->n_controls; i++) {
		const struct result_control *k = &s->scenario->controls[i];
		struct testcase *c = add_case(
			s, str_fmt("control %s on tap %s is caught", k->rule, k->tap));

		if (!k->caught)
			set_outcome(s, c, OUTCOME_ERROR, str_fmt("missed: %s", k->detail));
	}
}

/* Of captures that others made, only their end and what they say of themselves is known. */
static void add_capture(struct suite *s, const struct result_tap *t)
{
	struct testcase *c = add_case(s, str_fmt("the capture of tap %s is whole", t->name));

	c->out = str_fmt("%s, %llu packets%s%s\n", t->file, (unsigned long long)t->packets,
			 *t->note ? ": " : "", t->note);
	if (!summary_tap_is_sound(t))
		set_outcome(s, c, OUTCOME_ERROR, str_fmt("%s", *t->note ? t->note : "damaged"));
}

static void add_tap(struct suite *s, const struct result_tap *t)
{
	struct testcase *c = add_case(s, str_fmt("tap %s delivered every packet", t->name));

	if (!summary_tap_is_sound(t))
		set_outcome(s, c, OUTCOME_ERROR,
			    str_fmt("%llu dropped of %llu received, %llu delivered; beacons: "
				    "first %s, last %s%s%s",
				    (unsigned long long)t->dropped, (unsigned long long)t->received,
				    (unsigned long long)t->delivered,
				    t->beacon_begin ? "seen" : "MISSED",
				    t->beacon_end ? "seen" : "MISSED", *t->note ? "; " : "",
				    t->note));
}

static void add_taps(struct suite *s)
{
	for (size_t i = 0; i < s->scenario->n_taps; i++)
		if (result_is_analysis(s->result))
			add_capture(s, &s->scenario->taps[i]);
		else
			add_tap(s, &s->scenario->taps[i]);
}

/* Letters, digits, '-' and '_' only: a dot would make a package of it. */
static char *class_name(const struct result_scenario *s, bool repeated)
{
	char *name = repeated ? str_fmt("leakproof.%s.repeat-%u", s->name, s->repeat)
			      : str_fmt("leakproof.%s", s->name);
	size_t from = strlen("leakproof."), to = from + strlen(s->name);

	for (size_t i = from; i < to; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '-')
			name[i] = '_';
	return name;
}

static void fill_suite(struct suite *s, const struct result *r, const struct result_scenario *sc)
{
	bool repeated = summary_is_repeated(r, sc);

	*s = (struct suite){ .result = r, .scenario = sc };
	s->name = repeated ? str_fmt("%s #%u", sc->name, sc->repeat) : str_fmt("%s", sc->name);
	s->classname = class_name(sc, repeated);
	add_verdict(s);
	if (sc->verdict == VERDICT_SKIPPED)
		return;
	add_measures(s);
	add_promises(s);
	add_faults(s);
	add_controls(s);
	add_taps(s);
}

static void free_suite(struct suite *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->cases[i].name);
		free(s->cases[i].message);
		free(s->cases[i].body);
		free(s->cases[i].out);
	}
	free(s->cases);
	free(s->name);
	free(s->classname);
}

/* ---- XML ---- */

/* XML 1.0 (2.2 Char) has no place for most control characters: they stand as #xNN, as pytest writes them. */
static char *xml_text(const char *s)
{
	_cleanup_free_ char *clean = utf8_clean(s);
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);

	if (!f)
		abort();
	for (const char *p = clean; *p;) {
		uint32_t c = 0;
		size_t n = utf8_decode(p, &c);

		if ((c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7f && c <= 0x9f) ||
		    c == 0xfffe || c == 0xffff)
			(void)fprintf(f, "#x%02X", (unsigned)c);
		else
			(void)fwrite(p, 1, n, f);
		p += n;
	}
	(void)fclose(f);
	return out;
}

static void start(struct writer *w, const char *element)
{
	w->failed |= xmlTextWriterStartElement(w->xml, (const xmlChar *)element) < 0;
}

static void end(struct writer *w)
{
	w->failed |= xmlTextWriterEndElement(w->xml) < 0;
}

static void attribute(struct writer *w, const char *name, const char *value)
{
	_cleanup_free_ char *clean = xml_text(value);

	w->failed |= xmlTextWriterWriteAttribute(w->xml, (const xmlChar *)name,
						 (const xmlChar *)clean) < 0;
}

static void attribute_fmt(struct writer *w, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void attribute_fmt(struct writer *w, const char *name, const char *fmt, ...)
{
	char text[64];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	attribute(w, name, text);
}

static void text(struct writer *w, const char *s)
{
	_cleanup_free_ char *clean = xml_text(s);

	w->failed |= xmlTextWriterWriteString(w->xml, (const xmlChar *)clean) < 0;
}

/* Seconds with three decimals: the most that Surefire's schema takes. */
static void attribute_time(struct writer *w, int64_t ns)
{
	int64_t ms = ns == RESULT_NONE || ns < 0 ? 0 : (ns + NS_PER_MS / 2) / NS_PER_MS;

	attribute_fmt(w, "time", "%lld.%03d", (long long)(ms / 1000), (int)(ms % 1000));
}

static void property(struct writer *w, const char *name, const char *value)
{
	start(w, "property");
	attribute(w, "name", name);
	attribute(w, "value", value);
	end(w);
}

static void property_u64(struct writer *w, const char *name, uint64_t value)
{
	_cleanup_free_ char *s = str_fmt("%llu", (unsigned long long)value);

	property(w, name, s);
}

static void write_bounds(struct writer *w, const struct result_scenario *s)
{
	for (size_t i = 0; i < s->n_measures; i++) {
		_cleanup_free_ char *name = str_fmt("bound.%s", s->measures[i].name);
		_cleanup_free_ char *bound = summary_bound(s->measures[i].bound);
		size_t k = 0;

		while (k < i && strcmp(s->measures[k].name, s->measures[i].name) != 0)
			k++;
		if (k == i && s->measures[i].bound != RESULT_NONE)
			property(w, name, bound);
	}
}

static void write_properties(struct writer *w, const struct suite *s)
{
	const struct result *r = s->result;

	start(w, "properties");
	property(w, "run", r->run);
	property(w, "leakproof", r->version);
	if (!result_is_analysis(r))
		property_u64(w, "seed", r->seed);
	property(w, "verdict", verdict_name(s->scenario->verdict));
	for (size_t i = 0; i < r->n_environment; i++)
		property(w, r->environment[i].name, r->environment[i].value);
	for (size_t i = 0; i < r->n_images; i++) {
		_cleanup_free_ char *name = str_fmt("image.%s", r->images[i].name);

		property(w, name, r->images[i].value);
	}
	write_bounds(w, s->scenario);
	for (size_t i = 0; i < s->scenario->n_taps; i++) {
		_cleanup_free_ char *name = str_fmt("dropped.%s", s->scenario->taps[i].name);

		property_u64(w, name, s->scenario->taps[i].dropped);
	}
	end(w);
}

static void write_outcome(struct writer *w, const struct testcase *c)
{
	static const char *const elements[] = { NULL, "skipped", "error", "failure" };
	static const char *const types[] = { NULL, "skipped", "not-judged",
					     "leak-or-broken-promise" };

	if (c->outcome == OUTCOME_PASSED)
		return;
	start(w, elements[c->outcome]);
	attribute(w, "message", c->message);
	attribute(w, "type", types[c->outcome]);
	text(w, c->body ? c->body : c->message);
	end(w);
}

/* Repeats of a scenario that ended otherwise. A leak stays a failure where it happened; the repeats that passed
 * say that they cannot be relied on. */
static void write_flaky(struct writer *w, const struct suite *s)
{
	const struct result_scenario *me = s->scenario;

	if (!me->as_expected)
		return;
	for (size_t i = 0; i < s->result->n_scenarios; i++) {
		const struct result_scenario *x = &s->result->scenarios[i];
		_cleanup_free_ char *message = NULL;

		if (x->as_expected || strcmp(x->name, me->name) != 0)
			continue;
		message = str_fmt("repeat %u of this scenario ended with \"%s\": %s", x->repeat,
				  verdict_name(x->verdict), x->reason);
		start(w, "flakyFailure");
		attribute(w, "message", message);
		attribute(w, "type", "repeats-disagree");
		text(w, message);
		end(w);
	}
}

static void write_case(struct writer *w, const struct suite *s, const struct testcase *c)
{
	start(w, "testcase");
	attribute(w, "name", c->name);
	attribute(w, "classname", s->classname);
	attribute_time(w, c->time);
	if (!w->strict && *s->scenario->file) {
		attribute(w, "file", s->scenario->file);
		if (s->scenario->line)
			attribute_fmt(w, "line", "%u", s->scenario->line);
	}
	write_outcome(w, c);
	if (c == s->cases)
		write_flaky(w, s);
	if (c->out) {
		start(w, "system-out");
		text(w, c->out);
		end(w);
	}
	end(w);
}

static void put_facts(const struct suite *s, FILE *f)
{
	const struct result_scenario *sc = s->scenario;

	(void)fprintf(f, "verdict: %s%s: %s\n", verdict_name(sc->verdict),
		      sc->must_leak ? " (a control: it must leak)" : "", sc->reason);
	(void)fprintf(f, "findings %llu, blocked attempts %llu",
		      (unsigned long long)sc->findings_total, (unsigned long long)sc->blocked);
	if (result_is_analysis(s->result))
		(void)fprintf(f, " of %llu, captures %s\n",
			      (unsigned long long)summary_attempts(sc), s->result->run);
	else
		(void)fprintf(f, ", canaries %llu, seed %llu, run %s\n",
			      (unsigned long long)sc->canaries_sent,
			      (unsigned long long)s->result->seed, s->result->run);
	for (size_t i = 0; i < sc->n_measures; i++)
		(void)fprintf(f, "%s: %s\n", sc->measures[i].name, sc->measures[i].text);
}

static void put_seen(const struct result_scenario *s, FILE *f)
{
	for (size_t i = 0; i < s->n_taps; i++) {
		const struct result_tap *t = &s->taps[i];

		(void)fprintf(
			f,
			"tap %s (%s): %llu packets, %llu of the tunnel, %llu leaked, %llu allowed, "
			"%llu upkeep, %llu inbound, %llu of nobody, %llu unreadable, %llu "
			"attempts\n",
			t->name, t->role, (unsigned long long)t->packets,
			(unsigned long long)t->tunnel, (unsigned long long)t->leaked,
			(unsigned long long)t->allowed, (unsigned long long)t->upkeep,
			(unsigned long long)t->inbound, (unsigned long long)t->unattributed,
			(unsigned long long)t->undecodable, (unsigned long long)t->attempts);
	}
	for (size_t i = 0; i < s->n_allowances; i++) {
		const struct result_allowance *a = &s->allowances[i];

		(void)fprintf(f, "allowed: %s (%s%s%s): %llu packets%s\n", a->name,
			      a->builtin ? "built in" : a->who, a->builtin ? "" : ": ", a->what,
			      (unsigned long long)a->packets, a->packets ? "" : ", never used");
	}
}

static char *suite_text(const struct suite *s)
{
	_cleanup_free_ char *list = findings_text(s->scenario);
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);

	if (!f)
		abort();
	put_facts(s, f);
	if (*list)
		(void)fprintf(f, "\n%s", list);
	(void)fputc('\n', f);
	put_seen(s->scenario, f);
	(void)fputc('\n', f);
	put_facts(s, f);
	(void)fclose(f);
	return out;
}

/* UTC without a zone, whole seconds: the only form that every schema takes. */
static void attribute_timestamp(struct writer *w, int64_t real)
{
	char stamp[32];

	(void)summary_stamp(real == RESULT_NONE ? 0 : real, stamp);
	stamp[strcspn(stamp, ".")] = '\0';
	attribute(w, "timestamp", stamp);
}

static const char *hostname_of(const struct result *r)
{
	for (size_t i = 0; i < r->n_environment; i++)
		if (strcmp(r->environment[i].name, "hostname") == 0)
			return r->environment[i].value;
	return "localhost";
}

static void write_counts(struct writer *w, size_t tests, size_t failures, size_t errors)
{
	attribute_fmt(w, "tests", "%zu", tests);
	attribute_fmt(w, "failures", "%zu", failures);
	attribute_fmt(w, "errors", "%zu", errors);
}

static void write_suite(struct writer *w, const struct suite *s)
{
	_cleanup_free_ char *out = suite_text(s);

	start(w, "testsuite");
	attribute(w, "name", s->name);
	write_counts(w, s->n, s->failures, s->errors);
	attribute_fmt(w, "skipped", "%zu", s->skipped);
	attribute_time(w, s->scenario->end - s->scenario->begin);
	attribute_timestamp(w, s->scenario->begin);
	attribute(w, "hostname", hostname_of(s->result));
	write_properties(w, s);
	for (size_t i = 0; i < s->n; i++)
		write_case(w, s, &s->cases[i]);
	start(w, "system-out");
	text(w, out);
	end(w);
	end(w);
}

static void write_root(struct writer *w, const struct result *r, const struct suite *suites)
{
	size_t tests = 0, failures = 0, errors = 0;

	for (size_t i = 0; i < r->n_scenarios; i++) {
		tests += suites[i].n;
		failures += suites[i].failures;
		errors += suites[i].errors;
	}
	start(w, "testsuites");
	attribute(w, "name", "leakproof");
	write_counts(w, tests, failures, errors);
	attribute_time(w, r->end - r->begin);
	for (size_t i = 0; i < r->n_scenarios; i++)
		write_suite(w, &suites[i]);
	end(w);
}

static int write_document(const struct result *r, const struct suite *suites, bool strict, FILE *f)
{
	xmlBufferPtr buffer = xmlBufferCreate();
	struct writer w = { .xml = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL,
			    .strict = strict };

	w.failed = !w.xml || xmlTextWriterSetIndent(w.xml, 1) < 0 ||
		   xmlTextWriterStartDocument(w.xml, NULL, "UTF-8", NULL) < 0;
	if (!w.failed) {
		write_root(&w, r, suites);
		w.failed |= xmlTextWriterEndDocument(w.xml) < 0;
	}
	if (w.xml)
		xmlFreeTextWriter(w.xml);
	if (!w.failed)
		(void)fputs((const char *)xmlBufferContent(buffer), f);
	if (buffer)
		xmlBufferFree(buffer);
	return w.failed ? -1 : 0;
}

static int write_junit(const struct result *r, const struct report_opts *o, FILE *f,
		       struct err *err)
{
	struct suite *suites = calloc(r->n_scenarios ? r->n_scenarios : 1, sizeof(*suites));
	int rc;

	if (!suites)
		abort();
	for (size_t i = 0; i < r->n_scenarios; i++)
		fill_suite(&suites[i], r, &r->scenarios[i]);
	rc = write_document(r, suites, o->junit_strict, f);
	for (size_t i = 0; i < r->n_scenarios; i++)
		free_suite(&suites[i]);
	free(suites);
	return rc < 0 ? err_set(err, EXIT_ENVIRONMENT, "junit.xml could not be written") : 0;
}

const struct report_row report_junit = {
	.name = "junit",
	.summary = "JUnit XML for CI systems",
	.file = "junit.xml",
	.write = write_junit,
};
