// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "json.h"
#include "logger.h"
#include "plugin-json.h"
#include "plugin.h"
#include "text.h"
#include "xensplit.h"

#define JSON_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

static const struct json_plugin *json;
static struct json_object *error; /* of the run, for its report */
static int has_error;		  /* or had */

void json_load(void)
{
	if (!json)
		json = plugin_load("json");
}

struct json_object *json_report(void)
{
	struct json_object *report;

	logger_make_way();
	json_load();
	report = must(json->new_object());
	json_add_number(report, "schema", 1);
	return report;
}

struct json_object *json_array(struct json_object *report, const char *name)
{
	struct json_object *array = must(json->new_array());

	json->object_add(report, name, array);
	return array;
}

struct json_object *json_member(struct json_object *object, const char *name)
{
	struct json_object *member = must(json->new_object());

	json->object_add(object, name, member);
	return member;
}

struct json_object *json_item(struct json_object *array)
{
	struct json_object *object = must(json->new_object());

	json->array_add(array, object);
	return object;
}

struct json_object *json_error(void)
{
	if (has_error)
		return NULL;
	json_load();
	error = must(json->new_object());
	has_error = 1;
	return error;
}

int json_has_error(void)
{
	return has_error;
}

void json_flush_error(void)
{
	if (error)
		json_print(json_report());
}

void json_print(struct json_object *report)
{
	if (error)
		json->object_add(report, "error", error);
	error = NULL;
	puts(must((void *)json->to_text(report, JSON_FLAGS)));
	json->put(report);
}

char *json_take(struct json_object *report)
{
	char *text = must(strdup(must((void *)json->to_text(report, JSON_FLAGS))));

	json->put(report);
	return text;
}

struct json_object *json_parse(const char *text)
{
	struct json_object *object;

	json_load();
	object = json->parse(text);
	if (json->is_type(object, json_type_object))
		return object;
	json->put(object);
	return NULL;
}

void json_free(struct json_object *report)
{
	json->put(report);
}

struct json_object *json_get(struct json_object *object, const char *key)
{
	return json->is_type(object, json_type_object) ? json->object_get(object, key)
						       : NULL;
}

size_t json_count(struct json_object *array)
{
	return json->is_type(array, json_type_array) ? json->array_length(array) : 0;
}

struct json_object *json_at(struct json_object *array, size_t index)
{
	return json->array_get(array, index);
}

const char *json_text(struct json_object *object, const char *key, const char *none)
{
	struct json_object *member = json_get(object, key);

	return member ? json->get_string(member) : none;
}

int64_t json_number(struct json_object *object, const char *key, int64_t none)
{
	struct json_object *member = json_get(object, key);

	return member ? json->get_int64(member) : none;
}

void json_add_bytes(struct json_object *object, const char *key, const char *bytes,
		    size_t len)
{
	char *text = bytes ? escape(bytes, len) : NULL;

	json_add_escaped(object, key, text);
	free(text);
}

void json_add_text(struct json_object *object, const char *key, const char *text)
{
	json_add_bytes(object, key, text, text ? strlen(text) : 0);
}

void json_add_number(struct json_object *object, const char *key, uint32_t number)
{
	json->object_add(object, key,
			 number == XENSPLIT_ANY ? NULL : must(json->new_int64(number)));
}

void json_add_time(struct json_object *object, const char *key, uint64_t seconds)
{
	json->object_add(object, key,
			 seconds ? must(json->new_int64((int64_t)seconds)) : NULL);
}

void json_add_flag(struct json_object *object, const char *key, int flag)
{
	json->object_add(object, key, must(json->new_boolean(flag)));
}

void json_add_decimal(struct json_object *object, const char *key, const char *digits)
{
	json->object_add(object, key, must(json->new_double_s(atof(digits), digits)));
}

void json_add_escaped(struct json_object *object, const char *key, const char *text)
{
	json->object_add(object, key, text ? must(json->new_string(text)) : NULL);
}
