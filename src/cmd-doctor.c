// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "many.h"
#include "output.h"
#include "tool.h"
#include "watchdog.h"

static struct {
	int fix;
	int dry_run;
	unsigned int timeout_ms;
} args = { .timeout_ms = DEFAULT_TIMEOUT_MS };

static const struct opt options[] = {
	{ OPT_FLAG, 0, "fix", NULL, &args.fix, "repair what can be repaired safely" },
	OPT_DRY_RUN(&args.dry_run),
	{ OPT_SECONDS, 't', "timeout", "SECONDS", &args.timeout_ms,
	  "time limit of --fix (default: 10)" },
	{ 0 },
};

/* Findings about a device are adjacent, so each device appears once. */
static int is_next_device(const struct xensplit_id *last, const struct xensplit_id *id)
{
	return !last || last->domid != id->domid || last->devid != id->devid ||
	       strcmp(last->type, id->type) != 0;
}

/* The devices that can be repaired; the caller frees the list. */
static struct xensplit_id *list_repairable(const struct xensplit_findings *findings,
					   size_t *ret_count)
{
	const struct xensplit_finding *finding;
	struct xensplit_id *ids = NULL;
	size_t count = 0;

	for (size_t i = 0; (finding = xensplit_findings_get(findings, i)); i++) {
		if (finding->remedy != XENSPLIT_REMEDY_REPAIR ||
		    !is_next_device(count ? &ids[count - 1] : NULL, &finding->id))
			continue;
		ids = must(reallocarray(ids, count + 1, sizeof(*ids)));
		ids[count++] = finding->id;
	}
	*ret_count = count;
	return ids;
}

/* Shows writes to existing nodes; a repair that can't be done fails on its own. */
static void show(struct tool *tool, const struct xensplit_id *ids, size_t count)
{
	struct xensplit_batch *batch = NULL;

	for (size_t i = 0; i < count; i++) {
		int err = xensplit_batch_new(tool->ctx, &batch);

		if (!err)
			err = xensplit_batch_repair(batch, &ids[i]);
		if (err >= 0)
			err = xensplit_batch_preview(batch);
		if (!err)
			print_changes(batch, 0);
		batch = xensplit_batch_free(batch);
	}
}

/* Output of a dry run. Returns: 0 or the library's error. */
static int preview(struct tool *tool, const struct xensplit_id *ids, size_t count)
{
	struct xensplit_batch *batch = NULL;
	int err = xensplit_batch_new(tool->ctx, &batch);

	for (size_t i = 0; i < count && err >= 0; i++)
		err = xensplit_batch_repair(batch, &ids[i]);
	if (err >= 0 && count)
		err = xensplit_batch_preview(batch);
	if (err >= 0 && (tool->json || !tool->quiet))
		print_changes(batch, tool->json);
	xensplit_batch_free(batch);
	return err < 0 ? err : 0;
}

static int begin(const struct many *many, size_t index, unsigned int timeout_ms,
		 struct xensplit_op **ret_op)
{
	return xensplit_op_repair(many->tool->ctx, &many->ids[index], timeout_ms, ret_op);
}

/* The second check explains devices that are not Connected after the repair. */
static void ended(const struct many *many, size_t index, struct xensplit_op *op, int err)
{
	int *status = many->data;

	(void)op;
	if (!err || err == -ETIMEDOUT || err == -EPROTO || err == -ENOENT)
		return;
	err = tool_fail(many->tool, err, &many->ids[index]);
	*status = *status ? *status : err;
}

/* Returns: an exit status, for the first device that could not be repaired. */
static int fix(struct tool *tool, const struct xensplit_id *ids, size_t count)
{
	int status = EXIT_SUCCESS;
	struct many many = { .tool = tool,
			     .doing = "repairing",
			     .ids = ids,
			     .count = count,
			     .timeout_ms = args.timeout_ms,
			     .begin = begin,
			     .ended = ended,
			     .data = &status };
	int err;

	if (!tool->json && !tool->quiet)
		show(tool, ids, count);
	err = many_run(&many);
	if (err && !status)
		status = tool_fail(tool, err, NULL);
	return status;
}

static int report(struct tool *tool, const struct xensplit_findings *findings)
{
	const struct xensplit_finding *finding;
	int healthy = 1;

	for (size_t i = 0; (finding = xensplit_findings_get(findings, i)); i++)
		healthy &= finding->severity == XENSPLIT_SEVERITY_NOTE;
	if (tool->json || !tool->quiet)
		print_findings(findings, &tool->attempt, tool->json);
	if (healthy && !tool->json && !tool->quiet)
		print_note("nothing is wrong");
	return healthy ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int check_domain(struct tool *tool, const struct xensplit_filter *filter)
{
	/* For a single device or a type, the domain may be gone: that is a finding. */
	if (filter->domid == XENSPLIT_ANY || filter->type)
		return 0;
	return xensplit_domain_check(tool->ctx, filter->domid);
}

/* Repairs, and checks again. Returns: an exit status. */
static int fix_and_look(struct tool *tool, const struct xensplit_filter *filter,
			struct xensplit_findings **findings)
{
	int status = EXIT_SUCCESS, err = 0;
	struct xensplit_id *ids;
	size_t count;

	ids = list_repairable(*findings, &count);
	if (args.dry_run)
		err = preview(tool, ids, count);
	else if (count)
		status = fix(tool, ids, count);
	free(ids);
	if (!err && !status && count && !args.dry_run) {
		*findings = xensplit_findings_free(*findings);
		err = xensplit_diagnose(tool->ctx, filter, findings);
	}
	return err ? tool_fail(tool, err, NULL) : status;
}

static int fail(struct tool *tool, int err, const struct xensplit_filter *filter)
{
	struct xensplit_id id = { filter->domid, filter->type, filter->devid };

	return tool_fail(tool, err, id.type ? &id : NULL);
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct xensplit_findings *findings = NULL;
	struct xensplit_filter filter;
	int status, err;

	if (args.dry_run && !args.fix)
		return usage_error("--dry-run needs --fix");
	if (args.fix && !args.dry_run)
		watchdog_deadline(args.timeout_ms);
	status = tool_filter(tool, argc, argv, &filter);
	if (status)
		return status;
	err = xensplit_diagnose(tool->ctx, &filter, &findings);
	if (!err && !xensplit_findings_get(findings, 0))
		err = check_domain(tool, &filter);
	if (err)
		status = fail(tool, err, &filter);
	else if (args.fix)
		status = fix_and_look(tool, &filter, &findings);
	if (!err && !status && !args.dry_run)
		status = report(tool, findings);
	xensplit_findings_free(findings);
	return status;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.args = "[DOMAIN [TYPE[/DEVID]]]",
	.summary = "find out why a device does not connect",
	.notes =
		"The exit status is 0 if nothing is wrong, and 1 otherwise. --fix sets\n"
		"owners, permissions and a missing online node. For all other problems,\n"
		"doctor prints the command that fixes them.\n",
	.min_args = 0,
	.max_args = 2,
	.options = options,
	.run = run,
};
