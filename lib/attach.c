// SPDX-License-Identifier: LGPL-2.1-or-later
/* Attach one device: clear its place, write it in one commit, wait until it connects. */
#include "operation.h"

/* How long to wait for this domain's kernel to drop a backend that is gone. */
#define KERNEL_US      1000000
#define KERNEL_STEP_US 5000

/*
 * Another client may attach a device in between. It is replaced like the first
 * one: both kernels would keep its device if the commit that writes the new one
 * also removed it.
 */
#define REPLACE_TRIES 3

/* --- rollback --- */

#define ROLLBACK_MS 1000

static int rollback_step(struct xensplit_op *op)
{
	struct failure *failure = &op->ctx->failure;
	int r = op_advance(op->child);
	char text[ID_TEXT_SIZE];
	size_t used;

	if (r == OP_WAIT)
		return r;
	if (r && r != -ENOENT)
		log_warn(op->ctx, "%s: can't roll back: %s",
			 id_text(&op->spec.id, text, sizeof(text)), failure->text);
	op->known = r && r != -ENOENT;
	op_restore_failure(op);
	used = strlen(failure->text);
	snprintf(failure->text + used, sizeof(failure->text) - used, "; %s",
		 op->known ? "it could not be removed" : "it was removed again");
	return op->result;
}

/* Keeps the failure's reason, and gives a driver that is still connecting a moment. */
static int roll_back(struct xensplit_op *op, int failure)
{
	const struct device_id *id = &op->spec.id;
	struct xensplit_id device = { id->domid, id->type, id->devid };
	int r;

	op->result = failure;
	op->give_up = NULL;
	wait_end(op->ctx, &op->wait);
	if (!op_keep_failure(op))
		return fail(op->ctx, -ENOMEM, "out of memory");
	r = xensplit_op_detach(op->ctx, &device, XENSPLIT_DETACH_FORCE, ROLLBACK_MS,
			       &op->child);
	if (r)
		return r;
	op->child->only = op->spec.unique_id;
	return op_next(op, rollback_step);
}

static int cancel_step(struct xensplit_op *op)
{
	return roll_back(op, -ECANCELED);
}

/* --- connect --- */

/* Never a device that was there before. */
static bool rolls_back(const struct xensplit_op *op)
{
	return (op->spec.flags & XENSPLIT_ATTACH_ROLLBACK) && !op->spec.kept;
}

static int connect_step(struct xensplit_op *op)
{
	int r = wait_step(op->ctx, &op->wait);

	memcpy(op->states, op->wait.states, sizeof(op->states));
	if (r < 0 && r != -ENOTCONN && rolls_back(op))
		return roll_back(op, r);
	return r;
}

/* Waits until the device is connected that was written, or found as wanted. */
static int wait_for_it(struct xensplit_op *op)
{
	struct place place = { op->spec.id, op->spec.backend_domid, true };
	int r;

	memset(&op->wait, 0, sizeof(op->wait));
	op->wait.id = op->spec.id;
	op->wait.until = XENSPLIT_UNTIL_CONNECTED;
	op->wait.fresh = !op->spec.kept;
	op->wait.begun_us = op->begun_us;
	op->wait.deadline_us = op->deadline_us;
	if (rolls_back(op))
		op->give_up = cancel_step;
	r = wait_begin(op->ctx, &op->wait, &place);
	return r ? r : op_next(op, connect_step);
}

static int written_step(struct xensplit_op *op)
{
	op->known = true;
	op->states[0] = op->states[1] = XENSPLIT_STATE_INITIALISING;
	return op->timeout_ms ? wait_for_it(op) : 0;
}

static int kept_step(struct xensplit_op *op)
{
	struct place place = { op->spec.id, op->spec.backend_domid, true };
	struct txn txn = TXN_NONE(op->ctx);

	op->known = true;
	id_log(op->ctx, &op->spec.id, "as wanted");
	if (op->timeout_ms)
		return wait_for_it(op);
	return place_states(&txn, &place, &op->states[0], &op->states[1]);
}

/* --- write --- */

static int write_device(struct txn *txn, void *data)
{
	struct xensplit_op *op = data;

	return attach_stage(txn, &op->spec);
}

static bool may_replace(const struct xensplit_op *op)
{
	const char *code = op->ctx->failure.error.code;

	return op->replace && (!op->only_half || !strcmp(code, "interrupted"));
}

