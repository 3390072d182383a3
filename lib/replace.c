// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Making room for a device: what is there closes, and its halves go. It takes
 * several commits. The record stays throughout, with its keys and a phase, so
 * that a process that is killed leaves a whole device or a record that says
 * what is missing: the next attach that replaces completes it.
 */
#include <time.h>

#include "operation.h"

/*
 * A guest learns of a removal after the fact, and Linux before 7.0 takes a
 * frontend that is there again by then for the old one. Nothing tells when it
 * has looked.
 */
#define SETTLE_MS 250

static int close_found(struct txn *txn, void *data)
{
	const struct place *place = data;
	int r = place->recorded ? record_set_phase(txn, &place->id, "replace") : 0;

	if (r)
		return r;
	return place->backend_domid == XENSPLIT_ANY ? 0 : place_close(txn, place);
}

static int remove_found(struct txn *txn, void *data)
{
	const struct place *place = data;
	int r = place_remove_halves(txn, place);

	return r ? r : place_remove_errors(txn, place);
}

/* An end that writes without a pause: each of the steps holds by itself. */
static int commit_or_plain(struct xensplit_ctx *ctx,
			   int (*fn)(struct txn *txn, void *data), struct place *place)
{
	struct txn txn = TXN_NONE(ctx);
	int r = store_transaction(&txn, fn, place);

	return r == -EBUSY ? fn(&txn, place) : r;
}

/* Another client's detach may be faster with any step: then there is room. */
static int find_again(struct xensplit_ctx *ctx, const struct device_id *id,
		      struct place *ret_place)
{
	struct txn txn = TXN_NONE(ctx);

	return place_find(&txn, id, ret_place);
}

static int close_and_remove(struct xensplit_ctx *ctx, const struct wait *wait)
{
	struct wait closed = *wait;
	struct place place;
	int r = find_again(ctx, &wait->id, &place);

	closed.until = XENSPLIT_UNTIL_CLOSED;
	closed.fresh = false;
	if (!r)
		r = commit_or_plain(ctx, close_found, &place);
	if (!r)
		r = wait_run(ctx, &closed);
	if (!r || r == -ETIMEDOUT)
		r = find_again(ctx, &wait->id, &place);
	return r ? r : commit_or_plain(ctx, remove_found, &place);
}

int replace_clear(struct xensplit_ctx *ctx, uint32_t backend_domid,
		  const struct wait *wait)
{
	struct timespec settle = { .tv_nsec = SETTLE_MS * 1000000L };
	/* All that can be wrong is found before anything is taken away. */
	int r = xensplit_domain_check(ctx, wait->id.domid);

	if (!r)
		r = xensplit_domain_check(ctx, backend_domid);
	if (!r)
		r = close_and_remove(ctx, wait);
	if (!r)
		nanosleep(&settle, NULL);
	return r == -ENOENT ? 0 : r;
}
