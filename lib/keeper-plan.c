// SPDX-License-Identifier: LGPL-2.1-or-later
/* Compares one domain with its list, and begins what is to do. */
#include "keeper.h"
#include "plan.h"

/* How long a driver may take to close a device that is no longer wanted. */
#define DETACH_MS 10000
/* After a failure that concerns the whole domain. */
#define FAILED_FIRST_US 2000000
#define FAILED_MOST_US	300000000

/* --- what is on the list --- */

/* Of a name that the keeper follows, so that no domain has to be asked. */
static int resolve(struct xensplit_ctx *ctx, const char *text, void *data,
		   uint32_t *ret_domid)
{
	const struct name *name = name_find(data, text);
	char shown[128];

	if (name && name_number(name, ret_domid))
		return 0;
	escape(shown, sizeof(shown), text, strlen(text));
	if (!name || !name->guests)
		return fail(ctx, -ESRCH, "no such domain: '%s'", shown);
	if (name->guests->next_same)
		return fail_as(ctx, -EINVAL, "ambiguous-domain",
			       "several domains have the name '%s'", shown);
	*ret_domid = name->guests->domid;
	return 0;
}

static int begin_renewal(struct xensplit_keeper *k, struct kept *kept)
{
	int r = 0;

	if (may_run(k, kept->guest))
		r = kept_renew(k, kept);
	return r;
}

static int keep(struct xensplit_keeper *k, struct kept *kept)
{
	if (kept->state == KEPT_NEW || kept->state == KEPT_REFUSED)
		kept_wait(k, kept, NULL);
	return kept_is_overdue(k, kept) ? begin_renewal(k, kept) : 0;
}

static int attach(struct xensplit_keeper *k, struct kept *kept,
		  const struct xensplit_plan *plan, size_t index)
{
	if (kept->state == KEPT_CONNECTED || kept->state == KEPT_WAITING)
		kept_lose(k, kept);
	return kept_may_try(kept) ? kept_stage(k, kept, plan, index) : 0;
}

static int run_action(struct xensplit_keeper *k, struct kept *kept,
		      struct xensplit_plan *plan, size_t index, unsigned int timeout_ms,
		      int doing)
{
	struct xensplit_op *op;
	int r;

	if (!kept_may_try(kept) || !may_run(k, kept->guest))
		return 0;
	r = xensplit_plan_op(plan, index, timeout_ms, &op);
	if (!r)
		kept_run(k, kept, op, doing);
	return r;
}

static int act_on(struct xensplit_keeper *k, struct kept *kept,
		  struct xensplit_plan *plan, size_t index)
{
	const struct xensplit_action *action = xensplit_plan_get(plan, index);

	if (action->id.devid != XENSPLIT_DEVID_AUTO)
		kept_set_id(kept, &action->id, action->backend_domid);
	kept_tell_loss(k, kept);
	switch (action->kind) {
	case XENSPLIT_ACTION_KEEP:
		return keep(k, kept);
	case XENSPLIT_ACTION_ATTACH:
		return attach(k, kept, plan, index);
	case XENSPLIT_ACTION_RENEW:
		return run_action(k, kept, plan, index, 0, XENSPLIT_KEEPER_ATTACHED);
	case XENSPLIT_ACTION_DETACH:
		return run_action(k, kept, plan, index, DETACH_MS,
				  XENSPLIT_KEEPER_DETACHED);
	default:
		failure_set(k->ctx, action->result, action->code, "%s", action->message);
		kept_refuse(k, kept);
		return 0;
	}
}

