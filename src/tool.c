// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hypervisor.h"
#include "json-items.h"
#include "logger.h"
#include "output.h"
#include "text.h"
#include "tool.h"

/* Every error begins with "attach guest5 mydevice/0". */
static void set_subject(const struct tool *tool, const struct xensplit_id *id)
{
	const struct attempt *attempt = &tool->attempt;
	char subject[400], domid[16] = "";
	const char *domain = attempt->domain && *attempt->domain ? attempt->domain : NULL;
	size_t used;

	if (id && (!domain || id->domid != attempt->domid)) {
		snprintf(domid, sizeof(domid), "%u", id->domid);
		domain = domid;
	}
	used = (size_t)snprintf(subject, sizeof(subject), "%s%s%.200s", attempt->verb,
				domain ? " " : "", domain ? domain : "");
	if (id) {
		char *name = device_name(id);

		snprintf(subject + used, sizeof(subject) - used, " %s", name);
		free(name);
	}
	logger_subject(subject);
}

/* What the message does not say already. */
static void hint_at_cause(const struct xensplit_error *error)
{
	const struct xensplit_finding *cause = error->cause;
	char text[1024];

	if (!cause || error->err == -EPROTO || !strcmp(error->code, "foreign"))
		return;
	if (strstr(error->message, cause->what))
		snprintf(text, sizeof(text), "%s", cause->why);
	else
		snprintf(text, sizeof(text), "%s: %s", cause->what, cause->why);
	logger_hint("why", text);
}

/* The type that was not given may be the mistake. */
static void hint_at_default_type(const struct tool *tool,
				 const struct xensplit_error *error)
{
	const char *cause = error->cause ? error->cause->code : "";

	if (tool->default_type && !strcmp(error->code, "not-connected") &&
	    (!strcmp(cause, "no-frontend-driver") ||
	     !strcmp(cause, "no-backend-driver") || !strcmp(cause, "no-backend-module")))
		logger_hint("note", "no TYPE was given, so it is the default; "
				    "XENSPLIT_TYPE sets another");
}

void tool_report_error(struct tool *tool, const struct xensplit_error *error,
		       const struct xensplit_id *id)
{
	char *remedy = remedy_of_error(&tool->attempt, error, id);

	set_subject(tool, id);
	logger_error("%s", error->message);
	hint_at_cause(error);
	if (remedy)
		logger_hint("try", remedy);
	hint_at_default_type(tool, error);
	if (tool->json)
		json_note_error(error, id, remedy);
	free(remedy);
	set_subject(tool, NULL);
}

int tool_fail(struct tool *tool, int err, const struct xensplit_id *id)
{
	const struct xensplit_error *error = tool->ctx ? xensplit_last_error(tool->ctx)
						       : NULL;
	struct xensplit_error plain = { .err = err,
					.code = "failed",
					.message = strerror(-err) };

	tool_report_error(tool, error ? error : &plain, id);
	return exit_status(err);
}

/* After the socket xs_open() tries a device, and leaves the errno of that. */
static int socket_errno(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		err = errno;
	if (fd >= 0)
		close(fd);
	return err;
}

int tool_fail_to_open(struct tool *tool, int err)
{
	const char *path = getenv("XENSTORED_PATH");
	struct xensplit_error error = { .err = err, .code = "no-connection" };
	char message[300], *shown;
	int reason;

	if (!path || !*path)
		path = "/run/xenstored/socket";
	reason = socket_errno(path);
	shown = escape(path, strlen(path));
	snprintf(message, sizeof(message), "can't connect to XenStore at %.200s: %s",
		 shown, strerror(reason ? reason : -err));
	free(shown);
	if (err == -EACCES)
		error.code = "no-permission";
	error.message = message;
	tool_report_error(tool, &error, NULL);
	return exit_status(err);
}

int tool_try_open(struct tool *tool)
{
	struct xentoollog_logger *logger = logger_get(tool->verbose, tool->quiet);
	struct xensplit_opts opts = { .sz = sizeof(opts),
				      .logger = logger,
				      .hypervisor = &hypervisor,
				      .hypervisor_data = logger };

	tool->logger = logger;
	return xensplit_new(&opts, &tool->ctx);
}

int tool_open(struct tool *tool)
{
	int err = tool_try_open(tool);

	return err ? tool_fail_to_open(tool, err) : EXIT_SUCCESS;
}

