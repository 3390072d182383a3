// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "output.h"
#include "tool.h"

static struct {
	unsigned int timeout_ms;
	int force;
	int all;
	int dry_run;
} args = { .timeout_ms = DEFAULT_TIMEOUT_MS };

static const struct opt options[] = {
	{ OPT_SECONDS, 't', "timeout", "SECONDS", &args.timeout_ms, TIMEOUT_HELP },
	{ OPT_FLAG, 0, "force", NULL, &args.force,
	  "remove it then, whatever its driver does" },
	{ OPT_FLAG, 0, "all", NULL, &args.all, "every device of the domain" },
	OPT_DRY_RUN(&args.dry_run),
	{ 0 },
};

static int preview(struct tool *tool, const struct xensplit_device *const *devices,
		   size_t count, const char *what)
{
	struct xensplit_batch *batch = NULL;
	int status = EXIT_SUCCESS;
	size_t i;
	int err;

	err = xensplit_batch_new(tool->ctx, &batch);
	for (i = 0; i < count && err >= 0; i++)
		err = xensplit_batch_close(batch, &devices[i]->id);
	for (i = 0; i < count && err >= 0; i++)
		err = xensplit_batch_remove(batch, &devices[i]->id, 0);
	if (err >= 0)
		err = xensplit_batch_preview(batch);
	if (err)
		status = tool_fail(tool, err, what);
	else
		print_changes(batch, tool->json);
	xensplit_batch_free(batch);
	return status;
}

/*
 * Asks all drivers to close in one commit, so that they do it side by side. Where it fails,
 * each device's own detach says why.
 */
static void close_together(struct tool *tool,
			   const struct xensplit_device *const *devices, size_t count)
{
	struct xensplit_batch *batch = NULL;
	int err;

	err = xensplit_batch_new(tool->ctx, &batch);
	for (size_t i = 0; i < count && err >= 0; i++)
		if (!devices[i]->stale)
			err = xensplit_batch_close(batch, &devices[i]->id);
	if (err >= 0)
		xensplit_batch_commit(batch);
	xensplit_batch_free(batch);
}

static int detach_one(struct tool *tool, const struct xensplit_id *id, uint64_t deadline)
{
	uint64_t now = now_ms();

	return xensplit_detach(tool->ctx, id, args.force ? XENSPLIT_DETACH_FORCE : 0,
			       now < deadline ? (unsigned int)(deadline - now) : 0);
}

/* Leaves those that are detached at the front of the array. Returns: an exit status. */
static int detach(struct tool *tool, const struct xensplit_device **devices, size_t count)
{
	uint64_t start = now_ms();
	int status = EXIT_SUCCESS;
	size_t done = 0;

	if (count > 1)
		close_together(tool, devices, count);
	for (size_t i = 0; i < count; i++) {
		int failed, err;

		err = detach_one(tool, &devices[i]->id, start + args.timeout_ms);
		if (err == -ENOENT && args.all)
			continue; /* another's detach was faster */
		if (err) {
			failed = tool_fail_device(tool, err, "detach", &devices[i]->id);
			status = status ? status : failed;
			continue;
		}
		devices[done++] = devices[i];
		if (tool->json || tool->quiet)
			continue;
		print_line(&devices[i]->id, devices[i]->domain, "detached after %.1f s",
			   (double)(now_ms() - start) / 1000);
	}
	if (tool->json)
		print_devices_json(devices, done, NULL);
	return status;
}

/* No device is listed: why, is the library's to say. */
static int nothing(struct tool *tool, const struct xensplit_id *id)
{
	int err;

	if (!args.all) {
		err = detach_one(tool, id, 0);
		return err ? tool_fail_device(tool, err, "detach", id) : EXIT_SUCCESS;
	}
	err = xensplit_domain_check(tool->ctx, id->domid);
	if (err)
		return tool_fail(tool, err, "detach");
	if (tool->json && args.dry_run)
		return preview(tool, NULL, 0, "detach");
	if (tool->json)
		print_devices_json(NULL, 0, NULL);
	else if (!tool->quiet)
		print_note("domain %u has no device to detach", id->domid);
	return EXIT_SUCCESS;
}

static int run(struct tool *tool, int argc, char **argv)
{
	XENSPLIT_FILTER(filter);
	const struct xensplit_device **devices;
	struct xensplit_list *list = NULL;
	struct xensplit_id id;
	size_t count;
	int status, err;

	if (args.all && argc > 1)
		return usage_error("detach --all takes no TYPE");
	status = tool_target(tool, "detach", argc, argv, 0, &id);
	if (status)
		return status;

	filter.domid = id.domid;
	filter.type = args.all ? NULL : id.type;
	filter.devid = args.all ? XENSPLIT_ANY : id.devid;
	err = xensplit_list_new(tool->ctx, &filter, 0, &list);
	if (err)
		return tool_fail_device(tool, err, "detach", &id);
	devices = list_devices(list, &count);
	if (!count)
		status = nothing(tool, &id);
	else if (args.dry_run)
		status = preview(tool, devices, count, "detach");
	else
		status = detach(tool, devices, count);
	free(devices);
	xensplit_list_free(list);
	return status;
}

const struct verb verb_detach = {
	.name = "detach",
	.args = "DOMAIN [TYPE[/DEVID]]",
	.summary = "have the drivers close a device, remove it",
	.notes = "A device whose driver has not closed when the time is up stays.\n",
	.min_args = 1,
	.max_args = 2,
	.options = options,
	.run = run,
};
