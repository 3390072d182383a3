// SPDX-License-Identifier: LGPL-2.1-or-later
/* Repair a device in place or, if its driver does not try again, make it again. */
#include "operation.h"

/* Time for a driver that does try again, so that its device is not replaced. */
#define SECOND_LOOK_US 2000000

static int again_step(struct xensplit_op *op)
{
	return op_advance(op->child);
}

/*
 * Linux treats a failed state write as done and does not retry it
 * (__xenbus_switch_state), so such a driver needs a new device. Once permissions
 * are repaired, the old device can close.
 */
static int make_again(struct xensplit_op *op)
{
	const struct device_id *id = &op->place.id;
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	uint64_t now = now_us();
	int r;

	wait_end(op->ctx, &op->wait);
	opts.domid = id->domid;
	opts.backend_domid = op->place.backend_domid;
	opts.type = id->type;
	opts.backend_type = *id->backend_type ? id->backend_type : NULL;
	opts.devid = id->devid;
	opts.flags = XENSPLIT_ATTACH_REPLACE | XENSPLIT_ATTACH_RESERVED;
	/* Finish an interrupted operation even if there is no time left to wait. */
	r = xensplit_op_attach(op->ctx, &opts,
			       now + 1000 < op->deadline_us
				       ? (unsigned int)((op->deadline_us - now) / 1000)
				       : 1,
			       &op->child);
	return r ? r : op_next(op, again_step);
}

static int connect_step(struct xensplit_op *op)
{
	int r = wait_step(op->ctx, &op->wait);

	/* Error nodes from before the repair no longer apply. */
	if (!r && op->failed)
		return place_remove_errors(op->ctx, &op->place);
	if (op->failed && op->place.recorded && now_us() < op->deadline_us &&
	    (r == -ETIMEDOUT || r == -EPROTO))
		return op_next(op, make_again);
	return r;
}

/* 1 if one of the drivers has written an error and the device is not connected. */
static int has_failed(struct txn *txn, const struct place *place)
{
	char path[PATH_SIZE];
	int frontend, backend;
	int r = place_states(txn, place, &frontend, &backend);

	if (r || (state_is_connected(frontend) && state_is_connected(backend)))
		return r;
	path_frontend_error(path, &place->id, "error");
	r = store_exists(txn, path);
	if (r)
		return r;
	path_backend_error(path, &place->id, place->backend_domid, "error");
	return store_exists(txn, path);
}

static int repaired_step(struct xensplit_op *op)
{
	struct txn txn = TXN_NONE(op->ctx);
	uint64_t deadline = op->deadline_us;
	int failed = has_failed(&txn, &op->place), r;

	if (failed < 0)
		return failed;
	op->failed |= failed;
	if (op->failed && op->place.recorded && now_us() + SECOND_LOOK_US < deadline)
		deadline = now_us() + SECOND_LOOK_US;
	op->wait.id = op->place.id;
	op->wait.until = XENSPLIT_UNTIL_CONNECTED;
	op->wait.begun_us = op->begun_us;
	op->wait.deadline_us = deadline;
	r = wait_begin(op->ctx, &op->wait, &op->place);
	return r ? r : op_next(op, connect_step);
}

static int repair(struct txn *txn, void *data)
{
	struct xensplit_op *op = data;

	return repair_stage(txn, &op->spec.id);
}

static int commit_step(struct xensplit_op *op)
{
	int r = op_commit(op, repair, op);

	/* A guest that never stops writing can make every try of a round collide. */
	if (r == -EBUSY && now_us() < op->deadline_us)
		return op_next(op, commit_step);
	if (r)
		return r;
	id_log(op->ctx, &op->spec.id, "repaired");
	return op_next(op, repaired_step);
}

static int start(struct xensplit_op *op)
{
	struct txn txn = TXN_NONE(op->ctx);
	struct record record = { .phase = "" };
	int r = place_find(&txn, &op->spec.id, &op->place);

	if (!r && op->place.recorded) {
		r = record_read(&txn, &op->spec.id, &record);
		if (r == -ENOENT) /* removed in between */
			r = fail(op->ctx, -ENOENT, "no such device");
	}
	/* After the repair the drivers may connect at once: look at their errors before it. */
	if (!r)
		r = has_failed(&txn, &op->place);
	if (r < 0)
		return r;
	op->failed = r;
	/* Its halves are gone, or about to be. */
	return op_next(op, *record.phase ? make_again : commit_step);
}

XENSPLIT_API int xensplit_op_repair(struct xensplit_ctx *ctx,
				    const struct xensplit_id *id, unsigned int timeout_ms,
				    struct xensplit_op **ret_op)
{
	if (!ctx || !id || !ret_op)
		return -EINVAL;
	ctx_begin(ctx);
	return op_new_on(ctx, id, timeout_ms, start, ret_op);
}

XENSPLIT_API int xensplit_repair(struct xensplit_ctx *ctx, const struct xensplit_id *id,
				 unsigned int timeout_ms)
{
	struct xensplit_op *op;
	int r = xensplit_op_repair(ctx, id, timeout_ms, &op);

	return r ? r : op_run_and_free(op);
}
