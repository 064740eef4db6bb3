// SPDX-License-Identifier: MIT
/* Roles of the control server: a TOML file of one shape, read at the start. What is not valid in it ends the program,
 * as upstream. Without a file there is the public role of release 3.41.1, which later versions no longer have. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway.h"

#define FILE_DEFAULT "/gluetun/auth/config.toml"
#define ROLES_MAX    16
#define ROUTES_MAX   32

/* Each with its methods; those that need no file in 3.41.1 are marked. */
static const struct {
	const char *path, *methods, *open;
} known[] = {
	{ "/openvpn/actions/restart", "GET", "GET" },
	{ "/openvpn/portforwarded", "GET", "GET" },
	{ "/openvpn/settings", "GET", "" },
	{ "/unbound/actions/restart", "GET", "GET" },
	{ "/updater/restart", "GET", "GET" },
	{ "/v1/version", "GET", "GET" },
	{ "/v1/vpn/status", "GET PUT", "GET PUT" },
	{ "/v1/vpn/settings", "GET PUT", "" },
	{ "/v1/openvpn/status", "GET PUT", "GET PUT" },
	{ "/v1/openvpn/portforwarded", "GET", "GET" },
	{ "/v1/openvpn/settings", "GET", "" },
	{ "/v1/dns/status", "GET PUT", "GET PUT" },
	{ "/v1/updater/status", "GET PUT", "GET PUT" },
	{ "/v1/publicip/ip", "GET", "GET" },
	{ "/v1/portforward", "GET PUT", "GET" },
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

struct role {
	char auth[16], key[256], user[128], password[128];
	char routes[ROUTES_MAX][96];
	size_t n_routes;
};

static struct role roles[ROLES_MAX];
static size_t n_roles;
static bool no_file;

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list; n && (at = strstr(at, word)); at += n)
		if ((at == list || at[-1] == ' ') && (at[n] == '\0' || at[n] == ' '))
			return true;
	return false;
}

static int find_known(const char *path)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (strcmp(known[i].path, path) == 0)
			return (int)i;
	return -1;
}

/* ---- the file ---- */

/* Text between quotes at *at, which then is behind it; backslashes are not known here. */
static bool quoted(const char **at, char *out, size_t size)
{
	char quote = **at;
	const char *end = quote == '"' || quote == '\'' ? strchr(*at + 1, quote) : NULL;

	if (!end || memchr(*at, '\\', (size_t)(end - *at)))
		return false;
	(void)snprintf(out, size, "%.*s", (int)(end - *at - 1), *at + 1);
	*at = end + 1;
	return true;
}

static void skip_blank(const char **at)
{
	for (;;) {
		*at += strspn(*at, " \t\r\n");
		if (**at != '#')
			return;
		*at += strcspn(*at, "\n");
	}
}

static bool read_routes(const char **at, struct role *r)
{
	if (*(*at)++ != '[')
		return false;
	for (;;) {
		skip_blank(at);
		if (**at == ']')
			break;
		if (r->n_routes == ROUTES_MAX || !quoted(at, r->routes[r->n_routes], 96))
			return false;
		r->n_routes++;
		skip_blank(at);
		if (**at == ',')
			(*at)++;
	}
	(*at)++;
	return true;
}

static bool read_value(const char **at, const char *key, struct role *r)
{
	char ignored[128];

	if (strcmp(key, "routes") == 0)
		return read_routes(at, r);
	if (strcmp(key, "auth") == 0)
		return quoted(at, r->auth, sizeof(r->auth));
	if (strcmp(key, "apikey") == 0)
		return quoted(at, r->key, sizeof(r->key));
	if (strcmp(key, "username") == 0)
		return quoted(at, r->user, sizeof(r->user));
	if (strcmp(key, "password") == 0)
		return quoted(at, r->password, sizeof(r->password));
	return strcmp(key, "name") == 0 && quoted(at, ignored, sizeof(ignored));
}

