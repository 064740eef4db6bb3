// SPDX-License-Identifier: MIT
/* junit.xml: a suite a scenario, a case for each thing that had to hold. Attribute sets and the order of children
 * follow the common subset of the Jenkins (junit-10.xsd) and Surefire schemas; docs/reports.md says why. */
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "report/report.h"

enum outcome { CASE_PASSED, CASE_FAILED, CASE_ERROR };

struct one_case {
	char *name;
	enum outcome outcome;
	char *message;
};

struct cases {
	struct one_case *items;
	size_t n;
	size_t count[3]; /* by outcome */
};

/* Takes over name and message. */
static void add(struct cases *c, char *name, enum outcome outcome, char *message)
{
	c->items = realloc(c->items, (c->n + 1) * sizeof(*c->items));
	if (!c->items)
		abort();
	c->items[c->n++] = (struct one_case){ name, outcome, message };
	c->count[outcome]++;
}

static void free_cases(struct cases *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->items[i].name);
		free(c->items[i].message);
	}
	free(c->items);
}

/* The verdict itself: for a control it is the leak that must be there. */
static void add_verdict(struct cases *c, const struct result_scenario *s)
{
	bool judged = s->verdict == VERDICT_PASS || s->verdict == VERDICT_LEAK ||
		      s->verdict == VERDICT_FAIL;

	add(c, str_fmt(s->must_leak ? "the planted leak is found" : "no packet outside the tunnel"),
	    s->as_expected ? CASE_PASSED
	    : judged	   ? CASE_FAILED
			   : CASE_ERROR,
	    str_fmt("%s: %s (%llu findings)", verdict_name(s->verdict), s->reason,
		    (unsigned long long)s->findings_total));
}

static void collect(struct cases *c, const struct result_scenario *s)
{
	add_verdict(c, s);
	for (size_t i = 0; i < s->n_measures; i++) {
		const struct result_measure *m = &s->measures[i];

		add(c, str_fmt("measure %zu: %s", i + 1, m->name),
		    m->ok || s->must_leak ? CASE_PASSED : CASE_FAILED,
		    str_fmt("%s: %s", m->name, m->text));
	}
	for (size_t i = 0; i < s->n_windows; i++)
		if (strcmp(s->windows[i].kind, "fault") == 0)
			add(c, str_fmt("fault %zu confirmed: %s", i + 1, s->windows[i].label),
			    s->windows[i].confirmed ? CASE_PASSED : CASE_ERROR,
			    str_fmt("%s", s->windows[i].confirmation));
	for (size_t i = 0; i < s->n_taps; i++)
		add(c, str_fmt("tap %s saw everything", s->taps[i].name),
		    s->taps[i].reconciled ? CASE_PASSED : CASE_ERROR,
		    str_fmt("received %llu, dropped %llu, delivered %llu",
			    (unsigned long long)s->taps[i].received,
			    (unsigned long long)s->taps[i].dropped,
			    (unsigned long long)s->taps[i].delivered));
	for (size_t i = 0; i < s->n_controls; i++)
		add(c,
		    str_fmt("control %zu: %s on %s", i + 1, s->controls[i].rule,
			    s->controls[i].tap),
		    s->controls[i].caught ? CASE_PASSED : CASE_ERROR,
		    str_fmt("%s", s->controls[i].detail));
}

/* XML 1.0 knows no control characters but tab, newline and return; pytest's form #xNN stands in for them. */
static xmlChar *clean(const char *text)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	if (!f)
		abort();
	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
			(void)fprintf(f, "#x%02X", c);
		else
			(void)fputc(*p, f);
	}
	(void)fclose(f);
	return (xmlChar *)out;
}

static void attr(xmlTextWriterPtr w, const char *name, const char *text)
{
	xmlChar *safe = clean(text);

	(void)xmlTextWriterWriteAttribute(w, BAD_CAST name, safe);
	free(safe);
}

static void attr_number(xmlTextWriterPtr w, const char *name, unsigned long long n)
{
	(void)xmlTextWriterWriteFormatAttribute(w, BAD_CAST name, "%llu", n);
}

static void text_of(xmlTextWriterPtr w, const char *text)
{
	xmlChar *safe = clean(text);

	(void)xmlTextWriterWriteString(w, safe);
	free(safe);
}

static void property(xmlTextWriterPtr w, const char *name, const char *value)
{
	(void)xmlTextWriterStartElement(w, BAD_CAST "property");
	attr(w, "name", name);
	attr(w, "value", value);
	(void)xmlTextWriterEndElement(w);
}

static void write_properties(xmlTextWriterPtr w, const struct result *r)
{
	(void)xmlTextWriterStartElement(w, BAD_CAST "properties");
	property(w, "leakproof", r->version);
	property(w, "run", r->run);
	for (size_t i = 0; i < r->n_environment; i++)
		property(w, r->environment[i].name, r->environment[i].value);
	for (size_t i = 0; i < r->n_images; i++)
		property(w, r->images[i].name, r->images[i].value);
	(void)xmlTextWriterEndElement(w);
}

