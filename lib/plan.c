// SPDX-License-Identifier: LGPL-2.1-or-later
/* What to do so that a domain has its wanted devices, and no others of a list. */
#include "plan.h"

/* --- decisions --- */

static int foreign_half(struct planning *p, const struct planned *planned, char *path)
{
	int r;

	path_frontend(path, &planned->step.id, NULL);
	r = store_exists(p->txn, path);
	if (r)
		return r;
	path_backend(path, &planned->step.id, planned->step.backend_domid, NULL);
	return store_exists(p->txn, path);
}

static int decide_absent(struct planning *p, struct planned *planned)
{
	char path[PATH_SIZE];
	int r = planned->is_auto ? 0 : foreign_half(p, planned, path);

	planned->action.kind = XENSPLIT_ACTION_ATTACH;
	if (r <= 0)
		return r;
	failure_set(p->txn->ctx, -EEXIST, "foreign",
		    "%s exists, and xensplit did not make it", path);
	if (!planned->replaces)
		return plan_refuse(p, planned, -EEXIST);
	planned->action.kind = XENSPLIT_ACTION_RENEW;
	return plan_say(p, planned, p->txn->ctx->failure.text);
}

static int decide_different(struct planning *p, struct planned *planned, const char *text)
{
	planned->action.kind = XENSPLIT_ACTION_RENEW;
	if (planned->replaces)
		return plan_say(p, planned, text);
	failure_set(p->txn->ctx, -EEXIST, "differs", "already attached, but differs: %s",
		    text);
	return plan_refuse(p, planned, -EEXIST);
}

static int decide_found(struct planning *p, struct planned *planned)
{
	const struct found *found = planned->found;
	char text[DIFFERENCES_SIZE], path[PATH_SIZE];

	if (found->damaged) {
		path_record(path, &found->record.id, NULL);
		failure_set(p->txn->ctx, -EBADMSG, NULL, "%s is damaged", path);
		return plan_refuse(p, planned, -EBADMSG);
	}
	planned->action.kind = XENSPLIT_ACTION_RENEW;
	planned->stale = found->stale;
	planned->half = *found->record.phase;
	if (planned->stale)
		return plan_say(p, planned, "it belongs to a domain that is gone");
	if (planned->half)
		return plan_say(p, planned, "replacing it was interrupted");
	if (!compare_device(&planned->step, &found->record, &found->front, &found->back,
			    text, sizeof(text)))
		return decide_different(p, planned, text);
	planned->action.kind = XENSPLIT_ACTION_KEEP;
	return 0;
}

static int decide(struct planning *p, struct planned *planned)
{
	planned->replaces = p->plan->flags & XENSPLIT_PLAN_REPLACE;
	if (planned->found && !planned->found->damaged) {
		planned->step.id.devid = planned->found->record.id.devid;
		planned->step.auto_devid = false;
	}
	if (planned->action.result)
		return 0;
	return planned->found ? decide_found(p, planned) : decide_absent(p, planned);
}

static int drop(struct planning *p, struct found *found)
{
	struct planned *planned = plan_add(p);

	if (!planned)
		return -ENOMEM;
	planned->step.id = found->record.id;
	planned->stale = found->stale;
	memcpy(planned->unique_id, found->record.unique_id, sizeof(planned->unique_id));
	planned->action.kind = XENSPLIT_ACTION_DETACH;
	planned->action.entry = -1;
	planned->action.id.domid = found->record.id.domid;
	planned->action.id.type = planned->step.id.type;
	planned->action.id.devid = found->record.id.devid;
	planned->action.backend_domid = found->record.backend_domid;
	return 0;
}

/* Nobody knows how a damaged one came to be. */
static int prune(struct planning *p)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < p->found_count; i++) {
		struct found *found = p->found[i];

		if (!found->taken && !found->damaged && *found->record.listed)
			r = drop(p, found);
	}
	return r;
}

