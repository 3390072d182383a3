// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fields.h"
#include "logger.h"
#include "output.h"
#include "table.h"
#include "tool.h"

static struct {
	const char *columns;
	int all;
	int no_headings;
	int raw;
} args;

static const struct opt options[] = {
	{ OPT_FLAG, 0, "all", NULL, &args.all, "include devices of other tools" },
	{ OPT_TEXT, 'o', "output", "COLUMNS", &args.columns,
	  "comma-separated columns; +COLUMNS adds to the default" },
	{ OPT_FLAG, 'n', "noheadings", NULL, &args.no_headings,
	  "do not print the headings" },
	{ OPT_FLAG, 'r', "raw", NULL, &args.raw, "separate columns by one space" },
	{ 0 },
};

static void print(const struct tool *tool, const struct xensplit_list *list,
		  const struct columns *columns)
{
	const struct xensplit_device **devices;
	size_t count;

	devices = list_devices(list, &count);
	if (tool->json)
		print_devices_json(devices, count, NULL);
	else
		print_devices_table(devices, count, columns,
				    (args.no_headings ? TABLE_NO_HEADINGS : 0) |
					    (args.raw ? TABLE_RAW : 0));
	free(devices);
}

/* Devices that the user may miss: libxl's own are not among them. */
static void hint_at_foreign(struct tool *tool, const struct xensplit_filter *filter)
{
	const struct xensplit_device *device;
	struct xensplit_list *list = NULL;
	unsigned int count = 0;
	char text[80];
	size_t i;

	if (xensplit_list_new(tool->ctx, filter, XENSPLIT_LIST_FOREIGN, &list))
		return;
	xensplit_list_foreach (list, i, device)
		count += device->origin == XENSPLIT_ORIGIN_FOREIGN && !device->reserved;
	xensplit_list_free(list);
	snprintf(text, sizeof(text), "xensplit did not make %u more device%s: see --all",
		 count, count == 1 ? "" : "s");
	if (count)
		logger_hint("note", text);
}

/* Finding foreign devices costs requests for each domain. */
static int wants_hint(const struct tool *tool, const struct xensplit_list *list)
{
	if (args.all || tool->json || tool->quiet || args.raw)
		return 0;
	return !xensplit_list_get(list, 0) || isatty(STDOUT_FILENO);
}

static int run(struct tool *tool, int argc, char **argv)
{
	XENSPLIT_FILTER(filter);
	struct xensplit_list *list = NULL;
	struct columns columns;
	int status, err;

	if (tool->json && args.raw)
		return usage_error("--json and --raw exclude each other");
	status = columns_parse(args.columns, &columns);
	if (!status)
		status = argc ? tool_main_domain(tool, argv[0], &filter.domid)
			      : tool_open(tool);
	if (status)
		return status;

	err = xensplit_list_new(tool->ctx, &filter, args.all ? XENSPLIT_LIST_FOREIGN : 0,
				&list);
	/* A mistyped domain must not look like a domain without devices. */
	if (!err && argc && !xensplit_list_get(list, 0))
		err = xensplit_domain_check(tool->ctx, filter.domid);
	if (err)
		status = tool_fail(tool, err, NULL);
	else
		print(tool, list, &columns);
	if (!err && wants_hint(tool, list))
		hint_at_foreign(tool, &filter);
	xensplit_list_free(list);
	return status;
}

const struct verb verb_list = {
	.name = "list",
	.args = "[DOMAIN]",
	.summary = "list devices and their states",
	.notes = "Columns:\n" USUAL_COLUMNS "\nand, on request:\n" MORE_COLUMNS
		 ",\n" PATH_COLUMNS "\n",
	.max_args = 1,
	.options = options,
	.run = run,
};
