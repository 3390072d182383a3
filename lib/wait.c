// SPDX-License-Identifier: LGPL-2.1-or-later
/* Waiting for one device, as an operation. */
#include "operation.h"

static int wait_op_step(struct xensplit_op *op)
{
	return wait_step(op->ctx, &op->wait);
}

static int wait_op_start(struct xensplit_op *op)
{
	int r = wait_begin(op->ctx, &op->wait, NULL);

	return r ? r : op_next(op, wait_op_step);
}

XENSPLIT_API int xensplit_op_wait(struct xensplit_ctx *ctx, const struct xensplit_id *id,
				  int until, unsigned int timeout_ms,
				  struct xensplit_op **ret_op)
{
	struct xensplit_op *op;
	int r;

	if (!ctx || !id || !ret_op)
		return -EINVAL;
	ctx_begin(ctx);
	if (until < XENSPLIT_UNTIL_CONNECTED || until > XENSPLIT_UNTIL_INIT_WAIT)
		return fail(ctx, -EINVAL, "%d is nothing to wait for", until);
	r = op_new_on(ctx, id, timeout_ms, wait_op_start, &op);
	if (r)
		return r;
	op->wait.id = op->spec.id;
	op->wait.until = until;
	op->wait.begun_us = op->begun_us;
	op->wait.deadline_us = op->deadline_us;
	*ret_op = op;
	return 0;
}

XENSPLIT_API int xensplit_wait(struct xensplit_ctx *ctx, const struct xensplit_id *id,
			       int until, unsigned int timeout_ms)
{
	struct xensplit_op *op;
	int r = xensplit_op_wait(ctx, id, until, timeout_ms, &op);

	return r ? r : op_run_and_free(op);
}
