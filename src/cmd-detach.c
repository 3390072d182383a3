// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "many.h"
#include "output.h"
#include "text.h"
#include "tool.h"
#include "watchdog.h"

static struct {
	unsigned int timeout_ms;
	int force;
	int all;
	int dry_run;
} args = { .timeout_ms = DEFAULT_TIMEOUT_MS };

static const struct opt options[] = {
	{ OPT_SECONDS, 't', "timeout", "SECONDS", &args.timeout_ms, TIMEOUT_HELP },
	{ OPT_FLAG, 0, "force", NULL, &args.force,
	  "remove it even if its driver does not close" },
	{ OPT_FLAG, 0, "all", NULL, &args.all, "all devices of the domain" },
	OPT_DRY_RUN(&args.dry_run),
	{ 0 },
};

static int preview(struct tool *tool, const struct xensplit_id *ids, size_t count)
{
	struct xensplit_batch *batch = NULL;
	int status = EXIT_SUCCESS;
	int err;

	err = xensplit_batch_new(tool->ctx, &batch);
	for (size_t i = 0; i < count && err >= 0; i++)
		err = xensplit_batch_close(batch, &ids[i]);
	for (size_t i = 0; i < count && err >= 0; i++)
		err = xensplit_batch_remove(batch, &ids[i], 0);
	if (err >= 0)
		err = xensplit_batch_preview(batch);
	if (err && count == 1)
		status = tool_fail(tool, err, ids);
	else if (err)
		status = tool_fail(tool, err, NULL);
	else
		print_changes(batch, tool->json);
	xensplit_batch_free(batch);
	return status;
}

static uint32_t flags(void)
{
	return args.force ? XENSPLIT_DETACH_FORCE : 0;
}

static const char *after(uint64_t start)
{
	static char text[40];

	snprintf(text, sizeof(text), " %s", took_text(start));
	return text;
}

static int detach(struct tool *tool, const struct xensplit_id *id)
{
	int status = EXIT_SUCCESS;
	uint64_t start = now_ms();
	struct xensplit_op *op;
	int err;

	err = xensplit_op_detach(tool->ctx, id, flags(), args.timeout_ms, &op);
	if (err)
		return tool_fail(tool, err, id);
	err = xensplit_op_run(op);
	if (err)
		status = tool_fail(tool, err, id);
	else
		status = tool_report_op(tool, op, id, "detached from", after(start));
	if (tool->json && err == -ETIMEDOUT)
		print_devices_json(NULL, 0, NULL);
	xensplit_op_free(op);
	return status;
}

/* --- all devices of a domain --- */

struct all {
	const struct xensplit_device **devices;
	const struct xensplit_device **detached; /* in the order in which they ended */
	size_t done;
	uint64_t start;
	int status;
};

static int begin(const struct many *many, size_t index, unsigned int timeout_ms,
		 struct xensplit_op **ret_op)
{
	return xensplit_op_detach(many->tool->ctx, &many->ids[index], flags(), timeout_ms,
				  ret_op);
}

static void ended(const struct many *many, size_t index, struct xensplit_op *op, int err)
{
	struct all *all = many->data;
	const struct xensplit_device *device = all->devices[index];
	int failed;

	(void)op;
	if (err == -ENOENT) /* another client's detach was faster */
		return;
	if (err) {
		failed = tool_fail(many->tool, err, &device->id);
		all->status = all->status ? all->status : failed;
		return;
	}
	all->detached[all->done++] = device;
	if (!many->tool->json && !many->tool->quiet)
		print_done(&device->id, "detached from", device->domain,
			   after(all->start));
}

static int detach_all(struct tool *tool, const struct xensplit_device **devices,
		      const struct xensplit_id *ids, size_t count)
{
	struct all all = { .devices = devices, .start = now_ms() };
	struct many many = { .tool = tool,
			     .doing = "detaching",
			     .ids = ids,
			     .count = count,
			     .timeout_ms = args.timeout_ms,
			     .begin = begin,
			     .ended = ended,
			     .data = &all };
	int err;

	all.detached = must(calloc(count + 1, sizeof(struct xensplit_device *)));
	err = many_run(&many);
	if (err && !all.status)
		all.status = tool_fail(tool, err, NULL);
	if (tool->json)
		print_devices_json(all.detached, all.done, NULL);
	free(all.detached);
	return all.status;
}

/* A mistyped domain must not look like a domain without devices. */
static int nothing(struct tool *tool, uint32_t domid)
{
	int err = xensplit_domain_check(tool->ctx, domid);

	if (err)
		return tool_fail(tool, err, NULL);
	if (tool->json && args.dry_run)
		return preview(tool, NULL, 0);
	if (tool->json)
		print_devices_json(NULL, 0, NULL);
	else if (!tool->quiet)
		print_note("domain %u has no device to detach", domid);
	return EXIT_SUCCESS;
}

static int run_all(struct tool *tool, uint32_t domid)
{
	const struct xensplit_device **devices;
	struct xensplit_list *list = NULL;
	XENSPLIT_FILTER(filter);
	struct xensplit_id *ids;
	int status, err;
	size_t count;

	filter.domid = domid;
	err = xensplit_list_new(tool->ctx, &filter, 0, &list);
	if (err)
		return tool_fail(tool, err, NULL);
	devices = list_devices(list, &count);
	ids = must(calloc(count + 1, sizeof(*ids)));
	for (size_t i = 0; i < count; i++)
		ids[i] = devices[i]->id;
	if (!count)
		status = nothing(tool, domid);
	else if (args.dry_run)
		status = preview(tool, ids, count);
	else
		status = detach_all(tool, devices, ids, count);
	free(ids);
	free(devices);
	xensplit_list_free(list);
	return status;
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct xensplit_id id;
	int status;

	if (args.all && argc > 1)
		return usage_error("--all and TYPE exclude each other");
	if (!args.dry_run)
		watchdog_deadline(args.timeout_ms);
	status = tool_target(tool, argc, argv, 0, &id);
	if (status)
		return status;
	if (args.all)
		return run_all(tool, id.domid);
	return args.dry_run ? preview(tool, &id, 1) : detach(tool, &id);
}

const struct verb verb_detach = {
	.name = "detach",
	.args = "DOMAIN [TYPE[/DEVID]]",
	.summary = "close and remove a device",
	.notes = "Without --force, a device whose driver does not close in time stays.\n",
	.min_args = 1,
	.max_args = 2,
	.options = options,
	.run = run,
};
