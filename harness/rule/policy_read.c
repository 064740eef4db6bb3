// SPDX-License-Identifier: MIT
/* A policy from text: rows first, then what rows cannot say. */
#include <netinet/in.h>
#include <string.h>

#include "base/cleanup.h"
#include "rule/policy_rows.h"
#include "rule/rule.h"
#include "yaml/walk.h"

/* A run of a day that starts thousands of probes stays far below. */
static const struct yaml_limits limits = { .what = "policy",
					   .size = POLICY_TEXT_MAX,
					   .nodes = 2000000 };

struct reading {
	struct yaml_doc *doc;
	struct policy *p;
	const char **services, **taps, **rules; /* names, NULL-terminated, for "did you mean" */
};

/* ---- names that others refer to ---- */

#define NAMES(r, rows, n) names_of(r, (const char *)(rows), n, sizeof(*(rows)))

/* The names of an array of structs that begin with their name; two more words fit behind. */
static const char **names_of(const struct reading *r, const char *rows, size_t n, size_t size)
{
	const char **words = arena_alloc(r->doc->mem, (n + 3) * sizeof(*words));

	for (size_t i = 0; i < n; i++)
		memcpy(&words[i], rows + i * size, sizeof(words[i]));
	return words;
}

_Static_assert(offsetof(struct policy_service, name) == 0, "names_of() reads it there");
_Static_assert(offsetof(struct policy_network, name) == 0, "names_of() reads it there");
_Static_assert(offsetof(struct policy_tap, name) == 0, "names_of() reads it there");

static const char **rule_ids(const struct reading *r)
{
	const char **words = arena_alloc(r->doc->mem, (n_rules + 1) * sizeof(*words));

	for (size_t i = 0; i < n_rules; i++)
		words[i] = rules[i]->id;
	return words;
}

static bool has_word(const char *const *words, const char *word)
{
	for (; *words; words++)
		if (strcmp(*words, word) == 0)
			return true;
	return false;
}

static const struct node *items(const struct reading *r, const char *list)
{
	const struct node *n = node_child(r->doc->root, list);

	return n ? n->first : NULL;
}

/* The value of a key in a mapping, or the mapping itself where the key is left out. */
static const struct node *place(const struct node *map, const char *key)
{
	const struct node *n = node_child(map, key);

	return n ? n : map;
}

static int check_unique(const struct reading *r, const char *list, const char **words)
{
	char shown[DIAG_WORD_MAX];
	size_t i = 0;
	int rc = 0;

	for (const struct node *n = items(r, list); n; n = n->next, i++) {
		const char *mine = words[i];

		words[i] = NULL; /* ends the list before it */
		if (has_word(words, mine))
			rc = yaml_doc_error(r->doc, place(n, "name"), NULL,
					    "two of `%s` are called `%s`", list,
					    diag_word(mine, shown));
		words[i] = mine;
	}
	return rc;
}

/* A word that has to be one of `words`. */
static int check_known(const struct reading *r, const struct node *map, const char *key,
		       const char *word, const char *const *words, const char *what)
{
	char shown[DIAG_WORD_MAX];

	if (has_word(words, word))
		return 0;
	return yaml_doc_error(r->doc, place(map, key), diag_nearest(word, words),
			      "`%s`: no %s `%s`", key, what, diag_word(word, shown));
}

/* ---- lists ---- */

static bool is_every_port(uint16_t low, uint16_t high)
{
	return high == 0 || (low == 1 && high == UINT16_MAX);
}

/* An allowance by address alone would excuse every leak to that address, and one of everything all of them. */
static int check_allow(const struct reading *r, const struct node *n, const struct policy_allow *a)
{
	bool ported = a->proto == IPPROTO_TCP || a->proto == IPPROTO_UDP;

	if (ported && a->port_high == 0 && a->local_high == 0)
		return yaml_doc_error(
			r->doc, n, NULL,
			"TCP and UDP want `port` or `local-port`: an address alone excuses "
			"nothing");
	if (a->shape == SHAPE_ANY && a->peer.any && is_every_port(a->port_low, a->port_high) &&
	    is_every_port(a->local_low, a->local_high))
		return yaml_doc_error(r->doc, place(n, "shape"), NULL,
				      "any payload to any address and port excuses everything");
	return 0;
}

