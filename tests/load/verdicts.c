// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an operation must have made of its device, if it was alone. A process that is killed or a
 * domain that dies is not part of this, only the answer.
 */
#include <string.h>

#include "load.h"

enum {
	DONE = 0,
	FAILED = 1,
	NOT_FOUND = 3,
	REFUSED = 4,
	BUSY = 5,
	LATE = 6
};

static bool same(const struct op *op)
{
	return op->before.is == op->after.is &&
	       !strcmp(op->before.unique_id, op->after.unique_id);
}

/* A new one with these keys; connected, if the call waited. */
static const char *is_new(const struct op *op)
{
	if (op->after.is != WHOLE)
		return "it is not whole";
	if (!strcmp(op->before.unique_id, op->after.unique_id))
		return "it is the same as before";
	if (strcmp(op->after.mode, op->mode) != 0)
		return "it has other keys";
	if (op->after.backend != op->backend)
		return "it has another backend";
	if (op->status == DONE && op->timeout_ms && !is_connected(&op->after))
		return "it is not connected";
	return NULL;
}

const char *attached(const struct op *op)
{
	if (op->before.is != NONE)
		return op->status != BUSY ? "there was one already"
		       : !same(op)	  ? "the one that was there changed"
					  : NULL;
	/* A driver that missed that its last device was removed does not take this one. */
	if (op->status == DONE || op->status == LATE || op->status == FAILED)
		return is_new(op);
	return "it was not attached";
}

static bool is_as_asked(const struct op *op, const struct view *view)
{
	return view->is == WHOLE && !strcmp(view->mode, op->mode) &&
	       view->backend == op->backend;
}

const char *ensured(const struct op *op)
{
	if (op->before.is == NONE)
		return attached(op);
	if (op->status == DONE && !is_as_asked(op, &op->after))
		return "it is not as asked";
	if (op->status == BUSY && is_as_asked(op, &op->before))
		return "it was as asked";
	return same(op) ? NULL : "it changed";
}

const char *replaced(const struct op *op)
{
	if (op->status == DONE)
		return is_new(op);
	if (op->status == LATE || op->status == FAILED)
		return op->after.is == NONE ? "it is gone" : NULL;
	return "it was not replaced";
}

const char *detached(const struct op *op)
{
	switch (op->status) {
	case DONE:
		if (op->before.is == NONE)
			return "there was none";
		return op->after.is != NONE ? "it is still there" : NULL;
	case NOT_FOUND:
		return op->before.is != NONE ? "there was one" : NULL;
	case LATE:
		return op->after.is == NONE ? "it is gone" : NULL;
	default:
		return "it was not detached";
	}
}

const char *waited(const struct op *op)
{
	if (op->status == DONE)
		return is_connected(&op->after) ? NULL : "it is not connected";
	if (op->status == NOT_FOUND)
		return op->before.is == NONE || op->before.is == PHASE ? NULL
								       : "there is one";
	return op->before.is == NONE	  ? "there was none"
	       : is_connected(&op->after) ? "it is connected"
					  : NULL;
}

const char *gone(const struct op *op)
{
	if (op->status == DONE)
		return op->after.states[0] == -1 && op->after.states[1] == -1
			       ? NULL
			       : "it is there";
	return op->before.is == NONE ? "there was none" : NULL;
}

const char *shown(const struct op *op)
{
	if (op->status == NOT_FOUND)
		return op->before.is == NONE ? NULL : "there is one";
	return op->before.is == NONE ? "there is none" : NULL;
}

const char *repaired(const struct op *op)
{
	if (op->status == NOT_FOUND)
		return op->before.is == NONE ? NULL : "there is one";
	if (op->status == DONE)
		return is_connected(&op->after) ? NULL : "it is not connected";
	return op->after.is == NONE ? "it is gone" : NULL;
}

const char *adopted(const struct op *op)
{
	if (op->before.is != FOREIGN)
		return op->status == DONE ? "it was not foreign" : NULL;
	if (op->status != DONE)
		return "it was not adopted";
	return op->after.is == WHOLE ? NULL : "it is not whole";
}

const char *reaped(const struct op *op)
{
	return op->status == DONE && count_stale(op->xs, MORTAL)
		       ? "something stale is left"
		       : NULL;
}
