// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a keeper writes: new devices, many in one commit; and operations, a limited
 * number at a time, which never wait until a device connects.
 */
#include "array.h"
#include "keeper.h"
#include "plan.h"

/* --- new devices --- */

/* A device that had an id keeps it, even if another process has removed it. */
static int make_step(struct kept *kept, const struct xensplit_plan *plan, size_t index)
{
	struct step *step = malloc(sizeof(*step));
	int r;

	if (!step)
		return -ENOMEM;
	kept->step = step;
	r = plan_step(plan, index, step);
	if (step->auto_devid && kept->id.devid != XENSPLIT_DEVID_AUTO) {
		step->auto_devid = false;
		step->id.devid = kept->id.devid;
	}
	return r;
}

static void drop_step(struct kept *kept)
{
	if (kept->step)
		step_clear(kept->step);
	free(kept->step);
	kept->step = NULL;
	kept->tries = 0;
}

int kept_stage(struct xensplit_keeper *k, struct kept *kept,
	       const struct xensplit_plan *plan, size_t index)
{
	struct kept **more =
		array_grow(k->staged, k->staged_count, &k->staged_room, sizeof(*more));
	int r;

	if (!more)
		return fail(k->ctx, -ENOMEM, "out of memory");
	k->staged = more;
	r = make_step(kept, plan, index);
	if (r) {
		drop_step(kept);
		return r == -ENOMEM ? fail(k->ctx, r, "out of memory") : r;
	}
	kept->seen.backend_domid = kept->step->backend_domid;
	kept->state = KEPT_STAGED;
	k->staged[k->staged_count++] = kept;
	return 0;
}

static void unstage(struct xensplit_keeper *k, size_t index)
{
	drop_step(k->staged[index]);
	memmove(k->staged + index, k->staged + index + 1,
		(--k->staged_count - index) * sizeof(struct kept *));
}

struct commit {
	struct xensplit_keeper *k;
	size_t count;
	size_t at; /* the one being written; @count: all were */
};

static int write_staged(struct txn *txn, void *data)
{
	struct commit *commit = data;

	for (commit->at = 0; commit->at < commit->count; commit->at++) {
		int r = attach_stage(txn, commit->k->staged[commit->at]->step);
		if (r)
			return r;
	}
	return 0;
}

static void take_written(struct xensplit_keeper *k, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct kept *kept = k->staged[i];
		const struct step *step = kept->step;

		kept->id = step->id;
		if (!step->kept)
			id_log(k->ctx, &kept->id, "written");
		kept_wait(k, kept, step->kept ? NULL : step->unique_id);
		drop_step(kept);
	}
	k->staged_count -= count;
	memmove(k->staged, k->staged + count, k->staged_count * sizeof(struct kept *));
	k->collisions = 0;
	k->staged_most = k->staged_most < STAGED_MOST / 2 ? 2 * k->staged_most
							  : STAGED_MOST;
}

/* The more it writes, the longer it takes, and the more often it collides. */
static void take_collision(struct xensplit_keeper *k, size_t count)
{
	struct kept *first = k->staged[0];

	k->staged_most = count > 1 ? count / 2 : 1;
	k->staged_us = now_us() + store_pause_us(++k->collisions);
	if (count > 1 || ++first->tries < STORE_TRIES)
		return;
	kept_fail(k, first, store_gave_up(k->ctx));
	unstage(k, 0);
}

/* One device that can't be written does not stop the others. */
static void take_failure(struct xensplit_keeper *k, const struct commit *commit, int r)
{
	size_t at = commit->at < commit->count ? commit->at : 0;
	struct kept *kept = k->staged[at];

	if (commit->at == commit->count && commit->count > 1) {
		k->staged_most = 1;
		return;
	}
	drop_step(kept);
	kept_fail(k, kept, r);
	unstage(k, at);
}

int staged_commit(struct xensplit_keeper *k)
{
	struct txn txn = TXN_NONE(k->ctx);
	struct commit commit = { k, k->staged_count, 0 };
	int r;

	if (commit.count > k->staged_most)
		commit.count = k->staged_most;
	r = store_try(&txn, write_staged, &commit);
	if (r == -ENOTCONN || r == -ENOMEM)
		return r;
	if (r == -EAGAIN)
		take_collision(k, commit.count);
	else if (r)
		take_failure(k, &commit, r);
	else
		take_written(k, commit.count);
	return 0;
}

/* --- operations --- */

bool may_run(struct xensplit_keeper *k, struct guest *guest)
{
	if (k->running_count < RUNNING_MOST)
		return true;
	if (!guest->hungry) {
		guest->hungry = true;
		guest->next_hungry = NULL;
		*k->hungry_end = guest;
		k->hungry_end = &guest->next_hungry;
	}
	return false;
}

