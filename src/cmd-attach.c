// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "logger.h"
#include "output.h"
#include "text.h"
#include "tool.h"
#include "watchdog.h"

static struct {
	const char *backend;
	struct pairs front;
	struct pairs back;
	unsigned int timeout_ms;
	int no_wait;
	int rollback;
	int ensure;
	int replace;
	int drop_keys;
	int reserved;
	const char *backend_type;
	int wait_domain;
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
	OPT_WAIT_DOMAIN(&args.wait_domain),
	{ OPT_FLAG, 0, "rollback", NULL, &args.rollback,
	  "remove the device if it does not connect" },
	{ OPT_FLAG, 0, "ensure", NULL, &args.ensure,
	  "leave a device alone that is exactly like this" },
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
		status = tool_fail(tool, err, id);
	else if (tool->json || xensplit_batch_change(batch, 0))
		print_changes(batch, tool->json);
	else
		print_note("nothing to do");
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

/* "mydevice/0 attached to guest5 (domain 5), connected after 12 ms" */
static void print_line(const struct xensplit_device *device, int changed, uint64_t start)
{
	char then[80];

	if (!changed)
		snprintf(then, sizeof(then), " is attached already%s",
			 args.no_wait ? "" : ", connected");
	else if (args.no_wait)
		snprintf(then, sizeof(then), ", not waiting for the drivers");
	else
		snprintf(then, sizeof(then), ", connected %s", took_text(start));
	print_done(&device->id, changed ? "attached to" : "of", device->domain, then);
}

static int finish(struct tool *tool, struct xensplit_op *op, int err,
		  const struct xensplit_id *id, uint64_t start)
{
	int status = err ? tool_fail(tool, err, id) : EXIT_SUCCESS;
	const struct xensplit_device *device = NULL;
	int changed = xensplit_op_get_changed(op);

	/* A device that does not connect exists, and JSON has its states. */
	if (err ? !tool->json || (err != -ETIMEDOUT && err != -EPROTO)
		: !tool->json && tool->quiet)
		return status;
	if (xensplit_op_get_device(op, &device))
		device = NULL; /* it was rolled back */
	if (tool->json)
		print_attached_json(device, device && changed);
	else if (device)
		print_line(device, changed, start);
	return status;
}

/* @left_ms: of the time limit */
static int attach(struct tool *tool, const struct xensplit_attach_opts *opts,
		  struct xensplit_id *id, unsigned int left_ms)
{
	uint64_t start = now_ms();
	struct xensplit_op *op;
	int status, err;

	/* 0 would mean not to wait at all. */
	err = xensplit_op_attach(tool->ctx, opts,
				 args.no_wait ? 0
				 : left_ms    ? left_ms
					      : 1,
				 &op);
	if (err)
		return tool_fail(tool, err, id);
	if (args.rollback)
		catch_signals(op);
	err = xensplit_op_run(op);
	status = finish(tool, op, err, id, start);
	xensplit_op_free(op);
	if (caught)
		die_of_it();
	return status;
}

/* A device id where the type belongs. */
static int check_type(const char *text)
{
	size_t len = text ? strcspn(text, "/") : 0;

	if (!len || strspn(text, "0123456789") < len)
		return EXIT_SUCCESS;
	usage_error("'%.*s' is not a device type", (int)len, text);
	logger_hint("try", "TYPE/DEVID, such as mydevice/1");
	return EXIT_USAGE;
}

static int is_auto(const char *text)
{
	const char *slash = strchr(text, '/');

	return slash && !strcmp(slash, "/auto");
}

/* A domain where the type belongs: its backend's, most likely. TYPE/DEVID is meant as it is. */
static int refuse_domain(struct tool *tool, const struct xensplit_id *id)
{
	char hint[120];
	uint32_t domid;
	int err = xensplit_domain_find(tool->ctx, id->type, &domid);

	if (err == -ESRCH || err == -EINVAL)
		return EXIT_SUCCESS;
	if (err)
		return tool_fail(tool, err, id);
	usage_error("'%s' is a domain, not a device type", id->type);
	snprintf(hint, sizeof(hint), "--backend=%.80s, if its backend is there",
		 id->type);
	logger_hint("try", hint);
	return EXIT_USAGE;
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct xensplit_attach_opts opts = { .sz = sizeof(opts) };
	int is_bare = argc > 1 && !strchr(argv[1], '/');
	uint64_t start = now_ms();
	struct xensplit_id id;
	int status;

	if (!args.timeout_ms)
		return usage_error("--timeout 0 is not possible: use --no-wait");
	if (args.no_wait && args.rollback)
		return usage_error("--rollback and --no-wait exclude each other");
	if (args.ensure && argc > 1 && is_auto(argv[1]))
		return usage_error(
			"--ensure needs a DEVID: auto is a new device each time");
	if (args.drop_keys && !args.replace)
		return usage_error("--no-keep-keys needs --replace");
	if (args.wait_domain)
		tool->wait_domain_ms = start + args.timeout_ms;
	if ((!args.no_wait && !args.dry_run) || args.wait_domain)
		watchdog_deadline(args.timeout_ms);
	status = check_type(argc > 1 ? argv[1] : NULL);
	if (!status)
		status = tool_target(tool, argc, argv, 1, &id);
	if (!status && is_bare)
		status = refuse_domain(tool, &id);
	if (!status && args.backend)
		status = tool_domain(tool, args.backend, &opts.backend_domid);
	if (status)
		return status;

	opts.domid = id.domid;
	opts.type = id.type;
	opts.devid = id.devid;
	opts.backend_type = args.backend_type;
	opts.flags = (args.ensure ? XENSPLIT_ATTACH_ENSURE : 0) |
		     (args.replace ? XENSPLIT_ATTACH_REPLACE : 0) |
		     (args.drop_keys ? XENSPLIT_ATTACH_DROP_KEYS : 0) |
		     (args.reserved ? XENSPLIT_ATTACH_RESERVED : 0);
	opts.front = args.front.list;
	opts.front_count = args.front.count;
	opts.back = args.back.list;
	opts.back_count = args.back.count;
	if (args.dry_run)
		return preview(tool, &opts, &id);
	opts.flags |= args.rollback ? XENSPLIT_ATTACH_ROLLBACK : 0;
	return attach(tool, &opts, &id, time_left(start, args.timeout_ms));
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
