// SPDX-License-Identifier: GPL-2.0-or-later
/* What doctor found, as text and as JSON. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "output.h"
#include "tool.h"

static const char *severity_name(int severity)
{
	return severity == XENSPLIT_SEVERITY_ERROR ? "error" : "warning";
}

static struct json_object *finding_json(const struct xensplit_finding *finding)
{
	struct json_object *object = must(json_object_new_object());
	int device = finding->id.type != NULL;

	json_add_text(object, "severity", severity_name(finding->severity));
	json_add_text(object, "code", finding->code);
	json_add_number(object, "domid", device ? finding->id.domid : XENSPLIT_ANY);
	json_add_text(object, "type", finding->id.type);
	json_add_number(object, "devid", device ? finding->id.devid : XENSPLIT_ANY);
	json_add_number(object, "backend_domid", finding->backend_domid);
	json_add_escaped(object, "what", finding->what);
	json_add_escaped(object, "why", finding->why);
	json_add_escaped(object, "fix", finding->fix);
	json_object_object_add(object, "repairable",
			       must(json_object_new_boolean(finding->repairable)));
	return object;
}

static void print_finding(const struct xensplit_finding *finding)
{
	char *name = finding->id.type ? id_name(&finding->id) : must(strdup("this host"));

	printf("%s: %s: %s [%s]\n    why: %s\n", name, severity_name(finding->severity),
	       finding->what, finding->code, finding->why);
	if (finding->fix)
		printf("    fix: %s\n", finding->fix);
	free(name);
}

void print_findings(const struct xensplit_findings *findings, int json)
{
	struct json_object *report = json ? json_report() : NULL;
	struct json_object *array = json ? json_array(report, "findings") : NULL;
	const struct xensplit_finding *finding;

	for (size_t i = 0; (finding = xensplit_findings_get(findings, i)); i++) {
		if (json)
			json_object_array_add(array, finding_json(finding));
		else
			print_finding(finding);
	}
	if (json)
		json_print(report);
}
