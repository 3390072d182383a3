// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * again DOMID DEVID|auto COUNT: attaches and detaches a mydevice COUNT times. Prints the id of
 * each that was Connected and is gone. Uses a single process, like a toolstack.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xensplit.h>

#define TIMEOUT_MS 60000

static int once(struct xensplit_ctx *ctx, uint32_t domid, uint32_t devid)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	struct xensplit_id id = { domid, "mydevice", devid };
	int r;

	opts.domid = domid;
	opts.type = id.type;
	opts.devid = devid;
	r = xensplit_attach(ctx, &opts, TIMEOUT_MS, &id.devid);
	if (!r)
		r = xensplit_detach(ctx, &id, 0, TIMEOUT_MS);
	if (!r)
		printf("%u\n", id.devid);
	return r;
}

int main(int argc, char **argv)
{
	struct xensplit_ctx *ctx;
	uint32_t domid, devid;
	int count, r;

	if (argc != 4)
		return EXIT_FAILURE;
	domid = (uint32_t)strtoul(argv[1], NULL, 10);
	devid = strcmp(argv[2], "auto") ? (uint32_t)strtoul(argv[2], NULL, 10)
					: XENSPLIT_DEVID_AUTO;
	count = atoi(argv[3]);
	r = xensplit_new(NULL, &ctx);
	if (r)
		return EXIT_FAILURE;
	while (!r && count--)
		r = once(ctx, domid, devid);
	if (r)
		fprintf(stderr, "%s\n", xensplit_errmsg(ctx));
	xensplit_free(ctx);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
