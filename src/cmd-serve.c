// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "json.h"
#include "logger.h"
#include "serve-log.h"
#include "serve-loop.h"
#include "serve-report.h"
#include "serve-show.h"
#include "serve-status.h"
#include "serve-store.h"
#include "serve-write.h"
#include "serve.h"
#include "text.h"
#include "tool.h"

#define DEFAULT_DIR    "/etc/xensplit/domains"
#define RUN_DIR	       "/run/xensplit"
#define DEFAULT_STATUS RUN_DIR "/serve.json"

static struct {
	int replace, prune, once, status;
	unsigned int timeout_ms;
	const char *metrics, *status_file;
} args = { .timeout_ms = UINT_MAX };

static const struct opt options[] = {
	{ OPT_FLAG, 0, "replace", NULL, &args.replace,
	  "renew a device that differs from its list" },
	{ OPT_FLAG, 0, "prune", NULL, &args.prune,
	  "detach a device that its list no longer has" },
	{ OPT_FLAG, 0, "once", NULL, &args.once, "exit when nothing is left to do" },
	{ OPT_SECONDS, 't', "timeout", "SECONDS", &args.timeout_ms,
	  "with --once: give up after this time (default: 10)" },
	{ OPT_FLAG, 0, "status", NULL, &args.status, "print what a running serve does" },
	{ OPT_TEXT, 0, "metrics", "FILE", &args.metrics,
	  "write metrics for Prometheus to FILE" },
	{ OPT_TEXT, 0, "status-file", "FILE", &args.status_file,
	  "the status (default: " DEFAULT_STATUS ")" },
	{ 0 },
};

/* Wrong combinations. Returns: an exit status. */
static int check_args(const struct tool *tool, int argc)
{
	if (args.status &&
	    (args.once || args.replace || args.prune || args.metrics || argc))
		return usage_error("--status goes only with --status-file and --json");
	if (args.timeout_ms != UINT_MAX && !args.once)
		return usage_error("--timeout goes only with --once");
	if (tool->json && !args.status && !args.once)
		return usage_error("--json goes only with --once and --status");
	return EXIT_SUCCESS;
}

static int refuse(struct tool *tool, int err, const char *code, const char *message)
{
	struct xensplit_error error = { .err = err, .code = code, .message = message };

	tool_report_error(tool, &error, NULL);
	return exit_status(err);
}

static int refuse_path(struct tool *tool, const char *what, const char *path, int err)
{
	int denied = err == -EACCES || err == -EPERM;
	char *shown = escape(path, strlen(path)), message[600];

	snprintf(message, sizeof(message), "can't %s %.500s: %s", what, shown,
		 strerror(-err));
	free(shown);
	return refuse(tool, denied ? err : -EINVAL, denied ? "no-permission" : "usage",
		      message);
}

/* Later it may come and go, but a wrong argument must not be waited for. */
static int check_dir(struct tool *tool, const char *dir)
{
	struct stat st;

	if (stat(dir, &st))
		return refuse_path(tool, "read", dir, -errno);
	if (!S_ISDIR(st.st_mode))
		return refuse_path(tool, "read", dir, -ENOTDIR);
	return access(dir, R_OK | X_OK) ? refuse_path(tool, "read", dir, -errno)
					: EXIT_SUCCESS;
}

static int take_lock(struct tool *tool, const char *path)
{
	int err;

	if (!args.status_file)
		mkdir(RUN_DIR, 0755); /* by hand, without the unit */
	err = lock_take(path);
	if (err == -EAGAIN)
		return refuse(tool, -EBUSY, "already-running",
			      "another serve is running");
	return err ? refuse_path(tool, "write", path, err) : EXIT_SUCCESS;
}

static int least_priority(const struct tool *tool)
{
	if (tool->quiet)
		return LOG_WARNING;
	if (tool->verbose)
		return LOG_DEBUG;
	return args.once ? LOG_NOTICE : LOG_INFO; /* cron mails what is printed */
}

static int run_once(struct serve *serve)
{
	unsigned int limit = args.timeout_ms;
	int status = loop_once(serve, limit == UINT_MAX ? DEFAULT_TIMEOUT_MS : limit);

	report_metrics(serve);
	if (serve->tool->json)
		json_print(status_report(serve));
	return status;
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct serve serve = {
		.tool = tool,
		.dir = argc ? argv[0] : DEFAULT_DIR,
		.metrics_path = args.metrics,
		.status_path = args.status_file ? args.status_file : DEFAULT_STATUS,
		.flags = (args.replace ? XENSPLIT_PLAN_REPLACE : 0) |
			 (args.prune ? XENSPLIT_PLAN_PRUNE : 0),
		.once = args.once,
		.started = time(NULL),
	};
	const struct files_user user = { store_set, store_unset, &serve };
	int status = check_args(tool, argc);

	if (status)
		return status;
	if (args.status)
		return status_show(tool, serve.status_path);
	status = check_dir(tool, serve.dir);
	if (!status)
		status = take_lock(tool, serve.status_path);
	if (status)
		return status;
	serve_log_open(least_priority(tool));
	json_load();
	serve.files = files_new(serve.dir, &user);
	status = args.once ? run_once(&serve) : loop_run(&serve);
	store_close(&serve);
	files_free(serve.files);
	stats_clear(&serve.stats);
	return status;
}

const struct verb verb_serve = {
	.name = "serve",
	.args = "[DIR]",
	.summary = "keep the devices of files attached",
	.notes = "DIR holds a file of xensplit.cfg(5), or a link to one, for each "
		 "domain;\n"
		 "their names end in .cfg. The default is " DEFAULT_DIR ".\n",
	.max_args = 1,
	.options = options,
	.run = run,
};
