// SPDX-License-Identifier: LGPL-2.1-or-later
/* Detach a device: close both drivers, then remove every node. */
#include "findings.h"
#include "operation.h"

/* --- phase two --- */

/* Meanwhile another client may have removed it and attached one of the same name. */
static int remove_same(struct txn *txn, void *data)
{
	struct xensplit_op *op = data;
	struct record record;
	int r = record_read(txn, &op->spec.id, &record);

	if (r)
		return r == -ENOENT ? 0 : r;
	if (strcmp(record.unique_id, op->spec.unique_id) != 0)
		return 0;
	r = record_refuse_stale(txn, &record);
	if (r)
		return r;
	struct place place = { record.id, record.backend_domid, true };

	return place_remove(txn, &place);
}

static int remove_step(struct xensplit_op *op)
{
	int r = op_remove(op, remove_same, op);

	if (!r)
		id_log(op->ctx, &op->spec.id, "removed");
	return r ? r : place_remove_errors(op->ctx, &op->place);
}

/*
 * The backend is open although it was asked to close: either its driver was about
 * to write that state, or another client has removed the device and attached one
 * of the same name. 1 or 0.
 */
static int is_another(struct xensplit_op *op)
{
	struct txn txn = TXN_NONE(op->ctx);
	struct record record;
	int r;

	if (state_is_closing(op->wait.states[1]))
		return 0;
	r = record_read(&txn, &op->spec.id, &record);
	if (r)
		return r == -ENOENT ? 1 : r;
	return strcmp(record.unique_id, op->spec.unique_id) != 0;
}

static int closed_step(struct xensplit_op *op)
{
	char text[ID_TEXT_SIZE];
	int r = wait_step(op->ctx, &op->wait);

	if (r == OP_WAIT || r == -ETIMEDOUT) {
		int another = is_another(op);

		if (another)
			return another < 0 ? another : 0;
	}
	if (r == -ETIMEDOUT && (op->flags & XENSPLIT_DETACH_FORCE)) {
		log_warn(op->ctx, "%s: %s; removed anyway",
			 id_text(&op->spec.id, text, sizeof(text)),
			 op->ctx->failure.text);
		r = 0;
	}
	return r ? r : op_next(op, remove_step);
}

/* --- phase one --- */

/* Does not wait for a backend that no driver has taken up. */
static int close_or_remove(struct txn *txn, void *data)
{
	struct xensplit_op *op = data;
	struct record record;
	int r;

	r = record_require(txn, &op->spec.id, &record);
	if (r == -EBADMSG && (op->flags & XENSPLIT_DETACH_FORCE)) {
		op->removed = true;
		return remove_damaged(txn, &op->spec.id);
	}
	if (r)
		return r;
	if (op->only && strcmp(op->only, record.unique_id) != 0)
		return fail_as(txn->ctx, -ENOENT, "removed",
			       "another client has removed the device");
	op->place.id = record.id;
	op->place.backend_domid = record.backend_domid;
	op->place.recorded = true;
	op->spec.id = record.id;
	op->spec.backend_domid = record.backend_domid;
	op->spec.created = record.created;
	memcpy(op->spec.unique_id, record.unique_id, sizeof(op->spec.unique_id));
	memcpy(op->spec.is_listed, record.listed, sizeof(op->spec.is_listed));
	r = place_look(txn, &op->place, op->states);
	if (r)
		return r;
	op->known = true;
	op->removed = op->states[1] == XENSPLIT_STATE_INITIALISING;
	return op->removed ? place_remove(txn, &op->place)
			   : place_close(txn, &op->place, op->states);
}

static int close_step(struct xensplit_op *op);

/*
 * A backend's domain that keeps writing its state can make every commit collide.
 * Without a commit, the state could be written to a device that is gone by then.
 */
static int not_asked(struct xensplit_op *op)
{
	char text[ID_TEXT_SIZE];

	if (now_us() < op->deadline_us)
		return op_next(op, close_step);
	if (!(op->flags & XENSPLIT_DETACH_FORCE))
		return -EBUSY;
	log_warn(op->ctx, "%s: %s; removed anyway",
		 id_text(&op->spec.id, text, sizeof(text)), op->ctx->failure.text);
	return op_next(op, remove_step);
}

static int close_step(struct xensplit_op *op)
{
	int r = op_commit(op, close_or_remove, op);

	if (r == -EBUSY)
		return not_asked(op);
	if (r == -ENOENT && !strcmp(op->ctx->failure.error.code, "foreign"))
		diagnose_foreign(op->ctx, &op->spec.id);
	if (r)
		return r;
	id_log(op->ctx, &op->spec.id, op->removed ? "removed" : "asked to close");
	if (op->removed)
		return place_remove_errors(op->ctx, &op->place);
	op->wait.id = op->place.id;
	op->wait.until = XENSPLIT_UNTIL_CLOSED;
	op->wait.begun_us = op->begun_us;
	op->wait.deadline_us = op->deadline_us;
	op->wait.force = op->flags & XENSPLIT_DETACH_FORCE;
	r = wait_begin(op->ctx, &op->wait, &op->place);
	return r ? r : op_next(op, closed_step);
}

XENSPLIT_API int xensplit_op_detach(struct xensplit_ctx *ctx,
				    const struct xensplit_id *id, uint32_t flags,
				    unsigned int timeout_ms, struct xensplit_op **ret_op)
{
	int r;

	if (!ctx || !id || !ret_op)
		return -EINVAL;
	ctx_begin(ctx);
	if (flags & ~XENSPLIT_DETACH_FORCE)
		return fail(ctx, -EINVAL, "unknown detach flags 0x%x", flags);
	r = op_new_on(ctx, id, timeout_ms, close_step, ret_op);
	if (r)
		return r;
	(*ret_op)->flags = flags;
	(*ret_op)->place.id = (*ret_op)->spec.id;
	(*ret_op)->place.backend_domid = XENSPLIT_ANY;
	return 0;
}

XENSPLIT_API int xensplit_detach(struct xensplit_ctx *ctx, const struct xensplit_id *id,
				 uint32_t flags, unsigned int timeout_ms)
{
	struct xensplit_op *op;
	int r = xensplit_op_detach(ctx, id, flags, timeout_ms, &op);

	return r ? r : op_run_and_free(op);
}
