// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "tool.h"

/* How often others may take away what was just listed. */
#define ATTEMPTS 5

static struct {
	int dry_run;
} args;

static const struct opt options[] = {
	OPT_DRY_RUN(&args.dry_run),
	{ 0 },
};

/* Keeps the stale ones at the front of the array. Returns: their number. */
static size_t keep_stale(const struct xensplit_device **devices, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (devices[i]->stale)
			devices[kept++] = devices[i];
	return kept;
}

static int is_removed(const struct xensplit_batch *batch, const struct xensplit_id *id)
{
	const struct xensplit_node *node;
	char record[256];

	snprintf(record, sizeof(record), "/xensplit/%u/%s/%u", id->domid, id->type,
		 id->devid);
	for (size_t i = 0; (node = xensplit_batch_change(batch, i)); i++)
		if (node->op == XENSPLIT_NODE_REMOVE && !strcmp(node->path, record))
			return 1;
	return 0;
}

/* Another reap may have been faster. Returns: how many this one removed. */
static size_t keep_removed(const struct xensplit_device **devices, size_t count,
			   const struct xensplit_batch *batch)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (is_removed(batch, &devices[i]->id))
			devices[kept++] = devices[i];
	return kept;
}

static void report(struct tool *tool, const struct xensplit_device *const *devices,
		   size_t count)
{
	if (tool->json) {
		print_devices_json(devices, count, NULL);
		return;
	}
	if (tool->quiet)
		return;
	for (size_t i = 0; i < count; i++)
		print_line(&devices[i]->id, devices[i]->domain, "removed");
	if (!count)
		puts("nothing is stale");
}

/* Returns: 0 or the library's error. */
static int reap(struct tool *tool)
{
	const struct xensplit_device **devices = NULL;
	struct xensplit_batch *batch = NULL;
	struct xensplit_list *list = NULL;
	size_t count = 0;
	int err;

	err = xensplit_list_new(tool->ctx, NULL, 0, &list);
	if (err)
		goto out;
	devices = list_devices(list, &count);
	count = keep_stale(devices, count);

	err = xensplit_batch_new(tool->ctx, &batch);
	if (!err)
		err = xensplit_batch_reap(batch);
	if (err < 0)
		goto out;
	err = args.dry_run ? xensplit_batch_preview(batch) : xensplit_batch_commit(batch);
	if (err)
		goto out;
	if (args.dry_run)
		print_changes(batch, tool->json);
	else
		report(tool, devices, keep_removed(devices, count, batch));
out:
	xensplit_batch_free(batch);
	free(devices);
	xensplit_list_free(list);
	return err;
}

static int run(struct tool *tool, int argc, char **argv)
{
	int status, err;

	(void)argc;
	(void)argv;
	status = tool_open(tool);
	if (status)
		return status;
	for (int i = 0; i < ATTEMPTS; i++) {
		err = reap(tool);
		if (err != -ENOENT)
			break;
	}
	return err ? tool_fail(tool, err, "reap") : EXIT_SUCCESS;
}

const struct verb verb_reap = {
	.name = "reap",
	.args = "",
	.summary = "remove what dead and replaced domains left",
	.notes = "What has no record, and devices of living domains, are left alone.\n",
	.options = options,
	.run = run,
};
