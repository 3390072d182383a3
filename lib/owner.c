// SPDX-License-Identifier: LGPL-2.1-or-later
/* Checks that a context is used by the process that made it. */
#include <unistd.h>

#include "internal.h"

bool ctx_is_inherited(const struct xensplit_ctx *ctx)
{
	return ctx->owner != getpid();
}

int ctx_check_owner(struct xensplit_ctx *ctx)
{
	if (!ctx_is_inherited(ctx))
		return 0;
	return fail(ctx, -ECHILD,
		    "the context was made by process %d, before it forked this one",
		    (int)ctx->owner);
}
