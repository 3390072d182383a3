// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "output.h"
#include "tool.h"
#include "watchdog.h"

static struct {
	const char *backend;
	struct pairs front;
	struct pairs back;
	unsigned int timeout_ms;
	int no_wait;
	int rollback;
	int replace;
	int drop_keys;
	int reserved;
	const char *backend_type;
	int dry_run;
} args = { .timeout_ms = DEFAULT_TIMEOUT_MS };

static const struct opt options[] = {
	{ OPT_TEXT, 'b', "backend", "DOMAIN", &args.backend,
	  "domain of the backend (default: 0)" },
	{ OPT_PAIRS, 'F', "front", "KEY=VALUE", &args.front,
	  "extra node for the frontend; can be repeated" },
	{ OPT_PAIRS, 'B', "back", "KEY=VALUE", &args.back,
	  "extra node for the backend; can be repeated" },
	{ OPT_SECONDS, 't', "timeout", "SECONDS", &args.timeout_ms, TIMEOUT_HELP },
	{ OPT_FLAG, 0, "no-wait", NULL, &args.no_wait,
	  "do not wait until it is Connected" },
	{ OPT_FLAG, 0, "rollback", NULL, &args.rollback,
	  "remove the device if it does not connect" },
	{ OPT_FLAG, 0, "replace", NULL, &args.replace,
	  "first remove an existing device" },
	{ OPT_FLAG, 0, "no-keep-keys", NULL, &args.drop_keys,
	  "with --replace: drop the extra keys it has" },
	{ OPT_TEXT, 0, "backend-type", "TYPE", &args.backend_type,
	  "type in the backend's path (default: TYPE)" },
	{ OPT_FLAG, 0, "reserved", NULL, &args.reserved,
	  "allow a type that libxl manages" },
	OPT_DRY_RUN(&args.dry_run),
	{ 0 },
};

static int preview(struct tool *tool, const struct xensplit_attach_opts *opts,
		   const struct xensplit_id *id)
{
	struct xensplit_batch *batch = NULL;
	int status = EXIT_SUCCESS;
	int err;

	err = xensplit_batch_new(tool->ctx, &batch);
	if (!err)
		err = xensplit_batch_attach(batch, opts);
	if (err >= 0)
		err = xensplit_batch_preview(batch);
	if (err)
		status = tool_fail_device(tool, err, "attach", id);
	else
		print_changes(batch, tool->json);
	xensplit_batch_free(batch);
	return status;
}

/* --- --rollback: a signal removes the device --- */

static struct xensplit_op *cancellable;
static volatile sig_atomic_t caught;

static void cancel(int number)
{
	if (caught) /* the second signal: exit at once */
		_exit(128 + number);
	caught = number;
	xensplit_op_cancel(cancellable);
}

static void catch_signals(struct xensplit_op *op)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = cancel };

	cancellable = op;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

/* Ends by the signal, so that the sender can see it. */
static void die_of_it(void)
{
	signal(caught, SIG_DFL);
	raise(caught);
}

/* --- */

static int finish(struct tool *tool, struct xensplit_op *op, int err,
		  const struct xensplit_id *id, uint64_t start)
{
	int status;

	if (!err)
		return tool_report_op(tool, "attach", op, id,
				      args.no_wait ? "written, not waited for" : NULL,
				      start);
	status = tool_fail_device(tool, err, "attach", id);
	/* The device exists, and JSON has its states. */
	if (tool->json && (err == -ETIMEDOUT || err == -EPROTO))
		tool_report_op(tool, "attach", op, id, NULL, start);
	return status;
}

static int attach(struct tool *tool, const struct xensplit_attach_opts *opts,
		  struct xensplit_id *id)
{
	uint64_t start = now_ms();
	struct xensplit_op *op;
	int status, err;

	err = xensplit_op_attach(tool->ctx, opts, args.no_wait ? 0 : args.timeout_ms,
				 &op);
	if (err)
		return tool_fail_device(tool, err, "attach", id);
	if (args.rollback)
		catch_signals(op);
	err = xensplit_op_run(op);
	status = finish(tool, op, err, id, start);
	xensplit_op_free(op);
	if (caught)
		die_of_it();
	return status;
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct xensplit_attach_opts opts = { .sz = sizeof(opts) };
	struct xensplit_id id;
	int status;

	if (!args.timeout_ms)
		return usage_error("--timeout 0: use --no-wait");
	if (args.no_wait && args.rollback)
		return usage_error("--rollback has to wait: leave out --no-wait");
	if (args.drop_keys && !args.replace)
		return usage_error("--no-keep-keys goes with --replace");
	if (!args.no_wait && !args.dry_run)
		watchdog_deadline(args.timeout_ms);
	status = tool_target(tool, "attach", argc, argv, 1, &id);
	if (!status && args.backend)
		status = tool_domain(tool, "attach: --backend", args.backend,
				     &opts.backend_domid);
	if (status)
		return status;

	opts.domid = id.domid;
	opts.type = id.type;
	opts.devid = id.devid;
	opts.backend_type = args.backend_type;
	opts.flags = (args.replace ? XENSPLIT_ATTACH_REPLACE : 0) |
		     (args.drop_keys ? XENSPLIT_ATTACH_DROP_KEYS : 0) |
		     (args.reserved ? XENSPLIT_ATTACH_RESERVED : 0);
	opts.front = args.front.list;
	opts.front_count = args.front.count;
	opts.back = args.back.list;
	opts.back_count = args.back.count;
	if (args.dry_run)
		return preview(tool, &opts, &id);
	opts.flags |= args.rollback ? XENSPLIT_ATTACH_ROLLBACK : 0;
	return attach(tool, &opts, &id);
}

const struct verb verb_attach = {
	.name = "attach",
	.args = "DOMAIN [TYPE[/DEVID]]",
	.summary = "create a device and wait until it is Connected",
	.notes = "With DEVID auto, attach picks a free id and prints it. The device "
		 "stays\n"
		 "until it is detached, even if it does not connect, except with "
		 "--rollback.\n",
	.min_args = 1,
	.max_args = 2,
	.options = options,
	.run = run,
};
