// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>

#include "output.h"
#include "tool.h"

static struct {
	int dry_run;
} args;

static const struct opt options[] = {
	OPT_DRY_RUN(&args.dry_run),
	{ 0 },
};

static void report(const struct xensplit_reaped *reaped)
{
	if (reaped->id.type && !reaped->result)
		print_done(&reaped->id, "of", reaped->domain, " removed");
}

static void report_failure(struct tool *tool, const struct xensplit_reaped *reaped)
{
	struct xensplit_error error = { .err = reaped->result,
					.code = "failed",
					.message = reaped->message };

	tool_report_error(tool, &error, reaped->id.type ? &reaped->id : NULL);
}

/* Reports each device. Returns: the first failure's exit status. */
static int report_all(struct tool *tool, const struct xensplit_reap *reap)
{
	const struct xensplit_reaped *reaped;
	int status = EXIT_SUCCESS, count = 0;

	for (size_t i = 0; (reaped = xensplit_reap_get(reap, i)); i++) {
		count += reaped->id.type != NULL;
		if (reaped->result && !status)
			status = exit_status(reaped->result);
		if (reaped->result)
			report_failure(tool, reaped);
		else if (!tool->quiet && !tool->json)
			report(reaped);
	}
	if (tool->json)
		print_reap_json(reap);
	else if (!count && !tool->quiet)
		print_note("nothing is stale");
	return status;
}

static int run(struct tool *tool, int argc, char **argv)
{
	XENSPLIT_FILTER(filter);
	struct xensplit_reap *reap = NULL;
	int status, err;

	status = argc ? tool_main_domain(tool, argv[0], &filter.domid) : tool_open(tool);
	if (status)
		return status;
	err = xensplit_reap_new(tool->ctx, &filter,
				args.dry_run ? XENSPLIT_REAP_DRY_RUN : 0, &reap);
	if (err)
		return tool_fail(tool, err, NULL);
	if (args.dry_run)
		print_reap_changes(reap, tool->json);
	else
		status = report_all(tool, reap);
	xensplit_reap_free(reap);
	return status;
}

const struct verb verb_reap = {
	.name = "reap",
	.args = "[DOMAIN]",
	.summary = "remove devices of domains that are gone",
	.notes = "Devices of running domains and devices of other tools are kept.\n",
	.max_args = 1,
	.options = options,
	.run = run,
};
