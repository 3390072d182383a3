// SPDX-License-Identifier: GPL-2.0-or-later
/* The only file that calls json-c. */
#include "plugin-json.h"
#include "plugin.h"

PLUGIN_EXPORT const struct json_plugin xensplit_plugin = {
	.version = XENSPLIT_VERSION,
	.new_object = json_object_new_object,
	.new_array = json_object_new_array,
	.new_string = json_object_new_string,
	.new_int64 = json_object_new_int64,
	.new_boolean = json_object_new_boolean,
	.new_double_s = json_object_new_double_s,
	.object_add = json_object_object_add,
	.array_add = json_object_array_add,
	.to_text = json_object_to_json_string_ext,
	.put = json_object_put,
	.parse = json_tokener_parse,
	.object_get = json_object_object_get,
	.array_length = json_object_array_length,
	.array_get = json_object_array_get_idx,
	.get_string = json_object_get_string,
	.get_int64 = json_object_get_int64,
	.is_type = json_object_is_type,
};