unsigned int time_left(uint64_t start_ms, unsigned int limit_ms)
{
	uint64_t passed = now_ms() - start_ms;

	return passed < limit_ms ? (unsigned int)(limit_ms - passed) : 0;
}

int tool_domain(struct tool *tool, const char *text, uint32_t *ret_domid)
{
	uint64_t now = now_ms(), until = tool->wait_domain_ms;
	int err;

	if (until || tool->allow_missing)
		err = xensplit_domain_wait(tool->ctx, text,
					   until > now ? (unsigned int)(until - now) : 0,
					   ret_domid);
	else
		err = xensplit_domain_find(tool->ctx, text, ret_domid);
	if (err == -ETIMEDOUT && tool->allow_missing) {
		*ret_domid = XENSPLIT_ANY;
		err = 0;
	}
	return err ? tool_fail(tool, err, NULL) : EXIT_SUCCESS;
}

int tool_main_domain(struct tool *tool, const char *text, uint32_t *ret_domid)
{
	int status;

	tool->attempt.domain = escape(text, strlen(text));
	set_subject(tool, NULL);
	status = tool_open(tool);
	if (!status)
		status = tool_domain(tool, text, ret_domid);
	if (!status)
		tool->attempt.domid = *ret_domid;
	return status;
}

static int bad_device(const char *text, int allow_auto)
{
	char *shown = escape(text, strlen(text));

	usage_error("'%s' is not a device: use TYPE or TYPE/DEVID, such as mydevice/0%s",
		    shown, allow_auto ? " or mydevice/auto" : "");
	free(shown);
	return EXIT_USAGE;
}

static const char *default_type(void)
{
	const char *type = getenv("XENSPLIT_TYPE");

	return type && *type ? type : "mydevice";
}

int tool_target(struct tool *tool, int argc, char **argv, int allow_auto,
		struct xensplit_id *ret_id)
{
	int status = EXIT_SUCCESS;

	*ret_id = (struct xensplit_id){ .type = default_type() };
	tool->default_type = argc < 2;
	if (argc > 1 && parse_device(argv[1], allow_auto, ret_id))
		status = bad_device(argv[1], allow_auto);
	return status ? status : tool_main_domain(tool, argv[0], &ret_id->domid);
}

int tool_filter(struct tool *tool, int argc, char **argv,
		struct xensplit_filter *ret_filter)
{
	XENSPLIT_FILTER(any);
	struct xensplit_id id;
	int status;

	*ret_filter = any;
	if (!argc)
		return tool_open(tool);
	status = tool_target(tool, argc, argv, 0, &id);
	if (status)
		return status;
	ret_filter->domid = id.domid;
	if (argc > 1) {
		ret_filter->type = id.type;
		ret_filter->devid = id.devid;
	}
	return EXIT_SUCCESS;
}

void tool_close(struct tool *tool)
{
	xensplit_free(tool->ctx);
	free(tool->attempt.domain);
	free(tool->attempt.arguments);
}

int tool_report_op(struct tool *tool, struct xensplit_op *op,
		   const struct xensplit_id *id, const char *what, const char *then)
{
	const struct xensplit_device *device;
	int err;

	if (tool->quiet && !tool->json)
		return EXIT_SUCCESS;
	err = xensplit_op_get_device(op, &device);
	if (err && err != -ENODATA)
		return tool_fail(tool, err, id);
	if (err)
		device = NULL;
	if (tool->json)
		print_devices_json(&device, device ? 1 : 0, NULL);
	else
		print_done(device ? &device->id : id, what,
			   device ? device->domain : NULL, then);
	return EXIT_SUCCESS;
}

int tool_report(struct tool *tool, const struct xensplit_id *id, const char *then)
{
	struct xensplit_filter filter = { sizeof(filter), id->domid, id->type, id->devid,
					  XENSPLIT_ANY };
	struct xensplit_list *list = NULL;
	const struct xensplit_device *device;
	int err;

	if (tool->quiet && !tool->json)
		return EXIT_SUCCESS;
	err = xensplit_list_new(tool->ctx, &filter, XENSPLIT_LIST_FOREIGN, &list);
	if (err)
		return tool_fail(tool, err, id);
	device = xensplit_list_get(list, 0);
	if (tool->json)
		print_devices_json(&device, device ? 1 : 0, NULL);
	else
		print_done(id, "of", device ? device->domain : NULL, then);
	xensplit_list_free(list);
	return EXIT_SUCCESS;
}
