/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of json-c that the tool uses. */
#ifndef XENSPLIT_PLUGIN_JSON_H
#define XENSPLIT_PLUGIN_JSON_H

#include <json-c/json.h>

struct json_plugin {
	const char *version;
	__typeof__(json_object_new_object) *new_object;
	__typeof__(json_object_new_array) *new_array;
	__typeof__(json_object_new_string) *new_string;
	__typeof__(json_object_new_int64) *new_int64;
	__typeof__(json_object_new_boolean) *new_boolean;
	__typeof__(json_object_new_double_s) *new_double_s;
	__typeof__(json_object_object_add) *object_add;
	__typeof__(json_object_array_add) *array_add;
	__typeof__(json_object_to_json_string_ext) *to_text;
	__typeof__(json_object_put) *put;
	__typeof__(json_tokener_parse) *parse;
	__typeof__(json_object_object_get) *object_get;
	__typeof__(json_object_array_length) *array_length;
	__typeof__(json_object_array_get_idx) *array_get;
	__typeof__(json_object_get_string) *get_string;
	__typeof__(json_object_get_int64) *get_int64;
	__typeof__(json_object_is_type) *is_type;
};

#endif
