/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the verbs: the row of the verb table, and settings. */
#ifndef XENSPLIT_TOOL_H
#define XENSPLIT_TOOL_H

#include <stddef.h>
#include <stdint.h>

#include "args.h"
#include "common.h"
#include "xensplit.h"

#define DEFAULT_TIMEOUT_MS 10000
#define TIMEOUT_HELP	   "give up after this time (default: 10)"

struct xentoollog_logger;

struct tool {
	struct xensplit_ctx *ctx; /* after tool_open() */
	struct xentoollog_logger *logger;
	int verbose;
	int quiet;
	int json;
};

/*
 * A verb. Options are stored in the variables of its option table; then its function gets the
 * positional arguments, as many as the row allows, and returns the exit status.
 */
struct verb {
	const char *name;
	const char *args;
	const char *summary;
	const char *notes; /* the rest of --help, ends with a newline */
	int min_args;
	int max_args;
	const struct opt *options;
	int (*run)(struct tool *tool, int argc, char **argv);
};

extern const struct verb verb_attach;
extern const struct verb verb_detach;
extern const struct verb verb_doctor;
extern const struct verb verb_list;
extern const struct verb verb_reap;
extern const struct verb verb_show;
extern const struct verb verb_wait;
extern const struct verb verb_watch;

/* Connects to XenStore; prints a message on failure. Returns: an exit status. */
int tool_open(struct tool *tool);

/*
 * tool_target - find the device given as "DOMAIN [TYPE[/DEVID]]"; opens the context
 * @verb: for the messages
 * @allow_auto: accept "auto" as DEVID
 *
 * Modifies the text in argv and refers to it. Returns: an exit status.
 */
int tool_target(struct tool *tool, const char *verb, int argc, char **argv,
		int allow_auto, struct xensplit_id *ret_id);

/* Like tool_target(), for "[DOMAIN [TYPE[/DEVID]]]": omitted parts mean all. */
int tool_filter(struct tool *tool, const char *verb, int argc, char **argv,
		struct xensplit_filter *ret_filter);

/* Like xensplit_domain_find(), with a message. Returns: an exit status. */
int tool_domain(struct tool *tool, const char *verb, const char *text,
		uint32_t *ret_domid);

/* Prints one line about a failure of the library. Returns: the exit status for it. */
int tool_fail(struct tool *tool, int err, const char *what);
/* Prints only the line: @reason is the library's. */
void tool_say(const char *reason, const char *verb, const struct xensplit_id *id);
int tool_fail_device(struct tool *tool, int err, const char *verb,
		     const struct xensplit_id *id);

/* Like tool_report(), for the device of an operation. */
int tool_report_op(struct tool *tool, const char *verb, struct xensplit_op *op,
		   const struct xensplit_id *id, const char *text, uint64_t start_ms);

/*
 * tool_report - print the device as it is now: JSON, or a line unless --quiet
 * @list_flags: of xensplit_list_new()
 * @text: what to say of it; NULL: both states and the time since @start_ms
 *
 * Returns: an exit status.
 */
int tool_report(struct tool *tool, const char *verb, const struct xensplit_id *id,
		uint32_t list_flags, const char *text, uint64_t start_ms);

#endif
