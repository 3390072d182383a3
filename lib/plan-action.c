// SPDX-License-Identifier: LGPL-2.1-or-later
/* The actions of a plan. */
#include "array.h"
#include "plan.h"

struct planned *plan_add(struct planning *p)
{
	struct xensplit_plan *plan = p->plan;
	struct planned **more =
		array_grow(plan->actions, plan->count, &plan->room, sizeof(*more));
	struct planned *planned = calloc(1, sizeof(*planned));

	if (more)
		plan->actions = more;
	if (!more || !planned) {
		free(planned);
		failure_set(p->txn->ctx, -ENOMEM, NULL, "out of memory");
		return NULL;
	}
	plan->actions[plan->count++] = planned;
	return planned;
}

int plan_say(struct planning *p, struct planned *planned, const char *text)
{
	free(planned->message);
	planned->message = strdup(text);
	planned->action.message = planned->message;
	return planned->message ? 0 : fail(p->txn->ctx, -ENOMEM, "out of memory");
}

int plan_refuse(struct planning *p, struct planned *planned, int result)
{
	const struct failure *failure = &p->txn->ctx->failure;

	planned->action.kind = XENSPLIT_ACTION_REFUSE;
	planned->action.result = result;
	planned->action.code = failure->error.code;
	return plan_say(p, planned, failure->text);
}
