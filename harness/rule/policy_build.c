// SPDX-License-Identifier: MIT
/* A policy from the words of a command line. */
#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "rule/policy_rows.h"
#include "yaml/arena.h"

#define HOST_NAME "the protected host"

/* A copy of the rows with room for one more; the old ones stay in the arena until its end. */
static void *grow(struct policy *p, const void *rows, size_t n, size_t size)
{
	char *more = arena_alloc(p->mem, (n + 1) * size);

	if (n)
		memcpy(more, rows, n * size);
	return more;
}

#define GROW(p, rows, n) ((rows) = grow(p, rows, n, sizeof(*(rows))), &(rows)[(n)++])

static int add_real(struct policy *p, const char *text, struct err *err)
{
	struct ipaddr a;

	if (!ipaddr_parse(text, &a))
		return err_set(err, EXIT_USAGE, "`%s` is no IPv4 or IPv6 address", text);
	*GROW(p, p->real, p->n_real) = a;
	return 0;
}

static struct policy_service *protected_host(struct policy *p)
{
	struct policy_service *s;

	if (p->n_services)
		return &p->services[0];
	s = GROW(p, p->services, p->n_services);
	s->name = arena_strdup(p->mem, HOST_NAME);
	s->role = SERVICE_PROTECTED;
	return s;
}

static int add_protected(struct policy *p, const char *text, struct err *err)
{
	struct policy_attachment *leg;
	struct policy_service *s;

	if (add_real(p, text, err) < 0)
		return -1;
	s = protected_host(p);
	leg = GROW(p, s->legs, s->n_legs);
	leg->network = arena_strdup(p->mem, "");
	leg->addr = p->real[p->n_real - 1];
	return 0;
}

/* Words between commas; an empty list is a mistake, not "nothing to protect". */
static int each_word(struct policy *p, const char *list,
		     int (*add)(struct policy *, const char *, struct err *), struct err *err)
{
	_cleanup_free_ char *copy = str_fmt("%s", list);
	char *save = NULL;
	size_t n = 0;

	for (char *w = strtok_r(copy, ", ", &save); w; w = strtok_r(NULL, ", ", &save), n++)
		if (add(p, w, err))
			return -1;
	return n ? 0 : err_set(err, EXIT_USAGE, "no address in `%s`", list);
}

int policy_add_protected(struct policy *p, const char *addresses, struct err *err)
{
	return each_word(p, addresses, add_protected, err);
}

int policy_add_real(struct policy *p, const char *addresses, struct err *err)
{
	return each_word(p, addresses, add_real, err);
}

/* "PROTO:ADDR:PORT": the first colon ends the protocol, the last one the address, which may stand in brackets. */
static bool parse_tuple(char *text, struct policy_tunnel *t)
{
	char *addr = strchr(text, ':');
	char *port = addr ? strrchr(addr + 1, ':') : NULL;
	char *end;
	unsigned long n;

	if (!port || !isdigit((unsigned char)port[1]))
		return false;
	*addr++ = '\0';
	*port++ = '\0';
	if (addr[0] == '[' && port - addr > 2 && port[-2] == ']') {
		port[-2] = '\0';
		addr++;
	}
	n = strtoul(port, &end, 10);
	t->port = (uint16_t)n;
	return policy_proto_parse(text, &t->proto) &&
	       (t->proto == IPPROTO_UDP || t->proto == IPPROTO_TCP) &&
	       ipaddr_parse(addr, &t->endpoint) && *end == '\0' && n >= 1 && n <= 65535;
}

int policy_add_tunnel(struct policy *p, const char *tuple, enum tunnel_kind kind, struct err *err)
{
	_cleanup_free_ char *copy = str_fmt("%s", tuple);
	struct policy_tunnel t = { .kind = kind };

	if (!parse_tuple(copy, &t))
		return err_set(err, EXIT_USAGE,
			       "`%s` is not PROTO:ADDR:PORT, such as udp:198.51.100.2:51820",
			       tuple);
	*GROW(p, p->tunnels, p->n_tunnels) = t;
	return 0;
}

static bool has_tap(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_taps; i++)
		if (strcmp(p->taps[i].name, name) == 0)
			return true;
	return false;
}

size_t policy_add_tap(struct policy *p, const struct policy_tap *t)
{
	_cleanup_free_ char *name = str_fmt("%s", t->name);
	struct policy_tap copy = *t;

	for (unsigned n = 2; has_tap(p, name); n++) {
		free(name);
		name = str_fmt("%s-%u", t->name, n);
	}
	copy.name = arena_strdup(p->mem, name);
	copy.interface = arena_strdup(p->mem, t->interface);
	copy.service = arena_strdup(p->mem, t->service);
	copy.file = arena_strdup(p->mem, t->file);
	*GROW(p, p->taps, p->n_taps) = copy;
	return p->n_taps - 1;
}
