/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the verbs share: the verb table's row, the run's settings. */
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
 * A verb. Its function gets the positional arguments, as many as the row allows, after the
 * options have gone to where the rows of its option table point; it returns the exit status.
 */
struct verb {
	const char *name;
	const char *args;
	const char *summary;
	const char *notes; /* what else --help has to say, ends with a newline */
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

/* Connects to XenStore; says so where it can't. Returns: an exit status. */
int tool_open(struct tool *tool);

/*
 * tool_target - the device that "DOMAIN [TYPE[/DEVID]]" means; opens the context
 * @verb: for the messages
 * @allow_auto: "auto" is a DEVID
 *
 * The text of argv is cut up and stays in use. Returns: an exit status.
 */
int tool_target(struct tool *tool, const char *verb, int argc, char **argv,
		int allow_auto, struct xensplit_id *ret_id);

/* As tool_target(), for "[DOMAIN [TYPE[/DEVID]]]": what is left out means all. */
int tool_filter(struct tool *tool, const char *verb, int argc, char **argv,
		struct xensplit_filter *ret_filter);

/* As xensplit_domain_find(), with a message. Returns: an exit status. */
int tool_domain(struct tool *tool, const char *verb, const char *text,
		uint32_t *ret_domid);

/* One line about a failure of the library. Returns: the exit status for it. */
int tool_fail(struct tool *tool, int err, const char *what);
/* The line alone: @reason is the library's. */
void tool_say(const char *reason, const char *verb, const struct xensplit_id *id);
int tool_fail_device(struct tool *tool, int err, const char *verb,
		     const struct xensplit_id *id);

/* The device of an operation, as tool_report() has it. */
int tool_report_op(struct tool *tool, const char *verb, struct xensplit_op *op,
		   const struct xensplit_id *id, const char *text, uint64_t start_ms);

/*
 * tool_report - the device as it is now, to stdout: JSON, or a line unless --quiet
 * @list_flags: of xensplit_list_new()
 * @text: what the line says of it, NULL for both states and the time since @start_ms
 *
 * Returns: an exit status.
 */
int tool_report(struct tool *tool, const char *verb, const struct xensplit_id *id,
		uint32_t list_flags, const char *text, uint64_t start_ms);

#endif
