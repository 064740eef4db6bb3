// SPDX-License-Identifier: MIT
/* Which file of a command line is of which tap. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "engine/analysis.h"
#include "yaml/diag.h"

struct choosing {
	struct captures *files;
	struct policy *p;
	const struct analysis_opts *o;
	bool own_taps; /* the policy has taps */
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static size_t add_tap(struct policy *p, const char *name, enum tap_role role)
{
	_cleanup_free_ char *copy = str_fmt("%s", name);
	char none[] = "";
	struct policy_tap t = {
		.name = copy, .role = role, .interface = none, .service = none, .file = none
	};

	return policy_add_tap(p, &t);
}

static bool find_tap(const struct policy *p, const char *name, size_t *tap)
{
	for (size_t i = 0; i < p->n_taps; i++)
		if (strcmp(p->taps[i].name, name) == 0) {
			*tap = i;
			return true;
		}
	return false;
}

static bool find_tap_of_file(const struct policy *p, const char *path, size_t *tap)
{
	for (size_t i = 0; i < p->n_taps; i++)
		if (*p->taps[i].file && strcmp(base_name(p->taps[i].file), base_name(path)) == 0) {
			*tap = i;
			return true;
		}
	return false;
}

/* "uplink, br-vpn, exit" */
static char *tap_names(const struct policy *p)
{
	char *all = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&all, &size);

	if (!f)
		abort();
	for (size_t i = 0; i < p->n_taps; i++)
		(void)fprintf(f, "%s%s", i ? ", " : "", p->taps[i].name);
	(void)fclose(f);
	return all;
}

static int no_such_tap(const struct choosing *x, const char *name, struct err *err)
{
	_cleanup_free_ char *all = x->own_taps ? tap_names(x->p)
					       : str_fmt("uplink, isp, bridge, veth, lo, exit");

	return err_set(err, EXIT_USAGE, "`%s=`: no %s is called so, only %s", name,
		       x->own_taps ? "tap of the policy" : "role of a tap", all);
}

/* A tap that the operator named: "TAP=FILE". */
static int named_tap(const struct choosing *x, const char *name, size_t *tap, struct err *err)
{
	enum tap_role role;

	if (x->own_taps)
		return find_tap(x->p, name, tap) ? 0 : no_such_tap(x, name, err);
	if (tap_role_parse(name, &role) < 0)
		return no_such_tap(x, name, err);
	*tap = add_tap(x->p, name, role);
	return 0;
}

static bool has_tapped_interface(const struct choosing *x, size_t file)
{
	for (size_t t = 0; t < x->p->n_taps; t++)
		if (captures_has_interface(x->files, file, x->p->taps[t].interface))
			return captures_file(x->files, file)->pcapng;
	return false;
}

/* A tap for a file that says nothing but its name. */
static int guess_tap(const struct choosing *x, struct capture_file *f, struct err *err)
{
	_cleanup_free_ char *all = NULL;

	if (!x->own_taps) {
		f->tap = add_tap(x->p, "capture", x->o->role);
		return 0;
	}
	f->by_interface = f->pcapng;
	if (find_tap_of_file(x->p, f->path, &f->tap))
		return 0;
	f->tap = x->p->n_taps == 1 ? 0 : CAPTURE_NO_TAP;
	if (f->tap == 0 || has_tapped_interface(x, captures_count(x->files) - 1))
		return 0;
	all = tap_names(x->p);
	return err_set(err, EXIT_USAGE, "%s: of which tap is it? Say TAP=%s; the policy has %s",
		       f->path, f->path, all);
}

static int open_word(const struct choosing *x, const char *word, struct err *err)
{
	const char *equals = strchr(word, '=');
	/* a file that is called so is meant, whatever stands before the sign */
	bool named = equals && !fs_exists(word);
	_cleanup_free_ char *name = named ? str_fmt("%.*s", (int)(equals - word), word) : NULL;
	size_t tap = CAPTURE_NO_TAP;

	if (named && named_tap(x, name, &tap, err) < 0)
		return -1;
	if (captures_add(x->files, named ? equals + 1 : word, tap, err) < 0)
		return -1;
	return named ? 0 : guess_tap(x, captures_file(x->files, captures_count(x->files) - 1), err);
}

/* Frame numbers are those of a file: a second file of a tap is a tap beside it. */
static void split_taps(const struct choosing *x)
{
	for (size_t i = 0; i < captures_count(x->files); i++) {
		struct capture_file *f = captures_file(x->files, i);

		for (size_t k = 0; k < i && f->tap != CAPTURE_NO_TAP; k++)
			if (captures_file(x->files, k)->tap == f->tap) {
				struct policy_tap copy = x->p->taps[f->tap];

				f->tap = policy_add_tap(x->p, &copy);
				break;
			}
	}
}

static bool is_captured(const struct choosing *x, size_t tap)
{
	for (size_t i = 0; i < captures_count(x->files); i++) {
		const struct capture_file *f = captures_file(x->files, i);

		if (f->tap == tap ||
		    (f->by_interface &&
		     captures_has_interface(x->files, i, x->p->taps[tap].interface)))
			return true;
	}
	return false;
}

/* A tap of the outside without a capture saw nothing, and nothing may follow from its silence. One of the inside stays:
 * an allowance for a service is worth less where its network is said to be watched. */
static void drop_taps(const struct choosing *x)
{
	size_t to = 0;

	for (size_t from = 0; from < x->p->n_taps; from++) {
		bool inside = (TAP_BIT(x->p->taps[from].role) & TAPS_INSIDE) != 0;

		if (!is_captured(x, from) && !inside)
			continue;
		for (size_t i = 0; i < captures_count(x->files); i++)
			if (captures_file(x->files, i)->tap == from)
				captures_file(x->files, i)->tap = to;
		x->p->taps[to++] = x->p->taps[from];
	}
	x->p->n_taps = to;
}

int analysis_open(struct captures *c, struct policy *p, const struct analysis_opts *o,
		  struct err *err)
{
	struct choosing x = { .files = c, .p = p, .o = o, .own_taps = p->n_taps > 0 };

	for (size_t i = 0; i < o->n_files; i++)
		if (open_word(&x, o->files[i], err) < 0)
			return -1;
	split_taps(&x);
	drop_taps(&x);
	return 0;
}
