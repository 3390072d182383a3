// SPDX-License-Identifier: GPL-2.0-or-later
/* What reap did, as JSON. */
#include <json-c/json.h>

#include "json.h"
#include "output.h"
#include "tool.h"

void print_reap_json(const struct xensplit_reap *reap)
{
	struct json_object *report = json_report();
	struct json_object *array = json_array(report, "devices");
	const struct xensplit_reaped *reaped;

	for (size_t i = 0; (reaped = xensplit_reap_get(reap, i)); i++) {
		struct json_object *object;

		if (!reaped->id.type)
			continue;
		object = must(json_object_new_object());
		json_add_number(object, "domid", reaped->id.domid);
		json_add_text(object, "type", reaped->id.type);
		json_add_number(object, "devid", reaped->id.devid);
		json_add_number(object, "backend_domid", reaped->backend_domid);
		json_object_object_add(object, "removed",
				       must(json_object_new_boolean(!reaped->result)));
		json_add_escaped(object, "error", reaped->message);
		json_object_array_add(array, object);
	}
	json_print(report);
}