static int act(struct xensplit_keeper *k, struct guest *guest, struct xensplit_plan *plan,
	       size_t index)
{
	const struct xensplit_action *action = xensplit_plan_get(plan, index);
	struct device_id id = { .domid = guest->domid, .devid = action->id.devid };
	struct kept *kept;
	int r;

	if (action->entry >= 0) {
		kept = guest->kept[action->entry];
	} else {
		snprintf(id.type, sizeof(id.type), "%s", action->id.type);
		kept = guest_add_other(k, guest, &id);
		if (!kept)
			return -ENOMEM;
	}
	if (kept->state == KEPT_BUSY || kept->state == KEPT_STAGED)
		return 0;
	if (kept->state == KEPT_NEW)
		kept_forgive(kept);
	r = act_on(k, kept, plan, index);
	if (!r || r == -ENOTCONN || r == -ENOMEM)
		return r;
	if (r == -EINVAL)
		kept_refuse(k, kept);
	else
		kept_fail(k, kept, r);
	return 0;
}

static int plan_list(struct xensplit_keeper *k, struct guest *guest)
{
	const struct xensplit_wanted **wanted = calloc(guest->count + 1, sizeof(*wanted));
	struct xensplit_plan *plan = NULL;
	size_t i;
	int r;

	if (!wanted)
		return fail(k->ctx, -ENOMEM, "out of memory");
	for (i = 0; i < guest->count; i++)
		wanted[i] = &guest->wants->list[i].wanted;
	r = plan_make(k->ctx, guest->domid, wanted, guest->count, k->flags, resolve, k,
		      &plan);
	free(wanted);
	for (i = 0; !r && xensplit_plan_get(plan, i); i++)
		r = act(k, guest, plan, i);
	xensplit_plan_free(plan);
	return r;
}

/* --- one domain --- */

static uint64_t sooner(const struct kept *kept, uint64_t begun, uint64_t due)
{
	if (kept->state == KEPT_BUSY || kept->state == KEPT_STAGED ||
	    kept->due_us <= begun || kept->due_us > due)
		return due;
	return kept->due_us;
}

/* What was due when the work began, and was not done, waits for other operations. */
static uint64_t next_due(const struct guest *guest, uint64_t begun)
{
	uint64_t due = guest->audit_us;
	size_t i;

	for (i = 0; i < guest->count; i++)
		due = sooner(guest->kept[i], begun, due);
	for (i = 0; i < guest->others_count; i++)
		due = sooner(guest->others[i], begun, due);
	return due;
}

static void fail_all(struct xensplit_keeper *k, struct guest *guest)
{
	struct device_id id = { .domid = guest->domid };
	uint64_t pause = pause_us(FAILED_FIRST_US, FAILED_MOST_US, guest->failures++);
	struct xensplit_keeper_event *event = keeper_tell(
		k, XENSPLIT_KEEPER_FAILED, guest->name ? guest->name->text : NULL, &id,
		&k->ctx->failure.error);
	size_t i;

	event->retry_us = pause;
	for (i = 0; i < guest->count; i++)
		kept_fail_unplanned(k, guest->kept[i]);
	guest_unschedule(k, guest);
	guest_schedule(k, guest, now_us() + pause);
}

static int work(struct xensplit_keeper *k, struct guest *guest)
{
	bool audit = now_us() >= guest->audit_us;
	int r = guest->look || (audit && !guest->fresh) ? guest_look(k, guest) : 0;

	/* A look schedules it, too. */
	guest_unschedule(k, guest);
	if (audit)
		guest->audit_us = now_us() + pause_us(AUDIT_US, AUDIT_US, 0);
	if (!r)
		r = guest_take_list(k, guest);
	if (!r && guest->wants && !guest->dead)
		r = plan_list(k, guest);
	/* Though its directory is there. */
	if (r == -ESRCH)
		r = guest_bury(k, guest);
	if (!r && !guest->dead)
		r = guest_look_at_strays(k, guest);
	return r;
}

int guest_work(struct xensplit_keeper *k, struct guest *guest)
{
	uint64_t begun = now_us();
	int r = work(k, guest);

	if (r == -ENOTCONN || r == -ENOMEM) {
		guest_schedule(k, guest, now_us());
		return r;
	}
	if (r) {
		fail_all(k, guest);
		return 0;
	}
	guest->failures = 0;
	if (!guest->hungry)
		guest_forget_others(k, guest, begun);
	guest_schedule(k, guest, next_due(guest, begun));
	return 0;
}
