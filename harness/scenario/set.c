/* SPDX-License-Identifier: MIT */
/* Sets of scenarios: a directory of files, and choosing among them. */
#include "scenario/scenario.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define FILES_MAX 1000
#define WORDS_MAX 4000

static void grow(struct scenario_set *set, struct scenario *s)
{
	struct scenario **bigger = reallocarray(set->items, set->n + 1, sizeof(struct scenario *));

	if (!bigger) {
		(void)fputs("leakproof: out of memory\n", stderr);
		abort();
	}
	set->items = bigger;
	set->items[set->n++] = s;
}

void scenario_set_free(struct scenario_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		scenario_free(set->items[i]);
	free(set->items);
	memset(set, 0, sizeof(*set));
}

static const struct scenario *find_name(const struct scenario_set *set, const char *name)
{
	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->items[i]->name, name) == 0)
			return set->items[i];
	return NULL;
}

/* Load one file into the set; 0 also for one whose name is taken, but then *d says so. */
static int load_into(const char *path, const struct vocab *v, struct scenario_set *set,
		     struct diag *d, struct err *err)
{
	const struct scenario *twin;
	struct scenario *s = NULL;

	if (scenario_load(path, v, &s, d, err) < 0)
		return -1;
	twin = find_name(set, s->name);
	if (!twin) {
		grow(set, s);
		return 0;
	}
	(void)diag_add(d, path, NULL, s->line, 1, NULL, "name `%s` is taken by %s:%u", s->name,
		       twin->file, twin->line);
	scenario_free(s);
	return diag_to_err(d, err);
}

static int wanted_file(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return e->d_name[0] != '.' && dot &&
	       (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* By bytes, so that the order is the same in every locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int scenario_load_dir(const char *path, const struct vocab *v, struct scenario_set *set,
		      struct diag *d, struct err *err)
{
	struct dirent **files = NULL;
	int n = scandir(path, &files, wanted_file, by_name);
	struct err first = { 0 };
	int rc = 0;

	if (n < 0) {
		(void)diag_add(d, path, NULL, 0, 0, NULL, "%s", strerror(errno));
		return err_set(err, EXIT_USAGE, "%s: %s", path, strerror(errno));
	}
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *file = str_fmt("%s/%s", path, files[i]->d_name);

		if (i < FILES_MAX && load_into(file, v, set, d, rc ? NULL : &first) < 0)
			rc = -1;
		free(files[i]);
	}
	free(files);
	if (n == 0 || n > FILES_MAX) {
		(void)diag_add(d, path, NULL, 0, 0, NULL,
			       n ? "more than %d scenarios"
				 : "no scenario (*.yaml) in this directory",
			       FILES_MAX);
		return diag_to_err(d, err);
	}
	if (rc < 0 && err)
		*err = first;
	return rc;
}

int scenario_load_path(const char *path, const struct vocab *v, struct scenario_set *set,
		       struct diag *d, struct err *err)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return scenario_load_dir(path, v, set, d, err);
	return load_into(path, v, set, d, err);
}

static bool has_tag(const struct scenario *s, const char *tag)
{
	for (size_t i = 0; i < s->tags.n; i++)
		if (strcmp(s->tags.items[i], tag) == 0)
			return true;
	return false;
}

static bool selected(const struct scenario *s, const char *selector)
{
	if (strncmp(selector, "tag:", 4) == 0)
		return has_tag(s, selector + 4);
	return strcmp(s->name, selector) == 0;
}

static int selects_nothing(const struct scenario_set *set, const char *selector, struct err *err)
{
	bool tag = strncmp(selector, "tag:", 4) == 0;
	const char *word = tag ? selector + 4 : selector;
	_cleanup_free_ const char **words = calloc(WORDS_MAX + 1, sizeof(*words));
	_cleanup_free_ char *hint = NULL;
	size_t n = 0;

	for (size_t i = 0; words && i < set->n; i++) {
		const struct scenario *s = set->items[i];

		for (size_t t = 0; tag && t < s->tags.n && n < WORDS_MAX; t++)
			words[n++] = s->tags.items[t];
		if (!tag && n < WORDS_MAX)
			words[n++] = s->name;
	}
	hint = diag_did_you_mean(word, words);
	return err_set(err, EXIT_USAGE, "no scenario %s`%.100s`%s", tag ? "with tag " : "", word,
		       hint);
}

int scenario_select(struct scenario_set *set, const char *const *selectors, size_t n,
		    struct err *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		size_t hits = 0;

		for (size_t j = 0; j < set->n; j++)
			hits += selected(set->items[j], selectors[i]);
		if (hits == 0)
			return selects_nothing(set, selectors[i], err);
	}
	for (size_t j = 0; j < set->n; j++) {
		bool keep = n == 0;

		for (size_t i = 0; i < n && !keep; i++)
			keep = selected(set->items[j], selectors[i]);
		if (keep)
			set->items[kept++] = set->items[j];
		else
			scenario_free(set->items[j]);
	}
	set->n = kept;
	return 0;
}
