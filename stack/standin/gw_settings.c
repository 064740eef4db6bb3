// SPDX-License-Identifier: MIT
/* Settings of the gateway stand-in, from the places where upstream looks, in its order. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway.h"

char *read_file(const char *path)
{
	char *text = calloc(1, TEXT_MAX);
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f || !text) {
		free(text);
		if (f)
			(void)fclose(f);
		return NULL;
	}
	n = fread(text, 1, TEXT_MAX - 1, f);
	(void)fclose(f);
	while (n && isspace((unsigned char)text[n - 1]))
		text[--n] = '\0';
	return text;
}

/* KEY + suffix names a file, else dir/key does. */
static char *setting_file(const char *key, const char *suffix, const char *dir)
{
	char name[128], path[256];
	const char *given;
	size_t n;

	(void)snprintf(name, sizeof(name), "%s%s", key, suffix);
	given = getenv(name);
	if (given && *given)
		return read_file(given);
	n = (size_t)snprintf(path, sizeof(path), "%s/%s", dir, key);
	for (size_t i = strlen(dir); i < n && i < sizeof(path); i++)
		path[i] = (char)tolower((unsigned char)path[i]);
	return read_file(path);
}

/* These come from a whole wg0.conf or from none of upstream's plain files. */
static bool of_wireguard_file(const char *key)
{
	static const char *const keys[] = { "WIREGUARD_PRIVATE_KEY", "WIREGUARD_PRESHARED_KEY",
					    "WIREGUARD_ADDRESSES",   "WIREGUARD_PUBLIC_KEY",
					    "WIREGUARD_ENDPOINT_IP", "WIREGUARD_ENDPOINT_PORT" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

const char *setting(const char *key, const char *fallback)
{
	char *text = setting_file(key, "_SECRETFILE", "/run/secrets");
	const char *env = getenv(key);

	if (!text && !of_wireguard_file(key))
		text = setting_file(key, "_FILE", "/gluetun");
	if (text && *text)
		return text;
	free(text);
	return env && *env ? env : fallback;
}

bool setting_on(const char *key, bool fallback)
{
	const char *v = setting(key, fallback ? "on" : "off");

	return strcmp(v, "on") == 0 || strcmp(v, "true") == 0 || strcmp(v, "yes") == 0 ||
	       strcmp(v, "1") == 0;
}

const char *required(const char *key)
{
	const char *v = setting(key, "");

	if (!*v)
		die("settings", "%s is not set", key);
	return v;
}

unsigned setting_seconds(const char *key)
{
	const char *v = setting(key, "0");
	unsigned total = 0;

	while (*v) {
		char *end;
		unsigned n = (unsigned)strtoul(v, &end, 10);

		if (end == v)
			break;
		total += *end == 'h' ? n * 3600 : *end == 'm' && end[1] != 's' ? n * 60 : n;
		v = *end ? end + 1 : end;
	}
	return total;
}

unsigned list_count(const char *list)
{
	unsigned n = *list != '\0';

	for (; *list; list++)
		n += *list == ',';
	return n;
}

bool list_pick(const char *list, unsigned n, char *out, size_t size)
{
	unsigned count = list_count(list);

	if (!count)
		return false;
	for (n %= count; n; n--)
		list = strchr(list, ',') + 1;
	list += strspn(list, " ");
	(void)snprintf(out, size, "%.*s", (int)strcspn(list, ", "), list);
	return true;
}
