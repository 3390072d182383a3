// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "text.h"
#include "tool.h"
#include "watchdog.h"

static struct {
	const char *until;
	unsigned int timeout_ms;
} args = { "connected", DEFAULT_TIMEOUT_MS };

static const struct opt options[] = {
	{ OPT_TEXT, 0, "until", "WHAT", &args.until,
	  "connected (the default), initwait, closed or gone" },
	{ OPT_SECONDS, 't', "timeout", "SECONDS", &args.timeout_ms,
	  "give up after this time (default: 10); 0: no wait" },
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
	status = tool_target(tool, argc, argv, 0, &id);
	if (status)
		return status;
	err = xensplit_wait(tool->ctx, &id, until, args.timeout_ms);
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
	.min_args = 1,
	.max_args = 2,
	.options = options,
	.run = run,
};
