// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hypervisor.h"
#include "logger.h"
#include "output.h"
#include "text.h"
#include "tool.h"

static const char *why(const struct tool *tool, int err)
{
	const char *message = xensplit_errmsg(tool->ctx);

	return *message ? message : strerror(-err);
}

int tool_fail(struct tool *tool, int err, const char *what)
{
	logger_error("%s: %s", what, why(tool, err));
	return exit_status(err);
}

void tool_say(const char *reason, const char *verb, const struct xensplit_id *id)
{
	char *name = id_name(id);

	/* Most of the library's texts name the device already. */
	if (strstr(reason, name))
		logger_error("%s: %s", verb, reason);
	else
		logger_error("%s %s: %s", verb, name, reason);
	free(name);
}

int tool_fail_device(struct tool *tool, int err, const char *verb,
		     const struct xensplit_id *id)
{
	tool_say(why(tool, err), verb, id);
	return exit_status(err);
}

int tool_open(struct tool *tool)
{
	struct xentoollog_logger *logger = logger_get(tool->verbose, tool->quiet);
	struct xensplit_opts opts = { .sz = sizeof(opts),
				      .logger = logger,
				      .hypervisor = &hypervisor,
				      .hypervisor_data = logger };
	int err;

	tool->logger = logger;
	err = xensplit_new(&opts, &tool->ctx);
	if (!err)
		return EXIT_SUCCESS;

	if (err == -ENOTCONN)
		logger_error("can't reach XenStore: is xenstored running?");
	else if (err == -EACCES)
		logger_error("no access to XenStore: are you root?");
	else
		logger_error("can't reach XenStore: %s", strerror(-err));
	return exit_status(err);
}

int tool_domain(struct tool *tool, const char *verb, const char *text,
		uint32_t *ret_domid)
{
	int err = xensplit_domain_find(tool->ctx, text, ret_domid);

	return err ? tool_fail(tool, err, verb) : EXIT_SUCCESS;
}

/* Splits TYPE[/DEVID] in place. */
static int parse_device(char *text, int allow_auto, struct xensplit_id *id)
{
	char *slash = strchr(text, '/');
	char *shown;

	id->type = text;
	if (slash == text || !*text)
		goto bad;
	if (!slash)
		return 0;
	if (allow_auto && !strcmp(slash + 1, "auto"))
		id->devid = XENSPLIT_DEVID_AUTO;
	else if (parse_number(slash + 1, XENSPLIT_DEVID_AUTO - 1, &id->devid))
		goto bad;
	*slash = '\0';
	return 0;

bad:
	shown = escape(text, strlen(text));
	usage_error(
		"'%s' is no device: it takes TYPE or TYPE/DEVID, such as mydevice/0%s",
		shown, allow_auto ? " or mydevice/auto" : "");
	free(shown);
	return EXIT_USAGE;
}

int tool_target(struct tool *tool, const char *verb, int argc, char **argv,
		int allow_auto, struct xensplit_id *ret_id)
{
	int status;

	*ret_id = (struct xensplit_id){ .type = "mydevice" };
	if (argc > 1) {
		status = parse_device(argv[1], allow_auto, ret_id);
		if (status)
			return status;
	}
	status = tool_open(tool);
	if (status)
		return status;
	return tool_domain(tool, verb, argv[0], &ret_id->domid);
}

int tool_filter(struct tool *tool, const char *verb, int argc, char **argv,
		struct xensplit_filter *ret_filter)
{
	XENSPLIT_FILTER(any);
	struct xensplit_id id;
	int status;

	*ret_filter = any;
	if (!argc)
		return tool_open(tool);
	status = tool_target(tool, verb, argc, argv, 0, &id);
	if (status)
		return status;
	ret_filter->domid = id.domid;
	if (argc > 1) {
		ret_filter->type = id.type;
		ret_filter->devid = id.devid;
	}
	return EXIT_SUCCESS;
}

static void report(const struct tool *tool, const struct xensplit_id *id,
		   const struct xensplit_device *device, const char *text,
		   uint64_t start_ms)
{
	double took = (double)(now_ms() - start_ms) / 1000;

	if (tool->json)
		print_devices_json(&device, device ? 1 : 0, NULL);
	else if (text)
		print_line(id, device ? device->domain : NULL, "%s", text);
	else if (!device)
		print_line(id, NULL, "gone after %.1f s", took);
	else
		print_line(id, device->domain, "%s/%s after %.1f s",
			   xensplit_state_name(device->frontend_state),
			   xensplit_state_name(device->backend_state), took);
}

int tool_report_op(struct tool *tool, const char *verb, struct xensplit_op *op,
		   const struct xensplit_id *id, const char *text, uint64_t start_ms)
{
	const struct xensplit_device *device;
	int err;

	if (tool->quiet && !tool->json)
		return EXIT_SUCCESS;
	err = xensplit_op_get_device(op, &device);
	if (err == -ENODATA)
		device = NULL;
	else if (err)
		return tool_fail(tool, err, verb);
	report(tool, device ? &device->id : id, device, text, start_ms);
	return EXIT_SUCCESS;
}

int tool_report(struct tool *tool, const char *verb, const struct xensplit_id *id,
		uint32_t list_flags, const char *text, uint64_t start_ms)
{
	struct xensplit_filter filter = { sizeof(filter), id->domid, id->type, id->devid,
					  XENSPLIT_ANY };
	struct xensplit_list *list = NULL;
	int err;

	if (tool->quiet && !tool->json)
		return EXIT_SUCCESS;
	err = xensplit_list_new(tool->ctx, &filter, list_flags, &list);
	if (err)
		return tool_fail_device(tool, err, verb, id);
	report(tool, id, xensplit_list_get(list, 0), text, start_ms);
	xensplit_list_free(list);
	return EXIT_SUCCESS;
}
