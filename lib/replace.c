// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Clears the place of a new device: closes the old one and removes its halves.
 * This takes several commits. The record stays throughout, with its keys and a
 * phase, so that a killed process leaves a whole device or a record that says
 * what is missing: the next attach that replaces it finishes the work.
 */
#include "operation.h"

/* How long the old device has to close if the caller does not wait for the new one. */
#define CLOSE_US 10000000

static int keep_keys(struct txn *txn, struct xensplit_op *op)
{
	if (op->spec.flags & XENSPLIT_ATTACH_DROP_KEYS)
		return 0;
	return keys_keep(txn, &op->spec.id, &op->spec.front, &op->spec.back);
}

/* 1: another client has made the device as it is wanted. */
static int look_again(struct txn *txn, struct xensplit_op *op)
{
	int r = 0;

	if (op->spec.flags & XENSPLIT_ATTACH_ENSURE)
		r = ensure_look(txn, &op->spec);
	return r == -EEXIST ? 0 : r;
}

/* In one transaction: checks the device, keeps its keys, and closes it. */
static int close_found(struct txn *txn, void *data)
{
	struct xensplit_op *op = data;
	struct record record;
	int r = look_again(txn, op);

	if (r)
		return r;
	r = place_find(txn, &op->spec.id, &op->place);
	if (!r && op->place.recorded) {
		r = record_require(txn, &op->spec.id, &record);
		if (!r)
			r = keep_keys(txn, op);
		if (!r)
			r = record_set_phase(txn, &op->spec.id, "replace");
	}
	if (r || txn->part == TXN_RECORD)
		return r;
	r = place_look(txn, &op->place, op->states);
	return r ? r : place_close(txn, &op->place, op->states);
}

/* Skips a record without a phase: another client's device, which the write will find. */
static int remove_found(struct txn *txn, void *data)
{
	struct xensplit_op *op = data;
	struct record record;
	int r = place_find(txn, &op->spec.id, &op->place);

	if (!r && op->place.recorded) {
		r = record_read(txn, &op->spec.id, &record);
		if (!r && !*record.phase)
			return 0;
	}
	return r ? r : place_remove_halves(txn, &op->place);
}

static int settle(struct xensplit_op *op)
{
	return op_sleep(op, now_us() + SETTLE_US, op->when_cleared);
}

static int remove_step(struct xensplit_op *op)
{
	int r = op_remove(op, remove_found, op);

	/* Another client's detach may have been faster. */
	if (!r)
		id_log(op->ctx, &op->spec.id, "old device removed");
	if (!r || r == -ENOENT)
		r = place_remove_errors(op->ctx, &op->place);
	return r ? r : settle(op);
}

/* Whether it has closed or not. */
static int closed_step(struct xensplit_op *op)
{
	int r = wait_step(op->ctx, &op->wait);

	if (r && r != -ETIMEDOUT)
		return r;
	wait_end(op->ctx, &op->wait);
	return op_next(op, remove_step);
}

static int close_step(struct xensplit_op *op);

static uint64_t close_deadline(const struct xensplit_op *op, uint64_t now)
{
	if (!op->timeout_ms)
		return now + CLOSE_US;
	return now < op->deadline_us ? now + (op->deadline_us - now) / 2 : now;
}

/*
 * A backend's domain that keeps writing its state can make every commit collide
 * that asks it to close: then its device is removed without being asked.
 */
static int close_commit(struct xensplit_op *op)
{
	int r = op_commit(op, close_found, op);

	if (r != -EBUSY || op->part == TXN_RECORD)
		return r;
	if (now_us() >= close_deadline(op, op->begun_us))
		op->part = TXN_RECORD;
	return op_next(op, close_step);
}

static int close_step(struct xensplit_op *op)
{
	uint64_t now = now_us();
	struct wait *wait = &op->wait;
	int r = close_commit(op);
	bool asked = op->part == TXN_WHOLE;

	if (r == OP_WAIT || r == OP_AGAIN)
		return r;
	op->part = TXN_WHOLE;
	if (r == -ENOENT)
		return settle(op);
	if (r < 0)
		return r;
	if (op->spec.kept)
		return op_next(op, op->when_kept);
	if (!asked)
		return op_next(op, remove_step);
	id_log(op->ctx, &op->spec.id, "old device asked to close");
	memset(wait, 0, sizeof(*wait));
	wait->id = op->spec.id;
	wait->until = XENSPLIT_UNTIL_CLOSED;
	wait->begun_us = now;
	wait->deadline_us = close_deadline(op, now);
	wait->force = true;
	r = wait_begin(op->ctx, wait, &op->place);
	return r ? r : op_next(op, closed_step);
}

/* Does all checks before anything is removed. */
int replace_start(struct xensplit_op *op)
{
	struct txn txn = TXN_NONE(op->ctx);
	int r = domain_check(&txn, op->spec.id.domid);

	op->spec.cleared = true;
	if (!r)
		r = domain_check(&txn, op->spec.backend_domid);
	if (!r)
		r = place_find(&txn, &op->spec.id, &op->place);
	/* Nothing there now, but a device may just have been removed. */
	if (r == -ENOENT) {
		op->place.id = op->spec.id;
		op->place.backend_domid = op->spec.backend_domid;
		r = place_remove_errors(op->ctx, &op->place);
		return r ? r : settle(op);
	}
	return r ? r : op_next(op, close_step);
}
