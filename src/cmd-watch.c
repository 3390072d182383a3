// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "text.h"
#include "tool.h"

/* How often to check for a dead xenstored even while stdout is blocked. */
#define STUCK_MS 1000

static struct {
	int banner;
	uint32_t num_events;
	unsigned int idle_ms;
	int wait_domain;
} args;

static const struct opt options[] = {
	{ OPT_FLAG, 0, "banner", NULL, &args.banner,
	  "print a line when the watch is set up" },
	{ OPT_NUMBER, 0, "num-events", "COUNT", &args.num_events,
	  "exit after COUNT events" },
	{ OPT_SECONDS, 0, "idle-timeout", "SECONDS", &args.idle_ms,
	  "exit if nothing happens for this time" },
	OPT_WAIT_DOMAIN(&args.wait_domain),
	{ 0 },
};

/* True for a broken pipe, too: the write will fail. */
static int stdout_is_ready(void)
{
	struct pollfd fd = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&fd, 1, 0) != 0;
}

/*
 * @left: how many more to print, if --num-events limits them
 *
 * Returns: how many events were printed, or a negative errno.
 */
static int print_events(const struct tool *tool, struct xensplit_monitor *monitor,
			uint32_t *left)
{
	const struct xensplit_event *event;
	int count = 0;

	while (*left && stdout_is_ready() && xensplit_monitor_next(monitor, &event) > 0) {
		print_event(event, tool->json);
		/* The reader of a pipe wants each line at once. */
		if (fflush(stdout))
			return -errno;
		if (args.num_events && event->type != XENSPLIT_EVENT_DOMAIN)
			(*left)--;
		count++;
	}
	return count;
}

/*
 * While stdout is blocked, keep reading events: otherwise everything that a guest writes would
 * pile up in memory.
 */
static int wait_once(struct xensplit_monitor *monitor, uint64_t idle_until_ms)
{
	int stuck = !stdout_is_ready();
	struct pollfd fds[] = { { .fd = xensplit_monitor_get_fd(monitor),
				  .events = (short)xensplit_monitor_get_events(monitor) },
				{ .fd = stuck ? STDOUT_FILENO : -1, .events = POLLOUT } };
	uint64_t now = now_ms();
	uint64_t until = stuck ? now + STUCK_MS
			       : xensplit_monitor_get_timeout(monitor) / 1000 + 1;

	if (until > idle_until_ms)
		until = idle_until_ms;
	if (poll(fds, 2, until > now ? (int)(until - now) : 0) < 0 && errno != EINTR)
		return -errno;
	return xensplit_monitor_process(monitor);
}

static int follow(const struct tool *tool, struct xensplit_monitor *monitor)
{
	uint32_t left = args.num_events ? args.num_events : UINT32_MAX;
	uint64_t idle_until = 0;
	int count = 1, err;

	for (;;) {
		if (count)
			idle_until = args.idle_ms ? now_ms() + args.idle_ms : UINT64_MAX;
		count = print_events(tool, monitor, &left);
		if (count < 0 || !left)
			return count < 0 ? count : 0;
		if (!count && now_ms() >= idle_until)
			return -ETIMEDOUT;
		err = wait_once(monitor, idle_until);
		if (err)
			return err;
	}
}

static int fail_idle(struct tool *tool)
{
	struct xensplit_error error = { .err = -ETIMEDOUT, .code = "idle" };
	char message[60];

	snprintf(message, sizeof(message), "nothing happened for %.1f s",
		 args.idle_ms / 1000.0);
	error.message = message;
	tool_report_error(tool, &error, NULL);
	return EXIT_DEADLINE;
}

static int new_monitor(struct tool *tool, int argc, char **argv,
		       struct xensplit_monitor **ret_monitor)
{
	const char *name = argc && !is_number(argv[0]) ? argv[0] : NULL;
	struct xensplit_filter filter;
	int status, err;

	if (args.wait_domain && !argc)
		return usage_error("--wait-domain needs a DOMAIN");
	/* A domid is watched whether it is there or not. */
	tool->allow_missing = args.wait_domain && name;
	status = tool_filter(tool, argc, argv, &filter);
	if (status)
		return status;
	if (name) {
		filter.domid = XENSPLIT_ANY;
		err = xensplit_monitor_new_named(tool->ctx, name, &filter, ret_monitor);
	} else {
		err = xensplit_monitor_new(tool->ctx, &filter, ret_monitor);
	}
	return err ? tool_fail(tool, err, NULL) : EXIT_SUCCESS;
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct xensplit_monitor *monitor = NULL;
	int status = new_monitor(tool, argc, argv, &monitor);
	int err;

	if (status)
		return status;
	if (args.banner)
		print_armed(tool->json);
	err = fflush(stdout) ? -errno : follow(tool, monitor);
	xensplit_monitor_free(monitor);
	if (err == -ETIMEDOUT)
		return fail_idle(tool);
	if (err == -EPIPE)
		return EXIT_FAILURE;
	return err ? tool_fail(tool, err, NULL) : EXIT_SUCCESS;
}

const struct verb verb_watch = {
	.name = "watch",
	.args = "[DOMAIN [TYPE[/DEVID]]]",
	.summary = "print a line for each change",
	.notes = "Existing devices are printed first. Without TYPE, only devices that\n"
		 "xensplit attached are watched; with TYPE, also one of another tool.\n"
		 "The name of a domain is followed when another domain gets it.\n",
	.min_args = 0,
	.max_args = 2,
	.options = options,
	.run = run,
};
