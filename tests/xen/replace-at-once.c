// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * replace-at-once DOMID: removes mydevice/0 and makes it again in one commit, to show how kernels
 * handle a device that exists again before they have noticed its removal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xensplit.h>

static int replace(struct xensplit_ctx *ctx, uint32_t domid)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	struct xensplit_batch *batch;
	int r = xensplit_batch_new(ctx, &batch);

	if (r)
		return r;
	opts.domid = domid;
	opts.type = "mydevice";
	opts.flags = XENSPLIT_ATTACH_REPLACE;
	r = xensplit_batch_attach(batch, &opts);
	if (r >= 0)
		r = xensplit_batch_commit(batch);
	xensplit_batch_free(batch);
	return r;
}

int main(int argc, char **argv)
{
	struct xensplit_ctx *ctx;
	int r = xensplit_new(NULL, &ctx);

	if (r || argc != 2) {
		fprintf(stderr, "replace-at-once DOMID: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	r = replace(ctx, (uint32_t)strtoul(argv[1], NULL, 10));
	if (r)
		fprintf(stderr, "%s\n", xensplit_errmsg(ctx));
	xensplit_free(ctx);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
