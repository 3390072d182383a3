// SPDX-License-Identifier: LGPL-2.1-or-later
/* How to attach a device, wait until it connects, and remove it again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xensplit.h>

static int attach_and_detach(struct xensplit_ctx *ctx, uint32_t domid)
{
	const struct xensplit_pair front[] = { { "ring-pages", "4" } };
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	struct xensplit_id id = { domid, "mydevice", 0 };
	int r, detached;

	opts.domid = domid;
	opts.type = id.type;
	opts.devid = XENSPLIT_DEVID_AUTO;
	id.devid = XENSPLIT_DEVID_AUTO;
	opts.front = front;
	opts.front_count = 1;
	r = xensplit_attach(ctx, &opts, 10000, &id.devid);
	if (r)
		fprintf(stderr, "attach: %s\n", xensplit_errmsg(ctx));
	else
		printf("device %u of domain %u is Connected\n", id.devid, domid);
	/* Set once the device is written, even if it does not connect. */
	if (id.devid == XENSPLIT_DEVID_AUTO)
		return r;

	detached = xensplit_detach(ctx, &id, 0, 10000);
	if (detached)
		fprintf(stderr, "detach: %s\n", xensplit_errmsg(ctx));
	else
		printf("device %u of domain %u is gone\n", id.devid, domid);
	return r ? r : detached;
}

int main(int argc, char **argv)
{
	struct xensplit_ctx *ctx;
	uint32_t domid;
	int r;

	if (argc != 2) {
		fprintf(stderr, "usage: %s DOMAIN\n", argv[0]);
		return EXIT_FAILURE;
	}
	r = xensplit_new(NULL, &ctx);
	if (r) {
		fprintf(stderr, "can't reach XenStore: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	r = xensplit_domain_find(ctx, argv[1], &domid);
	if (r)
		fprintf(stderr, "%s\n", xensplit_errmsg(ctx));
	else
		r = attach_and_detach(ctx, domid);
	xensplit_free(ctx);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
