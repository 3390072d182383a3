/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations on many devices, side by side, within one time limit. */
#ifndef XENSPLIT_MANY_H
#define XENSPLIT_MANY_H

#include <stddef.h>
#include <stdint.h>

#include "tool.h"

struct many {
	struct tool *tool;
	const char *doing; /* for the line of progress: "detaching" */
	const struct xensplit_id *ids;
	size_t count;
	unsigned int timeout_ms; /* for all of them */
	/* Begins the operation on one. Returns: 0 or the library's error. */
	int (*begin)(const struct many *many, size_t index, unsigned int timeout_ms,
		     struct xensplit_op **ret_op);
	/* It has ended with @err, which xensplit_errmsg() explains. */
	void (*ended)(const struct many *many, size_t index, int err);
	void *data;
};

/*
 * many_run - do it
 *
 * A device that keeps the others waiting is put behind them, and begun again: so begin() is
 * for operations that can be left half way and go on from there, as a detach and a repair can.
 * Returns: 0, or the library's error where no device is to blame.
 */
int many_run(const struct many *many);

#endif
