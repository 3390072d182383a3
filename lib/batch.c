// SPDX-License-Identifier: LGPL-2.1-or-later
/* Steps on any number of devices, in one transaction, the caller's, or none. */
#include "stage.h"

struct xensplit_batch {
	struct xensplit_ctx *ctx;
	struct step *steps;
	int count;
	bool ran;
	struct xensplit_nodes changes;
};

XENSPLIT_API int xensplit_batch_new(struct xensplit_ctx *ctx,
				    struct xensplit_batch **ret_batch)
{
	struct xensplit_batch *batch;

	if (!ctx || !ret_batch)
		return -EINVAL;
	ctx_begin(ctx);
	batch = calloc(1, sizeof(*batch));
	if (!batch)
		return fail(ctx, -ENOMEM, "out of memory");
	batch->ctx = ctx;
	*ret_batch = batch;
	return 0;
}

XENSPLIT_API struct xensplit_batch *xensplit_batch_free(struct xensplit_batch *batch)
{
	if (!batch)
		return NULL;
	while (batch->count)
		step_clear(&batch->steps[--batch->count]);
	free(batch->steps);
	nodes_clear(&batch->changes);
	free(batch);
	return NULL;
}

/* Takes ownership of the step's data, also on failure. */
static int add_step(struct xensplit_batch *batch, struct step *step)
{
	struct step *more =
		realloc(batch->steps, ((size_t)batch->count + 1) * sizeof(*more));

	if (!more) {
		step_clear(step);
		return fail(batch->ctx, -ENOMEM, "out of memory");
	}
	batch->steps = more;
	batch->steps[batch->count] = *step;
	batch->ran = false;
	return batch->count++;
}

XENSPLIT_API int xensplit_batch_attach(struct xensplit_batch *batch,
				       const struct xensplit_attach_opts *opts)
{
	struct step step;
	int r;

	if (!batch || !opts)
		return -EINVAL;
	ctx_begin(batch->ctx);
	r = step_from_opts(batch->ctx, opts, &step);
	if (!r && (step.flags & XENSPLIT_ATTACH_ROLLBACK))
		r = fail(batch->ctx, -EINVAL,
			 "a batch does not wait and can't roll back");
	if (r) {
		step_clear(&step);
		return r;
	}
	return add_step(batch, &step);
}

static int add_id_step(struct xensplit_batch *batch, const struct xensplit_id *id,
		       enum step_kind kind, uint32_t flags)
{
	struct step step = { .kind = kind, .flags = flags };
	int r;

	if (!batch || !id)
		return -EINVAL;
	ctx_begin(batch->ctx);
	r = id_set(batch->ctx, &step.id, id->domid, id->type, id->devid);
	return r ? r : add_step(batch, &step);
}

XENSPLIT_API int xensplit_batch_close(struct xensplit_batch *batch,
				      const struct xensplit_id *id)
{
	return add_id_step(batch, id, STEP_CLOSE, 0);
}

XENSPLIT_API int xensplit_batch_remove(struct xensplit_batch *batch,
				       const struct xensplit_id *id, uint32_t flags)
{
	if (batch && (flags & ~XENSPLIT_REMOVE_STALE))
		return fail(batch->ctx, -EINVAL, "unknown remove flags 0x%x", flags);
	return add_id_step(batch, id, STEP_REMOVE, flags);
}

XENSPLIT_API int xensplit_batch_repair(struct xensplit_batch *batch,
				       const struct xensplit_id *id)
{
	return add_id_step(batch, id, STEP_REPAIR, 0);
}

XENSPLIT_API int xensplit_batch_adopt(struct xensplit_batch *batch,
				      const struct xensplit_adopt_opts *opts)
{
	struct step step;
	int r;

	if (!batch || !opts)
		return -EINVAL;
	ctx_begin(batch->ctx);
	r = step_from_adopt_opts(batch->ctx, opts, &step);
	if (!r)
		return add_step(batch, &step);
	step_clear(&step);
	return r;
}

