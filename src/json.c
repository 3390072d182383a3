// SPDX-License-Identifier: GPL-2.0-or-later
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "output.h"
#include "tool.h"

#define JSON_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

struct json_object *json_text(const char *bytes, size_t len)
{
	char *text = escape(bytes, len);
	struct json_object *object = must(json_object_new_string(text));

	free(text);
	return object;
}

/* {"schema":1}, and arrays to come. */
struct json_object *json_report(void)
{
	struct json_object *report = must(json_object_new_object());

	json_object_object_add(report, "schema", must(json_object_new_int(1)));
	return report;
}

struct json_object *json_array(struct json_object *report, const char *name)
{
	struct json_object *array = must(json_object_new_array());

	json_object_object_add(report, name, array);
	return array;
}

void json_print(struct json_object *report)
{
	puts(must((void *)json_object_to_json_string_ext(report, JSON_FLAGS)));
	json_object_put(report);
}

void json_add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text ? json_text(text, strlen(text)) : NULL);
}

void json_add_number(struct json_object *object, const char *key, uint32_t number)
{
	json_object_object_add(
		object, key,
		number == XENSPLIT_ANY ? NULL : must(json_object_new_int64(number)));
}

/* The library has escaped what a guest wrote in it. */
void json_add_escaped(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key,
			       text ? must(json_object_new_string(text)) : NULL);
}