/* "key = value" or "[[roles]]" at *at. */
static void read_item(const char **at)
{
	char key[32];
	size_t n = 0;

	if (strncmp(*at, "[[roles]]", 9) == 0 && n_roles < ROLES_MAX) {
		n_roles++;
		*at += 9;
		return;
	}
	while (isalnum((unsigned char)**at) && n < sizeof(key) - 1)
		key[n++] = *(*at)++;
	key[n] = '\0';
	*at += strspn(*at, " \t");
	if (*(*at)++ != '=')
		die("http server", "roles file: `%s` is no key with a value", key);
	*at += strspn(*at, " \t");
	if (n_roles == 0 || !read_value(at, key, &roles[n_roles - 1]))
		die("http server", "roles file: `%s` is not known, or its value is not", key);
}

static void check_route(const char *route)
{
	char method[8] = "", path[80] = "";
	int i;

	(void)sscanf(route, "%7s %79s", method, path);
	i = find_known(path);
	if (i < 0)
		die("http server", "roles file: route path not supported: %s", path);
	if (!has_word(known[i].methods, method))
		die("http server", "roles file: route method not supported: %s", route);
}

static void check_role(const struct role *r)
{
	bool key = strcmp(r->auth, "apikey") == 0, basic = strcmp(r->auth, "basic") == 0;

	if (!key && !basic && strcmp(r->auth, "none") != 0)
		die("http server", "roles file: authentication method not supported: %s", r->auth);
	if (key && !*r->key)
		die("http server", "roles file: an api key is empty");
	if (basic && (!*r->user || !*r->password))
		die("http server", "roles file: a username or password is empty");
	for (size_t i = 0; i < r->n_routes; i++)
		check_route(r->routes[i]);
}

void roles_read(void)
{
	char *text = read_file(setting("HTTP_CONTROL_SERVER_AUTH_CONFIG_FILEPATH", FILE_DEFAULT));
	const char *at = text;

	if (!text) {
		no_file = true;
		say("http server", "WARN no roles file: anybody may stop the VPN");
		return;
	}
	for (skip_blank(&at); *at; skip_blank(&at))
		read_item(&at);
	free(text);
	for (size_t i = 0; i < n_roles; i++)
		check_role(&roles[i]);
	say("http server", "read %zu roles from authentication file", n_roles);
}

/* ---- requests ---- */

/* RFC 4648 base64 of user:password, as a browser sends it. */
static void base64(const char *text, char *out, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = strlen(text), o = 0;

	for (size_t i = 0; i < len && o + 5 < size; i += 3) {
		uint32_t v = (uint32_t)(unsigned char)text[i] << 16;

		v |= i + 1 < len ? (uint32_t)(unsigned char)text[i + 1] << 8 : 0;
		v |= i + 2 < len ? (uint32_t)(unsigned char)text[i + 2] : 0;
		for (int k = 0; k < 4; k++)
			out[o++] = (size_t)k > len - i ? '=' : digits[v >> (18 - 6 * k) & 63];
	}
	out[o] = '\0';
}

static bool may(const struct role *r, const char *request, bool *basic)
{
	char given[512] = "", pair[260], want[400] = "Basic ";

	if (strcmp(r->auth, "none") == 0)
		return true;
	if (strcmp(r->auth, "apikey") == 0)
		return http_header(request, "X-API-Key", given, sizeof(given)) &&
		       strcmp(given, r->key) == 0;
	*basic = true;
	(void)snprintf(pair, sizeof(pair), "%s:%s", r->user, r->password);
	base64(pair, want + 6, sizeof(want) - 6);
	return http_header(request, "Authorization", given, sizeof(given)) &&
	       strcmp(given, want) == 0;
}

int roles_refuse(const char *method, const char *path, const char *request, bool *basic)
{
	int at = find_known(path);
	char route[96];

	*basic = false;
	if (at < 0)
		return 404;
	if (!has_word(known[at].methods, method))
		return 405;
	if (no_file)
		return has_word(known[at].open, method) ? 0 : 401;
	(void)snprintf(route, sizeof(route), "%s %s", method, path);
	for (size_t i = 0; i < n_roles; i++)
		for (size_t k = 0; k < roles[i].n_routes; k++)
			if (strcmp(roles[i].routes[k], route) == 0 &&
			    may(&roles[i], request, basic))
				return 0;
	return 401;
}