static int check_allows(const struct reading *r)
{
	const char **who = NAMES(r, r->p->services, r->p->n_services);
	size_t i = 0;
	int rc = 0;

	who[r->p->n_services] = "host";
	who[r->p->n_services + 1] = "lan";
	for (const struct node *n = items(r, "allow"); n; n = n->next, i++) {
		rc |= check_allow(r, n, &r->p->allows[i]);
		rc |= check_known(r, n, "who", r->p->allows[i].who, who,
				  "service, nor `host` or `lan`, is called");
	}
	return rc;
}

static int check_published(const struct reading *r)
{
	size_t i = 0;
	int rc = 0;

	for (const struct node *n = items(r, "published"); n; n = n->next, i++)
		rc |= check_known(r, n, "service", r->p->published[i].service, r->services,
				  "service is called");
	return rc;
}

static int check_canaries(const struct reading *r)
{
	size_t i = 0;
	int rc = 0;

	for (const struct node *n = items(r, "canaries"); n; n = n->next, i++) {
		if (r->p->canaries[i].id >= POLICY_CONTROL_BASE)
			rc = yaml_doc_error(r->doc, place(n, "id"), NULL,
					    "`id`: %u and above are controls", POLICY_CONTROL_BASE);
		rc |= check_known(r, n, "service", r->p->canaries[i].service, r->services,
				  "service is called");
	}
	return rc;
}

static int check_controls(const struct reading *r)
{
	size_t i = 0;
	int rc = 0;

	for (const struct node *n = items(r, "controls"); n; n = n->next, i++) {
		const struct policy_control *c = &r->p->controls[i];

		if (c->id < POLICY_CONTROL_BASE)
			rc = yaml_doc_error(r->doc, place(n, "id"), NULL,
					    "`id`: below %u are canaries", POLICY_CONTROL_BASE);
		rc |= check_known(r, n, "rule", c->rule, r->rules, "rule is called");
		rc |= check_known(r, n, "tap", c->tap, r->taps, "tap is called");
	}
	return rc;
}

static int check_taps(const struct reading *r)
{
	size_t i = 0;
	int rc = 0;

	for (const struct node *n = items(r, "taps"); n; n = n->next, i++)
		if (r->p->taps[i].service[0])
			rc |= check_known(r, n, "service", r->p->taps[i].service, r->services,
					  "service is called");
	return rc;
}

static int check_nonce(const struct reading *r)
{
	if (r->p->has_nonce || (r->p->n_canaries == 0 && r->p->n_controls == 0))
		return 0;
	return yaml_doc_error(r->doc, r->doc->root, NULL,
			      "canaries and controls want `nonce`: they are recognised by it");
}

static int check(struct yaml_doc *doc, struct policy *p)
{
	struct reading r = { .doc = doc, .p = p };
	int rc = 0;

	r.services = NAMES(&r, p->services, p->n_services);
	r.taps = NAMES(&r, p->taps, p->n_taps);
	r.rules = rule_ids(&r);
	rc |= check_unique(&r, "services", r.services);
	rc |= check_unique(&r, "networks", NAMES(&r, p->networks, p->n_networks));
	rc |= check_unique(&r, "taps", r.taps);
	rc |= check_allows(&r) | check_published(&r) | check_canaries(&r) | check_controls(&r) |
	      check_taps(&r) | check_nonce(&r);
	return rc;
}

static int read_root(struct yaml_doc *doc, struct policy *p)
{
	struct walk_target t = { policy_fields, p };

	if (doc->root->kind != NODE_MAP)
		return yaml_doc_error(doc, doc->root, NULL, "a policy is a mapping, this is %s",
				      node_kind_text(doc->root));
	if (walk_map(doc, doc->root, &t, 1, "a policy") < 0)
		return -1;
	return check(doc, p);
}

int policy_parse(const char *file, const char *text, size_t len, struct policy **out,
		 struct diag *d, struct err *err)
{
	struct policy *p = policy_new();
	struct yaml_doc doc = { .file = file, .limits = &limits, .diag = d, .mem = p->mem };

	if (yaml_doc_read(&doc, text, len) < 0 || read_root(&doc, p) < 0) {
		policy_free(p);
		return diag_to_err(d, err);
	}
	*out = p;
	return 0;
}
