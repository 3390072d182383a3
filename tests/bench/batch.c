// SPDX-License-Identifier: GPL-2.0-or-later
/* batch COUNT: attaches so many devices to domain 5 and detaches them, a commit each. */
#include <err.h>
#include <stdlib.h>
#include <xensplit.h>

static struct xensplit_batch *batch_new(struct xensplit_ctx *ctx)
{
	struct xensplit_batch *batch;

	if (xensplit_batch_new(ctx, &batch))
		errx(1, "%s", xensplit_errmsg(ctx));
	return batch;
}

static void batch_do(struct xensplit_ctx *ctx, struct xensplit_batch *batch)
{
	if (xensplit_batch_commit(batch))
		errx(1, "%s", xensplit_errmsg(ctx));
	xensplit_batch_free(batch);
}

int main(int argc, char **argv)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	struct xensplit_id id = { 5, "mydevice", 0 };
	unsigned int i, count = argc > 1 ? (unsigned int)atoi(argv[1]) : 1;
	struct xensplit_batch *batch;
	struct xensplit_ctx *ctx;

	if (xensplit_new(NULL, &ctx))
		errx(1, "no XenStore");
	opts.domid = id.domid;
	opts.type = id.type;
	batch = batch_new(ctx);
	for (i = 0; i < count; i++) {
		opts.devid = i;
		xensplit_batch_attach(batch, &opts);
	}
	batch_do(ctx, batch);

	batch = batch_new(ctx);
	for (i = 0; i < count; i++) {
		id.devid = i;
		xensplit_batch_close(batch, &id);
		xensplit_batch_remove(batch, &id, 0);
	}
	batch_do(ctx, batch);
	xensplit_free(ctx);
	return 0;
}
