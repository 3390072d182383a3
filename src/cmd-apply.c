// SPDX-License-Identifier: GPL-2.0-or-later
#include <limits.h>
#include <stdlib.h>

#include "apply.h"
#include "watchdog.h"

static struct {
	const char *domain;
	unsigned int timeout_ms;
	int replace;
	int prune;
	int create;
	int no_wait;
	int dry_run;
} args = { .timeout_ms = DEFAULT_TIMEOUT_MS };

static const struct opt options[] = {
	{ OPT_TEXT, 0, "domain", "DOMAIN", &args.domain,
	  "this domain, instead of the file's name" },
	{ OPT_FLAG, 0, "replace", NULL, &args.replace,
	  "renew devices that differ from the file" },
	{ OPT_FLAG, 0, "prune", NULL, &args.prune,
	  "detach devices that the file no longer lists" },
	{ OPT_FLAG, 0, "create", NULL, &args.create,
	  "let xl create the guest, paused, and unpause it" },
	{ OPT_SECONDS, 't', "timeout", "SECONDS", &args.timeout_ms, TIMEOUT_HELP },
	{ OPT_FLAG, 0, "no-wait", NULL, &args.no_wait,
	  "do not wait until devices are Connected" },
	{ OPT_FLAG, 'n', "dry-run", NULL, &args.dry_run,
	  "print what would be done, change nothing" },
	{ 0 },
};

static int check_usage(int count)
{
	if (!args.timeout_ms)
		return usage_error("--timeout 0 is not possible: use --no-wait");
	if (args.domain && count > 1)
		return usage_error("--domain takes a single file");
	if (args.create && count > 1)
		return usage_error("--create takes a single file");
	if (args.create && (args.domain || args.replace || args.prune || args.dry_run))
		return usage_error("--create excludes --domain, --replace, --prune and "
				   "--dry-run");
	return EXIT_SUCCESS;
}

/* Returns: an exit status. */
static int apply_all(struct apply *apply)
{
	int status = apply_plan(apply);

	if (status)
		return status;
	if (!args.dry_run) {
		apply_write(apply);
		apply_wait(apply);
	}
	apply_report(apply, args.dry_run);
	return apply->status;
}

static int create(struct apply *apply)
{
	int status = apply_create(apply);

	if (apply->job_count)
		apply_report(apply, 0);
	return status;
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct apply apply = { .tool = tool,
			       .domain = args.domain,
			       .no_wait = args.no_wait,
			       .timeout_ms = args.timeout_ms,
			       .start_ms = now_ms() };
	int status = check_usage(argc);

	if (status)
		return status;
	apply.plan_flags = (args.replace ? XENSPLIT_PLAN_REPLACE : 0) |
			   (args.prune ? XENSPLIT_PLAN_PRUNE : 0);
	if (!args.dry_run && !args.create)
		watchdog_deadline(args.timeout_ms);
	status = apply_read(&apply, argc, argv);
	if (!status)
		status = apply_check(&apply);
	if (!status)
		status = args.create ? create(&apply) : apply_all(&apply);
	apply_free(&apply);
	return status;
}

const struct verb verb_apply = {
	.name = "apply",
	.args = "CONFIG...",
	.summary = "give guests the devices that their files list",
	.notes = "CONFIG is the guest's xl.cfg file, with a line such as\n"
		 "  xensplit = [ \"mydevice/0\", \"accel/auto,backend=drv1\" ]\n"
		 "See xensplit.cfg(5). A second run changes nothing.\n",
	.min_args = 1,
	.max_args = INT_MAX,
	.options = options,
	.run = run,
};
