// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>

#include "output.h"
#include "tool.h"

static const struct opt options[] = { { 0 } };

static int show_json(struct tool *tool, const struct xensplit_id *id,
		     const struct xensplit_nodes *nodes)
{
	struct xensplit_filter filter = { sizeof(filter), id->domid, id->type, id->devid,
					  XENSPLIT_ANY };
	struct xensplit_list *list = NULL;
	const struct xensplit_device *device;
	int err;

	err = xensplit_list_new(tool->ctx, &filter, XENSPLIT_LIST_FOREIGN, &list);
	if (err)
		return tool_fail(tool, err, id);
	device = xensplit_list_get(list, 0);
	print_devices_json(&device, device ? 1 : 0, nodes);
	xensplit_list_free(list);
	return EXIT_SUCCESS;
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct xensplit_nodes *nodes = NULL;
	struct xensplit_id id;
	int status, err;

	status = tool_target(tool, argc, argv, 0, &id);
	if (status)
		return status;
	err = xensplit_nodes_new(tool->ctx, &id, &nodes);
	if (err)
		return tool_fail(tool, err, &id);
	if (tool->json)
		status = show_json(tool, &id, nodes);
	else
		print_nodes(nodes);
	xensplit_nodes_free(nodes);
	return status;
}

const struct verb verb_show = {
	.name = "show",
	.args = "DOMAIN [TYPE[/DEVID]]",
	.summary = "show a device's nodes, owners and permissions",
	.notes = "PERMISSIONS starts with the owner and what all other domains may do "
		 "(n:\n"
		 "nothing, r: read, w: write, b: both); entries for single domains "
		 "follow.\n"
		 "Unprintable bytes are shown as \\xNN, a backslash as two.\n",
	.min_args = 1,
	.max_args = 2,
	.options = options,
	.run = run,
};
