// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>

#include "output.h"
#include "tool.h"

static struct {
	const char *backend;
	const char *backend_type;
	int reserved;
	int dry_run;
} args;

static const struct opt options[] = {
	{ OPT_TEXT, 'b', "backend", "DOMAIN", &args.backend,
	  "domain of the backend (default: the only one)" },
	{ OPT_TEXT, 0, "backend-type", "TYPE", &args.backend_type,
	  "type in the backend's path (default: TYPE)" },
	{ OPT_FLAG, 0, "reserved", NULL, &args.reserved,
	  "allow a type that libxl manages" },
	OPT_DRY_RUN(&args.dry_run),
	{ 0 },
};

static int adopt(struct tool *tool, const struct xensplit_adopt_opts *opts,
		 const struct xensplit_id *id)
{
	struct xensplit_batch *batch = NULL;
	int status;
	int err;

	err = xensplit_batch_new(tool->ctx, &batch);
	if (!err)
		err = xensplit_batch_adopt(batch, opts);
	if (err >= 0)
		err = args.dry_run ? xensplit_batch_preview(batch)
				   : xensplit_batch_commit(batch);
	if (err)
		status = tool_fail(tool, err, id);
	else if (!args.dry_run)
		status = tool_report(tool, id, " adopted");
	else {
		print_changes(batch, tool->json);
		status = EXIT_SUCCESS;
	}
	xensplit_batch_free(batch);
	return status;
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct xensplit_adopt_opts opts = { .sz = sizeof(opts),
					    .backend_domid = XENSPLIT_ANY };
	struct xensplit_id id;
	int status;

	status = tool_target(tool, argc, argv, 0, &id);
	if (!status && args.backend)
		status = tool_domain(tool, args.backend, &opts.backend_domid);
	if (status)
		return status;
	opts.domid = id.domid;
	opts.type = id.type;
	opts.devid = id.devid;
	opts.backend_type = args.backend_type;
	opts.flags = args.reserved ? XENSPLIT_ADOPT_RESERVED : 0;
	return adopt(tool, &opts, &id);
}

const struct verb verb_adopt = {
	.name = "adopt",
	.args = "DOMAIN [TYPE[/DEVID]]",
	.summary = "take over a device that a script made",
	.notes = "The device stays as it is, but gets a record and the right "
		 "permissions.\n",
	.min_args = 1,
	.max_args = 2,
	.options = options,
	.run = run,
};