static int commit_step(struct xensplit_op *op)
{
	int r = op_commit(op, write_device, op);

	if (r == -EEXIST && may_replace(op) && ++op->replaced < REPLACE_TRIES)
		return op_next(op, replace_start);
	if (r)
		return r;
	if (op->spec.kept)
		return op_next(op, kept_step);
	id_log(op->ctx, &op->spec.id, "written");
	return op_next(op, written_step);
}

/* Only for a given device id: no kernel has seen an automatic one lately. */
static int settle_step(struct xensplit_op *op)
{
	uint64_t now = now_us();
	int r = 0;

	if (!op->settle_end_us)
		op->settle_end_us = now + KERNEL_US;
	if (!op->spec.auto_devid && now < op->settle_end_us)
		r = kernel_holds(op->ctx, &op->spec.id, op->spec.backend_domid);
	if (r > 0)
		return op_sleep(op, now + KERNEL_STEP_US, settle_step);
	op->settle_end_us = 0;
	return r ? r : op_next(op, commit_step);
}

/*
 * Existing error nodes are from an earlier device of this name. Remove them, so
 * that a wait does not report them for this one.
 */
static int begin_step(struct xensplit_op *op)
{
	struct place place = { op->spec.id, op->spec.backend_domid, false };
	int r = 0;

	if (op->timeout_ms && !op->spec.auto_devid)
		r = place_remove_old_errors(op->ctx, &place);
	return r ? r : op_next(op, settle_step);
}

static int look_first(struct txn *txn, void *data)
{
	struct xensplit_op *op = data;

	return ensure_look(txn, &op->spec);
}

/* Before anything is written, even error nodes: a device that is as wanted stays as it is. */
int attach_ensure(struct xensplit_op *op)
{
	struct txn txn = TXN_NONE(op->ctx);
	int r = op_commit(op, look_first, op), gone;

	if (!r && op->spec.kept)
		return op_next(op, kept_step);
	if (r == -EEXIST && may_replace(op))
		return op_next(op, replace_start);
	if (r != -ESTALE)
		return r ? r : op_next(op, begin_step);
	/* That a domain is gone says more. */
	gone = domain_check(&txn, op->spec.id.domid);
	if (!gone)
		gone = domain_check(&txn, op->spec.backend_domid);
	return gone ? gone : r;
}

static op_step *first_step(const struct xensplit_op *op)
{
	if (op->spec.flags & XENSPLIT_ATTACH_ENSURE)
		return attach_ensure;
	return op->replace ? replace_start : begin_step;
}

int attach_begin(struct xensplit_ctx *ctx, struct step *step, unsigned int timeout_ms,
		 struct xensplit_op **ret_op)
{
	struct xensplit_op *op;
	int r = op_new(ctx, timeout_ms, &op);

	if (r) {
		step_clear(step);
		return r;
	}
	op->spec = *step;
	op->replace = op->spec.flags & XENSPLIT_ATTACH_REPLACE;
	op->spec.flags &= ~XENSPLIT_ATTACH_REPLACE;
	op->step = first_step(op);
	op->when_cleared = settle_step;
	op->when_kept = kept_step;
	op->waits = timeout_ms || op->replace;
	if (op->waits)
		r = hub_open(ctx);
	if (r)
		xensplit_op_free(op);
	else
		*ret_op = op;
	return r;
}

XENSPLIT_API int xensplit_op_attach(struct xensplit_ctx *ctx,
				    const struct xensplit_attach_opts *opts,
				    unsigned int timeout_ms, struct xensplit_op **ret_op)
{
	struct step step;
	int r;

	if (!ctx || !opts || !ret_op)
		return -EINVAL;
	ctx_begin(ctx);
	r = step_from_opts(ctx, opts, &step);
	if (!r)
		return attach_begin(ctx, &step, timeout_ms, ret_op);
	step_clear(&step);
	return r;
}

XENSPLIT_API int xensplit_attach(struct xensplit_ctx *ctx,
				 const struct xensplit_attach_opts *opts,
				 unsigned int timeout_ms, uint32_t *ret_devid)
{
	struct xensplit_op *op;
	int r = xensplit_op_attach(ctx, opts, timeout_ms, &op);

	if (r)
		return r;
	r = xensplit_op_run(op);
	if (op->known && ret_devid)
		*ret_devid = op->spec.id.devid;
	xensplit_op_free(op);
	return r;
}
