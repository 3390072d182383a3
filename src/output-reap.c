// SPDX-License-Identifier: GPL-2.0-or-later
/* Prints the results of reap, as JSON. */
#include "json.h"
#include "output.h"

void print_reap_json(const struct xensplit_reap *reap)
{
	struct json_object *report = json_report();
	struct json_object *array = json_array(report, "devices");
	const struct xensplit_reaped *reaped;

	for (size_t i = 0; (reaped = xensplit_reap_get(reap, i)); i++) {
		struct json_object *object;

		if (!reaped->id.type)
			continue;
		object = json_item(array);
		json_add_number(object, "domid", reaped->id.domid);
		json_add_text(object, "domain", reaped->domain);
		json_add_text(object, "type", reaped->id.type);
		json_add_number(object, "devid", reaped->id.devid);
		json_add_number(object, "backend_domid", reaped->backend_domid);
		json_add_flag(object, "removed", !reaped->result);
		json_add_escaped(object, "error", reaped->message);
	}
	json_print(report);
}
