/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the verbs: the row of the verb table, and settings. */
#ifndef XENSPLIT_TOOL_H
#define XENSPLIT_TOOL_H

#include <stddef.h>
#include <stdint.h>

#include "args.h"
#include "common.h"
#include "remedy.h"
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
	struct attempt attempt;
	int default_type;	 /* none was given */
	uint64_t wait_domain_ms; /* until when to wait for domains; 0: not at all */
	int allow_missing;	 /* a name that no domain has is XENSPLIT_ANY */
};

#define OPT_WAIT_DOMAIN(value)                                    \
	{                                                         \
		OPT_FLAG, 0, "wait-domain", NULL, (value),        \
			"wait for a domain that is not there yet" \
	}

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

extern const struct verb verb_adopt;
extern const struct verb verb_apply;
extern const struct verb verb_attach;
extern const struct verb verb_detach;
extern const struct verb verb_doctor;
extern const struct verb verb_list;
extern const struct verb verb_reap;
extern const struct verb verb_serve;
extern const struct verb verb_show;
extern const struct verb verb_wait;
extern const struct verb verb_watch;

/* Connects to XenStore; prints a message on failure. Returns: an exit status. */
int tool_open(struct tool *tool);
/* The two halves of it. Returns: a negative errno, without a message; an exit status. */
int tool_try_open(struct tool *tool);
int tool_fail_to_open(struct tool *tool, int err);
void tool_close(struct tool *tool);

/*
 * tool_target - find the device given as "DOMAIN [TYPE[/DEVID]]"; opens the context
 * @allow_auto: accept "auto" as DEVID
 *
 * Modifies the text in argv and refers to it. Returns: an exit status.
 */
int tool_target(struct tool *tool, int argc, char **argv, int allow_auto,
		struct xensplit_id *ret_id);

/* Like tool_target(), for "[DOMAIN [TYPE[/DEVID]]]": omitted parts mean all. */
int tool_filter(struct tool *tool, int argc, char **argv,
		struct xensplit_filter *ret_filter);

/* What is left of a time limit that began at start_ms; 0 if it has passed. */
unsigned int time_left(uint64_t start_ms, unsigned int limit_ms);

/* Finds the domain that the verb is about; opens the context. Returns: an exit status. */
int tool_main_domain(struct tool *tool, const char *text, uint32_t *ret_domid);

/*
 * Like xensplit_domain_find(), or xensplit_domain_wait() until wait_domain_ms, with a message.
 * Returns: an exit status.
 */
int tool_domain(struct tool *tool, const char *text, uint32_t *ret_domid);

/*
 * tool_fail - print the library's last failure, and what to do about it
 * @id: the device it is about, or NULL
 *
 * Returns: the exit status for it.
 */
int tool_fail(struct tool *tool, int err, const struct xensplit_id *id);
/* Prints it only. */
void tool_report_error(struct tool *tool, const struct xensplit_error *error,
		       const struct xensplit_id *id);

/*
 * tool_report_op - print the device of an operation: JSON, or a line unless --quiet
 * @what: follows the device in the line: "attached to"
 * @then: follows the domain
 *
 * Returns: an exit status.
 */
int tool_report_op(struct tool *tool, struct xensplit_op *op,
		   const struct xensplit_id *id, const char *what, const char *then);

/* Likewise for the device as it is now: "mydevice/0 of guest5 (domain 5)", and @then. */
int tool_report(struct tool *tool, const struct xensplit_id *id, const char *then);

#endif
