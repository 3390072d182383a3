// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * churn OPERATIONS SEED DOMID...: attaches and detaches devices of these domains, most of which nobody
 * drives, and sometimes detaches one that serve keeps. Prints how many operations succeeded.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <xensplit.h>

#define LOOSE	  6  /* of each domain */
#define KEPT_PART 40 /* one operation in so many is about one of serve's */

static struct xensplit_ctx *ctx;

static int attach(uint32_t domid, uint32_t devid)
{
	XENSPLIT_OPTS(xensplit_attach_opts, opts);
	static const struct xensplit_pair pair = { "mode", "loose" };

	opts.domid = domid;
	opts.type = "loose";
	opts.devid = devid;
	opts.front = &pair;
	opts.front_count = 1;
	return xensplit_attach(ctx, &opts, 0, NULL);
}

static int detach(uint32_t domid, const char *type, uint32_t devid)
{
	const struct xensplit_id id = { domid, type, devid };

	return xensplit_detach(ctx, &id, XENSPLIT_DETACH_FORCE, 2000);
}

static int step(uint32_t domid, unsigned int random)
{
	uint32_t devid = random / KEPT_PART % LOOSE;
	int r;

	if (random % KEPT_PART == 0)
		return detach(domid, "mydevice", devid % 2);
	r = attach(domid, devid);
	return r ? detach(domid, "loose", devid) : 0;
}

int main(int argc, char **argv)
{
	unsigned int seed, count, i, done = 0;

	if (argc < 4)
		errx(2, "churn OPERATIONS SEED DOMID...");
	count = (unsigned int)atoi(argv[1]);
	seed = (unsigned int)strtoul(argv[2], NULL, 10);
	if (xensplit_new(NULL, &ctx))
		errx(1, "no XenStore");
	for (i = 0; i < count; i++) {
		const char *domid = argv[3 + rand_r(&seed) % (argc - 3)];

		done += !step((uint32_t)atoi(domid), (unsigned int)rand_r(&seed));
	}
	xensplit_free(ctx);
	printf("%u\n", done);
	return 0;
}
