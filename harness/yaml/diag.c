/* SPDX-License-Identifier: MIT */
/* What is wrong in a file a person wrote: kept, printed, and guessed at. */
#include "yaml/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/order.h"

#define WORD_MAX       63
#define LINE_SHOWN_MAX 160  /* bytes of a line that are worth showing */
#define CARET_MAX      100u /* farther right, only a piece of the line is shown */

void diag_free(struct diag *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->items[i].file);
		free(d->items[i].text);
		free(d->items[i].suggestion);
		free(d->items[i].source);
	}
	memset(d, 0, sizeof(*d));
}

/* Length of at most n bytes of s that does not end within a UTF-8 character. */
static size_t whole_characters(const char *s, size_t n)
{
	while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* Start of the character number `column` (from 1) of a line, at most at its end. */
static const char *character(const char *line, unsigned column)
{
	for (; column > 1 && *line && *line != '\n'; column--) {
		line++;
		while (((unsigned char)*line & 0xc0) == 0x80)
			line++;
	}
	return line;
}

/* Line number `line` of a text, without its end, and the caret's place in it; of a long line the piece around
 * the column. Control bytes but tabs become '?', for terminals. */
static char *line_of(const char *text, unsigned line, unsigned column, unsigned *caret)
{
	bool cut = column > CARET_MAX;
	char *copy;
	size_t n;

	for (; line > 1 && text; line--) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	if (!text)
		return NULL;
	*caret = cut ? CARET_MAX / 2 + 3 : column;
	if (cut)
		text = character(text, column - CARET_MAX / 2 + 1);
	n = strcspn(text, "\r\n");
	if (n > LINE_SHOWN_MAX)
		n = whole_characters(text, LINE_SHOWN_MAX);
	copy = str_fmt("%s%.*s", cut ? "..." : "", (int)n, text);
	for (char *p = copy; *p; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			*p = '?';
	return copy;
}

char *diag_word(const char *word, char buf[DIAG_WORD_MAX])
{
	size_t n = strlen(word);
	bool cut = n > DIAG_WORD_MAX - 4;

	if (cut)
		n = whole_characters(word, DIAG_WORD_MAX - 4);
	(void)snprintf(buf, DIAG_WORD_MAX, "%.*s%s", (int)n, word, cut ? "..." : "");
	for (char *p = buf; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return buf;
}

int diag_add(struct diag *d, const char *file, const char *source, unsigned line, unsigned column,
	     const char *suggestion, const char *fmt, ...)
{
	struct diag_item *it;
	char text[512];
	va_list ap;

	d->total++;
	if (d->n == DIAG_MAX)
		return -1;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	it = &d->items[d->n++];
	it->file = str_fmt("%s", file);
	it->line = line;
	it->column = column;
	it->text = str_fmt("%s", text);
	it->suggestion = suggestion ? str_fmt("%s", suggestion) : NULL;
	it->source = source && line ? line_of(source, line, column, &it->caret) : NULL;
	return -1;
}

static void print_position(const struct diag_item *it, FILE *f)
{
	(void)fprintf(f, "%s:", it->file);
	if (it->line)
		(void)fprintf(f, "%u:%u:", it->line, it->column);
}

/* The caret stands under column `column` (counted in characters): tabs are kept, and the bytes of
 * one UTF-8 character take one place. */
static void print_caret(const char *source, unsigned column, FILE *f)
{
	unsigned c = 1;

	(void)fputs("    ", f);
	for (const char *p = source; *p && c < column; p++) {
		if (((unsigned char)*p & 0xc0) == 0x80)
			continue;
		(void)fputc(*p == '\t' ? '\t' : ' ', f);
		c++;
	}
	for (; c < column && c < LINE_SHOWN_MAX; c++)
		(void)fputc(' ', f);
	(void)fputs("^\n", f);
}

void diag_print(const struct diag *d, FILE *f, bool colour)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct diag_item *it = &d->items[i];

		print_position(it, f);
		(void)fprintf(f, " %serror:%s %s", colour ? "\033[1;31m" : "",
			      colour ? "\033[0m" : "", it->text);
		if (it->suggestion)
			(void)fprintf(f, "; did you mean `%s`?", it->suggestion);
		(void)fputc('\n', f);
		if (!it->source)
			continue;
		(void)fprintf(f, "    %s\n", it->source);
		print_caret(it->source, it->caret, f);
	}
	if (d->total > d->n)
		(void)fprintf(f, "... and %zu more\n", d->total - d->n);
}

json_t *diag_to_json(const struct diag *d)
{
	json_t *all = json_array();

	for (size_t i = 0; i < d->n; i++) {
		const struct diag_item *it = &d->items[i];
		json_t *j = json_pack("{s:s, s:i, s:i}", "file", it->file, "line", (int)it->line,
				      "column", (int)it->column);

		/* Names and texts may hold bytes that are no UTF-8, which jansson refuses. */
		if (!j)
			j = json_pack("{s:i, s:i}", "line", (int)it->line, "column",
				      (int)it->column);
		(void)json_object_set_new(j, "error", json_string(it->text));
		if (it->suggestion)
			(void)json_object_set_new(j, "suggestion", json_string(it->suggestion));
		(void)json_array_append_new(all, j);
	}
	return all;
}

int diag_to_err(const struct diag *d, struct err *err)
{
	const struct diag_item *it = d->items;

	if (d->n == 0)
		return err_set(err, EXIT_USAGE, "bad file");
	if (it->line)
		return err_set(err, EXIT_USAGE, "%s:%u:%u: %s", it->file, it->line, it->column,
			       it->text);
	return err_set(err, EXIT_USAGE, "%s: %s", it->file, it->text);
}

/* Damerau-Levenshtein (optimal string alignment) of two words of at most WORD_MAX bytes: swapping two
 * neighbours is one mistake, the commonest of all. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 2];
	size_t *before = rows[0], *last = rows[1], *row = rows[2], *t;
	size_t na = strlen(a), nb = strlen(b);

	for (size_t j = 0; j <= nb; j++)
		last[j] = j;
	for (size_t i = 1; i <= na; i++) {
		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			row[j] = min_u64(min_u64(last[j], row[j - 1]) + 1,
					 last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min_u64(row[j], before[j - 2] + 1);
		}
		t = before;
		before = last;
		last = row;
		row = t;
	}
	return last[nb];
}

const char *diag_nearest(const char *word, const char *const *words)
{
	const char *best = NULL;
	size_t n = strlen(word);
	size_t best_distance = n / 3 + 2; /* exclusive */

	if (n == 0 || n > WORD_MAX)
		return NULL;
	for (; words && *words; words++) {
		size_t d;

		if (strlen(*words) > WORD_MAX)
			continue;
		d = distance(word, *words);
		if (d < best_distance && d < strlen(*words)) {
			best_distance = d;
			best = *words;
		}
	}
	return best;
}

char *diag_did_you_mean(const char *word, const char *const *words)
{
	const char *near = diag_nearest(word, words);

	return near ? str_fmt("; did you mean `%s`?", near) : str_fmt("%s", "");
}
