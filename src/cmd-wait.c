// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xentoollog.h>

#include "output.h"
#include "text.h"
#include "tool.h"
#include "watchdog.h"

static struct {
	const char *until;
	unsigned int timeout_ms;
	int wait_domain;
} args = { "connected", DEFAULT_TIMEOUT_MS, 0 };

static const struct opt options[] = {
	{ OPT_TEXT, 0, "until", "WHAT", &args.until,
	  "connected (the default), initwait, closed or gone" },
	{ OPT_SECONDS, 't', "timeout", "SECONDS", &args.timeout_ms,
	  "give up after this time (default: 10); 0: no wait" },
	OPT_WAIT_DOMAIN(&args.wait_domain),
	{ 0 },
};

static int parse_until(const char *text)
{
	char *shown;

	if (!strcmp(text, "connected"))
		return XENSPLIT_UNTIL_CONNECTED;
	if (!strcmp(text, "closed"))
		return XENSPLIT_UNTIL_CLOSED;
	if (!strcmp(text, "gone"))
		return XENSPLIT_UNTIL_GONE;
	if (!strcmp(text, "initwait"))
		return XENSPLIT_UNTIL_INIT_WAIT;
	shown = escape(text, strlen(text));
	usage_error("--until '%s': use connected, initwait, closed or gone", shown);
	free(shown);
	return -1;
}

static int has_appeared(struct xensplit_monitor *monitor)
{
	const struct xensplit_event *event;

	while (xensplit_monitor_next(monitor, &event) > 0)
		if (event->type == XENSPLIT_EVENT_APPEARED)
			return 1;
	return 0;
}

static int poll_once(struct xensplit_monitor *monitor, unsigned int left_ms)
{
	struct pollfd fd = { .fd = xensplit_monitor_get_fd(monitor),
			     .events = (short)xensplit_monitor_get_events(monitor) };
	uint64_t now = now_ms(), until = xensplit_monitor_get_timeout(monitor) / 1000 + 1;

	if (until > now + left_ms)
		until = now + left_ms;
	if (poll(&fd, 1, until > now ? (int)(until - now) : 0) < 0 && errno != EINTR)
		return -errno;
	return xensplit_monitor_process(monitor);
}

/* Returns: 0, or -ETIMEDOUT or another error. */
static int await_appeared(const struct tool *tool, struct xensplit_monitor *monitor,
			  const struct xensplit_id *id, uint64_t start)
{
	char *name = id_name(id), doing[200];
	unsigned int left;
	int err = 0;

	snprintf(doing, sizeof(doing), "waiting for %s", name);
	free(name);
	while (!err && !has_appeared(monitor)) {
		left = time_left(start, args.timeout_ms);
		if (!left)
			return -ETIMEDOUT;
		xtl_progress(tool->logger, "xensplit", doing, args.timeout_ms - left,
			     args.timeout_ms);
		err = poll_once(monitor, left);
	}
	return err;
}

/* A domain that was not there has no device yet. Returns: an exit status. */
static int await_device(struct tool *tool, const struct xensplit_id *id, uint64_t start)
{
	struct xensplit_filter filter = { sizeof(filter), id->domid, id->type, id->devid,
					  XENSPLIT_ANY };
	struct xensplit_error late = { .err = -ETIMEDOUT, .code = "device-not-there" };
	struct xensplit_monitor *monitor;
	char message[60];
	int err;

	err = xensplit_monitor_new(tool->ctx, &filter, &monitor);
	if (err)
		return tool_fail(tool, err, id);
	err = await_appeared(tool, monitor, id, start);
	xensplit_monitor_free(monitor);
	if (err != -ETIMEDOUT)
		return err ? tool_fail(tool, err, id) : EXIT_SUCCESS;
	snprintf(message, sizeof(message), "no such device, %s", took_text(start));
	late.message = message;
	tool_report_error(tool, &late, id);
	return EXIT_DEADLINE;
}

static int run(struct tool *tool, int argc, char **argv)
{
	static const char *const reached[] = { "connected", "closed", "gone",
					       "in InitWait" };
	int until = parse_until(args.until);
	char then[60];
	uint64_t start = now_ms();
	struct xensplit_id id;
	int status, err;

	if (until < 0)
		return EXIT_USAGE;
	watchdog_deadline(args.timeout_ms);
	if (args.wait_domain)
		tool->wait_domain_ms = start + args.timeout_ms;
	status = tool_target(tool, argc, argv, 0, &id);
	if (!status && args.wait_domain &&
	    (until == XENSPLIT_UNTIL_CONNECTED || until == XENSPLIT_UNTIL_INIT_WAIT))
		status = await_device(tool, &id, start);
	if (status)
		return status;
	err = xensplit_wait(tool->ctx, &id, until, time_left(start, args.timeout_ms));
	if (!err) {
		snprintf(then, sizeof(then), " is %s %s", reached[until],
			 took_text(start));
		return tool_report(tool, &id, then);
	}
	status = tool_fail(tool, err, &id);
	if (tool->json && (err == -ETIMEDOUT || err == -EPROTO))
		tool_report(tool, &id, "");
	return status;
}

const struct verb verb_wait = {
	.name = "wait",
	.args = "DOMAIN [TYPE[/DEVID]]",
	.summary = "wait until a device reaches a state",
	.notes = "--wait-domain also waits for a device that is not there yet.\n",
	.min_args = 1,
	.max_args = 2,
	.options = options,
	.run = run,
};
