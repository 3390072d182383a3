// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "tool.h"

static struct {
	int fix;
	int dry_run;
	unsigned int timeout_ms;
} args = { .timeout_ms = DEFAULT_TIMEOUT_MS };

static const struct opt options[] = {
	{ OPT_FLAG, 0, "fix", NULL, &args.fix, "mend what can safely be mended" },
	OPT_DRY_RUN(&args.dry_run),
	{ OPT_SECONDS, 't', "timeout", "SECONDS", &args.timeout_ms,
	  "after --fix, wait so long to connect (default: 10)" },
	{ 0 },
};

/* The findings about a device stand together, so each is met once. */
static int is_next_device(const struct xensplit_id *last, const struct xensplit_id *id)
{
	return !last || last->domid != id->domid || last->devid != id->devid ||
	       strcmp(last->type, id->type) != 0;
}

typedef int device_fn(struct tool *tool, const struct xensplit_id *id, void *data);

/* Returns: how many there are, or the first failure of @fn. */
static int each_repairable(struct tool *tool, const struct xensplit_findings *findings,
			   device_fn *fn, void *data)
{
	const struct xensplit_finding *finding;
	const struct xensplit_id *last = NULL;
	int count = 0, err;

	for (size_t i = 0; (finding = xensplit_findings_get(findings, i)); i++) {
		if (!finding->repairable || !is_next_device(last, &finding->id))
			continue;
		last = &finding->id;
		err = fn(tool, &finding->id, data);
		if (err < 0)
			return err;
		count++;
	}
	return count;
}

static int add_repair(struct tool *tool, const struct xensplit_id *id, void *data)
{
	(void)tool;
	return xensplit_batch_repair(data, id);
}

/* What is not Connected then, the second look explains. */
static int repair(struct tool *tool, const struct xensplit_id *id, void *data)
{
	int err = xensplit_repair(tool->ctx, id, args.timeout_ms);

	(void)data;
	return err == -ETIMEDOUT || err == -EPROTO ? 0 : err;
}

/* What is written to nodes that are there. Returns: how many devices can be mended. */
static int show(struct tool *tool, const struct xensplit_findings *findings)
{
	struct xensplit_batch *batch = NULL;
	int count, err;

	err = xensplit_batch_new(tool->ctx, &batch);
	if (err)
		return err;
	count = err = each_repairable(tool, findings, add_repair, batch);
	if (count > 0)
		err = xensplit_batch_preview(batch);
	if (err >= 0 && (args.dry_run || !tool->json) && !tool->quiet)
		print_changes(batch, tool->json);
	xensplit_batch_free(batch);
	return err < 0 ? err : count;
}

/* Returns: 1 if something was mended, 0 or the library's error. */
static int fix(struct tool *tool, const struct xensplit_findings *findings)
{
	int count = show(tool, findings);

	if (count <= 0 || args.dry_run)
		return count < 0 ? count : 0;
	count = each_repairable(tool, findings, repair, NULL);
	return count < 0 ? count : 1;
}

static int report(struct tool *tool, const struct xensplit_findings *findings)
{
	int healthy = !xensplit_findings_get(findings, 0);

	if (tool->json || !tool->quiet)
		print_findings(findings, tool->json);
	if (healthy && !tool->json && !tool->quiet)
		print_note("nothing is wrong");
	return healthy ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int check_domain(struct tool *tool, const struct xensplit_filter *filter)
{
	/* A device of a domain that is gone is what there is to explain. */
	if (filter->domid == XENSPLIT_ANY || filter->type)
		return 0;
	return xensplit_domain_check(tool->ctx, filter->domid);
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct xensplit_findings *findings = NULL;
	struct xensplit_filter filter;
	int status, err;

	if (args.dry_run && !args.fix)
		return usage_error("--dry-run goes with --fix");
	status = tool_filter(tool, "doctor", argc, argv, &filter);
	if (status)
		return status;
	err = xensplit_diagnose(tool->ctx, &filter, &findings);
	if (!err && !xensplit_findings_get(findings, 0))
		err = check_domain(tool, &filter);
	if (!err && args.fix)
		err = fix(tool, findings);
	if (err > 0) {
		xensplit_findings_free(findings);
		findings = NULL;
		err = xensplit_diagnose(tool->ctx, &filter, &findings);
	}
	if (err)
		status = tool_fail(tool, err, "doctor");
	else if (!args.dry_run)
		status = report(tool, findings);
	xensplit_findings_free(findings);
	return status;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.args = "[DOMAIN [TYPE[/DEVID]]]",
	.summary = "why is it not connected, and what to do",
	.notes = "The exit status is 0 where nothing is wrong, 1 where something is. "
		 "--fix\n"
		 "sets owners, permissions and a missing online; what else is wrong "
		 "comes\n"
		 "with the command that mends it.\n",
	.min_args = 0,
	.max_args = 2,
	.options = options,
	.run = run,
};
