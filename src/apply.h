/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives domains the devices that their files list. */
#ifndef XENSPLIT_APPLY_H
#define XENSPLIT_APPLY_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "output.h"
#include "tool.h"

/* A file, and the domain that it is about. */
struct target {
	struct config *config;
	const struct xensplit_wanted **wanted;
	const char *domain; /* as the file or the user names it */
	int is_there;
	uint32_t domid;
	struct xensplit_plan *plan;
};

/* One action of a plan. */
struct job {
	const struct target *target;
	size_t index; /* of the action */
	int waits;    /* until the device is Connected */
	struct applied result;
};

struct apply {
	struct tool *tool;
	const char *domain;  /* --domain */
	uint32_t plan_flags; /* XENSPLIT_PLAN_* */
	int no_wait;
	int is_paused; /* nothing can connect yet */
	unsigned int timeout_ms;
	uint64_t start_ms;
	struct target *targets;
	size_t target_count;
	struct job *jobs;
	size_t job_count;
	int status; /* of the first failure */
};

/* Reads the files. Returns: EXIT_USAGE if any is wrong, after a message for each. */
int apply_read(struct apply *apply, int count, char **paths);

/* Opens the context and checks the entries. Returns: an exit status, after messages. */
int apply_check(struct apply *apply);

/*
 * apply_plan - find the domains, and plan what to do
 *
 * Returns: EXIT_SUCCESS if there is a plan to carry out; what else failed is in apply->status.
 */
int apply_plan(struct apply *apply);

/* Prints a failure that is about a file and, with an id, a device; keeps the first one's status. */
void apply_note(struct apply *apply, const struct target *target, unsigned int line,
		const struct xensplit_error *error, const struct xensplit_id *id);

/* apply_note() for the library's last failure, or just the error. */
void apply_fail(struct apply *apply, const struct target *target, unsigned int line,
		int err, const struct xensplit_id *id);

/* Carries out the plans: writes, then waits for drivers. */
void apply_write(struct apply *apply);
void apply_wait(struct apply *apply);

/* Creates the domain of the only file, with its devices. Returns: an exit status. */
int apply_create(struct apply *apply);

/* Prints the result, unless it was printed as it happened. */
void apply_report(struct apply *apply, int dry_run);

void apply_free(struct apply *apply);

#endif