void hungry_remove(struct xensplit_keeper *k, struct guest *guest)
{
	struct guest **at = &k->hungry;

	if (!guest->hungry)
		return;
	while (*at != guest)
		at = &(*at)->next_hungry;
	*at = guest->next_hungry;
	if (!*at)
		k->hungry_end = at;
	guest->hungry = false;
}

static void feed_one(struct xensplit_keeper *k)
{
	struct guest *guest = k->hungry;

	if (!guest)
		return;
	hungry_remove(k, guest);
	guest_schedule(k, guest, now_us());
}

void kept_run(struct xensplit_keeper *k, struct kept *kept, struct xensplit_op *op,
	      int doing)
{
	kept->op = op;
	kept->doing = doing;
	kept->state = KEPT_BUSY;
	k->running[k->running_count++] = kept;
}

int kept_renew(struct xensplit_keeper *k, struct kept *kept)
{
	const struct xensplit_wanted *w = &kept->want->wanted;
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	struct xensplit_op *op;
	int r;

	opts.domid = kept->id.domid;
	opts.backend_domid = kept->seen.backend_domid;
	opts.type = w->type;
	opts.devid = kept->id.devid;
	opts.backend_type = w->backend_type;
	opts.front = w->front;
	opts.front_count = w->front_count;
	opts.back = w->back;
	opts.back_count = w->back_count;
	opts.flags = XENSPLIT_ATTACH_REPLACE | XENSPLIT_ATTACH_DROP_KEYS;
	if (w->flags & XENSPLIT_WANTED_RESERVED)
		opts.flags |= XENSPLIT_ATTACH_RESERVED;
	r = xensplit_op_attach(k->ctx, &opts, 0, &op);
	if (!r)
		kept_run(k, kept, op, XENSPLIT_KEEPER_ATTACHED);
	kept->renewed = !r && kept->seen.frontend_state == XENSPLIT_STATE_INITIALISING;
	return r;
}

static void end_op(struct xensplit_keeper *k, size_t index)
{
	k->running[index]->op = xensplit_op_free(k->running[index]->op);
	k->running[index] = k->running[--k->running_count];
	feed_one(k);
}

static void take_success(struct xensplit_keeper *k, struct kept *kept,
			 const char *unique_id)
{
	if (kept->doing == XENSPLIT_KEEPER_ATTACHED && kept->want) {
		kept_wait(k, kept, *unique_id ? unique_id : NULL);
		return;
	}
	kept_tell(k, kept, kept->doing);
	kept->state = KEPT_DONE;
	guest_schedule(k, kept->guest, now_us());
}

/* Another process was faster; or it was repaired, but has no drivers. */
static bool is_good_enough(const struct kept *kept, int r)
{
	return r == -ENOENT || (kept->doing == XENSPLIT_KEEPER_ATTACHED &&
				(r == -ETIMEDOUT || r == -EPROTO));
}

/* 1: it is still running. */
static int step_op(struct xensplit_keeper *k, size_t index)
{
	struct kept *kept = k->running[index];
	int r = xensplit_op_process(kept->op);
	char unique_id[UNIQUE_ID_SIZE] = "";

	if (r == OP_WAIT || r == -ENOTCONN)
		return r;
	if (xensplit_op_get_changed(kept->op))
		memcpy(unique_id, kept->op->spec.unique_id, sizeof(unique_id));
	if (!r && kept->op->known) {
		kept->id = kept->op->spec.id;
		kept->seen.backend_domid = kept->op->spec.backend_domid;
	}
	end_op(k, index);
	if (!kept->want && is_good_enough(kept, r))
		r = 0;
	kept->renewed = !r && kept->renewed;
	if (r)
		kept_fail(k, kept, r);
	else
		take_success(k, kept, unique_id);
	return 0;
}

int ops_process(struct xensplit_keeper *k)
{
	size_t i = 0;

	while (i < k->running_count) {
		int r = step_op(k, i);

		if (r < 0)
			return r;
		/* Another one has taken the place of one that has ended. */
		i += r == OP_WAIT;
	}
	return 0;
}

uint64_t ops_timeout(const struct xensplit_keeper *k, uint64_t until)
{
	size_t i;

	for (i = 0; i < k->running_count; i++) {
		uint64_t wake = xensplit_op_get_timeout(k->running[i]->op);

		if (wake < until)
			until = wake;
	}
	return until;
}

void kept_free(struct xensplit_keeper *k, struct kept *kept)
{
	size_t i;

	for (i = 0; i < k->running_count; i++)
		if (k->running[i] == kept) {
			end_op(k, i);
			break;
		}
	for (i = 0; i < k->staged_count; i++)
		if (k->staged[i] == kept) {
			unstage(k, i);
			break;
		}
	free(kept->failure);
	free(kept);
}
