/* SPDX-License-Identifier: MIT */
/* Short readers for journal events: absent or of another type gives the neutral value. */
#ifndef ENGINE_EVENTS_H
#define ENGINE_EVENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline const char *event_str(const json_t *e, const char *key)
{
	const char *s = json_string_value(json_object_get(e, key));

	return s ? s : "";
}

static inline int64_t event_int(const json_t *e, const char *key)
{
	return json_integer_value(json_object_get(e, key));
}

static inline bool event_bool(const json_t *e, const char *key)
{
	return json_is_true(json_object_get(e, key));
}

static inline bool event_is(const json_t *e, const char *event)
{
	return strcmp(event_str(e, "event"), event) == 0;
}

#endif
