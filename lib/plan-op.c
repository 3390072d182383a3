// SPDX-License-Identifier: LGPL-2.1-or-later
/* Does one action of a plan, which may be old by then. */
#include "plan.h"

static int copy_avoid(struct step *to, const struct step *from)
{
	size_t size = from->avoid_count * sizeof(*to->avoid);

	if (!size)
		return 0;
	to->avoid = malloc(size);
	if (!to->avoid)
		return -ENOMEM;
	memcpy(to->avoid, from->avoid, size);
	return 0;
}

static int copy_step(struct xensplit_ctx *ctx, const struct planned *planned,
		     struct step *ret_step)
{
	struct step step = planned->step;
	int r;

	memset(&step.front, 0, sizeof(step.front));
	memset(&step.back, 0, sizeof(step.back));
	step.avoid = NULL;
	r = copy_avoid(&step, &planned->step);
	if (!r)
		r = pairs_add_missing(&step.front, &planned->step.front);
	if (!r)
		r = pairs_add_missing(&step.back, &planned->step.back);
	/* What another client has done since is noticed. */
	if (!step.auto_devid)
		step.flags |= XENSPLIT_ATTACH_ENSURE | XENSPLIT_ATTACH_DROP_KEYS;
	*ret_step = step;
	return r ? fail(ctx, r, "out of memory") : 0;
}

int plan_step(const struct xensplit_plan *plan, size_t index, struct step *ret_step)
{
	const struct planned *planned = index < plan->count ? plan->actions[index] : NULL;

	memset(ret_step, 0, sizeof(*ret_step));
	if (!planned || planned->action.kind != XENSPLIT_ACTION_ATTACH)
		return fail(plan->ctx, -EINVAL, "the action is no attach");
	return copy_step(plan->ctx, planned, ret_step);
}

/* --- a stale device --- */

/* Nothing to do if another client was faster. */
static int remove_if_stale(struct txn *txn, void *data)
{
	struct xensplit_op *op = data;
	char path[PATH_SIZE];
	struct record record;
	int r = record_read(txn, &op->spec.id, &record);

	if (!r)
		r = record_is_stale(txn, &record);
	if (r <= 0)
		return r == -ENOENT ? 0 : r;
	path_frontend(path, &op->spec.id, NULL);
	r = store_exists(txn, path);
	if (r < 0)
		return r;
	op->was_there = r;
	return remove_stale(txn, &op->spec.id);
}

/* A guest whose backend has died takes a new frontend for the old one: see replace.c. */
static int renew_step(struct xensplit_op *op)
{
	int r = op_remove(op, remove_if_stale, op);

	if (r)
		return r;
	if (op->was_there)
		return op_sleep(op, now_us() + SETTLE_US, attach_ensure);
	return op_next(op, attach_ensure);
}

static int remove_it(struct txn *txn, void *data)
{
	struct xensplit_op *op = data;

	return remove_stale(txn, &op->spec.id);
}

static int drop_step(struct xensplit_op *op)
{
	return op_remove(op, remove_it, op);
}

/* --- the operations --- */

static int attach_op(struct xensplit_ctx *ctx, const struct planned *planned,
		     unsigned int timeout_ms, struct xensplit_op **ret_op)
{
	bool renew = planned->action.kind == XENSPLIT_ACTION_RENEW;
	struct step step;
	int r = copy_step(ctx, planned, &step);

	if (r) {
		step_clear(&step);
		return r;
	}
	if (renew && (planned->replaces || planned->half))
		step.flags |= XENSPLIT_ATTACH_REPLACE;
	r = attach_begin(ctx, &step, timeout_ms, ret_op);
	if (r)
		return r;
	(*ret_op)->only_half = !planned->replaces;
	if (renew && planned->stale)
		(*ret_op)->step = renew_step;
	return 0;
}

static int detach_op(struct xensplit_ctx *ctx, const struct planned *planned,
		     unsigned int timeout_ms, struct xensplit_op **ret_op)
{
	const struct xensplit_id *id = &planned->action.id;
	struct xensplit_op *op;
	int r;

	if (planned->stale)
		return op_new_on(ctx, id, timeout_ms, drop_step, ret_op);
	r = xensplit_op_detach(ctx, id, 0, timeout_ms, &op);
	if (r)
		return r;
	/* Not one that was attached since. */
	memcpy(op->spec.unique_id, planned->unique_id, sizeof(op->spec.unique_id));
	op->only = op->spec.unique_id;
	*ret_op = op;
	return 0;
}

XENSPLIT_API int xensplit_plan_op(struct xensplit_plan *plan, size_t index,
				  unsigned int timeout_ms, struct xensplit_op **ret_op)
{
	const struct planned *planned;

	if (!plan || !ret_op)
		return -EINVAL;
	ctx_begin(plan->ctx);
	if (index >= plan->count)
		return fail(plan->ctx, -EINVAL, "the plan has no action %zu", index);
	planned = plan->actions[index];
	switch (planned->action.kind) {
	case XENSPLIT_ACTION_REFUSE:
		return fail_as(plan->ctx, planned->action.result, planned->action.code,
			       "%s", planned->message);
	case XENSPLIT_ACTION_DETACH:
		return detach_op(plan->ctx, planned, timeout_ms, ret_op);
	default:
		return attach_op(plan->ctx, planned, timeout_ms, ret_op);
	}
}
