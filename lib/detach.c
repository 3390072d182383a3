// SPDX-License-Identifier: LGPL-2.1-or-later
/* Taking a device away: both drivers close first, then every node goes. */
#include "operation.h"

/*
 * Closing in the backend's state is how a toolstack asks: the frontend closes,
 * its backend follows, and leaves the bus as it is no longer online. An end in
 * Initialising has no driver that could answer, so it is Closed in its place.
 */
int place_close(struct txn *txn, const struct place *place)
{
	struct perms perms = perms_backend(&place->id, place->backend_domid);
	struct perms front_perms = perms_frontend(&place->id, place->backend_domid);
	struct txn plain = { .ctx = txn->ctx, .xs = txn->xs };
	char path[PATH_SIZE], front_path[PATH_SIZE];
	int frontend, backend, r;

	/* Outside the transaction: a guest could make this read collide for ever. */
	path_frontend(front_path, &place->id, "state");
	r = state_read(&plain, front_path, &frontend);
	path_backend(path, &place->id, place->backend_domid, "state");
	if (!r)
		r = state_read(txn, path, &backend);
	if (r || backend == XENSPLIT_STATE_ABSENT)
		return r;
	if (backend == XENSPLIT_STATE_INITIALISING)
		r = store_write(txn, path, "6", &perms);
	else if (!state_is_closing(backend))
		r = store_write(txn, path, "5", &perms);
	path_backend(path, &place->id, place->backend_domid, "online");
	if (!r)
		r = store_write(txn, path, "0", &perms);
	if (!r && frontend == XENSPLIT_STATE_INITIALISING)
		r = store_write(txn, front_path, "6", &front_perms);
	return r;
}

int close_stage(struct txn *txn, const struct device_id *id)
{
	struct record record;
	int r = record_require(txn, id, &record);

	if (r)
		return r;
	struct place place = { record.id, record.backend_domid, true };

	return place_close(txn, &place);
}

static int remove_place(struct txn *txn, const struct place *place)
{
	int r = place_remove_halves(txn, place);

	if (!r)
		r = place_remove_errors(txn, place);
	return r ? r : record_remove(txn, &place->id);
}

int remove_stage(struct txn *txn, const struct step *step)
{
	struct record record;
	int r;

	if (step->flags & XENSPLIT_REMOVE_STALE)
		return remove_stale(txn, &step->id);
	r = record_require(txn, &step->id, &record);
	if (r)
		return r;
	struct place place = { record.id, record.backend_domid, true };

	return remove_place(txn, &place);
}

struct closing {
	const struct device_id *id;
	bool removed;
};

/* A backend that no driver has taken up is not waited for. */
static int close_or_remove(struct txn *txn, void *data)
{
	struct closing *closing = data;
	char path[PATH_SIZE];
	struct record record;
	int backend, r;

	r = record_require(txn, closing->id, &record);
	if (r)
		return r;
	path_backend(path, &record.id, record.backend_domid, "state");
	r = state_read(txn, path, &backend);
	if (r)
		return r;
	struct place place = { record.id, record.backend_domid, true };

	closing->removed = backend == XENSPLIT_STATE_INITIALISING;
	return closing->removed ? remove_place(txn, &place) : place_close(txn, &place);
}

static int phase_one(struct xensplit_ctx *ctx, struct closing *closing)
{
	struct txn txn = TXN_NONE(ctx);
	int r = store_transaction(&txn, close_or_remove, closing);

	/* An end that writes without a pause: each of the steps holds by itself. */
	return r == -EBUSY ? close_or_remove(&txn, closing) : r;
}

static int phase_two(struct xensplit_ctx *ctx, const struct xensplit_id *id)
{
	struct xensplit_batch *batch;
	int r = xensplit_batch_new(ctx, &batch);

	if (r)
		return r;
	r = xensplit_batch_remove(batch, id, 0);
	if (r >= 0)
		r = xensplit_batch_commit(batch);
	xensplit_batch_free(batch);
	return r;
}

XENSPLIT_API int xensplit_detach(struct xensplit_ctx *ctx, const struct xensplit_id *id,
				 uint32_t flags, unsigned int timeout_ms)
{
	struct wait wait = { .until = XENSPLIT_UNTIL_CLOSED, .timeout_ms = timeout_ms };
	struct closing closing = { &wait.id, false };
	int r;

	if (!ctx || !id)
		return -EINVAL;
	if (flags & ~XENSPLIT_DETACH_FORCE)
		return fail(ctx, -EINVAL, "unknown detach flags 0x%x", flags);
	wait.deadline_us = now_us() + 1000ull * timeout_ms;
	wait.force = flags & XENSPLIT_DETACH_FORCE;
	r = id_set(ctx, &wait.id, id->domid, id->type, id->devid);
	if (!r)
		r = phase_one(ctx, &closing);
	if (r || closing.removed)
		return r;
	r = wait_run(ctx, &wait);
	if (r == -ETIMEDOUT && wait.force) {
		log_warn(ctx, "%s; removed all the same", ctx->errmsg);
		r = 0;
	}
	return r ? r : phase_two(ctx, id);
}