static void write_case(xmlTextWriterPtr w, const struct result_scenario *s,
		       const struct one_case *c, bool first, const struct report_opts *o)
{
	(void)xmlTextWriterStartElement(w, BAD_CAST "testcase");
	attr(w, "name", c->name);
	(void)xmlTextWriterWriteFormatAttribute(w, BAD_CAST "classname", "leakproof.%s", s->name);
	/* The scenario's time is told once, or sums over the cases would count it again and again. */
	(void)xmlTextWriterWriteFormatAttribute(w, BAD_CAST "time", "%.3f",
						first ? (double)(s->end - s->begin) / 1e9 : 0.0);
	if (!o->junit_strict) {
		attr(w, "file", s->file);
		attr_number(w, "line", s->line);
	}
	if (c->outcome != CASE_PASSED) {
		(void)xmlTextWriterStartElement(
			w, BAD_CAST(c->outcome == CASE_FAILED ? "failure" : "error"));
		attr(w, "message", c->message);
		attr(w, "type", c->outcome == CASE_FAILED ? "leak-or-bound" : "inconclusive");
		text_of(w, c->message);
		(void)xmlTextWriterEndElement(w);
	}
	(void)xmlTextWriterEndElement(w);
}

static void write_findings(xmlTextWriterPtr w, const struct result_scenario *s)
{
	(void)xmlTextWriterStartElement(w, BAD_CAST "system-out");
	text_of(w, s->reason);
	text_of(w, "\n");
	for (size_t i = 0; i < s->n_findings && i < 50; i++) {
		_cleanup_free_ char *line = str_fmt("%+.3f s %s %s: %s [%s]\n",
						    (double)(s->findings[i].time - s->begin) / 1e9,
						    s->findings[i].tap, s->findings[i].rule,
						    s->findings[i].sentence, s->findings[i].packet);

		text_of(w, line);
	}
	(void)xmlTextWriterEndElement(w);
}

static void write_suite(xmlTextWriterPtr w, const struct result *r, const struct result_scenario *s,
			const struct report_opts *o)
{
	struct cases c = { 0 };
	char stamp[32], host[65] = "localhost";

	collect(&c, s);
	(void)gethostname(host, sizeof(host) - 1);
	(void)clock_iso8601(s->begin, stamp, sizeof(stamp));
	stamp[19] = '\0'; /* the schemas want no fraction and no zone */
	(void)xmlTextWriterStartElement(w, BAD_CAST "testsuite");
	if (s->repeat > 1)
		(void)xmlTextWriterWriteFormatAttribute(w, BAD_CAST "name", "%s.%u", s->name,
							s->repeat);
	else
		attr(w, "name", s->name);
	attr_number(w, "tests", c.n);
	attr_number(w, "failures", c.count[CASE_FAILED]);
	attr_number(w, "errors", c.count[CASE_ERROR]);
	attr_number(w, "skipped", 0);
	(void)xmlTextWriterWriteFormatAttribute(w, BAD_CAST "time", "%.3f",
						(double)(s->end - s->begin) / 1e9);
	attr(w, "timestamp", stamp);
	attr(w, "hostname", host);
	write_properties(w, r);
	for (size_t i = 0; i < c.n; i++)
		write_case(w, s, &c.items[i], i == 0, o);
	write_findings(w, s);
	(void)xmlTextWriterEndElement(w);
	free_cases(&c);
}

static int write_junit(const struct result *r, const struct report_opts *o, FILE *f,
		       struct err *err)
{
	xmlBufferPtr buffer = xmlBufferCreate();
	xmlTextWriterPtr w = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
	int rc = 0;

	if (!w) {
		if (buffer)
			xmlBufferFree(buffer);
		return err_set(err, EXIT_ENVIRONMENT, "junit.xml: out of memory");
	}
	(void)xmlTextWriterSetIndent(w, 1);
	(void)xmlTextWriterStartDocument(w, NULL, "UTF-8", NULL);
	(void)xmlTextWriterStartElement(w, BAD_CAST "testsuites");
	for (size_t i = 0; i < r->n_scenarios; i++)
		write_suite(w, r, &r->scenarios[i], o);
	if (xmlTextWriterEndDocument(w) < 0)
		rc = err_set(err, EXIT_ENVIRONMENT, "junit.xml: the writer failed");
	xmlFreeTextWriter(w);
	if (rc == 0 && fputs((const char *)xmlBufferContent(buffer), f) == EOF)
		rc = err_errno(err, "junit.xml");
	xmlBufferFree(buffer);
	return rc;
}

const struct report_row report_junit = {
	.name = "junit",
	.summary = "JUnit XML for CI systems",
	.file = "junit.xml",
	.write = write_junit,
};
