/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs operations on many devices at the same time, within one time limit. */
#ifndef XENSPLIT_MANY_H
#define XENSPLIT_MANY_H

#include <stddef.h>
#include <stdint.h>

#include "tool.h"

struct many {
	struct tool *tool;
	const char *doing; /* for the progress line: "detaching" */
	const struct xensplit_id *ids;
	size_t count;
	unsigned int timeout_ms; /* for all of them together */
	/* Starts the operation on one device. Returns: 0 or the library's error. */
	int (*begin)(const struct many *many, size_t index, unsigned int timeout_ms,
		     struct xensplit_op **ret_op);
	/* May be NULL: the operation is freed, to be started again later. */
	void (*paused)(const struct many *many, size_t index, struct xensplit_op *op);
	/*
	 * Called when one has ended with @err, which xensplit_errmsg() explains. @op: NULL if it
	 * was not started
	 */
	void (*ended)(const struct many *many, size_t index, struct xensplit_op *op,
		      int err);
	void *data;
};

/*
 * many_run - run the operations
 *
 * A device that delays the others is put back in the queue and started again, so begin() must
 * start an operation that can be interrupted and resumed, such as a detach or a repair.
 * Returns: 0, or the library's error if it does not belong to a device.
 */
int many_run(const struct many *many);

#endif
