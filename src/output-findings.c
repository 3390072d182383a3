// SPDX-License-Identifier: GPL-2.0-or-later
/* Prints the findings of doctor, as text or JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "json.h"
#include "logger.h"
#include "output.h"
#include "remedy.h"
#include "screen.h"
#include "text.h"

static const char *severity_name(int severity)
{
	switch (severity) {
	case XENSPLIT_SEVERITY_ERROR:
		return "error";
	case XENSPLIT_SEVERITY_WARNING:
		return "warning";
	default:
		return "note";
	}
}

static const char *severity_color(int severity)
{
	switch (severity) {
	case XENSPLIT_SEVERITY_ERROR:
		return SCREEN_RED;
	case XENSPLIT_SEVERITY_WARNING:
		return SCREEN_YELLOW;
	default:
		return "";
	}
}

static void add_finding(struct json_object *array, const struct xensplit_finding *finding,
			const char *remedy)
{
	struct json_object *object = json_item(array);
	int device = finding->id.type != NULL;

	json_add_text(object, "severity", severity_name(finding->severity));
	json_add_text(object, "code", finding->code);
	json_add_number(object, "domid", device ? finding->id.domid : XENSPLIT_ANY);
	json_add_text(object, "type", finding->id.type);
	json_add_number(object, "devid", device ? finding->id.devid : XENSPLIT_ANY);
	json_add_number(object, "backend_domid", finding->backend_domid);
	json_add_escaped(object, "what", finding->what);
	json_add_escaped(object, "why", finding->why);
	json_add_escaped(object, "fix", remedy);
	json_add_flag(object, "repairable", finding->remedy == XENSPLIT_REMEDY_REPAIR);
}

/* Prints "    why: ...", with further lines indented. */
static void print_reason(const char *label, const char *text)
{
	size_t column = (size_t)printf("    %s: ", label);

	screen_wrap(text, column, column);
}

static void print_finding(const struct xensplit_finding *finding, const char *remedy)
{
	char *name = finding->id.type ? id_name(&finding->id) : must(strdup("this host"));
	const char *severity = severity_name(finding->severity);
	char *what = words("%s [%s]", finding->what, finding->code);

	logger_make_way();
	printf("%s: %s%s%s: ", name, screen_color(severity_color(finding->severity)),
	       severity, screen_plain());
	screen_wrap(what, strlen(name) + strlen(severity) + 4, 2);
	free(what);
	print_reason("why", finding->why);
	if (remedy)
		print_reason("fix", remedy);
	free(name);
}

void print_findings(const struct xensplit_findings *findings,
		    const struct attempt *attempt, int json)
{
	struct json_object *report = json ? json_report() : NULL;
	struct json_object *array = json ? json_array(report, "findings") : NULL;
	const struct xensplit_finding *finding;

	for (size_t i = 0; (finding = xensplit_findings_get(findings, i)); i++) {
		char *remedy = remedy_of_finding(attempt, finding);

		if (json)
			add_finding(array, finding, remedy);
		else
			print_finding(finding, remedy);
		free(remedy);
	}
	if (json)
		json_print(report);
}
