// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>

#include "common.h"
#include "json-items.h"
#include "json.h"
#include "output.h"
#include "text.h"

static const char *const kinds[] = {
	[XENSPLIT_ACTION_KEEP] = "keep",     [XENSPLIT_ACTION_ATTACH] = "attach",
	[XENSPLIT_ACTION_RENEW] = "renew",   [XENSPLIT_ACTION_DETACH] = "detach",
	[XENSPLIT_ACTION_REFUSE] = "refuse",
};

static void print_plan(const struct applied *planned)
{
	static const char *const words[] = {
		[XENSPLIT_ACTION_KEEP] = "of",	 [XENSPLIT_ACTION_ATTACH] = "to",
		[XENSPLIT_ACTION_RENEW] = "of",	 [XENSPLIT_ACTION_DETACH] = "from",
		[XENSPLIT_ACTION_REFUSE] = "of",
	};
	char *device = device_name(&planned->id);
	char *domain = domain_words(planned->id.domid, planned->domain);
	const char *reason = planned->reason;

	print_note("%s %s %s %s%s%s", kinds[planned->kind], device, words[planned->kind],
		   domain, reason ? ": " : "", reason ? reason : "");
	free(device);
	free(domain);
}

void print_planned(const struct applied *const *planned, size_t count)
{
	for (size_t i = 0; i < count; i++)
		print_plan(planned[i]);
}

static void add_applied(struct json_object *array, const struct applied *applied)
{
	struct json_object *object = json_item(array), *error;

	json_add_number(object, "domid", applied->id.domid);
	json_add_text(object, "domain", applied->domain);
	json_add_text(object, "type", applied->id.type);
	json_add_number(object, "devid", applied->id.devid);
	json_add_number(object, "backend_domid", applied->backend_domid);
	json_add_text(object, "frontend_state", state_or_null(applied->frontend_state));
	json_add_text(object, "backend_state", state_or_null(applied->backend_state));
	json_add_text(object, "action", kinds[applied->kind]);
	json_add_flag(object, "changed", applied->changed);
	json_add_escaped(object, "reason", applied->reason);
	json_add_text(object, "file", applied->file);
	json_add_number(object, "line", applied->line ? applied->line : XENSPLIT_ANY);
	if (!applied->code) {
		json_add_text(object, "error", NULL);
		return;
	}
	error = json_member(object, "error");
	json_add_text(error, "code", applied->code);
	json_add_escaped(error, "message", applied->message);
}

void print_applied_json(const struct applied *const *applied, size_t count)
{
	struct json_object *report = json_report(), *array;
	int changed = 0;

	for (size_t i = 0; i < count; i++)
		changed |= applied[i]->changed;
	json_add_flag(report, "changed", changed);
	array = json_array(report, "devices");
	for (size_t i = 0; i < count; i++)
		add_applied(array, applied[i]);
	json_print(report);
}
