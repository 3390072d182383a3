// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How a toolstack commits a device together with its own nodes.
 *
 * It gives the context its connection, and stages a batch in its own transaction.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include <xensplit.h>

#define TRIES 20

/* A node that this toolstack writes for its device. */
static const char note[] = "/toolstack-example";

/* @value: NULL removes the node */
static int write_note(struct xs_handle *xs, xs_transaction_t t, const char *value)
{
	if (value ? xs_write(xs, t, note, value, (unsigned int)strlen(value))
		  : xs_rm(xs, t, note))
		return 0;
	return -errno;
}

/* The batch and the node, both or neither. */
static int commit(struct xs_handle *xs, struct xensplit_batch *batch, const char *value)
{
	int try, r;

	for (try = 0; try < TRIES; try++) {
		xs_transaction_t t = xs_transaction_start(xs);

		if (t == XBT_NULL)
			return -errno;
		r = xensplit_batch_stage(batch, t);
		if (!r)
			r = write_note(xs, t, value);
		/* A failure does not spoil the transaction: abort it explicitly. */
		if (r)
			xs_transaction_end(xs, t, true);
		if (r == -EAGAIN)
			continue;
		if (r)
			return r;
		if (xs_transaction_end(xs, t, false))
			return 0;
		if (errno != EAGAIN)
			return -errno;
		/* Another client changed the same nodes: try again. */
	}
	return -EBUSY;
}

static int attach(struct xs_handle *xs, struct xensplit_ctx *ctx,
		  const struct xensplit_id *id)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	struct xensplit_batch *batch;
	int r;

	opts.domid = id->domid;
	opts.type = id->type;
	opts.devid = id->devid;
	r = xensplit_batch_new(ctx, &batch);
	if (r)
		return r;
	r = xensplit_batch_attach(batch, &opts);
	if (r >= 0)
		r = commit(xs, batch, "attached");
	xensplit_batch_free(batch);
	return r ? r : xensplit_wait(ctx, id, XENSPLIT_UNTIL_CONNECTED, 10000);
}

/* Phase one asks both drivers to close, phase two removes the nodes. */
static int detach(struct xs_handle *xs, struct xensplit_ctx *ctx,
		  const struct xensplit_id *id, int phase)
{
	struct xensplit_batch *batch;
	int r = xensplit_batch_new(ctx, &batch);

	if (r)
		return r;
	r = phase == 1 ? xensplit_batch_close(batch, id)
		       : xensplit_batch_remove(batch, id, 0);
	if (r >= 0)
		r = commit(xs, batch, phase == 1 ? "closing" : NULL);
	xensplit_batch_free(batch);
	if (r || phase == 2)
		return r;
	return xensplit_wait(ctx, id, XENSPLIT_UNTIL_CLOSED, 10000);
}

static int say(struct xs_handle *xs, const char *what, int r)
{
	char *value;

	if (r)
		return r;
	value = xs_read(xs, XBT_NULL, note, NULL);
	printf("%s; %s: %s\n", what, note, value ? value : "(gone)");
	free(value);
	return 0;
}

static int run(struct xs_handle *xs, struct xensplit_ctx *ctx, const char *domain)
{
	struct xensplit_id id = { 0, "mydevice", 0 };
	int r = xensplit_domain_find(ctx, domain, &id.domid);

	if (!r)
		r = say(xs, "both ends are Connected", attach(xs, ctx, &id));
	if (!r)
		r = say(xs, "the backend is Closed", detach(xs, ctx, &id, 1));
	return r ? r : say(xs, "the device is gone", detach(xs, ctx, &id, 2));
}

/* Says which device: the library's message does not. A failure of our own node is not the library's. */
static void complain(struct xensplit_ctx *ctx, const char *domain, int r)
{
	const struct xensplit_error *error = xensplit_last_error(ctx);

	fprintf(stderr, "mydevice/0 of %s: %s\n", domain,
		error ? error->message : strerror(-r));
}

int main(int argc, char **argv)
{
	XENSPLIT_OPTS(xensplit_opts, opts);
	struct xensplit_ctx *ctx;
	int r;

	if (argc != 2) {
		fprintf(stderr, "usage: %s DOMAIN\n", argv[0]);
		return EXIT_FAILURE;
	}
	opts.xs = xs_open(0);
	if (!opts.xs) {
		perror("can't reach XenStore");
		return EXIT_FAILURE;
	}
	r = xensplit_new(&opts, &ctx);
	if (!r) {
		r = run(opts.xs, ctx, argv[1]);
		if (r)
			complain(ctx, argv[1], r);
		xensplit_free(ctx);
	}
	xs_close(opts.xs);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