/* --- the plan --- */

static int add_entries(struct planning *p, const struct xensplit_wanted *const *wanted,
		       size_t count)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < count; i++) {
		struct planned *planned = plan_add(p);

		if (!planned)
			return -ENOMEM;
		planned->action.entry = (int)i;
		r = plan_entry(p, planned, wanted[i]);
	}
	return r;
}

static int make(struct planning *p, const struct xensplit_wanted *const *wanted,
		size_t count)
{
	size_t i;
	int r = domain_check(p->txn, p->plan->domid);

	if (!r)
		r = add_entries(p, wanted, count);
	if (!r)
		r = plan_look(p);
	if (!r)
		r = plan_match(p);
	for (i = 0; !r && i < count; i++)
		r = decide(p, p->plan->actions[i]);
	if (!r && (p->plan->flags & XENSPLIT_PLAN_PRUNE))
		r = prune(p);
	return r;
}

static int check(struct xensplit_ctx *ctx, const struct xensplit_wanted *const *wanted,
		 size_t count, uint32_t flags)
{
	static const uint32_t known = XENSPLIT_PLAN_REPLACE | XENSPLIT_PLAN_PRUNE;
	size_t i;

	if (flags & ~known)
		return fail(ctx, -EINVAL, "unknown plan flags 0x%x", flags & ~known);
	if (count > INT32_MAX || (count && !wanted))
		return fail(ctx, -EINVAL, "the list of wanted devices is wrong");
	for (i = 0; i < count; i++)
		if (!wanted[i])
			return fail(ctx, -EINVAL, "entry %zu of the list is NULL", i);
	return 0;
}

int plan_make(struct xensplit_ctx *ctx, uint32_t domid,
	      const struct xensplit_wanted *const *wanted, size_t count, uint32_t flags,
	      plan_resolve *resolve, void *data, struct xensplit_plan **ret_plan)
{
	struct txn txn = TXN_NONE(ctx);
	struct planning p = { .txn = &txn, .resolve = resolve, .resolve_data = data };
	int r = check(ctx, wanted, count, flags);

	if (r)
		return r;
	p.plan = calloc(1, sizeof(*p.plan));
	if (!p.plan)
		return fail(ctx, -ENOMEM, "out of memory");
	p.plan->ctx = ctx;
	p.plan->domid = domid;
	p.plan->flags = flags;
	r = make(&p, wanted, count);
	plan_forget_backends(&p);
	plan_forget_found(&p);
	if (r)
		xensplit_plan_free(p.plan);
	else
		*ret_plan = p.plan;
	return r;
}

static int resolve_name(struct xensplit_ctx *ctx, const char *text, void *data,
			uint32_t *ret_domid)
{
	(void)data;
	return xensplit_domain_find(ctx, text, ret_domid);
}

XENSPLIT_API int xensplit_plan_new(struct xensplit_ctx *ctx, uint32_t domid,
				   const struct xensplit_wanted *const *wanted,
				   size_t count, uint32_t flags,
				   struct xensplit_plan **ret_plan)
{
	if (!ctx || !ret_plan)
		return -EINVAL;
	ctx_begin(ctx);
	return ctx_end(ctx, plan_make(ctx, domid, wanted, count, flags, resolve_name,
				      NULL, ret_plan));
}

XENSPLIT_API const struct xensplit_action *
xensplit_plan_get(const struct xensplit_plan *plan, size_t index)
{
	return plan && index < plan->count ? &plan->actions[index]->action : NULL;
}

XENSPLIT_API struct xensplit_plan *xensplit_plan_free(struct xensplit_plan *plan)
{
	if (!plan)
		return NULL;
	while (plan->count) {
		struct planned *planned = plan->actions[--plan->count];

		step_clear(&planned->step);
		free(planned->message);
		free(planned->type);
		free(planned);
	}
	free(plan->actions);
	free(plan);
	return NULL;
}
