// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>

#include "fields.h"
#include "output.h"
#include "tool.h"

static struct {
	const char *columns;
	int all;
	int no_headings;
} args;

static const struct opt options[] = {
	{ OPT_FLAG, 0, "all", NULL, &args.all, "include devices of other tools" },
	{ OPT_TEXT, 'o', "output", "COLUMNS", &args.columns,
	  "columns of the table, with commas" },
	{ OPT_FLAG, 0, "no-headings", NULL, &args.no_headings,
	  "a table without its first line" },
	{ 0 },
};

static int print(struct tool *tool, const struct xensplit_list *list)
{
	const struct xensplit_device **devices;
	int status = EXIT_SUCCESS;
	size_t count;

	devices = list_devices(list, &count);
	if (tool->json)
		print_devices_json(devices, count, NULL);
	else
		status = print_devices_table(devices, count, args.columns,
					     !args.no_headings);
	free(devices);
	return status;
}

static int run(struct tool *tool, int argc, char **argv)
{
	XENSPLIT_FILTER(filter);
	struct xensplit_list *list = NULL;
	int status, err;

	status = tool_open(tool);
	if (!status && argc)
		status = tool_domain(tool, "list", argv[0], &filter.domid);
	if (status)
		return status;

	err = xensplit_list_new(tool->ctx, &filter, args.all ? XENSPLIT_LIST_FOREIGN : 0,
				&list);
	/* An empty list of a domain that is none would be taken for good news. */
	if (!err && argc && !xensplit_list_get(list, 0))
		err = xensplit_domain_check(tool->ctx, filter.domid);
	if (err)
		status = tool_fail(tool, err, "list");
	else
		status = print(tool, list);
	xensplit_list_free(list);
	return status;
}

const struct verb verb_list = {
	.name = "list",
	.args = "[DOMAIN]",
	.summary = "list devices and their states",
	.notes = "Columns:\n" USUAL_COLUMNS "\nand, on request, " MORE_COLUMNS "\n",
	.max_args = 1,
	.options = options,
	.run = run,
};