static int stage_all(struct txn *txn, void *data)
{
	struct xensplit_batch *batch = data;
	int i, r = 0;

	for (i = 0; i < batch->count && r >= 0; i++) {
		struct step *step = &batch->steps[i];

		switch (step->kind) {
		case STEP_ATTACH:
			r = attach_stage(txn, step);
			break;
		case STEP_CLOSE:
			r = close_stage(txn, &step->id);
			break;
		case STEP_REMOVE:
			r = remove_stage(txn, step);
			break;
		case STEP_REPAIR:
			r = repair_stage(txn, &step->id);
			break;
		case STEP_ADOPT:
			r = adopt_stage(txn, step);
			break;
		}
	}
	return r < 0 ? r : 0;
}

/*
 * A guest that keeps writing to its half makes every transaction collide that
 * removes the half. Removing it outside a transaction can't collide; the record
 * stays until the rest is gone too, so a crash in between loses nothing.
 */
static int take_away_halves(struct xensplit_batch *batch)
{
	struct txn plain = TXN_NONE(batch->ctx);
	bool any = false;
	int i, r;

	for (i = 0; i < batch->count; i++) {
		struct step *step = &batch->steps[i];
		struct record record;

		if (step->kind != STEP_REMOVE || (step->flags & XENSPLIT_REMOVE_STALE) ||
		    record_require(&plain, &step->id, &record))
			continue;
		struct place place = { record.id, record.backend_domid, true };

		r = place_remove_halves(&plain, &place);
		if (r)
			return r;
		any = true;
	}
	return any ? 0 : -EBUSY;
}

/* The drivers' own error nodes; nothing depends on them. */
static int remove_errors(struct xensplit_batch *batch)
{
	int i, r = 0;

	for (i = 0; !r && i < batch->count; i++) {
		struct step *step = &batch->steps[i];
		struct place place = { step->id, step->backend_domid, true };

		if (step->kind == STEP_REMOVE && !(step->flags & XENSPLIT_REMOVE_STALE))
			r = place_remove_errors(batch->ctx, &place);
	}
	return r;
}

XENSPLIT_API int xensplit_batch_commit(struct xensplit_batch *batch)
{
	int r;

	if (!batch)
		return -EINVAL;
	ctx_begin(batch->ctx);
	struct txn txn = TXN_NONE(batch->ctx);

	txn.journal = &batch->changes;
	r = store_transaction(&txn, stage_all, batch);
	if (txn.collided && !take_away_halves(batch))
		r = store_transaction(&txn, stage_all, batch);
	batch->ran = !r;
	if (!r) {
		log_verbose(batch->ctx, "batch committed, steps: %d", batch->count);
		r = remove_errors(batch);
	}
	return ctx_end(batch->ctx, r);
}

XENSPLIT_API int xensplit_batch_stage(struct xensplit_batch *batch, uint32_t transaction)
{
	int r;

	if (!batch)
		return -EINVAL;
	ctx_begin(batch->ctx);
	if (transaction == XBT_NULL)
		return fail(batch->ctx, -EINVAL,
			    "a batch can only be staged inside a transaction");
	struct txn txn = TXN_NONE(batch->ctx);

	txn.t = transaction;
	txn.borrowed = true;
	txn.journal = &batch->changes;
	nodes_clear(&batch->changes);
	r = stage_all(&txn, batch);
	batch->ran = !r;
	return ctx_end(batch->ctx, r);
}

XENSPLIT_API int xensplit_batch_preview(struct xensplit_batch *batch)
{
	int r;

	if (!batch)
		return -EINVAL;
	ctx_begin(batch->ctx);
	struct txn txn = TXN_NONE(batch->ctx);

	txn.journal = &batch->changes;
	txn.preview = true;
	r = store_transaction(&txn, stage_all, batch);
	batch->ran = !r;
	return ctx_end(batch->ctx, r);
}

XENSPLIT_API const struct xensplit_node *
xensplit_batch_change(const struct xensplit_batch *batch, size_t index)
{
	return batch ? xensplit_nodes_get(&batch->changes, index) : NULL;
}

XENSPLIT_API int xensplit_batch_devid(const struct xensplit_batch *batch, int step,
				      uint32_t *ret_devid)
{
	if (!batch || !ret_devid || step < 0 || step >= batch->count)
		return -EINVAL;
	if (batch->steps[step].auto_devid && !batch->ran)
		return -ENODATA;
	*ret_devid = batch->steps[step].id.devid;
	return 0;
}
