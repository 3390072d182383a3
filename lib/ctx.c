// SPDX-License-Identifier: LGPL-2.1-or-later
/* The context: connection, logger and process. */

#include <unistd.h>

#include "internal.h"

#ifndef XENSPLIT_VERSION
#error "the Makefile passes XENSPLIT_VERSION"
#endif

XENSPLIT_API const char *xensplit_version(void)
{
	return XENSPLIT_VERSION;
}

static int ctx_connect(struct xensplit_ctx *ctx)
{
	if (ctx->xs)
		return 0;
	ctx->xs = store_open();
	if (!ctx->xs)
		return errno == EACCES || errno == EPERM || errno == ENOMEM ? -errno
									    : -ENOTCONN;
	ctx->own_xs = true;
	return 0;
}

static int ctx_make_logger(struct xensplit_ctx *ctx)
{
	if (ctx->logger)
		return 0;
	ctx->own_logger = (struct xentoollog_logger *)xtl_createlogger_stdiostream(
		stderr, XTL_WARN, XTL_STDIOSTREAM_HIDE_PROGRESS);
	ctx->logger = ctx->own_logger;
	return ctx->logger ? 0 : -ENOMEM;
}

XENSPLIT_API int xensplit_new(const struct xensplit_opts *opts,
			      struct xensplit_ctx **ret_ctx)
{
	struct xensplit_opts o = { 0 };
	struct xensplit_ctx *ctx;
	int r;

	if (!ret_ctx || (opts && opts_copy(&o, sizeof(o), opts)))
		return -EINVAL;
	ctx = calloc(1, sizeof(*ctx));
	if (!ctx)
		return -ENOMEM;
	if (o.hypervisor &&
	    (opts_copy(&ctx->hypervisor, sizeof(ctx->hypervisor), o.hypervisor) ||
	     !ctx->hypervisor.query)) {
		free(ctx);
		return -EINVAL;
	}
	ctx->owner = getpid();
	ctx->logger = o.logger;
	ctx->xs = o.xs;
	ctx->hypervisor_data = o.hypervisor_data;
	r = ctx_make_logger(ctx);
	if (!r)
		r = ctx_connect(ctx);
	if (r) {
		xensplit_free(ctx);
		return r;
	}
	*ret_ctx = ctx;
	return 0;
}

XENSPLIT_API struct xensplit_ctx *xensplit_free(struct xensplit_ctx *ctx)
{
	if (!ctx)
		return NULL;
	hub_close(ctx);
	if (ctx->own_xs)
		store_close(ctx, ctx->xs);
	xtl_logger_destroy(ctx->own_logger);
	free(ctx);
	return NULL;
}
